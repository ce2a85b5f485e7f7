package roundtrip

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

// inUse are the operations that declare a ResourceInUseException: each is used
// on a resource that another one refers to.
var inUse = map[string]func(t testing.TB, s *centre) error{
	"DeletePredefinedAttribute": func(t testing.TB, s *centre) error {
		name := aws.String("Language")
		_, err := s.CreatePredefinedAttribute(s.ctx, &connect.CreatePredefinedAttributeInput{
			InstanceId: &s.id, Name: name, Values: &types.PredefinedAttributeValuesMemberStringList{Value: []string{"German"}},
		})
		ok(t, err)
		_, err = s.AssociateUserProficiencies(s.ctx, &connect.AssociateUserProficienciesInput{
			InstanceId: &s.id, UserId: &s.user, UserProficiencies: []types.UserProficiency{{AttributeName: name, AttributeValue: aws.String("German"), Level: aws.Float32(3)}},
		})
		ok(t, err)
		_, err = s.DeletePredefinedAttribute(s.ctx, &connect.DeletePredefinedAttributeInput{InstanceId: &s.id, Name: name})
		return err
	},
	"DeleteQueue": func(_ testing.TB, s *centre) error { // of the routing profile
		_, err := s.DeleteQueue(s.ctx, &connect.DeleteQueueInput{InstanceId: &s.id, QueueId: &s.queue})
		return err
	},
	"DeleteRoutingProfile": func(_ testing.TB, s *centre) error { // of the user
		_, err := s.DeleteRoutingProfile(s.ctx, &connect.DeleteRoutingProfileInput{InstanceId: &s.id, RoutingProfileId: &s.routing})
		return err
	},
	"DeleteSecurityProfile": func(_ testing.TB, s *centre) error { // of the user
		_, err := s.DeleteSecurityProfile(s.ctx, &connect.DeleteSecurityProfileInput{InstanceId: &s.id, SecurityProfileId: &s.security})
		return err
	},
	"DeleteTrafficDistributionGroup": func(t testing.TB, s *centre) error {
		replicate(t, s.site, "us-west-2")
		group, err := s.CreateTrafficDistributionGroup(s.ctx, &connect.CreateTrafficDistributionGroupInput{InstanceId: &s.id, Name: aws.String("Group")})
		ok(t, err)
		claim(t, s.site, &connect.ClaimPhoneNumberInput{TargetArn: group.Arn}, "US", "DID")
		return remover(s.site, "TrafficDistributionGroup", *group.Id)(s.ctx)
	},
	"DeleteUserHierarchyGroup": func(_ testing.TB, s *centre) error { // of the user
		_, err := s.DeleteUserHierarchyGroup(s.ctx, &connect.DeleteUserHierarchyGroupInput{InstanceId: &s.id, HierarchyGroupId: &s.group})
		return err
	},
	"UpdateUserHierarchyStructure": func(_ testing.TB, s *centre) error { // its level has the group
		_, err := s.UpdateUserHierarchyStructure(s.ctx, &connect.UpdateUserHierarchyStructureInput{InstanceId: &s.id, HierarchyStructure: &types.HierarchyStructureUpdate{}})
		return err
	},
	"DeleteView": func(t testing.TB, s *centre) error {
		view, err := s.CreateView(s.ctx, &connect.CreateViewInput{
			InstanceId: &s.id, Name: aws.String("Customer"), Status: types.ViewStatusPublished, Content: &types.ViewInputContent{
				Template: aws.String(`{"Head":{"Title":"Customer","Configuration":{"Layout":{"Columns":["12"]}}},"Body":[]}`), Actions: []string{"Next"},
			},
		})
		ok(t, err)
		workspace, err := s.CreateWorkspace(s.ctx, &connect.CreateWorkspaceInput{InstanceId: &s.id, Name: aws.String("Desk")})
		ok(t, err)
		_, err = s.CreateWorkspacePage(s.ctx, &connect.CreateWorkspacePageInput{
			InstanceId: &s.id, WorkspaceId: workspace.WorkspaceId, Page: aws.String("Customers"), ResourceArn: view.View.Arn,
		})
		ok(t, err)
		_, err = s.DeleteView(s.ctx, &connect.DeleteViewInput{InstanceId: &s.id, ViewId: view.View.Id})
		return err
	},
	"DeleteVocabulary": func(t testing.TB, s *centre) error {
		made, err := s.CreateVocabulary(s.ctx, &connect.CreateVocabularyInput{
			InstanceId: &s.id, VocabularyName: aws.String("Products"), LanguageCode: types.VocabularyLanguageCodeEnUs,
			Content: aws.String("Phrase\tIPA\tSoundsLike\tDisplayAs\nRing-down\t\t\tRingdown\n"),
		})
		ok(t, err)
		_, err = s.AssociateDefaultVocabulary(s.ctx, &connect.AssociateDefaultVocabularyInput{
			InstanceId: &s.id, LanguageCode: types.VocabularyLanguageCodeEnUs, VocabularyId: made.VocabularyId,
		})
		ok(t, err)
		_, err = s.DeleteVocabulary(s.ctx, &connect.DeleteVocabularyInput{InstanceId: &s.id, VocabularyId: made.VocabularyId})
		return err
	},
	"ReleasePhoneNumber": func(t testing.TB, s *centre) error {
		number := s.callerID(t)
		_, err := s.ReleasePhoneNumber(s.ctx, &connect.ReleasePhoneNumberInput{PhoneNumberId: &number})
		return err
	},
	"UpdatePhoneNumber": func(t testing.TB, s *centre) error {
		number, other := s.callerID(t), servertest.InstanceARN(s.server.NewInstance(t))
		_, err := s.UpdatePhoneNumber(s.ctx, &connect.UpdatePhoneNumberInput{PhoneNumberId: &number, TargetArn: &other})
		return err
	},
}

// neverInUse are those that declare it and have nothing to answer it for.
var neverInUse = map[string]string{
	"CreateView":                "nothing refers to what is not there yet",
	"CreateViewVersion":         "it takes nothing away",
	"UpdateViewContent":         "it takes nothing away",
	"UpdateViewMetadata":        "it takes nothing away",
	"UpdatePhoneNumberMetadata": "it takes nothing away",
	"DeleteViewVersion":         "a page has a view, not one of its versions",
}

// dangling are the operations that delete what something names all the same:
// none of them declares an exception for it, and what named it keeps the name.
var dangling = map[string]func(t testing.TB, s *centre) error{
	"DeleteContactFlow": func(t testing.TB, s *centre) error { // of a number
		flow := s.flow(t, "Hello", hangUp)
		number := claim(t, s.site, &connect.ClaimPhoneNumberInput{TargetArn: aws.String(servertest.InstanceARN(s.id))}, "US", "DID")
		_, err := s.AssociatePhoneNumberContactFlow(s.ctx, &connect.AssociatePhoneNumberContactFlowInput{InstanceId: &s.id, PhoneNumberId: &number, ContactFlowId: &flow})
		ok(t, err)
		return remover(s.site, "ContactFlow", flow)(s.ctx)
	},
	"DeletePrompt": func(t testing.TB, s *centre) error { // of a flow
		out, err := s.ListPrompts(s.ctx, &connect.ListPromptsInput{InstanceId: &s.id, MaxResults: aws.Int32(1)})
		ok(t, err)
		id := *out.PromptSummaryList[0].Id
		s.flow(t, "Play", playing(id))
		return remover(s.site, "Prompt", id)(s.ctx)
	},
	"DeleteContactFlowModule": func(t testing.TB, s *centre) error { // of a flow
		made, err := s.CreateContactFlowModule(s.ctx, &connect.CreateContactFlowModuleInput{
			InstanceId: &s.id, Name: aws.String("Module"), Content: aws.String(endModule),
		})
		ok(t, err)
		s.flow(t, "Call", calling(*made.Id))
		return remover(s.site, "ContactFlowModule", *made.Id)(s.ctx)
	},
	"DisassociateLambdaFunction": func(t testing.TB, s *centre) error { // of a flow
		function := aws.String("arn:aws:lambda:us-east-1:123456789012:function:look-up")
		_, err := s.AssociateLambdaFunction(s.ctx, &connect.AssociateLambdaFunctionInput{InstanceId: &s.id, FunctionArn: function})
		ok(t, err)
		s.flow(t, "Invoke", invoking(*function))
		_, err = s.DisassociateLambdaFunction(s.ctx, &connect.DisassociateLambdaFunctionInput{InstanceId: &s.id, FunctionArn: function})
		return err
	},
	"DeleteUser": func(t testing.TB, s *centre) error { // that a notification was sent to
		_, err := s.CreateNotification(s.ctx, &connect.CreateNotificationInput{
			InstanceId: &s.id, Recipients: []string{s.arn(domain.KindUser, s.user)}, Content: map[string]string{"en_US": "Hello"},
		})
		ok(t, err)
		return remover(s.site, "User", s.user)(s.ctx)
	},
	"DeleteTaskTemplate": func(t testing.TB, s *centre) error { // of a rule
		flow := s.flow(t, "Task", hangUp)
		made, err := s.CreateTaskTemplate(s.ctx, &connect.CreateTaskTemplateInput{
			InstanceId: &s.id, Name: aws.String("Refund"), ContactFlowId: &flow,
			Fields: []types.TaskTemplateField{{Id: &types.TaskTemplateFieldIdentifier{Name: aws.String("Task name")}, Type: types.TaskTemplateFieldTypeName}},
		})
		ok(t, err)
		ok(t, remover(s.site, "ContactFlow", flow)(s.ctx)) // which the template names
		return remover(s.site, "TaskTemplate", *made.Id)(s.ctx)
	},
}

// The least documents that name a resource.
const (
	hangUp    = `{"Version":"2019-10-30","StartAction":"end","Metadata":{},"Actions":[` + disconnect + `]}`
	endModule = `{"Version":"2019-10-30","StartAction":"end","Metadata":{},"Actions":[{"Identifier":"end","Type":"EndFlowModuleExecution","Parameters":{},"Transitions":{}}]}`

	disconnect = `{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}`
)

func first(action, parameters string) string {
	return `{"Version":"2019-10-30","StartAction":"first","Metadata":{},"Actions":[{"Identifier":"first","Type":"` + action + `","Parameters":` + parameters +
		`,"Transitions":{"NextAction":"end","Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}],"Conditions":[]}},` + disconnect + `]}`
}

func playing(prompt string) string { return first("MessageParticipant", `{"PromptId":"`+prompt+`"}`) }

func calling(module string) string {
	return first("InvokeFlowModule", `{"FlowModuleId":"`+module+`"}`)
}

func invoking(function string) string {
	return first("InvokeLambdaFunction", `{"LambdaFunctionARN":"`+function+`","InvocationTimeLimitSeconds":"3"}`)
}

// centre is an instance with a user, and what a user has.
type centre struct {
	*site
	ctx                                   context.Context
	queue, routing, security, group, user string
}

func newCentre(t testing.TB, server *servertest.Server) *centre {
	t.Helper()
	c := &centre{site: newSite(t, server, nil), ctx: t.Context()}
	hours, err := c.ListHoursOfOperations(c.ctx, &connect.ListHoursOfOperationsInput{InstanceId: &c.id})
	ok(t, err)
	queue, err := c.CreateQueue(c.ctx, &connect.CreateQueueInput{InstanceId: &c.id, Name: aws.String("Calls"), HoursOfOperationId: hours.HoursOfOperationSummaryList[0].Id})
	ok(t, err)
	routing, err := c.CreateRoutingProfile(c.ctx, &connect.CreateRoutingProfileInput{
		InstanceId: &c.id, Name: aws.String("Calls"), Description: aws.String("Calls alone"), DefaultOutboundQueueId: queue.QueueId,
		MediaConcurrencies: []types.MediaConcurrency{{Channel: types.ChannelVoice, Concurrency: aws.Int32(1)}},
	})
	ok(t, err)
	security, err := c.CreateSecurityProfile(c.ctx, &connect.CreateSecurityProfileInput{InstanceId: &c.id, SecurityProfileName: aws.String("Desk")})
	ok(t, err)
	_, err = c.UpdateUserHierarchyStructure(c.ctx, &connect.UpdateUserHierarchyStructureInput{
		InstanceId: &c.id, HierarchyStructure: &types.HierarchyStructureUpdate{LevelOne: &types.HierarchyLevelUpdate{Name: aws.String("Team")}},
	})
	ok(t, err)
	group, err := c.CreateUserHierarchyGroup(c.ctx, &connect.CreateUserHierarchyGroupInput{InstanceId: &c.id, Name: aws.String("Support")})
	ok(t, err)
	user, err := c.CreateUser(c.ctx, &connect.CreateUserInput{
		InstanceId: &c.id, Username: aws.String("mary"), IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
		RoutingProfileId: routing.RoutingProfileId, SecurityProfileIds: []string{*security.SecurityProfileId}, HierarchyGroupId: group.HierarchyGroupId,
	})
	ok(t, err)
	c.queue, c.routing, c.security, c.group, c.user = *queue.QueueId, *routing.RoutingProfileId, *security.SecurityProfileId, *group.HierarchyGroupId, *user.UserId
	return c
}

// callerID claims a number and makes it that of the queue.
func (c *centre) callerID(t testing.TB) string {
	t.Helper()
	number := claim(t, c.site, &connect.ClaimPhoneNumberInput{TargetArn: aws.String(servertest.InstanceARN(c.id))}, "US", "DID")
	_, err := c.UpdateQueueOutboundCallerConfig(c.ctx, &connect.UpdateQueueOutboundCallerConfigInput{
		InstanceId: &c.id, QueueId: &c.queue, OutboundCallerConfig: &types.OutboundCallerConfig{OutboundCallerIdNumberId: &number},
	})
	ok(t, err)
	return number
}

func (c *centre) flow(t testing.TB, name, content string) string {
	t.Helper()
	out, err := c.CreateContactFlow(c.ctx, &connect.CreateContactFlowInput{InstanceId: &c.id, Name: &name, Type: types.ContactFlowTypeContactFlow, Content: &content})
	ok(t, err)
	return *out.ContactFlowId
}

// TestInUse: what is in use stays, wherever the model declares an exception for
// that.
func TestInUse(t *testing.T) {
	raw, err := os.ReadFile("../contract/models/connect.json")
	ok(t, err)
	var model struct {
		Operations map[string]struct{ Errors []struct{ Shape string } }
	}
	ok(t, json.Unmarshal(raw, &model))
	server := servertest.Boot(t)
	for name, op := range model.Operations {
		declared := slices.ContainsFunc(op.Errors, func(e struct{ Shape string }) bool { return e.Shape == string(fault.ResourceInUse) })
		provoke, why := inUse[name], neverInUse[name]
		switch {
		case declared != (provoke != nil || why != ""):
			t.Errorf("%s declares a ResourceInUseException: %t; put it into inUse, or into neverInUse with the reason", name, declared)
		case provoke != nil:
			t.Run(name, func(t *testing.T) {
				servertest.Fails(t, provoke(t, newCentre(t, server)), fault.ResourceInUse)
			})
		}
	}
}

// TestDangling: what no exception is declared for goes, and leaves its name
// behind.
func TestDangling(t *testing.T) {
	server := servertest.Boot(t)
	for name, remove := range dangling {
		t.Run(name, func(t *testing.T) { ok(t, remove(t, newCentre(t, server))) })
	}
}
