package event

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringdown/internal/store"
)

// memory is a Store without a disk.
type memory struct {
	mu      sync.Mutex
	entries []*store.Entry
	cursors map[string]int64
	leases  map[string]lease
	broken  error // of every Update
}

type lease struct {
	holder string
	until  time.Time
}

func newMemory() *memory { return &memory{cursors: map[string]int64{}, leases: map[string]lease{}} }

// add appends an event for each contact named, with ids that go on from 1.
func (m *memory) add(s store.Stream, contacts ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range contacts {
		n := int64(len(m.entries) + 1)
		m.entries = append(m.entries, &store.Entry{
			Seq: n * 10, Stream: s, Instance: 1, Owner: c, ID: fmt.Sprint(n), At: time.Now(), Doc: fmt.Appendf(nil, `{"id":"%d","contact":%q}`, n, c),
		})
	}
}

func (m *memory) Entries(_ context.Context, q store.EntryQuery) (found []*store.Entry, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if e.Stream == q.Stream && e.Seq > q.After {
			found = append(found, e)
		}
	}
	if q.Descending {
		slices.Reverse(found)
	}
	return found[:min(q.Limit, len(found))], nil
}

func (m *memory) Cursor(_ context.Context, name string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.cursors[name], nil
}

func (m *memory) setBroken(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = err
}

func (m *memory) Update(ctx context.Context, fn func(store.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return m.broken
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	cursors, leases := maps.Clone(m.cursors), maps.Clone(m.leases)
	err := fn(memoryTx{m: m})
	if err != nil {
		m.cursors, m.leases = cursors, leases
	}
	return err
}

// memoryTx has the methods that the package uses; others would panic.
type memoryTx struct {
	store.Tx
	m *memory
}

func (t memoryTx) Cursor(_ context.Context, name string) (int64, error) {
	return t.m.cursors[name], nil
}

func (t memoryTx) SetCursor(_ context.Context, name string, seq int64) error {
	t.m.cursors[name] = seq
	return nil
}

func (t memoryTx) Lease(_ context.Context, name, holder string, until time.Time) (bool, error) {
	if l := t.m.leases[name]; l.holder != holder && l.until.After(time.Now()) {
		return false, nil
	}
	t.m.leases[name] = lease{holder, until}
	return true, nil
}

// recorder is a Sink that takes everything, unless answer says otherwise.
type recorder struct {
	mu     sync.Mutex
	calls  []string    // the ids of each call, as fmt.Sprint has them
	times  []time.Time // of each call
	got    []string    // the ids delivered
	closed int
	answer func(ctx context.Context, call int, entries []*store.Entry) ([]*store.Entry, error)
}

func ids(entries []*store.Entry) []string {
	all := make([]string, len(entries))
	for i, e := range entries {
		all[i] = e.ID
	}
	return all
}

func (r *recorder) Deliver(ctx context.Context, entries []*store.Entry) (left []*store.Entry, err error) {
	r.mu.Lock()
	r.calls = append(r.calls, fmt.Sprint(ids(entries)))
	r.times = append(r.times, time.Now())
	call := len(r.calls)
	r.mu.Unlock()
	if r.answer != nil {
		left, err = r.answer(ctx, call, entries)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range entries {
		if !slices.Contains(left, e) {
			r.got = append(r.got, e.ID)
		}
	}
	return left, err
}

func (r *recorder) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed++
}

func (r *recorder) delivered() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(r.got)
}

// log is what an Outbox has logged.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// open opens an Outbox that the test closes.
func open(t *testing.T, o Options) (*Outbox, *log) {
	t.Helper()
	l := &log{}
	o.Logger, o.Now = slog.New(slog.NewTextHandler(l, nil)), time.Now
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b, l
}

// pass lets the time of a bubble of synctest go by, and what happens in it happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
