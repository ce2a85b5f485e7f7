package sip

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// certificate makes one for a name, and the pool that trusts it.
func certificate(t testing.TB, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestBetweenEndpoints makes calls from one endpoint to another by each transport;
// over connections, all by the same one.
func TestBetweenEndpoints(t *testing.T) {
	cert, pool := certificate(t, "127.0.0.1")
	for _, transport := range []string{"udp", "tcp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			conf := &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: pool, MinVersion: tls.VersionTLS12}
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
				e.net.mu.Lock()
				if n := len(e.net.streams); n != 1 {
					t.Errorf("%d connections", n)
				}
				e.net.mu.Unlock()
			}
		})
	}
}

// TestTLSName: a server whose certificate is not of its name is not called.
func TestTLSName(t *testing.T) {
	for _, name := range []string{"127.0.0.2", "127.0.0.1"} {
		cert, pool := certificate(t, name)
		conf := &tls.Config{Certificates: []tls.Certificate{cert}, RootCAs: pool, MinVersion: tls.VersionTLS12}
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

// TestConnection is what connections bring: messages in pieces and several at once,
// keep-alives, and things that end them.
func TestConnection(t *testing.T) {
	e := listening(t, Options{Trunks: []Trunk{{Name: "a", Sources: loopback}}})
	options := func(n int) string {
		return msg("OPTIONS sip:a@127.0.0.1 SIP/2.0", fmt.Sprintf("Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK%d;rport", n),
			"From: <sip:b@127.0.0.1>;tag=1", "To: <sip:a@127.0.0.1>", fmt.Sprintf("Call-ID: %d", n), "CSeq: 1 OPTIONS")
	}
	one := options(1)
	for i, c := range []struct {
		name   string
		pieces []string
		want   []string // that lines begin with, in order
		closed bool
	}{
		{"whole", []string{one}, []string{"SIP/2.0 200"}, false},
		{"in pieces", []string{one[:5], one[5:60], one[60 : len(one)-2], one[len(one)-2:]}, []string{"SIP/2.0 200"}, false},
		{"several", []string{one + options(2) + "\r\n" + options(3)}, []string{"SIP/2.0 200", "SIP/2.0 200", "SIP/2.0 200"}, false},
		{"one and a half", []string{one + options(2)[:50], options(2)[50:]}, []string{"SIP/2.0 200", "SIP/2.0 200"}, false},
		{"a keep-alive", []string{"\r\n\r\n", one}, []string{"", "SIP/2.0 200"}, false},
		{"space around", []string{"\r\n" + one + "\r\n", "\r\n" + options(2)}, []string{"SIP/2.0 200", "SIP/2.0 200"}, false},
		{"noise", []string{"hello? is it me\r\n\r\n"}, nil, true},
		{"no length", []string{strings.Replace(one, "Content-Length: 0\r\n", "", 1)}, nil, true},
		{"too long", []string{strings.Replace(one, "Content-Length: 0", "Content-Length: 9999999", 1)}, nil, true},
		{"an endless line", []string{"OPTIONS " + strings.Repeat("x", 70000)}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", e.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
			for _, p := range c.pieces {
				// Each connection has transactions of its own.
				p = strings.ReplaceAll(p, "branch=z9hG4bK", fmt.Sprintf("branch=z9hG4bK.%d.", i))
				if _, err := io.WriteString(conn, p); err != nil && !c.closed {
					t.Fatal(err)
				}
			}
			in := bufio.NewReader(conn)
			for _, want := range c.want {
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						t.Fatalf("want %q: %v", want, err)
					}
					if want == "" && line == "\r\n" || want != "" && strings.HasPrefix(line, want) {
						break
					}
				}
			}
			if c.closed {
				if n, err := in.Read(make([]byte, 1)); err == nil || n > 0 {
					t.Errorf("read %d, %v", n, err)
				} else if nerr := net.Error(nil); errors.As(err, &nerr) && nerr.Timeout() {
					t.Error("the connection is still there")
				}
			}
		})
	}
}

// TestConnectionStranger: who is on no trunk is hung up at once.
func TestConnectionStranger(t *testing.T) {
	e := listening(t, Options{Trunks: []Trunk{{Name: "a", Sources: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}})
	conn, err := net.Dial("tcp", e.Addr().String())
	if err != nil {
		return // it was hung up before the call was through
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = conn.Read(make([]byte, 1))
	if nerr := net.Error(nil); err == nil || errors.As(err, &nerr) && nerr.Timeout() {
		t.Errorf("got %v", err)
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

// TestResolver is where URIs lead.
func TestResolver(t *testing.T) {
	r := newResolver(time.Now)
	asked := 0
	r.hosts = func(_ context.Context, host string) ([]netip.Addr, error) {
		asked++
		switch strings.ToLower(host) {
		case "sip.example.com", "second.example.com":
			return []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.7")}, nil
		case "six.example.com":
			return []netip.Addr{netip.MustParseAddr("2001:db8::1")}, nil
		}
		return nil, errors.New("no such host")
	}
	r.servers = func(_ context.Context, service, proto, name string) ([]*net.SRV, error) {
		if name == "srv.example.com" {
			return []*net.SRV{{Target: "second.example.com.", Port: map[string]uint16{"sip/udp": 5070, "sip/tcp": 5071, "sips/tcp": 5072}[service+"/"+proto]}}, nil
		}
		return nil, errors.New("no such service")
	}
	for uri, want := range map[string]string{
		"sip:a@192.0.2.9":                             "UDP 192.0.2.9:5060",
		"sip:a@192.0.2.9:5070;transport=TCP":          "TCP 192.0.2.9:5070",
		"sips:a@192.0.2.9":                            "TLS 192.0.2.9:5061",
		"sip:a@192.0.2.9;transport=tls":               "TLS 192.0.2.9:5061",
		"sip:a@[2001:db8::9]:5070":                    "UDP [2001:db8::9]:5070",
		"sip:a@host.example.com;maddr=192.0.2.8":      "UDP 192.0.2.8:5060",
		"sip:a@sip.example.com":                       "UDP 192.0.2.7:5060 sip.example.com",
		"sip:a@SIP.example.com":                       "UDP 192.0.2.7:5060 SIP.example.com",
		"sip:a@six.example.com":                       "UDP [2001:db8::1]:5060 six.example.com",
		"sip:a@srv.example.com":                       "UDP 192.0.2.7:5070 srv.example.com",
		"sip:a@srv.example.com;transport=tcp":         "TCP 192.0.2.7:5071 srv.example.com",
		"sips:a@srv.example.com":                      "TLS 192.0.2.7:5072 srv.example.com",
		"sip:a@srv.example.com:5090":                  "",
		"sip:a@none.example.com":                      "",
		"sip:a@0.0.0.0":                               "",
		"sip:a@224.0.0.1":                             "",
		"tel:+15550100":                               "",
		"sip:a@192.0.2.9;transport=sctp":              "",
		"sips:a@192.0.2.9;transport=udp":              "",
		"sip:a@192.0.2.9:99999":                       "",
		"sip:a@[2001:db8::1]:5060;lr;transport=tcp;x": "TCP [2001:db8::1]:5060",
	} {
		var u sip.Uri
		if err := sip.ParseUri(uri, &u); err != nil {
			t.Fatalf("%s: %v", uri, err)
		}
		h, err := r.resolve(t.Context(), &u)
		got := ""
		if err == nil {
			got = strings.TrimSpace(h.proto.String() + " " + h.addr.String() + " " + h.name)
		}
		if !strings.EqualFold(got, want) {
			t.Errorf("%s leads to %q (%v), want %q", uri, got, err, want)
		}
	}
	before := asked
	var u sip.Uri
	_ = sip.ParseUri("sip:b@sip.example.com", &u)
	if _, err := r.resolve(t.Context(), &u); err != nil || asked != before {
		t.Errorf("asked again: %v", err)
	}
}
