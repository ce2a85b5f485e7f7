package server

import (
	"context"

	"ringdown/internal/app/directory"
	"ringdown/internal/identity/ldap"
)

// userDirectories are the directories of the configuration, by DirectoryId, as
// CreateUser asks them.
type userDirectories map[string]*ldap.Directory

func (u userDirectories) Find(ctx context.Context, directoryID, username string) (*directory.DirectoryEntry, error) {
	d := u[directoryID]
	if d == nil {
		return nil, directory.ErrNotConfigured
	}
	e, err := d.Find(ctx, username)
	if err != nil || e == nil {
		return nil, err
	}
	return &directory.DirectoryEntry{ID: e.ID, FirstName: e.FirstName, LastName: e.LastName, Email: e.Email}, nil
}
