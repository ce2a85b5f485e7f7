package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringdown/internal/audio"
)

// memory is a file.
type memory struct {
	mu   sync.Mutex
	b    []byte
	fail error
}

func (m *memory) WriteAt(b []byte, off int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return 0, m.fail
	}
	if n := int(off) + len(b); n > len(m.b) {
		m.b = append(m.b, make([]byte, n-len(m.b))...)
	}
	return copy(m.b[off:], b), nil
}

// channels reads the file as it is now.
func (m *memory) channels(t testing.TB) (in, out []int16) {
	t.Helper()
	m.mu.Lock()
	b := bytes.Clone(m.b)
	m.mu.Unlock()
	w, err := audio.ParseWAV(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	if want := (audio.Format{Encoding: audio.PCM, Channels: 2, Rate: rate, Bits: 16}); w.Format != want {
		t.Fatalf("it is %+v", w.Format)
	}
	for b = b[w.Offset : w.Offset+w.Length]; len(b) > 0; b = b[channelSize:] {
		in = append(in, int16(binary.LittleEndian.Uint16(b)))
		out = append(out, int16(binary.LittleEndian.Uint16(b[2:])))
	}
	return in, out
}

// TestRecordCall records both sides of a relayed call with losses, and a prompt.
func TestRecordCall(t *testing.T) {
	both(t, nil, func(t testing.TB, e *Engine) {
		a, b := newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.ALaw).set()
		var fileA, fileB memory
		ra, err := NewRecorder(&fileA)
		if err != nil {
			t.Fatal(err)
		}
		rb, err := NewRecorder(&fileB)
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		a.s.Record("call", ra)
		b.s.Record("call", rb)
		a.s.Bridge(b.s)
		a.lose = func(n int) bool { return n%50 == 20 || n%50 == 31 || n%50 == 32 } // 6 %
		stopA, stopB := a.speak(440), b.speak(1000)
		b.waitSound(100)
		stopA()
		stopB()
		a.s.Leave()
		a.s.Play(1, []*audio.Clip{clip(1500, 400*time.Millisecond)}, false)
		a.log.wait(t, "the prompt", played(1))
		took := time.Since(begin)
		for _, r := range []*Recorder{ra, rb, ra} {
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
		a.s.Record("call", nil)
		if a.s.taps.Load() != nil {
			t.Error("it is still recorded")
		}
		inA, outA := fileA.channels(t)
		inB, outB := fileB.channels(t)
		if d := time.Duration(len(inA)) * sample; d < took-sample || d > took+time.Second {
			t.Errorf("%v are recorded of a call of %v", d, took)
		}
		checkTone(t, "what a said", inA, 440, 1900*time.Millisecond)
		checkTone(t, "what b said", inB, 1000, 1900*time.Millisecond)
		checkTone(t, "what b heard", outB, 440, 1900*time.Millisecond)
		prompt := sounding(outA)
		checkTone(t, "the prompt", prompt[len(prompt)-samples(380*time.Millisecond):], 1500, 370*time.Millisecond)
		for i, pair := range [][2][]int16{{inA, outB}, {inB, outA}} {
			if off := onset(pair[0]) - onset(pair[1]); off > samples(40*time.Millisecond) || off < -samples(40*time.Millisecond) {
				t.Errorf("%d: the channels are %v apart", i, time.Duration(off)*sample)
			}
		}
	})
}

// onset is where sound begins.
func onset(pcm []int16) int {
	for i, v := range pcm {
		if v > 500 || v < -500 {
			return i
		}
	}
	return -1
}

// TestRecorder: what is put where stays there; what is late, early, suspended or
// missing is as documented; and the file is valid at any moment.
func TestRecorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var file memory
		r, err := NewRecorder(&file)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if in, _ := file.channels(t); len(in) != 0 {
			t.Errorf("%d samples at the start", len(in))
		}
		put := func(channel int, at time.Duration, hz float64) {
			r.put(channel, start.Add(at), tone(hz, samples(at), frame))
		}
		var lost, gone int
		for tick := range 500 {
			pass(period)
			at := time.Duration(tick) * period
			switch {
			case tick%50 == 49: // lost, in channel 0
				lost++
			case tick >= 400: // over
				gone++
			default:
				put(received, at, 500)
			}
			if tick%7 == 0 && tick > 0 {
				put(sent, at-period, 900) // late
			} else if tick%7 != 6 {
				put(sent, at, 900)
			}
			switch tick {
			case 200:
				r.Suspend()
			case 249:
				r.Resume()
			}
			if in, _ := file.channels(t); len(in) < samples(at-settled-flushEvery) {
				t.Errorf("after %v there are %v in the file", at, time.Duration(len(in))*sample)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		in, out := file.channels(t)
		if len(in) != samples(10*time.Second) {
			t.Fatalf("%d samples", len(in))
		}
		part := func(pcm []int16, from, to int) []int16 { return pcm[from*frame : to*frame] }
		checkTone(t, "received", part(in, 0, 200), 500, 3900*time.Millisecond)
		checkTone(t, "received", part(in, 251, 399), 500, 2900*time.Millisecond)
		checkTone(t, "sent, late", part(out, 2, 200), 900, 3800*time.Millisecond)
		for _, silent := range [][]int16{part(in, 202, 250), part(out, 202, 249), part(in, 400, 500)} {
			if n := peak(silent); n != 0 {
				t.Errorf("silence has the peak %d", n)
			}
		}
		// What is not lost is where it was put, to the sample.
		want := tone(500, 0, 49*frame)
		for i, v := range want {
			if in[i] != v {
				t.Fatalf("sample %d is %d, want %d", i, in[i], v)
			}
		}
		if lost == 0 || gone == 0 {
			t.Error("nothing was lost")
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		r.put(received, time.Now(), want)
	})
}

// TestRecorderFails: an error is told at the end, and what was written stays.
func TestRecorderFails(t *testing.T) {
	full := errors.New("the disk is full")
	synctest.Test(t, func(t *testing.T) {
		var file memory
		r, err := NewRecorder(&file)
		if err != nil {
			t.Fatal(err)
		}
		pass(3 * time.Second)
		synctest.Wait()
		before, _ := file.channels(t)
		file.mu.Lock()
		file.fail = full
		file.mu.Unlock()
		pass(3 * time.Second)
		for range 2 {
			if err := r.Close(); !errors.Is(err, full) {
				t.Errorf("the error is %v", err)
			}
		}
		if after, _ := file.channels(t); len(before) == 0 || len(after) != len(before) {
			t.Errorf("there were %d samples, there are %d", len(before), len(after))
		}
		if _, err := NewRecorder(&file); !errors.Is(err, full) {
			t.Errorf("the error is %v", err)
		}
	})
}

// TestTrack: packets are placed by their timestamps, whenever they come.
func TestTrack(t *testing.T) {
	type step struct {
		timestamp uint32
		now       int64
		mark      bool
		want      int64
	}
	for name, steps := range map[string][]step{
		"steady":            {{100, 5000, true, 5000}, {260, 5160, false, 5160}, {420, 5320, false, 5320}},
		"jitter":            {{100, 5000, true, 5000}, {260, 5500, false, 5160}, {420, 5510, false, 5320}, {580, 5520, false, 5480}},
		"out of order":      {{100, 5000, true, 5000}, {420, 5320, false, 5320}, {260, 5330, false, 5160}, {580, 5480, false, 5480}},
		"turns over":        {{math.MaxUint32 - 59, 5000, true, 5000}, {100, 5160, false, 5160}},
		"begins again":      {{100, 5000, true, 5000}, {1 << 30, 5160, false, 5160}, {1<<30 + 160, 5320, false, 5320}},
		"talks again":       {{100, 5000, true, 5000}, {260, 9000, true, 9000}, {420, 9160, false, 9160}},
		"talks, unmarked":   {{100, 5000, true, 5000}, {260, 9000, false, 5160}},
		"long silence":      {{100, 5000, true, 5000}, {260, 9161, false, 9161}},
		"hold, in the time": {{100, 5000, true, 5000}, {80100, 85020, false, 85000}},
	} {
		t.Run(name, func(t *testing.T) {
			var k track
			for i, s := range steps {
				if got := k.place(s.timestamp, s.now, s.mark); got != s.want {
					t.Errorf("step %d is at %d, want %d", i, got, s.want)
				}
			}
		})
	}
}

// TestTrackDrifts: a far side whose clock is 200 ppm off stays where it belongs.
func TestTrackDrifts(t *testing.T) {
	for _, off := range []float64{200e-6, -200e-6} {
		var k track
		for i := range 50 * 3600 {
			now := int64(float64(i*frame) * (1 + off))
			if p := k.place(uint32(i*frame), now, i == 0); p < now-200 || p > now+200 {
				t.Fatalf("after %d packets it is %d off", i, p-now)
			}
		}
	}
}

// TestWindow compares a window with the simplest one there is.
func TestWindow(t *testing.T) {
	const size = 1024
	w := newWindow(size, 0)
	want := map[int64]int16{}
	var at int64
	seed := uint32(1)
	next := func(n int) int {
		seed = seed*1664525 + 1013904223
		return int(seed>>8) % n
	}
	for range 20000 {
		if next(3) > 0 {
			p, pcm := at+int64(next(900))-200, make([]int16, next(300))
			for i := range pcm {
				pcm[i] = int16(next(30000)) + 1
				if q := p + int64(i); q >= at && q < at+size-int64(kept) {
					want[q] = pcm[i]
				}
			}
			w.put(p, pcm)
			continue
		}
		got := make([]int16, next(250))
		w.take(got)
		for i, v := range got {
			q := at + int64(i)
			if x, ok := want[q]; ok && x != v {
				t.Fatalf("sample %d is %d, want %d", q, v, x)
			}
			delete(want, q)
		}
		at += int64(len(got))
		if next(20) == 0 {
			to := at + int64(next(3*size))
			for q := range want {
				if q < to {
					delete(want, q)
				}
			}
			w.seek(to)
			at = to
		}
	}
	if w.seek(at - 5); w.from != at {
		t.Error("it goes back")
	}
}

// TestCover: a loss sounds like what was before it, softer each time; a long one,
// and the end, are silent.
func TestCover(t *testing.T) {
	w := newWindow(4096, 0)
	ones := func(n int) []int16 { return constant(n, 1000) }
	w.put(0, ones(frame))
	w.put(int64(4*frame), ones(frame)) // three are lost
	w.put(int64(9*frame), ones(frame)) // four
	got := make([]int16, 12*frame)
	for part := got; len(part) > 0; part = part[min(len(part), 70):] {
		w.take(part[:min(len(part), 70)])
	}
	for i, want := range []int16{1000, 1000, 500, 250, 1000, 0, 0, 0, 0, 1000, 0, 0} {
		for j, v := range got[i*frame : (i+1)*frame] {
			if v != want {
				t.Fatalf("packet %d, sample %d is %d, want %d", i, j, v, want)
			}
		}
	}
}

func constant(n int, v int16) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = v
	}
	return pcm
}
