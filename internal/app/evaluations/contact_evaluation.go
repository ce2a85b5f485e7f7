package evaluations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/evaluation"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

var evaluationKind = catalog.Kind[evaluation.ContactEvaluation]{
	Of:   domain.KindContactEvaluation,
	Name: func(*evaluation.ContactEvaluation) string { return "" },
	Refs: func(e *evaluation.ContactEvaluation) []catalog.Ref {
		return []catalog.Ref{{Role: roleEvaluated, Kind: domain.KindEvaluationFormVersion, ID: string(e.FormVersionID)}}
	},
	Fields: catalog.Fields[evaluation.ContactEvaluation]{
		fieldContact:          catalog.KeyField(func(e *evaluation.ContactEvaluation) []string { return []string{e.ContactID} }),
		"evaluationFormId":    catalog.KeyField(func(e *evaluation.ContactEvaluation) []string { return []string{string(e.FormID)} }),
		"evaluationFormTitle": catalog.TextField(func(e *evaluation.ContactEvaluation) string { return e.FormTitle }),
		"evaluatorArn":        catalog.TextField(func(e *evaluation.ContactEvaluation) string { return e.Evaluator }),
		"status":              catalog.TextField(func(e *evaluation.ContactEvaluation) string { return string(e.Status) }),
		"resourceID":          catalog.IDField[evaluation.ContactEvaluation](),
		"numbers": catalog.OtherField(func(e *evaluation.ContactEvaluation, d *search.Doc) {
			d.Numbers = map[string][]float64{
				"evaluationformversion": {float64(e.FormVersion)},
				"autoevaluationenabled": {truth(e.AutoEvaluation)},
				"createdtime":           {moment(e.Created)},
				"lastmodifiedtime":      {moment(e.Modified)},
			}
			if e.Score != nil {
				d.Numbers["scorepercentage"] = []float64{e.Score.Percentage}
				d.Numbers["scoreautomaticfail"] = []float64{truth(e.Score.AutomaticFail)}
				d.Numbers["scorenotapplicable"] = []float64{truth(e.Score.NotApplicable)}
			}
		}),
	},
}

// fieldContact is the search field of an evaluation's contact.
const fieldContact = "contactid"

// StartContactEvaluation adds an empty evaluation of a contact by the active
// version of a form. That the contact exists is not checked: contacts of other
// systems can be evaluated (docs/divergences.md).
func (e *Evaluations) StartContactEvaluation(ctx context.Context, in *connect.StartContactEvaluationInput) (*connect.StartContactEvaluationOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, e.catalog, sc, "StartContactEvaluation", in.ClientToken, in, func(tx store.Tx) (*connect.StartContactEvaluationOutput, error) {
		form, err := e.forms.GetIn(ctx, tx, sc, *in.EvaluationFormId)
		if err != nil {
			return nil, err
		}
		if form.Value.ActiveVersion == 0 {
			return nil, fault.New(fault.ResourceConflict, "EvaluationForm %s has no active version.", form.ID)
		}
		version, err := e.version(ctx, tx, sc, form.ID, form.Value.ActiveVersion)
		if err != nil {
			return nil, err
		}
		now := e.stamp(ctx)
		evaluation := &evaluation.ContactEvaluation{
			ContactID: *in.ContactId, FormID: domain.EvaluationFormID(form.ID), FormVersionID: evaluation.FormVersionID(version.ID),
			FormVersion: version.Value.Version, FormTitle: version.Value.Content.Title,
			Status: types.EvaluationStatusDraft, Evaluator: now.By, Created: now.At, Modified: now.At,
		}
		if c := in.AutoEvaluationConfiguration; c != nil && c.Enabled {
			if automatic := version.Value.Content.AutoEvaluation; automatic == nil || !automatic.Enabled {
				return nil, fault.New(fault.InvalidParameter, "AutoEvaluationConfiguration.Enabled needs a form for which automated evaluations are enabled")
			}
			evaluation.AutoEvaluation = true
		}
		made, err := e.evaluations.Insert(ctx, tx, sc, evaluation, in.Tags)
		if err != nil {
			return nil, err
		}
		return &connect.StartContactEvaluationOutput{EvaluationId: &made.ID, EvaluationArn: made.ARN(sc)}, nil
	})
}

// UpdateContactEvaluation merges answers and notes into a draft; an empty one
// takes the former away.
func (e *Evaluations) UpdateContactEvaluation(ctx context.Context, in *connect.UpdateContactEvaluationInput) (*connect.UpdateContactEvaluationOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := e.changeEvaluation(ctx, sc, *in.EvaluationId, in.UpdatedBy, func(v *evaluation.ContactEvaluation, form *evaluation.FormContent) error {
		if v.Status != types.EvaluationStatusDraft {
			return fault.New(fault.ResourceConflict, "The evaluation is %s; only a draft can be updated. SubmitContactEvaluation submits it once more.", v.Status)
		}
		return v.Merge(form, answersIn(in.Answers), notesIn(in.Notes))
	})
	if err != nil {
		return nil, err
	}
	return &connect.UpdateContactEvaluationOutput{EvaluationId: &i.ID, EvaluationArn: i.ARN(sc)}, nil
}

// SubmitContactEvaluation merges answers and notes into an evaluation and
// computes its scores, for the first time or once more.
func (e *Evaluations) SubmitContactEvaluation(ctx context.Context, in *connect.SubmitContactEvaluationInput) (*connect.SubmitContactEvaluationOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := e.changeEvaluation(ctx, sc, *in.EvaluationId, in.SubmittedBy, func(v *evaluation.ContactEvaluation, form *evaluation.FormContent) error {
		if err := v.Merge(form, answersIn(in.Answers), notesIn(in.Notes)); err != nil {
			return err
		}
		return v.Submit(form)
	})
	if err != nil {
		return nil, err
	}
	return &connect.SubmitContactEvaluationOutput{EvaluationId: &i.ID, EvaluationArn: i.ARN(sc)}, nil
}

// changeEvaluation changes an evaluation by the version of the form that it
// follows. The evaluator is who changed it last: the user that the request
// names, or the caller.
func (e *Evaluations) changeEvaluation(ctx context.Context, sc catalog.Scope, idOrARN string, by types.EvaluatorUserUnion, change func(*evaluation.ContactEvaluation, *evaluation.FormContent) error) (i *catalog.Item[evaluation.ContactEvaluation], err error) {
	err = e.catalog.Store().Update(ctx, func(tx store.Tx) error {
		now := e.stamp(ctx)
		if user, ok := by.(*types.EvaluatorUserUnionMemberConnectUserArn); ok {
			id, err := catalog.Existing(ctx, tx, sc, domain.KindUser, user.Value)
			if err != nil {
				return err
			}
			now.By = sc.ARN(domain.KindUser, id)
		}
		if i, err = e.evaluations.GetIn(ctx, tx, sc, idOrARN); err != nil {
			return err
		}
		version, err := e.versions.GetIn(ctx, tx, sc, string(i.Value.FormVersionID))
		if err != nil {
			return err
		}
		return e.evaluations.Change(ctx, tx, sc, i.ID, func(v *evaluation.ContactEvaluation) error {
			v.Evaluator, v.Modified = now.By, now.At
			return change(v, &version.Value.Content)
		})
	})
	return i, err
}

// DescribeContactEvaluation returns an evaluation with the form that it
// follows, as it was when the evaluation was started.
func (e *Evaluations) DescribeContactEvaluation(ctx context.Context, in *connect.DescribeContactEvaluationInput) (*connect.DescribeContactEvaluationOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var i *catalog.Item[evaluation.ContactEvaluation]
	var version *catalog.Item[evaluation.FormVersion]
	err = e.catalog.Store().View(ctx, func(rd store.Reader) error {
		if i, err = e.evaluations.GetIn(ctx, rd, sc, *in.EvaluationId); err != nil {
			return err
		}
		version, err = e.versions.GetIn(ctx, rd, sc, string(i.Value.FormVersionID))
		return err
	})
	if err != nil {
		return nil, err
	}
	v, c := &i.Value, &version.Value.Content
	formID := string(v.FormID)
	out := &connect.DescribeContactEvaluationOutput{
		Evaluation: &types.Evaluation{
			EvaluationId: &i.ID, EvaluationArn: i.ARN(sc), EvaluationType: types.EvaluationTypeStandard, Status: v.Status,
			Metadata: &types.EvaluationMetadata{ContactId: &v.ContactID, EvaluatorArn: &v.Evaluator, Score: v.Score},
			Answers:  answersOut(v.Answers), Notes: notesOut(v.Notes), Scores: v.Scores,
			CreatedTime: &v.Created, LastModifiedTime: &v.Modified, Tags: i.TagMap(),
		},
		EvaluationForm: &types.EvaluationFormContent{
			EvaluationFormId: &formID, EvaluationFormArn: aws.String(sc.ARN(domain.KindEvaluationForm, formID)), EvaluationFormVersion: v.FormVersion,
			Title: &c.Title, Description: catalog.Optional(c.Description), Items: itemsOut(c.Items), ScoringStrategy: c.Scoring,
			AutoEvaluationConfiguration: c.AutoEvaluation, ReviewConfiguration: c.Review,
			TargetConfiguration: c.Target, LanguageConfiguration: c.Language,
		},
	}
	if v.AutoEvaluation {
		out.Evaluation.Metadata.AutoEvaluation = &types.AutoEvaluationDetails{AutoEvaluationEnabled: true, AutoEvaluationStatus: autoEvaluationStatus(v)}
	}
	return out, nil
}

// autoEvaluationStatus is FAILED of an evaluation that was to be automatic:
// nothing analyses conversations (docs/divergences.md).
func autoEvaluationStatus(e *evaluation.ContactEvaluation) types.AutoEvaluationStatus {
	if !e.AutoEvaluation {
		return ""
	}
	return types.AutoEvaluationStatusFailed
}

// DeleteContactEvaluation removes an evaluation in any state.
func (e *Evaluations) DeleteContactEvaluation(ctx context.Context, in *connect.DeleteContactEvaluationInput) (*connect.DeleteContactEvaluationOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, e.evaluations.Delete(ctx, sc, *in.EvaluationId, nil)
}

// unpaged is a page size that no list reaches.
const unpaged = 1 << 30

// ListContactEvaluations lists the evaluations of a contact, all on one page
// (AWS API reference, ListContactEvaluations).
func (e *Evaluations) ListContactEvaluations(ctx context.Context, in *connect.ListContactEvaluationsInput) (*connect.ListContactEvaluationsOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	q := search.Key{Field: fieldContact, Values: []string{*in.ContactId}}
	found, next, _, err := e.evaluations.Search(ctx, sc, q, catalog.Page{NextToken: in.NextToken, Default: unpaged})
	if err != nil {
		return nil, err
	}
	return &connect.ListContactEvaluationsOutput{
		NextToken: next,
		EvaluationSummaryList: catalog.Map(found, func(i *catalog.Item[evaluation.ContactEvaluation]) types.EvaluationSummary {
			v := &i.Value
			return types.EvaluationSummary{
				EvaluationId: &i.ID, EvaluationArn: i.ARN(sc), EvaluationType: types.EvaluationTypeStandard, Status: v.Status,
				EvaluationFormId: (*string)(&v.FormID), EvaluationFormTitle: &v.FormTitle, EvaluatorArn: &v.Evaluator, Score: v.Score,
				AutoEvaluationEnabled: v.AutoEvaluation, AutoEvaluationStatus: autoEvaluationStatus(v),
				CreatedTime: &v.Created, LastModifiedTime: &v.Modified,
			}
		}),
	}, nil
}

func answersIn(given map[string]types.EvaluationAnswerInput) map[string]*evaluation.Answer {
	answers := make(map[string]*evaluation.Answer, len(given))
	for ref, a := range given {
		switch v := a.Value.(type) {
		case nil:
			answers[ref] = nil
		case *types.EvaluationAnswerDataMemberStringValue:
			answers[ref] = &evaluation.Answer{String: &v.Value}
		case *types.EvaluationAnswerDataMemberStringValues:
			answers[ref] = &evaluation.Answer{Strings: v.Value}
		case *types.EvaluationAnswerDataMemberNumericValue:
			answers[ref] = &evaluation.Answer{Number: &v.Value}
		case *types.EvaluationAnswerDataMemberDateTimeValue:
			answers[ref] = &evaluation.Answer{DateTime: &v.Value}
		case *types.EvaluationAnswerDataMemberNotApplicable:
			answers[ref] = &evaluation.Answer{NotApplicable: v.Value}
		}
	}
	return answers
}

func answersOut(answers map[string]evaluation.Answer) map[string]types.EvaluationAnswerOutput {
	out := make(map[string]types.EvaluationAnswerOutput, len(answers))
	for ref, a := range answers {
		var v types.EvaluationAnswerData
		switch {
		case a.String != nil:
			v = &types.EvaluationAnswerDataMemberStringValue{Value: *a.String}
		case a.Number != nil:
			v = &types.EvaluationAnswerDataMemberNumericValue{Value: *a.Number}
		case a.DateTime != nil:
			v = &types.EvaluationAnswerDataMemberDateTimeValue{Value: *a.DateTime}
		case a.NotApplicable:
			v = &types.EvaluationAnswerDataMemberNotApplicable{Value: true}
		default:
			v = &types.EvaluationAnswerDataMemberStringValues{Value: a.Strings}
		}
		out[ref] = types.EvaluationAnswerOutput{Value: v}
	}
	return out
}

func notesIn(given map[string]types.EvaluationNote) map[string]*string {
	notes := make(map[string]*string, len(given))
	for ref, n := range given {
		notes[ref] = n.Value
	}
	return notes
}

func notesOut(notes map[string]string) map[string]types.EvaluationNote {
	out := make(map[string]types.EvaluationNote, len(notes))
	for ref, n := range notes {
		out[ref] = types.EvaluationNote{Value: &n}
	}
	return out
}
