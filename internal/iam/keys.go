package iam

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Key is an access key with the principal that it stands for.
type Key struct {
	ID        string
	Secret    string
	Token     string    // of temporary credentials, else empty
	Expires   time.Time // zero: never
	Created   time.Time
	Principal *Principal
}

// KeysOptions configure Keys.
type KeysOptions struct {
	Store   store.Store
	Account string
	// RootID and RootSecret are the root credentials. The secrets of all other
	// keys are stored sealed under a key derived from RootSecret, so a stolen
	// database alone opens nothing; with another RootSecret they can no longer
	// be read and must be made anew; session tokens are sealed likewise.
	RootID, RootSecret string
	// Roles finds the roles whose sessions are accepted; nil: there are no
	// temporary credentials, unless UseRoles is called.
	Roles Roles
	Now   func() time.Time
	// Logger is told of keys that cannot be used; nil discards that.
	Logger *slog.Logger
}

// Keys holds the access keys of an account. Found keys are remembered for a
// few seconds, so with several servers on one database a deleted key may work
// for that long on another one.
type Keys struct {
	opts   KeysOptions // Roles under mu
	root   *Key
	seal   cipher.AEAD // of secrets in the store
	tokens cipher.AEAD // of session tokens

	mu     sync.RWMutex
	found  map[string]foundKey
	opened map[string]*openedToken // by the id of the access key
}

type foundKey struct {
	key *Key // nil: there is none
	at  time.Time
}

// remembered is how long a look-up holds, maxFound how many do.
const (
	remembered = 5 * time.Second
	maxFound   = 10_000
)

// storedKey is the entity of a key's record.
type storedKey struct {
	UserName string
	Policy   json.RawMessage
	Sealed   []byte // nonce and sealed secret
}

// NewKeys returns the keys of a store.
func NewKeys(o KeysOptions) (*Keys, error) {
	if o.RootID == "" || o.RootSecret == "" {
		return nil, errors.New("root credentials are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	seal, err := sealer(o.RootSecret, "ringdown access keys")
	if err != nil {
		return nil, err
	}
	tokens, err := sealer(o.RootSecret, "ringdown session tokens")
	if err != nil {
		return nil, err
	}
	return &Keys{
		opts: o, seal: seal, tokens: tokens, found: map[string]foundKey{}, opened: map[string]*openedToken{},
		root: &Key{ID: o.RootID, Secret: o.RootSecret, Principal: &Principal{
			ARN: "arn:aws:iam::" + o.Account + ":root", Account: o.Account, UserID: o.Account, Root: true,
		}},
	}, nil
}

// sealer is AES-GCM under a key for one purpose that is derived from the root
// secret (RFC 5869).
func sealer(rootSecret, purpose string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(rootSecret), nil, purpose, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Find returns a key by its id, nil when there is none. The session token is
// that of a request, empty when it has none: temporary credentials are found by
// both, and returned even if they have expired. For other keys it does not
// matter here.
func (k *Keys) Find(ctx context.Context, id, token string) (*Key, error) {
	if id == k.root.ID {
		return k.root, nil
	}
	if temporary(id) {
		return k.findSession(ctx, id, token)
	}
	now := k.opts.Now()
	k.mu.RLock()
	f, ok := k.found[id]
	k.mu.RUnlock()
	if ok && now.Sub(f.at) < remembered {
		return f.key, nil
	}
	key, err := k.read(ctx, id)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	if len(k.found) >= maxFound {
		clear(k.found) // a flood of unknown ids costs look-ups, not memory
	}
	k.found[id] = foundKey{key, now}
	k.mu.Unlock()
	return key, nil
}

func (k *Keys) read(ctx context.Context, id string) (*Key, error) {
	r, err := k.opts.Store.Get(ctx, store.Root, domain.KindAccessKey, id)
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("access key: %w", err)
	}
	key, err := k.open(r)
	if err != nil {
		// Nobody can sign with it any more, so to callers it is as good as
		// gone; the operator is told why, once while it is remembered.
		k.opts.Logger.Error("access key cannot be used", slog.Any("err", err))
		return nil, nil
	}
	return key, nil
}

func (k *Keys) open(r *store.Record) (*Key, error) {
	var s storedKey
	if err := json.Unmarshal(r.Doc, &s); err != nil {
		return nil, fmt.Errorf("stored access key: %w", err)
	}
	n := k.seal.NonceSize()
	if len(s.Sealed) < n {
		return nil, errors.New("stored access key: no secret")
	}
	secret, err := k.seal.Open(nil, s.Sealed[:n], s.Sealed[n:], []byte(r.ID))
	if err != nil {
		return nil, fmt.Errorf("access key %s was made under other root credentials and must be made anew: %w", r.ID, err)
	}
	p, err := ParsePolicy(s.Policy)
	if err != nil {
		return nil, fmt.Errorf("stored policy of access key %s: %w", r.ID, err)
	}
	return &Key{ID: r.ID, Secret: string(secret), Created: r.Created, Principal: k.principal(s.UserName, p)}, nil
}

func (k *Keys) principal(userName string, p *Policy) *Principal {
	return &Principal{
		ARN:      "arn:aws:iam::" + k.opts.Account + ":user/" + userName,
		Account:  k.opts.Account,
		UserID:   uniqueID("AIDA", k.opts.Account+"/"+userName),
		UserName: userName,
		Policies: []*Policy{p},
	}
}

// userNamePattern is that of an IAM user (IAM API reference, CreateUser).
var userNamePattern = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// Create makes a key for an IAM user of that name, with a policy document of
// its own. The secret in the answer can be had only now.
func (k *Keys) Create(ctx context.Context, userName string, policy []byte) (*Key, error) {
	if !userNamePattern.MatchString(userName) {
		return nil, fault.New(fault.InvalidParameter, "the user name must have 1 to 64 letters, digits or _+=,.@-")
	}
	p, err := ParsePolicy(policy)
	if err != nil {
		return nil, err
	}
	id, secret := newKeyID(), newSecret()
	nonce := make([]byte, k.seal.NonceSize())
	rand.Read(nonce) // never fails
	doc, err := json.Marshal(storedKey{
		UserName: userName, Policy: policy, Sealed: k.seal.Seal(nonce, nonce, []byte(secret), []byte(id)),
	})
	if err != nil {
		return nil, fmt.Errorf("access key: %w", err)
	}
	r := &store.Record{Instance: store.Root, Kind: domain.KindAccessKey, ID: id, Name: userName, Doc: doc}
	err = k.opts.Store.Update(ctx, func(tx store.Tx) error {
		r.PK = 0
		return tx.Insert(ctx, r, nil)
	})
	if err != nil {
		return nil, err
	}
	k.drop(id)
	return &Key{ID: id, Secret: secret, Created: r.Created, Principal: k.principal(userName, p)}, nil
}

// KeyInfo is what a list tells of a key.
type KeyInfo struct {
	AccessKeyID string
	UserName    string
	Created     time.Time
	Policy      json.RawMessage
}

// List returns all keys but the root's.
func (k *Keys) List(ctx context.Context) ([]KeyInfo, error) {
	records, err := k.opts.Store.List(ctx, store.ListQuery{Instance: store.Root, Kind: domain.KindAccessKey})
	if err != nil {
		return nil, err
	}
	list := make([]KeyInfo, len(records))
	for i, r := range records {
		var s storedKey
		if err := json.Unmarshal(r.Doc, &s); err != nil {
			return nil, fmt.Errorf("stored access key: %w", err)
		}
		list[i] = KeyInfo{AccessKeyID: r.ID, UserName: s.UserName, Created: r.Created, Policy: s.Policy}
	}
	return list, nil
}

// Delete removes a key; an unknown one is a ResourceNotFoundException.
func (k *Keys) Delete(ctx context.Context, id string) error {
	err := k.opts.Store.Update(ctx, func(tx store.Tx) error {
		r, err := tx.Get(ctx, store.Root, domain.KindAccessKey, id)
		if err != nil {
			return err
		}
		return tx.Delete(ctx, r)
	})
	k.drop(id)
	return err
}

func (k *Keys) drop(id string) {
	k.mu.Lock()
	delete(k.found, id)
	k.mu.Unlock()
}

// newKeyID is the id of a long-lived key.
func newKeyID() string { return newID("AKIA") }

// newID has the form of AWS's ids of access keys: a prefix that tells their kind,
// and 16 characters.
func newID(prefix string) string {
	var b [10]byte
	rand.Read(b[:])
	return prefix + base32.StdEncoding.EncodeToString(b[:])
}

// newSecret has 240 bits in 40 characters, as AWS's do.
func newSecret() string {
	var b [30]byte
	rand.Read(b[:])
	return base64.StdEncoding.EncodeToString(b[:])
}

// NewRootKey makes root credentials for a fresh data folder.
func NewRootKey() (id, secret string) { return newKeyID(), newSecret() }
