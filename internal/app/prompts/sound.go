package prompts

import (
	"math"
	"time"

	"ringdown/internal/audio"
)

// tune is a piece of music: chords that are played note by note, up and down.
type tune struct {
	note   time.Duration // of each note
	chords [][3]int      // notes by their MIDI numbers: 69 is 440 Hz
}

// tunes are what stands for the music that Amazon ships, by the name of the
// prompt (docs/divergences.md). What is not here is a beep.
var tunes = map[string]tune{
	"CustomerHold.wav":                            {400 * time.Millisecond, [][3]int{{60, 64, 67}, {57, 60, 64}, {65, 69, 72}, {67, 71, 74}}},
	"CustomerQueue.wav":                           {350 * time.Millisecond, [][3]int{{62, 66, 69}, {59, 62, 66}, {67, 71, 74}, {69, 73, 76}}},
	"Music_Jazz_MyTimetoFly_Inst.wav":             {300 * time.Millisecond, [][3]int{{62, 65, 72}, {67, 71, 77}, {60, 64, 71}, {69, 73, 79}}},
	"Music_Pop_ThisAndThatIsLife_Inst.wav":        {250 * time.Millisecond, [][3]int{{60, 64, 67}, {67, 71, 74}, {57, 60, 64}, {65, 69, 72}}},
	"Music_Pop_ThrowYourselfInFrontOfIt_Inst.wav": {275 * time.Millisecond, [][3]int{{57, 60, 64}, {65, 69, 72}, {60, 64, 67}, {67, 71, 74}}},
	"Music_Rock_EverywhereTheSunShines_Inst.wav":  {200 * time.Millisecond, [][3]int{{52, 59, 64}, {55, 62, 67}, {57, 64, 69}, {50, 57, 62}}},
}

// rounds is how often a tune is played.
const rounds = 3

// sound makes the audio of a prompt that a new instance comes with.
func sound(name string) []byte {
	t, ok := tunes[name]
	if !ok {
		return audio.Play([]audio.Note{{Tones: []float64{1000}, Length: 300 * time.Millisecond}})
	}
	var notes []audio.Note
	for range rounds {
		for _, c := range t.chords {
			for _, n := range []int{c[0], c[1], c[2], c[1]} {
				// The root sounds on, an octave below.
				notes = append(notes, audio.Note{Tones: []float64{hertz(n), hertz(c[0] - 12)}, Length: t.note})
			}
		}
	}
	return audio.Play(notes)
}

// hertz is the frequency of a note by its MIDI number, in equal temperament.
func hertz(note int) float64 { return 440 * math.Pow(2, float64(note-69)/12) }
