package contact

import (
	"context"
	"encoding/json"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// Spec is a contact to be.
type Spec struct {
	Instance Instance
	// Contact says what it is: channel, method, name, endpoints, references …
	// Its ids and times are filled in; PreviousID or RelatedID may be set. ID may
	// be set too, by whoever needs to know it before.
	Contact domain.Contact
	// Attributes are added to those of the chain, or to a copy of those of the
	// related contact.
	Attributes map[string]string
	// Flow is what it begins with; nil for a contact that waits for something
	// else: a queue (Queue), or nothing (Completed).
	Flow *machine.Ref
	// Queue has it begin in a queue.
	Queue *domain.ContactQueue
	// Dial has the customer called first.
	Dial *Dial
	// Arrival is a call that has come in, to be answered once the contact is stored.
	Arrival Arrival
	// At is when the contact was initiated; the zero value for now.
	At time.Time
	// Media is $.Media.
	Media map[string]any
	// Chat is there for a chat.
	Chat *ChatSpec
	// Callback are the limits of a queued callback.
	Callback *callback
	// Completed has it end as soon as it is made, as a record of what happened
	// elsewhere.
	Completed bool
}

// Birth is a contact that has ids but is not yet stored.
type Birth struct {
	m    *Manager
	spec Spec
	c    *domain.Contact
	st   *state
	at   time.Time

	line       *line             // the call that it begins with
	attributes map[string]string // of a chain that it begins; nil for none
	row        *store.Contact
	inserted   bool
}

// New prepares a contact. Insert stores it, Begin sets it going.
func (m *Manager) New(spec Spec) *Birth { return m.birth(spec, m.now()) }

// bear prepares a contact that the transition gives birth to.
func (t *Transition) bear(spec Spec) *Birth {
	b := t.m.birth(spec, t.at)
	t.births = append(t.births, b)
	return b
}

func (m *Manager) birth(spec Spec, at time.Time) *Birth {
	c := spec.Contact
	if c.ID == "" {
		c.ID = domain.ContactID(domain.NewID())
	}
	if !spec.At.IsZero() && spec.At.Before(at) {
		at = spec.At
	}
	b := &Birth{m: m, spec: spec, c: &c, at: at}
	if c.InitialID == "" {
		c.InitialID = c.ID
	}
	if c.AssociationID == "" {
		c.AssociationID = c.InitialID
	}
	c.InitiatedAt, c.UpdatedAt = b.at, b.at
	if c.Priority == 0 {
		c.Priority = DefaultPriority
	}
	b.st = &state{New: !spec.Completed, Flow: spec.Flow, Queue: spec.Queue, Dial: spec.Dial, Media: spec.Media, Callback: spec.Callback}
	b.prepare()
	return b
}

// DefaultPriority of a contact in a queue (API reference,
// UpdateContactRoutingData).
const DefaultPriority = 5

// prepare fills in what the channel brings.
func (b *Birth) prepare() {
	c := b.c
	if c.Segment == nil {
		c.Segment = map[string]types.SegmentAttributeValue{}
	} else {
		c.Segment = maps.Clone(c.Segment)
	}
	subtype := map[types.Channel]string{
		types.ChannelVoice: "connect:Telephony", types.ChannelChat: "connect:Chat",
		types.ChannelTask: "connect:Task", types.ChannelEmail: "connect:Email",
	}[c.Channel]
	if _, set := c.Segment["connect:Subtype"]; !set && subtype != "" {
		c.Segment["connect:Subtype"] = types.SegmentAttributeValue{ValueString: aws.String(subtype)}
	}
	switch {
	case b.spec.Completed:
		c.ConnectedAt, c.DisconnectedAt, c.CompletedAt = b.at, b.at, b.at
	case c.Channel == types.ChannelTask:
		if c.ExpiresAt.IsZero() {
			from := b.at
			if c.ScheduledAt.After(from) {
				from = c.ScheduledAt
			}
			c.ExpiresAt = from.Add(taskLife)
		}
	case c.Channel == types.ChannelChat:
		b.prepareChat()
	}
}

// taskLife is how long a task may last unless it says otherwise (administrator
// guide, "Amazon Connect feature specifications").
const taskLife = 7 * 24 * time.Hour

// ID of the contact.
func (b *Birth) ID() domain.ContactID { return b.c.ID }

// Contact is the contact to be.
func (b *Birth) Contact() *domain.Contact { return b.c }

// Insert stores the contact and its INITIATED event. It reads the contacts that
// it follows or is related to, which must exist.
func (b *Birth) Insert(ctx context.Context, tx store.Tx) error {
	if err := b.m.elsewhere(); err != nil {
		return err
	}
	c, in := b.c, b.spec.Instance
	attributes := b.spec.Attributes
	switch {
	case c.PreviousID != "":
		before, err := b.m.row(ctx, tx, in, string(c.PreviousID))
		if err != nil {
			return err
		}
		c.InitialID, c.AssociationID = domain.ContactID(before.InitialID), domain.ContactID(before.AssociationID)
		if len(attributes) > 0 {
			old, err := readAttributes(ctx, tx, in, c.InitialID)
			if err != nil {
				return err
			}
			if _, err = merge(old, attributes, true); err != nil {
				return err
			}
		}
		// Other contacts of the chain may be changing them: they are added under its
		// lock, by the first transition.
		b.st.Attributes, attributes = attributes, nil
	case c.RelatedID != "":
		related, err := b.m.row(ctx, tx, in, string(c.RelatedID))
		if err != nil {
			return err
		}
		c.AssociationID = domain.ContactID(related.AssociationID)
		old, err := readAttributes(ctx, tx, in, domain.ContactID(related.InitialID))
		if err != nil {
			return err
		}
		if attributes, err = merge(old, attributes, true); err != nil {
			return err
		}
	}
	row, err := rowOf(in, c, b.st)
	if err != nil {
		return err
	}
	if err := tx.PutContact(ctx, row); err != nil {
		return err
	}
	if len(attributes) > 0 {
		raw, err := json.Marshal(attributes)
		if err != nil {
			return err
		}
		if err := tx.PutAttributes(ctx, in.PK, string(c.InitialID), raw); err != nil {
			return err
		}
	}
	entries := []*store.Entry{eventOf(b.m, in, c, Initiated, b.at, nil)}
	if b.spec.Completed {
		entries = append(entries, eventOf(b.m, in, c, DisconnectedEvent, b.at, nil), eventOf(b.m, in, c, Completed, b.at, nil))
		entries = append(entries, recordOf(b.m, in, c, b.st, attributes, b.at))
	}
	entries = append(entries, b.chatEntries()...)
	b.row, b.inserted, b.attributes = row, true, attributes
	return tx.Append(ctx, entries...)
}

// Begin sets a stored contact going. A birth that was not inserted, because an
// earlier request with the same client token was answered again, has nothing to
// begin.
func (b *Birth) Begin() {
	if !b.inserted {
		return
	}
	b.m.opts.Wake()
	if b.spec.Completed {
		if set := b.st.Attributes; len(set) > 0 {
			_ = b.m.Do(b.m.ctx, b.spec.Instance, string(b.c.ID), func(t *Transition) error { return t.SetAttributes(set, true) })
		}
		return
	}
	l := b.m.newLive(b.spec.Instance, b.c, b.st)
	l.version = b.row.Version
	if b.line != nil {
		l.line = b.line
		b.line.owner.Store(l)
	}
	l.arrival = b.spec.Arrival
	if b.c.PreviousID == "" {
		l.chain.mu.Lock()
		l.chain.attributes = b.attributes
		l.chain.mu.Unlock()
	}
	adds := len(b.st.Attributes) > 0 // from now on the state is the owner's
	begun := make(chan struct{})
	b.m.start(l, func() {
		l.must((*Transition).begin)
		close(begun)
	})
	if adds { // whoever reads them next shall find them
		select {
		case <-begun:
		case <-l.gone:
		case <-b.m.ctx.Done():
		}
	}
}

// begin is the first transition of a contact.
func (t *Transition) begin() {
	t.st.New = false
	if set := t.st.Attributes; len(set) > 0 {
		t.st.Attributes = nil
		if err := t.SetAttributes(set, true); err != nil { // others have filled them up meanwhile
			t.note("The attributes of the contact could not be added: " + err.Error())
		}
	}
	t.openChat()
	switch {
	case t.c.ScheduledAt.After(t.at): // until then it only waits
	case t.st.Callback != nil: // the customer is not there yet
		t.callbackDue()
		t.enter()
	case t.st.Dial != nil:
		t.dial()
	case t.arrival != nil:
		t.answer()
	case t.st.Queue != nil:
		q := *t.st.Queue
		t.st.Queue = nil
		t.connected()
		t.enqueue(q)
		t.arrived()
	default:
		t.connected()
		t.enter()
	}
}

// connected notes that the customer is connected to the system.
func (t *Transition) connected() {
	if t.c.ConnectedAt.IsZero() {
		t.c.ConnectedAt = t.at
		if t.c.Method == types.ContactInitiationMethodInbound {
			t.c.ConnectedAt = t.c.InitiatedAt
		}
		t.event(ConnectedToSystem)
	}
}

// enter begins the contact's own flow.
func (t *Transition) enter() {
	if t.st.Flow == nil {
		return
	}
	f := *t.st.Flow
	t.st.Flow = nil
	t.run(customer, entry, f)
}
