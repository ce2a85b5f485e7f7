package iam

import (
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything:at/all", true},
		{"**", "", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "é", true},
		{"?", "ab", false},
		{"??", "é", false},
		{"a?c", "abc", true},
		{"a*c", "ac", true},
		{"a*c", "abcbc", true},
		{"a*c", "abcb", false},
		{"*?", "", false},
		{"*?é", "日本é", true},
		{"*??xy", "日xy", false},
		{"a*b*c", "a-b-b-c", true},
		{"*.*.*", "1.2", false},
		{"connect:describe*", "connect:describeuser", true},
		{"connect:*user*", "connect:describeuserhierarchygroup", true},
		{"connect:describe", "connect:describeuser", false},
		{"\\*", "\\x", true},
		{"?", "\xff", true},
		{"a", "\xff", false},
	} {
		if got := match(compilePattern(c.pattern), c.text); got != c.want {
			t.Errorf("match(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

// A matcher that tries every way to split the text among the wildcards would
// not return in the lifetime of the test.
func TestMatchIsNotExponential(t *testing.T) {
	pattern := compilePattern(strings.Repeat("a*", 1000) + "b")
	if match(pattern, strings.Repeat("a", 3000)) {
		t.Error("matched a text without a b")
	}
	resource := compilePattern("arn:aws:connect:*:*:" + strings.Repeat("a*", 500) + "b")
	if matchResource(resource, "arn:aws:connect:"+strings.Repeat("a:", 500)) {
		t.Error("matched a resource without a b")
	}
}

func TestMatchARN(t *testing.T) {
	const queue = "arn:aws:connect:us-east-1:123456789012:instance/i/queue/q"
	for _, c := range []struct {
		pattern, arn string
		want         bool
	}{
		{queue, queue, true},
		{"*", queue, true},
		{"arn:aws:connect:*:*:*", queue, true},
		{"arn:aws:connect:us-*-1:1234????9012:instance/*/queue/?", queue, true},
		{"arn:aws:connect:us-east-1:*", queue, false},
		{"arn:*:instance/i/queue/q", queue, false},
		{"arn:aws:connect:us-east-1:123456789012:INSTANCE/i/queue/q", queue, false},
		{"arn:aws:connect:*:*:view/*", "arn:aws:connect:us-east-1:aws:view/v:1", true},
		{"arn:aws:iam:*:*:*", "arn:aws:iam::123456789012:user/a", true},
		{"arn:aws:iam::*:*", "not an arn", false},
		// The example of "Amazon Resource Name (ARN) condition operators".
		{
			"arn:aws:someservice:*:111122223333:finance/*",
			"arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
			false,
		},
	} {
		if got := matchARN(compilePattern(c.pattern), c.arn); got != c.want {
			t.Errorf("matchARN(%q, %q) = %v", c.pattern, c.arn, got)
		}
	}
}

func TestMatchResource(t *testing.T) {
	for _, c := range []struct {
		pattern, resource string
		want              bool
	}{
		{"*", "*", true},
		{"*", "arn:aws:s3:::b", true},
		{"arn:aws:connect:*:*:*", "*", false},
		{"arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/2/test/3/object.jpg", true},
		{"arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b//test/object.jpg", true},
		{"arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/test/", true},
		{"arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1-test/object.jpg", false},
		{"arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/test/object.jpg", false},
		{"arn:aws:s3:::b/*/test/*", "arn:aws:s3:::b/1/2/test.jpg", false},
		// Colons of the last field.
		{"arn:aws:connect:*:*:instance/i/contact-flow/f:?SAVED", "arn:aws:connect:r:1:instance/i/contact-flow/f:$SAVED", true},
		{"arn:aws:connect:*:*:instance/*", "arn:aws:connect:r:1:instance/i/contact-flow/f:$SAVED", true},
		// A * that ends a field goes over colons, others and ? do not.
		{"arn:aws:connect:*:end", "arn:aws:connect:r:1:x:end", false}, // four fields are no resource pattern
		{"arn:aws:connect:*:1:end", "arn:aws:connect:r:s:1:end", true},
		{"arn:aws:connect:*:1:end", "arn:aws:connect:r:s:2:end", false},
		{"arn:aws:connect:*:1*:e*d", "arn:aws:connect:r:2:13:s:1:1:end", true},
		{"arn:aws:connect:r*s:1:end", "arn:aws:connect:r:s:1:end", false},
		{"arn:aws:connect:?:1:end", "arn:aws:connect:r:1:end", true},
		{"arn:aws:connect:r?s:1:end", "arn:aws:connect:r:s:1:end", false},
		{"arn:aws:connect:a*:1:end", "arn:aws:connect:b:a:1:end", false},
	} {
		if got := matchResource(compilePattern(c.pattern), c.resource); got != c.want {
			t.Errorf("matchResource(%q, %q) = %v", c.pattern, c.resource, got)
		}
	}
}

// element is one character of a pattern for the reference matcher.
type element struct {
	literal rune
	one     bool
	run     bool
	noColon bool // the wildcard does not cover a colon
}

// referenceMatch decides by a table of which prefixes of the pattern match
// which prefixes of the text.
func referenceMatch(pattern []element, text []rune) bool {
	row := make([]bool, len(text)+1)
	row[0] = true
	for _, e := range pattern {
		next := make([]bool, len(text)+1)
		for i := range next {
			if e.run {
				next[i] = row[i] || i > 0 && next[i-1] && !(e.noColon && text[i-1] == ':')
				continue
			}
			if i > 0 && row[i-1] {
				next[i] = e.one && !(e.noColon && text[i-1] == ':') || !e.one && e.literal == text[i-1]
			}
		}
		row = next
	}
	return row[len(text)]
}

func elements(pattern string) []element {
	var es []element
	for _, r := range pattern {
		es = append(es, element{literal: r, one: r == '?', run: r == '*'})
	}
	return es
}

// resourceElements says of every wildcard whether it covers colons: those of
// the sixth field do, and a * that ends a field.
func resourceElements(pattern string) []element {
	es := elements(pattern)
	colons := 0
	for i := range es {
		if es[i].literal == ':' {
			colons++
		}
		endsField := i == len(es)-1 || es[i+1].literal == ':'
		es[i].noColon = colons < arnFields-1 && !(es[i].run && endsField)
	}
	return es
}

func FuzzWildcard(f *testing.F) {
	for _, s := range [][2]string{
		{"a*b?c", "aXXbYc"},
		{"*?*é", "日é"},
		{"arn:aws:connect:*:1*:e*d", "arn:aws:connect:r:2:13:s:1:1:end"},
		{"arn:*:c:?*:*a:*:x", "arn:b:c:d:a:a:e:x"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		pattern, text = strings.ToValidUTF8(pattern, "�"), strings.ToValidUTF8(text, "�")
		if len(pattern)*len(text) > 1<<14 {
			t.Skip("the reference would take too long")
		}
		compiled, runes := compilePattern(pattern), []rune(text)
		if got, want := match(compiled, text), referenceMatch(elements(pattern), runes); got != want {
			t.Errorf("match(%q, %q) = %v", pattern, text, got)
		}
		// A pattern of a Resource element has six fields.
		arn := "arn:aws:connect:*:*:" + pattern
		if strings.Count(pattern, ":") >= arnFields-1 {
			arn = pattern
		}
		want := referenceMatch(resourceElements(arn), runes)
		if got := matchResource(compilePattern(arn), text); got != want {
			t.Errorf("matchResource(%q, %q) = %v", arn, text, got)
		}
	})
}
