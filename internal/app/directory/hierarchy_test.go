package directory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// structure is a structure with the first n of the names, which may hold ""
// for a level that is left out.
func structure(names ...string) func(n int) *types.HierarchyStructureUpdate {
	return func(n int) *types.HierarchyStructureUpdate {
		s := new(types.HierarchyStructureUpdate)
		for i, m := range []**types.HierarchyLevelUpdate{&s.LevelOne, &s.LevelTwo, &s.LevelThree, &s.LevelFour, &s.LevelFive} {
			if i < n && names[i] != "" {
				*m = &types.HierarchyLevelUpdate{Name: &names[i]}
			}
		}
		return s
	}
}

func levels(s *types.HierarchyStructure) []*types.HierarchyLevel {
	all := []*types.HierarchyLevel{s.LevelOne, s.LevelTwo, s.LevelThree, s.LevelFour, s.LevelFive}
	return slices.DeleteFunc(all, func(l *types.HierarchyLevel) bool { return l == nil })
}

func TestHierarchyStructure(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s, types.DirectoryTypeSaml)
	describe := func(t *testing.T) []*types.HierarchyLevel {
		t.Helper()
		out, err := c.DescribeUserHierarchyStructure(t.Context(), &connect.DescribeUserHierarchyStructureInput{InstanceId: &c.id})
		ok(t, err)
		if out.HierarchyStructure == nil {
			t.Fatal("HierarchyStructure is absent")
		}
		return levels(out.HierarchyStructure)
	}
	update := func(names ...string) error {
		_, err := c.UpdateUserHierarchyStructure(t.Context(), &connect.UpdateUserHierarchyStructureInput{
			InstanceId: &c.id, HierarchyStructure: structure(names...)(len(names)),
		})
		return err
	}
	names := func(list []*types.HierarchyLevel) string {
		var s []string
		for _, l := range list {
			s = append(s, *l.Name)
		}
		return strings.Join(s, " ")
	}

	if got := describe(t); len(got) != 0 {
		t.Errorf("a new instance has levels %s", names(got))
	}
	ok(t, update("Region", "Site", "Team"))
	first := describe(t)
	same(t, "levels", names(first), "Region Site Team")
	for i, l := range first {
		id := string(rune('1' + i))
		if *l.Id != id || *l.Arn != c.arn+"/agent-group-level/"+id || *l.LastModifiedRegion != servertest.Region || l.LastModifiedTime.IsZero() {
			t.Errorf("level %d is %+v", i+1, l)
		}
	}

	ok(t, update("Region", "Country", "Team", "Squad", strings.Repeat("é", 50)))
	second := describe(t)
	for i := range first {
		renamed := i == 1
		if *second[i].Id != *first[i].Id || second[i].LastModifiedTime.Equal(*first[i].LastModifiedTime) == renamed {
			t.Errorf("level %d was %+v and is %+v", i+1, first[i], second[i])
		}
	}

	group := c.group(t, "EMEA", "")
	ok(t, update("Region"))
	same(t, "levels", names(describe(t)), "Region")
	err := update()
	fails(t, err, fault.ResourceInUse, group)
	inUse(t, err, types.ResourceTypeHierarchyLevel, c.arn+"/agent-group-level/1")
	_, err = c.DeleteUserHierarchyGroup(t.Context(), &connect.DeleteUserHierarchyGroupInput{InstanceId: &c.id, HierarchyGroupId: &group})
	ok(t, err)
	ok(t, update())
	same(t, "number of levels", len(describe(t)), 0)

	for name, bad := range map[string]struct {
		names []string
		code  fault.Code
	}{
		"gap":       {[]string{"Region", "", "Team"}, fault.InvalidRequest},
		"no first":  {[]string{"", "Site"}, fault.InvalidRequest},
		"long name": {[]string{strings.Repeat("x", 51)}, fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) { fails(t, update(bad.names...), bad.code, "HierarchyStructure") })
	}
	t.Run("empty name", func(t *testing.T) {
		_, err := c.UpdateUserHierarchyStructure(t.Context(), &connect.UpdateUserHierarchyStructureInput{
			InstanceId: &c.id, HierarchyStructure: &types.HierarchyStructureUpdate{LevelOne: &types.HierarchyLevelUpdate{Name: aws.String("")}},
		})
		fails(t, err, fault.InvalidParameter)
	})
}

// inUse checks what a ResourceInUseException says is in use.
func inUse(t *testing.T, err error, kind types.ResourceType, arn string) {
	t.Helper()
	e, is := asError[*types.ResourceInUseException](err)
	if !is || e.ResourceType != kind || aws.ToString(e.ResourceId) != arn {
		t.Errorf("%+v does not say that the %s %s is in use", err, kind, arn)
	}
}

func TestHierarchyGroups(t *testing.T) {
	s := servertest.Boot(t)

	t.Run("path", func(t *testing.T) {
		c := newCentre(t, s, types.DirectoryTypeSaml)
		c.levels(t, 5)
		parent := ""
		var ids []string
		for _, name := range []string{"A", "B", "C", "D", "E"} {
			parent = c.group(t, name, parent)
			ids = append(ids, parent)
		}
		for n, id := range ids {
			out, err := c.DescribeUserHierarchyGroup(t.Context(), &connect.DescribeUserHierarchyGroupInput{InstanceId: &c.id, HierarchyGroupId: &id})
			ok(t, err)
			g := out.HierarchyGroup
			if *g.Id != id || *g.Arn != c.arn+"/agent-group/"+id || *g.LevelId != string(rune('1'+n)) || g.Tags == nil ||
				*g.LastModifiedRegion != servertest.Region || g.LastModifiedTime == nil {
				t.Errorf("group %d is %+v", n, g)
			}
			path := g.HierarchyPath
			for at, l := range []*types.HierarchyGroupSummary{path.LevelOne, path.LevelTwo, path.LevelThree, path.LevelFour, path.LevelFive} {
				switch {
				case at > n && l != nil:
					t.Errorf("path of %s goes on to %s", *g.Name, *l.Name)
				case at <= n && (l == nil || *l.Id != ids[at] || *l.Arn != c.arn+"/agent-group/"+ids[at] || *l.Name != string(rune('A'+at))):
					t.Errorf("path of %s has %+v at %d", *g.Name, l, at+1)
				}
			}
		}
		_, err := c.CreateUserHierarchyGroup(t.Context(), &connect.CreateUserHierarchyGroupInput{InstanceId: &c.id, Name: aws.String("F"), ParentGroupId: &parent})
		fails(t, err, fault.InvalidRequest, "level 6")
	})

	t.Run("names", func(t *testing.T) {
		c := newCentre(t, s, types.DirectoryTypeSaml)
		_, err := c.CreateUserHierarchyGroup(t.Context(), &connect.CreateUserHierarchyGroupInput{InstanceId: &c.id, Name: aws.String("North")})
		fails(t, err, fault.InvalidRequest, "0 levels")
		c.levels(t, 2)
		north, south := c.group(t, "North", ""), c.group(t, "South", "")
		below := c.group(t, "North", north) // another parent
		c.group(t, "north", "")             // case counts
		create := func(name, parent string) error {
			_, err := c.CreateUserHierarchyGroup(t.Context(), &connect.CreateUserHierarchyGroupInput{InstanceId: &c.id, Name: &name, ParentGroupId: &parent})
			return err
		}
		rename := func(id, name string) error {
			_, err := c.UpdateUserHierarchyGroupName(t.Context(), &connect.UpdateUserHierarchyGroupNameInput{InstanceId: &c.id, HierarchyGroupId: &id, Name: &name})
			return err
		}
		fails(t, create("North", ""), fault.DuplicateResource, `"North"`)
		fails(t, create("North", north), fault.DuplicateResource)
		fails(t, create("", ""), fault.InvalidParameter, "Name")
		fails(t, create(strings.Repeat("x", 101), ""), fault.InvalidParameter, "100")
		fails(t, create(strings.Repeat("x", 100), c.arn+"/agent-group/"+north), "")
		fails(t, create("East", c.arn+"/queue/"+north), fault.ResourceNotFound)
		fails(t, rename(south, "North"), fault.DuplicateResource)
		fails(t, rename(south, ""), fault.InvalidParameter)
		fails(t, rename(south, "South"), "")
		fails(t, rename(south, "West"), "")
		fails(t, rename(north, "Far North"), "")
		out, err := c.DescribeUserHierarchyGroup(t.Context(), &connect.DescribeUserHierarchyGroupInput{InstanceId: &c.id, HierarchyGroupId: &below})
		ok(t, err)
		same(t, "name in the path", *out.HierarchyGroup.HierarchyPath.LevelOne.Name, "Far North")
		fails(t, create("North", ""), "")
	})

	t.Run("delete", func(t *testing.T) {
		c := newCentre(t, s, types.DirectoryTypeSaml)
		c.levels(t, 2)
		north := c.group(t, "North", "")
		team := c.group(t, "Team", north)
		user := c.user(t, "jane", func(in *connect.CreateUserInput) { in.HierarchyGroupId = &team })
		remove := func(id string) error {
			_, err := c.DeleteUserHierarchyGroup(t.Context(), &connect.DeleteUserHierarchyGroupInput{InstanceId: &c.id, HierarchyGroupId: &id})
			return err
		}
		for what, id := range map[string]string{"group below": north, "user": team} {
			err := remove(id)
			fails(t, err, fault.ResourceInUse)
			if inUse(t, err, types.ResourceTypeHierarchyGroup, c.arn+"/agent-group/"+id); t.Failed() {
				t.Log(what)
			}
		}
		_, err := c.UpdateUserHierarchy(t.Context(), &connect.UpdateUserHierarchyInput{InstanceId: &c.id, UserId: &user})
		ok(t, err)
		ok(t, remove(team))
		ok(t, remove(north))
		fails(t, remove(north), fault.ResourceNotFound, north)
	})

	t.Run("list and search", func(t *testing.T) {
		c := newCentre(t, s, types.DirectoryTypeSaml)
		c.levels(t, 2)
		ids := map[string]string{}
		for _, name := range []string{"North", "South"} {
			ids[name] = c.group(t, name, "")
		}
		for _, name := range []string{"Team 1", "Team 2"} {
			ids[name] = c.group(t, name, ids["North"])
		}
		_, err := c.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: aws.String(c.arn + "/agent-group/" + ids["South"]), Tags: map[string]string{"unit": "sales"}})
		ok(t, err)

		var listed []string
		pages := connect.NewListUserHierarchyGroupsPaginator(c, &connect.ListUserHierarchyGroupsInput{InstanceId: &c.id, MaxResults: aws.Int32(3)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			ok(t, err)
			for _, g := range page.UserHierarchyGroupSummaryList {
				listed = append(listed, *g.Name)
			}
		}
		same(t, "list", listed, []string{"North", "South", "Team 1", "Team 2"})

		find := func(criteria *types.UserHierarchyGroupSearchCriteria, filter *types.ControlPlaneAttributeFilter) (names []string, err error) {
			in := &connect.SearchUserHierarchyGroupsInput{InstanceId: &c.id, MaxResults: aws.Int32(2), SearchCriteria: criteria}
			if filter != nil {
				in.SearchFilter = &types.UserHierarchyGroupSearchFilter{AttributeFilter: filter}
			}
			total := int64(0)
			pages := connect.NewSearchUserHierarchyGroupsPaginator(c, in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				if err != nil {
					return nil, err
				}
				for _, g := range page.UserHierarchyGroups {
					names = append(names, *g.Name+" "+*g.LevelId)
				}
				total = *page.ApproximateTotalCount
			}
			same(t, "ApproximateTotalCount", int(total), len(names))
			return names, nil
		}
		root := ""
		out, err := c.SearchUserHierarchyGroups(t.Context(), &connect.SearchUserHierarchyGroupsInput{InstanceId: &c.id, SearchCriteria: groupField("levelId", "0", "EXACT")})
		ok(t, err)
		if len(out.UserHierarchyGroups) != 1 || out.UserHierarchyGroups[0].HierarchyPath.LevelOne != nil {
			t.Fatalf("at level 0 there is %+v", out.UserHierarchyGroups)
		}
		root = *out.UserHierarchyGroups[0].Id

		all := []string{"Root 0", "North 1", "South 1", "Team 1 2", "Team 2 2"}
		for name, q := range map[string]struct {
			criteria *types.UserHierarchyGroupSearchCriteria
			filter   *types.ControlPlaneAttributeFilter
			want     []string
			code     fault.Code
		}{
			"all":            {nil, nil, all, ""},
			"empty":          {&types.UserHierarchyGroupSearchCriteria{}, nil, all, ""},
			"name":           {groupField("name", "NORTH", "EXACT"), nil, []string{"North 1"}, ""},
			"prefix":         {groupField("name", "team", "STARTS_WITH"), nil, []string{"Team 1 2", "Team 2 2"}, ""},
			"part":           {groupField("name", "ut", "CONTAINS"), nil, []string{"South 1"}, ""},
			"parent":         {groupField("parentId", ids["North"], "EXACT"), nil, []string{"Team 1 2", "Team 2 2"}, ""},
			"root as parent": {groupField("parentId", root, "EXACT"), nil, []string{"North 1", "South 1"}, ""},
			"level":          {groupField("levelId", "2", "EXACT"), nil, []string{"Team 1 2", "Team 2 2"}, ""},
			"id":             {groupField("resourceId", ids["South"], "EXACT"), nil, []string{"South 1"}, ""},
			"and": {&types.UserHierarchyGroupSearchCriteria{AndConditions: []types.UserHierarchyGroupSearchCriteria{
				*groupField("levelId", "1", "EXACT"), *groupField("name", "no", "STARTS_WITH"),
			}}, nil, []string{"North 1"}, ""},
			"or": {&types.UserHierarchyGroupSearchCriteria{OrConditions: []types.UserHierarchyGroupSearchCriteria{
				*groupField("name", "South", "EXACT"), *groupField("name", "Team 1", "EXACT"),
			}}, nil, []string{"South 1", "Team 1 2"}, ""},
			"tag": {
				nil, &types.ControlPlaneAttributeFilter{TagCondition: &types.TagCondition{TagKey: aws.String("unit"), TagValue: aws.String("sales")}},
				[]string{"South 1"},
				"",
			},
			"unknown field":  {groupField("description", "x", "EXACT"), nil, nil, fault.InvalidParameter},
			"inner field":    {groupField("ancestors", root, "EXACT"), nil, nil, fault.InvalidParameter},
			"part of an id":  {groupField("levelId", "1", "STARTS_WITH"), nil, nil, fault.InvalidParameter},
			"part too short": {groupField("name", "o", "CONTAINS"), nil, nil, fault.InvalidParameter},
			"two at a level": {&types.UserHierarchyGroupSearchCriteria{
				StringCondition: groupField("name", "x", "EXACT").StringCondition,
				OrConditions:    []types.UserHierarchyGroupSearchCriteria{*groupField("name", "x", "EXACT")},
			}, nil, nil, fault.InvalidParameter},
		} {
			t.Run(name, func(t *testing.T) {
				got, err := find(q.criteria, q.filter)
				fails(t, err, q.code)
				same(t, "found", got, q.want)
			})
		}

		t.Run("root is fixed", func(t *testing.T) {
			_, err := c.UpdateUserHierarchyGroupName(t.Context(), &connect.UpdateUserHierarchyGroupNameInput{InstanceId: &c.id, HierarchyGroupId: &root, Name: aws.String("x")})
			fails(t, err, fault.InvalidRequest, "root")
			_, err = c.DeleteUserHierarchyGroup(t.Context(), &connect.DeleteUserHierarchyGroupInput{InstanceId: &c.id, HierarchyGroupId: &root})
			fails(t, err, fault.InvalidRequest, "root")
			in := c.newUser(t, "jane")
			in.HierarchyGroupId = &root
			_, err = c.CreateUser(t.Context(), in)
			fails(t, err, fault.InvalidRequest, "root")
			user := c.user(t, "jack")
			_, err = c.UpdateUserHierarchy(t.Context(), &connect.UpdateUserHierarchyInput{InstanceId: &c.id, UserId: &user, HierarchyGroupId: &root})
			fails(t, err, fault.InvalidRequest, "root")
			c.group(t, "West", root) // as good as none
		})
	})
}

func groupField(name, value, op string) *types.UserHierarchyGroupSearchCriteria {
	return &types.UserHierarchyGroupSearchCriteria{StringCondition: stringCondition(name, value, op)}
}

func stringCondition(name, value, op string) *types.StringCondition {
	return &types.StringCondition{FieldName: &name, Value: &value, ComparisonType: types.StringComparisonType(op)}
}

func TestHierarchyGroupQuota(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 500 groups")
	}
	s := servertest.Boot(t, func(c *server.Config) { c.Quotas = true })
	c := newCentre(t, s, types.DirectoryTypeSaml)
	c.levels(t, 1)
	for i := range 500 {
		c.group(t, "Group "+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10)), "")
	}
	_, err := c.CreateUserHierarchyGroup(t.Context(), &connect.CreateUserHierarchyGroupInput{InstanceId: &c.id, Name: aws.String("One more")})
	fails(t, err, fault.LimitExceeded)
}
