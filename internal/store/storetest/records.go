package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

func insertFillsIn(t *testing.T, open Open) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 123456789, time.FixedZone("east", 3600))
	e := setup(t, open, Options{Now: func() time.Time { return now }})
	a := e.insert(t, e.user("a"))
	b := e.insert(t, e.user("b"))
	if a.PK <= e.instance || b.PK <= a.PK {
		t.Errorf("keys %d, %d, %d do not ascend", e.instance, a.PK, b.PK)
	}
	if a.Version != 1 {
		t.Errorf("version %d, want 1", a.Version)
	}
	want := now.UTC().Truncate(time.Microsecond)
	if a.Created != want || a.Modified != want {
		t.Errorf("created %v, modified %v, want %v", a.Created, a.Modified, want)
	}
	wantSame(t, e.get(t, a), a)

	given := e.user("given")
	given.Created, given.Modified = now.Add(-time.Hour), now.Add(-time.Minute)
	e.insert(t, given)
	if got := e.get(t, given); got.Created != want.Add(-time.Hour) || got.Modified != want.Add(-time.Minute) {
		t.Errorf("created %v, modified %v: not as given", got.Created, got.Modified)
	}
	wantSame(t, e.get(t, given), given)
}

func roundTrip(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	for name, change := range map[string]func(*store.Record){
		"plain":      func(*store.Record) {},
		"no tags":    func(r *store.Record) { r.Tags = nil },
		"empty tags": func(r *store.Record) { r.Tags = map[string]string{} },
		"unicode tags": func(r *store.Record) {
			r.Tags = map[string]string{"köln\u2028<&>": "日本語 🎧", "": "\x00\t\"\\"}
		},
		"no name key":   func(r *store.Record) { r.NameKey = "" },
		"quotes":        func(r *store.Record) { r.Name, r.NameKey = `'"; --`, `'"%_\` },
		"no document":   func(r *store.Record) { r.Doc = nil },
		"long document": func(r *store.Record) { r.Doc = []byte(`"` + strings.Repeat("é", 200_000) + `"`) },
		"odd id":        func(r *store.Record) { r.ID = "agent/ß" },
		"other kind":    func(r *store.Record) { r.Kind = domain.KindAccessKey },
		"no instance":   func(r *store.Record) { r.Instance = store.Root },
	} {
		r := e.user(name)
		change(r)
		e.insert(t, r)
		t.Run(name, func(t *testing.T) {
			wantSame(t, e.get(t, r), r)
			if r.NameKey != "" {
				byName, err := e.GetByName(t.Context(), r.Instance, r.Kind, r.NameKey)
				if err != nil {
					t.Fatal(err)
				}
				wantSame(t, byName, r)
			}
			byPK, err := e.GetByPK(t.Context(), r.PK)
			if err != nil {
				t.Fatal(err)
			}
			wantSame(t, byPK[0], r)
		})
	}
}

func unknownIsNotFound(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	known := e.insert(t, e.user("known"))
	ctx := t.Context()
	for name, id := range map[string]string{"unknown": domain.NewID(), "empty": "", "NUL": "a\x00b", "not UTF-8": "\xff"} {
		_, err := e.Get(ctx, e.instance, domain.KindUser, id)
		wantFault(t, err, fault.ResourceNotFound)
		if message := fault.From(err).Message; name == "unknown" && message != "User "+id+" not found." {
			t.Errorf("message %q", message)
		}
		_, err = e.GetByName(ctx, e.instance, domain.KindUser, id)
		wantFault(t, err, fault.ResourceNotFound)
		_, err = e.Resolve(ctx, e.instance, domain.KindUser, id)
		wantFault(t, err, fault.ResourceNotFound)
	}
	// A record is of its instance and kind alone.
	_, err := e.Get(ctx, store.Root, domain.KindUser, known.ID)
	wantFault(t, err, fault.ResourceNotFound)
	_, err = e.Get(ctx, e.instance, domain.KindQueue, known.ID)
	wantFault(t, err, fault.ResourceNotFound)

	gone := *known
	gone.PK += 1 << 40
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Update(ctx, &gone, nil) }), fault.ResourceNotFound)
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Delete(ctx, &gone) }), fault.ResourceNotFound)
	stray := e.user("stray")
	stray.Instance = gone.PK
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Insert(ctx, stray, nil) }), fault.ResourceNotFound)
}

func whatIsNotText(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	for _, bad := range []string{"a\x00b", "\xff\xfe"} {
		for what, change := range map[string]func(*store.Record){
			"id":       func(r *store.Record) { r.ID = bad },
			"name":     func(r *store.Record) { r.Name = bad },
			"name key": func(r *store.Record) { r.NameKey = bad },
		} {
			r := e.user("plain")
			change(r)
			err := e.try(func(tx store.Tx) error { return tx.Insert(t.Context(), r, nil) })
			if !fault.Is(err, fault.InvalidParameter) {
				t.Errorf("%s %q: %v", what, bad, err)
			}
		}
		r := e.user("document")
		r.Doc = []byte(bad)
		if err := e.try(func(tx store.Tx) error { return tx.Insert(t.Context(), r, nil) }); err == nil {
			t.Errorf("a document of %q was taken", bad)
		}
	}
	if n := e.count(t, domain.KindUser); n != 0 {
		t.Errorf("%d of them were kept", n)
	}
}

func duplicates(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	first := e.insert(t, e.user("taken"))
	insert := func(r *store.Record) error {
		return e.try(func(tx store.Tx) error { return tx.Insert(t.Context(), r, nil) })
	}

	sameID := e.user("other")
	sameID.ID = first.ID
	wantFault(t, insert(sameID), fault.DuplicateResource)
	sameName := e.user("taken")
	err := insert(sameName)
	wantFault(t, err, fault.DuplicateResource)
	if message := fault.From(err).Message; !strings.Contains(message, "taken") {
		t.Errorf("message %q does not name it", message)
	}
	if sameName.PK != 0 || sameName.Version != 0 {
		t.Errorf("a record that was refused was filled in: %+v", *sameName)
	}

	// Elsewhere, or without a key, the name is free.
	e.insert(t, e.queue("taken"))
	other := e.user("taken")
	other.Instance = store.Root
	e.insert(t, other)
	for range 2 {
		noKey := e.user("taken")
		noKey.NameKey = ""
		e.insert(t, noKey)
	}

	second := e.insert(t, e.user("free"))
	second.NameKey = "taken"
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Update(t.Context(), second, nil) }), fault.DuplicateResource)
	e.remove(t, first)
	e.update(t, second, nil)
	if got := e.get(t, second).NameKey; got != "taken" {
		t.Errorf("name key %q after the name became free", got)
	}
}

func updateReplaces(t *testing.T, open Open) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	e := setup(t, open, Options{Now: func() time.Time { return now }})
	r := e.user("before")
	r.Tags = map[string]string{"a": "b"}
	e.insert(t, r)
	created := now

	for i := range 3 {
		now = now.Add(time.Minute)
		r.Name, r.NameKey, r.Doc, r.Tags = fmt.Sprint("after ", i), fmt.Sprint("key ", i), fmt.Appendf(nil, `{"n":%d}`, i), nil
		e.update(t, r, nil)
		if r.Version != int64(i+2) || r.Modified != now || r.Created != created {
			t.Errorf("update %d filled in version %d, created %v, modified %v", i, r.Version, r.Created, r.Modified)
		}
		wantSame(t, e.get(t, r), r)
	}
	_, err := e.GetByName(t.Context(), e.instance, r.Kind, "before")
	wantFault(t, err, fault.ResourceNotFound)

	r.NameKey = ""
	e.update(t, r, nil)
	_, err = e.GetByName(t.Context(), e.instance, r.Kind, "key 2")
	wantFault(t, err, fault.ResourceNotFound)

	// The version counts what happened, not what the caller believes; the key
	// alone says which record it is.
	stale := store.Record{PK: r.PK, Name: "stale"}
	e.update(t, &stale, nil)
	if stale.Version != r.Version+1 {
		t.Errorf("version %d after %d", stale.Version, r.Version)
	}
}

func deleteRemoves(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	r := e.insert(t, e.user("gone"))
	e.remove(t, &store.Record{PK: r.PK})
	_, err := e.Get(t.Context(), e.instance, r.Kind, r.ID)
	wantFault(t, err, fault.ResourceNotFound)
	if n := e.count(t, r.Kind); n != 0 {
		t.Errorf("%d left", n)
	}
	again := e.user("gone")
	again.ID = r.ID
	if e.insert(t, again).PK == r.PK {
		t.Error("a key was used again")
	}
}

func getByPKKeepsOrder(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	const n = 5000 // more than one statement takes
	pks := make([]store.PK, 0, n)
	err := e.try(func(tx store.Tx) error {
		pks = pks[:0]
		for i := range n {
			r := e.user(fmt.Sprint("user ", i))
			if err := tx.Insert(t.Context(), r, nil); err != nil {
				return err
			}
			pks = append(pks, r.PK)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(pks)
	got, err := e.GetByPK(t.Context(), append([]store.PK{pks[7], 1 << 50}, pks...)...)
	if err != nil || len(got) != n+1 {
		t.Fatalf("%d records, %v", len(got), err)
	}
	if got[0].PK != pks[7] {
		t.Error("the first key is not the first record")
	}
	for i, pk := range pks {
		if got[i+1].PK != pk {
			t.Fatalf("record %d has key %d, want %d", i, got[i+1].PK, pk)
		}
	}
	if none, err := e.GetByPK(t.Context()); err != nil || len(none) != 0 {
		t.Errorf("no keys: %v, %v", none, err)
	}
}

func resolveNamesTheMissing(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	a, b, c := e.insert(t, e.user("a")), e.insert(t, e.user("b")), e.insert(t, e.user("c"))
	pks, err := e.Resolve(t.Context(), e.instance, domain.KindUser, c.ID, a.ID, b.ID, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, pks, []store.PK{c.PK, a.PK, b.PK, a.PK})
	missing := domain.NewID()
	_, err = e.Resolve(t.Context(), e.instance, domain.KindUser, a.ID, missing, b.ID)
	wantFault(t, err, fault.ResourceNotFound)
	if message := fault.From(err).Message; !strings.Contains(message, missing) {
		t.Errorf("message %q does not name %s", message, missing)
	}
	// It sees what the transaction has done so far.
	err = e.try(func(tx store.Tx) error {
		d := e.user("d")
		if err := tx.Insert(t.Context(), d, nil); err != nil {
			return err
		}
		if _, err := tx.Resolve(t.Context(), e.instance, domain.KindUser, d.ID); err != nil {
			return err
		}
		if err := tx.Delete(t.Context(), a); err != nil {
			return err
		}
		_, err := tx.Resolve(t.Context(), e.instance, domain.KindUser, a.ID)
		return err
	})
	wantFault(t, err, fault.ResourceNotFound)
	if pks, err := e.Resolve(t.Context(), e.instance, domain.KindUser); err != nil || len(pks) != 0 {
		t.Errorf("no ids: %v, %v", pks, err)
	}
}

func lists(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	// Ids are compared by their bytes: capitals before small letters, and
	// both before what is not ASCII.
	ids := []string{"0", "A", "Z", "a", "b", "z", "ä"}
	for i := range ids {
		id := ids[(i*3)%len(ids)]
		r := e.user(id)
		r.ID, r.Doc, r.Tags = id, []byte(`{"id":"`+id+`"}`), map[string]string{"id": id}
		e.insert(t, r)
	}
	e.insert(t, e.queue("another kind"))
	elsewhere := e.user("another instance")
	elsewhere.Instance = store.Root
	e.insert(t, elsewhere)

	for _, c := range []struct {
		after string
		limit int
		want  []string
	}{
		{"", 0, ids},
		{"", 3, ids[:3]},
		{"Z", 2, []string{"a", "b"}},
		{"B", 1, []string{"Z"}}, // beyond an id that does not exist
		{"b", 100, []string{"z", "ä"}},
		{"ä", 0, []string{}},
	} {
		q := store.ListQuery{Instance: e.instance, Kind: domain.KindUser, After: c.after, Limit: c.limit}
		full, err := e.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, names(full), c.want)
		q.HeadersOnly = true
		headers, err := e.List(t.Context(), q)
		if err != nil || len(headers) != len(full) {
			t.Fatalf("%d headers of %d records, %v", len(headers), len(full), err)
		}
		for i, r := range full {
			wantSame(t, r, e.get(t, r))
			r.Doc = nil
			wantSame(t, headers[i], r)
		}
	}
	if n := e.count(t, domain.KindUser); n != len(ids) {
		t.Errorf("count %d, want %d", n, len(ids))
	}
	if n := e.count(t, domain.KindPrompt); n != 0 {
		t.Errorf("count %d of a kind without records", n)
	}
}

// pagingBesideInserts pages through records while others are inserted and
// deleted around them: those that were there throughout come once each.
func pagingBesideInserts(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	var stay []string
	for i := range 60 {
		r := e.user(fmt.Sprint("stays ", i))
		stay = append(stay, e.insert(t, r).Name)
	}
	stop := make(chan struct{})
	var others sync.WaitGroup
	others.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			r := e.user(fmt.Sprint("comes and goes ", i))
			err := e.try(func(tx store.Tx) error { return tx.Insert(t.Context(), r, nil) })
			if i%2 == 0 {
				err = errors.Join(err, e.try(func(tx store.Tx) error { return tx.Delete(t.Context(), r) }))
			}
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	defer others.Wait()
	defer close(stop)
	for range 5 {
		var seen []string
		after := ""
		for {
			page, err := e.List(t.Context(), store.ListQuery{Instance: e.instance, Kind: domain.KindUser, After: after, Limit: 7})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names(page) {
				if strings.HasPrefix(name, "stays") {
					seen = append(seen, name)
				}
			}
			if len(seen) == len(stay) || len(page) < 7 {
				break
			}
			after = page[len(page)-1].ID
		}
		wantSame(t, seen, stay)
	}
}
