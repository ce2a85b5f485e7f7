package wire

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

// Resolver finds where URIs lead (RFC 3263, without NAPTR: the transport is that of
// the URI, or UDP). Of several servers it takes the first.
type Resolver struct {
	now func() time.Time
	dns DNS

	mu    sync.Mutex
	known map[string]resolved
}

type resolved struct {
	hop   Hop
	until time.Time
}

// DNS looks names up, as net.Resolver does.
type DNS interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
	LookupSRV(ctx context.Context, service, proto, name string) (string, []*net.SRV, error)
}

// NewResolver makes a resolver that asks d, or the system when that is nil.
func NewResolver(now func() time.Time, d DNS) *Resolver {
	if d == nil {
		d = net.DefaultResolver
	}
	return &Resolver{now: now, dns: d, known: map[string]resolved{}}
}

// ProtoOf is the transport of a URI (RFC 3261 §19.1.2, §26.2.2). An error is that of one
// that is not spoken here.
func ProtoOf(u *sip.Uri) (Proto, error) {
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
		return TLS, nil
	case u.Scheme == "sips":
		return 0, fmt.Errorf("sips over %s is not possible", transport)
	case transport == "", transport == "udp":
		return UDP, nil
	case transport == "tcp":
		return TCP, nil
	}
	return 0, fmt.Errorf("transport %q is not known", transport)
}

// Resolve finds where a URI leads. It may block for resolveTime where the host is a
// name, unless ctx is done before. An error is that of an address that leads nowhere, or
// of DNS.
func (r *Resolver) Resolve(ctx context.Context, u *sip.Uri) (Hop, error) {
	p, err := ProtoOf(u)
	if err != nil {
		return Hop{}, err
	}
	host := strings.Trim(u.Host, "[]")
	for _, v := range u.UriParams { // RFC 3261 §19.1.1: maddr takes the place of the host
		if strings.EqualFold(v.K, "maddr") && v.V != "" {
			host = strings.Trim(v.V, "[]")
		}
	}
	if u.Port < 0 || u.Port > 65535 || host == "" {
		return Hop{}, errors.New("the address leads nowhere")
	}
	port := u.Port
	if a, err := netip.ParseAddr(host); err == nil {
		if port == 0 {
			port = DefaultPort(p)
		}
		if a.IsUnspecified() || a.IsMulticast() {
			return Hop{}, errors.New("the address leads nowhere")
		}
		return Hop{Proto: p, Addr: netip.AddrPortFrom(a.Unmap(), uint16(port))}, nil
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
		return Hop{}, fmt.Errorf("looking up %s: %w", host, err)
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
func (r *Resolver) lookup(ctx context.Context, p Proto, host string, port int) (Hop, error) {
	h := Hop{Proto: p, Name: host}
	if port == 0 {
		port = DefaultPort(p)
		service, over := "sip", "udp"
		switch p {
		case TCP:
			over = "tcp"
		case TLS:
			service, over = "sips", "tcp"
		case UDP:
		}
		if _, found, err := r.dns.LookupSRV(ctx, service, over, host); err == nil && len(found) > 0 && found[0].Target != "." {
			host, port = strings.TrimSuffix(found[0].Target, "."), int(found[0].Port)
		}
	}
	addrs, err := r.dns.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return h, err
	}
	for _, four := range []bool{true, false} {
		for _, a := range addrs {
			if a.Unmap().Is4() == four {
				h.Addr = netip.AddrPortFrom(a.Unmap(), uint16(port))
				return h, nil
			}
		}
	}
	return h, errors.New("it has no address")
}

// All looks up every address that a URI with a host name may lead to, by whichever
// transport: those of the host, and, when there is no port, those of the servers that
// SRV names (RFC 3263 §4.2). What cannot be found now is left out.
func (r *Resolver) All(ctx context.Context, host string, port int) []netip.Addr {
	var found []netip.Addr
	add := func(host string) {
		addrs, err := r.dns.LookupNetIP(ctx, "ip", host)
		if err == nil {
			found = append(found, addrs...)
		}
	}
	add(host)
	if port != 0 {
		return found
	}
	for _, service := range [][2]string{{"sip", "udp"}, {"sip", "tcp"}, {"sips", "tcp"}} {
		if _, servers, err := r.dns.LookupSRV(ctx, service[0], service[1], host); err == nil {
			for _, s := range servers {
				add(strings.TrimSuffix(s.Target, "."))
			}
		}
	}
	return found
}

// DefaultPort is that of a protocol (RFC 3261 §19.1.2).
func DefaultPort(p Proto) int {
	if p == TLS {
		return 5061
	}
	return 5060
}
