package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// recipe says of an operation what its model does not.
type recipe struct {
	// change makes a request that is legal by the model one that makes sense:
	// members that depend on each other, references that must already be
	// linked. Nil when there is nothing to say.
	change func(t testing.TB, w *world, in object, how style)
	// answer is the exception that even a right request gets, with the reason
	// beside it; empty for a success.
	answer string
	// missing is the exception for a resource that the instance does not hold, where
	// it is not that for an unknown instance.
	missing string
}

// of makes a recipe out of what to do to a request.
func of(changes ...func(t testing.TB, w *world, in object, how style)) recipe {
	return recipe{change: func(t testing.TB, w *world, in object, how style) {
		for _, change := range changes {
			change(t, w, in, how)
		}
	}}
}

// without leaves members out of the full request, because they do not go with
// others, or because nothing exists yet that they could name.
func without(members ...string) func(testing.TB, *world, object, style) {
	return func(_ testing.TB, _ *world, in object, _ style) {
		for _, name := range members {
			delete(in, name)
		}
	}
}

// with sets a member in every request, wherever changes from one to the next.
func with(name string, value func(t testing.TB, w *world) any) func(testing.TB, *world, object, style) {
	return func(t testing.TB, w *world, in object, _ style) { in[name] = value(t, w) }
}

// given replaces a member where the request has it.
func given(name string, value func(t testing.TB, w *world) any) func(testing.TB, *world, object, style) {
	return func(t testing.TB, w *world, in object, _ style) {
		if _, has := in[name]; has {
			in[name] = value(t, w)
		}
	}
}

func always(v any) func(testing.TB, *world) any {
	return func(testing.TB, *world) any { return v }
}

var recipes = map[string]recipe{
	// Instances: the prepared one is SAML.
	"CreateInstance":          of(without("DirectoryId"), with("InstanceAlias", func(_ testing.TB, w *world) any { return *w.alias() })),
	"DeleteInstance":          of(with("InstanceId", func(t testing.TB, w *world) any { return w.newInstance(t) })),
	"UpdateInstanceAttribute": of(with("Value", always("true"))),

	// Users. PhoneConfig says the same as the lists by channel.
	"CreateUser": of(without("Password", "DirectoryUserId", "PhoneConfig"), with("IdentityInfo", always(object{"FirstName": "Mary", "LastName": "Major"}))),
	"UpdateUserIdentityInfo": of(func(_ testing.TB, _ *world, in object, how style) {
		if how == minimal {
			in["IdentityInfo"] = object{"FirstName": "Mary", "LastName": "Major"}
		}
	}),
	"SearchUsers": of(searchCriteria("Username"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),

	"GetFederationToken": {answer: "InvalidRequestException"}, // the root cannot be a user

	// Agent statuses.
	"UpdateAgentStatus":   of(without("ResetOrderNumber")), // or DisplayOrder
	"SearchAgentStatuses": of(searchCriteria("name"), given("SearchFilter", always(object{"AttributeFilter": object{"TagCondition": tagCondition}}))),

	// Hierarchy. The prepared instance has a group at its first level.
	"UpdateUserHierarchyStructure": of(with("InstanceId", func(t testing.TB, w *world) any { return w.newInstance(t) })),
	"SearchUserHierarchyGroups":    of(searchCriteria("name"), given("SearchFilter", always(object{"AttributeFilter": object{"TagCondition": tagCondition}}))),

	// Security profiles.
	"CreateSecurityProfile":  of(securityProfileRules),
	"UpdateSecurityProfile":  of(securityProfileRules),
	"SearchSecurityProfiles": of(searchCriteria("name"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),

	// Predefined attributes are known by their names.
	"DescribePredefinedAttribute":   of(with("Name", sharedAttribute)),
	"UpdatePredefinedAttribute":     of(with("Name", freshAttribute)),
	"DeletePredefinedAttribute":     of(with("Name", freshAttribute)),
	"SearchPredefinedAttributes":    of(searchCriteria("name")),
	"AssociateUserProficiencies":    of(with("UserProficiencies", newProficiency)),
	"UpdateUserProficiencies":       of(oldProficiency(object{"Level": float64(5)})),
	"DisassociateUserProficiencies": of(oldProficiency(object{})),

	// Queues.
	"SearchQueues": of(searchCriteria("name"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),

	// Routing profiles: manual assignment is for every channel but voice.
	"CreateRoutingProfile": of(given("ManualAssignmentQueueConfigs", manualQueue)),
	"AssociateRoutingProfileQueues": of(
		with("RoutingProfileId", func(t testing.TB, w *world) any { return w.fresh(t, routingProfile) }),
		with("QueueConfigs", func(t testing.TB, w *world) any {
			return []any{object{"QueueReference": voiceQueue(t, w), "Priority": float64(1), "Delay": float64(0)}}
		}),
		given("ManualAssignmentQueueConfigs", manualQueue)),
	"DisassociateRoutingProfileQueues": of(with("QueueReferences", func(t testing.TB, w *world) any { return []any{voiceQueue(t, w)} })),
	"UpdateRoutingProfileQueues":       of(associatedQueue),
	"SearchRoutingProfiles":            of(searchCriteria("name"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),

	// Hours of operation.
	"CreateHoursOfOperation":           of(given("Config", week)),
	"UpdateHoursOfOperation":           of(given("Config", week)),
	"CreateHoursOfOperationOverride":   of(given("Config", week), recurrence),
	"UpdateHoursOfOperationOverride":   of(overrideOf(shared), given("Config", week), recurrence),
	"DescribeHoursOfOperationOverride": of(overrideOf(shared)),
	"DeleteHoursOfOperationOverride":   of(overrideOf(fresh)),
	"AssociateHoursOfOperations": of(
		with("HoursOfOperationId", func(t testing.TB, w *world) any { return w.fresh(t, hoursOfOperation) }),
		with("ParentHoursOfOperationConfigs", newParent)),
	"SearchHoursOfOperations":         of(searchCriteria("name"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),
	"SearchHoursOfOperationOverrides": of(searchCriteria("name"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),

	// Quick connects: the part of the configuration that the type asks for.
	"CreateQuickConnect":       of(with("QuickConnectConfig", always(phoneQuickConnect))),
	"UpdateQuickConnectConfig": of(with("QuickConnectConfig", always(phoneQuickConnect))),
	"SearchQuickConnects":      of(searchCriteria("name"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),

	// Prompts.
	"SearchPrompts": of(searchCriteria("name"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),

	// Tags.
	"TagResource":         of(with("resourceArn", userARN)),
	"UntagResource":       of(with("resourceArn", userARN)),
	"ListTagsForResource": of(with("resourceArn", userARN)),
	"SearchResourceTags":  of(given("ResourceTypes", always([]any{"agent"}))),
}

var (
	tagCondition = object{"TagKey": "Department", "TagValue": "Support"}
	tagFilter    = object{"OrConditions": []any{[]any{tagCondition}}}
	// The only type of quick connect that needs nothing else.
	phoneQuickConnect = object{"QuickConnectType": "PHONE_NUMBER", "PhoneConfig": object{"PhoneNumber": "+15555550100"}}
)

// searchCriteria asks for one thing at each level, for a level may use one
// member only.
func searchCriteria(field string) func(testing.TB, *world, object, style) {
	return given("SearchCriteria", always(object{"OrConditions": []any{object{"AndConditions": []any{object{
		"StringCondition": object{"FieldName": field, "Value": "a", "ComparisonType": "STARTS_WITH"},
	}}}}}))
}

func userARN(t testing.TB, w *world) any { return w.arn("agent", w.shared(t, user)) }

func sharedAttribute(t testing.TB, w *world) any { return w.shared(t, predefinedAttribute) }

func freshAttribute(t testing.TB, w *world) any { return w.fresh(t, predefinedAttribute) }

func newProficiency(t testing.TB, w *world) any {
	return []any{object{"AttributeName": w.fresh(t, predefinedAttribute), "AttributeValue": "one", "Level": float64(3)}}
}

// oldProficiency names a proficiency that the user has.
func oldProficiency(more object) func(testing.TB, *world, object, style) {
	return func(t testing.TB, w *world, in object, _ style) {
		attribute, id := w.fresh(t, predefinedAttribute), w.fresh(t, user)
		_, err := w.server.Connect.AssociateUserProficiencies(context.Background(), &connect.AssociateUserProficienciesInput{
			InstanceId: &w.instance, UserId: &id,
			UserProficiencies: []types.UserProficiency{{AttributeName: &attribute, AttributeValue: aws.String("one"), Level: aws.Float32(1)}},
		})
		if err != nil {
			t.Fatal(err)
		}
		one := object{"AttributeName": attribute, "AttributeValue": "one"}
		for k, v := range more {
			one[k] = v
		}
		in["UserId"], in["UserProficiencies"] = id, []any{one}
	}
}

// securityProfileRules puts real names in the place of those that nothing in
// the model ties down.
func securityProfileRules(t testing.TB, w *world, in object, how style) {
	if how != full {
		return
	}
	in["Permissions"] = []any{"BasicAgentAccess"}
	in["TagRestrictedResources"] = []any{"User"}
	in["HierarchyRestrictedResources"] = []any{"User"}
	in["AllowedAccessControlHierarchyGroupId"] = w.shared(t, hierarchyGroup)
	in["AllowedFlowModules"] = []any{object{"Type": "MCP", "FlowModuleId": w.shared(t, contactFlowModule)}}
	in["Applications"] = []any{object{"Namespace": "a.namespace", "ApplicationPermissions": []any{"ACCESS"}}}
}

func voiceQueue(t testing.TB, w *world) object {
	return object{"QueueId": w.shared(t, queue), "Channel": "VOICE"}
}

func manualQueue(t testing.TB, w *world) any {
	return []any{object{"QueueReference": object{"QueueId": w.shared(t, queue), "Channel": "CHAT"}}}
}

// associatedQueue names a queue that a routing profile has.
func associatedQueue(t testing.TB, w *world, in object, _ style) {
	id := w.fresh(t, routingProfile)
	reference := &types.RoutingProfileQueueReference{QueueId: aws.String(w.shared(t, queue)), Channel: types.ChannelVoice}
	_, err := w.server.Connect.AssociateRoutingProfileQueues(context.Background(), &connect.AssociateRoutingProfileQueuesInput{
		InstanceId: &w.instance, RoutingProfileId: &id,
		QueueConfigs: []types.RoutingProfileQueueConfig{{QueueReference: reference, Priority: aws.Int32(1), Delay: aws.Int32(0)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	in["RoutingProfileId"] = id
	in["QueueConfigs"] = []any{object{"QueueReference": voiceQueue(t, w), "Priority": float64(2), "Delay": float64(30)}}
}

func week(testing.TB, *world) any {
	return []any{object{
		"Day":       "MONDAY",
		"StartTime": object{"Hours": float64(9), "Minutes": float64(0)},
		"EndTime":   object{"Hours": float64(17), "Minutes": float64(30)},
	}}
}

// newParent is hours of operation without a parent of their own.
func newParent(t testing.TB, w *world) any {
	return []any{object{"HoursOfOperationId": w.fresh(t, hoursOfOperation)}}
}

// recurrence of one kind: a day of the month in some months of the year.
func recurrence(_ testing.TB, _ *world, in object, how style) {
	if how == full {
		in["RecurrenceConfig"] = object{"RecurrencePattern": object{
			"Frequency": "YEARLY", "Interval": float64(1), "ByMonth": []any{float64(12)}, "ByMonthDay": []any{float64(24)},
		}}
		in["OverrideType"] = "OPEN"
	}
}

const (
	shared = false
	fresh  = true
)

// overrideOf names an override together with the hours that it belongs to.
func overrideOf(isFresh bool) func(testing.TB, *world, object, style) {
	return func(t testing.TB, w *world, in object, _ style) {
		in["HoursOfOperationId"] = w.shared(t, hoursOfOperation)
		if isFresh {
			in["HoursOfOperationOverrideId"] = w.fresh(t, hoursOverride)
			return
		}
		in["HoursOfOperationOverrideId"] = w.shared(t, hoursOverride)
	}
}
