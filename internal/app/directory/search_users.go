package directory

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
)

// The index fields of a user that conditions of their own ask for.
const (
	fieldHierarchyGroup = "hierarchygroup"
	fieldProficiency    = "proficiency"
)

// maxHierarchyConditions: AWS API reference, ControlPlaneUserAttributeFilter.
const maxHierarchyConditions = 20

func indexHierarchy(e *domain.User, d *search.Doc) {
	if e.HierarchyGroupID != "" {
		d.Keys[fieldHierarchyGroup] = []string{string(e.HierarchyGroupID)}
	}
}

func indexProficiencies(e *domain.User, d *search.Doc) {
	if len(e.Proficiencies) == 0 {
		return
	}
	d.Tuples = map[string][]search.Tuple{fieldProficiency: catalog.Map(e.Proficiencies, func(p domain.Proficiency) search.Tuple {
		return search.Tuple{Name: p.Name, Value: p.Value, Level: float64(p.Level)}
	})}
}

// SearchUsers finds users by criteria and by a filter of tags and hierarchy
// groups.
func (d *Directory) SearchUsers(ctx context.Context, in *connect.SearchUsersInput) (*connect.SearchUsersOutput, error) {
	sc, err := d.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	filter, err := d.userFilter(ctx, sc, in.SearchFilter)
	if err != nil {
		return nil, err
	}
	criteria := userCriteria{d, func(c *types.HierarchyGroupCondition) (search.Query, error) {
		return d.inHierarchy(ctx, sc, c)
	}}
	q, err := catalog.Narrow(criteria.of(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := d.users.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchUsersOutput{
		Users: catalog.Map(found, func(i *catalog.Item[domain.User]) types.UserSearchSummary {
			return userSearchSummary(sc, i)
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

// userFilter turns the filter of a search into a query; nil when there is
// none. The two kinds of filter exclude each other, with an exception that is
// documented though not declared (AWS API reference, UserSearchFilter).
func (d *Directory) userFilter(ctx context.Context, sc catalog.Scope, f *types.UserSearchFilter) (search.Query, error) {
	switch {
	case f == nil:
		return nil, nil
	case f.TagFilter != nil && f.UserAttributeFilter != nil:
		return nil, fault.New(fault.AccessDenied, "SearchFilter: TagFilter and UserAttributeFilter must not be given together.")
	case f.TagFilter != nil:
		return catalog.TagFilter(f.TagFilter)
	}
	groups := 0
	return catalog.UserAttributeFilter(f.UserAttributeFilter, func(c *types.HierarchyGroupCondition) (search.Query, error) {
		if groups++; groups > maxHierarchyConditions {
			return nil, fault.New(fault.InvalidParameter, "UserAttributeFilter must include at most %d hierarchy group conditions", maxHierarchyConditions)
		}
		return d.inHierarchy(ctx, sc, c)
	})
}

// userCriteria turns AWS's criteria into the catalog's.
type userCriteria struct {
	d         *Directory
	hierarchy catalog.HierarchyFilter
}

func (u userCriteria) of(c *types.UserSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	out := catalog.Criteria{
		And:    catalog.Each(c.AndConditions, u.of),
		Or:     catalog.Each(c.OrConditions, u.of),
		Leaves: []catalog.Leaf{u.d.users.String(c.StringCondition)},
	}
	if c.HierarchyGroupCondition != nil {
		out.Leaves = append(out.Leaves, func() (search.Query, error) { return u.hierarchy(c.HierarchyGroupCondition) })
	}
	if c.ListCondition != nil {
		out.Leaves = append(out.Leaves, func() (search.Query, error) { return proficientIn(c.ListCondition) })
	}
	return out
}

// inHierarchy matches the users of a group or, with WITH_CHILD_GROUPS, of a
// group and all below it. A group that does not exist has no users.
func (d *Directory) inHierarchy(ctx context.Context, sc catalog.Scope, c *types.HierarchyGroupCondition) (search.Query, error) {
	if aws.ToString(c.Value) == "" {
		return nil, fault.New(fault.InvalidParameter, "HierarchyGroupCondition: Value is required")
	}
	id, err := d.hierarchyGroups.ID(sc, *c.Value)
	if err != nil {
		return nil, err
	}
	ids := []string{id}
	if c.HierarchyGroupMatchType == types.HierarchyGroupMatchTypeWithChildGroups {
		below, err := d.descendants(ctx, sc, id)
		if err != nil {
			return nil, err
		}
		ids = append(ids, below...)
	}
	return search.Key{Field: fieldHierarchyGroup, Values: ids}, nil
}

// proficientIn matches users with one proficiency that meets every condition
// of a list.
func proficientIn(c *types.ListCondition) (search.Query, error) {
	if c.TargetListType != types.TargetListTypeProficiencies {
		return nil, fault.New(fault.InvalidParameter, "ListCondition: TargetListType must be %s", types.TargetListTypeProficiencies)
	}
	if len(c.Conditions) == 0 {
		return nil, fault.New(fault.InvalidParameter, "ListCondition: Conditions must include at least 1 item")
	}
	tests := make([]func(search.Tuple) bool, len(c.Conditions))
	for i, condition := range c.Conditions {
		var err error
		switch {
		case (condition.StringCondition == nil) == (condition.NumberCondition == nil):
			return nil, fault.New(fault.InvalidParameter, "ListCondition.Conditions[%d]: exactly one of StringCondition and NumberCondition must be set", i)
		case condition.StringCondition != nil:
			tests[i], err = proficiencyWord(condition.StringCondition)
		default:
			tests[i], err = proficiencyLevel(condition.NumberCondition)
		}
		if err != nil {
			return nil, err
		}
	}
	return search.TupleMatch{Field: fieldProficiency, Match: func(t search.Tuple) bool {
		for _, test := range tests {
			if !test(t) {
				return false
			}
		}
		return true
	}}, nil
}

// proficiencyWord tests the name or the value of a proficiency.
func proficiencyWord(c *types.StringCondition) (func(search.Tuple) bool, error) {
	field, match, err := catalog.StringMatch(c)
	if err != nil {
		return nil, err
	}
	switch strings.ToLower(field) {
	case "name":
		return func(t search.Tuple) bool { return match(t.Name) }, nil
	case "value":
		return func(t search.Tuple) bool { return match(t.Value) }, nil
	default:
		return nil, fault.New(fault.InvalidParameter, "StringCondition: the FieldName of a proficiency must be name or value")
	}
}

// The levels of a proficiency.
const minLevel, maxLevel = 1, 5

// proficiencyLevel tests the level of a proficiency. A comparison with one
// number takes it from MinValue or, for the two LESSER ones, from MaxValue;
// which of them the service reads is not documented, so the other one does as
// well when it is the only one (docs/divergences.md).
func proficiencyLevel(c *types.NumberCondition) (func(search.Tuple) bool, error) {
	if !strings.EqualFold(aws.ToString(c.FieldName), "limit") {
		return nil, fault.New(fault.InvalidParameter, "NumberCondition: FieldName must be limit")
	}
	for _, v := range []*int32{c.MinValue, c.MaxValue} {
		if v != nil && (*v < minLevel || *v > maxLevel) {
			return nil, fault.New(fault.InvalidParameter, "NumberCondition: MinValue and MaxValue must be between %d and %d", minLevel, maxLevel)
		}
	}
	q, err := catalog.NumberBounds("NumberCondition", string(c.ComparisonType), catalog.Decimal(c.MinValue), catalog.Decimal(c.MaxValue))
	if err != nil {
		return nil, err
	}
	return func(t search.Tuple) bool { return (t.Level >= q.Min && t.Level <= q.Max) != q.Not }, nil
}

// userSearchSummary is a user as SearchUsers shows it: without e-mail
// addresses, and with the time limit of PhoneConfig in milliseconds, where
// DescribeUser and the limits by channel have seconds (AWS API reference,
// UserPhoneConfig).
func userSearchSummary(sc catalog.Scope, i *catalog.Item[domain.User]) types.UserSearchSummary {
	e := &i.Value
	phone := phoneConfigOut(e.PhoneConfig)
	if phone != nil {
		phone.AfterContactWorkTimeLimit *= 1000 // 2,000,000 s at most: within an int32
	}
	// A page has up to 500 users, so what the items hold is pointed at, not
	// copied.
	s := types.UserSearchSummary{
		Id:                          &i.ID,
		Arn:                         i.ARN(sc),
		Username:                    &e.Username,
		DirectoryUserId:             directoryUserID(i),
		PhoneConfig:                 phone,
		AutoAcceptConfigs:           e.AutoAcceptConfigs,
		AfterContactWorkConfigs:     e.AfterContactWorkConfigs,
		PhoneNumberConfigs:          e.PhoneNumberConfigs,
		PersistentConnectionConfigs: e.PersistentConnectionConfigs,
		VoiceEnhancementConfigs:     e.VoiceEnhancementConfigs,
		RoutingProfileId:            (*string)(&e.RoutingProfileID),
		SecurityProfileIds:          strs(e.SecurityProfileIDs),
		HierarchyGroupId:            catalog.Optional(e.HierarchyGroupID),
		Tags:                        i.TagMap(),
	}
	if info := e.IdentityInfo; info != nil {
		s.IdentityInfo = &types.UserIdentityInfoLite{FirstName: &info.FirstName, LastName: &info.LastName}
	}
	return s
}
