package roundtrip

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/server/servertest"
)

func workspaceKinds() []kind { return []kind{workspaces()} }

type workspaceDocument struct {
	Workspace    *types.Workspace
	Pages        []types.WorkspacePage
	Media        []types.MediaItem
	Associations []string // ARNs
}

func workspaces() kind {
	return of("Workspace",
		func(t testing.TB, s *site, n int) string {
			colour := aws.String([]string{"#ff0000", "green", "rgb(0, 0, 255)"}[n])
			d := workspaceDocument{
				Workspace: &types.Workspace{
					Name: name("Workspace", n), Title: name("Title", n), Description: aws.String("what users see"), Tags: map[string]string{"Team": "screens"},
					Visibility: []types.Visibility{types.VisibilityAll, types.VisibilityAssigned, types.VisibilityNone}[n],
					Theme: &types.WorkspaceTheme{
						Light: &types.WorkspaceThemeConfig{
							Images:     &types.WorkspaceThemeImages{Logo: &types.ImagesLogo{Default: aws.String("https://example.com/logo.png"), Favicon: aws.String("https://example.com/icon.png")}},
							Palette:    &types.WorkspaceThemePalette{Canvas: &types.PaletteCanvas{PageBackground: colour}, Header: &types.PaletteHeader{Text: colour, InvertActionsColors: true}},
							Typography: &types.WorkspaceThemeTypography{FontFamily: &types.FontFamily{Default: types.WorkspaceFontFamilyGeorgia}},
						},
						Dark: &types.WorkspaceThemeConfig{Palette: &types.WorkspaceThemePalette{Navigation: &types.PaletteNavigation{TextActive: colour}, Primary: &types.PalettePrimary{Default: colour}}},
					},
				},
				Pages: []types.WorkspacePage{
					{Page: aws.String("HOME"), ResourceArn: aws.String("arn:aws:connect:" + servertest.Region + ":aws:view/list"), InputData: aws.String(`{"Items":[]}`)},
					{Page: name("Page", n), ResourceArn: aws.String("arn:aws:connect:" + servertest.Region + ":aws:view/detail:1"), Slug: aws.String("a-page")},
				},
				Media: []types.MediaItem{
					{Type: types.MediaTypeImageLogoLightFavicon, Source: aws.String("R0lGODlhAQABAAAAACw=")},
					{Type: types.MediaTypeImageLogoDarkHorizontal, Source: aws.String("https://example.com/logo.png")},
				},
				Associations: []string{s.arn(domain.KindUser, s.a(t, "User", n)), s.arn(domain.KindRoutingProfile, s.a(t, "RoutingProfile", n))},
			}
			return rebuildWorkspace(t, s, d)
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListWorkspaces(t.Context(), &connect.ListWorkspacesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, w := range page.WorkspaceSummaryList {
					all.add(*w.Id, *w.Name, exportWorkspace(t, s, w.Id))
				}
				return page.NextToken, nil
			})
			return all
		},
		rebuildWorkspace,
		nil)
}

func rebuildWorkspace(t testing.TB, s *site, d workspaceDocument) string {
	w := d.Workspace
	out, err := s.CreateWorkspace(t.Context(), &connect.CreateWorkspaceInput{
		InstanceId: &s.id, Name: w.Name, Title: w.Title, Description: w.Description, Theme: w.Theme, Tags: tags(w.Tags),
	})
	ok(t, err)
	_, err = s.UpdateWorkspaceVisibility(t.Context(), &connect.UpdateWorkspaceVisibilityInput{InstanceId: &s.id, WorkspaceId: out.WorkspaceId, Visibility: w.Visibility})
	ok(t, err)
	for _, p := range d.Pages {
		_, err := s.CreateWorkspacePage(t.Context(), &connect.CreateWorkspacePageInput{
			InstanceId: &s.id, WorkspaceId: out.WorkspaceId, Page: p.Page, ResourceArn: p.ResourceArn, Slug: p.Slug, InputData: p.InputData,
		})
		ok(t, err)
	}
	for _, m := range d.Media {
		_, err := s.ImportWorkspaceMedia(t.Context(), &connect.ImportWorkspaceMediaInput{InstanceId: &s.id, WorkspaceId: out.WorkspaceId, MediaType: m.Type, MediaSource: m.Source})
		ok(t, err)
	}
	given, err := s.AssociateWorkspace(t.Context(), &connect.AssociateWorkspaceInput{InstanceId: &s.id, WorkspaceId: out.WorkspaceId, ResourceArns: d.Associations})
	ok(t, err)
	if len(given.FailedList) > 0 {
		t.Fatalf("the workspace could not be given to %+v", given.FailedList)
	}
	return *out.WorkspaceId
}

func exportWorkspace(t testing.TB, s *site, id *string) (d workspaceDocument) {
	t.Helper()
	out, err := s.DescribeWorkspace(t.Context(), &connect.DescribeWorkspaceInput{InstanceId: &s.id, WorkspaceId: id})
	ok(t, err)
	media, err := s.ListWorkspaceMedia(t.Context(), &connect.ListWorkspaceMediaInput{InstanceId: &s.id, WorkspaceId: id})
	ok(t, err)
	d.Workspace, d.Media = out.Workspace, media.Media
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListWorkspacePages(t.Context(), &connect.ListWorkspacePagesInput{InstanceId: &s.id, WorkspaceId: id, NextToken: token})
		if err != nil {
			return nil, err
		}
		d.Pages = append(d.Pages, page.WorkspacePageList...)
		return page.NextToken, nil
	})
	of := types.WorkspaceAssociationSearchCriteria{StringCondition: &types.StringCondition{FieldName: aws.String("WorkspaceId"), Value: id, ComparisonType: types.StringComparisonTypeExact}}
	everyPage(t, func(token *string) (*string, error) {
		// No Describe or List tells who has a workspace.
		page, err := s.SearchWorkspaceAssociations(t.Context(), &connect.SearchWorkspaceAssociationsInput{InstanceId: &s.id, SearchCriteria: &of, NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, a := range page.WorkspaceAssociations {
			d.Associations = append(d.Associations, *a.ResourceArn)
		}
		return page.NextToken, nil
	})
	return d
}
