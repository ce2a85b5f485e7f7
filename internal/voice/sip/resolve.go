package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

const (
	// resolveTime is how long a name may take, resolveKeep how long it is not asked
	// for again.
	resolveTime, resolveKeep = 5 * time.Second, 30 * time.Second
	resolveLimit             = 1024
)

// resolver finds where URIs lead (RFC 3263, without NAPTR: the transport is that of
// the URI, or UDP). Of several servers it takes the first.
type resolver struct {
	now func() time.Time
	// hosts and servers look names up in DNS.
	hosts   func(ctx context.Context, host string) ([]netip.Addr, error)
	servers func(ctx context.Context, service, proto, name string) ([]*net.SRV, error)

	mu    sync.Mutex
	known map[string]resolved
}

type resolved struct {
	hop   hop
	until time.Time
}

func newResolver(now func() time.Time) *resolver {
	return &resolver{
		now: now,
		hosts: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		servers: func(ctx context.Context, service, proto, name string) ([]*net.SRV, error) {
			_, all, err := net.DefaultResolver.LookupSRV(ctx, service, proto, name)
			return all, err
		},
		known: map[string]resolved{},
	}
}

// protoOf is the transport of a URI.
func protoOf(u *sip.Uri) (proto, error) {
	transport := ""
	for _, p := range u.UriParams {
		if strings.EqualFold(p.K, "transport") {
			transport = strings.ToLower(p.V)
		}
	}
	switch {
	case u.Scheme != "sip" && u.Scheme != "sips":
		return 0, fmt.Errorf("%q is no way to call", u.Scheme)
	case transport == "tls", u.Scheme == "sips" && (transport == "" || transport == "tcp"):
		return protoTLS, nil
	case u.Scheme == "sips":
		return 0, fmt.Errorf("sips over %s is not possible", transport)
	case transport == "", transport == "udp":
		return protoUDP, nil
	case transport == "tcp":
		return protoTCP, nil
	}
	return 0, fmt.Errorf("transport %q is not known", transport)
}

// resolve finds where a URI leads. It may block for resolveTime where the host is a
// name.
func (r *resolver) resolve(ctx context.Context, u *sip.Uri) (hop, error) {
	p, err := protoOf(u)
	if err != nil {
		return hop{}, err
	}
	host := strings.Trim(u.Host, "[]")
	for _, v := range u.UriParams { // RFC 3261 §19.1.1: maddr takes the place of the host
		if strings.EqualFold(v.K, "maddr") && v.V != "" {
			host = strings.Trim(v.V, "[]")
		}
	}
	if u.Port < 0 || u.Port > 65535 || host == "" {
		return hop{}, errors.New("the address leads nowhere")
	}
	port := u.Port
	if a, err := netip.ParseAddr(host); err == nil {
		if port == 0 {
			port = defaultPort(p)
		}
		if a.IsUnspecified() || a.IsMulticast() {
			return hop{}, errors.New("the address leads nowhere")
		}
		return hop{proto: p, addr: netip.AddrPortFrom(a.Unmap(), uint16(port))}, nil
	}
	key := p.String() + " " + strings.ToLower(host) + ":" + strconv.Itoa(port)
	now := r.now()
	r.mu.Lock()
	k, ok := r.known[key]
	r.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.hop, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTime)
	defer cancel()
	h, err := r.lookup(ctx, p, host, port)
	if err != nil {
		return hop{}, fmt.Errorf("looking up %s: %w", host, err)
	}
	r.mu.Lock()
	if len(r.known) >= resolveLimit {
		clear(r.known)
	}
	r.known[key] = resolved{h, now.Add(resolveKeep)}
	r.mu.Unlock()
	return h, nil
}

// lookup asks DNS. Without a port it is SRV that is asked first (RFC 3263 §4.2).
func (r *resolver) lookup(ctx context.Context, p proto, host string, port int) (hop, error) {
	h := hop{proto: p, name: host}
	if port == 0 {
		port = defaultPort(p)
		service, over := "sip", "udp"
		switch p {
		case protoTCP:
			over = "tcp"
		case protoTLS:
			service, over = "sips", "tcp"
		case protoUDP:
		}
		if found, err := r.servers(ctx, service, over, host); err == nil && len(found) > 0 && found[0].Target != "." {
			host, port = strings.TrimSuffix(found[0].Target, "."), int(found[0].Port)
		}
	}
	addrs, err := r.hosts(ctx, host)
	if err != nil {
		return h, err
	}
	for _, four := range []bool{true, false} {
		for _, a := range addrs {
			if a.Unmap().Is4() == four {
				h.addr = netip.AddrPortFrom(a.Unmap(), uint16(port))
				return h, nil
			}
		}
	}
	return h, errors.New("it has no address")
}

func defaultPort(p proto) int {
	if p == protoTLS {
		return 5061
	}
	return 5060
}

// here is how this side is reached by who is at a hop: as advertised for the trunk
// or for all, else the address of the socket. When that is any address, it is the
// one that the system would send from.
func (e *Endpoint) here(t *Trunk, to hop) (host string, port int) {
	port = e.net.port(to.proto)
	if port == 0 { // TLS out without TLS in
		port = e.net.port(protoTCP)
	}
	advertise := e.advertise
	if t != nil && t.Advertise != "" {
		advertise = t.Advertise
	}
	if advertise != "" {
		if h, p, err := net.SplitHostPort(advertise); err == nil {
			if n, err := strconv.ParseUint(p, 10, 16); err == nil {
				return strings.Trim(h, "[]"), int(n)
			}
		}
		return strings.Trim(advertise, "[]"), port
	}
	a := addrPort(e.net.udp.LocalAddr()).Addr()
	if a.IsUnspecified() {
		a = e.local.toward(to.addr.Addr())
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
