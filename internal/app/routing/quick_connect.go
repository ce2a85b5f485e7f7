package routing

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// quickConnectQuota: admin guide, "Amazon Connect service quotas".
const quickConnectQuota = 100

var quickConnectKind = catalog.Kind[domain.QuickConnect]{
	Of:    domain.KindQuickConnect,
	Name:  func(e *domain.QuickConnect) string { return e.Name },
	Refs:  quickConnectRefs,
	Quota: quickConnectQuota,
	Fields: catalog.Fields[domain.QuickConnect]{
		"name":        catalog.TextField(func(e *domain.QuickConnect) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.QuickConnect) string { return e.Description }),
		"resourceID":  catalog.IDField[domain.QuickConnect](),
	},
}

// quickConnectRefs leaves out the user, who may be deleted nevertheless (AWS
// API reference, DeleteUser).
func quickConnectRefs(e *domain.QuickConnect) []catalog.Ref {
	var refs []catalog.Ref
	if e.Type == types.QuickConnectTypeQueue {
		refs = append(refs, catalog.Ref{Role: roleTransferQueue, Kind: domain.KindQueue, ID: string(e.QueueID)})
	}
	if e.Type != types.QuickConnectTypePhoneNumber {
		refs = append(refs, catalog.Ref{Role: roleTransferFlow, Kind: domain.KindContactFlow, ID: string(e.FlowID)})
	}
	return refs
}

// CreateQuickConnect adds a quick connect.
func (r *Routing) CreateQuickConnect(ctx context.Context, in *connect.CreateQuickConnectInput) (*connect.CreateQuickConnectOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	e := &domain.QuickConnect{Name: *in.Name, Description: aws.ToString(in.Description)}
	if err := configure(sc, e, in.QuickConnectConfig); err != nil {
		return nil, err
	}
	var made *catalog.Item[domain.QuickConnect]
	err = r.catalog.Store().Update(ctx, func(tx store.Tx) error {
		if err := checkQuickConnectUser(ctx, tx, sc, e); err != nil {
			return err
		}
		made, err = r.quickConnects.Insert(ctx, tx, sc, e, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.CreateQuickConnectOutput{
		QuickConnectARN: aws.String(sc.ARN(domain.KindQuickConnect, made.ID)),
		QuickConnectId:  aws.String(made.ID),
	}, nil
}

// checkQuickConnectUser checks that the user is there at this moment.
func checkQuickConnectUser(ctx context.Context, rd store.Reader, sc catalog.Scope, e *domain.QuickConnect) error {
	if e.Type != types.QuickConnectTypeUser {
		return nil
	}
	_, err := rd.Resolve(ctx, sc.PK, domain.KindUser, string(e.UserID))
	return err
}

// DescribeQuickConnect returns a quick connect.
func (r *Routing) DescribeQuickConnect(ctx context.Context, in *connect.DescribeQuickConnectInput) (*connect.DescribeQuickConnectOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := r.quickConnects.Get(ctx, sc, *in.QuickConnectId)
	if err != nil {
		return nil, err
	}
	out := quickConnectOut(sc, i)
	return &connect.DescribeQuickConnectOutput{QuickConnect: &out}, nil
}

// UpdateQuickConnectName changes the name and the description, whichever the
// request has.
func (r *Routing) UpdateQuickConnectName(ctx context.Context, in *connect.UpdateQuickConnectNameInput) (*connect.UpdateQuickConnectNameOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, r.quickConnects.Update(ctx, sc, *in.QuickConnectId, func(_ store.Tx, e *domain.QuickConnect) error {
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		return nil
	})
}

// UpdateQuickConnectConfig replaces the destination, which may be of another
// type than before.
func (r *Routing) UpdateQuickConnectConfig(ctx context.Context, in *connect.UpdateQuickConnectConfigInput) (*connect.UpdateQuickConnectConfigOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, r.quickConnects.Update(ctx, sc, *in.QuickConnectId, func(tx store.Tx, e *domain.QuickConnect) error {
		if err := configure(sc, e, in.QuickConnectConfig); err != nil {
			return err
		}
		return checkQuickConnectUser(ctx, tx, sc, e)
	})
}

// DeleteQuickConnect removes a quick connect that no queue has.
func (r *Routing) DeleteQuickConnect(ctx context.Context, in *connect.DeleteQuickConnectInput) (*connect.DeleteQuickConnectOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, r.quickConnects.Delete(ctx, sc, *in.QuickConnectId, nil)
}

// ListQuickConnects lists quick connects, of some types or of all.
func (r *Routing) ListQuickConnects(ctx context.Context, in *connect.ListQuickConnectsInput) (*connect.ListQuickConnectsOutput, error) {
	sc, err := r.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := r.quickConnects.ListWhere(ctx, sc, page, func(i *catalog.Item[domain.QuickConnect]) bool {
		return len(in.QuickConnectTypes) == 0 || slices.Contains(in.QuickConnectTypes, i.Value.Type)
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListQuickConnectsOutput{NextToken: next, QuickConnectSummaryList: quickConnectSummaries(sc, found)}, nil
}

// SearchQuickConnects finds quick connects by criteria and tags.
func (r *Routing) SearchQuickConnects(ctx context.Context, in *connect.SearchQuickConnectsInput) (*connect.SearchQuickConnectsOutput, error) {
	sc, err := r.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	q, err := catalog.NarrowByTags(r.quickConnectCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := r.quickConnects.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchQuickConnectsOutput{
		QuickConnects: catalog.Map(found, func(i *catalog.Item[domain.QuickConnect]) types.QuickConnect {
			return quickConnectOut(sc, i)
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (r *Routing) quickConnectCriteria(c *types.QuickConnectSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, r.quickConnectCriteria),
		Or:     catalog.Each(c.OrConditions, r.quickConnectCriteria),
		Leaves: []catalog.Leaf{r.quickConnects.String(c.StringCondition)},
	}
}

func quickConnectSummaries(sc catalog.Scope, list []*catalog.Item[domain.QuickConnect]) []types.QuickConnectSummary {
	return catalog.Map(list, func(i *catalog.Item[domain.QuickConnect]) types.QuickConnectSummary {
		return types.QuickConnectSummary{
			Arn: aws.String(sc.ARN(domain.KindQuickConnect, i.ID)), Id: aws.String(i.ID), Name: aws.String(i.Name),
			QuickConnectType:   i.Value.Type,
			LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
		}
	})
}

// configure gives a quick connect the destination of a configuration.
func configure(sc catalog.Scope, e *domain.QuickConnect, c *types.QuickConnectConfig) error {
	if err := domain.CheckQuickConnectConfig(c); err != nil {
		return err
	}
	e.Type, e.UserID, e.QueueID, e.PhoneNumber, e.FlowID = c.QuickConnectType, "", "", "", ""
	var flow, user, queue *string
	switch c.QuickConnectType {
	case types.QuickConnectTypeUser:
		user, flow = c.UserConfig.UserId, c.UserConfig.ContactFlowId
	case types.QuickConnectTypeQueue:
		queue, flow = c.QueueConfig.QueueId, c.QueueConfig.ContactFlowId
	case types.QuickConnectTypeFlow:
		flow = c.FlowConfig.ContactFlowId
	case types.QuickConnectTypePhoneNumber:
		e.PhoneNumber = *c.PhoneConfig.PhoneNumber
	}
	userID, err := catalog.ID(sc, domain.KindUser, aws.ToString(user))
	if err != nil {
		return err
	}
	queueID, err := catalog.ID(sc, domain.KindQueue, aws.ToString(queue))
	if err != nil {
		return err
	}
	flowID, err := catalog.ID(sc, domain.KindContactFlow, aws.ToString(flow))
	if err != nil {
		return err
	}
	e.UserID, e.QueueID, e.FlowID = domain.UserID(userID), domain.QueueID(queueID), domain.ContactFlowID(flowID)
	return nil
}

func quickConnectOut(sc catalog.Scope, i *catalog.Item[domain.QuickConnect]) types.QuickConnect {
	e := &i.Value
	config := &types.QuickConnectConfig{QuickConnectType: e.Type}
	flow := aws.String(string(e.FlowID))
	switch e.Type {
	case types.QuickConnectTypeUser:
		config.UserConfig = &types.UserQuickConnectConfig{UserId: aws.String(string(e.UserID)), ContactFlowId: flow}
	case types.QuickConnectTypeQueue:
		config.QueueConfig = &types.QueueQuickConnectConfig{QueueId: aws.String(string(e.QueueID)), ContactFlowId: flow}
	case types.QuickConnectTypeFlow:
		config.FlowConfig = &types.FlowQuickConnectConfig{ContactFlowId: flow}
	case types.QuickConnectTypePhoneNumber:
		config.PhoneConfig = &types.PhoneNumberQuickConnectConfig{PhoneNumber: aws.String(e.PhoneNumber)}
	}
	return types.QuickConnect{
		QuickConnectARN:    aws.String(sc.ARN(domain.KindQuickConnect, i.ID)),
		QuickConnectId:     aws.String(i.ID),
		Name:               aws.String(e.Name),
		Description:        catalog.Optional(e.Description),
		QuickConnectConfig: config,
		LastModifiedRegion: aws.String(sc.Region),
		LastModifiedTime:   aws.Time(i.Modified),
		Tags:               i.TagMap(),
	}
}

// QuickConnect finds a quick connect for those who make contacts by it.
func (r *Routing) QuickConnect(ctx context.Context, sc catalog.Scope, idOrARN string) (*catalog.Item[domain.QuickConnect], error) {
	return r.quickConnects.Get(ctx, sc, idOrARN)
}
