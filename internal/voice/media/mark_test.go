//go:build linux

package media

import (
	"fmt"
	"net/netip"
	"testing"

	"ringdown/internal/prerequisite"
	"ringdown/internal/voice/dscp"
)

// TestMarked: networks are asked to let sound go first, over IPv4 and over IPv6.
func TestMarked(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		t.Run(address, func(t *testing.T) {
			e := newEngine(t, func(o *Options) { o.Address = netip.MustParseAddr(address) })
			s, err := e.Open(nil)
			if err != nil && e.o.Address.Is6() {
				prerequisite.Missing(t, fmt.Errorf("this machine has no IPv6: %w", err))
			}
			if err != nil {
				t.Fatal(err)
			}
			mark := func(four, six dscp.Class) dscp.Class {
				if e.o.Address.Is6() {
					return six
				}
				return four
			}
			if rtp, rtcp := mark(dscp.Of(s.rtp)), mark(dscp.Of(s.rtcp)); rtp != dscp.Voice || rtcp != dscp.Voice {
				t.Errorf("the marks are %d and %d, not %d", rtp, rtcp, dscp.Voice)
			}
		})
	}
}
