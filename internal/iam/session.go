package iam

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"ringdown/internal/fault"
)

// How temporary credentials work: nothing about them is stored. A session token
// is the Session and the secret, sealed under a key that is derived from the root
// secret and bound to the access key's id, so that every server of a database
// accepts it, a restart loses none, and there is nothing to clean up. What the
// session may do is read from its role at each use: a role that is gone or has
// another policy counts at once.
//
// A token is the base64 (RFC 4648 §5, without padding) of a nonce and the sealed
// rest, which is the secret's bytes followed by the Session as JSON.

const (
	// temporaryPrefix begins the ids of temporary access keys (IAM User Guide,
	// "IAM identifiers", "Unique ID prefixes").
	temporaryPrefix = "ASIA"
	secretBytes     = 30
	// maxToken is the longest session token in characters. It travels in a header
	// of each request, and servers and proxies bound those.
	maxToken = 16 << 10
	// maxOpened is how many opened tokens are remembered.
	maxOpened = 2000
)

var tokenText = base64.RawURLEncoding

// openedToken is a session token that has been opened before, so that the next
// request with it need not open it. Only whoever has a genuine token can put one
// there.
type openedToken struct {
	token   string
	secret  string
	session Session
	policy  *Policy // the session policy, nil when there is none
	// key is what role made of it: another role of the name makes another.
	role *Role
	key  *Key
}

// UseRoles gives the keys the roles whose sessions they accept, in place of
// KeysOptions.Roles: whoever knows the roles may need keys to be made first.
func (k *Keys) UseRoles(r Roles) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.opts.Roles = r
}

// Issue makes temporary credentials for a session of a role. A session that
// has too much with it for a token is PackedPolicyTooLarge.
func (k *Keys) Issue(role *Role, s Session) (*Key, error) {
	s.Role = role.Name
	if s.Name == "" || s.Expires <= s.Issued {
		return nil, errors.New("temporary credentials: a session has a name and ends after it begins")
	}
	p, err := k.AssumedRole(role, s)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, secretBytes)
	rand.Read(plain) // never fails
	secret := base64.StdEncoding.EncodeToString(plain)
	doc, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("temporary credentials: %w", err)
	}
	id := newID(temporaryPrefix)
	sealed := make([]byte, k.tokens.NonceSize(), k.tokens.NonceSize()+len(plain)+len(doc)+k.tokens.Overhead())
	rand.Read(sealed)
	sealed = k.tokens.Seal(sealed, sealed, append(plain, doc...), []byte(id))
	token := tokenText.EncodeToString(sealed)
	if len(token) > maxToken {
		return nil, fault.New(fault.PackedPolicyTooLarge,
			"The session policy, the session tags and what the identity provider says of the user are too much for a session token: it would have %d characters of at most %d.", len(token), maxToken)
	}
	return &Key{ID: id, Secret: secret, Token: token, Expires: s.expires(), Created: time.Unix(s.Issued, 0).UTC(), Principal: p}, nil
}

// AssumedRole is the principal that a session of a role is. A session policy
// that does not parse is MalformedPolicyDocument.
func (k *Keys) AssumedRole(role *Role, s Session) (*Principal, error) {
	policy, err := s.policy()
	if err != nil {
		return nil, err
	}
	return k.assumedRole(role, &s, policy), nil
}

// assumedRole names a session as IAM does (IAM User Guide, "AWS STS principals"
// and "Principal key values").
func (k *Keys) assumedRole(role *Role, s *Session, policy *Policy) *Principal {
	return &Principal{
		ARN:           "arn:aws:sts::" + k.opts.Account + ":assumed-role/" + role.Name + "/" + s.Name,
		Account:       k.opts.Account,
		UserID:        role.ID + ":" + s.Name,
		Policies:      role.Policies,
		Role:          role,
		Session:       s,
		SessionPolicy: policy,
	}
}

// policy compiles the session policy, nil when there is none.
func (s *Session) policy() (*Policy, error) {
	if len(s.Policy) == 0 {
		return nil, nil
	}
	return ParsePolicy(s.Policy)
}

func (s *Session) expires() time.Time { return time.Unix(s.Expires, 0).UTC() }

// temporary reports whether an access key's id is one of temporary credentials.
func temporary(id string) bool { return strings.HasPrefix(id, temporaryPrefix) }

// findSession returns the temporary credentials of an id and a session token:
// nil when the token does not open or belongs to another id, or when the role is
// gone.
func (k *Keys) findSession(ctx context.Context, id, token string) (*Key, error) {
	k.mu.RLock()
	roles, opened := k.opts.Roles, k.opened[id]
	k.mu.RUnlock()
	if roles == nil || token == "" || len(token) > maxToken {
		return nil, nil
	}
	if opened == nil || subtle.ConstantTimeCompare([]byte(opened.token), []byte(token)) != 1 {
		if opened = k.openToken(id, token); opened == nil {
			return nil, nil
		}
	}
	role, err := roles.Role(ctx, opened.session.Role)
	if err != nil {
		return nil, fmt.Errorf("role of a session: %w", err)
	}
	if role == nil {
		return nil, nil
	}
	if opened.role == role {
		return opened.key, nil
	}
	found := *opened // others may be reading the one that is remembered
	found.role = role
	found.key = &Key{
		ID: id, Secret: found.secret, Token: found.token, Expires: found.session.expires(),
		Created: time.Unix(found.session.Issued, 0).UTC(), Principal: k.assumedRole(role, &found.session, found.policy),
	}
	k.mu.Lock()
	if len(k.opened) >= maxOpened {
		clear(k.opened)
	}
	k.opened[id] = &found
	k.mu.Unlock()
	return found.key, nil
}

// openToken opens a session token, nil when it is none of that id.
func (k *Keys) openToken(id, token string) *openedToken {
	sealed, err := tokenText.DecodeString(token)
	n := k.tokens.NonceSize()
	if err != nil || len(sealed) < n || tokenText.EncodeToString(sealed) != token {
		return nil
	}
	plain, err := k.tokens.Open(nil, sealed[:n], sealed[n:], []byte(id))
	if err != nil || len(plain) < secretBytes {
		return nil
	}
	o := &openedToken{token: strings.Clone(token), secret: base64.StdEncoding.EncodeToString(plain[:secretBytes])}
	if err = json.Unmarshal(plain[secretBytes:], &o.session); err == nil {
		o.policy, err = o.session.policy()
	}
	if err != nil {
		// It is one of ours, so another release of ours has written it.
		k.opts.Logger.Error("session token cannot be used", slog.String("key", id), slog.Any("err", err))
		return nil
	}
	return o
}
