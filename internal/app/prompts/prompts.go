// Package prompts serves the recordings that flows play.
package prompts

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/objects"
)

// Prompts serves the operations of this package.
type Prompts struct {
	catalog *catalog.Catalog
	files   objects.Store
	prompts *catalog.Collection[domain.Prompt]
}

// New registers the kinds of this package with the catalog. Files is where
// audio is read from and kept.
func New(c *catalog.Catalog, files objects.Store) *Prompts {
	return &Prompts{catalog: c, files: files, prompts: catalog.Register(c, promptKind)}
}
