package audio

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
	"time"
)

// chunk is a chunk of a RIFF file, padded to an even size.
func chunk(id string, body ...byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(body)))
	b = append(b, body...)
	return append(b, make([]byte, len(body)%2)...)
}

// riff is a WAV file of chunks; the size in its header is nonsense.
func riff(chunks ...[]byte) []byte {
	return append([]byte("RIFF\x01\x02\x03\x04WAVE"), bytes.Join(chunks, nil)...)
}

func format(tag, channels uint16, rate uint32, bits uint16) []byte {
	b := binary.LittleEndian.AppendUint16(nil, tag)
	b = binary.LittleEndian.AppendUint16(b, channels)
	b = binary.LittleEndian.AppendUint32(b, rate)
	b = binary.LittleEndian.AppendUint32(b, rate*uint32(channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, channels*bits/8)
	return binary.LittleEndian.AppendUint16(b, bits)
}

func extended(tag uint16) []byte {
	b := append(format(extensible, 1, 8000, 16), 22, 0, 16, 0, 4, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, tag)
	return append(b, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"...)
}

func TestParseWAV(t *testing.T) {
	fmtChunk := func(b []byte) []byte { return chunk("fmt ", b...) }
	pcm := fmtChunk(format(1, 1, 8000, 16))
	data := chunk("data", make([]byte, 16000)...)
	open := append([]byte("data\xff\xff\xff\xff"), make([]byte, 100)...)
	for name, c := range map[string]struct {
		file []byte
		want WAV
		err  string
	}{
		"PCM":                   {riff(pcm, data), WAV{Format{PCM, 1, 8000, 16}, 44, 16000}, ""},
		"stereo":                {riff(fmtChunk(format(1, 2, 44100, 16)), data), WAV{Format{PCM, 2, 44100, 16}, 44, 16000}, ""},
		"8 bits":                {riff(fmtChunk(format(1, 1, 8000, 8)), data), WAV{Format{PCM, 1, 8000, 8}, 44, 16000}, ""},
		"A-law":                 {riff(fmtChunk(append(format(6, 1, 8000, 8), 0, 0)), data), WAV{Format{ALaw, 1, 8000, 8}, 46, 16000}, ""},
		"extensible":            {riff(fmtChunk(extended(1)), data), WAV{Format{PCM, 1, 8000, 16}, 68, 16000}, ""},
		"data before format":    {riff(data, pcm), WAV{Format{PCM, 1, 8000, 16}, 20, 16000}, ""},
		"others, one odd":       {riff(chunk("LIST", 1, 2, 3), pcm, chunk("fact", 0, 0, 0, 0), data, chunk("id3 ", 1)), WAV{Format{PCM, 1, 8000, 16}, 68, 16000}, ""},
		"the first of two":      {riff(pcm, chunk("data", 1, 2), data), WAV{Format{PCM, 1, 8000, 16}, 44, 2}, ""},
		"to the end":            {riff(pcm, open), WAV{Format{PCM, 1, 8000, 16}, 44, 100}, ""},
		"half a sample over":    {riff(pcm, chunk("data", 1, 2, 3)), WAV{Format{PCM, 1, 8000, 16}, 44, 2}, ""},
		"nothing in it":         {riff(pcm, chunk("data")), WAV{Format{PCM, 1, 8000, 16}, 44, 0}, ""},
		"empty":                 {nil, WAV{}, "too early"},
		"another kind of file":  {[]byte("ID3\x04 this is an MP3 file"), WAV{}, "no WAV file"},
		"RIFF of another kind":  {[]byte("RIFF\x00\x00\x00\x00AVI LIST"), WAV{}, "no WAV file"},
		"no format":             {riff(data), WAV{}, "no format chunk"},
		"no data":               {riff(pcm), WAV{}, "no data chunk"},
		"cut off":               {riff(pcm, data)[:1000], WAV{}, "cut off"},
		"MP3 in WAV":            {riff(fmtChunk(format(0x55, 1, 8000, 0)), data), WAV{}, "format 0x0055"},
		"extensible float":      {riff(fmtChunk(extended(3)), data), WAV{}, "format 0x0003"},
		"12 bits":               {riff(fmtChunk(format(1, 1, 8000, 12)), data), WAV{}, "12 bits"},
		"µ-law of 16 bits":      {riff(fmtChunk(format(7, 1, 8000, 16)), data), WAV{}, "µ-law of 16 bits"},
		"no channels":           {riff(fmtChunk(format(1, 0, 8000, 16)), data), WAV{}, "0 channels"},
		"no rate":               {riff(fmtChunk(format(1, 1, 0, 16)), data), WAV{}, "0 samples a second"},
		"short format":          {riff(chunk("fmt ", 1, 0), data), WAV{}, "too few"},
		"short extensible":      {riff(fmtChunk(format(extensible, 1, 8000, 16)), data), WAV{}, "too few"},
		"a header at the end":   {append(riff(pcm), "data"...), WAV{}, "no data chunk"},
		"format cut off at end": {riff(data, pcm[:20]), WAV{}, "cut off"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseWAV(bytes.NewReader(c.file), int64(len(c.file)))
			switch {
			case c.err == "" && err != nil:
				t.Fatal(err)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Fatalf("the error is %v, want one with %q", err, c.err)
			case got != c.want:
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		w    WAV
		want time.Duration
	}{
		{WAV{Format: Format{PCM, 1, 8000, 16}, Length: 16000}, time.Second},
		{WAV{Format: Format{PCM, 2, 44100, 16}, Length: 4 * 22050}, 500 * time.Millisecond},
		{WAV{Format: Telephone, Length: 8}, time.Millisecond},
		{WAV{Format: Telephone, Length: 50 << 20}, 6553600 * time.Millisecond},
	} {
		if got := c.w.Duration(); got != c.want {
			t.Errorf("%+v plays %v, want %v", c.w, got, c.want)
		}
	}
}

// TestEncodeWAV reads back what is written.
func TestEncodeWAV(t *testing.T) {
	for _, f := range []Format{Telephone, {PCM, 2, 16000, 16}, {ALaw, 1, 8000, 8}} {
		samples := bytes.Repeat([]byte{1, 2, 3, 4}, 25)
		if f.frame() == 1 {
			samples = samples[:99] // an odd size
		}
		file := EncodeWAV(f, samples)
		w, err := ParseWAV(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		if got := file[w.Offset : w.Offset+w.Length]; w.Format != f || !bytes.Equal(got, samples) {
			t.Errorf("%+v came back as %+v, %d bytes", f, w, len(got))
		}
		if n := binary.LittleEndian.Uint32(file[4:]); int(n) != len(file)-8 || n%2 != 0 {
			t.Errorf("the header says %d bytes of %d", n, len(file))
		}
	}
}

// power is how much of a frequency is in samples, 1 for a tone of full
// loudness (the algorithm of Goertzel).
func power(samples []float64, hz float64) float64 {
	var s1, s2 float64
	c := 2 * math.Cos(2*math.Pi*hz/float64(Telephone.Rate))
	for _, v := range samples {
		s1, s2 = v+c*s1-s2, s1
	}
	return 2 * math.Sqrt(s1*s1+s2*s2-c*s1*s2) / float64(len(samples)) / 8000
}

func TestPlay(t *testing.T) {
	notes := []Note{{[]float64{1000}, time.Second}, {nil, 500 * time.Millisecond}, {[]float64{440, 660}, time.Second}, {[]float64{440}, time.Millisecond}}
	file := Play(notes)
	w, err := ParseWAV(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	if w.Format != Telephone || w.Duration() != 2501*time.Millisecond {
		t.Fatalf("it is %+v and plays %v", w.Format, w.Duration())
	}
	samples := make([]float64, w.Length)
	for i, b := range file[w.Offset : w.Offset+w.Length] {
		samples[i] = float64(decodeMuLaw(b))
	}
	for _, c := range []struct {
		part     []float64
		hz, want float64
	}{
		{samples[:8000], 1000, 1},
		{samples[:8000], 700, 0},
		{samples[8000:12000], 1000, 0},
		{samples[12000:20000], 440, 0.5},
		{samples[12000:20000], 660, 0.5},
		{samples[12000:20000], 1000, 0},
	} {
		if got := power(c.part, c.hz); math.Abs(got-c.want) > 0.03 {
			t.Errorf("%v Hz has the power %.3f, want %v", c.hz, got, c.want)
		}
	}
	if !bytes.Equal(file, Play(notes)) {
		t.Error("the same notes made another file")
	}
}

// FuzzParseWAV: whatever the bytes, the samples found lie in the file.
func FuzzParseWAV(f *testing.F) {
	f.Add(Play([]Note{{[]float64{440}, 10 * time.Millisecond}}))
	f.Add(riff(chunk("fmt ", extended(1)...), chunk("data", 1, 2, 3)))
	f.Add(riff(chunk("data", 1, 2, 3), chunk("fmt ", format(1, 2, 44100, 24)...)))
	f.Fuzz(func(t *testing.T, file []byte) {
		w, err := ParseWAV(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		if w.Offset < 0 || w.Length < 0 || w.Offset+w.Length > int64(len(file)) || w.Length%int64(w.frame()) != 0 || w.Duration() < 0 {
			t.Errorf("%+v of a file of %d bytes", w, len(file))
		}
	})
}
