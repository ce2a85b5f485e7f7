package domain

import (
	"net/netip"

	"ringdown/internal/fault"
)

// AuthenticationProfile says from where, and for how long, users of an
// instance may be signed in. Each instance has one, its default.
type AuthenticationProfile struct {
	Name        string
	Description string `json:",omitempty"`
	Default     bool   `json:",omitempty"`
	// Addresses and ranges in CIDR notation, IPv4 or IPv6. Without AllowedIPs
	// all are allowed that are not blocked.
	AllowedIPs []string `json:",omitempty"`
	BlockedIPs []string `json:",omitempty"`

	// In minutes. The inactivity counts when its handling is enabled.
	PeriodicSessionDuration          int32
	MaxSessionDuration               int32
	SessionInactivityDuration        *int32 `json:",omitempty"`
	SessionInactivityHandlingEnabled bool   `json:",omitempty"`
}

// Check checks the rules of a profile that need nothing but itself.
func (p *AuthenticationProfile) Check() error {
	if err := checkRanges("AllowedIps", p.AllowedIPs); err != nil {
		return err
	}
	if err := checkRanges("BlockedIps", p.BlockedIPs); err != nil {
		return err
	}
	if p.SessionInactivityHandlingEnabled && p.SessionInactivityDuration == nil {
		return fault.New(fault.InvalidRequest, "SessionInactivityDuration is required for SessionInactivityHandlingEnabled")
	}
	return nil
}

func checkRanges(member string, list []string) error {
	for i, s := range list {
		if _, err := netip.ParsePrefix(s); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(s); err != nil {
			return fault.New(fault.InvalidParameter, "%s[%d] must be an IP address or a range in CIDR notation", member, i)
		}
	}
	return nil
}
