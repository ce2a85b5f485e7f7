package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/sigv4"
)

// What commands ask of a running server beside the API is served under /-/ to
// the root alone. Requests are signed for a service of ringdown's own, so that
// one captured from the API cannot be replayed there.
const privateService = "ringdown"

const maxPrivateBody = 256 << 10

// private serves requests signed with the root credentials. The answer of serve
// is sent as JSON, its error as {"Message": …}.
type private struct {
	name  string // in the log
	from  func(*http.Request) string
	root  RootCredentials
	cfg   Config
	serve func(r *http.Request, body []byte) (any, error)
}

func (s *Server) private(name string, serve func(r *http.Request, body []byte) (any, error)) http.Handler {
	return private{name, s.identities.from, s.Root, s.cfg, serve}
}

// ServeHTTP implements http.Handler.
func (h private) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer, err := h.verified(r)
	status := http.StatusOK
	if err != nil {
		f := fault.From(err)
		status, answer = f.Code.Status(), map[string]string{"Message": f.Message}
		if status == http.StatusInternalServerError && r.Context().Err() == nil {
			h.cfg.Logger.Error(h.name, "err", err)
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

func (h private) verified(r *http.Request) (any, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxPrivateBody))
	if err != nil {
		return nil, fault.New(fault.RequestTimeout, "the request body could not be read").Wrap(err)
	}
	lookup := func(_ context.Context, id, _ string) (sigv4.Credential, error) {
		if id != h.root.AccessKeyID {
			return sigv4.Credential{}, sigv4.UnknownKey()
		}
		return sigv4.Credential{AccessKeyID: id, SecretAccessKey: h.root.SecretAccessKey}, nil
	}
	if _, err := sigv4.New(lookup, h.cfg.Now).Verify(r, body, privateService); err != nil {
		return nil, err
	}
	caller := &domain.Caller{Account: h.cfg.Account, Root: true, Address: h.from(r)}
	return h.serve(r.WithContext(domain.WithCaller(r.Context(), caller)), body)
}

// manage prepares a configuration for a command that manages what its data folder
// holds: the server that has it open is asked first, if one answers.
func (c *Config) manage() (RootCredentials, *remote, error) {
	if err := c.complete(); err != nil {
		return RootCredentials{}, nil, err
	}
	var err error
	if c.Data, err = c.dataFolder(); err != nil {
		return RootCredentials{}, nil, err
	}
	root, _, err := ensureRoot(c)
	if err != nil {
		return RootCredentials{}, nil, err
	}
	found, err := newRemote(*c, root, 10*time.Second)
	return root, found, err
}

// base is the address of the server of a configuration as its clients know it.
func (c *Config) base() string {
	return strings.TrimSuffix(cmp.Or(c.SignIn.URL, Endpoint(c)), "/")
}

// remote asks the server of a data folder, as its root.
type remote struct {
	url    string
	region string
	root   RootCredentials
	client *http.Client
}

// newRemote finds the server of a configuration. The patience is for each
// request.
func newRemote(cfg Config, root RootCredentials, patience time.Duration) (*remote, error) {
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
	return &remote{
		url: Endpoint(&cfg), region: cfg.Region, root: root,
		client: &http.Client{Timeout: patience, Transport: transport},
	}, nil
}

// refusal is the answer of a server that did not do what it was asked.
type refusal struct {
	status  int // of HTTP
	message string
}

func (r *refusal) Error() string { return "the server refused: " + r.message }

// do makes a request: path is all that follows the server's address, in and out
// are JSON, nil for none. The error is a *refusal when the server gave it.
func (k *remote) do(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, k.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	creds := aws.Credentials{AccessKeyID: k.root.AccessKeyID, SecretAccessKey: k.root.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(ctx, creds, r, hex.EncodeToString(sum[:]), privateService, k.region, time.Now()); err != nil {
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
		return &refusal{resp.StatusCode, f.Message}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}
