package saml_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"ringdown/internal/prerequisite"
)

// TestXMLSec has responses signed by xmlsec1, which canonicalizes by libxml2: a
// second opinion of what is signed.
func TestXMLSec(t *testing.T) {
	tool, err := exec.LookPath("xmlsec1")
	if err != nil {
		prerequisite.Missing(t, "xmlsec1 is not installed")
	}
	const (
		elliptic  = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
		sha256    = "http://www.w3.org/2001/04/xmlenc#sha256"
		sha384    = "http://www.w3.org/2001/04/xmldsig-more#sha384"
		rsaSHA384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
		comments  = excC14N + "WithComments"
	)
	list := `<ds:Transform Algorithm="` + excC14N + `"><ec:InclusiveNamespaces xmlns:ec="` + excC14N + `" PrefixList="xs saml unused"/></ds:Transform>`
	for _, c := range []struct {
		name, method, digest, c14n, transform string
		by                                    *signer
	}{
		{"RSA with SHA-256", rsaSHA256, sha256, excC14N, transform(excC14N), theSigner()},
		{"RSA with SHA-384", rsaSHA384, sha384, excC14N, transform(excC14N), theSigner()},
		{"ECDSA", elliptic, sha256, excC14N, transform(excC14N), theElliptic()},
		{"with comments", rsaSHA256, sha256, comments, transform(comments), theSigner()},
		{"with a PrefixList", rsaSHA256, sha256, excC14N, list, theSigner()},
	} {
		for _, of := range []string{"Assertion", "Response"} {
			t.Run(c.name+", "+of, func(t *testing.T) {
				id, ns := "_a", "urn:oasis:names:tc:SAML:2.0:assertion"
				if of == "Response" {
					id, ns = "_r", "urn:oasis:names:tc:SAML:2.0:protocol"
				}
				template := `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="` + c.c14n +
					`"/><ds:SignatureMethod Algorithm="` + c.method + `"/><ds:Reference URI="#` + id + `"><ds:Transforms>` + transform(enveloped) + c.transform +
					`</ds:Transforms><ds:DigestMethod Algorithm="` + c.digest + `"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>`
				// What canonical forms differ in: declarations above, not used,
				// and only in values; white space and characters to escape.
				xml := replace(envelope(replace(assertion(), ` xmlns:xs="http://www.w3.org/2001/XMLSchema"`, "")), "<samlp:Response",
					`<samlp:Response xmlns="urn:other" xmlns:unused="urn:unused"`+"\n\t"+`xmlns:xs="http://www.w3.org/2001/XMLSchema"`)
				xml = replace(xml, `SessionIndex="s"`, `SessionIndex = 's&#10;&quot;&lt;&amp;&#x9;"ü'`)
				xml = replace(xml, "</saml:AttributeStatement>", attr("x", "a &gt; b &amp;&#13; c", "<![CDATA[<&>]]>", "\r\n", `<y xmlns="urn:y" z="1"><w xmlns="urn:w"/></y>`)+"</saml:AttributeStatement>")
				// Behind its Issuer, the first or the second of them.
				const issuer = "</saml:Issuer>"
				parts := strings.SplitAfterN(xml, issuer, 3)
				parts[map[string]int{"Response": 0, "Assertion": 1}[of]] += template
				xml = strings.Join(parts, "")
				got, err := provider(t, c.by).Validate(xmlsec(t, tool, xml, c.by, ns+":"+of), expect())
				if err != nil {
					t.Fatal(err)
				}
				if v := got.Attributes["x"]; !reflect.DeepEqual(v, []string{"a > b &\r c", "<&>", ""}) {
					t.Errorf("the values are %q", v)
				}
				if got.Subject != want().Subject || got.SessionName != "jane" {
					t.Errorf("got %+v", got)
				}
			})
		}
	}
}

// xmlsec fills in the template of a signature.
func xmlsec(t *testing.T, tool, xml string, by *signer, idOf string) []byte {
	t.Helper()
	dir := t.TempDir()
	der, err := x509.MarshalPKCS8PrivateKey(by.key)
	if err != nil {
		t.Fatal(err)
	}
	key, in := filepath.Join(dir, "key.pem"), filepath.Join(dir, "in.xml")
	if err := os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in, []byte(xml), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, tool, "--sign", "--privkey-pem", "key.pem", "--id-attr:ID", idOf, "in.xml")
	cmd.Dir = dir // a comma in a path would begin the path of a certificate
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("xmlsec1: %v\n%s", err, stderr.String())
	}
	return out
}
