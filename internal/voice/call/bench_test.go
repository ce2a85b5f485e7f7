package call

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/contact"
	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sip"
)

// BenchmarkCall is a call out that is answered, hears the beginning of a prompt and
// is hung up, many at once; both sides are in the process.
func BenchmarkCall(b *testing.B) {
	quiet := slog.New(slog.DiscardHandler)
	engine, err := media.New(media.Options{Address: loopback, FirstPort: 41000, LastPort: 41999, Rest: time.Millisecond, Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	far := &peer{media: engine}
	endpoint, err := sip.Listen(b.Context(), sip.Options{
		Listen: "127.0.0.1:0", Logger: quiet, Now: time.Now, Limits: sip.Limits{Invites: 1e6, Messages: 1e6},
		Trunks:   []sip.Trunk{{Name: "server", Sources: []netip.Prefix{netip.PrefixFrom(loopback, 32)}}},
		Incoming: func(c *sip.Call) { far.take(b, c) },
	})
	if err != nil {
		b.Fatal(err)
	}
	calls, err := New(Options{
		SIP: sip.Options{
			Listen: "127.0.0.1:0", Logger: quiet, Now: time.Now, Limits: sip.Limits{Invites: 1e6, Messages: 1e6},
			Trunks: []sip.Trunk{{Name: "out", Address: "sip:" + endpoint.Addr().String()}},
		},
		Media: media.Options{FirstPort: 42000, LastPort: 42999, Rest: time.Millisecond, Logger: quiet},
		Sound: func(context.Context, string) (*audio.Clip, error) { return tone(600, time.Minute, -12), nil },
	})
	if err != nil {
		b.Fatal(err)
	}
	if err := calls.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			events := make(chan contact.LegEvent, 10)
			leg := calls.Dial(contact.Call{To: customer, From: office}, func(ev contact.LegEvent) { events <- ev })
			for ev := range events {
				if ev.Kind == contact.LegAnswered {
					leg.Say(1, prompts("s3://b/600"), false)
					leg.Hangup()
				}
				if ev.Kind == contact.LegEnded {
					if ev.Reason != "" {
						b.Errorf("ended with %s", ev.Reason)
					}
					break
				}
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
	for _, c := range []interface{ Close() error }{calls, endpoint, engine} {
		if err := c.Close(); err != nil {
			b.Error(err)
		}
	}
}

// take answers a call for a benchmark.
func (p *peer) take(b *testing.B, c *sip.Call) {
	b.Helper()
	s, err := p.media.Open(func(media.Event) {})
	if err != nil {
		b.Error(err)
		return
	}
	c.Answer(farStream(s), func(ev sip.Event) {
		if ev.Kind == sip.Ended {
			s.Close()
		}
	})
}
