package sip

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// registering is a registrar and who registers there: send tells the status and the
// contacts of the answer with their expiry.
type registering struct {
	t *testing.T
	c *clock
	r *registrar
	g *guard
}

func newRegistering(t *testing.T, trunks ...Trunk) *registering {
	c := newClock()
	if trunks == nil {
		trunks = []Trunk{{Name: "phones", Registrar: true, Numbers: Numbers{Country: "1"}}}
	}
	g := newGuard(trunks, Limits{}, c.now)
	return &registering{t, c, newRegistrar(g, c.now), g}
}

func (r *registering) send(source, callID string, seq int, more ...string) (int, string) {
	r.t.Helper()
	return r.sendBy(0, source, callID, seq, more...)
}

func (r *registering) sendBy(trunk int, source, callID string, seq int, more ...string) (int, string) {
	r.t.Helper()
	lines := append([]string{
		"REGISTER sip:ringdown.example SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1", "From: <sip:100@ringdown.example>;tag=1",
		"Call-ID: " + callID, fmt.Sprintf("CSeq: %d REGISTER", seq),
	}, more...)
	if !strings.Contains(strings.Join(more, "\n"), "To: ") {
		lines = append(lines, "To: <sip:100@ringdown.example>")
	}
	req := message(r.t, lines...)
	req.SetSource(source)
	req.SetTransport("UDP")
	res := r.r.handle(r.g.trunks[trunk], req)
	if got := len(res.GetHeaders("Via")); got != 1 {
		r.t.Errorf("the answer has %d Via", got)
	}
	var contacts []string
	for _, h := range res.GetHeaders("Contact") {
		contacts = append(contacts, strings.TrimPrefix(h.Value(), "<sip:"))
	}
	return res.StatusCode, strings.Join(contacts, " ")
}

func TestRegister(t *testing.T) {
	const nat, phone = "203.0.113.1:40000", "Contact: <sip:100@10.0.0.5:5060>"
	type step struct {
		after    time.Duration
		callID   string
		seq      int
		more     []string
		status   int
		contacts string
	}
	for name, steps := range map[string][]step{
		"an hour by default": {
			{0, "a", 1, []string{phone}, 200, "100@10.0.0.5:5060>;expires=3600"},
		},
		"as asked for all": {
			{0, "a", 1, []string{phone, "Expires: 300"}, 200, "100@10.0.0.5:5060>;expires=300"},
		},
		"as asked for one": {
			{0, "a", 1, []string{phone + ";expires=120", "Expires: 300"}, 200, "100@10.0.0.5:5060>;expires=120"},
		},
		"in capitals": {
			{0, "a", 1, []string{phone + ";Expires=120"}, 200, "100@10.0.0.5:5060>;expires=120"},
		},
		"not longer": {
			{0, "a", 1, []string{phone, "Expires: 86400"}, 200, "100@10.0.0.5:5060>;expires=3600"},
		},
		"not shorter": {
			{0, "a", 1, []string{phone, "Expires: 45"}, 200, "100@10.0.0.5:5060>;expires=60"},
		},
		"much too short": {
			{0, "a", 1, []string{phone, "Expires: 29"}, 423, ""},
			{0, "a", 2, nil, 200, ""},
		},
		"what makes no sense is an hour": {
			{0, "a", 1, []string{phone + ";expires=soon", "Expires: never"}, 200, "100@10.0.0.5:5060>;expires=3600"},
		},
		"it runs out": {
			{0, "a", 1, []string{phone, "Expires: 60"}, 200, "100@10.0.0.5:5060>;expires=60"},
			{59 * time.Second, "a", 2, nil, 200, "100@10.0.0.5:5060>;expires=1"},
			{time.Second, "a", 3, nil, 200, ""},
		},
		"it is refreshed": {
			{0, "a", 1, []string{phone, "Expires: 60"}, 200, "100@10.0.0.5:5060>;expires=60"},
			{50 * time.Second, "a", 2, []string{phone + ";expires=100"}, 200, "100@10.0.0.5:5060>;expires=100"},
		},
		"it is ended": {
			{0, "a", 1, []string{phone}, 200, "100@10.0.0.5:5060>;expires=3600"},
			{0, "a", 2, []string{phone, "Expires: 0"}, 200, ""},
		},
		"all are ended": {
			{0, "a", 1, []string{phone}, 200, "100@10.0.0.5:5060>;expires=3600"},
			{0, "b", 1, []string{"Contact: <sip:100@10.0.0.6>"}, 200, "100@10.0.0.5:5060>;expires=3600 100@10.0.0.6>;expires=3600"},
			{0, "a", 2, []string{"Contact: *", "Expires: 0"}, 200, ""},
		},
		"an asterisk without zero": {
			{0, "a", 1, []string{"Contact: *"}, 400, ""},
			{0, "a", 2, []string{"Contact: *", "Expires: 60"}, 400, ""},
		},
		"an asterisk beside others": {
			{0, "a", 1, []string{phone, "Contact: *", "Expires: 0"}, 400, ""},
		},
		"an older one changes nothing": {
			{0, "a", 5, []string{phone}, 200, "100@10.0.0.5:5060>;expires=3600"},
			{0, "a", 5, []string{phone, "Expires: 0"}, 500, ""},
			{0, "a", 4, []string{"Contact: *", "Expires: 0"}, 500, ""},
			{0, "a", 6, nil, 200, "100@10.0.0.5:5060>;expires=3600"},
		},
		"after a restart the count begins again": {
			{0, "a", 500, []string{phone}, 200, "100@10.0.0.5:5060>;expires=3600"},
			{0, "b", 1, []string{phone}, 200, "100@10.0.0.5:5060>;expires=3600"},
		},
		"all or none": {
			{0, "a", 5, []string{phone}, 200, "100@10.0.0.5:5060>;expires=3600"},
			{0, "a", 3, []string{"Contact: <sip:100@10.0.0.6>", phone}, 500, ""},
			{0, "a", 6, nil, 200, "100@10.0.0.5:5060>;expires=3600"},
		},
		"several at once": {
			{
				0, "a", 1,
				[]string{"Contact: <sip:100@10.0.0.5>;expires=60, <sip:100@10.0.0.6>;expires=90"},
				200,
				"100@10.0.0.5>;expires=60 100@10.0.0.6>;expires=90",
			},
		},
		"the same with other parameters": {
			{0, "a", 1, []string{"Contact: <sip:100@10.0.0.5;ob>;+sip.instance=\"x\""}, 200, "100@10.0.0.5;ob>;expires=3600"},
			{0, "a", 2, []string{"Contact: <sip:100@10.0.0.5;line=2>"}, 200, "100@10.0.0.5;line=2>;expires=3600"},
		},
		"another transport is another": {
			{0, "a", 1, []string{"Contact: <sip:100@10.0.0.5>"}, 200, "100@10.0.0.5>;expires=3600"},
			{0, "a", 2, []string{"Contact: <sip:100@10.0.0.5;transport=tcp>"}, 200, "100@10.0.0.5>;expires=3600 100@10.0.0.5;transport=tcp>;expires=3600"},
		},
		"a contact of another kind": {{0, "a", 1, []string{"Contact: <mailto:a@b>"}, 400, ""}},
		"what no request can go to": {{0, "a", 1, []string{"Contact: <sip:a b@10.0.0.5>"}, 400, ""}},
		"nobody":                    {{0, "a", 1, []string{phone, "To: <sip:ringdown.example>"}, 400, ""}},
		"too many of one": {
			{0, "a", 1, []string{manyContacts(contactsOfUser)}, 200, ""},
			{0, "a", 2, []string{"Contact: <sip:100@192.168.1.1>"}, 503, ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRegistering(t)
			for i, s := range steps {
				r.c.pass(s.after)
				status, contacts := r.send(nat, s.callID, s.seq, s.more...)
				if name == "too many of one" {
					contacts = ""
				}
				if status != s.status || contacts != s.contacts {
					t.Errorf("step %d: %d %q, want %d %q", i, status, contacts, s.status, s.contacts)
				}
			}
		})
	}
	r := newRegistering(t, Trunk{Name: "none", Sources: prefixes("203.0.113.1")})
	if status, _ := r.send(nat, "a", 1, phone); status != 405 {
		t.Errorf("a trunk without registrar answers %d", status)
	}
}

func manyContacts(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("<sip:100@10.0.1.%d>", i))
	}
	return "Contact: " + strings.Join(all, ", ")
}

// TestLookup: calls go to where the last REGISTER came from, whatever the contact
// says, and a number is found however it is written.
func TestLookup(t *testing.T) {
	r := newRegistering(t, Trunk{Name: "phones", Registrar: true, Numbers: Numbers{Country: "1"}}, Trunk{Name: "others", Registrar: true})
	find := func(user string) string {
		c, ok := r.r.lookup(user)
		if !ok {
			return "none"
		}
		return fmt.Sprint(c.uri.String(), " at ", c.source, " by ", c.transport, " of ", c.trunk.Name)
	}
	r.send("203.0.113.1:40000", "a", 1, "Contact: <sip:100@10.0.0.5:5060>", "To: <sip:100@ringdown.example>")
	r.send("[::ffff:203.0.113.2]:40001", "b", 1, "Contact: <sip:x@10.0.0.6>;expires=60", "To: <sip:5551234567@ringdown.example>")
	r.sendBy(1, "203.0.113.3:5060", "c", 1, "Contact: <sip:y@10.0.0.7;transport=tcp>", "To: <sip:15559999999@ringdown.example>")
	r.sendBy(1, "203.0.113.4:5060", "d", 1, "Contact: <sip:bob@10.0.0.8>", "To: <sip:bob@ringdown.example>")
	for user, want := range map[string]string{
		"100":          "sip:100@10.0.0.5:5060 at 203.0.113.1:40000 by UDP of phones",
		"+15551234567": "sip:x@10.0.0.6 at 203.0.113.2:40001 by UDP of phones",
		"15551234567":  "sip:x@10.0.0.6 at 203.0.113.2:40001 by UDP of phones",
		"+15559999999": "sip:y@10.0.0.7;transport=tcp at 203.0.113.3:5060 by UDP of others",
		"bob":          "sip:bob@10.0.0.8 at 203.0.113.4:5060 by UDP of others",
		"+bob":         "sip:bob@10.0.0.8 at 203.0.113.4:5060 by UDP of others",
		"alice":        "none",
		"":             "none",
	} {
		if got := find(user); got != want {
			t.Errorf("%q is %s, want %s", user, got, want)
		}
	}
	r.c.pass(time.Second)
	r.send("203.0.113.9:1234", "e", 1, "Contact: <sip:100@10.0.0.9>", "To: <sip:100@ringdown.example>")
	if got, want := find("100"), "sip:100@10.0.0.9 at 203.0.113.9:1234 by UDP of phones"; got != want {
		t.Errorf("after another has registered it is %s, want %s", got, want)
	}
	r.send("203.0.113.9:1234", "e", 2, "Contact: <sip:100@10.0.0.9>;expires=0", "To: <sip:100@ringdown.example>")
	if got, want := find("100"), "sip:100@10.0.0.5:5060 at 203.0.113.1:40000 by UDP of phones"; got != want {
		t.Errorf("after that has gone it is %s, want %s", got, want)
	}
	r.c.pass(time.Minute)
	if got := find("+15551234567"); got != "none" {
		t.Errorf("after its expiry it is %s", got)
	}
	// What is found may be changed.
	c, _ := r.r.lookup("bob")
	c.uri.UriParams.Add("lr", "")
	c.uri.User = "eve"
	if got := find("bob"); !strings.HasPrefix(got, "sip:bob@10.0.0.8 at") {
		t.Errorf("it was changed: %s", got)
	}
}

// TestRegisteredAreHeard: a telephone that has registered may call without a password
// when the trunk has none, as long as it is registered.
func TestRegisteredAreHeard(t *testing.T) {
	r := newRegistering(t)
	const from = "203.0.113.1:40000"
	invite := request(t, sip.INVITE, from, "UDP")
	if _, v := r.g.trunk(invite); v != dropped {
		t.Errorf("before: %v", v)
	}
	r.send(from, "a", 1, "Contact: <sip:100@10.0.0.5:5060>", "Expires: 60")
	if tr, v := r.g.trunk(invite); v != admitted || tr.Name != "phones" {
		t.Errorf("registered: %v", v)
	}
	r.c.pass(3 * time.Minute)
	if _, v := r.g.trunk(invite); v != dropped {
		t.Errorf("afterwards: %v", v)
	}
}

// TestContactsAreBounded: there is an end to contacts, and what has expired makes
// room.
func TestContactsAreBounded(t *testing.T) {
	r := newRegistering(t)
	add := func(i int) int {
		status, _ := r.send("203.0.113.1:40000", "a", i+1, "Contact: <sip:x@10.0.0.5>;expires=60", fmt.Sprintf("To: <sip:user%d@ringdown.example>", i))
		return status
	}
	for i := range contactLimit {
		if status := add(i); status != 200 {
			t.Fatalf("registration %d: %d", i, status)
		}
	}
	if status := add(contactLimit); status != 503 {
		t.Errorf("one too many: %d", status)
	}
	if status := add(0); status != 500 { // the same Call-ID and CSeq again
		t.Errorf("the first again: %d", status)
	}
	if status, _ := r.send("203.0.113.1:40000", "b", 1, "Contact: <sip:x@10.0.0.5>;expires=120", "To: <sip:user1@ringdown.example>"); status != 200 {
		t.Errorf("a refresh in a full registrar: %d", status)
	}
	r.c.pass(time.Minute)
	if status := add(contactLimit + 1); status != 200 {
		t.Errorf("when the others have expired: %d", status)
	}
	if r.r.count != 2 || len(r.r.users) != 2 {
		t.Errorf("%d contacts of %d users are left, want 2", r.r.count, len(r.r.users))
	}
}

// FuzzRegister: whatever a telephone says, the answer is a SIP answer and what is
// counted is there.
func FuzzRegister(f *testing.F) {
	f.Add("<sip:100@10.0.0.5>;expires=60", "300", "100", uint32(1))
	f.Add("*", "0", "+15551234567", uint32(2))
	f.Add("<sip:[2001:db8::1]:5060;transport=tcp>, <sips:a@b>", "", "a%20b;x=y", uint32(3))
	c := newClock()
	g := newGuard([]Trunk{{Name: "phones", Registrar: true}}, Limits{}, c.now)
	r := newRegistrar(g, c.now)
	f.Fuzz(func(t *testing.T, contact, expires, user string, seq uint32) {
		text := "REGISTER sip:ringdown.example SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:" + user + "@b>\r\nCall-ID: 1\r\n" +
			fmt.Sprintf("CSeq: %d REGISTER\r\nContact: %s\r\nExpires: %s\r\nContent-Length: 0\r\n\r\n", seq, contact, expires)
		m, err := sip.ParseMessage([]byte(text))
		req, ok := m.(*sip.Request)
		if err != nil || !ok {
			return
		}
		req.SetSource("203.0.113.1:5060")
		req.SetTransport("UDP")
		res := r.handle(g.trunks[0], req)
		switch res.StatusCode {
		case 200, 400, 423, 500, 503:
		default:
			t.Errorf("%q: %d", text, res.StatusCode)
		}
		if _, err := sip.ParseMessage([]byte(res.String())); err != nil {
			t.Errorf("%q: the answer cannot be read: %v", text, err)
		}
		count := 0
		for _, all := range r.users {
			count += len(all)
		}
		if count != r.count {
			t.Errorf("%d contacts are counted as %d", count, r.count)
		}
		c.pass(time.Second)
	})
}

func BenchmarkLookup(b *testing.B) {
	c := newClock()
	g := newGuard([]Trunk{{Registrar: true}}, Limits{}, c.now)
	r := newRegistrar(g, c.now)
	for i := range 5000 {
		r.store(fmt.Sprintf("+1555%07d", i), []*binding{{
			contact: contact{uri: sip.Uri{Scheme: "sip", User: "x", Host: "10.0.0.5"}, source: netip.MustParseAddrPort("203.0.113.1:5060"), trunk: g.trunks[0]},
			expires: c.at.Add(time.Hour),
		}})
	}
	for b.Loop() {
		r.lookup("+15550004999")
	}
}
