package flows

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/flow"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// contactFlowModuleQuota: admin guide, "Amazon Connect service quotas".
const contactFlowModuleQuota = 200

var contactFlowModuleKind = catalog.Kind[domain.ContactFlowModule]{
	Of:    domain.KindContactFlowModule,
	Name:  func(e *domain.ContactFlowModule) string { return e.Name },
	Refs:  func(e *domain.ContactFlowModule) []catalog.Ref { return contentRefs(&e.FlowContents) },
	Quota: contactFlowModuleQuota,
	Fields: catalog.Fields[domain.ContactFlowModule]{
		"name":        catalog.TextField(func(e *domain.ContactFlowModule) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.ContactFlowModule) string { return e.Description }),
		"resourceID":  catalog.IDField[domain.ContactFlowModule](),
		"conditions": catalog.OtherField(func(e *domain.ContactFlowModule, d *search.Doc) {
			d.Keys[fieldState] = []string{string(e.State)}
			d.Keys[fieldStatus] = []string{string(e.Status())}
		}),
	},
}

// CreateContactFlowModule adds a module; it is ACTIVE and PUBLISHED.
func (f *Flows) CreateContactFlowModule(ctx context.Context, in *connect.CreateContactFlowModuleInput) (*connect.CreateContactFlowModuleOutput, error) {
	sc, err := f.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if err := f.validate(ctx, sc, *in.Content, flow.Module); err != nil {
		return nil, err
	}
	return catalog.Once(ctx, f.catalog, sc, "CreateContactFlowModule", in.ClientToken, in, func(tx store.Tx) (*connect.CreateContactFlowModuleOutput, error) {
		content := domain.FlowContent{Content: *in.Content, Settings: aws.ToString(in.Settings)}
		revision, err := f.modules.insertContent(ctx, tx, sc, content)
		if err != nil {
			return nil, err
		}
		made, err := f.modules.items.Insert(ctx, tx, sc, &domain.ContactFlowModule{
			Name: *in.Name, Description: aws.ToString(in.Description), State: types.ContactFlowModuleStateActive,
			ExternalInvocation: in.ExternalInvocationConfiguration,
			FlowContents:       domain.FlowContents{Published: revision},
		}, in.Tags)
		if err != nil {
			return nil, err
		}
		return &connect.CreateContactFlowModuleOutput{
			Arn: aws.String(sc.ARN(domain.KindContactFlowModule, made.ID)), Id: aws.String(made.ID),
		}, nil
	})
}

// DescribeContactFlowModule returns a module with the content and settings that
// its id asks for (documents.describe).
func (f *Flows) DescribeContactFlowModule(ctx context.Context, in *connect.DescribeContactFlowModuleInput) (*connect.DescribeContactFlowModuleOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	d, err := f.modules.describe(ctx, sc, *in.ContactFlowModuleId)
	if err != nil {
		return nil, err
	}
	out := contactFlowModule(sc, d.Item)
	out.Status = types.ContactFlowModuleStatus(d.status)
	out.Content, out.FlowModuleContentSha256 = aws.String(d.content.Content), aws.String(d.sha256)
	out.Settings = catalog.Optional(d.content.Settings)
	if v := d.version; v != nil {
		out.Version, out.VersionDescription = aws.Int64(v.Number), catalog.Optional(v.Description)
	}
	return &connect.DescribeContactFlowModuleOutput{ContactFlowModule: &out}, nil
}

// UpdateContactFlowModuleContent publishes a content after validating it. With
// the qualifier $SAVED in the id it only saves it, unvalidated. Without Settings
// the module keeps those that it had with the content before.
func (f *Flows) UpdateContactFlowModuleContent(ctx context.Context, in *connect.UpdateContactFlowModuleContentInput) (*connect.UpdateContactFlowModuleContentOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, saved, err := f.modules.writable(sc, *in.ContactFlowModuleId)
	if err != nil {
		return nil, err
	}
	if _, err := f.modules.items.Get(ctx, sc, id); err != nil {
		return nil, err
	}
	if !saved {
		if err := f.validate(ctx, sc, *in.Content, flow.Module); err != nil {
			return nil, err
		}
	}
	return nil, f.modules.write(ctx, sc, id, saved, *in.Content, in.Settings)
}

// UpdateContactFlowModuleMetadata changes name, description and state,
// whichever the request has.
func (f *Flows) UpdateContactFlowModuleMetadata(ctx context.Context, in *connect.UpdateContactFlowModuleMetadataInput) (*connect.UpdateContactFlowModuleMetadataOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, err := f.modules.id(sc, *in.ContactFlowModuleId)
	if err != nil {
		return nil, err
	}
	return nil, f.modules.items.Update(ctx, sc, id, func(_ store.Tx, e *domain.ContactFlowModule) error {
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		if in.State != "" {
			e.State = in.State
		}
		return nil
	})
}

// DeleteContactFlowModule removes a module with its versions and aliases, even
// if flows invoke it: they then take their error branch (no exception for use
// is declared).
func (f *Flows) DeleteContactFlowModule(ctx context.Context, in *connect.DeleteContactFlowModuleInput) (*connect.DeleteContactFlowModuleOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, f.modules.remove(ctx, sc, *in.ContactFlowModuleId, nil)
}

// ListContactFlowModules lists the modules in the state asked for, all when
// none is.
func (f *Flows) ListContactFlowModules(ctx context.Context, in *connect.ListContactFlowModulesInput) (*connect.ListContactFlowModulesOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := f.modules.items.ListWhere(ctx, sc, page, func(i *catalog.Item[domain.ContactFlowModule]) bool {
		return in.ContactFlowModuleState == "" || i.Value.State == in.ContactFlowModuleState
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListContactFlowModulesOutput{
		NextToken: next,
		ContactFlowModulesSummaryList: catalog.Map(found, func(i *catalog.Item[domain.ContactFlowModule]) types.ContactFlowModuleSummary {
			return types.ContactFlowModuleSummary{
				Arn: i.ARN(sc), Id: aws.String(i.ID), Name: aws.String(i.Name), State: i.Value.State,
			}
		}),
	}, nil
}

// SearchContactFlowModules finds modules by criteria and tags. The results have
// neither content nor settings (docs/divergences.md).
func (f *Flows) SearchContactFlowModules(ctx context.Context, in *connect.SearchContactFlowModulesInput) (*connect.SearchContactFlowModulesOutput, error) {
	sc, err := f.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	q, err := catalog.NarrowByTags(f.contactFlowModuleCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := f.modules.items.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchContactFlowModulesOutput{
		ContactFlowModules: catalog.Map(found, func(i *catalog.Item[domain.ContactFlowModule]) types.ContactFlowModule {
			out := contactFlowModule(sc, i)
			out.Status = types.ContactFlowModuleStatus(i.Value.Status())
			return out
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (f *Flows) contactFlowModuleCriteria(c *types.ContactFlowModuleSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And: catalog.Each(c.AndConditions, f.contactFlowModuleCriteria),
		Or:  catalog.Each(c.OrConditions, f.contactFlowModuleCriteria),
		Leaves: []catalog.Leaf{
			f.modules.items.String(c.StringCondition), leaf(fieldState, c.StateCondition), leaf(fieldStatus, c.StatusCondition),
		},
	}
}

// contactFlowModule is a module as the API shows it, without what is of one
// content.
func contactFlowModule(sc catalog.Scope, i *catalog.Item[domain.ContactFlowModule]) types.ContactFlowModule {
	return types.ContactFlowModule{
		Arn:                             i.ARN(sc),
		Id:                              aws.String(i.ID),
		Name:                            aws.String(i.Name),
		Description:                     catalog.Optional(i.Value.Description),
		State:                           i.Value.State,
		ExternalInvocationConfiguration: i.Value.ExternalInvocation,
		Tags:                            i.TagMap(),
	}
}
