package contact

import (
	"context"
	"slices"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// ChatTimer is a timeout of one role (administrator guide, "Set up chat timeouts
// for chat participants").
type ChatTimer struct {
	Role string // CUSTOMER, or AGENT, which custom bots count as
	// Drop is the one that ends the part of whoever is not the customer; the other
	// marks a participant as idle.
	Drop  bool
	After time.Duration // 0 removes the timer
}

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
		for _, n := range set {
			st.Timers = slices.DeleteFunc(slices.Clone(st.Timers), func(o ChatTimer) bool { return o.Role == n.Role && o.Drop == n.Drop })
			if n.After > 0 {
				st.Timers = append(st.Timers, n)
			}
		}
		return nil
	})
}

// runTimers begins the timers when both sides are there, and ends them when one
// of them is not any more.
func (t *Transition) runTimers() {
	st := t.st.Chat
	both := false
	for _, p := range st.inRole(domain.ChatAgent, domain.ChatBot) {
		both = both || !p.JoinedAt.IsZero()
	}
	both = both && len(st.inRole(domain.ChatCustomer)) > 0
	switch {
	case both && st.RunningSince.IsZero():
		st.Running, st.RunningSince = st.Timers, t.at
	case !both:
		st.Running, st.RunningSince = nil, time.Time{}
	}
}

// heard notes that a participant has said something.
func (t *Transition) heard(p *domain.ChatParticipant) {
	p.HeardAt = t.at
	if !p.IdleAt.IsZero() {
		p.IdleAt = time.Time{}
		t.tell(eventOfParticipant(domain.ChatReturned, p))
	}
}

// timerRole is the role of a participant as timers have it.
func timerRole(p *domain.ChatParticipant) string {
	if p.Role == domain.ChatBot {
		return domain.ChatAgent
	}
	return p.Role
}

// idleDue is when a participant becomes idle, and dropDue when whoever is not the
// customer is disconnected for it; zero for never. The second timer begins when
// the first is over.
func (st *chatState) idleDue(p *domain.ChatParticipant) (idle, drop time.Time) {
	if st.RunningSince.IsZero() || p.JoinedAt.IsZero() {
		return idle, drop
	}
	since := st.RunningSince
	for _, at := range []time.Time{p.HeardAt, p.JoinedAt} {
		if at.After(since) {
			since = at
		}
	}
	after := func(drops bool) time.Duration {
		for _, timer := range st.Running {
			if timer.Role == timerRole(p) && timer.Drop == drops {
				return timer.After
			}
		}
		return 0
	}
	toIdle, toDrop := after(false), after(true)
	if toIdle > 0 && p.IdleAt.IsZero() {
		idle = since.Add(toIdle)
	}
	switch {
	case toDrop == 0:
	case toIdle == 0:
		drop = since.Add(toDrop)
	case !p.IdleAt.IsZero():
		drop = p.IdleAt.Add(toDrop)
	}
	return idle, drop
}

// chatDeadline is when something happens in the chat by itself.
func (l *live) chatDeadline() time.Time {
	var first time.Time
	add := func(at time.Time) {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	st := l.st.Chat
	if st == nil || l.c.Ended() {
		return first
	}
	for i := range st.Participants {
		p := &st.Participants[i]
		if !p.LeftAt.IsZero() {
			continue
		}
		if p.JoinedAt.IsZero() {
			add(ConnectBy(p))
		}
		idle, drop := st.idleDue(p)
		add(idle)
		add(drop)
	}
	return first
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
		idle, drop := st.idleDue(p)
		if past(idle) {
			p.IdleAt = idle
			t.tell(eventOfParticipant(domain.ChatIdle, p))
			_, drop = st.idleDue(p)
		}
		if past(drop) {
			t.tell(eventOfParticipant(domain.ChatDropped, p))
			t.dropOthers()
			return
		}
	}
}

// dropOthers ends the part of everybody but the customer, for idleness.
func (t *Transition) dropOthers() {
	st := t.st.Chat
	for _, p := range st.inRole(domain.ChatBot) {
		t.left(p)
	}
	if !t.c.Ended() && t.c.Agent != nil {
		t.agentLeaves("IDLE_DISCONNECT")
	}
}
