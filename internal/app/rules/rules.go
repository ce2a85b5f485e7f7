// Package rules serves rules: what happens upon an event.
package rules

import "ringdown/internal/catalog"

// Rules serves the operations of this package.
type Rules struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Rules {
	return &Rules{catalog: c}
}
