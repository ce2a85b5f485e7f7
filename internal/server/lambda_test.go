package server_test

import (
	"strings"
	"testing"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// TestLambdaConfig: mistakes in the section lambda are told at the start.
func TestLambdaConfig(t *testing.T) {
	for want, l := range map[string]server.Lambda{
		"lambda: endpoint: ":                          {Endpoint: "nonsense", AccessKeyID: "id", SecretAccessKey: "secret"},
		"lambda: functions: ":                         {Functions: map[string]string{"greet": "nonsense"}},
		"lambda: access-key-id and secret-access-key": {AccessKeyID: "id"},
	} {
		s, err := server.Start(t.Context(), server.Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Lambda: l})
		if err == nil {
			servertest.OK(t, s.Close())
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
