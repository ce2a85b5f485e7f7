package catalog

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// feed remembers the versions that the index has lately seen, so that a change
// that arrives late or twice (several servers on one PostgreSQL) does not undo
// a newer one. Changes are late by seconds at most; two generations of a
// minute each are kept.
type feed struct {
	now      func() time.Time
	turned   time.Time
	current  map[store.PK]int64
	previous map[store.PK]int64
}

const feedGeneration = time.Minute

func newFeed(now func() time.Time) feed {
	return feed{now: now, turned: now(), current: map[store.PK]int64{}, previous: map[store.PK]int64{}}
}

// newer reports whether version is the newest seen of a record, and notes it.
func (f *feed) newer(pk store.PK, version int64) bool {
	if now := f.now(); now.Sub(f.turned) > feedGeneration {
		f.previous, f.current, f.turned = f.current, map[store.PK]int64{}, now
	}
	if version <= f.current[pk] || version <= f.previous[pk] {
		return false
	}
	f.current[pk] = version
	return true
}

// Observe is the catalog's store.Observer: it brings the index up to date. The
// store calls it one change set at a time.
func (c *Catalog) Observe(changes []store.Change) {
	for _, ch := range changes {
		r := ch.Record
		// One server alone hears of its changes in their order.
		if c.opts.Shared && !c.feed.newer(r.PK, r.Version) {
			continue
		}
		info, ok := c.kinds[r.Kind]
		if !ok {
			continue // nothing of the catalog's
		}
		info.forget(r.PK)
		if info.document == nil {
			continue
		}
		if ch.Op == store.Delete {
			c.index.Delete(int64(r.Instance), uint8(r.Kind), int64(r.PK))
			if r.Kind == domain.KindInstance {
				c.dropInstance(r)
			}
			continue
		}
		d, err := info.document(r)
		if err != nil {
			c.opts.Logger.Error("resource cannot be indexed", slog.Any("err", err))
			continue
		}
		c.index.Put(int64(r.Instance), uint8(r.Kind), d)
	}
}

// dropInstance forgets all that belonged to an instance.
func (c *Catalog) dropInstance(r *store.Record) {
	c.index.DropInstance(int64(r.PK))
	c.forget(domain.InstanceID(r.ID))
	for _, info := range c.kinds {
		info.clear()
	}
}

// loadRun is how many records LoadIndex reads at a time.
const loadRun = 2000

// LoadIndex reads all resources of all instances into the index. It is called
// once, before requests are served.
func (c *Catalog) LoadIndex(ctx context.Context) error {
	instances, err := c.store.List(ctx, store.ListQuery{Instance: store.Root, Kind: domain.KindInstance, HeadersOnly: true})
	if err != nil {
		return fmt.Errorf("load the search index: %w", err)
	}
	for _, in := range append(instances, &store.Record{PK: store.Root, ID: "root"}) {
		for kind, info := range c.kinds {
			if info.document == nil {
				continue
			}
			if err := c.loadKind(ctx, in.PK, kind); err != nil {
				return fmt.Errorf("load the search index of instance %s: %w", in.ID, err)
			}
		}
	}
	return nil
}

func (c *Catalog) loadKind(ctx context.Context, instance store.PK, kind domain.Kind) error {
	q := store.ListQuery{Instance: instance, Kind: kind, Limit: loadRun}
	for {
		records, err := c.store.List(ctx, q)
		if err != nil {
			return err
		}
		docs := make([]search.Doc, len(records))
		for i, r := range records {
			if docs[i], err = c.kinds[kind].document(r); err != nil {
				return err
			}
		}
		c.index.Load(int64(instance), uint8(kind), docs)
		if len(records) < loadRun {
			return nil
		}
		q.After = records[len(records)-1].ID
	}
}
