package audio

import (
	"math"
	"math/cmplx"
	"time"
)

// Decibels here are dBFS: 0 is a sine of full scale, whose peaks are 32,767. A
// square wave of full scale is 3 above. The 0 dBm0 of telephony, the level that
// a line is rated for, is 3.14 below for A-law and 3.17 for µ-law (ITU-T G.711,
// note to tables 1 and 2).
const fullScale = math.MaxInt16

// NoSound is the level of silence, in dBFS, below that of any sample.
const NoSound = -120.0

func decibels(amplitude float64) float64 {
	if amplitude <= 0 {
		return NoSound
	}
	return max(NoSound, 20*math.Log10(amplitude/fullScale))
}

// Level is how loud samples are as a whole: their root mean square, in dBFS.
func Level(samples []int16) float64 {
	if len(samples) == 0 {
		return NoSound
	}
	var sum float64
	for _, v := range samples {
		sum += float64(v) * float64(v)
	}
	return decibels(math.Sqrt(2 * sum / float64(len(samples))))
}

// ToneLevel is how loud the tone of a frequency is in samples, whatever else
// sounds, in dBFS. A tone that differs by 16,000 Hz divided by the number of
// samples, or more, counts for nothing: 20 Hz for 100 ms.
func ToneLevel(samples []int16, hz float64) float64 {
	if len(samples) == 0 {
		return NoSound
	}
	// The algorithm of Goertzel. The window of Hann keeps other tones, and the cut
	// at either end, out of the measurement.
	var s1, s2, weight float64
	c := 2 * math.Cos(2*math.Pi*hz/float64(Telephone.Rate))
	for i, v := range samples {
		w := hann(i, len(samples))
		s1, s2 = w*float64(v)+c*s1-s2, s1
		weight += w
	}
	return decibels(2 * math.Sqrt(max(0, s1*s1+s2*s2-c*s1*s2)) / weight)
}

// hann is the weight of a sample in a stretch of n by the window of Hann.
func hann(i, n int) float64 {
	return 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(n))
}

// Dominant is the loudest frequency in samples, in hertz, 0 if there is no
// sound. Of a steady tone it is right to a hertz over 100 ms and to a tenth
// over a second. Over more than a second it is the loudest on the whole.
func Dominant(samples []int16) (hz float64) {
	const longest = 8192
	n := min(len(samples), longest)
	size := 256
	for size < 4*n { // more points of the same spectrum, so that the peak is plain
		size *= 2
	}
	power := make([]float64, size/2)
	spectrum := make([]complex128, size)
	for from := 0; n > 0 && from+n <= len(samples); from += n {
		block := samples[from : from+n]
		var mean float64
		for _, v := range block {
			mean += float64(v) / float64(n)
		}
		clear(spectrum)
		for i, v := range block {
			spectrum[i] = complex((float64(v)-mean)*hann(i, n), 0)
		}
		fourier(spectrum)
		for i := range power {
			power[i] += real(spectrum[i])*real(spectrum[i]) + imag(spectrum[i])*imag(spectrum[i])
		}
	}
	best := 0
	for i := range power {
		if power[i] > power[best] {
			best = i
		}
	}
	if best == 0 || best == len(power)-1 {
		return 0
	}
	// The peak of the window's spectrum is nearly a parabola in decibels.
	const tiny = 1e-300
	l, m, r := math.Log(power[best-1]+tiny), math.Log(power[best]+tiny), math.Log(power[best+1]+tiny)
	at := float64(best)
	if curve := l - 2*m + r; curve < 0 {
		at += (l - r) / 2 / curve
	}
	return at * float64(Telephone.Rate) / float64(size)
}

// fourier is the discrete Fourier transform, in place, of a number of values
// that is a power of two.
func fourier(x []complex128) {
	for i, j := 1, 0; i < len(x); i++ {
		bit := len(x) >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for span := 2; span <= len(x); span *= 2 {
		step := cmplx.Rect(1, -2*math.Pi/float64(span))
		for from := 0; from < len(x); from += span {
			turn := complex(1, 0)
			for i := from; i < from+span/2; i++ {
				a, b := x[i], x[i+span/2]*turn
				x[i], x[i+span/2] = a+b, a-b
				turn *= step
			}
		}
	}
}

// Gap is a stretch of silence.
type Gap struct {
	At     time.Duration // from the first sample
	Length time.Duration
}

// Gaps finds the stretches longer than a time in which no sample is as loud as
// a level in dBFS, between others that are: what is silent before the first
// sound and after the last is no gap. A tone of 300 Hz 40 dB above the level is
// silent for no longer than 11 µs at a time, so any time that a person could
// hear will do.
func Gaps(samples []int16, level float64, longer time.Duration) []Gap {
	limit := fullScale * math.Pow(10, level/20)
	since := func(n int) time.Duration { return time.Duration(n) * time.Second / time.Duration(Telephone.Rate) }
	var gaps []Gap
	last := -1 // the last sample that sounded
	for i, v := range samples {
		if math.Abs(float64(v)) < limit {
			continue
		}
		if silent := since(i - last - 1); last >= 0 && silent > longer {
			gaps = append(gaps, Gap{At: since(last + 1), Length: silent})
		}
		last = i
	}
	return gaps
}
