package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"

	"ringdown/internal/store"
)

const (
	fileName = "ringdown.db"
	lockName = "ringdown.lock"
)

// ErrInUse is returned by Open for a data folder that another process (or
// another store of this one) has open.
var ErrInUse = errors.New("the data folder is in use by another server")

// The settings of every connection. WAL lets reads go on beside the writer;
// synchronous=FULL makes a commit wait for the disk, so that what was
// acknowledged outlives a power cut; temp_store=MEMORY keeps the undo records
// of savepoints out of the file system.
var commonPragmas = []string{
	"busy_timeout(10000)",
	"journal_mode(WAL)",
	"synchronous(FULL)",
	"foreign_keys(1)",
	"temp_store(MEMORY)",
}

// Page caches are the bulk of the store's memory: 8 MB for the writer and 16 MB
// that the readers share (negative sizes are KiB); what they miss is in the
// system's cache. A checkpoint every 4,000 pages (16 MB) instead of 1,000 writes
// a page of the database once for more commits.
var writerPragmas = []string{"cache_size(-8192)", "wal_autocheckpoint(4000)", "journal_size_limit(67108864)"}

// readerPragmas are for each of n readers.
func readerPragmas(n int) []string {
	return []string{fmt.Sprintf("cache_size(%d)", -16384/n), "query_only(1)"}
}

type sqliteStore struct {
	reader  // on the pool
	options Options
	gate    gate
	pool    *litePool
	writer  *writer
	pruner  *pruner
	lock    *os.File
	closing sync.Once
	closed  error
}

func openSQLite(ctx context.Context, o Options) (_ store.Store, err error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the data folder: %w", err)
	}
	s := &sqliteStore{options: o}
	if s.lock, err = lockFolder(filepath.Join(dir, lockName)); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.release())
		}
	}()
	path := filepath.Join(dir, fileName)
	if err := makePrivate(path); err != nil {
		return nil, err
	}
	if err := migrateSQLite(ctx, path); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.pool, err = openPool(ctx, path, &s.gate); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.reader = reader{s.pool, s.options.Now}
	conn, err := connectSQLite(ctx, path, writerPragmas)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.writer, err = startWriter(ctx, conn, o); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), conn.close())
	}
	s.pruner, err = startPruner(ctx, o.Logger, func(ctx context.Context) (more bool, err error) {
		err = s.writer.update(ctx, func(t *tx) error {
			more, err = prune(ctx, t.session, o.Now())
			return err
		})
		return more, err
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// makePrivate creates the database file, if it is not there, readable by its
// owner alone; SQLite gives the files beside it the same mode.
func makePrivate(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // the operator chose the folder
	if err != nil {
		return fmt.Errorf("create the database: %w", err)
	}
	return f.Close()
}

func dataSource(path string, pragmas []string) string {
	values := url.Values{"_dqs": {"0"}, "_pragma": append(append([]string(nil), commonPragmas...), pragmas...)}
	name := filepath.ToSlash(path)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // a Windows path: file:///C:/…
	}
	return (&url.URL{Scheme: "file", Path: name, RawQuery: values.Encode()}).String()
}

func connectSQLite(ctx context.Context, path string, pragmas []string) (*liteConn, error) {
	connector, err := sqlite.NewConnector(dataSource(path, pragmas))
	if err != nil {
		return nil, err
	}
	return openLite(ctx, connector)
}

func migrateSQLite(ctx context.Context, path string) error {
	connector, err := sqlite.NewConnector(dataSource(path, writerPragmas))
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	// One connection: a second would only wait for the first.
	db.SetMaxOpenConns(1)
	return errors.Join(migrate(ctx, db, goose.DialectSQLite3, "sqlite"), db.Close())
}

// View keeps a connection of the readers for as long as fn runs. Fn must not
// read the store except through its Reader: when all readers are in views, it
// would wait for itself.
func (s *sqliteStore) View(ctx context.Context, fn func(store.Reader) error) error {
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	conn, err := s.pool.take(ctx)
	if err != nil {
		return err
	}
	defer s.pool.give(conn)
	// The first read fixes the state that all of them see.
	if _, err := conn.exec(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("begin a view: %w", err)
	}
	view := &txSession{session: conn}
	defer func() {
		view.failure = errOver
		// It has changed nothing, so there is nothing that ending it could lose.
		_, _ = conn.exec(context.WithoutCancel(ctx), "ROLLBACK")
	}()
	return fn(reader{view, s.options.Now})
}

// Update waits for its turn to write no longer than ctx lasts. Fn must not call
// Update, whose turn could not come before its own has ended.
func (s *sqliteStore) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	return s.writer.update(ctx, func(t *tx) error { return fn(t) })
}

// UpdateContacts waits for its turn as Update does.
func (s *sqliteStore) UpdateContacts(ctx context.Context, fn func(store.ContactTx) error) error {
	return s.Update(ctx, func(t store.Tx) error { return fn(t) })
}

// Changes are numbered without gaps, in the order of their commits.
func (s *sqliteStore) Changes(ctx context.Context, after int64, limit int) ([]store.Change, error) {
	return s.changes(ctx, after, limit)
}

// Close moves the write-ahead log into the database and unlocks the folder.
func (s *sqliteStore) Close() error {
	s.closing.Do(func() {
		s.gate.close()
		s.closed = s.release()
	})
	return s.closed
}

// release frees what there is; Open calls it when it fails half way.
func (s *sqliteStore) release() error {
	var errs []error
	if s.pruner != nil {
		s.pruner.close()
	}
	if s.pool != nil {
		errs = append(errs, s.pool.close())
	}
	if s.writer != nil {
		// Last of the connections: it moves the log into the database.
		errs = append(errs, s.writer.close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}

// litePool is a session that runs each statement on whichever of its
// connections is free.
type litePool struct {
	gate *gate
	size int
	free chan *liteConn
}

func openPool(ctx context.Context, path string, g *gate) (*litePool, error) {
	// More readers than processors would only share them.
	size := min(max(runtime.GOMAXPROCS(0), 2), 8)
	p := &litePool{gate: g, free: make(chan *liteConn, size)}
	for range size {
		conn, err := connectSQLite(ctx, path, readerPragmas(size))
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.size++
		p.free <- conn
	}
	return p, nil
}

// take waits for a free connection; it goes back by give.
func (p *litePool) take(ctx context.Context) (*liteConn, error) {
	select {
	case conn := <-p.free:
		return conn, nil
	default:
	}
	select {
	case conn := <-p.free:
		return conn, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a connection: %w", ctx.Err())
	}
}

func (p *litePool) give(conn *liteConn) { p.free <- conn }

func (p *litePool) query(ctx context.Context, each func(row) error, text string, args ...any) error {
	if err := p.gate.enter(); err != nil {
		return err
	}
	defer p.gate.leave()
	conn, err := p.take(ctx)
	if err != nil {
		return err
	}
	defer p.give(conn)
	return conn.query(ctx, each, text, args...)
}

// exec is there for the interface; the connections refuse to write.
func (p *litePool) exec(ctx context.Context, text string, args ...any) (int64, error) {
	if err := p.gate.enter(); err != nil {
		return 0, err
	}
	defer p.gate.leave()
	conn, err := p.take(ctx)
	if err != nil {
		return 0, err
	}
	defer p.give(conn)
	return conn.exec(ctx, text, args...)
}

func (*litePool) classify(err error) class { return classifyLite(err) }

// close waits for the connections to come back and closes them.
func (p *litePool) close() error {
	var errs []error
	for range p.size {
		conn := <-p.free
		errs = append(errs, conn.close())
	}
	return errors.Join(errs...)
}
