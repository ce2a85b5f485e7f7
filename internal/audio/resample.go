package audio

import (
	"encoding/binary"
	"math"
)

// The rates that are read: below, speech is not understood; above, no file is
// recorded.
const (
	lowestRate  = 4000
	highestRate = 192000
)

// frames reads the samples of a file, its channels averaged into one.
type frames struct {
	Format
	data []byte
}

// left is how many are still to be read.
func (f *frames) left() int { return len(f.data) / f.frame() }

// read fills dst, which is no longer than what is left, with values of -1 to 1.
func (f *frames) read(dst []float32) {
	size := f.Bits / 8
	scale := 1 / float32(f.Channels)
	if f.Encoding == PCM {
		scale /= float32(int64(1) << (f.Bits - 1))
	} else {
		scale /= 1 << 15
	}
	b := f.data
	for i := range dst {
		var sum float32
		for range f.Channels {
			var v int32
			switch {
			case f.Encoding == MuLaw:
				v = int32(muLawDecoded[b[0]])
			case f.Encoding == ALaw:
				v = int32(aLawDecoded[b[0]])
			case size == 1:
				v = int32(b[0]) - 128
			case size == 2:
				v = int32(int16(binary.LittleEndian.Uint16(b)))
			case size == 3:
				v = int32(uint32(b[0])<<8|uint32(b[1])<<16|uint32(b[2])<<24) >> 8
			default:
				v = int32(binary.LittleEndian.Uint32(b))
			}
			sum += float32(v)
			b = b[size:]
		}
		dst[i] = sum * scale
	}
	f.data = b
}

// resample turns frames of a rate into samples of 8,000 a second. What a line
// cannot carry, above 4,000 Hz or half of the rate, is filtered out, so that it
// does not come back as other tones.
func resample(f *frames, rate int) []int16 {
	k := newKernel(rate)
	total := f.left()
	out := make([]int16, 0, (int64(total)*int64(k.up)+int64(k.down)-1)/int64(k.down))
	// window holds the input from the frame `first` on; before the first and after
	// the last frame is silence.
	const block = 8192
	window := make([]float32, k.half, block+3*k.half+1)
	first := -k.half
	// The next sample lies phase/up after the frame at.
	for at, phase := 0, 0; at < total; {
		if at+k.half >= first+len(window) {
			kept := copy(window, window[at-k.half-first:])
			first = at - k.half
			n := min(block, f.left())
			window = window[:kept+n]
			f.read(window[kept:])
			if f.left() == 0 {
				window = append(window, make([]float32, k.half+1)...)
			}
		}
		out = append(out, clip16(k.apply(window[at-k.half-first:], phase)))
		phase += k.down
		at, phase = at+phase/k.up, phase%k.up
	}
	return out
}

func clip16(v float32) int16 {
	return int16(math.Round(max(math.MinInt16, min(math.MaxInt16, float64(v)*(1<<15)))))
}

// kernel is a low-pass filter, a windowed sinc, sampled at each phase that a
// sample of the output can have between two of the input.
type kernel struct {
	up, down int // 8,000 over the rate, in lowest terms
	half     int // frames on either side of a sample that count for it
	phases   int // in coefficients, which has one more
	// coefficients are 2*half+1 for each phase, one after another.
	coefficients []float32
}

const (
	// Up to passBand, speech (300 to 3,400 Hz, ITU-T G.712) passes unchanged; from
	// half of the lower rate on, nothing does. Both are fractions of that rate.
	passBand = 0.425
	stopBand = 0.5
	// stopDecibels is how much the filter attenuates; kaiserBeta follows from it
	// (Kaiser's formula).
	stopDecibels = 65.0
	kaiserBeta   = 0.1102 * (stopDecibels - 8.7)
	// mostPhases bounds the coefficients. Rates that have more phases, none of them
	// common, are interpolated between these, which is off by less than 0.01%.
	mostPhases = 320
)

func newKernel(rate int) *kernel {
	g := gcd(Telephone.Rate, rate)
	k := &kernel{up: Telephone.Rate / g, down: rate / g}
	k.phases = min(k.up, mostPhases)
	// Frequencies below are in cycles a frame.
	lower := float64(min(Telephone.Rate, rate)) / float64(rate)
	width := (stopBand - passBand) * lower
	cutoff := (stopBand + passBand) / 2 * lower
	k.half = int(math.Ceil((stopDecibels-7.95)/(2.285*2*math.Pi*width)/2)) + 1
	taps := 2*k.half + 1
	k.coefficients = make([]float32, 0, taps*(k.phases+1))
	exact := make([]float64, taps)
	for p := range k.phases + 1 {
		var sum float64
		for i := range exact {
			t := float64(i-k.half) - float64(p)/float64(k.phases)
			exact[i] = sinc(2*cutoff*t) * kaiser(t/float64(k.half))
			sum += exact[i]
		}
		for _, c := range exact {
			k.coefficients = append(k.coefficients, float32(c/sum))
		}
	}
	return k
}

// apply filters at a phase after the frame window[k.half].
func (k *kernel) apply(window []float32, phase int) float32 {
	taps := 2*k.half + 1
	window = window[:taps]
	if k.phases == k.up {
		return dot(window, k.coefficients[phase*taps:])
	}
	p := float64(phase) / float64(k.up) * float64(k.phases)
	whole := int(p)
	between := float32(p - float64(whole))
	a := dot(window, k.coefficients[whole*taps:])
	b := dot(window, k.coefficients[(whole+1)*taps:])
	return a + (b-a)*between
}

// dot sums the products of a and b, which is no shorter. Four sums go side by
// side, since each addition waits for the one before it.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	b = b[:len(a)]
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i, v := range a {
		s0 += v * b[i]
	}
	return s0 + s1 + s2 + s3
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is Kaiser's window from -1 to 1, not scaled.
func kaiser(x float64) float64 {
	if x < -1 || x > 1 {
		return 0
	}
	return bessel0(kaiserBeta * math.Sqrt(1-x*x))
}

// bessel0 is the modified Bessel function of the first kind and order zero, by
// its power series.
func bessel0(x float64) float64 {
	sum, term := 1.0, 1.0
	for n := 1.0; term > sum*1e-12; n++ {
		term *= (x / 2 / n) * (x / 2 / n)
		sum += term
	}
	return sum
}
