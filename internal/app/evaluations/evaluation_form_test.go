package evaluations_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

func TestEvaluationFormVersions(t *testing.T) {
	s := newSite(t)
	reviewer := s.user()
	full := func(in *connect.CreateEvaluationFormInput) {
		in.Description, in.ClientToken, in.Tags = aws.String("about agents"), aws.String("once"), map[string]string{"Team": "A"}
		in.TargetConfiguration = &types.EvaluationFormTargetConfiguration{ContactInteractionType: types.ContactInteractionTypeAgent}
		in.LanguageConfiguration = &types.EvaluationFormLanguageConfiguration{FormLanguage: types.EvaluationFormLanguageCodeEnUs}
		in.ReviewConfiguration = &types.EvaluationReviewConfiguration{EligibilityDays: 7, ReviewNotificationRecipients: []types.EvaluationReviewNotificationRecipient{{
			Type: types.EvaluationReviewNotificationRecipientTypeUserId, Value: &types.EvaluationReviewNotificationRecipientValue{UserId: &reviewer},
		}}}
	}
	id, arn, err := s.create("Form", small(), full)
	ok(t, err)
	again, _, err := s.create("Form", small(), full)
	ok(t, err)
	same(t, "the form of the same token", again, id)
	_, _, err = s.create("Form", small())
	fails(t, err, fault.ResourceConflict, "Form")

	f := s.form(arn, 0)
	same(t, "a new form", []any{f.EvaluationFormId, f.EvaluationFormArn, f.EvaluationFormVersion, f.Locked, f.Status, f.Title, f.Description, f.Items, f.Tags, f.CreatedBy, f.LastModifiedBy, f.ScoringStrategy, f.AutoEvaluationConfiguration, f.TargetConfiguration.ContactInteractionType, f.LanguageConfiguration.FormLanguage, f.ReviewConfiguration.EligibilityDays},
		[]any{id, servertest.InstanceARN(s.id) + "/evaluation-form/" + id, 1, false, "DRAFT", "Form", "about agents", small(), map[string]string{"Team": "A"}, root, root, nil, nil, "AGENT", "en-US", 7})

	// A draft is replaced; what was active is locked and another version made.
	version, err := s.update(id, 1, false)
	ok(t, err)
	same(t, "the version updated", []any{version, s.form(id, 1).Title, s.form(id, 1).Description}, []any{1, "Changed", nil})
	ok(t, s.activate(arn, 1))
	same(t, "an active version", []any{s.form(id, 1).Locked, s.form(id, 1).Status}, []any{true, "ACTIVE"})
	_, err = s.update(id, 1, false)
	fails(t, err, fault.ResourceConflict, "locked")
	retitled := func(in *connect.UpdateEvaluationFormInput) {
		in.Title, in.ClientToken = aws.String("Second"), aws.String("twice")
	}
	for range 2 { // the second time by the token
		version, err = s.update(id, 1, true, retitled)
		ok(t, err)
		same(t, "the version made", version, 2)
	}
	same(t, "the latest version", []any{s.form(id, 0).EvaluationFormVersion, s.form(id, 0).Title, s.form(id, 0).Locked, s.form(id, 0).Status}, []any{2, "Second", false, "DRAFT"})

	list := func() types.EvaluationFormSummary {
		out, err := s.ListEvaluationForms(t.Context(), &connect.ListEvaluationFormsInput{InstanceId: &s.id})
		ok(t, err)
		return out.EvaluationFormSummaryList[0]
	}
	l := list()
	same(t, "a form in a list", []any{l.EvaluationFormId, l.EvaluationFormArn, l.Title, l.LatestVersion, l.ActiveVersion, l.CreatedBy, l.LastModifiedBy, l.LastActivatedBy, l.LastActivatedTime == nil},
		[]any{id, arn, "Second", 2, 1, root, root, root, false})

	fails(t, s.deactivate(id, 2), fault.ResourceConflict, "not active")
	ok(t, s.activate(id, 2))
	same(t, "the former active version", []any{s.form(id, 1).Locked, s.form(id, 1).Status}, []any{true, "DRAFT"})
	ok(t, s.deactivate(id, 2))
	same(t, "no active version", []any{list().ActiveVersion, s.form(id, 2).Status, s.form(id, 2).Locked}, []any{nil, "DRAFT", true})

	versions, err := s.ListEvaluationFormVersions(t.Context(), &connect.ListEvaluationFormVersionsInput{InstanceId: &s.id, EvaluationFormId: &id})
	ok(t, err)
	v := versions.EvaluationFormVersionSummaryList
	same(t, "the versions", []any{len(v), v[0].EvaluationFormVersion, v[0].Locked, v[0].Status, v[1].EvaluationFormVersion, v[1].CreatedBy, v[1].EvaluationFormArn}, []any{2, 1, true, "DRAFT", 2, root, arn})

	for what, err := range map[string]error{
		"version":  s.activate(id, 9),
		"form":     s.activate(unknownID, 1),
		"inactive": s.deactivate(id, 9),
		"update":   func() error { _, err := s.update(id, 9, true); return err }(),
		"reviewer": func() error {
			reviewer = unknownID
			_, _, err := s.create("Other", small(), full, func(in *connect.CreateEvaluationFormInput) { in.ClientToken = nil })
			return err
		}(),
		"describe": func() error {
			_, err := s.DescribeEvaluationForm(t.Context(), &connect.DescribeEvaluationFormInput{InstanceId: &s.id, EvaluationFormId: &id, EvaluationFormVersion: aws.Int32(9)})
			return err
		}(),
		"versions": func() error {
			_, err := s.ListEvaluationFormVersions(t.Context(), &connect.ListEvaluationFormVersionsInput{InstanceId: &s.id, EvaluationFormId: aws.String(unknownID)})
			return err
		}(),
		"evaluated": func() error { _, err := s.start("contact", unknownID); return err }(),
	} {
		t.Run(what, func(t *testing.T) { fails(t, err, fault.ResourceNotFound) })
	}
}

func TestDeleteEvaluationForm(t *testing.T) {
	s := newSite(t)
	remove := func(id string, version int32) error {
		in := &connect.DeleteEvaluationFormInput{InstanceId: &s.id, EvaluationFormId: &id}
		if version > 0 {
			in.EvaluationFormVersion = &version
		}
		_, err := s.DeleteEvaluationForm(t.Context(), in)
		return err
	}
	id := s.active("Form", small())
	_, err := s.update(id, 1, true)
	ok(t, err)
	fails(t, remove(id, 1), fault.ResourceConflict, "active")
	fails(t, remove(id, 3), fault.ResourceNotFound)
	ok(t, remove(id, 2))
	same(t, "the latest version left", []any{s.form(id, 0).EvaluationFormVersion, s.form(id, 0).Title}, []any{1, "Form"})
	version, err := s.update(id, 1, true)
	ok(t, err)
	same(t, "a number is not given again", version, 3)

	evaluation, err := s.start("contact", id)
	ok(t, err)
	ok(t, s.deactivate(id, 1))
	fails(t, remove(id, 1), fault.ResourceConflict, "in use")
	fails(t, remove(id, 0), fault.ResourceConflict)
	_, err = s.DeleteContactEvaluation(t.Context(), &connect.DeleteContactEvaluationInput{InstanceId: &s.id, EvaluationId: &evaluation})
	ok(t, err)
	ok(t, remove(id, 1))
	ok(t, remove(id, 3)) // the last one, so the form goes too
	fails(t, remove(id, 0), fault.ResourceNotFound)

	whole := s.active("Whole", small())
	ok(t, remove(whole, 0))
	fails(t, s.activate(whole, 1), fault.ResourceNotFound)
}

// TestEvaluationFormItems breaks each rule of a form in turn.
func TestEvaluationFormItems(t *testing.T) {
	s := newSite(t)
	type q = types.EvaluationFormQuestion
	in := func(items ...types.EvaluationFormItem) []types.EvaluationFormItem {
		return []types.EvaluationFormItem{section("s", 100, items...)}
	}
	single := func(change func(*types.EvaluationFormSingleSelectQuestionProperties)) []types.EvaluationFormItem {
		item := grades("g", 0, "")
		question := &item.(*types.EvaluationFormItemMemberQuestion).Value
		question.NotApplicableEnabled = false
		change(&question.QuestionTypeProperties.(*types.EvaluationFormQuestionTypePropertiesMemberSingleSelect).Value)
		return in(item)
	}
	numeric := func(p types.EvaluationFormNumericQuestionProperties) []types.EvaluationFormItem {
		return in(question(q{RefId: aws.String("n"), QuestionType: "NUMERIC", QuestionTypeProperties: &types.EvaluationFormQuestionTypePropertiesMemberNumeric{Value: p}}))
	}
	span := func(from, to int32) types.EvaluationFormNumericQuestionOption {
		return types.EvaluationFormNumericQuestionOption{MinValue: from, MaxValue: to}
	}
	multi := func(refs []string, automation *types.EvaluationFormMultiSelectQuestionAutomation) []types.EvaluationFormItem {
		p := types.EvaluationFormMultiSelectQuestionProperties{Automation: automation, Options: []types.EvaluationFormMultiSelectQuestionOption{}}
		for _, ref := range refs {
			p.Options = append(p.Options, types.EvaluationFormMultiSelectQuestionOption{RefId: &ref, Text: &ref})
		}
		return in(question(q{RefId: aws.String("m"), QuestionType: "MULTISELECT", QuestionTypeProperties: &types.EvaluationFormQuestionTypePropertiesMemberMultiSelect{Value: p}}))
	}
	// asked is a text that is asked upon an answer to the question before it.
	asked := func(optional bool, source, value string, change ...func(*types.EvaluationFormItemEnablementCondition)) []types.EvaluationFormItem {
		c := types.EvaluationFormItemEnablementCondition{Operands: []types.EvaluationFormItemEnablementConditionOperand{
			&types.EvaluationFormItemEnablementConditionOperandMemberExpression{Value: upon(source, "IN", value)},
		}}
		for _, f := range change {
			f(&c)
		}
		first := grades("g", 0, "")
		first.(*types.EvaluationFormItemMemberQuestion).Value.NotApplicableEnabled = optional
		return in(first, text("t"), question(q{RefId: aws.String("x"), QuestionType: "TEXT", Enablement: &types.EvaluationFormItemEnablementConfiguration{Action: "ENABLE", Condition: &c}}))
	}
	circle := func() []types.EvaluationFormItem {
		a, b := grades("a", 0, ""), grades("b", 0, "")
		for item, other := range map[types.EvaluationFormItem]string{a: "b", b: "a"} {
			question := &item.(*types.EvaluationFormItemMemberQuestion).Value
			question.NotApplicableEnabled = false
			question.Enablement = &types.EvaluationFormItemEnablementConfiguration{Action: "ENABLE", Condition: &types.EvaluationFormItemEnablementCondition{
				Operands: []types.EvaluationFormItemEnablementConditionOperand{&types.EvaluationFormItemEnablementConditionOperandMemberExpression{Value: upon(other, "IN", "best")}},
			}}
		}
		return in(a, b)
	}
	var crowd []types.EvaluationFormItem
	for i := range 101 {
		crowd = append(crowd, text(fmt.Sprintf("q%d", i)))
	}
	long := strings.Repeat("ä", 129)
	const item, properties = "Items[0].Section.Items[0].Question", "Items[0].Section.Items[0].Question.QuestionTypeProperties"
	for what, c := range map[string]struct {
		items  []types.EvaluationFormItem
		change func(*connect.CreateEvaluationFormInput)
		want   string // "" for a success
	}{
		"no items":           {[]types.EvaluationFormItem{}, draft, "Items must include"},
		"no title":           {small(), func(in *connect.CreateEvaluationFormInput) { in.Title = aws.String("") }, "Title must have 1 to 128"},
		"a long title":       {small(), func(in *connect.CreateEvaluationFormInput) { in.Title = &long }, "Title must have 1 to 128 characters, it has 129"},
		"a long description": {small(), func(in *connect.CreateEvaluationFormInput) { in.Description = aws.String(strings.Repeat("a", 1025)) }, "Description"},
		"outside":            {[]types.EvaluationFormItem{text("q")}, draft, "Items[0] must be a Section"},
		"an empty section":   {in(), draft, "Items[0].Section.Items must include"},
		"two levels":         {in(section("i", 0, text("q"))), nil, ""},
		"three levels":       {in(section("i", 0, section("j", 0, text("q")))), draft, "Items[0].Section.Items[0].Section.Items[0].Section is nested deeper than 2"},
		"a RefId twice":      {in(text("s")), draft, item + ".RefId \"s\" is used twice"},
		"a bad RefId":        {in(text("no blanks")), draft, item + ".RefId"},
		"101 questions":      {in(crowd...), draft, "at most 100 questions"},
		"101 sections": {func() []types.EvaluationFormItem {
			var all []types.EvaluationFormItem
			for i := range 101 {
				all = append(all, section(fmt.Sprintf("i%d", i), 0, text(fmt.Sprintf("q%d", i))))
			}
			return in(all...)
		}(), draft, "at most 100 sections"},
		"a long question":   {in(question(q{RefId: aws.String("q"), Title: aws.String(strings.Repeat("a", 351)), QuestionType: "TEXT"})), draft, item + ".Title"},
		"instructions":      {in(question(q{RefId: aws.String("q"), Instructions: aws.String(strings.Repeat("a", 1025)), QuestionType: "TEXT"})), draft, item + ".Instructions"},
		"a weight":          {in(question(q{RefId: aws.String("q"), Weight: 101, QuestionType: "TEXT"})), draft, item + ".Weight must be between 0 and 100"},
		"no properties":     {in(question(q{RefId: aws.String("q"), QuestionType: "SINGLESELECT"})), draft, properties + ".SingleSelect is required"},
		"other properties":  {in(question(q{RefId: aws.String("q"), QuestionType: "DATETIME", QuestionTypeProperties: &types.EvaluationFormQuestionTypePropertiesMemberText{}})), draft, properties + ".Text must not be given"},
		"a date":            {in(question(q{RefId: aws.String("q"), QuestionType: "DATETIME"})), nil, ""},
		"one option":        {single(func(p *types.EvaluationFormSingleSelectQuestionProperties) { p.Options = p.Options[:1] }), draft, properties + ".SingleSelect.Options must include 2 to 256"},
		"an option twice":   {single(func(p *types.EvaluationFormSingleSelectQuestionProperties) { p.Options[1].RefId = aws.String("best") }), draft, ".Options[1].RefId \"best\" is used twice"},
		"an empty option":   {single(func(p *types.EvaluationFormSingleSelectQuestionProperties) { p.Options[1].Text = aws.String("") }), draft, ".Options[1].Text"},
		"an 11":             {single(func(p *types.EvaluationFormSingleSelectQuestionProperties) { p.Options[0].Score = 11 }), draft, ".Options[0].Score must be between 0 and 10"},
		"a failing section": {in(grades("g", 0, "s")), nil, ""},
		"another section":   {in(grades("g", 0, "elsewhere")), draft, ".Options[3].AutomaticFailConfiguration.TargetSection"},
		"a fail that is none": {single(func(p *types.EvaluationFormSingleSelectQuestionProperties) {
			p.Options[0].AutomaticFailConfiguration = &types.AutomaticFailConfiguration{TargetSection: aws.String("s")}
		}), draft, ".Options[0].AutomaticFailConfiguration must not"},
		"automation": {single(func(p *types.EvaluationFormSingleSelectQuestionProperties) {
			p.Automation = &types.EvaluationFormSingleSelectQuestionAutomation{DefaultOptionRefId: aws.String("worst"), Options: []types.EvaluationFormSingleSelectQuestionAutomationOption{
				&types.EvaluationFormSingleSelectQuestionAutomationOptionMemberRuleCategory{Value: types.SingleSelectQuestionRuleCategoryAutomation{Category: aws.String(""), Condition: "PRESENT", OptionRefId: aws.String("bad")}},
			}}
		}), draft, ".RuleCategory.Category must have 1 to 50 characters, it has 0; " + properties + ".SingleSelect.Automation.Options[0].RuleCategory.OptionRefId \"bad\" is no option of the question; " + properties + ".SingleSelect.Automation.DefaultOptionRefId \"worst\" is no option"},
		"no options":        {multi(nil, nil), draft, ".MultiSelect.Options must include 2 to 256"},
		"multiple defaults": {multi([]string{"a", "b"}, &types.EvaluationFormMultiSelectQuestionAutomation{DefaultOptionRefIds: []string{"a", "c"}}), draft, ".Automation.DefaultOptionRefIds[1]"},
		"multiple answers": {multi([]string{"a", "b"}, &types.EvaluationFormMultiSelectQuestionAutomation{Options: []types.EvaluationFormMultiSelectQuestionAutomationOption{
			&types.EvaluationFormMultiSelectQuestionAutomationOptionMemberRuleCategory{Value: types.MultiSelectQuestionRuleCategoryAutomation{Category: aws.String("c"), Condition: "PRESENT", OptionRefIds: []string{}}},
		}}), draft, ".RuleCategory.OptionRefIds must include"},
		"ranges":              {numeric(types.EvaluationFormNumericQuestionProperties{MaxValue: 10, Options: []types.EvaluationFormNumericQuestionOption{span(0, 4), span(5, 10)}}), nil, ""},
		"ranges that overlap": {numeric(types.EvaluationFormNumericQuestionProperties{MaxValue: 10, Options: []types.EvaluationFormNumericQuestionOption{span(0, 5), span(5, 10)}}), draft, ".Options[1] overlaps with Options[0]"},
		"a range outside":     {numeric(types.EvaluationFormNumericQuestionProperties{MaxValue: 10, Options: []types.EvaluationFormNumericQuestionOption{span(5, 11)}}), draft, ".Options[0] must lie within 0 to 10"},
		"a range upside down": {numeric(types.EvaluationFormNumericQuestionProperties{MaxValue: 10, Options: []types.EvaluationFormNumericQuestionOption{span(5, 4)}}), draft, ".Options[0].MinValue"},
		"eleven ranges": {numeric(types.EvaluationFormNumericQuestionProperties{MaxValue: 10, Options: func() (all []types.EvaluationFormNumericQuestionOption) {
			for i := range int32(11) {
				all = append(all, span(i, i))
			}
			return all
		}()}), draft, ".Options must include at most 10"},
		"numbers upside down":     {numeric(types.EvaluationFormNumericQuestionProperties{MinValue: 1}), draft, ".Numeric.MinValue"},
		"a condition":             {asked(false, "g", "best"), nil, ""},
		"on an optional question": {asked(true, "g", "best"), draft, "must not name an optional question"},
		"on a text":               {asked(false, "t", "best"), draft, ".Source.RefId must name a question of type SINGLESELECT or MULTISELECT"},
		"on nothing":              {asked(false, "nowhere", "best"), draft, "Items[0].Section.Items[2].Question.Enablement.Condition.Operands[0].Expression.Source.RefId \"nowhere\" is no question"},
		"on no option":            {asked(false, "g", "worst"), draft, ".Values[0].RefId \"worst\" is no option"},
		"without values": {asked(false, "g", "best", func(c *types.EvaluationFormItemEnablementCondition) {
			e := upon("g", "IN", "")
			e.Values = []types.EvaluationFormItemEnablementSourceValue{}
			c.Operands[0] = &types.EvaluationFormItemEnablementConditionOperandMemberExpression{Value: e}
		}), draft, ".Values must include"},
		"without operands": {asked(false, "g", "best", func(c *types.EvaluationFormItemEnablementCondition) {
			c.Operands = []types.EvaluationFormItemEnablementConditionOperand{}
		}), draft, ".Operands must include"},
		"without operator":          {asked(false, "g", "best", func(c *types.EvaluationFormItemEnablementCondition) { c.Operands = append(c.Operands, c.Operands[0]) }), draft, ".Operator is required"},
		"in a circle":               {circle(), draft, "depends on the answer to the question itself"},
		"weights":                   {in(grades("a", 60, ""), grades("b", 40, "")), byQuestion, ""},
		"weights of 99":             {in(grades("a", 60, ""), grades("b", 39, "")), byQuestion, "sum up to 100 for the scoring mode QUESTION_ONLY, they sum up to 99"},
		"weights of 99, a draft":    {in(grades("a", 60, ""), grades("b", 39, "")), func(in *connect.CreateEvaluationFormInput) { byQuestion(in); draft(in) }, ""},
		"a weight without a score":  {in(grades("a", 60, ""), question(q{RefId: aws.String("t"), Weight: 40, QuestionType: "TEXT"})), byQuestion, "must have no weight at the question \"t\""},
		"weights of sections":       {[]types.EvaluationFormItem{section("s", 70, grades("a", 0, "")), section("t", 30, grades("b", 0, ""))}, bySection, ""},
		"weights of sections of 90": {[]types.EvaluationFormItem{section("s", 70, grades("a", 0, "")), section("t", 20, grades("b", 0, ""))}, bySection, "sections at the first level that sum up to 100"},
		"nothing to score":          {in(text("q")), bySection, "ScoringStrategy needs a question"},
		"not automatic": {small(), func(in *connect.CreateEvaluationFormInput) {
			in.AutoEvaluationConfiguration = &types.EvaluationFormAutoEvaluationConfiguration{Enabled: true}
		}, "AutoEvaluationConfiguration.Enabled needs automation on every question, but the question \"q\""},
		"days": {small(), func(in *connect.CreateEvaluationFormInput) {
			in.ReviewConfiguration = &types.EvaluationReviewConfiguration{EligibilityDays: -1, ReviewNotificationRecipients: []types.EvaluationReviewNotificationRecipient{{Type: "USER_ID", Value: &types.EvaluationReviewNotificationRecipientValue{}}}}
		}, "ReviewConfiguration.EligibilityDays"},
		"nobody to tell": {small(), func(in *connect.CreateEvaluationFormInput) {
			in.ReviewConfiguration = &types.EvaluationReviewConfiguration{ReviewNotificationRecipients: []types.EvaluationReviewNotificationRecipient{{Type: "USER_ID", Value: &types.EvaluationReviewNotificationRecipientValue{}}}}
		}, "ReviewConfiguration.ReviewNotificationRecipients[0].Value.UserId is required"},
	} {
		t.Run(what, func(t *testing.T) {
			if c.change == nil {
				c.change = func(*connect.CreateEvaluationFormInput) {}
			}
			id, _, err := s.create(what, c.items, c.change)
			if c.want != "" {
				fails(t, err, fault.InvalidParameter, c.want)
				return
			}
			ok(t, err)
			same(t, "the items", s.form(id, 1).Items, c.items)
		})
	}

	// What a draft need not have is asked for when it is activated.
	id, _, err := s.create("a draft", in(grades("a", 60, "")), byQuestion, draft)
	ok(t, err)
	fails(t, s.activate(id, 1), fault.InvalidParameter, "sum up to 100")
	_, err = s.update(id, 1, false, func(in *connect.UpdateEvaluationFormInput) {
		in.Items = []types.EvaluationFormItem{text("q")}
		in.AsDraft = true
	})
	fails(t, err, fault.InvalidParameter, "Items[0]")
}

// upon compares the answer to a question with options.
func upon(source, comparator string, values ...string) types.EvaluationFormItemEnablementExpression {
	e := types.EvaluationFormItemEnablementExpression{
		Source:     &types.EvaluationFormItemEnablementSource{Type: types.EvaluationFormItemEnablementSourceTypeQuestionRefId, RefId: &source},
		Comparator: types.EvaluationFormItemSourceValuesComparator(comparator),
	}
	for _, v := range values {
		e.Values = append(e.Values, types.EvaluationFormItemEnablementSourceValue{Type: types.EvaluationFormItemEnablementSourceValueTypeOptionRefId, RefId: &v})
	}
	return e
}

func TestEvaluationFormPagesAndQuotas(t *testing.T) {
	s := newSite(t, func(c *server.Config) { c.Quotas = true })
	var ids []string
	for i := range 5 {
		id, _, err := s.create(fmt.Sprintf("Form %d", i), small())
		ok(t, err)
		ids = append(ids, id)
	}
	pages := servertest.Pages(t, func(token *string) (page []string, next *string, err error) {
		out, err := s.ListEvaluationForms(t.Context(), &connect.ListEvaluationFormsInput{InstanceId: &s.id, MaxResults: aws.Int32(2), NextToken: token})
		ok(t, err)
		for _, i := range out.EvaluationFormSummaryList {
			page = append(page, *i.EvaluationFormId)
		}
		return page, out.NextToken, nil
	})
	same(t, "pages", pages, servertest.InPages(ids, 2))

	var all []int32
	for i := range int32(50) {
		all = append(all, i+1)
		if i > 0 {
			_, err := s.update(ids[0], 1, true)
			ok(t, err)
		}
	}
	_, err := s.update(ids[0], 1, true)
	fails(t, err, fault.ServiceQuotaExceeded, "50")
	versions := servertest.Pages(t, func(token *string) (page []int32, next *string, err error) {
		out, err := s.ListEvaluationFormVersions(t.Context(), &connect.ListEvaluationFormVersionsInput{InstanceId: &s.id, EvaluationFormId: &ids[0], MaxResults: aws.Int32(20), NextToken: token})
		ok(t, err)
		for _, i := range out.EvaluationFormVersionSummaryList {
			page = append(page, i.EvaluationFormVersion)
		}
		return page, out.NextToken, nil
	})
	same(t, "pages of versions", versions, servertest.InPages(all, 20))
}
