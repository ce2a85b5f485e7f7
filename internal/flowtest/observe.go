package flowtest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ringdown/internal/flow/machine"
)

// watch is how an observation stands. It is active from the beginning when it
// follows no other, else from when one that it follows has been seen as often as
// it must; it stays so until it has been seen as often as it must itself
// (administrator guide, "Observe block").
type watch struct {
	*Observation

	active bool
	seen   int
	failed string // what is wrong with it
	ends   bool   // it has ended the test
	since  int    // how much had happened when it became active
}

// done reports whether nothing more is wanted of it.
func (w *watch) done() bool { return w.any() || w.seen >= w.times() }

func newWatches(t *Test) []*watch {
	all := make([]*watch, len(t.Observations))
	follows := map[string]bool{}
	for i, o := range t.Observations {
		all[i] = &watch{Observation: o}
		for _, next := range o.Transitions.NextObservations {
			follows[next] = true
		}
	}
	for _, w := range all {
		w.active = !follows[w.Identifier]
	}
	return all
}

// observe compares what has happened with what is expected. Every observation
// that is active and whose event it is has been seen, and what the test does then
// is done; those that become active by it wait for the next.
func (s *simulation) observe(h *happening) {
	if s.over != "" {
		return
	}
	s.happened = append(s.happened, happened{s.elapsed(), h})
	var seen []*watch
	for _, w := range s.watches {
		if w.active && s.matches(&w.Event, h) {
			seen = append(seen, w)
		}
	}
	for _, w := range seen {
		w.seen++
		s.record(w, Passed, Detail{Kind: "Observation", Type: w.Event.Type, Message: observed(h)})
		s.note(Tester, "observed "+w.Identifier)
		if !w.any() && w.seen >= w.times() {
			w.active = false
		}
		if !s.act(w) {
			return
		}
		if w.any() && w.seen == 1 || !w.any() && w.seen == w.times() {
			s.activate(w)
		}
		if s.over != "" {
			return
		}
	}
}

// observed is what the record of an observation says.
func observed(h *happening) string {
	switch h.typ {
	case messageReceived:
		return "The customer heard " + h.String() + "."
	case actionStarted:
		return "The flow started " + h.String() + "."
	case initiated:
		return "The test began."
	default:
		return "The test is over."
	}
}

func (s *simulation) activate(w *watch) {
	for _, next := range w.Transitions.NextObservations {
		for _, other := range s.watches {
			if other.Identifier == next && !other.active && other.seen == 0 {
				other.active, other.since = true, len(s.happened)
			}
		}
	}
}

// act does what the test does on an observation; false when it went wrong, which
// ends the test. The assertions of one observation are all made, so that one run
// shows all that is wrong.
func (s *simulation) act(w *watch) bool {
	visited := map[*Action]bool{}
	for a := w.after(nil); a != nil && !visited[a] && s.over == ""; a = w.after(a) {
		visited[a] = true
		switch a.Type {
		case "Assert", "Assertion":
			s.assert(w, a)
		case "SendInstruction":
			if w.failed == "" {
				s.instruct(w, a)
			}
		case "OverrideSystemBehavior":
			if w.failed == "" {
				o := newOverride(a)
				s.overrides = append(s.overrides, o)
				s.acted(w, a, Passed, "The next "+o.of+" is overridden.", nil)
			}
		case "TestControl", "EndTest":
			if w.failed == "" {
				s.control(w, a)
			}
		}
	}
	if w.failed != "" {
		s.over, s.refuted = "An action of "+w.Identifier+" failed.", true
	}
	return w.failed == ""
}

func (s *simulation) acted(w *watch, a *Action, status Status, message string, data map[string]string) {
	s.record(w, status, Detail{Kind: "Action", Identifier: a.Identifier, Type: a.Type, Message: message, Data: data})
	s.note(Tester, message)
	if status == Failed && w.failed == "" {
		w.failed = message
	} else if status == Failed {
		w.failed += " " + message
	}
}

// assert compares a value of the contact or the flow.
func (s *simulation) assert(w *watch, a *Action) {
	path, operator := word(a.Parameters, "Namespace"), word(a.Parameters, "Operator")
	operand := s.fill(machine.Text(a.Parameters["Operand"]))
	v, there := machine.Evaluate(s.run, s.subject, path)
	value := machine.Text(v)
	ok := there && machine.Compare(operator, value, operand)
	if operator == "Exists" || operator == "KeyExists" {
		ok = there != strings.EqualFold(operand, "false")
	}
	found := fmt.Sprintf("%s is %q", path, value)
	if !there {
		found = path + " has no value"
	}
	if ok {
		s.acted(w, a, Passed, found+", as expected.", nil)
		return
	}
	s.acted(w, a, Failed, fmt.Sprintf("%s; expected: %s %q.", found, operator, operand), nil)
}

// instruct has the customer do something. It is done when the flow has gone on
// as far as it can, as a customer does who hears the end of a message first.
func (s *simulation) instruct(w *watch, a *Action) {
	p := dig(a.Parameters, "Instruction", "Properties")
	switch word(a.Parameters, "Actor") {
	case "Agent":
		s.acted(w, a, Failed, "No agent takes part in a test.", nil)
		return
	}
	switch kind := word(a.Parameters, "Instruction", "Type"); kind {
	case "DtmfInput":
		keys := s.fill(word(p, "Value"))
		for _, key := range keys {
			s.plan(doing{what: pressing, text: string(key)})
		}
		s.acted(w, a, Passed, "The customer presses "+keys+".", nil)
	case "TextUtterance":
		text := s.fill(machine.Text(dig(p, "Text")))
		if text == "" {
			text = spoken(s.fill(machine.Text(dig(p, "SSML"))))
		}
		s.plan(doing{what: speaking, text: text})
		s.acted(w, a, Passed, fmt.Sprintf("The customer says %q.", text), nil)
	case "Disconnect":
		s.plan(doing{what: leaving})
		s.acted(w, a, Passed, "The customer disconnects.", nil)
	default:
		s.acted(w, a, Failed, "There is no instruction "+kind+".", nil)
	}
}

// control logs data or ends the test.
func (s *simulation) control(w *watch, a *Action) {
	if a.Type == "EndTest" || word(a.Parameters, "Command", "Type") == "EndTest" {
		s.acted(w, a, Passed, "The test is ended.", nil)
		w.ends = true
		s.over = "The test was ended by " + w.Identifier + "."
		return
	}
	expressions, _ := dig(a.Parameters, "Command", "Properties", "Expressions").(map[string]any)
	data := make(map[string]string, len(expressions))
	shown := make([]string, 0, len(expressions))
	for _, name := range slices.Sorted(maps.Keys(expressions)) {
		data[name] = s.fill(machine.Text(expressions[name]))
		shown = append(shown, fmt.Sprintf("%s is %q", name, data[name]))
	}
	s.acted(w, a, Passed, "Logged: "+strings.Join(shown, ", ")+".", data)
}

// waitsFor reports whether something is expected that may still come before the
// test is over.
func (s *simulation) waitsFor() bool {
	return slices.ContainsFunc(s.watches, func(w *watch) bool {
		return w.active && !w.done() && w.Event.Type != completed
	})
}

// required are the observations that must be seen: those that follow no other,
// and those that follow one that must be or has been seen, unless that has ended
// the test.
func (s *simulation) required() map[string]bool {
	must := map[string]bool{}
	follows := map[string]bool{}
	for _, w := range s.watches {
		for _, next := range w.Transitions.NextObservations {
			follows[next] = true
		}
	}
	for _, w := range s.watches {
		if !follows[w.Identifier] {
			must[w.Identifier] = true
		}
	}
	for again := true; again; {
		again = false
		for _, w := range s.watches {
			if !must[w.Identifier] || w.any() && w.seen == 0 || w.ends {
				continue
			}
			for _, next := range w.Transitions.NextObservations {
				again = again || !must[next]
				must[next] = true
			}
		}
	}
	return must
}

// conclude gives the verdict.
func (s *simulation) conclude() *Result {
	s.finish()
	r := &Result{Status: Passed, Ended: s.over, Took: s.elapsed()}
	must := s.required()
	var failures []string
	for _, w := range s.watches {
		o := Outcome{Observation: w.Observation, Seen: w.seen}
		switch {
		case w.failed != "":
			o.Status, o.Problem = Failed, w.failed
		case w.done():
			o.Status = Passed
		case !must[w.Identifier]:
		case s.stopped, s.refuted:
			o.Status, o.Problem = Stopped, "Not observed before the test ended: "+s.over
			s.record(w, o.Status, Detail{Kind: "Observation", Type: w.Event.Type, Message: o.Problem})
		default:
			o.Status, o.Problem = Failed, s.missed(w)
			s.record(w, o.Status, Detail{Kind: "Observation", Type: w.Event.Type, Message: o.Problem})
		}
		if o.Status == Failed {
			failures = append(failures, w.Identifier+": "+o.Problem)
		}
		r.Observations = append(r.Observations, o)
	}
	switch {
	case s.stopped:
		r.Status, r.Reason = Stopped, s.over
	case s.broken:
		r.Status, r.Reason = Failed, s.over
	case len(failures) > 0:
		r.Status, r.Reason = Failed, strings.Join(failures, " ")
	}
	s.records = append(s.records, Record{Status: r.Status, At: s.now, Detail: Detail{Kind: "Test", Message: s.over, Seconds: s.elapsed().Seconds()}})
	r.Records, r.Transcript = s.records, s.transcript
	return r
}

// mostShown is how much of what came instead is told.
const mostShown = 10

// missed says what was expected of an observation and what came instead.
func (s *simulation) missed(w *watch) string {
	expected := "Expected " + w.Event.describe()
	if n := w.times(); n > 1 {
		expected += " " + times(n)
	}
	if !w.active && w.seen == 0 {
		for _, before := range s.watches {
			if slices.Contains(before.Transitions.NextObservations, w.Identifier) && !before.done() {
				return fmt.Sprintf("%s, after %s, which was not observed.", expected, before.Identifier)
			}
		}
	}
	switch instead := s.instead(w); {
	case w.Event.Actor == "Agent":
		return expected + " of an agent, but no agent takes part in a test."
	case w.seen > 0:
		return fmt.Sprintf("%s, it came %s. %s", expected, times(w.seen), s.over)
	case len(instead) > 0:
		return fmt.Sprintf("%s. There came instead: %s. %s", expected, strings.Join(instead, "; "), s.over)
	default:
		return fmt.Sprintf("%s, but nothing of the kind came. %s", expected, s.over)
	}
}

// instead are the events of the same type that came while an observation was
// active, each once.
func (s *simulation) instead(w *watch) []string {
	var names []string
	first, count := map[string]time.Duration{}, map[string]int{}
	for _, h := range s.happened[w.since:] {
		if h.typ != w.Event.Type {
			continue
		}
		name := h.String()
		if count[name]++; count[name] == 1 {
			names, first[name] = append(names, name), h.after
		}
	}
	more := len(names) - mostShown
	names = names[:min(len(names), mostShown)]
	for i, name := range names {
		names[i] += " at " + clock(first[name])
		if n := count[name]; n > 1 {
			names[i] += " (" + times(n) + ")"
		}
	}
	if more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return names
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// clock is a virtual time for people: minutes, seconds and tenths.
func clock(d time.Duration) string {
	d = d.Round(100 * time.Millisecond)
	return fmt.Sprintf("%d:%04.1f", int(d.Minutes()), (d % time.Minute).Seconds())
}
