package catalog_test

import (
	"slices"
	"testing"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
)

// loan joins a page of a box and a thing, and goes with either. It is kept as
// an association of a workspace.
type loan struct {
	Page, Thing string
	Words       []string
}

func newLoans(w *world) *catalog.Collection[loan] {
	return catalog.Register(w.catalog, catalog.Kind[loan]{
		Of: domain.KindWorkspaceAssociation, Name: func(e *loan) string { return e.Thing }, NoTags: true,
		Parent: &catalog.Parent[loan]{Kind: domain.KindWorkspacePage, Role: "loan-of", ID: func(e *loan) string { return e.Page }},
		Refs: func(e *loan) []catalog.Ref {
			return []catalog.Ref{{Role: "lent-to", Kind: domain.KindPrompt, ID: e.Thing}}
		},
		GoesWith: []catalog.Tie{{Kind: domain.KindPrompt, Role: "lent-to"}},
		Fields:   catalog.Fields[loan]{"words": catalog.TextsField(func(e *loan) []string { return e.Words })},
	})
}

func TestTies(t *testing.T) {
	w := newWorld(t, 0)
	loans := newLoans(w)
	b, err := w.boxes.Create(w.ctx, w.one, &box{Name: "box"}, nil)
	ok(t, err)
	p, err := w.pages.Create(w.ctx, w.one, &page{b.ID, "page"}, nil)
	ok(t, err)
	things := w.add(t, "first", "second")
	var made []string
	for _, thing := range things {
		l, err := loans.Create(w.ctx, w.one, &loan{Page: p.ID, Thing: thing.ID}, nil)
		ok(t, err)
		made = append(made, l.ID)
	}
	_, err = loans.Create(w.ctx, w.one, &loan{Page: p.ID, Thing: domain.NewID()}, nil)
	fails(t, err, fault.ResourceNotFound)

	left := func(want ...string) {
		t.Helper()
		all, err := loans.All(w.ctx, w.store, w.one)
		ok(t, err)
		if got := catalog.Map(all, func(i *catalog.Item[loan]) string { return i.ID }); !slices.Equal(got, want) {
			t.Errorf("the loans are %s, want %s", got, want)
		}
	}
	ok(t, w.things.Delete(w.ctx, w.one, things[0].ID, nil))
	left(made[1])
	ok(t, w.boxes.Delete(w.ctx, w.one, b.ID, nil)) // of whose part the loan is a part
	left()
	ok(t, w.things.Delete(w.ctx, w.one, things[1].ID, nil))
}

func TestSearchNewest(t *testing.T) {
	w := newWorld(t, 0)
	loans := newLoans(w)
	b, err := w.boxes.Create(w.ctx, w.one, &box{Name: "box"}, nil)
	ok(t, err)
	p, err := w.pages.Create(w.ctx, w.one, &page{b.ID, "page"}, nil)
	ok(t, err)
	var ids []string
	add := func(name string, words ...string) {
		t.Helper()
		l, err := loans.Create(w.ctx, w.one, &loan{Page: p.ID, Thing: w.add(t, name)[0].ID, Words: words}, nil)
		ok(t, err)
		ids = append(ids, l.ID)
	}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		add(name, name, "all")
	}
	two := int32(2)
	var token *string
	var got []string
	for n := 0; n == 0 || token != nil; n++ {
		found, next, total, err := loans.SearchNewest(w.ctx, w.one, search.Text{Field: "words", Value: "ALL"}, catalog.Page{MaxResults: &two, NextToken: token})
		ok(t, err)
		for _, i := range found {
			got = append(got, i.Value.Words[0])
		}
		if want := int64(len(ids)); *total != want {
			t.Errorf("page %d counts %d, want %d", n, *total, want)
		}
		token = next
		add("later "+string(rune('a'+n)), "later", "all") // is on no page any more
	}
	if want := []string{"e", "d", "c", "b", "a"}; !slices.Equal(got, want) {
		t.Errorf("the pages hold %s, want %s", got, want)
	}
	_, next, _, err := loans.Search(w.ctx, w.one, search.All{}, catalog.Page{MaxResults: &two})
	ok(t, err)
	_, _, _, err = loans.SearchNewest(w.ctx, w.one, search.All{}, catalog.Page{NextToken: next})
	fails(t, err, fault.InvalidParameter)
}
