package datatables

import (
	"errors"
	"math"
	"strings"
	"time"

	"ringdown/internal/domain"
)

// function is one that expressions may call. It takes min to max arguments, any
// number when max is -1.
type function struct {
	min, max int
	// apply is given the values of the arguments.
	apply func(e *evaluator, args []any) (any, error)
	// lazy, in place of apply, computes only those arguments that it needs.
	lazy func(e *evaluator, s *schema, args []node) (any, error)
}

// functions are those of the AWS admin guide, "Create and configure data
// tables", Data table expressions. What the page leaves open is as in
// spreadsheets (docs/divergences.md). They are filled at the start, for some
// compute expressions, which parse looks up here.
var functions map[string]function

func init() {
	functions = map[string]function{
		"LOOKUP":  {min: 1, max: -1, lazy: lookup},
		"XLOOKUP": {min: 2, max: -1, lazy: xlookup},
		"ALOOKUP": {min: 5, max: -1, lazy: alookup},

		"IF":       {min: 3, max: 3, lazy: choose},
		"IFERROR":  {min: 2, max: 2, lazy: ifError},
		"AND":      {min: 1, max: -1, lazy: func(e *evaluator, s *schema, args []node) (any, error) { return all(e, s, args, true) }},
		"OR":       {min: 1, max: -1, lazy: func(e *evaluator, s *schema, args []node) (any, error) { return all(e, s, args, false) }},
		"COALESCE": {min: 1, max: -1, lazy: coalesce},
		"HOOP":     {min: 3, max: 4, lazy: hoop},

		"NOT": {min: 1, max: 1, apply: func(_ *evaluator, args []any) (any, error) {
			b, err := truth(args[0])
			return !b, err
		}},
		"EQ":  compared("="),
		"GT":  compared(">"),
		"GTE": compared(">="),
		"LT":  compared("<"),
		"LTE": compared("<="),

		"ADD":      {min: 1, max: -1, apply: func(_ *evaluator, args []any) (any, error) { return fold(args, 0, "+") }},
		"SUM":      {min: 1, max: -1, apply: func(_ *evaluator, args []any) (any, error) { return fold(args, 0, "+") }},
		"MULTIPLY": {min: 1, max: -1, apply: func(_ *evaluator, args []any) (any, error) { return fold(args, 1, "*") }},
		"SUBTRACT": {min: 2, max: 2, apply: func(_ *evaluator, args []any) (any, error) { return calculate("-", args[0], args[1]) }},
		"DIVIDE":   {min: 2, max: 2, apply: func(_ *evaluator, args []any) (any, error) { return calculate("/", args[0], args[1]) }},

		"CEILING":   {min: 1, max: 2, apply: stepped(math.Ceil)},
		"FLOOR":     {min: 1, max: 2, apply: stepped(math.Floor)},
		"ROUND":     {min: 1, max: 2, apply: rounded(math.Round)},
		"ROUNDUP":   {min: 1, max: 2, apply: rounded(func(n float64) float64 { return math.Copysign(math.Ceil(math.Abs(n)), n) })},
		"ROUNDDOWN": {min: 1, max: 2, apply: rounded(math.Trunc)},

		"CONCAT": {min: 1, max: -1, apply: func(_ *evaluator, args []any) (any, error) { return strings.Join(texts(args), ""), nil }},
		"JOIN": {min: 2, max: -1, apply: func(_ *evaluator, args []any) (any, error) {
			return strings.Join(texts(args[1:]), domain.FormatDataTableValue(args[0])), nil
		}},
		"TEXT":   {min: 1, max: 2, apply: asText},
		"NUMBER": {min: 1, max: 1, apply: func(_ *evaluator, args []any) (any, error) { return as(typeNumber, args[0]) }},
		"BOOLEAN": {min: 1, max: 1, apply: func(_ *evaluator, args []any) (any, error) {
			if s, ok := args[0].(string); ok {
				args = []any{strings.ToLower(s)}
			}
			return as(typeBoolean, args[0])
		}},
		"INDEX": {min: 2, max: 2, apply: index},

		"NOW":     {apply: func(e *evaluator, _ []any) (any, error) { return e.now.In(e.zone).Format(time.RFC3339), nil }},
		"HOUR":    dated(func(t time.Time) int { return t.Hour() }),
		"MINUTE":  dated(func(t time.Time) int { return t.Minute() }),
		"SECOND":  dated(func(t time.Time) int { return t.Second() }),
		"DAY":     dated(func(t time.Time) int { return t.Day() }),
		"MONTH":   dated(func(t time.Time) int { return int(t.Month()) }),
		"YEAR":    dated(func(t time.Time) int { return t.Year() }),
		"WEEKDAY": dated(func(t time.Time) int { return int(t.Weekday()) + 1 }), // from Sunday, 1
	}
}

// evalError is why an expression has no value. What goes wrong in the store or
// elsewhere in the server is none.
type evalError struct {
	why string
	// invalid is set when there is a value, but not one that the attribute takes.
	invalid bool
}

func (e evalError) Error() string { return e.why }

func unable(why string) error { return evalError{why: why} }

func unfit(why string) error { return evalError{why: why, invalid: true} }

func truth(v any) (bool, error) {
	if b, ok := v.(bool); ok {
		return b, nil
	}
	return false, unable("a boolean is needed")
}

func number(v any) (float64, error) {
	if n, ok := v.(float64); ok {
		return n, nil
	}
	return 0, unable("a number is needed")
}

// texts are values as texts, and those of lists item by item.
func texts(args []any) []string {
	var out []string
	for _, a := range args {
		switch a := a.(type) {
		case []string:
			out = append(out, a...)
		case []float64:
			for _, n := range a {
				out = append(out, domain.FormatDataTableValue(n))
			}
		default:
			out = append(out, domain.FormatDataTableValue(a))
		}
	}
	return out
}

func choose(e *evaluator, s *schema, args []node) (any, error) {
	v, err := e.compute(s, args[0])
	if err != nil {
		return nil, err
	}
	b, err := truth(v)
	if err != nil {
		return nil, err
	}
	if b {
		return e.compute(s, args[1])
	}
	return e.compute(s, args[2])
}

func ifError(e *evaluator, s *schema, args []node) (any, error) {
	v, err := e.compute(s, args[0])
	if _, failed := errors.AsType[evalError](err); failed {
		return e.compute(s, args[1])
	}
	return v, err
}

// all is AND, which ends with the first argument that is not true, or OR, with
// the first that is.
func all(e *evaluator, s *schema, args []node, want bool) (any, error) {
	for _, a := range args {
		v, err := e.compute(s, a)
		if err != nil {
			return nil, err
		}
		if b, err := truth(v); err != nil || b != want {
			return b, err
		}
	}
	return want, nil
}

// coalesce returns the first argument that is not empty; the last, if all are.
func coalesce(e *evaluator, s *schema, args []node) (v any, err error) {
	for _, a := range args {
		if v, err = e.compute(s, a); err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case string:
			if v != "" {
				return v, nil
			}
		case []string:
			if len(v) > 0 {
				return v, nil
			}
		case []float64:
			if len(v) > 0 {
				return v, nil
			}
		default:
			return v, nil
		}
	}
	return v, nil
}

func compared(op string) function {
	return function{min: 2, max: 2, apply: func(_ *evaluator, args []any) (any, error) { return compare(op, args[0], args[1]) }}
}

// fold adds or multiplies numbers, and those of lists.
func fold(args []any, n float64, op string) (any, error) {
	var v any = n
	for _, a := range args {
		list, isList := a.([]float64)
		if !isList {
			one, err := number(a)
			if err != nil {
				return nil, err
			}
			list = []float64{one}
		}
		for _, each := range list {
			var err error
			if v, err = calculate(op, v, each); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// pair reads a number and a second one, which may be absent.
func pair(args []any, absent float64) (a, b float64, err error) {
	if a, err = number(args[0]); err != nil {
		return 0, 0, err
	}
	if b = absent; len(args) > 1 {
		b, err = number(args[1])
	}
	return a, b, err
}

// stepped rounds to a multiple of a factor.
func stepped(round func(float64) float64) func(*evaluator, []any) (any, error) {
	return func(_ *evaluator, args []any) (any, error) {
		n, factor, err := pair(args, 1)
		if err != nil {
			return nil, err
		}
		if factor == 0 {
			return nil, unable("the factor is 0")
		}
		return finite(round(n/factor) * factor)
	}
}

// maxPlaces is how many decimal places rounding may keep, or digits before the
// point it may clear.
const maxPlaces = 15

// rounded rounds to a number of decimal places.
func rounded(round func(float64) float64) func(*evaluator, []any) (any, error) {
	return func(_ *evaluator, args []any) (any, error) {
		n, places, err := pair(args, 0)
		if err != nil {
			return nil, err
		}
		if places != math.Trunc(places) || math.Abs(places) > maxPlaces {
			return nil, unable("the number of places is out of range")
		}
		scale := math.Pow(10, math.Abs(places))
		if places < 0 {
			return finite(round(n/scale) * scale)
		}
		return finite(round(n*scale) / scale)
	}
}

func finite(n float64) (any, error) {
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return nil, unable("the result is not a number")
	}
	return n, nil
}

// index returns the item of a list at a position, the first at 1.
func index(_ *evaluator, args []any) (any, error) {
	position, err := number(args[1])
	if err != nil {
		return nil, err
	}
	i := int(position) - 1
	switch list := args[0].(type) {
	case []string:
		if i >= 0 && i < len(list) {
			return list[i], nil
		}
	case []float64:
		if i >= 0 && i < len(list) {
			return list[i], nil
		}
	default:
		return nil, unable("a list is needed")
	}
	return nil, unable("the list has no such position")
}

// dated is a function of a date and time in ISO 8601, or of now, on the clocks
// of the time zone.
func dated(of func(time.Time) int) function {
	return function{max: 1, apply: func(e *evaluator, args []any) (any, error) {
		t := e.now
		if len(args) > 0 {
			var err error
			if t, err = e.time(args[0]); err != nil {
				return nil, err
			}
		}
		return float64(of(t.In(e.zone))), nil
	}}
}

// time reads a date and time; without an offset, it is one of the time zone.
func (e *evaluator) time(v any) (time.Time, error) {
	s, _ := v.(string)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, e.zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, unable("a date and time is needed")
}

// asText writes a number, in a format if one is given.
func asText(_ *evaluator, args []any) (any, error) {
	if len(args) == 1 {
		return domain.FormatDataTableValue(args[0]), nil
	}
	n, err := number(args[0])
	if err != nil {
		return nil, err
	}
	format, _ := args[1].(string)
	return formatNumber(n, format)
}
