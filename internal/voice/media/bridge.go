package media

import (
	"slices"
	"sync"
	"time"
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
	s.peer.Store(nil)
	s.mixed.Store(nil)
	s.in.unmix()
	s.out.unbridge()
}

// empty has all members leave.
func (b *bridge) empty() {
	members := slices.Clone(b.members)
	b.change(func([]*Session) []*Session { return nil })
	for _, m := range members {
		m.leave()
	}
}

// change sets the members and has them connected as their number wants it.
// Engine.topology is held.
func (b *bridge) change(set func([]*Session) []*Session) {
	b.mu.Lock()
	b.members = set(b.members)
	if len(b.members) == 1 {
		b.members[0].leave()
		b.members = nil
	}
	members, mixed := b.members, b.mixing
	b.mixing = len(members) > 2
	mixing := b.mixing
	b.heard = slices.Grow(b.heard[:0], len(members))[:len(members)]
	b.mu.Unlock()
	now := b.engine.position(b.engine.o.Now())
	for i, m := range members {
		if mixing {
			m.peer.Store(nil)
			m.in.mixFrom(now - b.delay())
			m.mixed.Store(b)
		} else {
			m.mixed.Store(nil)
			m.in.unmix()
			m.peer.Store(members[1-i])
		}
	}
	switch {
	case mixing && !mixed:
		b.clock.add(b)
	case mixed && !mixing:
		b.clock.remove(b)
	}
}

// delay is how far behind its arrival sound is mixed: what a packet lasts, and what
// it may be late.
func (b *bridge) delay() int64 { return int64(frame + samples(b.engine.o.Jitter)) }

// maxJitter is the most that Options.Jitter may be: a mix has room for it.
const maxJitter = 200 * time.Millisecond

// mixWindow is the room of a member's sound in a mix, in samples.
const mixWindow = 8192

// mixFrom has what comes in kept for a mix from a position on.
func (r *receiver) mixFrom(p int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mix == nil {
		r.mix = newWindow(mixWindow, p)
	}
}

func (r *receiver) unmix() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mix = nil
}

// mixed reads 20 ms for a mix.
func (r *receiver) mixed(dst []int16, p int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.mix == nil {
		clear(dst)
		return
	}
	r.mix.seek(p)
	r.mix.take(dst)
}

// tick mixes 20 ms and sends them: to each the sum of all without what it has said
// itself, so that nobody hears an echo of theirs.
func (b *bridge) tick(at time.Time, _ int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.mixing {
		return
	}
	from := b.engine.position(at) - b.delay()
	clear(b.sum[:])
	for i, m := range b.members {
		m.in.mixed(b.heard[i][:], from)
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
