package server_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
	"ringdown/internal/store/storetest/pgtest"
)

// TestTwoServersOnOneDatabase has two servers share a PostgreSQL: each reads
// what the other wrote, at once where it asks the database, and within seconds
// where it asks its index.
func TestTwoServersOnOneDatabase(t *testing.T) {
	url := pgtest.URL(t)
	share := func(c *server.Config) {
		c.Database = url
		c.RootAccessKeyID, c.RootSecretAccessKey = "AKIASHARED", "shared"
	}
	one, two := servertest.Boot(t, share), servertest.Boot(t, share)
	ctx := context.Background()
	in := aws.String(one.NewInstance(t))

	made, err := one.Connect.CreateAgentStatus(ctx, &connect.CreateAgentStatusInput{
		InstanceId: in, Name: aws.String("Lunch"), State: types.AgentStatusStateEnabled,
	})
	if err != nil {
		t.Fatal(err)
	}
	describe := &connect.DescribeAgentStatusInput{InstanceId: in, AgentStatusId: made.AgentStatusId}
	if _, err := two.Connect.DescribeAgentStatus(ctx, describe); err != nil {
		t.Fatalf("the other server does not see a new status: %v", err)
	}
	if _, err := two.Connect.UpdateAgentStatus(ctx, &connect.UpdateAgentStatusInput{
		InstanceId: in, AgentStatusId: made.AgentStatusId, Name: aws.String("Dinner"),
	}); err != nil {
		t.Fatal(err)
	}
	got, err := one.Connect.DescribeAgentStatus(ctx, describe)
	if err != nil || *got.AgentStatus.Name != "Dinner" {
		t.Fatalf("the first server shows %+v, %v after the other renamed the status", got, err)
	}

	search := &connect.SearchAgentStatusesInput{InstanceId: in, SearchCriteria: &types.AgentStatusSearchCriteria{
		StringCondition: &types.StringCondition{FieldName: aws.String("name"), Value: aws.String("Dinner"), ComparisonType: types.StringComparisonTypeExact},
	}}
	for _, s := range []*servertest.Server{one, two} {
		waitFor(t, func() bool {
			found, err := s.Connect.SearchAgentStatuses(ctx, search)
			if err != nil {
				t.Fatal(err)
			}
			listed, err := s.Connect.ListAgentStatuses(ctx, &connect.ListAgentStatusesInput{InstanceId: in})
			if err != nil {
				t.Fatal(err)
			}
			return len(found.AgentStatuses) == 1 && len(listed.AgentStatusSummaryList) == 3
		})
	}
	if _, err := two.Connect.DeleteInstance(ctx, &connect.DeleteInstanceInput{InstanceId: in}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool {
		_, err := one.Connect.ListAgentStatuses(ctx, &connect.ListAgentStatusesInput{InstanceId: in})
		return err != nil
	})
}

// waitFor polls a condition that another server's poller makes true.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatal("it did not come true")
		case <-tick.C:
		}
	}
}
