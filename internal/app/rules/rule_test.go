package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

const unknownID = "00000000-0000-4000-8000-000000000000"

// refund is a function of one condition.
const refund = `{"Version":"2022-11-25","RuleFunction":{"Operator":"AND","Operands":[` + mention + `]}}`

const mention = `{"Operator":"CONTAINS_ANY","Operands":["refund"],"ComparisonValue":"$.ContactLens.PostCall.ExactMatch.Transcript","Negate":false}`

type site struct {
	*connect.Client
	t              *testing.T
	id, flow, user string
}

func newSite(t *testing.T, change ...func(*server.Config)) *site {
	s := servertest.Boot(t, change...)
	id := s.NewInstance(t)
	flows, err := s.Connect.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &id})
	ok(t, err)
	routing, err := s.Connect.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &id})
	ok(t, err)
	security, err := s.Connect.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &id})
	ok(t, err)
	user, err := s.Connect.CreateUser(t.Context(), &connect.CreateUserInput{
		InstanceId: &id, Username: aws.String("mary"), IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
		RoutingProfileId: routing.RoutingProfileSummaryList[0].Id, SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
	})
	ok(t, err)
	return &site{s.Connect, t, id, *flows.ContactFlowSummaryList[0].Id, *user.UserId}
}

// rule is a request for a rule that only categorizes; change alters it.
func (s *site) rule(name string, change ...func(*connect.CreateRuleInput)) *connect.CreateRuleInput {
	in := &connect.CreateRuleInput{
		InstanceId: &s.id, Name: &name, Function: aws.String(refund), PublishStatus: types.RulePublishStatusDraft,
		TriggerEventSource: &types.RuleTriggerEventSource{EventSourceName: types.EventSourceNameOnPostCallAnalysisAvailable},
		Actions:            []types.RuleAction{category},
	}
	for _, f := range change {
		f(in)
	}
	return in
}

func (s *site) create(name string, change ...func(*connect.CreateRuleInput)) (*connect.CreateRuleOutput, error) {
	return s.CreateRule(s.t.Context(), s.rule(name, change...))
}

func (s *site) describe(id string) *types.Rule {
	s.t.Helper()
	out, err := s.DescribeRule(s.t.Context(), &connect.DescribeRuleInput{InstanceId: &s.id, RuleId: &id})
	ok(s.t, err)
	return out.Rule
}

var (
	category = types.RuleAction{ActionType: types.ActionTypeAssignContactCategory, AssignContactCategoryAction: &types.AssignContactCategoryActionDefinition{}}
	event    = types.RuleAction{ActionType: types.ActionTypeGenerateEventbridgeEvent, EventBridgeAction: &types.EventBridgeActionDefinition{Name: aws.String("refund")}}
	endTasks = types.RuleAction{ActionType: types.ActionTypeEndAssociatedTasks, EndAssociatedTasksAction: &types.EndAssociatedTasksActionDefinition{}}
)

func (s *site) task(flow string) types.RuleAction {
	return types.RuleAction{ActionType: types.ActionTypeCreateTask, TaskAction: &types.TaskActionDefinition{
		Name: aws.String("Call back"), Description: aws.String("about $.ContactLens.PostCall.ContactId"), ContactFlowId: &flow,
		References: map[string]types.Reference{"page": {Type: types.ReferenceTypeUrl, Value: aws.String("https://example.com")}},
	}}
}

func notify(to, but *types.NotificationRecipientType) types.RuleAction {
	return types.RuleAction{ActionType: types.ActionTypeSendNotification, SendNotificationAction: &types.SendNotificationActionDefinition{
		DeliveryMethod: types.NotificationDeliveryTypeEmail, Subject: aws.String("Refund"), Content: aws.String("somebody wants one"),
		ContentType: types.NotificationContentTypePlainText, Recipient: to, Exclusion: but,
	}}
}

func evaluate(form string) types.RuleAction {
	return types.RuleAction{ActionType: types.ActionTypeSubmitAutoEvaluation, SubmitAutoEvaluationAction: &types.SubmitAutoEvaluationActionDefinition{EvaluationFormId: &form}}
}

func createCase(fields ...types.FieldValue) types.RuleAction {
	return types.RuleAction{ActionType: types.ActionTypeCreateCase, CreateCaseAction: &types.CreateCaseActionDefinition{TemplateId: aws.String("template"), Fields: append([]types.FieldValue{}, fields...)}}
}

func updateCase(fields ...types.FieldValue) types.RuleAction {
	return types.RuleAction{ActionType: types.ActionTypeUpdateCase, UpdateCaseAction: &types.UpdateCaseActionDefinition{Fields: fields}}
}

func sla(change func(*types.CaseSlaConfiguration)) types.RuleAction {
	c := &types.CaseSlaConfiguration{
		Name: aws.String("quick"), Type: types.SlaTypeCaseField, TargetSlaMinutes: aws.Int64(60), FieldId: aws.String("status"),
		TargetFieldValues: []types.FieldValueUnion{{StringValue: aws.String("closed")}},
	}
	if change != nil {
		change(c)
	}
	return types.RuleAction{ActionType: types.ActionTypeAssignSla, AssignSlaAction: &types.AssignSlaActionDefinition{SlaAssignmentType: types.SlaAssignmentTypeCases, CaseSlaConfiguration: c}}
}

func value(id string, v types.FieldValueUnion) types.FieldValue {
	return types.FieldValue{Id: &id, Value: &v}
}

func acts(actions ...types.RuleAction) func(*connect.CreateRuleInput) {
	return func(in *connect.CreateRuleInput) { in.Actions = actions }
}

func on(source types.EventSourceName) func(*connect.CreateRuleInput) {
	return func(in *connect.CreateRuleInput) { in.TriggerEventSource.EventSourceName = source }
}

func function(text string) func(*connect.CreateRuleInput) {
	return func(in *connect.CreateRuleInput) { in.Function = &text }
}

func TestRules(t *testing.T) {
	s := newSite(t)
	in := s.rule("Refund", acts(s.task(servertest.InstanceARN(s.id)+"/contact-flow/"+s.flow), category, event,
		notify(&types.NotificationRecipientType{UserIds: []string{servertest.InstanceARN(s.id) + "/agent/" + s.user}}, &types.NotificationRecipientType{UserTags: map[string]string{"Team": "A"}})))
	in.ClientToken = aws.String("once")
	out, err := s.CreateRule(t.Context(), in)
	ok(t, err)
	again, err := s.CreateRule(t.Context(), in)
	ok(t, err)
	same(t, "the rule of the same token", again.RuleId, out.RuleId)

	got := s.describe(*out.RuleArn)
	want := []types.RuleAction{s.task(s.flow), category, event, notify(&types.NotificationRecipientType{UserIds: []string{s.user}}, &types.NotificationRecipientType{UserTags: map[string]string{"Team": "A"}})}
	same(t, "a rule", []any{got.RuleId, got.RuleArn, got.Name, got.Function, got.PublishStatus, got.TriggerEventSource, got.Actions, got.LastUpdatedBy, got.Tags},
		[]any{out.RuleId, servertest.InstanceARN(s.id) + "/rule/" + *out.RuleId, "Refund", refund, "DRAFT", in.TriggerEventSource, want, "arn:aws:iam::" + servertest.Account + ":root", map[string]string{}})
	same(t, "the time of the last change", got.LastUpdatedTime, got.CreatedTime)

	_, err = s.create("Refund")
	fails(t, err, fault.ResourceConflict, "Refund")

	update := func(id, name string, actions ...types.RuleAction) error {
		_, err := s.UpdateRule(t.Context(), &connect.UpdateRuleInput{
			InstanceId: &s.id, RuleId: &id, Name: &name, Function: aws.String(strings.Replace(refund, "AND", "OR", 1)), PublishStatus: types.RulePublishStatusPublished, Actions: actions,
		})
		return err
	}
	ok(t, update(*out.RuleId, "Refund", event))
	got = s.describe(*out.RuleId)
	same(t, "what an update changed", []any{got.PublishStatus, got.Actions, strings.Contains(*got.Function, "OR"), got.TriggerEventSource}, []any{"PUBLISHED", []types.RuleAction{event}, true, in.TriggerEventSource})
	fails(t, update(*out.RuleId, "Other", event), fault.InvalidRequest, "Name", "OnPostCallAnalysisAvailable")
	fails(t, update(*out.RuleId, "Refund", endTasks), fault.InvalidRequest, "END_ASSOCIATED_TASKS")
	fails(t, update(*out.RuleId, "Refund", s.task(unknownID)), fault.ResourceNotFound)
	fails(t, update(unknownID, "Refund", event), fault.ResourceNotFound)

	tags := map[string]string{"Team": "A"}
	_, err = s.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: out.RuleArn, Tags: tags})
	ok(t, err)
	same(t, "tags", s.describe(*out.RuleId).Tags, tags)

	for _, want := range []fault.Code{"", fault.ResourceNotFound} {
		_, err = s.DeleteRule(t.Context(), &connect.DeleteRuleInput{InstanceId: &s.id, RuleId: out.RuleId})
		fails(t, err, want)
	}
}

// TestRuleActions holds the actions to their event sources and definitions.
func TestRuleActions(t *testing.T) {
	s := newSite(t)
	form, err := s.CreateEvaluationForm(t.Context(), &connect.CreateEvaluationFormInput{
		InstanceId: &s.id, Title: aws.String("Form"), Items: []types.EvaluationFormItem{&types.EvaluationFormItemMemberSection{Value: types.EvaluationFormSection{
			Title: aws.String("Section"), RefId: aws.String("s"), Items: []types.EvaluationFormItem{&types.EvaluationFormItemMemberQuestion{Value: types.EvaluationFormQuestion{
				Title: aws.String("Question"), RefId: aws.String("q"), QuestionType: types.EvaluationFormQuestionTypeText,
			}}},
		}}},
	})
	ok(t, err)
	yes := value("urgent", types.FieldValueUnion{BooleanValue: true})
	both := value("urgent", types.FieldValueUnion{BooleanValue: true, StringValue: aws.String("yes")})
	toMary := notify(&types.NotificationRecipientType{UserIds: []string{s.user}}, nil)
	const postCall, caseUpdate = types.EventSourceNameOnPostCallAnalysisAvailable, types.EventSourceNameOnCaseUpdate
	for what, c := range map[string]struct {
		source  types.EventSourceName
		actions []types.RuleAction
		want    fault.Code
		words   []string
	}{
		"task":                      {postCall, []types.RuleAction{s.task(s.flow)}, "", nil},
		"task on a breach":          {types.EventSourceNameOnSlaBreach, []types.RuleAction{s.task(s.flow)}, "", nil},
		"notification on e-mail":    {types.EventSourceNameOnEmailAnalysisAvailable, []types.RuleAction{toMary}, "", nil},
		"notification on a metric":  {types.EventSourceNameOnMetricDataUpdate, []types.RuleAction{toMary}, "", nil},
		"notification on a case":    {caseUpdate, []types.RuleAction{toMary}, fault.InvalidRequest, []string{"Actions[0].ActionType", "SEND_NOTIFICATION", "OnCaseUpdate"}},
		"event on a case":           {caseUpdate, []types.RuleAction{event}, fault.InvalidRequest, []string{"GENERATE_EVENTBRIDGE_EVENT"}},
		"category on a metric":      {types.EventSourceNameOnMetricDataUpdate, []types.RuleAction{category}, fault.InvalidRequest, []string{"ASSIGN_CONTACT_CATEGORY"}},
		"evaluation":                {postCall, []types.RuleAction{evaluate(*form.EvaluationFormArn)}, "", nil},
		"evaluation in real time":   {types.EventSourceNameOnRealTimeCallAnalysisAvailable, []types.RuleAction{evaluate(*form.EvaluationFormId)}, fault.InvalidRequest, nil},
		"no such form":              {postCall, []types.RuleAction{evaluate(unknownID)}, fault.ResourceNotFound, []string{"EvaluationForm"}},
		"case":                      {postCall, []types.RuleAction{createCase(yes)}, "", nil},
		"case without fields":       {postCall, []types.RuleAction{createCase()}, fault.InvalidRequest, []string{"Actions[0].CreateCaseAction.Fields"}},
		"case of a case":            {caseUpdate, []types.RuleAction{createCase(yes)}, fault.InvalidRequest, nil},
		"case updated":              {caseUpdate, []types.RuleAction{updateCase(yes, value("title", types.FieldValueUnion{EmptyValue: &types.EmptyFieldValue{}}))}, "", nil},
		"two values":                {caseUpdate, []types.RuleAction{updateCase(both)}, fault.InvalidRequest, []string{"Actions[0].UpdateCaseAction.Fields[0].Value"}},
		"a field twice":             {caseUpdate, []types.RuleAction{updateCase(yes, yes)}, fault.InvalidRequest, []string{"Fields[1].Id"}},
		"case updated upon a call":  {postCall, []types.RuleAction{updateCase(yes)}, fault.InvalidRequest, nil},
		"end of tasks":              {caseUpdate, []types.RuleAction{endTasks}, "", nil},
		"end of tasks of a new one": {types.EventSourceNameOnCaseCreate, []types.RuleAction{endTasks}, fault.InvalidRequest, nil},
		"SLA":                       {types.EventSourceNameOnCaseCreate, []types.RuleAction{sla(nil)}, "", nil},
		"SLA without a field":       {caseUpdate, []types.RuleAction{sla(func(c *types.CaseSlaConfiguration) { c.FieldId = nil })}, fault.InvalidRequest, []string{"FieldId"}},
		"SLA with two values": {
			caseUpdate,
			[]types.RuleAction{sla(func(c *types.CaseSlaConfiguration) { c.TargetFieldValues[0].BooleanValue = true })},
			fault.InvalidRequest,
			[]string{"TargetFieldValues[0]"},
		},
		"SLA of nothing": {
			caseUpdate,
			[]types.RuleAction{{ActionType: types.ActionTypeAssignSla, AssignSlaAction: &types.AssignSlaActionDefinition{SlaAssignmentType: types.SlaAssignmentTypeCases}}},
			fault.InvalidRequest,
			[]string{"CaseSlaConfiguration"},
		},
		"no action":           {postCall, []types.RuleAction{}, fault.InvalidRequest, []string{"Actions"}},
		"two of a type":       {postCall, []types.RuleAction{event, event}, fault.InvalidRequest, []string{"Actions[1].ActionType"}},
		"no definition":       {postCall, []types.RuleAction{{ActionType: types.ActionTypeCreateTask}}, fault.InvalidRequest, []string{"Actions[0].TaskAction is required"}},
		"another definition":  {postCall, []types.RuleAction{{ActionType: category.ActionType, AssignContactCategoryAction: category.AssignContactCategoryAction, EventBridgeAction: event.EventBridgeAction}}, fault.InvalidRequest, []string{"Actions[0].EventBridgeAction must not"}},
		"nobody to notify":    {postCall, []types.RuleAction{notify(&types.NotificationRecipientType{}, nil)}, fault.InvalidRequest, []string{"Recipient"}},
		"somebody unknown":    {postCall, []types.RuleAction{notify(&types.NotificationRecipientType{UserIds: []string{unknownID}}, nil)}, fault.ResourceNotFound, []string{"User"}},
		"somebody to leave":   {postCall, []types.RuleAction{notify(&types.NotificationRecipientType{UserIds: []string{s.user}}, &types.NotificationRecipientType{UserIds: []string{unknownID}})}, fault.ResourceNotFound, []string{"User"}},
		"an unknown flow":     {postCall, []types.RuleAction{s.task(unknownID)}, fault.ResourceNotFound, []string{"ContactFlow"}},
		"ticket, unconnected": {types.EventSourceNameOnZendeskTicketCreate, []types.RuleAction{s.task(s.flow)}, fault.InvalidRequest, []string{"IntegrationAssociationId"}},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := s.create(strings.ReplaceAll(strings.ReplaceAll(what, " ", "-"), ",", ""), on(c.source), acts(c.actions...))
			fails(t, err, c.want, c.words...)
		})
	}
	_, err = s.create("elsewhere", func(in *connect.CreateRuleInput) {
		in.TriggerEventSource.IntegrationAssociationId = aws.String(unknownID)
	})
	fails(t, err, fault.ResourceNotFound, "IntegrationAssociation")
}

func TestThirdPartyRules(t *testing.T) {
	s := newSite(t)
	association, err := s.CreateIntegrationAssociation(t.Context(), &connect.CreateIntegrationAssociationInput{
		InstanceId: &s.id, IntegrationType: types.IntegrationTypeEvent, IntegrationArn: aws.String("arn:aws:app-integrations:us-east-1:123456789012:event-integration/zendesk"),
		SourceApplicationName: aws.String("Zendesk"), SourceApplicationUrl: aws.String("https://example.zendesk.com"), SourceType: types.SourceTypeZendesk,
	})
	ok(t, err)
	connected := func(in *connect.CreateRuleInput) {
		in.TriggerEventSource = &types.RuleTriggerEventSource{
			EventSourceName: types.EventSourceNameOnZendeskTicketCreate, IntegrationAssociationId: association.IntegrationAssociationId,
		}
	}
	_, err = s.create("no-task", connected)
	fails(t, err, fault.InvalidRequest, "CREATE_TASK")
	out, err := s.create("ticket", connected, acts(s.task(s.flow)))
	ok(t, err)
	same(t, "the source", s.describe(*out.RuleId).TriggerEventSource, s.rule("", connected).TriggerEventSource)
	_, err = s.UpdateRule(t.Context(), &connect.UpdateRuleInput{
		InstanceId: &s.id, RuleId: out.RuleId, Name: aws.String("renamed"), Function: aws.String(refund), PublishStatus: types.RulePublishStatusDraft, Actions: []types.RuleAction{s.task(s.flow)},
	})
	ok(t, err)
	same(t, "the name", s.describe(*out.RuleId).Name, "renamed")
}

func TestRuleFunctions(t *testing.T) {
	s := newSite(t)
	frame := func(condition string) string {
		return `{"Version":"2022-11-25","RuleFunction":` + condition + `}`
	}
	join := func(operator string, conditions ...string) string {
		return fmt.Sprintf(`{"Operator":%q,"Operands":[%s]}`, operator, strings.Join(conditions, ","))
	}
	deep := mention
	for range 30 {
		deep = join("AND", deep)
	}
	for what, c := range map[string]struct{ function, word string }{
		"two levels":       {frame(join("OR", mention, join("AND", mention, mention))), ""},
		"20 conditions":    {frame(join("OR", slices.Repeat([]string{mention}, 20)...)), ""},
		"21 conditions":    {frame(join("OR", slices.Repeat([]string{join("AND", mention, mention, mention)}, 7)...)), "it has 21"},
		"too deep":         {frame(deep), "20 levels"},
		"no JSON":          {"refund", "JSON"},
		"another version":  {strings.Replace(refund, "2022", "2023", 1), "Version"},
		"no function":      {`{"Version":"2022-11-25"}`, "RuleFunction is required"},
		"another operator": {frame(mention), "AND or OR"},
		"no operands":      {frame(`{"Operator":"AND"}`), "RuleFunction.Operands"},
		"no condition":     {frame(join("AND", mention, `"refund"`)), "RuleFunction.Operands[1]"},
		"no operator":      {frame(join("AND", join("OR", mention, `{}`))), "RuleFunction.Operands[0].Operands[1]"},
		"no value":         {frame(join("AND", `{"Operator":"EQUALS","Operands":["a"]}`)), "ComparisonValue"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := s.create(strings.ReplaceAll(what, " ", "-"), function(c.function))
			if c.word == "" {
				ok(t, err)
				return
			}
			fails(t, err, fault.InvalidRequest, "Function", c.word)
		})
	}
}

func TestListRules(t *testing.T) {
	s := newSite(t)
	var ids []string
	for i := range 5 {
		out, err := s.create(fmt.Sprintf("rule-%d", i), func(in *connect.CreateRuleInput) {
			if i == 1 {
				in.PublishStatus = types.RulePublishStatusPublished
			}
			if i == 2 {
				on(types.EventSourceNameOnPostChatAnalysisAvailable)(in)
				in.Actions = append(in.Actions, event)
			}
		})
		ok(t, err)
		ids = append(ids, *out.RuleId)
	}
	list := func(in connect.ListRulesInput) (page []string, next *string) {
		in.InstanceId = &s.id
		out, err := s.ListRules(t.Context(), &in)
		ok(t, err)
		for _, i := range out.RuleSummaryList {
			page = append(page, *i.RuleId)
		}
		return page, out.NextToken
	}
	pages := servertest.Pages(t, func(token *string) ([]string, *string, error) {
		page, next := list(connect.ListRulesInput{MaxResults: aws.Int32(2), NextToken: token})
		return page, next, nil
	})
	same(t, "pages", pages, servertest.InPages(ids, 2))
	published, _ := list(connect.ListRulesInput{PublishStatus: types.RulePublishStatusPublished})
	same(t, "published", published, ids[1:2])
	chats, _ := list(connect.ListRulesInput{EventSourceName: types.EventSourceNameOnPostChatAnalysisAvailable})
	same(t, "by source", chats, ids[2:3])

	r := s.describe(ids[2])
	out, err := s.ListRules(t.Context(), &connect.ListRulesInput{InstanceId: &s.id, EventSourceName: types.EventSourceNameOnPostChatAnalysisAvailable})
	ok(t, err)
	same(t, "a rule in a list", out.RuleSummaryList[0], types.RuleSummary{
		RuleId: r.RuleId, RuleArn: r.RuleArn, Name: r.Name, EventSourceName: r.TriggerEventSource.EventSourceName, PublishStatus: r.PublishStatus,
		ActionSummaries: []types.ActionSummary{{ActionType: category.ActionType}, {ActionType: event.ActionType}},
		CreatedTime:     r.CreatedTime, LastUpdatedTime: r.LastUpdatedTime,
	})
}

func TestRuleQuota(t *testing.T) {
	s := newSite(t, func(c *server.Config) { c.Quotas = true })
	metric := func(in *connect.CreateRuleInput) {
		on(types.EventSourceNameOnMetricDataUpdate)(in)
		in.Actions = []types.RuleAction{event}
	}
	for i := range 100 {
		_, err := s.create(fmt.Sprintf("rule-%d", i), metric)
		ok(t, err)
	}
	_, err := s.create("one-too-many", metric)
	fails(t, err, fault.ServiceQuotaExceeded, "100", "OnMetricDataUpdate")
	_, err = s.create("another")
	ok(t, err)
}
