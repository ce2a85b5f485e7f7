package flows_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func TestContactFlowVersions(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	id := *newFlow(t, s, instance, "campaign", content("1"), campaign).ContactFlowId
	draft := *newFlow(t, s, instance, "draft", "x", campaign, savedOnly).ContactFlowId
	inbound := *newFlow(t, s, instance, "inbound", content("")).ContactFlowId
	arn := instanceARN(instance) + "/contact-flow/" + id
	create := func(in connect.CreateContactFlowVersionInput) (int64, error) {
		in.InstanceId = &instance
		if in.ContactFlowId == nil {
			in.ContactFlowId = &id
		}
		out, err := s.Connect.CreateContactFlowVersion(t.Context(), &in)
		if err != nil {
			return 0, err
		}
		same(t, "ARN", out.ContactFlowArn, arn)
		return *out.Version, nil
	}
	made := func(want int64, in connect.CreateContactFlowVersionInput) {
		t.Helper()
		got, err := create(in)
		ok(t, err)
		if got != want {
			t.Errorf("version %d was made, want %d", got, want)
		}
	}
	list := func(size int32) [][]types.ContactFlowVersionSummary {
		t.Helper()
		return servertest.Pages(t, func(token *string) ([]types.ContactFlowVersionSummary, *string, error) {
			out, err := s.Connect.ListContactFlowVersions(t.Context(), &connect.ListContactFlowVersionsInput{
				InstanceId: &instance, ContactFlowId: &id, MaxResults: &size, NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return out.ContactFlowVersionSummaryList, out.NextToken, nil
		})
	}
	same(t, "no versions", list(10), [][]types.ContactFlowVersionSummary{{}})

	made(1, connect.CreateContactFlowVersionInput{Description: aws.String("the first")})
	f, err := describeFlow(t, s, instance, id)
	ok(t, err)
	made(2, connect.CreateContactFlowVersionInput{
		ContactFlowVersion: aws.Int64(2), FlowContentSha256: aws.String(strings.ToUpper(sha256Of(content("1")))),
		LastModifiedRegion: aws.String(servertest.Region), LastModifiedTime: f.LastModifiedTime,
	})
	ok(t, writeFlow(t, s, instance, id, content("2")))
	f, err = describeFlow(t, s, instance, id)
	ok(t, err)
	made(3, connect.CreateContactFlowVersionInput{ContactFlowId: &arn, LastModifiedTime: aws.Time(f.LastModifiedTime.Truncate(time.Second))})

	for name, c := range map[string]struct {
		in    connect.CreateContactFlowVersionInput
		code  fault.Code
		words []string
	}{
		"other checksum":   {connect.CreateContactFlowVersionInput{FlowContentSha256: aws.String(sha256Of(content("1")))}, fault.InvalidRequest, []string{sha256Of(content("2"))}},
		"old number":       {connect.CreateContactFlowVersionInput{ContactFlowVersion: aws.Int64(3)}, fault.InvalidRequest, []string{"4"}},
		"number to come":   {connect.CreateContactFlowVersionInput{ContactFlowVersion: aws.Int64(5)}, fault.InvalidRequest, []string{"4"}},
		"other region":     {connect.CreateContactFlowVersionInput{LastModifiedRegion: aws.String("us-west-2")}, fault.InvalidRequest, []string{servertest.Region}},
		"other time":       {connect.CreateContactFlowVersionInput{LastModifiedTime: aws.Time(time.Date(2020, 1, 1, 0, 0, 0, 1e6, time.UTC))}, fault.InvalidRequest, []string{"modified"}},
		"no campaign":      {connect.CreateContactFlowVersionInput{ContactFlowId: &inbound}, fault.InvalidRequest, []string{"CAMPAIGN", "CONTACT_FLOW"}},
		"not published":    {connect.CreateContactFlowVersionInput{ContactFlowId: &draft}, fault.InvalidRequest, []string{"not published"}},
		"of a version":     {connect.CreateContactFlowVersionInput{ContactFlowId: aws.String(id + ":1")}, fault.InvalidParameter, []string{":1"}},
		"unknown flow":     {connect.CreateContactFlowVersionInput{ContactFlowId: aws.String(domain.NewID())}, fault.ResourceNotFound, nil},
		"long description": {connect.CreateContactFlowVersionInput{Description: aws.String(strings.Repeat("x", 501))}, fault.InvalidParameter, []string{"500"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := create(c.in)
			fails(t, err, c.code, c.words...)
		})
	}

	versions := []types.ContactFlowVersionSummary{
		{Arn: aws.String(arn + ":1"), Version: aws.Int64(1), VersionDescription: aws.String("the first")},
		{Arn: aws.String(arn + ":2"), Version: aws.Int64(2)},
		{Arn: aws.String(arn + ":3"), Version: aws.Int64(3)},
	}
	same(t, "versions", list(2), servertest.InPages(versions, 2))
	for qualifier, want := range map[string]string{":1": content("1"), ":2": content("1"), ":3": content("2"), "": content("2")} {
		f, err := describeFlow(t, s, instance, arn+qualifier)
		ok(t, err)
		same(t, qualifier, []any{f.Content, f.FlowContentSha256, f.Status, f.Arn}, []any{want, sha256Of(want), "PUBLISHED", arn})
		if (f.Version == nil) != (qualifier == "") || f.Version != nil && *f.Version != int64(qualifier[1]-'0') || (f.VersionDescription != nil) != (qualifier == ":1") {
			t.Errorf("%s is shown as version %v, %v", qualifier, f.Version, f.VersionDescription)
		}
	}

	remove := func(flow string, version int64) error {
		_, err := s.Connect.DeleteContactFlowVersion(t.Context(), &connect.DeleteContactFlowVersionInput{InstanceId: &instance, ContactFlowId: &flow, ContactFlowVersion: &version})
		return err
	}
	before := contentsOf(t, s, instance)
	ok(t, remove(id, 3)) // its content is the published one
	ok(t, remove(id, 1)) // its content is that of version 2
	if n := contentsOf(t, s, instance); n != before {
		t.Errorf("%d contents are kept, want %d", n, before)
	}
	ok(t, remove(arn, 2))
	if n := contentsOf(t, s, instance); n != before-1 {
		t.Errorf("%d contents are kept, want %d", n, before-1)
	}
	fails(t, remove(id, 2), fault.ResourceNotFound, "no version 2")
	fails(t, remove(domain.NewID(), 2), fault.ResourceNotFound)
	_, err = describeFlow(t, s, instance, id+":3")
	fails(t, err, fault.ResourceNotFound)
	made(4, connect.CreateContactFlowVersionInput{}) // numbers are not used again
	_, err = s.Connect.ListContactFlowVersions(t.Context(), &connect.ListContactFlowVersionsInput{InstanceId: &instance, ContactFlowId: aws.String(domain.NewID())})
	fails(t, err, fault.ResourceNotFound)
}
