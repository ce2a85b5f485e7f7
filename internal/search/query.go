package search

import (
	"fmt"
)

// Query is a condition on resources: one of All, And, Or, Text, Key, Number,
// TupleMatch and Tag, passed by value. A nil Query is All. A field that no
// resource has matches nothing.
//
// Evaluation recurses as deep as the query is nested; whoever builds queries
// from requests bounds the depth.
type Query interface{ isQuery() }

// All matches every resource.
type All struct{}

// And matches what all of its queries match; empty, it matches everything.
type And []Query

// Or matches what any of its queries matches; empty, it matches nothing.
type Or []Query

// TextOp says how a Text query compares.
type TextOp uint8

// The comparisons of a StringCondition (AWS API reference, StringCondition:
// EXACT, STARTS_WITH, CONTAINS).
const (
	Exact TextOp = iota
	Prefix
	Contains
)

// Text matches resources with a value of the text field that equals, starts
// with or contains Value. Both sides are folded with strings.ToLower, so case
// does not count and nothing else is normalised. An empty Value is a prefix
// and a part of every value, and equals the empty one.
type Text struct {
	Field string
	Op    TextOp
	Value string
}

// Key matches resources with any of Values among their terms of the key field.
// Case counts.
type Key struct {
	Field  string
	Values []string
}

// Number matches resources with a number of the field in [Min, Max]; with Not,
// those with a number of the field outside of it. A bound that does not count
// is an infinity, a strict one the neighbour that math.Nextafter gives. NaN is
// in no range.
type Number struct {
	Field    string
	Min, Max float64
	Not      bool
}

// TupleMatch matches resources with a tuple of the field that Match accepts.
// Match is called once for each distinct tuple, never concurrently, with the
// index locked for reading: it must not call the index.
type TupleMatch struct {
	Field string
	Match func(Tuple) bool
}

// Tag matches resources with the tag Key and, unless AnyValue is set, exactly
// Value. Case counts.
type Tag struct {
	Key, Value string
	AnyValue   bool
}

func (All) isQuery()        {}
func (And) isQuery()        {}
func (Or) isQuery()         {}
func (Text) isQuery()       {}
func (Key) isQuery()        {}
func (Number) isQuery()     {}
func (TupleMatch) isQuery() {}
func (Tag) isQuery()        {}

// check reports the first thing in q that cannot be evaluated. Such a thing is
// a mistake of the caller's code, not of a request.
func check(q Query) error {
	switch q := q.(type) {
	case nil, All, Key, Number, Tag:
		return nil
	case And:
		return checkEach(q)
	case Or:
		return checkEach(q)
	case Text:
		if q.Op > Contains {
			return fmt.Errorf("search: unknown text comparison %d on field %q", q.Op, q.Field)
		}
		return nil
	case TupleMatch:
		if q.Match == nil {
			return fmt.Errorf("search: tuple query on field %q has no Match", q.Field)
		}
		return nil
	default:
		return fmt.Errorf("search: %T is not a query", q)
	}
}

func checkEach(qs []Query) error {
	for _, q := range qs {
		if err := check(q); err != nil {
			return err
		}
	}
	return nil
}
