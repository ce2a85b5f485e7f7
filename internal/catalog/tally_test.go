package catalog_test

import (
	"iter"
	"testing"
	"time"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

func TestTally(t *testing.T) {
	w := newWorld(t, 0)
	tally := catalog.Tally{Key: "Make/quota", Span: time.Hour}
	count := func(key string, more bool) (n int) {
		t.Helper()
		tally.Key = key
		ok(t, w.store.Update(w.ctx, func(tx store.Tx) error {
			var err error
			if n, err = w.catalog.Tallied(w.ctx, tx, tally); err != nil || !more {
				return err
			}
			return w.catalog.Tally(w.ctx, tx, tally)
		}))
		return n
	}
	for want := range 3 {
		if n := count("a", true); n != want {
			t.Errorf("tallied %d, want %d", n, want)
		}
		w.clock.advance(20 * time.Minute)
	}
	if n := count("b", false); n != 0 {
		t.Errorf("tallied %d under another key", n)
	}
	// The first is an hour ago by now.
	if n := count("a", false); n != 2 {
		t.Errorf("tallied %d within the hour, want 2", n)
	}
}

func TestSequence(t *testing.T) {
	sc := catalog.Scope{PK: 7}
	all := []string{"a", "b", "c", "d", "e"}
	from := func(after string) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) {
			for _, s := range all {
				if s > after && !yield(s, nil) {
					return
				}
			}
		}
	}
	self := func(s string) string { return s }
	two := int32(2)
	var got []string
	var token *string
	for {
		page, next, err := catalog.Sequence(sc, domain.KindPhoneNumber, catalog.Page{MaxResults: &two, NextToken: token}, from, self)
		ok(t, err)
		if len(page) > 2 {
			t.Errorf("a page has %v", page)
		}
		got = append(got, page...)
		if next == nil {
			break
		}
		token = next
	}
	if len(got) != len(all) {
		t.Errorf("the pages are %v", got)
	}
	for what, call := range map[string]func() error{
		"another kind": func() error {
			_, _, err := catalog.Sequence(sc, domain.KindUser, catalog.Page{NextToken: token}, from, self)
			return err
		},
		"another instance": func() error {
			_, _, err := catalog.Sequence(catalog.Scope{PK: 8}, domain.KindPhoneNumber, catalog.Page{NextToken: token}, from, self)
			return err
		},
	} {
		if err := call(); !fault.Is(err, fault.InvalidParameter) {
			t.Errorf("%s: %v", what, err)
		}
	}
	broken := fault.New(fault.InternalService, "broken")
	_, _, err := catalog.Sequence(sc, domain.KindPhoneNumber, catalog.Page{}, func(string) iter.Seq2[string, error] {
		return func(yield func(string, error) bool) { yield("", broken) }
	}, self)
	if !fault.Is(err, fault.InternalService) {
		t.Errorf("a failing list: %v", err)
	}
}
