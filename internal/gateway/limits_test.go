package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// outcome is the status and exception of an SDK call.
func outcome(t testing.TB, err error) (int, string) {
	t.Helper()
	if err == nil {
		return http.StatusOK, ""
	}
	var api interface {
		error
		ErrorCode() string
	}
	var resp *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &resp) {
		t.Fatalf("no answer of the server: %v", err)
	}
	return resp.HTTPStatusCode(), api.ErrorCode()
}

// TestThrottling: two calls a second after a burst of five, counted for each
// operation and region (administrator guide, "Amazon Connect API throttling
// quotas"). The clock moves when the test says so.
func TestThrottling(t *testing.T) {
	start := time.Now()
	var passed atomic.Int64
	s := servertest.Boot(t, func(c *server.Config) {
		c.Throttle = true
		c.Now = func() time.Time { return start.Add(time.Duration(passed.Load())) }
	})
	ctx := context.Background()
	id := s.NewInstance(t)
	abroad := s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey, func(o *connect.Options) { o.Region = "eu-west-1" })
	listUsers := func(c *connect.Client) (int, string) {
		t.Helper()
		_, err := c.ListUsers(ctx, &connect.ListUsersInput{InstanceId: &id})
		return outcome(t, err)
	}
	want := func(what string, status int, code string, wantStatus int, wantCode string) {
		t.Helper()
		if status != wantStatus || code != wantCode {
			t.Errorf("%s: %d %s, want %d %s", what, status, code, wantStatus, wantCode)
		}
	}
	burst := func(n int) {
		t.Helper()
		for i := range n {
			status, code := listUsers(s.Connect)
			want("call "+strconv.Itoa(i+1), status, code, http.StatusOK, "")
		}
		status, code := listUsers(s.Connect)
		want("one call more", status, code, http.StatusTooManyRequests, "ThrottlingException")
	}
	burst(5)
	_, err := s.Connect.ListQueues(ctx, &connect.ListQueuesInput{InstanceId: &id})
	status, code := outcome(t, err)
	want("another operation", status, code, http.StatusOK, "")
	status, code = listUsers(abroad)
	want("another region", status, code, http.StatusNotFound, "ResourceNotFoundException")

	passed.Add(int64(500 * time.Millisecond)) // one token
	burst(1)
	passed.Add(int64(time.Minute)) // as many as fit
	burst(5)

	// Views have an exception of their own. Whether an operation is served does
	// not matter: clients are to meet the same rates when it is.
	for range 5 {
		_, err = s.Connect.ListViews(ctx, &connect.ListViewsInput{InstanceId: &id})
		if status, code = outcome(t, err); status == http.StatusTooManyRequests {
			t.Errorf("ListViews: %d %s within the burst", status, code)
		}
	}
	_, err = s.Connect.ListViews(ctx, &connect.ListViewsInput{InstanceId: &id})
	status, code = outcome(t, err)
	want("the sixth ListViews", status, code, http.StatusTooManyRequests, "TooManyRequestsException")
}

// TestQuotas: an account has two instances in a region, and an instance fifty
// agent statuses, those that it came with included (administrator guide,
// "Amazon Connect service quotas").
func TestQuotas(t *testing.T) {
	s := servertest.Boot(t, func(c *server.Config) { c.Quotas = true })
	ctx := context.Background()
	id := s.NewInstance(t)
	s.NewInstance(t)
	third := &connect.CreateInstanceInput{
		IdentityManagementType: types.DirectoryTypeSaml, InstanceAlias: aws.String("third"),
		InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	}
	_, err := s.Connect.CreateInstance(ctx, third)
	if status, code := outcome(t, err); status != http.StatusPaymentRequired || code != "ServiceQuotaExceededException" {
		t.Errorf("the third instance: %d %s, want 402 ServiceQuotaExceededException", status, code)
	}
	abroad := s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey, func(o *connect.Options) { o.Region = "eu-west-1" })
	if _, err := abroad.CreateInstance(ctx, third); err != nil {
		t.Errorf("the first instance of another region: %v", err)
	}

	count := func() int {
		t.Helper()
		out, err := s.Connect.ListAgentStatuses(ctx, &connect.ListAgentStatusesInput{InstanceId: &id, MaxResults: aws.Int32(100)})
		if err != nil {
			t.Fatal(err)
		}
		return len(out.AgentStatusSummaryList)
	}
	create := func(n int) (int, string) {
		t.Helper()
		_, err := s.Connect.CreateAgentStatus(ctx, &connect.CreateAgentStatusInput{
			InstanceId: &id, Name: aws.String("status " + strconv.Itoa(n)), State: types.AgentStatusStateEnabled,
		})
		return outcome(t, err)
	}
	for n := count(); n < 50; n++ {
		if status, code := create(n); status != http.StatusOK {
			t.Fatalf("the status after %d others: %d %s", n, status, code)
		}
	}
	if status, code := create(50); status != http.StatusTooManyRequests || code != "LimitExceededException" {
		t.Errorf("the 51st status: %d %s, want 429 LimitExceededException", status, code)
	}
	if n := count(); n != 50 {
		t.Errorf("there are %d statuses, want 50", n)
	}
}
