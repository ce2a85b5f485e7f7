package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

var errRefused = errors.New("refused")

func memos(t *testing.T, open Open) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	e := setup(t, open, Options{Now: func() time.Time { return now }})
	recall := func(key string) *store.Memo {
		t.Helper()
		var m *store.Memo
		err := e.try(func(tx store.Tx) (err error) {
			m, err = tx.Recall(t.Context(), key)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		// A reader sees the same: by itself, and within one state.
		alone, err := e.Recall(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, alone, m)
		err = e.View(t.Context(), func(r store.Reader) error {
			seen, err := r.Recall(t.Context(), key)
			wantSame(t, seen, m)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	forget := func(key string, want bool) {
		t.Helper()
		err := e.try(func(tx store.Tx) error {
			was, err := tx.Forget(t.Context(), key)
			if was != want {
				t.Errorf("forgetting %q answers %t, want %t", key, was, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	remember := func(key string, m store.Memo) {
		t.Helper()
		if err := e.try(func(tx store.Tx) error { return tx.Remember(t.Context(), key, m) }); err != nil {
			t.Fatal(err)
		}
	}
	if m := recall("key"); m != nil {
		t.Errorf("recalled %+v from nothing", *m)
	}
	first := store.Memo{Fingerprint: []byte{0, 1, 255}, Answer: []byte(`{"a":"ü"}`), Expires: now.Add(time.Hour)}
	remember("key", first)
	wantSame(t, recall("key"), &first)
	if m := recall("Key"); m != nil {
		t.Errorf("another key recalled %+v", *m)
	}
	second := store.Memo{Fingerprint: []byte("f"), Expires: now.Add(2 * time.Hour)}
	remember("key", second)
	wantSame(t, recall("key"), &second)
	now = second.Expires.Add(-time.Microsecond)
	wantSame(t, recall("key"), &second)
	now = second.Expires
	if m := recall("key"); m != nil {
		t.Errorf("recalled %+v after its time", *m)
	}
	remember("key", store.Memo{Expires: now.Add(time.Hour)})
	wantSame(t, recall("key"), &store.Memo{Expires: now.Add(time.Hour)})

	owner := e.insert(t, e.user("owner"))
	remember("its", store.Memo{Expires: now.Add(time.Hour), Owner: owner.PK})
	if recall("its") == nil {
		t.Error("a memo with an owner is not recalled")
	}
	if err := e.try(func(tx store.Tx) error { return tx.Delete(t.Context(), owner) }); err != nil {
		t.Fatal(err)
	}
	if recall("its") != nil {
		t.Error("a memo outlived its owner")
	}
	if recall("key") == nil {
		t.Error("a memo went with the owner of another")
	}

	forget("Key", false)
	forget("key\x00", false)
	forget("key", true)
	if recall("key") != nil {
		t.Error("what was forgotten is recalled")
	}
	forget("key", false)
	remember("key", store.Memo{Expires: now.Add(time.Hour)})
	now = now.Add(time.Hour)
	forget("key", false)
}

// memosOnce: of many that take one memo, one gets it.
func memosOnce(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	const rivals = 8
	for round := range 5 {
		key := fmt.Sprint("code/", round)
		if err := e.try(func(tx store.Tx) error {
			return tx.Remember(t.Context(), key, store.Memo{Expires: time.Now().Add(time.Hour)})
		}); err != nil {
			t.Fatal(err)
		}
		var got atomic.Int32
		var wg sync.WaitGroup
		for range rivals {
			wg.Go(func() {
				var mine bool
				err := e.try(func(tx store.Tx) (err error) {
					mine, err = tx.Forget(t.Context(), key)
					return err
				})
				if err != nil {
					t.Error(err)
				} else if mine {
					got.Add(1)
				}
			})
		}
		wg.Wait()
		if n := got.Load(); n != 1 {
			t.Errorf("%d of %d took the memo, want one", n, rivals)
		}
	}
}

func errorUndoes(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	r := e.insert(t, e.user("stays"))
	err := e.try(func(tx store.Tx) error {
		changed := *r
		changed.Name = "changed"
		return errors.Join(
			tx.Insert(t.Context(), e.user("new"), []store.Ref{{Role: roleParent, To: r.PK}}),
			tx.Update(t.Context(), &changed, nil),
			tx.Remember(t.Context(), "key", store.Memo{Expires: time.Now().Add(time.Hour)}),
			errRefused)
	})
	if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 1 || !errors.Is(err, errRefused) {
		t.Fatalf("got %v, want the error of fn as it is", err)
	}
	wantSame(t, e.get(t, r), r)
	if n := e.count(t, domain.KindUser); n != 1 {
		t.Errorf("%d users, want 1", n)
	}
	err = e.try(func(tx store.Tx) error {
		m, err := tx.Recall(t.Context(), "key")
		if m != nil {
			t.Errorf("recalled %+v", *m)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// failureDooms: an fn that overlooks the failure of a write does not commit
// the rest.
func failureDooms(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	e.insert(t, e.user("taken"))
	err := e.try(func(tx store.Tx) error {
		if err := tx.Insert(t.Context(), e.user("before"), nil); err != nil {
			return err
		}
		wantFault(t, tx.Insert(t.Context(), e.user("taken"), nil), fault.DuplicateResource)
		wantFault(t, tx.Insert(t.Context(), e.user("after"), nil), fault.DuplicateResource)
		_, err := tx.Count(t.Context(), e.instance, domain.KindUser)
		wantFault(t, err, fault.DuplicateResource)
		return nil
	})
	wantFault(t, err, fault.DuplicateResource)
	if n := e.count(t, domain.KindUser); n != 1 {
		t.Errorf("%d users, want 1", n)
	}
	// What is not there is an answer, not a failure.
	err = e.try(func(tx store.Tx) error {
		_, err := tx.Get(t.Context(), e.instance, domain.KindUser, "nobody")
		wantFault(t, err, fault.ResourceNotFound)
		return tx.Insert(t.Context(), e.user("new"), nil)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func overAfterwards(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	var leaked store.Tx
	if err := e.try(func(tx store.Tx) error { leaked = tx; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := leaked.Insert(t.Context(), e.user("late"), nil); err == nil {
		t.Error("a transaction that is over inserted")
	}
	var view store.Reader
	if err := e.View(t.Context(), func(r store.Reader) error { view = r; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := view.Count(t.Context(), e.instance, domain.KindUser); err == nil {
		t.Error("a view that is over read")
	}
	if n := e.count(t, domain.KindUser); n != 0 {
		t.Errorf("%d users, want 0", n)
	}
}

func panicIsContained(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	for name, run := range map[string]func(fn func()) error{
		"Update": func(fn func()) error {
			return e.try(func(tx store.Tx) error {
				if err := tx.Insert(t.Context(), e.user("lost"), nil); err != nil {
					return err
				}
				fn()
				return nil
			})
		},
		"View": func(fn func()) error {
			return e.View(t.Context(), func(store.Reader) error { fn(); return nil })
		},
	} {
		func() {
			defer func() {
				if got := recover(); got != "boom" {
					t.Errorf("%s: recovered %v, want the panic of fn", name, got)
				}
			}()
			err := run(func() { panic("boom") })
			t.Errorf("%s returned %v", name, err)
		}()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			err := run(runtime.Goexit)
			t.Errorf("%s returned %v after Goexit", name, err)
		}()
		<-ended
	}
	e.insert(t, e.user("kept"))
	if n := e.count(t, domain.KindUser); n != 1 {
		t.Errorf("%d users, want 1", n)
	}
}

func viewIsOneState(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	r := e.insert(t, e.user("before"))
	err := e.View(t.Context(), func(view store.Reader) error {
		if _, err := view.Get(t.Context(), e.instance, r.Kind, r.ID); err != nil {
			return err
		}
		after := *r
		after.Name = "after"
		e.update(t, &after, nil)
		e.insert(t, e.user("new"))
		e.remove(t, &after)

		seen, err := view.Get(t.Context(), e.instance, r.Kind, r.ID)
		if err != nil {
			return err
		}
		wantSame(t, seen, r)
		if n, err := view.Count(t.Context(), e.instance, r.Kind); err != nil || n != 1 {
			t.Errorf("the view counts %d, want 1 (%v)", n, err)
		}
		return errRefused
	})
	if err != errRefused { //nolint:errorlint // as it is
		t.Fatalf("got %v, want the error of fn as it is", err)
	}
	if n := e.count(t, r.Kind); n != 1 {
		t.Errorf("%d users after the view, want 1", n)
	}
}

func cancelledBefore(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := e.Update(ctx, func(store.Tx) error { t.Error("the update ran"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("update: %v", err)
	}
	if err := e.View(ctx, func(store.Reader) error { t.Error("the view ran"); return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("view: %v", err)
	}
	if _, err := e.Get(ctx, e.instance, domain.KindUser, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
}

func cancelledWithin(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	err := e.Update(ctx, func(tx store.Tx) error {
		if err := tx.Insert(ctx, e.user("undone"), nil); err != nil {
			return err
		}
		cancel()
		return tx.Insert(ctx, e.user("never"), nil)
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	e.insert(t, e.user("next"))
	if n := e.count(t, domain.KindUser); n != 1 {
		t.Errorf("%d users, want 1", n)
	}
}

// cancelledWhileWaiting: an update that waits for another to finish does so no
// longer than its context.
func cancelledWhileWaiting(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	entered, leave := make(chan struct{}), make(chan struct{})
	var holder sync.WaitGroup
	holder.Go(func() {
		if err := e.try(func(store.Tx) error { close(entered); <-leave; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	err := e.Update(ctx, func(store.Tx) error { t.Error("it ran"); return nil })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(leave)
	holder.Wait()
	e.insert(t, e.user("next"))
}

// failingNeighbours: of many updates at once some fail, in every way there
// is; the others are none the worse.
func failingNeighbours(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	target := e.insert(t, e.queue("target"))
	const writers, rounds = 64, 8
	var running sync.WaitGroup
	for w := range writers {
		running.Go(func() {
			for round := range rounds {
				name := fmt.Sprintf("writer %d round %d", w, round)
				insert := func(tx store.Tx) error {
					return tx.Insert(t.Context(), e.user(name), []store.Ref{{Role: roleQueue, To: target.PK}})
				}
				var err error
				want := error(nil)
				switch (w + round) % 8 {
				case 0:
					want = errRefused
					err = e.try(func(tx store.Tx) error { return errors.Join(insert(tx), errRefused) })
				case 1:
					func() {
						defer func() { _ = recover() }()
						err = e.try(func(tx store.Tx) error { panic(insert(tx)) })
						t.Errorf("%s: returned %v instead of panicking", name, err)
					}()
				case 2:
					err = e.try(func(tx store.Tx) error {
						return errors.Join(insert(tx), tx.Insert(t.Context(), e.user(name), []store.Ref{{Role: roleQueue, To: 1 << 50}}))
					})
					if !fault.Is(err, fault.DuplicateResource) {
						t.Errorf("%s: %v", name, err)
					}
					err = nil
				default:
					err = e.try(insert)
				}
				if !errors.Is(err, want) {
					t.Errorf("%s: got %v, want %v", name, err, want)
				}
			}
		})
	}
	running.Wait()
	records, err := e.List(t.Context(), store.ListQuery{Instance: e.instance, Kind: domain.KindUser})
	if err != nil {
		t.Fatal(err)
	}
	kept := make(map[string]bool)
	for _, r := range records {
		kept[r.Name] = true
	}
	for w := range writers {
		for round := range rounds {
			name := fmt.Sprintf("writer %d round %d", w, round)
			if want := (w+round)%8 > 2; kept[name] != want {
				t.Errorf("%s is kept: %v, want %v", name, kept[name], want)
			}
		}
	}
	if n, err := e.CountReferrers(t.Context(), target.PK, roleQueue); err != nil || n != len(records) {
		t.Errorf("%d references of %d records (%v)", n, len(records), err)
	}
}

// checkThenInsert: many at once count and insert one more while there is room.
func checkThenInsert(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	const room = 5
	var inserted atomic.Int64
	var running sync.WaitGroup
	for w := range 32 {
		running.Go(func() {
			err := e.try(func(tx store.Tx) error {
				n, err := tx.Count(t.Context(), e.instance, domain.KindUser)
				if err != nil {
					return err
				}
				if n >= room {
					return errRefused
				}
				return tx.Insert(t.Context(), e.user(fmt.Sprint("user ", w)), nil)
			})
			switch {
			case err == nil:
				inserted.Add(1)
			case !errors.Is(err, errRefused):
				t.Error(err)
			}
		})
	}
	running.Wait()
	if n := e.count(t, domain.KindUser); n != room || inserted.Load() != room {
		t.Errorf("%d users, %d of them acknowledged, want %d", n, inserted.Load(), room)
	}
}

// readThenWrite: many at once read a number and write it back one higher.
// None is lost; on a database that finds out late, they run again.
func readThenWrite(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	r := e.user("counter")
	r.Doc = []byte("0")
	e.insert(t, r)
	const writers, rounds = 16, 8
	var running sync.WaitGroup
	for range writers {
		running.Go(func() {
			for range rounds {
				err := e.try(func(tx store.Tx) error {
					now, err := tx.Get(t.Context(), e.instance, r.Kind, r.ID)
					if err != nil {
						return err
					}
					n, err := strconv.Atoi(string(now.Doc))
					if err != nil {
						return err
					}
					now.Doc = strconv.AppendInt(nil, int64(n+1), 10)
					return tx.Update(t.Context(), now, nil)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	got := e.get(t, r)
	if string(got.Doc) != strconv.Itoa(writers*rounds) || got.Version != writers*rounds+1 {
		t.Errorf("counted to %s in version %d, want %d in %d", got.Doc, got.Version, writers*rounds, writers*rounds+1)
	}
}

func closeWaits(t *testing.T, open Open) {
	s := open(t, Options{})
	entered, leave, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var left atomic.Bool
	var running sync.WaitGroup
	running.Go(func() {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			close(entered)
			<-leave
			left.Store(true)
			return tx.Insert(t.Context(), &store.Record{Kind: domain.KindInstance, ID: "kept", Name: "kept"}, nil)
		})
		if err != nil {
			t.Errorf("the update that Close came upon: %v", err)
		}
	})
	<-entered
	running.Go(func() {
		defer close(closed)
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if !left.Load() {
			t.Error("Close did not wait")
		}
	})
	close(leave)
	running.Wait()
	<-closed
	if err := s.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	wantFault(t, s.Update(t.Context(), func(store.Tx) error { return nil }), fault.ServiceUnavailable)
	wantFault(t, s.View(t.Context(), func(store.Reader) error { return nil }), fault.ServiceUnavailable)
	_, err := s.Get(t.Context(), store.Root, domain.KindInstance, "kept")
	wantFault(t, err, fault.ServiceUnavailable)
	_, err = s.Changes(t.Context(), 0, 1)
	wantFault(t, err, fault.ServiceUnavailable)

	s = open(t, Options{})
	if _, err := s.Get(t.Context(), store.Root, domain.KindInstance, "kept"); err != nil {
		t.Errorf("what was acknowledged before: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func reopenKeepsAll(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	target := e.insert(t, e.queue("target"))
	r := e.user("kept")
	r.Tags, r.Doc = map[string]string{"a": "ü"}, []byte(strings.Repeat(`"x"`, 3))
	e.insert(t, r, store.Ref{Role: roleQueue, To: target.PK})
	last := e.insert(t, e.user("deleted"))
	e.remove(t, last)
	memo := store.Memo{Fingerprint: []byte("f"), Answer: []byte("a"), Expires: time.Now().UTC().Truncate(time.Microsecond).Add(time.Hour)}
	if err := e.try(func(tx store.Tx) error { return tx.Remember(t.Context(), "key", memo) }); err != nil {
		t.Fatal(err)
	}
	before, err := e.Changes(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}

	e.Store = open(t, Options{})
	wantSame(t, e.get(t, r), r)
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Delete(t.Context(), target) }), fault.ResourceInUse)
	err = e.try(func(tx store.Tx) error {
		m, err := tx.Recall(t.Context(), "key")
		wantSame(t, m, &memo)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if next := e.insert(t, e.user("next")); next.PK <= last.PK {
		t.Errorf("key %d after %d", next.PK, last.PK)
	}
	after, err := e.Changes(t.Context(), 0, 0)
	if err != nil || len(after) != len(before)+1 {
		t.Fatalf("%d changes, want %d (%v)", len(after), len(before)+1, err)
	}
	wantSame(t, after[:len(before)], before)
}
