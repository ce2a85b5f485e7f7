package routing

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// The quick connects and the e-mail addresses that agents are offered while
// they work for a queue.

// AssociateQueueQuickConnects adds quick connects to a queue; those that it
// already has stay where they are.
func (r *Routing) AssociateQueueQuickConnects(ctx context.Context, in *connect.AssociateQueueQuickConnectsInput) (*connect.AssociateQueueQuickConnectsOutput, error) {
	return nil, r.changeQueue(ctx, in.InstanceId, in.QueueId, func(sc catalog.Scope, e *domain.Queue) error {
		more, err := ids[domain.QuickConnectID](sc, domain.KindQuickConnect, in.QuickConnectIds)
		if err != nil {
			return err
		}
		e.QuickConnectIDs = union(e.QuickConnectIDs, more)
		return r.checkQueue(e)
	})
}

// DisassociateQueueQuickConnects removes quick connects from a queue. Those
// that it does not have are passed over.
func (r *Routing) DisassociateQueueQuickConnects(ctx context.Context, in *connect.DisassociateQueueQuickConnectsInput) (*connect.DisassociateQueueQuickConnectsOutput, error) {
	return nil, r.changeQueue(ctx, in.InstanceId, in.QueueId, func(sc catalog.Scope, e *domain.Queue) error {
		less, err := ids[domain.QuickConnectID](sc, domain.KindQuickConnect, in.QuickConnectIds)
		e.QuickConnectIDs = without(e.QuickConnectIDs, less)
		return err
	})
}

// ListQueueQuickConnects lists the quick connects of a queue.
func (r *Routing) ListQueueQuickConnects(ctx context.Context, in *connect.ListQueueQuickConnectsInput) (*connect.ListQueueQuickConnectsOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &connect.ListQueueQuickConnectsOutput{LastModifiedRegion: aws.String(sc.Region)}
	err = r.catalog.Store().View(ctx, func(rd store.Reader) error {
		queue, err := r.queues.GetIn(ctx, rd, sc, *in.QueueId)
		if err != nil {
			return err
		}
		page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
		wanted, next, err := catalog.Slice(sc, domain.KindQueue, page, strs(queue.Value.QuickConnectIDs))
		if err != nil {
			return err
		}
		found, err := r.quickConnects.Several(ctx, rd, sc, wanted)
		if err != nil {
			return err
		}
		out.LastModifiedTime, out.NextToken = aws.Time(queue.Modified), next
		out.QuickConnectSummaryList = quickConnectSummaries(sc, found)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// AssociateQueueEmailAddresses adds e-mail addresses that agents can write
// from; those that the queue already has stay where they are.
func (r *Routing) AssociateQueueEmailAddresses(ctx context.Context, in *connect.AssociateQueueEmailAddressesInput) (*connect.AssociateQueueEmailAddressesOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	more, err := emailAddressIDs(sc, in.EmailAddressesConfig)
	if err != nil {
		return nil, err
	}
	return nil, changeQueueOnce(ctx, r, sc, "AssociateQueueEmailAddresses", in.ClientToken, in, *in.QueueId, func(e *domain.Queue) error {
		e.EmailAddressIDs = union(e.EmailAddressIDs, more)
		return r.checkQueue(e)
	})
}

// DisassociateQueueEmailAddresses removes e-mail addresses from those that
// agents can write from. Those that the queue does not have are passed over.
func (r *Routing) DisassociateQueueEmailAddresses(ctx context.Context, in *connect.DisassociateQueueEmailAddressesInput) (*connect.DisassociateQueueEmailAddressesOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	less, err := ids[domain.EmailAddressID](sc, domain.KindEmailAddress, in.EmailAddressesId)
	if err != nil {
		return nil, err
	}
	return nil, changeQueueOnce(ctx, r, sc, "DisassociateQueueEmailAddresses", in.ClientToken, in, *in.QueueId, func(e *domain.Queue) error {
		e.EmailAddressIDs = without(e.EmailAddressIDs, less)
		return nil
	})
}

// changeQueueOnce changes a queue unless a request with the same client token
// has done so before.
func changeQueueOnce[In any](ctx context.Context, r *Routing, sc catalog.Scope, operation string, token *string, in *In, queue string, change func(*domain.Queue) error) error {
	_, err := catalog.Once(ctx, r.catalog, sc, operation, token, in, func(tx store.Tx) (*struct{}, error) {
		return &struct{}{}, r.queues.Change(ctx, tx, sc, queue, change)
	})
	return err
}

// ListQueueEmailAddresses lists the e-mail addresses that agents can write
// from, the default one first.
func (r *Routing) ListQueueEmailAddresses(ctx context.Context, in *connect.ListQueueEmailAddressesInput) (*connect.ListQueueEmailAddressesOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	queue, err := r.queues.Get(ctx, sc, *in.QueueId)
	if err != nil {
		return nil, err
	}
	e := &queue.Value
	var all []domain.EmailAddressID
	if e.OutboundEmailAddressID != "" {
		all = append(all, e.OutboundEmailAddressID)
	}
	all = union(all, e.EmailAddressIDs)
	page, next, err := catalog.Slice(sc, domain.KindQueue, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, all)
	if err != nil {
		return nil, err
	}
	return &connect.ListQueueEmailAddressesOutput{
		NextToken:          next,
		LastModifiedRegion: aws.String(sc.Region),
		LastModifiedTime:   aws.Time(queue.Modified),
		EmailAddressMetadataList: catalog.Map(page, func(id domain.EmailAddressID) types.EmailAddressSummary {
			return types.EmailAddressSummary{
				Id: aws.String(string(id)), Arn: aws.String(sc.ARN(domain.KindEmailAddress, string(id))),
				IsDefaultOutboundEmail: id == e.OutboundEmailAddressID,
			}
		}),
	}, nil
}

func emailAddressIDs(sc catalog.Scope, configs []types.EmailAddressConfig) ([]domain.EmailAddressID, error) {
	return ids[domain.EmailAddressID](sc, domain.KindEmailAddress, catalog.Map(configs, func(c types.EmailAddressConfig) string {
		return *c.EmailAddressId
	}))
}
