package directory_test

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
	"ringdown/internal/server/servertest"
)

func profileItems(ids ...string) []types.SecurityProfileItem {
	list := make([]types.SecurityProfileItem, len(ids))
	for i, id := range ids {
		list[i].Id = aws.String(id)
	}
	return list
}

func TestEntitySecurityProfiles(t *testing.T) {
	c := newCentre(t, servertest.Boot(t), types.DirectoryTypeSaml)
	var profiles []string
	for n := range 11 {
		out, err := c.CreateSecurityProfile(t.Context(), &connect.CreateSecurityProfileInput{InstanceId: &c.id, SecurityProfileName: aws.String(fmt.Sprintf("Profile %d", n))})
		ok(t, err)
		profiles = append(profiles, *out.SecurityProfileId)
	}
	mary := c.user(t, "mary")
	first := c.describedUser(t, mary).SecurityProfileIds[0]
	maryARN := c.arn + "/agent/" + mary
	const bot = "arn:aws:wisdom:us-east-1:123456789012:ai-agent/11111111-1111-4111-8111-111111111111/22222222-2222-4222-8222-222222222222:1"

	list := func(entity types.EntityType, arn string, size int32) []string {
		t.Helper()
		return slices.Concat(servertest.Pages(t, func(token *string) ([]string, *string, error) {
			out, err := c.ListEntitySecurityProfiles(t.Context(), &connect.ListEntitySecurityProfilesInput{
				InstanceId: &c.id, EntityType: entity, EntityArn: &arn, MaxResults: &size, NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			if out.SecurityProfiles == nil {
				t.Error("the list is absent")
			}
			var ids []string
			for _, p := range out.SecurityProfiles {
				ids = append(ids, *p.Id)
			}
			return ids, out.NextToken, nil
		})...)
	}
	associate := func(entity types.EntityType, arn string, items []types.SecurityProfileItem) error {
		_, err := c.AssociateSecurityProfiles(t.Context(), &connect.AssociateSecurityProfilesInput{InstanceId: &c.id, EntityType: entity, EntityArn: &arn, SecurityProfiles: items})
		return err
	}
	disassociate := func(entity types.EntityType, arn string, items []types.SecurityProfileItem) error {
		_, err := c.DisassociateSecurityProfiles(t.Context(), &connect.DisassociateSecurityProfilesInput{InstanceId: &c.id, EntityType: entity, EntityArn: &arn, SecurityProfiles: items})
		return err
	}
	deleteProfile := func(id string) error {
		_, err := c.DeleteSecurityProfile(t.Context(), &connect.DeleteSecurityProfileInput{InstanceId: &c.id, SecurityProfileId: &id})
		return err
	}

	for _, e := range []struct {
		kind  types.EntityType
		arn   string
		start []string
	}{
		{types.EntityTypeUser, maryARN, []string{first}},
		{types.EntityTypeAiAgent, bot, nil},
	} {
		t.Run(string(e.kind), func(t *testing.T) {
			same(t, "the list at first", list(e.kind, e.arn, 100), e.start)
			ok(t, associate(e.kind, e.arn, profileItems(profiles[0], c.arn+"/security-profile/"+profiles[1], profiles[0])))
			has := slices.Concat(e.start, profiles[:2])
			same(t, "the list, page by page", list(e.kind, e.arn, 1), has)
			ok(t, associate(e.kind, e.arn, profileItems(profiles[2])))
			has = slices.Concat(has, profiles[2:3])

			fails(t, associate(e.kind, e.arn, profileItems(profiles[3], profiles[0])), fault.ResourceConflict, profiles[0])
			fails(t, associate(e.kind, e.arn, profileItems(profiles[3], domain.NewID())), fault.ResourceNotFound)
			fails(t, associate(e.kind, e.arn, profileItems(profiles[3], "")), fault.InvalidParameter, "SecurityProfiles[1].Id")
			fails(t, associate(e.kind, e.arn, []types.SecurityProfileItem{{}}), fault.InvalidParameter, "SecurityProfiles[0].Id")
			fails(t, associate(e.kind, e.arn, profileItems(profiles[3:11]...)), fault.InvalidRequest, "10")
			fails(t, disassociate(e.kind, e.arn, profileItems(profiles[0], profiles[3])), fault.ResourceNotFound, profiles[3])
			fails(t, deleteProfile(profiles[0]), fault.ResourceInUse)
			same(t, "the list that nothing has changed", list(e.kind, e.arn, 100), has)

			ok(t, disassociate(e.kind, e.arn, profileItems(profiles[1], profiles[2])))
			same(t, "the shorter list", list(e.kind, e.arn, 100), slices.Concat(e.start, profiles[:1]))
		})
	}
	same(t, "the user's profiles", c.describedUser(t, mary).SecurityProfileIds, []string{first, profiles[0]})
	fails(t, disassociate(types.EntityTypeUser, maryARN, profileItems(first, profiles[0])), fault.InvalidRequest, "at least one")
	ok(t, disassociate(types.EntityTypeUser, maryARN, profileItems(profiles[0])))
	ok(t, disassociate(types.EntityTypeAiAgent, bot, profileItems(profiles[0])))
	same(t, "the agent's profiles", list(types.EntityTypeAiAgent, bot, 100), nil)
	ok(t, deleteProfile(profiles[0]))

	for name, e := range map[string]struct {
		kind types.EntityType
		arn  string
		code fault.Code
	}{
		"a user as an AI agent":       {types.EntityTypeAiAgent, maryARN, fault.InvalidParameter},
		"an AI agent as a user":       {types.EntityTypeUser, bot, fault.InvalidParameter},
		"a bare id":                   {types.EntityTypeUser, mary, fault.InvalidParameter},
		"a queue as a user":           {types.EntityTypeUser, c.arn + "/queue/" + mary, fault.ResourceNotFound},
		"a user that does not exist":  {types.EntityTypeUser, c.arn + "/agent/" + domain.NewID(), fault.ResourceNotFound},
		"a part of the ARN of a user": {types.EntityTypeUser, strings.TrimSuffix(maryARN, "/"+mary), fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, associate(e.kind, e.arn, profileItems(profiles[5])), e.code)
			fails(t, disassociate(e.kind, e.arn, profileItems(profiles[5])), e.code)
			_, err := c.ListEntitySecurityProfiles(t.Context(), &connect.ListEntitySecurityProfilesInput{InstanceId: &c.id, EntityType: e.kind, EntityArn: &e.arn})
			fails(t, err, e.code)
		})
	}
}
