package tagging_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var ok, fails, same, instanceARN = servertest.OK, servertest.Fails, servertest.Same, servertest.InstanceARN

// centre is an instance with one resource of each kind that can be tagged.
type centre struct {
	*connect.Client
	id   string
	arns map[string]string // by resource type, as SearchResourceTags names it
}

func newCentre(t *testing.T, s *servertest.Server) *centre {
	t.Helper()
	ctx := t.Context()
	c := &centre{Client: s.Connect, id: s.NewInstance(t), arns: map[string]string{}}
	c.arns["instance"] = instanceARN(c.id)
	statuses, err := c.ListAgentStatuses(ctx, &connect.ListAgentStatusesInput{InstanceId: &c.id})
	ok(t, err)
	c.arns["agent-state"] = *statuses.AgentStatusSummaryList[0].Arn
	queues, err := c.ListQueues(ctx, &connect.ListQueuesInput{InstanceId: &c.id, QueueTypes: []types.QueueType{types.QueueTypeStandard}})
	ok(t, err)
	c.arns["standard-queue"] = *queues.QueueSummaryList[0].Arn
	routing, err := c.ListRoutingProfiles(ctx, &connect.ListRoutingProfilesInput{InstanceId: &c.id})
	ok(t, err)
	c.arns["routing-profile"] = *routing.RoutingProfileSummaryList[0].Arn
	security, err := c.ListSecurityProfiles(ctx, &connect.ListSecurityProfilesInput{InstanceId: &c.id})
	ok(t, err)
	c.arns["security-profile"] = *security.SecurityProfileSummaryList[0].Arn
	hours, err := c.ListHoursOfOperations(ctx, &connect.ListHoursOfOperationsInput{InstanceId: &c.id})
	ok(t, err)
	c.arns["operating-hours"] = *hours.HoursOfOperationSummaryList[0].Arn
	prompts, err := c.ListPrompts(ctx, &connect.ListPromptsInput{InstanceId: &c.id})
	ok(t, err)
	c.arns["prompt"] = *prompts.PromptSummaryList[0].Arn
	flows, err := c.ListContactFlows(ctx, &connect.ListContactFlowsInput{InstanceId: &c.id})
	ok(t, err)
	c.arns["contact-flow"] = *flows.ContactFlowSummaryList[0].Arn
	quick, err := c.CreateQuickConnect(ctx, &connect.CreateQuickConnectInput{
		InstanceId: &c.id, Name: aws.String("Taxi"),
		QuickConnectConfig: &types.QuickConnectConfig{
			QuickConnectType: types.QuickConnectTypePhoneNumber, PhoneConfig: &types.PhoneNumberQuickConnectConfig{PhoneNumber: aws.String("+12025550100")},
		},
	})
	ok(t, err)
	c.arns["transfer-destination"] = *quick.QuickConnectARN
	user, err := c.CreateUser(ctx, &connect.CreateUserInput{
		InstanceId: &c.id, Username: aws.String("ann"),
		IdentityInfo:     &types.UserIdentityInfo{FirstName: aws.String("Ann"), LastName: aws.String("Other")},
		PhoneConfig:      &types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone},
		RoutingProfileId: routing.RoutingProfileSummaryList[0].Id, SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
	})
	ok(t, err)
	c.arns["agent"] = *user.UserArn
	return c
}

func (c *centre) tag(t *testing.T, arn string, tags map[string]string) {
	t.Helper()
	_, err := c.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: &arn, Tags: tags})
	ok(t, err)
}

func (c *centre) tags(t *testing.T, arn string) map[string]string {
	t.Helper()
	out, err := c.ListTagsForResource(t.Context(), &connect.ListTagsForResourceInput{ResourceArn: &arn})
	ok(t, err)
	return out.Tags
}

func TestTagsOfEachKind(t *testing.T) {
	c := newCentre(t, servertest.Boot(t))
	for kind, arn := range c.arns {
		t.Run(kind, func(t *testing.T) {
			if got := c.tags(t, arn); got == nil || len(got) != 0 {
				t.Errorf("at first the tags are %v, want an empty map", got)
			}
			c.tag(t, arn, map[string]string{"a": "1", "b": ""})
			c.tag(t, arn, map[string]string{"a": "2", "ä ö_.:/=+-@": "c"})
			same(t, "tags", c.tags(t, arn), map[string]string{"a": "2", "b": "", "ä ö_.:/=+-@": "c"})
			_, err := c.UntagResource(t.Context(), &connect.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"b", "none", "ä ö_.:/=+-@"}})
			ok(t, err)
			same(t, "tags", c.tags(t, arn), map[string]string{"a": "2"})
		})
	}
	t.Run("shown by Describe", func(t *testing.T) {
		out, err := c.DescribeInstance(t.Context(), &connect.DescribeInstanceInput{InstanceId: &c.id})
		ok(t, err)
		same(t, "tags", out.Instance.Tags, map[string]string{"a": "2"})
		flow, err := c.DescribeContactFlow(t.Context(), &connect.DescribeContactFlowInput{InstanceId: &c.id, ContactFlowId: aws.String(c.arns["contact-flow"])})
		ok(t, err)
		same(t, "tags", flow.ContactFlow.Tags, map[string]string{"a": "2"})
	})
}

func TestTagErrors(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	ctx := t.Context()
	prompts, err := s.Connect.ListPrompts(ctx, &connect.ListPromptsInput{InstanceId: &instance})
	ok(t, err)
	arn, id := *prompts.PromptSummaryList[0].Arn, *prompts.PromptSummaryList[0].Id
	far := s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey, func(o *connect.Options) { o.Region = "eu-west-2" })
	for name, c := range map[string]struct {
		client *connect.Client
		arn    string
		code   fault.Code
	}{
		"resource":                 {s.Connect, arn, ""},
		"bare id":                  {s.Connect, id, fault.InvalidParameter},
		"cut ARN":                  {s.Connect, "arn:aws:connect:us-east-1", fault.InvalidParameter},
		"ARN of another service":   {s.Connect, "arn:aws:lambda:us-east-1:123456789012:function:f", fault.InvalidParameter},
		"ARN without an id":        {s.Connect, instanceARN(instance) + "/prompt/", fault.InvalidParameter},
		"unknown resource":         {s.Connect, instanceARN(instance) + "/prompt/" + domain.NewID(), fault.ResourceNotFound},
		"another kind":             {s.Connect, instanceARN(instance) + "/contact-flow/" + id, fault.ResourceNotFound},
		"unknown instance":         {s.Connect, instanceARN(domain.NewID()) + "/prompt/" + id, fault.ResourceNotFound},
		"an instance that is none": {s.Connect, instanceARN(domain.NewID()), fault.ResourceNotFound},
		"older phone number ARN":   {s.Connect, instanceARN(instance) + "/phone-number/" + domain.NewID(), fault.ResourceNotFound},
		"queue of an agent":        {s.Connect, instanceARN(instance) + "/queue/agent/" + domain.NewID(), fault.ResourceNotFound},
		"another account":          {s.Connect, strings.Replace(arn, server.DefaultAccount, "999999999999", 1), fault.ResourceNotFound},
		"another region":           {s.Connect, strings.Replace(arn, servertest.Region, "eu-west-2", 1), fault.ResourceNotFound},
		"from another region":      {far, arn, fault.ResourceNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.client.TagResource(ctx, &connect.TagResourceInput{ResourceArn: &c.arn, Tags: map[string]string{"a": "1"}})
			fails(t, err, c.code)
			_, err = c.client.ListTagsForResource(ctx, &connect.ListTagsForResourceInput{ResourceArn: &c.arn})
			fails(t, err, c.code)
			_, err = c.client.UntagResource(ctx, &connect.UntagResourceInput{ResourceArn: &c.arn, TagKeys: []string{"a"}})
			fails(t, err, c.code)
		})
	}
	many := func(n int) map[string]string {
		tags := map[string]string{}
		for i := range n {
			tags[fmt.Sprint(i)] = ""
		}
		return tags
	}
	for _, c := range []struct {
		why  string
		tags map[string]string
		code fault.Code
	}{
		{"none", map[string]string{}, fault.InvalidParameter},
		{"51 at once", many(51), fault.InvalidParameter},
		{"key of AWS", map[string]string{"aws:a": "1"}, fault.InvalidParameter},
		{"key with a forbidden character", map[string]string{"a*": "1"}, fault.InvalidParameter},
		{"long key", map[string]string{strings.Repeat("k", 129): "1"}, fault.InvalidParameter},
		{"long value", map[string]string{"k": strings.Repeat("v", 257)}, fault.InvalidParameter},
		{"as long as may be", map[string]string{strings.Repeat("k", 128): strings.Repeat("v", 256)}, ""},
		{"51 in all", many(50), fault.InvalidParameter},
		{"50 in all", many(49), ""},
	} {
		_, err := s.Connect.TagResource(ctx, &connect.TagResourceInput{ResourceArn: &arn, Tags: c.tags})
		if fails(t, err, c.code); t.Failed() {
			t.Fatal(c.why)
		}
	}
}

func TestSearchResourceTags(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s)
	for kind, arn := range c.arns {
		c.tag(t, arn, map[string]string{"kind": kind, "common": "yes"})
	}
	c.tag(t, c.arns["prompt"], map[string]string{"Common": "no", "cost": "Yes"})
	other := s.NewInstance(t)
	type sets = []types.TagSet
	set := func(pairs ...string) sets {
		out := sets{}
		for pair := range slices.Chunk(pairs, 2) {
			out = append(out, types.TagSet{Key: &pair[0], Value: &pair[1]})
		}
		return out
	}
	search := func(condition types.TagSearchCondition, kinds ...string) connect.SearchResourceTagsInput {
		return connect.SearchResourceTagsInput{
			InstanceId: &c.id, ResourceTypes: kinds, SearchCriteria: &types.ResourceTagsSearchCriteria{TagSearchCondition: &condition},
		}
	}
	const exact, prefix, contains = types.StringComparisonTypeExact, types.StringComparisonTypeStartsWith, types.StringComparisonTypeContains
	key := func(how types.StringComparisonType, k string) types.TagSearchCondition {
		return types.TagSearchCondition{TagKey: &k, TagKeyComparisonType: how}
	}
	value := func(how types.StringComparisonType, v string) types.TagSearchCondition {
		return types.TagSearchCondition{TagValue: &v, TagValueComparisonType: how}
	}
	both := key(exact, "kind")
	both.TagValue, both.TagValueComparisonType = aws.String("a"), prefix
	everything := set("Common", "no", "common", "yes", "cost", "Yes",
		"kind", "agent", "kind", "agent-state", "kind", "contact-flow", "kind", "operating-hours", "kind", "prompt",
		"kind", "routing-profile", "kind", "security-profile", "kind", "standard-queue", "kind", "transfer-destination")
	paged := connect.SearchResourceTagsInput{InstanceId: &c.id, MaxResults: aws.Int32(5)}
	for name, q := range map[string]struct {
		in   connect.SearchResourceTagsInput
		want sets
		code fault.Code
	}{
		"everything":          {connect.SearchResourceTagsInput{InstanceId: &c.id}, everything, ""},
		"by five":             {paged, everything, ""},
		"instance by ARN":     {connect.SearchResourceTagsInput{InstanceId: aws.String(instanceARN(c.id))}, everything, ""},
		"empty criteria":      {connect.SearchResourceTagsInput{InstanceId: &c.id, SearchCriteria: &types.ResourceTagsSearchCriteria{}}, everything, ""},
		"empty condition":     {search(types.TagSearchCondition{}), everything, ""},
		"another instance":    {connect.SearchResourceTagsInput{InstanceId: &other}, set(), ""},
		"two types":           {search(types.TagSearchCondition{}, "agent", "standard-queue"), set("common", "yes", "kind", "agent", "kind", "standard-queue"), ""},
		"a type twice":        {search(types.TagSearchCondition{}, "agent", "agent"), set("common", "yes", "kind", "agent"), ""},
		"a type without any":  {search(types.TagSearchCondition{}, "flow-module"), set(), ""},
		"key":                 {search(key(exact, "common")), set("common", "yes"), ""},
		"key, no comparison":  {search(key("", "common")), set("common", "yes"), ""},
		"start of a key":      {search(key(prefix, "co")), set("common", "yes", "cost", "Yes"), ""},
		"part of a key":       {search(key(contains, "ommo")), set("Common", "no", "common", "yes"), ""},
		"value":               {search(value(exact, "yes")), set("common", "yes"), ""},
		"start of a value":    {search(value(prefix, "Y")), set("cost", "Yes"), ""},
		"part of a value":     {search(value(contains, "profile")), set("kind", "routing-profile", "kind", "security-profile"), ""},
		"key and value":       {search(both), set("kind", "agent", "kind", "agent-state"), ""},
		"type, key and value": {search(both, "agent-state"), set("kind", "agent-state"), ""},
		"type in capitals":    {search(types.TagSearchCondition{}, "AGENT"), nil, fault.InvalidParameter},
		"type of none":        {search(types.TagSearchCondition{}, "agent", "instance"), nil, fault.InvalidParameter},
		"unknown comparison":  {search(key("LIKE", "a")), nil, fault.InvalidParameter},
		"long key":            {search(key(exact, strings.Repeat("k", 129))), nil, fault.InvalidParameter},
		"no instance":         {connect.SearchResourceTagsInput{InstanceId: aws.String(domain.NewID())}, nil, fault.ResourceNotFound},
		"no id":               {connect.SearchResourceTagsInput{InstanceId: aws.String("x")}, nil, fault.InvalidParameter},
		"page too large":      {connect.SearchResourceTagsInput{InstanceId: &c.id, MaxResults: aws.Int32(101)}, nil, fault.InvalidParameter},
		"no token":            {connect.SearchResourceTagsInput{InstanceId: &c.id, NextToken: aws.String("x")}, nil, fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			got := sets{}
			for p := connect.NewSearchResourceTagsPaginator(c.Client, &q.in); p.HasMorePages(); {
				out, err := p.NextPage(t.Context())
				fails(t, err, q.code)
				if err != nil {
					return
				}
				if q.in.MaxResults != nil && len(out.Tags) > int(*q.in.MaxResults) {
					t.Errorf("a page has %d tags", len(out.Tags))
				}
				got = append(got, out.Tags...)
			}
			if q.code == "" {
				same(t, "result", got, q.want)
			}
		})
	}
	t.Run("page of none", func(t *testing.T) { // which the paginator would not ask for
		_, err := c.SearchResourceTags(t.Context(), &connect.SearchResourceTagsInput{InstanceId: &c.id, MaxResults: aws.Int32(0)})
		fails(t, err, fault.InvalidParameter)
	})
	t.Run("token of another instance", func(t *testing.T) {
		out, err := c.SearchResourceTags(t.Context(), &paged)
		ok(t, err)
		_, err = c.SearchResourceTags(t.Context(), &connect.SearchResourceTagsInput{InstanceId: &other, NextToken: out.NextToken})
		fails(t, err, fault.InvalidParameter)
	})
	t.Run("from another region", func(t *testing.T) {
		far := s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey, func(o *connect.Options) { o.Region = "eu-west-2" })
		_, err := far.SearchResourceTags(t.Context(), &connect.SearchResourceTagsInput{InstanceId: &c.id})
		fails(t, err, fault.ResourceNotFound)
	})
	t.Run("gone with the last that had it", func(t *testing.T) {
		_, err := c.UntagResource(t.Context(), &connect.UntagResourceInput{ResourceArn: aws.String(c.arns["prompt"]), TagKeys: []string{"cost", "common"}})
		ok(t, err)
		in := search(key(prefix, "co"))
		out, err := c.SearchResourceTags(t.Context(), &in)
		ok(t, err)
		same(t, "result", out.Tags, set("common", "yes"))
	})
}

func TestSearchResourceTagsMaximum(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	flows, err := s.Connect.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &instance})
	ok(t, err)
	prompts, err := s.Connect.ListPrompts(t.Context(), &connect.ListPromptsInput{InstanceId: &instance})
	ok(t, err)
	var arns []string
	for _, f := range flows.ContactFlowSummaryList {
		arns = append(arns, *f.Arn)
	}
	for _, p := range prompts.PromptSummaryList {
		arns = append(arns, *p.Arn)
	}
	for i, arn := range arns[:20] { // 1000 distinct tags
		tags := map[string]string{}
		for n := range 50 {
			tags[fmt.Sprintf("%02d", n)] = fmt.Sprint(i)
		}
		_, err := s.Connect.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: &arn, Tags: tags})
		ok(t, err)
	}
	n := 0
	for p := connect.NewSearchResourceTagsPaginator(s.Connect, &connect.SearchResourceTagsInput{InstanceId: &instance}); p.HasMorePages(); {
		out, err := p.NextPage(t.Context())
		ok(t, err)
		n += len(out.Tags)
	}
	if n != 1000 {
		t.Errorf("found %d tags, want 1000", n)
	}
	_, err = s.Connect.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: &arns[20], Tags: map[string]string{"one": "more"}})
	ok(t, err)
	_, err = s.Connect.SearchResourceTags(t.Context(), &connect.SearchResourceTagsInput{InstanceId: &instance})
	fails(t, err, fault.MaximumResultReturned)
	out, err := s.Connect.SearchResourceTags(t.Context(), &connect.SearchResourceTagsInput{InstanceId: &instance, SearchCriteria: &types.ResourceTagsSearchCriteria{
		TagSearchCondition: &types.TagSearchCondition{TagKey: aws.String("one")},
	}})
	ok(t, err)
	if len(out.Tags) != 1 {
		t.Errorf("the narrowed search finds %d tags", len(out.Tags))
	}
}
