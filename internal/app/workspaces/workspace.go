package workspaces

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

var workspaceKind = catalog.Kind[domain.Workspace]{
	Of:    domain.KindWorkspace,
	Name:  func(e *domain.Workspace) string { return e.Name },
	Check: (*domain.Workspace).Check,
	Fields: catalog.Fields[domain.Workspace]{
		"name":        catalog.TextField(func(e *domain.Workspace) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.Workspace) string { return e.Description }),
		"visibility":  catalog.TextField(func(e *domain.Workspace) string { return string(e.Visibility) }),
		"resourceID":  catalog.IDField[domain.Workspace](),
	},
}

// CreateWorkspace adds a workspace. It is visible to those to whom it is
// assigned, so to nobody at first (docs/divergences.md).
func (w *Workspaces) CreateWorkspace(ctx context.Context, in *connect.CreateWorkspaceInput) (*connect.CreateWorkspaceOutput, error) {
	sc, err := w.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	made, err := w.workspaces.Create(ctx, sc, &domain.Workspace{
		Name:        *in.Name,
		Title:       aws.ToString(in.Title),
		Description: aws.ToString(in.Description),
		Visibility:  types.VisibilityAssigned,
		Theme:       in.Theme,
	}, in.Tags)
	if err != nil {
		return nil, err
	}
	return &connect.CreateWorkspaceOutput{WorkspaceArn: made.ARN(sc), WorkspaceId: aws.String(made.ID)}, nil
}

// DescribeWorkspace returns a workspace.
func (w *Workspaces) DescribeWorkspace(ctx context.Context, in *connect.DescribeWorkspaceInput) (*connect.DescribeWorkspaceOutput, error) {
	sc, err := w.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := w.workspaces.Get(ctx, sc, *in.WorkspaceId)
	if err != nil {
		return nil, err
	}
	return &connect.DescribeWorkspaceOutput{Workspace: &types.Workspace{
		Arn:                i.ARN(sc),
		Id:                 aws.String(i.ID),
		Name:               aws.String(i.Name),
		Title:              catalog.Optional(i.Value.Title),
		Description:        catalog.Optional(i.Value.Description),
		Visibility:         i.Value.Visibility,
		Theme:              i.Value.Theme,
		LastModifiedRegion: aws.String(sc.Region),
		LastModifiedTime:   aws.Time(i.Modified),
		Tags:               i.TagMap(),
	}}, nil
}

// change is the whole of an Update operation on a workspace.
func (w *Workspaces) change(ctx context.Context, instanceID, workspaceID *string, change func(*domain.Workspace)) error {
	sc, err := w.catalog.Scope(ctx, instanceID)
	if err != nil {
		return err
	}
	return w.workspaces.Update(ctx, sc, *workspaceID, func(_ store.Tx, e *domain.Workspace) error {
		change(e)
		return nil
	})
}

// UpdateWorkspaceMetadata changes the members that the request has; an empty
// title or description takes away what was there.
func (w *Workspaces) UpdateWorkspaceMetadata(ctx context.Context, in *connect.UpdateWorkspaceMetadataInput) (*connect.UpdateWorkspaceMetadataOutput, error) {
	return nil, w.change(ctx, in.InstanceId, in.WorkspaceId, func(e *domain.Workspace) {
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Title != nil {
			e.Title = *in.Title
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
	})
}

// UpdateWorkspaceTheme replaces the theme as a whole. A request without one
// takes it away.
func (w *Workspaces) UpdateWorkspaceTheme(ctx context.Context, in *connect.UpdateWorkspaceThemeInput) (*connect.UpdateWorkspaceThemeOutput, error) {
	return nil, w.change(ctx, in.InstanceId, in.WorkspaceId, func(e *domain.Workspace) { e.Theme = in.Theme })
}

// UpdateWorkspaceVisibility says who sees a workspace. Its associations stay,
// whatever it says.
func (w *Workspaces) UpdateWorkspaceVisibility(ctx context.Context, in *connect.UpdateWorkspaceVisibilityInput) (*connect.UpdateWorkspaceVisibilityOutput, error) {
	return nil, w.change(ctx, in.InstanceId, in.WorkspaceId, func(e *domain.Workspace) { e.Visibility = in.Visibility })
}

// DeleteWorkspace removes a workspace with its pages, media and associations.
func (w *Workspaces) DeleteWorkspace(ctx context.Context, in *connect.DeleteWorkspaceInput) (*connect.DeleteWorkspaceOutput, error) {
	sc, err := w.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, w.workspaces.Delete(ctx, sc, *in.WorkspaceId, nil)
}

// ListWorkspaces lists workspaces.
func (w *Workspaces) ListWorkspaces(ctx context.Context, in *connect.ListWorkspacesInput) (*connect.ListWorkspacesOutput, error) {
	sc, err := w.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := w.workspaces.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListWorkspacesOutput{
		NextToken: next,
		WorkspaceSummaryList: catalog.Map(found, func(i *catalog.Item[domain.Workspace]) types.WorkspaceSummary {
			return types.WorkspaceSummary{
				Arn: i.ARN(sc), Id: aws.String(i.ID), Name: aws.String(i.Name),
				LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}

// SearchWorkspaces finds workspaces by criteria and tags.
func (w *Workspaces) SearchWorkspaces(ctx context.Context, in *connect.SearchWorkspacesInput) (*connect.SearchWorkspacesOutput, error) {
	sc, err := w.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneAttributeFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.AttributeFilter
	}
	q, err := catalog.NarrowByAttributes(w.workspaceCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := w.workspaces.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchWorkspacesOutput{
		Workspaces: catalog.Map(found, func(i *catalog.Item[domain.Workspace]) types.WorkspaceSearchSummary {
			return types.WorkspaceSearchSummary{
				Arn: i.ARN(sc), Id: aws.String(i.ID), Name: aws.String(i.Name),
				Title: catalog.Optional(i.Value.Title), Description: catalog.Optional(i.Value.Description),
				Visibility: i.Value.Visibility, CreatedAt: aws.Time(i.Created), Tags: i.TagMap(),
			}
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (w *Workspaces) workspaceCriteria(c *types.WorkspaceSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, w.workspaceCriteria),
		Or:     catalog.Each(c.OrConditions, w.workspaceCriteria),
		Leaves: []catalog.Leaf{w.workspaces.String(c.StringCondition)},
	}
}
