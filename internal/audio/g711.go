package audio

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// The codes of ITU-T G.711 stand in tables, which cost 21 KB and a few
// microseconds at start. G.711 codes µ-law from samples of 14 bits and A-law
// from samples of 13; of our 16 the lowest are dropped.
var (
	muLawDecoded = table[int16](decodeMuLaw)
	aLawDecoded  = table[int16](decodeALaw)
	muLawEncoded = func() (t [1 << 14]byte) {
		for i := range t {
			t[i] = encodeMuLaw(int16(i << 2))
		}
		return t
	}()
	aLawEncoded = func() (t [1 << 12]byte) {
		for i := range t {
			t[i] = encodeALaw(int16(i << 4))
		}
		return t
	}()
	// What is decoded from one law is encoded in the other. G.711 has tables of
	// its own for this (3 and 4), which differ from ours by one step here and there
	// so that a code that goes there and back comes out the same; nothing here
	// sends codes back.
	muLawToALaw = table[byte](func(b byte) byte { return encodeALaw(decodeMuLaw(b)) })
	aLawToMuLaw = table[byte](func(b byte) byte { return encodeMuLaw(decodeALaw(b)) })
)

func table[T any](f func(byte) T) (t [256]T) {
	for i := range t {
		t[i] = f(byte(i))
	}
	return t
}

// EncodeSamples appends samples to dst in an encoding: a byte each in MuLaw and
// ALaw, two, the lower first, in PCM. It allocates nothing when dst has room.
func EncodeSamples(e Encoding, dst []byte, pcm []int16) []byte {
	n := len(dst)
	switch e {
	case MuLaw:
		dst = slices.Grow(dst, len(pcm))[:n+len(pcm)]
		for i, v := range pcm {
			dst[n+i] = muLawEncoded[uint16(v)>>2]
		}
	case ALaw:
		dst = slices.Grow(dst, len(pcm))[:n+len(pcm)]
		for i, v := range pcm {
			dst[n+i] = aLawEncoded[uint16(v)>>4]
		}
	default:
		dst = slices.Grow(dst, 2*len(pcm))
		for _, v := range pcm {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(v))
		}
	}
	return dst
}

// DecodeSamples appends the samples that b holds in an encoding, as
// EncodeSamples writes them. It allocates nothing when dst has room.
func DecodeSamples(e Encoding, dst []int16, b []byte) []int16 {
	n := len(dst)
	switch e {
	case MuLaw:
		dst = slices.Grow(dst, len(b))[:n+len(b)]
		for i, c := range b {
			dst[n+i] = muLawDecoded[c]
		}
	case ALaw:
		dst = slices.Grow(dst, len(b))[:n+len(b)]
		for i, c := range b {
			dst[n+i] = aLawDecoded[c]
		}
	default:
		dst = slices.Grow(dst, len(b)/2)
		for ; len(b) >= 2; b = b[2:] {
			dst = append(dst, int16(binary.LittleEndian.Uint16(b)))
		}
	}
	return dst
}

// Transcode turns MuLaw into ALaw, or ALaw into MuLaw, in place. Between other
// encodings, whose samples differ in size, it does nothing.
func Transcode(from, to Encoding, b []byte) {
	var t *[256]byte
	switch {
	case from == MuLaw && to == ALaw:
		t = &muLawToALaw
	case from == ALaw && to == MuLaw:
		t = &aLawToMuLaw
	default:
		return
	}
	for i, c := range b {
		b[i] = t[c]
	}
}

// Silence is the code of a sample of zero in an encoding: what a line carries
// when nothing is said.
func Silence(e Encoding) byte {
	switch e {
	case MuLaw:
		return 0xFF
	case ALaw:
		return 0xD5
	default:
		return 0
	}
}

// magnitude is a sample without its sign. That of the negative ones begins with
// -1, so that the samples that share a code are equally many on either side.
func magnitude(v int16) (m int, negative bool) {
	if v < 0 {
		return int(^v), true
	}
	return int(v), false
}

// encodeMuLaw encodes a sample: a sign, three bits for the segment and four
// within it, all inverted (ITU-T G.711, table 2).
func encodeMuLaw(v int16) byte {
	const bias, clip = 33, 8158 // of 14 bits
	m, negative := magnitude(v)
	m = min(m>>2, clip) + bias
	segment := bits.Len(uint(m)) - 6
	code := ^byte(segment<<4 | m>>(segment+1)&0xF)
	if negative {
		code &= 0x7F
	}
	return code
}

func decodeMuLaw(b byte) int16 {
	b = ^b
	v := int16((int(b&0xF)<<1|33)<<(b>>4&7)-33) * 4
	if b&0x80 != 0 {
		return -v
	}
	return v
}

// encodeALaw encodes a sample: a sign, three bits for the segment and four
// within it, every other bit inverted (ITU-T G.711, table 1).
func encodeALaw(v int16) byte {
	m, negative := magnitude(v)
	m >>= 4 // the first two segments are one, of 32 steps
	code := byte(m)
	if m > 31 {
		segment := bits.Len(uint(m)) - 4
		code = byte(segment<<4 | m>>(segment-1)&0xF)
	}
	if !negative {
		code |= 0x80
	}
	return code ^ 0x55
}

func decodeALaw(b byte) int16 {
	b ^= 0x55
	m, segment := int(b&0xF)<<1|1, int(b>>4&7)
	if segment > 0 {
		m = (m | 32) << (segment - 1)
	}
	if b&0x80 == 0 {
		return int16(-m * 8)
	}
	return int16(m * 8)
}
