package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const rule kind = "Rule"

func init() {
	add(family{
		makers: map[kind]maker{
			rule: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateRule(ctx, &connect.CreateRuleInput{
					InstanceId: &w.instance, Name: aws.String(ruleName(w)), Function: aws.String(ruleFunction), PublishStatus: types.RulePublishStatusDraft,
					TriggerEventSource: &types.RuleTriggerEventSource{EventSourceName: types.EventSourceNameOnPostCallAnalysisAvailable},
					Actions: []types.RuleAction{{
						ActionType: types.ActionTypeAssignContactCategory, AssignContactCategoryAction: &types.AssignContactCategoryActionDefinition{},
					}},
				})
				if err != nil {
					return nil, err
				}
				return out.RuleId, nil
			},
		},
		references: map[string]kind{"RuleId": rule},
		examples: map[string]example{
			"RuleName":     {"a-name", "!"},
			"ReferenceArn": {"arn:aws:s3:::bucket/attachment", "(no ARN, whatever it is)"},
			"SlaName":      {"A name", "ends with a space "},
		},
		recipes: map[string]recipe{
			"CreateRule": of(ruleRules, with("Name", func(_ testing.TB, w *world) any { return ruleName(w) }),
				with("TriggerEventSource", always(object{"EventSourceName": "OnPostCallAnalysisAvailable"}))),
			"UpdateRule": of(ruleRules, renamedRule),
		},
	})
	merge(pagedOperations, map[string]paged{"ListRules": {rule, "RuleId", "DeleteRule", "RuleId"}})
}

const ruleFunction = `{"Version":"2022-11-25","RuleFunction":{"Operator":"AND","Operands":[{"Operator":"CONTAINS_ANY","Operands":["refund"],"ComparisonValue":"$.ContactLens.PostCall.ExactMatch.Transcript"}]}}`

func ruleName(w *world) string { return *w.alias() }

// ruleRules asks for what goes with the analysis of a call.
func ruleRules(t testing.TB, w *world, in object, how style) {
	in["Function"] = ruleFunction
	list := []any{object{"ActionType": "ASSIGN_CONTACT_CATEGORY", "AssignContactCategoryAction": object{}}}
	if how == full {
		one := []any{w.shared(t, user)}
		list = append(
			list,
			object{"ActionType": "CREATE_TASK", "TaskAction": object{
				"Name": "Call back", "Description": "soon", "ContactFlowId": w.shared(t, contactFlow),
				"References": object{"page": object{"Type": "URL", "Value": "https://example.com"}},
			}},
			object{"ActionType": "SEND_NOTIFICATION", "SendNotificationAction": object{
				"DeliveryMethod": "EMAIL", "ContentType": "PLAIN_TEXT", "Subject": "Refund", "Content": "Somebody wants one",
				"Recipient": object{"UserIds": one}, "Exclusion": object{"UserTags": object{"Team": "A"}},
			}},
			object{"ActionType": "CREATE_CASE", "CreateCaseAction": object{"TemplateId": "template", "Fields": []any{
				object{"Id": "title", "Value": object{"StringValue": "Refund"}},
			}}},
			object{"ActionType": "SUBMIT_AUTO_EVALUATION", "SubmitAutoEvaluationAction": object{"EvaluationFormId": w.shared(t, evaluationForm)}},
		)
	}
	in["Actions"] = list
}

// renamedRule keeps the name of the rule, which cannot be changed.
func renamedRule(t testing.TB, w *world, in object, _ style) {
	id := in["RuleId"].(string)
	out, err := w.server.Connect.DescribeRule(context.Background(), &connect.DescribeRuleInput{InstanceId: &w.instance, RuleId: &id})
	if err != nil {
		t.Fatal(err)
	}
	in["Name"] = *out.Rule.Name
}
