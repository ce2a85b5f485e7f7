package catalog_test

import (
	"slices"
	"testing"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

func TestParts(t *testing.T) {
	w := newWorld(t, 2)
	box := func(name string) string {
		made, err := w.boxes.Create(w.ctx, w.one, &box{Name: name}, nil)
		ok(t, err)
		return made.ID
	}
	add := func(box, name string) (string, error) {
		made, err := w.pages.Create(w.ctx, w.one, &page{box, name}, nil)
		if err != nil {
			return "", err
		}
		return made.ID, nil
	}
	a, b := box("a"), box("b")
	first, err := add(a, "first")
	ok(t, err)
	second, err := add(a, "second")
	ok(t, err)
	other, err := add(b, "first") // the name is taken in a, not in b
	ok(t, err)

	for name, c := range map[string]struct {
		box, page string
		code      fault.Code
	}{
		"one more than the quota of a box": {a, "third", fault.LimitExceeded},
		"taken among its siblings":         {b, "first", fault.DuplicateResource},
		"of nothing":                       {domain.NewID(), "first", fault.ResourceNotFound},
		"of another kind":                  {first, "first", fault.ResourceNotFound},
	} {
		if _, err := add(c.box, c.page); !fault.Is(err, c.code) {
			t.Errorf("a page %s: %v, want %s", name, err, c.code)
		}
	}

	list := func(box string, p catalog.Page) ([]string, *string) {
		t.Helper()
		found, next, err := w.pages.ListParts(w.ctx, w.one, box, p, nil)
		ok(t, err)
		return catalog.Map(found, func(i *catalog.Item[page]) string { return i.ID }), next
	}
	one := int32(1)
	got, next := list(w.one.ARN(domain.KindQueue, a), catalog.Page{MaxResults: &one})
	if !slices.Equal(got, []string{first}) || next == nil {
		t.Fatalf("the first page of the list is %s, token %v", got, next)
	}
	if got, next = list(a, catalog.Page{MaxResults: &one, NextToken: next}); !slices.Equal(got, []string{second}) || next != nil {
		t.Errorf("the last page of the list is %s, token %v", got, next)
	}
	_, _, err = w.pages.ListParts(w.ctx, w.one, domain.NewID(), catalog.Page{}, nil)
	fails(t, err, fault.ResourceNotFound)

	_, err = w.pages.GetPart(w.ctx, w.one, a, first)
	ok(t, err)
	_, err = w.pages.GetPart(w.ctx, w.one, b, first)
	fails(t, err, fault.ResourceNotFound)
	named, err := w.pages.PartNamed(w.ctx, w.store, w.one, b, "first")
	ok(t, err)
	if named.ID != other {
		t.Errorf("the page first of b is %s, want %s", named.ID, other)
	}

	// A note about a page keeps it, but not the box with both.
	_, err = w.notes.Create(w.ctx, w.one, &note{a, first}, nil)
	ok(t, err)
	fails(t, w.pages.Delete(w.ctx, w.one, first, nil), fault.ResourceInUse)
	ok(t, w.boxes.Delete(w.ctx, w.one, a, nil))
	for _, id := range []string{first, second} {
		_, err = w.pages.Get(w.ctx, w.one, id)
		fails(t, err, fault.ResourceNotFound)
	}
	_, _, err = w.pages.ListParts(w.ctx, w.one, a, catalog.Page{}, nil)
	fails(t, err, fault.ResourceNotFound)
	if left, err := w.pages.AllParts(w.ctx, w.store, w.one, b); err != nil || len(left) != 1 {
		t.Errorf("b has %d pages, %v", len(left), err)
	}

	// What something else refers to keeps its whole parent.
	_, err = w.things.Create(w.ctx, w.one, &thing{Name: "about b", Parent: b}, nil)
	ok(t, err)
	fails(t, w.boxes.Delete(w.ctx, w.one, b, nil), fault.ResourceInUse)
	ok(t, w.store.View(w.ctx, func(rd store.Reader) error {
		_, err := w.pages.GetIn(w.ctx, rd, w.one, other)
		return err
	}))
}
