//go:build linux

package dscp_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"

	"ringdown/internal/prerequisite"
	"ringdown/internal/voice/dscp"
)

// TestMark reads marks back from sockets of each kind.
func TestMark(t *testing.T) {
	for _, c := range []struct {
		network, address string
		four, six        bool
	}{
		{"udp4", "127.0.0.1:0", true, false},
		{"udp6", "[::1]:0", true, true}, // it could take both kinds of packets
	} {
		t.Run(c.network+" "+c.address, func(t *testing.T) {
			p, err := new(net.ListenConfig).ListenPacket(t.Context(), c.network, c.address)
			if errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) {
				prerequisite.Missing(t, "this machine has no IPv6")
			}
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			conn := p.(*net.UDPConn)
			if four, six := dscp.Of(conn); four > 0 || six > 0 {
				t.Fatalf("the socket is marked %d and %d from the start", four, six)
			}
			if err := dscp.Voice.Mark(conn); err != nil {
				t.Fatal(err)
			}
			four, six := dscp.Of(conn)
			if c.four && four != 46 || c.six && six != 46 {
				t.Errorf("the marks are %d (IPv4) and %d (IPv6), not 46", four, six)
			}
		})
	}
}

// TestControl marks a connection that is made.
func TestControl(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	d := net.Dialer{Control: dscp.Signaling.Control}
	conn, err := d.DialContext(context.WithoutCancel(t.Context()), "tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if four, _ := dscp.Of(conn.(*net.TCPConn)); four != 24 {
		t.Errorf("the mark is %d, not 24", four)
	}
}

// TestMarkClosed: what cannot be marked is told.
func TestMarkClosed(t *testing.T) {
	p, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Close()
	if err := dscp.Voice.Mark(p.(*net.UDPConn)); err == nil {
		t.Error("a closed socket was marked")
	}
}
