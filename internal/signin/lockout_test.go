package signin

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/audit"
)

// guess looks at one attempt, if it is looked at.
func guess(t *testing.T, g *guard, key nameKey, from netip.Addr, v verdict) (wait time.Duration, looked bool) {
	t.Helper()
	a, h, err := g.enter(t.Context(), key, from)
	if err != nil {
		t.Fatal(err)
	}
	if h != nil {
		return h.wait, false
	}
	return a.end(v), true
}

var somewhere = netip.MustParseAddr("192.0.2.1")

func TestWaitsGrow(t *testing.T) {
	c := &clock{t: time.Unix(1_800_000_000, 0)}
	g := newGuard(c.now)
	key := keyOf(&Instance{PK: 1}, "ana")
	for n := 1; n < freeTries; n++ {
		if wait, ok := guess(t, g, key, somewhere, wrong); !ok || wait != 0 {
			t.Fatalf("wrong password %d: looked at %t, then %v", n, ok, wait)
		}
	}
	// By the eleventh the first has faded.
	for n, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512, 900, 900, 900} {
		want *= time.Second
		wait, ok := guess(t, g, key, somewhere, wrong)
		if !ok || wait != want {
			t.Fatalf("wrong password %d: looked at %t, then %v, want %v", n+freeTries, ok, wait, want)
		}
		c.add(want - time.Millisecond)
		for range 3 { // these do not prolong it
			if wait, ok := guess(t, g, key, somewhere, wrong); ok || wait != time.Millisecond {
				t.Fatalf("looked at %t during the wait, of which %v are left", ok, wait)
			}
		}
		c.add(time.Millisecond)
	}
	// An answer that nobody knows does not count, a right one clears.
	if wait, ok := guess(t, g, key, somewhere, undecided); !ok || wait != 0 {
		t.Errorf("undecided: looked at %t, then %v", ok, wait)
	}
	if _, ok := guess(t, g, key, somewhere, right); !ok {
		t.Error("the right password is not looked at")
	}
	for range freeTries - 1 {
		if wait, ok := guess(t, g, key, somewhere, wrong); !ok || wait != 0 {
			t.Errorf("after the right one: looked at %t, then %v", ok, wait)
		}
	}
	if len(g.names.by) != 1 || g.names.order.Len() != 1 {
		t.Errorf("%d names are remembered", len(g.names.by))
	}
	guess(t, g, key, somewhere, right)
	if len(g.names.by) != 0 || g.names.order.Len() != 0 {
		t.Errorf("%d names are remembered that there is nothing to say of", len(g.names.by))
	}
}

// TestYearOfGuessing: whatever the pauses, a year is good for a few ten thousand
// passwords.
func TestYearOfGuessing(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause func(wait time.Duration, looks int) time.Duration
	}{
		{"as soon as may be", func(wait time.Duration, _ int) time.Duration { return wait }},
		{"an hour's rest after each wait", func(wait time.Duration, _ int) time.Duration { return wait + time.Hour }},
		{"an hour's rest after ten", func(wait time.Duration, looks int) time.Duration {
			if looks%10 == 0 {
				return wait + time.Hour
			}
			return wait
		}},
		{"four, then a quarter of an hour", func(wait time.Duration, looks int) time.Duration {
			if looks%(freeTries-1) == 0 {
				return max(wait, fadeEvery)
			}
			return wait
		}},
		{"four, then an hour", func(wait time.Duration, looks int) time.Duration {
			if looks%(freeTries-1) == 0 {
				return max(wait, time.Hour)
			}
			return wait
		}},
		{"at random", func(wait time.Duration, _ int) time.Duration {
			return wait + time.Duration(rand.Int64N(int64(20*time.Minute)))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &clock{t: time.Unix(1_800_000_000, 0)}
			g := newGuard(k.now)
			key := keyOf(&Instance{PK: 1}, "ana")
			end := k.now().Add(365 * 24 * time.Hour)
			looks, steps := 0, 0
			for ; k.now().Before(end); steps++ {
				wait, looked := guess(t, g, key, somewhere, wrong)
				if looked {
					looks++
				}
				k.add(max(time.Millisecond, c.pause(wait, looks)))
				if steps > 1_000_000 {
					t.Fatal("the clock hardly moves")
				}
			}
			// One each fadeEvery, and those that the first waits leave room for.
			if most := 365*24*4 + 20; looks > most || looks < 1000 {
				t.Errorf("%d passwords were looked at, want 1,000 to %d", looks, most)
			}
			t.Logf("%d passwords", looks)
		})
	}
}

// TestSpraying: one address may be wrong about many names only so often; the
// right password does not help it then, and others are not concerned.
func TestSpraying(t *testing.T) {
	c := &clock{t: time.Unix(1_800_000_000, 0)}
	g := newGuard(c.now)
	in, next := &Instance{PK: 1}, 0
	spray := func(from string, n int) (looks int, last time.Duration) {
		for range n {
			next++
			wait, ok := guess(t, g, keyOf(in, "user"+time.Duration(next).String()), netip.MustParseAddr(from), wrong)
			if ok {
				looks++
			} else {
				last = wait
			}
		}
		return looks, last
	}
	if n, wait := spray("192.0.2.1", 1000); n != addressBurst || wait != addressEvery {
		t.Errorf("%d of 1,000 were looked at, then %v", n, wait)
	}
	if _, ok := guess(t, g, keyOf(in, "ana"), somewhere, right); ok {
		t.Error("the right password is looked at from an address that has guessed too often")
	}
	if n, _ := spray("::ffff:192.0.2.1", 1); n != 0 {
		t.Error("an IPv4 address counts anew when it is written as IPv6")
	}
	if n, _ := spray("192.0.2.2", 1); n != 1 {
		t.Error("an address suffers from another")
	}
	c.add(10*addressEvery - time.Millisecond)
	if n, wait := spray("192.0.2.1", 100); n != 9 || wait.Round(time.Microsecond) != time.Millisecond {
		t.Errorf("%d after 10 s, then %v; want 9 and 1ms", n, wait)
	}
	if n, _ := spray("2001:db8::1", 1000); n != addressBurst {
		t.Errorf("%d from one IPv6 address", n)
	}
	if n, _ := spray("2001:db8::ffff:2", 10); n != 0 {
		t.Error("an IPv6 network has an allowance for each of its addresses")
	}
	if n, _ := spray("2001:db8:0:1::1", 10); n != 10 {
		t.Error("an IPv6 network suffers from another")
	}
	// Right passwords cost nothing: a whole office may come in at once.
	for i := range 10 * addressBurst {
		if _, ok := guess(t, g, keyOf(in, "agent"+time.Duration(i).String()), netip.MustParseAddr("198.51.100.1"), right); !ok {
			t.Fatalf("agent %d is not let in", i)
		}
	}
}

// TestGuessesAtOneNameCostOthersNothing: what is not looked at is not counted.
func TestGuessesAtOneNameCostOthersNothing(t *testing.T) {
	c := &clock{t: time.Unix(1_800_000_000, 0)}
	g := newGuard(c.now)
	in := &Instance{PK: 1}
	looks := 0
	for range 10_000 {
		if _, ok := guess(t, g, keyOf(in, "ana"), somewhere, wrong); ok {
			looks++
		}
	}
	if looks != freeTries {
		t.Errorf("%d of 10,000 were looked at, want %d", looks, freeTries)
	}
	if _, ok := guess(t, g, keyOf(in, "bob"), somewhere, right); !ok {
		t.Error("another user is kept out")
	}
	if _, ok := guess(t, g, keyOf(&Instance{PK: 2}, "ana"), somewhere, right); !ok {
		t.Error("a user of the same name in another instance is kept out")
	}
	for _, same := range []string{"Ana", " ana ", "ANA", "ana\t"} {
		if _, ok := guess(t, g, keyOf(in, same), somewhere, wrong); ok {
			t.Errorf("%q has tries of its own", same)
		}
	}
	if keyOf(&Instance{PK: 1}, "2/x") == keyOf(&Instance{PK: 12}, "/x") {
		t.Error("two names have one key")
	}
}

// TestSideBySide: attempts at once are looked at one after the other, and cannot
// outrun the count.
func TestSideBySide(t *testing.T) {
	c := &clock{t: time.Unix(1_800_000_000, 0)}
	g := newGuard(c.now)
	g.slots = 100
	key := keyOf(&Instance{PK: 1}, "ana")
	var looks, within, most atomic.Int32
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range 200 {
		wg.Go(func() {
			<-start
			for range 50 {
				a, h, err := g.enter(t.Context(), key, somewhere)
				if err != nil {
					t.Error(err)
				}
				if h != nil {
					continue
				}
				looks.Add(1)
				if n := within.Add(1); n > most.Load() {
					most.Store(n)
				}
				within.Add(-1)
				a.end(wrong)
			}
		})
	}
	close(start)
	wg.Wait()
	if looks.Load() != freeTries || most.Load() != 1 {
		t.Errorf("%d were looked at, %d at once; want %d, one by one", looks.Load(), most.Load(), freeTries)
	}
	if n := g.names.get(key); n.queued != 0 || len(n.turn) != 0 {
		t.Errorf("%d are still in the queue", n.queued)
	}
	if a := g.addresses.get(audit.Network(somewhere)); len(a.slots) != 0 || a.tokens != addressBurst-freeTries {
		t.Errorf("the address has %v tokens and %d slots taken", a.tokens, len(a.slots))
	}
}

// TestQueue: one attempt for a name is looked at, one waits, others are sent
// away; one that gives up leaves its place.
func TestQueue(t *testing.T) {
	c := &clock{t: time.Unix(1_800_000_000, 0)}
	g := newGuard(c.now)
	key := keyOf(&Instance{PK: 1}, "ana")
	first, _, err := g.enter(t.Context(), key, somewhere)
	if err != nil || first == nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, _, err := g.enter(ctx, key, netip.MustParseAddr("192.0.2.2"))
		gone <- err
	}()
	waiting := func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.names.get(key).queued == queuedTries
	}
	for !waiting() {
		runtime.Gosched()
	}
	if wait, ok := guess(t, g, key, netip.MustParseAddr("192.0.2.3"), wrong); ok || wait != busyWait {
		t.Errorf("a third attempt is looked at %t, or waits %v", ok, wait)
	}
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("whoever gave up got %v", err)
	}
	first.end(wrong)
	if wait, ok := guess(t, g, key, netip.MustParseAddr("192.0.2.2"), wrong); !ok || wait != 0 {
		t.Errorf("afterwards: looked at %t, then %v", ok, wait)
	}
	if a := g.addresses.get(audit.Network(netip.MustParseAddr("192.0.2.2"))); a.tokens != addressBurst-1 {
		t.Errorf("giving up cost %v tokens", addressBurst-1-a.tokens)
	}
}

// TestWork: what is no guess is done side by side, so many at once from an
// address, and uses nothing up.
func TestWork(t *testing.T) {
	c := &clock{t: time.Unix(1_800_000_000, 0)}
	g := newGuard(c.now)
	g.slots = 2
	var all []func()
	for range 2 {
		done, err := g.work(t.Context(), somewhere)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, done)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.work(ctx, somewhere); !errors.Is(err, context.Canceled) {
		t.Errorf("a third at once: %v", err)
	}
	if done, err := g.work(t.Context(), netip.MustParseAddr("192.0.2.9")); err != nil {
		t.Errorf("another address waits: %v", err)
	} else {
		done()
	}
	for _, done := range all {
		done()
	}
	if a := g.addresses.get(audit.Network(somewhere)); len(a.slots) != 0 || a.tokens != addressBurst {
		t.Errorf("%d slots are taken and %v tokens left", len(a.slots), a.tokens)
	}
}

// TestForgetting: what is remembered is bounded, and what is refused unlooked
// makes no room for itself.
func TestForgetting(t *testing.T) {
	r := newRecent[int, int](3)
	for i := range 5 {
		r.put(i, &i)
		r.get(2)
	}
	for i, want := range []bool{false, false, true, true, true} {
		if got := r.get(i) != nil; got != want {
			t.Errorf("%d is remembered: %t, want %t", i, got, want)
		}
	}
	other := 7
	r.drop(2, &other)
	if r.get(2) == nil {
		t.Error("dropped in the place of another")
	}
	r.drop(2, r.get(2))
	if r.get(2) != nil || len(r.by) != r.order.Len() {
		t.Error("not dropped")
	}

	c := &clock{t: time.Unix(1_800_000_000, 0)}
	g := newGuard(c.now)
	in := &Instance{PK: 1}
	for i := range 10 * addressBurst {
		guess(t, g, keyOf(in, "user"+time.Duration(i).String()), somewhere, wrong)
	}
	if n := len(g.names.by); n != addressBurst {
		t.Errorf("%d names are remembered of an address that may guess at %d", n, addressBurst)
	}
}

// TestGuessing: 10,000 guesses against one user, many at a time, from one
// address and from many, get nowhere, while another user signs in from the very
// same address at once.
func TestGuessing(t *testing.T) {
	for name, address := range map[string]func(i int) netip.Addr{
		"from one address":    func(int) netip.Addr { return here.Address },
		"from many addresses": func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.user(t, w.managed, "ana", w.hashed(t, password))
			w.user(t, w.managed, "bob", w.hashed(t, "B0bsPassword"))
			const guesses, guessers = 10_000, 50
			var done, looked, waits atomic.Int32
			var met atomic.Bool // the other user has come in
			flooding := make(chan struct{})
			var wg sync.WaitGroup
			for n := range guessers {
				wg.Go(func() {
					for i := n; i < guesses || !met.Load() || looked.Load() < freeTries; i += guessers {
						o, err := w.SignIn(t.Context(), w.managed, Visitor{Address: address(i)}, "ana", password[:7]+string(rune('e'+i%7)))
						r, ok := errors.AsType[*Refusal](err)
						switch {
						case o != nil || !ok:
							t.Errorf("guess %d: %v", i, err)
							return
						case r.Reason == WrongCredentials:
							looked.Add(1)
						case r.Reason == TooMany && r.Wait > 0 && r.Wait <= time.Second:
							waits.Add(1)
						default:
							t.Errorf("guess %d: %+v", i, r)
							return
						}
						if done.Add(1) == 100 {
							close(flooding)
						}
					}
				})
			}
			<-flooding
			began := time.Now()
			o, err := w.SignIn(t.Context(), w.managed, here, "bob", "B0bsPassword")
			took := time.Since(began)
			met.Store(true)
			wg.Wait()
			if err != nil {
				t.Fatalf("the other user: %v", err)
			}
			w.wantSession(t, o.Token, true)
			if looked.Load() != freeTries || done.Load() < guesses {
				t.Errorf("%d of %d guesses were looked at, want %d", looked.Load(), done.Load(), freeTries)
			}
			t.Logf("%d guesses, %d looked at; the other user waited %v", done.Load(), looked.Load(), took)
			// The right password does not help before the wait is over.
			_, err = w.SignIn(t.Context(), w.managed, here, "ana", password)
			if r := wantRefusal(t, err, TooMany); r.Wait != time.Second {
				t.Errorf("the wait is %v", r.Wait)
			}
			w.clock.add(time.Second)
			w.open(t, w.managed, "ana", password)

			// The audit log has each guess that was looked at, the lock-out once, and
			// one line for all that was refused meanwhile.
			var wrongs, locks, refused int
			for _, e := range w.audit.events(t) {
				switch {
				case e.Event == audit.Lockout && e.User == "ana":
					locks++
				case e.Event == audit.SignIn && e.Outcome == audit.Refused && e.User == "ana":
					wrongs++
				case e.Event == audit.SignIn && e.Outcome == audit.Refused && strings.Contains(e.Reason, "too many wrong passwords for the name"):
					refused++
				}
			}
			if wrongs != freeTries || locks != 1 || refused != 1 {
				t.Errorf("the audit log has %d wrong passwords, %d lock-outs and %d refusals meanwhile", wrongs, locks, refused)
			}
		})
	}
}

// TestMonthOfSignIns: a month through the service, for a user that there is and
// for one that there is not: both are locked alike.
func TestMonthOfSignIns(t *testing.T) {
	w := newWorld(t)
	w.dummy = quick
	w.user(t, w.managed, "ana", withHash(quick))
	end := w.clock.now().Add(30 * 24 * time.Hour)
	looks := map[string]int{}
	for w.clock.now().Before(end) {
		var waits []time.Duration
		for _, name := range []string{"ana", "nobody"} {
			_, err := w.SignIn(t.Context(), w.managed, here, name, "wrong")
			r, ok := errors.AsType[*Refusal](err)
			if !ok {
				t.Fatal(err)
			}
			if r.Reason == WrongCredentials {
				looks[name]++
			}
			waits = append(waits, r.Wait)
		}
		if waits[0] != waits[1] {
			t.Fatalf("a user waits %v, nobody %v", waits[0], waits[1])
		}
		w.clock.add(max(time.Second/2, waits[0]))
	}
	if looks["ana"] != looks["nobody"] || looks["ana"] > 30*24*4+20 || looks["ana"] < 1000 {
		t.Errorf("%v were looked at in a month", looks)
	}
	t.Logf("%v were looked at in a month", looks)
	w.clock.add(15 * time.Minute)
	w.open(t, w.managed, "ana", password)
	w.wantSecret(t, "nobody")
}
