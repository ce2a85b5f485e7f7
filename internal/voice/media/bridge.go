package media

import (
	"slices"
	"sync"
	"time"

	"ringdown/internal/audio"
)

// bridge connects sessions. Two are each other's peers, and packets go from one to
// the other as they come; of three and more it mixes for each what the others say.
type bridge struct {
	engine *Engine
	clock  *clock

	mu      sync.Mutex // besides Engine.topology when members change
	members []*Session
	mixing  bool
	heard   [][frame]int16 // of each member, in this tick
	sum     [frame]int32
	out     [frame]int16
}

// Bridge connects sessions: each hears all others of its bridge. Two sessions that
// only hear each other are relayed packet by packet, without a mix. A session
// leaves its bridge with Leave or Close; what a session plays is heard in place of
// the bridge. Sessions that are in bridges already bring the others with them. Both
// belong to one engine.
//
// Digits go with the sound: as events to those who take them, else as tones.
func (s *Session) Bridge(other *Session) {
	e := s.engine
	if other == nil || other == s || other.engine != e {
		return
	}
	e.topology.Lock()
	defer e.topology.Unlock()
	if s.closed.Load() || other.closed.Load() || s.bridge != nil && s.bridge == other.bridge {
		return
	}
	b := s.bridge
	if b == nil {
		if b = other.bridge; b == nil {
			b = &bridge{engine: e, clock: e.idlest()}
		}
	}
	joining := []*Session{s, other}
	for _, j := range []*Session{s, other} {
		if j.bridge != nil && j.bridge != b { // only other can be: it brings its own
			joining = append(joining, j.bridge.members...)
			j.bridge.empty()
		}
	}
	b.change(func(members []*Session) []*Session {
		for _, j := range joining {
			if j.bridge != b {
				j.bridge = b
				members = append(members, j)
			}
		}
		return members
	})
}

// Leave takes the session out of its bridge.
func (s *Session) Leave() {
	s.engine.topology.Lock()
	defer s.engine.topology.Unlock()
	b := s.bridge
	if b == nil {
		return
	}
	s.leave()
	b.change(func(members []*Session) []*Session {
		return slices.DeleteFunc(members, func(m *Session) bool { return m == s })
	})
}

// leave forgets the bridge. Engine.topology is held.
func (s *Session) leave() {
	s.bridge = nil
	s.lead(nil, nil)
	s.out.unbridge()
}

// empty has all members go, to join another bridge at once: until then nothing of
// what they say is lost. Engine.topology is held.
func (b *bridge) empty() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.members {
		m.bridge = nil
	}
	b.members = nil
	b.stop()
}

// stop ends mixing. b.mu is held.
func (b *bridge) stop() {
	if b.mixing {
		b.mixing = false
		b.clock.remove(b)
	}
}

// change sets the members and has them connected as their number wants it. Two that
// have been mixed are relayed when nothing is left in the mix (settle).
// Engine.topology is held.
func (b *bridge) change(set func([]*Session) []*Session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.members = set(b.members)
	if len(b.members) == 1 {
		b.members[0].leave()
		b.members = nil
	}
	b.heard = slices.Grow(b.heard[:0], len(b.members))[:len(b.members)]
	switch len(b.members) {
	case 0:
		b.stop()
	case 2:
		if !b.mixing {
			for i, m := range b.members {
				m.lead(b.members[1-i], nil)
			}
		}
	default:
		for _, m := range b.members {
			m.lead(nil, b)
		}
		if !b.mixing {
			b.mixing = true
			b.clock.add(b)
		}
	}
}

// lead says where what comes in goes: to a peer, to a mix, or to nobody.
func (s *Session) lead(peer *Session, mixed *bridge) {
	r := &s.in
	r.mu.Lock()
	defer r.mu.Unlock()
	s.peer.Store(peer)
	s.mixed.Store(mixed)
	if mixed == nil {
		r.unmix()
		return
	}
	r.hurried = 0
	if r.mix == nil {
		r.mixFrom(s.engine.position(s.engine.o.Now()) - mixed.delay())
	}
}

// delay is how far behind its arrival sound is mixed: what a packet lasts, and what
// it may be late.
func (b *bridge) delay() int64 { return int64(frame + samples(b.engine.o.Jitter)) }

// maxJitter is the most that Options.Jitter may be: a mix has room for it.
const maxJitter = 200 * time.Millisecond

// mixWindow is the room of a member's sound in a mix, in samples.
const mixWindow = 8192

// mixFrom has what comes in kept for a mix. It is read from a position on, or where
// what has been relayed ends, so that who has heard that hears it go on.
func (r *receiver) mixFrom(p int64) {
	h := &r.past
	if h.n == 0 || h.end <= p {
		r.mix = newWindow(mixWindow, p)
		return
	}
	w := newWindow(mixWindow, h.end)
	r.pcm = audio.DecodeSamples(r.p.Codec, r.pcm[:0], h.b[:h.n])
	for i, v := range r.pcm {
		w.pcm[w.index(h.end+int64(i-h.n))] = v
	}
	r.mix, r.after = w, h.to
}

// unmix ends what mixFrom began. r.mu is held.
func (r *receiver) unmix() {
	r.mix, r.after, r.extra, r.hurried, r.past.n = nil, nil, r.extra[:0], 0, 0
}

// mixed reads 20 ms for a mix that should be at p.
func (r *receiver) mixed(dst []int16, p int64, at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.mix == nil, r.after != nil && !r.after.out.ready(at):
		clear(dst)
	default:
		r.after = nil
		r.slow(dst, p)
	}
}

// tick mixes 20 ms and sends them: to each the sum of all without what it has said
// itself, so that nobody hears an echo of theirs.
func (b *bridge) tick(at time.Time, _ int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.mixing {
		return
	}
	if len(b.members) == 2 {
		b.settle(at)
		return
	}
	from := b.engine.position(at) - b.delay()
	clear(b.sum[:])
	for i, m := range b.members {
		m.in.mixed(b.heard[i][:], from, at)
		for j, v := range b.heard[i] {
			b.sum[j] += int32(v)
		}
	}
	for i, m := range b.members {
		for j, v := range b.heard[i] {
			b.out[j] = saturate(b.sum[j] - int32(v))
		}
		m.out.mix(b.out[:], at)
	}
}

// settle brings to an end what is left in the mix of two. b.mu is held.
func (b *bridge) settle(at time.Time) {
	settled := 0
	for i, m := range b.members {
		if m.settle(b.members[1-i], at) {
			settled++
		}
	}
	if settled == len(b.members) {
		b.stop()
	}
}

// settle sends what is left of this session in a mix to the other, and has it relayed
// from there on; true when it is.
func (s *Session) settle(other *Session, at time.Time) bool {
	r := &s.in
	r.mu.Lock() // while it is sent as well: what is relayed comes after it
	defer r.mu.Unlock()
	if r.mix == nil {
		return true
	}
	var room [4 * frame]int16
	pcm, done := r.fast(room[:], s.engine.position(at))
	other.out.mix(pcm, at)
	if done {
		r.unmix()
		s.mixed.Store(nil)
		s.peer.Store(other)
	}
	return done
}

func saturate(v int32) int16 { return int16(max(-1<<15, min(1<<15-1, v))) }

// press has the others hear digits that a member sends as events.
func (b *bridge) press(from *Session, keys string) {
	b.mu.Lock()
	members := slices.Clone(b.members)
	b.mu.Unlock()
	for _, m := range members {
		if m != from {
			m.out.pressedBy(keys, false)
		}
	}
}
