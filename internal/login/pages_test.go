package login

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"ringdown/internal/signin"
)

const (
	acme = "/-/login/11111111-1111-4111-8111-111111111111"
	corp = "/-/login/22222222-2222-4222-8222-222222222222"
	dir  = "/-/login/33333333-3333-4333-8333-333333333333"
)

func credentials(password string) url.Values {
	return url.Values{"username": {"jane"}, "password": {password}}
}

// TestStatuses are the answers to whoever has neither a session nor a secret.
func TestStatuses(t *testing.T) {
	for _, c := range []struct {
		method, target string
		form           url.Values
		status         int
		text           string
	}{
		{"GET", "/-/login/", nil, 200, "Alias of your contact centre"},
		{"POST", "/-/login/", url.Values{"alias": {" "}}, 400, "Enter the alias"},
		{"POST", "/-/login/", url.Values{"alias": {"nowhere"}}, 404, "no contact centre of that alias"},
		{"PUT", "/-/login/", nil, 405, "GET, HEAD, POST"},
		{"GET", "/-/login/acme", nil, 200, `autocomplete="current-password"`},
		{"GET", "/-/login/ACME", nil, 200, "<h1>acme</h1>"},
		{"GET", acme, nil, 200, "Forgotten your password?"},
		{"GET", "/-/login/acme/", nil, 303, ""},
		{"GET", "/-/login//acme", nil, 307, ""},
		{"GET", "/-/login/nowhere", nil, 404, "There is no such contact centre"},
		{"POST", "/-/login/nowhere", credentials(wrongPassword), 404, "There is no such contact centre"},
		{"DELETE", "/-/login/acme", nil, 405, "GET, HEAD, POST"},
		{"GET", "/-/login/acme/nothing", nil, 404, "There is no such page"},
		{"GET", "/-/login/acme/saml/other", nil, 404, "There is no such page"},
		{"GET", "/-/login/assets/login.css", nil, 404, ""},
		{"GET", "/-/login/saml", nil, 404, "There is no such page"}, // without Options.Metadata
		{"POST", "/-/login/acme", nil, 400, "Enter your user name"},
		{"POST", "/-/login/acme", url.Values{"username": {"jane"}}, 400, "Enter your password"},
		{"POST", "/-/login/acme", credentials(wrongPassword), 401, "The user name or the password is wrong"},
		{"POST", "/-/login/acme", url.Values{"username": {"jane"}, "password": {strings.Repeat("x", maxForm)}}, 413, "too long"},
		{"POST", "/-/login/corp", credentials(rightPassword), 403, "in another way"},
		{"GET", dir, nil, 200, "in your organisation"},
		{"GET", "/-/login/acme/forgot", nil, 200, "Send a link"},
		{"POST", "/-/login/acme/forgot", nil, 400, "Enter your user name"},
		{"GET", "/-/login/acme/forgot?sent", nil, 200, "Look at your e-mail"},
		{"GET", "/-/login/corp/forgot", nil, 403, "cannot be changed here"},
		{"GET", dir + "/forgot", nil, 403, "in your organisation"},
		{"POST", dir + "/reset", url.Values{"new": {newPassword}}, 403, "in your organisation"},
		{"GET", dir + "/change", nil, 403, "in your organisation"},
		{"GET", "/-/login/acme/reset", nil, 400, "no longer works"},
		{"POST", "/-/login/acme/reset", url.Values{"new": {newPassword}, "again": {newPassword}}, 400, "no longer works"},
		{"GET", "/-/login/acme/sign-out", nil, 405, "POST"},
		{"GET", "/-/login/acme/signed-out", nil, 200, "You are signed out"},
		{"GET", "/-/login/corp", nil, 200, "Example Corp"},
		{"GET", "/-/login/corp/saml", nil, 405, "POST"},
		{"POST", "/-/login/corp/saml", url.Values{"RelayState": {"x"}}, 400, "has sent nothing"},
		{"POST", "/-/login/corp/saml", url.Values{"SAMLResponse": {strings.Repeat("x", maxSAML)}}, 413, "too long"},
		{"POST", "/-/login/acme/saml", url.Values{"SAMLResponse": {samlResponse}}, 403, "in another way"},
		{"GET", "/-/login/corp/saml/start?provider=kc", nil, 404, "no such identity provider"},
		{"GET", "/-/login/corp/oidc/start?provider=corp", nil, 404, "no such identity provider"},
		{"GET", "/-/login/oidc/callback", nil, 400, "not begun here"},
		{"GET", "/-/login/oidc/callback?state=" + oidcState + "&code=" + oidcCode, nil, 400, "not begun here"},
		{"GET", "/-/login/corp/federate", nil, 400, "no longer works"},
		{"GET", "/-/login/corp/federate?code=x", nil, 400, "no longer works"},
		{"POST", "/-/login/corp/federate", url.Values{"AccessToken": {"x"}}, 400, "no longer works"},
		{"POST", "/-/login/corp/refresh", nil, 400, `{"Message":"The form has no RefreshToken"}`},
		{"POST", "/-/login/corp/refresh", url.Values{"RefreshToken": {"x"}}, 400, `{"Message":"The RefreshToken is not valid, has expired, or has been used"}`},
	} {
		s := newSite(t)
		a := s.do(c.method, c.target, c.form)
		if a.Code != c.status || !strings.Contains(a.body, c.text) {
			t.Errorf("%s %s: status %d without %q, want %d:\n%s", c.method, c.target, a.Code, c.text, c.status, a.body)
		}
		if a.Code == http.StatusMethodNotAllowed && a.Header().Get("Allow") != c.text {
			t.Errorf("%s %s: Allow is %q, want %q", c.method, c.target, a.Header().Get("Allow"), c.text)
		}
		if len(s.signedOn) > 0 || s.cookies[Cookie] != nil {
			t.Errorf("%s %s opened a session", c.method, c.target)
		}
		protected(t, c.method+" "+c.target, a)
		if c.method != http.MethodGet {
			continue
		}
		if head := newSite(t).do(http.MethodHead, c.target, nil); head.Code != a.Code && !strings.Contains(c.target, "federate") && !strings.Contains(c.target, "callback") {
			t.Errorf("HEAD %s: status %d, GET has %d", c.target, head.Code, a.Code)
		}
	}
}

// protected checks the headers that every answer has.
func protected(t *testing.T, where string, a *answered) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		"Referrer-Policy":         "same-origin",
		"X-Content-Type-Options":  "nosniff",
		"Cache-Control":           "no-store",
	} {
		if got := a.Header().Get(name); got != want {
			t.Errorf("%s: %s is %q, want %q", where, name, got, want)
		}
	}
}

func TestSignIn(t *testing.T) {
	s := newSite(t)
	s.post("/-/login/acme", url.Values{"username": {" jane "}, "password": {rightPassword}}).leads(t, acme+"/home")
	c := s.cookies[Cookie]
	if c == nil || c.Value != sessionToken || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || !c.Expires.Equal(noon.Add(11*time.Hour)) {
		t.Fatalf("the cookie is %+v", c)
	}
	home := s.get(acme + "/home")
	home.want(t, 200, "You are signed in", "Jane Doe", "(<bdi>jane</bdi>)", "with your password", "6 May 2031, 11:00 UTC", "6 May 2031, 23:00 UTC", "in 11 hours", "Change your password")
	protected(t, "home", home)
	// Who is signed in need not sign in, nor is anybody signed in elsewhere.
	s.get("/-/login/acme").leads(t, acme+"/home")
	s.get("/-/login/acme?destination=/-/console/").leads(t, "/-/console/")
	s.get(corp+"/home").leads(t, corp)
	s.get(corp).want(t, 200, "Example Corp")
	// Whoever signs in again leaves the session before.
	s.post("/-/login/acme", credentials(rightPassword)).leads(t, acme+"/home")
	if len(s.left) != 1 || s.left[0] != sessionToken {
		t.Errorf("left were %q", s.left)
	}
}

func TestSignOut(t *testing.T) {
	s := newSite(t)
	s.signedIn(managed, signin.ByPassword)
	home := s.get(acme + "/home")
	s.post(acme+"/sign-out", url.Values{"form": {"x"}}).want(t, 403, "out of date")
	s.post(acme+"/sign-out", url.Values{"form": {formToken("another", "sign-out")}}).want(t, 403, "out of date")
	s.post(acme+"/sign-out", url.Values{"form": {formToken(sessionToken, "change")}}).want(t, 403, "out of date")
	s.get(acme+"/home").want(t, 200, "You are signed in")
	s.post(acme+"/sign-out", url.Values{"form": {home.formToken(t)}}).leads(t, acme+"/signed-out")
	if len(s.signedOn) != 0 || s.cookies[Cookie] != nil {
		t.Errorf("there is still a session: %v, %v", s.signedOn, s.cookies)
	}
	s.get(acme+"/signed-out").want(t, 200, "You are signed out")
	s.get(acme+"/home").leads(t, acme)
	s.post(acme+"/sign-out", nil).leads(t, acme+"/signed-out") // again does no harm
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		reason signin.Reason
		status int
		text   string
	}{
		{signin.WrongCredentials, 401, "Check both"},
		{signin.TooMany, 429, "Wait 3 minutes"},
		{signin.DirectoryDown, 502, "Nobody can sign in"},
		{signin.ProviderDown, 502, "few minutes"},
		{signin.FromHere, 403, "certain networks"},
		{signin.OtherDoor, 403, "begin there"},
		{signin.NotAccepted, 403, "too old"},
		{signin.NoSuchUser, 403, "no user of your name"},
		{signin.BoundToOther, 403, "another identity"},
		{signin.LinkUsed, 400, "Ask for a new one"},
		{signin.WeakPassword, 400, "does not follow the rules"},
		{signin.SamePassword, 400, "the old one"},
		{"anything else", 403, "You cannot sign in"},
	} {
		refuse := &signin.Refusal{Reason: c.reason, Wait: 121 * time.Second}
		for name, ask := range map[string]func(*site) *answered{
			"password": func(s *site) *answered { return s.post("/-/login/acme", credentials(rightPassword)) },
			"saml":     func(s *site) *answered { return s.post(corp+"/saml", url.Values{"SAMLResponse": {samlResponse}}) },
			"begin":    func(s *site) *answered { return s.get(corp + "/oidc/start?provider=kc") },
			"federate": func(s *site) *answered { return s.get(corp + "/federate?code=" + signInCode) },
			"token":    func(s *site) *answered { return s.post(corp+"/federate", url.Values{"AccessToken": {accessToken}}) },
			"forgot":   func(s *site) *answered { return s.post(acme+"/forgot", url.Values{"username": {"jane"}}) },
		} {
			s := newSite(t)
			s.refuse = refuse
			a := ask(s)
			a.want(t, c.status, c.text)
			protected(t, name, a)
			if got, want := a.Header().Get("Retry-After"), c.reason == signin.TooMany; want != (got == "121") {
				t.Errorf("%s, %s: Retry-After is %q", c.reason, name, got)
			}
			if s.cookies[Cookie] != nil {
				t.Errorf("%s, %s: there is a session", c.reason, name)
			}
		}
		s := newSite(t)
		s.refuse = refuse
		a := s.post(corp+"/refresh", url.Values{"RefreshToken": {refreshToken}})
		if a.Code != c.status || !strings.HasPrefix(a.body, `{"Message":"`) || a.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: refresh answers %d %s", c.reason, a.Code, a.body)
		}
	}
}

// TestProblem is about what is wrong, as forms show it.
func TestProblem(t *testing.T) {
	s := newSite(t)
	a := s.post("/-/login/acme", url.Values{"username": {`"><script>alert(1)</script>`}, "password": {wrongPassword}})
	a.want(t, 401, `role="alert"`, `href="#username"`, `aria-invalid="true"`, "<title>Error: Sign in – acme – ringdown</title>", `value="&#34;&gt;&lt;script&gt;`)
	if strings.Contains(a.body, "<script") {
		t.Errorf("the name is not escaped:\n%s", a.body)
	}
	if a.Header().Get("WWW-Authenticate") == "" {
		t.Error("401 without a challenge")
	}
	s.get("/-/login/"+string(hostile.ID)).want(t, 200, "<h1>&lt;b&gt;&#34;&amp;&#39;&lt;/b&gt;</h1>")
	s.user.FirstName = "<i>"
	s.signedIn(hostile, signin.ByPassword)
	if a := s.get("/-/login/" + string(hostile.ID) + "/home"); strings.Contains(a.body, "<i>") || strings.Contains(a.body, "<b>") {
		t.Errorf("names are not escaped:\n%s", a.body)
	}
	ways := newSite(t)
	ways.ways[0].Label = "<b>corp</b>"
	ways.get(corp).want(t, 200, "&lt;b&gt;corp&lt;/b&gt;")
}

func TestBroken(t *testing.T) {
	s := newSite(t)
	s.broken = errBroken
	for _, a := range []*answered{
		s.get("/-/login/acme"), s.post("/-/login/", url.Values{"alias": {"acme"}}), s.post(acme, credentials(rightPassword)),
		s.post(corp+"/refresh", url.Values{"RefreshToken": {refreshToken}}),
	} {
		a.want(t, 500, "Something went wrong")
		if strings.Contains(a.body, "on fire") {
			t.Errorf("the cause is told:\n%s", a.body)
		}
	}
	if got := strings.Count(s.log.String(), "the disk is on fire"); got != 4 {
		t.Errorf("the cause is logged %d times:\n%s", got, s.log)
	}
}

func TestDestinations(t *testing.T) {
	for destination, want := range map[string]string{
		"/-/console/":                   "/-/console/",
		"/ccp-v2/?a=b#c":                "/ccp-v2/?a=b#c",
		"/":                             "/",
		"":                              acme + "/home",
		"//evil.example.org":            acme + "/home",
		`/\evil.example.org`:            acme + "/home",
		"/\t/evil.example.org":          acme + "/home",
		"/\n/evil.example.org":          acme + "/home",
		`/a\..\..\evil`:                 acme + "/home",
		"https://evil.example":          acme + "/home",
		"javascript:alert(1)":           acme + "/home",
		"evil":                          acme + "/home",
		"/" + strings.Repeat("a", 2000): acme + "/home",
	} {
		form := credentials(rightPassword)
		form.Set("destination", destination)
		newSite(t).post(acme, form).leads(t, want)
		// What the service says is not trusted more, and goes first.
		s := newSite(t)
		s.came = destination
		s.post(acme, credentials(rightPassword)).leads(t, want)
		s = newSite(t)
		s.signedIn(managed, signin.ByPassword)
		s.get(acme+"?"+url.Values{"destination": {destination}}.Encode()).leads(t, want)
		if want == destination {
			newSite(t).get(acme+"?"+url.Values{"destination": {destination}}.Encode()).want(t, 200, `name="destination"`)
		}
	}
}

// TestCrossSite sends forms as other sites would have browsers send them.
func TestCrossSite(t *testing.T) {
	evil := []func(*http.Request){header("Sec-Fetch-Site", "cross-site"), header("Origin", "https://evil.example.org")}
	for _, c := range []struct {
		name   string
		change []func(*http.Request)
		ok     bool
	}{
		{"none of the headers, as curl", nil, true},
		{"our own page", []func(*http.Request){header("Sec-Fetch-Site", "same-origin"), header("Origin", "http://127.0.0.1:8765")}, true},
		{"our own page, an older browser", []func(*http.Request){header("Origin", "http://127.0.0.1:8765")}, true},
		{"typed by the user", []func(*http.Request){header("Sec-Fetch-Site", "none")}, true},
		{"our own page behind a proxy that changes Host", []func(*http.Request){header("Origin", "http://127.0.0.1:8765"), host("localhost:1")}, true},
		{"another site", evil, false},
		{"another site, an older browser", evil[1:], false},
		{"a site beside ours", []func(*http.Request){header("Sec-Fetch-Site", "same-site"), header("Origin", "http://127.0.0.1:9999")}, false},
		{"a sandbox", []func(*http.Request){header("Origin", "null")}, false},
	} {
		for target, form := range map[string]url.Values{
			"/-/login/":          {"alias": {"acme"}},
			acme:                 credentials(rightPassword),
			acme + "/forgot":     {"username": {"jane"}},
			acme + "/reset":      {"new": {newPassword}, "again": {newPassword}, "form": {formToken(resetCode, "reset")}},
			acme + "/change":     {"current": {rightPassword}, "new": {newPassword}, "again": {newPassword}, "form": {formToken(sessionToken, "change")}},
			acme + "/sign-out":   {"form": {formToken(sessionToken, "sign-out")}},
			dir:                  credentials(rightPassword),
			corp + "/change":     nil,
			"/-/login/x/nothing": nil,
		} {
			s := newSite(t)
			s.signedIn(managed, signin.ByPassword)
			s.cookies[resetCookie] = &http.Cookie{Name: resetCookie, Value: resetCode}
			a := s.post(target, form, c.change...)
			if refused := a.Code == http.StatusForbidden && strings.Contains(a.body, "another site"); refused == c.ok {
				t.Errorf("%s, %s: status %d, refused is %v", c.name, target, a.Code, refused)
			}
			if !c.ok && (s.used || len(s.typed) > 0 || len(s.left) > 0 || len(s.asked) > 0) {
				t.Errorf("%s, %s: something was done", c.name, target)
			}
		}
		// What is proved by what it carries comes from other sites.
		for target, form := range map[string]url.Values{
			corp + "/saml":     {"SAMLResponse": {samlResponse}},
			corp + "/federate": {"AccessToken": {accessToken}},
			corp + "/refresh":  {"RefreshToken": {refreshToken}},
		} {
			if a := newSite(t).post(target, form, c.change...); a.Code >= 400 {
				t.Errorf("%s, %s: status %d:\n%s", c.name, target, a.Code, a.body)
			}
		}
	}
}

func TestInsecure(t *testing.T) {
	for _, c := range []struct {
		name, url, host string
		tls, ok         bool
	}{
		{"this machine", "http://127.0.0.1:8765", "127.0.0.1:8765", false, true},
		{"this machine by name", "http://127.0.0.1:8765", "localhost:8765", false, true},
		{"a name of this machine", "http://127.0.0.1:8765", "a.localhost", false, true},
		{"this machine, IPv6", "http://[::1]:8765", "[::1]:8765", false, true},
		{"another machine", "http://192.0.2.1:8765", "192.0.2.1:8765", false, false},
		{"another machine by name", "http://127.0.0.1:8765", "connect.example.org", false, false},
		{"a name that only looks like it", "http://127.0.0.1:8765", "localhost.example.org", false, false},
		{"TLS", "https://connect.example.org", "connect.example.org", true, true},
		{"TLS at a proxy", "https://connect.example.org", "connect.example.org", false, true},
	} {
		for _, target := range []string{acme, acme + "/change", acme + "/reset?code=x", acme + "/forgot", corp + "/federate?code=" + signInCode, corp} {
			s := newSite(t)
			s.url = c.url
			withTLS := func(r *http.Request) {
				if !c.tls {
					r.TLS = nil
				}
			}
			if c.tls {
				withTLS = func(r *http.Request) { r.TLS = httptest.NewRequest("GET", "https://x/", nil).TLS }
			}
			a := s.get(target, host(c.host), withTLS)
			if told := a.Code == http.StatusForbidden && strings.Contains(a.body, "must be reached by HTTPS") && !strings.Contains(a.body, "<input"); told == c.ok {
				t.Errorf("%s, %s: status %d, told is %v", c.name, target, a.Code, told)
			}
			hsts := a.Header().Get("Strict-Transport-Security")
			if (hsts != "") != strings.HasPrefix(c.url, "https:") {
				t.Errorf("%s, %s: Strict-Transport-Security is %q", c.name, target, hsts)
			}
			if !c.ok && len(s.cookies) > 0 {
				t.Errorf("%s, %s: cookies %v", c.name, target, s.cookies)
			}
		}
		s := newSite(t)
		s.url = c.url
		if s.post(acme, credentials(rightPassword), host(c.host), func(r *http.Request) {
			if c.tls {
				r.TLS = httptest.NewRequest("GET", "https://x/", nil).TLS
			}
		}); (len(s.typed) > 0) != c.ok {
			t.Errorf("%s: passwords taken: %d", c.name, len(s.typed))
		}
	}
}

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		from      string
		forwarded []string
		want      string
	}{
		{"192.0.2.7:1234", nil, "192.0.2.7"},
		{"192.0.2.7:1234", []string{"198.51.100.1"}, "192.0.2.7"}, // no proxy of ours
		{"127.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"6.6.6.6, 198.51.100.1"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"6.6.6.6, 198.51.100.1, 10.1.2.3"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"6.6.6.6", "198.51.100.1", "10.1.2.3"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1, nonsense"}, "127.0.0.1"},
		{"127.0.0.1:1", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"127.0.0.1:1", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"127.0.0.1:1", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"127.0.0.1:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"[::ffff:127.0.0.1]:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"[fe80::1%eth0]:1", nil, "fe80::1"},
		{"127.0.0.1:1", []string{""}, "127.0.0.1"},
		{"@", nil, "invalid IP"},
	} {
		s := newSite(t, func(o *Options) { o.TrustedProxies = loopbackNetwork })
		change := []func(*http.Request){from(c.from)}
		for _, f := range c.forwarded {
			change = append(change, header("X-Forwarded-For", f))
		}
		s.post(acme, credentials(wrongPassword), change...)
		if got := s.visitor.Address.String(); got != c.want {
			t.Errorf("%s, %q: the address is %s, want %s", c.from, c.forwarded, got, c.want)
		}
		if s.visitor.RequestID == "" {
			t.Error("the visitor's request has no id")
		}
	}
}

func TestSessionOf(t *testing.T) {
	s := newSite(t)
	s.signedIn(managed, signin.ByPassword)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("X-Forwarded-For", "198.51.100.1")
	if _, err := SessionOf(s.fake, r, nil); err != signin.ErrNoSession { //nolint:errorlint // the very error
		t.Errorf("without a cookie: %v", err)
	}
	r.AddCookie(&http.Cookie{Name: Cookie, Value: sessionToken})
	got, err := SessionOf(s.fake, r, loopbackNetwork)
	if err != nil || got.User.Username != "jane" || s.visitor.Address != netip.MustParseAddr("198.51.100.1") {
		t.Errorf("%v, %v, seen from %s", got, err, s.visitor.Address)
	}
}

func TestWords(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "1 second", time.Millisecond: "1 second", 8 * time.Second: "8 seconds", 59 * time.Second: "59 seconds",
		59*time.Second + 1: "1 minute", 61 * time.Second: "2 minutes", 15 * time.Minute: "15 minutes",
		time.Hour: "1 hour", 12 * time.Hour: "12 hours", 61 * time.Minute: "1 hour and 1 minute", 11*time.Hour + 59*time.Minute: "11 hours and 59 minutes",
	} {
		if got := words(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestAssets(t *testing.T) {
	s := newSite(t)
	page := s.get("/-/login/")
	for _, attr := range []string{`rel="stylesheet" href="`, `type="image/svg+xml" href="`} {
		_, rest, _ := strings.Cut(page.body, attr)
		address, _, _ := strings.Cut(rest, `"`)
		a := s.get(address)
		if a.Code != 200 || len(a.body) < 50 || !strings.Contains(a.Header().Get("Cache-Control"), "immutable") || a.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d, %v", address, a.Code, a.Header())
		}
	}
	if strings.Contains(page.body, "style=") || strings.Contains(page.body, "<script") {
		t.Error("the page has what its policy forbids")
	}
}

// FuzzLocal: wherever a destination leads that we redirect to, it is on this
// server.
func FuzzLocal(f *testing.F) {
	for _, seed := range []string{"/", "/x?y#z", "//evil", "/\\evil", "/\t/evil", "https://evil", "/%2f/evil", "/.//evil", "/@evil", ""} {
		f.Add(seed)
	}
	base, err := url.Parse("https://connect.example.org/-/login/x")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, destination string) {
		got := local(destination)
		if got == "" {
			return
		}
		// Browsers read \ as / and leave tabs and line breaks out before anything
		// else (WHATWG URL, "URL parsing").
		read := strings.NewReplacer("\\", "/", "\t", "", "\n", "", "\r", "").Replace(got)
		u, err := base.Parse(read)
		if err != nil {
			return // no browser of ours is sent to what it cannot read
		}
		if u.Host != base.Host || u.Scheme != "https" || u.User != nil || strings.ContainsAny(got, "\r\n\x00") {
			t.Errorf("%q leads to %s", destination, u)
		}
	})
}
