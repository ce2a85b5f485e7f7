// Package event delivers contact events and contact records to the outside: to
// files, a webhook, Amazon EventBridge and Amazon Kinesis.
//
// It is an outbox. Whoever changes a contact appends what happened to the store
// in the same transaction (store.Entry); the package reads it from there and
// hands it over. So nothing is told that has not happened, and nothing that has
// happened is lost by a crash, or while a receiver is away.
//
// Invariants:
//   - An entry is delivered at least once, with the same id and content each
//     time. How far a feed has come, its cursor, moves only after its sink has
//     the entries; a crash between the two repeats them.
//   - The entries of one contact reach a sink in their order. A file and a
//     webhook get all entries in their order; EventBridge and Kinesis do not
//     promise one, and a call that they took in part lets other contacts pass.
//   - A sink that fails is asked again for ever, and holds up no other feed, and
//     no contact: Wake never waits.
//   - Nothing is skipped but what a sink can never take (ErrUndeliverable), and
//     that is logged.
//
// Each feed, a sink with one stream, has a goroutine of its own, which the
// Outbox started and Close waits for. Where several servers share a database, a
// lease in the store sees to it that one at a time serves a feed.
package event

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ringdown/internal/store"
)

// Store is what the package needs of store.Store.
type Store interface {
	Entries(ctx context.Context, q store.EntryQuery) ([]*store.Entry, error)
	Cursor(ctx context.Context, name string) (int64, error)
	Update(ctx context.Context, fn func(store.Tx) error) error
}

// Sink is somewhere that entries are delivered to. Feeds of two streams may
// share one; each feed calls it from one goroutine.
type Sink interface {
	// Deliver hands over some of the entries, at least the first, and returns
	// those that are left, in their order. With an error, what is left is asked
	// for again later: the error of refused only after a good while, and the
	// first of those left never again if it is ErrUndeliverable. The error is
	// logged, so it holds no secret. Deliver gives up when ctx is done.
	Deliver(ctx context.Context, entries []*store.Entry) (left []*store.Entry, err error)
	// Close frees what the sink holds; it may be called twice.
	Close()
}

// ErrUndeliverable says that a sink can never take an entry.
var ErrUndeliverable = errors.New("it can never be delivered")

// refusal is an error that will not pass by itself soon.
type refusal struct{ error }

func (r refusal) Unwrap() error { return r.error }

// later is an error with the time that the receiver has asked for.
type later struct {
	error
	after time.Duration
}

func (l later) Unwrap() error { return l.error }

// Feed is one stream for one sink.
type Feed struct {
	// Name is the sink's, "webhook". With that of the stream it is the name of
	// the cursor in the store, so it must not change from release to release.
	Name   string
	Stream store.Stream // store.StreamEvents or store.StreamRecords
	Sink   Sink
	// FromStart makes a feed that the store does not know yet begin with the
	// first entry there is. Others begin with what happens from then on, for a
	// receiver that is new does not want the past of years.
	FromStart bool
}

// StreamName is what a stream is called outside: in names of files, headers and
// metrics.
func StreamName(s store.Stream) string {
	if s == store.StreamRecords {
		return "contact-records"
	}
	return "contact-events"
}

// Options say what an Outbox delivers.
type Options struct {
	Store Store
	Feeds []Feed
	// Shared says that other servers may use the same store.
	Shared bool
	// Poll is how often the store is asked though nobody called Wake; 0 means
	// every 5 seconds, or every second if Shared, for the entries of other
	// servers come without a call.
	Poll time.Duration
	// Grace is how long Close lets deliveries finish; 0 means 5 seconds.
	Grace  time.Duration
	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil discards
}

// Outbox delivers what is in the store.
type Outbox struct {
	store   Store
	shared  bool
	poll    time.Duration
	grace   time.Duration
	now     func() time.Time
	log     *slog.Logger
	holder  string // of the leases
	metrics *metrics
	feeds   []*feed

	stop    chan struct{} // closed: begin nothing more
	cancel  context.CancelFunc
	running sync.WaitGroup
	closing sync.Once
}

// Open begins to deliver. It fails when the store does. Close ends it, and
// closes the sinks.
func Open(ctx context.Context, o Options) (*Outbox, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := &Outbox{
		store: o.Store, shared: o.Shared, poll: o.Poll, grace: o.Grace, now: o.Now, log: o.Logger,
		holder: rand.Text(), metrics: newMetrics(), stop: make(chan struct{}),
	}
	if b.poll <= 0 {
		b.poll = 5 * time.Second
		if b.shared {
			b.poll = time.Second
		}
	}
	if b.grace <= 0 {
		b.grace = 5 * time.Second
	}
	for _, d := range o.Feeds {
		f := &feed{Feed: d, box: b, name: d.Name + "/" + StreamName(d.Stream), wake: make(chan struct{}, 1)}
		if err := f.place(ctx); err != nil {
			return nil, fmt.Errorf("events: %s: %w", f.name, err)
		}
		b.feeds = append(b.feeds, f)
	}
	// The feeds outlive the call that opened them.
	ctx, b.cancel = context.WithCancel(context.WithoutCancel(ctx))
	for _, f := range b.feeds {
		b.running.Go(func() { f.run(ctx) })
	}
	return b, nil
}

// Wake says that something has been appended. It never waits. It may be called
// on a nil Outbox.
func (b *Outbox) Wake() {
	if b == nil {
		return
	}
	for _, f := range b.feeds {
		select {
		case f.wake <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// Close lets what is under way finish, for the time of Options.Grace at most,
// and waits for the goroutines. What has not been delivered will be after the
// next start. It may be called twice, and on a nil Outbox.
func (b *Outbox) Close() error {
	if b == nil {
		return nil
	}
	b.closing.Do(func() {
		close(b.stop)
		patience := time.AfterFunc(b.grace, b.cancel)
		b.running.Wait()
		patience.Stop()
		b.cancel()
		for _, f := range b.feeds {
			f.Sink.Close()
		}
	})
	return nil
}

// stopping reports whether Close has been called.
func (b *Outbox) stopping() bool {
	select {
	case <-b.stop:
		return true
	default:
		return false
	}
}
