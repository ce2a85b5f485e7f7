package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// answer is what the token endpoint gives for a code.
type answer struct {
	idToken string
	access  string
}

// known are the errors of RFC 6749 §5.2, which alone are repeated.
var known = []string{
	"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
}

// exchange asks for the tokens of a code.
func (p *Provider) exchange(ctx context.Context, d *document, a Attempt, code, callback string) (*answer, error) {
	token, err := d.oauth(p.config, callback).Exchange(oidc.ClientContext(ctx, p.client), code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return nil, exchangeError(err)
	}
	id, _ := token.Extra("id_token").(string)
	if id == "" {
		return nil, refused(errors.New("there is no ID token"))
	}
	return &answer{idToken: id, access: token.AccessToken}, nil
}

func exchangeError(err error) error {
	if cause := transportError(err); cause != nil {
		return down(fmt.Errorf("token endpoint: %w", cause))
	}
	var said *oauth2.RetrieveError
	if errors.As(err, &said) {
		if slices.Contains(known, said.ErrorCode) {
			return refused(fmt.Errorf("token endpoint: %s", said.ErrorCode))
		}
		return refused(fmt.Errorf("token endpoint: status %d", said.Response.StatusCode))
	}
	return refused(errors.New("the token endpoint's answer cannot be read"))
}

// keySet remembers whether the provider's keys could be had: go-oidc flattens
// the error.
type keySet struct {
	oidc.KeySet
	missing error
}

// VerifySignature implements oidc.KeySet. It waits for keys that are being read
// whatever becomes of the caller, which the client's timeout bounds, so that none
// of go-oidc's goroutines is left behind.
func (k *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.KeySet.VerifySignature(context.WithoutCancel(ctx), token)
	if err != nil {
		k.missing = transportError(err)
		return nil, errors.New("no key of the provider verifies the signature")
	}
	return payload, nil
}

// claims are those of OpenID Connect Core 1.0 §2 that go-oidc does not look at.
type claims struct {
	AuthorizedParty *string `json:"azp"`
}

// skew is how far the provider's clock may be ahead.
const skew = 5 * time.Minute

// identify validates the ID token (OpenID Connect Core 1.0 §3.1.3.7) and returns
// who it is about.
func (p *Provider) identify(ctx context.Context, d *document, a Attempt, got *answer, now time.Time) (*Identity, error) {
	keys := &keySet{KeySet: d.keys}
	token, err := oidc.NewVerifier(p.config.Issuer, keys, &oidc.Config{
		ClientID: p.config.ClientID, SupportedSigningAlgs: d.Algorithms, Now: func() time.Time { return now },
	}).Verify(ctx, got.idToken)
	if keys.missing != nil {
		return nil, down(fmt.Errorf("keys: %w", keys.missing))
	}
	if err != nil {
		return nil, refused(fmt.Errorf("ID token: %s", short(err.Error())))
	}
	fail := func(why string) (*Identity, error) { return nil, refused(errors.New("ID token: " + why)) }
	var c claims
	if err := token.Claims(&c); err != nil {
		return fail("its claims cannot be read")
	}
	switch {
	case !same(token.Nonce, a.Nonce):
		return fail("the nonce is another")
	case len(token.Audience) > 1 && c.AuthorizedParty == nil:
		return fail("it is for several, and does not say to whom it was given")
	case c.AuthorizedParty != nil && *c.AuthorizedParty != p.config.ClientID:
		return fail("it was given to another client")
	case token.IssuedAt.Unix() <= 0:
		return fail("it does not say when it was issued")
	case token.IssuedAt.After(now.Add(skew)):
		return fail("it was issued in the future")
	case token.Subject == "" || len(token.Subject) > 255:
		return fail("its subject is not 1 to 255 characters long")
	case token.AccessTokenHash != "" && token.VerifyAccessToken(got.access) != nil:
		return fail("it came with another access token")
	}
	name, err := username(token, p.config.UsernameClaim)
	if err != nil {
		return nil, refused(err)
	}
	return &Identity{Subject: token.Subject, Username: name}, nil
}

// username reads a claim that must be a string.
func username(token *oidc.IDToken, claim string) (string, error) {
	var all map[string]json.RawMessage
	if err := token.Claims(&all); err != nil {
		return "", errors.New("ID token: its claims cannot be read")
	}
	var name *string
	if raw, ok := all[claim]; !ok || json.Unmarshal(raw, &name) != nil || name == nil || *name == "" {
		return "", fmt.Errorf("ID token: there is no %s that is a string", claim)
	}
	// Some providers send the boolean as a string.
	if verified := string(all["email_verified"]); claim == emailClaim && verified != "true" && verified != `"true"` {
		return "", errors.New("ID token: the e-mail address is not verified")
	}
	return *name, nil
}

// short makes what somebody else has written fit for a line of a log.
func short(s string) string {
	const most = 200
	s = strings.ToValidUTF8(s, "")
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
