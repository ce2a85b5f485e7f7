package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/google/uuid"

	"ringdown/internal/contact/recorder"
	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// live is a contact in memory. Its fields belong to its owner.
type live struct {
	m     *Manager
	in    Instance
	id    domain.ContactID
	chain *chain
	// channel is that of the contact, for those who are not its owner.
	channel types.Channel

	mail chan func()   // what is to be done on the owner's goroutine; unbuffered
	gone chan struct{} // closed when the owner has ended

	c       *domain.Contact
	st      *state
	version int64
	timer   *time.Timer
	// takenOver is closed when another server owns the contact.
	takenOver chan struct{}
	taken     sync.Once
	damaged   *damage // nil while memory and store agree
	// next are the transitions that follow from the last, before anything else.
	next  []func(t *Transition)
	line  *line // of a call
	third *line // of a transfer to a telephone number
	// arrival is the call that the contact begins with, nil for none. It is not
	// stored: a call does not outlive its server.
	arrival Arrival
}

// state is what the owner needs beside the contact to go on. It is stored as
// JSON.
type state struct {
	// New says that the contact has not begun.
	New bool `json:",omitempty"`
	// Attributes are to be added to those of the chain when it begins.
	Attributes map[string]string `json:",omitempty"`
	// Threads are the flows at work, by whom they talk to.
	Threads map[side]*thread `json:",omitempty"`
	// Flow is what the contact begins with once it is its time.
	Flow *machine.Ref `json:",omitempty"`
	// Queue is the one that the contact begins in.
	Queue *domain.ContactQueue `json:",omitempty"`
	// Dial is the call to be placed.
	Dial *Dial `json:",omitempty"`
	// Media is $.Media.
	Media map[string]any `json:",omitempty"`
	// Chat is there for chats.
	Chat *chatState `json:",omitempty"`
	// Paused tasks do not go on.
	Paused bool `json:",omitempty"`
	// Requeue has a paused task go back into the queue that it was taken out of.
	Requeue bool `json:",omitempty"`
	// ToWait says that the flow of the queue that the contact is in is still to
	// begin. What ended by itself does not begin again after a restart.
	ToWait bool `json:",omitempty"`
	// Hold is who is on hold, and who was.
	Hold holding `json:",omitzero"`
	// Callback is there for a queued callback until it is answered.
	Callback *callback `json:",omitempty"`
	// Third is there while the customer is called through, or talks, to a third
	// party.
	Third *thirdParty `json:",omitempty"`
	// Tapes are the recordings of a call.
	Tapes map[RecordingKind]recorder.Tape `json:",omitempty"`
}

// side is whom a flow talks to.
type side string

const (
	customer side = "customer"
	agent    side = "agent"
)

// sides are both, in the order in which whatever concerns both is done: what a
// contact does must not depend on the order of a map.
var sides = [...]side{customer, agent}

// thread is a flow at work.
type thread struct {
	Run *machine.Run
	// For tells what the flow is for, and so what its end means.
	For purpose
}

// purpose of a flow.
type purpose string

const (
	entry    purpose = "entry"    // the contact's own flow
	waiting  purpose = "queue"    // while in a queue
	whisper  purpose = "whisper"  // before agent and customer are joined
	greeting purpose = "greeting" // outbound whisper of a callback
	hold     purpose = "hold"     // while on hold
	pausing  purpose = "pause"    // of a task that is paused
	resuming purpose = "resume"   // of a task that is resumed
)

// Dial is how an outbound call is placed.
type Dial struct {
	To, From    string        // E.164
	FromName    string        `json:",omitempty"`
	RingTimeout time.Duration `json:",omitempty"`
}

// load makes a stored contact one in memory. It holds its chain until release.
func (m *Manager) load(ctx context.Context, in Instance, row *store.Contact) (*live, error) {
	c, err := decode(row)
	if err != nil {
		return nil, err
	}
	st, err := decodeState(row)
	if err != nil {
		return nil, err
	}
	l := m.newLive(in, c, st)
	l.version = row.Version
	l.chain.mu.Lock()
	err = l.chain.read(ctx, m.store, in)
	l.chain.mu.Unlock()
	if err != nil {
		m.release(l)
		return nil, err
	}
	return l, nil
}

func (m *Manager) newLive(in Instance, c *domain.Contact, st *state) *live {
	return &live{
		m: m, in: in, id: c.ID, chain: m.join(c.InitialID), channel: c.Channel, c: c, st: st,
		mail: make(chan func()), gone: make(chan struct{}), takenOver: make(chan struct{}),
	}
}

func decode(row *store.Contact) (*domain.Contact, error) {
	c := new(domain.Contact)
	if err := json.Unmarshal(row.Doc, c); err != nil {
		return nil, fmt.Errorf("contact %s: %w", row.ID, err)
	}
	return c, nil
}

// own is the owner: the only goroutine that touches the contact while it lives.
func (l *live) own(first func()) {
	defer func() {
		l.m.mu.Lock()
		delete(l.m.live, l.id)
		l.m.mu.Unlock()
		l.m.release(l)
		close(l.gone)
	}()
	l.timer = time.NewTimer(time.Hour)
	defer l.timer.Stop()
	first()
	for {
		switch {
		case l.m.ctx.Err() != nil: // the server stops
			l.hangupAll()
			return
		case l.isLost():
			l.abandon()
			return
		case l.damaged != nil:
			l.mend()
			continue
		case l.over():
			return
		case len(l.next) > 0:
			f := l.next[0]
			l.next = l.next[1:]
			l.must(f)
			continue
		}
		l.arm()
		select {
		case f := <-l.mail:
			f()
		case <-l.timer.C:
			if due := l.deadline(); !due.IsZero() && !due.After(l.m.now()) { // the clock may have been set back
				l.must(func(t *Transition) { t.due() })
			}
		case <-l.takenOver:
		case <-l.m.ctx.Done():
		}
	}
}

// over reports whether nothing more will happen by itself.
func (l *live) over() bool { return l.damaged == nil && !l.c.CompletedAt.IsZero() }

// send has the owner make a transition, from a goroutine that does not wait for
// it. False says that the contact has ended, so that it would have no effect.
func (l *live) send(fn func(t *Transition)) bool {
	select {
	case l.mail <- func() { l.must(fn) }:
		return true
	case <-l.gone:
		return false
	case <-l.m.ctx.Done():
		return true
	}
}

// Transition is one change of a contact, from what has happened to what is
// stored. Nothing outside is touched until it is.
type Transition struct {
	*live
	ctx     context.Context
	at      time.Time
	subject *machine.Subject
	entries []*store.Entry
	lines   []machine.Line
	births  []*Birth
	// changed names the properties of the next CONTACT_DATA_UPDATED event; updated
	// tells that there were any.
	changed []string
	updated bool
	// then is done once the transition is stored, in this order.
	then []func()
	// next are transitions of their own that follow when all of then is done.
	next []func(t *Transition)
	// wasComplete is true when the contact was complete before.
	wasComplete bool
	// row is the contact as the transition stores it.
	row *store.Contact
	// line and third are those of the contact after the transition.
	line, third *line
}

// At is the time of the transition.
func (t *Transition) At() time.Time { return t.at }

// Contact is the contact; whoever changes it calls Changed.
func (t *Transition) Contact() *domain.Contact { return t.c }

// Changed notes properties that have been changed, as contact events name them.
func (t *Transition) Changed(properties ...string) {
	for _, p := range properties {
		if !slices.Contains(t.changed, p) {
			t.changed = append(t.changed, p)
		}
	}
}

// After has something done once the transition is stored. It must not block.
func (t *Transition) After(f func()) { t.then = append(t.then, f) }

// later has something done in a transition of its own, right after this one.
// Whoever has asked for this one is not kept waiting for that.
func (t *Transition) later(fn func(t *Transition)) { t.next = append(t.next, fn) }

// transition runs fn, stores what it did and acts upon it. An error of fn
// undoes nothing: it must come before fn has changed anything. After any other
// error the contact is damaged, and its owner mends it before all else.
func (l *live) transition(ctx context.Context, fn func(t *Transition) error) error {
	at := l.m.now()
	if at.Before(l.c.UpdatedAt) { // the clock was set back
		at = l.c.UpdatedAt
	}
	t := &Transition{live: l, ctx: l.m.ctx, at: at, wasComplete: !l.c.CompletedAt.IsZero(), line: l.line, third: l.third}
	if err := t.attempt(ctx, fn); err != nil {
		return err
	}
	l.line, l.third = t.line, t.third
	t.act()
	return nil
}

// act does what follows from a transition that is stored.
func (t *Transition) act() {
	if len(t.entries) > 0 {
		t.m.opts.Wake()
	}
	for _, f := range t.then {
		t.guard(f)
	}
	t.live.next = append(t.live.next, t.next...)
}

// attempt is the part of a transition that holds the chain.
func (t *Transition) attempt(ctx context.Context, fn func(t *Transition) error) (err error) {
	t.chain.mu.Lock()
	defer t.chain.mu.Unlock()
	if err := t.chain.read(ctx, t.m.store, t.in); err != nil {
		return err
	}
	before := t.chain.attributes
	t.subject = &machine.Subject{
		Contact: t.c, Attributes: before, InstanceARN: t.in.ARN(), Region: t.in.Region, Media: t.st.Media,
	}
	defer func() {
		if d := t.damaged; d != nil {
			t.chain.attributes = nil // read anew
			if d.panicked {
				err = errPanicked
			}
		}
	}()
	defer t.rescue()
	if err = fn(t); err != nil {
		return err
	}
	t.settle()
	if err = t.store(ctx, before, t.subject.Attributes); err != nil {
		t.m.opts.Logger.Error("a contact could not be stored", slog.String("contact", string(t.id)), slog.String("instance", string(t.in.ID)), slog.Any("err", err))
		t.damaged = &damage{t: t}
		return err
	}
	t.chain.attributes = t.subject.Attributes
	return nil
}

// store writes everything in one transaction.
func (t *Transition) store(ctx context.Context, before, after map[string]string) error {
	t.log()
	row, err := rowOf(t.in, t.c, t.st)
	if err != nil {
		return err
	}
	t.row = row
	var attributes []byte
	if !same(before, after) {
		if attributes, err = json.Marshal(after); err != nil {
			return err
		}
	}
	version := t.version
	// A request whose client has gone is carried out all the same: the contact
	// has taken it up.
	ctx = context.WithoutCancel(ctx)
	put := func(tx store.ContactTx) error {
		row.Version = version
		if err := tx.PutContact(ctx, row); err != nil {
			return err
		}
		if attributes != nil {
			if err := tx.PutAttributes(ctx, t.in.PK, string(t.chain.initial), attributes); err != nil {
				return err
			}
		}
		return tx.Append(ctx, t.entries...)
	}
	if len(t.births) == 0 { // nothing is read, so nothing can be lost to a race
		err = t.m.store.UpdateContacts(ctx, put)
	} else {
		err = t.m.store.Update(ctx, func(tx store.Tx) error {
			if err := put(tx); err != nil {
				return err
			}
			for _, b := range t.births {
				if err := b.Insert(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err != nil {
		return err
	}
	t.version = row.Version
	for _, b := range t.births {
		t.then = append(t.then, b.Begin)
	}
	return nil
}

// rowOf is a contact as it is kept.
func rowOf(in Instance, c *domain.Contact, st *state) (*store.Contact, error) {
	doc, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("contact %s: %w", c.ID, err)
	}
	row := &store.Contact{
		Instance: in.PK, ID: string(c.ID), InitialID: string(c.InitialID),
		PreviousID: string(c.PreviousID), RelatedID: string(c.RelatedID), AssociationID: string(c.AssociationID),
		Live:      c.CompletedAt.IsZero(),
		Initiated: c.InitiatedAt, Scheduled: c.ScheduledAt, Enqueued: c.EnqueuedAt, Disconnected: c.DisconnectedAt,
		Doc: doc,
	}
	if c.Agent != nil {
		row.Connected = c.Agent.ConnectedAt
	}
	if row.Live || st.Chat != nil {
		if row.State, err = json.Marshal(st); err != nil {
			return nil, fmt.Errorf("state of contact %s: %w", c.ID, err)
		}
	}
	return row, nil
}

// log turns the lines of the transition into one entry.
func (t *Transition) log() {
	if len(t.lines) == 0 {
		return
	}
	doc, err := json.Marshal(t.lines)
	if err != nil {
		t.m.opts.Logger.Error("a flow log could not be written", slog.String("contact", string(t.id)), slog.Any("err", err))
		return
	}
	t.append(store.StreamFlowLog, uuid.NewString(), doc)
	for _, line := range t.lines {
		t.m.opts.Logger.Debug("flow", slog.String("contact", string(t.id)), slog.String("flow", line.Flow.ID), slog.String("action", line.Action), slog.String("type", line.Type), slog.String("error", line.Error))
	}
}

func (t *Transition) append(s store.Stream, id string, doc []byte) {
	t.entries = append(t.entries, &store.Entry{Stream: s, Instance: t.in.PK, Owner: string(t.id), ID: id, At: t.at, Doc: doc})
}

// same reports whether two maps are the same object or hold the same.
func same(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || w != v {
			return false
		}
	}
	return true
}
