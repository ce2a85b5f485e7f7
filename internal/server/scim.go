package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"ringdown/internal/app/directory"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/iam"
	"ringdown/internal/scim"
	"ringdown/internal/store"
)

// newSCIM serves what is below scim.Path.
func (s *Server) newSCIM(tokens *iam.SCIMTokens) http.Handler {
	return scim.New(scim.Options{
		Users: provisioned{s.people.users}, Tokens: bearers{tokens}, Account: s.cfg.Account,
		URL: s.identities.url, Address: s.identities.from, Audit: s.identities.audit, Logger: s.cfg.Logger, Now: s.cfg.Now,
	})
}

// bearers are the tokens of an account as the service of SCIM asks for them.
type bearers struct{ tokens *iam.SCIMTokens }

func (b bearers) FindToken(ctx context.Context, text string) (*scim.Token, error) {
	t, err := b.tokens.Find(ctx, text)
	return (*scim.Token)(t), err
}

// provisioned are the users of all instances as the service of SCIM manages
// them.
type provisioned struct{ users *directory.Directory }

func (p provisioned) Identity(ctx context.Context, in domain.InstanceID) (domain.IdentityManagementType, error) {
	return p.users.ProvisioningIdentity(ctx, in)
}

func (p provisioned) User(ctx context.Context, in domain.InstanceID, id string) (*scim.User, error) {
	u, err := p.users.ProvisionedUser(ctx, in, id)
	return (*scim.User)(u), err
}

func (p provisioned) Named(ctx context.Context, in domain.InstanceID, username string) (*scim.User, error) {
	u, err := p.users.ProvisionedNamed(ctx, in, username)
	return (*scim.User)(u), err
}

func (p provisioned) Count(ctx context.Context, in domain.InstanceID) (int, error) {
	return p.users.CountProvisioned(ctx, in)
}

func (p provisioned) List(ctx context.Context, in domain.InstanceID, after string, skip, limit int) ([]*scim.User, error) {
	found, err := p.users.ListProvisioned(ctx, in, after, skip, limit)
	return asUsers(found), err
}

func (p provisioned) External(ctx context.Context, in domain.InstanceID, externalID string, limit int) ([]*scim.User, bool, error) {
	found, all, err := p.users.ProvisionedExternally(ctx, in, externalID, limit)
	return asUsers(found), all, err
}

func asUsers(found []*directory.Provisioned) []*scim.User {
	list := make([]*scim.User, len(found))
	for i, u := range found {
		list[i] = (*scim.User)(u)
	}
	return list
}

func (p provisioned) Create(ctx context.Context, in domain.InstanceID, u *scim.User) (*scim.User, error) {
	made, err := p.users.Provision(ctx, in, (*directory.Provisioned)(u))
	return (*scim.User)(made), err
}

func (p provisioned) Replace(ctx context.Context, in domain.InstanceID, u *scim.User) (*scim.User, error) {
	now, err := p.users.Reprovision(ctx, in, (*directory.Provisioned)(u))
	return (*scim.User)(now), err
}

func (p provisioned) Delete(ctx context.Context, in domain.InstanceID, id string, version int64) error {
	return p.users.Deprovision(ctx, in, id, version)
}

// NewSCIMToken asks for a token.
type NewSCIMToken struct {
	Instance string // id or alias
	// What new users get that SCIM says nothing of: names or ids.
	RoutingProfile   string
	SecurityProfiles []string
}

// MadeSCIMToken answers it. The token is told this once.
type MadeSCIMToken struct {
	ID         string
	Token      string
	InstanceID string
	BaseURL    string // that the identity provider is given beside the token
}

// newToken makes a token of what is in a store.
func newToken(ctx context.Context, rd store.Reader, tokens *iam.SCIMTokens, url string, in NewSCIMToken) (MadeSCIMToken, error) {
	r, err := lookUp(ctx, rd, store.Root, domain.KindInstance, in.Instance, strings.ToLower(in.Instance))
	if err != nil {
		return MadeSCIMToken{}, err
	}
	var i domain.Instance
	if err := json.Unmarshal(r.Doc, &i); err != nil {
		return MadeSCIMToken{}, fmt.Errorf("stored instance %s: %w", r.ID, err)
	}
	t := iam.SCIMToken{Instance: domain.InstanceID(r.ID), Region: i.Region}
	profile, err := lookUp(ctx, rd, r.PK, domain.KindRoutingProfile, in.RoutingProfile, in.RoutingProfile)
	if err != nil {
		return MadeSCIMToken{}, err
	}
	t.RoutingProfile = profile.ID
	if len(in.SecurityProfiles) == 0 {
		return MadeSCIMToken{}, fault.New(fault.InvalidParameter, "a security profile is required")
	}
	for _, name := range in.SecurityProfiles {
		profile, err := lookUp(ctx, rd, r.PK, domain.KindSecurityProfile, name, name)
		if err != nil {
			return MadeSCIMToken{}, err
		}
		t.SecurityProfiles = append(t.SecurityProfiles, profile.ID)
	}
	text, made, err := tokens.Create(ctx, t)
	if err != nil {
		return MadeSCIMToken{}, err
	}
	return MadeSCIMToken{made.ID, text, r.ID, url + strings.TrimSuffix(scim.Path, "/")}, nil
}

// lookUp finds a record by its id or its key.
func lookUp(ctx context.Context, rd store.Reader, in store.PK, kind domain.Kind, id, key string) (*store.Record, error) {
	none := fault.New(fault.ResourceNotFound, "There is no %s %q", kind, id)
	if id == "" {
		return nil, none
	}
	r, err := rd.Get(ctx, in, kind, id)
	if fault.Is(err, fault.ResourceNotFound) {
		r, err = rd.GetByName(ctx, in, kind, key)
	}
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, none
	}
	return r, err
}
