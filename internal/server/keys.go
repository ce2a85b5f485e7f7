package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ringdown/internal/fault"
	"ringdown/internal/iam"
	"ringdown/internal/store/sqlstore"
)

// Access keys are managed by `ringdown keys`. While a server has the data
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

// serveKeys answers requests at /-/keys.
func serveKeys(keys *iam.Keys, r *http.Request, body []byte) (any, error) {
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, keysPath), "/")
	switch {
	case r.Method == http.MethodGet && id == "":
		return keys.List(r.Context())
	case r.Method == http.MethodPost && id == "":
		var in NewKey
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fault.New(fault.Serialization, "the request body is no JSON object with UserName and Policy")
		}
		k, err := keys.Create(r.Context(), in.UserName, in.Policy)
		if err != nil {
			return nil, err
		}
		return MadeKey{k.ID, k.Secret, k.Principal.UserName}, nil
	case r.Method == http.MethodDelete && id != "":
		return struct{}{}, keys.Delete(r.Context(), id)
	default:
		return nil, fault.New(fault.UnknownOperation, "%s %s is not served", r.Method, r.URL.Path)
	}
}

// KeyManager makes, lists and deletes access keys.
type KeyManager interface {
	Create(ctx context.Context, k NewKey) (MadeKey, error)
	List(ctx context.Context) ([]iam.KeyInfo, error)
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
	return localKeys{keys, st}, nil
}

type localKeys struct {
	*iam.Keys
	closer io.Closer
}

func (l localKeys) Create(ctx context.Context, k NewKey) (MadeKey, error) {
	made, err := l.Keys.Create(ctx, k.UserName, k.Policy)
	if err != nil {
		return MadeKey{}, err
	}
	return MadeKey{made.ID, made.Secret, k.UserName}, nil
}

func (l localKeys) Close() error { return l.closer.Close() }

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

func (k remoteKeys) Delete(ctx context.Context, id string) error {
	return k.do(ctx, http.MethodDelete, keysPath+"/"+url.PathEscape(id), nil, nil)
}

func (k remoteKeys) Close() error { return nil }
