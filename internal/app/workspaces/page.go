package workspaces

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// customPageQuota is for a whole instance: admin guide, "Set up workspaces for
// your admin website users".
const customPageQuota = 17

var pageKind = catalog.Kind[domain.WorkspacePage]{
	Of:   domain.KindWorkspacePage,
	Name: func(e *domain.WorkspacePage) string { return e.Page },
	Parent: &catalog.Parent[domain.WorkspacePage]{
		Kind: domain.KindWorkspace, Role: rolePageOf,
		ID: func(e *domain.WorkspacePage) string { return string(e.WorkspaceID) },
	},
	Refs: func(e *domain.WorkspacePage) []catalog.Ref {
		if e.ViewID == "" {
			return nil
		}
		return []catalog.Ref{{Role: rolePageView, Kind: domain.KindView, ID: string(e.ViewID)}}
	},
	Check:    (*domain.WorkspacePage).Check,
	NoTags:   true,
	Unlisted: true,
}

// CreateWorkspacePage gives a page of a workspace a view. A name that the
// workspace has is a DuplicateResourceException, a slug a
// ResourceConflictException; both are declared without saying which is for
// what (docs/divergences.md).
func (w *Workspaces) CreateWorkspacePage(ctx context.Context, in *connect.CreateWorkspacePageInput) (*connect.CreateWorkspacePageOutput, error) {
	sc, workspace, err := w.workspaceID(ctx, in.InstanceId, in.WorkspaceId)
	if err != nil {
		return nil, err
	}
	e := &domain.WorkspacePage{
		WorkspaceID: domain.WorkspaceID(workspace), Page: *in.Page,
		Slug: aws.ToString(in.Slug), InputData: aws.ToString(in.InputData),
	}
	if err := setView(sc, e, *in.ResourceArn); err != nil {
		return nil, err
	}
	if err := w.checkView(ctx, in.InstanceId, e); err != nil {
		return nil, err
	}
	return nil, w.catalog.Store().Update(ctx, func(tx store.Tx) error {
		if err := w.checkPages(ctx, tx, sc, e); err != nil {
			return err
		}
		_, err := w.pages.Insert(ctx, tx, sc, e, nil)
		return err
	})
}

// setView notes the view that an ARN names: one of the instance, or one that
// AWS manages, which nobody can delete.
func setView(sc catalog.Scope, e *domain.WorkspacePage, arn string) error {
	parsed, err := domain.ParseARN(arn)
	switch {
	case err != nil:
		return err
	case parsed.Kind != domain.KindView:
		return fault.New(fault.InvalidParameter, "ResourceArn must be the ARN of a view")
	case parsed.Managed():
		e.ResourceARN, e.ViewID = arn, ""
		return nil
	}
	id, err := catalog.ID(sc, domain.KindView, arn)
	e.ResourceARN, e.ViewID = arn, domain.ViewID(id)
	return err
}

// checkView checks that the view of a page exists, and that the input has what
// the view requires (AWS API reference, CreateWorkspacePage). A page without
// input leaves it to the view what it shows.
func (w *Workspaces) checkView(ctx context.Context, instanceID *string, e *domain.WorkspacePage) error {
	out, err := w.views.DescribeView(ctx, &connect.DescribeViewInput{InstanceId: instanceID, ViewId: &e.ResourceARN})
	if err != nil || e.InputData == "" {
		return err
	}
	if err := e.Check(); err != nil {
		return err
	}
	var schema struct{ Required []string }
	if err := json.Unmarshal([]byte(*out.View.Content.InputSchema), &schema); err != nil {
		return fmt.Errorf("input schema of %s: %w", e.ResourceARN, err)
	}
	var input map[string]json.RawMessage
	if err := json.Unmarshal([]byte(e.InputData), &input); err != nil {
		return fmt.Errorf("checked input: %w", err)
	}
	for _, name := range schema.Required {
		if _, ok := input[name]; !ok {
			return fault.New(fault.InvalidParameter, "InputData must have %s, which the view requires", name)
		}
	}
	return nil
}

// checkPages checks a new page against those that there are already.
func (w *Workspaces) checkPages(ctx context.Context, tx store.Tx, sc catalog.Scope, e *domain.WorkspacePage) error {
	siblings, err := w.pages.AllParts(ctx, tx, sc, string(e.WorkspaceID))
	if err != nil {
		return err
	}
	if err := slugIsFree(siblings, e.Page, e.Slug); err != nil || !w.catalog.Quotas() || !e.Custom() {
		return err
	}
	all, err := w.pages.All(ctx, tx, sc)
	if err != nil {
		return err
	}
	n := 0
	for _, i := range all {
		if i.Value.Custom() {
			n++
		}
	}
	if n >= customPageQuota {
		return fault.New(fault.LimitExceeded, "The instance already has %d of %d custom pages.", n, customPageQuota)
	}
	return nil
}

// slugIsFree checks that no other page of the workspace has the slug; none is
// always free.
func slugIsFree(siblings []*catalog.Item[domain.WorkspacePage], page, slug string) error {
	for _, i := range siblings {
		if slug != "" && i.Value.Page != page && strings.EqualFold(i.Value.Slug, slug) {
			return fault.New(fault.ResourceConflict, "The page %q of the workspace already has the slug %q.", i.Value.Page, slug)
		}
	}
	return nil
}

// UpdateWorkspacePage changes the members that the request has; an empty slug
// or input takes away what was there.
func (w *Workspaces) UpdateWorkspacePage(ctx context.Context, in *connect.UpdateWorkspacePageInput) (*connect.UpdateWorkspacePageOutput, error) {
	if err := w.checkNewView(ctx, in); err != nil {
		return nil, err
	}
	return nil, w.withPage(ctx, in.InstanceId, in.WorkspaceId, *in.Page, func(tx store.Tx, sc catalog.Scope, i *catalog.Item[domain.WorkspacePage]) error {
		if in.Slug != nil {
			siblings, err := w.pages.AllParts(ctx, tx, sc, string(i.Value.WorkspaceID))
			if err != nil {
				return err
			}
			if err := slugIsFree(siblings, *in.Page, *in.Slug); err != nil {
				return err
			}
		}
		return w.pages.Change(ctx, tx, sc, i.ID, func(e *domain.WorkspacePage) error { return changePage(sc, e, in) })
	})
}

func changePage(sc catalog.Scope, e *domain.WorkspacePage, in *connect.UpdateWorkspacePageInput) error {
	if in.NewPage != nil {
		e.Page = *in.NewPage
	}
	if in.Slug != nil {
		e.Slug = *in.Slug
	}
	if in.InputData != nil {
		e.InputData = *in.InputData
	}
	if in.ResourceArn != nil {
		return setView(sc, e, *in.ResourceArn)
	}
	return nil
}

// checkNewView is checkView of a page as a request would leave it. It comes
// before the transaction, for it asks another area.
func (w *Workspaces) checkNewView(ctx context.Context, in *connect.UpdateWorkspacePageInput) error {
	sc, workspace, err := w.workspaceID(ctx, in.InstanceId, in.WorkspaceId)
	if err != nil || (in.ResourceArn == nil && in.InputData == nil) {
		return err
	}
	i, err := w.pages.PartNamed(ctx, w.catalog.Store(), sc, workspace, *in.Page)
	if err != nil {
		return err
	}
	if err := changePage(sc, &i.Value, in); err != nil {
		return err
	}
	return w.checkView(ctx, in.InstanceId, &i.Value)
}

// DeleteWorkspacePage takes a page from a workspace. A page that every
// workspace has shows the service's own view again.
func (w *Workspaces) DeleteWorkspacePage(ctx context.Context, in *connect.DeleteWorkspacePageInput) (*connect.DeleteWorkspacePageOutput, error) {
	return nil, w.withPage(ctx, in.InstanceId, in.WorkspaceId, *in.Page, func(tx store.Tx, sc catalog.Scope, i *catalog.Item[domain.WorkspacePage]) error {
		return w.pages.Remove(ctx, tx, sc, i.ID, nil)
	})
}

// withPage runs use in a transaction on the page of a workspace that a request
// names.
func (w *Workspaces) withPage(ctx context.Context, instanceID, workspaceID *string, page string, use func(store.Tx, catalog.Scope, *catalog.Item[domain.WorkspacePage]) error) error {
	sc, workspace, err := w.workspaceID(ctx, instanceID, workspaceID)
	if err != nil {
		return err
	}
	return w.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := w.pages.PartNamed(ctx, tx, sc, workspace, page)
		if err != nil {
			return err
		}
		return use(tx, sc, i)
	})
}

// ListWorkspacePages lists the pages that were given a view.
func (w *Workspaces) ListWorkspacePages(ctx context.Context, in *connect.ListWorkspacePagesInput) (*connect.ListWorkspacePagesOutput, error) {
	sc, err := w.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := w.pages.ListParts(ctx, sc, *in.WorkspaceId, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, nil)
	if err != nil {
		return nil, err
	}
	return &connect.ListWorkspacePagesOutput{
		NextToken: next,
		WorkspacePageList: catalog.Map(found, func(i *catalog.Item[domain.WorkspacePage]) types.WorkspacePage {
			return types.WorkspacePage{
				Page: aws.String(i.Value.Page), ResourceArn: aws.String(i.Value.ResourceARN),
				Slug: catalog.Optional(i.Value.Slug), InputData: catalog.Optional(i.Value.InputData),
			}
		}),
	}, nil
}
