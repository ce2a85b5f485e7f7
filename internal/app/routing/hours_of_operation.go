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

// The quotas of hours of operation: admin guide, "Amazon Connect service
// quotas".
const (
	hoursQuota       = 100
	parentHoursQuota = 3 // for one hours of operation
)

var hoursKind = catalog.Kind[domain.HoursOfOperation]{
	Of:    domain.KindHoursOfOperation,
	Name:  func(e *domain.HoursOfOperation) string { return e.Name },
	Refs:  hoursRefs,
	Check: (*domain.HoursOfOperation).Check,
	Quota: hoursQuota,
	Fields: catalog.Fields[domain.HoursOfOperation]{
		"name":        catalog.TextField(func(e *domain.HoursOfOperation) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.HoursOfOperation) string { return e.Description }),
		"timezone":    catalog.TextField(func(e *domain.HoursOfOperation) string { return e.TimeZone }),
		"resourceID":  catalog.IDField[domain.HoursOfOperation](),
	},
}

func hoursRefs(e *domain.HoursOfOperation) []catalog.Ref {
	return catalog.Map(e.ParentIDs, func(id domain.HoursOfOperationID) catalog.Ref {
		return catalog.Ref{Role: roleParentHours, Kind: domain.KindHoursOfOperation, ID: string(id)}
	})
}

// seedHours gives a new instance its hours and returns their id.
func (r *Routing) seedHours(ctx context.Context, tx store.Tx, sc catalog.Scope) (domain.HoursOfOperationID, error) {
	basic := starter.BasicHours(sc.Region)
	made, err := r.hours.Insert(ctx, tx, sc, &domain.HoursOfOperation{
		Name: basic.Name, Description: basic.Description, Default: true, TimeZone: basic.TimeZone,
		Config: catalog.Map(basic.Config, func(c starter.OpeningHours) domain.OpenHours {
			return domain.OpenHours{
				Day:   types.HoursOfOperationDays(c.Day),
				Start: domain.TimeOfDayAt(int32(c.StartHour), int32(c.StartMinute)),
				End:   domain.TimeOfDayAt(int32(c.EndHour), int32(c.EndMinute)),
			}
		}),
	}, nil)
	if err != nil {
		return "", err
	}
	return domain.HoursOfOperationID(made.ID), nil
}

// CreateHoursOfOperation adds hours of operation.
func (r *Routing) CreateHoursOfOperation(ctx context.Context, in *connect.CreateHoursOfOperationInput) (*connect.CreateHoursOfOperationOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	e := &domain.HoursOfOperation{
		Name:        *in.Name,
		Description: aws.ToString(in.Description),
		TimeZone:    *in.TimeZone,
		Config:      openHours(in.Config),
	}
	parents, err := parentIDs(sc, in.ParentHoursOfOperationConfigs)
	if err != nil {
		return nil, err
	}
	e.ParentIDs = union(nil, parents)
	var made *catalog.Item[domain.HoursOfOperation]
	err = r.catalog.Store().Update(ctx, func(tx store.Tx) error {
		if err := r.checkParents(ctx, tx, sc, "", e.ParentIDs); err != nil {
			return err
		}
		var err error
		made, err = r.hours.Insert(ctx, tx, sc, e, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.CreateHoursOfOperationOutput{
		HoursOfOperationArn: aws.String(sc.ARN(domain.KindHoursOfOperation, made.ID)),
		HoursOfOperationId:  aws.String(made.ID),
	}, nil
}

// DescribeHoursOfOperation returns hours of operation.
func (r *Routing) DescribeHoursOfOperation(ctx context.Context, in *connect.DescribeHoursOfOperationInput) (*connect.DescribeHoursOfOperationOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var found []types.HoursOfOperation
	err = r.catalog.Store().View(ctx, func(rd store.Reader) error {
		i, err := r.hours.GetIn(ctx, rd, sc, *in.HoursOfOperationId)
		if err != nil {
			return err
		}
		found, err = r.hoursOut(ctx, rd, sc, i)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.DescribeHoursOfOperationOutput{HoursOfOperation: &found[0]}, nil
}

// UpdateHoursOfOperation changes the members that the request has; a Config
// takes the place of all hours.
func (r *Routing) UpdateHoursOfOperation(ctx context.Context, in *connect.UpdateHoursOfOperationInput) (*connect.UpdateHoursOfOperationOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, r.hours.Update(ctx, sc, *in.HoursOfOperationId, func(_ store.Tx, e *domain.HoursOfOperation) error {
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		if in.TimeZone != nil {
			e.TimeZone = *in.TimeZone
		}
		if in.Config != nil {
			e.Config = openHours(in.Config)
		}
		return nil
	})
}

// DeleteHoursOfOperation removes hours of operation with their overrides,
// unless a queue keeps them or other hours inherit from them.
func (r *Routing) DeleteHoursOfOperation(ctx context.Context, in *connect.DeleteHoursOfOperationInput) (*connect.DeleteHoursOfOperationOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, r.hours.Delete(ctx, sc, *in.HoursOfOperationId, func(_ store.Tx, i *catalog.Item[domain.HoursOfOperation]) error {
		if i.Value.Default {
			return fault.New(fault.InvalidRequest, "The hours of operation %q of a new instance cannot be deleted", i.Name)
		}
		return nil
	})
}

// ListHoursOfOperations lists hours of operation.
func (r *Routing) ListHoursOfOperations(ctx context.Context, in *connect.ListHoursOfOperationsInput) (*connect.ListHoursOfOperationsOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := r.hours.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListHoursOfOperationsOutput{
		NextToken: next,
		HoursOfOperationSummaryList: catalog.Map(found, func(i *catalog.Item[domain.HoursOfOperation]) types.HoursOfOperationSummary {
			return types.HoursOfOperationSummary{
				Arn: aws.String(sc.ARN(domain.KindHoursOfOperation, i.ID)), Id: aws.String(i.ID), Name: aws.String(i.Name),
				LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}

// SearchHoursOfOperations finds hours of operation by criteria and tags.
func (r *Routing) SearchHoursOfOperations(ctx context.Context, in *connect.SearchHoursOfOperationsInput) (*connect.SearchHoursOfOperationsOutput, error) {
	sc, err := r.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	q, err := catalog.NarrowByTags(r.hoursCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	out := &connect.SearchHoursOfOperationsOutput{}
	err = r.catalog.Store().View(ctx, func(rd store.Reader) error {
		found, next, total, err := r.hours.SearchIn(ctx, rd, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
		if err != nil {
			return err
		}
		out.NextToken, out.ApproximateTotalCount = next, total
		out.HoursOfOperations, err = r.hoursOut(ctx, rd, sc, found...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (r *Routing) hoursCriteria(c *types.HoursOfOperationSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, r.hoursCriteria),
		Or:     catalog.Each(c.OrConditions, r.hoursCriteria),
		Leaves: []catalog.Leaf{r.hours.String(c.StringCondition)},
	}
}

// AssociateHoursOfOperations lets hours inherit the overrides of others,
// beside those that they already inherit from.
func (r *Routing) AssociateHoursOfOperations(ctx context.Context, in *connect.AssociateHoursOfOperationsInput) (*connect.AssociateHoursOfOperationsOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	child, err := r.hours.ID(sc, *in.HoursOfOperationId)
	if err != nil {
		return nil, err
	}
	parents, err := parentIDs(sc, in.ParentHoursOfOperationConfigs)
	if err != nil {
		return nil, err
	}
	return nil, r.hours.Update(ctx, sc, child, func(tx store.Tx, e *domain.HoursOfOperation) error {
		e.ParentIDs = union(e.ParentIDs, parents)
		return r.checkParents(ctx, tx, sc, child, e.ParentIDs)
	})
}

// checkParents checks that parents have no parents, and a child that is there
// already no children: inheritance is one level deep (admin guide, "Set
// overrides for extended, reduced, and holiday hours", Link overrides).
func (r *Routing) checkParents(ctx context.Context, tx store.Tx, sc catalog.Scope, child string, parents []domain.HoursOfOperationID) error {
	if len(parents) == 0 {
		return nil
	}
	if r.catalog.Quotas() && len(parents) > parentHoursQuota {
		return fault.New(fault.ServiceQuotaExceeded, "Hours of operation may have at most %d parents, these would have %d.", parentHoursQuota, len(parents))
	}
	items, err := r.hours.Several(ctx, tx, sc, strs(parents))
	if err != nil {
		return err
	}
	for _, p := range items {
		switch {
		case p.ID == child:
			return fault.New(fault.InvalidRequest, "Hours of operation cannot be their own parent")
		case len(p.Value.ParentIDs) > 0:
			return fault.New(fault.InvalidRequest, "Hours of operation %s cannot be a parent: they have a parent themselves", p.ID)
		}
	}
	if child == "" {
		return nil
	}
	i, err := r.hours.GetIn(ctx, tx, sc, child)
	if err != nil {
		return err
	}
	n, err := tx.CountReferrers(ctx, i.PK(), roleParentHours)
	if err != nil {
		return err
	}
	if n > 0 {
		return fault.New(fault.InvalidRequest, "Hours of operation %s cannot have a parent: they are one themselves", child)
	}
	return nil
}

// DisassociateHoursOfOperations ends the inheritance from other hours. Those
// that are no parents are passed over.
func (r *Routing) DisassociateHoursOfOperations(ctx context.Context, in *connect.DisassociateHoursOfOperationsInput) (*connect.DisassociateHoursOfOperationsOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	parents, err := ids[domain.HoursOfOperationID](sc, domain.KindHoursOfOperation, in.ParentHoursOfOperationIds)
	if err != nil {
		return nil, err
	}
	return nil, r.hours.Update(ctx, sc, *in.HoursOfOperationId, func(_ store.Tx, e *domain.HoursOfOperation) error {
		e.ParentIDs = without(e.ParentIDs, parents)
		return nil
	})
}

// ListChildHoursOfOperations lists the hours that inherit from others.
func (r *Routing) ListChildHoursOfOperations(ctx context.Context, in *connect.ListChildHoursOfOperationsInput) (*connect.ListChildHoursOfOperationsOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &connect.ListChildHoursOfOperationsOutput{LastModifiedRegion: aws.String(sc.Region)}
	err = r.catalog.Store().View(ctx, func(rd store.Reader) error {
		parent, err := r.hours.GetIn(ctx, rd, sc, *in.HoursOfOperationId)
		if err != nil {
			return err
		}
		page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
		children, next, err := r.hours.Referring(ctx, rd, sc, parent.PK(), roleParentHours, page)
		if err != nil {
			return err
		}
		out.LastModifiedTime, out.NextToken = aws.Time(parent.Modified), next
		out.ChildHoursOfOperationsSummaryList = catalog.Map(children, func(i *catalog.Item[domain.HoursOfOperation]) types.HoursOfOperationsIdentifier {
			return hoursIdentifier(sc, i.ID, i.Name)
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func parentIDs(sc catalog.Scope, configs []types.ParentHoursOfOperationConfig) ([]domain.HoursOfOperationID, error) {
	refs := make([]string, len(configs))
	for i, c := range configs {
		if c.HoursOfOperationId == nil {
			return nil, fault.New(fault.InvalidParameter, "ParentHoursOfOperationConfigs[%d].HoursOfOperationId is required", i)
		}
		refs[i] = *c.HoursOfOperationId
	}
	return ids[domain.HoursOfOperationID](sc, domain.KindHoursOfOperation, refs)
}

func hoursIdentifier(sc catalog.Scope, id, name string) types.HoursOfOperationsIdentifier {
	return types.HoursOfOperationsIdentifier{
		Id: aws.String(id), Name: aws.String(name), Arn: aws.String(sc.ARN(domain.KindHoursOfOperation, id)),
	}
}

// hoursOut shows hours with the names of their parents, which are read in the
// same view.
func (r *Routing) hoursOut(ctx context.Context, rd store.Reader, sc catalog.Scope, list ...*catalog.Item[domain.HoursOfOperation]) ([]types.HoursOfOperation, error) {
	var wanted []string
	for _, i := range list {
		wanted = union(wanted, strs(i.Value.ParentIDs))
	}
	parents, err := r.hours.Several(ctx, rd, sc, wanted)
	if err != nil {
		return nil, err
	}
	names := make(map[domain.HoursOfOperationID]string, len(parents))
	for _, p := range parents {
		names[domain.HoursOfOperationID(p.ID)] = p.Name
	}
	return catalog.Map(list, func(i *catalog.Item[domain.HoursOfOperation]) types.HoursOfOperation {
		e := &i.Value
		out := types.HoursOfOperation{
			HoursOfOperationArn: aws.String(sc.ARN(domain.KindHoursOfOperation, i.ID)),
			HoursOfOperationId:  aws.String(i.ID),
			Name:                aws.String(e.Name),
			Description:         catalog.Optional(e.Description),
			TimeZone:            aws.String(e.TimeZone),
			Config:              catalog.Map(e.Config, openHoursOut),
			LastModifiedRegion:  aws.String(sc.Region),
			LastModifiedTime:    aws.Time(i.Modified),
			Tags:                i.TagMap(),
		}
		for _, id := range e.ParentIDs {
			out.ParentHoursOfOperations = append(out.ParentHoursOfOperations, hoursIdentifier(sc, string(id), names[id]))
		}
		return out
	}), nil
}

func openHours(config []types.HoursOfOperationConfig) []domain.OpenHours {
	return catalog.Map(config, func(c types.HoursOfOperationConfig) domain.OpenHours {
		return domain.OpenHours{
			Day:   c.Day,
			Start: domain.TimeOfDayAt(*c.StartTime.Hours, *c.StartTime.Minutes),
			End:   domain.TimeOfDayAt(*c.EndTime.Hours, *c.EndTime.Minutes),
		}
	})
}

func openHoursOut(c domain.OpenHours) types.HoursOfOperationConfig {
	slice := func(t domain.TimeOfDay) *types.HoursOfOperationTimeSlice {
		hours, minutes := t.Clock()
		return &types.HoursOfOperationTimeSlice{Hours: &hours, Minutes: &minutes}
	}
	return types.HoursOfOperationConfig{Day: c.Day, StartTime: slice(c.Start), EndTime: slice(c.End)}
}
