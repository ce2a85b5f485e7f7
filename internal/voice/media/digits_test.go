package media

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audio"
)

// packetOf is a packet of an event as it is given to a keypad.
type eventPacket struct {
	timestamp uint32
	code      byte
	end       bool
	duration  uint16
	order     order
	mark      bool
}

func TestKeypad(t *testing.T) {
	for name, c := range map[string]struct {
		packets []eventPacket
		want    string
	}{
		"one":                   {[]eventPacket{{1000, 5, false, 160, fresh, true}, {1000, 5, false, 320, fresh, false}, {1000, 5, true, 320, fresh, false}, {1000, 5, true, 320, fresh, false}, {1000, 5, true, 320, fresh, false}}, "5"},
		"the beginning is lost": {[]eventPacket{{1000, 10, true, 320, fresh, false}, {1000, 10, true, 320, fresh, false}}, "*"},
		"the end is lost":       {[]eventPacket{{1000, 1, false, 160, fresh, true}, {2000, 1, false, 160, fresh, true}}, "11"},
		"all letters":           {[]eventPacket{{1, 12, false, 1, opener, true}, {2, 13, false, 1, fresh, true}, {3, 14, false, 1, fresh, true}, {4, 15, true, 1, fresh, true}}, "ABCD"},
		"a flash is no key":     {[]eventPacket{{1000, 16, false, 160, fresh, true}, {1000, 255, false, 160, fresh, true}}, ""},
		"late, of the same":     {[]eventPacket{{1000, 5, true, 320, fresh, true}, {1000, 5, false, 160, late, false}}, "5"},
		"late, of the former":   {[]eventPacket{{1000, 5, true, 320, fresh, true}, {2000, 6, true, 320, fresh, true}, {1000, 5, true, 320, late, false}}, "56"},
		"overtaken by sound":    {[]eventPacket{{1000, 5, true, 320, fresh, true}, {2000, 6, true, 320, late, true}}, "56"},
		"an earlier timestamp":  {[]eventPacket{{5000, 5, true, 320, fresh, true}, {1000, 6, true, 320, fresh, true}}, "56"},
		"the same timestamp":    {[]eventPacket{{1000, 5, false, 160, fresh, true}, {1000, 5, true, 320, fresh, false}, {1000, 5, false, 160, fresh, true}, {1000, 5, true, 320, fresh, false}}, "55"},
		"the same, another key": {[]eventPacket{{1000, 5, false, 160, fresh, true}, {1000, 6, false, 160, fresh, true}}, "56"},
		"a new stream":          {[]eventPacket{{1000, 5, true, 160, fresh, true}, {1000, 5, false, 160, opener, true}}, "55"},
		"held for ten seconds":  {[]eventPacket{{1000, 5, false, 65535, fresh, true}, {1000 + 65535, 5, false, 160, fresh, false}, {1000 + 65535, 5, true, 320, fresh, false}, {1000 + 65535, 5, true, 320, fresh, false}}, "5"},
		"timestamps turn over":  {[]eventPacket{{1<<32 - 10, 5, true, 160, fresh, true}, {300, 5, false, 160, fresh, true}, {1<<32 - 10, 5, true, 160, late, false}}, "55"},
		"not marked, not ended": {[]eventPacket{{1000, 5, true, 160, fresh, true}, {1000, 5, false, 160, fresh, false}}, "5"},
	} {
		t.Run(name, func(t *testing.T) {
			var k keypad
			got := ""
			for _, p := range c.packets {
				b := []byte{p.code, 10, 0, 0}
				if p.end {
					b[1] |= 0x80
				}
				binary.BigEndian.PutUint16(b[2:], p.duration)
				got += k.event(header{timestamp: p.timestamp, marker: p.mark}, b, p.order)
			}
			if got != c.want {
				t.Errorf("it heard %q, want %q", got, c.want)
			}
		})
	}
}

// TestDigits: two packets of three are lost, and every digit is heard once.
func TestDigits(t *testing.T) {
	t.Parallel()
	f := newFar(t, newEngine(t, nil), audio.MuLaw).set()
	f.lose = func(n int) bool { return n%3 > 0 }
	const keys = "0123456789*#ABCD1155"
	for _, k := range []byte(keys) {
		f.key(k)
	}
	f.log.waitKeys(t, keys)
}

// TestTones: where there are no events, digits are found in the sound.
func TestTones(t *testing.T) {
	t.Parallel()
	f := newFar(t, newEngine(t, nil), audio.ALaw)
	f.events = 0
	f.set()
	f.lose = func(n int) bool { return n%25 == 3 } // 4 %
	const keys = "159D*0#3322"
	pcm := audio.DTMFClip(keys).Samples()
	for part := range slices.Chunk(append(slices.Clone(pcm), make([]int16, 3200)...), frame) {
		f.say(part)
	}
	f.log.waitKeys(t, keys)
}

// TestPress: what is pressed here is heard there, in either way.
func TestPress(t *testing.T) {
	for _, events := range []uint8{101, 0} {
		t.Run(map[uint8]string{101: "events", 0: "tones"}[events], func(t *testing.T) {
			both(t, nil, func(t testing.TB, e *Engine) {
				f := newFar(t, e, audio.ALaw)
				f.events = events
				f.s.Press("1x2,#")
				f.s.Press("a")
				f.set()
				begin := time.Now()
				f.wait("the digits", func() bool { return strings.HasSuffix(f.keys(), "A") })
				if took := time.Since(begin); took < time.Second || f.keys() != "12#A" {
					t.Errorf("%q came within %v, want a pause of a second", f.keys(), took)
				}
				f.waitPackets(len(f.packets()) + 10)
				all := f.packets()
				checkStream(t, all)
				if events == 0 {
					return
				}
				ends := map[uint32]int{}
				for i, p := range all {
					if p.payloadType != events {
						continue
					}
					duration := int(binary.BigEndian.Uint16(p.payload[2:]))
					if first := i == 0 || all[i-1].payloadType != events || all[i-1].timestamp != p.timestamp; first != p.marker || first != (duration == frame) {
						t.Errorf("packet %d: marker %v, duration %d", i, p.marker, duration)
					}
					if p.payload[1]&0x80 != 0 {
						ends[p.timestamp]++
						if duration != 1280 {
							t.Errorf("packet %d ends with the duration %d", i, duration)
						}
					}
				}
				for ts, n := range ends {
					if n != 3 {
						t.Errorf("the end of the event of %d was sent %d times", ts, n)
					}
				}
				if len(ends) != 4 {
					t.Errorf("there were %d events", len(ends))
				}
			})
		})
	}
}

// keys are the digits that a far side hears.
func (f *far) keys() string {
	if f.events == 0 {
		pcm, _ := f.heard(f.packets())
		return audio.DTMF(pcm)
	}
	var k keypad
	got := ""
	for _, p := range f.packets() {
		if p.payloadType == f.events {
			got += k.event(p.header, p.payload, fresh)
		}
	}
	return got
}

// TestDigitsBridged: a digit is told of who pressed it, and heard by the other, in
// the way that it takes digits.
func TestDigitsBridged(t *testing.T) {
	for name, c := range map[string]struct {
		events uint8
		third  bool
	}{"event": {96, false}, "tone": {0, false}, "mixed event": {96, true}, "mixed tone": {0, true}} {
		t.Run(name, func(t *testing.T) {
			both(t, nil, func(t testing.TB, e *Engine) {
				a, b := newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.ALaw)
				b.events = c.events
				b.set()
				a.s.Bridge(b.s)
				if c.third {
					b.s.Bridge(newFar(t, e, audio.MuLaw).set().s)
				}
				stop := a.speak(440)
				b.waitSound(5)
				stop()
				for _, k := range []byte("47*") {
					a.key(k)
				}
				stop = a.speak(440)
				b.wait("the digits", func() bool { return b.keys() == "47*" })
				n := len(audible(b))
				b.waitSound(n + 10)
				stop()
				a.log.waitKeys(t, "47*")
				if keys := b.log.keys(); keys != "" {
					t.Errorf("%s is told of who did not press", keys)
				}
				if !c.third {
					return
				}
				checkStream(t, b.packets())
			})
		})
	}
}

// TestPressBounded: neither what is pressed nor what is heard grows without bounds.
func TestPressBounded(t *testing.T) {
	e := newEngine(t, nil)
	f := newFar(t, e, audio.MuLaw)
	f.s.Press(strings.Repeat("1", 10000))
	f.s.Press("2")
	if n := len(f.s.out.press.queue); n != maxPressed {
		t.Errorf("%d digits wait", n)
	}
	block := make(chan struct{})
	s, err := e.Open(func(Event) { <-block })
	if err != nil {
		t.Fatal(err)
	}
	for range 10000 {
		s.events.tell(Event{Kind: Digit, Key: "1"})
	}
	s.events.tell(Event{Kind: TimedOut})
	s.events.mu.Lock()
	if n := len(s.events.queue); n > maxEvents+1 || s.events.queue[n-1].Kind != TimedOut {
		t.Errorf("%d events wait", n)
	}
	s.events.mu.Unlock()
	s.Close()
	close(block)
}
