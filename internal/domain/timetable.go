package domain

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// Timetable is hours of operation with everything that bears on them. When
// overrides compete, the first that says something of a time decides it (AWS
// admin guide, "Set overrides for extended, reduced, and holiday hours", Dates
// with competing overrides):
//
//  1. overrides of type CLOSED,
//  2. overrides of type OPEN,
//  3. an override of type STANDARD, which decides its whole dates,
//  4. the weekly hours.
//
// Of several STANDARD ones the one that begins last decides, the later made if
// they begin together, and inherited ones only where there is none of its own
// (docs/divergences.md).
//
// Everything is reckoned on the clocks of the time zone: where they are put
// forward an hour is missing from the opening hours, where they are put back
// one comes twice.
type Timetable struct {
	Zone *time.Location
	Week []OpenHours
	// Own are the hours' own overrides, Inherited those of their parents; both
	// in the order in which they were made.
	Own, Inherited []*HoursOfOperationOverride
}

// Span is a part of a day: from Start until End, which is not included and at
// most the end of the day.
type Span struct{ Start, End TimeOfDay }

// OverrideSpan is what an override says of a part of a day.
type OverrideSpan struct {
	Span
	Name string
	Open bool
}

// day marks the minutes of a day.
type day [endOfDay]bool

func (m *day) mark(spans []Span, open bool) {
	for _, s := range spans {
		for i := s.Start; i < s.End; i++ {
			m[i] = open
		}
	}
}

// spans are the marked parts of the day, as long as can be, in their order.
func (m *day) spans() []Span {
	var spans []Span
	for i := TimeOfDay(0); i < endOfDay; i++ {
		switch {
		case !m[i]:
		case i > 0 && m[i-1]:
			spans[len(spans)-1].End = i + 1
		default:
			spans = append(spans, Span{Start: i, End: i + 1})
		}
	}
	return spans
}

// OpenOn returns when it is open on a date; nothing when it is closed.
func (t *Timetable) OpenOn(d Date) []Span {
	m := t.on(d)
	return m.spans()
}

// OpenAt reports whether it is open at an instant.
func (t *Timetable) OpenAt(instant time.Time) bool {
	local := instant.In(t.Zone)
	m := t.on(DateOf(local))
	return m[local.Hour()*60+local.Minute()]
}

// on is what of a date is open.
func (t *Timetable) on(d Date) day {
	var m day
	if o := t.standard(d); o != nil {
		m.mark(t.standardSpans(o, d), true)
	} else {
		m.mark(spansOn(t.Week, d, true, t.standard(d.Previous()) == nil), true)
	}
	for _, o := range t.recurring(types.OverrideTypeOpen) {
		m.mark(o.spansOn(d), true)
	}
	for _, o := range t.recurring(types.OverrideTypeClosed) {
		m.mark(o.spansOn(d), false)
	}
	return m
}

// OverridesOn returns what overrides say of a date, in the order in which they
// count.
func (t *Timetable) OverridesOn(d Date) []OverrideSpan {
	var list []OverrideSpan
	add := func(o *HoursOfOperationOverride, open bool, spans []Span) {
		for _, s := range spans {
			list = append(list, OverrideSpan{Span: s, Name: o.Name, Open: open})
		}
	}
	for _, o := range t.recurring(types.OverrideTypeClosed) {
		add(o, false, o.spansOn(d))
	}
	for _, o := range t.recurring(types.OverrideTypeOpen) {
		add(o, true, o.spansOn(d))
	}
	if o := t.standard(d); o != nil {
		if spans := t.standardSpans(o, d); len(spans) > 0 {
			add(o, true, spans)
		} else {
			add(o, false, []Span{{End: endOfDay}})
		}
	}
	return list
}

// standard is the STANDARD override that decides a date, nil when there is
// none.
func (t *Timetable) standard(d Date) *HoursOfOperationOverride {
	for _, list := range [][]*HoursOfOperationOverride{t.Own, t.Inherited} {
		var found *HoursOfOperationOverride
		for _, o := range list {
			if o.Type == types.OverrideTypeStandard && o.On(d) && (found == nil || o.EffectiveFrom >= found.EffectiveFrom) {
				found = o
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}

// standardSpans are the hours of the STANDARD override that decides a date.
// What passes midnight goes on only where the same override decides both
// dates.
func (t *Timetable) standardSpans(o *HoursOfOperationOverride, d Date) []Span {
	return spansOn(o.Config, d, true, t.standard(d.Previous()) == o)
}

// recurring are the overrides of a type that add to the others of it.
func (t *Timetable) recurring(of types.OverrideType) []*HoursOfOperationOverride {
	var list []*HoursOfOperationOverride
	for _, overrides := range [][]*HoursOfOperationOverride{t.Own, t.Inherited} {
		for _, o := range overrides {
			if o.Type == of {
				list = append(list, o)
			}
		}
	}
	return list
}

// spansOn is the part of a date that an OPEN or CLOSED override speaks of.
func (o *HoursOfOperationOverride) spansOn(d Date) []Span {
	today := o.On(d)
	if today && len(o.Config) == 0 {
		return []Span{{End: endOfDay}}
	}
	return spansOn(o.Config, d, today, d <= o.EffectiveTill && o.On(d.Previous()))
}

// spansOn is the part of a date that hours cover: those of the day itself, if
// today is set, and those of the day before that pass midnight, if night is.
func spansOn(config []OpenHours, d Date, today, night bool) []Span {
	var spans []Span
	for _, c := range config {
		passesMidnight := c.End != 0 && c.End < c.Start
		if today && c.onDay(d) {
			end := c.End
			if end == 0 || passesMidnight {
				end = endOfDay
			}
			spans = append(spans, Span{Start: c.Start, End: end})
		}
		if night && passesMidnight && c.onDay(d.Previous()) {
			spans = append(spans, Span{End: c.End})
		}
	}
	return spans
}

func (c OpenHours) onDay(d Date) bool {
	return c.Day == "" || strings.EqualFold(string(c.Day), d.Time().Weekday().String())
}
