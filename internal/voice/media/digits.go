package media

import (
	"encoding/binary"
	"strings"
	"sync"
	"time"

	"ringdown/internal/audio"
)

// keyNames are the digits in the order of their events (RFC 4733 §3.2).
const keyNames = "0123456789*#ABCD"

// keypad finds out what is pressed from the packets of events. An event has many
// packets, all with the timestamp of its beginning, and its last is sent three
// times; it is told when the first of them comes, whichever that is, so that no
// loss but that of all hides it.
type keypad struct {
	pressed   bool // there has been an event
	timestamp uint32
	code      uint8
	ended     bool
	duration  uint16
}

// event takes a packet and returns the key, if it is the first of its event.
func (k *keypad) event(h header, payload []byte, o order) string {
	code, end := payload[0], payload[1]&0x80 != 0
	duration := binary.BigEndian.Uint16(payload[2:])
	if int(code) >= len(keyNames) {
		return "" // a flash or a tone of modems
	}
	old := *k
	switch {
	case o == late:
		// Whatever overtook it had its event told: either its own, or one that
		// came after, whose beginning then tells that this one was lost.
		if old.pressed && int32(h.timestamp-old.timestamp) <= 0 {
			return ""
		}
	case o == opener || !old.pressed:
	case h.timestamp == old.timestamp && code == old.code:
		// Some far sides send each event with the same timestamp.
		if !old.ended || end || !h.marker {
			k.ended, k.duration = old.ended || end, duration
			return ""
		}
	case code == old.code && !old.ended && h.timestamp == old.timestamp+uint32(old.duration) && old.duration == 0xFFFF:
		// One that is too long for a duration goes on in segments (§2.5.1.3).
		k.timestamp, k.ended, k.duration = h.timestamp, end, duration
		return ""
	}
	*k = keypad{pressed: true, timestamp: h.timestamp, code: code, ended: end, duration: duration}
	return keyNames[code : code+1]
}

// Press sends digits (RFC 4733), or tones in the sound where the far side takes no
// events. A comma is a pause of a second; what is no digit is left out. Digits
// wait while the session does not send, and are sent after those of an earlier
// Press.
func (s *Session) Press(digits string) {
	keys := make([]byte, 0, len(digits))
	for _, c := range []byte(strings.ToUpper(digits)) {
		if c == ',' || strings.IndexByte(keyNames, c) >= 0 {
			keys = append(keys, c)
		}
	}
	if s.closed.Load() || len(keys) == 0 {
		return
	}
	tones() // made here, not by a clock
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.out.press.add(keys)
}

// pressedBy has the far side hear digits that another of its bridge has sent as
// events, unless it hears something else. Where events are relayed as they are,
// this is for those who take none.
func (o *sender) pressedBy(keys string, relayed bool) {
	tones()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || !o.agreed || !o.p.Send || o.play.on || relayed && o.p.Events != 0 {
		return
	}
	o.press.add([]byte(keys))
}

// maxPressed is how many digits wait to be sent.
const maxPressed = 256

// tones are the sounds of the keys.
var tones = sync.OnceValue(func() []*audio.Clip {
	clips := make([]*audio.Clip, len(keyNames))
	for i := range keyNames {
		clips[i] = audio.DTMFClip(keyNames[i : i+1])
	}
	return clips
})

// How long things are, in ticks.
const (
	pressTicks = 8 // an event: 160 ms
	endTicks   = 2 // its last packet is sent so many times more
	pauseTicks = 50
)

// press sends digits, a tick at a time.
type press struct {
	queue []byte
	on    bool // a digit is being sent
	key   int  // its event
	pause int  // ticks to wait
	step  int  // ticks of the event
	start uint32
	tone  reel // the same as sound
}

func (p *press) add(keys []byte) {
	room := max(0, maxPressed-len(p.queue))
	p.queue = append(p.queue, keys[:min(room, len(keys))]...)
}

// tickPress sends what is due of a digit, in place of all else. It says false when
// there is none.
func (o *sender) tickPress(at time.Time) bool {
	p := &o.press
	if p.pause > 0 {
		p.pause--
		return false
	}
	if !p.on {
		if len(p.queue) == 0 {
			return false
		}
		c := p.queue[0]
		p.queue = p.queue[1:]
		if c == ',' {
			p.pause = pauseTicks - 1
			return false
		}
		p.on, p.key, p.step = true, strings.IndexByte(keyNames, c), 0
		if o.p.Events == 0 {
			p.tone.load(tones()[p.key:p.key+1], false)
		}
	}
	if p.tone.on {
		o.pressTone(at)
	} else {
		o.pressEvent(at)
	}
	return true
}

// pressTone sends 20 ms of a tone.
func (o *sender) pressTone(at time.Time) {
	if !o.turn(origin{kind: fromPress}, at) {
		return
	}
	o.sound(o.press.tone.read(o.frame[:], o.p.Codec), at)
	if o.press.tone.over() {
		o.press.tone, o.press.on = reel{}, false
	}
}

// pressEvent sends a packet of an event: its duration grows until it ends, and the
// end is sent three times (RFC 4733 §2.5.1.2 and §2.5.1.4).
func (o *sender) pressEvent(at time.Time) {
	p := &o.press
	if !o.turn(origin{kind: fromPress}, at) {
		return
	}
	if o.p.Events == 0 { // agreed meanwhile; what has begun cannot be ended
		p.on = false
		return
	}
	if p.step == 0 {
		o.flush(at)
		p.start = o.end
	}
	p.step++
	o.end += uint32(frame)
	o.due = o.due.Add(period)
	b := o.packet[:headerSize+4]
	duration := uint16(min(p.step, pressTicks) * frame)
	b[headerSize], b[headerSize+1] = byte(p.key), eventVolume
	if p.step >= pressTicks {
		b[headerSize+1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[headerSize+2:], duration)
	o.write(b, o.p.Events, p.step == 1, o.seq, p.start)
	o.seq++
	if p.step == pressTicks+endTicks {
		p.on = false
	}
}

// eventVolume is how loud the tone of an event is, in dBm0 below zero.
const eventVolume = 10
