//go:build linux

package wire

import (
	"io"
	"net"
	"testing"

	"ringdown/internal/voice/dscp"
)

// watched is a listener that shows the connections it has taken.
type watched struct {
	net.Listener
	taken chan net.Conn
}

func (w watched) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err == nil {
		w.taken <- conn
	}
	return conn, err
}

// TestMarked: networks are asked to let signalling go first, by datagrams and on
// connections of either side's making.
func TestMarked(t *testing.T) {
	s, err := Listen(t.Context(), "127.0.0.1:0", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	taken := make(chan net.Conn, 1)
	s.TCP = watched{s.TCP, taken}
	n := serve(t, s, all)
	if four, _ := dscp.Of(s.UDP.(*net.UDPConn)); four != dscp.Signaling {
		t.Errorf("datagrams are marked %d, not %d", four, dscp.Signaling)
	}
	conn, err := connect(t, n)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, options(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // it is served
		t.Fatal(err)
	}
	if four, _ := dscp.Of((<-taken).(*net.TCPConn)); four != dscp.Signaling {
		t.Errorf("a connection that was taken is marked %d, not %d", four, dscp.Signaling)
	}

	far, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	d := dialer()
	made, err := d.DialContext(t.Context(), "tcp", far.Addr().(*net.TCPAddr).AddrPort().String())
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	if four, _ := dscp.Of(made.(*net.TCPConn)); four != dscp.Signaling {
		t.Errorf("a connection that was made is marked %d, not %d", four, dscp.Signaling)
	}
}
