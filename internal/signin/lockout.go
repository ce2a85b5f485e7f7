package signin

import (
	"container/list"
	"context"
	"crypto/sha256"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"ringdown/internal/audit"
)

// How guessing is slowed down.
const (
	// freeTries are the wrong passwords for a name after which there is no wait.
	// Each further one doubles it, from firstWait to longestWait.
	freeTries   = 5
	firstWait   = time.Second
	longestWait = 15 * time.Minute
	// fadeEvery is how long it takes to forget one wrong password. With
	// longestWait this is what guessing comes to in the end: four passwords an
	// hour, some 35,000 a year, whatever the pauses between them.
	fadeEvery = longestWait
	// addressBurst are the wrong passwords that may come from one address at
	// once, whatever the names, and addressEvery is how soon there may be one
	// more. Addresses count as audit.Network has them.
	addressBurst = 100
	addressEvery = time.Second
	// queuedTries are the attempts for one name that are under way: one is looked
	// at, one waits. Others are told to come back after busyWait, so that
	// attempts side by side cannot outrun the count of wrong ones.
	queuedTries = 2
	busyWait    = time.Second
	// guarded bounds how many names, and addresses, are remembered: those of
	// which nothing has been heard for longest are forgotten.
	guarded = 100_000
)

// guard decides whether an attempt is looked at. It counts for names that there
// are and for others alike, in memory: a restart forgets it.
type guard struct {
	now   func() time.Time
	slots int // attempts of one address that are looked at side by side

	mu        sync.Mutex
	names     *recent[nameKey, nameCount]
	addresses *recent[netip.Prefix, addressCount]
}

func newGuard(now func() time.Time) *guard {
	return &guard{
		now: now, slots: runtime.GOMAXPROCS(0),
		names: newRecent[nameKey, nameCount](guarded), addresses: newRecent[netip.Prefix, addressCount](guarded),
	}
}

// nameKey stands for an instance and a name, so that what is remembered is of
// one size, whatever somebody has typed.
type nameKey [sha256.Size]byte

// keyOf folds what a directory may take for the same name: case and spaces (RFC
// 4518 §2). Guesses at one entry then count together, however it is spelt.
func keyOf(in *Instance, name string) nameKey {
	folded := strings.Join(strings.Fields(strings.ToLower(name)), " ")
	return sha256.Sum256([]byte(strconv.FormatInt(int64(in.PK), 10) + "/" + folded))
}

// nameCount is what is known of the attempts for a name.
type nameCount struct {
	wrong  int
	since  time.Time // up to which wrong has faded
	until  time.Time // before which no attempt is looked at
	told   bool      // that attempts are refused, in the audit log
	queued int
	turn   chan struct{} // holds the attempt that is looked at
}

// addressCount is a bucket of tokens, one for each wrong password.
type addressCount struct {
	tokens float64
	at     time.Time
	told   bool
	slots  chan struct{} // hold the attempts that are looked at
}

// attempt is one password that is looked at.
type attempt struct {
	g       *guard
	key     nameKey
	name    *nameCount
	address *addressCount
}

// held is an attempt that is not looked at.
type held struct {
	wait time.Duration
	// first says that it is the first since the last that was, which is what the
	// audit log tells: a flood of attempts must not be one of lines.
	first bool
	why   string
}

// enter waits for the turn of an attempt, which must then end. It answers with
// held instead when the attempt is not looked at; the error is that of ctx.
func (g *guard) enter(ctx context.Context, key nameKey, from netip.Addr) (*attempt, *held, error) {
	a, h := g.admit(key, audit.Network(from))
	if h != nil {
		return nil, h, nil
	}
	if err := take(ctx, a.address.slots); err != nil {
		a.leave(undecided)
		return nil, nil, err
	}
	if err := take(ctx, a.name.turn); err != nil {
		<-a.address.slots
		a.leave(undecided)
		return nil, nil, err
	}
	g.mu.Lock()
	h = a.name.locked(g.now()) // by the one whose turn was before
	g.mu.Unlock()
	if h != nil {
		a.end(undecided)
		return nil, h, nil
	}
	return a, nil, nil
}

func take(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// admit takes a token of the address and a place in the queue of the name, or
// says why there is none. What is not admitted leaves nothing behind, so that a
// flood of it neither fills memory nor uses anything up.
func (g *guard) admit(key nameKey, from netip.Prefix) (*attempt, *held) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	name := g.names.get(key)
	if name != nil {
		if h := name.locked(now); h != nil {
			return nil, h
		}
		if name.queued >= queuedTries {
			return nil, &held{wait: busyWait, why: "others for the same name are being looked at"}
		}
	}
	address := g.address(from, now)
	if h := address.take(now); h != nil {
		return nil, h
	}
	if name == nil {
		name = &nameCount{since: now, turn: make(chan struct{}, 1)}
		g.names.put(key, name)
	}
	name.queued++
	return &attempt{g: g, key: key, name: name, address: address}, nil
}

// address is what is known of a network. The lock is held.
func (g *guard) address(from netip.Prefix, now time.Time) *addressCount {
	a := g.addresses.get(from)
	if a == nil {
		a = &addressCount{tokens: addressBurst, at: now, slots: make(chan struct{}, g.slots)}
		g.addresses.put(from, a)
	}
	return a
}

// work waits until an address may have something hashed that is no guess, and
// returns what has to be called afterwards. Whoever may ask for it does not
// thereby keep others waiting.
func (g *guard) work(ctx context.Context, from netip.Addr) (done func(), err error) {
	g.mu.Lock()
	a := g.address(audit.Network(from), g.now())
	g.mu.Unlock()
	if err := take(ctx, a.slots); err != nil {
		return nil, err
	}
	return func() { <-a.slots }, nil
}

// locked says how long attempts for the name are still not looked at.
func (n *nameCount) locked(now time.Time) *held {
	if !now.Before(n.until) {
		return nil
	}
	first := !n.told
	n.told = true
	return &held{wait: n.until.Sub(now), first: first, why: "too many wrong passwords for the name"}
}

func (a *addressCount) take(now time.Time) *held {
	if passed := now.Sub(a.at); passed > 0 {
		a.tokens, a.at = min(addressBurst, a.tokens+passed.Seconds()/addressEvery.Seconds()), now
	}
	if a.tokens < 1 {
		first := !a.told
		a.told = true
		return &held{
			wait: time.Duration((1 - a.tokens) * float64(addressEvery)), first: first, why: "too many wrong passwords from the address",
		}
	}
	a.tokens--
	if a.tokens > addressBurst/2 {
		a.told = false
	}
	return nil
}

// verdict is what came of an attempt.
type verdict int

const (
	undecided verdict = iota // nobody knows whether the password is right
	right
	wrong
)

// end gives the turn to the next attempt. When the password was wrong it answers
// how long no other will be looked at.
func (a *attempt) end(v verdict) time.Duration {
	wait := a.leave(v)
	<-a.name.turn
	<-a.address.slots
	return wait
}

func (a *attempt) leave(v verdict) time.Duration {
	a.g.mu.Lock()
	defer a.g.mu.Unlock()
	now := a.g.now()
	n := a.name
	n.queued--
	if v != wrong {
		a.address.tokens = min(addressBurst, a.address.tokens+1)
	}
	switch v {
	case right:
		n.wrong, n.until, n.told = 0, time.Time{}, false
	case wrong:
		return n.count(now)
	case undecided:
	}
	if n.wrong == 0 && n.queued == 0 {
		a.g.names.drop(a.key, n)
	}
	return 0
}

// count adds a wrong password to those that have not faded.
func (n *nameCount) count(now time.Time) time.Duration {
	if faded := int(now.Sub(n.since) / fadeEvery); faded > 0 {
		n.wrong, n.since = max(0, n.wrong-faded), n.since.Add(time.Duration(faded)*fadeEvery)
	}
	if n.wrong == 0 {
		n.since = now
	}
	n.wrong++
	if n.wrong < freeTries {
		return 0
	}
	wait := longestWait
	if doubled := n.wrong - freeTries; doubled < 10 { // 1,024 s are beyond it
		wait = min(wait, firstWait<<doubled)
	}
	n.until, n.told = now.Add(wait), false
	return wait
}

// clear forgets the wrong passwords for a name.
func (g *guard) clear(key nameKey) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if n := g.names.get(key); n != nil {
		n.wrong, n.until, n.told = 0, time.Time{}, false
	}
}

// recent holds values by their keys, up to a number: the one that has not been
// asked for the longest makes room.
type recent[K comparable, V any] struct {
	limit int
	by    map[K]*list.Element
	order *list.List // of *kept[K, V], the latest first
}

type kept[K comparable, V any] struct {
	key   K
	value *V
}

func newRecent[K comparable, V any](limit int) *recent[K, V] {
	return &recent[K, V]{limit: limit, by: map[K]*list.Element{}, order: list.New()}
}

// get returns nil when there is no value.
func (r *recent[K, V]) get(key K) *V {
	e, ok := r.by[key]
	if !ok {
		return nil
	}
	r.order.MoveToFront(e)
	return e.Value.(*kept[K, V]).value
}

// put adds a value under a key that has none.
func (r *recent[K, V]) put(key K, value *V) {
	if len(r.by) >= r.limit {
		oldest := r.order.Back()
		delete(r.by, oldest.Value.(*kept[K, V]).key)
		r.order.Remove(oldest)
	}
	r.by[key] = r.order.PushFront(&kept[K, V]{key, value})
}

// drop removes a value, unless another has taken its place.
func (r *recent[K, V]) drop(key K, value *V) {
	if e, ok := r.by[key]; ok && e.Value.(*kept[K, V]).value == value {
		delete(r.by, key)
		r.order.Remove(e)
	}
}

// hush lets something through at most once a minute.
type hush struct {
	mu   sync.Mutex
	last time.Time
}

func (h *hush) pass(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.last.IsZero() && now.Sub(h.last) < time.Minute {
		return false
	}
	h.last = now
	return true
}
