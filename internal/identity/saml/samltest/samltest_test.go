package samltest_test

import (
	"testing"

	"ringdown/internal/certtest"
	"ringdown/internal/identity/saml"
	"ringdown/internal/identity/saml/samltest"
)

// TestMetadata: the metadata says what it was asked to say.
func TestMetadata(t *testing.T) {
	cert := certtest.New(t, certtest.Options{}).Raw
	for _, p := range []samltest.Provider{
		{EntityID: "https://idp.example.org/?a=1&b=2", Certificate: cert},
		{EntityID: "urn:example", Certificate: cert, Posts: true},
		{EntityID: "urn:example", Certificate: cert, WantsSigned: true},
	} {
		got, err := saml.ParseMetadata(p.Metadata())
		if err != nil {
			t.Fatal(err)
		}
		if got.EntityID() != p.EntityID || got.Certificates() != 1 || got.CanRedirect() == p.Posts || got.WantsSigned() != p.WantsSigned {
			t.Errorf("%s, %d certificates, can redirect %t, wants signed %t", got.EntityID(), got.Certificates(), got.CanRedirect(), got.WantsSigned())
		}
	}
}
