package catalog_test

import (
	"strconv"
	"sync"
	"testing"

	"ringdown/internal/catalog"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// TestReadsAreNeverOlderThanAnAcknowledgedWrite changes things from many
// goroutines while others read them: what Get, List and Search show is never
// older than the last write that was acknowledged before they began.
func TestReadsAreNeverOlderThanAnAcknowledgedWrite(t *testing.T) {
	const things, rounds = 8, 150
	w := newWorld(t, 0)
	ids := make([]string, things)
	for i := range ids {
		made, err := w.things.Create(w.ctx, w.one, &thing{Name: strconv.Itoa(i), Notes: "0"}, nil)
		ok(t, err)
		ids[i] = made.ID
	}
	var mu sync.Mutex
	acknowledged := make([]int, things)
	ack := func(i int) int {
		mu.Lock()
		defer mu.Unlock()
		return acknowledged[i]
	}
	check := func(how string, i, least int, e *thing) {
		if n, err := strconv.Atoi(e.Notes); err != nil || n < least {
			t.Errorf("%s shows version %q of thing %d after %d was acknowledged", how, e.Notes, i, least)
		}
	}
	var wg, readers sync.WaitGroup
	done := make(chan struct{})
	for i := range ids {
		wg.Go(func() {
			for n := 1; n <= rounds; n++ {
				ok(t, w.things.Update(w.ctx, w.one, ids[i], func(_ store.Tx, e *thing) error {
					e.Notes = strconv.Itoa(n)
					return nil
				}))
				mu.Lock()
				acknowledged[i] = n
				mu.Unlock()
				got, err := w.things.Get(w.ctx, w.one, ids[i])
				ok(t, err)
				check("Get of the writer", i, n, &got.Value)
			}
		})
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				least := ack(i)
				got, err := w.things.Get(w.ctx, w.one, ids[i])
				ok(t, err)
				check("Get", i, least, &got.Value)
				least = ack(i)
				list, _, err := w.things.List(w.ctx, w.one, catalog.Page{})
				ok(t, err)
				check("List", i, least, &list[i].Value)
			}
		})
	}
	wg.Wait()
	close(done)
	readers.Wait()

	ok(t, w.things.Delete(w.ctx, w.one, ids[0], nil))
	_, err := w.things.Get(w.ctx, w.one, ids[0])
	fails(t, err, fault.ResourceNotFound)
	_, err = w.things.Get(w.ctx, w.two, ids[1])
	fails(t, err, fault.ResourceNotFound) // kept, but of another instance
	rest, _, err := w.things.List(w.ctx, w.one, catalog.Page{})
	ok(t, err)
	if len(rest) != things-1 {
		t.Errorf("%d things are listed after one of %d was deleted", len(rest), things)
	}
}

// TestCacheIsBounded reads more things than the cache holds, twice.
func TestCacheIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 25,000 things; run without -short")
	}
	const things, run = 25_000, 1000
	w := newWorld(t, 0)
	for from := 0; from < things; from += run {
		ok(t, w.store.Update(w.ctx, func(tx store.Tx) error {
			for i := range run {
				if _, err := w.things.Insert(w.ctx, tx, w.one, &thing{Name: strconv.Itoa(from + i)}, nil); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	for range 2 {
		n := 0
		page := catalog.Page{MaxResults: ptr(int32(run))}
		for {
			found, next, err := w.things.List(w.ctx, w.one, page)
			ok(t, err)
			for _, i := range found {
				if i.Name != strconv.Itoa(n) {
					t.Fatalf("thing %d is %q", n, i.Name)
				}
				n++
			}
			if page.NextToken = next; next == nil {
				break
			}
		}
		if n != things {
			t.Fatalf("%d things listed, want %d", n, things)
		}
	}
}
