package sip

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/auth"
)

// verdict is what is done with a request.
type verdict uint8

const (
	dropped    verdict = iota // no answer
	admitted                  // it belongs to the trunk
	challenged                // 401, see guard.challenge
	refused                   // too many: 503 with Retry-After
)

const (
	// sourceLimit bounds the sources that are told apart, strangerLimit those among
	// them that are on no trunk and may only be heard because anybody who knows a
	// password may. Addresses of datagrams can be invented: there must be no way to
	// fill memory with them.
	sourceLimit   = 1 << 16
	strangerLimit = 1 << 12
	// strangerMessages is how many messages a second a stranger may send: enough for
	// a telephone that registers and calls.
	strangerMessages = 50
	// crowdMessages is how many messages a second all strangers together may send:
	// what they are answered with is remembered for half a minute.
	crowdMessages = 500
	// idle is how long nothing has come from a source that is forgotten. Its bucket
	// is full again by then.
	idle = 10 * time.Second
	// resolveEvery is how often the names of trunks are looked up.
	resolveEvery = 3 * time.Minute
	// trusted is how long a source is heard after it has shown that it belongs here
	// (guard.expect).
	trusted = time.Hour
)

// guard decides who may speak: before anything is parsed by address (admit), then
// by trunk, password and rate (trunk). Who may not is not answered.
//
// Known are the addresses of trunks, those that their names stand for, and those
// that have shown a password or that this side itself has sent something to.
// Others are heard only when a trunk takes anybody who knows its password.
type guard struct {
	limits Limits
	trunks []*Trunk
	auth   *auth.Checker[*Trunk]
	now    func() time.Time
	// open tells that some trunk takes calls or registrations from anywhere.
	open bool

	table atomic.Pointer[table]

	mu      sync.Mutex
	sources map[netip.Addr]*source
	// strangers are how many of the sources are on no trunk, crowd the tokens of all
	// of them together.
	strangers int
	crowd     bucket
	swept     time.Time
	expected  map[netip.Addr]expectation

	// lookup finds the addresses of the name in a trunk's address.
	lookup func(ctx context.Context, t *Trunk) []netip.Addr
	cancel context.CancelFunc
	done   chan struct{}
}

// table is which addresses belong to which trunks. It does not change; another
// takes its place when names have been looked up.
type table struct {
	hosts map[netip.Addr][]*Trunk
	// ranges are by length, the longest first: there are few lengths, however many
	// ranges there are.
	ranges []addressRanges
}

// addressRanges are those of one length, of IPv4 or of IPv6.
type addressRanges struct {
	bits   int
	four   bool
	trunks map[netip.Addr][]*Trunk // by their first address
}

// of are the trunks of an address: those of the longest prefix.
func (t *table) of(a netip.Addr) []*Trunk {
	if trunks, ok := t.hosts[a]; ok {
		return trunks
	}
	for i := range t.ranges {
		r := &t.ranges[i]
		if r.four != a.Is4() {
			continue
		}
		if p, err := a.Prefix(r.bits); err == nil {
			if trunks, ok := r.trunks[p.Addr()]; ok {
				return trunks
			}
		}
	}
	return nil
}

// source is an address that has sent something lately.
type source struct {
	messages, invites bucket
	stranger          bool
	// listed is the table that the address was found in last, so that one of many
	// ranges need not be sought for each message.
	listed *table
}

// bucket holds tokens, as many as may be spent in a second.
type bucket struct {
	tokens float64
	filled time.Time
}

// take spends a token of rate a second.
func (b *bucket) take(now time.Time, rate int) bool {
	if since := now.Sub(b.filled); since > 0 {
		b.tokens = min(b.tokens+since.Seconds()*float64(rate), float64(rate))
		b.filled = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// newGuard makes a guard of trunks, which do not change. It knows addresses at
// once, names from start on.
func newGuard(trunks []Trunk, l Limits, now func() time.Time) *guard {
	if l.Invites <= 0 {
		l.Invites = 500
	}
	if l.Messages <= 0 {
		l.Messages = 20_000
	}
	g := &guard{
		limits:   l,
		now:      now,
		sources:  map[netip.Addr]*source{},
		expected: map[netip.Addr]expectation{},
	}
	for i := range trunks {
		t := &trunks[i]
		g.trunks = append(g.trunks, t)
		g.open = g.open || opens(t)
	}
	var accounts []auth.Account[*Trunk]
	for _, t := range g.trunks {
		if t.InboundUsername != "" {
			accounts = append(accounts, auth.Account[*Trunk]{Whose: t, Username: t.InboundUsername, Password: t.InboundPassword})
		}
	}
	g.auth = auth.New(accounts, now)
	g.crowd = bucket{tokens: float64(min(crowdMessages, l.Messages)), filled: now()}
	g.table.Store(makeTable(g.trunks, nil))
	return g
}

// opens tells whether a trunk listens to anybody.
func opens(t *Trunk) bool {
	return len(t.Sources) == 0 && (t.InboundUsername != "" || t.Registrar)
}

// makeTable joins the sources of trunks with the addresses that their names have.
// A trunk may also call from where calls to it go.
func makeTable(trunks []*Trunk, names map[*Trunk][]netip.Addr) *table {
	made := &table{hosts: map[netip.Addr][]*Trunk{}}
	ranges := map[netip.Prefix][]*Trunk{}
	host := func(a netip.Addr, t *Trunk) {
		a = a.Unmap().WithZone("")
		if !slices.Contains(made.hosts[a], t) {
			made.hosts[a] = append(made.hosts[a], t)
		}
	}
	for _, t := range trunks {
		for _, p := range t.Sources {
			if p.IsSingleIP() {
				host(p.Addr(), t)
				continue
			}
			if p.Addr().Is4In6() && p.Bits() >= 96 {
				p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
			}
			p = p.Masked()
			if !slices.Contains(ranges[p], t) {
				ranges[p] = append(ranges[p], t)
			}
		}
		if a, ok := literal(t); ok {
			host(a, t)
		}
		for _, a := range names[t] {
			host(a, t)
		}
	}
	for p, trunks := range ranges {
		i := slices.IndexFunc(made.ranges, func(r addressRanges) bool { return r.bits == p.Bits() && r.four == p.Addr().Is4() })
		if i < 0 {
			i = len(made.ranges)
			made.ranges = append(made.ranges, addressRanges{p.Bits(), p.Addr().Is4(), map[netip.Addr][]*Trunk{}})
		}
		made.ranges[i].trunks[p.Addr()] = trunks
	}
	slices.SortFunc(made.ranges, func(a, b addressRanges) int { return b.bits - a.bits })
	return made
}

// outside is the host of a trunk's address, "" for none.
func outside(t *Trunk) (host string, port int) {
	var u sip.Uri
	if t.Address == "" || sip.ParseUri(t.Address, &u) != nil {
		return "", 0
	}
	return strings.Trim(u.Host, "[]"), u.Port
}

// literal is the address of a trunk that names one.
func literal(t *Trunk) (netip.Addr, bool) {
	host, _ := outside(t)
	a, err := netip.ParseAddr(host)
	return a, err == nil
}

// start looks up the names of trunks until stop.
func (g *guard) start(ctx context.Context) {
	if !slices.ContainsFunc(g.trunks, func(t *Trunk) bool {
		host, _ := outside(t)
		_, ok := literal(t)
		return host != "" && !ok
	}) {
		return
	}
	ctx, g.cancel = context.WithCancel(ctx)
	g.done = make(chan struct{})
	go func() {
		defer close(g.done)
		known := map[*Trunk][]netip.Addr{}
		tick := time.NewTicker(resolveEvery)
		defer tick.Stop()
		for {
			for _, t := range g.trunks {
				if found := g.lookup(ctx, t); len(found) > 0 { // otherwise those of before
					known[t] = found
				}
			}
			g.table.Store(makeTable(g.trunks, known))
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
}

// stop ends what start began. It may be called twice, and without start.
func (g *guard) stop() {
	if g.cancel != nil {
		g.cancel()
		<-g.done
	}
}

// admit tells whether anything from an address may be read: a datagram, a connection,
// or one more message on it, be it a request or an answer. It takes that off what the
// source may send, and is asked before anything is parsed.
func (g *guard) admit(addr netip.AddrPort) bool {
	a := addr.Addr().Unmap()
	if a.Zone() != "" {
		a = a.WithZone("")
	}
	now, listed := g.now(), g.table.Load()
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.sources[a]
	if s != nil && s.listed == listed {
		return g.spend(s, now)
	}
	known := len(listed.of(a)) > 0
	if !known {
		listed = nil
		if known = g.isExpected(a, now); !known && !g.open {
			return false
		}
	}
	if s = g.source(s, a, !known, now); s == nil {
		return false
	}
	s.listed = listed
	return g.spend(s, now)
}

// known tells whether an address belongs here: it is on a trunk, or has shown that it
// does (expect).
func (g *guard) known(addr netip.AddrPort) bool {
	a := addr.Addr().Unmap().WithZone("")
	if len(g.table.Load().of(a)) > 0 {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.isExpected(a, g.now())
}

func (g *guard) isExpected(a netip.Addr, now time.Time) bool {
	e, ok := g.expected[a]
	return ok && now.Before(e.until)
}

// source makes the buckets of an address, if there are none yet; nil when there are
// too many. The guard is locked.
func (g *guard) source(s *source, a netip.Addr, stranger bool, now time.Time) *source {
	if s == nil {
		if len(g.sources) >= sourceLimit || stranger && g.strangers >= strangerLimit {
			g.sweep(now)
		}
		if len(g.sources) >= sourceLimit || stranger && g.strangers >= strangerLimit {
			return nil
		}
		s = &source{stranger: stranger}
		messages := g.limits.Messages
		if stranger {
			g.strangers++
			messages = min(strangerMessages, messages)
		}
		s.messages = bucket{float64(messages), now}
		s.invites = bucket{float64(g.limits.Invites), now}
		g.sources[a] = s
	}
	if s.stranger && !stranger { // it has become known
		s.stranger = false
		g.strangers--
	} else if !s.stranger && stranger {
		s.stranger = true
		g.strangers++
	}
	return s
}

// sweep forgets idle sources, once a second at most, so that a full table costs
// little.
func (g *guard) sweep(now time.Time) {
	if now.Sub(g.swept) < time.Second {
		return
	}
	g.swept = now
	for a, s := range g.sources {
		if now.Sub(s.messages.filled) >= idle {
			delete(g.sources, a)
			if s.stranger {
				g.strangers--
			}
		}
	}
}

// expect has an address heard for a while that shows that it belongs here: one that
// has answered a challenge, or whose telephone has registered, by a trunk; without
// one, that a trunk has named in Contact or Record-Route and that requests of a
// dialog go to, so that only what is within dialogs is heard from it.
func (g *guard) expect(a netip.Addr, t *Trunk, d time.Duration) {
	a = a.Unmap().WithZone("")
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.expected[a]
	if !ok && len(g.expected) >= sourceLimit {
		for a, e := range g.expected {
			if !now.Before(e.until) {
				delete(g.expected, a)
			}
		}
		if len(g.expected) >= sourceLimit {
			return
		}
	}
	if t != nil || !now.Before(e.until) {
		e.trunk = t
	}
	if until := now.Add(d); until.After(e.until) {
		e.until = until
	}
	g.expected[a] = e
}

// expectation is until when an address is heard, and for which trunk, if any.
type expectation struct {
	trunk *Trunk
	until time.Time
}

// trunk tells which trunk a request belongs to and what is done with it. Of
// requests within a dialog only the source is judged, for the dialog itself tells
// whose they are: they may have no trunk, and are not challenged, nor are ACK and
// CANCEL (RFC 3261 §22.1).
func (g *guard) trunk(req *sip.Request) (*Trunk, verdict) {
	from, err := netip.ParseAddrPort(req.Source())
	if err != nil {
		return nil, dropped
	}
	a := from.Addr().Unmap().WithZone("")
	candidates := g.table.Load().of(a)
	to := req.To()
	within := req.IsAck() || req.IsCancel() || to != nil && to.Params.Has("tag")
	expected, v := g.rate(a, len(candidates) > 0, req, within)
	if expected != nil && !slices.Contains(candidates, expected) {
		candidates = append(slices.Clip(candidates), expected)
	}
	switch {
	case v != admitted:
		return first(candidates), v
	case within:
		return first(candidates), admitted
	}
	if t := account(candidates, req); t != nil {
		return t, admitted
	}
	if len(candidates) == 0 {
		for _, t := range g.trunks {
			if opens(t) {
				candidates = append(candidates, t)
			}
		}
	}
	if t, state := g.auth.Check(req, true); slices.Contains(candidates, t) {
		switch state {
		case auth.Right:
			g.expect(a, t, trusted)
			return t, admitted
		case auth.Stale:
			return t, challenged
		case auth.Wrong:
		}
	}
	for _, t := range candidates {
		if t.InboundUsername == "" && req.Method == sip.REGISTER {
			return t, admitted // registration is open to all
		}
	}
	for _, t := range candidates {
		if t.InboundUsername != "" {
			return t, challenged
		}
	}
	return nil, dropped
}

// account is the trunk among those without a password that a request is for. Several
// accounts with one provider call from the same address; the one that has registered
// as whom the call is for is meant, else the first.
func account(candidates []*Trunk, req *sip.Request) *Trunk {
	var found *Trunk
	for _, t := range candidates {
		if t.InboundUsername != "" {
			continue
		}
		if found == nil {
			found = t
		}
		if name := t.identity(); t.Register && name != "" &&
			(userOf(&req.Recipient) == name || req.To() != nil && userOf(&req.To().Address) == name) {
			return t
		}
	}
	return found
}

func first(trunks []*Trunk) *Trunk {
	if len(trunks) == 0 {
		return nil
	}
	return trunks[0]
}

// rate tells whether a source may begin a call now, and whether it is heard at all,
// which may have changed since admit was asked. It also tells for which trunk the source
// is expected.
func (g *guard) rate(a netip.Addr, listed bool, req *sip.Request, within bool) (*Trunk, verdict) {
	now := g.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	e := g.expected[a]
	known := listed || now.Before(e.until)
	if !known {
		e.trunk = nil
		if !g.open {
			return nil, dropped
		}
	}
	s := g.source(g.sources[a], a, !known, now)
	if s == nil {
		return e.trunk, dropped
	}
	if req.Method == sip.INVITE && !within && !s.invites.take(now, g.limits.Invites) {
		if s.stranger {
			return e.trunk, dropped
		}
		return e.trunk, refused
	}
	return e.trunk, admitted
}

// spend takes a message off what a source may send. The guard is locked.
func (g *guard) spend(s *source, now time.Time) bool {
	if s.stranger {
		return s.messages.take(now, min(strangerMessages, g.limits.Messages)) && g.crowd.take(now, min(crowdMessages, g.limits.Messages))
	}
	return s.messages.take(now, g.limits.Messages)
}

// challenge answers a request that must show the password of a trunk first.
func (g *guard) challenge(req *sip.Request, t *Trunk) *sip.Response {
	return g.auth.Challenge(req, t, t.InboundSHA256)
}
