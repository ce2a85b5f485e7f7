package catalog

import (
	"cmp"
	"context"
	"slices"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Parent says of which resource those of a kind are parts. A part cannot be
// without it and goes when it goes. Its name is unique among its siblings, and
// Kind.Quota counts these.
type Parent[E any] struct {
	Kind domain.Kind
	// Role is that of the parts' references to their parent; it is stored, and
	// only this kind may use it.
	Role store.Role
	// ID is the parent's id.
	ID func(*E) string
}

// Tie is a reference by which a resource goes with another one. The role is
// stored, and only one kind may use it.
type Tie struct {
	Kind domain.Kind
	Role store.Role
}

// key makes names unique among siblings.
func (p *Parent[E]) key(name func(*E) string) func(*E) string {
	return func(e *E) string {
		if n := name(e); n != "" {
			return p.ID(e) + "/" + n
		}
		return ""
	}
}

// partKind is a kind of what goes with a resource as that one's kind knows it.
type partKind struct {
	kind domain.Kind
	role store.Role
}

// addParts notes that resources of a kind have parts. Parts may refer to their
// siblings of another kind (an alias to a version); those kinds have the
// greater numbers and go first.
func (c *Catalog) addParts(of, kind domain.Kind, role store.Role) {
	c.parts[of] = append(c.parts[of], partKind{kind, role})
	slices.SortFunc(c.parts[of], func(a, b partKind) int { return cmp.Compare(b.kind, a.kind) })
}

func (c *Catalog) deleteWithParts(ctx context.Context, tx store.Tx, r *store.Record) error {
	if r.Kind == domain.KindInstance {
		return c.deleteInstance(ctx, tx, r)
	}
	for _, p := range c.parts[r.Kind] {
		parts, err := tx.Referrers(ctx, r.PK, p.role, 0, 0)
		if err != nil {
			return err
		}
		for _, part := range parts {
			if err := c.deleteWithParts(ctx, tx, part); err != nil {
				return err
			}
		}
	}
	return tx.Delete(ctx, r)
}

// deleteInstance removes an instance with all that it holds, and what goes
// with it from outside: its phone numbers, its traffic distribution groups.
// What it holds may name these in turn, so they are cut off first and removed
// last.
func (c *Catalog) deleteInstance(ctx context.Context, tx store.Tx, r *store.Record) error {
	var outside []*store.Record
	for _, p := range c.parts[domain.KindInstance] {
		found, err := tx.Referrers(ctx, r.PK, p.role, 0, 0)
		if err != nil {
			return err
		}
		for _, o := range found {
			if o.Instance != store.Root {
				continue // inside, and gone with the rest
			}
			if err := tx.Update(ctx, o, []store.Ref{}); err != nil {
				return err
			}
			outside = append(outside, o)
		}
	}
	if err := tx.Delete(ctx, r); err != nil {
		return err
	}
	for _, o := range outside {
		if err := tx.Delete(ctx, o); err != nil {
			return err
		}
	}
	return nil
}

// GetPart returns a part of the resource that the request names as its parent,
// both by id or ARN. A part of another parent is a ResourceNotFoundException.
func (l *Collection[E]) GetPart(ctx context.Context, sc Scope, parent, idOrARN string) (*Item[E], error) {
	of, err := l.parentID(sc, parent)
	if err != nil {
		return nil, err
	}
	i, err := l.Get(ctx, sc, idOrARN)
	if err != nil {
		return nil, err
	}
	return i, l.IsPart(of, &i.Value)
}

// IsPart checks that an entity belongs to the parent with the id; otherwise it
// is a ResourceNotFoundException.
func (l *Collection[E]) IsPart(parentID string, e *E) error {
	if l.kind.Parent.ID(e) != parentID {
		return fault.New(fault.ResourceNotFound, "The %s %s has no such %s.", l.kind.Parent.Kind, parentID, l.kind.Of)
	}
	return nil
}

// PartNamed returns the part of a name, or a ResourceNotFoundException.
func (l *Collection[E]) PartNamed(ctx context.Context, rd store.Reader, sc Scope, parentID, name string) (*Item[E], error) {
	return l.GetByName(ctx, rd, sc, parentID+"/"+name)
}

// ListParts returns a page of the parts of a resource, which must exist, in
// the order of their creation. Keep, when not nil, leaves some out.
func (l *Collection[E]) ListParts(ctx context.Context, sc Scope, parent string, p Page, keep func(*Item[E]) bool) (found []*Item[E], next *string, err error) {
	id, err := l.parentID(sc, parent)
	if err != nil {
		return nil, nil, err
	}
	err = l.c.store.View(ctx, func(rd store.Reader) error {
		pk, err := l.parentPK(ctx, rd, sc, id)
		if err != nil {
			return err
		}
		found, next, err = l.ReferringWhere(ctx, rd, sc, pk, l.kind.Parent.Role, p, keep)
		return err
	})
	return found, next, err
}

// AllParts returns every part of a resource in the order of their creation.
func (l *Collection[E]) AllParts(ctx context.Context, rd store.Reader, sc Scope, parentID string) ([]*Item[E], error) {
	pk, err := l.parentPK(ctx, rd, sc, parentID)
	if err != nil {
		return nil, err
	}
	records, err := rd.Referrers(ctx, pk, l.kind.Parent.Role, 0, 0)
	if err != nil {
		return nil, err
	}
	return items[E](records)
}

func (l *Collection[E]) parentID(sc Scope, idOrARN string) (string, error) {
	return ID(sc, l.kind.Parent.Kind, idOrARN)
}

// parentPK asks the store, for unlike a reference a list does not fail when
// the key is that of a resource that is gone.
func (l *Collection[E]) parentPK(ctx context.Context, rd store.Reader, sc Scope, id string) (store.PK, error) {
	in := sc.PK
	if l.kind.Parent.Kind.Outside() {
		in = store.Root
	}
	pks, err := rd.Resolve(ctx, in, l.kind.Parent.Kind, id)
	if err != nil {
		return 0, err
	}
	return pks[0], nil
}
