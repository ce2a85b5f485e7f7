package evaluation

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// The bounds of a form: admin guide, "Evaluation forms feature specifications";
// AWS CloudFormation user guide, AWS::Connect::Form.
const (
	maxFormTitle       = 128
	maxFormText        = 1024 // of a description and of instructions
	maxFormItems       = 100
	maxSectionItems    = 200
	maxSections        = 100
	maxQuestions       = 100
	maxNesting         = 2
	maxQuestionTitle   = 350
	minAnswerOptions   = 2
	maxAnswerOptions   = 256
	maxAnswerText      = 128
	maxRanges          = 10
	maxScore           = 10
	maxAutomations     = 20
	maxCategory        = 50
	maxEnablementDepth = 10 // ours: bounds what is followed for each answer
	weightTolerance    = 0.01
	maxContentProblems = 10    // told in one answer
	fullWeight         = 100.0 // percent
)

var refIDPattern = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,40}$`)

// Check checks a form that is saved as a draft: an InvalidParameterException
// that names the broken items by their paths.
func (c *FormContent) Check() error {
	k := formChecker{refs: map[string]bool{}, questions: map[string]*FormQuestion{}}
	k.length("Title", c.Title, 1, maxFormTitle)
	k.length("Description", c.Description, 0, maxFormText)
	if n := len(c.Items); n < 1 || n > maxFormItems {
		k.problem("Items", "must include 1 to %d items, it has %d", maxFormItems, n)
	}
	k.items("Items", c.Items, nil)
	if k.sections > maxSections {
		k.problem("Items", "must hold at most %d sections, it has %d", maxSections, k.sections)
	}
	if n := len(k.asked); n > maxQuestions {
		k.problem("Items", "must hold at most %d questions, it has %d", maxQuestions, n)
	}
	for _, a := range k.asked {
		k.enablement(a.path+".Enablement", a.question)
	}
	k.circles()
	if r := c.Review; r != nil && r.EligibilityDays < 0 {
		k.problem("ReviewConfiguration.EligibilityDays", "must be at least 0")
	}
	return k.fault()
}

// CheckComplete checks in addition what a form must have to be activated:
// weights that sum up, and automation if evaluations are to be automatic (admin
// guide, "Create an evaluation form").
func (c *FormContent) CheckComplete() error {
	if err := c.Check(); err != nil {
		return err
	}
	var k formChecker
	if c.Scored() {
		k.weights(c)
	}
	if c.AutoEvaluation != nil && c.AutoEvaluation.Enabled {
		c.questions(func(q *FormQuestion, _ []*FormSection) {
			if !q.automated() {
				k.problem("AutoEvaluationConfiguration.Enabled", "needs automation on every question, but the question %q has none", q.RefID)
			}
		})
	}
	return k.fault()
}

// formChecker gathers what is wrong with a form.
type formChecker struct {
	problems  []string
	refs      map[string]bool // of sections and questions
	sections  int
	asked     []askedQuestion
	questions map[string]*FormQuestion
}

type askedQuestion struct {
	path     string
	question *FormQuestion
}

func (k *formChecker) problem(path, format string, args ...any) {
	if len(k.problems) < maxContentProblems {
		k.problems = append(k.problems, path+" "+fmt.Sprintf(format, args...))
	}
}

func (k *formChecker) fault() error {
	if len(k.problems) == 0 {
		return nil
	}
	return fault.New(fault.InvalidParameter, "%s", strings.Join(k.problems, "; "))
}

func (k *formChecker) length(path, s string, least, most int) {
	if n := utf8.RuneCountInString(s); n < least || n > most {
		k.problem(path, "must have %d to %d characters, it has %d", least, most, n)
	}
}

func (k *formChecker) items(path string, items []FormItem, within []*FormSection) {
	for i := range items {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch item := &items[i]; {
		case item.Section != nil:
			k.section(at+".Section", item.Section, within)
		case len(within) == 0:
			k.problem(at, "must be a Section: questions are within sections")
		default:
			k.question(at+".Question", item.Question, within)
		}
	}
}

func (k *formChecker) common(path, refID, title string, most int, instructions *string, weight float64) {
	switch {
	case !refIDPattern.MatchString(refID):
		k.problem(path+".RefId", "must have 1 to 40 letters, digits, dots, hyphens and underscores")
	case k.refs[refID]:
		k.problem(path+".RefId", "%q is used twice in the form", refID)
	}
	k.refs[refID] = true
	k.length(path+".Title", title, 1, most)
	k.length(path+".Instructions", textOf(instructions), 0, maxFormText)
	if weight < 0 || weight > fullWeight {
		k.problem(path+".Weight", "must be between 0 and 100")
	}
}

func (k *formChecker) section(path string, s *FormSection, within []*FormSection) {
	k.sections++
	k.common(path, s.RefID, s.Title, maxFormTitle, s.Instructions, s.Weight)
	if len(within) >= maxNesting {
		k.problem(path, "is nested deeper than %d levels of sections", maxNesting)
		return
	}
	if n := len(s.Items); n < 1 || n > maxSectionItems {
		k.problem(path+".Items", "must include 1 to %d items, it has %d", maxSectionItems, n)
	}
	k.items(path+".Items", s.Items, append(within[:len(within):len(within)], s))
}

func (k *formChecker) question(path string, q *FormQuestion, within []*FormSection) {
	k.common(path, q.RefID, q.Title, maxQuestionTitle, q.Instructions, q.Weight)
	k.asked = append(k.asked, askedQuestion{path, q})
	k.questions[q.RefID] = q
	properties := path + ".QuestionTypeProperties"
	for _, p := range []struct {
		of       types.EvaluationFormQuestionType
		name     string
		given    bool
		optional bool
	}{
		{types.EvaluationFormQuestionTypeSingleselect, "SingleSelect", q.SingleSelect != nil, false},
		{types.EvaluationFormQuestionTypeMultiselect, "MultiSelect", q.MultiSelect != nil, false},
		{types.EvaluationFormQuestionTypeNumeric, "Numeric", q.Numeric != nil, false},
		{types.EvaluationFormQuestionTypeText, "Text", q.Text != nil, true},
	} {
		switch {
		case p.of == q.Type && !p.given && !p.optional:
			k.problem(properties+"."+p.name, "is required for a question of type %s", q.Type)
		case p.of != q.Type && p.given:
			k.problem(properties+"."+p.name, "must not be given for a question of type %s", q.Type)
		case p.of == q.Type && q.SingleSelect != nil:
			k.singleSelect(properties+".SingleSelect", q.SingleSelect, within)
		case p.of == q.Type && q.MultiSelect != nil:
			k.multiSelect(properties+".MultiSelect", q.MultiSelect)
		case p.of == q.Type && q.Numeric != nil:
			k.numeric(properties+".Numeric", q.Numeric, within)
		}
	}
}

func (k *formChecker) singleSelect(path string, p *SingleSelectQuestion, within []*FormSection) {
	refs := make([]string, len(p.Options))
	for i, o := range p.Options {
		at := fmt.Sprintf("%s.Options[%d]", path, i)
		refs[i] = *o.RefId
		k.length(at+".Text", *o.Text, 1, maxAnswerText)
		k.score(at, o.Score, o.AutomaticFail, o.AutomaticFailConfiguration, within)
	}
	k.options(path+".Options", refs)
	if a := p.Automation; a != nil {
		k.automations(path+".Automation.Options", len(a.Options))
		for i, o := range a.Options {
			at := fmt.Sprintf("%s.Automation.Options[%d].RuleCategory", path, i)
			k.length(at+".Category", *o.Category, 1, maxCategory)
			k.oneOf(at+".OptionRefId", *o.OptionRefId, refs)
		}
		if a.DefaultOptionRefID != nil {
			k.oneOf(path+".Automation.DefaultOptionRefId", *a.DefaultOptionRefID, refs)
		}
	}
}

func (k *formChecker) multiSelect(path string, p *MultiSelectQuestion) {
	refs := make([]string, len(p.Options))
	for i, o := range p.Options {
		refs[i] = *o.RefId
	}
	k.options(path+".Options", refs)
	if a := p.Automation; a != nil {
		k.automations(path+".Automation.Options", len(a.Options))
		for i, o := range a.Options {
			at := fmt.Sprintf("%s.Automation.Options[%d].RuleCategory.OptionRefIds", path, i)
			if len(o.OptionRefIds) == 0 {
				k.problem(at, "must include at least 1 item")
			}
			for n, ref := range o.OptionRefIds {
				k.oneOf(fmt.Sprintf("%s[%d]", at, n), ref, refs)
			}
		}
		for n, ref := range a.DefaultOptionRefIDs {
			k.oneOf(fmt.Sprintf("%s.Automation.DefaultOptionRefIds[%d]", path, n), ref, refs)
		}
	}
}

// options checks the answers to choose from, by their RefIds.
func (k *formChecker) options(path string, refs []string) {
	if n := len(refs); n < minAnswerOptions || n > maxAnswerOptions {
		k.problem(path, "must include %d to %d items, it has %d", minAnswerOptions, maxAnswerOptions, n)
	}
	for i, ref := range refs {
		switch at := fmt.Sprintf("%s[%d].RefId", path, i); {
		case !refIDPattern.MatchString(ref):
			k.problem(at, "must have 1 to 40 letters, digits, dots, hyphens and underscores")
		case slices.Contains(refs[:i], ref):
			k.problem(at, "%q is used twice in the question", ref)
		}
	}
}

func (k *formChecker) automations(path string, n int) {
	if n > maxAutomations {
		k.problem(path, "must include at most %d items, it has %d", maxAutomations, n)
	}
}

func (k *formChecker) oneOf(path, ref string, refs []string) {
	if !slices.Contains(refs, ref) {
		k.problem(path, "%q is no option of the question", ref)
	}
}

func (k *formChecker) numeric(path string, p *NumericQuestion, within []*FormSection) {
	if p.Min > p.Max {
		k.problem(path+".MinValue", "must not be greater than MaxValue")
	}
	if n := len(p.Options); n > maxRanges {
		k.problem(path+".Options", "must include at most %d items, it has %d", maxRanges, n)
	}
	for i, o := range p.Options {
		at := fmt.Sprintf("%s.Options[%d]", path, i)
		switch {
		case o.MinValue > o.MaxValue:
			k.problem(at+".MinValue", "must not be greater than MaxValue")
		case o.MinValue < p.Min || o.MaxValue > p.Max:
			k.problem(at, "must lie within %d to %d, the range of the question", p.Min, p.Max)
		}
		for n, other := range p.Options[:i] {
			if o.MinValue <= other.MaxValue && other.MinValue <= o.MaxValue {
				k.problem(at, "overlaps with Options[%d]", n)
			}
		}
		k.score(at, o.Score, o.AutomaticFail, o.AutomaticFailConfiguration, within)
	}
}

// score checks the score of an option. An automatic fail is about the form or
// about a section around the question.
func (k *formChecker) score(path string, score int32, fails bool, config *types.AutomaticFailConfiguration, within []*FormSection) {
	if score < 0 || score > maxScore {
		k.problem(path+".Score", "must be between 0 and %d", maxScore)
	}
	if config == nil || config.TargetSection == nil {
		return
	}
	around := slices.ContainsFunc(within, func(s *FormSection) bool { return s.RefID == *config.TargetSection })
	switch at := path + ".AutomaticFailConfiguration"; {
	case !fails:
		k.problem(at, "must not be given without AutomaticFail")
	case !around:
		k.problem(at+".TargetSection", "%q is no section that the question is in", *config.TargetSection)
	}
}

// enablement checks a condition: it is about the options of other questions
// from which one or some are to be chosen and that must be answered (admin
// guide, "Create an evaluation form", step 4).
func (k *formChecker) enablement(path string, q *FormQuestion) {
	if q.Enablement != nil {
		k.condition(path+".Condition", &q.Enablement.Condition, 1)
	}
}

func (k *formChecker) condition(path string, c *EnablementCondition, depth int) {
	switch {
	case len(c.Operands) == 0:
		k.problem(path+".Operands", "must include at least 1 item")
	case len(c.Operands) > 1 && c.Operator == "":
		k.problem(path+".Operator", "is required for more than one operand")
	case depth > maxEnablementDepth:
		k.problem(path, "is nested deeper than %d levels", maxEnablementDepth)
		return
	}
	for i, o := range c.Operands {
		at := fmt.Sprintf("%s.Operands[%d]", path, i)
		if o.Condition != nil {
			k.condition(at+".Condition", o.Condition, depth+1)
			continue
		}
		k.expression(at+".Expression", o.Expression)
	}
}

func (k *formChecker) expression(path string, e *types.EvaluationFormItemEnablementExpression) {
	source := k.questions[textOf(e.Source.RefId)]
	switch {
	case source == nil:
		k.problem(path+".Source.RefId", "%q is no question of the form", textOf(e.Source.RefId))
		return
	case source.SingleSelect == nil && source.MultiSelect == nil:
		k.problem(path+".Source.RefId", "must name a question of type SINGLESELECT or MULTISELECT")
		return
	case source.NotApplicableEnabled:
		k.problem(path+".Source.RefId", "must not name an optional question, to which not applicable is an answer")
	}
	if len(e.Values) == 0 {
		k.problem(path+".Values", "must include at least 1 item")
	}
	for i, v := range e.Values {
		k.oneOf(fmt.Sprintf("%s.Values[%d].RefId", path, i), textOf(v.RefId), source.optionRefs())
	}
}

// optionRefs are the RefIds of the answers to choose from.
func (q *FormQuestion) optionRefs() []string {
	var refs []string
	if q.SingleSelect != nil {
		for _, o := range q.SingleSelect.Options {
			refs = append(refs, *o.RefId)
		}
	}
	if q.MultiSelect != nil {
		for _, o := range q.MultiSelect.Options {
			refs = append(refs, *o.RefId)
		}
	}
	return refs
}

// circles refuses questions that enable each other.
func (k *formChecker) circles() {
	const visiting, done = 1, 2
	state := map[string]int{}
	var visit func(ref string) bool
	visit = func(ref string) (circle bool) {
		q := k.questions[ref]
		if q == nil || state[ref] == done {
			return false
		}
		if state[ref] == visiting {
			return true
		}
		state[ref] = visiting
		if q.Enablement != nil {
			circle = slices.ContainsFunc(q.Enablement.Condition.sources(), visit)
		}
		state[ref] = done
		return circle
	}
	for _, a := range k.asked {
		if visit(a.question.RefID) {
			k.problem(a.path+".Enablement", "depends on the answer to the question itself")
		}
	}
}

// sources are the questions that a condition is about.
func (c *EnablementCondition) sources() []string {
	var refs []string
	for _, o := range c.Operands {
		if o.Condition != nil {
			refs = append(refs, o.Condition.sources()...)
		} else {
			refs = append(refs, textOf(o.Expression.Source.RefId))
		}
	}
	return refs
}

// weights checks that the weights that count sum up to 100: of the questions,
// or of the sections at the first level.
func (k *formChecker) weights(c *FormContent) {
	sum, scorable := 0.0, 0
	byQuestion := c.Scoring.Mode == types.EvaluationFormScoringModeQuestionOnly
	c.questions(func(q *FormQuestion, _ []*FormSection) {
		if q.Scorable() {
			scorable++
		}
		switch {
		case !byQuestion:
		case !q.Scorable() && q.Weight != 0:
			k.problem("Items", "must have no weight at the question %q, whose answers have no score", q.RefID)
		default:
			sum += q.Weight
		}
	})
	if !byQuestion {
		for _, item := range c.Items {
			sum += item.Section.Weight
		}
	}
	switch {
	case scorable == 0:
		k.problem("ScoringStrategy", "needs a question whose answers have scores")
	case math.Abs(sum-fullWeight) > weightTolerance:
		of := "questions"
		if !byQuestion {
			of = "sections at the first level"
		}
		k.problem("Items", "must have weights of the %s that sum up to 100 for the scoring mode %s, they sum up to %v", of, c.Scoring.Mode, sum)
	}
}

// textOf is an optional text, "" when it is absent.
func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
