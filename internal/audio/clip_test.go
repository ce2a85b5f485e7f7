package audio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// tone are samples of a sine at a rate, peak of 1.
func tone(rate int, hz, peak float64, length time.Duration) []float64 {
	samples := make([]float64, int(length*time.Duration(rate)/time.Second))
	for i := range samples {
		samples[i] = peak * math.Sin(2*math.Pi*hz*float64(i)/float64(rate)+0.3)
	}
	return samples
}

// samplesOf are samples of 16 bits.
func samplesOf(v []float64) []int16 {
	samples := make([]int16, len(v))
	for i, x := range v {
		samples[i] = int16(math.Round(x * math.MaxInt16))
	}
	return samples
}

// wav is a WAV file with a signal in each channel.
func wav(f Format, channels ...[]float64) []byte {
	var b []byte
	for i := range channels[0] {
		for c := range f.Channels {
			v := channels[c%len(channels)][i]
			switch {
			case f.Encoding != PCM:
				b = EncodeSamples(f.Encoding, b, []int16{int16(v * math.MaxInt16)})
			case f.Bits == 8:
				b = append(b, byte(math.Round(v*127)+128))
			case f.Bits == 24:
				b = append(b, binary.LittleEndian.AppendUint32(nil, uint32(int32(math.Round(v*(1<<23-1)))))[:3]...)
			case f.Bits == 32:
				b = binary.LittleEndian.AppendUint32(b, uint32(int32(math.Round(v*(1<<31-1)))))
			default:
				b = binary.LittleEndian.AppendUint16(b, uint16(int16(math.Round(v*math.MaxInt16))))
			}
		}
	}
	return EncodeWAV(f, b)
}

// middle leaves out the ends, where a filter swells.
func middle(samples []int16) []int16 { return samples[len(samples)/5 : len(samples)*4/5] }

var allRates = []int{4000, 6000, 8000, 8001, 11025, 11127, 12000, 16000, 22050, 24000, 32000, 44056, 44100, 48000, 88200, 96000, 176400, 192000}

// TestReadClipPassBand: what a line carries arrives as it was.
func TestReadClipPassBand(t *testing.T) {
	for _, rate := range allRates {
		for _, hz := range []float64{300, 1004, 1500, 2500, 3000, 3400} {
			if hz > passBand*float64(rate) {
				continue
			}
			c, err := ReadClip(wav(Format{PCM, 1, rate, 16}, tone(rate, hz, 0.5, 200*time.Millisecond)))
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Duration(); got != 200*time.Millisecond {
				t.Errorf("%d: it plays %v", rate, got)
			}
			s := middle(c.Samples())
			if got := Dominant(s); math.Abs(got-hz) > 0.5 {
				t.Errorf("%d: %v Hz became %v", rate, hz, got)
			}
			if got, want := Level(s), 20*math.Log10(0.5); math.Abs(got-want) > 0.05 {
				t.Errorf("%d: %v Hz has %.2f dB, want %.2f", rate, hz, got, want)
			}
		}
	}
}

// TestReadClipStopBand: what it cannot carry does not come back as something
// else.
func TestReadClipStopBand(t *testing.T) {
	for _, rate := range allRates {
		for _, hz := range []float64{4000, 4050, 4500, 5000, 7000, 8000, 9000, 10900, 16000, 20000, 40000, 90000} {
			if hz >= float64(rate)/2 {
				continue
			}
			c, err := ReadClip(wav(Format{PCM, 1, rate, 16}, tone(rate, hz, 0.5, 200*time.Millisecond)))
			if err != nil {
				t.Fatal(err)
			}
			if got := Level(middle(c.Samples())) - 20*math.Log10(0.5); got > -55 {
				t.Errorf("%d: of %v Hz %.1f dB are left", rate, hz, got)
			}
		}
	}
	// Nor does a slow file gain what was not in it.
	c, err := ReadClip(wav(Format{PCM, 1, 4000, 16}, tone(4000, 1500, 0.5, time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	if got := ToneLevel(middle(c.Samples()), 2500) - 20*math.Log10(0.5); got > -55 {
		t.Errorf("the mirror of 1,500 Hz has %.1f dB", got)
	}
}

func TestReadClipFormats(t *testing.T) {
	for _, c := range []struct {
		f     Format
		noise float64 // the most of what is not the tone, dBFS
	}{
		{Format{PCM, 1, 8000, 8}, -45},
		{Format{PCM, 1, 8000, 16}, -90},
		{Format{PCM, 1, 8000, 24}, -90},
		{Format{PCM, 1, 8000, 32}, -90},
		{Format{PCM, 2, 8000, 16}, -90},
		{Format{PCM, 2, 44100, 24}, -75},
		{Format{PCM, 6, 48000, 32}, -75},
		{Format{MuLaw, 1, 8000, 8}, -40},
		{Format{ALaw, 1, 8000, 8}, -40},
		{Format{MuLaw, 2, 16000, 8}, -40},
		{Format{ALaw, 1, 11025, 8}, -40},
	} {
		t.Run(fmt.Sprintf("%s, %d channels, %d, %d bits", c.f.Encoding, c.f.Channels, c.f.Rate, c.f.Bits), func(t *testing.T) {
			in := tone(c.f.Rate, 1000, 0.5, time.Second)
			clip, err := ReadClip(wav(c.f, in))
			if err != nil {
				t.Fatal(err)
			}
			s := middle(clip.Samples())
			if got, want := ToneLevel(s, 1000), 20*math.Log10(0.5); math.Abs(got-want) > 0.1 {
				t.Errorf("the tone has %.2f dB, want %.2f", got, want)
			}
			// What is left when the tone is taken away.
			var re, im float64
			for i, v := range s {
				sin, cos := math.Sincos(2 * math.Pi * float64(i) / 8)
				re, im = re+float64(v)*cos*2/float64(len(s)), im+float64(v)*sin*2/float64(len(s))
			}
			rest := make([]int16, len(s))
			for i, v := range s {
				sin, cos := math.Sincos(2 * math.Pi * float64(i) / 8)
				rest[i] = int16(math.Round(float64(v) - re*cos - im*sin))
			}
			if got := Level(rest); got > c.noise {
				t.Errorf("%.1f dB of noise, want less than %.1f", got, c.noise)
			}
		})
	}
}

// TestReadClipChannels: each channel is heard, half as loud.
func TestReadClipChannels(t *testing.T) {
	const rate = 44100
	c, err := ReadClip(wav(Format{PCM, 2, rate, 16}, tone(rate, 500, 0.8, time.Second), tone(rate, 2000, 0.8, time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	for _, hz := range []float64{500, 2000} {
		if got, want := ToneLevel(middle(c.Samples()), hz), 20*math.Log10(0.4); math.Abs(got-want) > 0.1 {
			t.Errorf("%v Hz has %.2f dB, want %.2f", hz, got, want)
		}
	}
}

func TestReadClipRefuses(t *testing.T) {
	pcm := func(rate uint32) []byte {
		return riff(chunk("fmt ", format(1, 1, rate, 16)...), chunk("data", make([]byte, 100)...))
	}
	for name, c := range map[string]struct {
		file []byte
		err  string
	}{
		"nothing":   {nil, "too early"},
		"slow":      {pcm(3999), "3999 samples a second"},
		"fast":      {pcm(192001), "192001 samples a second"},
		"fastest":   {pcm(math.MaxUint32), "samples a second"},
		"no header": {[]byte(strings.Repeat("x", 100)), "no WAV file"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ReadClip(c.file); err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("the error is %v, want one with %q", err, c.err)
			}
		})
	}
}

// TestReadClipOpen reads files as programs write them that cannot go back to
// say how long they became.
func TestReadClipOpen(t *testing.T) {
	for _, size := range []uint32{0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFDB, 0xFFFFFFFF} {
		file := wav(Format{PCM, 1, 8000, 16}, tone(8000, 440, 0.5, time.Second))
		binary.LittleEndian.PutUint32(file[40:], size)
		c, err := ReadClip(file)
		if err != nil || c.Duration() != time.Second {
			t.Errorf("%#x: %v, %v", size, c, err)
		}
	}
}

// TestReadClipShort: files of a few samples, of none, and of just as many as
// are read at a time.
func TestReadClipShort(t *testing.T) {
	for _, rate := range allRates {
		for _, n := range []int{0, 1, 2, 3, 100, 8191, 8192, 8193, 16384} {
			c, err := ReadClip(wav(Format{PCM, 1, rate, 16}, make([]float64, n)))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := len(c.Samples()), (n*8000+rate-1)/rate; got != want {
				t.Errorf("%d samples of %d a second became %d, want %d", n, rate, got, want)
			}
		}
	}
}

// TestReadClipLong decodes two minutes of 48 kHz in stereo: it takes little more
// memory than what comes out.
func TestReadClipLong(t *testing.T) {
	file := EncodeWAV(Format{PCM, 2, 48000, 16}, make([]byte, 120*48000*4))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c, err := ReadClip(file)
	runtime.ReadMemStats(&after)
	if err != nil || c.Duration() != 2*time.Minute {
		t.Fatal(c.Duration(), err)
	}
	if got, out := after.TotalAlloc-before.TotalAlloc, uint64(2*len(c.Samples())); got > out+1<<20 {
		t.Errorf("%d bytes were allocated for %d", got, out)
	}
}

func TestEncoded(t *testing.T) {
	c := NewClip(samplesOf(tone(8000, 440, 0.5, time.Second)))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, e := range []Encoding{MuLaw, ALaw} {
				if !bytes.Equal(c.Encoded(e), EncodeSamples(e, nil, c.Samples())) {
					t.Errorf("%s is something else", e)
				}
			}
		})
	}
	wg.Wait()
	if first, second := c.Encoded(MuLaw), c.Encoded(MuLaw); &first[0] != &second[0] {
		t.Error("it is made twice")
	}
	if got := c.Encoded(PCM); len(got) != 16000 {
		t.Errorf("in PCM it has %d bytes", len(got))
	}
}

// FuzzReadClip: whatever the bytes, the sound is as long as the header says, and
// not out of proportion to the file.
func FuzzReadClip(f *testing.F) {
	f.Add(Play([]Note{{[]float64{440}, 10 * time.Millisecond}}))
	f.Add(riff(chunk("fmt ", extended(1)...), chunk("data", 1, 2, 3)))
	f.Add(riff(chunk("data", 1, 2, 3), chunk("fmt ", format(1, 2, 44100, 24)...)))
	for _, w := range []Format{{PCM, 1, 48000, 8}, {PCM, 2, 22050, 24}, {ALaw, 3, 7999, 8}, {PCM, 1, 191999, 32}} {
		f.Add(wav(w, tone(w.Rate, 440, 0.5, 20*time.Millisecond)))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := ReadClip(file)
		if err != nil {
			return
		}
		w, err := ParseWAV(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(c.Samples()); n > 2*len(file) || (c.Duration()-w.Duration()).Abs() > 125*time.Microsecond {
			t.Errorf("%+v became %d samples", w, n)
		}
	})
}

func BenchmarkReadClip(b *testing.B) {
	for _, f := range []Format{Telephone, {PCM, 1, 16000, 16}, {PCM, 1, 22050, 16}, {PCM, 2, 44100, 16}, {PCM, 2, 48000, 16}, {PCM, 2, 96000, 24}} {
		b.Run(fmt.Sprintf("a minute of %s, %d, %d channels", f.Encoding, f.Rate, f.Channels), func(b *testing.B) {
			file := EncodeWAV(f, make([]byte, 60*f.Rate*f.frame()))
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadClip(file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
