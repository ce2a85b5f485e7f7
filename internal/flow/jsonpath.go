package flow

import (
	"fmt"
	"strings"
)

// root is what may follow the root of a JSONPath.
type root uint8

const (
	leaf   root = iota + 1 // $.ContactId: nothing may follow
	branch                 // $.Attributes.name: something must
	either                 // $.Tags, $.Tags.name
)

// roots are the namespaces of contact and flow data: administrator guide,
// "List of available contact attributes and their JSONPath references".
var roots = map[string]root{
	"Attributes": branch, "External": branch, "FlowAttributes": branch, "Loop": branch, "LambdaInvocation": branch,
	"StoredCustomerInput": leaf,
	"CustomerEndpoint":    branch, "SystemEndpoint": branch, "AdditionalEmailRecipients": branch,
	"ContactId": leaf, "InitialContactId": leaf, "PreviousContactId": leaf, "RelatedContactId": leaf, "Task": branch,
	"CustomerId": leaf, "AwsRegion": leaf, "Channel": leaf, "InitiationMethod": leaf, "InstanceARN": leaf,
	"LanguageCode": leaf, "TextToSpeechVoiceId": leaf, "Name": leaf, "Description": leaf,
	"References": branch, "Tags": either, "SegmentAttributes": branch,
	"Queue": branch, "Agent": branch, "Metrics": branch, "Capabilities": branch,
	"Lex": branch, "Media": branch, "MediaStreams": branch, "Email": branch,
	"Customer": branch, "Case": branch, "Views": branch, "Wisdom": branch,
	"DataTables": branch, "DataTableList": branch, "Modules": branch,
}

// moduleRoot is what a module was called with.
const moduleRoot = "Module"

// reference is a JSONPath in a text.
type reference struct {
	start, end int
	root       string
	more       bool // something follows the root
	quotes     int  // bytes at either end that are not the path's
}

// references finds the JSONPaths in a text. A dollar sign that no name follows
// is text: "$.50".
func references(s string) []reference {
	var all []reference
	for from := 0; ; {
		i := strings.Index(s[from:], "$.")
		if i < 0 {
			return all
		}
		start := from + i
		end := name(s, start+2)
		if from = end; end == start+2 {
			continue
		}
		ref := reference{start: start, root: s[start+2 : end]}
		for next := step(s, end); next > end; next = step(s, end) {
			end, ref.more = next, true
		}
		ref.end, from = end, end
		all = append(all, ref.unquoted(s))
	}
}

// unquoted takes the backticks around a path to a list of rows as part of it:
// the administrator guide, "Data Table", has such paths written so.
func (r reference) unquoted(s string) reference {
	if r.root == "DataTableList" && r.start > 0 && s[r.start-1] == '`' && r.end < len(s) && s[r.end] == '`' {
		r.start, r.end, r.quotes = r.start-1, r.end+1, 1
	}
	return r
}

// name is where the name that begins at i ends. It begins with a letter.
func name(s string, i int) int {
	for from := i; i < len(s); i++ {
		c := s[i]
		if !isLetter(c) && (i == from || !isDigit(c) && c != '-') {
			break
		}
	}
	return i
}

func isLetter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// step is where a step of a path that begins at i ends, i when there is none:
// .name, .0, ['a name'], .['a name'] or [0].
func step(s string, i int) int {
	at := i
	if at < len(s) && s[at] == '.' {
		at++
		end := at
		for end < len(s) && (isLetter(s[end]) || isDigit(s[end]) || strings.IndexByte("-#@", s[end]) >= 0) {
			end++
		}
		if end > at {
			return end
		}
	}
	if at >= len(s) || s[at] != '[' {
		return i
	}
	rest := s[at+1:]
	for _, quote := range []string{"'", `"`} {
		if inner, ok := strings.CutPrefix(rest, quote); ok {
			if end := strings.Index(inner, quote+"]"); end > 0 {
				return at + 1 + 1 + end + 2
			}
			return i
		}
	}
	end := 0
	for end < len(rest) && (isDigit(rest[end]) || rest[end] == '*') {
		end++
	}
	if end == 0 || end == len(rest) || rest[end] != ']' {
		return i
	}
	return at + 1 + end + 1
}

// badPath says why a JSONPath names nothing, "" when it may.
func badPath(r reference, typ Type) string {
	kind, known := roots[r.root]
	if r.root == moduleRoot {
		if typ != Module {
			return "$." + moduleRoot + " is only there in a module"
		}
		kind, known = branch, true
	}
	switch {
	case !known:
		return fmt.Sprintf("there is no $.%s", shorten(r.root))
	case kind == branch && !r.more:
		return fmt.Sprintf("$.%s alone is no value, name one of it", r.root)
	case kind == leaf && r.more:
		return fmt.Sprintf("$.%s has nothing below it", r.root)
	}
	return ""
}

// Path is a JSONPath in a text.
type Path struct {
	// Start and End bound it in the text, in bytes.
	Start, End int
	// Steps are the names after $, without quotes and brackets: an index is its
	// digits, [*] is "*".
	Steps []string
}

// Paths finds the JSONPaths in a text, in their order.
func Paths(text string) []Path {
	found := references(text)
	if len(found) == 0 {
		return nil
	}
	paths := make([]Path, len(found))
	for i, r := range found {
		p := Path{Start: r.start, End: r.end, Steps: []string{r.root}}
		for from := r.start + r.quotes + 2 + len(r.root); from < r.end-r.quotes; {
			to := step(text, from)
			s := strings.TrimPrefix(text[from:to], ".")
			if inner, bracketed := strings.CutPrefix(s, "["); bracketed {
				s = strings.TrimSuffix(inner, "]")
				if len(s) > 1 && (s[0] == '\'' || s[0] == '"') {
					s = s[1 : len(s)-1]
				}
			}
			p.Steps = append(p.Steps, s)
			from = to
		}
		paths[i] = p
	}
	return paths
}

// Alone reports whether the path is all of a text.
func (p Path) Alone(text string) bool { return p.Start == 0 && p.End == len(text) }
