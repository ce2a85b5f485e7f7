package event

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"ringdown/internal/store"
)

const (
	// batch is how many entries are read at once.
	batch = 100
	// gather is how long a feed waits for more after it was woken, so that on a
	// busy server one write and one move of the cursor serve many commits.
	gather = 25 * time.Millisecond
	// attemptTime is how long one delivery may take.
	attemptTime = 30 * time.Second
	// commitEvery is how often the cursor is moved at least while a batch is
	// delivered in several calls.
	commitEvery = time.Second
	// Pauses between failures double, from the first to the longest.
	firstPause, longestPause = 500 * time.Millisecond, time.Minute
	// leaveTime is how long the store may take when the Outbox closes.
	leaveTime = 2 * time.Second
	// leaseTime outlasts the longest pause with the attempt after it.
	leaseTime = 2 * time.Minute
	// beginning is the cursor of a feed that has delivered nothing yet but whose
	// place is settled; 0 is the cursor of one that the store does not know.
	beginning = -1
)

// errLeaseLost says that another server serves the feed now.
var errLeaseLost = errors.New("another server delivers it")

// feed is a Feed at work. What is below wake belongs to the goroutine of run.
type feed struct {
	Feed
	box  *Outbox
	name string // of the cursor and in the log
	wake chan struct{}

	cursor    int64 // as the store has it
	committed time.Time
	done      int64          // delivered up to here; beyond cursor until the store knows
	pending   []*store.Entry // read and not yet delivered
	last      int64          // Seq of the last entry that was read
	leased    bool           // the feed is this server's

	failures int       // in a row
	since    time.Time // when the first of them was

	oldest atomic.Int64 // when the first of pending happened, in Unix ms; 0 for none
}

// place finds where the feed has come to, and settles where a new one begins.
func (f *feed) place(ctx context.Context) error {
	cursor, err := f.box.store.Cursor(ctx, f.name)
	if err != nil {
		return err
	}
	if cursor == 0 {
		cursor = beginning
		if !f.FromStart {
			newest, err := f.box.store.Entries(ctx, store.EntryQuery{Stream: f.Stream, Descending: true, Limit: 1})
			if err != nil {
				return err
			}
			if len(newest) > 0 {
				cursor = newest[0].Seq
			}
		}
		if err := f.box.store.Update(ctx, func(tx store.Tx) error { return tx.SetCursor(ctx, f.name, cursor) }); err != nil {
			return err
		}
	}
	f.at(cursor)
	return nil
}

// at forgets what is pending and goes on behind a cursor.
func (f *feed) at(cursor int64) {
	f.cursor, f.done, f.last, f.pending = cursor, cursor, cursor, nil
	f.oldest.Store(0)
}

// run delivers until the Outbox is closed.
func (f *feed) run(ctx context.Context) {
	tick := time.NewTicker(f.box.poll)
	defer tick.Stop()
	defer f.leave(ctx)
	for {
		f.drain(ctx)
		select {
		case <-f.box.stop:
			// What was appended just before, but no more tries of a sink that fails.
			if f.failures == 0 {
				f.drain(ctx)
			}
			return
		case <-tick.C:
		case <-f.wake:
			f.wait(gather)
		}
	}
}

// wait waits, and reports whether that was not cut short by Close.
func (f *feed) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-f.box.stop:
		return false
	case <-timer.C:
		return true
	}
}

// drain delivers all there is. While the Outbox is closing it takes one step.
func (f *feed) drain(ctx context.Context) {
	for {
		more, err := f.step(ctx)
		if err != nil {
			// Without ctx, Close has lost its patience, and that is no failure.
			if ctx.Err() != nil || !f.wait(f.failed(err)) {
				return
			}
			continue
		}
		f.recovered()
		if !more || f.box.stopping() {
			return
		}
	}
}

// step takes the feed one call to its sink further, and reports whether there
// may be more to do.
func (f *feed) step(ctx context.Context) (more bool, err error) {
	if err := f.commit(ctx); err != nil { // of the step before, if that failed
		return false, f.unlessLost(err)
	}
	if len(f.pending) == 0 {
		if err := f.load(ctx); err != nil || len(f.pending) == 0 {
			return false, f.unlessLost(err)
		}
	} else if f.failures > 0 {
		if err := f.claim(ctx); err != nil { // the pause may have been long
			return false, f.unlessLost(err)
		}
	}
	left, err := f.deliver(ctx)
	delivered := len(f.pending) - len(left)
	f.box.metrics.delivered.WithLabelValues(f.labels()...).Add(float64(delivered))
	switch {
	case errors.Is(err, ErrUndeliverable):
		f.box.metrics.undeliverable.WithLabelValues(f.labels()...).Inc()
		f.box.log.Error("a contact event is left out", "sink", f.name, "id", left[0].ID, "err", err)
		left, err = left[1:], nil
	case err != nil && delivered > 0:
		// Some were taken, so the sink works: the others are tried at once, and
		// only if none of them is taken has it failed.
		f.box.metrics.failures.WithLabelValues(f.labels()...).Inc()
		err = nil
	}
	f.proceed(left)
	if err != nil {
		return false, err
	}
	if len(left) > 0 && f.box.now().Sub(f.committed) < commitEvery {
		return true, nil
	}
	return true, f.unlessLost(f.commit(ctx))
}

// load reads what is beyond the cursor, if this server may deliver it.
func (f *feed) load(ctx context.Context) error {
	entries, err := f.beyond(ctx)
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return f.release(ctx)
	}
	if !f.leased {
		if err := f.claim(ctx); err != nil {
			return err
		}
	}
	f.pending, f.last = entries, entries[len(entries)-1].Seq
	f.oldest.Store(entries[0].At.UnixMilli())
	return nil
}

// beyond reads the entries beyond the cursor, which other servers move as well
// if the store is shared.
func (f *feed) beyond(ctx context.Context) ([]*store.Entry, error) {
	if f.box.shared {
		cursor, err := f.box.store.Cursor(ctx, f.name)
		if err != nil {
			return nil, err
		}
		f.at(cursor)
	}
	return f.box.store.Entries(ctx, store.EntryQuery{Stream: f.Stream, After: max(f.cursor, 0), Limit: batch})
}

// deliver makes one call to the sink.
func (f *feed) deliver(ctx context.Context) ([]*store.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	return f.Sink.Deliver(ctx, f.pending)
}

// proceed takes note of what is left of pending.
func (f *feed) proceed(left []*store.Entry) {
	switch {
	case len(left) == 0:
		f.done = f.last
		f.oldest.Store(0)
	case left[0] != f.pending[0]:
		f.done = left[0].Seq - 1 // all before it has been delivered
		f.oldest.Store(left[0].At.UnixMilli())
	}
	f.pending = left
}

// commit tells the store how far the feed has come.
func (f *feed) commit(ctx context.Context) error {
	if f.done == f.cursor {
		return nil
	}
	if err := f.box.store.Update(ctx, func(tx store.Tx) error {
		if err := f.lease(ctx, tx); err != nil {
			return err
		}
		return tx.SetCursor(ctx, f.name, f.done)
	}); err != nil {
		return fmt.Errorf("cursor: %w", err)
	}
	f.cursor, f.committed, f.leased = f.done, f.box.now(), f.box.shared
	return nil
}

// claim makes the feed this server's, or sees that it still is.
func (f *feed) claim(ctx context.Context) error {
	if !f.box.shared {
		return nil
	}
	if err := f.box.store.Update(ctx, func(tx store.Tx) error { return f.lease(ctx, tx) }); err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	f.leased = true
	return nil
}

// lease takes or prolongs the lease, if there is need of one. A lease that was
// over, and taken by another server meanwhile, shows by the cursor.
func (f *feed) lease(ctx context.Context, tx store.Tx) error {
	if !f.box.shared {
		return nil
	}
	mine, err := tx.Lease(ctx, f.leaseName(), f.box.holder, f.box.now().Add(leaseTime))
	if err != nil {
		return err
	}
	cursor, err := tx.Cursor(ctx, f.name)
	if err == nil && (!mine || cursor != f.cursor) {
		return errLeaseLost
	}
	return err
}

// release lets another server have the feed.
func (f *feed) release(ctx context.Context) error {
	if !f.leased {
		return nil
	}
	if err := f.box.store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Lease(ctx, f.leaseName(), f.box.holder, f.box.now().Add(-time.Second))
		return err
	}); err != nil {
		return fmt.Errorf("lease: %w", err)
	}
	f.leased = false
	return nil
}

// leave is the end of run: the store is told how far the feed has come, if it
// could not be before.
func (f *feed) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if err := errors.Join(f.unlessLost(f.commit(ctx)), f.release(ctx)); err != nil {
		f.box.log.Warn("contact events may be delivered again", "sink", f.name, "err", err)
	}
}

// unlessLost is err, unless that is the loss of the lease: what is pending is
// then another server's.
func (f *feed) unlessLost(err error) error {
	if errors.Is(err, errLeaseLost) {
		f.leased = false
		f.at(f.cursor)
		return nil
	}
	return err
}

// failed takes note of a failure and returns how long to wait.
func (f *feed) failed(err error) time.Duration {
	f.box.metrics.failures.WithLabelValues(f.labels()...).Inc()
	f.failures++
	if f.failures == 1 {
		f.since = f.box.now()
		f.box.log.Warn("contact events are not delivered, trying on", "sink", f.name, "err", err)
	}
	pause := min(firstPause<<min(f.failures-1, 10), longestPause)
	if _, ok := errors.AsType[refusal](err); ok {
		pause = longestPause
	}
	pause = pause/2 + rand.N(pause/2) //nolint:gosec // nobody gains by guessing it
	if l, ok := errors.AsType[later](err); ok {
		pause = max(pause, min(l.after, longestPause))
	}
	return pause
}

// recovered takes note that the feed works.
func (f *feed) recovered() {
	if f.failures > 0 {
		f.box.log.Info("contact events are delivered again", "sink", f.name, "failures", f.failures, "for", f.box.now().Sub(f.since))
		f.failures = 0
	}
}

func (f *feed) leaseName() string { return "events/" + f.name }

// labels are those of its metrics.
func (f *feed) labels() []string { return []string{f.Name, StreamName(f.Stream)} }
