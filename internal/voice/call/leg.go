package call

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/contact"
	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sip"
	"ringdown/internal/voice/stream"
)

// direction is who has called.
type direction string

const (
	inbound  direction = "in"
	outbound direction = "out"
)

// leg is a call. What is below hear belongs to the goroutine of run.
type leg struct {
	calls     *Calls
	direction direction
	trunk     string
	from, to  string
	began     time.Time

	mu   sync.Mutex
	todo []func() // what has been noted
	gone bool     // the goroutine has ended
	wake chan struct{}
	// taken calls have been answered or are about to be.
	taken bool
	// session is the sound, nil while there is none. Other legs look for it to be
	// joined to it.
	session atomic.Pointer[media.Session]

	hear     func(contact.LegEvent)
	call     contact.Call // of a call that goes out
	line     *sip.Call    // nil while there is none
	stream   *stream.Stream
	ringing  bool
	silent   bool // nothing was heard for long, before the answer
	answered bool
	since    time.Time // of the answer
	over     bool
	// waiting is what is done once the call is answered.
	waiting []func()
	// saying is what plays, or is about to.
	saying saying
	keys   keys
	// recordings are those under way; recorded are the URIs of those that are over.
	recordings map[contact.RecordingKind]*recording
	recorded   map[string]bool
	// referring is told what comes of a REFER.
	referring func(referral)
	// patience ends a call that another side was asked to make.
	patience *time.Timer
	// until a call that goes out may ring, by all the trunks that were tried for it.
	until time.Time
	tried []string
}

// saying is what Say has asked for.
type saying struct {
	turn   int // counts Say and Hush, so that what is told late is known to be late
	seq    int
	loop   bool
	cancel context.CancelFunc // ends the loading of sounds
}

var (
	_ contact.Leg      = (*leg)(nil)
	_ contact.Recorder = (*leg)(nil)
)

func (c *Calls) newLeg(d direction, trunk, from, to string) *leg {
	return &leg{
		calls: c, direction: d, trunk: trunk, from: from, to: to, began: c.o.Now(),
		wake:       make(chan struct{}, 1),
		recordings: map[contact.RecordingKind]*recording{}, recorded: map[string]bool{},
	}
}

// ours are legs of this package, however they are wrapped.
type ours interface{ own() *leg }

func (l *leg) own() *leg { return l }

// own is the leg of this package that another leg is, nil if it is none.
func own(other contact.Leg) *leg {
	if o, ok := other.(ours); ok {
		return o.own()
	}
	return nil
}

// note has something done on the leg's goroutine, unless the call is over then.
func (l *leg) note(f func()) {
	l.ask(func() {
		if !l.over {
			f()
		}
	})
}

// ask has something done on the leg's goroutine, even if the call is over then; f
// sees to that. False: it will not be done, for the goroutine has ended.
func (l *leg) ask(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return false
	}
	l.todo = append(l.todo, f)
	select {
	case l.wake <- struct{}{}:
	default: // it will look anyway
	}
	return true
}

// run is the life of a call.
func (l *leg) run(begin func()) {
	begin()
	for !l.over {
		select {
		case <-l.calls.ctx.Done():
			l.end(problem, time.Time{})
		case <-l.wake:
			l.obey()
		}
	}
	l.mu.Lock()
	l.gone = true
	l.mu.Unlock()
	l.obey()
}

// obey does what has been noted.
func (l *leg) obey() {
	l.mu.Lock()
	todo := l.todo
	l.todo = nil
	l.mu.Unlock()
	for _, f := range todo {
		f()
	}
}

// connect opens the sound of the call.
func (l *leg) connect(endpoint *sip.Endpoint) (*stream.Stream, error) {
	here, err := l.local(endpoint)
	if err != nil {
		return nil, fmt.Errorf("where sound is sent to: %w", err)
	}
	s, err := l.calls.media.Open(func(ev media.Event) {
		l.note(func() { l.heard(ev) })
	})
	if err != nil {
		return nil, err
	}
	l.session.Store(s)
	l.stream = stream.New(stream.Options{Session: s, Address: here, Codecs: l.calls.trunks[l.trunk].Codecs})
	return l.stream, nil
}

// signal is told of the signalling, on its goroutine.
func (l *leg) signal(ev sip.Event) {
	l.note(func() { l.signalled(ev) })
}

// signalled is something that has happened to the call.
func (l *leg) signalled(ev sip.Event) {
	switch ev.Kind {
	case sip.Ringing:
		if l.direction == outbound && !l.ringing && !l.answered {
			l.ringing = true
			l.hear(contact.LegEvent{Kind: contact.LegRinging, At: ev.At})
		}
	case sip.Answered:
		l.connected(ev.At)
	case sip.Info:
		l.digit(byMessage, ev.Digit, ev.At)
	case sip.Referred:
		if f := l.referring; f != nil {
			l.referring = nil
			f(referral{status: ev.Status, at: ev.At})
		}
	case sip.Ended:
		why := reason(ev, l.answered)
		if l.calls.ctx.Err() != nil { // the endpoint was faster in hanging up
			why = problem
		}
		if !notTaken(ev) || !l.detour(why) {
			l.ended(why, ev.At)
		}
	case sip.Early, sip.Confirmed:
	case sip.Held, sip.Resumed:
		// The stream has told the session; a flow goes on, whoever listens.
		l.calls.o.Logger.Debug("call held or resumed by the far side", "call", l.id(), "held", ev.Kind == sip.Held)
	}
}

// connected is the answer.
func (l *leg) connected(at time.Time) {
	if l.answered {
		return
	}
	l.answered, l.since = true, at
	if l.silent {
		l.stream.Renew()
	}
	l.hear(contact.LegEvent{Kind: contact.LegAnswered, At: at})
	waiting := l.waiting
	l.waiting = nil
	for _, f := range waiting {
		f()
	}
}

// upon has something done once the call is answered, on the leg's goroutine.
func (l *leg) upon(f func()) {
	if l.answered {
		f()
		return
	}
	l.waiting = append(l.waiting, f)
}

// heard is something that has happened to the sound.
func (l *leg) heard(ev media.Event) {
	switch ev.Kind {
	case media.Digit:
		l.digit(bySound, ev.Key, l.calls.o.Now())
	case media.Played:
		if ev.Seq == l.saying.turn && !l.saying.loop {
			seq := l.saying.seq
			l.hush()
			l.hear(contact.LegEvent{Kind: contact.LegSaid, Seq: seq, At: l.calls.o.Now()})
		}
	case media.TimedOut:
		if !l.answered { // who rings need not be heard
			l.silent = true
			return
		}
		// Nobody is there any more, or the network has lost them: who has hung up
		// would have said so.
		l.calls.o.Logger.Warn("no sound from the far side of a call", "call", l.id(), "trunk", l.trunk)
		l.end(problem, l.calls.o.Now())
	}
}

// digit is a key that was pressed.
func (l *leg) digit(w way, key string, at time.Time) {
	if l.answered && !l.keys.again(w, key, at) {
		l.hear(contact.LegEvent{Kind: contact.LegDigit, Text: key, At: at})
	}
}

// Say implements contact.Leg. What is said before the answer begins with it.
func (l *leg) Say(seq int, sounds []contact.Sound, loop bool) {
	sounds = slices.Clone(sounds)
	l.note(func() { l.upon(func() { l.say(seq, sounds, loop) }) })
}

func (l *leg) say(seq int, list []contact.Sound, loop bool) {
	l.hush()
	turn := l.saying.turn
	l.saying.seq, l.saying.loop = seq, loop
	if clips, all := l.calls.sounds.kept(list); all {
		l.play(turn, clips, loop)
		return
	}
	ctx, cancel := context.WithCancel(l.calls.ctx)
	l.saying.cancel = cancel
	l.calls.work.Go(func() { // this goroutine is one of work
		clips := l.calls.sounds.load(ctx, list)
		l.note(func() { l.play(turn, clips, loop) })
	})
}

// play plays what Say has asked for, unless it is asked for no more.
func (l *leg) play(turn int, clips []*audio.Clip, loop bool) {
	s := l.session.Load()
	if turn != l.saying.turn || s == nil || loop && len(clips) == 0 {
		return
	}
	s.Play(turn, clips, loop)
}

// Hush implements contact.Leg.
func (l *leg) Hush() { l.note(func() { l.upon(l.hush) }) }

func (l *leg) hush() {
	if l.saying.cancel != nil {
		l.saying.cancel()
	}
	l.saying = saying{turn: l.saying.turn + 1}
	if s := l.session.Load(); s != nil {
		s.Hush()
	}
}

// Type implements contact.Leg.
func (l *leg) Type(digits string) {
	l.note(func() {
		l.upon(func() {
			if s := l.session.Load(); s != nil {
				s.Press(digits)
			}
		})
	})
}

// Join implements contact.Leg. What plays to either ends. A leg of another kind is
// not heard, nor hears.
func (l *leg) Join(other contact.Leg) {
	o := own(other)
	if o == nil {
		l.Hush()
		if other != nil {
			other.Hush()
		}
		return
	}
	if o == l {
		return
	}
	l.note(func() {
		l.upon(func() {
			l.hush()
			o.note(func() { o.upon(func() { o.join(l) }) })
		})
	})
}

// join connects the leg to another that has been answered.
func (l *leg) join(first *leg) {
	l.hush()
	a, b := first.session.Load(), l.session.Load()
	if a != nil && b != nil {
		a.Bridge(b)
	}
}

// Hangup implements contact.Leg. The LegEnded that follows has no reason.
func (l *leg) Hangup() { l.note(func() { l.end("", l.calls.o.Now()) }) }

// end ends the call from here.
func (l *leg) end(why string, at time.Time) {
	if l.over {
		return
	}
	if l.line != nil {
		l.line.Hangup()
	}
	l.ended(why, at)
}

// ended is the end of the call, once.
func (l *leg) ended(why string, at time.Time) {
	if l.over {
		return
	}
	l.over = true
	l.hush()
	l.waiting = nil
	for kind := range l.recordings {
		l.stopRecording(kind)
	}
	var stats media.Stats
	if s := l.session.Load(); s != nil {
		stats = s.Stats()
		s.Close() // it leaves its bridge
	}
	if f := l.referring; f != nil {
		l.referring = nil
		f(referral{over: true})
	}
	if l.patience != nil {
		l.patience.Stop()
	}
	l.logEnd(why, at, stats)
	l.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: why, At: at})
}

// id is the Call-ID, "" while there is none.
func (l *leg) id() string {
	if l.line == nil {
		return ""
	}
	return l.line.ID()
}

// logBegin and logEnd write one line each. Of telephone numbers they show the end.
func (l *leg) logBegin() {
	attrs := []any{"call", l.id(), "direction", string(l.direction), "trunk", l.trunk, "from", tail(l.from), "to", tail(l.to)}
	if l.direction == outbound { // whose contact a call that comes in will be is not known yet
		attrs = append(attrs, "contact", string(l.call.ContactID))
	}
	l.calls.o.Logger.Info("call begins", attrs...)
}

func (l *leg) logEnd(why string, at time.Time, stats media.Stats) {
	if at.IsZero() {
		at = l.calls.o.Now()
	}
	var talked time.Duration
	if l.answered {
		talked = at.Sub(l.since)
	}
	l.calls.o.Logger.Info("call ended", "call", l.id(), "direction", string(l.direction), "trunk", l.trunk,
		"reason", why, "answered", l.answered, "lasted", at.Sub(l.began).Round(time.Millisecond), "talked", talked.Round(time.Millisecond),
		"received", stats.PacketsReceived, "sent", stats.PacketsSent, "lost", stats.Lost, "farLost", stats.FarLost)
}
