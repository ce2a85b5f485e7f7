package wire

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
)

// Here is how this side is reached by who is at a hop, for Via (RFC 3261 §18.1.1) and
// Contact: as advertised, HOST or HOST:PORT, else the address of the socket. When
// that is any address, it is the one that the system would send from.
func (n *Network) Here(advertise string, to Hop) (host string, port int) {
	port = int(n.Addr(to.Proto).Port())
	if port == 0 { // TLS out without TLS in
		port = int(n.Addr(TCP).Port())
	}
	if advertise != "" {
		if h, p, err := net.SplitHostPort(advertise); err == nil {
			if n, err := strconv.ParseUint(p, 10, 16); err == nil {
				return strings.Trim(h, "[]"), int(n)
			}
		}
		return strings.Trim(advertise, "[]"), port
	}
	a := n.Addr(UDP).Addr()
	if a.IsUnspecified() {
		a = n.local.toward(to.Addr.Addr())
	}
	return a.String(), port
}

// locals are the addresses that the system sends from, by where it sends to.
type locals struct {
	mu    sync.Mutex
	known map[netip.Addr]netip.Addr
}

// toward is the address that reaches another. Connecting a datagram socket sends
// nothing.
func (l *locals) toward(to netip.Addr) netip.Addr {
	l.mu.Lock()
	defer l.mu.Unlock()
	if a, ok := l.known[to]; ok {
		return a
	}
	if l.known == nil || len(l.known) > resolveLimit {
		l.known = map[netip.Addr]netip.Addr{}
	}
	a := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 9)))
	if err == nil {
		a = addrPort(conn.LocalAddr()).Addr().WithZone("")
		_ = conn.Close()
	}
	l.known[to] = a
	return a
}
