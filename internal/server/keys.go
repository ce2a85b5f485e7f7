package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"ringdown/internal/fault"
	"ringdown/internal/iam"
	"ringdown/internal/sigv4"
	"ringdown/internal/store/sqlstore"
)

// Access keys are managed by `ringdown keys`. While a server has the data
// folder open the command goes through it, at /-/keys, signed with the root
// credentials for a service of ringdown's own; otherwise it opens the store
// itself.
const keysService = "ringdown"

// keysHandler serves /-/keys to the root alone.
type keysHandler struct {
	keys *iam.Keys
	root RootCredentials
	cfg  Config
}

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

const maxKeyBody = 256 << 10

func (h keysHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := h.serve(r)
	status := http.StatusOK
	if err != nil {
		f := fault.From(err)
		status, answer = f.Code.Status(), map[string]string{"Message": f.Message}
		if status == http.StatusInternalServerError {
			h.cfg.Logger.Error("keys", "err", err)
		}
	}
	body, err := json.Marshal(answer)
	if err != nil {
		status, body = http.StatusInternalServerError, nil
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func (h keysHandler) serve(r *http.Request) (any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxKeyBody))
	if err != nil {
		return nil, fault.New(fault.RequestTimeout, "the request body could not be read").Wrap(err)
	}
	lookup := func(_ context.Context, id string) (sigv4.Credential, error) {
		if id != h.root.AccessKeyID {
			return sigv4.Credential{}, sigv4.UnknownKey()
		}
		return sigv4.Credential{AccessKeyID: id, SecretAccessKey: h.root.SecretAccessKey}, nil
	}
	if _, err := sigv4.New(lookup, h.cfg.Now).Verify(r, body, keysService); err != nil {
		return nil, err
	}
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/-/keys"), "/")
	switch {
	case r.Method == http.MethodGet && id == "":
		return h.keys.List(r.Context())
	case r.Method == http.MethodPost && id == "":
		var in NewKey
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fault.New(fault.Serialization, "the request body is no JSON object with UserName and Policy")
		}
		k, err := h.keys.Create(r.Context(), in.UserName, in.Policy)
		if err != nil {
			return nil, err
		}
		return MadeKey{k.ID, k.Secret, k.Principal.UserName}, nil
	case r.Method == http.MethodDelete && id != "":
		return struct{}{}, h.keys.Delete(r.Context(), id)
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
	remote, err := newRemoteKeys(cfg, root)
	if err != nil {
		return nil, err
	}
	if remote.alive(ctx) {
		return remote, nil
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

type remoteKeys struct {
	url    string
	region string
	root   RootCredentials
	client *http.Client
}

func newRemoteKeys(cfg Config, root RootCredentials) (*remoteKeys, error) {
	transport := &http.Transport{}
	if cfg.TLSCert != "" {
		// The server's own certificate is trusted, whoever signed it.
		pem, err := os.ReadFile(cfg.TLSCert)
		if err != nil {
			return nil, fmt.Errorf("--tls-cert: %w", err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &remoteKeys{
		url: Endpoint(&cfg), region: cfg.Region, root: root,
		client: &http.Client{Timeout: 10 * time.Second, Transport: transport},
	}, nil
}

// alive reports whether a server of this data folder answers: one that knows
// its root credentials.
func (k *remoteKeys) alive(ctx context.Context) bool {
	_, err := k.List(ctx)
	return err == nil
}

func (k *remoteKeys) Create(ctx context.Context, in NewKey) (made MadeKey, err error) {
	// Checked here too: what is no JSON could not even be sent.
	if _, err := iam.ParsePolicy(in.Policy); err != nil {
		return made, err
	}
	return made, k.do(ctx, http.MethodPost, "", in, &made)
}

func (k *remoteKeys) List(ctx context.Context) (list []iam.KeyInfo, err error) {
	return list, k.do(ctx, http.MethodGet, "", nil, &list)
}

func (k *remoteKeys) Delete(ctx context.Context, id string) error {
	return k.do(ctx, http.MethodDelete, "/"+url.PathEscape(id), nil, nil)
}

func (k *remoteKeys) Close() error { return nil }

func (k *remoteKeys) do(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, k.url+"/-/keys"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	creds := aws.Credentials{AccessKeyID: k.root.AccessKeyID, SecretAccessKey: k.root.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(ctx, creds, r, hex.EncodeToString(sum[:]), keysService, k.region, time.Now()); err != nil {
		return err
	}
	resp, err := k.client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		var f struct{ Message string }
		_ = json.Unmarshal(raw, &f)
		return fmt.Errorf("the server refused: %s", f.Message)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}
