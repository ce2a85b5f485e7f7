package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Limits of a policy document.
const (
	// maxPolicyCharacters bounds a document without its white space: the quota
	// of a managed policy. IAM User Guide, "IAM and AWS STS quotas".
	maxPolicyCharacters = 6144
	// maxPolicyBytes bounds a document with its white space, as the
	// policyDocumentType of the IAM API does.
	maxPolicyBytes = 131072
)

type nodeKind string

const (
	objectNode  nodeKind = "an object"
	listNode    nodeKind = "a list"
	stringNode  nodeKind = "a string"
	numberNode  nodeKind = "a number"
	booleanNode nodeKind = "a Boolean"
	nullNode    nodeKind = "null"
)

// node is a JSON value that keeps the order of its members and, unlike what
// encoding/json decodes into, was refused when a name occurs twice in an
// object: of two Effect elements IAM accepts neither.
type node struct {
	kind    nodeKind
	text    string   // of a string, a number or a Boolean
	items   []node   // of a list
	members []member // of an object
}

type member struct {
	name  string
	value node
}

// get returns the member of that name; an object has at most one.
func (n node) get(name string) (node, bool) {
	for _, m := range n.members {
		if m.name == name {
			return m.value, true
		}
	}
	return node{}, false
}

// parseDocument reads a policy document as JSON, within its limits.
func parseDocument(doc []byte) (node, error) {
	if len(doc) > maxPolicyBytes {
		return node{}, fmt.Errorf("the document has %d bytes, more than %d", len(doc), maxPolicyBytes)
	}
	if !utf8.Valid(doc) {
		return node{}, errors.New("the document is not UTF-8")
	}
	characters := 0
	for _, r := range string(doc) {
		switch r {
		case ' ', '\t', '\r', '\n':
		default:
			characters++
		}
	}
	if characters > maxPolicyCharacters {
		return node{}, fmt.Errorf("the document has %d characters besides white space, more than %d", characters, maxPolicyCharacters)
	}
	if err := checkSyntax(doc); err != nil {
		return node{}, err
	}
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	return readNode(d, "")
}

// checkSyntax reports where doc stops being one JSON value.
func checkSyntax(doc []byte) error {
	var raw json.RawMessage
	err := json.Unmarshal(doc, &raw)
	if err == nil {
		return nil
	}
	syntaxError, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return fmt.Errorf("the document is not JSON: %w", err)
	}
	read := doc[:min(int(syntaxError.Offset), len(doc))]
	line := bytes.Count(read, []byte{'\n'}) + 1
	return fmt.Errorf("the document is not JSON: line %d: %w", line, err)
}

// readNode reads the next value of d, which has passed checkSyntax; its depth
// is bounded by maxPolicyCharacters. The path says where the value stands, as
// Statement[0].Condition.
func readNode(d *json.Decoder, path string) (node, error) {
	token, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch token := token.(type) {
	case json.Delim:
		if token == '[' {
			return readList(d, path)
		}
		return readObject(d, path)
	case string:
		return node{kind: stringNode, text: token}, nil
	case json.Number:
		return node{kind: numberNode, text: token.String()}, nil
	case bool:
		return node{kind: booleanNode, text: fmt.Sprint(token)}, nil
	default:
		return node{kind: nullNode}, nil
	}
}

func readList(d *json.Decoder, path string) (node, error) {
	n := node{kind: listNode}
	for d.More() {
		item, err := readNode(d, fmt.Sprintf("%s[%d]", path, len(n.items)))
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	_, err := d.Token()
	return n, err
}

func readObject(d *json.Decoder, path string) (node, error) {
	n := node{kind: objectNode}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return node{}, err
		}
		name, _ := token.(string)
		if seen[name] {
			return node{}, fmt.Errorf("%s: the key %.60q occurs twice", orDocument(path), name)
		}
		seen[name] = true
		inner := name
		if path != "" {
			inner = path + "." + name
		}
		value, err := readNode(d, inner)
		if err != nil {
			return node{}, err
		}
		n.members = append(n.members, member{name, value})
	}
	_, err := d.Token()
	return n, err
}

// orDocument names the place of a path, the empty one being the document.
func orDocument(path string) string {
	if path == "" {
		return "the document"
	}
	return path
}
