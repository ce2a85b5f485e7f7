// Package flowtest runs test cases: a flow is run on a contact that is simulated,
// while what the customer hears and what the flow does are compared with what
// the test expects.
//
// It is pure but for the World that it is handed: it knows no network, no storage
// and no clock. Time is virtual. Prompts take as long as they would on a call,
// timers expire when nothing happens before, and none of it is waited for, so a
// call of five minutes takes a millisecond. The same test gives the same records
// wherever it runs, unless the World answers otherwise.
//
// What is simulated: the customer's side of a call or chat, queues (the contact
// waits, hears the customer queue flow, and no agent ever takes it), transfers
// to telephone numbers and agents (they succeed), tasks, callbacks and chats (they
// are noted, not made). What is asked of the World: configuration, functions and
// other services. Any of it can be overridden by the test.
//
// A test always ends: after five virtual minutes (administrator guide, "Execute
// test cases"), with the contact, with machine.MaxSteps actions at one instant,
// or with its context.
package flowtest

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
)

// Limit is how long a test takes at most, in virtual time (administrator guide,
// "Execute test cases").
const Limit = 5 * time.Minute

// World is what a test needs of everything around the contact. Its methods may
// be called from several goroutines at a time, if several tests share it.
type World interface {
	// Library has the documents of flows and modules.
	machine.Library
	// Answer answers requests that look something up, call a function, or ask
	// another service; false for those that it knows nothing of. What happens to
	// the contact is simulated and not asked of it, except that Related and Dialable
	// requests may be answered. At is the virtual time. The Result of a reply with
	// an Err says why, for people.
	Answer(ctx context.Context, at time.Time, c *domain.Contact, r *machine.Request) (machine.Reply, bool)
	// DefaultFlow finds the flow that contacts run when none is set.
	DefaultFlow(ctx context.Context, t flow.Type) (machine.Ref, error)
	// Prompt finds a recorded prompt by its id or ARN.
	Prompt(ctx context.Context, id string) (Prompt, error)
}

// Prompt is a recorded prompt.
type Prompt struct {
	Name string
	// Length is how long it plays, 0 when that is not known.
	Length time.Duration
	// Text is what is said in it, "" when that is not known.
	Text string
}

// Spec is a test to be run.
type Spec struct {
	Test *Test
	// Flow is what the contact begins with.
	Flow machine.Ref
	// Channel is VOICE or CHAT.
	Channel types.Channel
	// Customer and System are the telephone numbers of a call, "" for none.
	Customer, System string
	Attributes       map[string]string
	InstanceARN      string
	Region           string
	ContactID        domain.ContactID
	// Start is the virtual time at which the contact begins.
	Start time.Time
	// Seed decides what DistributeByPercentage does.
	Seed uint64
}

// Status is a verdict, with the names of the API.
type Status = types.ExecutionRecordStatus

// The verdicts.
const (
	Passed  = types.ExecutionRecordStatusPassed
	Failed  = types.ExecutionRecordStatusFailed
	Stopped = types.ExecutionRecordStatusStopped
)

// Result is what came of a test.
type Result struct {
	Status Status
	// Reason says why the test did not pass, in one sentence; "" if it did.
	Reason string
	// Ended says how the test came to its end.
	Ended string
	// Took is virtual.
	Took         time.Duration
	Observations []Outcome // in the order of the test
	Records      []Record
	Transcript   []Entry
}

// Outcome is what came of an observation.
type Outcome struct {
	Observation *Observation
	// Seen is how often its event came while it was expected.
	Seen int
	// Status is Passed; Failed; Stopped for one that the end of the test came
	// before; or "" for one that was never expected because it follows another
	// that may be left out.
	Status Status
	// Problem says what was expected and what came instead; "" if it passed.
	Problem string
}

// Count counts the observations: all, those that passed, and those that were
// expected and did not.
func (r *Result) Count() (total, passed, failed int) {
	for _, o := range r.Observations {
		switch {
		case o.Status == Passed:
			passed++
		case o.Status != "":
			failed++
		}
	}
	return len(r.Observations), passed, failed
}

// Record is one step of a test: an event that was observed or missed, or an
// action of the test.
type Record struct {
	Observation string // "" for the test as a whole
	Status      Status
	At          time.Time // virtual
	Detail      Detail
}

// Detail tells of a step. It is what the API shows as a JSON document.
type Detail struct {
	// Kind is Observation, Action or Test.
	Kind string
	// Identifier is that of the action, Type that of the event or the action.
	Identifier string `json:",omitempty"`
	Type       string `json:",omitempty"`
	// Message is for people.
	Message string
	// Seconds have passed since the contact began.
	Seconds float64
	// Data is what LogData has logged.
	Data map[string]string `json:",omitempty"`
}

// Who is who does something in a transcript.
type Who string

// Those who take part.
const (
	Flow     Who = "flow"
	System   Who = "system"   // what the customer hears
	Customer Who = "customer" // what the customer does
	Tester   Who = "test"
)

// Entry is a line of a transcript.
type Entry struct {
	After time.Duration // since the contact began, virtual
	Who   Who
	Text  string
}

// Run runs a test. It does not fail: what is wrong is in the Result.
func Run(ctx context.Context, spec Spec, world World) *Result {
	s := newSimulation(ctx, spec, world)
	s.play()
	return s.conclude()
}
