package mail

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

const (
	password = "smtp-PASSWORD-1"
	link     = "https://connect.example.org/-/login/8a2e/reset?code=SECRET-CODE-0123456789-0123456789-0123456789-0123456789"
)

var reset = Message{To: "jane@example.org", Subject: "Choose a new password", Text: "Hello Jörg,\n\n" + link + "\n\n.\n.hidden\n"}

// sender is an SMTP that speaks to a server.
func (s *smtpServer) sender(t *testing.T, change ...func(*Config)) *SMTP {
	t.Helper()
	c := Config{Server: s.address, From: "Contact Centre <no-reply@example.org>", CA: s.ca, Timeout: 10 * time.Second}
	for _, f := range change {
		f(&c)
	}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSend(t *testing.T) {
	with := func(tls, user string) func(*Config) {
		return func(c *Config) {
			c.TLS = tls
			if c.Username = user; user != "" {
				c.Password = password
			}
		}
	}
	for _, c := range []struct {
		name   string
		server behaviour
		change func(*Config)
		tls    bool
		user   string
	}{
		{"STARTTLS is the default", behaviour{startTLS: true}, with("", ""), true, ""},
		{"STARTTLS and PLAIN", behaviour{startTLS: true, auth: "PLAIN LOGIN", password: password}, with("starttls", mailUser), true, mailUser},
		{"STARTTLS and LOGIN", behaviour{startTLS: true, auth: "LOGIN", password: password}, with("starttls", mailUser), true, mailUser},
		{"TLS", behaviour{implicit: true}, with("tls", ""), true, ""},
		{"TLS and PLAIN", behaviour{implicit: true, auth: "PLAIN", password: password}, with("tls", mailUser), true, mailUser},
		{"none, although STARTTLS is offered", behaviour{startTLS: true}, with("none", ""), false, ""},
		{"none and PLAIN on this machine", behaviour{auth: "PLAIN", password: password}, with("none", mailUser), false, mailUser},
		{"8BITMIME and SMTPUTF8", behaviour{startTLS: true, extra: []string{"8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"}}, with("", ""), true, ""},
		{"the farewell is not answered", behaviour{startTLS: true, close: "QUIT"}, with("", ""), true, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startSMTP(t, c.server)
			if err := s.sender(t, c.change).Send(t.Context(), reset); err != nil {
				t.Fatal(err)
			}
			got := s.messages()
			if len(got) != 1 {
				t.Fatalf("%d messages arrived", len(got))
			}
			if got[0].tls != c.tls || got[0].user != c.user {
				t.Errorf("TLS is %v and the user %q, want %v and %q", got[0].tls, got[0].user, c.tls, c.user)
			}
			checkMessage(t, got[0])
		})
	}
}

// checkMessage checks that reset has arrived as it was.
func checkMessage(t *testing.T, got received) {
	t.Helper()
	if !strings.HasPrefix(got.from, "MAIL FROM:<no-reply@example.org>") || got.to != "RCPT TO:<jane@example.org>" {
		t.Errorf("the envelope is %q, %q", got.from, got.to)
	}
	m, err := netmail.ReadMessage(strings.NewReader(got.data))
	if err != nil {
		t.Fatal(err)
	}
	decoder := new(mime.WordDecoder)
	subject, err := decoder.DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != reset.Subject {
		t.Errorf("the subject is %q, %v", subject, err)
	}
	for name, want := range map[string]string{
		"From": `"Contact Centre" <no-reply@example.org>`, "To": "<jane@example.org>", "Auto-Submitted": "auto-generated",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if id := m.Header.Get("Message-Id"); !strings.HasSuffix(id, "@example.org>") {
		t.Errorf("the message id %q names something else than the sender's domain", id)
	}
	if _, err := m.Header.Date(); err != nil {
		t.Errorf("the date: %v", err)
	}
	for _, name := range []string{"User-Agent", "X-Mailer", "Bcc", "Cc"} {
		if got := m.Header.Get(name); got != "" {
			t.Errorf("there is a header %s: %q", name, got)
		}
	}
	if e := m.Header.Get("Content-Transfer-Encoding"); e != "quoted-printable" {
		t.Errorf("the encoding is %q", e)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if got := strings.TrimRight(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n"); err != nil || got != strings.TrimRight(reset.Text, "\n") {
		t.Errorf("the text is %q, %v", got, err)
	}
}

// Whatever goes wrong, no error may hold the password, the link or what the
// server has repeated of them.
func TestSendFails(t *testing.T) {
	auth := func(c *Config) { c.Username, c.Password = mailUser, password }
	both := func(fs ...func(*Config)) func(*Config) {
		return func(c *Config) {
			for _, f := range fs {
				f(c)
			}
		}
	}
	impatient := func(c *Config) { c.Timeout = 300 * time.Millisecond }
	mode := func(m string) func(*Config) { return func(c *Config) { c.TLS = m } }
	const text = "550 5.7.1 no thanks: {SECRET}"
	for _, c := range []struct {
		name   string
		server behaviour
		change func(*Config)
		want   string
	}{
		{"no STARTTLS", behaviour{}, mode(""), "does not offer STARTTLS"},
		{"no STARTTLS, and a password", behaviour{auth: "PLAIN", password: password}, auth, "does not offer STARTTLS"},
		{"STARTTLS refused", behaviour{startTLS: true, refuse: "STARTTLS", refusal: "454 4.7.0 not now"}, mode(""), "refuses with 454"},
		{"certificate of nobody known", behaviour{startTLS: true}, func(c *Config) { c.CA = nil }, "certificate"},
		{"certificate of another host", behaviour{startTLS: true, otherName: true}, mode(""), "certificate"},
		{"certificate of another host, TLS", behaviour{implicit: true, otherName: true}, mode("tls"), "certificate"},
		{"no TLS from the first byte", behaviour{}, mode("tls"), "does not speak TLS"},
		{"TLS where none is expected", behaviour{implicit: true}, both(mode("none"), impatient), "deadline"},
		{"wrong password", behaviour{startTLS: true, auth: "PLAIN", password: "another"}, auth, "authenticating: the server refuses with 535"},
		{"wrong password, LOGIN", behaviour{startTLS: true, auth: "LOGIN", password: "another"}, auth, "authenticating: the server refuses with 535"},
		{"no mechanism", behaviour{startTLS: true, auth: "GSSAPI"}, auth, "no way to authenticate"},
		{"no AUTH", behaviour{startTLS: true}, auth, "no way to authenticate"},
		{"nonsense at AUTH", behaviour{startTLS: true, auth: "PLAIN", garbage: "AUTH"}, auth, "authenticating: the server's answer cannot be understood"},
		{"sender refused", behaviour{startTLS: true, refuse: "MAIL", refusal: text}, asIs, "sender: the server refuses with 550"},
		{"recipient refused", behaviour{startTLS: true, refuse: "RCPT", refusal: text, extra: []string{"ENHANCEDSTATUSCODES"}}, asIs, "recipient: the server refuses with 550 5.7.1"},
		{"DATA refused", behaviour{startTLS: true, refuse: "DATA", refusal: text}, asIs, "message: the server refuses with 550"},
		{"message refused", behaviour{startTLS: true, refuse: ".", refusal: text, extra: []string{"ENHANCEDSTATUSCODES"}}, asIs, "message: the server refuses with 550 5.7.1"},
		{"nonsense at DATA", behaviour{startTLS: true, garbage: "DATA"}, asIs, "message: "},
		{"connection lost", behaviour{startTLS: true, close: "RCPT"}, asIs, "recipient: "},
		{"no SMTP", behaviour{garbage: "greeting"}, mode("none"), "cannot be understood"},
		{"endless greeting", behaviour{flood: true}, mode("none"), "says too much"},
		{"hangs at greeting", behaviour{hang: "greeting"}, impatient, "deadline"},
		{"hangs at greeting, TLS", behaviour{hang: "greeting"}, both(mode("tls"), impatient), "deadline"},
		{"hangs at EHLO", behaviour{hang: "EHLO"}, impatient, "deadline"},
		{"hangs at AUTH", behaviour{startTLS: true, auth: "PLAIN", hang: "AUTH"}, both(auth, impatient), "authenticating: context deadline"},
		{"hangs at the message", behaviour{startTLS: true, hang: "."}, impatient, "message: context deadline"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startSMTP(t, c.server)
			err := s.sender(t, c.change).Send(t.Context(), reset)
			if err == nil {
				t.Fatal("the message was sent")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %q, want %q", err, c.want)
			}
			for _, secret := range []string{password, "another", "SECRET", "no thanks", "AHJpbmdkb3du"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error %q holds %q", err, secret)
				}
			}
			if got := s.messages(); len(got) != 0 {
				t.Errorf("%d messages arrived", len(got))
			}
		})
	}
}

func asIs(*Config) {}

// A password is not told to whoever offers to hear it in the clear.
func TestNoPasswordInTheClear(t *testing.T) {
	m, err := New(Config{Server: "mail.example.org:25", From: "a@example.org", Username: mailUser, Password: password, TLS: "none"})
	if err != nil {
		t.Fatal(err)
	}
	for offered, want := range map[string]string{
		"PLAIN LOGIN": "", "PLAIN CRAM-MD5": "CRAM-MD5", "LOGIN SCRAM-SHA-1 SCRAM-SHA-256": "SCRAM-SHA-256", "": "", "XOAUTH2": "",
	} {
		a := &authentication{smtp: m}
		got, said, err := a.Start(&smtp.ServerInfo{Name: "mail.example.org", TLS: false, Auth: strings.Fields(offered)})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("offered %q in the clear it takes %q, %v", offered, got, err)
		}
		if strings.Contains(string(said), password) {
			t.Errorf("offered %q it tells the password", offered)
		}
		if offered == "PLAIN LOGIN" {
			if got, _, err := a.Start(&smtp.ServerInfo{Name: "mail.example.org", TLS: true, Auth: strings.Fields(offered)}); got != "PLAIN" || err != nil {
				t.Errorf("offered %q within TLS it takes %q, %v", offered, got, err)
			}
		}
	}
}

func TestSendEndsWithContext(t *testing.T) {
	for _, at := range []string{"greeting", "MAIL"} {
		s := startSMTP(t, behaviour{startTLS: true, hang: at})
		m := s.sender(t)
		ctx, cancel := context.WithCancel(t.Context())
		sent := make(chan error, 1)
		go func() { sent <- m.Send(ctx, reset) }()
		<-s.hung
		cancel()
		if err := <-sent; !errors.Is(err, context.Canceled) {
			t.Errorf("at %s: %v", at, err)
		}
	}
}

func TestServerIsDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	for _, mode := range []string{"starttls", "tls", "none"} {
		m, err := New(Config{Server: address, From: "a@example.org", TLS: mode})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Send(t.Context(), reset); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("%s: %v", mode, err)
		}
	}
}

func TestConcurrentSends(t *testing.T) {
	s := startSMTP(t, behaviour{startTLS: true, auth: "PLAIN", password: password})
	m := s.sender(t, func(c *Config) { c.Username, c.Password = mailUser, password })
	const n = 20
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if err := m.Send(t.Context(), reset); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := len(s.messages()); got != n {
		t.Errorf("%d messages arrived, of %d", got, n)
	}
}

// No message may say more to a server than it should.
func TestInjection(t *testing.T) {
	s := startSMTP(t, behaviour{startTLS: true})
	m := s.sender(t)
	for _, c := range []Message{
		{To: ""},
		{To: "jane"},
		{To: "jane@example.org\r\nRCPT TO:<eve@example.org>"},
		{To: "jane@example.org\nBcc: eve@example.org"},
		{To: "jane@example.org\r"},
		{To: "jane@example.org\x00"},
		{To: "jane@example.org\u2028Bcc: eve@example.org"},
		{To: "jane@example.org, eve@example.org"},
		{To: "jane@example.org> NOTIFY=SUCCESS <eve@example.org"},
		{To: `"jane> RCPT TO:<eve"@example.org`},
		{To: `"a b"@example.org`},
		{To: "jane@[127.0.0.1]"},
		{To: "Jane <jane@example.org>"},
		{To: "<jane@example.org>"},
		{To: " jane@example.org"},
		{To: "jane(comment)@example.org"},
		{To: "group:jane@example.org;"},
		{To: "j\xffane@example.org"},
		{To: strings.Repeat("a", 65) + "@example.org"},
		{To: "jane@" + strings.Repeat("a.", 130) + "org"},
		{To: "jane@example.org", Subject: "\r\nBcc: eve@example.org"},
		{To: "jane@example.org", Subject: "Hello\nBcc: eve@example.org"},
		{To: "jane@example.org", Subject: "Hello\x00"},
		{To: "jane@example.org", Subject: "Hello\u2029there"},
		{To: "jane@example.org", Subject: "Hello \xff"},
		{To: "jane@example.org", Subject: strings.Repeat("a", 501)},
	} {
		if c.Subject == "" {
			c.Subject = "Hello"
		}
		if err := m.Send(t.Context(), c); err == nil {
			t.Errorf("%q, %q was sent", c.To, c.Subject)
		} else if c.To != "" && strings.Contains(err.Error(), c.To) {
			t.Errorf("the error repeats the address: %q", err)
		}
	}
	if got := s.messages(); len(got) != 0 {
		t.Fatalf("%d messages arrived: %+v", len(got), got)
	}
	// What looks like headers or the end of the message in the text is text.
	text := "Bcc: eve@example.org\r\n.\r\nMAIL FROM:<eve@example.org>\r\n"
	if err := m.Send(t.Context(), Message{To: "jane@example.org", Subject: "Grüße: " + strings.Repeat("ä", 150), Text: text}); err != nil {
		t.Fatal(err)
	}
	got := s.messages()
	if len(got) != 1 {
		t.Fatalf("%d messages arrived", len(got))
	}
	r, err := netmail.ReadMessage(strings.NewReader(got[0].data))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(r.Body))
	if err != nil || r.Header.Get("Bcc") != "" || strings.Count(string(body), "MAIL FROM") != 1 {
		t.Errorf("the text is %q, %v", body, err)
	}
	if subject, err := new(mime.WordDecoder).DecodeHeader(r.Header.Get("Subject")); err != nil || subject != "Grüße: "+strings.Repeat("ä", 150) {
		t.Errorf("the subject is %q, %v", subject, err)
	}
}

func TestNew(t *testing.T) {
	good := Config{Server: "mail.example.org:587", From: "no-reply@example.org"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { *c = Config{} }, "server"},
		{func(c *Config) { c.Server = "mail.example.org" }, "server"},
		{func(c *Config) { c.Server = "mail.example.org:0" }, "server"},
		{func(c *Config) { c.Server = "mail.example.org:smtp" }, "server"},
		{func(c *Config) { c.Server = ":25" }, "server"},
		{func(c *Config) { c.Server = "mail\n.example.org:25" }, "server"},
		{func(c *Config) { c.From = "" }, "from"},
		{func(c *Config) { c.From = "nobody" }, "from"},
		{func(c *Config) { c.From = "a@example.org, b@example.org" }, "from"},
		{func(c *Config) { c.From = "A\r\nBcc: b@example.org <a@example.org>" }, "from"},
		{func(c *Config) { c.TLS = "ssl" }, "tls"},
		{func(c *Config) { c.Username = "a" }, "username and password"},
		{func(c *Config) { c.Password = password }, "username and password"},
		{func(c *Config) { c.CA = []byte("none") }, "ca-file"},
	} {
		bad := good
		c.change(&bad)
		if _, err := New(bad); err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), password) {
			t.Errorf("%+v: %v, want %s", bad, err, c.want)
		}
	}
}
