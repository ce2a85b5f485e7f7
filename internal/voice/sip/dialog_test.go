package sip

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// public are addresses of trunks that are not of a private network.
var public = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}

// TestOverConnection: what is for a far side that came over a connection goes over it
// while it is there, unless it wants to be reached otherwise, and then by its URI.
func TestOverConnection(t *testing.T) {
	const come = "192.0.2.2:41000"
	for _, c := range []struct {
		name            string
		contact, record string
		left            bool   // the connection has ended
		at              string // where BYE arrives by UDP, "" for the connection
		gone            bool   // nowhere
	}{
		{name: "no transport", contact: "<sip:far@192.0.2.2:5060>"},
		{name: "no transport, another host", contact: "<sip:far@192.0.2.3:5060>"},
		{name: "behind NAT", contact: "<sip:far@10.0.0.7:5060>"},
		{name: "behind NAT, by UDP", contact: "<sip:far@10.0.0.7:5060;transport=udp>"},
		{name: "a name that nobody knows", contact: "<sip:far@f00.invalid>"},
		{name: "its own port, by TCP", contact: "<sip:far@192.0.2.2:5060;transport=tcp>"},
		{name: "by UDP", contact: "<sip:far@192.0.2.2:5060;transport=udp>", at: farAddr},
		{name: "by the proxy that it came by", contact: "<sip:far@10.0.0.7>", record: "<sip:192.0.2.2:5070;lr>"},
		{name: "by another proxy", contact: "<sip:far@10.0.0.7>", record: "<sip:192.0.2.3:5060;lr>", at: otherAddr},
		{name: "left", contact: "<sip:far@192.0.2.2:5060>", left: true, at: farAddr},
		{name: "left, by another proxy", contact: "<sip:far@10.0.0.7>", record: "<sip:192.0.2.3:5060;lr>", left: true, at: otherAddr},
		{name: "left, behind NAT", contact: "<sip:far@10.0.0.7:5060>", left: true, gone: true},
		{name: "left, a name that nobody knows", contact: "<sip:far@f00.invalid>", left: true, gone: true},
	} {
		for _, registrar := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				virtual(t, func(o *Options) {
					o.Trunks = []Trunk{{Name: "far", Sources: public, Registrar: registrar}}
				}, func(r *rig) {
					p := r.connected(come)
					lines := []string{"Contact: " + c.contact}
					if c.record != "" {
						lines = append(lines, "Record-Route: "+c.record)
					}
					_, call, ears := p.answered(append(lines, contentType, "", offerText)...)
					at := p
					switch c.at {
					case farAddr:
						at = r.far
					case otherAddr:
						at = r.peer(otherAddr)
					}
					if registrar && c.at == farAddr && !c.left {
						at = p // a telephone is spoken to where it speaks from
					}
					if c.left {
						p.leaves()
					}
					call.Hangup()
					ears.over(t, HungUpHere, 0)
					if c.gone {
						r.far.silent(time.Minute)
						return
					}
					bye := at.request(mBYE)
					want := "UDP"
					if at == p {
						want = "TCP"
					}
					if got := bye.Via().Transport; got != want {
						t.Errorf("Via of %s, want %s", got, want)
					}
					at.answer(bye, 200, "")
				})
			})
		}
	}
}

// TestConnectionLost: a far side whose connection ends, and which comes again by another,
// is spoken to by that.
func TestConnectionLost(t *testing.T) {
	for _, registrar := range []bool{false, true} {
		virtual(t, func(o *Options) {
			o.Trunks = []Trunk{{Name: "far", Sources: public, Registrar: registrar}}
		}, func(r *rig) {
			p := r.connected("192.0.2.2:41000")
			l, call, ears := p.answered("Contact: <sip:far@10.0.0.7>", contentType, "", offerText)
			p.leaves()
			again := r.connected("192.0.2.2:41001")
			l.p = again
			l.send("OPTIONS")
			again.response(200)
			call.Hangup()
			again.answer(again.request(mBYE), 200, "")
			ears.over(t, HungUpHere, 0)
		})
	}
}

// TestConnectionCut: a call whose connection is gone, and which has no other way, ends
// when something is to be said.
func TestConnectionCut(t *testing.T) {
	virtual(t, func(o *Options) { o.Trunks = []Trunk{{Name: "far", Sources: public}} }, func(r *rig) {
		p := r.connected("192.0.2.2:41000")
		_, call, ears := p.answered("Contact: <sip:far@10.0.0.7>", contentType, "", offerText)
		p.leaves()
		call.Refer("+15550111")
		ears.over(t, Failed, 0)
	})
}

// TestRegisteredByConnection: a telephone that has registered over a connection is called
// over it, and when that is gone where its Contact leads, unless that is behind NAT.
func TestRegisteredByConnection(t *testing.T) {
	for _, c := range []struct {
		name, contact string
		left, gone    bool
	}{
		{"there", "<sip:1001@10.0.0.7>", false, false},
		{"left", "<sip:1001@" + farAddr + ">", true, false},
		{"left, behind NAT", "<sip:1001@10.0.0.7>", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			virtual(t, func(o *Options) {
				o.Trunks = []Trunk{{Name: "phones", Registrar: true, Sources: public}}
			}, func(r *rig) {
				p := r.connected("192.0.2.2:41000")
				l := p.leg("1001")
				l.local, l.remote = "<sip:1001@192.0.2.1>", "<sip:1001@192.0.2.1>"
				l.send("REGISTER", "Contact: "+c.contact, "Expires: 600")
				p.response(200)
				if c.left {
					p.leaves()
					p = r.far
				}
				ears := newEars()
				call, err := r.e.Dial(Invitation{Trunk: "phones", To: "1001", From: "1000", Media: ears.media, Hear: ears.hear})
				if err != nil {
					t.Fatal(err)
				}
				if c.gone {
					ears.over(t, Failed, 0)
					return
				}
				p.answer(p.request(mINVITE), 200, "x", "Contact: "+c.contact, contentType, "", "v=0 answer")
				p.request(mACK)
				ears.want(t, Answered)
				call.Hangup()
				p.answer(p.request(mBYE), 200, "")
				ears.over(t, HungUpHere, 0)
			})
		})
	}
}

// TestOutOverConnection: a call that went out over a connection goes on over it where the
// Contact of who has answered is of the same host and names no transport.
func TestOutOverConnection(t *testing.T) {
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e := listening(t, Options{Trunks: []Trunk{{Name: "far", Address: "sip:" + l.Addr().String() + ";transport=tcp"}}})
	ears := newEars()
	c, err := e.Dial(Invitation{Trunk: "far", To: "1", From: "2", Media: ears.media, Hear: ears.hear})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	next := messages(t, conn)
	invite, ok := next().(*sip.Request)
	if !ok || invite.Method != mINVITE {
		t.Fatalf("got\n%v", invite)
	}
	ok200 := answerText(invite, 200, "x", "Contact: <sip:1@127.0.0.1:5060>", contentType, "", "v=0 answer")
	// A second telephone takes the call up as well, and is told that it is not needed.
	other := strings.Replace(ok200, "tag=x", "tag=y", 1)
	if _, err := io.WriteString(conn, ok200+other); err != nil {
		t.Fatal(err)
	}
	ears.want(t, Answered)
	c.Hangup()
	want := map[string]int{"ACK x": 1, "ACK y": 1, "BYE x": 1, "BYE y": 1}
	for range 4 {
		req, ok := next().(*sip.Request)
		if !ok {
			t.Fatal("an answer to nothing")
		}
		want[string(req.Method)+" "+wire.ToTag(req)]--
		if req.Method == mBYE {
			if _, err := io.WriteString(conn, answerText(req, 200, "")); err != nil {
				t.Fatal(err)
			}
		}
	}
	for what, missing := range want {
		if missing != 0 {
			t.Errorf("%s is missing %d times", what, missing)
		}
	}
	ears.over(t, HungUpHere, 0)
}
