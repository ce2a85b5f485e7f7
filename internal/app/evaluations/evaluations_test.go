package evaluations_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

const (
	unknownID = "00000000-0000-4000-8000-000000000000"
	root      = "arn:aws:iam::" + servertest.Account + ":root"
)

type site struct {
	*connect.Client
	t  *testing.T
	id string
}

func newSite(t *testing.T, change ...func(*server.Config)) *site {
	s := servertest.Boot(t, change...)
	return &site{s.Connect, t, s.NewInstance(t)}
}

// user makes a user and returns the id.
func (s *site) user() string {
	s.t.Helper()
	routing, err := s.ListRoutingProfiles(s.t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &s.id})
	ok(s.t, err)
	security, err := s.ListSecurityProfiles(s.t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &s.id})
	ok(s.t, err)
	out, err := s.CreateUser(s.t.Context(), &connect.CreateUserInput{
		InstanceId: &s.id, Username: aws.String("mary"), IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
		RoutingProfileId: routing.RoutingProfileSummaryList[0].Id, SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
	})
	ok(s.t, err)
	return *out.UserId
}

// create makes a form and returns its id and ARN.
func (s *site) create(title string, items []types.EvaluationFormItem, change ...func(*connect.CreateEvaluationFormInput)) (id, arn string, err error) {
	in := &connect.CreateEvaluationFormInput{InstanceId: &s.id, Title: &title, Items: items}
	for _, f := range change {
		f(in)
	}
	out, err := s.CreateEvaluationForm(s.t.Context(), in)
	if err != nil {
		return "", "", err
	}
	return *out.EvaluationFormId, *out.EvaluationFormArn, nil
}

// active makes a form with an active version and returns its id.
func (s *site) active(title string, items []types.EvaluationFormItem, change ...func(*connect.CreateEvaluationFormInput)) string {
	s.t.Helper()
	id, _, err := s.create(title, items, change...)
	ok(s.t, err)
	ok(s.t, s.activate(id, 1))
	return id
}

func (s *site) activate(id string, version int32) error {
	_, err := s.ActivateEvaluationForm(s.t.Context(), &connect.ActivateEvaluationFormInput{InstanceId: &s.id, EvaluationFormId: &id, EvaluationFormVersion: version})
	return err
}

func (s *site) deactivate(id string, version int32) error {
	_, err := s.DeactivateEvaluationForm(s.t.Context(), &connect.DeactivateEvaluationFormInput{InstanceId: &s.id, EvaluationFormId: &id, EvaluationFormVersion: version})
	return err
}

// form describes a version; the latest for 0.
func (s *site) form(id string, version int32) *types.EvaluationForm {
	s.t.Helper()
	in := &connect.DescribeEvaluationFormInput{InstanceId: &s.id, EvaluationFormId: &id}
	if version > 0 {
		in.EvaluationFormVersion = &version
	}
	out, err := s.DescribeEvaluationForm(s.t.Context(), in)
	ok(s.t, err)
	return out.EvaluationForm
}

// update replaces version 1 by what change makes of a small form, or adds a
// version.
func (s *site) update(id string, version int32, newVersion bool, change ...func(*connect.UpdateEvaluationFormInput)) (int32, error) {
	in := &connect.UpdateEvaluationFormInput{
		InstanceId: &s.id, EvaluationFormId: &id, EvaluationFormVersion: version, CreateNewVersion: &newVersion,
		Title: aws.String("Changed"), Items: small(),
	}
	for _, f := range change {
		f(in)
	}
	out, err := s.UpdateEvaluationForm(s.t.Context(), in)
	if err != nil {
		return 0, err
	}
	return out.EvaluationFormVersion, nil
}

func section(ref string, weight float64, items ...types.EvaluationFormItem) types.EvaluationFormItem {
	return &types.EvaluationFormItemMemberSection{Value: types.EvaluationFormSection{RefId: &ref, Title: aws.String("Section " + ref), Weight: weight, Items: append([]types.EvaluationFormItem{}, items...)}}
}

func question(q types.EvaluationFormQuestion) types.EvaluationFormItem {
	if q.Title == nil {
		q.Title = aws.String("Question " + aws.ToString(q.RefId))
	}
	return &types.EvaluationFormItemMemberQuestion{Value: q}
}

func text(ref string) types.EvaluationFormItem {
	return question(types.EvaluationFormQuestion{RefId: &ref, QuestionType: types.EvaluationFormQuestionTypeText})
}

// grades is an optional question with the answers best (10), fair (5), poor (0)
// and fail, which fails the form or, when target is not "", a section.
func grades(ref string, weight float64, target string) types.EvaluationFormItem {
	option := func(ref string, score int32) types.EvaluationFormSingleSelectQuestionOption {
		return types.EvaluationFormSingleSelectQuestionOption{RefId: &ref, Text: &ref, Score: score}
	}
	fail := option("fail", 10)
	fail.AutomaticFail = true
	if target != "" {
		fail.AutomaticFailConfiguration = &types.AutomaticFailConfiguration{TargetSection: &target}
	}
	return question(types.EvaluationFormQuestion{
		RefId: &ref, QuestionType: types.EvaluationFormQuestionTypeSingleselect, Weight: weight, NotApplicableEnabled: true,
		QuestionTypeProperties: &types.EvaluationFormQuestionTypePropertiesMemberSingleSelect{Value: types.EvaluationFormSingleSelectQuestionProperties{
			Options: []types.EvaluationFormSingleSelectQuestionOption{option("best", 10), option("fair", 5), option("poor", 0), fail},
		}},
	})
}

// small is a form of one question.
func small() []types.EvaluationFormItem {
	return []types.EvaluationFormItem{section("s", 0, text("q"))}
}

func byQuestion(in *connect.CreateEvaluationFormInput) {
	in.ScoringStrategy = &types.EvaluationFormScoringStrategy{Mode: types.EvaluationFormScoringModeQuestionOnly, Status: types.EvaluationFormScoringStatusEnabled}
}

func bySection(in *connect.CreateEvaluationFormInput) {
	in.ScoringStrategy = &types.EvaluationFormScoringStrategy{Mode: types.EvaluationFormScoringModeSectionOnly, Status: types.EvaluationFormScoringStatusEnabled}
}

func draft(in *connect.CreateEvaluationFormInput) { in.AsDraft = true }
