package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// began is when the contacts of the suite begin.
var began = time.Date(2026, 5, 6, 7, 8, 9, 123456000, time.UTC)

// atBeginning stops the clock then, so that nothing is old when a store is opened
// again.
var atBeginning = Options{Now: func() time.Time { return began }}

// contact is a contact that has not been put.
func (e *env) contact() *store.Contact {
	id := domain.NewID()
	return &store.Contact{
		Instance: e.instance, ID: id, InitialID: id, AssociationID: id, Live: true,
		Initiated: began, Doc: []byte(`{"a":1}`), State: []byte(`{"b":2}`),
	}
}

func (e *env) put(t *testing.T, contacts ...*store.Contact) {
	t.Helper()
	err := e.try(func(tx store.Tx) error {
		for _, c := range contacts {
			if err := tx.PutContact(t.Context(), c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("put: %v", err)
	}
}

// kept reads a contact that must be there.
func (e *env) kept(t *testing.T, c *store.Contact) *store.Contact {
	t.Helper()
	found, err := e.Contact(t.Context(), c.Instance, c.ID)
	if err != nil {
		t.Fatalf("contact %s: %v", c.ID, err)
	}
	return found
}

func (e *env) anotherInstance(t *testing.T) *store.Record {
	t.Helper()
	return e.insert(t, &store.Record{Kind: domain.KindInstance, ID: domain.NewID(), Name: "another"})
}

func contactRoundTrip(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	for name, change := range map[string]func(*store.Contact){
		"plain": func(*store.Contact) {},
		"every member": func(c *store.Contact) {
			c.InitialID, c.PreviousID, c.RelatedID, c.AssociationID = domain.NewID(), domain.NewID(), domain.NewID(), domain.NewID()
			c.Scheduled, c.Enqueued = began.Add(time.Second), began.Add(2*time.Second)
			c.Connected, c.Disconnected = began.Add(3*time.Second), began.Add(4*time.Second)
			c.Live = false
		},
		"no state":   func(c *store.Contact) { c.Live, c.State = false, nil },
		"long texts": func(c *store.Contact) { c.Doc, c.State = longText("d"), longText("é") },
		"no texts":   func(c *store.Contact) { c.Doc, c.State = nil, nil },
		"before 1970": func(c *store.Contact) {
			c.Initiated = time.Date(1969, 1, 2, 3, 4, 5, 6000, time.UTC)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := e.contact()
			change(c)
			e.put(t, c)
			if c.Version != 1 {
				t.Errorf("version %d after the first put", c.Version)
			}
			wantSame(t, e.kept(t, c), c)
			// All is replaced by what another contact may be.
			other := e.contact()
			other.ID, other.Version = c.ID, c.Version
			other.PreviousID, other.Connected, other.Doc = domain.NewID(), began.Add(time.Hour), []byte(`{}`)
			e.put(t, other)
			if other.Version != 2 {
				t.Errorf("version %d after the second put", other.Version)
			}
			wantSame(t, e.kept(t, other), other)
			c.Version = 2
			e.put(t, c)
			wantSame(t, e.kept(t, c), c)
		})
	}
	// Ids that are left out are the contact's own; times lose what is below a
	// microsecond.
	c := e.contact()
	c.InitialID, c.AssociationID = "", ""
	c.Initiated = began.Add(999 * time.Nanosecond).In(time.FixedZone("east", 3600))
	e.put(t, c)
	got := e.kept(t, c)
	if got.InitialID != c.ID || got.AssociationID != c.ID || got.Initiated != began {
		t.Errorf("kept %+v", *got)
	}
}

func longText(s string) []byte { return []byte(`"` + strings.Repeat(s, 100_000) + `"`) }

func contactRefused(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	known := e.contact()
	e.put(t, known)
	for name, id := range map[string]string{"unknown": domain.NewID(), "empty": "", "NUL": "a\x00b", "not UTF-8": "\xff"} {
		if _, err := e.Contact(t.Context(), e.instance, id); !fault.Is(err, fault.ResourceNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := e.Contact(t.Context(), store.Root, known.ID)
	wantFault(t, err, fault.ResourceNotFound)

	stray := func(change func(*store.Contact)) error {
		c := e.contact()
		change(c)
		return e.try(func(tx store.Tx) error { return tx.PutContact(t.Context(), c) })
	}
	wantFault(t, stray(func(c *store.Contact) { c.Instance = 1 << 50 }), fault.ResourceNotFound)
	wantFault(t, stray(func(c *store.Contact) { c.PreviousID = "\x00" }), fault.InvalidParameter)
	for name, change := range map[string]func(*store.Contact){
		"without an id":        func(c *store.Contact) { c.ID = "" },
		"that has not begun":   func(c *store.Contact) { c.Initiated = time.Time{} },
		"whose doc has NUL":    func(c *store.Contact) { c.Doc = []byte("\x00") },
		"whose state is bytes": func(c *store.Contact) { c.State = []byte("\xff") },
	} {
		if err := stray(change); err == nil {
			t.Errorf("a contact %s was kept", name)
		}
	}
}

func contactVersions(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	c := e.contact()
	e.put(t, c)
	e.put(t, c)
	instance := e.anotherInstance(t)
	for name, change := range map[string]func(*store.Contact){
		"new again":           func(c *store.Contact) { c.Version = 0 },
		"stale":               func(c *store.Contact) { c.Version = 1 },
		"from the future":     func(c *store.Contact) { c.Version = 3 },
		"unknown":             func(c *store.Contact) { c.ID = domain.NewID() },
		"in another instance": func(c *store.Contact) { c.Instance, c.Version = instance.PK, 0 },
	} {
		rival := *c
		rival.Doc = []byte(`"rival"`)
		change(&rival)
		want := rival.Version
		next := e.contact()
		err := e.try(func(tx store.Tx) error {
			err := tx.PutContact(t.Context(), &rival)
			if !fault.Is(err, fault.ResourceConflict) {
				t.Errorf("%s: got %v, want a conflict", name, err)
			}
			return tx.PutContact(t.Context(), next) // nothing is lost yet
		})
		if err != nil {
			t.Errorf("%s: what follows a conflict: %v", name, err)
		}
		if rival.Version != want {
			t.Errorf("%s: version %d became %d", name, want, rival.Version)
		}
		wantSame(t, e.kept(t, next), next)
		wantSame(t, e.kept(t, c), c)
	}
	// An update that comes to nothing leaves the version as it was, however
	// often the contact was put.
	fresh := e.contact()
	for _, end := range []func() error{func() error { return errRefused }, func() error { panic(errRefused) }} {
		func() {
			defer func() { _ = recover() }()
			err := e.try(func(tx store.Tx) error {
				for _, c := range []*store.Contact{c, fresh, c, fresh} {
					if err := tx.PutContact(t.Context(), c); err != nil {
						t.Error(err)
					}
				}
				return end()
			})
			if !errors.Is(err, errRefused) {
				t.Error(err)
			}
		}()
		if c.Version != 2 || fresh.Version != 0 {
			t.Errorf("versions %d and %d after an update in vain, want 2 and 0", c.Version, fresh.Version)
		}
	}
	e.put(t, c, fresh, c)
	if c.Version != 4 || fresh.Version != 1 {
		t.Errorf("versions %d and %d, want 4 and 1", c.Version, fresh.Version)
	}
	wantSame(t, e.kept(t, c), c)
}

// both are the ways to write contacts.
func (e *env) both() map[string]func(fn func(store.ContactTx) error) error {
	return map[string]func(fn func(store.ContactTx) error) error{
		"Update": func(fn func(store.ContactTx) error) error {
			return e.try(func(tx store.Tx) error { return fn(tx) })
		},
		"UpdateContacts": func(fn func(store.ContactTx) error) error {
			return e.UpdateContacts(context.Background(), fn)
		},
	}
}

// contactRivals: many believe to own a contact. In each version one does.
func contactRivals(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	for name, update := range e.both() {
		t.Run(name, func(t *testing.T) {
			first := e.contact()
			for version := range int64(4) {
				var put atomic.Int64
				atOnce(8, func(w int) {
					rival := *first
					rival.Version, rival.Doc = version, fmt.Append(nil, w)
					err := update(func(tx store.ContactTx) error {
						if err := tx.PutContact(t.Context(), &rival); err != nil {
							return err
						}
						return tx.Append(t.Context(), e.entry(&rival, store.StreamEvents))
					})
					switch {
					case err == nil:
						put.Add(1)
					case !fault.Is(err, fault.ResourceConflict):
						t.Errorf("version %d: %v", version, err)
					}
				})
				if put.Load() != 1 {
					t.Errorf("version %d has %d owners", version, put.Load())
				}
			}
			if got := e.kept(t, first); got.Version != 4 {
				t.Errorf("kept in version %d, want 4", got.Version)
			}
			if err := e.wantEntries(t.Context(), e, first, store.StreamEvents, 4); err != nil {
				t.Error(err)
			}
		})
	}
}

// contactRunsAgain: many put at once what each owns, some in vain; an update
// that has to run again puts the same contact once more.
func contactRunsAgain(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	const writers, rounds = 16, 12
	both := e.both()
	atOnce(writers, func(w int) {
		c := e.contact()
		update := both[[]string{"Update", "UpdateContacts"}[w%2]]
		for round := range rounds {
			fails := (w+round)%3 == 0
			want := c.Version + 1
			err := update(func(tx store.ContactTx) error {
				if err := tx.PutContact(t.Context(), c); err != nil || !fails {
					return err
				}
				return errRefused
			})
			switch {
			case fails && !errors.Is(err, errRefused):
				t.Errorf("writer %d, round %d: %v", w, round, err)
			case fails:
				want--
			case err != nil:
				t.Errorf("writer %d, round %d: %v", w, round, err)
			}
			if c.Version != want {
				t.Errorf("writer %d, round %d: version %d, want %d", w, round, c.Version, want)
			}
		}
		if got, err := e.Contact(t.Context(), e.instance, c.ID); err != nil || got.Version != c.Version {
			t.Errorf("writer %d has version %d, kept is %+v (%v)", w, c.Version, got, err)
		}
	})
}

// places are those of the contacts found, in all.
func places(all, found []*store.Contact) (list []int) {
	for _, f := range found {
		list = append(list, slices.IndexFunc(all, func(c *store.Contact) bool { return c.ID == f.ID }))
	}
	return list
}

// wantContacts asks in both directions, for all at once and page by page.
func wantContacts(t *testing.T, e *env, all []*store.Contact, q store.ContactQuery, want ...int) {
	t.Helper()
	q.Instance = e.instance
	for _, q.Descending = range []bool{false, true} {
		for _, q.Limit = range []int{0, 1, 2, len(want) + 1} {
			var got []*store.Contact
			for q.After = ""; ; q.After = got[len(got)-1].ID {
				page, err := e.Contacts(t.Context(), q)
				if err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
				got = append(got, page...)
				if len(page) == 0 || q.Limit == 0 {
					break
				}
			}
			if have := places(all, got); !slices.Equal(have, want) {
				t.Errorf("%+v: got %v, want %v", q, have, want)
			}
			for _, c := range got {
				if (c.State != nil) != q.WithState {
					t.Errorf("%+v: state %q", q, c.State)
				}
				if c.Doc == nil {
					t.Errorf("%+v: no document", q)
				}
			}
		}
		slices.Reverse(want)
	}
}

func contactsByTime(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	at := func(minute int) time.Time { return began.Add(time.Duration(minute) * time.Minute) }
	all := make([]*store.Contact, 6)
	for i := range all {
		all[i] = e.contact()
	}
	// In the order of ids; initiated in another, and three at the same time.
	for i, minute := range []int{5, 1, 3, 3, 3, 2} {
		all[i].Initiated = at(minute)
	}
	all[1].Scheduled, all[4].Scheduled = at(9), at(8)
	all[2].Enqueued = at(4)
	all[0].Connected, all[2].Connected, all[5].Connected = at(6), at(6), at(5)
	all[3].Disconnected = at(7)
	e.put(t, all...)
	elsewhere := e.contact()
	elsewhere.Instance = e.anotherInstance(t).PK
	e.put(t, elsewhere)

	type q = store.ContactQuery
	wantContacts(t, e, all, q{}, 1, 5, 2, 3, 4, 0)
	wantContacts(t, e, all, q{WithState: true}, 1, 5, 2, 3, 4, 0)
	wantContacts(t, e, all, q{From: at(2)}, 5, 2, 3, 4, 0)
	wantContacts(t, e, all, q{To: at(3)}, 1, 5)
	wantContacts(t, e, all, q{From: at(3), To: at(5)}, 2, 3, 4)
	wantContacts(t, e, all, q{From: at(3), To: at(3)})
	wantContacts(t, e, all, q{From: at(5), To: at(3)})
	wantContacts(t, e, all, q{To: at(3).Add(time.Microsecond)}, 1, 5, 2, 3, 4)
	wantContacts(t, e, all, q{Time: store.Scheduled}, 4, 1)
	wantContacts(t, e, all, q{Time: store.Scheduled, From: at(9)}, 1)
	wantContacts(t, e, all, q{Time: store.Enqueued}, 2)
	wantContacts(t, e, all, q{Time: store.Connected}, 5, 0, 2)
	wantContacts(t, e, all, q{Time: store.Connected, From: at(5), To: at(6)}, 5)
	wantContacts(t, e, all, q{Time: store.Disconnected, From: at(7), To: at(8)}, 3)
	wantContacts(t, e, all, q{Time: store.Disconnected, To: at(7)})

	// What came before the range leaves nothing of it out.
	for _, c := range []struct {
		query q
		want  []int
	}{
		{q{After: all[1].ID, From: at(3)}, []int{2, 3, 4, 0}},
		{q{After: all[0].ID, To: at(3), Descending: true}, []int{5, 1}},
		{q{After: all[0].ID, To: at(3)}, nil},
	} {
		c.query.Instance = e.instance
		got, err := e.Contacts(t.Context(), c.query)
		if err != nil || !slices.Equal(places(all, got), c.want) {
			t.Errorf("%+v: got %v, want %v (%v)", c.query, places(all, got), c.want, err)
		}
	}
	for name, query := range map[string]q{
		"unknown":            {After: domain.NewID()},
		"without the time":   {After: all[0].ID, Time: store.Scheduled},
		"of another":         {After: elsewhere.ID},
		"which is a mistake": {After: "\x00"},
	} {
		query.Instance = e.instance
		if got, err := e.Contacts(t.Context(), query); err == nil {
			t.Errorf("after a contact %s: %d contacts", name, len(got))
		}
	}
}

func contactsByLink(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	all := make([]*store.Contact, 6)
	for i := range all {
		all[i] = e.contact()
	}
	// The chain 0, 1, 2; 3 and 4 related to 0, and 5 to 3.
	all[1].PreviousID, all[2].PreviousID = all[0].ID, all[1].ID
	all[1].InitialID, all[2].InitialID = all[0].ID, all[0].ID
	all[3].RelatedID, all[4].RelatedID, all[5].RelatedID = all[0].ID, all[0].ID, all[3].ID
	for _, c := range all[1:] {
		c.AssociationID = all[0].ID
	}
	// Their order is that of the ids, whatever the times.
	for i, c := range all {
		c.Initiated = began.Add(-time.Duration(i) * time.Hour)
	}
	e.put(t, all...)
	elsewhere := e.contact()
	elsewhere.Instance = e.anotherInstance(t).PK
	elsewhere.InitialID, elsewhere.PreviousID, elsewhere.RelatedID, elsewhere.AssociationID = all[0].ID, all[0].ID, all[0].ID, all[0].ID
	e.put(t, elsewhere)

	type q = store.ContactQuery
	wantContacts(t, e, all, q{Initial: all[0].ID}, 0, 1, 2)
	wantContacts(t, e, all, q{Initial: all[0].ID, WithState: true}, 0, 1, 2)
	wantContacts(t, e, all, q{Initial: all[1].ID}) // which begins no chain
	wantContacts(t, e, all, q{Initial: all[3].ID}, 3)
	wantContacts(t, e, all, q{Previous: all[1].ID}, 2)
	wantContacts(t, e, all, q{Previous: all[2].ID})
	wantContacts(t, e, all, q{Related: all[0].ID}, 3, 4)
	wantContacts(t, e, all, q{Association: all[0].ID}, 0, 1, 2, 3, 4, 5)
	wantContacts(t, e, all, q{Association: all[3].ID})
	wantContacts(t, e, all, q{Association: domain.NewID()})
}

func liveContacts(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	another := e.anotherInstance(t)
	all := make([]*store.Contact, 8)
	for i := range all {
		all[i] = e.contact()
		if i%2 == 1 {
			all[i].Instance = another.PK
		}
		all[i].Live = i != 3
	}
	e.put(t, all...)
	all[5].Live, all[5].State = false, nil
	e.put(t, all[5])
	want := []*store.Contact{all[0], all[1], all[2], all[4], all[6], all[7]}
	for _, limit := range []int{0, 1, 4} {
		got := []*store.Contact{}
		for after := ""; ; after = got[len(got)-1].ID {
			page, err := e.LiveContacts(t.Context(), after, limit)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page...)
			if len(page) == 0 || limit == 0 {
				break
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d live contacts, want %d", len(got), len(want))
		}
		for i := range got {
			wantSame(t, got[i], want[i])
		}
	}
}

func attributes(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	another := e.anotherInstance(t)
	id := domain.NewID()
	put := func(instance store.PK, id, doc string) error {
		return e.try(func(tx store.Tx) error { return tx.PutAttributes(t.Context(), instance, id, []byte(doc)) })
	}
	check := func(instance store.PK, id, want string) {
		t.Helper()
		if got, err := e.Attributes(t.Context(), instance, id); err != nil || string(got) != want || (got == nil) != (want == "") {
			t.Errorf("attributes %q, want %q (%v)", got, want, err)
		}
	}
	check(e.instance, id, "")
	check(e.instance, "\x00", "")
	for _, doc := range []string{`{"a":"ü"}`, `{}`, string(longText("x"))} {
		if err := put(e.instance, id, doc); err != nil {
			t.Fatal(err)
		}
		check(e.instance, id, doc)
	}
	check(another.PK, id, "")
	check(e.instance, domain.NewID(), "")
	wantFault(t, put(1<<50, id, `{}`), fault.ResourceNotFound)
	if put(e.instance, id, "\x00") == nil || put(e.instance, "\xff", `{}`) == nil {
		t.Error("what is not text was kept")
	}
}

func contactsGoWithInstance(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	doomed := e.anotherInstance(t)
	fill := func(instance store.PK) (c *store.Contact) {
		t.Helper()
		c = e.contact()
		c.Instance = instance
		err := e.try(func(tx store.Tx) error {
			return errors.Join(
				tx.PutContact(t.Context(), c),
				tx.PutAttributes(t.Context(), instance, c.ID, []byte(`{"of":"chain"}`)),
				tx.Append(t.Context(), e.entry(c, store.StreamEvents), e.entry(c, store.StreamChat)),
			)
		})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	stays, goes := fill(e.instance), fill(doomed.PK)
	member := e.queue("member")
	member.Instance = doomed.PK
	e.insert(t, member)
	e.remove(t, member) // which takes no contact along
	wantSame(t, e.kept(t, goes), goes)
	e.remove(t, doomed)

	wantSame(t, e.kept(t, stays), stays)
	_, err := e.Contact(t.Context(), doomed.PK, goes.ID)
	wantFault(t, err, fault.ResourceNotFound)
	if live, err := e.LiveContacts(t.Context(), "", 0); err != nil || len(live) != 1 || live[0].ID != stays.ID {
		t.Errorf("%d contacts live (%v)", len(live), err)
	}
	for _, c := range []struct {
		of   *store.Contact
		want int
	}{{stays, 1}, {goes, 0}} {
		attributes, err := e.Attributes(t.Context(), c.of.Instance, c.of.ID)
		if err != nil || (attributes != nil) != (c.want == 1) {
			t.Errorf("attributes %q (%v)", attributes, err)
		}
		for _, stream := range []store.Stream{store.StreamEvents, store.StreamChat} {
			q := store.EntryQuery{Stream: stream, Instance: c.of.Instance, Owner: c.of.ID}
			if got, err := e.Entries(t.Context(), q); err != nil || len(got) != c.want {
				t.Errorf("%d entries of stream %d, want %d (%v)", len(got), stream, c.want, err)
			}
		}
	}
	// Whoever still owns a contact of it learns of its end.
	wantFault(t, e.try(func(tx store.Tx) error { return tx.PutContact(t.Context(), goes) }), fault.ResourceConflict)
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Append(t.Context(), e.entry(goes, store.StreamEvents)) }), fault.ResourceNotFound)
}

// instanceGoesUnderWriters: an instance is removed while its contacts live. All
// of them go with it, and their owners learn of it.
func instanceGoesUnderWriters(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	doomed := e.anotherInstance(t)
	const writers = 8
	var busy sync.WaitGroup // until each has written
	busy.Add(writers)
	var running sync.WaitGroup
	running.Go(func() {
		busy.Wait()
		e.remove(t, doomed)
	})
	both := e.both()
	atOnce(writers, func(w int) {
		update := both[[]string{"Update", "UpdateContacts"}[w%2]]
		for round := 0; ; round++ {
			c := e.contact()
			c.Instance = doomed.PK
			var err error
			for range 2 {
				err = errors.Join(err, update(func(tx store.ContactTx) error {
					if err := tx.PutContact(t.Context(), c); err != nil {
						return err
					}
					return tx.Append(t.Context(), e.entry(c, store.StreamEvents))
				}))
			}
			if round == 0 {
				busy.Done()
			}
			if err == nil {
				continue
			}
			if !fault.Is(err, fault.ResourceNotFound) && !fault.Is(err, fault.ResourceConflict) {
				t.Error(err)
			}
			return
		}
	})
	running.Wait()
	live, err := e.LiveContacts(t.Context(), "", 0)
	if err != nil || len(live) != 0 {
		t.Errorf("%d contacts live on (%v)", len(live), err)
	}
	events, err := e.Entries(t.Context(), store.EntryQuery{Stream: store.StreamEvents})
	if err != nil || len(events) != 0 {
		t.Errorf("%d events are left (%v)", len(events), err)
	}
}

func contactsAreSeenInside(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	c := e.contact()
	err := e.try(func(tx store.Tx) error {
		c.Version = 0
		if err := tx.PutContact(t.Context(), c); err != nil {
			return err
		}
		inside, err := tx.Contact(t.Context(), e.instance, c.ID)
		if err != nil {
			return err
		}
		wantSame(t, inside, c)
		return errors.Join(tx.Append(t.Context(), e.entry(c, store.StreamChat)), e.wantEntries(t.Context(), tx, c, store.StreamChat, 1))
	})
	if err != nil {
		t.Fatal(err)
	}
	// A view sees one state of contacts and entries.
	err = e.View(t.Context(), func(rd store.Reader) error {
		if err := e.wantEntries(t.Context(), rd, c, store.StreamChat, 1); err != nil {
			return err
		}
		later := *c
		later.Doc = []byte(`"later"`)
		e.put(t, &later)
		if err := e.try(func(tx store.Tx) error { return tx.Append(t.Context(), e.entry(c, store.StreamChat)) }); err != nil {
			return err
		}
		seen, err := rd.Contact(t.Context(), e.instance, c.ID)
		if err != nil {
			return err
		}
		wantSame(t, seen, c)
		return e.wantEntries(t.Context(), rd, c, store.StreamChat, 1)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// wantEntries counts the entries of a contact in a stream.
func (e *env) wantEntries(ctx context.Context, rd store.Reader, c *store.Contact, stream store.Stream, want int) error {
	got, err := rd.Entries(ctx, store.EntryQuery{Stream: stream, Instance: c.Instance, Owner: c.ID})
	if err == nil && len(got) != want {
		err = fmt.Errorf("%d entries, want %d", len(got), want)
	}
	return err
}

// oldContactsGo: contacts are kept for 24 months from when they began, with
// their attributes, and what they left in the streams for as long as it is of
// use.
func oldContactsGo(t *testing.T, open Open) {
	now := began
	clock := Options{Now: func() time.Time { return now }}
	e := setup(t, open, clock)
	old, young := e.contact(), e.contact()
	old.Initiated, young.Initiated = began, began.Add(time.Hour)
	e.put(t, old, young)
	streams := []store.Stream{store.StreamEvents, store.StreamRecords, store.StreamFlowLog, store.StreamChat}
	err := e.try(func(tx store.Tx) error {
		for _, c := range []*store.Contact{old, young} {
			err := tx.PutAttributes(t.Context(), e.instance, c.ID, []byte(`{}`))
			for _, stream := range streams {
				entry := e.entry(c, stream)
				entry.At = c.Initiated
				err = errors.Join(err, tx.Append(t.Context(), entry))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	reopen := func() {
		t.Helper()
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e.Store = open(t, clock)
	}
	check := func(what string, c *store.Contact, exists bool, entries ...int) {
		t.Helper()
		_, err := e.Contact(t.Context(), e.instance, c.ID)
		attributes, aerr := e.Attributes(t.Context(), e.instance, c.ID)
		if err == nil != exists || (attributes != nil) != exists || aerr != nil {
			t.Errorf("%s: contact (%v) and attributes %q (%v) exist: want %v", what, err, attributes, aerr, exists)
		}
		for i, stream := range streams {
			if err := e.wantEntries(t.Context(), e, c, stream, entries[i]); err != nil {
				t.Errorf("%s: stream %d: %v", what, stream, err)
			}
		}
	}
	now = began.AddDate(0, 0, 30)
	reopen()
	check("to the day", old, true, 1, 1, 1, 1)
	now = now.Add(time.Second)
	reopen()
	check("after 30 days", old, true, 0, 0, 1, 1)
	check("an hour younger", young, true, 1, 1, 1, 1)
	now = began.AddDate(0, 24, 0)
	reopen()
	check("to the month", old, true, 0, 0, 1, 1)
	now = now.Add(time.Second)
	reopen()
	check("after 24 months", old, false, 0, 0, 0, 0)
	check("an hour younger", young, true, 0, 0, 1, 1)
}
