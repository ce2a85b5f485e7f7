package sqlstore

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ringdown/internal/store"
)

const (
	// gapPatience is how long a missing number in the log is waited for. It was
	// drawn by a transaction that failed, or by one that is about to commit:
	// that is one round trip, unless a process or a network stands still.
	gapPatience = 10 * time.Second
	// pollRows is how many changes are read at a time.
	pollRows = 1000
	// startBehind is how far before the end of the log a poller begins: beyond
	// it nothing was still to commit when the store was opened.
	startBehind = 100
)

// poller tells the observer of the changes that other servers made. It reads
// the log in the order of its numbers, which is nearly that of the commits:
// a lower number may appear after a higher one. So it remembers up to where
// the log has no gaps, and reads from there again until each gap has been
// filled or gapPatience is over. Changes that it has seen, or that this server
// made itself, are not told again; should one be, its Version says so.
//
// This relies on a sequence that is not handed out in blocks, which is what
// PostgreSQL does by default.
type poller struct {
	session  session
	notifier *notifier
	every    time.Duration
	now      func() time.Time
	log      *slog.Logger
	stop     context.CancelFunc
	done     sync.WaitGroup

	mu       sync.Mutex
	settled  int64              // up to here nothing is missing any more
	seen     map[int64]struct{} // numbers beyond settled that have been told or claimed
	gapSince time.Time          // since when settled+1 is missing though later ones are there
	doubtful []store.Change
}

func startPoller(ctx context.Context, s session, n *notifier, o Options) (*poller, error) {
	last, err := number(ctx, s, lastChange)
	if err != nil {
		return nil, fmt.Errorf("read the end of the change log: %w", err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	p := &poller{
		session: s, notifier: n, every: o.PollEvery, now: o.Now, log: o.Logger, stop: stop,
		settled: max(last-startBehind, 0), seen: make(map[int64]struct{}),
	}
	// What was there already is not news; only what fills a gap is.
	known, err := reader{session: s}.changes(ctx, p.settled, 0)
	if err != nil {
		stop()
		return nil, err
	}
	p.claim(known)
	p.done.Go(func() { p.run(ctx) })
	return p, nil
}

// claim keeps the poller from telling changes that are told otherwise. Updates
// claim theirs before they commit, so that the poller cannot come first; the
// numbers of those that then fail are missing for good and no gap to wait for.
func (p *poller) claim(changes []store.Change) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range changes {
		if c.Seq > p.settled {
			p.seen[c.Seq] = struct{}{}
		}
	}
}

// doubt has the poller find out what became of changes whose commit ended
// without an answer, as it does when the connection breaks.
func (p *poller) doubt(changes []store.Change) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range changes {
		// Whatever it was meant to be, the record is now what is there, or gone.
		c.Op = store.Put
		p.doubtful = append(p.doubtful, c)
	}
}

func (p *poller) run(ctx context.Context) {
	tick := time.NewTicker(p.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := p.poll(ctx, p.now()); err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "the changes of other servers cannot be read; will try again", "error", err)
		}
	}
}

// poll reads what is new and tells it.
func (p *poller) poll(ctx context.Context, now time.Time) error {
	p.mu.Lock()
	from := p.settled
	doubtful := p.doubtful
	p.doubtful = nil
	p.mu.Unlock()
	if news, err := p.load(ctx, doubtful); err != nil {
		p.doubt(doubtful)
		return err
	} else if len(news) > 0 {
		p.notifier.commits <- commit{changes: news}
	}
	for {
		changes, err := reader{session: p.session}.changes(ctx, from, pollRows)
		if err != nil {
			return err
		}
		if len(changes) > 0 {
			from = changes[len(changes)-1].Seq
		}
		news, err := p.load(ctx, p.unseen(changes))
		if err != nil {
			return err
		}
		if len(news) > 0 {
			p.notifier.commits <- commit{changes: news}
			p.claim(news)
		}
		if len(changes) < pollRows {
			break
		}
	}
	p.settle(now)
	return nil
}

func (p *poller) unseen(changes []store.Change) []store.Change {
	p.mu.Lock()
	defer p.mu.Unlock()
	var news []store.Change
	for _, c := range changes {
		if _, seen := p.seen[c.Seq]; !seen && c.Seq > p.settled {
			news = append(news, c)
		}
	}
	return news
}

// load replaces the records of puts by what they are now. One that is gone
// meanwhile keeps the little that the log says of it and becomes a removal:
// its own removal may follow, but that of its instance speaks for the instance
// alone.
func (p *poller) load(ctx context.Context, changes []store.Change) ([]store.Change, error) {
	var pks []store.PK
	for _, c := range changes {
		if c.Op == store.Put {
			pks = append(pks, c.Record.PK)
		}
	}
	if len(pks) == 0 {
		return changes, nil
	}
	records, err := reader{session: p.session}.GetByPK(ctx, pks...)
	if err != nil {
		return nil, err
	}
	current := make(map[store.PK]*store.Record, len(records))
	for _, r := range records {
		current[r.PK] = r
	}
	for i, c := range changes {
		if c.Op != store.Put {
			continue
		}
		if r, ok := current[c.Record.PK]; ok {
			changes[i].Record = r
			continue
		}
		gone := c.Record
		changes[i].Op = store.Delete
		changes[i].Record = &store.Record{
			PK: gone.PK, Instance: gone.Instance, Kind: gone.Kind, ID: gone.ID, Version: gone.Version + 1,
		}
	}
	return changes, nil
}

// settle moves settled over what has been seen without gaps, and over gaps
// that have been there for too long.
func (p *poller) settle(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.seen) > 0 {
		next := p.settled + 1
		if _, ok := p.seen[next]; ok {
			delete(p.seen, next)
			p.settled = next
			p.gapSince = time.Time{}
			continue
		}
		if p.gapSince.IsZero() {
			p.gapSince = now
		}
		if now.Sub(p.gapSince) < gapPatience {
			return
		}
		p.settled = next
	}
	p.gapSince = time.Time{}
}

func (p *poller) close() {
	p.stop()
	p.done.Wait()
}
