package evaluation

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
)

// Stamp says who did something, and when.
type Stamp struct {
	By string // the ARN of a principal or a user
	At time.Time
}

// Form is a questionnaire about contacts. What it asks is in its
// versions, of which one at most is active.
type Form struct {
	// Title to InteractionType are of the latest version, for lists and
	// searches.
	Title           string
	Description     string                           `json:",omitempty"`
	AutoEvaluation  bool                             `json:",omitempty"`
	Language        types.EvaluationFormLanguageCode `json:",omitempty"`
	InteractionType types.ContactInteractionType     `json:",omitempty"`

	LatestVersion int32
	// Versions is how many numbers were given to versions: one that is deleted
	// leaves its number unused.
	Versions      int32
	ActiveVersion int32 `json:",omitempty"` // 0 when none is
	Created       Stamp
	Modified      Stamp
	Activated     *Stamp `json:",omitempty"` // the last time
}

// Show takes over what lists show of the latest version.
func (f *Form) Show(version int32, c *FormContent) {
	f.LatestVersion, f.Title, f.Description = version, c.Title, c.Description
	f.AutoEvaluation = c.AutoEvaluation != nil && c.AutoEvaluation.Enabled
	f.Language, f.InteractionType = "", ""
	if c.Language != nil {
		f.Language = c.Language.FormLanguage
	}
	if c.Target != nil {
		f.InteractionType = c.Target.ContactInteractionType
	}
}

// Status is ACTIVE while evaluations can be started from the form.
func (f *Form) Status() types.EvaluationFormVersionStatus {
	return f.StatusOf(f.ActiveVersion)
}

// StatusOf is the status of a version.
func (f *Form) StatusOf(version int32) types.EvaluationFormVersionStatus {
	if f.ActiveVersion != 0 && version == f.ActiveVersion {
		return types.EvaluationFormVersionStatusActive
	}
	return types.EvaluationFormVersionStatusDraft
}

// FormVersionID is the id of a FormVersion, a lower-case UUID. The API shows the number of the version alone.
type FormVersionID string

// FormVersion is one content of a form.
type FormVersion struct {
	FormID  domain.EvaluationFormID
	Version int32
	// Locked is true once the version was active: evaluations may follow it, so
	// it changes no more.
	Locked   bool `json:",omitempty"`
	Created  Stamp
	Modified Stamp
	Content  FormContent
}

// Check checks the content of a version, which may be a draft.
func (v *FormVersion) Check() error { return v.Content.Check() }

// FormContent is what a form asks and how answers are scored.
type FormContent struct {
	Title          string
	Description    string `json:",omitempty"`
	Items          []FormItem
	Scoring        *types.EvaluationFormScoringStrategy             `json:",omitempty"`
	AutoEvaluation *types.EvaluationFormAutoEvaluationConfiguration `json:",omitempty"`
	Review         *types.EvaluationReviewConfiguration             `json:",omitempty"`
	Target         *types.EvaluationFormTargetConfiguration         `json:",omitempty"`
	Language       *types.EvaluationFormLanguageConfiguration       `json:",omitempty"`
}

// Scored reports whether answers are scored.
func (c *FormContent) Scored() bool {
	return c.Scoring != nil && c.Scoring.Status == types.EvaluationFormScoringStatusEnabled
}

// FormItem is a section or a question; one of them is set. The SDK's
// own type is an interface, which encoding/json cannot read.
type FormItem struct {
	Section  *FormSection  `json:",omitempty"`
	Question *FormQuestion `json:",omitempty"`
}

// FormSection holds questions and, at the first level, sub-sections.
type FormSection struct {
	RefID        string
	Title        string
	Instructions *string `json:",omitempty"`
	Weight       float64 `json:",omitempty"` // percent
	Items        []FormItem
}

// FormQuestion is a question. Of SingleSelect, MultiSelect, Numeric
// and Text that of its type is set, Text only if it has properties.
type FormQuestion struct {
	RefID                string
	Title                string
	Instructions         *string `json:",omitempty"`
	Type                 types.EvaluationFormQuestionType
	NotApplicableEnabled bool                                        `json:",omitempty"`
	Weight               float64                                     `json:",omitempty"` // percent
	Enablement           *QuestionEnablement                         `json:",omitempty"`
	SingleSelect         *SingleSelectQuestion                       `json:",omitempty"`
	MultiSelect          *MultiSelectQuestion                        `json:",omitempty"`
	Numeric              *NumericQuestion                            `json:",omitempty"`
	Text                 *types.EvaluationFormTextQuestionProperties `json:",omitempty"`
}

// QuestionEnablement says when a question is asked: Action is what happens to
// it while Condition holds.
type QuestionEnablement struct {
	Action        types.EvaluationFormItemEnablementAction
	DefaultAction types.EvaluationFormItemEnablementAction `json:",omitempty"`
	Condition     EnablementCondition
}

// EnablementCondition joins its operands.
type EnablementCondition struct {
	Operator types.EvaluationFormItemEnablementOperator `json:",omitempty"`
	Operands []EnablementOperand
}

// EnablementOperand is a condition or an expression; one of them is set.
type EnablementOperand struct {
	Condition  *EnablementCondition                          `json:",omitempty"`
	Expression *types.EvaluationFormItemEnablementExpression `json:",omitempty"`
}

// SingleSelectQuestion is answered by one of its options.
type SingleSelectQuestion struct {
	Options    []types.EvaluationFormSingleSelectQuestionOption
	DisplayAs  types.EvaluationFormSingleSelectQuestionDisplayMode `json:",omitempty"`
	Automation *SingleSelectAutomation                             `json:",omitempty"`
}

// SingleSelectAutomation says how a question is answered without an evaluator.
type SingleSelectAutomation struct {
	Options            []types.SingleSelectQuestionRuleCategoryAutomation  `json:",omitempty"`
	DefaultOptionRefID *string                                             `json:",omitempty"`
	AnswerSource       *types.EvaluationFormQuestionAutomationAnswerSource `json:",omitempty"`
}

// MultiSelectQuestion is answered by some of its options.
type MultiSelectQuestion struct {
	Options    []types.EvaluationFormMultiSelectQuestionOption
	DisplayAs  types.EvaluationFormMultiSelectQuestionDisplayMode `json:",omitempty"`
	Automation *MultiSelectAutomation                             `json:",omitempty"`
}

// MultiSelectAutomation says how a question is answered without an evaluator.
type MultiSelectAutomation struct {
	Options             []types.MultiSelectQuestionRuleCategoryAutomation   `json:",omitempty"`
	DefaultOptionRefIDs []string                                            `json:",omitempty"`
	AnswerSource        *types.EvaluationFormQuestionAutomationAnswerSource `json:",omitempty"`
}

// NumericQuestion is answered by a number from Min to Max.
type NumericQuestion struct {
	Min, Max int32
	Options  []types.EvaluationFormNumericQuestionOption `json:",omitempty"`
	// Of the automation one is set at most: a metric, or another source.
	Metric       types.NumericQuestionPropertyAutomationLabel        `json:",omitempty"`
	AnswerSource *types.EvaluationFormQuestionAutomationAnswerSource `json:",omitempty"`
}

// Scorable reports whether answers to the question have a score.
func (q *FormQuestion) Scorable() bool {
	return q.SingleSelect != nil || q.Numeric != nil && len(q.Numeric.Options) > 0
}

// automated reports whether the question can be answered without an evaluator.
func (q *FormQuestion) automated() bool {
	switch {
	case q.SingleSelect != nil:
		return q.SingleSelect.Automation != nil
	case q.MultiSelect != nil:
		return q.MultiSelect.Automation != nil
	case q.Numeric != nil:
		return q.Numeric.Metric != "" || q.Numeric.AnswerSource != nil
	default:
		return q.Text != nil && q.Text.Automation != nil
	}
}

// questions calls use for each question with the sections around it, the
// innermost last.
func (c *FormContent) questions(use func(q *FormQuestion, within []*FormSection)) {
	eachQuestion(c.Items, nil, use)
}

func eachQuestion(items []FormItem, within []*FormSection, use func(*FormQuestion, []*FormSection)) {
	for i := range items {
		switch item := &items[i]; {
		case item.Question != nil:
			use(item.Question, within)
		case item.Section != nil:
			eachQuestion(item.Section.Items, append(within[:len(within):len(within)], item.Section), use)
		}
	}
}
