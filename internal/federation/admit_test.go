package federation_test

import (
	"strings"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/fault"
	"ringdown/internal/federation"
)

// TestAdmit: a browser's user becomes the first role that may have the token.
func TestAdmit(t *testing.T) {
	const inOne = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"connect:GetFederationToken","Resource":"*","Condition":{
		"StringEquals":{"connect:InstanceId":"one","aws:RequestedRegion":"eu-west-3","saml:sub":"jane"},"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"Bool":{"aws:SecureTransport":"true"}}}}`
	roles := func(o *federation.Options) {
		configured(o)
		o.Roles = append(o.Roles,
			federation.RoleConfig{Name: "useless", Providers: []string{"corp"}, Policy: []byte(allow("connect:Describe*"))},
			federation.RoleConfig{Name: "here", Providers: []string{"corp"}, Policy: []byte(inOne)},
		)
		o.Providers = append(o.Providers, federation.ProviderConfig{Name: "second", Metadata: genuine().metadata(entityID)},
			federation.ProviderConfig{Name: "zebra", Metadata: forger().metadata("https://zebra.example.org")})
		o.Roles = append(o.Roles, federation.RoleConfig{Name: "seconds", Providers: []string{"second"}})
	}
	w := newWorld(t, roles)
	for name, c := range map[string]struct {
		change   func(*claim)
		visit    func(*federation.Visit)
		role     string // that is assumed
		provider string // empty: corp
		code     fault.Code
		message  string
	}{
		"the only role":            {role: "agents"},
		"the one that may":         {change: func(c *claim) { c.roles = append([]string{pair("useless", "corp")}, c.roles...) }, role: "agents"},
		"of another provider":      {change: func(c *claim) { c.roles = []string{pair("seconds", "second")} }, role: "seconds", provider: "second"},
		"conditions hold":          {change: func(c *claim) { c.roles = []string{pair("here", "corp")} }, role: "here"},
		"answer to a request":      {change: func(c *claim) { c.answers = "id-1" }, visit: func(v *federation.Visit) { v.RequestID = "id-1" }, role: "agents"},
		"conditions do not hold":   {change: func(c *claim) { c.roles = []string{pair("here", "corp")} }, visit: func(v *federation.Visit) { v.From = "198.51.100.1" }, code: fault.AccessDenied, message: "connect:GetFederationToken"},
		"none that may":            {change: func(c *claim) { c.roles = []string{pair("useless", "corp")} }, code: fault.AccessDenied, message: "connect:GetFederationToken"},
		"of another instance":      {visit: func(v *federation.Visit) { v.Opens = func([]string) bool { return false } }, code: fault.AccessDenied, message: "not one of this instance's"},
		"of this instance":         {visit: func(v *federation.Visit) { v.Opens = func(list []string) bool { return len(list) == 0 } }, role: "agents"},
		"unknown role":             {change: func(c *claim) { c.roles = []string{pair("nobody", "corp")} }, code: fault.AccessDenied, message: "names no role"},
		"untrusting role":          {change: func(c *claim) { c.roles = []string{pair("others", "corp")} }, code: fault.AccessDenied, message: "names no role"},
		"role of another's":        {change: func(c *claim) { c.roles = []string{pair("agents", "zebra")} }, code: fault.AccessDenied, message: "names no role"},
		"unknown issuer":           {change: func(c *claim) { c.issuer = "https://evil.example.org" }, code: fault.InvalidIdentityToken, message: "no identity provider of that name"},
		"known issuer, other key":  {change: func(c *claim) { c.issuer = "https://zebra.example.org" }, provider: "zebra", code: fault.InvalidIdentityToken, message: "signature"},
		"for another page":         {change: func(c *claim) { c.recipient = strings.Replace(acs, "one", "two", 1) }, code: fault.InvalidIdentityToken},
		"for AWS":                  {change: func(c *claim) { c.recipient = "https://signin.aws.amazon.com/saml" }, code: fault.InvalidIdentityToken},
		"answer to another":        {change: func(c *claim) { c.answers = "id-2" }, visit: func(v *federation.Visit) { v.RequestID = "id-1" }, code: fault.InvalidIdentityToken},
		"answer that nobody asked": {change: func(c *claim) { c.answers = "id-2" }, code: fault.InvalidIdentityToken},
		"no answer":                {visit: func(v *federation.Visit) { v.RequestID = "id-1" }, code: fault.InvalidIdentityToken},
		"too old":                  {change: func(c *claim) { c.made = start.Add(-time.Hour) }, code: fault.ExpiredToken, message: "5 minutes"},
		"no base64":                {visit: func(v *federation.Visit) { v.Response = "%%%" }, provider: "-", code: fault.InvalidIdentityToken, message: "base64"},
		"no name":                  {change: func(c *claim) { c.name, c.subject = "", "x" }, code: fault.InvalidIdentityToken, message: "RoleSessionName"},
		"session over":             {change: func(c *claim) { c.over = -time.Hour }, code: fault.ExpiredToken},
	} {
		t.Run(name, func(t *testing.T) {
			j := jane()
			if c.change != nil {
				c.change(&j)
			}
			v := visit(j.response(t))
			if c.visit != nil {
				c.visit(&v)
			}
			a, err := w.Admit(t.Context(), v)
			e := w.audit.last(t)
			if e.Event != audit.AssumeRole || e.Door != "saml" || e.From != v.From {
				t.Errorf("audit %+v", e)
			}
			if strings.Contains(w.audit.String(), v.Response) {
				t.Error("the audit log has the response")
			}
			if c.code != "" {
				refusal(t, err, c.code, c.message)
				if a != nil || e.Outcome != audit.Refused {
					t.Errorf("assumed %v, audit %+v", a, e)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			provider := "corp"
			if c.provider != "" {
				provider = c.provider
			}
			if want := "arn:aws:sts::" + account + ":assumed-role/" + c.role + "/jane"; a.ARN != want || a.Key.Principal.ARN != want || e.Role != want || e.Provider != provider {
				t.Errorf("assumed %s by %s, want %s by %s", a.ARN, e.Provider, want, provider)
			}
			if a.Key.ID != "" || a.Key.Secret != "" || a.Key.Token != "" {
				t.Error("a browser gets credentials")
			}
			if a.Session.Expires <= start.Unix() || a.Assertion.SessionName != "jane" {
				t.Errorf("session %+v", a.Session)
			}
		})
	}
}
