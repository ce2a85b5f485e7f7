package starter

import (
	"encoding/json"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ringdown/internal/flow"
)

const (
	testInstance = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555/"
	testLambda   = "arn:aws:lambda:us-east-1:123456789012:function:lookup"
)

// testRefs puts the name of a resource where its id would be, and notes what
// was asked for.
func testRefs(asked func(kind, name string)) Refs {
	return Refs{
		Prompt: func(name string) string {
			asked("prompt", name)
			return testInstance + "prompt/" + name
		},
		Flow: func(name string) string {
			asked("flow", name)
			return testInstance + "contact-flow/" + name
		},
		BasicQueue:     testInstance + "queue/basic",
		SampleFunction: testLambda,
	}
}

func content(f Flow) string {
	return f.Content(testRefs(func(string, string) {}))
}

func flowNamed(t *testing.T, name string) Flow {
	t.Helper()
	for _, f := range Flows() {
		if f.Name == name {
			return f
		}
	}
	t.Fatalf("no flow %q", name)
	return Flow{}
}

func TestFlowsAreThoseOfANewInstance(t *testing.T) {
	want := map[string]string{
		"Default agent hold":                             "AGENT_HOLD",
		"Default agent transfer":                         "AGENT_TRANSFER",
		"Default agent whisper":                          "AGENT_WHISPER",
		"Default customer hold":                          "CUSTOMER_HOLD",
		"Default customer queue":                         "CUSTOMER_QUEUE",
		"Default customer whisper":                       "CUSTOMER_WHISPER",
		"Default outbound":                               "OUTBOUND_WHISPER",
		"Default queue transfer":                         "QUEUE_TRANSFER",
		"Sample AB test":                                 "CONTACT_FLOW",
		"Sample disconnect flow":                         "CONTACT_FLOW",
		"Sample inbound flow (first contact experience)": "CONTACT_FLOW",
		"Sample interruptible queue flow with callback":  "CUSTOMER_QUEUE",
		"Sample Lambda integration":                      "CONTACT_FLOW",
		"Sample note for screenpop":                      "CONTACT_FLOW",
		"Sample queue configurations flow":               "CONTACT_FLOW",
		"Sample queue customer":                          "CONTACT_FLOW",
		"Sample recording behavior":                      "CONTACT_FLOW",
		"Sample secure input with agent":                 "QUEUE_TRANSFER",
		"Sample secure input with no agent":              "CONTACT_FLOW",
	}
	got := map[string]string{}
	for _, f := range Flows() {
		got[f.Name] = f.Type
		if f.Default != strings.HasPrefix(f.Name, "Default ") {
			t.Errorf("%s: Default is %v", f.Name, f.Default)
		}
		if len(f.Description) > 500 {
			t.Errorf("%s: description of %d bytes", f.Name, len(f.Description))
		}
	}
	if len(got) != len(Flows()) {
		t.Error("two flows have the same name")
	}
	for name, flowType := range want {
		if got[name] != flowType {
			t.Errorf("%s: type %q, want %q", name, got[name], flowType)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d flows, want %d", len(got), len(want))
	}
}

func TestFlowsAreValid(t *testing.T) {
	for _, f := range Flows() {
		t.Run(f.Name, func(t *testing.T) {
			for _, p := range flow.Check(content(f), flow.Type(f.Type)).Problems {
				t.Errorf("%d:%d: %s: %s", p.Line, p.Column, p.Message, p.Hint)
			}
			if strings.Contains(content(f), "{{") {
				t.Error("a placeholder is left")
			}
		})
	}
}

// Every action can be reached, and from every one an end can be: a terminal
// action, or prompts that repeat until something outside the flow stops them.
func TestFlowsHaveNoDeadEnds(t *testing.T) {
	for _, f := range Flows() {
		d := parsed(t, f)
		reached := follow(d, d.StartAction)
		for _, a := range d.Actions {
			if !reached[a.Identifier] {
				t.Errorf("%s: %s is never reached", f.Name, a.Identifier)
			}
			ends := false
			for id := range follow(d, a.Identifier) {
				last := d.Action(id)
				ends = ends || last.Spec.Terminal || last.Spec.NextOptional && len(targets(last)) == 0
			}
			if !ends {
				t.Errorf("%s: nothing ends the flow from %s", f.Name, a.Identifier)
			}
		}
	}
}

// parsed is what a flow's content says.
func parsed(t *testing.T, f Flow) *flow.Document {
	t.Helper()
	d, problems := flow.Parse(content(f))
	if len(problems) > 0 {
		t.Fatalf("%s: %v", f.Name, problems)
	}
	return d
}

// targets are the actions that may follow.
func targets(a *flow.Action) []string {
	var ids []string
	if a.Transitions.NextAction != "" {
		ids = append(ids, a.Transitions.NextAction)
	}
	for _, e := range a.Transitions.Errors {
		ids = append(ids, e.NextAction)
	}
	for _, c := range a.Transitions.Conditions {
		ids = append(ids, c.NextAction)
	}
	return ids
}

// follow finds what can be reached from an action.
func follow(d *flow.Document, start string) map[string]bool {
	seen := map[string]bool{}
	for waiting := []string{start}; len(waiting) > 0; waiting = waiting[1:] {
		if id := waiting[0]; !seen[id] {
			seen[id] = true
			waiting = append(waiting, targets(d.Action(id))...)
		}
	}
	return seen
}

// The texts and steps of the default flows are facts of the service, so a test
// repeats them.
func TestDefaultFlowsSayWhatTheServiceSays(t *testing.T) {
	cases := []struct {
		flow string
		want []string // in the order of the document
	}{
		{"Default agent hold", []string{`"MessageParticipantIteratively"`, `You are on hold`, `10s`}},
		{"Default agent transfer", []string{`"Transferring now."`, `"TransferContactToAgent"`}},
		{"Default agent whisper", []string{`"Text":"$.Queue.Name"`, `"EndFlowExecution"`}},
		{"Default customer hold", []string{`"MessageParticipantIteratively"`, `prompt/CustomerHold.wav"`}},
		{"Default customer queue", []string{`"MessageParticipantIteratively"`, `"Text":"Thank you for calling.`, `prompt/CustomerQueue.wav"`}},
		{"Default customer whisper", []string{`prompt/Beep.wav"`, `"EndFlowExecution"`}},
		{"Default outbound", []string{`"This call is not being recorded."`, `"EndFlowExecution"`}},
		{"Default queue transfer", []string{
			`"CheckHoursOfOperation","Parameters":{}`,
			`{"NextAction":"check-staffing","Condition":{"Operator":"Equals","Operands":["True"]}}`,
			`{"NextAction":"say-closed","Condition":{"Operator":"Equals","Operands":["False"]}}`,
			`"MetricType":"NumberOfAgentsStaffed"`,
			`{"NextAction":"say-transferring","Condition":{"Operator":"NumberGreaterThan","Operands":["0"]}}`,
			`"Now transferring."`,
			`{"NextAction":"say-failed","ErrorType":"QueueAtCapacity"}`,
			`"We are currently out of hours. Goodbye."`,
			`"There are currently no agents staffed. Goodbye."`,
			`"Failed to transfer to queue. Goodbye."`,
			`"DisconnectParticipant"`,
		}},
	}
	for _, c := range cases {
		t.Run(c.flow, func(t *testing.T) {
			_, rest, found := strings.Cut(content(flowNamed(t, c.flow)), `"Actions":`)
			if !found {
				t.Fatal("no actions")
			}
			for _, want := range c.want {
				before, after, found := strings.Cut(rest, want)
				if !found {
					t.Fatalf("%s\nis not in\n%s", want, before)
				}
				rest = after
			}
		})
	}
}

// Two dice show their totals in these percentages of throws, rounded so that
// they add up to 100.
func TestABTestRollsTwoDice(t *testing.T) {
	d := parsed(t, flowNamed(t, "Sample AB test"))
	i := slices.IndexFunc(d.Actions, func(a *flow.Action) bool { return a.Type == "DistributeByPercentage" })
	if i < 0 {
		t.Fatal("no distribution")
	}
	var thresholds []string
	for _, c := range d.Actions[i].Transitions.Conditions {
		thresholds = append(thresholds, c.Operand)
	}
	want := []string{"4", "10", "18", "29", "43", "59", "73", "84", "92", "98"}
	if !slices.Equal(thresholds, want) {
		t.Errorf("thresholds %v, want %v", thresholds, want)
	}
}

// A caller who enters nothing is not an error when input is stored: the flow
// goes on with the value "Timeout" (administrator guide, "Store customer
// input"). No flow may take that for digits.
func TestStoredDigitsAreNotATimeout(t *testing.T) {
	stored := 0
	for _, f := range Flows() {
		d := parsed(t, f)
		for _, a := range d.Actions {
			if a.Type != "GetParticipantInput" || a.Parameters.Get("StoreInput").String() != "True" {
				continue
			}
			stored++
			next := d.Action(a.Transitions.NextAction)
			conditions := next.Transitions.Conditions
			compared := next.Parameters.Get("ComparisonValue").String() == "$.StoredCustomerInput" && len(conditions) == 1 &&
				conditions[0].Operator == "Equals" && conditions[0].Operand == "Timeout"
			// Setting a callback number checks it in its own way.
			if !compared && next.Type != "UpdateContactCallbackNumber" {
				t.Errorf("%s: %s goes on to %s with whatever was stored", f.Name, a.Identifier, next.Identifier)
			}
		}
	}
	if stored == 0 {
		t.Error("no flow stores input")
	}
}

func TestFlowsNameOnlyStarterResources(t *testing.T) {
	types := map[string]string{}
	for _, f := range Flows() {
		types[f.Name] = f.Type
	}
	prompts := map[string]bool{}
	for _, p := range Prompts() {
		prompts[p.Name] = true
	}
	for _, f := range Flows() {
		f.Content(testRefs(func(kind, name string) {
			switch {
			case kind == "prompt" && !prompts[name]:
				t.Errorf("%s: no prompt %q", f.Name, name)
			case kind == "flow" && types[name] == "":
				t.Errorf("%s: no flow %q", f.Name, name)
			}
		}))
		// A hook runs a flow of its own type; a transfer and a task start an
		// inbound flow.
		for _, m := range regexp.MustCompile(`"(\w+)":"[^"]*/contact-flow/([^"]+)"`).FindAllStringSubmatch(content(f), -1) {
			want := "CONTACT_FLOW"
			if m[1] == "CustomerQueue" {
				want = "CUSTOMER_QUEUE"
			}
			if types[m[2]] != want {
				t.Errorf("%s: %s names %q of type %s, want %s", f.Name, m[1], m[2], types[m[2]], want)
			}
		}
	}
}

func TestEverySampleIsReachedFromTheFirstMenu(t *testing.T) {
	reached := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if reached[name] {
			return
		}
		reached[name] = true
		flowNamed(t, name).Content(testRefs(func(kind, name string) {
			if kind == "flow" {
				visit(name)
			}
		}))
	}
	visit("Sample inbound flow (first contact experience)")
	for _, f := range Flows() {
		if f.Type == "CONTACT_FLOW" && !reached[f.Name] {
			t.Errorf("%s is not reached", f.Name)
		}
	}
}

func TestContentKeepsAnyReferenceIntact(t *testing.T) {
	awkward := "a\"b\\c<d>&{{basicQueue}}$1\n"
	refs := Refs{
		Prompt:         func(string) string { return awkward },
		Flow:           func(string) string { return awkward },
		BasicQueue:     awkward,
		SampleFunction: awkward,
	}
	for _, name := range []string{"Default customer hold", "Sample queue customer", "Sample Lambda integration"} {
		var d struct {
			Actions []struct{ Parameters map[string]any }
		}
		if err := json.Unmarshal([]byte(flowNamed(t, name).Content(refs)), &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var all []string
		for _, a := range d.Actions {
			all = append(all, stringsIn(a.Parameters)...)
		}
		if !slices.Contains(all, awkward) {
			t.Errorf("%s: the reference is not there as it was given: %q", name, all)
		}
	}
}

func TestContentPanicsForAFlowOfNobody(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	content(Flow{Name: "Mine", Type: "CONTACT_FLOW"})
}

func TestMetadataPlacesEveryActionApart(t *testing.T) {
	for _, f := range Flows() {
		var d struct {
			Metadata struct {
				EntryPointPosition position                  `json:"entryPointPosition"`
				ActionMetadata     map[string]actionMetadata `json:"ActionMetadata"`
				Name               string                    `json:"name"`
				Type               string                    `json:"type"`
			}
			Actions []struct{ Identifier string }
		}
		if err := json.Unmarshal([]byte(content(f)), &d); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		taken := map[position]string{d.Metadata.EntryPointPosition: "the entry point"}
		for _, a := range d.Actions {
			m, ok := d.Metadata.ActionMetadata[a.Identifier]
			if !ok {
				t.Errorf("%s: %s has no position", f.Name, a.Identifier)
			}
			if other, ok := taken[m.Position]; ok {
				t.Errorf("%s: %s lies on %s", f.Name, a.Identifier, other)
			}
			taken[m.Position] = a.Identifier
		}
		if len(d.Metadata.ActionMetadata) != len(d.Actions) {
			t.Errorf("%s: %d positions for %d actions", f.Name, len(d.Metadata.ActionMetadata), len(d.Actions))
		}
		if d.Metadata.Name != f.Name || d.Metadata.Type == "" {
			t.Errorf("%s: metadata has name %q, type %q", f.Name, d.Metadata.Name, d.Metadata.Type)
		}
	}
}

func TestEveryDocumentBelongsToAFlow(t *testing.T) {
	files, err := fs.Glob(documents, "flows/*.json")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, f := range Flows() {
		want = append(want, "flows/"+fileName(f.Name))
	}
	slices.Sort(want)
	if !slices.Equal(files, want) {
		t.Errorf("files %v, want %v", files, want)
	}
}

func BenchmarkContentOfAllFlows(b *testing.B) {
	refs := testRefs(func(string, string) {})
	for b.Loop() {
		for _, f := range flows {
			f.Content(refs)
		}
	}
}

// stringsIn are all strings within a value of encoding/json.
func stringsIn(value any) []string {
	var all []string
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		for _, item := range v {
			all = append(all, stringsIn(item)...)
		}
	case map[string]any:
		for _, item := range v {
			all = append(all, stringsIn(item)...)
		}
	}
	return all
}
