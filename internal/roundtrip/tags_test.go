package roundtrip

import (
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/server/servertest"
)

// untagged are the kinds that have ARNs and no tags, with the reason.
var untagged = map[domain.Kind]string{
	domain.KindInstance:              "it is not in the instance; its own tests tag it",
	domain.KindHierarchyStructure:    "its ARNs name levels",
	domain.KindAuthenticationProfile: "DescribeAuthenticationProfile shows no tags",
}

// TestTagsOfEveryKind tags one resource of each kind by its ARN, and finds the
// tag again.
func TestTagsOfEveryKind(t *testing.T) {
	server := servertest.Boot(t)
	kinds := families()
	s := newSite(t, server, kinds)
	fillAll(t, s, kinds)
	ids := map[domain.Kind]string{}
	for _, r := range rowsOf(t, server.Data) {
		ids[r.kind] = r.id
	}
	for _, k := range slices.Sorted(maps.Keys(ids)) {
		if k.Segment() == "" {
			continue
		}
		t.Run(k.String(), func(t *testing.T) {
			arn := domain.ARN{Region: servertest.Region, Account: servertest.Account, Instance: domain.InstanceID(s.id), Kind: k, ID: ids[k]}
			if k.Outside() {
				arn.Instance = ""
			}
			name := arn.String()
			_, err := s.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: &name, Tags: map[string]string{"Found": k.String()}})
			if why, ok := untagged[k]; ok {
				if err == nil && k != domain.KindInstance {
					t.Errorf("it can be tagged: %s", why)
				}
				return
			}
			ok(t, err)
			listed, err := s.ListTagsForResource(t.Context(), &connect.ListTagsForResourceInput{ResourceArn: &name})
			ok(t, err)
			if listed.Tags["Found"] != k.String() {
				t.Errorf("its tags are %v", listed.Tags)
			}
			if !k.Outside() {
				kind := k.Segment()
				if k == domain.KindQueue {
					kind = "standard-queue"
				}
				found, err := s.SearchResourceTags(t.Context(), &connect.SearchResourceTagsInput{InstanceId: &s.id, ResourceTypes: []string{kind}})
				ok(t, err)
				if !slices.ContainsFunc(found.Tags, func(set types.TagSet) bool { return *set.Key == "Found" && *set.Value == k.String() }) {
					t.Errorf("SearchResourceTags does not show it")
				}
			}
			_, err = s.UntagResource(t.Context(), &connect.UntagResourceInput{ResourceArn: &name, TagKeys: []string{"Found"}})
			ok(t, err)
			listed, err = s.ListTagsForResource(t.Context(), &connect.ListTagsForResourceInput{ResourceArn: aws.String(name)})
			ok(t, err)
			if _, left := listed.Tags["Found"]; left {
				t.Error("the tag is still there")
			}
		})
	}
}
