package call

import (
	"errors"
	"slices"
	"time"

	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sip"
)

// leastRing is how much of its ringing time a call must have left to be made again.
const leastRing = time.Second

// detour makes a call that its trunk has not taken by the next that leads to the
// number (RFC 3261 §21.5.4), within the time that it may ring. False when there is
// none, or no time.
//
// A number that has a trunk of its own is not shown by others, and a telephone that
// has registered here is nowhere else.
func (l *leg) detour(why string) bool {
	c := l.calls
	left := l.until.Sub(c.o.Now())
	if l.direction != outbound || l.answered || l.ringing || c.ctx.Err() != nil || left < leastRing {
		return false
	}
	if own := c.ownTrunk(l.call); own != "" {
		return false
	}
	endpoint := c.Endpoint()
	if endpoint == nil || c.trunks[l.trunk].Registrar {
		return false
	}
	routes := endpoint.Routes(l.call.To)
	next := slices.IndexFunc(routes, func(name string) bool { return !slices.Contains(l.tried, name) })
	if next < 0 {
		return false
	}
	c.o.Logger.Warn("a call is made again by another trunk", "trunk", l.trunk, "next", routes[next], "reason", why,
		"to", tail(l.to), "contact", string(l.call.ContactID))
	var stats media.Stats
	if s := l.session.Swap(nil); s != nil {
		stats = s.Stats()
		s.Close()
	}
	if l.line != nil {
		l.logEnd(why, c.o.Now(), stats)
	}
	l.line, l.stream, l.silent = nil, nil, false
	l.trunk = routes[next]
	l.attempt(left)
	return true
}

// notTaken tells whether a call has ended because its trunk could not take it, and not
// for anything about whoever is called: it was out of reach, silent, in trouble, or did
// not like the password. What a gateway says by a cause of the telephone network counts
// more than its status.
func notTaken(ev sip.Event) bool {
	switch ev.Cause {
	case sip.Failed:
		return ev.Status == 0
	case sip.NoAnswer:
		return true
	case sip.Refused:
		trunks := ev.Status/100 == 5 || ev.Status == 401 || ev.Status == 407
		return trunks && reason(ev, false) == problem
	case sip.HungUpHere, sip.HungUpThere, sip.Cancelled, sip.RangOut, sip.NoACK, sip.Expired:
	}
	return false
}

// elsewhere tells whether a call that could not be sent by a trunk may be by another.
// Without ports for sound it cannot.
func elsewhere(err error) bool {
	return !errors.Is(err, media.ErrNoPorts) && !errors.Is(err, sip.ErrUnreachable)
}
