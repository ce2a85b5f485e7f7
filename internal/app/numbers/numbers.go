// Package numbers serves phone numbers. A number belongs to an account in a
// region, not to an instance: its record is one of the root scope and refers
// to the instance that its calls go to, which cannot be deleted meanwhile.
package numbers

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Numbers serves the operations of this package.
type Numbers struct {
	catalog      *catalog.Catalog
	phoneNumbers *catalog.Collection[domain.PhoneNumber]
}

// New registers the kind with the catalog.
func New(c *catalog.Catalog) *Numbers {
	return &Numbers{catalog: c, phoneNumbers: catalog.Register(c, phoneNumberKind)}
}
