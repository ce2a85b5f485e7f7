package contract

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// A plan is the model's shapes joined with the SDK's Go types, compiled once
// for each bound operation.
type plan struct {
	root   *node
	typ    reflect.Type
	params []param // members of the top structure that are not in the body
}

// param is an input member in the path, the query or a header.
type param struct {
	*field
	location string // "uri", "querystring", "header"
	key      string // the label, query key or header
	label    int    // for uri: which label of the route
}

type nodeKind uint8

const (
	structureNode nodeKind = iota
	unionNode
	listNode
	mapNode
	stringNode
	integerNode
	floatNode
	boolNode
	timeNode
)

// node is one shape with the Go type that holds it.
type node struct {
	kind   nodeKind
	shape  *Shape
	typ    reflect.Type
	fields []field         // of a structure or union, by name
	byName map[string]int  // member name to its place in fields
	elem   *node           // of a list or map
	enum   map[string]bool // legal values, nil when any
	match  *pattern        // nil when any
	iso    bool            // timestamps as ISO 8601 instead of epoch seconds
}

// field is a member of a structure.
type field struct {
	name     string // in the model and on the wire
	index    int    // in the Go structure; in a union unused
	pointer  bool
	required bool
	body     bool         // false when it travels in path, query or header
	member   reflect.Type // in a union: the Go type that holds this member
	node     *node
}

type nodeKey struct {
	shape string
	typ   reflect.Type
}

type compiler struct {
	service  *Service
	nodes    map[nodeKey]*node
	patterns map[string]*pattern
}

// compilerOf returns the one compiler of a service: its operations share most
// of their shapes, and a pattern over Unicode classes compiles to megabytes.
func compilerOf(s *Service) *compiler {
	if s.compiler == nil {
		s.compiler = &compiler{service: s, nodes: map[nodeKey]*node{}, patterns: map[string]*pattern{}}
	}
	return s.compiler
}

// top compiles the plan of an input or output. A nil shape is an empty
// structure.
func (c *compiler) top(op *Operation, shape *Shape, typ reflect.Type) (*plan, error) {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if shape == nil {
		shape = &Shape{Name: op.Name, Type: "structure"}
	}
	root, err := c.compile(shape, typ)
	if err != nil {
		return nil, err
	}
	p := &plan{root: root, typ: typ}
	for i := range root.fields {
		f := &root.fields[i]
		ref := shape.Members[f.name]
		if ref.Location == "" {
			continue
		}
		q := param{field: f, location: ref.Location, key: ref.LocationName, label: -1}
		if ref.Location == "uri" {
			for at, l := range op.labels {
				if l == ref.LocationName {
					q.label = at
				}
			}
			if q.label < 0 {
				return nil, fmt.Errorf("member %s: no label {%s} in %s", f.name, q.key, op.URI)
			}
		}
		p.params = append(p.params, q)
	}
	return p, nil
}

func (c *compiler) compile(shape *Shape, typ reflect.Type) (*node, error) {
	key := nodeKey{shape.Name, typ}
	if n := c.nodes[key]; n != nil {
		return n, nil
	}
	n := &node{shape: shape, typ: typ}
	c.nodes[key] = n // before its members: shapes may be recursive
	err := c.fill(n)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", shape.Name, err)
	}
	return n, nil
}

var timeType = reflect.TypeFor[time.Time]()

func (c *compiler) fill(n *node) error {
	shape, typ := n.shape, n.typ
	wrong := func(want string) error { return fmt.Errorf("the Go type %s is no %s", typ, want) }
	switch shape.Type {
	case "structure":
		if shape.Union {
			n.kind = unionNode
			return c.fillUnion(n)
		}
		if typ.Kind() != reflect.Struct {
			return wrong("structure")
		}
		n.kind = structureNode
		return c.fillStructure(n)
	case "list":
		if typ.Kind() != reflect.Slice {
			return wrong("list")
		}
		n.kind = listNode
		var err error
		n.elem, err = c.compile(c.service.shapes[shape.Member.Shape], typ.Elem())
		return err
	case "map":
		if typ.Kind() != reflect.Map || typ.Key().Kind() != reflect.String {
			return wrong("map")
		}
		n.kind = mapNode
		var err error
		n.elem, err = c.compile(c.service.shapes[shape.Value.Shape], typ.Elem())
		if err != nil {
			return err
		}
		// The key's constraints are checked through a node of its own.
		keys, err := c.compile(c.service.shapes[shape.Key.Shape], typ.Key())
		n.fields = []field{{name: "key", node: keys}}
		return err
	case "string":
		if typ.Kind() != reflect.String {
			return wrong("string")
		}
		n.kind = stringNode
		if len(shape.Enum) > 0 {
			n.enum = make(map[string]bool, len(shape.Enum))
			for _, v := range shape.Enum {
				n.enum[v] = true
			}
		}
		if shape.Pattern != "" {
			// The patterns of query services, which are older, are those of whole
			// values: theirs have no anchors.
			p := c.patterns[shape.Pattern]
			if p == nil {
				var err error
				if p, err = compilePattern(shape.Pattern, c.service.Protocol == "query"); err != nil {
					return err
				}
				c.patterns[shape.Pattern] = p
			}
			n.match = p
		}
	case "integer", "long":
		if !typ.ConvertibleTo(reflect.TypeFor[int64]()) || typ.Kind() == reflect.String {
			return wrong("integer")
		}
		n.kind = integerNode
	case "float", "double":
		if typ.Kind() != reflect.Float32 && typ.Kind() != reflect.Float64 {
			return wrong("number")
		}
		n.kind = floatNode
	case "boolean":
		if typ.Kind() != reflect.Bool {
			return wrong("boolean")
		}
		n.kind = boolNode
	case "timestamp":
		if typ != timeType {
			return wrong("timestamp")
		}
		n.kind = timeNode
		n.iso = shape.TimestampFormat == "iso8601"
	default:
		return fmt.Errorf("unknown shape type %q", shape.Type)
	}
	return nil
}

func (c *compiler) fillStructure(n *node) error {
	required := map[string]bool{}
	for _, r := range n.shape.Required {
		required[r] = true
	}
	if len(n.shape.Members) > 64 {
		return fmt.Errorf("%d members, more than the decoder keeps track of", len(n.shape.Members))
	}
	n.byName = map[string]int{}
	for _, name := range n.shape.memberNames() {
		ref := n.shape.Members[name]
		goName := strings.ToUpper(name[:1]) + name[1:]
		sf, ok := n.typ.FieldByName(goName)
		if !ok || len(sf.Index) != 1 {
			return fmt.Errorf("the Go type %s has no field %s", n.typ, goName)
		}
		f := field{name: name, index: sf.Index[0], required: required[name], body: ref.Location == ""}
		typ := sf.Type
		if typ.Kind() == reflect.Pointer {
			f.pointer, typ = true, typ.Elem()
		}
		var err error
		if f.node, err = c.compile(c.service.shapes[ref.Shape], typ); err != nil {
			return fmt.Errorf("member %s: %w", name, err)
		}
		n.byName[name] = len(n.fields)
		n.fields = append(n.fields, f)
	}
	return nil
}

func (c *compiler) fillUnion(n *node) error {
	members, ok := unionMembers[n.typ]
	if !ok {
		return fmt.Errorf("union %s is not in unions_gen.go", n.typ)
	}
	n.byName = map[string]int{}
	for _, name := range n.shape.memberNames() {
		typ, ok := members[name]
		if !ok {
			return fmt.Errorf("union %s has no member %s in unions_gen.go", n.typ, name)
		}
		value, ok := typ.Elem().FieldByName("Value")
		if !ok {
			return fmt.Errorf("union member %s has no Value", typ)
		}
		elem, err := c.compile(c.service.shapes[n.shape.Members[name].Shape], value.Type)
		if err != nil {
			return fmt.Errorf("member %s: %w", name, err)
		}
		n.byName[name] = len(n.fields)
		n.fields = append(n.fields, field{name: name, member: typ, node: elem, body: true})
	}
	return nil
}
