package directory

import (
	"context"
	"errors"
	"fmt"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// What follows is for those who let users in, and has no operation: passwords,
// and who a user is bound to, are shown by none.

// UserNamed finds a user by its Username, case-sensitive; an unknown one is a
// ResourceNotFoundException.
func (d *Directory) UserNamed(ctx context.Context, sc catalog.Scope, username string) (*catalog.Item[domain.User], error) {
	if username == "" {
		return nil, fault.New(fault.ResourceNotFound, "User not found.")
	}
	return d.users.GetByName(ctx, d.catalog.Store(), sc, username)
}

// ErrPasswordChanged says that a user has another password hash by now.
var ErrPasswordChanged = errors.New("the user has another password by now")

// SetPassword puts a password hash in the place of old; chosen says that the
// user has chosen the password. When the user has another hash by now, nothing
// changes and the error is ErrPasswordChanged.
func (d *Directory) SetPassword(ctx context.Context, sc catalog.Scope, id, old, hash string, chosen bool) error {
	if sc.Identity != domain.ConnectManaged {
		return fmt.Errorf("user %s: the instance keeps no passwords", id)
	}
	return d.users.Update(ctx, sc, id, func(_ store.Tx, e *domain.User) error {
		if e.PasswordHash != old {
			return ErrPasswordChanged
		}
		e.PasswordHash, e.PasswordChosen = hash, chosen
		return nil
	})
}

// Bind binds a user to a principal, by its unique id. A user that is bound to
// another one is a DuplicateResourceException in the service's own words.
func (d *Directory) Bind(ctx context.Context, sc catalog.Scope, id, principal string) error {
	check := func(e *domain.User) error {
		if e.FederatedBy != "" && e.FederatedBy != principal {
			return fault.New(fault.DuplicateResource, "The user %s is already associated with the Amazon Connect instance %s", e.Username, sc.ID)
		}
		return nil
	}
	// All but the first time there is nothing to write.
	i, err := d.users.Get(ctx, sc, id)
	if err != nil {
		return err
	}
	if i.Value.FederatedBy != "" {
		return check(&i.Value)
	}
	return d.users.Update(ctx, sc, id, func(_ store.Tx, e *domain.User) error {
		if err := check(e); err != nil {
			return err
		}
		e.FederatedBy = principal
		return nil
	})
}

// DefaultAuthenticationProfile is the authentication profile that holds for the
// users of an instance: its default.
func (d *Directory) DefaultAuthenticationProfile(ctx context.Context, sc catalog.Scope) (*domain.AuthenticationProfile, error) {
	found, _, err := d.authenticationProfiles.ListWhere(ctx, sc, catalog.Page{}, func(i *catalog.Item[domain.AuthenticationProfile]) bool {
		return i.Value.Default
	})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return newDefaultProfile(), nil // an instance of a release that made none
	}
	return &found[0].Value, nil
}
