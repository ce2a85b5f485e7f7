package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver that the server uses
)

// The bare writes are the rows that the server wrote, written again by
// prepared statements of database/sql alone, 64 operations to a commit: no
// HTTP, no rules, no savepoints.

const bareGroup = 64

const bareSettings = "?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-8192)&_pragma=wal_autocheckpoint(4000)"

func openBare(dir string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+filepath.Join(dir, "ringdown.db")+bareSettings)
}

// copyFolder copies the database of a folder that no server has open.
func copyFolder(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(from, "ringdown.db"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "ringdown.db"), raw, 0o600)
}

// userRow is a user as the server stored it.
type userRow struct {
	pk, instance, kind, version, created, modified int64
	id, name, doc                                  string
	nameKey, tags                                  sql.NullString
	refs                                           []refRow
}

type refRow struct {
	role string
	to   int64
}

const userKind = 2

// readUsers reads the users of a data folder with their references.
func readUsers(ctx context.Context, dir string) ([]userRow, error) {
	db, err := openBare(dir)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT pk, instance, kind, id, name, name_key, version, created, modified, tags, doc FROM resource WHERE kind = ? ORDER BY pk`, userKind)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var users []userRow
	at := map[int64]int{}
	for rows.Next() {
		var u userRow
		if err := rows.Scan(&u.pk, &u.instance, &u.kind, &u.id, &u.name, &u.nameKey, &u.version, &u.created, &u.modified, &u.tags, &u.doc); err != nil {
			return nil, err
		}
		at[u.pk] = len(users)
		users = append(users, u)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	refs, err := db.QueryContext(ctx, `SELECT from_pk, role, to_pk FROM ref`)
	if err != nil {
		return nil, err
	}
	defer refs.Close()
	for refs.Next() {
		var from int64
		var r refRow
		if err := refs.Scan(&from, &r.role, &r.to); err != nil {
			return nil, err
		}
		if i, ok := at[from]; ok {
			users[i].refs = append(users[i].refs, r)
		}
	}
	return users, refs.Err()
}

// bareInserts writes users into a copy of the folder as it was before they
// were made, and returns how many a second. With refs it writes what CreateUser
// writes, without them what an operation writes that changes a user: its row
// and an entry of the change log.
func bareInserts(ctx context.Context, dir string, users []userRow, refs bool) (float64, error) {
	return grouped(ctx, dir, len(users), map[string]string{
		"resource": `INSERT INTO resource (pk, instance, kind, id, name, name_key, version, created, modified, tags, doc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		"ref":      `INSERT INTO ref (from_pk, role, to_pk) VALUES (?, ?, ?)`,
		"change":   insertChange,
	}, func(exec func(string, ...any) error, i int) error {
		u := &users[i]
		if err := exec("resource", u.pk, u.instance, u.kind, u.id, u.name, u.nameKey, u.version, u.created, u.modified, u.tags, u.doc); err != nil {
			return err
		}
		for _, r := range u.refs {
			if !refs {
				break
			}
			if err := exec("ref", u.pk, r.role, r.to); err != nil {
				return err
			}
		}
		return exec("change", 10_000_000+i, u.pk, u.instance, u.kind, u.id, u.version, u.created)
	})
}

const insertChange = `INSERT INTO change (seq, op, pk, instance, kind, id, version, at) VALUES (?, 1, ?, ?, ?, ?, ?, ?)`

// grouped runs n writes, bareGroup to a transaction, and returns how many a
// second.
func grouped(ctx context.Context, dir string, n int, statements map[string]string, write func(exec func(string, ...any) error, i int) error) (float64, error) {
	db, err := openBare(dir)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	prepared := map[string]*sql.Stmt{}
	for name, text := range statements {
		if prepared[name], err = conn.PrepareContext(ctx, text); err != nil { //nolint:sqlclosecheck // they end with the database
			return 0, fmt.Errorf("%s: %w", name, err)
		}
	}
	exec := func(name string, args ...any) error {
		_, err := prepared[name].ExecContext(ctx, args...)
		return err
	}
	began := time.Now()
	for from := 0; from < n; from += bareGroup {
		if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
			return 0, err
		}
		for i := from; i < min(from+bareGroup, n); i++ {
			if err := write(exec, i); err != nil {
				return 0, err
			}
		}
		if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
