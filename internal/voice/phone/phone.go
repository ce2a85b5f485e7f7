// Package phone is a telephone: for people who have none, for demonstrations and
// for tests. It dials a server's numbers or waits for its calls, presses keys,
// speaks a recording and keeps what it hears.
//
// A Phone owns the goroutines of its calls, those of signalling and sound
// included; Close waits for them all.
package phone

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sip"
)

// DefaultNumber is the number of a phone without one: it is set aside for fiction
// (North American Numbering Plan, 555-0100 to 555-0199).
const DefaultNumber = "+14155550123"

// The ports of sound lie between those of a server, by default, and those that
// the system gives away.
const (
	firstPort = 30000
	lastPort  = 32767
)

// mostWaiting is how many calls may ring that nobody has taken by Wait; others
// find the phone busy.
const mostWaiting = 1000

// trunk is the name of the line to the server.
const trunk = "server"

// ErrClosed is the error of a phone that has been closed.
var ErrClosed = errors.New("the phone is closed")

// Options make a Phone.
type Options struct {
	// Listen is host:port of SIP, "127.0.0.1:0" by default. The host is an address of
	// this machine that the server can reach, for sound arrives at it too.
	Listen string
	// Server is where calls go to and where the phone registers: host:port, or a SIP
	// URI with transport. Calls are taken from there alone. A phone without one takes
	// calls from anybody, and makes none.
	Server string
	// Number is the phone's own: E.164 or a name. "" is DefaultNumber.
	Number             string
	Username, Password string
	// Roots are the authorities whose certificates of a server are trusted, over TLS;
	// nil for those of the system.
	Roots *x509.CertPool
	// Register has the server's calls to Number reach the phone.
	Register bool
	// Headers are added to the INVITE.
	Headers map[string]string
	// Codecs in order of preference; nil for PCMU, PCMA.
	Codecs []audio.Encoding
	// Ring is how long a call of the phone may ring, 0 for two minutes.
	Ring   time.Duration
	Logger *slog.Logger
	Now    func() time.Time
}

// Phone is a telephone.
type Phone struct {
	o        Options
	address  netip.Addr
	endpoint *sip.Endpoint
	engine   *media.Engine
	headers  []sip.Header
	closed   chan struct{}
	running  sync.WaitGroup // goroutines of calls

	mu      sync.Mutex
	calls   map[*Call]bool
	waiting []*Call
	arrived chan struct{} // closed and replaced when waiting has grown
	closing bool
	done    chan struct{} // closed when Close is over
	err     error         // of Close
}

// New makes a phone and, if it is to, registers it. It returns when that is done;
// the error is why the server did not take it.
func New(ctx context.Context, o Options) (*Phone, error) {
	o.Listen = cmp.Or(o.Listen, "127.0.0.1:0")
	o.Number = cmp.Or(o.Number, DefaultNumber)
	o.Ring = cmp.Or(o.Ring, 2*time.Minute)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	at, err := netip.ParseAddrPort(o.Listen)
	if err != nil || at.Addr().IsUnspecified() {
		return nil, fmt.Errorf("a phone must listen on an address and a port, such as 127.0.0.1:0, not on %q", o.Listen)
	}
	if o.Register && o.Server == "" {
		return nil, errors.New("a phone without a server has nowhere to register")
	}
	p := &Phone{
		o: o, address: at.Addr(), closed: make(chan struct{}), calls: map[*Call]bool{}, arrived: make(chan struct{}), done: make(chan struct{}),
	}
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		p.headers = append(p.headers, sip.Header{Name: name, Value: o.Headers[name]})
	}
	if p.engine, err = media.New(media.Options{Address: at.Addr(), FirstPort: firstPort, LastPort: lastPort, Logger: o.Logger}); err != nil {
		return nil, err
	}
	if p.endpoint, err = sip.Listen(ctx, p.signalling()); err != nil {
		return nil, errors.Join(err, p.engine.Close())
	}
	if o.Register {
		if err := p.endpoint.Registered(ctx, trunk); err != nil {
			return nil, errors.Join(fmt.Errorf("%s could not be registered at %s: %w", o.Number, o.Server, err), p.Close())
		}
	}
	return p, nil
}

// signalling is that of a single line: to the server, or to anybody.
func (p *Phone) signalling() sip.Options {
	t := sip.Trunk{Name: trunk, Codecs: p.o.Codecs}
	if p.o.Server == "" {
		t.Sources = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	} else {
		t.Address = serverURI(p.o.Server)
		t.Username, t.Password, t.Register, t.Identity = p.o.Username, p.o.Password, p.o.Register, p.o.Number
	}
	return sip.Options{
		Listen: p.o.Listen, TLS: &tls.Config{RootCAs: p.o.Roots, MinVersion: tls.VersionTLS12}, Trunks: []sip.Trunk{t}, Incoming: p.incoming,
		UserAgent: "ringdown phone", Logger: p.o.Logger, Now: p.o.Now,
	}
}

// serverURI makes a SIP URI of host:port.
func serverURI(server string) string {
	if s := strings.ToLower(server); strings.HasPrefix(s, "sip:") || strings.HasPrefix(s, "sips:") {
		return server
	}
	return "sip:" + server
}

// Addr is where it listens, host:port.
func (p *Phone) Addr() string { return p.endpoint.Addr().String() }

// Dial calls a number and returns at once. The context is that of dialling; the
// call outlives it.
func (p *Phone) Dial(ctx context.Context, number string) (*Call, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.o.Server == "" {
		return nil, errors.New("a phone without a server has nobody to call")
	}
	c := p.newCall(p.o.Number, number)
	if err := p.add(c); err != nil {
		return nil, err
	}
	if err := c.open(); err != nil {
		p.remove(c)
		return nil, err
	}
	line, err := p.endpoint.Dial(sip.Invitation{
		Trunk: trunk, To: number, From: p.o.Number, Ring: p.o.Ring, Headers: p.headers, Media: c.stream, Hear: c.hearLine,
	})
	if err != nil {
		c.session.Close()
		p.remove(c)
		return nil, err
	}
	c.connect(line)
	return c, nil
}

// Wait returns the next call that comes in, which rings until it is answered.
func (p *Phone) Wait(ctx context.Context) (*Call, error) {
	for {
		p.mu.Lock()
		if len(p.waiting) > 0 {
			c := p.waiting[0]
			p.waiting = slices.Delete(p.waiting, 0, 1)
			p.mu.Unlock()
			return c, nil
		}
		arrived := p.arrived
		p.mu.Unlock()
		select {
		case <-arrived:
		case <-p.closed:
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// incoming has a call ring and wait.
func (p *Phone) incoming(line *sip.Call) {
	c := p.newCall(line.From(), line.To())
	c.inbound = true
	c.name = line.FromName()
	c.arrived = line.Headers()
	if p.add(c) != nil {
		line.Reject(480)
		return
	}
	c.connect(line)
	c.tell(Event{At: line.At(), What: Ringing})
	line.Ring()
	line.Watch(c.hearLine)
	p.mu.Lock()
	full := len(p.waiting) >= mostWaiting
	if !full {
		p.waiting = append(p.waiting, c)
		close(p.arrived)
		p.arrived = make(chan struct{})
	}
	p.mu.Unlock()
	if full {
		c.Reject(486)
	}
}

// add keeps a call, so that Close can end it.
func (p *Phone) add(c *Call) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return ErrClosed
	}
	p.calls[c] = true
	return nil
}

func (p *Phone) remove(c *Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, c)
}

// start runs a goroutine of a call, unless the phone is closing.
func (p *Phone) start(run func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return false
	}
	p.running.Go(run)
	return true
}

// Close hangs up and unregisters. It may be called twice.
func (p *Phone) Close() error {
	p.mu.Lock()
	if p.closing {
		p.mu.Unlock()
		<-p.done
		return p.err
	}
	p.closing = true
	calls := slices.Collect(maps.Keys(p.calls))
	p.mu.Unlock()
	for _, c := range calls {
		c.Hangup()
	}
	err := p.endpoint.Close()
	for _, c := range calls {
		c.finish(p.o.Now(), "hung up here", 0) // of one that signalling knows nothing of
	}
	err = errors.Join(err, p.engine.Close())
	close(p.closed)
	p.running.Wait()
	p.err = err
	close(p.done)
	return err
}
