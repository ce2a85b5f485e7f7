package contract

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Encode appends the JSON of an operation's output to dst. Absent members
// (nil) are left out; numbers and booleans that the SDK types do not hold by
// pointer are always there, as AWS sends them.
func (op *Operation) Encode(dst []byte, output any) ([]byte, error) {
	v := reflect.ValueOf(output)
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return append(dst, "{}"...), nil
		}
		v = v.Elem()
	}
	if v.Type() != op.out.typ {
		return nil, fmt.Errorf("%s: output is a %s, want %s", op.Name, v.Type(), op.out.typ)
	}
	return op.out.root.encode(dst, v)
}

// encode appends v; the caller has followed pointers.
func (n *node) encode(dst []byte, v reflect.Value) ([]byte, error) {
	switch n.kind {
	case structureNode:
		return n.encodeStructure(dst, v)
	case unionNode:
		return n.encodeUnion(dst, v)
	case listNode:
		dst = append(dst, '[')
		var err error
		for i := range v.Len() {
			if i > 0 {
				dst = append(dst, ',')
			}
			if dst, err = n.elem.encode(dst, v.Index(i)); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case mapNode:
		return n.encodeMap(dst, v)
	case stringNode:
		return appendString(dst, v.String())
	case integerNode:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case floatNode:
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%s: %v has no JSON form", n.shape.Name, f)
		}
		return strconv.AppendFloat(dst, f, 'g', -1, n.typ.Bits()), nil
	case boolNode:
		return strconv.AppendBool(dst, v.Bool()), nil
	default:
		t := v.Interface().(time.Time)
		if n.iso {
			return append(t.UTC().AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.000Z"), '"'), nil
		}
		return appendEpoch(dst, t), nil
	}
}

// appendString writes a JSON string. Ids, ARNs and names, which are most of
// what is written, need no escapes and are copied as they are.
func appendString(dst []byte, s string) ([]byte, error) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return jsontext.AppendQuote(dst, s)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"'), nil
}

// appendEpoch writes seconds since 1970 with up to three decimals.
func appendEpoch(dst []byte, t time.Time) []byte {
	ms := t.UnixMilli()
	sec, frac := ms/1000, ms%1000
	if frac < 0 {
		sec, frac = sec-1, frac+1000
	}
	dst = strconv.AppendInt(dst, sec, 10)
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func (n *node) encodeStructure(dst []byte, v reflect.Value) ([]byte, error) {
	dst = append(dst, '{')
	first := true
	for i := range n.fields {
		f := &n.fields[i]
		fv := v.Field(f.index)
		if f.pointer {
			if fv.IsNil() {
				continue
			}
			fv = fv.Elem()
		} else if absent(f.node, fv) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(dst, '"')
		dst = append(dst, f.name...) // member names need no escapes
		dst = append(dst, '"', ':')
		var err error
		if dst, err = f.node.encode(dst, fv); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}

// absent reports whether a member that is not held by pointer has no value: a
// nil list, map or union, or an enum's zero.
func absent(n *node, v reflect.Value) bool {
	switch n.kind {
	case listNode, mapNode, unionNode:
		return v.IsNil()
	case stringNode:
		return v.Len() == 0
	default:
		return false
	}
}

func (n *node) encodeUnion(dst []byte, v reflect.Value) ([]byte, error) {
	held := v
	if held.Kind() == reflect.Interface {
		held = held.Elem()
	}
	for i := range n.fields {
		f := &n.fields[i]
		if f.member != held.Type() {
			continue
		}
		dst = append(dst, '{', '"')
		dst = append(dst, f.name...)
		dst = append(dst, '"', ':')
		dst, err := f.node.encode(dst, held.Elem().FieldByName("Value"))
		if err != nil {
			return nil, err
		}
		return append(dst, '}'), nil
	}
	return nil, fmt.Errorf("%s: %s is no member of the union", n.shape.Name, held.Type())
}

func (n *node) encodeMap(dst []byte, v reflect.Value) ([]byte, error) {
	dst = append(dst, '{')
	keys := make([]string, 0, v.Len())
	byKey := make(map[string]reflect.Value, v.Len())
	for it := v.MapRange(); it.Next(); {
		k := it.Key().String()
		keys = append(keys, k)
		byKey[k] = it.Value()
	}
	slices.Sort(keys)
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = appendString(dst, k); err != nil {
			return nil, err
		}
		dst = append(dst, ':')
		if dst, err = n.elem.encode(dst, byKey[k]); err != nil {
			return nil, err
		}
	}
	return append(dst, '}'), nil
}
