package ldap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
)

// connection is a connection to a directory, for one question.
type connection struct {
	directory *Directory
	raw       net.Conn
	ldap      *goldap.Conn
	broken    bool // nothing more can be said on it
	closed    bool
}

var (
	errSlow     = errors.New("it takes too long to answer")
	errBusy     = errors.New("too many are being asked for at once")
	errNotLocal = errors.New("the address is not of this machine, and passwords would cross the network in the clear")
)

// connect opens a connection, secures it, and binds as who searches. The error
// wraps ErrDown.
func (d *Directory) connect(ctx context.Context) (*connection, error) {
	if err := d.reserve(ctx); err != nil {
		return nil, down("connect", err)
	}
	c, err := d.dial(ctx)
	if err != nil {
		<-d.slots
		return nil, down("connect", err)
	}
	if d.config.StartTLS {
		// RFC 4511 §4.14. Whatever the directory said before, it is not believed:
		// the library drops what has come with the answer.
		if err := c.step(ctx, func() error { return c.ldap.StartTLS(d.tls.Clone()) }); err != nil {
			c.broken = true
			c.close(ctx)
			return nil, down("StartTLS", err)
		}
	}
	if d.config.BindDN == "" {
		return c, nil // a new connection is anonymous (RFC 4513 §5.1)
	}
	if err := c.step(ctx, func() error { return c.ldap.Bind(d.config.BindDN, d.config.BindPassword) }); err != nil {
		c.close(ctx)
		return nil, down("bind as bind-dn", plain(err, d.config.BindPassword))
	}
	return c, nil
}

// reserve waits for a free slot.
func (d *Directory) reserve(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, d.config.Timeout, errBusy)
	defer cancel()
	select {
	case d.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// dial connects, by TLS for ldaps.
func (d *Directory) dial(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, d.config.Timeout, errSlow)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, cause(ctx, err)
	}
	limited := &bounded{Conn: raw, left: maxAnswer}
	if !d.secure {
		if !d.config.StartTLS && !remoteIsLoopback(raw) {
			return nil, errors.Join(errNotLocal, raw.Close())
		}
		return d.start(limited, limited), nil
	}
	secured := tls.Client(limited, d.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(cause(ctx, err), raw.Close())
	}
	return d.start(limited, secured), nil
}

func (d *Directory) start(raw, secured net.Conn) *connection {
	c := &connection{directory: d, raw: raw, ldap: goldap.NewConn(secured, d.secure)}
	c.ldap.Start() // its two goroutines end with the connection
	return c
}

// cause prefers why a context has ended to what came of it.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func remoteIsLoopback(c net.Conn) bool {
	a, err := netip.ParseAddrPort(c.RemoteAddr().String())
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// step makes one exchange with the directory. The library knows no contexts, so
// when this one or the time for a step is at its end, the connection is broken
// underneath it, upon which it tells whoever waits for an answer.
func (c *connection) step(ctx context.Context, exchange func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.directory.config.Timeout, errSlow)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = c.raw.SetDeadline(past) })
	err := exchange()
	if !stop() {
		c.broken = true
		return context.Cause(ctx)
	}
	// All but an answer with a result code of the protocol's own.
	if e, ok := asError(err); err != nil && (!ok || e.ResultCode >= goldap.ErrorNetwork) {
		c.broken = true
	}
	return err
}

// close says good-bye (RFC 4511 §4.3) and closes the connection. It may be
// called twice.
func (c *connection) close(ctx context.Context) {
	if c.closed {
		return
	}
	c.closed = true
	defer func() { <-c.directory.slots }()
	if !c.broken {
		_ = c.step(ctx, c.ldap.Unbind) // to a directory that has gone it need not be said
	}
	_ = c.raw.Close()
	_ = c.ldap.Close() // waits for what writes
}

// maxAnswer is how much a directory may say on a connection. An entry of a user
// is a few kilobytes, of the attributes asked for.
const maxAnswer = 1 << 20

var errTooLong = errors.New("it answers with too much")

// bounded is a connection of which only so much is read.
type bounded struct {
	net.Conn
	left int // used by the one reader alone
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// plain is an error of the library without the packet that it holds, and without
// text of the directory's in which the password that it was sent appears.
func plain(err error, password string) error {
	e, ok := asError(err)
	if !ok {
		return err
	}
	name := goldap.LDAPResultCodeMap[e.ResultCode]
	if text := said(e, password); text != "" {
		return fmt.Errorf("%s (%d): %q", name, e.ResultCode, text)
	}
	return fmt.Errorf("%s (%d)", name, e.ResultCode)
}
