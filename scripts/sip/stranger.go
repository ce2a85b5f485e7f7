package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// stranger speaks to the server from an address that is on no trunk, and expects to
// hear nothing whatever it says. Then it asks from one that is, to know that the
// server was there all the time.
func stranger(_ context.Context, args []string) error {
	f := flag.NewFlagSet("stranger", flag.ExitOnError)
	server := f.String("server", "", "`host:port` of SIP")
	from := f.String("from", "127.0.0.1", "the stranger's `address`")
	friend := f.String("friend", "127.0.0.2", "`address` on a trunk")
	number := f.String("number", "", "a `number` that is claimed")
	_ = f.Parse(args) // ExitOnError
	to, err := net.ResolveUDPAddr("udp4", *server)
	if err != nil {
		return err
	}
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(*from)}, to)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	said := map[string]string{
		"an INVITE to a number":    request("INVITE", *number, conn.LocalAddr(), to),
		"an INVITE to no number":   request("INVITE", "+19005550199", conn.LocalAddr(), to),
		"OPTIONS":                  request("OPTIONS", "ping", conn.LocalAddr(), to),
		"REGISTER":                 request("REGISTER", "", conn.LocalAddr(), to),
		"BYE":                      request("BYE", *number, conn.LocalAddr(), to),
		"a method that is unknown": request("PUBLISH", "x", conn.LocalAddr(), to),
		"half an INVITE":           request("INVITE", *number, conn.LocalAddr(), to)[:90],
		"rubbish":                  "\x00\x01\xff HELLO \r\n\r\n",
		"a keep-alive":             "\r\n\r\n",
		"nothing":                  "",
	}
	for what, message := range said {
		if _, err := conn.Write([]byte(message)); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := strangerByTCP(*server, *from, said["OPTIONS"]); err != nil {
		return err
	}

	known, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(*friend)}, to)
	if err != nil {
		return err
	}
	defer func() { _ = known.Close() }()
	answer := make([]byte, 2048)
	if _, err := known.Write([]byte(request("OPTIONS", "ping", known.LocalAddr(), to))); err != nil {
		return err
	}
	_ = known.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := known.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "SIP/2.0 200 ") {
		return fmt.Errorf("OPTIONS from a trunk was answered %.40q, %w", answer[:n], err)
	}
	// All has been read by now; what would be said late has a second more.
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	if n, err := conn.Read(answer); !errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("the stranger was told %.60q, %w", answer[:n], err)
	}
	fmt.Printf("  ok  nothing is said to a stranger: %d messages by UDP, OPTIONS by TCP; OPTIONS from a trunk is answered\n", len(said))
	return nil
}

// strangerByTCP wants a connection that is refused, or closed without a word.
func strangerByTCP(server, from, message string) error {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}, Timeout: 5 * time.Second}
	conn, err := d.Dial("tcp4", server)
	if err != nil {
		return nil //nolint:nilerr // refused is as good
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(message)) // closed already, perhaps
	_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	answer := make([]byte, 2048)
	if n, err := conn.Read(answer); err == nil {
		return fmt.Errorf("the stranger was told %.60q by TCP", answer[:n])
	}
	return nil
}

// request is one that a telephone could send.
func request(method, user string, from net.Addr, to *net.UDPAddr) string {
	uri := "sip:" + to.String()
	if user != "" {
		uri = "sip:" + user + "@" + to.String()
	}
	lines := []string{
		method + " " + uri + " SIP/2.0",
		"Via: SIP/2.0/UDP " + from.String() + ";branch=z9hG4bK-" + method + user + ";rport",
		"Max-Forwards: 70",
		"From: <sip:stranger@" + from.String() + ">;tag=1",
		"To: <" + uri + ">",
		"Call-ID: " + method + user + "@" + from.String(),
		"CSeq: 1 " + method,
		"Contact: <sip:stranger@" + from.String() + ">",
	}
	body := ""
	if method == "INVITE" {
		body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"
		lines = append(lines, "Content-Type: application/sdp")
	}
	return strings.Join(append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body), "\r\n")
}
