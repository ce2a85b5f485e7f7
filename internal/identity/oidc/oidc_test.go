package oidc

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestSignIn(t *testing.T) {
	claim := func(name string) func(*Config) { return func(c *Config) { c.UsernameClaim = name } }
	algorithms := func(names ...string) func(map[string]any) {
		return func(d map[string]any) { d["id_token_signing_alg_values_supported"] = names }
	}
	methods := func(names ...string) func(map[string]any) {
		return func(d map[string]any) { d["token_endpoint_auth_methods_supported"] = names }
	}
	k := testKeys()
	for _, c := range []struct {
		name   string
		change func(*testProvider)
		config func(*Config)
		want   string // Username
		auth   string
	}{
		{name: "plain", want: "jane", auth: "basic"},
		{name: "sub", config: claim("sub"), want: "subject-1", auth: "basic"},
		{name: "e-mail", config: claim("email"), want: "jane@example.org", auth: "basic"},
		{
			name: "e-mail verified by a string", config: claim("email"), want: "jane@example.org", auth: "basic",
			change: func(p *testProvider) { p.claims = set("email_verified", "true") },
		},
		{name: "case is kept", change: func(p *testProvider) { p.claims = set("preferred_username", "Jane.Döe") }, want: "Jane.Döe", auth: "basic"},
		{name: "client_secret_post", change: func(p *testProvider) { p.document = methods("private_key_jwt", "client_secret_post") }, want: "jane", auth: "post"},
		{name: "both", change: func(p *testProvider) { p.document = methods("client_secret_post", "client_secret_basic") }, want: "jane", auth: "basic"},
		{name: "public client", config: func(c *Config) { c.ClientSecret = "" }, want: "jane", auth: "none"},
		{name: "ES256", change: func(p *testProvider) {
			p.sign = func(b []byte) string { return signed(t, jose.ES256, k.ec, "ec", b) }
		}, want: "jane", auth: "basic"},
		{name: "EdDSA", change: func(p *testProvider) {
			p.sign = func(b []byte) string { return signed(t, jose.EdDSA, k.ed, "ed", b) }
		}, want: "jane", auth: "basic"},
		{name: "no kid", change: func(p *testProvider) {
			p.sign = func(b []byte) string { return signed(t, jose.RS256, k.rsa, "", b) }
		}, want: "jane", auth: "basic"},
		{name: "no algorithms", change: func(p *testProvider) {
			p.document = func(d map[string]any) { delete(d, "id_token_signing_alg_values_supported") }
		}, want: "jane", auth: "basic"},
		{name: "HS256 offered too", change: func(p *testProvider) { p.document = algorithms("HS256", "none", "RS256") }, want: "jane", auth: "basic"},
		{name: "for several, and given to us", change: func(p *testProvider) {
			p.claims = func(c map[string]any) { c["aud"], c["azp"] = []string{"account", clientID}, clientID }
		}, want: "jane", auth: "basic"},
		{name: "at_hash", change: func(p *testProvider) {
			p.tokens = set("access_token", "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y")
			p.claims = set("at_hash", "77QmUPtjPfzWtF2AnpK9RQ") // the example of OpenID Connect Core 1.0 §A.4
		}, want: "jane", auth: "basic"},
		{name: "a clock that is ahead by a minute", change: func(p *testProvider) { p.claims = set("iat", begin.Add(time.Minute).Unix()) }, want: "jane", auth: "basic"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := startProvider(t)
			if c.change != nil {
				c.change(p)
			}
			if c.config == nil {
				c.config = func(*Config) {}
			}
			got, err := p.signIn(t, p.client(t, c.config))
			if err != nil {
				t.Fatal(err)
			}
			if got.Username != c.want || got.Subject != "subject-1" {
				t.Errorf("it is %+v, want %s", got, c.want)
			}
			if p.auth != c.auth {
				t.Errorf("the client has told who it is by %s, want %s", p.auth, c.auth)
			}
		})
	}
}

func set(name string, value any) func(map[string]any) {
	return func(m map[string]any) { m[name] = value }
}

// unsigned makes a token that says it needs no signature (RFC 7519 §6).
func unsigned(alg string) func([]byte) string {
	return func(claims []byte) string {
		header, _ := json.Marshal(map[string]string{"alg": alg, "kid": "rsa"})
		return base64.RawURLEncoding.EncodeToString(header) + "." + base64.RawURLEncoding.EncodeToString(claims) + "."
	}
}

// Each way to be somebody else is refused.
func TestForged(t *testing.T) {
	k := testKeys()
	public := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&k.rsa.PublicKey)})
	pkix, err := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	hmac := func(key []byte) func([]byte) string {
		return func(b []byte) string { return signed(t, jose.HS256, key, "rsa", b) }
	}
	everything := func(p *testProvider) { // as if it were trusted
		p.document = set("id_token_signing_alg_values_supported", []string{"none", "HS256", "RS256", "ES256"})
	}
	tampered := func(change func(parts []string)) func([]byte) string {
		return func(b []byte) string {
			parts := strings.Split(signed(t, jose.RS256, k.rsa, "rsa", b), ".")
			change(parts)
			return strings.Join(parts, ".")
		}
	}
	for _, c := range []struct {
		name   string
		claims func(map[string]any)
		sign   func([]byte) string
		tokens func(map[string]any)
		config func(*Config)
		want   string
	}{
		{name: "nonce of another", claims: set("nonce", "another"), want: "nonce"},
		{name: "no nonce", claims: func(c map[string]any) { delete(c, "nonce") }, want: "nonce"},
		{name: "empty nonce", claims: set("nonce", ""), want: "nonce"},
		{name: "audience of another", claims: set("aud", "another"), want: "audience"},
		{name: "audience in another case", claims: set("aud", "RINGDOWN"), want: "audience"},
		{name: "no audience", claims: func(c map[string]any) { delete(c, "aud") }, want: "audience"},
		{name: "several audiences, not ours", claims: set("aud", []string{"a", "b"}), want: "audience"},
		{name: "several audiences and nobody it was given to", claims: set("aud", []string{clientID, "b"}), want: "to whom it was given"},
		{name: "given to another", claims: set("azp", "b"), want: "another client"},
		{name: "given to nobody", claims: set("azp", ""), want: "another client"},
		{name: "several audiences, given to another", claims: func(c map[string]any) { c["aud"], c["azp"] = []string{clientID, "b"}, "b" }, want: "another client"},
		{name: "issuer of another", claims: set("iss", "https://id.example.org"), want: "different provider"},
		{name: "no issuer", claims: func(c map[string]any) { delete(c, "iss") }, want: "different provider"},
		{name: "expired", claims: set("exp", begin.Add(-time.Second).Unix()), want: "expired"},
		{name: "no expiry", claims: func(c map[string]any) { delete(c, "exp") }, want: "expired"},
		{name: "not yet", claims: set("nbf", begin.Add(time.Hour).Unix()), want: "nbf"},
		{name: "issued in the future", claims: set("iat", begin.Add(time.Hour).Unix()), want: "future"},
		{name: "never issued", claims: func(c map[string]any) { delete(c, "iat") }, want: "when it was issued"},
		{name: "no subject", claims: func(c map[string]any) { delete(c, "sub") }, want: "subject"},
		{name: "a subject without end", claims: set("sub", strings.Repeat("a", 256)), want: "subject"},
		{name: "another access token", claims: set("at_hash", "77QmUPtjPfzWtF2AnpK9RQ"), want: "another access token"},

		{name: "signed by another, under our kid", sign: func(b []byte) string { return signed(t, jose.RS256, k.other, "rsa", b) }, want: "signature"},
		{name: "signed by another, under its own kid", sign: func(b []byte) string { return signed(t, jose.RS256, k.other, "other", b) }, want: "signature"},
		{name: "signed by another, under none", sign: func(b []byte) string { return signed(t, jose.RS256, k.other, "", b) }, want: "signature"},
		{name: "kid of another key", sign: func(b []byte) string { return signed(t, jose.RS256, k.rsa, "ec", b) }, want: "signature"},
		{name: "an algorithm that is not offered", sign: func(b []byte) string { return signed(t, jose.PS256, k.rsa, "rsa", b) }, want: "algorithm"},
		{name: "an algorithm that the key is not for", sign: func(b []byte) string { return signed(t, jose.RS512, k.rsa, "rsa", b) }, want: "algorithm"},
		{name: "alg none", sign: unsigned("none"), want: "algorithm"},
		{name: "alg None", sign: unsigned("None"), want: "algorithm"},
		{name: "no alg", sign: unsigned(""), want: "algorithm"},
		{name: "RS256 without signature", sign: unsigned("RS256"), want: ""},
		{name: "HS256 by the client's secret", sign: hmac([]byte(clientSecret)), want: "algorithm"},
		{name: "HS256 by the public key, PKCS 1", sign: hmac(public), want: "algorithm"},
		{name: "HS256 by the public key, PKIX", sign: hmac(pkix), want: "algorithm"},
		{name: "claims of another token", sign: tampered(func(p []string) {
			p[1] = base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"eve"}`))
		}), want: "signature"},
		{name: "signature cut", sign: tampered(func(p []string) { p[2] = p[2][:len(p[2])-4] }), want: "signature"},
		{name: "no token", sign: func([]byte) string { return "" }, want: "no ID token"},
		{name: "no JWT", sign: func([]byte) string { return "a.b" }, want: "ID token"},
		{name: "JSON serialisation with two signatures", sign: func(b []byte) string {
			s, err := jose.NewMultiSigner([]jose.SigningKey{{Algorithm: jose.RS256, Key: k.other}, {Algorithm: jose.RS256, Key: k.rsa}}, nil)
			if err != nil {
				t.Error(err)
				return ""
			}
			o, _ := s.Sign(b)
			return o.FullSerialize()
		}, want: "multiple signatures"},
		{name: "ID token that is no string", tokens: set("id_token", 7), want: "no ID token"},
		{name: "no access token", tokens: func(m map[string]any) { delete(m, "access_token") }, want: "cannot be read"},

		{name: "Username is no string", config: func(c *Config) { c.UsernameClaim = "number" }, want: "no number that is a string"},
		{name: "Username is null", claims: set("preferred_username", nil), want: "preferred_username"},
		{name: "Username is a list", claims: set("preferred_username", []string{"jane"}), want: "preferred_username"},
		{name: "Username is empty", claims: set("preferred_username", ""), want: "preferred_username"},
		{name: "no Username", config: func(c *Config) { c.UsernameClaim = "upn" }, want: "no upn"},
		{name: "Username in another case", config: func(c *Config) { c.UsernameClaim = "Preferred_Username" }, want: "Preferred_Username"},
		{name: "e-mail unverified", claims: set("email_verified", false), config: byEmail, want: "not verified"},
		{name: "e-mail unverified by a string", claims: set("email_verified", "false"), config: byEmail, want: "not verified"},
		{name: "e-mail verified by a number", claims: set("email_verified", 1), config: byEmail, want: "not verified"},
		{name: "e-mail perhaps verified", claims: func(c map[string]any) { delete(c, "email_verified") }, config: byEmail, want: "not verified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := startProvider(t)
			everything(p)
			p.claims, p.tokens = c.claims, c.tokens
			if c.sign != nil {
				p.sign = c.sign
			}
			if c.config == nil {
				c.config = func(*Config) {}
			}
			got, err := p.signIn(t, p.client(t, c.config))
			if got != nil || !errors.Is(err, ErrRefused) || errors.Is(err, ErrDown) {
				t.Fatalf("it is %+v, %v", got, err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %q, want %q", err, c.want)
			}
			noSecret(t, err)
		})
	}
}

func byEmail(c *Config) { c.UsernameClaim = "email" }

// noSecret checks that an error tells nothing that opens anything.
func noSecret(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{clientSecret, "CLIENT-SECRET", "ACCESS-TOKEN", "eyJ"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error %q holds %q", err, secret)
		}
	}
	if len(err.Error()) > 400 {
		t.Errorf("the error is %d bytes long", len(err.Error()))
	}
}

// What the browser brings back must belong to the attempt.
func TestAttempt(t *testing.T) {
	p := startProvider(t)
	client := p.client(t)
	other := NewAttempt()
	for _, c := range []struct {
		name   string
		change func(a *Attempt, state, code *string)
		want   string
		asked  bool // the token endpoint
	}{
		{"state of another", func(_ *Attempt, state, _ *string) { *state = other.State }, "state", false},
		{"no state", func(_ *Attempt, state, _ *string) { *state = "" }, "state", false},
		{"state in another case", func(_ *Attempt, state, _ *string) { *state = strings.ToLower(*state) }, "state", false},
		{"no attempt", func(a *Attempt, state, _ *string) { *a, *state = Attempt{}, "" }, "state", false},
		{"no nonce in the attempt", func(a *Attempt, _, _ *string) { a.Nonce = "" }, "state", false},
		{"no code", func(_ *Attempt, _, code *string) { *code = "" }, "code", false},
		{"code of nobody", func(_ *Attempt, _, code *string) { *code = "CODE" }, "invalid_grant", true},
		{"code of another attempt", func(a *Attempt, state, _ *string) { *a, *state = other, other.State }, "invalid_grant", true},
		{"verifier of another", func(a *Attempt, _, _ *string) { a.Verifier = other.Verifier }, "invalid_grant", true},
		{"nonce of another", func(a *Attempt, _, _ *string) { a.Nonce = other.Nonce }, "nonce", true},
	} {
		a := NewAttempt()
		to, err := client.Redirect(t.Context(), a, callback)
		if err != nil {
			t.Fatal(err)
		}
		state, code := p.visit(t, to)
		c.change(&a, &state, &code)
		before := p.count("/token")
		got, err := client.Finish(t.Context(), a, Return{State: state, Code: code}, callback, begin)
		if got != nil || !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
			continue
		}
		noSecret(t, err)
		if code != "" && strings.Contains(err.Error(), code) {
			t.Errorf("%s: the error %q holds the code", c.name, err)
		}
		if asked := p.count("/token") > before; asked != c.asked {
			t.Errorf("%s: that the provider was asked is %v", c.name, asked)
		}
	}

	t.Run("code used twice", func(t *testing.T) {
		a := NewAttempt()
		to, err := client.Redirect(t.Context(), a, callback)
		if err != nil {
			t.Fatal(err)
		}
		state, code := p.visit(t, to)
		if _, err := client.Finish(t.Context(), a, Return{State: state, Code: code}, callback, begin); err != nil {
			t.Fatal(err)
		}
		if got, err := client.Finish(t.Context(), a, Return{State: state, Code: code}, callback, begin); !errors.Is(err, ErrRefused) {
			t.Errorf("the second time: %+v, %v", got, err)
		}
	})
	t.Run("callback of another", func(t *testing.T) {
		a := NewAttempt()
		to, err := client.Redirect(t.Context(), a, callback)
		if err != nil {
			t.Fatal(err)
		}
		state, code := p.visit(t, to)
		if got, err := client.Finish(t.Context(), a, Return{State: state, Code: code}, callback+"2", begin); !errors.Is(err, ErrRefused) {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("secret of another", func(t *testing.T) {
		stranger := p.client(t, func(c *Config) { c.ClientSecret = "another" })
		if got, err := p.signIn(t, stranger); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "invalid_client") {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// TestIssuerOfReturn: a browser that another provider has sent back hands no code
// over, and neither does one that hides who has (RFC 9207 §2.4).
func TestIssuerOfReturn(t *testing.T) {
	for _, c := range []struct {
		name   string
		tells  any // authorization_response_iss_parameter_supported; nil: absent
		issuer func(own string) string
		want   string // empty: let in
	}{
		{"told", true, func(own string) string { return own }, ""},
		{"not told", true, func(string) string { return "" }, "does not say"},
		{"another", true, func(string) string { return "https://another.example" }, "another issuer"},
		{"nearly the same", true, func(own string) string { return own + "/" }, "another issuer"},
		{"in another case", true, strings.ToUpper, "another issuer"},
		{"told unasked", nil, func(own string) string { return own }, ""},
		{"another, unasked", nil, func(string) string { return "https://another.example" }, "another issuer"},
		{"another, though it says it tells none", false, func(string) string { return "https://another.example" }, "another issuer"},
		{"none unasked", nil, func(string) string { return "" }, ""},
		{"none, as it says", false, func(string) string { return "" }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := startProvider(t)
			if c.tells != nil {
				p.document = set("authorization_response_iss_parameter_supported", c.tells)
			}
			client := p.client(t)
			a := NewAttempt()
			to, err := client.Redirect(t.Context(), a, callback)
			if err != nil {
				t.Fatal(err)
			}
			state, code := p.visit(t, to)
			got, err := client.Finish(t.Context(), a, Return{State: state, Code: code, Issuer: c.issuer(p.URL)}, callback, begin)
			if c.want == "" {
				if err != nil || got.Username != "jane" {
					t.Fatalf("got %+v, %v", got, err)
				}
				return
			}
			if got != nil || !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %+v, %v", got, err)
			}
			if p.count("/token") > 0 {
				t.Error("the code has been handed over")
			}
		})
	}
}

func TestNewAttempt(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		a := NewAttempt()
		for _, s := range []string{a.State, a.Nonce, a.Verifier} {
			if len(s) < 26 || seen[s] { // 26 letters of base 32 are 130 bits
				t.Fatalf("%+v can be guessed", a)
			}
			seen[s] = true
		}
		if len(a.Verifier) < 43 { // RFC 7636 §4.1
			t.Fatalf("the verifier of %+v is too short", a)
		}
	}
}

// The verifier stays here; its hash goes with the browser.
func TestRedirect(t *testing.T) {
	p := startProvider(t)
	p.document = func(d map[string]any) { d["authorization_endpoint"] = p.URL + "/authorize?tenant=a" }
	client := p.client(t, func(c *Config) { c.Scopes = []string{"groups"} })
	a := NewAttempt()
	to, err := client.Redirect(t.Context(), a, callback)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{
		"tenant": "a", "client_id": clientID, "redirect_uri": callback, "response_type": "code", "scope": "openid groups",
		"state": a.State, "nonce": a.Nonce, "code_challenge_method": "S256",
	} {
		if got := q.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if strings.Contains(to, a.Verifier) || strings.Contains(to, clientSecret) {
		t.Errorf("%s holds what is not for the browser", to)
	}
}

func TestTLS(t *testing.T) {
	p := startProvider(t, true)
	if got, err := p.signIn(t, p.client(t)); err != nil || got.Username != "jane" {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := p.signIn(t, p.client(t, func(c *Config) { c.CA = nil })); !errors.Is(err, ErrDown) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody known: %v", err)
	}
}

// A provider that cannot be used is down, whatever it is that is wrong.
func TestDown(t *testing.T) {
	at := func(path string, f func(http.ResponseWriter)) func(*testProvider) {
		return func(p *testProvider) {
			p.reply(func(w http.ResponseWriter, asked string) bool {
				if asked != path {
					return false
				}
				f(w)
				return true
			})
		}
	}
	const discovery = "/.well-known/openid-configuration"
	status := func(code int) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.WriteHeader(code)
			_, _ = io.WriteString(w, clientSecret)
		}
	}
	huge := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"issuer":"`)
		for range 64 {
			if _, err := io.WriteString(w, strings.Repeat("a", 64<<10)); err != nil {
				return
			}
		}
	}
	cut := func(w http.ResponseWriter) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "{")
	}
	elsewhere := func(w http.ResponseWriter) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	document := func(name string, value any) func(*testProvider) {
		return func(p *testProvider) { p.document = set(name, value) }
	}
	for _, c := range []struct {
		name   string
		change func(*testProvider)
		want   string
	}{
		{"not there", func(p *testProvider) { p.Close() }, "refused"},
		{"discovery 500", at(discovery, status(500)), "status 500"},
		{"discovery 404", at(discovery, status(404)), "status 404"},
		{"discovery elsewhere", at(discovery, elsewhere), "status 307"},
		{"discovery huge", at(discovery, huge), "too large"},
		{"discovery cut", at(discovery, cut), "EOF"},
		{"discovery no JSON", at(discovery, status(200)), "cannot be read"},
		{"discovery of another", document("issuer", "https://id.example.org/"), "another issuer, https://id.example.org/"},
		{"discovery of another, at length", document("issuer", strings.Repeat("a", 100_000)), "another issuer"},
		{"endpoint no string", document("token_endpoint", 7), "cannot be read"},
		{"endpoint in the clear", document("token_endpoint", "http://id.example.org/token"), "token_endpoint must begin with https"},
		{"authorization in the clear", document("authorization_endpoint", "http://id.example.org/"), "authorization_endpoint must begin"},
		{"authorization by script", document("authorization_endpoint", "javascript:alert(1)"), "authorization_endpoint must"},
		{"keys in a file", document("jwks_uri", "file:///etc/passwd"), "jwks_uri must"},
		{"keys nowhere", document("jwks_uri", ""), "jwks_uri must"},
		{"no algorithm to trust", document("id_token_signing_alg_values_supported", []string{"none", "HS256"}), "no algorithm"},
		{"no way to tell who we are", document("token_endpoint_auth_methods_supported", []string{"private_key_jwt"}), "client_secret_basic"},
		{"keys 500", at("/keys", status(500)), "keys: it answered with status 500"},
		{"keys huge", at("/keys", huge), "too large"},
		{"keys cut", at("/keys", cut), "EOF"},
		{"token 503", at("/token", status(503)), "token endpoint: it answered with status 503"},
		{"token 429", at("/token", status(429)), "token endpoint: it answered with status 429"},
		{"token huge", at("/token", huge), "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := startProvider(t)
			c.change(p)
			got, err := p.signIn(t, p.client(t))
			if got != nil || !errors.Is(err, ErrDown) || errors.Is(err, ErrRefused) {
				t.Fatalf("%+v, %v", got, err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %q, want %q", err, c.want)
			}
			noSecret(t, err)
			if p.count("/elsewhere") != 0 {
				t.Error("it was followed elsewhere")
			}
		})
	}
	// At the token endpoint some answers are refusals: nothing is down, and nobody
	// comes in.
	for _, c := range []struct {
		name   string
		change func(*testProvider)
		want   string
	}{
		{"token elsewhere", at("/token", elsewhere), "status 307"},
		{"token no JSON", at("/token", status(200)), "token endpoint"},
		{"token 400 and nothing known", at("/token", func(w http.ResponseWriter) {
			writeJSON(w, 400, map[string]any{"error": clientSecret, "error_description": clientSecret})
		}), "status 400"},
		{"keys no JSON", at("/keys", status(200)), "signature"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := startProvider(t)
			c.change(p)
			got, err := p.signIn(t, p.client(t))
			if got != nil || !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%+v, %v", got, err)
			}
			noSecret(t, err)
			if p.count("/elsewhere") != 0 {
				t.Error("the code was sent elsewhere")
			}
		})
	}
}

// hangs has a provider not answer at a path. It tells when it is asked, and
// forgets all requests when the test ends.
func (p *testProvider) hangs(t *testing.T, path string) (asked chan struct{}) {
	t.Helper()
	asked, done := make(chan struct{}, 100), make(chan struct{})
	t.Cleanup(func() { close(done) })
	p.reply(func(_ http.ResponseWriter, at string) bool {
		if at != path {
			return false
		}
		asked <- struct{}{}
		<-done
		return true
	})
	return asked
}

func TestSlow(t *testing.T) {
	for _, path := range []string{"/.well-known/openid-configuration", "/token", "/keys"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			p := startProvider(t)
			client := p.client(t, func(c *Config) { c.Timeout = 200 * time.Millisecond })
			p.hangs(t, path)
			if got, err := p.signIn(t, client); !errors.Is(err, ErrDown) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// A clock that is turned by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestDiscoveryIsRemembered(t *testing.T) {
	const discovery = "/.well-known/openid-configuration"
	p := startProvider(t)
	c := &clock{now: begin}
	client := p.client(t, func(cfg *Config) { cfg.Now = c.Now })
	check := func(what string, works bool, documents, keys int) {
		t.Helper()
		if _, err := p.signIn(t, client); (err == nil) != works || err != nil && !errors.Is(err, ErrDown) {
			t.Errorf("%s: %v", what, err)
		}
		if d, k := p.count(discovery), p.count("/keys"); d != documents || k != keys {
			t.Errorf("%s: discovery was read %d times and keys %d, want %d and %d", what, d, k, documents, keys)
		}
	}
	if p.count(discovery) != 0 {
		t.Error("the provider was asked before anybody signed in")
	}
	down := func(w http.ResponseWriter, _ string) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	}
	p.reply(down)
	check("down", false, 1, 0)
	check("still down, and remembered", false, 1, 0)
	p.reply(nil)
	check("back, but remembered", false, 1, 0)
	c.turn(5 * time.Second)
	check("back", true, 2, 1)
	check("again", true, 2, 1)
	c.turn(59 * time.Minute)
	check("not an hour old", true, 2, 1)
	c.turn(time.Minute)
	check("an hour old", true, 3, 2)
	c.turn(-24 * time.Hour)
	check("a clock that was put back", true, 4, 3)

	// A key that was withdrawn is not trusted beyond the hour.
	p.mu.Lock()
	p.keys = p.keys[1:]
	p.mu.Unlock()
	c.turn(time.Hour)
	if _, err := p.signIn(t, client); !errors.Is(err, ErrRefused) {
		t.Errorf("signed by a key that was withdrawn: %v", err)
	}
	p.mu.Lock()
	p.keys = append(p.keys, jose.JSONWebKey{Key: &testKeys().rsa.PublicKey, KeyID: "rsa"})
	p.mu.Unlock()
	if _, err := p.signIn(t, client); err != nil {
		t.Errorf("a key that has come anew: %v", err)
	}
}

// Many browsers at once ask a provider once, and who gives up does not speak for
// the others.
func TestConcurrent(t *testing.T) {
	const discovery = "/.well-known/openid-configuration"
	p := startProvider(t)
	client := p.client(t)
	asked := p.hangs(t, discovery)
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := client.Redirect(ctx, NewAttempt(), callback)
		first <- err
	}()
	<-asked
	waiting, giveUp := context.WithCancel(t.Context())
	go func() {
		_, err := client.Redirect(waiting, NewAttempt(), callback)
		second <- err
	}()
	giveUp()
	if err := <-second; !errors.Is(err, ErrDown) || !errors.Is(err, context.Canceled) {
		t.Errorf("who waits and gives up: %v", err)
	}
	cancel()
	if err := <-first; !errors.Is(err, ErrDown) || !errors.Is(err, context.Canceled) {
		t.Errorf("who asks and gives up: %v", err)
	}
	p.reply(nil)
	before := p.count(discovery)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got, err := p.signIn(t, client); err != nil || got.Username != "jane" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	if n := p.count(discovery) - before; n != 1 {
		t.Errorf("discovery was read %d times", n)
	}
}

func TestNew(t *testing.T) {
	good := Config{Name: "keycloak", Issuer: "https://id.example.org/realms/a", ClientID: "ringdown", ClientSecret: clientSecret}
	for _, issuer := range []string{good.Issuer, "http://127.0.0.1:8080", "http://localhost:8080/a/", "http://[::1]", "https://localhost"} {
		c := good
		c.Issuer = issuer
		if _, err := New(c); err != nil {
			t.Errorf("%s: %v", issuer, err)
		}
	}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Name = "" }, "name"},
		{func(c *Config) { c.Name = "a/b" }, "name"},
		{func(c *Config) { c.Name = "a b" }, "name"},
		{func(c *Config) { c.Issuer = "" }, "issuer"},
		{func(c *Config) { c.Issuer = "id.example.org" }, "issuer"},
		{func(c *Config) { c.Issuer = "http://id.example.org" }, "issuer"},
		{func(c *Config) { c.Issuer = "http://localhost.example.org" }, "issuer"},
		{func(c *Config) { c.Issuer = "http://10.0.0.1" }, "issuer"},
		{func(c *Config) { c.Issuer = "https://user:pass@id.example.org" }, "issuer"},
		{func(c *Config) { c.Issuer = "https://id.example.org/?a=b" }, "issuer"},
		{func(c *Config) { c.Issuer = "https://id.example.org/#a" }, "issuer"},
		{func(c *Config) { c.Issuer = "ftp://id.example.org" }, "issuer"},
		{func(c *Config) { c.ClientID = "" }, "client-id"},
		{func(c *Config) { c.Scopes = []string{"openid profile"} }, "scopes"},
		{func(c *Config) { c.CA = []byte("none") }, "ca-file"},
	} {
		bad := good
		c.change(&bad)
		if _, err := New(bad); err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), clientSecret) {
			t.Errorf("%+v: %v, want %s", bad, err, c.want)
		}
	}
}

func TestNameLabelOpens(t *testing.T) {
	with := func(label string, instances ...string) *Provider {
		p, err := New(Config{Name: "a", Label: label, Issuer: "https://id.example.org", ClientID: "b", Instances: instances})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := with(""); p.Name() != "a" || p.Label() != "a" {
		t.Errorf("it is %q, %q", p.Name(), p.Label())
	}
	if p := with("Work account"); p.Label() != "Work account" {
		t.Errorf("its label is %q", p.Label())
	}
	const id = "6f2d9c1e-0000-4000-8000-000000000001"
	for _, c := range []struct {
		instances []string
		alias     string
		want      bool
	}{
		{nil, "", true},
		{nil, "sales", true},
		{[]string{id}, "", true},
		{[]string{"other", "Sales"}, "sales", true},
		{[]string{"other"}, "sales", false},
		{[]string{""}, "", false},
		{[]string{"6f2d9c1e-0000-4000-8000-000000000002"}, "sales", false},
	} {
		if got := with("", c.instances...).Opens(id, c.alias); got != c.want {
			t.Errorf("%q opens %q: %v", c.instances, c.alias, got)
		}
	}
}
