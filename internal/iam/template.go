package iam

import (
	"errors"
	"fmt"
	"strings"
)

// template is a string of a policy, some of whose parts come from the request:
// `arn:aws:s3:::home/${aws:username}/*` or "${aws:PrincipalTag/team, 'none'}".
// IAM User Guide, "IAM policy elements: Variables and tags".
type template struct {
	head      string // what precedes the first variable
	variables []variable
}

// variable is one ${…} of a template and the text up to the next one.
type variable struct {
	key         string // as normalizeKey returns it
	fallback    string // the value when the request has none
	hasFallback bool
	tail        string
}

// syntax says which notations of a policy string have a meaning.
type syntax struct {
	variables bool // ${…}: from version 2012-10-17 on
	wildcards bool // `*` and `?`
}

// parseTemplate compiles text. With wildcards, what expand returns is a
// pattern; without, it is plain text.
func parseTemplate(text string, in syntax) (template, error) {
	var (
		t       template
		literal strings.Builder
	)
	flush := func() {
		if n := len(t.variables); n > 0 {
			t.variables[n-1].tail = literal.String()
		} else {
			t.head = literal.String()
		}
		literal.Reset()
	}
	for text != "" {
		if in.variables && strings.HasPrefix(text, "${") {
			if special := specialCharacter(text); special != 0 {
				literal.WriteByte(special)
				text = text[len("${*}"):]
				continue
			}
			v, rest, err := parseVariable(text)
			if err != nil {
				return template{}, err
			}
			flush()
			t.variables = append(t.variables, v)
			text = rest
			continue
		}
		switch c := text[0]; {
		case in.wildcards && c == '*':
			literal.WriteByte(anyRun)
		case in.wildcards && c == '?':
			literal.WriteByte(anyOne)
		default:
			literal.WriteByte(c)
		}
		text = text[1:]
	}
	flush()
	return t, nil
}

// specialCharacter is the character that text begins by naming as ${*}, ${?}
// or ${$}, or 0.
func specialCharacter(text string) byte {
	if len(text) >= len("${*}") && text[3] == '}' && strings.IndexByte("*?$", text[2]) >= 0 {
		return text[2]
	}
	return 0
}

// parseVariable reads the ${key} or ${key, 'default'} that text begins with,
// and returns what follows it.
func parseVariable(text string) (v variable, rest string, err error) {
	body := text[len("${"):]
	end := strings.IndexAny(body, ",}")
	if end < 0 {
		return variable{}, "", fmt.Errorf("the policy variable %.60q is not closed by }", text)
	}
	v.key, err = normalizeKey(strings.TrimSpace(body[:end]))
	if err != nil {
		return variable{}, "", fmt.Errorf("policy variable: %w", err)
	}
	if body[end] == '}' {
		return v, body[end+1:], nil
	}
	quoted, opened := strings.CutPrefix(strings.TrimLeft(body[end+1:], " "), "'")
	fallback, after, closed := strings.Cut(quoted, "'")
	rest, braced := strings.CutPrefix(strings.TrimLeft(after, " "), "}")
	if !opened || !closed || !braced {
		return variable{}, "", fmt.Errorf("the default of the policy variable %.60q must be written ${key, 'default'}", text)
	}
	v.fallback, v.hasFallback = fallback, true
	return v, rest, nil
}

// expand returns the template with every variable replaced by its value, in
// which `*` and `?` are ordinary characters. It reports false when a variable
// has no value and no default: such a string equals and resembles nothing. IAM
// User Guide, "Policy variables with no value". A key with several values
// cannot be a variable (IAM User Guide, "Single-valued vs. multivalued context
// keys") and counts as one without a value.
func (t template) expand(ctx Context) (string, bool) {
	if len(t.variables) == 0 {
		return t.head, true
	}
	var b strings.Builder
	b.WriteString(t.head)
	for _, v := range t.variables {
		values, _ := ctx.Lookup(v.key)
		switch {
		case len(values) == 1 && values[0] != "":
			// A byte that is not UTF-8 could pose as a wildcard.
			b.WriteString(strings.ToValidUTF8(values[0], "\uFFFD"))
		case v.hasFallback:
			b.WriteString(v.fallback)
		default:
			return "", false
		}
		b.WriteString(v.tail)
	}
	return b.String(), true
}

// normalizeKey checks the name of a context key, "service:name" or
// "service:name/tag key", and returns it as Context.Lookup takes it.
func normalizeKey(key string) (string, error) {
	service, name, found := strings.Cut(key, ":")
	switch {
	case strings.ContainsAny(key, "${}"):
		return "", fmt.Errorf("%.60q: a context key cannot contain a policy variable", key)
	case !found || service == "" || name == "":
		return "", fmt.Errorf("%.60q is not a context key: the form is service:name", key)
	}
	name, tag, tagged := strings.Cut(key, "/")
	if !tagged {
		return strings.ToLower(key), nil
	}
	if tag == "" {
		return "", errors.New("the context key ends in / but names no tag")
	}
	return strings.ToLower(name) + "/" + tag, nil
}
