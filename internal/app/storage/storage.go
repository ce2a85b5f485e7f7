// Package storage serves where an instance keeps its recordings and files:
// storage configurations, and what may be attached to contacts and cases.
package storage

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Storage serves the operations of this package.
type Storage struct {
	catalog       *catalog.Catalog
	configs       *catalog.Collection[domain.InstanceStorageConfig]
	attachedFiles *catalog.Collection[domain.AttachedFilesConfiguration]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Storage {
	return &Storage{
		catalog:       c,
		configs:       catalog.Register(c, storageConfigKind),
		attachedFiles: catalog.Register(c, attachedFilesKind),
	}
}
