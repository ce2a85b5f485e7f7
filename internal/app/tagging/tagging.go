// Package tagging serves tags, the same for all kinds of resources. It keeps
// nothing of its own: tags are part of a resource's record, and the tags in use
// are terms of the search index.
package tagging

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Tagging serves the operations of this package.
type Tagging struct{ catalog *catalog.Catalog }

// New returns the operations over the kinds that are registered with c.
func New(c *catalog.Catalog) *Tagging { return &Tagging{catalog: c} }

// TagResource adds tags to a resource, or gives those that it has a new value.
func (t *Tagging) TagResource(ctx context.Context, in *connect.TagResourceInput) (*connect.TagResourceOutput, error) {
	arn, err := domain.ParseARN(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return nil, t.catalog.SetTags(ctx, arn, in.Tags, nil)
}

// UntagResource removes tags from a resource; those that it does not have are
// no error.
func (t *Tagging) UntagResource(ctx context.Context, in *connect.UntagResourceInput) (*connect.UntagResourceOutput, error) {
	arn, err := domain.ParseARN(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return nil, t.catalog.SetTags(ctx, arn, nil, in.TagKeys)
}

// ListTagsForResource returns the tags of a resource.
func (t *Tagging) ListTagsForResource(ctx context.Context, in *connect.ListTagsForResourceInput) (*connect.ListTagsForResourceOutput, error) {
	arn, err := domain.ParseARN(*in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := t.catalog.TagsOf(ctx, arn)
	if err != nil {
		return nil, err
	}
	if tags == nil {
		tags = map[string]string{}
	}
	return &connect.ListTagsForResourceOutput{Tags: tags}, nil
}
