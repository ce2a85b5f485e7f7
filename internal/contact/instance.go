package contact

import (
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact/queue"
)

// ofInstance are the live contacts of an instance.
func (m *Manager) ofInstance(in Instance) []*live {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []*live
	for _, l := range m.live {
		if l.in.PK == in.PK {
			all = append(all, l)
		}
	}
	return all
}

// Count counts the live contacts of an instance and a channel on this server.
func (m *Manager) Count(in Instance, channel types.Channel) int {
	n := 0
	for _, l := range m.ofInstance(in) {
		if l.channel == channel {
			n++
		}
	}
	return n
}

// EndAll ends the live contacts of an instance that has been deleted, with all
// its contacts: calls are hung up, chats closed, and nothing is stored or told.
// It returns when none of them has an owner any more.
func (m *Manager) EndAll(in Instance) {
	for _, l := range m.ofInstance(in) {
		select {
		case l.mail <- l.vanish:
			<-l.gone
		case <-l.gone:
		case <-m.ctx.Done():
			return
		}
	}
}

// vanish ends a contact that is no longer stored, on its owner's goroutine.
func (l *live) vanish() {
	l.abandon()
	if a := l.m.opts.Audience; a != nil && l.channel == types.ChannelChat {
		a.Closed(l.in, l.c.InitialID, "")
		a.Streaming(l.in, l.c.InitialID, l.id, nil)
	}
	now := l.m.now()
	l.c.DisconnectedAt, l.c.CompletedAt = now, now
}

// abandon lets go of what the contact has beside its state, and stores nothing.
func (l *live) abandon() {
	l.hangupAll()
	if !l.queued() {
		return
	}
	l.m.queues.Leave(queue.Key{Instance: l.in.PK, Queue: l.c.Queue.ID}, l.id)
	if o := l.m.opts.Offerer; o != nil {
		o.Dequeued(l.in, l.id)
	}
}
