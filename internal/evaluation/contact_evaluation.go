package evaluation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// ContactEvaluation is an evaluation of a contact by a version of a form.
type ContactEvaluation struct {
	ContactID     string
	FormID        domain.EvaluationFormID
	FormVersionID FormVersionID
	FormVersion   int32
	FormTitle     string // of the version, which is locked
	Status        types.EvaluationStatus
	Evaluator     string // the ARN of who changed it last
	// AutoEvaluation is true when the evaluation was to be automatic.
	AutoEvaluation bool              `json:",omitempty"`
	Answers        map[string]Answer `json:",omitempty"` // by RefId of the question
	Notes          map[string]string `json:",omitempty"` // by RefId of the question or section
	// Score and Scores are of a submitted evaluation whose form has scores, Scores
	// by RefId of the question or section.
	Score    *types.EvaluationScore           `json:",omitempty"`
	Scores   map[string]types.EvaluationScore `json:",omitempty"`
	Created  time.Time
	Modified time.Time
}

// Answer is the answer to a question; one of its members is set. The
// SDK's own type is an interface, which encoding/json cannot read.
type Answer struct {
	String        *string  `json:",omitempty"` // a text, or the RefId of an option
	Strings       []string `json:",omitempty"` // RefIds of options
	Number        *float64 `json:",omitempty"`
	DateTime      *string  `json:",omitempty"` // ISO 8601, as it was given
	NotApplicable bool     `json:",omitempty"`
}

// notesPerQuestion is how many characters all notes together may have for each
// question of the form (AWS API reference, EvaluationNote).
const notesPerQuestion = 1024

// dateTimeLayouts are the forms of ISO 8601 that answers may have.
var dateTimeLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly}

// Merge adds answers and notes to those of the evaluation; nil takes one away.
// What does not fit the form is an InvalidParameterException that names each.
func (e *ContactEvaluation) Merge(form *FormContent, answers map[string]*Answer, notes map[string]*string) error {
	questions, refs := form.byRef()
	var k formChecker
	for _, ref := range slices.Sorted(maps.Keys(answers)) {
		path := "Answers." + ref
		switch q, a := questions[ref], answers[ref]; {
		case q == nil:
			k.problem(path, "is about no question of the form")
		case a == nil:
			delete(e.Answers, ref)
		default:
			if want := q.misfit(a); want != "" {
				k.problem(path+".Value", "must be %s, for the question is of type %s", want, q.Type)
				continue
			}
			if e.Answers == nil {
				e.Answers = map[string]Answer{}
			}
			e.Answers[ref] = *a
		}
	}
	for _, ref := range slices.Sorted(maps.Keys(notes)) {
		switch note := notes[ref]; {
		case !refs[ref]:
			k.problem("Notes."+ref, "is about no question or section of the form")
		case note == nil:
			delete(e.Notes, ref)
		default:
			if e.Notes == nil {
				e.Notes = map[string]string{}
			}
			e.Notes[ref] = *note
		}
	}
	total := 0
	for _, note := range e.Notes {
		total += utf8.RuneCountInString(note)
	}
	if most := notesPerQuestion * len(questions); total > most {
		k.problem("Notes", "must have at most %d characters together, they have %d", most, total)
	}
	return k.fault()
}

// byRef are the questions of a form by RefId, and the RefIds of all its items.
func (c *FormContent) byRef() (questions map[string]*FormQuestion, refs map[string]bool) {
	questions, refs = map[string]*FormQuestion{}, map[string]bool{}
	c.questions(func(q *FormQuestion, within []*FormSection) {
		questions[q.RefID], refs[q.RefID] = q, true
		for _, s := range within {
			refs[s.RefID] = true
		}
	})
	return questions, refs
}

// misfit says what an answer must be when it does not fit the question, "" when
// it does.
func (q *FormQuestion) misfit(a *Answer) string {
	if a.NotApplicable {
		if q.NotApplicableEnabled {
			return ""
		}
		return "an answer other than NotApplicable, which is not enabled"
	}
	ok, want := false, ""
	switch q.Type {
	case types.EvaluationFormQuestionTypeText:
		ok, want = a.String != nil, "a StringValue"
	case types.EvaluationFormQuestionTypeSingleselect:
		ok, want = a.String != nil && slices.Contains(q.optionRefs(), *a.String), "the RefId of an option as StringValue"
	case types.EvaluationFormQuestionTypeMultiselect:
		ok, want = len(a.Strings) > 0, "RefIds of options as StringValues, each once"
		for i, ref := range a.Strings {
			ok = ok && slices.Contains(q.optionRefs(), ref) && !slices.Contains(a.Strings[:i], ref)
		}
	case types.EvaluationFormQuestionTypeNumeric:
		ok = a.Number != nil && *a.Number >= float64(q.Numeric.Min) && *a.Number <= float64(q.Numeric.Max)
		want = fmt.Sprintf("a NumericValue from %d to %d", q.Numeric.Min, q.Numeric.Max)
	case types.EvaluationFormQuestionTypeDatetime:
		want = "an ISO 8601 time as DateTimeValue"
		ok = a.DateTime != nil && slices.ContainsFunc(dateTimeLayouts, func(layout string) bool {
			_, err := time.Parse(layout, *a.DateTime)
			return err == nil
		})
	}
	if ok {
		return ""
	}
	return want
}

// Submit completes an evaluation: it computes the scores. Every question that
// is asked and not optional must have an answer; otherwise it is an
// InvalidParameterException.
func (e *ContactEvaluation) Submit(form *FormContent) error {
	asked := form.asked(e.Answers)
	var missing []string
	form.questions(func(q *FormQuestion, _ []*FormSection) {
		if _, answered := e.Answers[q.RefID]; asked[q.RefID] && !answered && !q.NotApplicableEnabled {
			missing = append(missing, q.RefID)
		}
	})
	if len(missing) > 0 {
		return fault.New(fault.InvalidParameter, "Answers must have one to every question that is not optional; missing: %s", strings.Join(missing, ", "))
	}
	e.Status = types.EvaluationStatusSubmitted
	e.Score, e.Scores = form.score(e.Answers, asked)
	return nil
}
