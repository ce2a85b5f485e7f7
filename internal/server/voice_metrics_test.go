package server_test

import (
	"strings"
	"testing"

	"ringdown/internal/server/servertest"
)

// TestCallMetrics: what calls take up is told from the start.
func TestCallMetrics(t *testing.T) {
	s := servertest.Boot(t)
	_, body := ask(t, "GET", s.URL+"/-/metrics", "", "", "", "")
	for _, want := range []string{"\nringdown_sip_calls 0\n", "\nringdown_rtp_sessions 0\n", "\nringdown_rtp_ports 0\n"} {
		if !strings.Contains(body, want) {
			t.Errorf("no line %q", strings.TrimSpace(want))
		}
	}
}
