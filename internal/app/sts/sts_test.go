package sts

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/federation"
	"ringdown/internal/iam"
	"ringdown/internal/identity/saml"
)

// asked are roles that keep what is asked of them.
type asked struct {
	provider, response string
	wish               federation.Wish
	times              int
	assumed            *federation.Assumed
	err                error
}

func (a *asked) Assume(_ context.Context, w federation.Wish) (*federation.Assumed, error) {
	a.wish = w
	a.times++
	return a.assumed, a.err
}

func (a *asked) AssumeWithSAML(_ context.Context, provider, response string, w federation.Wish) (*federation.Assumed, error) {
	a.provider, a.response = provider, response
	return a.Assume(context.Background(), w)
}

const (
	roleARN     = "arn:aws:iam::123456789012:role/desk"
	providerARN = "arn:aws:iam::123456789012:saml-provider/MySAMLIdP"
	sessionARN  = "arn:aws:sts::123456789012:assumed-role/desk/mary"
	sessionID   = "AROAEXAMPLEEXAMPLE000:mary"
)

var ends = time.Date(2026, time.March, 1, 13, 0, 0, 0, time.UTC)

func assumed() *federation.Assumed {
	return &federation.Assumed{
		Key: &iam.Key{ID: "ASIAEXAMPLEEXAMPLE00", Secret: "secret", Token: "token", Expires: ends}, //nolint:gosec // no credentials
		ARN: sessionARN, ID: sessionID,
	}
}

func TestAssumeRole(t *testing.T) {
	user := &types.AssumedRoleUser{Arn: aws.String(sessionARN), AssumedRoleId: aws.String(sessionID)}
	made := &types.Credentials{
		AccessKeyId: aws.String("ASIAEXAMPLEEXAMPLE00"), SecretAccessKey: aws.String("secret"), SessionToken: aws.String("token"), Expiration: &ends,
	}
	full := assumed()
	full.Session.SourceIdentity = "mary.major"
	full.Packed = 7
	for _, c := range []struct {
		name string
		in   *sts.AssumeRoleInput
		wish federation.Wish
		got  *federation.Assumed
		out  *sts.AssumeRoleOutput
	}{
		{
			"the least", &sts.AssumeRoleInput{RoleArn: aws.String(roleARN), RoleSessionName: aws.String("mary")},
			federation.Wish{RoleARN: roleARN, SessionName: "mary", Policy: []byte{}, Tags: map[string]string{}},
			assumed(), &sts.AssumeRoleOutput{AssumedRoleUser: user, Credentials: made},
		},
		{
			"the most", &sts.AssumeRoleInput{
				RoleArn: aws.String(roleARN), RoleSessionName: aws.String("mary"), DurationSeconds: aws.Int32(900), ExternalId: aws.String("ignored"),
				Policy: aws.String("{}"), SourceIdentity: aws.String("mary.major"), TransitiveTagKeys: []string{"a"},
				Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("")}},
			},
			federation.Wish{
				RoleARN: roleARN, SessionName: "mary", Duration: 15 * time.Minute, SourceIdentity: "mary.major", Policy: []byte("{}"),
				Tags: map[string]string{"a": "1", "b": ""}, TransitiveKeys: []string{"a"},
			},
			full, &sts.AssumeRoleOutput{
				AssumedRoleUser: user, Credentials: made, SourceIdentity: aws.String("mary.major"),
				PackedPolicySize: aws.Int32(7), //nolint:staticcheck // what replaces it the service model does not have yet
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			roles := &asked{assumed: c.got}
			out, err := New(roles).AssumeRole(context.Background(), c.in)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(roles.wish, c.wish) {
				t.Errorf("asked for %+v, want %+v", roles.wish, c.wish)
			}
			if !reflect.DeepEqual(out, c.out) {
				t.Errorf("answered %+v, want %+v", out, c.out)
			}
		})
	}
}

// TestRefused: what cannot be had is refused before a role is asked for, and
// what the roles refuse as they do.
func TestRefused(t *testing.T) {
	managed := []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}}
	for _, c := range []struct {
		name string
		in   *sts.AssumeRoleInput
		code fault.Code
	}{
		{"managed policies", &sts.AssumeRoleInput{PolicyArns: managed}, fault.ValidationError},
		{"a tag twice", &sts.AssumeRoleInput{Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("a"), Value: aws.String("2")}}}, fault.ValidationError},
		{"MFA", &sts.AssumeRoleInput{SerialNumber: aws.String("GAHT12345678")}, fault.AccessDenied},
		{"a code alone", &sts.AssumeRoleInput{TokenCode: aws.String("123456")}, fault.AccessDenied},
		{"contexts", &sts.AssumeRoleInput{ProvidedContexts: []types.ProvidedContext{{}}}, fault.ValidationError},
	} {
		roles := &asked{assumed: assumed()}
		if _, err := New(roles).AssumeRole(context.Background(), c.in); !fault.Is(err, c.code) || roles.times != 0 {
			t.Errorf("%s: %v, after asking %d times", c.name, err, roles.times)
		}
	}
	roles := &asked{assumed: assumed()}
	if _, err := New(roles).AssumeRoleWithSAML(context.Background(), &sts.AssumeRoleWithSAMLInput{PolicyArns: managed}); !fault.Is(err, fault.ValidationError) || roles.times != 0 {
		t.Errorf("managed policies by SAML: %v, after asking %d times", err, roles.times)
	}
	roles.err = errors.New("the database is gone")
	if _, err := New(roles).AssumeRole(context.Background(), &sts.AssumeRoleInput{}); !errors.Is(err, roles.err) {
		t.Errorf("got %v", err)
	}
	if _, err := New(roles).AssumeRoleWithSAML(context.Background(), &sts.AssumeRoleWithSAMLInput{}); !errors.Is(err, roles.err) {
		t.Errorf("by SAML: got %v", err)
	}
}

// TestAssumeRoleWithSAML holds the members of the answer to what the STS API
// reference says of each. The digest is that of its example of a NameQualifier,
// "https://example.com/saml" + "123456789012" + "/MySAMLIdP".
func TestAssumeRoleWithSAML(t *testing.T) {
	got := assumed()
	got.Assertion = &saml.Assertion{
		Issuer: "https://example.com/saml", Subject: "mary@example.com", SubjectType: "persistent",
		Audience: "urn:amazon:webservices", Recipient: "https://signin.aws.amazon.com/saml",
	}
	roles := &asked{assumed: got}
	ctx := domain.WithCaller(context.Background(), &domain.Caller{Account: "123456789012"})
	out, err := New(roles).AssumeRoleWithSAML(ctx, &sts.AssumeRoleWithSAMLInput{
		RoleArn: aws.String(roleARN), PrincipalArn: aws.String(providerARN), SAMLAssertion: aws.String("PGE+"), DurationSeconds: aws.Int32(3600), Policy: aws.String("{}"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (federation.Wish{RoleARN: roleARN, Duration: time.Hour, Policy: []byte("{}")}); roles.provider != providerARN || roles.response != "PGE+" || !reflect.DeepEqual(roles.wish, want) {
		t.Errorf("asked %s for %+v with %s", roles.provider, roles.wish, roles.response)
	}
	want := &sts.AssumeRoleWithSAMLOutput{
		AssumedRoleUser: &types.AssumedRoleUser{Arn: aws.String(sessionARN), AssumedRoleId: aws.String(sessionID)},
		Credentials: &types.Credentials{
			AccessKeyId: aws.String("ASIAEXAMPLEEXAMPLE00"), SecretAccessKey: aws.String("secret"), SessionToken: aws.String("token"), Expiration: &ends,
		},
		Audience: aws.String("https://signin.aws.amazon.com/saml"), Issuer: aws.String("https://example.com/saml"),
		NameQualifier: aws.String("1uAJanUnBc2XeUkHURMht+xam2c="), Subject: aws.String("mary@example.com"), SubjectType: aws.String("persistent"),
	}
	if !reflect.DeepEqual(out, want) {
		t.Errorf("answered %+v, want %+v", out, want)
	}
}
