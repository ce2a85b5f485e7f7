package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const authenticationProfile kind = "AuthenticationProfile"

func init() {
	add(family{
		makers: map[kind]maker{
			// Every instance has one, and nothing makes another.
			authenticationProfile: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.ListAuthenticationProfiles(ctx, &connect.ListAuthenticationProfilesInput{InstanceId: &w.instance})
				if err != nil {
					return nil, err
				}
				return out.AuthenticationProfileSummaryList[0].Id, nil
			},
		},
		references: map[string]kind{"AuthenticationProfileId": authenticationProfile},
		examples:   map[string]example{"IpCidr": {"2001:db8::/32", "2001 db8"}},
		recipes: map[string]recipe{
			"AssociateSecurityProfiles":    of(with("EntityType", always("USER")), with("EntityArn", freshUserARN), with("SecurityProfiles", profileItem(fresh))),
			"DisassociateSecurityProfiles": of(with("EntityType", always("USER")), with("EntityArn", userOfTwoProfiles), with("SecurityProfiles", profileItem(shared))),
			"ListEntitySecurityProfiles":   of(with("EntityType", always("USER")), with("EntityArn", userARN)),
		},
	})
	merge(fewOperations, map[string]string{
		"ListAuthenticationProfiles": "there is one",
		"ListEntitySecurityProfiles": "ten at most",
	})
}

func freshUserARN(t testing.TB, w *world) any { return w.arn("agent", w.fresh(t, user)) }

// profileItem names the profile that every user has, or a fresh one.
func profileItem(isFresh bool) func(testing.TB, *world) any {
	return func(t testing.TB, w *world) any {
		if isFresh {
			return []any{object{"Id": w.fresh(t, securityProfile)}}
		}
		return []any{object{"Id": w.shared(t, securityProfile)}}
	}
}

// userOfTwoProfiles is the ARN of a user that can spare a security profile.
func userOfTwoProfiles(t testing.TB, w *world) any {
	id := w.fresh(t, user)
	profile := w.fresh(t, securityProfile)
	arn := w.arn("agent", id)
	_, err := w.server.Connect.AssociateSecurityProfiles(context.Background(), &connect.AssociateSecurityProfilesInput{
		InstanceId: &w.instance, EntityType: types.EntityTypeUser, EntityArn: &arn, SecurityProfiles: []types.SecurityProfileItem{{Id: &profile}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return arn
}
