package phone

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/audio"
)

// recorded is a recording of two channels, the second of which is loud all the
// time.
func recorded(clips ...*audio.Clip) []byte {
	var raw []byte
	for _, c := range clips {
		for _, s := range c.Samples() {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(s))
			raw = binary.LittleEndian.AppendUint16(raw, 0x4000)
		}
	}
	return audio.EncodeWAV(audio.Format{Encoding: audio.PCM, Channels: 2, Rate: rate, Bits: 16}, raw)
}

// TestSound: it begins with what is loud, and ends with 2 s that are not; a shorter
// pause is part of it.
func TestSound(t *testing.T) {
	beep, quiet := tone(440, 500*time.Millisecond), func(d time.Duration) *audio.Clip { return audio.NewClip(make([]int16, int(d.Seconds()*rate))) }
	for name, c := range map[string]struct {
		clips []*audio.Clip
		want  string
	}{
		"nothing":       {nil, ""},
		"silence":       {[]*audio.Clip{quiet(5 * time.Second)}, ""},
		"sound":         {[]*audio.Clip{quiet(time.Second), beep}, "1.00 sound"},
		"its end":       {[]*audio.Clip{beep, quiet(3 * time.Second)}, "0.00 sound, 2.50 silence after 0.5 s of sound"},
		"a pause":       {[]*audio.Clip{beep, quiet(1900 * time.Millisecond), beep, quiet(2 * time.Second)}, "0.00 sound, 4.90 silence after 2.9 s of sound"},
		"two":           {[]*audio.Clip{beep, quiet(2100 * time.Millisecond), beep}, "0.00 sound, 2.50 silence after 0.5 s of sound, 2.60 sound"},
		"half a frame":  {[]*audio.Clip{quiet(time.Second), audio.NewClip(beep.Samples()[:80])}, "1.00 sound"},
		"a faint noise": {[]*audio.Clip{audio.NewClip([]int16{5, -5, 5, -5}), quiet(time.Second)}, ""},
	} {
		for _, block := range []int{7, 1 << 20} { // as it is written piece by piece, and at once
			t.Run(fmt.Sprintf("%s by %d", name, block), func(t *testing.T) {
				began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
				p := &Phone{o: Options{Now: func() time.Time { return began }}}
				call := p.newCall("", "")
				call.since = began
				file := recorded(c.clips...)
				for at := 0; at < len(file); at += block {
					if _, err := call.heard.WriteAt(file[at:min(at+block, len(file))], int64(at)); err != nil {
						t.Fatal(err)
					}
					if block > 100 || at%(100*block) == 0 {
						call.listen(false)
					}
				}
				call.listen(true)
				var got []string
				for _, e := range call.events.all {
					got = append(got, strings.TrimSpace(fmt.Sprintf("%.2f %s %s", e.At.Sub(began).Seconds(), e.What, e.Text)))
				}
				if s := strings.Join(got, ", "); s != c.want {
					t.Errorf("told is %q, want %q", s, c.want)
				}
			})
		}
	}
}

// TestReel: what is beyond its end is lost, and everything before is kept.
func TestReel(t *testing.T) {
	var r reel
	file := recorded(tone(440, time.Second))
	if _, err := r.WriteAt(file, 0); err != nil {
		t.Fatal(err)
	}
	if got := r.samples(0); len(got) != rate {
		t.Fatalf("%d samples are kept", len(got))
	}
	// The header of a recording that goes on for longer than is kept.
	binary.LittleEndian.PutUint32(file[40:], 2*reelBytes)
	if _, err := r.WriteAt(file[:44], 0); err != nil {
		t.Fatal(err)
	}
	if n, err := r.WriteAt(file[44:], 2*reelBytes); n != rate*4 || err != nil {
		t.Fatalf("%d bytes beyond the end, %v", n, err)
	}
	if got := r.samples(reelSamples - 10); len(got) < 10 || len(r.kept) > reelBytes {
		t.Errorf("%d samples at the end, %d bytes", len(got), len(r.kept))
	}
	if got := r.samples(0); got[7] != tone(440, time.Second).Samples()[7] {
		t.Error("the beginning is lost")
	}
	if _, err := r.WriteAt(nil, -1); err == nil {
		t.Error("a negative offset was taken")
	}
}

// TestMany: calls at once, and nothing is left of them.
func TestMany(t *testing.T) {
	before := runtime.NumGoroutine()
	const calls = 40
	callee, err := New(within(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	caller, err := New(within(t), Options{Server: callee.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			c, err := callee.Wait(within(t))
			if err != nil {
				t.Error(err)
				return
			}
			c.Answer()
			for e := range c.Events() {
				if e.What == Key {
					c.Hangup()
				}
			}
		})
		all.Go(func() {
			c, err := caller.Dial(within(t), "+14155550199")
			if err != nil {
				t.Error(err)
				return
			}
			if err := c.Answered(within(t)); err != nil {
				t.Error(err)
			}
			c.Press("1")
			if reason, err := c.Ended(within(t)); err != nil || reason != "hung up there" {
				t.Errorf("%q, %v", reason, err)
			}
		})
	}
	all.Wait()
	for _, p := range []*Phone{caller, callee} {
		if n := p.endpoint.Calls(); n != 0 {
			t.Errorf("%d calls are left", n)
		}
		if n := p.engine.Sessions(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	deadline := time.After(patience)
	for runtime.NumGoroutine() > before {
		select {
		case <-deadline:
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines were there before, now:\n%s", before, stacks[:runtime.Stack(stacks, true)])
		case <-time.After(10 * time.Millisecond):
		}
	}
}
