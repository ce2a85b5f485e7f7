package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
)

// searchable is a world with three things:
//
//	red    {env: prod, team: a}  in colour red
//	green  {env: test, team: a}  in colour green
//	bare   no tags               in colour red
func searchable(t *testing.T) (*world, []*catalog.Item[thing]) {
	w := newWorld(t, 0)
	var made []*catalog.Item[thing]
	for _, e := range []struct {
		thing
		tags map[string]string
	}{
		{thing{Name: "red", Colour: "red"}, map[string]string{"env": "prod", "team": "a"}},
		{thing{Name: "Green", Colour: "green"}, map[string]string{"env": "test", "team": "a"}},
		{thing{Name: "bare", Colour: "red"}, nil},
	} {
		i, err := w.things.Create(w.ctx, w.one, &e.thing, e.tags)
		ok(t, err)
		made = append(made, i)
	}
	return w, made
}

func (w *world) found(t *testing.T, q search.Query) []string {
	t.Helper()
	items, next, total, err := w.things.Search(w.ctx, w.one, q, catalog.Page{})
	ok(t, err)
	if next != nil || *total != int64(len(items)) {
		t.Errorf("found %d, total %d, next %v", len(items), *total, next)
	}
	return names(items)
}

func tagged(key, value string) types.TagCondition {
	c := types.TagCondition{TagKey: &key}
	if value != "" {
		c.TagValue = &value
	}
	return c
}

func repeat[T any](v T, n int) []T { return slices.Repeat([]T{v}, n) }

func TestFilters(t *testing.T) {
	w, _ := searchable(t)
	prod, test, team := tagged("env", "prod"), tagged("env", "test"), tagged("team", "")
	both := types.CommonAttributeAndCondition{TagConditions: []types.TagCondition{prod, team}}
	hierarchy := func(c *types.HierarchyGroupCondition) (search.Query, error) {
		if *c.Value == "" {
			return nil, fault.New(fault.InvalidParameter, "no group")
		}
		return search.Key{Field: "colour", Values: []string{*c.Value}}, nil // stands for a group
	}
	group := &types.HierarchyGroupCondition{Value: ptr("red")}
	tag := func(f types.ControlPlaneTagFilter) func() (search.Query, error) {
		return func() (search.Query, error) { return catalog.TagFilter(&f) }
	}
	attribute := func(f types.ControlPlaneAttributeFilter) func() (search.Query, error) {
		return func() (search.Query, error) { return catalog.AttributeFilter(&f) }
	}
	user := func(f types.ControlPlaneUserAttributeFilter) func() (search.Query, error) {
		return func() (search.Query, error) { return catalog.UserAttributeFilter(&f, hierarchy) }
	}
	flow := func(f types.ContactFlowAttributeFilter) func() (search.Query, error) {
		return func() (search.Query, error) {
			return catalog.FlowAttributeFilter(&f, func(c *types.ContactFlowTypeCondition) (search.Query, error) {
				if c.ContactFlowType == "" {
					return nil, fault.New(fault.InvalidParameter, "no type")
				}
				return search.Key{Field: "colour", Values: []string{string(c.ContactFlowType)}}, nil // stands for a type
			})
		}
	}
	flowType := &types.ContactFlowTypeCondition{ContactFlowType: "red"}
	type tags = []types.TagCondition
	type flowAnd = types.ContactFlowAttributeAndCondition
	all := []string{"red", "Green", "bare"}
	for name, c := range map[string]struct {
		filter func() (search.Query, error)
		want   []string
		code   fault.Code
	}{
		"tag: empty":         {tag(types.ControlPlaneTagFilter{}), all, ""},
		"tag: one":           {tag(types.ControlPlaneTagFilter{TagCondition: &prod}), []string{"red"}, ""},
		"tag: any value":     {tag(types.ControlPlaneTagFilter{TagCondition: &team}), []string{"red", "Green"}, ""},
		"tag: and":           {tag(types.ControlPlaneTagFilter{AndConditions: tags{test, team}}), []string{"Green"}, ""},
		"tag: and, none":     {tag(types.ControlPlaneTagFilter{AndConditions: tags{test, prod}}), []string{}, ""},
		"tag: or of ands":    {tag(types.ControlPlaneTagFilter{OrConditions: []([]types.TagCondition){{test, prod}, {prod, team}}}), []string{"red"}, ""},
		"tag: case of value": {tag(types.ControlPlaneTagFilter{TagCondition: ptr(tagged("env", "PROD"))}), []string{}, ""},
		"tag: case of key":   {tag(types.ControlPlaneTagFilter{TagCondition: ptr(tagged("ENV", "prod"))}), []string{}, ""},
		"tag: two members": {
			tag(types.ControlPlaneTagFilter{AndConditions: tags{test}, TagCondition: &prod}), nil, fault.InvalidParameter,
		},
		"tag: 25":       {tag(types.ControlPlaneTagFilter{AndConditions: repeat(team, 25)}), []string{"red", "Green"}, ""},
		"tag: 26":       {tag(types.ControlPlaneTagFilter{AndConditions: repeat(team, 26)}), nil, fault.InvalidParameter},
		"tag: 26 in or": {tag(types.ControlPlaneTagFilter{OrConditions: [][]types.TagCondition{repeat(team, 13), repeat(team, 13)}}), nil, fault.InvalidParameter},

		"attribute: empty": {attribute(types.ControlPlaneAttributeFilter{}), all, ""},
		"attribute: one":   {attribute(types.ControlPlaneAttributeFilter{TagCondition: &test}), []string{"Green"}, ""},
		"attribute: and":   {attribute(types.ControlPlaneAttributeFilter{AndCondition: &both}), []string{"red"}, ""},
		"attribute: or": {
			attribute(types.ControlPlaneAttributeFilter{OrConditions: []types.CommonAttributeAndCondition{both, {TagConditions: tags{test}}}}),
			[]string{"red", "Green"},
			"",
		},
		"attribute: two members": {
			attribute(types.ControlPlaneAttributeFilter{AndCondition: &both, TagCondition: &test}), nil, fault.InvalidParameter,
		},
		"attribute: 26": {
			attribute(types.ControlPlaneAttributeFilter{AndCondition: &types.CommonAttributeAndCondition{TagConditions: repeat(team, 26)}}),
			nil, fault.InvalidParameter,
		},

		"user: empty": {user(types.ControlPlaneUserAttributeFilter{}), all, ""},
		"user: tag":   {user(types.ControlPlaneUserAttributeFilter{TagCondition: &prod}), []string{"red"}, ""},
		"user: group": {user(types.ControlPlaneUserAttributeFilter{HierarchyGroupCondition: group}), []string{"red", "bare"}, ""},
		"user: and": {
			user(types.ControlPlaneUserAttributeFilter{AndCondition: &types.AttributeAndCondition{TagConditions: tags{team}, HierarchyGroupCondition: group}}),
			[]string{"red"},
			"",
		},
		"user: or": {
			user(types.ControlPlaneUserAttributeFilter{OrConditions: []types.AttributeAndCondition{{TagConditions: tags{test}}, {HierarchyGroupCondition: group}}}),
			all, "",
		},
		"user: two members": {
			user(types.ControlPlaneUserAttributeFilter{TagCondition: &prod, HierarchyGroupCondition: group}), nil, fault.InvalidParameter,
		},
		"user: 26": {
			user(types.ControlPlaneUserAttributeFilter{OrConditions: []types.AttributeAndCondition{{TagConditions: repeat(team, 20)}, {TagConditions: repeat(team, 6)}}}),
			nil, fault.InvalidParameter,
		},
		"flow: empty": {flow(types.ContactFlowAttributeFilter{}), all, ""},
		"flow: tag":   {flow(types.ContactFlowAttributeFilter{TagCondition: &test}), []string{"Green"}, ""},
		"flow: type":  {flow(types.ContactFlowAttributeFilter{ContactFlowTypeCondition: flowType}), []string{"red", "bare"}, ""},
		"flow: and": {
			flow(types.ContactFlowAttributeFilter{AndCondition: &flowAnd{TagConditions: tags{team}, ContactFlowTypeCondition: flowType}}), []string{"red"}, "",
		},
		"flow: or": {
			flow(types.ContactFlowAttributeFilter{OrConditions: []flowAnd{{TagConditions: tags{test}}, {ContactFlowTypeCondition: flowType}}}), all, "",
		},
		"flow: two members": {
			flow(types.ContactFlowAttributeFilter{TagCondition: &prod, ContactFlowTypeCondition: flowType}), nil, fault.InvalidParameter,
		},
		"flow: 26": {
			flow(types.ContactFlowAttributeFilter{OrConditions: []flowAnd{{TagConditions: repeat(team, 20)}, {TagConditions: repeat(team, 6)}}}), nil, fault.InvalidParameter,
		},
		"flow: bad type": {
			flow(types.ContactFlowAttributeFilter{ContactFlowTypeCondition: &types.ContactFlowTypeCondition{}}), nil, fault.InvalidParameter,
		},

		"user: bad group in and": {
			user(types.ControlPlaneUserAttributeFilter{AndCondition: &types.AttributeAndCondition{HierarchyGroupCondition: &types.HierarchyGroupCondition{Value: ptr("")}}}),
			nil, fault.InvalidParameter,
		},
		"user: bad group in or": {
			user(types.ControlPlaneUserAttributeFilter{OrConditions: []types.AttributeAndCondition{{HierarchyGroupCondition: &types.HierarchyGroupCondition{Value: ptr("")}}}}),
			nil, fault.InvalidParameter,
		},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := c.filter()
			fails(t, err, c.code)
			if err != nil {
				return
			}
			if got := w.found(t, q); !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
	t.Run("no filter", func(t *testing.T) {
		for _, err := range []error{
			second(catalog.TagFilter(nil)), second(catalog.AttributeFilter(nil)), second(catalog.UserAttributeFilter(nil, hierarchy)),
		} {
			fails(t, err, "")
		}
	})
}

func second(_ search.Query, err error) error { return err }

func TestCriteria(t *testing.T) {
	w, made := searchable(t)
	str := func(field string, how types.StringComparisonType, value string) catalog.Leaf {
		return w.things.String(&types.StringCondition{FieldName: &field, ComparisonType: how, Value: &value})
	}
	leaf := func(l catalog.Leaf) catalog.Criteria { return catalog.Criteria{Leaves: []catalog.Leaf{l}} }
	const exact, prefix, contains = types.StringComparisonTypeExact, types.StringComparisonTypeStartsWith, types.StringComparisonTypeContains
	red, green := leaf(str("name", exact, "red")), leaf(str("name", exact, "green"))
	all := []string{"red", "Green", "bare"}
	type list = []catalog.Criteria
	for name, c := range map[string]struct {
		give catalog.Criteria
		want []string
		code fault.Code
	}{
		"nothing":                {catalog.Criteria{}, all, ""},
		"absent leaf":            {leaf(w.things.String(nil)), all, ""},
		"exact, any case":        {green, []string{"Green"}, ""},
		"prefix":                 {leaf(str("NAME", prefix, "B")), []string{"bare"}, ""},
		"contains":               {leaf(str("name", contains, "RE")), all, ""},
		"no comparison is exact": {leaf(str("name", "", "re")), []string{}, ""},
		"key":                    {leaf(str("colour", exact, "red")), []string{"red", "bare"}, ""},
		"key, by part":           {leaf(str("colour", prefix, "red")), nil, fault.InvalidParameter},
		"id":                     {leaf(str("resourceId", exact, made[1].ID)), []string{"Green"}, ""},
		"ARN for an id":          {leaf(str("resourceID", exact, w.one.ARN(domain.KindPrompt, made[1].ID))), []string{"Green"}, ""},
		"bad ARN for an id":      {leaf(str("resourceID", exact, "arn:x")), nil, fault.InvalidParameter},
		"unknown field":          {leaf(str("size", exact, "red")), nil, fault.InvalidParameter},
		"no field":               {leaf(w.things.String(&types.StringCondition{Value: ptr("red")})), nil, fault.InvalidParameter},
		"unknown comparison":     {leaf(str("name", "LIKE", "red")), nil, fault.InvalidParameter},
		"contains of 1":          {leaf(str("name", contains, "r")), nil, fault.InvalidParameter},
		"contains of 25":         {leaf(str("name", contains, strings.Repeat("ä", 25))), []string{}, ""},
		"contains of 26":         {leaf(str("name", contains, strings.Repeat("r", 26))), nil, fault.InvalidParameter},
		"and":                    {catalog.Criteria{And: list{leaf(str("colour", exact, "red")), leaf(str("name", prefix, "b"))}}, []string{"bare"}, ""},
		"or":                     {catalog.Criteria{Or: list{red, green}}, []string{"red", "Green"}, ""},
		"or of ands":             {catalog.Criteria{Or: list{{And: list{red, green}}, {And: list{green, green}}}}, []string{"Green"}, ""},
		"and of ors":             {catalog.Criteria{And: list{{Or: list{red, green}}, {Or: list{green}}}}, []string{"Green"}, ""},
		"empty within or":        {catalog.Criteria{Or: list{red, {}}}, all, ""},
		"and with or":            {catalog.Criteria{And: list{red}, Or: list{green}}, nil, fault.InvalidParameter},
		"and with a leaf":        {catalog.Criteria{And: list{red}, Leaves: red.Leaves}, nil, fault.InvalidParameter},
		"two leaves":             {catalog.Criteria{Leaves: []catalog.Leaf{red.Leaves[0], green.Leaves[0]}}, nil, fault.InvalidParameter},
		"two, deep down":         {catalog.Criteria{Or: list{red, {And: list{red}, Or: list{red}}}}, nil, fault.InvalidParameter},
		"bad, deep down":         {catalog.Criteria{And: list{red, leaf(str("size", exact, ""))}}, nil, fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			q, err := c.give.Query()
			fails(t, err, c.code)
			if err != nil {
				return
			}
			if got := w.found(t, q); !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
	t.Run("narrowed", func(t *testing.T) {
		q, err := catalog.Narrow(leaf(str("colour", exact, "red")), search.Tag{Key: "env", AnyValue: true})
		ok(t, err)
		if got := w.found(t, q); !slices.Equal(got, []string{"red"}) {
			t.Errorf("found %q, want red alone", got)
		}
	})
	t.Run("pages", func(t *testing.T) {
		got := pages(t, 2, func(p catalog.Page) ([]string, *string, error) {
			items, next, total, err := w.things.Search(w.ctx, w.one, nil, p)
			if err == nil && *total != 3 {
				t.Errorf("total is %d on every page, got %d", 3, *total)
			}
			return names(items), next, err
		})
		if !slices.EqualFunc(got, [][]string{{"red", "Green"}, {"bare"}}, slices.Equal) {
			t.Errorf("pages are %q", got)
		}
	})
}

func TestStringMatch(t *testing.T) {
	for how, want := range map[types.StringComparisonType][]string{
		types.StringComparisonTypeExact:      {"Ab"},
		types.StringComparisonTypeStartsWith: {"Ab", "aBc"},
		types.StringComparisonTypeContains:   {"Ab", "aBc", "cab"},
	} {
		field, match, err := catalog.StringMatch(&types.StringCondition{FieldName: ptr("f"), Value: ptr("AB"), ComparisonType: how})
		ok(t, err)
		got := slices.DeleteFunc([]string{"Ab", "aBc", "cab", "ba"}, func(s string) bool { return !match(s) })
		if field != "f" || !slices.Equal(got, want) {
			t.Errorf("%s of %s accepts %q, want %q", how, field, got, want)
		}
	}
	_, _, err := catalog.StringMatch(&types.StringCondition{})
	fails(t, err, fault.InvalidParameter)
}
