// Package audio reads and writes recordings as telephony knows them: WAV files
// with linear or G.711 samples. It plays nothing and touches no file.
package audio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Encoding is how a sample is written. The values are the format tags of WAV
// (RFC 2361).
type Encoding uint16

// The encodings that are read.
const (
	PCM   Encoding = 1 // 8 bits unsigned, 16 bits and more signed, little-endian
	ALaw  Encoding = 6 // ITU-T G.711
	MuLaw Encoding = 7 // ITU-T G.711
)

// extensible is the tag of a format whose true tag stands further back.
const extensible = 0xFFFE

func (e Encoding) String() string {
	switch e {
	case PCM:
		return "PCM"
	case ALaw:
		return "A-law"
	case MuLaw:
		return "µ-law"
	default:
		return fmt.Sprintf("format %#04x", uint16(e))
	}
}

// Format says how the samples of a recording are written.
type Format struct {
	Encoding Encoding
	Channels int
	Rate     int // samples a second, of each channel
	Bits     int // of a sample
}

// frame is the size of one sample of each channel, in bytes.
func (f Format) frame() int { return f.Channels * f.Bits / 8 }

// WAV is where the samples of a WAV file are and how they are written.
type WAV struct {
	Format
	Offset int64 // of the first sample, in bytes from the start of the file
	Length int64 // of all samples, in bytes
}

// Duration is how long the recording plays.
func (w WAV) Duration() time.Duration {
	return time.Duration(w.Length / int64(w.frame()) * int64(time.Second) / int64(w.Rate))
}

const (
	riffHeader  = 12 // "RIFF", a size, "WAVE"
	chunkHeader = 8  // an id and the size of what follows
	// openSize is the least of what programs write that do not know the size yet
	// and cannot go back (espeak-ng and sox this, others more): the chunk goes on
	// to the end of the file.
	openSize = 0x7FFFF000
)

// ParseWAV finds the samples in a WAV file of the size given. It reads the
// headers of the chunks alone; they may come in any order, and chunks of other
// kinds are passed over. The errors say what is wrong with the file, so they
// may be shown to whoever made it.
func ParseWAV(file io.ReaderAt, size int64) (WAV, error) {
	var head [riffHeader]byte
	if err := readAt(file, head[:], 0); err != nil {
		return WAV{}, err
	}
	if string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return WAV{}, errors.New("it is no WAV file: it does not begin with RIFF and WAVE")
	}
	// The size in the header is not believed: programs that stream write
	// anything there, and the file tells its own.
	var w WAV
	var hasFormat, hasData bool
	for at := int64(riffHeader); at+chunkHeader <= size && !(hasFormat && hasData); {
		var h [chunkHeader]byte
		if err := readAt(file, h[:], at); err != nil {
			return WAV{}, err
		}
		at += chunkHeader
		length := int64(binary.LittleEndian.Uint32(h[4:]))
		if length >= openSize {
			length = min(length, size-at)
		}
		id := string(h[:4])
		if length > size-at {
			return WAV{}, fmt.Errorf("the file is cut off: its chunk %q says that it has %d bytes, and %d are left", id, length, size-at)
		}
		switch {
		case id == "fmt " && !hasFormat:
			f, err := readFormat(file, at, length)
			if err != nil {
				return WAV{}, err
			}
			w.Format, hasFormat = f, true
		case id == "data" && !hasData:
			w.Offset, w.Length, hasData = at, length, true
		}
		at += length + length%2 // chunks begin at even places
	}
	switch {
	case !hasFormat:
		return WAV{}, errors.New("it has no format chunk")
	case !hasData:
		return WAV{}, errors.New("it has no data chunk")
	}
	w.Length -= w.Length % int64(w.frame())
	return w, nil
}

// readFormat reads a format chunk: tag, channels, rate, bytes a second, bytes
// a frame, bits a sample; of an extensible one the true tag after eight more
// bytes.
func readFormat(file io.ReaderAt, at, length int64) (Format, error) {
	var b [40]byte
	if length < 16 {
		return Format{}, fmt.Errorf("its format chunk has %d bytes, which is too few", length)
	}
	if err := readAt(file, b[:min(length, int64(len(b)))], at); err != nil {
		return Format{}, err
	}
	u16 := func(i int) uint16 { return binary.LittleEndian.Uint16(b[i:]) }
	tag := u16(0)
	if tag == extensible {
		if length < int64(len(b)) {
			return Format{}, fmt.Errorf("its extensible format chunk has %d bytes, which is too few", length)
		}
		tag = u16(24)
	}
	f := Format{Encoding(tag), int(u16(2)), int(binary.LittleEndian.Uint32(b[4:])), int(u16(14))}
	switch {
	case f.Encoding != PCM && f.Encoding != ALaw && f.Encoding != MuLaw:
		return Format{}, fmt.Errorf("its samples are in %s; PCM, A-law and µ-law are read", f.Encoding)
	case f.Encoding == PCM && f.Bits != 8 && f.Bits != 16 && f.Bits != 24 && f.Bits != 32,
		f.Encoding != PCM && f.Bits != 8:
		return Format{}, fmt.Errorf("its samples are %s of %d bits, which there is not", f.Encoding, f.Bits)
	case f.Channels == 0 || f.Rate == 0:
		return Format{}, fmt.Errorf("it has %d channels and %d samples a second", f.Channels, f.Rate)
	}
	return f, nil
}

func readAt(file io.ReaderAt, b []byte, at int64) error {
	n, err := file.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return errors.New("the file ends too early for a WAV file")
	default:
		return err
	}
}

// EncodeWAV makes a WAV file of samples that are already written in the
// format.
func EncodeWAV(f Format, samples []byte) []byte {
	var b bytes.Buffer
	// Of the encodings other than PCM the chunk has an extension, here an empty
	// one (RFC 2361 §1).
	formatSize := 16
	if f.Encoding != PCM {
		formatSize = 18
	}
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v) // a buffer takes all
		}
	}
	pad := len(samples) % 2
	b.WriteString("RIFF")
	put(uint32(4 + chunkHeader + formatSize + chunkHeader + len(samples) + pad))
	b.WriteString("WAVEfmt ")
	put(uint32(formatSize), uint16(f.Encoding), uint16(f.Channels), uint32(f.Rate), uint32(f.Rate*f.frame()), uint16(f.frame()), uint16(f.Bits))
	if formatSize > 16 {
		put(uint16(0))
	}
	b.WriteString("data")
	put(uint32(len(samples)))
	b.Write(samples)
	b.Write(make([]byte, pad))
	return b.Bytes()
}
