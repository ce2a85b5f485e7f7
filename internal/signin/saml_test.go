package signin

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/certtest"
	"ringdown/internal/fault"
	"ringdown/internal/federation"
	"ringdown/internal/iam"
	"ringdown/internal/identity/saml"
	"ringdown/internal/identity/saml/samltest"
)

// porter admits whom a test says; what it was asked is kept.
type porter struct {
	providers []*federation.Provider
	assumed   *federation.Assumed
	err       error
	visit     federation.Visit
}

func (p *porter) Providers(context.Context) ([]*federation.Provider, error) { return p.providers, nil }

func (p *porter) Admit(_ context.Context, v federation.Visit) (*federation.Assumed, error) {
	p.visit = v
	return p.assumed, p.err
}

// admitted is the session of a role.
func admitted(name string) *federation.Assumed {
	return &federation.Assumed{
		ARN: "arn:aws:sts::123456789012:assumed-role/Agents/" + name, ID: role + ":" + name,
		Session: iam.Session{Role: "Agents", Name: name, Provider: "arn:aws:iam::123456789012:saml-provider/corp"},
	}
}

// samlProvider is one whose metadata has, or has not, a place to send browsers
// to.
func samlProvider(t *testing.T, name string, redirects bool, instances ...string) *federation.Provider {
	t.Helper()
	idp := samltest.Provider{EntityID: "https://idp.example.org/" + name, Certificate: certtest.New(t, certtest.Options{}).Raw, Posts: !redirects}
	p, err := saml.ParseMetadata(idp.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	return &federation.Provider{ProviderConfig: federation.ProviderConfig{Name: name, Instances: instances}, SAML: p}
}

func TestSAML(t *testing.T) {
	w := newWorld(t)
	p := &porter{assumed: admitted("ana")}
	w.federation = p
	w.user(t, w.saml, "ana")
	for relay, want := range map[string]string{
		"":         "",
		"/ccp-v2/": "/ccp-v2/",
		"https://us-east-1.console.aws.amazon.com/connect/federate/" + string(w.saml.ID) + "?destination=%2Fccp-v2%2F": "/ccp-v2/",
		"https://us-east-1.console.aws.amazon.com/connect/federate/" + string(w.saml.ID):                               "",
		"https://us-east-1.console.aws.amazon.com/connect/federate/x?destination=https%3A%2F%2Fevil.example%2F":        "",
		"https://us-east-1.console.aws.amazon.com/connect/federate/x?destination=%2F%2Fevil.example":                   "",
		"//evil.example": "",
		"%zz://":         "",
		"anything":       "",
	} {
		o, err := w.SAML(t.Context(), w.saml, here, "response", relay)
		if err != nil || o.Destination != want {
			t.Fatalf("RelayState %q: %+v, %v; want %q", relay, o, err, want)
		}
		if s := w.wantSession(t, o.Token, true); s.Door != BySAML || s.User.Username != "ana" {
			t.Errorf("session %+v", s)
		}
		if p.visit.RequestID != "" || p.visit.Response != "response" || p.visit.Recipient != base+Root(w.saml)+"/saml" || p.visit.From != "192.0.2.1" {
			t.Errorf("visit %+v", p.visit)
		}
	}
	if got, want := p.visit.Permission(role+":ana"), w.saml.ARN+"/user/"+role+":ana"; got != want {
		t.Errorf("permission on %s, want %s", got, want)
	}
	e := w.wantLast(t, audit.SignIn, audit.OK, BySAML, "ana", "")
	if e.Principal != p.assumed.ARN || e.Provider != "corp" {
		t.Errorf("the audit log has %+v", e)
	}
	if u, _ := w.people.User(t.Context(), w.saml, "ana"); u.FederatedBy != role {
		t.Errorf("the user is bound to %q", u.FederatedBy)
	}
}

func TestWhoSAMLDoesNotLetIn(t *testing.T) {
	w := newWorld(t)
	w.user(t, w.saml, "ana", func(u *User) { u.FederatedBy = "AROAOTHER" })
	w.user(t, w.saml, "gone", func(u *User) { u.Inactive = true })
	p := &porter{}
	w.federation = p
	for _, c := range []struct {
		name           string
		assumed        *federation.Assumed
		err            error
		want           Reason
		logged, reason string
	}{
		{"bound to another", admitted("ana"), nil, BoundToOther, "ana", "bound to another"},
		{"unknown", admitted("nobody"), nil, NoSuchUser, "", "no such user"},
		{"deactivated", admitted("gone"), nil, NoSuchUser, "", "deactivated"},
		{"not valid", nil, &saml.Error{Text: "the signature is wrong"}, NotAccepted, "", "the signature is wrong"},
		{"no permission", nil, fault.New(fault.AccessDenied, "the role may not"), NotAccepted, "", "the role may not"},
		{"wrapped", nil, fmt.Errorf("admit: %w", fault.New(fault.InvalidParameter, "used before")), NotAccepted, "", "used before"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.assumed, p.err = c.assumed, c.err
			_, err := w.SAML(t.Context(), w.saml, here, "response", "")
			wantRefusal(t, err, c.want)
			w.wantLast(t, audit.SignIn, audit.Refused, BySAML, c.logged, c.reason)
		})
	}
	for _, internal := range []error{errors.New("disk full"), fault.New(fault.ServiceUnavailable, "The server is shutting down.")} {
		p.err = internal
		if _, err := w.SAML(t.Context(), w.saml, here, "response", ""); !errors.Is(err, internal) {
			t.Errorf("got %v, want %v", err, internal)
		}
	}
	for _, in := range []*Instance{w.managed, w.directory} {
		_, err := w.SAML(t.Context(), in, here, "response", "")
		wantRefusal(t, err, OtherDoor)
	}
}

func TestBeginSAML(t *testing.T) {
	w := newWorld(t)
	p := &porter{assumed: admitted("ana"), providers: []*federation.Provider{
		samlProvider(t, "corp", true), samlProvider(t, "elsewhere", true, "nowhere"), samlProvider(t, "here", true, "x", "CORP"), samlProvider(t, "posts", false),
	}}
	w.federation = p
	w.user(t, w.saml, "ana")
	ways, err := w.Ways(t.Context(), w.saml)
	if err != nil || len(ways) != 2 || ways[0] != (Way{BySAML, "corp", "corp"}) || ways[1].Name != "here" {
		t.Fatalf("ways %+v, %v", ways, err)
	}
	if len(p.providers) != 4 {
		t.Error("the providers of others have been changed")
	}
	for _, in := range []*Instance{w.managed, w.directory} {
		if ways, err := w.Ways(t.Context(), in); err != nil || len(ways) != 0 {
			t.Errorf("ways %+v, %v", ways, err)
		}
		_, err := w.Begin(t.Context(), in, ways0(p), "")
		wantRefusal(t, err, OtherDoor)
	}
	for _, w2 := range []Way{{BySAML, "elsewhere", ""}, {BySAML, "posts", ""}, {BySAML, "unknown", ""}, {ByPassword, "corp", ""}, {ByOIDC, "corp", ""}} {
		_, err := w.Begin(t.Context(), w.saml, w2, "")
		wantRefusal(t, err, OtherDoor)
	}
	begin := func(destination string) string {
		to, err := w.Begin(t.Context(), w.saml, ways[0], destination)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(to)
		if err != nil || u.Host != "idp.example.org" || u.Query().Get("SAMLRequest") == "" {
			t.Fatalf("sent to %s (%v)", to, err)
		}
		return u.Query().Get("RelayState")
	}
	relay := begin("/-/console/")
	if len(relay) > 80 {
		t.Errorf("RelayState has %d bytes, of at most 80", len(relay))
	}
	o, err := w.SAML(t.Context(), w.saml, here, "response", relay)
	if err != nil || o.Destination != "/-/console/" {
		t.Fatalf("opened %+v, %v", o, err)
	}
	if id := p.visit.RequestID; len(id) < 32 || id[0] != '_' || strings.Contains(relay, id[1:]) || id != w.requestID(w.saml, relay) {
		t.Errorf("the request is %q", id)
	}
	if a, b := w.requestID(w.saml, relay), w.requestID(w.saml, begin("/-/console/")); a == b {
		t.Error("two requests have one id")
	}
	if r := begin("//evil.example"); strings.Contains(r, "evil.example") {
		t.Errorf("RelayState is %s", r)
	}
	other := *w.saml
	other.ID = "another"
	for name, relay := range map[string]string{
		"destination": strings.Replace(relay, "/-/console/", "/-/other/", 1),
		"nonce":       relay[:2] + "x" + relay[3:],
		"end":         relay[:18] + "_" + relay[19:],
		"cut":         relay[:40],
		"no more":     asks,
		"instance":    w.relay(&other, newToken()[:16], w.clock.now().Add(time.Minute), ""),
	} {
		p.visit = federation.Visit{}
		_, err := w.SAML(t.Context(), w.saml, here, "response", relay)
		wantRefusal(t, err, NotAccepted)
		if p.visit.Response != "" {
			t.Errorf("%s: the response is looked at", name)
		}
	}
	w.clock.add(10 * time.Minute)
	_, err = w.SAML(t.Context(), w.saml, here, "response", relay)
	wantRefusal(t, err, NotAccepted)
}

func ways0(p *porter) Way { return Way{Door: BySAML, Name: p.providers[0].Name} }
