// Package catalog is the one way in which every configuration resource lives.
// A kind of resource is described once (Kind: its entity, name, references,
// searchable fields, quota); identity, uniqueness of names, references, tags,
// paging, search, client tokens and the change feed of the search index come
// from here, the same for every kind.
//
// Who owns what: a Collection is the only writer of its kind's records. The
// search index is written by Observe alone, which the store calls for each
// committed change before the writer is answered; so a search sees what its
// caller has just written.
package catalog

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// Options configure a Catalog.
type Options struct {
	// Account is the AWS account in the ARNs of all resources.
	Account string
	// Shared says that other servers write to the same database, so that what
	// this one has read may be out of date.
	Shared bool
	// Quotas turns AWS's quotas on; without it nothing is counted.
	Quotas bool
	Now    func() time.Time
	Logger *slog.Logger
}

// Catalog holds what all collections share.
type Catalog struct {
	opts  Options
	store store.Store
	index *search.Index
	feed  feed
	kinds map[domain.Kind]kindInfo
	parts map[domain.Kind][]partKind // of what the kinds of parts are parts

	mu        sync.RWMutex
	instances map[domain.InstanceID]Scope // immutable facts, so never stale
}

// kindInfo is what the catalog knows of a kind without its entity type.
type kindInfo struct {
	taggable bool
	// document turns a record into what the index holds; nil for unlisted
	// kinds.
	document func(*store.Record) (search.Doc, error)
	// region is where a record that belongs to no instance lives; nil for
	// kinds that live in an instance.
	region func(*store.Record) (string, error)
	// instance is Kind.Instance of a record; nil for kinds without.
	instance func(*store.Record) (domain.InstanceID, error)
	// forget and clear keep the cache of the kind true.
	forget func(store.PK)
	clear  func()
	// key and learn are the cache's, for references from other kinds.
	key   func(instance store.PK, id string) (store.PK, bool)
	learn func(instance store.PK, id string, pk store.PK)
}

// New returns a Catalog without a store. Its Observe is given to the store
// when that is opened, the store to Use.
func New(o Options) *Catalog {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Catalog{
		opts:      o,
		index:     search.New(),
		feed:      newFeed(o.Now),
		kinds:     map[domain.Kind]kindInfo{},
		parts:     map[domain.Kind][]partKind{},
		instances: map[domain.InstanceID]Scope{},
	}
}

// Use gives the catalog its store; once, before any collection is used.
func (c *Catalog) Use(s store.Store) { c.store = s }

// Store returns the store, for what is no configuration resource.
func (c *Catalog) Store() store.Store { return c.store }

// Now is the catalog's clock.
func (c *Catalog) Now() time.Time { return c.opts.Now() }

// Account is the AWS account of all resources.
func (c *Catalog) Account() string { return c.opts.Account }

// Logger is where areas tell the operator what a client is not told.
func (c *Catalog) Logger() *slog.Logger { return c.opts.Logger }

// Quotas reports whether AWS's quotas are on.
func (c *Catalog) Quotas() bool { return c.opts.Quotas }

// Scope is one instance as a request addresses it.
type Scope struct {
	PK      store.PK
	ID      domain.InstanceID
	Region  string
	Account string
	// Home is the region in which the instance was created. It differs from
	// Region where a request addresses the instance's replica.
	Home string
	// Identity is the identity type of the instance, which never changes.
	Identity domain.IdentityManagementType
	// DirectoryID is its directory, of the type EXISTING_DIRECTORY; it never
	// changes either.
	DirectoryID string
}

// ARN names a resource of the instance.
func (s Scope) ARN(kind domain.Kind, id string) string {
	return domain.ARN{Region: s.Region, Account: s.Account, Instance: s.ID, Kind: kind, ID: id}.String()
}

// Scope finds the instance that a request addresses by its id. An id that is
// no UUID is an InvalidParameterException in the service's own words; an
// unknown one, or one of another region, a ResourceNotFoundException.
func (c *Catalog) Scope(ctx context.Context, instanceID *string) (Scope, error) {
	if instanceID == nil || !domain.IsUUID(*instanceID) {
		id := ""
		if instanceID != nil {
			id = *instanceID
		}
		return Scope{}, fault.New(fault.InvalidParameter, "Invalid parameter: %s", id)
	}
	sc, err := c.Anywhere(ctx, domain.InstanceID(*instanceID))
	if err != nil {
		return Scope{}, err
	}
	return c.inRegion(ctx, sc)
}

// Anywhere finds an instance where it was created, for what has no region of its
// own: a browser names an instance and nothing else.
func (c *Catalog) Anywhere(ctx context.Context, id domain.InstanceID) (Scope, error) {
	c.mu.RLock()
	sc, ok := c.instances[id]
	c.mu.RUnlock()
	if ok {
		return sc, nil
	}
	r, err := c.store.Get(ctx, store.Root, domain.KindInstance, string(id))
	if fault.Is(err, fault.ResourceNotFound) {
		return Scope{}, noInstance(id)
	}
	if err != nil {
		return Scope{}, err
	}
	return c.scopeOf(r)
}

// inRegion is the instance as the caller's region has it: itself where it was
// created, its replica in the region of that. Both are the same instance, so
// that what is configured in one region is in the other at once
// (docs/divergences.md).
func (c *Catalog) inRegion(ctx context.Context, sc Scope) (Scope, error) {
	region := domain.CallerOf(ctx).Region
	if sc.Region == region {
		return sc, nil
	}
	replica, err := c.ReplicaOf(ctx, c.store, sc.ID)
	if err != nil {
		return Scope{}, err
	}
	if replica == nil || replica.Region != region {
		return Scope{}, noInstance(sc.ID)
	}
	sc.Region = region
	return sc, nil
}

// ReplicaOf returns the replica of an instance, nil when it has none. It is
// not remembered: other servers make and delete replicas too.
func (c *Catalog) ReplicaOf(ctx context.Context, rd store.Reader, id domain.InstanceID) (*domain.InstanceReplica, error) {
	r, err := rd.Get(ctx, store.Root, domain.KindInstanceReplica, string(id))
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decode[domain.InstanceReplica](r)
}

// Replicas returns the replicas of all instances.
func (c *Catalog) Replicas(ctx context.Context, rd store.Reader) (map[domain.InstanceID]*domain.InstanceReplica, error) {
	records, err := rd.List(ctx, store.ListQuery{Instance: store.Root, Kind: domain.KindInstanceReplica})
	if err != nil {
		return nil, err
	}
	all := make(map[domain.InstanceID]*domain.InstanceReplica, len(records))
	for _, r := range records {
		e, err := decode[domain.InstanceReplica](r)
		if err != nil {
			return nil, err
		}
		all[e.InstanceID] = e
	}
	return all, nil
}

// ScopeARN is Scope for the operations that take an instance's id or ARN.
func (c *Catalog) ScopeARN(ctx context.Context, idOrARN *string) (Scope, error) {
	if idOrARN == nil || !domain.IsARN(*idOrARN) {
		return c.Scope(ctx, idOrARN)
	}
	arn, err := domain.ParseARN(*idOrARN)
	if err != nil {
		return Scope{}, err
	}
	if arn.Kind != domain.KindInstance {
		return Scope{}, fault.New(fault.InvalidParameter, "Invalid parameter: %s", *idOrARN)
	}
	id := string(arn.Instance)
	if arn.Account != c.opts.Account || arn.Region != domain.CallerOf(ctx).Region {
		return Scope{}, noInstance(arn.Instance)
	}
	return c.Scope(ctx, &id)
}

func noInstance(id domain.InstanceID) error {
	return fault.New(fault.ResourceNotFound, "Instance %s not found.", id)
}

// scopeOf remembers what never changes of an instance.
func (c *Catalog) scopeOf(r *store.Record) (Scope, error) {
	e, err := decode[domain.Instance](r)
	if err != nil {
		return Scope{}, err
	}
	sc := Scope{PK: r.PK, ID: domain.InstanceID(r.ID), Region: e.Region, Home: e.Region, Account: c.opts.Account, Identity: e.IdentityType, DirectoryID: e.DirectoryID}
	c.mu.Lock()
	c.instances[sc.ID] = sc
	c.mu.Unlock()
	return sc, nil
}

// forget drops an instance that is no more.
func (c *Catalog) forget(id domain.InstanceID) {
	c.mu.Lock()
	delete(c.instances, id)
	c.mu.Unlock()
}

// RootScope is the place of the records that belong to no instance.
func (c *Catalog) RootScope(ctx context.Context) Scope {
	region := domain.CallerOf(ctx).Region
	return Scope{PK: store.Root, Region: region, Home: region, Account: c.opts.Account}
}
