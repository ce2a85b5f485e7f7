package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	// documentAge is how long a discovery document and the keys that came with it
	// are used: a key that the provider has withdrawn is trusted no longer.
	documentAge = time.Hour
	// failureAge is how long a failure is remembered, so that a provider that is
	// down is not asked again, and waited for, by every browser.
	failureAge = 5 * time.Second
)

// document is what a provider says of itself (OpenID Connect Discovery 1.0 §3).
type document struct {
	Authorization string   `json:"authorization_endpoint"`
	Token         string   `json:"token_endpoint"`
	Keys          string   `json:"jwks_uri"`
	Algorithms    []string `json:"id_token_signing_alg_values_supported"`
	ClientAuth    []string `json:"token_endpoint_auth_methods_supported"`
	TellsIssuer   bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207 §3

	style oauth2.AuthStyle
	keys  oidc.KeySet
	read  time.Time
}

// oauth is the client that a provider knows.
func (d *document) oauth(c Config, callback string) *oauth2.Config {
	return &oauth2.Config{
		ClientID: c.ClientID, ClientSecret: c.ClientSecret, RedirectURL: callback, Scopes: c.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: d.Authorization, TokenURL: d.Token, AuthStyle: d.style},
	}
}

// lookup is what is known of a provider, by whoever holds its only place.
type lookup struct {
	place    chan struct{}
	document *document
	failure  error
	failed   time.Time
}

func newLookup() lookup { return lookup{place: make(chan struct{}, 1)} }

// discover returns the discovery document. One caller reads it while others
// wait. The error wraps ErrDown.
func (p *Provider) discover(ctx context.Context) (*document, error) {
	l := &p.lookup
	select {
	case l.place <- struct{}{}:
		defer func() { <-l.place }()
	case <-ctx.Done():
		return nil, down(ctx.Err())
	}
	now := p.config.Now()
	// A clock that was put back makes things new again.
	if l.document != nil && within(now.Sub(l.document.read), documentAge) {
		return l.document, nil
	}
	if l.failure != nil && within(now.Sub(l.failed), failureAge) {
		return nil, l.failure
	}
	d, err := p.read(ctx)
	if err != nil {
		err = down(err)
		if ctx.Err() == nil { // else it is the caller who gave up
			l.failure, l.failed, l.document = err, p.config.Now(), nil
		}
		return nil, err
	}
	d.read = now
	l.document, l.failure = d, nil
	return d, nil
}

func within(age, most time.Duration) bool { return age > -most && age < most }

// read asks the provider.
func (p *Provider) read(ctx context.Context) (*document, error) {
	found, err := oidc.NewProvider(oidc.ClientContext(ctx, p.client), p.config.Issuer)
	if err != nil {
		return nil, discoveryError(err)
	}
	var d document
	if err := found.Claims(&d); err != nil {
		return nil, errors.New("the discovery document cannot be read")
	}
	// What is asked of an issuer on this machine may be asked in the clear too.
	loopback := checkURL(p.config.Issuer, false) != nil
	for _, at := range []struct{ name, url string }{
		{"authorization_endpoint", d.Authorization}, {"token_endpoint", d.Token}, {"jwks_uri", d.Keys},
	} {
		if err := checkURL(at.url, loopback); err != nil {
			return nil, fmt.Errorf("the discovery document's %s %w", at.name, err)
		}
	}
	if d.Algorithms, err = usable(d.Algorithms); err != nil {
		return nil, err
	}
	if d.style, err = authStyle(d.ClientAuth, p.config.ClientSecret); err != nil {
		return nil, err
	}
	d.keys = oidc.NewRemoteKeySet(oidc.ClientContext(context.WithoutCancel(ctx), p.client), d.Keys)
	return &d, nil
}

// discoveryError says what is wrong without what the provider has said, but for
// the issuer that it names: nearly always it differs by a slash.
func discoveryError(err error) error {
	var other *oidc.IssuerMismatchError
	if errors.As(err, &other) {
		return fmt.Errorf("the discovery document is that of another issuer, %s", short(other.Discovered))
	}
	if cause := transportError(err); cause != nil {
		return fmt.Errorf("discovery: %w", cause)
	}
	return errors.New("the discovery document cannot be read")
}

// asymmetric are the algorithms that prove who has signed. Neither none nor the
// HMACs are among them: whoever knows the client's secret could sign (RFC 8725
// §3.1).
var asymmetric = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
}

// usable are the algorithms of a discovery document that are trusted.
func usable(offered []string) ([]string, error) {
	if len(offered) == 0 { // RS256 is the one that all must support
		return []string{oidc.RS256}, nil
	}
	trusted := slices.DeleteFunc(slices.Clone(offered), func(alg string) bool { return !slices.Contains(asymmetric, alg) })
	if len(trusted) == 0 {
		return nil, errors.New("the provider signs by no algorithm that can be trusted")
	}
	return trusted, nil
}

// authStyle is how the client proves who it is (OpenID Connect Core 1.0 §9).
func authStyle(offered []string, secret string) (oauth2.AuthStyle, error) {
	switch {
	case secret == "":
		return oauth2.AuthStyleInParams, nil // client_id alone (RFC 6749 §3.2.1)
	case len(offered) == 0 || slices.Contains(offered, "client_secret_basic"):
		return oauth2.AuthStyleInHeader, nil
	case slices.Contains(offered, "client_secret_post"):
		return oauth2.AuthStyleInParams, nil
	default:
		return 0, errors.New("the provider takes neither client_secret_basic nor client_secret_post")
	}
}

// checkURL checks that a URL is https or, where that is allowed, http to this
// machine. The error follows the name of what it is.
func checkURL(text string, loopback bool) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" {
		return errors.New("must be a URL such as https://id.example.org")
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && loopback && isLoopback(u.Hostname()):
		return nil
	default:
		return errors.New("must begin with https://, but on this machine")
	}
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
