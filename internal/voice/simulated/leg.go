package simulated

import (
	"slices"
	"sync"
	"time"

	"ringdown/internal/contact"
)

// Reasons why a call ends (administrator guide, "Contact records data model",
// DisconnectReason).
const (
	busy       = "TELECOM_BUSY"
	unanswered = "TELECOM_UNANSWERED"
	invalid    = "TELECOM_NUMBER_INVALID"
	// blocked is the nearest there is to a call that was declined
	// (docs/divergences.md).
	blocked = "TELECOM_POTENTIAL_BLOCKING"
	hungUp  = "CUSTOMER_DISCONNECT"
)

// leg is a call to a callee. What is below wake belongs to the goroutine of run.
type leg struct {
	dialer *Dialer
	call   contact.Call
	callee Callee
	hear   func(contact.LegEvent)

	mu   sync.Mutex
	todo []func() // what the methods have noted
	wake chan struct{}

	now      time.Duration // the callee's time since the call began
	ring     time.Duration // when ringing ends
	answered bool
	over     bool
	// hangup is when the callee hangs up, 0 for never.
	hangup time.Duration
	// playing is what is heard, nil for silence.
	playing *message
	heard   int // messages heard to their end
	// keys are still to be pressed, in order of time.
	keys []key
}

// message is what a Say plays.
type message struct {
	seq  int
	ends time.Duration
	loop bool
}

// key is a key that is to be pressed.
type key struct {
	at   time.Duration
	text string
}

var _ contact.Leg = (*leg)(nil)

// note has something done on the leg's goroutine.
func (l *leg) note(f func()) {
	l.mu.Lock()
	l.todo = append(l.todo, f)
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// obey does what has been noted.
func (l *leg) obey() {
	l.mu.Lock()
	todo := l.todo
	l.todo = nil
	l.mu.Unlock()
	for _, f := range todo {
		if !l.over {
			f()
		}
	}
}

// Say implements contact.Leg. Nothing is heard before the answer.
func (l *leg) Say(seq int, sounds []contact.Sound, loop bool) {
	l.note(func() {
		if !l.answered {
			return
		}
		l.playing = &message{seq: seq, loop: loop}
		l.playing.ends = l.now + l.dialer.length(sounds)
	})
}

// Hush implements contact.Leg.
func (l *leg) Hush() { l.note(func() { l.playing = nil }) }

// Type implements contact.Leg: callees do not react to tones.
func (l *leg) Type(string) {}

// Join implements contact.Leg. The two callees hear each other, which is silence,
// and nothing else; either may hang up.
func (l *leg) Join(other contact.Leg) {
	l.Hush()
	if o, ok := other.(*leg); ok {
		o.Hush()
	}
}

// Record implements contact.Leg: there is no sound to be recorded.
func (l *leg) Record(contact.Recording) {}

// Records implements contact.Recorder.
func (l *leg) Records() bool { return false }

// Hangup implements contact.Leg. The LegEnded that follows has no reason.
func (l *leg) Hangup() { l.note(func() { l.end("") }) }

// end ends the call, once.
func (l *leg) end(reason string) {
	if l.over {
		return
	}
	l.over = true
	l.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: reason})
}

// run is the life of a call.
func (l *leg) run() {
	switch l.callee.Answer {
	case Invalid:
		l.end(invalid)
		return
	case Busy:
		l.end(busy)
		return
	case Answers, Silent, Rejected:
	}
	l.hear(contact.LegEvent{Kind: contact.LegRinging})
	l.ring = min(l.callee.Rings, l.patience())
	if l.callee.Answer == Silent {
		l.ring = l.patience()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for !l.over {
		due, some := l.next()
		began, rate := l.dialer.opts.Now(), l.rate()
		var fires <-chan time.Time
		if some {
			wait := time.Duration(0)
			if rate > 0 {
				wait = time.Duration(float64(due-l.now) / rate)
			}
			timer.Reset(wait)
			fires = timer.C
		}
		select {
		case <-l.dialer.ctx.Done():
			return
		case <-l.wake:
			// A message that was begun is not over before its end has come, however
			// late somebody looks at the clock.
			l.now += time.Duration(float64(l.dialer.opts.Now().Sub(began)) * rate)
			if some {
				l.now = min(l.now, due)
			}
			l.obey()
		case <-fires:
			l.now = due
			l.obey() // what was said before the time had come
			if !l.over {
				l.happen()
			}
		}
	}
}

// longestRing is how long a call rings that does not say so itself.
const longestRing = time.Minute

// patience is how long the caller lets the telephone ring.
func (l *leg) patience() time.Duration {
	if l.call.RingTimeout > 0 {
		return l.call.RingTimeout
	}
	return longestRing
}

// rate is how fast the callee's time passes now, 0 for at once.
func (l *leg) rate() float64 {
	if speed := l.dialer.opts.Speed; speed > 0 {
		return speed
	}
	if l.answered && l.playing == nil && len(l.keys) == 0 {
		return 1 // silence: it is for the flow to do something
	}
	return 0
}

// next is when the next thing happens by itself; false for never.
func (l *leg) next() (at time.Duration, some bool) {
	add := func(t time.Duration) {
		if !some || t < at {
			at, some = t, true
		}
	}
	if !l.answered {
		add(l.ring)
		return at, some
	}
	if l.playing != nil && !l.playing.loop {
		add(l.playing.ends)
	}
	if len(l.keys) > 0 {
		add(l.keys[0].at)
	}
	if l.hangup > 0 {
		add(l.hangup)
	}
	return at, some
}

// happen does what is due.
func (l *leg) happen() {
	switch {
	case !l.answered:
		l.rung()
	case l.hangup > 0 && l.hangup <= l.now:
		l.end(hungUp)
	case l.playing != nil && !l.playing.loop && l.playing.ends <= l.now:
		said := l.playing.seq
		l.playing = nil
		l.press()
		l.hear(contact.LegEvent{Kind: contact.LegSaid, Seq: said})
	case len(l.keys) > 0 && l.keys[0].at <= l.now:
		pressed := l.keys[0].text
		l.keys = l.keys[1:]
		l.hear(contact.LegEvent{Kind: contact.LegDigit, Text: pressed})
	}
}

// rung is the end of ringing.
func (l *leg) rung() {
	switch c := l.callee; {
	case c.Answer == Silent, c.Rings > l.patience():
		l.end(unanswered)
	case c.Answer == Rejected:
		l.end(blocked)
	default:
		l.answered = true
		if c.Hangup > 0 {
			l.hangup = l.now + c.Hangup
		}
		l.hear(contact.LegEvent{Kind: contact.LegAnswered})
	}
}

// press has the keys pressed that follow the message that is over.
func (l *leg) press() {
	n := l.heard
	l.heard++
	if n >= len(l.callee.Press) {
		return
	}
	at := l.now + hesitation
	for _, k := range l.callee.Press[n] {
		l.keys = append(l.keys, key{at, string(k)})
		at += keyPause
	}
	// Those of an earlier message may not all be pressed yet.
	slices.SortStableFunc(l.keys, func(a, b key) int { return int(a.at - b.at) })
}
