package roundtrip

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func viewKinds() []kind {
	return []kind{viewKind()}
}

// viewDocument is a view with its versions. A version that was deleted leaves a
// gap in the numbers that nothing can restore, so there is none here.
type viewDocument struct {
	Latest, Saved *types.View
	Versions      []*types.View // from the lowest
}

func viewKind() kind {
	return of("View",
		func(t testing.TB, s *site, n int) string {
			content := func(title string) *types.ViewInputContent {
				template := fmt.Sprintf(`{"Head":{"Title":%q,"Configuration":{}},"Body":[{"_id":"b","Type":"Button","Props":{"Action":"Go"},"Content":["$.Label"]}]}`, title)
				return &types.ViewInputContent{Template: &template, Actions: []string{"Go"}}
			}
			out, err := s.CreateView(t.Context(), &connect.CreateViewInput{
				InstanceId: &s.id, Name: name("View", n), Description: aws.String("what agents see"), Tags: map[string]string{"Team": "views"},
				Status: types.ViewStatusPublished, Content: content("first"),
			})
			ok(t, err)
			id := out.View.Id
			for i := range n {
				versionView(t, s, id, fmt.Sprint("version ", i+1))
				updateView(t, s, id, types.ViewStatusPublished, content(fmt.Sprint("published ", i)))
			}
			if n > 1 {
				updateView(t, s, id, types.ViewStatusSaved, content("draft"))
			}
			return *id
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListViews(t.Context(), &connect.ListViewsInput{InstanceId: &s.id, Type: types.ViewTypeCustomerManaged, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, v := range page.ViewsSummaryList {
					all.add(*v.Id, *v.Name, describeView(t, s, v.Id))
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d viewDocument) string {
			contents := append(append([]*types.View{}, d.Versions...), d.Latest)
			first := contents[0]
			out, err := s.CreateView(t.Context(), &connect.CreateViewInput{
				InstanceId: &s.id, Name: d.Latest.Name, Description: d.Latest.Description, Tags: tags(d.Latest.Tags),
				Status: types.ViewStatusPublished, Content: viewInput(first),
			})
			ok(t, err)
			id := out.View.Id
			for i, v := range contents {
				if i > 0 {
					updateView(t, s, id, types.ViewStatusPublished, viewInput(v))
				}
				if i < len(d.Versions) {
					versionView(t, s, id, aws.ToString(v.VersionDescription))
				}
			}
			if d.Saved.Status == types.ViewStatusSaved {
				updateView(t, s, id, types.ViewStatusSaved, viewInput(d.Saved))
			}
			return *id
		},
		nil)
}

func describeView(t testing.TB, s *site, id *string) (d viewDocument) {
	t.Helper()
	describe := func(qualifier string) *types.View {
		out, err := s.DescribeView(t.Context(), &connect.DescribeViewInput{InstanceId: &s.id, ViewId: aws.String(*id + qualifier)})
		ok(t, err)
		return out.View
	}
	d.Latest, d.Saved = describe(""), describe(":$SAVED")
	versions, err := s.ListViewVersions(t.Context(), &connect.ListViewVersionsInput{InstanceId: &s.id, ViewId: id})
	ok(t, err)
	for n := len(versions.ViewVersionSummaryList); n > 0; n-- {
		d.Versions = append(d.Versions, describe(fmt.Sprint(":", versions.ViewVersionSummaryList[n-1].Version)))
	}
	return d
}

func viewInput(v *types.View) *types.ViewInputContent {
	return &types.ViewInputContent{Template: v.Content.Template, Actions: v.Content.Actions}
}

func updateView(t testing.TB, s *site, id *string, status types.ViewStatus, content *types.ViewInputContent) {
	t.Helper()
	_, err := s.UpdateViewContent(t.Context(), &connect.UpdateViewContentInput{InstanceId: &s.id, ViewId: id, Status: status, Content: content})
	ok(t, err)
}

func versionView(t testing.TB, s *site, id *string, description string) {
	t.Helper()
	_, err := s.CreateViewVersion(t.Context(), &connect.CreateViewVersionInput{InstanceId: &s.id, ViewId: id, VersionDescription: &description})
	ok(t, err)
}
