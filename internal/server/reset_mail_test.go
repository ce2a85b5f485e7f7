package server_test

import (
	"bufio"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audit"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// A mailbox is an SMTP server that takes everything, or nothing.
type mailbox struct {
	t       *testing.T
	address string
	refuses atomic.Bool
	letters chan *letter
	count   atomic.Int64
}

type letter struct {
	to, text string
}

func startMailbox(t *testing.T) *mailbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	servertest.OK(t, err)
	m := &mailbox{t: t, address: l.Addr().String(), letters: make(chan *letter, 100)}
	var running sync.WaitGroup
	running.Go(func() {
		for range 100 {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				m.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return m
}

func (m *mailbox) serve(conn net.Conn) {
	r := bufio.NewReader(conn)
	got := &letter{}
	say := func(text string) { _, _ = fmt.Fprint(conn, text+"\r\n") }
	say("220 mail.test")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "RCPT":
			if m.refuses.Load() {
				say("550 5.1.1 nobody")
				continue
			}
			got.to = strings.TrimSpace(line)
			say("250 fine")
		case "DATA":
			say("354 go on")
			var data strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				data.WriteString(strings.TrimPrefix(line, "."))
			}
			letter, err := mail.ReadMessage(strings.NewReader(data.String()))
			if err != nil {
				m.t.Errorf("what was sent is no message: %v", err)
				return
			}
			text, err := io.ReadAll(quotedprintable.NewReader(letter.Body))
			if err != nil {
				m.t.Error(err)
			}
			got.text = string(text)
			m.count.Add(1)
			m.letters <- got
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

var resetLink = regexp.MustCompile(`https?://\S+/reset\?code=\S+`)

// link waits for a letter and returns the link in it.
func (m *mailbox) link(to string) string {
	m.t.Helper()
	select {
	case l := <-m.letters:
		link := resetLink.FindString(l.text)
		if l.to != "RCPT TO:<"+to+">" || link == "" {
			m.t.Fatalf("the letter is to %s: %s", l.to, l.text)
		}
		return link
	case <-time.After(30 * time.Second):
		m.t.Fatal("there is no letter")
		return ""
	}
}

// until waits for what has been said to come true.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		pause := time.NewTimer(10 * time.Millisecond)
		<-pause.C
	}
}

// resetSite is a server with an instance of users with passwords.
type resetSite struct {
	*servertest.Server
	t     *testing.T
	mail  *mailbox
	log   *servertest.Log
	in    string
	root  string // of its pages
	later atomic.Int64
}

const firstPassword, secondPassword, thirdPassword = "First-Passw0rd-of-Jane", "Second-Passw0rd-of-Jane", "Third-Passw0rd-of-Jane"

func newResetSite(t *testing.T, withMail bool) *resetSite {
	t.Helper()
	r := &resetSite{t: t, mail: startMailbox(t), log: &servertest.Log{}}
	r.Server = servertest.Boot(t, func(c *server.Config) {
		c.Logger = r.log.Logger()
		c.Now = func() time.Time { return time.Now().Add(time.Duration(r.later.Load())) }
		if withMail {
			c.SignIn.SMTP = server.SMTP{Server: r.mail.address, From: "Contact Centre <no-reply@example.org>", TLS: "none"}
		}
	})
	r.in = r.NewInstanceOf(t, types.DirectoryTypeConnectManaged)
	r.root = "/-/login/" + r.in
	r.person("jane", "jane@example.org")
	return r
}

func (r *resetSite) person(name, email string) {
	r.t.Helper()
	newPersonOf(r.t, r.Server, r.in, name, func(in *connect.CreateUserInput) {
		in.Password = aws.String(firstPassword)
		if email != "" {
			in.IdentityInfo.Email = &email
		}
	})
}

func (r *resetSite) signIn(v *visitor, password string) page {
	r.t.Helper()
	return v.post(r.root, "username", "jane", "password", password)
}

// forgets has somebody ask for a link.
func (r *resetSite) forgets(name string) {
	r.t.Helper()
	v := newVisitor(r.t, r.Server, nil)
	v.is("the form", v.get(r.root+"/forgot"), http.StatusOK, r.root+"/forgot", "Forgotten your password?")
	v.is("asked", v.post(r.root+"/forgot", "username", name), http.StatusOK, r.root+"/forgot", "Look at your e-mail")
}

// resets counts the events of asking for links by outcome.
func (r *resetSite) resets(outcome audit.Outcome) (n int) {
	for _, e := range audited(r.t, r.Server) {
		if e.Event == audit.PasswordReset && e.Outcome == outcome {
			n++
		}
	}
	return n
}

// choose follows a link and sets a password.
func (r *resetSite) choose(v *visitor, link, password string) page {
	r.t.Helper()
	p := v.get(link)
	v.is("the link", p, http.StatusOK, r.root+"/reset", "Choose a new password")
	return v.post(r.root+"/reset", "new", password, "again", password, "form", v.hidden(p, "form"))
}

func TestResetByMail(t *testing.T) {
	r := newResetSite(t, true)
	r.person("silent", "")
	other := "/-/login/" + r.NewInstanceOf(t, types.DirectoryTypeConnectManaged)
	before := newVisitor(t, r.Server, nil)
	before.is("sign-in", r.signIn(before, firstPassword), http.StatusOK, r.root+"/home", "You are signed in")

	// Who is nobody, or has no address, gets the same answer and no letter.
	r.forgets("nobody")
	r.forgets("silent")
	r.forgets("Jane")
	r.forgets("jane")
	link := r.mail.link("jane@example.org")
	u, err := url.Parse(link)
	servertest.OK(t, err)
	if !strings.HasPrefix(link, r.URL+r.root+"/reset?code=") || len(u.Query().Get("code")) < 22 {
		t.Fatalf("the link is %s", link)
	}
	until(t, "four events", func() bool { return r.resets(audit.OK) == 1 && r.resets(audit.Refused) == 3 })

	// Again at once: nobody's mailbox is filled.
	r.forgets("jane")
	until(t, "another event", func() bool { return r.resets(audit.Refused) == 4 })

	v := newVisitor(t, r.Server, nil)
	v.is("a weak password", r.choose(v, link, "password"), http.StatusBadRequest, r.root+"/reset", "does not follow the rules")
	v.is("the old password", r.choose(v, link, firstPassword), http.StatusBadRequest, r.root+"/reset", "is the old one")
	before.is("the session meanwhile", before.get(r.root+"/home"), http.StatusOK, r.root+"/home", "You are signed in")
	v.is("a good password", r.choose(v, link, secondPassword), http.StatusOK, r.root, "Your password has been changed")
	lastAudited(t, r.Server, audit.Event{Event: audit.PasswordChange, Outcome: audit.OK, Door: "password", Instance: r.in, User: "jane"})

	before.is("the session from before", before.get(r.root+"/home"), http.StatusOK, r.root, "Enter your user name")
	v.is("nobody is signed in by a link", v.get(r.root+"/home"), http.StatusOK, r.root, "Enter your user name")
	v.is("the old password", r.signIn(v, firstPassword), http.StatusUnauthorized, r.root, "is wrong")
	v.is("the new password", r.signIn(v, secondPassword), http.StatusOK, r.root+"/home", "You are signed in")
	again := newVisitor(t, r.Server, nil)
	again.is("the link again", again.get(link), http.StatusBadRequest, r.root+"/reset", "no longer works")
	v.is("the session after that", v.get(r.root+"/home"), http.StatusOK, r.root+"/home", "You are signed in")

	// A link holds for half an hour, and until the password is another.
	r.later.Add(int64(10 * time.Minute))
	r.forgets("jane")
	early := r.mail.link("jane@example.org")
	r.later.Add(int64(2 * time.Minute))
	r.forgets("jane")
	late := r.mail.link("jane@example.org")
	again.is("the later of two", r.choose(again, late, thirdPassword), http.StatusOK, r.root, "Your password has been changed")
	again.is("the earlier of two", again.get(early), http.StatusBadRequest, r.root+"/reset", "no longer works")
	r.later.Add(int64(2 * time.Minute))
	r.forgets("jane")
	old := r.mail.link("jane@example.org")
	r.later.Add(int64(30*time.Minute + time.Second))
	again.is("too old", again.get(old), http.StatusBadRequest, r.root+"/reset", "no longer works")
	again.is("the password that holds", r.signIn(again, thirdPassword), http.StatusOK, r.root+"/home", "You are signed in")

	// A link is for its instance.
	r.later.Add(int64(time.Hour))
	r.forgets("jane")
	foreign := strings.Replace(r.mail.link("jane@example.org"), r.root, other, 1)
	again.is("the link in another instance", again.get(foreign), http.StatusBadRequest, other+"/reset", "no longer works")

	servertest.OK(t, r.Close())
	if n := r.mail.count.Load(); n != 5 {
		t.Errorf("%d letters were sent, want 5", n)
	}
	// The code is in the letter alone.
	if text := r.log.String(); strings.Contains(text, "code=") || strings.Contains(text, u.Query().Get("code")) {
		t.Error("the log holds a link")
	}
}

func TestResetWhenMailIsRefused(t *testing.T) {
	r := newResetSite(t, true)
	r.mail.refuses.Store(true)
	r.forgets("jane")
	until(t, "an event", func() bool { return r.resets(audit.Failed) == 1 })
	text := r.log.String()
	if !strings.Contains(text, "recipient: the server refuses with 550") || strings.Contains(text, "code=") {
		t.Errorf("the log says\n%s", text)
	}
	r.mail.refuses.Store(false)
	r.later.Add(int64(2 * time.Minute))
	r.forgets("jane")
	v := newVisitor(t, r.Server, nil)
	v.is("the next link", r.choose(v, r.mail.link("jane@example.org"), secondPassword), http.StatusOK, r.root, "Your password has been changed")
}

// Without a mail server the operator is told the link: that is the one secret in
// the log, and it is in no other.
func TestResetWithoutMail(t *testing.T) {
	r := newResetSite(t, false)
	r.person("silent", "") // who needs no address then
	r.forgets("nobody")
	r.forgets("silent")
	var link string
	until(t, "a link", func() bool {
		link = strings.Trim(resetLink.FindString(r.log.String()), `"`)
		return link != ""
	})
	v := newVisitor(t, r.Server, nil)
	v.is("the link", r.choose(v, link, secondPassword), http.StatusOK, r.root, "Your password has been changed")
	v.is("another's password", r.signIn(v, secondPassword), http.StatusUnauthorized, r.root, "is wrong")
	v.is("its own", v.post(r.root, "username", "silent", "password", secondPassword), http.StatusOK, r.root+"/home", "silent")
	v.is("the link again", v.get(link), http.StatusBadRequest, r.root+"/reset", "no longer works")
	if n := strings.Count(r.log.String(), "/reset?code="); n != 1 {
		t.Errorf("the log holds %d links", n)
	}
	for _, e := range audited(t, r.Server) {
		if strings.Contains(fmt.Sprint(e), "code=") {
			t.Errorf("the audit log holds the link: %+v", e)
		}
	}
}
