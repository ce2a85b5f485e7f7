package sqlstore

import (
	"context"
	"errors"
	"time"

	"ringdown/internal/store"
)

var errNotYet = errors.New("contacts are not kept yet")

func (r reader) Contact(context.Context, store.PK, string) (*store.Contact, error) {
	return nil, errNotYet
}
func (r reader) Contacts(context.Context, store.ContactQuery) ([]*store.Contact, error) {
	return nil, errNotYet
}
func (r reader) LiveContacts(context.Context, string, int) ([]*store.Contact, error) { return nil, nil }
func (r reader) Attributes(context.Context, store.PK, string) ([]byte, error) {
	return nil, errNotYet
}
func (r reader) Entries(context.Context, store.EntryQuery) ([]*store.Entry, error) { return nil, nil }
func (r reader) Cursor(context.Context, string) (int64, error)                    { return 0, nil }

func (t *tx) PutContact(context.Context, *store.Contact) error                { return errNotYet }
func (t *tx) PutAttributes(context.Context, store.PK, string, []byte) error   { return errNotYet }
func (t *tx) Append(context.Context, ...*store.Entry) error                   { return errNotYet }
func (t *tx) SetCursor(context.Context, string, int64) error                  { return errNotYet }
func (t *tx) Lease(context.Context, string, string, time.Time) (bool, error) { return false, errNotYet }
