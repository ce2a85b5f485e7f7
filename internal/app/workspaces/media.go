package workspaces

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

var mediaKind = catalog.Kind[domain.WorkspaceMedia]{
	Of:   domain.KindWorkspaceMedia,
	Name: func(e *domain.WorkspaceMedia) string { return string(e.Type) },
	Parent: &catalog.Parent[domain.WorkspaceMedia]{
		Kind: domain.KindWorkspace, Role: roleMediaOf,
		ID: func(e *domain.WorkspaceMedia) string { return string(e.WorkspaceID) },
	},
	Check:    (*domain.WorkspaceMedia).Check,
	NoTags:   true,
	Unlisted: true,
}

// ImportWorkspaceMedia gives a workspace an image of a type, in the place of
// the one that it had. The source is kept as it is given: what a URL leads to
// is not fetched (docs/divergences.md).
func (w *Workspaces) ImportWorkspaceMedia(ctx context.Context, in *connect.ImportWorkspaceMediaInput) (*connect.ImportWorkspaceMediaOutput, error) {
	sc, workspace, err := w.workspaceID(ctx, in.InstanceId, in.WorkspaceId)
	if err != nil {
		return nil, err
	}
	e := &domain.WorkspaceMedia{WorkspaceID: domain.WorkspaceID(workspace), Type: in.MediaType, Source: *in.MediaSource}
	return nil, w.catalog.Store().Update(ctx, func(tx store.Tx) error {
		had, err := w.media.PartNamed(ctx, tx, sc, workspace, string(in.MediaType))
		switch {
		case fault.Is(err, fault.ResourceNotFound):
			_, err = w.media.Insert(ctx, tx, sc, e, nil)
			return err
		case err != nil:
			return err
		default:
			return w.media.Change(ctx, tx, sc, had.ID, func(old *domain.WorkspaceMedia) error {
				*old = *e
				return nil
			})
		}
	})
}

// DeleteWorkspaceMedia takes the image of a type from a workspace.
func (w *Workspaces) DeleteWorkspaceMedia(ctx context.Context, in *connect.DeleteWorkspaceMediaInput) (*connect.DeleteWorkspaceMediaOutput, error) {
	sc, workspace, err := w.workspaceID(ctx, in.InstanceId, in.WorkspaceId)
	if err != nil {
		return nil, err
	}
	return nil, w.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := w.media.PartNamed(ctx, tx, sc, workspace, string(in.MediaType))
		if err != nil {
			return err
		}
		return w.media.Remove(ctx, tx, sc, i.ID, nil)
	})
}

// ListWorkspaceMedia lists the images of a workspace; there are few, so it has
// no pages.
func (w *Workspaces) ListWorkspaceMedia(ctx context.Context, in *connect.ListWorkspaceMediaInput) (*connect.ListWorkspaceMediaOutput, error) {
	sc, workspace, err := w.workspaceID(ctx, in.InstanceId, in.WorkspaceId)
	if err != nil {
		return nil, err
	}
	found, err := w.media.AllParts(ctx, w.catalog.Store(), sc, workspace)
	if err != nil {
		return nil, err
	}
	return &connect.ListWorkspaceMediaOutput{
		Media: catalog.Map(found, func(i *catalog.Item[domain.WorkspaceMedia]) types.MediaItem {
			return types.MediaItem{Type: i.Value.Type, Source: aws.String(i.Value.Source)}
		}),
	}, nil
}
