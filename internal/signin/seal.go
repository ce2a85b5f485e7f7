package signin

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"ringdown/internal/identity/once"
	"ringdown/internal/store"
)

// What is given out and comes back is sealed rather than stored: it says itself
// whom it is for, cannot be read or made by anybody else, and is void after its
// time, on every server with one root secret. What works only once is in
// package once.

// purpose is what a sealed text is for, and begins it. One for another purpose
// cannot be opened.
type purpose string

const (
	forChange  purpose = "change"
	forAccess  purpose = "access"
	forRefresh purpose = "refresh"
	forCode    purpose = "code"
	forOIDC    purpose = "oidc"
)

// maxSealed is the longest text that is opened. Sealed texts hold ids and a
// destination.
const maxSealed = 8192

// errSeal says nothing of the text, which may be a secret of somebody.
var errSeal = errors.New("the token is not valid, or no longer so")

type sealer struct {
	aead cipher.AEAD // AES-256-GCM with random nonces
	mac  []byte      // key of what is only signed
	now  func() time.Time
}

func newSealer(secret string, now func() time.Time) (*sealer, error) {
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "ringdown sign-in tokens", 32)
	if err != nil {
		return nil, fmt.Errorf("sign-in tokens: %w", err)
	}
	mac, err := hkdf.Key(sha256.New, []byte(secret), nil, "ringdown sign-in marks", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("sign-in tokens: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sign-in tokens: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("sign-in tokens: %w", err)
	}
	return &sealer{aead: aead, mac: mac, now: now}, nil
}

// sealed is what is in a sealed text.
type sealed struct {
	Expires int64           `json:"e"` // Unix seconds
	Value   json.RawMessage `json:"v"`
}

// seal makes a text of value that can be opened until expires.
func (s *sealer) seal(p purpose, value any, expires time.Time) (string, error) {
	raw, err := json.Marshal(value)
	if err == nil {
		raw, err = json.Marshal(sealed{Expires: expires.Unix(), Value: raw})
	}
	if err != nil {
		return "", fmt.Errorf("seal a token: %w", err)
	}
	text := s.aead.Seal(nil, nil, raw, []byte(p)) //nolint:gosec // it takes no nonce: it makes one at random
	return string(p) + "." + base64.RawURLEncoding.EncodeToString(text), nil
}

// open reads a sealed text into value and returns when it ends; the error is
// errSeal.
func (s *sealer) open(p purpose, text string, value any) (time.Time, error) {
	body, ok := strings.CutPrefix(text, string(p)+".")
	if !ok || len(text) > maxSealed || strings.ContainsAny(body, "\r\n") { // which base64 passes over
		return time.Time{}, errSeal
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(body)
	if err != nil {
		return time.Time{}, errSeal
	}
	if raw, err = s.aead.Open(nil, nil, raw, []byte(p)); err != nil {
		return time.Time{}, errSeal
	}
	var in sealed
	if json.Unmarshal(raw, &in) != nil || s.now().Unix() >= in.Expires || json.Unmarshal(in.Value, value) != nil {
		return time.Time{}, errSeal
	}
	return time.Unix(in.Expires, 0).UTC(), nil
}

// sign is a mark that only this server can make of parts, whose number and
// order are fixed for each use.
func (s *sealer) sign(use string, parts ...string) []byte {
	m := hmac.New(sha256.New, s.mac)
	for _, part := range append([]string{use}, parts...) {
		_, _ = fmt.Fprintf(m, "%d:%s", len(part), part)
	}
	return m.Sum(nil)
}

// useUp reports whether something sealed, with this id in it, is used for the
// first time. The mark is kept until the thing is void by itself, or its owner
// gone.
func (s *Service) useUp(ctx context.Context, id string, owner store.PK, expires time.Time) (first bool, err error) {
	return s.used.Use(ctx, once.Thing{Kind: once.Token, ID: id, Expires: expires, Owner: owner}, "")
}
