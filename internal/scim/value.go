package scim

import (
	"strings"
	"time"
)

// What clients send is brought to the names and types of the schema here.

// clean brings a resource to its form within this package. What is not in the
// schema, or has no place, is left out (RFC 7644 §3.3).
func clean(raw map[string]any) (map[string]any, error) {
	m := map[string]any{}
	for key, v := range raw {
		t, ok := resolve(key)
		if !ok || t.sub != nil || t.ignored() {
			continue
		}
		if t.attr == nil {
			inner, err := cleanExtension(v)
			if err != nil {
				return nil, err
			}
			if inner != nil {
				m[t.schema] = inner
			}
			continue
		}
		in := m
		if t.schema != "" {
			in = within(m, t.schema)
		}
		if err := put(in, t.attr, v); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// within is the object of an extension, made when it is not there.
func within(m map[string]any, schema string) map[string]any {
	inner, ok := m[schema].(map[string]any)
	if !ok {
		inner = map[string]any{}
		m[schema] = inner
	}
	return inner
}

func cleanExtension(v any) (map[string]any, error) {
	if v == nil {
		return nil, nil
	}
	raw, ok := v.(map[string]any)
	if !ok {
		return nil, bad(invalidValue, "%s must be an object", connectSchema)
	}
	return cleanParts(connectSchema, extension, raw)
}

// cleanParts brings an object to the attributes in list.
func cleanParts(of string, list []*attribute, raw map[string]any) (map[string]any, error) {
	m := map[string]any{}
	for key, v := range raw {
		a := find(list, key)
		if a == nil {
			continue
		}
		if err := put(m, a, v); err != nil {
			f := failed(err)
			f.detail = of + "." + f.detail
			return nil, f
		}
	}
	return m, nil
}

// put sets an attribute to what was sent, or takes it away when that is nothing.
func put(m map[string]any, a *attribute, v any) error {
	v, err := typed(a, v)
	if err != nil {
		return err
	}
	if v == nil {
		delete(m, a.name)
		return nil
	}
	m[a.name] = v
	return nil
}

// typed brings what was sent to the type of an attribute. Null, empty text and an
// empty list are nil: unassigned (RFC 7643 §2.5).
func typed(a *attribute, v any) (any, error) {
	if !a.multi {
		return single(a, only(a, v))
	}
	given, ok := v.([]any)
	if !ok && v != nil {
		given = []any{v} // one value, as some clients send it
	}
	var values []any
	primaries := 0
	for _, v := range given {
		value, err := single(a, v)
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		if m, ok := value.(map[string]any); ok && m["primary"] == true {
			primaries++
		}
		values = append(values, value)
	}
	if primaries > 1 {
		return nil, bad(invalidValue, "%s: only one value may be the primary one", a.name)
	}
	if len(values) == 0 {
		return nil, nil
	}
	return values, nil
}

// only is the value of a list of one, as some clients send it for an attribute
// that has one value: ["x"] or [{"value":"x"}]. An empty list is nothing.
func only(a *attribute, v any) any {
	given, ok := v.([]any)
	switch {
	case ok && len(given) == 0:
		return nil
	case !ok || len(given) > 1:
		return v
	}
	if m, ok := given[0].(map[string]any); ok && a.kind != compound {
		return m["value"]
	}
	return given[0]
}

// single is typed for one value.
func single(a *attribute, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch a.kind {
	case boolean:
		return booleanOf(a, v)
	case compound:
		return compoundOf(a, v)
	default:
		return textOf(a, v)
	}
}

func booleanOf(a *attribute, v any) (any, error) {
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		if b, ok := readBool(v); ok {
			return b, nil
		}
	}
	return nil, bad(invalidValue, "%s must be true or false", a.name)
}

// compoundOf takes a bare text for the value of an object that has one.
func compoundOf(a *attribute, v any) (any, error) {
	if s, ok := v.(string); ok && a.child("value") != nil {
		v = map[string]any{"value": s}
	}
	raw, ok := v.(map[string]any)
	if !ok {
		return nil, bad(invalidValue, "%s must be an object", a.name)
	}
	m, err := cleanParts(a.name, a.sub, raw)
	if err != nil || len(m) == 0 {
		return nil, err
	}
	return m, nil
}

// textOf takes the value of an object for a text.
func textOf(a *attribute, v any) (any, error) {
	if m, ok := v.(map[string]any); ok && a.multi {
		v = m["value"]
	}
	s, ok := v.(string)
	switch {
	case !ok:
		return nil, bad(invalidValue, "%s must be text", a.name)
	case s == "":
		return nil, nil
	case strings.ContainsRune(s, 0):
		return nil, bad(invalidValue, "%s has a NUL character", a.name)
	case a.kind == dateTime:
		if _, err := time.Parse(time.RFC3339Nano, s); err != nil {
			return nil, bad(invalidValue, "%s must be a time", a.name)
		}
	}
	return s, nil
}
