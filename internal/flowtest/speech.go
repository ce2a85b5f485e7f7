package flowtest

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"ringdown/internal/flow/machine"
)

// How long messages take on the simulated call. They are stated rather than
// measured, so that a test takes the same virtual time wherever it runs
// (docs/divergences.md).
const (
	// lettersPerSecond is how fast text is spoken: about 150 words a minute.
	lettersPerSecond = 15
	// soundLength is that of a recording whose length is not known.
	soundLength = 5 * time.Second
	// shortest is that of any message; a loop of empty ones would never end.
	shortest = 500 * time.Millisecond
)

// heard is a message as the customer hears it.
type heard struct {
	machine.Message

	// words are what is spoken, "" for a sound of which no text is known.
	words string
	// sound is what a recording is called.
	sound  string
	length time.Duration
}

// listen makes of a message what is heard. False: there is no such prompt.
func (s *simulation) listen(m machine.Message) (heard, bool) {
	h := heard{Message: m, words: m.Text, length: soundLength}
	switch {
	case m.SSML != "":
		h.words = spoken(m.SSML)
		h.length = speech(h.words) + breaks(m.SSML)
	case m.Text != "":
		h.length = speech(m.Text)
	case m.Prompt != "":
		p, err := s.world.Prompt(s.ctx, m.Prompt)
		if err != nil {
			return heard{}, false
		}
		h.sound, h.words = p.Name, p.Text
		if p.Length > 0 {
			h.length = p.Length
		}
	default:
		h.sound = m.Media
	}
	h.length = max(h.length, shortest)
	return h, true
}

// String is how people are told of a message.
func (h heard) String() string {
	switch {
	case h.words != "" && h.sound != "":
		return strconv.Quote(h.words) + " (prompt " + h.sound + ")"
	case h.words != "":
		return strconv.Quote(h.words)
	case h.Prompt != "":
		return "the prompt " + h.sound
	default:
		return "the sound " + h.sound
	}
}

// speech is how long a text takes to speak.
func speech(text string) time.Duration {
	n := 0
	for range text {
		n++
	}
	return time.Duration(n) * time.Second / lettersPerSecond
}

var (
	tag       = regexp.MustCompile(`<[^>]*>`)
	breakTime = regexp.MustCompile(`<break[^>]*\btime=["']([0-9.]+)(ms|s)["']`)
)

// unescaped are the entities of XML.
var unescaped = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&amp;", "&")

// spoken is the text of SSML.
func spoken(ssml string) string {
	return unescaped.Replace(collapse(tag.ReplaceAllString(ssml, " ")))
}

// breaks are the pauses that SSML asks for, at most ten seconds each.
func breaks(ssml string) (total time.Duration) {
	for _, m := range breakTime.FindAllStringSubmatch(ssml, -1) {
		f, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			continue
		}
		unit := time.Second
		if m[2] == "ms" {
			unit = time.Millisecond
		}
		total += time.Duration(min(f*float64(unit), float64(10*time.Second)))
	}
	return total
}

// collapse makes every run of white space one space.
func collapse(s string) string { return strings.Join(strings.Fields(s), " ") }

// words are the words of a text in lower case, without punctuation.
func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// The share of words that makes texts similar. The real service compares what
// they mean (administrator guide, "Observe block"), which nothing that has to
// give the same answer everywhere can (docs/divergences.md).
const (
	mostInCommon = 0.6 // of both together
	mostOfWanted = 0.8 // of what is expected
)

// similar reports whether most words of two texts are the same, in whatever
// order, or most of those expected are there.
func similar(want, got string) bool {
	w, g := words(want), words(got)
	if len(w) == 0 || len(g) == 0 {
		return len(w) == len(g)
	}
	there := map[string]int{}
	for _, word := range g {
		there[word]++
	}
	common := 0
	for _, word := range w {
		if there[word] > 0 {
			there[word]--
			common++
		}
	}
	n := float64(common)
	return 2*n >= mostInCommon*float64(len(w)+len(g)) || n >= mostOfWanted*float64(len(w))
}

// includes reports whether a text has another in it, in any case.
func includes(want, got string) bool {
	return strings.Contains(strings.ToLower(collapse(got)), strings.ToLower(collapse(want)))
}
