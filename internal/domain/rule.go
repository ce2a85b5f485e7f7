package domain

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// Rule says what is done upon an event, if the conditions of its function hold.
type Rule struct {
	Name        string
	EventSource types.EventSourceName
	// IntegrationAssociationID is of the other service that events come from.
	// It may name one that is no more, as the ids in Actions may.
	IntegrationAssociationID IntegrationAssociationID `json:",omitempty"`
	// Function is a document in the Rules Function language, as it was given.
	Function      string
	Actions       []types.RuleAction
	Status        types.RulePublishStatus
	LastUpdatedBy string // the ARN of a principal
}

// thirdParty are the event sources of other services. Their rules need an
// integration association and a task to make, and can be renamed (AWS API
// reference, RuleTriggerEventSource, RuleAction, UpdateRule).
var thirdParty = []types.EventSourceName{
	types.EventSourceNameOnZendeskTicketCreate, types.EventSourceNameOnZendeskTicketStatusUpdate, types.EventSourceNameOnSalesforceCaseCreate,
}

// Renamable reports whether the name can be changed.
func (r *Rule) Renamable() bool { return slices.Contains(thirdParty, r.EventSource) }

// Sources of events by what they are about.
var (
	conversationSources = []types.EventSourceName{
		types.EventSourceNameOnPostCallAnalysisAvailable, types.EventSourceNameOnRealTimeCallAnalysisAvailable,
		types.EventSourceNameOnRealTimeChatAnalysisAvailable, types.EventSourceNameOnPostChatAnalysisAvailable,
	}
	finishedSources = []types.EventSourceName{
		types.EventSourceNameOnPostCallAnalysisAvailable, types.EventSourceNameOnPostChatAnalysisAvailable,
	}
	caseSources = []types.EventSourceName{types.EventSourceNameOnCaseCreate, types.EventSourceNameOnCaseUpdate}
	// newerSources came after the lists of which action goes with which source
	// and are in none of them; every action is taken for them
	// (docs/divergences.md).
	newerSources = []types.EventSourceName{
		types.EventSourceNameOnEmailAnalysisAvailable, types.EventSourceNameOnSlaBreach, types.EventSourceNameOnAlertUpdate,
		types.EventSourceNameOnSchedulePublish, types.EventSourceNameOnScheduleUpdate, types.EventSourceNameOnScheduleTimeOffRequestActivity,
	}
	notifyingSources = slices.Concat(conversationSources, []types.EventSourceName{
		types.EventSourceNameOnContactEvaluationSubmit, types.EventSourceNameOnMetricDataUpdate,
	})
)

// actionSources are the event sources of each type of action (AWS API
// reference, RuleAction); a type that is not here goes with all.
// SUBMIT_AUTO_EVALUATION and ASSIGN_SLA are in no list there: the first needs
// the analysis of a finished contact, the other a case.
var actionSources = map[types.ActionType][]types.EventSourceName{
	types.ActionTypeAssignContactCategory:    slices.Concat(conversationSources, thirdParty),
	types.ActionTypeGenerateEventbridgeEvent: notifyingSources,
	types.ActionTypeSendNotification:         notifyingSources,
	types.ActionTypeCreateCase:               finishedSources,
	types.ActionTypeSubmitAutoEvaluation:     finishedSources,
	types.ActionTypeUpdateCase:               caseSources,
	types.ActionTypeAssignSla:                caseSources,
	types.ActionTypeEndAssociatedTasks:       {types.EventSourceNameOnCaseUpdate},
}

// Check checks the source, the actions and the function: an
// InvalidRequestException.
func (r *Rule) Check() error {
	if r.Renamable() && r.IntegrationAssociationID == "" {
		return fault.New(fault.InvalidRequest, "TriggerEventSource.IntegrationAssociationId is required for the event source %s", r.EventSource)
	}
	if len(r.Actions) == 0 {
		return fault.New(fault.InvalidRequest, "Actions must include at least 1 item")
	}
	var have []types.ActionType
	for i := range r.Actions {
		a := &r.Actions[i]
		// AWS CloudFormation user guide, AWS::Connect::Rule Actions: one of a type.
		if slices.Contains(have, a.ActionType) {
			return fault.New(fault.InvalidRequest, "Actions[%d].ActionType: a rule has one action %s at most", i, a.ActionType)
		}
		have = append(have, a.ActionType)
		if err := r.checkAction(i, a); err != nil {
			return err
		}
	}
	if r.Renamable() && !slices.Contains(have, types.ActionTypeCreateTask) {
		return fault.New(fault.InvalidRequest, "Actions must include one of type CREATE_TASK for the event source %s", r.EventSource)
	}
	return checkFunction(r.Function)
}

// checkAction checks that an action goes with the event source and has the
// definition of its type and no other.
func (r *Rule) checkAction(i int, a *types.RuleAction) error {
	sources, bound := actionSources[a.ActionType]
	if bound && !slices.Contains(sources, r.EventSource) && !slices.Contains(newerSources, r.EventSource) {
		return fault.New(fault.InvalidRequest, "Actions[%d].ActionType: %s is not supported for the event source %s", i, a.ActionType, r.EventSource)
	}
	for _, d := range []struct {
		of    types.ActionType
		name  string
		given bool
	}{
		{types.ActionTypeCreateTask, "TaskAction", a.TaskAction != nil},
		{types.ActionTypeAssignContactCategory, "AssignContactCategoryAction", a.AssignContactCategoryAction != nil},
		{types.ActionTypeGenerateEventbridgeEvent, "EventBridgeAction", a.EventBridgeAction != nil},
		{types.ActionTypeSendNotification, "SendNotificationAction", a.SendNotificationAction != nil},
		{types.ActionTypeCreateCase, "CreateCaseAction", a.CreateCaseAction != nil},
		{types.ActionTypeUpdateCase, "UpdateCaseAction", a.UpdateCaseAction != nil},
		{types.ActionTypeAssignSla, "AssignSlaAction", a.AssignSlaAction != nil},
		{types.ActionTypeEndAssociatedTasks, "EndAssociatedTasksAction", a.EndAssociatedTasksAction != nil},
		{types.ActionTypeSubmitAutoEvaluation, "SubmitAutoEvaluationAction", a.SubmitAutoEvaluationAction != nil},
	} {
		switch {
		case d.of == a.ActionType && !d.given:
			return fault.New(fault.InvalidRequest, "Actions[%d].%s is required for an action of type %s", i, d.name, a.ActionType)
		case d.of != a.ActionType && d.given:
			return fault.New(fault.InvalidRequest, "Actions[%d].%s must not be given for an action of type %s", i, d.name, a.ActionType)
		}
	}
	switch {
	case a.SendNotificationAction != nil:
		return checkNotification(i, a.SendNotificationAction)
	case a.CreateCaseAction != nil:
		return checkCaseFields(i, "CreateCaseAction", a.CreateCaseAction.Fields)
	case a.UpdateCaseAction != nil:
		return checkCaseFields(i, "UpdateCaseAction", a.UpdateCaseAction.Fields)
	case a.AssignSlaAction != nil:
		return checkSLA(i, a.AssignSlaAction)
	default:
		return nil
	}
}

func checkNotification(i int, d *types.SendNotificationActionDefinition) error {
	if len(d.Recipient.UserIds) == 0 && len(d.Recipient.UserTags) == 0 {
		return fault.New(fault.InvalidRequest, "Actions[%d].SendNotificationAction.Recipient must have UserIds or UserTags", i)
	}
	return nil
}

func checkSLA(i int, d *types.AssignSlaActionDefinition) error {
	c := d.CaseSlaConfiguration
	if c == nil {
		return fault.New(fault.InvalidRequest, "Actions[%d].AssignSlaAction.CaseSlaConfiguration is required", i)
	}
	if c.FieldId == nil || len(c.TargetFieldValues) == 0 {
		return fault.New(fault.InvalidRequest, "Actions[%d].AssignSlaAction.CaseSlaConfiguration must have FieldId and TargetFieldValues", i)
	}
	for n := range c.TargetFieldValues {
		if !oneValue(&c.TargetFieldValues[n]) {
			return fault.New(fault.InvalidRequest, "Actions[%d].AssignSlaAction.CaseSlaConfiguration.TargetFieldValues[%d] must have one value only", i, n)
		}
	}
	return nil
}

func checkCaseFields(i int, name string, fields []types.FieldValue) error {
	if len(fields) == 0 {
		return fault.New(fault.InvalidRequest, "Actions[%d].%s.Fields must include at least 1 item", i, name)
	}
	for n, f := range fields {
		if !oneValue(f.Value) {
			return fault.New(fault.InvalidRequest, "Actions[%d].%s.Fields[%d].Value must have one value only", i, name, n)
		}
		for _, other := range fields[:n] {
			if *other.Id == *f.Id {
				return fault.New(fault.InvalidRequest, "Actions[%d].%s.Fields[%d].Id: the field %q is given twice", i, name, n, *f.Id)
			}
		}
	}
	return nil
}

// oneValue reports whether a value has one form. A boolean that is false looks
// as if it were absent, so a value without any other form is one.
func oneValue(v *types.FieldValueUnion) bool {
	n := 0
	for _, given := range []bool{v.BooleanValue, v.DoubleValue != nil, v.EmptyValue != nil, v.StringValue != nil} {
		if given {
			n++
		}
	}
	return n <= 1
}

// The Rules Function language: AWS API reference, "Amazon Connect Rules
// Function language"; the number of conditions: admin guide, "Amazon Connect
// Rules feature specifications".
const (
	ruleLanguage      = "2022-11-25"
	maxRuleConditions = 20
	// maxRuleDepth bounds what a stranger can send, as the depth of a request's
	// body is bounded; real functions have a few levels.
	maxRuleDepth = 20
)

// checkFunction checks the frame of a function: its version, and that
// conditions are joined by AND and OR from the top.
func checkFunction(text string) error {
	var f struct {
		Version      string
		RuleFunction map[string]any
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return fault.New(fault.InvalidRequest, "Function must be a JSON object in the Rules Function language: %v", err)
	}
	switch {
	case f.Version != ruleLanguage:
		return fault.New(fault.InvalidRequest, "Function: Version must be %s", ruleLanguage)
	case f.RuleFunction == nil:
		return fault.New(fault.InvalidRequest, "Function: RuleFunction is required")
	case !joins(f.RuleFunction):
		return fault.New(fault.InvalidRequest, "Function: the Operator of RuleFunction must be AND or OR")
	}
	n, err := countConditions(f.RuleFunction, nil)
	if err == nil && n > maxRuleConditions {
		err = fault.New(fault.InvalidRequest, "Function must have at most %d conditions, it has %d", maxRuleConditions, n)
	}
	return err
}

// joins reports whether the operands of a condition are conditions. What they
// are below other operators depends on the event source and is not looked into.
func joins(condition map[string]any) bool {
	return condition["Operator"] == "AND" || condition["Operator"] == "OR"
}

// countConditions checks what AND or OR joins, and counts it. At is where the
// condition is: the index of its operand at each level.
func countConditions(joined map[string]any, at []int) (n int, err error) {
	if len(at) > maxRuleDepth {
		return 0, fault.New(fault.InvalidRequest, "Function: conditions must not be nested deeper than %d levels", maxRuleDepth)
	}
	operands, _ := joined["Operands"].([]any)
	if len(operands) == 0 {
		return 0, fault.New(fault.InvalidRequest, "Function: %s.Operands must include at least 1 item", conditionPath(at))
	}
	for i, operand := range operands {
		here := append(at[:len(at):len(at)], i)
		condition, _ := operand.(map[string]any)
		if operator, _ := condition["Operator"].(string); operator == "" {
			return 0, fault.New(fault.InvalidRequest, "Function: %s must be a condition with an Operator", conditionPath(here))
		}
		if !joins(condition) {
			if value, _ := condition["ComparisonValue"].(string); value == "" {
				return 0, fault.New(fault.InvalidRequest, "Function: %s must have a ComparisonValue", conditionPath(here))
			}
			n++
			continue
		}
		more, err := countConditions(condition, here)
		if err != nil {
			return 0, err
		}
		n += more
	}
	return n, nil
}

func conditionPath(at []int) string {
	path := "RuleFunction"
	for _, i := range at {
		path += fmt.Sprintf(".Operands[%d]", i)
	}
	return path
}
