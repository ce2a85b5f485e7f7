package saml

import (
	"bytes"
	"compress/flate"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"

	"github.com/beevik/etree"
)

// NewRequestID makes an id for a Request: an NCName that cannot be guessed.
func NewRequestID() string { return "id-" + rand.Text() }

// Redirect is the URL that a browser is sent to with a request
// (saml-bindings-2.0 §3.4). Without a Signer the request is not signed: a provider
// that insists on it refuses it.
func (p *Provider) Redirect(r Request) (string, error) {
	if p.sso == nil {
		return "", errors.New("the provider's metadata names no SingleSignOnService for HTTP-Redirect")
	}
	doc := etree.NewDocument()
	el := doc.CreateElement("samlp:AuthnRequest")
	el.CreateAttr("xmlns:samlp", nsProtocol)
	el.CreateAttr("xmlns:saml", nsAssertion)
	el.CreateAttr("ID", r.ID)
	el.CreateAttr("Version", "2.0")
	el.CreateAttr("IssueInstant", formatTime(r.Now))
	el.CreateAttr("Destination", p.sso.String())
	el.CreateAttr("AssertionConsumerServiceURL", r.ACS)
	el.CreateAttr("ProtocolBinding", bindingPOST)
	el.CreateElement("saml:Issuer").SetText(r.Issuer)
	xml, err := doc.WriteToBytes()
	if err != nil {
		return "", fmt.Errorf("authentication request: %w", err)
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		return "", fmt.Errorf("authentication request: %w", err)
	}
	_, err = w.Write(xml)
	if err := errors.Join(err, w.Close()); err != nil {
		return "", fmt.Errorf("authentication request: %w", err)
	}
	u := *p.sso
	// The parameters go behind those that the address has, which are left as
	// they are written.
	query := "SAMLRequest=" + url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes()))
	if r.RelayState != "" {
		query += "&RelayState=" + url.QueryEscape(r.RelayState)
	}
	if r.Signer != nil {
		if query, err = r.Signer.sign(query); err != nil {
			return "", err
		}
	}
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = query
	return u.String(), nil
}
