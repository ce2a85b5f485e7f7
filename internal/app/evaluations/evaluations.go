// Package evaluations serves evaluation forms and the evaluations of contacts by them.
package evaluations

import "ringdown/internal/catalog"

// Evaluations serves the operations of this package.
type Evaluations struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Evaluations {
	return &Evaluations{catalog: c}
}
