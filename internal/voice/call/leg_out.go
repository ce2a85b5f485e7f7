package call

import (
	"cmp"
	"errors"
	"time"

	"ringdown/internal/voice/sip"
)

// invite makes the call by its trunk.
func (l *leg) invite() { l.ring(l.call.RingTimeout) }

// ring makes the call, which may ring for some time (0 for a minute).
func (l *leg) ring(patience time.Duration) {
	l.until = l.calls.o.Now().Add(cmp.Or(patience, longestRing))
	l.attempt(patience)
}

// attempt makes the call by the trunk that it has now.
func (l *leg) attempt(patience time.Duration) {
	endpoint := l.calls.Endpoint()
	if l.trunk == "" || endpoint == nil {
		l.fail(problem, errNoTrunk)
		return
	}
	l.tried = append(l.tried, l.trunk)
	sound, err := l.connect(endpoint)
	if err != nil {
		l.fail(reasonOf(err), err)
		return
	}
	l.line, err = endpoint.Dial(sip.Invitation{
		Trunk: l.trunk, To: l.call.To, From: l.call.From, FromName: l.call.FromName,
		Ring: patience, Media: sound, Hear: l.signal,
	})
	if err != nil {
		l.fail(reasonOf(err), err)
		return
	}
	l.began = l.line.At()
	l.logBegin()
}

// errNoTrunk is that of a call that no trunk is for.
var errNoTrunk = errors.New("no trunk leads there")

// reasonOf is the reason of a call that cannot be sent.
func reasonOf(err error) string {
	if errors.Is(err, sip.ErrUnreachable) { // as the network says of telephones that are switched off
		return unanswered
	}
	return problem
}

// fail ends a call that could not even begin, unless another trunk takes it.
func (l *leg) fail(why string, err error) {
	if elsewhere(err) && l.detour(why) {
		return
	}
	l.calls.o.Logger.Error("a call cannot be made", "trunk", l.trunk, "to", tail(l.to), "contact", string(l.call.ContactID), "error", err)
	l.ended(why, l.calls.o.Now())
}
