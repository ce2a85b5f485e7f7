package sip

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/auth"
	"ringdown/internal/voice/sip/wire"
)

// clock is a time that tests turn.
type clock struct{ at time.Time }

func newClock() *clock { return &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) now() time.Time       { return c.at }
func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }

func prefixes(all ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, p := range all {
		if a, err := netip.ParseAddr(p); err == nil {
			ps = append(ps, netip.PrefixFrom(a, a.BitLen()))
			continue
		}
		ps = append(ps, netip.MustParsePrefix(p))
	}
	return ps
}

// request makes a request of a method, from a source.
func request(t testing.TB, method sip.RequestMethod, source, transport string, more ...string) *sip.Request {
	t.Helper()
	lines := append([]string{
		string(method) + " sip:100@ringdown.example SIP/2.0", "Via: SIP/2.0/" + transport + " far.example;branch=z9hG4bK1",
		"From: <sip:200@far.example>;tag=1", "Call-ID: 1", "CSeq: 1 " + string(method),
	}, more...)
	if !slices.ContainsFunc(more, func(s string) bool { return strings.HasPrefix(s, "To:") }) {
		lines = append(lines, "To: <sip:100@ringdown.example>")
	}
	req := message(t, lines...)
	req.SetSource(source)
	req.SetTransport(transport)
	return req
}

func TestAdmit(t *testing.T) {
	closed := []Trunk{
		{Name: "a", Sources: prefixes("192.0.2.0/24", "2001:db8::/32", "::ffff:198.51.100.0/120")},
		{Name: "b", Address: "sip:203.0.113.5:5080;transport=tcp"},
		{Name: "c", Address: "sips:[2001:db9::7]"},
		{Name: "d", Address: "sip:provider.example", Sources: prefixes("203.0.113.9")},
		{Name: "e", Sources: prefixes("10.1.1.1"), InboundUsername: "u", Registrar: true},
	}
	for name, c := range map[string]struct {
		trunks []Trunk
		from   string
		want   bool
	}{
		"a range":                   {closed, "192.0.2.200:5060", true},
		"another port":              {closed, "192.0.2.200:1", true},
		"mapped":                    {closed, "[::ffff:192.0.2.200]:5060", true},
		"beside the range":          {closed, "192.0.3.1:5060", false},
		"a range of IPv6":           {closed, "[2001:db8:1::1]:5060", true},
		"beside it":                 {closed, "[2001:db7::1]:5060", false},
		"a range that is mapped":    {closed, "198.51.100.7:5060", true},
		"a trunk's address":         {closed, "203.0.113.5:5060", true},
		"a trunk's IPv6 address":    {closed, "[2001:db9::7]:5061", true},
		"a single source":           {closed, "203.0.113.9:5060", true},
		"loopback is like others":   {closed, "127.0.0.1:5060", false},
		"loopback that is listed":   {[]Trunk{{Sources: prefixes("127.0.0.0/8")}}, "127.0.0.1:5060", true},
		"any with a password":       {[]Trunk{{InboundUsername: "u"}}, "192.0.3.1:5060", true},
		"any that registers":        {[]Trunk{{Registrar: true}}, "192.0.3.1:5060", true},
		"a password, but of few":    {[]Trunk{{InboundUsername: "u", Sources: prefixes("192.0.2.1")}}, "192.0.3.1:5060", false},
		"no trunks":                 {nil, "192.0.2.1:5060", false},
		"a trunk of calls out only": {[]Trunk{{Address: "sip:203.0.113.5"}}, "203.0.113.6:5060", false},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuard(c.trunks, Limits{}, newClock().now)
			if got := g.admit(netip.MustParseAddrPort(c.from)); got != c.want {
				t.Errorf("admitted %v, want %v", got, c.want)
			}
		})
	}
}

// TestFlood: what is over a source's rate is not read, others are not concerned, and
// a second later it is heard again.
func TestFlood(t *testing.T) {
	clock := newClock()
	g := newGuard([]Trunk{{Sources: prefixes("192.0.2.0/24")}}, Limits{Messages: 100, Invites: 10}, clock.now)
	count := func(from string, n int) (admitted int) {
		for range n {
			if g.admit(netip.MustParseAddrPort(from)) {
				admitted++
			}
		}
		return admitted
	}
	for _, step := range []struct {
		from       string
		after      time.Duration
		sent, want int
	}{
		{"192.0.2.1:5060", 0, 150, 100},
		{"192.0.2.1:9999", 0, 10, 0}, // another port is the same source
		{"192.0.2.2:5060", 0, 50, 50},
		{"192.0.2.1:5060", 100 * time.Millisecond, 50, 10},
		{"192.0.2.1:5060", time.Hour, 150, 100},
	} {
		clock.pass(step.after)
		if got := count(step.from, step.sent); got != step.want {
			t.Errorf("%s: %d of %d were admitted, want %d", step.from, got, step.sent, step.want)
		}
	}
}

func TestInvites(t *testing.T) {
	clock := newClock()
	trunks := []Trunk{{Sources: prefixes("192.0.2.0/24")}}
	for _, transport := range []string{"UDP", "TCP"} {
		g := newGuard(trunks, Limits{Messages: 1000, Invites: 10}, clock.now)
		verdicts := func(n int, method sip.RequestMethod, more ...string) map[verdict]int {
			got := map[verdict]int{}
			for range n {
				_, v := g.trunk(request(t, method, "192.0.2.1:5060", transport, more...))
				got[v]++
			}
			return got
		}
		const within = "To: <sip:100@ringdown.example>;tag=2"
		if got := verdicts(15, sip.INVITE); got[admitted] != 10 || got[refused] != 5 {
			t.Errorf("%s: 15 calls at once: %v", transport, got)
		}
		for _, m := range []sip.RequestMethod{sip.ACK, sip.CANCEL, sip.OPTIONS} {
			if got := verdicts(1, m); got[admitted] != 1 {
				t.Errorf("%s: %s is a call: %v", transport, m, got)
			}
		}
		if got := verdicts(5, sip.INVITE, within); got[admitted] != 5 {
			t.Errorf("%s: re-INVITE is a call: %v", transport, got)
		}
		clock.pass(500 * time.Millisecond)
		if got := verdicts(15, sip.INVITE); got[admitted] != 5 || got[refused] != 10 {
			t.Errorf("%s: half a second later: %v", transport, got)
		}
	}
}

// TestTrunk is whose a request is and what is done with it.
func TestTrunk(t *testing.T) {
	const within = "To: <sip:100@ringdown.example>;tag=2"
	closed := []Trunk{
		{Name: "wide", Sources: prefixes("192.0.2.0/24")},
		{Name: "narrow", Sources: prefixes("192.0.2.64/26")},
		{Name: "host", Sources: prefixes("192.0.2.65")},
		{Name: "secret", Sources: prefixes("198.51.100.0/24"), InboundUsername: "u", InboundPassword: "p"},
		{Name: "out", Address: "sip:203.0.113.5"},
	}
	accounts := []Trunk{
		{Name: "one", Address: "sip:203.0.113.5", Register: true, Username: "500"},
		{Name: "two", Address: "sip:203.0.113.5", Register: true, Username: "x", Identity: "300"},
	}
	phones := []Trunk{{Name: "phones", Registrar: true}}
	guarded := []Trunk{{Name: "none", Sources: prefixes("192.0.2.1")}, {Name: "phones", Registrar: true, InboundUsername: "u", InboundPassword: "p"}}
	for name, c := range map[string]struct {
		trunks []Trunk
		method sip.RequestMethod
		from   string
		more   []string
		want   verdict
		trunk  string
	}{
		"by range":               {closed, sip.INVITE, "192.0.2.1:5060", nil, admitted, "wide"},
		"the longest range":      {closed, sip.INVITE, "192.0.2.100:5060", nil, admitted, "narrow"},
		"a host":                 {closed, sip.INVITE, "192.0.2.65:5060", nil, admitted, "host"},
		"where calls go to":      {closed, sip.INVITE, "203.0.113.5:5060", nil, admitted, "out"},
		"a password is missing":  {closed, sip.INVITE, "198.51.100.1:5060", nil, challenged, "secret"},
		"in a dialog it is not":  {closed, sip.BYE, "198.51.100.1:5060", []string{within}, admitted, "secret"},
		"nor with CANCEL":        {closed, sip.CANCEL, "198.51.100.1:5060", nil, admitted, "secret"},
		"nor with ACK":           {closed, sip.ACK, "198.51.100.1:5060", nil, admitted, "secret"},
		"OPTIONS is challenged":  {closed, sip.OPTIONS, "198.51.100.1:5060", nil, challenged, "secret"},
		"a stranger":             {closed, sip.INVITE, "203.0.113.77:5060", nil, dropped, ""},
		"a stranger in a dialog": {closed, sip.BYE, "203.0.113.77:5060", []string{within}, dropped, ""},
		"an odd source":          {closed, sip.INVITE, "far.example", nil, dropped, ""},
		"an account":             {accounts, sip.INVITE, "203.0.113.5:5060", []string{"To: <sip:500@ringdown.example>"}, admitted, "one"},
		"another account":        {accounts, sip.INVITE, "203.0.113.5:5060", []string{"To: <sip:300@ringdown.example>"}, admitted, "two"},
		"no account":             {accounts, sip.INVITE, "203.0.113.5:5060", []string{"To: <sip:400@ringdown.example>"}, admitted, "one"},
		"open to register":       {phones, sip.REGISTER, "203.0.113.77:5060", nil, admitted, "phones"},
		"but not to call":        {phones, sip.INVITE, "203.0.113.77:5060", nil, dropped, ""},
		"guarded to register":    {guarded, sip.REGISTER, "203.0.113.77:5060", nil, challenged, "phones"},
		"guarded to call":        {guarded, sip.INVITE, "203.0.113.77:5060", nil, challenged, "phones"},
		"the listed is another":  {guarded, sip.INVITE, "192.0.2.1:5060", nil, admitted, "none"},
		"open, in a dialog":      {guarded, sip.BYE, "203.0.113.77:5060", []string{within}, admitted, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGuard(c.trunks, Limits{}, newClock().now)
			got, v := g.trunk(request(t, c.method, c.from, "UDP", c.more...))
			if v != c.want || got == nil && c.trunk != "" || got != nil && got.Name != c.trunk {
				t.Errorf("got %v of %+v, want %v of %q", v, got, c.want, c.trunk)
			}
		})
	}
}

// TestExpect: an address that belongs here by what it has done is heard for a while,
// within dialogs alone when it has no trunk.
func TestExpect(t *testing.T) {
	clock := newClock()
	trunks := []Trunk{{Name: "t", Sources: prefixes("192.0.2.1")}}
	g := newGuard(trunks, Limits{}, clock.now)
	from := netip.MustParseAddrPort("203.0.113.77:5060")
	invite := request(t, sip.INVITE, from.String(), "UDP")
	bye := request(t, sip.BYE, from.String(), "UDP", "To: <sip:100@ringdown.example>;tag=2")
	state := func() string {
		_, a := g.trunk(invite)
		_, b := g.trunk(bye)
		return fmt.Sprint(g.admit(from), a == admitted, b == admitted)
	}
	for _, step := range []struct {
		what string
		do   func()
		want string
	}{
		{"at first", func() {}, "false false false"},
		{"as one that a dialog leads to", func() { g.expect(from.Addr(), nil, time.Minute) }, "true false true"},
		{"as long as it is said", func() { g.expect(from.Addr(), nil, time.Second); clock.pass(59 * time.Second) }, "true false true"},
		{"not longer", func() { clock.pass(time.Second) }, "false false false"},
		{"as one of the trunk", func() { g.expect(from.Addr(), g.trunks[0], time.Minute) }, "true true true"},
		{"even when a dialog leads to it", func() { g.expect(from.Addr(), nil, time.Hour) }, "true true true"},
		{"for an hour", func() { clock.pass(time.Hour) }, "false false false"},
	} {
		step.do()
		if got := state(); got != step.want {
			t.Fatalf("%s: %s, want %s", step.what, got, step.want)
		}
	}
}

// TestStrangers: addresses that are invented cannot fill memory, nor keep those away
// that belong here, and all of them together may send little.
func TestStrangers(t *testing.T) {
	clock := newClock()
	g := newGuard([]Trunk{
		{Name: "listed", Sources: prefixes("192.0.2.1")},
		{Name: "open", Registrar: true, InboundUsername: "u", InboundPassword: "p"},
	}, Limits{Messages: 1_000_000}, clock.now)
	invented := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 0x0A000000+uint32(i)))), 5060)
	}
	heard := 0
	for i := range 100_000 {
		if g.admit(invented(i)) {
			heard++
		}
	}
	if heard != crowdMessages || len(g.sources) != strangerLimit {
		t.Errorf("%d of 100,000 strangers were heard, %d are remembered, want %d and %d", heard, len(g.sources), crowdMessages, strangerLimit)
	}
	if !g.admit(netip.MustParseAddrPort("192.0.2.1:5060")) {
		t.Error("a trunk is not heard for strangers")
	}
	known := netip.MustParseAddrPort("203.0.113.9:5060")
	g.expect(known.Addr(), g.trunks[1], time.Hour)
	if !g.admit(known) {
		t.Error("a registered telephone is not heard for strangers")
	}
	clock.pass(idle)
	if !g.admit(invented(200_000)) {
		t.Error("a stranger is not heard when the others have gone")
	}
	if len(g.sources) > 3 {
		t.Errorf("%d sources are remembered after they have gone", len(g.sources))
	}
	// A stranger that becomes known is none any longer, and the other way round.
	s := invented(200_000)
	g.expect(s.Addr(), nil, time.Second)
	g.admit(s)
	if g.strangers != 0 {
		t.Errorf("%d strangers, want none", g.strangers)
	}
	clock.pass(time.Second)
	g.admit(s)
	if g.strangers != 1 {
		t.Errorf("%d strangers, want one", g.strangers)
	}
	// One of them may send a little, all together as much as a trunk.
	for _, c := range []struct {
		limit, sources, each, want int
	}{
		{1000, 1, 100, strangerMessages},
		{1000, 100, 100, crowdMessages},
		{100, 100, 100, 100},
		{10, 1, 100, 10},
	} {
		g := newGuard([]Trunk{{InboundUsername: "u"}}, Limits{Messages: c.limit}, clock.now)
		got := 0
		for i := range c.sources * c.each {
			if g.admit(invented(i % c.sources)) {
				got++
			}
		}
		if got != c.want {
			t.Errorf("%d strangers sent %d messages each, %d were admitted, want %d", c.sources, c.each, got, c.want)
		}
	}
}

// TestManyExpected: what is remembered of those that belong here is bounded too.
func TestManyExpected(t *testing.T) {
	clock := newClock()
	g := newGuard([]Trunk{{Registrar: true}}, Limits{}, clock.now)
	addr := func(i int) netip.Addr {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 0x0A000000+uint32(i))))
	}
	for i := range sourceLimit + 10 {
		g.expect(addr(i), nil, time.Minute)
	}
	if len(g.expected) != sourceLimit {
		t.Errorf("%d are expected, want %d", len(g.expected), sourceLimit)
	}
	clock.pass(time.Minute)
	g.expect(addr(sourceLimit), nil, time.Minute)
	if len(g.expected) != 1 {
		t.Errorf("%d are expected after all have gone, want 1", len(g.expected))
	}
}

// TestNames: the names of trunks are looked up at once and again, and what could not
// be found does not take away what was.
func TestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGuard([]Trunk{
			{Name: "a", Address: "sip:a.example"}, {Name: "b", Address: "sip:b.example"}, {Name: "c", Address: "sip:192.0.2.3"},
		}, Limits{}, time.Now)
		round := 0
		g.lookup = func(_ context.Context, t *Trunk) []netip.Addr {
			switch {
			case t.Name == "a":
				round++
				return []netip.Addr{netip.MustParseAddr(fmt.Sprintf("192.0.2.1%d", round))}
			case t.Name == "b" && round == 1:
				return []netip.Addr{netip.MustParseAddr("192.0.2.20"), netip.MustParseAddr("2001:db8::1")}
			}
			return nil
		}
		who := func(addr string) string {
			var names []string
			for _, t := range g.table.Load().of(netip.MustParseAddr(addr)) {
				names = append(names, t.Name)
			}
			return strings.Join(names, " ")
		}
		check := func(want map[string]string) {
			t.Helper()
			synctest.Wait()
			for addr, name := range want {
				if got := who(addr); got != name {
					t.Errorf("%s is of %q, want %q", addr, got, name)
				}
			}
		}
		check(map[string]string{"192.0.2.11": "", "192.0.2.3": "c"})
		g.start(t.Context())
		check(map[string]string{"192.0.2.11": "a", "192.0.2.20": "b", "2001:db8::1": "b", "192.0.2.3": "c"})
		later(resolveEvery + time.Second)
		check(map[string]string{"192.0.2.11": "", "192.0.2.12": "a", "192.0.2.20": "b", "192.0.2.3": "c"})
		g.stop()
		g.stop()
	})
	// Nothing to look up: nothing runs.
	g := newGuard([]Trunk{{Address: "sip:192.0.2.1"}, {}}, Limits{}, time.Now)
	g.start(t.Context())
	if g.cancel != nil {
		t.Error("addresses are looked up")
	}
	g.stop()
}

func BenchmarkAdmit(b *testing.B) {
	trunks := []Trunk{{InboundUsername: "u"}}
	for i := range 20 {
		trunks = append(trunks, Trunk{Sources: prefixes(fmt.Sprintf("10.%d.0.0/16", i), fmt.Sprintf("192.0.2.%d", i))})
	}
	for name, from := range map[string]string{"host": "192.0.2.19:5060", "range": "10.19.3.4:5060", "stranger": "203.0.113.1:5060"} {
		b.Run(name, func(b *testing.B) {
			g := newGuard(trunks, Limits{Messages: 1 << 40}, time.Now)
			addr := netip.MustParseAddrPort(from)
			b.ReportAllocs()
			for b.Loop() {
				g.admit(addr)
			}
		})
	}
	b.Run("shut", func(b *testing.B) {
		g := newGuard(trunks[1:], Limits{}, time.Now)
		addr := netip.MustParseAddrPort("203.0.113.1:5060")
		b.ReportAllocs()
		for b.Loop() {
			g.admit(addr)
		}
	})
}

// TestAdmitAllocatesNothing, for it is asked for each datagram of a flood.
func TestAdmitAllocatesNothing(t *testing.T) {
	g := newGuard([]Trunk{{Sources: prefixes("192.0.2.0/24")}, {InboundUsername: "u"}}, Limits{}, time.Now)
	for _, from := range []string{"192.0.2.1:5060", "203.0.113.1:5060", "[2001:db8::1]:5060"} {
		addr := netip.MustParseAddrPort(from)
		if n := testing.AllocsPerRun(1000, func() { g.admit(addr) }); n > 0 {
			t.Errorf("%s: %v allocations", from, n)
		}
	}
}

// TestStrangerConnects: where registration is open to whoever knows the password, a
// connection lasts only if that is shown over it.
func TestStrangerConnects(t *testing.T) {
	for _, shows := range []bool{false, true} {
		virtual(t, func(o *Options) {
			o.Trunks = []Trunk{{Name: "phones", Registrar: true, InboundUsername: "u", InboundPassword: "p"}}
		}, func(r *rig) {
			p := r.connected("203.0.113.1:40000")
			l := p.leg("1001")
			contact := "Contact: <sip:1001@10.0.0.7>"
			l.send("REGISTER", contact)
			res := p.response(401)
			if shows {
				req := request(t, sip.REGISTER, "203.0.113.1:40000", "TCP")
				req.Recipient = sip.Uri{Scheme: "sip", User: "1001", Host: "192.0.2.1"}
				if retry, err := auth.Authorize(req, res, "u", "p", ""); err != nil || !retry {
					t.Fatal(retry, err)
				}
				l.send("REGISTER", contact, "Authorization: "+wire.Field(req, "Authorization"))
				p.response(200)
			}
			<-time.After(time.Minute)
			synctest.Wait()
			if got := r.e.net.Connections() == 1; got != shows {
				t.Errorf("the connection is there: %v, want %v", got, shows)
			}
		})
	}
}
