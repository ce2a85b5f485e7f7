package auth

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// clock stands still until time is passed.
type clock struct{ t time.Time }

func newClock() *clock { return &clock{time.Unix(1_800_000_000, 0)} }

func (c *clock) now() time.Time { return c.t }

func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }

// request is one of a telephone.
func request(tb testing.TB, headers ...string) *sip.Request {
	tb.Helper()
	lines := append([]string{
		"INVITE sip:100@ringdown.example SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "From: <sip:ann@ringdown.example>;tag=1",
		"To: <sip:100@ringdown.example>", "Call-ID: 1", "CSeq: 1 INVITE", "Max-Forwards: 70",
	}, headers...)
	m, err := sip.ParseMessage([]byte(strings.Join(append(lines, "Content-Length: 0"), "\r\n") + "\r\n\r\n"))
	if err != nil {
		tb.Fatal(err)
	}
	return m.(*sip.Request)
}

func annAlone(c *clock) *Checker[string] {
	return New([]Account[string]{{Whose: "ann's", Username: "ann", Password: "secret"}}, c.now)
}

// TestResponse is the example of RFC 7616 §3.9.1, in both algorithms, and that of RFC
// 2617 §3.5.
func TestResponse(t *testing.T) {
	const (
		realm2617 = "testrealm@host.com"
		realm7616 = "http-auth@example.org"
	)
	secretOf := func(realm, password string) string { return "Mufasa:" + realm + ":" + password }
	for name, c := range map[string]struct {
		header, a1 string
	}{
		"RFC 2617": {
			`Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", uri="/dir/index.html", ` +
				`qop=auth, nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"`,
			secretOf(realm2617, "Circle Of Life"),
		},
		"MD5": {
			`Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=MD5, ` +
				`nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", ` +
				`qop=auth, response="8ca523f5e9506fed4657c9700eebdbec", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
			secretOf(realm7616, "Circle of Life"),
		},
		"SHA-256": {
			`Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, ` +
				`nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", ` +
				`qop=auth, response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`,
			secretOf(realm7616, "Circle of Life"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			cr, err := parseCredentials(c.header)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := cr.response(hashMD5(c.a1), hashSHA256(c.a1), "GET"); !ok || got != cr.Response {
				t.Errorf("got %s, want %s", got, cr.Response)
			}
		})
	}
}

// TestNoncesAreBounded: what is remembered of answers does not grow for ever, and
// what is forgotten is not believed.
func TestNoncesAreBounded(t *testing.T) {
	c := newClock()
	d := New[string](nil, c.now)
	id := func(i int) (id nonceID) { copy(id[:], fmt.Sprintf("%016d", i)); return id }
	count := func(i int, at time.Time) bool {
		return d.count(id(i), at, 1, c.now(), true)
	}
	begin := c.now()
	for i := range nonceLimit + 1 {
		c.pass(time.Microsecond)
		if !count(i, c.now()) {
			t.Fatalf("nonce %d is not new", i)
		}
	}
	if len(d.used) > nonceLimit {
		t.Errorf("%d nonces are remembered, want %d at most", len(d.used), nonceLimit)
	}
	if count(0, begin.Add(time.Microsecond)) {
		t.Error("a nonce that was used and forgotten is good again")
	}
	if count(nonceLimit, c.now()) {
		t.Error("a nonce that was used is good again")
	}
	for i := range nonceLimit { // all of before are over
		c.pass(time.Microsecond)
		if i == 0 {
			c.pass(NonceLife + time.Second)
		}
		if !count(1_000_000+i, c.now()) {
			t.Fatalf("nonce %d is not new", i)
		}
	}
	if len(d.used) > nonceLimit {
		t.Errorf("%d nonces are remembered, want %d at most", len(d.used), nonceLimit)
	}
}

func TestAuthorize(t *testing.T) {
	const md5, sha = `Digest realm="r", nonce="n", algorithm=MD5, qop="auth"`, `Digest realm="r", nonce="n2", algorithm=SHA-256, qop="auth,auth-int"`
	for name, c := range map[string]struct {
		status     int
		challenges []string // header fields
		before     []string
		realm      string
		retry      bool
		err        string
		want       []string // beginnings of the fields that are put on, in order
	}{
		"one": {
			status: 401, challenges: []string{"WWW-Authenticate: " + md5}, retry: true,
			want: []string{`Authorization: Digest username="u", realm="r", nonce="n", uri="sip:100@ringdown.example", algorithm=MD5`},
		},
		"a proxy's": {
			status: 407, challenges: []string{"Proxy-Authenticate: " + md5}, retry: true,
			want: []string{`Proxy-Authorization: Digest username="u", realm="r"`},
		},
		"the stronger": {
			status: 401, challenges: []string{"WWW-Authenticate: " + md5, "WWW-Authenticate: " + sha}, retry: true,
			want: []string{`Authorization: Digest username="u", realm="r", nonce="n2", uri="sip:100@ringdown.example", algorithm=SHA-256`},
		},
		"the stronger, in one field": {
			status: 401, challenges: []string{"WWW-Authenticate: " + sha + ", " + md5}, retry: true,
			want: []string{`Authorization: Digest username="u", realm="r", nonce="n2"`},
		},
		"no algorithm, no quality": {
			status: 401, challenges: []string{`WWW-Authenticate: Digest realm="r", nonce="n"`}, retry: true,
			want: []string{`Authorization: Digest username="u", realm="r", nonce="n", uri="sip:100@ringdown.example", response=`},
		},
		"what is not known is passed over": {
			status: 401, retry: true,
			challenges: []string{`WWW-Authenticate: Digest realm="r", nonce="x", algorithm=AKAv1-MD5`, `WWW-Authenticate: Bearer authz_server="x"`, "WWW-Authenticate: " + md5},
			want:       []string{`Authorization: Digest username="u", realm="r", nonce="n"`},
		},
		"both kinds, several realms": {
			status: 407, retry: true,
			challenges: []string{
				`Proxy-Authenticate: Digest realm="p1", nonce="1", qop="auth"`, `Proxy-Authenticate: Digest realm="p2", nonce="2", qop="auth"`, "WWW-Authenticate: " + md5,
			},
			want: []string{
				`Authorization: Digest username="u", realm="r"`, `Proxy-Authorization: Digest username="u", realm="p1"`,
				`Proxy-Authorization: Digest username="u", realm="p2"`,
			},
		},
		"only one realm": {
			status: 407, realm: "p2", retry: true,
			challenges: []string{`Proxy-Authenticate: Digest realm="p1", nonce="1", qop="auth"`, `Proxy-Authenticate: Digest realm="p2", nonce="2", qop="auth"`},
			want:       []string{`Proxy-Authorization: Digest username="u", realm="p2"`},
		},
		"another realm": {status: 401, realm: "mine", challenges: []string{"WWW-Authenticate: " + md5}, err: "another realm"},
		"stale": {
			status: 401, retry: true,
			challenges: []string{`WWW-Authenticate: Digest realm="r", nonce="new", stale=TRUE, qop="auth"`},
			before:     []string{`Authorization: Digest username="u", realm="r", nonce="old", uri="sip:a", response="x"`},
			want:       []string{`Authorization: Digest username="u", realm="r", nonce="new"`},
		},
		"a wrong password": {
			status: 401, challenges: []string{"WWW-Authenticate: " + md5},
			before: []string{`Authorization: Digest username="u", realm="r", nonce="old", uri="sip:a", response="x"`},
			want:   []string{`Authorization: Digest username="u", realm="r", nonce="old"`},
		},
		"the next proxy": {
			status: 407, retry: true, challenges: []string{`Proxy-Authenticate: Digest realm="p2", nonce="2", qop="auth"`},
			before: []string{`Proxy-Authorization: Digest username="u", realm="p1", nonce="1", uri="sip:a", response="x"`},
			want:   []string{`Proxy-Authorization: Digest username="u", realm="p1"`, `Proxy-Authorization: Digest username="u", realm="p2"`},
		},
		"auth-int alone": {status: 401, challenges: []string{`WWW-Authenticate: Digest realm="r", nonce="n", qop="auth-int"`}, err: "not known"},
		"basic":          {status: 401, challenges: []string{`WWW-Authenticate: Basic realm="r"`}, err: "another realm"},
		"no challenge":   {status: 401, err: "without a challenge"},
	} {
		t.Run(name, func(t *testing.T) {
			req := request(t, c.before...)
			res := sip.NewResponseFromRequest(req, c.status, "No", nil)
			for _, h := range c.challenges {
				name, value, _ := strings.Cut(h, ": ")
				res.AppendHeader(sip.NewHeader(name, value))
			}
			retry, err := Authorize(req, res, "u", "p", c.realm)
			if retry != c.retry || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Fatalf("got %v, %v, want %v, %q", retry, err, c.retry, c.err)
			}
			var got []string
			for _, name := range []string{"Authorization", "Proxy-Authorization"} {
				for _, h := range req.GetHeaders(name) {
					got = append(got, h.String())
				}
			}
			if len(got) != len(c.want) {
				t.Fatalf("the answers are %q, want %q", got, c.want)
			}
			for i := range got {
				if !strings.HasPrefix(got[i], c.want[i]) {
					t.Errorf("the answer is %s, want %s", got[i], c.want[i])
				}
			}
		})
	}
	req := request(t)
	if retry, err := Authorize(req, sip.NewResponseFromRequest(req, 401, "No", nil), "", "", ""); retry || err == nil {
		t.Error("a trunk without a password answers a challenge")
	}
}

func FuzzAuthorization(f *testing.F) {
	s := annAlone(newClock())
	f.Add(`Digest username="ann", realm="ringdown", nonce="` + s.nonce() + `", uri="sip:a", algorithm=MD5, cnonce="1", qop=auth, nc=00000001, response="00"`)
	f.Add(`Digest username="ann"`)
	f.Add(`Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth,auth-int", stale=true, Digest realm="q", nonce="m"`)
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsAny(value, "\r\n") {
			return
		}
		req := request(t)
		req.AppendHeader(sip.NewHeader("Authorization", value))
		if whose, state := s.Check(req, true); state != Wrong || whose != "" {
			t.Errorf("guessed a password: %q", value)
		}
		// The same as a challenge.
		req = request(t)
		res := sip.NewResponseFromRequest(req, 401, "No", nil)
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", value))
		if retry, err := Authorize(req, res, "u", "p", ""); retry && (err != nil || len(req.GetHeaders("Authorization")) == 0) {
			t.Errorf("answered %q with nothing, %v", value, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	c := newClock()
	for name, user := range map[string]string{"known": "ann", "unknown": "eve"} {
		b.Run(name, func(b *testing.B) {
			g := annAlone(c)
			req := request(b)
			if _, err := Authorize(req, g.Challenge(req, "ann's", false), user, "wrong", ""); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				g.Check(req, true)
			}
		})
	}
}
