package prompts_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
	"ringdown/internal/starter"
)

var ok, fails, same, instanceARN = servertest.OK, servertest.Fails, servertest.Same, servertest.InstanceARN

func prompts(t testing.TB, c *connect.Client, instance string) []types.PromptSummary {
	t.Helper()
	out, err := c.ListPrompts(t.Context(), &connect.ListPromptsInput{InstanceId: &instance, MaxResults: aws.Int32(1000)})
	ok(t, err)
	return out.PromptSummaryList
}

func TestFirstPrompts(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	listed := prompts(t, s.Connect, instance)
	if len(listed) != len(starter.Prompts()) {
		t.Fatalf("a new instance has %d prompts, want %d", len(listed), len(starter.Prompts()))
	}
	for i, p := range starter.Prompts() {
		t.Run(p.Name, func(t *testing.T) {
			id := *listed[i].Id
			arn := instanceARN(instance) + "/prompt/" + id
			modified := listed[i].LastModifiedTime
			if modified == nil {
				t.Fatal("LastModifiedTime is absent")
			}
			same(t, "summary", listed[i], types.PromptSummary{
				Arn: &arn, Id: &id, Name: &p.Name, LastModifiedRegion: aws.String(servertest.Region), LastModifiedTime: modified,
			})
			out, err := s.Connect.DescribePrompt(t.Context(), &connect.DescribePromptInput{InstanceId: &instance, PromptId: &id})
			ok(t, err)
			same(t, "prompt", out.Prompt, types.Prompt{
				PromptARN: &arn, PromptId: &id, Name: &p.Name, Description: &p.Description,
				LastModifiedRegion: aws.String(servertest.Region), LastModifiedTime: modified, Tags: map[string]string{},
			})
		})
	}
}

func promptNames() []string {
	var names []string
	for _, p := range starter.Prompts() {
		names = append(names, p.Name)
	}
	return names
}

func TestListPrompts(t *testing.T) {
	s := servertest.Boot(t)
	instance, other := s.NewInstance(t), s.NewInstance(t)
	for _, size := range []int{1, 3, 7, 1000} {
		got := servertest.Pages(t, func(token *string) ([]string, *string, error) {
			out, err := s.Connect.ListPrompts(t.Context(), &connect.ListPromptsInput{
				InstanceId: &instance, MaxResults: aws.Int32(int32(size)), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			var names []string
			for _, p := range out.PromptSummaryList {
				names = append(names, *p.Name)
			}
			return names, out.NextToken, nil
		})
		same(t, "list", got, servertest.InPages(promptNames(), size))
	}
	first, err := s.Connect.ListPrompts(t.Context(), &connect.ListPromptsInput{InstanceId: &instance, MaxResults: aws.Int32(1)})
	ok(t, err)
	_, err = s.Connect.ListPrompts(t.Context(), &connect.ListPromptsInput{InstanceId: &other, NextToken: first.NextToken})
	fails(t, err, fault.InvalidParameter)
	_, err = s.Connect.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &instance, NextToken: first.NextToken})
	fails(t, err, fault.InvalidParameter)
}

func TestSearchPrompts(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	listed := prompts(t, s.Connect, instance)
	for i, tags := range []map[string]string{{"use": "beep"}, {"use": "hold", "team": "a"}, {"use": "queue", "team": "a"}} {
		_, err := s.Connect.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: listed[i].Arn, Tags: tags})
		ok(t, err)
	}
	all := promptNames()
	str := func(field string, how types.StringComparisonType, value string) *types.PromptSearchCriteria {
		return &types.PromptSearchCriteria{StringCondition: &types.StringCondition{FieldName: &field, ComparisonType: how, Value: &value}}
	}
	tag := func(key, value string) types.TagCondition { return types.TagCondition{TagKey: &key, TagValue: &value} }
	filter := func(f types.ControlPlaneTagFilter) *types.PromptSearchFilter {
		return &types.PromptSearchFilter{TagFilter: &f}
	}
	const exact, prefix, contains = types.StringComparisonTypeExact, types.StringComparisonTypeStartsWith, types.StringComparisonTypeContains
	type criteria = []types.PromptSearchCriteria
	pop, inst, beep := *str("name", prefix, "music_pop"), *str("name", contains, "front"), *str("name", exact, "beep.WAV")
	for name, c := range map[string]struct {
		criteria *types.PromptSearchCriteria
		filter   *types.PromptSearchFilter
		want     []string
		code     fault.Code
	}{
		"everything":         {nil, nil, all, ""},
		"empty":              {&types.PromptSearchCriteria{}, &types.PromptSearchFilter{}, all, ""},
		"name":               {&beep, nil, all[:1], ""},
		"start of the name":  {&pop, nil, all[4:6], ""},
		"part of the name":   {&inst, nil, all[5:6], ""},
		"description":        {str("description", contains, "jazz"), nil, all[3:4], ""},
		"id":                 {str("resourceID", exact, *listed[2].Id), nil, all[2:3], ""},
		"ARN":                {str("resourceId", exact, *listed[2].Arn), nil, all[2:3], ""},
		"and":                {&types.PromptSearchCriteria{AndConditions: criteria{pop, inst}}, nil, all[5:6], ""},
		"or":                 {&types.PromptSearchCriteria{OrConditions: criteria{pop, beep}}, nil, []string{all[0], all[4], all[5]}, ""},
		"or of and":          {&types.PromptSearchCriteria{OrConditions: criteria{beep, {AndConditions: criteria{pop, inst}}}}, nil, []string{all[0], all[5]}, ""},
		"tag":                {nil, filter(types.ControlPlaneTagFilter{TagCondition: &types.TagCondition{TagKey: aws.String("team")}}), all[1:3], ""},
		"tags":               {nil, filter(types.ControlPlaneTagFilter{AndConditions: []types.TagCondition{tag("team", "a"), tag("use", "hold")}}), all[1:2], ""},
		"tags or tags":       {nil, filter(types.ControlPlaneTagFilter{OrConditions: [][]types.TagCondition{{tag("use", "beep")}, {tag("use", "queue")}}}), []string{all[0], all[2]}, ""},
		"criteria and tags":  {str("name", prefix, "customer"), filter(types.ControlPlaneTagFilter{TagCondition: ptr(tag("use", "queue"))}), all[2:3], ""},
		"unknown field":      {str("size", exact, "1"), nil, nil, fault.InvalidParameter},
		"id by its start":    {str("resourceID", prefix, "0"), nil, nil, fault.InvalidParameter},
		"contains of one":    {str("name", contains, "b"), nil, nil, fault.InvalidParameter},
		"two members":        {&types.PromptSearchCriteria{OrConditions: criteria{pop}, AndConditions: criteria{pop}}, nil, nil, fault.InvalidParameter},
		"two filter members": {nil, filter(types.ControlPlaneTagFilter{TagCondition: ptr(tag("a", "")), AndConditions: []types.TagCondition{tag("a", "")}}), nil, fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := s.Connect.SearchPrompts(t.Context(), &connect.SearchPromptsInput{
				InstanceId: &instance, SearchCriteria: c.criteria, SearchFilter: c.filter,
			})
			fails(t, err, c.code)
			if err != nil {
				return
			}
			same(t, "result", searched(out), c.want)
			if *out.ApproximateTotalCount != int64(len(c.want)) || out.NextToken != nil {
				t.Errorf("total is %d, token %v", *out.ApproximateTotalCount, out.NextToken)
			}
		})
	}
	t.Run("pages", func(t *testing.T) {
		got := servertest.Pages(t, func(token *string) ([]string, *string, error) {
			out, err := s.Connect.SearchPrompts(t.Context(), &connect.SearchPromptsInput{InstanceId: &instance, MaxResults: aws.Int32(3), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			if *out.ApproximateTotalCount != 7 {
				t.Errorf("total of a page is %d, want 7", *out.ApproximateTotalCount)
			}
			return searched(out), out.NextToken, nil
		})
		same(t, "result", got, servertest.InPages(all, 3))
	})
	t.Run("shows what Describe shows", func(t *testing.T) {
		out, err := s.Connect.SearchPrompts(t.Context(), &connect.SearchPromptsInput{InstanceId: &instance})
		ok(t, err)
		i := slices.IndexFunc(out.Prompts, func(p types.Prompt) bool { return *p.Name == all[1] })
		described, err := s.Connect.DescribePrompt(t.Context(), &connect.DescribePromptInput{InstanceId: &instance, PromptId: listed[1].Id})
		ok(t, err)
		same(t, "prompt", out.Prompts[i], described.Prompt)
		same(t, "tags", out.Prompts[i].Tags, map[string]string{"use": "hold", "team": "a"})
	})
	_, err := s.Connect.SearchPrompts(t.Context(), &connect.SearchPromptsInput{InstanceId: &instance, MaxResults: aws.Int32(101)})
	fails(t, err, fault.InvalidParameter)
}

func searched(out *connect.SearchPromptsOutput) []string {
	var names []string
	for _, p := range out.Prompts {
		names = append(names, *p.Name)
	}
	return names
}

func ptr[T any](v T) *T { return &v }
