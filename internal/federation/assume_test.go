package federation_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/federation"
	"ringdown/internal/iam"
)

// user is a principal with policies.
func user(t testing.TB, name string, docs ...string) *iam.Principal {
	t.Helper()
	p := &iam.Principal{ARN: prefix + "user/" + name, Account: account, UserID: "AIDA" + name, UserName: name}
	for _, d := range docs {
		p.Policies = append(p.Policies, policy(t, d))
	}
	return p
}

func allow(actions ...string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}}`
}

// services are roles for AssumeRole.
func services(o *federation.Options) {
	o.Roles = append(o.Roles,
		federation.RoleConfig{Name: "reports", AssumedBy: []string{"user/ops", "role/relay"}, MaxSession: 12 * time.Hour},
		federation.RoleConfig{Name: "anybody", AssumedBy: []string{"account"}},
		federation.RoleConfig{Name: "relay", AssumedBy: []string{"account"}, Policy: []byte(allow("sts:*"))},
		federation.RoleConfig{Name: "closed", Providers: []string{"corp"}},
	)
}

func wish(role string) federation.Wish {
	return federation.Wish{RoleARN: prefix + "role/" + role, SessionName: "nightly"}
}

func TestAssume(t *testing.T) {
	w := newWorld(t, services)
	const deny = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"sts:AssumeRole","Resource":"*"}}`
	const onlyNightly = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*","Condition":{
		"StringEquals":{"sts:RoleSessionName":"nightly","aws:RequestTag/Team":"blue","aws:SourceIp":"192.0.2.7"},
		"ForAllValues:StringEquals":{"aws:TagKeys":["Team"]}}}}`
	tagged := func(w *federation.Wish) { w.Tags = map[string]string{"Team": "blue"} }
	root := &iam.Principal{ARN: prefix + "root", Account: account, UserID: account, Root: true}
	for name, c := range map[string]struct {
		caller  *iam.Principal
		role    string
		change  func(*federation.Wish)
		code    fault.Code // empty: assumed
		message string
	}{
		"root":                             {caller: root, role: "reports", code: fault.AccessDenied, message: "Roles may not be assumed by root accounts."},
		"named user":                       {caller: user(t, "ops"), role: "reports"},
		"named user who is denied":         {caller: user(t, "ops", deny), role: "reports", code: fault.AccessDenied, message: "explicit deny"},
		"user who is not named":            {caller: user(t, "mary", allow("sts:AssumeRole")), role: "reports", code: fault.AccessDenied, message: "User: " + prefix + "user/mary is not authorized to perform: sts:AssumeRole on resource: " + prefix + "role/reports"},
		"account, with a policy":           {caller: user(t, "mary", allow("sts:AssumeRole")), role: "anybody"},
		"account, without a policy":        {caller: user(t, "mary", allow("connect:*")), role: "anybody", code: fault.AccessDenied, message: "no identity-based policy allows the sts:AssumeRole action"},
		"role for SAML only":               {caller: user(t, "mary", allow("sts:*")), role: "closed", code: fault.AccessDenied, message: "not authorized to perform: sts:AssumeRole"},
		"no such role":                     {caller: user(t, "mary", allow("sts:*")), role: "nobody", code: fault.AccessDenied, message: "not authorized to perform: sts:AssumeRole"},
		"role of another account":          {caller: user(t, "ops"), role: "reports", change: func(w *federation.Wish) { w.RoleARN = "arn:aws:iam::210987654321:role/reports" }, code: fault.AccessDenied, message: "210987654321"},
		"no role's ARN":                    {caller: user(t, "ops"), role: "reports", change: func(w *federation.Wish) { w.RoleARN = "arn:aws:connect:us-east-1:1:instance/x" }, code: fault.ValidationError, message: "Request ARN is invalid"},
		"bad name":                         {caller: user(t, "ops"), role: "reports", change: func(w *federation.Wish) { w.SessionName = "a b" }, code: fault.ValidationError, message: "roleSessionName"},
		"bad source identity":              {caller: user(t, "ops"), role: "reports", change: func(w *federation.Wish) { w.SourceIdentity = "x" }, code: fault.ValidationError, message: "sourceIdentity"},
		"12 hours":                         {caller: user(t, "ops"), role: "reports", change: func(w *federation.Wish) { w.Duration = 12 * time.Hour }},
		"more than the role's":             {caller: user(t, "ops", allow("sts:*")), role: "anybody", change: func(w *federation.Wish) { w.Duration = 2 * time.Hour }, code: fault.ValidationError, message: "exceeds the MaxSessionDuration set for this role"},
		"tags by a named user":             {caller: user(t, "ops"), role: "reports", change: tagged},
		"tags with permission":             {caller: user(t, "mary", allow("sts:AssumeRole", "sts:TagSession")), role: "anybody", change: tagged},
		"tags without permission":          {caller: user(t, "mary", allow("sts:AssumeRole")), role: "anybody", change: tagged, code: fault.AccessDenied, message: "sts:TagSession"},
		"source identity with permission":  {caller: user(t, "mary", allow("sts:AssumeRole", "sts:SetSourceIdentity")), role: "anybody", change: func(w *federation.Wish) { w.SourceIdentity = "mary" }},
		"source identity without":          {caller: user(t, "mary", allow("sts:AssumeRole")), role: "anybody", change: func(w *federation.Wish) { w.SourceIdentity = "mary" }, code: fault.AccessDenied, message: "sts:SetSourceIdentity"},
		"conditions hold":                  {caller: user(t, "mary", onlyNightly), role: "anybody", change: tagged},
		"conditions do not hold":           {caller: user(t, "mary", onlyNightly), role: "anybody", change: func(w *federation.Wish) { w.Tags = map[string]string{"Team": "red"} }, code: fault.AccessDenied, message: "sts:AssumeRole"},
		"tag that is no tag":               {caller: user(t, "ops"), role: "reports", change: func(w *federation.Wish) { w.Tags = map[string]string{"Team;": "x"} }, code: fault.ValidationError, message: "session tag"},
		"value that is none":               {caller: user(t, "ops"), role: "reports", change: func(w *federation.Wish) { w.Tags = map[string]string{"Team": "a;b"} }, code: fault.ValidationError, message: "session tag Team"},
		"transitive key that is not there": {caller: user(t, "ops"), role: "reports", change: func(w *federation.Wish) { tagged(w); w.TransitiveKeys = []string{"Site"} }, code: fault.ValidationError, message: "transitive tag key"},
		"bad policy":                       {caller: user(t, "ops"), role: "reports", change: func(w *federation.Wish) { w.Policy = []byte(`{`) }, code: fault.MalformedPolicyDocument, message: "JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := domain.WithCaller(t.Context(), &domain.Caller{Address: "192.0.2.7", RequestID: "r-9"})
			ctx = iam.WithRequester(ctx, c.caller, iam.Values{"aws:sourceip": {"192.0.2.7"}})
			asked := wish(c.role)
			if c.change != nil {
				c.change(&asked)
			}
			a, err := w.Assume(ctx, c.caller, asked)
			e := w.audit.last(t)
			if e.Event != audit.AssumeRole || e.Principal != c.caller.ARN || e.From != "192.0.2.7" || e.RequestID != "r-9" {
				t.Errorf("audit %+v", e)
			}
			if c.code != "" {
				refusal(t, err, c.code, c.message)
				if a != nil || e.Outcome != audit.Refused || e.Reason == "" {
					t.Errorf("assumed %v, audit %+v", a, e)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if e.Outcome != audit.OK || e.Key != a.Key.ID || e.Role != a.ARN {
				t.Errorf("audit %+v", e)
			}
			k, err := w.keys.Find(ctx, a.Key.ID, a.Key.Token)
			if err != nil || k == nil {
				t.Fatalf("found %v, %v", k, err)
			}
			if want := "arn:aws:sts::" + account + ":assumed-role/" + c.role + "/nightly"; k.Principal.ARN != want || a.Assertion != nil || k.Principal.Session.Chained {
				t.Errorf("assumed %s, want %s", k.Principal.ARN, want)
			}
			lasts := asked.Duration
			if lasts == 0 {
				lasts = time.Hour
			}
			if got := a.Key.Expires.Sub(start); got != lasts {
				t.Errorf("it lasts %s, want %s", got, lasts)
			}
		})
	}
}

// relay is a session of the role relay, with tags of which one is transitive.
func relay(t testing.TB, w *world, change ...func(*federation.Wish)) *iam.Principal {
	t.Helper()
	asked := wish("relay")
	asked.Tags = map[string]string{"Team": "blue", "Site": "Berlin"}
	asked.TransitiveKeys = []string{"Team"}
	for _, c := range change {
		c(&asked)
	}
	a, err := w.Assume(t.Context(), user(t, "mary", allow("sts:*")), asked)
	if err != nil {
		t.Fatal(err)
	}
	return a.Key.Principal
}

// TestChained: a session that is made by a session lasts an hour at most, and has
// its transitive tags and its source identity.
func TestChained(t *testing.T) {
	w := newWorld(t, services)
	first := relay(t, w, func(w *federation.Wish) { w.SourceIdentity = "mary.major" })
	asked := wish("reports") // which names the role relay
	asked.Tags = map[string]string{"Site": "Paris"}
	a, err := w.Assume(t.Context(), first, asked)
	if err != nil {
		t.Fatal(err)
	}
	s := a.Session
	if want := map[string]string{"Team": "blue", "Site": "Paris"}; !maps.Equal(s.Tags, want) || !slices.Equal(s.TransitiveTagKeys, []string{"Team"}) {
		t.Errorf("tags %v, transitive %v; want %v", s.Tags, s.TransitiveTagKeys, want)
	}
	if s.SourceIdentity != "mary.major" || !s.Chained {
		t.Errorf("session %+v", s)
	}
	// What the new session may do is its own role's affair.
	_, err = w.Assume(t.Context(), relayed(t, w, a), wish("anybody"))
	refusal(t, err, fault.AccessDenied, "assumed-role/reports/nightly is not authorized to perform: sts:AssumeRole")

	for name, c := range map[string]struct {
		change  func(*federation.Wish)
		code    fault.Code
		message string
	}{
		"an hour":                 {change: func(w *federation.Wish) { w.Duration = time.Hour }},
		"more than an hour":       {change: func(w *federation.Wish) { w.Duration = time.Hour + time.Second }, code: fault.ValidationError, message: "exceeds the 1 hour session limit for roles assumed by role chaining"},
		"inherited tag":           {change: func(w *federation.Wish) { w.Tags = map[string]string{"team": "red"} }, code: fault.ValidationError, message: "session tag Team is inherited"},
		"another source identity": {change: func(w *federation.Wish) { w.SourceIdentity = "john" }, code: fault.AccessDenied, message: "source identity"},
		"the same one":            {change: func(w *federation.Wish) { w.SourceIdentity = "mary.major" }},
	} {
		asked := wish("reports")
		c.change(&asked)
		_, err := w.Assume(t.Context(), first, asked)
		switch {
		case c.code != "":
			refusal(t, err, c.code, c.message)
		case err != nil:
			t.Errorf("%s: %v", name, err)
		}
	}
}

// relayed is the principal as the next request has it.
func relayed(t testing.TB, w *world, a *federation.Assumed) *iam.Principal {
	t.Helper()
	k, err := w.keys.Find(t.Context(), a.Key.ID, a.Key.Token)
	if err != nil || k == nil {
		t.Fatalf("found %v, %v", k, err)
	}
	return k.Principal
}

// TestSessionPolicyBoundsAssume: what a session may do at most counts although the
// role that it wants names its role.
func TestSessionPolicyBoundsAssume(t *testing.T) {
	w := newWorld(t, services)
	bounded := relay(t, w, func(w *federation.Wish) { w.Policy = []byte(allow("connect:*")) })
	_, err := w.Assume(t.Context(), bounded, wish("reports"))
	refusal(t, err, fault.AccessDenied, "no session policy allows the sts:AssumeRole action")
}

// TestGoneRole: credentials of a role that is gone are worth nothing, and those of
// one that is kept follow its policy.
func TestGoneRole(t *testing.T) {
	w := newWorld(t)
	md := genuine().metadata(entityID)
	add := func(p string) {
		t.Helper()
		r := federation.RoleConfig{Name: "agents", Policy: []byte(p)}
		if _, err := w.AddProvider(t.Context(), federation.ProviderConfig{Name: "corp", Metadata: md}, r); err != nil {
			t.Fatal(err)
		}
	}
	add(allow("connect:ListInstances"))
	a, err := w.AssumeWithSAML(t.Context(), corp, jane().response(t), agents())
	if err != nil {
		t.Fatal(err)
	}
	may := func(action string) bool {
		return relayed(t, w, a).Authorize(iam.Request{Action: action, Resource: "*"}) == nil
	}
	if !may("connect:ListInstances") || may("connect:CreateInstance") {
		t.Error("the policy does not hold")
	}
	add(allow("connect:CreateInstance"))
	if may("connect:ListInstances") || !may("connect:CreateInstance") {
		t.Error("the new policy does not hold")
	}
	if err := w.DeleteProvider(t.Context(), "corp"); err != nil {
		t.Fatal(err)
	}
	if k, err := w.keys.Find(t.Context(), a.Key.ID, a.Key.Token); k != nil || err != nil {
		t.Errorf("found %v, %v after the role is gone", k, err)
	}
}

// TestInternal: what is not the client's fault is told as that.
func TestInternal(t *testing.T) {
	w := newWorld(t)
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	w.clock.advance(time.Minute)
	_, err := w.AssumeWithSAML(t.Context(), corp, jane().response(t), agents())
	if err == nil {
		t.Error("assumed with the store closed")
	}
	if e := w.audit.last(t); e.Outcome != audit.Failed {
		t.Errorf("audit %+v", e)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Providers(cancelled); err == nil {
		t.Error("providers of a closed store")
	}
}
