package routing

import (
	"context"
	"math"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// overrideQuota is for one hours of operation: admin guide, "Amazon Connect
// service quotas".
const overrideQuota = 50

var hoursOverrideKind = catalog.Kind[domain.HoursOfOperationOverride]{
	Of:   domain.KindHoursOverride,
	Name: func(e *domain.HoursOfOperationOverride) string { return e.Name },
	Parent: &catalog.Parent[domain.HoursOfOperationOverride]{
		Kind: domain.KindHoursOfOperation,
		Role: roleOverriddenHours,
		ID:   func(e *domain.HoursOfOperationOverride) string { return string(e.HoursOfOperationID) },
	},
	Check:  (*domain.HoursOfOperationOverride).Check,
	Quota:  overrideQuota,
	NoTags: true,
	Fields: catalog.Fields[domain.HoursOfOperationOverride]{
		"name":        catalog.TextField(func(e *domain.HoursOfOperationOverride) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.HoursOfOperationOverride) string { return e.Description }),
		"hoursOfOperationId": catalog.KeyField(func(e *domain.HoursOfOperationOverride) []string {
			return []string{string(e.HoursOfOperationID)}
		}),
		"resourceID": catalog.IDField[domain.HoursOfOperationOverride](),
		// For the DateCondition:
		"dates": catalog.OtherField(func(e *domain.HoursOfOperationOverride, d *search.Doc) {
			d.Numbers = map[string][]float64{
				fieldEffectiveFrom: {float64(e.EffectiveFrom.Days())},
				fieldEffectiveTill: {float64(e.EffectiveTill.Days())},
			}
		}),
	},
}

// The index fields of an override's dates, in days.
const (
	fieldEffectiveFrom = "effectivefrom"
	fieldEffectiveTill = "effectivetill"
)

// fieldHours is the index field of an override's hours of operation.
const fieldHours = "hoursofoperationid"

// CreateHoursOfOperationOverride adds an override to hours of operation. One
// without an OverrideType is STANDARD.
func (r *Routing) CreateHoursOfOperationOverride(ctx context.Context, in *connect.CreateHoursOfOperationOverrideInput) (*connect.CreateHoursOfOperationOverrideOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	e := &domain.HoursOfOperationOverride{
		Name:        *in.Name,
		Description: aws.ToString(in.Description),
		Type:        in.OverrideType,
	}
	if e.Type == "" {
		e.Type = types.OverrideTypeStandard
	}
	if e.Config, err = overrideHours(in.Config); err != nil {
		return nil, err
	}
	if e.EffectiveFrom, err = domain.ParseDate("EffectiveFrom", *in.EffectiveFrom); err != nil {
		return nil, err
	}
	if e.EffectiveTill, err = domain.ParseDate("EffectiveTill", *in.EffectiveTill); err != nil {
		return nil, err
	}
	if e.Recurrence, err = recurrence(in.RecurrenceConfig); err != nil {
		return nil, err
	}
	hours, err := r.hours.ID(sc, *in.HoursOfOperationId)
	if err != nil {
		return nil, err
	}
	e.HoursOfOperationID = domain.HoursOfOperationID(hours)
	made, err := r.hoursOverrides.Create(ctx, sc, e, nil)
	if err != nil {
		return nil, err
	}
	return &connect.CreateHoursOfOperationOverrideOutput{HoursOfOperationOverrideId: aws.String(made.ID)}, nil
}

// DescribeHoursOfOperationOverride returns an override of the hours that the
// request names.
func (r *Routing) DescribeHoursOfOperationOverride(ctx context.Context, in *connect.DescribeHoursOfOperationOverrideInput) (*connect.DescribeHoursOfOperationOverrideOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := r.hoursOverrides.GetPart(ctx, sc, *in.HoursOfOperationId, *in.HoursOfOperationOverrideId)
	if err != nil {
		return nil, err
	}
	out := overrideOut(sc, i)
	return &connect.DescribeHoursOfOperationOverrideOutput{HoursOfOperationOverride: &out}, nil
}

// UpdateHoursOfOperationOverride changes the members that the request has. A
// Config or RecurrenceConfig takes the place of the former as a whole.
func (r *Routing) UpdateHoursOfOperationOverride(ctx context.Context, in *connect.UpdateHoursOfOperationOverrideInput) (*connect.UpdateHoursOfOperationOverrideOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	hours, err := r.hours.ID(sc, *in.HoursOfOperationId)
	if err != nil {
		return nil, err
	}
	return nil, r.hoursOverrides.Update(ctx, sc, *in.HoursOfOperationOverrideId, func(_ store.Tx, e *domain.HoursOfOperationOverride) error {
		if err := r.hoursOverrides.IsPart(hours, e); err != nil {
			return err
		}
		return changeOverride(e, in)
	})
}

func changeOverride(e *domain.HoursOfOperationOverride, in *connect.UpdateHoursOfOperationOverrideInput) error {
	var err error
	if in.Name != nil {
		e.Name = *in.Name
	}
	if in.Description != nil {
		e.Description = *in.Description
	}
	if in.OverrideType != "" {
		e.Type = in.OverrideType
	}
	if in.Config != nil {
		if e.Config, err = overrideHours(in.Config); err != nil {
			return err
		}
	}
	if in.EffectiveFrom != nil {
		if e.EffectiveFrom, err = domain.ParseDate("EffectiveFrom", *in.EffectiveFrom); err != nil {
			return err
		}
	}
	if in.EffectiveTill != nil {
		if e.EffectiveTill, err = domain.ParseDate("EffectiveTill", *in.EffectiveTill); err != nil {
			return err
		}
	}
	if in.RecurrenceConfig != nil {
		e.Recurrence, err = recurrence(in.RecurrenceConfig)
	}
	return err
}

// DeleteHoursOfOperationOverride removes an override.
func (r *Routing) DeleteHoursOfOperationOverride(ctx context.Context, in *connect.DeleteHoursOfOperationOverrideInput) (*connect.DeleteHoursOfOperationOverrideOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	hours, err := r.hours.ID(sc, *in.HoursOfOperationId)
	if err != nil {
		return nil, err
	}
	return nil, r.hoursOverrides.Delete(ctx, sc, *in.HoursOfOperationOverrideId, func(_ store.Tx, i *catalog.Item[domain.HoursOfOperationOverride]) error {
		return r.hoursOverrides.IsPart(hours, &i.Value)
	})
}

// ListHoursOfOperationOverrides lists the overrides of hours of operation; not
// those that they inherit.
func (r *Routing) ListHoursOfOperationOverrides(ctx context.Context, in *connect.ListHoursOfOperationOverridesInput) (*connect.ListHoursOfOperationOverridesOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	out := &connect.ListHoursOfOperationOverridesOutput{LastModifiedRegion: aws.String(sc.Region)}
	err = r.catalog.Store().View(ctx, func(rd store.Reader) error {
		hours, err := r.hours.GetIn(ctx, rd, sc, *in.HoursOfOperationId)
		if err != nil {
			return err
		}
		page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
		found, next, err := r.hoursOverrides.Referring(ctx, rd, sc, hours.PK(), roleOverriddenHours, page)
		if err != nil {
			return err
		}
		out.LastModifiedTime, out.NextToken = aws.Time(hours.Modified), next
		out.HoursOfOperationOverrideList = overridesOut(sc, found)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// SearchHoursOfOperationOverrides finds overrides by criteria, among the hours
// of operation that have the tags of the filter: overrides have none.
func (r *Routing) SearchHoursOfOperationOverrides(ctx context.Context, in *connect.SearchHoursOfOperationOverridesInput) (*connect.SearchHoursOfOperationOverridesOutput, error) {
	sc, err := r.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	tagged, err := r.overridesOfTagged(ctx, sc, filter)
	if err != nil {
		return nil, err
	}
	q, err := catalog.Narrow(r.overrideCriteria(in.SearchCriteria), tagged)
	if err != nil {
		return nil, err
	}
	found, next, total, err := r.hoursOverrides.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchHoursOfOperationOverridesOutput{
		HoursOfOperationOverrides: overridesOut(sc, found),
		NextToken:                 next,
		ApproximateTotalCount:     total,
	}, nil
}

// overridesOfTagged matches the overrides of the hours that a filter matches;
// nil when there is no filter.
func (r *Routing) overridesOfTagged(ctx context.Context, sc catalog.Scope, filter *types.ControlPlaneTagFilter) (search.Query, error) {
	q, err := catalog.TagFilter(filter)
	if q == nil || err != nil {
		return nil, err
	}
	all := catalog.Page{Default: unpaged}
	hours, _, _, err := r.hours.Search(ctx, sc, q, all)
	if err != nil {
		return nil, err
	}
	return search.Key{Field: fieldHours, Values: catalog.Map(hours, func(i *catalog.Item[domain.HoursOfOperation]) string { return i.ID })}, nil
}

func (r *Routing) overrideCriteria(c *types.HoursOfOperationOverrideSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, r.overrideCriteria),
		Or:     catalog.Each(c.OrConditions, r.overrideCriteria),
		Leaves: []catalog.Leaf{r.hoursOverrides.String(c.StringCondition), dateLeaf(c.DateCondition)},
	}
}

// dateLeaf is the leaf of a DateCondition on EffectiveFrom or EffectiveTill.
func dateLeaf(c *types.DateCondition) catalog.Leaf {
	if c == nil {
		return nil
	}
	return func() (search.Query, error) {
		q := search.Number{Field: strings.ToLower(aws.ToString(c.FieldName)), Min: math.Inf(-1), Max: math.Inf(1)}
		if q.Field != fieldEffectiveFrom && q.Field != fieldEffectiveTill {
			return nil, fault.New(fault.InvalidParameter, "DateCondition: FieldName must be one of EffectiveFrom, EffectiveTill")
		}
		date, err := domain.ParseDate("DateCondition.Value", aws.ToString(c.Value))
		if err != nil {
			return nil, err
		}
		day := float64(date.Days())
		switch c.ComparisonType {
		case types.DateComparisonTypeGreaterThan:
			q.Min = day + 1
		case types.DateComparisonTypeGreaterThanOrEqualTo:
			q.Min = day
		case types.DateComparisonTypeLessThan:
			q.Max = day - 1
		case types.DateComparisonTypeLessThanOrEqualTo:
			q.Max = day
		case types.DateComparisonTypeEqualTo:
			q.Min, q.Max = day, day
		default:
			return nil, fault.New(fault.InvalidParameter, "DateCondition: ComparisonType is required")
		}
		return q, nil
	}
}

func overridesOut(sc catalog.Scope, list []*catalog.Item[domain.HoursOfOperationOverride]) []types.HoursOfOperationOverride {
	return catalog.Map(list, func(i *catalog.Item[domain.HoursOfOperationOverride]) types.HoursOfOperationOverride {
		return overrideOut(sc, i)
	})
}

func overrideOut(sc catalog.Scope, i *catalog.Item[domain.HoursOfOperationOverride]) types.HoursOfOperationOverride {
	e := &i.Value
	return types.HoursOfOperationOverride{
		HoursOfOperationOverrideId: aws.String(i.ID),
		HoursOfOperationId:         aws.String(string(e.HoursOfOperationID)),
		HoursOfOperationArn:        aws.String(sc.ARN(domain.KindHoursOfOperation, string(e.HoursOfOperationID))),
		Name:                       aws.String(e.Name),
		Description:                catalog.Optional(e.Description),
		OverrideType:               e.Type,
		Config: catalog.Map(e.Config, func(c domain.OpenHours) types.HoursOfOperationOverrideConfig {
			return types.HoursOfOperationOverrideConfig{Day: types.OverrideDays(c.Day), StartTime: timeSlice(c.Start), EndTime: timeSlice(c.End)}
		}),
		EffectiveFrom:    aws.String(string(e.EffectiveFrom)),
		EffectiveTill:    aws.String(string(e.EffectiveTill)),
		RecurrenceConfig: recurrenceOut(e.Recurrence),
	}
}

func timeSlice(t domain.TimeOfDay) *types.OverrideTimeSlice {
	hours, minutes := t.Clock()
	return &types.OverrideTimeSlice{Hours: &hours, Minutes: &minutes}
}

// overrideHours reads the hours of an override; one without times means the
// whole day.
func overrideHours(config []types.HoursOfOperationOverrideConfig) ([]domain.OpenHours, error) {
	list := make([]domain.OpenHours, len(config))
	for i, c := range config {
		list[i].Day = types.HoursOfOperationDays(c.Day)
		if (c.StartTime == nil) != (c.EndTime == nil) {
			return nil, fault.New(fault.InvalidParameter, "Config[%d]: StartTime and EndTime must be given together", i)
		}
		if c.StartTime != nil {
			list[i].Start = domain.TimeOfDayAt(*c.StartTime.Hours, *c.StartTime.Minutes)
			list[i].End = domain.TimeOfDayAt(*c.EndTime.Hours, *c.EndTime.Minutes)
		}
	}
	return list, nil
}

func recurrence(c *types.RecurrenceConfig) (*domain.Recurrence, error) {
	if c == nil {
		return nil, nil
	}
	p := c.RecurrencePattern
	e := &domain.Recurrence{Frequency: p.Frequency, Interval: *p.Interval}
	for _, m := range []struct {
		name   string
		values []int32
		to     *int32
	}{
		{"ByMonth", p.ByMonth, &e.Month},
		{"ByMonthDay", p.ByMonthDay, &e.MonthDay},
		{"ByWeekdayOccurrence", p.ByWeekdayOccurrence, &e.WeekdayOccurrence},
	} {
		switch {
		case len(m.values) == 0:
		case len(m.values) > 1:
			return nil, fault.New(fault.InvalidParameter, "RecurrenceConfig.RecurrencePattern.%s must include at most 1 item", m.name)
		case m.values[0] == 0:
			return nil, fault.New(fault.InvalidParameter, "RecurrenceConfig.RecurrencePattern.%s must not be 0", m.name)
		default:
			*m.to = m.values[0]
		}
	}
	return e, nil
}

func recurrenceOut(e *domain.Recurrence) *types.RecurrenceConfig {
	if e == nil {
		return nil
	}
	list := func(n int32) []int32 {
		if n == 0 {
			return nil
		}
		return []int32{n}
	}
	return &types.RecurrenceConfig{RecurrencePattern: &types.RecurrencePattern{
		Frequency: e.Frequency, Interval: aws.Int32(e.Interval),
		ByMonth: list(e.Month), ByMonthDay: list(e.MonthDay), ByWeekdayOccurrence: list(e.WeekdayOccurrence),
	}}
}
