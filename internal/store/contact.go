package store

import (
	"context"
	"time"
)

// Contact is one contact as it is kept. Unlike configuration it has no name, no
// references that the database enforces, and no tags to search by; there are
// many, each is written often while it lives, and never after its record has
// aged out. So contacts have a table of their own, in the order of their ids,
// which is that of their beginning (domain.NewID).
type Contact struct {
	Instance PK
	// ID is unique in the whole store.
	ID string
	// InitialID is the first contact of the chain, the contact's own id when it
	// is the first.
	InitialID string
	// PreviousID and RelatedID are "" for none. AssociationID is the root of the
	// tree that RelatedIDs make, the contact's own id when it is the root.
	PreviousID, RelatedID, AssociationID string
	// Live is true until the contact has ended and nothing more will happen by
	// itself.
	Live bool
	// The times that a search may go by; zero for what has not happened, which
	// Initiated always has. Connected is when an agent joined. UTC, microseconds.
	Initiated, Scheduled, Enqueued, Connected, Disconnected time.Time
	// Version grows by one with each Put.
	Version int64
	// Doc is what can be told of the contact, State what its owner needs to go
	// on after a restart: nil when nothing is left to do. Both are JSON, UTF-8
	// without NUL characters.
	Doc, State []byte
}

// ContactTime is a time by which contacts are searched.
type ContactTime uint8

// The times of a contact.
const (
	Initiated ContactTime = iota
	Scheduled
	Enqueued
	Connected
	Disconnected
)

// ContactQuery selects contacts of an instance: by one of Initial, Previous,
// Related and Association, the answer being in the order of ids, or else by Time,
// in the order of that and then of ids.
type ContactQuery struct {
	Instance PK
	// From and To bound the Time, From included, To not; zero: unbounded. A
	// contact to which the Time has not happened is not selected.
	Time     ContactTime
	From, To time.Time
	// Members of the chain that begins with Initial, contacts that follow
	// Previous, contacts related to Related, the tree of Association; "" for any.
	Initial, Previous, Related, Association string
	// After is the id of a contact; only contacts beyond it, in the order of the
	// answer. By Time it must be of a contact that still exists, and to which the
	// Time has happened (else a ResourceNotFoundException).
	After string
	// Descending has the newest first.
	Descending bool
	Limit      int // at most so many; 0 means all
	// WithState reads State as well.
	WithState bool
}

// Stream is a kind of Entry. The numbers are stored.
type Stream uint8

// The streams.
const (
	StreamEvents  Stream = 1 // contact events, for the outbox; Owner is the contact
	StreamRecords Stream = 2 // contact records, for the outbox; Owner is the contact
	StreamFlowLog Stream = 3 // what flows did; Owner is the contact
	StreamChat    Stream = 4 // transcripts; Owner is the contact
)

// Entry is one thing that happened, in a stream that only grows at its end. Of
// events and records those of the last 30 days are kept, of the other streams
// those of the last 24 months.
type Entry struct {
	// Seq orders all entries of the store; later ones have greater numbers, with
	// gaps. Append fills it in; it holds once the transaction is committed.
	Seq      int64
	Stream   Stream
	Instance PK
	Owner    string
	// ID is unique in its stream, for receivers to know a repeated one by.
	ID  string
	At  time.Time // UTC, microseconds
	Doc []byte    // JSON, UTF-8 without NUL characters
}

// EntryQuery selects a run of entries of one stream.
type EntryQuery struct {
	Stream Stream
	// Owner "" means all owners, in all instances.
	Instance PK
	Owner    string
	// After and Before bound Seq, neither included; 0 for no bound.
	After, Before int64
	Descending    bool // the newest first
	Limit         int  // at most so many; 0 means all
}

// ContactReader reads contacts and entries. An unknown contact is a
// ResourceNotFoundException.
type ContactReader interface {
	// Contact reads one contact, State included.
	Contact(ctx context.Context, instance PK, id string) (*Contact, error)
	// Contacts returns a run of contacts, without State unless it is asked for.
	Contacts(ctx context.Context, q ContactQuery) ([]*Contact, error)
	// LiveContacts returns the contacts of all instances that live, with State,
	// beyond an id, at most limit (0 means all).
	LiveContacts(ctx context.Context, after string, limit int) ([]*Contact, error)
	// Attributes returns the attributes of the chain that begins with a contact,
	// a JSON object; nil when none were ever put.
	Attributes(ctx context.Context, instance PK, initialID string) ([]byte, error)
	// Entries returns a run of entries. One of all owners stops before the first
	// entry that may yet be preceded by another, so whoever goes on after the
	// greatest Seq that it has seen misses none. On a database that several
	// servers write to only Store.Entries moves that end, and it may wait for the
	// updates that are being committed; in a View or an Update the end is where
	// Store.Entries last found it.
	Entries(ctx context.Context, q EntryQuery) ([]*Entry, error)
	// Cursor is what SetCursor last set, 0 at first.
	Cursor(ctx context.Context, name string) (int64, error)
}

// ContactUpdater writes what the owners of contacts write all the time.
type ContactUpdater interface {
	// UpdateContacts is Update for those who read nothing before they write: the
	// version of a contact is check enough, so there is no race to lose. On a
	// database whose updates run side by side it costs half of Update, because
	// hardly any has to run again; fn must be able to all the same.
	UpdateContacts(ctx context.Context, fn func(ContactTx) error) error
}

// ContactTx writes contacts and entries.
type ContactTx interface {
	// PutContact inserts a contact, or replaces all of it but Instance and ID,
	// and fills in Version. A Version that is not the stored one (0 for a new
	// contact) is a ResourceConflictException: somebody else owns the contact, or
	// it is gone. That alone does not lose the transaction: nothing was written.
	// Unless the update is kept, Version is in the end what it was before, so
	// that fn may run again with the same contact.
	PutContact(ctx context.Context, c *Contact) error
	// PutAttributes replaces the attributes of a chain.
	PutAttributes(ctx context.Context, instance PK, initialID string, doc []byte) error
	// Append adds entries in their order and fills in Seq. An entry of an unknown
	// instance is a ResourceNotFoundException.
	Append(ctx context.Context, entries ...*Entry) error
	// SetCursor remembers how far a reader of a stream has come.
	SetCursor(ctx context.Context, name string, seq int64) error
	// Lease gives name to holder until a time, if it is free, over, or holder's
	// already, and reports whether holder has it. An until that is past frees it,
	// by the clock that the store was opened with.
	Lease(ctx context.Context, name, holder string, until time.Time) (bool, error)
}
