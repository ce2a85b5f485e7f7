package directory

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/starter"
	"ringdown/internal/store"
)

// agentStatusQuota: admin guide, "Amazon Connect service quotas".
const agentStatusQuota = 50

var agentStatusKind = catalog.Kind[domain.AgentStatus]{
	Of:    domain.KindAgentStatus,
	Name:  func(e *domain.AgentStatus) string { return e.Name },
	Quota: agentStatusQuota,
	Fields: catalog.Fields[domain.AgentStatus]{
		"name":        catalog.TextField(func(e *domain.AgentStatus) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.AgentStatus) string { return e.Description }),
		"state":       catalog.TextField(func(e *domain.AgentStatus) string { return string(e.State) }),
		"type":        catalog.TextField(func(e *domain.AgentStatus) string { return string(e.Type) }),
		"displayOrder": catalog.KeyField(func(e *domain.AgentStatus) []string {
			return catalog.Number(e.DisplayOrder)
		}),
		"resourceID": catalog.IDField[domain.AgentStatus](),
	},
}

// seedAgentStatuses gives a new instance its two statuses.
func (d *Directory) seedAgentStatuses(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	for _, s := range starter.AgentStatuses() {
		e := &domain.AgentStatus{
			Name: s.Name, Description: s.Description, DisplayOrder: aws.Int32(int32(s.DisplayOrder)),
			Type: types.AgentStatusType(s.Type), State: types.AgentStatusState(s.State),
		}
		if _, err := d.agentStatuses.Insert(ctx, tx, sc, e, nil); err != nil {
			return err
		}
	}
	return nil
}

// CreateAgentStatus adds a status; it is always of type CUSTOM.
func (d *Directory) CreateAgentStatus(ctx context.Context, in *connect.CreateAgentStatusInput) (*connect.CreateAgentStatusOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	made, err := d.agentStatuses.Create(ctx, sc, &domain.AgentStatus{
		Name:         *in.Name,
		Description:  aws.ToString(in.Description),
		Type:         types.AgentStatusTypeCustom,
		State:        in.State,
		DisplayOrder: in.DisplayOrder,
	}, in.Tags)
	if err != nil {
		return nil, err
	}
	return &connect.CreateAgentStatusOutput{
		AgentStatusARN: aws.String(sc.ARN(domain.KindAgentStatus, made.ID)),
		AgentStatusId:  aws.String(made.ID),
	}, nil
}

// DescribeAgentStatus returns a status.
func (d *Directory) DescribeAgentStatus(ctx context.Context, in *connect.DescribeAgentStatusInput) (*connect.DescribeAgentStatusOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := d.agentStatuses.Get(ctx, sc, *in.AgentStatusId)
	if err != nil {
		return nil, err
	}
	return &connect.DescribeAgentStatusOutput{AgentStatus: agentStatus(sc, i)}, nil
}

// UpdateAgentStatus changes the members that the request has. The statuses
// that every instance has may be renamed but not disabled.
func (d *Directory) UpdateAgentStatus(ctx context.Context, in *connect.UpdateAgentStatusInput) (*connect.UpdateAgentStatusOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if in.ResetOrderNumber && in.DisplayOrder != nil {
		return nil, fault.New(fault.InvalidParameter, "DisplayOrder and ResetOrderNumber must not be given together")
	}
	err = d.agentStatuses.Update(ctx, sc, *in.AgentStatusId, func(_ store.Tx, e *domain.AgentStatus) error {
		if in.State == types.AgentStatusStateDisabled && e.Type != types.AgentStatusTypeCustom {
			return fault.New(fault.InvalidRequest, "The %s status %q cannot be disabled", e.Type, e.Name)
		}
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		if in.State != "" {
			e.State = in.State
		}
		if in.DisplayOrder != nil {
			e.DisplayOrder = in.DisplayOrder
		}
		if in.ResetOrderNumber {
			e.DisplayOrder = nil
		}
		return nil
	})
	return nil, err
}

// ListAgentStatuses lists statuses, disabled ones included.
func (d *Directory) ListAgentStatuses(ctx context.Context, in *connect.ListAgentStatusesInput) (*connect.ListAgentStatusesOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := d.agentStatuses.ListWhere(ctx, sc, page, func(i *catalog.Item[domain.AgentStatus]) bool {
		return len(in.AgentStatusTypes) == 0 || slices.Contains(in.AgentStatusTypes, i.Value.Type)
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListAgentStatusesOutput{
		NextToken: next,
		AgentStatusSummaryList: catalog.Map(found, func(i *catalog.Item[domain.AgentStatus]) types.AgentStatusSummary {
			return types.AgentStatusSummary{
				Arn: aws.String(sc.ARN(domain.KindAgentStatus, i.ID)), Id: aws.String(i.ID),
				LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
				Name: aws.String(i.Name), Type: i.Value.Type,
			}
		}),
	}, nil
}

// SearchAgentStatuses finds statuses by criteria and tags.
func (d *Directory) SearchAgentStatuses(ctx context.Context, in *connect.SearchAgentStatusesInput) (*connect.SearchAgentStatusesOutput, error) {
	sc, err := d.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneAttributeFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.AttributeFilter
	}
	q, err := catalog.NarrowByAttributes(d.agentStatusCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := d.agentStatuses.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchAgentStatusesOutput{
		AgentStatuses: catalog.Map(found, func(i *catalog.Item[domain.AgentStatus]) types.AgentStatus {
			return *agentStatus(sc, i)
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (d *Directory) agentStatusCriteria(c *types.AgentStatusSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, d.agentStatusCriteria),
		Or:     catalog.Each(c.OrConditions, d.agentStatusCriteria),
		Leaves: []catalog.Leaf{d.agentStatuses.String(c.StringCondition)},
	}
}

func agentStatus(sc catalog.Scope, i *catalog.Item[domain.AgentStatus]) *types.AgentStatus {
	return &types.AgentStatus{
		AgentStatusARN:     aws.String(sc.ARN(domain.KindAgentStatus, i.ID)),
		AgentStatusId:      aws.String(i.ID),
		Name:               aws.String(i.Value.Name),
		Description:        catalog.Optional(i.Value.Description),
		Type:               i.Value.Type,
		State:              i.Value.State,
		DisplayOrder:       i.Value.DisplayOrder,
		LastModifiedRegion: aws.String(sc.Region),
		LastModifiedTime:   aws.Time(i.Modified),
		Tags:               i.TagMap(),
	}
}
