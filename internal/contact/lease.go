package contact

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Where several servers share a database, one of them runs the contacts: the
// one that holds the lease. A goroutine an owner, timers and queues in memory
// would otherwise exist once in each. When it is lost, another takes over where
// the store says that the contacts are.
const (
	leaseName  = "contacts"
	leaseTime  = 15 * time.Second
	leaseEvery = 5 * time.Second
)

// lead tries to become the server that runs the contacts, or to stay it.
func (m *Manager) lead(ctx context.Context, until time.Time) (bool, error) {
	mine := false
	err := m.store.Update(ctx, func(tx store.Tx) (err error) {
		mine, err = tx.Lease(ctx, leaseName, m.holder, until)
		return err
	})
	return mine, err
}

// share takes part in the lease until Close.
func (m *Manager) share(ctx context.Context) error {
	m.holder = uuid.NewString()
	mine, err := m.lead(ctx, m.now().Add(leaseTime))
	if err != nil {
		return err
	}
	if mine {
		if err := m.adoptAll(ctx); err != nil {
			return err
		}
		m.leading.Store(true)
	} else {
		m.opts.Logger.Info("another server of this database runs the contacts")
	}
	m.work.Go(m.keepLease)
	return nil
}

func (m *Manager) keepLease() {
	tick := time.NewTicker(leaseEvery)
	defer tick.Stop()
	for {
		select {
		case <-m.ctx.Done():
			if m.leading.Load() {
				// So that another need not wait until it is over.
				ctx, cancel := context.WithTimeout(context.WithoutCancel(m.ctx), leaseEvery)
				_, _ = m.lead(ctx, m.now().Add(-time.Second))
				cancel()
			}
			return
		case <-tick.C:
		}
		m.renew()
	}
}

// holds reports whether this server runs the contacts, by the store and not by
// what it remembers. While the store does not tell, it is taken to.
func (m *Manager) holds() bool {
	if m.holder == "" {
		return true
	}
	mine, err := m.lead(m.ctx, m.now().Add(leaseTime))
	return mine || err != nil
}

// renew prolongs the lease, or takes it when it is free.
func (m *Manager) renew() {
	m.leasing.Lock()
	defer m.leasing.Unlock()
	mine, err := m.lead(m.ctx, m.now().Add(leaseTime))
	switch was := m.leading.Load(); {
	case err != nil:
		if m.ctx.Err() == nil {
			m.opts.Logger.Warn("the lease of the contacts could not be renewed; will try again", slog.Any("err", err))
		}
	case mine && !was:
		m.opts.Logger.Info("this server runs the contacts from now on")
		if err := m.adoptAll(m.ctx); err != nil {
			m.opts.Logger.Error("the contacts could not be taken over; will try again", slog.Any("err", err))
			return
		}
		m.leading.Store(true)
	case !mine && was:
		// Somebody took it while this server stood still. Its contacts have
		// other versions by now, so nothing that is still done here is stored.
		m.opts.Logger.Error("another server has taken over the contacts")
		m.leading.Store(false)
		m.abandon()
	}
}

// abandon ends all owners without a word: their contacts go on elsewhere. It
// returns when none is left, so that what is taken over again later finds no
// owner.
func (m *Manager) abandon() {
	m.mu.Lock()
	all := slices.Collect(maps.Values(m.live))
	m.mu.Unlock()
	for _, l := range all {
		l.lose()
	}
	for _, l := range all {
		<-l.gone
	}
}

// lose tells the owner that another server has the contact.
func (l *live) lose() { l.taken.Do(func() { close(l.takenOver) }) }

// isLost reports whether another server has the contact.
func (l *live) isLost() bool {
	select {
	case <-l.takenOver:
		return true
	default:
		return false
	}
}

// elsewhere is the answer of a server that does not run the contacts.
func (m *Manager) elsewhere() error {
	if m.leading.Load() {
		return nil
	}
	return fault.New(fault.InternalService, "Another server of this database runs the contacts.")
}
