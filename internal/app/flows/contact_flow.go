package flows

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/starter"
	"ringdown/internal/store"
)

// contactFlowQuota: admin guide, "Amazon Connect service quotas".
const contactFlowQuota = 100

// The roles in which a flow refers to its contents.
const (
	rolePublished store.Role = "published"
	roleSaved     store.Role = "saved"
)

var contactFlowKind = catalog.Kind[domain.ContactFlow]{
	Of:    domain.KindContactFlow,
	Name:  func(e *domain.ContactFlow) string { return e.Name },
	Refs:  contactFlowRefs,
	Quota: contactFlowQuota,
}

// contactFlowRefs are the contents of a flow. What the contents name in turn
// is not among them: the service lets it be deleted, and the flow then takes
// its error branch.
func contactFlowRefs(e *domain.ContactFlow) []catalog.Ref {
	var refs []catalog.Ref
	if e.Published != nil {
		refs = append(refs, catalog.Ref{Role: rolePublished, Kind: domain.KindFlowContent, ID: string(e.Published.ContentID)})
	}
	if e.Saved != nil {
		refs = append(refs, catalog.Ref{Role: roleSaved, Kind: domain.KindFlowContent, ID: string(e.Saved.ContentID)})
	}
	return refs
}

var flowContentKind = catalog.Kind[domain.FlowContent]{
	Of:       domain.KindFlowContent,
	Name:     func(*domain.FlowContent) string { return "" },
	Check:    (*domain.FlowContent).Check,
	NoTags:   true,
	Unlisted: true,
}

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
	flows := starter.Flows()
	ids := make(map[string]string, len(flows))
	for _, flow := range flows {
		ids[flow.Name] = domain.NewID()
	}
	refs := starter.Refs{
		Prompt:     func(name string) string { return prompts[name] },
		Flow:       func(name string) string { return sc.ARN(domain.KindContactFlow, ids[name]) },
		BasicQueue: sc.ARN(domain.KindQueue, queue.ID),
		SampleFunction: "arn:" + domain.Partition(sc.Region) + ":lambda:" + sc.Region + ":" + sc.Account +
			":function:" + sampleFunction,
	}
	for _, flow := range flows {
		revision, err := f.insertContent(ctx, tx, sc, flow.Content(refs))
		if err != nil {
			return err
		}
		e := &domain.ContactFlow{
			Name: flow.Name, Description: flow.Description, Default: flow.Default,
			Type: types.ContactFlowType(flow.Type), State: types.ContactFlowStateActive,
			Published: revision,
		}
		if _, err := f.contactFlows.InsertAs(ctx, tx, sc, ids[flow.Name], e, nil); err != nil {
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

// insertContent stores a content for a flow to refer to.
func (f *Flows) insertContent(ctx context.Context, tx store.Tx, sc catalog.Scope, content string) (*domain.FlowRevision, error) {
	e := &domain.FlowContent{Content: content}
	made, err := f.contents.Insert(ctx, tx, sc, e, nil)
	if err != nil {
		return nil, err
	}
	return &domain.FlowRevision{ContentID: domain.FlowContentID(made.ID), SHA256: e.SHA256()}, nil
}

// ListContactFlows lists the flows of the types asked for, of all when none
// is; archived flows and those never published are among them.
func (f *Flows) ListContactFlows(ctx context.Context, in *connect.ListContactFlowsInput) (*connect.ListContactFlowsOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := f.contactFlows.ListWhere(ctx, sc, page, func(i *catalog.Item[domain.ContactFlow]) bool {
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

// savedQualifier follows the id of a flow to ask for its saved content (AWS
// API reference, DescribeContactFlow).
const savedQualifier = "$SAVED"

// DescribeContactFlow returns a flow with its published content or, with the
// qualifier $SAVED, the content saved last; a flow with nothing published has
// to be asked for with it. A flow that was published after it was last saved
// has one content, which both ask for.
func (f *Flows) DescribeContactFlow(ctx context.Context, in *connect.DescribeContactFlowInput) (*connect.DescribeContactFlowOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, qualifier, err := contactFlowID(sc, *in.ContactFlowId)
	if err != nil {
		return nil, err
	}
	var out *types.ContactFlow
	// A view reads past the catalog's cache, which counts items, not their size.
	err = f.catalog.Store().View(ctx, func(rd store.Reader) error {
		i, err := f.contactFlows.GetIn(ctx, rd, sc, id)
		if err != nil {
			return err
		}
		revision, status, err := revisionOf(i, qualifier)
		if err != nil {
			return err
		}
		content, err := f.contents.GetIn(ctx, rd, sc, string(revision.ContentID))
		if err != nil {
			return err
		}
		out = contactFlow(sc, i)
		out.Status = status
		out.Content = aws.String(content.Value.Content)
		out.FlowContentSha256 = aws.String(revision.SHA256)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &connect.DescribeContactFlowOutput{ContactFlow: out}, nil
}

// contactFlowID reads the id or ARN of a flow, and what follows it after a
// colon.
func contactFlowID(sc catalog.Scope, idOrARN string) (id, qualifier string, err error) {
	if !domain.IsARN(idOrARN) {
		id, qualifier, _ = strings.Cut(idOrARN, ":")
		return id, qualifier, nil
	}
	if id, err = catalog.ID(sc, domain.KindContactFlow, idOrARN); err != nil {
		return "", "", err
	}
	arn, err := domain.ParseARN(idOrARN)
	return id, arn.Qualifier, err
}

// revisionOf finds the content of a flow that a qualifier asks for, and whether
// it is published.
func revisionOf(i *catalog.Item[domain.ContactFlow], qualifier string) (*domain.FlowRevision, types.ContactFlowStatus, error) {
	e := &i.Value
	switch {
	case qualifier == savedQualifier && e.Saved != nil:
		return e.Saved, types.ContactFlowStatusSaved, nil
	case qualifier != "" && qualifier != savedQualifier:
		return nil, "", fault.New(fault.ResourceNotFound, "ContactFlow %s has no version %s.", i.ID, qualifier)
	case e.Published == nil:
		return nil, "", fault.New(fault.ContactFlowNotPublished, "ContactFlow %s is not published. Its saved content has the id %[1]s:%s.", i.ID, savedQualifier)
	default:
		return e.Published, types.ContactFlowStatusPublished, nil
	}
}

// contactFlow is a flow as the API shows it, without what is of one content.
func contactFlow(sc catalog.Scope, i *catalog.Item[domain.ContactFlow]) *types.ContactFlow {
	return &types.ContactFlow{
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
