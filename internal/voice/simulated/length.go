package simulated

import (
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"ringdown/internal/contact"
)

// How long sounds take. No source: 15 characters a second is 150 to 180 words of
// English a minute, a brisk announcement (docs/divergences.md).
const (
	charactersPerSecond = 15
	// breakTime is a pause of SSML that does not say how long it is.
	breakTime = 500 * time.Millisecond
	// recordingTime is a recording whose length cannot be told.
	recordingTime = 3 * time.Second
)

// length is how long sounds take one after the other.
func (d *Dialer) length(sounds []contact.Sound) time.Duration {
	var all time.Duration
	for _, s := range sounds {
		switch {
		case s.Prompt != nil:
			all += d.recording(s.Prompt.URI)
		case s.Media != "":
			all += d.recording(s.Media)
		case s.SSML != "":
			all += spoken(s.SSML)
		default:
			all += reading(s.Text)
		}
	}
	return all
}

func (d *Dialer) recording(uri string) time.Duration {
	if d.opts.Length != nil {
		if length, known := d.opts.Length(d.ctx, uri); known {
			return length
		}
	}
	return recordingTime
}

// reading is how long a text takes to be read out.
func reading(text string) time.Duration {
	return time.Duration(utf8.RuneCountInString(strings.TrimSpace(text))) * time.Second / charactersPerSecond
}

var (
	tag        = regexp.MustCompile(`<[^>]*>`)
	breakTag   = regexp.MustCompile(`^<break\b`)
	breakAfter = regexp.MustCompile(`\btime\s*=\s*["']\s*\+?([0-9.]+m?s)\s*["']`)
	whitespace = regexp.MustCompile(`\s+`)
)

// spoken is how long SSML takes: its text, and its breaks (W3C, Speech Synthesis
// Markup Language 1.1, section 3.2.3).
func spoken(ssml string) time.Duration {
	var breaks time.Duration
	text := tag.ReplaceAllStringFunc(ssml, func(t string) string {
		if breakTag.MatchString(t) {
			length := breakTime
			if m := breakAfter.FindStringSubmatch(t); m != nil {
				if stated, err := time.ParseDuration(m[1]); err == nil {
					length = stated
				}
			}
			breaks += length
		}
		return " "
	})
	return breaks + reading(whitespace.ReplaceAllString(text, " "))
}
