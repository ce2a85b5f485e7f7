package domain

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// HoursOfOperation is the weekly timetable of queues and flows.
type HoursOfOperation struct {
	Name        string
	Description string `json:",omitempty"`
	// Default is true for the hours that a new instance has; they cannot be
	// deleted.
	Default  bool        `json:",omitempty"`
	TimeZone string      // a name of the IANA time zone database
	Config   []OpenHours // none: always closed
	// ParentIDs are the hours whose overrides these inherit, in the order in
	// which they were associated.
	ParentIDs []HoursOfOperationID `json:",omitempty"`
}

// OpenHours is a span of a day, on the clocks of the time zone. Spans may
// overlap; together they cover what any of them covers.
type OpenHours struct {
	// Day is a day of the week; empty, which only overrides may have, it is any.
	Day types.HoursOfOperationDays `json:",omitempty"`
	// Start and End are both 00:00 for the whole day. An End of 00:00 is the
	// end of the day; any other that is earlier than Start is on the next day.
	Start, End TimeOfDay
}

// TimeOfDay is a time on the clock in minutes since midnight: 0 to 1439, and
// 1440 for the end of a day.
type TimeOfDay int32

const endOfDay TimeOfDay = 24 * 60

// Clock returns what a clock shows; at the end of a day, 00:00.
func (t TimeOfDay) Clock() (hours, minutes int32) { return int32(t) / 60 % 24, int32(t) % 60 }

// TimeOfDayAt is the time at which a clock shows hours and minutes.
func TimeOfDayAt(hours, minutes int32) TimeOfDay { return TimeOfDay(hours*60 + minutes) }

// Check checks the rules of hours that need nothing but themselves.
func (h *HoursOfOperation) Check() error {
	if _, err := LoadTimeZone(h.TimeZone); err != nil {
		return err
	}
	return checkOpenHours(h.Config)
}

func checkOpenHours(config []OpenHours) error {
	for i, c := range config {
		if c.Start == c.End && c.Start != 0 {
			return fault.New(fault.InvalidParameter, "Config[%d]: StartTime and EndTime must differ, unless both are 00:00 for the whole day", i)
		}
	}
	return nil
}

// LoadTimeZone finds a time zone by its name in the IANA time zone database,
// such as America/New_York or EST5EDT. An unknown one is an
// InvalidParameterException.
func LoadTimeZone(name string) (*time.Location, error) {
	// These two mean something to time.LoadLocation that is no zone's name.
	if name != "" && !strings.EqualFold(name, "Local") {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone, nil
		}
	}
	return nil, fault.New(fault.InvalidParameter, "TimeZone must be the name of a time zone of the IANA time zone database")
}
