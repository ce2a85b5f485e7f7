// Package email serves e-mail addresses and their aliases.
package email

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Email serves the operations of this package.
type Email struct {
	catalog   *catalog.Catalog
	addresses *catalog.Collection[domain.EmailAddress]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Email {
	return &Email{catalog: c, addresses: catalog.Register(c, addressKind)}
}
