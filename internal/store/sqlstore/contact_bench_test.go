package sqlstore_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// A contact as an engine writes it: 1.5 KB of record, 4 KB of state while it
// lives, entries of 700 bytes.
var (
	contactDoc   = []byte(`{"Note":"` + strings.Repeat("d", 1500) + `"}`)
	contactState = []byte(`{"Note":"` + strings.Repeat("s", 4000) + `"}`)
	entryDoc     = []byte(`{"Note":"` + strings.Repeat("e", 700) + `"}`)
)

// BenchmarkContact is the life of a contact in three transactions, by 64
// goroutines: it begins and is queued, an agent joins, it ends. Five entries.
func BenchmarkContact(b *testing.B) {
	benchBoth(b, func(b *testing.B, f *fixture) {
		b.ReportAllocs()
		b.ResetTimer()
		parallel(b, func(int64) error { return f.contact() })
	})
}

func (f *fixture) contact() error {
	now := time.Now()
	c := &store.Contact{Instance: f.instance, ID: domain.NewID(), Live: true, Initiated: now, Enqueued: now, Doc: contactDoc, State: contactState}
	if err := f.step(c, store.StreamEvents, store.StreamEvents, store.StreamFlowLog); err != nil {
		return err
	}
	c.Connected, c.State = now.Add(time.Second), bytes.Clone(contactState[1:])
	if err := f.step(c, store.StreamEvents, store.StreamFlowLog); err != nil {
		return err
	}
	c.Disconnected, c.Live, c.State = now.Add(time.Minute), false, nil
	return f.step(c, store.StreamEvents, store.StreamRecords)
}

// step puts a contact and what happened to it.
func (f *fixture) step(c *store.Contact, streams ...store.Stream) error {
	ctx := context.Background()
	return f.store.UpdateContacts(ctx, func(tx store.ContactTx) error {
		if err := tx.PutContact(ctx, c); err != nil {
			return err
		}
		entries := make([]*store.Entry, len(streams))
		for i, s := range streams {
			entries[i] = &store.Entry{Stream: s, Instance: f.instance, Owner: c.ID, ID: domain.NewID(), At: c.Initiated, Doc: entryDoc}
		}
		return tx.Append(ctx, entries...)
	})
}

// BenchmarkDeleteInstance removes an instance with 10,000 contacts and 50,000
// entries.
func BenchmarkDeleteInstance(b *testing.B) {
	benchBoth(b, func(b *testing.B, f *fixture) {
		ctx := context.Background()
		for b.Loop() {
			b.StopTimer()
			instance := &store.Record{Kind: domain.KindInstance, ID: domain.NewID(), Name: "full"}
			f.instance = f.insert(b, instance)
			for chunk := range 10 {
				err := f.store.Update(ctx, func(tx store.Tx) error {
					for i := range 1000 {
						c := &store.Contact{Instance: f.instance, ID: fmt.Sprintf("%08d", chunk*1000+i), Initiated: time.Now(), Doc: contactDoc}
						if err := tx.PutContact(ctx, c); err != nil {
							return err
						}
						entries := make([]*store.Entry, 5)
						for i := range entries {
							entries[i] = &store.Entry{Stream: store.Stream(1 + i%4), Instance: f.instance, Owner: c.ID, ID: domain.NewID(), At: c.Initiated, Doc: entryDoc}
						}
						if err := tx.Append(ctx, entries...); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.StartTimer()
			if err := f.store.Update(ctx, func(tx store.Tx) error { return tx.Delete(ctx, instance) }); err != nil {
				b.Fatal(err)
			}
		}
	})
}
