package login

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/signin"
)

// noon is when all these tests happen.
var noon = time.Date(2031, 5, 6, 12, 0, 0, 0, time.UTC)

// The secrets of the tests. None of them may be in a page, an address or a log.
const (
	rightPassword = "Right-Passw0rd"
	wrongPassword = "Wrong-Passw0rd"
	newPassword   = "Newer-Passw0rd"
	sessionToken  = "session-token-secret"
	newerToken    = "newer-token-secret"
	mustToken     = "must-token-secret"
	resetCode     = "reset-code-secret"
	signInCode    = "sign-in-code-secret"
	accessToken   = "access-token-secret"
	refreshToken  = "refresh-token-secret"
	samlResponse  = "saml-response-secret"
	oidcState     = "oidc-state-secret"
	oidcCode      = "oidc-code-secret"
	oidcIssuer    = "https://idp.example.org"
)

var secrets = []string{
	rightPassword, wrongPassword, newPassword, sessionToken, newerToken, mustToken, resetCode, signInCode,
	accessToken, refreshToken, samlResponse, oidcState, oidcCode,
}

// The instances of the tests.
var (
	managed   = &signin.Instance{ID: "11111111-1111-4111-8111-111111111111", Alias: "acme", Identity: domain.ConnectManaged}
	federated = &signin.Instance{ID: "22222222-2222-4222-8222-222222222222", Alias: "corp", Identity: domain.SAML}
	directory = &signin.Instance{ID: "33333333-3333-4333-8333-333333333333", Identity: domain.ExistingDirectory}
	hostile   = &signin.Instance{ID: "44444444-4444-4444-8444-444444444444", Alias: `<b>"&'</b>`, Identity: domain.ConnectManaged}
)

// fake is a Service and Instances whose answers the test says.
type fake struct {
	mu       sync.Mutex
	refuse   *signin.Refusal // what SignIn and its like answer, if set
	broken   error
	must     bool // SignIn wants another password
	came     string
	ways     []signin.Way
	begun    []string // destinations given to Begin
	signedOn map[string]*signin.Session
	left     []string // tokens that were signed out
	asked    []string // names given to AskReset
	typed    []string // passwords given to SignIn, Reset, ChangePassword
	visitor  signin.Visitor
	relay    string
	user     signin.User
	used     bool // the code of the link
}

func newFake() *fake {
	return &fake{
		user:     signin.User{ID: "u", Username: "jane", FirstName: "Jane", LastName: "Doe"},
		signedOn: map[string]*signin.Session{},
		ways:     []signin.Way{{Door: signin.BySAML, Name: "corp", Label: "Example Corp"}, {Door: signin.ByOIDC, Name: "kc", Label: "Keycloak"}},
	}
}

func (f *fake) Instance(_ context.Context, idOrAlias string) (*signin.Instance, error) {
	if f.broken != nil {
		return nil, f.broken
	}
	for _, in := range []*signin.Instance{managed, federated, directory, hostile} {
		if idOrAlias == string(in.ID) || idOrAlias != "" && strings.EqualFold(idOrAlias, in.Alias) {
			return in, nil
		}
	}
	return nil, fault.New(fault.ResourceNotFound, "no instance")
}

// open signs in under a token.
func (f *fake) open(in *signin.Instance, d signin.Door, token, destination string) *signin.Opened {
	f.signedOn[token] = &signin.Session{Instance: in, User: &f.user, Door: d, Began: noon.Add(-time.Hour), Expires: noon.Add(11 * time.Hour)}
	return &signin.Opened{Token: token, Expires: noon.Add(11 * time.Hour), User: &f.user, Destination: destination}
}

func (f *fake) Session(_ context.Context, v signin.Visitor, token string) (*signin.Session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.visitor = v
	if s := f.signedOn[token]; s != nil {
		return s, nil
	}
	return nil, signin.ErrNoSession
}

func (f *fake) SignIn(_ context.Context, in *signin.Instance, v signin.Visitor, _, password string) (*signin.Opened, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.visitor, f.typed = v, append(f.typed, password)
	switch {
	case f.broken != nil:
		return nil, f.broken
	case f.refuse != nil:
		return nil, f.refuse
	case password != rightPassword:
		return nil, &signin.Refusal{Reason: signin.WrongCredentials}
	case f.must:
		return &signin.Opened{MustChange: mustToken, User: &f.user}, nil
	}
	return f.open(in, signin.ByPassword, sessionToken, f.came), nil
}

func (f *fake) SignOut(_ context.Context, _ signin.Visitor, token string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left = append(f.left, token)
	delete(f.signedOn, token)
	return f.broken
}

func (f *fake) AskReset(_ context.Context, _ *signin.Instance, _ signin.Visitor, username string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, username)
	if f.refuse != nil {
		return f.refuse
	}
	return f.broken
}

func (f *fake) ResetTarget(_ context.Context, _ *signin.Instance, code string) (*signin.User, error) {
	if code != resetCode || f.used {
		return nil, &signin.Refusal{Reason: signin.LinkUsed}
	}
	return &f.user, nil
}

func (f *fake) Reset(_ context.Context, _ *signin.Instance, _ signin.Visitor, code, password string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.typed = append(f.typed, password)
	switch {
	case f.refuse != nil:
		return f.refuse
	case code != resetCode || f.used:
		return &signin.Refusal{Reason: signin.LinkUsed}
	}
	f.used = true
	return nil
}

func (f *fake) ChangePassword(_ context.Context, in *signin.Instance, _ signin.Visitor, must, current, password string) (*signin.Opened, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.typed = append(f.typed, password)
	switch {
	case f.refuse != nil:
		return nil, f.refuse
	case f.broken != nil:
		return nil, f.broken
	case must != mustToken && f.signedOn[must] == nil:
		return nil, signin.ErrNoSession
	case must != mustToken && current != rightPassword:
		return nil, &signin.Refusal{Reason: signin.WrongCredentials}
	}
	clear(f.signedOn)
	return f.open(in, signin.ByPassword, newerToken, ""), nil
}

func (f *fake) Ways(context.Context, *signin.Instance) ([]signin.Way, error) { return f.ways, f.broken }

func (f *fake) Begin(_ context.Context, _ *signin.Instance, w signin.Way, destination string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = append(f.begun, destination)
	if f.refuse != nil {
		return "", f.refuse
	}
	return "https://idp.example.org/" + string(w.Door) + "?" + url.Values{"state": {oidcState}}.Encode(), nil
}

func (f *fake) SAML(_ context.Context, in *signin.Instance, v signin.Visitor, _, relayState string) (*signin.Opened, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.visitor, f.relay = v, relayState
	if f.refuse != nil {
		return nil, f.refuse
	}
	return f.open(in, signin.BySAML, sessionToken, f.came), nil
}

func (f *fake) OIDC(_ context.Context, in *signin.Instance, _ signin.Visitor, back signin.Return) (*signin.Opened, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return nil, f.refuse
	}
	if back != (signin.Return{State: oidcState, Code: oidcCode, Issuer: oidcIssuer}) {
		return nil, &signin.Refusal{Reason: signin.NotAccepted}
	}
	return f.open(in, signin.ByOIDC, sessionToken, f.came), nil
}

func (f *fake) Refresh(_ context.Context, _ *signin.Instance, _ signin.Visitor, refresh string) (*signin.Tokens, error) {
	switch {
	case f.refuse != nil:
		return nil, f.refuse
	case f.broken != nil:
		return nil, f.broken
	case refresh != refreshToken:
		return nil, &signin.Refusal{Reason: signin.LinkUsed}
	}
	return &signin.Tokens{Access: "a", Refresh: "r", AccessExpires: noon.Add(time.Hour), RefreshExpires: noon.Add(12 * time.Hour)}, nil
}

func (f *fake) RedeemCode(_ context.Context, in *signin.Instance, _ signin.Visitor, code, _ string) (*signin.Opened, error) {
	return f.redeem(in, code, signInCode)
}

func (f *fake) RedeemToken(_ context.Context, in *signin.Instance, _ signin.Visitor, access, _ string) (*signin.Opened, error) {
	return f.redeem(in, access, accessToken)
}

func (f *fake) redeem(in *signin.Instance, secret, want string) (*signin.Opened, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return nil, f.refuse
	}
	if secret != want {
		return nil, &signin.Refusal{Reason: signin.LinkUsed}
	}
	return f.open(in, signin.ByFederation, sessionToken, f.came), nil
}

// site is the pages over a fake, with a browser's memory of cookies.
type site struct {
	t *testing.T
	*fake
	handler http.Handler
	url     string
	cookies map[string]*http.Cookie
	log     *bytes.Buffer
}

func newSite(t *testing.T, change ...func(*Options)) *site {
	t.Helper()
	s := &site{t: t, fake: newFake(), url: "http://127.0.0.1:8765", cookies: map[string]*http.Cookie{}, log: &bytes.Buffer{}}
	o := Options{
		Service: s.fake, People: s.fake, URL: func() string { return s.url }, Now: func() time.Time { return noon },
		Logger: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	for _, f := range change {
		f(&o)
	}
	s.handler = New(o)
	// Whatever a test does, its log holds no secret.
	t.Cleanup(func() {
		for _, secret := range secrets {
			if strings.Contains(s.log.String(), secret) {
				t.Errorf("%s is in the log:\n%s", secret, s.log)
			}
		}
	})
	return s
}

// do sends a request, with the cookies that it has got.
func (s *site) do(method, target string, form url.Values, change ...func(*http.Request)) *answered {
	s.t.Helper()
	var body io.Reader = http.NoBody
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, "http://127.0.0.1:8765"+target, body)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range s.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(s.cookies, c.Name)
			continue
		}
		s.cookies[c.Name] = c
	}
	a := &answered{w, w.Body.String()}
	for _, secret := range secrets {
		if strings.Contains(a.body, secret) {
			s.t.Errorf("%s %s: %s is in the page:\n%s", method, r.URL.Path, secret, a.body)
		}
		if strings.Contains(a.location(), secret) && !strings.HasPrefix(a.location(), "https://idp.example.org/") {
			s.t.Errorf("%s %s: %s is in the address %s", method, r.URL.Path, secret, a.location())
		}
	}
	return a
}

func (s *site) get(target string, change ...func(*http.Request)) *answered {
	s.t.Helper()
	return s.do(http.MethodGet, target, nil, change...)
}

func (s *site) post(target string, form url.Values, change ...func(*http.Request)) *answered {
	s.t.Helper()
	return s.do(http.MethodPost, target, form, change...)
}

// signedIn has a session of an instance.
func (s *site) signedIn(in *signin.Instance, d signin.Door) {
	s.open(in, d, sessionToken, "")
	s.cookies[Cookie] = &http.Cookie{Name: Cookie, Value: sessionToken}
}

// answered is an answer that has been read.
type answered struct {
	*httptest.ResponseRecorder
	body string
}

func (a *answered) location() string { return a.Header().Get("Location") }

// want checks a page: its status and what must be in it.
func (a *answered) want(t *testing.T, status int, texts ...string) {
	t.Helper()
	if a.Code != status {
		t.Errorf("status %d, want %d:\n%s", a.Code, status, a.body)
	}
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			t.Errorf("%q is not in the page:\n%s", text, a.body)
		}
	}
}

// leads checks a redirect.
func (a *answered) leads(t *testing.T, to string) {
	t.Helper()
	if a.Code != http.StatusSeeOther || a.location() != to {
		t.Errorf("status %d to %q, want 303 to %q:\n%s", a.Code, a.location(), to, a.body)
	}
	if a.body != "" {
		t.Errorf("the redirect has a body: %s", a.body)
	}
}

// formToken is the value of the hidden input that forms are protected by.
func (a *answered) formToken(t *testing.T) string {
	t.Helper()
	_, rest, ok := strings.Cut(a.body, `name="form" value="`)
	token, _, ok2 := strings.Cut(rest, `"`)
	if !ok || !ok2 || token == "" {
		t.Fatalf("the page has no form token:\n%s", a.body)
	}
	return token
}

var errBroken = errors.New("the disk is on fire")

// from is a request that comes from an address.
func from(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }

// header sets a header of a request.
func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, value) }
}

// host names the server as the browser does.
func host(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }

var loopbackNetwork = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
