package flowtest

import (
	"encoding/json"
	"strconv"
	"strings"

	"ringdown/internal/flow/machine"
)

// dig follows names down from an object; nil where there is nothing.
func dig(v any, names ...string) any {
	for _, name := range names {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	return v
}

// word is a value below an object as text, without space around it.
func word(v any, names ...string) string { return strings.TrimSpace(machine.Text(dig(v, names...))) }

// number is a number that may be written as text.
func number(v any) (float64, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(machine.Text(v)), 64)
	return f, err == nil
}

// tree is a value that may have been written as a text of JSON.
func tree(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var inner any
	if d.Decode(&inner) != nil || d.More() {
		return v
	}
	return inner
}

// subset reports whether everything that is wanted is there. Lists must be
// equal item by item. Texts that name resources are equal if one is the ARN and
// the other the id of the same.
func subset(want, got any) bool {
	switch want := want.(type) {
	case nil:
		return true // nothing is wanted
	case map[string]any:
		o, ok := got.(map[string]any)
		for name, v := range want {
			value, there := o[name]
			if !there || !subset(v, value) {
				return false
			}
		}
		return ok
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i := range want {
			if !subset(want[i], list[i]) {
				return false
			}
		}
		return true
	default:
		return same(machine.Text(want), machine.Text(got))
	}
}

// same compares texts, truth values in any case, and ARNs with ids.
func same(a, b string) bool {
	if a == b || strings.EqualFold(a, b) && (strings.EqualFold(a, "true") || strings.EqualFold(a, "false")) {
		return true
	}
	if strings.HasPrefix(a, "arn:") == strings.HasPrefix(b, "arn:") || a == "" || b == "" {
		return false
	}
	return resource(a) == resource(b)
}

// resource is the last part of an ARN: an id, or the name of a function.
func resource(s string) string {
	if !strings.HasPrefix(s, "arn:") {
		return s
	}
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		return s[i+1:]
	}
	if _, name, ok := strings.Cut(s, ":function:"); ok {
		return name
	}
	return s
}
