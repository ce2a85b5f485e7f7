package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
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

// TestContactsOnPostgreSQL has a task and a chat outlive the server that began
// them: another, with nothing but the database in common, goes on where they were.
// Of the contact events, which each writes into its own folder, none is lost and
// none comes twice.
func TestContactsOnPostgreSQL(t *testing.T) {
	url := pgtest.URL(t)
	cfg := server.Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Database: url, RootAccessKeyID: "AKIASHARED", RootSecretAccessKey: "shared"}
	first, err := server.Start(t.Context(), cfg)
	servertest.OK(t, err)
	stopped := false
	t.Cleanup(func() {
		if !stopped {
			_ = first.Close()
		}
	})
	one := &servertest.Server{Server: first}
	one.Connect = one.Client("AKIASHARED", "shared")
	o := &office{one.Connect, t, one.NewInstance(t)}
	hours, err := o.ListHoursOfOperations(t.Context(), &connect.ListHoursOfOperationsInput{InstanceId: &o.id})
	servertest.OK(t, err)
	queue, err := o.CreateQueue(t.Context(), &connect.CreateQueueInput{InstanceId: &o.id, Name: aws.String("Waiting"), HoursOfOperationId: hours.HoursOfOperationSummaryList[0].Id})
	servertest.OK(t, err)
	const content = `{"Version":"2019-10-30","StartAction":"channel","Actions":[
		{"Identifier":"channel","Type":"Compare","Parameters":{"ComparisonValue":"$.Channel"},"Transitions":{"NextAction":"target",
			"Conditions":[{"NextAction":"hello","Condition":{"Operator":"Equals","Operands":["CHAT"]}}],"Errors":[{"NextAction":"target","ErrorType":"NoMatchingCondition"}]}},
		{"Identifier":"target","Type":"UpdateContactTargetQueue","Parameters":{"QueueId":"QUEUE"},"Transitions":{"NextAction":"enter","Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"enter","Type":"TransferContactToQueue","Parameters":{},"Transitions":{"NextAction":"end","Errors":[{"NextAction":"end","ErrorType":"QueueAtCapacity"},{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"hello","Type":"MessageParticipant","Parameters":{"Text":"Hello!"},"Transitions":{"NextAction":"wait","Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"wait","Type":"Wait","Parameters":{"TimeLimitSeconds":"86400","Events":["CustomerReturned"]},"Transitions":{"NextAction":"end","Conditions":[
			{"NextAction":"end","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}},
			{"NextAction":"bye","Condition":{"Operator":"Equals","Operands":["CustomerReturned"]}}],"Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"bye","Type":"MessageParticipant","Parameters":{"Text":"Bye!"},"Transitions":{"NextAction":"end","Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`
	flow, err := o.CreateContactFlow(t.Context(), &connect.CreateContactFlowInput{
		InstanceId: &o.id, Name: aws.String("Both"), Type: types.ContactFlowTypeContactFlow, Content: aws.String(strings.ReplaceAll(content, "QUEUE", *queue.QueueArn)),
	})
	servertest.OK(t, err)

	task, err := o.StartTaskContact(t.Context(), &connect.StartTaskContactInput{InstanceId: &o.id, Name: aws.String("A task"), ContactFlowId: flow.ContactFlowId})
	servertest.OK(t, err)
	chat, err := o.StartChatContact(t.Context(), &connect.StartChatContactInput{
		InstanceId: &o.id, ContactFlowId: flow.ContactFlowId, ParticipantDetails: &types.ParticipantDetails{DisplayName: aws.String("Mary")},
	})
	servertest.OK(t, err)
	token := connectionToken(t, one, *chat.ParticipantToken)
	waitFor(t, func() bool { return len(transcript(t, one, token)) == 1 })
	describe := func(client *connect.Client, id *string) *types.Contact {
		out, err := client.DescribeContact(t.Context(), &connect.DescribeContactInput{InstanceId: &o.id, ContactId: id})
		servertest.OK(t, err)
		return out.Contact
	}
	waitFor(t, func() bool { return describe(one.Connect, task.ContactId).QueueInfo != nil })
	stopped = true
	servertest.OK(t, first.Close())

	two := servertest.Boot(t, func(c *server.Config) {
		c.Database, c.RootAccessKeyID, c.RootSecretAccessKey = url, "AKIASHARED", "shared"
	})
	said(t, two, token, "message", map[string]any{"ContentType": "text/plain", "Content": "Still there?"})
	waitFor(t, func() bool { return describe(two.Connect, chat.ContactId).DisconnectTimestamp != nil })
	servertest.Same(t, "transcript", transcript(t, two, token), []string{"SYSTEM: Hello!", "CUSTOMER: Still there?", "SYSTEM: Bye!"})
	if q := describe(two.Connect, task.ContactId).QueueInfo; q == nil || *q.Id != *queue.QueueId {
		t.Errorf("after the restart the task waits in %+v", q)
	}
	_, err = two.Connect.StopContact(t.Context(), &connect.StopContactInput{InstanceId: &o.id, ContactId: task.ContactId})
	servertest.OK(t, err)

	want := map[string][]string{
		*task.ContactId: {"INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "DISCONNECTED", "COMPLETED"},
		*chat.ContactId: {"INITIATED", "CONNECTED_TO_SYSTEM", "DISCONNECTED", "COMPLETED"},
	}
	all := func() map[string][]string { return events(t, cfg.Data, two.Data) }
	waitFor(t, func() bool {
		got := all()
		return len(got[*task.ContactId]) >= len(want[*task.ContactId]) && len(got[*chat.ContactId]) >= len(want[*chat.ContactId])
	})
	servertest.Same(t, "contact events", all(), want)
}

// said makes a request of the Participant service.
func said(t *testing.T, s *servertest.Server, token, path string, in map[string]any) map[string]any {
	t.Helper()
	body, err := json.Marshal(in)
	servertest.OK(t, err)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/participant/"+path, bytes.NewReader(body))
	servertest.OK(t, err)
	r.Header.Set("X-Amz-Bearer", token)
	resp, err := http.DefaultClient.Do(r)
	servertest.OK(t, err)
	defer resp.Body.Close()
	out := map[string]any{}
	servertest.OK(t, json.NewDecoder(resp.Body).Decode(&out))
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", path, resp.Status, out)
	}
	return out
}

// connectionToken is the token of a connection of the participant.
func connectionToken(t *testing.T, s *servertest.Server, participantToken string) string {
	t.Helper()
	out := said(t, s, participantToken, "connection", map[string]any{"Type": []string{"CONNECTION_CREDENTIALS"}, "ConnectParticipant": true})
	credentials, _ := out["ConnectionCredentials"].(map[string]any)
	token, _ := credentials["ConnectionToken"].(string)
	return token
}

// transcript is what was said in a chat, by whom.
func transcript(t *testing.T, s *servertest.Server, token string) []string {
	t.Helper()
	items, _ := said(t, s, token, "transcript", map[string]any{"SortOrder": "ASCENDING", "ScanDirection": "BACKWARD"})["Transcript"].([]any)
	said := []string{}
	for _, i := range items {
		if item, _ := i.(map[string]any); item["Type"] == "MESSAGE" {
			said = append(said, fmt.Sprint(item["ParticipantRole"], ": ", item["Content"]))
		}
	}
	return said
}

// events are the types of the contact events in folders, by contact.
func events(t *testing.T, folders ...string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	for _, folder := range folders {
		text, err := os.ReadFile(filepath.Join(folder, "contact-events.jsonl"))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if !strings.HasSuffix(line, "\n") {
				continue // it is being written
			}
			var e struct {
				Detail struct {
					ContactID string `json:"contactId"`
					EventType string `json:"eventType"`
				} `json:"detail"`
			}
			servertest.OK(t, json.Unmarshal([]byte(line), &e))
			all[e.Detail.ContactID] = append(all[e.Detail.ContactID], e.Detail.EventType)
		}
	}
	return all
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
