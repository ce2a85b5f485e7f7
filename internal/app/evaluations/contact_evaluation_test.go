package evaluations_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

type (
	answers = map[string]types.EvaluationAnswerInput
	notes   = map[string]types.EvaluationNote
)

func (s *site) start(contact, form string, change ...func(*connect.StartContactEvaluationInput)) (string, error) {
	in := &connect.StartContactEvaluationInput{InstanceId: &s.id, ContactId: &contact, EvaluationFormId: &form}
	for _, f := range change {
		f(in)
	}
	out, err := s.StartContactEvaluation(s.t.Context(), in)
	if err != nil {
		return "", err
	}
	return *out.EvaluationId, nil
}

func (s *site) answer(id string, a answers, n notes) error {
	_, err := s.UpdateContactEvaluation(s.t.Context(), &connect.UpdateContactEvaluationInput{InstanceId: &s.id, EvaluationId: &id, Answers: a, Notes: n})
	return err
}

func (s *site) submit(id string, a answers) error {
	_, err := s.SubmitContactEvaluation(s.t.Context(), &connect.SubmitContactEvaluationInput{InstanceId: &s.id, EvaluationId: &id, Answers: a})
	return err
}

func (s *site) evaluation(id string) *connect.DescribeContactEvaluationOutput {
	s.t.Helper()
	out, err := s.DescribeContactEvaluation(s.t.Context(), &connect.DescribeContactEvaluationInput{InstanceId: &s.id, EvaluationId: &id})
	ok(s.t, err)
	return out
}

// say is an answer in words: the RefId of an option, a text, or N/A.
func say(word string) types.EvaluationAnswerInput {
	if word == "N/A" {
		return types.EvaluationAnswerInput{Value: &types.EvaluationAnswerDataMemberNotApplicable{Value: true}}
	}
	return types.EvaluationAnswerInput{Value: &types.EvaluationAnswerDataMemberStringValue{Value: word}}
}

func choose(refs ...string) types.EvaluationAnswerInput {
	return types.EvaluationAnswerInput{Value: &types.EvaluationAnswerDataMemberStringValues{Value: refs}}
}

func number(n float64) types.EvaluationAnswerInput {
	return types.EvaluationAnswerInput{Value: &types.EvaluationAnswerDataMemberNumericValue{Value: n}}
}

func at(when string) types.EvaluationAnswerInput {
	return types.EvaluationAnswerInput{Value: &types.EvaluationAnswerDataMemberDateTimeValue{Value: when}}
}

// given are the answers of an evaluation as they were given.
func given(out map[string]types.EvaluationAnswerOutput) answers {
	in := answers{}
	for ref, a := range out {
		in[ref] = types.EvaluationAnswerInput{Value: a.Value}
	}
	return in
}

// everyType is a form with a question of each type; that for words is asked
// when the grade is poor and complaints hold b.
func everyType() []types.EvaluationFormItem {
	type q = types.EvaluationFormQuestion
	grade := grades("grade", 100, "")
	grade.(*types.EvaluationFormItemMemberQuestion).Value.NotApplicableEnabled = false
	return []types.EvaluationFormItem{section("s", 0,
		grade,
		question(q{RefId: aws.String("complaints"), QuestionType: "MULTISELECT", QuestionTypeProperties: &types.EvaluationFormQuestionTypePropertiesMemberMultiSelect{Value: types.EvaluationFormMultiSelectQuestionProperties{
			Options: []types.EvaluationFormMultiSelectQuestionOption{{RefId: aws.String("a"), Text: aws.String("A")}, {RefId: aws.String("b"), Text: aws.String("B")}},
		}}}),
		question(q{RefId: aws.String("holds"), QuestionType: "NUMERIC", QuestionTypeProperties: &types.EvaluationFormQuestionTypePropertiesMemberNumeric{Value: types.EvaluationFormNumericQuestionProperties{MaxValue: 10}}}),
		question(q{RefId: aws.String("when"), QuestionType: "DATETIME", NotApplicableEnabled: true}),
		question(q{RefId: aws.String("words"), QuestionType: "TEXT", Enablement: &types.EvaluationFormItemEnablementConfiguration{
			Action: "ENABLE", Condition: &types.EvaluationFormItemEnablementCondition{Operator: "AND", Operands: []types.EvaluationFormItemEnablementConditionOperand{
				&types.EvaluationFormItemEnablementConditionOperandMemberExpression{Value: upon("grade", "NOT_IN", "best", "fair")},
				&types.EvaluationFormItemEnablementConditionOperandMemberCondition{Value: types.EvaluationFormItemEnablementCondition{Operator: "OR", Operands: []types.EvaluationFormItemEnablementConditionOperand{
					&types.EvaluationFormItemEnablementConditionOperandMemberExpression{Value: upon("complaints", "EXACT", "b")},
					&types.EvaluationFormItemEnablementConditionOperandMemberExpression{Value: upon("complaints", "ALL_IN", "a", "b")},
				}}},
			}},
		}}),
	)}
}

func TestContactEvaluations(t *testing.T) {
	s := newSite(t)
	form := s.active("Form", everyType(), byQuestion)
	once := func(in *connect.StartContactEvaluationInput) {
		in.ClientToken, in.Tags = aws.String("once"), map[string]string{"Team": "A"}
	}
	id, err := s.start("contact-1", form, once)
	ok(t, err)
	again, err := s.start("contact-1", form, once)
	ok(t, err)
	same(t, "the evaluation of the same token", again, id)

	out := s.evaluation(id)
	e, arn := out.Evaluation, servertest.InstanceARN(s.id)+"/contact-evaluation/"+id
	same(t, "an empty evaluation", []any{e.EvaluationId, e.EvaluationArn, e.Status, e.EvaluationType, e.Answers, e.Notes, e.Scores, e.Metadata, e.Tags},
		[]any{id, arn, "DRAFT", "STANDARD", answers{}, notes{}, nil, types.EvaluationMetadata{ContactId: aws.String("contact-1"), EvaluatorArn: aws.String(root)}, map[string]string{"Team": "A"}})
	same(t, "its form", []any{out.EvaluationForm.EvaluationFormId, out.EvaluationForm.EvaluationFormVersion, out.EvaluationForm.Title, out.EvaluationForm.Items}, []any{form, 1, "Form", everyType()})

	// A later version of the form does not change it.
	_, err = s.update(form, 1, true)
	ok(t, err)
	ok(t, s.activate(form, 2))

	note := notes{"s": {Value: aws.String("a note")}}
	ok(t, s.answer(arn, answers{"grade": say("poor"), "complaints": choose("b", "a"), "holds": number(2.5), "when": at("2026-01-01T10:00:00Z")}, note))
	ok(t, s.answer(id, answers{"grade": say("fair"), "when": {}}, nil))
	e = s.evaluation(id).Evaluation
	same(t, "merged answers", given(e.Answers), answers{"grade": say("fair"), "complaints": choose("b", "a"), "holds": number(2.5)})
	same(t, "notes", e.Notes, note)
	ok(t, s.answer(id, nil, notes{"s": {}}))
	same(t, "no notes", s.evaluation(id).Evaluation.Notes, notes{})

	mary := servertest.InstanceARN(s.id) + "/agent/" + s.user()
	_, err = s.SubmitContactEvaluation(t.Context(), &connect.SubmitContactEvaluationInput{InstanceId: &s.id, EvaluationId: &id, SubmittedBy: &types.EvaluatorUserUnionMemberConnectUserArn{Value: mary}})
	ok(t, err)
	e = s.evaluation(id).Evaluation
	same(t, "a submitted evaluation", []any{e.Status, e.Metadata.EvaluatorArn, e.Metadata.Score.Percentage}, []any{"SUBMITTED", mary, 50})
	fails(t, s.answer(id, nil, nil), fault.ResourceConflict, "SUBMITTED")
	fails(t, s.submit(id, answers{"grade": say("poor")}), fault.InvalidParameter, "words") // which is asked now
	same(t, "what a refusal leaves", s.evaluation(id).Evaluation.Metadata.Score.Percentage, 50)
	ok(t, s.submit(id, answers{"grade": say("best")}))
	same(t, "a resubmission", []any{s.evaluation(id).Evaluation.Metadata.Score.Percentage, s.evaluation(id).Evaluation.Metadata.EvaluatorArn}, []any{100, root})

	_, err = s.UpdateContactEvaluation(t.Context(), &connect.UpdateContactEvaluationInput{InstanceId: &s.id, EvaluationId: &id, UpdatedBy: &types.EvaluatorUserUnionMemberConnectUserArn{Value: mary + "x"}})
	fails(t, err, fault.ResourceNotFound, "User")
	fails(t, s.answer(unknownID, nil, nil), fault.ResourceNotFound)
	fails(t, s.submit(unknownID, nil), fault.ResourceNotFound)
	for _, want := range []fault.Code{"", fault.ResourceNotFound} {
		_, err = s.DeleteContactEvaluation(t.Context(), &connect.DeleteContactEvaluationInput{InstanceId: &s.id, EvaluationId: &id})
		fails(t, err, want)
	}
	ok(t, s.deactivate(form, 2))
	_, err = s.start("contact-1", form)
	fails(t, err, fault.ResourceConflict, "no active version")
}

// TestAnswers holds answers to the questions, and submissions to the questions
// that are asked.
func TestAnswers(t *testing.T) {
	s := newSite(t)
	form := s.active("Form", everyType(), byQuestion)
	id, err := s.start("contact", form)
	ok(t, err)
	for what, c := range map[string]struct {
		answers answers
		notes   notes
		word    string
	}{
		"no question":         {answers{"s": say("x")}, nil, "Answers.s is about no question"},
		"no item":             {nil, notes{"x": {Value: aws.String("note")}}, "Notes.x is about no question or section"},
		"too many notes":      {nil, notes{"s": {Value: aws.String(strings.Repeat("a", 3000))}, "grade": {Value: aws.String(strings.Repeat("a", 2200))}}, "at most 5120 characters together, they have 5200"},
		"no option":           {answers{"grade": say("worst")}, nil, "Answers.grade.Value must be the RefId of an option"},
		"a number for it":     {answers{"grade": number(1)}, nil, "Answers.grade.Value"},
		"not applicable":      {answers{"grade": say("N/A")}, nil, "NotApplicable, which is not enabled"},
		"an option twice":     {answers{"complaints": choose("a", "a")}, nil, "Answers.complaints.Value"},
		"none of them":        {answers{"complaints": choose("c")}, nil, "Answers.complaints.Value"},
		"no choice":           {answers{"complaints": choose()}, nil, "Answers.complaints.Value"},
		"a number outside":    {answers{"holds": number(10.5)}, nil, "a NumericValue from 0 to 10"},
		"no time":             {answers{"when": at("noon")}, nil, "Answers.when.Value must be an ISO 8601 time"},
		"no text":             {answers{"words": number(1)}, nil, "Answers.words.Value must be a StringValue"},
		"two of them at once": {answers{"words": number(1), "when": say("x")}, nil, "Answers.when.Value must be an ISO 8601 time as DateTimeValue, for the question is of type DATETIME; Answers.words.Value"},
	} {
		t.Run(what, func(t *testing.T) { fails(t, s.answer(id, c.answers, c.notes), fault.InvalidParameter, c.word) })
	}
	same(t, "nothing of that", s.evaluation(id).Evaluation.Answers, answers{})

	for _, c := range []struct {
		grade, missing string
		complaints     []string
	}{
		{"best", "", []string{"b"}},
		{"poor", "", []string{"a"}},
		{"poor", "words", []string{"b"}},
		{"poor", "words", []string{"a", "b"}},
	} {
		err := s.submit(id, answers{"grade": say(c.grade), "complaints": choose(c.complaints...), "holds": number(0), "when": say("N/A")})
		if c.missing == "" {
			ok(t, err)
		} else {
			fails(t, err, fault.InvalidParameter, "missing: "+c.missing)
		}
	}
	ok(t, s.submit(id, answers{"grade": say("poor"), "complaints": choose("b"), "words": say("rude ones")}))
	empty, err := s.start("contact", form)
	ok(t, err)
	fails(t, s.submit(empty, nil), fault.InvalidParameter, "missing: grade, complaints, holds")
}

// TestScores holds scores to the administrator guide ("Use scoring and
// weights"), whose example is the first.
func TestScores(t *testing.T) {
	s := newSite(t)
	guide := []types.EvaluationFormItem{
		section("s", 50, grades("q1", 40, "s"), grades("q2", 20, "")),
		section("t", 50, grades("q3", 20, ""), section("u", 0, grades("q4", 20, "u"))),
	}
	questions, sections := s.active("by question", guide, byQuestion), s.active("by section", guide, bySection)
	score := func(percentage, weight float64, fails bool) types.EvaluationScore {
		return types.EvaluationScore{Percentage: percentage, AppliedWeight: &weight, AutomaticFail: fails}
	}
	na := types.EvaluationScore{NotApplicable: true}
	type scores = map[string]types.EvaluationScore
	for what, c := range map[string]struct {
		form    string
		words   string // the answers to q1 to q4
		overall types.EvaluationScore
		scores  scores
	}{
		"the example": {
			questions, "best fair fair poor",
			types.EvaluationScore{Percentage: 60},
			scores{"q1": score(100, 40, false), "q2": score(50, 20, false), "q3": score(50, 20, false), "q4": score(0, 20, false), "s": score(83.33, 60, false), "t": score(25, 40, false), "u": score(0, 20, false)},
		},
		"the example without one": {
			questions, "best fair fair N/A",
			types.EvaluationScore{Percentage: 75},
			scores{"q1": score(100, 50, false), "q2": score(50, 25, false), "q3": score(50, 25, false), "q4": na, "s": score(83.33, 75, false), "t": score(50, 25, false), "u": na},
		},
		"one skipped": {
			questions, "best fair fair -",
			types.EvaluationScore{Percentage: 75},
			scores{"q1": score(100, 50, false), "q2": score(50, 25, false), "q3": score(50, 25, false), "q4": na, "s": score(83.33, 75, false), "t": score(50, 25, false), "u": na},
		},
		"a section fails": {
			questions, "fail best best best",
			types.EvaluationScore{Percentage: 40},
			scores{"q1": score(0, 40, true), "q2": score(100, 20, false), "q3": score(100, 20, false), "q4": score(100, 20, false), "s": score(0, 60, true), "t": score(100, 40, false), "u": score(100, 20, false)},
		},
		"a sub-section fails": {
			questions, "best best best fail",
			types.EvaluationScore{Percentage: 80},
			scores{"q1": score(100, 40, false), "q2": score(100, 20, false), "q3": score(100, 20, false), "q4": score(0, 20, true), "s": score(100, 60, false), "t": score(50, 40, false), "u": score(0, 20, true)},
		},
		"the form fails": {
			questions, "best fail best best",
			types.EvaluationScore{AutomaticFail: true},
			scores{"q1": score(100, 40, false), "q2": score(0, 20, true), "q3": score(100, 20, false), "q4": score(100, 20, false), "s": score(0, 60, true), "t": score(100, 40, false), "u": score(100, 20, false)},
		},
		"nothing applies": {
			questions, "N/A N/A - -", na,
			scores{"q1": na, "q2": na, "q3": na, "q4": na, "s": na, "t": na, "u": na},
		},
		"weights of sections": {
			sections, "best fair fair poor",
			types.EvaluationScore{Percentage: 50},
			scores{"q1": score(100, 25, false), "q2": score(50, 25, false), "q3": score(50, 25, false), "q4": score(0, 25, false), "s": score(75, 50, false), "t": score(25, 50, false), "u": score(0, 25, false)},
		},
		"a section that does not apply": {
			sections, "best fair N/A N/A",
			types.EvaluationScore{Percentage: 75},
			scores{"q1": score(100, 50, false), "q2": score(50, 50, false), "q3": na, "q4": na, "s": score(75, 100, false), "t": na, "u": na},
		},
	} {
		t.Run(what, func(t *testing.T) {
			id, err := s.start("contact", c.form)
			ok(t, err)
			said := answers{}
			for i, word := range strings.Fields(c.words) {
				if word != "-" {
					said["q"+string(rune('1'+i))] = say(word)
				}
			}
			ok(t, s.submit(id, said))
			e := s.evaluation(id).Evaluation
			same(t, "the overall score", e.Metadata.Score, c.overall)
			same(t, "the scores", e.Scores, c.scores)
		})
	}
}

func TestScoresOfNumbers(t *testing.T) {
	s := newSite(t)
	span := func(from, to, score int32, fails bool) types.EvaluationFormNumericQuestionOption {
		return types.EvaluationFormNumericQuestionOption{MinValue: from, MaxValue: to, Score: score, AutomaticFail: fails}
	}
	form := s.active("numbers", []types.EvaluationFormItem{section("s", 100, question(types.EvaluationFormQuestion{
		RefId: aws.String("n"), QuestionType: "NUMERIC", QuestionTypeProperties: &types.EvaluationFormQuestionTypePropertiesMemberNumeric{Value: types.EvaluationFormNumericQuestionProperties{
			MaxValue: 10, Options: []types.EvaluationFormNumericQuestionOption{span(0, 0, 10, false), span(1, 4, 5, false), span(6, 10, 1, true)},
		}},
	}))}, bySection)
	for n, want := range map[float64]types.EvaluationScore{0: {Percentage: 100}, 2.5: {Percentage: 50}, 5: {}, 7: {AutomaticFail: true}} {
		id, err := s.start("contact", form)
		ok(t, err)
		ok(t, s.submit(id, answers{"n": number(n)}))
		same(t, "the score", s.evaluation(id).Evaluation.Metadata.Score, want)
	}
	plain := s.active("no scores", []types.EvaluationFormItem{section("s", 0, grades("g", 0, ""))})
	id, err := s.start("contact", plain)
	ok(t, err)
	ok(t, s.submit(id, answers{"g": say("best")}))
	e := s.evaluation(id).Evaluation
	same(t, "no scores", []any{e.Metadata.Score, e.Scores}, []any{nil, nil})
}

func TestListContactEvaluations(t *testing.T) {
	s := newSite(t)
	form := s.active("Form", small(), func(in *connect.CreateEvaluationFormInput) {
		in.AutoEvaluationConfiguration = &types.EvaluationFormAutoEvaluationConfiguration{Enabled: true}
		in.Items = []types.EvaluationFormItem{section("s", 0, question(types.EvaluationFormQuestion{
			RefId: aws.String("q"), QuestionType: "TEXT", QuestionTypeProperties: &types.EvaluationFormQuestionTypePropertiesMemberText{Value: types.EvaluationFormTextQuestionProperties{
				Automation: &types.EvaluationFormTextQuestionAutomation{AnswerSource: &types.EvaluationFormQuestionAutomationAnswerSource{SourceType: "GEN_AI"}},
			}},
		}))}
	})
	automatic := func(in *connect.StartContactEvaluationInput) {
		in.AutoEvaluationConfiguration = &types.AutoEvaluationConfiguration{Enabled: true}
	}
	var ids []string
	for _, contact := range []string{"a", "b", "a"} {
		id, err := s.start(contact, form, automatic)
		ok(t, err)
		ids = append(ids, id)
	}
	out, err := s.ListContactEvaluations(t.Context(), &connect.ListContactEvaluationsInput{InstanceId: &s.id, ContactId: aws.String("a")})
	ok(t, err)
	l := out.EvaluationSummaryList
	same(t, "the evaluations of a contact", []any{len(l), l[0].EvaluationId, l[1].EvaluationId, out.NextToken}, []any{2, ids[0], ids[2], nil})
	e := s.evaluation(ids[0]).Evaluation
	same(t, "an evaluation in a list", l[0], types.EvaluationSummary{
		EvaluationId: e.EvaluationId, EvaluationArn: e.EvaluationArn, EvaluationFormId: &form, EvaluationFormTitle: aws.String("Form"), EvaluationType: e.EvaluationType,
		EvaluatorArn: aws.String(root), Status: e.Status, CreatedTime: e.CreatedTime, LastModifiedTime: e.LastModifiedTime, AutoEvaluationEnabled: true, AutoEvaluationStatus: types.AutoEvaluationStatusFailed,
	})
	same(t, "the automation", e.Metadata.AutoEvaluation, types.AutoEvaluationDetails{AutoEvaluationEnabled: true, AutoEvaluationStatus: types.AutoEvaluationStatusFailed})
	_, err = s.start("a", s.active("By hand", small()), automatic)
	fails(t, err, fault.InvalidParameter, "AutoEvaluationConfiguration")
}
