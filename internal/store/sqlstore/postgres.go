package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"ringdown/internal/store"
)

const (
	// poolConns is how many connections transactions share unless the URL says
	// pool_max_conns.
	poolConns = 16
	// attempts bounds how often an update runs that keeps losing races. From
	// the attempt patience on it runs alone on this server, so that the races
	// left to lose are those against other servers.
	attempts = 25
	patience = 3
	// firstBackoff doubles with each attempt up to maxBackoff; the wait is a
	// random part of it, so that rivals part ways.
	firstBackoff = 2 * time.Millisecond
	maxBackoff   = 200 * time.Millisecond
)

// serializable is the level of updates. Callers check and then act: they count
// records and insert one more, read a memo and write it, walk a hierarchy and
// hang a group into it. Under REPEATABLE READ two updates may each pass the
// check and break the rule together (write skew), because they write different
// rows. No weaker level prevents that without locks that callers would have to
// name, so updates are SERIALIZABLE and lost races are run again
// (https://www.postgresql.org/docs/current/transaction-iso.html).
var serializable = pgx.TxOptions{IsoLevel: pgx.Serializable}

// committed is the level of updates that read nothing. Each of their statements
// says itself what it expects to find, and is held against what is there when it
// writes. Under SERIALIZABLE neighbours in an index would take one another for
// readers of what they write, and half of them run again.
var committed = pgx.TxOptions{IsoLevel: pgx.ReadCommitted}

// snapshot is the level of views: one committed state, no failures.
var snapshot = pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}

type postgresStore struct {
	reader   // each statement on a free connection
	options  Options
	gate     gate
	pool     *pgxpool.Pool
	keys     *keyBlocks
	notifier *notifier
	poller   *poller // nil without an observer
	settler  *settler
	pruner   *pruner
	// alone is held shared by updates and wholly by one that has lost too many
	// races.
	alone   sync.RWMutex
	closing sync.Once
}

func openPostgres(ctx context.Context, o Options) (_ store.Store, err error) {
	config, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, err // pgx leaves the password out
	}
	if u, err := url.Parse(o.URL); err == nil && !u.Query().Has("pool_max_conns") {
		config.MaxConns = poolConns
	}
	if config.ConnConfig.RuntimeParams["application_name"] == "" {
		config.ConnConfig.RuntimeParams["application_name"] = "ringdown"
	}
	if err := migratePostgres(ctx, config.ConnConfig, o.Logger); err != nil {
		return nil, err
	}
	s := &postgresStore{options: o}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer func() {
		if err != nil {
			s.release()
		}
	}()
	// What runs beside transactions has connections of its own: an update that
	// waits for keys holds a connection of the pool already.
	config = config.Copy()
	config.MaxConns, config.MinConns = 2, 0
	own, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	s.keys = &keyBlocks{pool: own}
	s.reader = reader{pgSession{pool: s.pool, gate: &s.gate}, s.options.Now}
	s.notifier = startNotifier(o.Observer)
	background := pgSession{pool: own}
	s.settler = newSettler(background, o.Now)
	if o.Observer != nil {
		if s.poller, err = startPoller(ctx, background, s.notifier, o); err != nil {
			return nil, err
		}
	}
	s.pruner, err = startPruner(ctx, o.Logger, func(ctx context.Context) (bool, error) {
		// What is pruned leaves no gaps behind that would have to be closed.
		if err := s.settler.settle(ctx); err != nil {
			return false, err
		}
		return prune(ctx, background, o.Now())
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// migratePostgres takes turns with servers that start at the same time by a
// lock that is a row. Making the tables of versions and locks is not covered by
// it, so the first start of several may fail for some and is tried again.
func migratePostgres(ctx context.Context, config *pgx.ConnConfig, log *slog.Logger) error {
	db := stdlib.OpenDB(*config)
	var err error
	for attempt := range 3 {
		var locker lock.Locker
		if locker, err = lock.NewPostgresTableLocker(
			// Ask every half second for up to five minutes.
			lock.WithTableLockTimeout(500*time.Millisecond, 600),
			lock.WithTableLogger(log),
		); err != nil {
			break
		}
		err = migrate(ctx, db, goose.DialectPostgres, "postgres", goose.WithLocker(locker))
		if err == nil || errors.Is(err, ErrNewerSchema) || !wait(ctx, backoff(attempt)) {
			break
		}
	}
	return errors.Join(err, db.Close())
}

// View holds a connection for as long as fn runs.
func (s *postgresStore) View(ctx context.Context, fn func(store.Reader) error) (err error) {
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	ptx, err := s.pool.BeginTx(ctx, snapshot)
	if err != nil {
		return fmt.Errorf("begin a view: %w", err)
	}
	view := &txSession{session: pgTxSession{ptx}}
	defer func() {
		view.failure = errOver
		// It has changed nothing, so there is nothing that ending it could lose.
		_ = ptx.Rollback(context.WithoutCancel(ctx))
	}()
	return fn(reader{view, s.options.Now})
}

// Update runs fn again, up to 25 times, while it loses races. When the
// connection breaks during the commit, the update may have been kept in spite of
// the error; the Observer is told what came of it.
func (s *postgresStore) Update(ctx context.Context, fn func(store.Tx) error) error {
	return s.update(ctx, serializable, func(t *tx) error { return fn(t) })
}

// UpdateContacts runs fn again after a deadlock, and when the number of an entry
// was taken.
func (s *postgresStore) UpdateContacts(ctx context.Context, fn func(store.ContactTx) error) error {
	return s.update(ctx, committed, func(t *tx) error { return fn(t) })
}

func (s *postgresStore) update(ctx context.Context, level pgx.TxOptions, fn func(*tx) error) error {
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	for attempt := 0; ; attempt++ {
		changes, again, err := s.attempt(ctx, attempt, level, fn)
		if err == nil {
			s.tell(changes)
			return nil
		}
		if !again {
			return err
		}
		if attempt+1 == attempts {
			return fmt.Errorf("gave up after %d lost races: %w", attempts, err)
		}
		if !wait(ctx, backoff(attempt)) {
			return fmt.Errorf("wait to run again: %w", ctx.Err())
		}
	}
}

// attempt runs fn in a transaction and commits it. Again says that the error
// is a lost race.
func (s *postgresStore) attempt(ctx context.Context, attempt int, level pgx.TxOptions, fn func(*tx) error) (_ []store.Change, again bool, err error) {
	if attempt < patience {
		s.alone.RLock()
		defer s.alone.RUnlock()
	} else {
		s.alone.Lock()
		defer s.alone.Unlock()
	}
	ptx, err := s.pool.BeginTx(ctx, level)
	if err != nil {
		return nil, pgconn.SafeToRetry(err), fmt.Errorf("begin a transaction: %w", err)
	}
	// For whatever way fn ends; after a commit it does nothing. A connection
	// that cannot roll back is closed, which rolls back as well.
	defer func() { _ = ptx.Rollback(context.WithoutCancel(ctx)) }()
	session := pgTxSession{ptx}
	t := newTx(session, s.options.Now, s.keys.next, s.options.Observer != nil)
	kept := false
	defer func() {
		if !kept {
			restore(t.puts)
		}
	}()
	err = fn(t)
	again = classifyPg(t.session.failure) == lostRace
	if err := t.outcome(err); err != nil {
		return nil, again, err
	}
	if err := logChanges(ctx, session, t.changes, s.options.Now()); err != nil {
		return nil, classifyPg(err) == lostRace, err
	}
	s.poller.claim(t.changes)
	if err := ptx.Commit(ctx); err != nil {
		again = classifyPg(err) == lostRace
		if !again {
			s.poller.doubt(t.changes)
		}
		return nil, again, fmt.Errorf("commit: %w", err)
	}
	kept = true
	return t.changes, false, nil
}

// logChanges writes the changes to the log and fills in their numbers. It is
// the last thing before the commit, to keep short the time in which a number
// is taken and cannot be seen.
func logChanges(ctx context.Context, s session, changes []store.Change, now time.Time) error {
	at := micros(now)
	for run := range slices.Chunk(changes, maxRows) {
		args := make([]any, 0, 7*maxRows)
		for _, c := range run {
			args = append(args, logged(c, at)...)
		}
		seqs := make([]int64, 0, maxRows)
		err := s.query(ctx, func(row row) error {
			var seq int64
			err := row.Scan(&seq)
			seqs = append(seqs, seq)
			return err
		}, drawChanges[len(run)], args...)
		if err != nil {
			return fmt.Errorf("write the change log: %w", err)
		}
		slices.Sort(seqs)
		for i, seq := range seqs {
			run[i].Seq = seq
		}
	}
	return nil
}

// tell shows the changes to the observer and waits until it has seen them.
func (s *postgresStore) tell(changes []store.Change) {
	if s.options.Observer == nil || len(changes) == 0 {
		return
	}
	seen := make(chan struct{})
	s.notifier.commits <- commit{changes: changes, seen: func() { close(seen) }}
	<-seen
}

// Changes are numbered nearly in the order of their commits: a lower number may
// appear after a higher one, and some never do (see poller).
func (s *postgresStore) Changes(ctx context.Context, after int64, limit int) ([]store.Change, error) {
	return s.changes(ctx, after, limit)
}

// Close ends what runs in the background and the connections.
func (s *postgresStore) Close() error {
	s.closing.Do(func() {
		s.gate.close()
		s.release()
	})
	return nil
}

// release frees what there is; Open calls it when it fails half way.
func (s *postgresStore) release() {
	if s.pruner != nil {
		s.pruner.close()
	}
	if s.poller != nil {
		s.poller.close()
	}
	if s.notifier != nil {
		s.notifier.close()
	}
	if s.keys != nil {
		s.keys.pool.Close()
	}
	s.pool.Close()
}

// backoff is a random wait after a failed attempt, counted from 0.
func backoff(attempt int) time.Duration {
	return rand.N(min(firstBackoff<<min(attempt, 10), maxBackoff)) //nolint:gosec // spreads load, hides nothing
}

// wait waits, and reports false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// keyBlocks hands out keys from blocks that it takes from the counter in the
// database, outside of any update's transaction. Several servers thus never
// meet on the counter's row while they write, and a key is never used twice.
type keyBlocks struct {
	pool   *pgxpool.Pool
	mu     sync.Mutex
	at, to int64 // the rest of the block: at ≤ key < to
}

func (k *keyBlocks) next(ctx context.Context) (store.PK, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.at == k.to {
		to, err := number(ctx, pgSession{pool: k.pool}, advanceCounter, int64(keyBlock), "pk")
		if err != nil {
			return 0, fmt.Errorf("take a block of keys: %w", err)
		}
		k.at, k.to = to-keyBlock, to
	}
	k.at++
	return store.PK(k.at - 1), nil
}

// pgSession runs each statement on a free connection. Gate, when set, keeps
// out who comes after Close.
type pgSession struct {
	pool *pgxpool.Pool
	gate *gate
}

func (s pgSession) query(ctx context.Context, each func(row) error, text string, args ...any) error {
	if s.gate != nil {
		if err := s.gate.enter(); err != nil {
			return err
		}
		defer s.gate.leave()
	}
	rows, err := s.pool.Query(ctx, text, args...)
	return drain(rows, err, each)
}

func (s pgSession) exec(ctx context.Context, text string, args ...any) (int64, error) {
	if s.gate != nil {
		if err := s.gate.enter(); err != nil {
			return 0, err
		}
		defer s.gate.leave()
	}
	tag, err := s.pool.Exec(ctx, text, args...)
	return tag.RowsAffected(), err
}

func (pgSession) classify(err error) class { return classifyPg(err) }

// pgTxSession runs statements in a transaction.
type pgTxSession struct {
	tx pgx.Tx
}

func (s pgTxSession) query(ctx context.Context, each func(row) error, text string, args ...any) error {
	rows, err := s.tx.Query(ctx, text, args...)
	return drain(rows, err, each)
}

func (s pgTxSession) exec(ctx context.Context, text string, args ...any) (int64, error) {
	tag, err := s.tx.Exec(ctx, text, args...)
	return tag.RowsAffected(), err
}

func (pgTxSession) classify(err error) class { return classifyPg(err) }

func drain(rows pgx.Rows, err error, each func(row) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// classifyPg goes by SQLSTATE
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func classifyPg(err error) class {
	if errors.Is(err, errNumberTaken) {
		return lostRace
	}
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return otherError
	}
	switch e.Code {
	case "23505":
		return uniqueViolation
	case "23503":
		return foreignKeyViolation
	case "40001", "40P01": // serialization failure, deadlock
		return lostRace
	default:
		return otherError
	}
}
