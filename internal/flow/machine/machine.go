// Package machine runs flows. It is pure: given the state of a run, the contact
// it runs on and an event, Step changes both and says what is to be done. It
// knows no network, no storage and no clock; the time is part of each event.
//
// A Run is plain data that encoding/json keeps, so a run can be stored between
// any two events and go on in another process. What a run waits for is in
// Run.Wait, with the request that is still unanswered.
//
// Who does what: the machine decides the path, evaluates JSONPaths and
// conditions, collects digits, counts loops, and changes what is data of the
// contact. Everything else it asks of whoever drives it: with a Request, which
// is answered by a Replied event, with a Say, answered by Said, and with a
// Timer, answered by Expired. Answers carry the Seq of what they answer; one
// that nobody waits for any more is ignored.
//
// The types of actions are data of internal/flow; what they do is in
// actions_*.go here, in the same order, a handler for each type.
package machine

import (
	"bytes"
	"encoding/json"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
)

// MaxSteps is how many actions a run may take at the same instant. A cycle
// without a wait would otherwise never end; it is cut, and the flow log says
// so.
const MaxSteps = 10000

// maxDepth is how deep modules may be nested (administrator guide, "Flow
// modules").
const maxDepth = 5

// The error types of branches that many actions have.
const (
	NoMatchingError     = "NoMatchingError"
	NoMatchingCondition = "NoMatchingCondition"
)

// Ref is a flow or module, as a run holds on to it.
type Ref struct {
	ID   string
	ARN  string
	Name string
	Type flow.Type // flow.Module for modules
	// Content is what the Library knows the document by. A content never
	// changes, so a flow that is edited meanwhile does not change under a run.
	Content string
}

// Library holds parsed documents.
type Library interface {
	// Document returns the document of a content; nil when it is gone. It does
	// not change it, nor does anybody else.
	Document(content string) *flow.Document
}

// Frame is one flow or module at work.
type Frame struct {
	Flow Ref
	// Action is the identifier of the action at work.
	Action string
	// Attributes are $.FlowAttributes.
	Attributes map[string]string `json:",omitempty"`
	// Looping is the action that loops messages and has been interrupted: the
	// end of the interruption goes back to it.
	Looping string `json:",omitempty"`
	// Data are the namespaces that actions fill: External, Lex, Metrics,
	// StoredCustomerInput … A module has its own. Numbers are json.Number, so
	// that a run that has been stored goes on as one that has not.
	Data map[string]any `json:",omitempty"`
	// Input is $.Module.Input of a module.
	Input map[string]any `json:",omitempty"`
}

// Run is a flow at work on a contact, with the modules it has called.
type Run struct {
	// Frames are nested, the last is at work.
	Frames []Frame
	// Wait is what the action at work waits for; nil before the first event and
	// after the end.
	Wait *Wait `json:",omitempty"`
	// End is how the run ended; nil while it goes on.
	End *End `json:",omitempty"`
	// Seq numbers requests, messages and timers.
	Seq int
	// Seed is the state of the random numbers of DistributeByPercentage.
	Seed uint64
	// Steps counts the actions taken at the instant Since.
	Steps int       `json:",omitempty"`
	Since time.Time `json:",omitzero"`
	// Loops counts how often a Loop has gone round, by the ids of flow and
	// action: a flow that is run again does not begin anew.
	Loops map[string]int `json:",omitempty"`
	// Hidden is what the customer has typed in to be stored: logs do not show it.
	Hidden []string `json:",omitempty"`
	// Buffering keeps digits that nobody waits for, in Buffer.
	Buffering bool   `json:",omitempty"`
	Buffer    string `json:",omitempty"`
}

// UnmarshalJSON keeps the numbers of Data, Input and Parameters as they were.
func (r *Run) UnmarshalJSON(raw []byte) error {
	type plain Run // without this method
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode((*plain)(r))
}

// New is a run of a flow that has not begun: its first event is Begin.
func New(f Ref, seed uint64) *Run {
	return &Run{Frames: []Frame{{Flow: f}}, Seed: seed}
}

// Type is the type of the flow that the run began with, or was transferred to.
func (r *Run) Type() flow.Type { return r.Frames[0].Flow.Type }

// Top is the frame at work.
func (r *Run) Top() *Frame { return &r.Frames[len(r.Frames)-1] }

// Wait is what an action waits for.
type Wait struct {
	// Seq is what the answer must carry. A timer has its own.
	Seq      int
	TimerSeq int `json:",omitempty"`
	// Began is when the action began, Parameters are those it began with.
	Began      time.Time
	Parameters map[string]any `json:",omitempty"`
	// Request is the one that is not yet answered, to be sent again by a driver
	// that has lost it.
	Request *Request `json:",omitempty"`
	// Due is when the timer expires, zero for none.
	Due time.Time `json:",omitzero"`
	// Talking is true while a message is heard.
	Talking bool `json:",omitempty"`
	// Digits are those collected so far.
	Digits string `json:",omitempty"`
	// Events are those, by their names in the flow language, that end the wait
	// of the action Wait.
	Events []string `json:",omitempty"`
}

// Reason says why a run ended.
type Reason string

// The reasons.
const (
	// Finished: a terminal action, or nothing follows.
	Finished Reason = "Finished"
	// Disconnected: DisconnectParticipant.
	Disconnected Reason = "Disconnected"
	// Handed: the contact is now in a queue, with an agent or with a third party.
	Handed Reason = "Handed"
	// Failed: an error that no branch takes, or a document that is not there.
	Failed Reason = "Failed"
	// Cut: more than MaxSteps actions at one instant, or too much text.
	Cut Reason = "Cut"
)

// End is how a run ended.
type End struct {
	Reason Reason
	// Note tells more, for the flow log.
	Note string `json:",omitempty"`
}

// Subject is the contact that a flow runs on: the machine reads and changes
// it, nobody else does meanwhile.
type Subject struct {
	Contact *domain.Contact
	// Attributes are the user-defined ones, of the whole chain.
	Attributes  map[string]string
	InstanceARN string
	Region      string
	// Media is $.Media: SIP headers of a call, the first message of a chat.
	Media map[string]any
	// Changed collects the properties that have been changed since the driver
	// last emptied it, as contact events name them in updatedProperties.
	Changed []string
}

// change notes that a property has been changed.
func (s *Subject) change(property string) {
	for _, c := range s.Changed {
		if c == property {
			return
		}
	}
	s.Changed = append(s.Changed, property)
}

// EventKind is what has happened.
type EventKind uint8

// The events.
const (
	// Begin is the first event of a run.
	Begin EventKind = iota + 1
	// Said answers a Say that has been heard to its end. Err is set if it could
	// not be said.
	Said
	// Expired answers a Timer.
	Expired
	// Replied answers a Request.
	Replied
	// Digit is a key that the customer has pressed: Text is one of 0-9 * #.
	Digit
	// Occurred is an event that ends a Wait, one of Wait.Events: Text is
	// CustomerReturned or BotParticipantDisconnected. With Err it says that the
	// event cannot occur: ParticipantNotFound when a bot is waited for that does
	// not take part.
	Occurred
)

// Event is something that has happened.
type Event struct {
	At   time.Time
	Kind EventKind
	// Seq is that of the Say, Timer or Request that is answered.
	Seq  int
	Text string
	// Err is the error type of a Say that failed, or of Occurred.
	Err   string
	Reply Reply
}

// Output is what a Step wants done, in this order, and what it has done.
type Output struct {
	Commands []Command
	Lines    []Line
}

// Intercept is asked before each action. What it returns takes the place of the
// action; nil lets it be. It may change the parameters, which are its own. Test
// cases put their substitutes in by it.
type Intercept func(s Started) *Substitute

// Started is an action that is about to begin.
type Started struct {
	Flow       Ref
	Action     string
	Type       string
	Parameters map[string]any
}

// Substitute is what an action comes to without being carried out.
type Substitute struct {
	Err    string // an error type, "" for none
	Result string // compared with the conditions
	// Data is put under the names of the contact's namespaces: External …
	Data map[string]any
}

// Machine runs flows. It holds nothing of any run, so any number may step at
// the same time.
type Machine struct {
	Library Library
	// Intercept may be nil.
	Intercept Intercept
}

// Step lets a run go on with an event until it waits again or ends.
func (m *Machine) Step(r *Run, s *Subject, ev Event) Output {
	x := &step{machine: m, run: r, subject: s, at: ev.At, began: ev.At}
	if r.End != nil || len(r.Frames) == 0 {
		return x.out
	}
	if !ev.At.Equal(r.Since) {
		r.Since, r.Steps = ev.At, 0
	}
	switch {
	case ev.Kind == Begin && r.Wait == nil && r.Frames[0].Action == "":
		if doc := m.Library.Document(r.Top().Flow.Content); doc != nil {
			r.Top().Action = doc.StartAction
		}
	case r.Wait != nil:
		x.deliver(ev)
	default:
		return x.out
	}
	for r.Wait == nil && r.End == nil {
		x.act()
	}
	return x.out
}

// deliver hands an event to the action that waits.
func (x *step) deliver(ev Event) {
	w := x.run.Wait
	switch ev.Kind {
	case Said:
		if ev.Seq != w.Seq || !w.Talking {
			return
		}
		w.Talking = false
	case Replied:
		if ev.Seq != w.Seq || w.Request == nil {
			return
		}
		x.asked, w.Request, x.note = w.Request, nil, ev.Reply.Note
		if ev.Reply.Err == "" && !x.asked.answeredBy(&ev.Reply) {
			ev.Reply.Err = NoMatchingError
		}
	case Expired:
		if ev.Seq != w.TimerSeq || w.Due.IsZero() {
			return
		}
		w.Due, w.TimerSeq = time.Time{}, 0
	case Digit:
		if len(ev.Text) != 1 || !isKey(ev.Text[0]) {
			return
		}
	case Occurred:
	default:
		return
	}
	if !x.enter() {
		return
	}
	x.began, x.params = w.Began, w.Parameters
	h := handlers[x.action.Type]
	if h.event == nil {
		return
	}
	// A digit that the action does not want is typed ahead.
	if taken := h.event(x, w, ev); !taken && ev.Kind == Digit {
		x.typeAhead(ev.Text)
	}
}

// typeAhead keeps a digit for later, if the flow wants that.
func (x *step) typeAhead(digit string) {
	if x.run.Buffering && len(x.run.Buffer) < maxBuffer {
		x.run.Buffer += digit
	}
}

// answeredBy reports whether a reply has what the request asks for.
func (r *Request) answeredBy(reply *Reply) bool {
	switch {
	case r.Flows != nil:
		return len(reply.Flows) == len(r.Flows.IDs)
	case r.Queue != nil:
		return reply.Queue != nil
	default:
		return true
	}
}

// maxBuffer is how many digits are kept for later (administrator guide,
// "Touchtone buffering").
const maxBuffer = 30

func isKey(c byte) bool { return '0' <= c && c <= '9' || c == '*' || c == '#' }

// enter finds the action at work; false when it is gone, which ends the run.
func (x *step) enter() bool {
	f := x.run.Top()
	x.frame, x.action = f, nil
	doc := x.machine.Library.Document(f.Flow.Content)
	if doc != nil {
		x.action = doc.Action(f.Action)
	}
	switch {
	case doc == nil:
		x.end(Failed, "The content of the flow is no longer there.")
	case x.action == nil:
		x.end(Failed, "There is no action "+f.Action+".")
	}
	return x.action != nil
}

// act begins the action at work.
func (x *step) act() {
	switch x.run.Steps++; {
	case x.run.Steps > MaxSteps:
		x.cut("it took more than 10000 actions without waiting")
		return
	case x.filled > maxFilled:
		x.cut("its JSONPaths made more than 4 MB of text without waiting")
		return
	}
	x.began, x.params, x.resultIs, x.note = x.at, nil, "", ""
	if !x.enter() {
		return
	}
	x.params, _ = x.resolve(x.action.Parameters).(map[string]any)
	h, known := handlers[x.action.Type]
	if s := x.intercepted(); s != nil {
		x.substitute(s)
		return
	}
	// A module may hold actions that the flow which calls it does not support:
	// they take their error branch (administrator guide, "Flow modules").
	if !known || x.action.Spec == nil || !x.action.Spec.Supports(x.run.Type()) && !x.moduleOnly() {
		x.fail(NoMatchingError)
		return
	}
	h.begin(x)
}

// cut ends a run that would not end by itself.
func (x *step) cut(why string) {
	x.run.End = &End{Reason: Cut, Note: "The flow was cut: " + why + "."}
	x.stray(x.run.End.Note)
}

// stray logs what is said of a place where there is no action.
func (x *step) stray(note string) {
	f := x.run.Top()
	x.out.Lines = append(x.out.Lines, Line{At: x.at, Ended: x.at, Flow: f.Flow, Action: f.Action, Depth: len(x.run.Frames) - 1, Note: note})
}

// moduleOnly reports whether a module is at work on an action that only
// modules have.
func (x *step) moduleOnly() bool {
	return len(x.run.Frames) > 1 && x.action.Type == endModule
}

func (x *step) intercepted() *Substitute {
	if x.machine.Intercept == nil {
		return nil
	}
	// The parameters may share values with the run's data.
	x.params, _ = plain(x.params).(map[string]any)
	return x.machine.Intercept(Started{Flow: x.frame.Flow, Action: x.action.Identifier, Type: x.action.Type, Parameters: x.params})
}

func (x *step) substitute(s *Substitute) {
	for name, value := range s.Data {
		x.store(name, value)
	}
	switch {
	case s.Err != "":
		x.fail(s.Err)
	case len(x.action.Transitions.Conditions) > 0 && s.Result != "":
		x.result(s.Result)
	default:
		x.resultIs = s.Result
		x.next()
	}
}
