package evaluations

import (
	"context"
	"strconv"

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

// Admin guide, "Evaluation forms feature specifications".
const (
	formQuota    = 400
	versionQuota = 50 // of one form
)

var formKind = catalog.Kind[evaluation.Form]{
	Of:    domain.KindEvaluationForm,
	Name:  func(e *evaluation.Form) string { return e.Title },
	Quota: formQuota,
	Fields: catalog.Fields[evaluation.Form]{
		"title":       catalog.TextField(func(e *evaluation.Form) string { return e.Title }),
		"description": catalog.TextField(func(e *evaluation.Form) string { return e.Description }),
		"status":      catalog.TextField(func(e *evaluation.Form) string { return string(e.Status()) }),
		"contactInteractionType": catalog.TextField(func(e *evaluation.Form) string {
			return string(e.InteractionType)
		}),
		"evaluationFormLanguage": catalog.TextField(func(e *evaluation.Form) string { return string(e.Language) }),
		"resourceID":             catalog.IDField[evaluation.Form](),
		"numbers": catalog.OtherField(func(e *evaluation.Form, d *search.Doc) {
			d.Numbers = map[string][]float64{
				"latestversion":         {float64(e.LatestVersion)},
				"autoevaluationenabled": {truth(e.AutoEvaluation)},
				"createdtime":           {moment(e.Created.At)},
				"lastmodifiedtime":      {moment(e.Modified.At)},
			}
			if e.ActiveVersion != 0 {
				d.Numbers["activeversion"] = []float64{float64(e.ActiveVersion)}
			}
			if e.Activated != nil {
				d.Numbers["lastactivatedtime"] = []float64{moment(e.Activated.At)}
			}
		}),
	},
}

var versionKind = catalog.Kind[evaluation.FormVersion]{
	Of:   domain.KindEvaluationFormVersion,
	Name: func(e *evaluation.FormVersion) string { return versionName(e.Version) },
	Parent: &catalog.Parent[evaluation.FormVersion]{
		Kind: domain.KindEvaluationForm,
		Role: roleForm,
		ID:   func(e *evaluation.FormVersion) string { return string(e.FormID) },
	},
	Check:    (*evaluation.FormVersion).Check,
	Quota:    versionQuota,
	NoTags:   true,
	Unlisted: true,
}

// versionName is the name of a version among those of its form.
func versionName(version int32) string { return strconv.Itoa(int(version)) }

// CreateEvaluationForm adds a form with a first version, which is to be
// activated. AsDraft leaves out what the form must have for that.
func (e *Evaluations) CreateEvaluationForm(ctx context.Context, in *connect.CreateEvaluationFormInput) (*connect.CreateEvaluationFormOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	content, err := contentIn(&connect.UpdateEvaluationFormInput{
		Title: in.Title, Description: in.Description, Items: in.Items, ScoringStrategy: in.ScoringStrategy, AsDraft: in.AsDraft,
		AutoEvaluationConfiguration: in.AutoEvaluationConfiguration, ReviewConfiguration: in.ReviewConfiguration,
		TargetConfiguration: in.TargetConfiguration, LanguageConfiguration: in.LanguageConfiguration,
	})
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, e.catalog, sc, "CreateEvaluationForm", in.ClientToken, in, func(tx store.Tx) (*connect.CreateEvaluationFormOutput, error) {
		now := e.stamp(ctx)
		form := &evaluation.Form{Versions: 1, Created: now, Modified: now}
		form.Show(1, &content)
		made, err := e.forms.Insert(ctx, tx, sc, form, in.Tags)
		if err != nil {
			return nil, err
		}
		if err := e.addVersion(ctx, tx, sc, made.ID, 1, content, now); err != nil {
			return nil, err
		}
		return &connect.CreateEvaluationFormOutput{EvaluationFormId: &made.ID, EvaluationFormArn: made.ARN(sc)}, nil
	})
}

// contentIn is what a request says. It is checked before the transaction, for
// it may be long.
func contentIn(in *connect.UpdateEvaluationFormInput) (evaluation.FormContent, error) {
	c := evaluation.FormContent{
		Title: *in.Title, Description: aws.ToString(in.Description), Items: itemsIn(in.Items), Scoring: in.ScoringStrategy,
		AutoEvaluation: in.AutoEvaluationConfiguration, Review: in.ReviewConfiguration,
		Target: in.TargetConfiguration, Language: in.LanguageConfiguration,
	}
	if in.AsDraft {
		return c, c.Check()
	}
	return c, c.CheckComplete()
}

// addVersion adds a version to a form. Those who are to be told of reviews must
// be there at this moment.
func (e *Evaluations) addVersion(ctx context.Context, tx store.Tx, sc catalog.Scope, formID string, version int32, content evaluation.FormContent, now evaluation.Stamp) error {
	if err := checkReviewers(ctx, tx, sc, content.Review); err != nil {
		return err
	}
	_, err := e.versions.Insert(ctx, tx, sc, &evaluation.FormVersion{
		FormID: domain.EvaluationFormID(formID), Version: version, Created: now, Modified: now, Content: content,
	}, nil)
	return err
}

func checkReviewers(ctx context.Context, rd store.Reader, sc catalog.Scope, c *types.EvaluationReviewConfiguration) error {
	if c == nil {
		return nil
	}
	for i, r := range c.ReviewNotificationRecipients {
		if aws.ToString(r.Value.UserId) == "" {
			return fault.New(fault.InvalidParameter, "ReviewConfiguration.ReviewNotificationRecipients[%d].Value.UserId is required", i)
		}
		if _, err := catalog.Existing(ctx, rd, sc, domain.KindUser, *r.Value.UserId); err != nil {
			return err
		}
	}
	return nil
}

// UpdateEvaluationForm replaces the content of a version, or adds a version
// with CreateNewVersion. A version that was ever active is locked: evaluations
// follow it.
func (e *Evaluations) UpdateEvaluationForm(ctx context.Context, in *connect.UpdateEvaluationFormInput) (*connect.UpdateEvaluationFormOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	content, err := contentIn(in)
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, e.catalog, sc, "UpdateEvaluationForm", in.ClientToken, in, func(tx store.Tx) (*connect.UpdateEvaluationFormOutput, error) {
		form, version, err := e.formAndVersion(ctx, tx, sc, *in.EvaluationFormId, in.EvaluationFormVersion)
		if err != nil {
			return nil, err
		}
		number, now := in.EvaluationFormVersion, e.stamp(ctx)
		if aws.ToBool(in.CreateNewVersion) {
			number = form.Value.Versions + 1
			err = e.addVersion(ctx, tx, sc, form.ID, number, content, now)
		} else {
			err = e.replaceVersion(ctx, tx, sc, version, content, now)
		}
		if err != nil {
			return nil, err
		}
		err = e.forms.Change(ctx, tx, sc, form.ID, func(f *evaluation.Form) error {
			f.Versions, f.Modified = max(f.Versions, number), now
			if number >= f.LatestVersion {
				f.Show(number, &content)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		return &connect.UpdateEvaluationFormOutput{EvaluationFormId: &form.ID, EvaluationFormArn: form.ARN(sc), EvaluationFormVersion: number}, nil
	})
}

func (e *Evaluations) replaceVersion(ctx context.Context, tx store.Tx, sc catalog.Scope, version *catalog.Item[evaluation.FormVersion], content evaluation.FormContent, now evaluation.Stamp) error {
	if version.Value.Locked {
		return fault.New(fault.ResourceConflict, "Version %d of the evaluation form is locked, because it was active. Set CreateNewVersion to make another one.", version.Value.Version)
	}
	if err := checkReviewers(ctx, tx, sc, content.Review); err != nil {
		return err
	}
	return e.versions.Change(ctx, tx, sc, version.ID, func(v *evaluation.FormVersion) error {
		v.Content, v.Modified = content, now
		return nil
	})
}

// formAndVersion reads a form by id or ARN and one of its versions.
func (e *Evaluations) formAndVersion(ctx context.Context, rd store.Reader, sc catalog.Scope, idOrARN string, number int32) (*catalog.Item[evaluation.Form], *catalog.Item[evaluation.FormVersion], error) {
	form, err := e.forms.GetIn(ctx, rd, sc, idOrARN)
	if err != nil {
		return nil, nil, err
	}
	version, err := e.version(ctx, rd, sc, form.ID, number)
	return form, version, err
}

func (e *Evaluations) version(ctx context.Context, rd store.Reader, sc catalog.Scope, formID string, number int32) (*catalog.Item[evaluation.FormVersion], error) {
	version, err := e.versions.PartNamed(ctx, rd, sc, formID, versionName(number))
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, fault.New(fault.ResourceNotFound, "EvaluationForm %s has no version %d.", formID, number).Wrap(err)
	}
	return version, err
}

// DescribeEvaluationForm returns a version of a form, the latest unless the
// request names one.
func (e *Evaluations) DescribeEvaluationForm(ctx context.Context, in *connect.DescribeEvaluationFormInput) (*connect.DescribeEvaluationFormOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var form *catalog.Item[evaluation.Form]
	var version *catalog.Item[evaluation.FormVersion]
	err = e.catalog.Store().View(ctx, func(rd store.Reader) error {
		if form, err = e.forms.GetIn(ctx, rd, sc, *in.EvaluationFormId); err != nil {
			return err
		}
		number := form.Value.LatestVersion
		if in.EvaluationFormVersion != nil {
			number = *in.EvaluationFormVersion
		}
		version, err = e.version(ctx, rd, sc, form.ID, number)
		return err
	})
	if err != nil {
		return nil, err
	}
	v, c := &version.Value, &version.Value.Content
	return &connect.DescribeEvaluationFormOutput{EvaluationForm: &types.EvaluationForm{
		EvaluationFormId: &form.ID, EvaluationFormArn: form.ARN(sc), EvaluationFormVersion: v.Version,
		Locked: v.Locked, Status: form.Value.StatusOf(v.Version),
		Title: &c.Title, Description: catalog.Optional(c.Description), Items: itemsOut(c.Items), ScoringStrategy: c.Scoring,
		AutoEvaluationConfiguration: c.AutoEvaluation, ReviewConfiguration: c.Review,
		TargetConfiguration: c.Target, LanguageConfiguration: c.Language,
		CreatedBy: &v.Created.By, CreatedTime: &v.Created.At, LastModifiedBy: &v.Modified.By, LastModifiedTime: &v.Modified.At,
		Tags: form.TagMap(),
	}}, nil
}

// ListEvaluationForms lists forms, each as its latest version is.
func (e *Evaluations) ListEvaluationForms(ctx context.Context, in *connect.ListEvaluationFormsInput) (*connect.ListEvaluationFormsOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := e.forms.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListEvaluationFormsOutput{
		NextToken: next,
		EvaluationFormSummaryList: catalog.Map(found, func(i *catalog.Item[evaluation.Form]) types.EvaluationFormSummary {
			f := &i.Value
			s := types.EvaluationFormSummary{
				EvaluationFormId: &i.ID, EvaluationFormArn: i.ARN(sc), Title: &f.Title,
				LatestVersion: f.LatestVersion, ActiveVersion: activeVersion(f),
				CreatedBy: &f.Created.By, CreatedTime: &f.Created.At, LastModifiedBy: &f.Modified.By, LastModifiedTime: &f.Modified.At,
			}
			if f.Activated != nil {
				s.LastActivatedBy, s.LastActivatedTime = &f.Activated.By, &f.Activated.At
			}
			return s
		}),
	}, nil
}

// activeVersion is absent when none is active.
func activeVersion(f *evaluation.Form) *int32 {
	if f.ActiveVersion == 0 {
		return nil
	}
	return &f.ActiveVersion
}

// DeleteEvaluationForm removes a version of a form, or the form with all of
// them. What evaluations follow stays, and so does an active version unless the
// whole form goes; without its last version the form goes too.
func (e *Evaluations) DeleteEvaluationForm(ctx context.Context, in *connect.DeleteEvaluationFormInput) (*connect.DeleteEvaluationFormOutput, error) {
	sc, err := e.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if in.EvaluationFormVersion == nil {
		return nil, e.forms.Delete(ctx, sc, *in.EvaluationFormId, nil)
	}
	return nil, e.catalog.Store().Update(ctx, func(tx store.Tx) error {
		form, version, err := e.formAndVersion(ctx, tx, sc, *in.EvaluationFormId, *in.EvaluationFormVersion)
		if err != nil {
			return err
		}
		if form.Value.ActiveVersion == version.Value.Version {
			return fault.New(fault.ResourceConflict, "Version %d of the evaluation form is active. Deactivate it before it is deleted.", version.Value.Version)
		}
		if err := e.versions.Remove(ctx, tx, sc, version.ID, nil); err != nil {
			return err
		}
		left, err := e.versions.AllParts(ctx, tx, sc, form.ID)
		if err != nil {
			return err
		}
		if len(left) == 0 {
			return e.forms.Remove(ctx, tx, sc, form.ID, nil)
		}
		return e.forms.Change(ctx, tx, sc, form.ID, func(f *evaluation.Form) error {
			latest := &left[len(left)-1].Value
			f.Modified = e.stamp(ctx)
			f.Show(latest.Version, &latest.Content)
			return nil
		})
	})
}
