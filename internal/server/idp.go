package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ringdown/internal/fault"
	"ringdown/internal/federation"
	"ringdown/internal/identity/saml"
	"ringdown/internal/login"
	"ringdown/internal/store/sqlstore"
)

// SAML identity providers are managed by `ringdown idp`, in the way of `ringdown
// keys`: at /-/idp of the server that has the data folder open, else in the store
// itself.
const idpPath = "/-/idp"

// MaxMetadata is the longest metadata that can be given to `ringdown idp`, in
// bytes: what fits into a request to the server, where they are base64.
const MaxMetadata = maxPrivateBody / 4 * 3 * 3 / 4

// NewProvider is the body of a request to add a SAML identity provider.
type NewProvider struct {
	Name      string // empty: the host of its entity id
	Label     string
	Metadata  []byte
	Instances []string
	// Role is the name of the role that its users assume; empty: that of the
	// provider. Policy and MaxSession (seconds) are the role's, as
	// federation.RoleConfig has them.
	Role       string
	Policy     json.RawMessage `json:",omitempty"`
	MaxSession int64
}

// ProviderInfo is what a list tells of a provider.
type ProviderInfo struct {
	Name       string
	Label      string
	ARN        string
	EntityID   string
	Instances  []string
	Roles      []string  // that may be assumed through it
	Configured bool      // in the configuration file
	Created    time.Time // zero when configured
}

// AddedProvider answers NewProvider: what is needed to tell the provider of this
// server.
type AddedProvider struct {
	ProviderInfo
	Role     string // name
	RoleARN  string
	SignIn   string // URL of the sign-in pages; that of an instance follows it
	Audience string // our entity id, where our metadata is as well
}

// ProviderManager adds, lists and deletes SAML identity providers.
type ProviderManager interface {
	Add(ctx context.Context, p NewProvider) (AddedProvider, error)
	List(ctx context.Context) ([]ProviderInfo, error)
	Delete(ctx context.Context, name string) error
	Close() error
}

// localProviders manages the providers of a store. It serves /-/idp.
type localProviders struct {
	federation *federation.Federation
	account    string
	base       func() string
	close      func() error
}

// serve answers requests at /-/idp.
func (l localProviders) serve(r *http.Request, body []byte) (any, error) {
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, idpPath), "/")
	switch {
	case r.Method == http.MethodGet && name == "":
		return l.List(r.Context())
	case r.Method == http.MethodPost && name == "":
		var in NewProvider
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fault.New(fault.Serialization, "the request body is no JSON object with Name and Metadata")
		}
		return l.Add(r.Context(), in)
	case r.Method == http.MethodDelete && name != "":
		return struct{}{}, l.Delete(r.Context(), name)
	default:
		return nil, fault.New(fault.UnknownOperation, "%s %s is not served", r.Method, r.URL.Path)
	}
}

func (l localProviders) Add(ctx context.Context, in NewProvider) (AddedProvider, error) {
	if in.Name == "" {
		var err error
		if in.Name, err = l.derivedName(ctx, in.Metadata); err != nil {
			return AddedProvider{}, err
		}
	}
	if in.Role == "" {
		in.Role = in.Name
	}
	p, err := l.federation.AddProvider(ctx,
		federation.ProviderConfig{Name: in.Name, Label: in.Label, Metadata: in.Metadata, Instances: in.Instances},
		federation.RoleConfig{Name: in.Role, Policy: in.Policy, Providers: []string{in.Name}, MaxSession: time.Duration(in.MaxSession) * time.Second})
	if err != nil {
		return AddedProvider{}, err
	}
	info, err := l.info(ctx, p)
	if err != nil {
		return AddedProvider{}, err
	}
	pages := l.base() + login.Path
	return AddedProvider{
		ProviderInfo: info, Role: in.Role, RoleARN: "arn:aws:iam::" + l.account + ":role/" + in.Role,
		SignIn: pages, Audience: pages + "saml",
	}, nil
}

// maxDerivedName is the longest name of a role, so that one name fits both.
const maxDerivedName = 64

// derivedName names a provider after the host of its entity id. It replaces no
// provider of another entity id: two of them may well share a host.
func (l localProviders) derivedName(ctx context.Context, metadata []byte) (string, error) {
	parsed, err := saml.ParseMetadata(metadata)
	if err != nil {
		return "", fault.New(fault.InvalidParameter, "%v", err)
	}
	name := parsed.EntityID()
	if u, err := url.Parse(name); err == nil && u.Hostname() != "" {
		name = u.Hostname()
	}
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789._-", r) {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	name = strings.Trim(name[:min(len(name), maxDerivedName)], "-.")
	if name == "" {
		return "", fault.New(fault.InvalidParameter, "the provider's entity id makes no name: give one with --name")
	}
	there, err := l.federation.Provider(ctx, name)
	if err != nil {
		return "", err
	}
	if there != nil && there.SAML.EntityID() != parsed.EntityID() {
		return "", fault.New(fault.InvalidRequest, "there is a provider %s already, with another entity id: give a name with --name", name)
	}
	return name, nil
}

func (l localProviders) info(ctx context.Context, p *federation.Provider) (ProviderInfo, error) {
	roles, err := l.federation.RolesOf(ctx, p.Name)
	return ProviderInfo{
		Name: p.Name, Label: p.Label, ARN: p.ARN, EntityID: p.SAML.EntityID(), Instances: p.Instances, Roles: roles,
		Configured: p.Configured, Created: p.Created,
	}, err
}

func (l localProviders) List(ctx context.Context) ([]ProviderInfo, error) {
	providers, err := l.federation.Providers(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]ProviderInfo, len(providers))
	for i, p := range providers {
		if list[i], err = l.info(ctx, p); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (l localProviders) Delete(ctx context.Context, name string) error {
	return l.federation.DeleteProvider(ctx, name)
}

func (l localProviders) Close() error {
	if l.close == nil { // the server's own, which it closes itself
		return nil
	}
	return l.close()
}

// OpenProviders opens the SAML identity providers of a data folder: through the
// server that has it open, when one does, else directly.
func OpenProviders(ctx context.Context, cfg Config) (ProviderManager, error) {
	_, found, err := cfg.manage()
	if err != nil {
		return nil, err
	}
	if providers := (remoteProviders{found}); providers.alive(ctx) {
		return providers, nil
	}
	o, err := cfg.federationOptions(cfg.base)
	if err != nil {
		return nil, err
	}
	if o.Audit, err = openAudit(&cfg); err != nil {
		return nil, err
	}
	if o.Store, err = sqlstore.Open(ctx, sqlstore.Options{Dir: cfg.Data, URL: cfg.Database, Now: cfg.Now, Logger: cfg.Logger}); err != nil {
		return nil, errors.Join(err, o.Audit.Close())
	}
	closeBoth := func() error { return errors.Join(o.Store.Close(), o.Audit.Close()) }
	f, err := federation.New(o)
	if err != nil {
		return nil, errors.Join(err, closeBoth())
	}
	return localProviders{f, cfg.Account, cfg.base, closeBoth}, nil
}

type remoteProviders struct{ *remote }

// alive reports whether a server of this data folder answers: one that knows its
// root credentials.
func (k remoteProviders) alive(ctx context.Context) bool {
	_, err := k.List(ctx)
	return err == nil
}

func (k remoteProviders) Add(ctx context.Context, in NewProvider) (added AddedProvider, err error) {
	return added, k.do(ctx, http.MethodPost, idpPath, in, &added)
}

func (k remoteProviders) List(ctx context.Context) (list []ProviderInfo, err error) {
	return list, k.do(ctx, http.MethodGet, idpPath, nil, &list)
}

func (k remoteProviders) Delete(ctx context.Context, name string) error {
	return k.do(ctx, http.MethodDelete, idpPath+"/"+url.PathEscape(name), nil, nil)
}

func (k remoteProviders) Close() error { return nil }
