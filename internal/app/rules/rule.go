package rules

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// How many rules an event source may have: admin guide, "Amazon Connect Rules
// feature specifications".
const (
	sourceQuota       = 500
	metricSourceQuota = 100
)

// A rule names flows, users and more, which may be deleted nevertheless: the
// operations that delete them have no ResourceInUseException. So it has no
// references that hold them. Its quota is counted by event source.
var ruleKind = catalog.Kind[domain.Rule]{
	Of:    domain.KindRule,
	Name:  func(e *domain.Rule) string { return e.Name },
	Check: (*domain.Rule).Check,
}

// CreateRule adds a rule.
func (r *Rules) CreateRule(ctx context.Context, in *connect.CreateRuleInput) (*connect.CreateRuleOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, r.catalog, sc, "CreateRule", in.ClientToken, in, func(tx store.Tx) (*connect.CreateRuleOutput, error) {
		e := &domain.Rule{
			Name: *in.Name, EventSource: in.TriggerEventSource.EventSourceName,
			Function: *in.Function, Status: in.PublishStatus, LastUpdatedBy: domain.CallerOf(ctx).ARN,
		}
		association, err := existing(ctx, tx, sc, domain.KindIntegrationAssociation, in.TriggerEventSource.IntegrationAssociationId)
		if err != nil {
			return nil, err
		}
		e.IntegrationAssociationID = domain.IntegrationAssociationID(aws.ToString(association))
		if e.Actions, err = actions(ctx, tx, sc, in.Actions); err != nil {
			return nil, err
		}
		if err := r.checkQuota(ctx, tx, sc, e.EventSource); err != nil {
			return nil, err
		}
		made, err := r.rules.Insert(ctx, tx, sc, e, nil)
		if err != nil {
			return nil, err
		}
		return &connect.CreateRuleOutput{RuleId: &made.ID, RuleArn: made.ARN(sc)}, nil
	})
}

// checkQuota refuses one more rule than AWS allows an event source.
func (r *Rules) checkQuota(ctx context.Context, tx store.Tx, sc catalog.Scope, source types.EventSourceName) error {
	if !r.catalog.Quotas() {
		return nil
	}
	all, err := r.rules.All(ctx, tx, sc)
	if err != nil {
		return err
	}
	n, most := 0, sourceQuota
	if source == types.EventSourceNameOnMetricDataUpdate {
		most = metricSourceQuota
	}
	for _, i := range all {
		if i.Value.EventSource == source {
			n++
		}
	}
	if n >= most {
		return fault.New(fault.ServiceQuotaExceeded, "The instance already has %d of %d rules for the event source %s.", n, most, source)
	}
	return nil
}

// actions are those of a request with bare ids in the place of ARNs. What they
// name must be there at this moment.
func actions(ctx context.Context, rd store.Reader, sc catalog.Scope, given []types.RuleAction) ([]types.RuleAction, error) {
	list := slices.Clone(given)
	for i := range list {
		a := &list[i]
		var err error
		if a.TaskAction != nil {
			d := *a.TaskAction
			d.ContactFlowId, err = existing(ctx, rd, sc, domain.KindContactFlow, d.ContactFlowId)
			a.TaskAction = &d
		}
		if err == nil && a.SubmitAutoEvaluationAction != nil {
			d := *a.SubmitAutoEvaluationAction
			d.EvaluationFormId, err = existing(ctx, rd, sc, domain.KindEvaluationForm, d.EvaluationFormId)
			a.SubmitAutoEvaluationAction = &d
		}
		if err == nil && a.SendNotificationAction != nil {
			d := *a.SendNotificationAction
			if d.Recipient, err = users(ctx, rd, sc, d.Recipient); err == nil {
				d.Exclusion, err = users(ctx, rd, sc, d.Exclusion)
			}
			a.SendNotificationAction = &d
		}
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// users are recipients with bare ids.
func users(ctx context.Context, rd store.Reader, sc catalog.Scope, given *types.NotificationRecipientType) (*types.NotificationRecipientType, error) {
	if given == nil {
		return nil, nil
	}
	r := *given
	r.UserIds = slices.Clone(given.UserIds)
	for i := range r.UserIds {
		id, err := existing(ctx, rd, sc, domain.KindUser, &r.UserIds[i])
		if err != nil {
			return nil, err
		}
		r.UserIds[i] = *id
	}
	return &r, nil
}

// existing is catalog.Existing for a member that may be absent.
func existing(ctx context.Context, rd store.Reader, sc catalog.Scope, kind domain.Kind, idOrARN *string) (*string, error) {
	if idOrARN == nil {
		return nil, nil
	}
	id, err := catalog.Existing(ctx, rd, sc, kind, *idOrARN)
	return &id, err
}

// DescribeRule returns a rule.
func (r *Rules) DescribeRule(ctx context.Context, in *connect.DescribeRuleInput) (*connect.DescribeRuleOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := r.rules.Get(ctx, sc, *in.RuleId)
	if err != nil {
		return nil, err
	}
	e := &i.Value
	return &connect.DescribeRuleOutput{Rule: &types.Rule{
		RuleId: &i.ID, RuleArn: i.ARN(sc), Name: &e.Name, Function: &e.Function, Actions: e.Actions, PublishStatus: e.Status,
		TriggerEventSource: &types.RuleTriggerEventSource{
			EventSourceName: e.EventSource, IntegrationAssociationId: catalog.Optional(e.IntegrationAssociationID),
		},
		CreatedTime: &i.Created, LastUpdatedTime: &i.Modified, LastUpdatedBy: &e.LastUpdatedBy, Tags: i.TagMap(),
	}}, nil
}

// UpdateRule replaces a rule but for its event source. The name can be changed
// only if that is of another service (AWS API reference, UpdateRule).
func (r *Rules) UpdateRule(ctx context.Context, in *connect.UpdateRuleInput) (*connect.UpdateRuleOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, r.rules.Update(ctx, sc, *in.RuleId, func(tx store.Tx, e *domain.Rule) error {
		if *in.Name != e.Name && !e.Renamable() {
			return fault.New(fault.InvalidRequest, "Name cannot be changed for the event source %s", e.EventSource)
		}
		var err error
		if e.Actions, err = actions(ctx, tx, sc, in.Actions); err != nil {
			return err
		}
		e.Name, e.Function, e.Status, e.LastUpdatedBy = *in.Name, *in.Function, in.PublishStatus, domain.CallerOf(ctx).ARN
		return nil
	})
}

// DeleteRule removes a rule.
func (r *Rules) DeleteRule(ctx context.Context, in *connect.DeleteRuleInput) (*connect.DeleteRuleOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, r.rules.Delete(ctx, sc, *in.RuleId, nil)
}

// ListRules lists rules, of an event source and a publish status if the request
// has them.
func (r *Rules) ListRules(ctx context.Context, in *connect.ListRulesInput) (*connect.ListRulesOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := r.rules.ListWhere(ctx, sc, page, func(i *catalog.Item[domain.Rule]) bool {
		return (in.EventSourceName == "" || i.Value.EventSource == in.EventSourceName) &&
			(in.PublishStatus == "" || i.Value.Status == in.PublishStatus)
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListRulesOutput{
		NextToken: next,
		RuleSummaryList: catalog.Map(found, func(i *catalog.Item[domain.Rule]) types.RuleSummary {
			e := &i.Value
			return types.RuleSummary{
				RuleId: &i.ID, RuleArn: i.ARN(sc), Name: &e.Name, EventSourceName: e.EventSource, PublishStatus: e.Status,
				ActionSummaries: catalog.Map(e.Actions, func(a types.RuleAction) types.ActionSummary {
					return types.ActionSummary{ActionType: a.ActionType}
				}),
				CreatedTime: &i.Created, LastUpdatedTime: &i.Modified,
			}
		}),
	}, nil
}
