package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
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

const tokensPath = keysPath + "/scim"

// serve answers requests at /-/keys, and for the tokens of SCIM at /-/keys/scim.
func (l *localKeys) serve(r *http.Request, body []byte) (any, error) {
	ctx := r.Context()
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, keysPath), "/")
	switch {
	case r.Method == http.MethodGet && id == "":
		return l.List(ctx)
	case r.Method == http.MethodPost && id == "":
		var in NewKey
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fault.New(fault.Serialization, "the request body is no JSON object with UserName and Policy")
		}
		return l.Create(ctx, in)
	case r.Method == http.MethodGet && r.URL.Path == tokensPath:
		return l.Tokens(ctx)
	case r.Method == http.MethodPost && r.URL.Path == tokensPath:
		var in NewSCIMToken
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fault.New(fault.Serialization, "the request body is no JSON object with Instance, RoutingProfile and SecurityProfiles")
		}
		return l.CreateToken(ctx, in)
	case r.Method == http.MethodDelete && id != "":
		return struct{}{}, l.Delete(ctx, id)
	default:
		return nil, fault.New(fault.UnknownOperation, "%s %s is not served", r.Method, r.URL.Path)
	}
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
	root, found, err := cfg.manage()
	if err != nil {
		return nil, err
	}
	if keys := (remoteKeys{found}); keys.alive(ctx) {
		return keys, nil
	}
	log, err := openAudit(&cfg)
	if err != nil {
		return nil, err
	}
	st, err := sqlstore.Open(ctx, sqlstore.Options{Dir: cfg.Data, URL: cfg.Database, Now: cfg.Now, Logger: cfg.Logger})
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	closeBoth := func() error { return errors.Join(st.Close(), log.Close()) }
	keys, err := iam.NewKeys(iam.KeysOptions{
		Store: st, Account: cfg.Account, RootID: root.AccessKeyID, RootSecret: root.SecretAccessKey, Now: cfg.Now, Logger: cfg.Logger,
	})
	if err != nil {
		return nil, errors.Join(err, closeBoth())
	}
	return &localKeys{
		keys: keys, tokens: iam.NewSCIMTokens(iam.SCIMTokensOptions{Store: st, Now: cfg.Now}), store: st, base: cfg.base, audit: log, close: closeBoth,
	}, nil
}

// localKeys manages the keys of a store. It serves /-/keys.
type localKeys struct {
	keys   *iam.Keys
	tokens *iam.SCIMTokens
	store  store.Reader
	base   func() string // the address of the server, as its clients know it
	audit  *audit.Log
	close  func() error
}

// record writes down what was done, and from where.
func (l *localKeys) record(ctx context.Context, e audit.Event) {
	e.Outcome, e.From = audit.OK, domain.CallerOf(ctx).Address
	l.audit.Record(ctx, e)
}

func (l *localKeys) Create(ctx context.Context, k NewKey) (MadeKey, error) {
	made, err := l.keys.Create(ctx, k.UserName, k.Policy)
	if err != nil {
		return MadeKey{}, err
	}
	l.record(ctx, audit.Event{Event: audit.KeyCreate, Key: made.ID, Principal: made.Principal.ARN})
	return MadeKey{made.ID, made.Secret, made.Principal.UserName}, nil
}

func (l *localKeys) List(ctx context.Context) ([]iam.KeyInfo, error) { return l.keys.List(ctx) }

func (l *localKeys) CreateToken(ctx context.Context, t NewSCIMToken) (MadeSCIMToken, error) {
	made, err := newToken(ctx, l.store, l.tokens, l.base(), t)
	if err != nil {
		return made, err
	}
	l.record(ctx, audit.Event{Event: audit.KeyCreate, Key: made.ID, Instance: made.InstanceID})
	return made, nil
}

func (l *localKeys) Tokens(ctx context.Context) ([]iam.SCIMToken, error) { return l.tokens.List(ctx) }

func (l *localKeys) Delete(ctx context.Context, id string) (err error) {
	if iam.IsSCIMTokenID(id) {
		err = l.tokens.Delete(ctx, id)
	} else {
		err = l.keys.Delete(ctx, id)
	}
	if err == nil {
		l.record(ctx, audit.Event{Event: audit.KeyDelete, Key: id})
	}
	return err
}

func (l *localKeys) Close() error { return l.close() }

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
