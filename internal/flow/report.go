package flow

import (
	"fmt"
	"strings"
)

// The rules that a Problem may name. They are stable: logs and scripts use
// them.
const (
	// Of the document.
	RuleSyntax    = "json-syntax"
	RuleLength    = "content-length"
	RuleOldExport = "old-export-format"
	RuleVersion   = "version"
	RuleActions   = "number-of-actions"
	RuleStart     = "start-action"
	// Of properties anywhere.
	RuleMissing   = "missing-property"
	RuleUnknown   = "unknown-property"
	RuleDuplicate = "duplicate-property"
	RuleValue     = "property-value"
	RuleEmpty     = "empty-value"
	RuleStatic    = "static-value"
	RulePath      = "json-path"
	RuleOnlyOne   = "only-one-property"
	RuleOneOf     = "one-property-of"
	RuleDepends   = "dependent-property"
	// Of actions.
	RuleIdentifier   = "identifier"
	RuleActionType   = "action-type"
	RuleFlowType     = "flow-type"
	RuleTransitions  = "terminal-action"
	RuleTarget       = "transition-target"
	RuleMissingError = "missing-error"
	RuleError        = "error-type"
	RuleConditions   = "conditions"
	RuleOperator     = "condition-operator"
	RuleOperand      = "condition-operand"
	RuleNesting      = "condition-nesting"
	// Of what a Reference names.
	RuleReference = "resource-not-found"
	// Of what a Need needs.
	RuleService = "service-not-there"
)

// report collects problems in any order and puts them into that of the
// document.
type report struct {
	content  string
	problems []*found
}

type found struct {
	Problem

	offset int
}

// at is where problems are found: a path, and the action that it is part of.
type at struct {
	*path

	action string
}

func (a at) member(name string) at { return at{a.path.member(name), a.action} }
func (a at) item(i int) at         { return at{a.path.item(i), a.action} }

func (r *report) add(offset int, a at, rule, hint, format string, args ...any) {
	r.problems = append(r.problems, &found{
		Problem{Message: fmt.Sprintf(format, args...), Hint: hint, Rule: rule, Path: a.String(), Action: a.action}, offset,
	})
}

// missing is the service's text for a property that is not there; owner is
// what should have it.
func (r *report) missing(owner *Node, a at, rule, hint string) {
	r.add(owner.Offset, a, rule, hint, "%s is missing required property. Path: %s", noun(a), a)
}

// unknown is the service's text for a property that the language has not.
func (r *report) unknown(offset int, a at, rule, hint string) {
	r.add(offset, a, rule, hint, "Invalid %s property name. Path: %s", noun(a), a)
}

// invalid is the service's text for a wrong value.
func (r *report) invalid(offset int, a at, rule, hint string) {
	r.add(offset, a, rule, hint, "Invalid %s property value. Path: %s", noun(a), a)
}

// noun is what a path leads into, as messages call it. The service's texts are
// known for actions; those for the document around them are made alike.
func noun(a at) string {
	var steps [2]*path // the outermost two
	for p := a.path; p != nil; p = p.parent {
		steps = [2]*path{p, steps[0]}
	}
	switch {
	case steps[1] == nil:
		return "Document"
	case steps[0].name == "Actions":
		return "Action"
	case steps[0].name == "Observations":
		return "Observation"
	default:
		return "Document"
	}
}

// result puts the problems into the order of the document, with lines and
// columns.
func (r *report) result() []Problem {
	spots := make([]spot, len(r.problems))
	for i, f := range r.problems {
		spots[i] = spot{f.offset, &f.Problem}
	}
	locate(r.content, spots)
	var all []Problem
	for _, s := range spots {
		all = append(all, *s.problem)
	}
	return all
}

// list is words as the service lists them in a message: [Text, SSML].
func list(words []string) string { return "[" + strings.Join(words, ", ") + "]" }
