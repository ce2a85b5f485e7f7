package flowtest

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ringdown/internal/flow"
)

// Test is a test case as it is written. It is not changed once it is read, so
// any number of executions may share it.
type Test struct {
	Observations []*Observation
}

// Observation is an event that is expected, and what is done when it comes.
type Observation struct {
	Identifier string
	Event      Event
	Usage      struct {
		Type  string // EXACTLY or ANY
		Times any    // 1 when absent
	}
	Actions     []Action
	Transitions struct{ NextObservations []string }

	// Offset is where the observation begins in the content, in bytes.
	Offset int `json:"-"`
}

// Event is what an observation waits for.
type Event struct {
	Type       string
	Actor      string
	Properties map[string]any
	// MatchingCriteria stands here in the example of the testing language, and in
	// Properties on the page of its event.
	MatchingCriteria any
}

// Action is one step of what an observation leads to.
type Action struct {
	Identifier  string
	Type        string
	Parameters  map[string]any
	Transitions *struct{ NextAction string }
}

// The types of events.
const (
	initiated       = "TestInitiated"
	completed       = "TestCompleted"
	messageReceived = "MessageReceived"
	actionStarted   = "FlowActionStarted"
)

// UnmarshalJSONFrom also notes where the observation stands.
func (o *Observation) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	raw, err := d.ReadValue()
	if err != nil {
		return err
	}
	offset := int(d.InputOffset()) - len(raw)
	type plain Observation // without this method
	if err := json.Unmarshal(raw, (*plain)(o), jsontext.AllowDuplicateNames(true)); err != nil {
		return err
	}
	o.Offset = offset
	return nil
}

// Parse reads the content of a test case. What keeps it from being one are its
// problems, as CreateTestCase reports them.
func Parse(content string) (*Test, []flow.Problem) {
	if problems := flow.CheckTest(content); len(problems) > 0 {
		return nil, problems
	}
	t := &Test{}
	if err := json.Unmarshal([]byte(content), t, jsontext.AllowDuplicateNames(true)); err != nil {
		return nil, []flow.Problem{{Message: fmt.Sprintf("Content cannot be read: %v", err), Rule: flow.RuleSyntax, Line: 1, Column: 1}}
	}
	return t, nil
}

// any reports whether the observation may come any number of times, or never.
func (o *Observation) any() bool { return o.Usage.Type == "ANY" }

// times is how often the event must come.
func (o *Observation) times() int {
	if n, ok := number(o.Usage.Times); ok && n > 1 {
		return int(n)
	}
	return 1
}

// after returns the action that follows another, the first after nil. Without
// transitions it is the next of the list.
func (o *Observation) after(a *Action) *Action {
	i := 0
	switch {
	case a == nil:
	case a.Transitions == nil:
		i = slices.IndexFunc(o.Actions, func(b Action) bool { return b.Identifier == a.Identifier }) + 1
	default:
		i = slices.IndexFunc(o.Actions, func(b Action) bool { return b.Identifier == a.Transitions.NextAction })
	}
	if i < 0 || i >= len(o.Actions) {
		return nil
	}
	return &o.Actions[i]
}
