package catalog

import (
	"context"
	"strconv"
	"strings"

	"ringdown/internal/store"
)

// rowed is the series of ListRows.
const rowed = 'v'

// Row is one of several things that a part holds, such as a value of a record.
// Its key tells it from the part's others and has no space in it.
type Row[R any] struct {
	Key   string
	Value R
}

// ListRows returns a page of what the parts of a resource hold: part after part
// in the order of their creation, and of each part the rows in the order in
// which rows returns them, which must be that of their keys. Since a page may
// end within a part, its rows may be shared out over several pages; none comes
// twice, and what is neither made nor removed meanwhile comes once.
func ListRows[E, R any](ctx context.Context, rd store.Reader, l *Collection[E], sc Scope, parentID string, p Page, rows func(*Item[E]) []Row[R]) (found []R, next *string, err error) {
	pages := series{rowed, l.kind.Of, sc.PK}
	last, key, err := pages.row(p)
	if err != nil {
		return nil, nil, err
	}
	parent, err := l.parentPK(ctx, rd, sc, parentID)
	if err != nil {
		return nil, nil, err
	}
	limit := p.limit()
	found = make([]R, 0, min(limit, 128))
	after := max(last-1, 0) // the part of the last row may have more
	for {
		parts, err := rd.Referrers(ctx, parent, l.kind.Parent.Role, after, limit+1)
		if err != nil {
			return nil, nil, err
		}
		for _, part := range parts {
			i, err := item[E](part)
			if err != nil {
				return nil, nil, err
			}
			for _, r := range rows(i) {
				if part.PK == last && r.Key <= key {
					continue
				}
				if len(found) == limit {
					return found, pages.token(strconv.FormatInt(int64(last), 10) + "/" + key), nil
				}
				found = append(found, r.Value)
				last, key = part.PK, r.Key
			}
		}
		if len(parts) <= limit {
			return found, nil, nil
		}
		after = parts[len(parts)-1].PK
	}
}

// row reads the token of a page that begins after a row of a part.
func (s series) row(p Page) (part store.PK, key string, err error) {
	after, err := s.after(p)
	if err != nil || after == "" {
		return 0, "", err
	}
	number, key, ok := strings.Cut(after, "/")
	n, err := strconv.ParseInt(number, 10, 64)
	if !ok || err != nil || n < 0 {
		return 0, "", badToken()
	}
	return store.PK(n), key, nil
}
