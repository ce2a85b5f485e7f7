package catalog_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

func TestCollection(t *testing.T) {
	w := newWorld(t, 0)
	b, err := w.boxes.Create(w.ctx, w.one, &box{Name: "box"}, nil)
	ok(t, err)
	foreign, err := w.boxes.Create(w.ctx, w.two, &box{Name: "box"}, nil)
	ok(t, err)
	made, err := w.things.Create(w.ctx, w.one, &thing{Name: "first", Parent: b.ID}, map[string]string{"a": "1"})
	ok(t, err)
	w.add(t, "second")

	t.Run("get", func(t *testing.T) {
		arn := w.one.ARN(domain.KindPrompt, made.ID)
		for give, code := range map[string]fault.Code{
			made.ID:                               "",
			arn:                                   "",
			domain.NewID():                        fault.ResourceNotFound,
			b.ID:                                  fault.ResourceNotFound,
			w.one.ARN(domain.KindQueue, made.ID):  fault.ResourceNotFound,
			w.two.ARN(domain.KindPrompt, made.ID): fault.ResourceNotFound,
			"arn:aws:connect:":                    fault.InvalidParameter,
		} {
			i, err := w.things.Get(w.ctx, w.one, give)
			fails(t, err, code)
			if err == nil && (i.Value != made.Value || i.ID != made.ID || i.Tags["a"] != "1" || !i.Modified.Equal(w.clock.Now())) {
				t.Errorf("Get(%s) is %+v", give, i)
			}
		}
		_, err := w.things.Get(w.ctx, w.two, made.ID)
		fails(t, err, fault.ResourceNotFound)
	})
	t.Run("create", func(t *testing.T) {
		for name, c := range map[string]struct {
			give thing
			code fault.Code
		}{
			"taken name":                   {thing{Name: "first"}, fault.DuplicateResource},
			"bad name":                     {thing{Name: "bad"}, fault.InvalidParameter},
			"unknown parent":               {thing{Name: "x", Parent: domain.NewID()}, fault.ResourceNotFound},
			"parent of another instance":   {thing{Name: "x", Parent: foreign.ID}, fault.ResourceNotFound},
			"parent of another kind":       {thing{Name: "x", Parent: made.ID}, fault.ResourceNotFound},
			"name that differs in case":    {thing{Name: "First"}, ""},
			"same parent, another's child": {thing{Name: "third", Parent: b.ID}, ""},
		} {
			_, err := w.things.Create(w.ctx, w.one, &c.give, nil)
			if fails(t, err, c.code); t.Failed() {
				t.Log(name)
			}
		}
		_, err := w.things.Create(w.ctx, w.two, &thing{Name: "first"}, nil)
		fails(t, err, "") // names are an instance's own
	})
	t.Run("update", func(t *testing.T) {
		w.clock.advance(time.Second)
		ok(t, w.things.Update(w.ctx, w.one, made.ID, func(_ store.Tx, e *thing) error { e.Notes = "n"; return nil }))
		i, err := w.things.Get(w.ctx, w.one, made.ID)
		ok(t, err)
		if i.Value.Notes != "n" || i.Tags["a"] != "1" || i.Modified.Sub(i.Created) != time.Second {
			t.Errorf("updated to %+v", i)
		}
		for name, c := range map[string]struct {
			change func(e *thing) error
			code   fault.Code
		}{
			"to a taken name":   {func(e *thing) error { e.Name = "second"; return nil }, fault.DuplicateResource},
			"to a bad name":     {func(e *thing) error { e.Name = "bad"; return nil }, fault.InvalidParameter},
			"to no such parent": {func(e *thing) error { e.Parent = domain.NewID(); return nil }, fault.ResourceNotFound},
			"refused":           {func(e *thing) error { e.Notes = "lost"; return fault.New(fault.InvalidRequest, "no") }, fault.InvalidRequest},
		} {
			t.Run(name, func(t *testing.T) {
				fails(t, w.things.Update(w.ctx, w.one, made.ID, func(_ store.Tx, e *thing) error { return c.change(e) }), c.code)
				if i, err := w.things.Get(w.ctx, w.one, made.ID); err != nil || i.Value.Notes != "n" || i.Name != "first" {
					t.Errorf("left as %+v, %v", i, err)
				}
			})
		}
	})
	t.Run("delete", func(t *testing.T) {
		single, err := w.boxes.Create(w.ctx, w.one, &box{Name: "single"}, nil)
		ok(t, err)
		only, err := w.things.Create(w.ctx, w.one, &thing{Name: "only", Parent: single.ID}, nil)
		ok(t, err)
		err = w.boxes.Delete(w.ctx, w.one, single.ID, nil)
		fails(t, err, fault.ResourceInUse)
		if got, want := fault.From(err).Members["ResourceId"], w.one.ARN(domain.KindQueue, single.ID); got != want {
			t.Errorf("ResourceId is %v, want %s", got, want)
		}
		fails(t, w.things.Delete(w.ctx, w.one, only.ID, func(_ store.Tx, i *catalog.Item[thing]) error {
			return fault.New(fault.InvalidRequest, "keep %s", i.Name)
		}), fault.InvalidRequest)
		ok(t, w.things.Update(w.ctx, w.one, only.ID, func(_ store.Tx, e *thing) error { e.Parent = b.ID; return nil }))
		ok(t, w.boxes.Delete(w.ctx, w.one, single.ID, nil))
		ok(t, w.things.Delete(w.ctx, w.one, only.ID, nil))
		fails(t, w.things.Delete(w.ctx, w.one, only.ID, nil), fault.ResourceNotFound)
	})
}

func TestInsertAs(t *testing.T) {
	w := newWorld(t, 0)
	id := domain.NewID()
	insert := func(name string) error {
		return w.store.Update(w.ctx, func(tx store.Tx) error {
			_, err := w.things.InsertAs(w.ctx, tx, w.one, id, &thing{Name: name}, nil)
			return err
		})
	}
	ok(t, insert("chosen"))
	if i, err := w.things.Get(w.ctx, w.one, id); err != nil || i.Name != "chosen" {
		t.Errorf("under the chosen id there is %+v, %v", i, err)
	}
	fails(t, insert("again"), fault.DuplicateResource)
}

func TestOutsideInstances(t *testing.T) {
	w := newWorld(t, 0)
	root := w.catalog.RootScope(w.ctx)
	made, err := w.numbers.Create(w.ctx, root, &number{Name: "+1", Region: region}, nil)
	ok(t, err)
	arn := root.ARN(domain.KindPhoneNumber, made.ID)
	for _, give := range []string{made.ID, arn} {
		_, err := w.numbers.Get(w.ctx, root, give)
		fails(t, err, "")
		_, err = w.numbers.Get(w.ctx, w.catalog.RootScope(in("eu-west-2")), give)
		fails(t, err, fault.ResourceNotFound)
	}
	tagged, err := domain.ParseARN(arn)
	ok(t, err)
	ok(t, w.catalog.SetTags(w.ctx, tagged, map[string]string{"a": "1"}, nil))
	// The same id by an ARN that lies about the region.
	tagged.Region = "eu-west-2"
	fails(t, w.catalog.SetTags(in("eu-west-2"), tagged, map[string]string{"a": "2"}, nil), fault.ResourceNotFound)
}

func TestQuota(t *testing.T) {
	w := newWorld(t, 2)
	made := w.add(t, "a", "b")
	_, err := w.things.Create(w.ctx, w.one, &thing{Name: "c"}, nil)
	fails(t, err, fault.LimitExceeded)
	_, err = w.things.Create(w.ctx, w.two, &thing{Name: "c"}, nil)
	fails(t, err, "") // each instance has its own
	for _, name := range []string{"x", "y", "z"} {
		_, err = w.boxes.Create(w.ctx, w.one, &box{Name: name}, nil)
		fails(t, err, "") // a kind without a quota
	}
	ok(t, w.things.Delete(w.ctx, w.one, made[0].ID, nil))
	_, err = w.things.Create(w.ctx, w.one, &thing{Name: "c"}, nil)
	fails(t, err, "")
}

// pages reads a list to its end and returns the names page by page.
func pages(t *testing.T, size int32, read func(p catalog.Page) ([]string, *string, error)) [][]string {
	t.Helper()
	var all [][]string
	p := catalog.Page{MaxResults: &size}
	for {
		names, next, err := read(p)
		ok(t, err)
		all = append(all, names)
		if next == nil {
			return all
		}
		if len(all) > 100 {
			t.Fatal("the list does not end")
		}
		p.NextToken = next
	}
}

func names(items []*catalog.Item[thing]) []string {
	return catalog.Map(items, func(i *catalog.Item[thing]) string { return i.Name })
}

func TestPages(t *testing.T) {
	w := newWorld(t, 0)
	parent, err := w.boxes.Create(w.ctx, w.one, &box{Name: "parent"}, nil)
	ok(t, err)
	for i := range 7 {
		e := &thing{Name: fmt.Sprint(i)}
		if i%2 == 0 {
			e.Parent = parent.ID
		}
		_, err := w.things.Create(w.ctx, w.one, e, nil)
		ok(t, err)
	}
	_, err = w.things.Create(w.ctx, w.two, &thing{Name: "of another instance"}, nil)
	ok(t, err)

	even := func(i *catalog.Item[thing]) bool { return i.Value.Parent != "" }
	read := func(items []*catalog.Item[thing], next *string, err error) ([]string, *string, error) {
		return names(items), next, err
	}
	list := func(p catalog.Page) ([]string, *string, error) { return read(w.things.List(w.ctx, w.one, p)) }
	where := func(p catalog.Page) ([]string, *string, error) {
		return read(w.things.ListWhere(w.ctx, w.one, p, even))
	}
	referring := func(p catalog.Page) ([]string, *string, error) {
		return read(w.things.Referring(w.ctx, w.store, w.one, parent.PK(), roleParent, p))
	}
	referringWhere := func(p catalog.Page) ([]string, *string, error) {
		return read(w.things.ReferringWhere(w.ctx, w.store, w.one, parent.PK(), roleParent, p, func(i *catalog.Item[thing]) bool {
			return i.Name != "2"
		}))
	}
	several := func(p catalog.Page) ([]string, *string, error) {
		found, next, err := w.catalog.Headers(w.ctx, w.one, p, domain.KindQueue, domain.KindPrompt)
		return catalog.Map(found, func(h catalog.Header) string { return h.Name }), next, err
	}
	slice := func(p catalog.Page) ([]string, *string, error) {
		return catalog.Slice(w.one, domain.KindInstance, p, []string{"a", "b", "c"})
	}
	for name, c := range map[string]struct {
		read func(catalog.Page) ([]string, *string, error)
		size int32
		want [][]string
	}{
		"list":                   {list, 3, [][]string{{"0", "1", "2"}, {"3", "4", "5"}, {"6"}}},
		"list in one":            {list, 100, [][]string{{"0", "1", "2", "3", "4", "5", "6"}}},
		"list in exactly one":    {list, 7, [][]string{{"0", "1", "2", "3", "4", "5", "6"}}},
		"where":                  {where, 1, [][]string{{"0"}, {"2"}, {"4"}, {"6"}}},
		"where, full pages":      {where, 2, [][]string{{"0", "2"}, {"4", "6"}}},
		"referring":              {referring, 3, [][]string{{"0", "2", "4"}, {"6"}}},
		"referring where":        {referringWhere, 1, [][]string{{"0"}, {"4"}, {"6"}}},
		"several kinds":          {several, 3, [][]string{{"parent", "0", "1"}, {"2", "3", "4"}, {"5", "6"}}},
		"several, between kinds": {several, 1, [][]string{{"parent"}, {"0"}, {"1"}, {"2"}, {"3"}, {"4"}, {"5"}, {"6"}}},
		"slice":                  {slice, 2, [][]string{{"a", "b"}, {"c"}}},
		"slice, full pages":      {slice, 3, [][]string{{"a", "b", "c"}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := pages(t, c.size, c.read); !slices.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("pages are %q, want %q", got, c.want)
			}
		})
	}
	t.Run("what is made meanwhile comes at the end", func(t *testing.T) {
		_, next, err := w.things.List(w.ctx, w.one, catalog.Page{MaxResults: ptr(int32(3))})
		ok(t, err)
		w.add(t, "late")
		found, _, err := w.things.List(w.ctx, w.one, catalog.Page{NextToken: next})
		ok(t, err)
		if got := names(found); !slices.Equal(got, []string{"3", "4", "5", "6", "late"}) {
			t.Errorf("the second page is %q", got)
		}
	})
}

func TestForeignTokens(t *testing.T) {
	w := newWorld(t, 0)
	w.add(t, "a", "b", "c")
	for _, name := range []string{"a", "b", "c"} {
		_, err := w.boxes.Create(w.ctx, w.one, &box{Name: name}, nil)
		ok(t, err)
	}
	first := catalog.Page{MaxResults: ptr(int32(1))}
	_, listed, err := w.things.List(w.ctx, w.one, first)
	ok(t, err)
	_, boxed, err := w.boxes.List(w.ctx, w.one, first)
	ok(t, err)
	_, sliced, err := catalog.Slice(w.one, domain.KindPrompt, first, []string{"a", "b", "c"})
	ok(t, err)
	_, searched, _, err := w.things.Search(w.ctx, w.one, nil, first)
	ok(t, err)
	_, both, err := w.catalog.Headers(w.ctx, w.one, first, domain.KindPrompt, domain.KindUser)
	ok(t, err)
	for _, token := range []*string{listed, boxed, sliced, searched, both} {
		if token == nil {
			t.Fatal("a first page of three has no token")
		}
	}
	all := []string{"a", "b", "c"}
	list := func(sc catalog.Scope) func(catalog.Page) error {
		return func(p catalog.Page) error { _, _, err := w.things.List(w.ctx, sc, p); return err }
	}
	search := func(p catalog.Page) error { _, _, _, err := w.things.Search(w.ctx, w.one, nil, p); return err }
	slice := func(p catalog.Page) error { _, _, err := catalog.Slice(w.one, domain.KindPrompt, p, all); return err }
	several := func(p catalog.Page) error {
		_, _, err := w.catalog.Headers(w.ctx, w.one, p, domain.KindPrompt, domain.KindUser)
		return err
	}
	for name, c := range map[string]struct {
		read  func(catalog.Page) error
		token string
		code  fault.Code
	}{
		"own":                             {list(w.one), *listed, ""},
		"empty":                           {list(w.one), "", ""},
		"of another kind":                 {list(w.one), *boxed, fault.InvalidParameter},
		"of another instance":             {list(w.two), *listed, fault.InvalidParameter},
		"of a search, for a list":         {list(w.one), *searched, fault.InvalidParameter},
		"of a slice, for a list":          {list(w.one), *sliced, fault.InvalidParameter},
		"of a list, for a search":         {search, *listed, fault.InvalidParameter},
		"of a search":                     {search, *searched, ""},
		"of a list, for a slice":          {slice, *listed, fault.InvalidParameter},
		"of a slice":                      {slice, *sliced, ""},
		"of several kinds":                {several, *both, ""},
		"of a list, for several kinds":    {several, *listed, fault.InvalidParameter},
		"of several kinds, for a list":    {list(w.one), *both, fault.InvalidParameter},
		"of none of several kinds":        {several, *boxed, fault.InvalidParameter},
		"no base64":                       {list(w.one), "not a token!", fault.InvalidParameter},
		"base64 of something else":        {list(w.one), "aGVsbG8", fault.InvalidParameter},
		"own, cut":                        {list(w.one), (*listed)[:len(*listed)-4], fault.InvalidParameter},
		"own, with something in the back": {list(w.one), *listed + "AAAA", fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, c.read(catalog.Page{MaxResults: ptr(int32(1)), NextToken: &c.token}), c.code)
		})
	}
}
