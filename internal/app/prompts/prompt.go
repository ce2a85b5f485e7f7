package prompts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/objects"
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
		if _, err := p.prompts.Insert(ctx, tx, sc, &domain.Prompt{Name: s.Name, Description: s.Description, Sound: s.Name}, nil); err != nil {
			return err
		}
	}
	return nil
}

// CreatePrompt makes a prompt of the audio that S3Uri leads to. The server
// keeps a copy of its own, so the source may go away.
func (p *Prompts) CreatePrompt(ctx context.Context, in *connect.CreatePromptInput) (*connect.CreatePromptOutput, error) {
	sc, err := p.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	key, err := p.copyAudio(ctx, sc, *in.S3Uri)
	if err != nil {
		return nil, err
	}
	e := &domain.Prompt{Name: *in.Name, Description: aws.ToString(in.Description), Object: key}
	i, err := p.prompts.Create(ctx, sc, e, in.Tags)
	if err != nil {
		p.removeAudio(ctx, objects.Own(string(sc.ID), key))
		return nil, err
	}
	return &connect.CreatePromptOutput{PromptARN: i.ARN(sc), PromptId: &i.ID}, nil
}

// UpdatePrompt changes the members that are given.
func (p *Prompts) UpdatePrompt(ctx context.Context, in *connect.UpdatePromptInput) (*connect.UpdatePromptOutput, error) {
	sc, err := p.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := p.prompts.Get(ctx, sc, *in.PromptId)
	if err != nil {
		return nil, err
	}
	key := ""
	if in.S3Uri != nil {
		if key, err = p.copyAudio(ctx, sc, *in.S3Uri); err != nil {
			return nil, err
		}
	}
	before := ""
	err = p.prompts.Update(ctx, sc, i.ID, func(_ store.Tx, e *domain.Prompt) error {
		before = e.Object
		if e.Object == "" && e.Sound == "" {
			e.Sound = e.Name // of an instance made before Sound was kept
		}
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		if key != "" {
			e.Object, e.Sound = key, ""
		}
		return nil
	})
	if key != "" {
		if err == nil {
			key = before // no longer named by anything
		}
		p.removeAudio(ctx, audioOf(sc, i.ID, key))
	}
	if err != nil {
		return nil, err
	}
	return &connect.UpdatePromptOutput{PromptARN: i.ARN(sc), PromptId: &i.ID}, nil
}

// DeletePrompt removes a prompt with its audio. Flows that play it keep its
// name: the operation declares no ResourceInUseException.
func (p *Prompts) DeletePrompt(ctx context.Context, in *connect.DeletePromptInput) (*connect.DeletePromptOutput, error) {
	sc, err := p.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var at objects.URI
	err = p.prompts.Delete(ctx, sc, *in.PromptId, func(_ store.Tx, i *catalog.Item[domain.Prompt]) error {
		at = audioOf(sc, i.ID, i.Value.Object)
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.removeAudio(ctx, at)
	return nil, nil
}

// GetPromptFile returns a URL from which the audio can be read for a while.
func (p *Prompts) GetPromptFile(ctx context.Context, in *connect.GetPromptFileInput) (*connect.GetPromptFileOutput, error) {
	sc, err := p.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := p.prompts.Get(ctx, sc, *in.PromptId)
	if err != nil {
		return nil, err
	}
	at, err := p.audio(ctx, sc, i)
	if err != nil {
		return nil, err
	}
	link, err := p.files.Presign(ctx, at, fileValidity)
	if err != nil {
		return nil, err
	}
	return &connect.GetPromptFileOutput{
		PromptPresignedUrl: aws.String(objects.Shared(link, at)),
		LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
	}, nil
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
