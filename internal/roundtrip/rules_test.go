package roundtrip

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func ruleKinds() []kind { return []kind{rules()} }

type ruleDocument struct {
	Rule *types.Rule
}

const ruleFunction = `{"Version":"2022-11-25","RuleFunction":{"Operator":"AND","Operands":[{"Operator":"CONTAINS_ANY","Operands":["refund"],"ComparisonValue":"$.ContactLens.PostCall.ExactMatch.Transcript"}]}}`

func rules() kind {
	return of("Rule",
		func(t testing.TB, s *site, n int) string {
			in := &connect.CreateRuleInput{
				InstanceId: &s.id, Name: aws.String(strings.ReplaceAll(*name("rule", n), " ", "-")), Function: aws.String(ruleFunction),
				PublishStatus:      []types.RulePublishStatus{types.RulePublishStatusDraft, types.RulePublishStatusPublished}[n%2],
				TriggerEventSource: &types.RuleTriggerEventSource{EventSourceName: types.EventSourceNameOnPostCallAnalysisAvailable},
				Actions:            callActions(t, s, n),
			}
			switch n {
			case 1:
				in.TriggerEventSource.EventSourceName, in.Actions = types.EventSourceNameOnCaseUpdate, caseActions()
			case 2:
				in.TriggerEventSource = &types.RuleTriggerEventSource{
					EventSourceName: types.EventSourceNameOnSalesforceCaseCreate, IntegrationAssociationId: aws.String(s.a(t, "IntegrationAssociation", 0)),
				}
				in.Actions = in.Actions[:1]
			}
			out, err := s.CreateRule(t.Context(), in)
			ok(t, err)
			tagARN(t, s, *out.RuleArn, map[string]string{"Team": "rules"})
			return *out.RuleId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListRules(t.Context(), &connect.ListRulesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, i := range page.RuleSummaryList {
					out, err := s.DescribeRule(t.Context(), &connect.DescribeRuleInput{InstanceId: &s.id, RuleId: i.RuleId})
					ok(t, err)
					all.add(*i.RuleId, *i.Name, ruleDocument{out.Rule})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d ruleDocument) string {
			out, err := s.CreateRule(t.Context(), &connect.CreateRuleInput{
				InstanceId: &s.id, Name: d.Rule.Name, Function: d.Rule.Function, PublishStatus: d.Rule.PublishStatus,
				TriggerEventSource: d.Rule.TriggerEventSource, Actions: d.Rule.Actions,
			})
			ok(t, err)
			tagARN(t, s, *out.RuleArn, d.Rule.Tags)
			return *out.RuleId
		},
		nil)
}

// callActions are those that go with the analysis of a call, the task first.
func callActions(t testing.TB, s *site, n int) []types.RuleAction {
	t.Helper()
	return []types.RuleAction{
		{ActionType: types.ActionTypeCreateTask, TaskAction: &types.TaskActionDefinition{
			Name: name("Task", n), Description: aws.String("soon"), ContactFlowId: aws.String(s.a(t, "ContactFlow", n)),
			References: map[string]types.Reference{"page": {Type: types.ReferenceTypeUrl, Value: aws.String("https://example.com")}},
		}},
		{ActionType: types.ActionTypeAssignContactCategory, AssignContactCategoryAction: &types.AssignContactCategoryActionDefinition{}},
		{ActionType: types.ActionTypeGenerateEventbridgeEvent, EventBridgeAction: &types.EventBridgeActionDefinition{Name: aws.String("refund")}},
		{ActionType: types.ActionTypeSendNotification, SendNotificationAction: &types.SendNotificationActionDefinition{
			DeliveryMethod: types.NotificationDeliveryTypeEmail, ContentType: types.NotificationContentTypePlainText,
			Subject: aws.String("Refund"), Content: aws.String("Somebody wants one"),
			Recipient: &types.NotificationRecipientType{UserIds: []string{s.a(t, "User", n)}},
			Exclusion: &types.NotificationRecipientType{UserTags: map[string]string{"Team": "A"}},
		}},
		{ActionType: types.ActionTypeCreateCase, CreateCaseAction: &types.CreateCaseActionDefinition{
			TemplateId: aws.String("template"), Fields: caseFields(),
		}},
		{ActionType: types.ActionTypeSubmitAutoEvaluation, SubmitAutoEvaluationAction: &types.SubmitAutoEvaluationActionDefinition{
			EvaluationFormId: aws.String(s.a(t, "EvaluationForm", n)),
		}},
	}
}

func caseFields() []types.FieldValue {
	return []types.FieldValue{
		{Id: aws.String("title"), Value: &types.FieldValueUnion{StringValue: aws.String("Refund")}},
		{Id: aws.String("amount"), Value: &types.FieldValueUnion{DoubleValue: aws.Float64(1.5)}},
		{Id: aws.String("urgent"), Value: &types.FieldValueUnion{BooleanValue: true}},
		{Id: aws.String("owner"), Value: &types.FieldValueUnion{EmptyValue: &types.EmptyFieldValue{}}},
	}
}

// caseActions are those that go with a case.
func caseActions() []types.RuleAction {
	return []types.RuleAction{
		{ActionType: types.ActionTypeUpdateCase, UpdateCaseAction: &types.UpdateCaseActionDefinition{Fields: caseFields()}},
		{ActionType: types.ActionTypeAssignSla, AssignSlaAction: &types.AssignSlaActionDefinition{
			SlaAssignmentType: types.SlaAssignmentTypeCases, CaseSlaConfiguration: &types.CaseSlaConfiguration{
				Name: aws.String("quick"), Type: types.SlaTypeCaseField, TargetSlaMinutes: aws.Int64(60), FieldId: aws.String("status"),
				TargetFieldValues: []types.FieldValueUnion{{StringValue: aws.String("closed")}},
			},
		}},
		{ActionType: types.ActionTypeEndAssociatedTasks, EndAssociatedTasksAction: &types.EndAssociatedTasksActionDefinition{}},
	}
}
