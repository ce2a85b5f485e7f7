package sip

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/auth"
	"ringdown/internal/voice/sip/wire"
)

// TestStranger: who is on no trunk is not answered, whatever it sends; neither are
// those of a trunk who send what is no SIP.
func TestStranger(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		stranger := r.peer("203.0.113.9:5060")
		l, _, ears := r.far.answered()
		for _, method := range []string{"INVITE", "OPTIONS", "REGISTER", "BYE", "CANCEL", "ACK", "JUMP", "UPDATE"} {
			fake := stranger.leg("+15550199")
			fake.send(method, withSDP(offerText)...)
			// Not even when it knows the call.
			theirs := *l
			theirs.p = stranger
			theirs.seq = 77
			theirs.send(method)
		}
		stranger.send("hello?")
		stranger.send("SIP/2.0 200 OK\r\n\r\n")
		stranger.silent(time.Hour)
		for _, noise := range []string{"", "\r\n\r\n", "\x00\x00\x00\x00", "hello?", "INVITE sip:a SIP/2.0\r\n\r\n", "SIP/2.0 999 X\r\n\r\n", strings.Repeat("x", 60000)} {
			r.far.send(noise)
		}
		r.far.silent(time.Hour)
		if r.e.Calls() != 1 {
			t.Errorf("%d calls", r.e.Calls())
		}
		l.send("BYE")
		r.far.response(200)
		ears.over(t, HungUpThere, 0)
	})
}

// TestChallenged: a trunk that must show a password.
func TestChallenged(t *testing.T) {
	virtual(t, func(o *Options) {
		o.Trunks = []Trunk{{Name: "far", Sources: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/32")}, InboundUsername: "u", InboundPassword: "p"}}
	}, func(r *rig) {
		l := r.far.leg("+15550199")
		for _, method := range []string{"INVITE", "OPTIONS"} {
			l.send(method, withSDP(offerText)...)
			res := r.far.response(401)
			if !wire.Has(res, "WWW-Authenticate") {
				t.Errorf("got\n%s", res)
			}
			if method == "INVITE" {
				l.remoteTag = wire.ToTag(res)
				r.far.send(l.text("ACK", l.seq, l.lastBranch))
				l.remoteTag = ""
			}
		}
		// An empty tag makes no request one within a dialog.
		l.remoteTag = ""
		r.far.send(strings.Replace(l.text("OPTIONS", 9, ""), "To: "+l.remote, "To: "+l.remote+";tag=", 1))
		r.far.response(400)

		// With the password it goes.
		l.seq++
		text := l.text("INVITE", l.seq, "", withSDP(offerText)...)
		r.far.send(text)
		res := r.far.response(401)
		l.remoteTag = wire.ToTag(res)
		r.far.send(l.text("ACK", l.seq, l.lastBranch))
		l.remoteTag = ""
		parsed, err := wire.NewParser().ParseSIP([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		req := parsed.(*sip.Request)
		if _, err := auth.Authorize(req, res, "u", "p", ""); err != nil {
			t.Fatal(err)
		}
		c := l.call(append([]string{"Authorization: " + wire.Field(req, "Authorization")}, withSDP(offerText)...)...)
		if len(c.Headers()) != 0 {
			t.Errorf("headers %v", c.Headers())
		}
		c.Reject(486)
		r.far.response(486)
	})
}

// TestFloodRefused: calls beyond what a source may begin are refused for a while.
func TestFloodRefused(t *testing.T) {
	virtual(t, func(o *Options) { o.Limits.Invites = 3 }, func(r *rig) {
		for range 3 {
			r.far.leg("+15550199").call(withSDP(offerText)...).Reject(486)
			r.far.response(486)
		}
		r.far.leg("+15550199").send("INVITE", withSDP(offerText)...)
		if res := r.far.response(503); wire.Field(res, "Retry-After") != "5" {
			t.Errorf("got\n%s", res)
		}
	})
}

func TestRoute(t *testing.T) {
	virtual(t, func(o *Options) {
		o.Trunks = []Trunk{
			{Name: "in"},
			{Name: "rest", Address: "sip:192.0.2.4"},
			{Name: "other rest", Address: "sip:192.0.2.4"},
			{Name: "america", Address: "sip:192.0.2.5", Prefixes: []string{"+1"}},
			{Name: "new york", Address: "sip:192.0.2.6", Prefixes: []string{"+1212", "+1917"}},
			{Name: "phones", Registrar: true, Sources: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/32")}},
		}
	}, func(r *rig) {
		for to, want := range map[string]string{"+4930": "rest", "+15550100": "america", "+12125550100": "new york", "+1917": "new york", "alice": "rest"} {
			if got, ok := r.e.Route(to); got != want || !ok {
				t.Errorf("calls to %s go out by %q, want %q", to, got, want)
			}
		}
	})
	virtual(t, func(o *Options) { o.Trunks = []Trunk{{Name: "in"}} }, func(r *rig) {
		if got, ok := r.e.Route("+4930"); ok {
			t.Errorf("calls go out by %q", got)
		}
	})
}

// TestRegisteredPhone: calls to a telephone go to where it has registered from.
func TestRegisteredPhone(t *testing.T) {
	virtual(t, func(o *Options) {
		o.Trunks = []Trunk{{Name: "phones", Registrar: true, Sources: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/32")}}}
	}, func(r *rig) {
		ears := newEars()
		i := Invitation{Trunk: "phones", To: "1001", From: "1000", Media: ears.media, Hear: ears.hear}
		if _, err := r.e.Dial(i); err == nil {
			t.Error("a call to nobody")
		}
		l := r.far.leg("1001")
		l.local, l.remote = "<sip:1001@192.0.2.1>", "<sip:1001@192.0.2.1>"
		l.send("REGISTER", "Contact: <sip:1001@10.0.0.7:5062>", "Expires: 600")
		r.far.response(200)
		if got, ok := r.e.Route("1001"); got != "phones" || !ok {
			t.Errorf("calls go out by %q", got)
		}
		call, err := r.e.Dial(i)
		if err != nil {
			t.Fatal(err)
		}
		req := r.far.request(mINVITE)
		if req.Recipient.String() != "sip:1001@10.0.0.7:5062" {
			t.Errorf("INVITE for %s", req.Recipient.String())
		}
		r.far.answer(req, 200, "x", "Contact: <sip:1001@10.0.0.7:5062>", contentType, "", "v=0 answer")
		r.far.request(mACK)
		ears.want(t, Answered)
		call.Hangup()
		r.far.answer(r.far.request(mBYE), 200, "")
		ears.over(t, HungUpHere, 0)

		// A call of the telephone is answered to where it comes from as well, and
		// follows it when that changes.
		l, back, there := r.far.answered("Contact: <sip:1001@10.0.0.7:5062>", contentType, "", offerText)
		l.p = r.peer("192.0.2.2:41000")
		l.send("OPTIONS")
		l.p.response(200)
		back.Hangup()
		l.p.answer(l.p.request(mBYE), 200, "")
		there.over(t, HungUpHere, 0)
	})
}

// TestVia: answers go where RFC 3261 §18.2.2 and RFC 3581 say.
func TestVia(t *testing.T) {
	for _, c := range []struct{ name, extra, want string }{
		{"rport", ";rport", ";rport=5060;received=192.0.2.2"},
		{"none", "", ""},
		{"with its name", ";x=y", ";x=y"},
	} {
		virtual(t, nil, func(r *rig) {
			l := r.far.leg("+15550199")
			l.viaExtra = c.extra
			l.send("OPTIONS")
			if via := wire.Field(r.far.response(200), "Via"); !strings.HasSuffix(via, c.want) || c.want == "" && strings.Contains(via, "received") {
				t.Errorf("%s: %s", c.name, via)
			}
			// From another port than Via says: back to that of Via, unless with rport.
			nat := r.peer("192.0.2.2:40000")
			l.p = nat
			text := strings.Replace(l.text("OPTIONS", 5, ""), "192.0.2.2:40000", "10.0.0.9:5060", 1)
			nat.send(text)
			to := r.far
			if c.extra == ";rport" {
				to = nat
			}
			if via := wire.Field(to.response(200), "Via"); !strings.Contains(via, "received=192.0.2.2") {
				t.Errorf("%s: %s", c.name, via)
			}
		})
	}
}

// TestAdvertise is how others are told to reach the endpoint.
func TestAdvertise(t *testing.T) {
	for _, c := range []struct{ all, trunk, want string }{
		{"", "", "192.0.2.1:5060"},
		{"sip.example.com", "", "sip.example.com:5060"},
		{"sip.example.com", "198.51.100.7", "198.51.100.7:5060"},
		{"", "198.51.100.7:5070", "198.51.100.7:5070"},
		{"2001:db8::1", "", "[2001:db8::1]:5060"},
		{"[2001:db8::1]:5070", "", "[2001:db8::1]:5070"},
	} {
		virtual(t, func(o *Options) { o.Advertise, o.Trunks[0].Advertise = c.all, c.trunk }, func(r *rig) {
			_, _, req := r.dial(Invitation{})
			if got := wire.Field(req, "Contact"); got != "<sip:ringdown@"+c.want+">" {
				t.Errorf("Contact %s, want %s", got, c.want)
			}
			if got := wire.Field(req, "Via"); !strings.HasPrefix(got, "SIP/2.0/UDP "+c.want+";") {
				t.Errorf("Via %s, want %s", got, c.want)
			}
			r.far.answer(req, 486, "x")
			r.far.request(mACK)
		})
	}
}

// TestDrain: no new calls, and a wait for those that there are.
func TestDrain(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		l, _, ears := r.far.answered()
		ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
		defer cancel()
		done := make(chan time.Time)
		begin := time.Now()
		go func() {
			r.e.Drain(ctx)
			done <- time.Now()
		}()
		synctest.Wait()
		r.far.leg("+15550199").send("INVITE", withSDP(offerText)...)
		if res := r.far.response(503); wire.Field(res, "Retry-After") == "" {
			t.Errorf("got\n%s", res)
		}
		for range 10 {
			r.far.response(503)
		}
		other := r.far.leg("+15550199")
		other.send("OPTIONS")
		r.far.response(503)
		if _, err := r.e.Dial(Invitation{Trunk: "far", To: "1", Media: &fakeMedia{}, Hear: ears.hear}); err == nil {
			t.Error("a new call")
		}
		l.send("BYE")
		r.far.response(200)
		ears.over(t, HungUpThere, 0)
		if at := <-done; at.Sub(begin) >= time.Minute {
			t.Error("it has waited beyond the last call")
		}
		r.e.Drain(ctx)
	})
	virtual(t, nil, func(r *rig) {
		r.far.answered()
		ctx, cancel := context.WithTimeout(r.Context(), time.Second)
		defer cancel()
		r.e.Drain(ctx)
		if ctx.Err() == nil {
			t.Error("it has not waited")
		}
	})
}

// TestClose ends calls of every kind and tells so, within a bounded time although
// nobody answers.
func TestClose(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		_, _, talking := r.far.answered()
		unanswered := r.far.leg("+15550199").call(withSDP(offerText)...)
		l := r.far.leg("+15550199")
		waiting, unconfirmed := l.call(withSDP(offerText)...), newEars()
		waiting.Answer(unconfirmed.media, unconfirmed.hear)
		r.far.response(200)
		unconfirmed.want(t, Answered)
		_, out, _ := r.dial(Invitation{})
		begin := time.Now()
		if err := r.e.Close(); err != nil {
			t.Error(err)
		}
		if d := time.Since(begin); d > 3*time.Second {
			t.Errorf("closing took %v", d)
		}
		talking.over(t, HungUpHere, 0)
		unconfirmed.over(t, HungUpHere, 0)
		out.over(t, HungUpHere, 0)
		late := newEars()
		unanswered.Answer(late.media, late.hear)
		late.over(t, HungUpHere, 0)
		for _, c := range []*Call{unanswered, waiting} { // nothing happens
			c.Ring()
			c.Hangup()
			c.Reinvite()
			c.Info("1")
			c.Refer("1")
			c.Reject(486)
		}
		if _, err := r.e.Dial(Invitation{Trunk: "far", To: "1", Media: &fakeMedia{}, Hear: late.hear}); err == nil {
			t.Error("a new call")
		}
	})
}

// TestCloseByName: BYE goes out on closing although where to has to be looked up.
func TestCloseByName(t *testing.T) {
	virtual(t, nil, func(r *rig) {
		r.dns["far.example"] = "192.0.2.2"
		_, ears, req := r.dial(Invitation{})
		r.far.answer(req, 200, "x", "Contact: <sip:far@far.example>", contentType, "", "v=0 answer")
		r.far.request(mACK)
		ears.want(t, Answered)
		<-time.After(time.Hour)
		closed := make(chan error, 1)
		go func() { closed <- r.e.Close() }()
		r.far.answer(r.far.request(mBYE), 200, "")
		if err := <-closed; err != nil {
			t.Error(err)
		}
		ears.over(t, HungUpHere, 0)
	})
}

// TestLoss: a quarter of all datagrams of both sides are lost, and every call is made
// and ended nevertheless.
func TestLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &lan{socks: map[netip.AddrPort]*sock{}}
		open := func(addr, other string, incoming func(*Call), period int) *Endpoint {
			s := w.sock(addr)
			var mu sync.Mutex
			n := 0
			s.lose = func([]byte) bool {
				mu.Lock()
				defer mu.Unlock()
				n++
				return n*7%period < period/4
			}
			e, err := open(t.Context(), Options{Trunks: []Trunk{{Name: "t", Address: "sip:" + other}}, Incoming: incoming}, wire.Sockets{UDP: s}, wire.DefaultTimers, names{})
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		const calls = 50
		var there sync.WaitGroup
		there.Add(calls)
		b := open(farAddr, hereAddr, func(c *Call) {
			c.Ring()
			c.Answer(&fakeMedia{}, func(ev Event) {
				if ev.Kind == Ended {
					if ev.Cause != HungUpThere {
						t.Errorf("%s: %+v", c.ID(), ev)
					}
					there.Done()
				}
			})
		}, 23)
		a := open(hereAddr, farAddr, nil, 29)
		var here sync.WaitGroup
		for i := range calls {
			here.Add(1)
			var c *Call
			ready := make(chan struct{})
			var err error
			c, err = a.Dial(Invitation{Trunk: "t", To: fmt.Sprint(i), From: "1", Media: &fakeMedia{}, Hear: func(ev Event) {
				switch ev.Kind {
				case Answered:
					time.AfterFunc(time.Second, func() {
						<-ready
						c.Hangup()
					})
				case Ended:
					if ev.Cause != HungUpHere {
						t.Errorf("%+v", ev)
					}
					here.Done()
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			close(ready)
		}
		here.Wait()
		there.Wait()
		for _, e := range []*Endpoint{a, b} {
			if n := e.Calls(); n != 0 {
				t.Errorf("%d calls are left", n)
			}
			_ = e.Close()
		}
	})
}
