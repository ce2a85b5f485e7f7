package flows_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// storedFlow is a flow that no operation makes yet.
type storedFlow struct {
	name, published, saved string // contents; "" for none
}

// bootWith boots a server whose data folder holds an instance, whose id it
// returns too, with nothing but the given flows.
func bootWith(t testing.TB, flows ...storedFlow) (*servertest.Server, string) {
	t.Helper()
	var instance string
	s := servertest.Boot(t, func(cfg *server.Config) { instance = fill(t, cfg.Data, flows) })
	return s, instance
}

func fill(t testing.TB, folder string, flows []storedFlow) (instance string) {
	t.Helper()
	ctx := domain.WithCaller(context.Background(), &domain.Caller{Region: servertest.Region, Account: server.DefaultAccount})
	c := catalog.New(catalog.Options{Account: server.DefaultAccount})
	instances := catalog.Register(c, catalog.Kind[domain.Instance]{
		Of: domain.KindInstance, Name: func(e *domain.Instance) string { return e.Alias },
	})
	contactFlows := catalog.Register(c, catalog.Kind[domain.ContactFlow]{
		Of: domain.KindContactFlow, Name: func(e *domain.ContactFlow) string { return e.Name },
	})
	contents := catalog.Register(c, catalog.Kind[domain.FlowContent]{
		Of: domain.KindFlowContent, Name: func(*domain.FlowContent) string { return "" },
	})
	s, err := sqlstore.Open(ctx, sqlstore.Options{Dir: folder, Observer: c.Observe})
	ok(t, err)
	defer func() { ok(t, s.Close()) }()
	c.Use(s)
	made, err := instances.Create(ctx, c.RootScope(ctx), &domain.Instance{
		Region: servertest.Region, Alias: "filled", IdentityType: domain.SAML,
	}, nil)
	ok(t, err)
	sc, err := c.Scope(ctx, &made.ID)
	ok(t, err)
	ok(t, s.Update(ctx, func(tx store.Tx) error {
		insert := func(content string) (*domain.FlowRevision, error) {
			if content == "" {
				return nil, nil
			}
			e := &domain.FlowContent{Content: content}
			i, err := contents.Insert(ctx, tx, sc, e, nil)
			if err != nil {
				return nil, err
			}
			return &domain.FlowRevision{ContentID: domain.FlowContentID(i.ID), SHA256: e.SHA256()}, nil
		}
		for _, f := range flows {
			e := &domain.ContactFlow{Name: f.name, Type: types.ContactFlowTypeContactFlow, State: types.ContactFlowStateArchived}
			var err error
			if e.Published, err = insert(f.published); err != nil {
				return err
			}
			if e.Saved, err = insert(f.saved); err != nil {
				return err
			}
			if _, err := contactFlows.Insert(ctx, tx, sc, e, nil); err != nil {
				return err
			}
		}
		return nil
	}))
	return made.ID
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
