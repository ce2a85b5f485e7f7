package directory

import (
	"context"
	"errors"
	"log/slog"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// Directories know the people of instances that have an existing directory.
type Directories interface {
	// Find returns the entry of a user name, nil when there is none. The error is
	// ErrNotConfigured where nobody has said how to reach the directory, else why
	// it cannot be asked.
	Find(ctx context.Context, directoryID, username string) (*DirectoryEntry, error)
}

// DirectoryEntry is what a directory says of somebody; all but the ID may be
// empty.
type DirectoryEntry struct {
	ID                         string // which stays when somebody is renamed
	FirstName, LastName, Email string
}

// ErrNotConfigured says that nothing is known of a directory but its id.
var ErrNotConfigured = errors.New("the directory is not configured")

// findInDirectory completes a new user of an instance with an existing directory
// by the entry that the directory has of it. A user with a DirectoryUserId is
// taken as it is: "If you include the identifier, we assume that Amazon Connect
// cannot access the directory. Otherwise, the identity information is used to
// authenticate users from your directory" (AWS API reference, CreateUser).
func (d *Directory) findInDirectory(ctx context.Context, sc catalog.Scope, e *domain.User) error {
	if sc.Identity != domain.ExistingDirectory || e.DirectoryUserID != "" || d.directories == nil {
		return nil
	}
	entry, err := d.directories.Find(ctx, sc.DirectoryID, e.Username)
	switch {
	case errors.Is(err, ErrNotConfigured):
		return nil
	case err != nil:
		// The client is told what to do, the operator why.
		d.catalog.Logger().LogAttrs(ctx, slog.LevelWarn, "a directory cannot be asked for a user",
			slog.String("instance", string(sc.ID)), slog.String("directory", sc.DirectoryID), slog.Any("err", err))
		return fault.New(fault.InvalidRequest, "DirectoryUserId is required while the directory %s cannot be asked for it", sc.DirectoryID)
	case entry == nil:
		return fault.New(fault.InvalidRequest, "Username is unknown to the directory %s: give the name that the user has there", sc.DirectoryID)
	}
	e.DirectoryUserID = entry.ID
	e.IdentityInfo = e.IdentityInfo.Completed(entry.FirstName, entry.LastName, entry.Email)
	return nil
}
