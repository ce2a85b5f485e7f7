// Package scim lets identity providers make, change and deactivate users: SCIM
// 2.0 (RFC 7643, RFC 7644) at /-/scim/v2/. Each bearer token is for one
// instance. The users are those of the API, with its rules, and a request changes
// all that it asks for or nothing.
//
// A resource is, between the wire and User, what JSON makes of it (a
// map[string]any) with the names and types of the schema: filters and patches are
// worked out on that form, and only resource.go knows which attribute is what of
// a user. The package starts no goroutine.
package scim

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
)

// Path is below which everything is.
const Path = "/-/scim/v2/"

// Token is a bearer token.
type Token struct {
	ID       string            // shown in lists, no secret
	Instance domain.InstanceID // whose users it manages
	Region   string            // of the instance
	// What new users get that SCIM says nothing of: ids.
	RoutingProfile   string
	SecurityProfiles []string
	Created          time.Time
}

// Tokens finds tokens.
type Tokens interface {
	// FindToken returns nil when there is no such token. The text is the secret
	// as the client sent it.
	FindToken(ctx context.Context, text string) (*Token, error)
}

// User is a user as it is provisioned.
type User struct {
	ID                string
	Version           int64 // grows with each change, whoever makes it
	Created, Modified time.Time
	Username          string // never changes
	ExternalID        string // the identity provider's id of it
	Inactive          bool   // must not sign in
	Identity          domain.IdentityInfo
	// Names as they are read, that of a group with those above it: Sales/North.
	// They may be written as names or ids.
	RoutingProfile   string
	SecurityProfiles []string
	HierarchyGroup   string // empty: none
	// Password is only ever written. Empty leaves the one that there is, or makes
	// one that nobody knows.
	Password string
}

// Users are the users of all instances of the account. An instance that is not
// there in the region of the context's caller, and a user that is not in its
// instance, is a ResourceNotFoundException. Whatever else the API would refuse is
// refused with its exceptions; a profile or group that there is none of is an
// InvalidParameterException.
type Users interface {
	// Identity is the identity type of an instance.
	Identity(ctx context.Context, in domain.InstanceID) (domain.IdentityManagementType, error)
	User(ctx context.Context, in domain.InstanceID, id string) (*User, error)
	// Named finds a user by its Username, case-sensitive.
	Named(ctx context.Context, in domain.InstanceID, username string) (*User, error)
	// External finds the users with an external id, in the order of their ids;
	// all is false, and the list not to be used, when there are more than limit.
	External(ctx context.Context, in domain.InstanceID, externalID string, limit int) (list []*User, all bool, err error)
	Count(ctx context.Context, in domain.InstanceID) (int, error)
	// List returns at most limit users in the order of their ids: those beyond
	// the one with the id after, less the first skip of them.
	List(ctx context.Context, in domain.InstanceID, after string, skip, limit int) ([]*User, error)
	// Create adds a user, whose ID, Version, Created and Modified do not count,
	// and returns it as it is then.
	Create(ctx context.Context, in domain.InstanceID, u *User) (*User, error)
	// Replace makes the user with u's ID be as u is, all or nothing. When Version
	// is no longer the user's, that is a ResourceConflictException.
	Replace(ctx context.Context, in domain.InstanceID, u *User) (*User, error)
	// Delete removes a user; version as in Replace, 0 for any.
	Delete(ctx context.Context, in domain.InstanceID, id string, version int64) error
}

// Options configure the service.
type Options struct {
	Users   Users
	Tokens  Tokens
	Account string // that all instances belong to
	// URL is the address of this server as clients know it, without a slash at
	// the end.
	URL func() string
	// Address is the IP address of whoever sent a request, "" when it has none.
	Address func(*http.Request) string
	Audit   *audit.Log
	Logger  *slog.Logger
	Now     func() time.Time
}

// New returns the handler of everything below Path.
func New(o Options) http.Handler { return &service{o} }
