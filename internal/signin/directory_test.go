package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"ringdown/internal/audit"
	"ringdown/internal/identity/ldap"
)

// office is a directory in memory.
type office struct {
	entries map[string]string // name to password
	ids     map[string]string
	err     error
	asked   []string

	disabled string
	checked  []string
	asking   func() // what happens while it is asked
}

func (o *office) Check(ctx context.Context, username string) (*ldap.Entry, error) {
	o.checked = append(o.checked, username)
	if o.asking != nil {
		o.asking()
	}
	_, ok := o.entries[username]
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: %w", ldap.ErrDown, ctx.Err())
	case o.err != nil:
		return nil, o.err
	case !ok:
		return nil, ldap.ErrRefused
	case o.disabled == username:
		return nil, ldap.ErrDisabled
	}
	return &ldap.Entry{ID: o.ids[username], Username: username}, nil
}

func (o *office) SignIn(ctx context.Context, username, password string) (*ldap.Entry, error) {
	o.asked = append(o.asked, username)
	switch want, ok := o.entries[username]; {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: %w", ldap.ErrDown, ctx.Err())
	case o.err != nil:
		return nil, o.err
	case !ok || want != password || password == "":
		return nil, ldap.ErrRefused
	}
	return &ldap.Entry{ID: o.ids[username], Username: username}, nil
}

func TestDirectory(t *testing.T) {
	const guid = "6f9619ff-8b86-d011-b42d-00c04fc964ff"
	w := newWorld(t)
	d := &office{entries: map[string]string{}, ids: map[string]string{}}
	w.directories[w.directory.DirectoryID] = d
	for _, name := range []string{"ana", "linked", "guid", "renamed", "gone", "stranger"} {
		d.entries[name], d.ids[name] = "secret", name+"-id"
	}
	d.ids["guid"] = guid
	w.user(t, w.directory, "ana")
	w.user(t, w.directory, "own", func(u *User) { u.DirectoryUserID = u.ID })
	d.entries["own"], d.ids["own"] = "secret", "some-id"
	w.user(t, w.directory, "linked", func(u *User) { u.DirectoryUserID = "linked-id" })
	w.user(t, w.directory, "guid", func(u *User) { u.DirectoryUserID = strings.ToUpper(guid) })
	w.user(t, w.directory, "renamed", func(u *User) { u.DirectoryUserID = "Renamed-id" })
	w.user(t, w.directory, "gone", func(u *User) { u.Inactive = true })
	w.user(t, w.directory, "lost")
	w.user(t, w.directory, strings.Repeat("x", 101))

	for _, c := range []struct {
		username, password string
		want               Reason // empty: let in
		logged, reason     string
	}{
		{"ana", "secret", "", "ana", ""},
		{"own", "secret", "", "own", ""},
		{"linked", "secret", "", "linked", ""},
		{"guid", "secret", "", "guid", ""},
		{"renamed", "secret", WrongCredentials, "renamed", "not the one of the user's DirectoryUserId"},
		{"ana", "wrong", WrongCredentials, "ana", "knows no such name and password"},
		{"ana", "", WrongCredentials, "ana", "knows no such name and password"},
		{"gone", "secret", WrongCredentials, "gone", "deactivated"},
		{"lost", "secret", WrongCredentials, "lost", "knows no such name and password"},
		{"stranger", "secret", WrongCredentials, "", "no user of the instance"},
		{"nobody", "secret", WrongCredentials, "", "knows no such name and password"},
		{strings.Repeat("x", 101), "secret", WrongCredentials, "", "knows no such name"},
		{"ana", strings.Repeat("x", 257), WrongCredentials, "", "knows no such name"},
	} {
		t.Run(c.username[:min(8, len(c.username))]+"/"+c.reason, func(t *testing.T) {
			before := len(d.asked)
			o, err := w.SignIn(t.Context(), w.directory, here, c.username, c.password)
			outcome := audit.OK
			if c.want != "" {
				outcome = audit.Refused
				wantRefusal(t, err, c.want)
			} else if err != nil {
				t.Fatal(err)
			} else if s := w.wantSession(t, o.Token, true); s.Door != ByDirectory || s.User.Username != c.username {
				t.Errorf("session %+v", s)
			}
			w.wantLast(t, audit.SignIn, outcome, ByDirectory, c.logged, c.reason)
			if len(d.asked) != before+1 {
				t.Error("the directory was not asked: that can be told by time")
			}
		})
	}
	w.wantSecret(t, "secret", "stranger", "nobody")

	// What disables an entry looks to its owner like a wrong password.
	d.err = ldap.ErrDisabled
	_, err := w.SignIn(t.Context(), w.directory, here, "linked", "secret")
	wantRefusal(t, err, WrongCredentials)
	w.wantLast(t, audit.SignIn, audit.Refused, ByDirectory, "linked", "disabled")
}

// TestDirectoryDown: nobody is let in, and nobody's tries are used up.
func TestDirectoryDown(t *testing.T) {
	w := newWorld(t)
	d := &office{entries: map[string]string{"ana": "secret"}, err: fmt.Errorf("%w: connection refused", ldap.ErrDown)}
	w.directories[w.directory.DirectoryID] = d
	w.user(t, w.directory, "ana")
	for range 2 * addressBurst {
		_, err := w.SignIn(t.Context(), w.directory, here, "ana", "secret")
		wantRefusal(t, err, DirectoryDown)
	}
	w.wantLast(t, audit.SignIn, audit.Failed, ByDirectory, "ana", "cannot be reached")
	if !strings.Contains(w.log.text(), "connection refused") {
		t.Error("the operator is not told")
	}
	d.err = nil
	// Who goes before the answer is there has been counted all the same.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range freeTries {
		if l, err := w.lookDirectory(ctx, d, w.directory, "ana", "wrong"); err != nil || l.verdict != wrong {
			t.Errorf("a guess whose client has gone: %+v, %v", l, err)
		}
	}
	w.open(t, w.directory, "ana", "secret")
}

// TestNoDirectory: the operator is told what is missing, once a minute.
func TestNoDirectory(t *testing.T) {
	w := newWorld(t)
	w.user(t, w.directory, "ana")
	for range 3 {
		_, err := w.SignIn(t.Context(), w.directory, here, "ana", "secret")
		wantRefusal(t, err, OtherDoor)
	}
	if n := strings.Count(w.log.text(), "directory=d-0123456789"); n != 1 {
		t.Errorf("the operator is told %d times", n)
	}
	w.wantLast(t, audit.SignIn, audit.Failed, ByDirectory, "", "not configured")
}

// TestStoreFails: what is internal is no refusal, and no try.
func TestStoreFails(t *testing.T) {
	w := newWorld(t)
	w.user(t, w.managed, "ana", w.hashed(t, password))
	o := w.open(t, w.managed, "ana", password)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 * freeTries {
		_, err := w.SignIn(t.Context(), w.managed, here, "ana", password)
		if _, refused := errors.AsType[*Refusal](err); err == nil || refused {
			t.Fatalf("without a store: %v", err)
		}
	}
	if _, err := w.Session(t.Context(), here, o.Token); err == nil || errors.Is(err, ErrNoSession) {
		t.Errorf("without a store: %v", err)
	}
}
