package workspaces_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

// centre is an instance of a booted server, as a test sees it.
type centre struct {
	*connect.Client
	id, arn string
}

func newCentre(t *testing.T, s *servertest.Server) *centre {
	t.Helper()
	id := s.NewInstance(t)
	return &centre{s.Connect, id, servertest.InstanceARN(id)}
}

func (c *centre) workspace(t *testing.T, name string, change ...func(*connect.CreateWorkspaceInput)) string {
	t.Helper()
	in := &connect.CreateWorkspaceInput{InstanceId: &c.id, Name: &name}
	for _, f := range change {
		f(in)
	}
	out, err := c.CreateWorkspace(t.Context(), in)
	ok(t, err)
	if want := c.arn + "/workspace/" + *out.WorkspaceId; *out.WorkspaceArn != want {
		t.Errorf("the ARN is %s, want %s", *out.WorkspaceArn, want)
	}
	return *out.WorkspaceId
}

func (c *centre) described(t *testing.T, id string) *types.Workspace {
	t.Helper()
	out, err := c.DescribeWorkspace(t.Context(), &connect.DescribeWorkspaceInput{InstanceId: &c.id, WorkspaceId: &id})
	ok(t, err)
	return out.Workspace
}

// routingProfile is the ARN of the one that every instance has, user that of a
// new user.
func (c *centre) routingProfile(t *testing.T) string {
	t.Helper()
	out, err := c.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &c.id})
	ok(t, err)
	return *out.RoutingProfileSummaryList[0].Arn
}

func (c *centre) user(t *testing.T, name string) string {
	t.Helper()
	profiles, err := c.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &c.id})
	ok(t, err)
	routing := c.routingProfile(t)
	out, err := c.CreateUser(t.Context(), &connect.CreateUserInput{
		InstanceId: &c.id, Username: &name, RoutingProfileId: &routing, SecurityProfileIds: []string{*profiles.SecurityProfileSummaryList[0].Id},
		IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
	})
	ok(t, err)
	return *out.UserArn
}

func theme(page, text string) *types.WorkspaceTheme {
	return &types.WorkspaceTheme{
		Light: &types.WorkspaceThemeConfig{
			Images: &types.WorkspaceThemeImages{Logo: &types.ImagesLogo{Default: aws.String("https://example.com/logo.png"), Favicon: aws.String("https://example.com/icon.png")}},
			Palette: &types.WorkspaceThemePalette{
				Canvas: &types.PaletteCanvas{PageBackground: &page, ContainerBackground: &page, ActiveBackground: &page},
				Header: &types.PaletteHeader{Background: &page, Text: &text, TextHover: &text, InvertActionsColors: true},
			},
			Typography: &types.WorkspaceThemeTypography{FontFamily: &types.FontFamily{Default: types.WorkspaceFontFamilyVerdana}},
		},
		Dark: &types.WorkspaceThemeConfig{Palette: &types.WorkspaceThemePalette{
			Navigation: &types.PaletteNavigation{
				Background: &page, Text: &text, TextActive: &text, TextHover: &text, TextBackgroundActive: &page, TextBackgroundHover: &page,
			},
			Primary: &types.PalettePrimary{Default: &page, Active: &page, ContrastText: &text},
		}},
	}
}

func TestWorkspaces(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s)
	plain := c.workspace(t, "Plain")
	got := c.described(t, plain)
	same(t, "a plain workspace", got, &types.Workspace{
		Arn: aws.String(c.arn + "/workspace/" + plain), Id: &plain, Name: aws.String("Plain"), Visibility: types.VisibilityAssigned,
		Tags: map[string]string{}, LastModifiedTime: got.LastModifiedTime, LastModifiedRegion: aws.String(servertest.Region),
	})
	full := c.workspace(t, "Full", func(in *connect.CreateWorkspaceInput) {
		in.Title, in.Description, in.Tags = aws.String("All of it"), aws.String("For all"), map[string]string{"Team": "all"}
		in.Theme = theme("#ffffff", "rgb(0, 0, 0)")
	})
	got = c.described(t, full)
	same(t, "a full workspace", got, &types.Workspace{
		Arn: aws.String(c.arn + "/workspace/" + full), Id: &full, Name: aws.String("Full"), Title: aws.String("All of it"), Description: aws.String("For all"),
		Visibility: types.VisibilityAssigned, Theme: theme("#ffffff", "rgb(0, 0, 0)"), Tags: map[string]string{"Team": "all"},
		LastModifiedTime: got.LastModifiedTime, LastModifiedRegion: aws.String(servertest.Region),
	})
	byARN := c.described(t, *got.Arn)
	same(t, "the same by its ARN", byARN, got)

	_, err := c.CreateWorkspace(t.Context(), &connect.CreateWorkspaceInput{InstanceId: &c.id, Name: aws.String("Full")})
	fails(t, err, fault.DuplicateResource, "Full")
	metadata := func(id string, change func(*connect.UpdateWorkspaceMetadataInput)) error {
		in := &connect.UpdateWorkspaceMetadataInput{InstanceId: &c.id, WorkspaceId: &id}
		change(in)
		_, err := c.UpdateWorkspaceMetadata(t.Context(), in)
		return err
	}
	fails(t, metadata(plain, func(in *connect.UpdateWorkspaceMetadataInput) { in.Name = aws.String("Full") }), fault.DuplicateResource)
	ok(t, metadata(full, func(in *connect.UpdateWorkspaceMetadataInput) {
		in.Name, in.Title, in.Description = aws.String("Whole"), aws.String(""), aws.String("")
	}))
	ok(t, metadata(plain, func(in *connect.UpdateWorkspaceMetadataInput) { in.Title = aws.String("A title") }))
	_, err = c.UpdateWorkspaceVisibility(t.Context(), &connect.UpdateWorkspaceVisibilityInput{InstanceId: &c.id, WorkspaceId: &full, Visibility: types.VisibilityAll})
	ok(t, err)
	if got := c.described(t, full); *got.Name != "Whole" || got.Title != nil || got.Description != nil || got.Visibility != types.VisibilityAll || got.Theme == nil {
		t.Errorf("the workspace is %+v", got)
	}
	if got := c.described(t, plain); *got.Name != "Plain" || *got.Title != "A title" {
		t.Errorf("the workspace is %+v", got)
	}

	setTheme := func(th *types.WorkspaceTheme) error {
		_, err := c.UpdateWorkspaceTheme(t.Context(), &connect.UpdateWorkspaceThemeInput{InstanceId: &c.id, WorkspaceId: &full, Theme: th})
		return err
	}
	for _, colour := range []string{"#abc", "#abcd", "#AABBCC", "#aabbccdd", "RebeccaPurple", "hsl(120deg 75% 25%)", "var(--brand)"} {
		ok(t, setTheme(theme(colour, colour)))
		same(t, "the theme", c.described(t, full).Theme, theme(colour, colour))
	}
	for _, bad := range []string{"#ab", "#abcde", "aabbcc11", "rgb()", "#ggg", "12px"} {
		fails(t, setTheme(theme("#fff", bad)), fault.InvalidParameter, "Theme.Light.Palette.Header.Text ")
		dark := theme("#fff", "#000")
		dark.Dark.Palette.Primary.ContrastText = &bad
		fails(t, setTheme(dark), fault.InvalidParameter, "Theme.Dark.Palette.Primary.ContrastText ")
	}
	ok(t, setTheme(nil))
	if got := c.described(t, full); got.Theme != nil {
		t.Errorf("the theme is %+v", got.Theme)
	}

	_, err = c.DeleteWorkspace(t.Context(), &connect.DeleteWorkspaceInput{InstanceId: &c.id, WorkspaceId: &full})
	ok(t, err)
	other := newCentre(t, s)
	for _, where := range []struct {
		c  *centre
		id string
	}{{c, full}, {other, plain}} {
		_, err = where.c.DescribeWorkspace(t.Context(), &connect.DescribeWorkspaceInput{InstanceId: &where.c.id, WorkspaceId: &where.id})
		fails(t, err, fault.ResourceNotFound)
		_, err = where.c.DeleteWorkspace(t.Context(), &connect.DeleteWorkspaceInput{InstanceId: &where.c.id, WorkspaceId: &where.id})
		fails(t, err, fault.ResourceNotFound)
	}
}

func TestListAndSearchWorkspaces(t *testing.T) {
	c := newCentre(t, servertest.Boot(t))
	var ids []string
	for n, name := range []string{"Sales floor", "Support floor", "Night shift"} {
		ids = append(ids, c.workspace(t, name, func(in *connect.CreateWorkspaceInput) {
			in.Description, in.Title, in.Tags = aws.String(fmt.Sprintf("number %d", n)), aws.String("title"), map[string]string{"Floor": fmt.Sprint(n % 2)}
		}))
	}
	_, err := c.UpdateWorkspaceVisibility(t.Context(), &connect.UpdateWorkspaceVisibilityInput{InstanceId: &c.id, WorkspaceId: &ids[2], Visibility: types.VisibilityNone})
	ok(t, err)
	same(t, "the list, page by page", servertest.Pages(t, func(token *string) ([]string, *string, error) {
		out, err := c.ListWorkspaces(t.Context(), &connect.ListWorkspacesInput{InstanceId: &c.id, MaxResults: aws.Int32(2), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		var page []string
		for _, w := range out.WorkspaceSummaryList {
			d := c.described(t, *w.Id)
			same(t, "a summary", w, types.WorkspaceSummary{Arn: d.Arn, Id: d.Id, Name: d.Name, LastModifiedTime: d.LastModifiedTime, LastModifiedRegion: d.LastModifiedRegion})
			page = append(page, *w.Id)
		}
		return page, out.NextToken, nil
	}), servertest.InPages(ids, 2))

	field := func(name, value string, op types.StringComparisonType) types.WorkspaceSearchCriteria {
		return types.WorkspaceSearchCriteria{StringCondition: &types.StringCondition{FieldName: &name, Value: &value, ComparisonType: op}}
	}
	tag := func(value string) *types.WorkspaceSearchFilter {
		return &types.WorkspaceSearchFilter{AttributeFilter: &types.ControlPlaneAttributeFilter{TagCondition: &types.TagCondition{TagKey: aws.String("Floor"), TagValue: &value}}}
	}
	none := types.WorkspaceSearchCriteria{}
	for name, q := range map[string]struct {
		criteria types.WorkspaceSearchCriteria
		filter   *types.WorkspaceSearchFilter
		want     []string
	}{
		"all":           {none, nil, ids},
		"by name":       {field("name", "floor", types.StringComparisonTypeContains), nil, ids[:2]},
		"a prefix":      {field("Name", "s", types.StringComparisonTypeStartsWith), nil, ids[:2]},
		"a description": {field("description", "number 2", types.StringComparisonTypeExact), nil, ids[2:]},
		"a visibility":  {field("visibility", "ASSIGNED", types.StringComparisonTypeExact), nil, ids[:2]},
		"an id":         {field("resourceId", ids[1], types.StringComparisonTypeExact), nil, ids[1:2]},
		"a tag":         {none, tag("0"), []string{ids[0], ids[2]}},
		"both": {types.WorkspaceSearchCriteria{AndConditions: []types.WorkspaceSearchCriteria{
			field("name", "floor", types.StringComparisonTypeContains), field("description", "number", types.StringComparisonTypeStartsWith),
		}}, tag("1"), ids[1:2]},
		"either": {types.WorkspaceSearchCriteria{OrConditions: []types.WorkspaceSearchCriteria{
			field("name", "Night shift", types.StringComparisonTypeExact), field("visibility", "NONE", types.StringComparisonTypeExact), field("name", "Sales", types.StringComparisonTypeStartsWith),
		}}, nil, []string{ids[0], ids[2]}},
	} {
		t.Run(name, func(t *testing.T) {
			got := slices.Concat(servertest.Pages(t, func(token *string) ([]string, *string, error) {
				out, err := c.SearchWorkspaces(t.Context(), &connect.SearchWorkspacesInput{
					InstanceId: &c.id, SearchCriteria: &q.criteria, SearchFilter: q.filter, MaxResults: aws.Int32(1), NextToken: token,
				})
				if err != nil {
					return nil, nil, err
				}
				if *out.ApproximateTotalCount != int64(len(q.want)) {
					t.Errorf("%d are counted, want %d", *out.ApproximateTotalCount, len(q.want))
				}
				var page []string
				for _, w := range out.Workspaces {
					d := c.described(t, *w.Id)
					same(t, "a result", w, types.WorkspaceSearchSummary{
						Arn: d.Arn, Id: d.Id, Name: d.Name, Title: d.Title, Description: d.Description, Visibility: d.Visibility, Tags: d.Tags, CreatedAt: w.CreatedAt,
					})
					if w.CreatedAt == nil {
						t.Error("CreatedAt is absent")
					}
					page = append(page, *w.Id)
				}
				return page, out.NextToken, nil
			})...)
			same(t, "the result", got, q.want)
		})
	}
	wrong := field("title", "x", types.StringComparisonTypeExact)
	_, err = c.SearchWorkspaces(t.Context(), &connect.SearchWorkspacesInput{InstanceId: &c.id, SearchCriteria: &wrong})
	fails(t, err, fault.InvalidParameter, "FieldName")
	_, err = c.SearchWorkspaces(t.Context(), &connect.SearchWorkspacesInput{InstanceId: aws.String(domain.NewID())})
	fails(t, err, fault.ResourceNotFound)
}
