// Package lease has one of the servers that share a database do what only one may
// do: the one that holds the lease. It does not know what that is; it is told how to
// begin, and how to leave off.
package lease

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"ringdown/internal/store"
)

const (
	// length is how long a server that says nothing more keeps a lease.
	length = 15 * time.Second
	// every is how often it is renewed, or tried for.
	every = 5 * time.Second
)

// Options say what a lease is of.
type Options struct {
	Store store.Store
	Name  string // of the lease in the store
	What  string // what its holder does, for the log: "the contacts"
	Now   func() time.Time
	// Logger is told when the lease changes hands.
	Logger *slog.Logger
	// Begin begins what the holder does. The lease counts as held once it has
	// returned; after an error it is tried again.
	Begin func(ctx context.Context) error
	// LeaveOff ends it without a word, for another server has gone on with it
	// already.
	LeaveOff func()
}

// Lease is a server's part in a lease.
type Lease struct {
	o      Options
	holder string // this server's name; empty where there is no other
	held   atomic.Bool

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup
	mu     sync.Mutex // held while the lease is renewed
}

// New returns a lease that is not held yet. Where the store is not shared, nobody
// else can hold it.
func New(o Options, shared bool) *Lease {
	l := &Lease{o: o}
	if shared {
		l.holder = uuid.NewString()
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// Open tries to take the lease, and goes on trying and renewing it until Close.
func (l *Lease) Open(ctx context.Context) error {
	mine, err := l.take(ctx, l.o.Now().Add(length))
	if err != nil {
		return err
	}
	if mine {
		if err := l.o.Begin(ctx); err != nil {
			return err
		}
		l.held.Store(true)
	} else {
		l.o.Logger.Info("another server of this database runs " + l.o.What)
	}
	if l.holder != "" {
		l.work.Go(l.keep)
	}
	return nil
}

// Close ends the renewals, has end stop what the holder does, and gives the lease
// up, so that another server need not wait until it is over. It may be called twice.
func (l *Lease) Close(end func()) {
	l.cancel()
	l.work.Wait()
	end()
	if l.holder != "" && l.held.Load() {
		ctx, cancel := context.WithTimeout(context.Background(), every)
		defer cancel()
		_, _ = l.take(ctx, l.o.Now().Add(-time.Second))
	}
}

// Held reports whether this server holds the lease, as far as it remembers.
func (l *Lease) Held() bool { return l.held.Load() }

// Confirm reports whether this server holds the lease, by the store. While the store
// does not tell, it is taken to.
func (l *Lease) Confirm(ctx context.Context) bool {
	mine, err := l.take(ctx, l.o.Now().Add(length))
	return mine || err != nil
}

// take tries to become the holder until a time, or to stay it.
func (l *Lease) take(ctx context.Context, until time.Time) (mine bool, err error) {
	if l.holder == "" {
		return true, nil
	}
	err = l.o.Store.Update(ctx, func(tx store.Tx) (err error) {
		mine, err = tx.Lease(ctx, l.o.Name, l.holder, until)
		return err
	})
	return mine, err
}

func (l *Lease) keep() {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
		}
		l.Renew()
	}
}

// Renew prolongs the lease, or takes it when it is free. It happens by itself every
// few seconds.
func (l *Lease) Renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	mine, err := l.take(l.ctx, l.o.Now().Add(length))
	switch was := l.held.Load(); {
	case err != nil:
		if l.ctx.Err() == nil {
			l.o.Logger.Warn("the lease of "+l.o.What+" could not be renewed; will try again", slog.Any("err", err))
		}
	case mine && !was:
		l.o.Logger.Info("this server runs " + l.o.What + " from now on")
		if err := l.o.Begin(l.ctx); err != nil {
			l.o.Logger.Error(l.o.What+" could not be taken over; will try again", slog.Any("err", err))
			return
		}
		l.held.Store(true)
	case !mine && was:
		// Somebody took it while this server stood still.
		l.o.Logger.Error("another server has taken over " + l.o.What)
		l.held.Store(false)
		l.o.LeaveOff()
	}
}
