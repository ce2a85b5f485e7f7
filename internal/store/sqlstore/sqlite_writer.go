package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
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
	fn    func(*tx) error
	state atomic.Uint32 // waiting, taken or abandoned
	// done carries the outcome, once. It has room for it, so that nobody waits
	// to send.
	done chan outcome
}

const (
	waiting = iota
	taken
	abandoned
)

// outcome is how an update ended.
type outcome struct {
	err error
	// panicked is what fn panicked with, nil if it did not.
	panicked any
	// unwound is true when fn ended its goroutine (runtime.Goexit).
	unwound bool
}

// writer owns the connection that writes. Its goroutine commits in groups:
// BEGIN, a savepoint for each member, the log, COMMIT. Keys that a group used stay
// used when it is given up.
type writer struct {
	conn     *liteConn
	options  Options
	notifier *notifier
	turns    chan *turn
	ended    chan struct{}

	// What follows belongs to the goroutine.
	group    *group // that is being filled, or nil
	next     int64  // the next key
	recorded int64  // the counter in the database; keys below it may be in use
	seq      int64  // the last sequence number in the log
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
	u := &turn{fn: fn, done: make(chan outcome, 1)}
	select {
	case w.turns <- u:
	case <-ctx.Done():
		return fmt.Errorf("wait to write: %w", ctx.Err())
	}
	var o outcome
	select {
	case o = <-u.done:
	case <-ctx.Done():
		if u.state.CompareAndSwap(waiting, abandoned) {
			return fmt.Errorf("wait to write: %w", ctx.Err())
		}
		o = <-u.done
	}
	switch {
	case o.panicked != nil:
		panic(o.panicked)
	case o.unwound:
		runtime.Goexit()
	}
	return o.err
}

// group is what is committed together.
type group struct {
	began   time.Time
	members []*turn
	changes []store.Change
	running *turn // whose fn runs
	tx      *tx   // that it was given
}

// run is the goroutine. It ends with the store, or earlier when an fn ends it
// by runtime.Goexit, as a failing test does: nothing can stop that, so another
// goroutine takes over the group at hand.
func (w *writer) run(ctx context.Context) {
	cut := true
	defer func() {
		if cut {
			go w.run(ctx)
			return
		}
		close(w.ended)
	}()
	if w.group != nil {
		w.fill(ctx, w.settle(ctx, outcome{unwound: true}))
	}
	for first := range w.turns {
		if _, err := w.conn.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
			if first.state.CompareAndSwap(waiting, taken) {
				first.done <- outcome{err: fmt.Errorf("begin a transaction: %w", err)}
			}
			continue
		}
		w.group = &group{began: w.options.Now()}
		w.fill(ctx, w.member(ctx, first))
	}
	cut = false
}

// fill adds the turns that wait to the group and commits it; err is how the
// latest member ended, not nil when the transaction has broken.
func (w *writer) fill(ctx context.Context, err error) {
	for err == nil {
		u := w.nextTurn()
		if u == nil {
			break
		}
		err = w.member(ctx, u)
	}
	g := w.group
	w.group = nil
	if err == nil {
		err = w.commit(ctx, g.changes)
	}
	if err != nil {
		// The transaction may be gone already; then there is nothing to roll back.
		_, _ = w.conn.exec(ctx, "ROLLBACK")
		g.tell(outcome{err: err})
		return
	}
	if len(g.changes) == 0 || w.options.Observer == nil {
		g.tell(outcome{})
		return
	}
	w.notifier.commits <- commit{changes: g.changes, seen: func() { g.tell(outcome{}) }}
}

// tell gives the members their outcome.
func (g *group) tell(o outcome) {
	for _, u := range g.members {
		u.done <- o
	}
}

// nextTurn is the turn that waits longest, nil when the group is to end.
func (w *writer) nextTurn() *turn {
	if len(w.group.members) == groupMembers || w.options.Now().Sub(w.group.began) > groupTime {
		return nil
	}
	select {
	case u := <-w.turns: // nil when the store is closing
		return u
	default:
	}
	// Those whom the last commit has released may be about to come again: a
	// look at them costs less than a commit for the few that were faster.
	runtime.Gosched()
	select {
	case u := <-w.turns:
		return u
	default:
		return nil
	}
}

// member runs one update inside a savepoint. Its failure undoes what it did
// and nothing else; the error of member is errBroken.
func (w *writer) member(ctx context.Context, u *turn) error {
	if !u.state.CompareAndSwap(waiting, taken) {
		return nil
	}
	w.group.running = u
	w.group.tx = newTx(w.conn, w.options.Now, w.nextPK, w.options.Observer != nil)
	if _, err := w.conn.exec(ctx, "SAVEPOINT member"); err != nil {
		w.group.members = append(w.group.members, u)
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return w.settle(ctx, w.call(u.fn))
}

// call runs fn, here on the writer's goroutine: to hand the connection over to
// the caller's and back would take a fifth of the time of an insert. A panic
// is raised again in the caller; its stack is here alone, hence the log.
func (w *writer) call(fn func(*tx) error) (o outcome) {
	returned := false
	defer func() {
		if returned {
			return
		}
		if o.panicked = recover(); o.panicked != nil {
			w.options.Logger.Error("an update panicked", "panic", o.panicked, "stack", string(debug.Stack()))
		}
	}()
	o.err = fn(w.group.tx)
	returned = true
	return o
}

// errBroken means that the transaction of the whole group is in doubt: some
// failures (a full disk, for one) make SQLite roll all of it back by itself,
// whereupon its savepoints are gone (https://www.sqlite.org/lang_transaction.html).
var errBroken = errors.New("the transaction has broken")

// settle ends the member whose fn has ended with o.
func (w *writer) settle(ctx context.Context, o outcome) error {
	g := w.group
	o.err = g.tx.outcome(o.err)
	failed := o.err != nil || o.panicked != nil || o.unwound
	if failed {
		if _, err := w.conn.exec(ctx, "ROLLBACK TO member"); err != nil {
			g.members = append(g.members, g.running)
			return fmt.Errorf("%w: %w (after: %w)", errBroken, err, o.err)
		}
	}
	if _, err := w.conn.exec(ctx, "RELEASE member"); err != nil {
		g.members = append(g.members, g.running)
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	if failed {
		g.running.done <- o
		return nil
	}
	g.members = append(g.members, g.running)
	g.changes = append(g.changes, g.tx.changes...)
	return nil
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

// close commits what waits, tells of it, and closes the connection. No update
// may begin any more.
func (w *writer) close() error {
	close(w.turns)
	<-w.ended
	w.notifier.close()
	return w.conn.close()
}
