// Package integrations serves what an instance is joined with: approved
// origins, security keys, Lambda functions, bots, integration associations with
// their use cases, and analytics data sets.
//
// All of it is a record of what was agreed to. Nothing is asked whether a Lambda
// function or a bot exists: there is no AWS account behind an instance in which
// it could.
package integrations

import (
	"context"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Integrations serves the operations of this package.
type Integrations struct {
	catalog      *catalog.Catalog
	origins      *catalog.Collection[domain.ApprovedOrigin]
	securityKeys *catalog.Collection[domain.SecurityKey]
	functions    *catalog.Collection[domain.LambdaFunction]
	bots         *catalog.Collection[domain.Bot]
	associations *catalog.Collection[domain.IntegrationAssociation]
	useCases     *catalog.Collection[domain.UseCase]
	dataSets     *catalog.Collection[domain.AnalyticsDataAssociation]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Integrations {
	return &Integrations{
		catalog:      c,
		origins:      catalog.Register(c, approvedOriginKind),
		securityKeys: catalog.Register(c, securityKeyKind),
		functions:    catalog.Register(c, lambdaFunctionKind),
		bots:         catalog.Register(c, botKind),
		associations: catalog.Register(c, integrationAssociationKind),
		useCases:     catalog.Register(c, useCaseKind),
		dataSets:     catalog.Register(c, analyticsDataAssociationKind),
	}
}

// call is what the operations that associate and disassociate have in common.
type call[In any] struct {
	operation   string
	kind        domain.Kind
	instance    *string
	clientToken *string
	input       *In
}

// once runs change in a transaction, unless the call's client token says that
// it was done before.
func (c call[In]) once(ctx context.Context, all *catalog.Catalog, change func(tx store.Tx, sc catalog.Scope) (id string, err error)) (id string, err error) {
	sc, err := all.Scope(ctx, c.instance)
	if err != nil {
		return "", err
	}
	made, err := catalog.Once(ctx, all, sc, c.operation, c.clientToken, c.input, func(tx store.Tx) (*string, error) {
		id, err := change(tx, sc)
		return &id, err
	})
	if err != nil {
		return "", err
	}
	return *made, nil
}

// associate adds e and returns its id. What is there already is a
// ResourceConflictException, as the API reference declares it for all of these
// operations.
func associate[In, E any](ctx context.Context, all *catalog.Catalog, c call[In], l *catalog.Collection[E], e *E) (id string, err error) {
	return associateIf(ctx, all, c, l, e, func(store.Tx, catalog.Scope) error { return nil })
}

// associateIf is associate unless check refuses.
func associateIf[In, E any](ctx context.Context, all *catalog.Catalog, c call[In], l *catalog.Collection[E], e *E, check func(store.Tx, catalog.Scope) error) (id string, err error) {
	return c.once(ctx, all, func(tx store.Tx, sc catalog.Scope) (string, error) {
		if err := check(tx, sc); err != nil {
			return "", err
		}
		i, err := l.Insert(ctx, tx, sc, e, nil)
		if fault.Is(err, fault.DuplicateResource) {
			return "", fault.New(fault.ResourceConflict, "This %s is already associated with the instance.", c.kind).Wrap(err)
		}
		if err != nil {
			return "", err
		}
		return i.ID, nil
	})
}

// disassociate removes what has the unique name. What is not there is a
// ResourceNotFoundException (docs/divergences.md).
func disassociate[In, E any](ctx context.Context, all *catalog.Catalog, c call[In], l *catalog.Collection[E], name string) error {
	_, err := c.once(ctx, all, func(tx store.Tx, sc catalog.Scope) (string, error) {
		i, err := l.GetByName(ctx, tx, sc, name)
		if fault.Is(err, fault.ResourceNotFound) {
			return "", fault.New(fault.ResourceNotFound, "This %s is not associated with the instance.", c.kind).Wrap(err)
		}
		if err != nil {
			return "", err
		}
		return i.ID, l.Remove(ctx, tx, sc, i.ID, nil)
	})
	return err
}

// defaultPage is the page size of the lists whose MaxResults ends at 25
// (docs/divergences.md).
const defaultPage = 25

func page(maxResults *int32, nextToken *string) catalog.Page {
	return catalog.Page{MaxResults: maxResults, NextToken: nextToken, Default: defaultPage}
}
