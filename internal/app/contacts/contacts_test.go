package contacts_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var (
	ok    = servertest.OK
	fails = servertest.Fails
	same  = servertest.Same
)

const unknownID = "00000000-0000-4000-8000-000000000000"

// centre is a booted server with an instance, a queue and flows.
type centre struct {
	*connect.Client
	t     testing.TB
	id    string
	queue string // an enabled queue without a number
	// waits puts a contact into the queue, ends ends it at once, transfer is of
	// the type QUEUE_TRANSFER and does as waits does.
	waits, ends, transfer string
}

func open(t testing.TB, change ...func(*server.Config)) *centre {
	t.Helper()
	s := servertest.Boot(t, change...)
	c := &centre{Client: s.Connect, t: t}
	c.id = s.NewInstance(t)
	hours, err := c.ListHoursOfOperations(c.ctx(), &connect.ListHoursOfOperationsInput{InstanceId: &c.id})
	ok(t, err)
	q, err := c.CreateQueue(c.ctx(), &connect.CreateQueueInput{InstanceId: &c.id, Name: aws.String("Waiting"), HoursOfOperationId: hours.HoursOfOperationSummaryList[0].Id})
	ok(t, err)
	c.queue = *q.QueueId
	enter := []action{
		{"target", "UpdateContactTargetQueue", map[string]any{"QueueId": *q.QueueArn}, "enter"},
		{"enter", "TransferContactToQueue", nil, "end"},
		{"end", "DisconnectParticipant", nil, ""},
	}
	c.waits = c.flow("Waits", types.ContactFlowTypeContactFlow, enter)
	c.transfer = c.flow("Transfers", types.ContactFlowTypeQueueTransfer, []action{enter[1], enter[2]})
	c.ends = c.flow("Ends", types.ContactFlowTypeContactFlow, enter[2:])
	return c
}

func (c *centre) ctx() context.Context { return c.t.Context() }

// action is one of a flow: its name, type and parameters, and what comes next
// whatever happens.
type action struct {
	id, kind   string
	parameters map[string]any
	next       string
}

func (c *centre) flow(name string, of types.ContactFlowType, actions []action) string {
	c.t.Helper()
	list := []any{}
	for _, a := range actions {
		if a.parameters == nil {
			a.parameters = map[string]any{}
		}
		transitions := map[string]any{}
		switch a.kind {
		case "DisconnectParticipant":
		case "TransferContactToQueue":
			transitions["NextAction"] = a.next
			transitions["Errors"] = []any{
				map[string]any{"NextAction": a.next, "ErrorType": "QueueAtCapacity"}, map[string]any{"NextAction": a.next, "ErrorType": "NoMatchingError"},
			}
		default:
			transitions["NextAction"] = a.next
			transitions["Errors"] = []any{map[string]any{"NextAction": a.next, "ErrorType": "NoMatchingError"}}
		}
		list = append(list, map[string]any{"Identifier": a.id, "Type": a.kind, "Parameters": a.parameters, "Transitions": transitions})
	}
	content, err := json.Marshal(map[string]any{"Version": "2019-10-30", "StartAction": actions[0].id, "Actions": list})
	ok(c.t, err)
	out, err := c.CreateContactFlow(c.ctx(), &connect.CreateContactFlowInput{InstanceId: &c.id, Name: &name, Type: of, Content: aws.String(string(content))})
	ok(c.t, err)
	return *out.ContactFlowId
}

// task starts a task that waits in the queue.
func (c *centre) task(change ...func(*connect.StartTaskContactInput)) string {
	c.t.Helper()
	id, err := c.startTask(change...)
	ok(c.t, err)
	return id
}

func (c *centre) startTask(change ...func(*connect.StartTaskContactInput)) (string, error) {
	in := &connect.StartTaskContactInput{InstanceId: &c.id, Name: aws.String("Call Mary"), ContactFlowId: &c.waits}
	for _, f := range change {
		f(in)
	}
	out, err := c.StartTaskContact(c.ctx(), in)
	if err != nil {
		return "", err
	}
	return *out.ContactId, nil
}

func (c *centre) describe(id string) *types.Contact {
	c.t.Helper()
	out, err := c.DescribeContact(c.ctx(), &connect.DescribeContactInput{InstanceId: &c.id, ContactId: &id})
	ok(c.t, err)
	return out.Contact
}

// await describes a contact once a condition holds: what begins a contact comes
// after the answer to whoever started it.
func (c *centre) await(id string, what string, is func(*types.Contact) bool) *types.Contact {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.ctx(), 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if found := c.describe(id); is(found) {
			return found
		}
	}
	c.t.Fatalf("contact %s is not %s", id, what)
	return nil
}

func queued(e *types.Contact) bool { return e.QueueInfo != nil }

func ended(e *types.Contact) bool { return e.DisconnectTimestamp != nil }

// queuedTask starts a task and waits until it is in the queue.
func (c *centre) queuedTask(change ...func(*connect.StartTaskContactInput)) string {
	c.t.Helper()
	id := c.task(change...)
	c.await(id, "queued", queued)
	return id
}

func (c *centre) attributes(id string) map[string]string {
	c.t.Helper()
	out, err := c.GetContactAttributes(c.ctx(), &connect.GetContactAttributesInput{InstanceId: &c.id, InitialContactId: &id})
	ok(c.t, err)
	return out.Attributes
}

// references are names and values of the references of some types.
func (c *centre) references(id string, kinds ...types.ReferenceType) []string {
	c.t.Helper()
	out, err := c.ListContactReferences(c.ctx(), &connect.ListContactReferencesInput{InstanceId: &c.id, ContactId: &id, ReferenceTypes: kinds})
	ok(c.t, err)
	all := []string{}
	for _, r := range out.ReferenceSummaryList {
		switch r := r.(type) {
		case *types.ReferenceSummaryMemberUrl:
			all = append(all, *r.Value.Name+" "+*r.Value.Value)
		case *types.ReferenceSummaryMemberNumber:
			all = append(all, *r.Value.Name+" "+*r.Value.Value)
		case *types.ReferenceSummaryMemberString:
			all = append(all, *r.Value.Name+" "+*r.Value.Value)
		case *types.ReferenceSummaryMemberDate:
			all = append(all, *r.Value.Name+" "+*r.Value.Value)
		case *types.ReferenceSummaryMemberEmail:
			all = append(all, *r.Value.Name+" "+*r.Value.Value)
		default:
			c.t.Fatalf("unexpected reference %T", r)
		}
	}
	return all
}

// defaultFlow is the flow of a type that the instance came with.
func (c *centre) defaultFlow(of types.ContactFlowType) string {
	c.t.Helper()
	out, err := c.ListContactFlows(c.ctx(), &connect.ListContactFlowsInput{InstanceId: &c.id, ContactFlowTypes: []types.ContactFlowType{of}})
	ok(c.t, err)
	return *out.ContactFlowSummaryList[0].Id
}

// pagesOf reads a list to its end.
func pagesOf(t testing.TB, read func(token *string) ([]string, *string, error)) [][]string {
	t.Helper()
	return servertest.Pages(t, read)
}

func (c *centre) setAttributes(id string, attributes map[string]string) error {
	_, err := c.UpdateContactAttributes(c.ctx(), &connect.UpdateContactAttributesInput{InstanceId: &c.id, InitialContactId: &id, Attributes: attributes})
	return err
}

func (c *centre) stop(id string) error {
	_, err := c.StopContact(c.ctx(), &connect.StopContactInput{InstanceId: &c.id, ContactId: &id})
	return err
}
