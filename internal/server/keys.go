package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/fault"
	"ringdown/internal/iam"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// Access keys, and tokens for SCIM, are managed by `ringdown keys`. While a server has the data
// folder open the command goes through it, at /-/keys; otherwise it opens the
// store itself.
const keysPath = "/-/keys"

// NewKey is the body of a request to make a key.
type NewKey struct {
	UserName string
	Policy   json.RawMessage
}

// MadeKey answers it. The secret is told this once.
type MadeKey struct {
	AccessKeyID     string
	SecretAccessKey string
	UserName        string
}

// keyring is what serves requests at /-/keys: access keys, and the tokens of SCIM
// at /-/keys/scim.
type keyring struct {
	keys       *iam.Keys
	tokens     *iam.SCIMTokens
	store      store.Reader
	identities *identities
}

const tokensPath = keysPath + "/scim"

func (k *keyring) serve(r *http.Request, body []byte) (any, error) {
	ctx := r.Context()
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, keysPath), "/")
	switch {
	case r.Method == http.MethodGet && id == "":
		return k.keys.List(ctx)
	case r.Method == http.MethodPost && id == "":
		var in NewKey
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fault.New(fault.Serialization, "the request body is no JSON object with UserName and Policy")
		}
		made, err := k.keys.Create(ctx, in.UserName, in.Policy)
		if err != nil {
			return nil, err
		}
		k.identities.audit.Record(ctx, audit.Event{Event: audit.KeyCreate, Outcome: audit.OK, Key: made.ID, Principal: made.Principal.ARN, From: k.identities.from(r)})
		return MadeKey{made.ID, made.Secret, made.Principal.UserName}, nil
	case r.Method == http.MethodGet && r.URL.Path == tokensPath:
		return k.tokens.List(ctx)
	case r.Method == http.MethodPost && r.URL.Path == tokensPath:
		var in NewSCIMToken
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fault.New(fault.Serialization, "the request body is no JSON object with Instance, RoutingProfile and SecurityProfiles")
		}
		made, err := newToken(ctx, k.store, k.tokens, k.identities.url(), in)
		if err != nil {
			return nil, err
		}
		k.identities.audit.Record(ctx, audit.Event{Event: audit.KeyCreate, Outcome: audit.OK, Key: made.ID, Instance: made.InstanceID, From: k.identities.from(r)})
		return made, nil
	case r.Method == http.MethodDelete && id != "":
		if err := deleteKey(ctx, k.keys, k.tokens, id); err != nil {
			return nil, err
		}
		k.identities.audit.Record(ctx, audit.Event{Event: audit.KeyDelete, Outcome: audit.OK, Key: id, From: k.identities.from(r)})
		return struct{}{}, nil
	default:
		return nil, fault.New(fault.UnknownOperation, "%s %s is not served", r.Method, r.URL.Path)
	}
}

// deleteKey deletes an access key or a token, whichever the id is of.
func deleteKey(ctx context.Context, keys *iam.Keys, tokens *iam.SCIMTokens, id string) error {
	if iam.IsSCIMTokenID(id) {
		return tokens.Delete(ctx, id)
	}
	return keys.Delete(ctx, id)
}

// KeyManager makes, lists and deletes access keys and tokens.
type KeyManager interface {
	Create(ctx context.Context, k NewKey) (MadeKey, error)
	List(ctx context.Context) ([]iam.KeyInfo, error)
	CreateToken(ctx context.Context, t NewSCIMToken) (MadeSCIMToken, error)
	Tokens(ctx context.Context) ([]iam.SCIMToken, error)
	// Delete deletes a key or a token.
	Delete(ctx context.Context, id string) error
	Close() error
}

// OpenKeys opens the keys of a data folder: through the server that has it
// open, when one does, else directly.
func OpenKeys(ctx context.Context, cfg Config) (KeyManager, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	var err error
	if cfg.Data, err = cfg.dataFolder(); err != nil {
		return nil, err
	}
	root, _, err := ensureRoot(&cfg)
	if err != nil {
		return nil, err
	}
	found, err := newRemote(cfg, root, 10*time.Second)
	if err != nil {
		return nil, err
	}
	if keys := (remoteKeys{found}); keys.alive(ctx) {
		return keys, nil
	}
	st, err := sqlstore.Open(ctx, sqlstore.Options{Dir: cfg.Data, URL: cfg.Database, Now: cfg.Now, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	keys, err := iam.NewKeys(iam.KeysOptions{
		Store: st, Account: cfg.Account, RootID: root.AccessKeyID, RootSecret: root.SecretAccessKey, Now: cfg.Now, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, errors.Join(err, st.Close())
	}
	tokens := iam.NewSCIMTokens(iam.SCIMTokensOptions{Store: st, Now: cfg.Now})
	return localKeys{keys, tokens, st, strings.TrimSuffix(cmp.Or(cfg.SignIn.URL, Endpoint(&cfg)), "/")}, nil
}

type localKeys struct {
	*iam.Keys
	tokens *iam.SCIMTokens
	store  store.Store
	url    string
}

func (l localKeys) Create(ctx context.Context, k NewKey) (MadeKey, error) {
	made, err := l.Keys.Create(ctx, k.UserName, k.Policy)
	if err != nil {
		return MadeKey{}, err
	}
	return MadeKey{made.ID, made.Secret, k.UserName}, nil
}

func (l localKeys) CreateToken(ctx context.Context, t NewSCIMToken) (MadeSCIMToken, error) {
	return newToken(ctx, l.store, l.tokens, l.url, t)
}

func (l localKeys) Tokens(ctx context.Context) ([]iam.SCIMToken, error) { return l.tokens.List(ctx) }

func (l localKeys) Delete(ctx context.Context, id string) error {
	return deleteKey(ctx, l.Keys, l.tokens, id)
}

func (l localKeys) Close() error { return l.store.Close() }

type remoteKeys struct{ *remote }

// alive reports whether a server of this data folder answers: one that knows
// its root credentials.
func (k remoteKeys) alive(ctx context.Context) bool {
	_, err := k.List(ctx)
	return err == nil
}

func (k remoteKeys) Create(ctx context.Context, in NewKey) (made MadeKey, err error) {
	// Checked here too: what is no JSON could not even be sent.
	if _, err := iam.ParsePolicy(in.Policy); err != nil {
		return made, err
	}
	return made, k.do(ctx, http.MethodPost, keysPath, in, &made)
}

func (k remoteKeys) List(ctx context.Context) (list []iam.KeyInfo, err error) {
	return list, k.do(ctx, http.MethodGet, keysPath, nil, &list)
}

func (k remoteKeys) CreateToken(ctx context.Context, in NewSCIMToken) (made MadeSCIMToken, err error) {
	return made, k.do(ctx, http.MethodPost, tokensPath, in, &made)
}

func (k remoteKeys) Tokens(ctx context.Context) (list []iam.SCIMToken, err error) {
	return list, k.do(ctx, http.MethodGet, tokensPath, nil, &list)
}

func (k remoteKeys) Delete(ctx context.Context, id string) error {
	return k.do(ctx, http.MethodDelete, keysPath+"/"+url.PathEscape(id), nil, nil)
}

func (k remoteKeys) Close() error { return nil }
