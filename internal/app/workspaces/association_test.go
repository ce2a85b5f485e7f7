package workspaces_test

import (
	"path"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func TestWorkspaceAssociations(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s)
	one := c.workspace(t, "One", func(in *connect.CreateWorkspaceInput) { in.Tags = map[string]string{"Team": "one"} })
	two := c.workspace(t, "Two")
	mary, john, profile := c.user(t, "mary"), c.user(t, "john"), c.routingProfile(t)
	foreign := newCentre(t, s).user(t, "mary")
	unknown, queue := c.arn+"/agent/"+domain.NewID(), c.arn+"/queue/"+domain.NewID()

	type outcome struct {
		done   []string
		failed map[string]string // the codes by ARN
	}
	read := func(done []types.SuccessfulBatchAssociationSummary, failed []types.FailedBatchAssociationSummary) outcome {
		t.Helper()
		if done == nil || failed == nil {
			t.Error("a list is absent")
		}
		o := outcome{done: []string{}, failed: map[string]string{}}
		for _, d := range done {
			o.done = append(o.done, *d.ResourceArn)
		}
		for _, f := range failed {
			if aws.ToString(f.ErrorMessage) == "" {
				t.Errorf("%s fails without a message", *f.ResourceArn)
			}
			o.failed[*f.ResourceArn] = *f.ErrorCode
		}
		return o
	}
	associate := func(workspace string, arns ...string) outcome {
		t.Helper()
		out, err := c.AssociateWorkspace(t.Context(), &connect.AssociateWorkspaceInput{InstanceId: &c.id, WorkspaceId: &workspace, ResourceArns: arns})
		ok(t, err)
		return read(out.SuccessfulList, out.FailedList)
	}
	disassociate := func(workspace string, arns ...string) outcome {
		t.Helper()
		out, err := c.DisassociateWorkspace(t.Context(), &connect.DisassociateWorkspaceInput{InstanceId: &c.id, WorkspaceId: &workspace, ResourceArns: arns})
		ok(t, err)
		return read(out.SuccessfulList, out.FailedList)
	}
	check := func(what string, got outcome, done []string, failed map[string]string) {
		t.Helper()
		same(t, what+": done", got.done, done)
		same(t, what+": failed", got.failed, failed)
	}
	none := map[string]string{}
	check("all at once", associate(one, mary, unknown, profile, queue, foreign, "nonsense"), []string{mary, profile},
		map[string]string{unknown: "404", queue: "400", foreign: "404", "nonsense": "400"})
	check("again", associate(one, mary, john, john), []string{john}, map[string]string{mary: "409", john: "409"})
	check("another workspace", associate(two, mary), []string{mary}, none)

	missing := domain.NewID()
	_, err := c.AssociateWorkspace(t.Context(), &connect.AssociateWorkspaceInput{InstanceId: &c.id, WorkspaceId: &missing, ResourceArns: []string{mary}})
	fails(t, err, fault.ResourceNotFound)
	_, err = c.DisassociateWorkspace(t.Context(), &connect.DisassociateWorkspaceInput{InstanceId: &c.id, WorkspaceId: &missing, ResourceArns: []string{mary}})
	fails(t, err, fault.ResourceNotFound)

	summary := func(workspace, resource, name, kind string) types.WorkspaceAssociationSearchSummary {
		return types.WorkspaceAssociationSearchSummary{
			WorkspaceId: &workspace, WorkspaceArn: aws.String(c.arn + "/workspace/" + workspace),
			ResourceArn: &resource, ResourceId: aws.String(path.Base(resource)), ResourceName: &name, ResourceType: &kind,
		}
	}
	oneMary, oneProfile := summary(one, mary, "mary", "USER"), summary(one, profile, "Basic Routing Profile", "ROUTING_PROFILE")
	oneJohn, twoMary := summary(one, john, "john", "USER"), summary(two, mary, "mary", "USER")
	type summaries = []types.WorkspaceAssociationSearchSummary
	find := func(criteria types.WorkspaceAssociationSearchCriteria, filter *types.WorkspaceAssociationSearchFilter, want summaries) {
		t.Helper()
		got := append(summaries{}, slices.Concat(servertest.Pages(t, func(token *string) (summaries, *string, error) {
			out, err := c.SearchWorkspaceAssociations(t.Context(), &connect.SearchWorkspaceAssociationsInput{
				InstanceId: &c.id, SearchCriteria: &criteria, SearchFilter: filter, MaxResults: aws.Int32(2), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			if *out.ApproximateTotalCount != int64(len(want)) || out.WorkspaceAssociations == nil {
				t.Errorf("%d are counted, want %d", *out.ApproximateTotalCount, len(want))
			}
			return out.WorkspaceAssociations, out.NextToken, nil
		})...)...)
		same(t, "the result", got, want)
	}
	field := func(name, value string) types.WorkspaceAssociationSearchCriteria {
		return types.WorkspaceAssociationSearchCriteria{StringCondition: &types.StringCondition{FieldName: &name, Value: &value, ComparisonType: types.StringComparisonTypeExact}}
	}
	tagged := &types.WorkspaceAssociationSearchFilter{AttributeFilter: &types.ControlPlaneAttributeFilter{TagCondition: &types.TagCondition{TagKey: aws.String("Team")}}}
	all := types.WorkspaceAssociationSearchCriteria{}
	find(all, nil, summaries{oneMary, oneProfile, oneJohn, twoMary})
	find(field("WorkspaceId", one), nil, summaries{oneMary, oneProfile, oneJohn})
	find(field("workspaceId", c.arn+"/workspace/"+two), nil, summaries{twoMary})
	find(field("ResourceId", path.Base(mary)), nil, summaries{oneMary, twoMary})
	find(field("ResourceType", "routing_profile"), nil, summaries{oneProfile})
	find(types.WorkspaceAssociationSearchCriteria{AndConditions: []types.WorkspaceAssociationSearchCriteria{field("ResourceType", "USER"), field("WorkspaceId", one)}}, nil, summaries{oneMary, oneJohn})
	find(types.WorkspaceAssociationSearchCriteria{OrConditions: []types.WorkspaceAssociationSearchCriteria{field("WorkspaceId", two), field("ResourceType", "ROUTING_PROFILE")}}, nil, summaries{oneProfile, twoMary})
	find(field("ResourceType", "USER"), tagged, summaries{oneMary, oneJohn})
	wrong := field("ResourceName", "mary")
	_, err = c.SearchWorkspaceAssociations(t.Context(), &connect.SearchWorkspaceAssociationsInput{InstanceId: &c.id, SearchCriteria: &wrong})
	fails(t, err, fault.InvalidParameter, "FieldName")

	check("taken away", disassociate(one, profile, profile, unknown), []string{profile}, map[string]string{profile: "404", unknown: "404"})
	find(all, nil, summaries{oneMary, oneJohn, twoMary})
	// Whoever is deleted leaves no association behind.
	_, err = c.DeleteUser(t.Context(), &connect.DeleteUserInput{InstanceId: &c.id, UserId: aws.String(path.Base(mary))})
	ok(t, err)
	find(all, nil, summaries{oneJohn})
	_, err = c.DeleteWorkspace(t.Context(), &connect.DeleteWorkspaceInput{InstanceId: &c.id, WorkspaceId: &one})
	ok(t, err)
	find(all, nil, summaries{})
	check("again after all", associate(two, john), []string{john}, none)
}
