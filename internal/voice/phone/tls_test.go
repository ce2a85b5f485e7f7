package phone

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"strings"
	"testing"

	"ringdown/internal/certtest"
	"ringdown/internal/voice/sip"
)

// described is the sound of a side that has none.
type described struct{}

const description = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"

func (described) Offer() ([]byte, error)        { return []byte(description), nil }
func (described) Answer([]byte) ([]byte, error) { return []byte(description), nil }
func (described) Accept([]byte) error           { return nil }

// TestTLS: a phone registers over TLS with a server whose certificate it is told to
// trust, and calls go both ways over that connection; others it does not trust, and says
// so.
func TestTLS(t *testing.T) {
	cert := certtest.New(t, certtest.Options{})
	ended := make(chan sip.Event, 10)
	hear := func(e sip.Event) {
		if e.Kind == sip.Ended {
			ended <- e
		}
	}
	server, err := sip.Listen(t.Context(), sip.Options{
		Listen: "127.0.0.1:0", ListenTLS: "127.0.0.1:0", TLS: &tls.Config{Certificates: []tls.Certificate{cert.TLS()}, MinVersion: tls.VersionTLS12},
		Trunks:   []sip.Trunk{{Name: "phones", Registrar: true, Sources: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}},
		Incoming: func(c *sip.Call) { c.Answer(described{}, hear) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	address := "sips:" + server.AddrTLS().String()

	p := newPhone(t, Options{Server: address, Roots: cert.Pool(), Register: true, Number: "+14155550199"})
	out, err := p.Dial(within(t), "+14155550100")
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Answered(within(t)); err != nil {
		t.Fatal(err)
	}
	out.Hangup()
	if e := <-ended; e.Cause != sip.HungUpThere {
		t.Errorf("the server was told %+v", e)
	}

	call, err := server.Dial(sip.Invitation{Trunk: "phones", To: "+14155550199", From: "+14155550100", Media: described{}, Hear: hear})
	if err != nil {
		t.Fatal(err)
	}
	in, err := p.Wait(within(t))
	if err != nil {
		t.Fatal(err)
	}
	in.Answer()
	if err := in.Answered(within(t)); err != nil {
		t.Fatal(err)
	}
	call.Hangup()
	if reason, err := in.Ended(within(t)); reason != "hung up there" {
		t.Errorf("ended: %s, %v", reason, err)
	}
	if e := <-ended; e.Cause != sip.HungUpHere {
		t.Errorf("the server was told %+v", e)
	}

	if _, err := New(within(t), Options{Server: address, Register: true}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("registered with a server that is not trusted: %v", err)
	}
	other := newPhone(t, Options{Server: address, Roots: x509.NewCertPool()})
	out, err = other.Dial(within(t), "+14155550100")
	if err != nil {
		t.Fatal(err)
	}
	if reason, err := out.Ended(within(t)); !strings.HasPrefix(reason, "failed: ") || !strings.Contains(reason, "certificate") || !out.Broken() {
		t.Errorf("ended: %s, %v", reason, err)
	}
}
