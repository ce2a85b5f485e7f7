package media

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"ringdown/internal/audio"
)

// wire is what packets leave by: a socket, but in tests.
type wire interface {
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
}

// The kinds of what a session sends.
const (
	fromNowhere = iota
	fromComfort // silence, when there is nothing else
	fromPlay
	fromPress
	fromMix
	fromPeer
)

// origin is what a part of the stream is made of. When it changes, sequence and
// timestamp go on where they were.
type origin struct {
	kind  uint8
	from  *Session // of fromPeer: whom, and which of its streams
	epoch uint32
}

// patience is for how long a bridge may bring nothing until silence is sent in its
// place: telephony gear hangs up on those who send nothing at all, and forgets
// where they are (RFC 4787 §4.3). It is long enough that a server which cannot keep
// up for a moment does not burden itself with silence as well.
const patience = time.Second

// sender is the stream of packets that a session sends, and what it is made of.
type sender struct {
	s    *Session
	wire wire
	ssrc uint32 // for the life of the session

	mu     sync.Mutex
	closed bool
	agreed bool
	p      Params
	remote netip.AddrPort // Params.Remote, or where the far side is in truth

	seq    uint16    // of the next packet
	end    uint32    // the timestamp after what has been sent
	due    time.Time // when it is over
	begun  bool
	mark   bool // the next packet is the first of a talk spurt
	source origin
	// Of fromPeer: what makes its sequence and timestamps ours, and the first of
	// our sequence that is its.
	seqShift, floor uint16
	tsShift         uint32

	bridged time.Time // when a bridge has last brought something
	play    reel
	playSeq int
	press   press

	pending []byte // sound that does not make a packet yet
	packet  [headerSize + maxDatagram]byte
	frame   [frame]byte
	pcm     []int16
	track   track // for recordings

	packets, octets uint64
	reported        uint64 // packets at the last report
	nextReport      time.Time
}

func (o *sender) init(s *Session) {
	o.s, o.ssrc, o.seq, o.end = s, random(), uint16(random()), random()
}

// prepare has what plays encoded, so that a clock need not do it.
func (o *sender) prepare(codec audio.Encoding) {
	o.mu.Lock()
	clips := o.play.clips
	o.mu.Unlock()
	for _, c := range clips {
		c.Encoded(codec)
	}
}

// agree begins what has been agreed.
func (o *sender) agree(p Params, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.agreed || p.Remote != o.p.Remote {
		o.remote = p.Remote
	}
	if !o.agreed {
		o.nextReport = now.Add(reportWait() / 2) // RFC 3550 §6.2: the first comes earlier
	}
	if p.Codec != o.p.Codec {
		o.pending = o.pending[:0]
	}
	o.agreed, o.p = true, p
}

// aim has the stream sent to where the far side is in truth.
func (o *sender) aim(at netip.AddrPort) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.remote = at
}

func (o *sender) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed, o.play, o.press = true, reel{}, press{}
}

// unbridge says that nothing more comes from a bridge.
func (o *sender) unbridge() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bridged = time.Time{}
}

func (o *sender) sent() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.packets
}

// tick sends what a clock has to: digits before prompts before silence. It says
// whether a report is due.
func (o *sender) tick(at time.Time, missed int) (report bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || !o.agreed {
		return false
	}
	report = !at.Before(o.nextReport)
	if !o.p.Send {
		// On hold a prompt goes on unheard; digits wait.
		if o.playing() {
			o.play.skip(missed + 1)
		}
		return report
	}
	switch {
	case o.tickPress(at):
	case o.playing():
		if o.turn(origin{kind: fromPlay}, at) {
			o.play.skip(missed)
			o.sound(o.play.read(o.frame[:], o.p.Codec), at)
		}
	case at.Sub(o.bridged) < patience:
	case o.turn(origin{kind: fromComfort}, at):
		o.sound(silence[o.p.Codec], at)
	}
	return report
}

// playing says whether there is something to play, and tells when there no longer
// is: a tick after its last packet, when that has been heard.
func (o *sender) playing() bool {
	if !o.play.on {
		return false
	}
	if o.play.over() {
		o.play = reel{}
		o.s.events.tell(Event{Kind: Played, Seq: o.playSeq})
		return false
	}
	return true
}

// silence is 20 ms of it in each encoding.
var silence = map[audio.Encoding][]byte{
	audio.MuLaw: bytes.Repeat([]byte{audio.Silence(audio.MuLaw)}, frame),
	audio.ALaw:  bytes.Repeat([]byte{audio.Silence(audio.ALaw)}, frame),
}

// turn is asked before sound of a clock is sent. It says false when what another
// origin has sent is not over yet; then the next tick is early enough. After a
// pause of a packet or more the timestamps go on as the time has; less than that
// is remembered, so that many changes do not add up.
func (o *sender) turn(from origin, at time.Time) bool {
	over := o.over()
	if from != o.source {
		if o.begun && over.Sub(at) > slack {
			return false
		}
		o.take(from)
	}
	if late := at.Sub(over); late >= period || !o.begun {
		o.flush(at)
		o.jump(at)
	}
	return true
}

// over is when what has been given to send is over.
func (o *sender) over() time.Time { return o.due.Add(time.Duration(len(o.pending)) * sample) }

// early is how long before that the first packet of a peer may come. After a mix it
// is what goes on in it, and the mix may have been a little behind (settle).
func (o *sender) early() time.Duration {
	if o.source.kind == fromMix {
		return 2 * period
	}
	return slack
}

// ready says whether a mix that is sent now would be heard.
func (o *sender) ready(at time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.begun || !o.agreed || !o.p.Send || o.play.on || o.press.on || o.over().Sub(at) <= slack
}

// take has the stream go on with another origin.
func (o *sender) take(from origin) {
	o.source = from
	o.mark = from.kind != fromComfort
}

// jump leaves out the time in which nothing was sent (RFC 3551 §4.1).
func (o *sender) jump(at time.Time) {
	if o.begun {
		o.end += uint32(samples(at.Sub(o.due)))
	}
	o.begun, o.due, o.mark = true, at, true
}

// sound sends sound of a clock, in packets of the size that has been agreed.
func (o *sender) sound(b []byte, at time.Time) {
	o.pending = append(o.pending, b...)
	size := samples(o.p.Ptime)
	for len(o.pending) >= size {
		o.send(o.pending[:size], at)
		o.pending = o.pending[:copy(o.pending, o.pending[size:])]
	}
}

// flush sends what does not make a whole packet.
func (o *sender) flush(at time.Time) {
	if len(o.pending) > 0 {
		o.send(o.pending, at)
		o.pending = o.pending[:0]
	}
}

func (o *sender) send(payload []byte, at time.Time) {
	b := o.packet[:headerSize+copy(o.packet[headerSize:], payload)]
	mark := o.mark
	o.write(b, o.p.PayloadType, mark, o.seq, o.end)
	o.record(payload, o.end, mark, at)
	o.mark = false
	o.seq++
	o.end += uint32(len(payload))
	o.due = o.due.Add(time.Duration(len(payload)) * sample)
}

// write sends a packet, whose header it fills in.
func (o *sender) write(b []byte, payloadType uint8, mark bool, seq uint16, timestamp uint32) {
	b[0], b[1] = 2<<6, payloadType
	if mark {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[4:], timestamp)
	binary.BigEndian.PutUint32(b[8:], o.ssrc)
	if o.remote.Port() == 0 || o.remote.Addr().IsUnspecified() {
		return // it has not said where it is
	}
	o.packets++
	o.octets += uint64(len(b) - headerSize)
	_, _ = o.wire.WriteToUDPAddrPort(b, o.remote) // what cannot be sent is lost like any other packet
}

// record has recordings hear what is sent.
func (o *sender) record(payload []byte, timestamp uint32, mark bool, now time.Time) {
	taps := o.s.taps.Load()
	if taps == nil {
		return
	}
	e := o.s.engine
	o.pcm = audio.DecodeSamples(o.p.Codec, o.pcm[:0], payload)
	pcm := o.pcm
	at := e.moment(o.track.place(timestamp, e.position(now), mark))
	for _, t := range *taps {
		t.put(sent, at, pcm)
	}
}

// packet is one that is relayed.
type packet struct {
	h     header
	b     []byte
	what  kind
	codec audio.Encoding
	from  origin
	late  bool
}

// relay sends what another session has received, unless this one hears something
// else. The packet is changed in place: its header is written into the bytes before
// its payload.
func (o *sender) relay(p *packet, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if p.what != quiet {
		o.bridged = now
	}
	if o.closed || !o.agreed || !o.p.Send || o.play.on || o.press.on {
		if p.from == o.source {
			o.source = origin{} // what is kept back leaves no hole in the sequence
		}
		return
	}
	if p.from != o.source || o.astray(p, now) {
		// What is late belongs to what was before; and what comes before the last
		// packet is over is too much.
		if p.late || p.what == quiet || p.what == sound && o.begun && o.over().Sub(now) > o.early() {
			return
		}
		o.flush(now)
		o.take(p.from)
		if !o.begun || now.Sub(o.due) >= period {
			o.jump(now)
		}
		o.floor, o.seqShift, o.tsShift = o.seq, o.seq-p.h.sequence, o.end-p.h.timestamp
	}
	seq, timestamp := p.h.sequence+o.seqShift, p.h.timestamp+o.tsShift
	if p.late && int16(seq-o.floor) < 0 {
		return // its number belongs to something else
	}
	b, payloadType := p.b[p.h.from-headerSize:p.h.to], o.p.PayloadType
	switch p.what {
	case event:
		payloadType = o.p.Events
	case sound:
		audio.Transcode(p.codec, o.p.Codec, p.b[p.h.from:p.h.to])
	case quiet:
		payloadType = 0
	}
	if payloadType == 0 && p.what != sound {
		// What is left out leaves no hole.
		if !p.late {
			o.seqShift--
		}
		return
	}
	mark := !p.late && (p.h.marker || o.mark)
	o.write(b, payloadType, mark, seq, timestamp)
	length := uint32(len(b) - headerSize)
	if p.what == event {
		length = uint32(binary.BigEndian.Uint16(b[headerSize+2:]))
	} else {
		o.record(b[headerSize:], timestamp, mark, now)
	}
	if p.late {
		return
	}
	o.mark = false
	o.seq = seq + 1
	if seq-o.floor > 2*maxReorder {
		o.floor = seq - 2*maxReorder // sequences turn over
	}
	if longer := int32(timestamp + length - o.end); longer > 0 {
		o.end += uint32(longer)
		o.due = o.due.Add(time.Duration(longer) * sample)
	}
	if p.what == sound {
		// The clock of the far side is not ours, and packets come as they can: what
		// is further off than is waited or left out is how it is from now on.
		over := now.Add(time.Duration(length) * sample)
		if off := o.due.Sub(over); off > slack {
			o.due = over.Add(slack)
		} else if off < -period {
			o.due = over.Add(-period)
		}
	}
}

// slack is how far the timestamps may be ahead of the time when something else is
// sent than before.
const slack = period / 2

// leap is how far timestamps may be from where the time has them until the stream
// is taken for another one.
const leap = rate

// astray says whether a stream's timestamps have jumped, as those of gear do that
// changes what it sends and tells nobody.
func (o *sender) astray(p *packet, now time.Time) bool {
	if p.late || p.what != sound {
		return false
	}
	ahead := int64(int32(p.h.timestamp + o.tsShift - o.end))
	off := ahead - int64(samples(now.Sub(o.due)))
	return off > leap || off < -leap
}

// mix sends what a bridge has mixed, unless the session hears something else.
func (o *sender) mix(pcm []int16, at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || !o.agreed || !o.p.Send {
		return
	}
	o.bridged = at
	if o.play.on || o.press.on || !o.turn(origin{kind: fromMix}, at) {
		return
	}
	o.sound(audio.EncodeSamples(o.p.Codec, o.frame[:0], pcm), at)
}
