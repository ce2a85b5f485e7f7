package login

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ringdown/internal/signin"
)

func TestWays(t *testing.T) {
	s := newSite(t)
	s.get(corp+"?destination=/x").want(t, 200,
		corp+"/saml/start?destination=%2Fx&amp;provider=corp", "Example Corp", corp+"/oidc/start?destination=%2Fx&amp;provider=kc", "Keycloak")
	s.ways = s.ways[:1]
	if a := s.get(corp + "?destination=/x"); a.Code != 303 || !strings.HasPrefix(a.location(), "https://idp.example.org/saml?") || s.begun[0] != "/x" {
		t.Errorf("%d to %s with %q", a.Code, a.location(), s.begun)
	}
	s.get(corp+"?choose").want(t, 200, "Example Corp")
	s.ways = nil
	s.get(corp).want(t, 200, "cannot sign you in", "Otherwise ask")
	// The form of the alias leads to a page of ours, for it may lead nowhere else.
	s.post("/-/login/", url.Values{"alias": {"CORP"}}).leads(t, corp+"?choose")
}

func TestStart(t *testing.T) {
	s := newSite(t)
	if a := s.get(corp + "/saml/start?provider=corp&destination=//evil"); a.Code != 303 || s.begun[0] != "" || len(s.cookies) != 0 {
		t.Errorf("%d with %q, %v", a.Code, s.begun, s.cookies)
	}
	if a := s.get(corp + "/oidc/start?provider=kc&destination=/x"); a.Code != 303 || s.begun[1] != "/x" {
		t.Errorf("%d with %q", a.Code, s.begun)
	}
	c := s.cookies[attempt(oidcState)]
	if c == nil || c.Value != string(federated.ID) || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || strings.Contains(c.Name, oidcState) {
		t.Fatalf("the attempt is kept as %+v", c)
	}
}

func TestOIDC(t *testing.T) {
	callback := func(q url.Values) string { return "/-/login/oidc/callback?" + q.Encode() }
	good := url.Values{"state": {oidcState}, "code": {oidcCode}, "iss": {oidcIssuer}}
	begun := func(t *testing.T) *site {
		s := newSite(t)
		s.get(corp + "/oidc/start?provider=kc")
		return s
	}
	s := begun(t)
	s.came = "/x"
	s.do(http.MethodHead, callback(good), nil).want(t, 200) // uses nothing up
	s.get(callback(good)).leads(t, "/x")
	if s.cookies[Cookie] == nil || s.cookies[attempt(oidcState)] != nil {
		t.Errorf("the cookies are %v", s.cookies)
	}
	s.get(callback(good)).want(t, 400, "not begun here")

	// Another browser has not begun it: a link signs nobody in as somebody else.
	newSite(t).get(callback(good)).want(t, 400, "not begun here")

	s = begun(t)
	s.get(callback(url.Values{"state": {oidcState}, "error": {"access_denied"}, "error_description": {"<b>no</b>"}})).want(t, 403, "You have not been signed in", corp+"?choose")
	s = begun(t)
	a := s.get(callback(url.Values{"state": {oidcState}, "error": {"server_error"}, "error_description": {"told by a stranger"}}))
	a.want(t, 502, "could not sign you in")
	if strings.Contains(a.body, "stranger") {
		t.Error("what the provider says is repeated")
	}
	s = begun(t)
	s.get(callback(url.Values{"state": {oidcState}, "code": {oidcCode}, "iss": {"https://another.example"}})).want(t, 403, "not accepted")
	s = begun(t)
	s.get(callback(url.Values{"state": {oidcState}, "code": {"forged"}})).want(t, 403, "not accepted")
	s = begun(t)
	s.get(callback(good), host("connect.example.org")).want(t, 403, "must be reached by HTTPS")
}

func TestSAML(t *testing.T) {
	s := newSite(t)
	s.came = "/x"
	a := s.post(corp+"/saml", url.Values{"SAMLResponse": {samlResponse}, "RelayState": {"relayed"}},
		header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://idp.example.org"))
	a.leads(t, "/x")
	if s.cookies[Cookie] == nil || s.relay != "relayed" {
		t.Errorf("the cookies are %v, relayed was %q", s.cookies, s.relay)
	}
	// As long as it may be: base64 of which every character takes three bytes is
	// not, but such a response is none.
	newSite(t).post(corp+"/saml", url.Values{"SAMLResponse": {strings.Repeat("A", 100_000)}}).leads(t, corp+"/home")
}

func TestMetadata(t *testing.T) {
	var id string
	var acs []string
	s := newSite(t, func(o *Options) {
		o.Metadata = func(entityID string, urls []string) ([]byte, error) {
			if id, acs = entityID, urls; len(urls) > 2 {
				return nil, errors.New("no")
			}
			return []byte("<xml/>"), nil
		}
	})
	a := s.get("/-/login/saml?instance=corp&instance=" + string(federated.ID))
	a.want(t, 200, "<xml/>")
	if got := a.Header().Get("Content-Type"); got != "application/samlmetadata+xml" {
		t.Errorf("the type is %s", got)
	}
	const base = "http://127.0.0.1:8765"
	if id != base+"/-/login/saml" || len(acs) != 2 || acs[0] != base+corp+"/saml" {
		t.Errorf("of %s: %q", id, acs)
	}
	s.get("/-/login/saml").want(t, 400, "Which contact centre?")
	s.get("/-/login/saml?instance=corp&instance=acme").want(t, 400, "has no SAML", "CONNECT_MANAGED", "to acme")
	s.get("/-/login/saml?instance=nowhere").want(t, 404, "no such contact centre")
	s.get("/-/login/saml?instance=a"+strings.Repeat("&instance=a", maxInstances)).want(t, 400, "Which contact centre?")
	s.get("/-/login/saml?instance=corp&instance=corp&instance=corp").want(t, 500, "Something went wrong")
}

func TestFederate(t *testing.T) {
	s := newSite(t)
	s.do(http.MethodHead, corp+"/federate?code="+signInCode, nil).want(t, 200)
	if len(s.signedOn) != 0 {
		t.Fatal("HEAD spent the code")
	}
	s.get(corp+"/federate?code="+signInCode).leads(t, corp+"/home")
	s.get(corp+"/home").want(t, 200, "by way of another application")
	if s.cookies[Cookie] == nil {
		t.Error("there is no session")
	}
	newSite(t).get(corp+"/federate?code="+signInCode+"&destination=%2Fx").leads(t, "/x")
	newSite(t).get(corp+"/federate?code="+signInCode+"&destination=%2F%2Fevil").leads(t, corp+"/home")
	newSite(t).post(corp+"/federate", url.Values{"AccessToken": {accessToken}, "destination": {"/x"}}).leads(t, "/x")
	// Tokens in addresses are not taken.
	newSite(t).post(corp+"/federate?AccessToken="+accessToken, nil).want(t, 400, "no longer works")
	newSite(t).get(corp+"/federate?AccessToken="+accessToken).want(t, 400, "no longer works")
	newSite(t).get(corp+"/federate?code="+accessToken).want(t, 400, "no longer works")
	newSite(t).post(corp+"/federate", url.Values{"AccessToken": {signInCode}}).want(t, 400, "no longer works")
}

func TestRefresh(t *testing.T) {
	a := newSite(t).post(corp+"/refresh", url.Values{"RefreshToken": {refreshToken}})
	a.want(t, 200)
	var got map[string]any
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"AccessToken": "a", "RefreshToken": "r", "AccessTokenExpiration": float64(noon.Unix() + 3600), "RefreshTokenExpiration": float64(noon.Unix() + 12*3600)}
	if len(got) != len(want) {
		t.Errorf("got %v", got)
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s is %v, want %v", name, got[name], value)
		}
	}
	if a.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("other sites may read tokens")
	}
	protected(t, "refresh", a)
}

// TestDoors: every way in has words on the page that shows it.
func TestDoors(t *testing.T) {
	for _, d := range []signin.Door{signin.ByPassword, signin.ByDirectory, signin.BySAML, signin.ByOIDC, signin.ByFederation} {
		s := newSite(t)
		s.signedIn(federated, d)
		if doors[d] == "" {
			t.Errorf("%s has no words", d)
		}
		s.get(corp+"/home").want(t, 200, doors[d])
	}
}
