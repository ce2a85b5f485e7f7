package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringdown/internal/store"
)

// settleRows is how many numbers of entries are read at a time.
const settleRows = 1000

// errNumberTaken is a lost race against a settler: the update runs again and
// draws another number.
var errNumberTaken = errors.New("the number of an entry was settled before it was used")

// settler moves the end of what readers of all owners see of the entries.
//
// Several updates write at a time, so a number drawn earlier may become visible
// later, and a reader that goes on after the greatest number it has seen would
// miss that entry. So it is shown entries up to the counter 'settled' alone,
// below which nothing appears any more. To move that, a settler looks at the
// numbers beyond it. One that is missing was drawn by an update that has failed
// or is about to commit, and the settler finds out which by inserting it itself,
// as an empty entry of no stream: the database makes it wait for whoever has
// inserted the number before. If that commits, the number is there and the
// empty entry is not made; if not, the empty entry is there for good. Should an
// update have drawn the number without having used it yet, it finds it taken,
// and runs again.
//
// That needs no more than unique keys, which every database has, where comparing
// transaction ids would need PostgreSQL itself; and it waits for no longer than
// the updates do, where waiting for a gap to close by itself would take seconds
// after each lost race. A counter in a row of its own would have no gaps, and
// all updates would wait for one another.
//
// This relies on a sequence that is not handed out in blocks, as the poller does.
type settler struct {
	session session
	now     func() time.Time
	turn    chan struct{} // holds one token while somebody settles
}

func newSettler(s session, now func() time.Time) *settler {
	return &settler{session: s, now: now, turn: make(chan struct{}, 1)}
}

// settle settles all that has been committed when it is called.
func (s *settler) settle(ctx context.Context) error {
	// One at a time: a second would do the same, on the connection that an
	// update may need to get on, for which the first waits.
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return fmt.Errorf("wait to settle entries: %w", ctx.Err())
	}
	settled, err := number(ctx, s.session, selectCounter, "settled")
	if err != nil {
		return fmt.Errorf("read up to where entries are settled: %w", err)
	}
	for more := true; more; {
		if settled, more, err = s.advance(ctx, settled); err != nil {
			return fmt.Errorf("settle the entries beyond %d: %w", settled, err)
		}
	}
	return nil
}

// advance settles at most settleRows entries beyond a number, and returns the
// last.
func (s *settler) advance(ctx context.Context, settled int64) (last int64, more bool, err error) {
	type gap struct{ from, to int64 }
	var gaps []gap
	rows := 0
	last = settled
	err = s.session.query(ctx, func(row row) error {
		var seq int64
		if err := row.Scan(&seq); err != nil {
			return err
		}
		if seq > last+1 {
			gaps = append(gaps, gap{last + 1, seq - 1})
		}
		last = seq
		rows++
		return nil
	}, unsettledEntries, settled, int64(settleRows))
	if err != nil || rows == 0 {
		return settled, false, err
	}
	for _, g := range gaps {
		if err := s.close(ctx, g.from, g.to); err != nil {
			return settled, false, err
		}
	}
	// Another server may have come further meanwhile; then nothing changes.
	if _, err := s.session.exec(ctx, settleEntries, last, last); err != nil {
		return settled, false, err
	}
	return last, rows == settleRows, nil
}

// close makes the numbers of a gap exist, as what they were drawn for or as
// empty entries. Waiting for one while it holds another, it may meet an update
// that does so the other way round; the database then ends one of them.
func (s *settler) close(ctx context.Context, from, to int64) error {
	for attempt := 0; ; attempt++ {
		_, err := s.session.exec(ctx, closeGap, micros(s.now()), from, to)
		if err == nil || s.session.classify(err) != lostRace || attempt+1 == attempts || !wait(ctx, backoff(attempt)) {
			return err
		}
	}
}

// Entries of all owners settles first, so that it shows what was committed
// before it was called.
func (s *postgresStore) Entries(ctx context.Context, q store.EntryQuery) ([]*store.Entry, error) {
	if q.Owner == "" {
		if err := s.gate.enter(); err != nil {
			return nil, err
		}
		defer s.gate.leave()
		if err := s.settler.settle(ctx); err != nil {
			return nil, err
		}
	}
	return s.reader.Entries(ctx, q)
}
