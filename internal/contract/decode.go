package contract

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"ringdown/internal/fault"
)

// Request is what an operation's input is read from.
type Request struct {
	Path   []string // decoded labels, from API.Match
	Query  url.Values
	Header http.Header
	Body   []byte
}

// maxDepth bounds the nesting of a body. The deepest legal input of the model
// that people write (search criteria) is far below it.
const maxDepth = 100

// maxProblems bounds how many broken rules one answer lists.
const maxProblems = 10

// Decode reads the input of the operation. The input is never nil: with an
// error it holds what could be read, so that a caller may still be told that
// it is not authorized rather than what is wrong with its request. The error
// is a SerializationException when the body is no JSON object, else an
// InvalidParameterException that names each member and the rule it breaks,
// under the exception that the operation declares.
func (op *Operation) Decode(r Request) (input any, err error) {
	v := reflect.New(op.in.typ)
	d := decoders.Get().(*decoder)
	defer d.release()
	d.problems = d.problems[:0]
	seen := d.params(op.in, v.Elem(), r)
	if err := d.body(op.in, v.Elem(), r.Body, seen); err != nil {
		return v.Interface(), err
	}
	if len(d.problems) > 0 {
		return v.Interface(), op.Fault(fault.New(fault.InvalidParameter, "%s", strings.Join(d.problems, "; ")))
	}
	return v.Interface(), nil
}

var decoders = sync.Pool{New: func() any {
	d := &decoder{}
	d.json = jsontext.NewDecoder(&d.source, jsontext.AllowDuplicateNames(true))
	return d
}}

// decoder reads one request.
type decoder struct {
	json     *jsontext.Decoder
	source   bytes.Reader
	problems []string
	depth    int
}

func (d *decoder) release() {
	d.source.Reset(nil)
	d.json.Reset(&d.source, jsontext.AllowDuplicateNames(true))
	decoders.Put(d)
}

// path is where in the input the decoder stands, innermost first.
type path struct {
	outer *path
	name  string
	index int // -1 when name counts
}

func (p *path) String() string {
	if p == nil {
		return "body"
	}
	var b strings.Builder
	p.write(&b)
	return b.String()
}

func (p *path) write(b *strings.Builder) {
	if p.outer != nil {
		p.outer.write(b)
	}
	switch {
	case p.index >= 0:
		fmt.Fprintf(b, "[%d]", p.index)
	case p.outer == nil:
		b.WriteString(p.name)
	default:
		b.WriteByte('.')
		b.WriteString(p.name)
	}
}

func (d *decoder) problem(p *path, format string, args ...any) {
	if len(d.problems) < maxProblems {
		d.problems = append(d.problems, p.String()+" "+fmt.Sprintf(format, args...))
	}
}

// params reads the members in path, query and headers, and returns which of
// the top structure's members were present.
func (d *decoder) params(p *plan, v reflect.Value, r Request) uint64 {
	var seen uint64
	for _, q := range p.params {
		var values []string
		switch q.location {
		case "uri":
			if q.label < len(r.Path) {
				values = r.Path[q.label : q.label+1]
			}
		case "querystring":
			values = r.Query[q.key]
		case "header":
			values = r.Header.Values(q.key)
		}
		if len(values) == 0 {
			continue
		}
		at := &path{name: q.name, index: -1}
		seen |= 1 << p.root.byName[q.name]
		target := v.Field(q.index)
		if q.node.kind == listNode {
			list := reflect.MakeSlice(q.node.typ, len(values), len(values))
			for i, s := range values {
				d.text(q.node.elem, list.Index(i), s, &path{outer: at, index: i})
			}
			target.Set(list)
			d.checkLength(q.node, len(values), at)
			continue
		}
		if q.pointer {
			target.Set(reflect.New(q.node.typ))
			target = target.Elem()
		}
		d.text(q.node, target, values[0], at)
	}
	return seen
}

// text reads a scalar that travels as text: in the path, the query or a
// header.
func (d *decoder) text(n *node, v reflect.Value, s string, at *path) {
	switch n.kind {
	case stringNode:
		if !utf8.ValidString(s) {
			d.problem(at, "must be valid UTF-8")
			return
		}
		d.setString(n, v, s, at)
	case integerNode:
		d.setInteger(n, v, s, at)
	case floatNode:
		d.setFloat(n, v, s, at)
	case boolNode:
		b, err := strconv.ParseBool(s)
		if err != nil {
			d.problem(at, "must be true or false")
			return
		}
		v.SetBool(b)
	case timeNode:
		if f, err := strconv.ParseFloat(s, 64); err == nil {
			d.setEpoch(v, f, at)
			return
		}
		for _, layout := range []string{time.RFC3339Nano, http.TimeFormat} {
			if t, err := time.Parse(layout, s); err == nil {
				v.Set(reflect.ValueOf(t.UTC()))
				return
			}
		}
		d.problem(at, "must be a timestamp")
	default:
		d.problem(at, "cannot be given here")
	}
}

// body reads the JSON body into the top structure. A returned error is one of
// syntax; rules broken are kept as problems.
func (d *decoder) body(p *plan, v reflect.Value, body []byte, seen uint64) error {
	if len(bytes.TrimSpace(body)) == 0 {
		d.missing(p.root, seen, nil)
		return nil
	}
	d.source.Reset(body)
	d.json.Reset(&d.source, jsontext.AllowDuplicateNames(true))
	d.depth = 0
	if k := d.json.PeekKind(); k != '{' {
		if k == 0 { // not even a token
			_, err := d.json.ReadToken()
			return notJSON(err)
		}
		return fault.New(fault.Serialization, "The request body must be a JSON object, not %s.", kindName(k))
	}
	if err := d.structure(p.root, v, nil, seen); err != nil {
		return notJSON(err)
	}
	if _, err := d.json.ReadToken(); !errors.Is(err, io.EOF) {
		return fault.New(fault.Serialization, "The request body has text after its JSON object.")
	}
	return nil
}

var errDepth = errors.New("nested too deeply")

// notJSON says what is wrong with a body that does not parse. The parser's own
// message may quote the body, which may hold a password, so only the position
// is told.
func notJSON(err error) error {
	var syntax *jsontext.SyntacticError
	switch {
	case errors.Is(err, errDepth):
		return fault.New(fault.Serialization, "The request body is nested deeper than %d levels.", maxDepth)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fault.New(fault.Serialization, "The request body is not complete JSON: it ends too early.")
	case errors.As(err, &syntax):
		return fault.New(fault.Serialization, "The request body is not valid JSON at byte %d.", syntax.ByteOffset)
	default:
		return fault.New(fault.Serialization, "The request body is not valid JSON.")
	}
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "a list"
	default:
		return "an object"
	}
}

// value reads the next JSON value into v.
func (d *decoder) value(n *node, v reflect.Value, at *path) error {
	kind := d.json.PeekKind()
	switch n.kind {
	case structureNode, unionNode, mapNode:
		if kind != '{' {
			return d.mismatch(kind, "an object", at)
		}
		switch n.kind {
		case structureNode:
			return d.structure(n, v, at, 0)
		case unionNode:
			return d.union(n, v, at)
		default:
			return d.mapping(n, v, at)
		}
	case listNode:
		if kind != '[' {
			return d.mismatch(kind, "a list", at)
		}
		return d.list(n, v, at)
	case boolNode:
		if kind != 't' && kind != 'f' {
			return d.mismatch(kind, "a boolean", at)
		}
		t, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		v.SetBool(t.Bool())
		return nil
	case stringNode:
		if kind != '"' {
			return d.mismatch(kind, "a string", at)
		}
		t, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		d.setString(n, v, t.String(), at)
		return nil
	case timeNode:
		if kind != '0' && kind != '"' {
			return d.mismatch(kind, "a timestamp in epoch seconds", at)
		}
		t, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		d.text(n, v, t.String(), at)
		return nil
	default:
		if kind != '0' {
			return d.mismatch(kind, "a number", at)
		}
		t, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		if n.kind == integerNode {
			d.setInteger(n, v, t.String(), at)
		} else {
			d.setFloat(n, v, t.String(), at)
		}
		return nil
	}
}

func (d *decoder) mismatch(got jsontext.Kind, want string, at *path) error {
	if got == 0 {
		_, err := d.json.ReadToken()
		return err
	}
	d.problem(at, "must be %s, not %s", want, kindName(got))
	return d.json.SkipValue()
}

// enter reads an opening token and counts the depth.
func (d *decoder) enter() error {
	if d.depth++; d.depth > maxDepth {
		return errDepth
	}
	_, err := d.json.ReadToken()
	return err
}

func (d *decoder) leave() error {
	d.depth--
	_, err := d.json.ReadToken()
	return err
}

// more reports whether the object or list at hand has another element. A
// syntax error is met by the caller's next read.
func (d *decoder) more(closing jsontext.Kind) bool {
	k := d.json.PeekKind()
	return k != closing && k != 0
}

func (d *decoder) structure(n *node, v reflect.Value, at *path, seen uint64) error {
	if err := d.enter(); err != nil {
		return err
	}
	for d.more('}') {
		t, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		name := t.String()
		i, known := n.byName[name]
		// Unknown members are ignored, as AWS does; null is as good as absent.
		if !known || !n.fields[i].body || d.json.PeekKind() == 'n' {
			if err := d.json.SkipValue(); err != nil {
				return err
			}
			continue
		}
		f := &n.fields[i]
		seen |= 1 << i
		target := v.Field(f.index)
		if f.pointer {
			target.Set(reflect.New(f.node.typ))
			target = target.Elem()
		}
		if err := d.value(f.node, target, &path{outer: at, name: f.name, index: -1}); err != nil {
			return err
		}
	}
	d.missing(n, seen, at)
	return d.leave()
}

func (d *decoder) missing(n *node, seen uint64, at *path) {
	for i := range n.fields {
		if n.fields[i].required && seen&(1<<i) == 0 {
			d.problem(&path{outer: at, name: n.fields[i].name, index: -1}, "is required")
		}
	}
}

func (d *decoder) union(n *node, v reflect.Value, at *path) error {
	if err := d.enter(); err != nil {
		return err
	}
	set := 0
	for d.more('}') {
		t, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		i, known := n.byName[t.String()]
		if !known || d.json.PeekKind() == 'n' {
			if err := d.json.SkipValue(); err != nil {
				return err
			}
			continue
		}
		f := &n.fields[i]
		set++
		member := reflect.New(f.member.Elem())
		if err := d.value(f.node, member.Elem().FieldByName("Value"), &path{outer: at, name: f.name, index: -1}); err != nil {
			return err
		}
		v.Set(member)
	}
	if set != 1 {
		names := make([]string, len(n.fields))
		for i := range n.fields {
			names[i] = n.fields[i].name
		}
		d.problem(at, "must have exactly one of %s", strings.Join(names, ", "))
	}
	return d.leave()
}

func (d *decoder) list(n *node, v reflect.Value, at *path) error {
	if err := d.enter(); err != nil {
		return err
	}
	list := reflect.MakeSlice(n.typ, 0, 4)
	zero := reflect.Zero(n.elem.typ)
	for i := 0; d.more(']'); i++ {
		list = reflect.Append(list, zero)
		here := path{outer: at, index: i}
		if err := d.value(n.elem, list.Index(i), &here); err != nil {
			return err
		}
	}
	v.Set(list)
	d.checkLength(n, list.Len(), at)
	return d.leave()
}

func (d *decoder) mapping(n *node, v reflect.Value, at *path) error {
	if err := d.enter(); err != nil {
		return err
	}
	keys := n.fields[0].node
	m := reflect.MakeMap(n.typ)
	for d.more('}') {
		t, err := d.json.ReadToken()
		if err != nil {
			return err
		}
		name := t.String()
		key := reflect.New(keys.typ).Elem()
		here := &path{outer: at, name: "key", index: -1}
		d.setString(keys, key, name, here)
		here.name = name
		if d.json.PeekKind() == 'n' {
			if err := d.json.SkipValue(); err != nil {
				return err
			}
			continue
		}
		value := reflect.New(n.elem.typ).Elem()
		if err := d.value(n.elem, value, here); err != nil {
			return err
		}
		m.SetMapIndex(key, value)
	}
	v.Set(m)
	d.checkLength(n, m.Len(), at)
	return d.leave()
}

// checkLength checks how many items a list or map has. The wording for too
// many is the service's own.
func (d *decoder) checkLength(n *node, length int, at *path) {
	if n.shape.Max != nil && length > int(*n.shape.Max) {
		d.problem(at, "must include at most %d items", int(*n.shape.Max))
	}
	if n.shape.Min != nil && length < int(*n.shape.Min) {
		d.problem(at, "must include at least %d items", int(*n.shape.Min))
	}
}

func (d *decoder) setString(n *node, v reflect.Value, s string, at *path) {
	v.SetString(s)
	if n.enum != nil {
		if !n.enum[s] {
			d.problem(at, "must be one of %s", strings.Join(n.shape.Enum, ", "))
		}
		return
	}
	if n.shape.Max != nil || n.shape.Min != nil {
		length := utf8.RuneCountInString(s)
		switch {
		case n.shape.Max != nil && length > int(*n.shape.Max):
			d.problem(at, "must have at most %d characters, it has %d", int(*n.shape.Max), length)
			return
		case n.shape.Min != nil && length < int(*n.shape.Min):
			d.problem(at, "must have at least %d characters, it has %d", int(*n.shape.Min), length)
			return
		}
	}
	if n.match != nil && !n.match.matches(s) {
		if words, ok := patternNames[n.shape.Name]; ok {
			d.problem(at, "%s", words)
		} else {
			d.problem(at, "must match the pattern %s", n.match.source)
		}
	}
}

func (d *decoder) setInteger(n *node, v reflect.Value, s string, at *path) {
	i, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		// 5.0 and 5e0 are integers in JSON's eyes.
		f, ferr := strconv.ParseFloat(s, 64)
		if ferr != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			d.problem(at, "must be an integer")
			return
		}
		i = int64(f)
	}
	if v.OverflowInt(i) {
		d.problem(at, "must be an integer of %d bits", v.Type().Bits())
		return
	}
	v.SetInt(i)
	d.checkRange(n, float64(i), at)
}

func (d *decoder) setFloat(n *node, v reflect.Value, s string, at *path) {
	f, err := strconv.ParseFloat(s, v.Type().Bits())
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		d.problem(at, "must be a number")
		return
	}
	v.SetFloat(f)
	d.checkRange(n, f, at)
}

func (d *decoder) checkRange(n *node, f float64, at *path) {
	minimum, maximum := n.shape.Min, n.shape.Max
	switch {
	case minimum != nil && maximum != nil && (f < *minimum || f > *maximum):
		d.problem(at, "must be between %v and %v", *minimum, *maximum)
	case minimum != nil && f < *minimum:
		d.problem(at, "must be at least %v", *minimum)
	case maximum != nil && f > *maximum:
		d.problem(at, "must be at most %v", *maximum)
	}
}

func (d *decoder) setEpoch(v reflect.Value, seconds float64, at *path) {
	// Years 0001 to 9999, what every client's calendar can hold.
	if math.IsNaN(seconds) || seconds < -62135596800 || seconds > 253402300799 {
		d.problem(at, "must be a timestamp in epoch seconds")
		return
	}
	v.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()))
}
