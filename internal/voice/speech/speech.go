// Package speech makes sound of text: by a speech engine of the machine
// (espeak-ng, flite), by a service over HTTP, or, where there is neither, by a
// tone that marks where speech would be. What was spoken once is kept.
//
// Invariants:
//   - a text reaches an engine by its standard input, never as an argument and
//     never through a shell; of SSML only what this package understood, written
//     anew, so that no tag can have an engine open a file;
//   - a text is never logged: it may hold what a caller has told;
//   - callers that want the same text at the same time wait for one run of the
//     engine, which goes on until the last of them has left. The runs are
//     goroutines of the Speaker's; Close waits for them.
package speech

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Text is something to say. One of Plain and SSML is set.
type Text struct {
	Plain string
	// SSML is as in the administrator guide, "SSML tags": speak, break, lang, mark,
	// p, phoneme, prosody, s, say-as, sub, w, amazon:effect. Others are ignored.
	SSML     string
	Voice    string // such as Joanna
	Engine   string // standard, neural, generative; "" for standard
	Style    string
	Language string // such as en-US; "" for that of the voice
}

// How long a text may be and how long its sound becomes, after which it is cut
// off (Amazon Polly, "Quotas", SynthesizeSpeech). The characters of tags count
// for the total alone.
const (
	maxBilled = 3000
	maxTotal  = 6000
	longest   = 10 * time.Minute
)

// Check reports why the real service would not say a text. A Speaker says as
// much of it as it may have.
func (t Text) Check() error {
	if t.Plain != "" && t.SSML != "" {
		return errors.New("it has both text and SSML")
	}
	if n := utf8.RuneCountInString(t.Plain) + utf8.RuneCountInString(t.SSML); n > maxTotal {
		return fmt.Errorf("it has %d characters; it may have %d", n, maxTotal)
	}
	billed := utf8.RuneCountInString(t.Plain)
	if t.SSML != "" {
		billed = parse(t.SSML).billed
	}
	if billed > maxBilled {
		return fmt.Errorf("it has %d characters without its tags; it may have %d", billed, maxBilled)
	}
	return nil
}

// long reports why the end of a text is left out, nil when it is not.
func (t Text) long() error {
	if t.SSML != "" {
		t.Plain = "" // which is not spoken
	}
	if len(t.Plain)+len(t.SSML) <= maxBilled { // nor can it have more characters
		return nil
	}
	return t.Check()
}

// normal is a text without what makes no difference to how it sounds, so that
// it is found in the cache.
func (t Text) normal() Text {
	t.Plain = shorten(strings.TrimSpace(t.Plain), maxBilled)
	t.SSML = cut(strings.TrimSpace(t.SSML), maxTotal)
	if t.SSML != "" {
		t.Plain = ""
	}
	if t.Engine == "" {
		t.Engine = "standard"
	}
	t.Engine = strings.ToLower(t.Engine)
	if strings.EqualFold(t.Style, "None") {
		t.Style = ""
	}
	t.Voice, t.Language = resolve(t.Voice, t.Language)
	return t
}

// script is what a text says, however it was written.
func (t Text) script() script {
	if t.SSML != "" {
		return parse(t.SSML)
	}
	var s scribe
	s.write(t.Plain)
	return s.done()
}

// shorten leaves at most the first n characters of s: whole sentences if there are
// any, else whole words.
func shorten(s string, n int) string {
	short := cut(s, n)
	if len(short) == len(s) {
		return s
	}
	words := 0
	for i := len(short); i > 0; {
		r, size := utf8.DecodeLastRuneInString(short[:i])
		next, _ := utf8.DecodeRuneInString(s[i:])
		switch {
		case strings.ContainsRune(ends, r) && unicode.IsSpace(next):
			return short[:i]
		case words == 0 && unicode.IsSpace(next) && !unicode.IsSpace(r):
			words = i
		}
		i -= size
	}
	if words > 0 {
		return short[:words]
	}
	return short
}

// cut leaves the first n characters of s.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
