package media

import "time"

// order is how a packet comes among those of its stream.
type order uint8

const (
	stale  order = iota // it has been here, or is too old to tell, or is of no stream
	fresh               // the next, or one after it
	opener              // the first of a stream
	late                // one that others have overtaken
)

// The bounds of RFC 3550 appendix A.1, and how far back duplicates are known.
const (
	maxDropout = 3000
	maxReorder = 63
)

// stream is a stream of packets that comes in: one SSRC, one sequence (RFC 3550
// appendix A.1, A.3 and A.8).
type stream struct {
	begun bool
	// epoch is how often a stream has begun: timestamps and sequences of one epoch
	// have nothing to do with those of another.
	epoch uint32
	ssrc  uint32
	top   uint16 // the highest sequence number
	seen  uint64 // a bit for each of those below top
	bad   int    // the next of a sequence that may be a new one, -1 for none
	lost  int    // how many are missing between the last packet and the one before

	base     uint32 // the first, with its cycles 0
	cycles   uint32
	received uint32
	before   uint64 // lost in former epochs

	transit int64
	timed   bool
	jitter  float64 // in samples

	expectedPrior, receivedPrior uint32
}

// admit says how a packet comes. Two that follow each other far from the others
// begin a new epoch; one alone is an error of somebody's.
func (s *stream) admit(h header) order {
	if !s.begun || h.ssrc != s.ssrc {
		s.begin(h)
		return opener
	}
	switch d := int(int16(h.sequence - s.top)); {
	case d > 0 && d < maxDropout:
		s.seen = s.seen<<d | 1<<(d-1)
		if h.sequence < s.top {
			s.cycles += 1 << 16
		}
		s.top, s.bad, s.lost = h.sequence, -1, d-1
		s.received++
		return fresh
	case d == 0:
		return stale
	case d < 0 && d >= -maxReorder:
		bit := uint64(1) << (-d - 1)
		if s.seen&bit != 0 {
			return stale
		}
		s.seen |= bit
		s.received++
		return late
	case int(h.sequence) == s.bad:
		s.begin(h)
		return opener
	default:
		s.bad = int(h.sequence + 1)
		return stale
	}
}

func (s *stream) begin(h header) {
	*s = stream{
		begun: true, epoch: s.epoch + 1, ssrc: h.ssrc, top: h.sequence, bad: -1,
		base: uint32(h.sequence), received: 1, before: s.before + s.missing(),
	}
}

// time takes a packet's part in the jitter (RFC 3550 §6.4.1). Events do not have
// one: their timestamps stand still.
func (s *stream) time(h header, now int64) {
	transit := now - int64(h.timestamp)
	if s.timed {
		d := int64(int32(transit - s.transit))
		if d < 0 {
			d = -d
		}
		s.jitter += (float64(d) - s.jitter) / 16
	}
	s.transit, s.timed = transit, true
}

func (s *stream) highest() uint32 { return s.cycles + uint32(s.top) }

func (s *stream) expected() uint32 {
	if !s.begun {
		return 0
	}
	return s.highest() - s.base + 1
}

// missing is how many packets of this epoch have not come. Packets from before the
// first make it less than nothing, which counts as none.
func (s *stream) missing() uint64 {
	if n := int64(s.expected()) - int64(s.received); n > 0 {
		return uint64(n)
	}
	return 0
}

func (s *stream) jitterTime() time.Duration { return time.Duration(s.jitter * float64(sample)) }

// fraction is what was lost since the last report, in 256ths (RFC 3550 appendix
// A.3).
func (s *stream) fraction() uint8 {
	expected, received := s.expected(), s.received
	interval := int64(expected) - int64(s.expectedPrior)
	lost := interval - (int64(received) - int64(s.receivedPrior))
	s.expectedPrior, s.receivedPrior = expected, received
	if interval <= 0 || lost <= 0 {
		return 0
	}
	return uint8(min(255, lost<<8/interval))
}
