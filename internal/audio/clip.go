package audio

import "time"

// Clip is sound for telephones: one channel, linear, 8,000 samples a second. It
// does not change, so that many calls may play it at once.
type Clip struct{}

// NewClip makes a clip of samples, which are not to be changed afterwards.
func NewClip(samples []int16) *Clip { panic("not yet") }

// ReadClip decodes a WAV file of any rate and number of channels.
func ReadClip(file []byte) (*Clip, error) { panic("not yet") }

// Samples are those of the clip, not to be changed.
func (c *Clip) Samples() []int16 { panic("not yet") }

// Duration is how long it plays.
func (c *Clip) Duration() time.Duration { panic("not yet") }

// Encoded is the clip in MuLaw or ALaw, made once, not to be changed.
func (c *Clip) Encoded(e Encoding) []byte { panic("not yet") }
