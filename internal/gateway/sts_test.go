package gateway_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

func TestGetCallerIdentity(t *testing.T) {
	s := servertest.Boot(t)
	ctx := context.Background()
	out, err := s.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != "123456789012" || *out.Arn != "arn:aws:iam::123456789012:root" || *out.UserId != "123456789012" {
		t.Errorf("the root is %s %s %s", *out.Account, *out.Arn, *out.UserId)
	}

	keys, err := server.OpenKeys(ctx, server.Config{Data: s.Data})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := keys.Close(); err != nil {
			t.Error(err)
		}
	}()
	// Nobody needs a permission for it, and none can be taken away.
	made, err := keys.Create(ctx, server.NewKey{UserName: "mary", Policy: json.RawMessage(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`)})
	if err != nil {
		t.Fatal(err)
	}
	mary := sts.New(sts.Options{
		Region: "eu-west-1", BaseEndpoint: aws.String(s.URL), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(made.AccessKeyID, made.SecretAccessKey, ""),
	})
	if out, err = mary.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
		t.Fatal(err)
	}
	if *out.Account != "123456789012" || *out.Arn != "arn:aws:iam::123456789012:user/mary" || *out.UserId == "" || *out.UserId == "123456789012" {
		t.Errorf("mary is %s %s %s", *out.Account, *out.Arn, *out.UserId)
	}
}

// TestErrorsAsXML: the query protocol has its own names for errors, and XML
// (AWS STS API reference, "Common Error Types").
func TestErrorsAsXML(t *testing.T) {
	s := servertest.Boot(t)
	const (
		identity     = "Action=GetCallerIdentity&Version=2011-06-15"
		assumeBySAML = "Action=AssumeRoleWithSAML&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/desk&PrincipalArn=arn:aws:iam::123456789012:saml-provider/idp"
	)
	for _, c := range []struct {
		name, body string
		id, secret string // no signature when empty
		service    string
		status     int
		code       string
	}{
		{"unsigned", identity, "", "", "", 403, "MissingAuthenticationToken"},
		{"unknown key", identity, "AKIANOSUCHKEY0000000", "secret", "sts", 403, "InvalidClientTokenId"},
		{"wrong secret", identity, s.Root.AccessKeyID, "secret", "sts", 403, "SignatureDoesNotMatch"},
		{"signed for another service", identity, s.Root.AccessKeyID, s.Root.SecretAccessKey, "connect", 403, "SignatureDoesNotMatch"},
		{"no action", "", s.Root.AccessKeyID, s.Root.SecretAccessKey, "sts", 400, "InvalidAction"},
		{"unknown action", "Action=Guess&Version=2011-06-15", s.Root.AccessKeyID, s.Root.SecretAccessKey, "sts", 400, "InvalidAction"},
		{"broken request", "Action=AssumeRole&Version=2011-06-15", s.Root.AccessKeyID, s.Root.SecretAccessKey, "sts", 400, "ValidationError"},
		{"refused", "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/desk&RoleSessionName=mary", s.Root.AccessKeyID, s.Root.SecretAccessKey, "sts", 403, "AccessDenied"},
		{"unsigned where a signature is needed", "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::123456789012:role/desk&RoleSessionName=mary", "", "", "", 403, "MissingAuthenticationToken"},
		{"no assertion", assumeBySAML, "", "", "", 400, "ValidationError"},
		{"no assertion, signed", assumeBySAML, "AKIANOSUCHKEY0000000", "secret", "sts", 400, "ValidationError"},
		{"a false assertion", assumeBySAML + "&SAMLAssertion=PGE%2BPC9hPg%3D%3D", "", "", "", 400, "InvalidIdentityToken"},
		{"a false assertion, signed", assumeBySAML + "&SAMLAssertion=PGE%2BPC9hPg%3D%3D", "AKIANOSUCHKEY0000000", "secret", "sts", 400, "InvalidIdentityToken"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := request(t, "POST", s.URL+"/", c.body)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if c.id != "" {
				sign(t, r, c.body, c.id, c.secret, c.service, "us-east-1", time.Now())
			}
			resp, body := send(t, r)
			var e struct {
				XMLName xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
				Error   struct{ Type, Code, Message string }
				ID      string `xml:"RequestId"`
			}
			if err := xml.Unmarshal([]byte(body), &e); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if resp.StatusCode != c.status || e.Error.Code != c.code || e.Error.Message == "" || e.ID != resp.Header.Get("x-amzn-RequestId") {
				t.Errorf("%d %s, want %d %s", resp.StatusCode, body, c.status, c.code)
			}
			if got := resp.Header.Get("Content-Type"); got != "text/xml" {
				t.Errorf("Content-Type is %q", got)
			}
			wantType := "Sender"
			if c.status >= http.StatusInternalServerError {
				wantType = "Receiver"
			}
			if e.Error.Type != wantType {
				t.Errorf("the type is %s, want %s", e.Error.Type, wantType)
			}
		})
	}
}
