package once

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newStore returns a store and what puts its clock forward.
func newStore(t *testing.T) (store.Store, func(time.Duration)) {
	t.Helper()
	var passed atomic.Int64
	st, err := sqlstore.Open(t.Context(), sqlstore.Options{
		Dir: t.TempDir(), Now: func() time.Time { return noon.Add(time.Duration(passed.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st, func(d time.Duration) { passed.Add(int64(d)) }
}

// use uses a thing, or a part of it, until an hour after noon.
func use(t *testing.T, b *Book, k Kind, id, part string) bool {
	t.Helper()
	first, err := b.Use(t.Context(), Thing{Kind: k, ID: id, Expires: noon.Add(time.Hour)}, part)
	if err != nil {
		t.Fatal(err)
	}
	return first
}

func TestUse(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []string
		first []bool
	}{
		{"the whole", []string{"", "", "a"}, []bool{true, false, false}},
		{"parts", []string{"a", "b", "a", "b", "c", ""}, []bool{true, true, false, false, true, false}},
	} {
		st, _ := newStore(t)
		for i, part := range c.parts {
			// A second Book is a second server, or this one after a restart.
			if first := use(t, New(st), Token, "id", part); first != c.first[i] {
				t.Errorf("%s: use %d, of %q, is the first: %t", c.name, i, part, first)
			}
		}
		if !use(t, New(st), Token, "another", "") || !use(t, New(st), Assertion, "id", "") {
			t.Errorf("%s: another thing has been used with it", c.name)
		}
	}
	if Name("a", "bc") == Name("ab", "c") {
		t.Error("two names are one")
	}
}

// TestUseAtOnce: of many that use one thing at the same time one does.
func TestUseAtOnce(t *testing.T) {
	st, _ := newStore(t)
	b := New(st)
	var firsts atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			first, err := b.Use(t.Context(), Thing{Kind: Token, ID: "id", Expires: noon.Add(time.Hour)}, "")
			if err != nil {
				t.Error(err)
			}
			if first {
				firsts.Add(1)
			}
		})
	}
	wg.Wait()
	if n := firsts.Load(); n != 1 {
		t.Errorf("%d were the first", n)
	}
}

// TestUpgrade: what an earlier release has written down holds. The keys are the
// hashes of what is named beside them.
func TestUpgrade(t *testing.T) {
	for _, c := range []struct {
		name, key, answer string
		kind              Kind
		id                string
		whole             bool     // can be used
		parts             []string // can be used
		used              []string // cannot
	}{
		{
			"a token", "signin/used/pWFFJwzms769HdAStzlIZ33WGNSWSIvGCKPLQ841R90", "", Token, "id", false, nil, []string{"a"},
		},
		{
			"an assertion on a page", "saml assertion 6859b13432c1c404b532ae7da84645bba4ef133f14dbc81f88251b0c40025341", `{"page":true}`, Assertion, Name("https://id.example.org", "_1"), false, nil, []string{"a"},
		},
		{
			"an assertion for roles", "saml assertion 6859b13432c1c404b532ae7da84645bba4ef133f14dbc81f88251b0c40025341", `{"roles":["a","b"]}`, Assertion, Name("https://id.example.org", "_1"), false, []string{"c"}, []string{"a", "b"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			st, _ := newStore(t)
			err := st.Update(t.Context(), func(tx store.Tx) error {
				m := store.Memo{Expires: noon.Add(time.Hour)}
				if c.answer != "" {
					m.Answer = []byte(c.answer)
				}
				return tx.Remember(t.Context(), c.key, m)
			})
			if err != nil {
				t.Fatal(err)
			}
			b := New(st)
			if use(t, b, c.kind, c.id, "") != c.whole {
				t.Error("it can be used again as a whole")
			}
			for _, part := range c.used {
				if use(t, b, c.kind, c.id, part) {
					t.Errorf("%q can be used again", part)
				}
			}
			for _, part := range c.parts {
				if !use(t, b, c.kind, c.id, part) {
					t.Errorf("%q cannot be used", part)
				}
			}
		})
	}
}

func TestGive(t *testing.T) {
	type what struct {
		User string `json:"u"`
	}
	st, pass := newStore(t)
	b := New(st)
	give := func(id string) {
		t.Helper()
		if err := b.Give(t.Context(), Thing{Kind: Link, ID: id, Expires: noon.Add(time.Hour)}, what{id + "'s"}); err != nil {
			t.Fatal(err)
		}
	}
	look := func(id string, want bool) {
		t.Helper()
		var w what
		there, err := b.Look(t.Context(), Link, id, &w)
		if err != nil || there != want || there && w.User != id+"'s" {
			t.Errorf("%s: %t, %+v, %v", id, there, w, err)
		}
	}
	take := func(id string, want bool) {
		t.Helper()
		if mine, err := b.Take(t.Context(), Link, id); err != nil || mine != want {
			t.Errorf("%s: %t, %v", id, mine, err)
		}
	}
	give("a")
	give("b")
	look("a", true)
	look("a", true)
	take("a", true)
	take("a", false)
	look("a", false)
	look("b", true)
	look("never", false)
	take("never", false)
	pass(time.Hour)
	look("b", false)
	take("b", false)
	// As an earlier release has put it down.
	err := st.Update(t.Context(), func(tx store.Tx) error {
		return tx.Remember(t.Context(), "signin/reset/y6BrVzb69n5UsHtWHq6UOV53TFF6fZEKVDaeEmPM-9Q", store.Memo{Answer: []byte(`{"u":"old's"}`), Expires: noon.Add(2 * time.Hour)})
	})
	if err != nil {
		t.Fatal(err)
	}
	look("old", true)
	take("old", true)
}

// TestFails: when the store fails nothing has been used, and nothing is there.
func TestFails(t *testing.T) {
	st, _ := newStore(t)
	b := New(st)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	thing := Thing{Kind: Token, ID: "id", Expires: noon.Add(time.Hour)}
	if first, err := b.Use(ctx, thing, ""); !errors.Is(err, context.Canceled) || first {
		t.Errorf("Use: %t, %v", first, err)
	}
	if err := b.Give(ctx, thing, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("Give: %v", err)
	}
	var what string
	if there, err := b.Look(ctx, Token, "id", &what); !errors.Is(err, context.Canceled) || there {
		t.Errorf("Look: %t, %v", there, err)
	}
	if mine, err := b.Take(ctx, Token, "id"); !errors.Is(err, context.Canceled) || mine {
		t.Errorf("Take: %t, %v", mine, err)
	}
	if !use(t, b, Token, "id", "") {
		t.Error("it has been used by one who was told that it had not")
	}
}
