package server

import (
	"context"

	"ringdown/internal/app/sts"
	"ringdown/internal/federation"
	"ringdown/internal/iam"
)

// stsRoles are the roles as the operations of the Security Token Service know
// them: who asks is the principal that the front door has found. The federation
// is set before the first request.
type stsRoles struct{ *federation.Federation }

var _ sts.Roles = stsRoles{}

// Assume implements sts.Roles.
func (r stsRoles) Assume(ctx context.Context, w federation.Wish) (*federation.Assumed, error) {
	return r.Federation.Assume(ctx, iam.PrincipalOf(ctx), w)
}
