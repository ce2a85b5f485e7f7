package speech

import (
	"bytes"
	"errors"
	"math"
	"time"

	"ringdown/internal/audio"
)

const (
	// loudness is how loud speech is made while it lasts, in dBFS. It leaves room
	// for the peaks of speech, which are some 15 dB higher.
	loudness = -18.0
	// highest is what no peak becomes higher than, in dBFS.
	highest = -3.0
	// inaudible is a level that is as good as silence.
	inaudible = -60.0
	// frame is how much is measured at a time.
	frame = 160
)

// level makes speech of any engine about equally loud, with the loudest of its
// words as many decibels more as its text asks for.
func level(samples []int16, more float64) []int16 {
	var peak float64
	for _, v := range samples {
		peak = max(peak, math.Abs(float64(v)))
	}
	loudest := audio.NoSound
	for i := 0; i+frame <= len(samples); i += frame {
		loudest = max(loudest, audio.Level(samples[i:i+frame]))
	}
	if peak == 0 || more <= mute {
		return samples
	}
	// Pauses do not count for how loud speech is.
	var power float64
	n := 0
	for i := 0; i+frame <= len(samples); i += frame {
		if l := audio.Level(samples[i : i+frame]); l > loudest-30 {
			power += math.Pow(10, l/10)
			n++
		}
	}
	decibels := 0.0
	if n > 0 {
		decibels = loudness - 10*math.Log10(power/float64(n))
	}
	limit := highest - 20*math.Log10(peak/math.MaxInt16)
	gain := math.Pow(10, min(decibels+more, limit)/20)
	out := make([]int16, len(samples))
	for i, v := range samples {
		out[i] = int16(math.Round(float64(v) * gain))
	}
	return out
}

// saidBy is an error when nothing is heard of what a script says.
func (s script) saidBy(samples []int16) error {
	if s.audible() && audio.Level(samples) <= inaudible {
		return errors.New("it has said nothing")
	}
	return nil
}

// silence are samples of a time.
func silence(d time.Duration) []int16 {
	return make([]int16, int(d*time.Duration(audio.Telephone.Rate)/time.Second))
}

// trim leaves out the silence before and after sound, but for 20 ms.
func trim(samples []int16) []int16 {
	const quiet, keep = 50, frame
	first, last := -1, -1
	for i, v := range samples {
		if v > quiet || v < -quiet {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		return nil
	}
	return samples[max(0, first-keep):min(len(samples), last+keep)]
}

// mark is the tone that stands for speech where there is no engine: two notes
// that rise, which no exchange uses.
func mark() *audio.Clip {
	file := audio.Play([]audio.Note{
		{Tones: []float64{587}, Length: 350 * time.Millisecond},
		{Tones: []float64{880}, Length: 450 * time.Millisecond},
		{Length: 200 * time.Millisecond},
	})
	w, err := audio.ParseWAV(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return audio.NewClip(silence(time.Second))
	}
	return audio.NewClip(audio.DecodeSamples(w.Encoding, nil, file[w.Offset:w.Offset+w.Length]))
}
