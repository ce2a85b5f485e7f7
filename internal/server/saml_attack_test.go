package server_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/beevik/etree"
	crewjam "github.com/crewjam/saml"

	"ringdown/internal/audit"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

// tree reads a response, has it changed, and writes it again.
func tree(t *testing.T, xml string, change func(response, assertion *etree.Element)) string {
	t.Helper()
	doc := etree.NewDocument()
	servertest.OK(t, doc.ReadFromString(xml))
	change(doc.Root(), doc.Root().FindElement("./Assertion"))
	out, err := doc.WriteToString()
	servertest.OK(t, err)
	return out
}

// unsign takes the signature out of an element and returns it.
func unsign(el *etree.Element) *etree.Element {
	sig := el.FindElement("./Signature")
	el.RemoveChild(sig)
	return sig
}

// usurper is a copy of an assertion, without its signature, that says that its
// user is ours.
func usurper(assertion *etree.Element) *etree.Element {
	c := assertion.Copy()
	unsign(c)
	for _, v := range c.FindElements(".//AttributeValue") {
		if v.Text() == "mallory" {
			v.SetText(samlUser)
		}
	}
	c.CreateAttr("ID", "id-usurper")
	return c
}

// attacks are responses that must not be accepted from anybody.
func (s *samlSite) attacks(t *testing.T) map[string]struct {
	xml  string
	code fault.Code // of STS
} {
	type attack = struct {
		xml  string
		code fault.Code
	}
	forger, err := forgerKey()
	servertest.OK(t, err)
	made := func(change func(a *crewjam.Assertion)) string {
		return s.idp.response(t, s.service, samlUser, nil, change)
	}
	mallory := func() string { return s.idp.response(t, s.service, "mallory", nil, nil) }
	good := made(nil)
	swap := func(xml, old, by string) string {
		if !strings.Contains(xml, old) {
			t.Fatalf("there is no %q in %s", old, xml)
		}
		return strings.Replace(xml, old, by, 1)
	}
	all := map[string]attack{
		"forged": {s.idp.response(t, s.service, samlUser, forger, nil), fault.InvalidIdentityToken},
		"unsigned": {tree(t, good, func(r, a *etree.Element) {
			unsign(r)
			unsign(a)
		}), fault.InvalidIdentityToken},
		"one signature taken": {tree(t, good, func(_, a *etree.Element) { unsign(a) }), fault.InvalidIdentityToken},
		"changed":             {swap(mallory(), ">mallory<", ">"+samlUser+"<"), fault.InvalidIdentityToken},
		"expired": {made(func(a *crewjam.Assertion) {
			a.Conditions.NotOnOrAfter = time.Now().Add(-10 * time.Minute)
		}), fault.ExpiredToken},
		"confirmation expired": {made(func(a *crewjam.Assertion) {
			a.Subject.SubjectConfirmations[0].SubjectConfirmationData.NotOnOrAfter = time.Now().Add(-10 * time.Minute)
		}), fault.ExpiredToken},
		"old": {made(func(a *crewjam.Assertion) { a.IssueInstant = time.Now().Add(-6 * time.Minute) }), fault.ExpiredToken},
		"not yet valid": {made(func(a *crewjam.Assertion) {
			a.Conditions.NotBefore, a.Conditions.NotOnOrAfter = time.Now().Add(10*time.Minute), time.Now().Add(time.Hour)
		}), fault.ExpiredToken},
		"for another audience": {made(func(a *crewjam.Assertion) {
			a.Conditions.AudienceRestrictions[0].Audience.Value = "https://other.example.com"
		}), fault.InvalidIdentityToken},
		"for no audience": {made(func(a *crewjam.Assertion) { a.Conditions.AudienceRestrictions = nil }), fault.InvalidIdentityToken},
		"for another recipient": {made(func(a *crewjam.Assertion) {
			a.Subject.SubjectConfirmations[0].SubjectConfirmationData.Recipient = "https://other.example.com/-/login/x/saml"
		}), fault.InvalidIdentityToken},
		"of another issuer":   {made(func(a *crewjam.Assertion) { a.Issuer.Value = "https://other.example.com" }), fault.InvalidIdentityToken},
		"comment in the name": {swap(s.idp.response(t, s.service, samlUser+".evil.org", nil, nil), ">"+samlUser+".evil.org<", ">"+samlUser+"<!---->.evil.org<"), fault.InvalidIdentityToken},
		"external entity":     {"<!DOCTYPE r [<!ENTITY e SYSTEM \"file:///etc/hostname\">]>" + swap(good, ">"+samlUser+"<", ">&e;<"), fault.InvalidIdentityToken},
		"refused by the provider": {tree(t, good, func(r, _ *etree.Element) {
			r.FindElement("./Status/StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
		}), fault.IDPRejectedClaim},
		"not XML":   {"SAMLResponse", fault.InvalidIdentityToken},
		"a million": {strings.Repeat("<a>", 20_000), fault.InvalidIdentityToken},
		"wrapped around a signed response": {tree(t, mallory(), func(r, a *etree.Element) {
			original := r.Copy()
			unsign(original)
			sig := unsign(r)
			sig.AddChild(original)
			r.RemoveChild(a)
			r.AddChild(sig)
			r.AddChild(usurper(a))
			r.CreateAttr("ID", "id-evil")
		}), fault.InvalidIdentityToken},
		"wrapped before a signed assertion": {tree(t, mallory(), func(r, a *etree.Element) {
			unsign(r)
			r.InsertChildAt(a.Index(), usurper(a))
		}), fault.InvalidIdentityToken},
		"wrapped around a signed assertion": {tree(t, mallory(), func(r, a *etree.Element) {
			unsign(r)
			evil := usurper(a)
			r.RemoveChild(a)
			evil.AddChild(a)
			r.AddChild(evil)
		}), fault.InvalidIdentityToken},
		"wrapped with the signature of another": {tree(t, mallory(), func(r, a *etree.Element) {
			unsign(r)
			evil := usurper(a)
			evil.InsertChildAt(1, unsign(a))
			r.InsertChildAt(a.Index(), evil)
		}), fault.InvalidIdentityToken},
		"wrapped in Extensions": {tree(t, mallory(), func(r, a *etree.Element) {
			unsign(r)
			r.CreateElement("samlp:Extensions").AddChild(usurper(a))
		}), fault.InvalidIdentityToken},
		"wrapped in an Object": {tree(t, mallory(), func(r, a *etree.Element) {
			unsign(r)
			evil := usurper(a)
			sig := unsign(a)
			r.RemoveChild(a)
			sig.CreateElement("ds:Object").AddChild(a)
			evil.InsertChildAt(1, sig)
			r.AddChild(evil)
		}), fault.InvalidIdentityToken},
	}
	return all
}

// TestSAMLAttacks has each attack posted to the sign-in page, as browsers do, and
// given to STS, as tools do.
func TestSAMLAttacks(t *testing.T) {
	s := newSAMLSite(t)
	acs := s.login + "/saml"
	// send posts a response; vouched says that it is in order, and only its user
	// is not.
	send := func(t *testing.T, xml, relay string, vouched ...bool) {
		t.Helper()
		before := len(s.audit(0))
		browser := s.browse()
		page, status := post(t, browser, acs, url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(xml))}, "RelayState": {relay}})
		if status != http.StatusForbidden || s.signedIn(browser) {
			t.Errorf("the sign-in page answers %d: %s", status, page)
		}
		s.refusedInAudit(t, before, audit.SignIn, vouched...)
	}
	for name, a := range s.attacks(t) {
		t.Run(name, func(t *testing.T) {
			send(t, a.xml, "")
			before := len(s.audit(0))
			out, err := s.assume(a.xml)
			servertest.Fails(t, err, a.code)
			if out != nil && out.Credentials != nil {
				t.Error("there are credentials")
			}
			s.refusedInAudit(t, before, audit.AssumeRole)
		})
	}

	t.Run("an answer to nothing that was asked", func(t *testing.T) {
		answer := s.idp.response(t, s.service, samlUser, nil, func(a *crewjam.Assertion) {
			a.Subject.SubjectConfirmations[0].SubjectConfirmationData.InResponseTo = "id-1"
		})
		send(t, answer, "")
	})
	t.Run("an answer to another question", func(t *testing.T) {
		first, second := s.browse(), s.browse()
		_, one := s.signInAt(first, get(t, first, s.login))
		_, two := s.signInAt(second, get(t, second, s.login))
		raw, err := base64.StdEncoding.DecodeString(one.Get("SAMLResponse"))
		servertest.OK(t, err)
		send(t, string(raw), two.Get("RelayState"))
		send(t, string(raw), "")
		send(t, string(raw), "r."+strings.Repeat("A", 60))
		send(t, s.idp.response(t, s.service, samlUser, nil, nil), one.Get("RelayState"))
	})
	t.Run("of a provider that nobody knows", func(t *testing.T) {
		other := startIdentityProvider(t)
		other.role, other.arn = s.idp.role, s.idp.arn
		send(t, other.response(t, s.service, samlUser, nil, nil), "")
	})
	t.Run("at another instance", func(t *testing.T) {
		id := s.newInstance("other-centre", "SAML")
		browser := s.browse()
		_, status := post(t, browser, s.URL+"/-/login/"+id+"/saml", url.Values{
			"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(s.idp.response(t, s.service, samlUser, nil, nil)))},
		})
		if status != http.StatusForbidden {
			t.Errorf("the sign-in page answers %d", status)
		}
	})
	t.Run("of somebody who is no user", func(t *testing.T) {
		send(t, s.idp.response(t, s.service, "mallory", nil, nil), "", true)
	})
	t.Run("of a role that does not trust the provider", func(t *testing.T) {
		idp := *s.idp
		idp.role = "arn:aws:iam::" + servertest.Account + ":role/service"
		xml := idp.response(t, s.service, samlUser, nil, nil)
		send(t, xml, "")
		before := len(s.audit(0))
		_, err := s.sts("", "", "").AssumeRoleWithSAML(t.Context(), &sts.AssumeRoleWithSAMLInput{
			RoleArn: &idp.role, PrincipalArn: &idp.arn, SAMLAssertion: aws.String(base64.StdEncoding.EncodeToString([]byte(xml))),
		})
		servertest.Fails(t, err, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithSAML")
		s.refusedInAudit(t, before, audit.AssumeRole)
	})

	// After all of that the user belongs to nobody.
	if _, err := s.federateService(samlUser); err != nil {
		t.Errorf("somebody has taken the user: %v", err)
	}
	t.Run("a user who belongs to somebody else", func(t *testing.T) {
		send(t, s.idp.response(t, s.service, samlUser, nil, nil), "", true)
	})
}

// TestSAMLReplay: an assertion is worth one session, or the credentials of a role
// once.
func TestSAMLReplay(t *testing.T) {
	s := newSAMLSite(t)
	page := func(xml string) int {
		_, status := post(t, s.browse(), s.login+"/saml", url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString([]byte(xml))}})
		return status
	}
	role := func(xml string) error {
		_, err := s.assume(xml)
		return err
	}
	one := s.idp.response(t, s.service, samlUser, nil, nil)
	if status := page(one); status != http.StatusOK {
		t.Fatalf("the sign-in page answers %d", status)
	}
	if status := page(one); status != http.StatusForbidden {
		t.Errorf("the second time the sign-in page answers %d", status)
	}
	servertest.Fails(t, role(one), fault.InvalidIdentityToken, "used before")
	// In other clothes it is the same assertion.
	servertest.Fails(t, role(one+"\n"), fault.InvalidIdentityToken, "used before")
	servertest.Fails(t, role(tree(t, one, func(r, _ *etree.Element) { unsign(r) })), fault.InvalidIdentityToken, "used before")

	two := s.idp.response(t, s.service, samlUser, nil, nil)
	servertest.OK(t, role(two))
	before := len(s.audit(0))
	servertest.Fails(t, role(two), fault.InvalidIdentityToken, "used before")
	s.refusedInAudit(t, before, audit.AssumeRole)
	if status := page(two); status != http.StatusForbidden {
		t.Errorf("the sign-in page answers %d to what STS has seen", status)
	}
}

// refusedInAudit wants a refusal, and nothing but refusals, in the audit log; but
// a role may be assumed before a user who was vouched for is refused.
func (s *samlSite) refusedInAudit(t *testing.T, from int, event audit.Name, vouched ...bool) {
	t.Helper()
	found := false
	for _, e := range s.audit(from) {
		if e.Outcome != audit.Refused && (len(vouched) == 0 || e.Event != audit.AssumeRole) {
			t.Errorf("the audit log has %+v", e)
		}
		found = found || e.Event == event && e.Reason != ""
	}
	if !found {
		t.Errorf("the audit log does not tell of it: %+v", s.audit(from))
	}
}
