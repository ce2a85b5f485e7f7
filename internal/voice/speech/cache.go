package speech

import (
	"container/list"
	"context"
	"errors"
	"sync"

	"ringdown/internal/audio"
)

// cacheKey is everything that makes a difference to how a text sounds.
type cacheKey struct {
	source string // an engine
	text   Text
}

// cache keeps what was spoken, the latest used of it, and sees to it that what
// several callers want at once is spoken once.
type cache struct {
	ctx  context.Context // of all runs
	stop context.CancelFunc
	runs sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	most    int64 // bytes
	size    int64
	entries map[cacheKey]*list.Element // of *cached
	order   *list.List                 // the latest used first
	flights map[cacheKey]*flight
}

type cached struct {
	key  cacheKey
	clip *audio.Clip
}

// size is about what it takes in memory: a clip keeps samples of two bytes and,
// once played, those of each law.
func (c *cached) size() int64 {
	return int64(4*len(c.clip.Samples()) + len(c.key.text.Plain) + len(c.key.text.SSML) + 512)
}

// flight is a run that callers wait for.
type flight struct {
	waiting int // guarded by cache.mu
	cancel  context.CancelFunc
	done    chan struct{}
	clip    *audio.Clip // once done
	err     error
}

var errClosed = errors.New("the speaker is closed")

func newCache(most int64) *cache {
	ctx, stop := context.WithCancel(context.Background())
	return &cache{ctx: ctx, stop: stop, most: most, entries: map[cacheKey]*list.Element{}, order: list.New(), flights: map[cacheKey]*flight{}}
}

// get is what is kept for a key, or what speak makes. The context of speak ends
// when nobody waits for it any more.
func (c *cache) get(ctx context.Context, key cacheKey, speak func(context.Context) (*audio.Clip, error)) (*audio.Clip, error) {
	c.mu.Lock()
	if e, ok := c.entries[key]; ok {
		c.order.MoveToFront(e)
		c.mu.Unlock()
		return e.Value.(*cached).clip, nil
	}
	if c.closed {
		c.mu.Unlock()
		return nil, errClosed
	}
	f, ok := c.flights[key]
	if !ok {
		f = c.begin(key, speak) //nolint:contextcheck // a run may outlast the caller that began it
	}
	f.waiting++
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.clip, f.err
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiting--; f.waiting == 0 {
		f.cancel()
		if c.flights[key] == f { // whoever comes now begins anew
			delete(c.flights, key)
		}
	}
	return nil, ctx.Err()
}

// begin starts a run. The caller holds c.mu.
func (c *cache) begin(key cacheKey, speak func(context.Context) (*audio.Clip, error)) *flight {
	ctx, cancel := context.WithCancel(c.ctx)
	f := &flight{cancel: cancel, done: make(chan struct{})}
	c.flights[key] = f
	c.runs.Go(func() {
		defer cancel()
		f.clip, f.err = speak(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.flights[key] == f {
			delete(c.flights, key)
		}
		if f.err == nil {
			c.keep(&cached{key, f.clip})
		}
		close(f.done)
	})
	return f
}

// keep adds an entry and drops those that were not used for longest. The caller
// holds c.mu.
func (c *cache) keep(e *cached) {
	if _, ok := c.entries[e.key]; ok || e.size() > c.most {
		return
	}
	c.entries[e.key] = c.order.PushFront(e)
	c.size += e.size()
	for c.size > c.most {
		oldest := c.order.Remove(c.order.Back()).(*cached)
		delete(c.entries, oldest.key)
		c.size -= oldest.size()
	}
}

// close ends all runs and waits for them.
func (c *cache) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	c.runs.Wait()
}
