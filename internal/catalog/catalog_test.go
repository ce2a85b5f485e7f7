package catalog_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

const (
	account = "123456789012"
	region  = "us-east-1"
)

// thing is an entity with all that the catalog can do for one. It is kept as a
// prompt; its Parent is a queue.
type thing struct {
	Name, Notes, Colour, Parent string
}

const roleParent store.Role = "parent"

func thingKind(quota int) catalog.Kind[thing] {
	return catalog.Kind[thing]{
		Of:    domain.KindPrompt,
		Name:  func(e *thing) string { return e.Name },
		Quota: quota,
		Refs: func(e *thing) []catalog.Ref {
			if e.Parent == "" {
				return nil
			}
			return []catalog.Ref{{Role: roleParent, Kind: domain.KindQueue, ID: e.Parent}}
		},
		Check: func(e *thing) error {
			if e.Name == "bad" {
				return fault.New(fault.InvalidParameter, "Name must not be bad")
			}
			return nil
		},
		Fields: catalog.Fields[thing]{
			"name":       catalog.TextField(func(e *thing) string { return e.Name }),
			"colour":     catalog.KeyField(func(e *thing) []string { return []string{e.Colour} }),
			"resourceID": catalog.IDField[thing](),
		},
	}
}

// box is an entity that things refer to: named, not searchable. It is kept as
// a queue.
type box struct{ Name string }

// number is an entity outside any instance. It is kept as a phone number.
type number struct{ Name, Region string }

// page and note are parts of a box, and a note may be about a page of its box.
// They are kept as a workspace's page and media.
type page struct{ Box, Name string }

type note struct{ Box, Page string }

const (
	rolePageOf store.Role = "page-of"
	roleNoteOf store.Role = "note-of"
	roleAbout  store.Role = "about"
)

// secret is an entity that can be neither tagged nor listed. It is kept as a
// predefined attribute.
type secret struct{ Name string }

// world is a catalog over a store of its own, with two instances.
type world struct {
	ctx     context.Context // of a caller in region
	clock   *clock
	store   store.Store
	catalog *catalog.Catalog
	kinds
	one, two catalog.Scope
}

type kinds struct {
	instances *catalog.Collection[domain.Instance]
	things    *catalog.Collection[thing]
	boxes     *catalog.Collection[box]
	numbers   *catalog.Collection[number]
	secrets   *catalog.Collection[secret]
	pages     *catalog.Collection[page]
	notes     *catalog.Collection[note]
}

func register(c *catalog.Catalog, quota int) kinds {
	return kinds{
		instances: catalog.Register(c, catalog.Kind[domain.Instance]{
			Of:     domain.KindInstance,
			Name:   func(e *domain.Instance) string { return e.Alias },
			Region: func(e *domain.Instance) string { return e.Region },
		}),
		things: catalog.Register(c, thingKind(quota)),
		boxes: catalog.Register(c, catalog.Kind[box]{
			Of: domain.KindQueue, Name: func(e *box) string { return e.Name },
		}),
		numbers: catalog.Register(c, catalog.Kind[number]{
			Of:     domain.KindPhoneNumber,
			Name:   func(e *number) string { return e.Name },
			Region: func(e *number) string { return e.Region },
		}),
		secrets: catalog.Register(c, catalog.Kind[secret]{
			Of: domain.KindPredefinedAttribute, Name: func(e *secret) string { return e.Name }, NoTags: true, Unlisted: true,
		}),
		pages: catalog.Register(c, catalog.Kind[page]{
			Of: domain.KindWorkspacePage, Name: func(e *page) string { return e.Name }, NoTags: true, Quota: quota,
			Parent: &catalog.Parent[page]{Kind: domain.KindQueue, Role: rolePageOf, ID: func(e *page) string { return e.Box }},
		}),
		notes: catalog.Register(c, catalog.Kind[note]{
			Of: domain.KindWorkspaceMedia, Name: func(*note) string { return "" }, NoTags: true,
			Parent: &catalog.Parent[note]{Kind: domain.KindQueue, Role: roleNoteOf, ID: func(e *note) string { return e.Box }},
			Refs: func(e *note) []catalog.Ref {
				return []catalog.Ref{{Role: roleAbout, Kind: domain.KindWorkspacePage, ID: e.Page}}
			},
		}),
	}
}

func in(region string) context.Context {
	return domain.WithCaller(context.Background(), &domain.Caller{Region: region, Account: account})
}

// newWorld makes a world in which an instance may hold quota things, without
// limit when it is 0.
func newWorld(t *testing.T, quota int) *world {
	t.Helper()
	w := &world{ctx: in(region), clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	w.catalog = catalog.New(catalog.Options{Account: account, Quotas: quota > 0, Now: w.clock.Now})
	w.kinds = register(w.catalog, quota)
	s, err := sqlstore.Open(w.ctx, sqlstore.Options{Dir: t.TempDir(), Now: w.clock.Now, Observer: w.catalog.Observe})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w.store = s
	w.catalog.Use(s)
	w.one, w.two = w.instance(t, "one"), w.instance(t, "two")
	return w
}

func (w *world) instance(t *testing.T, alias string) catalog.Scope {
	t.Helper()
	made, err := w.instances.Create(w.ctx, w.catalog.RootScope(w.ctx), &domain.Instance{Region: region, Alias: alias}, nil)
	ok(t, err)
	sc, err := w.catalog.Scope(w.ctx, &made.ID)
	ok(t, err)
	return sc
}

// add makes things of the given names in the first instance.
func (w *world) add(t *testing.T, names ...string) []*catalog.Item[thing] {
	t.Helper()
	made := make([]*catalog.Item[thing], len(names))
	for i, name := range names {
		var err error
		made[i], err = w.things.Create(w.ctx, w.one, &thing{Name: name}, nil)
		ok(t, err)
	}
	return made
}

// clock stands still until a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails checks that err is a fault of the code; "" stands for no error.
func fails(t *testing.T, err error, code fault.Code) {
	t.Helper()
	switch {
	case code == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case code != "" && !fault.Is(err, code):
		t.Errorf("error is %v, want %s", err, code)
	}
}

func ptr[T any](v T) *T { return &v }

func TestScope(t *testing.T) {
	w := newWorld(t, 0)
	id := string(w.one.ID)
	arn := domain.ARN{Region: region, Account: account, Kind: domain.KindInstance, ID: id}.String()
	elsewhere := domain.ARN{Region: "eu-west-2", Account: account, Kind: domain.KindInstance, ID: id}.String()
	foreign := domain.ARN{Region: region, Account: "999999999999", Kind: domain.KindInstance, ID: id}.String()
	for name, c := range map[string]struct {
		ctx       context.Context
		give      *string
		byID      fault.Code // what Scope says
		byIDOrARN fault.Code // what ScopeARN says
	}{
		"id":                    {w.ctx, &id, "", ""},
		"id, other region":      {in("eu-west-2"), &id, fault.ResourceNotFound, fault.ResourceNotFound},
		"unknown id":            {w.ctx, ptr(domain.NewID()), fault.ResourceNotFound, fault.ResourceNotFound},
		"no id":                 {w.ctx, nil, fault.InvalidParameter, fault.InvalidParameter},
		"no UUID":               {w.ctx, ptr("mine"), fault.InvalidParameter, fault.InvalidParameter},
		"ARN":                   {w.ctx, &arn, fault.InvalidParameter, ""},
		"ARN, other region":     {w.ctx, &elsewhere, fault.InvalidParameter, fault.ResourceNotFound},
		"ARN of another region": {in("eu-west-2"), &elsewhere, fault.InvalidParameter, fault.ResourceNotFound},
		"ARN, other account":    {w.ctx, &foreign, fault.InvalidParameter, fault.ResourceNotFound},
		"ARN of something else": {w.ctx, ptr(w.one.ARN(domain.KindUser, id)), fault.InvalidParameter, fault.InvalidParameter},
		"malformed ARN":         {w.ctx, ptr("arn:aws:connect:x"), fault.InvalidParameter, fault.InvalidParameter},
	} {
		t.Run(name, func(t *testing.T) {
			sc, err := w.catalog.Scope(c.ctx, c.give)
			fails(t, err, c.byID)
			if err == nil && sc != w.one {
				t.Errorf("Scope is %+v, want %+v", sc, w.one)
			}
			sc, err = w.catalog.ScopeARN(c.ctx, c.give)
			fails(t, err, c.byIDOrARN)
			if err == nil && sc != w.one {
				t.Errorf("ScopeARN is %+v, want %+v", sc, w.one)
			}
		})
	}
	t.Run("deleted", func(t *testing.T) {
		ok(t, w.instances.Delete(w.ctx, w.catalog.RootScope(w.ctx), string(w.two.ID), nil))
		_, err := w.catalog.Scope(w.ctx, ptr(string(w.two.ID)))
		fails(t, err, fault.ResourceNotFound)
	})
}

func TestRegisterTwicePanics(t *testing.T) {
	c := catalog.New(catalog.Options{})
	register(c, 0)
	defer func() {
		if recover() == nil {
			t.Error("a kind was registered twice without a panic")
		}
	}()
	register(c, 0)
}
