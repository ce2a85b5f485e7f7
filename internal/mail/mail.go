// Package mail sends plain messages through an SMTP server (RFC 5321).
//
// A message may hold a link that opens an account, and a server may answer with
// whatever it was sent. So of what a server says no error repeats more than the
// codes.
package mail

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
)

// Message is an e-mail of text.
type Message struct {
	To      string // address
	Subject string
	Text    string
}

// Config says where messages go. The zero value sends none.
type Config struct {
	Server   string // host:port
	From     string // address of the sender, with or without a name
	Username string // empty: no authentication
	Password string
	// TLS is how the connection is protected: "starttls" (the default: refused
	// when the server does not offer it), "tls" from the first byte, or "none".
	TLS string
	CA  []byte // PEM of who signed the server's certificate; empty: the system's

	// Timeout bounds the sending of a message; 0: 30 seconds. Servers that make
	// strangers wait for a greeting do so for less.
	Timeout time.Duration
}

const (
	startTLS       = "starttls"
	implicitTLS    = "tls"
	noTLS          = "none"
	defaultTimeout = 30 * time.Second
	maxSubject     = 500 // bytes
)

// SMTP sends messages. It is safe for concurrent use: each message has a
// connection of its own.
type SMTP struct {
	config Config
	host   string
	port   int
	from   *netmail.Address
	tls    *tls.Config
}

// New checks a configuration; the error names the setting.
func New(c Config) (*SMTP, error) {
	host, port, err := net.SplitHostPort(c.Server)
	number, numberErr := strconv.ParseUint(port, 10, 16)
	if err != nil || numberErr != nil || number == 0 || host == "" || strings.ContainsFunc(host, isControl) {
		return nil, errors.New("server must be host:port, such as mail.example.org:587")
	}
	s := &SMTP{config: c, host: host, port: int(number)}
	if s.from, err = netmail.ParseAddress(c.From); err != nil || strings.ContainsFunc(c.From, isControl) || !plain(s.from.Address) {
		return nil, errors.New("from must be an e-mail address, such as Contact Centre <no-reply@example.org>")
	}
	switch c.TLS {
	case "":
		s.config.TLS = startTLS
	case startTLS, implicitTLS, noTLS:
	default:
		return nil, errors.New("tls must be starttls, tls or none")
	}
	if (c.Username == "") != (c.Password == "") {
		return nil, errors.New("username and password must be given together")
	}
	s.tls = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if len(c.CA) > 0 {
		s.tls.RootCAs = x509.NewCertPool()
		if !s.tls.RootCAs.AppendCertsFromPEM(c.CA) {
			return nil, errors.New("ca-file must hold a certificate in PEM")
		}
	}
	if c.Timeout == 0 {
		s.config.Timeout = defaultTimeout
	}
	return s, nil
}

// plainAddress is an address whose local part is no quoted string and whose
// domain is no literal (RFC 5321 §4.1.2): nobody's has them, and they are what
// commands and headers could be hidden in.
var plainAddress = regexp.MustCompile(`^[^\s"(),:;<>@\[\\\]]{1,64}@[^\s"(),:;<>@\[\\\]]{1,255}$`)

func plain(address string) bool {
	return len(address) <= 254 && utf8.ValidString(address) && plainAddress.MatchString(address) && !strings.ContainsFunc(address, isControl)
}

func isControl(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 }

// message makes what is sent.
func (s *SMTP) message(m Message) (*gomail.Msg, error) {
	to, err := netmail.ParseAddress(m.To)
	if err != nil || to.Address != m.To || !plain(m.To) {
		return nil, errors.New("the recipient is no e-mail address")
	}
	if m.Subject == "" || len(m.Subject) > maxSubject || !utf8.ValidString(m.Subject) || strings.ContainsFunc(m.Subject, isControl) {
		return nil, fmt.Errorf("the subject must be one line of 1 to %d bytes", maxSubject)
	}
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	out.FromMailAddress(s.from)
	out.ToMailAddress(to)
	out.Subject(m.Subject)
	// Nobody's absence is to be answered with a note (RFC 3834 §5).
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	// The name of this machine is nobody's business.
	out.SetMessageIDWithValue(rand.Text() + s.from.Address[strings.LastIndexByte(s.from.Address, '@'):])
	out.SetDate()
	out.SetBodyString(gomail.TypeTextPlain, m.Text)
	return out, nil
}

// Send delivers a message to the server, which is when it returns; it fails when
// the server does not take it, or ctx ends.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	message, err := s.message(m)
	if err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	if err := s.deliver(ctx, message); err != nil {
		return fmt.Errorf("mail: %s: %w", s.config.Server, err)
	}
	return nil
}

// deliver sends a message over a connection of its own.
func (s *SMTP) deliver(ctx context.Context, message *gomail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timeout)
	defer cancel()
	l := &line{}
	defer l.close()
	who := &authentication{smtp: s}
	options := []gomail.Option{
		// Its timeout is for each step, and comes after that of ctx for them all.
		gomail.WithPort(s.port), gomail.WithTimeout(s.config.Timeout + time.Minute), gomail.WithTLSConfig(s.tls),
		gomail.WithDialContextFunc(func(dialling context.Context, network, address string) (net.Conn, error) {
			return s.dial(ctx, dialling, l, network, address)
		}),
		gomail.WithoutNoop(), gomail.WithoutRset(), // one message, after which nothing comes
	}
	switch s.config.TLS {
	case implicitTLS:
		options = append(options, gomail.WithSSL())
	case noTLS:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.config.Username != "" {
		options = append(options, gomail.WithSMTPAuthCustom(who))
	}
	// A client of go-mail's is for one connection at a time.
	client, err := gomail.NewClient(s.host, options...)
	if err != nil {
		return err
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return s.reason(ctx, l, who, err)
	}
	if err := client.SendWithSMTPClient(session, message); err != nil {
		return s.reason(ctx, l, who, err)
	}
	// The message is the server's now, whatever it answers to a farewell.
	_ = session.Quit()
	return nil
}
