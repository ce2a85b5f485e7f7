package saml

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// Bindings (saml-bindings-2.0 §3).
const (
	bindingRedirect = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
	bindingPOST     = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
)

const (
	maxMetadata     = 1 << 20
	maxCertificates = 16
	maxEntityID     = 1024 // saml-core-2.0 §8.3.6
	minRSABits      = 2048
)

// Provider is an identity provider as its metadata describes it. It is
// read-only and may be used concurrently.
type Provider struct {
	entityID   string
	keys       []*x509.Certificate
	sso        *url.URL  // of the HTTP-Redirect binding; may be nil
	wantSigned bool      // requests
	validUntil time.Time // zero: for ever
}

// ParseMetadata reads the metadata of one identity provider
// (saml-metadata-2.0). The error says what is missing: it must have one
// IDPSSODescriptor with a certificate for signing.
//
// That a certificate has expired matters not: it only carries the key, which is
// trusted for being in the metadata (saml-metadata-iop-1.0 §2.6.1). The
// validUntil of the metadata does matter, at each response. A signature of the
// metadata is not looked at: the operator is trusted, not the file.
func ParseMetadata(xml []byte) (*Provider, error) {
	if len(xml) > maxMetadata {
		return nil, fmt.Errorf("the metadata is longer than %d bytes", maxMetadata)
	}
	root, err := parse(bytes.TrimPrefix(xml, []byte("\uFEFF")), true)
	if err != nil {
		return nil, fmt.Errorf("the metadata is refused: %w", err)
	}
	p, err := readMetadata(root)
	if err != nil {
		return nil, fmt.Errorf("the metadata: %w", err)
	}
	return p, nil
}

func readMetadata(root *etree.Element) (*Provider, error) {
	p := &Provider{}
	entity, role, err := p.findRole(root)
	if err != nil {
		return nil, err
	}
	p.entityID, _ = attribute(entity, "entityID")
	if p.entityID == "" || len(p.entityID) > maxEntityID || strings.ContainsAny(p.entityID, xmlSpace) {
		return nil, fmt.Errorf("entityID must have 1 to %d characters and no white space", maxEntityID)
	}
	if err := p.readKeys(role); err != nil {
		return nil, err
	}
	if len(p.keys) == 0 {
		return nil, errors.New("IDPSSODescriptor has no X509Certificate for signing")
	}
	if len(p.keys) > maxCertificates {
		return nil, fmt.Errorf("IDPSSODescriptor has more than %d certificates for signing", maxCertificates)
	}
	want, _ := attribute(role, "WantAuthnRequestsSigned")
	p.wantSigned = want == "true" || want == "1" // xs:boolean
	return p, p.readSSO(role)
}

// findRole finds the one identity provider in a document, and until when what
// is said of it holds.
func (p *Provider) findRole(root *etree.Element) (entity, role *etree.Element, err error) {
	entities := []*etree.Element{root}
	switch {
	case is(root, nsMetadata, "EntitiesDescriptor"):
		if err := p.limit(root); err != nil {
			return nil, nil, err
		}
		entities = children(root, nsMetadata, "EntityDescriptor")
	case !is(root, nsMetadata, "EntityDescriptor"):
		return nil, nil, fmt.Errorf("it begins with %s and not with EntityDescriptor of %s", plain(root.Tag), nsMetadata)
	}
	for _, e := range entities {
		for _, r := range children(e, nsMetadata, "IDPSSODescriptor") {
			protocols, _ := attribute(r, "protocolSupportEnumeration")
			if !contains(strings.Fields(protocols), nsProtocol) {
				continue
			}
			if role != nil {
				return nil, nil, errors.New("there are several IDPSSODescriptors of SAML 2.0; give one provider a file")
			}
			entity, role = e, r
		}
	}
	if role == nil {
		return nil, nil, errors.New("there is no IDPSSODescriptor of SAML 2.0")
	}
	if entity != root || len(entities) == 1 {
		if err := p.limit(entity); err != nil {
			return nil, nil, err
		}
	}
	return entity, role, p.limit(role)
}

// limit notes the earliest validUntil.
func (p *Provider) limit(el *etree.Element) error {
	v, ok := attribute(el, "validUntil")
	if !ok {
		return nil
	}
	t, err := parseTime(v)
	if err != nil {
		return fmt.Errorf("validUntil of %s is not a time", el.Tag)
	}
	if p.validUntil.IsZero() || t.Before(p.validUntil) {
		p.validUntil = t
	}
	return nil
}

// readKeys takes all certificates for signing: while a provider changes its key
// there are two.
func (p *Provider) readKeys(role *etree.Element) error {
	for _, d := range children(role, nsMetadata, "KeyDescriptor") {
		if use, ok := attribute(d, "use"); ok && use != "signing" {
			continue
		}
		for _, info := range children(d, nsSignature, "KeyInfo") {
			for _, data := range children(info, nsSignature, "X509Data") {
				for _, el := range children(data, nsSignature, "X509Certificate") {
					c, err := readCertificate(el)
					if err != nil {
						return fmt.Errorf("X509Certificate for signing: %w", err)
					}
					if !p.knows(c) {
						p.keys = append(p.keys, c)
					}
				}
			}
		}
	}
	return nil
}

func (p *Provider) knows(c *x509.Certificate) bool {
	for _, k := range p.keys {
		if k.Equal(c) {
			return true
		}
	}
	return false
}

func readCertificate(el *etree.Element) (*x509.Certificate, error) {
	s, _ := text(el)
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("it cannot be read: %w", err)
	}
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return nil, fmt.Errorf("its RSA key has %d bits, and %d are the least", k.N.BitLen(), minRSABits)
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P224() {
			return nil, errors.New("its curve is P-224, and P-256 is the least")
		}
	default:
		return nil, errors.New("its key is neither RSA nor ECDSA")
	}
	return c, nil
}

func (p *Provider) readSSO(role *etree.Element) error {
	for _, el := range children(role, nsMetadata, "SingleSignOnService") {
		if b, _ := attribute(el, "Binding"); b != bindingRedirect {
			continue
		}
		where, _ := attribute(el, "Location")
		u, err := url.Parse(where)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "" {
			return errors.New("the SingleSignOnService for HTTP-Redirect has a Location that is not an address of the web")
		}
		p.sso = u
		return nil
	}
	return nil
}

// EntityID is the name that the provider's assertions have as their Issuer.
func (p *Provider) EntityID() string { return p.entityID }

// CanRedirect reports whether browsers can be sent to the provider: its metadata
// names a SingleSignOnService of the HTTP-Redirect binding.
func (p *Provider) CanRedirect() bool { return p.sso != nil }

// WantsSigned reports whether the provider takes signed requests alone.
func (p *Provider) WantsSigned() bool { return p.wantSigned }

// ValidUntil is when the metadata stops to hold, and with it every response of
// the provider; zero: never.
func (p *Provider) ValidUntil() time.Time { return p.validUntil }

// Certificates is how many keys the provider may sign with.
func (p *Provider) Certificates() int { return len(p.keys) }

// ServiceMetadata is our own metadata, which operators give to their provider:
// our entity id, where assertions are posted to, and the certificate by which
// our requests are verified, if they are signed.
func ServiceMetadata(entityID string, acs []string, signer *Signer) ([]byte, error) {
	if entityID == "" || len(entityID) > maxEntityID || len(acs) == 0 {
		return nil, errors.New("metadata has an entity id and an address at least")
	}
	doc := etree.NewDocument()
	doc.CreateProcInst("xml", `version="1.0" encoding="UTF-8"`)
	root := doc.CreateElement("md:EntityDescriptor")
	root.CreateAttr("xmlns:md", nsMetadata)
	root.CreateAttr("xmlns:saml", nsAssertion)
	root.CreateAttr("entityID", entityID)
	role := root.CreateElement("md:SPSSODescriptor")
	role.CreateAttr("AuthnRequestsSigned", strconv.FormatBool(signer != nil))
	role.CreateAttr("WantAssertionsSigned", "true")
	role.CreateAttr("protocolSupportEnumeration", nsProtocol)
	if signer != nil {
		descriptor := role.CreateElement("md:KeyDescriptor")
		descriptor.CreateAttr("use", "signing")
		info := descriptor.CreateElement("ds:KeyInfo")
		info.CreateAttr("xmlns:ds", nsSignature)
		info.CreateElement("ds:X509Data").CreateElement("ds:X509Certificate").SetText(base64.StdEncoding.EncodeToString(signer.certificate.Raw))
	}
	for _, f := range []string{
		"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
		"urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
		"urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
		"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
	} {
		role.CreateElement("md:NameIDFormat").SetText(f)
	}
	for i, where := range acs {
		el := role.CreateElement("md:AssertionConsumerService")
		el.CreateAttr("Binding", bindingPOST)
		el.CreateAttr("Location", where)
		el.CreateAttr("index", strconv.Itoa(i))
		if i == 0 {
			el.CreateAttr("isDefault", "true")
		}
	}
	// What the provider has to send, as the metadata of AWS's own sign-in lists
	// it.
	service := role.CreateElement("md:AttributeConsumingService")
	service.CreateAttr("index", "0")
	name := service.CreateElement("md:ServiceName")
	name.CreateAttr("xml:lang", "en")
	name.SetText("ringdown")
	for _, a := range []string{attrRole, attrRoleSessionName} {
		el := service.CreateElement("md:RequestedAttribute")
		el.CreateAttr("Name", a)
		el.CreateAttr("NameFormat", "urn:oasis:names:tc:SAML:2.0:attrname-format:uri")
		el.CreateAttr("isRequired", "true")
	}
	doc.Indent(2)
	return doc.WriteToBytes()
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// parseTime reads an xs:dateTime, which SAML wants in UTC (saml-core-2.0
// §1.3.3) and some write without saying so.
func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05", s)
	}
	return t.UTC(), err
}

// formatTime writes one.
func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
