package ldap

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/identity/ldap/ldaptest"
)

// reading is the configuration of a directory that the search account reads.
func reading(s *ldaptest.Server, change ...func(*Config)) Config {
	c := Config{URL: s.URL, BindDN: ldaptest.ReaderDN, BindPassword: s.ReaderPassword, SearchBase: ldaptest.Base, Timeout: 10 * time.Second}
	for _, f := range change {
		f(&c)
	}
	return c
}

func made(t *testing.T, c Config) *Directory {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// isDown checks an error, that it names its cause, and that no connection is
// left open.
func isDown(t *testing.T, d *Directory, err error, cause string) {
	t.Helper()
	if !errors.Is(err, ErrDown) || errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), cause) {
		t.Errorf("got %v, want that it is down because of %q", err, cause)
	}
	if n := len(d.slots); n != 0 {
		t.Errorf("%d connections are open", n)
	}
}

func starting(c *Config) { c.StartTLS = true }

func TestTLS(t *testing.T) {
	mary := []ldaptest.Person{{UID: "mary"}}
	trusting := func(s *ldaptest.Server) func(*Config) { return func(c *Config) { c.CA = s.CA } }
	secure := func(s *ldaptest.Server) func(*Config) { return func(c *Config) { c.URL = s.TLSURL } }
	named := func(c *Config) { c.URL = strings.Replace(c.URL, "127.0.0.1", "localhost", 1) }
	good := ldaptest.Start(t, ldaptest.Options{People: mary})
	expired := ldaptest.Start(t, ldaptest.Options{People: mary, Certificate: ldaptest.Expired})
	other := ldaptest.Start(t, ldaptest.Options{People: mary, Certificate: ldaptest.OtherName})
	none := ldaptest.Start(t, ldaptest.Options{People: mary, Certificate: ldaptest.None})
	for what, c := range map[string]struct {
		s      *ldaptest.Server
		change []func(*Config)
		cause  string // of a failure, empty for none
	}{
		"LDAPS":                            {good, []func(*Config){trusting(good), secure(good)}, ""},
		"LDAPS by name":                    {good, []func(*Config){trusting(good), secure(good), named}, ""},
		"LDAPS, unknown authority":         {good, []func(*Config){secure(good)}, "certificate signed by unknown authority"},
		"LDAPS, another authority":         {good, []func(*Config){trusting(other), secure(good)}, "certificate signed by unknown authority"},
		"LDAPS, expired":                   {expired, []func(*Config){trusting(expired), secure(expired)}, "expired"},
		"LDAPS, other name":                {other, []func(*Config){trusting(other), secure(other)}, "127.0.0.1"},
		"LDAPS where plain LDAP is":        {good, []func(*Config){trusting(good), func(c *Config) { c.URL = "ldaps" + strings.TrimPrefix(good.URL, "ldap") }}, "connect"},
		"StartTLS":                         {good, []func(*Config){trusting(good), starting}, ""},
		"StartTLS by name":                 {good, []func(*Config){trusting(good), starting, named}, ""},
		"StartTLS, unknown authority":      {good, []func(*Config){starting}, "certificate signed by unknown authority"},
		"StartTLS, expired":                {expired, []func(*Config){trusting(expired), starting}, "expired"},
		"StartTLS, other name":             {other, []func(*Config){trusting(other), starting}, "127.0.0.1"},
		"StartTLS, not offered":            {none, []func(*Config){trusting(good), starting}, "StartTLS: "},
		"StartTLS where TLS is":            {good, []func(*Config){trusting(good), starting, func(c *Config) { c.URL = "ldap" + strings.TrimPrefix(good.TLSURL, "ldaps") }}, "StartTLS: "},
		"in the clear, here":               {none, nil, ""},
		"in the clear, here by name":       {none, []func(*Config){named}, ""},
		"wrong password of search account": {none, []func(*Config){func(c *Config) { c.BindPassword = "wrong" }}, "bind-dn"},
	} {
		t.Run(what, func(t *testing.T) {
			d := made(t, reading(c.s, c.change...))
			e, err := d.SignIn(t.Context(), "mary", c.s.Password("mary"))
			if c.cause != "" {
				isDown(t, d, err, c.cause)
				return
			}
			if err != nil || e.Username != "mary" || len(d.slots) != 0 {
				t.Fatalf("got %+v, %v; %d connections are open", e, err, len(d.slots))
			}
			if _, err := d.SignIn(t.Context(), "mary", "wrong"); err != ErrRefused { //nolint:errorlint // nothing is to be told of it
				t.Errorf("wrong password: got %v", err)
			}
		})
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s := httptest.NewUnstartedServer(nil)
	s.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it is the refusal that is wanted
	s.StartTLS()
	defer s.Close()
	d := made(t, Config{
		URL: "ldaps://" + s.Listener.Addr().String(), SearchBase: ldaptest.Base,
		CA: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}),
	})
	_, err := d.SignIn(t.Context(), "mary", "secret")
	isDown(t, d, err, "protocol version")
}

func TestDown(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.Options{People: []ldaptest.Person{{UID: "mary"}}})
	d := made(t, reading(s))
	for range 2 {
		if _, err := d.SignIn(t.Context(), "mary", s.Password("mary")); err != nil {
			t.Fatal(err)
		}
		s.Stop()
		_, err := d.SignIn(t.Context(), "mary", s.Password("mary"))
		isDown(t, d, err, "refused")
		_, err = d.Find(t.Context(), "mary")
		isDown(t, d, err, "refused")
		s.Again()
	}
}

// peer is a directory that does with each connection what a function says, and
// closes it then.
func peer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var busy sync.WaitGroup
	busy.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			busy.Go(func() {
				defer c.Close()
				serve(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		busy.Wait()
	})
	return l.Addr().String()
}

// What directories answer the first request with, as RFC 4511 has it encoded.
const (
	bound     = "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"                             // BindResponse: success
	notBound  = "\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x31\x04\x00\x04\x00"                             // BindResponse: invalidCredentials
	notFound  = "\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x00\x04\x00\x04\x00"                             // SearchResultDone: success
	nameless  = "\x30\x09\x02\x01\x01\x64\x04\x04\x00\x30\x00"                                         // SearchResultEntry
	referral  = "\x30\x0c\x02\x01\x01\x65\x07\x0a\x01\x0a\x04\x00\x04\x00"                             // SearchResultDone: referral
	truncated = "\x30\x0c\x02\x01\x01\x61"                                                             // and no more
	boundless = "\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x64\x84\x7f\xff\xff\xf0\x04\x84\x7f\xff\xff\x00" // 2 GB are to come
)

// drain reads until the other end is closed.
func drain(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// says answers the first request and then is silent.
func says(what string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := c.Read(make([]byte, 1024)); err == nil {
			_, _ = io.WriteString(c, what)
			drain(c)
		}
	}
}

func TestMisbehavingDirectories(t *testing.T) {
	binding := func(c *Config) { c.BindDN, c.BindPassword = "cn=reader", "secret" }
	secure := func(c *Config) { c.URL = strings.Replace(c.URL, "ldap:", "ldaps:", 1) }
	quick := func(c *Config) { c.Timeout = 100 * time.Millisecond }
	endless := func(first, more string) func(net.Conn) {
		return func(c net.Conn) {
			_, err := io.WriteString(c, first)
			for err == nil {
				_, err = io.WriteString(c, more)
			}
		}
	}
	for what, c := range map[string]struct {
		serve  func(net.Conn)
		change []func(*Config)
		cause  string
	}{
		"silent":                          {drain, []func(*Config){quick}, "too long to answer"},
		"silent to a bind":                {drain, []func(*Config){quick, binding}, "too long to answer"},
		"silent to TLS":                   {drain, []func(*Config){quick, secure}, "too long to answer"},
		"silent to StartTLS":              {drain, []func(*Config){quick, starting}, "too long to answer"},
		"silent after a bind":             {says(bound), []func(*Config){quick, binding}, "search: it takes too long"},
		"stops in the middle":             {says(truncated), []func(*Config){quick, binding}, "too long to answer"},
		"closes at once":                  {func(net.Conn) {}, nil, "search"},
		"closes after the request":        {func(c net.Conn) { _, _ = c.Read(make([]byte, 1024)) }, nil, "search"},
		"speaks something else":           {says("HTTP/1.1 400 Bad Request\r\n\r\n"), []func(*Config){quick}, "search"},
		"announces 2 GB":                  {says(boundless), []func(*Config){quick}, "search"},
		"never ends":                      {endless("", nameless), nil, ErrAmbiguous.Error()},
		"sends an entry without end":      {endless(boundless, strings.Repeat("x", 1<<16)), nil, errTooLong.Error()},
		"answers a search with a bind":    {says(bound), []func(*Config){quick}, "search"},
		"answers TLS with LDAP":           {says(bound), []func(*Config){secure, quick}, "connect"},
		"refuses the search account":      {says(notBound), []func(*Config){binding}, "Invalid Credentials"},
		"sends elsewhere":                 {says(referral), nil, "Referral"},
		"has an entry without a name":     {says(nameless + notFound), nil, "no distinguished name"},
		"finds nobody and is silent then": {says(notFound), []func(*Config){quick}, "bind as the user: it takes too long"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			config := Config{URL: "ldap://" + peer(t, c.serve), SearchBase: ldaptest.Base, Timeout: 10 * time.Second}
			for _, f := range c.change {
				f(&config)
			}
			d := made(t, config)
			_, err := d.SignIn(t.Context(), "mary", "Geheim123")
			isDown(t, d, err, c.cause)
			if err != nil && strings.Contains(err.Error(), "Geheim123") {
				t.Errorf("the error %q tells the password", err)
			}
		})
	}
}

// TestWhoeverAsksMayGiveUp: a directory that hangs holds nobody whose request is
// over.
func TestWhoeverAsksMayGiveUp(t *testing.T) {
	asked := make(chan struct{}, 1)
	d := made(t, Config{SearchBase: ldaptest.Base, Timeout: time.Hour, URL: "ldap://" + peer(t, func(c net.Conn) {
		if _, err := c.Read(make([]byte, 1024)); err == nil {
			asked <- struct{}{}
			drain(c)
		}
	})})
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone home")
	failed := make(chan error, 1)
	go func() {
		_, err := d.SignIn(ctx, "mary", "secret")
		failed <- err
	}()
	<-asked
	cancel(gone)
	err := <-failed
	isDown(t, d, err, gone.Error())
	if !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
	// What reads ends as its connection is closed, a moment later.
	for deadline := time.After(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
		select {
		case <-deadline:
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		default:
		}
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	s := ldaptest.Start(t, ldaptest.Options{People: []ldaptest.Person{{UID: "mary"}}})
	d := made(t, reading(s, func(c *Config) { c.Timeout = 50 * time.Millisecond }))
	for range cap(d.slots) {
		d.slots <- struct{}{}
	}
	if _, err := d.Find(t.Context(), "mary"); !errors.Is(err, errBusy) || !errors.Is(err, ErrDown) {
		t.Errorf("got %v", err)
	}
	for range cap(d.slots) {
		<-d.slots
	}
	d = made(t, reading(s))
	var all sync.WaitGroup
	for n := range 4 * cap(d.slots) {
		all.Go(func() {
			password, want := s.Password("mary"), error(nil)
			if n%2 == 1 {
				password, want = "wrong", ErrRefused
			}
			if _, err := d.SignIn(t.Context(), "mary", password); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
	all.Wait()
	if len(d.slots) != 0 {
		t.Errorf("%d connections are open", len(d.slots))
	}
}

// far is a connection to an address.
type far struct {
	net.Conn
	to net.Addr
}

func (f far) RemoteAddr() net.Addr { return f.to }

func TestRemoteIsLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "127.8.9.10": true, "::1": true, "::ffff:127.0.0.1": true,
		"192.0.2.1": false, "2001:db8::1": false, "::ffff:192.0.2.1": false, "0.0.0.0": false,
	} {
		if got := remoteIsLoopback(far{to: &net.TCPAddr{IP: net.ParseIP(address), Port: 389}}); got != want {
			t.Errorf("%s: got %v", address, got)
		}
	}
	if remoteIsLoopback(far{to: &net.UnixAddr{Name: "/run/slapd"}}) {
		t.Error("a path is no loopback address")
	}
}
