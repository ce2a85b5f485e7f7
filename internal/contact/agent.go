package contact

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
)

// Join gives a queued contact its agent, who has accepted it: what the customer
// hears in the queue is interrupted, both sides hear their whisper, then they
// are joined. The customer of a callback is called when the agent has heard the
// whisper, and hears the outbound whisper instead of the customer's.
func (m *Manager) Join(ctx context.Context, in Instance, id domain.ContactID, a domain.ContactAgent) error {
	return m.Do(ctx, in, string(id), func(t *Transition) error {
		if !t.queued() {
			return fault.New(fault.InvalidRequest, "Contact %s is in no queue.", id)
		}
		a.AcceptedAt = t.at
		t.c.Agent = &a
		t.interrupt(customer, "An agent was found.")
		t.dequeue()
		// A chat has whispers only if a flow has set them (administrator guide,
		// "Set whisper flow").
		byDefault := t.c.Channel == types.ChannelVoice
		if f, ok := t.hook("AgentWhisper", byDefault); ok {
			t.run(agent, whisper, f)
		}
		if f, ok := t.hook("CustomerWhisper", byDefault); ok && t.st.Callback == nil && !t.c.Ended() {
			t.run(customer, whisper, f)
		}
		t.whispered()
		return nil
	})
}

// whispered joins agent and customer when neither hears a whisper any more, or
// calls the customer.
func (t *Transition) whispered() {
	a := t.c.Agent
	if a == nil || !a.ConnectedAt.IsZero() || t.c.Ended() || t.st.Dial != nil {
		return
	}
	for _, th := range t.st.Threads {
		if th.For == whisper || th.For == greeting {
			return
		}
	}
	if t.st.Callback != nil {
		t.callBack()
		return
	}
	t.joinAgent()
}

// joinAgent connects agent and customer.
func (t *Transition) joinAgent() {
	a := *t.c.Agent
	a.ConnectedAt = t.at
	t.c.Agent = &a
	t.event(ConnectedToAgent)
	t.agentJoinsChat(&a)
}

// holding is who is on hold of a contact, and how long the customer has been.
type holding struct {
	Customer, Agent bool          `json:",omitempty"`
	Since           time.Time     `json:",omitzero"` // of the customer's hold
	Count           int           `json:",omitempty"`
	Total, Longest  time.Duration `json:",omitempty"`
}

// Hold puts customer and agent of a call on hold, or takes them off it. Who is
// put on hold hears a hold flow (administrator guide, "Set hold flow").
func (m *Manager) Hold(ctx context.Context, in Instance, id domain.ContactID, customerHeld, agentHeld bool) error {
	return m.Do(ctx, in, string(id), func(t *Transition) error {
		if t.c.Channel != types.ChannelVoice || t.c.Agent == nil || t.c.Agent.ConnectedAt.IsZero() || t.c.Ended() {
			return fault.New(fault.InvalidRequest, "Contact %s is no call with an agent.", id)
		}
		t.hold(customerHeld, agentHeld)
		return nil
	})
}

func (t *Transition) hold(customerHeld, agentHeld bool) {
	h := &t.st.Hold
	switch {
	case customerHeld && !h.Customer:
		h.Count++
		h.Since = t.at
	case !customerHeld:
		t.endHold()
	}
	was := *h
	h.Customer, h.Agent = customerHeld, agentHeld
	for _, who := range []struct {
		side    side
		was, is bool
		hook    string
	}{{customer, was.Customer, customerHeld, "CustomerHold"}, {agent, was.Agent, agentHeld, "AgentHold"}} {
		switch th := t.st.Threads[who.side]; {
		case who.is && !who.was:
			if f, ok := t.hook(who.hook, true); ok {
				t.run(who.side, hold, f)
			}
		case !who.is && th != nil && th.For == hold:
			t.interrupt(who.side, "The hold ended.")
		}
	}
}

// endHold counts the hold of the customer that ends.
func (t *Transition) endHold() {
	h := &t.st.Hold
	if h.Since.IsZero() {
		return
	}
	lasted := t.at.Sub(h.Since)
	h.Total += lasted
	h.Longest = max(h.Longest, lasted)
	h.Since = time.Time{}
}

// Leave ends the agent's part. If a flow has set a disconnect flow and the
// customer is still there, a new contact runs it (administrator guide, "Set
// disconnect flow"); otherwise the contact ends.
func (m *Manager) Leave(ctx context.Context, in Instance, id domain.ContactID, reason string) error {
	return m.Do(ctx, in, string(id), func(t *Transition) error {
		if t.c.Agent == nil || t.c.Ended() {
			return fault.New(fault.InvalidRequest, "Contact %s is with no agent.", id)
		}
		t.agentLeaves(reason)
		return nil
	})
}

func (t *Transition) agentLeaves(reason string) {
	if !t.afterwards(reason) {
		t.disconnect(reason)
	}
}

// afterwards has a new contact of the chain run the disconnect flow; false when
// no flow has set one, or nobody would hear it. The new contact has none itself
// unless its flow sets one, so it comes to an end.
func (t *Transition) afterwards(reason string) bool {
	f, ok := t.hook("CustomerRemaining", false)
	if !ok || t.c.Channel == types.ChannelVoice && t.line == nil {
		return false
	}
	b := t.successor(types.ContactInitiationMethodDisconnect)
	delete(b.c.Hooks, "CustomerRemaining")
	if t.c.Channel == types.ChannelTask { // the one that expires begins anew
		b.c.ExpiresAt = t.at.Add(taskLife)
	}
	b.c.FlowID = domain.ContactFlowID(f.ID)
	b.st.Flow = &f
	t.c.DisconnectReason = reason
	t.hand(b)
	return true
}

// toAgent answers TransferContactToAgent: the contact goes to the queue of the
// agent whose transfer it is. An agent who cannot take it ends the contact.
func (t *Transition) toAgent() machine.Reply {
	if t.c.TargetQueue == nil || t.c.TargetQueue.AgentID == "" || t.queued() {
		return failed
	}
	return t.flowEnqueue(&machine.EnqueueRequest{Queue: *t.c.TargetQueue})
}

// holdPrevious answers UpdatePreviousContactParticipantState: who is on hold of
// the contact that is being transferred.
func (t *Transition) holdPrevious(r *machine.HoldRequest) machine.Reply {
	if t.c.PreviousID == "" {
		return failed
	}
	in, id, m := t.in, t.c.PreviousID, t.m
	t.After(func() {
		m.spawn(func() { _ = m.Hold(m.ctx, in, id, r.State == "CustomerOnHold", r.State == "AgentOnHold") })
	})
	return machine.Reply{}
}
