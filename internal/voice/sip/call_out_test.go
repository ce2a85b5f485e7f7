package sip

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// dial makes a call out and takes its INVITE.
func (r *rig) dial(i Invitation) (*Call, *ears, *sip.Request) {
	r.Helper()
	ears := newEars()
	if i.Trunk == "" {
		i.Trunk = "far"
	}
	if i.To == "" {
		i.To = "+15550199"
	}
	if i.From == "" {
		i.From = "+15550100"
	}
	i.Media, i.Hear = ears.media, ears.hear
	c, err := r.e.Dial(i)
	if err != nil {
		r.Fatal(err)
	}
	return c, ears, r.far.request(mINVITE)
}

func TestCallOut(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		c, ears, req := r.dial(Invitation{FromName: "Desk", Headers: []Header{{"X-Account", "7"}}})
		if req.Recipient.String() != "sip:+15550199@"+farAddr || req.Source() != hereAddr {
			t.Errorf("INVITE for %s from %s", req.Recipient.String(), req.Source())
		}
		for name, want := range map[string]string{
			"From": `"Desk" <sip:+15550100@192.0.2.1>;tag=` + wire.FromTag(req), "To": "<sip:+15550199@" + farAddr + ">",
			"X-Account": "7", "Content-Type": "application/sdp", "Max-Forwards": "70", "Supported": "timer",
			"Session-Expires": "1800", "Min-SE": "90", "User-Agent": "ringdown/test", "Contact": "<sip:ringdown@" + hereAddr + ">",
		} {
			if got := wire.Field(req, name); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
		if string(req.Body()) != "v=0 ours 1" || req.Via().Host != "192.0.2.1" || !req.Via().Params.Has("rport") {
			t.Errorf("INVITE\n%s", req)
		}
		l := r.far.taken(req)
		r.far.answer(req, 100, "")
		r.far.answer(req, 180, l.tag)
		if ev := ears.want(t, Ringing); ev.Status != 180 {
			t.Errorf("rings with %d", ev.Status)
		}
		r.far.answer(req, 200, l.tag, withSDP("v=0 answer")...)
		ack := r.far.request(mACK)
		if ack.Recipient.String() != "sip:far@"+farAddr || wire.ToTag(ack) != l.tag || ack.CSeq().SeqNo != req.CSeq().SeqNo {
			t.Errorf("ACK\n%s", ack)
		}
		if b, _ := ack.Via().Params.Get("branch"); b == "" || strings.Contains(req.Via().String(), b) {
			t.Errorf("ACK has the branch %q", b)
		}
		ears.want(t, Answered)
		if got := ears.media.has(&ears.media.accepted); len(got) != 1 || got[0] != "v=0 answer" {
			t.Errorf("accepted %q", got)
		}
		// A 200 that comes again is acknowledged again.
		r.far.answer(req, 200, l.tag, withSDP("v=0 answer")...)
		if again := r.far.request(mACK); again.String() != ack.String() {
			t.Errorf("another ACK\n%s", again)
		}
		c.Hangup()
		bye := r.far.request(mBYE)
		if bye.CSeq().SeqNo <= req.CSeq().SeqNo {
			t.Errorf("BYE\n%s", bye)
		}
		r.far.answer(bye, 200, "")
		ears.over(t, HungUpHere, 0)
	})
}

// TestCallOutEnds is how each end of a call out is told.
func TestCallOutEnds(t *testing.T) {
	answer := func(status int, lines ...string) func(r *rig, req *sip.Request) {
		return func(r *rig, req *sip.Request) {
			r.far.answer(req, status, "x", lines...)
			ack := r.far.request(mACK)
			if ack.Via().String() != req.Via().String() || wire.ToTag(ack) != "x" {
				r.Errorf("ACK\n%s", ack)
			}
			// The refusal that comes again is acknowledged again, and told once.
			r.far.answer(req, status, "x", lines...)
			r.far.request(mACK)
		}
	}
	for _, c := range []struct {
		name   string
		far    func(r *rig, req *sip.Request)
		cause  Cause
		status int
		q850   int
	}{
		{"busy", answer(486), Refused, 486, 0},
		{"busy, as the network says it", answer(480, `Reason: SIP;cause=1, Q.850;cause=17;text="busy, \"very\""`), Refused, 480, 17},
		{"rejected", answer(603), Refused, 603, 0},
		{"not found", answer(404, "Reason: q.850 ;cause=1"), Refused, 404, 1},
		{"nonsense for a cause", answer(404, "Reason: Q.850;cause=999"), Refused, 404, 0},
		{"redirected", answer(302, "Contact: <sip:else@192.0.2.9>"), Refused, 302, 0},
		{"overloaded", answer(503, "Retry-After: 30"), Refused, 503, 0},
		{"pending", answer(491), Refused, 491, 0},
		{"no such extension", answer(420, "Unsupported: timer"), Refused, 420, 0},
		{"a session interval that makes no sense", answer(422, "Min-SE: soon"), Refused, 422, 0},
		{"a password, with none", answer(401, `WWW-Authenticate: Digest realm="r", nonce="n"`), Refused, 401, 0},
		{"silence", func(r *rig, _ *sip.Request) {
			for range 6 {
				r.far.request(mINVITE)
			}
		}, NoAnswer, 0, 0},
		{"200 without a description", func(r *rig, req *sip.Request) {
			r.far.answer(req, 200, "x", farContact)
			r.far.request(mACK)
			r.far.answer(r.far.request(mBYE), 200, "")
		}, Failed, 0, 0},
		{"200 with nonsense", func(r *rig, req *sip.Request) {
			r.far.answer(req, 200, "x", withSDP("x")...)
			r.far.request(mACK)
			r.far.answer(r.far.request(mBYE), 200, "")
		}, Failed, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, nil, func(r *rig) {
				_, ears, req := r.dial(Invitation{})
				begin := time.Now()
				c.far(r, req)
				if c.name == "200 without a description" || c.name == "200 with nonsense" {
					ears.over(t, c.cause, c.status)
					return
				}
				if ev := ears.over(t, c.cause, c.status); ev.Q850 != c.q850 {
					t.Errorf("Q.850 cause %d, want %d", ev.Q850, c.q850)
				}
				if c.cause == NoAnswer && time.Since(begin) != 32*time.Second {
					t.Errorf("given up after %v", time.Since(begin))
				}
				r.far.silent(time.Minute)
			})
		})
	}
}

func TestCallOutUnsendable(t *testing.T) {
	virtual(t, func(o *Options) {
		o.Trunks = append(o.Trunks, Trunk{Name: "deaf", Address: "sip:192.0.2.7:1"}, Trunk{Name: "in"}, Trunk{Name: "full", Address: "sip:" + farAddr, MaxCalls: 1})
	}, func(r *rig) {
		ears := newEars()
		good := Invitation{Trunk: "far", To: "1", Media: ears.media, Hear: ears.hear}
		for name, change := range map[string]func(i *Invitation){
			"no such trunk":  func(i *Invitation) { i.Trunk = "none" },
			"nobody":         func(i *Invitation) { i.To = "" },
			"no media":       func(i *Invitation) { i.Media = nil },
			"a line's end":   func(i *Invitation) { i.Headers = []Header{{"X-A", "b\r\nTo: c"}} },
			"a name's end":   func(i *Invitation) { i.Headers = []Header{{"X-A: b\r\nX", "c"}} },
			"our own header": func(i *Invitation) { i.Headers = []Header{{"contact", "c"}} },
			"no address":     func(i *Invitation) { i.Trunk = "in" },
		} {
			i := good
			change(&i)
			if _, err := r.e.Dial(i); err == nil {
				t.Errorf("%s: no error", name)
			} else if name == "no address" && !errors.Is(err, ErrUnreachable) {
				t.Errorf("%s: %v", name, err)
			}
		}
		deaf := good
		deaf.Trunk = "deaf"
		if _, err := r.e.Dial(deaf); err != nil {
			t.Fatal(err)
		}
		ears.over(t, Failed, 0)

		full := good
		full.Trunk = "full"
		c, err := r.e.Dial(full)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.e.Dial(full); !errors.Is(err, ErrBusy) {
			t.Errorf("a second call: %v", err)
		}
		req := r.far.request(mINVITE)
		r.far.answer(req, 486, "x")
		r.far.request(mACK)
		ears.over(t, Refused, 486)
		c.Hangup()
		if _, err := r.e.Dial(full); err != nil {
			t.Errorf("after the first: %v", err)
		}
		r.far.answer(r.far.request(mINVITE), 486, "x")
		r.far.request(mACK)
	})
}

// TestCallOutEarly: sound before the answer, and who may change it.
func TestCallOutEarly(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		_, ears, req := r.dial(Invitation{})
		r.far.answer(req, 183, "x", withSDP("v=0 early")...)
		if ev := ears.want(t, Ringing); ev.Status != 183 {
			t.Errorf("rings with %d", ev.Status)
		}
		ears.want(t, Early)
		r.far.answer(req, 180, "x")
		ears.want(t, Ringing)
		r.far.answer(req, 183, "y", withSDP("v=0 another phone")...)
		ears.want(t, Ringing)
		r.far.answer(req, 200, "x", farContact) // without a description: that of before
		r.far.request(mACK)
		ears.want(t, Answered)
		if got := ears.media.has(&ears.media.accepted); len(got) != 1 || got[0] != "v=0 early" {
			t.Errorf("accepted %q", got)
		}
		end(r, ears)
	})
}

// end has the endpoint hang up what is left.
func end(r *rig, ears *ears) {
	r.Helper()
	r.e.mu.Lock()
	var all []*Call
	for _, c := range r.e.dialogs {
		all = append(all, c)
	}
	r.e.mu.Unlock()
	for _, c := range all {
		c.Hangup()
		r.far.answer(r.far.request(mBYE), 200, "")
	}
	ears.over(r, HungUpHere, 0)
}

// TestCallOutForked: the first phone that answers has the call; the second is hung
// up (RFC 3261 §13.2.2.4).
func TestCallOutForked(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		_, ears, req := r.dial(Invitation{})
		r.far.answer(req, 180, "x")
		r.far.answer(req, 180, "y")
		ears.want(t, Ringing)
		r.far.answer(req, 200, "y", withSDP("v=0 y")...)
		if ack := r.far.request(mACK); wire.ToTag(ack) != "y" {
			t.Errorf("ACK\n%s", ack)
		}
		ears.want(t, Answered)
		r.far.answer(req, 200, "x", withSDP("v=0 x", "Record-Route: <sip:"+farAddr+";lr>")...)
		ack := r.far.request(mACK)
		if wire.ToTag(ack) != "x" || wire.Field(ack, "Route") != "<sip:"+farAddr+";lr>" {
			t.Errorf("ACK\n%s", ack)
		}
		bye := r.far.request(mBYE)
		if wire.ToTag(bye) != "x" || wire.FromTag(bye) != wire.FromTag(req) {
			t.Errorf("BYE\n%s", bye)
		}
		r.far.answer(bye, 200, "")
		r.far.answer(req, 200, "x", withSDP("v=0 x")...)
		if ack := r.far.request(mACK); wire.ToTag(ack) != "x" {
			t.Errorf("ACK\n%s", ack)
		}
		if r.e.Calls() != 1 {
			t.Errorf("%d calls", r.e.Calls())
		}
		if got := ears.media.has(&ears.media.accepted); len(got) != 1 || got[0] != "v=0 y" {
			t.Errorf("accepted %q", got)
		}
		for m := r.far.next(time.Second); m != nil; m = r.far.next(time.Second) {
			t.Errorf("unexpected\n%s", m)
		}
		end(r, ears)
	})
}

// TestCallOutCancel: CANCEL waits for a provisional answer; a 200 that crosses it is
// acknowledged and hung up.
func TestCallOutCancel(t *testing.T) {
	for _, c := range []struct {
		name                  string
		early, crosses, rings bool
		cause                 Cause
	}{
		{name: "while it rings", early: true, cause: HungUpHere},
		{name: "before anything was heard", cause: HungUpHere},
		{name: "crossing the answer", early: true, crosses: true, cause: HungUpHere},
		{name: "nobody answers", early: true, rings: true, cause: RangOut},
		{name: "nobody answers, and crossing", early: true, rings: true, crosses: true, cause: RangOut},
		{name: "silence beyond the time to ring", rings: true, cause: RangOut},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, nil, func(r *rig) {
				call, ears, req := r.dial(Invitation{Ring: 20 * time.Second})
				if c.early {
					r.far.answer(req, 180, "x")
					ears.want(t, Ringing)
				}
				begin := time.Now()
				if !c.rings {
					call.Hangup()
				}
				ears.over(t, c.cause, 0)
				if d := time.Since(begin); c.rings && d != 20*time.Second {
					t.Errorf("rang for %v", d)
				}
				if !c.early {
					for m := r.far.next(100 * time.Millisecond); m != nil; m = r.far.next(time.Millisecond) {
						if m, ok := m.(*sip.Request); !ok || m.Method != mINVITE {
							t.Fatalf("before anything was heard\n%s", m)
						}
					}
					r.far.answer(req, 100, "")
				}
				cancel := r.far.request(mCANCEL)
				if cancel.Via().String() != req.Via().String() || cancel.CSeq().SeqNo != req.CSeq().SeqNo ||
					cancel.Recipient.String() != req.Recipient.String() || wire.FromTag(cancel) != wire.FromTag(req) || wire.ToTag(cancel) != "" {
					t.Errorf("CANCEL\n%s", cancel)
				}
				r.far.answer(cancel, 200, "x")
				if !c.crosses {
					r.far.answer(req, 487, "x")
					r.far.request(mACK)
					r.far.silent(time.Minute)
					return
				}
				r.far.answer(req, 200, "x", withSDP("v=0 answer")...)
				r.far.request(mACK)
				r.far.answer(r.far.request(mBYE), 200, "")
				r.far.silent(time.Minute)
			})
		})
	}
}

// TestCallOutPassword: a challenge is answered, a stale one again, a wrong password
// is not tried on.
func TestCallOutPassword(t *testing.T) {
	challenge := func(nonce, more string) string {
		return `Proxy-Authenticate: Digest realm="r", nonce="` + nonce + `", qop="auth"` + more
	}
	for _, c := range []struct {
		name    string
		answers []string // challenges
		ends    bool     // with 407
	}{
		{"once", []string{challenge("1", "")}, false},
		{"stale", []string{challenge("1", ""), challenge("2", ", stale=true")}, false},
		{"wrong", []string{challenge("1", ""), challenge("2", "")}, true},
		{"for ever", []string{challenge("1", ""), challenge("2", ", stale=true"), challenge("3", ", stale=true"), challenge("4", ", stale=true")}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, func(o *Options) { o.Trunks[0].Username, o.Trunks[0].Password = "u", "p" }, func(r *rig) {
				_, ears, req := r.dial(Invitation{})
				if host := req.From().Address.Host; host != "192.0.2.2" {
					t.Errorf("From has the host %s", host)
				}
				seq := req.CSeq().SeqNo
				for i, challenge := range c.answers {
					r.far.answer(req, 407, "x", challenge)
					r.far.request(mACK)
					if c.ends && i == len(c.answers)-1 {
						ears.over(t, Refused, 407)
						r.far.silent(time.Minute)
						return
					}
					next := r.far.request(mINVITE)
					if next.CSeq().SeqNo != seq+uint32(i)+1 || next.Via().String() == req.Via().String() ||
						wire.FromTag(next) != wire.FromTag(req) || *next.CallID() != *req.CallID() ||
						!strings.Contains(wire.Field(next, "Proxy-Authorization"), fmt.Sprintf("nonce=%q", fmt.Sprint(i+1))) {
						t.Errorf("INVITE\n%s", next)
					}
					if n := len(wire.Fields(next, "Proxy-Authorization")); n != 1 {
						t.Errorf("%d passwords", n)
					}
					req = next
				}
				r.far.answer(req, 200, "x", withSDP("v=0 answer")...)
				if ack := r.far.request(mACK); !wire.Has(ack, "Proxy-Authorization") || ack.CSeq().SeqNo != req.CSeq().SeqNo {
					t.Errorf("ACK\n%s", ack)
				}
				ears.want(t, Answered)
				end(r, ears)
			})
		})
	}
}

// TestCallOutLongerSession: 422 has the call asked for with the interval that the far
// side wants.
func TestCallOutLongerSession(t *testing.T) {
	virtual(t, func(o *Options) { o.Trunks[0].SessionExpires = 2 * time.Minute }, func(r *rig) {
		_, ears, req := r.dial(Invitation{})
		if got := wire.Field(req, "Session-Expires"); got != "120" {
			t.Errorf("asks for %s", got)
		}
		r.far.answer(req, 422, "x", "Min-SE: 300")
		r.far.request(mACK)
		req = r.far.request(mINVITE)
		if wire.Field(req, "Session-Expires") != "300" || wire.Field(req, "Min-SE") != "300" || len(wire.Fields(req, "Session-Expires")) != 1 {
			t.Errorf("INVITE\n%s", req)
		}
		r.far.answer(req, 200, "x", withSDP("v=0 answer")...)
		r.far.request(mACK)
		ears.want(t, Answered)
		end(r, ears)
	})
}

// TestCallOutRoutes: what proxies have recorded is kept to, the last first.
func TestCallOutRoutes(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		proxy := r.peer(otherAddr)
		call, ears, req := r.dial(Invitation{})
		r.far.answer(req, 200, "x", withSDP("v=0 answer", "Record-Route: <sip:192.0.2.9;lr>, <sip:192.0.2.3;lr>")...)
		ack := proxy.request(mACK)
		if got := strings.Join(wire.List(ack, "Route"), " "); got != "<sip:192.0.2.3;lr> <sip:192.0.2.9;lr>" {
			t.Errorf("routes %s", got)
		}
		ears.want(t, Answered)
		call.Hangup()
		proxy.answer(proxy.request(mBYE), 200, "")
		ears.over(t, HungUpHere, 0)
	})
}

// TestCallOutHidden is a caller who shows no number.
func TestCallOutHidden(t *testing.T) {
	virtual(t, func(o *Options) {
		o.Trunks[0].CallerID = CallerID{Default: "+15550111", Asserted: true, Allowed: []string{"+1555020*"}}
	}, func(r *rig) {
		ears := newEars()
		if _, err := r.e.Dial(Invitation{Trunk: "far", To: "+15550199", Media: ears.media, Hear: ears.hear}); err != nil {
			t.Fatal(err)
		}
		req := r.far.request(mINVITE)
		if req.From().Address.Host != "anonymous.invalid" || wire.Field(req, "Privacy") != "id" ||
			wire.Field(req, "P-Asserted-Identity") != "<sip:+15550111@192.0.2.1>" {
			t.Errorf("INVITE\n%s", req)
		}
		r.far.answer(req, 486, "x")
		r.far.request(mACK)
	})
}
