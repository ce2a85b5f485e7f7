package iam

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// SCIMToken is a bearer token by which an identity provider manages the users of
// one instance. It stands for no principal: nothing can be signed with it.
type SCIMToken struct {
	ID       string // shown in lists, no secret
	Instance domain.InstanceID
	Region   string // in which the instance is addressed
	// What new users get that the provider says nothing of: ids.
	RoutingProfile   string
	SecurityProfiles []string
	Created          time.Time
}

// SCIMTokensOptions configure SCIMTokens.
type SCIMTokensOptions struct {
	Store store.Store
	Now   func() time.Time
}

// SCIMTokens holds the tokens of an account. Of a token only the SHA-256 is
// kept: there are too many to guess, so a slow hash would protect nothing more.
// Found tokens are remembered as access keys are (Keys), with what follows.
type SCIMTokens struct {
	opts SCIMTokensOptions

	mu    sync.RWMutex
	found map[string]foundToken // by digest
}

type foundToken struct {
	token *SCIMToken // nil: there is none
	at    time.Time
}

// storedToken is the entity of a token's record. Its name key is the digest.
type storedToken struct {
	Instance         domain.InstanceID
	Region           string
	RoutingProfile   string
	SecurityProfiles []string
}

// The ids of tokens have a form of their own, so that they cannot be mistaken
// for those of access keys; and so do tokens, so that who finds one in a text
// knows what it is.
const (
	tokenIDPrefix = "SCIM"
	tokenPrefix   = "ringdown_scim_" //nolint:gosec // no secret
)

// IsSCIMTokenID tells the id of a token from that of an access key.
func IsSCIMTokenID(id string) bool { return strings.HasPrefix(id, tokenIDPrefix) }

// NewSCIMTokens returns the tokens of a store.
func NewSCIMTokens(o SCIMTokensOptions) *SCIMTokens {
	return &SCIMTokens{opts: o, found: map[string]foundToken{}}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Find returns the token of a text as a client sent it, nil when there is none.
func (s *SCIMTokens) Find(ctx context.Context, text string) (*SCIMToken, error) {
	if !strings.HasPrefix(text, tokenPrefix) {
		return nil, nil
	}
	key, now := digest(text), s.opts.Now()
	s.mu.RLock()
	f, ok := s.found[key]
	s.mu.RUnlock()
	if ok && now.Sub(f.at) < remembered {
		return f.token, nil
	}
	t, err := s.read(ctx, key)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	if len(s.found) >= maxFound {
		clear(s.found) // as in Keys.Find
	}
	s.found[key] = foundToken{t, now}
	s.mu.Unlock()
	return t, nil
}

func (s *SCIMTokens) read(ctx context.Context, key string) (*SCIMToken, error) {
	r, err := s.opts.Store.GetByName(ctx, store.Root, domain.KindSCIMToken, key)
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("SCIM token: %w", err)
	}
	return openToken(r)
}

func openToken(r *store.Record) (*SCIMToken, error) {
	var e storedToken
	if err := json.Unmarshal(r.Doc, &e); err != nil {
		return nil, fmt.Errorf("stored SCIM token %s: %w", r.ID, err)
	}
	return &SCIMToken{
		ID: r.ID, Instance: e.Instance, Region: e.Region, RoutingProfile: e.RoutingProfile, SecurityProfiles: e.SecurityProfiles, Created: r.Created,
	}, nil
}

// Create makes a token, whose ID and Created do not count, and returns its text,
// which can be had only now.
func (s *SCIMTokens) Create(ctx context.Context, t SCIMToken) (text string, _ *SCIMToken, err error) {
	var b [10]byte
	rand.Read(b[:]) // never fails
	t.ID = tokenIDPrefix + base32.StdEncoding.EncodeToString(b[:])
	text = tokenPrefix + rand.Text() + rand.Text() // 256 bits and more
	doc, err := json.Marshal(storedToken{t.Instance, t.Region, t.RoutingProfile, t.SecurityProfiles})
	if err != nil {
		return "", nil, fmt.Errorf("SCIM token: %w", err)
	}
	r := &store.Record{
		Instance: store.Root, Kind: domain.KindSCIMToken, ID: t.ID, Name: string(t.Instance), NameKey: digest(text), Doc: doc,
	}
	err = s.opts.Store.Update(ctx, func(tx store.Tx) error {
		r.PK = 0
		return tx.Insert(ctx, r, nil)
	})
	if err != nil {
		return "", nil, err
	}
	t.Created = r.Created
	s.drop(r.NameKey)
	return text, &t, nil
}

// List returns all tokens.
func (s *SCIMTokens) List(ctx context.Context) ([]SCIMToken, error) {
	records, err := s.opts.Store.List(ctx, store.ListQuery{Instance: store.Root, Kind: domain.KindSCIMToken})
	if err != nil {
		return nil, err
	}
	list := make([]SCIMToken, len(records))
	for i, r := range records {
		t, err := openToken(r)
		if err != nil {
			return nil, err
		}
		list[i] = *t
	}
	return list, nil
}

// Delete removes a token by its id; an unknown one is a
// ResourceNotFoundException.
func (s *SCIMTokens) Delete(ctx context.Context, id string) error {
	key := ""
	err := s.opts.Store.Update(ctx, func(tx store.Tx) error {
		r, err := tx.Get(ctx, store.Root, domain.KindSCIMToken, id)
		if err != nil {
			return err
		}
		key = r.NameKey
		return tx.Delete(ctx, r)
	})
	s.drop(key)
	return err
}

func (s *SCIMTokens) drop(key string) {
	s.mu.Lock()
	delete(s.found, key)
	s.mu.Unlock()
}
