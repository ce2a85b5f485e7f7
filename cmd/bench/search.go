package main

import (
	"context"
	"fmt"
	"time"
)

// smallUsers is the size of the instance that the large one is compared with.
const smallUsers = 10_000

// condition is one kind of search.
type condition struct {
	name      string
	body      func(group string) string // members of the request after InstanceId
	selective bool                      // its answer does not grow with the instance
}

func criteria(s string) func(string) string {
	return func(string) string { return `"SearchCriteria":` + s }
}

func stringCondition(field, value, op string) string {
	return fmt.Sprintf(`{"StringCondition":{"FieldName":%q,"Value":%q,"ComparisonType":%q}}`, field, value, op)
}

var conditions = []condition{
	{name: "all", body: func(string) string { return `"MaxResults":100` }},
	{name: "username EXACT", selective: true, body: criteria(stringCondition("Username", "user0000042", "EXACT"))},
	{name: "username STARTS_WITH, 10", selective: true, body: criteria(stringCondition("Username", "user000004", "STARTS_WITH"))},
	{name: "username STARTS_WITH, all", body: criteria(stringCondition("Username", "user", "STARTS_WITH"))},
	{name: "username CONTAINS, rare", selective: true, body: criteria(stringCondition("Username", "edle0000017", "CONTAINS"))},
	{name: "username CONTAINS, 1 in 10,000", body: criteria(stringCondition("Username", "needle", "CONTAINS"))},
	{name: "username CONTAINS, many", body: criteria(stringCondition("Username", "r00", "CONTAINS"))},
	{name: "username CONTAINS, all", body: criteria(stringCondition("Username", "se", "CONTAINS"))},
	{name: "username CONTAINS, long", body: criteria(stringCondition("Username", "ser00012", "CONTAINS"))},
	{name: "username CONTAINS, none", selective: true, body: criteria(stringCondition("Username", "absent-here", "CONTAINS"))},
	{name: "first name EXACT", body: criteria(stringCondition("FirstName", "First42", "EXACT"))},
	{name: "last name CONTAINS", body: criteria(stringCondition("LastName", "ast12", "CONTAINS"))},
	{name: "last name STARTS_WITH, all", body: criteria(stringCondition("LastName", "last", "STARTS_WITH"))},
	{name: "hierarchy EXACT", body: func(g string) string {
		return `"SearchCriteria":{"HierarchyGroupCondition":{"Value":"` + g + `","HierarchyGroupMatchType":"EXACT"}}`
	}},
	{name: "hierarchy WITH_CHILD_GROUPS", body: func(g string) string {
		return `"SearchCriteria":{"HierarchyGroupCondition":{"Value":"` + g + `","HierarchyGroupMatchType":"WITH_CHILD_GROUPS"}}`
	}},
	{name: "proficiency", body: criteria(`{"ListCondition":{"TargetListType":"PROFICIENCIES","Conditions":[{"StringCondition":{"FieldName":"name","Value":"Language","ComparisonType":"EXACT"}},{"StringCondition":{"FieldName":"value","Value":"Lang7","ComparisonType":"EXACT"}},{"NumberCondition":{"FieldName":"limit","MinValue":3,"ComparisonType":"GREATER_OR_EQUAL"}}]}}`)},
	{name: "tag, rare", body: func(string) string {
		return `"SearchFilter":{"TagFilter":{"TagCondition":{"TagKey":"Rare","TagValue":"yes"}}}`
	}},
	{name: "tag, 1 in 50", body: func(string) string {
		return `"SearchFilter":{"TagFilter":{"TagCondition":{"TagKey":"Department","TagValue":"D7"}}}`
	}},
	{name: "tag, any value", body: func(string) string {
		return `"SearchFilter":{"TagFilter":{"TagCondition":{"TagKey":"Department"}}}`
	}},
	{name: "AND of three", body: criteria(`{"AndConditions":[` + stringCondition("Username", "user0", "STARTS_WITH") + `,` + stringCondition("FirstName", "first1", "CONTAINS") + `,` + stringCondition("LastName", "last2", "STARTS_WITH") + `]}`)},
	{name: "OR of three", body: criteria(`{"OrConditions":[` + stringCondition("Username", "99", "CONTAINS") + `,` + stringCondition("FirstName", "First4", "EXACT") + `,` + stringCondition("LastName", "last7", "CONTAINS") + `]}`)},
}

// benchSearch prints every kind of condition over a large and a small
// instance of one server.
func benchSearch(ctx context.Context, o options, bin, data string) error {
	p, err := startServer(bin, data)
	if err != nil {
		return err
	}
	defer func() { p.stop() }()
	type sized struct {
		place
		users  int
		groups []string
	}
	sizes := []*sized{{users: smallUsers}, {users: o.users}}
	for i, s := range sizes {
		if s.place, err = newPlace(ctx, p.client(), fmt.Sprintf("search-%d", i)); err != nil {
			return err
		}
		if s.groups, err = s.newGroups(ctx, p.client()); err != nil {
			return err
		}
	}
	p.stop()
	for _, s := range sizes {
		if err := populate(ctx, data, s.place, s.groups, s.users); err != nil {
			return err
		}
	}
	if p, err = startServer(bin, data); err != nil {
		return err
	}
	fmt.Printf("SearchUsers, pages of 100 with exact totals, one client; %d users: ready in %v, %d MB resident\n%-32s %12s %12s %12s %12s %8s\n",
		o.users, p.ready.Round(time.Millisecond), p.resident()>>20,
		"condition", fmt.Sprintf("p50 %d", smallUsers), fmt.Sprintf("p50 %d", o.users), fmt.Sprintf("p99 %d", smallUsers), fmt.Sprintf("p99 %d", o.users), "p50 ×")
	for _, c := range conditions {
		var got [2]result
		for i, s := range sizes {
			group := s.groups[0]
			if c.name == "hierarchy EXACT" {
				group = s.groups[7]
			}
			requests, err := p.target().signAll([]call{{"POST", "/search-users", `{"InstanceId":"` + s.id + `",` + c.body(group) + `}`}})
			if err != nil {
				return err
			}
			if got[i], err = p.target().run(requests, 1, o.length/2, false); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
		note := ""
		if c.selective {
			note = " selective"
		}
		fmt.Printf("%-32s %12v %12v %12v %12v %8.2f%s\n", c.name, got[0].p50.Round(time.Microsecond), got[1].p50.Round(time.Microsecond),
			got[0].p99.Round(time.Microsecond), got[1].p99.Round(time.Microsecond), float64(got[1].p50)/float64(got[0].p50), note)
	}
	fmt.Println("aims: p99 of 10ms for each; selective conditions at most 2.00 times the cost of the small instance")
	return nil
}
