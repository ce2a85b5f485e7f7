package domain_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // whatever the machine has

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

const (
	anyDay   = types.HoursOfOperationDays("")
	monday   = types.HoursOfOperationDaysMonday
	tuesday  = types.HoursOfOperationDaysTuesday
	thursday = types.HoursOfOperationDaysThursday
	saturday = types.HoursOfOperationDaysSaturday
	sunday   = types.HoursOfOperationDaysSunday
)

// hours reads "09:00-17:30" as hours of a day.
func hours(t *testing.T, day types.HoursOfOperationDays, spans ...string) []domain.OpenHours {
	t.Helper()
	list := make([]domain.OpenHours, len(spans))
	for i, s := range spans {
		var h1, m1, h2, m2 int32
		if _, err := fmt.Sscanf(s, "%d:%d-%d:%d", &h1, &m1, &h2, &m2); err != nil {
			t.Fatal(err)
		}
		list[i] = domain.OpenHours{Day: day, Start: domain.TimeOfDayAt(h1, m1), End: domain.TimeOfDayAt(h2, m2)}
	}
	return list
}

func show(spans []domain.Span) string {
	list := make([]string, len(spans))
	for i, s := range spans {
		h1, m1 := s.Start.Clock()
		h2, m2 := s.End.Clock()
		list[i] = fmt.Sprintf("%02d:%02d-%02d:%02d", h1, m1, h2, m2)
	}
	return strings.Join(list, " ")
}

func override(of types.OverrideType, from, till domain.Date, config []domain.OpenHours) *domain.HoursOfOperationOverride {
	return &domain.HoursOfOperationOverride{Name: string(of), Type: of, EffectiveFrom: from, EffectiveTill: till, Config: config}
}

func TestTimetableOpenOn(t *testing.T) {
	const (
		mon = domain.Date("2026-03-02")
		tue = domain.Date("2026-03-03")
		wed = domain.Date("2026-03-04")
		sat = domain.Date("2026-03-07")
		sun = domain.Date("2026-03-08") // clocks go forward in the United States
	)
	week := append(hours(t, monday, "09:00-12:00", "13:00-17:00"), hours(t, tuesday, "09:00-17:00")...)
	type overrides = []*domain.HoursOfOperationOverride
	std, opened, closed := types.OverrideTypeStandard, types.OverrideTypeOpen, types.OverrideTypeClosed
	tests := map[string]struct {
		week           []domain.OpenHours
		own, inherited overrides
		on             domain.Date
		want           string
	}{
		"a day with a break":           {week: week, on: mon, want: "09:00-12:00 13:00-17:00"},
		"a day that is not listed":     {week: week, on: wed, want: ""},
		"nothing listed at all":        {on: mon, want: ""},
		"the whole day":                {week: hours(t, monday, "00:00-00:00"), on: mon, want: "00:00-00:00"},
		"until midnight":               {week: hours(t, monday, "10:00-00:00"), on: mon, want: "10:00-00:00"},
		"until midnight, the day on":   {week: hours(t, monday, "10:00-00:00"), on: tue, want: ""},
		"spans that touch or overlap":  {week: hours(t, monday, "12:00-13:00", "09:00-12:00", "12:30-14:00"), on: mon, want: "09:00-14:00"},
		"past midnight, the first day": {week: hours(t, monday, "22:00-06:00"), on: mon, want: "22:00-00:00"},
		"past midnight, the next day":  {week: hours(t, monday, "22:00-06:00"), on: tue, want: "00:00-06:00"},
		"from Saturday into Sunday":    {week: hours(t, saturday, "22:00-06:00"), on: sun, want: "00:00-06:00"},

		"STANDARD replaces the day":       {week: week, own: overrides{override(std, mon, mon, hours(t, monday, "10:00-11:00"))}, on: mon, want: "10:00-11:00"},
		"STANDARD closes other days":      {week: week, own: overrides{override(std, mon, tue, hours(t, monday, "10:00-11:00"))}, on: tue, want: ""},
		"STANDARD for any day":            {week: week, own: overrides{override(std, mon, tue, hours(t, anyDay, "10:00-11:00"))}, on: tue, want: "10:00-11:00"},
		"STANDARD without hours closes":   {week: week, own: overrides{override(std, mon, mon, nil)}, on: mon, want: ""},
		"STANDARD before its time":        {week: week, own: overrides{override(std, tue, tue, nil)}, on: mon, want: "09:00-12:00 13:00-17:00"},
		"STANDARD after its time":         {week: week, own: overrides{override(std, mon, mon, nil)}, on: tue, want: "09:00-17:00"},
		"STANDARD cuts the night before":  {week: hours(t, monday, "22:00-06:00"), own: overrides{override(std, tue, tue, hours(t, tuesday, "10:00-11:00"))}, on: tue, want: "10:00-11:00"},
		"STANDARD ends with its dates":    {week: week, own: overrides{override(std, mon, mon, hours(t, monday, "22:00-06:00"))}, on: tue, want: "09:00-17:00"},
		"STANDARD has nights of its own":  {own: overrides{override(std, mon, tue, hours(t, monday, "22:00-06:00"))}, on: tue, want: "00:00-06:00"},
		"the STANDARD that begins last":   {own: overrides{override(std, tue, tue, hours(t, anyDay, "11:00-12:00")), override(std, mon, wed, hours(t, anyDay, "09:00-10:00"))}, on: tue, want: "11:00-12:00"},
		"the STANDARD that was made last": {own: overrides{override(std, mon, mon, nil), override(std, mon, mon, hours(t, anyDay, "09:00-10:00"))}, on: mon, want: "09:00-10:00"},
		"an inherited STANDARD":           {week: week, inherited: overrides{override(std, mon, mon, nil)}, on: mon, want: ""},
		"its own before an inherited one": {inherited: overrides{override(std, tue, tue, nil)}, own: overrides{override(std, mon, wed, hours(t, anyDay, "09:00-10:00"))}, on: tue, want: "09:00-10:00"},

		"OPEN adds":                      {week: week, own: overrides{override(opened, mon, mon, hours(t, monday, "16:00-20:00"))}, on: mon, want: "09:00-12:00 13:00-20:00"},
		"OPEN opens a closed day":        {week: week, own: overrides{override(opened, sun, sun, hours(t, sunday, "10:00-22:00"))}, on: sun, want: "10:00-22:00"},
		"OPEN before STANDARD":           {own: overrides{override(std, mon, mon, nil), override(opened, mon, mon, hours(t, anyDay, "10:00-11:00"))}, on: mon, want: "10:00-11:00"},
		"OPEN past midnight":             {own: overrides{override(opened, mon, tue, hours(t, monday, "22:00-02:00"))}, on: tue, want: "00:00-02:00"},
		"OPEN ends with its dates":       {own: overrides{override(opened, mon, mon, hours(t, monday, "22:00-02:00"))}, on: tue, want: ""},
		"CLOSED without hours":           {week: week, own: overrides{override(closed, mon, mon, nil)}, on: mon, want: ""},
		"CLOSED takes away":              {week: week, own: overrides{override(closed, mon, mon, hours(t, monday, "11:00-15:00"))}, on: mon, want: "09:00-11:00 15:00-17:00"},
		"CLOSED on another day":          {week: week, own: overrides{override(closed, mon, mon, hours(t, tuesday, "00:00-00:00"))}, on: mon, want: "09:00-12:00 13:00-17:00"},
		"CLOSED before OPEN":             {own: overrides{override(closed, mon, mon, hours(t, anyDay, "12:00-16:00")), override(opened, mon, mon, hours(t, anyDay, "08:00-18:00"))}, on: mon, want: "08:00-12:00 16:00-18:00"},
		"an inherited CLOSED before all": {week: week, own: overrides{override(opened, mon, mon, hours(t, anyDay, "00:00-00:00"))}, inherited: overrides{override(closed, mon, mon, nil)}, on: mon, want: ""},
		"CLOSED past midnight":           {week: hours(t, sunday, "00:00-00:00"), own: overrides{override(closed, sat, sun, hours(t, saturday, "20:00-08:00"))}, on: sun, want: "08:00-00:00"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			table := &domain.Timetable{Zone: time.UTC, Week: tt.week, Own: tt.own, Inherited: tt.inherited}
			if got := show(table.OpenOn(tt.on)); got != tt.want {
				t.Errorf("open on %s: %q, want %q", tt.on, got, tt.want)
			}
		})
	}
}

func TestTimetableOverridesOn(t *testing.T) {
	const d = domain.Date("2026-03-02")
	table := &domain.Timetable{
		Zone: time.UTC, Week: hours(t, anyDay, "00:00-00:00"),
		Own: []*domain.HoursOfOperationOverride{
			override(types.OverrideTypeStandard, d, d, hours(t, tuesday, "09:00-10:00")),
			override(types.OverrideTypeOpen, d, d, hours(t, monday, "10:00-12:00", "14:00-15:00")),
		},
		Inherited: []*domain.HoursOfOperationOverride{override(types.OverrideTypeClosed, d, d, nil)},
	}
	want := "CLOSED false 00:00-00:00, OPEN true 10:00-12:00, OPEN true 14:00-15:00, STANDARD false 00:00-00:00"
	var got []string
	for _, o := range table.OverridesOn(d) {
		got = append(got, fmt.Sprint(o.Name, " ", o.Open, " ", show([]domain.Span{o.Span})))
	}
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if got := table.OverridesOn(d.Next()); got != nil {
		t.Errorf("the next day: %v", got)
	}
}

func TestTimetableOpenAt(t *testing.T) {
	tests := []struct {
		zone, span, at string
		want           bool
	}{
		// One instant, two places.
		{"America/New_York", "09:00-17:00", "2026-01-15T13:59:59Z", false},
		{"America/New_York", "09:00-17:00", "2026-01-15T14:00:00Z", true},
		{"Asia/Tokyo", "09:00-17:00", "2026-01-15T00:00:00Z", true},
		{"Asia/Tokyo", "09:00-17:00", "2026-01-15T08:00:00Z", false},
		// The same hours are at another instant in summer.
		{"America/New_York", "09:00-17:00", "2026-07-15T13:00:00Z", true},
		{"America/New_York", "09:00-17:00", "2026-07-15T21:00:00Z", false},
		{"EST5EDT", "09:00-17:00", "2026-07-15T13:00:00Z", true},
		{"Asia/Kathmandu", "09:00-17:00", "2026-01-15T03:15:00Z", true}, // UTC+5:45
		{"Asia/Kathmandu", "09:00-17:00", "2026-01-15T03:14:59Z", false},
		// 2026-03-08, 02:00 to 03:00 is missing: what would end in it ends at 03:00.
		{"America/New_York", "01:00-02:30", "2026-03-08T06:59:59Z", true},
		{"America/New_York", "01:00-02:30", "2026-03-08T07:00:00Z", false},
		{"America/New_York", "02:30-04:00", "2026-03-08T07:00:00Z", true},
		// 2026-11-01, 01:00 to 02:00 comes twice, and both are open.
		{"America/New_York", "01:00-02:00", "2026-11-01T05:30:00Z", true},
		{"America/New_York", "01:00-02:00", "2026-11-01T06:30:00Z", true},
		{"America/New_York", "01:00-02:00", "2026-11-01T07:00:00Z", false},
	}
	for _, tt := range tests {
		t.Run(tt.zone+" "+tt.at, func(t *testing.T) {
			zone, err := domain.LoadTimeZone(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			table := &domain.Timetable{Zone: zone, Week: hours(t, anyDay, tt.span)}
			if got := table.OpenAt(at); got != tt.want {
				t.Errorf("open at %s: %v, want %v", at.In(zone), got, tt.want)
			}
		})
	}
}

func TestRecurrence(t *testing.T) {
	weekly, monthly, yearly := types.RecurrenceFrequencyWeekly, types.RecurrenceFrequencyMonthly, types.RecurrenceFrequencyYearly
	tests := map[string]struct {
		from  domain.Date // and until the end of 2028
		of    domain.Recurrence
		on    []domain.Date
		notOn []domain.Date
	}{
		"every week":       {"2026-03-04", domain.Recurrence{Frequency: weekly, Interval: 1}, []domain.Date{"2026-03-04", "2026-03-10"}, []domain.Date{"2026-03-03"}},
		"every other week": {"2026-03-04", domain.Recurrence{Frequency: weekly, Interval: 2}, []domain.Date{"2026-03-07", "2026-03-15", "2026-03-21"}, []domain.Date{"2026-03-08", "2026-03-14", "2026-03-22"}},
		"the 15th":         {"2026-01-01", domain.Recurrence{Frequency: monthly, Interval: 1, MonthDay: 15}, []domain.Date{"2026-01-15", "2028-12-15"}, []domain.Date{"2026-01-14", "2026-02-16"}},
		"the 31st":         {"2026-01-01", domain.Recurrence{Frequency: monthly, Interval: 1, MonthDay: 31}, []domain.Date{"2026-01-31", "2026-03-31"}, []domain.Date{"2026-02-28", "2026-04-30"}},
		"the last day":     {"2026-01-01", domain.Recurrence{Frequency: monthly, Interval: 1, MonthDay: -1}, []domain.Date{"2026-02-28", "2028-02-29", "2026-04-30", "2026-12-31"}, []domain.Date{"2028-02-28", "2026-01-30"}},
		"every third month": {
			"2026-11-05",
			domain.Recurrence{Frequency: monthly, Interval: 3},
			[]domain.Date{"2026-11-05", "2027-02-05"},
			[]domain.Date{"2026-12-05", "2027-02-04", "2027-01-05"},
		},
		"Christmas":        {"2026-01-01", domain.Recurrence{Frequency: yearly, Interval: 1, Month: 12, MonthDay: 25}, []domain.Date{"2026-12-25", "2027-12-25"}, []domain.Date{"2026-11-25", "2026-12-24"}},
		"every other year": {"2026-07-04", domain.Recurrence{Frequency: yearly, Interval: 2}, []domain.Date{"2026-07-04", "2028-07-04"}, []domain.Date{"2027-07-04", "2028-07-05"}},
		"the second week":  {"2026-01-01", domain.Recurrence{Frequency: yearly, Interval: 1, Month: 4, WeekdayOccurrence: 2}, []domain.Date{"2026-04-08", "2026-04-14"}, []domain.Date{"2026-04-07", "2026-04-15", "2026-05-08"}},
		"the last week":    {"2026-01-01", domain.Recurrence{Frequency: monthly, Interval: 1, WeekdayOccurrence: -1}, []domain.Date{"2026-02-22", "2026-02-28", "2026-03-25"}, []domain.Date{"2026-02-21", "2026-03-24"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			o := &domain.HoursOfOperationOverride{EffectiveFrom: tt.from, EffectiveTill: "2028-12-31", Recurrence: &tt.of}
			for _, d := range tt.on {
				if !o.On(d) {
					t.Errorf("not on %s", d)
				}
			}
			for _, d := range append(tt.notOn, "2029-01-01", tt.from.Previous()) {
				if o.On(d) {
					t.Errorf("on %s", d)
				}
			}
		})
	}
	t.Run("the second Thursday of April", func(t *testing.T) {
		o := override(types.OverrideTypeClosed, "2026-01-01", "2028-12-31", hours(t, thursday, "00:00-00:00"))
		o.Recurrence = &domain.Recurrence{Frequency: yearly, Interval: 1, Month: 4, WeekdayOccurrence: 2}
		table := &domain.Timetable{Zone: time.UTC, Week: hours(t, anyDay, "00:00-00:00"), Own: []*domain.HoursOfOperationOverride{o}}
		var closed []domain.Date
		for d := domain.Date("2026-01-01"); d < "2028-01-01"; d = d.Next() {
			if len(table.OpenOn(d)) == 0 {
				closed = append(closed, d)
			}
		}
		if want := "[2026-04-09 2027-04-08]"; fmt.Sprint(closed) != want {
			t.Errorf("closed on %v, want %s", closed, want)
		}
	})
}

func TestLoadTimeZone(t *testing.T) {
	for _, name := range []string{"UTC", "Etc/GMT+5", "EST5EDT", "Australia/Lord_Howe"} {
		if zone, err := domain.LoadTimeZone(name); err != nil || zone.String() != name {
			t.Errorf("%s: %v, %v", name, zone, err)
		}
	}
	for _, name := range []string{"", "Local", "local", "Mars/Olympus", "../etc/passwd", "/etc/localtime", "America"} {
		if _, err := domain.LoadTimeZone(name); !fault.Is(err, fault.InvalidParameter) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2026-02-28", "2026-02-29", "0000-01-01", "9999-12-31", "2026-1-1", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := domain.ParseDate("FromDate", s)
		if err != nil {
			if !fault.Is(err, fault.InvalidParameter) {
				t.Fatal(err)
			}
			return
		}
		if string(d) != s || domain.DateOf(d.Time()) != d {
			t.Fatalf("%q became %q", s, domain.DateOf(d.Time()))
		}
		if s < "9999-12-31" && (d.Next().Previous() != d || d.Next().Days() != d.Days()+1) {
			t.Fatalf("the day after %s is %s", d, d.Next())
		}
	})
}
