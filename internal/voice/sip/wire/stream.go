package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/dscp"
)

const (
	// streamLimit is how many connections others may have open to here, streamsOfHost
	// how many of them from one address: one that is let in, be it only to show its
	// password, must not take them all.
	streamLimit, streamsOfHost = 4096, 512
	// Strangers have fewer: strangersLimit all of them, strangersOfHost one address, so
	// that there is room for those that belong here however many others come.
	strangersLimit, strangersOfHost = 1024, 32
	// strangerTime is how long a stranger's connection may last. By then it has shown a
	// password, or has none.
	strangerTime = 30 * time.Second
	// streamQueue is how many messages wait for a connection that does not take them.
	streamQueue = 256
	// headTime is how long a message may take to arrive once it has begun, and the
	// first one on a connection that somebody has made to here.
	headTime = 15 * time.Second
	// writeTime is how long a connection may take a message, dialTime how long it may
	// take to come about. Both are below timer F.
	writeTime, dialTime = 10 * time.Second, 10 * time.Second
)

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

// room tells whether there may be one more connection from an address. n.mu is held.
func (n *Network) room(a netip.Addr, stranger bool) bool {
	a = host(a)
	all, most := len(n.streams), streamsOfHost
	of, strangers := 0, 0
	for key, s := range n.streams {
		unknown := s != nil && s.stranger
		if unknown {
			strangers++
		}
		if host(key.addr.Addr()) == a && (unknown || !stranger) {
			of++
		}
	}
	if stranger {
		most = strangersOfHost
	}
	return all < streamLimit && of < most && (!stranger || strangers < strangersLimit)
}

// host is the address that stands for who has it: of IPv6 everybody has a network of 64
// bits at least (RFC 6177 §2).
func host(a netip.Addr) netip.Addr {
	if a = a.WithZone(""); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// known tells whether who may be heard at an address belongs here.
func (n *Network) known(addr netip.AddrPort) bool {
	return n.upper.Known == nil || n.upper.Known(addr)
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
		stranger := !n.known(addr)
		n.mu.Lock()
		if n.closed || !n.room(addr.Addr(), stranger) {
			n.mu.Unlock()
			_ = conn.Close()
			continue
		}
		s := n.newStream(streamKey{p, addr})
		s.stranger = stranger
		n.mu.Unlock()
		n.wg.Go(func() { s.serve(conn) })
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
	// stranger is one that somebody has made who does not belong here yet (n.mu).
	stranger bool

	mu    sync.Mutex
	ended error
}

// strange tells whether the connection is a stranger's, still.
func (s *stream) strange() bool {
	s.n.mu.Lock()
	stranger := s.stranger
	s.n.mu.Unlock()
	if !stranger || !s.n.known(s.key.addr) {
		return stranger
	}
	s.n.mu.Lock()
	s.stranger = false
	s.n.mu.Unlock()
	return false
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
	if s.strange() {
		over := time.AfterFunc(strangerTime, func() {
			if s.strange() {
				_ = conn.Close()
			}
		})
		defer over.Stop()
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
				s.strange() // it may have shown a password
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
