package signin

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
)

func TestWhoIsNotLetIn(t *testing.T) {
	w := newWorld(t)
	w.user(t, w.managed, "ana", w.hashed(t, password))
	w.user(t, w.managed, "gone", w.hashed(t, password), func(u *User) { u.Inactive = true })
	w.user(t, w.managed, "none")
	w.user(t, w.managed, "broken", withHash("$argon2id$broken"))
	w.user(t, w.managed, strings.Repeat("x", 101), w.hashed(t, password))
	w.user(t, w.managed, "long", w.hashed(t, strings.Repeat("Aa1", 86)))
	w.user(t, w.managed, "empty", w.hashed(t, ""))
	for _, c := range []struct{ name, username, password, logged, reason string }{
		{"wrong password", "ana", "passw0rd", "ana", "password is wrong"},
		{"no password", "ana", "", "ana", "password is wrong"},
		{"unknown user", "bob", password, "", "no user"},
		{"no name", "", password, "", "no user"},
		{"another case", "Ana", password, "", "no user"},
		{"deactivated", "gone", password, "gone", "deactivated"},
		{"without a password", "none", "", "none", "no password"},
		{"a hash that is none", "broken", password, "broken", "password is wrong"},
		{"too long a name", strings.Repeat("x", 101), password, "", "name is too long"},
		{"too long a password", "long", strings.Repeat("Aa1", 86), "long", "password is too long"},
		{"not text", "a\xffna\x00", password, "", "no user"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o, err := w.SignIn(t.Context(), w.managed, here, c.username, c.password)
			wantRefusal(t, err, WrongCredentials)
			if o != nil {
				t.Errorf("opened %+v", o)
			}
			e := w.wantLast(t, audit.SignIn, audit.Refused, ByPassword, c.logged, c.reason)
			if e.From != "192.0.2.1" || e.RequestID != "request-1" || e.Instance != string(w.managed.ID) {
				t.Errorf("the audit log has %+v", e)
			}
		})
	}
	w.wantSecret(t, password, "bob", "$argon2id")
	if _, err := w.SignIn(t.Context(), w.saml, here, "ana", password); err == nil {
		t.Error("a password opens an instance of type SAML")
	} else {
		wantRefusal(t, err, OtherDoor)
	}
	w.profile(w.managed, func(p *domain.AuthenticationProfile) { p.AllowedIPs = []string{"198.51.100.0/24"} })
	_, err := w.SignIn(t.Context(), w.managed, here, "ana", password)
	wantRefusal(t, err, FromHere)
	w.wantLast(t, audit.SignIn, audit.Refused, ByPassword, "", "address")
	if _, err := w.SignIn(t.Context(), w.managed, from("198.51.100.7"), "ana", password); err != nil {
		t.Error(err)
	}
}

// TestOldHashes: a hash of other parameters is renewed by whoever knows the
// password, and by nobody else.
func TestOldHashes(t *testing.T) {
	w := newWorld(t)
	u := w.user(t, w.managed, "ana", withHash(quick))
	_, err := w.SignIn(t.Context(), w.managed, here, "ana", "wrong")
	wantRefusal(t, err, WrongCredentials)
	if got, _ := w.people.UserByID(t.Context(), w.managed, u.ID); got.PasswordHash != quick {
		t.Errorf("a wrong password has changed the hash to %s", got.PasswordHash)
	}
	o := w.open(t, w.managed, "ana", password)
	got, _ := w.people.UserByID(t.Context(), w.managed, u.ID)
	if got.PasswordHash == quick || w.opts.Passwords.Outdated(got.PasswordHash) || got.PasswordChosen {
		t.Errorf("the hash is %s", got.PasswordHash)
	}
	w.wantSession(t, o.Token, true)
	w.open(t, w.managed, "ana", password)
	again, _ := w.people.UserByID(t.Context(), w.managed, u.ID)
	if again.PasswordHash != got.PasswordHash {
		t.Error("a hash of today was renewed")
	}
	w.wantSession(t, o.Token, true)
}

// overtaken changes the password just before it is set.
type overtaken struct {
	*people
	before func()
}

func (o *overtaken) SetPassword(ctx context.Context, in *Instance, id, old, hash string, chosen bool) error {
	o.before()
	return o.people.SetPassword(ctx, in, id, old, hash, chosen)
}

// TestOvertaken: of two that change a password at once, the later one has to try
// again, and an old password never comes back.
func TestOvertaken(t *testing.T) {
	var w *world
	o := &overtaken{before: func() {}}
	w = newWorld(t, func(opts *Options) {
		o.people = opts.People.(*people)
		opts.People = o
	})
	u := w.user(t, w.managed, "ana", withHash(quick))
	other := w.hashed(t, "0therPassw0rd")
	o.before = func() { w.people.change(w.managed, u.ID, other) }
	_, err := w.SignIn(t.Context(), w.managed, here, "ana", password) // renews the hash
	wantRefusal(t, err, WrongCredentials)
	o.before = func() {}
	in := w.open(t, w.managed, "ana", "0therPassw0rd")
	o.before = func() { w.people.change(w.managed, u.ID, w.hashed(t, "Th1rdPassword")) }
	_, err = w.ChangePassword(t.Context(), w.managed, here, in.Token, "0therPassw0rd", "F0urthPassword")
	wantRefusal(t, err, WrongCredentials)
	o.before = func() {}
	w.open(t, w.managed, "ana", "Th1rdPassword")
}

func TestChangeFirst(t *testing.T) {
	w := newWorld(t, func(o *Options) { o.ChangeFirst = true })
	w.user(t, w.managed, "ana", w.hashed(t, password))
	first := w.open(t, w.managed, "ana", password)
	if first.Token != "" || first.MustChange == "" {
		t.Fatalf("opened %+v, though the password was chosen by others", first)
	}
	w.wantSession(t, first.MustChange, false)
	change := func(in *Instance, must, password string) (*Opened, error) {
		return w.ChangePassword(t.Context(), in, here, must, "", password)
	}
	_, err := change(w.managed, first.MustChange, "weak")
	wantRefusal(t, err, WeakPassword)
	_, err = change(w.managed, first.MustChange, password)
	wantRefusal(t, err, SamePassword)
	_, err = change(w.managed, first.MustChange[:len(first.MustChange)-1], "N3wPassword")
	wantRefusal(t, err, LinkUsed)
	_, err = change(w.instance(t, "other", domain.ConnectManaged), first.MustChange, "N3wPassword")
	wantRefusal(t, err, LinkUsed)
	_, err = change(w.saml, first.MustChange, "N3wPassword")
	wantRefusal(t, err, OtherDoor)
	o, err := change(w.managed, first.MustChange, "N3wPassword")
	if err != nil {
		t.Fatal(err)
	}
	w.wantSession(t, o.Token, true)
	w.wantLast(t, audit.PasswordChange, audit.OK, ByPassword, "ana", "")
	_, err = change(w.managed, first.MustChange, "An0therPassword")
	wantRefusal(t, err, LinkUsed)
	if next := w.open(t, w.managed, "ana", "N3wPassword"); next.Token == "" {
		t.Error("a password of one's own has to be changed")
	}

	w.user(t, w.managed, "bob", w.hashed(t, password))
	late := w.open(t, w.managed, "bob", password)
	w.clock.add(10 * time.Minute)
	_, err = change(w.managed, late.MustChange, "N3wPassword")
	wantRefusal(t, err, LinkUsed)
	w.wantSecret(t, first.MustChange, "N3wPassword", "An0therPassword")
}

func TestChangePassword(t *testing.T) {
	w := newWorld(t)
	w.user(t, w.managed, "ana", w.hashed(t, password))
	one, two := w.open(t, w.managed, "ana", password), w.open(t, w.managed, "ana", password)
	change := func(token, current, password string) (*Opened, error) {
		return w.ChangePassword(t.Context(), w.managed, here, token, current, password)
	}
	for _, c := range []struct {
		current, password string
		want              Reason
	}{
		{"wrong", "N3wPassword", WrongCredentials},
		{password, "short1A", WeakPassword},
		{password, password, SamePassword},
	} {
		_, err := change(one.Token, c.current, c.password)
		wantRefusal(t, err, c.want)
	}
	if _, err := change(newToken(), password, "N3wPassword"); !errors.Is(err, ErrNoSession) {
		t.Errorf("without a session: %v", err)
	}
	o, err := change(one.Token, password, "N3wPassword")
	if err != nil {
		t.Fatal(err)
	}
	w.wantSession(t, one.Token, false)
	w.wantSession(t, two.Token, false)
	w.wantSession(t, o.Token, true)
	_, err = w.SignIn(t.Context(), w.managed, here, "ana", password)
	wantRefusal(t, err, WrongCredentials)

	// Whoever has a session guesses no faster than whoever has none.
	for range freeTries - 2 {
		_, err = change(o.Token, "wrong", "An0therPassword")
		wantRefusal(t, err, WrongCredentials)
	}
	_, err = change(o.Token, "wrong", "An0therPassword")
	wantRefusal(t, err, WrongCredentials)
	w.wantLast(t, audit.Lockout, audit.Refused, ByPassword, "ana", "1s")
	_, err = change(o.Token, "N3wPassword", "An0therPassword")
	wantRefusal(t, err, TooMany)
}

func TestStrong(t *testing.T) {
	for p, want := range map[string]bool{
		"Passw0rd": true, "Passw0r": false, "passw0rd": false, "PASSW0RD": false, "Password": false, "Pass w0rd": false, "Pass\tw0rd": false,
		"Aa1" + strings.Repeat("x", 61): true, "Aa1" + strings.Repeat("x", 62): false, "Aa1" + strings.Repeat("ü", 61): true, "Aa1üüüüü": true, "Aa1\xff\xff\xff\xff\xff": false, "": false,
	} {
		if strong(p) != want {
			t.Errorf("%q: %t, want %t", p, !want, want)
		}
	}
}

// TestUnknownUserTakesAsLong: how long a refusal takes tells nothing of whether
// there is such a user. Samples are taken in turns, so that whatever else the
// machine does touches both alike. The medians must be within a few per cent,
// beyond what they are uncertain by, and the ranks not tell the kinds apart.
func TestUnknownUserTakesAsLong(t *testing.T) {
	w := newWorld(t)
	const samples = 60
	hash := w.hashed(t, password)
	for i := range samples {
		w.user(t, w.managed, "user-"+string(rune('a'+i%26))+strings.Repeat("x", i/26), hash)
		w.user(t, w.managed, "gone-"+string(rune('a'+i%26))+strings.Repeat("x", i/26), hash, func(u *User) { u.Inactive = true })
	}
	kinds := []string{"user-", "none-", "gone-"}
	var why string
	for range 3 {
		took := map[string][]float64{}
		for i := range samples {
			for n := range kinds {
				kind := kinds[(n+i)%len(kinds)] // none comes always first
				began := time.Now()
				_, err := w.SignIn(t.Context(), w.managed, here, kind+string(rune('a'+i%26))+strings.Repeat("x", i/26), "wrong")
				took[kind] = append(took[kind], time.Since(began).Seconds())
				wantRefusal(t, err, WrongCredentials)
				w.clock.add(time.Hour)
			}
		}
		why = ""
		for _, kind := range kinds[1:] {
			a, b := took["user-"], took[kind]
			ratio, z, unsure := quantile(b, 0.5)/quantile(a, 0.5), ranks(a, b), notch(a)+notch(b)
			t.Logf("%s against a wrong password: medians %.4f, give or take %.4f, z %.2f", kind, ratio, unsure, z)
			if math.Abs(ratio-1) > 0.03+unsure || math.Abs(z) > 3.3 { // one in a thousand
				why = kind
			}
		}
		if why == "" {
			return
		}
	}
	t.Errorf("%s can be told from a wrong password by time", why)
}

// TestRanks: the test above can fail.
func TestRanks(t *testing.T) {
	var a, b, c []float64
	for i := range 60 {
		x := math.Sin(float64(i)*12.9898) * 0.1 // noise of a tenth
		a, b, c = append(a, 1+x), append(b, 1+math.Sin(float64(i)*78.233)*0.1), append(c, 1.1+x)
	}
	if z := ranks(a, b); math.Abs(z) > 3.3 {
		t.Errorf("noise is told from noise: z %.2f", z)
	}
	if z := ranks(a, c); math.Abs(z) < 3.3 {
		t.Errorf("a tenth more is not seen: z %.2f", z)
	}
}

func quantile(list []float64, q float64) float64 {
	return slices.Sorted(slices.Values(list))[int(q*float64(len(list)-1))]
}

// notch is how uncertain a median is, as a part of it: what box plots show (McGill,
// Tukey and Larsen, "Variations of Box Plots").
func notch(list []float64) float64 {
	return 1.57 * (quantile(list, 0.75) - quantile(list, 0.25)) / math.Sqrt(float64(len(list))) / quantile(list, 0.5)
}

// ranks is the statistic of Mann and Whitney as a standard normal variable.
func ranks(a, b []float64) float64 {
	var u float64
	for _, x := range a {
		for _, y := range b {
			switch {
			case x > y:
				u++
			case x == y:
				u += 0.5
			}
		}
	}
	n, m := float64(len(a)), float64(len(b))
	return (u - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
}
