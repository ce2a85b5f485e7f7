package speech

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"ringdown/internal/audio"
)

const fliteProgram = "flite"

// flite speaks English alone, and of what a script may ask for it knows the rate
// alone. So it is given words a run at a time, and pauses and volume are made
// here.
type flite struct {
	program
	voices map[string]string // the operator's
}

func (f *flite) name() string { return fliteProgram }

func (f *flite) speak(ctx context.Context, t Text, s script) ([]int16, error) {
	// It writes no WAV file to what it cannot go back in.
	dir, err := os.MkdirTemp("", "ringdown-speech-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	voice, ok := named(f.voices, t.Voice)
	if !ok {
		voice = fliteVoice(t.Voice, t.Language)
	}
	var sound []int16
	for _, p := range fliteRuns(s) {
		sound = append(sound, silence(p.pause)...)
		words := ascii(p.text)
		if strings.TrimSpace(words) == "" || p.volume <= mute {
			continue
		}
		file := filepath.Join(dir, "speech.wav")
		arguments := []string{"-voice", voice, "-o", file}
		if p.rate != 0 {
			arguments = append(arguments, "--setf", fmt.Sprintf("duration_stretch=%.2f", 1/p.rate))
		}
		if _, err := f.run(ctx, words+"\n", arguments...); err != nil {
			return nil, err
		}
		wav, err := os.ReadFile(file) //nolint:gosec // in our own folder
		if err != nil {
			return nil, err
		}
		clip, err := audio.ReadClip(wav)
		if err != nil {
			return nil, err
		}
		sound = append(sound, amplify(trim(clip.Samples()), p.volume)...)
	}
	return sound, nil
}

// fliteRuns are the parts of a script with as many words in each as are said in
// one go.
func fliteRuns(s script) []part {
	var runs []part
	for _, p := range s.parts {
		if p.spell {
			p.text = " " + strings.ToUpper(apart(p.text)) + " "
		}
		// What flite does not know makes no difference.
		p.style = style{rate: p.rate, volume: p.volume}
		if n := len(runs); n > 0 && p.pause == 0 && runs[n-1].pause == 0 && runs[n-1].style == p.style {
			runs[n-1].text += p.text
			continue
		}
		runs = append(runs, p)
	}
	return runs
}

func amplify(samples []int16, decibels float64) []int16 {
	if decibels == 0 {
		return samples
	}
	gain := math.Pow(10, decibels/20)
	out := make([]int16, len(samples))
	for i, v := range samples {
		out[i] = int16(min(math.MaxInt16, max(math.MinInt16, math.Round(float64(v)*gain))))
	}
	return out
}

// asciiOf are letters and signs that flite does not know, by those it does.
var asciiOf = strings.NewReplacer(
	"’", "'", "‘", "'", "“", `"`, "”", `"`, "–", " - ", "—", " - ", "…", "...", "€", " euros ", "£", " pounds ",
	"à", "a", "á", "a", "â", "a", "ã", "a", "ä", "a", "å", "a", "æ", "ae", "ç", "c", "è", "e", "é", "e", "ê", "e", "ë", "e",
	"ì", "i", "í", "i", "î", "i", "ï", "i", "ñ", "n", "ò", "o", "ó", "o", "ô", "o", "õ", "o", "ö", "o", "ø", "o", "œ", "oe",
	"ù", "u", "ú", "u", "û", "u", "ü", "u", "ý", "y", "ÿ", "y", "ß", "ss",
	"À", "A", "Á", "A", "Â", "A", "Ã", "A", "Ä", "A", "Å", "A", "Æ", "Ae", "Ç", "C", "È", "E", "É", "E", "Ê", "E", "Ë", "E",
	"Ì", "I", "Í", "I", "Î", "I", "Ï", "I", "Ñ", "N", "Ò", "O", "Ó", "O", "Ô", "O", "Õ", "O", "Ö", "O", "Ø", "O", "Œ", "Oe",
	"Ù", "U", "Ú", "U", "Û", "U", "Ü", "U", "Ý", "Y",
)

// ascii writes text with the characters that flite knows; others are spaces.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, asciiOf.Replace(text))
}
