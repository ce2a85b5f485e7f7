package speech

import (
	"context"
	"fmt"
	"html"
	"math"
	"strings"

	"ringdown/internal/audio"
)

const espeakProgram = "espeak-ng"

// espeak is espeak-ng. It reads SSML, which it is given anew from a script.
type espeak struct {
	program
	voices map[string]string // the operator's
}

func (e *espeak) name() string { return espeakProgram }

func (e *espeak) speak(ctx context.Context, t Text, s script) ([]int16, error) {
	// It passes over a pause at the beginning.
	var first []int16
	if len(s.parts) > 0 && s.parts[0].pause > 0 {
		first, s.parts = silence(s.parts[0].pause), s.parts[1:]
	}
	file, err := e.run(ctx, e.ssml(t, s), "-b", "1", "-m", "--stdin", "--stdout", "-v", e.voice(t.Voice, t.Language, false))
	if err != nil {
		return nil, err
	}
	clip, err := audio.ReadClip(file)
	if err != nil {
		return nil, err
	}
	return append(first, clip.Samples()...), nil
}

// voice is espeak-ng's for one of Amazon Polly's.
func (e *espeak) voice(name, language string, whisper bool) string {
	if own, ok := named(e.voices, name); ok && !whisper {
		return own
	}
	return espeakVoice(name, language, whisper)
}

// named is the operator's name for a voice.
func named(voices map[string]string, name string) (string, bool) {
	if own, ok := voices[name]; ok {
		return own, own != ""
	}
	for n, own := range voices {
		if strings.EqualFold(n, name) {
			return own, own != ""
		}
	}
	return "", false
}

// ssml writes a script as espeak-ng reads it.
func (e *espeak) ssml(t Text, s script) string {
	var b strings.Builder
	b.WriteString("<speak>")
	for _, p := range s.parts {
		if p.pause > 0 {
			fmt.Fprintf(&b, `<break time="%dms"/>`, p.pause.Milliseconds())
			continue
		}
		var closing []string
		open := func(name, tag string) {
			b.WriteString(tag)
			closing = append(closing, "</"+name+">")
		}
		language := t.Language
		if espeakLanguage(p.language) != "" {
			language = p.language
		}
		if language != t.Language || p.whisper {
			voice := espeakVoice(t.Voice, language, p.whisper)
			open("voice", `<voice name="`+voice+`">`)
		}
		if p.rate != 0 || p.pitch != 0 || p.volume != 0 {
			tag := "<prosody"
			if p.rate != 0 {
				tag += fmt.Sprintf(` rate="%.0f%%"`, p.rate*100)
			}
			if p.pitch != 0 {
				tag += fmt.Sprintf(` pitch="%+.0f%%"`, p.pitch)
			}
			if p.volume != 0 {
				// Of its amplitude, 100 being the usual one and 200 the most.
				tag += fmt.Sprintf(` volume="%.0f"`, min(200, 100*math.Pow(10, p.volume/20)))
			}
			open("prosody", tag+">")
		}
		if p.spell {
			open("say-as", `<say-as interpret-as="characters">`)
		}
		// It takes "[[" for the beginning of phonemes.
		b.WriteString(html.EscapeString(strings.ReplaceAll(p.text, "[", " ")))
		for i := len(closing) - 1; i >= 0; i-- {
			b.WriteString(closing[i])
		}
	}
	b.WriteString("</speak>")
	return b.String()
}
