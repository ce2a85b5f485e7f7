package scim

import (
	"maps"
	"reflect"
	"slices"
	"strings"
)

// operation is one of a patch (RFC 7644 §3.5.2).
type operation struct {
	Op    string
	Path  string
	Value any
}

// The operations. Entra ID capitalises them.
const (
	add     = "add"
	replace = "replace"
	remove  = "remove"
)

// maxOperations bounds a patch.
const maxOperations = 1000

// place is what a path leads to: path[where].sub.
type place struct {
	target
	where filter // nil: all values
}

// parsePath reads the path of an operation (RFC 7644 §3.5.2, figure 7).
func parsePath(s string) (place, error) {
	p := &parser{text: s}
	if err := p.check(invalidPath); err != nil {
		return place{}, err
	}
	to, err := p.place()
	if err == nil && p.peek() != 0 {
		err = p.wrong("unexpected %q", p.rest())
	}
	if err != nil {
		f := failed(err)
		f.kind, f.detail = invalidPath, strings.Replace(f.detail, "the filter is wrong", "the path is wrong", 1)
		return place{}, f
	}
	return to, nil
}

func (p *parser) place() (place, error) {
	word := p.word()
	t, ok := resolve(word)
	if !ok {
		return place{}, p.wrong("there is no attribute %q", word)
	}
	to := place{target: t}
	if p.at == len(p.text) || p.text[p.at] != '[' {
		return to, nil
	}
	if t.attr == nil || t.sub != nil || !t.attr.multi && !t.ignored() {
		return place{}, p.wrong("%q has no values to choose from", word)
	}
	var err error
	if to.where, err = p.brackets(t.attr); err != nil {
		return place{}, err
	}
	if p.at == len(p.text) || p.text[p.at] != '.' {
		return to, nil
	}
	p.at++
	p.in = t.attr
	sub, err := p.path()
	p.in = nil
	to.sub = sub.attr
	return to, err
}

// patch carries out the operations in their order.
func patch(m map[string]any, ops []operation) error {
	if len(ops) == 0 || len(ops) > maxOperations {
		return bad(invalidSyntax, "Operations must have 1 to %d operations", maxOperations)
	}
	for i, o := range ops {
		if err := apply(m, o); err != nil {
			f := failed(err)
			if len(ops) > 1 {
				f.detail = "Operations[" + itoa(i) + "]: " + f.detail
			}
			return f
		}
	}
	return nil
}

func apply(m map[string]any, o operation) error {
	op := strings.ToLower(o.Op)
	if op != add && op != replace && op != remove {
		return bad(invalidSyntax, "op must be add, replace or remove")
	}
	if o.Path != "" {
		to, err := parsePath(o.Path)
		if err != nil {
			return err
		}
		return change(m, op, to, o.Value, true)
	}
	if op == remove {
		return bad(noTarget, "remove needs a path")
	}
	value, ok := o.Value.(map[string]any)
	if !ok {
		return bad(invalidValue, "an operation without a path needs an object as its value")
	}
	// Each member is an attribute; Entra ID has paths there as well. The order is
	// that of the names, so that the same patch always does the same.
	for _, key := range slices.Sorted(maps.Keys(value)) {
		to, err := parsePath(key)
		if err != nil {
			if strings.ContainsAny(key, "[.") && !strings.HasPrefix(strings.ToLower(key), "urn:") {
				return err
			}
			continue // an attribute that is not known, as in POST
		}
		if err := change(m, op, to, value[key], false); err != nil {
			return err
		}
	}
	return nil
}

// change carries out an operation at a place. Named says that the client named
// it, so that it must be told when nothing can be done there.
func change(m map[string]any, op string, to place, value any, named bool) error {
	if to.ignored() {
		return nil
	}
	if to.attr == nil {
		return changeExtension(m, op, to, value)
	}
	if leaf := to.leaf(); leaf.mutability == readOnly || to.attr.mutability == readOnly {
		if leaf.derived || !named {
			return nil
		}
		return bad(mutability, "%s cannot be changed", leaf.name)
	}
	in := m
	if to.schema != "" {
		in = within(m, to.schema)
	}
	switch {
	case to.attr.multi:
		return changeValues(in, op, to, value)
	case to.sub != nil:
		inner := within(in, to.attr.name)
		if op == remove {
			value = nil
		}
		return put(inner, to.sub, value)
	case op == remove:
		delete(in, to.attr.name)
		return nil
	case to.attr.kind == compound: // its parts are replaced one by one, by both
		v, err := typed(to.attr, value)
		if err != nil {
			return err
		}
		parts, _ := v.(map[string]any)
		maps.Copy(within(in, to.attr.name), parts)
		return nil
	default:
		return put(in, to.attr, value)
	}
}

// changeExtension changes all that is given of an extension.
func changeExtension(m map[string]any, op string, to place, value any) error {
	if op == remove {
		delete(m, to.schema)
		return nil
	}
	raw, ok := value.(map[string]any)
	if !ok {
		return bad(invalidValue, "%s must be an object", to.schema)
	}
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		a := find(extension, key)
		if a == nil {
			continue
		}
		if err := change(m, op, place{target: target{schema: to.schema, attr: a}}, raw[key], false); err != nil {
			return err
		}
	}
	return nil
}

// changeValues changes a multi-valued attribute.
func changeValues(in map[string]any, op string, to place, value any) error {
	a := to.attr
	values, _ := in[a.name].([]any)
	values = slices.Clone(values)
	var touched []int
	var err error
	switch {
	case to.where == nil && to.sub == nil:
		values, touched, err = wholeValues(a, op, values, value)
	default:
		values, touched, err = chosenValues(to, op, values, value)
	}
	if err != nil {
		return err
	}
	if err := onePrimary(a, values, touched); err != nil {
		return err
	}
	if len(values) == 0 {
		delete(in, a.name)
		return nil
	}
	in[a.name] = values
	return nil
}

// wholeValues is an operation on the attribute as a whole.
func wholeValues(a *attribute, op string, values []any, value any) (_ []any, touched []int, err error) {
	v, err := typed(a, value)
	if err != nil {
		return nil, nil, err
	}
	given, _ := v.([]any)
	switch {
	case op == replace:
		return given, nil, nil
	case op == remove && value == nil:
		return nil, nil, nil
	case op == remove: // Entra ID names the values to be removed instead of choosing them
		return slices.DeleteFunc(values, func(v any) bool {
			return slices.ContainsFunc(given, func(g any) bool { return covers(g, v) })
		}), nil, nil
	}
	for _, g := range given {
		// A value that is there already is not added again (RFC 7644 §3.5.2.1).
		i := slices.IndexFunc(values, func(v any) bool { return reflect.DeepEqual(v, g) })
		if i < 0 {
			i = len(values)
			values = append(values, g)
		}
		touched = append(touched, i)
	}
	return values, touched, nil
}

// covers reports whether all that g says is true of v.
func covers(g, v any) bool {
	parts, ok := g.(map[string]any)
	of, both := v.(map[string]any)
	if !ok || !both {
		return reflect.DeepEqual(g, v)
	}
	for name, part := range parts {
		if !reflect.DeepEqual(of[name], part) {
			return false
		}
	}
	return true
}

// chosenValues is an operation on some of the values, or on a part of all.
func chosenValues(to place, op string, values []any, value any) (_ []any, touched []int, err error) {
	a := to.attr
	for i, v := range values {
		if to.where == nil || to.where.matches(asObject(v)) {
			touched = append(touched, i)
		}
	}
	if len(touched) == 0 {
		fresh, err := missing(to, op, value)
		if err != nil || fresh == nil {
			return values, nil, err
		}
		values, touched = append(values, fresh), []int{len(values)}
	}
	if op == remove && to.sub == nil {
		return slices.DeleteFunc(values, func(v any) bool { return to.where.matches(asObject(v)) }), nil, nil
	}
	for _, i := range touched {
		if values[i], err = changeValue(a, to.sub, op, values[i], value); err != nil {
			return nil, nil, err
		}
	}
	if slices.Contains(values, nil) { // a value of which nothing is left
		return slices.DeleteFunc(values, func(v any) bool { return v == nil }), nil, nil
	}
	return values, touched, nil
}

// missing is what to begin with where no value is as the path says; nil when
// there is nothing to do. To replace makes a value as to add does, which Entra ID
// relies upon, where RFC 7644 §3.5.2.3 has it fail.
func missing(to place, op string, value any) (any, error) {
	a := to.attr
	none := bad(noTarget, "no value of %s is as the path says", a.name)
	fresh, ok := described(to.where)
	if !ok {
		return nil, none
	}
	if op == remove {
		if kind, ok := fresh["type"].(string); ok && !keeps(a, kind) {
			return nil, nil // it has been ignored, or become another type
		}
		return nil, none
	}
	leaf := to.leaf()
	if v, err := single(leaf, only(leaf, value)); v == nil || err != nil {
		return nil, err // there is nothing already
	}
	v, err := single(a, fresh)
	if v == nil && err == nil {
		v = map[string]any{}
	}
	return v, err
}

// keeps reports whether values of a type are shown as that type again.
func keeps(a *attribute, kind string) bool {
	of := a.child("type")
	return of == nil || slices.ContainsFunc(of.canonical, func(c string) bool { return strings.EqualFold(c, kind) })
}

// changeValue is a value after an operation on it or, with a sub-attribute, on
// a part of it. Nil is nothing.
func changeValue(a, sub *attribute, op string, v, value any) (any, error) {
	if sub == nil || a.kind != compound {
		if op == remove {
			return nil, nil
		}
		given, err := single(a, value)
		if parts, ok := given.(map[string]any); ok && op == add {
			all := maps.Clone(asObject(v))
			maps.Copy(all, parts)
			return all, err
		}
		return given, err
	}
	if op == remove {
		value = nil
	}
	all := maps.Clone(asObject(v))
	if err := put(all, sub, value); err != nil {
		return nil, err
	}
	if _, there := all["value"]; !there && sub.name == "value" {
		return nil, nil // an address or number without one is none
	}
	return all, nil
}

// asObject is a value of a multi-valued attribute as filters see it.
func asObject(v any) map[string]any {
	if m, ok := v.(map[string]any); ok {
		return m
	}
	return map[string]any{"value": v}
}

// described is the value that a filter describes, if it says nothing but what
// its parts are equal to. To add to emails[type eq "work"] when there is none
// makes one, which identity providers rely upon.
func described(f filter) (map[string]any, bool) {
	switch f := f.(type) {
	case nil:
		return map[string]any{}, true
	case and:
		left, ok := described(f.left)
		right, also := described(f.right)
		if !ok || !also {
			return nil, false
		}
		maps.Copy(left, right)
		return left, true
	case compare:
		return map[string]any{f.at.attr.name: f.want}, f.op == eq
	default:
		return nil, false
	}
}

// onePrimary has the values that were not touched give way to a new primary one
// (RFC 7644 §3.5.2).
func onePrimary(a *attribute, values []any, touched []int) error {
	primary := -1
	for _, i := range touched {
		if i >= len(values) || asObject(values[i])["primary"] != true {
			continue
		}
		if primary >= 0 {
			return bad(invalidValue, "%s: only one value may be the primary one", a.name)
		}
		primary = i
	}
	if primary < 0 {
		return nil
	}
	for i, v := range values {
		if m, ok := v.(map[string]any); ok && i != primary && m["primary"] == true {
			m = maps.Clone(m)
			delete(m, "primary")
			values[i] = m
		}
	}
	return nil
}
