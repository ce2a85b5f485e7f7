// Package integrations serves what an instance is joined with: approved origins, security keys, Lambda functions, bots, integration associations with their use cases, and analytics data sets.
package integrations

import "ringdown/internal/catalog"

// Integrations serves the operations of this package.
type Integrations struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Integrations {
	return &Integrations{catalog: c}
}
