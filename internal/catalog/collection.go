package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// Kind describes one kind of resource whose entity is E. An entity is what is
// stored: plain data that encoding/json reads and writes.
type Kind[E any] struct {
	Of domain.Kind
	// Name is what lists show and, unless Key says otherwise, what must be
	// unique in an instance.
	Name func(*E) string
	// Key is the form of the name that must be unique, "" for none.
	Key func(*E) string
	// Parent says that a resource of the kind is a part of another: a version of
	// its view, a page of its workspace. Nil for kinds that stand alone.
	Parent *Parent[E]
	// Refs are the resources that an entity refers to and that may not be
	// deleted while it does.
	Refs func(*E) []Ref
	// GoesWith are those of Refs that may be deleted nevertheless: the resource
	// then goes with them, as a part goes with its parent. It is for what joins
	// two resources.
	GoesWith []Tie
	// Check holds the rules of the entity that need nothing but itself.
	Check func(*E) error
	// Quota is AWS's default limit for an instance, or for the parent of parts;
	// 0 for none.
	Quota int
	// Region is where a resource that belongs to no instance lives: it is not
	// found from another region, though lists of all regions hold it. Nil for
	// kinds that live in an instance.
	Region func(*E) string
	// Instance is the instance that a resource outside any belongs to, so that
	// what is in another one cannot refer to it. Nil for kinds inside.
	Instance func(*E) domain.InstanceID
	// NoTags is true for kinds that cannot be tagged.
	NoTags bool
	// Unlisted is true for kinds that are read by id alone. The index does not
	// hold them, so that a start need not read them all; lists and searches
	// find none.
	Unlisted bool
	// Fields are what Search* can ask for beside tags, by FieldName.
	Fields Fields[E]
}

// Ref is a reference of an entity to another resource of its instance.
type Ref struct {
	Role store.Role
	Kind domain.Kind
	ID   string
}

// Collection is all the resources of one kind.
type Collection[E any] struct {
	c     *Catalog
	kind  Kind[E]
	cache *cache[E]
}

// Register makes a kind known to the catalog. Registering a kind twice is a
// mistake in the wiring and panics at start.
func Register[E any](c *Catalog, k Kind[E]) *Collection[E] {
	if _, ok := c.kinds[k.Of]; ok {
		panic(fmt.Sprintf("kind %s registered twice", k.Of))
	}
	if k.Key == nil {
		k.Key = k.Name
	}
	if k.Parent != nil {
		k.Key = k.Parent.key(k.Key)
	}
	l := &Collection[E]{c: c, kind: k}
	if !c.opts.Shared {
		l.cache = new(cache[E])
	}
	info := kindInfo{
		taggable: !k.NoTags,
		forget:   l.cache.forget, clear: l.cache.clear, key: l.cache.key, learn: l.cache.learn,
	}
	if !k.Unlisted {
		info.document = l.document
	}
	if k.Region != nil {
		info.region = l.region
	}
	if k.Instance != nil {
		info.instance = l.instance
	}
	c.kinds[k.Of] = info
	if k.Parent != nil {
		c.addParts(k.Parent.Kind, k.Of, k.Parent.Role)
	}
	for _, t := range k.GoesWith {
		c.addParts(t.Kind, k.Of, t.Role)
	}
	return l
}

// Item is a resource with what the catalog keeps beside its entity. Items may
// be shared between requests: nobody changes one, nor what it refers to.
type Item[E any] struct {
	ID       string
	Name     string
	Tags     map[string]string
	Created  time.Time
	Modified time.Time
	Value    E

	kind domain.Kind
	pk   store.PK
	arn  atomic.Pointer[string] // in the home region
}

// ARN is the item's ARN. It is built once, for the pages of a list show the
// same items again and again; but each time for a replica, where it is another.
func (i *Item[E]) ARN(sc Scope) *string {
	home := sc.Region == sc.Home
	if s := i.arn.Load(); s != nil && home {
		return s
	}
	s := sc.ARN(i.kind, i.ID)
	if home {
		i.arn.Store(&s)
	}
	return &s
}

// PK is the key of the item's record, for the store's reference queries.
func (i *Item[E]) PK() store.PK { return i.pk }

func decode[E any](r *store.Record) (*E, error) {
	if e, ok := r.Entity.(*E); ok {
		return e, nil
	}
	e := new(E)
	if err := json.Unmarshal(r.Doc, e); err != nil {
		return nil, fmt.Errorf("stored %s %s: %w", r.Kind, r.ID, err)
	}
	return e, nil
}

func item[E any](r *store.Record) (*Item[E], error) {
	i := &Item[E]{ID: r.ID, Name: r.Name, Tags: r.Tags, Created: r.Created, Modified: r.Modified, kind: r.Kind, pk: r.PK}
	if err := json.Unmarshal(r.Doc, &i.Value); err != nil {
		return nil, fmt.Errorf("stored %s %s: %w", r.Kind, r.ID, err)
	}
	return i, nil
}

func items[E any](records []*store.Record) ([]*Item[E], error) {
	list := make([]*Item[E], len(records))
	for n, r := range records {
		i, err := item[E](r)
		if err != nil {
			return nil, err
		}
		list[n] = i
	}
	return list, nil
}

// ID reads a reference to a resource of this kind as clients give it: a bare
// id, or an ARN of this instance. An ARN of something else is a
// ResourceNotFoundException.
func (l *Collection[E]) ID(sc Scope, idOrARN string) (string, error) {
	return ID(sc, l.kind.Of, idOrARN)
}

// ID is Collection.ID for a kind that another area owns.
func ID(sc Scope, kind domain.Kind, idOrARN string) (string, error) {
	if !domain.IsARN(idOrARN) {
		return idOrARN, nil
	}
	arn, err := domain.ParseARN(idOrARN)
	if err != nil {
		return "", err
	}
	if arn.Kind != kind || arn.Region != sc.Region || arn.Account != sc.Account || (arn.Instance != "" && arn.Instance != sc.ID) {
		return "", fault.New(fault.ResourceNotFound, "%s not found: the ARN names something else.", kind)
	}
	return arn.ID, nil
}

// Create adds a resource and returns it with its new id.
func (l *Collection[E]) Create(ctx context.Context, sc Scope, e *E, tags map[string]string) (*Item[E], error) {
	// Encoded out here: writes queue for the transaction, encoding does not.
	encoded, err := l.record(e)
	if err != nil {
		return nil, err
	}
	var made *Item[E]
	err = l.c.store.Update(ctx, func(tx store.Tx) error {
		r := *encoded
		var err error
		made, err = l.insert(ctx, tx, sc, domain.NewID(), &r, e, tags)
		return err
	})
	return made, err
}

// Insert is Create within a transaction.
func (l *Collection[E]) Insert(ctx context.Context, tx store.Tx, sc Scope, e *E, tags map[string]string) (*Item[E], error) {
	return l.InsertAs(ctx, tx, sc, domain.NewID(), e, tags)
}

// InsertAs is Insert with an id that the caller has chosen, for resources that
// others must name before they exist. It comes from domain.NewID.
func (l *Collection[E]) InsertAs(ctx context.Context, tx store.Tx, sc Scope, id string, e *E, tags map[string]string) (*Item[E], error) {
	r, err := l.record(e)
	if err != nil {
		return nil, err
	}
	return l.insert(ctx, tx, sc, id, r, e, tags)
}

func (l *Collection[E]) insert(ctx context.Context, tx store.Tx, sc Scope, id string, r *store.Record, e *E, tags map[string]string) (*Item[E], error) {
	refs, err := l.resolve(ctx, tx, sc, l.refs(e))
	if err != nil {
		return nil, err
	}
	if err := l.checkQuota(ctx, tx, sc, refs); err != nil {
		return nil, err
	}
	r.Instance, r.Kind, r.ID, r.Tags = sc.PK, l.kind.Of, id, tags
	if err := tx.Insert(ctx, r, refs); err != nil {
		return nil, l.named(err, r.Name)
	}
	return &Item[E]{ID: r.ID, Name: r.Name, Tags: tags, Created: r.Created, Modified: r.Modified, Value: *e, kind: r.Kind, pk: r.PK}, nil
}

// checkQuota refuses one more resource than AWS allows an instance, or a
// parent, whose reference is the first of refs.
func (l *Collection[E]) checkQuota(ctx context.Context, tx store.Tx, sc Scope, refs []store.Ref) error {
	if !l.c.opts.Quotas || l.kind.Quota == 0 {
		return nil
	}
	holder, n, err := "instance", 0, error(nil)
	if l.kind.Parent != nil {
		holder = l.kind.Parent.Kind.String()
		n, err = tx.CountReferrers(ctx, refs[0].To, l.kind.Parent.Role)
	} else {
		n, err = tx.Count(ctx, sc.PK, l.kind.Of)
	}
	if err != nil {
		return err
	}
	if n >= l.kind.Quota {
		return fault.New(fault.LimitExceeded, "The %s already has %d of %d %s resources.", holder, n, l.kind.Quota, l.kind.Of)
	}
	return nil
}

// record encodes an entity after checking it.
func (l *Collection[E]) record(e *E) (*store.Record, error) {
	if l.kind.Check != nil {
		if err := l.kind.Check(e); err != nil {
			return nil, err
		}
	}
	doc, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", l.kind.Of, err)
	}
	return &store.Record{Name: l.kind.Name(e), NameKey: l.kind.Key(e), Doc: doc, Entity: e}, nil
}

// refs are the references of an entity, that to its parent first.
func (l *Collection[E]) refs(e *E) []Ref {
	var refs []Ref
	if l.kind.Refs != nil {
		refs = l.kind.Refs(e)
	}
	if p := l.kind.Parent; p != nil {
		refs = append([]Ref{{Role: p.Role, Kind: p.Kind, ID: p.ID(e)}}, refs...)
	}
	return refs
}

// named says which name is taken when the store reports a duplicate.
func (l *Collection[E]) named(err error, name string) error {
	if fault.Is(err, fault.DuplicateResource) {
		return fault.New(fault.DuplicateResource, "A %s with the name %q already exists.", l.kind.Of, name).Wrap(err)
	}
	return err
}

// resolve finds the keys of the resources that an entity refers to. The same
// reference given twice counts once.
func (l *Collection[E]) resolve(ctx context.Context, tx store.Reader, sc Scope, refs []Ref) ([]store.Ref, error) {
	out := make([]store.Ref, 0, len(refs))
	for _, r := range refs {
		pk, err := l.c.resolve(ctx, tx, sc, r.Kind, r.ID)
		if err != nil {
			return nil, err
		}
		if ref := (store.Ref{Role: r.Role, To: pk}); !slices.Contains(out, ref) {
			out = append(out, ref)
		}
	}
	return out, nil
}

// resolve finds the key of a resource by its id. A key that was known may be
// that of a resource that is gone: the database then refuses the reference.
func (c *Catalog) resolve(ctx context.Context, tx store.Reader, sc Scope, kind domain.Kind, id string) (store.PK, error) {
	in := sc.PK
	if kind.Outside() {
		in = store.Root // phone numbers belong to an account
	}
	info, registered := c.kinds[kind]
	if info.instance != nil && sc.PK != store.Root {
		return info.ownedBy(ctx, tx, sc, kind, id)
	}
	if registered {
		if pk, ok := info.key(in, id); ok {
			return pk, nil
		}
	}
	pks, err := tx.Resolve(ctx, in, kind, id)
	if err != nil {
		return 0, err
	}
	if registered {
		info.learn(in, id, pks[0])
	}
	return pks[0], nil
}

// ownedBy finds the key of a resource outside any instance that belongs to the
// instance of sc.
func (k *kindInfo) ownedBy(ctx context.Context, rd store.Reader, sc Scope, kind domain.Kind, id string) (store.PK, error) {
	r, err := rd.Get(ctx, store.Root, kind, id)
	if err != nil {
		return 0, err
	}
	owner, err := k.instance(r)
	if err != nil {
		return 0, err
	}
	if owner != sc.ID {
		return 0, fault.New(fault.ResourceNotFound, "%s %s not found in the instance.", kind, id)
	}
	return r.PK, nil
}

// Get returns a resource by its id or ARN.
func (l *Collection[E]) Get(ctx context.Context, sc Scope, idOrARN string) (*Item[E], error) {
	id, err := l.ID(sc, idOrARN)
	if err != nil {
		return nil, err
	}
	if i := l.cache.named(sc.PK, id); i != nil && (l.kind.Region == nil || l.kind.Region(&i.Value) == sc.Region) {
		return i, nil
	}
	moment := l.cache.now()
	i, err := l.GetIn(ctx, l.c.store, sc, id)
	if err == nil {
		l.cache.keep(sc.PK, i, moment)
	}
	return i, err
}

// GetIn is Get within a transaction or view.
func (l *Collection[E]) GetIn(ctx context.Context, rd store.Reader, sc Scope, idOrARN string) (*Item[E], error) {
	r, err := l.find(ctx, rd, sc, idOrARN)
	if err != nil {
		return nil, err
	}
	return item[E](r)
}

// GetByName returns a resource by its unique name.
func (l *Collection[E]) GetByName(ctx context.Context, rd store.Reader, sc Scope, key string) (*Item[E], error) {
	r, err := rd.GetByName(ctx, sc.PK, l.kind.Of, key)
	if err != nil {
		return nil, err
	}
	return item[E](r)
}

func (l *Collection[E]) find(ctx context.Context, rd store.Reader, sc Scope, idOrARN string) (*store.Record, error) {
	id, err := l.ID(sc, idOrARN)
	if err != nil {
		return nil, err
	}
	r, err := rd.Get(ctx, sc.PK, l.kind.Of, id)
	if err != nil || l.kind.Region == nil {
		return r, err
	}
	switch region, err := l.region(r); {
	case err != nil:
		return nil, err
	case region != sc.Region:
		return nil, fault.New(fault.ResourceNotFound, "%s %s not found.", l.kind.Of, id)
	default:
		return r, nil
	}
}

func (l *Collection[E]) region(r *store.Record) (string, error) {
	e, err := decode[E](r)
	if err != nil {
		return "", err
	}
	return l.kind.Region(e), nil
}

func (l *Collection[E]) instance(r *store.Record) (domain.InstanceID, error) {
	e, err := decode[E](r)
	if err != nil {
		return "", err
	}
	return l.kind.Instance(e), nil
}

// Update changes a resource: change is given the entity as it is and leaves it
// as it shall be. Nothing is written when change fails.
// Change may be called more than once, each time with a fresh entity.
func (l *Collection[E]) Update(ctx context.Context, sc Scope, idOrARN string, change func(tx store.Tx, e *E) error) error {
	return l.c.store.Update(ctx, func(tx store.Tx) error {
		return l.Change(ctx, tx, sc, idOrARN, func(e *E) error { return change(tx, e) })
	})
}

// Change is Update within a transaction.
func (l *Collection[E]) Change(ctx context.Context, tx store.Tx, sc Scope, idOrARN string, change func(*E) error) error {
	r, err := l.find(ctx, tx, sc, idOrARN)
	if err != nil {
		return err
	}
	e, err := decode[E](r)
	if err != nil {
		return err
	}
	before := l.refs(e)
	if err := change(e); err != nil {
		return err
	}
	next, err := l.record(e)
	if err != nil {
		return err
	}
	var refs []store.Ref // nil leaves them as they are
	if after := l.refs(e); !slices.Equal(before, after) {
		if refs, err = l.resolve(ctx, tx, sc, after); err != nil {
			return err
		}
	}
	r.Name, r.NameKey, r.Doc, r.Entity = next.Name, next.NameKey, next.Doc, next.Entity
	return l.named(tx.Update(ctx, r, refs), r.Name)
}

// Delete removes a resource with its parts. Check, when not nil, may refuse.
func (l *Collection[E]) Delete(ctx context.Context, sc Scope, idOrARN string, check func(tx store.Tx, i *Item[E]) error) error {
	return l.c.store.Update(ctx, func(tx store.Tx) error {
		return l.Remove(ctx, tx, sc, idOrARN, func(i *Item[E]) error {
			if check == nil {
				return nil
			}
			return check(tx, i)
		})
	})
}

// Remove is Delete within a transaction.
func (l *Collection[E]) Remove(ctx context.Context, tx store.Tx, sc Scope, idOrARN string, check func(i *Item[E]) error) error {
	r, err := l.find(ctx, tx, sc, idOrARN)
	if err != nil {
		return err
	}
	if check != nil {
		i, err := item[E](r)
		if err != nil {
			return err
		}
		if err := check(i); err != nil {
			return err
		}
	}
	if err := l.c.deleteWithParts(ctx, tx, r); err != nil {
		if fault.Is(err, fault.ResourceInUse) {
			return fault.New(fault.ResourceInUse, "The %s %s is in use by another resource.", l.kind.Of, r.ID).
				Wrap(err).With("ResourceId", sc.ARN(l.kind.Of, r.ID))
		}
		return err
	}
	return nil
}

// All returns every resource of the kind in an instance. It is for kinds of
// which an instance holds few.
func (l *Collection[E]) All(ctx context.Context, rd store.Reader, sc Scope) ([]*Item[E], error) {
	records, err := rd.List(ctx, store.ListQuery{Instance: sc.PK, Kind: l.kind.Of})
	if err != nil {
		return nil, err
	}
	return items[E](records)
}

// List returns a page of resources in the order of their creation.
func (l *Collection[E]) List(ctx context.Context, sc Scope, p Page) ([]*Item[E], *string, error) {
	return l.ListWhere(ctx, sc, p, nil)
}

// ListWhere is List of the resources that keep accepts. Which resources there
// are is read from the index, which is as current as the store.
func (l *Collection[E]) ListWhere(ctx context.Context, sc Scope, p Page, keep func(*Item[E]) bool) ([]*Item[E], *string, error) {
	pages := series{listed, l.kind.Of, sc.PK}
	after, err := pages.number(p)
	if err != nil {
		return nil, nil, err
	}
	limit := p.limit()
	found := make([]*Item[E], 0, min(limit, 128)+1)
	for {
		// One more than asked for tells whether there is a next page.
		pks, _, err := l.c.index.Search(int64(sc.PK), uint8(l.kind.Of), search.All{}, after, limit+1)
		if err != nil {
			return nil, nil, err
		}
		run, err := l.fetch(ctx, sc, pks)
		if err != nil {
			return nil, nil, err
		}
		for _, i := range run {
			if keep == nil || keep(i) {
				found = append(found, i)
			}
			if len(found) > limit {
				return found[:limit], pages.at(found[limit-1].pk), nil
			}
		}
		if len(pks) <= limit {
			return found, nil, nil
		}
		after = pks[len(pks)-1]
	}
}

// fetch returns the items of records, in the order of their keys; what has
// been deleted meanwhile is left out.
func (l *Collection[E]) fetch(ctx context.Context, sc Scope, pks []int64) ([]*Item[E], error) {
	found := make([]*Item[E], len(pks))
	var missing []store.PK
	var places []int
	for n, pk := range pks {
		if found[n] = l.cache.get(store.PK(pk)); found[n] == nil {
			missing, places = append(missing, store.PK(pk)), append(places, n)
		}
	}
	if len(missing) == 0 {
		return found, nil
	}
	moment := l.cache.now()
	records, err := l.c.store.GetByPK(ctx, missing...)
	if err != nil {
		return nil, err
	}
	n := 0
	for _, r := range records {
		for missing[n] != r.PK {
			n++
		}
		i, err := item[E](r)
		if err != nil {
			return nil, err
		}
		found[places[n]] = i
		l.cache.keep(sc.PK, i, moment)
	}
	return slices.DeleteFunc(found, func(i *Item[E]) bool { return i == nil }), nil
}

// gather reads records, a run at a time, until it has a page of those that
// keep accepts; more reports whether there are others. Read is given the last
// record of the run before and the length of the next.
func (l *Collection[E]) gather(limit int, keep func(*Item[E]) bool, read func(last *store.Record, run int) ([]*store.Record, error)) (found []*Item[E], more bool, err error) {
	found = make([]*Item[E], 0, min(limit, 128)+1)
	run := limit + 1 // one more than asked for tells whether there is a next page
	var last *store.Record
	for {
		records, err := read(last, run)
		if err != nil {
			return nil, false, err
		}
		for _, r := range records {
			i, err := item[E](r)
			if err != nil {
				return nil, false, err
			}
			if keep == nil || keep(i) {
				found = append(found, i)
			}
			if len(found) > limit {
				return found[:limit], true, nil
			}
		}
		if len(records) < run {
			return found, false, nil
		}
		last = records[len(records)-1]
	}
}

// TagMap is the item's tags as operations show them: an empty map when there
// are none.
func (i *Item[E]) TagMap() map[string]string {
	if i.Tags == nil {
		return map[string]string{}
	}
	return i.Tags
}
