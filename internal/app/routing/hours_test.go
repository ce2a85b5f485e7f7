package routing_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

const (
	monday  = types.HoursOfOperationDaysMonday
	tuesday = types.HoursOfOperationDaysTuesday
)

func (c *centre) describeHours(t *testing.T, id string) *types.HoursOfOperation {
	t.Helper()
	out, err := c.DescribeHoursOfOperation(t.Context(), &connect.DescribeHoursOfOperationInput{InstanceId: &c.id, HoursOfOperationId: &id})
	ok(t, err)
	return out.HoursOfOperation
}

func (c *centre) newOverride(t *testing.T, hours, name string, change ...func(*connect.CreateHoursOfOperationOverrideInput)) string {
	t.Helper()
	in := &connect.CreateHoursOfOperationOverrideInput{
		InstanceId: &c.id, HoursOfOperationId: &hours, Name: &name, Config: []types.HoursOfOperationOverrideConfig{},
		EffectiveFrom: aws.String("2026-03-02"), EffectiveTill: aws.String("2026-03-02"),
	}
	for _, f := range change {
		f(in)
	}
	out, err := c.CreateHoursOfOperationOverride(t.Context(), in)
	ok(t, err)
	return *out.HoursOfOperationOverrideId
}

func TestHoursOfOperation(t *testing.T) {
	s := servertest.Boot(t)
	t.Run("create, describe, update, delete", func(t *testing.T) {
		c := newCentre(t, s)
		id := c.newHours(t, "Office", func(in *connect.CreateHoursOfOperationInput) {
			in.Description, in.TimeZone, in.Tags = aws.String("Weekdays"), aws.String("EST5EDT"), map[string]string{"team": "a"}
		})
		h := c.describeHours(t, c.arn(domain.KindHoursOfOperation, id))
		same(t, "the hours", []any{h.HoursOfOperationId, h.Name, h.Description, h.TimeZone, h.Config, h.Tags},
			[]any{id, "Office", "Weekdays", "EST5EDT", []any{day(monday, 9, 17)}, map[string]string{"team": "a"}})

		_, err := c.UpdateHoursOfOperation(t.Context(), &connect.UpdateHoursOfOperationInput{InstanceId: &c.id, HoursOfOperationId: &id, Name: aws.String("Bureau")})
		ok(t, err)
		h = c.describeHours(t, id)
		same(t, "renamed, all else as before", []any{h.Name, h.Description, h.TimeZone, h.Config}, []any{"Bureau", "Weekdays", "EST5EDT", []any{day(monday, 9, 17)}})
		_, err = c.UpdateHoursOfOperation(t.Context(), &connect.UpdateHoursOfOperationInput{
			InstanceId: &c.id, HoursOfOperationId: &id, Description: aws.String(""), TimeZone: aws.String("Asia/Tokyo"), Config: []types.HoursOfOperationConfig{},
		})
		ok(t, err)
		h = c.describeHours(t, id)
		same(t, "emptied", []any{h.Name, h.Description, h.TimeZone, h.Config}, []any{"Bureau", nil, "Asia/Tokyo", []any{}})

		_, err = c.DeleteHoursOfOperation(t.Context(), &connect.DeleteHoursOfOperationInput{InstanceId: &c.id, HoursOfOperationId: &id})
		ok(t, err)
		_, err = c.DescribeHoursOfOperation(t.Context(), &connect.DescribeHoursOfOperationInput{InstanceId: &c.id, HoursOfOperationId: &id})
		fails(t, err, fault.ResourceNotFound)
	})
	t.Run("refused", func(t *testing.T) {
		c := newCentre(t, s)
		for _, tt := range []struct {
			name, zone string
			config     types.HoursOfOperationConfig
			code       fault.Code
			word       string
		}{
			{"Basic Hours", "UTC", day(monday, 9, 17), fault.DuplicateResource, "Basic Hours"},
			{"basic hours", "UTC", day(monday, 9, 17), "", ""},
			{"Mars", "Mars/Olympus", day(monday, 9, 17), fault.InvalidParameter, "TimeZone"},
			{"Local", "Local", day(monday, 9, 17), fault.InvalidParameter, "TimeZone"},
			{"None", "UTC", day(monday, 9, 9), fault.InvalidParameter, "Config[0]"},
			{"Night", "UTC", day(monday, 22, 6), "", ""},
			{"Late", "UTC", day(monday, 9, 24), fault.InvalidParameter, "Hours"},
		} {
			_, err := c.CreateHoursOfOperation(t.Context(), &connect.CreateHoursOfOperationInput{
				InstanceId: &c.id, Name: &tt.name, TimeZone: &tt.zone, Config: []types.HoursOfOperationConfig{tt.config},
			})
			fails(t, err, tt.code, tt.word)
		}
		used := c.newHours(t, "Used")
		c.newQueue(t, "User", func(in *connect.CreateQueueInput) { in.HoursOfOperationId = &used })
		override := c.newOverride(t, used, "Kept")
		_, err := c.DeleteHoursOfOperation(t.Context(), &connect.DeleteHoursOfOperationInput{InstanceId: &c.id, HoursOfOperationId: &used})
		fails(t, err, fault.InvalidRequest, "in use")
		_, err = c.DescribeHoursOfOperationOverride(t.Context(), &connect.DescribeHoursOfOperationOverrideInput{
			InstanceId: &c.id, HoursOfOperationId: &used, HoursOfOperationOverrideId: &override,
		})
		ok(t, err) // nothing is deleted by half
	})
	t.Run("list and search", func(t *testing.T) {
		c := newCentre(t, s)
		want := []string{c.hours}
		for i := range 5 {
			want = append(want, c.newHours(t, fmt.Sprintf("Team %d", i), func(in *connect.CreateHoursOfOperationInput) {
				in.Tags = map[string]string{"parity": fmt.Sprint(i % 2)}
			}))
		}
		for _, size := range []int32{1, 2, 6, 100} {
			same(t, "the pages", pages(t, func(size *int32, token *string) ([]string, *string, error) {
				out, err := c.ListHoursOfOperations(t.Context(), &connect.ListHoursOfOperationsInput{InstanceId: &c.id, MaxResults: size, NextToken: token})
				if err != nil {
					return nil, nil, err
				}
				var ids []string
				for _, h := range out.HoursOfOperationSummaryList {
					ids = append(ids, *h.Id)
				}
				return ids, out.NextToken, nil
			}, size), want)
		}
		type criteria = types.HoursOfOperationSearchCriteria
		for name, tt := range map[string]struct {
			criteria *criteria
			tag      string
			want     []string
			code     fault.Code
		}{
			"all":         {nil, "", want, ""},
			"name":        {&criteria{StringCondition: is("name", "team 3")}, "", want[4:5], ""},
			"timezone":    {&criteria{StringCondition: is("timezone", "america/new_york")}, "", want[:1], ""},
			"resourceID":  {&criteria{StringCondition: is("resourceID", want[2])}, "", want[2:3], ""},
			"description": {&criteria{StringCondition: is("description", "open around the clock.")}, "", want[:1], ""},
			"or":          {&criteria{OrConditions: []criteria{{StringCondition: is("name", "Team 0")}, {StringCondition: is("name", "Team 4")}}}, "", []string{want[1], want[5]}, ""},
			"and tag":     {&criteria{AndConditions: []criteria{{StringCondition: is("timezone", "UTC")}}}, "1", []string{want[2], want[4]}, ""},
			"bad field":   {&criteria{StringCondition: is("colour", "red")}, "", nil, fault.InvalidParameter},
		} {
			in := &connect.SearchHoursOfOperationsInput{InstanceId: &c.id, SearchCriteria: tt.criteria}
			if tt.tag != "" {
				in.SearchFilter = &types.HoursOfOperationSearchFilter{TagFilter: &types.ControlPlaneTagFilter{
					TagCondition: &types.TagCondition{TagKey: aws.String("parity"), TagValue: &tt.tag},
				}}
			}
			out, err := c.SearchHoursOfOperations(t.Context(), in)
			fails(t, err, tt.code)
			if err != nil {
				continue
			}
			var got []string
			for _, h := range out.HoursOfOperations {
				got = append(got, *h.HoursOfOperationId)
			}
			same(t, name, []any{got, out.ApproximateTotalCount}, []any{tt.want, len(tt.want)})
		}
	})
}

func TestParentHours(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s)
	parent, child, other := c.newHours(t, "Parent"), c.newHours(t, "Child"), c.newHours(t, "Other")
	associate := func(child string, parents ...string) error {
		in := &connect.AssociateHoursOfOperationsInput{InstanceId: &c.id, HoursOfOperationId: &child, ParentHoursOfOperationConfigs: []types.ParentHoursOfOperationConfig{}}
		for _, p := range parents {
			in.ParentHoursOfOperationConfigs = append(in.ParentHoursOfOperationConfigs, types.ParentHoursOfOperationConfig{HoursOfOperationId: &p})
		}
		_, err := c.AssociateHoursOfOperations(t.Context(), in)
		return err
	}
	children := func(parent string) []string {
		return pages(t, func(size *int32, token *string) ([]string, *string, error) {
			out, err := c.ListChildHoursOfOperations(t.Context(), &connect.ListChildHoursOfOperationsInput{
				InstanceId: &c.id, HoursOfOperationId: &parent, MaxResults: size, NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			var names []string
			for _, h := range out.ChildHoursOfOperationsSummaryList {
				names = append(names, *h.Name)
			}
			return names, out.NextToken, nil
		}, 1)
	}
	ok(t, associate(child, c.arn(domain.KindHoursOfOperation, parent)))
	ok(t, associate(child, parent)) // again changes nothing
	same(t, "the parents", c.describeHours(t, child).ParentHoursOfOperations, []types.HoursOfOperationsIdentifier{
		{Id: &parent, Name: aws.String("Parent"), Arn: aws.String(c.arn(domain.KindHoursOfOperation, parent))},
	})
	second := c.newHours(t, "Second child", func(in *connect.CreateHoursOfOperationInput) {
		in.ParentHoursOfOperationConfigs = []types.ParentHoursOfOperationConfig{{HoursOfOperationId: &parent}}
	})
	same(t, "the children", children(parent), []string{"Child", "Second child"})

	fails(t, associate(other, other), fault.InvalidRequest, "own parent")
	fails(t, associate(other, child), fault.InvalidRequest, "have a parent themselves")
	fails(t, associate(parent, other), fault.InvalidRequest, "are one themselves")
	fails(t, associate(other, domain.NewID()), fault.ResourceNotFound)
	_, err := c.AssociateHoursOfOperations(t.Context(), &connect.AssociateHoursOfOperationsInput{
		InstanceId: &c.id, HoursOfOperationId: &other, ParentHoursOfOperationConfigs: []types.ParentHoursOfOperationConfig{{}},
	})
	fails(t, err, fault.InvalidParameter, "ParentHoursOfOperationConfigs[0]")

	remove := func(id string) error {
		_, err := c.DeleteHoursOfOperation(t.Context(), &connect.DeleteHoursOfOperationInput{InstanceId: &c.id, HoursOfOperationId: &id})
		return err
	}
	fails(t, remove(parent), fault.InvalidRequest, "in use")
	ok(t, remove(second))
	_, err = c.DisassociateHoursOfOperations(t.Context(), &connect.DisassociateHoursOfOperationsInput{
		InstanceId: &c.id, HoursOfOperationId: &child, ParentHoursOfOperationIds: []string{parent, other},
	})
	ok(t, err)
	same(t, "no children", children(parent), nil)
	ok(t, remove(parent))
}

func TestHoursOfOperationOverride(t *testing.T) {
	s := servertest.Boot(t)
	t.Run("create, describe, update, delete", func(t *testing.T) {
		c := newCentre(t, s)
		id := c.newOverride(t, c.hours, "Holiday", func(in *connect.CreateHoursOfOperationOverrideInput) {
			in.OverrideType, in.Description = types.OverrideTypeClosed, aws.String("Closed")
			in.Config = []types.HoursOfOperationOverrideConfig{{Day: types.OverrideDaysFriday}}
			in.RecurrenceConfig = &types.RecurrenceConfig{RecurrencePattern: &types.RecurrencePattern{
				Frequency: types.RecurrenceFrequencyMonthly, Interval: aws.Int32(1), ByWeekdayOccurrence: []int32{-1},
			}}
		})
		describe := func(hours string) (*types.HoursOfOperationOverride, error) {
			out, err := c.DescribeHoursOfOperationOverride(t.Context(), &connect.DescribeHoursOfOperationOverrideInput{
				InstanceId: &c.id, HoursOfOperationId: &hours, HoursOfOperationOverrideId: &id,
			})
			if err != nil {
				return nil, err
			}
			return out.HoursOfOperationOverride, nil
		}
		o, err := describe(c.hours)
		ok(t, err)
		midnight := &types.OverrideTimeSlice{Hours: aws.Int32(0), Minutes: aws.Int32(0)}
		want := types.HoursOfOperationOverride{
			HoursOfOperationOverrideId: &id, HoursOfOperationId: &c.hours, HoursOfOperationArn: aws.String(c.arn(domain.KindHoursOfOperation, c.hours)),
			Name: aws.String("Holiday"), Description: aws.String("Closed"), OverrideType: types.OverrideTypeClosed,
			EffectiveFrom: aws.String("2026-03-02"), EffectiveTill: aws.String("2026-03-02"),
			Config: []types.HoursOfOperationOverrideConfig{{Day: types.OverrideDaysFriday, StartTime: midnight, EndTime: midnight}},
			RecurrenceConfig: &types.RecurrenceConfig{RecurrencePattern: &types.RecurrencePattern{
				Frequency: types.RecurrenceFrequencyMonthly, Interval: aws.Int32(1), ByWeekdayOccurrence: []int32{-1},
			}},
		}
		same(t, "the override", o, want)
		other := c.newHours(t, "Other")
		_, err = describe(other)
		fails(t, err, fault.ResourceNotFound)
		_, err = c.UpdateHoursOfOperationOverride(t.Context(), &connect.UpdateHoursOfOperationOverrideInput{
			InstanceId: &c.id, HoursOfOperationId: &other, HoursOfOperationOverrideId: &id, Name: aws.String("x"),
		})
		fails(t, err, fault.ResourceNotFound)
		_, err = c.UpdateHoursOfOperationOverride(t.Context(), &connect.UpdateHoursOfOperationOverrideInput{
			InstanceId: &c.id, HoursOfOperationId: &c.hours, HoursOfOperationOverrideId: &id, Name: aws.String("Feast"), EffectiveTill: aws.String("2026-12-31"),
		})
		ok(t, err)
		want.Name, want.EffectiveTill = aws.String("Feast"), aws.String("2026-12-31")
		o, err = describe(c.hours)
		ok(t, err)
		same(t, "after the update", o, want)
		remove := func(hours string) error {
			_, err := c.DeleteHoursOfOperationOverride(t.Context(), &connect.DeleteHoursOfOperationOverrideInput{
				InstanceId: &c.id, HoursOfOperationId: &hours, HoursOfOperationOverrideId: &id,
			})
			return err
		}
		fails(t, remove(other), fault.ResourceNotFound)
		ok(t, remove(c.hours))
		fails(t, remove(c.hours), fault.ResourceNotFound)
	})
	t.Run("refused", func(t *testing.T) {
		c := newCentre(t, s)
		other := c.newHours(t, "Other")
		c.newOverride(t, c.hours, "Taken")
		type input = connect.CreateHoursOfOperationOverrideInput
		recur := func(p types.RecurrencePattern) func(*input) {
			return func(in *input) {
				p.Interval = aws.Int32(1)
				in.RecurrenceConfig = &types.RecurrenceConfig{RecurrencePattern: &p}
			}
		}
		for name, tt := range map[string]struct {
			change func(*input)
			code   fault.Code
			word   string
		}{
			"name taken":            {func(in *input) { in.Name = aws.String("Taken") }, fault.DuplicateResource, "Taken"},
			"name taken elsewhere":  {func(in *input) { in.Name, in.HoursOfOperationId = aws.String("Taken"), &other }, "", ""},
			"no date":               {func(in *input) { in.EffectiveFrom = aws.String("2026-02-30") }, fault.InvalidParameter, "EffectiveFrom"},
			"no end":                {func(in *input) { in.EffectiveTill = aws.String("2026-13-01") }, fault.InvalidParameter, "EffectiveTill"},
			"ends before it begins": {func(in *input) { in.EffectiveTill = aws.String("2026-03-01") }, fault.InvalidParameter, "EffectiveTill"},
			"half a span": {func(in *input) {
				in.Config = []types.HoursOfOperationOverrideConfig{{StartTime: &types.OverrideTimeSlice{Hours: aws.Int32(1), Minutes: aws.Int32(1)}}}
			}, fault.InvalidParameter, "Config[0]"},
			"open without hours":   {func(in *input) { in.OverrideType = types.OverrideTypeOpen }, fault.InvalidParameter, "OPEN"},
			"month, weekly":        {recur(types.RecurrencePattern{Frequency: types.RecurrenceFrequencyWeekly, ByMonth: []int32{1}}), fault.InvalidParameter, "ByMonth"},
			"month, monthly":       {recur(types.RecurrencePattern{Frequency: types.RecurrenceFrequencyMonthly, ByMonth: []int32{1}}), fault.InvalidParameter, "ByMonth"},
			"day of month, weekly": {recur(types.RecurrencePattern{Frequency: types.RecurrenceFrequencyWeekly, ByMonthDay: []int32{1}}), fault.InvalidParameter, "ByMonthDay"},
			"two ways at once": {func(in *input) {
				recur(types.RecurrencePattern{Frequency: types.RecurrenceFrequencyMonthly, ByMonthDay: []int32{1}, ByWeekdayOccurrence: []int32{1}})(in)
				in.Config = []types.HoursOfOperationOverrideConfig{{Day: types.OverrideDaysFriday}}
			}, fault.InvalidParameter, "only one"},
			"two values":             {recur(types.RecurrencePattern{Frequency: types.RecurrenceFrequencyMonthly, ByMonthDay: []int32{1, 2}}), fault.InvalidParameter, "at most 1"},
			"day 0":                  {recur(types.RecurrencePattern{Frequency: types.RecurrenceFrequencyMonthly, ByMonthDay: []int32{0}}), fault.InvalidParameter, "ByMonthDay"},
			"which day, of any name": {recur(types.RecurrencePattern{Frequency: types.RecurrenceFrequencyMonthly, ByWeekdayOccurrence: []int32{2}}), fault.InvalidParameter, "Day"},
		} {
			t.Run(name, func(t *testing.T) {
				in := &input{
					InstanceId: &c.id, HoursOfOperationId: &c.hours, Name: aws.String(name), Config: []types.HoursOfOperationOverrideConfig{},
					EffectiveFrom: aws.String("2026-03-02"), EffectiveTill: aws.String("2026-03-02"),
				}
				tt.change(in)
				_, err := c.CreateHoursOfOperationOverride(t.Context(), in)
				fails(t, err, tt.code, tt.word)
			})
		}
	})
	t.Run("list, search, delete with the hours", func(t *testing.T) {
		c := newCentre(t, s)
		hours := c.newHours(t, "Tagged", func(in *connect.CreateHoursOfOperationInput) { in.Tags = map[string]string{"a": "b"} })
		var want []string
		for i := range 5 {
			want = append(want, c.newOverride(t, hours, fmt.Sprintf("March %d", i), func(in *connect.CreateHoursOfOperationOverrideInput) {
				in.EffectiveFrom = aws.String(fmt.Sprintf("2026-03-0%d", i+1))
				in.EffectiveTill = aws.String("2026-03-09")
			}))
		}
		foreign := c.newOverride(t, c.hours, "Foreign", func(in *connect.CreateHoursOfOperationOverrideInput) {
			in.EffectiveFrom, in.EffectiveTill = aws.String("2020-01-01"), aws.String("2020-01-02")
		})
		ids := func(list []types.HoursOfOperationOverride) []string {
			var ids []string
			for _, o := range list {
				ids = append(ids, *o.HoursOfOperationOverrideId)
			}
			return ids
		}
		list := func(size *int32, token *string) ([]string, *string, error) {
			out, err := c.ListHoursOfOperationOverrides(t.Context(), &connect.ListHoursOfOperationOverridesInput{
				InstanceId: &c.id, HoursOfOperationId: &hours, MaxResults: size, NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return ids(out.HoursOfOperationOverrideList), out.NextToken, nil
		}
		for _, size := range []int32{1, 2, 5, 100} {
			same(t, "the pages", pages(t, list, size), want)
		}
		type criteria = types.HoursOfOperationOverrideSearchCriteria
		date := func(field string, op types.DateComparisonType, value string) *criteria {
			return &criteria{DateCondition: &types.DateCondition{FieldName: &field, ComparisonType: op, Value: &value}}
		}
		search := func(criteria *criteria, filter *types.HoursOfOperationSearchFilter) ([]string, error) {
			out, err := c.SearchHoursOfOperationOverrides(t.Context(), &connect.SearchHoursOfOperationOverridesInput{InstanceId: &c.id, SearchCriteria: criteria, SearchFilter: filter})
			if err != nil {
				return nil, err
			}
			return ids(out.HoursOfOperationOverrides), nil
		}
		tagged := &types.HoursOfOperationSearchFilter{TagFilter: &types.ControlPlaneTagFilter{TagCondition: &types.TagCondition{TagKey: aws.String("a")}}}
		for name, tt := range map[string]struct {
			criteria *criteria
			filter   *types.HoursOfOperationSearchFilter
			want     []string
			code     fault.Code
		}{
			"all":            {nil, nil, append(want[:5:5], foreign), ""},
			"name":           {&criteria{StringCondition: is("name", "march 2")}, nil, want[2:3], ""},
			"of hours":       {&criteria{StringCondition: is("hoursOfOperationId", c.hours)}, nil, []string{foreign}, ""},
			"of tagged":      {nil, tagged, want, ""},
			"after":          {date("EffectiveFrom", types.DateComparisonTypeGreaterThan, "2026-03-03"), nil, want[3:], ""},
			"from":           {date("effectiveFrom", types.DateComparisonTypeGreaterThanOrEqualTo, "2026-03-03"), nil, want[2:], ""},
			"before":         {date("EffectiveFrom", types.DateComparisonTypeLessThan, "2026-03-02"), nil, []string{want[0], foreign}, ""},
			"until":          {date("EffectiveTill", types.DateComparisonTypeLessThanOrEqualTo, "2020-01-02"), nil, []string{foreign}, ""},
			"on":             {date("EffectiveFrom", types.DateComparisonTypeEqualTo, "2026-03-05"), nil, want[4:], ""},
			"and":            {&criteria{AndConditions: []criteria{*date("EffectiveFrom", types.DateComparisonTypeGreaterThan, "2026-03-01"), *date("EffectiveFrom", types.DateComparisonTypeLessThan, "2026-03-03")}}, nil, want[1:2], ""},
			"no such date":   {date("EffectiveFrom", types.DateComparisonTypeEqualTo, "2026-02-30"), nil, nil, fault.InvalidParameter},
			"no such field":  {date("Effective", types.DateComparisonTypeEqualTo, "2026-02-20"), nil, nil, fault.InvalidParameter},
			"no comparison":  {date("EffectiveFrom", "", "2026-02-20"), nil, nil, fault.InvalidParameter},
			"dates are days": {&criteria{StringCondition: is("dates", "2026-02-20")}, nil, nil, fault.InvalidParameter},
		} {
			got, err := search(tt.criteria, tt.filter)
			fails(t, err, tt.code)
			if err == nil {
				same(t, name, got, tt.want)
			}
		}
		_, err := c.DeleteHoursOfOperation(t.Context(), &connect.DeleteHoursOfOperationInput{InstanceId: &c.id, HoursOfOperationId: &hours})
		ok(t, err)
		got, err := search(nil, nil)
		ok(t, err)
		same(t, "what is left", got, []string{foreign})
	})
}

func TestGetEffectiveHoursOfOperations(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s)
	parent := c.newHours(t, "Holidays", func(in *connect.CreateHoursOfOperationInput) { in.Config = []types.HoursOfOperationConfig{} })
	c.newOverride(t, parent, "Feast", func(in *connect.CreateHoursOfOperationOverrideInput) {
		in.OverrideType = types.OverrideTypeClosed
		in.RecurrenceConfig = &types.RecurrenceConfig{RecurrencePattern: &types.RecurrencePattern{Frequency: types.RecurrenceFrequencyYearly, Interval: aws.Int32(1)}}
		in.EffectiveTill = aws.String("2030-01-01")
		in.Config = []types.HoursOfOperationOverrideConfig{{
			StartTime: &types.OverrideTimeSlice{Hours: aws.Int32(12), Minutes: aws.Int32(0)},
			EndTime:   &types.OverrideTimeSlice{Hours: aws.Int32(0), Minutes: aws.Int32(0)},
		}}
	})
	hours := c.newHours(t, "Office", func(in *connect.CreateHoursOfOperationInput) {
		in.TimeZone = aws.String("America/New_York")
		in.Config = []types.HoursOfOperationConfig{day(monday, 9, 17), day(tuesday, 0, 0)}
		in.ParentHoursOfOperationConfigs = []types.ParentHoursOfOperationConfig{{HoursOfOperationId: &parent}}
	})
	get := func(hours, from, to string) (*connect.GetEffectiveHoursOfOperationsOutput, error) {
		return c.GetEffectiveHoursOfOperations(t.Context(), &connect.GetEffectiveHoursOfOperationsInput{
			InstanceId: &c.id, HoursOfOperationId: &hours, FromDate: &from, ToDate: &to,
		})
	}
	out, err := get(hours, "2026-03-01", "2026-03-03")
	ok(t, err)
	at := func(hours int32) *types.OverrideTimeSlice {
		return &types.OverrideTimeSlice{Hours: &hours, Minutes: aws.Int32(0)}
	}
	same(t, "the hours", []any{out.TimeZone, out.EffectiveHoursOfOperationList}, []any{"America/New_York", []types.EffectiveHoursOfOperations{
		{Date: aws.String("2026-03-01"), OperationalHours: []types.OperationalHour{}},
		{Date: aws.String("2026-03-02"), OperationalHours: []types.OperationalHour{{Start: at(9), End: at(12)}}},
		{Date: aws.String("2026-03-03"), OperationalHours: []types.OperationalHour{{Start: at(0), End: at(0)}}},
	}})
	same(t, "the overrides", out.EffectiveOverrideHoursList, []types.EffectiveOverrideHours{{
		Date: aws.String("2026-03-02"),
		OverrideHours: []types.OverrideHour{
			{OverrideName: aws.String("Feast"), OperationalStatus: types.OperationalStatusClosed, Start: at(12), End: at(0)},
		},
	}})
	for _, tt := range []struct {
		from, to string
		days     int
		code     fault.Code
		word     string
	}{
		{"2028-01-01", "2028-12-31", 366, "", ""},
		{"9999-12-31", "9999-12-31", 1, "", ""},
		{"0000-01-01", "0000-01-02", 2, "", ""},
		{"2028-01-01", "2029-01-01", 0, fault.InvalidParameter, "366"},
		{"2026-03-02", "2026-03-01", 0, fault.InvalidParameter, "ToDate"},
		{"2026-02-29", "2026-03-01", 0, fault.InvalidParameter, "FromDate"},
		{"2026-02-28", "2026-02-29", 0, fault.InvalidParameter, "ToDate"},
	} {
		out, err := get(hours, tt.from, tt.to)
		fails(t, err, tt.code, tt.word)
		if err == nil && len(out.EffectiveHoursOfOperationList) != tt.days {
			t.Errorf("%s to %s: %d days, want %d", tt.from, tt.to, len(out.EffectiveHoursOfOperationList), tt.days)
		}
	}
}
