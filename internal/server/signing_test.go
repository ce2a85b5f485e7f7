package server_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/certtest"
	"ringdown/internal/identity/saml/samltest"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// newSigning is a certificate of an RSA key, and its files.
func newSigning(t *testing.T) (*certtest.Certificate, server.Signing) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	servertest.OK(t, err)
	c := certtest.New(t, certtest.Options{Key: key})
	certFile, keyFile := c.Files(t)
	return c, server.Signing{Certificate: certFile, Key: keyFile}
}

// TestSignedRequests: with a key, what a provider is asked is signed by it and our
// metadata has the certificate; without one, the operator is told what is missing.
func TestSignedRequests(t *testing.T) {
	own, files := newSigning(t)
	idp := filepath.Join(t.TempDir(), "idp.xml")
	servertest.OK(t, os.WriteFile(idp, samltest.Provider{EntityID: "https://idp.example.org", Certificate: own.Raw, WantsSigned: true}.Metadata(), 0o600))
	for _, with := range []bool{true, false} {
		log := &servertest.Log{}
		s := servertest.Boot(t, func(c *server.Config) {
			c.SignIn.SAML = []server.SAMLProvider{{Name: "corp", Metadata: idp}}
			if with {
				c.SignIn.Signing = files
			}
			c.Logger = slog.New(slog.NewTextHandler(log, nil))
		})
		in, err := s.Connect.CreateInstance(t.Context(), &connect.CreateInstanceInput{
			IdentityManagementType: types.DirectoryTypeSaml, InstanceAlias: aws.String("acme"), InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
		})
		servertest.OK(t, err)
		client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
		get := func(path string) (*http.Response, string) {
			t.Helper()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+path, nil)
			servertest.OK(t, err)
			res, err := client.Do(req)
			servertest.OK(t, err)
			defer res.Body.Close()
			b, err := io.ReadAll(res.Body)
			servertest.OK(t, err)
			return res, string(b)
		}
		res, _ := get("/-/login/" + *in.Id + "/saml/start?provider=corp")
		to, err := res.Location()
		servertest.OK(t, err)
		signed, signature, _ := strings.Cut(to.RawQuery, "&Signature=")
		raw, err := url.QueryUnescape(signature)
		servertest.OK(t, err)
		sig, err := base64.StdEncoding.DecodeString(raw)
		servertest.OK(t, err)
		sum := sha256.Sum256([]byte(signed))
		if err := rsa.VerifyPKCS1v15(own.PublicKey.(*rsa.PublicKey), crypto.SHA256, sum[:], sig); (err == nil) != with {
			t.Errorf("with a key %t: %v: %s", with, err, to)
		}
		_, metadata := get("/-/login/saml?instance=acme")
		if strings.Contains(metadata, `AuthnRequestsSigned="true"`) != with || strings.Contains(metadata, base64.StdEncoding.EncodeToString(own.Raw)) != with {
			t.Errorf("with a key %t the metadata is %s", with, metadata)
		}
		if strings.Contains(log.String(), "wants requests signed") == with {
			t.Errorf("with a key %t the log says %s", with, log)
		}
	}
}

// TestSigningSetting: files that are not a certificate and its key are named.
func TestSigningSetting(t *testing.T) {
	_, good := newSigning(t)
	_, other := newSigning(t)
	for want, files := range map[string]server.Signing{
		"certificate must hold": {Key: good.Key},
		"key must hold":         {Certificate: good.Certificate},
		"not that of the key":   {Certificate: good.Certificate, Key: other.Key},
		"certificate: open":     {Certificate: "/nowhere/saml.crt", Key: good.Key},
		"key: open":             {Certificate: good.Certificate, Key: "/nowhere/saml.key"},
	} {
		s, err := server.Start(t.Context(), server.Config{Listen: "127.0.0.1:0", Data: t.TempDir(), SignIn: server.SignIn{Signing: files}})
		if err == nil {
			servertest.OK(t, s.Close())
		}
		if err == nil || !strings.Contains(err.Error(), "sign-in: signing: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", files, err)
		}
	}
}
