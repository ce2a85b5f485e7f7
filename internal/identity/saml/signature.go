package saml

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha256" // SHA-256
	_ "crypto/sha512" // SHA-384 and SHA-512
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
)

// method is a way to sign: only those with a hash that holds. HMAC is none: its
// key would be the certificate, which everybody knows.
type method struct {
	hash  crypto.Hash
	ecdsa bool
}

// RFC 6931 §2.3, XML Signature 1.1 §6.
var methods = map[string]method{
	"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256":   {hash: crypto.SHA256},
	"http://www.w3.org/2001/04/xmldsig-more#rsa-sha384":   {hash: crypto.SHA384},
	"http://www.w3.org/2001/04/xmldsig-more#rsa-sha512":   {hash: crypto.SHA512},
	"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256": {hash: crypto.SHA256, ecdsa: true},
	"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384": {hash: crypto.SHA384, ecdsa: true},
	"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512": {hash: crypto.SHA512, ecdsa: true},
}

var digests = map[string]crypto.Hash{
	"http://www.w3.org/2001/04/xmlenc#sha256":       crypto.SHA256,
	"http://www.w3.org/2001/04/xmldsig-more#sha384": crypto.SHA384,
	"http://www.w3.org/2001/04/xmlenc#sha512":       crypto.SHA512,
}

const (
	transformEnveloped = nsSignature + "enveloped-signature"
	// SAML wants exclusive canonicalization (saml-core-2.0 §5.4.3); with or
	// without comments is one here, as there are none.
	c14nExclusive         = nsExcC14N
	c14nExclusiveComments = nsExcC14N + "WithComments"
)

// verify checks the signature sig, a child of el, and returns what it signs:
// el without sig, in canonical form, parsed from the very bytes that were
// digested.
func (p *Provider) verify(el, sig *etree.Element) (*etree.Element, error) {
	info, value, err := signatureParts(sig)
	if err != nil {
		return nil, err
	}
	signed, err := canonicalSignedInfo(info)
	if err != nil {
		return nil, err
	}
	// From here on SignedInfo is what was signed, not what the document shows.
	if info, err = parse(signed, false); err != nil {
		return nil, fmt.Errorf("SignedInfo: %w", err)
	}
	if err := p.checkKey(info, signed, value); err != nil {
		return nil, err
	}
	return dereference(el, sig, info)
}

// signatureParts insists on the shape of a Signature (saml-core-2.0 §5.4): one
// SignedInfo, one value, no Object in which something could hide. KeyInfo is
// not looked into.
func signatureParts(sig *etree.Element) (info *etree.Element, value []byte, err error) {
	for _, c := range sig.ChildElements() {
		if c.NamespaceURI() != nsSignature || !contains([]string{"SignedInfo", "SignatureValue", "KeyInfo"}, c.Tag) {
			return nil, nil, fmt.Errorf("the signature has an element %s", plain(c.Tag))
		}
	}
	if info, err = single(sig, nsSignature, "SignedInfo"); err != nil {
		return nil, nil, err
	}
	el, err := single(sig, nsSignature, "SignatureValue")
	if err != nil {
		return nil, nil, err
	}
	if _, err := optional(sig, nsSignature, "KeyInfo"); err != nil {
		return nil, nil, err
	}
	if value, err = decodeBase64(el); err != nil {
		return nil, nil, err
	}
	return info, value, nil
}

func canonicalSignedInfo(info *etree.Element) ([]byte, error) {
	method, err := single(info, nsSignature, "CanonicalizationMethod")
	if err != nil {
		return nil, err
	}
	prefixes, err := exclusive(method)
	if err != nil {
		return nil, fmt.Errorf("CanonicalizationMethod: %w", err)
	}
	return canonical(detach(info), prefixes)
}

// exclusive insists on exclusive canonicalization and returns the prefixes that
// it treats as if it were not (xml-exc-c14n §3).
func exclusive(method *etree.Element) (prefixes string, err error) {
	switch a, _ := attribute(method, "Algorithm"); a {
	case c14nExclusive, c14nExclusiveComments:
	default:
		return "", fmt.Errorf("the algorithm %s is not accepted, only exclusive canonicalization", plain(a))
	}
	for i, c := range method.ChildElements() {
		if !is(c, nsExcC14N, "InclusiveNamespaces") || i > 0 {
			return "", fmt.Errorf("it has an element %s", plain(c.Tag))
		}
		prefixes, _ = attribute(c, "PrefixList")
	}
	if contains(strings.Fields(prefixes), "#default") {
		return "", errors.New("#default in a PrefixList is not supported")
	}
	return prefixes, nil
}

func canonical(el *etree.Element, prefixes string) ([]byte, error) {
	b, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList(prefixes).Canonicalize(el)
	if err != nil {
		return nil, errors.New("it has no canonical form")
	}
	return b, nil
}

// detach copies an element with all namespaces that are declared above it.
func detach(el *etree.Element) *etree.Element {
	c := el.Copy()
	declared := map[string]bool{}
	for e := el; e != nil; e = e.Parent() {
		for _, a := range e.Attr {
			if a.Space != "xmlns" && (a.Space != "" || a.Key != "xmlns") || declared[a.FullKey()] {
				continue
			}
			declared[a.FullKey()] = true
			if e != el {
				c.Attr = append(c.Attr, etree.Attr{Space: a.Space, Key: a.Key, Value: a.Value})
			}
		}
	}
	return c
}

// checkKey verifies the value of a signature by one of the provider's keys.
func (p *Provider) checkKey(info *etree.Element, signed, value []byte) error {
	el, err := single(info, nsSignature, "SignatureMethod")
	if err != nil {
		return err
	}
	if len(el.ChildElements()) != 0 {
		return errors.New("SignatureMethod has parameters")
	}
	name, _ := attribute(el, "Algorithm")
	m, ok := methods[name]
	if !ok {
		return fmt.Errorf("the signature algorithm %s is not accepted, only RSA and ECDSA with SHA-256, SHA-384 and SHA-512", plain(name))
	}
	h := m.hash.New()
	h.Write(signed)
	sum := h.Sum(nil)
	for _, c := range p.keys {
		if m.by(c, sum, value) {
			return nil
		}
	}
	return errors.New("the signature is by none of the keys in the provider's metadata")
}

func (m method) by(c *x509.Certificate, sum, value []byte) bool {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return !m.ecdsa && rsa.VerifyPKCS1v15(k, m.hash, sum, value) == nil
	case *ecdsa.PublicKey:
		// Both numbers, one behind the other (XML Signature 1.1 §6.4.3).
		size := (k.Params().N.BitLen() + 7) / 8
		return m.ecdsa && len(value) == 2*size &&
			ecdsa.Verify(k, sum, new(big.Int).SetBytes(value[:size]), new(big.Int).SetBytes(value[size:]))
	}
	return false
}

// dereference finds what SignedInfo speaks of: nothing but el, without sig.
func dereference(el, sig, info *etree.Element) (*etree.Element, error) {
	ref, err := single(info, nsSignature, "Reference")
	if err != nil {
		return nil, err
	}
	id, _ := attribute(el, "ID")
	if uri, ok := attribute(ref, "URI"); !ok || id == "" || uri != "#"+id {
		return nil, fmt.Errorf("the signature in %s refers to something else", el.Tag)
	}
	prefixes, err := transforms(ref)
	if err != nil {
		return nil, err
	}
	digest, err := single(ref, nsSignature, "DigestMethod")
	if err != nil {
		return nil, err
	}
	name, _ := attribute(digest, "Algorithm")
	hash, ok := digests[name]
	if !ok {
		return nil, fmt.Errorf("the digest algorithm %s is not accepted, only SHA-256, SHA-384 and SHA-512", plain(name))
	}
	valueEl, err := single(ref, nsSignature, "DigestValue")
	if err != nil {
		return nil, err
	}
	want, err := decodeBase64(valueEl)
	if err != nil {
		return nil, err
	}
	c := detach(el)
	c.RemoveChildAt(sig.Index())
	signed, err := canonical(c, prefixes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", el.Tag, err)
	}
	h := hash.New()
	h.Write(signed)
	if subtle.ConstantTimeCompare(h.Sum(nil), want) != 1 {
		return nil, fmt.Errorf("%s is not as it was signed", el.Tag)
	}
	root, err := parse(bytes.Clone(signed), false)
	if err != nil {
		return nil, fmt.Errorf("%s as signed: %w", el.Tag, err)
	}
	return root, nil
}

// transforms insists on the two that SAML has (saml-core-2.0 §5.4.4), in their
// order, and returns the prefixes of the second.
func transforms(ref *etree.Element) (prefixes string, err error) {
	list, err := single(ref, nsSignature, "Transforms")
	if err != nil {
		return "", err
	}
	all := list.ChildElements()
	if len(all) != 2 || !is(all[0], nsSignature, "Transform") || !is(all[1], nsSignature, "Transform") {
		return "", errors.New("the transforms are not enveloped-signature and exclusive canonicalization")
	}
	if a, _ := attribute(all[0], "Algorithm"); a != transformEnveloped || len(all[0].ChildElements()) != 0 {
		return "", errors.New("the first transform is not enveloped-signature")
	}
	if prefixes, err = exclusive(all[1]); err != nil {
		return "", fmt.Errorf("the second transform: %w", err)
	}
	return prefixes, nil
}

func decodeBase64(el *etree.Element) ([]byte, error) {
	s, ok := text(el)
	b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
	if !ok || err != nil {
		return nil, fmt.Errorf("%s is not base64", el.Tag)
	}
	return b, nil
}
