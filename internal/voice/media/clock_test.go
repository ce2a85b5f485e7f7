package media

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// ticks notes when it is driven.
type ticks struct {
	mu     sync.Mutex
	at     []time.Time
	now    []time.Time
	missed []int
	stall  time.Duration // of the next tick
}

func (k *ticks) tick(at time.Time, missed int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at, k.now, k.missed = append(k.at, at), append(k.now, time.Now()), append(k.missed, missed)
	pass(k.stall)
	k.stall = 0
}

func newTestClock(t *testing.T) *clock {
	c := &clock{now: time.Now, start: time.Now(), wake: make(chan struct{}, 1)}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { c.run(done) })
	t.Cleanup(func() {
		close(done)
		wg.Wait()
	})
	return c
}

func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTestClock(t)
		var k ticks
		pass(time.Hour) // with nobody to drive
		c.add(&k)
		pass(10*time.Second + time.Millisecond)
		c.remove(&k)
		c.remove(&k)
		synctest.Wait()
		n := len(k.at)
		if n != 500 {
			t.Errorf("%d ticks in ten seconds", n)
		}
		pass(time.Second)
		synctest.Wait()
		if len(k.at) != n {
			t.Error("it goes on after its end")
		}
		c.add(&k)
		pass(time.Second + time.Millisecond)
		c.remove(&k)
		synctest.Wait()
		if len(k.at) != n+50 || k.missed[n] != 0 {
			t.Errorf("%d ticks in another second, %d missed", len(k.at)-n, k.missed[n])
		}
		for i, at := range k.at {
			if off := k.now[i].Sub(at); off < 0 || off > time.Millisecond || at.Sub(c.start)%period != 0 {
				t.Fatalf("tick %d came %v late", i, off)
			}
		}
	})
}

// TestClockStalled: what was kept from running is made up for, but not all of what
// is long ago; and the ticks after it come when they should.
func TestClockStalled(t *testing.T) {
	for stall, want := range map[time.Duration]int{3 * period: 0, 10 * period: 0, 30 * period: 20} {
		synctest.Test(t, func(t *testing.T) {
			c := newTestClock(t)
			k := ticks{stall: stall + time.Millisecond}
			c.add(&k)
			pass(2*time.Second + 5*time.Millisecond)
			c.remove(&k)
			k.mu.Lock()
			defer k.mu.Unlock()
			missed := 0
			for i, m := range k.missed {
				missed += m
				if i > 0 && k.at[i].Sub(k.at[i-1]) != time.Duration(1+m)*period {
					t.Errorf("after %v: tick %d comes %v after the one before, %d missed", stall, i, k.at[i].Sub(k.at[i-1]), m)
				}
			}
			if missed != want || len(k.at)+missed != 100 {
				t.Errorf("after %v: %d ticks, %d missed, want %d", stall, len(k.at), missed, want)
			}
		})
	}
}
