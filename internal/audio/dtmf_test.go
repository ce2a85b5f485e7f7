package audio

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

const ms = time.Millisecond

func quiet(d time.Duration) []float64 { return make([]float64, d*8/ms) }

// keyTones is the sound of a key, each tone with its level in dBFS and its
// frequency off by a part.
func keyTones(key byte, low, high, off float64, length time.Duration) []float64 {
	at := strings.IndexByte(dtmfKeys, key)
	return mix(
		tone(8000, dtmfTones[at/4]*(1+off), math.Pow(10, low/20), length),
		tone(8000, dtmfTones[4+at%4]*(1+off), math.Pow(10, high/20), length))
}

func TestDTMFClip(t *testing.T) {
	const keys = "0123456789*#ABCD"
	c := DTMFClip(keys)
	if want := time.Duration(len(keys)) * 160 * ms; c.Duration() != want {
		t.Errorf("it plays %v, want %v", c.Duration(), want)
	}
	for i := range keys {
		key := c.Samples()[i*1280 : i*1280+800]
		at := strings.IndexByte(dtmfKeys, keys[i])
		for _, hz := range []float64{dtmfTones[at/4], dtmfTones[4+at%4]} {
			// -7 dBm0.
			if got := ToneLevel(key, hz); math.Abs(got-(-7-3.17)) > 0.1 {
				t.Errorf("%c: %v Hz has %.2f dB", keys[i], hz, got)
			}
		}
		if got := Level(c.Samples()[i*1280+800 : (i+1)*1280]); got != NoSound {
			t.Errorf("after %c are %.2f dB", keys[i], got)
		}
	}
	for keys, want := range map[string]time.Duration{"": 0, "1,2": 1320 * ms, ",,": 2 * time.Second, "a-b x7": 480 * ms} {
		if got := DTMFClip(keys).Duration(); got != want {
			t.Errorf("%q plays %v, want %v", keys, got, want)
		}
	}
	if got := DTMF(DTMFClip("1a, #").Samples()); got != "1A#" {
		t.Errorf("heard %q", got)
	}
}

// TestDTMF has the limits of ITU-T Q.24, table A.1, and some of our own. Each
// case is tried at several places in a window.
func TestDTMF(t *testing.T) {
	for name, c := range map[string]struct {
		signal func(key byte) []float64
		want   int // how often it is heard
	}{
		"as it is played":            {func(k byte) []float64 { return keyTones(k, -10, -10, 0, 100*ms) }, 1},
		"the shortest":               {func(k byte) []float64 { return keyTones(k, -10, -10, 0, 40*ms) }, 1},
		"too short":                  {func(k byte) []float64 { return keyTones(k, -10, -10, 0, 23*ms) }, 0},
		"held":                       {func(k byte) []float64 { return keyTones(k, -10, -10, 0, 3*time.Second) }, 1},
		"as loud as can be":          {func(k byte) []float64 { return keyTones(k, -6.1, -6.1, 0, 50*ms) }, 1},
		"soft, -25 dBm0":             {func(k byte) []float64 { return keyTones(k, -28, -28, 0, 50*ms) }, 1},
		"too soft, -55 dBm0":         {func(k byte) []float64 { return keyTones(k, -58, -58, 0, 50*ms) }, 0},
		"the upper tone 4 dB louder": {func(k byte) []float64 { return keyTones(k, -14, -10, 0, 50*ms) }, 1},
		"the lower tone 8 dB louder": {func(k byte) []float64 { return keyTones(k, -10, -18, 0, 50*ms) }, 1},
		"the upper 12 dB louder":     {func(k byte) []float64 { return keyTones(k, -22, -10, 0, 50*ms) }, 0},
		"the lower 18 dB louder":     {func(k byte) []float64 { return keyTones(k, -10, -28, 0, 50*ms) }, 0},
		"1.5% too high":              {func(k byte) []float64 { return keyTones(k, -10, -10, 0.015, 45*ms) }, 1},
		"1.5% too low":               {func(k byte) []float64 { return keyTones(k, -10, -10, -0.015, 45*ms) }, 1},
		"3.5% too high":              {func(k byte) []float64 { return keyTones(k, -10, -10, 0.035, 100*ms) }, 0},
		"3.5% too low":               {func(k byte) []float64 { return keyTones(k, -10, -10, -0.035, 100*ms) }, 0},
		"twice, 40 ms apart": {func(k byte) []float64 {
			return slices.Concat(keyTones(k, -10, -10, 0, 50*ms), quiet(40*ms), keyTones(k, -10, -10, 0, 50*ms))
		}, 2},
		"interrupted for 10 ms": {func(k byte) []float64 {
			return slices.Concat(keyTones(k, -10, -10, 0, 50*ms), quiet(10*ms), keyTones(k, -10, -10, 0, 50*ms))
		}, 1},
		"a packet lost within": {func(k byte) []float64 {
			s := keyTones(k, -10, -10, 0, 120*ms)
			clear(s[50*8 : 70*8])
			return s
		}, 1},
		"in noise of 15 dB less": {func(k byte) []float64 {
			return mix(keyTones(k, -13, -13, 0, 60*ms), noise(uint64(k), -25, 60*ms))
		}, 1},
		"over a dial tone": {func(k byte) []float64 {
			return mix(keyTones(k, -10, -10, 0, 60*ms), tone(8000, 350, 0.06, 60*ms), tone(8000, 440, 0.06, 60*ms))
		}, 1},
		"one tone alone": {func(k byte) []float64 {
			return tone(8000, dtmfTones[4+strings.IndexByte(dtmfKeys, k)%4], 0.3, 100*ms)
		}, 0},
		"with a louder third": {func(k byte) []float64 { return mix(keyTones(k, -12, -12, 0, 100*ms), tone(8000, 2600, 0.35, 100*ms)) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range len(dtmfKeys) {
				key := dtmfKeys[i]
				for at := 0; at < dtmfHop; at += 13 {
					in := slices.Concat(make([]float64, 400+at), c.signal(key), quiet(100*ms))
					for _, e := range []Encoding{PCM, MuLaw, ALaw} {
						if e != PCM && at > 0 {
							continue // what the laws add is the same everywhere
						}
						samples := DecodeSamples(e, nil, EncodeSamples(e, nil, samplesOf(in)))
						if got, want := DTMF(samples), strings.Repeat(string(key), c.want); got != want {
							t.Fatalf("%c in %s after %d samples: heard %q, want %q", key, e, 400+at, got, want)
						}
					}
				}
			}
		})
	}
}

// TestDTMFOtherSound: what is no key is none, however much of it.
func TestDTMFOtherSound(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var sweep, chords []float64
	for i, phase := 0, 0.0; i < 10*8000; i++ {
		phase += 2 * math.Pi * (200 + float64(i)/25) / 8000
		sweep = append(sweep, 0.5*math.Sin(phase))
	}
	for range 100 { // chords of voices with harmonics
		var signals [][]float64
		for range 3 {
			hz := 100 + 300*r.Float64()
			for h := 1.0; h*hz < 3800; h++ {
				signals = append(signals, tone(8000, h*hz, 0.2/h, 80*ms))
			}
		}
		chords = append(chords, mix(signals...)...)
	}
	for name, in := range map[string][]float64{
		"noise":          noise(7, -15, 20*time.Second),
		"a sweep":        sweep,
		"chords":         chords,
		"ringing":        mix(tone(8000, 440, 0.3, 2*time.Second), tone(8000, 480, 0.3, 2*time.Second)),
		"a busy line":    mix(tone(8000, 480, 0.3, 2*time.Second), tone(8000, 620, 0.3, 2*time.Second)),
		"a fax":          tone(8000, 1100, 0.5, 3*time.Second),
		"silence":        make([]float64, 8000),
		"a click":        append(quiet(100*ms), append([]float64{1, -1, 1}, quiet(100*ms)...)...),
		"a melody":       samplesAsFloat(Play([]Note{{[]float64{523, 659}, 300 * ms}, {[]float64{784, 1047}, 300 * ms}, {[]float64{880, 1319}, 300 * ms}})),
		"a wave clipped": slices.Repeat([]float64{1, 1, 1, -1, -1, -1}, 4000),
	} {
		if got := DTMF(samplesOf(in)); got != "" {
			t.Errorf("in %s was heard %q", name, got)
		}
	}
}

func samplesAsFloat(file []byte) []float64 {
	c, err := ReadClip(file)
	if err != nil {
		panic(err)
	}
	var v []float64
	for _, s := range c.Samples() {
		v = append(v, float64(s)/math.MaxInt16)
	}
	return v
}

// TestDetector: sound that comes in pieces is heard as in one.
func TestDetector(t *testing.T) {
	const keys = "147*2580369#ABCD00,911"
	samples := DTMFClip(keys).Samples()
	want := strings.ReplaceAll(keys, ",", "")
	for _, size := range []int{1, 7, 80, 102, 160, 240, 5000} {
		var d Detector
		var got string
		for piece := range slices.Chunk(samples, size) {
			got += d.Write(piece)
		}
		if got != want {
			t.Errorf("in pieces of %d: heard %q, want %q", size, got, want)
		}
	}
	// A key is told while it is held.
	var d Detector
	if got := d.Write(DTMFClip("5").Samples()[:60*8]); got != "5" {
		t.Errorf("after 60 ms: heard %q", got)
	}
	if n := testing.AllocsPerRun(100, func() { d.Write(samples[:160]) }); n > 1 {
		t.Errorf("a packet allocates %v times", n)
	}
}

func BenchmarkDetector(b *testing.B) {
	speech := samplesOf(noise(1, -20, time.Second))
	for name, in := range map[string][]int16{"sound": speech, "silence": make([]int16, 8000)} {
		b.Run(fmt.Sprintf("a second of %s", name), func(b *testing.B) {
			var d Detector
			for b.Loop() {
				d.Write(in)
			}
		})
	}
}
