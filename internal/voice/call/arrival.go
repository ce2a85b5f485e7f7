package call

import (
	"strings"
	"time"

	"ringdown/internal/contact"
	"ringdown/internal/voice/sip"
)

// Arrival is a call that has come in. It is a contact.Arrival.
type Arrival struct {
	contact.Arrival
	To, From, FromName string // as sip.Call has them
	Trunk              string
	At                 time.Time
	// Headers are $.Media.Sip.Headers: the last value of each name.
	Headers map[string]string

	leg *leg
}

// Reject refuses the call with a SIP status.
func (a *Arrival) Reject(status int) { a.leg.reject(status) }

// Records implements contact.Recorder.
func (a *Arrival) Records() bool { return a.leg.Records() }

// own is the leg.
func (a *Arrival) own() *leg { return a.leg }

// incoming is told of a call that has come in.
func (c *Calls) incoming(call *sip.Call) {
	if !c.start(func() { c.arrive(call) }) {
		call.Reject(unavailable)
	}
}

// Final answers of this side (RFC 3261 §21).
const (
	notNow      = 480 // Temporarily Unavailable
	unavailable = 503 // Service Unavailable
)

func (c *Calls) arrive(call *sip.Call) {
	select {
	case <-c.ready:
	case <-c.ctx.Done():
		call.Reject(unavailable)
		return
	}
	l := c.newLeg(inbound, call.Trunk(), call.From(), call.To())
	l.line, l.began = call, call.At()
	a := &Arrival{
		Arrival: &arrival{leg: l}, leg: l,
		To: call.To(), From: call.From(), FromName: call.FromName(), Trunk: call.Trunk(), At: call.At(),
		Headers: map[string]string{},
	}
	for _, h := range call.Headers() {
		setHeader(a.Headers, h)
	}
	l.logBegin()
	c.o.Arrive(a)
}

// setHeader keeps the last value of a name. Names are alike in whatever case (RFC
// 3261 §7.3.1); how it was written last is kept.
func setHeader(all map[string]string, h sip.Header) {
	for name := range all {
		if strings.EqualFold(name, h.Name) {
			delete(all, name)
		}
	}
	all[h.Name] = h.Value
}

// arrival is the leg of a call that has come in. Until Answer it has no goroutine.
type arrival struct{ *leg }

var _ contact.Arrival = (*arrival)(nil)

// Answer implements contact.Arrival. After Close nothing is told.
func (a *arrival) Answer(hear func(contact.LegEvent)) {
	l := a.leg
	l.mu.Lock()
	again := l.taken
	l.taken = true
	l.mu.Unlock()
	if again {
		return
	}
	l.hear = hear
	if !l.calls.start(func() { l.run(l.answer) }) {
		l.line.Reject(unavailable)
	}
}

// answer picks up. A caller who has gone is told of by the signalling at once.
func (l *leg) answer() {
	sound, err := l.connect(l.calls.Endpoint())
	if err != nil {
		l.calls.o.Logger.Error("a call cannot be answered", "call", l.id(), "trunk", l.trunk, "error", err)
		l.line.Reject(unavailable)
		l.ended(problem, l.calls.o.Now())
		return
	}
	l.line.Answer(sound, l.signal)
}

// Hangup implements contact.Leg. A call that is not answered yet is refused.
func (a *arrival) Hangup() {
	a.mu.Lock()
	taken := a.taken
	a.mu.Unlock()
	if taken {
		a.leg.Hangup()
		return
	}
	a.reject(notNow)
}

// reject refuses a call that has not been answered.
func (l *leg) reject(status int) {
	l.line.Reject(status)
	l.calls.o.Logger.Info("call refused", "call", l.id(), "trunk", l.trunk, "status", status)
}
