package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const (
	evaluationForm    kind = "EvaluationForm"
	activeForm        kind = "EvaluationForm with an active version"
	contactEvaluation kind = "ContactEvaluation"
)

func init() {
	newForm := func(ctx context.Context, w *world, c *connect.Client) (*string, error) {
		out, err := c.CreateEvaluationForm(ctx, &connect.CreateEvaluationFormInput{
			InstanceId: &w.instance, Title: w.name(), AutoEvaluationConfiguration: &types.EvaluationFormAutoEvaluationConfiguration{Enabled: true},
			Items: []types.EvaluationFormItem{&types.EvaluationFormItemMemberSection{Value: types.EvaluationFormSection{
				RefId: aws.String("greeting"), Title: aws.String("Greeting"),
				Items: []types.EvaluationFormItem{&types.EvaluationFormItemMemberQuestion{Value: types.EvaluationFormQuestion{
					RefId: aws.String("name"), Title: aws.String("Which name did the agent give?"), QuestionType: types.EvaluationFormQuestionTypeText,
					NotApplicableEnabled: true,
					QuestionTypeProperties: &types.EvaluationFormQuestionTypePropertiesMemberText{Value: types.EvaluationFormTextQuestionProperties{
						Automation: &types.EvaluationFormTextQuestionAutomation{
							AnswerSource: &types.EvaluationFormQuestionAutomationAnswerSource{SourceType: types.EvaluationFormQuestionAutomationAnswerSourceTypeGenAi},
						},
					}},
				}}},
			}}},
		})
		if err != nil {
			return nil, err
		}
		return out.EvaluationFormId, nil
	}
	version := func(in object) { in["EvaluationFormVersion"] = float64(1) }
	add(family{
		makers: map[kind]maker{
			evaluationForm: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				return newForm(ctx, w, c)
			},
			activeForm: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				id, err := newForm(ctx, w, c)
				if err != nil {
					return nil, err
				}
				_, err = c.ActivateEvaluationForm(ctx, &connect.ActivateEvaluationFormInput{InstanceId: &w.instance, EvaluationFormId: id, EvaluationFormVersion: 1})
				return id, err
			},
			contactEvaluation: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.StartContactEvaluation(ctx, &connect.StartContactEvaluationInput{
					InstanceId: &w.instance, ContactId: aws.String("a-contact"), EvaluationFormId: aws.String(w.shared(t, activeForm)),
				})
				if err != nil {
					return nil, err
				}
				return out.EvaluationId, nil
			},
		},
		examples:   map[string]example{"DateTimeFormat": {"2026-01-01T00:00:00.000Z", "the first of 2026"}},
		references: map[string]kind{"EvaluationFormId": evaluationForm, "EvaluationId": contactEvaluation},
		recipes: map[string]recipe{
			"CreateEvaluationForm": of(with("Items", always(formItems)), formRules),
			"UpdateEvaluationForm": of(with("Items", always(formItems)), formRules, func(t testing.TB, w *world, in object, _ style) {
				in["EvaluationFormId"] = w.fresh(t, evaluationForm)
				version(in)
			}),
			"DescribeEvaluationForm": of(given("EvaluationFormVersion", always(float64(1)))),
			"DeleteEvaluationForm":   of(given("EvaluationFormVersion", always(float64(1)))),
			"ActivateEvaluationForm": of(func(_ testing.TB, _ *world, in object, _ style) { version(in) }),
			"DeactivateEvaluationForm": of(func(t testing.TB, w *world, in object, _ style) {
				in["EvaluationFormId"] = w.fresh(t, activeForm)
				version(in)
			}),
			"SearchEvaluationForms":    of(searchCriteria("title"), given("SearchFilter", always(object{"AttributeFilter": object{"TagCondition": tagCondition}}))),
			"StartContactEvaluation":   of(with("EvaluationFormId", func(t testing.TB, w *world) any { return w.shared(t, activeForm) })),
			"UpdateContactEvaluation":  of(draftEvaluation, answerRules("UpdatedBy")),
			"SubmitContactEvaluation":  of(draftEvaluation, answerRules("SubmittedBy")),
			"SearchContactEvaluations": of(searchCriteria("evaluationFormTitle"), given("SearchFilter", always(object{"AttributeFilter": object{"TagCondition": tagCondition}}))),
		},
	})
	merge(pagedOperations, map[string]paged{
		"ListEvaluationForms":      {evaluationForm, "EvaluationFormId", "DeleteEvaluationForm", "EvaluationFormId"},
		"SearchEvaluationForms":    {evaluationForm, "EvaluationFormId", "DeleteEvaluationForm", "EvaluationFormId"},
		"SearchContactEvaluations": {contactEvaluation, "EvaluationId", "DeleteContactEvaluation", "EvaluationId"},
	})
	merge(fewOperations, map[string]string{
		"ListEvaluationFormVersions": "versions of one form",
		"ListContactEvaluations":     "evaluations of one contact",
	})
}

// formItems ask one question that has scores, and another upon its answer.
var formItems = []any{object{"Section": object{"RefId": "greeting", "Title": "Greeting", "Instructions": "of the agent", "Weight": float64(100), "Items": []any{
	object{"Question": object{
		"RefId": "polite", "Title": "Was the agent polite?", "QuestionType": "SINGLESELECT",
		"QuestionTypeProperties": object{"SingleSelect": object{"DisplayAs": "RADIO", "Options": []any{
			object{"RefId": "yes", "Text": "Yes", "Score": float64(10)},
			object{"RefId": "no", "Text": "No", "Score": float64(0), "AutomaticFail": true, "AutomaticFailConfiguration": object{"TargetSection": "greeting"}},
		}, "Automation": object{"DefaultOptionRefId": "yes", "Options": []any{
			object{"RuleCategory": object{"Category": "Rude", "Condition": "PRESENT", "OptionRefId": "no"}},
		}}}},
	}},
	object{"Question": object{
		"RefId": "words", "Title": "Which words were rude?", "QuestionType": "TEXT", "NotApplicableEnabled": true,
		"QuestionTypeProperties": object{"Text": object{"Automation": object{"AnswerSource": object{"SourceType": "GEN_AI"}}}},
		"Enablement": object{"Action": "ENABLE", "DefaultAction": "DISABLE", "Condition": object{"Operator": "AND", "Operands": []any{
			object{"Expression": object{"Source": object{"Type": "QUESTION_REF_ID", "RefId": "polite"}, "Comparator": "IN", "Values": []any{object{"Type": "OPTION_REF_ID", "RefId": "no"}}}},
		}}},
	}},
}}}}

// formRules puts those who exist in the place of whoever is to be told, and
// weighs sections.
func formRules(t testing.TB, w *world, in object, how style) {
	if how == full {
		in["ScoringStrategy"] = object{"Mode": "SECTION_ONLY", "Status": "ENABLED"}
		in["ReviewConfiguration"] = object{"EligibilityDays": float64(7), "ReviewNotificationRecipients": []any{
			object{"Type": "USER_ID", "Value": object{"UserId": w.shared(t, user)}},
		}}
	}
}

func draftEvaluation(t testing.TB, w *world, in object, _ style) {
	in["EvaluationId"] = w.fresh(t, contactEvaluation)
}

// answerRules answers the question of the form that the evaluation follows.
func answerRules(by string) func(testing.TB, *world, object, style) {
	return func(t testing.TB, w *world, in object, how style) {
		if how == full {
			in["Answers"] = object{"name": object{"Value": object{"StringValue": "Mary"}}}
			in["Notes"] = object{"greeting": object{"Value": "a fine one"}}
			in[by] = object{"ConnectUserArn": userARN(t, w)}
		}
	}
}
