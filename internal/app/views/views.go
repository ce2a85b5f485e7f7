// Package views serves views: the pages that flows and agents show.
package views

import "ringdown/internal/catalog"

// Views serves the operations of this package.
type Views struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Views {
	return &Views{catalog: c}
}
