package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"ringdown/internal/store"
)

const (
	// A group ends when nobody waits, and at these bounds, so that its first
	// member need not wait for ever more neighbours.
	groupMembers = 256
	groupTime    = 20 * time.Millisecond

	// keyBlock is how many keys are recorded as taken at a time. A restart
	// skips those of the last block that nobody got.
	keyBlock = 1024
)

// turn is one update that waits for its turn to write.
type turn struct {
	state atomic.Uint32 // waiting, taken or abandoned
	// given carries the transaction to the caller, ran how its fn ended, and
	// done the outcome of the update. Each carries one value and has room for
	// it, so that nobody ever waits to send.
	given chan *tx
	ran   chan error
	done  chan error
}

const (
	waiting = iota
	taken
	abandoned
)

// errUnwound stands for an fn that did not return: it panicked, or ended its
// goroutine.
var errUnwound = errors.New("the update did not return")

// writer owns the connection that writes. Its goroutine commits in groups:
// BEGIN, a savepoint for each member, the log, COMMIT.
type writer struct {
	conn     *liteConn
	options  Options
	notifier *notifier
	turns    chan *turn
	ended    chan struct{}

	// What follows belongs to the goroutine.
	next     int64 // the next key
	recorded int64 // the counter in the database; keys below it may be in use
	seq      int64 // the last sequence number in the log
}

func startWriter(ctx context.Context, conn *liteConn, o Options) (*writer, error) {
	w := &writer{
		conn:    conn,
		options: o,
		turns:   make(chan *turn, groupMembers),
		ended:   make(chan struct{}),
	}
	var err error
	if w.recorded, err = number(ctx, conn, selectCounter, "pk"); err != nil {
		return nil, fmt.Errorf("read the key counter: %w", err)
	}
	if w.seq, err = number(ctx, conn, lastChange); err != nil {
		return nil, fmt.Errorf("read the end of the change log: %w", err)
	}
	w.next = w.recorded
	w.notifier = startNotifier(o.Observer)
	// The goroutine outlives the call that opened the store; an update's own
	// context governs its statements.
	go w.run(context.WithoutCancel(ctx))
	return w, nil
}

// update runs fn in its turn and waits for the outcome. Once its turn has
// come, the end of ctx is for fn to notice; the commit is waited for, because
// it can no longer be called off.
func (w *writer) update(ctx context.Context, fn func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait to write: %w", err)
	}
	u := &turn{given: make(chan *tx, 1), ran: make(chan error, 1), done: make(chan error, 1)}
	select {
	case w.turns <- u:
	case <-ctx.Done():
		return fmt.Errorf("wait to write: %w", ctx.Err())
	}
	var t *tx
	select {
	case t = <-u.given:
	case err := <-u.done: // it could not even begin
		return err
	case <-ctx.Done():
		if u.state.CompareAndSwap(waiting, abandoned) {
			return fmt.Errorf("wait to write: %w", ctx.Err())
		}
		select {
		case t = <-u.given:
		case err := <-u.done:
			return err
		}
	}
	u.run(t, fn)
	return <-u.done
}

// run runs fn and tells the writer how it ended, even when it does not return.
func (u *turn) run(t *tx, fn func(*tx) error) {
	err := errUnwound
	defer func() { u.ran <- err }()
	err = fn(t)
}

func (w *writer) run(ctx context.Context) {
	defer close(w.ended)
	for first := range w.turns {
		w.group(ctx, first)
	}
}

// group runs the turns that wait, beginning with first, and commits them.
func (w *writer) group(ctx context.Context, first *turn) {
	began := time.Now() //nolint:forbidigo // measures this process, not the world's time
	if _, err := w.conn.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		if first.state.CompareAndSwap(waiting, taken) {
			first.done <- fmt.Errorf("begin a transaction: %w", err)
		}
		return
	}
	var members []*turn
	var changes []store.Change
	for u := first; u != nil; {
		if u.state.CompareAndSwap(waiting, taken) {
			more, err := w.member(ctx, u)
			switch {
			case errors.Is(err, errBroken):
				w.abort(ctx, append(members, u), err)
				return
			case err != nil:
				u.done <- err
			default:
				members = append(members, u)
				changes = append(changes, more...)
			}
		}
		u = nil
		if len(members) < groupMembers && time.Since(began) < groupTime {
			select {
			case u = <-w.turns: // nil when the store is closing
			default:
			}
		}
	}
	if err := w.commit(ctx, changes); err != nil {
		w.abort(ctx, members, err)
		return
	}
	w.notifier.commits <- commit{changes: changes, seen: func() {
		for _, u := range members {
			u.done <- nil
		}
	}}
}

// errBroken means that the transaction of the whole group is in doubt: some
// failures (a full disk, for one) make SQLite roll all of it back by itself,
// whereupon its savepoints are gone (https://www.sqlite.org/lang_transaction.html).
var errBroken = errors.New("the transaction has broken")

// member runs one update inside a savepoint and returns its changes. Its error
// undoes what it did and nothing else, unless it is errBroken.
func (w *writer) member(ctx context.Context, u *turn) ([]store.Change, error) {
	if _, err := w.conn.exec(ctx, "SAVEPOINT member"); err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	t := newTx(w.conn, w.options.Now, w.nextPK, w.options.Observer != nil)
	u.given <- t
	failure := t.outcome(<-u.ran)
	if failure != nil {
		if _, err := w.conn.exec(ctx, "ROLLBACK TO member"); err != nil {
			return nil, fmt.Errorf("%w: %w (after: %w)", errBroken, err, failure)
		}
	}
	if _, err := w.conn.exec(ctx, "RELEASE member"); err != nil {
		return nil, fmt.Errorf("%w: %w", errBroken, err)
	}
	return t.changes, failure
}

func (w *writer) nextPK(context.Context) (store.PK, error) {
	pk := store.PK(w.next)
	w.next++
	return pk, nil
}

// commit writes the log and, when the group's keys need it, the key counter,
// and makes it all durable. Only then do the sequence numbers count.
func (w *writer) commit(ctx context.Context, changes []store.Change) error {
	seq := w.seq
	now := micros(w.options.Now())
	for run := range slices.Chunk(changes, maxRows) {
		args := make([]any, 0, 8*maxRows)
		for i := range run {
			seq++
			run[i].Seq = seq
			args = append(append(args, seq), logged(run[i], now)...)
		}
		if _, err := w.conn.exec(ctx, insertChanges[len(run)], args...); err != nil {
			return fmt.Errorf("write the change log: %w", err)
		}
	}
	recorded := w.recorded
	if w.next > recorded {
		recorded = w.next + keyBlock
		if _, err := w.conn.exec(ctx, setCounter, recorded, "pk"); err != nil {
			return fmt.Errorf("write the key counter: %w", err)
		}
	}
	if _, err := w.conn.exec(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	w.seq, w.recorded = seq, recorded
	return nil
}

// logged is a change as arguments for the log, without its number.
func logged(c store.Change, at int64) []any {
	r := c.Record
	return []any{int64(c.Op), int64(r.PK), int64(r.Instance), int64(r.Kind), r.ID, r.Version, at}
}

// abort gives up the group. Keys that it used stay used.
func (w *writer) abort(ctx context.Context, members []*turn, err error) {
	// The transaction may be gone already; then there is nothing to roll back.
	_, _ = w.conn.exec(ctx, "ROLLBACK")
	for _, u := range members {
		u.done <- err
	}
}

// close commits what waits, tells of it, and closes the connection. No update
// may begin any more.
func (w *writer) close() error {
	close(w.turns)
	<-w.ended
	w.notifier.close()
	return w.conn.close()
}
