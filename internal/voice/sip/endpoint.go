package sip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// ErrBusy is that of a call for which the trunk, or the endpoint, has no room.
var ErrBusy = errors.New("all calls of the trunk are taken")

// ErrUnreachable is that of a call to a telephone that is not registered.
var ErrUnreachable = errors.New("nobody is registered as the number")

// closeTime is how long Close waits for the far sides to confirm that calls are over.
const closeTime = 2 * time.Second

// Endpoint speaks SIP with the trunks.
type Endpoint struct {
	log       *slog.Logger
	now       func() time.Time
	userAgent string
	advertise string
	limits    Limits
	incoming  func(*Call)
	// minSE is the shortest session interval that is taken, in seconds (RFC 4028 §5).
	minSE  int
	timers wire.Timers

	trunks    []*Trunk
	net       *wire.Network
	tx        *wire.Transactions
	guard     *guard
	registrar *registrar
	resolver  *wire.Resolver
	upkeep    []interface{ stop() } // registrations
	probes    map[*Trunk]*probe

	// wg are the runs of calls, and what was told of those that came in.
	wg sync.WaitGroup

	mu       sync.Mutex
	draining bool
	closed   bool // nothing runs any more
	// dialogs are the calls by what requests of theirs carry.
	dialogs map[dialogKey]*Call
	// merged are the calls that came in, by what their INVITE has whichever way it
	// takes (RFC 3261 §8.2.2.2).
	merged  map[mergeKey]*Call
	calls   int // that have not ended
	busy    map[*Trunk]int
	waiting []waiter
	closing sync.Once
	end     context.CancelFunc // of what the endpoint does by itself
	// life is that of what calls do: they may still look up where their BYE goes when
	// Close has begun.
	life context.Context
	die  context.CancelFunc
}

// dialogKey is what a request within a dialog is known by. The tag of the far side
// is not part of it: before the answer there may be several.
type dialogKey struct{ callID, tag string }

type mergeKey struct {
	callID, tag string
	seq         uint32
}

// waiter waits until there are no calls, or not even what is left of them.
type waiter struct {
	done chan struct{}
	all  bool
}

// Listen opens the sockets and begins to serve and to register.
func Listen(ctx context.Context, o Options) (*Endpoint, error) {
	s, err := wire.Listen(ctx, o.Listen, o.ListenTLS, o.TLS)
	if err != nil {
		return nil, err
	}
	e, err := open(ctx, o, s, wire.DefaultTimers, nil)
	if err != nil {
		s.Close()
		return nil, err
	}
	return e, nil
}

// open makes an endpoint of sockets, which are its from then on. Names are asked of d,
// nil for those of the system.
func open(ctx context.Context, o Options, s wire.Sockets, t wire.Timers, d wire.DNS) (*Endpoint, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Limits.Calls <= 0 {
		o.Limits.Calls = 10_000
	}
	e := &Endpoint{
		log: o.Logger, now: o.Now, userAgent: o.UserAgent, advertise: o.Advertise, limits: o.Limits,
		incoming: o.Incoming, minSE: leastSession, timers: t,
		dialogs: map[dialogKey]*Call{}, merged: map[mergeKey]*Call{}, busy: map[*Trunk]int{},
		probes: map[*Trunk]*probe{}, resolver: wire.NewResolver(o.Now, d),
	}
	names := map[string]bool{}
	trunks := append([]Trunk(nil), o.Trunks...)
	for i := range trunks {
		t := &trunks[i]
		if names[t.Name] {
			return nil, fmt.Errorf("there are two trunks %q", t.Name)
		}
		names[t.Name] = true
		if t.Address != "" {
			u, err := t.address()
			if err != nil {
				return nil, fmt.Errorf("address of trunk %q: %w", t.Name, err)
			}
			if _, err := wire.ProtoOf(&u); err != nil {
				return nil, fmt.Errorf("address of trunk %q: %w", t.Name, err)
			}
		}
		e.trunks = append(e.trunks, t)
	}
	e.guard = newGuard(trunks, o.Limits, o.Now)
	e.guard.lookup = e.addresses
	e.registrar = newRegistrar(e.guard, o.Now)
	if o.Memory != nil {
		e.registrar.keep(ctx, o.Memory, e.trunks, o.Logger)
	}
	e.net = wire.NewNetwork(s, o.TLS, o.Logger, wire.Upper{Admit: e.guard.admit, Known: e.guard.known, Receive: e.receive})
	e.tx = wire.NewTransactions(e.net, t)
	// What the endpoint does by itself goes on until Close, not until ctx is done:
	// that is the one of opening.
	ctx = context.WithoutCancel(ctx)
	e.life, e.die = context.WithCancel(ctx)
	ctx, e.end = context.WithCancel(ctx)
	e.guard.start(ctx)
	e.net.Serve()
	for _, t := range e.trunks {
		if t.Register && t.Address != "" {
			r := newRegistration(e, t, o.Logger)
			r.start(ctx)
			e.upkeep = append(e.upkeep, r)
		}
		if t.Probe > 0 && t.Address != "" {
			p := newProbe(e, t, o.Logger)
			p.start(ctx)
			e.probes[t] = p
		}
	}
	return e, nil
}

// address is where calls of the trunk go out to.
func (t *Trunk) address() (sip.Uri, error) {
	var u sip.Uri
	if err := sip.ParseUri(t.Address, &u); err != nil {
		return u, fmt.Errorf("%q: %w", t.Address, err)
	}
	if u.Host == "" || u.Wildcard {
		return u, fmt.Errorf("%q has no host", t.Address)
	}
	return u, nil
}

// addresses are those that the name of a trunk's address stands for.
func (e *Endpoint) addresses(ctx context.Context, t *Trunk) []netip.Addr {
	host, port := outside(t)
	if _, ok := literal(t); ok || host == "" {
		return nil
	}
	return e.resolver.All(ctx, host, port)
}

// Addr is where UDP and TCP listen.
func (e *Endpoint) Addr() netip.AddrPort { return e.net.Addr(wire.UDP) }

// AddrTLS is where TLS listens, the zero value when it does not.
func (e *Endpoint) AddrTLS() netip.AddrPort { return e.net.Addr(wire.TLS) }

// Dial makes a call. It returns at once; what becomes of the call is told to
// Invitation.Hear, which may be before Dial returns. An error is that of an
// invitation that cannot be sent at all: no such trunk, its calls are all taken
// (ErrBusy), or nobody has registered as the number (ErrUnreachable).
func (e *Endpoint) Dial(i Invitation) (*Call, error) {
	var t *Trunk
	for _, have := range e.trunks {
		if have.Name == i.Trunk {
			t = have
		}
	}
	switch {
	case t == nil:
		return nil, fmt.Errorf("there is no trunk %q", i.Trunk)
	case i.To == "":
		return nil, errors.New("a call to nobody")
	case i.Media == nil || i.Hear == nil:
		return nil, errors.New("a call without media, or that nobody hears of")
	}
	for _, h := range i.Headers {
		if !wire.Token(h.Name) || !wire.Plain(h.Value) || ownFields[strings.ToLower(h.Name)] {
			return nil, fmt.Errorf("header %q cannot be set", h.Name)
		}
	}
	c, err := e.newCallOut(t, i)
	if err != nil {
		return nil, err
	}
	if err := e.begin(c, 0); err != nil {
		return nil, err
	}
	c.post(c.invite)
	return c, nil
}

// begin takes a call up, if there is room. Seq is that of its INVITE, for one that
// came in.
func (e *Endpoint) begin(c *Call, seq uint32) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	merge := mergeKey{c.id, c.d.remoteTag, seq}
	switch {
	case e.closed || e.draining:
		return wire.ErrClosed
	case !c.out && e.merged[merge] != nil:
		return errMerged
	case e.calls >= e.limits.Calls:
		return errFull
	case c.trunk.MaxCalls > 0 && e.busy[c.trunk] >= c.trunk.MaxCalls:
		return ErrBusy
	}
	if !c.out {
		c.merge = merge
		e.merged[merge] = c
	}
	e.calls++
	e.busy[c.trunk]++
	e.dialogs[dialogKey{c.id, c.d.localTag}] = c
	return nil
}

var (
	// errMerged is that of an INVITE that has come two ways.
	errMerged = errors.New("the call is here already")
	// errFull is that of an endpoint with all the calls that it may have.
	errFull = fmt.Errorf("%w: the endpoint has as many as it may have", ErrBusy)
)

// ended counts a call no more.
func (e *Endpoint) ended(c *Call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls--
	if e.busy[c.trunk]--; e.busy[c.trunk] == 0 {
		delete(e.busy, c.trunk)
	}
	e.wake()
}

// forget takes a call out of the tables: what still comes for it is answered as for
// a dialog that there is not.
func (e *Endpoint) forget(c *Call) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.dialogs, dialogKey{c.id, c.d.localTag})
	if e.merged[c.merge] == c {
		delete(e.merged, c.merge)
	}
	e.wake()
}

// wake tells those who wait that what they wait for is so. e.mu is held.
func (e *Endpoint) wake() {
	kept := e.waiting[:0]
	for _, w := range e.waiting {
		if e.calls == 0 && (!w.all || len(e.dialogs) == 0) {
			close(w.done)
		} else {
			kept = append(kept, w)
		}
	}
	e.waiting = kept
}

// quiet is closed when there are no calls; with all, when no call waits for a last
// answer either.
func (e *Endpoint) quiet(all bool) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := waiter{make(chan struct{}), all}
	e.waiting = append(e.waiting, w)
	e.wake()
	return w.done
}

// find is the call that a request within a dialog is for.
func (e *Endpoint) find(req *sip.Request) *Call {
	id := req.CallID()
	if id == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.dialogs[dialogKey{string(*id), wire.ToTag(req)}]
}

// Drain refuses new calls with 503 and waits for those under way until ctx is
// done.
func (e *Endpoint) Drain(ctx context.Context) {
	e.mu.Lock()
	e.draining = true
	e.mu.Unlock()
	select {
	case <-ctx.Done():
	case <-e.quiet(false):
	}
}

// Close ends all calls, unregisters, and frees the sockets. It may be called
// twice. What is told of calls is told before it returns.
func (e *Endpoint) Close() error {
	e.closing.Do(func() {
		e.mu.Lock()
		e.draining = true
		var all []*Call
		for _, c := range e.dialogs {
			all = append(all, c)
		}
		e.mu.Unlock()
		for _, c := range all {
			c.Hangup()
		}
		// Registrations end at the same time as calls do.
		e.end()
		for _, u := range e.upkeep {
			u.stop()
		}
		for _, p := range e.probes {
			p.stop()
		}
		e.guard.stop()
		late := time.NewTimer(closeTime)
		select {
		case <-e.quiet(true):
		case <-late.C:
		}
		late.Stop()
		e.die()
		e.mu.Lock()
		e.closed = true
		e.mu.Unlock()
		e.tx.Close()
		e.net.Close()
		e.registrar.stop()
		e.wg.Wait()
		e.mu.Lock()
		clear(e.dialogs) // what nobody has confirmed in time
		clear(e.merged)
		e.mu.Unlock()
	})
	return nil
}

// Calls is how many calls there are.
func (e *Endpoint) Calls() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.calls
}

// spawn runs f on a goroutine that Close waits for. False after Close.
func (e *Endpoint) spawn(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.wg.Go(f)
	return true
}
