package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// reader is store.Reader on a session.
type reader struct {
	session session
	now     func() time.Time
}

func notFound(kind domain.Kind, id string) error {
	return fault.New(fault.ResourceNotFound, "%s %s not found.", kind, id)
}

// storable reports whether s can be kept as text: PostgreSQL keeps neither
// NUL nor what is not UTF-8. A key that is not storable is the key of nothing.
func storable(s string) bool {
	return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0
}

// Get finds a record by its public id.
func (r reader) Get(ctx context.Context, instance store.PK, kind domain.Kind, id string) (*store.Record, error) {
	return r.one(ctx, selectByID, instance, kind, id)
}

// GetByName finds a record by its NameKey.
func (r reader) GetByName(ctx context.Context, instance store.PK, kind domain.Kind, nameKey string) (*store.Record, error) {
	return r.one(ctx, selectByName, instance, kind, nameKey)
}

func (r reader) one(ctx context.Context, text string, instance store.PK, kind domain.Kind, key string) (*store.Record, error) {
	if !storable(key) {
		return nil, notFound(kind, strings.ToValidUTF8(key, "\uFFFD"))
	}
	var found *store.Record
	err := r.session.query(ctx, func(row row) (err error) {
		found, err = scanRecord(row)
		return err
	}, text, int64(instance), int64(kind), key)
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", kind, err)
	}
	if found == nil {
		return nil, notFound(kind, key)
	}
	return found, nil
}

// GetByPK asks for maxKeys records at a time; outside of a transaction a longer
// list may see several states.
func (r reader) GetByPK(ctx context.Context, pks ...store.PK) ([]*store.Record, error) {
	found := make(map[store.PK]*store.Record, len(pks))
	for rest := pks; len(rest) > 0; {
		n := min(len(rest), maxKeys)
		text, takes := forKeys(selectByPKs, n)
		args := make([]any, takes)
		for i := range args {
			args[i] = int64(rest[min(i, n-1)])
		}
		rest = rest[n:]
		err := r.session.query(ctx, func(row row) error {
			record, err := scanRecord(row)
			if err == nil {
				found[record.PK] = record
			}
			return err
		}, text, args...)
		if err != nil {
			return nil, fmt.Errorf("get %d records by key: %w", len(pks), err)
		}
	}
	records := make([]*store.Record, 0, len(found))
	for _, pk := range pks {
		if record, ok := found[pk]; ok {
			records = append(records, record)
		}
	}
	return records, nil
}

// Resolve asks for maxKeys ids at a time, as GetByPK does.
func (r reader) Resolve(ctx context.Context, instance store.PK, kind domain.Kind, ids ...string) ([]store.PK, error) {
	for _, id := range ids {
		if !storable(id) {
			return nil, notFound(kind, strings.ToValidUTF8(id, "\uFFFD"))
		}
	}
	found := make(map[string]store.PK, len(ids))
	for rest := ids; len(rest) > 0; {
		n := min(len(rest), maxKeys)
		text, takes := forKeys(resolveIDs, n)
		args := make([]any, 2+takes)
		args[0], args[1] = int64(instance), int64(kind)
		for i := range takes {
			args[2+i] = rest[min(i, n-1)]
		}
		rest = rest[n:]
		err := r.session.query(ctx, func(row row) error {
			var id string
			var pk int64
			err := row.Scan(&id, &pk)
			found[id] = store.PK(pk)
			return err
		}, text, args...)
		if err != nil {
			return nil, fmt.Errorf("resolve %d of %s: %w", len(ids), kind, err)
		}
	}
	pks := make([]store.PK, len(ids))
	for i, id := range ids {
		pk, ok := found[id]
		if !ok {
			return nil, notFound(kind, id)
		}
		pks[i] = pk
	}
	return pks, nil
}

// List reads along the index of (instance, kind, id).
func (r reader) List(ctx context.Context, q store.ListQuery) ([]*store.Record, error) {
	if !storable(q.After) {
		return nil, fault.New(fault.InvalidParameter, "The start of the list is not valid text.")
	}
	text := listRecords
	if q.HeadersOnly {
		text = listHeaders
	}
	records, err := r.many(ctx, q.Limit, text, int64(q.Instance), int64(q.Kind), q.After, limit(q.Limit))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", q.Kind, err)
	}
	return records, nil
}

// Count reads an index through, so it takes time in proportion to what it counts.
func (r reader) Count(ctx context.Context, instance store.PK, kind domain.Kind) (int, error) {
	n, err := number(ctx, r.session, countRecords, int64(instance), int64(kind))
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", kind, err)
	}
	return int(n), nil
}

// CountReferrers reads the index of (to, role) alone.
func (r reader) CountReferrers(ctx context.Context, to store.PK, role store.Role) (int, error) {
	n, err := number(ctx, r.session, countReferrers, int64(to), string(role))
	if err != nil {
		return 0, fmt.Errorf("count the referrers in role %s: %w", role, err)
	}
	return int(n), nil
}

// Referrers reads along the index of (to, role, from).
func (r reader) Referrers(ctx context.Context, to store.PK, role store.Role, after store.PK, atMost int) ([]*store.Record, error) {
	records, err := r.many(ctx, atMost, listReferrers, int64(to), string(role), int64(after), limit(atMost))
	if err != nil {
		return nil, fmt.Errorf("list the referrers in role %s: %w", role, err)
	}
	return records, nil
}

// Recall does not remove what is out of date; the pruner does.
func (r reader) Recall(ctx context.Context, key string) (*store.Memo, error) {
	if !storable(key) {
		return nil, nil
	}
	var memo *store.Memo
	err := r.session.query(ctx, func(row row) error {
		var m store.Memo
		var expires int64
		if err := row.Scan(&m.Fingerprint, &m.Answer, &expires); err != nil {
			return err
		}
		m.Expires = fromMicros(expires)
		m.Fingerprint, m.Answer = orNil(m.Fingerprint), orNil(m.Answer)
		memo = &m
		return nil
	}, selectMemo, key, micros(r.now()))
	if err != nil {
		return nil, fmt.Errorf("recall: %w", err)
	}
	return memo, nil
}

// many returns the records of an answer; expect is how many there may be, 0
// when that is not known.
func (r reader) many(ctx context.Context, expect int, text string, args ...any) ([]*store.Record, error) {
	records := make([]*store.Record, 0, min(max(expect, 0), 1000))
	err := r.session.query(ctx, func(row row) error {
		record, err := scanRecord(row)
		records = append(records, record)
		return err
	}, text, args...)
	if err != nil {
		return nil, err
	}
	return records, nil
}

// changes reads the log beyond a sequence number.
func (r reader) changes(ctx context.Context, after int64, atMost int) ([]store.Change, error) {
	var changes []store.Change
	err := r.session.query(ctx, func(row row) error {
		var c store.Change
		var op, pk, instance, kind int64
		c.Record = &store.Record{}
		if err := row.Scan(&c.Seq, &op, &pk, &instance, &kind, &c.Record.ID, &c.Record.Version); err != nil {
			return err
		}
		c.Op = store.Op(op)
		c.Record.PK, c.Record.Instance, c.Record.Kind = store.PK(pk), store.PK(instance), domain.Kind(kind)
		changes = append(changes, c)
		return nil
	}, listChanges, after, limit(atMost))
	if err != nil {
		return nil, fmt.Errorf("read the change log beyond %d: %w", after, err)
	}
	return changes, nil
}

// limit is n as an argument of LIMIT, where 0 means all.
func limit(n int) int64 {
	if n <= 0 {
		return math.MaxInt64
	}
	return int64(n)
}

// number returns the one number that a statement answers.
func number(ctx context.Context, s session, text string, args ...any) (int64, error) {
	var n int64
	err := s.query(ctx, func(row row) error { return row.Scan(&n) }, text, args...)
	return n, err
}

func scanRecord(row row) (*store.Record, error) {
	var r store.Record
	var pk, instance, kind, created, modified int64
	var tags string
	err := row.Scan(&pk, &instance, &kind, &r.ID, &r.Name, &r.NameKey, &r.Version, &created, &modified, &tags, &r.Doc)
	if err != nil {
		return nil, err
	}
	r.PK, r.Instance, r.Kind = store.PK(pk), store.PK(instance), domain.Kind(kind)
	r.Created, r.Modified = fromMicros(created), fromMicros(modified)
	r.Doc = orNil(r.Doc)
	if tags != "" {
		if err := json.Unmarshal([]byte(tags), &r.Tags); err != nil {
			return nil, fmt.Errorf("tags of record %d: %w", pk, err)
		}
	}
	return &r, nil
}

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }
