package sip

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"ringdown/internal/voice/sip/auth"
)

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
			"late":                     {user: "ann", password: "secret", count: 1, after: auth.NonceLife + 1, want: "stale"},
			"late and wrong":           {user: "ann", password: "Secret", count: 1, after: auth.NonceLife + 1, want: "wrong"},
			"in time":                  {user: "ann", password: "secret", count: 1, after: auth.NonceLife, want: "admitted to a"},
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

// TestAuthorizeVerifies has both sides talk to each other.
func TestAuthorizeVerifies(t *testing.T) {
	s := newSide(t)
	req := request(t, sip.INVITE, annFrom, "UDP")
	for range 3 {
		if retry, err := auth.Authorize(req, s.challenge(req), "ann", "secret", ""); err != nil || !retry {
			t.Fatalf("%v, %v", retry, err)
		}
		if h := req.GetHeader("Authorization"); !strings.Contains(h.Value(), "algorithm=SHA-256") {
			t.Errorf("the answer is %s", h)
		}
		if tr, v := s.g.trunk(req); v != admitted || tr.Name != "a" {
			t.Fatalf("%v of %+v", v, tr)
		}
		s.clock.pass(auth.NonceLife + 1) // the same again is stale, and answered anew
	}
	// With a wrong password there is one attempt.
	req = request(t, sip.INVITE, annFrom, "UDP")
	if retry, err := auth.Authorize(req, s.challenge(req), "ann", "guess", ""); err != nil || !retry {
		t.Fatalf("%v, %v", retry, err)
	}
	if retry, err := auth.Authorize(req, s.challenge(req), "ann", "guess", ""); err != nil || retry {
		t.Fatalf("tried again: %v, %v", retry, err)
	}
}
