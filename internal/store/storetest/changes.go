package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// witness is an observer that keeps what it is told.
type witness struct {
	t       *testing.T
	inside  atomic.Bool
	mu      sync.Mutex
	changes []store.Change
	heard   chan struct{} // one token when there is something new
}

func newWitness(t *testing.T) *witness { return &witness{t: t, heard: make(chan struct{}, 1)} }

func (w *witness) observe(changes []store.Change) {
	if !w.inside.CompareAndSwap(false, true) {
		w.t.Error("two calls of the observer at a time")
	}
	defer w.inside.Store(false)
	w.mu.Lock()
	w.changes = append(w.changes, changes...)
	w.mu.Unlock()
	select {
	case w.heard <- struct{}{}:
	default:
	}
}

// of returns what it was told of a record.
func (w *witness) of(pk store.PK) (told []store.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.changes {
		if c.Record.PK == pk {
			told = append(told, c)
		}
	}
	return told
}

func changeLog(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	start, err := e.Changes(t.Context(), 0, 0)
	if err != nil || len(start) != 1 {
		t.Fatalf("%d changes for one instance (%v)", len(start), err)
	}
	after := start[0].Seq
	a, b := e.user("a"), e.user("b")
	err = e.try(func(tx store.Tx) error {
		return errors.Join(tx.Insert(t.Context(), a, nil), tx.Insert(t.Context(), b, nil), tx.Update(t.Context(), a, nil))
	})
	if err != nil {
		t.Fatal(err)
	}
	e.remove(t, a)
	if err := e.try(func(store.Tx) error { return nil }); err != nil { // changes nothing
		t.Fatal(err)
	}
	key := func(r *store.Record, version int64) *store.Record {
		return &store.Record{PK: r.PK, Instance: r.Instance, Kind: r.Kind, ID: r.ID, Version: version}
	}
	want := []store.Change{
		{Op: store.Put, Record: key(a, 1)},
		{Op: store.Put, Record: key(b, 1)},
		{Op: store.Put, Record: key(a, 2)},
		{Op: store.Delete, Record: key(a, 3)},
	}
	got, err := e.Changes(t.Context(), after, 0)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d changes, want %d (%v)", len(got), len(want), err)
	}
	for i, c := range got {
		if c.Seq <= after {
			t.Errorf("change %d has number %d after %d", i, c.Seq, after)
		}
		after = c.Seq
		if c.Op != want[i].Op {
			t.Errorf("change %d is a %d, want %d", i, c.Op, want[i].Op)
		}
		wantSame(t, c.Record, want[i].Record)
	}
	page, err := e.Changes(t.Context(), got[0].Seq, 2)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, page, got[1:3])
	if none, err := e.Changes(t.Context(), after, 10); err != nil || len(none) != 0 {
		t.Errorf("%d changes beyond the last (%v)", len(none), err)
	}

	// The removal of an instance is one change.
	instance, _ := crossed(t, e)
	log, err := e.Changes(t.Context(), after, 0)
	if err != nil {
		t.Fatal(err)
	}
	e.remove(t, instance)
	got, err = e.Changes(t.Context(), log[len(log)-1].Seq, 0)
	if err != nil || len(got) != 1 {
		t.Fatalf("%d changes for the removal of an instance (%v)", len(got), err)
	}
	wantSame(t, got[0].Record, key(instance, 2))
}

func observerSeesFirst(t *testing.T, open Open) {
	w := newWitness(t)
	e := setup(t, open, Options{Observer: w.observe})
	var running sync.WaitGroup
	for i := range 16 {
		running.Go(func() {
			r := e.user(fmt.Sprint("user ", i))
			r.Doc, r.Tags = []byte(`{"n":1}`), map[string]string{"a": "b"}
			r = e.insert(t, r)
			inserted := *r
			r.Name = fmt.Sprint("renamed ", i)
			if told := w.of(r.PK); len(told) != 1 {
				t.Errorf("told of %d changes when the insert returned", len(told))
			} else {
				wantSame(t, told[0].Record, &inserted)
			}
			e.update(t, r, nil)
			updated := *r
			e.remove(t, r)
			told := w.of(r.PK)
			if len(told) != 3 {
				t.Errorf("told of %d changes when the delete returned", len(told))
				return
			}
			wantSame(t, told[1].Record, &updated)
			gone := &store.Record{PK: r.PK, Instance: r.Instance, Kind: r.Kind, ID: r.ID, Version: 3}
			if told[2].Op != store.Delete {
				t.Errorf("the last change is a %d", told[2].Op)
			}
			wantSame(t, told[2].Record, gone)
		})
	}
	running.Wait()
	// What the observer was told is what the log says.
	log, err := e.Changes(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	inLog := make(map[int64]store.PK)
	for _, c := range log {
		inLog[c.Seq] = c.Record.PK
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.changes {
		if pk, ok := inLog[c.Seq]; !ok || pk != c.Record.PK {
			t.Errorf("told of change %d of record %d; the log has record %d", c.Seq, c.Record.PK, pk)
		}
	}
	if len(w.changes) != len(log) {
		t.Errorf("told of %d changes, the log has %d", len(w.changes), len(log))
	}
}

func observerOwnsItsRecords(t *testing.T, open Open) {
	w := newWitness(t)
	e := setup(t, open, Options{Observer: w.observe})
	r := e.user("name")
	r.Doc, r.Tags = []byte(`"old"`), map[string]string{"a": "old"}
	e.insert(t, r)
	r.Name, r.Tags["a"], r.Doc[1] = "changed", "changed", 'X'
	told := w.of(r.PK)[0].Record
	if told.Name != "name" || told.Tags["a"] != "old" || string(told.Doc) != `"old"` {
		t.Errorf("what the caller did to its record reached the observer: %+v", *told)
	}
}

func observerIsNotToldOfFailures(t *testing.T, open Open) {
	w := newWitness(t)
	e := setup(t, open, Options{Observer: w.observe})
	r := e.user("undone")
	err := e.try(func(tx store.Tx) error { return errors.Join(tx.Insert(t.Context(), r, nil), errRefused) })
	if !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	e.insert(t, e.user("done"))
	if told := w.of(r.PK); len(told) != 0 {
		t.Errorf("told of %+v", told)
	}
	if log, err := e.Changes(t.Context(), 0, 0); err != nil || len(log) != 2 {
		t.Errorf("%d changes in the log, want 2 (%v)", len(log), err)
	}
}

// otherServers: what one server changes, the observers of the others hear.
func otherServers(t *testing.T, open Open) {
	w := newWitness(t)
	here := setup(t, open, Options{Observer: w.observe})
	there := setup(t, open, Options{})
	hear := func(pk store.PK, version int64) store.Change {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for {
			for _, c := range w.of(pk) {
				if c.Record.Version >= version {
					return c
				}
			}
			select {
			case <-w.heard:
			case <-deadline:
				t.Fatalf("never heard of version %d of record %d", version, pk)
			}
		}
	}
	r := there.user("from there")
	r.Tags = map[string]string{"a": "b"}
	there.insert(t, r)
	wantSame(t, hear(r.PK, 1).Record, r)
	r.Name = "renamed"
	there.update(t, r, nil)
	wantSame(t, hear(r.PK, 2).Record, r)
	there.remove(t, r)
	if c := hear(r.PK, 3); c.Op != store.Delete {
		t.Errorf("heard of a %d, want a removal", c.Op)
	}
	// One's own changes come once.
	own := here.insert(t, here.user("from here"))
	last := there.insert(t, there.user("last"))
	hear(last.PK, 1)
	if told := w.of(own.PK); len(told) != 1 {
		t.Errorf("told %d times of an own change", len(told))
	}
}

// otherServersKeys: servers that share a database share no keys, and their
// checks hold against one another.
func otherServersKeys(t *testing.T, open Open) {
	servers := []*env{setup(t, open, Options{}), setup(t, open, Options{})}
	instance := servers[0].instance
	const room = 6
	var mu sync.Mutex
	keys := make(map[store.PK]bool)
	var running sync.WaitGroup
	for i := range 16 {
		running.Go(func() {
			e := servers[i%2]
			r := e.user(fmt.Sprint("user ", i))
			r.Instance = instance
			err := e.try(func(tx store.Tx) error {
				n, err := tx.Count(t.Context(), instance, domain.KindUser)
				if err != nil {
					return err
				}
				if n >= room {
					return errRefused
				}
				return tx.Insert(t.Context(), r, nil)
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				if keys[r.PK] {
					t.Errorf("key %d twice", r.PK)
				}
				keys[r.PK] = true
			} else if !errors.Is(err, errRefused) {
				t.Error(err)
			}
		})
	}
	running.Wait()
	if n, err := servers[1].Count(t.Context(), instance, domain.KindUser); err != nil || n != room || len(keys) != room {
		t.Errorf("%d users, %d acknowledged, want %d (%v)", n, len(keys), room, err)
	}
}

// oldChangesGo: a log that nobody needs any more is cut, but its numbers go on.
func oldChangesGo(t *testing.T, open Open) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	clock := Options{Now: func() time.Time { return now }}
	e := setup(t, open, clock)
	for i := range 5 {
		e.insert(t, e.user(fmt.Sprint("user ", i)))
	}
	err := e.try(func(tx store.Tx) error {
		return tx.Remember(t.Context(), "key", store.Memo{Expires: now.Add(time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
	log := func() []store.Change {
		t.Helper()
		changes, err := e.Changes(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return changes
	}
	reopen := func() {
		t.Helper()
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e.Store = open(t, clock)
	}
	all := log()
	now = now.Add(24 * time.Hour)
	reopen()
	wantSame(t, log(), all)
	now = now.Add(time.Second)
	reopen()
	wantSame(t, log(), all[len(all)-1:])
	e.insert(t, e.user("new"))
	if got := log(); len(got) != 2 || got[1].Seq <= all[len(all)-1].Seq {
		t.Errorf("the log goes on with %+v after %d", got, all[len(all)-1].Seq)
	}
	now = now.Add(-25 * time.Hour) // before the memo's end: it has been removed
	err = e.try(func(tx store.Tx) error {
		m, err := tx.Recall(t.Context(), "key")
		if m != nil {
			t.Error("a memo outlived its time")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
