package directory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
	"ringdown/internal/starter"
)

// permissions pages through what a profile permits.
func (c *centre) permissions(t *testing.T, profile string, pageSize int32) []string {
	t.Helper()
	var all []string
	pages := connect.NewListSecurityProfilePermissionsPaginator(c, &connect.ListSecurityProfilePermissionsInput{
		InstanceId: &c.id, SecurityProfileId: &profile, MaxResults: &pageSize,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		ok(t, err)
		if page.Permissions == nil || page.LastModifiedTime == nil || *page.LastModifiedRegion != servertest.Region {
			t.Errorf("page is %+v", page)
		}
		all = append(all, page.Permissions...)
	}
	return all
}

func (c *centre) profile(t *testing.T, id string) *types.SecurityProfile {
	t.Helper()
	out, err := c.DescribeSecurityProfile(t.Context(), &connect.DescribeSecurityProfileInput{InstanceId: &c.id, SecurityProfileId: &id})
	ok(t, err)
	return out.SecurityProfile
}

func TestSecurityProfilesOfANewInstance(t *testing.T) {
	c := newCentre(t, servertest.Boot(t), types.DirectoryTypeSaml)
	for _, want := range starter.SecurityProfiles() {
		id := c.securityProfile(t, want.Name)
		got := c.profile(t, id)
		if *got.Arn != c.arn+"/security-profile/"+id || *got.OrganizationResourceId != c.id || *got.Description != want.Description || got.Tags == nil {
			t.Errorf("%s is %+v", want.Name, got)
		}
		same(t, want.Name, c.permissions(t, id, 7), want.Permissions)
		_, err := c.DeleteSecurityProfile(t.Context(), &connect.DeleteSecurityProfileInput{InstanceId: &c.id, SecurityProfileId: &id})
		fails(t, err, fault.AccessDenied, want.Name)
	}
	// They may be changed, though.
	agent := c.securityProfile(t, "Agent")
	_, err := c.UpdateSecurityProfile(t.Context(), &connect.UpdateSecurityProfileInput{
		InstanceId: &c.id, SecurityProfileId: &agent, Permissions: []string{"Users.View", "BasicAgentAccess", "Users.View"},
	})
	ok(t, err)
	same(t, "permissions", c.permissions(t, agent, 1), []string{"BasicAgentAccess", "Users.View"})
}

func TestSecurityProfile(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s, types.DirectoryTypeSaml)
	c.levels(t, 1)
	group := c.group(t, "North", "")

	granular := &types.GranularAccessControlConfiguration{DataTableAccessControlConfiguration: &types.DataTableAccessControlConfiguration{
		PrimaryAttributeAccessControlConfiguration: &types.PrimaryAttributeAccessControlConfigurationItem{
			PrimaryAttributeValues: []types.PrimaryAttributeValue{{AccessType: types.AccessTypeAllow, AttributeName: aws.String("branch"), Values: []string{"north"}}},
		},
	}}
	apps := []types.Application{
		{Namespace: aws.String("crm"), ApplicationPermissions: []string{"ACCESS"}},
		{Namespace: aws.String("tools"), Type: types.ApplicationTypeMcp, ApplicationPermissions: []string{"lookup"}},
	}
	made, err := c.CreateSecurityProfile(t.Context(), &connect.CreateSecurityProfileInput{
		InstanceId: &c.id, SecurityProfileName: aws.String("Lead"), Description: aws.String("Leads"),
		Permissions:                          []string{"Users.View", "AccessMetrics"},
		AllowedAccessControlTags:             map[string]string{"unit": "sales"},
		TagRestrictedResources:               []string{"User", "Queue"},
		AllowedAccessControlHierarchyGroupId: aws.String(c.arn + "/agent-group/" + group),
		HierarchyRestrictedResources:         []string{"User"},
		GranularAccessControlConfiguration:   granular,
		Applications:                         apps,
		Tags:                                 map[string]string{"a": "1"},
	})
	ok(t, err)
	id := *made.SecurityProfileId
	if *made.SecurityProfileArn != c.arn+"/security-profile/"+id {
		t.Errorf("arn %s", *made.SecurityProfileArn)
	}
	p := c.profile(t, id)
	same(t, "name", *p.SecurityProfileName, "Lead")
	same(t, "access control tags", p.AllowedAccessControlTags, map[string]string{"unit": "sales"})
	same(t, "tag restricted", p.TagRestrictedResources, []string{"User", "Queue"})
	same(t, "group", *p.AllowedAccessControlHierarchyGroupId, group)
	same(t, "hierarchy restricted", p.HierarchyRestrictedResources, []string{"User"})
	same(t, "tags", p.Tags, map[string]string{"a": "1"})
	same(t, "granular", p.GranularAccessControlConfiguration.DataTableAccessControlConfiguration.PrimaryAttributeAccessControlConfiguration.PrimaryAttributeValues[0].Values, []string{"north"})

	listed, err := c.ListSecurityProfileApplications(t.Context(), &connect.ListSecurityProfileApplicationsInput{InstanceId: &c.id, SecurityProfileId: &id, MaxResults: aws.Int32(1)})
	ok(t, err)
	if len(listed.Applications) != 1 || *listed.Applications[0].Namespace != "crm" || listed.NextToken == nil {
		t.Errorf("applications are %+v", listed)
	}
	modules, err := c.ListSecurityProfileFlowModules(t.Context(), &connect.ListSecurityProfileFlowModulesInput{InstanceId: &c.id, SecurityProfileId: &id})
	ok(t, err)
	if modules.AllowedFlowModules == nil || len(modules.AllowedFlowModules) != 0 {
		t.Errorf("flow modules are %+v", modules)
	}

	update := func(change func(*connect.UpdateSecurityProfileInput)) error {
		in := &connect.UpdateSecurityProfileInput{InstanceId: &c.id, SecurityProfileId: &id}
		change(in)
		_, err := c.UpdateSecurityProfile(t.Context(), in)
		return err
	}
	t.Run("members that are absent stay", func(t *testing.T) {
		ok(t, update(func(in *connect.UpdateSecurityProfileInput) { in.Description = aws.String("Team leads") }))
		p := c.profile(t, id)
		if *p.Description != "Team leads" || len(p.TagRestrictedResources) != 2 || p.AllowedAccessControlHierarchyGroupId == nil {
			t.Errorf("profile is %+v", p)
		}
		same(t, "permissions", c.permissions(t, id, 100), []string{"AccessMetrics", "Users.View"})
	})

	t.Run("group in use", func(t *testing.T) {
		remove := &connect.DeleteUserHierarchyGroupInput{InstanceId: &c.id, HierarchyGroupId: &group}
		_, err := c.DeleteUserHierarchyGroup(t.Context(), remove)
		fails(t, err, fault.ResourceInUse)
		ok(t, update(func(in *connect.UpdateSecurityProfileInput) {
			in.AllowedAccessControlHierarchyGroupId = aws.String("")
			in.Permissions, in.TagRestrictedResources, in.HierarchyRestrictedResources = []string{}, []string{}, []string{}
			in.AllowedAccessControlTags = map[string]string{}
			in.Applications = []types.Application{}
		}))
		_, err = c.DeleteUserHierarchyGroup(t.Context(), remove)
		ok(t, err)
		p := c.profile(t, id)
		if p.AllowedAccessControlHierarchyGroupId != nil || p.AllowedAccessControlTags != nil || p.TagRestrictedResources != nil || p.HierarchyRestrictedResources != nil {
			t.Errorf("profile is %+v", p)
		}
		same(t, "permissions", len(c.permissions(t, id, 100)), 0)
	})

	for name, bad := range map[string]struct {
		change func(*connect.UpdateSecurityProfileInput)
		code   fault.Code
		words  string
	}{
		"unknown permission": {func(in *connect.UpdateSecurityProfileInput) { in.Permissions = []string{"Users.View", "Users.Fly"} }, fault.InvalidParameter, "Permissions[1]"},
		"unknown group": {func(in *connect.UpdateSecurityProfileInput) {
			in.AllowedAccessControlHierarchyGroupId = aws.String(domain.NewID())
		}, fault.ResourceNotFound, "HierarchyGroup"},
		"hierarchy of queues": {func(in *connect.UpdateSecurityProfileInput) { in.HierarchyRestrictedResources = []string{"Queue"} }, fault.InvalidParameter, "HierarchyRestrictedResources[0]"},
		"unknown module": {func(in *connect.UpdateSecurityProfileInput) {
			in.AllowedFlowModules = []types.FlowModule{{FlowModuleId: aws.String(domain.NewID()), Type: types.FlowModuleTypeMcp}}
		}, fault.ResourceNotFound, "ContactFlowModule"},
		"no module": {func(in *connect.UpdateSecurityProfileInput) { in.AllowedFlowModules = []types.FlowModule{{}} }, fault.ResourceNotFound, ""},
		"no namespace": {func(in *connect.UpdateSecurityProfileInput) {
			in.Applications = []types.Application{{ApplicationPermissions: []string{"ACCESS"}}}
		}, fault.InvalidParameter, "Applications[0].Namespace"},
		"application permission": {func(in *connect.UpdateSecurityProfileInput) {
			in.Applications = []types.Application{{Namespace: aws.String("crm"), ApplicationPermissions: []string{"EDIT"}}}
		}, fault.InvalidParameter, "ApplicationPermissions[0]"},
	} {
		t.Run(name, func(t *testing.T) { fails(t, update(bad.change), bad.code, bad.words) })
	}

	t.Run("names", func(t *testing.T) {
		for name, code := range map[string]fault.Code{
			"Lead": fault.DuplicateResource, "Admin": fault.DuplicateResource, "lead": "", "a&b": fault.InvalidParameter, strings.Repeat("x", 128): fault.InvalidParameter,
		} {
			_, err := c.CreateSecurityProfile(t.Context(), &connect.CreateSecurityProfileInput{InstanceId: &c.id, SecurityProfileName: &name})
			fails(t, err, code)
		}
		other := newCentre(t, s, types.DirectoryTypeSaml)
		_, err := other.CreateSecurityProfile(t.Context(), &connect.CreateSecurityProfileInput{InstanceId: &other.id, SecurityProfileName: aws.String("Lead")})
		ok(t, err)
	})

	t.Run("delete", func(t *testing.T) {
		user := c.user(t, "jane", func(in *connect.CreateUserInput) { in.SecurityProfileIds = []string{id} })
		remove := func() error {
			_, err := c.DeleteSecurityProfile(t.Context(), &connect.DeleteSecurityProfileInput{InstanceId: &c.id, SecurityProfileId: &id})
			return err
		}
		fails(t, remove(), fault.ResourceInUse)
		_, err := c.UpdateUserSecurityProfiles(t.Context(), &connect.UpdateUserSecurityProfilesInput{
			InstanceId: &c.id, UserId: &user, SecurityProfileIds: []string{c.securityProfile(t, "Agent")},
		})
		ok(t, err)
		ok(t, remove())
		fails(t, remove(), fault.ResourceNotFound)
	})
}

func TestSearchSecurityProfiles(t *testing.T) {
	c := newCentre(t, servertest.Boot(t), types.DirectoryTypeSaml)
	_, err := c.CreateSecurityProfile(t.Context(), &connect.CreateSecurityProfileInput{
		InstanceId: &c.id, SecurityProfileName: aws.String("Quality Lead"), Tags: map[string]string{"unit": "sales"},
	})
	ok(t, err)
	field := func(name, value, op string) *types.SecurityProfileSearchCriteria {
		return &types.SecurityProfileSearchCriteria{StringCondition: stringCondition(name, value, op)}
	}
	tag := func(value string) *types.ControlPlaneTagFilter {
		return &types.ControlPlaneTagFilter{TagCondition: &types.TagCondition{TagKey: aws.String("unit"), TagValue: &value}}
	}
	for name, q := range map[string]struct {
		criteria *types.SecurityProfileSearchCriteria
		filter   *types.ControlPlaneTagFilter
		want     string
		code     fault.Code
	}{
		"all":    {nil, nil, "Admin,Agent,CallCenterManager,QualityAnalyst,Quality Lead", ""},
		"name":   {field("name", "quality", "STARTS_WITH"), nil, "QualityAnalyst,Quality Lead", ""},
		"nested": {&types.SecurityProfileSearchCriteria{OrConditions: []types.SecurityProfileSearchCriteria{{AndConditions: []types.SecurityProfileSearchCriteria{*field("name", "ad", "CONTAINS"), *field("Name", "admin", "EXACT")}}, *field("name", "agent", "EXACT")}}, nil, "Admin,Agent", ""},
		"tag":    {nil, tag("sales"), "Quality Lead", ""},
		"both":   {field("name", "Admin", "EXACT"), tag("sales"), "", ""},
		"no tag": {nil, tag("Sales"), "", ""},
		"field":  {field("description", "x", "EXACT"), nil, "", fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			in := &connect.SearchSecurityProfilesInput{InstanceId: &c.id, MaxResults: aws.Int32(2), SearchCriteria: q.criteria}
			if q.filter != nil {
				in.SearchFilter = &types.SecurityProfilesSearchFilter{TagFilter: q.filter}
			}
			var names []string
			pages := connect.NewSearchSecurityProfilesPaginator(c, in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				if fails(t, err, q.code); err != nil {
					return
				}
				for _, p := range page.SecurityProfiles {
					names = append(names, *p.SecurityProfileName)
					if *p.OrganizationResourceId != c.id || !strings.HasPrefix(*p.Arn, c.arn) || p.Tags == nil {
						t.Errorf("found %+v", p)
					}
				}
			}
			same(t, "found", strings.Join(names, ","), q.want)
		})
	}
}

func TestSecurityProfileQuota(t *testing.T) {
	s := servertest.Boot(t, func(c *server.Config) { c.Quotas = true })
	c := newCentre(t, s, types.DirectoryTypeSaml)
	create := func(n int) error {
		_, err := c.CreateSecurityProfile(t.Context(), &connect.CreateSecurityProfileInput{InstanceId: &c.id, SecurityProfileName: aws.String(fmt.Sprint("Profile ", n))})
		return err
	}
	for n := range 100 - len(starter.SecurityProfiles()) {
		ok(t, create(n))
	}
	fails(t, create(100), fault.LimitExceeded, "100 of 100")
	out, err := c.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &c.id, MaxResults: aws.Int32(99)})
	ok(t, err)
	if len(out.SecurityProfileSummaryList) != 99 || out.NextToken == nil {
		t.Errorf("a page of %d", len(out.SecurityProfileSummaryList))
	}
	last, err := c.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &c.id, NextToken: out.NextToken})
	ok(t, err)
	if len(last.SecurityProfileSummaryList) != 1 || last.NextToken != nil ||
		slices.ContainsFunc(out.SecurityProfileSummaryList, func(p types.SecurityProfileSummary) bool {
			return *p.Id == *last.SecurityProfileSummaryList[0].Id
		}) {
		t.Errorf("last page is %+v", last)
	}
}
