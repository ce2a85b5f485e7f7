package flows_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
	"ringdown/internal/starter"
)

func TestCreateContactFlow(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	out := newFlow(t, s, instance, "one", content("1"))
	same(t, "answer", out.ContactFlowArn, instanceARN(instance)+"/contact-flow/"+*out.ContactFlowId)
	same(t, "checksum", out.FlowContentSha256, sha256Of(content("1")))
	if draft := newFlow(t, s, instance, "two", "anything", savedOnly); draft.FlowContentSha256 != nil {
		t.Errorf("a flow without published content has the checksum %s", *draft.FlowContentSha256)
	}
	explicit := newFlow(t, s, instance, "three", content("3"), func(in *connect.CreateContactFlowInput) { in.Status = types.ContactFlowStatusPublished })
	same(t, "checksum", explicit.FlowContentSha256, sha256Of(content("3")))

	for name, c := range map[string]struct {
		change func(*connect.CreateContactFlowInput)
		code   fault.Code
		words  []string
	}{
		"name taken":       {func(in *connect.CreateContactFlowInput) { in.Name = aws.String("one") }, fault.DuplicateResource, []string{"one"}},
		"name of a draft":  {func(in *connect.CreateContactFlowInput) { in.Name = aws.String("two") }, fault.DuplicateResource, nil},
		"name of default":  {func(in *connect.CreateContactFlowInput) { in.Name = aws.String("Default agent hold") }, fault.DuplicateResource, nil},
		"long name":        {func(in *connect.CreateContactFlowInput) { in.Name = aws.String(strings.Repeat("ä", 128)) }, fault.InvalidParameter, []string{"Name", "127", "128"}},
		"long description": {func(in *connect.CreateContactFlowInput) { in.Description = aws.String(strings.Repeat("x", 501)) }, fault.InvalidParameter, []string{"Description", "500"}},
		"no content":       {func(in *connect.CreateContactFlowInput) { in.Content = aws.String("") }, fault.InvalidParameter, []string{"Content"}},
		"no saved content": {func(in *connect.CreateContactFlowInput) { in.Content = aws.String(""); savedOnly(in) }, fault.InvalidParameter, []string{"Content"}},
		"long content": {func(in *connect.CreateContactFlowInput) {
			in.Content = aws.String(content(strings.Repeat("x", 256_000)))
		}, fault.InvalidParameter, []string{"256000"}},
		"not JSON": {func(in *connect.CreateContactFlowInput) { in.Content = aws.String("{") }, fault.InvalidContactFlow, nil},
	} {
		t.Run(name, func(t *testing.T) {
			in := &connect.CreateContactFlowInput{InstanceId: &instance, Name: aws.String("new"), Type: types.ContactFlowTypeContactFlow, Content: aws.String(content(""))}
			c.change(in)
			_, err := s.Connect.CreateContactFlow(t.Context(), in)
			fails(t, err, c.code, c.words...)
		})
	}
	if n, want := contentsOf(t, s, instance), len(starter.Flows())+3; n != want {
		t.Errorf("%d contents are kept, want %d", n, want)
	}
}

// logs gathers the records of a server.
type logs struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

// refusals are the records of contents that were refused.
func (l *logs) refusals(t *testing.T) (found []refusal) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.all.String()) {
		var r refusal
		ok(t, json.Unmarshal([]byte(line), &r))
		if r.Message == "flow content refused" {
			found = append(found, r)
		}
	}
	return found
}

type refusal struct {
	Message                 string `json:"msg"`
	Request, Instance, Type string
	Count                   int
	Problems                []struct {
		Message, Rule, Path, Action string
		Line, Column                int
	}
}

// What is wrong with a content is told in a list without a message, and to the
// log with its place.
func TestInvalidContent(t *testing.T) {
	var l logs
	s := servertest.Boot(t, func(c *server.Config) { c.Logger = slog.New(slog.NewJSONHandler(&l, nil)) })
	instance := s.NewInstance(t)
	gone := domain.NewID()
	broken := fmt.Sprintf(`{"Version":"2019-10-30","StartAction":"wait","Actions":[
{"Identifier":"wait","Type":"NoSuchAction","Parameters":{},"Transitions":{}},
{"Identifier":"play","Type":"MessageParticipant","Parameters":{"PromptId":%q},"Transitions":{"NextAction":"end"}},
{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`, gone)
	id := *newFlow(t, s, instance, "a flow", content("")).ContactFlowId
	module := newModule(t, s, instance, "a module", moduleContent(""))
	many := strings.Repeat(`{"Identifier":"`+strings.Repeat("x", 300)+`","Type":"NoSuchAction"},`, 60)

	asked := 0
	for name, call := range map[string]func(ctx context.Context) error{
		"CreateContactFlow": func(ctx context.Context) error {
			_, err := s.Connect.CreateContactFlow(ctx, &connect.CreateContactFlowInput{InstanceId: &instance, Name: aws.String("new"), Type: types.ContactFlowTypeContactFlow, Content: &broken})
			return err
		},
		"UpdateContactFlowContent": func(ctx context.Context) error { return writeFlow(t, s, instance, id, broken) },
		"CreateContactFlowModule": func(ctx context.Context) error {
			_, err := s.Connect.CreateContactFlowModule(ctx, &connect.CreateContactFlowModuleInput{InstanceId: &instance, Name: aws.String("new"), Content: &broken})
			return err
		},
		"UpdateContactFlowModuleContent": func(ctx context.Context) error { return writeModule(t, s, instance, module, broken, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			err := call(t.Context())
			var problems []types.ProblemDetail
			var ofFlow *types.InvalidContactFlowException
			var ofModule *types.InvalidContactFlowModuleException
			want := "CONTACT_FLOW"
			switch {
			case errors.As(err, &ofFlow):
				problems = ofFlow.Problems
			case errors.As(err, &ofModule):
				problems, want = ofModule.Problems, "MODULE"
			default:
				t.Fatalf("got %v", err)
			}
			if strings.Contains(name, "Module") != (ofModule != nil) {
				t.Errorf("got %T", err)
			}
			asked++
			all := l.refusals(t)
			if len(all) != asked {
				t.Fatalf("%d records are in the log, want %d", len(all), asked)
			}
			r := all[asked-1]
			if r.Type != want || r.Instance != instance || r.Request == "" || r.Count != len(problems) || len(r.Problems) != len(problems) {
				t.Errorf("the log has %+v, the answer %d problems", r, len(problems))
			}
			lines := map[int]bool{}
			for i, p := range r.Problems {
				if *problems[i].Message != p.Message {
					t.Errorf("the answer has %q where the log has %q", *problems[i].Message, p.Message)
				}
				if p.Rule == "" || p.Line < 1 || p.Column < 1 || i > 0 && p.Line < r.Problems[i-1].Line {
					t.Errorf("%+v is out of order or nowhere", p)
				}
				lines[p.Line] = true
			}
			if !lines[2] || !lines[3] {
				t.Errorf("an unknown action and a prompt that is not there are not both among %+v", r.Problems)
			}
		})
	}

	err := writeFlow(t, s, instance, id, `{"Version":"2019-10-30","StartAction":"x","Actions":[`+strings.TrimSuffix(many, ",")+`]}`)
	var refused *types.InvalidContactFlowException
	if !errors.As(err, &refused) || len(refused.Problems) != 50 {
		t.Fatalf("got %v, want 50 problems", err)
	}
	for _, p := range refused.Problems {
		if n := len([]rune(*p.Message)); n < 1 || n > 256 {
			t.Errorf("a problem has %d characters: %s", n, *p.Message)
		}
	}
	f, err := describeFlow(t, s, instance, id)
	ok(t, err)
	same(t, "content after all", f.Content, content(""))
}

// What a published content names must be there: in this instance, of the right
// kind, and with its version or alias. It may go afterwards.
func TestReferencesOfContent(t *testing.T) {
	s := servertest.Boot(t)
	instance, other := s.NewInstance(t), s.NewInstance(t)
	arn, elsewhere := instanceARN(instance), instanceARN(other)
	flow := *newFlow(t, s, instance, "target", content("")).ContactFlowId
	module := newModule(t, s, instance, "module", moduleContent(""))
	_, err := s.Connect.CreateContactFlowModuleVersion(t.Context(), &connect.CreateContactFlowModuleVersionInput{InstanceId: &instance, ContactFlowModuleId: &module})
	ok(t, err)
	alias, err := s.Connect.CreateContactFlowModuleAlias(t.Context(), &connect.CreateContactFlowModuleAliasInput{
		InstanceId: &instance, ContactFlowModuleId: &module, AliasName: aws.String("live"), ContactFlowModuleVersion: aws.Int64(1),
	})
	ok(t, err)
	prompt, prompt2 := *prompts(t, s.Connect, instance)[0].Id, *prompts(t, s.Connect, other)[0].Id
	const failed = `"Errors":[{"ErrorType":"NoMatchingError","NextAction":"end"}]`
	action := func(kind, parameter, id string) string {
		errors := failed
		if kind == "MessageParticipant" {
			errors = `"Errors":[]`
		}
		return fmt.Sprintf(`{"Version":"2019-10-30","StartAction":"go","Actions":[
{"Identifier":"go","Type":%q,"Parameters":{%q:%q},"Transitions":{"NextAction":"end",%s}},
{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`, kind, parameter, id, errors)
	}
	for _, c := range []struct {
		kind, parameter, id string
		refused             bool
	}{
		{"MessageParticipant", "PromptId", prompt, false},
		{"MessageParticipant", "PromptId", arn + "/prompt/" + prompt, false},
		{"MessageParticipant", "PromptId", "$.Attributes.prompt", false},
		{"MessageParticipant", "PromptId", prompt2, true},
		{"MessageParticipant", "PromptId", elsewhere + "/prompt/" + prompt2, true},
		{"MessageParticipant", "PromptId", arn + "/queue/" + prompt, true},
		{"MessageParticipant", "PromptId", flow, true},
		{"MessageParticipant", "PromptId", "arn:aws:s3:::bucket", true},
		{"TransferToFlow", "ContactFlowId", flow, false},
		{"TransferToFlow", "ContactFlowId", arn + "/contact-flow/" + flow, false},
		{"TransferToFlow", "ContactFlowId", flow + ":$LATEST", false},
		{"TransferToFlow", "ContactFlowId", module, true},
		{"InvokeFlowModule", "FlowModuleId", module, false},
		{"InvokeFlowModule", "FlowModuleId", arn + "/flow-module/" + module + ":$LATEST", false},
		{"InvokeFlowModule", "FlowModuleId", module + ":1", false},
		{"InvokeFlowModule", "FlowModuleId", arn + "/flow-module/" + module + ":1", false},
		{"InvokeFlowModule", "FlowModuleId", module + ":2", true},
		{"InvokeFlowModule", "FlowModuleId", module + ":live", false},
		{"InvokeFlowModule", "FlowModuleId", arn + "/flow-module/" + module + ":" + *alias.Id, false},
		{"InvokeFlowModule", "FlowModuleId", module + ":dead", true},
		{"InvokeFlowModule", "FlowModuleId", flow, true},
		{"InvokeLambdaFunction", "LambdaFunctionARN", "arn:aws:lambda:us-east-1:123456789012:function:none", false},
	} {
		t.Run(c.kind+" "+strings.ReplaceAll(c.id, "/", " "), func(t *testing.T) {
			document := action(c.kind, c.parameter, c.id)
			if c.kind == "InvokeLambdaFunction" {
				document = strings.Replace(document, `"Parameters":{"Lambda`, `"Parameters":{"InvocationTimeLimitSeconds":"8","Lambda`, 1)
			}
			code := fault.Code("")
			if c.refused {
				code = fault.InvalidContactFlow
			}
			fails(t, writeFlow(t, s, instance, flow, document), code)
			fails(t, writeFlow(t, s, instance, flow+":$SAVED", document), "")
		})
	}

	ok(t, writeFlow(t, s, instance, flow, action("InvokeFlowModule", "FlowModuleId", module+":live")))
	_, err = s.Connect.DeleteContactFlowModule(t.Context(), &connect.DeleteContactFlowModuleInput{InstanceId: &instance, ContactFlowModuleId: &module})
	ok(t, err)
}

func TestUpdateContactFlow(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	id := *newFlow(t, s, instance, "one", content("")).ContactFlowId
	newFlow(t, s, instance, "two", content(""))
	metadata := func(in connect.UpdateContactFlowMetadataInput) error {
		in.InstanceId = &instance
		if in.ContactFlowId == nil {
			in.ContactFlowId = &id
		}
		_, err := s.Connect.UpdateContactFlowMetadata(t.Context(), &in)
		return err
	}
	rename := func(name, description *string) error {
		_, err := s.Connect.UpdateContactFlowName(t.Context(), &connect.UpdateContactFlowNameInput{InstanceId: &instance, ContactFlowId: &id, Name: name, Description: description})
		return err
	}
	state := func(name, description any, state types.ContactFlowState) {
		t.Helper()
		f, err := describeFlow(t, s, instance, id)
		ok(t, err)
		same(t, "flow", []any{f.Name, f.Description, f.State, f.Content}, []any{name, description, state, content("")})
	}
	ok(t, rename(aws.String("uno"), nil))
	state("uno", nil, types.ContactFlowStateActive)
	ok(t, rename(nil, aws.String("first")))
	state("uno", "first", types.ContactFlowStateActive)
	ok(t, metadata(connect.UpdateContactFlowMetadataInput{ContactFlowState: types.ContactFlowStateArchived}))
	state("uno", "first", types.ContactFlowStateArchived)
	ok(t, metadata(connect.UpdateContactFlowMetadataInput{Name: aws.String("one"), Description: aws.String(""), ContactFlowState: types.ContactFlowStateActive}))
	state("one", nil, types.ContactFlowStateActive)

	fails(t, rename(aws.String("two"), nil), fault.DuplicateResource, "two")
	fails(t, metadata(connect.UpdateContactFlowMetadataInput{Name: aws.String("two")}), fault.DuplicateResource, "two")
	fails(t, rename(aws.String(strings.Repeat("x", 128)), nil), fault.InvalidParameter, "Name")
	fails(t, metadata(connect.UpdateContactFlowMetadataInput{ContactFlowId: aws.String(id + ":$SAVED"), Name: aws.String("x")}), fault.InvalidParameter, "$SAVED")
	fails(t, writeFlow(t, s, instance, id+":1", content("")), fault.InvalidParameter, ":1")
	fails(t, writeFlow(t, s, instance, domain.NewID(), content("")), fault.ResourceNotFound)
	// The type of a flow decides which actions it may have.
	whisper := *newFlow(t, s, instance, "whisper", endsWith("EndFlowExecution", ""), func(in *connect.CreateContactFlowInput) {
		in.Type = types.ContactFlowTypeCustomerWhisper
	}).ContactFlowId
	fails(t, writeFlow(t, s, instance, whisper, content("")), fault.InvalidContactFlow)
	state("one", nil, types.ContactFlowStateActive)
}

func TestDeleteContactFlow(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	remove := func(id string) error {
		_, err := s.Connect.DeleteContactFlow(t.Context(), &connect.DeleteContactFlowInput{InstanceId: &instance, ContactFlowId: &id})
		return err
	}
	byName := map[string]string{}
	for _, f := range contactFlows(t, s.Connect, instance) {
		byName[*f.Name] = *f.Id
	}
	fails(t, remove(byName["Default customer queue"]), fault.AccessDenied, "Default customer queue")
	ok(t, remove(byName["Sample queue customer"])) // though other samples name it
	before := contentsOf(t, s, instance)

	id := *newFlow(t, s, instance, "mine", content("1"), campaign).ContactFlowId
	ok(t, writeFlow(t, s, instance, id+":$SAVED", "draft"))
	for n := range 3 {
		_, err := s.Connect.CreateContactFlowVersion(t.Context(), &connect.CreateContactFlowVersionInput{InstanceId: &instance, ContactFlowId: &id})
		ok(t, err)
		if n == 1 {
			ok(t, writeFlow(t, s, instance, id, content("2")))
		}
	}
	if n := contentsOf(t, s, instance); n != before+2 { // the second one is published and a version, the first one two versions
		t.Errorf("%d contents are kept, want %d", n, before+2)
	}
	fails(t, remove(id+":1"), fault.InvalidParameter, ":1")
	fails(t, remove(instanceARN(instance)+"/contact-flow/"+id+":1"), fault.InvalidParameter, ":1")
	ok(t, remove(id))
	fails(t, remove(id), fault.ResourceNotFound)
	_, err := describeFlow(t, s, instance, id+":1")
	fails(t, err, fault.ResourceNotFound)
	if n := contentsOf(t, s, instance); n != before {
		t.Errorf("%d contents are kept, want %d", n, before)
	}

	// A queue that plays it keeps it.
	whisper := *newFlow(t, s, instance, "whisper", endsWith("EndFlowExecution", ""), func(in *connect.CreateContactFlowInput) {
		in.Type = types.ContactFlowTypeOutboundWhisper
	}).ContactFlowId
	queues, err := s.Connect.ListQueues(t.Context(), &connect.ListQueuesInput{InstanceId: &instance, QueueTypes: []types.QueueType{types.QueueTypeStandard}})
	ok(t, err)
	caller := func(flow *string) {
		t.Helper()
		_, err := s.Connect.UpdateQueueOutboundCallerConfig(t.Context(), &connect.UpdateQueueOutboundCallerConfigInput{
			InstanceId: &instance, QueueId: queues.QueueSummaryList[0].Id, OutboundCallerConfig: &types.OutboundCallerConfig{OutboundFlowId: flow},
		})
		ok(t, err)
	}
	caller(&whisper)
	fails(t, remove(whisper), fault.InvalidRequest, "in use")
	caller(nil)
	ok(t, remove(whisper))
}

func TestContactFlowQuota(t *testing.T) {
	s := servertest.Boot(t, func(c *server.Config) { c.Quotas = true })
	instance := s.NewInstance(t)
	for n := len(starter.Flows()); n < 100; n++ {
		newFlow(t, s, instance, fmt.Sprint(n), "draft", savedOnly)
	}
	_, err := s.Connect.CreateContactFlow(t.Context(), &connect.CreateContactFlowInput{
		InstanceId: &instance, Name: aws.String("101"), Type: types.ContactFlowTypeContactFlow, Content: aws.String(content("")),
	})
	fails(t, err, fault.LimitExceeded, "100")
}
