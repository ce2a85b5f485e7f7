// Package storage serves where an instance keeps its recordings and files: storage configurations and what may be attached to contacts.
package storage

import "ringdown/internal/catalog"

// Storage serves the operations of this package.
type Storage struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Storage {
	return &Storage{catalog: c}
}
