package datatables

import (
	"math"
	"strconv"
	"strings"
)

// formatNumber writes a number in a format of spreadsheets: 0 for a digit that
// is always written, # for one that may be, a comma among them for groups of
// three, a point, % for hundredths; text before and after as it is. Which
// formats the service knows is not documented (docs/divergences.md).
func formatNumber(n float64, format string) (any, error) {
	const digits = "0#,."
	start := strings.IndexAny(format, digits)
	if start < 0 {
		return nil, unable("the format has no digits")
	}
	end := strings.LastIndexAny(format, digits) + 1
	before, mask, after := format[:start], format[start:end], format[end:]
	whole, fraction, _ := strings.Cut(mask, ".")
	if strings.Trim(whole, "0#,") != "" || strings.Trim(fraction, "0#") != "" || len(mask) > maxMask {
		return nil, unable("the format is not one of numbers")
	}
	if strings.Contains(before+after, "%") {
		n *= 100
	}
	s := strconv.FormatFloat(math.Abs(n), 'f', len(fraction), 64)
	left, right, _ := strings.Cut(s, ".")
	// Places beyond the last 0 are written if they are not zeros.
	for always := strings.LastIndexByte(fraction, '0') + 1; len(right) > always && right[len(right)-1] == '0'; {
		right = right[:len(right)-1]
	}
	if left == "0" {
		left = ""
	}
	if missing := strings.Count(whole, "0") - len(left); missing > 0 {
		left = strings.Repeat("0", missing) + left
	}
	if strings.Contains(whole, ",") {
		left = grouped(left)
	}
	if right != "" {
		right = "." + right
	}
	sign := ""
	if n < 0 && strings.Trim(left+right, "0.,") != "" {
		sign = "-"
	}
	return before + sign + left + right + after, nil
}

// maxMask is how long the digits of a format may be.
const maxMask = 40

// grouped puts a comma before every third digit from the right.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
