package catalog_test

import (
	"math"
	"testing"

	"ringdown/internal/catalog"
	"ringdown/internal/fault"
	"ringdown/internal/search"
)

func TestNumberQuery(t *testing.T) {
	low, high := 1.0, 2.0
	inf := math.Inf(1)
	for _, c := range []struct {
		comparison  string
		least, most *float64
		want        search.Query // nil for an InvalidParameterException
	}{
		{"RANGE", &low, &high, search.Number{Field: "f", Min: 1, Max: 2}},
		{"RANGE", &high, &low, nil},
		{"RANGE", &low, nil, nil},
		{"GREATER_OR_EQUAL", &low, &high, search.Number{Field: "f", Min: 1, Max: inf}},
		{"GREATER", &low, nil, search.Number{Field: "f", Min: math.Nextafter(1, inf), Max: inf}},
		{"GREATER", nil, &high, search.Number{Field: "f", Min: math.Nextafter(2, inf), Max: inf}},
		{"LESSER_OR_EQUAL", &low, &high, search.Number{Field: "f", Min: -inf, Max: 2}},
		{"LESSER", &low, nil, search.Number{Field: "f", Min: -inf, Max: math.Nextafter(1, -inf)}},
		{"EQUAL", &low, nil, search.Number{Field: "f", Min: 1, Max: 1}},
		{"NOT_EQUAL", &low, nil, search.Number{Field: "f", Min: 1, Max: 1, Not: true}},
		{"EQUAL", nil, nil, nil},
		{"", &low, nil, nil},
	} {
		got, err := catalog.NumberQuery("NumberCondition", "f", c.comparison, c.least, c.most)
		if got != c.want || (c.want == nil) != fault.Is(err, fault.InvalidParameter) {
			t.Errorf("%s: %v, %v; want %v", c.comparison, got, err, c.want)
		}
	}
}
