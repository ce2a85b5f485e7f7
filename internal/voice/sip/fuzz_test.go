package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// legal takes everything that comes to a far side for a while: each must be a
// message, an answer one to a request of its.
func (p *peer) legal(wait time.Duration) {
	p.Helper()
	for range 1000 {
		timer := time.NewTimer(wait)
		select {
		case d := <-p.s.in:
			timer.Stop()
			m, err := wire.NewParser().ParseSIP(d.data)
			if err != nil {
				p.Fatalf("%v in\n%s", err, d.data)
			}
			if res, ok := m.(*sip.Response); ok {
				if res.StatusCode < 100 || res.StatusCode > 699 || res.Via() == nil {
					p.Fatalf("no legal answer\n%s", d.data)
				}
				if !strings.HasSuffix(string(d.data), string(res.Body())) || res.ContentLength() == nil || int(*res.ContentLength()) != len(res.Body()) {
					p.Fatalf("the length is wrong\n%s", d.data)
				}
			}
		case <-timer.C:
			return
		}
	}
	p.Fatal("there is no end of messages")
}

// seeds are messages to begin with.
func seeds(l *leg) []string {
	sdp := withSDP(offerText, "Supported: timer", "Session-Expires: 600", "X-A: b")
	all := []string{
		l.text("INVITE", 1, "", sdp...),
		l.text("INVITE", 1, "", farContact, "Record-Route: <sip:a;lr>, <sip:b>", "Require: 100rel"),
		l.text("INVITE", 1, "", farContact, "Content-Type: multipart/mixed;boundary=x", "", "--x", "Content-Type: application/sdp", "", "v=0", "--x--"),
		l.text("OPTIONS", 1, "", "Accept: application/sdp"),
		l.text("REGISTER", 1, "", farContact, "Expires: 60"),
		l.text("CANCEL", 1, "z9hG4bKx"),
		l.text("ACK", 1, ""),
		l.text("BYE", 1, "", `Reason: Q.850;cause=16;text="a, b"`),
		l.text("JUMP", 1, ""),
		strings.ReplaceAll(l.text("OPTIONS", 1, ""), "\r\n", "\n"),
		strings.Replace(l.text("OPTIONS", 1, ""), "Via:", "v:", 1),
		strings.Replace(l.text("OPTIONS", 1, ""), "From: ", "From:\r\n  ", 1),
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nCSeq: 1 INVITE\r\n\r\n",
		"SIP/2.0 200 OK\r\n\r\n", "INVITE sip:a SIP/2.0\r\n\r\n", "\r\n\r\n", "\x00",
	}
	l.remoteTag = "x"
	return append(all, l.text("INVITE", 2, "", sdp...), l.text("NOTIFY", 2, "", "Event: refer", "Content-Type: message/sipfrag", "", "SIP/2.0 200 OK"))
}

// FuzzMessage throws datagrams at an endpoint: a stranger is never answered, who is
// on a trunk gets a legal answer or none, and nothing is left of it.
func FuzzMessage(f *testing.F) {
	for _, s := range seeds((&peer{s: &sock{addr: netip.MustParseAddrPort(farAddr)}}).leg("+15550199")) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		virtual(t, func(o *Options) {
			o.Incoming = func(c *Call) {
				c.Ring()
				c.Answer(&fakeMedia{}, func(Event) {})
			}
		}, func(r *rig) {
			stranger := r.peer("203.0.113.9:5060")
			stranger.send(string(data))
			stranger.silent(time.Minute)
			r.far.send(string(data))
			r.far.send(string(data))
			r.far.legal(10 * time.Minute)
			stranger.silent(time.Second)
			if n := r.e.Calls(); n != 0 {
				t.Errorf("%d calls are left", n)
			}
		})
	})
}

// FuzzDialog sends messages of a call that have something in them changed: whatever
// it is, the call can be ended, and nothing is left of it.
func FuzzDialog(f *testing.F) {
	for kind := range uint8(12) {
		f.Add(kind, uint16(0), uint8(0), []byte(nil))
		f.Add(kind, uint16(200), uint8(3), []byte("x"))
	}
	f.Fuzz(func(t *testing.T, kind uint8, at uint16, cut uint8, put []byte) {
		virtual(t, nil, func(r *rig) {
			l, call, ears := (*leg)(nil), (*Call)(nil), (*ears)(nil)
			if kind&0x80 != 0 {
				l, call, ears = r.far.dialled("Session-Expires: 600;refresher=uas", "Allow: UPDATE")
			} else {
				l, call, ears = r.far.answered(withSDP(offerText, "Supported: timer", "Session-Expires: 600")...)
			}
			seq := l.seq + 1
			text := ""
			switch kind & 0x7f % 12 {
			case 0:
				text = l.text("INVITE", seq, "", withSDP("v=0 sendonly", "Supported: timer", "Session-Expires: 600")...)
			case 1:
				text = l.text("INVITE", seq, "", farContact)
			case 2:
				text = l.text("UPDATE", seq, "", withSDP("v=0 sendonly")...)
			case 3:
				text = l.text("INFO", seq, "", "Content-Type: application/dtmf-relay", "", "Signal=5")
			case 4:
				call.Refer("+15550177")
				r.far.request(mREFER)
				text = l.text("NOTIFY", seq, "", "Event: refer", "Subscription-State: active", "Content-Type: message/sipfrag", "", "SIP/2.0 200 OK")
			case 5:
				text = l.text("BYE", seq, "", "Reason: Q.850;cause=16")
			case 6:
				text = l.text("ACK", l.seq, "", contentType, "", "v=0 answer")
			case 7:
				text = l.text("OPTIONS", seq, "", "Require: x")
			case 8:
				call.Reinvite()
				text = answerText(r.far.request(mINVITE), 200, l.tag, withSDP("v=0 recvonly", "Session-Expires: 600;refresher=uac")...)
			case 9:
				call.Reinvite()
				text = answerText(r.far.request(mINVITE), 491, l.tag)
			case 10:
				call.Reinvite()
				text = answerText(r.far.request(mINVITE), 401, l.tag, `WWW-Authenticate: Digest realm="r", nonce="n"`)
			case 11:
				call.Info("5")
				text = answerText(r.far.request(mINFO), 422, l.tag, "Min-SE: 700")
			}
			from := min(int(at), len(text))
			text = text[:from] + string(put) + text[min(from+int(cut), len(text)):]
			r.far.send(text)
			r.far.legal(100 * time.Second)
			call.Hangup()
			for len(r.incoming) > 0 { // it has become another call
				(<-r.incoming).Hangup()
			}
			r.far.legal(10 * time.Minute)
			last := Event{}
			for last.Kind != Ended {
				last = ears.next(t, time.Second)
			}
			if n := len(ears.events); n != 0 {
				t.Errorf("told %d things after the end: %s", n, fmt.Sprint(<-ears.events))
			}
			if n := r.e.Calls(); n != 0 {
				t.Errorf("%d calls are left", n)
			}
		})
	})
}
