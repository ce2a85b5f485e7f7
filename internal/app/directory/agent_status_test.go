package directory_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func TestAgentStatuses(t *testing.T) {
	c := newCentre(t, servertest.Boot(t), types.DirectoryTypeSaml)
	list := func(kinds ...types.AgentStatusType) (all []types.AgentStatusSummary) {
		pages := connect.NewListAgentStatusesPaginator(c, &connect.ListAgentStatusesInput{InstanceId: &c.id, MaxResults: aws.Int32(1), AgentStatusTypes: kinds})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			ok(t, err)
			all = append(all, page.AgentStatusSummaryList...)
		}
		return all
	}
	describe := func(id string) *types.AgentStatus {
		out, err := c.DescribeAgentStatus(t.Context(), &connect.DescribeAgentStatusInput{InstanceId: &c.id, AgentStatusId: &id})
		ok(t, err)
		return out.AgentStatus
	}
	names := func(list []types.AgentStatusSummary) string {
		var s []string
		for _, a := range list {
			s = append(s, *a.Name+" "+string(a.Type))
		}
		return strings.Join(s, ", ")
	}
	same(t, "new instance", names(list()), "Available ROUTABLE, Offline OFFLINE")

	create := func(name string) error {
		_, err := c.CreateAgentStatus(t.Context(), &connect.CreateAgentStatusInput{InstanceId: &c.id, Name: &name, State: types.AgentStatusStateEnabled})
		return err
	}
	made, err := c.CreateAgentStatus(t.Context(), &connect.CreateAgentStatusInput{
		InstanceId: &c.id, Name: aws.String("Lunch"), Description: aws.String("Eating"), State: types.AgentStatusStateEnabled,
		DisplayOrder: aws.Int32(7), Tags: map[string]string{"a": "1"},
	})
	ok(t, err)
	ok(t, create("lunch"))
	fails(t, create("Lunch"), fault.DuplicateResource, "Lunch")
	lunch := describe(*made.AgentStatusId)
	if *lunch.AgentStatusARN != c.arn+"/agent-state/"+*made.AgentStatusId || lunch.Type != types.AgentStatusTypeCustom ||
		*lunch.Description != "Eating" || *lunch.DisplayOrder != 7 || lunch.Tags["a"] != "1" || lunch.LastModifiedTime == nil {
		t.Errorf("status is %+v", lunch)
	}
	same(t, "customs", names(list(types.AgentStatusTypeCustom)), "Lunch CUSTOM, lunch CUSTOM")

	update := func(id string, change func(*connect.UpdateAgentStatusInput)) error {
		in := &connect.UpdateAgentStatusInput{InstanceId: &c.id, AgentStatusId: &id}
		change(in)
		_, err := c.UpdateAgentStatus(t.Context(), in)
		return err
	}
	available := *list(types.AgentStatusTypeRoutable)[0].Id
	for name, u := range map[string]struct {
		id     string
		change func(*connect.UpdateAgentStatusInput)
		code   fault.Code
	}{
		"rename Available":  {available, func(in *connect.UpdateAgentStatusInput) { in.Name = aws.String("Ready") }, ""},
		"disable Available": {available, func(in *connect.UpdateAgentStatusInput) { in.State = types.AgentStatusStateDisabled }, fault.InvalidRequest},
		"taken name":        {*made.AgentStatusId, func(in *connect.UpdateAgentStatusInput) { in.Name = aws.String("Offline") }, fault.DuplicateResource},
		"order and reset": {*made.AgentStatusId, func(in *connect.UpdateAgentStatusInput) {
			in.DisplayOrder, in.ResetOrderNumber = aws.Int32(1), true
		}, fault.InvalidParameter},
		"disable, reset": {*made.AgentStatusId, func(in *connect.UpdateAgentStatusInput) {
			in.State, in.ResetOrderNumber = types.AgentStatusStateDisabled, true
		}, ""},
	} {
		if fails(t, update(u.id, u.change), u.code); t.Failed() {
			t.Fatal(name)
		}
	}
	lunch = describe(*made.AgentStatusId)
	if lunch.State != types.AgentStatusStateDisabled || lunch.DisplayOrder != nil || *lunch.Name != "Lunch" || *lunch.Description != "Eating" {
		t.Errorf("status is %+v", lunch)
	}
	same(t, "name", *describe(available).Name, "Ready")

	field := func(name, value, op string) *types.AgentStatusSearchCriteria {
		return &types.AgentStatusSearchCriteria{StringCondition: stringCondition(name, value, op)}
	}
	for name, q := range map[string]struct {
		criteria *types.AgentStatusSearchCriteria
		tag      string
		want     int
		code     fault.Code
	}{
		"all":         {nil, "", 4, ""},
		"name":        {field("name", "LUNCH", "EXACT"), "", 2, ""},
		"description": {field("description", "eat", "STARTS_WITH"), "", 1, ""},
		"state":       {field("state", "DISABLED", "EXACT"), "", 1, ""},
		"type":        {field("type", "CUSTOM", "EXACT"), "", 2, ""},
		"order":       {field("displayOrder", "2", "EXACT"), "", 1, ""},
		"id":          {field("resourceID", *made.AgentStatusId, "EXACT"), "", 1, ""},
		"tag":         {nil, "a", 1, ""},
		"field":       {field("colour", "x", "EXACT"), "", 0, fault.InvalidParameter},
	} {
		in := &connect.SearchAgentStatusesInput{InstanceId: &c.id, SearchCriteria: q.criteria}
		if q.tag != "" {
			in.SearchFilter = &types.AgentStatusSearchFilter{AttributeFilter: &types.ControlPlaneAttributeFilter{TagCondition: &types.TagCondition{TagKey: &q.tag}}}
		}
		out, err := c.SearchAgentStatuses(t.Context(), in)
		if fails(t, err, q.code); err != nil {
			continue
		}
		if len(out.AgentStatuses) != q.want || *out.ApproximateTotalCount != int64(q.want) {
			t.Errorf("%s: found %d", name, len(out.AgentStatuses))
		}
	}
}
