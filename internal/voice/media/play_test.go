package media

import (
	"slices"
	"testing"
	"time"

	"ringdown/internal/audio"
)

func TestPlay(t *testing.T) {
	for _, codec := range []audio.Encoding{audio.MuLaw, audio.ALaw} {
		t.Run(codec.String(), func(t *testing.T) {
			both(t, nil, func(t testing.TB, e *Engine) {
				f := newFar(t, e, codec).set()
				f.waitPackets(2) // silence comes first
				f.s.Play(7, []*audio.Clip{clip(440, 300*time.Millisecond), clip(440, 333*time.Millisecond)}, false)
				f.log.wait(t, "the end", played(7))
				f.waitPackets(len(f.packets()) + 3)
				all := f.packets()
				checkStream(t, all)
				pcm, holes := f.heard(all)
				if holes > 0 {
					t.Errorf("%d samples have not come", holes)
				}
				checkTone(t, "the prompt", pcm, 440, 625*time.Millisecond)
				if n := len(sounding(pcm)); n > samples(633*time.Millisecond) {
					t.Errorf("%d samples of sound", n)
				}
				for i, p := range all {
					want := i == 0 || peak(f.decode(all[i-1].payload)) < 500 && peak(f.decode(p.payload)) > 500
					if p.marker != want {
						t.Errorf("packet %d: marker %v", i, p.marker)
					}
				}
				if n := len(f.log.events()); n != 1 {
					t.Errorf("the events are %v", f.log.events())
				}
			})
		})
	}
}

// TestPlayPtime: the far side says how long it wants packets.
func TestPlayPtime(t *testing.T) {
	for _, ptime := range []time.Duration{10, 30, 40, 60} {
		ptime *= time.Millisecond
		t.Run(ptime.String(), func(t *testing.T) {
			both(t, nil, func(t testing.TB, e *Engine) {
				f := newFar(t, e, audio.MuLaw)
				p := f.params()
				p.Ptime = ptime
				f.s.Play(1, []*audio.Clip{clip(700, 600*time.Millisecond)}, false)
				f.s.Set(p)
				f.log.wait(t, "the end", played(1))
				all := f.packets()
				checkStream(t, all)
				pcm, holes := f.heard(all)
				checkTone(t, "the prompt", pcm, 700, 500*time.Millisecond)
				if holes > 0 {
					t.Errorf("%d samples have not come", holes)
				}
				for i, p := range all {
					if len(p.payload) != samples(ptime) {
						t.Fatalf("packet %d has %d samples", i, len(p.payload))
					}
				}
			})
		})
	}
}

func TestPlayLoop(t *testing.T) {
	both(t, nil, func(t testing.TB, e *Engine) {
		f := newFar(t, e, audio.MuLaw).set()
		// 125 ms are no whole number of packets; 400 Hz goes on without a step.
		f.s.Play(1, []*audio.Clip{clip(400, 125*time.Millisecond), audio.NewClip(nil), nil}, true)
		f.waitSound(50)
		f.s.Hush()
		all := f.packets()
		pcm, _ := f.heard(all)
		checkTone(t, "the loop", pcm, 400, 900*time.Millisecond)
		f.forget()
		f.waitPackets(5)
		if n := peak(f.decode(f.packets()[4].payload)); n > 10 {
			t.Errorf("after Hush there is still sound, %d", n)
		}
		checkStream(t, append(all[len(all)-1:], f.packets()...)[:1])
		if n := len(f.log.events()); n != 0 {
			t.Errorf("the events are %v", f.log.events())
		}
	})
}

func TestPlayReplaced(t *testing.T) {
	both(t, nil, func(t testing.TB, e *Engine) {
		f := newFar(t, e, audio.MuLaw).set()
		f.s.Play(1, []*audio.Clip{clip(400, time.Second)}, false)
		f.waitSound(5)
		f.s.Play(2, []*audio.Clip{clip(600, 100*time.Millisecond)}, false)
		f.log.wait(t, "the second", played(2))
		f.s.Play(3, nil, false)
		f.log.wait(t, "nothing played", played(3))
		f.s.Play(4, []*audio.Clip{clip(600, 100*time.Millisecond)}, false)
		f.s.Hush()
		f.s.Play(5, []*audio.Clip{audio.NewClip(nil)}, false)
		f.log.wait(t, "nothing played", played(5))
		want := []Event{{Kind: Played, Seq: 2}, {Kind: Played, Seq: 3}, {Kind: Played, Seq: 5}}
		if got := f.log.events(); !slices.Equal(got, want) {
			t.Errorf("the events are %v, want %v", got, want)
		}
		checkStream(t, f.packets())
	})
}

// TestPlayHeld: what plays waits for the first Set; on hold it goes on unheard.
func TestPlayHeld(t *testing.T) {
	both(t, nil, func(t testing.TB, e *Engine) {
		f := newFar(t, e, audio.MuLaw)
		f.s.Play(1, []*audio.Clip{clip(400, 400*time.Millisecond)}, false)
		p := f.params()
		p.Send = false
		f.s.Set(p)
		begin := time.Now()
		f.log.wait(t, "the end", played(1))
		if d := time.Since(begin); d < 300*time.Millisecond {
			t.Errorf("400 ms were over after %v", d)
		}
		if n := len(f.packets()); n > 0 {
			t.Errorf("%d packets were sent on hold", n)
		}
		f.set()
		f.waitPackets(2)
		checkStream(t, f.packets())
	})
}
