// Package vocabularies serves the custom vocabularies of speech recognition.
package vocabularies

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Vocabularies serves the operations of this package.
type Vocabularies struct {
	catalog      *catalog.Catalog
	vocabularies *catalog.Collection[domain.Vocabulary]
	defaults     *catalog.Collection[domain.DefaultVocabulary]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Vocabularies {
	return &Vocabularies{
		catalog:      c,
		vocabularies: catalog.Register(c, vocabularyKind),
		defaults:     catalog.Register(c, defaultVocabularyKind),
	}
}
