package contact

import (
	"context"
	"time"

	"ringdown/internal/contact/talk"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// SetTimers changes timers. Those that run are not touched: what is set applies
// when the next agent or bot joins.
func (m *Manager) SetTimers(ctx context.Context, in Instance, id string, set []ChatTimer) error {
	contact, err := contactID(in, id)
	if err != nil {
		return err
	}
	return m.inChat(ctx, in, domain.ContactID(contact), func(t *Transition, st *chatState) error {
		if t.c.Ended() {
			return fault.New(fault.InvalidRequest, "Contact %s has ended.", t.id)
		}
		st.SetTimers(set)
		return nil
	})
}

// heard notes that a participant has said something.
func (t *Transition) heard(p *domain.ChatParticipant) {
	p.HeardAt = t.at
	if !p.IdleAt.IsZero() {
		p.IdleAt = time.Time{}
		t.tell(talk.Event(domain.ChatReturned, p))
	}
}

// chatDeadline is when something happens in the chat by itself.
func (l *live) chatDeadline() time.Time {
	if st := l.st.Chat; st != nil && !l.c.Ended() {
		return st.Deadline()
	}
	return time.Time{}
}

// chatDue does what is due in the chat.
func (t *Transition) chatDue() {
	st := t.st.Chat
	past := func(at time.Time) bool { return !at.IsZero() && !at.After(t.at) }
	for i := 0; st != nil && i < len(st.Participants) && !t.c.Ended(); i++ {
		p := &st.Participants[i]
		if !p.LeftAt.IsZero() {
			continue
		}
		if p.JoinedAt.IsZero() && past(ConnectBy(p)) {
			if p.Role == domain.ChatCustomer {
				t.disconnect("CUSTOMER_CONNECTION_NOT_ESTABLISHED")
				return
			}
			t.left(p)
			continue
		}
		idle, drop := st.IdleDue(p)
		if past(idle) {
			p.IdleAt = idle
			t.tell(talk.Event(domain.ChatIdle, p))
			_, drop = st.IdleDue(p)
		}
		if past(drop) {
			t.tell(talk.Event(domain.ChatDropped, p))
			t.dropOthers()
			return
		}
	}
}

// dropOthers ends the part of everybody but the customer, for idleness.
func (t *Transition) dropOthers() {
	st := t.st.Chat
	for _, p := range st.InRole(domain.ChatBot) {
		t.left(p)
	}
	if !t.c.Ended() && t.c.Agent != nil {
		t.agentLeaves("IDLE_DISCONNECT")
	}
}
