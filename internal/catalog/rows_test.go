package catalog_test

import (
	"slices"
	"testing"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// letters are the rows of a page in these tests.
func letters(i *catalog.Item[page]) (rows []catalog.Row[string]) {
	for _, c := range i.Name {
		rows = append(rows, catalog.Row[string]{Key: string(c), Value: i.Name + string(c)})
	}
	return rows
}

func TestListRows(t *testing.T) {
	w := newWorld(t, 10)
	made, err := w.boxes.Create(w.ctx, w.one, &box{Name: "box"}, nil)
	ok(t, err)
	pages := map[string]string{}
	for _, name := range []string{"abc", "", "d", "ef"} {
		i, err := w.pages.Create(w.ctx, w.one, &page{made.ID, name}, nil)
		ok(t, err)
		pages[name] = i.ID
	}
	list := func(size int32, token *string) ([]string, *string, error) {
		return catalog.ListRows(w.ctx, w.store, w.pages, w.one, made.ID, catalog.Page{MaxResults: &size, NextToken: token}, letters)
	}
	want := []string{"abca", "abcb", "abcc", "dd", "efe", "eff"}
	for size := int32(1); size <= 7; size++ {
		var all []string
		for token := (*string)(nil); ; {
			found, next, err := list(size, token)
			ok(t, err)
			if len(found) > int(size) || next != nil && len(found) < int(size) {
				t.Fatalf("a page of %d rows has %q", size, found)
			}
			all = append(all, found...)
			if token = next; token == nil {
				break
			}
		}
		if !slices.Equal(all, want) {
			t.Errorf("in pages of %d the rows are %q, want %q", size, all, want)
		}
	}

	// The part in which a page ended may be gone.
	_, next, err := list(2, nil)
	ok(t, err)
	ok(t, w.pages.Delete(w.ctx, w.one, pages["abc"], nil))
	found, _, err := list(2, next)
	ok(t, err)
	if want := []string{"dd", "efe"}; !slices.Equal(found, want) {
		t.Errorf("after what is gone come %q, want %q", found, want)
	}

	_, other, err := w.pages.ListParts(w.ctx, w.one, made.ID, catalog.Page{MaxResults: ptr(int32(1))}, nil)
	ok(t, err)
	_, _, err = list(2, other)
	fails(t, err, fault.InvalidParameter)
	_, _, err = catalog.ListRows(w.ctx, store.Reader(w.store), w.pages, w.one, domain.NewID(), catalog.Page{}, letters)
	fails(t, err, fault.ResourceNotFound)
}
