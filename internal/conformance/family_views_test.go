package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const view kind = "View"

// viewTemplate is the smallest template that can be published.
const viewTemplate = `{"Head":{"Title":"A view","Configuration":{}},"Body":[]}`

func init() {
	content := with("Content", always(object{"Template": viewTemplate, "Actions": []any{"Skip"}}))
	add(family{
		makers: map[kind]maker{view: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateView(ctx, &connect.CreateViewInput{
				InstanceId: &w.instance, Name: w.name(), Status: types.ViewStatusPublished,
				Content: &types.ViewInputContent{Template: aws.String(viewTemplate)},
			})
			if err != nil {
				return nil, err
			}
			return out.View.Id, nil
		}},
		references: map[string]kind{"ViewId": view},
		recipes: map[string]recipe{
			"CreateView":        of(content),
			"UpdateViewContent": of(content),
			"CreateViewVersion": of(without("ViewContentSha256")),
			"DeleteViewVersion": of(newViewVersion),
			"SearchViews":       of(searchCriteria("name"), given("SearchFilter", always(object{"AttributeFilter": object{"TagCondition": tagCondition}}))),
		},
		examples: map[string]example{
			"ViewAction":        {"Skip", "\x01"},
			"ViewContentSha256": {"0123456789abcdef", "no-hexadecimal"},
			"ViewDescription":   {"A view", "\x01"},
			"ViewId":            {"view:$SAVED", "no view!"},
			"ViewName":          {"A view", "\x01"},
			"ViewsClientToken":  {"token", "\x01"},
			"ViewsNextToken":    {"token", "no token!"},
			"ViewsInstanceId":   {"instance", "no instance!"},
		},
	})
	merge(pagedOperations, map[string]paged{
		"ListViews":   {view, "Id", "DeleteView", "ViewId"},
		"SearchViews": {view, "Id", "DeleteView", "ViewId"},
	})
	merge(fewOperations, map[string]string{"ListViewVersions": "versions of one view"})
}

// newViewVersion names the first version of a new view.
func newViewVersion(t testing.TB, w *world, in object, _ style) {
	id := w.fresh(t, view)
	out, err := w.server.Connect.CreateViewVersion(context.Background(), &connect.CreateViewVersionInput{InstanceId: &w.instance, ViewId: &id})
	if err != nil {
		t.Fatal(err)
	}
	in["ViewId"], in["ViewVersion"] = id, float64(out.View.Version)
}
