package directory_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func TestAuthenticationProfiles(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s, types.DirectoryTypeSaml)
	list, err := c.ListAuthenticationProfiles(t.Context(), &connect.ListAuthenticationProfilesInput{InstanceId: &c.id})
	ok(t, err)
	if len(list.AuthenticationProfileSummaryList) != 1 || list.NextToken != nil {
		t.Fatalf("a new instance has the authentication profiles %+v, want one", list)
	}
	first := list.AuthenticationProfileSummaryList[0]
	id := *first.Id
	describe := func() *types.AuthenticationProfile {
		t.Helper()
		out, err := c.DescribeAuthenticationProfile(t.Context(), &connect.DescribeAuthenticationProfileInput{InstanceId: &c.id, AuthenticationProfileId: &id})
		ok(t, err)
		return out.AuthenticationProfile
	}
	got := describe()
	servertest.Same(t, "the profile", got, &types.AuthenticationProfile{
		Id: &id, Arn: aws.String(c.arn + "/authentication-profile/" + id), Name: aws.String("Default Authentication Profile"),
		Description: aws.String("A basic default Authentication Profile"), IsDefault: true, AllowedIps: []string{}, BlockedIps: []string{},
		PeriodicSessionDuration: aws.Int32(60), MaxSessionDuration: aws.Int32(720), SessionInactivityHandlingEnabled: aws.Bool(false), //nolint:staticcheck // deprecated members are served as well
		CreatedTime: got.CreatedTime, LastModifiedTime: got.LastModifiedTime, LastModifiedRegion: aws.String(servertest.Region),
	})
	servertest.Same(t, "its summary", first, types.AuthenticationProfileSummary{
		Id: got.Id, Arn: got.Arn, Name: got.Name, IsDefault: true, LastModifiedTime: got.LastModifiedTime, LastModifiedRegion: got.LastModifiedRegion,
	})

	update := func(in connect.UpdateAuthenticationProfileInput) error {
		in.InstanceId, in.AuthenticationProfileId = &c.id, &id
		_, err := c.UpdateAuthenticationProfile(t.Context(), &in)
		return err
	}
	fails(t, update(connect.UpdateAuthenticationProfileInput{SessionInactivityHandlingEnabled: aws.Bool(true)}), fault.InvalidRequest, "SessionInactivityDuration")
	for _, bad := range []string{"2001:db8::/129", "2001:db8", "nowhere", "1::2::3"} {
		fails(t, update(connect.UpdateAuthenticationProfileInput{AllowedIps: []string{"2001:db8::/32", bad}}), fault.InvalidParameter, "AllowedIps[1]")
		fails(t, update(connect.UpdateAuthenticationProfileInput{BlockedIps: []string{bad}}), fault.InvalidParameter, "BlockedIps[0]")
	}
	servertest.Same(t, "the profile that nothing has changed", describe(), got)

	ok(t, update(connect.UpdateAuthenticationProfileInput{
		Name: aws.String("Office"), Description: aws.String("From the office alone"),
		AllowedIps: []string{"192.0.2.0/24", "2001:db8:1::1"}, BlockedIps: []string{"2001:db8:ffff::/48"},
		PeriodicSessionDuration: aws.Int32(10), SessionInactivityDuration: aws.Int32(15), SessionInactivityHandlingEnabled: aws.Bool(true), //nolint:staticcheck // deprecated members are served as well
	}))
	want := *got
	want.Name, want.Description = aws.String("Office"), aws.String("From the office alone")
	want.AllowedIps, want.BlockedIps = []string{"192.0.2.0/24", "2001:db8:1::1"}, []string{"2001:db8:ffff::/48"}
	want.PeriodicSessionDuration, want.SessionInactivityDuration, want.SessionInactivityHandlingEnabled = aws.Int32(10), aws.Int32(15), aws.Bool(true) //nolint:staticcheck // deprecated members are served as well
	changed := describe()
	want.LastModifiedTime = changed.LastModifiedTime
	servertest.Same(t, "the changed profile", changed, &want)

	// What a request leaves out stays; an empty list clears.
	ok(t, update(connect.UpdateAuthenticationProfileInput{AllowedIps: []string{}}))
	if got := describe(); len(got.AllowedIps) != 0 || len(got.BlockedIps) != 1 || *got.Name != "Office" {
		t.Errorf("the profile is %+v", got)
	}
}
