package oidc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// These are known to the provider, and may not be in any error.
const (
	clientID     = "ringdown"
	clientSecret = "CLIENT-SECRET-0123456789-0123456789" // as long as HS256 asks for
	callback     = "https://connect.example.org/-/login/oidc/callback"
)

// begin is the time of most tests.
var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// keys are made once: those of RSA take a while.
var testKeys = sync.OnceValue(func() (k struct {
	rsa, other *rsa.PrivateKey
	ec         *ecdsa.PrivateKey
	ed         ed25519.PrivateKey
},
) {
	k.rsa, _ = rsa.GenerateKey(rand.Reader, 2048)
	k.other, _ = rsa.GenerateKey(rand.Reader, 2048)
	k.ec, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.ed, _ = ed25519.GenerateKey(rand.Reader)
	return k
})

// A testProvider is an identity provider, within the test.
type testProvider struct {
	*httptest.Server

	mu       sync.Mutex
	requests map[string]int        // by path
	codes    map[string]url.Values // what each was asked for with; once
	auth     string                // how the client last said who it is: basic, post, none

	// What it does otherwise than a good one.
	document func(map[string]any)                   // changes the discovery document
	claims   func(map[string]any)                   // changes the claims of the ID token
	sign     func(claims []byte) string             // signs in another way
	tokens   func(map[string]any)                   // changes the token endpoint's answer
	answer   func(http.ResponseWriter, string) bool // answers instead, at a path
	keys     []jose.JSONWebKey                      // that it publishes
}

func startProvider(t *testing.T, tls ...bool) *testProvider {
	t.Helper()
	p := &testProvider{requests: map[string]int{}, codes: map[string]url.Values{}}
	k := testKeys()
	p.keys = []jose.JSONWebKey{
		{Key: &k.rsa.PublicKey, KeyID: "rsa", Algorithm: "RS256", Use: "sig"},
		{Key: &k.ec.PublicKey, KeyID: "ec", Use: "sig"},
		{Key: k.ed.Public(), KeyID: "ed", Use: "sig"},
	}
	p.sign = func(claims []byte) string { return signed(t, jose.RS256, k.rsa, "rsa", claims) }
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		d := map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256", "ES256", "EdDSA"},
		}
		if p.document != nil {
			p.document(d)
		}
		writeJSON(w, 200, d)
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		writeJSON(w, 200, jose.JSONWebKeySet{Keys: p.keys})
	})
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.requests[r.URL.Path]++
		answer := p.answer
		p.mu.Unlock()
		if answer == nil || !answer(w, r.URL.Path) {
			mux.ServeHTTP(w, r)
		}
	})
	p.Server = httptest.NewUnstartedServer(handler)
	p.Config.ErrorLog = nil
	if len(tls) > 0 {
		p.StartTLS()
	} else {
		p.Start()
	}
	t.Cleanup(p.Close)
	return p
}

// authorize signs Jane in at once.
func (p *testProvider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != clientID || q.Get("redirect_uri") != callback || q.Get("response_type") != "code" ||
		q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("state") == "" || q.Get("nonce") == "" ||
		!strings.Contains(" "+q.Get("scope")+" ", " openid ") {
		http.Error(w, "bad request: "+r.URL.RawQuery, http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.codes[code] = q
	p.mu.Unlock()
	back := url.Values{"code": {code}, "state": {q.Get("state")}}
	http.Redirect(w, r, callback+"?"+back.Encode(), http.StatusFound)
}

// token gives an ID token for a code.
func (p *testProvider) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, code string) {
		writeJSON(w, status, map[string]any{"error": code, "error_description": "of " + r.PostFormValue("code") + " " + clientSecret})
	}
	id, secret, basic := r.BasicAuth()
	auth := "basic"
	if !basic {
		id, secret, auth = r.PostFormValue("client_id"), r.PostFormValue("client_secret"), "post"
		if secret == "" {
			auth = "none"
		}
	}
	p.mu.Lock()
	p.auth = auth
	asked := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != clientID || secret != clientSecret && auth != "none":
		refuse(http.StatusUnauthorized, "invalid_client")
		return
	case r.PostFormValue("grant_type") != "authorization_code", asked == nil, asked.Get("redirect_uri") != r.PostFormValue("redirect_uri"),
		asked.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(sum[:]):
		refuse(http.StatusBadRequest, "invalid_grant")
		return
	}
	claims := map[string]any{
		"iss": p.URL, "sub": "subject-1", "aud": clientID, "exp": begin.Add(time.Minute).Unix(), "iat": begin.Unix(), "nonce": asked.Get("nonce"),
		"preferred_username": "jane", "email": "jane@example.org", "email_verified": true, "number": 7,
	}
	if p.claims != nil {
		p.claims(claims)
	}
	raw, _ := json.Marshal(claims)
	out := map[string]any{"access_token": "ACCESS-TOKEN", "token_type": "Bearer", "expires_in": 300, "id_token": p.sign(raw)}
	if p.tokens != nil {
		p.tokens(out)
	}
	writeJSON(w, 200, out)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// signed makes a compact token.
func signed(t *testing.T, alg jose.SignatureAlgorithm, key any, kid string, claims []byte) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := s.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	out, err := o.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (p *testProvider) count(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[path]
}

// reply has the provider answer otherwise from now on; nil: as ever.
func (p *testProvider) reply(f func(http.ResponseWriter, string) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

// config is that of a client that the provider knows.
func (p *testProvider) config() Config {
	c := Config{Name: "test", Issuer: p.URL, ClientID: clientID, ClientSecret: clientSecret, Timeout: 5 * time.Second}
	if p.TLS != nil {
		c.CA = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw})
	}
	return c
}

// client is a Provider for it.
func (p *testProvider) client(t *testing.T, change ...func(*Config)) *Provider {
	t.Helper()
	c := p.config()
	for _, f := range change {
		f(&c)
	}
	out, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// visit goes where the browser was sent and returns what it brings back.
func (p *testProvider) visit(t *testing.T, to string) (state, code string) {
	t.Helper()
	browser := *p.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := browser.Get(to)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		t.Fatalf("the provider did not send the browser back: %s", resp.Status)
	}
	return back.Query().Get("state"), back.Query().Get("code")
}

// signIn goes all the way.
func (p *testProvider) signIn(t *testing.T, client *Provider) (*Identity, error) {
	t.Helper()
	a := NewAttempt()
	to, err := client.Redirect(t.Context(), a, callback)
	if err != nil {
		return nil, err
	}
	state, code := p.visit(t, to)
	return client.Finish(t.Context(), a, Return{State: state, Code: code}, callback, begin)
}
