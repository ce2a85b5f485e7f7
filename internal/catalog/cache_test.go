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
