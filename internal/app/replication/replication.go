// Package replication serves instances in several regions: replicas and traffic distribution groups.
package replication

import "ringdown/internal/catalog"

// Replication serves the operations of this package.
type Replication struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Replication {
	return &Replication{catalog: c}
}
