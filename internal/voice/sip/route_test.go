package sip

import (
	"slices"
	"testing"
)

// TestRoutes: the trunks of a number come in the order of their prefixes.
func TestRoutes(t *testing.T) {
	virtual(t, func(o *Options) {
		o.Trunks = []Trunk{
			{Name: "in"},
			{Name: "rest", Address: "sip:192.0.2.4"},
			{Name: "america", Address: "sip:192.0.2.5", Prefixes: []string{"+1"}},
			{Name: "new york", Address: "sip:192.0.2.6", Prefixes: []string{"+1212", "+1917"}},
			{Name: "other rest", Address: "sip:192.0.2.7"},
		}
	}, func(r *rig) {
		for to, want := range map[string][]string{
			"+12125550100": {"new york", "america", "rest", "other rest"},
			"+15550100":    {"america", "rest", "other rest"},
			"+4930":        {"rest", "other rest"},
		} {
			if got := r.e.Routes(to); !slices.Equal(got, want) {
				t.Errorf("calls to %s go out by %q, want %q", to, got, want)
			}
		}
	})
}
