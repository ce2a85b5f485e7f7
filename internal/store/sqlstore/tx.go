package sqlstore

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// tx is store.Tx: the writing half on top of reader. It collects the changes
// of its transaction; whoever commits it writes them to the log.
type tx struct {
	reader
	session *txSession // that of reader
	// nextPK hands out a key that nothing else has or had.
	nextPK func(context.Context) (store.PK, error)
	// nextSeq hands out the number of an entry, where this process is the only
	// one that writes; nil where the database does.
	nextSeq func() int64
	// observed is true when somebody wants the records of the changes, and not
	// the log alone.
	observed bool
	changes  []store.Change
	puts     []put // of contacts; whoever does not commit them restores them
}

func newTx(s session, now func() time.Time, nextPK func(context.Context) (store.PK, error), observed bool) *tx {
	doomed := &txSession{session: s}
	return &tx{reader: reader{doomed, now}, session: doomed, nextPK: nextPK, observed: observed}
}

// errOver is what a transaction answers after its fn has returned.
var errOver = errors.New("the transaction is over")

// outcome is how the transaction ends, given what its fn returned: not well
// when a statement failed, even if fn chose to overlook it. No statement runs
// afterwards.
func (t *tx) outcome(err error) error {
	if err == nil {
		err = t.session.failure
	}
	t.session.failure = errOver
	return err
}

// leftTrace reports whether undoing the transaction takes more than to forget
// it: something was written, or a statement failed in another way than by a
// violation of a constraint, which undoes that statement and no more.
func (t *tx) leftTrace() bool {
	if t.session.wrote {
		return true
	}
	if t.session.failure == nil {
		return false
	}
	c := t.session.classify(t.session.failure)
	return c != uniqueViolation && c != foreignKeyViolation
}

// doom ends the transaction with what a statement's error means to a client.
// Later statements then answer with the same fault.
func (t *tx) doom(err error) error {
	t.session.failure = err
	return err
}

// Insert fills in r only when it succeeds. A document must be UTF-8; an id or
// name that cannot be kept is an InvalidParameterException.
func (t *tx) Insert(ctx context.Context, r *store.Record, refs []store.Ref) error {
	tags, err := encode(r)
	if err != nil {
		return err
	}
	pk, err := t.nextPK(ctx)
	if err != nil {
		return fmt.Errorf("insert %s: %w", r.Kind, err)
	}
	now := micros(t.now())
	created, modified := now, now
	if !r.Created.IsZero() {
		created = micros(r.Created)
	}
	if !r.Modified.IsZero() {
		modified = micros(r.Modified)
	}
	_, err = t.session.exec(ctx, insertRecord,
		int64(pk), int64(r.Instance), int64(r.Kind), r.ID, r.Name, orNull(r.NameKey),
		int64(1), created, modified, tags, string(r.Doc))
	if err != nil {
		return t.failed("insert", r.Kind, r.ID, err, duplicate(r),
			fault.New(fault.ResourceNotFound, "The parent of %s %s was not found.", r.Kind, r.ID))
	}
	if err := t.refer(ctx, r, pk, refs); err != nil {
		return err
	}
	r.PK, r.Version = pk, 1
	r.Created, r.Modified = fromMicros(created), fromMicros(modified)
	t.changed(store.Put, *r)
	return nil
}

// Update goes by r.PK alone; the rest of what identifies r is taken from the
// database.
func (t *tx) Update(ctx context.Context, r *store.Record, refs []store.Ref) error {
	tags, err := encode(r)
	if err != nil {
		return err
	}
	if r.PK == store.Root {
		return notFound(r.Kind, r.ID)
	}
	after := *r
	modified := micros(t.now())
	found := false
	err = t.session.query(ctx, func(row row) error {
		var instance, kind, created int64
		found = true
		if err := row.Scan(&instance, &kind, &after.ID, &after.Version, &created); err != nil {
			return err
		}
		after.Instance, after.Kind, after.Created = store.PK(instance), domain.Kind(kind), fromMicros(created)
		return nil
	}, updateRecord, r.Name, orNull(r.NameKey), string(r.Doc), tags, modified, int64(r.PK))
	if err != nil {
		return t.failed("update", r.Kind, r.ID, err, duplicate(r), nil)
	}
	if !found {
		return notFound(r.Kind, r.ID)
	}
	t.session.wrote = true
	if refs != nil {
		if _, err := t.session.exec(ctx, deleteRefs, int64(r.PK)); err != nil {
			return t.failed("update", r.Kind, r.ID, err, nil, nil)
		}
		if err := t.refer(ctx, r, r.PK, refs); err != nil {
			return err
		}
	}
	after.Modified = fromMicros(modified)
	r.Version, r.Modified = after.Version, after.Modified
	t.changed(store.Put, after)
	return nil
}

// refer inserts the references of a record. They are a set: one that is given
// twice is kept once.
func (t *tx) refer(ctx context.Context, r *store.Record, from store.PK, refs []store.Ref) error {
	if len(refs) == 0 {
		return nil
	}
	refs = slices.Clone(refs)
	slices.SortFunc(refs, func(a, b store.Ref) int {
		return cmp.Or(strings.Compare(string(a.Role), string(b.Role)), cmp.Compare(a.To, b.To))
	})
	refs = slices.Compact(refs)
	for run := range slices.Chunk(refs, maxRows) {
		args := make([]any, 0, 3*maxRows)
		for _, ref := range run {
			args = append(args, int64(from), string(ref.Role), int64(ref.To))
		}
		if _, err := t.session.exec(ctx, insertRefs[len(run)], args...); err != nil {
			return t.failed("refer from", r.Kind, r.ID, err, nil,
				fault.New(fault.ResourceNotFound, "A resource that %s %s refers to was not found.", r.Kind, r.ID))
		}
	}
	return nil
}

// Delete takes the members of r first, and references before what they refer
// to: within one statement PostgreSQL would come upon a member that another
// member, deleted a moment later, still refers to.
func (t *tx) Delete(ctx context.Context, r *store.Record) error {
	gone := store.Record{PK: r.PK}
	found := false
	err := t.session.query(ctx, func(row row) error {
		var instance, kind int64
		found = true
		if err := row.Scan(&instance, &kind, &gone.ID, &gone.Version); err != nil {
			return err
		}
		gone.Instance, gone.Kind = store.PK(instance), domain.Kind(kind)
		return nil
	}, selectIdentity, int64(r.PK))
	if err != nil {
		return fmt.Errorf("delete %s %s: %w", r.Kind, r.ID, err)
	}
	if !found || r.PK == store.Root {
		return notFound(r.Kind, r.ID)
	}
	steps := []string{deleteRefs, deleteRecord}
	if gone.Kind == domain.KindInstance {
		steps = []string{deleteMembersRefs, deleteMembers, deleteRefs, deleteRecord}
	}
	for _, step := range steps {
		if _, err := t.session.exec(ctx, step, int64(r.PK)); err != nil {
			return t.failed("delete", gone.Kind, gone.ID, err, nil,
				fault.New(fault.ResourceInUse, "%s %s is in use.", gone.Kind, gone.ID).With("ResourceId", gone.ID))
		}
	}
	gone.Version++
	t.changed(store.Delete, gone)
	return nil
}

// Remember refuses a key that cannot be kept with an InvalidParameterException.
func (t *tx) Remember(ctx context.Context, key string, m store.Memo) error {
	if !storable(key) {
		return fault.New(fault.InvalidParameter, "A client token is valid UTF-8 without NUL characters.")
	}
	var owner any // NULL for none
	if m.Owner != store.Root {
		owner = int64(m.Owner)
	}
	_, err := t.session.exec(ctx, upsertMemo, key, blob(m.Fingerprint), blob(m.Answer), micros(m.Expires), owner)
	if err != nil {
		return fmt.Errorf("remember: %w", err)
	}
	return nil
}

// Forget takes what is out of date for gone already.
func (t *tx) Forget(ctx context.Context, key string) (bool, error) {
	if !storable(key) {
		return false, nil
	}
	n, err := t.session.exec(ctx, deleteMemo, key, micros(t.now()))
	if err != nil {
		return false, fmt.Errorf("forget: %w", err)
	}
	return n > 0, nil
}

// changed notes a change for the log and the observer. The observer's record
// is a copy: what the caller does to its own later is not a change.
func (t *tx) changed(op store.Op, r store.Record) {
	if t.observed {
		r.Doc = bytes.Clone(r.Doc)
		r.Tags = maps.Clone(r.Tags)
	}
	t.changes = append(t.changes, store.Change{Op: op, Record: &r})
}

// failed dooms the transaction with what err means: a clash of ids or names is
// onUnique, one of references onForeignKey; where those are nil, and for any
// other error, it is err with its context.
func (t *tx) failed(verb string, kind domain.Kind, id string, err error, onUnique, onForeignKey *fault.Error) error {
	switch t.session.classify(err) {
	case uniqueViolation:
		if onUnique != nil {
			return t.doom(onUnique.Wrap(err))
		}
	case foreignKeyViolation:
		if onForeignKey != nil {
			return t.doom(onForeignKey.Wrap(err))
		}
	case lostRace, otherError:
	}
	return fmt.Errorf("%s %s %s: %w", verb, kind, id, err)
}

func duplicate(r *store.Record) *fault.Error {
	if r.NameKey != "" {
		return fault.New(fault.DuplicateResource, "%s %s already exists.", r.Kind, r.Name)
	}
	return fault.New(fault.DuplicateResource, "%s %s already exists.", r.Kind, r.ID)
}

// encode checks that the record can be kept and returns its tags as an
// argument: a JSON object, or nil for none. An empty map is not none.
func encode(r *store.Record) (tags any, err error) {
	for _, text := range [...]struct{ what, value string }{{"id", r.ID}, {"name", r.Name}, {"name", r.NameKey}} {
		if !storable(text.value) {
			return nil, fault.New(fault.InvalidParameter,
				"The %s of a %s (%d bytes) is not valid UTF-8 without NUL characters.", text.what, r.Kind, len(text.value))
		}
	}
	if !isText(r.Doc) {
		return nil, fmt.Errorf("the document of %s %s is not text", r.Kind, r.ID)
	}
	if r.Tags == nil {
		return nil, nil
	}
	encoded, err := json.Marshal(r.Tags)
	if err != nil {
		return nil, fmt.Errorf("tags of %s %s: %w", r.Kind, r.ID, err)
	}
	return string(encoded), nil
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// orNil is b, or nil when it is empty: the databases disagree about which of
// the two an empty column is.
func orNil(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// blob is b as an argument for a column that is not null.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func micros(t time.Time) int64 { return t.UnixMicro() }
