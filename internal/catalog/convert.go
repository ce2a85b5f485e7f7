package catalog

import "strconv"

// Map turns each element of a list into another; an empty list stays one, not
// nil, so that it is encoded as [].
func Map[A, B any](list []A, f func(A) B) []B {
	out := make([]B, len(list))
	for i, a := range list {
		out[i] = f(a)
	}
	return out
}

// Optional is nil for an empty string, for members that are absent then.
func Optional[S ~string](s S) *string {
	if s == "" {
		return nil
	}
	v := string(s)
	return &v
}

// Number is a number as a term of a KeyField, none when it is nil.
func Number(n *int32) []string {
	if n == nil {
		return nil
	}
	return []string{strconv.Itoa(int(*n))}
}

// Decimal is a number for what compares decimals, nil when it is nil.
func Decimal(n *int32) *float64 {
	if n == nil {
		return nil
	}
	v := float64(*n)
	return &v
}
