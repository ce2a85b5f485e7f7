package call

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/contact"
	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sip"
	"ringdown/internal/voice/stream"
)

// long is how long a test waits for what must happen.
const long = 10 * time.Second

var loopback = netip.MustParseAddr("127.0.0.1")

// peer is the far side of trunks.
type peer struct {
	t        *testing.T
	endpoint *sip.Endpoint
	media    *media.Engine
	calls    chan *far // that it has taken

	mu    sync.Mutex
	tapes []*media.Recorder
}

// far is a call of a peer.
type far struct {
	peer    *peer
	call    *sip.Call
	stream  *stream.Stream
	session *media.Session
	events  chan sip.Event
	keys    chan string
	heard   *tapeFile
	tape    *media.Recorder
}

// newPeer makes a peer. What comes in is dealt with by answer; nil picks up.
func newPeer(t *testing.T, trunk sip.Trunk, answer func(p *peer, c *sip.Call)) *peer {
	t.Helper()
	p := &peer{t: t, calls: make(chan *far, 100)}
	if answer == nil {
		answer = (*peer).pickUp
	}
	var err error
	if p.media, err = media.New(media.Options{Address: loopback, FirstPort: 41000, LastPort: 41999, Rest: time.Millisecond, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	trunk.Name = "server"
	trunk.Sources = []netip.Prefix{netip.PrefixFrom(loopback, 32)}
	p.endpoint, err = sip.Listen(t.Context(), sip.Options{
		Listen: "127.0.0.1:0", Trunks: []sip.Trunk{trunk}, Incoming: func(c *sip.Call) { answer(p, c) },
		Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	return p
}

func (p *peer) close() {
	if err := p.endpoint.Close(); err != nil {
		p.t.Error(err)
	}
	if err := p.media.Close(); err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, tape := range p.tapes {
		if err := tape.Close(); err != nil {
			p.t.Error(err)
		}
	}
}

// address is where the peer is reached.
func (p *peer) address() string { return "sip:" + p.endpoint.Addr().String() }

func (p *peer) newFar() *far {
	f := &far{peer: p, events: make(chan sip.Event, 100), keys: make(chan string, 100), heard: &tapeFile{}}
	var err error
	if f.session, err = p.media.Open(func(ev media.Event) {
		if ev.Kind == media.Digit {
			f.keys <- ev.Key
		}
	}); err != nil {
		p.t.Error(err)
		return f
	}
	if f.tape, err = media.NewRecorder(f.heard); err != nil {
		p.t.Error(err)
	}
	p.mu.Lock()
	p.tapes = append(p.tapes, f.tape)
	p.mu.Unlock()
	f.session.Record("heard", f.tape)
	f.stream = farStream(f.session)
	return f
}

func farStream(s *media.Session) *stream.Stream {
	return stream.New(stream.Options{Session: s, Address: loopback})
}

// pickUp answers a call.
func (p *peer) pickUp(c *sip.Call) {
	f := p.newFar()
	f.call = c
	c.Ring()
	c.Answer(f.stream, f.hear)
	p.calls <- f
}

func refuse(status int) func(*peer, *sip.Call) {
	return func(_ *peer, c *sip.Call) {
		c.Ring()
		c.Reject(status)
	}
}

// dial calls the server.
func (p *peer) dial(to string, headers ...sip.Header) *far {
	p.t.Helper()
	f := p.newFar()
	var err error
	f.call, err = p.endpoint.Dial(sip.Invitation{
		Trunk: "server", To: to, From: "+14155550123", FromName: "Jane", Headers: headers, Media: f.stream, Hear: f.hear,
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return f
}

func (f *far) hear(ev sip.Event) {
	f.events <- ev
	if ev.Kind == sip.Ended {
		f.session.Close()
	}
}

// wait waits for an event.
func (f *far) wait(kind sip.EventKind) sip.Event {
	f.peer.t.Helper()
	timeout := time.After(long)
	for {
		select {
		case ev := <-f.events:
			if ev.Kind == kind {
				return ev
			}
			if ev.Kind == sip.Ended {
				f.peer.t.Fatalf("the far side's call ended (%d, %d) before %d", ev.Cause, ev.Status, kind)
			}
		case <-timeout:
			f.peer.t.Fatalf("the far side has waited for %d for %v", kind, long)
		}
	}
}

// press has the far side heard to press keys, and waits for keys that it hears.
func (f *far) hears(keys string) {
	f.peer.t.Helper()
	got := ""
	for len(got) < len(keys) {
		select {
		case k := <-f.keys:
			got += k
		case <-time.After(long):
			f.peer.t.Fatalf("heard the keys %q, want %q", got, keys)
		}
	}
	if got != keys {
		f.peer.t.Errorf("heard the keys %q, want %q", got, keys)
	}
}

// sound is what the far side has heard.
func (f *far) sound() []int16 {
	f.peer.t.Helper()
	if err := f.tape.Close(); err != nil {
		f.peer.t.Error(err)
	}
	return f.heard.channel(0)
}

// tapeFile is a recording in memory.
type tapeFile struct {
	mu     sync.Mutex
	b      []byte
	stored int
	fail   error // of what is written
}

func (f *tapeFile) WriteAt(b []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return 0, f.fail
	}
	if f.stored > 0 {
		panic("written after it was stored")
	}
	if n := int(off) + len(b); n > len(f.b) {
		f.b = append(f.b, make([]byte, n-len(f.b))...)
	}
	return copy(f.b[off:], b), nil
}

func (f *tapeFile) Store() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stored++
	return nil
}

func (f *tapeFile) times() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stored
}

// channel is one of the two.
func (f *tapeFile) channel(n int) []int16 {
	f.mu.Lock()
	defer f.mu.Unlock()
	head := len(audio.EncodeWAV(audio.Format{Encoding: audio.PCM, Channels: 2, Rate: 8000, Bits: 16}, nil))
	if len(f.b) < head {
		return nil
	}
	var all []int16
	for b := f.b[head:]; len(b) >= 4; b = b[4:] {
		all = append(all, int16(binary.LittleEndian.Uint16(b[2*n:])))
	}
	return all
}

// server are Calls with a trunk to and from peers. The trunk "out" leads to the
// first, "in" is where callers come from.
func server(t *testing.T, to *peer, set func(o *Options)) *Calls {
	t.Helper()
	in := sip.Trunk{Name: "in", Sources: []netip.Prefix{netip.PrefixFrom(loopback, 32)}}
	o := Options{
		SIP:    sip.Options{Listen: "127.0.0.1:0", Trunks: []sip.Trunk{in}},
		Media:  media.Options{FirstPort: 42000, LastPort: 42999, Rest: time.Millisecond},
		Logger: slog.New(slog.DiscardHandler),
		Now:    time.Now,
	}
	if to != nil {
		o.SIP.Trunks = append(o.SIP.Trunks, sip.Trunk{Name: "out", Address: to.address()})
	}
	if set != nil {
		set(&o)
	}
	o.SIP.Logger, o.Media.Logger, o.SIP.Now = o.Logger, o.Logger, o.Now
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if n := c.media.Sessions(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	return c
}

// caller makes a peer that calls the server.
func caller(t *testing.T, c *Calls) *peer {
	t.Helper()
	return newPeer(t, sip.Trunk{Address: "sip:" + c.Endpoint().Addr().String()}, nil)
}

// listener hears what becomes of a leg.
type listener struct {
	t      *testing.T
	events chan contact.LegEvent
}

func newListener(t *testing.T) *listener {
	return &listener{t: t, events: make(chan contact.LegEvent, 100)}
}

func (h *listener) hear(ev contact.LegEvent) { h.events <- ev }

func (h *listener) next() contact.LegEvent {
	h.t.Helper()
	select {
	case ev := <-h.events:
		return ev
	case <-time.After(long):
		h.t.Fatalf("nothing has happened for %v", long)
	}
	return contact.LegEvent{}
}

// wants waits for events of these kinds, and for nothing else.
func (h *listener) wants(kinds ...contact.LegKind) (last contact.LegEvent) {
	h.t.Helper()
	for i, k := range kinds {
		last = h.next()
		if last.Kind != k {
			h.t.Fatalf("event %d is %+v, want %d", i, last, k)
		}
	}
	return last
}

// ends waits for the end with a reason, and for nothing else.
func (h *listener) ends(reason string) {
	h.t.Helper()
	if ev := h.wants(contact.LegEnded); ev.Reason != reason {
		h.t.Errorf("it ended with %q, want %q", ev.Reason, reason)
	}
}

// types waits for digits, and for nothing else.
func (h *listener) types(keys string) {
	h.t.Helper()
	for _, k := range keys {
		if ev := h.wants(contact.LegDigit); ev.Text != string(k) {
			h.t.Errorf("the key %q, want %q", ev.Text, string(k))
		}
	}
}

// quiet fails if anything has happened.
func (h *listener) quiet() {
	h.t.Helper()
	select {
	case ev := <-h.events:
		h.t.Errorf("something happened: %+v", ev)
	default:
	}
}

// tone is a sound of one frequency, as loud as level (dB below a sine of full scale).
func tone(hz float64, length time.Duration, level float64) *audio.Clip {
	samples := make([]int16, int(length.Seconds()*8000))
	peak := 32767 * math.Pow(10, level/20)
	for i := range samples {
		samples[i] = int16(math.Round(peak * math.Sin(2*math.Pi*hz*float64(i)/8000)))
	}
	return audio.NewClip(samples)
}

// hasTone checks that a sound has at least some time of a tone without a pause, at
// a level.
func hasTone(t *testing.T, what string, samples []int16, hz float64, length time.Duration, level float64) {
	t.Helper()
	const block = 160 // 20 ms
	longest, run := 0, 0
	var levels []float64
	for b := range slices.Chunk(samples, block) {
		if len(b) < block {
			break
		}
		if l := audio.ToneLevel(b, hz); math.Abs(l-level) <= 1 {
			levels = append(levels, l)
			run++
			longest = max(longest, run)
		} else {
			run = 0
		}
	}
	if got := time.Duration(longest) * 20 * time.Millisecond; got < length {
		t.Errorf("%s: %v of %v Hz at %v dB without a gap, want %v (%d samples, %d blocks fit)", what, got, hz, level, length, len(samples), len(levels))
	}
}

// hasNoTone checks that a tone is not to be heard.
func hasNoTone(t *testing.T, what string, samples []int16, hz float64) {
	t.Helper()
	for b := range slices.Chunk(samples, 800) {
		if l := audio.ToneLevel(b, hz); l > -40 {
			t.Errorf("%s: %v Hz is heard at %.1f dB", what, hz, l)
			return
		}
	}
}

// leakFree checks that a test leaves no goroutine. It is called first, so that what
// is cleaned up later is cleaned up before.
func leakFree(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		deadline, tick := time.After(long), time.NewTicker(10*time.Millisecond)
		defer tick.Stop()
		for runtime.NumGoroutine() > before {
			select {
			case <-tick.C:
			case <-deadline:
				all := make([]byte, 1<<20)
				t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, all[:runtime.Stack(all, true)])
				return
			}
		}
	})
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not after %v", what, long)
		}
	}
}
