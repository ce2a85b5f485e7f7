package sip

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/certtest"
	"ringdown/internal/voice/sip/wire"

	"github.com/emiago/sipgo/sip"
)

// loopback is an address range of trunks on this machine.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// listening opens an endpoint on real sockets.
func listening(t testing.TB, o Options) *Endpoint {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	e, err := Listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// TestBetweenEndpoints makes calls from one endpoint to another by each transport;
// over connections, all by the same one.
func TestBetweenEndpoints(t *testing.T) {
	cert := certtest.New(t, certtest.Options{})
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			conf := &tls.Config{Certificates: []tls.Certificate{cert.TLS()}, RootCAs: cert.Pool(), MinVersion: tls.VersionTLS12}
			const calls = 5
			var there sync.WaitGroup
			there.Add(calls)
			b := listening(t, Options{
				ListenTLS: "127.0.0.1:0", TLS: conf, Trunks: []Trunk{{Name: "a", Sources: loopback}},
				Incoming: func(c *Call) {
					c.Ring()
					c.Answer(&fakeMedia{}, func(ev Event) {
						switch ev.Kind {
						case Confirmed:
							c.Reinvite()
						case Ended:
							there.Done()
						}
					})
				},
			})
			address := fmt.Sprintf("sip:%s;transport=%s", b.Addr(), transport)
			if transport == "tls" {
				address = "sips:" + b.AddrTLS().String()
			}
			a := listening(t, Options{TLS: conf, Trunks: []Trunk{{Name: "b", Address: address}}})
			for range calls {
				ears := newEars()
				c, err := a.Dial(Invitation{Trunk: "b", To: "1", From: "2", Media: ears.media, Hear: ears.hear})
				if err != nil {
					t.Fatal(err)
				}
				ears.want(t, Ringing, Answered)
				c.Info("5")
				for len(ears.media.has(&ears.media.answers)) == 0 { // the far side has offered again
					runtime.Gosched()
				}
				c.Hangup()
				ears.over(t, HungUpHere, 0)
			}
			there.Wait()
			if transport == "udp" {
				return
			}
			for _, e := range []*Endpoint{a, b} {
				if n := e.net.Connections(); n != 1 {
					t.Errorf("%d connections", n)
				}
			}
		})
	}
}

// TestTLSName: a server whose certificate is not of its name is not called.
func TestTLSName(t *testing.T) {
	for _, name := range []string{"127.0.0.2", "127.0.0.1"} {
		cert := certtest.New(t, certtest.Options{Names: []string{name}})
		conf := &tls.Config{Certificates: []tls.Certificate{cert.TLS()}, RootCAs: cert.Pool(), MinVersion: tls.VersionTLS12}
		b := listening(t, Options{ListenTLS: "127.0.0.1:0", TLS: conf, Trunks: []Trunk{{Name: "a", Sources: loopback}}})
		a := listening(t, Options{TLS: conf, Trunks: []Trunk{{Name: "b", Address: "sips:" + b.AddrTLS().String()}}})
		ears := newEars()
		if _, err := a.Dial(Invitation{Trunk: "b", To: "1", Media: ears.media, Hear: ears.hear}); err != nil {
			t.Fatal(err)
		}
		cause, status := Failed, 0
		if name == "127.0.0.1" {
			cause, status = Refused, 480
		}
		ears.over(t, cause, status)
	}
}

func TestListenFails(t *testing.T) {
	taken := listening(t, Options{})
	for name, o := range map[string]Options{
		"taken":               {Listen: taken.Addr().String()},
		"no port":             {Listen: "127.0.0.1"},
		"no certificate":      {Listen: "127.0.0.1:0", ListenTLS: "127.0.0.1:0"},
		"two of a name":       {Listen: "127.0.0.1:0", Trunks: []Trunk{{Name: "a"}, {Name: "a"}}},
		"no address":          {Listen: "127.0.0.1:0", Trunks: []Trunk{{Name: "a", Address: "sip:"}}},
		"no such transport":   {Listen: "127.0.0.1:0", Trunks: []Trunk{{Name: "a", Address: "sip:b;transport=sctp"}}},
		"sips over datagrams": {Listen: "127.0.0.1:0", Trunks: []Trunk{{Name: "a", Address: "sips:b;transport=udp"}}},
	} {
		if e, err := Listen(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
			_ = e.Close()
		}
	}
}

// TestManyCalls: many calls leave nothing behind but transactions that wait for what
// may come again.
func TestManyCalls(t *testing.T) {
	calls := 3000
	if testing.Short() || raceEnabled {
		calls = 300
	}
	manyCalls(t, calls)
}

// manyCalls makes calls between two endpoints, as fast as it goes.
func manyCalls(t testing.TB, calls int) {
	var there sync.WaitGroup
	there.Add(calls)
	b := listening(t, Options{
		Limits: Limits{Invites: 1 << 20, Messages: 1 << 20}, Trunks: []Trunk{{Name: "a", Sources: loopback}},
		Incoming: func(c *Call) {
			c.Answer(&fakeMedia{}, func(ev Event) {
				if ev.Kind == Ended {
					there.Done()
				}
			})
		},
	})
	a := listening(t, Options{Limits: Limits{Invites: 1 << 20, Messages: 1 << 20}, Trunks: []Trunk{{Name: "b", Address: "sip:" + b.Addr().String()}}})
	before := runtime.NumGoroutine()
	var m0 runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m0)
	var wrong atomic.Int64
	slots := make(chan struct{}, 50)
	var here sync.WaitGroup
	begin := time.Now()
	for range calls {
		slots <- struct{}{}
		here.Add(1)
		ready := make(chan *Call, 1)
		c, err := a.Dial(Invitation{Trunk: "b", To: "1", From: "2", Media: &fakeMedia{}, Hear: func(ev Event) {
			switch ev.Kind {
			case Answered:
				(<-ready).Hangup()
			case Ended:
				if ev.Cause != HungUpHere {
					wrong.Add(1)
				}
				<-slots
				here.Done()
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		ready <- c
	}
	here.Wait()
	there.Wait()
	took := time.Since(begin)
	var m1 runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m1)
	t.Logf("heap %d MB, %d B a side", m1.HeapAlloc>>20, int(m1.HeapAlloc-m0.HeapAlloc)/calls/2)
	t.Logf("%d calls in %v: %.0f a second", calls, took, float64(calls)/took.Seconds())
	if n := wrong.Load(); n > 0 {
		t.Errorf("%d calls went wrong", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, e := range []*Endpoint{a, b} {
		e.Drain(ctx)
		select {
		case <-e.quiet(true):
		case <-ctx.Done():
			t.Error("calls are left")
		}
		e.mu.Lock()
		if n := len(e.dialogs) + len(e.merged) + len(e.busy) + e.calls; n != 0 {
			t.Errorf("%d things of calls are left", n)
		}
		e.mu.Unlock()
	}
	for runtime.NumGoroutine() > before {
		if ctx.Err() != nil {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
}

// BenchmarkCalls is a call between two endpoints on this machine, made and hung up.
func BenchmarkCalls(b *testing.B) {
	b.ReportAllocs()
	manyCalls(b, b.N)
}

// messages takes what comes over a connection, one after the other.
func messages(t *testing.T, conn net.Conn) func() sip.Message {
	in := wire.NewParser().NewSIPStream()
	t.Cleanup(func() { in.Close() })
	return func() sip.Message {
		t.Helper()
		buf := make([]byte, 8192)
		for {
			if in.Buffer().Len() > 0 {
				if m, _, err := in.ParseNext(); err == nil {
					return m
				}
			}
			n, err := conn.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := in.Write(buf[:n]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestEarlyUpdate: an UPDATE before the answer, over a connection, is answered with a
// Contact that leads back over one.
func TestEarlyUpdate(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e := listening(t, Options{Trunks: []Trunk{{Name: "far", Address: "sip:" + l.Addr().String() + ";transport=tcp"}}})
	ears := newEars()
	if _, err := e.Dial(Invitation{Trunk: "far", To: "1", From: "2", Media: ears.media, Hear: ears.hear}); err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	next := messages(t, conn)
	invite, ok := next().(*sip.Request)
	if !ok || invite.Method != mINVITE {
		t.Fatalf("got\n%v", invite)
	}
	update := msg("UPDATE sip:ringdown@127.0.0.1 SIP/2.0", "Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKu;rport",
		"From: <sip:1@127.0.0.1>;tag=x", "To: "+wire.Field(invite, "From"), "Call-ID: "+string(*invite.CallID()), "CSeq: 1 UPDATE")
	if _, err := io.WriteString(conn, answerText(invite, 180, "x")+update); err != nil {
		t.Fatal(err)
	}
	res, ok := next().(*sip.Response)
	if !ok || res.StatusCode != 200 {
		t.Fatalf("got\n%v", res)
	}
	if got, want := wire.Field(res, "Contact"), "<sip:ringdown@"+e.Addr().String()+";transport=tcp>"; got != want {
		t.Errorf("Contact %s, want %s", got, want)
	}
	if _, err := io.WriteString(conn, answerText(invite, 486, "x")); err != nil {
		t.Fatal(err)
	}
	ears.want(t, Ringing)
	ears.over(t, Refused, 486)
}
