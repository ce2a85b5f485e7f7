package speech

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// script is what is to be said, in order.
type script struct {
	parts  []part
	billed int           // how many characters were to be said
	pauses time.Duration // all of them together
}

// part is some words in one style, or a pause.
type part struct {
	text  string
	pause time.Duration
	style
}

// style is how words are said. The zero value is the voice's own way.
type style struct {
	language string  // "" for that of the voice
	rate     float64 // as a part of the usual one; 0 for the usual one
	pitch    float64 // in percent more than usual
	volume   float64 // in decibels more than usual; mute for none
	whisper  bool
	spell    bool // letter by letter
}

// mute is the volume of what is not to be heard.
const mute = -120.0

// speaks reports whether a script has anything that can be spoken.
func (s script) speaks() bool {
	for _, p := range s.parts {
		if strings.ContainsFunc(p.text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsSymbol(r) }) {
			return true
		}
	}
	return false
}

// audible reports whether a script has anything that is to be heard.
func (s script) audible() bool {
	for _, p := range s.parts {
		if p.volume > mute && strings.ContainsFunc(p.text, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
			return true
		}
	}
	return false
}

// volume is that of the loudest words.
func (s script) volume() float64 {
	loudest, some := 0.0, false
	for _, p := range s.parts {
		if p.text != "" && (!some || p.volume > loudest) {
			loudest, some = p.volume, true
		}
	}
	return loudest
}

// plain is a script as text alone.
func (s script) plain() string {
	var words []string
	for _, p := range s.parts {
		if p.text = strings.TrimSpace(p.text); p.text != "" {
			words = append(words, p.text)
		}
	}
	return strings.Join(words, " ")
}

// scribe writes a script.
type scribe struct {
	script
	style style
}

// write adds words in the style of now, as far as the text may be long.
func (s *scribe) write(text string) {
	text = clean(text)
	left := max(0, maxBilled-s.billed)
	s.billed += utf8.RuneCountInString(text)
	text = shorten(text, left)
	if n := len(s.parts); n > 0 && s.parts[n-1].pause == 0 && s.parts[n-1].style == s.style {
		if strings.HasSuffix(s.parts[n-1].text, " ") {
			text = strings.TrimPrefix(text, " ")
		}
		s.parts[n-1].text += text
		return
	}
	if text != "" {
		s.parts = append(s.parts, part{text: text, style: s.style})
	}
}

// pause is silent for a while.
func (s *scribe) pause(d time.Duration) {
	d = min(d, longest-s.pauses)
	if d <= 0 {
		return
	}
	s.pauses += d
	if n := len(s.parts); n > 0 && s.parts[n-1].pause > 0 {
		s.parts[n-1].pause += d
		return
	}
	s.parts = append(s.parts, part{pause: d})
}

// last is the last character that was written since the last pause, 0 if none
// was.
func (s *scribe) last() rune {
	for i := len(s.parts) - 1; i >= 0 && s.parts[i].pause == 0; i-- {
		if t := strings.TrimRight(s.parts[i].text, " "); t != "" {
			r, _ := utf8.DecodeLastRuneInString(t)
			return r
		}
	}
	return 0
}

// ends are what a sentence ends with.
const ends = ".!?…。！？।؟"

// endSentence ends a sentence that does not end by itself.
func (s *scribe) endSentence() {
	r := s.last()
	if r == 0 || strings.ContainsRune(ends, r) {
		return
	}
	i := len(s.parts) - 1
	for strings.TrimRight(s.parts[i].text, " ") == "" {
		i--
	}
	s.parts[i].text = strings.TrimRight(s.parts[i].text, " ") + ". "
}

// done is the script without parts in which nothing is said.
func (s *scribe) done() script {
	parts := s.parts[:0]
	for _, p := range s.parts {
		if p.pause > 0 || strings.TrimSpace(p.text) != "" {
			parts = append(parts, p)
		}
	}
	s.parts = parts
	return s.script
}

// clean makes one space of any whitespace and leaves out control characters and
// what is no character.
func clean(text string) string {
	var b strings.Builder
	var before rune
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case unicode.IsControl(r), r == utf8.RuneError, unicode.In(r, unicode.Co, unicode.Noncharacter_Code_Point):
			continue
		}
		if r == ' ' && before == ' ' {
			continue
		}
		b.WriteRune(r)
		before = r
	}
	return b.String()
}
