package replication_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

// split is a distribution between the two regions.
func split(inEast, inWest int32) []types.Distribution {
	return []types.Distribution{{Region: aws.String(east), Percentage: inEast}, {Region: aws.String(west), Percentage: inWest}}
}

func TestTrafficDistribution(t *testing.T) {
	p := open(t)
	_, err := p.replicate(t, "replica")
	ok(t, err)
	first := p.groups(t, p.Connect, nil)[0]
	g := p.group(t, "Group")
	get := func(c *connect.Client, id *string) *connect.GetTrafficDistributionOutput {
		out, err := c.GetTrafficDistribution(t.Context(), &connect.GetTrafficDistributionInput{Id: id})
		ok(t, err)
		out.ResultMetadata = connect.GetTrafficDistributionOutput{}.ResultMetadata
		return out
	}
	all := &types.TelephonyConfig{Distributions: split(100, 0)}
	same(t, "distribution at first", get(p.Connect, g.Id), connect.GetTrafficDistributionOutput{
		Id: g.Id, Arn: g.Arn, TelephonyConfig: all, AgentConfig: &types.AgentConfig{Distributions: all.Distributions},
	})
	signIn := func(inEast, inWest bool) *types.SignInConfig {
		return &types.SignInConfig{Distributions: []types.SignInDistribution{{Region: aws.String(east), Enabled: inEast}, {Region: aws.String(west), Enabled: inWest}}}
	}
	same(t, "sign-ins at first", get(p.Connect, first.Id).SignInConfig, signIn(true, false))

	type input = connect.UpdateTrafficDistributionInput
	for name, c := range map[string]struct {
		in   input
		word string // of the message; "" for a success
	}{
		"nothing":               {input{Id: g.Id}, "required"},
		"halves":                {input{Id: g.Id, TelephonyConfig: &types.TelephonyConfig{Distributions: split(50, 50)}}, ""},
		"agents":                {input{Id: g.Arn, AgentConfig: &types.AgentConfig{Distributions: split(30, 70)}}, ""},
		"no tens":               {input{Id: g.Id, TelephonyConfig: &types.TelephonyConfig{Distributions: split(55, 45)}}, "multiple of 10"},
		"less than all":         {input{Id: g.Id, AgentConfig: &types.AgentConfig{Distributions: split(50, 40)}}, "add up to 100"},
		"one region":            {input{Id: g.Id, TelephonyConfig: &types.TelephonyConfig{Distributions: split(100, 0)[:1]}}, "both regions"},
		"a third region":        {input{Id: g.Id, TelephonyConfig: &types.TelephonyConfig{Distributions: append(split(50, 50)[:1], types.Distribution{Region: aws.String("eu-west-2"), Percentage: 50})}}, "both regions"},
		"one region twice":      {input{Id: g.Id, TelephonyConfig: &types.TelephonyConfig{Distributions: append(split(50, 50)[:1], split(50, 50)[0])}}, "both regions"},
		"sign-ins of another":   {input{Id: g.Id, SignInConfig: signIn(true, true)}, "default"},
		"sign-ins":              {input{Id: first.Id, SignInConfig: signIn(false, true)}, ""},
		"sign-ins nowhere":      {input{Id: first.Id, SignInConfig: signIn(false, false)}, "enabled"},
		"sign-ins in one place": {input{Id: first.Id, SignInConfig: &types.SignInConfig{Distributions: signIn(true, true).Distributions[:1]}}, "both regions"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.Connect.UpdateTrafficDistribution(t.Context(), &c.in)
			if c.word == "" {
				ok(t, err)
				return
			}
			fails(t, err, fault.InvalidRequest, c.word)
		})
	}
	got := get(p.west, g.Arn)
	same(t, "distribution", []any{got.TelephonyConfig.Distributions, got.AgentConfig.Distributions, get(p.west, first.Arn).SignInConfig},
		[]any{split(50, 50), split(30, 70), signIn(false, true)})
	_, err = p.west.UpdateTrafficDistribution(t.Context(), &input{Id: g.Arn, TelephonyConfig: &types.TelephonyConfig{Distributions: split(0, 100)}})
	ok(t, err)
	same(t, "what the west has set", get(p.Connect, g.Id).TelephonyConfig.Distributions, split(0, 100))
	_, err = p.west.UpdateTrafficDistribution(t.Context(), &input{Id: g.Id, TelephonyConfig: all})
	fails(t, err, fault.ResourceNotFound)
	_, err = p.Connect.GetTrafficDistribution(t.Context(), &connect.GetTrafficDistributionInput{Id: aws.String(domain.NewID())})
	fails(t, err, fault.ResourceNotFound)
}

func TestTrafficDistributionGroupUsers(t *testing.T) {
	p := open(t)
	_, err := p.replicate(t, "replica")
	ok(t, err)
	g, h := p.group(t, "Group"), p.group(t, "Other group")
	other := p.NewInstance(t)
	profiles, err := p.Connect.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &p.id})
	ok(t, err)
	routes, err := p.Connect.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &p.id})
	ok(t, err)
	var users []string
	for n := range 5 {
		out, err := p.Connect.CreateUser(t.Context(), &connect.CreateUserInput{
			InstanceId: &p.id, Username: aws.String(fmt.Sprint("user-", n)), RoutingProfileId: routes.RoutingProfileSummaryList[0].Id,
			SecurityProfileIds: []string{*profiles.SecurityProfileSummaryList[0].Id},
			IdentityInfo:       &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
		})
		ok(t, err)
		users = append(users, *out.UserId)
	}
	associate := func(c *connect.Client, group *string, instance, user string) error {
		_, err := c.AssociateTrafficDistributionGroupUser(t.Context(), &connect.AssociateTrafficDistributionGroupUserInput{TrafficDistributionGroupId: group, InstanceId: &instance, UserId: &user})
		return err
	}
	disassociate := func(group *string, user string) error {
		_, err := p.Connect.DisassociateTrafficDistributionGroupUser(t.Context(), &connect.DisassociateTrafficDistributionGroupUserInput{TrafficDistributionGroupId: group, InstanceId: &p.id, UserId: &user})
		return err
	}
	pages := func(c *connect.Client) [][]string {
		return servertest.Pages(t, func(token *string) ([]string, *string, error) {
			out, err := c.ListTrafficDistributionGroupUsers(t.Context(), &connect.ListTrafficDistributionGroupUsersInput{TrafficDistributionGroupId: g.Arn, MaxResults: aws.Int32(2), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			ids := []string{}
			for _, u := range out.TrafficDistributionGroupUserSummaryList {
				ids = append(ids, *u.UserId)
			}
			return ids, out.NextToken, nil
		})
	}
	same(t, "nobody", pages(p.Connect), [][]string{{}})
	ok(t, associate(p.Connect, g.Id, p.id, servertest.InstanceARN(p.id)+"/agent/"+users[0]))
	for _, id := range users {
		ok(t, associate(p.Connect, g.Arn, p.id, id)) // the first once more
	}
	same(t, "users", pages(p.Connect), servertest.InPages(users, 2))
	same(t, "users in the west", pages(p.west), servertest.InPages(users, 2))
	fails(t, associate(p.Connect, h.Id, p.id, users[0]), fault.ResourceConflict)
	fails(t, associate(p.west, g.Arn, p.id, users[0]), fault.InvalidRequest, east)
	fails(t, associate(p.Connect, g.Id, other, users[0]), fault.ResourceNotFound)
	fails(t, associate(p.Connect, g.Id, p.id, domain.NewID()), fault.ResourceNotFound)
	fails(t, associate(p.Connect, aws.String(domain.NewID()), p.id, users[0]), fault.ResourceNotFound)

	ok(t, disassociate(h.Id, users[0])) // who is not in it
	ok(t, disassociate(g.Id, users[0]))
	ok(t, disassociate(g.Id, users[0]))
	ok(t, associate(p.Connect, h.Id, p.id, users[0]))
	_, err = p.Connect.DeleteUser(t.Context(), &connect.DeleteUserInput{InstanceId: &p.id, UserId: &users[1]})
	ok(t, err)
	same(t, "users who are left", pages(p.Connect), servertest.InPages(users[2:], 2))
	_, err = p.Connect.DeleteTrafficDistributionGroup(t.Context(), &connect.DeleteTrafficDistributionGroupInput{TrafficDistributionGroupId: g.Id})
	ok(t, err) // with its users' places
	ok(t, associate(p.Connect, h.Id, p.id, users[2]))
}
