// Package federation serves GetFederationToken.
package federation

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/signin"
)

// Tokens gives federation tokens; *signin.Service does.
type Tokens interface {
	Federate(ctx context.Context, in *signin.Instance, name, principal string) (*signin.Tokens, error)
}

// Federation serves the operation of this package.
type Federation struct {
	catalog *catalog.Catalog
	tokens  Tokens
}

// New returns the area. It has no kind of its own.
func New(c *catalog.Catalog, tokens Tokens) *Federation {
	return &Federation{catalog: c, tokens: tokens}
}

// GetFederationToken gives the caller the tokens of the user whose Username is
// its role session name (AWS API reference, GetFederationToken). For a user of
// IAM, which has no session, it is that user's name (docs/divergences.md).
func (f *Federation) GetFederationToken(ctx context.Context, in *connect.GetFederationTokenInput) (*connect.GetFederationTokenOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	c := domain.CallerOf(ctx)
	name := c.SessionName
	if name == "" {
		name = c.UserName
	}
	if c.Root || name == "" {
		return nil, fault.New(fault.InvalidRequest, "Provided identity: Principal: %s User: %s cannot be used for federation with Amazon Connect", c.ARN, c.PrincipalID)
	}
	// Of an assumed role it is the role's id and the session's name: the user
	// belongs to the role.
	principal, _, _ := strings.Cut(c.PrincipalID, ":")
	t, err := f.tokens.Federate(ctx, &signin.Instance{
		PK: sc.PK, ID: sc.ID, ARN: sc.ARN(domain.KindInstance, string(sc.ID)), Region: sc.Region, Identity: sc.Identity,
	}, name, principal)
	if err != nil {
		return nil, err
	}
	return &connect.GetFederationTokenOutput{
		Credentials: &types.Credentials{
			AccessToken: aws.String(t.Access), AccessTokenExpiration: aws.Time(t.AccessExpires),
			RefreshToken: aws.String(t.Refresh), RefreshTokenExpiration: aws.Time(t.RefreshExpires),
		},
		SignInUrl: aws.String(t.SignInURL),
		UserArn:   aws.String(t.User.ARN),
		UserId:    aws.String(t.User.ID),
	}, nil
}
