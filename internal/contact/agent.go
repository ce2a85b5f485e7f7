package contact

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
)

// Join gives a queued contact its agent, who has accepted it: what the customer
// hears in the queue is interrupted, both sides hear their whisper, then they
// are joined.
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
		for _, w := range []struct {
			side side
			hook string
		}{{agent, "AgentWhisper"}, {customer, "CustomerWhisper"}} {
			if f, ok := t.hook(w.hook, byDefault); ok {
				t.run(w.side, whisper, f)
			}
			if t.c.Ended() {
				return nil
			}
		}
		t.whispered()
		return nil
	})
}

// whispered joins agent and customer when neither hears a whisper any more.
func (t *Transition) whispered() {
	a := t.c.Agent
	if a == nil || !a.ConnectedAt.IsZero() || t.c.Ended() {
		return
	}
	for _, th := range t.st.Threads {
		if th.For == whisper {
			return
		}
	}
	a.ConnectedAt = t.at
	t.event(ConnectedToAgent)
	t.agentJoinsChat(a)
}

// Hold puts customer and agent on hold, or takes them off it: each hears a hold
// flow.
func (m *Manager) Hold(ctx context.Context, in Instance, id domain.ContactID, on bool) error {
	return m.Do(ctx, in, string(id), func(t *Transition) error {
		if t.c.Agent == nil || t.c.Agent.ConnectedAt.IsZero() || t.c.Ended() {
			return fault.New(fault.InvalidRequest, "Contact %s is with no agent.", id)
		}
		t.hold(on, customer, agent)
		return nil
	})
}

var holdHooks = map[side]string{customer: "CustomerHold", agent: "AgentHold"}

func (t *Transition) hold(on bool, who ...side) {
	t.st.Held = on
	for _, s := range who {
		if !on {
			t.interrupt(s, "The hold ended.")
			continue
		}
		if f, ok := t.hook(holdHooks[s], true); ok {
			t.run(s, hold, f)
		}
	}
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
	f, ok := t.hook("CustomerRemaining", false)
	if !ok || t.c.Channel == types.ChannelVoice && t.leg == nil {
		t.disconnect(reason)
		return
	}
	b := t.successor(types.ContactInitiationMethodDisconnect)
	b.c.FlowID = domain.ContactFlowID(f.ID)
	b.st.Flow = &f
	t.c.DisconnectReason = reason
	t.hand(b)
}

// toAgent answers TransferContactToAgent: the contact goes to the queue of the
// agent whose transfer it is.
func (t *Transition) toAgent() machine.Reply {
	if t.c.TargetQueue == nil || t.c.TargetQueue.AgentID == "" {
		t.disconnect("OTHER")
		return machine.Reply{}
	}
	return t.flowEnqueue(&machine.EnqueueRequest{Queue: *t.c.TargetQueue})
}

// holdPrevious answers UpdatePreviousContactParticipantState: who is on hold of
// the contact that is being transferred.
func (t *Transition) holdPrevious(r *machine.HoldRequest) machine.Reply {
	if t.c.PreviousID == "" {
		return failed
	}
	in, id, m := t.in, string(t.c.PreviousID), t.m
	on, who := true, []side{customer}
	switch r.State {
	case "AgentOnHold":
		who = []side{agent}
	case "OffHold":
		on, who = false, []side{customer, agent}
	}
	t.After(func() {
		m.spawn(func() {
			_ = m.Do(m.ctx, in, id, func(t *Transition) error {
				if !t.c.Ended() {
					t.hold(on, who...)
				}
				return nil
			})
		})
	})
	return machine.Reply{}
}
