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
	puts  []put         // what fn did to contacts
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
// BEGIN, the members, the log, COMMIT. Keys that a group used stay used when it
// is given up.
//
// Members run without savepoints at first. To keep what it would take to undo
// each of them costs an eighth of an insert, and most of those that fail do so
// before they have written anything. When one fails later, the group is rolled
// back and its other members run again, with a savepoint for each.
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
	members []*turn // that have done their part
	changes []store.Change
	running *turn // whose fn runs
	tx      *tx   // that it was given
	// careful means a savepoint for each member.
	careful bool
	again   []*turn // members of a group that was rolled back, to run first
}

// undone restores what the members did to their contacts.
func (g *group) undone() {
	for _, u := range slices.Backward(g.members) {
		restore(u.puts)
		u.puts = nil
	}
}

// tell gives an outcome to all members, to come and past.
func (g *group) tell(o outcome) {
	for _, u := range slices.Concat(g.members, g.again) {
		u.done <- o
	}
}

var (
	// errUndo means that the member that has just ended, and been told so, left
	// behind what only a rollback of the group can undo.
	errUndo = errors.New("the group must be rolled back")
	// errBroken means that the transaction of the whole group is in doubt: some
	// failures (a full disk, for one) make SQLite roll all of it back by itself,
	// whereupon its savepoints are gone
	// (https://www.sqlite.org/lang_transaction.html).
	errBroken = errors.New("the transaction has broken")
)

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
		w.finish(ctx, w.settle(ctx, outcome{unwound: true}))
	}
	for first := range w.turns {
		if first.take() {
			w.finish(ctx, w.begin(ctx, &group{again: []*turn{first}}))
		}
	}
	cut = false
}

// take claims the turn for the writer, unless its caller has given up.
func (u *turn) take() bool { return u.state.CompareAndSwap(waiting, taken) }

func (w *writer) begin(ctx context.Context, g *group) error {
	g.began = w.options.Now()
	w.group = g
	if _, err := w.conn.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	return nil
}

// finish fills the group with the turns that wait and commits it; err is how
// its latest member ended.
func (w *writer) finish(ctx context.Context, err error) {
	for {
		err = w.fill(ctx, err)
		if !errors.Is(err, errUndo) {
			break
		}
		w.rollback(ctx)
		w.group.undone()
		err = w.begin(ctx, &group{careful: true, again: append(w.group.members, w.group.again...)})
	}
	g := w.group
	w.group = nil
	if err == nil {
		err = w.commit(ctx, g.changes)
	}
	if err != nil {
		w.rollback(ctx)
		g.undone()
		g.tell(outcome{err: err})
		return
	}
	if len(g.changes) == 0 || w.options.Observer == nil {
		g.tell(outcome{})
		return
	}
	w.notifier.commits <- commit{changes: g.changes, seen: func() { g.tell(outcome{}) }}
}

// fill runs members until nobody waits or one ends with an error.
func (w *writer) fill(ctx context.Context, err error) error {
	for err == nil {
		u := w.nextTurn()
		if u == nil {
			break
		}
		err = w.member(ctx, u)
	}
	return err
}

// rollback ends the transaction. It may be gone already; then there is nothing
// to roll back.
func (w *writer) rollback(ctx context.Context) { _, _ = w.conn.exec(ctx, "ROLLBACK") }

// nextTurn is the turn that waits longest, nil when the group is to end.
func (w *writer) nextTurn() *turn {
	g := w.group
	if len(g.again) > 0 {
		u := g.again[0]
		g.again = g.again[1:]
		return u
	}
	yielded := false
	for len(g.members) < groupMembers && w.options.Now().Sub(g.began) < groupTime {
		select {
		case u := <-w.turns:
			if u == nil { // the store is closing
				return nil
			}
			if u.take() {
				return u
			}
		default:
			if yielded {
				return nil
			}
			// Those whom the last commit has released may be about to come again:
			// a look at them costs less than a commit for the few that were faster.
			runtime.Gosched()
			yielded = true
		}
	}
	return nil
}

// member runs one update. When it fails, it has been told so and its part is
// undone, unless the error is errUndo or errBroken.
func (w *writer) member(ctx context.Context, u *turn) error {
	g := w.group
	g.running = u
	g.tx = newTx(w.conn, w.options.Now, w.nextPK, w.options.Observer != nil)
	g.tx.nextSeq = w.nextSeq
	if g.careful {
		if _, err := w.conn.exec(ctx, "SAVEPOINT member"); err != nil {
			g.members = append(g.members, u)
			return fmt.Errorf("%w: %w", errBroken, err)
		}
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

// settle ends the member whose fn has ended with o.
func (w *writer) settle(ctx context.Context, o outcome) error {
	g := w.group
	trace := g.tx.leftTrace()
	o.err = g.tx.outcome(o.err)
	failed := o.err != nil || o.panicked != nil || o.unwound
	if failed {
		restore(g.tx.puts)
	} else {
		g.running.puts = g.tx.puts
	}
	if g.careful {
		steps := []string{"RELEASE member"}
		if failed {
			steps = []string{"ROLLBACK TO member", "RELEASE member"}
		}
		for _, step := range steps {
			if _, err := w.conn.exec(ctx, step); err != nil {
				g.members = append(g.members, g.running)
				return errors.Join(fmt.Errorf("%w: %w", errBroken, err), o.err)
			}
		}
	}
	switch {
	case !failed:
		g.members = append(g.members, g.running)
		g.changes = append(g.changes, g.tx.changes...)
	case g.careful || !trace:
		g.running.done <- o
	default:
		g.running.done <- o
		return errUndo
	}
	return nil
}

func (w *writer) nextPK(context.Context) (store.PK, error) {
	pk := store.PK(w.next)
	w.next++
	return pk, nil
}

// nextSeq draws from the same counter, which only this goroutine moves: in the
// order of commits, and no number twice. A second counter would have to be
// recorded as well.
func (w *writer) nextSeq() int64 {
	w.next++
	return w.next - 1
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
