package audit

import (
	"net/netip"
	"strings"
	"sync"
	"time"
)

// How many lines strangers may cause. From one address, which for IPv6 is a /64,
// burst at once and one more each every; together allBurst and one more each
// allEvery, which is 43,200 a day. What is beyond that is counted, and every
// period one line tells the count.
const (
	burst    = 100
	every    = 10 * time.Second
	allBurst = 1000
	allEvery = 2 * time.Second
	period   = time.Minute
	// maxReason is the longest reason of such a line, in bytes: some repeat a name
	// that was sent.
	maxReason = 500
)

// byStranger reports whether anybody at all can have such a line written, as
// often as they like: nobody has been let in, and none is named who has shown a
// key. A wrong password for a user that there is does not count, because after a
// few of them no more are looked at; that a user is named who somebody says has
// forgotten a password, or who cannot be let in while a directory is down, proves
// nothing.
func (e *Event) byStranger() bool {
	switch {
	case e.Outcome == OK, e.Principal != "", e.Key != "":
		return false
	default:
		return e.UserID == "" || e.Outcome == Failed || e.Event == PasswordReset
	}
}

// bucket holds tokens, one for each line. The zero value is full.
type bucket struct {
	taken float64
	at    time.Time
}

// fill puts back what has grown since.
func (b *bucket) fill(now time.Time, every time.Duration) {
	if passed := now.Sub(b.at); passed > 0 {
		b.taken, b.at = max(0, b.taken-passed.Seconds()/every.Seconds()), now
	}
}

// manyAddresses are how many are known before those that have their tokens back
// are forgotten. Others there are never more than the lines of all together
// allow: some 1,500.
const manyAddresses = 4096

// limit counts the lines of strangers.
type limit struct {
	mu      sync.Mutex
	all     bucket
	from    map[netip.Prefix]*bucket
	dropped int
	closed  bool
	timer   *time.Timer    // runs while dropped is not 0
	telling sync.WaitGroup // the timer's goroutine
}

// allows takes a token of an address, and of all. One that has none takes none
// of the others.
func (l *limit) allows(from string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.fill(now, allEvery)
	if l.all.taken > allBurst-1 {
		return false
	}
	address, _ := netip.ParseAddr(from) // none of what is no address
	key := Network(address)
	b := l.from[key]
	if b == nil {
		b = &bucket{}
	}
	b.fill(now, every)
	if b.taken > burst-1 {
		return false
	}
	if l.from[key] == nil {
		l.sweep(now)
		l.from[key] = b
	}
	b.taken++
	l.all.taken++
	return true
}

func (l *limit) sweep(now time.Time) {
	if l.from == nil {
		l.from = map[netip.Prefix]*bucket{}
	}
	if len(l.from) < manyAddresses {
		return
	}
	for key, b := range l.from {
		if b.fill(now, every); b.taken == 0 {
			delete(l.from, key)
		}
	}
}

// Network is what an address counts as wherever strangers are counted. Who has
// one IPv6 address may take any other of its /64 (RFC 4291 §2.5.1), which is the
// least that a site has. No address at all counts as one.
func Network(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}

// drop counts a line that is not written; tell is called at the end of the
// period.
func (l *limit) drop(tell func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	if l.dropped++; l.timer != nil {
		return
	}
	l.telling.Add(1)
	l.timer = time.AfterFunc(period, func() {
		defer l.telling.Done()
		tell()
	})
}

// take ends a period: it answers how many lines were not written in it.
func (l *limit) take() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.dropped
	l.dropped, l.timer = 0, nil
	return n
}

// close ends the last period, and waits for one that is just being told. It may
// be called twice.
func (l *limit) close() int {
	l.mu.Lock()
	l.closed = true
	if l.timer != nil && l.timer.Stop() {
		l.telling.Done()
	}
	l.timer = nil
	l.mu.Unlock()
	l.telling.Wait()
	return l.take()
}

// tell writes down how many lines were not written.
func (l *Log) tell(n int) error {
	if n == 0 {
		return nil
	}
	return l.write(Event{Event: NotRecorded, Outcome: Refused, Reason: "more refusals of strangers than are written down", Count: n})
}

// shortened is an event whose reason fits.
func (e Event) shortened() Event {
	if len(e.Reason) > maxReason {
		e.Reason = strings.ToValidUTF8(e.Reason[:maxReason], "") + "…"
	}
	return e
}
