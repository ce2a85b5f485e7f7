package audio

import (
	"bytes"
	"fmt"
	"sync"
	"time"
)

// Clip is sound for telephones: one channel, linear, 8,000 samples a second. It
// does not change, so that many calls may play it at once.
type Clip struct {
	samples []int16
	muLaw   onceEncoded
	aLaw    onceEncoded
}

// onceEncoded is a clip in one encoding, made when it is first asked for.
type onceEncoded struct {
	once sync.Once
	b    []byte
}

// NewClip makes a clip of samples, which are not to be changed afterwards.
func NewClip(samples []int16) *Clip { return &Clip{samples: samples} }

// ReadClip decodes a WAV file of 4,000 to 192,000 samples a second and any
// number of channels, which become one. It takes memory in proportion to what
// is in the file, whatever its header says. The errors say what is wrong with
// the file, so they may be shown to whoever made it.
func ReadClip(file []byte) (*Clip, error) {
	w, err := ParseWAV(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	if w.Rate < lowestRate || w.Rate > highestRate {
		return nil, fmt.Errorf("it has %d samples a second; %d to %d are read", w.Rate, lowestRate, highestRate)
	}
	data := file[w.Offset : w.Offset+w.Length]
	if w.Rate == Telephone.Rate && w.Channels == 1 && (w.Encoding != PCM || w.Bits == 16) {
		return NewClip(DecodeSamples(w.Encoding, make([]int16, 0, w.Length*8/int64(w.Bits)), data)), nil
	}
	return NewClip(resample(&frames{w.Format, data}, w.Rate)), nil
}

// Samples are those of the clip, not to be changed.
func (c *Clip) Samples() []int16 { return c.samples }

// Duration is how long it plays.
func (c *Clip) Duration() time.Duration {
	return time.Duration(len(c.samples)) * time.Second / time.Duration(Telephone.Rate)
}

// Encoded is the clip in MuLaw or ALaw, made once, not to be changed. In PCM it
// is made each time.
func (c *Clip) Encoded(e Encoding) []byte {
	var o *onceEncoded
	switch e {
	case MuLaw:
		o = &c.muLaw
	case ALaw:
		o = &c.aLaw
	default:
		return EncodeSamples(e, nil, c.samples)
	}
	o.once.Do(func() { o.b = EncodeSamples(e, make([]byte, 0, len(c.samples)), c.samples) })
	return o.b
}
