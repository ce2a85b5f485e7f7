package domain_test

import (
	"testing"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// The API's pattern keeps IPv4 addresses out, their rules do not.
func TestAuthenticationProfileRanges(t *testing.T) {
	for s, right := range map[string]bool{
		"192.0.2.0/24": true, "192.0.2.1": true, "2001:db8::/32": true, "2001:db8::1": true,
		"192.0.2.0/33": false, "192.0.2": false, "192.0.2.1-192.0.2.9": false, "": false, "example.com": false,
	} {
		p := domain.AuthenticationProfile{AllowedIPs: []string{s}}
		if err := p.Check(); right != (err == nil) || !right && !fault.Is(err, fault.InvalidParameter) {
			t.Errorf("%q: %v", s, err)
		}
	}
}
