// Package scim lets identity providers make, change and deactivate users: SCIM
// 2.0 (RFC 7643, RFC 7644) at /-/scim/v2/. Each bearer token is for one
// instance. The users are those of the API: they are made and changed by its own
// operations, with their rules.
package scim

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect"

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

// Users are the operations of the API that are used.
type Users interface {
	CreateUser(ctx context.Context, in *connect.CreateUserInput) (*connect.CreateUserOutput, error)
	DescribeUser(ctx context.Context, in *connect.DescribeUserInput) (*connect.DescribeUserOutput, error)
	UpdateUserIdentityInfo(ctx context.Context, in *connect.UpdateUserIdentityInfoInput) (*connect.UpdateUserIdentityInfoOutput, error)
	DeleteUser(ctx context.Context, in *connect.DeleteUserInput) (*connect.DeleteUserOutput, error)
	ListUsers(ctx context.Context, in *connect.ListUsersInput) (*connect.ListUsersOutput, error)
}

// Options configure the service.
type Options struct {
	Users  Users
	Tokens Tokens
	// URL is the address of this server as clients know it.
	URL    func() string
	Audit  *audit.Log
	Logger *slog.Logger
	Now    func() time.Time
}

// New returns the handler of everything below Path.
func New(o Options) http.Handler { panic("not yet") }
