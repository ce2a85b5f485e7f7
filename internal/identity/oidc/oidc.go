// Package oidc signs users in through OpenID Connect providers (OpenID Connect
// Core 1.0 §3.1, authorization code flow) with PKCE (RFC 7636).
//
// A provider is asked over TLS, or on this machine, within bounds of time and
// size, and nothing that it answers is repeated in an error but the codes of
// RFC 6749 §5.2: an answer may hold a token or the client's secret.
package oidc

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// Config is a provider.
type Config struct {
	Name         string // unique; part of URLs
	Label        string // on the button; empty: Name
	Issuer       string // URL; https but for loopback
	ClientID     string
	ClientSecret string // empty: a public client
	// UsernameClaim is the claim of the ID token that is the Username; empty:
	// preferred_username.
	UsernameClaim string
	Scopes        []string // empty: openid profile email
	// Instances are ids or aliases of the instances that it opens; empty: all of
	// type SAML.
	Instances []string
	CA        []byte // PEM of who signed the provider's certificate; empty: the system's

	// Timeout bounds each request to the provider; 0: 10 seconds.
	Timeout time.Duration
	// Now tells how old a discovery document is; nil: time.Now.
	Now func() time.Time
}

// Provider is a configured provider. Its discovery document is read when it is
// first needed and again after a failure, so that a provider that is down does
// not keep the server from starting. It is safe for concurrent use.
type Provider struct {
	config Config
	client *http.Client
	lookup lookup
}

const (
	defaultClaim   = "preferred_username"
	emailClaim     = "email"
	defaultTimeout = 10 * time.Second
)

var defaultScopes = []string{"openid", "profile", "email"}

// namePattern is what can be a part of a URL without being escaped (RFC 3986
// §2.3).
var namePattern = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,64}$`)

// scopePattern is scope-token of RFC 6749 §3.3.
var scopePattern = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`)

// New checks a configuration; the error names the setting. It does not connect.
func New(c Config) (*Provider, error) {
	if !namePattern.MatchString(c.Name) {
		return nil, errors.New("name must be 1 to 64 letters, digits, dots, hyphens, underscores or tildes")
	}
	if err := checkURL(c.Issuer, true); err != nil {
		return nil, fmt.Errorf("issuer %w", err)
	}
	if strings.ContainsAny(c.Issuer, "?#") { // OpenID Connect Discovery 1.0 §3
		return nil, errors.New("issuer must have no query and no fragment")
	}
	if c.ClientID == "" {
		return nil, errors.New("client-id is required")
	}
	if c.UsernameClaim == "" {
		c.UsernameClaim = defaultClaim
	}
	c.Scopes = slices.Clone(c.Scopes)
	if len(c.Scopes) == 0 {
		c.Scopes = slices.Clone(defaultScopes)
	}
	for _, s := range c.Scopes {
		if !scopePattern.MatchString(s) {
			return nil, fmt.Errorf("scopes: %q is none", s)
		}
	}
	if !slices.Contains(c.Scopes, "openid") { // without which there is no ID token
		c.Scopes = append([]string{"openid"}, c.Scopes...)
	}
	var roots *x509.CertPool
	if len(c.CA) > 0 {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(c.CA) {
			return nil, errors.New("ca-file must hold a certificate in PEM")
		}
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Provider{config: c, client: newClient(roots, c.Timeout), lookup: newLookup()}, nil
}

// Name and Label are the configuration's.
func (p *Provider) Name() string { return p.config.Name }

// Label is what people call the provider.
func (p *Provider) Label() string {
	if p.config.Label == "" {
		return p.config.Name
	}
	return p.config.Label
}

// Opens reports whether the provider opens an instance, by its id and alias.
// Aliases are compared whatever their case, as they are where they are typed.
func (p *Provider) Opens(id, alias string) bool {
	if len(p.config.Instances) == 0 {
		return true
	}
	return slices.ContainsFunc(p.config.Instances, func(name string) bool {
		return name != "" && (strings.EqualFold(name, id) || strings.EqualFold(name, alias))
	})
}

// Attempt is one sign-in under way: what must be the same when the browser comes
// back. It is kept by the caller, sealed.
type Attempt struct {
	State, Nonce, Verifier string
}

// NewAttempt makes one that cannot be guessed.
func NewAttempt() Attempt {
	return Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
}

// Redirect is where the browser is sent. The error wraps ErrDown.
func (p *Provider) Redirect(ctx context.Context, a Attempt, callback string) (string, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return "", err
	}
	return d.oauth(p.config, callback).AuthCodeURL(a.State,
		oauth2.S256ChallengeOption(a.Verifier), oauth2.SetAuthURLParam("nonce", a.Nonce)), nil
}

// Identity is who a provider says that somebody is.
type Identity struct {
	Subject  string // sub, unique at the provider
	Username string // of the configured claim
}

// The ways in which nobody is let in.
var (
	ErrDown    = errors.New("the identity provider cannot be reached") // wraps the cause
	ErrRefused = errors.New("the identity provider's answer is not valid")
)

// down and refused wrap a cause.
func down(err error) error    { return fmt.Errorf("%w: %w", ErrDown, err) }
func refused(err error) error { return fmt.Errorf("%w: %w", ErrRefused, err) }

// Return is what a browser brings back: the parameters of those names, and iss.
type Return struct {
	State, Code string
	Issuer      string // empty: none
}

// Finish exchanges the code that the browser has brought back, with the state
// that came with it, and validates the ID token: issuer, audience, signature,
// expiry, nonce. An unverified e-mail address (email_verified false or absent) is
// no Username when UsernameClaim is email. The error wraps ErrDown or ErrRefused.
//
// A browser that says that another provider has sent it back is not believed, and
// one has to say which when this provider has its browsers do so: else a provider
// could have the code of another handed to itself (RFC 9207 §2.4). Nothing has
// been told to anybody then.
func (p *Provider) Finish(ctx context.Context, a Attempt, back Return, callback string, now time.Time) (*Identity, error) {
	// An attempt that was never made matches nothing, not even nothing.
	if a.State == "" || a.Nonce == "" || a.Verifier == "" || !same(a.State, back.State) {
		return nil, refused(errors.New("the state is another"))
	}
	if back.Issuer != "" && back.Issuer != p.config.Issuer {
		return nil, refused(errors.New("another issuer has sent the browser back"))
	}
	if back.Code == "" {
		return nil, refused(errors.New("there is no code"))
	}
	d, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	if d.TellsIssuer && back.Issuer == "" {
		return nil, refused(errors.New("the browser does not say which issuer has sent it back, though the provider has it do so"))
	}
	answer, err := p.exchange(ctx, d, a, back.Code, callback)
	if err != nil {
		return nil, err
	}
	return p.identify(ctx, d, a, answer, now)
}

// same compares in a time that does not tell how much of it is alike.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
