package flows_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
	"ringdown/internal/starter"
)

// names of the flows of a new instance that are of one of the types.
func starterFlows(kinds ...types.ContactFlowType) []string {
	var names []string
	for _, f := range starter.Flows() {
		if len(kinds) == 0 || slices.Contains(kinds, types.ContactFlowType(f.Type)) {
			names = append(names, f.Name)
		}
	}
	return names
}

func TestFirstContactFlows(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	arns := regexp.MustCompile(`arn:aws:connect:[^"\\]+`)
	listed := contactFlows(t, s.Connect, instance)
	if len(listed) != len(starter.Flows()) {
		t.Fatalf("a new instance has %d flows, want %d", len(listed), len(starter.Flows()))
	}
	named := map[string]int{} // how often a kind is named in the contents
	for i, f := range starter.Flows() {
		t.Run(f.Name, func(t *testing.T) {
			id := *listed[i].Id
			arn := instanceARN(instance) + "/contact-flow/" + id
			same(t, "summary", listed[i], types.ContactFlowSummary{
				Arn: &arn, Id: &id, Name: &f.Name, ContactFlowType: types.ContactFlowType(f.Type),
				ContactFlowState: types.ContactFlowStateActive, ContactFlowStatus: types.ContactFlowStatusPublished,
			})
			out, err := s.Connect.DescribeContactFlow(t.Context(), &connect.DescribeContactFlowInput{InstanceId: &instance, ContactFlowId: &id})
			ok(t, err)
			got := *out.ContactFlow
			content := aws.ToString(got.Content)
			if got.LastModifiedTime == nil || got.LastModifiedTime.IsZero() {
				t.Error("LastModifiedTime is absent")
			}
			if got.Tags == nil {
				t.Error("Tags is absent, not empty")
			}
			got.Content, got.LastModifiedTime = nil, nil
			want := types.ContactFlow{
				Arn: &arn, Id: &id, Name: &f.Name, Type: types.ContactFlowType(f.Type),
				State: types.ContactFlowStateActive, Status: types.ContactFlowStatusPublished,
				FlowContentSha256:  aws.String((&domain.FlowContent{Content: content}).SHA256()),
				LastModifiedRegion: aws.String(servertest.Region), Tags: map[string]string{},
			}
			if f.Description != "" {
				want.Description = &f.Description
			}
			same(t, "flow", got, want)

			var document struct{ Version string }
			if err := json.Unmarshal([]byte(content), &document); err != nil || document.Version != "2019-10-30" {
				t.Errorf("content has version %q, %v", document.Version, err)
			}
			if strings.Contains(content, "{{") {
				t.Error("content has a placeholder left")
			}
			for _, arn := range arns.FindAllString(content, -1) {
				a, err := domain.ParseARN(arn)
				ok(t, err)
				named[a.Kind.String()]++
				// Whatever has tags is there.
				_, err = s.Connect.ListTagsForResource(t.Context(), &connect.ListTagsForResourceInput{ResourceArn: &arn})
				ok(t, err)
			}
		})
	}
	for _, kind := range []domain.Kind{domain.KindPrompt, domain.KindQueue, domain.KindContactFlow} {
		if named[kind.String()] == 0 {
			t.Errorf("no content names a %s", kind)
		}
	}
}

func TestListContactFlows(t *testing.T) {
	s := servertest.Boot(t)
	instance, other := s.NewInstance(t), s.NewInstance(t)
	for name, c := range map[string]struct {
		kinds []types.ContactFlowType
		size  int
	}{
		"all":               {nil, 1000},
		"all, by three":     {nil, 3},
		"one type":          {[]types.ContactFlowType{types.ContactFlowTypeAgentHold}, 10},
		"a type, by four":   {[]types.ContactFlowType{types.ContactFlowTypeContactFlow}, 4},
		"two types, by one": {[]types.ContactFlowType{types.ContactFlowTypeQueueTransfer, types.ContactFlowTypeCustomerQueue}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got := servertest.Pages(t, func(token *string) ([]string, *string, error) {
				out, err := s.Connect.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{
					InstanceId: &instance, ContactFlowTypes: c.kinds, MaxResults: aws.Int32(int32(c.size)), NextToken: token,
				})
				if err != nil {
					return nil, nil, err
				}
				var names []string
				for _, f := range out.ContactFlowSummaryList {
					names = append(names, *f.Name)
				}
				return names, out.NextToken, nil
			})
			same(t, "list", got, servertest.InPages(starterFlows(c.kinds...), c.size))
		})
	}
	if got := contactFlows(t, s.Connect, instance, types.ContactFlowTypeCampaign); got == nil || len(got) != 0 {
		t.Errorf("campaign flows are %v, want an empty list", got)
	}

	first, err := s.Connect.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &instance, MaxResults: aws.Int32(1)})
	ok(t, err)
	for name, in := range map[string]*connect.ListContactFlowsInput{
		"token of another instance": {InstanceId: &other, NextToken: first.NextToken},
		"no token":                  {InstanceId: &instance, NextToken: aws.String("x")},
		"no type":                   {InstanceId: &instance, ContactFlowTypes: []types.ContactFlowType{"IVR"}},
		"page of none":              {InstanceId: &instance, MaxResults: aws.Int32(0)},
		"page too large":            {InstanceId: &instance, MaxResults: aws.Int32(1001)},
		"too many types":            {InstanceId: &instance, ContactFlowTypes: slices.Repeat([]types.ContactFlowType{types.ContactFlowTypeAgentHold}, 11)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Connect.ListContactFlows(t.Context(), in)
			fails(t, err, fault.InvalidParameter)
		})
	}
}

func TestDescribeContactFlow(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	ids := map[string]string{
		"published": *newFlow(t, s, instance, "published", content("P1"), func(in *connect.CreateContactFlowInput) {
			in.Description, in.Tags = aws.String("about it"), map[string]string{"Team": "a"}
		}).ContactFlowId,
		"edited": *newFlow(t, s, instance, "edited", content("P0")).ContactFlowId,
		"draft":  *newFlow(t, s, instance, "draft", "S0", savedOnly).ContactFlowId,
		"done":   *newFlow(t, s, instance, "done", "S0", savedOnly).ContactFlowId,
	}
	ok(t, writeFlow(t, s, instance, ids["edited"], content("P2")))
	ok(t, writeFlow(t, s, instance, ids["edited"]+":$SAVED", "S1"))
	ok(t, writeFlow(t, s, instance, ids["edited"]+":$SAVED", "S2")) // no valid content, but saved only
	ok(t, writeFlow(t, s, instance, instanceARN(instance)+"/contact-flow/"+ids["draft"]+":$SAVED", "S3"))
	ok(t, writeFlow(t, s, instance, ids["done"], content("P4")))

	const published, saved = types.ContactFlowStatusPublished, types.ContactFlowStatusSaved
	for _, f := range contactFlows(t, s.Connect, instance) {
		want := published
		if *f.Name == "draft" {
			want = saved
		}
		if f.ContactFlowStatus != want {
			t.Errorf("%s is listed as %s", *f.Name, f.ContactFlowStatus)
		}
	}
	for _, c := range []struct {
		flow, qualifier string
		content         string
		status          types.ContactFlowStatus
		code            fault.Code
	}{
		{flow: "published", content: content("P1"), status: published},
		{flow: "published", qualifier: ":$SAVED", content: content("P1"), status: published},
		{flow: "published", qualifier: ":$LATEST", content: content("P1"), status: published},
		{flow: "published", qualifier: ":1", code: fault.ResourceNotFound},
		{flow: "published", qualifier: ":$saved", code: fault.ResourceNotFound},
		{flow: "edited", content: content("P2"), status: published},
		{flow: "edited", qualifier: ":$LATEST", content: content("P2"), status: published},
		{flow: "edited", qualifier: ":$SAVED", content: "S2", status: saved},
		{flow: "draft", code: fault.ContactFlowNotPublished},
		{flow: "draft", qualifier: ":$LATEST", code: fault.ContactFlowNotPublished},
		{flow: "draft", qualifier: ":$SAVED", content: "S3", status: saved},
		{flow: "draft", qualifier: ":2", code: fault.ResourceNotFound},
		{flow: "done", content: content("P4"), status: published},
		{flow: "done", qualifier: ":$SAVED", content: content("P4"), status: published},
	} {
		for _, prefix := range []string{"", instanceARN(instance) + "/contact-flow/"} {
			t.Run(c.flow+c.qualifier+" "+prefix, func(t *testing.T) {
				f, err := describeFlow(t, s, instance, prefix+ids[c.flow]+c.qualifier)
				fails(t, err, c.code)
				if err != nil {
					return
				}
				if *f.Content != c.content || f.Status != c.status || *f.FlowContentSha256 != sha256Of(c.content) {
					t.Errorf("got %s with status %s and checksum %s", *f.Content, f.Status, *f.FlowContentSha256)
				}
				if *f.Id != ids[c.flow] || *f.Arn != instanceARN(instance)+"/contact-flow/"+ids[c.flow] || f.Version != nil || f.VersionDescription != nil {
					t.Errorf("got %+v", f)
				}
				if c.flow == "published" {
					same(t, "description and tags", []any{f.Description, f.Tags}, []any{"about it", map[string]string{"Team": "a"}})
				} else if f.Description != nil {
					t.Errorf("Description is %q, not absent", *f.Description)
				}
			})
		}
	}
}

// The contents go with the instance although its flows refer to them.
func TestDeleteInstanceWithFlows(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	id := contactFlows(t, s.Connect, instance)[0].Id
	_, err := s.Connect.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &instance})
	ok(t, err)
	_, err = s.Connect.DescribeContactFlow(t.Context(), &connect.DescribeContactFlowInput{InstanceId: &instance, ContactFlowId: id})
	fails(t, err, fault.ResourceNotFound)
}

// BenchmarkListContactFlows lists the flows of an instance that has as many
// and as large ones as AWS allows.
func BenchmarkListContactFlows(b *testing.B) {
	s := servertest.Boot(b)
	instance := s.NewInstance(b)
	long := strings.Repeat("x", 256_000)
	for i := len(starter.Flows()); i < 100; i++ {
		newFlow(b, s, instance, fmt.Sprint(i), long, savedOnly)
	}
	for b.Loop() {
		if n := len(contactFlows(b, s.Connect, instance)); n != 100 {
			b.Fatalf("%d flows", n)
		}
	}
}
