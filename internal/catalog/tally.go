package catalog

import (
	"context"
	"strings"
	"time"

	"ringdown/internal/store"
)

// Tally counts something within the time that has just passed, for quotas such
// as that on instances created in 30 days.
type Tally struct {
	Key  string // among those of client tokens: the operation and what it counts for
	Span time.Duration
}

// Tallied is how often Tally was called within the span.
func (c *Catalog) Tallied(ctx context.Context, tx store.Tx, t Tally) (int, error) {
	times, err := c.times(ctx, tx, t)
	return len(times), err
}

// Tally counts one more, now.
func (c *Catalog) Tally(ctx context.Context, tx store.Tx, t Tally) error {
	times, err := c.times(ctx, tx, t)
	if err != nil {
		return err
	}
	now := c.Now()
	times = append(times, now.UTC().Format(time.RFC3339))
	return tx.Remember(ctx, t.Key, store.Memo{Answer: []byte(strings.Join(times, " ")), Expires: now.Add(t.Span)})
}

func (c *Catalog) times(ctx context.Context, tx store.Tx, t Tally) ([]string, error) {
	memo, err := tx.Recall(ctx, t.Key)
	if err != nil || memo == nil {
		return nil, err
	}
	var times []string
	for _, s := range strings.Fields(string(memo.Answer)) {
		if at, err := time.Parse(time.RFC3339, s); err == nil && c.Now().Sub(at) < t.Span {
			times = append(times, s)
		}
	}
	return times, nil
}
