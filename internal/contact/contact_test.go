package contact_test

import (
	"slices"
	"strings"
	"testing"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

func TestTaskRunsItsFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW",
		`a|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"color":"blue"}}|b|`,
		`b|Compare|{"ComparisonValue":"$.Attributes.color"}|d|"Errors":[{"ErrorType":"NoMatchingCondition","NextAction":"d"}],"Conditions":[{"NextAction":"c","Condition":{"Operator":"Equals","Operands":["blue"]}}]`,
		`c|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"was":"$.Attributes.color"}}|d|`,
		`d|DisconnectParticipant|||`)
	id := w.task(t, "f")
	c := w.until(t, id, "ended", ended)
	if c.DisconnectReason != "CONTACT_FLOW_DISCONNECT" {
		t.Errorf("reason %s", c.DisconnectReason)
	}
	attributes, err := w.m.Attributes(t.Context(), w.in, id)
	if err != nil || attributes["was"] != "blue" {
		t.Errorf("attributes %v, %v", attributes, err)
	}
	same(t, w.events(t, id), []string{"INITIATED", "CONNECTED_TO_SYSTEM", "CONTACT_DATA_UPDATED", "DISCONNECTED", "COMPLETED"})
	if path := w.path(t, id); len(path) != 4 {
		t.Errorf("path %q", path)
	}
}

func same[T comparable](t *testing.T, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestCall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW",
		`a|MessageParticipant|{"Text":"Hello $.CustomerEndpoint.Address"}|b|`,
		`b|DisconnectParticipant|||`)
	id := w.call(t, "f")
	l := w.dialer.leg(t, 0)
	if l.call.To != "+14155550100" || l.call.From != "+14155550199" {
		t.Errorf("called %+v", l.call)
	}
	l.hear(contact.LegEvent{Kind: contact.LegRinging})
	l.hear(contact.LegEvent{Kind: contact.LegAnswered})
	c := w.until(t, id, "ended", ended)
	same(t, l.heard(), []string{"Hello +14155550100"})
	wait(t, "the call is over", l.over)
	if c.RingStartedAt.IsZero() || c.ConnectedAt.Before(c.RingStartedAt) || c.DisconnectReason != "CONTACT_FLOW_DISCONNECT" {
		t.Errorf("times of %+v", c)
	}
}

func TestCallFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW", `b|DisconnectParticipant|||`)
	id := w.call(t, "f")
	w.dialer.leg(t, 0).hear(contact.LegEvent{Kind: contact.LegEnded, Reason: "TELECOM_BUSY"})
	c := w.until(t, id, "ended", ended)
	if c.DisconnectReason != "TELECOM_BUSY" || !c.ConnectedAt.IsZero() {
		t.Errorf("%+v", c)
	}
	same(t, w.events(t, id), []string{"INITIATED", "DISCONNECTED", "COMPLETED"})
	err := w.m.Stop(t.Context(), w.in, string(id), "")
	if !fault.Is(err, fault.ContactNotFound) {
		t.Errorf("stopping it again: %v", err)
	}
}

// toQueue is a flow that puts the contact into a queue.
func toQueue(w *world, t *testing.T, id, queue string) {
	w.config.flow(t, id, "CONTACT_FLOW",
		`a|UpdateContactTargetQueue|{"QueueId":"`+queue+`"}|b|"Errors":[{"ErrorType":"NoMatchingError","NextAction":"x"}]`,
		`b|TransferContactToQueue||x|"Errors":[{"ErrorType":"QueueAtCapacity","NextAction":"full"},{"ErrorType":"NoMatchingError","NextAction":"x"}]`,
		`full|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"full":"yes"}}|x|`,
		`x|DisconnectParticipant|||`)
}

func TestQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := int32(1)
	w.config.queue("q", &one)
	w.config.flow(t, "default CUSTOMER_QUEUE", "CUSTOMER_QUEUE",
		`m|MessageParticipant|{"Text":"Please wait."}|l|`,
		`l|MessageParticipantIteratively|{"Messages":[{"Text":"music"}]}||`)
	toQueue(w, t, "f", "q")
	id := w.call(t, "f")
	l := w.dialer.leg(t, 0)
	l.hear(contact.LegEvent{Kind: contact.LegAnswered})
	c := w.until(t, id, "queued", queued)
	if p, ok := w.m.Position(w.in, c); !ok || p.Place != 1 {
		t.Errorf("position %+v %v", p, ok)
	}
	w.until(t, id, "waiting with music", func(*domain.Contact) bool { return slices.Contains(l.heard(), "music") })

	second := w.call(t, "f")
	w.dialer.leg(t, 1).hear(contact.LegEvent{Kind: contact.LegAnswered})
	w.until(t, second, "ended", ended)
	if a, _ := w.m.Attributes(t.Context(), w.in, second); a["full"] != "yes" {
		t.Errorf("the queue was not full: %v", a)
	}

	if err := w.m.Join(t.Context(), w.in, id, domain.ContactAgent{ID: "u", UserName: "jo"}); err != nil {
		t.Fatal(err)
	}
	c = w.until(t, id, "with its agent", func(c *domain.Contact) bool { return c.Agent != nil && !c.Agent.ConnectedAt.IsZero() })
	if queued(c) {
		t.Error("it still waits")
	}
	if !strings.Contains(strings.Join(w.path(t, id), "\n"), "An agent was found.") {
		t.Errorf("path %q", w.path(t, id))
	}
	l.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: "CUSTOMER_DISCONNECT"})
	w.until(t, id, "ended", ended)
	same(t, w.events(t, id), []string{"INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "CONNECTED_TO_AGENT", "DISCONNECTED", "COMPLETED"})
}

func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.queue("q", nil)
	toQueue(w, t, "f", "q")
	task, call := w.task(t, "f"), w.call(t, "f")
	w.dialer.leg(t, 0).hear(contact.LegEvent{Kind: contact.LegAnswered})
	w.until(t, task, "queued", queued)
	w.until(t, call, "queued", queued)
	w.restart(t)
	c := w.until(t, call, "ended", ended)
	if c.DisconnectReason != "TELECOM_PROBLEM" {
		t.Errorf("the call ended with %s", c.DisconnectReason)
	}
	c = w.read(t, task)
	if p, ok := w.m.Position(w.in, c); !ok || p.Place != 1 {
		t.Errorf("the task waits no more: %+v %v", p, ok)
	}
	if err := w.m.Stop(t.Context(), w.in, string(task), ""); err != nil {
		t.Fatal(err)
	}
	if c = w.until(t, task, "ended", ended); c.DisconnectReason != "API" {
		t.Errorf("reason %s", c.DisconnectReason)
	}
}
