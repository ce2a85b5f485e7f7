// Package oidc signs users in through OpenID Connect providers (OpenID Connect
// Core 1.0 §3.1, authorization code flow) with PKCE (RFC 7636).
package oidc

import (
	"context"
	"errors"
	"time"
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
}

// Provider is a configured provider. Its discovery document is read when it is
// first needed and again after a failure, so that a provider that is down does
// not keep the server from starting. It is safe for concurrent use.
type Provider struct{ config Config }

// New checks a configuration; the error names the setting. It does not connect.
func New(c Config) (*Provider, error) { panic("not yet") }

// Name and Label are the configuration's.
func (p *Provider) Name() string { return p.config.Name }

// Label is what people call the provider.
func (p *Provider) Label() string { panic("not yet") }

// Opens reports whether the provider opens an instance, by its id and alias.
func (p *Provider) Opens(id, alias string) bool { panic("not yet") }

// Attempt is one sign-in under way: what must be the same when the browser comes
// back. It is kept by the caller, sealed.
type Attempt struct {
	State, Nonce, Verifier string
}

// NewAttempt makes one that cannot be guessed.
func NewAttempt() Attempt { panic("not yet") }

// Redirect is where the browser is sent. The error wraps ErrDown.
func (p *Provider) Redirect(ctx context.Context, a Attempt, callback string) (string, error) {
	panic("not yet")
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

// Finish exchanges the code that the browser has brought back, with the state
// that came with it, and validates the ID token: issuer, audience, signature,
// expiry, nonce. An unverified e-mail address (email_verified false) is no
// Username when UsernameClaim is email. The error wraps ErrDown or ErrRefused.
func (p *Provider) Finish(ctx context.Context, a Attempt, state, code, callback string, now time.Time) (*Identity, error) {
	panic("not yet")
}
