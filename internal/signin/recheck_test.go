package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/identity/ldap"
)

// newOffice is a world whose directory has ana and bob, and says what check does.
func newOffice(t *testing.T, change ...func(*Options)) (*world, *office) {
	t.Helper()
	w := newWorld(t, change...)
	d := &office{entries: map[string]string{"ana": "secret", "bob": "secret"}, ids: map[string]string{"ana": "ana-id", "bob": "bob-id"}}
	w.directories[w.directory.DirectoryID] = d
	w.user(t, w.directory, "ana", func(u *User) { u.DirectoryUserID = "ana-id" })
	w.user(t, w.directory, "bob")
	return w, d
}

// TestRecheck: whoever is gone from the directory, or disabled there, is signed
// out when the session is next used, and no sooner than the directory is to be
// asked.
func TestRecheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(d *office)
		why    string
	}{
		{"gone", func(d *office) { delete(d.entries, "ana") }, "no longer has the user"},
		{"disabled", func(d *office) { d.disabled = "ana" }, "has disabled the user"},
		{"another entry of the name", func(d *office) { d.ids["ana"] = "another-id" }, "no longer the one of the user's DirectoryUserId"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, d := newOffice(t)
			o := w.open(t, w.directory, "ana", "secret")
			other := w.open(t, w.directory, "bob", "secret")
			// As long as nothing changes, the directory is asked every quarter of an hour.
			for range 3 {
				w.clock.add(DefaultRecheck - time.Second)
				w.wantSession(t, o.Token, true)
				w.clock.add(time.Second)
				for range 3 {
					w.wantSession(t, o.Token, true)
				}
			}
			if len(d.checked) != 3 {
				t.Errorf("the directory was asked %d times", len(d.checked))
			}
			c.change(d)
			w.clock.add(DefaultRecheck - time.Second)
			w.wantSession(t, o.Token, true)
			w.clock.add(time.Second)
			w.wantSession(t, o.Token, false)
			w.wantLast(t, audit.SessionEnd, audit.Refused, ByDirectory, "ana", c.why)
			w.wantSession(t, other.Token, true)
			// It is over for good.
			*d = office{entries: map[string]string{"ana": "secret", "bob": "secret"}, ids: map[string]string{"ana": "ana-id"}}
			w.wantSession(t, o.Token, false)
			w.open(t, w.directory, "ana", "secret")
		})
	}
}

// TestRecheckDown: while the directory cannot be asked whoever is in stays in, to
// the end of the session, and the operator is told once.
func TestRecheckDown(t *testing.T) {
	w, d := newOffice(t)
	o := w.open(t, w.directory, "ana", "secret")
	d.err = fmt.Errorf("%w: connection refused", ldap.ErrDown)
	w.clock.add(DefaultRecheck)
	for range 5 {
		w.wantSession(t, o.Token, true)
	}
	if len(d.checked) != 1 {
		t.Errorf("a directory that is down is asked %d times within a minute", len(d.checked))
	}
	w.clock.add(downFor)
	w.wantSession(t, o.Token, true)
	if len(d.checked) != 2 {
		t.Errorf("after a minute it has been asked %d times", len(d.checked))
	}
	if n := strings.Count(w.log.text(), "connection refused"); n != 1 {
		t.Errorf("the operator is told %d times", n)
	}
	d.err = nil
	w.clock.add(downFor)
	w.wantSession(t, o.Token, true)
	d.err = fmt.Errorf("%w: connection refused", ldap.ErrDown)
	w.clock.add(DefaultRecheck)
	w.wantSession(t, o.Token, true)
	if n := strings.Count(w.log.text(), "connection refused"); n != 2 {
		t.Errorf("of the second time it is down the operator is told %d times", n-1)
	}
	// Several entries of the name say nothing of the directory.
	d.err = fmt.Errorf("%w: %w", ldap.ErrDown, ldap.ErrAmbiguous)
	w.clock.add(downFor)
	w.wantSession(t, o.Token, true)
	// Who goes away while it is asked has learnt nothing, nor has anybody else.
	d.err = nil
	delete(d.entries, "ana")
	w.clock.add(DefaultRecheck)
	ctx, cancel := context.WithCancel(t.Context())
	d.asking = cancel
	if _, err := w.Session(ctx, here, o.Token); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that has gone: %v", err)
	}
	d.asking = nil
	w.wantSession(t, o.Token, false)
}

// TestRecheckOf tells which sessions the directory is asked about, and when.
func TestRecheckOf(t *testing.T) {
	w, d := newOffice(t, func(o *Options) { o.Recheck = map[string]time.Duration{"d-0123456789": time.Minute} })
	o := w.open(t, w.directory, "ana", "secret")
	w.clock.add(time.Minute)
	w.wantSession(t, o.Token, true)
	if len(d.checked) != 1 {
		t.Errorf("after a minute it has been asked %d times", len(d.checked))
	}
	w.clock.add(-time.Hour) // a clock is put back
	w.wantSession(t, o.Token, true)
	if len(d.checked) != 2 {
		t.Errorf("after the clock was put back it has been asked %d times", len(d.checked))
	}
	delete(w.directories, w.directory.DirectoryID) // the configuration has it no more
	w.clock.add(2 * time.Hour)
	w.wantSession(t, o.Token, true)

	w, d = newOffice(t, func(o *Options) { o.Recheck = map[string]time.Duration{"d-0123456789": -1} })
	o = w.open(t, w.directory, "ana", "secret")
	w.user(t, w.managed, "eve", w.hashed(t, password))
	managed := w.open(t, w.managed, "eve", password)
	delete(d.entries, "ana")
	w.clock.add(11 * time.Hour)
	w.wantSession(t, o.Token, true)
	w.wantSession(t, managed.Token, true)
	if len(d.checked) != 0 {
		t.Error("it is asked all the same")
	}
}

// TestRecheckAtOnce: of many uses of a session at the same time one asks.
func TestRecheckAtOnce(t *testing.T) {
	w, d := newOffice(t)
	o := w.open(t, w.directory, "ana", "secret")
	w.clock.add(DefaultRecheck)
	d.asking = func() { // while the directory answers
		d.asking = func() { t.Error("two ask at once") }
		w.wantSession(t, o.Token, true)
	}
	w.wantSession(t, o.Token, true)
	if len(d.checked) != 1 {
		t.Errorf("it was asked %d times", len(d.checked))
	}
}

// TestGone: a user that is deleted or deactivated loses all sessions, whatever
// door they were opened by, and has none of them back when it returns. Of tokens
// TestTokensEndWithTheUser tells.
func TestGone(t *testing.T) {
	for _, gone := range []struct {
		name string
		do   func(t *testing.T, w *world, in *Instance, u *User)
		back func(w *world, in *Instance, u *User) // nil: never
	}{
		{
			name: "deleted",
			do:   func(t *testing.T, w *world, in *Instance, u *User) { w.delete(t, in, u) },
		},
		{
			name: "deactivated",
			do: func(_ *testing.T, w *world, in *Instance, u *User) {
				w.people.change(in, u.ID, func(u *User) { u.Inactive, u.Deactivations = true, u.Deactivations+1 })
			},
			back: func(w *world, in *Instance, u *User) {
				w.people.change(in, u.ID, func(u *User) { u.Inactive = false })
			},
		},
	} {
		for door, place := range map[Door]func(*world) *Instance{
			ByPassword:   func(w *world) *Instance { return w.managed },
			ByDirectory:  func(w *world) *Instance { return w.directory },
			BySAML:       func(w *world) *Instance { return w.saml },
			ByOIDC:       func(w *world) *Instance { return w.saml },
			ByFederation: func(w *world) *Instance { return w.saml },
		} {
			t.Run(gone.name+"/"+string(door), func(t *testing.T) {
				w := newWorld(t)
				in := place(w)
				u := w.user(t, in, "ana")
				o, err := w.openSession(t.Context(), in, u, door, w.people.profiles[in.ID])
				if err != nil {
					t.Fatal(err)
				}
				w.wantSession(t, o.Token, true)
				gone.do(t, w, in, u)
				if gone.back != nil {
					gone.back(w, in, u) // before the session has been used
				} else {
					w.wantSession(t, o.Token, false)
				}
				w.wantSession(t, o.Token, false)
			})
		}
	}
}
