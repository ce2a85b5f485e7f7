package evaluations_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func is(field, value string) *types.StringCondition {
	return &types.StringCondition{FieldName: &field, Value: &value, ComparisonType: types.StringComparisonTypeExact}
}

func isTrue(field string) *types.BooleanCondition {
	return &types.BooleanCondition{FieldName: &field, ComparisonType: types.BooleanComparisonTypeIsTrue}
}

func equal(field string, n int32) *types.NumberCondition {
	return &types.NumberCondition{FieldName: &field, MinValue: &n, ComparisonType: types.NumberComparisonTypeEqual}
}

func since(field string, when time.Time) *types.DateTimeCondition {
	return &types.DateTimeCondition{FieldName: &field, MinValue: aws.String(when.UTC().Format("2006-01-02T15:04:05.000Z")), ComparisonType: types.DateTimeComparisonTypeGreaterThanOrEqualTo}
}

var (
	hourAgo   = time.Now().Add(-time.Hour)
	inAnHour  = time.Now().Add(time.Hour)
	tagFilter = &types.ControlPlaneAttributeFilter{TagCondition: &types.TagCondition{TagKey: aws.String("Team"), TagValue: aws.String("A")}}
)

func TestSearchEvaluationForms(t *testing.T) {
	s := newSite(t)
	a, _, err := s.create("Apples", small(), func(in *connect.CreateEvaluationFormInput) {
		in.Description, in.Tags = aws.String("red"), map[string]string{"Team": "A"}
		in.TargetConfiguration = &types.EvaluationFormTargetConfiguration{ContactInteractionType: types.ContactInteractionTypeCustomer}
		in.LanguageConfiguration = &types.EvaluationFormLanguageConfiguration{FormLanguage: types.EvaluationFormLanguageCodeDeDe}
		in.AsDraft, in.AutoEvaluationConfiguration = true, &types.EvaluationFormAutoEvaluationConfiguration{Enabled: true}
	})
	ok(t, err)
	b := s.active("Pears", small())
	_, err = s.update(b, 1, true, func(in *connect.UpdateEvaluationFormInput) { in.Title = aws.String("Plums") })
	ok(t, err)
	type criteria = types.EvaluationFormSearchCriteria
	find := func(c *criteria, f *types.ControlPlaneAttributeFilter) (ids []string, err error) {
		in := &connect.SearchEvaluationFormsInput{InstanceId: &s.id, SearchCriteria: c}
		if f != nil {
			in.SearchFilter = &types.EvaluationFormSearchFilter{AttributeFilter: f}
		}
		out, err := s.SearchEvaluationForms(t.Context(), in)
		if err != nil {
			return nil, err
		}
		for _, i := range out.EvaluationFormSearchSummaryList {
			ids = append(ids, *i.EvaluationFormId)
		}
		same(t, "the number of all", out.ApproximateTotalCount, len(ids))
		return ids, nil
	}
	never := since("CreatedTime", inAnHour)
	for what, c := range map[string]struct {
		criteria *criteria
		filter   *types.ControlPlaneAttributeFilter
		want     []string
	}{
		"all":         {nil, nil, []string{a, b}},
		"title":       {&criteria{StringCondition: is("Title", "plums")}, nil, []string{b}},
		"old title":   {&criteria{StringCondition: is("Title", "pears")}, nil, nil},
		"description": {&criteria{StringCondition: is("description", "red")}, nil, []string{a}},
		"status":      {&criteria{StringCondition: is("status", "ACTIVE")}, nil, []string{b}},
		"type":        {&criteria{StringCondition: is("contactInteractionType", "CUSTOMER")}, nil, []string{a}},
		"language":    {&criteria{StringCondition: is("evaluationFormLanguage", "de-DE")}, nil, []string{a}},
		"id":          {&criteria{StringCondition: is("resourceId", a)}, nil, []string{a}},
		"latest":      {&criteria{NumberCondition: equal("LatestVersion", 2)}, nil, []string{b}},
		"active":      {&criteria{NumberCondition: equal("activeVersion", 1)}, nil, []string{b}},
		"automatic":   {&criteria{BooleanCondition: isTrue("AutoEvaluationEnabled")}, nil, []string{a}},
		"by hand":     {&criteria{BooleanCondition: &types.BooleanCondition{FieldName: aws.String("AutoEvaluationEnabled"), ComparisonType: "IS_FALSE"}}, nil, []string{b}},
		"created":     {&criteria{DateTimeCondition: since("CreatedTime", hourAgo)}, nil, []string{a, b}},
		"modified":    {&criteria{DateTimeCondition: since("LastModifiedTime", inAnHour)}, nil, nil},
		"activated":   {&criteria{DateTimeCondition: since("LastActivatedTime", hourAgo)}, nil, []string{b}},
		"or":          {&criteria{OrConditions: []criteria{{StringCondition: is("title", "apples")}, {DateTimeCondition: never}}}, nil, []string{a}},
		"and":         {&criteria{AndConditions: []criteria{{StringCondition: is("title", "apples")}, {DateTimeCondition: never}}}, nil, nil},
		"tag":         {nil, tagFilter, []string{a}},
	} {
		t.Run(what, func(t *testing.T) {
			got, err := find(c.criteria, c.filter)
			ok(t, err)
			same(t, "found", got, c.want)
		})
	}
	for what, c := range map[string]*criteria{
		"FieldName":           {StringCondition: is("colour", "red")},
		"LatestVersion":       {NumberCondition: equal("limit", 1)},
		"LastActivatedTime":   {DateTimeCondition: since("Title", hourAgo)},
		"BooleanCondition":    {BooleanCondition: &types.BooleanCondition{FieldName: aws.String("AutoEvaluationEnabled")}},
		"no time that exists": {DateTimeCondition: &types.DateTimeCondition{FieldName: aws.String("CreatedTime"), MaxValue: aws.String("2026-02-30T00:00:00Z"), ComparisonType: "LESS_THAN"}},
		"ComparisonType":      {DateTimeCondition: &types.DateTimeCondition{FieldName: aws.String("CreatedTime"), MaxValue: aws.String("2026-02-20T00:00:00")}},
		"only one":            {StringCondition: is("title", "a"), NumberCondition: equal("LatestVersion", 1)},
	} {
		_, err := find(c, nil)
		fails(t, err, fault.InvalidParameter, what)
	}

	out, err := s.SearchEvaluationForms(t.Context(), &connect.SearchEvaluationFormsInput{InstanceId: &s.id, MaxResults: aws.Int32(1)})
	ok(t, err)
	f, l := s.form(a, 0), out.EvaluationFormSearchSummaryList[0]
	same(t, "a form found", l, types.EvaluationFormSearchSummary{
		EvaluationFormId: &a, EvaluationFormArn: f.EvaluationFormArn, Title: f.Title, Description: f.Description, Status: "DRAFT", LatestVersion: aws.Int32(1),
		AutoEvaluationEnabled: true, ContactInteractionType: "CUSTOMER", EvaluationFormLanguage: "de-DE", Tags: f.Tags,
		CreatedBy: f.CreatedBy, CreatedTime: f.CreatedTime, LastModifiedBy: f.LastModifiedBy, LastModifiedTime: f.LastModifiedTime,
	})
	if out.NextToken == nil || *out.ApproximateTotalCount != 2 {
		t.Errorf("the first of two pages has no token, or counts %d", *out.ApproximateTotalCount)
	}
}

func TestSearchContactEvaluations(t *testing.T) {
	s := newSite(t)
	form := s.active("Grades", []types.EvaluationFormItem{section("s", 100, grades("g", 0, ""))}, bySection)
	submitted := func(contact, grade string, tags map[string]string) string {
		id, err := s.start(contact, form, func(in *connect.StartContactEvaluationInput) { in.Tags = tags })
		ok(t, err)
		if grade != "" {
			ok(t, s.submit(id, answers{"g": say(grade)}))
		}
		return id
	}
	best, fair := submitted("a", "best", map[string]string{"Team": "A"}), submitted("b", "fair", nil)
	failed, none, open := submitted("c", "fail", nil), submitted("d", "N/A", nil), submitted("e", "", nil)
	type criteria = types.EvaluationSearchCriteria
	percentage := func(comparison types.DecimalComparisonType, least, most *float64) *criteria {
		return &criteria{DecimalCondition: &types.DecimalCondition{FieldName: aws.String("scorePercentage"), MinValue: least, MaxValue: most, ComparisonType: comparison}}
	}
	find := func(in *connect.SearchContactEvaluationsInput) (ids []string, next *string, err error) {
		in.InstanceId = &s.id
		out, err := s.SearchContactEvaluations(t.Context(), in)
		if err != nil {
			return nil, nil, err
		}
		for _, i := range out.EvaluationSearchSummaryList {
			ids = append(ids, *i.EvaluationId)
		}
		return ids, out.NextToken, nil
	}
	all := []string{best, fair, failed, none, open}
	for what, c := range map[string]struct {
		criteria *criteria
		want     []string
	}{
		"all":            {nil, all},
		"contact":        {&criteria{StringCondition: is("contactId", "b")}, []string{fair}},
		"form":           {&criteria{StringCondition: is("evaluationFormId", form)}, all},
		"title":          {&criteria{StringCondition: is("evaluationFormTitle", "grades")}, all},
		"status":         {&criteria{StringCondition: is("status", "DRAFT")}, []string{open}},
		"evaluator":      {&criteria{StringCondition: is("evaluatorArn", root)}, all},
		"id":             {&criteria{StringCondition: is("resourceID", best)}, []string{best}},
		"version":        {&criteria{NumberCondition: equal("EvaluationFormVersion", 1)}, all},
		"another":        {&criteria{NumberCondition: &types.NumberCondition{FieldName: aws.String("EvaluationFormVersion"), MaxValue: aws.Int32(1), ComparisonType: "LESSER"}}, nil},
		"half and more":  {percentage("GREATER_OR_EQUAL", aws.Float64(50), nil), []string{best, fair}},
		"less than half": {percentage("LESSER", nil, aws.Float64(50)), []string{failed, none}},
		"in a range":     {percentage("RANGE", aws.Float64(49.5), aws.Float64(50.5)), []string{fair}},
		"failed":         {&criteria{BooleanCondition: isTrue("scoreAutomaticFail")}, []string{failed}},
		"not applicable": {&criteria{BooleanCondition: isTrue("scoreNotApplicable")}, []string{none}},
		"automatic":      {&criteria{BooleanCondition: isTrue("autoEvaluationEnabled")}, nil},
		"created":        {&criteria{DateTimeCondition: since("createdTime", hourAgo)}, all},
		"modified":       {&criteria{DateTimeCondition: since("lastModifiedTime", inAnHour)}, nil},
		"and, or": {&criteria{AndConditions: []criteria{{StringCondition: is("status", "SUBMITTED")}, {OrConditions: []criteria{
			{StringCondition: is("contactId", "a")}, {StringCondition: is("contactId", "e")},
		}}}}, []string{best}},
	} {
		t.Run(what, func(t *testing.T) {
			got, _, err := find(&connect.SearchContactEvaluationsInput{SearchCriteria: c.criteria})
			ok(t, err)
			same(t, "found", got, c.want)
		})
	}
	got, _, err := find(&connect.SearchContactEvaluationsInput{SearchFilter: &types.EvaluationSearchFilter{AttributeFilter: tagFilter}})
	ok(t, err)
	same(t, "by tag", got, []string{best})
	for word, c := range map[string]*criteria{
		"ScorePercentage":       {DecimalCondition: &types.DecimalCondition{FieldName: aws.String("score")}},
		"MinValue":              percentage("RANGE", aws.Float64(1), nil),
		"EvaluationFormVersion": {NumberCondition: equal("LatestVersion", 1)},
	} {
		_, _, err := find(&connect.SearchContactEvaluationsInput{SearchCriteria: c})
		fails(t, err, fault.InvalidParameter, word)
	}
	pages := servertest.Pages(t, func(token *string) ([]string, *string, error) {
		return find(&connect.SearchContactEvaluationsInput{MaxResults: aws.Int32(2), NextToken: token})
	})
	same(t, "pages", pages, servertest.InPages(all, 2))

	out, err := s.SearchContactEvaluations(t.Context(), &connect.SearchContactEvaluationsInput{SearchCriteria: percentage("EQUAL", aws.Float64(50), nil), InstanceId: &s.id})
	ok(t, err)
	e := s.evaluation(fair).Evaluation
	same(t, "an evaluation found", out.EvaluationSearchSummaryList[0], types.EvaluationSearchSummary{
		EvaluationId: &fair, EvaluationArn: e.EvaluationArn, EvaluationFormId: &form, EvaluationFormTitle: aws.String("Grades"), EvaluationFormVersion: aws.Int32(1),
		EvaluationType: e.EvaluationType, Status: e.Status, CreatedTime: e.CreatedTime, LastModifiedTime: e.LastModifiedTime, Tags: e.Tags,
		Metadata: &types.EvaluationSearchMetadata{ContactId: aws.String("b"), EvaluatorArn: aws.String(root), ScorePercentage: 50},
	})
}
