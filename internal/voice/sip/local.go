package sip

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// Local is the address at which the far side of a call to a number by a trunk is told
// to reach this side, for descriptions of sound: that which is advertised, else that
// of the socket. It may block while names are looked up. The error is ErrUnreachable
// where Dial's would be.
func (e *Endpoint) Local(ctx context.Context, trunk, to string) (netip.Addr, error) {
	for _, t := range e.trunks {
		if t.Name != trunk {
			continue
		}
		if phone, ok := e.registrar.lookup(to); ok && phone.trunk == t {
			return e.localTo(ctx, t, wire.Hop{Proto: protoNamed(phone.transport), Addr: phone.source})
		}
		if t.Address == "" {
			return netip.Addr{}, ErrUnreachable
		}
		u, err := t.address()
		if err != nil {
			return netip.Addr{}, fmt.Errorf("address of trunk %q: %w", trunk, err)
		}
		far, err := e.resolver.Resolve(ctx, &u)
		if err != nil {
			return netip.Addr{}, err
		}
		return e.localTo(ctx, t, far)
	}
	return netip.Addr{}, fmt.Errorf("there is no trunk %q", trunk)
}

// Local is as Endpoint.Local, for the far side of a call that has come in. It waits
// for the call's goroutine.
func (c *Call) Local(ctx context.Context) (netip.Addr, error) {
	last := make(chan wire.Flow, 1)
	if !c.post(func() { last <- c.last }) {
		return netip.Addr{}, wire.ErrClosed
	}
	select {
	case f := <-last:
		return c.e.localTo(ctx, c.trunk, wire.Hop{Proto: f.Proto, Addr: f.Source})
	case <-ctx.Done():
		return netip.Addr{}, ctx.Err()
	}
}

// localTo is the address that who is at a hop is told.
func (e *Endpoint) localTo(ctx context.Context, t *Trunk, far wire.Hop) (netip.Addr, error) {
	host, _ := e.here(t, far)
	if a, err := netip.ParseAddr(host); err == nil {
		return a, nil
	}
	h, err := e.resolver.Resolve(ctx, &sip.Uri{Scheme: "sip", Host: host, Port: wire.DefaultPort(far.Proto)})
	if err != nil {
		return netip.Addr{}, fmt.Errorf("the advertised address: %w", err)
	}
	return h.Addr.Addr(), nil
}
