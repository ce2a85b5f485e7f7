package contact

import (
	"sync/atomic"
	"time"
)

// line is a leg, and who hears what happens to it. It moves with the customer
// from one contact of a chain to the next, so the leg need not know of contacts.
type line struct {
	// owner is the contact that has the leg now.
	owner atomic.Pointer[live]
	// leg is nil until the call has been placed. It belongs to the owner's
	// goroutine.
	leg Leg
}

// newLine is one for a call that this contact places.
func (l *live) newLine() *line {
	n := &line{}
	n.owner.Store(l)
	return n
}

// hear brings an event of the leg to its contact's owner. It may block. What
// happens to a leg that belongs to no contact any more is of no interest.
func (n *line) hear(ev LegEvent) {
	for {
		l := n.owner.Load()
		if l.send(func(t *Transition) { t.lineEvent(n, ev) }) || n.owner.Load() == l {
			return
		}
	}
}

// lineEvent is something that has happened to a leg. A leg that was given up has
// nothing to say.
func (t *Transition) lineEvent(n *line, ev LegEvent) {
	if !ev.At.IsZero() && ev.At.Before(t.at) { // what follows from it has its time
		t.at = latest(ev.At, t.c.UpdatedAt)
	}
	switch {
	case t.c.Ended():
	case n == t.line:
		t.legEvent(ev)
	case n == t.third:
		t.thirdEvent(ev)
	}
}

// latest is the later of two times.
func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// hangup ends the call.
func (n *line) hangup() {
	if n != nil && n.leg != nil {
		n.leg.Hangup()
	}
}

// hangupAll ends the calls of a contact that is given up here.
func (l *live) hangupAll() {
	if l.arrival != nil { // it may not have been answered
		l.arrival.Hangup()
	}
	l.line.hangup()
	l.third.hangup()
	l.line, l.third = nil, nil
}
