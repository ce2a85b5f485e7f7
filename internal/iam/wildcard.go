package iam

import (
	"strings"
	"unicode/utf8"
)

// A pattern is a string in which the byte anyRun stands for any run of
// characters, an empty one included, and anyOne for exactly one character.
// Neither byte occurs in UTF-8, so the characters `*` and `?`, which policies
// can ask for literally as ${*} and ${?} and which the value of a variable may
// contain, need no escape. To the functions of package strings that take a set
// of characters, such as Trim, both bytes are the same invalid character, so
// patterns are only ever looked at byte by byte.
const (
	anyRun = '\xff'
	anyOne = '\xfe'

	// anything is the pattern that a lone `*` compiles to.
	anything = "\xff"
)

var wildcards = strings.NewReplacer("*", "\xff", "?", "\xfe")

// compilePattern turns every `*` and `?` of text, which is UTF-8, into a
// wildcard.
func compilePattern(text string) string {
	return wildcards.Replace(text)
}

// match reports whether the whole of text fits pattern. It never goes back
// further than the latest anyRun, because whatever an earlier one could swallow
// the latest one can swallow as well; hence no exponential search.
func match(pattern, text string) bool {
	p, t := 0, 0
	run, resume := -1, 0 // the latest anyRun, and where its run ends so far
	for t < len(text) {
		if p < len(pattern) {
			switch c := pattern[p]; c {
			case anyRun:
				if p == len(pattern)-1 {
					return true
				}
				run, resume = p, t
				p++
				continue
			case anyOne:
				p++
				t += firstLen(text[t:])
				continue
			case text[t]:
				p++
				t++
				continue
			}
		}
		if run < 0 {
			return false
		}
		resume += firstLen(text[resume:])
		p, t = run+1, resume
	}
	for p < len(pattern) && pattern[p] == anyRun {
		p++
	}
	return p == len(pattern)
}

// hasWildcard reports whether pattern is more than plain text.
func hasWildcard(pattern string) bool {
	return strings.IndexByte(pattern, anyRun) >= 0 || strings.IndexByte(pattern, anyOne) >= 0
}

// firstLen is the length in bytes of the first character of text; a byte that
// is not UTF-8 counts as a character.
func firstLen(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	return n
}

// arnFields is how many fields an ARN has; colons after the fifth belong to the
// last field. IAM User Guide, "Identify AWS resources with ARNs".
const arnFields = 6

// matchARN reports whether arn fits pattern field by field, so that a wildcard
// never reaches over one of the first five colons. IAM User Guide, "Condition
// operators", on ArnLike. The pattern `*` fits everything.
func matchARN(pattern, arn string) bool {
	if pattern == anything {
		return true
	}
	for range arnFields - 1 {
		patternField, patternRest, inPattern := strings.Cut(pattern, ":")
		field, rest, inARN := strings.Cut(arn, ":")
		if !inPattern || !inARN || !match(patternField, field) {
			return false
		}
		pattern, arn = patternRest, rest
	}
	return match(pattern, arn)
}

// matchResource reports whether resource fits a pattern of a Resource element.
// It works field by field like matchARN, except that an anyRun that ends a
// field may go on over colons. IAM User Guide, "IAM JSON policy elements:
// Resource": "If the * wildcard is the last character of a resource ARN
// segment, it can expand to match beyond the colon boundaries."
//
// As in match, only the latest field that can go on is ever tried again.
func matchResource(pattern, resource string) bool {
	if pattern == anything {
		return true
	}
	field := 1
	// Where to go on when a field does not fit: the field after the latest one
	// that can swallow more, and what of the resource that one left.
	retryField, retryPattern, retryRest := 0, "", ""
	for {
		if field == arnFields {
			if match(pattern, resource) {
				return true
			}
		} else {
			head, patternRest, inPattern := strings.Cut(pattern, ":")
			text, rest, inResource := strings.Cut(resource, ":")
			if inPattern && inResource && match(head, text) {
				field++
				pattern, resource = patternRest, rest
				if strings.HasSuffix(head, anything) {
					retryField, retryPattern, retryRest = field, pattern, resource
				}
				continue
			}
		}
		if retryField == 0 {
			return false
		}
		_, rest, found := strings.Cut(retryRest, ":")
		if !found {
			return false
		}
		retryRest = rest
		field, pattern, resource = retryField, retryPattern, retryRest
	}
}
