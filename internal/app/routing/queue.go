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
	"ringdown/internal/search"
	"ringdown/internal/starter"
	"ringdown/internal/store"
)

// The quotas of queues: admin guide, "Amazon Connect service quotas".
const (
	queueQuota             = 100
	queueQuickConnectQuota = 700 // for one queue
	// AWS API reference, AssociateQueueEmailAddresses: 49 beside the default
	// one.
	queueEmailAddressQuota = 49
	// What an instance may hold at once: 10 calls, 500 chats, 2500 tasks, 1000
	// e-mails. A queue's MaxContacts must be below that.
	concurrentContactQuota = 10 + 500 + 2500 + 1000
)

var queueKind = catalog.Kind[domain.Queue]{
	Of:    domain.KindQueue,
	Name:  func(e *domain.Queue) string { return e.Name },
	Refs:  queueRefs,
	Quota: queueQuota,
	Fields: catalog.Fields[domain.Queue]{
		"name":        catalog.TextField(func(e *domain.Queue) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.Queue) string { return e.Description }),
		"resourceID":  catalog.IDField[domain.Queue](),
	},
}

func queueRefs(e *domain.Queue) []catalog.Ref {
	refs := []catalog.Ref{{Role: roleHours, Kind: domain.KindHoursOfOperation, ID: string(e.HoursOfOperationID)}}
	optional := func(role store.Role, kind domain.Kind, id string) {
		if id != "" {
			refs = append(refs, catalog.Ref{Role: role, Kind: kind, ID: id})
		}
	}
	optional(catalog.RoleCallerNumber, domain.KindPhoneNumber, string(e.OutboundCaller.NumberID))
	optional(roleOutboundFlow, domain.KindContactFlow, string(e.OutboundCaller.FlowID))
	optional(roleOutboundEmail, domain.KindEmailAddress, string(e.OutboundEmailAddressID))
	for _, id := range e.EmailAddressIDs {
		refs = append(refs, catalog.Ref{Role: roleEmailAddress, Kind: domain.KindEmailAddress, ID: string(id)})
	}
	for _, id := range e.QuickConnectIDs {
		refs = append(refs, catalog.Ref{Role: roleQuickConnect, Kind: domain.KindQuickConnect, ID: string(id)})
	}
	return refs
}

// seedQueue gives a new instance its queue and returns its id.
func (r *Routing) seedQueue(ctx context.Context, tx store.Tx, sc catalog.Scope, hours domain.HoursOfOperationID) (domain.QueueID, error) {
	basic := starter.BasicQueue()
	made, err := r.queues.Insert(ctx, tx, sc, &domain.Queue{
		Name: basic.Name, Description: basic.Description,
		Status: types.QueueStatus(basic.Status), HoursOfOperationID: hours,
	}, nil)
	if err != nil {
		return "", err
	}
	return domain.QueueID(made.ID), nil
}

// CreateQueue adds a standard queue; it is ENABLED.
func (r *Routing) CreateQueue(ctx context.Context, in *connect.CreateQueueInput) (*connect.CreateQueueOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	e := &domain.Queue{
		Name:        *in.Name,
		Description: aws.ToString(in.Description),
		Status:      types.QueueStatusEnabled,
		MaxContacts: in.MaxContacts,
	}
	hours, err := r.hours.ID(sc, *in.HoursOfOperationId)
	if err != nil {
		return nil, err
	}
	e.HoursOfOperationID = domain.HoursOfOperationID(hours)
	if e.OutboundCaller, err = outboundCaller(sc, in.OutboundCallerConfig); err != nil {
		return nil, err
	}
	if e.OutboundEmailAddressID, err = outboundEmail(sc, in.OutboundEmailConfig); err != nil {
		return nil, err
	}
	emails, err := emailAddressIDs(sc, in.EmailAddressesConfig)
	if err != nil {
		return nil, err
	}
	quick, err := ids[domain.QuickConnectID](sc, domain.KindQuickConnect, in.QuickConnectIds)
	if err != nil {
		return nil, err
	}
	e.EmailAddressIDs, e.QuickConnectIDs = union(nil, emails), union(nil, quick)
	if err := r.checkQueue(e); err != nil {
		return nil, err
	}
	made, err := r.queues.Create(ctx, sc, e, in.Tags)
	if err != nil {
		return nil, err
	}
	return &connect.CreateQueueOutput{
		QueueArn: aws.String(sc.ARN(domain.KindQueue, made.ID)),
		QueueId:  aws.String(made.ID),
	}, nil
}

// checkQueue checks a queue against the quotas that are on one queue.
func (r *Routing) checkQueue(e *domain.Queue) error {
	if !r.catalog.Quotas() {
		return nil
	}
	switch {
	case aws.ToInt32(e.MaxContacts) >= concurrentContactQuota:
		return fault.New(fault.InvalidParameter, "MaxContacts must be below %d, the number of contacts that the instance may hold at once", concurrentContactQuota)
	case len(e.QuickConnectIDs) > queueQuickConnectQuota:
		return fault.New(fault.LimitExceeded, "A queue may have at most %d quick connects, this one would have %d.", queueQuickConnectQuota, len(e.QuickConnectIDs))
	case len(e.EmailAddressIDs) > queueEmailAddressQuota:
		return fault.New(fault.LimitExceeded, "A queue may have at most %d e-mail addresses beside its default one, this one would have %d.", queueEmailAddressQuota, len(e.EmailAddressIDs))
	default:
		return nil
	}
}

// DescribeQueue returns a standard queue. The queue of an agent, which has the
// user's id, is a ResourceNotFoundException, as on the real service.
func (r *Routing) DescribeQueue(ctx context.Context, in *connect.DescribeQueueInput) (*connect.DescribeQueueOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := r.queues.Get(ctx, sc, *in.QueueId)
	if err != nil {
		return nil, err
	}
	out := queueOut(sc, i)
	return &connect.DescribeQueueOutput{Queue: &out}, nil
}

// ListQueues lists queues: the standard ones, then those of agents, which have
// the id of their user and no name.
func (r *Routing) ListQueues(ctx context.Context, in *connect.ListQueuesInput) (*connect.ListQueuesOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var kinds []domain.Kind
	if len(in.QueueTypes) == 0 || slices.Contains(in.QueueTypes, types.QueueTypeStandard) {
		kinds = append(kinds, domain.KindQueue)
	}
	if len(in.QueueTypes) == 0 || slices.Contains(in.QueueTypes, types.QueueTypeAgent) {
		kinds = append(kinds, domain.KindUser)
	}
	found, next, err := r.catalog.Headers(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, kinds...)
	if err != nil {
		return nil, err
	}
	return &connect.ListQueuesOutput{
		NextToken: next,
		QueueSummaryList: catalog.Map(found, func(h catalog.Header) types.QueueSummary {
			s := types.QueueSummary{
				Id: aws.String(h.ID), LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(h.Modified),
			}
			if h.Kind == domain.KindUser {
				s.QueueType = types.QueueTypeAgent
				s.Arn = aws.String(sc.ARN(domain.KindQueue, domain.AgentQueueID(domain.UserID(h.ID))))
			} else {
				s.QueueType, s.Name = types.QueueTypeStandard, aws.String(h.Name)
				s.Arn = aws.String(sc.ARN(domain.KindQueue, h.ID))
			}
			return s
		}),
	}, nil
}

// SearchQueues finds standard queues by criteria and tags.
func (r *Routing) SearchQueues(ctx context.Context, in *connect.SearchQueuesInput) (*connect.SearchQueuesOutput, error) {
	sc, err := r.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	q, err := catalog.NarrowByTags(r.queueCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := r.queues.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchQueuesOutput{
		Queues: catalog.Map(found, func(i *catalog.Item[domain.Queue]) types.Queue {
			return queueOut(sc, i)
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (r *Routing) queueCriteria(c *types.QueueSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	leaves := []catalog.Leaf{r.queues.String(c.StringCondition)}
	if c.QueueTypeCondition != "" {
		// STANDARD is the only value there is, and all that is searched.
		leaves = append(leaves, func() (search.Query, error) { return search.All{}, nil })
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, r.queueCriteria),
		Or:     catalog.Each(c.OrConditions, r.queueCriteria),
		Leaves: leaves,
	}
}

// DeleteQueue removes a standard queue that nothing refers to.
func (r *Routing) DeleteQueue(ctx context.Context, in *connect.DeleteQueueInput) (*connect.DeleteQueueOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, r.queues.Delete(ctx, sc, *in.QueueId, nil)
}

// changeQueue is the whole of an Update operation on a queue.
func (r *Routing) changeQueue(ctx context.Context, instanceID, queueID *string, change func(sc catalog.Scope, e *domain.Queue) error) error {
	sc, err := r.catalog.Scope(ctx, instanceID)
	if err != nil {
		return err
	}
	return r.queues.Update(ctx, sc, *queueID, func(_ store.Tx, e *domain.Queue) error { return change(sc, e) })
}

// UpdateQueueName changes the name and the description, whichever the request
// has.
func (r *Routing) UpdateQueueName(ctx context.Context, in *connect.UpdateQueueNameInput) (*connect.UpdateQueueNameOutput, error) {
	return nil, r.changeQueue(ctx, in.InstanceId, in.QueueId, func(_ catalog.Scope, e *domain.Queue) error {
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		return nil
	})
}

// UpdateQueueStatus enables or disables a queue.
func (r *Routing) UpdateQueueStatus(ctx context.Context, in *connect.UpdateQueueStatusInput) (*connect.UpdateQueueStatusOutput, error) {
	return nil, r.changeQueue(ctx, in.InstanceId, in.QueueId, func(_ catalog.Scope, e *domain.Queue) error {
		e.Status = in.Status
		return nil
	})
}

// UpdateQueueMaxContacts sets how many contacts may wait; without MaxContacts
// the queue has no limit of its own.
func (r *Routing) UpdateQueueMaxContacts(ctx context.Context, in *connect.UpdateQueueMaxContactsInput) (*connect.UpdateQueueMaxContactsOutput, error) {
	return nil, r.changeQueue(ctx, in.InstanceId, in.QueueId, func(_ catalog.Scope, e *domain.Queue) error {
		e.MaxContacts = in.MaxContacts
		return r.checkQueue(e)
	})
}

// UpdateQueueHoursOfOperation gives a queue other hours.
func (r *Routing) UpdateQueueHoursOfOperation(ctx context.Context, in *connect.UpdateQueueHoursOfOperationInput) (*connect.UpdateQueueHoursOfOperationOutput, error) {
	return nil, r.changeQueue(ctx, in.InstanceId, in.QueueId, func(sc catalog.Scope, e *domain.Queue) error {
		id, err := r.hours.ID(sc, *in.HoursOfOperationId)
		e.HoursOfOperationID = domain.HoursOfOperationID(id)
		return err
	})
}

// UpdateQueueOutboundCallerConfig replaces the outbound caller settings as a
// whole.
func (r *Routing) UpdateQueueOutboundCallerConfig(ctx context.Context, in *connect.UpdateQueueOutboundCallerConfigInput) (*connect.UpdateQueueOutboundCallerConfigOutput, error) {
	return nil, r.changeQueue(ctx, in.InstanceId, in.QueueId, func(sc catalog.Scope, e *domain.Queue) error {
		var err error
		e.OutboundCaller, err = outboundCaller(sc, in.OutboundCallerConfig)
		return err
	})
}

// UpdateQueueOutboundEmailConfig replaces the default outbound e-mail address;
// without an OutboundEmailAddressId the queue has none.
func (r *Routing) UpdateQueueOutboundEmailConfig(ctx context.Context, in *connect.UpdateQueueOutboundEmailConfigInput) (*connect.UpdateQueueOutboundEmailConfigOutput, error) {
	return nil, r.changeQueue(ctx, in.InstanceId, in.QueueId, func(sc catalog.Scope, e *domain.Queue) error {
		var err error
		e.OutboundEmailAddressID, err = outboundEmail(sc, in.OutboundEmailConfig)
		return err
	})
}

func outboundEmail(sc catalog.Scope, c *types.OutboundEmailConfig) (domain.EmailAddressID, error) {
	if c == nil {
		return "", nil
	}
	id, err := catalog.ID(sc, domain.KindEmailAddress, aws.ToString(c.OutboundEmailAddressId))
	return domain.EmailAddressID(id), err
}

// outboundCaller reads outbound caller settings. An empty id is refused, as on
// the real service: a setting that shall not be is left out.
func outboundCaller(sc catalog.Scope, c *types.OutboundCallerConfig) (domain.OutboundCaller, error) {
	if c == nil {
		return domain.OutboundCaller{}, nil
	}
	for _, m := range []struct {
		name  string
		value *string
	}{{"OutboundCallerIdNumberId", c.OutboundCallerIdNumberId}, {"OutboundFlowId", c.OutboundFlowId}} {
		if m.value != nil && *m.value == "" {
			return domain.OutboundCaller{}, fault.New(fault.InvalidParameter, "OutboundCallerConfig.%s must not be empty", m.name)
		}
	}
	number, err := catalog.ID(sc, domain.KindPhoneNumber, aws.ToString(c.OutboundCallerIdNumberId))
	if err != nil {
		return domain.OutboundCaller{}, err
	}
	flow, err := catalog.ID(sc, domain.KindContactFlow, aws.ToString(c.OutboundFlowId))
	return domain.OutboundCaller{
		IDName:   aws.ToString(c.OutboundCallerIdName),
		NumberID: domain.PhoneNumberID(number),
		FlowID:   domain.ContactFlowID(flow),
	}, err
}

func queueOut(sc catalog.Scope, i *catalog.Item[domain.Queue]) types.Queue {
	e := &i.Value
	q := types.Queue{
		QueueArn:           aws.String(sc.ARN(domain.KindQueue, i.ID)),
		QueueId:            aws.String(i.ID),
		Name:               aws.String(e.Name),
		Description:        catalog.Optional(e.Description),
		Status:             e.Status,
		MaxContacts:        e.MaxContacts,
		HoursOfOperationId: aws.String(string(e.HoursOfOperationID)),
		LastModifiedRegion: aws.String(sc.Region),
		LastModifiedTime:   aws.Time(i.Modified),
		Tags:               i.TagMap(),
	}
	// Absent when nothing is set: a client that manages a queue without the
	// block, such as Terraform, would take an empty one for a difference.
	if c := e.OutboundCaller; c != (domain.OutboundCaller{}) {
		q.OutboundCallerConfig = &types.OutboundCallerConfig{
			OutboundCallerIdName:     catalog.Optional(c.IDName),
			OutboundCallerIdNumberId: catalog.Optional(c.NumberID),
			OutboundFlowId:           catalog.Optional(c.FlowID),
		}
	}
	if e.OutboundEmailAddressID != "" {
		q.OutboundEmailConfig = &types.OutboundEmailConfig{OutboundEmailAddressId: aws.String(string(e.OutboundEmailAddressID))}
	}
	return q
}
