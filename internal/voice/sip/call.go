package sip

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// phase is how far a call is.
type phase uint8

const (
	// ringing: there is no final answer to the INVITE yet.
	ringing phase = iota
	// talking: 200 was sent or received.
	talking
	// over: Ended has been told; what is left to do is between the endpoints.
	over
)

// mailLimit is how many messages of a far side wait for a call. Nobody sends as
// many but to harm; they come again or are missed.
const mailLimit = 256

// Call is a call of an endpoint, made or taken. What is posted to it is done one after the other,
// on a goroutine that is there as long as there is something to do; only that
// touches the call's state.
type Call struct {
	e                        *Endpoint
	trunk                    *Trunk
	out                      bool
	id, to, from, callerName string
	at                       time.Time
	headers                  []Header
	merge                    mergeKey

	boxMu   sync.Mutex
	box     []func()
	running bool
	gone    bool // nothing is done any more

	phase phase
	d     dialog
	// last is where the far side has last spoken from, went where the INVITE of a call
	// out was answered. forced is where requests go that no Route leads elsewhere, for a
	// telephone that is registered here.
	last   wire.Flow
	went   wire.Hop
	forced *wire.Hop
	media  Media
	hear   func(Event)
	done   *Event // Ended, for who comes to hear later
	held   bool

	inviting // a call out, before its answer
	serving  // INVITEs that came in: that of the call, and those within it
	revising // INVITEs of this side within the call
	session  // the session timer
	referral // REFER
}

// ID is the Call-ID.
func (c *Call) ID() string { return c.id }

// Trunk is the name of the trunk of the call; To and From are E.164 with a plus
// sign where the trunk's Numbers tell how to make them so, else user names as they
// came; FromName is the display name. From is "" for a caller who hides.
func (c *Call) Trunk() string { return c.trunk.Name }

// To is who is called, see Trunk.
func (c *Call) To() string { return c.to }

// From is who calls, see Trunk.
func (c *Call) From() string { return c.from }

// FromName is the display name of who calls.
func (c *Call) FromName() string { return c.callerName }

// At is when the INVITE arrived or was sent.
func (c *Call) At() time.Time { return c.at }

// Headers are the header fields of the INVITE that came in: all but those that
// carry the protocol itself, several of a name in their order.
func (c *Call) Headers() []Header { return c.headers }

// Hangup ends the call: BYE, or CANCEL before the answer. Of a call that came in and
// is not answered it is Reject with 480.
func (c *Call) Hangup() {
	c.post(func() {
		switch {
		case c.phase == over:
		case c.phase == ringing && !c.out:
			c.refuseCall(480, HungUpHere)
		case c.phase == ringing:
			c.giveUp(HungUpHere)
		default:
			c.quit(HungUpHere, 0)
		}
	})
}

// post has f done. False when nothing is done any more.
func (c *Call) post(f func()) bool {
	c.boxMu.Lock()
	defer c.boxMu.Unlock()
	return c.put(f)
}

// mail has a message of the far side dealt with, unless too many wait.
func (c *Call) mail(f func()) bool {
	c.boxMu.Lock()
	defer c.boxMu.Unlock()
	if len(c.box) >= mailLimit {
		return false
	}
	return c.put(f)
}

func (c *Call) put(f func()) bool {
	if c.gone {
		return false
	}
	if c.running {
		c.box = append(c.box, f)
		return true
	}
	if !c.e.spawn(c.run) {
		c.gone = true
		return false
	}
	c.running = true
	c.box = append(c.box, f)
	return true
}

// run does what has been posted until there is no more.
func (c *Call) run() {
	for {
		c.boxMu.Lock()
		todo := c.box
		c.box = nil
		if len(todo) == 0 {
			c.running = false
			c.boxMu.Unlock()
			return
		}
		c.boxMu.Unlock()
		for _, f := range todo {
			f()
		}
	}
}

// after has f done in a while, unless the timer is stopped; f must look whether it
// still applies, for it may have been posted by then.
func (c *Call) after(d time.Duration, f func()) *time.Timer {
	return time.AfterFunc(d, func() { c.post(f) })
}

func stopTimers(timers ...*time.Timer) {
	for _, t := range timers {
		if t != nil {
			t.Stop()
		}
	}
}

// tell tells who hears of the call.
func (c *Call) tell(ev Event) {
	if c.phase == over || c.hear == nil {
		return
	}
	ev.At = c.e.now()
	c.hear(ev)
}

// conclude tells that the call is over, once.
func (c *Call) conclude(cause Cause, status, q850 int) {
	if c.phase == over {
		return
	}
	c.phase = over
	stopTimers(c.sessionTimer, c.ringTimer, c.glareTimer, c.remindTimer, c.referTimer)
	ev := Event{Kind: Ended, At: c.e.now(), Cause: cause, Status: status, Q850: q850, Err: c.failure}
	c.done = &ev
	hear := c.hear
	c.hear, c.media = nil, nil
	c.e.ended(c)
	if hear != nil {
		hear(ev)
	}
}

// forget lets go of the call. What a server transaction or a timer still holds of it
// is little then.
func (c *Call) forget() {
	c.e.forget(c)
	stopTimers(c.confirmTimer)
	c.inviting, c.serving, c.revising, c.session, c.referral = inviting{}, serving{}, revising{}, session{}, referral{}
	c.d, c.last, c.went, c.forced = dialog{}, wire.Flow{}, wire.Hop{}, nil
}

// quit ends a call that is answered, by BYE.
func (c *Call) quit(cause Cause, status int) {
	if c.phase == over {
		return
	}
	c.conclude(cause, status, 0)
	if c.unconfirmed {
		// RFC 3261 §15: not before the ACK has come or is given up.
		return
	}
	c.bye()
}

// bye sends BYE and forgets the call when that is answered, however.
func (c *Call) bye() {
	req, to, err := c.within(mBYE)
	if err != nil {
		c.forget()
		return
	}
	req.SetBody(nil)
	c.ask(req, to, func(*sip.Response, error) { c.forget() })
}

// follow notes what a message of the far side says of where it is now: target
// refresh (RFC 3261 §12.2).
func (c *Call) follow(m sip.Message) {
	if u, ok := wire.ContactOf(m); ok {
		c.d.target = u
	}
}

// checkHold tells when the far side begins or ends to listen.
func (c *Call) checkHold() {
	h, ok := c.media.(interface{ Held() bool })
	if !ok || h.Held() == c.held {
		return
	}
	c.held = !c.held
	if c.held {
		c.tell(Event{Kind: Held})
	} else {
		c.tell(Event{Kind: Resumed})
	}
}

// causeOf is the cause of an end without an answer.
func causeOf(err error) Cause {
	if errors.Is(err, wire.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		return NoAnswer
	}
	return Failed
}
