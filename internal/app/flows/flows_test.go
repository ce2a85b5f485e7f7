package flows_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

// endsWith is a content of one action; what the note says makes it another
// one.
func endsWith(action, note string) string {
	return fmt.Sprintf(`{"Version":"2019-10-30","StartAction":"end","Metadata":{"note":%q},"Actions":[{"Identifier":"end","Type":%q,"Parameters":{},"Transitions":{}}]}`, note, action)
}

func content(note string) string { return endsWith("DisconnectParticipant", note) }

func sha256Of(content string) string { return (&domain.FlowContent{Content: content}).SHA256() }

// newFlow makes a flow, published unless status says otherwise.
func newFlow(t testing.TB, s *servertest.Server, instance, name, content string, change ...func(*connect.CreateContactFlowInput)) *connect.CreateContactFlowOutput {
	t.Helper()
	in := &connect.CreateContactFlowInput{InstanceId: &instance, Name: &name, Type: types.ContactFlowTypeContactFlow, Content: &content}
	for _, f := range change {
		f(in)
	}
	out, err := s.Connect.CreateContactFlow(t.Context(), in)
	ok(t, err)
	return out
}

func savedOnly(in *connect.CreateContactFlowInput) { in.Status = types.ContactFlowStatusSaved }

func campaign(in *connect.CreateContactFlowInput) { in.Type = types.ContactFlowTypeCampaign }

func writeFlow(t testing.TB, s *servertest.Server, instance, id, content string) error {
	t.Helper()
	_, err := s.Connect.UpdateContactFlowContent(t.Context(), &connect.UpdateContactFlowContentInput{InstanceId: &instance, ContactFlowId: &id, Content: &content})
	return err
}

func describeFlow(t testing.TB, s *servertest.Server, instance, id string) (*types.ContactFlow, error) {
	t.Helper()
	out, err := s.Connect.DescribeContactFlow(t.Context(), &connect.DescribeContactFlowInput{InstanceId: &instance, ContactFlowId: &id})
	if err != nil {
		return nil, err
	}
	return out.ContactFlow, nil
}

// contentsOf counts the contents that the server keeps for an instance. No
// operation shows those that nothing refers to.
func contentsOf(t testing.TB, s *servertest.Server, instance string) int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.Data, "ringdown.db")+"?mode=ro")
	ok(t, err)
	defer func() { ok(t, db.Close()) }()
	var n int
	ok(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM resource c JOIN resource i ON i.pk = c.instance WHERE i.id = ? AND c.kind = ?`,
		instance, domain.KindFlowContent).Scan(&n))
	return n
}

var ok, fails, same, instanceARN = servertest.OK, servertest.Fails, servertest.Same, servertest.InstanceARN

// operations call each operation of the package on an instance and, where it
// takes one, on a resource.
var operations = map[string]struct {
	takesResource bool
	call          func(ctx context.Context, c *connect.Client, instance, resource string) error
}{
	"ListContactFlows": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.ListContactFlows(ctx, &connect.ListContactFlowsInput{InstanceId: &i})
		return err
	}},
	"DescribeContactFlow": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DescribeContactFlow(ctx, &connect.DescribeContactFlowInput{InstanceId: &i, ContactFlowId: &r})
		return err
	}},
}

func TestInstanceAndResource(t *testing.T) {
	s := servertest.Boot(t)
	instance, other := s.NewInstance(t), s.NewInstance(t)
	flow := *contactFlows(t, s.Connect, instance)[0].Id
	prompt := *prompts(t, s.Connect, instance)[0].Id
	elsewhere := s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey, func(o *connect.Options) { o.Region = "eu-west-2" })
	for name, o := range operations {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			resource, wrongKind := flow, prompt
			arn := instanceARN(instance) + "/contact-flow/" + resource
			fails(t, o.call(ctx, s.Connect, instance, resource), "")
			fails(t, o.call(ctx, s.Connect, "not-an-id", resource), fault.InvalidParameter)
			fails(t, o.call(ctx, s.Connect, domain.NewID(), resource), fault.ResourceNotFound)
			fails(t, o.call(ctx, elsewhere, instance, resource), fault.ResourceNotFound)
			if !o.takesResource {
				return
			}
			fails(t, o.call(ctx, s.Connect, instance, arn), "")
			fails(t, o.call(ctx, s.Connect, other, resource), fault.ResourceNotFound)
			fails(t, o.call(ctx, s.Connect, other, arn), fault.ResourceNotFound)
			fails(t, o.call(ctx, s.Connect, instance, wrongKind), fault.ResourceNotFound)
			fails(t, o.call(ctx, s.Connect, instance, instanceARN(instance)+"/prompt/"+resource), fault.ResourceNotFound)
			fails(t, o.call(ctx, s.Connect, instance, domain.NewID()), fault.ResourceNotFound)
			fails(t, o.call(ctx, s.Connect, instance, strings.Replace(arn, servertest.Region, "eu-west-2", 1)), fault.ResourceNotFound)
			fails(t, o.call(ctx, s.Connect, instance, "arn:aws:connect:nowhere"), fault.InvalidParameter)
		})
	}
}

func contactFlows(t testing.TB, c *connect.Client, instance string, kinds ...types.ContactFlowType) []types.ContactFlowSummary {
	t.Helper()
	out, err := c.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &instance, ContactFlowTypes: kinds})
	ok(t, err)
	return out.ContactFlowSummaryList
}

func prompts(t testing.TB, c *connect.Client, instance string) []types.PromptSummary {
	t.Helper()
	out, err := c.ListPrompts(t.Context(), &connect.ListPromptsInput{InstanceId: &instance, MaxResults: aws.Int32(1000)})
	ok(t, err)
	return out.PromptSummaryList
}
