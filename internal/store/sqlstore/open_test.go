package sqlstore_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
	"ringdown/internal/store/storetest/pgtest"

	_ "github.com/jackc/pgx/v5/stdlib"
)

func open(t testing.TB, o sqlstore.Options) store.Store {
	t.Helper()
	s, err := sqlstore.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestOptionsThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]sqlstore.Options{
		"nothing":          {},
		"another database": {URL: "mysql://localhost/x"},
		"a malformed URL":  {URL: "postgres://localhost:port/x"},
		"nobody there":     {URL: "postgres://nobody@127.0.0.1:1/x?connect_timeout=2"},
		"a file as folder": {Dir: file},
	} {
		if s, err := sqlstore.Open(t.Context(), o); err == nil {
			t.Errorf("%s: opened", name)
			_ = s.Close()
		}
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := open(t, sqlstore.Options{Dir: dir})
	if _, err := sqlstore.Open(t.Context(), sqlstore.Options{Dir: dir}); !errors.Is(err, sqlstore.ErrInUse) {
		t.Fatalf("got %v, want ErrInUse", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, sqlstore.Options{Dir: dir})
}

func TestFilesArePrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "by open")
	newFixture(t, sqlstore.Options{Dir: dir})
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) < 3 {
		t.Fatalf("%d files (%v)", len(entries), err)
	}
	for _, path := range append(entries, nil) {
		name := dir
		if path != nil {
			name = filepath.Join(dir, path.Name())
		}
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %o", name, mode)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	refused := func(t *testing.T, o sqlstore.Options, driver, source string) {
		t.Helper()
		if err := open(t, o).Close(); err != nil {
			t.Fatal(err)
		}
		db, err := sql.Open(driver, source)
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)`)
		if err := errors.Join(err, db.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlstore.Open(t.Context(), o); !errors.Is(err, sqlstore.ErrNewerSchema) {
			t.Fatalf("got %v, want ErrNewerSchema", err)
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		dir := t.TempDir()
		refused(t, sqlstore.Options{Dir: dir}, "sqlite", filepath.Join(dir, "ringdown.db"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		url := pgtest.URL(t)
		refused(t, sqlstore.Options{URL: url}, "pgx", url)
	})
}

// TestServersStartTogether: several servers make the schema of one database at
// the same time.
func TestServersStartTogether(t *testing.T) {
	url := pgtest.URL(t)
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			s, err := sqlstore.Open(t.Context(), sqlstore.Options{URL: url})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
}

const crashVariable = "RINGDOWN_CRASH_DIR"

// TestCrash kills a process while it writes: what it had acknowledged by then
// is there afterwards.
func TestCrash(t *testing.T) {
	if dir := os.Getenv(crashVariable); dir != "" {
		writeUntilKilled(dir)
		return
	}
	dir := t.TempDir()
	const rounds, lines = 3, 150
	var acknowledged []string
	for range rounds {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrash$")
		child.Env = append(os.Environ(), crashVariable+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		n := 0
		for scan := bufio.NewScanner(out); scan.Scan(); n++ {
			if len(scan.Text()) == 36 { // not cut off by the kill
				acknowledged = append(acknowledged, scan.Text())
			}
			if n == lines {
				if err := child.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := child.Wait(); err == nil || n < lines {
			t.Fatalf("the child ended by itself after %d lines (%v)", n, err)
		}
	}
	s := open(t, sqlstore.Options{Dir: dir})
	if _, err := s.Resolve(t.Context(), store.Root, domain.KindUser, acknowledged...); err != nil {
		t.Errorf("of %d acknowledged: %v", len(acknowledged), err)
	}
	// Nor is a key used twice, whether or not its record had been acknowledged.
	records, err := s.List(t.Context(), store.ListQuery{Kind: domain.KindUser, HeadersOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	log, err := s.Changes(t.Context(), 0, 0)
	if err != nil || len(log) != len(records) {
		t.Errorf("%d changes of %d records (%v)", len(log), len(records), err)
	}
	entries, err := s.Entries(t.Context(), store.EntryQuery{Stream: store.StreamEvents})
	if err != nil || len(entries) != len(records) {
		t.Errorf("%d entries of %d records (%v)", len(entries), len(records), err)
	}
}

func writeUntilKilled(dir string) {
	ctx := context.Background()
	s, err := sqlstore.Open(ctx, sqlstore.Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for range 8 {
		go func() {
			for {
				r := &store.Record{Kind: domain.KindUser, ID: domain.NewID(), Name: "user", Doc: []byte(`{}`)}
				err := s.Update(ctx, func(tx store.Tx) error {
					e := &store.Entry{Stream: store.StreamEvents, Owner: r.ID, At: time.Now()}
					return errors.Join(tx.Insert(ctx, r, nil), tx.Append(ctx, e))
				})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(2)
				}
				if _, err := os.Stdout.WriteString(r.ID + "\n"); err != nil {
					os.Exit(0) // the parent is gone
				}
			}
		}()
	}
	select {}
}

// FuzzRecord: whatever strangers put into a record, it is refused with a fault
// or kept as it is.
func FuzzRecord(f *testing.F) {
	f.Add("id", "name", "name", "key", "value")
	f.Add("agent/1", "", "", "", "")
	f.Add("\x00", "\xff", "'; DROP TABLE resource; --", "\u2028", "<&>\\\"")
	f.Add("$1", "?1", "%_", "\xed\xa0\x80", "\x00")
	s := open(f, sqlstore.Options{Dir: f.TempDir()})
	f.Fuzz(func(t *testing.T, id, name, nameKey, tag, value string) {
		ctx := t.Context()
		r := &store.Record{Kind: domain.KindUser, ID: id, Name: name, NameKey: nameKey, Tags: map[string]string{tag: value}}
		err := s.Update(ctx, func(tx store.Tx) error { return tx.Insert(ctx, r, nil) })
		if err != nil {
			if !fault.Is(err, fault.InvalidParameter) && !fault.Is(err, fault.DuplicateResource) {
				t.Fatal(err)
			}
			return
		}
		got, err := s.Get(ctx, store.Root, domain.KindUser, id)
		if err != nil {
			t.Fatal(err)
		}
		if got.ID != id || got.Name != name || got.NameKey != nameKey || len(got.Tags) != 1 {
			t.Fatalf("kept %+v of id %q, name %q, key %q", *got, id, name, nameKey)
		}
		if err := s.Update(ctx, func(tx store.Tx) error { return tx.Delete(ctx, got) }); err != nil {
			t.Fatal(err)
		}
	})
}
