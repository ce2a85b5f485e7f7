package catalog_test

import (
	"slices"
	"testing"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// FuzzNextToken gives a list whatever a client may send: either the token is
// refused, or the page is a run of the list.
func FuzzNextToken(f *testing.F) {
	sc := catalog.Scope{PK: store.PK(7)}
	all := []string{"a", "b", "c", "d", "e"}
	for size := range int32(6) {
		_, next, err := catalog.Slice(sc, domain.KindQueue, catalog.Page{MaxResults: &size}, all)
		if err != nil {
			f.Fatal(err)
		}
		if next != nil {
			f.Add(*next, size)
		}
	}
	f.Add("", int32(2))
	f.Add("YyA4IDcgOTIyMzM3MjAzNjg1NDc3NTgwNyA5NTkzZWE2NA", int32(2)) // the place 1<<63-1
	f.Add("YyA4IDcgLTEgZjk1NjM3NDQ", int32(2))                        // the place -1
	f.Add("bCA4IDcgMyBlY2M1MTYwMQ", int32(2))                         // of a list of records
	f.Fuzz(func(t *testing.T, token string, size int32) {
		page, next, err := catalog.Slice(sc, domain.KindQueue, catalog.Page{MaxResults: &size, NextToken: &token}, all)
		if err != nil {
			if !fault.Is(err, fault.InvalidParameter) {
				t.Fatalf("token %q gives %v", token, err)
			}
			return
		}
		if size > 0 && len(page) > int(size) {
			t.Errorf("token %q gives %d elements, %d are allowed", token, len(page), size)
		}
		if len(page) == 0 {
			if next != nil {
				t.Errorf("token %q gives nothing, and a next page", token)
			}
			return
		}
		from := slices.Index(all, page[0])
		if end := from + len(page); from < 0 || end > len(all) || !slices.Equal(page, all[from:end]) || (next != nil) != (end < len(all)) {
			t.Errorf("token %q gives %q, next page %t", token, page, next != nil)
		}
	})
}

// TestOrdered pages through a list that changes meanwhile.
func TestOrdered(t *testing.T) {
	sc := catalog.Scope{PK: store.PK(7)}
	key := func(s string) string { return s }
	two := int32(2)
	list := []string{"a", "b b", "c", "d", "e"}
	page, next, err := catalog.Ordered(sc, domain.KindView, catalog.Page{MaxResults: &two}, list, key)
	if err != nil || !slices.Equal(page, []string{"a", "b b"}) || next == nil {
		t.Fatalf("the first page is %q, %v, %v", page, next, err)
	}
	list = []string{"0", "a", "bb", "d", "e"} // one more in front, and the last one shown and the next are gone
	page, next, err = catalog.Ordered(sc, domain.KindView, catalog.Page{MaxResults: &two, NextToken: next}, list, key)
	if err != nil || !slices.Equal(page, []string{"bb", "d"}) || next == nil {
		t.Fatalf("the second page is %q, %v, %v", page, next, err)
	}
	page, last, err := catalog.Ordered(sc, domain.KindView, catalog.Page{MaxResults: &two, NextToken: next}, list, key)
	if err != nil || !slices.Equal(page, []string{"e"}) || last != nil {
		t.Errorf("the last page is %q, %v, %v", page, last, err)
	}
	if _, _, err := catalog.Ordered(sc, domain.KindQueue, catalog.Page{NextToken: next}, list, key); !fault.Is(err, fault.InvalidParameter) {
		t.Errorf("a token of another list: %v", err)
	}
}
