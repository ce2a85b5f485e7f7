package talk

import (
	"slices"
	"time"

	"ringdown/internal/domain"
)

// Timer is a timeout of one role (administrator guide, "Set up chat timeouts for
// chat participants").
type Timer struct {
	Role string // CUSTOMER, or AGENT, which custom bots count as
	// Drop is the one that ends the part of whoever is not the customer; the other
	// marks a participant as idle.
	Drop  bool
	After time.Duration // 0 removes the timer
}

// SetTimers changes timers. Those that run are not touched: what is set applies
// when the next agent or bot joins.
func (st *State) SetTimers(set []Timer) {
	for _, n := range set {
		st.Timers = slices.DeleteFunc(slices.Clone(st.Timers), func(o Timer) bool { return o.Role == n.Role && o.Drop == n.Drop })
		if n.After > 0 {
			st.Timers = append(st.Timers, n)
		}
	}
}

// RunTimers begins the timers when both sides are there, and ends them when one of
// them is not any more.
func (st *State) RunTimers(at time.Time) {
	both := false
	for _, p := range st.InRole(domain.ChatAgent, domain.ChatBot) {
		both = both || !p.JoinedAt.IsZero()
	}
	both = both && len(st.InRole(domain.ChatCustomer)) > 0
	switch {
	case both && st.RunningSince.IsZero():
		st.Running, st.RunningSince = st.Timers, at
	case !both:
		st.Running, st.RunningSince = nil, time.Time{}
	}
}

// timerRole is the role of a participant as timers have it.
func timerRole(p *domain.ChatParticipant) string {
	if p.Role == domain.ChatBot {
		return domain.ChatAgent
	}
	return p.Role
}

// IdleDue is when a participant becomes idle, and when whoever is not the customer
// is disconnected for it; zero for never. The second timer begins when the first is
// over.
func (st *State) IdleDue(p *domain.ChatParticipant) (idle, drop time.Time) {
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

// Deadline is when something happens in the chat by itself, zero for never.
func (st *State) Deadline() time.Time {
	var first time.Time
	add := func(at time.Time) {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	for i := range st.Participants {
		p := &st.Participants[i]
		if !p.LeftAt.IsZero() {
			continue
		}
		if p.JoinedAt.IsZero() {
			add(ConnectBy(p))
		}
		idle, drop := st.IdleDue(p)
		add(idle)
		add(drop)
	}
	return first
}
