// Package rules serves rules: what is done upon an event. They are kept; the
// events that would trigger them are not produced yet.
package rules

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Rules serves the operations of this package.
type Rules struct {
	catalog *catalog.Catalog
	rules   *catalog.Collection[domain.Rule]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Rules {
	return &Rules{catalog: c, rules: catalog.Register(c, ruleKind)}
}
