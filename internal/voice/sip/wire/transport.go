package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
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
	// streamLimit is how many connections others may have open to here, streamsOfHost
	// how many of them from one address: one that is let in, be it only to show its
	// password, must not take them all.
	streamLimit, streamsOfHost = 4096, 512
	// streamQueue is how many messages wait for a connection that does not take them.
	streamQueue = 256
	// headTime is how long a message may take to arrive once it has begun, and the
	// first one on a connection that somebody has made to here.
	headTime = 15 * time.Second
	// writeTime is how long a connection may take a message, dialTime how long it may
	// take to come about. Both are below timer F.
	writeTime, dialTime = 10 * time.Second, 10 * time.Second
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
// Both are called on the goroutine that reads, and must not block.
type Upper struct {
	// Admit tells whether an address may be heard (now): it is asked for each datagram
	// and each connection before anything is parsed, and for each message on a
	// connection, which has to be parsed to know where it ends.
	Admit func(addr netip.AddrPort) bool
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

// stream finds the connection to an address, or begins one (RFC 3261 §18.1.1).
func (n *Network) stream(to Hop) (*stream, error) {
	key := streamKey{to.Proto, to.Addr}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, ErrClosed
	}
	if s := n.streams[key]; s != nil {
		return s, nil
	}
	s := n.newStream(key)
	s.ours = true
	n.wg.Go(func() { s.dial(to) })
	return s, nil
}

// newStream makes a stream and puts it into the table. n.mu is held.
func (n *Network) newStream(key streamKey) *stream {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stream{n: n, key: key, out: make(chan parcel, streamQueue), ctx: ctx, cancel: cancel}
	n.streams[key] = s
	return s
}

// of is how many connections there are with an address. n.mu is held.
func (n *Network) of(a netip.Addr) (count int) {
	for key := range n.streams {
		if key.addr.Addr() == a {
			count++
		}
	}
	return count
}

// accept takes connections until the listener is closed.
func (n *Network) accept(l net.Listener, p Proto, conf *tls.Config) {
	for failures := 0; ; {
		conn, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) || !n.rest(failures, p, err) {
				return
			}
			failures++
			continue
		}
		failures = 0
		addr := addrPort(conn.RemoteAddr())
		if !n.upper.Admit(addr) {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // no more than a closed port would say
			}
			_ = conn.Close()
			continue
		}
		n.mark(conn)
		if conf != nil {
			conn = tls.Server(conn, conf)
		}
		n.mu.Lock()
		if n.closed || len(n.streams) >= streamLimit || n.of(addr.Addr()) >= streamsOfHost {
			n.mu.Unlock()
			_ = conn.Close()
			continue
		}
		s := n.newStream(streamKey{p, addr})
		n.mu.Unlock()
		n.wg.Go(func() { s.serve(conn) })
	}
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

// parcel is a message on its way into a stream.
type parcel struct {
	data   []byte
	failed func(error)
}

// stream is a connection over TCP or TLS, taken or made.
type stream struct {
	n      *Network
	key    streamKey
	out    chan parcel
	ctx    context.Context
	cancel context.CancelFunc
	// ours is a connection that this side has made. The far side may take as long to
	// say something as the request that it was made for may wait.
	ours bool

	mu    sync.Mutex
	ended error
}

// write queues a message. A connection that does not take its messages is ended.
func (s *stream) write(data []byte, failed func(error)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return s.ended
	}
	select {
	case s.out <- parcel{data, failed}:
		return nil
	default:
		return errors.New("the connection is stuck")
	}
}

// end ends the stream: its goroutines see to the rest.
func (s *stream) end(err error) {
	s.mu.Lock()
	if s.ended == nil {
		s.ended = err
	}
	s.mu.Unlock()
	s.cancel()
	s.n.mu.Lock()
	if s.n.streams[s.key] == s {
		delete(s.n.streams, s.key)
	}
	s.n.mu.Unlock()
}

// dial makes the connection and serves it. Its context is the connection's, which
// outlives whatever it was first needed for.
func (s *stream) dial(to Hop) {
	ctx, cancel := context.WithTimeout(s.ctx, dialTime)
	d := dialer()
	conn, err := d.DialContext(ctx, "tcp", to.Addr.String())
	if err == nil && to.Proto == TLS {
		conf := s.n.tlsOut.Clone()
		if conf.ServerName == "" {
			conf.ServerName = to.Name
			if to.Name == "" {
				conf.ServerName = to.Addr.Addr().String()
			}
		}
		secure := tls.Client(conn, conf)
		if err = secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
		}
		conn = secure
	}
	cancel()
	if err != nil {
		s.end(fmt.Errorf("connecting to %v: %w", to.Addr, err))
		s.drop()
		return
	}
	s.serve(conn)
}

// dialer makes connections whose first packet is marked as well.
func dialer() net.Dialer { return net.Dialer{Control: dscp.Signaling.Control} }

// serve reads and writes until either fails.
func (s *stream) serve(conn net.Conn) {
	var reader sync.WaitGroup
	reader.Go(func() { s.end(s.read(conn)) })
	for s.ctx.Err() == nil {
		select {
		case <-s.ctx.Done():
		case p := <-s.out:
			late := time.AfterFunc(writeTime, func() { _ = conn.Close() })
			_, err := conn.Write(p.data)
			late.Stop()
			if err != nil {
				s.end(fmt.Errorf("writing to %v: %w", s.key.addr, err))
				if p.failed != nil {
					p.failed(err)
				}
			}
		}
	}
	_ = conn.Close()
	reader.Wait()
	s.drop()
}

// drop tells those whose messages were not sent.
func (s *stream) drop() {
	s.mu.Lock()
	err := s.ended
	s.mu.Unlock()
	for {
		select {
		case p := <-s.out:
			if p.failed != nil {
				p.failed(err)
			}
		default:
			return
		}
	}
}

// read takes messages until the connection ends or what comes is no SIP: without
// the length of a message there is no telling where the next begins.
func (s *stream) read(conn net.Conn) error {
	in := s.n.parser.NewSIPStream()
	defer in.Close()
	buf := make([]byte, 8192)
	between := true // no message has begun
	late := time.AfterFunc(headTime, func() { _ = conn.Close() })
	defer late.Stop()
	if s.ours {
		late.Stop()
	}
	for {
		size, err := conn.Read(buf)
		if err != nil {
			return fmt.Errorf("reading from %v: %w", s.key.addr, err)
		}
		data := buf[:size]
		if between {
			if bytes.HasPrefix(data, []byte("\r\n\r\n")) {
				_ = s.write([]byte("\r\n"), nil) // keep-alive (RFC 5626 §4.4.1)
			}
			if data = bytes.TrimLeft(data, "\r\n"); len(data) == 0 {
				continue
			}
		}
		if between {
			between = false
			late.Reset(headTime)
		}
		if _, err := in.Write(data); err != nil {
			return fmt.Errorf("reading from %v: %w", s.key.addr, err)
		}
		for !between {
			m, _, err := in.ParseNext()
			if errors.Is(err, io.ErrUnexpectedEOF) {
				break
			}
			if err != nil || !textual([]byte(m.String())) {
				return fmt.Errorf("what comes from %v is no SIP", s.key.addr)
			}
			if s.n.upper.Admit(s.key.addr) {
				s.n.take(m, Flow{Proto: s.key.proto, Source: s.key.addr, back: back(m, s.key.addr), stream: s})
			}
			rest := in.Buffer()
			for rest.Len() > 0 && (rest.Bytes()[0] == '\r' || rest.Bytes()[0] == '\n') {
				rest.Next(1)
			}
			if between = rest.Len() == 0; between {
				late.Stop()
			} else {
				late.Reset(headTime)
			}
		}
	}
}

// back is where an answer goes when its connection is gone: to where the far side
// listens, as its Via says.
func back(m sip.Message, source netip.AddrPort) netip.AddrPort {
	port := 5060
	if via := m.Via(); via != nil && via.Port > 0 && via.Port < 65536 {
		port = via.Port
	}
	return netip.AddrPortFrom(source.Addr(), uint16(port))
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
