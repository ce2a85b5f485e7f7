// Package routing serves what decides where contacts go: hours of operation
// with their overrides, queues, routing profiles and quick connects.
//
// A file holds one kind of resource: its description for the catalog first,
// then its operations, each named as in Amazon Connect's API, then how the
// entity and AWS's types turn into each other.
package routing

import (
	"context"
	"slices"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// The roles in which the kinds of this package refer to resources, each used by
// one kind only.
const (
	roleHours                 store.Role = "hours-of-operation"
	roleParentHours           store.Role = "parent-hours"
	roleOverriddenHours       store.Role = "overridden-hours"
	roleQueue                 store.Role = "queue"
	roleManualAssignmentQueue store.Role = "manual-assignment-queue"
	roleDefaultOutboundQueue  store.Role = "default-outbound-queue"
	roleOutboundFlow          store.Role = "outbound-flow"
	roleOutboundEmail         store.Role = "outbound-email-address"
	roleEmailAddress          store.Role = "email-address"
	roleQuickConnect          store.Role = "quick-connect"
	roleTransferQueue         store.Role = "transfer-queue"
	roleTransferFlow          store.Role = "transfer-flow"
)

// Routing serves the operations of this package.
type Routing struct {
	catalog         *catalog.Catalog
	hours           *catalog.Collection[domain.HoursOfOperation]
	hoursOverrides  *catalog.Collection[domain.HoursOfOperationOverride]
	queues          *catalog.Collection[domain.Queue]
	routingProfiles *catalog.Collection[domain.RoutingProfile]
	quickConnects   *catalog.Collection[domain.QuickConnect]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Routing {
	return &Routing{
		catalog:         c,
		hours:           catalog.Register(c, hoursKind),
		hoursOverrides:  catalog.Register(c, hoursOverrideKind),
		queues:          catalog.Register(c, queueKind),
		routingProfiles: catalog.Register(c, routingProfileKind),
		quickConnects:   catalog.Register(c, quickConnectKind),
	}
}

// Seed gives a new instance what it holds of this package's kinds: its hours,
// the queue that keeps them and the routing profile that lists the queue.
func (r *Routing) Seed(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	hours, err := r.seedHours(ctx, tx, sc)
	if err != nil {
		return err
	}
	queue, err := r.seedQueue(ctx, tx, sc, hours)
	if err != nil {
		return err
	}
	return r.seedRoutingProfile(ctx, tx, sc, queue)
}

// unpaged is a page size that no list reaches.
const unpaged = 1 << 30

// ids reads references to resources of a kind, given as ids or ARNs.
func ids[ID ~string](sc catalog.Scope, kind domain.Kind, refs []string) ([]ID, error) {
	list := make([]ID, len(refs))
	for i, ref := range refs {
		id, err := catalog.ID(sc, kind, ref)
		if err != nil {
			return nil, err
		}
		list[i] = ID(id)
	}
	return list, nil
}

// union appends to list the elements of more that it does not have.
func union[T comparable](list, more []T) []T {
	for _, t := range more {
		if !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
}

// without removes the elements of less from list.
func without[T comparable](list, less []T) []T {
	return slices.DeleteFunc(list, func(t T) bool { return slices.Contains(less, t) })
}

func strs[S ~string](list []S) []string {
	return catalog.Map(list, func(s S) string { return string(s) })
}
