package media

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringdown/internal/audio"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// newEngine makes an engine on loopback, which is closed with the test.
func newEngine(t testing.TB, change func(*Options)) *Engine {
	t.Helper()
	o := Options{Address: loopback, FirstPort: 20000, LastPort: 29999, Rest: time.Millisecond}
	if change != nil {
		change(&o)
	}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// both runs a test twice. In a bubble of time packets are handed over without
// sockets, at moments that are exact, and everything must be right at once. On
// loopback, in the time of a machine that others use as well, a packet may come so
// late that whoever it was for could not wait: one clean run of five is asked for.
func both(t *testing.T, change func(*Options), body func(t testing.TB, e *Engine)) {
	t.Helper()
	t.Run("exact", func(t *testing.T) {
		bubble(t, func(t *testing.T, e *Engine) { body(t, e) })
	})
	t.Run("sockets", func(t *testing.T) {
		t.Parallel()
		for left := 4; ; left-- {
			a := &attempt{TB: t, last: left == 0}
			a.run(func(t testing.TB) { body(t, newEngine(t, change)) })
			if !a.failed.Load() || a.last {
				return
			}
		}
	})
}

// bubble runs a test in a bubble of time, with an engine whose sessions have no
// sockets.
func bubble(t *testing.T, test func(t *testing.T, e *Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, nil)
		e.ports = nil
		test(t, e)
	})
}

// attempt is a test that may fail, unless it is the last.
type attempt struct {
	testing.TB
	last     bool
	failed   atomic.Bool // written by those who listen, too
	cleanups []func()
}

func (a *attempt) run(body func(t testing.TB)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		body(a)
	}()
	<-done
	for _, f := range slices.Backward(a.cleanups) {
		f()
	}
}

func (a *attempt) Cleanup(f func()) { a.cleanups = append(a.cleanups, f) }

func (a *attempt) Errorf(format string, args ...any) {
	a.Helper()
	if a.failed.Store(true); a.last {
		a.TB.Errorf(format, args...)
	} else {
		a.Logf(format, args...)
	}
}

func (a *attempt) Error(args ...any) {
	a.Helper()
	a.Errorf("%s", fmt.Sprint(args...))
}

func (a *attempt) Fatalf(format string, args ...any) {
	a.Helper()
	a.Errorf(format, args...)
	runtime.Goexit()
}

func (a *attempt) Fatal(args ...any) {
	a.Helper()
	a.Fatalf("%s", fmt.Sprint(args...))
}

// eventLog hears the events of a session.
type eventLog struct {
	mu    sync.Mutex
	all   []Event
	times []time.Time
	more  chan struct{}
}

func newEventLog() *eventLog { return &eventLog{more: make(chan struct{}, 1000)} }

func (l *eventLog) hear(e Event) {
	l.mu.Lock()
	l.all = append(l.all, e)
	l.times = append(l.times, time.Now())
	l.mu.Unlock()
	l.more <- struct{}{}
}

func (l *eventLog) events() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

func (l *eventLog) keys() (keys string) {
	for _, e := range l.events() {
		if e.Kind == Digit {
			keys += e.Key
		}
	}
	return keys
}

// wait waits until the events are as they should be.
func (l *eventLog) wait(t testing.TB, what string, ok func([]Event) bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for !ok(l.events()) {
		select {
		case <-l.more:
		case <-limit:
			t.Fatalf("waited in vain for %s; the events are %v", what, l.events())
		}
	}
}

func (l *eventLog) waitKeys(t testing.TB, keys string) {
	t.Helper()
	l.wait(t, "the digits "+keys, func([]Event) bool { return l.keys() == keys })
}

func played(seq int) func([]Event) bool {
	return func(all []Event) bool { return slices.Contains(all, Event{Kind: Played, Seq: seq}) }
}

// arrival is a packet that a far side has received.
type arrival struct {
	header
	payload []byte
	at      time.Time
	from    netip.AddrPort
}

// far is the other side of a session: a telephone with sockets of its own.
type far struct {
	t         testing.TB
	s         *Session
	log       *eventLog
	rtp, rtcp *net.UDPConn
	codec     audio.Encoding
	payload   uint8
	events    uint8

	mu   sync.Mutex
	from *Session // whose packets are heard
	got  []arrival
	rtcs [][]byte
	more chan struct{}

	sending   sync.Mutex
	ssrc      uint32
	sequence  uint16
	timestamp uint32
	// lose says whether a packet is lost on its way, counted from 0.
	lose  func(n int) bool
	count int
}

func newFar(t testing.TB, e *Engine, codec audio.Encoding) *far {
	t.Helper()
	f := &far{t: t, log: newEventLog(), codec: codec, events: 101, ssrc: random(), sequence: 65500, timestamp: 1<<32 - 8000, more: make(chan struct{}, 1)}
	if codec == audio.ALaw {
		f.payload = 8
	}
	if e.ports == nil {
		s := e.session(f.log.hear)
		s.port, f.s, f.from = 2000+2*int(s.clock.load.Load()), s, s
		s.out.wire, s.wireRTCP = (*farRTP)(f), (*farRTCP)(f)
		s.clock.add(s)
		t.Cleanup(s.Close)
		return f
	}
	s, err := e.Open(f.log.hear)
	if err != nil {
		t.Fatal(err)
	}
	f.s, f.from = s, s
	open := func() *net.UDPConn {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(e.o.Address, 0)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	f.rtp, f.rtcp = open(), open()
	var readers sync.WaitGroup
	readers.Go(f.readRTP)
	readers.Go(f.readRTCP)
	t.Cleanup(func() {
		s.Close()
		f.rtp.Close()
		f.rtcp.Close()
		readers.Wait()
	})
	return f
}

// farRTP and farRTCP take what is sent to a far side without sockets.
type (
	farRTP  far
	farRTCP far
)

func (f *farRTP) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	(*far)(f).hearRTP(b, netip.AddrPortFrom(loopback, uint16(f.from.port)))
	return len(b), nil
}

func (f *farRTCP) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	(*far)(f).hearRTCP(b)
	return len(b), nil
}

func (f *far) address() netip.AddrPort {
	if f.rtp == nil {
		return netip.AddrPortFrom(loopback, uint16(f.s.port+1000))
	}
	return unmapped(f.rtp.LocalAddr().(*net.UDPAddr).AddrPort())
}

func (f *far) addressRTCP() netip.AddrPort {
	if f.rtcp == nil {
		return netip.AddrPortFrom(loopback, uint16(f.s.port+1001))
	}
	return unmapped(f.rtcp.LocalAddr().(*net.UDPAddr).AddrPort())
}

func (f *far) params() Params {
	return Params{
		Remote: f.address(), RemoteRTCP: f.addressRTCP(),
		Codec: f.codec, PayloadType: f.payload, Events: f.events, Send: true, Receive: true,
	}
}

// set has the session send to this far side.
func (f *far) set() *far {
	f.s.Set(f.params())
	return f
}

func (f *far) readRTP() {
	b := make([]byte, 2048)
	for {
		n, from, err := f.rtp.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		f.hearRTP(b[:n], from)
	}
}

func (f *far) hearRTP(b []byte, from netip.AddrPort) {
	h, ok := parse(b)
	if !ok {
		f.t.Errorf("a far side received %x", b)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if int(from.Port()) != f.from.Port() {
		return // a moment ago this port was another's
	}
	f.got = append(f.got, arrival{h, slices.Clone(b[h.from:h.to]), time.Now(), from})
	f.stir()
}

func (f *far) hearRTCP(b []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rtcs = append(f.rtcs, slices.Clone(b))
	f.stir()
}

// stir wakes who waits.
func (f *far) stir() {
	select {
	case f.more <- struct{}{}:
	default:
	}
}

func (f *far) readRTCP() {
	b := make([]byte, 2048)
	for {
		n, _, err := f.rtcp.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		f.hearRTCP(b[:n])
	}
}

func (f *far) packets() []arrival {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.got)
}

func (f *far) reports() [][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.rtcs)
}

// forget drops what has been received.
func (f *far) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = nil
}

// wait waits until what has been received is as it should be.
func (f *far) wait(what string, ok func() bool) {
	f.t.Helper()
	limit := time.After(15 * time.Second)
	for !ok() {
		select {
		case <-f.more:
		case <-limit:
			f.t.Fatalf("waited in vain for %s; %d packets have come", what, len(f.packets()))
		}
	}
}

func (f *far) waitPackets(n int) {
	f.t.Helper()
	f.wait(fmt.Sprintf("%d packets", n), func() bool { return len(f.packets()) >= n })
}

// waitSound waits for so many packets with sound in them.
func (f *far) waitSound(n int) {
	f.t.Helper()
	f.wait(fmt.Sprintf("%d packets of sound", n), func() bool {
		loud := 0
		for _, p := range f.packets() {
			if p.payloadType == f.payload && peak(f.decode(p.payload)) > 500 {
				loud++
			}
		}
		return loud >= n
	})
}

func (f *far) decode(b []byte) []int16 {
	return audio.DecodeSamples(f.codec, make([]int16, 0, len(b)), b)
}

// packet makes one and counts on.
func (f *far) next(payloadType uint8, mark bool, timestamp uint32, payload []byte) []byte {
	b := make([]byte, headerSize, headerSize+len(payload))
	b[0], b[1] = 2<<6, payloadType
	if mark {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], f.sequence)
	binary.BigEndian.PutUint32(b[4:], timestamp)
	binary.BigEndian.PutUint32(b[8:], f.ssrc)
	f.sequence++
	return append(b, payload...)
}

// put sends what has been made, if it is not lost.
func (f *far) put(b []byte) {
	f.count++
	if f.lose != nil && f.lose(f.count-1) {
		return
	}
	if f.rtp == nil {
		f.s.receive(slices.Clone(b), f.address(), time.Now())
		return
	}
	f.rtp.WriteToUDPAddrPort(b, netip.AddrPortFrom(f.s.engine.o.Address, uint16(f.s.Port())))
}

// say sends 20 ms of sound.
func (f *far) say(pcm []int16) {
	f.sending.Lock()
	defer f.sending.Unlock()
	f.put(f.next(f.payload, false, f.timestamp, audio.EncodeSamples(f.codec, nil, pcm)))
	f.timestamp += uint32(len(pcm))
}

// key sends the packets of an event, three of them its end.
func (f *far) key(k byte) {
	f.sending.Lock()
	defer f.sending.Unlock()
	code := byte(slices.Index([]byte(keyNames), k))
	for i := 1; i <= 7; i++ {
		d, end := min(i, 5)*frame, byte(0)
		if i >= 5 {
			end = 0x80
		}
		f.put(f.next(f.events, i == 1, f.timestamp, []byte{code, end | 10, byte(d >> 8), byte(d)}))
	}
	f.timestamp += uint32(5 * frame)
}

// speak sends a tone until the function that it returns is called, which waits for
// the last packet.
func (f *far) speak(hz float64) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		start := time.Now()
		for n := 0; ; n++ {
			f.say(tone(hz, n*frame, frame))
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Until(start.Add(time.Duration(n+1) * period))):
			}
		}
	})
	stop = sync.OnceFunc(func() { cancel(); done.Wait() })
	f.t.Cleanup(stop)
	return stop
}

// loud is the peak of the tones here, and level what that is in dBFS.
const loud = 8000

var level = 20 * math.Log10(loud/32768.)

// tone is n samples of a tone from a place on.
func tone(hz float64, from, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(loud * math.Sin(2*math.Pi*hz*float64(from+i)/rate))
	}
	return pcm
}

func clip(hz float64, d time.Duration) *audio.Clip { return audio.NewClip(tone(hz, 0, samples(d))) }

func peak(pcm []int16) (top int16) {
	for _, v := range pcm {
		top = max(top, v, -v)
	}
	return top
}

// heard puts the packets of sound together by their timestamps. What has not come
// is silence; holes is how many samples of it there are.
func (f *far) heard(packets []arrival) (pcm []int16, holes int) {
	var first, last uint32
	begun := false
	for _, p := range packets {
		if p.payloadType != f.payload {
			continue
		}
		end := p.timestamp + uint32(len(p.payload))
		if !begun {
			first, last, begun = p.timestamp, end, true
		}
		if int32(p.timestamp-first) < 0 {
			first = p.timestamp
		}
		if int32(end-last) > 0 {
			last = end
		}
	}
	pcm = make([]int16, last-first)
	come := make([]bool, last-first)
	for _, p := range packets {
		if p.payloadType != f.payload {
			continue
		}
		at := p.timestamp - first
		copy(pcm[at:], f.decode(p.payload))
		for i := range p.payload {
			come[int(at)+i] = true
		}
	}
	for _, c := range come {
		if !c {
			holes++
		}
	}
	return pcm, holes
}

// sounding cuts silence off both ends.
func sounding(pcm []int16) []int16 {
	loudAt := func(v int16) bool { return v > 500 || v < -500 }
	a := slices.IndexFunc(pcm, loudAt)
	if a < 0 {
		return nil
	}
	b := len(pcm)
	for !loudAt(pcm[b-1]) {
		b--
	}
	return pcm[a:b]
}

// checkTone: sound is a tone of a frequency, as loud as it was sent, without a gap
// of 20 ms, at least as long as said.
func checkTone(t testing.TB, what string, pcm []int16, hz float64, least time.Duration) {
	t.Helper()
	pcm = sounding(pcm)
	if len(pcm) < samples(least) {
		t.Errorf("%s: %v of sound, want %v", what, time.Duration(len(pcm))*sample, least)
		return
	}
	if got := audio.ToneLevel(pcm, hz); math.Abs(got-level) > 1 {
		t.Errorf("%s: %v Hz has %.1f dBFS, want %.1f", what, hz, got, level)
	}
	if g := gap(pcm); g > frame {
		t.Errorf("%s: a gap of %v", what, time.Duration(g)*sample)
	}
}

// gap is the longest stretch of silence, in samples.
func gap(pcm []int16) (longest int) {
	run := 0
	for _, v := range pcm {
		if v > 200 || v < -200 {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// checkStream: whatever they are made of, packets are one stream: one SSRC, a
// sequence without holes, timestamps that go on as the time does.
func checkStream(t testing.TB, packets []arrival) {
	t.Helper()
	for i, p := range packets[1:] {
		before := packets[i]
		if p.ssrc != before.ssrc {
			t.Errorf("packet %d: another SSRC", i+1)
		}
		if p.sequence != before.sequence+1 {
			t.Errorf("packet %d: the sequence goes from %d to %d", i+1, before.sequence, p.sequence)
		}
		step := int(int32(p.timestamp - before.timestamp))
		passed := samples(p.at.Sub(packets[0].at)) - int(int32(p.timestamp-packets[0].timestamp))
		if step < 0 || passed > rate || passed < -rate/2 {
			t.Errorf("packet %d: the timestamp goes on by %d; it is %d behind the time", i+1, step, passed)
		}
	}
}
