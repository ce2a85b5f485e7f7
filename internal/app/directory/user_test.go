package directory_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

func (c *centre) describedUser(t *testing.T, id string) *types.User {
	t.Helper()
	out, err := c.DescribeUser(t.Context(), &connect.DescribeUserInput{InstanceId: &c.id, UserId: &id})
	ok(t, err)
	return out.User
}

func TestNewUsers(t *testing.T) {
	s := servertest.Boot(t)
	saml := newCentre(t, s, types.DirectoryTypeSaml)
	managed := newCentre(t, s, types.DirectoryTypeConnectManaged)
	existing := newCentre(t, s, types.DirectoryTypeExistingDirectory)
	saml.user(t, "taken")
	password := func(p string) func(*connect.CreateUserInput) {
		return func(in *connect.CreateUserInput) { in.Password = &p }
	}
	name := func(n string) func(*connect.CreateUserInput) {
		return func(in *connect.CreateUserInput) { in.Username = &n }
	}
	phone := func(p types.UserPhoneConfig) func(*connect.CreateUserInput) {
		return func(in *connect.CreateUserInput) { in.PhoneConfig = &p }
	}
	for what, u := range map[string]struct {
		in     *centre
		change func(*connect.CreateUserInput)
		code   fault.Code
		words  string
	}{
		"plain":                       {saml, func(*connect.CreateUserInput) {}, "", ""},
		"taken name":                  {saml, name("taken"), fault.DuplicateResource, "taken"},
		"name in other case":          {saml, name("Taken"), "", ""},
		"e-mail as name":              {saml, name("jane@example.com"), "", ""},
		"half an e-mail as name":      {saml, name("jane@example"), fault.InvalidParameter, "Username"},
		"space in the name":           {saml, name("jane doe"), fault.InvalidParameter, "Username"},
		"64 characters":               {saml, name(strings.Repeat("x", 64)), "", ""},
		"65 characters":               {saml, name(strings.Repeat("x", 65)), fault.InvalidParameter, "64"},
		"password for SAML":           {saml, password("Passw0rd"), fault.InvalidRequest, "Password"},
		"password":                    {managed, password("Passw0rd"), "", ""},
		"no password":                 {managed, func(*connect.CreateUserInput) {}, fault.InvalidRequest, "Password"},
		"weak password":               {managed, password("password"), fault.InvalidParameter, "Password"},
		"directory id for SAML":       {saml, func(in *connect.CreateUserInput) { in.DirectoryUserId = aws.String("jane") }, fault.InvalidRequest, "DirectoryUserId"},
		"directory id":                {existing, func(in *connect.CreateUserInput) { in.DirectoryUserId = aws.String("jane") }, "", ""},
		"directory and no name":       {existing, func(in *connect.CreateUserInput) { in.IdentityInfo = nil }, "", ""},
		"no names":                    {saml, func(in *connect.CreateUserInput) { in.IdentityInfo = nil }, fault.InvalidRequest, "FirstName"},
		"decomposed name":             {saml, func(in *connect.CreateUserInput) { in.IdentityInfo.LastName = aws.String("Ce\u0301dille") }, fault.InvalidParameter, "IdentityInfo.LastName"},
		"composed name":               {saml, func(in *connect.CreateUserInput) { in.IdentityInfo.LastName = aws.String("C\u00e9dille") }, "", ""},
		"bad e-mail":                  {saml, func(in *connect.CreateUserInput) { in.IdentityInfo.SecondaryEmail = aws.String("jane") }, fault.InvalidParameter, "IdentityInfo.SecondaryEmail"},
		"bad mobile":                  {saml, func(in *connect.CreateUserInput) { in.IdentityInfo.Mobile = aws.String("12345") }, fault.InvalidParameter, "Mobile"},
		"no phone":                    {saml, func(in *connect.CreateUserInput) { in.PhoneConfig = nil }, "", ""},
		"desk phone":                  {saml, phone(types.UserPhoneConfig{PhoneType: types.PhoneTypeDeskPhone, DeskPhoneNumber: aws.String("+112345678912")}), "", ""},
		"desk phone without a number": {saml, phone(types.UserPhoneConfig{PhoneType: types.PhoneTypeDeskPhone}), fault.InvalidParameter, "DeskPhoneNumber"},
		"longest work":                {saml, phone(types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone, AfterContactWorkTimeLimit: 2_000_000}), "", ""},
		"too long work":               {saml, phone(types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone, AfterContactWorkTimeLimit: 2_000_001}), fault.InvalidParameter, "AfterContactWorkTimeLimit"},
		"list beside its like": {saml, func(in *connect.CreateUserInput) {
			in.PhoneConfig.AutoAccept = true
			in.AutoAcceptConfigs = []types.AutoAcceptConfig{{Channel: types.ChannelVoice, AutoAccept: true}}
		}, fault.InvalidParameter, "AutoAccept"},
		"channel twice": {saml, func(in *connect.CreateUserInput) {
			in.AutoAcceptConfigs = []types.AutoAcceptConfig{{Channel: types.ChannelChat}, {Channel: types.ChannelChat}}
		}, fault.InvalidParameter, "AutoAcceptConfigs[1]"},
		"phone for chats": {saml, func(in *connect.CreateUserInput) {
			in.PhoneNumberConfigs = []types.PhoneNumberConfig{{Channel: types.ChannelChat, PhoneType: types.PhoneTypeSoftPhone}}
		}, fault.InvalidParameter, "VOICE"},
		"unknown routing profile":  {saml, func(in *connect.CreateUserInput) { in.RoutingProfileId = aws.String(domain.NewID()) }, fault.ResourceNotFound, "RoutingProfile"},
		"unknown security profile": {saml, func(in *connect.CreateUserInput) { in.SecurityProfileIds = []string{domain.NewID()} }, fault.ResourceNotFound, "SecurityProfile"},
		"unknown group":            {saml, func(in *connect.CreateUserInput) { in.HierarchyGroupId = aws.String(domain.NewID()) }, fault.ResourceNotFound, "HierarchyGroup"},
		"empty group":              {saml, func(in *connect.CreateUserInput) { in.HierarchyGroupId = aws.String("") }, "", ""},
		"profiles by ARN": {saml, func(in *connect.CreateUserInput) {
			in.RoutingProfileId = aws.String(saml.arn + "/routing-profile/" + *in.RoutingProfileId)
			in.SecurityProfileIds = []string{saml.arn + "/security-profile/" + in.SecurityProfileIds[0]}
		}, "", ""},
		"profile of another": {saml, func(in *connect.CreateUserInput) {
			in.SecurityProfileIds = []string{managed.arn + "/security-profile/" + managed.securityProfile(t, "Agent")}
		}, fault.ResourceNotFound, ""},
	} {
		t.Run(what, func(t *testing.T) {
			in := u.in.newUser(t, strings.ReplaceAll(what, " ", "-"))
			u.change(in)
			_, err := u.in.CreateUser(t.Context(), in)
			fails(t, err, u.code, u.words)
		})
	}
}

func TestUser(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s, types.DirectoryTypeConnectManaged)
	c.levels(t, 1)
	group := c.group(t, "North", "")
	agent, admin := c.securityProfile(t, "Agent"), c.securityProfile(t, "Admin")
	in := c.newUser(t, "jane")
	in.Password = aws.String("Passw0rd")
	in.SecurityProfileIds = []string{agent, admin, agent}
	made, err := c.CreateUser(t.Context(), in)
	ok(t, err)
	id := *made.UserId
	if *made.UserArn != c.arn+"/agent/"+id {
		t.Errorf("arn %s", *made.UserArn)
	}

	u := c.describedUser(t, id)
	same(t, "security profiles", u.SecurityProfileIds, []string{agent, admin})
	if *u.Username != "jane" || *u.Id != id || *u.Arn != *made.UserArn || *u.RoutingProfileId != *in.RoutingProfileId || u.HierarchyGroupId != nil ||
		*u.PhoneConfig.DeskPhoneNumber != "" || u.PhoneConfig.PhoneType != types.PhoneTypeSoftPhone || u.Tags == nil || len(u.Tags) != 0 ||
		*u.IdentityInfo.FirstName != "First jane" || u.IdentityInfo.Email != nil || *u.DirectoryUserId == "" ||
		u.AutoAcceptConfigs != nil || *u.LastModifiedRegion != servertest.Region || u.LastModifiedTime == nil {
		t.Errorf("user is %+v", u)
	}

	t.Run("identity", func(t *testing.T) {
		update := func(info types.UserIdentityInfo) error {
			_, err := c.UpdateUserIdentityInfo(t.Context(), &connect.UpdateUserIdentityInfoInput{InstanceId: &c.id, UserId: &id, IdentityInfo: &info})
			return err
		}
		first, last := aws.String("Janet"), aws.String("Roe")
		ok(t, update(types.UserIdentityInfo{FirstName: first, LastName: last, Email: aws.String("j@example.com"), Mobile: aws.String("+15550100")}))
		ok(t, update(types.UserIdentityInfo{FirstName: first, LastName: last}))
		if i := c.describedUser(t, id).IdentityInfo; *i.FirstName != "Janet" || i.Email != nil || i.Mobile != nil {
			t.Errorf("identity is %+v", i)
		}
		fails(t, update(types.UserIdentityInfo{FirstName: first}), fault.InvalidRequest, "LastName")
	})

	t.Run("hierarchy", func(t *testing.T) {
		update := func(group *string) error {
			_, err := c.UpdateUserHierarchy(t.Context(), &connect.UpdateUserHierarchyInput{InstanceId: &c.id, UserId: &id, HierarchyGroupId: group})
			return err
		}
		ok(t, update(aws.String(c.arn+"/agent-group/"+group)))
		same(t, "group", *c.describedUser(t, id).HierarchyGroupId, group)
		fails(t, update(aws.String(domain.NewID())), fault.ResourceNotFound)
		ok(t, update(nil))
		if g := c.describedUser(t, id).HierarchyGroupId; g != nil {
			t.Errorf("group is %s", *g)
		}
	})

	t.Run("profiles", func(t *testing.T) {
		_, err := c.UpdateUserSecurityProfiles(t.Context(), &connect.UpdateUserSecurityProfilesInput{InstanceId: &c.id, UserId: &id, SecurityProfileIds: []string{admin}})
		ok(t, err)
		same(t, "security profiles", c.describedUser(t, id).SecurityProfileIds, []string{admin})
		_, err = c.UpdateUserSecurityProfiles(t.Context(), &connect.UpdateUserSecurityProfilesInput{InstanceId: &c.id, UserId: &id, SecurityProfileIds: []string{}})
		fails(t, err, fault.InvalidParameter, "SecurityProfileIds")
		_, err = c.UpdateUserRoutingProfile(t.Context(), &connect.UpdateUserRoutingProfileInput{InstanceId: &c.id, UserId: &id, RoutingProfileId: in.RoutingProfileId})
		ok(t, err)
		_, err = c.UpdateUserRoutingProfile(t.Context(), &connect.UpdateUserRoutingProfileInput{InstanceId: &c.id, UserId: &id, RoutingProfileId: aws.String(domain.NewID())})
		fails(t, err, fault.ResourceNotFound)
	})

	t.Run("tags", func(t *testing.T) {
		arn := aws.String(*made.UserArn)
		_, err := c.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"a": "1", "b": ""}})
		ok(t, err)
		_, err = c.UntagResource(t.Context(), &connect.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a", "c"}})
		ok(t, err)
		same(t, "tags", c.describedUser(t, id).Tags, map[string]string{"b": ""})
	})

	t.Run("delete", func(t *testing.T) {
		remove := func() error {
			_, err := c.DeleteUser(t.Context(), &connect.DeleteUserInput{InstanceId: &c.id, UserId: &id})
			return err
		}
		ok(t, remove())
		fails(t, remove(), fault.ResourceNotFound, id)
		_, err := c.CreateUser(t.Context(), in) // the name is free again
		ok(t, err)
	})
}

func TestListUsers(t *testing.T) {
	s := servertest.Boot(t)
	c, other := newCentre(t, s, types.DirectoryTypeSaml), newCentre(t, s, types.DirectoryTypeSaml)
	out, err := c.ListUsers(t.Context(), &connect.ListUsersInput{InstanceId: &c.id})
	ok(t, err)
	if out.UserSummaryList == nil || len(out.UserSummaryList) != 0 {
		t.Errorf("a new instance has users %+v", out.UserSummaryList)
	}
	foreign := other.user(t, "a")
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		c.user(t, name)
	}
	var names []string
	pages := connect.NewListUsersPaginator(c, &connect.ListUsersInput{InstanceId: &c.id, MaxResults: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		ok(t, err)
		for _, u := range page.UserSummaryList {
			if *u.Arn != c.arn+"/agent/"+*u.Id || *u.LastModifiedRegion != servertest.Region || u.LastModifiedTime == nil {
				t.Errorf("summary is %+v", u)
			}
			names = append(names, *u.Username)
		}
	}
	same(t, "names", names, []string{"a", "b", "c", "d", "e"})
	_, err = c.ListUsers(t.Context(), &connect.ListUsersInput{InstanceId: &c.id, NextToken: aws.String("bogus")})
	fails(t, err, fault.InvalidParameter, "NextToken")
	_, err = c.DescribeUser(t.Context(), &connect.DescribeUserInput{InstanceId: &c.id, UserId: &foreign})
	fails(t, err, fault.ResourceNotFound)
}

// The older operation sets a phone for all channels, the newer one each
// channel; whichever was called last counts.
func TestPhoneSettingsOfTwoOperations(t *testing.T) {
	c := newCentre(t, servertest.Boot(t), types.DirectoryTypeSaml)
	id := c.user(t, "jane", func(in *connect.CreateUserInput) {
		in.PhoneConfig = &types.UserPhoneConfig{
			PhoneType: types.PhoneTypeDeskPhone, DeskPhoneNumber: aws.String("+15550100"), AutoAccept: true,
			AfterContactWorkTimeLimit: 30, PersistentConnection: aws.Bool(true),
		}
	})
	config := func(change func(*connect.UpdateUserConfigInput)) error {
		in := &connect.UpdateUserConfigInput{InstanceId: &c.id, UserId: &id}
		change(in)
		_, err := c.UpdateUserConfig(t.Context(), in)
		return err
	}
	phone := func(p types.UserPhoneConfig) error {
		_, err := c.UpdateUserPhoneConfig(t.Context(), &connect.UpdateUserPhoneConfigInput{InstanceId: &c.id, UserId: &id, PhoneConfig: &p})
		return err
	}

	ok(t, config(func(in *connect.UpdateUserConfigInput) {
		in.AutoAcceptConfigs = []types.AutoAcceptConfig{{Channel: types.ChannelVoice, AutoAccept: true, AgentFirstCallbackAutoAccept: aws.Bool(true)}}
		in.AfterContactWorkConfigs = []types.AfterContactWorkConfigPerChannel{{Channel: types.ChannelChat, AfterContactWorkConfig: &types.AfterContactWorkConfig{AfterContactWorkTimeLimit: 10}}}
	}))
	u := c.describedUser(t, id)
	if p := u.PhoneConfig; p.AutoAccept || p.AfterContactWorkTimeLimit != 0 || *p.DeskPhoneNumber != "+15550100" || !*p.PersistentConnection {
		t.Errorf("phone is %+v", p)
	}
	if len(u.AutoAcceptConfigs) != 1 || u.AfterContactWorkConfigs[0].AfterContactWorkConfig.AfterContactWorkTimeLimit != 10 {
		t.Errorf("user is %+v", u)
	}
	ok(t, config(func(in *connect.UpdateUserConfigInput) {
		in.PhoneNumberConfigs = []types.PhoneNumberConfig{{Channel: types.ChannelVoice, PhoneType: types.PhoneTypeDeskPhone, PhoneNumber: aws.String("+15550101")}}
		in.PersistentConnectionConfigs = []types.PersistentConnectionConfig{{Channel: types.ChannelVoice, PersistentConnection: aws.Bool(true)}}
		in.VoiceEnhancementConfigs = []types.VoiceEnhancementConfig{{Channel: types.ChannelVoice, VoiceEnhancementMode: types.VoiceEnhancementModeNoiseSuppression}}
	}))
	u = c.describedUser(t, id)
	if p := u.PhoneConfig; *p.DeskPhoneNumber != "" || p.PhoneType != "" || p.PersistentConnection != nil || len(u.AutoAcceptConfigs) != 1 {
		t.Errorf("user is %+v with phone %+v", u, p)
	}

	ok(t, phone(types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone, AutoAccept: true, AfterContactWorkTimeLimit: 5}))
	u = c.describedUser(t, id)
	if u.AutoAcceptConfigs != nil || u.AfterContactWorkConfigs != nil || u.PhoneNumberConfigs != nil {
		t.Errorf("the later phone settings left %+v", u)
	}
	if len(u.PersistentConnectionConfigs) != 1 || len(u.VoiceEnhancementConfigs) != 1 {
		t.Errorf("settings that PhoneConfig says nothing of are gone: %+v", u)
	}
	ok(t, phone(types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone, PersistentConnection: aws.Bool(true)}))
	ok(t, config(func(in *connect.UpdateUserConfigInput) { in.VoiceEnhancementConfigs = []types.VoiceEnhancementConfig{} }))
	u = c.describedUser(t, id)
	if u.PersistentConnectionConfigs != nil || u.VoiceEnhancementConfigs != nil || !*u.PhoneConfig.PersistentConnection {
		t.Errorf("user is %+v", u)
	}

	for name, bad := range map[string]struct {
		change func(*connect.UpdateUserConfigInput)
		words  string
	}{
		"twice": {func(in *connect.UpdateUserConfigInput) {
			in.AutoAcceptConfigs = []types.AutoAcceptConfig{{Channel: types.ChannelTask, AutoAccept: true}, {Channel: types.ChannelTask, AutoAccept: true}}
		}, "AutoAcceptConfigs[1]"},
		"desk phone without a number": {func(in *connect.UpdateUserConfigInput) {
			in.PhoneNumberConfigs = []types.PhoneNumberConfig{{Channel: types.ChannelVoice, PhoneType: types.PhoneTypeDeskPhone}}
		}, "PhoneNumberConfigs[0]"},
		"too long": {func(in *connect.UpdateUserConfigInput) {
			in.AfterContactWorkConfigs = []types.AfterContactWorkConfigPerChannel{{
				Channel: types.ChannelVoice, AfterContactWorkConfig: &types.AfterContactWorkConfig{},
				AgentFirstCallbackAfterContactWorkConfig: &types.AfterContactWorkConfig{AfterContactWorkTimeLimit: 2_000_001},
			}}
		}, "AfterContactWorkConfigs[0]"},
		"enhanced chat": {func(in *connect.UpdateUserConfigInput) {
			in.VoiceEnhancementConfigs = []types.VoiceEnhancementConfig{{Channel: types.ChannelChat, VoiceEnhancementMode: types.VoiceEnhancementModeNone}}
		}, "VOICE"},
	} {
		t.Run(name, func(t *testing.T) { fails(t, config(bad.change), fault.InvalidParameter, bad.words) })
	}
	fails(t, phone(types.UserPhoneConfig{PhoneType: types.PhoneTypeDeskPhone}), fault.InvalidParameter, "DeskPhoneNumber")
	// A user without PhoneConfig gets none by settings of a channel.
	bare := c.user(t, "jack", func(in *connect.CreateUserInput) { in.PhoneConfig = nil })
	id = bare
	ok(t, config(func(in *connect.UpdateUserConfigInput) {
		in.AutoAcceptConfigs = []types.AutoAcceptConfig{{Channel: types.ChannelVoice, AutoAccept: true}}
	}))
	if u := c.describedUser(t, bare); u.PhoneConfig != nil || len(u.AutoAcceptConfigs) != 1 {
		t.Errorf("user is %+v", u)
	}
}

func TestUserQuota(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 500 users")
	}
	c := newCentre(t, servertest.Boot(t, func(c *server.Config) { c.Quotas = true }), types.DirectoryTypeSaml)
	in := c.newUser(t, "")
	for range 500 {
		in.Username = aws.String(domain.NewID())
		_, err := c.CreateUser(t.Context(), in)
		ok(t, err)
	}
	in.Username = aws.String("one-more")
	_, err := c.CreateUser(t.Context(), in)
	fails(t, err, fault.LimitExceeded, "500 of 500")
}
