package media

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"ringdown/internal/voice/dscp"
)

// Sound of telephones (RFC 3551 §4.5.14): 8,000 samples a second, a byte each, in
// packets of 20 ms unless something else is agreed.
const (
	rate   = 8000
	sample = time.Second / rate
	period = 20 * time.Millisecond
	frame  = int(period / sample)
)

// clocks is how many clocks an engine has. Each ticks at another moment of the
// 20 ms, so that the packets of many sessions do not leave in one burst.
const clocks = 8

// Engine has the ports and the clocks. It owns every goroutine of its sessions.
type Engine struct {
	o      Options
	epoch  time.Time // where positions of sound begin
	ports  *pool
	clocks []*clock
	done   chan struct{}
	wg     sync.WaitGroup // clocks, readers and tellers

	topology sync.Mutex // who is in which bridge

	mu       sync.Mutex
	sessions map[*Session]struct{}
	closed   bool
}

// New makes an engine. Its ports are opened as they are needed.
func New(o Options) (*Engine, error) {
	if o.Rest == 0 {
		o.Rest = 5 * time.Second
	}
	if o.Silence == 0 {
		o.Silence = 30 * time.Second
	}
	if o.Jitter == 0 {
		o.Jitter = 60 * time.Millisecond
	}
	o.Jitter = min(o.Jitter, maxJitter)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if !o.Address.IsValid() {
		return nil, errors.New("media: there is no address to listen at")
	}
	p, err := newPool(o.Address, o.FirstPort, o.LastPort, o.Rest)
	if err != nil {
		return nil, err
	}
	e := &Engine{o: o, epoch: o.Now(), ports: p, done: make(chan struct{}), sessions: map[*Session]struct{}{}}
	for i := range clocks {
		c := &clock{now: o.Now, start: e.epoch.Add(time.Duration(i) * period / clocks), wake: make(chan struct{}, 1)}
		e.clocks = append(e.clocks, c)
		e.wg.Go(func() { c.run(e.done) })
	}
	return e, nil
}

// Open takes a port for one side of a call. Hear is told what happens to it. The
// error is ErrNoPorts when all are taken or rest.
func (e *Engine) Open(hear func(Event)) (*Session, error) {
	l, err := e.ports.take(e.o.Now())
	if err != nil {
		return nil, err
	}
	e.mark(l)
	s := e.session(hear)
	s.port, s.rtp, s.rtcp = l.port, l.rtp, l.rtcp
	s.out.wire, s.wireRTCP = l.rtp, l.rtcp
	if !e.enlist(s) {
		l.close()
		e.ports.free(l.port, e.o.Now())
		return nil, fmt.Errorf("media: the engine is closed: %w", net.ErrClosed)
	}
	return s, nil
}

// mark has networks let sound go first. RTCP goes with it, so that what it measures
// is how the sound fares (RFC 4594 §4.1).
func (e *Engine) mark(l line) {
	if err := errors.Join(dscp.Voice.Mark(l.rtp), dscp.Voice.Mark(l.rtcp)); err != nil {
		e.o.Logger.Debug("what a port sends is not marked", "port", l.port, "error", err)
	}
}

// enlist has a session live: unless the engine is closed, its goroutines start.
func (e *Engine) enlist(s *Session) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.sessions[s] = struct{}{}
	s.clock.add(s)
	e.wg.Go(s.readRTP)
	e.wg.Go(s.readRTCP)
	return true
}

// session makes one that has no sockets yet.
func (e *Engine) session(hear func(Event)) *Session {
	s := &Session{engine: e, clock: e.idlest()}
	s.events.hear, s.events.wg = hear, &e.wg
	s.out.init(s)
	return s
}

// idlest is the clock that has the least to do.
func (e *Engine) idlest() *clock {
	best := e.clocks[0]
	for _, c := range e.clocks[1:] {
		if c.load.Load() < best.load.Load() {
			best = c
		}
	}
	return best
}

// Close ends all sessions and waits for their goroutines. It may be called twice,
// but not by a function that is told an event.
func (e *Engine) Close() error {
	e.mu.Lock()
	first := !e.closed
	e.closed = true
	open := make([]*Session, 0, len(e.sessions))
	for s := range e.sessions {
		open = append(open, s)
	}
	e.mu.Unlock()
	for _, s := range open {
		s.Close()
	}
	if first {
		close(e.done)
	}
	e.wg.Wait()
	return nil
}

// Sessions is how many sessions are open; Ports how many ports are not free, those
// at rest included. The two ports of a session count as one.
func (e *Engine) Sessions() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.sessions)
}

// Ports is described with Sessions.
func (e *Engine) Ports() int { return e.ports.busy(e.o.Now()) }

// position is a moment on the engine's time line, in samples.
func (e *Engine) position(t time.Time) int64 { return int64(t.Sub(e.epoch) / sample) }

// moment is the opposite of position.
func (e *Engine) moment(p int64) time.Time { return e.epoch.Add(time.Duration(p) * sample) }

// samples is how many samples a time has.
func samples(d time.Duration) int { return int(d / sample) }

// random is a number that cannot be guessed: who could guess SSRC, sequence and
// timestamp could put sound into a call (RFC 3550 §5.1, §9.1).
func random() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:])
}
