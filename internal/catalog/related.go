package catalog

import (
	"context"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// Roles in which resources of one area refer to those of another, for both
// name them: one makes the references, the other counts them.
const (
	// RoleRoutingProfile is that of a user's routing profile.
	RoleRoutingProfile store.Role = "routing-profile"
	// RoleCallerNumber is that of a phone number that a queue's calls show.
	RoleCallerNumber store.Role = "outbound-caller-number"
)

// Several returns resources by their ids, in the order of the ids; a missing
// one is a ResourceNotFoundException. Given a view in which the ids were read
// from references, none can be missing.
func (l *Collection[E]) Several(ctx context.Context, rd store.Reader, sc Scope, ids []string) ([]*Item[E], error) {
	pks, err := rd.Resolve(ctx, sc.PK, l.kind.Of, ids...)
	if err != nil {
		return nil, err
	}
	records, err := rd.GetByPK(ctx, pks...)
	if err != nil {
		return nil, err
	}
	return items[E](records)
}

// Referring returns a page of the resources of this kind that refer to another
// one in a role, in the order of their creation. Only this kind may use the
// role.
func (l *Collection[E]) Referring(ctx context.Context, rd store.Reader, sc Scope, to store.PK, role store.Role, p Page) ([]*Item[E], *string, error) {
	return l.ReferringWhere(ctx, rd, sc, to, role, p, nil)
}

// ReferringWhere is Referring of the resources that keep accepts.
func (l *Collection[E]) ReferringWhere(ctx context.Context, rd store.Reader, sc Scope, to store.PK, role store.Role, p Page, keep func(*Item[E]) bool) ([]*Item[E], *string, error) {
	pages := series{referring, l.kind.Of, sc.PK}
	n, err := pages.number(p)
	if err != nil {
		return nil, nil, err
	}
	after := store.PK(n)
	found, more, err := l.gather(p.limit(), keep, func(last *store.Record, run int) ([]*store.Record, error) {
		if last != nil {
			after = last.PK
		}
		return rd.Referrers(ctx, to, role, after, run)
	})
	if err != nil || !more {
		return found, nil, err
	}
	return found, pages.at(found[len(found)-1].pk), nil
}

// Header is what a list shows of a resource whose entity it does not read,
// because another area owns it.
type Header struct {
	Kind     domain.Kind
	ID       string
	Name     string
	Modified time.Time
}

// Headers returns a page of the resources of several kinds as one list: kind
// after kind in the order given, each in the order of creation.
func (c *Catalog) Headers(ctx context.Context, sc Scope, p Page, kinds ...domain.Kind) ([]Header, *string, error) {
	kinds, after, err := resume(sc, p, kinds)
	if err != nil {
		return nil, nil, err
	}
	limit := p.limit()
	found := make([]Header, 0, min(limit, 128)+1)
	for _, kind := range kinds {
		// One more than asked for tells whether there is a next page.
		records, err := c.store.List(ctx, store.ListQuery{
			Instance: sc.PK, Kind: kind, After: after, Limit: limit + 1 - len(found), HeadersOnly: true,
		})
		if err != nil {
			return nil, nil, err
		}
		for _, r := range records {
			found = append(found, Header{Kind: kind, ID: r.ID, Name: r.Name, Modified: r.Modified})
		}
		if len(found) > limit {
			last := found[limit-1]
			return found[:limit], series{several, last.Kind, sc.PK}.token(last.ID), nil
		}
		after = ""
	}
	return found, nil, nil
}

// resume finds in which of the kinds, and after which id, a page begins.
func resume(sc Scope, p Page, kinds []domain.Kind) (rest []domain.Kind, after string, err error) {
	if p.NextToken == nil || *p.NextToken == "" {
		return kinds, "", nil
	}
	for i, kind := range kinds {
		if after, err := (series{several, kind, sc.PK}).after(p); err == nil {
			return kinds[i:], after, nil
		}
	}
	return nil, "", badToken()
}
