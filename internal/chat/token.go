// Package chat carries chats to those who take part in them: tokens that say who
// somebody is, WebSockets, and topics that items are published to. What a chat is
// and who may say what is decided by internal/contact, whose Audience this is.
//
// Invariants:
//   - nothing here is stored but how far a topic has been told. A connection that
//     is lost loses its items; its client connects again and reads the transcript;
//   - no item waits for a reader. A connection that does not keep up is closed, a
//     topic reads what it is behind from the store;
//   - each connection has a goroutine that writes and the caller's that reads, each
//     topic of a chat has one. Close waits for all of them.
package chat

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// Kind is what a token is good for.
type Kind string

// The kinds of tokens.
const (
	// ParticipantToken opens connections (CreateParticipantConnection). It has no
	// end of its own: the participant must connect in time, and take part.
	ParticipantToken Kind = "participant"
	// ConnectionToken is shown with every other request.
	ConnectionToken Kind = "connection"
	// SocketToken opens one WebSocket or several.
	SocketToken Kind = "socket"
)

// Claims are what a token says.
type Claims struct {
	Kind        Kind              `json:"k"`
	Instance    domain.InstanceID `json:"i"`
	Region      string            `json:"r"` // of the instance
	Contact     domain.ContactID  `json:"c"` // that the participant joined
	Participant string            `json:"p"`
	Expires     int64             `json:"e,omitempty"` // seconds; 0 for never
}

// Tokens makes tokens and reads them. They are signed under a key derived from
// the root's secret, as links to objects are, so that all servers with one root
// honour each other's, before a restart and after it. They hold ids alone.
type Tokens struct {
	key []byte
	now func() time.Time
}

// NewTokens returns Tokens that must be opened before they are used.
func NewTokens(now func() time.Time) *Tokens { return &Tokens{now: now} }

// Open sets the secret.
func (t *Tokens) Open(secret string) (err error) {
	if t.key, err = hkdf.Key(sha256.New, []byte(secret), nil, "ringdown chat tokens", sha256.Size); err != nil {
		return fmt.Errorf("chat tokens: %w", err)
	}
	return nil
}

// Issue makes a token. With a validity it returns when the token ends.
func (t *Tokens) Issue(c Claims, validity time.Duration) (string, time.Time) {
	var end time.Time
	if validity != 0 {
		end = t.now().Add(validity).UTC().Truncate(time.Second)
		c.Expires = end.Unix()
	}
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err) // six strings and a number
	}
	body := base64.RawURLEncoding.EncodeToString(raw)
	return body + "." + t.mac(body), end
}

func (t *Tokens) mac(body string) string {
	mac := hmac.New(sha256.New, t.key)
	_, _ = mac.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Read returns what a token of a kind says. One that is not ours, of another
// kind, or over, is an AccessDeniedException, whatever is wrong with it.
func (t *Tokens) Read(token string, kind Kind) (Claims, error) {
	body, mac, _ := strings.Cut(token, ".")
	refused := fault.New(fault.AccessDenied, "Access denied: the token is not valid, or no longer so.")
	if !hmac.Equal([]byte(mac), []byte(t.mac(body))) {
		return Claims{}, refused
	}
	var c Claims
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil || c.Kind != kind || c.Expires != 0 && t.now().Unix() >= c.Expires {
		return Claims{}, refused
	}
	return c, nil
}
