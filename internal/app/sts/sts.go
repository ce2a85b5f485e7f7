// Package sts serves what clients ask of AWS's Security Token Service. Which
// roles there are and who may assume them, internal/federation knows.
package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"ringdown/internal/domain"
	"ringdown/internal/federation"
)

// Roles assumes roles.
type Roles interface {
	// Assume assumes a role for who has signed the request that ctx belongs to.
	Assume(ctx context.Context, w federation.Wish) (*federation.Assumed, error)
	// AssumeWithSAML assumes a role by a response, base64 as an identity provider
	// has posted it.
	AssumeWithSAML(ctx context.Context, providerARN, response string, w federation.Wish) (*federation.Assumed, error)
}

// STS serves the operations of this package.
type STS struct{ roles Roles }

// New returns the operations over roles.
func New(r Roles) STS { return STS{r} }

// GetCallerIdentity tells a caller who it is. It needs no permission (AWS STS
// API reference, GetCallerIdentity).
func (STS) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	c := domain.CallerOf(ctx)
	return &sts.GetCallerIdentityOutput{
		Account: aws.String(c.Account),
		Arn:     aws.String(c.ARN),
		UserId:  aws.String(c.PrincipalID),
	}, nil
}
