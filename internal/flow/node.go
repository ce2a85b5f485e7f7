package flow

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Node is a value of a JSON document that knows where it stands.
type Node struct {
	// Kind is that of the value's first token; jsontext's begin kinds stand for
	// objects and arrays.
	Kind jsontext.Kind
	// Text is the value of a string without quotes and escapes, and a number as
	// it is written.
	Text string
	// Members of an object, in the order of the document. A name may occur
	// twice.
	Members []Member
	// Items of an array.
	Items []*Node
	// Offset is where the value begins, in bytes.
	Offset int
}

// Member is one name and value of an object.
type Member struct {
	Name   string
	Offset int // of the name, in bytes
	Value  *Node
}

// Get returns the value of an object's member, the last if there are several;
// nil when n is nil, no object, or has none of that name.
func (n *Node) Get(name string) *Node {
	if n == nil {
		return nil
	}
	for _, m := range slices.Backward(n.Members) {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// String is the value of a string; "" when n is nil or no string.
func (n *Node) String() string {
	if n == nil || n.Kind != jsontext.KindString {
		return ""
	}
	return n.Text
}

func (n *Node) is(k jsontext.Kind) bool { return n != nil && n.Kind == k }

// maxDepth of arrays and objects within each other. The language itself needs
// a dozen; views take data of any shape.
const maxDepth = 100

// errTooDeep is the syntax error of a document that maxDepth refuses.
var errTooDeep = fmt.Errorf("it has more than %d arrays and objects within each other", maxDepth)

// parseJSON makes the tree of a document. On failure it says where, as an
// offset in bytes.
func parseJSON(content string) (root *Node, offset int, err error) {
	p := &parser{
		content: content,
		decoder: jsontext.NewDecoder(bytes.NewBufferString(content), jsontext.AllowDuplicateNames(true)),
	}
	root, err = p.value(0)
	if err == nil {
		end := int(p.decoder.InputOffset())
		if rest := strings.TrimLeft(content[end:], whiteSpace); rest != "" {
			return nil, len(content) - len(rest), errors.New("there is more after its end")
		}
		return root, 0, nil
	}
	offset = p.start()
	var syntactic *jsontext.SyntacticError
	switch {
	case strings.Trim(content, whiteSpace) == "":
		err = errors.New("it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		offset, err = len(content), errors.New("it ends too early")
	case errors.As(err, &syntactic):
		offset, err = int(syntactic.ByteOffset), syntactic.Err
	}
	return nil, min(offset, len(content)), err
}

const whiteSpace = " \t\r\n"

type parser struct {
	content string
	decoder *jsontext.Decoder
}

// start is where the next token begins.
func (p *parser) start() int {
	at := int(p.decoder.InputOffset())
	for at < len(p.content) && strings.IndexByte(whiteSpace+",:", p.content[at]) >= 0 {
		at++
	}
	return at
}

func (p *parser) value(depth int) (*Node, error) {
	n := &Node{Offset: p.start()}
	token, err := p.decoder.ReadToken()
	if err != nil {
		return nil, err
	}
	n.Kind = token.Kind()
	switch n.Kind {
	case jsontext.KindString, jsontext.KindNumber:
		n.Text = token.String()
		return n, nil
	case jsontext.KindBeginObject, jsontext.KindBeginArray:
		if depth == maxDepth {
			return nil, errTooDeep
		}
	default:
		return n, nil
	}
	for {
		k := p.decoder.PeekKind()
		if k == jsontext.KindEndObject || k == jsontext.KindEndArray {
			_, err := p.decoder.ReadToken()
			return n, err
		}
		if n.Kind == jsontext.KindBeginArray {
			item, err := p.value(depth + 1)
			if err != nil {
				return nil, err
			}
			n.Items = append(n.Items, item)
			continue
		}
		m := Member{Offset: p.start()}
		name, err := p.decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		m.Name = name.String()
		if m.Value, err = p.value(depth + 1); err != nil {
			return nil, err
		}
		n.Members = append(n.Members, m)
	}
}

// path leads to a node. It becomes text only when a problem needs it.
type path struct {
	parent *path
	name   string // of a member; "" for an item
	index  int
}

func (p *path) member(name string) *path { return &path{parent: p, name: name} }
func (p *path) item(index int) *path     { return &path{parent: p, index: index} }

// String is the path in the service's form: Actions[3].Parameters.Media.Uri.
func (p *path) String() string {
	if p == nil {
		return ""
	}
	var steps []*path
	for ; p != nil; p = p.parent {
		steps = append(steps, p)
	}
	var b strings.Builder
	for _, s := range slices.Backward(steps) {
		switch {
		case s.name == "":
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case b.Len() > 0:
			b.WriteString("." + shorten(s.name))
		default:
			b.WriteString(shorten(s.name))
		}
	}
	return b.String()
}

// shorten keeps a stranger's names from filling messages: a document of names
// alone would otherwise have messages of many times its length.
func shorten(s string) string {
	const most = 100
	if len(s) <= most {
		return s
	}
	end := most
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

// spot is a place in a document whose line and column are wanted.
type spot struct {
	offset  int
	problem *Problem
}

// locate fills in lines and columns in one pass over the document, however
// many spots there are. It sorts them.
func locate(content string, spots []spot) {
	slices.SortStableFunc(spots, func(a, b spot) int { return a.offset - b.offset })
	line, column, at := 1, 1, 0
	for _, s := range spots {
		for at < s.offset && at < len(content) {
			r, size := utf8.DecodeRuneInString(content[at:])
			at += size
			column++
			if r == '\n' {
				line, column = line+1, 1
			}
		}
		s.problem.Line, s.problem.Column = line, column
	}
}
