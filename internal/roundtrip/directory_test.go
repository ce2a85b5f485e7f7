package roundtrip

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// directoryKinds come after routing profiles, which users name.
func directoryKinds() []kind {
	return []kind{
		agentStatuses(), hierarchyLevels(), hierarchyGroups(), securityProfiles(), entitySecurityProfiles(),
		predefinedAttributes(), users(), authenticationSettings(),
	}
}

func agentStatuses() kind {
	return of("AgentStatus",
		func(t testing.TB, s *site, n int) string {
			out, err := s.CreateAgentStatus(t.Context(), &connect.CreateAgentStatusInput{
				InstanceId: &s.id, Name: name("Status", n), Description: aws.String("what an agent does"), DisplayOrder: aws.Int32(int32(10 + n)),
				State: []types.AgentStatusState{types.AgentStatusStateEnabled, types.AgentStatusStateDisabled}[n%2], Tags: map[string]string{"Team": "agents"},
			})
			ok(t, err)
			return *out.AgentStatusId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListAgentStatuses(t.Context(), &connect.ListAgentStatusesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, a := range page.AgentStatusSummaryList {
					out, err := s.DescribeAgentStatus(t.Context(), &connect.DescribeAgentStatusInput{InstanceId: &s.id, AgentStatusId: a.Id})
					ok(t, err)
					all.add(*a.Id, *a.Name, out.AgentStatus)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, a *types.AgentStatus) string {
			if id := s.existing("AgentStatus", *a.Name); id != "" {
				_, err := s.UpdateAgentStatus(t.Context(), &connect.UpdateAgentStatusInput{
					InstanceId: &s.id, AgentStatusId: &id, Description: a.Description, DisplayOrder: a.DisplayOrder, State: a.State,
				})
				ok(t, err)
				return id
			}
			out, err := s.CreateAgentStatus(t.Context(), &connect.CreateAgentStatusInput{
				InstanceId: &s.id, Name: a.Name, Description: a.Description, DisplayOrder: a.DisplayOrder, State: a.State, Tags: tags(a.Tags),
			})
			ok(t, err)
			return *out.AgentStatusId
		},
		nil)
}

// hierarchyLevels are the levels of the one structure that an instance has.
func hierarchyLevels() kind {
	read := func(t testing.TB, s *site) []*types.HierarchyLevel {
		t.Helper()
		out, err := s.DescribeUserHierarchyStructure(t.Context(), &connect.DescribeUserHierarchyStructureInput{InstanceId: &s.id})
		ok(t, err)
		h := out.HierarchyStructure
		var levels []*types.HierarchyLevel
		for _, l := range []*types.HierarchyLevel{h.LevelOne, h.LevelTwo, h.LevelThree, h.LevelFour, h.LevelFive} {
			if l != nil {
				levels = append(levels, l)
			}
		}
		return levels
	}
	add := func(t testing.TB, s *site, level *string) string {
		t.Helper()
		names := []*string{}
		for _, l := range read(t, s) {
			names = append(names, l.Name)
		}
		names = append(names, level)
		var update types.HierarchyStructureUpdate
		for i, l := range []**types.HierarchyLevelUpdate{&update.LevelOne, &update.LevelTwo, &update.LevelThree, &update.LevelFour, &update.LevelFive} {
			if i < len(names) {
				*l = &types.HierarchyLevelUpdate{Name: names[i]}
			}
		}
		_, err := s.UpdateUserHierarchyStructure(t.Context(), &connect.UpdateUserHierarchyStructureInput{InstanceId: &s.id, HierarchyStructure: &update})
		ok(t, err)
		return strconv.Itoa(len(names))
	}
	return of("HierarchyLevel",
		func(t testing.TB, s *site, n int) string { return add(t, s, name("Level", n)) },
		func(t testing.TB, s *site) (all resources) {
			for _, l := range read(t, s) {
				all.add(*l.Id, *l.Name, l)
			}
			return all
		},
		func(t testing.TB, s *site, l *types.HierarchyLevel) string { return add(t, s, l.Name) },
		nil)
}

func hierarchyGroups() kind {
	create := func(t testing.TB, s *site, name, parent *string, tags map[string]string) string {
		t.Helper()
		out, err := s.CreateUserHierarchyGroup(t.Context(), &connect.CreateUserHierarchyGroupInput{InstanceId: &s.id, Name: name, ParentGroupId: parent, Tags: tags})
		ok(t, err)
		return *out.HierarchyGroupId
	}
	return of("HierarchyGroup",
		func(t testing.TB, s *site, n int) string {
			var parent *string
			if n > 0 {
				parent = aws.String(s.a(t, "HierarchyGroup", n-1))
			}
			return create(t, s, name("Group", n), parent, map[string]string{"Team": "people"})
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListUserHierarchyGroups(t.Context(), &connect.ListUserHierarchyGroupsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, g := range page.UserHierarchyGroupSummaryList {
					out, err := s.DescribeUserHierarchyGroup(t.Context(), &connect.DescribeUserHierarchyGroupInput{InstanceId: &s.id, HierarchyGroupId: g.Id})
					ok(t, err)
					all.add(*g.Id, *g.Name, out.HierarchyGroup)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, g *types.HierarchyGroup) string {
			p := g.HierarchyPath
			path := []*types.HierarchyGroupSummary{nil, p.LevelOne, p.LevelTwo, p.LevelThree, p.LevelFour, p.LevelFive}
			level, err := strconv.Atoi(*g.LevelId)
			ok(t, err)
			var parent *string
			if above := path[level-1]; above != nil {
				parent = above.Id
			}
			return create(t, s, g.Name, parent, tags(g.Tags))
		},
		nil)
}

type securityProfileDocument struct {
	Profile      *types.SecurityProfile
	Permissions  []string
	Applications []types.Application
	Modules      []types.FlowModule
}

func securityProfiles() kind {
	return of("SecurityProfile",
		func(t testing.TB, s *site, n int) string {
			out, err := s.CreateSecurityProfile(t.Context(), &connect.CreateSecurityProfileInput{
				InstanceId: &s.id, SecurityProfileName: name("Access", n), Description: aws.String("who may do what"),
				Permissions:              [][]string{{"BasicAgentAccess"}, {"Users.View", "Users.Edit"}, {}}[n],
				AllowedAccessControlTags: map[string]string{"Team": "agents"}, TagRestrictedResources: []string{"User"},
				AllowedAccessControlHierarchyGroupId: aws.String(s.a(t, "HierarchyGroup", n)), HierarchyRestrictedResources: []string{"User"},
				Applications:       []types.Application{{Namespace: aws.String("an.application"), ApplicationPermissions: []string{"ACCESS"}}},
				AllowedFlowModules: []types.FlowModule{{Type: types.FlowModuleTypeMcp, FlowModuleId: aws.String(s.a(t, "ContactFlowModule", n))}},
				GranularAccessControlConfiguration: &types.GranularAccessControlConfiguration{DataTableAccessControlConfiguration: &types.DataTableAccessControlConfiguration{
					PrimaryAttributeAccessControlConfiguration: &types.PrimaryAttributeAccessControlConfigurationItem{PrimaryAttributeValues: []types.PrimaryAttributeValue{
						{AccessType: types.AccessTypeAllow, AttributeName: aws.String("Region"), Values: []string{"North"}},
					}},
				}},
				Tags: map[string]string{"Team": "security"},
			})
			ok(t, err)
			return *out.SecurityProfileId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, p := range page.SecurityProfileSummaryList {
					all.add(*p.Id, *p.Name, exportSecurityProfile(t, s, p.Id))
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d securityProfileDocument) string {
			p := d.Profile
			id := s.existing("SecurityProfile", *p.SecurityProfileName)
			if id == "" {
				out, err := s.CreateSecurityProfile(t.Context(), &connect.CreateSecurityProfileInput{InstanceId: &s.id, SecurityProfileName: p.SecurityProfileName, Tags: tags(p.Tags)})
				ok(t, err)
				id = *out.SecurityProfileId
			}
			_, err := s.UpdateSecurityProfile(t.Context(), &connect.UpdateSecurityProfileInput{
				InstanceId: &s.id, SecurityProfileId: &id, Description: p.Description, Permissions: d.Permissions, Applications: d.Applications,
				AllowedAccessControlTags: p.AllowedAccessControlTags, TagRestrictedResources: p.TagRestrictedResources,
				AllowedAccessControlHierarchyGroupId: p.AllowedAccessControlHierarchyGroupId, HierarchyRestrictedResources: p.HierarchyRestrictedResources,
				GranularAccessControlConfiguration: p.GranularAccessControlConfiguration,
			})
			ok(t, err)
			return id
		},
		func(t testing.TB, s *site, id string, d securityProfileDocument) {
			if len(d.Modules) == 0 {
				return
			}
			_, err := s.UpdateSecurityProfile(t.Context(), &connect.UpdateSecurityProfileInput{InstanceId: &s.id, SecurityProfileId: &id, AllowedFlowModules: d.Modules})
			ok(t, err)
		})
}

func exportSecurityProfile(t testing.TB, s *site, id *string) (d securityProfileDocument) {
	t.Helper()
	out, err := s.DescribeSecurityProfile(t.Context(), &connect.DescribeSecurityProfileInput{InstanceId: &s.id, SecurityProfileId: id})
	ok(t, err)
	d.Profile = out.SecurityProfile
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListSecurityProfilePermissions(t.Context(), &connect.ListSecurityProfilePermissionsInput{InstanceId: &s.id, SecurityProfileId: id, NextToken: token})
		if err != nil {
			return nil, err
		}
		d.Permissions = append(d.Permissions, page.Permissions...)
		return page.NextToken, nil
	})
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListSecurityProfileApplications(t.Context(), &connect.ListSecurityProfileApplicationsInput{InstanceId: &s.id, SecurityProfileId: id, NextToken: token})
		if err != nil {
			return nil, err
		}
		d.Applications = append(d.Applications, page.Applications...)
		return page.NextToken, nil
	})
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListSecurityProfileFlowModules(t.Context(), &connect.ListSecurityProfileFlowModulesInput{InstanceId: &s.id, SecurityProfileId: id, NextToken: token})
		if err != nil {
			return nil, err
		}
		d.Modules = append(d.Modules, page.AllowedFlowModules...)
		return page.NextToken, nil
	})
	return d
}

func init() {
	untie["EntitySecurityProfiles"] = func(t testing.TB, s *site, k kind) {
		for _, document := range k.export(t, s).documents {
			d := document.(entityDocument)
			_, err := s.DisassociateSecurityProfiles(t.Context(), &connect.DisassociateSecurityProfilesInput{
				InstanceId: &s.id, EntityType: types.EntityTypeAiAgent, EntityArn: &d.Entity, SecurityProfiles: d.Profiles,
			})
			ok(t, err)
		}
	}
}

type entityDocument struct {
	Entity   string
	Profiles []types.SecurityProfileItem
}

// entitySecurityProfiles are those of AI agents. No operation lists the agents:
// whoever copies an instance knows them from their own service.
func entitySecurityProfiles() kind {
	agent := func(n int) string {
		return fmt.Sprintf("arn:aws:wisdom:us-east-1:123456789012:ai-agent/11111111-1111-4111-8111-111111111111/22222222-2222-4222-8222-22222222222%d", n)
	}
	associate := func(t testing.TB, s *site, d entityDocument) string {
		t.Helper()
		_, err := s.AssociateSecurityProfiles(t.Context(), &connect.AssociateSecurityProfilesInput{InstanceId: &s.id, EntityType: types.EntityTypeAiAgent, EntityArn: &d.Entity, SecurityProfiles: d.Profiles})
		ok(t, err)
		return d.Entity
	}
	return of("EntitySecurityProfiles",
		func(t testing.TB, s *site, n int) string {
			return associate(t, s, entityDocument{agent(n), []types.SecurityProfileItem{{Id: aws.String(s.a(t, "SecurityProfile", n+1))}, {Id: aws.String(s.a(t, "SecurityProfile", n))}}})
		},
		func(t testing.TB, s *site) (all resources) {
			for n := range many {
				d := entityDocument{Entity: agent(n)}
				everyPage(t, func(token *string) (*string, error) {
					page, err := s.ListEntitySecurityProfiles(t.Context(), &connect.ListEntitySecurityProfilesInput{InstanceId: &s.id, EntityType: types.EntityTypeAiAgent, EntityArn: &d.Entity, NextToken: token})
					if err != nil {
						return nil, err
					}
					d.Profiles = append(d.Profiles, page.SecurityProfiles...)
					return page.NextToken, nil
				})
				if len(d.Profiles) > 0 {
					all.add(d.Entity, d.Entity, d)
				}
			}
			return all
		},
		associate,
		nil)
}

// attributeDocument is a predefined attribute whose values JSON can read back.
type attributeDocument struct {
	Name     string
	Values   []string
	Purposes []string
	Validate bool
	ReadOnly bool
}

func (d *attributeDocument) values() types.PredefinedAttributeValues {
	return &types.PredefinedAttributeValuesMemberStringList{Value: d.Values}
}

func predefinedAttributes() kind {
	create := func(t testing.TB, s *site, d attributeDocument) string {
		t.Helper()
		_, err := s.CreatePredefinedAttribute(t.Context(), &connect.CreatePredefinedAttributeInput{
			InstanceId: &s.id, Name: &d.Name, Values: d.values(), Purposes: d.Purposes,
			AttributeConfiguration: &types.InputPredefinedAttributeConfiguration{EnableValueValidationOnAssociation: d.Validate},
		})
		ok(t, err)
		return d.Name
	}
	return of("PredefinedAttribute",
		func(t testing.TB, s *site, n int) string {
			return create(t, s, attributeDocument{Name: *name("Attribute", n), Values: []string{"one", "two"}, Purposes: []string{"a purpose"}, Validate: n == 1})
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListPredefinedAttributes(t.Context(), &connect.ListPredefinedAttributesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, a := range page.PredefinedAttributeSummaryList {
					out, err := s.DescribePredefinedAttribute(t.Context(), &connect.DescribePredefinedAttributeInput{InstanceId: &s.id, Name: a.Name})
					ok(t, err)
					d := attributeDocument{Name: *a.Name, Purposes: out.PredefinedAttribute.Purposes}
					if list, has := out.PredefinedAttribute.Values.(*types.PredefinedAttributeValuesMemberStringList); has {
						d.Values = list.Value
					}
					if c := out.PredefinedAttribute.AttributeConfiguration; c != nil {
						d.Validate, d.ReadOnly = c.EnableValueValidationOnAssociation, c.IsReadOnly
					}
					all.add(d.Name, d.Name, d)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d attributeDocument) string {
			if s.existing("PredefinedAttribute", d.Name) == "" {
				return create(t, s, d)
			}
			if !d.ReadOnly && len(d.Values) > 0 {
				_, err := s.UpdatePredefinedAttribute(t.Context(), &connect.UpdatePredefinedAttributeInput{InstanceId: &s.id, Name: &d.Name, Values: d.values()})
				ok(t, err)
			}
			return d.Name
		},
		nil)
}

type userDocument struct {
	User          *types.User
	Proficiencies []types.UserProficiency
}

func users() kind {
	return of("User",
		func(t testing.TB, s *site, n int) string {
			u := &types.User{
				Username: aws.String(fmt.Sprintf("user-%d", n)), RoutingProfileId: aws.String(s.a(t, "RoutingProfile", n)), HierarchyGroupId: aws.String(s.a(t, "HierarchyGroup", n)),
				SecurityProfileIds: []string{s.a(t, "SecurityProfile", n+1), s.a(t, "SecurityProfile", n)}, Tags: map[string]string{"Team": "users"},
				IdentityInfo: &types.UserIdentityInfo{
					FirstName: aws.String("Mary"), LastName: aws.String("Major"), Email: aws.String("mary@example.com"),
					SecondaryEmail: aws.String("major@example.com"), Mobile: aws.String("+15555550100"),
				},
			}
			// The members of PhoneConfig and the lists by channel exclude each other.
			switch n {
			case 0:
				u.PhoneConfig = &types.UserPhoneConfig{PhoneType: types.PhoneTypeDeskPhone, DeskPhoneNumber: aws.String("+15555550101"), AfterContactWorkTimeLimit: 30}
			case 1:
				u.PhoneConfig = &types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone, AutoAccept: true, PersistentConnection: aws.Bool(true)}
			default:
				u.AutoAcceptConfigs = []types.AutoAcceptConfig{{Channel: types.ChannelChat, AutoAccept: true}}
				u.AfterContactWorkConfigs = []types.AfterContactWorkConfigPerChannel{{Channel: types.ChannelVoice, AfterContactWorkConfig: &types.AfterContactWorkConfig{AfterContactWorkTimeLimit: 60}}}
				u.PhoneNumberConfigs = []types.PhoneNumberConfig{{Channel: types.ChannelVoice, PhoneType: types.PhoneTypeDeskPhone, PhoneNumber: aws.String("+15555550102")}}
				u.PersistentConnectionConfigs = []types.PersistentConnectionConfig{{Channel: types.ChannelVoice, PersistentConnection: aws.Bool(true)}}
				u.VoiceEnhancementConfigs = []types.VoiceEnhancementConfig{{Channel: types.ChannelVoice, VoiceEnhancementMode: types.VoiceEnhancementModeNoiseSuppression}}
			}
			return rebuildUser(t, s, userDocument{u, []types.UserProficiency{
				{AttributeName: aws.String(s.a(t, "PredefinedAttribute", n)), AttributeValue: aws.String("one"), Level: aws.Float32(float32(1 + n))},
				{AttributeName: aws.String(s.a(t, "PredefinedAttribute", n+1)), AttributeValue: aws.String("two"), Level: aws.Float32(5)},
			}})
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListUsers(t.Context(), &connect.ListUsersInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, u := range page.UserSummaryList {
					all.add(*u.Id, *u.Username, exportUser(t, s, u.Id))
				}
				return page.NextToken, nil
			})
			return all
		},
		rebuildUser,
		nil)
}

func rebuildUser(t testing.TB, s *site, d userDocument) string {
	u := d.User
	if p := u.PhoneConfig; p != nil && aws.ToString(p.DeskPhoneNumber) == "" {
		p.DeskPhoneNumber = nil // shown empty where there is none, and not taken so
	}
	out, err := s.CreateUser(t.Context(), &connect.CreateUserInput{
		InstanceId: &s.id, Username: u.Username, IdentityInfo: u.IdentityInfo, PhoneConfig: u.PhoneConfig,
		AutoAcceptConfigs: u.AutoAcceptConfigs, AfterContactWorkConfigs: u.AfterContactWorkConfigs, PhoneNumberConfigs: u.PhoneNumberConfigs,
		PersistentConnectionConfigs: u.PersistentConnectionConfigs, VoiceEnhancementConfigs: u.VoiceEnhancementConfigs,
		RoutingProfileId: u.RoutingProfileId, SecurityProfileIds: u.SecurityProfileIds, HierarchyGroupId: u.HierarchyGroupId, Tags: tags(u.Tags),
	})
	ok(t, err)
	if len(d.Proficiencies) > 0 {
		_, err := s.AssociateUserProficiencies(t.Context(), &connect.AssociateUserProficienciesInput{InstanceId: &s.id, UserId: out.UserId, UserProficiencies: d.Proficiencies})
		ok(t, err)
	}
	return *out.UserId
}

func exportUser(t testing.TB, s *site, id *string) (d userDocument) {
	t.Helper()
	out, err := s.DescribeUser(t.Context(), &connect.DescribeUserInput{InstanceId: &s.id, UserId: id})
	ok(t, err)
	d.User = out.User
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListUserProficiencies(t.Context(), &connect.ListUserProficienciesInput{InstanceId: &s.id, UserId: id, NextToken: token})
		if err != nil {
			return nil, err
		}
		d.Proficiencies = append(d.Proficiencies, page.UserProficiencyList...)
		return page.NextToken, nil
	})
	return d
}

// authenticationSettings are the parts of the one authentication profile that
// an instance has, each as a resource of its own. Its longest duration cannot
// be changed, and goes unmentioned.
func authenticationSettings() kind {
	profile := func(t testing.TB, s *site) *types.AuthenticationProfile {
		t.Helper()
		list, err := s.ListAuthenticationProfiles(t.Context(), &connect.ListAuthenticationProfilesInput{InstanceId: &s.id})
		ok(t, err)
		out, err := s.DescribeAuthenticationProfile(t.Context(), &connect.DescribeAuthenticationProfileInput{InstanceId: &s.id, AuthenticationProfileId: list.AuthenticationProfileSummaryList[0].Id})
		ok(t, err)
		return out.AuthenticationProfile
	}
	// The document has no id: it is about the instance's only profile.
	type settings = connect.UpdateAuthenticationProfileInput
	set := func(t testing.TB, s *site, d settings) {
		t.Helper()
		d.InstanceId, d.AuthenticationProfileId = &s.id, profile(t, s).Id
		_, err := s.UpdateAuthenticationProfile(t.Context(), &d)
		ok(t, err)
	}
	return of("AuthenticationSetting",
		func(t testing.TB, s *site, n int) string {
			set(t, s, []settings{
				{Name: aws.String("Office hours"), Description: aws.String("who may sign in")},
				{AllowedIps: []string{"2001:db8::/32"}, BlockedIps: []string{"2001:db8:1::/48"}},
				{PeriodicSessionDuration: aws.Int32(30), SessionInactivityDuration: aws.Int32(60), SessionInactivityHandlingEnabled: aws.Bool(true)},
			}[n])
			return []string{"names", "addresses", "durations"}[n]
		},
		func(t testing.TB, s *site) (all resources) {
			p := profile(t, s)
			all.add("names", "names", settings{Name: p.Name, Description: p.Description})
			all.add("addresses", "addresses", settings{AllowedIps: p.AllowedIps, BlockedIps: p.BlockedIps})
			all.add("durations", "durations", settings{
				PeriodicSessionDuration:          p.PeriodicSessionDuration, //nolint:staticcheck // deprecated members are served as well
				SessionInactivityDuration:        p.SessionInactivityDuration,
				SessionInactivityHandlingEnabled: p.SessionInactivityHandlingEnabled,
			})
			return all
		},
		func(t testing.TB, s *site, d settings) string {
			set(t, s, d)
			return ""
		},
		nil)
}
