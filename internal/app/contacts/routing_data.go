package contacts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// UpdateContactRoutingData changes the place of a contact in its queue, at once
// where the real service takes up to a minute, and which agents it is for. Steps
// that are given replace those that there are; none removes them.
func (c *Contacts) UpdateContactRoutingData(ctx context.Context, in *connect.UpdateContactRoutingDataInput) (*connect.UpdateContactRoutingDataOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	switch {
	case in.QueuePriority != nil && in.QueueTimeAdjustmentSeconds != nil:
		return nil, fault.New(fault.InvalidParameter, "QueuePriority and QueueTimeAdjustmentSeconds must not both be given")
	case in.QueuePriority == nil && in.QueueTimeAdjustmentSeconds == nil && in.RoutingCriteria == nil:
		return nil, fault.New(fault.InvalidParameter, "QueuePriority, QueueTimeAdjustmentSeconds or RoutingCriteria is required")
	}
	criteria, err := domain.NewRoutingCriteria(in.RoutingCriteria)
	if err != nil {
		return nil, err
	}
	var changed []string
	if in.QueuePriority != nil {
		changed = append(changed, "QueuePriority")
	}
	if in.QueueTimeAdjustmentSeconds != nil {
		changed = append(changed, "QueueTimeAdjustmentSeconds")
	}
	if in.RoutingCriteria != nil {
		changed = append(changed, "RoutingCriteria")
	}
	err = c.Engine.Route(ctx, instanceOf(sc), id, func(e *domain.Contact) error {
		if in.QueuePriority != nil {
			e.Priority = *in.QueuePriority
		}
		if in.QueueTimeAdjustmentSeconds != nil {
			e.TimeAdjustment = *in.QueueTimeAdjustmentSeconds
		}
		if in.RoutingCriteria != nil {
			index := int32(0)
			if e.Routing != nil && e.Routing.Index != nil {
				index = *e.Routing.Index + 1
			}
			if e.Routing = criteria; criteria != nil {
				criteria.Index = &index
			}
		}
		return nil
	}, changed...)
	if fault.Is(err, fault.InvalidRequest) { // it has ended
		return nil, fault.New(fault.ResourceConflict, "%s", fault.From(err).Message)
	}
	return nil, err
}

// GetContactMetrics tells a queued contact's place. How long it will wait cannot
// be told while nobody takes contacts, and is left out (docs/divergences.md).
func (c *Contacts) GetContactMetrics(ctx context.Context, in *connect.GetContactMetricsInput) (*connect.GetContactMetricsOutput, error) {
	sc, err := c.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, err := catalog.ID(sc, domain.KindContact, *in.ContactId)
	if err != nil {
		return nil, err
	}
	found, err := c.Engine.Read(ctx, instanceOf(sc), id)
	if err != nil {
		return nil, err
	}
	at, queued := c.Engine.Position(instanceOf(sc), found)
	if !queued {
		return nil, fault.New(fault.InvalidRequest, "Contact %s is in no queue.", id)
	}
	out := &connect.GetContactMetricsOutput{
		Arn: aws.String(sc.ARN(domain.KindContact, id)), Id: &id, MetricResults: []types.ContactMetricResult{},
	}
	for _, m := range in.Metrics {
		if m.Name == types.ContactMetricNamePositionInQueue {
			out.MetricResults = append(out.MetricResults, types.ContactMetricResult{
				Name: m.Name, Value: &types.ContactMetricValueMemberNumber{Value: float64(at.Place)},
			})
		}
	}
	return out, nil
}

// AssociateContactWithUser would give a queued contact to an agent. It checks all
// that can be checked and then refuses: no agent can be signed in yet.
func (c *Contacts) AssociateContactWithUser(ctx context.Context, in *connect.AssociateContactWithUserInput) (*connect.AssociateContactWithUserOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	found, err := c.Engine.Read(ctx, instanceOf(sc), id)
	if err != nil {
		return nil, err
	}
	agent, err := c.Configuration.AgentQueue(ctx, addressed(sc), *in.UserId)
	if err != nil {
		return nil, err
	}
	if found.Channel == types.ChannelVoice {
		return nil, fault.New(fault.InvalidRequest, "Contact %s is a VOICE contact; only CHAT, EMAIL and TASK contacts can be associated with a user.", id)
	}
	if _, queued := c.Engine.Position(instanceOf(sc), found); !queued {
		return nil, fault.New(fault.InvalidRequest, "Contact %s is in no queue.", id)
	}
	return nil, fault.New(fault.InvalidRequest, "The user %s is not signed in as an agent; this release of the server has no agents.", agent.Name)
}
