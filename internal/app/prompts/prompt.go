package prompts

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

// Seed gives a new instance its prompts.
func (p *Prompts) Seed(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	for _, s := range starter.Prompts() {
		if _, err := p.prompts.Insert(ctx, tx, sc, &domain.Prompt{Name: s.Name, Description: s.Description}, nil); err != nil {
			return err
		}
	}
	return nil
}

// DescribePrompt returns a prompt.
func (p *Prompts) DescribePrompt(ctx context.Context, in *connect.DescribePromptInput) (*connect.DescribePromptOutput, error) {
	sc, err := p.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := p.prompts.Get(ctx, sc, *in.PromptId)
	if err != nil {
		return nil, err
	}
	out := prompt(sc, i)
	return &connect.DescribePromptOutput{Prompt: &out}, nil
}

// ListPrompts lists prompts.
func (p *Prompts) ListPrompts(ctx context.Context, in *connect.ListPromptsInput) (*connect.ListPromptsOutput, error) {
	sc, err := p.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := p.prompts.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
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
func (p *Prompts) SearchPrompts(ctx context.Context, in *connect.SearchPromptsInput) (*connect.SearchPromptsOutput, error) {
	sc, err := p.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	q, err := catalog.NarrowByTags(p.promptCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := p.prompts.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
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

func (p *Prompts) promptCriteria(c *types.PromptSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, p.promptCriteria),
		Or:     catalog.Each(c.OrConditions, p.promptCriteria),
		Leaves: []catalog.Leaf{p.prompts.String(c.StringCondition)},
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
