package media

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// burst is how many ticks a clock makes up for when it has been kept from running.
// What is older is left out: far sides throw away what comes so late, and would
// take a longer burst for an attack.
const burst = 10

// ticker is what a clock drives.
type ticker interface {
	// tick is called every 20 ms. At is when it is due, which the call may be later
	// than; missed is how many ticks before it were left out.
	tick(at time.Time, missed int)
}

// clock drives many tickers with one goroutine and one timer. Its ticks are counted
// from its start, so that it does not drift; with nobody to drive it sleeps.
type clock struct {
	now   func() time.Time
	start time.Time
	wake  chan struct{}
	load  atomic.Int32 // how many members, read without the lock

	mu      sync.Mutex
	members []ticker
	round   []ticker // those of the tick under way
}

func (c *clock) add(t ticker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.members = append(c.members, t)
	c.load.Store(int32(len(c.members)))
	select {
	case c.wake <- struct{}{}:
	default: // it is awake
	}
}

// remove takes a ticker away. A tick that is under way may still reach it.
func (c *clock) remove(t ticker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i := slices.Index(c.members, t); i >= 0 {
		last := len(c.members) - 1
		c.members[i] = c.members[last]
		c.members[last] = nil
		c.members = c.members[:last]
		c.load.Store(int32(last))
	}
}

// run ticks until done.
func (c *clock) run(done <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	last := c.ticks()
	for {
		if c.load.Load() == 0 {
			select {
			case <-c.wake:
			case <-done:
				return
			}
			last = c.ticks()
			continue
		}
		timer.Reset(c.at(last + 1).Sub(c.now()))
		select {
		case <-timer.C:
		case <-done:
			return
		}
		due := c.ticks()
		missed := max(0, due-last-burst)
		for last += missed; last < due; missed = 0 {
			last++
			c.tick(c.at(last), missed)
		}
	}
}

// ticks is how many ticks there have been until now.
func (c *clock) ticks() int { return int(c.now().Sub(c.start) / period) }

func (c *clock) at(tick int) time.Time { return c.start.Add(time.Duration(tick) * period) }

func (c *clock) tick(at time.Time, missed int) {
	c.mu.Lock()
	c.round = append(c.round[:0], c.members...)
	c.mu.Unlock()
	for i, t := range c.round {
		t.tick(at, missed)
		c.round[i] = nil // it may have gone meanwhile
	}
}
