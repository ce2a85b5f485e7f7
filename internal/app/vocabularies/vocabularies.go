// Package vocabularies serves the custom vocabularies of speech recognition.
package vocabularies

import "ringdown/internal/catalog"

// Vocabularies serves the operations of this package.
type Vocabularies struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Vocabularies {
	return &Vocabularies{catalog: c}
}
