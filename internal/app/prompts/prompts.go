// Package prompts serves the recordings that flows play.
package prompts

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Prompts serves the operations of this package.
type Prompts struct {
	catalog *catalog.Catalog
	prompts *catalog.Collection[domain.Prompt]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Prompts {
	return &Prompts{catalog: c, prompts: catalog.Register(c, promptKind)}
}
