package contact

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
)

// Look has every owner do what is due by the clock, which a test has moved.
func (m *Manager) Look() {
	m.mu.Lock()
	all := make([]*live, 0, len(m.live))
	for _, l := range m.live {
		all = append(all, l)
	}
	m.mu.Unlock()
	for _, l := range all {
		look := func() {
			if due := l.deadline(); !due.IsZero() && !due.After(m.now()) {
				l.must(func(t *Transition) { t.due() })
			}
		}
		select {
		case l.mail <- look:
		case <-l.gone:
		case <-time.After(100 * time.Millisecond): // its store is down
		}
	}
}

// Chains counts the chains in memory.
func (m *Manager) Chains() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.chains)
}

// Renew does at once what a shared engine does every few seconds.
func (m *Manager) Renew() { m.lease.Renew() }

// CallbackSpec is a queued callback.
func CallbackSpec(queue, number string, at time.Time) Spec {
	q := domain.ContactQueue{ID: domain.QueueID(queue), Name: queue}
	return Spec{
		Contact: domain.Contact{
			Channel: types.ChannelVoice, Method: types.ContactInitiationMethodCallback, TargetQueue: &q, ScheduledAt: at,
		},
		Callback: &callback{Queue: q, NextAt: at, Attempts: 1, To: number},
	}
}
