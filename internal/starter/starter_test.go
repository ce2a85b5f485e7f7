package starter

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the zones must be real ones, wherever the test runs
	"unicode/utf8"
)

func TestBasicHoursAreOpenAllWeek(t *testing.T) {
	regions := []string{"us-east-1", "mars-north-1", ""}
	for region := range timeZones {
		regions = append(regions, region)
	}
	for _, region := range regions {
		hours := BasicHours(region)
		if _, err := time.LoadLocation(hours.TimeZone); err != nil || hours.TimeZone == "" {
			t.Errorf("%s: zone %q: %v", region, hours.TimeZone, err)
		}
		days := map[string]bool{}
		for _, span := range hours.Config {
			days[span.Day] = true
			if span != (OpeningHours{Day: span.Day}) {
				t.Errorf("%s: %s is not open all day: %+v", region, span.Day, span)
			}
		}
		if len(hours.Config) != 7 || len(days) != 7 {
			t.Errorf("%s: %d spans on %d days", region, len(hours.Config), len(days))
		}
	}
}

func TestBasicHoursKeepTheClockOfTheRegion(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1":    "America/New_York",
		"eu-west-2":    "Europe/London",
		"mars-north-1": "America/New_York",
	} {
		if got := BasicHours(region).TimeZone; got != want {
			t.Errorf("%s: %s, want %s", region, got, want)
		}
	}
}

func TestBasicRoutingProfile(t *testing.T) {
	profile := BasicRoutingProfile()
	want := map[string]int{"VOICE": 1, "CHAT": 2, "TASK": 1}
	got := map[string]int{}
	for _, media := range profile.MediaConcurrencies {
		got[media.Channel] = media.Concurrency
	}
	for channel, n := range want {
		if got[channel] != n {
			t.Errorf("%s: %d, want %d", channel, got[channel], n)
		}
	}
	if len(got) != len(want) {
		t.Errorf("channels %v", got)
	}
	if profile.DefaultOutboundQueue != BasicQueue().Name {
		t.Errorf("outbound queue %q", profile.DefaultOutboundQueue)
	}
	for _, q := range profile.QueueConfigs {
		if q.Queue != BasicQueue().Name || q.Priority != 1 || q.Delay != 0 || got[q.Channel] == 0 {
			t.Errorf("queue %+v", q)
		}
	}
	if len(profile.QueueConfigs) != len(want) {
		t.Errorf("%d queues", len(profile.QueueConfigs))
	}
}

func TestQueueKeepsTheBasicHours(t *testing.T) {
	if got, want := BasicQueue().HoursOfOperation, BasicHours("us-east-1").Name; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestAgentStatuses(t *testing.T) {
	types := map[string]string{}
	for i, status := range AgentStatuses() {
		types[status.Name] = status.Type
		if status.DisplayOrder != i+1 || status.State != "ENABLED" {
			t.Errorf("%+v", status)
		}
	}
	if len(types) != 2 || types["Available"] != "ROUTABLE" || types["Offline"] != "OFFLINE" {
		t.Errorf("%v", types)
	}
}

func TestPrompts(t *testing.T) {
	names := map[string]bool{}
	for _, p := range Prompts() {
		names[p.Name] = true
		if !strings.HasSuffix(p.Name, ".wav") {
			t.Errorf("%q is no WAV file", p.Name)
		}
	}
	if len(names) != 7 {
		t.Errorf("%d prompts", len(names))
	}
}

func TestPredefinedAttributes(t *testing.T) {
	// What follows the reserved prefix obeys the pattern of the service model.
	pattern := regexp.MustCompile(`^connect:[\p{L}\p{Z}\p{N}_.:/=+\-@']+$`)
	readOnly := map[string]bool{}
	for _, a := range PredefinedAttributes() {
		readOnly[a.Name] = a.IsReadOnly
		for _, s := range append([]string{a.Name}, a.Values...) {
			if !pattern.MatchString(s) || utf8.RuneCountInString(s) > 100 {
				t.Errorf("%s: %q is not allowed", a.Name, s)
			}
		}
		values := slices.Clone(a.Values)
		slices.Sort(values)
		if len(slices.Compact(values)) != len(a.Values) {
			t.Errorf("%s: a value twice: %v", a.Name, a.Values)
		}
	}
	if readOnly["connect:Language"] || !readOnly["connect:Subtype"] || len(readOnly) != 3 {
		t.Errorf("%v", readOnly)
	}
}

func TestDescriptionsFitTheServiceModel(t *testing.T) {
	descriptions := map[string]string{
		"queue":           BasicQueue().Description,
		"hours":           BasicHours("us-east-1").Description,
		"routing profile": BasicRoutingProfile().Description,
	}
	for _, s := range AgentStatuses() {
		descriptions["status "+s.Name] = s.Description
	}
	for _, p := range Prompts() {
		descriptions["prompt "+p.Name] = p.Description
	}
	for _, p := range SecurityProfiles() {
		descriptions["security profile "+p.Name] = p.Description
	}
	for what, text := range descriptions {
		if n := utf8.RuneCountInString(text); n < 1 || n > 250 {
			t.Errorf("%s: description of %d characters", what, n)
		}
	}
}

// A caller may change what it was given.
func TestAnswersAreNotShared(t *testing.T) {
	Flows()[0].Name = "changed"
	Permissions()[0] = "changed"
	Prompts()[0].Name = "changed"
	PredefinedAttributes()[0].Values[0] = "changed"
	SecurityProfiles()[0].Permissions[0] = "changed"
	BasicHours("us-east-1").Config[0].Day = "changed"
	for what, value := range map[string]string{
		"flow":             Flows()[0].Name,
		"permission":       Permissions()[0],
		"prompt":           Prompts()[0].Name,
		"attribute":        PredefinedAttributes()[0].Values[0],
		"security profile": SecurityProfiles()[0].Permissions[0],
		"hours":            BasicHours("us-east-1").Config[0].Day,
	} {
		if value == "changed" {
			t.Errorf("%s: a change came back", what)
		}
	}
}
