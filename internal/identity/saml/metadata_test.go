package saml_test

import (
	"bytes"
	"compress/flate"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/xml"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"

	"ringdown/internal/identity/saml"
)

func TestMetadata(t *testing.T) {
	good := string(metadata("", theSigner(), theNext(), theSigner()))
	entity := good[strings.Index(good, "<EntityDescriptor"):]
	for name, c := range map[string]struct {
		xml  string
		keys int
		err  string
	}{
		"two keys":                    {good, 2, ""},
		"a byte order mark":           {"\uFEFF" + good, 2, ""},
		"one of several":              {`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><EntityDescriptor entityID="sp"><SPSSODescriptor/></EntityDescriptor>` + entity + `</EntitiesDescriptor>`, 2, ""},
		"a key for all uses":          {replace(good, ` use="signing"`, ""), 2, ""},
		"keys for encryption":         {strings.ReplaceAll(good, `use="signing"`, `use="encryption"`), 0, "no X509Certificate for signing"},
		"several providers":           {`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">` + entity + entity + `</EntitiesDescriptor>`, 0, "several IDPSSODescriptors"},
		"another protocol":            {replace(good, "SAML:2.0:protocol", "SAML:1.1:protocol"), 0, "no IDPSSODescriptor of SAML 2.0"},
		"of a service":                {strings.ReplaceAll(good, "IDPSSODescriptor", "SPSSODescriptor"), 0, "no IDPSSODescriptor"},
		"not metadata":                {signed(), 0, "begins with \"Response\""},
		"without a name":              {replace(good, `entityID="`+idp+`"`, ""), 0, "entityID"},
		"a name too long":             {replace(good, `entityID="`+idp, `entityID="`+strings.Repeat("x", 1025)), 0, "entityID"},
		"a DTD":                       {"<!DOCTYPE x>" + entity, 0, "refused"},
		"not base64":                  {replace(good, "<ds:X509Certificate>", "<ds:X509Certificate>!"), 0, "not base64"},
		"not a certificate":           {replace(good, "<ds:X509Certificate>", "<ds:X509Certificate>AAAA"), 0, "cannot be read"},
		"a short key":                 {string(metadata("", newRSA(1024))), 0, "1024 bits"},
		"another kind of key":         {string(metadata("", newEd25519())), 0, "neither RSA nor ECDSA"},
		"a script to go to":           {replace(good, `"https://idp.example.com/sso?tenant=7&amp;x"`, `"javascript:alert(1)"`), 0, "not an address of the web"},
		"a time that is none":         {string(metadata(` validUntil="soon"`, theSigner())), 0, "validUntil"},
		"too long":                    {good + strings.Repeat(" ", 1<<20), 0, "longer than"},
		"nothing":                     {"", 0, "refused"},
		"HTML, as at a wrong address": {"<!DOCTYPE html><html></html>", 0, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := saml.ParseMetadata([]byte(c.xml))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("err = %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p.EntityID() != idp || p.Certificates() != c.keys || !p.CanRedirect() || !p.ValidUntil().IsZero() {
				t.Errorf("%s has %d keys, can redirect: %t, valid until %v", p.EntityID(), p.Certificates(), p.CanRedirect(), p.ValidUntil())
			}
		})
	}
}

func newEd25519() *signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return newSigner(key)
}

func TestMetadataExpires(t *testing.T) {
	for _, c := range []struct {
		name, role, entity string
		ok                 bool
	}{
		{"later", at(time.Second), at(time.Second), true},
		{"the role's now", at(0), at(time.Second), false},
		{"the entity's now", at(time.Second), at(0), false},
	} {
		xml := replace(string(metadata(` validUntil="`+c.role+`"`, theSigner())), "<EntityDescriptor", `<EntityDescriptor validUntil="`+c.entity+`"`)
		p, err := saml.ParseMetadata([]byte(xml))
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Validate([]byte(signed()), expect())
		if c.ok {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		refused(t, got, err, saml.Invalid, "metadata was valid until")
	}
}

func TestRedirect(t *testing.T) {
	p := provider(t, theSigner())
	id := saml.NewRequestID()
	if other := saml.NewRequestID(); other == id || len(id) < 20 {
		t.Fatalf("ids are %q and %q", id, other)
	}
	where, err := p.Redirect(saml.Request{ID: id, Issuer: audience, ACS: acs + "?a&b", RelayState: "to /a?b=c&d", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(where, "https://idp.example.com/sso?tenant=7&x&SAMLRequest=") {
		t.Errorf("it goes to %s", where)
	}
	u, err := url.Parse(where)
	if err != nil {
		t.Fatal(err)
	}
	if s := u.Query().Get("RelayState"); s != "to /a?b=c&d" {
		t.Errorf("RelayState is %q", s)
	}
	packed, err := base64.StdEncoding.DecodeString(u.Query().Get("SAMLRequest"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
	if err != nil {
		t.Fatal(err)
	}
	// As somebody else's reader has it.
	var r crewjam.AuthnRequest
	if err := xml.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if r.ID != id || r.Version != "2.0" || !r.IssueInstant.Equal(now) || r.Issuer.Value != audience ||
		r.Destination != "https://idp.example.com/sso?tenant=7&x" || r.AssertionConsumerServiceURL != acs+"?a&b" ||
		r.ProtocolBinding != crewjam.HTTPPostBinding {
		t.Errorf("the request is %s", b)
	}
}

func TestNoRedirect(t *testing.T) {
	p, err := saml.ParseMetadata([]byte(replace(string(metadata("", theSigner())), "HTTP-Redirect", "SOAP")))
	if err != nil {
		t.Fatal(err)
	}
	if p.CanRedirect() {
		t.Error("it can redirect")
	}
	if _, err := p.Redirect(saml.Request{ID: "x", Now: now}); err == nil {
		t.Error("it redirects")
	}
}

func TestServiceMetadata(t *testing.T) {
	b, err := saml.ServiceMetadata(audience, []string{acs + "?x&y", "https://cc.example.com/other"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var d crewjam.EntityDescriptor
	if err := xml.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	if d.EntityID != audience || len(d.SPSSODescriptors) != 1 {
		t.Fatalf("it is %s", b)
	}
	sp := d.SPSSODescriptors[0]
	if len(sp.AssertionConsumerServices) != 2 || sp.AssertionConsumerServices[0].Location != acs+"?x&y" ||
		sp.AssertionConsumerServices[0].Binding != crewjam.HTTPPostBinding || sp.AssertionConsumerServices[1].Index != 1 ||
		sp.WantAssertionsSigned == nil || !*sp.WantAssertionsSigned || sp.AuthnRequestsSigned == nil || *sp.AuthnRequestsSigned || len(sp.KeyDescriptors) != 0 {
		t.Errorf("it is %s", b)
	}
	for _, acs := range [][]string{nil, {}} {
		if _, err := saml.ServiceMetadata(audience, acs, nil); err == nil {
			t.Error("metadata without an address")
		}
	}
}
