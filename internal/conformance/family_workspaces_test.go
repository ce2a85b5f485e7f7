package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const workspace kind = "Workspace"

// imageSource is the smallest image.
const imageSource = "R0lGODlhAQABAAAAACw="

func init() {
	add(family{
		makers: map[kind]maker{
			workspace: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateWorkspace(ctx, &connect.CreateWorkspaceInput{InstanceId: &w.instance, Name: w.name()})
				if err != nil {
					return nil, err
				}
				return out.WorkspaceId, nil
			},
		},
		references: map[string]kind{"WorkspaceId": workspace},
		examples: map[string]example{
			"MediaSource":          {imageSource, " "},
			"Page":                 {"Orders", "a/page"},
			"Slug":                 {"orders", "a/slug"},
			"ThemeImageLink":       {"https://example.com/logo.png", " "},
			"ThemeString":          {"#1a2b3c", " "},
			"WorkspaceDescription": {"A description", "a\x01b"},
			"WorkspaceName":        {"A workspace", " "},
			"WorkspaceTitle":       {"A title", "a\x01b"},
		},
		recipes: map[string]recipe{
			"AssociateWorkspace":    of(with("ResourceArns", freshUserARNs)),
			"DisassociateWorkspace": of(with("ResourceArns", freshUserARNs)), // that it does not have the workspace is in the answer
			"CreateWorkspacePage":   of(inFreshWorkspace, with("ResourceArn", viewARN), given("InputData", always(`{"Heading":"Orders"}`))),
			"UpdateWorkspacePage": of(inFreshWorkspace, pageMade, given("ResourceArn", viewARN),
				given("InputData", always(`{"Heading":"Orders"}`)), given("NewPage", always("Returns"))),
			"DeleteWorkspacePage":         of(inFreshWorkspace, pageMade),
			"DeleteWorkspaceMedia":        of(inFreshWorkspace, mediaMade),
			"SearchWorkspaces":            of(searchCriteria("name"), given("SearchFilter", always(object{"AttributeFilter": object{"TagCondition": tagCondition}}))),
			"SearchWorkspaceAssociations": of(searchCriteria("ResourceType"), given("SearchFilter", always(object{"AttributeFilter": object{"TagCondition": tagCondition}}))),
		},
	})
	merge(pagedOperations, map[string]paged{
		"ListWorkspaces":   {workspace, "Id", "DeleteWorkspace", "WorkspaceId"},
		"SearchWorkspaces": {workspace, "Id", "DeleteWorkspace", "WorkspaceId"},
	})
	merge(fewOperations, map[string]string{
		"ListWorkspacePages":          "a workspace has a handful",
		"SearchWorkspaceAssociations": "they have no ids of their own",
	})
}

func freshUserARNs(t testing.TB, w *world) any { return []any{freshUserARN(t, w)} }

func viewARN(t testing.TB, w *world) any { return w.arn("view", w.shared(t, view)) }

func inFreshWorkspace(t testing.TB, w *world, in object, _ style) {
	in["WorkspaceId"] = w.fresh(t, workspace)
}

// pageMade makes the page that the request names.
func pageMade(t testing.TB, w *world, in object, _ style) {
	in["Page"] = "Orders"
	_, err := w.server.Connect.CreateWorkspacePage(context.Background(), &connect.CreateWorkspacePageInput{
		InstanceId: &w.instance, WorkspaceId: aws.String(in["WorkspaceId"].(string)), Page: aws.String("Orders"), ResourceArn: aws.String(w.arn("view", w.shared(t, view))),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// mediaMade imports the image that the request takes away.
func mediaMade(t testing.TB, w *world, in object, _ style) {
	_, err := w.server.Connect.ImportWorkspaceMedia(context.Background(), &connect.ImportWorkspaceMediaInput{
		InstanceId: &w.instance, WorkspaceId: aws.String(in["WorkspaceId"].(string)),
		MediaType: types.MediaType(in["MediaType"].(string)), MediaSource: aws.String(imageSource),
	})
	if err != nil {
		t.Fatal(err)
	}
}
