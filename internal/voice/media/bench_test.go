package media

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"ringdown/internal/audio"
)

// wave is how many packets wait in a socket when the benchmarks of relays read it:
// so neither sending them nor waiting for them is measured.
const wave = 64

// relayBench times what moves a packet from one socket to another.
func relayBench(b *testing.B, from int, read func(count int)) {
	b.Helper()
	gen, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: from})
	if err != nil {
		b.Fatal(err)
	}
	defer gen.Close()
	f := &far{codec: audio.MuLaw, ssrc: 5}
	payload := make([]byte, frame)
	b.ReportAllocs()
	b.ResetTimer()
	var spent time.Duration
	for left := b.N; left > 0; left -= wave {
		n := min(left, wave)
		b.StopTimer()
		for range n {
			f.timestamp += uint32(frame)
			if _, err := gen.Write(f.next(0, false, f.timestamp, payload)); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		begin := time.Now()
		read(n)
		spent += time.Since(begin)
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "ns/packet")
}

// sink is a socket that nobody reads.
func sink(b *testing.B) netip.AddrPort {
	b.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 2048)
		for {
			if _, _, err := c.ReadFromUDPAddrPort(buf); err != nil {
				return
			}
		}
	}()
	b.Cleanup(func() { c.Close(); <-done })
	return unmapped(c.LocalAddr().(*net.UDPAddr).AddrPort())
}

// BenchmarkBareRelay is the least that a relay in Go can do.
func BenchmarkBareRelay(b *testing.B) {
	p, err := newPool(loopback, 20000, 29999, 0)
	if err != nil {
		b.Fatal(err)
	}
	in, err := p.take(time.Now())
	if err != nil {
		b.Fatal(err)
	}
	defer in.close()
	out, err := p.take(time.Now())
	if err != nil {
		b.Fatal(err)
	}
	defer out.close()
	to := sink(b)
	buf := make([]byte, maxDatagram)
	relayBench(b, in.port, func(count int) {
		for range count {
			n, _, err := in.rtp.ReadFromUDPAddrPort(buf)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := out.rtp.WriteToUDPAddrPort(buf[:n], to); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkRelay is ours, to be seen beside BenchmarkBareRelay.
func BenchmarkRelay(b *testing.B) {
	for _, c := range []struct {
		name   string
		codec  audio.Encoding
		record bool
	}{{"same", audio.MuLaw, false}, {"transcoded", audio.ALaw, false}, {"recorded", audio.MuLaw, true}} {
		b.Run(c.name, func(b *testing.B) {
			e := still()
			p, err := newPool(loopback, 20000, 29999, 0)
			if err != nil {
				b.Fatal(err)
			}
			var s [2]*Session
			to := sink(b)
			for i := range s {
				l, err := p.take(time.Now())
				if err != nil {
					b.Fatal(err)
				}
				defer l.close()
				s[i] = e.session(nil)
				s[i].rtp, s[i].port, s[i].out.wire = l.rtp, l.port, l.rtp
				params := Params{Remote: to, Codec: audio.MuLaw, Events: 101, Send: true, Receive: true}
				if i == 1 && c.codec == audio.ALaw {
					params.Codec, params.PayloadType = audio.ALaw, 8
				}
				s[i].Set(params)
			}
			s[0].Bridge(s[1])
			if c.record {
				r, err := NewRecorder(&nowhere{})
				if err != nil {
					b.Fatal(err)
				}
				defer r.Close()
				s[0].Record("", r)
			}
			buf := make([]byte, maxDatagram)
			now := e.epoch
			relayBench(b, s[0].port, func(count int) {
				for range count {
					n, from, err := s[0].rtp.ReadFromUDPAddrPort(buf)
					if err != nil {
						b.Fatal(err)
					}
					_ = time.Now() // for its price: packets come faster than they would
					now = now.Add(period)
					s[0].receive(buf[:n], unmapped(from), now)
				}
			})
			if n := s[1].Stats().PacketsSent; n < uint64(b.N) {
				b.Errorf("%d packets of %d were relayed", n, b.N)
			}
		})
	}
}

// nowhere is a file that keeps nothing.
type nowhere struct{}

func (*nowhere) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }

// TestRelayAllocates: neither what is relayed nor what is recorded, mixed or played
// costs the garbage collector anything.
func TestRelayAllocates(t *testing.T) {
	e := still()
	var s [3]*Session
	for i := range s {
		s[i] = e.session(nil)
		s[i].out.wire = &discard{}
		s[i].Set(Params{Remote: netip.AddrPortFrom(loopback, uint16(1000+i)), Codec: []audio.Encoding{audio.MuLaw, audio.ALaw}[i%2], Events: 101, Send: true, Receive: true})
	}
	r := &Recorder{start: e.epoch}
	r.channels[0], r.channels[1] = newWindow(recordWindow, 0), newWindow(recordWindow, 0)
	f := &far{}
	now := e.epoch
	packet := f.next(0, false, 0, make([]byte, frame))
	next := func() {
		now = now.Add(period)
		f.sequence++
		f.timestamp += uint32(frame)
		binary.BigEndian.PutUint16(packet[2:], f.sequence)
		binary.BigEndian.PutUint32(packet[4:], f.timestamp)
		packet[1] = 0
		s[0].receive(packet, s[0].in.p.Remote, now)
		copy(packet[8:12], []byte{0, 0, 0, 0})
	}
	check := func(what string, run func()) {
		run()
		if n := testing.AllocsPerRun(200, run); n > 0 {
			t.Errorf("%s: %v allocations for each packet", what, n)
		}
	}
	s[0].Bridge(s[1])
	check("relay", next)
	s[0].Record("", r)
	s[1].Record("", r)
	check("recorded relay", next)
	s[0].Bridge(s[2])
	check("mix", func() { next(); s[0].bridge.tick(now, 0) })
	s[0].Play(1, []*audio.Clip{clip(440, time.Second)}, true)
	check("prompt", func() { now = now.Add(period); s[0].tick(now, 0) })
	if s[1].out.wire.(*discard).packets < 300 || s[0].out.wire.(*discard).packets < 100 {
		t.Error("nothing was sent")
	}
}

// BenchmarkTick is a packet of a prompt without the socket's part.
func BenchmarkTick(b *testing.B) {
	e := still()
	s := e.session(nil)
	s.out.wire = &discard{}
	s.Set(Params{Remote: netip.AddrPortFrom(loopback, 1000), Send: true, Receive: true})
	s.Play(1, []*audio.Clip{clip(440, time.Second)}, true)
	now := e.epoch
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(period)
		s.out.nextReport = now.Add(time.Hour)
		s.tick(now, 0)
	}
}

// BenchmarkMix is 20 ms of a bridge of three without the sockets' part.
func BenchmarkMix(b *testing.B) {
	e := still()
	var s [3]*Session
	for i := range s {
		s[i] = e.session(nil)
		s[i].out.wire = &discard{}
		s[i].Set(Params{Remote: netip.AddrPortFrom(loopback, uint16(1000+i)), Send: true, Receive: true})
		s[0].Bridge(s[i])
	}
	f := &far{}
	now := e.epoch
	b.ReportAllocs()
	payload := make([]byte, frame)
	for b.Loop() {
		now = now.Add(period)
		f.timestamp += uint32(frame)
		s[0].receive(f.next(0, false, f.timestamp, payload), s[0].in.p.Remote, now)
		s[0].bridge.tick(now, 0)
	}
}

// BenchmarkOpen is a session opened and closed.
func BenchmarkOpen(b *testing.B) {
	e := newEngine(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		s, err := e.Open(func(Event) {})
		if err != nil {
			b.Fatal(err)
		}
		s.Close()
	}
}

// spent is the processor time of this process.
func spent() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// load are telephones that talk to sessions: a few sockets stand for many.
type load struct {
	conns []*net.UDPConn
	ports []int // of sessions, each spoken to by conns[i%len(conns)]
	mu    sync.Mutex
	late  []time.Duration
	wg    sync.WaitGroup
}

const loadSockets = 8

func newLoad(b *testing.B) *load {
	b.Helper()
	l := &load{}
	for range loadSockets {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.SetReadBuffer(4 << 20); err != nil {
			b.Fatal(err)
		}
		l.conns = append(l.conns, c)
		l.wg.Go(func() {
			buf := make([]byte, 2048)
			var late []time.Duration
			for {
				n, _, err := c.ReadFromUDPAddrPort(buf)
				if err != nil {
					break
				}
				// The payload begins with the moment it was sent.
				if n == headerSize+frame && binary.BigEndian.Uint64(buf[12:]) != 0xFFFFFFFFFFFFFFFF {
					late = append(late, time.Since(time.Unix(0, int64(binary.BigEndian.Uint64(buf[12:])))))
				}
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			l.late = append(l.late, late...)
		})
	}
	return l
}

func (l *load) address(i int) netip.AddrPort {
	return unmapped(l.conns[i%loadSockets].LocalAddr().(*net.UDPAddr).AddrPort())
}

// talk sends 50 packets a second to each port, spread over the 20 ms.
func (l *load) talk(d time.Duration) (count int) {
	fars := make([]far, len(l.ports))
	payload := make([]byte, frame)
	begin := time.Now()
	const parts = 20
	for step := 0; time.Since(begin) < d; step++ {
		for i := step % parts; i < len(l.ports); i += parts {
			f := &fars[i]
			f.ssrc = uint32(i)
			f.timestamp += uint32(frame)
			binary.BigEndian.PutUint64(payload, uint64(time.Now().UnixNano()))
			b := f.next(0, false, f.timestamp, payload)
			l.conns[i%loadSockets].WriteToUDPAddrPort(b, netip.AddrPortFrom(loopback, uint16(l.ports[i])))
			count++
		}
		<-time.After(time.Until(begin.Add(time.Duration(step+1) * period / parts)))
	}
	return count
}

func (l *load) close() {
	<-time.After(200 * time.Millisecond) // what is under way
	for _, c := range l.conns {
		c.Close()
	}
	l.wg.Wait()
}

// report reports how late packets came, how many did not, and what each cost.
func (l *load) report(b *testing.B, count int, cpu time.Duration) {
	b.Helper()
	slices.Sort(l.late)
	at := func(q float64) float64 {
		return float64(l.late[int(q*float64(len(l.late)-1))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(at(0.999), "p99.9-ms")
	b.ReportMetric(100*float64(count-len(l.late))/float64(count), "%lost")
	b.ReportMetric(float64(cpu.Microseconds())/float64(count), "cpu-µs/packet")
}

// talkFor is how long the benchmarks of calls last; run them with -benchtime 1x.
const talkFor = 10 * time.Second

// BenchmarkCalls bridges 500 calls, whose 1,000 far sides send 50 packets a second
// each, from the same process: its processor time is that of all three.
func BenchmarkCalls(b *testing.B) {
	for _, kind := range []string{"bare", "bridged", "recorded"} {
		b.Run(kind, func(b *testing.B) {
			for range b.N {
				l := newLoad(b)
				var stop func()
				if kind == "bare" {
					stop = bareCalls(b, l)
				} else {
					stop = bridgedCalls(b, l, kind == "recorded")
				}
				before := spent()
				count := l.talk(talkFor)
				cpu := spent() - before
				l.close()
				stop()
				l.report(b, count, cpu)
			}
		})
	}
}

const benchCalls = 500

func bridgedCalls(b *testing.B, l *load, record bool) (stop func()) {
	b.Helper()
	e := newEngine(b, nil)
	var recorders []*Recorder
	var last *Session
	for i := range 2 * benchCalls {
		s, err := e.Open(func(Event) {})
		if err != nil {
			b.Fatal(err)
		}
		s.Set(Params{Remote: l.address(i), Events: 101, Send: true, Receive: true})
		l.ports = append(l.ports, s.Port())
		if i%2 == 1 {
			s.Bridge(last)
		} else if record {
			r, err := NewRecorder(&nowhere{})
			if err != nil {
				b.Fatal(err)
			}
			recorders = append(recorders, r)
			s.Record("", r)
		}
		last = s
	}
	return func() {
		e.Close()
		for _, r := range recorders {
			r.Close()
		}
	}
}

// bareCalls does the same with sockets alone.
func bareCalls(b *testing.B, l *load) (stop func()) {
	b.Helper()
	p, err := newPool(loopback, 20000, 29999, 0)
	if err != nil {
		b.Fatal(err)
	}
	var lines []line
	for range 2 * benchCalls {
		got, err := p.take(time.Now())
		if err != nil {
			b.Fatal(err)
		}
		lines = append(lines, got)
		l.ports = append(l.ports, got.port)
	}
	var wg sync.WaitGroup
	for i, in := range lines {
		out, to := lines[i^1], l.address(i^1)
		wg.Go(func() {
			buf := make([]byte, maxDatagram)
			for {
				n, _, err := in.rtp.ReadFromUDPAddrPort(buf)
				if err != nil {
					return
				}
				out.rtp.WriteToUDPAddrPort(buf[:n], to)
			}
		})
	}
	return func() {
		for _, in := range lines {
			in.close()
		}
		wg.Wait()
	}
}

// BenchmarkPrompts plays to 1,000 far sides, which are sockets in this process that
// read what comes: their part is measured with it.
func BenchmarkPrompts(b *testing.B) {
	for _, kind := range []string{"playing", "silent"} {
		b.Run(kind, func(b *testing.B) {
			for range b.N {
				l := newLoad(b)
				e := newEngine(b, nil)
				music := []*audio.Clip{clip(440, time.Second)}
				for i := range 1000 {
					s, err := e.Open(func(Event) {})
					if err != nil {
						b.Fatal(err)
					}
					if kind == "playing" {
						s.Play(1, music, true)
					}
					s.Set(Params{Remote: l.address(i), Send: true, Receive: true})
				}
				before := spent()
				<-time.After(talkFor)
				b.ReportMetric(float64(spent()-before)/float64(talkFor), "cores")
				l.close()
				e.Close()
			}
		})
	}
}
