package domain

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// ContactID is the lower-case UUID of a contact.
type ContactID string

// AnonymousCaller is the address of a customer who hides the number.
const AnonymousCaller = "anonymous"

// Contact is what is known of a contact: what DescribeContact and the contact
// record tell, and what later contacts of its chain inherit. What its owner
// needs to go on with a live one is not here (internal/contact).
//
// Attributes are not here either: they belong to the chain.
type Contact struct {
	ID ContactID

	// The chain. InitialID is the contact's own for the first one,
	// AssociationID for the root of the tree of related contacts.
	InitialID     ContactID
	PreviousID    ContactID     `json:",omitempty"`
	RelatedID     ContactID     `json:",omitempty"`
	AssociationID ContactID     `json:",omitempty"`
	Next          []NextContact `json:",omitempty"`
	// Hops is how many transfers of the kind that is limited came before.
	Hops int `json:",omitempty"`

	Channel     types.Channel
	Method      types.ContactInitiationMethod
	Name        string                                 `json:",omitempty"`
	Description string                                 `json:",omitempty"`
	Segment     map[string]types.SegmentAttributeValue `json:",omitempty"`
	Tags        map[string]string                      `json:",omitempty"`
	References  map[string]types.Reference             `json:",omitempty"`
	CustomerID  string                                 `json:",omitempty"`
	Customer    *types.EndpointInfo                    `json:",omitempty"` // the customer's endpoint
	System      *types.EndpointInfo                    `json:",omitempty"` // the one that was reached
	Template    *types.TaskTemplateInfoV2              `json:",omitempty"`
	Campaign    *types.Campaign                        `json:",omitempty"`
	// QuickConnect is the one that the contact was made by.
	QuickConnect *ContactQuickConnect `json:",omitempty"`
	Language     string               `json:",omitempty"` // such as en-US
	FlowID       ContactFlowID        `json:",omitempty"` // that the contact began with
	Voice        *Voice               `json:",omitempty"`

	// What flows have decided for later.
	TargetQueue *ContactQueue `json:",omitempty"`
	// Hooks are the flows of later events, ARNs by the names of the flow
	// language: CustomerQueue, CustomerRemaining …
	Hooks          map[string]string `json:",omitempty"`
	CallbackNumber string            `json:",omitempty"`
	// Logging is what the flow has last said about flow logs; nil: nothing.
	Logging *bool `json:",omitempty"`
	// Behavior holds the parameters of the recording, analytics and streaming
	// actions as the flow gave them, by the type of the action.
	Behavior map[string]any `json:",omitempty"`

	Priority       int64                  `json:",omitempty"` // 0: the default, 5; lower is served first
	TimeAdjustment int32                  `json:",omitempty"` // seconds
	Routing        *types.RoutingCriteria `json:",omitempty"`

	// The queue that the contact is or was in. Times are UTC.
	Queue      *ContactQueue `json:",omitempty"`
	EnqueuedAt time.Time     `json:",omitzero"`
	DequeuedAt time.Time     `json:",omitzero"`

	Agent *ContactAgent `json:",omitempty"`

	InitiatedAt    time.Time
	ScheduledAt    time.Time `json:",omitzero"`
	Reschedules    int       `json:",omitempty"`
	RingStartedAt  time.Time `json:",omitzero"`
	ConnectedAt    time.Time `json:",omitzero"` // to the system
	DisconnectedAt time.Time `json:",omitzero"`
	CompletedAt    time.Time `json:",omitzero"` // after contact work is over
	UpdatedAt      time.Time
	ExpiresAt      time.Time `json:",omitzero"`

	PausedAt   time.Time     `json:",omitzero"` // last
	ResumedAt  time.Time     `json:",omitzero"` // last
	Pauses     int           `json:",omitempty"`
	PausedTime time.Duration `json:",omitempty"`

	DisconnectReason string `json:",omitempty"`
	// Detection is what answering machine detection found.
	Detection  types.AnsweringMachineDetectionStatus `json:",omitempty"`
	Recordings []types.RecordingInfo                 `json:",omitempty"`
	// TransferredTo is the endpoint of a transfer out of the instance.
	TransferredTo *types.EndpointInfo `json:",omitempty"`
}

// NextContact is a contact that follows another in its chain.
type NextContact struct {
	ID     ContactID
	Method types.ContactInitiationMethod
}

// ContactQuickConnect names the quick connect that a contact was made by.
type ContactQuickConnect struct {
	ID   QuickConnectID
	Name string
	Type types.QuickConnectType
}

// ContactQueue names a queue, or an agent's own queue.
type ContactQueue struct {
	ID   QueueID
	Name string
	// AgentID is set for the queue of an agent, whose id ID then is.
	AgentID UserID `json:",omitempty"`
	// CallerID is the number, E.164, that calls for this queue show; "" for none.
	CallerID string `json:",omitempty"`
}

// ContactAgent is the agent of a contact.
type ContactAgent struct {
	ID                            UserID
	UserName, FirstName, LastName string
	AcceptedAt                    time.Time `json:",omitzero"`
	ConnectedAt                   time.Time `json:",omitzero"`
}

// Voice is how prompts are spoken.
type Voice struct {
	ID     string // such as Joanna
	Engine string `json:",omitempty"`
	Style  string `json:",omitempty"`
}

// MaxAttributes is the size of all attributes of a contact, keys and values,
// in bytes of UTF-8 (administrator guide, "Amazon Connect feature
// specifications").
const MaxAttributes = 32768

// CheckAttributes checks user-defined attributes. Those of the API have plain
// keys; a flow may also use spaces.
func CheckAttributes(attributes map[string]string, fromFlow bool) error {
	size := 0
	for k, v := range attributes {
		size += len(k) + len(v)
		if k == "" || strings.HasPrefix(k, "$") || !plainKey(k, fromFlow) {
			return fault.New(fault.InvalidParameter, "Attributes: the key %q may hold letters, digits, hyphens and underscores only", k)
		}
		if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return fault.New(fault.InvalidParameter, "Attributes: the value of %q is not valid UTF-8 without NUL characters", k)
		}
	}
	if size > MaxAttributes {
		return fault.New(fault.InvalidRequest, "Attributes must have at most %d bytes with their keys, they have %d", MaxAttributes, size)
	}
	return nil
}

func plainKey(k string, fromFlow bool) bool {
	for _, c := range k {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		case fromFlow && (c == ' ' || c > 0x7f):
		default:
			return false
		}
	}
	return true
}

// Subtype is the subtype of the channel, such as connect:Telephony, "" for
// none.
func (c *Contact) Subtype() string {
	if v := c.Segment["connect:Subtype"].ValueString; v != nil {
		return *v
	}
	return ""
}

// Ended reports whether the contact is over.
func (c *Contact) Ended() bool { return !c.DisconnectedAt.IsZero() }
