package contact

import (
	"log/slog"
	"time"

	"github.com/google/uuid"

	"ringdown/internal/contact/record"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// Types of contact events (administrator guide, "Contact events").
const (
	Initiated         = "INITIATED"
	ConnectedToSystem = "CONNECTED_TO_SYSTEM"
	DataUpdated       = "CONTACT_DATA_UPDATED"
	Queued            = "QUEUED"
	ConnectedToAgent  = "CONNECTED_TO_AGENT"
	DisconnectedEvent = "DISCONNECTED"
	Completed         = "COMPLETED"
	Paused            = "PAUSED"
	Resumed           = "RESUMED"
)

// event notes a contact event, after one of what has been changed before.
func (t *Transition) event(kind string) {
	t.tellChanges()
	t.entries = append(t.entries, eventOf(t.m, t.in, t.c, kind, t.at, nil))
}

// tellChanges makes an event of the properties that have been changed since the
// last.
func (t *Transition) tellChanges() {
	var updated []string
	for _, p := range t.changed {
		if record.Tells(p) {
			updated = append(updated, p)
		}
	}
	t.updated = t.updated || len(t.changed) > 0
	t.changed = nil
	if len(updated) > 0 {
		t.entries = append(t.entries, eventOf(t.m, t.in, t.c, DataUpdated, t.at, updated))
	}
}

func eventOf(m *Manager, in Instance, c *domain.Contact, kind string, at time.Time, updated []string) *store.Entry {
	id := uuid.NewString()
	doc, err := record.Event(in.told(), c, id, kind, at, updated)
	return told(m, in, c, store.StreamEvents, id, at, doc, err)
}

// recordOf is the contact record of a contact as it is at a time.
func recordOf(m *Manager, in Instance, c *domain.Contact, st *state, attributes map[string]string, at time.Time) *store.Entry {
	hold := record.Holds{Count: st.Hold.Count, Total: st.Hold.Total, Longest: st.Hold.Longest}
	doc, err := record.Record(in.told(), c, hold, attributes)
	return told(m, in, c, store.StreamRecords, uuid.NewString(), at, doc, err)
}

// told is an entry for the outbox.
func told(m *Manager, in Instance, c *domain.Contact, stream store.Stream, id string, at time.Time, doc []byte, err error) *store.Entry {
	if err != nil {
		// Everything in it is plain data.
		m.opts.Logger.Error("what is told of a contact could not be written", slog.String("contact", string(c.ID)), slog.Any("err", err))
	}
	return &store.Entry{Stream: stream, Instance: in.PK, Owner: string(c.ID), ID: id, At: at, Doc: doc}
}

// told is the instance as events and records name it.
func (i Instance) told() record.Instance {
	return record.Instance{ID: i.ID, Region: i.Region, Account: i.Account}
}

// settle ends a transition: what has been changed becomes an event, and a
// contact that is complete a record, once more if it was complete before.
func (t *Transition) settle() {
	t.recordings()
	t.Changed(t.subject.Changed...)
	t.subject.Changed = nil
	t.tellChanges()
	if len(t.entries) > 0 || len(t.lines) > 0 || t.updated {
		t.c.UpdatedAt = t.at
	}
	if t.c.CompletedAt.IsZero() || t.wasComplete && !t.updated {
		return
	}
	if !t.wasComplete {
		t.event(Completed)
	}
	t.entries = append(t.entries, recordOf(t.m, t.in, t.c, t.st, t.subject.Attributes, t.at))
}
