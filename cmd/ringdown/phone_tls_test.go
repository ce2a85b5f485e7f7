package main

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ringdown/internal/certtest"
)

// busyOverTLS is a server that refuses every call as busy, over TLS. It returns its
// address, and its certificate.
func busyOverTLS(t *testing.T) (address, cert string) {
	t.Helper()
	own := certtest.New(t, certtest.Options{})
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{own.TLS()}, MinVersion: tls.VersionTLS12})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.SetDeadline(time.Now().Add(phonePatience))
			refuseInvite(conn)
			_ = conn.Close()
		}
	}()
	return "sips:" + l.Addr().String(), string(own.PEM())
}

// refuseInvite answers the first request with 486, and waits until the far side has
// acknowledged that.
func refuseInvite(conn net.Conn) {
	in := bufio.NewReader(conn)
	answer := "SIP/2.0 486 Busy Here\r\n"
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				answer += line
			}
		}
		if line == "\r\n" {
			break
		}
	}
	if _, err := io.WriteString(conn, strings.Replace(answer, "\r\nCall-ID", ";tag=busy\r\nCall-ID", 1)+"Content-Length: 0\r\n\r\n"); err != nil {
		return
	}
	for line := ""; !strings.HasPrefix(line, "ACK "); {
		var err error
		if line, err = in.ReadString('\n'); err != nil {
			return
		}
	}
}

// TestPhoneTLS: a server over TLS is called when its certificate is trusted, and when it
// is not, the phone says so.
func TestPhoneTLS(t *testing.T) {
	address, cert := busyOverTLS(t)
	trusted := file(t, "ca.pem", cert)
	got := run(t, nil, "", "phone", "dial", "+14155550100", "--server", address, "--ca", trusted)
	if got.code != 1 || !strings.Contains(got.stdout+got.stderr, "busy (486)") {
		t.Errorf("trusted: %s", got)
	}
	got = run(t, nil, "", "phone", "dial", "+14155550100", "--server", address)
	if got.code != 1 || !strings.Contains(got.stdout+got.stderr, "certificate") {
		t.Errorf("not trusted: %s", got)
	}
	for want, ca := range map[string]string{"there is no certificate in": file(t, "empty.pem", "none"), "no such file": trusted + ".none"} {
		if got := run(t, nil, "", "phone", "dial", "1", "--server", address, "--ca", ca); got.code != 1 || !strings.Contains(got.stderr, "--ca: ") || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %s", ca, got)
		}
	}
}
