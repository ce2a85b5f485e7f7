package sqlstore

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/store"
)

const (
	// keepChanges is how long a change stays in the log. A running server
	// reads it within seconds; one that was away longer reads the records.
	keepChanges = 24 * time.Hour
	pruneEvery  = 10 * time.Minute
	// pruneBatch bounds what one transaction removes, so that others need not
	// wait long for it.
	pruneBatch = 1000
)

// prune removes at most pruneBatch of each thing whose time is over, and reports
// whether there may be more.
func prune(ctx context.Context, s session, now time.Time) (more bool, err error) {
	moreChanges, err := pruneChangeLog(ctx, s, now)
	if err != nil {
		return false, fmt.Errorf("prune the change log: %w", err)
	}
	memos, err := s.exec(ctx, pruneMemos, micros(now), int64(pruneBatch))
	if err != nil {
		return false, fmt.Errorf("prune memos: %w", err)
	}
	contacts, err := pruneContacts(ctx, s, now)
	if err != nil {
		return false, fmt.Errorf("prune contacts: %w", err)
	}
	more = moreChanges || memos == pruneBatch || contacts == pruneBatch
	for stream, cutoff := range keptSince(now) {
		moreEntries, err := pruneStream(ctx, s, stream, cutoff)
		if err != nil {
			return false, fmt.Errorf("prune stream %d: %w", stream, err)
		}
		more = more || moreEntries
	}
	return more, nil
}

// pruneChangeLog keeps the newest change in any case: the sequence goes on from
// it.
func pruneChangeLog(ctx context.Context, s session, now time.Time) (more bool, err error) {
	last, err := number(ctx, s, lastChange)
	if err != nil {
		return false, err
	}
	upTo, more, err := oldRun(ctx, s, micros(now.Add(-keepChanges)), last-1, oldChanges)
	if err == nil && upTo > 0 {
		_, err = s.exec(ctx, pruneChanges, upTo)
	}
	return more, err
}

// oldRun finds the run of rows before cutoff and up to a number with which an
// answer of at most pruneBatch pairs of number and time begins: its last number,
// 0 when there is none, and whether the run may go on beyond the answer.
func oldRun(ctx context.Context, s session, cutoff, highest int64, text string, args ...any) (upTo int64, more bool, err error) {
	rows, old := 0, true
	err = s.query(ctx, func(row row) error {
		var seq, at int64
		if err := row.Scan(&seq, &at); err != nil {
			return err
		}
		rows++
		if old = old && at < cutoff && seq <= highest; old {
			upTo = seq
		}
		return nil
	}, text, append(args, int64(pruneBatch))...)
	return upTo, rows == pruneBatch && old, err
}

// pruneContacts removes contacts that began too long ago, and the attributes of
// the chains that they begin.
func pruneContacts(ctx context.Context, s session, now time.Time) (n int, err error) {
	type key struct {
		instance int64
		id       string
	}
	var old []key
	err = s.query(ctx, func(row row) error {
		var k key
		err := row.Scan(&k.instance, &k.id)
		old = append(old, k)
		return err
	}, oldContacts, int64(store.Root), int64(domain.KindInstance), micros(contactsSince(now)), int64(pruneBatch))
	if err != nil {
		return 0, err
	}
	for _, k := range old {
		for _, step := range []string{deleteAttributes, deleteContact} {
			if _, err := s.exec(ctx, step, k.instance, k.id); err != nil {
				return 0, err
			}
		}
	}
	return len(old), nil
}

// contactsSince is when the oldest contact that is kept began: contact records
// are kept for 24 months from initiation
// (https://docs.aws.amazon.com/connect/latest/adminguide/feature-limits.html).
func contactsSince(now time.Time) time.Time { return now.AddDate(0, -24, 0) }

// keptSince says of each stream from when on its entries are kept. What goes to
// the outside is kept until whoever it goes to must have had it; stream 0 are
// the empty entries of the settler. The others belong to a contact's record.
func keptSince(now time.Time) map[store.Stream]time.Time {
	delivered, record := now.AddDate(0, 0, -30), contactsSince(now)
	return map[store.Stream]time.Time{
		0: delivered, store.StreamEvents: delivered, store.StreamRecords: delivered,
		store.StreamFlowLog: record, store.StreamChat: record,
	}
}

// pruneStream goes by the order of the entries, which is nearly that of their
// times: an older one behind a younger one goes with that.
func pruneStream(ctx context.Context, s session, stream store.Stream, cutoff time.Time) (more bool, err error) {
	upTo, more, err := oldRun(ctx, s, micros(cutoff), math.MaxInt64, oldEntries, int64(stream))
	if err == nil && upTo > 0 {
		_, err = s.exec(ctx, pruneEntries, int64(stream), upTo)
	}
	return more, err
}

// pruner prunes now and then on a goroutine of its own.
type pruner struct {
	stop context.CancelFunc
	done sync.WaitGroup
}

// startPruner prunes once before it returns, with the given function that runs
// prune in a transaction.
func startPruner(ctx context.Context, log *slog.Logger, pruneOnce func(context.Context) (more bool, err error)) (*pruner, error) {
	more, err := pruneOnce(ctx)
	if err != nil {
		return nil, err
	}
	// The goroutine outlives the call that opened the store.
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := &pruner{stop: stop}
	p.done.Go(func() {
		tick := time.NewTicker(pruneEvery)
		defer tick.Stop()
		for {
			for more && ctx.Err() == nil {
				var err error
				if more, err = pruneOnce(ctx); err != nil && ctx.Err() == nil {
					log.WarnContext(ctx, "pruning failed and will be tried again", "error", err)
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				more = true
			}
		}
	})
	return p, nil
}

func (p *pruner) close() {
	p.stop()
	p.done.Wait()
}
