package catalog_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// TestFeedOrder gives a catalog changes as several servers on one database
// might: late, twice, and after a deletion.
func TestFeedOrder(t *testing.T) {
	const instance = store.PK(7)
	sc := catalog.Scope{PK: instance}
	put := func(pk store.PK, version int64, value string) store.Change {
		doc, err := json.Marshal(thing{Name: value})
		ok(t, err)
		return store.Change{Op: store.Put, Record: &store.Record{
			PK: pk, Instance: instance, Kind: domain.KindPrompt, Version: version,
			Doc: doc, Tags: map[string]string{"value": value},
		}}
	}
	remove := func(pk store.PK, version int64) store.Change {
		return store.Change{Op: store.Delete, Record: &store.Record{
			PK: pk, Instance: instance, Kind: domain.KindPrompt, Version: version,
		}}
	}
	removeInstance := store.Change{Op: store.Delete, Record: &store.Record{PK: instance, Kind: domain.KindInstance, ID: domain.NewID(), Version: 2}}
	broken := put(3, 1, "")
	broken.Record.Doc = []byte("{")

	for name, c := range map[string]struct {
		changes []store.Change
		wait    time.Duration // before the last change
		want    []string
	}{
		"in order":                 {changes: []store.Change{put(1, 1, "a"), put(1, 2, "b")}, want: []string{"b"}},
		"older one late":           {changes: []store.Change{put(1, 2, "b"), put(1, 1, "a")}, want: []string{"b"}},
		"same one twice":           {changes: []store.Change{put(1, 1, "a"), put(1, 1, "x")}, want: []string{"a"}},
		"another resource":         {changes: []store.Change{put(1, 2, "a"), put(2, 1, "b")}, want: []string{"a", "b"}},
		"deleted":                  {changes: []store.Change{put(1, 1, "a"), remove(1, 2)}},
		"put after its deletion":   {changes: []store.Change{remove(1, 2), put(1, 1, "a")}},
		"deletion of an older one": {changes: []store.Change{put(1, 3, "c"), remove(1, 2)}, want: []string{"c"}},
		"late by a minute":         {changes: []store.Change{put(1, 2, "b"), put(1, 1, "a")}, wait: 61 * time.Second, want: []string{"b"}},
		"newer after minutes":      {changes: []store.Change{put(1, 1, "a"), put(1, 2, "b")}, wait: time.Hour, want: []string{"b"}},
		"instance removed":         {changes: []store.Change{put(1, 1, "a"), removeInstance}},
		"one that cannot be read":  {changes: []store.Change{broken, put(1, 1, "a")}, want: []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			clock := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
			cat := catalog.New(catalog.Options{Shared: true, Now: clock.Now})
			register(cat, 0)
			last := len(c.changes) - 1
			cat.Observe(c.changes[:last])
			clock.advance(c.wait)
			cat.Observe(c.changes[last:])
			var got []string
			for _, term := range cat.TagTerms(sc, domain.KindPrompt) {
				got = append(got, term.Value)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("the index holds %q, want %q", got, c.want)
			}
		})
	}
}

// TestLoadIndex compares the index that a start reads from the store with the
// one that grew from the changes.
func TestLoadIndex(t *testing.T) {
	w := newWorld(t, 0)
	random := rand.New(rand.NewPCG(1, 2))
	colours := []string{"red", "green", "blue"}
	scopes := []catalog.Scope{w.one, w.two}
	live := map[int][]string{}
	for n := range 300 {
		which := random.IntN(2)
		sc, ids := scopes[which], live[which]
		e := thing{Name: fmt.Sprintf("thing %d", n), Colour: colours[random.IntN(3)]}
		tags := map[string]string{"n": fmt.Sprint(random.IntN(5)), "colour": e.Colour}
		switch action := random.IntN(6); {
		case action < 3 || len(ids) == 0:
			made, err := w.things.Create(w.ctx, sc, &e, tags)
			ok(t, err)
			live[which] = append(ids, made.ID)
		case action == 3:
			ok(t, w.things.Update(w.ctx, sc, ids[random.IntN(len(ids))], func(_ store.Tx, old *thing) error { *old = e; return nil }))
		case action == 4:
			arn := domain.ARN{Region: region, Account: account, Instance: sc.ID, Kind: domain.KindPrompt, ID: ids[random.IntN(len(ids))]}
			ok(t, w.catalog.SetTags(w.ctx, arn, tags, []string{"colour"}))
		default:
			i := random.IntN(len(ids))
			ok(t, w.things.Delete(w.ctx, sc, ids[i], nil))
			live[which] = slices.Delete(ids, i, i+1)
		}
	}
	// A kind that is indexed for its tags alone.
	_, err := w.boxes.Create(w.ctx, w.one, &box{Name: "box"}, map[string]string{"kind": "box"})
	ok(t, err)
	hidden, err := w.secrets.Create(w.ctx, w.one, &secret{Name: "hidden"}, nil)
	ok(t, err)
	// A resource of no instance.
	_, err = w.numbers.Create(w.ctx, w.catalog.RootScope(w.ctx), &number{Name: "+1", Region: region}, map[string]string{"kind": "number"})
	ok(t, err)

	fresh := catalog.New(catalog.Options{Account: account})
	loaded := register(fresh, 0)
	fresh.Use(w.store)
	ok(t, fresh.LoadIndex(w.ctx))

	queries := []search.Query{
		nil,
		search.Text{Field: "name", Op: search.Contains, Value: "ing 1"},
		search.Text{Field: "name", Op: search.Prefix, Value: "THING 2"},
		search.Key{Field: "colour", Values: []string{"red", "blue"}},
		search.Tag{Key: "n", Value: "3"},
		search.Tag{Key: "colour", AnyValue: true},
		search.Or{search.Key{Field: "resourceid", Values: live[0][:1]}, search.Tag{Key: "n", Value: "1"}},
	}
	for _, c := range []*catalog.Catalog{w.catalog, fresh} {
		if terms := c.TagTerms(w.catalog.RootScope(w.ctx), domain.KindPhoneNumber); len(terms) != 1 {
			t.Errorf("tags outside any instance are %v, want the number's", terms)
		}
	}
	for i, sc := range scopes {
		for _, q := range queries {
			page := catalog.Page{MaxResults: ptr(int32(1000))}
			grown, _, total, err := w.things.Search(w.ctx, sc, q, page)
			ok(t, err)
			read, _, readTotal, err := loaded.things.Search(w.ctx, sc, q, page)
			ok(t, err)
			if !slices.Equal(names(grown), names(read)) || *total != *readTotal {
				t.Errorf("instance %d, %#v: grown index finds %d %q, loaded one %d %q", i, q, *total, names(grown), *readTotal, names(read))
			}
			if q == nil && len(grown) != len(live[i]) {
				t.Errorf("instance %d: found %d of %d", i, len(grown), len(live[i]))
			}
			if len(grown) == 0 {
				t.Errorf("instance %d, %#v finds nothing and so proves nothing", i, q)
			}
		}
		for _, kind := range []domain.Kind{domain.KindPrompt, domain.KindQueue} {
			if grown, read := w.catalog.TagTerms(sc, kind), fresh.TagTerms(sc, kind); !reflect.DeepEqual(grown, read) {
				t.Errorf("instance %d, %s: tags of the grown index %v, of the loaded one %v", i, kind, grown, read)
			}
		}
	}
	root := w.catalog.RootScope(w.ctx)
	for _, k := range []kinds{w.kinds, loaded} {
		if found, _, err := k.instances.List(w.ctx, root, catalog.Page{}); err != nil || len(found) != 2 {
			t.Errorf("%d instances are listed, %v, want 2", len(found), err)
		}
		if found, _, err := k.numbers.List(w.ctx, root, catalog.Page{}); err != nil || len(found) != 1 {
			t.Errorf("%d numbers are listed, %v, want 1", len(found), err)
		}
		if found, _, err := k.secrets.List(w.ctx, w.one, catalog.Page{}); err != nil || len(found) != 0 {
			t.Errorf("%d resources of an unlisted kind are listed, %v", len(found), err)
		}
		if _, err := k.secrets.Get(w.ctx, w.one, hidden.ID); err != nil {
			t.Errorf("a resource of an unlisted kind cannot be read: %v", err)
		}
	}
}
