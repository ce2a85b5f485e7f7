package integrations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// approvedOriginQuota: admin guide, "Amazon Connect service quotas".
const approvedOriginQuota = 100

var approvedOriginKind = catalog.Kind[domain.ApprovedOrigin]{
	Of:     domain.KindApprovedOrigin,
	Name:   func(e *domain.ApprovedOrigin) string { return e.Origin },
	Key:    (*domain.ApprovedOrigin).Key,
	Check:  (*domain.ApprovedOrigin).Check,
	Quota:  approvedOriginQuota,
	NoTags: true,
}

// AssociateApprovedOrigin lets a site embed the instance's pages.
func (g *Integrations) AssociateApprovedOrigin(ctx context.Context, in *connect.AssociateApprovedOriginInput) (*connect.AssociateApprovedOriginOutput, error) {
	_, err := associate(ctx, g.catalog, call[connect.AssociateApprovedOriginInput]{
		"AssociateApprovedOrigin", domain.KindApprovedOrigin, in.InstanceId, in.ClientToken, in,
	}, g.origins, &domain.ApprovedOrigin{Origin: *in.Origin})
	return nil, err
}

// DisassociateApprovedOrigin takes a site off the list; upper and lower case
// are the same.
func (g *Integrations) DisassociateApprovedOrigin(ctx context.Context, in *connect.DisassociateApprovedOriginInput) (*connect.DisassociateApprovedOriginOutput, error) {
	origin := domain.ApprovedOrigin{Origin: *in.Origin}
	return nil, disassociate(ctx, g.catalog, call[connect.DisassociateApprovedOriginInput]{
		"DisassociateApprovedOrigin", domain.KindApprovedOrigin, in.InstanceId, in.ClientToken, in,
	}, g.origins, origin.Key())
}

// ListApprovedOrigins lists the sites as they were given.
func (g *Integrations) ListApprovedOrigins(ctx context.Context, in *connect.ListApprovedOriginsInput) (*connect.ListApprovedOriginsOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := g.origins.List(ctx, sc, page(in.MaxResults, in.NextToken))
	if err != nil {
		return nil, err
	}
	return &connect.ListApprovedOriginsOutput{
		NextToken: next,
		Origins:   catalog.Map(found, func(i *catalog.Item[domain.ApprovedOrigin]) string { return i.Value.Origin }),
	}, nil
}
