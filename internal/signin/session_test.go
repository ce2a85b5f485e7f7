package signin

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
)

func TestSession(t *testing.T) {
	w := newWorld(t)
	u := w.user(t, w.managed, "ana", w.hashed(t, password))
	o := w.open(t, w.managed, "ana", password)
	if o.MustChange != "" || o.User.ID != u.ID || !o.Expires.Equal(w.clock.now().Add(12*time.Hour)) {
		t.Fatalf("opened %+v", o)
	}
	w.wantLast(t, audit.SignIn, audit.OK, ByPassword, "ana", "")
	s := w.wantSession(t, o.Token, true)
	if s.User.ID != u.ID || s.Instance.ID != w.managed.ID || s.Door != ByPassword || !s.Began.Equal(w.clock.now()) || !s.Expires.Equal(o.Expires) {
		t.Errorf("session %+v", s)
	}
	for _, bad := range []string{"", "x", o.Token + "x", o.Token[:42] + "x", strings.ToUpper(o.Token), "\x00"} {
		w.wantSession(t, bad, false)
	}
	w.clock.add(12*time.Hour - time.Millisecond)
	w.wantSession(t, o.Token, true)
	w.clock.add(time.Millisecond)
	w.wantSession(t, o.Token, false)
	w.wantSecret(t, o.Token, password)
}

func TestSignOut(t *testing.T) {
	w := newWorld(t)
	w.user(t, w.managed, "ana", w.hashed(t, password))
	one, two := w.open(t, w.managed, "ana", password), w.open(t, w.managed, "ana", password)
	for range 2 { // a second time there is nothing to end
		if err := w.SignOut(t.Context(), here, one.Token); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.SignOut(t.Context(), here, "nonsense"); err != nil {
		t.Fatal(err)
	}
	w.wantSession(t, one.Token, false)
	w.wantSession(t, two.Token, true)
	w.wantLast(t, audit.SignOut, audit.OK, ByPassword, "ana", "")
	if n := strings.Count(w.audit.text(), `"sign-out"`); n != 1 {
		t.Errorf("%d sign-outs in the audit log, want one", n)
	}
}

// TestSessionEnds: what ends a session ends it for good.
func TestSessionEnds(t *testing.T) {
	minutes := int32(15)
	for _, c := range []struct {
		name   string
		do     func(t *testing.T, w *world, u *User)
		undo   func(w *world, u *User)
		during bool // only while it is so
	}{
		{name: "deleted", do: func(t *testing.T, w *world, u *User) { w.delete(t, w.managed, u) }},
		{
			name: "deactivated",
			do: func(_ *testing.T, w *world, u *User) {
				w.people.change(w.managed, u.ID, func(u *User) { u.Inactive = true })
			},
			undo: func(w *world, u *User) { w.people.change(w.managed, u.ID, func(u *User) { u.Inactive = false }) },
		},
		{
			name: "another password",
			do: func(_ *testing.T, w *world, u *User) {
				w.people.change(w.managed, u.ID, func(u *User) { u.PasswordHash = quick })
			},
			undo: func(w *world, u *User) {
				w.people.change(w.managed, u.ID, func(v *User) { v.PasswordHash = u.PasswordHash })
			},
		},
		{
			name: "shorter sessions",
			do: func(_ *testing.T, w *world, _ *User) {
				w.profile(w.managed, func(p *domain.AuthenticationProfile) { p.MaxSessionDuration = 60 })
				w.clock.add(time.Hour)
			},
			undo: func(w *world, _ *User) {
				w.profile(w.managed, func(p *domain.AuthenticationProfile) { p.MaxSessionDuration = 720 })
			},
		},
		{
			name: "unused",
			do: func(_ *testing.T, w *world, _ *User) {
				w.profile(w.managed, func(p *domain.AuthenticationProfile) {
					p.SessionInactivityDuration, p.SessionInactivityHandlingEnabled = &minutes, true
				})
				w.clock.add(15 * time.Minute)
			},
			undo: func(w *world, _ *User) {
				w.profile(w.managed, func(p *domain.AuthenticationProfile) { p.SessionInactivityHandlingEnabled = false })
			},
		},
		{
			name: "blocked address", during: true,
			do: func(_ *testing.T, w *world, _ *User) {
				w.profile(w.managed, func(p *domain.AuthenticationProfile) { p.BlockedIPs = []string{"192.0.2.0/24"} })
			},
			undo: func(w *world, _ *User) {
				w.profile(w.managed, func(p *domain.AuthenticationProfile) { p.BlockedIPs = nil })
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			u := w.user(t, w.managed, "ana", w.hashed(t, password))
			other := w.user(t, w.saml, "bob")
			o := w.open(t, w.managed, "ana", password)
			beside, err := w.openSession(t.Context(), w.saml, other, BySAML, w.people.profiles[w.saml.ID])
			if err != nil {
				t.Fatal(err)
			}
			w.wantSession(t, o.Token, true)
			c.do(t, w, u)
			w.wantSession(t, o.Token, false)
			w.wantSession(t, beside.Token, true)
			if c.undo != nil {
				c.undo(w, u)
				w.wantSession(t, o.Token, c.during)
			}
		})
	}
}

// TestInactivity: use keeps a session open, to its end and no longer.
func TestInactivity(t *testing.T) {
	w := newWorld(t)
	minutes := int32(15)
	w.profile(w.managed, func(p *domain.AuthenticationProfile) {
		p.MaxSessionDuration, p.SessionInactivityDuration, p.SessionInactivityHandlingEnabled = 60, &minutes, true
	})
	w.user(t, w.managed, "ana", w.hashed(t, password))
	o := w.open(t, w.managed, "ana", password)
	for range 5 {
		w.clock.add(10 * time.Minute)
		w.wantSession(t, o.Token, true)
	}
	w.clock.add(30 * time.Second)
	before, err := w.store.Recall(t.Context(), sessionKey(o.Token))
	if err != nil {
		t.Fatal(err)
	}
	w.wantSession(t, o.Token, true)
	after, err := w.store.Recall(t.Context(), sessionKey(o.Token))
	if err != nil || string(before.Answer) != string(after.Answer) {
		t.Errorf("a use within a minute of another was written down: %s (%v)", after.Answer, err)
	}
	w.clock.add(9*time.Minute + 30*time.Second)
	w.wantSession(t, o.Token, false)
}

// TestMaxSession: an authentication profile shortens sessions and never
// lengthens them.
func TestMaxSession(t *testing.T) {
	for minutes, want := range map[int32]time.Duration{0: 12 * time.Hour, 60: time.Hour, 720: 12 * time.Hour, 721: 12 * time.Hour, -1: 12 * time.Hour} {
		if got := longest(&domain.AuthenticationProfile{MaxSessionDuration: minutes}); got != want {
			t.Errorf("%d minutes: %v, want %v", minutes, got, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		name             string
		allowed, blocked []string
		address          string
		want             bool
	}{
		{"no rules", nil, nil, "192.0.2.1", true},
		{"allowed", []string{"192.0.2.0/24"}, nil, "192.0.2.1", true},
		{"allowed one", []string{"198.51.100.1", "192.0.2.1"}, nil, "192.0.2.1", true},
		{"not allowed", []string{"192.0.2.0/24"}, nil, "192.0.3.1", false},
		{"blocked", nil, []string{"192.0.2.0/24"}, "192.0.2.1", false},
		{"another blocked", nil, []string{"192.0.2.2"}, "192.0.2.1", true},
		{"both", []string{"192.0.0.0/8"}, []string{"192.0.2.1"}, "192.0.2.1", false},
		{"IPv4 as IPv6", []string{"192.0.2.0/24"}, nil, "::ffff:192.0.2.1", true},
		{"rule as IPv6", []string{"::ffff:192.0.2.0/120"}, nil, "192.0.2.1", true},
		{"IPv6", []string{"2001:db8::/32"}, nil, "2001:db8::1", true},
		{"IPv6 with a zone", nil, []string{"fe80::/10"}, "fe80::1%eth0", false},
		{"IPv4 is not in all of IPv6", []string{"::/0"}, nil, "192.0.2.1", false},
		{"a rule that is none", []string{"nonsense"}, nil, "192.0.2.1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &domain.AuthenticationProfile{AllowedIPs: c.allowed, BlockedIPs: c.blocked}
			if got := allowed(p, netip.MustParseAddr(c.address)); got != c.want {
				t.Errorf("%s: %t, want %t", c.address, got, c.want)
			}
		})
	}
	if allowed(&domain.AuthenticationProfile{AllowedIPs: []string{"0.0.0.0/0", "::/0"}}, netip.Addr{}) {
		t.Error("nobody knows from where, yet it is allowed")
	}
}
