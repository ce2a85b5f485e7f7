// Package samltest writes the metadata of SAML identity providers for tests.
package samltest

import (
	"encoding/base64"
	"html"
)

// Provider is an identity provider.
type Provider struct {
	EntityID    string
	Certificate []byte // DER
	Posts       bool   // takes requests by HTTP-POST, and not by HTTP-Redirect
	WantsSigned bool   // wants requests signed
}

// Metadata is the provider's metadata (saml-metadata-2.0 §2.4.3). Browsers are
// sent to https://idp.example.org/sso.
func (p Provider) Metadata() []byte {
	binding, wants := "HTTP-Redirect", ""
	if p.Posts {
		binding = "HTTP-POST"
	}
	if p.WantsSigned {
		wants = ` WantAuthnRequestsSigned="true"`
	}
	return []byte(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + html.EscapeString(p.EntityID) + `">` +
		`<IDPSSODescriptor` + wants + ` protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing">` +
		`<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + base64.StdEncoding.EncodeToString(p.Certificate) +
		`</X509Certificate></X509Data></KeyInfo></KeyDescriptor>` +
		`<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:` + binding + `" Location="https://idp.example.org/sso"/>` +
		`</IDPSSODescriptor></EntityDescriptor>`)
}
