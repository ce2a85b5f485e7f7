package call

import (
	"cmp"
	"time"

	"ringdown/internal/contact"
)

// longestRing is how long a call rings that does not say so itself.
const longestRing = time.Minute

// referral is what came of a REFER: the final status that the far side got from
// whoever it was to call, 0 when it could not be asked. Over: the call to the far
// side has ended.
type referral struct {
	status int
	at     time.Time
	over   bool
}

// transferor is the leg whose far side is to make a call that would go out by a
// trunk itself, nil for none. Telephones that have registered here are not to be
// reached by others.
func (c *Calls) transferor(f contact.Leg, trunk string) *leg {
	from := own(f)
	if from == nil || trunk == "" || !c.trunks[from.trunk].Refer || c.trunks[trunk].Registrar && trunk != from.trunk {
		return nil
	}
	return from
}

// transfer has the far side of another leg make the call (RFC 3515, RFC 5589 §6).
// If it does not, the call is made here.
func (l *leg) transfer(from *leg) {
	patience := cmp.Or(l.call.RingTimeout, longestRing)
	// Nothing can call a REFER back: whoever answers later talks to the far side
	// without us.
	l.patience = time.AfterFunc(patience, func() {
		l.note(func() { l.ended(unanswered, l.calls.o.Now()) })
	})
	l.logBegin()
	asked := from.ask(func() {
		from.refer(l.call.To, func(r referral) {
			l.note(func() { l.referred(from, patience, r) })
		})
	})
	if !asked {
		l.referred(from, patience, referral{over: true})
	}
}

// refer asks the far side to call somebody, on the goroutine of its leg.
func (l *leg) refer(to string, done func(referral)) {
	switch {
	case l.over:
		done(referral{over: true})
	case !l.answered || l.line == nil || l.referring != nil:
		done(referral{})
	default:
		l.referring = done
		l.line.Refer(to)
	}
}

// referred is what came of it.
func (l *leg) referred(from *leg, patience time.Duration, r referral) {
	if l.answered { // it was told before
		return
	}
	l.patience.Stop()
	now := l.calls.o.Now()
	switch {
	case r.over:
		l.ended(hungUp, now)
	case r.status/100 == 2:
		l.connected(r.at)
		// Who was referred talks to somebody else now, and not to us. The call ends
		// as if they had hung up, which some do themselves.
		left := func() {
			from.end(hungUp, from.calls.o.Now())
			l.note(func() { l.ended(hungUp, l.calls.o.Now()) })
		}
		if !from.ask(left) {
			l.ended(hungUp, now)
		}
	default:
		l.calls.o.Logger.Warn("a transfer was refused and is made by a second call", "call", from.id(), "trunk", from.trunk, "status", r.status)
		left := patience - now.Sub(l.began)
		if left < time.Second {
			l.ended(unanswered, now)
			return
		}
		l.ring(left)
	}
}
