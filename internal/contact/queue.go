package contact

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact/queue"
	"ringdown/internal/contact/record"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
)

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
	all := m.queues.Waiting(queue.Key{Instance: in.PK, Queue: c.Queue.ID}, "")
	for i, w := range all {
		if w.ID == c.ID {
			return Position{Place: i + 1, Waited: m.now().Sub(w.Enqueued), Of: len(all)}, true
		}
	}
	return Position{}, false
}

// metric answers CheckMetricData.
func (m *Manager) metric(in Instance, at time.Time, r *machine.MetricRequest) machine.Reply {
	line := m.queues.Waiting(queue.Key{Instance: in.PK, Queue: r.Queue.ID}, "")
	return machine.Reply{Number: float64(queue.Metric(r.Type, line, m.staffing(in, r.Queue), at))}
}

// metrics answers GetMetricData.
func (m *Manager) metrics(in Instance, at time.Time, r *machine.MetricsRequest) machine.Reply {
	if r.Queue == nil {
		return failed
	}
	channel := map[string]types.Channel{"Voice": types.ChannelVoice, "Chat": types.ChannelChat}[r.Channel]
	line := m.queues.Waiting(queue.Key{Instance: in.PK, Queue: r.Queue.ID}, channel)
	arn := record.QueueARN(in.told(), r.Queue)
	return machine.Reply{Data: map[string]any{"Metrics": queue.Metrics(r.Queue.Name, arn, line, m.staffing(in, *r.Queue), at)}}
}

func (m *Manager) staffing(in Instance, q domain.ContactQueue) queue.Staffing {
	if m.opts.Offerer == nil {
		return queue.Staffing{}
	}
	return m.opts.Offerer.Staffing(in, q)
}

// maxHops is how many queue-to-queue transfers a contact may have behind it
// (administrator guide, "Amazon Connect feature specifications").
const maxHops = 11

// flowEnqueue puts the contact where its flow wants it.
func (t *Transition) flowEnqueue(r *machine.EnqueueRequest) machine.Reply {
	q, reply := t.open(r.Queue)
	if reply != nil {
		return *reply
	}
	if !t.m.queues.Enter(queue.Key{Instance: t.in.PK, Queue: q.ID}, t.place(t.at), q.MaxContacts) {
		return machine.Reply{Err: "QueueAtCapacity"}
	}
	t.enqueued(q.ContactQueue)
	return machine.Reply{}
}

// open finds a queue that takes contacts; the reply is there when there is none.
func (t *Transition) open(of domain.ContactQueue) (Queue, *machine.Reply) {
	q, err := t.findQueue(of)
	if err != nil {
		reply := t.m.notFound(err)
		return q, &reply
	}
	if !q.Enabled {
		reply := failed
		return q, &reply
	}
	return q, nil
}

func (t *Transition) findQueue(q domain.ContactQueue) (Queue, error) {
	if q.AgentID != "" {
		return t.m.opts.Configuration.AgentQueue(t.ctx, t.in, string(q.AgentID))
	}
	return t.m.opts.Configuration.Queue(t.ctx, t.in, string(q.ID))
}

// place is that of the contact in a queue that it is in since a time.
func (l *live) place(since time.Time) queue.Place {
	age := since
	if cb := l.st.Callback; cb != nil && !cb.Since.IsZero() {
		age = cb.Since
	}
	return queue.Place{
		ID: l.id, Channel: l.c.Channel, Enqueued: since, Priority: l.c.Priority,
		Adjusted: age.Add(-time.Duration(l.c.TimeAdjustment) * time.Second),
	}
}

// enqueue puts the contact into a queue that it was made for, or was in, however
// many are there. One that is no longer there ends the contact.
func (t *Transition) enqueue(q domain.ContactQueue) {
	found, err := t.findQueue(q)
	if err != nil {
		t.m.notFound(err)
		t.note("The queue " + q.Name + " cannot be found.")
		t.disconnect(other)
		return
	}
	t.m.queues.Enter(queue.Key{Instance: t.in.PK, Queue: found.ID}, t.place(t.at), nil)
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
	t.st.ToWait = true
	t.later((*Transition).beginWaiting)
}

// beginWaiting has the contact run its customer queue flow, unless it came with
// one. A callback has no customer who could hear it.
func (t *Transition) beginWaiting() {
	t.st.ToWait = false
	if !t.queued() || t.st.Callback != nil || t.st.Threads[customer] != nil {
		return
	}
	if f, ok := t.hook("CustomerQueue", true); ok {
		t.run(customer, waiting, f)
	}
}

// queued reports whether the contact is in a queue.
func (l *live) queued() bool {
	return l.c.Queue != nil && !l.c.EnqueuedAt.IsZero() && l.c.DequeuedAt.IsZero() && !l.c.Ended()
}

// offer tells whoever finds agents, once this is stored.
func (t *Transition) offer() {
	if o := t.m.opts.Offerer; o != nil {
		c := copyOf(t.c)
		t.After(func() { o.Enqueued(t.in, c) })
	}
}

// copyOf is a contact for somebody who is not its owner. Values that are replaced
// and never changed in place are shared; so are maps, whose owners change copies
// of them.
func copyOf(c *domain.Contact) *domain.Contact {
	d := *c
	d.Next = slices.Clone(c.Next)
	d.Segment, d.Tags, d.References = maps.Clone(c.Segment), maps.Clone(c.Tags), maps.Clone(c.References)
	d.Hooks, d.Behavior = maps.Clone(c.Hooks), maps.Clone(c.Behavior)
	d.Recordings = slices.Clone(c.Recordings)
	return &d
}

// waitIn takes up a place that the contact had before a restart.
func (t *Transition) waitIn() {
	t.m.queues.Enter(queue.Key{Instance: t.in.PK, Queue: t.c.Queue.ID}, t.place(t.c.EnqueuedAt), nil)
	t.offer()
	if t.st.ToWait {
		t.later((*Transition).beginWaiting)
	}
}

// dequeue takes the contact out of its queue.
func (t *Transition) dequeue() {
	if !t.queued() {
		return
	}
	t.c.DequeuedAt = t.at
	in, id, key := t.in, t.id, queue.Key{Instance: t.in.PK, Queue: t.c.Queue.ID}
	m := t.m
	t.After(func() {
		m.queues.Leave(key, id)
		if o := m.opts.Offerer; o != nil {
			o.Dequeued(in, id)
		}
	})
}

// requeue moves the contact from its queue into another: a new contact of the
// chain waits there, this one ends. The flow goes on with the new one, which is
// who gets the answer: the customer still hears it (administrator guide, "End
// flow / Resume": it does not end until an agent has the contact).
func (t *Transition) requeue(s side, th *thread, r *machine.EnqueueRequest) (machine.Reply, bool) {
	if !t.queued() || t.c.Hops >= maxHops {
		return failed, true
	}
	q, reply := t.open(r.Queue)
	if reply != nil {
		return *reply, true
	}
	if q.MaxContacts != nil && t.m.queues.Count(queue.Key{Instance: t.in.PK, Queue: q.ID}) >= tolerated(*q.MaxContacts) {
		return machine.Reply{Err: "QueueAtCapacity"}, true
	}
	b := t.successor(types.ContactInitiationMethodQueueTransfer)
	b.c.Hops = t.c.Hops + 1
	b.c.TargetQueue = &q.ContactQueue
	b.c.Routing = t.c.Routing // which begins with its first step again
	b.c.System = nil
	b.st.Queue = &q.ContactQueue
	b.st.Threads = map[side]*thread{s: th}
	delete(t.st.Threads, s)
	t.hand(b)
	return machine.Reply{}, false
}

// tolerated is how many contacts transfers between queues may bring into one
// (administrator guide, "Set the maximum number of contacts in a queue": a fifth
// more).
func tolerated(most int32) int { return int(most) * 6 / 5 }

// arrived answers the flow that has brought the contact here from another queue.
func (t *Transition) arrived() {
	for _, s := range sides {
		th := t.st.Threads[s]
		if th == nil || th.Run.Wait == nil || th.Run.Wait.Request == nil {
			continue
		}
		if r := th.Run.Wait.Request; r.Enqueue != nil && r.Enqueue.Requeue {
			t.step(s, machine.Event{At: t.at, Kind: machine.Replied, Seq: r.Seq})
		}
	}
}

// successor prepares the next contact of the chain, which inherits what belongs
// to the customer.
func (t *Transition) successor(method types.ContactInitiationMethod) *Birth {
	from := copyOf(t.c) // this contact may live on
	c := domain.Contact{
		PreviousID: t.id, InitialID: from.InitialID, AssociationID: from.AssociationID,
		Channel: from.Channel, Method: method, Name: from.Name, Description: from.Description,
		Segment: from.Segment, Tags: from.Tags, References: from.References, CustomerID: from.CustomerID,
		Customer: from.Customer, System: from.System, Template: from.Template, Language: from.Language, Voice: from.Voice,
		Hooks: from.Hooks, Logging: from.Logging, Behavior: from.Behavior, ExpiresAt: from.ExpiresAt,
		Priority: from.Priority, TimeAdjustment: from.TimeAdjustment, Hops: from.Hops,
	}
	b := t.bear(Spec{Instance: t.in, Contact: c, Media: t.st.Media})
	t.c.Next = append(from.Next, domain.NextContact{ID: b.c.ID, Method: method})
	return b
}

// hand ends this contact as transferred: its customer, with the leg or the
// chat, goes over to the next.
func (t *Transition) hand(b *Birth) {
	b.line, t.line = t.line, nil
	t.dropThird()
	t.handChat()
	b.st.Chat, t.st.Chat = t.st.Chat, nil
	for _, s := range sides {
		t.interrupt(s, "The contact was transferred.")
	}
	t.dequeue()
	t.endHold()
	t.tellChanges() // as in disconnect
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
	// Somebody else may hold on to the criteria as they are.
	active, at := *r, t.at
	active.ActivationTimestamp = &at
	active.Steps = slices.Clone(r.Steps)
	for i := range active.Steps {
		active.Steps[i].Status = types.RoutingCriteriaStepStatusInactive
	}
	active.Steps[0].Status = types.RoutingCriteriaStepStatusActive
	t.c.Routing = &active
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
			key := queue.Key{Instance: t.in.PK, Queue: t.c.Queue.ID}
			w := t.place(t.c.EnqueuedAt)
			t.activateRouting()
			t.After(func() { m.queues.Enter(key, w, nil) })
			t.offer()
		}
		return nil
	})
}
