package saml_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"

	"ringdown/internal/identity/saml"
)

// signedWith is a response whose assertion was changed before it was signed.
func signedWith(old, by string) string {
	return sign(envelope(replace(assertion(), old, by)), "//Assertion", theSigner())
}

// strip removes the signature of the element at path.
func strip(xml, path string) string {
	doc := read(xml)
	el := doc.FindElement(path)
	el.RemoveChild(el.FindElement("./Signature"))
	return write(doc)
}

func read(xml string) *etree.Document {
	doc := etree.NewDocument()
	if err := doc.ReadFromString(xml); err != nil {
		panic(err)
	}
	return doc
}

func write(doc *etree.Document) string {
	s, err := doc.WriteToString()
	if err != nil {
		panic(err)
	}
	return s
}

// evil makes an element say that its user is another.
func evil(el *etree.Element, id string) {
	if sig := el.FindElement("./Signature"); sig != nil {
		el.RemoveChild(sig)
	}
	el.FindElement(".//NameID").SetText("admin@example.com")
	for _, v := range el.FindElements(".//AttributeValue") {
		if v.Text() == "jane" {
			v.SetText("admin")
		}
	}
	el.CreateAttr("ID", id)
}

// wrapped are the eight ways to show a reader something else than what was
// signed (Somorovsky et al., "On Breaking SAML: Be Whoever You Want to Be", in
// the numbering that testers use), with ids of the evil element that do and do
// not clash.
func wrapped(id string) map[string]string {
	all := map[string]string{}
	ofResponse := func(name string, put func(outer, sig, original *etree.Element)) {
		doc := read(sign(envelope(assertion()), "/Response", theSigner()))
		outer := doc.Root()
		original := outer.Copy()
		sig := outer.FindElement("./Signature")
		original.RemoveChild(original.FindElement("./Signature"))
		outer.RemoveChild(sig)
		evilID := id
		if evilID == "" {
			evilID = "_r"
		}
		evil(outer, evilID)
		put(outer, sig, original)
		all[name] = write(doc)
	}
	ofResponse("XSW1 the signed response inside its signature", func(outer, sig, original *etree.Element) {
		outer.InsertChildAt(1, sig)
		sig.AddChild(original)
	})
	ofResponse("XSW2 the signed response before its signature", func(outer, sig, original *etree.Element) {
		outer.InsertChildAt(1, original)
		outer.InsertChildAt(2, sig)
	})
	ofAssertion := func(name string, put func(response, original, sig, wrong *etree.Element)) {
		doc := read(signed())
		response := doc.Root()
		original := response.FindElement("./Assertion")
		wrong := original.Copy()
		evilID := id
		if evilID == "" {
			evilID = "_a"
		}
		evil(wrong, evilID)
		put(response, original, original.FindElement("./Signature"), wrong)
		all[name] = write(doc)
	}
	ofAssertion("XSW3 an evil assertion before the signed one", func(response, original, _, wrong *etree.Element) {
		response.InsertChildAt(original.Index(), wrong)
	})
	ofAssertion("XSW4 the signed assertion inside the evil one", func(response, original, _, wrong *etree.Element) {
		response.RemoveChild(original)
		wrong.AddChild(original)
		response.AddChild(wrong)
	})
	ofAssertion("XSW5 the signature in the evil assertion, the signed one behind it", func(response, original, sig, wrong *etree.Element) {
		original.RemoveChild(sig)
		wrong.InsertChildAt(2, sig)
		response.InsertChildAt(original.Index(), wrong)
	})
	ofAssertion("XSW6 the signed assertion inside the signature of the evil one", func(response, original, sig, wrong *etree.Element) {
		original.RemoveChild(sig)
		wrong.InsertChildAt(2, sig)
		response.RemoveChild(original)
		sig.AddChild(original)
		response.AddChild(wrong)
	})
	ofAssertion("XSW7 the evil assertion in Extensions", func(response, _, _, wrong *etree.Element) {
		ext := etree.NewElement("samlp:Extensions")
		ext.AddChild(wrong)
		response.InsertChildAt(1, ext)
	})
	ofAssertion("XSW8 the signed assertion in an Object of the signature", func(response, original, sig, wrong *etree.Element) {
		original.RemoveChild(sig)
		wrong.InsertChildAt(2, sig)
		response.RemoveChild(original)
		sig.CreateElement("ds:Object").AddChild(original)
		response.AddChild(wrong)
	})
	return all
}

func TestWrapped(t *testing.T) {
	p := provider(t, theSigner())
	for _, id := range []string{"_evil", ""} {
		cases := wrapped(id)
		if len(cases) != 8 {
			t.Fatalf("there are %d cases", len(cases))
		}
		for name, xml := range cases {
			t.Run(fmt.Sprintf("%s, clash %t", name, id == ""), func(t *testing.T) {
				got, err := p.Validate([]byte(xml), expect())
				refused(t, got, err, saml.Invalid, "the response is refused")
			})
		}
	}
}

func refused(t *testing.T, got *saml.Assertion, err error, kind saml.Kind, text string) {
	t.Helper()
	var refusal *saml.Error
	switch {
	case got != nil:
		t.Fatalf("accepted, for %s", got.Subject)
	case !errors.As(err, &refusal):
		t.Fatalf("the error is %T: %v", err, err)
	case refusal.Kind != kind || !strings.Contains(refusal.Text, text):
		t.Errorf("refused with %d %q, want %d %q", refusal.Kind, refusal.Text, kind, text)
	}
}

// prefixes are declarations of namespaces.
func prefixes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` xmlns:n%d="urn:n"`, i)
	}
	return b.String()
}

func TestRefused(t *testing.T) {
	const (
		head = `<?xml version="1.0"?>`
		data = `Recipient="` + acs + `"`
	)
	otherKey := func(o *signing) {
		// A forger brings the certificate along.
		o.keyInfo = `<ds:KeyInfo><ds:X509Data><ds:X509Certificate>x</ds:X509Certificate></ds:X509Data></ds:KeyInfo>`
	}
	with := func(how func(*signing)) string { return sign(envelope(assertion()), "//Assertion", theSigner(), how) }
	uri := func(u string) func(*signing) { return func(o *signing) { o.uri = &u } }
	bothSigned := sign(signed(), "/Response", theSigner())
	cases := []struct {
		name string
		xml  string
		kind saml.Kind
		text string
		edit func(*saml.Expect)
	}{
		// The signature.
		{"forged", sign(envelope(assertion()), "//Assertion", theForger(), otherKey), saml.Invalid, "none of the keys", nil},
		{"response forged around a signed assertion", sign(signed(), "/Response", theForger()), saml.Invalid, "none of the keys", nil},
		{"unsigned", envelope(assertion()), saml.Invalid, "neither the Response nor the Assertion is signed", nil},
		{"signature taken from the assertion inside a signed response", strip(bothSigned, "//Assertion"), saml.Invalid, "Response is not as it was signed", nil},
		{"all signatures taken", strip(strip(bothSigned, "//Assertion"), "/Response"), saml.Invalid, "is signed", nil},
		{"changed after signing", replace(signed(), ">jane<", ">admin<"), saml.Invalid, "Assertion is not as it was signed", nil},
		{"role added after signing", replace(signed(), "<saml:AuthnStatement", "<saml:AuthnStatement/><saml:AuthnStatement"), saml.Invalid, "not as it was signed", nil},
		{"signed value changed", replace(signed(), "<ds:DigestValue>", "<ds:DigestValue>AAAA"), saml.Invalid, "none of the keys", nil},
		{"signature value empty", with(func(o *signing) { o.value = func(*signer, []byte) []byte { return nil } }), saml.Invalid, "none of the keys", nil},
		{"SHA-1 signature", with(func(o *signing) {
			o.method, o.value = "http://www.w3.org/2000/09/xmldsig#rsa-sha1", pkcs1SHA1
		}), saml.Invalid, "rsa-sha1\" is not accepted", nil},
		{"SHA-1 digest", with(func(o *signing) { o.digest = "http://www.w3.org/2000/09/xmldsig#sha1" }), saml.Invalid, "sha1\" is not accepted", nil},
		{"HMAC with the certificate as its key", with(func(o *signing) {
			o.method, o.value = "http://www.w3.org/2000/09/xmldsig#hmac-sha1", byPublicKey
		}), saml.Invalid, "hmac-sha1\" is not accepted", nil},
		{"RSA value called ECDSA", with(func(o *signing) { o.method = ecdsaSHA256 }), saml.Invalid, "none of the keys", nil},
		{"another hash than was signed", with(func(o *signing) { o.method = strings.Replace(rsaSHA256, "256", "512", 1) }), saml.Invalid, "none of the keys", nil},
		{"empty reference", with(uri("")), saml.Invalid, "refers to something else", nil},
		{"reference without an id", with(uri("#")), saml.Invalid, "refers to something else", nil},
		{"reference to another element", with(uri("#_r")), saml.Invalid, "refers to something else", nil},
		{"reference to the outside", with(uri("https://evil.example.com/_a")), saml.Invalid, "refers to something else", nil},
		{"reference by XPointer", with(uri("#xpointer(id('_a'))")), saml.Invalid, "refers to something else", nil},
		{"no transforms", with(func(o *signing) { o.transforms = "" }), saml.Invalid, "transforms", nil},
		{"only enveloped", with(func(o *signing) { o.transforms = transform(enveloped) }), saml.Invalid, "transforms", nil},
		{"XSLT", with(func(o *signing) {
			o.transforms = transform(enveloped) + transform("http://www.w3.org/TR/1999/REC-xslt-19991116")
		}), saml.Invalid, "xslt", nil},
		{"XPath", with(func(o *signing) {
			o.transforms = transform("http://www.w3.org/TR/1999/REC-xpath-19991116") + transform(excC14N)
		}), saml.Invalid, "first transform", nil},
		{"three transforms", with(func(o *signing) { o.transforms += transform(excC14N) }), saml.Invalid, "transforms", nil},
		{"inclusive canonicalization", with(func(o *signing) { o.c14n = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315" }), saml.Invalid, "only exclusive canonicalization", nil},
		{"an Object in the signature", replace(signed(), "</ds:SignatureValue>", "</ds:SignatureValue><ds:Object/>"), saml.Invalid, "an element \"Object\"", nil},
		{"two SignedInfo", replace(signed(), "<ds:SignedInfo>", "<ds:SignedInfo/><ds:SignedInfo>"), saml.Invalid, "several elements SignedInfo", nil},
		{"two references", replace(signed(), "<ds:Reference ", "<ds:Reference/><ds:Reference "), saml.Invalid, "none of the keys", nil},
		{"signature further down", replace(signed(), "</saml:AttributeStatement>", "<ds:Signature xmlns:ds='http://www.w3.org/2000/09/xmldsig#'/></saml:AttributeStatement>"), saml.Invalid, "another Signature", nil},

		// The document.
		{"two assertions", sign(sign(envelope(assertion(), replace(assertion(), `"_a"`, `"_b"`)), "//Assertion[@ID='_a']", theSigner()), "//Assertion[@ID='_b']", theSigner()), saml.Invalid, "several elements Assertion", nil},
		{"two assertions in a signed response", sign(envelope(assertion(), replace(assertion(), `"_a"`, `"_b"`)), "/Response", theSigner()), saml.Invalid, "several elements Assertion", nil},
		{"no assertion", sign(envelope(), "/Response", theSigner()), saml.Invalid, "no element Assertion", nil},
		{"an assertion alone", sign(assertion(), "/Assertion", theSigner()), saml.Invalid, "not a Response", nil},
		{"an assertion as evidence", sign(envelope(replace(assertion(), "<saml:AuthnStatement", "<saml:Advice>"+replace(assertion(), `"_a"`, `"_b"`)+"</saml:Advice><saml:AuthnStatement")), "/Response/Assertion", theSigner()), saml.Invalid, "another Assertion", nil},
		{"encrypted", envelope("<saml:EncryptedAssertion/>"), saml.Invalid, "encrypted", nil},
		{"comment in a name", replace(signed(), ">jane<", ">ja<!-- -->ne<"), saml.Invalid, "comment", nil},
		{"comment in the NameID", replace(signed(), "u-1@example.com<", "u-1@example.com<!---->.evil.example<"), saml.Invalid, "comment", nil},
		{"comment that was signed", sign(envelope(replace(assertion(), "u-1@example.com<", "u-1@example.com<!---->.evil.example<")), "//Assertion", theSigner()), saml.Invalid, "comment", nil},
		{"comment at the end", signed() + "<!-- -->", saml.Invalid, "comment", nil},
		{"processing instruction in a name", replace(signed(), ">jane<", ">ja<?x y?>ne<"), saml.Invalid, "processing instruction", nil},
		{"CDATA that changes a name", replace(signed(), ">jane<", "><![CDATA[admin]]><"), saml.Invalid, "not as it was signed", nil},
		{"DTD", head + `<!DOCTYPE x>` + signed(), saml.Invalid, "refused", nil},
		{"external entity", head + `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>` + replace(signed(), ">jane<", ">&e;<"), saml.Invalid, "refused", nil},
		{"entities of entities", head + `<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>` + replace(signed(), ">jane<", ">&b;<"), saml.Invalid, "refused", nil},
		{"entity that nobody has declared", replace(signed(), ">jane<", ">&jane;<"), saml.Invalid, "refused", nil},
		{"attribute twice", replace(signed(), `ID="_a"`, `ID="_x" ID="_a"`), saml.Invalid, "an attribute twice", nil},
		{"id twice", replace(signed(), `<saml:AuthnStatement`, `<saml:AuthnStatement ID="_r"`), saml.Invalid, "an ID occurs twice", nil},
		{"id twice by another name", replace(signed(), `<saml:AuthnStatement`, `<saml:AuthnStatement xml:id="_a"`), saml.Invalid, "an ID occurs twice", nil},
		{"namespaces that mean two things", replace(signed(), "<samlp:Response", "<samlp:Response :x='y'"), saml.Invalid, "whose name is none", nil},
		{"an element that means two things", replace(signed(), "<samlp:Status>", "<samlp:Extensions><:a/></samlp:Extensions><samlp:Status>"), saml.Invalid, "refused", nil},
		{"two documents", signed() + signed(), saml.Invalid, "several root elements", nil},
		{"text behind", signed() + "x", saml.Invalid, "refused", nil},
		{"not XML", "SAMLResponse", saml.Invalid, "refused", nil},
		{"empty", "", saml.Invalid, "it is empty", nil},
		{"UTF-16", `<?xml version="1.0" encoding="UTF-16"?>` + signed(), saml.Invalid, "refused", nil},
		{"too long", signed() + strings.Repeat(" ", saml.MaxResponse), saml.Invalid, "longer than", nil},
		{"too deep", strings.Repeat("<a>", 1000) + strings.Repeat("</a>", 1000), saml.Invalid, "refused", nil},
		{"too many elements", replace(signed(), "</saml:AttributeStatement>", "<x>"+strings.Repeat("<a/>", 2000)+"</x></saml:AttributeStatement>"), saml.Invalid, "more than 2000 elements", nil},
		{"too many prefixes", replace(signed(), "<samlp:Response", "<samlp:Response"+prefixes(64)), saml.Invalid, "more than 64", nil},
		{"another namespace", strings.ReplaceAll(signed(), "SAML:2.0:assertion", "SAML:1.0:assertion"), saml.Invalid, "refused", nil},

		// The response.
		{"status", sign(replace(envelope(assertion()), "status:Success", "status:Responder"), "//Assertion", theSigner()), saml.Rejected, "Responder", nil},
		{"status of two levels, unsigned and without an assertion", replace(replace(envelope(), "status:Success", "status:Responder"), "Responder\"/>", "Responder\"><samlp:StatusCode Value=\"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed\"/></samlp:StatusCode>"), saml.Rejected, "AuthnFailed", nil},
		{"no status", sign(replace(envelope(assertion()), "samlp:StatusCode Value", "samlp:StatusMessage Value"), "//Assertion", theSigner()), saml.Invalid, "StatusCode", nil},
		{"destination", replace(signed(), `Destination="`+acs, `Destination="https://evil.example.com/acs`), saml.Invalid, "Destination is not here", nil},
		{"issuer of the response", replace(signed(), "<saml:Issuer>"+idp, "<saml:Issuer>https://evil.example.com"), saml.Invalid, "Issuer", nil},
		{"version of the response", replace(signed(), `Version="2.0"`, `Version="1.1"`), saml.Invalid, "version", nil},
		{"unsolicited, but claims an answer in the response", replace(signed(), `ID="_r"`, `ID="_r" InResponseTo="id-ASKED"`), saml.Invalid, "not made here", nil},

		// The assertion.
		{"issuer", signedWith(idp, "https://other.example.com"), saml.Invalid, "Issuer of the assertion", nil},
		{"no issuer", sign(envelope(replace(assertion(), "<saml:Issuer>"+idp+"</saml:Issuer>", "")), "/Response", theSigner()), saml.Invalid, "no element Issuer", nil},
		{"version", signedWith(`Version="2.0"`, `Version="2.1"`), saml.Invalid, "not one of SAML 2.0", nil},
		{"old", signedWith(`IssueInstant="`+at(-time.Second), `IssueInstant="`+at(-saml.MaxAge)), saml.Expired, "within 5 minutes", nil},
		{"of the future", signedWith(`IssueInstant="`+at(-time.Second), `IssueInstant="`+at(saml.Skew+time.Second)), saml.Expired, "in the future", nil},
		{"IssueInstant is no time", signedWith(`IssueInstant="`+at(-time.Second), `IssueInstant="yesterday`), saml.Invalid, "IssueInstant", nil},
		{"not yet valid", signedWith(`NotBefore="`+at(-time.Minute), `NotBefore="`+at(saml.Skew+time.Second)), saml.Expired, "Conditions is not valid before", nil},
		{"expired", signedWith(`NotOnOrAfter="`+at(time.Hour), `NotOnOrAfter="`+at(-saml.Skew)), saml.Expired, "Conditions was valid until", nil},
		{"confirmation expired", signedWith(`NotOnOrAfter="`+at(4*time.Minute), `NotOnOrAfter="`+at(-saml.Skew)), saml.Expired, "SubjectConfirmationData was valid until", nil},
		{"confirmation without an end", signedWith(`NotOnOrAfter="`+at(4*time.Minute)+`"`, ""), saml.Invalid, "no NotOnOrAfter", nil},
		{"session ended", signedWith(`SessionNotOnOrAfter="`+at(8*time.Hour), `SessionNotOnOrAfter="`+at(0)), saml.Expired, "session at the identity provider", nil},
		{"audience", signedWith(">"+audience, ">https://other.example.com"), saml.Invalid, `another audience: "https://other.example.com"`, nil},
		{"audience by its beginning", signedWith(">"+audience, ">"+audience+".evil.example.com"), saml.Invalid, "another audience", nil},
		{"one of two restrictions", signedWith("<saml:AudienceRestriction>", "<saml:AudienceRestriction><saml:Audience>https://other.example.com</saml:Audience></saml:AudienceRestriction><saml:AudienceRestriction>"), saml.Invalid, "another audience", nil},
		{"no audience", signedWith("<saml:AudienceRestriction><saml:Audience>"+audience+"</saml:Audience></saml:AudienceRestriction>", ""), saml.Invalid, "no AudienceRestriction", nil},
		{"unknown condition", signedWith("<saml:AudienceRestriction>", "<saml:Condition/><saml:AudienceRestriction>"), saml.Invalid, "not known", nil},
		{"recipient", signedWith(data, `Recipient="https://evil.example.com"`), saml.Invalid, "another recipient", nil},
		{"no recipient", signedWith(data, ""), saml.Invalid, "another recipient", nil},
		{"nobody is a recipient", signed(), saml.Invalid, "Destination", func(e *saml.Expect) { e.Recipient = nil }},
		{"holder of key", signedWith("cm:bearer", "cm:holder-of-key"), saml.Invalid, "by bearer", nil},
		{"no authentication", signedWith("saml:AuthnStatement", "saml:AuthzStatement"), saml.Invalid, "no AuthnStatement", nil},
		{"no subject", signedWith("u-1@example.com", ""), saml.Invalid, "NameID is empty", nil},
		{"unsolicited, but claims an answer", signedWith(data, data+` InResponseTo="id-ASKED"`), saml.Invalid, "not made here", nil},
		{"answers another request", signedWith(data, data+` InResponseTo="id-OTHER"`), saml.Invalid, "another request", func(e *saml.Expect) { e.RequestID = asked }},
		{"answers nothing", signed(), saml.Invalid, "does not say that it answers", func(e *saml.Expect) { e.RequestID = asked }},
		{"envelope answers another request", replace(signedWith(data, data+` InResponseTo="id-ASKED"`), `ID="_r"`, `ID="_r" InResponseTo="id-OTHER"`), saml.Invalid, "another request", func(e *saml.Expect) { e.RequestID = asked }},

		// The attributes.
		{"two session names", signedWith("<saml:AttributeValue xsi:type=\"xs:string\">jane", "<saml:AttributeValue>joe</saml:AttributeValue><saml:AttributeValue>jane"), saml.Invalid, "2 values", nil},
		{"two session names in two attributes", signedWith("</saml:AttributeStatement>", `<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><saml:AttributeValue>joe</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`), saml.Invalid, "2 values", nil},
		{"session name", signedWith(">jane<", ">jane doe<"), saml.Invalid, "RoleSessionName in AuthnResponse must match", nil},
		{"session name with an element", signedWith(">jane<", "><b>jane</b><"), saml.Invalid, "is not text", nil},
		{"role", signedWith(":role/agents", ":user/agents"), saml.Invalid, "a value of the attribute Role", nil},
		{"duration", signedWith("</saml:AttributeStatement>", `<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/SessionDuration"><saml:AttributeValue>60</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`), saml.Invalid, "SessionDuration in AuthnResponse is not", nil},
		{"duration of years", signedWith("</saml:AttributeStatement>", `<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/SessionDuration"><saml:AttributeValue>18446744073709551615</saml:AttributeValue></saml:Attribute></saml:AttributeStatement>`), saml.Invalid, "SessionDuration in AuthnResponse is not", nil},
		{"encrypted attribute", signedWith("</saml:AttributeStatement>", "<saml:EncryptedAttribute/></saml:AttributeStatement>"), saml.Invalid, "encryption is not supported", nil},
		{"encrypted name", signedWith("<saml:NameID", "<saml:EncryptedID/><saml:NameID"), saml.Invalid, "encryption is not supported", nil},
	}
	p := provider(t, theSigner(), theNext())
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := expect()
			if c.edit != nil {
				c.edit(&e)
			}
			got, err := p.Validate([]byte(c.xml), e)
			refused(t, got, err, c.kind, c.text)
		})
	}
}
