package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// ErrNoPorts is the error of Open when all ports are taken or rest.
var ErrNoPorts = errors.New("media: no port is free")

// attempts is how many ports are tried for one session when other programs have
// them.
const attempts = 64

// pool lends pairs of ports: an even one for RTP, the next for RTCP (RFC 3550 §11).
// Both taking and giving back take the same short time however many there are: the
// free wait in a queue, and so do those at rest, in the order of their release.
type pool struct {
	address netip.Addr
	network string
	rest    time.Duration

	mu      sync.Mutex
	total   int
	idle    []int // a queue, so that a port returns as late as can be
	resting []resting
}

type resting struct {
	port  int
	until time.Time
}

// line is a pair of open sockets.
type line struct {
	port      int
	rtp, rtcp *net.UDPConn
}

func (l line) close() {
	_ = l.rtp.Close() // a socket without buffers of ours: nothing can be lost
	_ = l.rtcp.Close()
}

func newPool(a netip.Addr, first, last int, rest time.Duration) (*pool, error) {
	if first < 1 || last > 65535 {
		return nil, fmt.Errorf("media: there are no ports %d to %d", first, last)
	}
	p := &pool{address: a.Unmap(), network: "udp6", rest: rest}
	if p.address.Is4() {
		p.network = "udp4"
	}
	for port := first + first%2; port < last; port += 2 {
		p.idle = append(p.idle, port)
	}
	if len(p.idle) == 0 {
		return nil, fmt.Errorf("media: among the ports %d to %d is no even one with the next", first, last)
	}
	// A server that starts again does not begin with the ports whose late packets
	// are still under way.
	p.total = len(p.idle)
	turn := int(random() % uint32(p.total))
	p.idle = append(p.idle[turn:], p.idle[:turn]...)
	return p, nil
}

// take opens the sockets of a free pair. A pair that another program has is passed
// over and rests. Such a program has the next ones as well, as a rule, another
// server with the same range for instance; so what is tried then is anywhere.
func (p *pool) take(now time.Time) (line, error) {
	var last error
	for range attempts {
		port, ok := p.next(now, last != nil)
		if !ok {
			break
		}
		l, err := p.listen(port)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) && !errors.Is(err, syscall.EACCES) {
			// It is not the port's fault: of too many open files, say, another port
			// would have as many.
			p.back(port)
			return line{}, fmt.Errorf("media: open a port: %w", err)
		}
		last = err
		p.free(port, now)
	}
	if last != nil {
		return line{}, fmt.Errorf("%w: %w", ErrNoPorts, last)
	}
	return line{}, ErrNoPorts
}

// next is the pair that has been free for the longest, or any.
func (p *pool) next(now time.Time, anywhere bool) (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake(now)
	if len(p.idle) == 0 {
		return 0, false
	}
	if anywhere {
		other := random() % uint32(len(p.idle))
		p.idle[0], p.idle[other] = p.idle[other], p.idle[0]
	}
	port := p.idle[0]
	p.idle = p.idle[1:]
	return port, true
}

func (p *pool) listen(port int) (line, error) {
	rtp, err := net.ListenUDP(p.network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.address, uint16(port))))
	if err != nil {
		return line{}, err
	}
	rtcp, err := net.ListenUDP(p.network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(p.address, uint16(port+1))))
	if err != nil {
		_ = rtp.Close()
		return line{}, err
	}
	return line{port, rtp, rtcp}, nil
}

// free gives a pair back, whose sockets are closed.
func (p *pool) free(port int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.resting = append(p.resting, resting{port, now.Add(p.rest)})
}

// back gives a pair back that has not been used.
func (p *pool) back(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, port)
}

// wake moves what has rested to what is free.
func (p *pool) wake(now time.Time) {
	n := 0
	for n < len(p.resting) && !now.Before(p.resting[n].until) {
		p.idle = append(p.idle, p.resting[n].port)
		n++
	}
	p.resting = p.resting[n:]
}

// busy is how many pairs are not free.
func (p *pool) busy(now time.Time) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake(now)
	return p.total - len(p.idle)
}
