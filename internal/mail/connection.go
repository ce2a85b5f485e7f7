package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// maxAnswers bounds what is read from a server: its greeting, its extensions, a
// line for each command, and certificates.
const maxAnswers = 1 << 20

// line is a connection that ends with a context, and remembers how it broke.
type line struct {
	net.Conn
	stop   func() bool
	read   int
	broken error
}

// dial connects within dialling and has the connection end with ctx.
func (s *SMTP) dial(ctx, dialling context.Context, l *line, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(dialling, network, address)
	if err != nil {
		return nil, err
	}
	l.Conn = conn
	l.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	if s.config.TLS == implicitTLS {
		return tls.Client(l, s.tls), nil // with whose first byte it shakes hands
	}
	return l, nil
}

// Read implements net.Conn.
func (l *line) Read(b []byte) (int, error) {
	if l.read >= maxAnswers {
		return 0, l.broke(errors.New("the server says too much"))
	}
	n, err := l.Conn.Read(b[:min(len(b), maxAnswers-l.read)])
	l.read += n
	return n, l.broke(err)
}

// Write implements net.Conn.
func (l *line) Write(b []byte) (int, error) {
	n, err := l.Conn.Write(b)
	return n, l.broke(err)
}

func (l *line) broke(err error) error {
	if err != nil && l.broken == nil {
		l.broken = err
	}
	return err
}

// close ends the connection, if there is one.
func (l *line) close() {
	if l.Conn != nil {
		l.stop()
		_ = l.Close()
	}
}

// reason says why a message was not sent, in words that hold nothing that went
// over the connection.
func (s *SMTP) reason(ctx context.Context, l *line, who *authentication, err error) error {
	var (
		sending  *gomail.SendError
		answered *textproto.Error
		untrue   *tls.CertificateVerificationError
		network  *net.OpError
		header   tls.RecordHeaderError
		strange  textproto.ProtocolError
	)
	const connecting = "connecting"
	step := connecting
	switch {
	case errors.As(err, &sending):
		step = stepOf(sending.Reason)
	case who.err != nil:
		return fmt.Errorf("authenticating: %w", who.err)
	case who.begun:
		step = "authenticating"
	}
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", step, context.Cause(ctx))
	case errors.As(err, &untrue):
		return fmt.Errorf("%s: %w", step, untrue)
	case sending != nil && sending.ErrorCode() != 0 && sending.EnhancedStatusCode() != "":
		return fmt.Errorf("%s: the server refuses with %d %s", step, sending.ErrorCode(), sending.EnhancedStatusCode())
	case sending != nil && sending.ErrorCode() != 0:
		return fmt.Errorf("%s: the server refuses with %d", step, sending.ErrorCode())
	case errors.As(err, &answered):
		return fmt.Errorf("%s: the server refuses with %d", step, answered.Code)
	case l.broken != nil:
		return fmt.Errorf("%s: %w", step, l.broken)
	case errors.As(err, &network): // dialling, or an alert of TLS
		return fmt.Errorf("%s: %w", step, network)
	case errors.As(err, &header):
		return fmt.Errorf("%s: the server does not speak TLS", step)
	case errors.As(err, &strange), step != connecting || s.config.TLS != startTLS:
		return fmt.Errorf("%s: the server's answer cannot be understood", step)
	default:
		return errors.New("the server does not offer STARTTLS")
	}
}

func stepOf(r gomail.SendErrReason) string {
	switch r {
	case gomail.ErrSMTPMailFrom:
		return "sender"
	case gomail.ErrSMTPRcptTo:
		return "recipient"
	default:
		return "message"
	}
}

// authentication tells the server who sends (RFC 4954), by whatever mechanism it
// offers that does not give the password away.
type authentication struct {
	smtp  *SMTP
	begun bool
	err   error
	smtp.Auth
}

var errNoMechanism = errors.New("the server offers no way to authenticate that can be used")

// Start implements smtp.Auth. The password itself is told to none but a server
// whose certificate was verified, or to one on this machine: for those a plain
// mechanism goes first, since it is what all servers get right.
func (a *authentication) Start(server *smtp.ServerInfo) (string, []byte, error) {
	a.begun = true
	name, password := a.smtp.config.Username, a.smtp.config.Password
	mechanisms := []struct {
		name    string
		tells   bool // the password
		machine smtp.Auth
	}{
		{"PLAIN", true, smtp.PlainAuth("", name, password, a.smtp.host, true)},
		{"LOGIN", true, smtp.LoginAuth(name, password, a.smtp.host, true)},
		{"SCRAM-SHA-256", false, smtp.ScramSHA256Auth(name, password)},
		{"SCRAM-SHA-1", false, smtp.ScramSHA1Auth(name, password)},
		{"CRAM-MD5", false, smtp.CRAMMD5Auth(name, password)},
	}
	private := server.TLS || isLoopback(a.smtp.host)
	for _, m := range mechanisms {
		if slices.Contains(server.Auth, m.name) && (private || !m.tells) {
			a.Auth = m.machine
			return m.machine.Start(server)
		}
	}
	a.err = errNoMechanism
	return "", nil, a.err
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
