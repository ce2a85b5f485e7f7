package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"ringdown/internal/event"
	"ringdown/internal/store"
)

// Events says where contact events and contact records are delivered to.
type Events struct {
	// File has them in contact-events.jsonl and contact-records.jsonl of the data
	// folder; nil means true.
	File        *bool              `yaml:"file"`
	Webhook     *EventsWebhook     `yaml:"webhook"`     // events and records
	EventBridge *EventsEventBridge `yaml:"eventbridge"` // events
	Kinesis     *EventsKinesis     `yaml:"kinesis"`
}

// EventsWebhook is a URL that they are posted to, one a request.
type EventsWebhook struct {
	URL    string `yaml:"url"`
	Secret string `yaml:"secret"` // signs the requests; empty: none
}

// EventsService says how a service that speaks an API of Amazon's is reached.
type EventsService struct {
	Endpoint        string `yaml:"endpoint"` // its URL; "aws" means Amazon's own
	Region          string `yaml:"region"`   // empty: that of the server
	AccessKeyID     string `yaml:"access-key-id"`
	SecretAccessKey string `yaml:"secret-access-key"`
}

// EventsEventBridge is an event bus.
type EventsEventBridge struct {
	EventsService `yaml:",inline"`
	Bus           string `yaml:"bus"`    // name or ARN; empty: default
	Source        string `yaml:"source"` // empty: event.DefaultSource
}

// EventsKinesis are data streams, at least one.
type EventsKinesis struct {
	EventsService `yaml:",inline"`
	RecordsStream string `yaml:"records-stream"`
	EventsStream  string `yaml:"events-stream"`
}

// service completes what is said of a service.
func (c *Config) service(s EventsService) event.Service {
	at := event.Service{Endpoint: s.Endpoint, Region: s.Region, AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey}
	if at.Region == "" {
		at.Region = c.Region
	}
	return at
}

// feeds are what a configuration asks to be delivered. The error names the
// member that is wrong. Names of feeds are those of cursors in the store.
func (c *Config) feeds() (feeds []event.Feed, err error) {
	both := func(f event.Feed, sinks ...event.Sink) {
		for i, stream := range []store.Stream{store.StreamEvents, store.StreamRecords} {
			f.Stream, f.Sink = stream, sinks[i]
			feeds = append(feeds, f)
		}
	}
	if c.Events.File == nil || *c.Events.File {
		file := func(s store.Stream) event.Sink {
			return event.NewFile(filepath.Join(c.Data, event.StreamName(s)+".jsonl"), event.DefaultFileSize, c.Now)
		}
		// From the first entry, for the file is a log of all that there was.
		both(event.Feed{Name: "file", FromStart: true}, file(store.StreamEvents), file(store.StreamRecords))
	}
	if w := c.Events.Webhook; w != nil {
		hook, err := event.NewWebhook(event.WebhookOptions{URL: w.URL, Secret: w.Secret, Now: c.Now})
		if err != nil {
			return nil, fmt.Errorf("events: webhook: %w", err)
		}
		both(event.Feed{Name: "webhook"}, hook, hook)
	}
	if e := c.Events.EventBridge; e != nil {
		bus, err := event.NewEventBridge(event.EventBridgeOptions{Service: c.service(e.EventsService), Bus: e.Bus, Source: e.Source})
		if err != nil {
			return nil, fmt.Errorf("events: eventbridge: %w", err)
		}
		feeds = append(feeds, event.Feed{Name: "eventbridge", Stream: store.StreamEvents, Sink: bus})
	}
	if k := c.Events.Kinesis; k != nil {
		if k.RecordsStream == "" && k.EventsStream == "" {
			return nil, errors.New("events: kinesis: records-stream or events-stream is required")
		}
		for _, s := range []struct {
			member, name string
			stream       store.Stream
		}{{"records-stream", k.RecordsStream, store.StreamRecords}, {"events-stream", k.EventsStream, store.StreamEvents}} {
			if s.name == "" {
				continue
			}
			sink, err := event.NewKinesis(c.service(k.EventsService), s.name)
			if errors.Is(err, event.ErrStreamName) {
				err = fmt.Errorf("%s %w", s.member, err)
			}
			if err != nil {
				return nil, fmt.Errorf("events: kinesis: %w", err)
			}
			feeds = append(feeds, event.Feed{Name: "kinesis", Stream: s.stream, Sink: sink})
		}
	}
	return feeds, nil
}

// deliveries is everything about who is told of what contacts have appended to
// the store.
type deliveries struct {
	feeds  []event.Feed
	bell   *bell         // rings for traces
	outbox *event.Outbox // nil until open
}

// newDeliveries checks what is to be delivered, and where to.
func newDeliveries(c *Config) (*deliveries, error) {
	feeds, err := c.feeds()
	if err != nil {
		return nil, err
	}
	return &deliveries{feeds: feeds, bell: newBell()}, nil
}

// open begins to deliver what is in the store.
func (d *deliveries) open(ctx context.Context, c *Config, st store.Store) (err error) {
	d.outbox, err = event.Open(ctx, event.Options{
		Store: st, Feeds: d.feeds, Shared: c.Database != "", Now: c.Now, Logger: c.Logger,
	})
	return err
}

// wake says that there is something to see, and to deliver. Contacts, which are
// made before anything is open, call it when they have been opened.
func (d *deliveries) wake() {
	d.bell.ring()
	d.outbox.Wake()
}

// Close may be called twice, and before open.
func (d *deliveries) Close() error { return d.outbox.Close() }
