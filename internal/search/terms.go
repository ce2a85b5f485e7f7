package search

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// Numbers, tuples and tags are kept as the values of a field in these forms.

func numberTerm(n float64) string {
	return string(binary.BigEndian.AppendUint64(nil, math.Float64bits(n)))
}

func parseNumber(term []byte) float64 {
	return math.Float64frombits(binary.BigEndian.Uint64(term))
}

func tupleTerm(t Tuple) string {
	b := binary.BigEndian.AppendUint64(nil, math.Float64bits(t.Level))
	b = binary.AppendUvarint(b, uint64(len(t.Name)))
	b = append(b, t.Name...)
	return string(append(b, t.Value...))
}

func parseTuple(term []byte) Tuple {
	name, value := parsePair(term[8:])
	return Tuple{Name: name, Value: value, Level: parseNumber(term)}
}

func tagTerm(key, value string) string {
	b := binary.AppendUvarint(make([]byte, 0, 64), uint64(len(key)))
	b = append(b, key...)
	return string(append(b, value...))
}

func parsePair(term []byte) (first, second string) {
	n, w := binary.Uvarint(term)
	return string(term[w : w+int(n)]), string(term[w+int(n):])
}

func (s *segment) tagTerms() []TagTerm {
	f := s.fields[fieldKey{class: classTag}]
	if f == nil {
		return nil
	}
	terms := make([]TagTerm, 0, f.live.GetCardinality())
	for it := f.live.Iterator(); it.HasNext(); {
		v := it.Next()
		key, value := parsePair(f.values.value(v))
		terms = append(terms, TagTerm{Key: key, Value: value, Count: f.owners(v)})
	}
	slices.SortFunc(terms, func(a, b TagTerm) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
	return terms
}
