package machine

import (
	"strconv"
	"strings"
)

// Compare applies an operator of the flow language. Text is compared as it is;
// numbers as numbers, and what is no number is never greater nor less.
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
	a, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0, 0, false
	}
	b, err = strconv.ParseFloat(strings.TrimSpace(operand), 64)
	return a, b, err == nil
}
