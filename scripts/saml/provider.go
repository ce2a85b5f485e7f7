package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"math/big"
	"os"
	"strings"
	"time"
)

// provider is an identity provider.
type provider struct {
	entityID string
	key      *rsa.PrivateKey
	cert     []byte // DER
}

// openProvider reads the key of a provider, or makes one.
func openProvider(file, entityID string) (*provider, error) {
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		var key *rsa.PrivateKey
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, err
		}
		raw = pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
		err = os.WriteFile(file, raw, 0o600)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("%s holds no key", file)
	}
	key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	// The certificate follows from the key: RSA signatures of PKCS #1 v1.5 are
	// always the same.
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "identity provider of a script"},
		NotBefore: time.Unix(1_700_000_000, 0), NotAfter: time.Unix(4_000_000_000, 0),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return &provider{entityID, key, cert}, nil
}

// metadata is what the provider tells of itself (saml-metadata-2.0 §2.4.3).
func (p *provider) metadata() string {
	return fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="%s">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing">
      <KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>%s</X509Certificate></X509Data></KeyInfo>
    </KeyDescriptor>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="%s"/>
  </IDPSSODescriptor>
</EntityDescriptor>
`, html.EscapeString(p.entityID), base64.StdEncoding.EncodeToString(p.cert), html.EscapeString(p.entityID))
}

// claim is what the provider says of a user.
type claim struct {
	user, audience, recipient string
	role, provider            string // ARNs
	made                      time.Time
}

const xmlTime = "2006-01-02T15:04:05Z"

// response says it, signed, in base64. Everything that is signed is written in
// its canonical form (xml-exc-c14n) at once, so that nothing needs to be
// canonicalised. With a tampered name, the assertion says that after it was
// signed.
func (p *provider) response(c claim, tampered string) (string, error) {
	e := html.EscapeString
	at := func(d time.Duration) string { return c.made.Add(d).UTC().Format(xmlTime) }
	id := newID()
	attribute := func(name, value string) string {
		return `<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/` + name + `"><saml:AttributeValue>` + e(value) + `</saml:AttributeValue></saml:Attribute>`
	}
	start := `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="` + id + `" IssueInstant="` + at(0) + `" Version="2.0">` +
		`<saml:Issuer>` + e(p.entityID) + `</saml:Issuer>`
	rest := `<saml:Subject>` +
		`<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">` + e(c.user) + `</saml:NameID>` +
		`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">` +
		`<saml:SubjectConfirmationData NotOnOrAfter="` + at(5*time.Minute) + `" Recipient="` + e(c.recipient) + `"></saml:SubjectConfirmationData>` +
		`</saml:SubjectConfirmation></saml:Subject>` +
		`<saml:Conditions NotBefore="` + at(-time.Minute) + `" NotOnOrAfter="` + at(5*time.Minute) + `">` +
		`<saml:AudienceRestriction><saml:Audience>` + e(c.audience) + `</saml:Audience></saml:AudienceRestriction></saml:Conditions>` +
		`<saml:AuthnStatement AuthnInstant="` + at(0) + `"><saml:AuthnContext>` +
		`<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>` +
		`</saml:AuthnContext></saml:AuthnStatement>` +
		`<saml:AttributeStatement>` + attribute("Role", c.role+","+c.provider) + attribute("RoleSessionName", c.user) + `</saml:AttributeStatement>` +
		`</saml:Assertion>`
	signature, err := p.sign(id, start+rest)
	if err != nil {
		return "", err
	}
	if tampered != "" {
		rest = strings.ReplaceAll(rest, ">"+e(c.user)+"<", ">"+e(tampered)+"<")
	}
	response := `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="` + newID() + `" Version="2.0" IssueInstant="` + at(0) + `" Destination="` + e(c.recipient) + `">` +
		`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + e(p.entityID) + `</saml:Issuer>` +
		`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>` +
		start + signature + rest + `</samlp:Response>`
	return base64.StdEncoding.EncodeToString([]byte(response)), nil
}

// sign makes the Signature of an element (xmldsig-core §3.1), which is given in
// its canonical form.
func (p *provider) sign(id, element string) (string, error) {
	digest := sha256.Sum256([]byte(element))
	const ds = ` xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`
	info := `<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>` +
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"></ds:SignatureMethod>` +
		`<ds:Reference URI="#` + id + `"><ds:Transforms>` +
		`<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>` +
		`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>` +
		`<ds:DigestValue>` + base64.StdEncoding.EncodeToString(digest[:]) + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	sum := sha256.Sum256([]byte(`<ds:SignedInfo` + ds + `>` + info))
	value, err := rsa.SignPKCS1v15(rand.Reader, p.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return `<ds:Signature` + ds + `><ds:SignedInfo>` + info + `<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(value) + `</ds:SignatureValue></ds:Signature>`, nil
}

// newID makes an NCName that occurs once.
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return "_" + hex.EncodeToString(b[:])
}
