package audio

import (
	"math"
	"time"
)

// Telephone is the format of a phone line: one channel of µ-law at 8 kHz.
var Telephone = Format{Encoding: MuLaw, Channels: 1, Rate: 8000, Bits: 8}

// Note is a sound of some tones together; without tones it is silence.
type Note struct {
	Tones  []float64 // frequencies in hertz
	Length time.Duration
}

// edge is the part of a note in which it swells or fades, so that it does not
// click.
const edge = 10 * time.Millisecond

// Play makes a WAV file in the format of a phone line in which the notes sound
// one after the other, as loud as speech. The same notes give the same file.
func Play(notes []Note) []byte {
	const loudness = 8000 // peak, of 32767: some 12 dB below the loudest
	var samples []byte
	for _, n := range notes {
		length := int(n.Length * time.Duration(Telephone.Rate) / time.Second)
		fade := min(int(edge*time.Duration(Telephone.Rate)/time.Second), length/2)
		for i := range length {
			var v float64
			for _, hz := range n.Tones {
				v += math.Sin(2 * math.Pi * hz * float64(i) / float64(Telephone.Rate))
			}
			if len(n.Tones) > 0 {
				v *= loudness / float64(len(n.Tones))
			}
			if near := min(i, length-1-i); near < fade {
				v *= float64(near) / float64(fade)
			}
			samples = append(samples, encodeMuLaw(int16(v)))
		}
	}
	return EncodeWAV(Telephone, samples)
}
