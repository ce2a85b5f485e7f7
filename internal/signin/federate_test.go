package signin

import (
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

const role = "AROAEXAMPLE0000000000"

// codeOf is the code of a SignInURL.
func codeOf(t *testing.T, in *Instance, tokens *Tokens) string {
	t.Helper()
	u, err := url.Parse(tokens.SignInURL)
	if err != nil || u.Host != "connect.example.org" || u.Path != Root(in)+"/federate" {
		t.Fatalf("SignInUrl is %s (%v)", tokens.SignInURL, err)
	}
	return u.Query().Get("code")
}

func (w *world) federate(t *testing.T, name string) *Tokens {
	t.Helper()
	tokens, err := w.Federate(t.Context(), w.saml, name, role)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func TestFederate(t *testing.T) {
	w := newWorld(t)
	u := w.user(t, w.saml, "ana")
	w.user(t, w.saml, "gone", func(u *User) { u.Inactive = true })
	w.user(t, w.saml, "taken", func(u *User) { u.FederatedBy = "AROAOTHER" })
	ctx := domain.WithCaller(t.Context(), &domain.Caller{ARN: "arn:aws:sts::123456789012:assumed-role/Agents/ana", RequestID: "request-2"})
	tokens, err := w.Federate(ctx, w.saml, "ana", role)
	if err != nil {
		t.Fatal(err)
	}
	now := w.clock.now()
	if tokens.User.ID != u.ID || !tokens.AccessExpires.Equal(now.Add(time.Hour)) || !tokens.RefreshExpires.Equal(now.Add(12*time.Hour)) {
		t.Errorf("tokens %+v", tokens)
	}
	e := w.wantLast(t, audit.FederationToken, audit.OK, "", "ana", "")
	if e.Principal != "arn:aws:sts::123456789012:assumed-role/Agents/ana" || e.RequestID != "request-2" {
		t.Errorf("the audit log has %+v", e)
	}
	if got, _ := w.people.UserByID(t.Context(), w.saml, u.ID); got.FederatedBy != role {
		t.Errorf("the user is bound to %q", got.FederatedBy)
	}
	if _, err := w.Federate(t.Context(), w.saml, "ana", role); err != nil {
		t.Errorf("a second time: %v", err)
	}
	for _, c := range []struct {
		in              *Instance
		name, principal string
		want            fault.Code
		logged          string
	}{
		{w.saml, "Ana", role, fault.UserNotFound, ""},
		{w.saml, "nobody", role, fault.UserNotFound, ""},
		{w.saml, "gone", role, fault.UserNotFound, ""},
		{w.saml, "taken", role, fault.DuplicateResource, "taken"},
		{w.saml, "ana", "AIDAOTHER", fault.DuplicateResource, "ana"},
		{w.managed, "ana", role, fault.InvalidRequest, ""},
		{w.directory, "ana", role, fault.InvalidRequest, ""},
	} {
		tokens, err := w.Federate(t.Context(), c.in, c.name, c.principal)
		if !fault.Is(err, c.want) || tokens != nil {
			t.Errorf("%s for %s: %v, want %s", c.name, c.principal, err, c.want)
		}
		w.wantLast(t, audit.FederationToken, audit.Refused, "", c.logged, string(c.want))
	}
	_, err = w.Federate(t.Context(), w.saml, "taken", role)
	if got, want := fault.From(err).Message, "The user taken is already associated with the Amazon Connect instance "+string(w.saml.ID); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	w.wantSecret(t, tokens.Access, tokens.Refresh, codeOf(t, w.saml, tokens), "nobody")
}

func TestRedeem(t *testing.T) {
	w := newWorld(t)
	w.user(t, w.saml, "ana")
	tokens := w.federate(t, "ana")
	c := codeOf(t, w.saml, tokens)
	redeem := func(in *Instance, code, destination string) (*Opened, error) {
		return w.RedeemCode(t.Context(), in, here, code, destination)
	}
	for _, bad := range []string{"", "x", c[:len(c)-2], tokens.Access, tokens.Refresh, "access." + strings.TrimPrefix(c, "code.")} {
		_, err := redeem(w.saml, bad, "")
		wantRefusal(t, err, LinkUsed)
	}
	_, err := redeem(w.managed, c, "")
	wantRefusal(t, err, LinkUsed)
	o, err := redeem(w.saml, c, "/-/console/")
	if err != nil || o.Destination != "/-/console/" {
		t.Fatalf("opened %+v, %v", o, err)
	}
	if s := w.wantSession(t, o.Token, true); s.Door != ByFederation || s.User.Username != "ana" {
		t.Errorf("session %+v", s)
	}
	w.wantLast(t, audit.SignIn, audit.OK, ByFederation, "ana", "")
	_, err = redeem(w.saml, c, "")
	wantRefusal(t, err, LinkUsed)
	w.wantLast(t, audit.SignIn, audit.Refused, ByFederation, "ana", "has been used")
	for range 2 { // an access token works as long as it holds
		if o, err := w.RedeemToken(t.Context(), w.saml, here, tokens.Access, "https://evil.example"); err != nil || o.Destination != "" {
			t.Errorf("opened %+v, %v", o, err)
		}
	}
	late := codeOf(t, w.saml, w.federate(t, "ana"))
	w.clock.add(5 * time.Minute)
	_, err = redeem(w.saml, late, "")
	wantRefusal(t, err, LinkUsed)
	w.clock.add(55 * time.Minute)
	_, err = redeem(w.saml, tokens.Access, "")
	wantRefusal(t, err, LinkUsed)
	w.profile(w.saml, func(p *domain.AuthenticationProfile) { p.AllowedIPs = []string{"198.51.100.0/24"} })
	_, err = redeem(w.saml, w.federate(t, "ana").Access, "")
	wantRefusal(t, err, FromHere)
	w.wantSecret(t, c, tokens.Access, tokens.Refresh, late)
}

func TestRefresh(t *testing.T) {
	w := newWorld(t)
	w.user(t, w.saml, "ana")
	first := w.federate(t, "ana")
	w.clock.add(10 * time.Hour)
	refresh := func(token string) (*Tokens, error) { return w.Refresh(t.Context(), w.saml, here, token) }
	for _, bad := range []string{"", first.Access, codeOf(t, w.saml, first), first.Refresh + "A"} {
		_, err := refresh(bad)
		wantRefusal(t, err, LinkUsed)
	}
	second, err := refresh(first.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	if second.Refresh == first.Refresh || !second.RefreshExpires.Equal(first.RefreshExpires) || !second.AccessExpires.Equal(w.clock.now().Add(time.Hour)) {
		t.Errorf("tokens %+v", second)
	}
	w.wantLast(t, audit.TokenRefresh, audit.OK, ByFederation, "ana", "")
	_, err = refresh(first.Refresh)
	wantRefusal(t, err, LinkUsed)
	w.wantLast(t, audit.TokenRefresh, audit.Refused, ByFederation, "ana", "has been used")
	w.clock.add(90 * time.Minute)
	third, err := refresh(second.Refresh)
	if err != nil || !third.AccessExpires.Equal(first.RefreshExpires) {
		t.Fatalf("tokens %+v, %v", third, err)
	}
	w.clock.add(30 * time.Minute)
	_, err = refresh(third.Refresh)
	wantRefusal(t, err, LinkUsed)

	// Of many that use one token, one gets others.
	token := w.federate(t, "ana").Refresh
	var got atomic.Int32
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := w.Refresh(t.Context(), w.saml, here, token); err == nil {
				got.Add(1)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("one refresh token was good for %d", got.Load())
	}
}

// TestTokensEndWithTheUser: and with what it is bound to.
func TestTokensEndWithTheUser(t *testing.T) {
	for name, do := range map[string]func(t *testing.T, w *world, u *User){
		"deleted": func(t *testing.T, w *world, u *User) { w.delete(t, w.saml, u) },
		"deactivated": func(_ *testing.T, w *world, u *User) {
			w.people.change(w.saml, u.ID, func(u *User) { u.Inactive = true })
		},
		"bound to another": func(_ *testing.T, w *world, u *User) {
			w.people.change(w.saml, u.ID, func(u *User) { u.FederatedBy = "AROAOTHER" })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			u := w.user(t, w.saml, "ana")
			tokens := w.federate(t, "ana")
			do(t, w, u)
			_, err := w.RedeemToken(t.Context(), w.saml, here, tokens.Access, "")
			wantRefusal(t, err, LinkUsed)
			_, err = w.RedeemCode(t.Context(), w.saml, here, codeOf(t, w.saml, tokens), "")
			wantRefusal(t, err, LinkUsed)
			_, err = w.Refresh(t.Context(), w.saml, here, tokens.Refresh)
			wantRefusal(t, err, LinkUsed)
		})
	}
}

func TestLocalPath(t *testing.T) {
	for d, want := range map[string]bool{
		"/": true, "/-/console/": true, "/ccp-v2/?a=b#c": true, "/a//b": true, "/?to=https://x": true,
		"": false, "ccp": false, "//evil.example": false, `/\evil.example`: false, "https://evil.example/": false, "javascript:alert(1)": false,
		"/\t/evil.example": false, "/\n/evil.example": false, "/a b": false, "/%zz": false, "/\x00": false, "/" + strings.Repeat("a", maxDestination): false,
	} {
		if got := localPath(d); (got != "") != want || got != "" && got != d {
			t.Errorf("%q becomes %q", d, got)
		}
	}
}
