package sip

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// message parses a request of header lines.
func message(t testing.TB, lines ...string) *sip.Request {
	t.Helper()
	m, err := sip.ParseMessage([]byte(strings.Join(lines, "\r\n") + "\r\nContent-Length: 0\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	req, ok := m.(*sip.Request)
	if !ok {
		t.Fatalf("%T is no request", m)
	}
	return req
}

func TestNumber(t *testing.T) {
	none := Numbers{}
	bare := Numbers{Bare: true}
	us := Numbers{Country: "1"}
	germany := Numbers{Country: "49", National: "0"}
	britain := Numbers{Country: "44", National: "0"}
	italy := Numbers{Country: "39"}
	bareGermany := Numbers{Country: "49", National: "0", Bare: true}
	for _, c := range []struct {
		numbers Numbers
		in      string
		want    string
	}{
		{none, "+15551234567", "+15551234567"},
		{none, "15551234567", "15551234567"},
		{none, "00445551234", "00445551234"},
		{none, "alice", "alice"},
		{none, "alice%20b", "alice b"},
		{none, "", ""},
		{none, "+1 (555) 123-4567", "+15551234567"},
		{none, "+1.555.123.4567", "+15551234567"},
		{none, "%2B15551234567", "+15551234567"},
		{none, "+15551234567;npdi;rn=+15550000000", "+15551234567"},
		{none, "5551234567;phone-context=+1", "+15551234567"},
		{none, "5551234567;phone-context=example.com", "5551234567"},
		{none, "5551234567;PHONE-CONTEXT=+1", "+15551234567"},
		{none, "+0301234567", "+0301234567"},
		{none, "+1234567890123456", "+1234567890123456"},
		{none, "+", "+"},
		{none, "+-", "+-"},
		{none, "%zz", "%zz"},
		{none, "**9", "**9"},
		{none, "#31#5551234567", "#31#5551234567"},
		{bare, "15551234567", "+15551234567"},
		{bare, "1-555-123-4567", "+15551234567"},
		{bare, "0015551234567", "+15551234567"},
		{bare, "112", "112"},
		{bare, "0301234567", "0301234567"},
		{bare, "1234567890123456", "1234567890123456"},
		{us, "5551234567", "+15551234567"},
		{us, "15551234567", "+15551234567"},
		{us, "(555) 123-4567", "+15551234567"},
		{us, "011493012345678", "+493012345678"},
		{us, "911", "911"},
		{us, "1000", "1000"},
		{us, "alice", "alice"},
		{germany, "03012345678", "+493012345678"},
		{germany, "00493012345678", "+493012345678"},
		{germany, "493012345678", "+493012345678"},
		{germany, "3012345678", "+493012345678"},
		{germany, "0044 20 7123 4567", "+442071234567"},
		{germany, "112", "112"},
		{germany, "00", "00"},
		{germany, "000301234567", "000301234567"},
		{germany, "01234567890123456", "01234567890123456"},
		{britain, "02071234567", "+442071234567"},
		{britain, "2071234567", "+442071234567"},
		{italy, "0612345678", "+390612345678"},
		{italy, "3331234567", "+393331234567"},
		{bareGermany, "493012345678", "+493012345678"},
		{bareGermany, "03012345678", "+493012345678"},
		{bareGermany, "15551234567", "+15551234567"},
	} {
		tr := &Trunk{Numbers: c.numbers}
		if got := tr.number(c.in); got != c.want {
			t.Errorf("%+v: %q is %q, want %q", c.numbers, c.in, got, c.want)
		}
	}
}

// FuzzNumber: what is E.164 stays so, and reads the same when it is written and
// comes back.
func FuzzNumber(f *testing.F) {
	f.Add("+15551234567", "1", "", false)
	f.Add("0301234;phone-context=+49", "49", "0", true)
	f.Add("00%2B1", "44", "0", false)
	f.Add("//", "49", "", false)
	f.Fuzz(func(t *testing.T, user, country, national string, isBare bool) {
		if digits, ok := digitsOf(country); !ok || digits != country || len(country) > 3 || country[0] == '0' {
			country = "49"
		}
		if digits, ok := digitsOf(national); !ok || digits != national || len(national) > 3 {
			national = ""
		}
		tr := &Trunk{Numbers: Numbers{Country: country, National: national, Bare: isBare}}
		got := tr.number(user)
		if strings.HasPrefix(got, "+") {
			if digits, ok := digitsOf(got[1:]); ok && digits == got[1:] {
				if again := tr.number(got); again != got {
					t.Errorf("%q is %q, which is %q", user, got, again)
				}
			}
		}
		written := tr.user(got)
		if strings.ContainsAny(written, "@;:<>\"\r\n \x00") {
			t.Errorf("%q is written %q", got, written)
		}
		var u sip.Uri
		if err := sip.ParseUri("sip:"+written+"@example.com", &u); written != "" && (err != nil || u.User != written || u.Host != "example.com") {
			t.Errorf("%q is read as user %q at %q: %v", written, u.User, u.Host, err)
		}
	})
}

func TestUser(t *testing.T) {
	for _, c := range []struct {
		bare     bool
		in, want string
	}{
		{false, "+15551234567", "+15551234567"},
		{true, "+15551234567", "15551234567"},
		{true, "alice", "alice"},
		{true, "+alice", "+alice"},
		{false, "a b@c;d:e", "a%20b%40c%3Bd%3Ae"},
		{false, "x\r\nVia: y", "x%0D%0AVia%3A%20y"},
		{false, "#31#", "%2331%23"},
		{false, "//a/b", "%2F%2Fa%2Fb"},
		{false, "jürgen", "j%C3%BCrgen"},
	} {
		tr := &Trunk{Numbers: Numbers{Bare: c.bare}}
		if got := tr.user(c.in); got != c.want {
			t.Errorf("%q is written %q, want %q", c.in, got, c.want)
		}
	}
}

func TestIdentify(t *testing.T) {
	for name, c := range map[string]struct {
		id         CallerID
		bare       bool
		from, name string
		want       string
		others     []string
	}{
		"any":         {CallerID{}, false, "+15551234567", "", "From: <sip:+15551234567@pbx.example>", nil},
		"bare":        {CallerID{}, true, "+15551234567", "Shop", `From: "Shop" <sip:15551234567@pbx.example>`, nil},
		"odd name":    {CallerID{}, false, "+15551234567", "a\"b\\c\r\nd", `From: "abcd" <sip:+15551234567@pbx.example>`, nil},
		"allowed":     {CallerID{Allowed: []string{"+1555*"}}, false, "+15551234567", "", "From: <sip:+15551234567@pbx.example>", nil},
		"exactly":     {CallerID{Allowed: []string{"+1 555 123 4567"}}, false, "+15551234567", "", "From: <sip:+15551234567@pbx.example>", nil},
		"not allowed": {CallerID{Allowed: []string{"+1666*"}, Default: "+16660000000"}, false, "+15551234567", "", "From: <sip:+16660000000@pbx.example>", nil},
		"none allowed": {
			CallerID{Allowed: []string{}, Asserted: true},
			false, "+15551234567", "Shop",
			`From: "Anonymous" <sip:anonymous@anonymous.invalid>`,
			[]string{"Privacy: id"},
		},
		"anonymous": {
			CallerID{},
			false, "", "Shop",
			`From: "Anonymous" <sip:anonymous@anonymous.invalid>`,
			[]string{"Privacy: id"},
		},
		"anonymous but for the trunk": {
			CallerID{Asserted: true, Default: "+15550000000"},
			true, "", "",
			`From: "Anonymous" <sip:anonymous@anonymous.invalid>`,
			[]string{"Privacy: id", "P-Asserted-Identity: <sip:15550000000@pbx.example>"},
		},
		"asserted": {
			CallerID{Asserted: true},
			false, "+15551234567", "",
			"From: <sip:+15551234567@pbx.example>",
			[]string{"P-Asserted-Identity: <sip:+15551234567@pbx.example>"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tr := &Trunk{CallerID: c.id, Numbers: Numbers{Bare: c.bare}}
			from, others := tr.identify(c.from, c.name, "pbx.example")
			if got := from.String(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			var got []string
			for _, h := range others {
				got = append(got, h.String())
			}
			if strings.Join(got, "\n") != strings.Join(c.others, "\n") {
				t.Errorf("got %q beside it, want %q", got, c.others)
			}
		})
	}
}

func TestCaller(t *testing.T) {
	for name, c := range map[string]struct {
		from         string
		others       []string
		number, name string
	}{
		"From":                {`"Al" <sip:5551234567@a>`, nil, "+15551234567", "Al"},
		"tel":                 {`<tel:+1-555-123-4567>`, nil, "+15551234567", ""},
		"local tel":           {`<tel:555-1234;phone-context=+1555>`, nil, "+15555551234", ""},
		"a user name":         {`<sip:alice@a>`, nil, "alice", ""},
		"no user":             {`<sip:a.example>`, nil, "", ""},
		"user=phone":          {`<sip:+1-555-123-4567@a;user=phone>`, nil, "+15551234567", ""},
		"asserted":            {`"Al" <sip:5550000000@a>`, []string{`P-Asserted-Identity: <sip:+15551234567@a>`}, "+15551234567", "Al"},
		"asserted with name":  {`<sip:5550000000@a>`, []string{`P-Asserted-Identity: "Bob, the one" <sip:+15551234567@a>, <tel:+15559999999>`}, "+15551234567", "Bob, the one"},
		"asserted tel":        {`<sip:5550000000@a>`, []string{`P-Asserted-Identity: <tel:+15551234567;npdi>`}, "+15551234567", ""},
		"the second is good":  {`<sip:5550000000@a>`, []string{`P-Asserted-Identity: <sip:a>`, `P-Asserted-Identity: <sip:+15551234567@a>`}, "+15551234567", ""},
		"asserted nonsense":   {`<sip:5551234567@a>`, []string{`P-Asserted-Identity: <`}, "+15551234567", ""},
		"privacy":             {`"Al" <sip:5551234567@a>`, []string{`P-Asserted-Identity: <sip:+15551234567@a>`, `Privacy: user;id`}, "", ""},
		"privacy critical":    {`"Al" <sip:5551234567@a>`, []string{`Privacy: ID;critical`}, "", ""},
		"privacy none":        {`"Al" <sip:5551234567@a>`, []string{`Privacy: none`}, "+15551234567", "Al"},
		"privacy of sessions": {`"Al" <sip:5551234567@a>`, []string{`Privacy: session`}, "+15551234567", "Al"},
		"anonymous":           {`"Anonymous" <sip:anonymous@anonymous.invalid>`, nil, "", ""},
		"anonymous elsewhere": {`"Anonymous" <sip:Anonymous@a>`, []string{`P-Asserted-Identity: <sip:+15551234567@a>`}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tr := &Trunk{Numbers: Numbers{Country: "1"}}
			lines := append([]string{"INVITE sip:1@b SIP/2.0", "Via: SIP/2.0/UDP a;branch=z9hG4bK1", "From: " + c.from + ";tag=1", "To: <sip:1@b>", "Call-ID: 1", "CSeq: 1 INVITE"}, c.others...)
			number, shown := tr.caller(message(t, lines...))
			if number != c.number || shown != c.name {
				t.Errorf("got %q %q, want %q %q", number, shown, c.number, c.name)
			}
		})
	}
}

func TestCalled(t *testing.T) {
	for name, c := range map[string]struct {
		uri, to string
		others  []string
		trunk   Trunk
		want    string
	}{
		"a number":           {"sip:5551234567@b", "<sip:5550000000@b>", nil, Trunk{}, "+15551234567"},
		"a name":             {"sip:menu@b", "<sip:menu@b>", nil, Trunk{}, "menu"},
		"a name in both":     {"sip:menu@b", "<sip:other@b>", nil, Trunk{}, "menu"},
		"tel":                {"tel:+1-555-123-4567", "<sip:5550000000@b>", nil, Trunk{}, "+15551234567"},
		"an opaque contact":  {"sip:s-8fk2@b", "<sip:5551234567@b>", nil, Trunk{Register: true}, "+15551234567"},
		"our own contact":    {"sip:5550000000@b", "<sip:5551234567@b>", nil, Trunk{Register: true, Username: "5550000000"}, "+15551234567"},
		"not registered":     {"sip:5550000000@b", "<sip:5551234567@b>", nil, Trunk{Username: "5550000000"}, "+15550000000"},
		"our own, a name":    {"sip:5550000000@b", "<sip:reg@b>", nil, Trunk{Register: true, Username: "5550000000"}, "reg"},
		"our own, no name":   {"sip:5550000000@b", "<sip:b>", nil, Trunk{Register: true, Username: "5550000000"}, "+15550000000"},
		"another identity":   {"sip:5550000000@b", "<sip:5551234567@b>", nil, Trunk{Register: true, Username: "u", Identity: "5550000000"}, "+15551234567"},
		"what we registered": {"sip:ringdown@b", "<sip:sales@b>", nil, Trunk{Register: true, Username: "u"}, "sales"},
		"no user":            {"sip:b", "<sip:menu@b>", nil, Trunk{}, "menu"},
		"P-Called-Party-ID":  {"sip:s-8fk2@b", "<sip:5550000000@b>", []string{"P-Called-Party-ID: <sip:5551234567@b>"}, Trunk{Register: true}, "+15551234567"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := c.trunk
			tr.Numbers = Numbers{Country: "1"}
			lines := append([]string{"INVITE " + c.uri + " SIP/2.0", "Via: SIP/2.0/UDP a;branch=z9hG4bK1", "From: <sip:a@a>;tag=1", "To: " + c.to, "Call-ID: 1", "CSeq: 1 INVITE"}, c.others...)
			if got := tr.called(message(t, lines...)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for in, want := range map[string][]string{
		"":                               nil,
		" , ,":                           nil,
		`<sip:a>, <sip:b,c>`:             {"<sip:a>", "<sip:b,c>"},
		`"x, <y" <sip:a>,sip:b`:          {`"x, <y" <sip:a>`, "sip:b"},
		`"a\"b, c" <sip:a>`:              {`"a\"b, c" <sip:a>`},
		`Digest realm="a,b", nonce="c,"`: {`Digest realm="a,b"`, `nonce="c,"`},
	} {
		var got []string
		for part := range wire.Addresses(in) {
			got = append(got, part)
		}
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%q has %q, want %q", in, got, want)
		}
	}
}
