// Package mail sends plain messages through an SMTP server (RFC 5321).
package mail

import "context"

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
}

// SMTP sends messages. It is safe for concurrent use.
type SMTP struct{ config Config }

// New checks a configuration; the error names the setting.
func New(c Config) (*SMTP, error) { panic("not yet") }

// Send delivers a message to the server, which is when it returns; it fails when
// the server does not take it, or ctx ends.
func (s *SMTP) Send(ctx context.Context, m Message) error { panic("not yet") }
