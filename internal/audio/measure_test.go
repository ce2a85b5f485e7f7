package audio

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// mix adds signals, the shorter ones silent at their end.
func mix(signals ...[]float64) []float64 {
	var sum []float64
	for _, s := range signals {
		sum = append(sum, make([]float64, max(0, len(s)-len(sum)))...)
		for i, v := range s {
			sum[i] += v
		}
	}
	return sum
}

// noise is white, with its root mean square relative to that of a sine of full
// scale, in decibels. The same seed gives the same.
func noise(seed uint64, level float64, length time.Duration) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	samples := make([]float64, int(length*8000/time.Second))
	for i := range samples {
		samples[i] = r.NormFloat64() * math.Pow(10, level/20) / math.Sqrt2
	}
	return samples
}

func TestLevel(t *testing.T) {
	square := make([]float64, 8000)
	for i := range square {
		square[i] = float64(i/4%2)*2 - 1
	}
	for name, c := range map[string]struct {
		signal []float64
		want   float64
	}{
		"a sine of full scale": {tone(8000, 1000, 1, time.Second), 0},
		"half of it":           {tone(8000, 1000, 0.5, time.Second), -6.02},
		"a thousandth":         {tone(8000, 440, 0.001, time.Second), -60},
		"a square wave":        {square, 3.01},
		"two tones":            {mix(tone(8000, 700, 0.1, time.Second), tone(8000, 1200, 0.1, time.Second)), -16.99},
		"noise":                {noise(1, -20, 10*time.Second), -20},
		"silence":              {make([]float64, 100), NoSound},
		"nothing":              {nil, NoSound},
	} {
		if got := Level(samplesOf(c.signal)); math.Abs(got-c.want) > 0.05 {
			t.Errorf("%s has %.2f dB, want %.2f", name, got, c.want)
		}
	}
}

func TestToneLevel(t *testing.T) {
	two := mix(tone(8000, 1000, 0.5, 100*time.Millisecond), tone(8000, 1336, 0.05, 100*time.Millisecond))
	for name, c := range map[string]struct {
		signal []float64
		hz     float64
		want   float64
		off    float64
	}{
		"full scale":       {tone(8000, 1000, 1, 100*time.Millisecond), 1000, 0, 0.01},
		"between bins":     {tone(8000, 1003.7, 1, 100*time.Millisecond), 1003.7, 0, 0.01},
		"a loud one of":    {two, 1000, -6.02, 0.01},
		"a soft one of":    {two, 1336, -26.02, 0.02},
		"one that is not":  {two, 2000, -110, 20},
		"one on 20 ms":     {tone(8000, 440, 0.1, 20*time.Millisecond), 440, -20, 0.1},
		"one in the noise": {mix(tone(8000, 440, 0.1, time.Second), noise(2, -20, time.Second)), 440, -20, 0.5},
		"in silence":       {make([]float64, 800), 440, NoSound, 0},
		"in nothing":       {nil, 440, NoSound, 0},
	} {
		if got := ToneLevel(samplesOf(c.signal), c.hz); math.Abs(got-c.want) > c.off {
			t.Errorf("%s: %.2f dB, want %.2f", name, got, c.want)
		}
	}
}

func TestDominant(t *testing.T) {
	for _, hz := range []float64{60, 123.4, 440, 697, 1000.5, 2222.2, 3400, 3900} {
		for _, c := range []struct {
			length time.Duration
			off    float64
		}{{20 * time.Millisecond, 8}, {100 * time.Millisecond, 1}, {time.Second, 0.1}, {5 * time.Second, 0.1}} {
			if c.length < 100*time.Millisecond && (hz < 300 || hz > 3700) {
				continue // too few waves
			}
			in := mix(tone(8000, hz, 0.3, c.length), tone(8000, 3500.3-hz/2, 0.1, c.length), noise(3, -30, c.length))
			if got := Dominant(samplesOf(in)); math.Abs(got-hz) > c.off {
				t.Errorf("%v Hz over %v became %.2f", hz, c.length, got)
			}
		}
	}
	// Neither a constant nor nothing has a frequency.
	for _, in := range [][]int16{nil, {1}, make([]int16, 1000), slices.Repeat([]int16{1000}, 1000)} {
		if got := Dominant(in); got != 0 {
			t.Errorf("%d samples of silence have %v Hz", len(in), got)
		}
	}
	// What sounds for most of the time.
	long := slices.Concat(tone(8000, 500, 0.3, 3*time.Second), tone(8000, 900, 0.3, time.Second))
	if got := Dominant(samplesOf(long)); math.Abs(got-500) > 0.2 {
		t.Errorf("the longer of two tones is %v", got)
	}
}

func TestGaps(t *testing.T) {
	const ms = time.Millisecond
	sound, silence := func(d time.Duration) []float64 { return tone(8000, 1000, 0.3, d) }, func(d time.Duration) []float64 { return make([]float64, d*8/ms) }
	for name, c := range map[string]struct {
		signal []float64
		want   []Gap
	}{
		"none":             {sound(time.Second), nil},
		"a low tone":       {tone(8000, 50, 0.3, time.Second), nil},
		"one":              {slices.Concat(sound(100*ms), silence(30*ms), sound(100*ms)), []Gap{{100 * ms, 30 * ms}}},
		"a short one":      {slices.Concat(sound(100*ms), silence(20*ms), sound(100*ms)), nil},
		"two":              {slices.Concat(sound(100*ms), silence(25*ms), sound(50*ms), silence(40*ms), sound(10*ms)), []Gap{{100 * ms, 25 * ms}, {175 * ms, 40 * ms}}},
		"before and after": {slices.Concat(silence(time.Second), sound(100*ms), silence(time.Second)), nil},
		"faint noise":      {slices.Concat(sound(100*ms), noise(4, -65, 30*ms), sound(100*ms)), []Gap{{100 * ms, 30 * ms}}},
		"silence":          {silence(time.Second), nil},
		"nothing":          {nil, nil},
	} {
		got := Gaps(samplesOf(c.signal), -45, 21*ms)
		if !slices.EqualFunc(got, c.want, func(a, b Gap) bool {
			return (a.At-b.At).Abs() < ms && (a.Length-b.Length).Abs() < ms
		}) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
