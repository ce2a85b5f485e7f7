package sip

import (
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// TestSessionIn is what is agreed with far sides that call (RFC 4028 §9).
func TestSessionIn(t *testing.T) {
	for _, c := range []struct {
		name    string
		lines   []string
		expires string
		require string
	}{
		{"nothing asked", []string{"Supported: timer"}, "", ""},
		{"asked", []string{"Supported: timer", "Session-Expires: 600"}, "600;refresher=uac", "timer"},
		{"asked by short names", []string{"k: timer", "x: 600"}, "600;refresher=uac", "timer"},
		{"we refresh", []string{"Supported: timer", "Session-Expires: 600;refresher=uas"}, "600;refresher=uas", "timer"},
		{"they refresh", []string{"Supported: timer", "Session-Expires: 600;refresher=uac"}, "600;refresher=uac", "timer"},
		{"a proxy asks for who does not know", []string{"Session-Expires: 60"}, "90;refresher=uas", ""},
		{"not below what is least", []string{"Supported: timer", "Session-Expires: 600", "Min-SE: 700"}, "700;refresher=uac", "timer"},
	} {
		virtual(t, nil, func(r *rig) {
			l := r.far.leg("+15550199")
			call := l.call(withSDP(offerText, c.lines...)...)
			ears := newEars()
			call.Answer(ears.media, ears.hear)
			res := l.joined(r.far.response(200))
			if wire.Field(res, "Session-Expires") != c.expires || wire.Field(res, "Require") != c.require {
				t.Errorf("%s: got\n%s", c.name, res)
			}
			l.ack()
			l.send("BYE")
			r.far.response(200)
		})
	}
}

// TestSessionExpires: who does not refresh as it said is hung up.
func TestSessionExpires(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l, _, ears := r.far.answered(withSDP(offerText, "Supported: timer", "Session-Expires: 600")...)
		begin := time.Now()
		r.far.silent(500 * time.Second)
		l.send("UPDATE", farContact, "Supported: timer", "Session-Expires: 600;refresher=uac")
		if res := r.far.response(200); wire.Field(res, "Session-Expires") != "600;refresher=uac" {
			t.Errorf("got\n%s", res)
		}
		r.far.silent(500 * time.Second)
		// A request about something else refreshes as well.
		l.send("INVITE", withSDP(offerText)...)
		r.far.response(200)
		l.ack()
		bye := r.far.request2(mBYE, time.Hour)
		if d := time.Since(begin); d != 1568*time.Second {
			t.Errorf("ended after %v", d)
		}
		r.far.answer(bye, 200, "")
		ears.over(t, Expired, 0)
	})
}

// request2 waits longer than request does.
func (p *peer) request2(method sip.RequestMethod, wait time.Duration) *sip.Request {
	p.Helper()
	m := p.next(wait)
	req, ok := m.(*sip.Request)
	if !ok || req.Method != method {
		p.Fatalf("want %s, got\n%v", method, m)
	}
	return req
}

// TestSessionRefresh: this side refreshes at half the interval, by UPDATE where the
// far side takes it, else by INVITE; what comes of it.
func TestSessionRefresh(t *testing.T) {
	answer := []string{"Session-Expires: 600;refresher=uac", "Require: timer"}
	for _, c := range []struct {
		name   string
		allow  string
		method sip.RequestMethod
		far    func(r *rig, req *sip.Request)
		cause  Cause // 0: it goes on
		status int
	}{
		{"by UPDATE", "INVITE, UPDATE", mUPDATE, func(r *rig, req *sip.Request) {
			r.far.answer(req, 200, "", append(answer, farContact)...)
		}, 0, 0},
		{"by INVITE", "INVITE, BYE", mINVITE, func(r *rig, req *sip.Request) {
			r.far.answer(req, 200, "", withSDP("v=0 answer", answer...)...)
			r.far.request(mACK)
		}, 0, 0},
		{"UPDATE is not taken after all", "UPDATE", mUPDATE, func(r *rig, req *sip.Request) {
			r.far.answer(req, 501, "")
			req = r.far.request(mINVITE)
			r.far.answer(req, 200, "", withSDP("v=0 answer", answer...)...)
			r.far.request(mACK)
		}, 0, 0},
		{"longer, please", "UPDATE", mUPDATE, func(r *rig, req *sip.Request) {
			r.far.answer(req, 422, "", "Min-SE: 700")
			req = r.far.request(mUPDATE)
			if wire.Field(req, "Session-Expires") != "700;refresher=uac" {
				r.Errorf("UPDATE\n%s", req)
			}
			r.far.answer(req, 200, "", "Session-Expires: 700;refresher=uac", "Allow: UPDATE")
		}, 0, 0},
		{"unknown", "UPDATE", mUPDATE, func(r *rig, req *sip.Request) { r.far.answer(req, 481, "") }, Failed, 481},
		{"silence", "UPDATE", mUPDATE, func(r *rig, _ *sip.Request) {
			for range 10 {
				r.far.request(mUPDATE)
			}
		}, NoAnswer, 0},
		{"refused", "UPDATE", mUPDATE, func(r *rig, req *sip.Request) { r.far.answer(req, 503, "") }, Expired, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, func(o *Options) { o.Trunks[0].SessionExpires = 10 * time.Minute }, func(r *rig) {
				_, call, ears := r.far.dialled(append(answer, "Allow: "+c.allow)...)
				begin := time.Now()
				req := r.far.request2(c.method, time.Hour)
				if d := time.Since(begin); d != 5*time.Minute || wire.Field(req, "Session-Expires") != "600;refresher=uac" {
					t.Errorf("after %v\n%s", d, req)
				}
				c.far(r, req)
				if c.cause == 0 {
					begin = time.Now()
					how := mINVITE
					if c.name == "by UPDATE" || c.name == "longer, please" {
						how = mUPDATE
					}
					again := r.far.request2(how, time.Hour)
					if d := time.Since(begin); d < 5*time.Minute {
						t.Errorf("again after %v", d)
					}
					if how == mINVITE {
						r.far.answer(again, 488, "")
						r.far.request(mACK)
					} else {
						r.far.answer(again, 200, "", answer...)
					}
					call.Hangup()
					c.cause = HungUpHere
				}
				r.far.answer(r.far.request2(mBYE, time.Hour), 200, "")
				ears.over(t, c.cause, c.status)
			})
		})
	}
}

// TestSessionTheirs: the far side of a call out refreshes, or the call ends.
func TestSessionTheirs(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		_, _, ears := r.far.dialled("Session-Expires: 90;refresher=uas", "Require: timer")
		begin := time.Now()
		bye := r.far.request2(mBYE, time.Hour)
		if d := time.Since(begin); d != 60*time.Second {
			t.Errorf("ended after %v", d)
		}
		r.far.answer(bye, 200, "")
		ears.over(t, Expired, 0)
	})
}

// TestSessionNone: without an agreement there is no end.
func TestSessionNone(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		_, call, ears := r.far.dialled()
		r.far.silent(24 * time.Hour)
		call.Hangup()
		r.far.answer(r.far.request(mBYE), 200, "")
		ears.over(t, HungUpHere, 0)
	})
}
