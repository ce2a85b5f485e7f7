// Package sqlstore keeps the store of internal/store in SQLite, in a folder of
// its own, or in PostgreSQL. Both run the same statements (statements.go)
// through the same transaction (tx.go); what differs is how transactions are
// scheduled and how changes travel.
//
// SQLite: one process owns the data folder. One goroutine, the writer, holds
// the only connection that writes. It takes the updates that wait, gives each
// its turn, and makes them durable with one commit, that is one fsync for all;
// the failure of one undoes nothing of the others (sqlite_writer.go). Fn runs on the writer's goroutine; a panic or a Goexit of
// it goes on in its caller and harms nobody else. Reads go to other connections
// and never wait for the writer.
//
// PostgreSQL: several servers may share a database. Each update is a
// SERIALIZABLE transaction on a pooled connection, run again when it loses a
// race. Another goroutine, the poller, reads the change log for the changes of
// the other servers. Entries of contacts are shown up to where their order is
// settled (postgres_settle.go).
//
// In both, one goroutine, the notifier, calls the Observer, so calls never
// overlap; a third prunes what has expired. Close ends them all and waits.
//
// Invariants:
//   - Update returns nil only after its changes are durable and the Observer
//     has seen them;
//   - a transaction of which a statement failed is never committed, whatever
//     its fn returns;
//   - keys (PK) are handed out in ascending order, in blocks that the database
//     has recorded before or together with their first use.
package sqlstore

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Options say where the store is and who listens to it.
type Options struct {
	// Dir is the data folder of SQLite, made when it does not exist (mode
	// 0700). The database is Dir/ringdown.db.
	Dir string
	// URL of a PostgreSQL database, postgres://… with the parameters of libpq
	// and pgxpool (pool_max_conns). Empty means SQLite in Dir.
	URL string
	// Now is the clock; nil means time.Now. Times are kept in microseconds.
	Now func() time.Time
	// Observer is told of each change; nil if nobody wants to know. It may read
	// the store but must not call Update, which would wait for the Observer.
	// The records it is given are its own.
	Observer store.Observer
	// Logger takes what happens in the background; nil discards it.
	Logger *slog.Logger
	// PollEvery is how often PostgreSQL is asked for the changes of other
	// servers; 0 means every 250 ms.
	PollEvery time.Duration
}

// Open opens the store and brings its schema up to date. It fails when another
// process holds the data folder, and when a newer release has changed the
// schema (ErrNewerSchema).
func Open(ctx context.Context, o Options) (store.Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.PollEvery <= 0 {
		o.PollEvery = 250 * time.Millisecond
	}
	switch {
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		return openPostgres(ctx, o)
	case o.URL != "":
		return nil, errors.New("the database URL must begin with postgres://")
	case o.Dir == "":
		return nil, errors.New("neither a data folder nor a database URL is given")
	default:
		return openSQLite(ctx, o)
	}
}

// errClosed is what a closed store answers: the server is going down.
var errClosed = fault.New(fault.ServiceUnavailable, "The server is shutting down.")

// gate counts the calls that are in the store, so that Close can wait for
// them and turn away later ones.
type gate struct {
	mu     sync.Mutex
	closed bool
	inside sync.WaitGroup
}

// enter lets a call in, which must leave; it fails when the gate is closed.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return errClosed
	}
	g.inside.Add(1)
	return nil
}

func (g *gate) leave() { g.inside.Done() }

// close turns further calls away and waits for those inside.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.inside.Wait()
}
