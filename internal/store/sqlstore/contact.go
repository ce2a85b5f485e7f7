package sqlstore

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// beyondIDs sorts after every id: a descending run starts from it.
const beyondIDs = "\U0010FFFF"

func contactNotFound(id string) error {
	return fault.New(fault.ResourceNotFound, "Contact %s not found.", strings.ToValidUTF8(id, "\uFFFD"))
}

// Contact finds a contact by its id.
func (r reader) Contact(ctx context.Context, instance store.PK, id string) (*store.Contact, error) {
	if !storable(id) {
		return nil, contactNotFound(id)
	}
	found, err := r.contacts(ctx, 1, selectContact, int64(instance), id)
	if err != nil {
		return nil, fmt.Errorf("get contact: %w", err)
	}
	if len(found) == 0 {
		return nil, contactNotFound(id)
	}
	return found[0], nil
}

// Contacts reads along an index of its own for each way to select.
func (r reader) Contacts(ctx context.Context, q store.ContactQuery) (found []*store.Contact, err error) {
	if !storable(q.After) || !storable(q.Initial) || !storable(q.Previous) || !storable(q.Related) || !storable(q.Association) {
		return nil, fault.New(fault.InvalidParameter, "The id of a contact is not valid text.")
	}
	after := q.After
	if after == "" && q.Descending {
		after = beyondIDs
	}
	instance, atMost := int64(q.Instance), limit(q.Limit)
	switch {
	case q.Initial != "":
		found, err = r.contacts(ctx, q.Limit, contactsByInitial.text(q), instance, instance, q.Initial, instance, q.Initial, after, atMost)
	case q.Association != "":
		found, err = r.contacts(ctx, q.Limit, contactsByAssociation.text(q), instance, instance, q.Association, instance, q.Association, after, atMost)
	case q.Previous != "":
		found, err = r.contacts(ctx, q.Limit, contactsByPrevious.text(q), instance, q.Previous, after, atMost)
	case q.Related != "":
		found, err = r.contacts(ctx, q.Limit, contactsByRelated.text(q), instance, q.Related, after, atMost)
	default:
		return r.contactsByTime(ctx, q)
	}
	if err != nil {
		return nil, fmt.Errorf("list contacts: %w", err)
	}
	return found, nil
}

// contactsByTime goes on at the time of After, which it looks up.
func (r reader) contactsByTime(ctx context.Context, q store.ContactQuery) ([]*store.Contact, error) {
	texts, ok := contactsByTime[q.Time]
	if !ok {
		return nil, fmt.Errorf("contacts have no time %d", q.Time)
	}
	lowest, highest := int64(math.MinInt64), int64(math.MaxInt64)
	if !q.From.IsZero() {
		lowest = micros(q.From)
	}
	if !q.To.IsZero() {
		highest = micros(q.To) - 1
	}
	// Where nothing is to be left out, every id is beyond.
	at, after := lowest, ""
	if q.Descending {
		at, after = highest, beyondIDs
	}
	if q.After != "" {
		last, err := r.Contact(ctx, q.Instance, q.After)
		if err != nil {
			return nil, err
		}
		reached := timeOf(last, q.Time)
		if reached.IsZero() {
			return nil, contactNotFound(q.After)
		}
		switch us := micros(reached); {
		case !q.Descending && us >= lowest:
			lowest, at, after = us, us, q.After
		case q.Descending && us <= highest:
			highest, at, after = us, us, q.After
		}
	}
	found, err := r.contacts(ctx, q.Limit, texts.text(q), int64(q.Instance), lowest, highest, at, after, limit(q.Limit))
	if err != nil {
		return nil, fmt.Errorf("list contacts by time: %w", err)
	}
	return found, nil
}

func timeOf(c *store.Contact, which store.ContactTime) time.Time {
	switch which {
	case store.Initiated:
		return c.Initiated
	case store.Scheduled:
		return c.Scheduled
	case store.Enqueued:
		return c.Enqueued
	case store.Connected:
		return c.Connected
	case store.Disconnected:
		return c.Disconnected
	}
	return time.Time{}
}

// LiveContacts reads along an index of the contacts that live.
func (r reader) LiveContacts(ctx context.Context, after string, atMost int) ([]*store.Contact, error) {
	if !storable(after) {
		return nil, fault.New(fault.InvalidParameter, "The id of a contact is not valid text.")
	}
	found, err := r.contacts(ctx, atMost, liveContacts, after, limit(atMost))
	if err != nil {
		return nil, fmt.Errorf("list live contacts: %w", err)
	}
	return found, nil
}

// contacts returns the contacts of an answer; expect is how many there may be,
// 0 when that is not known.
func (r reader) contacts(ctx context.Context, expect int, text string, args ...any) ([]*store.Contact, error) {
	found := make([]*store.Contact, 0, min(max(expect, 0), 1000))
	err := r.session.query(ctx, func(row row) error {
		c, err := scanContact(row)
		found = append(found, c)
		return err
	}, text, args...)
	if err != nil {
		return nil, err
	}
	return found, nil
}

func scanContact(row row) (*store.Contact, error) {
	var c store.Contact
	var instance, live, initiated, scheduled, enqueued, connected, disconnected int64
	err := row.Scan(&instance, &c.ID, &c.InitialID, &c.PreviousID, &c.RelatedID, &c.AssociationID,
		&live, &initiated, &scheduled, &enqueued, &connected, &disconnected, &c.Version, &c.Doc, &c.State)
	if err != nil {
		return nil, err
	}
	c.Instance, c.Live = store.PK(instance), live != 0
	c.Initiated, c.Scheduled, c.Enqueued = orZero(initiated), orZero(scheduled), orZero(enqueued)
	c.Connected, c.Disconnected = orZero(connected), orZero(disconnected)
	c.Doc, c.State = orNil(c.Doc), orNil(c.State)
	return &c, nil
}

// Attributes finds the attributes of a chain by its first contact.
func (r reader) Attributes(ctx context.Context, instance store.PK, initialID string) (doc []byte, err error) {
	if !storable(initialID) {
		return nil, nil
	}
	err = r.session.query(ctx, func(row row) error { return row.Scan(&doc) }, selectAttributes, int64(instance), initialID)
	if err != nil {
		return nil, fmt.Errorf("get the attributes of a contact: %w", err)
	}
	return orNil(doc), nil
}

// Entries reads along an index of the stream, or of the owner.
func (r reader) Entries(ctx context.Context, q store.EntryQuery) ([]*store.Entry, error) {
	before := int64(math.MaxInt64)
	if q.Before > 0 {
		before = q.Before
	}
	d := directionOf(q.Descending)
	text, args := entriesOfAll[d], []any{int64(q.Stream), q.After, before, limit(q.Limit)}
	if q.Owner != "" {
		if !storable(q.Owner) {
			return nil, nil
		}
		text, args = entriesOfOne[d], append([]any{int64(q.Instance), q.Owner}, args...)
	}
	found := make([]*store.Entry, 0, min(max(q.Limit, 0), 1000))
	err := r.session.query(ctx, func(row row) error {
		var e store.Entry
		var stream, instance, at int64
		if err := row.Scan(&e.Seq, &stream, &instance, &e.Owner, &e.ID, &at, &e.Doc); err != nil {
			return err
		}
		e.Stream, e.Instance, e.At, e.Doc = store.Stream(stream), store.PK(instance), fromMicros(at), orNil(e.Doc)
		found = append(found, &e)
		return nil
	}, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read stream %d: %w", q.Stream, err)
	}
	return found, nil
}

// Cursor finds how far a reader has come.
func (r reader) Cursor(ctx context.Context, name string) (int64, error) {
	if !storable(name) {
		return 0, nil
	}
	seq, err := number(ctx, r.session, selectCursor, name)
	if err != nil {
		return 0, fmt.Errorf("read cursor %s: %w", name, err)
	}
	return seq, nil
}

func orZero(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return fromMicros(us)
}
