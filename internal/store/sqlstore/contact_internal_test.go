package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"ringdown/internal/domain"
	"ringdown/internal/store"
	"ringdown/internal/store/storetest/pgtest"
)

// TestContactIndexes: SQLite answers each question along the index that is there
// for it, however few rows it believes there are.
func TestContactIndexes(t *testing.T) {
	opened, err := Open(t.Context(), Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}()
	pool := opened.(*sqliteStore).pool
	plan := func(text string) (steps []string) {
		t.Helper()
		args := make([]any, strings.Count(text, "$"))
		for i := range args {
			args[i] = int64(0)
		}
		err := pool.query(t.Context(), func(row row) error {
			var id, parent, unused int64
			var step string
			err := row.Scan(&id, &parent, &unused, &step)
			steps = append(steps, step)
			return err
		}, "EXPLAIN QUERY PLAN "+text, args...)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		return steps
	}
	uses := map[string]string{
		selectContact:                           "sqlite_autoindex_contact_1",
		updateContact:                           "sqlite_autoindex_contact_1",
		liveContacts:                            "contact_live",
		selectAttributes:                        "sqlite_autoindex_contact_attributes_1",
		oldContacts:                             "contact_initiated",
		oldEntries:                              "entry_stream",
		"DELETE FROM entry WHERE instance = $1": "entry_owner", // as the cascade does
		"DELETE FROM contact WHERE instance = $1":            "contact_",
		"DELETE FROM contact_attributes WHERE instance = $1": "sqlite_autoindex_contact_attributes_1",
	}
	add := func(index string, r runs) {
		for _, byDirection := range r {
			for _, text := range byDirection {
				uses[text] = index
			}
		}
	}
	add("contact_initial ", contactsByInitial)
	add("contact_association ", contactsByAssociation)
	add("contact_previous ", contactsByPrevious)
	add("contact_related ", contactsByRelated)
	for which, column := range map[store.ContactTime]string{
		store.Initiated: "initiated", store.Scheduled: "scheduled", store.Enqueued: "enqueued",
		store.Connected: "connected", store.Disconnected: "disconnected",
	} {
		add("contact_"+column+" (instance=? AND "+column+">? AND "+column+"<?)", *contactsByTime[which])
	}
	for d := range entriesOfAll {
		uses[entriesOfAll[d]] = "entry_stream (stream=? AND rowid>? AND rowid<?)"
		uses[entriesOfOne[d]] = "entry_owner (instance=? AND owner=? AND stream=? AND rowid>? AND rowid<?)"
	}
	for text, index := range uses {
		steps := strings.Join(plan(text), "; ")
		if !strings.Contains(steps, index) || strings.Contains(steps, "SCAN c") || strings.Contains(steps, "SCAN e") {
			t.Errorf("%s\nwants %s\nhas %s", text, index, steps)
		}
	}
}

// TestNumberIsTaken: an update whose number a settler has closed before it was
// used runs again with another.
func TestNumberIsTaken(t *testing.T) {
	url := pgtest.URL(t)
	opened, err := Open(t.Context(), Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := opened.(*postgresStore)
	entry := func() *store.Entry { return &store.Entry{Stream: store.StreamEvents, Owner: "c", At: time.Now()} }
	appendOne := func(e *store.Entry) (runs int) {
		t.Helper()
		err := s.Update(t.Context(), func(tx store.Tx) error { runs++; return tx.Append(t.Context(), e) })
		if err != nil {
			t.Fatal(err)
		}
		return runs
	}
	first, next := entry(), entry()
	appendOne(first)
	if err := s.settler.close(t.Context(), first.Seq+1, first.Seq+1); err != nil {
		t.Fatal(err)
	}
	if runs := appendOne(next); runs != 2 || next.Seq != first.Seq+2 {
		t.Errorf("number %d after %d in %d runs", next.Seq, first.Seq, runs)
	}
	got, err := s.Entries(t.Context(), store.EntryQuery{Stream: store.StreamEvents, Limit: 5})
	if err != nil || len(got) != 2 {
		t.Errorf("%d entries (%v)", len(got), err)
	}
}

// TestSettleGaps: numbers that nobody used, and those of entries that are gone,
// hold up nothing, be they many.
func TestSettleGaps(t *testing.T) {
	opened, err := Open(t.Context(), Options{URL: pgtest.URL(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := opened.(*postgresStore)
	refused := errors.New("refused")
	var last int64
	const n = settleRows + 20 // more than are looked at at a time
	for i := range 3 {
		err := s.Update(t.Context(), func(tx store.Tx) error {
			entries := make([]*store.Entry, n)
			for i := range entries {
				entries[i] = &store.Entry{Stream: store.StreamEvents, Owner: "c", At: time.Now()}
			}
			if err := tx.Append(t.Context(), entries...); err != nil || i != 1 {
				return err
			}
			return refused
		})
		if err != nil && !errors.Is(err, refused) {
			t.Fatal(err)
		}
		got, err := s.Entries(t.Context(), store.EntryQuery{Stream: store.StreamEvents, After: last})
		if want := map[bool]int{true: n}[i != 1]; err != nil || len(got) != want {
			t.Fatalf("round %d: %d entries, want %d (%v)", i, len(got), want, err)
		}
		if len(got) > 0 {
			last = got[len(got)-1].Seq
		}
	}
	settled, err := number(t.Context(), s.settler.session, selectCounter, "settled")
	if err != nil || settled != last || last != 3*n {
		t.Errorf("settled up to %d, the last is %d (%v)", settled, last, err)
	}
	if empty, err := number(t.Context(), s.settler.session, "SELECT COUNT(*) FROM entry WHERE stream = 0"); err != nil || empty != n {
		t.Errorf("%d empty entries, want %d (%v)", empty, n, err)
	}
}

// TestOldContactsInBatches: many old contacts and entries go in pieces.
func TestOldContactsInBatches(t *testing.T) {
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	opened, err := Open(t.Context(), Options{Dir: t.TempDir(), Now: func() time.Time { return began }})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := opened.(*sqliteStore)
	const n = pruneBatch + 10
	err = s.writer.update(t.Context(), func(tx *tx) error {
		instance := &store.Record{Kind: domain.KindInstance, ID: domain.NewID()}
		if err := tx.Insert(t.Context(), instance, nil); err != nil {
			return err
		}
		for i := range n {
			c := &store.Contact{Instance: instance.PK, ID: fmt.Sprint(i), Initiated: began}
			event := &store.Entry{Stream: store.StreamEvents, Instance: instance.PK, Owner: c.ID, At: began}
			if err := errors.Join(tx.PutContact(t.Context(), c), tx.Append(t.Context(), event)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		left int64
		more bool
	}{{10, true}, {0, false}} {
		var more bool
		err := s.writer.update(t.Context(), func(tx *tx) (err error) {
			more, err = prune(t.Context(), tx.session, began.AddDate(0, 24, 1))
			return err
		})
		if err != nil || more != want.more {
			t.Errorf("more %v, want %v (%v)", more, want.more, err)
		}
		for _, table := range []string{"contact", "entry"} {
			if left, err := number(t.Context(), s.pool, "SELECT COUNT(*) FROM "+table); err != nil || left != want.left {
				t.Errorf("%d rows of %s are left, want %d (%v)", left, table, want.left, err)
			}
		}
	}
}

// TestOlderSchemas: a database of each schema there ever was opens, keeps what
// it had and takes what this release adds.
func TestOlderSchemas(t *testing.T) {
	const insert = `INSERT INTO resource (pk, instance, kind, id, name, version, created, modified, doc) VALUES (1, 0, 1, 'old', 'old', 1, 0, 0, '{}')`
	const counter = `UPDATE counter SET next = 2 WHERE name = 'pk'`
	for name, database := range map[string]struct {
		dialect goose.Dialect
		folder  string
		at      func(t *testing.T) (o Options, driver, source string)
	}{
		"SQLite": {goose.DialectSQLite3, "sqlite", func(t *testing.T) (Options, string, string) {
			dir := t.TempDir()
			return Options{Dir: dir}, "sqlite", filepath.Join(dir, fileName)
		}},
		"PostgreSQL": {goose.DialectPostgres, "postgres", func(t *testing.T) (Options, string, string) {
			url := pgtest.URL(t)
			return Options{URL: url}, "pgx", url
		}},
	} {
		files, err := fs.Sub(migrations, "migrations/"+database.folder)
		if err != nil {
			t.Fatal(err)
		}
		known, err := fs.Glob(files, "*.sql")
		if err != nil {
			t.Fatal(err)
		}
		for version := 1; version < len(known); version++ {
			t.Run(fmt.Sprintf("%s %d", name, version), func(t *testing.T) {
				o, driver, source := database.at(t)
				db, err := sql.Open(driver, source)
				if err != nil {
					t.Fatal(err)
				}
				provider, err := goose.NewProvider(database.dialect, db, files, goose.WithDisableGlobalRegistry(true))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := provider.UpTo(t.Context(), int64(version)); err != nil {
					t.Fatal(err)
				}
				for _, text := range []string{insert, counter} {
					if _, err := db.ExecContext(t.Context(), text); err != nil {
						t.Fatal(err)
					}
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				opensAndWorks(t, o)
				opensAndWorks(t, o)
			})
		}
	}
}

func opensAndWorks(t *testing.T, o Options) {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	old, err := s.Get(t.Context(), store.Root, domain.KindInstance, "old")
	if err != nil {
		t.Fatal(err)
	}
	c := &store.Contact{Instance: old.PK, ID: domain.NewID(), Initiated: time.Now()}
	e := &store.Entry{Stream: store.StreamEvents, Instance: old.PK, Owner: c.ID, At: time.Now()}
	err = s.Update(context.WithoutCancel(t.Context()), func(tx store.Tx) error {
		return errors.Join(tx.PutContact(t.Context(), c), tx.Append(t.Context(), e))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Entries(t.Context(), store.EntryQuery{Stream: store.StreamEvents, After: e.Seq - 1}); err != nil || len(got) != 1 {
		t.Errorf("%d entries (%v)", len(got), err)
	}
}
