package sqlstore

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
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

// prune removes at most pruneBatch changes and pruneBatch memos whose time is
// over, and reports whether there may be more. The newest change stays in any
// case: the sequence goes on from it.
func prune(ctx context.Context, s session, now time.Time) (more bool, err error) {
	cutoff := micros(now.Add(-keepChanges))
	last, err := number(ctx, s, lastChange)
	if err != nil {
		return false, fmt.Errorf("prune the change log: %w", err)
	}
	var upTo int64
	rows, old := 0, true
	err = s.query(ctx, func(row row) error {
		var seq, at int64
		if err := row.Scan(&seq, &at); err != nil {
			return err
		}
		rows++
		if old = old && at < cutoff && seq < last; old {
			upTo = seq
		}
		return nil
	}, oldChanges, int64(pruneBatch))
	if err != nil {
		return false, fmt.Errorf("prune the change log: %w", err)
	}
	if upTo > 0 {
		if _, err := s.exec(ctx, pruneChanges, upTo); err != nil {
			return false, fmt.Errorf("prune the change log: %w", err)
		}
	}
	memos, err := s.exec(ctx, pruneMemos, micros(now), int64(pruneBatch))
	if err != nil {
		return false, fmt.Errorf("prune memos: %w", err)
	}
	return rows == pruneBatch && old || memos == pruneBatch, nil
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
