package routing

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// maxEffectiveDays is how many dates one request may ask for: a leap year.
// The answer has no pages (docs/divergences.md).
const maxEffectiveDays = 366

// GetEffectiveHoursOfOperations returns, for each date from FromDate to ToDate,
// when it is open once all overrides are applied, and what overrides say of
// the dates that have any. Dates and times are those of the hours' time zone.
func (r *Routing) GetEffectiveHoursOfOperations(ctx context.Context, in *connect.GetEffectiveHoursOfOperationsInput) (*connect.GetEffectiveHoursOfOperationsOutput, error) {
	sc, err := r.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	from, err := domain.ParseDate("FromDate", *in.FromDate)
	if err != nil {
		return nil, err
	}
	to, err := domain.ParseDate("ToDate", *in.ToDate)
	if err != nil {
		return nil, err
	}
	days := to.Days() - from.Days() + 1
	switch {
	case days < 1:
		return nil, fault.New(fault.InvalidParameter, "ToDate must not be before FromDate")
	case days > maxEffectiveDays:
		return nil, fault.New(fault.InvalidParameter, "FromDate and ToDate must span at most %d days", maxEffectiveDays)
	}
	var table *domain.Timetable
	err = r.catalog.Store().View(ctx, func(rd store.Reader) error {
		table, err = r.timetable(ctx, rd, sc, *in.HoursOfOperationId)
		return err
	})
	if err != nil {
		return nil, err
	}
	out := &connect.GetEffectiveHoursOfOperationsOutput{
		TimeZone:                      aws.String(table.Zone.String()),
		EffectiveHoursOfOperationList: []types.EffectiveHoursOfOperations{},
		EffectiveOverrideHoursList:    []types.EffectiveOverrideHours{},
	}
	d := from
	for range days {
		out.EffectiveHoursOfOperationList = append(out.EffectiveHoursOfOperationList, types.EffectiveHoursOfOperations{
			Date: aws.String(string(d)), OperationalHours: catalog.Map(table.OpenOn(d), operationalHour),
		})
		if overrides := table.OverridesOn(d); len(overrides) > 0 {
			out.EffectiveOverrideHoursList = append(out.EffectiveOverrideHoursList, types.EffectiveOverrideHours{
				Date: aws.String(string(d)), OverrideHours: catalog.Map(overrides, overrideHour),
			})
		}
		d = d.Next()
	}
	return out, nil
}

// timetable reads hours with their overrides and those that they inherit.
func (r *Routing) timetable(ctx context.Context, rd store.Reader, sc catalog.Scope, hours string) (*domain.Timetable, error) {
	i, err := r.hours.GetIn(ctx, rd, sc, hours)
	if err != nil {
		return nil, err
	}
	t := &domain.Timetable{Week: i.Value.Config}
	if t.Zone, err = domain.LoadTimeZone(i.Value.TimeZone); err != nil {
		return nil, err
	}
	if t.Own, err = r.overridesOf(ctx, rd, sc, i); err != nil {
		return nil, err
	}
	parents, err := r.hours.Several(ctx, rd, sc, strs(i.Value.ParentIDs))
	if err != nil {
		return nil, err
	}
	for _, p := range parents {
		inherited, err := r.overridesOf(ctx, rd, sc, p)
		if err != nil {
			return nil, err
		}
		t.Inherited = append(t.Inherited, inherited...)
	}
	return t, nil
}

func (r *Routing) overridesOf(ctx context.Context, rd store.Reader, sc catalog.Scope, hours *catalog.Item[domain.HoursOfOperation]) ([]*domain.HoursOfOperationOverride, error) {
	all := catalog.Page{Default: unpaged}
	found, _, err := r.hoursOverrides.Referring(ctx, rd, sc, hours.PK(), roleOverriddenHours, all)
	if err != nil {
		return nil, err
	}
	return catalog.Map(found, func(i *catalog.Item[domain.HoursOfOperationOverride]) *domain.HoursOfOperationOverride {
		return &i.Value
	}), nil
}

func operationalHour(s domain.Span) types.OperationalHour {
	return types.OperationalHour{Start: timeSlice(s.Start), End: timeSlice(s.End)}
}

func overrideHour(s domain.OverrideSpan) types.OverrideHour {
	status := types.OperationalStatusClosed
	if s.Open {
		status = types.OperationalStatusOpen
	}
	return types.OverrideHour{
		OverrideName: aws.String(s.Name), OperationalStatus: status,
		Start: timeSlice(s.Start), End: timeSlice(s.End),
	}
}
