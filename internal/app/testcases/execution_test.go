package testcases_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// greeting is a flow that calls a function and says hello.
const greeting = `{"Version":"2019-10-30","StartAction":"ask","Metadata":{},"Actions":[
	{"Identifier":"ask","Type":"InvokeLambdaFunction","Parameters":{"LambdaFunctionARN":"greeter","InvocationTimeLimitSeconds":"8"},
	 "Transitions":{"NextAction":"say","Errors":[{"ErrorType":"NoMatchingError","NextAction":"say"}]}},
	{"Identifier":"say","Type":"MessageParticipant","Parameters":{"Text":"Hello $.Attributes.Name, $.External.word."},
	 "Transitions":{"NextAction":"end","Errors":[{"ErrorType":"NoMatchingError","NextAction":"end"}]}},
	{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`

// expecting is a test that wants a message.
func expecting(text string) *string {
	return aws.String(fmt.Sprintf(`{"Version":"2025-06-21","Metadata":{},"Observations":[
		{"Identifier":"begin","Event":{"Identifier":"a","Type":"TestInitiated","Actor":"System","Properties":{}},"Usage":{"Type":"EXACTLY"},
		 "Actions":[],"Transitions":{"NextObservations":["hello"]}},
		{"Identifier":"hello","Event":{"Identifier":"b","Type":"MessageReceived","Actor":"System","Properties":{"Text":%q}},"Usage":{"Type":"EXACTLY"},
		 "Actions":[],"Transitions":{"NextObservations":[]}}]}`, text))
}

// place is a server with a flow to be tested, and the function that it calls.
type place struct {
	*servertest.Server

	instance, flow string
}

// newPlace boots a server whose flow calls a function, which answers when
// release is closed.
func newPlace(t *testing.T, release <-chan struct{}, change ...func(*server.Config)) *place {
	t.Helper()
	function := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if release != nil {
			select {
			case <-release:
			case <-r.Context().Done():
			}
		}
		_, _ = w.Write([]byte(`{"word":"welcome"}`))
	}))
	t.Cleanup(function.Close)
	s := servertest.Boot(t, append(change, func(c *server.Config) { c.Lambda.Functions = map[string]string{"greeter": function.URL} })...)
	p := &place{Server: s, instance: s.NewInstance(t)}
	out, err := s.Connect.CreateContactFlow(t.Context(), &connect.CreateContactFlowInput{
		InstanceId: &p.instance, Name: aws.String("Greeting"), Type: types.ContactFlowTypeContactFlow, Content: aws.String(greeting),
	})
	ok(t, err)
	p.flow = *out.ContactFlowId
	return p
}

func (p *place) test(t *testing.T, name string, content *string) string {
	t.Helper()
	out, err := p.Connect.CreateTestCase(t.Context(), &connect.CreateTestCaseInput{
		InstanceId: &p.instance, Name: &name, Content: content, EntryPoint: voice(p.flow), InitializationData: aws.String(`{"Name":"Ann"}`),
	})
	ok(t, err)
	return *out.TestCaseId
}

func (p *place) start(t *testing.T, test string) string {
	t.Helper()
	out, err := p.Connect.StartTestCaseExecution(t.Context(), &connect.StartTestCaseExecutionInput{InstanceId: &p.instance, TestCaseId: &test})
	ok(t, err)
	same(t, "the status", out.Status, types.TestCaseExecutionStatusInitiated)
	same(t, "the test case", *out.TestCaseId, test)
	return *out.TestCaseExecutionId
}

func (p *place) summary(t *testing.T, test, id string) *connect.GetTestCaseExecutionSummaryOutput {
	t.Helper()
	out, err := p.Connect.GetTestCaseExecutionSummary(t.Context(), &connect.GetTestCaseExecutionSummaryInput{
		InstanceId: &p.instance, TestCaseId: &test, TestCaseExecutionId: &id,
	})
	ok(t, err)
	return out
}

// until asks until the execution has one of the statuses.
func (p *place) until(t *testing.T, test, id string, wanted ...types.TestCaseExecutionStatus) *connect.GetTestCaseExecutionSummaryOutput {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		out := p.summary(t, test, id)
		if slices.Contains(wanted, out.Status) {
			return out
		}
		if time.Now().After(end) {
			t.Fatalf("the execution is %s, want %v", out.Status, wanted)
		}
	}
}

const (
	passed     = types.TestCaseExecutionStatusPassed
	failed     = types.TestCaseExecutionStatusFailed
	stopped    = types.TestCaseExecutionStatusStopped
	inProgress = types.TestCaseExecutionStatusInProgress
)

func (p *place) records(t *testing.T, test, id string, status types.TestCaseExecutionStatus) []types.ExecutionRecord {
	t.Helper()
	return slices.Concat(servertest.Pages(t, func(token *string) ([]types.ExecutionRecord, *string, error) {
		out, err := p.Connect.ListTestCaseExecutionRecords(t.Context(), &connect.ListTestCaseExecutionRecordsInput{
			InstanceId: &p.instance, TestCaseId: &test, TestCaseExecutionId: &id, Status: status, MaxResults: aws.Int32(1), NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		return out.ExecutionRecords, out.NextToken, nil
	})...)
}

func TestExecutions(t *testing.T) {
	p := newPlace(t, nil)
	right, wrong := p.test(t, "right", expecting("Hello Ann, welcome.")), p.test(t, "wrong", expecting("Good morning."))
	before := time.Now().Add(-time.Second)
	first := p.start(t, right)
	done := p.until(t, right, first, passed, failed)
	same(t, "the verdict", done.Status, passed)
	same(t, "the observations", *done.ObservationSummary, types.ObservationSummary{
		TotalObservations: aws.Int32(2), ObservationsPassed: aws.Int32(2), ObservationsFailed: aws.Int32(0),
	})
	if done.StartTime.Before(before) || done.EndTime.Before(*done.StartTime) {
		t.Errorf("it ran from %v to %v", done.StartTime, done.EndTime)
	}
	second := p.start(t, wrong)
	done = p.until(t, wrong, second, passed, failed)
	same(t, "the verdict", done.Status, failed)
	same(t, "those that failed", *done.ObservationSummary.ObservationsFailed, 1)

	all := p.records(t, wrong, second, "")
	same(t, "the number of records", len(all), 3) // begin, hello, the test
	bad := p.records(t, wrong, second, failed)
	same(t, "the number of failures", len(bad), 2)
	var detail struct{ Message string }
	ok(t, json.Unmarshal([]byte(*bad[0].Record), &detail))
	if !strings.Contains(detail.Message, `"Good morning."`) || !strings.Contains(detail.Message, `"Hello Ann, welcome." at 0:`) || *bad[0].ObservationId != "hello" {
		t.Errorf("the record of %s is %s", *bad[0].ObservationId, detail.Message)
	}
	if bad[1].ObservationId != nil {
		t.Errorf("the record of the test is of %s", *bad[1].ObservationId)
	}

	list := func(in connect.ListTestCaseExecutionsInput) (ids []string) {
		for _, page := range servertest.Pages(t, func(token *string) ([]types.TestCaseExecution, *string, error) {
			in.InstanceId, in.MaxResults, in.NextToken = &p.instance, aws.Int32(1), token
			out, err := p.Connect.ListTestCaseExecutions(t.Context(), &in)
			if err != nil {
				return nil, nil, err
			}
			return out.TestCaseExecutions, out.NextToken, nil
		}) {
			for _, e := range page {
				ids = append(ids, *e.TestCaseExecutionId)
			}
		}
		return ids
	}
	later := done.StartTime.UnixMilli() + 1
	for name, c := range map[string]struct {
		in   connect.ListTestCaseExecutionsInput
		want []string
	}{
		"all":              {connect.ListTestCaseExecutionsInput{}, []string{second, first}},
		"status":           {connect.ListTestCaseExecutionsInput{Status: passed}, []string{first}},
		"test case":        {connect.ListTestCaseExecutionsInput{TestCaseId: &wrong}, []string{second}},
		"name":             {connect.ListTestCaseExecutionsInput{TestCaseName: aws.String("right")}, []string{first}},
		"no such name":     {connect.ListTestCaseExecutionsInput{TestCaseName: aws.String("rig")}, nil},
		"before":           {connect.ListTestCaseExecutionsInput{EndTime: aws.Int64(before.UnixMilli())}, nil},
		"from when it was": {connect.ListTestCaseExecutionsInput{StartTime: aws.Int64(done.StartTime.UnixMilli())}, []string{second}},
		"after":            {connect.ListTestCaseExecutionsInput{StartTime: &later}, nil},
		"several":          {connect.ListTestCaseExecutionsInput{Status: failed, TestCaseId: &right}, nil},
	} {
		same(t, name, list(c.in), c.want)
	}

	_, err := p.Connect.GetTestCaseExecutionSummary(t.Context(), &connect.GetTestCaseExecutionSummaryInput{InstanceId: &p.instance, TestCaseId: &right, TestCaseExecutionId: &second})
	fails(t, err, fault.ResourceNotFound)
	_, err = p.Connect.StopTestCaseExecution(t.Context(), &connect.StopTestCaseExecutionInput{InstanceId: &p.instance, TestCaseId: &right, TestCaseExecutionId: &first})
	ok(t, err)
	same(t, "the verdict of one that is stopped too late", p.summary(t, right, first).Status, passed)
	_, err = p.Connect.DeleteTestCase(t.Context(), &connect.DeleteTestCaseInput{InstanceId: &p.instance, TestCaseId: &right})
	ok(t, err)
	same(t, "what is left", list(connect.ListTestCaseExecutionsInput{}), []string{second})
}

func TestStartTestCaseExecution(t *testing.T) {
	p := newPlace(t, nil)
	ctx, c := t.Context(), p.Connect
	in := &connect.CreateTestCaseInput{InstanceId: &p.instance, Name: aws.String("saved"), Content: expecting("x"), EntryPoint: voice(p.flow), Status: saved}
	made, err := c.CreateTestCase(ctx, in)
	ok(t, err)
	_, err = c.StartTestCaseExecution(ctx, &connect.StartTestCaseExecutionInput{InstanceId: &p.instance, TestCaseId: made.TestCaseId})
	fails(t, err, fault.InvalidRequest, "not published")
	in.Name, in.Status, in.EntryPoint = aws.String("aimless"), "", nil
	made, err = c.CreateTestCase(ctx, in)
	ok(t, err)
	_, err = c.StartTestCaseExecution(ctx, &connect.StartTestCaseExecutionInput{InstanceId: &p.instance, TestCaseId: made.TestCaseId})
	fails(t, err, fault.InvalidRequest, "names no flow")

	id := p.test(t, "twice", expecting("Hello Ann, welcome."))
	again := &connect.StartTestCaseExecutionInput{InstanceId: &p.instance, TestCaseId: &id, ClientToken: aws.String("token")}
	first, err := c.StartTestCaseExecution(ctx, again)
	ok(t, err)
	second, err := c.StartTestCaseExecution(ctx, again)
	ok(t, err)
	same(t, "the execution", *second.TestCaseExecutionId, *first.TestCaseExecutionId)

	// The flow is gone when the test runs.
	gone := p.test(t, "gone", expecting("x"))
	_, err = c.DeleteContactFlow(ctx, &connect.DeleteContactFlowInput{InstanceId: &p.instance, ContactFlowId: &p.flow})
	ok(t, err)
	execution := p.start(t, gone)
	same(t, "the verdict", p.until(t, gone, execution, passed, failed).Status, failed)
	records := p.records(t, gone, execution, "")
	if len(records) != 1 || !strings.Contains(*records[0].Record, "is not there") {
		t.Errorf("the records are %v", records)
	}
}

// TestStopTestCaseExecution stops an execution that waits for a function.
func TestStopTestCaseExecution(t *testing.T) {
	release := make(chan struct{})
	p := newPlace(t, release)
	id := p.test(t, "held up", expecting("Hello Ann, welcome."))
	running := p.start(t, id)
	p.until(t, id, running, inProgress)
	stop := &connect.StopTestCaseExecutionInput{InstanceId: &p.instance, TestCaseId: &id, TestCaseExecutionId: &running, ClientToken: aws.String("one")}
	for range 2 {
		_, err := p.Connect.StopTestCaseExecution(t.Context(), stop)
		ok(t, err)
	}
	same(t, "the status", p.summary(t, id, running).Status, stopped)
	close(release)
	for end := time.Now().Add(10 * time.Second); len(p.records(t, id, running, stopped)) == 0; {
		if time.Now().After(end) {
			t.Fatal("there are no records of what was done")
		}
	}
	same(t, "the status", p.summary(t, id, running).Status, stopped)
}

// TestExecutionsAfterRestart: what waited is run, what ran has failed.
func TestExecutionsAfterRestart(t *testing.T) {
	release := make(chan struct{})
	data := t.TempDir()
	p := newPlace(t, release, func(c *server.Config) { c.Data = data })
	id := p.test(t, "held up", expecting("Hello Ann, welcome."))
	// More than are run at a time, so that the last wait.
	var ids []string
	for range 80 {
		ids = append(ids, p.start(t, id))
	}
	p.until(t, id, ids[0], inProgress)
	ok(t, p.Close())
	close(release)
	before := p.instance
	p = newPlace(t, nil, func(c *server.Config) { c.Data = data })
	p.instance = before
	same(t, "the first", p.until(t, id, ids[0], passed, failed).Status, failed)
	if r := p.records(t, id, ids[0], failed); len(r) != 1 || !strings.Contains(*r[0].Record, "restarted") {
		t.Errorf("the records are %v", r)
	}
	last := p.until(t, id, ids[len(ids)-1], passed, failed)
	same(t, "the last", last.Status, passed)
}

func TestExecutionQuota(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	p := newPlace(t, release, func(c *server.Config) { c.Quotas = true })
	id := p.test(t, "held up", expecting("Hello Ann, welcome."))
	for range 100 {
		p.start(t, id)
	}
	_, err := p.Connect.StartTestCaseExecution(t.Context(), &connect.StartTestCaseExecutionInput{InstanceId: &p.instance, TestCaseId: &id})
	fails(t, err, fault.ServiceQuotaExceeded, "100")
}

// TestInstanceGoesWithItsExecutions deletes an instance while its tests run.
func TestInstanceGoesWithItsExecutions(t *testing.T) {
	release := make(chan struct{})
	p := newPlace(t, release)
	id := p.test(t, "held up", expecting("Hello Ann, welcome."))
	p.until(t, id, p.start(t, id), inProgress)
	_, err := p.Connect.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &p.instance})
	ok(t, err)
	close(release)
	ok(t, p.Close()) // waits for the test, whose verdict has no place any more
}
