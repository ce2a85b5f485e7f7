package iam

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// condition is one operator applied to one key: all conditions of a statement
// must hold. IAM User Guide, "Conditions with multiple context keys or values".
type condition interface {
	holds(ctx Context) bool
}

// quantifier is the set operator before a condition operator. IAM User Guide,
// "Single-valued vs. multivalued context keys".
type quantifier string

const (
	unquantified quantifier = ""
	forAllValues quantifier = "ForAllValues:"
	forAnyValue  quantifier = "ForAnyValue:"
)

// valueCondition compares the values of a key with those of the policy.
type valueCondition struct {
	key        string
	quantifier quantifier
	ifExists   bool
	// negated turns "one of the policy's values matches" into "none does".
	negated    bool
	comparison comparison
}

func (c *valueCondition) holds(ctx Context) bool {
	values, _ := ctx.Lookup(c.key)
	switch {
	case len(values) == 0 && c.ifExists:
		return true
	case c.quantifier == forAllValues:
		return isNull(values) || !slices.ContainsFunc(values, func(v string) bool { return !c.accepts(v, ctx) })
	case c.quantifier == forAnyValue:
		return !isNull(values) && slices.ContainsFunc(values, func(v string) bool { return c.accepts(v, ctx) })
	default:
		// An absent key matches nothing, so that a negated operator holds. A
		// multivalued key calls for a set operator; without one, any of its
		// values may match (docs/divergences.md).
		return slices.ContainsFunc(values, func(v string) bool { return c.comparison.matches(v, ctx) }) != c.negated
	}
}

// accepts reports whether one value of the request satisfies the operator.
func (c *valueCondition) accepts(value string, ctx Context) bool {
	return c.comparison.matches(value, ctx) != c.negated
}

// isNull reports whether the values of a key are what IAM calls a null data
// set: the key is absent, or holds nothing but empty strings. IAM User Guide,
// "IAM JSON policy elements: Condition", on the request context.
func isNull(values []string) bool {
	return !slices.ContainsFunc(values, func(v string) bool { return v != "" })
}

// nullCondition tests whether a key has a value.
type nullCondition struct {
	key string
	// Which of the two states the policy names; a list may name both.
	null, notNull bool
}

func (c *nullCondition) holds(ctx Context) bool {
	values, _ := ctx.Lookup(c.key)
	if isNull(values) {
		return c.null
	}
	return c.notNull
}

// operator is a condition operator without set operator and suffix.
type operator struct {
	negated bool
	compile func(values []string, variables bool) (comparison, error)
}

const nullOperator = "Null"

// operators has the condition operators but Null. IAM User Guide, "IAM JSON
// policy elements: Condition operators".
var operators = map[string]operator{
	"StringEquals":              {false, compileStringEquals},
	"StringNotEquals":           {true, compileStringEquals},
	"StringEqualsIgnoreCase":    {false, compileStringEqualsIgnoreCase},
	"StringNotEqualsIgnoreCase": {true, compileStringEqualsIgnoreCase},
	"StringLike":                {false, compileStringLike},
	"StringNotLike":             {true, compileStringLike},

	"ArnEquals":    {false, compileARN},
	"ArnLike":      {false, compileARN},
	"ArnNotEquals": {true, compileARN},
	"ArnNotLike":   {true, compileARN},

	"NumericEquals":            {false, compileNumeric(equal)},
	"NumericNotEquals":         {true, compileNumeric(equal)},
	"NumericLessThan":          {false, compileNumeric(less)},
	"NumericLessThanEquals":    {false, compileNumeric(lessOrEqual)},
	"NumericGreaterThan":       {false, compileNumeric(greater)},
	"NumericGreaterThanEquals": {false, compileNumeric(greaterOrEqual)},

	"DateEquals":            {false, compileDate(equal)},
	"DateNotEquals":         {true, compileDate(equal)},
	"DateLessThan":          {false, compileDate(less)},
	"DateLessThanEquals":    {false, compileDate(lessOrEqual)},
	"DateGreaterThan":       {false, compileDate(greater)},
	"DateGreaterThanEquals": {false, compileDate(greaterOrEqual)},

	"Bool":         {false, compileBool},
	"BinaryEquals": {false, compileBinary},
	"IpAddress":    {false, compileIP},
	"NotIpAddress": {true, compileIP},
}

// compileConditions compiles a Condition element,
// {operator: {key: value or [value, …]}}.
func compileConditions(block node, variables bool) ([]condition, error) {
	if block.kind != objectNode {
		return nil, fmt.Errorf("the Condition element must be an object, not %s", block.kind)
	}
	var conditions []condition
	for _, m := range block.members {
		name, err := parseOperator(m.name)
		if err != nil {
			return nil, err
		}
		if m.value.kind != objectNode {
			return nil, fmt.Errorf("condition %s must be an object of context keys, not %s", m.name, m.value.kind)
		}
		seen := map[string]bool{}
		for _, entry := range m.value.members {
			// Keys are compared without regard to case, and so are tag keys.
			folded := strings.ToLower(entry.name)
			if seen[folded] {
				return nil, fmt.Errorf("condition %s: the key %.120q occurs twice, in a different case", m.name, entry.name)
			}
			seen[folded] = true
			c, err := compileCondition(name, entry, variables)
			if err != nil {
				return nil, fmt.Errorf("condition %s %.120q: %w", m.name, entry.name, err)
			}
			conditions = append(conditions, c)
		}
	}
	return conditions, nil
}

func compileCondition(name operatorName, entry member, variables bool) (condition, error) {
	key, err := normalizeKey(entry.name)
	if err != nil {
		return nil, err
	}
	values, err := conditionValues(entry.value)
	if err != nil {
		return nil, err
	}
	if name.base == nullOperator {
		return compileNull(key, values)
	}
	op := operators[name.base]
	compared, err := op.compile(values, variables)
	if err != nil {
		return nil, err
	}
	return &valueCondition{key, name.quantifier, name.ifExists, op.negated, compared}, nil
}

// operatorName is the name of an operator in its parts.
type operatorName struct {
	quantifier quantifier
	base       string // a key of operators, or nullOperator
	ifExists   bool
}

func parseOperator(text string) (operatorName, error) {
	name := operatorName{base: text}
	for _, q := range []quantifier{forAllValues, forAnyValue} {
		if base, ok := strings.CutPrefix(text, string(q)); ok {
			name.base, name.quantifier = base, q
		}
	}
	name.base, name.ifExists = strings.CutSuffix(name.base, "IfExists")
	if name.base == nullOperator {
		if name.ifExists || name.quantifier != unquantified {
			return operatorName{}, fmt.Errorf("condition operator %q: Null takes neither a set operator nor IfExists", text)
		}
		return name, nil
	}
	if _, ok := operators[name.base]; !ok {
		known := append(slices.Collect(maps.Keys(operators)), nullOperator)
		return operatorName{}, fmt.Errorf("unknown condition operator %.60q%s", text, hint(name.base, known))
	}
	return name, nil
}

// conditionValues returns the values of a condition as strings; numbers and
// Booleans may stand without quotation marks.
func conditionValues(n node) ([]string, error) {
	items := []node{n}
	if n.kind == listNode {
		items = n.items
	}
	if len(items) == 0 {
		return nil, errors.New("the list of values is empty")
	}
	values := make([]string, 0, len(items))
	for _, item := range items {
		switch item.kind {
		case stringNode, numberNode, booleanNode:
			values = append(values, item.text)
		case objectNode, listNode, nullNode:
			return nil, fmt.Errorf("a value must be a string, a number or a Boolean, not %s", item.kind)
		}
	}
	return values, nil
}

func compileNull(key string, values []string) (condition, error) {
	c := &nullCondition{key: key}
	for _, v := range values {
		switch strings.ToLower(v) {
		case "true":
			c.null = true
		case "false":
			c.notNull = true
		default:
			return nil, fmt.Errorf("the value %.60q is neither true nor false", v)
		}
	}
	return c, nil
}
