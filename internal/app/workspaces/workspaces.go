// Package workspaces serves the workspaces that users see: their pages, media
// and themes, and who has them.
//
// Pages, media and associations are parts of their workspace. An association
// goes with the user or routing profile as well, for nothing says that these
// cannot be deleted while they have a workspace.
package workspaces

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// The roles in which the kinds of this package refer to resources, each used
// by one kind alone.
const (
	rolePageOf        store.Role = "workspace-page-of"
	rolePageView      store.Role = "workspace-page-view"
	roleMediaOf       store.Role = "workspace-media-of"
	roleAssociationOf store.Role = "workspace-association-of"
	roleUser          store.Role = "workspace-user"
	roleRouting       store.Role = "workspace-routing-profile"
)

// Views tells of the views that pages show: those of an instance, and those
// that AWS gives to all.
type Views interface {
	DescribeView(ctx context.Context, in *connect.DescribeViewInput) (*connect.DescribeViewOutput, error)
}

// Workspaces serves the operations of this package.
type Workspaces struct {
	catalog      *catalog.Catalog
	views        Views
	workspaces   *catalog.Collection[domain.Workspace]
	pages        *catalog.Collection[domain.WorkspacePage]
	media        *catalog.Collection[domain.WorkspaceMedia]
	associations *catalog.Collection[domain.WorkspaceAssociation]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog, views Views) *Workspaces {
	return &Workspaces{
		catalog:      c,
		views:        views,
		workspaces:   catalog.Register(c, workspaceKind),
		pages:        catalog.Register(c, pageKind),
		media:        catalog.Register(c, mediaKind),
		associations: catalog.Register(c, associationKind),
	}
}

// workspaceID reads which workspace of which instance a request is about,
// without asking whether the workspace exists.
func (w *Workspaces) workspaceID(ctx context.Context, instanceID, idOrARN *string) (catalog.Scope, string, error) {
	sc, err := w.catalog.Scope(ctx, instanceID)
	if err != nil {
		return catalog.Scope{}, "", err
	}
	id, err := w.workspaces.ID(sc, *idOrARN)
	return sc, id, err
}
