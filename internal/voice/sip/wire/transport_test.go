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
func serving(t *testing.T, admit func(netip.AddrPort, bool) bool) *Network {
	t.Helper()
	s, err := Listen(t.Context(), "127.0.0.1:0", "", nil)
	if err != nil {
		t.Fatal(err)
	}
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

func all(netip.AddrPort, bool) bool { return true }

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
	n := serving(t, func(netip.AddrPort, bool) bool { return false })
	conn, err := connect(t, n)
	if err != nil {
		return // it was hung up before the call was through
	}
	hungUp(t, conn)
}
