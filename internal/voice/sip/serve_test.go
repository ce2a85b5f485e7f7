package sip

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// TestWithin is what requests within a call are answered, and what is told of them.
func TestWithin(t *testing.T) {
	for _, c := range []struct {
		name, method string
		lines        []string
		status       int
		header       string
		digit        string
	}{
		{name: "are you there", method: "OPTIONS", status: 200, header: "Allow: " + allow},
		{name: "a digit", method: "INFO", lines: []string{"Content-Type: application/dtmf-relay", "", "Signal=5", "Duration=160"}, status: 200, digit: "5"},
		{name: "a digit, loosely", method: "INFO", lines: []string{"Content-Type: Application/DTMF-Relay ; x=y", "", "Duration = 100", "signal = # "}, status: 200, digit: "#"},
		{name: "a digit by its number", method: "INFO", lines: []string{"Content-Type: application/dtmf-relay", "", "Signal=10"}, status: 200, digit: "*"},
		{name: "a bare digit", method: "INFO", lines: []string{"Content-Type: application/dtmf", "", "d"}, status: 200, digit: "D"},
		{name: "no digit", method: "INFO", lines: []string{"Content-Type: application/dtmf-relay", "", "Signal=flash"}, status: 400},
		{name: "a sign of life", method: "INFO", status: 200},
		{name: "other news", method: "INFO", lines: []string{"Content-Type: application/x", "", "y"}, status: 415, header: "Accept: application/dtmf-relay, application/dtmf"},
		{name: "a package", method: "INFO", lines: []string{"Info-Package: x", "Content-Type: application/x", "", "y"}, status: 469},
		{name: "PRACK", method: "PRACK", lines: []string{"RAck: 1 1 INVITE"}, status: 481},
		{name: "a transfer", method: "REFER", lines: []string{"Refer-To: <sip:a@b.example>"}, status: 603},
		{name: "news of no transfer", method: "NOTIFY", lines: []string{"Event: refer", "Content-Type: message/sipfrag", "", "SIP/2.0 200 OK"}, status: 481},
		{name: "news of something else", method: "NOTIFY", lines: []string{"Event: presence"}, status: 489, header: "Allow-Events: refer"},
		{name: "a subscription", method: "SUBSCRIBE", lines: []string{"Event: x"}, status: 405, header: "Allow: " + allow},
		{name: "a text", method: "MESSAGE", lines: []string{"Content-Type: text/plain", "", "hello"}, status: 405},
		{name: "a publication", method: "PUBLISH", status: 405},
		{name: "a method nobody knows", method: "JUMP", status: 501, header: "Allow: " + allow},
		{name: "an extension nobody knows", method: "OPTIONS", lines: []string{"Require: x"}, status: 420, header: "Unsupported: x"},
		{name: "UPDATE with nonsense", method: "UPDATE", lines: []string{"Content-Type: text/plain", "", "hello"}, status: 415},
		{name: "UPDATE with what cannot be agreed to", method: "UPDATE", lines: withSDP("x"), status: 488},
		{name: "UPDATE with a short session", method: "UPDATE", lines: []string{"Supported: timer", "Session-Expires: 60"}, status: 422, header: "Min-SE: 90"},
		{name: "INVITE with nonsense", method: "INVITE", lines: []string{farContact, "Content-Type: text/plain", "", "hello"}, status: 415},
		{name: "INVITE with what cannot be agreed to", method: "INVITE", lines: withSDP("x"), status: 488},
		{name: "INVITE with a short session", method: "INVITE", lines: withSDP(offerText, "Supported: timer", "Session-Expires: 60"), status: 422, header: "Min-SE: 90"},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, nil, func(r *rig) {
				l, _, ears := r.far.answered()
				l.send(c.method, c.lines...)
				res := r.far.response(c.status)
				if c.header != "" && !strings.Contains(res.String(), c.header+"\r\n") {
					t.Errorf("want %q in\n%s", c.header, res)
				}
				if c.method == "INVITE" {
					r.far.send(l.text("ACK", l.seq, l.lastBranch))
				}
				if c.digit != "" {
					if ev := ears.want(t, Info); ev.Digit != c.digit {
						t.Errorf("digit %q", ev.Digit)
					}
				}
				// It comes again, and is answered again, and told of once.
				again := l.lastBranch
				if c.method != "INVITE" {
					r.far.send(l.text(c.method, l.seq, again, c.lines...))
					r.far.response(c.status)
				}
				// A number below the last makes no sense (RFC 3261 §12.2.2).
				r.far.send(l.text("OPTIONS", l.seq-1, ""))
				r.far.response(500)
				l.send("BYE")
				r.far.response(200)
				ears.over(t, HungUpThere, 0)
			})
		})
	}
}

// TestWithinNone are requests within dialogs that there are not.
func TestWithinNone(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l, _, ears := r.far.answered()
		for _, method := range []string{"BYE", "INFO", "UPDATE", "OPTIONS", "NOTIFY", "REFER", "INVITE"} {
			for _, change := range []func(l *leg){
				func(l *leg) { l.tag = "other" },
				func(l *leg) { l.remoteTag = "other" },
				func(l *leg) { l.callID = "other" },
			} {
				wrong := *l
				change(&wrong)
				r.far.send(wrong.text(method, 50, ""))
				res := r.far.response(481)
				if method == "INVITE" {
					wrong.remoteTag = wire.ToTag(res)
					r.far.send(wrong.text("ACK", 50, wrong.lastBranch))
				}
				l.branches = wrong.branches
			}
		}
		wrong := *l
		wrong.tag = "other"
		wrong.ack() // nothing is said to that
		l.branches = wrong.branches
		l.send("BYE")
		r.far.response(200)
		ears.over(t, HungUpThere, 0)
	})
}

// TestOutside are requests outside dialogs other than INVITE.
func TestOutside(t *testing.T) {
	for _, c := range []struct {
		method string
		lines  []string
		status int
	}{
		{"OPTIONS", nil, 200},
		{"OPTIONS", []string{"Require: x"}, 420},
		{"BYE", nil, 481},
		{"INFO", nil, 481},
		{"UPDATE", nil, 481},
		{"PRACK", nil, 481},
		{"NOTIFY", []string{"Event: message-summary"}, 481},
		{"CANCEL", nil, 481},
		{"REFER", []string{"Refer-To: <sip:a@b.example>"}, 603},
		{"SUBSCRIBE", []string{"Event: presence"}, 405},
		{"MESSAGE", nil, 405},
		{"PUBLISH", nil, 405},
		{"REGISTER", []string{farContact}, 405},
		{"JUMP", nil, 501},
	} {
		virtual(t, nil, func(r *rig) {
			l := r.far.leg("+15550199")
			l.send(c.method, c.lines...)
			res := r.far.response(c.status)
			if c.status == 200 && (wire.Field(res, "Allow") != allow || wire.Field(res, "Accept") != wire.SDPType || wire.Field(res, "Supported") != "timer") {
				t.Errorf("%s: got\n%s", c.method, res)
			}
			r.far.silent(time.Minute)
		})
	}
}

// TestHold: the far side holds and takes up again, by INVITE or UPDATE; what it says
// of where it is now is followed.
func TestHold(t *testing.T) {
	for _, method := range []string{"INVITE", "UPDATE"} {
		virtual(t, nil, func(r *rig) {
			l, call, ears := r.far.answered()
			step := func(text string, kind EventKind, contact string) {
				t.Helper()
				l.send(method, "Contact: <sip:"+contact+">", contentType, "", text)
				res := r.far.response(200)
				if string(res.Body()) != "v=0 agreed" || !wire.Has(res, "Contact") {
					t.Errorf("%s: got\n%s", method, res)
				}
				if method == "INVITE" {
					l.ack()
				}
				if kind != 0 {
					ears.want(t, kind)
				}
			}
			step("v=0 sendonly", Held, "a@"+farAddr)
			step("v=0 sendonly", 0, "b@"+farAddr)
			step("v=0 sendrecv", Resumed, "c@"+farAddr)
			call.Hangup()
			bye := r.far.request(mBYE)
			if bye.Recipient.String() != "sip:c@"+farAddr {
				t.Errorf("BYE for %s", bye.Recipient.String())
			}
			r.far.answer(bye, 200, "")
			ears.over(t, HungUpHere, 0)
		})
	}
}

// TestReinviteOfferless: an INVITE within the call without a description is offered
// one; the ACK has the answer.
func TestReinviteOfferless(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l, call, ears := r.far.answered()
		l.send("INVITE", farContact)
		res := r.far.response(200)
		if string(res.Body()) != "v=0 ours 1" {
			t.Errorf("offered %q", res.Body())
		}
		// Until then there can be no other offer.
		r.far.send(l.text("UPDATE", l.seq+1, "", withSDP(offerText)...))
		r.far.response(491)
		l.ack(contentType, "", "v=0 recvonly")
		ears.want(t, Held)
		call.Hangup()
		r.far.answer(r.far.request(mBYE), 200, "")
		ears.over(t, HungUpHere, 0)
	})
}

// TestReinviteNoACK: an INVITE within the call whose 200 is not acknowledged ends it.
func TestReinviteNoACK(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l, _, ears := r.far.answered()
		l.send("INVITE", withSDP(offerText)...)
		for range 11 {
			r.far.response(200)
		}
		r.far.answer(r.far.request(mBYE), 200, "")
		ears.over(t, NoACK, 0)
	})
}

// TestReinvite offers again, and takes what comes of it.
func TestReinvite(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(r *rig, l *leg, req *sip.Request)
		ends   bool
		cause  Cause
		status int
	}{
		{name: "agreed", answer: func(r *rig, l *leg, req *sip.Request) {
			r.far.answer(req, 100, "")
			r.far.answer(req, 200, "", withSDP("v=0 recvonly", "Contact: <sip:new@"+farAddr+">")...)
			ack := r.far.request(mACK)
			if ack.CSeq().SeqNo != req.CSeq().SeqNo || wire.Has(ack, "Session-Expires") {
				r.Errorf("ACK\n%s", ack)
			}
		}},
		{name: "refused", answer: func(r *rig, _ *leg, req *sip.Request) {
			r.far.answer(req, 488, "")
			r.far.request(mACK)
		}},
		{name: "unknown", answer: func(r *rig, _ *leg, req *sip.Request) {
			r.far.answer(req, 481, "")
			r.far.request(mACK)
		}, ends: true, cause: Failed, status: 481},
		{name: "nonsense", answer: func(r *rig, _ *leg, req *sip.Request) {
			r.far.answer(req, 200, "", withSDP("x")...)
			r.far.request(mACK)
		}, ends: true, cause: Failed},
		{name: "silence", answer: func(r *rig, _ *leg, _ *sip.Request) {
			for range 6 {
				r.far.request(mINVITE)
			}
		}, ends: true, cause: NoAnswer},
		{name: "trying for ever", answer: func(r *rig, _ *leg, req *sip.Request) {
			r.far.answer(req, 100, "")
			cancel := r.far.request(mCANCEL)
			r.far.answer(cancel, 200, "")
			r.far.answer(req, 487, "")
			r.far.request(mACK)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, nil, func(r *rig) {
				l, call, ears := r.far.answered()
				call.Reinvite()
				req := r.far.request(mINVITE)
				if string(req.Body()) != "v=0 ours 1" || wire.ToTag(req) != l.tag {
					t.Errorf("INVITE\n%s", req)
				}
				// Another one waits for the first.
				call.Reinvite()
				c.answer(r, l, req)
				if c.name == "agreed" {
					ears.want(t, Held)
				}
				if !c.ends {
					again := r.far.request(mINVITE)
					r.far.answer(again, 488, "")
					r.far.request(mACK)
					call.Hangup()
				}
				bye := r.far.request(mBYE)
				r.far.answer(bye, 200, "")
				if !c.ends {
					c.cause = HungUpHere
				}
				ears.over(t, c.cause, c.status)
				r.far.silent(time.Minute)
			})
		})
	}
}

// TestGlare: both sides invite at the same time; both are refused, and the endpoint
// tries again after a while that is longer for who made the Call-ID.
func TestGlare(t *testing.T) {
	for _, out := range []bool{false, true} {
		virtual(t, nil, func(r *rig) {
			l, call, ears := (*leg)(nil), (*Call)(nil), (*ears)(nil)
			if out {
				l, call, ears = r.far.dialled()
			} else {
				l, call, ears = r.far.answered()
			}
			call.Reinvite()
			req := r.far.request(mINVITE)
			l.send("INVITE", withSDP(offerText)...)
			r.far.response(491)
			r.far.send(l.text("ACK", l.seq, l.lastBranch))
			r.far.answer(req, 491, "")
			r.far.request(mACK)
			begin := time.Now()
			again := r.far.request(mINVITE)
			least, most := time.Duration(0), 2*time.Second
			if out {
				least, most = 2100*time.Millisecond, 4*time.Second
			}
			if d := time.Since(begin); d < least || d > most || again.CSeq().SeqNo <= req.CSeq().SeqNo {
				t.Errorf("again after %v\n%s", d, again)
			}
			r.far.answer(again, 200, "", withSDP("v=0 answer")...)
			r.far.request(mACK)
			call.Hangup()
			r.far.answer(r.far.request(mBYE), 200, "")
			ears.over(t, HungUpHere, 0)
		})
	}
}

// TestSecondInvite: an INVITE while the first is not answered is refused with 500 and
// a time to wait; UPDATE with an offer as well, without one it is fine.
func TestSecondInvite(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		branch := l.lastBranch
		c.Ring()
		l.joined(r.far.response(180))
		l.send("INVITE", withSDP(offerText)...)
		if res := r.far.response(500); wire.Field(res, "Retry-After") == "" {
			t.Errorf("got\n%s", res)
		}
		r.far.send(l.text("ACK", l.seq, l.lastBranch))
		l.send("UPDATE", withSDP(offerText)...)
		r.far.response(500)
		l.send("UPDATE")
		r.far.response(200)
		c.Reject(486)
		r.far.response(486)
		r.far.send(l.text("ACK", 1, branch))
	})
}

// TestUpdateEarly: UPDATE of a phone that rings. Our offer is not answered, so there
// can be no other.
func TestUpdateEarly(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		_, ears, req := r.dial(Invitation{})
		l := r.far.taken(req)
		r.far.answer(req, 180, l.tag, farContact)
		ears.want(t, Ringing)
		l.send("UPDATE", withSDP(offerText)...)
		r.far.response(491)
		l.send("UPDATE", farContact)
		r.far.response(200)
		l.send("BYE")
		r.far.response(481)
		r.far.answer(req, 486, l.tag)
		r.far.request(mACK)
		ears.over(t, Refused, 486)
	})
}

// TestBYEsCross: both hang up at the same time.
func TestBYEsCross(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l, call, ears := r.far.answered()
		call.Hangup()
		bye := r.far.request(mBYE)
		l.send("BYE")
		r.far.response(200)
		r.far.answer(bye, 481, "")
		ears.over(t, HungUpHere, 0)
		r.far.silent(time.Minute)
	})
}

// TestBYEUnanswered: BYE that nobody answers is given up, and the call was over
// before.
func TestBYEUnanswered(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		_, call, ears := r.far.answered()
		call.Hangup()
		ears.over(t, HungUpHere, 0)
		for range 11 {
			r.far.request(mBYE)
		}
		r.far.silent(time.Minute)
	})
}

// TestBYEPassword: BYE answers a challenge too.
func TestBYEPassword(t *testing.T) {
	virtual(t, func(o *Options) { o.Trunks[0].Username, o.Trunks[0].Password = "u", "p" }, func(r *rig) {
		_, call, ears := r.far.answered()
		call.Reinvite()
		req := r.far.request(mINVITE)
		r.far.answer(req, 401, "", `WWW-Authenticate: Digest realm="r", nonce="n"`)
		r.far.request(mACK)
		req = r.far.request(mINVITE)
		if !wire.Has(req, "Authorization") {
			t.Errorf("INVITE\n%s", req)
		}
		r.far.answer(req, 200, "", withSDP("v=0 answer")...)
		r.far.request(mACK)
		call.Info("7")
		req = r.far.request(mINFO)
		r.far.answer(req, 407, "", `Proxy-Authenticate: Digest realm="r", nonce="n"`)
		req = r.far.request(mINFO)
		if string(req.Body()) != "Signal=7\r\nDuration=160\r\n" || !wire.Has(req, "Proxy-Authorization") {
			t.Errorf("INFO\n%s", req)
		}
		r.far.answer(req, 200, "")
		call.Hangup()
		r.far.answer(r.far.request(mBYE), 200, "")
		ears.over(t, HungUpHere, 0)
	})
}

// TestRefer is how transfers end.
func TestRefer(t *testing.T) {
	notify := func(l *leg, state, line string) {
		l.send("NOTIFY", "Event: refer;id=1", "Subscription-State: "+state, "Content-Type: message/sipfrag;version=2.0", "", line)
	}
	for _, c := range []struct {
		name   string
		far    func(r *rig, l *leg, req *sip.Request)
		status int
	}{
		{"done", func(r *rig, l *leg, req *sip.Request) {
			r.far.answer(req, 202, "")
			notify(l, "active;expires=60", "SIP/2.0 100 Trying")
			r.far.response(200)
			notify(l, "terminated;reason=noresource", "SIP/2.0 200 OK")
			r.far.response(200)
		}, 200},
		{"told before it was accepted", func(r *rig, l *leg, req *sip.Request) {
			notify(l, "terminated", "SIP/2.0 486 Busy")
			r.far.response(200)
			r.far.answer(req, 202, "")
		}, 486},
		{"refused", func(r *rig, _ *leg, req *sip.Request) { r.far.answer(req, 603, "") }, 603},
		{"given up", func(r *rig, l *leg, req *sip.Request) {
			r.far.answer(req, 202, "")
			notify(l, "terminated", "SIP/2.0 100 Trying")
			r.far.response(200)
		}, 408},
		{"never told", func(r *rig, _ *leg, req *sip.Request) { r.far.answer(req, 202, "") }, 408},
		{"told in another way", func(r *rig, l *leg, req *sip.Request) {
			l.send("NOTIFY", "Event: refer", "Content-Type: text/plain", "", "200")
			r.far.response(415)
			r.far.answer(req, 480, "")
		}, 480},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, nil, func(r *rig) {
				l, call, ears := r.far.answered()
				call.Refer("+15550177")
				req := r.far.request(mREFER)
				if wire.Field(req, "Refer-To") != "<sip:+15550177@"+farAddr+">" || wire.Field(req, "Referred-By") != "<sip:+15550199@192.0.2.1>" {
					t.Errorf("REFER\n%s", req)
				}
				call.Refer("+15550178")
				if ev := ears.want(t, Referred); ev.Status != 491 {
					t.Errorf("a second transfer: %d", ev.Status)
				}
				c.far(r, l, req)
				if ev := ears.want(t, Referred); ev.Status != c.status {
					t.Errorf("told %d, want %d", ev.Status, c.status)
				}
				call.Hangup()
				r.far.answer(r.far.request(mBYE), 200, "")
				ears.over(t, HungUpHere, 0)
			})
		})
	}
}

// TestMediaRefusesHold: an offer that cannot be made leaves the call as it is.
func TestMediaRefusesHold(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l := r.far.leg("+15550199")
		c := l.call(withSDP(offerText)...)
		ears := newEars()
		c.Answer(ears.media, ears.hear)
		l.joined(r.far.response(200))
		l.ack()
		ears.want(t, Answered, Confirmed)
		ears.media.mu.Lock()
		ears.media.fail = errors.New("no port")
		ears.media.mu.Unlock()
		c.Reinvite()
		r.far.silent(time.Minute)
		l.send("BYE")
		r.far.response(200)
		ears.over(t, HungUpThere, 0)
	})
}
