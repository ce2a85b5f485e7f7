package search

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// Keys, numbers, tuples and tags are kept as the values of a field in these
// forms.

// keyTerm packs a UUID, as most ids are, into the half of its length. Every
// other key stays as it is, behind a mark that keeps the two apart.
func keyTerm(key string) string {
	if len(key) != 36 || key[8] != '-' || key[13] != '-' || key[18] != '-' || key[23] != '-' {
		return "=" + key
	}
	packed := make([]byte, 0, 17)
	packed = append(packed, '#')
	for i := 0; i < len(key); i += 2 {
		if key[i] == '-' {
			i++
		}
		hi, lo := hexDigit(key[i]), hexDigit(key[i+1])
		if hi|lo > 0xf {
			return "=" + key
		}
		packed = append(packed, hi<<4|lo)
	}
	return string(packed)
}

// hexDigit returns the value of a lower-case hexadecimal digit, 0xff for
// anything else.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	default:
		return 0xff
	}
}

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
	return Tuple{Name: string(name), Value: string(value), Level: parseNumber(term)}
}

func tagTerm(key, value string) string {
	b := binary.AppendUvarint(make([]byte, 0, 64), uint64(len(key)))
	b = append(b, key...)
	return string(append(b, value...))
}

func parsePair(term []byte) (first, second []byte) {
	n, w := binary.Uvarint(term)
	return term[w : w+int(n)], term[w+int(n):]
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
		terms = append(terms, TagTerm{Key: string(key), Value: string(value), Count: f.owners(v)})
	}
	slices.SortFunc(terms, func(a, b TagTerm) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
	return terms
}
