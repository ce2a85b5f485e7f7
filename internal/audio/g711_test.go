package audio

import (
	"bytes"
	"math"
	"slices"
	"testing"
)

// everySample are all samples of 16 bits.
var everySample = func() []int16 {
	var all []int16
	for v := math.MinInt16; v <= math.MaxInt16; v++ {
		all = append(all, int16(v))
	}
	return all
}()

var everyCode = func() []byte {
	var all []byte
	for b := range 256 {
		all = append(all, byte(b))
	}
	return all
}()

// law is one of the laws as the tables of ITU-T G.711 have it: for the codes of
// positive values, from the least on, the decision values between them and the
// values that they are decoded to, in the standard's own units.
type law struct {
	encoding  Encoding
	unit      float64 // of our samples
	decisions []float64
	values    []float64
	code      func(n int) byte // of the nth positive value
}

// laws builds the tables 1a and 2a from how the standard describes them:
// segments of 16 steps, each twice as wide as those before.
func laws() []law {
	a := law{encoding: ALaw, unit: 8, decisions: []float64{0}, code: func(n int) byte { return byte(n) ^ 0xD5 }}
	for n := range 128 {
		last, width := a.decisions[n], 2.0
		if n >= 32 {
			width = math.Exp2(float64(n / 16))
		}
		a.decisions = append(a.decisions, last+width)
		a.values = append(a.values, last+width/2)
	}
	u := law{encoding: MuLaw, unit: 4, decisions: []float64{0, 1}, values: []float64{0}, code: func(n int) byte { return ^byte(n) }}
	for n := 1; n < 128; n++ {
		last, width := u.decisions[n], math.Exp2(float64(n/16+1))
		u.decisions = append(u.decisions, last+width)
		u.values = append(u.values, last+width/2)
	}
	return []law{a, u}
}

func TestG711(t *testing.T) {
	for _, l := range laws() {
		t.Run(l.encoding.String(), func(t *testing.T) {
			// Values of the tables that anybody can look up.
			if last := l.decisions[128]; l.encoding == ALaw && last != 4096 || l.encoding == MuLaw && last != 8159 {
				t.Fatalf("the last decision value of the table is %v", last)
			}
			decoded := DecodeSamples(l.encoding, nil, everyCode)
			for n, want := range l.values {
				positive, negative := l.code(n), l.code(n)&^0x80|^l.code(n)&0x80
				if got := float64(decoded[positive]); got != want*l.unit {
					t.Errorf("%#x is decoded to %v, want %v", positive, got, want*l.unit)
				}
				if got := float64(decoded[negative]); got != -want*l.unit {
					t.Errorf("%#x is decoded to %v, want %v", negative, got, -want*l.unit)
				}
			}
			encoded := EncodeSamples(l.encoding, nil, everySample)
			for i, v := range everySample {
				// The code of a sample lies between its decision values; those beyond the
				// last have the last.
				n := int(encoded[i] ^ l.code(0)) // the inverted bits
				sign := n&0x80 != 0
				n &= 0x7F
				m := math.Abs(float64(v)) / l.unit
				if low, high := l.decisions[n], l.decisions[n+1]; m < low || m > high && n != 127 || sign != (v < 0) {
					t.Fatalf("%d has the code %#x, which is from %v to %v", v, encoded[i], low, high)
				}
			}
			// A code comes back as it was, but for the negative zero of µ-law, which has
			// the value of the positive one.
			again := EncodeSamples(l.encoding, nil, decoded)
			for b, got := range again {
				if got != byte(b) && (l.encoding != MuLaw || b != 0x7F || got != 0xFF) {
					t.Errorf("%#x came back as %#x", b, got)
				}
			}
			if got := EncodeSamples(l.encoding, nil, []int16{0})[0]; got != Silence(l.encoding) {
				t.Errorf("a sample of zero is %#x, silence %#x", got, Silence(l.encoding))
			}
		})
	}
}

// TestTranscode: there and back is off by no more than the coarser of the steps.
func TestTranscode(t *testing.T) {
	for _, c := range []struct{ from, to Encoding }{{MuLaw, ALaw}, {ALaw, MuLaw}} {
		b := slices.Clone(everyCode)
		Transcode(c.from, c.to, b)
		before, after := DecodeSamples(c.from, nil, everyCode), DecodeSamples(c.to, nil, b)
		for i := range before {
			off, limit := math.Abs(float64(before[i])-float64(after[i])), 8+math.Abs(float64(before[i]))/32
			if off > limit {
				t.Errorf("%s to %s: %d became %d", c.from, c.to, before[i], after[i])
			}
		}
	}
	for _, c := range []struct{ from, to Encoding }{{MuLaw, MuLaw}, {ALaw, ALaw}, {PCM, ALaw}, {MuLaw, PCM}} {
		b := slices.Clone(everyCode)
		if Transcode(c.from, c.to, b); !bytes.Equal(b, everyCode) {
			t.Errorf("%s to %s changed the codes", c.from, c.to)
		}
	}
}

func TestPCMSamples(t *testing.T) {
	b := EncodeSamples(PCM, []byte("x"), []int16{1, -2, math.MinInt16})
	if want := []byte{'x', 1, 0, 0xFE, 0xFF, 0, 0x80}; !bytes.Equal(b, want) {
		t.Errorf("got % x, want % x", b, want)
	}
	if got := DecodeSamples(PCM, []int16{7}, append(b[1:], 9)); !slices.Equal(got, []int16{7, 1, -2, math.MinInt16}) {
		t.Errorf("decoded to %v", got)
	}
}

func TestSamplesWithoutAllocation(t *testing.T) {
	codes, samples := make([]byte, 0, 320), make([]int16, 0, 160)
	in, coded := everySample[:160], slices.Clone(everyCode[:160])
	for _, e := range []Encoding{MuLaw, ALaw, PCM} {
		if n := testing.AllocsPerRun(100, func() {
			_ = EncodeSamples(e, codes[:0], in)
			_ = DecodeSamples(e, samples[:0], coded)
			Transcode(MuLaw, ALaw, coded)
		}); n != 0 {
			t.Errorf("%s allocates %v times", e, n)
		}
	}
}

func BenchmarkEncodeSamples(b *testing.B) {
	for _, e := range []Encoding{MuLaw, ALaw} {
		b.Run(e.String(), func(b *testing.B) {
			out := make([]byte, 0, 160)
			b.SetBytes(160)
			for b.Loop() {
				out = EncodeSamples(e, out[:0], everySample[1000:1160])
			}
		})
	}
}

func BenchmarkDecodeSamples(b *testing.B) {
	for _, e := range []Encoding{MuLaw, ALaw} {
		b.Run(e.String(), func(b *testing.B) {
			out := make([]int16, 0, 160)
			b.SetBytes(160)
			for b.Loop() {
				out = DecodeSamples(e, out[:0], everyCode[:160])
			}
		})
	}
}

func BenchmarkTranscode(b *testing.B) {
	packet := slices.Clone(everyCode[:160])
	b.SetBytes(160)
	for b.Loop() {
		Transcode(MuLaw, ALaw, packet)
	}
}
