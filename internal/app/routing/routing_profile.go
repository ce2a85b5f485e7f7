package routing

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/starter"
	"ringdown/internal/store"
)

// The quotas of routing profiles: admin guide, "Amazon Connect service
// quotas".
const (
	routingProfileQuota = 500
	// For one profile, and as many again for manual assignment.
	routingProfileQueueQuota = 50
)

var routingProfileKind = catalog.Kind[domain.RoutingProfile]{
	Of:    domain.KindRoutingProfile,
	Name:  func(e *domain.RoutingProfile) string { return e.Name },
	Refs:  routingProfileRefs,
	Check: (*domain.RoutingProfile).Check,
	Quota: routingProfileQuota,
	Fields: catalog.Fields[domain.RoutingProfile]{
		"name":        catalog.TextField(func(e *domain.RoutingProfile) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.RoutingProfile) string { return e.Description }),
		"associatedQueueIds": catalog.KeyField(func(e *domain.RoutingProfile) []string {
			return strs(e.QueueIDs())
		}),
		"resourceID": catalog.IDField[domain.RoutingProfile](),
	},
}

func routingProfileRefs(e *domain.RoutingProfile) []catalog.Ref {
	refs := []catalog.Ref{{Role: roleDefaultOutboundQueue, Kind: domain.KindQueue, ID: string(e.DefaultOutboundQueueID)}}
	for _, id := range e.QueueIDs() {
		refs = append(refs, catalog.Ref{Role: roleQueue, Kind: domain.KindQueue, ID: string(id)})
	}
	for _, id := range e.ManualAssignmentQueueIDs() {
		refs = append(refs, catalog.Ref{Role: roleManualAssignmentQueue, Kind: domain.KindQueue, ID: string(id)})
	}
	return refs
}

// seedRoutingProfile gives a new instance its routing profile, of whose queues
// there is one.
func (r *Routing) seedRoutingProfile(ctx context.Context, tx store.Tx, sc catalog.Scope, queue domain.QueueID) error {
	basic := starter.BasicRoutingProfile()
	_, err := r.routingProfiles.Insert(ctx, tx, sc, &domain.RoutingProfile{
		Name: basic.Name, Description: basic.Description, Default: true,
		DefaultOutboundQueueID: queue,
		AgentAvailabilityTimer: types.AgentAvailabilityTimer(basic.AgentAvailabilityTimer),
		MediaConcurrencies: catalog.Map(basic.MediaConcurrencies, func(m starter.MediaConcurrency) domain.MediaConcurrency {
			return domain.MediaConcurrency{
				Channel: types.Channel(m.Channel), Concurrency: int32(m.Concurrency),
				CrossChannelBehavior: types.BehaviorType(m.CrossChannelBehavior),
			}
		}),
		QueueConfigs: catalog.Map(basic.QueueConfigs, func(q starter.QueueConfig) domain.RoutingQueue {
			return domain.RoutingQueue{
				QueueChannel: domain.QueueChannel{QueueID: queue, Channel: types.Channel(q.Channel)},
				Priority:     int32(q.Priority), Delay: int32(q.Delay),
			}
		}),
	}, nil)
	return err
}

// CreateRoutingProfile adds a routing profile.
func (r *Routing) CreateRoutingProfile(ctx context.Context, in *connect.CreateRoutingProfileInput) (*connect.CreateRoutingProfileOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	e := &domain.RoutingProfile{
		Name:                   *in.Name,
		Description:            *in.Description,
		AgentAvailabilityTimer: in.AgentAvailabilityTimer,
		MediaConcurrencies:     mediaConcurrencies(in.MediaConcurrencies),
	}
	if e.AgentAvailabilityTimer == "" {
		e.AgentAvailabilityTimer = types.AgentAvailabilityTimerTimeSinceLastActivity
	}
	outbound, err := r.queues.ID(sc, *in.DefaultOutboundQueueId)
	if err != nil {
		return nil, err
	}
	e.DefaultOutboundQueueID = domain.QueueID(outbound)
	if e.QueueConfigs, err = routingQueues(sc, in.QueueConfigs); err != nil {
		return nil, err
	}
	if e.ManualAssignmentQueues, err = manualQueues(sc, in.ManualAssignmentQueueConfigs); err != nil {
		return nil, err
	}
	made, err := r.routingProfiles.Create(ctx, sc, e, in.Tags)
	if err != nil {
		return nil, err
	}
	return &connect.CreateRoutingProfileOutput{
		RoutingProfileArn: aws.String(sc.ARN(domain.KindRoutingProfile, made.ID)),
		RoutingProfileId:  aws.String(made.ID),
	}, nil
}

// DescribeRoutingProfile returns a routing profile; which queues it has is
// told by ListRoutingProfileQueues.
func (r *Routing) DescribeRoutingProfile(ctx context.Context, in *connect.DescribeRoutingProfileInput) (*connect.DescribeRoutingProfileOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var out types.RoutingProfile
	err = r.catalog.Store().View(ctx, func(rd store.Reader) error {
		i, err := r.routingProfiles.GetIn(ctx, rd, sc, *in.RoutingProfileId)
		if err != nil {
			return err
		}
		if out, err = routingProfileOut(ctx, rd, sc, i); err != nil {
			return err
		}
		out.AgentAvailabilityTimer = i.Value.AgentAvailabilityTimer
		out.LastModifiedRegion, out.LastModifiedTime = aws.String(sc.Region), aws.Time(i.Modified)
		for n, m := range i.Value.MediaConcurrencies {
			out.MediaConcurrencies[n].CrossChannelBehavior = &types.CrossChannelBehavior{BehaviorType: m.CrossChannelBehavior}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &connect.DescribeRoutingProfileOutput{RoutingProfile: &out}, nil
}

// ListRoutingProfiles lists routing profiles.
func (r *Routing) ListRoutingProfiles(ctx context.Context, in *connect.ListRoutingProfilesInput) (*connect.ListRoutingProfilesOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := r.routingProfiles.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListRoutingProfilesOutput{
		NextToken: next,
		RoutingProfileSummaryList: catalog.Map(found, func(i *catalog.Item[domain.RoutingProfile]) types.RoutingProfileSummary {
			return types.RoutingProfileSummary{
				Arn: aws.String(sc.ARN(domain.KindRoutingProfile, i.ID)), Id: aws.String(i.ID), Name: aws.String(i.Name),
				LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}

// SearchRoutingProfiles finds routing profiles by criteria and tags. What it
// returns of one has the ids of the queues, which DescribeRoutingProfile has
// not, but lacks the timer, the behaviour across channels and the last change
// (AWS API reference, SearchRoutingProfiles).
func (r *Routing) SearchRoutingProfiles(ctx context.Context, in *connect.SearchRoutingProfilesInput) (*connect.SearchRoutingProfilesOutput, error) {
	sc, err := r.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	q, err := catalog.NarrowByTags(r.routingProfileCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	var out *connect.SearchRoutingProfilesOutput
	err = r.catalog.Store().View(ctx, func(rd store.Reader) error {
		found, next, total, err := r.routingProfiles.SearchIn(ctx, rd, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
		if err != nil {
			return err
		}
		out = &connect.SearchRoutingProfilesOutput{
			NextToken: next, ApproximateTotalCount: total,
			RoutingProfiles: make([]types.RoutingProfile, len(found)),
		}
		for n, i := range found {
			p, err := routingProfileOut(ctx, rd, sc, i)
			if err != nil {
				return err
			}
			p.AssociatedQueueIds = strs(i.Value.QueueIDs())
			p.AssociatedManualAssignmentQueueIds = strs(i.Value.ManualAssignmentQueueIDs())
			out.RoutingProfiles[n] = p
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (r *Routing) routingProfileCriteria(c *types.RoutingProfileSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, r.routingProfileCriteria),
		Or:     catalog.Each(c.OrConditions, r.routingProfileCriteria),
		Leaves: []catalog.Leaf{r.routingProfiles.String(c.StringCondition)},
	}
}

// DeleteRoutingProfile removes a routing profile that no user has.
func (r *Routing) DeleteRoutingProfile(ctx context.Context, in *connect.DeleteRoutingProfileInput) (*connect.DeleteRoutingProfileOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, r.routingProfiles.Delete(ctx, sc, *in.RoutingProfileId, func(_ store.Tx, i *catalog.Item[domain.RoutingProfile]) error {
		if i.Value.Default {
			return fault.New(fault.InvalidRequest, "The routing profile %q of a new instance cannot be deleted", i.Name)
		}
		return nil
	})
}

// changeRoutingProfile is the whole of an Update operation on a routing
// profile.
func (r *Routing) changeRoutingProfile(ctx context.Context, instanceID, profileID *string, change func(sc catalog.Scope, e *domain.RoutingProfile) error) error {
	sc, err := r.catalog.Scope(ctx, instanceID)
	if err != nil {
		return err
	}
	return r.routingProfiles.Update(ctx, sc, *profileID, func(_ store.Tx, e *domain.RoutingProfile) error { return change(sc, e) })
}

// UpdateRoutingProfileName changes the name and the description, whichever the
// request has.
func (r *Routing) UpdateRoutingProfileName(ctx context.Context, in *connect.UpdateRoutingProfileNameInput) (*connect.UpdateRoutingProfileNameOutput, error) {
	return nil, r.changeRoutingProfile(ctx, in.InstanceId, in.RoutingProfileId, func(_ catalog.Scope, e *domain.RoutingProfile) error {
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		return nil
	})
}

// UpdateRoutingProfileConcurrency replaces the channels as a whole.
func (r *Routing) UpdateRoutingProfileConcurrency(ctx context.Context, in *connect.UpdateRoutingProfileConcurrencyInput) (*connect.UpdateRoutingProfileConcurrencyOutput, error) {
	return nil, r.changeRoutingProfile(ctx, in.InstanceId, in.RoutingProfileId, func(_ catalog.Scope, e *domain.RoutingProfile) error {
		e.MediaConcurrencies = mediaConcurrencies(in.MediaConcurrencies)
		return nil
	})
}

// UpdateRoutingProfileDefaultOutboundQueue gives the outbound calls of the
// profile's agents another queue.
func (r *Routing) UpdateRoutingProfileDefaultOutboundQueue(ctx context.Context, in *connect.UpdateRoutingProfileDefaultOutboundQueueInput) (*connect.UpdateRoutingProfileDefaultOutboundQueueOutput, error) {
	return nil, r.changeRoutingProfile(ctx, in.InstanceId, in.RoutingProfileId, func(sc catalog.Scope, e *domain.RoutingProfile) error {
		id, err := r.queues.ID(sc, *in.DefaultOutboundQueueId)
		e.DefaultOutboundQueueID = domain.QueueID(id)
		return err
	})
}

// UpdateRoutingProfileAgentAvailabilityTimer sets what counts as idle time.
func (r *Routing) UpdateRoutingProfileAgentAvailabilityTimer(ctx context.Context, in *connect.UpdateRoutingProfileAgentAvailabilityTimerInput) (*connect.UpdateRoutingProfileAgentAvailabilityTimerOutput, error) {
	return nil, r.changeRoutingProfile(ctx, in.InstanceId, in.RoutingProfileId, func(_ catalog.Scope, e *domain.RoutingProfile) error {
		e.AgentAvailabilityTimer = in.AgentAvailabilityTimer
		return nil
	})
}

// mediaConcurrencies reads the channels of a profile. Without a behaviour an
// agent who holds a contact of a channel is offered that channel only.
func mediaConcurrencies(list []types.MediaConcurrency) []domain.MediaConcurrency {
	return catalog.Map(list, func(m types.MediaConcurrency) domain.MediaConcurrency {
		e := domain.MediaConcurrency{
			Channel: m.Channel, Concurrency: *m.Concurrency, CrossChannelBehavior: types.BehaviorTypeRouteCurrentChannelOnly,
		}
		if m.CrossChannelBehavior != nil {
			e.CrossChannelBehavior = m.CrossChannelBehavior.BehaviorType
		}
		return e
	})
}

// routingProfileOut shows what DescribeRoutingProfile and
// SearchRoutingProfiles have in common.
func routingProfileOut(ctx context.Context, rd store.Reader, sc catalog.Scope, i *catalog.Item[domain.RoutingProfile]) (types.RoutingProfile, error) {
	users, err := rd.CountReferrers(ctx, i.PK(), catalog.RoleRoutingProfile)
	if err != nil {
		return types.RoutingProfile{}, err
	}
	e := &i.Value
	return types.RoutingProfile{
		InstanceId:             aws.String(string(sc.ID)),
		RoutingProfileArn:      aws.String(sc.ARN(domain.KindRoutingProfile, i.ID)),
		RoutingProfileId:       aws.String(i.ID),
		Name:                   aws.String(e.Name),
		Description:            aws.String(e.Description),
		DefaultOutboundQueueId: aws.String(string(e.DefaultOutboundQueueID)),
		IsDefault:              e.Default,
		MediaConcurrencies: catalog.Map(e.MediaConcurrencies, func(m domain.MediaConcurrency) types.MediaConcurrency {
			return types.MediaConcurrency{Channel: m.Channel, Concurrency: aws.Int32(m.Concurrency)}
		}),
		NumberOfAssociatedQueues:                 aws.Int64(int64(len(e.QueueIDs()))),
		NumberOfAssociatedManualAssignmentQueues: aws.Int64(int64(len(e.ManualAssignmentQueueIDs()))),
		NumberOfAssociatedUsers:                  aws.Int64(int64(users)),
		Tags:                                     i.TagMap(),
	}, nil
}
