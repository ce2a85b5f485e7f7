package catalog

import (
	"context"
	"maps"
	"slices"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// maxTags is how many tags a resource may have (AWS API reference, TagMap).
const maxTags = 50

// TagsOf returns the tags of the resource that an ARN names. What is not there
// or cannot be tagged is a ResourceNotFoundException.
func (c *Catalog) TagsOf(ctx context.Context, arn domain.ARN) (map[string]string, error) {
	r, err := c.byARN(ctx, c.store, arn)
	if err != nil {
		return nil, err
	}
	return r.Tags, nil
}

// TaggableKinds are the kinds of an instance's resources that can be tagged and
// have an ARN to be tagged by.
func (c *Catalog) TaggableKinds() []domain.Kind {
	var kinds []domain.Kind
	for kind, info := range c.kinds {
		if info.taggable && info.document != nil && kind.Segment() != "" && !kind.Outside() {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// SetTags changes the tags of the resource that an ARN names: it adds or
// replaces those of add and removes those of remove. Removing what is not
// there is no error.
func (c *Catalog) SetTags(ctx context.Context, arn domain.ARN, add map[string]string, remove []string) error {
	return c.store.Update(ctx, func(tx store.Tx) error {
		r, err := c.byARN(ctx, tx, arn)
		if err != nil {
			return err
		}
		tags := make(map[string]string, len(r.Tags)+len(add))
		maps.Copy(tags, r.Tags)
		maps.Copy(tags, add)
		for _, k := range remove {
			delete(tags, k)
		}
		if len(tags) > maxTags {
			return fault.New(fault.InvalidParameter, "Tags must include at most %d items, the resource would have %d", maxTags, len(tags))
		}
		if maps.Equal(tags, r.Tags) {
			return nil
		}
		r.Tags = tags
		return tx.Update(ctx, r, nil)
	})
}

func (c *Catalog) byARN(ctx context.Context, rd store.Reader, arn domain.ARN) (*store.Record, error) {
	missing := fault.New(fault.ResourceNotFound, "Resource not found: %s", arn)
	info, known := c.kinds[arn.Kind]
	if !known || !info.taggable || arn.Account != c.opts.Account || arn.Region != domain.CallerOf(ctx).Region {
		return nil, missing
	}
	in := store.Root
	switch {
	case arn.Kind == domain.KindInstance:
		// A replica has the tags of its instance, whose region is another.
		switch _, err := c.Scope(ctx, &arn.ID); {
		case fault.Is(err, fault.ResourceNotFound), fault.Is(err, fault.InvalidParameter):
			return nil, missing
		case err != nil:
			return nil, err
		}
		info.region = nil
	case arn.Kind.Outside() != (arn.Instance == ""):
		// The older form of a phone number's ARN, inside an instance, cannot
		// be tagged.
		return nil, missing
	case arn.Instance != "":
		id := string(arn.Instance)
		sc, err := c.Scope(ctx, &id)
		if err != nil {
			return nil, err
		}
		in = sc.PK
	}
	r, err := rd.Get(ctx, in, arn.Kind, arn.ID)
	if err != nil {
		if fault.Is(err, fault.ResourceNotFound) {
			return nil, missing
		}
		return nil, err
	}
	if info.region == nil {
		return r, nil
	}
	switch region, err := info.region(r); {
	case err != nil:
		return nil, err
	case region != arn.Region:
		return nil, missing
	default:
		return r, nil
	}
}
