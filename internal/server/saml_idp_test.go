package server_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"html"
	"html/template"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"
	"github.com/crewjam/saml/samlidp"
	dsig "github.com/russellhaering/goxmldsig"

	"ringdown/internal/certtest"
	"ringdown/internal/server/servertest"
)

// identityProvider is a SAML identity provider of other people's making, on a
// port of its own.
type identityProvider struct {
	*samlidp.Server
	url  string
	role string // what its users may assume
	arn  string // the provider in our account
}

// The keys of the provider and of a forger cost a second each to make.
var (
	providerKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
	forgerKey   = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })
)

func startIdentityProvider(t *testing.T) *identityProvider {
	t.Helper()
	key, err := providerKey()
	servertest.OK(t, err)
	p := &identityProvider{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.ServeHTTP(w, r) }))
	t.Cleanup(web.Close)
	p.url = web.URL
	at, err := url.Parse(web.URL)
	servertest.OK(t, err)
	p.Server, err = samlidp.New(samlidp.Options{
		URL: *at, Key: key, Certificate: certificateOf(t, key), Store: &samlidp.MemoryStore{}, Logger: log.New(io.Discard, "", 0),
		LoginFormTemplate: template.Must(template.New("login").Parse(
			`<form method="post" action="` + web.URL + `/sso"><input name="user" value=""><input name="password" value="">` +
				`<input name="SAMLRequest" value="{{.SAMLRequest}}"><input name="RelayState" value="{{.RelayState}}"></form>`)),
	})
	servertest.OK(t, err)
	p.IDP.SignatureMethod = dsig.RSASHA256SignatureMethod
	p.IDP.AssertionMaker = p
	return p
}

func certificateOf(t *testing.T, key *rsa.PrivateKey) *x509.Certificate {
	t.Helper()
	return certtest.New(t, certtest.Options{Key: key}).Certificate
}

// MakeAssertion adds what AWS needs to what the provider says of everybody.
func (p *identityProvider) MakeAssertion(req *crewjam.IdpAuthnRequest, s *crewjam.Session) error {
	aws := func(name, value string) crewjam.Attribute {
		return crewjam.Attribute{Name: "https://aws.amazon.com/SAML/Attributes/" + name, Values: []crewjam.AttributeValue{{Type: "xs:string", Value: value}}}
	}
	with := *s
	with.CustomAttributes = append([]crewjam.Attribute{aws("Role", p.role+","+p.arn), aws("RoleSessionName", s.UserName)}, s.CustomAttributes...)
	return crewjam.DefaultAssertionMaker{}.MakeAssertion(req, &with)
}

// metadataFile is what the operator of the provider hands out.
func (p *identityProvider) metadataFile(t *testing.T) string {
	t.Helper()
	raw := get(t, http.DefaultClient, p.url+"/metadata")
	file := filepath.Join(t.TempDir(), "idp.xml")
	servertest.OK(t, os.WriteFile(file, []byte(raw), 0o600))
	return file
}

// put keeps something in the provider.
func (p *identityProvider) put(t *testing.T, path string, body []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, p.url+path, bytes.NewReader(body))
	servertest.OK(t, err)
	res, err := http.DefaultClient.Do(req)
	servertest.OK(t, err)
	servertest.OK(t, res.Body.Close())
	if res.StatusCode != http.StatusNoContent {
		t.Fatalf("PUT %s: %s", path, res.Status)
	}
}

func (p *identityProvider) addUser(t *testing.T, name, password string) {
	t.Helper()
	body, err := json.Marshal(samlidp.User{Name: name, PlaintextPassword: &password, Email: name + "@example.com"})
	servertest.OK(t, err)
	p.put(t, "/users/"+name, body)
}

// response makes a response without asking anybody for a password, as changed;
// by is the key that signs it, nil for the provider's.
func (p *identityProvider) response(t *testing.T, service []byte, user string, by *rsa.PrivateKey, change func(*crewjam.Assertion)) string {
	t.Helper()
	var sp crewjam.EntityDescriptor
	servertest.OK(t, xml.Unmarshal(service, &sp))
	idp := p.IDP
	if by != nil {
		idp.Key, idp.Certificate = by, certificateOf(t, by)
	}
	acs := sp.SPSSODescriptors[0].AssertionConsumerServices[0]
	req := &crewjam.IdpAuthnRequest{
		IDP: &idp, HTTPRequest: httptest.NewRequest(http.MethodGet, "/", nil), Now: time.Now(),
		ServiceProviderMetadata: &sp, SPSSODescriptor: &sp.SPSSODescriptors[0], ACSEndpoint: &acs,
	}
	session := &crewjam.Session{UserName: user, NameID: user + "@example.com", UserEmail: user + "@example.com", CreateTime: time.Now(), Index: "1"}
	servertest.OK(t, p.MakeAssertion(req, session))
	if change != nil {
		change(req.Assertion)
	}
	form, err := req.PostBinding()
	servertest.OK(t, err)
	raw, err := base64.StdEncoding.DecodeString(form.SAMLResponse)
	servertest.OK(t, err)
	return string(raw)
}

// newBrowser keeps cookies, and goes where it is sent.
func newBrowser(t *testing.T, trust *x509.CertPool) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	servertest.OK(t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport, Timeout: time.Minute}
}

func get(t *testing.T, c *http.Client, where string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, where, nil)
	servertest.OK(t, err)
	return read(t, c, req)
}

func read(t *testing.T, c *http.Client, req *http.Request) string {
	t.Helper()
	page, status := visit(t, c, req)
	if status != http.StatusOK {
		t.Fatalf("%s %s: %d\n%s", req.Method, req.URL, status, page)
	}
	return page
}

func visit(t *testing.T, c *http.Client, req *http.Request) (page string, status int) {
	t.Helper()
	res, err := c.Do(req)
	servertest.OK(t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	servertest.OK(t, err)
	return string(raw), res.StatusCode
}

var (
	formPattern  = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	inputPattern = regexp.MustCompile(`<input[^>]* name="([^"]*)"[^>]* value="([^"]*)"`)
)

// formOf is the form of a page, filled in.
func formOf(t *testing.T, page string, fill map[string]string) (action string, values url.Values) {
	t.Helper()
	m := formPattern.FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("there is no form in\n%s", page)
	}
	values = url.Values{}
	for _, i := range inputPattern.FindAllStringSubmatch(page, -1) {
		values.Set(i[1], html.UnescapeString(i[2]))
	}
	for k, v := range fill {
		values.Set(k, v)
	}
	return html.UnescapeString(m[1]), values
}

func post(t *testing.T, c *http.Client, where string, values url.Values) (page string, status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, where, bytes.NewReader([]byte(values.Encode())))
	servertest.OK(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return visit(t, c, req)
}
