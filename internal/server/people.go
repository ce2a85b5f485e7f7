package server

import (
	"context"
	"errors"

	"ringdown/internal/app/directory"
	"ringdown/internal/app/instance"
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/signin"
)

// people is what areas know of instances and their users, as those who let users
// in ask for it (signin.People). Browsers name no region: an instance is found
// where it was created.
type people struct {
	catalog   *catalog.Catalog
	instances *instance.Instances
	users     *directory.Directory
}

// Instance finds an instance by its id or its alias.
func (p *people) Instance(ctx context.Context, idOrAlias string) (*signin.Instance, error) {
	sc, i, err := p.instances.Anywhere(ctx, idOrAlias)
	if err != nil {
		return nil, err
	}
	return &signin.Instance{
		PK: sc.PK, ID: sc.ID, ARN: sc.ARN(domain.KindInstance, string(sc.ID)), Alias: i.Value.Alias, Region: sc.Region,
		Identity: sc.Identity, DirectoryID: i.Value.DirectoryID,
	}, nil
}

// place is the instance as the catalog addresses it.
func (p *people) place(in *signin.Instance) catalog.Scope {
	return catalog.Scope{PK: in.PK, ID: in.ID, Region: in.Region, Home: in.Region, Account: p.catalog.Account(), Identity: in.Identity}
}

func (p *people) user(in *signin.Instance, i *catalog.Item[domain.User], err error) (*signin.User, error) {
	if err != nil {
		return nil, unknownUser(err)
	}
	e := &i.Value
	u := &signin.User{
		PK: i.PK(), ID: i.ID, ARN: p.place(in).ARN(domain.KindUser, i.ID), Username: e.Username,
		DirectoryUserID: e.DirectoryUserID, PasswordHash: e.PasswordHash, PasswordChosen: e.PasswordChosen,
		Inactive: e.Inactive, Deactivations: e.Deactivations, FederatedBy: e.FederatedBy,
	}
	if who := e.IdentityInfo; who != nil {
		u.FirstName, u.LastName, u.Email = who.FirstName, who.LastName, who.Email
	}
	return u, nil
}

// unknownUser is what a missing user is to those who sign in.
func unknownUser(err error) error {
	if fault.Is(err, fault.ResourceNotFound) {
		return fault.New(fault.UserNotFound, "User not found.").Wrap(err)
	}
	return err
}

// User finds a user by its Username.
func (p *people) User(ctx context.Context, in *signin.Instance, username string) (*signin.User, error) {
	i, err := p.users.UserNamed(ctx, p.place(in), username)
	return p.user(in, i, err)
}

// UserByID finds a user by its id.
func (p *people) UserByID(ctx context.Context, in *signin.Instance, id string) (*signin.User, error) {
	i, err := p.users.User(ctx, p.place(in), id)
	return p.user(in, i, err)
}

// SetPassword replaces the hash of a user's password.
func (p *people) SetPassword(ctx context.Context, in *signin.Instance, id, old, hash string, chosen bool) error {
	err := p.users.SetPassword(ctx, p.place(in), id, old, hash, chosen)
	if errors.Is(err, directory.ErrPasswordChanged) {
		return signin.ErrChanged
	}
	return unknownUser(err)
}

// Bind binds a user to a principal.
func (p *people) Bind(ctx context.Context, in *signin.Instance, id, principal string) error {
	return unknownUser(p.users.Bind(ctx, p.place(in), id, principal))
}

// Profile is the authentication profile of an instance's users.
func (p *people) Profile(ctx context.Context, in *signin.Instance) (*domain.AuthenticationProfile, error) {
	return p.users.DefaultAuthenticationProfile(ctx, p.place(in))
}
