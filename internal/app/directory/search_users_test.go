package directory_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func userField(name, value, op string) types.UserSearchCriteria {
	return types.UserSearchCriteria{StringCondition: stringCondition(name, value, op)}
}

func allOf(list ...types.UserSearchCriteria) types.UserSearchCriteria {
	return types.UserSearchCriteria{AndConditions: list}
}

func anyOf(list ...types.UserSearchCriteria) types.UserSearchCriteria {
	return types.UserSearchCriteria{OrConditions: list}
}

func inGroup(id string, match types.HierarchyGroupMatchType) *types.HierarchyGroupCondition {
	return &types.HierarchyGroupCondition{Value: &id, HierarchyGroupMatchType: match}
}

func proficient(list ...types.Condition) types.UserSearchCriteria {
	return types.UserSearchCriteria{ListCondition: &types.ListCondition{TargetListType: types.TargetListTypeProficiencies, Conditions: list}}
}

func word(field, value, op string) types.Condition {
	return types.Condition{StringCondition: stringCondition(field, value, op)}
}

// level compares the level of a proficiency; a bound of 0 is absent.
func level(op types.NumberComparisonType, least, most int32) types.Condition {
	c := &types.NumberCondition{FieldName: aws.String("limit"), ComparisonType: op}
	if least != 0 {
		c.MinValue = &least
	}
	if most != 0 {
		c.MaxValue = &most
	}
	return types.Condition{NumberCondition: c}
}

func tagged(key, value string) types.TagCondition {
	return types.TagCondition{TagKey: &key, TagValue: &value}
}

func TestSearchUsers(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s, types.DirectoryTypeSaml)
	c.levels(t, 3)
	north := c.group(t, "North", "")
	site := c.group(t, "Site", north)
	team := c.group(t, "Team", site)
	south := c.group(t, "South", "")
	c.attribute(t, "Product", "Phones", "Tablets")
	admin, agent, routing := c.securityProfile(t, "Admin"), c.securityProfile(t, "Agent"), c.routingProfile(t)

	ids := map[string]string{}
	for _, u := range []struct {
		name, group, profile string
		tags                 map[string]string
		skills               []types.UserProficiency
	}{
		{"ann", north, admin, map[string]string{"unit": "sales", "shift": "day"}, []types.UserProficiency{proficiency("Product", "Phones", 5), proficiency("Product", "Tablets", 1)}},
		{"bob", site, agent, map[string]string{"unit": "sales"}, []types.UserProficiency{proficiency("Product", "Phones", 2)}},
		{"cid", team, agent, map[string]string{"unit": "care", "shift": "day"}, []types.UserProficiency{proficiency("Product", "Phones", 3)}},
		{"dan", south, agent, nil, []types.UserProficiency{proficiency("connect:Language", "connect:French", 4)}},
		{"eve", "", agent, nil, nil},
	} {
		ids[u.name] = c.user(t, u.name, func(in *connect.CreateUserInput) {
			if u.group != "" {
				in.HierarchyGroupId = &u.group
			}
			in.SecurityProfileIds, in.Tags = []string{u.profile}, u.tags
		})
		_, err := c.AssociateUserProficiencies(t.Context(), &connect.AssociateUserProficienciesInput{
			InstanceId: &c.id, UserId: aws.String(ids[u.name]), UserProficiencies: append([]types.UserProficiency{}, u.skills...),
		})
		ok(t, err)
	}

	find := func(in connect.SearchUsersInput) (string, error) {
		in.InstanceId, in.MaxResults = &c.id, aws.Int32(2)
		var names []string
		total := int64(0)
		pages := connect.NewSearchUsersPaginator(c, &in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				return "", err
			}
			for _, u := range page.Users {
				names = append(names, *u.Username)
			}
			total = *page.ApproximateTotalCount
		}
		same(t, "ApproximateTotalCount", int(total), len(names))
		return strings.Join(names, " "), nil
	}

	exactly, below := types.HierarchyGroupMatchTypeExact, types.HierarchyGroupMatchTypeWithChildGroups
	group := func(id string, match types.HierarchyGroupMatchType) types.UserSearchCriteria {
		return types.UserSearchCriteria{HierarchyGroupCondition: inGroup(id, match)}
	}
	for name, q := range map[string]struct {
		criteria types.UserSearchCriteria
		want     string
		code     fault.Code
	}{
		"everybody":             {types.UserSearchCriteria{}, "ann bob cid dan eve", ""},
		"Username":              {userField("Username", "ANN", "EXACT"), "ann", ""},
		"Username prefix":       {userField("username", "b", "STARTS_WITH"), "bob", ""},
		"FirstName":             {userField("FirstName", "first e", "STARTS_WITH"), "eve", ""},
		"LastName":              {userField("LastName", "st da", "CONTAINS"), "dan", ""},
		"RoutingProfileId":      {userField("RoutingProfileId", routing, "EXACT"), "ann bob cid dan eve", ""},
		"RoutingProfileId, ARN": {userField("RoutingProfileId", c.arn+"/routing-profile/"+routing, "EXACT"), "ann bob cid dan eve", ""},
		"SecurityProfileId":     {userField("SecurityProfileId", admin, "EXACT"), "ann", ""},
		"resourceId":            {userField("resourceId", ids["cid"], "EXACT"), "cid", ""},
		"resourceID":            {userField("resourceID", ids["cid"], "EXACT"), "cid", ""},
		"nobody":                {userField("resourceId", domain.NewID(), "EXACT"), "", ""},
		"and":                   {allOf(userField("SecurityProfileId", agent, "EXACT"), group(north, below)), "bob cid", ""},
		"or":                    {anyOf(userField("Username", "eve", "EXACT"), userField("Username", "ann", "EXACT")), "ann eve", ""},
		"and of ors": {allOf(
			anyOf(group(south, exactly), group(site, below)),
			anyOf(userField("Username", "dan", "EXACT"), userField("Username", "cid", "EXACT"), userField("Username", "ann", "EXACT")),
		), "cid dan", ""},
		"group":             {group(north, exactly), "ann", ""},
		"group by ARN":      {group(c.arn+"/agent-group/"+north, exactly), "ann", ""},
		"group and below":   {group(north, below), "ann bob cid", ""},
		"leaf and below":    {group(team, below), "cid", ""},
		"unknown group":     {group(domain.NewID(), below), "", ""},
		"empty group":       {group("", exactly), "", fault.InvalidParameter},
		"skill":             {proficient(word("name", "product", "EXACT")), "ann bob cid", ""},
		"skill by prefix":   {proficient(word("name", "connect:", "STARTS_WITH")), "dan", ""},
		"value":             {proficient(word("value", "tab", "CONTAINS")), "ann", ""},
		"of one skill":      {proficient(word("value", "Tablets", "EXACT"), level("EQUAL", 5, 0)), "", ""},
		"at least":          {proficient(word("value", "Phones", "EXACT"), level("GREATER_OR_EQUAL", 3, 0)), "ann cid", ""},
		"more":              {proficient(word("value", "Phones", "EXACT"), level("GREATER", 3, 0)), "ann", ""},
		"at most":           {proficient(word("value", "Phones", "EXACT"), level("LESSER_OR_EQUAL", 0, 3)), "bob cid", ""},
		"less":              {proficient(word("value", "Phones", "EXACT"), level("LESSER", 0, 3)), "bob", ""},
		"less than MinV":    {proficient(word("value", "Phones", "EXACT"), level("LESSER", 3, 0)), "bob", ""},
		"equal":             {proficient(level("EQUAL", 1, 0)), "ann", ""},
		"equal to MaxV":     {proficient(level("EQUAL", 0, 1)), "ann", ""},
		"not equal":         {proficient(word("value", "Phones", "EXACT"), level("NOT_EQUAL", 3, 0)), "ann bob", ""},
		"range":             {proficient(level("RANGE", 2, 4)), "bob cid dan", ""},
		"range backwards":   {proficient(level("RANGE", 4, 2)), "", fault.InvalidParameter},
		"half a range":      {proficient(level("RANGE", 4, 0)), "", fault.InvalidParameter},
		"level 6":           {proficient(level("EQUAL", 6, 0)), "", fault.InvalidParameter},
		"no level":          {proficient(level("EQUAL", 0, 0)), "", fault.InvalidParameter},
		"no comparison":     {proficient(level("", 1, 0)), "", fault.InvalidParameter},
		"level of what":     {proficient(types.Condition{NumberCondition: &types.NumberCondition{FieldName: aws.String("level"), MinValue: aws.Int32(1), ComparisonType: "EQUAL"}}), "", fault.InvalidParameter},
		"skill field":       {proficient(word("level", "3", "EXACT")), "", fault.InvalidParameter},
		"skill, too short":  {proficient(word("name", "P", "CONTAINS")), "", fault.InvalidParameter},
		"no condition":      {proficient(), "", fault.InvalidParameter},
		"empty condition":   {proficient(types.Condition{}), "", fault.InvalidParameter},
		"condition of two":  {proficient(types.Condition{StringCondition: stringCondition("name", "x", "EXACT"), NumberCondition: level("EQUAL", 1, 0).NumberCondition}), "", fault.InvalidParameter},
		"list of what":      {types.UserSearchCriteria{ListCondition: &types.ListCondition{Conditions: []types.Condition{level("EQUAL", 1, 0)}}}, "", fault.InvalidParameter},
		"unknown field":     {userField("Email", "x", "EXACT"), "", fault.InvalidParameter},
		"inner field":       {userField("hierarchyGroup", north, "EXACT"), "", fault.InvalidParameter},
		"no field":          {types.UserSearchCriteria{StringCondition: &types.StringCondition{}}, "", fault.InvalidParameter},
		"part of an id":     {userField("resourceId", "0000", "CONTAINS"), "", fault.InvalidParameter},
		"part of 1 letter":  {userField("Username", "a", "CONTAINS"), "", fault.InvalidParameter},
		"part of 26":        {userField("Username", strings.Repeat("a", 26), "CONTAINS"), "", fault.InvalidParameter},
		"two at one level":  {types.UserSearchCriteria{StringCondition: stringCondition("Username", "ann", "EXACT"), HierarchyGroupCondition: inGroup(north, exactly)}, "", fault.InvalidParameter},
		"fault deep inside": {allOf(anyOf(allOf(userField("Email", "x", "EXACT")))), "", fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := find(connect.SearchUsersInput{SearchCriteria: &q.criteria})
			fails(t, err, q.code)
			same(t, "found", got, q.want)
		})
	}

	sales, day := tagged("unit", "sales"), tagged("shift", "day")
	andOf := func(group *types.HierarchyGroupCondition, tags ...types.TagCondition) types.AttributeAndCondition {
		return types.AttributeAndCondition{TagConditions: tags, HierarchyGroupCondition: group}
	}
	attributes := func(f types.ControlPlaneUserAttributeFilter) types.UserSearchFilter {
		return types.UserSearchFilter{UserAttributeFilter: &f}
	}
	inBoth := andOf(inGroup(site, below), day)
	for name, q := range map[string]struct {
		filter types.UserSearchFilter
		want   string
		code   fault.Code
	}{
		"none":           {types.UserSearchFilter{}, "ann bob cid dan eve", ""},
		"tag":            {types.UserSearchFilter{TagFilter: &types.ControlPlaneTagFilter{TagCondition: &sales}}, "ann bob", ""},
		"tag, any value": {types.UserSearchFilter{TagFilter: &types.ControlPlaneTagFilter{TagCondition: &types.TagCondition{TagKey: aws.String("unit")}}}, "ann bob cid", ""},
		"all tags":       {types.UserSearchFilter{TagFilter: &types.ControlPlaneTagFilter{AndConditions: []types.TagCondition{sales, day}}}, "ann", ""},
		"or of ands":     {types.UserSearchFilter{TagFilter: &types.ControlPlaneTagFilter{OrConditions: [][]types.TagCondition{{sales, day}, {tagged("unit", "care")}}}}, "ann cid", ""},
		"group":          {attributes(types.ControlPlaneUserAttributeFilter{HierarchyGroupCondition: inGroup(site, below)}), "bob cid", ""},
		"tag of user":    {attributes(types.ControlPlaneUserAttributeFilter{TagCondition: &day}), "ann cid", ""},
		"tag and group":  {attributes(types.ControlPlaneUserAttributeFilter{AndCondition: &inBoth}), "cid", ""},
		"ors":            {attributes(types.ControlPlaneUserAttributeFilter{OrConditions: []types.AttributeAndCondition{inBoth, andOf(inGroup(south, exactly))}}), "cid dan", ""},
		"two members":    {attributes(types.ControlPlaneUserAttributeFilter{TagCondition: &day, HierarchyGroupCondition: inGroup(site, below)}), "", fault.InvalidParameter},
		"21 groups": {attributes(types.ControlPlaneUserAttributeFilter{OrConditions: func() (or []types.AttributeAndCondition) {
			for range 21 {
				or = append(or, andOf(inGroup(site, exactly)))
			}
			return or
		}()}), "", fault.InvalidParameter},
		"two filters": {types.UserSearchFilter{
			TagFilter: &types.ControlPlaneTagFilter{TagCondition: &sales}, UserAttributeFilter: &types.ControlPlaneUserAttributeFilter{TagCondition: &day},
		}, "", fault.AccessDenied},
	} {
		t.Run("filter/"+name, func(t *testing.T) {
			got, err := find(connect.SearchUsersInput{SearchFilter: &q.filter})
			fails(t, err, q.code)
			same(t, "found", got, q.want)
		})
	}
	t.Run("criteria and filter", func(t *testing.T) {
		named := userField("Username", "bob", "EXACT")
		got, err := find(connect.SearchUsersInput{SearchCriteria: &named, SearchFilter: &types.UserSearchFilter{TagFilter: &types.ControlPlaneTagFilter{TagCondition: &sales}}})
		ok(t, err)
		same(t, "found", got, "bob")
	})
	t.Run("by the ARN of the instance", func(t *testing.T) {
		out, err := c.SearchUsers(t.Context(), &connect.SearchUsersInput{InstanceId: &c.arn})
		ok(t, err)
		same(t, "found", len(out.Users), 5)
	})
	t.Run("changes are seen", func(t *testing.T) {
		_, err := c.UpdateUserHierarchy(t.Context(), &connect.UpdateUserHierarchyInput{InstanceId: &c.id, UserId: aws.String(ids["eve"]), HierarchyGroupId: &team})
		ok(t, err)
		_, err = c.DeleteUser(t.Context(), &connect.DeleteUserInput{InstanceId: &c.id, UserId: aws.String(ids["ann"])})
		ok(t, err)
		in := group(north, below)
		got, err := find(connect.SearchUsersInput{SearchCriteria: &in})
		ok(t, err)
		same(t, "found", got, "bob cid eve")
	})
}

func TestSearchUsersShowsLess(t *testing.T) {
	c := newCentre(t, servertest.Boot(t), types.DirectoryTypeSaml)
	id := c.user(t, "jane", func(in *connect.CreateUserInput) {
		in.IdentityInfo.Email = aws.String("jane@example.com")
		in.PhoneConfig.AfterContactWorkTimeLimit = 2_000_000
	})
	perChannel := c.user(t, "jack", func(in *connect.CreateUserInput) {
		in.PhoneConfig = nil
		in.AfterContactWorkConfigs = []types.AfterContactWorkConfigPerChannel{{Channel: types.ChannelVoice, AfterContactWorkConfig: &types.AfterContactWorkConfig{AfterContactWorkTimeLimit: 30}}}
	})
	out, err := c.SearchUsers(t.Context(), &connect.SearchUsersInput{InstanceId: &c.id})
	ok(t, err)
	jane, jack := out.Users[0], out.Users[1]
	if *jane.Id != id || *jane.Arn != c.arn+"/agent/"+id || *jane.IdentityInfo.FirstName != "First jane" || *jane.IdentityInfo.LastName != "Last jane" ||
		jane.PhoneConfig.AfterContactWorkTimeLimit != 2_000_000_000 || *jane.PhoneConfig.DeskPhoneNumber != "" || jane.Tags == nil ||
		len(jane.SecurityProfileIds) != 1 || jane.HierarchyGroupId != nil || *jane.DirectoryUserId == "" {
		t.Errorf("found %+v", jane)
	}
	if *jack.Id != perChannel || jack.PhoneConfig != nil || jack.AfterContactWorkConfigs[0].AfterContactWorkConfig.AfterContactWorkTimeLimit != 30 {
		t.Errorf("found %+v", jack)
	}
}
