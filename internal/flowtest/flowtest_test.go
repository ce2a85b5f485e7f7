package flowtest_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
	"ringdown/internal/flowtest"
)

// document parses a flow that has no problems.
func document(t testing.TB, content string) *flow.Document {
	t.Helper()
	doc, problems := flow.Parse(content)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return doc
}

// saying is a flow that says something and ends.
func saying(text string) string {
	return fmt.Sprintf(`{"Version":"2019-10-30","StartAction":"say","Actions":[
		{"Identifier":"say","Type":"MessageParticipant","Parameters":{"Text":%q},"Transitions":{"NextAction":"end","Errors":[{"ErrorType":"NoMatchingError","NextAction":"end"}]}},
		{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`, text)
}

// run runs a test whose only observation is of an event.
func run(t testing.TB, ctx context.Context, content, event string, change ...func(*flowtest.Bundle)) *flowtest.Result { //nolint:revive // t comes first
	t.Helper()
	test, problems := flowtest.Parse(`{"Version":"2025-06-21","Observations":[{"Identifier":"it","Event":` + event + `}]}`)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	world := &flowtest.Bundle{Flows: map[string]*flowtest.Source{"flow": {Name: "flow", Type: "CONTACT_FLOW", Document: document(t, content)}}}
	for _, c := range change {
		c(world)
	}
	return flowtest.Run(ctx, flowtest.Spec{Test: test, Flow: world.Ref("flow"), Channel: types.ChannelVoice, Start: time.Unix(0, 0)}, world)
}

func message(text, criteria string) string {
	if criteria == "" {
		return fmt.Sprintf(`{"Type":"MessageReceived","Actor":"System","Properties":{"Text":%q}}`, text)
	}
	return fmt.Sprintf(`{"Type":"MessageReceived","Actor":"System","Properties":{"Text":%q,"MatchingCriteria":%q}}`, text, criteria)
}

func TestMatchingCriteria(t *testing.T) {
	const said = "Press 1 to be connected to an agent, or press 2 to leave a message."
	for _, c := range []struct {
		criteria, text string
		matches        bool
	}{
		{"", said, true},
		{"", "  Press 1 to be connected to an agent,\n or press 2 to leave a message. ", true},
		{"", strings.ToUpper(said), false},
		{"", "Press 1", false},
		{"Inclusion", "PRESS 2 to leave", true},
		{"Inclusion", "press 3", false},
		{"Similarity", "press one to be connected to an agent or press two to leave a message", true},
		{"Similarity", "Press 1 to be connected to an agent", true},
		{"Similarity", "To leave a message press 2", true},
		{"Similarity", "We are closed today.", false},
		{"Similarity", "!?", false},
	} {
		r := run(t, t.Context(), saying(said), message(c.text, c.criteria))
		if got := r.Status == flowtest.Passed; got != c.matches {
			t.Errorf("%s %q: matches is %t: %s", c.criteria, c.text, got, r.Reason)
		}
	}
}

// TestCycle cuts a flow that never waits, which is no success of whatever was
// expected.
func TestCycle(t *testing.T) {
	const cycle = `{"Version":"2019-10-30","StartAction":"a","Actions":[{"Identifier":"a","Type":"UpdateContactAttributes",
		"Parameters":{"Attributes":{"k":"v"},"TargetContact":"Current"},"Transitions":{"NextAction":"a","Errors":[{"ErrorType":"NoMatchingError","NextAction":"a"}]}}]}`
	r := run(t, t.Context(), cycle, `{"Type":"TestInitiated","Actor":"System"}`)
	if r.Status != flowtest.Failed || !strings.Contains(r.Reason, "10000 actions") {
		t.Errorf("%s: %s", r.Status, r.Reason)
	}
}

func TestContext(t *testing.T) {
	const calling = `{"Version":"2019-10-30","StartAction":"a","Actions":[{"Identifier":"a","Type":"InvokeLambdaFunction",
		"Parameters":{"LambdaFunctionARN":"f","InvocationTimeLimitSeconds":"8"},"Transitions":{"NextAction":"a","Errors":[{"ErrorType":"NoMatchingError","NextAction":"a"}]}}]}`
	never := message("never", "")
	ctx, cancel := context.WithCancel(t.Context())
	r := run(t, ctx, calling, never, func(b *flowtest.Bundle) {
		b.Lambda = func(context.Context, machine.LambdaRequest) ([]byte, string, error) { cancel(); return nil, "", nil }
	})
	if r.Status != flowtest.Stopped || r.Observations[0].Status != flowtest.Stopped {
		t.Errorf("stopped: %s: %s", r.Status, r.Reason)
	}
	late, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if r := run(t, late, calling, never); r.Status != flowtest.Failed || !strings.Contains(r.Reason, "took too long") {
		t.Errorf("too long: %s: %s", r.Status, r.Reason)
	}
}

// TestQueueMetrics runs a flow that looks at a queue.
func TestQueueMetrics(t *testing.T) {
	check := func(metric, operator, operand string) string {
		return fmt.Sprintf(`{"Version":"2019-10-30","StartAction":"check","Actions":[
			{"Identifier":"check","Type":"CheckMetricData","Parameters":{"MetricType":%q,"QueueId":"sales"},"Transitions":{"NextAction":"no",
			 "Errors":[{"ErrorType":"NoMatchingError","NextAction":"no"},{"ErrorType":"NoMatchingCondition","NextAction":"no"}],
			 "Conditions":[{"NextAction":"read","Condition":{"Operator":%q,"Operands":[%q]}}]}},
			{"Identifier":"read","Type":"GetMetricData","Parameters":{"QueueId":"sales"},"Transitions":{"NextAction":"say","Errors":[{"ErrorType":"NoMatchingError","NextAction":"no"}]}},
			{"Identifier":"say","Type":"MessageParticipant","Parameters":{"Text":"$.Metrics.Queue.Name $.Metrics.Queue.Size $.Metrics.Agents.Staffed.Count"},
			 "Transitions":{"NextAction":"no","Errors":[{"ErrorType":"NoMatchingError","NextAction":"no"}]}},
			{"Identifier":"no","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`, metric, operator, operand)
	}
	for _, metric := range [][3]string{
		{"NumberOfAgentsAvailable", "NumberGreaterThan", "0"}, {"NumberOfContactsInQueue", "Equals", "5"}, {"OldestContactInQueueAgeSeconds", "Equals", "90000"},
	} {
		r := run(t, t.Context(), check(metric[0], metric[1], metric[2]), message("Sales 5 2", ""), func(b *flowtest.Bundle) {
			b.Queues = map[string]flowtest.BundledQueue{"sales": {Name: "Sales", Agents: 2, Contacts: 5, Oldest: 90 * time.Second}}
		})
		if r.Status != flowtest.Passed {
			t.Errorf("%s: %s", metric[0], r.Reason)
		}
	}
}

// TestLoad reads files in all their forms and refuses what is wrong with them.
func TestLoad(t *testing.T) {
	test := `{"Version":"2025-06-21","Observations":[
		{"Identifier":"a","Event":{"Type":"TestInitiated","Actor":"System"}},

		{"Identifier":"b","Event":{"Type":"TestCompleted","Actor":"System"}}]}`
	files := fstest.MapFS{
		"flow.json": {Data: []byte(saying("Hi."))},
		"bad.json":  {Data: []byte(`{"Version":"2019-10-30","StartAction":"x","Actions":[]}`)},
		"test.json": {Data: []byte(test)},
		"all.yaml": {Data: []byte("name: n\nflow: flow.json\ntest: test.json\nchannel: Chat\nat: 2026-03-02T10:00:00+01:00\n" +
			"attributes: {a: b}\nqueues: {q: {name: Q, oldest: 90s}}\nhours: {h: closed}\nprompts: {p: {text: some words here}}\nmodules: {m: flow.json}\n")},
		"json.json":  {Data: []byte(`{"flow":` + saying("Hi.") + `,"test":` + test + `}`)},
		"wrong.yaml": {Data: []byte("flow: bad.json\nchannel: fax\nat: today\nprompts: {p: {file: flow.json}}\n")},
	}
	c, err := flowtest.Load("all.yaml", "", files.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(c.Lines) != "[2 4]" || c.TestFile != "test.json" || c.Name != "n" || c.Spec.Channel != "CHAT" || c.Spec.Customer != "" ||
		c.Spec.Start.Hour() != 9 || c.Spec.Attributes["a"] != "b" || c.World.Queues["q"].Oldest != 90*time.Second || c.World.Prompts["p"].Length != time.Second {
		t.Errorf("%+v", c)
	}
	if c, err := flowtest.Load("json.json", "", files.ReadFile); err != nil || fmt.Sprint(c.Lines) != "[4 6]" {
		t.Errorf("%+v %v", c, err)
	}
	_, err = flowtest.Load("wrong.yaml", "", files.ReadFile)
	for _, want := range []string{"bad.json:1:", "say voice or chat", "say a time", "flow.json: ", "wrong.yaml: test: say what is expected"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// FuzzRun runs whatever is a test on a flow with a menu: it always ends, with a
// verdict for each observation.
func FuzzRun(f *testing.F) {
	c, err := flowtest.Load("testdata/golden/passes.yaml", "", os.ReadFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"Version":"2025-06-21","Observations":[{"Identifier":"a","Event":{"Type":"MessageReceived","Actor":"System","Properties":{"Text":"Welcome to Example Corp."}},
		"Usage":{"Type":"ANY","Times":"3"},"Actions":[{"Identifier":"x","Type":"SendInstruction","Parameters":{"Actor":"Customer","Instruction":{"Type":"DtmfInput","Properties":{"Value":"12#"}}}}],
		"Transitions":{"NextObservations":["a"]}}]}`)
	f.Fuzz(func(t *testing.T, content string) {
		test, problems := flowtest.Parse(content)
		if len(problems) > 0 {
			return
		}
		spec := c.Spec
		spec.Test = test
		r := flowtest.Run(t.Context(), spec, c.World)
		if len(r.Observations) != len(test.Observations) || r.Status == flowtest.Passed && r.Reason != "" || r.Took > flowtest.Limit {
			t.Errorf("%+v", r)
		}
	})
}
