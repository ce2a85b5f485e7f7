package routing

import (
	"context"
	"time"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Queue finds a standard queue for those who put contacts into it.
func (r *Routing) Queue(ctx context.Context, sc catalog.Scope, idOrARN string) (*catalog.Item[domain.Queue], error) {
	return r.queues.Get(ctx, sc, idOrARN)
}

// OpenAt reports whether hours of operation are open at a time, overrides
// applied.
func (r *Routing) OpenAt(ctx context.Context, sc catalog.Scope, hoursOfOperation string, at time.Time) (bool, error) {
	t, err := r.timetable(ctx, r.catalog.Store(), sc, hoursOfOperation)
	if err != nil {
		return false, err
	}
	return t.OpenAt(at), nil
}
