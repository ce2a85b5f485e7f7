package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ringdown/internal/store"
)

// service is a fake of a service of Amazon's. It answers each call with what
// answer returns of the decoded body.
func service(t *testing.T, answer func(target string, body map[string]any) (status int, reply any)) Service {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		var body map[string]any
		if err = errors.Join(err, json.Unmarshal(raw, &body)); err != nil {
			t.Errorf("%v: %s", err, raw)
		}
		if auth := r.Header.Get("Authorization"); !strings.Contains(auth, "Credential=AKID/") || !strings.Contains(auth, "/eu-west-1/") {
			t.Errorf("signed %q", auth)
		}
		status, reply := answer(r.Header.Get("X-Amz-Target"), body)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(reply)
	}))
	t.Cleanup(s.Close)
	return Service{Endpoint: s.URL, Region: "eu-west-1", AccessKeyID: "AKID", SecretAccessKey: "SECRET"}
}

// happened are events of contacts, the n-th with the id n.
func happened(contacts ...string) (all []*store.Entry) {
	for i, c := range contacts {
		all = append(all, &store.Entry{
			Seq: int64(i + 1), Stream: store.StreamEvents, Instance: 1, Owner: c, ID: fmt.Sprint(i + 1),
			Doc: fmt.Appendf(nil, `{"version":"0","id":"%d","detail-type":"Amazon Connect Contact Event","source":"aws.connect","account":"123456789012",`+
				`"time":"2026-01-31T12:00:00Z","region":"us-east-1","resources":["arn:c","arn:i"],"detail":{"contactId":%q,"n":%d}}`, i+1, c, i+1),
		})
	}
	return all
}

// list returns a member of a decoded body that is a list of objects.
func list(body map[string]any, member string) (all []map[string]any) {
	for _, v := range body[member].([]any) {
		all = append(all, v.(map[string]any))
	}
	return all
}

func newBus(t *testing.T, o EventBridgeOptions) *EventBridge {
	t.Helper()
	s, err := NewEventBridge(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// TestEventBridge: events become entries of PutEvents, at most ten a call and
// one of a contact, and those that failed are put again alone.
func TestEventBridge(t *testing.T) {
	var calls []string
	at := service(t, func(target string, body map[string]any) (int, any) {
		same(t, "target", target, "AWSEvents.PutEvents")
		var call []string
		var results []map[string]any
		failed := 0
		for _, e := range list(body, "Entries") {
			same(t, "entry", fmt.Sprintf("%v, %v, %v, %.0f, %v", e["EventBusName"], e["Source"], e["DetailType"], e["Time"], e["Resources"]),
				"my-bus, ringdown.connect, Amazon Connect Contact Event, 1769860800, [arn:c arn:i]")
			var detail struct {
				ContactID string `json:"contactId"`
				N         int    `json:"n"`
			}
			if err := json.Unmarshal([]byte(e["Detail"].(string)), &detail); err != nil {
				t.Error(err)
			}
			call = append(call, fmt.Sprint(detail.ContactID, detail.N))
			if len(calls) == 0 && (detail.N == 2 || detail.N == 4) {
				results = append(results, map[string]any{"ErrorCode": "ThrottlingException", "ErrorMessage": "slower"})
				failed++
			} else {
				results = append(results, map[string]any{"EventId": "id"})
			}
		}
		calls = append(calls, strings.Join(call, " "))
		return 200, map[string]any{"FailedEntryCount": failed, "Entries": results}
	})
	s := newBus(t, EventBridgeOptions{Service: at, Bus: "my-bus"})
	entries := happened("a", "b", "a", "c", "b")
	left, err := s.Deliver(t.Context(), entries)
	same(t, "left", ids(left), "[2 3 4 5]")
	same(t, "error", err, "PutEvents: ThrottlingException: slower")
	deliverAll(t, s, left)
	same(t, "calls", strings.Join(calls, ", "), "a1 b2 c4, b2 a3 c4, b5")

	calls = []string{""}
	var contacts []string
	for i := range 25 {
		contacts = append(contacts, string(rune('a'+i)))
	}
	deliverAll(t, s, happened(contacts...))
	same(t, "calls for 25 contacts", len(calls)-1, 3)

	calls = []string{""}
	big := happened("a", "b", "c", "d")
	for _, e := range big[1:] {
		e.Doc = []byte(strings.Replace(string(e.Doc), `"n"`, `"x":"`+strings.Repeat("x", 120<<10)+`","n"`, 1))
	}
	deliverAll(t, s, big)
	same(t, "calls for much", strings.Join(calls[1:], ", "), "a1 b2 c3, d4")
}

// TestEventBridgeRefusals: what will not pass by itself is asked seldom, and
// what can never be put is told so.
func TestEventBridgeRefusals(t *testing.T) {
	status, reply := 200, any(nil)
	s := newBus(t, EventBridgeOptions{Service: service(t, func(string, map[string]any) (int, any) { return status, reply })})
	for _, c := range []struct {
		status int
		reply  any
		refuse bool
		want   string
	}{
		{400, map[string]any{"__type": "AccessDeniedException", "message": "no"}, true, "AccessDeniedException: no"},
		{400, map[string]any{"__type": "ThrottlingException", "message": "slower"}, false, "ThrottlingException: slower"},
		{500, map[string]any{"__type": "InternalException"}, false, "InternalException"},
		{200, map[string]any{"Entries": []any{map[string]any{"ErrorCode": "NotAuthorizedForSourceException"}}}, true, "NotAuthorizedForSourceException"},
		{200, map[string]any{"Entries": []any{map[string]any{"ErrorCode": "InternalFailure"}}}, false, "InternalFailure"},
		{200, map[string]any{"Entries": []any{}}, false, "tells of 0 entries, 1 were put"},
		{307, map[string]any{}, false, "307"},
	} {
		status, reply = c.status, c.reply
		left, err := s.Deliver(t.Context(), happened("a"))
		_, refused := errors.AsType[refusal](err)
		if err == nil || !strings.Contains(err.Error(), c.want) || refused != c.refuse || len(left) != 1 {
			t.Errorf("%+v: %d left, refused %t: %v", c, len(left), refused, err)
		}
	}
	for _, doc := range []string{"{", `{"time":"yesterday"}`, `{"detail":"` + strings.Repeat("x", 1<<20) + `"}`} {
		status, reply = 200, map[string]any{"Entries": []any{map[string]any{"EventId": "id"}}}
		broken := &store.Entry{Owner: "b", Doc: []byte(doc)}
		left, err := s.Deliver(t.Context(), []*store.Entry{broken})
		if !errors.Is(err, ErrUndeliverable) || len(left) != 1 {
			t.Errorf("%.20s: %d left, %v", doc, len(left), err)
		}
		left, err = s.Deliver(t.Context(), append(happened("a"), broken)) // the one before it goes
		if err != nil || len(left) != 1 || left[0] != broken {
			t.Errorf("%.20s: %v left, %v", doc, ids(left), err)
		}
	}
}

// TestKinesis: each Doc is a record of its contact's partition, and those that
// failed are put again alone.
func TestKinesis(t *testing.T) {
	var calls []string
	at := service(t, func(target string, body map[string]any) (int, any) {
		same(t, "target", target, "Kinesis_20131202.PutRecords")
		same(t, "stream", body["StreamName"], "my-stream")
		var call []string
		var results []map[string]any
		for _, r := range list(body, "Records") {
			call = append(call, r["PartitionKey"].(string))
			if len(calls) == 0 && r["PartitionKey"] == "b" {
				results = append(results, map[string]any{"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "too much"})
			} else {
				results = append(results, map[string]any{"SequenceNumber": "1", "ShardId": "s"})
			}
			same(t, "data", r["Data"], "e30=") // {}
		}
		calls = append(calls, strings.Join(call, " "))
		return 200, map[string]any{"FailedRecordCount": 1, "Records": results}
	})
	s, err := NewKinesis(at, "my-stream")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	entries := happened("a", "b", "c", "a", "b")
	for _, e := range entries {
		e.Doc = []byte("{}")
	}
	left, err := s.Deliver(t.Context(), entries)
	same(t, "left", ids(left), "[2 4 5]")
	same(t, "error", err, "PutRecords: ProvisionedThroughputExceededException: too much")
	deliverAll(t, s, left)
	same(t, "calls", strings.Join(calls, ", "), "a b c, b a, b")
}

// TestWave: the same contact id in another instance is another contact, and one
// entry that is too long goes alone.
func TestWave(t *testing.T) {
	size := func(e *store.Entry) int { return int(e.Seq) }
	e := []*store.Entry{{ID: "1", Seq: 90, Owner: "a"}, {ID: "2", Seq: 5, Owner: "a", Instance: 1}, {ID: "3", Seq: 5, Owner: "b"}, {ID: "4", Seq: 5, Owner: "c"}}
	for _, c := range []struct {
		most, bytes int
		want        string
	}{{4, 1000, "[1 2 3 4]"}, {2, 1000, "[1 2]"}, {4, 100, "[1 2 3]"}, {4, 94, "[1]"}, {4, 10, "[1]"}} {
		same(t, fmt.Sprint(c), ids(wave(e, c.most, c.bytes, size)), c.want)
	}
}

func TestServiceOptions(t *testing.T) {
	good := Service{Endpoint: Amazon, Region: "eu-west-1", AccessKeyID: "id", SecretAccessKey: "secret"}
	if _, err := NewKinesis(good, "a stream"); !errors.Is(err, ErrStreamName) {
		t.Errorf("%v", err)
	}
	if _, err := NewEventBridge(EventBridgeOptions{Service: good, Source: "aws.connect"}); err == nil || !strings.HasPrefix(err.Error(), "source must not") {
		t.Errorf("%v", err)
	}
	own := good
	own.Endpoint = "http://127.0.0.1:4566"
	newBus(t, EventBridgeOptions{Service: own, Source: "aws.connect"}) // its own rules
	for want, change := range map[string]func(*Service){
		"endpoint must be":  func(s *Service) { s.Endpoint = "" },
		"endpoint must be ": func(s *Service) { s.Endpoint = "localhost:4566" },
		"endpoint must":     func(s *Service) { s.Endpoint = "http://user:password@localhost" },
		"access-key-id and": func(s *Service) { s.AccessKeyID = "" },
		"access-key-id":     func(s *Service) { s.SecretAccessKey = "" },
	} {
		bad := good
		change(&bad)
		_, ofKinesis := NewKinesis(bad, "s")
		_, ofBus := NewEventBridge(EventBridgeOptions{Service: bad})
		for _, err := range []error{ofKinesis, ofBus} {
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "password") {
				t.Errorf("want %q: %v", want, err)
			}
		}
	}
}
