package saml_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"encoding/xml"
	"net/url"
	"strings"
	"testing"

	crewjam "github.com/crewjam/saml"

	"ringdown/internal/certtest"
	"ringdown/internal/identity/saml"
)

// pair makes a certificate of a key, nil for one of ECDSA; that it has expired must not matter.
func pair(t *testing.T, key crypto.Signer) *certtest.Certificate {
	t.Helper()
	return certtest.New(t, certtest.Options{Key: key, Expired: true})
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestSigned: what a provider does to verify a request (saml-bindings-2.0
// §3.4.4.1) succeeds, by the certificate in our metadata, and not once something
// has been changed.
func TestSigned(t *testing.T) {
	key := rsaKey(t, 2048)
	own := pair(t, key)
	for name, text := range map[string][]byte{
		"PKCS #8": own.KeyPEM(t),
		"PKCS #1": pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}),
	} {
		t.Run(name, func(t *testing.T) {
			signer, err := saml.NewSigner(own.PEM(), text)
			if err != nil {
				t.Fatal(err)
			}
			public := published(t, signer)
			for _, relay := range []string{"", "r.abc_-/a?b=c&d=é ~!*'()"} {
				where, err := provider(t, theSigner()).Redirect(saml.Request{ID: "id-1", Issuer: audience, ACS: acs, RelayState: relay, Now: now, Signer: signer})
				if err != nil {
					t.Fatal(err)
				}
				if !strings.HasPrefix(where, "https://idp.example.com/sso?tenant=7&x&SAMLRequest=") {
					t.Errorf("it goes to %s", where)
				}
				if err := verified(t, public, where); err != nil {
					t.Errorf("RelayState %q: %v", relay, err)
				}
				if got := query(t, where)["RelayState"]; got != url.QueryEscape(relay) {
					t.Errorf("RelayState is %q", got)
				}
				if verified(t, public, strings.Replace(where, "SAMLRequest=", "SAMLRequest=A", 1)) == nil {
					t.Error("another request has the signature")
				}
				if relay != "" && verified(t, public, strings.Replace(where, "RelayState=r", "RelayState=s", 1)) == nil {
					t.Error("another RelayState has the signature")
				}
			}
		})
	}
}

// published is the key in our metadata.
func published(t *testing.T, signer *saml.Signer) *rsa.PublicKey {
	t.Helper()
	b, err := saml.ServiceMetadata(audience, []string{acs}, signer)
	if err != nil {
		t.Fatal(err)
	}
	var d crewjam.EntityDescriptor
	if err := xml.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	sp := d.SPSSODescriptors[0]
	if sp.AuthnRequestsSigned == nil || !*sp.AuthnRequestsSigned || len(sp.KeyDescriptors) != 1 || sp.KeyDescriptors[0].Use != "signing" {
		t.Fatalf("it is %s", b)
	}
	// xs:sequence: the keys come before all else (saml-metadata-2.0 §2.4.1).
	if strings.Index(string(b), "KeyDescriptor") > strings.Index(string(b), "NameIDFormat") {
		t.Error("the certificate is not where the schema has it")
	}
	der, err := base64.StdEncoding.DecodeString(sp.KeyDescriptors[0].KeyInfo.X509Data.X509Certificates[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c.PublicKey.(*rsa.PublicKey)
}

// query is that of a URL, as it is written.
func query(t *testing.T, where string) map[string]string {
	t.Helper()
	_, raw, _ := strings.Cut(where, "?")
	all := map[string]string{}
	for p := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(p, "=")
		if _, twice := all[name]; twice {
			t.Fatalf("%s is there twice", name)
		}
		all[name] = value
	}
	return all
}

// verified does what a provider does.
func verified(t *testing.T, key *rsa.PublicKey, where string) error {
	t.Helper()
	q := query(t, where)
	signed := "SAMLRequest=" + q["SAMLRequest"]
	if relay, ok := q["RelayState"]; ok {
		signed += "&RelayState=" + relay
	}
	signed += "&SigAlg=" + q["SigAlg"]
	if alg, _ := url.QueryUnescape(q["SigAlg"]); alg != rsaSHA256 {
		t.Errorf("the algorithm is %q", alg)
	}
	text, err := url.QueryUnescape(q["Signature"])
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(signed))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
}

func TestNewSigner(t *testing.T) {
	own, other, weak, curve := pair(t, rsaKey(t, 2048)), pair(t, rsaKey(t, 2048)), pair(t, rsaKey(t, 1024)), pair(t, nil)
	good, key := own.PEM(), own.KeyPEM(t)
	for name, c := range map[string]struct {
		certificate, key []byte
		want             string
	}{
		"neither":             {nil, nil, "certificate must hold"},
		"no certificate":      {nil, key, "certificate must hold"},
		"no key":              {good, nil, "key must hold"},
		"exchanged":           {key, good, "certificate must hold"},
		"key of another":      {good, other.KeyPEM(t), "not that of the key"},
		"certificate for key": {good, good, "key must hold"},
		"weak":                {weak.PEM(), weak.KeyPEM(t), "1024 bits"},
		"ECDSA":               {curve.PEM(), curve.KeyPEM(t), "RSA"},
		"ECDSA's certificate": {curve.PEM(), key, "not that of the key"},
		"encrypted":           {good, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("x")}), "not encrypted"},
		"broken key":          {good, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("SECRET")}), "cannot be read"},
		"broken certificate":  {pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), key, "certificate"},
	} {
		s, err := saml.NewSigner(c.certificate, c.key)
		if err == nil || s != nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestWantsSigned(t *testing.T) {
	for value, want := range map[string]bool{"": false, ` WantAuthnRequestsSigned="true"`: true, ` WantAuthnRequestsSigned="1"`: true, ` WantAuthnRequestsSigned="false"`: false} {
		p, err := saml.ParseMetadata([]byte(strings.Replace(string(metadata("", theSigner())), "<IDPSSODescriptor", "<IDPSSODescriptor"+value, 1)))
		if err != nil || p.WantsSigned() != want {
			t.Errorf("%s: %v", value, err)
		}
	}
}
