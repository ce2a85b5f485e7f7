package media

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"ringdown/internal/audio"
)

// These tests run in a bubble of time: packets are handed over without sockets, at
// moments that are exact.

// pass lets time go by.
func pass(d time.Duration) { <-time.After(d) }

// newNear is a far side that has been set, and the same as who hears.
func newNear(t *testing.T, e *Engine, codec audio.Encoding) (f, heard *far) {
	t.Helper()
	f = newFar(t, e, codec).set()
	return f, f
}

// give hands a packet over, whatever may be lost.
func (f *far) give(b []byte) { f.s.receive(b, f.address(), time.Now()) }

// checkTimes: the timestamps go on exactly as the time does, whatever was sent.
func checkTimes(t *testing.T, packets []arrival) {
	t.Helper()
	checkStream(t, packets)
	for i, p := range packets {
		if p.payloadType > 95 {
			continue // events have the timestamp of their beginning
		}
		passed, stamped := samples(p.at.Sub(packets[0].at)), int(int32(p.timestamp-packets[0].timestamp))
		if off := stamped - passed; off > 2*frame || off < -2*frame {
			t.Fatalf("packet %d comes %d samples after the first, and says %d", i, passed, stamped)
		}
	}
}

// TestMixExact: three are mixed; one packet in 50 is lost, others come up to 60 ms
// late or overtake each other. What is heard has no gap at all.
func TestMixExact(t *testing.T) {
	bubble(t, func(t *testing.T, e *Engine) {
		a, _ := newNear(t, e, audio.MuLaw)
		b, heard := newNear(t, e, audio.ALaw)
		c, _ := newNear(t, e, audio.MuLaw)
		a.s.Bridge(b.s)
		a.s.Bridge(c.s)
		for n := range 500 {
			packet := a.next(a.payload, false, a.timestamp, audio.EncodeSamples(a.codec, nil, tone(440, n*frame, frame)))
			a.timestamp += uint32(frame)
			if n%50 != 20 {
				time.AfterFunc(time.Duration(n*7%4)*15*time.Millisecond, func() { a.give(packet) })
			}
			pass(period)
		}
		pass(200 * time.Millisecond)
		synctest.Wait()
		checkTimes(t, heard.got)
		pcm, holes := b.heard(heard.got)
		if holes > 0 {
			t.Errorf("%d samples were not sent", holes)
		}
		checkTone(t, "the mix", pcm, 440, 9900*time.Millisecond)
		if g := gap(sounding(pcm)); g > 10 {
			t.Errorf("a gap of %d samples", g)
		}
		if n := len(sounding(pcm)); n > samples(10*time.Second+20*time.Millisecond) {
			t.Errorf("what took 10 s is heard for %v", time.Duration(n)*sample)
		}
		// When it is over it is over.
		if peak(pcm[len(pcm)-frame:]) > 20 {
			t.Error("it goes on")
		}
	})
}

// TestMixDelay: what is said is heard after the jitter buffer, not later, even by
// the end of a call with somebody whose clock is fast or slow.
func TestMixDelay(t *testing.T) {
	const packets = 6000 // in which 500 ppm make 60 ms
	for _, step := range []time.Duration{period, period - 10*time.Microsecond, period + 10*time.Microsecond} {
		bubble(t, func(t *testing.T, e *Engine) {
			a, _ := newNear(t, e, audio.MuLaw)
			b, heard := newNear(t, e, audio.MuLaw)
			c, _ := newNear(t, e, audio.MuLaw)
			a.s.Bridge(b.s)
			a.s.Bridge(c.s)
			quiet := make([]int16, frame)
			for n := range packets {
				pcm := quiet
				if n == packets-100 {
					pcm = tone(1000, 0, frame)
					heard.mu.Lock()
					heard.got = nil
					heard.mu.Unlock()
				}
				a.give(a.next(a.payload, false, a.timestamp, audio.EncodeSamples(a.codec, nil, pcm)))
				a.timestamp += uint32(frame)
				pass(step)
			}
			synctest.Wait()
			pcm, _ := b.heard(heard.got)
			got := time.Duration(onset(pcm)) * sample
			if want := e.o.Jitter + 2*period; got < e.o.Jitter-period || got > want+period {
				t.Errorf("packets every %v: what is said is heard after %v, want about %v", step, got, want)
			}
			if n := len(sounding(pcm)); n < frame*3/4 || n > frame*5/4 {
				t.Errorf("packets every %v: 20 ms are heard for %v", step, time.Duration(n)*sample)
			}
		})
	}
}

// TestHeldBridge: who is on hold is sent nothing, and afterwards the sequence goes
// on where it was.
func TestHeldBridge(t *testing.T) {
	bubble(t, func(t *testing.T, e *Engine) {
		a, _ := newNear(t, e, audio.MuLaw)
		b, heard := newNear(t, e, audio.ALaw)
		a.s.Bridge(b.s)
		for n := range 200 {
			a.give(a.next(a.payload, false, a.timestamp, audio.EncodeSamples(a.codec, nil, tone(440, n*frame, frame))))
			a.timestamp += uint32(frame)
			p := b.s.out.p
			switch n {
			case 50:
				p.Send = false
				b.s.Set(p)
			case 100:
				p.Send = true
				b.s.Set(p)
			case 120:
				b.s.Play(1, []*audio.Clip{clip(1000, time.Second)}, false)
			case 121:
				b.s.Hush() // before much of it was sent
			case 140:
				b.s.Press("5")
			}
			pass(period)
		}
		synctest.Wait()
		checkTimes(t, heard.got)
		at := func(n int) time.Time { return heard.got[0].at.Add(time.Duration(n) * period) }
		for _, p := range heard.got {
			if p.at.After(at(52)) && p.at.Before(at(99)) {
				t.Fatal("something was sent on hold")
			}
		}
		if n := len(heard.got); n < 145 || n > 160 {
			t.Errorf("%d packets were sent", n)
		}
	})
}

// TestComfortNoise: a packet that says that there is nothing to say is not handed
// on, and leaves no hole.
func TestComfortNoise(t *testing.T) {
	bubble(t, func(t *testing.T, e *Engine) {
		a, _ := newNear(t, e, audio.MuLaw)
		b, heard := newNear(t, e, audio.ALaw)
		a.s.Bridge(b.s)
		for n := range 20 {
			if n%5 == 4 {
				a.give(a.next(comfortNoise, false, a.timestamp, []byte{60}))
			} else {
				a.give(a.next(a.payload, false, a.timestamp, audio.EncodeSamples(a.codec, nil, tone(440, 0, frame))))
			}
			a.timestamp += uint32(frame)
			pass(period)
		}
		synctest.Wait()
		checkTimes(t, heard.got)
		if n := len(audible(b)); n != 16 || n != len(heard.got) {
			t.Errorf("%d packets, %d with sound", len(heard.got), n)
		}
	})
}

// TestHeldPrompt: when a hold ends the timestamps have gone on with the time, as
// the prompt has.
func TestHeldPrompt(t *testing.T) {
	bubble(t, func(t *testing.T, e *Engine) {
		a, heard := newNear(t, e, audio.MuLaw)
		a.s.Play(1, []*audio.Clip{clip(440, time.Second), clip(1000, time.Second)}, false)
		pass(500 * time.Millisecond)
		p := a.params()
		p.Send = false
		a.s.Set(p)
		pass(800 * time.Millisecond)
		a.set()
		pass(time.Second)
		synctest.Wait()
		checkTimes(t, heard.got)
		pcm, holes := a.heard(heard.got)
		if off := holes - samples(800*time.Millisecond); off > frame || off < -frame {
			t.Errorf("%d samples are missing", holes)
		}
		checkTone(t, "before", pcm[:samples(480*time.Millisecond)], 440, 470*time.Millisecond)
		checkTone(t, "after", pcm[samples(1320*time.Millisecond):], 1000, 650*time.Millisecond)
	})
}

// TestTurns: prompts and the others take turns for a minute, and never get ahead of
// the time, whenever in the 20 ms each of them begins.
func TestTurns(t *testing.T) {
	for name, legs := range map[string]int{"relayed": 2, "mixed": 3} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, e *Engine) {
				a, _ := newNear(t, e, audio.MuLaw)
				b, heard := newNear(t, e, audio.ALaw)
				a.s.Bridge(b.s)
				for range legs - 2 {
					c, _ := newNear(t, e, audio.ALaw)
					c.s.Bridge(b.s)
				}
				begin := time.Now()
				for turn := range 600 {
					b.s.Play(turn, []*audio.Clip{clip(1000, 50*time.Millisecond)}, false)
					for i := range 5 {
						if i == 2 && turn%2 == 1 {
							b.s.Hush()
						}
						a.give(a.next(a.payload, false, a.timestamp, audio.EncodeSamples(a.codec, nil, tone(440, 0, frame))))
						a.timestamp += uint32(frame)
						pass(period)
					}
					pass(time.Duration(turn%7) * time.Millisecond)
					a.timestamp += uint32(turn%7) * rate / 1000
				}
				synctest.Wait()
				checkTimes(t, heard.got)
				if n, most := len(heard.got), int(time.Since(begin)/period); n > most+2 || n < most*7/10 {
					t.Errorf("%d packets in the time of %d", n, most)
				}
			})
		})
	}
}

// TestRelayLong: an hour is more than the numbers of packets reach.
func TestRelayLong(t *testing.T) {
	e := still()
	now := e.epoch
	var s [2]*Session
	var wires [2]discard
	for i := range s {
		s[i] = e.session(nil)
		s[i].out.wire = &wires[i]
		s[i].Set(Params{Remote: netip.AddrPortFrom(loopback, uint16(1000+i)), Send: true, Receive: true})
	}
	s[0].Bridge(s[1])
	f := &far{sequence: 65000, timestamp: 1<<32 - 1000}
	const packets = 50 * 3600
	for range packets {
		s[0].receive(f.next(0, false, f.timestamp, make([]byte, frame)), s[0].in.p.Remote, now)
		now = now.Add(period)
		f.timestamp += uint32(frame)
	}
	if n := wires[1].packets; n != packets {
		t.Errorf("%d packets of %d were relayed", n, packets)
	}
	if st := s[0].Stats(); st.Lost != 0 || st.PacketsReceived != packets || st.Jitter != 0 {
		t.Errorf("the statistics are %+v", st)
	}
}

// TestSilentPeer: while nothing comes of the other, silence is sent; what comfort
// noise takes of the sequence is not missed.
func TestSilentPeer(t *testing.T) {
	bubble(t, func(t *testing.T, e *Engine) {
		a, _ := newNear(t, e, audio.MuLaw)
		b, heard := newNear(t, e, audio.ALaw)
		a.s.Bridge(b.s)
		speak := func(n int) {
			for range n {
				a.give(a.next(a.payload, false, a.timestamp, audio.EncodeSamples(a.codec, nil, tone(440, 0, frame))))
				a.timestamp += uint32(frame)
				pass(period)
			}
		}
		speak(10)
		for range 5 { // RFC 3389, once in a while
			a.give(a.next(comfortNoise, false, a.timestamp, []byte{60}))
			a.timestamp += uint32(20 * frame)
			pass(20 * period)
		}
		speak(10)
		synctest.Wait()
		checkTimes(t, heard.got)
		silent := 0
		for _, p := range heard.got {
			if p.payloadType != b.payload {
				t.Errorf("payload type %d", p.payloadType)
			}
			if peak(b.decode(p.payload)) < 20 {
				silent++
			}
		}
		if silent < 45 || silent > 60 {
			t.Errorf("%d packets of silence in two seconds", silent)
		}
		if st := a.s.Stats(); st.Lost != 0 || st.PacketsReceived != 25 {
			t.Errorf("the statistics are %+v", st)
		}
	})
}

// TestPlayExact: a prompt begins at the next tick, every packet is on time, and its
// end is told when it has been heard.
func TestPlayExact(t *testing.T) {
	bubble(t, func(t *testing.T, e *Engine) {
		a, heard := newNear(t, e, audio.MuLaw)
		pass(100 * time.Millisecond)
		begin := time.Now()
		a.s.Play(1, []*audio.Clip{clip(440, 90*time.Millisecond), clip(440, 70*time.Millisecond)}, false)
		pass(time.Second)
		synctest.Wait()
		var loud []arrival
		for i, p := range heard.got {
			if i > 0 && p.at.Sub(heard.got[i-1].at) != period {
				t.Errorf("packet %d comes %v after the one before", i, p.at.Sub(heard.got[i-1].at))
			}
			if peak(a.decode(p.payload)) > 500 {
				loud = append(loud, p)
			}
		}
		checkTimes(t, heard.got)
		if len(loud) != 8 || loud[0].at.Sub(begin) > period || !loud[0].marker {
			t.Fatalf("%d packets of the prompt, the first %v after Play", len(loud), loud[0].at.Sub(begin))
		}
		if told := a.log.times[0].Sub(loud[7].at); told != period {
			t.Errorf("the end is told %v after its last packet", told)
		}
	})
}

// TestTimeoutExact: RTCP is a sign of life; silence is told once it has lasted, and
// no earlier.
func TestTimeoutExact(t *testing.T) {
	bubble(t, func(t *testing.T, e *Engine) {
		a, _ := newNear(t, e, audio.MuLaw)
		pass(25 * time.Second)
		a.give(a.next(a.payload, false, 0, make([]byte, frame)))
		pass(29 * time.Second)
		if len(a.log.events()) > 0 {
			t.Fatal("it was told too early")
		}
		pass(time.Second + 2*period)
		synctest.Wait()
		if n := len(a.log.events()); n != 1 {
			t.Errorf("%d events", n)
		}
		pass(time.Hour)
		synctest.Wait()
		if n := len(a.log.events()); n != 1 {
			t.Errorf("%d events", n)
		}
	})
}

// TestRelayedEvents: all packets of an event are handed on, with the payload type
// and timestamps of this side.
func TestRelayedEvents(t *testing.T) {
	bubble(t, func(t *testing.T, e *Engine) {
		a, _ := newNear(t, e, audio.MuLaw)
		b, heard := newNear(t, e, audio.ALaw)
		p := b.s.out.p
		p.Events = 97
		b.s.Set(p)
		a.s.Bridge(b.s)
		sound := func(n int) {
			for range n {
				a.give(a.next(a.payload, false, a.timestamp, make([]byte, frame)))
				a.timestamp += uint32(frame)
				pass(period)
			}
		}
		sound(5)
		start := a.timestamp
		for i := 1; i <= 7; i++ {
			d, end := min(i, 5)*frame, byte(0)
			if i >= 5 {
				end = 0x80
			}
			a.give(a.next(a.events, i == 1, start, []byte{7, end | 10, byte(d >> 8), byte(d)}))
			a.timestamp += uint32(frame)
			pass(period)
		}
		sound(5)
		synctest.Wait()
		checkTimes(t, heard.got)
		var events, after []arrival
		for _, p := range heard.got {
			switch {
			case p.payloadType == 97:
				events = append(events, p)
			case len(events) > 0:
				after = append(after, p)
			}
		}
		if len(events) != 7 || len(after) != 5 {
			t.Fatalf("%d packets of the event, %d after it", len(events), len(after))
		}
		for i, p := range events {
			if p.timestamp != events[0].timestamp || p.marker != (i == 0) || p.payload[0] != 7 || binary.BigEndian.Uint16(p.payload[2:]) != uint16(min(i+1, 5)*frame) {
				t.Errorf("packet %d is %+v", i, p)
			}
		}
		if d := after[0].timestamp - events[0].timestamp; d != uint32(7*frame) {
			t.Errorf("the sound goes on %d later", d)
		}
		if a.log.keys() != "7" {
			t.Errorf("the events are %v", a.log.events())
		}
	})
}
