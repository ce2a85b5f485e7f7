package conformance

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const trafficDistributionGroup kind = "TrafficDistributionGroup"

func init() {
	const ofAccount = "a traffic distribution group is named without its instance"
	add(family{
		makers: map[kind]maker{
			trafficDistributionGroup: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				replicated(t, w)
				out, err := c.CreateTrafficDistributionGroup(ctx, &connect.CreateTrafficDistributionGroupInput{InstanceId: &w.instance, Name: w.name()})
				if err != nil {
					return nil, err
				}
				return out.Id, nil
			},
		},
		references: map[string]kind{"TrafficDistributionGroupId": trafficDistributionGroup},
		examples: map[string]example{
			"Name128":                         {"A name", " a name"},
			"Description250":                  {"A description", " a description"},
			"TrafficDistributionGroupIdOrArn": {"01234567-89ab-cdef-0123-456789abcdef", "01234567"},
		},
		noInstance: map[string]string{
			"DescribeTrafficDistributionGroup":  ofAccount,
			"DeleteTrafficDistributionGroup":    ofAccount,
			"ListTrafficDistributionGroupUsers": ofAccount,
			"GetTrafficDistribution":            ofAccount,
			"UpdateTrafficDistribution":         ofAccount,
		},
		recipes: map[string]recipe{
			"ReplicateInstance": of(
				with("InstanceId", func(t testing.TB, w *world) any { return w.newInstance(t) }),
				with("ReplicaAlias", func(_ testing.TB, w *world) any { return *w.alias() }),
				with("ReplicaRegion", always("us-west-2"))),
			"CreateTrafficDistributionGroup": of(with("InstanceId", replicated)),
			"GetTrafficDistribution":         of(with("Id", sharedGroup)),
			// Sign-ins are those of the default group.
			"UpdateTrafficDistribution": of(with("Id", sharedGroup), without("SignInConfig"),
				with("TelephonyConfig", always(halves)), given("AgentConfig", always(halves))),
		},
	})
	merge(pagedOperations, map[string]paged{
		"ListTrafficDistributionGroups": {trafficDistributionGroup, "Id", "DeleteTrafficDistributionGroup", "TrafficDistributionGroupId"},
	})
	merge(fewOperations, map[string]string{"ListTrafficDistributionGroupUsers": "what hangs on a group; a user's place in it has no id"})
}

var halves = object{"Distributions": []any{
	object{"Region": "us-east-1", "Percentage": float64(50)}, object{"Region": "us-west-2", "Percentage": float64(50)},
}}

func sharedGroup(t testing.TB, w *world) any { return w.shared(t, trafficDistributionGroup) }

// replicated is the prepared instance, once it has a replica.
func replicated(t testing.TB, w *world) any {
	_, err := w.server.Connect.ReplicateInstance(context.Background(), &connect.ReplicateInstanceInput{
		InstanceId: &w.instance, ReplicaAlias: w.alias(), ReplicaRegion: aws.String("us-west-2"),
	})
	if _, before := errors.AsType[*types.ResourceConflictException](err); err != nil && !before {
		t.Fatal(err)
	}
	return w.instance
}
