package scim

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"
)

// The bounds of a filter: what is longer, or nested deeper, is no filter that a
// client has a use for.
const (
	maxFilter = 8 << 10
	maxDepth  = 32
)

// filter is a parsed filter (RFC 7644 §3.4.2.2). It is given a resource, or one
// value of a multi-valued attribute.
type filter interface {
	matches(v map[string]any) bool
}

type (
	and  struct{ left, right filter }
	or   struct{ left, right filter }
	not  struct{ of filter }
	some struct { // attr[filter]: one value of a multi-valued attribute, or a complex one
		at target
		of filter
	}
	compare struct {
		at   target
		op   operator
		want any       // string, bool or nil
		time time.Time // when the attribute is a dateTime
	}
)

type operator string

const (
	eq operator = "eq"
	ne operator = "ne"
	co operator = "co"
	sw operator = "sw"
	ew operator = "ew"
	gt operator = "gt"
	ge operator = "ge"
	lt operator = "lt"
	le operator = "le"
	pr operator = "pr"
)

func (f and) matches(v map[string]any) bool { return f.left.matches(v) && f.right.matches(v) }
func (f or) matches(v map[string]any) bool  { return f.left.matches(v) || f.right.matches(v) }
func (f not) matches(v map[string]any) bool { return !f.of.matches(v) }

func (f some) matches(v map[string]any) bool {
	for _, value := range valuesAt(v, target{schema: f.at.schema, attr: f.at.attr}) {
		if m, ok := value.(map[string]any); ok && f.of.matches(m) {
			return true
		}
		if s, ok := value.(string); ok && f.of.matches(map[string]any{"value": s}) {
			return true
		}
	}
	return false
}

// matches holds for a multi-valued attribute when it holds for one of the values
// (RFC 7644 §3.4.2.2).
func (f compare) matches(v map[string]any) bool {
	values := valuesAt(v, f.at)
	if f.op == pr {
		return len(values) > 0
	}
	if f.want == nil {
		return (len(values) == 0) == (f.op == eq)
	}
	if len(values) == 0 {
		return f.op == ne
	}
	for _, value := range values {
		if f.holds(value) {
			return true
		}
	}
	return false
}

func (f compare) holds(value any) bool {
	switch value := value.(type) {
	case bool:
		return (value == f.want) == (f.op == eq)
	case string:
		if f.at.leaf().kind == dateTime {
			at, err := time.Parse(time.RFC3339Nano, value)
			return err == nil && f.op.orders(at.Compare(f.time))
		}
		want, _ := f.want.(string)
		if !f.at.leaf().caseExact {
			value, want = strings.ToLower(value), strings.ToLower(want)
		}
		switch f.op {
		case co:
			return strings.Contains(value, want)
		case sw:
			return strings.HasPrefix(value, want)
		case ew:
			return strings.HasSuffix(value, want)
		default:
			return f.op.orders(strings.Compare(value, want))
		}
	default: // a complex value, of which no comparison is allowed
		return false
	}
}

// orders reports whether an order of value and constant is what op asks for.
func (op operator) orders(c int) bool {
	switch op {
	case eq:
		return c == 0
	case ne:
		return c != 0
	case gt:
		return c > 0
	case ge:
		return c >= 0
	case lt:
		return c < 0
	case le:
		return c <= 0
	default:
		return false
	}
}

// valuesAt are the values at a place of a resource, those of a multi-valued
// attribute one by one.
func valuesAt(v map[string]any, t target) []any {
	if t.ignored() {
		return nil
	}
	if t.schema != "" {
		v, _ = v[t.schema].(map[string]any)
		if t.attr == nil {
			if len(v) == 0 {
				return nil
			}
			return []any{v}
		}
	}
	found := list(v[t.attr.name])
	if t.sub == nil || t.attr.kind != compound {
		return found
	}
	var all []any
	for _, value := range found {
		if m, ok := value.(map[string]any); ok {
			all = append(all, list(m[t.sub.name])...)
		}
	}
	return all
}

// list is what a member holds as a list, whether or not it is one.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	case string:
		if v == "" { // equivalent to unassigned for pr (RFC 7644 §3.4.2.2, "non-empty")
			return nil
		}
	}
	return []any{v}
}

// parser reads filters and paths. Within brackets, in is the attribute before
// them.
type parser struct {
	text  string
	at    int
	depth int
	in    *attribute
}

// parseFilter reads a filter.
func parseFilter(s string) (filter, error) {
	p := &parser{text: s}
	if err := p.check(invalidFilter); err != nil {
		return nil, err
	}
	f, err := p.or()
	if err == nil && p.peek() != 0 {
		err = p.wrong("unexpected %q", p.rest())
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (p *parser) check(kind scimType) error {
	if len(p.text) > maxFilter {
		return bad(kind, "it is longer than %d bytes", maxFilter)
	}
	if !utf8.ValidString(p.text) {
		return bad(kind, "it is no UTF-8")
	}
	return nil
}

func (p *parser) wrong(format string, args ...any) error {
	f := bad(invalidFilter, format, args...)
	f.detail = "the filter is wrong: " + f.detail
	return f
}

// rest is what is left, shortened for messages.
func (p *parser) rest() string {
	s := p.text[p.at:]
	if len(s) > 20 {
		s = strings.ToValidUTF8(s[:20], "") + "…"
	}
	return s
}

// peek skips spaces and returns the next byte, 0 at the end.
func (p *parser) peek() byte {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	if p.at == len(p.text) {
		return 0
	}
	return p.text[p.at]
}

// take skips b if it comes next.
func (p *parser) take(b byte) bool {
	if p.peek() != b {
		return false
	}
	p.at++
	return true
}

// word reads a name or operator, without the brackets and parentheses around it.
func (p *parser) word() string {
	p.peek()
	from := p.at
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n()[]\"", p.text[p.at]) < 0 {
		p.at++
	}
	return p.text[from:p.at]
}

// takeWord skips a word if it comes next, whatever its case.
func (p *parser) takeWord(word string) bool {
	p.peek()
	from := p.at
	if strings.EqualFold(p.word(), word) {
		return true
	}
	p.at = from
	return false
}

// or reads terms of the lowest precedence; and binds closer, not closest
// (RFC 7644 §3.4.2.2, table 5).
func (p *parser) or() (filter, error) {
	left, err := p.and()
	for err == nil && p.takeWord("or") {
		var right filter
		right, err = p.and()
		left = or{left, right}
	}
	return left, err
}

func (p *parser) and() (filter, error) {
	left, err := p.term()
	for err == nil && p.takeWord("and") {
		var right filter
		right, err = p.term()
		left = and{left, right}
	}
	return left, err
}

func (p *parser) term() (filter, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.wrong("it is nested more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	from := p.at
	if p.takeWord("not") && p.peek() == '(' {
		f, err := p.group()
		return not{f}, err
	}
	p.at = from
	if p.peek() == '(' {
		return p.group()
	}
	at, err := p.path()
	if err != nil {
		return nil, err
	}
	if p.at < len(p.text) && p.text[p.at] == '[' {
		return p.some(at)
	}
	return p.comparison(at)
}

// group reads a filter in parentheses.
func (p *parser) group() (filter, error) {
	p.take('(')
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.take(')') {
		return nil, p.wrong("a parenthesis is not closed")
	}
	return f, nil
}

// path reads an attribute path.
func (p *parser) path() (target, error) {
	word := p.word()
	if word == "" {
		return target{}, p.wrong("an attribute is missing before %q", p.rest())
	}
	if p.in == nil {
		t, ok := resolve(word)
		if !ok || t.attr == nil {
			return target{}, p.wrong("there is no attribute %q", word)
		}
		return t, nil
	}
	t := target{attr: p.in.child(word)}
	if p.in.kind != compound && p.in.kind != ignored && strings.EqualFold(word, "value") {
		t.attr = &attribute{name: "value", kind: p.in.kind, caseExact: p.in.caseExact} // of a plain value
	}
	if t.attr == nil {
		t.attr = find(nowhere, word)
	}
	if t.attr == nil {
		return target{}, p.wrong("%s has no %q", p.in.name, word)
	}
	return t, nil
}

// some reads what follows attr: [filter], and maybe .sub with a comparison, as
// some clients have it: emails[type eq "work"].value eq "a@example.org".
func (p *parser) some(at target) (filter, error) {
	if p.in != nil || at.sub != nil {
		return nil, p.wrong("brackets are not allowed here: %q", p.rest())
	}
	inner, err := p.brackets(at.attr)
	if err != nil {
		return nil, err
	}
	if p.at == len(p.text) || p.text[p.at] != '.' {
		return some{at, inner}, nil
	}
	p.at++
	p.in = at.attr
	sub, err := p.path()
	if err == nil {
		var c filter
		c, err = p.comparison(sub)
		inner = and{inner, c}
	}
	p.in = nil
	return some{at, inner}, err
}

// brackets reads a filter in brackets, over the sub-attributes of a.
func (p *parser) brackets(a *attribute) (filter, error) {
	p.at++ // the bracket
	p.in = a
	defer func() { p.in = nil }()
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if !p.take(']') {
		return nil, p.wrong("a bracket is not closed")
	}
	return f, nil
}

// comparison reads an operator and its constant.
func (p *parser) comparison(at target) (filter, error) {
	word := p.word()
	c := compare{at: at, op: operator(strings.ToLower(word))}
	a := at.leaf()
	if a.returned == never {
		return nil, p.wrong("%s cannot be asked for", a.name)
	}
	switch c.op {
	case pr:
		return c, nil
	case eq, ne, co, sw, ew, gt, ge, lt, le:
	default:
		return nil, p.wrong("%q is no operator: expected eq, ne, co, sw, ew, gt, ge, lt, le or pr", word)
	}
	if a.kind == compound { // stands for its values (RFC 7643 §2.4)
		value := a.child("value")
		if value == nil {
			return nil, p.wrong("%s has parts: say which one", a.name)
		}
		c.at.sub, a = value, value
	}
	var err error
	if c.want, err = p.constant(); err != nil {
		return nil, err
	}
	return c, p.typed(&c, a)
}

// typed checks that the constant is of the attribute's type, and the operator
// one of it.
func (p *parser) typed(c *compare, a *attribute) error {
	switch want := c.want.(type) {
	case nil:
		if c.op != eq && c.op != ne {
			return p.wrong("null can be compared by eq and ne only")
		}
		return nil
	case string:
		switch a.kind {
		case ignored:
		case boolean:
			b, ok := readBool(want)
			if !ok {
				return p.wrong("%s is true or false", a.name)
			}
			c.want = b
		case dateTime:
			t, err := time.Parse(time.RFC3339Nano, want)
			if err != nil || c.op == co || c.op == sw || c.op == ew {
				return p.wrong("%s is compared with a time such as 2026-01-31T12:00:00Z by eq, ne, gt, ge, lt and le", a.name)
			}
			c.time = t
		default:
		}
	case bool:
		if a.kind != boolean && a.kind != ignored {
			return p.wrong("%s is no boolean", a.name)
		}
	default: // a number
		if a.kind != ignored {
			return p.wrong("%s is no number", a.name)
		}
	}
	if a.kind == boolean && c.op != eq && c.op != ne {
		return p.wrong("%s can be compared by eq and ne only", a.name)
	}
	return nil
}

// constant reads a JSON string, number, true, false or null (RFC 7644 §3.4.2.2,
// compValue).
func (p *parser) constant() (any, error) {
	from := p.at
	if p.peek() != '"' {
		word := p.word()
		var v any
		if err := json.Unmarshal([]byte(strings.ToLower(word)), &v); err != nil || word == "" || strings.ContainsAny(word[:1], "{[") {
			p.at = from
			return nil, p.wrong("expected a value in quotes, a number, true, false or null at %q", p.rest())
		}
		return v, nil
	}
	from = p.at
	for p.at++; p.at < len(p.text) && p.text[p.at] != '"'; p.at++ {
		if p.text[p.at] == '\\' {
			p.at++
		}
	}
	if p.at >= len(p.text) {
		p.at = from
		return nil, p.wrong("a quotation mark is missing at %q", p.rest())
	}
	p.at++
	var s string
	if err := json.Unmarshal([]byte(p.text[from:p.at]), &s); err != nil {
		p.at = from
		return nil, p.wrong("%q is no JSON string", p.rest())
	}
	return s, nil
}

// readBool reads a boolean that was sent as text: Entra ID sends "True" and
// "False".
func readBool(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "true":
		return true, true
	case "false":
		return false, true
	default:
		return false, false
	}
}
