package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// entry is an entry of a contact that has not been appended.
func (e *env) entry(c *store.Contact, stream store.Stream) *store.Entry {
	return &store.Entry{
		Stream: stream, Instance: c.Instance, Owner: c.ID, ID: domain.NewID(), At: began, Doc: []byte(`{"e":"ü"}`),
	}
}

func (e *env) append(t *testing.T, entries ...*store.Entry) {
	t.Helper()
	if err := e.try(func(tx store.Tx) error { return tx.Append(t.Context(), entries...) }); err != nil {
		t.Fatalf("append: %v", err)
	}
}

// atOnce runs n writers side by side and waits for them.
func atOnce(n int, write func(writer int)) {
	var running sync.WaitGroup
	for w := range n {
		running.Go(func() { write(w) })
	}
	running.Wait()
}

// wantRun asks in both directions, for all at once and page by page.
func wantRun(t *testing.T, e *env, q store.EntryQuery, want ...*store.Entry) {
	t.Helper()
	want = slices.Clone(want)
	bounds := q
	for _, q.Descending = range []bool{false, true} {
		for _, q.Limit = range []int{0, 1, 3} {
			q.After, q.Before = bounds.After, bounds.Before
			var got []*store.Entry
			for {
				page, err := e.Entries(t.Context(), q)
				if err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
				got = append(got, page...)
				if len(page) == 0 || q.Limit == 0 {
					break
				}
				if last := page[len(page)-1].Seq; q.Descending {
					q.Before = last
				} else {
					q.After = last
				}
			}
			if len(got) != len(want) {
				t.Errorf("%+v: %d entries, want %d", q, len(got), len(want))
				continue
			}
			for i := range got {
				wantSame(t, got[i], want[i])
			}
		}
		slices.Reverse(want)
	}
}

func entries(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	a, b := e.contact(), e.contact()
	elsewhere := *a // of the same id
	elsewhere.Instance = e.anotherInstance(t).PK
	var all []*store.Entry
	for range 10 { // more than one statement inserts
		all = append(all, e.entry(a, store.StreamEvents), e.entry(b, store.StreamEvents), e.entry(a, store.StreamChat), e.entry(&elsewhere, store.StreamEvents))
	}
	all[0].Doc, all[1].Owner, all[1].ID, all[2].Doc = nil, "ß", "", longText("é")
	all[3].At = began.Add(-time.Hour) // the order is that of Append
	e.append(t, all[:25]...)
	e.append(t)
	for _, one := range all[25:] {
		e.append(t, one)
	}
	for i, one := range all[1:] {
		if one.Seq <= all[i].Seq {
			t.Fatalf("entry %d has number %d after %d", i+1, one.Seq, all[i].Seq)
		}
	}
	of := func(keep func(*store.Entry) bool) (some []*store.Entry) {
		for _, one := range all {
			if keep(one) {
				some = append(some, one)
			}
		}
		return some
	}
	events := of(func(one *store.Entry) bool { return one.Stream == store.StreamEvents })
	type q = store.EntryQuery
	wantRun(t, e, q{Stream: store.StreamEvents}, events...)
	wantRun(t, e, q{Stream: store.StreamEvents, Instance: e.instance}, events...) // the owner, or all
	wantRun(t, e, q{Stream: store.StreamEvents, After: events[3].Seq}, events[4:]...)
	wantRun(t, e, q{Stream: store.StreamEvents, Before: events[3].Seq}, events[:3]...)
	wantRun(t, e, q{Stream: store.StreamEvents, After: events[3].Seq, Before: events[9].Seq}, events[4:9]...)
	wantRun(t, e, q{Stream: store.StreamEvents, After: events[3].Seq, Before: events[4].Seq})
	wantRun(t, e, q{Stream: store.StreamFlowLog})
	wantRun(t, e, q{Stream: store.StreamFlowLog, Instance: e.instance, Owner: a.ID})
	own := of(func(one *store.Entry) bool {
		return one.Stream == store.StreamEvents && one.Owner == a.ID && one.Instance == e.instance
	})
	wantRun(t, e, q{Stream: store.StreamEvents, Instance: e.instance, Owner: a.ID}, own...)
	wantRun(t, e, q{Stream: store.StreamEvents, Instance: e.instance, Owner: a.ID, After: own[1].Seq, Before: own[5].Seq}, own[2:5]...)
	wantRun(t, e, q{Stream: store.StreamEvents, Instance: e.instance, Owner: "ß"}, all[1])
	wantRun(t, e, q{Stream: store.StreamEvents, Instance: e.instance, Owner: "\x00"})

	for what, bad := range map[string]func(*store.Entry){
		"doc":   func(one *store.Entry) { one.Doc = []byte("\x00") },
		"owner": func(one *store.Entry) { one.Owner = "\xff" },
		"id":    func(one *store.Entry) { one.ID = "\x00" },
	} {
		one := e.entry(a, store.StreamRecords)
		bad(one)
		if err := e.try(func(tx store.Tx) error { return tx.Append(t.Context(), e.entry(a, store.StreamRecords), one) }); err == nil {
			t.Errorf("an entry whose %s is not text was kept", what)
		}
	}
	stray := e.entry(a, store.StreamRecords)
	stray.Instance = 1 << 50
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Append(t.Context(), stray) }), fault.ResourceNotFound)
	wantRun(t, e, q{Stream: store.StreamRecords})
}

// entryNumbersGoOn: a number is not used again, though the entries that had it
// are gone, or never were, and the store was opened afresh.
func entryNumbersGoOn(t *testing.T, open Open) {
	e := setup(t, open, atBeginning)
	instance := e.anotherInstance(t)
	c := e.contact()
	c.Instance = instance.PK
	first := e.entry(c, store.StreamEvents)
	e.append(t, first)
	for round := range 3 {
		undone := e.entry(c, store.StreamEvents)
		err := e.try(func(tx store.Tx) error { return errors.Join(tx.Append(t.Context(), undone), errRefused) })
		if !errors.Is(err, errRefused) {
			t.Fatal(err)
		}
		e.remove(t, instance) // the newest entries go
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e.Store = open(t, atBeginning)
		instance = e.anotherInstance(t)
		c.Instance = instance.PK
		next := e.entry(c, store.StreamEvents)
		e.append(t, next)
		if next.Seq <= first.Seq {
			t.Errorf("round %d: number %d after %d", round, next.Seq, first.Seq)
		}
		wantRun(t, e, store.EntryQuery{Stream: store.StreamEvents, After: first.Seq}, next)
		first = next
	}
}

// follow reads a stream of all owners from a cursor on, as the outbox does,
// until it has seen what it waits for.
func (e *env) follow(t *testing.T, stream store.Stream, until func(seen []*store.Entry) bool) []*store.Entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var seen []*store.Entry
	for cursor := int64(0); !until(seen); {
		page, err := e.Entries(ctx, store.EntryQuery{Stream: stream, After: cursor, Limit: 7})
		if err != nil {
			t.Errorf("after %d entries: %v", len(seen), err)
			return seen
		}
		for _, one := range page {
			if one.Seq <= cursor {
				t.Errorf("number %d after %d", one.Seq, cursor)
			}
			cursor = one.Seq
		}
		seen = append(seen, page...)
	}
	return seen
}

// entriesUnderWriters: many append at once, some in vain. Who follows the stream
// meanwhile sees each entry once, and those of one owner in their order.
func entriesUnderWriters(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	const writers, rounds = 12, 10
	var kept atomic.Int64
	var done atomic.Bool
	var following sync.WaitGroup
	for range 2 {
		following.Go(func() {
			seen := e.follow(t, store.StreamEvents, func(seen []*store.Entry) bool {
				return done.Load() && int64(len(seen)) >= kept.Load()
			})
			if int64(len(seen)) != kept.Load() {
				t.Errorf("saw %d entries of %d", len(seen), kept.Load())
			}
			last := make(map[string]string)
			for _, one := range seen {
				if one.ID <= last[one.Owner] {
					t.Errorf("%s: entry %s after %s", one.Owner, one.ID, last[one.Owner])
				}
				last[one.Owner] = one.ID
			}
		})
	}
	both := e.both()
	atOnce(writers, func(w int) {
		c := e.contact()
		update := both[[]string{"Update", "UpdateContacts"}[w%2]]
		for round := range rounds {
			fails := (w+round)%4 == 0
			err := update(func(tx store.ContactTx) error {
				for i := range 3 {
					event := e.entry(c, store.StreamEvents)
					event.ID = fmt.Sprintf("round %02d, %d", round, i)
					if err := tx.Append(t.Context(), event, e.entry(c, store.StreamFlowLog)); err != nil {
						return err
					}
				}
				if fails {
					return errRefused
				}
				return tx.PutContact(t.Context(), c)
			})
			switch {
			case fails && !errors.Is(err, errRefused), !fails && err != nil:
				t.Error(err)
			case !fails:
				kept.Add(3)
			}
		}
	})
	done.Store(true)
	following.Wait()
}

// lateCommit: an entry that was appended first is committed last. Nobody sees
// the later one before it.
func lateCommit(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	for name, update := range e.both() {
		t.Run(name, func(t *testing.T) { commitLate(t, e, update) })
	}
}

func commitLate(t *testing.T, e *env, update func(func(store.ContactTx) error) error) {
	c := e.contact()
	early, late := e.entry(c, store.StreamEvents), e.entry(c, store.StreamEvents)
	before := e.entry(c, store.StreamFlowLog)
	e.append(t, before)
	appended, commit := make(chan struct{}), make(chan struct{})
	announce := sync.OnceFunc(func() { close(appended) })
	var running sync.WaitGroup
	running.Go(func() {
		err := update(func(tx store.ContactTx) error {
			err := tx.Append(t.Context(), early)
			announce()
			<-commit
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-appended
	e.append(t, late)
	if late.Seq <= early.Seq {
		t.Fatalf("numbers %d and %d: the case is not what it is meant to be", early.Seq, late.Seq)
	}
	// It may wait for the early one, or show nothing yet.
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	got, err := e.Entries(ctx, store.EntryQuery{Stream: store.StreamEvents, After: before.Seq})
	cancel()
	if len(got) != 0 || err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%d entries before the early one is committed (%v)", len(got), err)
	}
	// Its owner's are shown as they are.
	wantRun(t, e, store.EntryQuery{Stream: store.StreamEvents, Instance: e.instance, Owner: c.ID}, late)
	close(commit)
	running.Wait()
	wantRun(t, e, store.EntryQuery{Stream: store.StreamEvents, After: before.Seq}, early, late)
	// What is settled is seen in views as well.
	err = e.View(t.Context(), func(rd store.Reader) error {
		seen, err := rd.Entries(t.Context(), store.EntryQuery{Stream: store.StreamEvents, After: before.Seq})
		if len(seen) != 2 {
			t.Errorf("a view sees %d entries, want 2", len(seen))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// otherServersEntries: what one server appends, another's reader finds.
func otherServersEntries(t *testing.T, open Open) {
	servers := []*env{setup(t, open, Options{}), setup(t, open, Options{})}
	const writers, rounds = 8, 10
	var running sync.WaitGroup
	seen := make([][]*store.Entry, 2)
	for i, reader := range servers {
		running.Go(func() {
			seen[i] = reader.follow(t, store.StreamEvents, func(seen []*store.Entry) bool { return len(seen) >= writers*rounds })
		})
	}
	atOnce(writers, func(w int) {
		e := servers[w%2]
		c := e.contact()
		for range rounds {
			if err := e.try(func(tx store.Tx) error { return tx.Append(t.Context(), e.entry(c, store.StreamEvents)) }); err != nil {
				t.Error(err)
			}
		}
	})
	running.Wait()
	wantSame(t, seen[0], seen[1])
}

func cursors(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	check := func(name string, want int64) {
		t.Helper()
		if got, err := e.Cursor(t.Context(), name); err != nil || got != want {
			t.Errorf("cursor %q is at %d, want %d (%v)", name, got, want, err)
		}
	}
	set := func(name string, seq int64) error {
		return e.try(func(tx store.Tx) error { return tx.SetCursor(t.Context(), name, seq) })
	}
	check("file", 0)
	check("\x00", 0)
	for _, seq := range []int64{7, 1 << 60, 3} {
		if err := set("file", seq); err != nil {
			t.Fatal(err)
		}
		check("file", seq)
	}
	check("File", 0)
	if set("\x00", 1) == nil {
		t.Error("a name that is not text was taken")
	}
	err := e.try(func(tx store.Tx) error { return errors.Join(tx.SetCursor(t.Context(), "file", 9), errRefused) })
	if !errors.Is(err, errRefused) {
		t.Error(err)
	}
	check("file", 3)
}

func leases(t *testing.T, open Open) {
	now := began
	e := setup(t, open, Options{Now: func() time.Time { return now }})
	take := func(name, holder string, until time.Time, want bool) {
		t.Helper()
		var has bool
		err := e.try(func(tx store.Tx) (err error) {
			has, err = tx.Lease(t.Context(), name, holder, until)
			return err
		})
		if err != nil || has != want {
			t.Errorf("%s has %s: %v, want %v (%v)", holder, name, has, want, err)
		}
	}
	in := func(s int) time.Time { return now.Add(time.Duration(s) * time.Second) }
	take("outbox", "a", in(10), true)
	take("outbox", "b", in(10), false)
	take("router", "b", in(10), true) // each name by itself
	now = in(9)
	take("outbox", "a", in(10), true) // renewed
	now = in(9)
	take("outbox", "b", in(10), false)
	now = in(1)
	take("outbox", "b", in(10), true) // its time was over
	take("outbox", "a", in(10), false)
	take("outbox", "a", in(-1), false) // not a's to free
	take("outbox", "a", in(10), false)
	take("outbox", "b", in(-1), false) // freed
	take("outbox", "a", in(10), true)
	take("new", "a", in(-1), false)
	take("new", "b", in(1), true)

	// Of many who want it at once, one gets it.
	var got atomic.Int64
	atOnce(8, func(w int) {
		var has bool
		err := e.try(func(tx store.Tx) (err error) {
			has, err = tx.Lease(t.Context(), "wanted", fmt.Sprint(w), in(10))
			return err
		})
		if err != nil {
			t.Error(err)
		}
		if has {
			got.Add(1)
		}
	})
	if got.Load() != 1 {
		t.Errorf("%d have the lease", got.Load())
	}
	err := e.try(func(tx store.Tx) error { _, err := tx.Lease(t.Context(), "n", "\x00", in(1)); return err })
	if err == nil {
		t.Error("a holder that is not text was taken")
	}
}

func contactsReopen(t *testing.T, open Open) {
	e := setup(t, open, atBeginning)
	c, ended := e.contact(), e.contact()
	ended.Live, ended.State, ended.Disconnected = false, nil, began.Add(time.Minute)
	e.put(t, c, ended)
	e.put(t, c)
	event := e.entry(c, store.StreamEvents)
	until := began.Add(time.Hour)
	err := e.try(func(tx store.Tx) error {
		_, err := tx.Lease(t.Context(), "outbox", "a", until)
		return errors.Join(err, tx.Append(t.Context(), event), tx.SetCursor(t.Context(), "file", 7),
			tx.PutAttributes(t.Context(), e.instance, c.ID, []byte(`{"k":"v"}`)))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	e.Store = open(t, atBeginning)
	live, err := e.LiveContacts(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, live, []*store.Contact{c})
	wantSame(t, e.kept(t, ended), ended)
	wantRun(t, e, store.EntryQuery{Stream: store.StreamEvents}, event)
	if seq, err := e.Cursor(t.Context(), "file"); err != nil || seq != 7 {
		t.Errorf("the cursor is at %d (%v)", seq, err)
	}
	if doc, err := e.Attributes(t.Context(), e.instance, c.ID); err != nil || string(doc) != `{"k":"v"}` {
		t.Errorf("attributes %q (%v)", doc, err)
	}
	e.put(t, live...)
	err = e.try(func(tx store.Tx) error {
		if has, err := tx.Lease(t.Context(), "outbox", "b", until); err != nil || has {
			return fmt.Errorf("b has a's lease: %v (%w)", has, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
