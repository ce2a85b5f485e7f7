package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// TestFullDisk: a failure upon which SQLite may roll back the transaction of a
// whole group by itself. Who is told that its update was kept finds it.
func TestFullDisk(t *testing.T) {
	opened, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := opened.(*sqliteStore)
	err = s.writer.update(t.Context(), func(tx *tx) error {
		pages, err := number(t.Context(), tx.session, "PRAGMA page_count")
		if err != nil {
			return err
		}
		return tx.session.query(t.Context(), func(row) error { return nil }, fmt.Sprintf("PRAGMA max_page_count = %d", pages+20))
	})
	if err != nil {
		t.Fatal(err)
	}
	insert := func(id string, size int) func(*tx) error {
		return func(tx *tx) error {
			doc := []byte(strings.Repeat("x", size))
			return tx.Insert(t.Context(), &store.Record{Kind: domain.KindUser, ID: id, Doc: doc}, nil)
		}
	}
	first, second := inOneGroup(t, s.writer, insert("fits", 10), insert("does not fit", 1<<20))
	if first != nil {
		t.Errorf("what fits: %v", first)
	}
	if code := func() int {
		if e, ok := errors.AsType[*sqlite.Error](second); ok {
			return e.Code()
		}
		return 0
	}(); code != sqlite3.SQLITE_FULL {
		t.Errorf("what does not fit: %v", second)
	}
	got, err := s.List(t.Context(), store.ListQuery{Kind: domain.KindUser})
	if err != nil || len(got) != 1 || got[0].ID != "fits" {
		t.Errorf("%d records are kept (%v)", len(got), err)
	}
	if log, err := s.Changes(t.Context(), 0, 0); err != nil || len(log) != 1 || log[0].Seq != 1 {
		t.Errorf("the log has %d entries (%v)", len(log), err)
	}
}

// TestRunAgain: the neighbours of an update that fails after it has written run
// a second time; those of one that fails before do not.
func TestRunAgain(t *testing.T) {
	opened, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := opened.(*sqliteStore)
	refused := errors.New("refused")
	for i, c := range []struct {
		name  string
		fails func(*tx) error
		want  int
	}{
		{"before it writes", func(*tx) error { return refused }, 1},
		{"by its first write", func(tx *tx) error {
			return tx.Insert(t.Context(), &store.Record{Kind: domain.KindUser, ID: "stray", Instance: 1 << 40}, nil)
		}, 1},
		{"after a write", func(tx *tx) error {
			return errors.Join(tx.Insert(t.Context(), &store.Record{Kind: domain.KindUser, ID: "undone"}, nil), refused)
		}, 2},
		{"after an update", func(tx *tx) error {
			return errors.Join(tx.Update(t.Context(), &store.Record{PK: 1, Name: "undone"}, nil), refused)
		}, 2},
	} {
		runs := 0
		kept, failed := inOneGroup(t, s.writer, func(tx *tx) error {
			runs++
			return tx.Insert(t.Context(), &store.Record{Kind: domain.KindUser, ID: fmt.Sprint(i)}, nil)
		}, c.fails)
		if kept != nil || failed == nil || runs != c.want {
			t.Errorf("%s: told %v and %v after %d runs, want %d", c.name, kept, failed, runs, c.want)
		}
		if n, err := s.Count(t.Context(), store.Root, domain.KindUser); err != nil || n != i+1 {
			t.Errorf("%s: %d records are kept, want %d (%v)", c.name, n, i+1, err)
		}
	}
	if got, err := s.GetByPK(t.Context(), 1); err != nil || len(got) != 1 || got[0].Name != "" || got[0].Version != 1 {
		t.Errorf("the record that was updated in vain is %+v (%v)", got, err)
	}
}

// inOneGroup runs two updates one after the other in one group.
func inOneGroup(t *testing.T, w *writer, a, b func(*tx) error) (errA, errB error) {
	t.Helper()
	var running sync.WaitGroup
	runs := make(chan struct{})
	announce := sync.OnceFunc(func() { close(runs) })
	waited := false
	running.Go(func() {
		errA = w.update(t.Context(), func(tx *tx) error {
			announce()
			for !waited && len(w.turns) == 0 { // until the other waits in line
				runtime.Gosched()
			}
			waited = true
			return a(tx)
		})
	})
	<-runs
	running.Go(func() { errB = w.update(t.Context(), b) })
	running.Wait()
	return errA, errB
}

// TestPruneInBatches: a long log goes in pieces, and its newest entry stays.
func TestPruneInBatches(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	opened, err := Open(t.Context(), Options{Dir: t.TempDir(), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*sqliteStore)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	const entries = 2*pruneBatch + 10
	err = s.writer.update(t.Context(), func(tx *tx) error {
		for i := range entries {
			if err := tx.Insert(t.Context(), &store.Record{Kind: domain.KindUser, ID: fmt.Sprint(i)}, nil); err != nil {
				return err
			}
			if err := tx.Remember(t.Context(), fmt.Sprint(i), store.Memo{Expires: now.Add(time.Hour)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		left int
		more bool
	}{{pruneBatch + 10, true}, {10, true}, {1, false}, {1, false}} {
		var more bool
		err := s.writer.update(t.Context(), func(tx *tx) (err error) {
			more, err = prune(t.Context(), tx.session, now.Add(25*time.Hour))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		log, err := s.Changes(t.Context(), 0, 0)
		if err != nil || len(log) != want.left || more != want.more || log[len(log)-1].Seq != entries {
			t.Errorf("%d entries left, more %v; want %d, %v (%v)", len(log), more, want.left, want.more, err)
		}
	}
	if n, err := number(t.Context(), s.pool, "SELECT COUNT(*) FROM memo"); err != nil || n != 0 {
		t.Errorf("%d memos left (%v)", n, err)
	}
}

// fakeLog is the change log as one server sees it.
type fakeLog struct {
	session
	visible []int64
	asked   []int64
}

func (f *fakeLog) query(_ context.Context, each func(row) error, text string, args ...any) error {
	if text != listChanges {
		return fmt.Errorf("unexpected %q", text)
	}
	after := args[0].(int64)
	f.asked = append(f.asked, after)
	slices.Sort(f.visible)
	for _, seq := range f.visible {
		if seq > after {
			// Removals: the poller need not load a record for them.
			if err := each(liteRow{seq, int64(store.Delete), seq, int64(0), int64(2), "id", int64(2)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestPollerWaitsForGaps: a change whose lower number becomes visible after
// higher ones is told, each is told once, and a gap is not waited for for ever.
func TestPollerWaitsForGaps(t *testing.T) {
	log := &fakeLog{}
	var told []int64
	n := startNotifier(func(changes []store.Change) {
		for _, c := range changes {
			told = append(told, c.Seq)
		}
	})
	p := &poller{session: log, notifier: n, seen: make(map[int64]struct{})}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	poll := func(settled int64, visible ...int64) {
		t.Helper()
		log.visible = append(log.visible, visible...)
		if err := p.poll(t.Context(), now); err != nil {
			t.Fatal(err)
		}
		if p.settled != settled {
			t.Errorf("settled up to %d, want %d", p.settled, settled)
		}
	}
	poll(2, 1, 2)
	poll(2, 4, 6) // 3 and 5 are still to come
	now = now.Add(gapPatience / 2)
	poll(4, 3)
	p.claim([]store.Change{{Seq: 7}}) // this server's own
	poll(4, 7, 8)
	now = now.Add(gapPatience)
	poll(8)    // 5 has failed
	poll(9, 9) // nothing below is asked for any more
	n.close()
	if want := []int64{1, 2, 4, 6, 3, 8, 9}; !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	if last := log.asked[len(log.asked)-1]; last != 8 {
		t.Errorf("asked beyond %d, want 8", last)
	}
	if len(p.seen) != 0 {
		t.Errorf("%d numbers are still remembered", len(p.seen))
	}
}

// TestKeyLists: every number of keys finds a statement that takes them.
func TestKeyLists(t *testing.T) {
	for n := 1; n <= maxKeys; n++ {
		text, takes := forKeys(resolveIDs, n)
		if takes < n || takes >= 2*n && n > 1 || !strings.Contains(text, fmt.Sprintf("$%d)", takes+2)) {
			t.Fatalf("%d keys take a statement of %d", n, takes)
		}
	}
}

// TestPlaceholders: each statement uses $1, $2 … once and in order, which is
// what positional relies on.
func TestPlaceholders(t *testing.T) {
	texts := []string{
		selectByID, selectByName, listRecords, listHeaders, countRecords, countReferrers, listReferrers,
		insertRecord, updateRecord, selectIdentity, deleteRecord, deleteRefs, deleteMembersRefs, deleteMembers,
		selectMemo, upsertMemo, deleteMemo, pruneMemos, listChanges, lastChange, oldChanges, pruneChanges,
		selectCounter, setCounter, advanceCounter,
		selectContact, liveContacts, insertContact, updateContact, selectAttributes, upsertAttributes,
		selectCursor, upsertCursor, takeLease, unsettledEntries, closeGap, settleEntries,
		oldContacts, deleteContact, deleteAttributes, oldEntries, pruneEntries,
	}
	for _, r := range contactsByTime {
		texts = slices.Concat(texts, r[0][:], r[1][:])
	}
	for _, r := range []runs{contactsByPrevious, contactsByRelated, contactsByInitial, contactsByAssociation} {
		texts = slices.Concat(texts, r[0][:], r[1][:])
	}
	texts = slices.Concat(texts, entriesOfAll[:], entriesOfOne[:], insertEntries[1:], drawEntries[1:])
	texts = slices.Concat(texts, insertRefs[1:], insertChanges[1:], drawChanges[1:], selectByPKs, resolveIDs)
	for _, text := range texts {
		for i, tail := range strings.Split(text, "$")[1:] {
			digits := len(tail) - len(strings.TrimLeft(tail, "0123456789"))
			if tail[:digits] != strconv.Itoa(i+1) {
				t.Errorf("placeholder %d of %q is $%s", i+1, text, tail[:digits])
			}
		}
		if got := positional(text); strings.Contains(got, "$") || strings.Count(got, "?") != strings.Count(text, "$") {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// TestDialectsHaveTheSameMigrations: a schema version means the same in both.
func TestDialectsHaveTheSameMigrations(t *testing.T) {
	files := func(folder string) (names []string) {
		entries, err := migrations.ReadDir(path.Join("migrations", folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	if lite, pg := files("sqlite"), files("postgres"); !slices.Equal(lite, pg) {
		t.Errorf("SQLite has %v, PostgreSQL %v", lite, pg)
	}
}
