package contact

import (
	"maps"
	"slices"

	"ringdown/internal/contact/lease"
	"ringdown/internal/fault"
)

// newLease says how this server runs the contacts, if no other of its database does.
// A goroutine an owner, timers and queues in memory would otherwise exist once in
// each. When the lease is lost, another takes over where the store says that the
// contacts are.
func (m *Manager) newLease(shared bool) *lease.Lease {
	return lease.New(lease.Options{
		Store: m.store, Name: "contacts", What: "the contacts", Now: m.now, Logger: m.opts.Logger, Begin: m.adoptAll, LeaveOff: m.abandon,
	}, shared)
}

// abandon ends all owners without a word: their contacts go on elsewhere, have other
// versions by now, and nothing that is still done here is stored. It returns when
// none is left, so that what is taken over again later finds no owner.
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
	if m.lease.Held() {
		return nil
	}
	return fault.New(fault.InternalService, "Another server of this database runs the contacts.")
}
