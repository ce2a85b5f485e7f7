package mail

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/certtest"
)

// A smtpServer is a server of SMTP for one test, on loopback.
type smtpServer struct {
	address  string
	ca       []byte // PEM
	listener net.Listener
	running  sync.WaitGroup
	done     chan struct{} // closed when the test ends
	behave   behaviour

	mu       sync.Mutex
	received []received
	hung     chan struct{} // has an item for each connection that hangs
}

// behaviour is what a server does otherwise than a plain one.
type behaviour struct {
	startTLS  bool     // is offered
	implicit  bool     // TLS from the first byte
	auth      string   // mechanisms that are offered
	password  string   // that is right
	refuse    string   // this command, or "." for the message
	refusal   string   // with this answer; it may hold {SECRET}, which is all that was heard
	hang      string   // at this command, or "greeting"
	close     string   // after this command
	garbage   string   // the answer to it is no SMTP
	extra     []string // extensions
	flood     bool     // greets without end
	otherName bool     // the certificate is another host's
}

type received struct {
	from, to, data string
	tls            bool
	user           string
}

const mailUser = "ringdown"

func startSMTP(t *testing.T, b behaviour) *smtpServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &smtpServer{address: l.Addr().String(), listener: l, done: make(chan struct{}), behave: b, hung: make(chan struct{}, 100)}
	certificate := s.certificate(t)
	s.running.Go(func() {
		for range 200 {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.running.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				s.serve(conn, certificate)
			})
		}
	})
	t.Cleanup(func() {
		close(s.done)
		l.Close()
		s.running.Wait()
	})
	return s
}

func (s *smtpServer) certificate(t *testing.T) *tls.Config {
	t.Helper()
	var o certtest.Options
	if s.behave.otherName {
		o.Names = []string{"127.0.0.2"}
	}
	c := certtest.New(t, o)
	s.ca = c.PEM()
	return &tls.Config{Certificates: []tls.Certificate{c.TLS()}, MinVersion: tls.VersionTLS12}
}

// messages are those that have been taken.
func (s *smtpServer) messages() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.received...)
}

// hangs keeps a connection open until the client or the test ends.
func (s *smtpServer) hangs(conn net.Conn) {
	s.hung <- struct{}{}
	_, _ = io.Copy(io.Discard, conn)
}

func (s *smtpServer) serve(conn net.Conn, config *tls.Config) {
	var (
		got   received
		heard strings.Builder
	)
	b := s.behave
	if b.implicit {
		conn, got.tls = tls.Server(conn, config), true
	}
	r := bufio.NewReader(conn)
	say := func(format string, a ...any) bool {
		_, err := fmt.Fprintf(conn, format+"\r\n", a...)
		return err == nil
	}
	hear := func() (string, bool) {
		text, err := r.ReadString('\n')
		heard.WriteString(strings.TrimRight(text, "\r\n") + " ")
		return strings.TrimRight(text, "\r\n"), err == nil
	}
	if b.hang == "greeting" {
		s.hangs(conn)
		return
	}
	if b.flood {
		for say("220-%s", strings.Repeat("welcome ", 1000)) {
		}
		return
	}
	if b.garbage == "greeting" {
		say("HTTP/1.1 400 Bad Request")
		return
	}
	if !say("220 mail.test ESMTP") {
		return
	}
	for {
		text, ok := hear()
		if !ok {
			return
		}
		command := strings.ToUpper(strings.Fields(text + " ?")[0])
		switch command {
		case b.hang:
			s.hangs(conn)
			return
		case b.close:
			return
		case b.refuse:
			say("%s", strings.ReplaceAll(b.refusal, "{SECRET}", heard.String()))
			continue
		case b.garbage:
			say("what is %s", heard.String())
			return
		}
		switch command {
		case "EHLO":
			lines := append([]string{"mail.test"}, b.extra...)
			if b.startTLS && !got.tls {
				lines = append(lines, "STARTTLS")
			}
			if b.auth != "" {
				lines = append(lines, "AUTH "+b.auth)
			}
			for _, l := range lines {
				say("250-%s", l)
			}
			say("250 PIPELINING")
		case "HELO":
			say("250 mail.test")
		case "STARTTLS":
			if !b.startTLS {
				say("502 5.5.1 no")
				continue
			}
			say("220 go on")
			conn = tls.Server(conn, config)
			r = bufio.NewReader(conn)
			got.tls = true
		case "AUTH":
			user, password := s.credentials(text, say, hear)
			if user != mailUser || password != b.password {
				say("535 5.7.8 %s is not the password", password)
				continue
			}
			got.user = user
			say("235 2.7.0 welcome")
		case "MAIL":
			got.from = text
			say("250 2.1.0 fine")
		case "RCPT":
			got.to = text
			say("250 2.1.5 fine")
		case "DATA":
			say("354 go on")
			var data strings.Builder
			for {
				l, ok := hear()
				if !ok {
					return
				}
				if l == "." {
					break
				}
				data.WriteString(strings.TrimPrefix(l, ".") + "\n")
			}
			if b.refuse == "." {
				say("%s", strings.ReplaceAll(b.refusal, "{SECRET}", heard.String()))
				continue
			}
			if b.hang == "." {
				s.hangs(conn)
				return
			}
			got.data = data.String()
			s.mu.Lock()
			s.received = append(s.received, got)
			s.mu.Unlock()
			say("250 2.0.0 taken")
		case "QUIT":
			say("221 2.0.0 bye")
			return
		default:
			say("500 5.5.2 what?")
		}
	}
}

// credentials reads those of AUTH PLAIN and LOGIN (RFC 4616, and the Internet
// draft draft-murchison-sasl-login).
func (s *smtpServer) credentials(text string, say func(string, ...any) bool, hear func() (string, bool)) (user, password string) {
	decode := func(text string) string {
		raw, _ := base64.StdEncoding.DecodeString(text)
		return string(raw)
	}
	parts := strings.Fields(text)
	switch {
	case len(parts) == 3 && parts[1] == "PLAIN":
		if all := strings.Split(decode(parts[2]), "\x00"); len(all) == 3 {
			return all[1], all[2]
		}
	case len(parts) == 2 && parts[1] == "LOGIN":
		say("334 VXNlcm5hbWU6")
		user, _ = hear()
		say("334 UGFzc3dvcmQ6")
		password, _ = hear()
		return decode(user), decode(password)
	}
	return "", ""
}
