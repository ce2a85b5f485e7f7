// Package contact runs contacts: calls, chats and tasks from their beginning
// to their record. It drives the flows of internal/flow/machine, keeps the
// queues, and writes contact events.
//
// Invariants:
//   - each live contact has one goroutine, its owner, which alone changes it.
//     Whatever happens to a contact (a request, a digit, a timer, the answer of
//     a function) is a transition on that goroutine;
//   - a transition is stored before it is acted upon: state, attributes, events,
//     log lines and the contacts it gave birth to, in one transaction. Then
//     calls are made, messages delivered, functions invoked. What was under way
//     when a server died is begun again from the stored state, so an outside
//     service may be asked twice, with the same request;
//   - attributes belong to the chain of contacts. Who holds the chain's lock may
//     change them; a transition holds it until it is stored;
//   - a contact that has ended changes only by Do, under a lock of its id.
//
// The package declares what it needs of the rest: Configuration, Lambda,
// Services, Dialer, Offerer, Audience. It knows no operation of the API.
package contact

import (
	"context"
	"log/slog"
	"time"

	"ringdown/internal/contact/queue"
	"ringdown/internal/contact/recorder"
	"ringdown/internal/domain"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// Instance is the instance that a contact belongs to.
type Instance struct {
	PK      store.PK
	ID      domain.InstanceID
	Region  string
	Account string
}

// ARN is that of the instance.
func (i Instance) ARN() string {
	return domain.ARN{Region: i.Region, Account: i.Account, Instance: i.ID, Kind: domain.KindInstance, ID: string(i.ID)}.String()
}

// ContactARN is that of one of its contacts.
func (i Instance) ContactARN(id domain.ContactID) string { return i.of(domain.KindContact, string(id)) }

func (i Instance) of(kind domain.Kind, id string) string {
	return domain.ARN{Region: i.Region, Account: i.Account, Instance: i.ID, Kind: kind, ID: id}.String()
}

// Configuration is what is configured, as far as contacts need it. What does
// not exist is a ResourceNotFoundException. Ids may be ARNs.
type Configuration interface {
	// Instance finds the instance of a contact that was stored.
	Instance(ctx context.Context, pk store.PK) (Instance, error)
	// Flow finds the published content of a flow, Module that of a module, whose
	// id may end in a version or alias.
	Flow(ctx context.Context, in Instance, id string) (machine.Ref, error)
	Module(ctx context.Context, in Instance, id string) (machine.Ref, error)
	// DefaultFlow is the instance's default flow of a type.
	DefaultFlow(ctx context.Context, in Instance, t flow.Type) (machine.Ref, error)
	// Document reads and parses a content.
	Document(ctx context.Context, in Instance, content string) (*flow.Document, error)
	// Queue finds a standard queue or, by its user, an agent's.
	Queue(ctx context.Context, in Instance, id string) (Queue, error)
	AgentQueue(ctx context.Context, in Instance, userID string) (Queue, error)
	// Open reports whether hours of operation are open at a time.
	Open(ctx context.Context, in Instance, hoursID string, at time.Time) (bool, error)
	// Prompt finds a prompt.
	Prompt(ctx context.Context, in Instance, id string) (Prompt, error)
	// Dialable reports whether the instance may call a number, E.164.
	Dialable(ctx context.Context, in Instance, number string) bool
	// Recordings tells where the instance keeps call recordings: a bucket and the
	// beginning of the keys. False when it keeps none.
	Recordings(ctx context.Context, in Instance) (bucket, prefix string, kept bool, err error)
	// Template finds the flow and the fields of a task template.
	Template(ctx context.Context, in Instance, id string) (*domain.TaskTemplate, error)
}

// Queue is a queue as contacts see it.
type Queue struct {
	domain.ContactQueue
	// HoursID are its hours of operation, "" for an agent's.
	HoursID string
	// Enabled queues take contacts.
	Enabled bool
	// MaxContacts is how many may wait; nil for no limit.
	MaxContacts *int32
	// CallerName is the name that calls for the queue show.
	CallerName string
	// OutboundFlow is the whisper flow of outbound calls, "" for the default.
	OutboundFlow string
}

// Prompt is a recorded prompt.
type Prompt struct {
	Name string
	URI  string // s3://…
}

// Lambda invokes functions; its errors are logged and take the error branch.
type Lambda interface {
	Invoke(ctx context.Context, r machine.LambdaRequest) (payload []byte, invocationID string, err error)
}

// Services does what no request of the machine's own describes: bots, customer
// profiles, cases, data tables. The error of a Reply is the error branch.
type Services interface {
	Serve(ctx context.Context, in Instance, c *domain.Contact, r machine.ServiceRequest) machine.Reply
}

// Offerer finds agents. Until there are any, it is nil and contacts wait.
type Offerer interface {
	// Enqueued tells of a contact that waits, Dequeued of one that no longer
	// does. Neither blocks.
	Enqueued(in Instance, c *domain.Contact)
	Dequeued(in Instance, id domain.ContactID)
	// Staffing counts the agents of a queue for CheckMetricData and
	// GetMetricData.
	Staffing(in Instance, q domain.ContactQueue) queue.Staffing
}

// Dialer places calls.
type Dialer interface {
	// Dial begins a call and returns its leg at once. What becomes of it is told
	// to hear, never from within Dial, in order, the last being LegEnded.
	Dial(call Call, hear func(LegEvent)) Leg
}

// Call is a call to be placed.
type Call struct {
	Instance    Instance
	ContactID   domain.ContactID
	To, From    string // E.164; From "" for anonymous
	FromName    string
	RingTimeout time.Duration
	// For is the leg that is to talk to whoever answers, and to nobody else any more,
	// for a dialer that can have the far side of it call them instead (REFER). The
	// leg of this call then tells LegAnswered when they have answered, and that of
	// For ends. Nil for other calls.
	For Leg
}

// Leg is one side of a call. Its methods do not block, and do nothing after the
// call has ended.
type Leg interface {
	// Say plays sounds one after the other, in place of what plays; LegSaid with
	// seq tells that the last is over. In a loop there is no end.
	Say(seq int, sounds []Sound, loop bool)
	// Hush ends what plays, without LegSaid.
	Hush()
	// Type sends digits.
	Type(digits string)
	// Join connects the two legs until one of them ends.
	Join(other Leg)
	// Record has the call recorded as told, or no longer. The end of the call ends its
	// recordings.
	Record(r Recording)
	// Hangup ends the call.
	Hangup()
}

// Arrival is a call that has come in and is not answered yet. What happens to it
// before Answer is told to nobody but kept until then.
type Arrival interface {
	Leg
	// Answer answers the call. What becomes of it is told to hear, never from within
	// Answer, in order: LegAnswered if the caller was still there, and last LegEnded.
	Answer(hear func(LegEvent))
}

// Recorder is a Leg that says whether it can record. Of a call that cannot be
// recorded no recording is noted. A Leg that does not say so can.
type Recorder interface {
	Records() bool
}

// RecordingKind is a part of a call that has a recording of its own
// (administrator guide, "Set recording and analytics behavior").
type RecordingKind = recorder.Kind

// The kinds.
const (
	IVRRecording   = recorder.IVR   // until an agent joins
	AgentRecording = recorder.Agent // from then on
)

// RecordingState is what is done with a recording.
type RecordingState = recorder.State

// The states. A recording that was stopped does not go on.
const (
	RecordingOn        = recorder.On
	RecordingSuspended = recorder.Suspended // silence is recorded
	RecordingStopped   = recorder.Stopped
)

// RecordingTrack is whose voice is in the recording of an agent.
type RecordingTrack = recorder.Track

// The tracks.
const (
	WholeRecording     = recorder.All
	FromAgentRecording = recorder.FromAgent
	ToAgentRecording   = recorder.ToAgent
)

// Recording is a recording of a call as it is to be from now on.
type Recording struct {
	Kind  RecordingKind
	State RecordingState
	// Track is whose voice is to be heard in it; in the place of others there is
	// silence.
	Track RecordingTrack
	// URI is where it belongs, s3://BUCKET/KEY.
	URI string
	// Failed, when it is not nil, is called when the recording cannot be begun: its
	// contact tells of it no more. It does not block, and may be called after the call
	// has ended.
	Failed func()
}

// Sound is something to play.
type Sound struct {
	machine.Message
	Prompt   *Prompt // of Message.Prompt
	Voice    domain.Voice
	Language string
}

// LegKind is what has happened to a leg.
type LegKind uint8

// The events of a leg.
const (
	LegRinging LegKind = iota + 1
	LegAnswered
	LegDigit // Text is the key
	LegSaid  // Seq is that of Say
	LegEnded // Reason tells why; before LegAnswered the call has failed
)

// LegEvent is something that has happened to a leg.
type LegEvent struct {
	Kind LegKind
	Seq  int
	Text string
	// Reason is a DisconnectReason of the contact record: CUSTOMER_DISCONNECT,
	// TELECOM_BUSY …
	Reason string
	// At is when it happened, the zero value for now.
	At time.Time
}

// Audience hears what is said in chats. No method blocks.
type Audience interface {
	// Deliver has an item shown to the participants of a chat. The chat is named by
	// the first contact of its chain.
	Deliver(in Instance, chat domain.ContactID, item *domain.ChatItem)
	// Closed tells that nobody in a chat, or one participant, will hear more.
	Closed(in Instance, chat domain.ContactID, participantID string)
	// Streaming tells where else the items of a contact of the chat are sent to from
	// its first on: whenever that has changed, and when the chat is taken up after a
	// restart.
	Streaming(in Instance, chat, id domain.ContactID, to []domain.ChatStream)
}

// Options configure a Manager. Configuration is needed.
type Options struct {
	Configuration Configuration
	Lambda        Lambda
	Services      Services
	Dialer        Dialer
	Offerer       Offerer
	Audience      Audience
	// Wake is called after each commit that added contact events or records.
	Wake   func()
	Now    func() time.Time
	Logger *slog.Logger
}
