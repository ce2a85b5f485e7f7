package media

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"ringdown/internal/audio"
)

// Session is one side of a call. Its methods do not block; after Close they do
// nothing.
type Session struct {
	engine    *Engine
	clock     *clock
	port      int
	rtp, rtcp *net.UDPConn
	wireRTCP  wire
	closed    atomic.Bool

	events teller
	in     receiver
	out    sender

	// Where what is received goes: at most one of a peer that it is relayed to and a
	// bridge that mixes it. Both are written under Engine.topology.
	peer   atomic.Pointer[Session]
	mixed  atomic.Pointer[bridge]
	bridge *bridge // guarded by Engine.topology

	naming sync.Once
	cname  string

	tapping   sync.Mutex
	recorders map[string]*Recorder
	taps      atomic.Pointer[[]*Recorder] // those of recorders; nil when there is none
}

// Port is that of RTP; RTCP is the next.
func (s *Session) Port() int { return s.port }

// Set has the session send and receive as agreed, from now on. It may be called
// again.
//
// The far side's true address is learned from what it sends (symmetric RTP, RFC
// 4961), anew when Set names another Remote: the first to send what fits is
// believed. Another is only when that one has been silent for two seconds, but
// Remote itself always is, so that a stranger cannot take a call over from it.
func (s *Session) Set(p Params) {
	if s.closed.Load() {
		return
	}
	p = p.normal()
	s.out.prepare(p.Codec)
	now := s.engine.o.Now()
	s.in.set(p, now)
	s.out.agree(p, now)
}

// Close frees the port. What was being told is told to its end, nothing after it.
func (s *Session) Close() {
	if !s.closed.CompareAndSwap(false, true) {
		return
	}
	s.events.close()
	s.Leave()
	s.clock.remove(s)
	s.goodbye()
	s.out.close()
	s.tapping.Lock()
	s.recorders = nil
	s.taps.Store(nil)
	s.tapping.Unlock()
	if s.rtp != nil {
		line{s.port, s.rtp, s.rtcp}.close()
		s.engine.ports.free(s.port, s.engine.o.Now())
	}
	s.engine.mu.Lock()
	delete(s.engine.sessions, s)
	s.engine.mu.Unlock()
}

// tick sends what is due and looks whether the far side is still there.
func (s *Session) tick(at time.Time, missed int) {
	if s.closed.Load() {
		return
	}
	if s.in.gone(at, s.engine.o.Silence) {
		s.events.tell(Event{Kind: TimedOut})
	}
	if s.out.tick(at, missed) {
		s.report(at)
	}
}

// Record has what the session receives and what it sends recorded, each in a
// channel of its own: 0 what it receives, 1 what it sends. One recorder may be
// given to a session at a time for each name; nil ends that. A recorder is for one
// session: of two, each would overwrite what the other has said.
func (s *Session) Record(name string, r *Recorder) {
	s.tapping.Lock()
	defer s.tapping.Unlock()
	if s.closed.Load() {
		return
	}
	if s.recorders == nil {
		s.recorders = map[string]*Recorder{}
	}
	if s.recorders[name] = r; r == nil {
		delete(s.recorders, name)
	}
	if len(s.recorders) == 0 {
		s.taps.Store(nil)
		return
	}
	taps := make([]*Recorder, 0, len(s.recorders))
	for _, r := range s.recorders {
		taps = append(taps, r)
	}
	s.taps.Store(&taps)
}

// The channels of a recording.
const (
	received = 0
	sent     = 1
)

// Stats of a session (RFC 3550 §6.4).
type Stats struct {
	PacketsReceived, PacketsSent uint64
	Lost                         uint64 // of those that the far side sent
	Jitter                       time.Duration
	RoundTrip                    time.Duration // 0 when unknown
	// FarLost is the fraction of our packets that the far side has lost, as it last
	// reported.
	FarLost float64
}

// Stats are what has been carried so far.
func (s *Session) Stats() Stats {
	var st Stats
	s.in.stats(&st)
	st.PacketsSent = s.out.sent()
	return st
}

// normal fills in what is not said.
func (p Params) normal() Params {
	p.Remote, p.RemoteRTCP = unmapped(p.Remote), unmapped(p.RemoteRTCP)
	if !p.RemoteRTCP.IsValid() && p.Remote.Port() != 0 {
		p.RemoteRTCP = netip.AddrPortFrom(p.Remote.Addr(), p.Remote.Port()+1)
	}
	if p.Codec != audio.ALaw {
		p.Codec = audio.MuLaw
	}
	if p.Ptime < 10*time.Millisecond || p.Ptime > 200*time.Millisecond {
		p.Ptime = period
	}
	return p
}
