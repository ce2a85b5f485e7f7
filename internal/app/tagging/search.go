package tagging

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// documentedTypes are the names of kinds that the AWS API reference lists for
// SearchResourceTags and that differ from their ARN's segment.
var documentedTypes = map[domain.Kind]string{domain.KindQueue: "standard-queue"}

// resourceTypes are the kinds whose tags can be searched, by name: those that
// the AWS API reference lists, and by the same rule, the segment of the ARN,
// every other that can be tagged (docs/divergences.md).
func (t *Tagging) resourceTypes() map[string]domain.Kind {
	kinds := map[string]domain.Kind{}
	for _, kind := range t.catalog.TaggableKinds() {
		name, ok := documentedTypes[kind]
		if !ok {
			name = kind.Segment()
		}
		kinds[name] = kind
	}
	return kinds
}

// maxFound is how many tags a search may find (AWS API reference,
// MaximumResultReturnedException).
const maxFound = 1000

// SearchResourceTags returns the distinct tags of the resources of an instance,
// ordered by key and value.
func (t *Tagging) SearchResourceTags(ctx context.Context, in *connect.SearchResourceTagsInput) (*connect.SearchResourceTagsOutput, error) {
	sc, err := t.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	kinds, err := t.kindsOf(in.ResourceTypes)
	if err != nil {
		return nil, err
	}
	var condition *types.TagSearchCondition
	if in.SearchCriteria != nil {
		condition = in.SearchCriteria.TagSearchCondition
	}
	found := t.find(sc, kinds, condition)
	if len(found) > maxFound {
		return nil, fault.New(fault.MaximumResultReturned, "The search finds %d tags; at most %d can be returned. Narrow it by ResourceTypes or SearchCriteria.", len(found), maxFound)
	}
	// The list hangs on no kind of resource.
	page, next, err := catalog.Ordered(sc, domain.KindRoot, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, found, tag.order)
	if err != nil {
		return nil, err
	}
	return &connect.SearchResourceTagsOutput{
		NextToken: next,
		Tags: catalog.Map(page, func(t tag) types.TagSet {
			return types.TagSet{Key: aws.String(t.key), Value: aws.String(t.value)}
		}),
	}, nil
}

// kindsOf are the kinds that resource types name: all when there are none.
func (t *Tagging) kindsOf(names []string) ([]domain.Kind, error) {
	resourceTypes := t.resourceTypes()
	if len(names) == 0 {
		return slices.Collect(maps.Values(resourceTypes)), nil
	}
	kinds := make([]domain.Kind, len(names))
	for i, name := range names {
		kind, ok := resourceTypes[name]
		if !ok {
			known := slices.Sorted(maps.Keys(resourceTypes))
			return nil, fault.New(fault.InvalidParameter, "ResourceTypes[%d] must be one of %s", i, strings.Join(known, ", "))
		}
		kinds[i] = kind
	}
	return kinds, nil
}

type tag struct{ key, value string }

// order is that of keys, then values; neither holds a control character.
func (t tag) order() string { return t.key + "\x00" + t.value }

// find returns the distinct tags that a condition accepts, in order.
func (t *Tagging) find(sc catalog.Scope, kinds []domain.Kind, c *types.TagSearchCondition) []tag {
	key, value := anything, anything
	if c != nil {
		key, value = matcher(c.TagKey, c.TagKeyComparisonType), matcher(c.TagValue, c.TagValueComparisonType)
	}
	found := map[tag]bool{}
	for _, kind := range kinds {
		for _, term := range t.catalog.TagTerms(sc, kind) {
			if key(term.Key) && value(term.Value) {
				found[tag{term.Key, term.Value}] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), func(a, b tag) int {
		return cmp.Compare(a.order(), b.order())
	})
}

func anything(string) bool { return true }

// matcher compares with a part of a condition: absent, it accepts everything;
// without a comparison type it is EXACT. Letters' case counts, as it does in
// tags (docs/divergences.md).
func matcher(want *string, how types.StringComparisonType) func(string) bool {
	if want == nil {
		return anything
	}
	switch how {
	case types.StringComparisonTypeStartsWith:
		return func(s string) bool { return strings.HasPrefix(s, *want) }
	case types.StringComparisonTypeContains:
		return func(s string) bool { return strings.Contains(s, *want) }
	default:
		return func(s string) bool { return s == *want }
	}
}
