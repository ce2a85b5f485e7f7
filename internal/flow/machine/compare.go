package machine

import (
	"strconv"
	"strings"
)

// Compare applies an operator of the flow language to a value that is there.
// Text is compared as it is, with its case (administrator guide, "Check contact
// attributes"); numbers as numbers, and what is no number is never greater nor
// less. KeyExists asks whether there is a value at all: it holds, unless its
// operand says false.
func Compare(operator, value, operand string) bool {
	switch operator {
	case "Equals":
		return value == operand
	case "TextStartsWith":
		return strings.HasPrefix(value, operand)
	case "TextEndsWith":
		return strings.HasSuffix(value, operand)
	case "TextContains":
		return strings.Contains(value, operand)
	case "KeyExists":
		return !strings.EqualFold(operand, "false")
	case "NumberGreaterThan", "NumberGreaterOrEqualTo", "NumberLessThan", "NumberLessOrEqualTo":
		a, b, ok := numbers(value, operand)
		if !ok {
			return false
		}
		switch operator {
		case "NumberGreaterThan":
			return a > b
		case "NumberGreaterOrEqualTo":
			return a >= b
		case "NumberLessThan":
			return a < b
		default:
			return a <= b
		}
	default:
		return false
	}
}

func numbers(value, operand string) (a, b float64, ok bool) {
	a, aOK := decimal(value)
	b, bOK := decimal(operand)
	return a, b, aOK && bOK
}

// decimal is a number as people write it: no hexadecimal digits, no infinity.
func decimal(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if strings.Trim(s, "0123456789+-.eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}
