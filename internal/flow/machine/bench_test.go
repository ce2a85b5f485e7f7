package machine_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
)

// twenty is a flow of twenty actions that waits for nobody: attributes are set
// and compared, a loop goes round.
func twenty(tb testing.TB) *flow.Document {
	tb.Helper()
	actions := map[string]action{}
	for i := range 18 {
		id, next := fmt.Sprint("a", i), fmt.Sprint("a", i+1)
		if i%2 == 0 {
			actions[id] = action{Type: "UpdateContactAttributes", Next: &next, Parameters: map[string]any{
				"TargetContact": "Current", "Attributes": map[string]any{"name": "$.CustomerEndpoint.Address of $.Queue.Name", "step": id},
			}}
			continue
		}
		conditions, errors := []string{"Equals a0 -> a18", "Equals x -> a18"}, []string{"NoMatchingCondition -> " + next}
		actions[id] = action{Type: "Compare", Next: &next, Parameters: map[string]any{"ComparisonValue": "$.Attributes.name"}, Conditions: &conditions, Errors: &errors}
	}
	end := "NoMatchingError"
	actions["a18"] = action{Type: "UpdateFlowLoggingBehavior", Next: &end, Parameters: map[string]any{"FlowLoggingBehavior": "Enabled"}}
	content, err := document("CONTACT_FLOW", "a0", actions)
	if err != nil {
		tb.Fatal(err)
	}
	doc, _ := flow.Parse(content)
	if len(doc.Actions) != 20 {
		tb.Fatalf("the flow has %d actions", len(doc.Actions))
	}
	return doc
}

func benchContact() *domain.Contact {
	return &domain.Contact{ID: "c1", Channel: "VOICE", TargetQueue: &domain.ContactQueue{ID: "q1", Name: "Sales"}}
}

// BenchmarkStep measures the bare interpreter: ns/action is the time of one
// action of a flow of twenty.
func BenchmarkStep(b *testing.B) {
	m := &machine.Machine{Library: library{"f": twenty(b)}}
	b.ReportAllocs()
	actions := 0
	for b.Loop() {
		r := machine.New(machine.Ref{ID: "f", Content: "f", Type: "CONTACT_FLOW"}, 1)
		out := m.Step(r, &machine.Subject{Contact: benchContact()}, machine.Event{At: epoch, Kind: machine.Begin})
		if r.End == nil || r.End.Reason != machine.Disconnected {
			b.Fatalf("the run ended with %+v", r.End)
		}
		actions += len(out.Lines)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(actions), "ns/action")
}

// BenchmarkWaitingRun measures what a run costs that waits in a queue: bytes of
// memory, and of JSON.
func BenchmarkWaitingRun(b *testing.B) {
	content, err := document("CUSTOMER_QUEUE", "a", map[string]action{"a": {
		Type:       "MessageParticipantIteratively",
		Parameters: map[string]any{"Messages": []any{map[string]any{"Text": "Please wait."}}, "InterruptFrequencySeconds": 30},
	}})
	if err != nil {
		b.Fatal(err)
	}
	doc, _ := flow.Parse(content)
	m := &machine.Machine{Library: library{"f": doc}}
	c := benchContact()
	var runs []*machine.Run
	before := heap()
	for b.Loop() {
		r := machine.New(machine.Ref{ID: "f", ARN: "arn:f", Name: "Default customer queue", Content: "f", Type: "CUSTOMER_QUEUE"}, 1)
		m.Step(r, &machine.Subject{Contact: c}, machine.Event{At: epoch, Kind: machine.Begin})
		runs = append(runs, r)
	}
	b.ReportMetric(float64(heap()-before)/float64(len(runs)), "B/run")
	raw, err := json.Marshal(runs[0])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(raw)), "B-JSON/run")
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

// BenchmarkCut measures the worst that a flow can do before it is cut.
func BenchmarkCut(b *testing.B) {
	it := "it"
	content, err := document("CONTACT_FLOW", it, map[string]action{it: {Type: "UpdateFlowAttributes", Next: &it, Parameters: map[string]any{
		"FlowAttributes": map[string]any{"a": map[string]any{"Value": "$.Channel $.Attributes.a"}},
	}}})
	if err != nil {
		b.Fatal(err)
	}
	doc, _ := flow.Parse(content)
	m := &machine.Machine{Library: library{"f": doc}}
	for b.Loop() {
		r := machine.New(machine.Ref{ID: "f", Content: "f", Type: "CONTACT_FLOW"}, 1)
		m.Step(r, &machine.Subject{Contact: benchContact()}, machine.Event{At: epoch, Kind: machine.Begin})
		if r.End == nil || r.End.Reason != machine.Cut {
			b.Fatalf("the run ended with %+v", r.End)
		}
	}
}

// TestTextIsBounded has a small document ask for much text: the run is cut
// before it fills the memory.
func TestTextIsBounded(t *testing.T) {
	it := "it"
	content, err := document("CONTACT_FLOW", it, map[string]action{it: {Type: "UpdateFlowAttributes", Next: &it, Parameters: map[string]any{
		"FlowAttributes": map[string]any{"a": map[string]any{"Value": strings.Repeat("$.Attributes.a ", 1000)}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	doc, _ := flow.Parse(content)
	m := &machine.Machine{Library: library{"f": doc}}
	r := machine.New(machine.Ref{ID: "f", Content: "f", Type: "CONTACT_FLOW"}, 1)
	s := &machine.Subject{Contact: benchContact(), Attributes: map[string]string{"a": strings.Repeat("x", 30000)}}
	out := m.Step(r, s, machine.Event{At: epoch, Kind: machine.Begin})
	if r.End == nil || r.End.Reason != machine.Cut || !strings.Contains(r.End.Note, "4 MB") {
		t.Errorf("the run ended with %+v", r.End)
	}
	if n := len(compact(out)) + len(compact(r)); n > 20<<20 {
		t.Errorf("it made %d bytes", n)
	}
}
