package directory_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/app/directory"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

// centre is an instance of a booted server, as a test sees it.
type centre struct {
	*connect.Client
	id  string
	arn string
}

// newCentre makes an instance of its own for a test.
func newCentre(t *testing.T, s *servertest.Server, kind types.DirectoryType) *centre {
	t.Helper()
	id := s.NewInstanceOf(t, kind)
	out, err := s.Connect.DescribeInstance(t.Context(), &connect.DescribeInstanceInput{InstanceId: &id})
	ok(t, err)
	return &centre{Client: s.Connect, id: id, arn: *out.Instance.Arn}
}

// routingProfile is the id of the profile that every instance has.
func (c *centre) routingProfile(t *testing.T) string {
	t.Helper()
	out, err := c.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &c.id})
	ok(t, err)
	if len(out.RoutingProfileSummaryList) == 0 {
		t.Fatal("the instance has no routing profile")
	}
	return *out.RoutingProfileSummaryList[0].Id
}

// securityProfile is the id of a profile by its name.
func (c *centre) securityProfile(t *testing.T, name string) string {
	t.Helper()
	out, err := c.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &c.id})
	ok(t, err)
	for _, p := range out.SecurityProfileSummaryList {
		if *p.Name == name {
			return *p.Id
		}
	}
	t.Fatalf("no security profile %s", name)
	return ""
}

// newUser is a request for a user that may be created as it is.
func (c *centre) newUser(t *testing.T, name string) *connect.CreateUserInput {
	t.Helper()
	return &connect.CreateUserInput{
		InstanceId: &c.id, Username: &name,
		IdentityInfo:     &types.UserIdentityInfo{FirstName: aws.String("First " + name), LastName: aws.String("Last " + name)},
		PhoneConfig:      &types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone},
		RoutingProfileId: aws.String(c.routingProfile(t)), SecurityProfileIds: []string{c.securityProfile(t, "Agent")},
	}
}

// user creates a user, which change may alter, and returns its id.
func (c *centre) user(t *testing.T, name string, change ...func(*connect.CreateUserInput)) string {
	t.Helper()
	in := c.newUser(t, name)
	for _, f := range change {
		f(in)
	}
	out, err := c.CreateUser(t.Context(), in)
	ok(t, err)
	return *out.UserId
}

// levels gives the instance a hierarchy of that many levels.
func (c *centre) levels(t *testing.T, n int) {
	t.Helper()
	_, err := c.UpdateUserHierarchyStructure(t.Context(), &connect.UpdateUserHierarchyStructureInput{
		InstanceId: &c.id, HierarchyStructure: structure("One", "Two", "Three", "Four", "Five")(n),
	})
	ok(t, err)
}

// group creates a hierarchy group below another one, "" for none.
func (c *centre) group(t *testing.T, name, parent string) string {
	t.Helper()
	in := &connect.CreateUserHierarchyGroupInput{InstanceId: &c.id, Name: &name}
	if parent != "" {
		in.ParentGroupId = &parent
	}
	out, err := c.CreateUserHierarchyGroup(t.Context(), in)
	ok(t, err)
	return *out.HierarchyGroupId
}

// attribute creates a predefined attribute.
func (c *centre) attribute(t *testing.T, name string, values ...string) {
	t.Helper()
	_, err := c.CreatePredefinedAttribute(t.Context(), &connect.CreatePredefinedAttributeInput{
		InstanceId: &c.id, Name: &name, Values: &types.PredefinedAttributeValuesMemberStringList{Value: values},
	})
	ok(t, err)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails checks the exception of an answer, "" for none, and that its message
// holds all words.
func fails(t *testing.T, err error, code fault.Code, words ...string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Errorf("got %v, want no error", err)
		}
		return
	}
	var e interface {
		error
		ErrorCode() string
		ErrorMessage() string
	}
	if !errors.As(err, &e) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if e.ErrorCode() != string(code) {
		t.Errorf("got %v, want %s", err, code)
	}
	for _, w := range words {
		if !strings.Contains(e.ErrorMessage(), w) {
			t.Errorf("message %q says nothing of %q", e.ErrorMessage(), w)
		}
	}
}

// asError finds an error of a type.
func asError[E error](err error) (E, bool) { return errors.AsType[E](err) }

// same compares what two values print as, which follows no pointers but those
// it is given the targets of.
func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s is %s, want %s", what, g, w)
	}
}

// operations call each operation of the package on an instance and, where it
// takes one, on a resource. Nothing but these two is wrong with the requests.
var operations = map[string]struct {
	takesResource bool
	call          func(ctx context.Context, c *connect.Client, instance, resource string) error
}{
	"CreateAgentStatus": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.CreateAgentStatus(ctx, &connect.CreateAgentStatusInput{InstanceId: &i, Name: aws.String("Lunch"), State: types.AgentStatusStateEnabled})
		return err
	}},
	"DescribeAgentStatus": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DescribeAgentStatus(ctx, &connect.DescribeAgentStatusInput{InstanceId: &i, AgentStatusId: &r})
		return err
	}},
	"UpdateAgentStatus": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateAgentStatus(ctx, &connect.UpdateAgentStatusInput{InstanceId: &i, AgentStatusId: &r})
		return err
	}},
	"ListAgentStatuses": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.ListAgentStatuses(ctx, &connect.ListAgentStatusesInput{InstanceId: &i})
		return err
	}},
	"SearchAgentStatuses": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.SearchAgentStatuses(ctx, &connect.SearchAgentStatusesInput{InstanceId: &i})
		return err
	}},
	"DescribeUserHierarchyStructure": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.DescribeUserHierarchyStructure(ctx, &connect.DescribeUserHierarchyStructureInput{InstanceId: &i})
		return err
	}},
	"UpdateUserHierarchyStructure": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.UpdateUserHierarchyStructure(ctx, &connect.UpdateUserHierarchyStructureInput{InstanceId: &i, HierarchyStructure: &types.HierarchyStructureUpdate{}})
		return err
	}},
	"CreateUserHierarchyGroup": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.CreateUserHierarchyGroup(ctx, &connect.CreateUserHierarchyGroupInput{InstanceId: &i, Name: aws.String("North"), ParentGroupId: &r})
		return err
	}},
	"DescribeUserHierarchyGroup": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DescribeUserHierarchyGroup(ctx, &connect.DescribeUserHierarchyGroupInput{InstanceId: &i, HierarchyGroupId: &r})
		return err
	}},
	"UpdateUserHierarchyGroupName": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateUserHierarchyGroupName(ctx, &connect.UpdateUserHierarchyGroupNameInput{InstanceId: &i, HierarchyGroupId: &r, Name: aws.String("South")})
		return err
	}},
	"DeleteUserHierarchyGroup": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DeleteUserHierarchyGroup(ctx, &connect.DeleteUserHierarchyGroupInput{InstanceId: &i, HierarchyGroupId: &r})
		return err
	}},
	"ListUserHierarchyGroups": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.ListUserHierarchyGroups(ctx, &connect.ListUserHierarchyGroupsInput{InstanceId: &i})
		return err
	}},
	"SearchUserHierarchyGroups": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.SearchUserHierarchyGroups(ctx, &connect.SearchUserHierarchyGroupsInput{InstanceId: &i})
		return err
	}},
	"CreateSecurityProfile": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.CreateSecurityProfile(ctx, &connect.CreateSecurityProfileInput{InstanceId: &i, SecurityProfileName: aws.String("Lead"), AllowedAccessControlHierarchyGroupId: &r})
		return err
	}},
	"DescribeSecurityProfile": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DescribeSecurityProfile(ctx, &connect.DescribeSecurityProfileInput{InstanceId: &i, SecurityProfileId: &r})
		return err
	}},
	"UpdateSecurityProfile": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateSecurityProfile(ctx, &connect.UpdateSecurityProfileInput{InstanceId: &i, SecurityProfileId: &r})
		return err
	}},
	"DeleteSecurityProfile": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DeleteSecurityProfile(ctx, &connect.DeleteSecurityProfileInput{InstanceId: &i, SecurityProfileId: &r})
		return err
	}},
	"ListSecurityProfiles": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.ListSecurityProfiles(ctx, &connect.ListSecurityProfilesInput{InstanceId: &i})
		return err
	}},
	"SearchSecurityProfiles": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.SearchSecurityProfiles(ctx, &connect.SearchSecurityProfilesInput{InstanceId: &i})
		return err
	}},
	"ListSecurityProfilePermissions": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.ListSecurityProfilePermissions(ctx, &connect.ListSecurityProfilePermissionsInput{InstanceId: &i, SecurityProfileId: &r})
		return err
	}},
	"ListSecurityProfileApplications": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.ListSecurityProfileApplications(ctx, &connect.ListSecurityProfileApplicationsInput{InstanceId: &i, SecurityProfileId: &r})
		return err
	}},
	"ListSecurityProfileFlowModules": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.ListSecurityProfileFlowModules(ctx, &connect.ListSecurityProfileFlowModulesInput{InstanceId: &i, SecurityProfileId: &r})
		return err
	}},
	"CreatePredefinedAttribute": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.CreatePredefinedAttribute(ctx, &connect.CreatePredefinedAttributeInput{InstanceId: &i, Name: aws.String("Product")})
		return err
	}},
	"DescribePredefinedAttribute": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DescribePredefinedAttribute(ctx, &connect.DescribePredefinedAttributeInput{InstanceId: &i, Name: &r})
		return err
	}},
	"UpdatePredefinedAttribute": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdatePredefinedAttribute(ctx, &connect.UpdatePredefinedAttributeInput{InstanceId: &i, Name: &r})
		return err
	}},
	"DeletePredefinedAttribute": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DeletePredefinedAttribute(ctx, &connect.DeletePredefinedAttributeInput{InstanceId: &i, Name: &r})
		return err
	}},
	"ListPredefinedAttributes": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.ListPredefinedAttributes(ctx, &connect.ListPredefinedAttributesInput{InstanceId: &i})
		return err
	}},
	"SearchPredefinedAttributes": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.SearchPredefinedAttributes(ctx, &connect.SearchPredefinedAttributesInput{InstanceId: &i})
		return err
	}},
	"CreateUser": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.CreateUser(ctx, &connect.CreateUserInput{
			InstanceId: &i, Username: aws.String("jane"), RoutingProfileId: &r, SecurityProfileIds: []string{r},
			IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Jane"), LastName: aws.String("Doe")},
		})
		return err
	}},
	"DescribeUser": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DescribeUser(ctx, &connect.DescribeUserInput{InstanceId: &i, UserId: &r})
		return err
	}},
	"DeleteUser": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DeleteUser(ctx, &connect.DeleteUserInput{InstanceId: &i, UserId: &r})
		return err
	}},
	"ListUsers": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.ListUsers(ctx, &connect.ListUsersInput{InstanceId: &i})
		return err
	}},
	"SearchUsers": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.SearchUsers(ctx, &connect.SearchUsersInput{InstanceId: &i})
		return err
	}},
	"UpdateUserIdentityInfo": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateUserIdentityInfo(ctx, &connect.UpdateUserIdentityInfoInput{InstanceId: &i, UserId: &r, IdentityInfo: &types.UserIdentityInfo{}})
		return err
	}},
	"UpdateUserPhoneConfig": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateUserPhoneConfig(ctx, &connect.UpdateUserPhoneConfigInput{InstanceId: &i, UserId: &r, PhoneConfig: &types.UserPhoneConfig{}})
		return err
	}},
	"UpdateUserConfig": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateUserConfig(ctx, &connect.UpdateUserConfigInput{InstanceId: &i, UserId: &r})
		return err
	}},
	"UpdateUserHierarchy": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateUserHierarchy(ctx, &connect.UpdateUserHierarchyInput{InstanceId: &i, UserId: &r})
		return err
	}},
	"UpdateUserRoutingProfile": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateUserRoutingProfile(ctx, &connect.UpdateUserRoutingProfileInput{InstanceId: &i, UserId: &r, RoutingProfileId: &r})
		return err
	}},
	"UpdateUserSecurityProfiles": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateUserSecurityProfiles(ctx, &connect.UpdateUserSecurityProfilesInput{InstanceId: &i, UserId: &r, SecurityProfileIds: []string{r}})
		return err
	}},
	"AssociateUserProficiencies": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.AssociateUserProficiencies(ctx, &connect.AssociateUserProficienciesInput{InstanceId: &i, UserId: &r, UserProficiencies: []types.UserProficiency{}})
		return err
	}},
	"UpdateUserProficiencies": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateUserProficiencies(ctx, &connect.UpdateUserProficienciesInput{InstanceId: &i, UserId: &r, UserProficiencies: []types.UserProficiency{}})
		return err
	}},
	"DisassociateUserProficiencies": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DisassociateUserProficiencies(ctx, &connect.DisassociateUserProficienciesInput{InstanceId: &i, UserId: &r, UserProficiencies: []types.UserProficiencyDisassociate{}})
		return err
	}},
	"ListUserProficiencies": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.ListUserProficiencies(ctx, &connect.ListUserProficienciesInput{InstanceId: &i, UserId: &r})
		return err
	}},
	"DescribeAuthenticationProfile": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DescribeAuthenticationProfile(ctx, &connect.DescribeAuthenticationProfileInput{InstanceId: &i, AuthenticationProfileId: &r})
		return err
	}},
	"UpdateAuthenticationProfile": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.UpdateAuthenticationProfile(ctx, &connect.UpdateAuthenticationProfileInput{InstanceId: &i, AuthenticationProfileId: &r})
		return err
	}},
	"ListAuthenticationProfiles": {false, func(ctx context.Context, c *connect.Client, i, _ string) error {
		_, err := c.ListAuthenticationProfiles(ctx, &connect.ListAuthenticationProfilesInput{InstanceId: &i})
		return err
	}},
	"AssociateSecurityProfiles": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.AssociateSecurityProfiles(ctx, &connect.AssociateSecurityProfilesInput{
			InstanceId: &i, EntityType: types.EntityTypeUser, EntityArn: aws.String(servertest.InstanceARN(i) + "/agent/" + r), SecurityProfiles: []types.SecurityProfileItem{{Id: &r}},
		})
		return err
	}},
	"DisassociateSecurityProfiles": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.DisassociateSecurityProfiles(ctx, &connect.DisassociateSecurityProfilesInput{
			InstanceId: &i, EntityType: types.EntityTypeUser, EntityArn: aws.String(servertest.InstanceARN(i) + "/agent/" + r), SecurityProfiles: []types.SecurityProfileItem{{Id: &r}},
		})
		return err
	}},
	"ListEntitySecurityProfiles": {true, func(ctx context.Context, c *connect.Client, i, r string) error {
		_, err := c.ListEntitySecurityProfiles(ctx, &connect.ListEntitySecurityProfilesInput{
			InstanceId: &i, EntityType: types.EntityTypeUser, EntityArn: aws.String(servertest.InstanceARN(i) + "/agent/" + r),
		})
		return err
	}},
}

func TestOperationsKeepToTheirInstance(t *testing.T) {
	s := servertest.Boot(t)
	id := s.NewInstance(t)
	elsewhere := s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey, func(o *connect.Options) { o.Region = "eu-west-2" })
	for name, op := range operations {
		t.Run(name, func(t *testing.T) {
			unknown := domain.NewID()
			fails(t, op.call(t.Context(), s.Connect, unknown, unknown), fault.ResourceNotFound, unknown)
			fails(t, op.call(t.Context(), elsewhere, id, unknown), fault.ResourceNotFound, id)
			fails(t, op.call(t.Context(), s.Connect, "no-id", unknown), fault.InvalidParameter, "Invalid parameter: no-id")
			if op.takesResource {
				fails(t, op.call(t.Context(), s.Connect, id, unknown), fault.ResourceNotFound)
			}
		})
	}
}

func TestEveryOperationHasItsWrongInstanceCase(t *testing.T) {
	served := reflect.TypeFor[*directory.Directory]()
	for i := range served.NumMethod() {
		name := served.Method(i).Name
		if _, operation := reflect.TypeFor[*connect.Client]().MethodByName(name); !operation {
			continue // it is for the rest of the server
		}
		if _, tested := operations[name]; !tested {
			t.Errorf("%s is not in the table of operations: add a call of it", name)
		}
	}
}
