package lease_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/contact/lease"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// server is one that takes part in a lease.
type server struct {
	*lease.Lease
	begun, left atomic.Int64
	fail        atomic.Bool
}

var errNotNow = errors.New("not now")

// clock runs ahead of the world's.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func newServer(t *testing.T, st store.Store, c *clock, shared bool) *server {
	t.Helper()
	s := &server{}
	s.Lease = lease.New(lease.Options{
		Store: st, Name: "work", What: "the work", Logger: slog.New(slog.DiscardHandler),
		Now: c.now,
		Begin: func(context.Context) error {
			if s.fail.Load() {
				return errNotNow
			}
			s.begun.Add(1)
			return nil
		},
		LeaveOff: func() { s.left.Add(1) },
	}, shared)
	t.Cleanup(func() { s.Close(func() {}) })
	return s
}

func newStore(t *testing.T) (store.Store, *clock) {
	t.Helper()
	c := &clock{}
	st, err := sqlstore.Open(t.Context(), sqlstore.Options{Dir: t.TempDir(), Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st, c
}

// TestLease: of two servers one does the work; the other does when that has stopped,
// or has stood still for too long.
func TestLease(t *testing.T) {
	st, clock := newStore(t)
	one, two := newServer(t, st, clock, true), newServer(t, st, clock, true)
	for _, s := range []*server{one, two} {
		if err := s.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, mine, other *server) {
		t.Helper()
		if !mine.Held() || other.Held() || mine.begun.Load()-mine.left.Load() != 1 || other.begun.Load() != other.left.Load() {
			t.Errorf("%s: held by the one %v, by the other %v", when, mine.Held(), other.Held())
		}
	}
	two.Renew()
	check("at first", one, two)

	clock.ahead.Store(int64(time.Minute)) // the first has not been heard of for so long
	two.Renew()
	if one.Confirm(t.Context()) || !two.Confirm(t.Context()) {
		t.Error("the store tells otherwise")
	}
	one.Renew()
	check("after standing still", two, one)

	ended := false
	two.Close(func() { ended = true; one.Renew(); check("while it ends", two, one) })
	two.Close(func() {})
	one.Renew()
	if !ended || !one.Held() || one.begun.Load() != 2 {
		t.Errorf("after the other's end: ended %v, held %v, begun %d times", ended, one.Held(), one.begun.Load())
	}
}

// TestBeginFails: who cannot begin does not hold the lease, and tries again.
func TestBeginFails(t *testing.T) {
	st, clock := newStore(t)
	s := newServer(t, st, clock, false)
	s.fail.Store(true)
	if err := s.Open(t.Context()); !errors.Is(err, errNotNow) || s.Held() {
		t.Errorf("opened with %v, held %v", err, s.Held())
	}
	s.Renew()
	if s.Held() {
		t.Error("it is held although nothing has begun")
	}
	s.fail.Store(false)
	s.Renew()
	if !s.Held() || s.begun.Load() != 1 || s.left.Load() != 0 {
		t.Errorf("held %v, begun %d times, left off %d times", s.Held(), s.begun.Load(), s.left.Load())
	}
}
