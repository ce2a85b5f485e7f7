package ldap

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// pace remembers how long binds as users have taken of late, so that answers
// about unknown users can take as long. The zero value has nothing to go by.
type pace struct {
	mu     sync.Mutex
	recent [16]time.Duration
	seen   int
}

func (p *pace) observe(took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recent[p.seen%len(p.recent)] = took
	p.seen++
}

// pick is one of the recent durations, any of them, so that those who compare
// many answers see the same spread.
func (p *pace) pick() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := min(p.seen, len(p.recent))
	if n == 0 {
		return 0
	}
	return p.recent[rand.IntN(n)] //nolint:gosec // nothing is to be kept secret but the spread
}

// wait waits until as much time has passed as one of the recent binds took, of
// which some has passed already.
func (p *pace) wait(ctx context.Context, passed time.Duration) {
	left := p.pick() - passed
	if left <= 0 {
		return
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
