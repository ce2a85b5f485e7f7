package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/prerequisite"
)

// TestSymmetric: the far side is where it sends from, not where it says; Set again
// does not forget that, and another address begins anew.
func TestSymmetric(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	f, elsewhere := newFar(t, e, audio.MuLaw), newFar(t, e, audio.MuLaw)
	p := f.params()
	p.Remote = elsewhere.address()
	elsewhere.mu.Lock()
	elsewhere.from = f.s
	elsewhere.mu.Unlock()
	f.s.Set(p)
	elsewhere.waitPackets(2)
	f.say(tone(440, 0, frame))
	f.waitPackets(2)
	f.s.Set(p)
	f.forget()
	f.waitPackets(2)
	p.Remote = netip.AddrPortFrom(loopback, 9) // where nobody is
	f.s.Set(p)
	f.say(tone(440, 0, frame))
	f.forget()
	f.waitPackets(2)
	if n := f.s.Stats().PacketsReceived; n != 2 {
		t.Errorf("%d packets were received", n)
	}
}

// TestBelieve: who is believed to be the far side.
func TestBelieve(t *testing.T) {
	e := newEngine(t, nil)
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(loopback, port) }
	const signalled, phone, stranger = 1000, 2000, 3000
	type step struct {
		from  uint16
		after time.Duration
		want  bool
	}
	for name, steps := range map[string][]step{
		"the first":               {{phone, 0, true}, {phone, 0, true}, {stranger, 0, false}, {phone, 0, true}},
		"the signalled":           {{signalled, 0, true}, {stranger, 0, false}, {signalled, 0, true}},
		"the signalled, later":    {{stranger, 0, true}, {signalled, 0, true}, {stranger, 0, false}},
		"another after silence":   {{phone, 0, true}, {stranger, loyalty - 1, false}, {stranger, loyalty, true}, {phone, loyalty, false}},
		"a stranger does not win": {{phone, 0, true}, {stranger, time.Second, false}, {phone, time.Second, true}, {stranger, loyalty, false}},
	} {
		t.Run(name, func(t *testing.T) {
			s := e.session(nil)
			s.out.wire = &discard{}
			s.Set(Params{Remote: at(signalled), Send: true, Receive: true})
			start := time.Now()
			f := &far{payload: 0, codec: audio.MuLaw}
			for i, step := range steps {
				before := s.Stats().PacketsReceived
				s.receive(f.next(0, false, 0, make([]byte, frame)), at(step.from), start.Add(step.after))
				if got := s.Stats().PacketsReceived > before; got != step.want {
					t.Errorf("step %d: heard %v, want %v", i, got, step.want)
				}
				if step.want && s.out.remote != at(step.from) {
					t.Errorf("step %d: it sends to %v", i, s.out.remote)
				}
			}
		})
	}
}

// discard is a wire into nothing.
type discard struct{ packets, bytes int }

func (d *discard) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	d.packets++
	d.bytes += len(b)
	return len(b), nil
}

// TestNotAgreed: what has not been agreed is not heard and changes nothing.
func TestNotAgreed(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	f := newFar(t, e, audio.MuLaw)
	f.say(tone(440, 0, frame))
	f.set()
	p := f.params()
	p.Receive = false
	f.s.Set(p)
	f.say(tone(440, 0, frame))
	f.waitPackets(3)
	f.set()
	for _, b := range [][]byte{
		{},
		{0x80},
		[]byte(strings.Repeat("x", 1500)), []byte(strings.Repeat("\x80", 12)),
		f.next(3, false, 0, make([]byte, 160)), f.next(8, false, 0, make([]byte, 160)),
		f.next(0, false, 0, nil), f.next(101, true, 0, []byte{1, 0x8A, 0}), make([]byte, maxDatagram),
	} {
		f.put(b)
	}
	f.say(tone(440, 0, frame))
	f.wait("what is right", func() bool { return f.s.Stats().PacketsReceived > 0 })
	if st := f.s.Stats(); st.PacketsReceived != 1 {
		t.Errorf("%d packets were received", st.PacketsReceived)
	}
	if len(f.log.events()) > 0 {
		t.Errorf("the events are %v", f.log.events())
	}
}

// TestTimedOut: silence of the far side is told once, not on hold, and again after
// Set.
func TestTimedOut(t *testing.T) {
	t.Parallel()
	const limit = 300 * time.Millisecond
	f := newFar(t, newEngine(t, func(o *Options) { o.Silence = limit }), audio.MuLaw)
	timeouts := func(n int) func([]Event) bool {
		return func(all []Event) bool { return len(all) >= n }
	}
	p := f.params()
	p.Receive = false
	f.s.Set(p)
	f.waitPackets(25)
	if n := len(f.log.events()); n > 0 {
		t.Errorf("%d events on hold", n)
	}
	begin := time.Now()
	f.set()
	stop := f.speak(440)
	f.waitPackets(50)
	if n := len(f.log.events()); n > 0 {
		t.Errorf("%d events while it speaks", n)
	}
	stop()
	f.log.wait(t, "the timeout", timeouts(1))
	if took := time.Since(begin); took < limit {
		t.Errorf("it took %v", took)
	}
	f.waitPackets(len(f.packets()) + 25)
	if n := len(f.log.events()); n != 1 {
		t.Errorf("%d events", n)
	}
	f.set()
	f.log.wait(t, "another timeout", timeouts(2))
	for _, e := range f.log.events() {
		if e != (Event{Kind: TimedOut}) {
			t.Errorf("the event is %v", e)
		}
	}
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	here := netip.IPv6Loopback()
	if c, err := net.ListenUDP("udp6", net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, 0))); err != nil {
		prerequisite.Missing(t, fmt.Errorf("this machine has no IPv6: %w", err))
	} else {
		c.Close()
	}
	e := newEngine(t, func(o *Options) { o.Address = here })
	a, b := newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.ALaw).set()
	a.s.Bridge(b.s)
	defer a.speak(440)()
	b.waitSound(25)
	pcm, _ := b.heard(b.packets())
	checkTone(t, "by IPv6", pcm, 440, 450*time.Millisecond)
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no address":   func(o *Options) { o.Address = netip.Addr{} },
		"no ports":     func(o *Options) { o.FirstPort, o.LastPort = 0, 0 },
		"too high":     func(o *Options) { o.LastPort = 70000 },
		"one port":     func(o *Options) { o.FirstPort, o.LastPort = 4000, 4000 },
		"none is even": func(o *Options) { o.FirstPort, o.LastPort = 4001, 4002 },
	} {
		o := Options{Address: loopback, FirstPort: 4000, LastPort: 4100}
		change(&o)
		if e, err := New(o); err == nil {
			e.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

// TestPortsOfNeighbours: another program that has a long row of ports, as a second
// server with the same range has them, does not stand in the way of the rest.
func TestPortsOfNeighbours(t *testing.T) {
	const first, row, all = 42000, 400, 1600
	now := time.Now()
	neighbour, err := newPool(loopback, first, first+row-1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	var lines []line
	defer func() {
		for _, l := range lines {
			l.close()
		}
	}()
	for {
		l, err := neighbour.take(now)
		if err != nil {
			break
		}
		lines = append(lines, l)
	}
	if len(lines) < 2*attempts {
		t.Skipf("others have so many of these ports that only %d are left", len(lines))
	}
	p, err := newPool(loopback, first, first+all-1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(p.idle) // it begins where the neighbour is
	for range 100 {
		l, err := p.take(now)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
}

// TestPorts: ports are even, the next is RTCP's, they rest before they are used
// again, and those of others are passed over.
func TestPorts(t *testing.T) {
	// A place with room, which nobody else in this test takes.
	taken, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy := int(taken.LocalAddr().(*net.UDPAddr).AddrPort().Port())
	first := busy - busy%2 - 10
	now := time.Now()
	p, err := newPool(loopback, first-1, first+21, time.Minute) // eleven pairs
	if err != nil {
		t.Fatal(err)
	}
	other, err := newPool(netip.MustParseAddr("192.0.2.1"), 4000, 4100, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.take(now); err == nil || errors.Is(err, ErrNoPorts) || other.busy(now) != 0 {
		t.Errorf("at an address that is not ours the error is %v, %d ports are busy", err, other.busy(now))
	}
	var lines []line
	for range 3 {
		l, err := p.take(now)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
		rtp, rtcp := l.rtp.LocalAddr().(*net.UDPAddr).Port, l.rtcp.LocalAddr().(*net.UDPAddr).Port
		if rtp != l.port || rtp%2 != 0 || rtcp != rtp+1 {
			t.Errorf("the ports are %d and %d", rtp, rtcp)
		}
	}
	for {
		l, err := p.take(now)
		if err != nil {
			if !errors.Is(err, ErrNoPorts) {
				t.Fatal(err)
			}
			break
		}
		lines = append(lines, l)
	}
	if len(lines) > 10 || len(lines) < 8 || p.busy(now) != 11 {
		t.Errorf("%d pairs of 11, one of which another has; %d are busy", len(lines), p.busy(now))
	}
	freed := map[int]bool{}
	for _, l := range lines {
		if l.port/2 == busy/2 {
			t.Errorf("%d is another's", l.port)
		}
		l.close()
		p.free(l.port, now.Add(time.Second))
		freed[l.port] = true
	}
	if _, err := p.take(now.Add(time.Minute - 1)); !errors.Is(err, ErrNoPorts) {
		t.Errorf("before their rest is over the error is %v", err)
	}
	later := now.Add(time.Second + time.Minute)
	if n := p.busy(later); n != 0 {
		t.Errorf("%d are busy after their rest", n)
	}
	// The one that rests longest is used last.
	for range len(freed) {
		l, err := p.take(later)
		if err != nil {
			t.Fatal(err)
		}
		if !freed[l.port] {
			t.Errorf("%d was not free", l.port)
		}
		delete(freed, l.port)
		l.close()
		p.free(l.port, later)
	}
}

// TestClose: thousands of sessions come and go while others talk, and leave nothing
// behind.
func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	e := newEngine(t, nil)
	a, b := newFar(t, e, audio.MuLaw).set(), newFar(t, e, audio.ALaw).set()
	a.s.Bridge(b.s)
	stop := a.speak(440)
	prompt := []*audio.Clip{clip(700, time.Second)}
	sink := newFar(t, e, audio.MuLaw)
	var callers sync.WaitGroup
	const workers, each = 4, 500
	for range workers {
		callers.Go(func() {
			var last *Session
			for i := range each {
				s, err := e.Open(func(Event) {})
				if err != nil {
					t.Error(err)
					return
				}
				s.Play(1, prompt, i%2 == 0)
				s.Set(sink.params())
				s.Press("12")
				if i%3 == 0 {
					s.Bridge(a.s)
				}
				var r *Recorder
				if i%50 == 0 {
					if r, err = NewRecorder(&memory{}); err != nil {
						t.Error(err)
						return
					}
					s.Record("x", r)
				}
				if last != nil {
					s.Bridge(last)
					last.Close()
					last.Close()
				}
				last = s
				if r != nil {
					r.Close()
				}
			}
			last.Close()
			last.Set(sink.params())
			last.Play(1, prompt, false)
			last.Hush()
			last.Press("1")
			last.Bridge(a.s)
			last.Leave()
			last.Record("y", &Recorder{})
			last.Stats()
		})
	}
	callers.Wait()
	n := len(audible(b))
	b.waitSound(n + 10)
	stop()
	if n := e.Sessions(); n != 3 {
		t.Errorf("%d sessions are left", n)
	}
	a.s.Close()
	b.s.Close()
	sink.s.Close()
	for _, f := range []*far{a, b, sink} {
		f.rtp.Close()
		f.rtcp.Close()
	}
	waitFor(t, "the ports", func() bool { return e.Ports() == 0 && e.Sessions() == 0 })
	for _, c := range e.clocks {
		if n := c.load.Load(); n != 0 {
			t.Errorf("a clock still drives %d", n)
		}
	}
	for range 2 {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
	waitFor(t, "the goroutines", func() bool { return runtime.NumGoroutine() <= before+1 })
	if _, err := e.Open(nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close the error is %v", err)
	}
	if n := e.Sessions(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			buf := make([]byte, 1<<20)
			t.Fatalf("waited in vain for %s\n%s", what, buf[:runtime.Stack(buf, true)])
		}
	}
}

// TestCloseInEvent: whoever is told an event may close the session, and nothing is
// told after it.
func TestCloseInEvent(t *testing.T) {
	e := newEngine(t, nil)
	told := make(chan Event, 10)
	ready := make(chan *Session, 1)
	s, err := e.Open(func(ev Event) {
		s := <-ready
		s.Close()
		told <- ev
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Play(1, nil, false)
	s.Play(2, nil, false)
	s.Play(3, nil, false)
	ready <- s
	<-told
	s.Play(4, nil, false)
	e.Close()
	if n := len(told); n != 0 {
		t.Errorf("%d events were told after Close", n)
	}
}
