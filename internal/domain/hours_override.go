package domain

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// HoursOfOperationOverride changes hours of operation on some dates (AWS admin
// guide, "Set overrides for extended, reduced, and holiday hours").
type HoursOfOperationOverride struct {
	HoursOfOperationID HoursOfOperationID
	Name               string
	Description        string `json:",omitempty"`
	// Type is STANDARD for hours that take the place of the weekly ones, OPEN
	// for hours beyond them and CLOSED for hours off.
	Type types.OverrideType
	// Config is the hours; none is the whole day for a STANDARD one, closed,
	// and a CLOSED one.
	Config []OpenHours `json:",omitempty"`
	// EffectiveFrom and EffectiveTill are the first and the last date.
	EffectiveFrom, EffectiveTill Date
	// Recurrence narrows the dates down; nil: every one from
	// EffectiveFrom to EffectiveTill.
	Recurrence *Recurrence `json:",omitempty"`
}

// Date is a day of the calendar in the form 2006-01-02, in no time zone. Dates
// compare as strings.
type Date string

// ParseDate checks that a request's member is a date of the calendar.
func ParseDate(member, value string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, value); err != nil {
		return "", fault.New(fault.InvalidParameter, "%s must be a date in the form YYYY-MM-DD", member)
	}
	return Date(value), nil
}

// DateOf is the date of an instant in the time zone that it carries.
func DateOf(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// Time is midnight UTC of the date, for counting with dates.
func (d Date) Time() time.Time {
	// Every Date has been through ParseDate or DateOf.
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}

// Days is the number of the day, counted from 1970-01-01.
func (d Date) Days() int { return int(d.Time().Unix() / (24 * 60 * 60)) }

// Next is the day after.
func (d Date) Next() Date { return DateOf(d.Time().AddDate(0, 0, 1)) }

// Previous is the day before.
func (d Date) Previous() Date { return DateOf(d.Time().AddDate(0, 0, -1)) }

// Recurrence is a pattern of dates that begins with an override's
// EffectiveFrom (AWS API reference, RecurrencePattern). Months, month days and
// weekday occurrences that are 0 are not given.
type Recurrence struct {
	Frequency types.RecurrenceFrequency
	Interval  int32 // every so many weeks, months or years
	Month     int32 `json:",omitempty"` // 1 to 12
	MonthDay  int32 `json:",omitempty"` // 1 to 31, -1 for the month's last
	// WeekdayOccurrence is which of the days of its name in a month a day must
	// be: 1 to 4, -1 for the last.
	WeekdayOccurrence int32 `json:",omitempty"`
}

// Check checks the rules of an override that need nothing but itself.
func (o *HoursOfOperationOverride) Check() error {
	if o.EffectiveFrom > o.EffectiveTill {
		return fault.New(fault.InvalidParameter, "EffectiveTill must not be before EffectiveFrom")
	}
	if o.Type == types.OverrideTypeOpen && len(o.Config) == 0 {
		return fault.New(fault.InvalidParameter, "Config must include at least 1 item for an override of type OPEN")
	}
	if err := checkOpenHours(o.Config); err != nil {
		return err
	}
	if o.Recurrence == nil {
		return nil
	}
	if o.Recurrence.WeekdayOccurrence != 0 && !o.namesDays() {
		return fault.New(fault.InvalidParameter, "Config must name the Day of every item when RecurrenceConfig.RecurrencePattern.ByWeekdayOccurrence is given")
	}
	return o.Recurrence.check()
}

func (o *HoursOfOperationOverride) namesDays() bool {
	return len(o.Config) > 0 && !slices.ContainsFunc(o.Config, func(c OpenHours) bool { return c.Day == "" })
}

func (r *Recurrence) check() error {
	const pattern = "RecurrenceConfig.RecurrencePattern"
	switch {
	case r.Month != 0 && r.Frequency != types.RecurrenceFrequencyYearly:
		return fault.New(fault.InvalidParameter, "%s.ByMonth is for Frequency YEARLY only", pattern)
	case r.Frequency == types.RecurrenceFrequencyWeekly && (r.MonthDay != 0 || r.WeekdayOccurrence != 0):
		return fault.New(fault.InvalidParameter, "%s.ByMonthDay and ByWeekdayOccurrence are for Frequency MONTHLY and YEARLY only", pattern)
	case r.MonthDay != 0 && r.WeekdayOccurrence != 0:
		return fault.New(fault.InvalidParameter, "%s: only one of ByMonthDay and ByWeekdayOccurrence may be given", pattern)
	default:
		return nil
	}
}

// On reports whether the override applies on a date, whatever the day of the
// week.
func (o *HoursOfOperationOverride) On(d Date) bool {
	if d < o.EffectiveFrom || d > o.EffectiveTill {
		return false
	}
	return o.Recurrence == nil || o.Recurrence.on(o.EffectiveFrom.Time(), d.Time())
}

// on reports whether a date, not before start, is one of the pattern's. What
// the pattern leaves open is taken from start, as in RFC 5545 §3.3.10; weeks
// begin on Sunday, as the service's days do.
func (r *Recurrence) on(start, date time.Time) bool {
	interval := max(int(r.Interval), 1)
	switch r.Frequency {
	case types.RecurrenceFrequencyWeekly:
		return weeksBetween(start, date)%interval == 0
	case types.RecurrenceFrequencyMonthly:
		return (months(date)-months(start))%interval == 0 && r.inMonth(start, date)
	case types.RecurrenceFrequencyYearly:
		month := start.Month()
		if r.Month != 0 {
			month = time.Month(r.Month)
		}
		return (date.Year()-start.Year())%interval == 0 && date.Month() == month && r.inMonth(start, date)
	default:
		return false
	}
}

// weeksBetween counts the Saturday midnights between two dates.
func weeksBetween(start, date time.Time) int {
	const seconds = 7 * 24 * 60 * 60
	sunday := func(t time.Time) int64 { return t.AddDate(0, 0, -int(t.Weekday())).Unix() }
	return int((sunday(date) - sunday(start)) / seconds)
}

func months(t time.Time) int { return t.Year()*12 + int(t.Month()) }

// inMonth reports whether a date is the one of its month.
func (r *Recurrence) inMonth(start, date time.Time) bool {
	last := date.AddDate(0, 1, -date.Day()).Day()
	switch {
	case r.WeekdayOccurrence < 0:
		return date.Day() > last-7
	case r.WeekdayOccurrence > 0:
		return (date.Day()-1)/7+1 == int(r.WeekdayOccurrence)
	case r.MonthDay < 0:
		return date.Day() == last
	case r.MonthDay > 0:
		return date.Day() == int(r.MonthDay)
	default:
		return date.Day() == start.Day()
	}
}
