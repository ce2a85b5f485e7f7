package media

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ringdown/internal/audio"
)

// TestRelay: two hear each other, whatever their encodings.
func TestRelay(t *testing.T) {
	for _, c := range []struct{ a, b audio.Encoding }{{audio.MuLaw, audio.MuLaw}, {audio.ALaw, audio.ALaw}, {audio.MuLaw, audio.ALaw}} {
		t.Run(c.a.String()+" "+c.b.String(), func(t *testing.T) {
			both(t, nil, func(t testing.TB, e *Engine) {
				a, b := newFar(t, e, c.a).set(), newFar(t, e, c.b).set()
				a.waitPackets(3) // silence, until there is more
				a.s.Bridge(b.s)
				stopA, stopB := a.speak(440), b.speak(1000)
				a.waitSound(50)
				b.waitSound(50)
				stopA()
				stopB()
				for _, f := range []struct {
					*far
					hz float64
				}{{a, 1000}, {b, 440}} {
					all := f.packets()
					checkStream(t, all)
					pcm, _ := f.heard(all)
					checkTone(t, "the other", pcm, f.hz, 950*time.Millisecond)
				}
			})
		})
	}
}

// TestRelayOrigins: a call hears silence, a prompt, another side, a prompt, the
// other side again, silence: one stream all the time.
func TestRelayOrigins(t *testing.T) {
	both(t, nil, func(t testing.TB, e *Engine) {
		a, b := newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.ALaw).set()
		defer b.speak(1000)()
		a.waitPackets(2)
		a.s.Play(1, []*audio.Clip{clip(440, 200*time.Millisecond)}, false)
		a.s.Bridge(b.s)
		a.log.wait(t, "the first prompt", played(1))
		a.waitSound(20)
		a.s.Play(2, []*audio.Clip{clip(440, 200*time.Millisecond)}, false)
		a.log.wait(t, "the second prompt", played(2))
		a.waitSound(40)
		a.s.Leave()
		n := len(a.packets())
		a.waitPackets(n + 20)
		all := a.packets()
		checkStream(t, all)
		// What was heard, without repetition.
		var order []float64
		for _, p := range all {
			pcm := a.decode(p.payload)
			for _, hz := range []float64{0, 440, 1000} {
				if hz == 0 && peak(pcm) < 500 || hz > 0 && audio.ToneLevel(pcm, hz) > level-3 {
					if len(order) == 0 || order[len(order)-1] != hz {
						order = append(order, hz)
					}
				}
			}
		}
		if want := []float64{0, 440, 1000, 440, 1000, 0}; !slices.Equal(order, want) {
			t.Errorf("it heard %v, want %v", order, want)
		}
		pcm, holes := a.heard(all)
		if g := gap(sounding(pcm)); g > 2*frame || holes > 2*frame {
			t.Errorf("changing what is heard takes %d samples, %d of them are missing", g, holes)
		}
	})
}

// TestRelayImperfect: what a network does to packets is handed on as it is, but not
// made worse.
func TestRelayImperfect(t *testing.T) {
	both(t, nil, func(t testing.TB, e *Engine) {
		a, b := newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.ALaw).set()
		a.s.Bridge(b.s)
		r := rand.New(rand.NewPCG(1, 2))
		var kept []byte
		lost := 0
		for n := range 200 {
			packet := a.next(a.payload, false, a.timestamp, audio.EncodeSamples(a.codec, nil, tone(440, n*frame, frame)))
			a.timestamp += uint32(frame)
			switch {
			case n > 5 && r.IntN(50) == 0:
				lost++
			case kept == nil && n > 5 && r.IntN(10) == 0:
				kept = packet // overtaken by the next
			default:
				a.put(packet)
				if r.IntN(10) == 0 {
					a.put(packet) // twice
				}
				if kept != nil {
					a.put(kept)
					kept = nil
				}
			}
		}
		if kept != nil {
			a.put(kept)
		}
		b.wait("what was sent", func() bool { return len(audible(b)) >= 200-lost })
		all := audible(b)
		pcm, holes := b.heard(all)
		if lost == 0 || holes != lost*frame || len(all) != 200-lost {
			t.Errorf("%d packets were lost; %d have come, %d samples are missing", lost, len(all), holes)
		}
		if hz := audio.ToneLevel(pcm, 440); hz < level-1 || hz > level+1 {
			t.Errorf("the tone has %.1f dBFS, want %.1f", hz, level)
		}
		seen := map[uint16]bool{}
		for _, p := range all {
			if seen[p.sequence] {
				t.Errorf("%d has come twice", p.sequence)
			}
			seen[p.sequence] = true
		}
		if st := a.s.Stats(); st.Lost != uint64(lost) || st.PacketsReceived != uint64(200-lost) {
			t.Errorf("the statistics are %+v, want %d lost", st, lost)
		}
	})
}

// audible are the packets with sound in them.
func audible(f *far) []arrival {
	return slices.DeleteFunc(f.packets(), func(p arrival) bool { return peak(f.decode(p.payload)) < 500 })
}

// TestRelayRestart: a far side that begins its stream anew, with or without another
// SSRC, does not break that of the other.
func TestRelayRestart(t *testing.T) {
	both(t, nil, func(t testing.TB, e *Engine) {
		a, b := newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.MuLaw).set()
		a.s.Bridge(b.s)
		stop := a.speak(440)
		for i, change := range []func(){
			func() { a.ssrc++ },
			func() { a.sequence += 20000 },
			func() { a.timestamp += 1 << 30 },
			func() { a.ssrc++; a.sequence -= 100; a.timestamp -= 1 << 29 },
		} {
			b.waitSound(10 * (i + 1))
			a.sending.Lock()
			change()
			a.sending.Unlock()
		}
		b.waitSound(60)
		stop()
		all := audible(b)
		checkStream(t, all)
		pcm, holes := b.heard(all)
		if g := gap(sounding(pcm)); g > 2*frame || holes > 8*frame {
			t.Errorf("a gap of %d samples, %d are missing", g, holes)
		}
	})
}

// patient makes an engine that waits for packets as long as it can: tests share
// their processors with each other.
func patient(o *Options) { o.Jitter = maxJitter }

// TestMix: of three and five, each hears the others and not itself.
func TestMix(t *testing.T) {
	for _, size := range []int{3, 5} {
		t.Run(map[int]string{3: "three", 5: "five"}[size], func(t *testing.T) {
			both(t, patient, func(t testing.TB, e *Engine) {
				tones := []float64{400, 700, 1100, 1700, 2300}[:size]
				fars := make([]*far, size)
				for i := range fars {
					fars[i] = newFar(t, e, []audio.Encoding{audio.MuLaw, audio.ALaw}[i%2]).set()
					defer fars[i].speak(tones[i])()
				}
				for _, f := range fars[1:] {
					fars[0].s.Bridge(f.s)
				}
				for _, f := range fars {
					f.forget()
				}
				for _, f := range fars {
					f.waitSound(75)
				}
				for i, f := range fars {
					all := f.packets()
					checkStream(t, all)
					pcm, holes := f.heard(all)
					if holes > 0 {
						t.Errorf("%d lacks %d samples", i, holes)
					}
					pcm = sounding(pcm)
					pcm = pcm[len(pcm)-samples(time.Second):]
					for j, hz := range tones {
						got := audio.ToneLevel(pcm, hz)
						if i == j && got > level-30 || i != j && (got < level-1 || got > level+1) {
							t.Errorf("%d hears %d with %.1f dBFS, they speak with %.1f", i, j, got, level)
						}
					}
					if g := gap(pcm); g > frame {
						t.Errorf("%d hears a gap of %d samples", i, g)
					}
				}
			})
		})
	}
}

// TestMixLoud: what is louder than a sample can be is cut off, not turned over.
func TestMixLoud(t *testing.T) {
	for _, c := range []struct {
		v    int32
		want int16
	}{{0, 0}, {32767, 32767}, {32768, 32767}, {5 * 32767, 32767}, {-32768, -32768}, {-32769, -32768}, {-5 * 32768, -32768}} {
		if got := saturate(c.v); got != c.want {
			t.Errorf("%d became %d, want %d", c.v, got, c.want)
		}
	}
}

// TestMixLossy: 2 % of the packets are lost, and every tenth comes late; the mix
// covers it.
func TestMixLossy(t *testing.T) {
	both(t, patient, func(t testing.TB, e *Engine) {
		a, b, c := newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.ALaw).set(), newFar(t, e, audio.MuLaw).set()
		a.lose = func(n int) bool { return n%50 == 20 }
		stop := a.speak(440)
		defer stop()
		a.s.Bridge(b.s)
		b.s.Bridge(c.s)
		c.forget()
		c.waitSound(150)
		pcm, _ := c.heard(c.packets())
		checkTone(t, "with losses", pcm, 440, 2900*time.Millisecond)
	})
}

// TestBridgeSizes: a call goes on through relay, mix, relay and alone.
func TestBridgeSizes(t *testing.T) {
	both(t, nil, func(t testing.TB, e *Engine) {
		a, b, c := newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.MuLaw).set()
		defer a.speak(440)()
		defer c.speak(1000)()
		a.s.Bridge(b.s)
		b.waitSound(20)
		c.s.Bridge(b.s)
		hears := func(hz float64) func() bool {
			return func() bool {
				all := b.packets()
				return audio.ToneLevel(b.decode(all[len(all)-1].payload), hz) > level-3
			}
		}
		b.wait("the third", hears(1000))
		if a.s.peer.Load() != nil || a.s.mixed.Load() == nil {
			t.Error("three are not mixed")
		}
		c.s.Close()
		b.wait("a relay", func() bool {
			return a.s.peer.Load() == b.s && b.s.peer.Load() == a.s && a.s.mixed.Load() == nil && a.s.bridge.clock.load.Load() <= 3
		})
		n := len(b.packets())
		b.waitSound(40)
		b.waitPackets(n + 20)
		if a.s.Leave(); b.s.bridge != nil || b.s.peer.Load() != nil {
			t.Error("one is still in a bridge")
		}
		b.waitPackets(n + 40)
		all := b.packets()
		checkStream(t, all)
		if pcm, _ := b.heard(all[:n+20]); gap(sounding(pcm)) > frame {
			t.Errorf("changing how it is bridged takes %d samples", gap(sounding(pcm)))
		}
	})
}

// TestBridgeSeams: whoever talks while a third joins and leaves is heard without a
// pause and as loud as before, wherever in its packets and in
// the clock's ticks that happens.
func TestBridgeSeams(t *testing.T) {
	for _, hz := range []float64{300, 440, 1004, 1900} {
		for phase := time.Duration(0); phase < period; phase += 3 * time.Millisecond {
			t.Run(fmt.Sprintf("%v Hz %v", hz, phase), func(t *testing.T) {
				bubble(t, func(t *testing.T, e *Engine) {
					a, b, c := newFar(t, e, audio.ALaw).set(), newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.MuLaw).set()
					a.s.Bridge(b.s)
					pass(phase)
					stop := a.speak(hz)
					defer stop()
					for range 3 {
						pass(500*time.Millisecond + 7*time.Millisecond)
						c.s.Bridge(b.s)
						pass(500 * time.Millisecond)
						c.s.Leave()
					}
					pass(time.Second)
					if a.s.peer.Load() != b.s {
						t.Error("it is not relayed again")
					}
					stop()
					pass(100 * time.Millisecond)
					synctest.Wait()
					checkSeams(t, b, hz, 0)
				})
			})
		}
	}
}

// TestBridgeSeamsImperfect: the same where packets come late, and are lost.
func TestBridgeSeamsImperfect(t *testing.T) {
	both(t, nil, func(t testing.TB, e *Engine) {
		a, b, c := newFar(t, e, audio.ALaw).set(), newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.MuLaw).set()
		a.lose = func(n int) bool { return n%50 == 20 }
		a.s.Bridge(b.s)
		stop := a.speak(440)
		for range 2 {
			n := len(b.packets())
			b.waitPackets(n + 40)
			c.s.Bridge(b.s)
			b.waitPackets(n + 80)
			c.s.Leave()
		}
		b.waitSound(180)
		stop()
		checkSeams(t, b, 440, frame)
	})
}

// TestBridgeTurmoil: however sessions join and leave, each hears one stream, and two
// that are left are relayed in the end.
func TestBridgeTurmoil(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T, e *Engine) {
				r := rand.New(rand.NewPCG(seed, 1))
				var fars []*far
				for i := range 5 {
					f := newFar(t, e, []audio.Encoding{audio.MuLaw, audio.ALaw}[i%2]).set()
					fars = append(fars, f)
					pass(time.Duration(r.IntN(20)) * time.Millisecond)
					if i < 4 {
						defer f.speak(float64(400 + 300*i))()
					}
				}
				for range 60 {
					f, other := fars[r.IntN(5)].s, fars[r.IntN(5)].s
					switch r.IntN(5) {
					case 0, 1, 2:
						f.Bridge(other)
					case 3:
						f.Leave()
					case 4:
						f.Play(1, []*audio.Clip{clip(2000, 70*time.Millisecond)}, false)
					}
					pass(time.Duration(r.IntN(150)) * time.Millisecond)
				}
				for _, f := range fars {
					f.s.Leave()
				}
				fars[0].s.Bridge(fars[1].s)
				fars[2].s.Bridge(fars[1].s)
				pass(time.Duration(r.IntN(200)) * time.Millisecond)
				fars[2].s.Leave()
				pass(3 * time.Second)
				synctest.Wait()
				a, b := fars[0].s, fars[1].s
				if a.peer.Load() != b || b.peer.Load() != a || a.mixed.Load() != nil || b.mixed.Load() != nil || a.in.mix != nil || a.bridge.mixing {
					t.Error("two are not relayed in the end")
				}
				for _, c := range e.clocks {
					for _, m := range c.members {
						if _, mixes := m.(*bridge); mixes {
							t.Error("a clock still drives a bridge")
						}
					}
				}
				for _, f := range fars {
					checkStream(t, f.packets())
				}
			})
		})
	}
}

// checkSeams: what a far side has heard is a tone from its beginning to its end. Hole
// is how much may be missing at a place, because it has been lost.
func checkSeams(t testing.TB, f *far, hz float64, hole int) {
	t.Helper()
	all := f.packets()
	pcm, missing := f.heard(all)
	if hole == 0 {
		checkStream(t, all)
		if missing > 0 {
			t.Errorf("%d samples are missing", missing)
		}
	}
	pcm = sounding(pcm)
	if g := gap(pcm); g > max(hole, samples(2*time.Millisecond)) {
		t.Errorf("a gap of %v", time.Duration(g)*sample)
	}
	quiet := 0
	for at := 0; at+2*frame <= len(pcm); at += frame / 2 {
		if got := audio.ToneLevel(pcm[at:at+2*frame], hz); math.Abs(got-level) > 1 {
			if quiet++; hole == 0 {
				t.Errorf("at %v: %v Hz has %.1f dBFS, want %.1f", time.Duration(at)*sample, hz, got, level)
			}
		}
	}
	if most := len(pcm) * 3 / 10 / frame; quiet > most { // 2 % lost are in 12 % of the places
		t.Errorf("%d places have another level, %d may", quiet, most)
	}
}

// TestBridgesMerge: two bridges become one.
func TestBridgesMerge(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	var s []*Session
	for range 4 {
		s = append(s, newFar(t, e, audio.MuLaw).s)
	}
	s[0].Bridge(s[0])
	s[0].Bridge(nil)
	if s[0].bridge != nil {
		t.Error("it is bridged with itself")
	}
	s[0].Bridge(s[1])
	s[2].Bridge(s[3])
	s[1].Bridge(s[2])
	s[3].Bridge(s[0])
	for i, m := range s {
		if m.bridge == nil || m.bridge != s[0].bridge || len(m.bridge.members) != 4 || m.mixed.Load() == nil {
			t.Errorf("%d is not in the bridge of four", i)
		}
	}
	for _, m := range s {
		m.Leave()
		m.Leave()
	}
	for i, m := range s {
		if m.bridge != nil || m.mixed.Load() != nil || m.peer.Load() != nil || m.in.mix != nil {
			t.Errorf("%d has not left", i)
		}
	}
}
