package speech

import (
	"html"
	"math"
	"strconv"
	"strings"
	"time"
)

// How long pauses are that SSML names by their strength. Amazon Polly has them
// as long as those after a comma, a sentence and a paragraph (developer guide,
// "Adding a pause"), which depends on the voice; these are our own.
const (
	pauseComma     = 250 * time.Millisecond
	pauseSentence  = 500 * time.Millisecond
	pauseParagraph = time.Second
	longestPause   = 10 * time.Second // administrator guide, "SSML tags"
	// bleep is how long a word is silent that is not to be said.
	bleep = 500 * time.Millisecond
)

// element is a tag that is open.
type element struct {
	name   string
	before style // outside of it
	hidden bool  // what is in it is not said
	say    string
	format string
}

// reader reads SSML.
type reader struct {
	scribe
	open []element
}

// mostOpen bounds how deeply tags are nested. Those inside are read as text.
const mostOpen = 100

// parse reads SSML. Where it is malformed, as much is read as can be: a tag that
// is not closed lasts to the end, what closes nothing is passed over, and what
// is no tag is text.
func parse(ssml string) script {
	var r reader
	for ssml != "" {
		at := strings.IndexByte(ssml, '<')
		if at < 0 {
			r.text(html.UnescapeString(ssml))
			break
		}
		if at > 0 {
			r.text(html.UnescapeString(ssml[:at]))
			ssml = ssml[at:]
		}
		switch {
		case strings.HasPrefix(ssml, "<!--"):
			_, ssml, _ = strings.Cut(ssml, "-->")
		case strings.HasPrefix(ssml, "<![CDATA["):
			var raw string
			raw, ssml, _ = strings.Cut(ssml[len("<![CDATA["):], "]]>")
			r.text(raw)
		case strings.HasPrefix(ssml, "<?"), strings.HasPrefix(ssml, "<!"):
			_, ssml, _ = strings.Cut(ssml, ">")
		default:
			ssml = r.tag(ssml)
		}
	}
	r.endSentenceOfParagraphs()
	return r.done()
}

// endSentenceOfParagraphs ends those that were never closed.
func (r *reader) endSentenceOfParagraphs() {
	for len(r.open) > 0 {
		r.close(r.open[len(r.open)-1].name)
	}
}

// tag reads the tag that s begins with and returns what is behind it. If there
// is none, the "<" is text.
func (r *reader) tag(s string) string {
	end := tagEnd(s)
	if end < 0 {
		r.text(s[:1])
		return s[1:]
	}
	inner, rest := s[1:end], s[end+1:]
	if name, ok := strings.CutPrefix(inner, "/"); ok {
		r.close(strings.ToLower(strings.TrimSpace(name)))
		return rest
	}
	inner, empty := strings.CutSuffix(inner, "/")
	nameEnd := strings.IndexAny(inner, " \t\r\n")
	if nameEnd < 0 {
		nameEnd = len(inner)
	}
	name := strings.ToLower(inner[:nameEnd])
	if r.start(name, attributes(inner[nameEnd:])) && empty {
		r.close(name)
	}
	return rest
}

// tagEnd is where the tag ends that s begins with, -1 if it begins with none. A
// ">" within quotes ends none.
func tagEnd(s string) int {
	if len(s) < 2 || s[1] != '/' && (s[1]|0x20 < 'a' || s[1]|0x20 > 'z') {
		return -1
	}
	var quote byte
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			return i
		case c == '<':
			return -1
		}
	}
	return -1
}

// attributes reads those of a tag. Names are in lower case.
func attributes(s string) map[string]string {
	const space = " \t\r\n"
	all := map[string]string{}
	for {
		s = strings.TrimLeft(s, space)
		name, rest, ok := strings.Cut(s, "=")
		if !ok {
			return all
		}
		rest = strings.TrimLeft(rest, space)
		var value string
		switch {
		case rest != "" && (rest[0] == '"' || rest[0] == '\''):
			value, s, _ = strings.Cut(rest[1:], rest[:1])
		default:
			end := strings.IndexAny(rest, space)
			if end < 0 {
				end = len(rest)
			}
			value, s = rest[:end], rest[end:]
		}
		// Of what stands before "=" without one of its own, the last is its name.
		if names := strings.Fields(name); len(names) > 0 {
			all[strings.ToLower(names[len(names)-1])] = strings.TrimSpace(html.UnescapeString(value))
		}
	}
}

// start opens an element. It reports whether it is open then.
func (r *reader) start(name string, a map[string]string) bool {
	if len(r.open) >= mostOpen {
		return false
	}
	e := element{name: name, before: r.style, hidden: r.hidden()}
	if n := len(r.open); n > 0 {
		e.say, e.format = r.open[n-1].say, r.open[n-1].format
	}
	if !e.hidden {
		r.begin(&e, a)
	}
	r.open = append(r.open, e)
	return true
}

// begin does what an element is for.
func (r *reader) begin(e *element, a map[string]string) {
	switch e.name {
	case "speak", "lang":
		r.speakIn(a["xml:lang"])
	case "p", "s":
		r.endSentence()
		r.speakIn(a["xml:lang"])
	case "break":
		r.pause(r.breakOf(a))
	case "prosody":
		r.prosody(a)
	case "amazon:effect":
		if a["name"] == "whispered" {
			r.style.whisper = true
		}
	case "sub":
		if alias := a["alias"]; alias != "" {
			r.write(" " + alias + " ")
			e.hidden = true
		}
	case "say-as":
		e.say, e.format = strings.ToLower(a["interpret-as"]), strings.ToLower(a["format"])
		if e.say == "expletive" {
			r.pause(bleep)
			e.hidden = true
		}
	}
}

// close closes the innermost element of a name, and those within it.
func (r *reader) close(name string) {
	for i := len(r.open) - 1; i >= 0; i-- {
		if r.open[i].name != name {
			continue
		}
		hidden := i > 0 && r.open[i-1].hidden
		r.style = r.open[i].before
		r.open = r.open[:i]
		switch {
		case hidden:
		case name == "s":
			r.endSentence()
		case name == "p":
			r.endSentence()
			r.pause(pauseParagraph - pauseSentence) // the rest is the sentence's own
		}
		return
	}
}

func (r *reader) hidden() bool { return len(r.open) > 0 && r.open[len(r.open)-1].hidden }

// text says text as the elements around it ask for.
func (r *reader) text(text string) {
	if r.hidden() {
		return
	}
	if n := len(r.open); n > 0 && r.open[n-1].say != "" {
		e := r.open[n-1]
		before := r.style
		text, r.style.spell = sayAs(text, e.say, e.format, r.style.language)
		r.write(text)
		r.style = before
		return
	}
	r.write(text)
}

func (r *reader) speakIn(language string) {
	if language != "" {
		r.style.language = language
	}
}

// breakOf is how long a break is. One that does not say so is longer where there
// would be a pause anyway.
func (r *reader) breakOf(a map[string]string) time.Duration {
	if d, ok := duration(a["time"]); ok {
		return d
	}
	switch a["strength"] {
	case "none", "x-weak":
		return 0
	case "strong":
		return pauseSentence
	case "x-strong":
		return pauseParagraph
	case "":
		switch last := r.last(); {
		case last == ',':
			return pauseSentence
		case last != 0 && strings.ContainsRune(ends, last):
			return pauseParagraph
		}
	}
	return pauseComma
}

// duration reads one such as 1.5s or 300ms, up to ten seconds.
func duration(s string) (time.Duration, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	unit := time.Second
	number, ok := strings.CutSuffix(s, "ms")
	if ok {
		unit = time.Millisecond
	} else if number, ok = strings.CutSuffix(s, "s"); !ok {
		return 0, false
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		return 0, false
	}
	return time.Duration(min(n*float64(unit), float64(longestPause))), true
}

// The named values of prosody. Amazon Polly tells what the percentages may be
// (20 to 200 of the rate), but not what the names stand for.
var (
	rates   = map[string]float64{"x-slow": 0.5, "slow": 0.75, "medium": 0, "default": 0, "fast": 1.3, "x-fast": 1.7}
	pitches = map[string]float64{"x-low": -40, "low": -20, "medium": 0, "default": 0, "high": 25, "x-high": 50}
	volumes = map[string]float64{"silent": mute, "x-soft": -12, "soft": -6, "medium": 0, "default": 0, "loud": 4, "x-loud": 8}
)

// prosody sets rate, pitch and volume. What is not understood changes nothing.
func (r *reader) prosody(a map[string]string) {
	s := &r.style
	if v, ok := rates[a["rate"]]; ok {
		s.rate = v
	} else if v, ok := number(a["rate"], "%"); ok && v > 0 {
		s.rate = min(2, max(0.2, v/100))
	}
	if v, ok := pitches[a["pitch"]]; ok {
		s.pitch = v
	} else if v, ok := number(a["pitch"], "%"); ok && strings.ContainsAny(a["pitch"][:1], "+-") {
		s.pitch = min(100, max(-50, s.pitch+v))
	}
	if v, ok := volumes[a["volume"]]; ok {
		s.volume = v
	} else if v, ok := number(strings.ToLower(a["volume"]), "db"); ok {
		s.volume = min(12, max(-40, s.volume+v))
	}
}

// number reads one with a unit.
func number(s, unit string) (float64, bool) {
	s, ok := strings.CutSuffix(s, unit)
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	return v, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}
