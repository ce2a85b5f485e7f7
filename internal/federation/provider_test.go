package federation_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/certtest"
	"ringdown/internal/identity/saml/samltest"
)

// signer is an identity provider's key.
type signer struct {
	key  *rsa.PrivateKey
	cert []byte // DER
}

func newSigner() *signer {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	cert, err := certtest.Make(certtest.Options{Key: key})
	if err != nil {
		panic(err)
	}
	return &signer{key, cert.Raw}
}

// The keys take long to make, so that all tests share them.
var (
	genuine = sync.OnceValue(newSigner)
	forger  = sync.OnceValue(newSigner)
)

// metadata of a provider with an entity id.
func (s *signer) metadata(entityID string) []byte {
	return samltest.Provider{EntityID: entityID, Certificate: s.cert}.Metadata()
}

// Names of the parties.
const (
	account  = "123456789012"
	entityID = "https://idp.example.org/saml"
	own      = "https://cc.example.org/-/login/saml"
	acs      = "https://cc.example.org/-/login/one/saml"
	prefix   = "arn:aws:iam::" + account + ":"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// claim is what the provider says of a user; the zero value of a member leaves
// out what it stands for, or takes what is usual.
type claim struct {
	issuer    string        // empty: entityID
	by        *signer       // nil: genuine
	id        string        // empty: a new one
	made      time.Time     // zero: start
	audience  string        // empty: own
	recipient string        // empty: acs
	answers   string        // InResponseTo
	subject   string        // empty: the name; "-": none
	name      string        // RoleSessionName
	roles     []string      // values of Role
	more      [][2]string   // further attributes of Amazon's: the end of the name, the value
	over      time.Duration // SessionNotOnOrAfter, from made; 0: none
	status    string        // the end of the status code; empty: Success
	after     func(string) string
}

// pair is a value of Role.
func pair(role, provider string) string {
	return prefix + "role/" + role + "," + prefix + "saml-provider/" + provider
}

// response is what browsers bring. What is signed is written in its canonical
// form (xml-exc-c14n) at once.
func (c claim) response(t testing.TB) string {
	t.Helper()
	or := func(s *string, usual string) {
		if *s == "" {
			*s = usual
		}
	}
	or(&c.issuer, entityID)
	or(&c.audience, own)
	or(&c.recipient, acs)
	or(&c.subject, c.name)
	or(&c.id, randomID())
	or(&c.status, "Success")
	if c.by == nil {
		c.by = genuine()
	}
	if c.made.IsZero() {
		c.made = start
	}
	e := html.EscapeString
	at := func(d time.Duration) string { return c.made.Add(d).Format("2006-01-02T15:04:05Z") }
	answers := ""
	if c.answers != "" {
		answers = ` InResponseTo="` + c.answers + `"`
	}
	var b strings.Builder
	head := `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="` + c.id + `" IssueInstant="` + at(0) + `" Version="2.0"><saml:Issuer>` + e(c.issuer) + `</saml:Issuer>`
	b.WriteString(`<saml:Subject>`)
	if c.subject != "-" {
		b.WriteString(`<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">` + e(c.subject) + `</saml:NameID>`)
	}
	b.WriteString(`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData` + answers + ` NotOnOrAfter="` + at(5*time.Minute) + `" Recipient="` + e(c.recipient) + `"></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>`)
	b.WriteString(`<saml:Conditions NotBefore="` + at(-time.Minute) + `" NotOnOrAfter="` + at(5*time.Minute) + `"><saml:AudienceRestriction><saml:Audience>` + e(c.audience) + `</saml:Audience></saml:AudienceRestriction></saml:Conditions>`)
	b.WriteString(`<saml:AuthnStatement AuthnInstant="` + at(0) + `"`)
	if c.over != 0 {
		b.WriteString(` SessionNotOnOrAfter="` + at(c.over) + `"`)
	}
	b.WriteString(`><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>`)
	attribute := func(name string, values ...string) {
		b.WriteString(`<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/` + e(name) + `">`)
		for _, v := range values {
			b.WriteString(`<saml:AttributeValue>` + e(v) + `</saml:AttributeValue>`)
		}
		b.WriteString(`</saml:Attribute>`)
	}
	attribute("Unrelated", "x")
	if len(c.roles) > 0 {
		attribute("Role", c.roles...)
	}
	if c.name != "" {
		attribute("RoleSessionName", c.name)
	}
	for _, m := range c.more {
		attribute(m[0], m[1])
	}
	b.WriteString(`</saml:AttributeStatement></saml:Assertion>`)
	response := `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="` + randomID() + `" Version="2.0" IssueInstant="` + at(0) + `" Destination="` + e(c.recipient) + `"` + answers + `>` +
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + e(c.issuer) + `</saml:Issuer>` +
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:` + c.status + `"/></samlp:Status>` +
		head + c.by.sign(t, c.id, head+b.String()) + b.String() + `</samlp:Response>`
	if c.after != nil {
		changed := c.after(response)
		if changed == response {
			t.Fatal("the response was to be changed")
		}
		response = changed
	}
	return base64.StdEncoding.EncodeToString([]byte(response))
}

// sign makes the Signature of an element in its canonical form.
func (s *signer) sign(t testing.TB, id, element string) string {
	t.Helper()
	digest := sha256.Sum256([]byte(element))
	const ds = ` xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	info := fmt.Sprintf(`<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>`+
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod><ds:Reference URI="#%s"><ds:Transforms>`+
		`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>`+
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>%s</ds:DigestValue></ds:Reference></ds:SignedInfo>`,
		id, base64.StdEncoding.EncodeToString(digest[:]))
	sum := sha256.Sum256([]byte(`<ds:SignedInfo` + ds + `>` + info))
	value, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return `<ds:Signature` + ds + `><ds:SignedInfo>` + info + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) + `</ds:SignatureValue></ds:Signature>`
}

func randomID() string {
	var b [16]byte
	rand.Read(b[:])
	return "_" + hex.EncodeToString(b[:])
}
