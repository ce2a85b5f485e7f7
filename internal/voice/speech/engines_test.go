package speech

import (
	"math"
	"os/exec"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/prerequisite"
)

// installed is a speaker with an engine, if this machine has it.
func installed(t *testing.T, engine string) (*Speaker, *journal) {
	t.Helper()
	if _, err := exec.LookPath(engine); err != nil {
		prerequisite.Missing(t, engine+" is not installed")
	}
	return newSpeaker(t, Options{Engine: engine})
}

// active is how loud speech is while it lasts, and for how long.
func active(c *audio.Clip) (level float64, length time.Duration) {
	var power float64
	n := 0
	for s := c.Samples(); len(s) >= frame; s = s[frame:] {
		if l := audio.Level(s[:frame]); l > -48 {
			power += math.Pow(10, l/10)
			n++
		}
	}
	return 10 * math.Log10(power/float64(n)), time.Duration(n) * 20 * time.Millisecond
}

func TestEngines(t *testing.T) {
	const words = "Please press one for sales, or two for service."
	for _, engine := range []string{espeakProgram, fliteProgram} {
		t.Run(engine, func(t *testing.T) {
			s, log := installed(t, engine)
			plain := say(t, s, Text{Plain: words})
			level, length := active(plain)
			if math.Abs(level-loudness) > 2 {
				t.Errorf("it is as loud as %.1f dB, want %.1f", level, loudness)
			}
			if length < 1500*time.Millisecond || length > 5*time.Second || plain.Duration()-length > 1500*time.Millisecond {
				t.Errorf("it speaks for %v of %v", length, plain.Duration())
			}
			for name, c := range map[string]struct {
				ssml     string
				min, max float64 // of how long the words alone last
				soft     float64 // decibels less
			}{
				"as it is":       {words, 0.95, 1.05, 0},
				"slow":           {`<prosody rate="x-slow">` + words + `</prosody>`, 1.3, 2.5, 0},
				"fast":           {`<prosody rate="fast">` + words + `</prosody>`, 0.6, 0.9, 0},
				"soft":           {`<prosody volume="x-soft">` + words + `</prosody>`, 0.8, 1.2, 12},
				"soft in part":   {`<prosody volume="x-soft">` + words + `</prosody> ` + words, 1.8, 2.2, -100},
				"twice":          {words + ` ` + words, 1.8, 2.2, 0},
				"unknown tags":   {`<emphasis><blink>` + words + `</blink></emphasis>`, 0.95, 1.05, 0},
				"malformed":      {`<prosody rate="x-slow"></prosody` + `><p>` + words, 0.95, 1.05, 0},
				"spelt":          {`<say-as interpret-as="characters">AABBCCDDEEFF</say-as>`, 0.5, 2.5, -100},
				"digits":         {`<say-as interpret-as="digits">11111111111111</say-as>`, 1.1, 4, -100},
				"as one number":  {`1111`, 0.2, 1.1, -100},
				"a file":         {`<audio src="/usr/share/sounds/alsa/Noise.wav">` + words + `</audio>`, 0.95, 1.05, 0},
				"in another way": {`<amazon:effect name="whispered">` + words + `</amazon:effect>`, 0.5, 1.2, -100},
			} {
				t.Run(name, func(t *testing.T) {
					l, d := active(say(t, s, Text{SSML: "<speak>" + c.ssml + "</speak>"}))
					if part := float64(d) / float64(length); part < c.min || part > c.max {
						t.Errorf("it speaks for %v, %.2f times %v", d, part, length)
					}
					if c.soft >= 0 && math.Abs(level-c.soft-l) > 1.5 {
						t.Errorf("it is as loud as %.1f dB, want %.1f", l, level-c.soft)
					}
				})
			}
			// Pauses are as long as they should be.
			without := say(t, s, Text{SSML: `<speak>one<break strength="none"/> <break time="10ms"/>two</speak>`})
			with := say(t, s, Text{SSML: `<speak>one <break time="1s"/><break time="500ms"/>two</speak>`})
			if got := with.Duration() - without.Duration(); (got - 1490*time.Millisecond).Abs() > 60*time.Millisecond {
				t.Errorf("breaks of 1.49 s more last %v", got)
			}
			gaps := audio.Gaps(with.Samples(), -45, time.Second)
			if len(gaps) != 1 || (gaps[0].Length-1600*time.Millisecond).Abs() > 250*time.Millisecond {
				t.Errorf("a pause of 1.5 s is %v", gaps)
			}
			around := say(t, s, Text{SSML: `<speak><break time="2s"/>one<break time="1s"/></speak>`})
			if before := audio.Gaps(append([]int16{32000}, around.Samples()...), -45, time.Second); len(before) != 1 || (before[0].Length-2*time.Second).Abs() > 200*time.Millisecond {
				t.Errorf("a pause of 2 s at the beginning is %v", before)
			}
			if d := around.Duration(); d < 3200*time.Millisecond || d > 4*time.Second {
				t.Errorf("a word with pauses of 3 s around it plays %v", d)
			}
			// What looks like an option, a file or phonemes is text.
			for _, text := range []string{"--help", "-w /tmp/x", "/etc/hostname", "[[h@l'oU]] you", "a < b & c", strings.Repeat("word ", 50)} {
				if got := say(t, s, Text{Plain: text}); got == s.tone || got.Duration() < 200*time.Millisecond {
					t.Errorf("%q is spoken in %v", text, got.Duration())
				}
			}
			if log.String() != "" {
				t.Errorf("it logs %s", log)
			}
		})
	}
}

// TestEspeakVoices: all languages of Amazon Polly's voices are spoken, and
// voices differ.
func TestEspeakVoices(t *testing.T) {
	s, log := installed(t, espeakProgram)
	languages := map[string]bool{}
	for _, v := range voices {
		l := espeakLanguage(v.language)
		if l == "" {
			t.Errorf("%s speaks %s, which nothing stands for", v.name, v.language)
		}
		if !languages[l] {
			languages[l] = true
			if say(t, s, Text{Plain: "1 2 3", Voice: v.name}) == s.tone {
				t.Errorf("%s, in %s, does not speak", v.name, l)
			}
		}
	}
	for _, c := range []struct{ a, b Text }{
		{Text{Plain: "Hello", Voice: "Joanna"}, Text{Plain: "Hello", Voice: "Matthew"}},
		{Text{Plain: "Hello", Voice: "Joanna"}, Text{Plain: "Hello", Voice: "Kendra"}},
		{Text{Plain: "zwei", Voice: "Hans"}, Text{Plain: "zwei", Voice: "Matthew"}},
		{Text{Plain: "zwei", Voice: "Hans"}, Text{Plain: "zwei", Voice: "Hans", Language: "en-US"}},
		{Text{SSML: `<lang xml:lang="de-DE">zwei</lang>`}, Text{Plain: "zwei"}},
		{Text{SSML: `<amazon:effect name="whispered">zwei</amazon:effect>`}, Text{Plain: "zwei"}},
		{Text{SSML: `<prosody pitch="x-high">zwei</prosody>`}, Text{Plain: "zwei"}},
	} {
		a, b := say(t, s, c.a).Encoded(audio.MuLaw), say(t, s, c.b).Encoded(audio.MuLaw)
		if string(a) == string(b) {
			t.Errorf("%+v and %+v are the same", c.a, c.b)
		}
	}
	if log.String() != "" {
		t.Errorf("it logs %s", log)
	}
}

// TestOwnVoice: the operator's voice is used, and one that there is not is told.
func TestOwnVoice(t *testing.T) {
	installed(t, espeakProgram)
	own, _ := newSpeaker(t, Options{Engine: espeakProgram, Voices: map[string]string{"joanna": "de+m3", "Hans": "xyzzy"}})
	theirs, _ := newSpeaker(t, Options{Engine: espeakProgram})
	hans := say(t, theirs, Text{Plain: "zwei", Voice: "Hans"})
	if got := say(t, own, Text{Plain: "zwei", Voice: "Joanna"}); string(got.Encoded(audio.MuLaw)) != string(hans.Encoded(audio.MuLaw)) {
		t.Error("Joanna does not speak with the voice that she was given")
	}
	if got := say(t, own, Text{Plain: "zwei", Voice: "Hans"}); got != own.tone {
		t.Error("a voice that there is not speaks")
	}
}

func TestVoices(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range voices {
		if seen[v.name] {
			t.Errorf("there are two of %s", v.name)
		}
		seen[v.name] = true
	}
	for _, c := range []struct{ name, language, wantName, wantLanguage, wantEspeak, wantFlite string }{
		{"", "", "Joanna", "en-US", "en-us+f2", "slt"},
		{"matthew", "", "Matthew", "en-US", "en-us+m3", "rms"},
		{"Gregory", "", "Gregory", "en-US", "en-us+m1", "rms"},
		{"Amy", "", "Amy", "en-GB", "en-gb+f2", "slt"},
		{"Brian", "", "Brian", "en-GB", "en-gb+m3", "awb"},
		{"Hans", "", "Hans", "de-DE", "de+m3", "awb"},
		{"Zhiyu", "", "Zhiyu", "cmn-CN", "cmn+f2", "slt"},
		{"Mia", "", "Mia", "es-MX", "es-419+f2", "slt"},
		{"Aditi", "hi-IN", "Aditi", "hi-IN", "hi+f2", "slt"},
		{"Chantal", "", "Chantal", "fr-CA", "fr-fr+f2", "slt"},
		{"Nobody", "", "Nobody", "en-US", "en-us+f2", "slt"},
		{"Nobody", "pt_BR", "Nobody", "pt_BR", "pt-br+f2", "slt"},
		{"Nobody", "tlh-Q x", "Nobody", "tlh-Q x", "en-us+f2", "slt"},
	} {
		name, language := resolve(c.name, c.language)
		if name != c.wantName || language != c.wantLanguage {
			t.Errorf("%q in %q is %s in %s", c.name, c.language, name, language)
		}
		if got := espeakVoice(name, language, false); got != c.wantEspeak {
			t.Errorf("%s in %s is espeak-ng's %s, want %s", name, language, got, c.wantEspeak)
		}
		if got := fliteVoice(name, language); got != c.wantFlite {
			t.Errorf("%s in %s is flite's %s, want %s", name, language, got, c.wantFlite)
		}
	}
}

func BenchmarkSpeak(b *testing.B) {
	for _, engine := range []string{espeakProgram, fliteProgram} {
		if _, err := exec.LookPath(engine); err != nil {
			continue
		}
		for name, kept := range map[string]int64{"anew": 1, "kept": 0} {
			b.Run(engine+" "+name, func(b *testing.B) {
				s, err := New(Options{Engine: engine, CacheBytes: kept})
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = s.Close() }()
				for b.Loop() {
					if _, err := s.Speak(b.Context(), Text{Plain: "Please press one for sales, or two for service."}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
