package workspaces_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// confirmation is a view that AWS gives to every instance. It requires Next.
const confirmation = "arn:aws:connect:" + servertest.Region + ":aws:view/confirmation"

// view makes a published view without input.
func (c *centre) view(t *testing.T, name string) string {
	t.Helper()
	out, err := c.CreateView(t.Context(), &connect.CreateViewInput{
		InstanceId: &c.id, Name: &name, Status: types.ViewStatusPublished,
		Content: &types.ViewInputContent{Template: aws.String(`{"Head":{"Title":"A view","Configuration":{}},"Body":[]}`)},
	})
	ok(t, err)
	return c.arn + "/view/" + *out.View.Id
}

func (c *centre) pages(t *testing.T, workspace string, size int32) [][]types.WorkspacePage {
	t.Helper()
	return servertest.Pages(t, func(token *string) ([]types.WorkspacePage, *string, error) {
		out, err := c.ListWorkspacePages(t.Context(), &connect.ListWorkspacePagesInput{InstanceId: &c.id, WorkspaceId: &workspace, MaxResults: &size, NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.WorkspacePageList, out.NextToken, nil
	})
}

func (c *centre) addPage(t *testing.T, workspace string, p types.WorkspacePage) error {
	t.Helper()
	_, err := c.CreateWorkspacePage(t.Context(), &connect.CreateWorkspacePageInput{
		InstanceId: &c.id, WorkspaceId: &workspace, Page: p.Page, ResourceArn: p.ResourceArn, Slug: p.Slug, InputData: p.InputData,
	})
	return err
}

func TestWorkspacePages(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s)
	one, two := c.workspace(t, "One"), c.workspace(t, "Two")
	view := c.view(t, "Orders")
	same(t, "the pages of a new workspace", c.pages(t, one, 100), [][]types.WorkspacePage{{}})

	home := types.WorkspacePage{Page: aws.String("HOME"), ResourceArn: aws.String(confirmation + ":1"), InputData: aws.String(`{"Next":"On"}`)}
	orders := types.WorkspacePage{Page: aws.String("Orders"), ResourceArn: &view, Slug: aws.String("orders"), InputData: aws.String(`{"any":[1]}`)}
	bare := types.WorkspacePage{Page: aws.String("Bare"), ResourceArn: aws.String(view + ":$LATEST")}
	for _, p := range []types.WorkspacePage{home, orders, bare} {
		ok(t, c.addPage(t, one, p))
	}
	ok(t, c.addPage(t, two, orders)) // names and slugs are a workspace's own
	same(t, "the pages", c.pages(t, one, 2), servertest.InPages([]types.WorkspacePage{home, orders, bare}, 2))

	page := func(change func(*types.WorkspacePage)) types.WorkspacePage {
		p := types.WorkspacePage{Page: aws.String("New"), ResourceArn: &view}
		change(&p)
		return p
	}
	other := newCentre(t, s)
	foreign := other.view(t, "Orders")
	for name, e := range map[string]struct {
		page  types.WorkspacePage
		code  fault.Code
		words string
	}{
		"a page that is there":        {orders, fault.DuplicateResource, "Orders"},
		"a slug that is there":        {page(func(p *types.WorkspacePage) { p.Slug = aws.String("ORDERS") }), fault.ResourceConflict, "Orders"},
		"a reserved name":             {page(func(p *types.WorkspacePage) { p.Page = aws.String("connect:New") }), fault.InvalidParameter, "connect:"},
		"another reserved name":       {page(func(p *types.WorkspacePage) { p.Page = aws.String("AWS:New") }), fault.InvalidParameter, "aws:"},
		"input that is no JSON":       {page(func(p *types.WorkspacePage) { p.InputData = aws.String("{") }), fault.InvalidParameter, "InputData"},
		"input that is no object":     {page(func(p *types.WorkspacePage) { p.InputData = aws.String("null") }), fault.InvalidParameter, "InputData"},
		"input without what is asked": {page(func(p *types.WorkspacePage) { p.ResourceArn, p.InputData = aws.String(confirmation), aws.String(`{}`) }), fault.InvalidParameter, "Next"},
		"no view but a queue":         {page(func(p *types.WorkspacePage) { p.ResourceArn = aws.String(c.arn + "/queue/" + domain.NewID()) }), fault.InvalidParameter, "view"},
		"no ARN":                      {page(func(p *types.WorkspacePage) { p.ResourceArn = aws.String("view") }), fault.InvalidParameter, "ARN"},
		"a view of another instance":  {page(func(p *types.WorkspacePage) { p.ResourceArn = &foreign }), fault.ResourceNotFound, ""},
		"a view that does not exist":  {page(func(p *types.WorkspacePage) { p.ResourceArn = aws.String(c.arn + "/view/" + domain.NewID()) }), fault.ResourceNotFound, ""},
		"a version that does not":     {page(func(p *types.WorkspacePage) { p.ResourceArn = aws.String(view + ":7") }), fault.ResourceNotFound, ""},
		"a view that AWS has not":     {page(func(p *types.WorkspacePage) { p.ResourceArn = aws.String(confirmation + "-2") }), fault.ResourceNotFound, ""},
	} {
		t.Run(name, func(t *testing.T) { fails(t, c.addPage(t, one, e.page), e.code, e.words) })
	}
	fails(t, c.addPage(t, domain.NewID(), orders), fault.ResourceNotFound)

	update := func(change func(*connect.UpdateWorkspacePageInput)) error {
		in := &connect.UpdateWorkspacePageInput{InstanceId: &c.id, WorkspaceId: &one, Page: aws.String("Orders")}
		change(in)
		_, err := c.UpdateWorkspacePage(t.Context(), in)
		return err
	}
	ok(t, c.addPage(t, one, types.WorkspacePage{Page: aws.String("Last"), ResourceArn: &view, Slug: aws.String("last")}))
	for name, e := range map[string]struct {
		change func(*connect.UpdateWorkspacePageInput)
		code   fault.Code
	}{
		"a page that is there":       {func(in *connect.UpdateWorkspacePageInput) { in.NewPage = aws.String("Bare") }, fault.DuplicateResource},
		"a slug that is there":       {func(in *connect.UpdateWorkspacePageInput) { in.Slug = aws.String("last") }, fault.ResourceConflict},
		"a reserved name":            {func(in *connect.UpdateWorkspacePageInput) { in.NewPage = aws.String("aws:x") }, fault.InvalidParameter},
		"a view with another input":  {func(in *connect.UpdateWorkspacePageInput) { in.ResourceArn = aws.String(confirmation) }, fault.InvalidParameter},
		"bad input":                  {func(in *connect.UpdateWorkspacePageInput) { in.InputData = aws.String("[]") }, fault.InvalidParameter},
		"a view that does not exist": {func(in *connect.UpdateWorkspacePageInput) { in.ResourceArn = &foreign }, fault.ResourceNotFound},
		"another page": {func(in *connect.UpdateWorkspacePageInput) {
			in.Page, in.InputData = aws.String("Missing"), aws.String("{}")
		}, fault.ResourceNotFound},
		"a page that is nowhere": {func(in *connect.UpdateWorkspacePageInput) { in.Page = aws.String("Missing") }, fault.ResourceNotFound},
	} {
		t.Run("update to "+name, func(t *testing.T) { fails(t, update(e.change), e.code) })
	}
	ok(t, update(func(in *connect.UpdateWorkspacePageInput) { in.Slug = aws.String("Orders") }))
	ok(t, update(func(in *connect.UpdateWorkspacePageInput) {
		in.ResourceArn, in.InputData = aws.String(confirmation), aws.String(`{"Next":1}`)
	}))
	ok(t, update(func(in *connect.UpdateWorkspacePageInput) {
		in.NewPage, in.Slug, in.InputData = aws.String("Returns"), aws.String(""), aws.String("")
	}))
	same(t, "the changed page", c.pages(t, one, 100)[0][1], types.WorkspacePage{Page: aws.String("Returns"), ResourceArn: aws.String(confirmation)})

	// A view that is on a page stays.
	deleteView := func() error {
		id := view[len(c.arn+"/view/"):]
		_, err := c.DeleteView(t.Context(), &connect.DeleteViewInput{InstanceId: &c.id, ViewId: &id})
		return err
	}
	fails(t, deleteView(), fault.ResourceInUse)
	for _, name := range []string{"HOME", "Bare", "Last", "Returns"} {
		_, err := c.DeleteWorkspacePage(t.Context(), &connect.DeleteWorkspacePageInput{InstanceId: &c.id, WorkspaceId: &one, Page: &name})
		ok(t, err)
		_, err = c.DeleteWorkspacePage(t.Context(), &connect.DeleteWorkspacePageInput{InstanceId: &c.id, WorkspaceId: &one, Page: &name})
		fails(t, err, fault.ResourceNotFound)
	}
	same(t, "the pages that are left", c.pages(t, one, 100), [][]types.WorkspacePage{{}})
	_, err := c.DeleteWorkspace(t.Context(), &connect.DeleteWorkspaceInput{InstanceId: &c.id, WorkspaceId: &two})
	ok(t, err)
	ok(t, deleteView())
	_, err = c.ListWorkspacePages(t.Context(), &connect.ListWorkspacePagesInput{InstanceId: &c.id, WorkspaceId: &two})
	fails(t, err, fault.ResourceNotFound)
}

func TestCustomPageQuota(t *testing.T) {
	c := newCentre(t, servertest.Boot(t, func(cfg *server.Config) { cfg.Quotas = true }))
	one, two := c.workspace(t, "One"), c.workspace(t, "Two")
	for n := range 17 {
		ok(t, c.addPage(t, []string{one, two}[n%2], types.WorkspacePage{Page: aws.String(fmt.Sprintf("Page %d", n)), ResourceArn: aws.String(confirmation)}))
	}
	fails(t, c.addPage(t, one, types.WorkspacePage{Page: aws.String("One more"), ResourceArn: aws.String(confirmation)}), fault.LimitExceeded, "17")
	ok(t, c.addPage(t, one, types.WorkspacePage{Page: aws.String("AGENT_EXPERIENCE"), ResourceArn: aws.String(confirmation)}))
}

func TestWorkspaceMedia(t *testing.T) {
	c := newCentre(t, servertest.Boot(t))
	id := c.workspace(t, "One")
	const image = "R0lGODlhAQABAAAAACw="
	list := func() []types.MediaItem {
		t.Helper()
		out, err := c.ListWorkspaceMedia(t.Context(), &connect.ListWorkspaceMediaInput{InstanceId: &c.id, WorkspaceId: &id})
		ok(t, err)
		return out.Media
	}
	put := func(workspace string, kind types.MediaType, source string) error {
		_, err := c.ImportWorkspaceMedia(t.Context(), &connect.ImportWorkspaceMediaInput{InstanceId: &c.id, WorkspaceId: &workspace, MediaType: kind, MediaSource: &source})
		return err
	}
	drop := func(workspace string, kind types.MediaType) error {
		_, err := c.DeleteWorkspaceMedia(t.Context(), &connect.DeleteWorkspaceMediaInput{InstanceId: &c.id, WorkspaceId: &workspace, MediaType: kind})
		return err
	}
	same(t, "the media of a new workspace", list(), []types.MediaItem{})
	light, dark := types.MediaTypeImageLogoLightFavicon, types.MediaTypeImageLogoDarkHorizontal
	ok(t, put(id, light, image))
	ok(t, put(id, dark, "data:image/gif;base64,"+image))
	ok(t, put(id, light, "https://bucket.s3.amazonaws.com/logo.png?X-Amz-Signature=0"))
	same(t, "the media", list(), []types.MediaItem{
		{Type: light, Source: aws.String("https://bucket.s3.amazonaws.com/logo.png?X-Amz-Signature=0")},
		{Type: dark, Source: aws.String("data:image/gif;base64," + image)},
	})
	for _, bad := range []string{"no image", "ftp://example.com/logo.png", "https:///logo.png", "data:image/gif;base64,", "data:text/plain;base64," + image, image[:5]} {
		fails(t, put(id, light, bad), fault.InvalidParameter, "MediaSource")
	}
	ok(t, drop(id, light))
	fails(t, drop(id, light), fault.ResourceNotFound)
	same(t, "what is left", list(), []types.MediaItem{{Type: dark, Source: aws.String("data:image/gif;base64," + image)}})
	missing := domain.NewID()
	fails(t, put(missing, light, image), fault.ResourceNotFound)
	fails(t, drop(missing, dark), fault.ResourceNotFound)
	_, err := c.ListWorkspaceMedia(t.Context(), &connect.ListWorkspaceMediaInput{InstanceId: &c.id, WorkspaceId: &missing})
	fails(t, err, fault.ResourceNotFound)
}
