package directory

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// entries is a directory d-1 by user name; an entry without an id cannot be
// asked for.
type entries map[string]DirectoryEntry

var errUnreachable = errors.New("nobody answers at 192.0.2.1")

func (e entries) Find(_ context.Context, directoryID, username string) (*DirectoryEntry, error) {
	found, ok := e[username]
	switch {
	case directoryID != "d-1":
		return nil, ErrNotConfigured
	case !ok:
		return nil, nil
	case found.ID == "":
		return nil, errUnreachable
	default:
		return &found, nil
	}
}

func TestFindInDirectory(t *testing.T) {
	var log bytes.Buffer
	c := catalog.New(catalog.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	d := New(c, nil, entries{"mary": {ID: "m-1", FirstName: "Mary", LastName: "Major", Email: "mary@example.org"}, "down": {}})
	without := New(catalog.New(catalog.Options{}), nil, nil)
	existing := catalog.Scope{ID: "i-1", Identity: domain.ExistingDirectory, DirectoryID: "d-1"}
	for what, u := range map[string]struct {
		in   *Directory
		sc   catalog.Scope
		user domain.User
		id   string
		info *domain.IdentityInfo
		says string // of the fault, empty for none
	}{
		"found":                         {d, existing, domain.User{Username: "mary"}, "m-1", &domain.IdentityInfo{FirstName: "Mary", LastName: "Major", Email: "mary@example.org"}, ""},
		"some said":                     {d, existing, domain.User{Username: "mary", IdentityInfo: &domain.IdentityInfo{FirstName: "M"}}, "m-1", &domain.IdentityInfo{FirstName: "M", LastName: "Major", Email: "mary@example.org"}, ""},
		"given":                         {d, existing, domain.User{Username: "mary", DirectoryUserID: "x"}, "x", nil, ""},
		"given and not to be asked for": {d, existing, domain.User{Username: "down", DirectoryUserID: "x"}, "x", nil, ""},
		"unknown":                       {d, existing, domain.User{Username: "Mary"}, "", nil, "Username"},
		"not to be asked for":           {d, existing, domain.User{Username: "down"}, "", nil, "DirectoryUserId"},
		"another directory":             {d, catalog.Scope{Identity: domain.ExistingDirectory, DirectoryID: "d-2"}, domain.User{Username: "mary"}, "", nil, ""},
		"no directories":                {without, existing, domain.User{Username: "mary"}, "", nil, ""},
		"SAML":                          {d, catalog.Scope{Identity: domain.SAML}, domain.User{Username: "mary"}, "", nil, ""},
		"managed":                       {d, catalog.Scope{Identity: domain.ConnectManaged}, domain.User{Username: "down"}, "", nil, ""},
	} {
		t.Run(what, func(t *testing.T) {
			log.Reset()
			err := u.in.findInDirectory(t.Context(), u.sc, &u.user)
			if u.says == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
			} else if !fault.Is(err, fault.InvalidRequest) || !strings.Contains(fault.From(err).Message, u.says) || strings.Contains(fault.From(err).Message, "192.0.2.1") {
				t.Errorf("got %v, want an InvalidRequestException that names %s and no address", err, u.says)
			}
			if logged := strings.Contains(log.String(), errUnreachable.Error()); logged != (u.says == "DirectoryUserId") {
				t.Errorf("logged %q", log.String())
			}
			if u.user.DirectoryUserID != u.id {
				t.Errorf("the id is %q, want %q", u.user.DirectoryUserID, u.id)
			}
			switch got := u.user.IdentityInfo; {
			case (got == nil) != (u.info == nil), got != nil && *got != *u.info:
				t.Errorf("the user is %+v, want %+v", got, u.info)
			}
		})
	}
}
