package flows

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow"
	"ringdown/internal/search"
	"ringdown/internal/starter"
	"ringdown/internal/store"
)

// contactFlowQuota: admin guide, "Amazon Connect service quotas".
const contactFlowQuota = 100

var contactFlowKind = catalog.Kind[domain.ContactFlow]{
	Of:    domain.KindContactFlow,
	Name:  func(e *domain.ContactFlow) string { return e.Name },
	Refs:  func(e *domain.ContactFlow) []catalog.Ref { return contentRefs(&e.FlowContents) },
	Check: (*domain.ContactFlow).Check,
	Quota: contactFlowQuota,
	Fields: catalog.Fields[domain.ContactFlow]{
		"name":        catalog.TextField(func(e *domain.ContactFlow) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.ContactFlow) string { return e.Description }),
		"resourceID":  catalog.IDField[domain.ContactFlow](),
		"conditions": catalog.OtherField(func(e *domain.ContactFlow, d *search.Doc) {
			d.Keys[fieldType] = []string{string(e.Type)}
			d.Keys[fieldState] = []string{string(e.State)}
			d.Keys[fieldStatus] = []string{string(e.Status())}
		}),
	},
}

// The fields that conditions of their own ask for.
const (
	fieldType   = "flow type"
	fieldState  = "flow state"
	fieldStatus = "flow status"
)

// sampleFunction is the name of the Lambda function in the sample that shows
// how to invoke one. It need not exist.
const sampleFunction = "sample-customer-lookup"

// seedContactFlows gives a new instance its default and sample flows. They
// name each other in circles, so all have their ids before the first content
// is made.
func (f *Flows) seedContactFlows(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	queue, err := tx.GetByName(ctx, sc.PK, domain.KindQueue, starter.BasicQueueName)
	if err != nil {
		return fmt.Errorf("the queue that the first flows name: %w", err)
	}
	prompts, err := promptARNs(ctx, tx, sc)
	if err != nil {
		return err
	}
	samples := starter.Flows()
	ids := make(map[string]string, len(samples))
	for _, sample := range samples {
		ids[sample.Name] = domain.NewID()
	}
	refs := starter.Refs{
		Prompt:     func(name string) string { return prompts[name] },
		Flow:       func(name string) string { return sc.ARN(domain.KindContactFlow, ids[name]) },
		BasicQueue: sc.ARN(domain.KindQueue, queue.ID),
		SampleFunction: "arn:" + domain.Partition(sc.Region) + ":lambda:" + sc.Region + ":" + sc.Account +
			":function:" + sampleFunction,
	}
	for _, sample := range samples {
		revision, err := f.contactFlows.insertContent(ctx, tx, sc, domain.FlowContent{Content: sample.Content(refs)})
		if err != nil {
			return err
		}
		e := &domain.ContactFlow{
			Name: sample.Name, Description: sample.Description, Default: sample.Default,
			Type: types.ContactFlowType(sample.Type), State: types.ContactFlowStateActive,
			FlowContents: domain.FlowContents{Published: revision},
		}
		if _, err := f.contactFlows.items.InsertAs(ctx, tx, sc, ids[sample.Name], e, nil); err != nil {
			return err
		}
	}
	return nil
}

// promptARNs are the ARNs of an instance's prompts by name.
func promptARNs(ctx context.Context, rd store.Reader, sc catalog.Scope) (map[string]string, error) {
	prompts, err := rd.List(ctx, store.ListQuery{Instance: sc.PK, Kind: domain.KindPrompt, HeadersOnly: true})
	if err != nil {
		return nil, err
	}
	arns := make(map[string]string, len(prompts))
	for _, p := range prompts {
		arns[p.Name] = sc.ARN(domain.KindPrompt, p.ID)
	}
	return arns, nil
}

// CreateContactFlow adds a flow; it is ACTIVE, and PUBLISHED unless the request
// says SAVED. The content of one that is only saved is not validated, and the
// answer has no checksum, which is that of the published content.
func (f *Flows) CreateContactFlow(ctx context.Context, in *connect.CreateContactFlowInput) (*connect.CreateContactFlowOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	published := in.Status != types.ContactFlowStatusSaved
	if published {
		if err := f.validate(ctx, sc, *in.Content, flow.TypeOf(in.Type)); err != nil {
			return nil, err
		}
	}
	var made *catalog.Item[domain.ContactFlow]
	err = f.catalog.Store().Update(ctx, func(tx store.Tx) error {
		revision, err := f.contactFlows.insertContent(ctx, tx, sc, domain.FlowContent{Content: *in.Content})
		if err != nil {
			return err
		}
		e := &domain.ContactFlow{
			Name: *in.Name, Description: aws.ToString(in.Description),
			Type: in.Type, State: types.ContactFlowStateActive,
		}
		if published {
			e.Published = revision
		} else {
			e.Saved = revision
		}
		made, err = f.contactFlows.items.Insert(ctx, tx, sc, e, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &connect.CreateContactFlowOutput{
		ContactFlowArn: aws.String(sc.ARN(domain.KindContactFlow, made.ID)),
		ContactFlowId:  aws.String(made.ID),
	}
	if published {
		out.FlowContentSha256 = aws.String(made.Value.Published.SHA256)
	}
	return out, nil
}

// ListContactFlows lists the flows of the types asked for, of all when none
// is; archived flows and those never published are among them.
func (f *Flows) ListContactFlows(ctx context.Context, in *connect.ListContactFlowsInput) (*connect.ListContactFlowsOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := f.contactFlows.items.ListWhere(ctx, sc, page, func(i *catalog.Item[domain.ContactFlow]) bool {
		return len(in.ContactFlowTypes) == 0 || slices.Contains(in.ContactFlowTypes, i.Value.Type)
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListContactFlowsOutput{
		NextToken: next,
		ContactFlowSummaryList: catalog.Map(found, func(i *catalog.Item[domain.ContactFlow]) types.ContactFlowSummary {
			return types.ContactFlowSummary{
				Arn: aws.String(sc.ARN(domain.KindContactFlow, i.ID)), Id: aws.String(i.ID), Name: aws.String(i.Name),
				ContactFlowType: i.Value.Type, ContactFlowState: i.Value.State, ContactFlowStatus: i.Value.Status(),
			}
		}),
	}, nil
}

// DescribeContactFlow returns a flow with the content that its id asks for
// (documents.describe). A flow with nothing published has to be asked for with
// the qualifier $SAVED.
func (f *Flows) DescribeContactFlow(ctx context.Context, in *connect.DescribeContactFlowInput) (*connect.DescribeContactFlowOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	d, err := f.contactFlows.describe(ctx, sc, *in.ContactFlowId)
	if err != nil {
		return nil, err
	}
	out := contactFlow(sc, d.Item)
	out.Status = d.status
	out.Content, out.FlowContentSha256 = aws.String(d.content.Content), aws.String(d.sha256)
	if v := d.version; v != nil {
		out.Version, out.VersionDescription = aws.Int64(v.Number), catalog.Optional(v.Description)
	}
	return &connect.DescribeContactFlowOutput{ContactFlow: &out}, nil
}

// UpdateContactFlowContent publishes a content after validating it. With the
// qualifier $SAVED in the id it only saves it, unvalidated.
func (f *Flows) UpdateContactFlowContent(ctx context.Context, in *connect.UpdateContactFlowContentInput) (*connect.UpdateContactFlowContentOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, saved, err := f.contactFlows.writable(sc, *in.ContactFlowId)
	if err != nil {
		return nil, err
	}
	i, err := f.contactFlows.items.Get(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	if !saved {
		if err := f.validate(ctx, sc, *in.Content, flow.TypeOf(i.Value.Type)); err != nil {
			return nil, err
		}
	}
	return nil, f.contactFlows.write(ctx, sc, id, saved, *in.Content, nil)
}

// UpdateContactFlowMetadata changes name, description and state, whichever the
// request has.
func (f *Flows) UpdateContactFlowMetadata(ctx context.Context, in *connect.UpdateContactFlowMetadataInput) (*connect.UpdateContactFlowMetadataOutput, error) {
	return nil, f.changeContactFlow(ctx, in.InstanceId, in.ContactFlowId, in.Name, in.Description, in.ContactFlowState)
}

// UpdateContactFlowName changes name and description, whichever the request
// has.
func (f *Flows) UpdateContactFlowName(ctx context.Context, in *connect.UpdateContactFlowNameInput) (*connect.UpdateContactFlowNameOutput, error) {
	return nil, f.changeContactFlow(ctx, in.InstanceId, in.ContactFlowId, in.Name, in.Description, "")
}

func (f *Flows) changeContactFlow(ctx context.Context, instanceID, flowID, name, description *string, state types.ContactFlowState) error {
	sc, err := f.catalog.Scope(ctx, instanceID)
	if err != nil {
		return err
	}
	id, err := f.contactFlows.id(sc, *flowID)
	if err != nil {
		return err
	}
	return f.contactFlows.items.Update(ctx, sc, id, func(_ store.Tx, e *domain.ContactFlow) error {
		if name != nil {
			e.Name = *name
		}
		if description != nil {
			e.Description = *description
		}
		if state != "" {
			e.State = state
		}
		return nil
	})
}

// DeleteContactFlow removes a flow with its versions. The default flows stay
// (admin guide, "Default flows"); the exception that says so is our guess
// (docs/divergences.md). So does a flow that a queue or a quick connect names,
// while one that only flows, numbers and associations name goes.
func (f *Flows) DeleteContactFlow(ctx context.Context, in *connect.DeleteContactFlowInput) (*connect.DeleteContactFlowOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, f.contactFlows.remove(ctx, sc, *in.ContactFlowId, func(i *catalog.Item[domain.ContactFlow]) error {
		if i.Value.Default {
			return fault.New(fault.AccessDenied, "The flow %s came with the instance and cannot be deleted.", i.Name)
		}
		return nil
	})
}

// SearchContactFlows finds flows by criteria, tags and type. The results have
// no content (docs/divergences.md).
func (f *Flows) SearchContactFlows(ctx context.Context, in *connect.SearchContactFlowsInput) (*connect.SearchContactFlowsOutput, error) {
	sc, err := f.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	filter, err := contactFlowFilter(in.SearchFilter)
	if err != nil {
		return nil, err
	}
	q, err := catalog.Narrow(f.contactFlowCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := f.contactFlows.items.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchContactFlowsOutput{
		ContactFlows: catalog.Map(found, func(i *catalog.Item[domain.ContactFlow]) types.ContactFlow {
			out := contactFlow(sc, i)
			out.Status = i.Value.Status()
			return out
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

// contactFlowFilter joins the two filters of a search; both must match.
func contactFlowFilter(in *types.ContactFlowSearchFilter) (search.Query, error) {
	if in == nil {
		return nil, nil
	}
	var all search.And
	tags, err := catalog.TagFilter(in.TagFilter)
	if err != nil {
		return nil, err
	}
	attributes, err := catalog.FlowAttributeFilter(in.FlowAttributeFilter, func(c *types.ContactFlowTypeCondition) (search.Query, error) {
		return condition(fieldType, c.ContactFlowType), nil
	})
	if err != nil {
		return nil, err
	}
	for _, q := range []search.Query{tags, attributes} {
		if q != nil {
			all = append(all, q)
		}
	}
	return all, nil
}

func (f *Flows) contactFlowCriteria(c *types.ContactFlowSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And: catalog.Each(c.AndConditions, f.contactFlowCriteria),
		Or:  catalog.Each(c.OrConditions, f.contactFlowCriteria),
		Leaves: []catalog.Leaf{
			f.contactFlows.items.String(c.StringCondition),
			leaf(fieldType, c.TypeCondition), leaf(fieldState, c.StateCondition), leaf(fieldStatus, c.StatusCondition),
		},
	}
}

// condition matches what has a value in a field; an absent value matches
// everything.
func condition[S ~string](field string, value S) search.Query {
	if value == "" {
		return search.All{}
	}
	return search.Key{Field: field, Values: []string{string(value)}}
}

// leaf is a condition of a level of criteria, nil when the request does not
// have it.
func leaf[S ~string](field string, value S) catalog.Leaf {
	if value == "" {
		return nil
	}
	return func() (search.Query, error) { return condition(field, value), nil }
}

// contactFlow is a flow as the API shows it, without what is of one content.
func contactFlow(sc catalog.Scope, i *catalog.Item[domain.ContactFlow]) types.ContactFlow {
	return types.ContactFlow{
		Arn:                aws.String(sc.ARN(domain.KindContactFlow, i.ID)),
		Id:                 aws.String(i.ID),
		Name:               aws.String(i.Value.Name),
		Description:        catalog.Optional(i.Value.Description),
		Type:               i.Value.Type,
		State:              i.Value.State,
		LastModifiedRegion: aws.String(sc.Region),
		LastModifiedTime:   aws.Time(i.Modified),
		Tags:               i.TagMap(),
	}
}
