package machine_test

import (
	"testing"

	"ringdown/internal/flow/machine"
)

// TestCompare compares what people write as numbers, and what only looks like
// one. What each operator means is in the cases of Compare.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		operator, value, operand string
		want                     bool
	}{
		{"NumberGreaterThan", "10", "9", true},
		{"NumberGreaterThan", "-1", "-2", true},
		{"NumberGreaterThan", " 1.5 ", "1", true},
		{"NumberGreaterThan", "1e3", "999", true},
		{"NumberGreaterThan", "0x10", "1", false},
		{"NumberGreaterThan", "Inf", "1", false},
		{"NumberGreaterThan", "NaN", "1", false},
		{"NumberGreaterThan", "1e999", "1", false},
		{"NumberLessOrEqualTo", "", "1", false},
		{"NumberLessOrEqualTo", "1", "", false},
		{"NumberGreaterOrEqualTo", "0.1", "0.10", true},
		{"Equals", "0.1", "0.10", false},
		{"Equals", "", "", true},
		{"KeyExists", "", "", true},
		{"KeyExists", "x", "False", false},
		{"NumericLessThan", "1", "2", false},
		{"", "1", "1", false},
	} {
		if got := machine.Compare(c.operator, c.value, c.operand); got != c.want {
			t.Errorf("Compare(%q, %q, %q) = %v", c.operator, c.value, c.operand, got)
		}
	}
}
