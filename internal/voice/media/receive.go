package media

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"ringdown/internal/audio"
)

const (
	headerSize  = 12   // of RTP without sources and extensions
	maxDatagram = 2048 // far more than telephones send in a packet
	// loyalty is how long a far side must be silent before another is believed to
	// have taken its place.
	loyalty = 2 * time.Second
)

// comfortNoise is the payload type of RFC 3389: a far side that has nothing to say.
const comfortNoise = 13

// header is what is needed of that of an RTP packet (RFC 3550 §5.1), and where in
// the packet its payload lies.
type header struct {
	marker      bool
	payloadType uint8
	sequence    uint16
	timestamp   uint32
	ssrc        uint32
	from, to    int
}

// parse reads the header of a packet. It says false for what is none.
func parse(b []byte) (header, bool) {
	if len(b) < headerSize || b[0]>>6 != 2 {
		return header{}, false
	}
	h := header{
		marker:      b[1]&0x80 != 0,
		payloadType: b[1] & 0x7F,
		sequence:    binary.BigEndian.Uint16(b[2:]),
		timestamp:   binary.BigEndian.Uint32(b[4:]),
		ssrc:        binary.BigEndian.Uint32(b[8:]),
		from:        headerSize + 4*int(b[0]&0x0F),
		to:          len(b),
	}
	if b[0]&0x10 != 0 { // an extension: a profile, its length in words, the words
		if len(b) < h.from+4 {
			return header{}, false
		}
		h.from += 4 + 4*int(binary.BigEndian.Uint16(b[h.from+2:]))
	}
	if b[0]&0x20 != 0 { // padding, whose last byte says how long it is
		pad := int(b[len(b)-1])
		if pad == 0 {
			return header{}, false
		}
		h.to -= pad
	}
	return h, h.from < h.to
}

// kind is what a packet carries.
type kind uint8

const (
	sound kind = iota + 1
	event      // RFC 4733
	quiet      // nothing to be heard
)

// receiver is what a session knows of what comes in.
type receiver struct {
	mu      sync.Mutex
	agreed  bool
	p       Params
	source  netip.AddrPort // who is heard; not valid before anybody was
	heard   time.Time      // when last
	alive   time.Time      // when anything was last heard, RTCP included
	timeout bool           // TimedOut has been told
	stream  stream
	track   track
	keys    keypad
	tones   *audio.Detector // of digits in the sound, where there are no events
	mix     *window         // what a bridge mixes
	past    past            // what was relayed last
	after   *Session        // who is to have heard past before the mix goes on
	extra   []int16         // what the mix reads before it goes on in its window
	hurried int             // for how many ticks the mix has been about to end
	pcm     []int16         // the sound of a packet
	last    []int16         // that of the one before, for tones
	total   uint64

	far reports // what RTCP tells
}

// set begins what has been agreed.
func (r *receiver) set(p Params, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.agreed || p.Remote != r.p.Remote {
		r.source = netip.AddrPort{}
	}
	if p.RemoteRTCP != r.p.RemoteRTCP {
		r.far.source = p.RemoteRTCP
	}
	switch {
	case p.Events != 0:
		r.tones = nil
	case r.tones == nil:
		r.tones = new(audio.Detector)
	}
	if p.Codec != r.p.Codec {
		r.past.n = 0
	}
	r.agreed, r.p = true, p
	r.alive, r.timeout = now, false
}

// gone says, once, that nothing has come for too long.
func (r *receiver) gone(now time.Time, limit time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.agreed || !r.p.Receive || r.timeout || now.Sub(r.alive) < limit {
		return false
	}
	r.timeout = true
	return true
}

// readRTP receives until the socket is closed.
func (s *Session) readRTP() { s.read(s.rtp, s.receive) }

// read hands what comes to a function that may change it, but not keep it.
func (s *Session) read(c *net.UDPConn, take func([]byte, netip.AddrPort, time.Time)) {
	b := make([]byte, maxDatagram)
	for failed := 0; ; {
		n, from, err := c.ReadFromUDPAddrPort(b)
		switch {
		case err == nil:
			failed = 0
			if n < len(b) { // else it has been cut off
				take(b[:n], unmapped(from), s.engine.o.Now())
			}
		case errors.Is(err, net.ErrClosed):
			return
		default:
			// A socket tells here what became of former packets. When it tells
			// nothing else, the media timeout ends the call.
			if failed++; failed == maxFailures {
				s.engine.o.Logger.Warn("a port can no longer be read", "port", s.port, "error", err)
				return
			}
		}
	}
}

// maxFailures is how often in a row reading may fail.
const maxFailures = 100

// receive treats a packet. It is called by one goroutine at a time.
func (s *Session) receive(b []byte, from netip.AddrPort, now time.Time) {
	h, ok := parse(b)
	if !ok {
		return
	}
	r := &s.in
	r.mu.Lock()
	what := r.what(h)
	if what == 0 || !r.believe(from, now) {
		r.mu.Unlock()
		return
	}
	position := s.engine.position(now)
	order := r.stream.admit(h)
	if order == stale {
		r.mu.Unlock()
		return
	}
	moved := from != r.source
	r.source, r.heard = from, now
	r.total++
	r.alive, r.timeout = now, false
	payload := b[h.from:h.to]
	var keys string
	switch what {
	case sound:
		keys = s.hearSound(h, payload, order, position)
	case event:
		keys = r.keys.event(h, payload, order)
	case quiet:
	}
	if what == sound {
		r.stream.time(h, position)
	}
	codec, epoch := r.p.Codec, r.stream.epoch
	// Looked for before the lock is given back: what goes into a mix is not relayed.
	peer, mixed := s.peer.Load(), s.mixed.Load()
	if peer != nil && what == sound && order != late {
		r.past.add(payload, peer, r.track.position+int64(len(payload)))
	}
	r.mu.Unlock()

	if moved {
		s.out.aim(from)
	}
	for i := range len(keys) {
		s.events.tell(Event{Kind: Digit, Key: keys[i : i+1]})
	}
	if p := peer; p != nil {
		p.out.relay(&packet{h: h, b: b, what: what, codec: codec, from: origin{fromPeer, s, epoch}, late: order == late}, now)
		if what == event && keys != "" {
			p.out.pressedBy(keys, true)
		}
	} else if m := mixed; m != nil && what == event && keys != "" {
		m.press(s, keys)
	}
}

// what says what a packet carries, 0 for what has not been agreed to.
func (r *receiver) what(h header) kind {
	switch {
	case !r.agreed || !r.p.Receive:
		return 0
	case h.payloadType == r.p.PayloadType:
		return sound
	case r.p.Events != 0 && h.payloadType == r.p.Events && h.to-h.from >= 4:
		return event
	case h.payloadType == comfortNoise:
		return quiet
	default:
		return 0
	}
}

// believe says whether the far side is at an address.
func (r *receiver) believe(from netip.AddrPort, now time.Time) bool {
	return from == r.source || from == r.p.Remote || !r.source.IsValid() || now.Sub(r.heard) >= loyalty
}

// hearSound gives sound to whoever hears samples: recordings, a mix, the search for
// tones of digits, which it returns.
func (s *Session) hearSound(h header, payload []byte, order order, position int64) (keys string) {
	r := &s.in
	place := r.track.place(h.timestamp, position, h.marker && order == fresh)
	taps := s.taps.Load()
	if taps == nil && r.mix == nil && r.tones == nil {
		return ""
	}
	r.pcm = audio.DecodeSamples(r.p.Codec, r.pcm[:0], payload)
	pcm := r.pcm
	if taps != nil {
		at := s.engine.moment(place)
		for _, t := range *taps {
			t.put(received, at, pcm)
		}
	}
	if r.mix != nil {
		r.mix.put(place, pcm)
	}
	if r.tones != nil && order != late {
		// A loss would make two digits of one: what was before it is heard again.
		for range min(r.stream.lost, maxRepeats) {
			keys += r.tones.Write(r.last)
		}
		keys += r.tones.Write(pcm)
		r.last = append(r.last[:0], pcm...)
	}
	return keys
}

// maxRepeats is for how many lost packets the search for tones hears another twice.
const maxRepeats = 3

// unmapped is an address without the prefix that IPv6 sockets give IPv4 ones.
func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
