package server_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// TestEventsConfig: mistakes in the section events are told at the start.
func TestEventsConfig(t *testing.T) {
	at := server.EventsService{Endpoint: "aws", AccessKeyID: "id", SecretAccessKey: "secret"}
	for want, e := range map[string]server.Events{
		"events: webhook: url ":              {Webhook: &server.EventsWebhook{URL: "nonsense"}},
		"events: webhook: secret ":           {Webhook: &server.EventsWebhook{URL: "https://example.com", Secret: "whsec_?"}},
		"events: eventbridge: endpoint ":     {EventBridge: &server.EventsEventBridge{}},
		"events: eventbridge: source ":       {EventBridge: &server.EventsEventBridge{EventsService: at, Source: "aws.connect"}},
		"events: kinesis: access-key-id ":    {Kinesis: &server.EventsKinesis{EventsService: server.EventsService{Endpoint: "aws"}, RecordsStream: "r"}},
		"events: kinesis: records-stream or": {Kinesis: &server.EventsKinesis{EventsService: at}},
		"events: kinesis: events-stream mus": {Kinesis: &server.EventsKinesis{EventsService: at, RecordsStream: "r", EventsStream: "a b"}},
	} {
		s, err := server.Start(t.Context(), server.Config{Listen: "127.0.0.1:0", Data: t.TempDir(), Events: e})
		if err == nil {
			servertest.OK(t, s.Close())
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestEventsMetrics: each sink that is configured, and no other, is among the
// metrics; a receiver that is away keeps the server from nothing.
func TestEventsMetrics(t *testing.T) {
	at := server.EventsService{Endpoint: "http://127.0.0.1:1", AccessKeyID: "id", SecretAccessKey: "secret"}
	for _, c := range []struct {
		events server.Events
		want   []string
	}{
		{server.Events{}, []string{"file contact-events", "file contact-records"}},
		{server.Events{File: new(false)}, nil},
		{server.Events{
			File: new(true), Webhook: &server.EventsWebhook{URL: "http://127.0.0.1:1/"}, EventBridge: &server.EventsEventBridge{EventsService: at},
			Kinesis: &server.EventsKinesis{EventsService: at, RecordsStream: "r"},
		}, []string{"eventbridge contact-events", "file contact-events", "file contact-records", "kinesis contact-records", "webhook contact-events", "webhook contact-records"}},
	} {
		s := servertest.Boot(t, func(cfg *server.Config) { cfg.Events = c.events })
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/-/metrics", nil)
		servertest.OK(t, err)
		answer, err := http.DefaultClient.Do(r)
		servertest.OK(t, err)
		raw, err := io.ReadAll(answer.Body)
		servertest.OK(t, err)
		servertest.OK(t, answer.Body.Close())
		var got []string
		for line := range strings.Lines(string(raw)) {
			if labels, ok := strings.CutPrefix(line, `ringdown_events_lag_seconds{sink="`); ok {
				got = append(got, strings.TrimSuffix(strings.Replace(labels, `",stream="`, " ", 1), "\"} 0\n"))
			}
		}
		servertest.Same(t, "sinks", got, c.want)
		// Nothing happened, so there is no file.
		if _, err := os.Stat(filepath.Join(s.Data, "contact-events.jsonl")); !os.IsNotExist(err) {
			t.Errorf("contact-events.jsonl: %v", err)
		}
	}
}
