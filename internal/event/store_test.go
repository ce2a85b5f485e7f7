package event_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringdown/internal/event"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
	"ringdown/internal/store/storetest/pgtest"
)

// TestStore: what is appended to either database is in the files, once and in
// its order, whether the Outbox was there at the time or not.
func TestStore(t *testing.T) {
	for name, options := range map[string]func(t *testing.T) sqlstore.Options{
		"SQLite":     func(t *testing.T) sqlstore.Options { return sqlstore.Options{Dir: t.TempDir()} },
		"PostgreSQL": func(t *testing.T) sqlstore.Options { return sqlstore.Options{URL: pgtest.URL(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			s, err := sqlstore.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			dir := t.TempDir()
			file := func(stream store.Stream) string { return filepath.Join(dir, event.StreamName(stream)+".jsonl") }
			delivered := make(chan int, 1000)
			start := func() *event.Outbox {
				var feeds []event.Feed
				for _, stream := range []store.Stream{store.StreamEvents, store.StreamRecords} {
					feeds = append(feeds, event.Feed{Name: "file", Stream: stream, Sink: counted{event.NewFile(file(stream), 0, time.Now), delivered}, FromStart: true})
				}
				b, err := event.Open(t.Context(), event.Options{Store: s, Feeds: feeds, Shared: o.URL != "", Now: time.Now})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = b.Close() })
				return b
			}
			n := 0
			appendSome := func(b *event.Outbox) {
				for range 60 {
					n++
					if err := s.Update(t.Context(), func(tx store.Tx) error { return appendOne(t.Context(), tx, n) }); err != nil {
						t.Fatal(err)
					}
					b.Wake()
				}
			}
			appendSome(nil)
			for range 2 {
				b := start()
				appendSome(b)
				if err := b.Close(); err != nil {
					t.Fatal(err)
				}
			}
			start()
			for left := 2 * n; left > 0; {
				select {
				case d := <-delivered:
					left -= d
				case <-time.After(20 * time.Second):
					t.Fatalf("%d entries are not delivered", left)
				}
			}
			for _, stream := range []store.Stream{store.StreamEvents, store.StreamRecords} {
				var want strings.Builder
				for i := range n {
					fmt.Fprintf(&want, `{"n":%d,"stream":%d}`+"\n", i+1, stream)
				}
				got, err := os.ReadFile(file(stream))
				if err != nil || string(got) != want.String() {
					t.Errorf("%s: %d bytes, want %d: %v", event.StreamName(stream), len(got), want.Len(), err)
				}
			}
		})
	}
}

// counted is a sink that tells how many entries it was asked to deliver.
type counted struct {
	event.Sink
	delivered chan<- int
}

func (c counted) Deliver(ctx context.Context, entries []*store.Entry) ([]*store.Entry, error) {
	left, err := c.Sink.Deliver(ctx, entries)
	c.delivered <- len(entries) - len(left)
	return left, err
}

// appendOne appends an entry to each stream.
func appendOne(ctx context.Context, tx store.Tx, n int) error {
	for _, stream := range []store.Stream{store.StreamEvents, store.StreamRecords} {
		doc, err := json.Marshal(map[string]int{"n": n, "stream": int(stream)})
		if err != nil {
			return err
		}
		if err := tx.Append(ctx, &store.Entry{Stream: stream, Instance: store.Root, Owner: "contact", ID: fmt.Sprint(stream, n), At: time.Now(), Doc: doc}); err != nil {
			return err
		}
	}
	return nil
}
