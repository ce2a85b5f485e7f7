package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // to have it refused
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"ringdown/internal/certtest"
	"ringdown/internal/identity/saml"
)

// Names of the parties.
const (
	idp      = "https://idp.example.com/metadata"
	audience = "https://cc.example.com/-/login/saml"
	acs      = "https://cc.example.com/-/login/abc/saml"
	asked    = "id-ASKED"
)

// now is when everything in these tests happens.
var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// signer is a key of an identity provider.
type signer struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func newSigner(key crypto.Signer) *signer {
	// Expired long ago, which must not matter.
	c, err := certtest.Make(certtest.Options{Key: key, Expired: true})
	if err != nil {
		panic(err)
	}
	return &signer{key: key, cert: c.Certificate}
}

func newRSA(bits int) *signer {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return newSigner(key)
}

// The keys cost a second each to make, so that all tests share them.
var (
	theSigner   = sync.OnceValue(func() *signer { return newRSA(2048) })
	theNext     = sync.OnceValue(func() *signer { return newRSA(2048) })
	theForger   = sync.OnceValue(func() *signer { return newRSA(2048) })
	theElliptic = sync.OnceValue(func() *signer {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		return newSigner(key)
	})
)

// metadata of an identity provider; more is put into its IDPSSODescriptor's
// start tag.
func metadata(more string, signers ...*signer) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0"?><!-- ours --><EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID=%q>`, idp)
	fmt.Fprintf(&b, `<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"%s>`, more)
	for _, s := range signers {
		fmt.Fprintf(&b, `<KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>
%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>`, base64.StdEncoding.EncodeToString(s.cert.Raw))
	}
	b.WriteString(`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.example.com/post"/>`)
	b.WriteString(`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso?tenant=7&amp;x"/>`)
	b.WriteString(`</IDPSSODescriptor></EntityDescriptor>`)
	return []byte(b.String())
}

func provider(t testing.TB, signers ...*signer) *saml.Provider {
	t.Helper()
	p, err := saml.ParseMetadata(metadata("", signers...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// expect is what a response that nobody asked for must be meant for.
func expect() saml.Expect {
	return saml.Expect{
		Audiences: []string{"urn:amazon:webservices", audience},
		Recipient: func(u string) bool { return u == acs },
		Now:       now,
	}
}

// at writes a time as far from now.
func at(d time.Duration) string { return now.Add(d).Format(time.RFC3339) }

// assertion is a good one, as providers write them.
func assertion() string {
	return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a" Version="2.0" IssueInstant="` + at(-time.Second) + `">
  <saml:Issuer>` + idp + `</saml:Issuer>
  <saml:Subject>
    <saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">u-1@example.com</saml:NameID>
    <saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
      <saml:SubjectConfirmationData NotOnOrAfter="` + at(4*time.Minute) + `" Recipient="` + acs + `"/>
    </saml:SubjectConfirmation>
  </saml:Subject>
  <saml:Conditions NotBefore="` + at(-time.Minute) + `" NotOnOrAfter="` + at(time.Hour) + `">
    <saml:AudienceRestriction><saml:Audience>` + audience + `</saml:Audience></saml:AudienceRestriction>
  </saml:Conditions>
  <saml:AuthnStatement AuthnInstant="` + at(-time.Minute) + `" SessionIndex="s" SessionNotOnOrAfter="` + at(8*time.Hour) + `"/>
  <saml:AttributeStatement xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
    <saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/Role">
      <saml:AttributeValue xsi:type="xs:string">arn:aws:iam::123456789012:role/agents,arn:aws:iam::123456789012:saml-provider/example</saml:AttributeValue>
    </saml:Attribute>
    <saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><saml:AttributeValue xsi:type="xs:string">jane</saml:AttributeValue></saml:Attribute>
  </saml:AttributeStatement>
</saml:Assertion>`
}

// envelope is a Response around assertions.
func envelope(inner ...string) string {
	return `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r" Version="2.0" IssueInstant="` +
		at(0) + `" Destination="` + acs + `"><saml:Issuer>` + idp + `</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>` +
		strings.Join(inner, "") + `</samlp:Response>`
}

// How to sign.
type signing struct {
	method, digest string
	c14n           string
	transforms     string // the whole of it
	prefixes       string // PrefixList of the second transform
	uri            *string
	keyInfo        string
	value          func(s *signer, signedInfo []byte) []byte
}

const (
	rsaSHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	ecdsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
	excC14N     = "http://www.w3.org/2001/10/xml-exc-c14n#"
	enveloped   = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
)

func transform(algorithm string) string {
	return `<ds:Transform Algorithm="` + algorithm + `"></ds:Transform>`
}

// sign puts a signature into the element that path leads to, behind its Issuer.
func sign(xml, path string, s *signer, how ...func(*signing)) string {
	o := signing{
		method: rsaSHA256, digest: "http://www.w3.org/2001/04/xmlenc#sha256", c14n: excC14N,
		transforms: transform(enveloped) + transform(excC14N),
		value:      pkcs1,
	}
	for _, h := range how {
		h(&o)
	}
	doc := etree.NewDocument()
	if err := doc.ReadFromString(xml); err != nil {
		panic(err)
	}
	el := doc.FindElement(path)
	id := el.SelectAttrValue("ID", "")
	c := el.Copy()
	for e := el.Parent(); e != nil; e = e.Parent() {
		for _, a := range e.Attr {
			if a.Space == "xmlns" && c.SelectAttr(a.FullKey()) == nil {
				c.Attr = append(c.Attr, a)
			}
		}
	}
	uri := "#" + id
	if o.uri != nil {
		uri = *o.uri
	}
	if uri == "#_r" {
		c = doc.Root().Copy()
	}
	digested, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(o.prefixes).Canonicalize(c)
	if err != nil {
		panic(err)
	}
	h := crypto.SHA256
	switch {
	case strings.HasSuffix(o.digest, "sha1"):
		h = crypto.SHA1
	case strings.HasSuffix(o.digest, "sha512"):
		h = crypto.SHA512
	}
	sum := h.New()
	sum.Write(digested)
	info := `<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:CanonicalizationMethod Algorithm="` + o.c14n + `"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm="` +
		o.method + `"></ds:SignatureMethod><ds:Reference URI="` + uri + `"><ds:Transforms>` + o.transforms + `</ds:Transforms><ds:DigestMethod Algorithm="` +
		o.digest + `"></ds:DigestMethod><ds:DigestValue>` + base64.StdEncoding.EncodeToString(sum.Sum(nil)) + `</ds:DigestValue></ds:Reference></ds:SignedInfo>`
	sig := etree.NewDocument()
	if err := sig.ReadFromString(`<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">` + strings.Replace(info, ` xmlns:ds="http://www.w3.org/2000/09/xmldsig#"`, "", 1) +
		`<ds:SignatureValue>` + base64.StdEncoding.EncodeToString(o.value(s, []byte(info))) + `</ds:SignatureValue>` + o.keyInfo + `</ds:Signature>`); err != nil {
		panic(err)
	}
	el.InsertChildAt(el.FindElement("./Issuer").Index()+1, sig.Root())
	out, err := doc.WriteToString()
	if err != nil {
		panic(err)
	}
	return out
}

// signed is a response with a signed assertion.
func signed() string { return sign(envelope(assertion()), "//Assertion", theSigner()) }

func hashed(h crypto.Hash, b []byte) []byte {
	s := h.New()
	s.Write(b)
	return s.Sum(nil)
}

func pkcs1(s *signer, info []byte) []byte {
	v, err := s.key.Sign(rand.Reader, hashed(crypto.SHA256, info), crypto.SHA256)
	if err != nil {
		panic(err)
	}
	return v
}

func pkcs1SHA1(s *signer, info []byte) []byte {
	v, err := s.key.Sign(rand.Reader, hashed(crypto.SHA1, info), crypto.SHA1)
	if err != nil {
		panic(err)
	}
	return v
}

// twoNumbers is an ECDSA signature as XML Signature has it.
func twoNumbers(s *signer, info []byte) []byte {
	r, t, err := ecdsa.Sign(rand.Reader, s.key.(*ecdsa.PrivateKey), hashed(crypto.SHA256, info))
	if err != nil {
		panic(err)
	}
	var b [64]byte
	r.FillBytes(b[:32])
	t.FillBytes(b[32:])
	return b[:]
}

// byPublicKey is what anybody can make who has the metadata.
func byPublicKey(s *signer, info []byte) []byte {
	m := hmac.New(sha1.New, s.cert.Raw)
	m.Write(info)
	return m.Sum(nil)
}

// replace insists that there is something to replace.
func replace(s, old, by string) string {
	if !strings.Contains(s, old) {
		panic("there is no " + old)
	}
	return strings.Replace(s, old, by, 1)
}
