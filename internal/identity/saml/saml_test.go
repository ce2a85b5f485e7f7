package saml_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"ringdown/internal/identity/saml"
)

func want() *saml.Assertion {
	return &saml.Assertion{
		ID: "_a", Issuer: idp,
		Subject: "u-1@example.com", SubjectType: "persistent",
		Audience: audience, Recipient: acs,
		Roles:               []saml.RoleChoice{{Role: "arn:aws:iam::123456789012:role/agents", Provider: "arn:aws:iam::123456789012:saml-provider/example"}},
		SessionName:         "jane",
		SessionNotOnOrAfter: now.Add(8 * time.Hour),
		Attributes: map[string][]string{
			"https://aws.amazon.com/SAML/Attributes/Role":            {"arn:aws:iam::123456789012:role/agents,arn:aws:iam::123456789012:saml-provider/example"},
			"https://aws.amazon.com/SAML/Attributes/RoleSessionName": {"jane"},
		},
		Expires: now.Add(-time.Second + saml.MaxAge),
	}
}

func TestAccepted(t *testing.T) {
	elliptic := func(o *signing) { o.method, o.value = ecdsaSHA256, twoNumbers }
	cases := map[string]struct {
		xml string
		by  []*signer
	}{
		"the assertion is signed":       {signed(), []*signer{theSigner()}},
		"the response is signed":        {sign(envelope(assertion()), "/Response", theSigner()), []*signer{theSigner()}},
		"both are signed":               {sign(signed(), "/Response", theSigner()), []*signer{theSigner()}},
		"by the second of two keys":     {signed(), []*signer{theNext(), theSigner()}},
		"by one key each":               {sign(signed(), "/Response", theNext()), []*signer{theNext(), theSigner()}},
		"by an elliptic curve":          {sign(envelope(assertion()), "//Assertion", theElliptic(), elliptic), []*signer{theSigner(), theElliptic()}},
		"a digest by SHA-512":           {sign(envelope(assertion()), "//Assertion", theSigner(), func(o *signing) { o.digest = "http://www.w3.org/2001/04/xmlenc#sha512" }), []*signer{theSigner()}},
		"KeyInfo is not read":           {sign(envelope(assertion()), "//Assertion", theSigner(), func(o *signing) { o.keyInfo = "<ds:KeyInfo><ds:KeyName>other</ds:KeyName></ds:KeyInfo>" }), []*signer{theSigner()}},
		"an XML declaration":            {`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + signed() + "\n", []*signer{theSigner()}},
		"extensions around":             {replace(signed(), "<samlp:Status>", "<samlp:Extensions><x/></samlp:Extensions><samlp:Status>"), []*signer{theSigner()}},
		"another prefix for the digest": {signedByPrefixList(), []*signer{theSigner()}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := provider(t, c.by...).Validate([]byte(c.xml), expect())
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want()) {
				t.Errorf("got %+v\nwant %+v", got, want())
			}
		})
	}
}

// signedByPrefixList has xs only in the types of values, where exclusive
// canonicalization sees it by the PrefixList alone, and declared above the
// assertion: so OpenSAML writes.
func signedByPrefixList() string {
	const xs = ` xmlns:xs="http://www.w3.org/2001/XMLSchema"`
	xml := replace(envelope(replace(assertion(), xs, "")), "<samlp:Response", "<samlp:Response"+xs)
	return sign(xml, "//Assertion", theSigner(), func(o *signing) {
		o.prefixes = "xs"
		o.transforms = transform(enveloped) + `<ds:Transform Algorithm="` + excC14N + `"><ec:InclusiveNamespaces xmlns:ec="` + excC14N + `" PrefixList="xs"></ec:InclusiveNamespaces></ds:Transform>`
	})
}

// TestClocks has each limit on both of its sides.
func TestClocks(t *testing.T) {
	p := provider(t, theSigner())
	for _, c := range []struct {
		name, old string
		by        time.Duration
		ok        bool
		expires   time.Duration // from now
	}{
		{"as old as can be", `IssueInstant="` + at(-time.Second), -saml.MaxAge + time.Second, true, time.Second},
		{"too old", `IssueInstant="` + at(-time.Second), -saml.MaxAge, false, 0},
		{"the provider's clock is fast", `IssueInstant="` + at(-time.Second), saml.Skew, true, 4*time.Minute + saml.Skew},
		{"is too fast", `IssueInstant="` + at(-time.Second), saml.Skew + time.Second, false, 0},
		{"valid soon", `NotBefore="` + at(-time.Minute), saml.Skew, true, saml.MaxAge - time.Second},
		{"valid later", `NotBefore="` + at(-time.Minute), saml.Skew + time.Second, false, 0},
		{"just valid", `NotOnOrAfter="` + at(time.Hour), -saml.Skew + time.Second, true, time.Second},
		{"just not valid", `NotOnOrAfter="` + at(time.Hour), -saml.Skew, false, 0},
		{"just confirmed", `NotOnOrAfter="` + at(4*time.Minute), -saml.Skew + time.Second, true, time.Second},
		{"just not confirmed", `NotOnOrAfter="` + at(4*time.Minute), -saml.Skew, false, 0},
		{"a last second of the session", `SessionNotOnOrAfter="` + at(8*time.Hour), time.Second, true, saml.MaxAge - time.Second},
		{"the session is over", `SessionNotOnOrAfter="` + at(8*time.Hour), 0, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			name, _, _ := strings.Cut(c.old, `"`)
			xml := signedWith(c.old, name+`"`+at(c.by))
			got, err := p.Validate([]byte(xml), expect())
			if !c.ok {
				refused(t, got, err, saml.Expired, "")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if want := now.Add(c.expires); !got.Expires.Equal(want) {
				t.Errorf("it expires %v from now, want %v", got.Expires.Sub(now), c.expires)
			}
			// Expires is when it is refused, and not earlier.
			e := expect()
			e.Now = got.Expires
			again, err := p.Validate([]byte(xml), e)
			if again != nil || err == nil {
				t.Error("it is accepted when it has expired")
			}
		})
	}
}

func TestRequests(t *testing.T) {
	answer := func(id string) string {
		return replace(signedWith(`Recipient="`, `InResponseTo="`+id+`" Recipient="`), `ID="_r"`, `ID="_r" InResponseTo="`+id+`"`)
	}
	p := provider(t, theSigner())
	for _, c := range []struct {
		name, xml, request string
		any, ok            bool
	}{
		{"asked and answered", answer(asked), asked, false, true},
		{"asked, and only the confirmation answers", signedWith(`Recipient="`, `InResponseTo="`+asked+`" Recipient="`), asked, false, true},
		{"asked, and another answered", answer("id-x"), asked, false, false},
		{"asked, and an empty answer", answer(""), asked, false, false},
		{"asked, and none answered", signed(), asked, false, false},
		{"not asked, and none answered", signed(), "", false, true},
		{"not asked, but answered", answer(asked), "", false, false},
		{"not asked, and an empty answer", answer(""), "", false, false},
		{"asked by others", answer(asked), "", true, true},
		{"not asked by others", signed(), "", true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := expect()
			e.RequestID, e.Any = c.request, c.any
			if _, err := p.Validate([]byte(c.xml), e); (err == nil) != c.ok {
				t.Errorf("err = %v", err)
			}
		})
	}
}

// attributes are put at the end of the statement.
func attributes(xml string) string {
	return signedWith("</saml:AttributeStatement>", xml+"</saml:AttributeStatement>")
}

func attr(name string, values ...string) string {
	s := `<saml:Attribute Name="` + name + `">`
	for _, v := range values {
		s += "<saml:AttributeValue>" + v + "</saml:AttributeValue>"
	}
	return s + "</saml:Attribute>"
}

func TestAttributes(t *testing.T) {
	const aws = "https://aws.amazon.com/SAML/Attributes/"
	got, err := provider(t, theSigner()).Validate([]byte(attributes(
		attr(aws+"Role", "\n arn:aws:iam::123456789012:saml-provider/b , arn:aws:iam::123456789012:role/path/other \n")+
			attr(aws+"SessionDuration", "43200")+
			attr(aws+"SourceIdentity", "jane.doe")+
			attr(aws+"PrincipalTag:Team", "a &amp; b")+
			attr(aws+"PrincipalTag:Empty", "")+
			attr(aws+"TransitiveTagKeys", "Team", "Empty")+
			attr("groups", "x", "y")+attr("groups", "z")+
			attr("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", "<saml:NameID>t</saml:NameID>"))), expect())
	if err != nil {
		t.Fatal(err)
	}
	w := want()
	w.Roles = append(w.Roles, saml.RoleChoice{Role: "arn:aws:iam::123456789012:role/path/other", Provider: "arn:aws:iam::123456789012:saml-provider/b"})
	w.SessionDuration = 12 * time.Hour
	w.SourceIdentity = "jane.doe"
	w.Tags = map[string]string{"Team": "a & b", "Empty": ""}
	w.TransitiveTagKeys = []string{"Team", "Empty"}
	w.Attributes = got.Attributes
	if !reflect.DeepEqual(got, w) {
		t.Errorf("got %+v\nwant %+v", got, w)
	}
	if g := got.Attributes["groups"]; !reflect.DeepEqual(g, []string{"x", "y", "z"}) {
		t.Errorf("groups are %q", g)
	}
}

func TestSubjectType(t *testing.T) {
	p := provider(t, theSigner())
	const old = ` Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"`
	for format, want := range map[string]string{
		"": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
		` Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient"`: "transient",
		old: "persistent",
		` Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"`: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
	} {
		got, err := p.Validate([]byte(signedWith(old, format)), expect())
		if err != nil {
			t.Fatal(err)
		}
		if got.SubjectType != want {
			t.Errorf("of %q: %q, want %q", format, got.SubjectType, want)
		}
	}
}

func TestIssuer(t *testing.T) {
	for name, c := range map[string]struct{ xml, want string }{
		"of the assertion": {replace(signed(), idp, "https://other.example.com"), idp},
		"of the response":  {envelope(), idp},
		"not a response":   {assertion(), ""},
		"not XML":          {"<", ""},
		"too long":         {signed() + strings.Repeat(" ", saml.MaxResponse), ""},
		"with a DTD":       {"<!DOCTYPE x>" + signed(), ""},
	} {
		if got := saml.Issuer([]byte(c.xml)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	p, xml := provider(b, theSigner()), []byte(signed())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Validate(xml, expect()); err != nil {
			b.Fatal(err)
		}
	}
}
