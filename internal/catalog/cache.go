package catalog

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"ringdown/internal/store"
)

// cache keeps the items of a collection that were read lately, decoded, so
// that a describe or a page of a list costs neither a query nor a parse. What
// it returns is shared: nobody changes an item.
//
// It never serves what is older than an acknowledged write: Observe drops a
// record before its writer is answered, and what was read from the store
// before that is not kept afterwards (keep compares the number of the last
// change with the one at the time of reading). With several servers on one
// database a server would learn of another's change too late, so then there
// is no cache: a nil *cache keeps nothing.
type cache[E any] struct {
	changes atomic.Uint64 // how many changes were observed
	items   [cacheShards]itemShard[E]
	// An id never comes to mean another record, so its key needs no care.
	keys [cacheShards]keyShard
}

type itemShard[E any] struct {
	mu   sync.Mutex
	last uint64 // the number of the last change in this shard
	generations[store.PK, *Item[E]]
}

type keyShard struct {
	mu sync.Mutex
	generations[cacheName, store.PK]
}

// cacheName is how requests name a record.
type cacheName struct {
	instance store.PK
	id       string
}

// A shard holds two generations of this many entries at most; with 64 shards
// that makes some twenty thousand items, a kilobyte each if they are users.
const (
	cacheShards     = 64
	cacheGeneration = 160
)

// generations is a map of bounded size. What is used moves to the young half;
// when that is full the old half goes.
type generations[K comparable, V any] struct{ young, old map[K]V }

func (g *generations[K, V]) get(k K) (v V, ok bool) {
	if v, ok = g.young[k]; ok {
		return v, true
	}
	if v, ok = g.old[k]; ok {
		delete(g.old, k)
		g.put(k, v)
	}
	return v, ok
}

func (g *generations[K, V]) put(k K, v V) {
	if len(g.young) >= cacheGeneration || g.young == nil {
		g.young, g.old = make(map[K]V, cacheGeneration/4), g.young
	}
	g.young[k] = v
}

func (g *generations[K, V]) drop(k K) {
	delete(g.young, k)
	delete(g.old, k)
}

func (c *cache[E]) shard(pk store.PK) *itemShard[E] { return &c.items[uint64(pk)%cacheShards] } // keys are positive

var cacheSeed = maphash.MakeSeed()

func (c *cache[E]) keyShard(n cacheName) *keyShard {
	return &c.keys[maphash.String(cacheSeed, n.id)%cacheShards]
}

// now is the moment before a read from the store, for keep.
func (c *cache[E]) now() uint64 {
	if c == nil {
		return 0
	}
	return c.changes.Load()
}

// get returns a kept item, nil when there is none.
func (c *cache[E]) get(pk store.PK) *Item[E] {
	if c == nil {
		return nil
	}
	s := c.shard(pk)
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := s.get(pk)
	return i
}

// named returns a kept item by its id, nil when there is none.
func (c *cache[E]) named(instance store.PK, id string) *Item[E] {
	pk, ok := c.key(instance, id)
	if !ok {
		return nil
	}
	return c.get(pk)
}

// key returns the key of a record by its id, when it is known. The record may
// be gone; the database refuses a reference to it then.
func (c *cache[E]) key(instance store.PK, id string) (store.PK, bool) {
	if c == nil {
		return 0, false
	}
	n := cacheName{instance, id}
	s := c.keyShard(n)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(n)
}

// learn remembers the key of a record.
func (c *cache[E]) learn(instance store.PK, id string, pk store.PK) {
	if c == nil {
		return
	}
	n := cacheName{instance, id}
	s := c.keyShard(n)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(n, pk)
}

// keep remembers an item that was read from the store after the moment read,
// unless something has changed since.
func (c *cache[E]) keep(instance store.PK, i *Item[E], read uint64) {
	if c == nil {
		return
	}
	s := c.shard(i.pk)
	s.mu.Lock()
	fresh := s.last <= read
	if fresh {
		s.drop(i.pk)
		s.put(i.pk, i)
	}
	s.mu.Unlock()
	if fresh {
		c.learn(instance, i.ID, i.pk)
	}
}

// forget drops an item that has changed.
func (c *cache[E]) forget(pk store.PK) {
	if c == nil {
		return
	}
	n := c.changes.Add(1)
	s := c.shard(pk)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = n
	s.drop(pk)
}

// clear drops everything, when an instance goes with all that it holds.
func (c *cache[E]) clear() {
	if c == nil {
		return
	}
	n := c.changes.Add(1)
	for i := range c.items {
		s := &c.items[i]
		s.mu.Lock()
		s.last, s.generations = n, generations[store.PK, *Item[E]]{}
		s.mu.Unlock()
	}
}
