package server

import (
	"context"

	appfederation "ringdown/internal/app/federation"
	"ringdown/internal/app/sts"
	"ringdown/internal/catalog"
	"ringdown/internal/federation"
	"ringdown/internal/iam"
)

// stsRoles are the roles as the operations of the Security Token Service know
// them: who asks is the principal that the front door has found. The federation
// is set before the first request.
type stsRoles struct{ *federation.Federation }

// areas serve the operations that let others in.
func (i *identities) areas(c *catalog.Catalog) []any {
	return []any{sts.New(stsRoles{i.federation}), appfederation.New(c, i.signIn)}
}

// Assume implements sts.Roles.
func (r stsRoles) Assume(ctx context.Context, w federation.Wish) (*federation.Assumed, error) {
	return r.Federation.Assume(ctx, iam.PrincipalOf(ctx), w)
}
