package contract

import (
	"fmt"
	"net/url"
	"strings"
)

// routes is a tree of path segments for each method. A literal is tried before
// a label, and a label takes one segment, except that an ARN whose slashes
// were not percent-encoded (some clients leave them bare) may take as many as
// it needs.
type routes struct {
	byMethod map[string]*routeNode
}

type routeNode struct {
	literals map[string]*routeNode
	label    *routeNode
	op       *Operation
}

func newRoutes() *routes { return &routes{byMethod: map[string]*routeNode{}} }

func (t *routes) add(op *Operation) error {
	node := t.byMethod[op.Method]
	if node == nil {
		node = &routeNode{}
		t.byMethod[op.Method] = node
	}
	for _, segment := range strings.Split(strings.Trim(op.URI, "/"), "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			op.labels = append(op.labels, strings.TrimSuffix(name, "}"))
			if node.label == nil {
				node.label = &routeNode{}
			}
			node = node.label
			continue
		}
		if node.literals == nil {
			node.literals = map[string]*routeNode{}
		}
		next := node.literals[segment]
		if next == nil {
			next = &routeNode{}
			node.literals[segment] = next
		}
		node = next
	}
	if node.op != nil {
		return fmt.Errorf("operations %s and %s share %s %s", node.op.Name, op.Name, op.Method, op.URI)
	}
	node.op = op
	return nil
}

// Match finds the operation of a method and an escaped path, and the decoded
// value of each label of its URI in order. A nil operation means that there is
// no such route.
func (a *API) Match(method, escapedPath string) (*Operation, []string) {
	node := a.routes.byMethod[method]
	if node == nil {
		return nil, nil
	}
	path := strings.TrimPrefix(escapedPath, "/")
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		return nil, nil
	}
	var segments [16]string
	parts := segments[:0]
	for path != "" || len(parts) == 0 {
		segment, rest, more := strings.Cut(path, "/")
		parts = append(parts, segment)
		if !more {
			break
		}
		if rest == "" {
			parts = append(parts, "")
			break
		}
		path = rest
	}
	if len(parts) > 32 {
		return nil, nil // longer than any route with an ARN in every label
	}
	return node.match(parts, nil)
}

func (n *routeNode) match(parts, values []string) (*Operation, []string) {
	if len(parts) == 0 {
		return n.op, values
	}
	if next := n.literals[parts[0]]; next != nil {
		if op, v := next.match(parts[1:], values); op != nil {
			return op, v
		}
	}
	if n.label == nil {
		return nil, nil
	}
	longest := 1
	if v, err := url.PathUnescape(parts[0]); err == nil && strings.HasPrefix(v, "arn:") {
		longest = len(parts)
	}
	for take := 1; take <= longest; take++ {
		v, err := url.PathUnescape(strings.Join(parts[:take], "/"))
		if err != nil || v == "" {
			continue
		}
		if op, vs := n.label.match(parts[take:], append(values[:len(values):len(values)], v)); op != nil {
			return op, vs
		}
	}
	return nil, nil
}
