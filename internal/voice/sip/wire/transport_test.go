package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
)

// msg writes a message without a body.
func msg(lines ...string) string {
	return strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
}

// options is OPTIONS with a number of its own.
func options(n int) string {
	return msg("OPTIONS sip:a@127.0.0.1 SIP/2.0", fmt.Sprintf("Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK%d;rport", n),
		"From: <sip:b@127.0.0.1>;tag=1", "To: <sip:a@127.0.0.1>", "Call-ID: "+strconv.Itoa(n), "CSeq: 1 OPTIONS")
}

// reply is the answer to a request.
func reply(req *sip.Request, status int) *sip.Response {
	res := sip.NewResponse(status, "Text")
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		for _, v := range Fields(req, name) {
			res.AppendHeader(sip.NewHeader(name, v))
		}
	}
	res.SetBody(nil)
	return res
}

// serving is a network on real sockets that answers each request with 200.
func serving(t *testing.T, admit func(netip.AddrPort) bool) *Network {
	t.Helper()
	s, err := Listen(t.Context(), "127.0.0.1:0", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, s, admit)
}

// serve is serving on sockets that are there.
func serve(t *testing.T, s Sockets, admit func(netip.AddrPort) bool) *Network {
	t.Helper()
	var tx *Transactions
	n := NewNetwork(s, nil, slog.New(slog.DiscardHandler), Upper{Admit: admit, Receive: func(m sip.Message, from Flow) {
		req, ok := m.(*sip.Request)
		if !ok {
			return
		}
		if st, fresh := tx.Server(req, from); fresh {
			_ = st.Respond(reply(req, 200))
		}
	}})
	tx = NewTransactions(n, DefaultTimers)
	n.Serve()
	t.Cleanup(func() {
		tx.Close()
		n.Close()
		tx.Close()
		n.Close()
	})
	return n
}

func all(netip.AddrPort) bool { return true }

func connect(t *testing.T, n *Network) (net.Conn, error) {
	t.Helper()
	var d net.Dialer
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", n.Addr(TCP).String())
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { _ = conn.Close() })
	return conn, nil
}

// TestConnection is what connections bring: messages in pieces and several at once,
// keep-alives, and things that end them.
func TestConnection(t *testing.T) {
	n := serving(t, all)
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
			conn, err := connect(t, n)
			if err != nil {
				t.Fatal(err)
			}
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
				hungUp(t, in)
			}
		})
	}
}

// hungUp fails unless a connection is ended by the far side, without another word.
func hungUp(t *testing.T, conn io.Reader) {
	t.Helper()
	if n, err := conn.Read(make([]byte, 1)); err == nil || n > 0 {
		t.Errorf("read %d, %v", n, err)
	} else if nerr := net.Error(nil); errors.As(err, &nerr) && nerr.Timeout() {
		t.Error("the connection is still there")
	}
}

// TestConnectionStranger: who may not be heard is hung up at once.
func TestConnectionStranger(t *testing.T) {
	n := serving(t, func(netip.AddrPort) bool { return false })
	conn, err := connect(t, n)
	if err != nil {
		return // it was hung up before the call was through
	}
	hungUp(t, conn)
}

// TestConnectionAdmitted: each message on a connection is asked for, and not taken when
// there are too many.
func TestConnectionAdmitted(t *testing.T) {
	asked := 0 // on one goroutine after the other
	n := serving(t, func(netip.AddrPort) bool {
		asked++ // 1 is the connection
		return asked != 3
	})
	conn, err := connect(t, n)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, options(1)+options(2)+options(3)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	var got []string
	for len(got) < 2 {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := strings.CutPrefix(line, "Call-ID: "); ok {
			got = append(got, strings.TrimSpace(id))
		}
	}
	if strings.Join(got, " ") != "1 3" {
		t.Errorf("answered %v, want 1 and 3", got)
	}
}

// TestConnectionsOfOne: one address does not take all connections.
func TestConnectionsOfOne(t *testing.T) {
	n := serving(t, all)
	n.mu.Lock()
	for i := range streamsOfHost {
		n.streams[streamKey{TCP, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(i))}] = nil
	}
	n.mu.Unlock()
	if conn, err := connect(t, n); err == nil {
		hungUp(t, conn)
	}
	n.mu.Lock()
	clear(n.streams)
	n.mu.Unlock()
	conn, err := connect(t, n)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, options(1)); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.HasPrefix(line, "SIP/2.0 200") {
		t.Errorf("%q, %v", line, err)
	}
}

// failing is a socket and a listener that fail for a while, then bring one datagram or
// one connection.
type failing struct {
	failures int
	in       chan net.Conn
	closed   chan struct{}
}

var errMemory = errors.New("no buffer space available")

func (f *failing) next() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		return nil, errMemory
	}
	select {
	case c := <-f.in:
		return c, nil
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

func (f *failing) Accept() (net.Conn, error) { return f.next() }

func (f *failing) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	_, err := f.next()
	return copy(b, options(1)), netip.MustParseAddrPort("192.0.2.2:5060"), err
}

func (f *failing) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) { return len(b), nil }
func (f *failing) LocalAddr() net.Addr                                        { return &net.UDPAddr{} }

func (f *failing) Addr() net.Addr { return &net.TCPAddr{} }

func (f *failing) Close() error {
	select {
	case <-f.closed:
	default:
		close(f.closed)
	}
	return nil
}

// TestFailures: sockets that cannot be read for a while are read again afterwards, and
// are closed without delay while they fail.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := func(n int) *failing {
			return &failing{failures: n, in: make(chan net.Conn, 1), closed: make(chan struct{})}
		}
		udp, tcp := fail(200), fail(200)
		heard := make(chan Proto, 2)
		begin := time.Now()
		n := NewNetwork(Sockets{UDP: udp, TCP: tcp}, nil, slog.New(slog.DiscardHandler), Upper{
			Admit: all, Receive: func(_ sip.Message, from Flow) { heard <- from.Proto },
		})
		n.Serve()
		udp.in <- nil
		there, here := net.Pipe()
		tcp.in <- here
		if _, err := io.WriteString(there, options(1)); err != nil {
			t.Fatal(err)
		}
		if a, b := <-heard, <-heard; a == b {
			t.Errorf("heard twice by %v", a)
		}
		if d := time.Since(begin); d < time.Minute {
			t.Errorf("200 failures took %v", d)
		}
		n.Close()

		n = NewNetwork(Sockets{UDP: fail(1 << 30)}, nil, slog.New(slog.DiscardHandler), Upper{Admit: all})
		n.Serve()
		<-time.After(time.Hour)
		begin = time.Now()
		n.Close()
		if d := time.Since(begin); d != 0 {
			t.Errorf("closing took %v", d)
		}
	})
}

// TestSilence: who makes a connection and says nothing is hung up; to whom this side has
// made one may take its time.
func TestSilence(t *testing.T) {
	for _, c := range []struct {
		name string
		ours bool
	}{{"from there", false}, {"from here", true}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				heard := make(chan sip.Message, 1)
				n := NewNetwork(Sockets{}, nil, slog.New(slog.DiscardHandler), Upper{
					Admit: all, Receive: func(m sip.Message, _ Flow) { heard <- m },
				})
				there, here := net.Pipe()
				n.mu.Lock()
				s := n.newStream(streamKey{TCP, netip.MustParseAddrPort("192.0.2.2:5060")})
				s.ours = c.ours
				n.mu.Unlock()
				n.wg.Go(func() { s.serve(here) })
				<-time.After(2 * headTime)
				_, err := io.WriteString(there, options(1))
				if !c.ours {
					if err == nil {
						t.Error("it is still heard")
					}
				} else if err != nil {
					t.Error(err)
				} else {
					<-heard
					// But not when it has begun.
					if _, err := io.WriteString(there, options(2)[:40]); err != nil {
						t.Error(err)
					}
					<-time.After(2 * headTime)
					if _, err := io.WriteString(there, options(2)[40:]); err == nil {
						t.Error("a message may take for ever")
					}
				}
				n.Close()
			})
		})
	}
}

// TestSentBy: what an answer could not repeat is not answered, in whichever Via.
func TestSentBy(t *testing.T) {
	for _, c := range []struct {
		vias  []string
		taken bool
	}{
		{[]string{"192.0.2.2:5060"}, true},
		{[]string{"   192.0.2.2"}, true},
		{[]string{"[2001:db8::1]:5060"}, true},
		{[]string{"  [2001:db8::1]:5060"}, true},
		{[]string{"pbx-1.example.com", "inner_host:5070"}, true},
		{[]string{" [192.0.2.2:5060"}, false},
		{[]string{" 192.0.2.2]:5060"}, false},
		{[]string{"  [192.0.2.2]:5060"}, false},
		{[]string{"2001:db8::1"}, false},
		{[]string{"a b:5060"}, false},
		{[]string{"pbx-1.example.com", " [192.0.2.2:5060"}, false},
	} {
		text := "OPTIONS sip:a@b SIP/2.0\r\n"
		for _, via := range c.vias {
			text += "Via: SIP/2.0/UDP " + via + ";branch=z9hG4bKx\r\n"
		}
		text += "From: <sip:a@b>;tag=1\r\nTo: <sip:b@c>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
		taken := false
		n := NewNetwork(Sockets{}, nil, slog.New(slog.DiscardHandler), Upper{
			Admit: all, Receive: func(sip.Message, Flow) { taken = true },
		})
		n.packet([]byte(text), netip.MustParseAddrPort("192.0.2.2:5060"))
		n.Close()
		if taken != c.taken {
			t.Errorf("%q: taken %v, want %v", c.vias, taken, c.taken)
		}
	}
}
