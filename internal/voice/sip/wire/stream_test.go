package wire

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
)

// TestRoom: strangers, however many come from however many addresses, leave room for
// those that belong here.
func TestRoom(t *testing.T) {
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	v6 := netip.MustParseAddr
	type some struct {
		from     netip.Addr
		each     int
		stranger bool
	}
	spread := func(hosts, each int, stranger bool) (all []some) {
		for i := range hosts {
			all = append(all, some{addr(i), each, stranger})
		}
		return all
	}
	for _, c := range []struct {
		name            string
		there           []some
		from            netip.Addr
		stranger, known bool // whether there is room for such a one
	}{
		{"nobody", nil, addr(1), true, true},
		{"nearly all of one stranger", spread(1, strangersOfHost-1, true), addr(0), true, true},
		{"all of one stranger", spread(1, strangersOfHost, true), addr(0), false, true},
		{"all of one stranger, from another", spread(1, strangersOfHost, true), addr(1), true, true},
		{"all of all strangers", spread(strangersLimit, 1, true), addr(1 << 20), false, true},
		{"eight strangers with as many as they may", spread(8, strangersOfHost, true), addr(9), true, true},
		{"all of one that is known", spread(1, streamsOfHost, false), addr(0), true, false},
		{"all", spread(streamLimit, 1, false), addr(1 << 20), false, false},
		{"a stranger's network of IPv6", []some{
			{v6("2001:db8::1"), strangersOfHost / 2, true}, {v6("2001:db8::2"), strangersOfHost / 2, true},
		}, v6("2001:db8::3"), false, true},
		{"another's", []some{{v6("2001:db8::1"), strangersOfHost, true}}, v6("2001:db8:0:1::3"), true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := NewNetwork(Sockets{}, nil, slog.New(slog.DiscardHandler), Upper{})
			for _, s := range c.there {
				for i := range s.each {
					n.streams[streamKey{TCP, netip.AddrPortFrom(s.from, uint16(i))}] = &stream{n: n, stranger: s.stranger}
				}
			}
			if got := n.room(c.from, true); got != c.stranger {
				t.Errorf("room for a stranger %v, want %v", got, c.stranger)
			}
			if got := n.room(c.from, false); got != c.known {
				t.Errorf("room for one that is known %v, want %v", got, c.known)
			}
		})
	}
}

// TestStrangerLeaves: a stranger's connection ends after a while, whatever is said over
// it, unless it has become known meanwhile; that of who is known stays.
func TestStrangerLeaves(t *testing.T) {
	for _, c := range []struct {
		name         string
		known, after bool // at first, and after the first message
		stays        bool
	}{
		{"a stranger", false, false, false},
		{"one that shows a password", false, true, true},
		{"one that is known", true, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var known atomic.Bool
				known.Store(c.known)
				conns := &failing{in: make(chan net.Conn), closed: make(chan struct{})}
				udp := &failing{in: make(chan net.Conn), closed: make(chan struct{})}
				n := NewNetwork(Sockets{UDP: udp, TCP: conns}, nil, slog.New(slog.DiscardHandler), Upper{
					Admit: all, Known: func(netip.AddrPort) bool { return known.Load() },
					Receive: func(sip.Message, Flow) { known.Store(c.after) },
				})
				n.Serve()
				there, here := net.Pipe()
				conns.in <- here
				stays := true
				for i := range 10 {
					if _, err := io.WriteString(there, options(i)); err != nil {
						stays = false
						break
					}
					if i == 0 && c.after {
						synctest.Wait()
						n.mu.Lock()
						for _, s := range n.streams {
							if s.stranger {
								t.Error("it still counts as a stranger")
							}
						}
						n.mu.Unlock()
					}
					<-time.After(strangerTime / 5)
				}
				if stays != c.stays {
					t.Errorf("stays %v, want %v", stays, c.stays)
				}
				n.Close()
			})
		})
	}
}
