package flows_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func condition(field, value string, op types.StringComparisonType) *types.StringCondition {
	return &types.StringCondition{FieldName: &field, Value: &value, ComparisonType: op}
}

func TestSearchContactFlows(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	one := *newFlow(t, s, instance, "Searched one", content(""), func(in *connect.CreateContactFlowInput) {
		in.Description, in.Tags = aws.String("of apples"), map[string]string{"Team": "a"}
	}).ContactFlowId
	two := *newFlow(t, s, instance, "Searched two", "draft", campaign, savedOnly).ContactFlowId
	newFlow(t, s, instance, "Searched three", content(""), campaign, func(in *connect.CreateContactFlowInput) {
		in.Tags = map[string]string{"Team": "b"}
	})
	_, err := s.Connect.UpdateContactFlowMetadata(t.Context(), &connect.UpdateContactFlowMetadataInput{
		InstanceId: &instance, ContactFlowId: &two, ContactFlowState: types.ContactFlowStateArchived,
	})
	ok(t, err)

	type criteria = types.ContactFlowSearchCriteria
	type filter = types.ContactFlowSearchFilter
	type attributes = types.ContactFlowAttributeFilter
	const contains, exact, starts = types.StringComparisonTypeContains, types.StringComparisonTypeExact, types.StringComparisonTypeStartsWith
	tag := func(v string) *types.TagCondition {
		return &types.TagCondition{TagKey: aws.String("Team"), TagValue: &v}
	}
	campaigns := &types.ContactFlowTypeCondition{ContactFlowType: types.ContactFlowTypeCampaign}
	searched := criteria{StringCondition: condition("name", "searched", starts)}
	for name, c := range map[string]struct {
		criteria *criteria
		filter   *filter
		want     []string
		code     fault.Code
	}{
		"name starts":          {criteria: &searched, want: []string{"one", "two", "three"}},
		"name contains":        {criteria: &criteria{StringCondition: condition("Name", "HED T", contains)}, want: []string{"two", "three"}},
		"name is":              {criteria: &criteria{StringCondition: condition("name", "searched one", exact)}, want: []string{"one"}},
		"description":          {criteria: &criteria{StringCondition: condition("description", "apple", contains)}, want: []string{"one"}},
		"id":                   {criteria: &criteria{StringCondition: condition("resourceID", one, exact)}, want: []string{"one"}},
		"ARN":                  {criteria: &criteria{StringCondition: condition("resourceId", instanceARN(instance)+"/contact-flow/"+one, exact)}, want: []string{"one"}},
		"type":                 {criteria: &criteria{TypeCondition: types.ContactFlowTypeCampaign}, want: []string{"two", "three"}},
		"state":                {criteria: &criteria{StateCondition: types.ContactFlowStateArchived}, want: []string{"two"}},
		"status":               {criteria: &criteria{StatusCondition: types.ContactFlowStatusSaved}, want: []string{"two"}},
		"and":                  {criteria: &criteria{AndConditions: []criteria{searched, {StatusCondition: types.ContactFlowStatusPublished}}}, want: []string{"one", "three"}},
		"or":                   {criteria: &criteria{OrConditions: []criteria{{StateCondition: types.ContactFlowStateArchived}, {StringCondition: condition("description", "of apples", exact)}}}, want: []string{"one", "two"}},
		"tag":                  {filter: &filter{TagFilter: &types.ControlPlaneTagFilter{TagCondition: tag("a")}}, want: []string{"one"}},
		"any tag":              {filter: &filter{FlowAttributeFilter: &attributes{TagCondition: tag("")}}, want: []string{"one", "three"}},
		"attribute type":       {filter: &filter{FlowAttributeFilter: &attributes{ContactFlowTypeCondition: campaigns}}, want: []string{"two", "three"}},
		"attributes and":       {filter: &filter{FlowAttributeFilter: &attributes{AndCondition: &types.ContactFlowAttributeAndCondition{TagConditions: []types.TagCondition{*tag("b")}, ContactFlowTypeCondition: campaigns}}}, want: []string{"three"}},
		"attributes or":        {filter: &filter{FlowAttributeFilter: &attributes{OrConditions: []types.ContactFlowAttributeAndCondition{{TagConditions: []types.TagCondition{*tag("a")}}, {ContactFlowTypeCondition: campaigns}}}}, want: []string{"one", "two", "three"}},
		"both filters":         {filter: &filter{TagFilter: &types.ControlPlaneTagFilter{TagCondition: tag("a")}, FlowAttributeFilter: &attributes{ContactFlowTypeCondition: campaigns}}, want: []string{}},
		"criteria and filter":  {criteria: &searched, filter: &filter{FlowAttributeFilter: &attributes{ContactFlowTypeCondition: campaigns}}, want: []string{"two", "three"}},
		"two of a level":       {criteria: &criteria{StringCondition: searched.StringCondition, StateCondition: types.ContactFlowStateActive}, code: fault.InvalidParameter},
		"two of an attribute":  {filter: &filter{FlowAttributeFilter: &attributes{TagCondition: tag("a"), ContactFlowTypeCondition: campaigns}}, code: fault.InvalidParameter},
		"unknown field":        {criteria: &criteria{StringCondition: condition("flow type", "CAMPAIGN", exact)}, code: fault.InvalidParameter},
		"one letter":           {criteria: &criteria{StringCondition: condition("name", "x", contains)}, code: fault.InvalidParameter},
		"too many of a filter": {filter: &filter{TagFilter: &types.ControlPlaneTagFilter{AndConditions: make([]types.TagCondition, 26)}}, code: fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			total := int64(-1)
			got := []string{}
			var token *string
			for page := 0; page == 0 || token != nil; page++ {
				out, err := s.Connect.SearchContactFlows(t.Context(), &connect.SearchContactFlowsInput{
					InstanceId: &instance, SearchCriteria: c.criteria, SearchFilter: c.filter, MaxResults: aws.Int32(2), NextToken: token,
				})
				fails(t, err, c.code)
				if err != nil {
					return
				}
				for _, f := range out.ContactFlows {
					got = append(got, (*f.Name)[len("Searched "):])
				}
				token, total = out.NextToken, *out.ApproximateTotalCount
			}
			same(t, "found", got, c.want)
			if total != int64(len(c.want)) {
				t.Errorf("the total is %d", total)
			}
		})
	}

	out, err := s.Connect.SearchContactFlows(t.Context(), &connect.SearchContactFlowsInput{InstanceId: &instance, SearchCriteria: &searched})
	ok(t, err)
	described, err := describeFlow(t, s, instance, one)
	ok(t, err)
	described.Content, described.FlowContentSha256 = nil, nil
	same(t, "a result", out.ContactFlows[0], described)
	if f := out.ContactFlows[1]; f.Status != types.ContactFlowStatusSaved || f.State != types.ContactFlowStateArchived {
		t.Errorf("the draft is shown as %s, %s", f.Status, f.State)
	}
}

func TestSearchContactFlowModules(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	one := newModule(t, s, instance, "one", moduleContent(""), func(in *connect.CreateContactFlowModuleInput) {
		in.Description, in.Tags, in.Settings = aws.String("of apples"), map[string]string{"Team": "a"}, aws.String("{}")
		in.ExternalInvocationConfiguration = &types.ExternalInvocationConfiguration{}
	})
	two := newModule(t, s, instance, "two", moduleContent(""))
	_, err := s.Connect.UpdateContactFlowModuleMetadata(t.Context(), &connect.UpdateContactFlowModuleMetadataInput{
		InstanceId: &instance, ContactFlowModuleId: &two, State: types.ContactFlowModuleStateArchived,
	})
	ok(t, err)
	type criteria = types.ContactFlowModuleSearchCriteria
	const contains, exact, starts = types.StringComparisonTypeContains, types.StringComparisonTypeExact, types.StringComparisonTypeStartsWith
	for name, c := range map[string]struct {
		criteria *criteria
		tag      *types.TagCondition
		want     []string
		code     fault.Code
	}{
		"everything":     {want: []string{"one", "two"}},
		"name":           {criteria: &criteria{StringCondition: condition("name", "ON", starts)}, want: []string{"one"}},
		"description":    {criteria: &criteria{StringCondition: condition("description", "apple", contains)}, want: []string{"one"}},
		"id":             {criteria: &criteria{StringCondition: condition("resourceID", two, exact)}, want: []string{"two"}},
		"state":          {criteria: &criteria{StateCondition: types.ContactFlowModuleStateArchived}, want: []string{"two"}},
		"status":         {criteria: &criteria{StatusCondition: types.ContactFlowModuleStatusPublished}, want: []string{"one", "two"}},
		"status, saved":  {criteria: &criteria{StatusCondition: types.ContactFlowModuleStatusSaved}, want: []string{}},
		"and":            {criteria: &criteria{AndConditions: []criteria{{StateCondition: types.ContactFlowModuleStateActive}, {StatusCondition: types.ContactFlowModuleStatusPublished}}}, want: []string{"one"}},
		"or":             {criteria: &criteria{OrConditions: []criteria{{StateCondition: types.ContactFlowModuleStateActive}, {StringCondition: condition("name", "two", exact)}}}, want: []string{"one", "two"}},
		"tag":            {tag: &types.TagCondition{TagKey: aws.String("Team"), TagValue: aws.String("a")}, want: []string{"one"}},
		"two of a level": {criteria: &criteria{StringCondition: condition("name", "one", exact), StateCondition: types.ContactFlowModuleStateActive}, code: fault.InvalidParameter},
		"unknown field":  {criteria: &criteria{StringCondition: condition("content", "x", exact)}, code: fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			in := &connect.SearchContactFlowModulesInput{InstanceId: &instance, SearchCriteria: c.criteria}
			if c.tag != nil {
				in.SearchFilter = &types.ContactFlowModuleSearchFilter{TagFilter: &types.ControlPlaneTagFilter{TagCondition: c.tag}}
			}
			out, err := s.Connect.SearchContactFlowModules(t.Context(), in)
			fails(t, err, c.code)
			if err != nil {
				return
			}
			got := []string{}
			for _, m := range out.ContactFlowModules {
				got = append(got, *m.Name)
			}
			same(t, "found", []any{got, out.ApproximateTotalCount}, []any{c.want, len(c.want)})
		})
	}
	out, err := s.Connect.SearchContactFlowModules(t.Context(), &connect.SearchContactFlowModulesInput{InstanceId: &instance})
	ok(t, err)
	described, err := describeModule(t, s, instance, one)
	ok(t, err)
	described.Content, described.FlowModuleContentSha256, described.Settings = nil, nil, nil
	same(t, "a result", out.ContactFlowModules[0], described)
}
