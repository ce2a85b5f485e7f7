// Package workspaces serves the workspaces that agents see: their pages, media and themes, and who has them.
package workspaces

import "ringdown/internal/catalog"

// Workspaces serves the operations of this package.
type Workspaces struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Workspaces {
	return &Workspaces{catalog: c}
}
