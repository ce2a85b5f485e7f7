package sip

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// TestResponse is the example of RFC 7616 §3.9.1, in both algorithms, and that of RFC
// 2617 §3.5.
func TestResponse(t *testing.T) {
	const (
		realm2617 = "testrealm@host.com"
		realm7616 = "http-auth@example.org"
	)
	secretOf := func(realm, password string) secret {
		a1 := "Mufasa:" + realm + ":" + password
		return secret{nil, hashMD5(a1), hashSHA256(a1)}
	}
	for name, c := range map[string]struct {
		header string
		s      secret
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
			if got, ok := cr.response(c.s, "GET"); !ok || got != cr.Response {
				t.Errorf("got %s, want %s", got, cr.Response)
			}
		})
	}
}

// side is both sides of a challenge: a guard, and who answers it.
type side struct {
	t     *testing.T
	clock *clock
	g     *guard
}

func newSide(t *testing.T) *side {
	c := newClock()
	return &side{t, c, newGuard([]Trunk{
		{Name: "a", Sources: prefixes("192.0.2.1"), InboundUsername: "ann", InboundPassword: "secret", InboundSHA256: true},
		{Name: "b", InboundUsername: "bob", InboundPassword: "hidden"},
	}, Limits{}, c.now)}
}

const annFrom = "192.0.2.1:5060"

// challenge sends a request without a password.
func (s *side) challenge(req *sip.Request) *sip.Response {
	s.t.Helper()
	tr, v := s.g.trunk(req)
	if v != challenged {
		s.t.Fatalf("got %v, want a challenge", v)
	}
	res := s.g.challenge(req, tr)
	if res.StatusCode != 401 || res.To() == nil || !res.To().Params.Has("tag") {
		s.t.Fatalf("the challenge is %s", res)
	}
	return res
}

// credentials answers a challenge with an algorithm by hand, as a far side would with
// a count.
func (s *side) credentials(req *sip.Request, res *sip.Response, algorithm, user, password string, count int) string {
	s.t.Helper()
	for _, h := range res.GetHeaders("WWW-Authenticate") {
		c, err := digest.ParseChallenge(h.Value())
		if err != nil {
			s.t.Fatal(err)
		}
		if c.Algorithm != algorithm {
			continue
		}
		if count == 0 {
			c.QOP = nil
		}
		made, err := digest.Digest(c, digest.Options{
			Method: string(req.Method), URI: req.Recipient.String(), Username: user, Password: password, Count: count,
		})
		if err != nil {
			s.t.Fatal(err)
		}
		return made.String()
	}
	s.t.Fatalf("no challenge of %s", algorithm)
	return ""
}

// verdict is what becomes of a request with credentials, and whether the challenge
// that follows says that they are stale.
func (s *side) verdict(method sip.RequestMethod, from, credentials string) string {
	req := request(s.t, method, from, "UDP", "Authorization: "+credentials)
	tr, v := s.g.trunk(req)
	switch v {
	case admitted:
		return "admitted to " + tr.Name
	case challenged:
		res := s.g.challenge(req, tr)
		c, err := digest.ParseChallenge(res.GetHeader("WWW-Authenticate").Value())
		if err != nil {
			s.t.Fatal(err)
		}
		if c.Stale {
			return "stale"
		}
		return "wrong"
	}
	return fmt.Sprint(v)
}

func TestVerify(t *testing.T) {
	for _, algorithm := range []string{"MD5", "SHA-256"} {
		for name, c := range map[string]struct {
			user, password string
			count          int
			after          time.Duration
			change         func(string) string
			method         sip.RequestMethod
			from, want     string
		}{
			"right":                    {user: "ann", password: "secret", count: 1, want: "admitted to a"},
			"without a count":          {user: "ann", password: "secret", count: 0, want: "admitted to a"},
			"a wrong password":         {user: "ann", password: "Secret", count: 1, want: "wrong"},
			"nobody":                   {user: "eve", password: "secret", count: 1, want: "wrong"},
			"nobody, no password":      {user: "", password: "", count: 1, want: "wrong"},
			"another trunk's":          {user: "bob", password: "hidden", count: 1, want: "wrong"},
			"another trunk's, at home": {user: "bob", password: "hidden", count: 1, from: "203.0.113.9:5060", want: "admitted to b"},
			"not from there":           {user: "ann", password: "secret", count: 1, from: "203.0.113.9:5060", want: "wrong"},
			"late":                     {user: "ann", password: "secret", count: 1, after: nonceLife + 1, want: "stale"},
			"late and wrong":           {user: "ann", password: "Secret", count: 1, after: nonceLife + 1, want: "wrong"},
			"in time":                  {user: "ann", password: "secret", count: 1, after: nonceLife, want: "admitted to a"},
			"for another method":       {user: "ann", password: "secret", count: 1, method: sip.INVITE, want: "wrong"},
			"upper case": {user: "ann", password: "secret", count: 1, want: "admitted to a", change: func(s string) string {
				i := strings.Index(s, `response="`) + len(`response="`)
				return s[:i] + strings.ToUpper(s[i:])
			}},
			"another algorithm": {user: "ann", password: "secret", count: 1, want: "wrong", change: func(s string) string {
				return strings.Replace(s, "algorithm="+algorithm, "algorithm=MD5-sess", 1)
			}},
			"another realm": {user: "ann", password: "secret", count: 1, want: "wrong", change: func(s string) string {
				return strings.Replace(s, `realm="ringdown"`, `realm="asterisk"`, 1)
			}},
			"auth-int": {user: "ann", password: "secret", count: 1, want: "wrong", change: func(s string) string {
				return strings.Replace(s, "qop=auth", "qop=auth-int", 1)
			}},
			"count zero": {user: "ann", password: "secret", count: 1, want: "wrong", change: func(s string) string {
				return strings.Replace(s, "nc=00000001", "nc=00000000", 1)
			}},
			"a nonce of another's": {user: "ann", password: "secret", count: 1, want: "wrong", change: func(s string) string {
				i := strings.Index(s, `nonce="`) + len(`nonce="`)
				return s[:i] + "AAAA" + s[i+4:]
			}},
			"a nonce of nobody's": {user: "ann", password: "secret", count: 1, want: "wrong", change: func(s string) string {
				i := strings.Index(s, `nonce="`) + len(`nonce="`)
				return s[:i] + s[i+4:]
			}},
			"nonsense": {user: "ann", password: "secret", count: 1, want: "wrong", change: func(string) string { return "Digest x" }},
			"basic":    {user: "ann", password: "secret", count: 1, want: "wrong", change: func(string) string { return "Basic YW5uOnNlY3JldA==" }},
		} {
			t.Run(algorithm+", "+name, func(t *testing.T) {
				s := newSide(t)
				req := request(t, sip.REGISTER, annFrom, "UDP")
				made := s.credentials(req, s.challenge(req), algorithm, c.user, c.password, c.count)
				if c.change != nil {
					made = c.change(made)
				}
				s.clock.pass(c.after)
				method, from := sip.REGISTER, annFrom
				if c.method != "" {
					method = c.method
				}
				if c.from != "" {
					from = c.from
				}
				if got := s.verdict(method, from, made); got != c.want {
					t.Errorf("%s is %s, want %s", made, got, c.want)
				}
			})
		}
	}
}

// TestReplay: an answer is good once, in whatever order the counts come.
func TestReplay(t *testing.T) {
	s := newSide(t)
	req := request(t, sip.REGISTER, annFrom, "UDP")
	res := s.challenge(req)
	for _, step := range []struct {
		count int
		want  string
	}{
		{1, "admitted to a"},
		{1, "stale"},
		{3, "admitted to a"},
		{2, "admitted to a"},
		{2, "stale"},
		{3, "stale"},
		{70, "admitted to a"},
		{7, "admitted to a"}, // 63 below
		{7, "stale"},
		{6, "stale"}, // too far below to tell
		{500, "admitted to a"},
		{499, "admitted to a"},
	} {
		if got := s.verdict(sip.REGISTER, annFrom, s.credentials(req, res, "SHA-256", "ann", "secret", step.count)); got != step.want {
			t.Errorf("count %d is %s, want %s", step.count, got, step.want)
		}
	}
	// Without a count: once.
	res = s.challenge(req)
	made := s.credentials(req, res, "MD5", "ann", "secret", 0)
	for _, want := range []string{"admitted to a", "stale"} {
		if got := s.verdict(sip.REGISTER, annFrom, made); got != want {
			t.Errorf("without a count it is %s, want %s", got, want)
		}
	}
}

// TestNoncesAreBounded: what is remembered of answers does not grow for ever, and
// what is forgotten is not believed.
func TestNoncesAreBounded(t *testing.T) {
	c := newClock()
	d := newDigests(nil, c.now)
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
			c.pass(nonceLife + time.Second)
		}
		if !count(1_000_000+i, c.now()) {
			t.Fatalf("nonce %d is not new", i)
		}
	}
	if len(d.used) > nonceLimit {
		t.Errorf("%d nonces are remembered, want %d at most", len(d.used), nonceLimit)
	}
}

// TestAlgorithms: SHA-256 is offered where it is wanted, for telephones are known that
// give up when they are offered what they do not know.
func TestAlgorithms(t *testing.T) {
	s := newSide(t)
	for from, want := range map[string][]string{annFrom: {"SHA-256", "MD5"}, "203.0.113.9:5060": {"MD5"}} {
		var got []string
		for _, h := range s.challenge(request(t, sip.INVITE, from, "UDP")).GetHeaders("WWW-Authenticate") {
			c, err := digest.ParseChallenge(h.Value())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, c.Algorithm)
		}
		if !slices.Equal(got, want) {
			t.Errorf("from %s: %q, want %q", from, got, want)
		}
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
			req := request(t, sip.INVITE, annFrom, "UDP", c.before...)
			res := sip.NewResponseFromRequest(req, c.status, "No", nil)
			for _, h := range c.challenges {
				name, value, _ := strings.Cut(h, ": ")
				res.AppendHeader(sip.NewHeader(name, value))
			}
			retry, err := authorize(req, res, "u", "p", c.realm)
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
	req := request(t, sip.INVITE, annFrom, "UDP")
	if retry, err := authorize(req, sip.NewResponseFromRequest(req, 401, "No", nil), "", "", ""); retry || err == nil {
		t.Error("a trunk without a password answers a challenge")
	}
}

// TestAuthorizeVerifies has both sides talk to each other.
func TestAuthorizeVerifies(t *testing.T) {
	s := newSide(t)
	req := request(t, sip.INVITE, annFrom, "UDP")
	for range 3 {
		if retry, err := authorize(req, s.challenge(req), "ann", "secret", ""); err != nil || !retry {
			t.Fatalf("%v, %v", retry, err)
		}
		if h := req.GetHeader("Authorization"); !strings.Contains(h.Value(), "algorithm=SHA-256") {
			t.Errorf("the answer is %s", h)
		}
		if tr, v := s.g.trunk(req); v != admitted || tr.Name != "a" {
			t.Fatalf("%v of %+v", v, tr)
		}
		s.clock.pass(nonceLife + 1) // the same again is stale, and answered anew
	}
	// With a wrong password there is one attempt.
	req = request(t, sip.INVITE, annFrom, "UDP")
	if retry, err := authorize(req, s.challenge(req), "ann", "guess", ""); err != nil || !retry {
		t.Fatalf("%v, %v", retry, err)
	}
	if retry, err := authorize(req, s.challenge(req), "ann", "guess", ""); err != nil || retry {
		t.Fatalf("tried again: %v, %v", retry, err)
	}
}

func FuzzAuthorization(f *testing.F) {
	s := newGuard([]Trunk{{InboundUsername: "ann", InboundPassword: "secret"}}, Limits{}, newClock().now)
	f.Add(`Digest username="ann", realm="ringdown", nonce="` + s.auth.nonce() + `", uri="sip:a", algorithm=MD5, cnonce="1", qop=auth, nc=00000001, response="00"`)
	f.Add(`Digest username="ann"`)
	f.Add(`Digest realm="r", nonce="n", algorithm=SHA-256, qop="auth,auth-int", stale=true, Digest realm="q", nonce="m"`)
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsAny(value, "\r\n") {
			return
		}
		req := request(t, sip.INVITE, annFrom, "UDP")
		req.AppendHeader(sip.NewHeader("Authorization", value))
		if tr, state := s.auth.check(req, true); state != wrong || tr != nil {
			t.Errorf("guessed a password: %q", value)
		}
		// The same as a challenge.
		req = request(t, sip.INVITE, annFrom, "UDP")
		res := sip.NewResponseFromRequest(req, 401, "No", nil)
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", value))
		if retry, err := authorize(req, res, "u", "p", ""); retry && (err != nil || len(req.GetHeaders("Authorization")) == 0) {
			t.Errorf("answered %q with nothing, %v", value, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	c := newClock()
	for name, user := range map[string]string{"known": "ann", "unknown": "eve"} {
		b.Run(name, func(b *testing.B) {
			g := newGuard([]Trunk{{InboundUsername: "ann", InboundPassword: "secret"}}, Limits{}, c.now)
			req := request(b, sip.INVITE, annFrom, "UDP")
			if _, err := authorize(req, g.challenge(req, g.trunks[0]), user, "wrong", ""); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				g.auth.check(req, true)
			}
		})
	}
}
