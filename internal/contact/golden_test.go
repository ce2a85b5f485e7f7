package contact_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

var (
	someID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	someTime = regexp.MustCompile(`"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z"`)
)

// TestGoldenEventsAndRecords: the last event of its kind and the record of a
// contact of each channel, with everything that can be in them.
func TestGoldenEventsAndRecords(t *testing.T) {
	t.Parallel()
	name := func(s string) *string { return aws.String(s) }
	whole := domain.Contact{
		Method: types.ContactInitiationMethodApi, Name: "A name", Description: "A description", CustomerID: "customer-1",
		Tags:       map[string]string{"team": "blue"},
		References: map[string]types.Reference{"b": {Type: types.ReferenceTypeUrl, Value: name("https://example.com")}, "a": {Type: types.ReferenceTypeNumber, Value: name("7")}},
		Segment:    map[string]types.SegmentAttributeValue{"connect:ContactExpiry": {ValueMap: map[string]types.SegmentAttributeValue{"ExpiryDuration": {ValueInteger: aws.Int32(60)}}}},
		Routing: &types.RoutingCriteria{Index: aws.Int32(0), Steps: []types.Step{{
			Expiry: &types.Expiry{DurationInSeconds: aws.Int32(30)},
			Expression: &types.Expression{AttributeCondition: &types.AttributeCondition{
				Name: name("language"), Value: name("French"), ComparisonOperator: name("NumberGreaterOrEqualTo"), ProficiencyLevel: aws.Float32(3),
			}},
		}}},
	}
	for _, channel := range []types.Channel{types.ChannelVoice, types.ChannelChat, types.ChannelTask} {
		t.Run(string(channel), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.config.queue("q", nil)
			toQueue(w, t, "f", "q")
			c := whole
			c.Channel = channel
			spec := contact.Spec{Contact: c, Flow: flowOf(w, "f"), Attributes: map[string]string{"color": "blue"}}
			switch channel {
			case types.ChannelVoice:
				spec.Contact.Customer = &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: name("+14155550100")}
				spec.Contact.System = &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: name("+14155550199")}
				spec.Dial = &contact.Dial{To: "+14155550100", From: "+14155550199"}
			case types.ChannelChat:
				spec.Chat = &contact.ChatSpec{Customer: domain.ChatParticipant{ID: domain.NewID(), DisplayName: "Ann"}}
			case types.ChannelTask:
				spec.Contact.ScheduledAt = w.now().Add(time.Hour).UTC().Truncate(time.Microsecond)
			}
			id := w.start(t, spec)
			switch channel {
			case types.ChannelVoice:
				w.dialer.leg(t, 0).hear(contact.LegEvent{Kind: contact.LegAnswered})
			case types.ChannelTask:
				w.advance(time.Hour + time.Second)
			}
			w.until(t, id, "queued", queued)
			if err := w.m.Join(t.Context(), w.in, id, jo); err != nil {
				t.Fatal(err)
			}
			if err := w.m.Do(t.Context(), w.in, string(id), func(t *contact.Transition) error {
				return t.SetAttributes(map[string]string{"more": "yes"}, false)
			}); err != nil {
				t.Fatal(err)
			}
			if err := w.m.Leave(t.Context(), w.in, id, "AGENT_DISCONNECT"); err != nil {
				t.Fatal(err)
			}
			w.until(t, id, "ended", ended)
			var got bytes.Buffer
			for _, stream := range []store.Stream{store.StreamEvents, store.StreamRecords} {
				entries, err := w.store.Entries(t.Context(), store.EntryQuery{Stream: stream, Instance: w.in.PK, Owner: string(id)})
				if err != nil {
					t.Fatal(err)
				}
				if stream == store.StreamEvents { // the one of changes, and the last
					entries = append(entries[len(entries)-3:len(entries)-2], entries[len(entries)-1])
				}
				for _, e := range entries {
					if err := json.Indent(&got, e.Doc, "", "  "); err != nil {
						t.Fatal(err)
					}
					got.WriteByte('\n')
				}
			}
			text := someID.ReplaceAll(got.Bytes(), []byte("ID"))
			text = someTime.ReplaceAllFunc(text, func(at []byte) []byte { // its precision is what counts
				return []byte(`"TIME` + map[bool]string{true: ".000"}[bytes.Contains(at, []byte("."))] + `"`)
			})
			file := filepath.Join("testdata", string(channel)+".golden")
			if *update {
				if err := os.WriteFile(file, text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(text, want) {
				t.Errorf("got\n%s\nwant\n%s", text, want)
			}
		})
	}
}

// TestRecordAgain: a contact that has ended is told again when it is changed, and
// only what AWS names is in an event.
func TestRecordAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW", `x|DisconnectParticipant|||`)
	id := w.task(t, "f")
	w.until(t, id, "ended", ended)
	for _, change := range []func(*contact.Transition) error{
		func(t *contact.Transition) error { return t.SetAttributes(map[string]string{"late": "yes"}, false) },
		func(t *contact.Transition) error {
			t.Contact().Name = "Another"
			t.Changed("Name")
			return nil
		},
		func(*contact.Transition) error { return nil },
	} {
		if err := w.m.Do(t.Context(), w.in, string(id), change); err != nil {
			t.Fatal(err)
		}
	}
	same(t, w.events(t, id), []string{"INITIATED", "CONNECTED_TO_SYSTEM", "DISCONNECTED", "COMPLETED", "CONTACT_DATA_UPDATED"})
	entries, err := w.store.Entries(t.Context(), store.EntryQuery{Stream: store.StreamRecords, Instance: w.in.PK, Owner: string(id)})
	if err != nil || len(entries) != 3 {
		t.Errorf("%d records, %v", len(entries), err)
	}
}
