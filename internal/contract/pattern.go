package contract

import (
	"fmt"
	"regexp"
	"strings"
)

// pattern is a constraint of a model compiled for Go. The models' expressions
// are Java's; the only thing they use that RE2 lacks is look-ahead at the very
// beginning ("^(?!aws:)…"), which splits off into conditions of its own, so
// matching stays linear in the length of the value.
type pattern struct {
	source string
	must   []*regexp.Regexp // (?=…): must match at the start
	mustnt []*regexp.Regexp // (?!…): must not match at the start
	rest   *regexp.Regexp
}

// compilePattern compiles an expression that must be found in a value or, with
// whole, must match all of it.
func compilePattern(source string, whole bool) (*pattern, error) {
	p := &pattern{source: source}
	rest := source
	anchor := ""
	if strings.HasPrefix(rest, "^") {
		anchor, rest = "^", rest[1:]
	}
	for strings.HasPrefix(rest, "(?!") || strings.HasPrefix(rest, "(?=") {
		end := closing(rest)
		if end < 0 {
			return nil, fmt.Errorf("pattern %q: unbalanced look-ahead", source)
		}
		re, err := regexp.Compile("^(?:" + javaSyntax(rest[3:end]) + ")")
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", source, err)
		}
		if rest[2] == '!' {
			p.mustnt = append(p.mustnt, re)
		} else {
			p.must = append(p.must, re)
		}
		rest = rest[end+1:]
		anchor = "^" // a leading look-ahead only makes sense at the start
	}
	rest = javaSyntax(rest)
	if whole {
		anchor, rest = "^", "(?:"+rest+")$"
	}
	re, err := regexp.Compile("(?s)" + anchor + rest)
	if err != nil {
		return nil, fmt.Errorf("pattern %q: %w", source, err)
	}
	p.rest = re
	return p, nil
}

// closing finds the parenthesis that closes the group s begins with.
func closing(s string) int {
	depth := 0
	inClass := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '[':
			inClass = true
		case ']':
			inClass = false
		case '(':
			if !inClass {
				depth++
			}
		case ')':
			if !inClass {
				if depth--; depth == 0 {
					return i
				}
			}
		}
	}
	return -1
}

var unicodeEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// javaSyntax rewrites the escapes that Java and RE2 spell differently.
func javaSyntax(s string) string {
	return unicodeEscape.ReplaceAllString(s, `\x{$1}`)
}

func (p *pattern) matches(s string) bool {
	for _, re := range p.must {
		if !re.MatchString(s) {
			return false
		}
	}
	for _, re := range p.mustnt {
		if re.MatchString(s) {
			return false
		}
	}
	return p.rest.MatchString(s)
}
