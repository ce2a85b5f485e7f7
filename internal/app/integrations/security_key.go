package integrations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// maxSecurityKeys is how many keys an instance has room for: one in use and one
// to change to (admin guide, "Encrypt sensitive customer input in Amazon
// Connect"). It is no quota, so it always holds.
const maxSecurityKeys = 2

var securityKeyKind = catalog.Kind[domain.SecurityKey]{
	Of:     domain.KindSecurityKey,
	Name:   (*domain.SecurityKey).Fingerprint,
	Check:  (*domain.SecurityKey).Check,
	NoTags: true,
}

// AssociateSecurityKey adds a public key.
func (g *Integrations) AssociateSecurityKey(ctx context.Context, in *connect.AssociateSecurityKeyInput) (*connect.AssociateSecurityKeyOutput, error) {
	request := call[connect.AssociateSecurityKeyInput]{
		"AssociateSecurityKey", domain.KindSecurityKey, in.InstanceId, in.ClientToken, in,
	}
	id, err := associateIf(ctx, g.catalog, request, g.securityKeys, &domain.SecurityKey{PEM: *in.Key}, func(tx store.Tx, sc catalog.Scope) error {
		n, err := tx.Count(ctx, sc.PK, domain.KindSecurityKey)
		if err == nil && n >= maxSecurityKeys {
			err = fault.New(fault.ServiceQuotaExceeded, "The instance already has %d security keys. Remove one to add another.", n)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.AssociateSecurityKeyOutput{AssociationId: &id}, nil
}

// DisassociateSecurityKey removes a key.
func (g *Integrations) DisassociateSecurityKey(ctx context.Context, in *connect.DisassociateSecurityKeyInput) (*connect.DisassociateSecurityKeyOutput, error) {
	request := call[connect.DisassociateSecurityKeyInput]{
		"DisassociateSecurityKey", domain.KindSecurityKey, in.InstanceId, in.ClientToken, in,
	}
	_, err := request.once(ctx, g.catalog, func(tx store.Tx, sc catalog.Scope) (string, error) {
		return *in.AssociationId, g.securityKeys.Remove(ctx, tx, sc, *in.AssociationId, nil)
	})
	return nil, err
}

// ListSecurityKeys lists the keys, in full: they are public.
func (g *Integrations) ListSecurityKeys(ctx context.Context, in *connect.ListSecurityKeysInput) (*connect.ListSecurityKeysOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := g.securityKeys.List(ctx, sc, page(in.MaxResults, in.NextToken))
	if err != nil {
		return nil, err
	}
	return &connect.ListSecurityKeysOutput{
		NextToken: next,
		SecurityKeys: catalog.Map(found, func(i *catalog.Item[domain.SecurityKey]) types.SecurityKey {
			return types.SecurityKey{AssociationId: aws.String(i.ID), CreationTime: aws.Time(i.Created), Key: aws.String(i.Value.PEM)}
		}),
	}, nil
}
