package server_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/go-jose/go-jose/v4"

	"ringdown/internal/audit"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// A visitor is a browser in front of one server. It goes where it is sent, and
// keeps Secure cookies of 127.0.0.1 over HTTP, as browsers do (W3C Secure
// Contexts §3.1) and net/http/cookiejar does not.
type visitor struct {
	t      *testing.T
	base   string
	client *http.Client

	mu      sync.Mutex
	cookies map[string]map[string]string // by host
}

// A page is where a visitor has come to.
type page struct {
	status int
	path   string
	body   string
}

func newVisitor(t *testing.T, s *servertest.Server, tap *wiretap) *visitor {
	t.Helper()
	v := &visitor{t: t, base: s.URL, cookies: map[string]map[string]string{}}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	v.client = &http.Client{Jar: v, Timeout: time.Minute, Transport: tap.on(transport)}
	return v
}

// SetCookies implements http.CookieJar.
func (v *visitor) SetCookies(u *url.URL, cookies []*http.Cookie) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range cookies {
		if v.cookies[u.Host] == nil {
			v.cookies[u.Host] = map[string]string{}
		}
		if c.MaxAge < 0 {
			delete(v.cookies[u.Host], c.Name)
			continue
		}
		v.cookies[u.Host][c.Name] = c.Value
	}
}

// Cookies implements http.CookieJar.
func (v *visitor) Cookies(u *url.URL) (cookies []*http.Cookie) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for name, value := range v.cookies[u.Host] {
		cookies = append(cookies, &http.Cookie{Name: name, Value: value})
	}
	return cookies
}

// get goes to a path of the server, or to a URL.
func (v *visitor) get(where string) page {
	v.t.Helper()
	return v.do(http.MethodGet, where, nil)
}

// post sends a form of the server's own.
func (v *visitor) post(where string, fields ...string) page {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return v.do(http.MethodPost, where, form)
}

func (v *visitor) do(method, where string, form url.Values) page {
	v.t.Helper()
	if strings.HasPrefix(where, "/") {
		where = v.base + where
	}
	r, err := http.NewRequestWithContext(v.t.Context(), method, where, strings.NewReader(form.Encode()))
	servertest.OK(v.t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", v.base)
	}
	resp, err := v.client.Do(r)
	servertest.OK(v.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	servertest.OK(v.t, err)
	return page{resp.StatusCode, resp.Request.URL.Path, string(body)}
}

// is checks where a visitor is, and what the page says.
func (v *visitor) is(what string, p page, status int, path, says string) {
	v.t.Helper()
	if p.status != status || p.path != path || !strings.Contains(p.body, says) {
		v.t.Fatalf("%s: the visitor is at %s, %d, want %s, %d and %q\n%s", what, p.path, p.status, path, status, says, p.body)
	}
}

// hidden is the value of a hidden input.
func (v *visitor) hidden(p page, name string) string {
	v.t.Helper()
	_, rest, ok := strings.Cut(p.body, `name="`+name+`" value="`)
	value, _, end := strings.Cut(rest, `"`)
	if !ok || !end {
		v.t.Fatalf("there is no %s in\n%s", name, p.body)
	}
	return value
}

// audited are the events of a server's audit log.
func audited(t *testing.T, s *servertest.Server) (events []audit.Event) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.Data, "audit.jsonl"))
	servertest.OK(t, err)
	for line := range strings.Lines(string(raw)) {
		var e audit.Event
		servertest.OK(t, json.Unmarshal([]byte(line), &e))
		events = append(events, e)
	}
	return events
}

// lastAudited checks the last event.
func lastAudited(t *testing.T, s *servertest.Server, want audit.Event) {
	t.Helper()
	all := audited(t, s)
	got := all[len(all)-1]
	if got.From != "127.0.0.1" || got.RequestID == "" || got.Time.IsZero() {
		t.Errorf("the event does not say when, from where and in which request: %+v", got)
	}
	got.Time, got.From, got.RequestID, got.UserID, got.Reason = time.Time{}, "", "", "", ""
	if got != want {
		t.Errorf("the event is %+v, want %+v", got, want)
	}
}

// newPersonOf makes a user of an instance.
func newPersonOf(t *testing.T, s *servertest.Server, instance, name string, change ...func(*connect.CreateUserInput)) string {
	t.Helper()
	routing, err := s.Connect.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &instance})
	servertest.OK(t, err)
	security, err := s.Connect.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &instance})
	servertest.OK(t, err)
	in := &connect.CreateUserInput{
		InstanceId: &instance, Username: &name, RoutingProfileId: routing.RoutingProfileSummaryList[0].Id,
		SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
		IdentityInfo:       &types.UserIdentityInfo{FirstName: aws.String("Jane"), LastName: aws.String("Doe")},
		PhoneConfig:        &types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone},
	}
	for _, f := range change {
		f(in)
	}
	out, err := s.Connect.CreateUser(t.Context(), in)
	servertest.OK(t, err)
	return *out.UserId
}

// openID is a provider that lets in whomever it is told to.
type openID struct {
	*httptest.Server
	key *rsa.PrivateKey

	mu       sync.Mutex
	username string
	subject  string
	refusal  string                // what it answers the browser with, in place of a code
	broken   bool                  // it gives no tokens
	codes    map[string]url.Values // what each was asked for with
	returned string                // where the browser was last sent back to
}

const (
	openIDClient = "ringdown"
	openIDSecret = "OPENID-CLIENT-SECRET"
)

func startOpenID(t *testing.T) *openID {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	servertest.OK(t, err)
	p := &openID{key: key, username: "jane", subject: "1001", codes: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answerJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "1", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) { p.token(t, w, r) })
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (p *openID) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := r.URL.Query()
	back := url.Values{"state": {q.Get("state")}}
	if p.refusal != "" {
		back.Set("error", p.refusal)
	} else {
		code := "OPENID-CODE-" + rand.Text()
		p.codes[code] = q
		back.Set("code", code)
	}
	p.returned = q.Get("redirect_uri") + "?" + back.Encode()
	http.Redirect(w, r, p.returned, http.StatusFound)
}

func (p *openID) token(t *testing.T, w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	asked := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case p.broken:
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	case id != openIDClient, secret != openIDSecret, asked == nil, asked.Get("redirect_uri") != r.PostFormValue("redirect_uri"),
		asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]):
		w.WriteHeader(http.StatusBadRequest)
		answerJSON(w, map[string]string{"error": "invalid_grant"})
		return
	}
	claims, err := json.Marshal(map[string]any{
		"iss": p.URL, "aud": openIDClient, "sub": p.subject, "preferred_username": p.username, "nonce": asked.Get("nonce"),
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	})
	if err != nil {
		t.Error(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: "1"}}, nil)
	if err != nil {
		t.Error(err)
	}
	token, err := signer.Sign(claims)
	if err != nil {
		t.Error(err)
	}
	compact, err := token.CompactSerialize()
	if err != nil {
		t.Error(err)
	}
	answerJSON(w, map[string]any{"access_token": "OPENID-ACCESS-TOKEN", "token_type": "Bearer", "id_token": compact})
}

// is has the provider let in somebody else from now on.
func (p *openID) is(subject, username string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subject, p.username = subject, username
}

// config is how a server is told of the provider.
func (p *openID) config(name string, instances ...string) server.OIDCProvider {
	return server.OIDCProvider{Name: name, Label: "Work account", Issuer: p.URL, ClientID: openIDClient, ClientSecret: openIDSecret, Instances: instances}
}

func TestSigningInByOpenIDConnect(t *testing.T) {
	p := startOpenID(t)
	log := &servertest.Log{}
	s := servertest.Boot(t, func(c *server.Config) {
		c.Logger, c.SignIn.OIDC = log.Logger(), []server.OIDCProvider{p.config("corp")}
	})
	in := s.NewInstance(t)
	newPersonOf(t, s, in, "jane")
	newPersonOf(t, s, in, "eve")
	root := "/-/login/" + in
	const callback = "/-/login/oidc/callback"
	ok := audit.Event{Event: audit.SignIn, Outcome: audit.OK, Door: "oidc", Instance: in, User: "jane", Provider: "corp"}
	refused := ok
	refused.Outcome = audit.Refused

	jane := newVisitor(t, s, nil)
	// With one provider the sign-in page leads straight to it, and back.
	jane.is("sign-in", jane.get(root), http.StatusOK, root+"/home", "You are signed in")
	lastAudited(t, s, ok)
	jane.is("sign-in when signed in", jane.get(root), http.StatusOK, root+"/home", "You are signed in")

	other := newVisitor(t, s, nil)
	other.is("with a destination", other.get(root+"?destination=/-/healthy"), http.StatusOK, "/-/healthy", "ok")
	other.is("the same person elsewhere", other.get(root+"/home"), http.StatusOK, root+"/home", "jane")
	lastAudited(t, s, ok)
	elsewhere := newVisitor(t, s, nil)
	elsewhere.is("with a destination that is not ours", elsewhere.get(root+"?destination=https://example.org/"), http.StatusOK, root+"/home", "You are signed in")

	// What a browser has brought back once is worth nothing.
	p.mu.Lock()
	returned := p.returned
	p.mu.Unlock()
	elsewhere.is("the way back again", elsewhere.get(returned), http.StatusBadRequest, callback, "not begun here")
	stranger := newVisitor(t, s, nil)
	stranger.is("the way back of another browser", stranger.get(returned), http.StatusBadRequest, callback, "not begun here")
	stranger.is("the way back with a state of nobody's", stranger.get(callback+"?state=a&code=b"), http.StatusBadRequest, callback, "not begun here")

	// Another person of the provider is not Jane, though it says so; and Jane is.
	p.is("6666", "jane")
	mallory := newVisitor(t, s, nil)
	mallory.is("another subject", mallory.get(root), http.StatusForbidden, callback, "belongs to another identity")
	lastAudited(t, s, refused)
	mallory.is("and then", mallory.get(root+"/home?choose"), http.StatusForbidden, callback, "belongs to another identity")
	p.is("1001", "jane")
	mallory.is("the right one", mallory.get(root), http.StatusOK, root+"/home", "jane")

	refused.User = ""
	for what, name := range map[string]string{"no user": "nobody", "another case": "Jane", "a space": "jane ", "what could be code": `<script>alert("1")</script>`} {
		p.is("1002", name)
		v := newVisitor(t, s, nil)
		v.is(what, v.get(root), http.StatusForbidden, callback, "You are not a user of this contact centre")
		lastAudited(t, s, refused)
	}

	p.mu.Lock()
	p.refusal = "access_denied"
	p.mu.Unlock()
	v := newVisitor(t, s, nil)
	v.is("refused by the provider", v.get(root), http.StatusForbidden, callback, "You have not been signed in")
	p.mu.Lock()
	p.refusal, p.broken = "", true
	p.mu.Unlock()
	v.is("broken", v.get(root), http.StatusBadGateway, callback, "cannot be reached")
	failed := refused
	failed.Outcome = audit.Failed
	lastAudited(t, s, failed)
	p.mu.Lock()
	p.broken = false
	p.mu.Unlock()
	p.is("1003", "eve")
	v.is("mended", v.get(root), http.StatusOK, root+"/home", "eve")

	for _, secret := range []string{openIDSecret, "OPENID-CODE-", "OPENID-ACCESS-TOKEN"} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}

// A provider that is down keeps neither the server from starting nor others from
// coming in, and is asked again.
func TestOpenIDConnectIsDown(t *testing.T) {
	up, down := startOpenID(t), startOpenID(t)
	down.Close()
	s := servertest.Boot(t, func(c *server.Config) { c.SignIn.OIDC = []server.OIDCProvider{up.config("up"), down.config("down")} })
	in := s.NewInstance(t)
	newPersonOf(t, s, in, "jane")
	root := "/-/login/" + in
	v := newVisitor(t, s, nil)
	v.is("the choice", v.get(root), http.StatusOK, root, root+"/oidc/start?provider=down")
	v.is("the one that is down", v.get(root+"/oidc/start?provider=down"), http.StatusBadGateway, root+"/oidc/start", "cannot be reached")
	v.is("the one that is up", v.get(root+"/oidc/start?provider=up"), http.StatusOK, root+"/home", "jane")
}

// A provider opens the instances that it was configured for.
func TestOpenIDConnectOfOtherInstances(t *testing.T) {
	p := startOpenID(t)
	s := servertest.Boot(t, func(c *server.Config) { c.SignIn.OIDC = []server.OIDCProvider{p.config("corp", "sales")} })
	in := s.NewInstance(t)
	newPersonOf(t, s, in, "jane")
	root := "/-/login/" + in
	v := newVisitor(t, s, nil)
	v.is("not this one", v.get(root), http.StatusOK, root, "No identity provider")
	v.is("even when asked for", v.get(root+"/oidc/start?provider=corp"), http.StatusNotFound, root+"/oidc/start", "no such identity provider")
	managed := s.NewInstanceOf(t, types.DirectoryTypeConnectManaged)
	v.is("nor one with passwords", v.get("/-/login/"+managed+"/oidc/start?provider=corp"), http.StatusNotFound, "/-/login/"+managed+"/oidc/start", "no such identity provider")
}

func TestOpenIDConnectConfig(t *testing.T) {
	for _, c := range []struct {
		change func(*server.SignIn)
		want   string
	}{
		{func(s *server.SignIn) { s.OIDC[0].Issuer = "http://id.example.org" }, "sign-in: oidc[0]: issuer"},
		{func(s *server.SignIn) { s.OIDC[0].ClientID = "" }, "sign-in: oidc[0]: client-id"},
		{func(s *server.SignIn) { s.OIDC[0].CAFile = "/none" }, "sign-in: oidc[0]: ca-file"},
		{func(s *server.SignIn) { s.OIDC = append(s.OIDC, s.OIDC[0]) }, "sign-in: oidc[1]: the name corp is there twice"},
		{func(s *server.SignIn) { s.SMTP = server.SMTP{Server: "mail.example.org:25"} }, "sign-in: smtp: from"},
		{func(s *server.SignIn) { s.Audit = "/none/audit.jsonl" }, "sign-in: audit: "},
	} {
		cfg := server.Config{Listen: "127.0.0.1:0", Data: t.TempDir(), SignIn: server.SignIn{
			OIDC: []server.OIDCProvider{{Name: "corp", Issuer: "https://id.example.org", ClientID: openIDClient, ClientSecret: openIDSecret}},
		}}
		c.change(&cfg.SignIn)
		s, err := server.Start(t.Context(), cfg)
		if err == nil {
			servertest.OK(t, s.Close())
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), openIDSecret) {
			t.Errorf("the error is %v, want %s", err, c.want)
		}
	}
}
