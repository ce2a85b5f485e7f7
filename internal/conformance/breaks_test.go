package conformance

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// broken is a request in which one member breaks one rule of the model.
type broken struct {
	what string // the rule, for the name of the test
	path string // the member, as messages name it
	in   object
	// word is what the message must have beside the path.
	word string
	// secret must not be in the message.
	secret string
}

// breaks lists, for an operation, one request for each rule of each member of
// its input. All else in each request is legal, so the answer must be about
// that member alone.
func (w *world) breaks(t testing.TB, op *operation) []broken {
	t.Helper()
	b := breaker{world: w, builder: builder{world: w, t: t, op: op, how: everything}}
	in := w.build(t, op, everything)
	b.structure(place{set: func(v any) object { return v.(object) }}, w.model.input(op), in, nil)
	return b.list
}

type breaker struct {
	world   *world
	builder builder
	list    []broken
}

// place is a value's place in the input.
type place struct {
	path string
	// set returns the whole input with another value in this place.
	set func(v any) object
	// location is where it travels: "" for the body.
	location string
}

func (p place) member(name, location string, of object) place {
	path := name
	if p.path != "" {
		path = p.path + "." + name
	}
	return place{path: path, location: location, set: func(v any) object {
		changed := maps.Clone(of)
		changed[name] = v
		return p.set(changed)
	}}
}

func (p place) item(i int, of []any) place {
	return place{path: fmt.Sprintf("%s[%d]", p.path, i), location: p.location, set: func(v any) object {
		changed := slices.Clone(of)
		changed[i] = v
		return p.set(changed)
	}}
}

func (b *breaker) add(p place, what string, v any, word string) {
	b.list = append(b.list, broken{what: what, path: p.path, in: p.set(v), word: word})
}

func (b *breaker) structure(p place, s *shape, o object, within []string) {
	within = append(within[:len(within):len(within)], s.Name)
	names := s.names()
	if s.Union {
		b.add(p, "no member of the union", object{}, "exactly one of")
	}
	for _, name := range names {
		m := s.Members[name]
		shape := b.world.model.Shapes[m.Shape]
		if s.Union { // each member alone
			if b.builder.recurs(shape, within) {
				continue
			}
			o = object{name: b.builder.value(name, shape, within)}
		}
		v, built := o[name]
		if !built {
			continue // a shape within itself, whose rules are met further out
		}
		at := p.member(name, m.Location, o)
		if m.LocationName == bearer {
			continue // a token is missing or wrong in TestTokens: that is no question of form
		}
		if s.requires(name) && m.Location != "uri" {
			without := maps.Clone(o)
			delete(without, name)
			b.list = append(b.list, broken{what: "missing", path: at.path, in: p.set(without), word: "is required"})
			if m.Location == "" {
				b.add(at, "null", nil, "is required")
			}
		}
		b.value(at, shape, v, within)
	}
}

func (b *breaker) value(p place, s *shape, v any, within []string) {
	if p.location == "" {
		b.add(p, "wrong type", wrongType(s), "must be a")
	}
	switch s.Type {
	case "structure":
		b.structure(p, s, v.(object), within)
	case "list":
		b.listOf(p, s, v.([]any), within)
	case "map":
		b.mapOf(p, s, v.(object))
	case "string":
		b.text(p, s, v.(string))
	case "integer", "long", "float", "double":
		b.number(p, s)
	}
}

func wrongType(s *shape) any {
	switch s.Type {
	case "structure", "map":
		return []any{}
	case "list":
		return object{}
	case "string":
		return float64(5)
	case "timestamp":
		return true
	default:
		return "text"
	}
}

func (b *breaker) listOf(p place, s *shape, list []any, within []string) {
	if s.Max != nil {
		long := make([]any, int(*s.Max)+1)
		for i := range long {
			long[i] = list[0]
		}
		b.add(p, "too many items", long, fmt.Sprintf("must include at most %v items", *s.Max))
	}
	// In a query an empty list is an absent one.
	if s.Min != nil && *s.Min > 0 && p.location == "" {
		b.add(p, "too few items", []any{}, fmt.Sprintf("must include at least %v items", *s.Min))
	}
	b.value(p.item(0, list), b.world.model.Shapes[s.Member.Shape], list[0], within)
}

func (b *breaker) mapOf(p place, s *shape, o object) {
	key, value := b.world.model.Shapes[s.Key.Shape], b.world.model.Shapes[s.Value.Shape]
	var one any
	for _, one = range o {
		break
	}
	if s.Max != nil {
		long := object{}
		for i := range int(*s.Max) + 1 {
			long[fmt.Sprintf("key-%d", i)] = one
		}
		b.add(p, "too many items", long, fmt.Sprintf("must include at most %v items", *s.Max))
	}
	if s.Min != nil && *s.Min > 0 {
		b.add(p, "too few items", object{}, fmt.Sprintf("must include at least %v items", *s.Min))
	}
	// A key is broken under the path "key", a value under its key.
	b.text(place{path: p.path + ".key", set: func(k any) object { return p.set(object{k.(string): one}) }}, key, "key")
	for k, v := range o {
		b.value(p.member(k, "", o), value, v, nil)
	}
}

func (b *breaker) text(p place, s *shape, v string) {
	sensitive := func() {
		if s.Sensitive {
			last := &b.list[len(b.list)-1]
			last.secret = v
		}
	}
	if len(s.Enum) > 0 {
		b.add(p, "enum", "NO_SUCH_VALUE", "must be one of "+s.Enum[0])
		b.add(p, "enum in another case", mixedCase(s.Enum[0]), "must be one of "+s.Enum[0])
		return
	}
	if s.Max != nil {
		v = strings.Repeat("x", int(*s.Max)+1)
		b.add(p, "too long", v, fmt.Sprintf("must have at most %v characters, it has %d", *s.Max, len(v)))
		sensitive()
	}
	// An empty label would be another path.
	if s.Min != nil && *s.Min > 0 && p.location != "uri" {
		short := strings.Repeat("x", int(*s.Min)-1)
		b.add(p, "too short", short, fmt.Sprintf("must have at least %v characters, it has %d", *s.Min, len(short)))
	}
	// Nothing clashes with a pattern that takes everything.
	if s.Pattern != "" && examples[s.Name].clash != "" {
		v = examples[s.Name].clash
		b.add(p, "pattern", v, "")
		sensitive()
	}
}

// mixedCase changes the case of a value's last letter.
func mixedCase(s string) string {
	last := strings.LastIndexFunc(s, unicode.IsLetter)
	letter := s[last : last+1]
	if strings.ToLower(letter) == letter {
		return s[:last] + strings.ToUpper(letter) + s[last+1:]
	}
	return s[:last] + strings.ToLower(letter) + s[last+1:]
}

func (b *breaker) number(p place, s *shape) {
	if p.location != "" {
		b.add(p, "no number", "many", "must be a")
	}
	if s.Min != nil {
		b.add(p, "below the range", *s.Min-1, fmt.Sprint(*s.Min))
	}
	if s.Max != nil {
		word := fmt.Sprint(*s.Max)
		if *s.Max >= math.MaxInt64 { // beyond which there are no integers
			word = "must be an integer"
		}
		b.add(p, "above the range", *s.Max+1, word)
	}
	if s.Type == "integer" || s.Type == "long" {
		b.add(p, "a fraction", 1.5, "must be an integer")
	}
	if s.Type == "integer" {
		b.add(p, "beyond 32 bits", float64(1<<40), "must be ")
	}
}
