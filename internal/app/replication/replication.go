// Package replication serves instances in several regions: replicas and traffic
// distribution groups. A replica is its instance in a second region, with the
// same id and all that the instance holds; the catalog leads requests of that
// region to it. Groups belong to the region of the instance, and are named by
// their ARN from the other one.
package replication

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// The roles in which the kinds of this package refer to resources.
const (
	roleReplica       store.Role = "replica-of"
	roleGroupInstance store.Role = "traffic-distribution-group-instance"
	roleGroupUser     store.Role = "traffic-distribution-group-user"
	roleUserGroup     store.Role = "traffic-distribution-group"
)

// Replication serves the operations of this package.
type Replication struct {
	catalog    *catalog.Catalog
	replicas   *catalog.Collection[domain.InstanceReplica]
	groups     *catalog.Collection[domain.TrafficDistributionGroup]
	groupUsers *catalog.Collection[domain.TrafficDistributionGroupUser]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Replication {
	return &Replication{
		catalog:    c,
		replicas:   catalog.Register(c, replicaKind),
		groups:     catalog.Register(c, groupKind),
		groupUsers: catalog.Register(c, groupUserKind),
	}
}
