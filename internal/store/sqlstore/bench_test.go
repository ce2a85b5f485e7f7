package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "modernc.org/sqlite"

	"ringdown/internal/domain"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
	"ringdown/internal/store/storetest/pgtest"
)

// The document of a user with a phone and identity, 600 bytes of JSON.
var benchDoc = []byte(`{"Username":"benchmark","IdentityInfo":{"FirstName":"Ada","LastName":"Lovelace"},"Note":"` +
	strings.Repeat("x", 500) + `"}`)

// fixture is an instance with the three records that users refer to.
type fixture struct {
	store    store.Store
	instance store.PK
	refs     []store.Ref
}

func benchBoth(b *testing.B, run func(b *testing.B, f *fixture)) {
	b.Run("SQLite", func(b *testing.B) { run(b, newFixture(b, sqlstore.Options{Dir: b.TempDir()})) })
	b.Run("PostgreSQL", func(b *testing.B) { run(b, newFixture(b, sqlstore.Options{URL: pgtest.URL(b)})) })
}

func newFixture(tb testing.TB, o sqlstore.Options) *fixture {
	tb.Helper()
	s, err := sqlstore.Open(context.Background(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	f := &fixture{store: s}
	f.instance = f.insert(tb, &store.Record{Kind: domain.KindInstance, ID: domain.NewID(), Name: "bench"})
	for i, kind := range []domain.Kind{domain.KindRoutingProfile, domain.KindSecurityProfile, domain.KindHierarchyGroup} {
		pk := f.insert(tb, &store.Record{Instance: f.instance, Kind: kind, ID: domain.NewID(), Name: "bench", NameKey: "bench"})
		f.refs = append(f.refs, store.Ref{Role: store.Role([]string{"routing-profile", "security-profile", "hierarchy-group"}[i]), To: pk})
	}
	return f
}

func (f *fixture) insert(tb testing.TB, r *store.Record, refs ...store.Ref) store.PK {
	tb.Helper()
	err := f.store.Update(context.Background(), func(tx store.Tx) error { return tx.Insert(context.Background(), r, refs) })
	if err != nil {
		tb.Fatal(err)
	}
	return r.PK
}

func (f *fixture) user(n int64) *store.Record {
	name := fmt.Sprintf("user-%d", n)
	return &store.Record{
		Instance: f.instance, Kind: domain.KindUser, ID: domain.NewID(), Name: name, NameKey: name,
		Doc: benchDoc, Tags: map[string]string{"team": "blue"},
	}
}

// fill inserts n users and returns their ids.
func (f *fixture) fill(tb testing.TB, n int) []string {
	tb.Helper()
	ctx := context.Background()
	ids := make([]string, 0, n)
	err := f.store.Update(ctx, func(tx store.Tx) error {
		ids = ids[:0]
		for i := range n {
			u := f.user(int64(i))
			if err := tx.Insert(ctx, u, f.refs); err != nil {
				return err
			}
			ids = append(ids, u.ID)
		}
		return nil
	})
	if err != nil {
		tb.Fatal(err)
	}
	return ids
}

func BenchmarkGet(b *testing.B) {
	benchBoth(b, func(b *testing.B, f *fixture) {
		ids := f.fill(b, 10_000)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if _, err := f.store.Get(context.Background(), f.instance, domain.KindUser, ids[i*7919%len(ids)]); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
}

// BenchmarkCount10000 is what a check of a quota costs in a large instance.
func BenchmarkCount10000(b *testing.B) {
	benchBoth(b, func(b *testing.B, f *fixture) {
		f.fill(b, 10_000)
		for b.Loop() {
			if n, err := f.store.Count(context.Background(), f.instance, domain.KindUser); err != nil || n != 10_000 {
				b.Fatal(n, err)
			}
		}
	})
}

func BenchmarkList100(b *testing.B) {
	benchBoth(b, func(b *testing.B, f *fixture) {
		ids := f.fill(b, 10_000)
		for _, headers := range []bool{true, false} {
			b.Run(map[bool]string{true: "headers", false: "docs"}[headers], func(b *testing.B) {
				b.ReportAllocs()
				q := store.ListQuery{Instance: f.instance, Kind: domain.KindUser, After: ids[5000], Limit: 100, HeadersOnly: headers}
				for b.Loop() {
					if got, err := f.store.List(context.Background(), q); err != nil || len(got) != 100 {
						b.Fatal(len(got), err)
					}
				}
			})
		}
	})
}

// parallel runs op from 64 goroutines, b.N times in all.
func parallel(b *testing.B, op func(n int64) error) {
	b.Helper()
	var next atomic.Int64
	var running sync.WaitGroup
	for range 64 {
		running.Go(func() {
			for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
				if err := op(n); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "inserts/s")
}

// BenchmarkInsert inserts a user with three references, by 64 goroutines.
func BenchmarkInsert(b *testing.B) {
	benchBoth(b, func(b *testing.B, f *fixture) {
		b.ReportAllocs()
		b.ResetTimer()
		parallel(b, func(n int64) error {
			ctx := context.Background()
			u := f.user(n)
			return f.store.Update(ctx, func(tx store.Tx) error { return tx.Insert(ctx, u, f.refs) })
		})
	})
}

// BenchmarkCreate does what an operation does: look up what it refers to, and
// insert.
func BenchmarkCreate(b *testing.B) {
	benchBoth(b, func(b *testing.B, f *fixture) {
		ctx := context.Background()
		targets, err := f.store.GetByPK(ctx, f.refs[0].To, f.refs[1].To, f.refs[2].To)
		if err != nil {
			b.Fatal(err)
		}
		b.ResetTimer()
		parallel(b, func(n int64) error {
			u := f.user(n)
			return f.store.Update(ctx, func(tx store.Tx) error {
				refs := make([]store.Ref, len(targets))
				for i, target := range targets {
					pks, err := tx.Resolve(ctx, f.instance, target.Kind, target.ID)
					if err != nil {
						return err
					}
					refs[i] = store.Ref{Role: f.refs[i].Role, To: pks[0]}
				}
				return tx.Insert(ctx, u, refs)
			})
		})
	})
}

// BenchmarkInsertFloor is what BenchmarkInsert is measured against: the same
// rows into the same tables by prepared statements of database/sql alone, 64
// inserts to a commit, without savepoints or anything else of the store.
func BenchmarkInsertFloor(b *testing.B) {
	dir := b.TempDir()
	f := newFixture(b, sqlstore.Options{Dir: dir})
	if err := f.store.Close(); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "ringdown.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)"+
		"&_pragma=cache_size(-8192)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	ctx := context.Background()
	conn, err := db.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	prepare := func(text string) *sql.Stmt {
		s, err := conn.PrepareContext(ctx, text)
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	resource := prepare(`INSERT INTO resource (pk, instance, kind, id, name, name_key, version, created, modified, tags, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	ref := prepare(`INSERT INTO ref (from_pk, role, to_pk) VALUES (?, ?, ?)`)
	change := prepare(`INSERT INTO change (seq, op, pk, instance, kind, id, version, at) VALUES (?, 1, ?, ?, ?, ?, ?, ?)`)
	exec := func(s *sql.Stmt, args ...any) {
		if _, err := s.ExecContext(ctx, args...); err != nil {
			b.Fatal(err)
		}
	}
	begin, commit := prepare("BEGIN IMMEDIATE"), prepare("COMMIT")
	b.ResetTimer()
	b.ReportAllocs()
	for n := 0; n < b.N; {
		exec(begin)
		for range min(64, b.N-n) {
			u := f.user(int64(n))
			pk := int64(1000 + n)
			exec(resource, pk, int64(u.Instance), int64(u.Kind), u.ID, u.Name, u.NameKey, 1, pk, pk, `{"team":"blue"}`, string(u.Doc))
			for _, r := range f.refs {
				exec(ref, pk, string(r.Role), int64(r.To))
			}
			exec(change, 1000+n, pk, int64(u.Instance), int64(u.Kind), u.ID, 1, pk)
			n++
		}
		exec(commit)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "inserts/s")
}
