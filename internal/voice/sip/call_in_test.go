package sip

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

func TestCallIn(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText, "X-Account: 7", "X-Account: 8", "Subject: lunch", "Supported: timer", "P-Thing: a, b")...)
		if c.To() != "+15550199" || c.From() != "+15550100" || c.Trunk() != "far" || c.ID() != l.callID {
			t.Errorf("call to %q from %q by %q, id %q", c.To(), c.From(), c.Trunk(), c.ID())
		}
		want := []Header{{"X-Account", "7"}, {"X-Account", "8"}, {"Subject", "lunch"}, {"P-Thing", "a, b"}}
		if got := c.Headers(); len(got) != len(want) || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] || got[3] != want[3] {
			t.Errorf("headers %v, want %v", got, want)
		}
		c.Ring()
		l.joined(r.far.response(180))
		ears := newEars()
		c.Answer(ears.media, ears.hear)
		res := l.joined(r.far.response(200))
		if string(res.Body()) != "v=0 agreed" {
			t.Errorf("described %q", res.Body())
		}
		ears.want(t, Answered)
		l.ack()
		ears.want(t, Confirmed)
		l.send("BYE", "Reason: Q.850;cause=16;text=\"bye\"")
		r.far.response(200)
		if ev := ears.over(t, HungUpThere, 0); ev.Q850 != 16 {
			t.Errorf("Q.850 cause %d", ev.Q850)
		}
		l.send("BYE")
		r.far.response(481)
	})
}

func TestCallInHangup(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l, c, ears := r.far.answered()
		c.Hangup()
		ears.over(t, HungUpHere, 0)
		bye := r.far.request(mBYE)
		if wire.ToTag(bye) != l.tag || wire.FromTag(bye) != l.remoteTag || bye.Recipient.String() != "sip:far@"+farAddr {
			t.Errorf("BYE\n%s", bye)
		}
		r.far.answer(bye, 200, "")
		c.Hangup()
		r.far.silent(time.Minute)
	})
}

// TestCallInRefused is what becomes of INVITEs that are no good, or for which there
// is no room.
func TestCallInRefused(t *testing.T) {
	sdp := withSDP(offerText)
	for _, c := range []struct {
		name   string
		set    func(o *Options)
		change func(text string) string
		lines  []string
		status int
		header string // that the answer must have
	}{
		{name: "a proxy's last hop", change: swap("Max-Forwards: 70", "Max-Forwards: 0"), lines: sdp, status: 483},
		{name: "100rel", lines: withSDP(offerText, "Require: 100rel, timer"), status: 420, header: "Unsupported: 100rel"},
		{name: "several extensions", lines: withSDP(offerText, "Require: a", "Require: b"), status: 420, header: "Unsupported: a, b"},
		{name: "another body", lines: []string{farContact, "Content-Type: text/plain", "", "hello"}, status: 415, header: "Accept: application/sdp"},
		{name: "a body without a type", lines: []string{farContact, "", "hello"}, status: 415},
		{name: "a compressed body", lines: withSDP(offerText, "Content-Encoding: gzip"), status: 415, header: "Accept-Encoding: identity"},
		{name: "no contact", lines: []string{contentType, "", offerText}, status: 400},
		{name: "no tag", change: func(s string) string { return cutTag(s) }, lines: sdp, status: 400},
		{name: "an empty tag of ours", change: swap("@192.0.2.1>\r\nCall-ID", "@192.0.2.1>;tag=\r\nCall-ID"), lines: sdp, status: 400},
		{name: "another method in CSeq", change: swap("1 INVITE", "1 BYE"), lines: sdp, status: 400},
		{name: "nonsense for From", change: swap("From: <", "From: <<>"), lines: sdp, status: 400},
		{name: "half a body", change: swap("Content-Length: 9", "Content-Length: 900"), lines: sdp, status: 400},
		{name: "another version", change: swap("SIP/2.0\r\nVia", "SIP/7.0\r\nVia"), lines: sdp, status: 505},
		{name: "another kind of address", change: swap("INVITE sip:+15550199@"+hereAddr, "INVITE mailto:a@b.example"), lines: sdp, status: 416},
		{name: "a short session", lines: withSDP(offerText, "Supported: timer", "Session-Expires: 60"), status: 422, header: "Min-SE: 90"},
		{name: "nobody takes calls", set: func(o *Options) { o.Incoming = nil }, lines: sdp, status: 480},
		{name: "too many in the trunk", set: func(o *Options) { o.Trunks[0].MaxCalls = 1 }, lines: sdp, status: 486},
		{name: "too many", set: func(o *Options) { o.Limits.Calls = 1 }, lines: sdp, status: 503, header: "Retry-After: 60"},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, c.set, func(r *rig) {
				if strings.HasPrefix(c.name, "too many") {
					r.far.answered()
				}
				l := r.far.leg("+15550199")
				text := l.text("INVITE", 1, "", c.lines...)
				if c.change != nil {
					changed := c.change(text)
					if changed == text {
						t.Fatalf("nothing changed in\n%s", text)
					}
					text = changed
				}
				r.far.send(text)
				res := r.far.response(c.status)
				if c.header != "" && !strings.Contains(res.String(), c.header+"\r\n") {
					t.Errorf("want %q in\n%s", c.header, res)
				}
				if wire.ToTag(res) == "" {
					t.Errorf("no tag in\n%s", res)
				}
				// It goes again until it is acknowledged.
				r.far.response(c.status)
				l.remoteTag = wire.ToTag(res)
				r.far.send(l.text("ACK", 1, l.lastBranch))
				r.far.silent(time.Minute)
				if len(r.incoming) != 0 {
					t.Error("the call was told of")
				}
			})
		})
	}
}

func swap(old, with string) func(string) string {
	return func(s string) string { return strings.Replace(s, old, with, 1) }
}

// drop takes a line out.
func drop(prefix string) func(string) string {
	return func(s string) string {
		before, rest, _ := strings.Cut(s, "\r\n"+prefix)
		_, after, _ := strings.Cut(rest, "\r\n")
		return before + "\r\n" + after
	}
}

func cutTag(s string) string {
	before, rest, _ := strings.Cut(s, ";tag=")
	_, after, _ := strings.Cut(rest, "\r\n")
	return before + "\r\n" + after
}

// TestUnanswerable are requests without what an answer is to repeat.
func TestUnanswerable(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		for _, change := range []func(string) string{
			drop("Call-ID: "), drop("CSeq: "), drop("To: "), drop("From: "), drop("Via: "), swap("SIP/2.0/UDP", "HTTP/1.1/TCP"),
		} {
			text := r.far.leg("+15550199").text("OPTIONS", 1, "")
			r.far.send(change(text))
			if change(text) == text {
				t.Errorf("nothing changed in\n%s", text)
			}
		}
		r.far.silent(time.Minute)
	})
}

func TestCallInReject(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		c.Reject(486)
		l.remoteTag = wire.ToTag(r.far.response(486))
		r.far.send(l.text("ACK", 1, l.lastBranch))
		ears := newEars()
		c.Answer(ears.media, ears.hear)
		ears.over(t, HungUpHere, 486)
		r.far.silent(time.Minute)
	})
}

func TestCallInNotAcceptable(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		ears := newEars()
		ears.media.fail = errors.New("no codec in common")
		c.Answer(ears.media, ears.hear)
		l.remoteTag = wire.ToTag(r.far.response(488))
		r.far.send(l.text("ACK", 1, l.lastBranch))
		ears.over(t, Failed, 488)
	})
}

func TestCallInCancel(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		branch := l.lastBranch
		c.Ring()
		r.far.response(180)
		r.far.send(l.text("CANCEL", 1, branch))
		r.far.response(200)
		res := r.far.response(487)
		l.remoteTag = wire.ToTag(res)
		r.far.send(l.text("ACK", 1, branch))
		ears := newEars()
		c.Answer(ears.media, ears.hear)
		ears.over(t, Cancelled, 487)
		r.far.send(l.text("CANCEL", 1, ""))
		r.far.response(481)
	})
}

// TestCallInCancelLate: CANCEL that crosses the 200 is answered, and the call stays.
func TestCallInCancelLate(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		branch := l.lastBranch
		ears := newEars()
		c.Answer(ears.media, ears.hear)
		res := r.far.response(200)
		r.far.send(l.text("CANCEL", 1, branch))
		if cancel := r.far.response(200); wire.MethodOf(cancel) != mCANCEL {
			t.Fatalf("got\n%s", cancel)
		}
		l.joined(res)
		l.ack()
		ears.want(t, Answered, Confirmed)
		if r.e.Calls() != 1 {
			t.Error("the call is gone")
		}
	})
}

// TestCallInNoACK: 200 goes again at growing distances, and the call ends when its ACK
// never comes (RFC 3261 §13.3.1.4).
func TestCallInNoACK(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		ears := newEars()
		begin := time.Now()
		c.Answer(ears.media, ears.hear)
		var at []time.Duration
		for {
			m := r.far.next(time.Minute)
			if req, ok := m.(*sip.Request); ok {
				if req.Method != mBYE {
					t.Fatalf("got\n%s", req)
				}
				r.far.answer(req, 200, "")
				break
			}
			at = append(at, time.Since(begin))
		}
		if d := time.Since(begin); d != 32*time.Second {
			t.Errorf("given up after %v", d)
		}
		want := []time.Duration{0, 500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500}
		if len(at) != len(want) {
			t.Fatalf("sent at %v", at)
		}
		for i, w := range want {
			if at[i] != w*time.Millisecond {
				t.Errorf("sent at %v, want %v ms", at, want)
				break
			}
		}
		ears.want(t, Answered)
		ears.over(t, NoACK, 0)
	})
}

// TestCallInRetransmitted: an INVITE that comes again makes no second call and is
// answered as before.
func TestCallInRetransmitted(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		r.far.send(l.invite)
		r.far.response(100)
		c.Ring()
		r.far.response(180)
		r.far.send(l.invite)
		r.far.response(180)
		// The same call by another way is refused (RFC 3261 §8.2.2.2).
		r.far.send(l.text("INVITE", 1, "", withSDP(offerText)...))
		l.remoteTag = wire.ToTag(r.far.response(482))
		r.far.send(l.text("ACK", 1, l.lastBranch))
		if len(r.incoming) != 0 {
			t.Error("a second call")
		}
	})
}

// TestCallInOfferless: an INVITE without a description is offered one in the 200, and
// the ACK has the answer.
func TestCallInOfferless(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		good         bool
	}{
		{"answered", "v=0 answer", true},
		{"nonsense", "x", false},
		{"nothing", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, nil, func(r *rig) {
				l := r.far.leg("+15550199")
				call := l.call(farContact)
				ears := newEars()
				call.Answer(ears.media, ears.hear)
				res := l.joined(r.far.response(200))
				if string(res.Body()) != "v=0 ours 1" {
					t.Errorf("offered %q", res.Body())
				}
				ears.want(t, Answered)
				if c.answer == "" {
					l.ack()
				} else {
					l.ack(contentType, "", c.answer)
				}
				if c.good {
					ears.want(t, Confirmed)
					if got := ears.media.has(&ears.media.accepted); len(got) != 1 || got[0] != c.answer {
						t.Errorf("accepted %q", got)
					}
					return
				}
				ears.over(t, Failed, 0)
				r.far.answer(r.far.request(mBYE), 200, "")
			})
		})
	}
}

// TestCallInHangupBeforeACK: BYE waits for the ACK (RFC 3261 §15).
func TestCallInHangupBeforeACK(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		ears := newEars()
		c.Answer(ears.media, ears.hear)
		l.joined(r.far.response(200))
		c.Hangup()
		ears.want(t, Answered)
		ears.over(t, HungUpHere, 0)
		r.far.response(200) // again
		l.ack()
		r.far.answer(r.far.request(mBYE), 200, "")
		r.far.silent(time.Minute)
	})
}

// TestCallInBYEBeforeACK: BYE may overtake the ACK.
func TestCallInBYEBeforeACK(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		ears := newEars()
		c.Answer(ears.media, ears.hear)
		l.joined(r.far.response(200))
		l.send("BYE")
		r.far.response(200)
		l.seq = 1
		l.ack()
		ears.want(t, Answered)
		ears.over(t, HungUpThere, 0)
		r.far.silent(time.Minute)
	})
}

// TestCallInBYEBeforeAnswer: BYE in place of CANCEL.
func TestCallInBYEBeforeAnswer(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		branch := l.lastBranch
		c.Ring()
		l.joined(r.far.response(180))
		l.send("BYE")
		if res := r.far.response(200); wire.MethodOf(res) != mBYE {
			t.Fatalf("got\n%s", res)
		}
		r.far.response(487)
		r.far.send(l.text("ACK", 1, branch))
		ears := newEars()
		c.Answer(ears.media, ears.hear)
		ears.over(t, HungUpThere, 0)
	})
}

// TestCallInRingsOn: the caller is told each minute that it still rings.
func TestCallInRingsOn(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		begin := time.Now()
		c.Ring()
		c.Ring()
		r.far.response(180)
		r.far.response(180)
		if d := time.Since(begin); d != time.Minute {
			t.Errorf("again after %v", d)
		}
	})
}

// TestCallInRecorded: proxies that record their route are kept to, strict or loose,
// and Record-Route comes back with all of its parameters.
func TestCallInRecorded(t *testing.T) {
	for _, c := range []struct{ name, record, uri, route string }{
		{"loose", "<sip:192.0.2.3;lr;x=1>;y=2", "sip:far@" + farAddr, "<sip:192.0.2.3;lr;x=1>;y=2"},
		{"strict", "<sip:192.0.2.3>", "sip:192.0.2.3", "<sip:far@" + farAddr + ">"},
		{"two", "<sip:192.0.2.3;lr>, <sip:p.example;lr>", "sip:far@" + farAddr, "<sip:192.0.2.3;lr>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, nil, func(r *rig) {
				proxy := r.peer(otherAddr)
				l := r.far.leg("+15550199")
				call := l.call(withSDP(offerText, "Record-Route: "+c.record)...)
				ears := newEars()
				call.Answer(ears.media, ears.hear)
				res := l.joined(r.far.response(200))
				if got := wire.Field(res, "Record-Route"); got != c.record {
					t.Errorf("recorded %q", got)
				}
				l.ack()
				ears.want(t, Answered, Confirmed)
				call.Hangup()
				bye := proxy.request(mBYE)
				if bye.Recipient.String() != c.uri || wire.Field(bye, "Route") != c.route {
					t.Errorf("BYE\n%s", bye)
				}
				// The proxy, which is on no trunk, is heard.
				proxy.answer(bye, 200, "")
				ears.over(t, HungUpHere, 0)
				proxy.silent(time.Minute)
			})
		})
	}
}
