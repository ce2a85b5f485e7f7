package federation_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/federation"
	"ringdown/internal/iam"
)

const corp = prefix + "saml-provider/corp"

// jane is a good claim.
func jane() claim { return claim{name: "jane", roles: []string{pair("agents", "corp")}} }

func agents() federation.Wish { return federation.Wish{RoleARN: prefix + "role/agents"} }

// TestAssumeWithSAML: who has a good response gets credentials that are found, for
// as long as they hold, and what the provider says of the user is part of them.
func TestAssumeWithSAML(t *testing.T) {
	w := newWorld(t, configured)
	ctx := domain.WithCaller(t.Context(), &domain.Caller{Address: "192.0.2.7", RequestID: "r-1"})
	c := jane()
	c.subject = "u-1"
	c.more = [][2]string{{"PrincipalTag:Team", "blue"}, {"SourceIdentity", "jane.doe"}}
	c.roles = []string{prefix + "saml-provider/corp," + prefix + "role/agents", pair("leads", "corp")} // either order
	wish := agents()
	wish.Policy = []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"connect:*","Resource":"*"}}`)
	response := c.response(t)
	a, err := w.AssumeWithSAML(ctx, corp, response, wish)
	if err != nil {
		t.Fatal(err)
	}
	if a.ARN != "arn:aws:sts::"+account+":assumed-role/agents/jane" || !strings.HasPrefix(a.ID, "AROA") || !strings.HasSuffix(a.ID, ":jane") {
		t.Errorf("assumed %s, %s", a.ARN, a.ID)
	}
	if a.Assertion == nil || a.Assertion.Subject != "u-1" || a.Assertion.Recipient != acs || a.Packed < 1 || a.Packed > 5 {
		t.Errorf("assertion %+v, packed %d", a.Assertion, a.Packed)
	}
	if want := start.Add(time.Hour); !a.Key.Expires.Equal(want) {
		t.Errorf("expires %s, want %s", a.Key.Expires, want)
	}
	k, err := w.keys.Find(ctx, a.Key.ID, a.Key.Token)
	if err != nil || k == nil || k.Secret != a.Key.Secret {
		t.Fatalf("found %v, %v", k, err)
	}
	for key, want := range map[string]string{
		"aws:userid":            a.ID,
		"aws:principalarn":      prefix + "role/agents",
		"aws:principaltag/team": "blue",
		"aws:sourceidentity":    "jane.doe",
		"aws:federatedprovider": corp,
		"saml:aud":              acs,
		"saml:iss":              entityID,
		"saml:sub":              "u-1",
		"saml:sub_type":         "persistent",
		"saml:doc":              account + "/corp",
		// BASE64(SHA1("https://idp.example.org/saml123456789012/corp")), by openssl.
		"saml:namequalifier": "uHbfY2ysQJsEDOCL0ur2ReXJ3qg=",
	} {
		got, _ := k.Principal.Lookup(key)
		if len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	// The default policy allows the token of one's own user, and no more.
	for resource, want := range map[string]bool{
		"arn:aws:connect:eu-west-3:" + account + ":instance/i-1/user/" + a.ID:       true,
		"arn:aws-cn:connect:cn-north-1:" + account + ":instance/i-1/user/" + a.ID:   true,
		"arn:aws:connect:eu-west-3:" + account + ":instance/i-1/user/" + a.ID + "x": false,
		"arn:aws:connect:eu-west-3:210987654321:instance/i-1/user/" + a.ID:          false,
	} {
		err := k.Principal.Authorize(iam.Request{Action: "connect:GetFederationToken", Resource: resource, Context: k.Principal})
		if (err == nil) != want {
			t.Errorf("%s: %v", resource, err)
		}
	}
	if err := k.Principal.Authorize(iam.Request{Action: "connect:DescribeInstance", Resource: "*", Context: k.Principal}); err == nil {
		t.Error("the default policy allows other operations")
	}
	e := w.audit.last(t)
	if e.Event != audit.AssumeRole || e.Outcome != audit.OK || e.Provider != "corp" || e.Principal != a.ARN || e.Role != a.ARN || e.Key != a.Key.ID || e.From != "192.0.2.7" || e.RequestID != "r-1" {
		t.Errorf("audit %+v", e)
	}
	for _, secret := range []string{response, a.Key.Secret, a.Key.Token} {
		if strings.Contains(w.audit.String()+w.log.String(), secret) {
			t.Error("a secret is written down")
		}
	}
}

// TestResponsesRefused: each with the code of STS, no trace but in the audit log,
// and the assertion is not used up by it.
func TestResponsesRefused(t *testing.T) {
	w := newWorld(t, configured)
	long := strings.Repeat("x", 101_000)
	for name, c := range map[string]struct {
		provider string
		change   func(*claim)
		wish     func(*federation.Wish)
		response string
		code     fault.Code
		message  string
	}{
		"unknown provider":         {provider: prefix + "saml-provider/nobody", code: fault.InvalidIdentityToken, message: "Specified provider doesn't exist"},
		"provider of another":      {provider: "arn:aws:iam::210987654321:saml-provider/corp", code: fault.InvalidIdentityToken, message: "Specified provider doesn't exist"},
		"no base64":                {response: "<Response>", code: fault.InvalidIdentityToken, message: "Invalid base64 SAMLResponse"},
		"too long":                 {response: long, code: fault.InvalidIdentityToken, message: "100000"},
		"no response":              {response: "aGVsbG8=", code: fault.InvalidIdentityToken, message: "response"},
		"forged":                   {change: func(c *claim) { c.by = forger() }, code: fault.InvalidIdentityToken, message: "signature"},
		"tampered":                 {change: func(c *claim) { c.after = func(s string) string { return strings.Replace(s, ">jane<", ">john<", 1) } }, code: fault.InvalidIdentityToken, message: "signed"},
		"unsigned":                 {change: func(c *claim) { c.after = unsigned }, code: fault.InvalidIdentityToken, message: "signed"},
		"another issuer":           {change: func(c *claim) { c.issuer = "https://evil.example.org" }, code: fault.InvalidIdentityToken, message: "ssuer"},
		"another audience":         {change: func(c *claim) { c.audience = "https://elsewhere.example.org" }, code: fault.InvalidIdentityToken, message: "audience"},
		"another recipient":        {change: func(c *claim) { c.recipient = "https://elsewhere.example.org" }, code: fault.InvalidIdentityToken, message: ""},
		"too old":                  {change: func(c *claim) { c.made = start.Add(-20 * time.Minute) }, code: fault.ExpiredToken, message: "Token must be redeemed within 5 minutes of issuance"},
		"not yet":                  {change: func(c *claim) { c.made = start.Add(20 * time.Minute) }, code: fault.ExpiredToken, message: "future"},
		"not authenticated":        {change: func(c *claim) { c.status = "AuthnFailed" }, code: fault.IDPRejectedClaim, message: "AuthnFailed"},
		"no role":                  {change: func(c *claim) { c.roles = nil }, code: fault.InvalidIdentityToken, message: "Your request included an invalid SAML response"},
		"no name":                  {change: func(c *claim) { c.name, c.subject = "", "u-1" }, code: fault.InvalidIdentityToken, message: "RoleSessionName is required in AuthnResponse"},
		"bad name":                 {change: func(c *claim) { c.name = "jane doe" }, code: fault.InvalidIdentityToken, message: "must match [a-zA-Z_0-9+=,.@-]{2,64}"},
		"short name":               {change: func(c *claim) { c.name = "j" }, code: fault.InvalidIdentityToken, message: "must match [a-zA-Z_0-9+=,.@-]{2,64}"},
		"bad source identity":      {change: func(c *claim) { c.more = [][2]string{{"SourceIdentity", "aws:jane"}} }, code: fault.InvalidIdentityToken, message: "ource"},
		"no subject":               {change: func(c *claim) { c.subject = "-" }, code: fault.InvalidIdentityToken, message: "NameID"},
		"long subject":             {change: func(c *claim) { c.subject = strings.Repeat("s", 1025) }, code: fault.InvalidIdentityToken, message: "NameID"},
		"short session":            {change: func(c *claim) { c.more = [][2]string{{"SessionDuration", "60"}} }, code: fault.InvalidIdentityToken, message: "SessionDuration"},
		"reserved tag":             {change: func(c *claim) { c.more = [][2]string{{"PrincipalTag:aws:team", "x"}} }, code: fault.InvalidIdentityToken, message: "reserved"},
		"tag twice":                {change: func(c *claim) { c.more = [][2]string{{"PrincipalTag:Team", "x"}, {"PrincipalTag:team", "y"}} }, code: fault.InvalidIdentityToken, message: "twice"},
		"tags without end":         {change: manyTags(51, "v"), code: fault.InvalidIdentityToken, message: "51 session tags"},
		"tags too large":           {change: manyTags(50, strings.Repeat("v", 256)), code: fault.PackedPolicyTooLarge, message: "too large together"},
		"role that is not named":   {wish: func(w *federation.Wish) { w.RoleARN = prefix + "role/leads" }, code: fault.AccessDenied, message: "Not authorized to perform sts:AssumeRoleWithSAML"},
		"role with other provider": {change: func(c *claim) { c.roles = []string{pair("agents", "other")} }, code: fault.AccessDenied, message: "Not authorized to perform sts:AssumeRoleWithSAML"},
		"unknown role":             {change: func(c *claim) { c.roles = []string{pair("nobody", "corp")} }, wish: func(w *federation.Wish) { w.RoleARN = prefix + "role/nobody" }, code: fault.AccessDenied, message: "no such role"},
		"role without trust":       {change: func(c *claim) { c.roles = []string{pair("others", "corp")} }, wish: func(w *federation.Wish) { w.RoleARN = prefix + "role/others" }, code: fault.AccessDenied, message: "does not trust"},
		"no role's ARN":            {wish: func(w *federation.Wish) { w.RoleARN = prefix + "user/agents" }, code: fault.ValidationError, message: "Request ARN is invalid"},
		"too short":                {wish: func(w *federation.Wish) { w.Duration = 899 * time.Second }, code: fault.ValidationError, message: "900"},
		"too long a session":       {wish: func(w *federation.Wish) { w.Duration = 4*time.Hour + time.Second }, code: fault.ValidationError, message: "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		"policy that is none":      {wish: func(w *federation.Wish) { w.Policy = []byte(`{"Statement":[]}`) }, code: fault.MalformedPolicyDocument, message: "Statement"},
		"policy that is too long":  {wish: func(w *federation.Wish) { w.Policy = []byte(`{"Id":"` + strings.Repeat("x", 2048) + `"}`) }, code: fault.ValidationError, message: "2048"},
		"session over at provider": {change: func(c *claim) { c.over = -time.Hour }, code: fault.ExpiredToken, message: "Token must be redeemed"},
		"answer that AWS asked for": {change: func(c *claim) {
			c.recipient, c.audience, c.answers = "https://signin.aws.amazon.com/saml", "urn:amazon:webservices", "id-1"
		}},
	} {
		t.Run(name, func(t *testing.T) {
			good := jane()
			good.id = randomID()
			bad := good
			if c.change != nil {
				c.change(&bad)
			}
			wish := agents()
			if c.wish != nil {
				c.wish(&wish)
			}
			if c.provider == "" {
				c.provider = corp
			}
			if c.response == "" {
				c.response = bad.response(t)
			}
			a, err := w.AssumeWithSAML(t.Context(), c.provider, c.response, wish)
			if c.code == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			refusal(t, err, c.code, c.message)
			if a != nil {
				t.Errorf("assumed %s", a.ARN)
			}
			e := w.audit.last(t)
			if e.Outcome != audit.Refused || e.Reason == "" || e.Key != "" {
				t.Errorf("audit %+v", e)
			}
			if strings.Contains(w.audit.String(), c.response) || strings.Contains(w.audit.String(), "nobody") {
				t.Errorf("the audit log has what was sent: %s", w.audit)
			}
			if _, err := w.AssumeWithSAML(t.Context(), corp, good.response(t), agents()); err != nil {
				t.Errorf("a good response with the same assertion's id: %v", err)
			}
		})
	}
}

func unsigned(s string) string {
	from, to := strings.Index(s, "<ds:Signature "), strings.Index(s, "</ds:Signature>")
	return s[:from] + s[to+len("</ds:Signature>"):]
}

func manyTags(n int, value string) func(*claim) {
	return func(c *claim) {
		for i := range n {
			c.more = append(c.more, [2]string{"PrincipalTag:key-" + strings.Repeat("k", i+1), value})
		}
	}
}

// TestSessionLength: what was asked for, at most what the provider allows.
func TestSessionLength(t *testing.T) {
	w := newWorld(t, configured)
	for name, c := range map[string]struct {
		asked, over time.Duration
		attribute   string
		want        time.Duration
	}{
		"nothing asked":                  {want: time.Hour},
		"the least":                      {asked: 15 * time.Minute, want: 15 * time.Minute},
		"the role's longest":             {asked: 4 * time.Hour, want: 4 * time.Hour},
		"less by SessionDuration":        {asked: 4 * time.Hour, attribute: "7200", want: 2 * time.Hour},
		"more by SessionDuration":        {asked: time.Hour, attribute: "7200", want: time.Hour},
		"less by SessionNotOnOrAfter":    {asked: 4 * time.Hour, over: 3 * time.Hour, want: 3 * time.Hour},
		"less than the least by the end": {asked: 15 * time.Minute, over: 10 * time.Minute, want: 10 * time.Minute},
		"less by both":                   {asked: 4 * time.Hour, attribute: "7200", over: 3 * time.Hour, want: 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			j := jane()
			j.over = c.over
			if c.attribute != "" {
				j.more = [][2]string{{"SessionDuration", c.attribute}}
			}
			wish := agents()
			wish.Duration = c.asked
			a, err := w.AssumeWithSAML(t.Context(), corp, j.response(t), wish)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Key.Expires.Sub(start); got != c.want {
				t.Errorf("it lasts %s, want %s", got, c.want)
			}
		})
	}
}

const used = "The assertion has been used before"

// TestReplay: an assertion gives credentials of each of its roles once, or opens
// one page, also after a restart and through another server.
func TestReplay(t *testing.T) {
	w := newWorld(t, configured)
	c := jane()
	c.roles = append(c.roles, pair("leads", "corp"))
	response := c.response(t)
	leads := federation.Wish{RoleARN: prefix + "role/leads"}
	if _, err := w.AssumeWithSAML(t.Context(), corp, response, agents()); err != nil {
		t.Fatal(err)
	}
	_, err := w.AssumeWithSAML(t.Context(), corp, response, agents())
	refusal(t, err, fault.InvalidIdentityToken, used)
	w.join(t, configured) // another server of the same store
	_, err = w.AssumeWithSAML(t.Context(), corp, response, agents())
	refusal(t, err, fault.InvalidIdentityToken, used)
	if _, err := w.AssumeWithSAML(t.Context(), corp, response, leads); err != nil {
		t.Errorf("the other role: %v", err)
	}
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.open(t, configured)
	for _, wish := range []federation.Wish{agents(), leads} {
		_, err = w.AssumeWithSAML(t.Context(), corp, response, wish)
		refusal(t, err, fault.InvalidIdentityToken, used)
	}
	_, err = w.Admit(t.Context(), visit(response))
	refusal(t, err, fault.InvalidIdentityToken, used)

	// What a page has accepted gives no credentials.
	other := c.response(t)
	if _, err := w.Admit(t.Context(), visit(other)); err != nil {
		t.Fatal(err)
	}
	_, err = w.Admit(t.Context(), visit(other))
	refusal(t, err, fault.InvalidIdentityToken, used)
	_, err = w.AssumeWithSAML(t.Context(), corp, other, leads)
	refusal(t, err, fault.InvalidIdentityToken, used)

	// Up to the moment when it is refused for its age it is remembered.
	for range 20 {
		w.clock.advance(30 * time.Second)
		if _, err := w.Admit(t.Context(), visit(other)); err == nil {
			t.Fatalf("accepted again after %s", w.clock.Now().Sub(start))
		}
	}
	refusal(t, err, fault.InvalidIdentityToken, used)
	_, err = w.Admit(t.Context(), visit(other))
	refusal(t, err, fault.ExpiredToken, "")
}

// TestReplayRace: of many who come with an assertion at once, by two servers, one
// is let in.
func TestReplayRace(t *testing.T) {
	w := newWorld(t, configured)
	first := w.Federation
	second := w.join(t, configured)
	for name, try := range map[string]func(*federation.Federation, string) error{
		"pages": func(f *federation.Federation, r string) error { _, err := f.Admit(t.Context(), visit(r)); return err },
		"keys": func(f *federation.Federation, r string) error {
			_, err := f.AssumeWithSAML(t.Context(), corp, r, agents())
			return err
		},
	} {
		response := jane().response(t)
		var accepted atomic.Int32
		var wg sync.WaitGroup
		for i := range 16 {
			f := []*federation.Federation{first, second}[i%2]
			wg.Go(func() {
				if err := try(f, response); err == nil {
					accepted.Add(1)
				} else if !fault.Is(err, fault.InvalidIdentityToken) {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		wg.Wait()
		if n := accepted.Load(); n != 1 {
			t.Errorf("%s: accepted %d times", name, n)
		}
	}
}

// visit is one of the sign-in page of instance one.
func visit(response string) federation.Visit {
	return federation.Visit{
		Response: response, Recipient: acs, From: "192.0.2.9",
		Permission: func(userID string) string {
			return "arn:aws:connect:eu-west-3:" + account + ":instance/one/user/" + userID
		},
	}
}

// TestFlood: calls that nobody has signed, whatever provider and role they name,
// do not fill the disk with lines about them; refusals of known principals are
// all there.
func TestFlood(t *testing.T) {
	w := newWorld(t, configured)
	const calls = 500
	ctx := domain.WithCaller(t.Context(), &domain.Caller{Address: "192.0.2.1"})
	for range calls {
		if _, err := w.AssumeWithSAML(ctx, corp, "PGE+", agents()); err == nil {
			t.Fatal("let in")
		}
	}
	if n := strings.Count(w.audit.String(), "\n"); n == 0 || n > calls/2 {
		t.Errorf("of %d refusals of one stranger %d are written down", calls, n)
	}
	before := strings.Count(w.audit.String(), "\n")
	for range calls {
		if _, err := w.Assume(ctx, &iam.Principal{ARN: prefix + "user/a", UserName: "a"}, agents()); err == nil {
			t.Fatal("let in")
		}
	}
	if n := strings.Count(w.audit.String(), "\n") - before; n != calls {
		t.Errorf("of %d refusals of a known principal %d are written down", calls, n)
	}
}
