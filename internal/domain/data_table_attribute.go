package domain

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// DataTableAttributeID is the id of an attribute, a lower-case UUID.
type DataTableAttributeID string

// DataTableAttribute is a column of a data table.
type DataTableAttribute struct {
	DataTableID DataTableID
	Name        string
	Description string `json:",omitempty"`
	// Primary attributes identify the records of the table.
	Primary   bool `json:",omitempty"`
	ValueType types.DataTableAttributeValueType
	// Validation is what values must fulfil; a bound that is 0 is not given. Nil
	// when everything of the type will do.
	Validation *types.Validation `json:",omitempty"`
	// LockVersion changes with the attribute; with the lock level ATTRIBUTE, with
	// every value of it too.
	LockVersion string
}

// The limits of every value (AWS admin guide, "Create and configure data
// tables", Service quotas for data tables).
const (
	maxText        = 5000
	maxPrimaryText = 1000
	maxListText    = 1000
	maxListValues  = 100
)

// Check checks the rules of an attribute that need nothing but itself (AWS API
// reference, Validation).
func (a *DataTableAttribute) Check() error {
	if err := checkTableName(a.Name); err != nil {
		return err
	}
	v := a.Validation
	if v == nil {
		return nil
	}
	for _, b := range []struct {
		low, high float64
		equal     bool // may be the same
		rule      string
	}{
		{float64(v.MinLength), float64(v.MaxLength), true, "MinLength must not be greater than MaxLength"},
		{float64(v.MinValues), float64(v.MaxValues), true, "MinValues must not be greater than MaxValues"},
		{v.Minimum, v.Maximum, true, "Minimum must not be greater than Maximum"},
		{v.Minimum, v.ExclusiveMaximum, false, "Minimum must be less than ExclusiveMaximum"},
		{v.ExclusiveMinimum, v.Maximum, false, "ExclusiveMinimum must be less than Maximum"},
		{v.ExclusiveMinimum, v.ExclusiveMaximum, false, "ExclusiveMinimum must be less than ExclusiveMaximum"},
	} {
		if b.low != 0 && b.high != 0 && (b.low > b.high || b.low == b.high && !b.equal) {
			return fault.New(fault.InvalidParameter, "Validation: %s", b.rule)
		}
	}
	if v.Enum == nil {
		return nil
	}
	for _, e := range v.Enum.Values {
		if _, err := a.item(e); err != nil {
			return fault.New(fault.InvalidParameter, "Validation.Enum.Values: %q %s", e, err.Error())
		}
	}
	return nil
}

// invalid says what is wrong with a value, as the end of a sentence that begins
// with it.
type invalid string

func (e invalid) Error() string { return string(e) }

// Canonical is the form of a primary value in which equal ones are equal:
// numbers in one notation and, if the attribute ignores case, small letters.
// What is not of the attribute's type stays as it is.
func (a *DataTableAttribute) Canonical(value string) string {
	if v, err := a.Parse(value); err == nil {
		value = FormatDataTableValue(v)
	}
	if a.Validation != nil && a.Validation.IgnoreCase {
		value = strings.ToLower(value)
	}
	return value
}

// Parse reads a value that is no expression: as a string, float64, bool,
// []string or []float64, which depends on the attribute's type alone.
func (a *DataTableAttribute) Parse(value string) (any, error) {
	switch a.ValueType {
	case types.DataTableAttributeValueTypeBoolean:
		switch value {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, invalid("is neither true nor false")
	case types.DataTableAttributeValueTypeNumber:
		return parseNumber(value)
	case types.DataTableAttributeValueTypeTextList:
		var list []string
		if err := json.Unmarshal([]byte(value), &list); err != nil || list == nil {
			return nil, invalid("is not a JSON list of texts")
		}
		return list, nil
	case types.DataTableAttributeValueTypeNumberList:
		var list []float64
		if err := json.Unmarshal([]byte(value), &list); err != nil || list == nil {
			return nil, invalid("is not a JSON list of numbers")
		}
		return list, nil
	default:
		return value, nil
	}
}

// parseNumber reads a number in decimal notation.
func parseNumber(s string) (float64, error) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) || strings.ContainsAny(s, "xX_") {
		return 0, invalid("is not a number")
	}
	return n, nil
}

// FormatDataTableValue writes what Parse reads.
func FormatDataTableValue(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	default:
		raw, _ := json.Marshal(v) // cannot fail: a list of texts or of numbers
		return string(raw)
	}
}

// Zero is the value that an attribute has where nothing else is defined (AWS
// admin guide, "Create and configure data tables", Default values).
func (a *DataTableAttribute) Zero() any {
	switch a.ValueType {
	case types.DataTableAttributeValueTypeBoolean:
		return false
	case types.DataTableAttributeValueTypeNumber:
		return 0.0
	case types.DataTableAttributeValueTypeTextList:
		return []string{}
	case types.DataTableAttributeValueTypeNumberList:
		return []float64{}
	default:
		return ""
	}
}

// item reads one item of a list, or the value itself of other types.
func (a *DataTableAttribute) item(s string) (any, error) {
	switch a.ValueType {
	case types.DataTableAttributeValueTypeTextList:
		return s, nil
	case types.DataTableAttributeValueTypeNumberList:
		return parseNumber(s)
	default:
		return a.Parse(s)
	}
}

// Validate checks what Parse has read against the limits of all values and the
// attribute's own validation. The error is the end of a sentence that begins
// with the value.
func (a *DataTableAttribute) Validate(value any) error {
	switch v := value.(type) {
	case string:
		limit := maxText
		if a.Primary {
			limit = maxPrimaryText
		}
		return a.validateText(v, limit)
	case float64:
		return a.validateNumber(v)
	case []string:
		return validateList(a, v, func(s string) error { return a.validateText(s, maxListText) })
	case []float64:
		return validateList(a, v, a.validateNumber)
	default:
		return nil
	}
}

func validateList[T any](a *DataTableAttribute, list []T, item func(T) error) error {
	n := len(list)
	if n > maxListValues {
		return invalid("has more than " + strconv.Itoa(maxListValues) + " items")
	}
	if v := a.Validation; v != nil {
		if n < int(v.MinValues) {
			return invalid("has less than " + strconv.Itoa(int(v.MinValues)) + " items")
		}
		if v.MaxValues > 0 && n > int(v.MaxValues) {
			return invalid("has more than " + strconv.Itoa(int(v.MaxValues)) + " items")
		}
	}
	for _, e := range list {
		if err := item(e); err != nil {
			return invalid("has an item that " + err.Error())
		}
	}
	return nil
}

func (a *DataTableAttribute) validateText(s string, limit int) error {
	n := utf8.RuneCountInString(s)
	v := a.Validation
	if v == nil {
		v = &types.Validation{}
	}
	if v.MaxLength > 0 {
		limit = min(limit, int(v.MaxLength))
	}
	if n > limit {
		return invalid("has more than " + strconv.Itoa(limit) + " characters")
	}
	if n < int(v.MinLength) {
		return invalid("has less than " + strconv.Itoa(int(v.MinLength)) + " characters")
	}
	return a.validateEnum(func(allowed string) bool {
		return allowed == s || v.IgnoreCase && strings.EqualFold(allowed, s)
	})
}

func (a *DataTableAttribute) validateNumber(n float64) error {
	v := a.Validation
	if v == nil {
		return nil
	}
	bound := func(what string, b float64) error {
		return invalid("is " + what + " " + FormatDataTableValue(b))
	}
	switch {
	case v.Minimum != 0 && n < v.Minimum:
		return bound("less than", v.Minimum)
	case v.Maximum != 0 && n > v.Maximum:
		return bound("greater than", v.Maximum)
	case v.ExclusiveMinimum != 0 && n <= v.ExclusiveMinimum:
		return bound("not greater than", v.ExclusiveMinimum)
	case v.ExclusiveMaximum != 0 && n >= v.ExclusiveMaximum:
		return bound("not less than", v.ExclusiveMaximum)
	case v.MultipleOf != 0 && !isMultiple(n, v.MultipleOf):
		return bound("not a multiple of", v.MultipleOf)
	}
	return a.validateEnum(func(allowed string) bool {
		e, err := parseNumber(allowed)
		return err == nil && e == n
	})
}

// isMultiple allows for what decimal fractions lose as binary ones: 0.3 is a
// multiple of 0.1.
func isMultiple(n, of float64) bool {
	q := n / of
	return math.Abs(q-math.Round(q)) <= 1e-9*math.Max(1, math.Abs(q))
}

func (a *DataTableAttribute) validateEnum(is func(allowed string) bool) error {
	if a.Validation == nil || a.Validation.Enum == nil || !a.Validation.Enum.Strict || slices.ContainsFunc(a.Validation.Enum.Values, is) {
		return nil
	}
	return invalid("is not among Validation.Enum.Values")
}

// IsExpression reports whether a stored value is computed when it is asked for.
func IsExpression(value string) bool { return strings.HasPrefix(value, "=") }

// TakesExpressions reports whether values of the attribute may be expressions
// (AWS admin guide, "Create and configure data tables", Data table expressions).
func (a *DataTableAttribute) TakesExpressions() bool {
	switch a.ValueType {
	case types.DataTableAttributeValueTypeText, types.DataTableAttributeValueTypeNumber, types.DataTableAttributeValueTypeBoolean:
		return !a.Primary
	default:
		return false
	}
}
