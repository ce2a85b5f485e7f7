package server

import "testing"

func TestReachable(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8765": "127.0.0.1:8765",
		"0.0.0.0:8765":   "127.0.0.1:8765",
		"[::]:8765":      "127.0.0.1:8765",
		":8765":          "127.0.0.1:8765",
		"[::1]:8765":     "[::1]:8765",
		"host.test:8765": "host.test:8765",
	} {
		if got := reachable(addr); got != want {
			t.Errorf("%s is reached at %s, want %s", addr, got, want)
		}
	}
}
