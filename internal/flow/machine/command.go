package machine

import (
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
)

// Command is one thing to be done: exactly one member is set.
type Command struct {
	Say     *Say
	Hush    bool
	Timer   *Timer
	Request *Request
}

// Message is what a participant is told: exactly one member is set.
type Message struct {
	Text string `json:",omitempty"`
	SSML string `json:",omitempty"`
	// Prompt is the id or ARN of a prompt.
	Prompt string `json:",omitempty"`
	// Media is the s3:// address of a sound.
	Media string `json:",omitempty"`
}

// Say has messages heard on a call, or sent in a chat. The answer is Said.
type Say struct {
	Seq      int
	Messages []Message
	// Loop repeats them until Hush; there is no answer then.
	Loop bool `json:",omitempty"`
	// Interruptible messages may be cut short by a digit; the machine then says
	// Hush.
	Interruptible bool `json:",omitempty"`
}

// Timer asks for Expired after a time.
type Timer struct {
	Seq   int
	After time.Duration
}

// Request asks for something that only the driver can find out or do. Exactly
// one member beside Seq is set. The answer is Replied, with Err set to the type
// of an error branch if it failed.
type Request struct {
	Seq int

	// Lookups, which change nothing.
	Flows    *FlowsRequest    `json:",omitempty"`
	Hours    *HoursRequest    `json:",omitempty"`
	Queue    *QueueRequest    `json:",omitempty"`
	Metric   *MetricRequest   `json:",omitempty"`
	Metrics  *MetricsRequest  `json:",omitempty"`
	Dialable *DialableRequest `json:",omitempty"`

	// What happens to the contact.
	Enqueue    *EnqueueRequest    `json:",omitempty"`
	ToAgent    *ToAgentRequest    `json:",omitempty"`
	ThirdParty *ThirdPartyRequest `json:",omitempty"`
	Dial       *DialRequest       `json:",omitempty"`
	Hold       *HoldRequest       `json:",omitempty"`
	Resume     *ResumeRequest     `json:",omitempty"`
	View       *ViewRequest       `json:",omitempty"`

	// Other contacts.
	Related  *RelatedRequest  `json:",omitempty"`
	Task     *TaskRequest     `json:",omitempty"`
	Callback *CallbackRequest `json:",omitempty"`
	Chat     *ChatRequest     `json:",omitempty"`
	Persist  *PersistRequest  `json:",omitempty"`

	// Outside services.
	Lambda  *LambdaRequest  `json:",omitempty"`
	Service *ServiceRequest `json:",omitempty"`
}

// Reply answers a Request. Which members are set depends on it.
type Reply struct {
	// Err is the type of the error branch to take, "" for success.
	Err string
	// Note tells more, for the flow log.
	Note string
	// Result is what conditions are compared with.
	Result string
	// Flows answers Flows, in the order of the request.
	Flows []Ref
	// Queue answers Queue.
	Queue *domain.ContactQueue
	// Data are values for namespaces by their name.
	Data map[string]any
	// Payload and InvocationID answer Lambda.
	Payload      []byte
	InvocationID string
	// ContactID is a contact that was created.
	ContactID domain.ContactID
	// Number answers Metric.
	Number float64
}

// FlowsRequest finds flows or modules by id or ARN. One that is not there, or
// not published, is a NoMatchingError.
type FlowsRequest struct {
	IDs []string
	// Module says that they are modules; an id may then end in a version or an
	// alias.
	Module bool `json:",omitempty"`
}

// HoursRequest asks whether hours of operation are open now: Result is True or
// False. ID "" means those of the queue; an agent's queue has none, which is a
// NoMatchingError.
type HoursRequest struct {
	ID    string               `json:",omitempty"`
	Queue *domain.ContactQueue `json:",omitempty"`
}

// QueueRequest finds a queue, by its id or ARN or as that of an agent. One that
// does not exist is a NoMatchingError.
type QueueRequest struct {
	QueueID string `json:",omitempty"`
	AgentID string `json:",omitempty"`
}

// MetricRequest asks for one metric of a queue (action CheckMetricData). Its
// Number is a count, or seconds.
type MetricRequest struct {
	Type  string // such as NumberOfAgentsAvailable
	Queue domain.ContactQueue
}

// MetricsRequest asks for $.Metrics (action GetMetricData): Data["Metrics"].
type MetricsRequest struct {
	Queue   *domain.ContactQueue `json:",omitempty"`
	Channel string               `json:",omitempty"` // Voice or Chat, "" for all
}

// DialableRequest asks whether the instance may call a telephone number, which
// is written as E.164 has it. One that it may not call is a
// CallbackNumberNotDialable; after any other answer it is taken to be allowed,
// so a driver that knows no such rules need not know the request.
type DialableRequest struct{ Number string }

// EnqueueRequest puts the contact into a queue. A full queue is a
// QueueAtCapacity.
type EnqueueRequest struct {
	Queue domain.ContactQueue
	// Requeue is true for a contact that is in a queue already: it leaves that
	// queue, and a new contact of the chain enters the other. The flow goes on
	// with the new one, which must be the Subject's when the answer arrives. A
	// contact that is being offered to an agent stays: a NoMatchingError.
	Requeue bool `json:",omitempty"`
}

// ToAgentRequest transfers the contact to the agent of the transfer. An agent
// who is busy is a NoMatchingError; the flow then disconnects the contact.
type ToAgentRequest struct{}

// ThirdPartyRequest connects the customer to a telephone number. CallFailed and
// ConnectionTimeLimitExceeded are its errors.
type ThirdPartyRequest struct {
	Number     string
	Limit      time.Duration
	Continue   bool   // the flow goes on when the third party has gone
	Digits     string `json:",omitempty"` // typed once it has answered
	CallerID   string `json:",omitempty"`
	CallerName string `json:",omitempty"`
}

// DialRequest dials the customer of an outbound call, once. A call that has
// been dialled is a success, one that is not outbound a NoMatchingError.
type DialRequest struct {
	// CallerID is a number, "" for that of the queue.
	CallerID string        `json:",omitempty"`
	Limit    time.Duration `json:",omitempty"`
}

// HoldRequest sets who is on hold of the contact before this one: AgentOnHold,
// CustomerOnHold or OffHold.
type HoldRequest struct{ State string }

// ResumeRequest resumes a paused task. One that is not paused is a
// NoMatchingError.
type ResumeRequest struct{}

// ViewRequest shows a view in a chat. Result is the action that the customer
// chose, Data["Views"] what the view gave.
type ViewRequest struct {
	ID, Version string
	Input       map[string]any `json:",omitempty"`
	// HideResponse keeps the answer out of the transcript.
	HideResponse bool `json:",omitempty"`
}

// RelatedRequest changes the contact that this one is related to: its
// attributes or data.
type RelatedRequest struct {
	Attributes map[string]string `json:",omitempty"`
	Data       *ContactData      `json:",omitempty"`
}

// ContactData is what UpdateContactData sets; nil members stay as they are.
type ContactData struct {
	Name, Description, Language, CustomerID *string                    `json:",omitempty"`
	References                              map[string]types.Reference `json:",omitempty"`
}

// TaskRequest creates a task that is related to the contact.
type TaskRequest struct {
	FlowID      string `json:",omitempty"`
	TemplateID  string `json:",omitempty"`
	Name        string
	Description string                     `json:",omitempty"`
	Attributes  map[string]string          `json:",omitempty"`
	References  map[string]types.Reference `json:",omitempty"`
	// Scheduled is when it begins, zero for now.
	Scheduled time.Time `json:",omitzero"`
}

// CallbackRequest creates a callback. A queue that is full is a
// NoMatchingError.
type CallbackRequest struct {
	Queue        domain.ContactQueue
	InitialDelay time.Duration // 0 when a flow says when it is queued
	Attempts     int64         // at most
	RetryDelay   time.Duration // at least, after one that is not answered
	// FlowID is a flow that runs when the callback has been created.
	FlowID   string `json:",omitempty"`
	CallerID string `json:",omitempty"` // "" for that of the queue
	Number   string // to be called
}

// ChatRequest starts an outbound chat.
type ChatRequest struct {
	SourceAddress, SourceType           string
	DestinationAddress, DestinationType string
	FlowID                              string
	Subtype                             string
	InitialMessage                      string `json:",omitempty"`
	Related                             bool   `json:",omitempty"`
}

// PersistRequest ties the chat to a past one.
type PersistRequest struct {
	Rehydration string // ENTIRE_PAST_SESSION or FROM_SEGMENT
	SourceID    string
}

// LambdaRequest invokes a function with an event. Its Payload is the answer of a
// synchronous function, InvocationID the id of an asynchronous one.
type LambdaRequest struct {
	Function string
	Payload  json.RawMessage
	Async    bool `json:",omitempty"`
	Limit    time.Duration
}

// ServiceRequest asks an outside service that has no request of its own: a bot,
// customer profiles, cases, data tables. Type is the type of the action,
// Parameters are those of the action with JSONPaths replaced. A service that is
// not there is a NoMatchingError. Data are the namespaces that the answer fills:
//
//   - Customer: the whole profile; the machine keeps what the action asked for.
//   - Case: the fields of the case that the action asked for, with case_id.
//   - Wisdom: SessionArn.
//   - Email: EmailMessage.Plaintext.
//   - DataTables: the values by query and attribute.
//   - DataTableList: ResultData, as "Data table" of the administrator guide shows
//     it.
type ServiceRequest struct {
	Type       string
	Parameters map[string]any `json:",omitempty"`
}
