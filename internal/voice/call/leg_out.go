package call

import (
	"time"

	"ringdown/internal/voice/sip"
)

// invite makes the call by its trunk.
func (l *leg) invite() { l.ring(l.call.RingTimeout) }

// ring makes the call, which may ring for some time (0 for a minute).
func (l *leg) ring(patience time.Duration) {
	endpoint := l.calls.Endpoint()
	if l.trunk == "" || endpoint == nil {
		l.fail("no trunk leads there", nil)
		return
	}
	media, err := l.connect()
	if err != nil {
		l.fail("no port for the sound", err)
		return
	}
	l.line, err = endpoint.Dial(sip.Invitation{
		Trunk: l.trunk, To: l.call.To, From: l.call.From, FromName: l.call.FromName,
		Ring: patience, Media: media, Hear: l.signal,
	})
	if err != nil {
		l.fail("it cannot be sent", err)
		return
	}
	l.began = l.line.At()
	l.logBegin()
}

// fail ends a call that could not even begin.
func (l *leg) fail(what string, err error) {
	attrs := []any{"trunk", l.trunk, "to", tail(l.to), "contact", string(l.call.ContactID), "why", what}
	if err != nil {
		attrs = append(attrs, "error", err)
	}
	l.calls.o.Logger.Error("a call cannot be made", attrs...)
	l.ended(problem, l.calls.o.Now())
}
