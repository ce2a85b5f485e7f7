// Package tasks serves task templates.
package tasks

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Tasks serves the operations of this package.
type Tasks struct {
	catalog   *catalog.Catalog
	templates *catalog.Collection[domain.TaskTemplate]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Tasks {
	return &Tasks{catalog: c, templates: catalog.Register(c, taskTemplateKind)}
}
