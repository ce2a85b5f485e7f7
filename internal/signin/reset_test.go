package signin

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
)

// ask asks for a link and waits until somebody has decided on it.
func (w *world) ask(t *testing.T, in *Instance, name string) {
	t.Helper()
	if err := w.AskReset(t.Context(), in, here, name); err != nil {
		t.Fatal(err)
	}
	<-w.decided
}

var linkForm = regexp.MustCompile(`https://\S+/reset\?code=[A-Za-z0-9_-]+`)

// code is the code of the link in a text.
func code(t *testing.T, in *Instance, text string) string {
	t.Helper()
	links := linkForm.FindAllString(text, -1)
	if len(links) == 0 {
		t.Fatalf("no link in %q", text)
	}
	u, err := url.Parse(links[len(links)-1])
	if err != nil || u.Path != "/-/login/"+string(in.ID)+"/reset" || u.Host != "connect.example.org" {
		t.Fatalf("the link is %v (%v)", u, err)
	}
	return u.Query().Get("code")
}

func TestReset(t *testing.T) {
	w := newWorld(t)
	u := w.user(t, w.managed, "ana", w.hashed(t, password), func(u *User) { u.FirstName = "Ana\r\nBcc: all" })
	old := w.open(t, w.managed, "ana", password)
	w.ask(t, w.managed, "ana")
	w.wantLast(t, audit.PasswordReset, audit.OK, ByPassword, "ana", "")
	sent := w.letters.all()
	if len(sent) != 1 || sent[0].To != "ana@example.org" || !strings.Contains(sent[0].Text, "Hello Ana") || strings.Contains(sent[0].Text, "\r") {
		t.Fatalf("sent %+v", sent)
	}
	c := code(t, w.managed, sent[0].Text)
	w.wantSecret(t, c)

	got, err := w.ResetTarget(t.Context(), w.managed, c)
	if err != nil || got.ID != u.ID {
		t.Fatalf("the link is for %+v, %v", got, err)
	}
	reset := func(in *Instance, code, password string) error { return w.Reset(t.Context(), in, here, code, password) }
	for _, bad := range []string{"", "x", c[:42] + "_", newToken()} {
		_, err := w.ResetTarget(t.Context(), w.managed, bad)
		wantRefusal(t, err, LinkUsed)
		wantRefusal(t, reset(w.managed, bad, "N3wPassword"), LinkUsed)
	}
	wantRefusal(t, reset(w.saml, c, "N3wPassword"), LinkUsed)
	wantRefusal(t, reset(w.managed, c, "weak"), WeakPassword)
	wantRefusal(t, reset(w.managed, c, password), SamePassword)
	w.wantSession(t, old.Token, true)

	// Guesses of others do not keep the owner out afterwards.
	for range freeTries + 1 {
		_, err := w.SignIn(t.Context(), w.managed, here, "ana", "wrong")
		if err == nil {
			t.Fatal("let in")
		}
	}
	if err := reset(w.managed, c, "N3wPassword"); err != nil {
		t.Fatal(err)
	}
	w.wantLast(t, audit.PasswordChange, audit.OK, ByPassword, "ana", "through a link")
	w.wantSession(t, old.Token, false)
	o := w.open(t, w.managed, "ana", "N3wPassword")
	wantRefusal(t, reset(w.managed, c, "An0therPassword"), LinkUsed)
	w.wantLast(t, audit.PasswordChange, audit.Refused, ByPassword, "", "has been used")
	w.wantSession(t, o.Token, true)
	if got, _ := w.people.UserByID(t.Context(), w.managed, u.ID); !got.PasswordChosen {
		t.Error("the password counts as chosen by others")
	}
}

// TestLinksThatAreVoid: a link ends with its time, its user, and any change of
// the password.
func TestLinksThatAreVoid(t *testing.T) {
	for name, do := range map[string]func(t *testing.T, w *world, u *User){
		"too old": func(_ *testing.T, w *world, _ *User) { w.clock.add(30 * time.Minute) },
		"deleted": func(t *testing.T, w *world, u *User) { w.delete(t, w.managed, u) },
		"deactivated": func(_ *testing.T, w *world, u *User) {
			w.people.change(w.managed, u.ID, func(u *User) { u.Inactive = true })
		},
		"changed": func(t *testing.T, w *world, u *User) {
			w.people.change(w.managed, u.ID, func(u *User) { u.PasswordHash = quick })
		},
		"a later link was used": func(t *testing.T, w *world, _ *User) {
			w.clock.add(time.Minute)
			w.ask(t, w.managed, "ana")
			if err := w.Reset(t.Context(), w.managed, here, code(t, w.managed, w.letters.all()[1].Text), "N3wPassword"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			u := w.user(t, w.managed, "ana", w.hashed(t, password))
			w.ask(t, w.managed, "ana")
			c := code(t, w.managed, w.letters.all()[0].Text)
			if _, err := w.ResetTarget(t.Context(), w.managed, c); err != nil {
				t.Fatal(err)
			}
			do(t, w, u)
			_, err := w.ResetTarget(t.Context(), w.managed, c)
			wantRefusal(t, err, LinkUsed)
			wantRefusal(t, w.Reset(t.Context(), w.managed, here, c, "An0therPassword"), LinkUsed)
		})
	}
}

// TestWhoGetsALink: nobody is told, but the audit log.
func TestWhoGetsALink(t *testing.T) {
	w := newWorld(t)
	w.user(t, w.managed, "ana", w.hashed(t, password))
	w.user(t, w.managed, "gone", w.hashed(t, password), func(u *User) { u.Inactive = true })
	w.user(t, w.managed, "noaddress", w.hashed(t, password), func(u *User) { u.Email = "" })
	w.user(t, w.managed, strings.Repeat("x", 101), w.hashed(t, password))
	for _, c := range []struct{ name, logged, reason string }{
		{"nobody", "", "no user"},
		{"Ana", "", "no user"},
		{"ana@example.org", "", "no user"},
		{"gone", "gone", "deactivated"},
		{"noaddress", "noaddress", "no e-mail address"},
		{strings.Repeat("x", 101), "", "no user"},
	} {
		w.ask(t, w.managed, c.name)
		w.wantLast(t, audit.PasswordReset, audit.Refused, ByPassword, c.logged, c.reason)
	}
	if sent := w.letters.all(); len(sent) != 0 {
		t.Errorf("sent %+v", sent)
	}
	w.wantSecret(t, "nobody")
	for _, in := range []*Instance{w.saml, w.directory} {
		wantRefusal(t, w.AskReset(t.Context(), in, here, "ana"), OtherDoor)
	}
	w.profile(w.managed, func(p *domain.AuthenticationProfile) { p.BlockedIPs = []string{"192.0.2.1"} })
	wantRefusal(t, w.AskReset(t.Context(), w.managed, here, "ana"), FromHere)

	w.letters.err = errors.New("552 mailbox full")
	w.profile(w.managed, func(p *domain.AuthenticationProfile) { p.BlockedIPs = nil })
	w.ask(t, w.managed, "ana")
	w.wantLast(t, audit.PasswordReset, audit.Failed, ByPassword, "ana", "could not be sent")
	if !strings.Contains(w.log.text(), "552 mailbox full") || strings.Contains(w.log.text(), "code=") {
		t.Errorf("the log has %s", w.log.text())
	}
}

// TestWithoutMail: the link is in the log, for users without an address as well.
func TestWithoutMail(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.Mail = nil })
	w.user(t, w.managed, "ana", w.hashed(t, password), func(u *User) { u.Email = "" })
	w.ask(t, w.managed, "ana")
	c := code(t, w.managed, w.log.text())
	if strings.Contains(w.audit.text(), c) {
		t.Error("the audit log has the link")
	}
	if err := w.Reset(t.Context(), w.managed, here, c, "N3wPassword"); err != nil {
		t.Fatal(err)
	}
	w.open(t, w.managed, "ana", "N3wPassword")
}

// TestLinksAreFew: one a minute and five an hour for a user; so many from an
// address.
func TestLinksAreFew(t *testing.T) {
	c := &clock{t: time.Unix(1_800_000_000, 0)}
	r := newResets(nil)
	defer r.close()
	for _, step := range []struct {
		pass time.Duration
		want bool
	}{
		{0, true},
		{59 * time.Second, false},
		{time.Second, true},
		{time.Minute, true},
		{time.Minute, true},
		{time.Minute, true},
		{time.Minute, false},
		{54 * time.Minute, false},
		{time.Minute, true}, // an hour after the first
		{30 * time.Second, false},
		{30 * time.Second, true},
	} {
		c.add(step.pass)
		if got := r.maySend("ana", c.now()); got != step.want {
			t.Errorf("%v later: %t, want %t", step.pass, got, step.want)
		}
		if !r.maySend(fmt.Sprint(step.pass, c.now()), c.now()) {
			t.Error("another user suffers")
		}
	}
	a := netip.MustParseAddr("192.0.2.1")
	for i := range asksBurst + 1 {
		wait, may := r.mayAsk(a, c.now())
		if may != (i < asksBurst) || !may && wait != askEvery {
			t.Errorf("ask %d: %t, wait %v", i, may, wait)
		}
	}
	c.add(askEvery)
	if _, may := r.mayAsk(a, c.now()); !may {
		t.Error("the address has to wait too long")
	}

	w := newWorld(t)
	for range asksBurst {
		if err := w.AskReset(t.Context(), w.managed, here, "nobody"); err != nil {
			t.Fatal(err)
		}
	}
	if r := wantRefusal(t, w.AskReset(t.Context(), w.managed, here, "nobody"), TooMany); r.Wait != askEvery {
		t.Errorf("wait %v", r.Wait)
	}
}

// TestCloseWaitsForMessages: what was asked for is sent; what is asked for later
// is not.
func TestCloseWaitsForMessages(t *testing.T) {
	w := newWorld(t)
	for i := range 10 {
		w.user(t, w.managed, fmt.Sprint("user", i), withHash(quick))
	}
	for i := range 10 {
		if err := w.AskReset(t.Context(), w.managed, here, fmt.Sprint("user", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(w.letters.all()); n != 10 {
		t.Errorf("%d of 10 messages were sent", n)
	}
	if err := w.AskReset(t.Context(), w.managed, here, "user1"); err != nil {
		t.Fatal(err)
	}
	w.wantLast(t, audit.PasswordReset, audit.Failed, ByPassword, "", "too many")
}
