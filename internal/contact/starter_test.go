package contact_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
	"ringdown/internal/starter"
)

// addStarter adds the flows of a new instance, by their names, and its queue.
func addStarter(t *testing.T, c *config) {
	t.Helper()
	c.queue("basic", nil)
	refs := starter.Refs{
		Prompt:     func(name string) string { return "prompt " + name },
		Flow:       func(name string) string { return name },
		BasicQueue: "basic", SampleFunction: "arn:aws:lambda:us-east-1:123456789012:function:sample",
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range starter.Flows() {
		doc, problems := flow.Parse(f.Content(refs))
		if len(problems) > 0 {
			t.Fatalf("%s: %v", f.Name, problems)
		}
		c.docs[f.Name] = doc
		ref := machine.Ref{ID: f.Name, ARN: f.Name, Name: f.Name, Type: flow.Type(f.Type), Content: f.Name}
		c.flows[f.Name] = ref
		if f.Default {
			c.flows["default "+f.Type] = ref
		}
	}
}

// TestFlowsOfANewInstanceRun: every flow that a new instance has runs, as what it
// is for, on every channel, until the contact ends or waits; none comes to an end
// that nobody has thought of.
func TestFlowsOfANewInstanceRun(t *testing.T) {
	t.Parallel()
	for _, f := range starter.Flows() {
		for _, channel := range []types.Channel{types.ChannelVoice, types.ChannelChat, types.ChannelTask} {
			if f.Type == "AGENT_TRANSFER" && channel != types.ChannelVoice {
				continue // only calls are transferred to agents
			}
			t.Run(f.Name+"/"+string(channel), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.options.Lambda = lambdas{&atomic.Int32{}}
				w.restart(t)
				addStarter(t, w.config)
				id := w.runStarter(t, f, channel)
				w.until(t, id, "ended or waiting", func(c *domain.Contact) bool {
					if ended(c) {
						return true
					}
					return connected(c) || queued(c) && (f.Type != "CUSTOMER_QUEUE" || w.ran(t, id, f.Name)) ||
						waitsIn(t, w, id, f.Name) || w.ran(t, id, f.Name) && waitsIn(t, w, id, "")
				})
				for _, line := range w.lines(t, id) {
					if line.Note == "No branch takes the error." || line.Action == "" && line.Note != "" {
						t.Errorf("%s at %s: %s %s", line.Flow.Name, line.Action, line.Error, line.Note)
					}
				}
				// What waits in its first action has no line yet; whispers are heard on calls.
				if f.Type != "CUSTOMER_HOLD" && f.Type != "AGENT_HOLD" && (channel == types.ChannelVoice || f.Type == "CONTACT_FLOW") {
					w.until(t, id, "run by "+f.Name, func(*domain.Contact) bool {
						return waitsIn(t, w, id, f.Name) || w.ran(t, id, f.Name)
					})
				}
			})
		}
	}
}

// ran reports whether a flow has finished an action.
func (w *world) ran(t *testing.T, id domain.ContactID, flow string) bool {
	t.Helper()
	return slices.ContainsFunc(w.lines(t, id), func(l machine.Line) bool { return l.Flow.Name == flow })
}

// waitsIn reports whether a flow, "" for any, is at work on a contact.
func waitsIn(t *testing.T, w *world, id domain.ContactID, flow string) bool {
	t.Helper()
	all, err := contact.WaitingFor(w.row(t, id))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range all {
		if one.Flow.ID == flow || flow == "" && one.Flow.ID != "" {
			return true
		}
	}
	return false
}

// runStarter begins a contact that comes to run a flow as what it is for.
func (w *world) runStarter(t *testing.T, f starter.Flow, channel types.Channel) domain.ContactID {
	t.Helper()
	entry := f.Name
	switch f.Type {
	case "CUSTOMER_QUEUE":
		w.config.flow(t, "entry", "CONTACT_FLOW",
			`h|UpdateContactEventHooks|{"EventHooks":{"CustomerQueue":"`+f.Name+`"}}|a|`+nothingMatches,
			`a|UpdateContactTargetQueue|{"QueueId":"basic"}|b|`+nothingMatches, `b`+enqueues, `x|DisconnectParticipant|||`)
		entry = "entry"
	case "CONTACT_FLOW", "AGENT_TRANSFER", "QUEUE_TRANSFER":
	default: // whispers and holds come with an agent
		toQueue(w, t, "entry", "basic")
		entry = "entry"
	}
	s := contact.Spec{Contact: domain.Contact{Channel: channel, Method: types.ContactInitiationMethodApi}, Flow: flowOf(w, entry)}
	switch {
	case f.Type == "OUTBOUND_WHISPER" && channel == types.ChannelVoice:
		s = contact.CallbackSpec("basic", "+14155550100", w.now())
	case channel == types.ChannelVoice:
		s.Dial = &contact.Dial{To: "+14155550100"}
	case channel == types.ChannelChat:
		s.Chat = &contact.ChatSpec{Customer: domain.ChatParticipant{ID: domain.NewID(), DisplayName: "Ann"}}
	}
	switch f.Type { // what the quick connect names
	case "AGENT_TRANSFER":
		s.Contact.TargetQueue = &domain.ContactQueue{ID: "an agent", Name: "an agent", AgentID: "an agent"}
	case "QUEUE_TRANSFER":
		s.Contact.TargetQueue = &domain.ContactQueue{ID: "basic", Name: "basic"}
	}
	id := w.start(t, s)
	if s.Dial != nil {
		w.dialer.leg(t, 0).hear(contact.LegEvent{Kind: contact.LegAnswered})
	}
	if entry != "entry" || f.Type == "CUSTOMER_QUEUE" {
		return id
	}
	w.until(t, id, "queued", queued)
	if err := w.m.Join(t.Context(), w.in, id, jo); err != nil {
		t.Fatal(err)
	}
	if s.Callback != nil {
		w.dialer.leg(t, 0).hear(contact.LegEvent{Kind: contact.LegAnswered})
	}
	w.until(t, id, "with its agent", connected)
	if channel == types.ChannelVoice && (f.Type == "CUSTOMER_HOLD" || f.Type == "AGENT_HOLD") {
		if err := w.m.Hold(t.Context(), w.in, id, true, true); err != nil {
			t.Fatal(err)
		}
		if !waitsIn(t, w, id, f.Name) {
			t.Error("nobody hears the hold flow")
		}
	}
	return id
}
