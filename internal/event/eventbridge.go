package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"ringdown/internal/store"
)

// Limits of PutEvents (Amazon EventBridge API reference and User Guide,
// "Calculating PutEvents event entry size"). The size of a call was 256 KB for
// long and is 1 MB now; calls keep to the former, a single entry may have the
// latter.
const (
	putEventsMost  = 10
	putEventsBytes = 256 << 10
	putEventBytes  = 1 << 20
)

// DefaultSource is the source of events at EventBridge. Amazon's own, of which
// the Docs speak, is aws.connect; but PutEvents takes no source that begins with
// "aws.".
const DefaultSource = "ringdown.connect"

// EventBridgeOptions say which bus events are put on.
type EventBridgeOptions struct {
	Service
	Bus string // name or ARN; "" means default
	// Source takes the place of the events' own, for rules to match; "" means
	// DefaultSource.
	Source string
}

// EventBridge puts contact events on an event bus, by PutEvents. The bus gives
// them ids of its own, and its own account and region.
type EventBridge struct {
	client *eventbridge.Client
	http   *http.Client
	bus    string
	source string
}

// NewEventBridge returns the sink of a bus. It does not ask whether the bus is
// there. The error names the option that is wrong, as the configuration calls
// it.
func NewEventBridge(o EventBridgeOptions) (*EventBridge, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &EventBridge{http: newClient(), bus: o.Bus, source: o.Source}
	if s.bus == "" {
		s.bus = "default"
	}
	if s.source == "" {
		s.source = DefaultSource
	}
	if o.Endpoint == Amazon && strings.HasPrefix(s.source, "aws.") {
		return nil, errors.New(`source must not begin with "aws.", which Amazon keeps to itself`)
	}
	s.client = eventbridge.New(eventbridge.Options{
		Region: o.Region, BaseEndpoint: o.baseEndpoint(), Credentials: o.credentials(), HTTPClient: s.http,
		Retryer: aws.NopRetryer{}, // the feed asks again
	})
	return s, nil
}

// Close frees the connections.
func (s *EventBridge) Close() { s.http.CloseIdleConnections() }

// envelope is what a Doc of StreamEvents holds (EventBridge User Guide, "Events
// metadata reference"), as far as PutEvents takes it.
type envelope struct {
	DetailType string          `json:"detail-type"`
	Time       time.Time       `json:"time"`
	Resources  []string        `json:"resources"`
	Detail     json.RawMessage `json:"detail"`
}

// Deliver makes one call of PutEvents.
func (s *EventBridge) Deliver(ctx context.Context, entries []*store.Entry) ([]*store.Entry, error) {
	if first := s.size(entries[0]); first > putEventBytes {
		return entries, fmt.Errorf("%w: its size at EventBridge is %d bytes, the limit %d", ErrUndeliverable, first, putEventBytes)
	}
	picked := wave(entries, putEventsMost, putEventsBytes, s.size)
	call := make([]types.PutEventsRequestEntry, 0, len(picked))
	for i, e := range picked {
		put, err := s.entry(e)
		if err != nil && i == 0 {
			return entries, err
		}
		if err != nil {
			picked = picked[:i]
			break
		}
		call = append(call, put)
	}
	out, err := s.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: call})
	if err != nil {
		return entries, called(err)
	}
	if len(out.Entries) != len(picked) {
		return entries, fmt.Errorf("PutEvents tells of %d entries, %d were put", len(out.Entries), len(picked))
	}
	delivered := map[*store.Entry]bool{}
	for i, result := range out.Entries {
		if result.ErrorCode == nil {
			delivered[picked[i]] = true
		} else if err == nil {
			err = putEventsFault(*result.ErrorCode, aws.ToString(result.ErrorMessage))
		}
	}
	return without(entries, delivered), err
}

// entry translates a Doc.
func (s *EventBridge) entry(e *store.Entry) (put types.PutEventsRequestEntry, err error) {
	var v envelope
	if err := json.Unmarshal(e.Doc, &v); err != nil {
		return put, fmt.Errorf("%w: %w", ErrUndeliverable, err)
	}
	put = types.PutEventsRequestEntry{
		EventBusName: &s.bus, Source: &s.source, DetailType: &v.DetailType, Resources: v.Resources, Detail: aws.String(string(v.Detail)),
	}
	if !v.Time.IsZero() {
		put.Time = &v.Time
	}
	return put, nil
}

// size is at least what EventBridge counts of an entry.
func (s *EventBridge) size(e *store.Entry) int { return len(e.Doc) + len(s.source) }

// putEventsFault is an error of a single entry. Only some pass by themselves
// (PutEventsResultEntry in the API reference).
func putEventsFault(code, message string) error {
	err := fmt.Errorf("PutEvents: %s: %s", code, message)
	if code == "InternalFailure" || code == "InternalException" || code == "ThrottlingException" {
		return err
	}
	return refusal{err}
}
