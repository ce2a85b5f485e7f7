package flows

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/starter"
	"ringdown/internal/store"
)

// promptQuota: admin guide, "Amazon Connect service quotas".
const promptQuota = 500

var promptKind = catalog.Kind[domain.Prompt]{
	Of:    domain.KindPrompt,
	Name:  func(e *domain.Prompt) string { return e.Name },
	Quota: promptQuota,
	Fields: catalog.Fields[domain.Prompt]{
		"name":        catalog.TextField(func(e *domain.Prompt) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.Prompt) string { return e.Description }),
		"resourceID":  catalog.IDField[domain.Prompt](),
	},
}

// seedPrompts gives a new instance its prompts and returns their ARNs by name.
func (f *Flows) seedPrompts(ctx context.Context, tx store.Tx, sc catalog.Scope) (map[string]string, error) {
	arns := map[string]string{}
	for _, p := range starter.Prompts() {
		made, err := f.prompts.Insert(ctx, tx, sc, &domain.Prompt{Name: p.Name, Description: p.Description}, nil)
		if err != nil {
			return nil, err
		}
		arns[p.Name] = sc.ARN(domain.KindPrompt, made.ID)
	}
	return arns, nil
}

// DescribePrompt returns a prompt.
func (f *Flows) DescribePrompt(ctx context.Context, in *connect.DescribePromptInput) (*connect.DescribePromptOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := f.prompts.Get(ctx, sc, *in.PromptId)
	if err != nil {
		return nil, err
	}
	p := prompt(sc, i)
	return &connect.DescribePromptOutput{Prompt: &p}, nil
}

// ListPrompts lists prompts.
func (f *Flows) ListPrompts(ctx context.Context, in *connect.ListPromptsInput) (*connect.ListPromptsOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := f.prompts.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListPromptsOutput{
		NextToken: next,
		PromptSummaryList: catalog.Map(found, func(i *catalog.Item[domain.Prompt]) types.PromptSummary {
			return types.PromptSummary{
				Arn: aws.String(sc.ARN(domain.KindPrompt, i.ID)), Id: aws.String(i.ID), Name: aws.String(i.Name),
				LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}

// SearchPrompts finds prompts by criteria and tags.
func (f *Flows) SearchPrompts(ctx context.Context, in *connect.SearchPromptsInput) (*connect.SearchPromptsOutput, error) {
	sc, err := f.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	q, err := catalog.NarrowByTags(f.promptCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := f.prompts.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchPromptsOutput{
		Prompts: catalog.Map(found, func(i *catalog.Item[domain.Prompt]) types.Prompt {
			return prompt(sc, i)
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (f *Flows) promptCriteria(c *types.PromptSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, f.promptCriteria),
		Or:     catalog.Each(c.OrConditions, f.promptCriteria),
		Leaves: []catalog.Leaf{f.prompts.String(c.StringCondition)},
	}
}

func prompt(sc catalog.Scope, i *catalog.Item[domain.Prompt]) types.Prompt {
	return types.Prompt{
		PromptARN:          aws.String(sc.ARN(domain.KindPrompt, i.ID)),
		PromptId:           aws.String(i.ID),
		Name:               aws.String(i.Name),
		Description:        catalog.Optional(i.Value.Description),
		LastModifiedRegion: aws.String(sc.Region),
		LastModifiedTime:   aws.Time(i.Modified),
		Tags:               i.TagMap(),
	}
}
