// Package sts serves what clients ask of AWS's Security Token Service.
package sts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"ringdown/internal/domain"
)

// STS serves the operations of this package.
type STS struct{}

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
