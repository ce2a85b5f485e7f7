// Package attachments serves files that are attached to contacts and cases.
//
// A client says what it will upload, puts it where the answer leads, which is
// the store of objects and not the API, and says that it has done so. The record
// of a file is made before its object and removed before it, so whatever breaks
// off leaves an object that nothing names, or a file whose upload has failed.
package attachments

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/objects"
	"ringdown/internal/store"
)

// Limiter knows what an instance allows to be attached in a scope.
type Limiter interface {
	AttachedFilesConfiguration(ctx context.Context, rd store.Reader, sc catalog.Scope, scope types.AttachmentScope) (domain.AttachedFilesConfiguration, error)
}

// Attachments serves the operations of this package.
type Attachments struct {
	catalog *catalog.Catalog
	objects objects.Store
	limits  Limiter
	files   *catalog.Collection[domain.AttachedFile]
}

// New registers the kind of this package with the catalog. Files are kept in
// the store.
func New(c *catalog.Catalog, files objects.Store, limits Limiter) *Attachments {
	return &Attachments{catalog: c, objects: files, limits: limits, files: catalog.Register(c, attachedFileKind)}
}
