package signin

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/identity/oidc"
)

// keycloak is a provider in memory.
type keycloak struct {
	opens  string // alias
	who    *oidc.Identity
	err    error
	before oidc.Attempt // of Redirect
	after  oidc.Attempt // of Finish
}

func (k *keycloak) Name() string  { return "kc" }
func (k *keycloak) Label() string { return "Keycloak" }

func (k *keycloak) Opens(_, alias string) bool { return alias == k.opens }

func (k *keycloak) Redirect(_ context.Context, a oidc.Attempt, callback string) (string, error) {
	if k.before = a; k.err != nil {
		return "", k.err
	}
	return "https://idp.example/auth?" + url.Values{"state": {a.State}, "nonce": {a.Nonce}, "redirect_uri": {callback}}.Encode(), nil
}

func (k *keycloak) Finish(_ context.Context, a oidc.Attempt, back oidc.Return, callback string, _ time.Time) (*oidc.Identity, error) {
	k.after = a
	if k.err != nil {
		return nil, k.err
	}
	if a.State != back.State || back.Code != "code" || back.Issuer != "https://idp.example" || callback != base+OIDCCallback {
		return nil, fmt.Errorf("%w: state, code or callback", oidc.ErrRefused)
	}
	return k.who, nil
}

func TestOIDC(t *testing.T) {
	w := newWorld(t)
	k := &keycloak{opens: "corp", who: &oidc.Identity{Subject: "sub-1", Username: "ana"}}
	w.oidc = []identityProvider{k}
	u := w.user(t, w.saml, "ana")
	ways, err := w.Ways(t.Context(), w.saml)
	if err != nil || len(ways) != 1 || ways[0] != (Way{ByOIDC, "kc", "Keycloak"}) {
		t.Fatalf("ways %+v, %v", ways, err)
	}
	begin := func(destination string) string {
		t.Helper()
		to, err := w.Begin(t.Context(), w.saml, ways[0], destination)
		if err != nil {
			t.Fatal(err)
		}
		v, err := url.Parse(to)
		if err != nil || v.Query().Get("redirect_uri") != base+OIDCCallback || strings.Contains(to, k.before.Verifier) {
			t.Fatalf("sent to %s (%v)", to, err)
		}
		return v.Query().Get("state")
	}
	finish := func(in *Instance, state, code string) (*Opened, error) {
		return w.OIDC(t.Context(), in, here, Return{State: state, Code: code, Issuer: "https://idp.example"})
	}
	state := begin("/ccp-v2/")
	o, err := finish(w.saml, state, "code")
	if err != nil || o.Destination != "/ccp-v2/" {
		t.Fatalf("opened %+v, %v", o, err)
	}
	if k.after != k.before {
		t.Errorf("the attempt began as %+v and ended as %+v", k.before, k.after)
	}
	if s := w.wantSession(t, o.Token, true); s.Door != ByOIDC || s.User.ID != u.ID {
		t.Errorf("session %+v", s)
	}
	if got, _ := w.people.UserByID(t.Context(), w.saml, u.ID); got.FederatedBy != "oidc/kc/sub-1" {
		t.Errorf("the user is bound to %q", got.FederatedBy)
	}
	if e := w.wantLast(t, audit.SignIn, audit.OK, ByOIDC, "ana", ""); e.Provider != "kc" {
		t.Errorf("the audit log has %+v", e)
	}
	_, err = finish(w.saml, state, "code")
	wantRefusal(t, err, NotAccepted)
	w.wantLast(t, audit.SignIn, audit.Refused, ByOIDC, "", "sent back before")

	for _, bad := range []string{"", "x", state[:len(state)-2]} {
		_, err := finish(w.saml, bad, "code")
		wantRefusal(t, err, NotAccepted)
	}
	for _, in := range []*Instance{w.managed, w.directory} {
		_, err := finish(in, begin(""), "code")
		wantRefusal(t, err, OtherDoor)
	}
	other := *w.saml
	other.ID = "another"
	w.people.profiles["another"] = w.people.profiles[w.saml.ID]
	_, err = finish(&other, begin(""), "code")
	wantRefusal(t, err, NotAccepted)
	late := begin("")
	w.clock.add(10 * time.Minute)
	_, err = finish(w.saml, late, "code")
	wantRefusal(t, err, NotAccepted)

	for _, c := range []struct {
		name           string
		do             func()
		code           string
		want           Reason
		outcome        audit.Outcome
		logged, reason string
	}{
		{"another subject", func() { k.who = &oidc.Identity{Subject: "sub-2", Username: "ana"} }, "code", BoundToOther, audit.Refused, "ana", "bound to another"},
		{"no such user", func() { k.who = &oidc.Identity{Subject: "sub-1", Username: "Ana"} }, "code", NoSuchUser, audit.Refused, "", "no such user"},
		{"wrong code", func() {}, "wrong", NotAccepted, audit.Refused, "", "not valid"},
		{"down", func() { k.err = fmt.Errorf("%w: connection refused", oidc.ErrDown) }, "code", ProviderDown, audit.Failed, "", "cannot be reached"},
		{"no longer there", func() { k.opens = "nowhere" }, "code", NotAccepted, audit.Refused, "", "no longer configured"},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := begin("")
			c.do()
			_, err := finish(w.saml, state, c.code)
			wantRefusal(t, err, c.want)
			w.wantLast(t, audit.SignIn, c.outcome, ByOIDC, c.logged, c.reason)
			k.err = nil
		})
	}
	_, err = w.Begin(t.Context(), w.saml, ways[0], "")
	wantRefusal(t, err, OtherDoor)
	k.opens, k.err = "corp", fmt.Errorf("%w: connection refused", oidc.ErrDown)
	_, err = w.Begin(t.Context(), w.saml, ways[0], "")
	wantRefusal(t, err, ProviderDown)
	w.wantSecret(t, state, k.before.Verifier)
}
