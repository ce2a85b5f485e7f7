package server

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/signin"
	"ringdown/internal/store"
)

// TestPeople: instances are found from wherever a browser is, users by their
// exact names, and what changes a user changes the one that it has seen.
func TestPeople(t *testing.T) {
	s, err := Start(t.Context(), Config{Listen: "127.0.0.1:0", Data: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	p := s.people
	inRegion := func(region string) context.Context {
		return domain.WithCaller(t.Context(), &domain.Caller{Region: region, Account: DefaultAccount, Root: true})
	}
	newInstance := func(region, alias string, kind types.DirectoryType) string {
		t.Helper()
		out, err := p.instances.CreateInstance(inRegion(region), &connect.CreateInstanceInput{
			IdentityManagementType: kind, InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true), InstanceAlias: &alias,
		})
		if err != nil {
			t.Fatal(err)
		}
		return *out.Id
	}
	id := newInstance("eu-west-2", "Acme-London", types.DirectoryTypeConnectManaged)
	// Aliases may look like ids, even like that of another instance.
	newInstance("us-east-1", id, types.DirectoryTypeSaml)
	alias := domain.NewID()
	imitation := newInstance("us-east-1", alias, types.DirectoryTypeSaml)

	for _, name := range []string{id, strings.ToUpper(id), "Acme-London", "acme-london", "ACME-LONDON"} {
		in, err := p.Instance(t.Context(), name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if string(in.ID) != id || in.Region != "eu-west-2" || in.Alias != "Acme-London" || in.Identity != domain.ConnectManaged ||
			in.ARN != "arn:aws:connect:eu-west-2:"+DefaultAccount+":instance/"+id {
			t.Errorf("%s: %+v", name, in)
		}
	}
	if in, err := p.Instance(t.Context(), alias); err != nil || string(in.ID) != imitation {
		t.Errorf("%+v, %v", in, err)
	}
	for _, name := range []string{"", "nowhere", domain.NewID(), "acme-london\x00", "\xff"} {
		if in, err := p.Instance(t.Context(), name); !fault.Is(err, fault.ResourceNotFound) {
			t.Errorf("%q is %+v, %v", name, in, err)
		}
	}

	in, err := p.Instance(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	here := inRegion("eu-west-2")
	call := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	user := newUserIn(here, t, s, id, "Ana")
	for _, find := range []func() (*signin.User, error){
		func() (*signin.User, error) { return p.User(t.Context(), in, "Ana") },
		func() (*signin.User, error) { return p.UserByID(t.Context(), in, user) },
	} {
		u, err := find()
		call(err)
		if u.ID != user || u.Username != "Ana" || u.ARN != in.ARN+"/agent/"+user || u.FirstName != "Ana" || u.Email != "ana@example.org" ||
			u.PasswordHash == "" || u.PasswordChosen || u.Inactive || u.FederatedBy != "" || u.DirectoryUserID != "" || u.PK == 0 {
			t.Errorf("%+v", u)
		}
	}
	other, err := p.Instance(t.Context(), imitation)
	call(err)
	for _, find := range []func() (*signin.User, error){
		func() (*signin.User, error) { return p.User(t.Context(), in, "ana") },
		func() (*signin.User, error) { return p.User(t.Context(), in, "") },
		func() (*signin.User, error) { return p.User(t.Context(), in, "Ana\x00") },
		func() (*signin.User, error) { return p.User(t.Context(), other, "Ana") },
		func() (*signin.User, error) { return p.UserByID(t.Context(), in, domain.NewID()) },
		func() (*signin.User, error) { return p.UserByID(t.Context(), other, user) },
	} {
		if u, err := find(); !fault.Is(err, fault.UserNotFound) {
			t.Errorf("found %+v, %v", u, err)
		}
	}

	u, err := p.User(t.Context(), in, "Ana")
	call(err)
	call(p.SetPassword(t.Context(), in, user, u.PasswordHash, "second", true))
	if err := p.SetPassword(t.Context(), in, user, u.PasswordHash, "third", false); !errors.Is(err, signin.ErrChanged) {
		t.Errorf("a password that is another by now: %v", err)
	}
	if err := p.SetPassword(t.Context(), in, domain.NewID(), "", "third", false); !fault.Is(err, fault.UserNotFound) {
		t.Errorf("the password of nobody: %v", err)
	}
	if u, err := p.UserByID(t.Context(), in, user); err != nil || u.PasswordHash != "second" || !u.PasswordChosen {
		t.Errorf("%+v, %v", u, err)
	}

	// Of several principals that come at once the user is one's.
	var bound atomic.Int32
	var wg sync.WaitGroup
	for _, principal := range []string{"AROA1", "AROA2", "AROA3", "AROA4"} {
		wg.Go(func() {
			err := p.Bind(t.Context(), in, user, principal)
			switch {
			case err == nil:
				bound.Add(1)
				if err := p.Bind(t.Context(), in, user, principal); err != nil {
					t.Errorf("a second time: %v", err)
				}
			case !fault.Is(err, fault.DuplicateResource) || !strings.Contains(err.Error(), "The user Ana is already associated with the Amazon Connect instance "+id):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if bound.Load() != 1 {
		t.Errorf("the user is bound to %d", bound.Load())
	}
	if err := p.Bind(t.Context(), in, domain.NewID(), "AROA1"); !fault.Is(err, fault.UserNotFound) {
		t.Errorf("bound nobody: %v", err)
	}

	profile, err := p.Profile(t.Context(), in)
	if err != nil || !profile.Default || profile.MaxSessionDuration != 720 {
		t.Errorf("the profile is %+v, %v", profile, err)
	}
	list, err := p.users.ListAuthenticationProfiles(here, &connect.ListAuthenticationProfilesInput{InstanceId: &id})
	call(err)
	_, err = p.users.UpdateAuthenticationProfile(here, &connect.UpdateAuthenticationProfileInput{
		InstanceId: &id, AuthenticationProfileId: list.AuthenticationProfileSummaryList[0].Id, BlockedIps: []string{"192.0.2.1"},
	})
	call(err)
	if profile, err := p.Profile(t.Context(), in); err != nil || len(profile.BlockedIPs) != 1 {
		t.Errorf("the profile is %+v, %v", profile, err)
	}
	// The first releases gave instances none.
	call(p.catalog.Store().Update(t.Context(), func(tx store.Tx) error {
		r, err := tx.Get(t.Context(), in.PK, domain.KindAuthenticationProfile, *list.AuthenticationProfileSummaryList[0].Id)
		if err != nil {
			return err
		}
		return tx.Delete(t.Context(), r)
	}))
	if profile, err := p.Profile(t.Context(), in); err != nil || profile.MaxSessionDuration != 720 {
		t.Errorf("without a profile it is %+v, %v", profile, err)
	}

	_, err = p.instances.DeleteInstance(here, &connect.DeleteInstanceInput{InstanceId: &id})
	call(err)
	if in, err := p.Instance(t.Context(), id); err != nil || in.Alias != id {
		t.Errorf("the instance whose alias was an id: %+v, %v", in, err)
	}
	if in, err := p.Instance(t.Context(), "acme-london"); !fault.Is(err, fault.ResourceNotFound) {
		t.Errorf("what is deleted is %+v, %v", in, err)
	}
}

// newUserIn creates a user with a password.
func newUserIn(ctx context.Context, t *testing.T, s *Server, instance, name string) string {
	t.Helper()
	security, err := s.people.users.ListSecurityProfiles(ctx, &connect.ListSecurityProfilesInput{InstanceId: &instance})
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.people.Instance(ctx, instance)
	if err != nil {
		t.Fatal(err)
	}
	routing, err := s.store.GetByName(ctx, in.PK, domain.KindRoutingProfile, "Basic Routing Profile")
	if err != nil {
		t.Fatal(err)
	}
	out, err := s.people.users.CreateUser(ctx, &connect.CreateUserInput{
		InstanceId: &instance, Username: &name, Password: aws.String("Passw0rd"), RoutingProfileId: &routing.ID,
		SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
		IdentityInfo:       &types.UserIdentityInfo{FirstName: &name, LastName: &name, Email: aws.String(strings.ToLower(name) + "@example.org")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.UserId
}
