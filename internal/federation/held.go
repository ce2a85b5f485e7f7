package federation

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/iam"
	"ringdown/internal/store"
)

// remembered is how long what was read from the store holds, as with the access
// keys of internal/iam: with several servers on one database a change may take
// so long to reach the others.
const remembered = 5 * time.Second

// How many can be kept are IAM's quotas (IAM User Guide, "IAM and AWS STS
// quotas"). All are read at once, so that there must be a bound.
const (
	maxProviders = 100
	maxRoles     = 1000
)

// held is all providers and roles by name. It never changes once it is in use.
type held struct {
	providers map[string]*Provider
	roles     map[string]*role
}

func newHeld() *held { return &held{map[string]*Provider{}, map[string]*role{}} }

// kept remembers what was read from the store.
type kept struct {
	reading chan struct{} // holds a token while somebody reads

	mu      sync.Mutex
	held    *held // nil: to be read
	at      time.Time
	changes int // counts drops, so that what was read before one is not kept after it
	parsed  map[recordVersion]any
}

// recordVersion names a version of a record: what was made of it is made once.
type recordVersion struct {
	pk      store.PK
	version int64
}

func newKept() kept { return kept{reading: make(chan struct{}, 1)} }

// The entities of the records. A record's Name and NameKey are the name.
type (
	keptProvider struct {
		Label     string   `json:",omitempty"`
		Metadata  []byte   // XML
		Instances []string `json:",omitempty"`
	}
	keptRole struct {
		Policy     json.RawMessage
		Providers  []string `json:",omitempty"`
		AssumedBy  []string `json:",omitempty"`
		MaxSession int64    // seconds
	}
)

// current is all that is known now.
func (f *Federation) current(ctx context.Context) (*held, error) {
	if h := f.fresh(); h != nil {
		return h, nil
	}
	select {
	case f.kept.reading <- struct{}{}:
		defer func() { <-f.kept.reading }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if h := f.fresh(); h != nil { // somebody else has read it meanwhile
		return h, nil
	}
	f.kept.mu.Lock()
	began, changes, parsed := f.opts.Now(), f.kept.changes, f.kept.parsed
	f.kept.mu.Unlock()
	h, parsed, err := f.read(ctx, parsed)
	if err != nil {
		return nil, fmt.Errorf("identity providers and roles: %w", err)
	}
	f.kept.mu.Lock()
	defer f.kept.mu.Unlock()
	f.kept.parsed = parsed
	if f.kept.changes == changes {
		f.kept.held, f.kept.at = h, began
	}
	return h, nil
}

func (f *Federation) fresh() *held {
	f.kept.mu.Lock()
	defer f.kept.mu.Unlock()
	if age := f.opts.Now().Sub(f.kept.at); f.kept.held == nil || age < 0 || age >= remembered {
		return nil
	}
	return f.kept.held
}

// drop forgets what was read, after a change.
func (f *Federation) drop() {
	f.kept.mu.Lock()
	f.kept.held = nil
	f.kept.changes++
	f.kept.mu.Unlock()
}

// read reads what is kept, and puts the configuration over it. What was made of
// records that have not changed since is taken from parsed; a nil in it is a
// record of which nothing could be made, and the operator has been told.
func (f *Federation) read(ctx context.Context, parsed map[recordVersion]any) (*held, map[recordVersion]any, error) {
	var providers, roles []*store.Record
	err := f.opts.Store.View(ctx, func(r store.Reader) (err error) {
		if providers, err = r.List(ctx, store.ListQuery{Instance: store.Root, Kind: domain.KindSAMLProvider}); err != nil {
			return err
		}
		roles, err = r.List(ctx, store.ListQuery{Instance: store.Root, Kind: domain.KindRole})
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	h, now := newHeld(), map[recordVersion]any{}
	for _, r := range providers {
		if p := opened(f, r, parsed, now, f.openProvider); p != nil {
			h.providers[p.Name] = p
		}
	}
	for _, r := range roles {
		if c := opened(f, r, parsed, now, f.openRole); c != nil {
			h.roles[c.Name] = c
		}
	}
	maps.Copy(h.providers, f.configured.providers)
	maps.Copy(h.roles, f.configured.roles)
	return h, now, nil
}

// opened makes something of a record unless that was done before; it passes on to
// now what was made. What is nil could not be made.
func opened[T any](f *Federation, r *store.Record, before, now map[recordVersion]any, open func(*store.Record) (*T, error)) *T {
	key := recordVersion{r.PK, r.Version}
	made, ok := before[key].(*T)
	if !ok {
		var err error
		if made, err = open(r); err != nil {
			f.opts.Logger.Error("what is kept cannot be used", slog.String("name", r.Name), slog.Any("err", err))
			made = nil
		}
	}
	now[key] = made
	return made
}

func (f *Federation) openProvider(r *store.Record) (*Provider, error) {
	var k keptProvider
	if err := json.Unmarshal(r.Doc, &k); err != nil {
		return nil, fmt.Errorf("kept SAML provider: %w", err)
	}
	c := ProviderConfig{Name: r.Name, Label: k.Label, Metadata: k.Metadata, Instances: k.Instances}
	parsed, err := checkProvider(c)
	if err != nil {
		return nil, fmt.Errorf("kept SAML provider: %w", err)
	}
	return &Provider{ProviderConfig: c, ARN: f.providerARN(c.Name), SAML: parsed, Created: r.Created}, nil
}

func (f *Federation) openRole(r *store.Record) (*role, error) {
	c, err := roleOf(r)
	if err != nil {
		return nil, err
	}
	made, err := f.newRole(c)
	if err != nil {
		return nil, fmt.Errorf("kept role: %w", err)
	}
	return made, nil
}

func roleOf(r *store.Record) (RoleConfig, error) {
	var k keptRole
	if err := json.Unmarshal(r.Doc, &k); err != nil {
		return RoleConfig{}, fmt.Errorf("kept role: %w", err)
	}
	return RoleConfig{
		Name: r.Name, Policy: k.Policy, Providers: k.Providers, AssumedBy: k.AssumedBy, MaxSession: time.Duration(k.MaxSession) * time.Second,
	}, nil
}

func (c RoleConfig) encode() ([]byte, error) {
	return json.Marshal(keptRole{c.Policy, c.Providers, c.AssumedBy, int64(c.MaxSession / time.Second)})
}

// Provider returns nil when there is none of that name.
func (f *Federation) Provider(ctx context.Context, name string) (*Provider, error) {
	h, err := f.current(ctx)
	if err != nil {
		return nil, err
	}
	return h.providers[name], nil
}

// Providers lists all, by name.
func (f *Federation) Providers(ctx context.Context) ([]*Provider, error) {
	h, err := f.current(ctx)
	if err != nil {
		return nil, err
	}
	return h.sorted(), nil
}

func (h *held) sorted() []*Provider {
	return slices.SortedFunc(maps.Values(h.providers), func(a, b *Provider) int { return cmp.Compare(a.Name, b.Name) })
}

// Role implements iam.Roles.
func (f *Federation) Role(ctx context.Context, name string) (*iam.Role, error) {
	h, err := f.current(ctx)
	if err != nil {
		return nil, err
	}
	if r := h.roles[name]; r != nil {
		return r.iam, nil
	}
	return nil, nil
}

// RolesOf lists the names of the roles that may be assumed through a provider.
func (f *Federation) RolesOf(ctx context.Context, provider string) ([]string, error) {
	h, err := f.current(ctx)
	if err != nil {
		return nil, err
	}
	var names []string
	for name, r := range h.roles {
		if r.trusts(provider) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// inTheFile refuses to change what the configuration file has.
func inTheFile(what, name string) error {
	return fault.New(fault.InvalidRequest, "The %s %s is in the configuration file and can be changed only there.", what, name)
}

// AddProvider keeps a provider, and the roles that come with it, all or none. A
// provider of that name is replaced, unless the file has it. A role comes to
// trust the provider; one that is there already keeps those who could assume it
// before, and its policy and longest session where none are given. A role of the
// file must trust the provider as it is.
func (f *Federation) AddProvider(ctx context.Context, p ProviderConfig, roles ...RoleConfig) (*Provider, error) {
	if _, err := checkProvider(p); err != nil {
		return nil, fault.New(fault.InvalidParameter, "The SAML provider %.200q: %v", p.Name, err)
	}
	if f.configured.providers[p.Name] != nil {
		return nil, inTheFile("SAML provider", p.Name)
	}
	var toKeep []RoleConfig
	for _, c := range roles {
		if r := f.configured.roles[c.Name]; r != nil {
			if !r.trusts(p.Name) || len(c.Policy) > 0 || c.MaxSession != 0 {
				return nil, inTheFile("role", c.Name)
			}
			continue
		}
		if _, err := f.newRole(c); err != nil {
			if fault.Is(err, fault.MalformedPolicyDocument) {
				return nil, err
			}
			return nil, fault.New(fault.InvalidParameter, "The role %.200q: %v", c.Name, err)
		}
		if !slices.Contains(c.Providers, p.Name) {
			c.Providers = append(slices.Clone(c.Providers), p.Name)
		}
		toKeep = append(toKeep, c)
	}
	doc, err := json.Marshal(keptProvider{p.Label, p.Metadata, p.Instances})
	if err != nil {
		return nil, fmt.Errorf("SAML provider: %w", err)
	}
	var made *store.Record
	err = f.opts.Store.Update(ctx, func(tx store.Tx) error {
		var err error
		if made, err = keep(ctx, tx, domain.KindSAMLProvider, p.Name, maxProviders, func(*store.Record) ([]byte, error) { return doc, nil }); err != nil {
			return err
		}
		for _, c := range toKeep {
			if _, err := keep(ctx, tx, domain.KindRole, c.Name, maxRoles, func(r *store.Record) ([]byte, error) { return f.join(r, c) }); err != nil {
				return err
			}
		}
		return nil
	})
	f.drop()
	if err != nil {
		return nil, err
	}
	f.opts.Audit.Record(ctx, audit.Event{Event: audit.ProviderAdd, Outcome: audit.OK, Provider: p.Name, From: domain.CallerOf(ctx).Address})
	return f.openProvider(made)
}

// keep inserts or replaces a record of a name; doc is told the one that there is.
func keep(ctx context.Context, tx store.Tx, kind domain.Kind, name string, most int, doc func(*store.Record) ([]byte, error)) (*store.Record, error) {
	r, err := tx.GetByName(ctx, store.Root, kind, name)
	if err != nil && !fault.Is(err, fault.ResourceNotFound) {
		return nil, err
	}
	raw, e := doc(r)
	if e != nil {
		return nil, e
	}
	if err == nil {
		r.Doc = raw
		return r, tx.Update(ctx, r, nil)
	}
	n, err := tx.Count(ctx, store.Root, kind)
	if err != nil {
		return nil, err
	}
	if n >= most {
		return nil, fault.New(fault.LimitExceeded, "There are %d already, which is the most.", n)
	}
	r = &store.Record{Instance: store.Root, Kind: kind, ID: domain.NewID(), Name: name, NameKey: name, Doc: raw}
	return r, tx.Insert(ctx, r, nil)
}

// join adds to a kept role, nil when there is none, what c asks for.
func (f *Federation) join(r *store.Record, c RoleConfig) ([]byte, error) {
	if r != nil {
		old, err := roleOf(r)
		if err != nil {
			return nil, err
		}
		c.Providers = union(old.Providers, c.Providers)
		c.AssumedBy = union(old.AssumedBy, c.AssumedBy)
		if len(c.Policy) == 0 {
			c.Policy = old.Policy
		}
		c.MaxSession = cmp.Or(c.MaxSession, old.MaxSession)
	}
	checked, err := f.newRole(c) // which fills in what neither says
	if err != nil {
		return nil, err
	}
	return checked.encode()
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// DeleteProvider removes a kept provider, and kept roles that nobody else can
// assume; an unknown one is a ResourceNotFoundException.
func (f *Federation) DeleteProvider(ctx context.Context, name string) error {
	if f.configured.providers[name] != nil {
		return inTheFile("SAML provider", name)
	}
	err := f.opts.Store.Update(ctx, func(tx store.Tx) error {
		r, err := tx.GetByName(ctx, store.Root, domain.KindSAMLProvider, name)
		if fault.Is(err, fault.ResourceNotFound) {
			return fault.New(fault.ResourceNotFound, "There is no SAML provider %.200q.", name)
		}
		if err != nil {
			return err
		}
		if err := tx.Delete(ctx, r); err != nil {
			return err
		}
		return withdraw(ctx, tx, name)
	})
	f.drop()
	if err == nil {
		f.opts.Audit.Record(ctx, audit.Event{Event: audit.ProviderDelete, Outcome: audit.OK, Provider: name, From: domain.CallerOf(ctx).Address})
	}
	return err
}

// withdraw has no kept role trust a provider any more: another one that is later
// given its name starts with nothing.
func withdraw(ctx context.Context, tx store.Tx, provider string) error {
	roles, err := tx.List(ctx, store.ListQuery{Instance: store.Root, Kind: domain.KindRole})
	if err != nil {
		return err
	}
	for _, r := range roles {
		c, err := roleOf(r)
		if err != nil {
			return err
		}
		i := slices.Index(c.Providers, provider)
		if i < 0 {
			continue
		}
		c.Providers = slices.Delete(c.Providers, i, i+1)
		if len(c.Providers) == 0 && len(c.AssumedBy) == 0 {
			if err := tx.Delete(ctx, r); err != nil {
				return err
			}
			continue
		}
		if r.Doc, err = c.encode(); err != nil {
			return err
		}
		if err := tx.Update(ctx, r, nil); err != nil {
			return err
		}
	}
	return nil
}
