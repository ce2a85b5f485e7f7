// Package storetest is the suite that every store.Store must pass, whatever
// database it stands on. Each case has a fresh database; a store that cannot
// pass one excuses it by name, with the reason.
package storetest

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Options are what a case asks of a store that it opens.
type Options struct {
	Now      func() time.Time // nil: time.Now
	Observer store.Observer   // may be nil
}

// Open opens a store on one database. Opened again, it holds the same data. It
// leaves closing to the caller.
type Open func(t *testing.T, o Options) store.Store

// cases are all cases of the suite, by the name that excuses one.
var cases = []struct {
	name string
	run  func(t *testing.T, open Open)
}{
	{"InsertFillsIn", insertFillsIn},
	{"RoundTrip", roundTrip},
	{"UnknownIsNotFound", unknownIsNotFound},
	{"WhatIsNotText", whatIsNotText},
	{"Duplicates", duplicates},
	{"UpdateReplaces", updateReplaces},
	{"DeleteRemoves", deleteRemoves},
	{"GetByPKKeepsOrder", getByPKKeepsOrder},
	{"ResolveNamesTheMissing", resolveNamesTheMissing},
	{"Lists", lists},
	{"PagingBesideInserts", pagingBesideInserts},
	{"DanglingIsRefused", danglingIsRefused},
	{"InUseIsRefused", inUseIsRefused},
	{"ReferencesAreReplaced", referencesAreReplaced},
	{"ReferencesAreASet", referencesAreASet},
	{"Referrers", referrers},
	{"InstanceGoesWhole", instanceGoesWhole},
	{"InstanceInUse", instanceInUse},
	{"RootStays", rootStays},
	{"Memos", memos},
	{"MemosOnce", memosOnce},
	{"ErrorUndoes", errorUndoes},
	{"FailureDooms", failureDooms},
	{"OverAfterwards", overAfterwards},
	{"PanicIsContained", panicIsContained},
	{"ViewIsOneState", viewIsOneState},
	{"CancelledBefore", cancelledBefore},
	{"CancelledWithin", cancelledWithin},
	{"CancelledWhileWaiting", cancelledWhileWaiting},
	{"FailingNeighbours", failingNeighbours},
	{"CheckThenInsert", checkThenInsert},
	{"ReadThenWrite", readThenWrite},
	{"ChangeLog", changeLog},
	{"ObserverSeesFirst", observerSeesFirst},
	{"ObserverOwnsItsRecords", observerOwnsItsRecords},
	{"ObserverIsNotToldOfFailures", observerIsNotToldOfFailures},
	{"OtherServers", otherServers},
	{"OtherServersKeys", otherServersKeys},
	{"CloseWaits", closeWaits},
	{"ReopenKeepsAll", reopenKeepsAll},
	{"OldChangesGo", oldChangesGo},
	{"ContactRoundTrip", contactRoundTrip},
	{"ContactRefused", contactRefused},
	{"ContactVersions", contactVersions},
	{"ContactRivals", contactRivals},
	{"ContactRunsAgain", contactRunsAgain},
	{"ContactsByTime", contactsByTime},
	{"ContactsByLink", contactsByLink},
	{"LiveContacts", liveContacts},
	{"Attributes", attributes},
	{"ContactsGoWithInstance", contactsGoWithInstance},
	{"InstanceGoesUnderWriters", instanceGoesUnderWriters},
	{"ContactsAreSeenInside", contactsAreSeenInside},
	{"ContactsReopen", contactsReopen},
	{"OldContactsGo", oldContactsGo},
	{"Entries", entries},
	{"EntryNumbersGoOn", entryNumbersGoOn},
	{"EntriesUnderWriters", entriesUnderWriters},
	{"LateCommit", lateCommit},
	{"OtherServersEntries", otherServersEntries},
	{"Cursors", cursors},
	{"Leases", leases},
}

// Run runs the suite. Fresh gives each case a database; excused holds the
// reason for each case that is not run.
func Run(t *testing.T, fresh func(t *testing.T) Open, excused map[string]string) {
	t.Helper()
	known := make(map[string]bool)
	for _, c := range cases {
		known[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			if reason, ok := excused[c.name]; ok {
				t.Skip(reason)
			}
			c.run(t, fresh(t))
		})
	}
	for name := range excused {
		if !known[name] {
			t.Errorf("%s is excused and no case of that name exists", name)
		}
	}
}

// env is a store with an instance in it.
type env struct {
	store.Store
	instance store.PK
}

// setup opens the store, which is closed with the test, and makes an instance.
func setup(t *testing.T, open Open, o Options) *env {
	t.Helper()
	e := &env{Store: open(t, o)}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	e.instance = e.insert(t, &store.Record{Kind: domain.KindInstance, ID: domain.NewID(), Name: "instance"}).PK
	return e
}

// user is a record that has not been inserted.
func (e *env) user(name string) *store.Record {
	return &store.Record{
		Instance: e.instance, Kind: domain.KindUser, ID: domain.NewID(), Name: name, NameKey: name, Doc: []byte(`{}`),
	}
}

// queue is a record of another kind.
func (e *env) queue(name string) *store.Record {
	r := e.user(name)
	r.Kind = domain.KindQueue
	return r
}

func (e *env) insert(t *testing.T, r *store.Record, refs ...store.Ref) *store.Record {
	t.Helper()
	if err := e.try(func(tx store.Tx) error { return tx.Insert(t.Context(), r, refs) }); err != nil {
		t.Fatalf("insert %s %s: %v", r.Kind, r.ID, err)
	}
	return r
}

func (e *env) update(t *testing.T, r *store.Record, refs []store.Ref) {
	t.Helper()
	if err := e.try(func(tx store.Tx) error { return tx.Update(t.Context(), r, refs) }); err != nil {
		t.Fatalf("update %s %s: %v", r.Kind, r.ID, err)
	}
}

func (e *env) remove(t *testing.T, r *store.Record) {
	t.Helper()
	if err := e.try(func(tx store.Tx) error { return tx.Delete(t.Context(), r) }); err != nil {
		t.Fatalf("delete %s %s: %v", r.Kind, r.ID, err)
	}
}

// try is Update in the background's context.
func (e *env) try(fn func(store.Tx) error) error { return e.Update(context.Background(), fn) }

// get finds a record that must be there.
func (e *env) get(t *testing.T, r *store.Record) *store.Record {
	t.Helper()
	found, err := e.Get(t.Context(), r.Instance, r.Kind, r.ID)
	if err != nil {
		t.Fatalf("get %s %s: %v", r.Kind, r.ID, err)
	}
	return found
}

func (e *env) count(t *testing.T, kind domain.Kind) int {
	t.Helper()
	n, err := e.Count(t.Context(), e.instance, kind)
	if err != nil {
		t.Fatalf("count: %v", err)
	}
	return n
}

// wantFault checks the code of an error.
func wantFault(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Fatalf("got %v, want a %s", err, code)
	}
}

// wantSame compares what was kept with what was meant to be.
func wantSame(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %s\nwant %s", show(got), show(want))
	}
}

func show(v any) string {
	if r, ok := v.(*store.Record); ok && r != nil {
		return fmt.Sprintf("%+v", *r)
	}
	return fmt.Sprintf("%+v", v)
}

// names are those of records, in order.
func names(records []*store.Record) []string {
	list := []string{}
	for _, r := range records {
		list = append(list, r.Name)
	}
	return list
}
