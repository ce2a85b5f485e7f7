package wire

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/dscp"
)

// Proto is a transport protocol.
type Proto uint8

// The protocols.
const (
	UDP Proto = iota
	TCP
	TLS
)

// String is the name as Via writes it.
func (p Proto) String() string { return [...]string{"UDP", "TCP", "TLS"}[p] }

// Param is the name as the transport parameter of a URI writes it, which UDP does
// without.
func (p Proto) Param() string { return [...]string{"", "tcp", "tls"}[p] }

// Hop is where a message goes.
type Hop struct {
	Proto Proto
	Addr  netip.AddrPort
	Name  string // for the certificate of TLS, else ""
}

// Flow is where a request came from, and where its answers go (RFC 3261 §18.2.2).
type Flow struct {
	Proto Proto
	// Source is where it came from.
	Source netip.AddrPort
	// Answers over UDP go to back: the same but where Via has no rport, whose port
	// counts then (RFC 3581 §4). Those over a connection that is gone do so, too.
	back   netip.AddrPort
	stream *stream // of TCP and TLS
	// Cut is that of a request whose body is not all there (RFC 3261 §18.3).
	Cut bool
}

const (
	// datagram is the longest message over UDP. Requests that are longer than the
	// path takes at once are sent in fragments: what RFC 3261 §18.1.1 wants, to change
	// to TCP, is what trunks do not offer where they offer UDP.
	datagram = 65535
	// readBuffer is that of the socket: 300 calls a second are 3 MB a second, and a
	// pause of the process must not lose them.
	readBuffer = 4 << 20
)

// PacketConn is a UDP socket, such as net.UDPConn.
type PacketConn interface {
	ReadFromUDPAddrPort(b []byte) (n int, addr netip.AddrPort, err error)
	WriteToUDPAddrPort(b []byte, addr netip.AddrPort) (int, error)
	LocalAddr() net.Addr
	Close() error
}

// Sockets are what an endpoint listens on. Only UDP must be.
type Sockets struct {
	UDP      PacketConn
	TCP, TLS net.Listener
}

// Upper is what the network serves: who decides whom to hear, and who takes what came.
// All are called on the goroutines that read, and must not block.
type Upper struct {
	// Admit tells whether an address may be heard (now): it is asked for each datagram
	// and each connection before anything is parsed, and for each message on a
	// connection, which has to be parsed to know where it ends.
	Admit func(addr netip.AddrPort) bool
	// Known tells whether an address that may be heard belongs here (now), be it that it
	// has shown a password. Others are strangers, whose connections are few and short.
	// Nil: all belong here.
	Known func(addr netip.AddrPort) bool
	// Receive takes each message, in the order of its arrival over UDP and over each
	// connection. It has a Via, which tells where it came from (RFC 3261 §18.2.1).
	Receive func(m sip.Message, from Flow)
}

// Network sends and receives messages (RFC 3261 §18). It owns a goroutine for each socket that
// reads, and two for each connection; Close waits for them. What comes from an
// address that is not admitted is not even parsed, and what cannot be parsed leaves
// no trace in the log.
type Network struct {
	sockets Sockets
	log     *slog.Logger
	// tlsIn is for connections that others make, tlsOut for those of this side.
	tlsIn, tlsOut *tls.Config
	parser        *sip.Parser
	upper         Upper

	local   locals
	wg      sync.WaitGroup
	done    chan struct{} // closed by Close
	mu      sync.Mutex
	closed  bool
	streams map[streamKey]*stream
}

type streamKey struct {
	proto Proto
	addr  netip.AddrPort
}

// Listen opens the sockets of an endpoint: addr is host:port for UDP and TCP, where port
// 0 takes one that is free for both, addrTLS that for TLS, "" for none, which needs conf.
// It may return an error of net, or one that tells what is wrong with the addresses;
// nothing is open then.
func Listen(ctx context.Context, addr, addrTLS string, conf *tls.Config) (s Sockets, err error) {
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return s, fmt.Errorf("SIP address %q: %w", addr, err)
	}
	var lc net.ListenConfig
	for try := 0; ; try++ {
		conn, err := lc.ListenPacket(ctx, "udp", net.JoinHostPort(host, port))
		if err != nil {
			return s, fmt.Errorf("SIP over UDP: %w", err)
		}
		udp, ok := conn.(*net.UDPConn)
		if !ok {
			return s, fmt.Errorf("SIP over UDP: %T", conn)
		}
		_ = udp.SetReadBuffer(readBuffer) // the system may allow less
		s.UDP = udp
		_, free, err := net.SplitHostPort(udp.LocalAddr().String())
		if err != nil {
			return s, fmt.Errorf("SIP over UDP: %w", err)
		}
		s.TCP, err = lc.Listen(ctx, "tcp", net.JoinHostPort(host, free))
		if err == nil {
			break
		}
		if port != "0" || try == 20 {
			return s, fmt.Errorf("SIP over TCP: %w", err)
		}
		_ = udp.Close() // the port is somebody else's for TCP: take another
	}
	if addrTLS != "" {
		if conf == nil {
			return s, errors.New("SIP over TLS needs a certificate")
		}
		if s.TLS, err = lc.Listen(ctx, "tcp", addrTLS); err != nil {
			return s, fmt.Errorf("SIP over TLS: %w", err)
		}
	}
	return s, nil
}

// Close closes those that are open.
func (s *Sockets) Close() {
	if s.UDP != nil {
		_ = s.UDP.Close()
	}
	for _, l := range []net.Listener{s.TCP, s.TLS} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// Addr is where a protocol listens, the zero value when it does not.
func (n *Network) Addr(p Proto) netip.AddrPort {
	switch {
	case p == UDP:
		return addrPort(n.sockets.UDP.LocalAddr())
	case p == TCP && n.sockets.TCP != nil:
		return addrPort(n.sockets.TCP.Addr())
	case p == TLS && n.sockets.TLS != nil:
		return addrPort(n.sockets.TLS.Addr())
	}
	return netip.AddrPort{}
}

func addrPort(a net.Addr) netip.AddrPort {
	switch a := a.(type) {
	case *net.UDPAddr:
		return unmap(a.AddrPort())
	case *net.TCPAddr:
		return unmap(a.AddrPort())
	}
	return netip.AddrPort{}
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// NewNetwork makes a network of sockets, which are its from then on. Conf is that of
// TLS, nil for none: connections out show its certificates and trust its roots. What
// cannot go on is told to log.
func NewNetwork(s Sockets, conf *tls.Config, log *slog.Logger, up Upper) *Network {
	n := &Network{
		sockets: s, log: log, tlsIn: conf, tlsOut: &tls.Config{MinVersion: tls.VersionTLS12},
		parser: NewParser(), upper: up, streams: map[streamKey]*stream{}, done: make(chan struct{}),
	}
	if conf != nil {
		n.tlsOut.RootCAs = conf.RootCAs
		n.tlsOut.Certificates = conf.Certificates
	}
	return n
}

// Serve begins to read. It returns at once; Close ends what it began.
func (n *Network) Serve() {
	n.mark(n.sockets.UDP)
	n.wg.Go(n.readPackets)
	if n.sockets.TCP != nil {
		n.wg.Go(func() { n.accept(n.sockets.TCP, TCP, nil) })
	}
	if n.sockets.TLS != nil {
		n.wg.Go(func() { n.accept(n.sockets.TLS, TLS, n.tlsIn) })
	}
}

// Close frees the sockets and waits for those who read, so it must not be called by
// Upper. Connections are cut off, with what they had still to send. It may be called
// twice.
func (n *Network) Close() {
	n.mu.Lock()
	if !n.closed {
		close(n.done)
	}
	n.closed = true
	streams := n.streams
	n.streams = nil
	n.mu.Unlock()
	n.sockets.Close()
	for _, s := range streams {
		s.end(ErrClosed)
	}
	n.wg.Wait()
}

// readPackets reads datagrams until the socket is closed.
func (n *Network) readPackets() {
	buf := make([]byte, datagram)
	for failures := 0; ; {
		size, addr, err := n.sockets.UDP.ReadFromUDPAddrPort(buf)
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !n.rest(failures, UDP, err) {
				return
			}
			failures++
			continue
		}
		failures = 0
		addr = unmap(addr)
		if !n.upper.Admit(addr) {
			continue
		}
		n.packet(buf[:size], addr)
	}
}

// rest waits after one of several failures in a row, longer each time: what there was
// too little of, files or memory, comes back, and then calls must. False when the
// network is closed meanwhile.
func (n *Network) rest(failures int, p Proto, err error) bool {
	if failures == 10 {
		n.log.Error("SIP cannot be received for now", "transport", p.String(), "err", err)
	}
	t := time.NewTimer(min(time.Millisecond<<min(failures, 10), time.Second))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-n.done:
		return false
	}
}

// packet takes a datagram. A request that ends before its body does is refused, an
// answer that does is dropped (RFC 3261 §18.3).
func (n *Network) packet(data []byte, addr netip.AddrPort) {
	if len(data) < 16 || !textual(data) {
		return // keep-alives (RFC 5626 §4.4.1) and noise
	}
	m, err := n.parser.ParseSIP(data)
	if m == nil || err != nil && !errors.Is(err, sip.ErrParseReadBodyIncomplete) {
		return
	}
	n.take(m, Flow{Proto: UDP, Source: addr, back: addr, Cut: err != nil})
}

// textual tells whether the head of a message consists of lines of text, as the library
// does not see to it: control characters would get into what is sent and told.
func textual(data []byte) bool {
	for i, c := range data {
		switch {
		case c == '\r' && i+1 < len(data) && data[i+1] == '\n':
			if i+3 < len(data) && data[i+2] == '\r' && data[i+3] == '\n' {
				return true
			}
		case c == '\n' && i > 0 && data[i-1] == '\r':
		case c < ' ' && c != '\t' || c == 0x7f:
			return false
		}
	}
	return true
}

// take hands on a message.
func (n *Network) take(m sip.Message, from Flow) {
	via := m.Via()
	if via == nil || !answerable(m) {
		return // nowhere to answer to
	}
	m.SetTransport(from.Proto.String())
	m.SetSource(from.Source.String())
	switch m := m.(type) {
	case *sip.Request:
		if from.Proto == UDP && !via.Params.Has("rport") {
			port := via.Port
			if port <= 0 || port > 65535 {
				port = 5060
			}
			from.back = netip.AddrPortFrom(from.Source.Addr(), uint16(port))
		}
		received(m, from.Source)
	case *sip.Response:
		if from.Cut {
			return
		}
	}
	n.upper.Receive(m, from)
}

// answerable reports whether each Via names a host (RFC 3261 §25.1, sent-by), as the
// library does not see to it: an answer repeats them all, and must be legal.
func answerable(m sip.Message) bool {
	for _, h := range m.GetHeaders("Via") {
		if via, ok := h.(*sip.ViaHeader); ok && !sentBy(via.Host) {
			return false
		}
	}
	return true
}

// sentBy takes an address of IPv6 with brackets or without: the library takes them off
// or leaves them.
func sentBy(host string) bool {
	inner, open := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	if open != closed {
		return false
	}
	if open || strings.Contains(inner, ":") {
		a, err := netip.ParseAddr(inner)
		return err == nil && a.Is6()
	}
	return inner != "" && strings.IndexFunc(inner, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", r)
	}) < 0
}

// answer sends an answer back to where its request came from.
func (n *Network) answer(to Flow, data []byte) error {
	if to.Proto == UDP {
		return n.sendPacket(to.back, data)
	}
	if to.stream.write(data, nil) == nil {
		return nil
	}
	// The connection is gone; there may be another (RFC 3261 §18.2.2).
	return n.send(Hop{Proto: to.Proto, Addr: to.back}, data, nil)
}

// send sends a message. Failed is told, later and on another goroutine, when it
// cannot be delivered; it may be nil.
func (n *Network) send(to Hop, data []byte, failed func(error)) error {
	if to.Proto == UDP {
		return n.sendPacket(to.Addr, data)
	}
	s, err := n.stream(to)
	if err != nil {
		return err
	}
	return s.write(data, failed)
}

func (n *Network) sendPacket(to netip.AddrPort, data []byte) error {
	if _, err := n.sockets.UDP.WriteToUDPAddrPort(data, to); err != nil {
		return fmt.Errorf("sending to %v: %w", to, err)
	}
	return nil
}

// Connections is how many there are over TCP and TLS, of either side's making.
func (n *Network) Connections() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.streams)
}

// Has tells whether there is a connection to an address.
func (n *Network) Has(to Hop) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.streams[streamKey{to.Proto, to.Addr}] != nil
}

// mark has networks let the signalling that a socket sends go before other traffic.
func (n *Network) mark(socket any) {
	conn, ok := socket.(syscall.Conn)
	if !ok {
		return
	}
	if err := dscp.Signaling.Mark(conn); err != nil {
		n.log.Debug("what a socket of signalling sends is not marked", "error", err)
	}
}

// received notes in the top Via where a request came from (RFC 3261 §18.2.1, RFC
// 3581 §4), so that all answers carry it.
func received(req *sip.Request, from netip.AddrPort) {
	via := req.Via()
	if via == nil {
		return
	}
	if rport, ok := via.Params.Get("rport"); ok && rport == "" {
		via.Params.Add("rport", strconv.Itoa(int(from.Port())))
		via.Params.Add("received", from.Addr().String())
	} else if host, err := netip.ParseAddr(strings.Trim(via.Host, "[]")); err != nil || host.Unmap() != from.Addr() {
		via.Params.Add("received", from.Addr().String())
	}
}
