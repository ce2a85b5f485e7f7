package domain

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// The bounds of routing criteria (administrator guide, "Set routing criteria").
const (
	maxRoutingSteps    = 5
	maxAndConditions   = 8
	maxOrConditions    = 3
	maxPreferredAgents = 10
	maxConditionName   = 64
	minProficiency     = 1
	maxProficiency     = 5
)

// NewRoutingCriteria makes routing criteria of the steps of a request; nil when
// there are none. An InvalidParameterException names the step.
func NewRoutingCriteria(in *types.RoutingCriteriaInput) (*types.RoutingCriteria, error) {
	if in == nil || len(in.Steps) == 0 {
		return nil, nil
	}
	if n := len(in.Steps); n > maxRoutingSteps {
		return nil, fault.New(fault.InvalidParameter, "RoutingCriteria.Steps must include at most %d items, it has %d", maxRoutingSteps, n)
	}
	out := &types.RoutingCriteria{}
	for i := range in.Steps {
		s := &in.Steps[i]
		step := types.Step{Status: types.RoutingCriteriaStepStatusInactive, Expression: s.Expression}
		if s.Expression == nil {
			return nil, fault.New(fault.InvalidParameter, "RoutingCriteria.Steps[%d].Expression is required", i)
		}
		if problem := expressionProblem(s.Expression, 0); problem != "" {
			return nil, fault.New(fault.InvalidParameter, "RoutingCriteria.Steps[%d].Expression %s", i, problem)
		}
		if s.Expiry != nil {
			n := s.Expiry.DurationInSeconds
			if n == nil || *n < 1 {
				return nil, fault.New(fault.InvalidParameter, "RoutingCriteria.Steps[%d].Expiry.DurationInSeconds must be at least 1", i)
			}
			step.Expiry = &types.Expiry{DurationInSeconds: n}
		}
		out.Steps = append(out.Steps, step)
	}
	return out, nil
}

// expressionProblem is the end of a sentence, "" when the expression is sound: it
// says one thing, an OrExpression is only there at the top, and an AndExpression
// may be in it.
func expressionProblem(e *types.Expression, depth int) string {
	parts := 0
	for _, has := range []bool{e.AttributeCondition != nil, e.NotAttributeCondition != nil, len(e.AndExpression) > 0, len(e.OrExpression) > 0} {
		if has {
			parts++
		}
	}
	switch {
	case parts != 1:
		return "must have exactly one of AttributeCondition, NotAttributeCondition, AndExpression and OrExpression"
	case e.AttributeCondition != nil:
		return conditionProblem(e.AttributeCondition)
	case e.NotAttributeCondition != nil:
		return conditionProblem(e.NotAttributeCondition)
	case len(e.OrExpression) > 0 && depth > 0:
		return "must not have an OrExpression in another expression"
	case len(e.AndExpression) > 0 && depth > 1:
		return "must not have an AndExpression in another"
	case len(e.OrExpression) > maxOrConditions:
		return fmt.Sprintf("must not have more than %d items in an OrExpression", maxOrConditions)
	case len(e.AndExpression) > maxAndConditions:
		return fmt.Sprintf("must not have more than %d items in an AndExpression", maxAndConditions)
	}
	for i := range e.OrExpression {
		if problem := expressionProblem(&e.OrExpression[i], 1); problem != "" {
			return problem
		}
	}
	seen := map[[2]string]bool{}
	for i := range e.AndExpression {
		one := &e.AndExpression[i]
		if problem := expressionProblem(one, 2); problem != "" {
			return problem
		}
		c := one.AttributeCondition
		if c == nil {
			c = one.NotAttributeCondition
		}
		if name := [2]string{given(c.Name), given(c.Value)}; c.Name != nil {
			if seen[name] {
				return fmt.Sprintf("must not name the attribute %s twice", name[0])
			}
			seen[name] = true
		}
	}
	return ""
}

// conditionProblem checks a condition on the proficiencies of an agent, or on who
// the agent is.
func conditionProblem(c *types.AttributeCondition) string {
	operator := given(c.ComparisonOperator)
	if operator == "Match" {
		if m := c.MatchCriteria; m == nil || m.AgentsCriteria == nil || len(m.AgentsCriteria.AgentIds) == 0 || len(m.AgentsCriteria.AgentIds) > maxPreferredAgents || slices.Contains(m.AgentsCriteria.AgentIds, "") {
			return fmt.Sprintf("must have 1 to %d AgentIds for the ComparisonOperator Match", maxPreferredAgents)
		}
		return ""
	}
	for _, text := range []*string{c.Name, c.Value} {
		if n := utf8.RuneCountInString(given(text)); n < 1 || n > maxConditionName {
			return fmt.Sprintf("must have a Name and a Value of 1 to %d characters in each condition", maxConditionName)
		}
	}
	level := func(l *float32) bool { return l != nil && *l >= minProficiency && *l <= maxProficiency } // NaN is not
	switch operator {
	case "NumberGreaterOrEqualTo":
		if !level(c.ProficiencyLevel) {
			return "must have a ProficiencyLevel from 1 to 5 for the ComparisonOperator NumberGreaterOrEqualTo"
		}
	case "Range":
		if r := c.Range; r == nil || !level(r.MinProficiencyLevel) || !level(r.MaxProficiencyLevel) || *r.MinProficiencyLevel > *r.MaxProficiencyLevel {
			return "must have a Range of proficiency levels from 1 to 5 for the ComparisonOperator Range"
		}
	default:
		return "must have the ComparisonOperator NumberGreaterOrEqualTo, Range or Match in each condition"
	}
	return ""
}

// given is a text of a request, "" for none.
func given(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
