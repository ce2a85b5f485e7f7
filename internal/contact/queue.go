package contact

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// queues knows who waits where, for capacity, metrics and positions.
type queues struct {
	mu   sync.Mutex
	line map[queueKey]map[domain.ContactID]waitingContact
}

type queueKey struct {
	instance store.PK
	queue    domain.QueueID
}

// waitingContact is what decides the place of a contact in its queue.
type waitingContact struct {
	id       domain.ContactID
	channel  types.Channel
	enqueued time.Time
	priority int64
	adjusted time.Time // enqueued, moved by the time adjustment
}

// enter adds a contact, unless the queue holds as many as it may.
func (q *queues) enter(key queueKey, w waitingContact, most *int32) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.line == nil {
		q.line = map[queueKey]map[domain.ContactID]waitingContact{}
	}
	at := q.line[key]
	if most != nil && len(at) >= int(*most) {
		return false
	}
	if at == nil {
		at = map[domain.ContactID]waitingContact{}
		q.line[key] = at
	}
	at[w.id] = w
	return true
}

func (q *queues) leave(key queueKey, id domain.ContactID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if delete(q.line[key], id); len(q.line[key]) == 0 {
		delete(q.line, key)
	}
}

// waiting are those of a queue in the order in which they are served (facts of
// the administrator guide, "Routing": priority, then age).
func (q *queues) waiting(key queueKey, channel types.Channel) []waitingContact {
	q.mu.Lock()
	defer q.mu.Unlock()
	var all []waitingContact
	for _, w := range q.line[key] {
		if channel == "" || w.channel == channel {
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b waitingContact) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), a.adjusted.Compare(b.adjusted), cmp.Compare(a.id, b.id))
	})
	return all
}

// Position is a contact's place in its queue.
type Position struct {
	Place  int           // from 1
	Waited time.Duration // so far
	Of     int           // contacts in the queue
}

// Position tells where a contact stands; false when it is in no queue.
func (m *Manager) Position(in Instance, c *domain.Contact) (Position, bool) {
	if c.Queue == nil || !c.DequeuedAt.IsZero() {
		return Position{}, false
	}
	all := m.queues.waiting(queueKey{in.PK, c.Queue.ID}, "")
	for i, w := range all {
		if w.id == c.ID {
			return Position{Place: i + 1, Waited: m.now().Sub(w.enqueued), Of: len(all)}, true
		}
	}
	return Position{}, false
}

// metric answers CheckMetricData.
func (m *Manager) metric(in Instance, at time.Time, r *machine.MetricRequest) machine.Reply {
	line := m.queues.waiting(queueKey{in.PK, r.Queue.ID}, "")
	staff := m.staffing(in, r.Queue)
	n := 0
	switch r.Type {
	case "NumberOfContactsInQueue":
		n = len(line)
	case "OldestContactInQueueAgeSeconds":
		n = int(oldest(line, at).Seconds())
	case "NumberOfAgentsAvailable":
		n = staff.Available
	case "NumberOfAgentsStaffed":
		n = staff.Staffed
	case "NumberOfAgentsOnline":
		n = staff.Online
	}
	return machine.Reply{Number: float64(n)}
}

func oldest(line []waitingContact, at time.Time) time.Duration {
	var age time.Duration
	for _, w := range line {
		age = max(age, at.Sub(w.enqueued))
	}
	return age
}

func (m *Manager) staffing(in Instance, q domain.ContactQueue) Staffing {
	if m.opts.Offerer == nil {
		return Staffing{}
	}
	return m.opts.Offerer.Staffing(in, q)
}

// metrics answers GetMetricData with $.Metrics. Without activity the values are
// null (administrator guide, "Get queue metrics").
func (m *Manager) metrics(in Instance, at time.Time, r *machine.MetricsRequest) machine.Reply {
	if r.Queue == nil {
		return failed
	}
	channel := map[string]types.Channel{"Voice": types.ChannelVoice, "Chat": types.ChannelChat}[r.Channel]
	line := m.queues.waiting(queueKey{in.PK, r.Queue.ID}, channel)
	staff := m.staffing(in, *r.Queue)
	count := func(n int) any { return map[string]any{"Count": n} }
	return machine.Reply{Data: map[string]any{"Metrics": map[string]any{
		"Queue": map[string]any{
			"Name": r.Queue.Name, "ARN": queueARN(in, r.Queue), "Size": len(line), "OldestContactAge": int(oldest(line, at).Seconds()),
		},
		"Agents": map[string]any{
			"Online": count(staff.Online), "Available": count(staff.Available), "Staffed": count(staff.Staffed),
			"AfterContactWork": count(staff.AfterContactWork), "Busy": count(staff.Busy), "Missed": count(staff.Missed),
			"NonProductive": count(staff.NonProductive),
		},
	}}}
}

// maxHops is how many queue-to-queue transfers a contact may have behind it
// (administrator guide, "Amazon Connect feature specifications").
const maxHops = 11

// flowEnqueue puts the contact where its flow wants it.
func (t *Transition) flowEnqueue(r *machine.EnqueueRequest) machine.Reply {
	q, err := t.findQueue(r.Queue)
	if err != nil {
		return t.m.notFound(err)
	}
	if !q.Enabled {
		return failed
	}
	if r.Requeue {
		return t.requeue(q)
	}
	if !t.take(q, q.MaxContacts) {
		return machine.Reply{Err: "QueueAtCapacity"}
	}
	t.enqueued(q.ContactQueue)
	return machine.Reply{}
}

func (t *Transition) findQueue(q domain.ContactQueue) (Queue, error) {
	if q.AgentID != "" {
		return t.m.opts.Configuration.AgentQueue(t.ctx, t.in, string(q.AgentID))
	}
	return t.m.opts.Configuration.Queue(t.ctx, t.in, string(q.ID))
}

// take reserves the contact's place in a queue.
func (t *Transition) take(q Queue, most *int32) bool {
	key := queueKey{t.in.PK, q.ID}
	w := waitingContact{
		id: t.id, channel: t.c.Channel, enqueued: t.at, priority: t.c.Priority,
		adjusted: t.at.Add(-time.Duration(t.c.TimeAdjustment) * time.Second),
	}
	return t.m.queues.enter(key, w, most)
}

// enqueue puts the contact into a queue that it was made for.
func (t *Transition) enqueue(q domain.ContactQueue) {
	found, err := t.findQueue(q)
	if err != nil {
		t.m.notFound(err)
		t.disconnect("OTHER")
		return
	}
	t.take(found, nil)
	t.enqueued(found.ContactQueue)
}

// enqueued notes that the contact is in a queue, and begins what it hears
// there.
func (t *Transition) enqueued(q domain.ContactQueue) {
	t.c.Queue, t.c.TargetQueue = &q, &q
	t.c.EnqueuedAt, t.c.DequeuedAt = t.at, time.Time{}
	t.activateRouting()
	t.event(Queued)
	t.offer()
	// The flow that has put it there is still at work: its own comes after.
	if f, ok := t.hook("CustomerQueue", true); ok && t.st.Callback == nil {
		t.later(func(t *Transition) {
			if t.queued() {
				t.run(customer, waiting, f)
			}
		})
	}
}

// queued reports whether the contact is in a queue.
func (l *live) queued() bool {
	return l.c.Queue != nil && !l.c.EnqueuedAt.IsZero() && l.c.DequeuedAt.IsZero() && !l.c.Ended()
}

// later has something done in a transition of its own, right after this one.
func (t *Transition) later(fn func(t *Transition)) {
	l := t.live
	t.After(func() {
		_ = l.transition(l.m.ctx, func(t *Transition) error { fn(t); return nil })
	})
}

// offer tells whoever finds agents, once this is stored.
func (t *Transition) offer() {
	if o := t.m.opts.Offerer; o != nil {
		c := *t.c
		t.After(func() { o.Enqueued(t.in, &c) })
	}
}

// waitIn takes up a place that the contact had before a restart.
func (t *Transition) waitIn(q domain.ContactQueue) {
	t.m.queues.enter(queueKey{t.in.PK, q.ID}, waitingContact{
		id: t.id, channel: t.c.Channel, enqueued: t.c.EnqueuedAt, priority: t.c.Priority,
		adjusted: t.c.EnqueuedAt.Add(-time.Duration(t.c.TimeAdjustment) * time.Second),
	}, nil)
	t.offer()
	if len(t.st.Threads) == 0 && t.st.Callback == nil {
		if f, ok := t.hook("CustomerQueue", true); ok {
			t.run(customer, waiting, f)
		}
	}
}

// dequeue takes the contact out of its queue.
func (t *Transition) dequeue() {
	if !t.queued() {
		return
	}
	t.c.DequeuedAt = t.at
	in, id, key := t.in, t.id, queueKey{t.in.PK, t.c.Queue.ID}
	m := t.m
	t.After(func() {
		m.queues.leave(key, id)
		if o := m.opts.Offerer; o != nil {
			o.Dequeued(in, id)
		}
	})
}

// requeue moves the contact from its queue into another: a new contact of the
// chain goes on there, this one ends (administrator guide, "Transfer contacts
// from one queue to another").
func (t *Transition) requeue(q Queue) machine.Reply {
	if !t.queued() || t.c.Hops >= maxHops {
		return failed
	}
	// Transfers between queues may fill them by a fifth more (administrator
	// guide, "Set the maximum number of contacts in a queue").
	if q.MaxContacts != nil {
		if most := int(*q.MaxContacts) * 6 / 5; len(t.m.queues.waiting(queueKey{t.in.PK, q.ID}, "")) >= most {
			return machine.Reply{Err: "QueueAtCapacity"}
		}
	}
	b := t.successor(types.ContactInitiationMethodQueueTransfer)
	b.c.Hops = t.c.Hops + 1
	b.st.Queue = &q.ContactQueue
	b.c.System = nil
	t.hand(b)
	return machine.Reply{}
}

// successor prepares the next contact of the chain, which inherits what belongs
// to the customer.
func (t *Transition) successor(method types.ContactInitiationMethod) *Birth {
	c := domain.Contact{
		PreviousID: t.id, InitialID: t.c.InitialID, AssociationID: t.c.AssociationID,
		Channel: t.c.Channel, Method: method, Name: t.c.Name, Description: t.c.Description,
		Segment: t.c.Segment, Tags: t.c.Tags, References: t.c.References, CustomerID: t.c.CustomerID,
		Customer: t.c.Customer, System: t.c.System, Template: t.c.Template, Language: t.c.Language, Voice: t.c.Voice,
		Hooks: t.c.Hooks, Logging: t.c.Logging, Behavior: t.c.Behavior, ExpiresAt: t.c.ExpiresAt,
		Priority: t.c.Priority, TimeAdjustment: t.c.TimeAdjustment, Hops: t.c.Hops,
	}
	b := t.m.New(Spec{Instance: t.in, Contact: c, Media: t.st.Media})
	t.c.Next = append(t.c.Next, domain.NextContact{ID: b.c.ID, Method: method})
	t.births = append(t.births, b)
	return b
}

// hand ends this contact as transferred: its customer, with the leg or the
// chat, goes over to the next.
func (t *Transition) hand(b *Birth) {
	b.spec.Leg, t.leg = t.leg, nil
	t.handChat()
	b.st.Chat, t.st.Chat = t.st.Chat, nil
	for s := range t.st.Threads {
		t.interrupt(s, "The contact was transferred.")
	}
	t.dequeue()
	t.c.DisconnectedAt = t.at
	t.event(DisconnectedEvent)
	t.complete()
}

// activateRouting begins the first step of the routing criteria.
func (t *Transition) activateRouting() {
	r := t.c.Routing
	if r == nil || len(r.Steps) == 0 || t.c.Queue.AgentID != "" {
		return
	}
	at := t.at
	r.ActivationTimestamp = &at
	for i := range r.Steps {
		r.Steps[i].Status = types.RoutingCriteriaStepStatusInactive
	}
	r.Steps[0].Status = types.RoutingCriteriaStepStatusActive
}

// Route changes the place of a contact in its queue (API reference,
// UpdateContactRoutingData).
func (m *Manager) Route(ctx context.Context, in Instance, id string, fn func(c *domain.Contact) error, properties ...string) error {
	return m.Do(ctx, in, id, func(t *Transition) error {
		if t.c.Ended() {
			return fault.New(fault.InvalidRequest, "Contact %s has ended.", t.id)
		}
		if err := fn(t.c); err != nil {
			return err
		}
		t.Changed(properties...)
		if t.queued() {
			key := queueKey{t.in.PK, t.c.Queue.ID}
			w := waitingContact{
				id: t.id, channel: t.c.Channel, enqueued: t.c.EnqueuedAt, priority: t.c.Priority,
				adjusted: t.c.EnqueuedAt.Add(-time.Duration(t.c.TimeAdjustment) * time.Second),
			}
			t.activateRouting()
			t.After(func() { m.queues.enter(key, w, nil) })
			t.offer()
		}
		return nil
	})
}
