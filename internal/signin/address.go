package signin

import (
	"context"
	"net/netip"
	"slices"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
)

// profile reads the authentication profile of an instance. An address that it
// does not allow is refused.
func (s *Service) profile(ctx context.Context, in *Instance, v Visitor, tried audit.Event) (*domain.AuthenticationProfile, error) {
	p, err := s.opts.People.Profile(ctx, in)
	if err != nil {
		return nil, err
	}
	if !allowed(p, v.Address) {
		tried.Outcome, tried.Reason = audit.Refused, "the authentication profile does not allow the address"
		s.record(ctx, in, nil, v, tried)
		return nil, refuse(FromHere)
	}
	return p, nil
}

// allowed reports whether users may be signed in from an address: one that is
// allowed, where any are listed, and is not blocked (administrator guide, "Set
// IP address restrictions and session timeouts").
func allowed(p *domain.AuthenticationProfile, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	within := func(list []string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return contains(s, a) })
	}
	return (len(p.AllowedIPs) == 0 || within(p.AllowedIPs)) && !within(p.BlockedIPs)
}

// contains reports whether an address, or a range in CIDR notation, is or has a.
func contains(s string, a netip.Addr) bool {
	if r, err := netip.ParsePrefix(s); err == nil {
		if r.Addr().Is4In6() && r.Bits() >= 96 {
			r = netip.PrefixFrom(r.Addr().Unmap(), r.Bits()-96)
		}
		return r.Contains(a)
	}
	one, err := netip.ParseAddr(s)
	return err == nil && one.Unmap().WithZone("") == a
}
