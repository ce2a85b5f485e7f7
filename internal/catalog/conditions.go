package catalog

import (
	"math"

	"ringdown/internal/fault"
	"ringdown/internal/search"
)

// NumberQuery is the query of a NumberCondition or DecimalCondition, whose name
// messages begin with. A comparison with one number takes it from least
// (MinValue) or, for the two LESSER ones, from most (MaxValue); which of them
// the service reads is not documented, so the other one does as well when it is
// the only one (docs/divergences.md).
func NumberQuery(condition, field, comparison string, least, most *float64) (search.Query, error) {
	q, err := NumberBounds(condition, comparison, least, most)
	if err != nil {
		return nil, err
	}
	q.Field = field
	return q, nil
}

// NumberBounds is NumberQuery without a field, for numbers that are part of
// something else.
func NumberBounds(condition, comparison string, least, most *float64) (search.Number, error) {
	if comparison == "RANGE" {
		if least == nil || most == nil || *least > *most {
			return search.Number{}, fault.New(fault.InvalidParameter, "%s: a RANGE needs a MinValue and a MaxValue that is not less", condition)
		}
		return search.Number{Min: *least, Max: *most}, nil
	}
	one := least
	if one == nil || most != nil && (comparison == "LESSER" || comparison == "LESSER_OR_EQUAL") {
		one = most
	}
	if one == nil {
		return search.Number{}, fault.New(fault.InvalidParameter, "%s: MinValue or MaxValue is required", condition)
	}
	q := search.Number{Min: math.Inf(-1), Max: math.Inf(1)}
	switch comparison {
	case "GREATER_OR_EQUAL":
		q.Min = *one
	case "GREATER":
		q.Min = math.Nextafter(*one, math.Inf(1))
	case "LESSER_OR_EQUAL":
		q.Max = *one
	case "LESSER":
		q.Max = math.Nextafter(*one, math.Inf(-1))
	case "EQUAL", "NOT_EQUAL":
		q.Min, q.Max, q.Not = *one, *one, comparison == "NOT_EQUAL"
	default:
		return search.Number{}, fault.New(fault.InvalidParameter, "%s: ComparisonType is required", condition)
	}
	return q, nil
}
