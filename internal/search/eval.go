package search

import (
	"cmp"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// eval returns the rows that match q, which has been checked. Rows outside of
// within, unless it is nil, do not matter: they may be in the answer or not.
func (s *segment) eval(q Query, within *roaring.Bitmap) rowset {
	switch q := q.(type) {
	case And:
		return s.evalAnd(q, within)
	case Or:
		return s.evalOr(q, within)
	case Text:
		return s.evalText(q, within)
	case Key:
		return s.evalKey(q)
	case Number:
		return s.evalTerms(fieldKey{classNumber, q.Field}, func(term []byte) bool {
			n := parseNumber(term)
			return (q.Min <= n && n <= q.Max) != q.Not
		})
	case TupleMatch:
		return s.evalTerms(fieldKey{classTuple, q.Field}, func(term []byte) bool {
			return q.Match(parseTuple(term))
		})
	case Tag:
		if q.AnyValue {
			if p := s.tagKeys[q.Key]; p != nil {
				return p.rows()
			}
			return none()
		}
		return s.evalTerm(fieldKey{class: classTag}, tagTerm(q.Key, q.Value))
	default: // All and nil
		return rowset{bm: s.live, shared: true}
	}
}

// evalAnd evaluates what is cheap first: what costs more then has fewer rows
// to look at.
func (s *segment) evalAnd(qs And, within *roaring.Bitmap) rowset {
	if len(qs) == 0 {
		return rowset{bm: s.live, shared: true}
	}
	order := slices.Clone(qs)
	slices.SortStableFunc(order, func(a, b Query) int { return cmp.Compare(cost(a), cost(b)) })
	found := s.eval(order[0], within)
	for _, q := range order[1:] {
		if found.bm.IsEmpty() {
			break
		}
		found = found.and(s.eval(q, found.bm))
	}
	return found
}

func cost(q Query) int {
	switch q := q.(type) {
	case And, Or:
		return 1
	case TupleMatch, Number:
		return 2
	case Text:
		if q.Op != Exact {
			return 3
		}
	}
	return 0
}

func (s *segment) evalOr(qs Or, within *roaring.Bitmap) rowset {
	if len(qs) == 0 {
		return none()
	}
	found := s.eval(qs[0], within)
	for _, q := range qs[1:] {
		found = found.or(s.eval(q, within))
	}
	return found
}

func (s *segment) evalText(q Text, within *roaring.Bitmap) rowset {
	f := s.fields[fieldKey{classText, q.Field}]
	if f == nil {
		return none()
	}
	text := strings.ToLower(q.Value)
	if q.Op == Exact {
		return f.rowsWithValue(text)
	}
	if !f.many.IsEmpty() {
		within = nil // its rows are not the numbers of values
	}
	return f.rowsWithValues(f.matching(text, q.Op == Prefix, within), s.rows)
}

func (s *segment) evalTerm(k fieldKey, term string) rowset {
	f := s.fields[k]
	if f == nil {
		return none()
	}
	return f.rowsWithValue(term)
}

func (s *segment) evalKey(q Key) rowset {
	f := s.fields[fieldKey{classKey, q.Field}]
	if f == nil {
		return none()
	}
	if len(q.Values) == 1 {
		return f.rowsWithValue(keyTerm(q.Values[0]))
	}
	vs := make([]uint32, 0, len(q.Values))
	for _, value := range q.Values {
		if v, ok := f.values.find(keyTerm(value)); ok {
			vs = append(vs, v)
		}
	}
	slices.Sort(vs) // a bitmap is made faster of numbers in order
	return f.rowsWithValues(rowset{bm: roaring.BitmapOf(vs...)}, s.rows)
}

// evalTerms returns the rows with a term that ok accepts. It calls ok for each
// distinct term of the field.
func (s *segment) evalTerms(k fieldKey, ok func([]byte) bool) rowset {
	f := s.fields[k]
	if f == nil {
		return none()
	}
	var vs []uint32
	for it := f.live.Iterator(); it.HasNext(); {
		if v := it.Next(); ok(f.values.value(v)) {
			vs = append(vs, v)
		}
	}
	return f.rowsWithValues(rowset{bm: roaring.BitmapOf(vs...)}, s.rows)
}
