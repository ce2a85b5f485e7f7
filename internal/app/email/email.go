// Package email serves e-mail addresses and their aliases.
package email

import "ringdown/internal/catalog"

// Email serves the operations of this package.
type Email struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Email {
	return &Email{catalog: c}
}
