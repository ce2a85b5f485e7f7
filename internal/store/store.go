// Package store declares how the configuration of a contact centre is kept:
// one core for every kind of resource, with integer keys, references that the
// database itself enforces, tags, and a log of changes; and its contacts, with
// what happens to them (contact.go). internal/store/sqlstore
// keeps it in SQLite or PostgreSQL; internal/store/storetest is the one suite
// that both must pass.
//
// Invariants:
//   - what Update has acknowledged survives a kill -9;
//   - a reference never dangles: inserting one to a missing record fails, and
//     so does deleting a record that another one refers to;
//   - Version grows by one with each change of a record, so whoever sees two
//     versions of it knows which is newer.
package store

import (
	"context"
	"time"

	"ringdown/internal/domain"
)

// PK is the key of a record, unique in the whole store and never reused.
type PK int64

// Root is the parent of the records that belong to no instance. It always
// exists.
const Root PK = 0

// Record is one resource as it is kept.
type Record struct {
	PK       PK
	Instance PK // the record of the instance it belongs to, or Root
	Kind     domain.Kind
	// ID is the public id, unique for its instance and kind, and ordered: a
	// record made later has a greater ID (domain.NewID).
	ID string
	// Name is what lists show.
	Name string
	// NameKey is unique for its instance and kind; empty means that the name
	// need not be unique.
	NameKey string
	// Doc is the entity, encoded by its owner (JSON). Nil in a record that was
	// listed with HeadersOnly.
	Doc []byte
	// Entity is what Doc encodes, carried along to the Observer so that it need
	// not decode what its process has just encoded. It is not stored: a record
	// that was read has none. Nobody changes it after the write.
	Entity   any
	Tags     map[string]string
	Version  int64
	Created  time.Time // UTC, microseconds
	Modified time.Time
}

// Role says what a reference means: "routing-profile", "parent".
type Role string

// Ref is a reference from the record at hand to another.
type Ref struct {
	Role Role
	To   PK
}

// ListQuery selects a run of records of one kind in one instance, in the order
// of their IDs.
type ListQuery struct {
	Instance    PK
	Kind        domain.Kind
	After       string // an ID; only records beyond it
	Limit       int    // at most so many; 0 means all
	HeadersOnly bool   // leave Doc nil
}

// Reader reads records. An unknown record is a ResourceNotFoundException.
type Reader interface {
	ContactReader
	// Get finds a record by its public id.
	Get(ctx context.Context, instance PK, kind domain.Kind, id string) (*Record, error)
	// GetByName finds a record by its NameKey.
	GetByName(ctx context.Context, instance PK, kind domain.Kind, nameKey string) (*Record, error)
	// GetByPK returns the records of the keys in the order of pks; a key
	// without a record is left out.
	GetByPK(ctx context.Context, pks ...PK) ([]*Record, error)
	// Resolve returns the key of each public id; a missing one is a
	// ResourceNotFoundException that names it.
	Resolve(ctx context.Context, instance PK, kind domain.Kind, ids ...string) ([]PK, error)
	// List returns a run of records.
	List(ctx context.Context, q ListQuery) ([]*Record, error)
	// Count counts the records of a kind in an instance.
	Count(ctx context.Context, instance PK, kind domain.Kind) (int, error)
	// CountReferrers counts the records that refer to a record in a role.
	CountReferrers(ctx context.Context, to PK, role Role) (int, error)
	// Referrers lists the records that refer to a record in a role, by PK
	// beyond after, at most limit (0 means all).
	Referrers(ctx context.Context, to PK, role Role, after PK, limit int) ([]*Record, error)
	// Recall returns what Remember kept under key: a nil Memo when there is
	// nothing, or its time is over.
	Recall(ctx context.Context, key string) (*Memo, error)
}

// Tx reads and writes within one transaction, on one goroutine at a time. When
// a statement fails, the transaction is lost: what follows answers with the same
// error, and so does Store.Update even if fn returns nil. That a record does not
// exist is an answer and no failure.
type Tx interface {
	Reader
	ContactTx
	// Insert adds a record and its references. It fills in PK, Version (1) and,
	// when they are zero, Created and Modified. A taken ID or NameKey is a
	// DuplicateResourceException, a reference to a missing record a
	// ResourceNotFoundException.
	Insert(ctx context.Context, r *Record, refs []Ref) error
	// Update replaces Name, NameKey, Doc and Tags of the record with r's PK,
	// raises Version and sets Modified, both filled in on r. Refs nil leaves
	// the references as they are, otherwise they are replaced.
	Update(ctx context.Context, r *Record, refs []Ref) error
	// Delete removes a record with its references; a record that another one
	// refers to is a ResourceInUseException. Deleting an instance removes all
	// that belongs to it.
	Delete(ctx context.Context, r *Record) error
	// Remember keeps m under key until m.Expires, in place of what was there.
	Remember(ctx context.Context, key string, m Memo) error
	// Forget drops what Remember kept under key, and reports whether there was
	// something that Recall would have returned.
	Forget(ctx context.Context, key string) (bool, error)
}

// Memo is what is remembered for a while and then of no use: the answer to a
// request that carried a client token, a browser's session, a link that has been
// used.
type Memo struct {
	Fingerprint []byte // of what Answer answers
	Answer      []byte
	Expires     time.Time
	// Owner is the record that the memo is forgotten with; Root for none.
	// Recall leaves it zero.
	Owner PK
}

// Store keeps records. It is safe for concurrent use.
type Store interface {
	Reader // each call by itself
	ContactUpdater
	// View runs fn on one consistent state of the store.
	View(ctx context.Context, fn func(Reader) error) error
	// Update runs fn in a transaction and returns once its outcome is durable.
	// An error of fn, returned as it is, undoes what fn did. Fn may run more
	// than once (a lost race is run again), so it must not touch anything but
	// tx and its own variables, which it sets afresh. Concurrent updates share
	// commits.
	Update(ctx context.Context, fn func(Tx) error) error
	// Changes returns the log beyond a sequence number, oldest first.
	Changes(ctx context.Context, after int64, limit int) ([]Change, error)
	// Close waits for what runs and frees the store; it may be called twice.
	Close() error
}

// Op is what happened to a record.
type Op uint8

// Put is an insert or an update, Delete a removal. Removing an instance is one
// change, that of the instance.
const (
	Put    Op = 1
	Delete Op = 2
)

// Change is an entry of the change log.
type Change struct {
	Seq int64
	Op  Op
	// Record is the record after the change; of a deleted one only PK,
	// Instance, Kind, ID and Version (one beyond its last) are set. A change
	// read from the log carries no more than these either.
	Record *Record
}

// Observer is told of changes after they are durable and before Update
// returns. Calls come one at a time. With several servers on one database a
// change may be seen twice and changes of different records out of order, but
// Version tells the newest. It may read the store but must not call Update,
// which would wait for it.
type Observer func([]Change)
