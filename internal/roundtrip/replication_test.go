package roundtrip

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server/servertest"
)

func replicationKinds() []kind { return []kind{trafficDistributionGroup()} }

// groupDocument is a group with the replica that it leads to. The replica's
// alias is not in it: it is taken as long as the replica is there.
type groupDocument struct {
	Group        *types.TrafficDistributionGroup
	Replica      string // its region
	Distribution connect.UpdateTrafficDistributionInput
	Users        []string // by name
}

func trafficDistributionGroup() kind {
	return of("TrafficDistributionGroup",
		func(t testing.TB, s *site, n int) string {
			if n == 0 {
				replicate(t, s, "us-west-2")
			}
			out, err := s.CreateTrafficDistributionGroup(t.Context(), &connect.CreateTrafficDistributionGroupInput{
				InstanceId: &s.id, Name: name("Group", n), Description: aws.String("two regions"), Tags: map[string]string{"Team": "traffic"},
			})
			ok(t, err)
			share := int32(10 * (n + 1))
			distribution := []types.Distribution{
				{Region: aws.String(servertest.Region), Percentage: 100 - share}, {Region: aws.String("us-west-2"), Percentage: share},
			}
			_, err = s.UpdateTrafficDistribution(t.Context(), &connect.UpdateTrafficDistributionInput{
				Id: out.Id, TelephonyConfig: &types.TelephonyConfig{Distributions: distribution}, AgentConfig: &types.AgentConfig{Distributions: distribution},
			})
			ok(t, err)
			addToGroup(t, s, *out.Id, fmt.Sprintf("replicated-%d", n))
			return *out.Id
		},
		exportGroups,
		func(t testing.TB, s *site, d groupDocument) string {
			var id string
			if d.Group.IsDefault {
				id = replicate(t, s, d.Replica)
			} else {
				out, err := s.CreateTrafficDistributionGroup(t.Context(), &connect.CreateTrafficDistributionGroupInput{
					InstanceId: &s.id, Name: d.Group.Name, Description: d.Group.Description, Tags: tags(d.Group.Tags),
				})
				ok(t, err)
				id = *out.Id
			}
			d.Distribution.Id = &id
			_, err := s.UpdateTrafficDistribution(t.Context(), &d.Distribution)
			ok(t, err)
			return id
		},
		func(t testing.TB, s *site, id string, d groupDocument) {
			for _, user := range d.Users {
				addToGroup(t, s, id, user)
			}
		})
}

// replicate makes the replica of the instance and returns the id of the group
// that comes with it.
func replicate(t testing.TB, s *site, region string) string {
	t.Helper()
	_, err := s.ReplicateInstance(t.Context(), &connect.ReplicateInstanceInput{
		InstanceId: &s.id, ReplicaRegion: &region, ReplicaAlias: aws.String("replica-" + s.id[len(s.id)-12:]),
	})
	ok(t, err)
	out, err := s.ListTrafficDistributionGroups(t.Context(), &connect.ListTrafficDistributionGroupsInput{InstanceId: &s.id})
	ok(t, err)
	i := slices.IndexFunc(out.TrafficDistributionGroupSummaryList, func(g types.TrafficDistributionGroupSummary) bool { return g.IsDefault })
	if i < 0 {
		t.Fatal("a replica came without its group")
	}
	return *out.TrafficDistributionGroupSummaryList[i].Id
}

func exportGroups(t testing.TB, s *site) (all resources) {
	instance, err := s.DescribeInstance(t.Context(), &connect.DescribeInstanceInput{InstanceId: &s.id})
	ok(t, err)
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListTrafficDistributionGroups(t.Context(), &connect.ListTrafficDistributionGroupsInput{InstanceId: &s.id, NextToken: token, MaxResults: aws.Int32(2)})
		if err != nil {
			return nil, err
		}
		for _, g := range page.TrafficDistributionGroupSummaryList {
			out, err := s.DescribeTrafficDistributionGroup(t.Context(), &connect.DescribeTrafficDistributionGroupInput{TrafficDistributionGroupId: g.Id})
			ok(t, err)
			how, err := s.GetTrafficDistribution(t.Context(), &connect.GetTrafficDistributionInput{Id: g.Id})
			ok(t, err)
			d := groupDocument{
				Group:   out.TrafficDistributionGroup,
				Replica: *instance.ReplicationConfiguration.ReplicationStatusSummaryList[0].Region,
				Distribution: connect.UpdateTrafficDistributionInput{
					Id: how.Id, TelephonyConfig: how.TelephonyConfig, AgentConfig: how.AgentConfig, SignInConfig: how.SignInConfig,
				},
			}
			everyPage(t, func(token *string) (*string, error) {
				users, err := s.ListTrafficDistributionGroupUsers(t.Context(), &connect.ListTrafficDistributionGroupUsersInput{TrafficDistributionGroupId: g.Id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, u := range users.TrafficDistributionGroupUserSummaryList {
					user, err := s.DescribeUser(t.Context(), &connect.DescribeUserInput{InstanceId: &s.id, UserId: u.UserId})
					ok(t, err)
					d.Users = append(d.Users, *user.User.Username)
				}
				return users.NextToken, nil
			})
			all.add(*g.Id, *g.Name, d)
		}
		return page.NextToken, nil
	})
	return all
}

// addToGroup puts a user into a group; the user is made if there is none of the
// name.
func addToGroup(t testing.TB, s *site, group, username string) {
	t.Helper()
	_, err := s.AssociateTrafficDistributionGroupUser(t.Context(), &connect.AssociateTrafficDistributionGroupUserInput{
		InstanceId: &s.id, TrafficDistributionGroupId: &group, UserId: aws.String(userNamed(t, s, username)),
	})
	ok(t, err)
}

func userNamed(t testing.TB, s *site, username string) string {
	t.Helper()
	found, err := s.SearchUsers(t.Context(), &connect.SearchUsersInput{InstanceId: &s.id, SearchCriteria: &types.UserSearchCriteria{
		StringCondition: &types.StringCondition{FieldName: aws.String("Username"), Value: &username, ComparisonType: types.StringComparisonTypeExact},
	}})
	ok(t, err)
	if len(found.Users) > 0 {
		return *found.Users[0].Id
	}
	profiles, err := s.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &s.id})
	ok(t, err)
	routes, err := s.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &s.id})
	ok(t, err)
	out, err := s.CreateUser(t.Context(), &connect.CreateUserInput{
		InstanceId: &s.id, Username: &username, IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
		RoutingProfileId: routes.RoutingProfileSummaryList[0].Id, SecurityProfileIds: []string{*profiles.SecurityProfileSummaryList[0].Id},
	})
	ok(t, err)
	return *out.UserId
}
