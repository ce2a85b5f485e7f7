package instance

import (
	"context"
	"strings"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Anywhere finds an instance by its id or, whatever its case, its alias, in the
// region where it was created, for those who sign in to it. An unknown one is a
// ResourceNotFoundException.
func (s *Instances) Anywhere(ctx context.Context, idOrAlias string) (catalog.Scope, *catalog.Item[domain.Instance], error) {
	name := strings.ToLower(idOrAlias)
	if domain.IsUUID(name) {
		sc, i, err := s.byID(ctx, name)
		if !fault.Is(err, fault.ResourceNotFound) {
			return sc, i, err
		} // an alias may look like an id
	}
	if name == "" { // which is the key of those without an alias
		return catalog.Scope{}, nil, fault.New(fault.ResourceNotFound, "Instance not found.")
	}
	found, err := s.instances.GetByName(ctx, s.catalog.Store(), catalog.Scope{PK: store.Root}, name)
	if err != nil {
		return catalog.Scope{}, nil, err
	}
	return s.byID(ctx, found.ID)
}

func (s *Instances) byID(ctx context.Context, id string) (catalog.Scope, *catalog.Item[domain.Instance], error) {
	sc, err := s.catalog.Anywhere(ctx, domain.InstanceID(id))
	if err != nil {
		return catalog.Scope{}, nil, err
	}
	i, err := s.instances.Get(ctx, catalog.Scope{PK: store.Root, Region: sc.Region, Home: sc.Region, Account: sc.Account}, id)
	return sc, i, err
}
