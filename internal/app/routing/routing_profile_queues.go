package routing

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

// maxQueueReferences is how many queues of each sort a request may take from a
// profile (AWS API reference, DisassociateRoutingProfileQueues).
const maxQueueReferences = 10

// AssociateRoutingProfileQueues adds queues to a profile. One that it already
// has on the same channel gets the request's priority and delay.
func (r *Routing) AssociateRoutingProfileQueues(ctx context.Context, in *connect.AssociateRoutingProfileQueuesInput) (*connect.AssociateRoutingProfileQueuesOutput, error) {
	if len(in.QueueConfigs) == 0 && len(in.ManualAssignmentQueueConfigs) == 0 {
		return nil, fault.New(fault.InvalidRequest, "QueueConfigs or ManualAssignmentQueueConfigs is required")
	}
	return nil, r.changeRoutingProfile(ctx, in.InstanceId, in.RoutingProfileId, func(sc catalog.Scope, e *domain.RoutingProfile) error {
		queues, err := routingQueues(sc, in.QueueConfigs)
		if err != nil {
			return err
		}
		manual, err := manualQueues(sc, in.ManualAssignmentQueueConfigs)
		if err != nil {
			return err
		}
		for _, q := range queues {
			if at := indexOf(e.QueueConfigs, q.QueueChannel); at >= 0 {
				e.QueueConfigs[at] = q
			} else {
				e.QueueConfigs = append(e.QueueConfigs, q)
			}
		}
		e.ManualAssignmentQueues = union(e.ManualAssignmentQueues, manual)
		return r.checkProfileQueues(e)
	})
}

// checkProfileQueues checks a profile against the quota of its queues.
func (r *Routing) checkProfileQueues(e *domain.RoutingProfile) error {
	if n := max(len(e.QueueConfigs), len(e.ManualAssignmentQueues)); r.catalog.Quotas() && n > routingProfileQueueQuota {
		return fault.New(fault.LimitExceeded, "A routing profile may have at most %d combinations of queue and channel, this one would have %d.", routingProfileQueueQuota, n)
	}
	return nil
}

// UpdateRoutingProfileQueues changes the priority and the delay of queues that
// the profile has on the channel given.
func (r *Routing) UpdateRoutingProfileQueues(ctx context.Context, in *connect.UpdateRoutingProfileQueuesInput) (*connect.UpdateRoutingProfileQueuesOutput, error) {
	return nil, r.changeRoutingProfile(ctx, in.InstanceId, in.RoutingProfileId, func(sc catalog.Scope, e *domain.RoutingProfile) error {
		queues, err := routingQueues(sc, in.QueueConfigs)
		if err != nil {
			return err
		}
		for _, q := range queues {
			at := indexOf(e.QueueConfigs, q.QueueChannel)
			if at < 0 {
				return fault.New(fault.InvalidRequest, "QueueConfigs: queue %s is not associated with the routing profile on channel %s", q.QueueID, q.Channel)
			}
			e.QueueConfigs[at] = q
		}
		return nil
	})
}

// DisassociateRoutingProfileQueues takes queues from a profile. Those that it
// does not have are passed over.
func (r *Routing) DisassociateRoutingProfileQueues(ctx context.Context, in *connect.DisassociateRoutingProfileQueuesInput) (*connect.DisassociateRoutingProfileQueuesOutput, error) {
	switch {
	case len(in.QueueReferences) == 0 && len(in.ManualAssignmentQueueReferences) == 0:
		return nil, fault.New(fault.InvalidRequest, "QueueReferences or ManualAssignmentQueueReferences is required")
	case len(in.QueueReferences) > maxQueueReferences:
		return nil, fault.New(fault.InvalidParameter, "QueueReferences must include at most %d items", maxQueueReferences)
	case len(in.ManualAssignmentQueueReferences) > maxQueueReferences:
		return nil, fault.New(fault.InvalidParameter, "ManualAssignmentQueueReferences must include at most %d items", maxQueueReferences)
	}
	return nil, r.changeRoutingProfile(ctx, in.InstanceId, in.RoutingProfileId, func(sc catalog.Scope, e *domain.RoutingProfile) error {
		queues, err := queueChannels(sc, in.QueueReferences)
		if err != nil {
			return err
		}
		manual, err := queueChannels(sc, in.ManualAssignmentQueueReferences)
		if err != nil {
			return err
		}
		e.QueueConfigs = slices.DeleteFunc(e.QueueConfigs, func(q domain.RoutingQueue) bool {
			return slices.Contains(queues, q.QueueChannel)
		})
		e.ManualAssignmentQueues = without(e.ManualAssignmentQueues, manual)
		return nil
	})
}

// ListRoutingProfileQueues lists the queues that contacts are routed from.
func (r *Routing) ListRoutingProfileQueues(ctx context.Context, in *connect.ListRoutingProfileQueuesInput) (*connect.ListRoutingProfileQueuesOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &connect.ListRoutingProfileQueuesOutput{LastModifiedRegion: aws.String(sc.Region)}
	err = r.catalog.Store().View(ctx, func(rd store.Reader) error {
		i, err := r.routingProfiles.GetIn(ctx, rd, sc, *in.RoutingProfileId)
		if err != nil {
			return err
		}
		page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
		queues, next, err := catalog.Slice(sc, domain.KindRoutingProfile, page, i.Value.QueueConfigs)
		if err != nil {
			return err
		}
		names, err := r.queueNames(ctx, rd, sc, catalog.Map(queues, func(q domain.RoutingQueue) string { return string(q.QueueID) }))
		if err != nil {
			return err
		}
		out.LastModifiedTime, out.NextToken = aws.Time(i.Modified), next
		out.RoutingProfileQueueConfigSummaryList = catalog.Map(queues, func(q domain.RoutingQueue) types.RoutingProfileQueueConfigSummary {
			id := string(q.QueueID)
			return types.RoutingProfileQueueConfigSummary{
				QueueId: aws.String(id), QueueArn: aws.String(sc.ARN(domain.KindQueue, id)), QueueName: aws.String(names[id]),
				Channel: q.Channel, Priority: aws.Int32(q.Priority), Delay: q.Delay,
			}
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListRoutingProfileManualAssignmentQueues lists the queues from which
// contacts are assigned by hand.
func (r *Routing) ListRoutingProfileManualAssignmentQueues(ctx context.Context, in *connect.ListRoutingProfileManualAssignmentQueuesInput) (*connect.ListRoutingProfileManualAssignmentQueuesOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &connect.ListRoutingProfileManualAssignmentQueuesOutput{LastModifiedRegion: aws.String(sc.Region)}
	err = r.catalog.Store().View(ctx, func(rd store.Reader) error {
		i, err := r.routingProfiles.GetIn(ctx, rd, sc, *in.RoutingProfileId)
		if err != nil {
			return err
		}
		page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
		queues, next, err := catalog.Slice(sc, domain.KindRoutingProfile, page, i.Value.ManualAssignmentQueues)
		if err != nil {
			return err
		}
		names, err := r.queueNames(ctx, rd, sc, catalog.Map(queues, func(q domain.QueueChannel) string { return string(q.QueueID) }))
		if err != nil {
			return err
		}
		out.LastModifiedTime, out.NextToken = aws.Time(i.Modified), next
		out.RoutingProfileManualAssignmentQueueConfigSummaryList = catalog.Map(queues, func(q domain.QueueChannel) types.RoutingProfileManualAssignmentQueueConfigSummary {
			id := string(q.QueueID)
			return types.RoutingProfileManualAssignmentQueueConfigSummary{
				QueueId: aws.String(id), QueueArn: aws.String(sc.ARN(domain.KindQueue, id)), QueueName: aws.String(names[id]),
				Channel: q.Channel,
			}
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// queueNames finds the names of queues by their ids.
func (r *Routing) queueNames(ctx context.Context, rd store.Reader, sc catalog.Scope, ids []string) (map[string]string, error) {
	queues, err := r.queues.Several(ctx, rd, sc, union(nil, ids))
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(queues))
	for _, q := range queues {
		names[q.ID] = q.Name
	}
	return names, nil
}

func indexOf(list []domain.RoutingQueue, of domain.QueueChannel) int {
	return slices.IndexFunc(list, func(q domain.RoutingQueue) bool { return q.QueueChannel == of })
}

func queueChannels(sc catalog.Scope, refs []types.RoutingProfileQueueReference) ([]domain.QueueChannel, error) {
	list := make([]domain.QueueChannel, len(refs))
	for i, ref := range refs {
		id, err := catalog.ID(sc, domain.KindQueue, *ref.QueueId)
		if err != nil {
			return nil, err
		}
		list[i] = domain.QueueChannel{QueueID: domain.QueueID(id), Channel: ref.Channel}
	}
	return list, nil
}

// routingQueues reads queue configurations, in which a queue and channel may
// come once.
func routingQueues(sc catalog.Scope, configs []types.RoutingProfileQueueConfig) ([]domain.RoutingQueue, error) {
	list := make([]domain.RoutingQueue, 0, len(configs))
	for i, c := range configs {
		at, err := queueChannels(sc, []types.RoutingProfileQueueReference{*c.QueueReference})
		if err != nil {
			return nil, err
		}
		if indexOf(list, at[0]) >= 0 {
			return nil, fault.New(fault.InvalidParameter, "QueueConfigs[%d]: queue %s is given twice for channel %s", i, at[0].QueueID, at[0].Channel)
		}
		list = append(list, domain.RoutingQueue{QueueChannel: at[0], Priority: *c.Priority, Delay: *c.Delay})
	}
	return list, nil
}

// manualQueues reads manual assignment queue configurations, in which a queue
// and channel may come once.
func manualQueues(sc catalog.Scope, configs []types.RoutingProfileManualAssignmentQueueConfig) ([]domain.QueueChannel, error) {
	list, err := queueChannels(sc, catalog.Map(configs, func(c types.RoutingProfileManualAssignmentQueueConfig) types.RoutingProfileQueueReference {
		return *c.QueueReference
	}))
	if err != nil {
		return nil, err
	}
	for i, q := range list {
		if slices.Contains(list[:i], q) {
			return nil, fault.New(fault.InvalidParameter, "ManualAssignmentQueueConfigs[%d]: queue %s is given twice for channel %s", i, q.QueueID, q.Channel)
		}
	}
	return list, nil
}
