package iam

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// comparison holds the values that a policy gives for one key of an operator.
type comparison interface {
	// matches reports whether the value of a request matches one of them. What
	// is not of the operator's type matches none.
	matches(value string, ctx Context) bool
}

// textComparison compares with strings that may contain policy variables.
type textComparison struct {
	operands []template
	fits     func(operand, value string) bool
}

func (c *textComparison) matches(value string, ctx Context) bool {
	for _, t := range c.operands {
		if operand, ok := t.expand(ctx); ok && c.fits(operand, value) {
			return true
		}
	}
	return false
}

func compileText(values []string, in syntax, fits func(operand, value string) bool) (*textComparison, error) {
	c := &textComparison{fits: fits}
	for _, v := range values {
		t, err := parseTemplate(v, in)
		if err != nil {
			return nil, err
		}
		c.operands = append(c.operands, t)
	}
	return c, nil
}

func compileStringEquals(values []string, variables bool) (comparison, error) {
	return compileText(values, syntax{variables: variables}, func(operand, value string) bool { return operand == value })
}

func compileStringEqualsIgnoreCase(values []string, variables bool) (comparison, error) {
	return compileText(values, syntax{variables: variables}, strings.EqualFold)
}

func compileStringLike(values []string, variables bool) (comparison, error) {
	return compileText(values, syntax{variables: variables, wildcards: true}, match)
}

// compileARN serves ArnEquals and ArnLike, which "behave identically" (IAM User
// Guide, "Condition operators").
func compileARN(values []string, variables bool) (comparison, error) {
	c, err := compileText(values, syntax{variables: variables, wildcards: true}, matchARN)
	if err != nil {
		return nil, err
	}
	for i, t := range c.operands {
		// A variable may bring any number of fields.
		if len(t.variables) == 0 && t.head != anything && strings.Count(t.head, ":") < arnFields-1 {
			return nil, fmt.Errorf(`the value %.120q is neither "*" nor an ARN of six fields`, values[i])
		}
	}
	return c, nil
}

// compileBool accepts variables, as the section on Bool of "Condition
// operators" in the IAM User Guide does.
func compileBool(values []string, variables bool) (comparison, error) {
	c, err := compileText(values, syntax{variables: variables}, func(operand, value string) bool {
		return isBool(value) && strings.EqualFold(operand, value)
	})
	if err != nil {
		return nil, err
	}
	for i, t := range c.operands {
		if len(t.variables) == 0 && !isBool(t.head) {
			return nil, fmt.Errorf("the value %.60q is neither true nor false", values[i])
		}
	}
	return c, nil
}

func isBool(text string) bool {
	return strings.EqualFold(text, "true") || strings.EqualFold(text, "false")
}

// orderedComparison compares numbers or dates.
type orderedComparison[T any] struct {
	operands []T
	parse    func(string) (T, error)
	compare  func(value, operand T) int // -1, 0 or 1
	want     order
}

// order says which results of a comparison of value and operand match.
type order struct{ less, equal, greater bool }

var (
	equal          = order{equal: true}
	less           = order{less: true}
	lessOrEqual    = order{less: true, equal: true}
	greater        = order{greater: true}
	greaterOrEqual = order{equal: true, greater: true}
)

func (c *orderedComparison[T]) matches(value string, _ Context) bool {
	v, err := c.parse(value)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(c.operands, func(operand T) bool {
		switch result := c.compare(v, operand); {
		case result < 0:
			return c.want.less
		case result > 0:
			return c.want.greater
		default:
			return c.want.equal
		}
	})
}

func compileNumeric(want order) func([]string, bool) (comparison, error) {
	return func(values []string, variables bool) (comparison, error) {
		operands, err := parseEach(values, variables, parseNumber)
		return &orderedComparison[float64]{operands, parseNumber, cmp.Compare[float64], want}, err
	}
}

func compileDate(want order) func([]string, bool) (comparison, error) {
	return func(values []string, variables bool) (comparison, error) {
		operands, err := parseEach(values, variables, parseDate)
		return &orderedComparison[time.Time]{operands, parseDate, time.Time.Compare, want}, err
	}
}

// parseEach parses the values of an operator that knows no policy variables.
func parseEach[T any](values []string, variables bool, parse func(string) (T, error)) ([]T, error) {
	operands := make([]T, 0, len(values))
	for _, v := range values {
		if variables && strings.Contains(v, "${") {
			return nil, fmt.Errorf("the value %.120q has a policy variable: only string, ARN and Bool operators take one", v)
		}
		operand, err := parse(v)
		if err != nil {
			return nil, fmt.Errorf("the value %.60q is not %w", v, err)
		}
		operands = append(operands, operand)
	}
	return operands, nil
}

// Errors that complete "the value … is not".
var (
	errNumber = errors.New("a decimal number")
	errDate   = errors.New("a date: ISO 8601 such as 2026-01-31 or 2026-01-31T09:00:00Z, or seconds since 1970")
	errIP     = errors.New("an IP address or a range in CIDR notation")
	errBase64 = errors.New("base64")
)

// parseNumber takes decimal notation only, not the hexadecimal numbers,
// underscores and infinities that strconv also knows.
func parseNumber(text string) (float64, error) {
	if strings.Trim(text, "0123456789.eE+-") != "" {
		return 0, errNumber
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, errNumber
	}
	return n, nil
}

// dateLayouts are the forms of "Date and Time Formats" (W3C), which the IAM
// User Guide names, the likeliest first. A time of day has a zone, and its
// seconds may have a fraction.
var dateLayouts = []string{
	time.RFC3339,
	"2006-01-02T15:04Z07:00",
	time.DateOnly,
	"2006-01",
	"2006",
}

// lastEpoch is the last second of the year 9999, the last that ISO 8601 dates
// reach.
const lastEpoch = 253402300799

// parseDate reads an ISO 8601 date, in UTC where it has no time, or whole
// seconds since 1970; four digits are a year.
func parseDate(text string) (time.Time, error) {
	if len(text) != len("2006") {
		if seconds, err := strconv.ParseInt(text, 10, 64); err == nil && seconds >= 0 && seconds <= lastEpoch {
			return time.Unix(seconds, 0), nil
		}
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errDate
}

// ipComparison compares with ranges of IP addresses.
type ipComparison []netip.Prefix

func (c ipComparison) matches(value string, _ Context) bool {
	addr, err := netip.ParseAddr(value)
	if err != nil {
		return false
	}
	// A dual-stack listener reports an IPv4 caller as ::ffff:a.b.c.d.
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(c, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func compileIP(values []string, variables bool) (comparison, error) {
	ranges, err := parseEach(values, variables, parseRange)
	return ipComparison(ranges), err
}

// parseRange reads an address, which stands for itself alone, or a range such
// as 203.0.113.0/24 or 2001:DB8:1234:5678::/64.
func parseRange(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	// Addresses are compared unmapped, so a mapped range would match nothing.
	if err != nil || p.Addr().Is4In6() {
		return netip.Prefix{}, errIP
	}
	return p, nil
}

// binaryComparison compares bytes.
type binaryComparison []string

func (c binaryComparison) matches(value string, _ Context) bool {
	return slices.Contains(c, value)
}

func compileBinary(values []string, variables bool) (comparison, error) {
	operands, err := parseEach(values, variables, func(text string) (string, error) {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "", errBase64
		}
		return string(b), nil
	})
	return binaryComparison(operands), err
}
