package machine

import (
	"math"
	"slices"
	"strings"
	"time"

	"ringdown/internal/flow"
)

// handler is what an action does.
type handler struct {
	// begin carries it out, or begins to: afterwards the step has moved on
	// (next, result, fail, end) or waits (say, ask, timer).
	begin func(x *step)
	// event is told what happens while the action waits, and reports whether it
	// was meant for it. Nil for actions that never wait.
	event func(x *step, w *Wait, ev Event) bool
}

// handlers are all of them by type of action.
var handlers = func() map[string]handler {
	all := map[string]handler{}
	for _, group := range []map[string]handler{participantHandlers, contactHandlers, controlHandlers, interactionHandlers} {
		for name, h := range group {
			all[name] = h
		}
	}
	return all
}()

// step is one call of Step.
type step struct {
	machine *Machine
	run     *Run
	subject *Subject
	at      time.Time
	out     Output

	// Of the action at work.
	frame    *Frame
	action   *flow.Action
	params   map[string]any // its parameters, JSONPaths replaced
	began    time.Time
	resultIs string   // for the log
	note     string   // for the log
	asked    *Request // that has just been answered
	filled   int      // bytes that JSONPaths have put into texts
}

// next goes on with NextAction.
func (x *step) next() { x.follow(x.action.Transitions.NextAction, x.resultIs, "") }

// result compares what the action came to with its conditions. Without a match
// it goes on with NoMatchingCondition, and where that is absent with
// NextAction.
func (x *step) result(v string) {
	if to, ok := x.match(v); ok {
		x.follow(to, v, "")
		return
	}
	t := x.action.Transitions
	for _, e := range t.Errors {
		if e.ErrorType == NoMatchingCondition {
			x.follow(e.NextAction, v, NoMatchingCondition)
			return
		}
	}
	x.follow(t.NextAction, v, "")
}

// match is where the first condition leads that a result fulfils, false when it
// fulfils none. What a condition compares with may come from the contact
// (administrator guide, "Check contact attributes").
func (x *step) match(v string) (string, bool) {
	for _, c := range x.action.Transitions.Conditions {
		if Compare(c.Operator, v, textOf(x.fill(c.Operand))) {
			return c.NextAction, true
		}
	}
	return "", false
}

// fail goes on with the branch of an error, or with that of NoMatchingError.
// Without either the flow ends.
func (x *step) fail(errorType string) {
	t := x.action.Transitions
	for _, want := range []string{errorType, NoMatchingError} {
		if i := slices.IndexFunc(t.Errors, func(b flow.ErrorBranch) bool { return b.ErrorType == want }); i >= 0 {
			x.follow(t.Errors[i].NextAction, x.resultIs, errorType)
			return
		}
	}
	x.line(Line{Result: x.resultIs, Error: errorType, Note: strings.TrimSpace("No branch takes the error. " + x.note)})
	x.over(Failed, errorType+" of "+x.action.Identifier+", which no branch takes")
}

// end ends the flow at work.
func (x *step) end(why Reason, note string) {
	if x.action != nil {
		x.line(Line{Result: x.resultIs, Note: note})
	} else {
		x.stray(note)
	}
	x.over(why, note)
}

// follow logs the action and moves on.
func (x *step) follow(to, result, errorType string) {
	x.line(Line{Result: result, Error: errorType, Next: to, Note: x.note})
	x.run.Wait = nil
	if to == "" {
		x.over(Finished, "")
		return
	}
	x.frame.Action = to
}

// over ends the flow at work: a module returns to its caller, anything else
// ends the run.
func (x *step) over(why Reason, note string) {
	x.run.Wait = nil
	if len(x.run.Frames) > 1 && (why == Finished || why == Failed) {
		x.leave(why, "", nil)
		return
	}
	x.run.End = &End{Reason: why, Note: note}
}

// seq is a fresh number.
func (x *step) seq() int {
	x.run.Seq++
	return x.run.Seq
}

// waiting is the wait of the action at work, made at need.
func (x *step) waiting() *Wait {
	if x.run.Wait == nil {
		x.run.Wait = &Wait{Began: x.began, Parameters: x.params}
	}
	return x.run.Wait
}

// say has messages heard or sent and waits for Said.
func (x *step) say(s Say) {
	w := x.waiting()
	s.Seq = x.seq()
	w.Seq, w.Talking = s.Seq, true
	x.out.Commands = append(x.out.Commands, Command{Say: &s})
}

// hush ends what say began.
func (x *step) hush() {
	if w := x.waiting(); w.Talking {
		w.Talking = false
		x.out.Commands = append(x.out.Commands, Command{Hush: true})
	}
}

// timer waits for Expired at most so long. A wait has one timer: a new one
// takes the place of the old.
func (x *step) timer(after time.Duration) {
	w := x.waiting()
	w.TimerSeq = x.seq()
	w.Due = x.at.Add(after)
	x.out.Commands = append(x.out.Commands, Command{Timer: &Timer{Seq: w.TimerSeq, After: after}})
}

// ask sends a request and waits for Replied.
func (x *step) ask(r Request) {
	w := x.waiting()
	r.Seq = x.seq()
	w.Seq, w.Request = r.Seq, &r
	x.out.Commands = append(x.out.Commands, Command{Request: &r})
}

// answered is the event handler of actions that ask once: an error takes its
// branch, anything else goes to then.
func answered(then func(x *step, r *Reply)) func(*step, *Wait, Event) bool {
	return func(x *step, _ *Wait, ev Event) bool {
		if ev.Kind != Replied {
			return false
		}
		if ev.Reply.Err != "" {
			x.fail(ev.Reply.Err)
			return true
		}
		then(x, &ev.Reply)
		return true
	}
}

// text is a parameter as text, "" when it is absent.
func (x *step) text(name string) string { return textOf(x.params[name]) }

// object is a parameter that is an object, nil when it is absent.
func (x *step) object(name string) map[string]any {
	o, _ := x.params[name].(map[string]any)
	return o
}

// has reports whether there is a parameter.
func (x *step) has(name string) bool { return x.params[name] != nil }

// number is a whole number, or false.
func (x *step) number(name string) (int64, bool) { return numberOf(x.params[name]) }

// seconds is a parameter as a duration, 0 when it is absent or none.
func (x *step) seconds(name string) time.Duration {
	n, ok := x.number(name)
	if !ok || n < 0 || n > maxSeconds {
		return 0
	}
	return time.Duration(n) * time.Second
}

// maxSeconds is a year: no limit of the language is longer.
const maxSeconds = 366 * 24 * 3600

// numberOf is a whole number that float64 holds exactly.
func numberOf(v any) (int64, bool) {
	const most = 1 << 53
	f, ok := decimal(textOf(v))
	if !ok || f != math.Trunc(f) || math.Abs(f) > most {
		return 0, false
	}
	return int64(f), true
}

// store puts a value into a namespace of the flow at work; nil removes it.
func (x *step) store(name string, value any) {
	f := x.run.Top()
	if value == nil {
		delete(f.Data, name)
		return
	}
	if f.Data == nil {
		f.Data = map[string]any{}
	}
	f.Data[name] = plain(value)
}

// voice reports whether the contact is a call.
func (x *step) voice() bool { return x.subject.Contact.Channel == "VOICE" }

// chat reports whether the contact is a chat.
func (x *step) chat() bool { return x.subject.Contact.Channel == "CHAT" }

// random is a number from 0 to n-1 (SplitMix64, which needs no more state than
// its seed).
func (x *step) random(n uint64) uint64 {
	x.run.Seed += 0x9e3779b97f4a7c15
	z := x.run.Seed
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return (z ^ z>>31) % n
}
