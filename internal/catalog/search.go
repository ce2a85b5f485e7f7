package catalog

import (
	"context"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// Fields are the searchable fields of a kind by the FieldName of a
// StringCondition. Letters' case in a FieldName does not matter: the service
// itself spells some of them two ways (resourceID, resourceId).
type Fields[E any] map[string]Field[E]

// Field says what one searchable field holds.
type Field[E any] struct {
	text func(*E) []string
	keys func(*E) []string
	id   bool
	more func(*E, *search.Doc)
}

// TextField is matched by EXACT, STARTS_WITH and CONTAINS, in any case.
func TextField[E any](value func(*E) string) Field[E] {
	return Field[E]{text: func(e *E) []string { return []string{value(e)} }}
}

// TextsField is a TextField with several values, any of which may match.
func TextsField[E any](values func(*E) []string) Field[E] { return Field[E]{text: values} }

// KeyField holds ids or other words that are matched by EXACT alone.
func KeyField[E any](values func(*E) []string) Field[E] { return Field[E]{keys: values} }

// IDField is the id of the resource itself.
func IDField[E any]() Field[E] { return Field[E]{id: true} }

// OtherField puts something into the index that no StringCondition asks for,
// for conditions of the kind's own.
func OtherField[E any](put func(*E, *search.Doc)) Field[E] { return Field[E]{more: put} }

// document turns a record into what the index holds of it.
func (l *Collection[E]) document(r *store.Record) (search.Doc, error) {
	e, err := decode[E](r)
	if err != nil {
		return search.Doc{}, err
	}
	d := search.Doc{
		PK: int64(r.PK), Tags: r.Tags,
		Text: map[string][]string{}, Keys: map[string][]string{},
	}
	for name, f := range l.kind.Fields {
		name = strings.ToLower(name)
		switch {
		case f.text != nil:
			d.Text[name] = f.text(e)
		case f.keys != nil:
			d.Keys[name] = f.keys(e)
		case f.id:
			d.Keys[name] = []string{r.ID}
		case f.more != nil:
			f.more(e, &d)
		}
	}
	return d, nil
}

// Search returns a page of the resources that match q, in the order of their
// creation, with the exact number of all that do.
func (l *Collection[E]) Search(ctx context.Context, sc Scope, q search.Query, p Page) ([]*Item[E], *string, *int64, error) {
	return l.SearchIn(ctx, l.c.store, sc, q, p)
}

// SearchIn is Search that reads what it has found within a view, for kinds
// whose results also show other resources. A resource that the index has and
// the view has not yet, or no longer, is left out.
func (l *Collection[E]) SearchIn(ctx context.Context, rd store.Reader, sc Scope, q search.Query, p Page) ([]*Item[E], *string, *int64, error) {
	pages := series{searched, l.kind.Of, sc.PK}
	after, err := pages.number(p)
	if err != nil {
		return nil, nil, nil, err
	}
	limit := p.limit()
	// One more than asked for tells whether there is a next page.
	pks, n, err := l.c.index.Search(int64(sc.PK), uint8(l.kind.Of), q, after, limit+1)
	if err != nil {
		return nil, nil, nil, err
	}
	total := int64(n)
	var next *string
	if len(pks) > limit {
		pks = pks[:limit]
		next = pages.at(store.PK(pks[limit-1]))
	}
	found, err := l.fetch(ctx, sc, pks)
	return found, next, &total, err
}

// SearchNewest is Search in the opposite order: what was made last comes first.
func (l *Collection[E]) SearchNewest(ctx context.Context, sc Scope, q search.Query, p Page) ([]*Item[E], *string, *int64, error) {
	pages := series{newest, l.kind.Of, sc.PK}
	before, err := pages.number(p)
	if err != nil {
		return nil, nil, nil, err
	}
	// The index goes one way only; its keys cost little beside the records.
	pks, n, err := l.c.index.Search(int64(sc.PK), uint8(l.kind.Of), q, 0, math.MaxInt)
	if err != nil {
		return nil, nil, nil, err
	}
	if before > 0 {
		end, _ := slices.BinarySearch(pks, before)
		pks = pks[:end]
	}
	total := int64(n)
	var next *string
	if start := len(pks) - p.limit(); start > 0 {
		pks = pks[start:]
		next = pages.at(store.PK(pks[0]))
	}
	found, err := l.fetch(ctx, sc, pks)
	slices.Reverse(found)
	return found, next, &total, err
}

// Criteria is one level of a *SearchCriteria. AWS's types differ by kind only
// in their name and their leaves, so each kind says how its own type maps to
// this one.
type Criteria struct {
	And, Or []Criteria
	Leaves  []Leaf
}

// Leaf is a condition of a level; nil when the request does not have it.
type Leaf func() (search.Query, error)

// Each maps the nested criteria of a level.
func Each[C any](list []C, convert func(*C) Criteria) []Criteria {
	out := make([]Criteria, len(list))
	for i := range list {
		out[i] = convert(&list[i])
	}
	return out
}

// Query turns criteria into a query. A level may use one member only
// (documented for the filters, taken to hold for criteria: docs/divergences.md); one
// that uses none matches everything.
func (c Criteria) Query() (search.Query, error) {
	var found []search.Query
	if len(c.And) > 0 {
		q, err := queries(c.And)
		if err != nil {
			return nil, err
		}
		found = append(found, search.And(q))
	}
	if len(c.Or) > 0 {
		q, err := queries(c.Or)
		if err != nil {
			return nil, err
		}
		found = append(found, search.Or(q))
	}
	for _, leaf := range c.Leaves {
		if leaf == nil {
			continue
		}
		q, err := leaf()
		if err != nil {
			return nil, err
		}
		found = append(found, q)
	}
	switch len(found) {
	case 0:
		return search.All{}, nil
	case 1:
		return found[0], nil
	default:
		return nil, fault.New(fault.InvalidParameter, "SearchCriteria: only one of AndConditions, OrConditions and a single condition may be set at each level")
	}
}

func queries(list []Criteria) ([]search.Query, error) {
	out := make([]search.Query, len(list))
	for i, c := range list {
		q, err := c.Query()
		if err != nil {
			return nil, err
		}
		out[i] = q
	}
	return out, nil
}

// The lengths of the value of a CONTAINS condition (AWS API reference,
// StringCondition and the SearchCriteria of each kind).
const minContains, maxContains = 2, 25

// String is the leaf of a StringCondition over the fields of the collection.
func (l *Collection[E]) String(c *types.StringCondition) Leaf {
	if c == nil {
		return nil
	}
	return func() (search.Query, error) {
		name, op, value, err := stringCondition(c)
		if err != nil {
			return nil, err
		}
		for known, f := range l.kind.Fields {
			if !strings.EqualFold(known, name) || f.more != nil {
				continue
			}
			field := strings.ToLower(known)
			if f.text != nil {
				return search.Text{Field: field, Op: op, Value: value}, nil
			}
			if op != search.Exact {
				return nil, fault.New(fault.InvalidParameter, "StringCondition: %s can be compared with EXACT only", known)
			}
			id, err := bareID(value)
			if err != nil {
				return nil, err
			}
			return search.Key{Field: field, Values: []string{id}}, nil
		}
		return nil, fault.New(fault.InvalidParameter, "StringCondition: FieldName must be one of %s", strings.Join(l.fieldNames(), ", "))
	}
}

func (l *Collection[E]) fieldNames() []string {
	names := make([]string, 0, len(l.kind.Fields))
	for n, f := range l.kind.Fields {
		if f.more == nil {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// bareID lets an id field be compared with an ARN as well.
func bareID(value string) (string, error) {
	if !domain.IsARN(value) {
		return value, nil
	}
	arn, err := domain.ParseARN(value)
	return arn.ID, err
}

// StringMatch is a StringCondition as a function, for conditions on things
// that are no fields of their own, such as the name of a proficiency.
func StringMatch(c *types.StringCondition) (field string, match func(string) bool, err error) {
	field, op, value, err := stringCondition(c)
	if err != nil {
		return "", nil, err
	}
	value = strings.ToLower(value)
	switch op {
	case search.Prefix:
		match = func(s string) bool { return strings.HasPrefix(strings.ToLower(s), value) }
	case search.Contains:
		match = func(s string) bool { return strings.Contains(strings.ToLower(s), value) }
	default:
		match = func(s string) bool { return strings.ToLower(s) == value }
	}
	return field, match, nil
}

func stringCondition(c *types.StringCondition) (field string, op search.TextOp, value string, err error) {
	if c.FieldName == nil || *c.FieldName == "" {
		return "", 0, "", fault.New(fault.InvalidParameter, "StringCondition: FieldName is required")
	}
	if c.Value != nil {
		value = *c.Value
	}
	switch c.ComparisonType {
	case types.StringComparisonTypeStartsWith:
		op = search.Prefix
	case types.StringComparisonTypeContains:
		op = search.Contains
		if n := utf8.RuneCountInString(value); n < minContains || n > maxContains {
			return "", 0, "", fault.New(fault.InvalidParameter, "StringCondition: the Value of a CONTAINS comparison must have %d to %d characters, it has %d", minContains, maxContains, n)
		}
	case types.StringComparisonTypeExact, "":
		op = search.Exact
	default:
		return "", 0, "", fault.New(fault.InvalidParameter, "StringCondition: unknown ComparisonType")
	}
	return *c.FieldName, op, value, nil
}

// Narrow joins criteria and a filter: both must match.
func Narrow(criteria Criteria, filter search.Query) (search.Query, error) {
	q, err := criteria.Query()
	if err != nil || filter == nil {
		return q, err
	}
	return search.And{filter, q}, nil
}

// NarrowByTags is Narrow by the TagFilter of a request.
func NarrowByTags(criteria Criteria, f *types.ControlPlaneTagFilter) (search.Query, error) {
	tags, err := TagFilter(f)
	if err != nil {
		return nil, err
	}
	return Narrow(criteria, tags)
}

// NarrowByAttributes is Narrow by the AttributeFilter of a request.
func NarrowByAttributes(criteria Criteria, f *types.ControlPlaneAttributeFilter) (search.Query, error) {
	tags, err := AttributeFilter(f)
	if err != nil {
		return nil, err
	}
	return Narrow(criteria, tags)
}

// The most conditions that a filter may hold (AWS API reference,
// ControlPlaneUserAttributeFilter).
const maxTagConditions = 25

// TagFilter turns a ControlPlaneTagFilter into a query; nil when there is
// none.
func TagFilter(f *types.ControlPlaneTagFilter) (search.Query, error) {
	if f == nil {
		return nil, nil
	}
	n := 0
	var set oneOf
	if len(f.AndConditions) > 0 {
		n = len(f.AndConditions)
		set.add("AndConditions", allTags(f.AndConditions))
	}
	if len(f.OrConditions) > 0 {
		or := make(search.Or, len(f.OrConditions))
		for i, and := range f.OrConditions {
			n += len(and)
			or[i] = allTags(and)
		}
		set.add("OrConditions", or)
	}
	if f.TagCondition != nil {
		set.add("TagCondition", tagQuery(*f.TagCondition))
	}
	return set.query("TagFilter", n)
}

// AttributeFilter turns a ControlPlaneAttributeFilter into a query; nil when
// there is none.
func AttributeFilter(f *types.ControlPlaneAttributeFilter) (search.Query, error) {
	if f == nil {
		return nil, nil
	}
	n := 0
	var set oneOf
	if f.AndCondition != nil {
		n = len(f.AndCondition.TagConditions)
		set.add("AndCondition", allTags(f.AndCondition.TagConditions))
	}
	if len(f.OrConditions) > 0 {
		or := make(search.Or, len(f.OrConditions))
		for i, and := range f.OrConditions {
			n += len(and.TagConditions)
			or[i] = allTags(and.TagConditions)
		}
		set.add("OrConditions", or)
	}
	if f.TagCondition != nil {
		set.add("TagCondition", tagQuery(*f.TagCondition))
	}
	return set.query("AttributeFilter", n)
}

// HierarchyFilter turns a hierarchy condition into a query.
type HierarchyFilter func(*types.HierarchyGroupCondition) (search.Query, error)

// UserAttributeFilter turns a ControlPlaneUserAttributeFilter into a query;
// nil when there is none.
func UserAttributeFilter(f *types.ControlPlaneUserAttributeFilter, hierarchy HierarchyFilter) (search.Query, error) {
	if f == nil {
		return nil, nil
	}
	type attributes = attributesAnd[types.HierarchyGroupCondition]
	convert := func(c types.AttributeAndCondition) attributes {
		return attributes{c.TagConditions, c.HierarchyGroupCondition}
	}
	q := attributesFilter[types.HierarchyGroupCondition]{
		or: Map(f.OrConditions, convert), tag: f.TagCondition, other: f.HierarchyGroupCondition, named: "HierarchyGroupCondition",
	}
	if f.AndCondition != nil {
		q.and = []attributes{convert(*f.AndCondition)}
	}
	return q.query("UserAttributeFilter", hierarchy)
}

// FlowTypeFilter turns a condition on the type of a flow into a query.
type FlowTypeFilter func(*types.ContactFlowTypeCondition) (search.Query, error)

// FlowAttributeFilter turns a ContactFlowAttributeFilter into a query; nil when
// there is none.
func FlowAttributeFilter(f *types.ContactFlowAttributeFilter, flowType FlowTypeFilter) (search.Query, error) {
	if f == nil {
		return nil, nil
	}
	type attributes = attributesAnd[types.ContactFlowTypeCondition]
	convert := func(c types.ContactFlowAttributeAndCondition) attributes {
		return attributes{c.TagConditions, c.ContactFlowTypeCondition}
	}
	q := attributesFilter[types.ContactFlowTypeCondition]{
		or: Map(f.OrConditions, convert), tag: f.TagCondition, other: f.ContactFlowTypeCondition, named: "ContactFlowTypeCondition",
	}
	if f.AndCondition != nil {
		q.and = []attributes{convert(*f.AndCondition)}
	}
	return q.query("FlowAttributeFilter", flowType)
}

// attributesFilter is a filter by tags and by one other condition. AWS's types
// for it differ by kind in nothing but names.
type attributesFilter[C any] struct {
	and   []attributesAnd[C] // at most one
	or    []attributesAnd[C]
	tag   *types.TagCondition
	other *C
	named string // the member that other is
}

// attributesAnd are conditions that must all match.
type attributesAnd[C any] struct {
	tags  []types.TagCondition
	other *C
}

func (f *attributesFilter[C]) query(filter string, condition func(*C) (search.Query, error)) (search.Query, error) {
	n := 0
	all := func(list []attributesAnd[C]) ([]search.Query, error) {
		out := make([]search.Query, len(list))
		for i, c := range list {
			n += len(c.tags)
			and := allTags(c.tags)
			if c.other != nil {
				q, err := condition(c.other)
				if err != nil {
					return nil, err
				}
				and = append(and, q)
			}
			out[i] = and
		}
		return out, nil
	}
	var set oneOf
	if len(f.and) > 0 {
		and, err := all(f.and)
		if err != nil {
			return nil, err
		}
		set.add("AndCondition", search.And(and))
	}
	if len(f.or) > 0 {
		or, err := all(f.or)
		if err != nil {
			return nil, err
		}
		set.add("OrConditions", search.Or(or))
	}
	if f.tag != nil {
		set.add("TagCondition", tagQuery(*f.tag))
	}
	if f.other != nil {
		q, err := condition(f.other)
		if err != nil {
			return nil, err
		}
		set.add(f.named, q)
	}
	return set.query(filter, n)
}

// oneOf gathers the members of a filter, of which only one may be set.
type oneOf struct {
	names []string
	q     search.Query
}

func (o *oneOf) add(name string, q search.Query) { o.names, o.q = append(o.names, name), q }

func (o *oneOf) query(filter string, tagConditions int) (search.Query, error) {
	if tagConditions > maxTagConditions {
		return nil, fault.New(fault.InvalidParameter, "%s must include at most %d tag conditions", filter, maxTagConditions)
	}
	if len(o.names) > 1 {
		return nil, fault.New(fault.InvalidParameter, "%s: only one of %s may be set", filter, strings.Join(o.names, ", "))
	}
	return o.q, nil
}

func allTags(list []types.TagCondition) search.And {
	and := make(search.And, len(list))
	for i, c := range list {
		and[i] = tagQuery(c)
	}
	return and
}

// tagQuery matches a key with exactly a value; without a value, with any.
func tagQuery(c types.TagCondition) search.Query {
	var q search.Tag
	if c.TagKey != nil {
		q.Key = *c.TagKey
	}
	if c.TagValue != nil {
		q.Value = *c.TagValue
	}
	q.AnyValue = q.Value == ""
	return q
}

// TagTerms are the distinct tags of all resources of a kind in an instance.
func (c *Catalog) TagTerms(sc Scope, kind domain.Kind) []search.TagTerm {
	return c.index.TagTerms(int64(sc.PK), uint8(kind))
}
