package evaluation

import (
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// asked tells which questions are asked, given the answers to others. A
// question with a condition is, while it holds, what its action says; else
// what its default action says, or the opposite of the action (admin guide,
// "Create an evaluation form", step 4).
func (c *FormContent) asked(answers map[string]Answer) map[string]bool {
	questions, _ := c.byRef()
	asked := make(map[string]bool, len(questions))
	var ask func(ref string) bool
	ask = func(ref string) bool {
		if known, ok := asked[ref]; ok {
			return known
		}
		q := questions[ref]
		is := true
		if n := q.Enablement; n != nil {
			action := n.Action
			if !n.Condition.holds(func(source string) []string {
				if !ask(source) {
					return nil
				}
				return answers[source].chosen()
			}) {
				action = n.DefaultAction
				if action == "" {
					action = opposite[n.Action]
				}
			}
			is = action == types.EvaluationFormItemEnablementActionEnable
		}
		asked[ref] = is
		return is
	}
	for ref := range questions {
		ask(ref)
	}
	return asked
}

var opposite = map[types.EvaluationFormItemEnablementAction]types.EvaluationFormItemEnablementAction{
	types.EvaluationFormItemEnablementActionEnable:  types.EvaluationFormItemEnablementActionDisable,
	types.EvaluationFormItemEnablementActionDisable: types.EvaluationFormItemEnablementActionEnable,
}

// chosen are the options of an answer.
func (a Answer) chosen() []string {
	if a.String != nil {
		return []string{*a.String}
	}
	return a.Strings
}

// holds reports whether a condition holds; chosen tells the options of the
// answer to a question. Without an answer no comparison holds.
func (c *EnablementCondition) holds(chosen func(ref string) []string) bool {
	or := c.Operator == types.EvaluationFormItemEnablementOperatorOr
	for _, o := range c.Operands {
		var is bool
		if o.Condition != nil {
			is = o.Condition.holds(chosen)
		} else {
			is = compare(o.Expression, chosen(textOf(o.Expression.Source.RefId)))
		}
		if is == or {
			return or
		}
	}
	return !or
}

func compare(e *types.EvaluationFormItemEnablementExpression, chosen []string) bool {
	if len(chosen) == 0 {
		return false
	}
	matches := 0
	for _, v := range e.Values {
		if slices.Contains(chosen, textOf(v.RefId)) {
			matches++
		}
	}
	switch e.Comparator {
	case types.EvaluationFormItemSourceValuesComparatorIn:
		return matches > 0
	case types.EvaluationFormItemSourceValuesComparatorNotIn:
		return matches == 0
	case types.EvaluationFormItemSourceValuesComparatorAllIn:
		return matches == len(e.Values)
	default: // EXACT
		return matches == len(e.Values) && matches == len(chosen)
	}
}

// scoredQuestion is a question whose answer counts.
type scoredQuestion struct {
	*FormQuestion
	within     []*FormSection
	applies    bool
	percentage float64
	fails      bool
	// fromSection is the outermost of within that an automatic fail is about.
	fromSection int
	wholeForm   bool
	weight      float64 // applied, of 100
}

// score computes the scores of an evaluation: of the whole, and of each section
// and question that has one. Both are nil when the form has no scores.
//
// A score from 0 to 10 is a percentage of 10. Questions that are not asked, not
// answered or not applicable do not count: their weight goes to the others in
// proportion (admin guide, "Use scoring and weights on evaluation forms"). With
// weights by section, the questions of a section at the first level share its
// weight evenly. An automatic fail makes 0 of the question and of each section
// around it up to the one it is about, or of the whole form.
func (c *FormContent) score(answers map[string]Answer, asked map[string]bool) (*types.EvaluationScore, map[string]types.EvaluationScore) {
	if !c.Scored() {
		return nil, nil
	}
	list := c.scoredQuestions(answers, asked)
	c.applyWeights(list)
	scores := map[string]types.EvaluationScore{}
	bySection := map[*FormSection][]*scoredQuestion{}
	failed := map[*FormSection]bool{}
	wholeForm := false
	for _, q := range list {
		scores[q.RefID] = q.score()
		for i, s := range q.within {
			bySection[s] = append(bySection[s], q)
			failed[s] = failed[s] || q.fails && i >= q.fromSection
		}
		wholeForm = wholeForm || q.fails && q.wholeForm
	}
	for s, inner := range bySection {
		scores[s.RefID] = join(inner, failed[s], func(q *scoredQuestion) bool {
			inside := q.within[slices.Index(q.within, s)+1:]
			return slices.ContainsFunc(inside, func(s *FormSection) bool { return failed[s] })
		})
	}
	overall := join(list, wholeForm, func(q *scoredQuestion) bool {
		return slices.ContainsFunc(q.within, func(s *FormSection) bool { return failed[s] })
	})
	overall.AppliedWeight = nil // the whole is no part of anything
	return &overall, scores
}

func (c *FormContent) scoredQuestions(answers map[string]Answer, asked map[string]bool) (list []*scoredQuestion) {
	c.questions(func(q *FormQuestion, within []*FormSection) {
		if !q.Scorable() {
			return
		}
		s := &scoredQuestion{FormQuestion: q, within: within}
		list = append(list, s)
		answer, answered := answers[q.RefID]
		if !asked[q.RefID] || !answered || answer.NotApplicable {
			return
		}
		s.applies = true
		score, fails, config := q.option(answer)
		s.percentage, s.fails = float64(score)*fullWeight/maxScore, fails
		s.wholeForm = config == nil || config.TargetSection == nil
		if fails && !s.wholeForm {
			s.fromSection = slices.IndexFunc(within, func(around *FormSection) bool { return around.RefID == *config.TargetSection })
		}
		if fails {
			s.percentage = 0
		}
	})
	return list
}

// option is what an answer is worth; a number in none of the ranges nothing.
func (q *FormQuestion) option(a Answer) (score int32, fails bool, config *types.AutomaticFailConfiguration) {
	if q.SingleSelect != nil {
		for _, o := range q.SingleSelect.Options {
			if *o.RefId == *a.String {
				return o.Score, o.AutomaticFail, o.AutomaticFailConfiguration
			}
		}
		return 0, false, nil
	}
	for _, o := range q.Numeric.Options {
		if *a.Number >= float64(o.MinValue) && *a.Number <= float64(o.MaxValue) {
			return o.Score, o.AutomaticFail, o.AutomaticFailConfiguration
		}
	}
	return 0, false, nil
}

// applyWeights gives each question that counts its part of 100.
func (c *FormContent) applyWeights(list []*scoredQuestion) {
	counting := map[*FormSection]int{} // questions by section at the first level
	for _, q := range list {
		if q.applies {
			counting[q.within[0]]++
		}
	}
	total := 0.0
	for _, q := range list {
		switch {
		case !q.applies:
		case c.Scoring.Mode == types.EvaluationFormScoringModeQuestionOnly:
			q.weight = q.Weight
		default:
			q.weight = q.within[0].Weight / float64(counting[q.within[0]])
		}
		total += q.weight
	}
	for _, q := range list {
		if total > 0 {
			q.weight *= fullWeight / total
		}
	}
}

func (q *scoredQuestion) score() types.EvaluationScore {
	if !q.applies {
		return types.EvaluationScore{NotApplicable: true}
	}
	return types.EvaluationScore{Percentage: round(q.percentage), AutomaticFail: q.fails, AppliedWeight: new(round(q.weight))}
}

// join is the score of what holds questions, 0 when it failed itself. Lost
// tells a question that counts nothing because something around it failed.
// Questions of no weight count evenly among themselves.
func join(list []*scoredQuestion, failed bool, lost func(*scoredQuestion) bool) types.EvaluationScore {
	var sum, weights, plain, n float64
	for _, q := range list {
		if !q.applies {
			continue
		}
		percentage := q.percentage
		if lost(q) {
			percentage = 0
		}
		sum, weights = sum+q.weight*percentage, weights+q.weight
		plain, n = plain+percentage, n+1
	}
	if n == 0 {
		return types.EvaluationScore{NotApplicable: true}
	}
	s := types.EvaluationScore{AutomaticFail: failed, AppliedWeight: new(round(weights))}
	switch {
	case failed:
	case weights > 0:
		s.Percentage = round(sum / weights)
	default:
		s.Percentage = round(plain / n)
	}
	return s
}

// round keeps two decimals, so that 60 is not 59.99999999999999.
func round(percentage float64) float64 { return math.Round(percentage*100) / 100 }
