// Package simulated places calls to people who do not exist: they let the
// telephone ring, answer, listen, press keys and hang up as a script says, and
// need no trunk, no sound card and no patience. Flows are tried on them before
// there is telephony, and in tests instead of it.
//
// A callee lives in a time of its own that runs Speed times as fast as the
// clock. At speed 0 ringing, speech and the pauses before keys take no time at
// all; silence, in which a callee waits for the flow, passes as on the clock.
//
// Invariants:
//   - each call has one goroutine, which ends with the call, or when the Dialer
//     is closed, which waits for it;
//   - the methods of a leg only note what is to be done and never block; events
//     are told from that goroutine, in order, so that whoever hears them may
//     block.
package simulated

import (
	"context"
	"strings"
	"sync"
	"time"

	"ringdown/internal/contact"
)

// Callee says what somebody does who is called. The zero value answers when the
// telephone has begun to ring, listens, and stays until the flow hangs up.
type Callee struct {
	// Number is E.164, or the beginning of numbers, with an asterisk at the end.
	Number string
	// Answer is what becomes of the call; Rings is how long it rings until it is
	// answered or declined.
	Answer Answer
	Rings  time.Duration
	// Press are the keys pressed after each message that was heard to its end:
	// the first after the first message, "" for none. What plays in a loop has no
	// end.
	Press []string
	// Hangup is how long after the answer the callee hangs up; 0 for never.
	Hangup time.Duration
}

// Answer is what becomes of a call.
type Answer uint8

// The answers.
const (
	Answers  Answer = iota
	Busy            // the line is engaged
	Silent          // nobody answers
	Invalid         // there is no such number
	Rejected        // the call is declined
)

// DefaultRings is how long the telephone rings unless a script says otherwise.
const DefaultRings = time.Second

// The hesitation of a callee before the first key after a message, and from one
// key to the next. No source: choices (docs/divergences.md).
const (
	hesitation = 500 * time.Millisecond
	keyPause   = 250 * time.Millisecond
)

// Options say whom a Dialer reaches.
type Options struct {
	// Speed is how fast time passes for callees: 1 as in life, 10 for ten times
	// that, 0 for everything at once. It must not be negative.
	Speed float64
	// Callees are those with a script. A whole number goes before a beginning,
	// a longer beginning before a shorter one. Everybody else answers after
	// DefaultRings and listens, unless Else says what they do.
	Callees []Callee
	Else    *Callee
	// Length is how long a recording plays, given its s3:// address; false when
	// that cannot be told. Nil: it never can. It may block, until ctx is done.
	Length func(ctx context.Context, uri string) (time.Duration, bool)
	// Now is the clock that the timers of the process run by; nil means time.Now.
	Now func() time.Time
}

// Dialer places simulated calls (contact.Dialer).
type Dialer struct {
	opts   Options
	ctx    context.Context
	cancel context.CancelFunc

	mu     sync.Mutex
	closed bool
	legs   sync.WaitGroup
}

var _ contact.Dialer = (*Dialer)(nil)

// New returns a Dialer. Close ends its calls.
func New(o Options) *Dialer {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Dialer{opts: o}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// Close ends all calls, without a word to whoever hears them, and waits for
// their goroutines; nobody may be blocked for ever in hearing an event. It may be
// called twice, and on a nil Dialer.
func (d *Dialer) Close() error {
	if d == nil {
		return nil
	}
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.legs.Wait()
	return nil
}

// Dial implements contact.Dialer. After Close nobody is called.
func (d *Dialer) Dial(call contact.Call, hear func(contact.LegEvent)) contact.Leg {
	l := &leg{dialer: d, call: call, callee: d.find(call.To), hear: hear, wake: make(chan struct{}, 1)}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.legs.Go(l.run)
	}
	return l
}

// Knows reports whether a number has a script.
func (d *Dialer) Knows(number string) bool {
	for _, c := range d.opts.Callees {
		prefix, open := strings.CutSuffix(c.Number, "*")
		if prefix == number || open && strings.HasPrefix(number, prefix) {
			return true
		}
	}
	return false
}

// find is who has a number.
func (d *Dialer) find(number string) Callee {
	best, length := Callee{Rings: DefaultRings}, -1
	if d.opts.Else != nil {
		best = *d.opts.Else
	}
	for _, c := range d.opts.Callees {
		prefix, open := strings.CutSuffix(c.Number, "*")
		switch {
		case !open && prefix == number:
			return c
		case open && strings.HasPrefix(number, prefix) && len(prefix) > length:
			best, length = c, len(prefix)
		}
	}
	return best
}
