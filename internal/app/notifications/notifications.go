// Package notifications serves notifications to users.
package notifications

import "ringdown/internal/catalog"

// Notifications serves the operations of this package.
type Notifications struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Notifications {
	return &Notifications{catalog: c}
}
