package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// PutContact changes c's Version only when it succeeds.
func (t *tx) PutContact(ctx context.Context, c *store.Contact) error {
	for _, id := range [...]string{c.ID, c.InitialID, c.PreviousID, c.RelatedID, c.AssociationID} {
		if !storable(id) {
			return fault.New(fault.InvalidParameter, "The id of a contact (%d bytes) is not valid UTF-8 without NUL characters.", len(id))
		}
	}
	if c.ID == "" || c.Initiated.IsZero() {
		return errors.New("a contact without an id, or that has not begun, cannot be kept")
	}
	if !isText(c.Doc) || !isText(c.State) {
		return fmt.Errorf("the document or state of contact %s is not text", c.ID)
	}
	live := int64(0)
	if c.Live {
		live = 1
	}
	columns := []any{
		orNull(unless(c.InitialID, c.ID)), orNull(c.PreviousID), orNull(c.RelatedID), orNull(unless(c.AssociationID, c.ID)),
		live, micros(c.Initiated), timeOrNull(c.Scheduled), timeOrNull(c.Enqueued), timeOrNull(c.Connected), timeOrNull(c.Disconnected),
		string(c.Doc), orNull(string(c.State)),
	}
	var written int64
	var err error
	if c.Version == 0 {
		written, err = t.session.exec(ctx, insertContact, append([]any{int64(c.Instance), c.ID}, columns...)...)
	} else {
		written, err = t.session.exec(ctx, updateContact, append(columns, int64(c.Instance), c.ID, c.Version)...)
	}
	if err != nil {
		return t.orNoInstance(fmt.Sprintf("put contact %s", c.ID), err)
	}
	if written == 0 {
		return fault.New(fault.ResourceConflict, "Contact %s is no longer in version %d.", c.ID, c.Version)
	}
	t.puts = append(t.puts, put{c, c.Version})
	c.Version++
	return nil
}

// put remembers the version that a contact had before it was put.
type put struct {
	contact *store.Contact
	version int64
}

// restore gives contacts that were put in vain their versions back: the update
// may run again, and its fn then puts the same ones.
func restore(puts []put) {
	for _, p := range slices.Backward(puts) {
		p.contact.Version = p.version
	}
}

// PutAttributes inserts or replaces them.
func (t *tx) PutAttributes(ctx context.Context, instance store.PK, initialID string, doc []byte) error {
	if !storable(initialID) || !isText(doc) {
		return errors.New("the attributes of a contact, or its id, are not text")
	}
	_, err := t.session.exec(ctx, upsertAttributes, int64(instance), initialID, string(doc))
	if err != nil {
		return t.orNoInstance("put the attributes of contact "+initialID, err)
	}
	return nil
}

// Append fills in entries only when all are appended.
func (t *tx) Append(ctx context.Context, entries ...*store.Entry) error {
	for _, e := range entries {
		if !storable(e.Owner) || !storable(e.ID) || !isText(e.Doc) {
			return fmt.Errorf("an entry of stream %d is not text", e.Stream)
		}
	}
	seqs := make([]int64, 0, len(entries))
	for run := range slices.Chunk(entries, maxRows) {
		var err error
		if seqs, err = t.appendRun(ctx, seqs, run); err != nil {
			if t.session.classify(err) == uniqueViolation {
				return t.doom(fmt.Errorf("append: %w: %w", errNumberTaken, err))
			}
			return t.orNoInstance("append", err)
		}
	}
	for i, e := range entries {
		e.Seq = seqs[i]
	}
	return nil
}

// appendRun appends at most maxRows entries, and their numbers to seqs.
func (t *tx) appendRun(ctx context.Context, seqs []int64, run []*store.Entry) ([]int64, error) {
	args := make([]any, 0, 7*len(run))
	for _, e := range run {
		if t.nextSeq != nil {
			seq := t.nextSeq()
			seqs = append(seqs, seq)
			args = append(args, seq)
		}
		args = append(args, int64(e.Stream), int64(e.Instance), e.Owner, e.ID, micros(e.At), string(e.Doc))
	}
	if t.nextSeq != nil {
		_, err := t.session.exec(ctx, insertEntries[len(run)], args...)
		return seqs, err
	}
	drawn := len(seqs)
	err := t.session.query(ctx, func(row row) error {
		var seq int64
		err := row.Scan(&seq)
		seqs = append(seqs, seq)
		return err
	}, drawEntries[len(run)], args...)
	t.session.wrote = true
	slices.Sort(seqs[drawn:]) // drawn in the order of the rows, answered in any
	return seqs, err
}

// SetCursor sets it forward or back.
func (t *tx) SetCursor(ctx context.Context, name string, seq int64) error {
	if !storable(name) {
		return errors.New("the name of a cursor is not text")
	}
	if _, err := t.session.exec(ctx, upsertCursor, name, seq); err != nil {
		return fmt.Errorf("set cursor %s: %w", name, err)
	}
	return nil
}

// Lease compares with the store's clock, so servers that share a database need
// clocks that agree to within what a lease may overlap.
func (t *tx) Lease(ctx context.Context, name, holder string, until time.Time) (bool, error) {
	if !storable(name) || !storable(holder) {
		return false, errors.New("the name or holder of a lease is not text")
	}
	now := micros(t.now())
	taken, err := t.session.exec(ctx, takeLease, name, holder, micros(until), now)
	if err != nil {
		return false, fmt.Errorf("lease %s: %w", name, err)
	}
	return taken > 0 && micros(until) > now, nil
}

// orNoInstance gives err its context; a reference to an instance that is not
// there, or no longer, is a fault.
func (t *tx) orNoInstance(what string, err error) error {
	if t.session.classify(err) == foreignKeyViolation {
		return t.doom(fault.New(fault.ResourceNotFound, "The instance of the contact was not found.").Wrap(err))
	}
	return fmt.Errorf("%s: %w", what, err)
}

// isText reports whether a document can be kept.
func isText(doc []byte) bool { return utf8.Valid(doc) && bytes.IndexByte(doc, 0) < 0 }

// unless is id, or "" when it is own.
func unless(id, own string) string {
	if id == own {
		return ""
	}
	return id
}

func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return micros(t)
}
