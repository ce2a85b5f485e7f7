package call

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"ringdown/internal/contact"
	"ringdown/internal/voice/sip"
)

// scripted is a telephone that speaks SIP as a test tells it to, over a socket.
type scripted struct {
	t    *testing.T
	conn *net.UDPConn
	from *net.UDPAddr // the server
	seq  int
	seen []string // the beginnings of what has come
	// Of the dialog.
	id, local, remote, target string
}

func newScripted(t *testing.T) *scripted {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &scripted{t: t, conn: conn}
}

// next is the next message with this first word (a method, or SIP/2.0); others are
// left out.
func (s *scripted) next(word string) string {
	s.t.Helper()
	if err := s.conn.SetReadDeadline(time.Now().Add(long)); err != nil {
		s.t.Fatal(err)
	}
	b := make([]byte, 65536)
	for {
		n, from, err := s.conn.ReadFromUDP(b)
		if err != nil {
			s.t.Fatalf("waiting for %s: %v", word, err)
		}
		s.from = from
		s.seen = append(s.seen, string(b[:min(n, 10)]))
		if m := string(b[:n]); strings.HasPrefix(m, word+" ") {
			return m
		}
	}
}

// field is a header field of a message.
func field(m, name string) string {
	for l := range strings.SplitSeq(m, "\r\n") {
		if n, v, ok := strings.Cut(l, ":"); ok && strings.EqualFold(n, name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func (s *scripted) send(lines ...string) {
	s.t.Helper()
	if _, err := s.conn.WriteToUDP([]byte(strings.Join(lines, "\r\n")), s.from); err != nil {
		s.t.Fatal(err)
	}
}

// answer answers a request.
func (s *scripted) answer(m, status, body string) {
	to := field(m, "To")
	if !strings.Contains(to, ";tag=") {
		to += ";tag=scripted"
	}
	lines := []string{"SIP/2.0 " + status}
	for _, name := range []string{"Via", "From", "Call-ID", "CSeq"} {
		lines = append(lines, name+": "+field(m, name))
	}
	lines = append(lines, "To: "+to, "Contact: <sip:phone@"+s.conn.LocalAddr().String()+">")
	if strings.HasPrefix(m, "INVITE ") {
		s.id, s.local, s.remote = field(m, "Call-ID"), to, field(m, "From")
		s.target = strings.Trim(field(m, "Contact"), "<>")
	}
	if body != "" {
		lines = append(lines, "Content-Type: application/sdp")
	}
	s.send(append(lines, fmt.Sprintf("Content-Length: %d", len(body)), "", body)...)
}

// request sends a request within the dialog, and waits for its answer.
func (s *scripted) request(method, body string, fields ...string) string {
	s.t.Helper()
	s.seq++
	lines := []string{
		method + " " + s.target + " SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bKscripted%d;rport", s.conn.LocalAddr(), s.seq),
		"Max-Forwards: 70", "From: " + s.local, "To: " + s.remote, "Call-ID: " + s.id, fmt.Sprintf("CSeq: %d %s", s.seq, method),
		"Contact: <sip:phone@" + s.conn.LocalAddr().String() + ">",
	}
	s.send(append(append(lines, fields...), fmt.Sprintf("Content-Length: %d", len(body)), "", body)...)
	return s.next("SIP/2.0")
}

// notify tells how far a REFER is.
func (s *scripted) notify(status, state string) {
	s.t.Helper()
	if got := s.request("NOTIFY", "SIP/2.0 "+status+"\r\n", "Event: refer", "Subscription-State: "+state, "Content-Type: message/sipfrag"); !strings.HasPrefix(got, "SIP/2.0 200") {
		s.t.Errorf("NOTIFY was answered with %.40q", got)
	}
}

// referring is a call to a scripted telephone by a trunk that refers.
func referring(t *testing.T) (s *scripted, calls *Calls, leg contact.Leg, h *listener) {
	t.Helper()
	s = newScripted(t)
	calls = server(t, nil, func(o *Options) {
		o.SIP.Trunks = append(o.SIP.Trunks, sip.Trunk{Name: "out", Address: "sip:" + s.conn.LocalAddr().String(), Refer: true})
	})
	h = newListener(t)
	leg = calls.Dial(contact.Call{To: customer, From: office}, h.hear)
	s.answer(s.next("INVITE"), "200 OK", description)
	s.next("ACK")
	h.wants(contact.LegAnswered)
	return s, calls, leg, h
}

// description is that of a telephone that is not heard.
var description = strings.Join([]string{
	"v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0", "m=audio 9 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "",
}, "\r\n")

const third = "+14155550177"

// TestRefer: the far side calls the third party itself; then it is gone.
func TestRefer(t *testing.T) {
	leakFree(t)
	s, calls, leg, one := referring(t)
	two := newListener(t)
	other := calls.Dial(contact.Call{To: third, From: office, For: leg}, two.hear)
	m := s.next("REFER")
	if to := field(m, "Refer-To"); !strings.Contains(to, third) {
		t.Errorf("referred to %s", to)
	}
	s.answer(m, "202 Accepted", "")
	s.notify("100 Trying", "active;expires=60")
	two.quiet()
	one.quiet()
	s.notify("200 OK", "terminated;reason=noresource")
	two.wants(contact.LegAnswered)
	leg.Join(other) // as the engine does
	s.answer(s.next("BYE"), "200 OK", "")
	one.ends("CUSTOMER_DISCONNECT")
	two.ends("CUSTOMER_DISCONNECT")
	other.Hangup()
	one.quiet()
	two.quiet()
}

// TestReferThatFails: what becomes of a transfer that the far side does not make.
func TestReferThatFails(t *testing.T) {
	t.Run("refused: a second call", func(t *testing.T) {
		leakFree(t)
		s, calls, leg, one := referring(t)
		two := newListener(t)
		calls.Dial(contact.Call{To: third, From: office, For: leg}, two.hear)
		s.answer(s.next("REFER"), "405 Method Not Allowed", "")
		m := s.next("INVITE")
		if !strings.Contains(m, third) {
			t.Error("the second call is to somebody else")
		}
		s.answer(m, "486 Busy Here", "")
		two.ends("TELECOM_BUSY")
		leg.Hangup()
		one.ends("")
		s.answer(s.next("BYE"), "200 OK", "")
	})
	t.Run("by a peer that never refers: a second call, joined", func(t *testing.T) {
		leakFree(t)
		p := newPeer(t, sip.Trunk{}, nil)
		calls := server(t, p, func(o *Options) { o.SIP.Trunks[1].Refer = true })
		one, two := newListener(t), newListener(t)
		leg := calls.Dial(contact.Call{To: customer, From: office}, one.hear)
		one.wants(contact.LegRinging, contact.LegAnswered)
		other := calls.Dial(contact.Call{To: third, From: office, For: leg}, two.hear)
		two.wants(contact.LegRinging, contact.LegAnswered)
		leg.Join(other)
		a, b := <-p.calls, <-p.calls
		if b.call.To() != third {
			t.Errorf("the second call is to %s", b.call.To())
		}
		a.session.Press("6")
		one.types("6")
		b.hears("6")
		b.call.Hangup()
		two.ends("CUSTOMER_DISCONNECT")
		leg.Hangup()
		one.ends("")
	})
	t.Run("nobody tells what became of it", func(t *testing.T) {
		leakFree(t)
		s, calls, leg, one := referring(t)
		two := newListener(t)
		calls.Dial(contact.Call{To: third, From: office, For: leg, RingTimeout: 200 * time.Millisecond}, two.hear)
		s.answer(s.next("REFER"), "202 Accepted", "")
		two.ends("TELECOM_UNANSWERED")
		leg.Hangup()
		one.ends("")
		s.answer(s.next("BYE"), "200 OK", "")
	})
	t.Run("the far side hangs up meanwhile", func(t *testing.T) {
		leakFree(t)
		s, calls, leg, one := referring(t)
		two := newListener(t)
		calls.Dial(contact.Call{To: third, From: office, For: leg}, two.hear)
		s.answer(s.next("REFER"), "202 Accepted", "")
		s.request("BYE", "")
		one.ends("CUSTOMER_DISCONNECT")
		two.ends("CUSTOMER_DISCONNECT")
		calls.Dial(contact.Call{To: third, From: office, For: leg}, two.hear)
		two.ends("CUSTOMER_DISCONNECT")
	})
	t.Run("one at a time", func(t *testing.T) {
		leakFree(t)
		s, calls, leg, one := referring(t)
		two, three := newListener(t), newListener(t)
		first := calls.Dial(contact.Call{To: third, From: office, For: leg}, two.hear)
		s.answer(s.next("REFER"), "202 Accepted", "")
		calls.Dial(contact.Call{To: third, From: office, For: leg}, three.hear)
		s.answer(s.next("INVITE"), "404 Not Found", "")
		three.ends("TELECOM_NUMBER_INVALID")
		first.Hangup()
		two.ends("")
		leg.Hangup()
		one.ends("")
		s.answer(s.next("BYE"), "200 OK", "")
	})
	t.Run("who has not answered is called for, not referred", func(t *testing.T) {
		leakFree(t)
		s := newScripted(t)
		calls := server(t, nil, func(o *Options) {
			o.SIP.Trunks = append(o.SIP.Trunks, sip.Trunk{Name: "out", Address: "sip:" + s.conn.LocalAddr().String(), Refer: true})
		})
		one, two := newListener(t), newListener(t)
		leg := calls.Dial(contact.Call{To: customer, From: office}, one.hear)
		m := s.next("INVITE")
		s.answer(m, "180 Ringing", "")
		one.wants(contact.LegRinging)
		calls.Dial(contact.Call{To: third, From: office, For: leg}, two.hear)
		s.answer(s.next("INVITE"), "486 Busy Here", "")
		two.ends("TELECOM_BUSY")
		s.answer(m, "486 Busy Here", "")
		one.ends("TELECOM_BUSY")
		for _, m := range s.seen {
			if strings.HasPrefix(m, "REFER") {
				t.Error("it was referred")
			}
		}
	})
}

// TestEarlySilence: before the answer nobody need be heard; after it they must.
func TestEarlySilence(t *testing.T) {
	leakFree(t)
	s := newScripted(t)
	calls := server(t, nil, func(o *Options) {
		o.Media.Silence = 200 * time.Millisecond
		o.SIP.Trunks = append(o.SIP.Trunks, sip.Trunk{Name: "out", Address: "sip:" + s.conn.LocalAddr().String()})
	})
	h := newListener(t)
	calls.Dial(contact.Call{To: customer, From: office}, h.hear)
	m := s.next("INVITE")
	s.answer(m, "183 Session Progress", description)
	h.wants(contact.LegRinging)
	s.answer(m, "180 Ringing", "")
	select {
	case ev := <-h.events:
		t.Fatalf("while it rings: %+v", ev)
	case <-time.After(600 * time.Millisecond):
	}
	s.answer(m, "200 OK", description)
	answered := h.wants(contact.LegAnswered)
	s.next("ACK")
	ended := h.wants(contact.LegEnded)
	if after := ended.At.Sub(answered.At); ended.Reason != "TELECOM_PROBLEM" || after < 150*time.Millisecond {
		t.Errorf("it ended with %s after %v", ended.Reason, after)
	}
	s.answer(s.next("BYE"), "200 OK", "")
}
