// Package call makes calls of signalling and sound: a contact.Dialer and
// contact.Leg over SIP trunks. It speaks prompts, collects digits, bridges and
// records. It decides nothing: which number leads where is told to it, and what
// happens in a call is the flow's.
//
// Invariants:
//   - each call has one goroutine, from Dial or Answer to its end, which alone
//     changes it. The methods of a leg, signalling and sound only leave it notes,
//     so that none of them blocks, and whoever hears events may;
//   - sounds are read and spoken, and files of recordings opened and stored, on
//     goroutines of their own; a call waits for none of them;
//   - Close waits for all of these goroutines.
package call

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/contact"
	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sip"
	"ringdown/internal/voice/speech"
)

// Options make Calls.
type Options struct {
	SIP    sip.Options   // Incoming is filled in
	Media  media.Options // Address is filled in from SIP.Listen when it is not set
	Speech *speech.Speaker
	// Sound reads a recorded prompt, s3://BUCKET/KEY.
	Sound func(ctx context.Context, uri string) (*audio.Clip, error)
	// Record begins the recording of a call that belongs at a URI. Nil: nothing can
	// be recorded.
	Record func(uri string) (RecordingFile, error)
	// Arrive is told of each call to a number, on a goroutine of its own: it has the
	// call answered (contact.Spec.Arrival) or rejects it. Nil: all are refused.
	Arrive func(*Arrival)
	// TrunkOf names the trunk that the calls of one of the operator's numbers go by,
	// "" for none in particular. Nil for never.
	TrunkOf func(number string) string
	// Elsewhere places calls for which no trunk is there; nil has them fail.
	Elsewhere contact.Dialer
	// Explicit reports whether a number's calls are Elsewhere's even though a trunk
	// is there. Nil for never.
	Explicit func(number string) bool
	Logger   *slog.Logger
	Now      func() time.Time
}

// RecordingFile is the file of a recording.
type RecordingFile interface {
	media.File
	// Store is called once, when it is complete.
	Store() error
}

// Calls are all calls of a server.
type Calls struct {
	o      Options
	trunks map[string]sip.Trunk
	sounds *sounds
	// ctx ends with Close.
	ctx    context.Context
	cancel context.CancelFunc
	// ready is closed when there is sound for calls, which may come in before.
	ready chan struct{}

	mu       sync.Mutex
	opened   bool
	closed   bool
	endpoint *sip.Endpoint
	media    *media.Engine

	// work are the goroutines of calls, sounds and recordings.
	work  sync.WaitGroup
	close func() error
}

var _ contact.Dialer = (*Calls)(nil)

// New makes Calls; nothing listens before Open.
func New(o Options) (*Calls, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Calls{o: o, trunks: map[string]sip.Trunk{}, ready: make(chan struct{})}
	for _, t := range o.SIP.Trunks {
		if _, twice := c.trunks[t.Name]; twice || t.Name == "" {
			return nil, fmt.Errorf("trunk %q: each trunk needs a name of its own", t.Name)
		}
		c.trunks[t.Name] = t
	}
	c.o.SIP.Trunks = slices.Clone(o.SIP.Trunks)
	if o.Arrive != nil {
		c.o.SIP.Incoming = c.incoming
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.sounds = newSounds(c)
	c.close = sync.OnceValue(c.shut)
	return c, nil
}

// Open begins to listen for calls and to register with trunks.
func (c *Calls) Open(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opened || c.closed {
		return errors.New("call: opened twice, or after Close")
	}
	endpoint, err := sip.Listen(ctx, c.o.SIP)
	if err != nil {
		return fmt.Errorf("signalling of calls: %w", err)
	}
	o := c.o.Media
	if !o.Address.IsValid() {
		o.Address = soundAddress(c.o.SIP.Listen, endpoint.Addr().Addr())
	}
	engine, err := media.New(o)
	if err != nil {
		return errors.Join(fmt.Errorf("sound of calls: %w", err), endpoint.Close())
	}
	c.o.Media.Address = o.Address
	c.opened, c.endpoint, c.media = true, endpoint, engine
	close(c.ready)
	return nil
}

// Endpoint is the signalling, nil before Open.
func (c *Calls) Endpoint() *sip.Endpoint {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.endpoint
}

// Dial implements contact.Dialer. After Close nobody is called and nothing told.
func (c *Calls) Dial(call contact.Call, hear func(contact.LegEvent)) contact.Leg {
	trunk := c.route(call)
	if trunk == "" && c.o.Elsewhere != nil {
		return c.o.Elsewhere.Dial(call, hear)
	}
	l := c.newLeg(outbound, trunk, call.From, call.To)
	l.hear, l.call = hear, call
	begin := l.invite
	if from := c.transferor(call.For, trunk); from != nil {
		begin = func() { l.transfer(from) }
	}
	c.start(func() { l.run(begin) })
	return l
}

// route is the trunk of a call, "" for none: that of whoever has registered as the
// number that is called, that of the number that calls, or the one that such
// numbers go out by.
func (c *Calls) route(call contact.Call) string {
	endpoint := c.Endpoint()
	if endpoint == nil || c.o.Explicit != nil && c.o.Explicit(call.To) {
		return ""
	}
	trunk, found := endpoint.Route(call.To)
	if found && c.trunks[trunk].Registrar {
		return trunk
	}
	if own := c.ownTrunk(call); own != "" {
		return own
	}
	return trunk
}

// ownTrunk is the trunk of the number that calls, "" when it has none that calls can
// go out by.
func (c *Calls) ownTrunk(call contact.Call) string {
	if c.o.TrunkOf == nil || call.From == "" {
		return ""
	}
	if own := c.o.TrunkOf(call.From); c.trunks[own].Address != "" {
		return own
	}
	return ""
}

// Drain refuses new calls and waits for those under way until ctx is done.
func (c *Calls) Drain(ctx context.Context) {
	if e := c.Endpoint(); e != nil {
		e.Drain(ctx)
	}
}

// Close ends all calls, tells so, and waits for their goroutines and recordings;
// nobody may be blocked for ever in hearing an event. It may be called twice, and
// on nil Calls.
func (c *Calls) Close() error {
	if c == nil {
		return nil
	}
	return c.close()
}

func (c *Calls) shut() error {
	c.mu.Lock()
	c.closed = true
	endpoint, engine := c.endpoint, c.media
	c.mu.Unlock()
	c.cancel() // every call hangs up
	var errs []error
	if endpoint != nil {
		errs = append(errs, endpoint.Close())
	}
	c.work.Wait()
	if engine != nil {
		errs = append(errs, engine.Close())
	}
	return errors.Join(errs...)
}

// start has something done on a goroutine that Close waits for; false after Close.
func (c *Calls) start(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.work.Go(f)
	return true
}

// soundAddress is where sound is received when signalling listens at an address: the
// same. A socket that listens at any address takes IPv4 and IPv6, whichever of the
// two it was asked for; one for sound takes one of them, which is IPv4 then.
func soundAddress(listen string, at netip.Addr) netip.Addr {
	if a, err := netip.ParseAddrPort(listen); err == nil {
		return a.Addr()
	}
	if at.IsUnspecified() {
		return netip.IPv4Unspecified()
	}
	return at
}

// local is the address that the far side of a call is told to send sound to. It may
// block while names are looked up.
func (l *leg) local(endpoint *sip.Endpoint) (netip.Addr, error) {
	c := l.calls
	if c.trunks[l.trunk].Advertise == "" && c.o.SIP.Advertise == "" && !c.o.Media.Address.IsUnspecified() {
		return c.o.Media.Address, nil
	}
	var here netip.Addr
	var err error
	if l.direction == inbound {
		here, err = l.line.Local(c.ctx)
	} else {
		here, err = endpoint.Local(c.ctx, l.trunk, l.to)
	}
	if err == nil && here.Unmap().Is4() != c.o.Media.Address.Unmap().Is4() {
		err = fmt.Errorf("sound is received at %s, the far side is to send it to %s", c.o.Media.Address, here)
	}
	return here, err
}

// tail is what a log may show of a telephone number.
func tail(number string) string {
	const shown = 4
	if len(number) <= shown {
		return number
	}
	return "…" + number[len(number)-shown:]
}
