// Package recorder decides what is recorded of a call: from what its flow has said,
// what the API has asked for and how far the call is follows what each of its
// recordings is to do. It is pure; who does it, and where a recording belongs, is
// internal/contact.
//
// A call has at most two recordings: one of the customer with the flow, until an
// agent joins, and one of the customer with the agent (administrator guide, "When,
// what, and where for contact recordings").
package recorder

import (
	"path"
	"slices"
	"strings"
	"time"
)

// Kind is which recording of a call it is.
type Kind string

// The kinds.
const (
	IVR   Kind = "IVR"   // until an agent joins
	Agent Kind = "AGENT" // from then on
)

// Kinds are both, in the order of a call.
var Kinds = [...]Kind{IVR, Agent}

// State is what is done with a recording.
type State string

// The states. The zero State is that of one that has not begun.
const (
	On        State = "ON"
	Suspended State = "SUSPENDED" // silence is recorded
	Stopped   State = "STOPPED"   // for good
)

// Track is whose voice is in the recording of an agent (API reference,
// VoiceRecordingConfiguration). The zero Track is everybody's.
type Track string

// The tracks.
const (
	All       Track = ""
	FromAgent Track = "FROM_AGENT"
	ToAgent   Track = "TO_AGENT" // the customer's, and that of third parties
)

// Behavior is what a flow has said of recordings.
type Behavior struct {
	IVR, Agent bool
	Track      Track // of Agent
}

// BehaviorOf reads the parameters of the actions that decide on recordings, by the
// action's type, as domain.Contact.Behavior has them. Of the two actions, the one
// that came later has removed what the other said of calls.
func BehaviorOf(actions map[string]any) Behavior {
	set := object(object(actions, "UpdateContactRecordingBehavior"), "RecordingBehavior")
	if voice := object(object(actions, "UpdateContactRecordingAndAnalyticsBehavior"), "VoiceBehavior"); voice != nil {
		set = object(voice, "VoiceRecordingBehavior")
	}
	who, _ := set["RecordedParticipants"].([]any)
	b := Behavior{IVR: set["IVRRecordingBehavior"] == "Enabled"}
	agent, customer := slices.Contains(who, any("Agent")), slices.Contains(who, any("Customer"))
	b.Agent = agent || customer
	switch {
	case !customer && agent:
		b.Track = FromAgent
	case !agent && customer:
		b.Track = ToAgent
	}
	return b
}

func object(of map[string]any, name string) map[string]any {
	o, _ := of[name].(map[string]any)
	return o
}

// Key is the key of a recording that begins at a time. The prefix of the storage
// names a folder for recordings by itself, as CallRecordings at the end of the one
// that Amazon Connect makes with an instance; those without an agent have a folder
// in it (docs/divergences.md).
func Key(k Kind, prefix, contactID string, at time.Time) string {
	folder := ""
	if k == IVR {
		folder = "ivr"
	}
	at = at.UTC()
	return path.Join(strings.Trim(prefix, "/"), folder, at.Format("2006/01/02"), contactID+at.Format("_20060102T15:04_")+"UTC.wav")
}

// Call is how far a call is.
type Call struct {
	Behavior  Behavior
	Connected bool // the customer is there
	WithAgent bool // and an agent has joined
	Over      bool // or has gone over to the next contact
}

// during reports whether the part of a call that a recording is of goes on.
func (c Call) during(k Kind) bool {
	switch {
	case c.Over || !c.Connected:
		return false
	case k == IVR:
		return !c.WithAgent
	default:
		return c.WithAgent
	}
}

// Tape is a recording of a call, begun or not. It is stored as JSON.
type Tape struct {
	State State `json:",omitempty"` // that it is in
	Track Track `json:",omitempty"`
	// URI is where it belongs, s3://BUCKET/KEY; "" when nothing is recorded, because
	// nobody keeps it.
	URI string `json:",omitempty"`
	// What the API has asked for.
	Asked     bool  `json:",omitempty"` // to record, whatever the flow says,
	AskedFor  Track `json:",omitempty"` // this
	Paused    bool  `json:",omitempty"` // to suspend it
	Cancelled bool  `json:",omitempty"` // to stop it
}

// Running reports whether something is or might be recorded: a Tape that has begun
// and has not been stopped.
func (t Tape) Running() bool { return t.State == On || t.State == Suspended }

// Next is what a recording is to do, and of whom.
//
// A flow that says no more that the call is recorded suspends a recording that has
// begun, so that it can go on in the same file when the flow says so again
// (docs/divergences.md). What the API has asked for, the flow does not undo.
func (t Tape) Next(k Kind, c Call) (State, Track) {
	wanted, track := c.Behavior.IVR, All
	if k == Agent {
		wanted, track = c.Behavior.Agent, c.Behavior.Track
	}
	if t.Asked {
		wanted, track = true, t.AskedFor
	}
	begun := t.State != ""
	switch {
	case t.State == Stopped, t.Cancelled, begun && !c.during(k):
		return Stopped, t.Track
	case !begun && (!wanted || !c.during(k)):
		return "", All
	case !wanted:
		return Suspended, t.Track
	case t.Paused:
		return Suspended, track
	default:
		return On, track
	}
}
