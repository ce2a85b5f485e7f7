package gateway_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// sessions is a server whose roles are for everybody whose policies allow it,
// and a user who may assume them. Its clock can be put forward.
type sessions struct {
	*servertest.Server
	user   *sts.Client // of the user ops
	passed atomic.Int64
}

// allow is a policy document as the configuration has it.
func allow(actions ...string) map[string]any {
	return map[string]any{
		"Version":   "2012-10-17",
		"Statement": map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"},
	}
}

func bootSessions(t *testing.T) *sessions {
	t.Helper()
	s := &sessions{}
	start := time.Now()
	s.Server = servertest.Boot(t, func(c *server.Config) {
		c.Now = func() time.Time { return start.Add(time.Duration(s.passed.Load())) }
		c.SignIn.Roles = []server.Role{
			{Name: "desk", Policy: allow("connect:List*", "connect:GetFederationToken", "sts:*"), AssumedBy: []string{"account"}, MaxSession: "2h"},
			{Name: "night", Policy: allow("connect:*"), AssumedBy: []string{"role/desk"}},
			{Name: "support", Policy: map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
				"Effect": "Allow", "Action": "connect:ListUsers", "Resource": "*",
				"Condition": map[string]any{"StringEquals": map[string]any{
					"aws:PrincipalTag/Department": "Support", "aws:PrincipalType": "AssumedRole", "aws:SourceIdentity": "mary.major",
					"aws:PrincipalArn": "arn:aws:iam::123456789012:role/support",
				}, "StringLike": map[string]any{"aws:userid": "AROA*:mary"}, "Null": map[string]any{"aws:TokenIssueTime": "false", "aws:username": "true"}},
			}}, AssumedBy: []string{"account"}},
			{Name: "self", Policy: map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
				"Effect": "Allow", "Action": "connect:GetFederationToken", "Resource": "arn:aws:connect:us-east-1:123456789012:instance/*/user/${aws:userid}",
			}}, AssumedBy: []string{"account"}},
			{Name: "nobody", Policy: map[string]any{"Version": "2012-10-17", "Statement": map[string]any{
				"Effect": "Allow", "Action": "connect:GetFederationToken", "Resource": "arn:aws:connect:us-east-1:123456789012:instance/*/user/AIDA*",
			}}, AssumedBy: []string{"account"}},
		}
	})
	ctx := context.Background()
	keys, err := server.OpenKeys(ctx, server.Config{Data: s.Data})
	if err != nil {
		t.Fatal(err)
	}
	made, err := keys.Create(ctx, server.NewKey{UserName: "ops", Policy: json.RawMessage(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}`)})
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Close(); err != nil {
		t.Fatal(err)
	}
	s.user = s.sts(credentials.NewStaticCredentialsProvider(made.AccessKeyID, made.SecretAccessKey, ""))
	return s
}

func (s *sessions) sts(c aws.CredentialsProvider) *sts.Client {
	return sts.New(sts.Options{Region: servertest.Region, BaseEndpoint: aws.String(s.URL), Retryer: aws.NopRetryer{}, Credentials: c})
}

// connect is a client with temporary credentials.
func (s *sessions) connect(c *ststypes.Credentials) *connect.Client {
	return s.Client("", "", func(o *connect.Options) { o.Credentials = temporary(c) })
}

func temporary(c *ststypes.Credentials) aws.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

func role(name string) *string { return aws.String("arn:aws:iam::123456789012:role/" + name) }

func (s *sessions) assume(t *testing.T, who *sts.Client, name string, change ...func(*sts.AssumeRoleInput)) *sts.AssumeRoleOutput {
	t.Helper()
	in := &sts.AssumeRoleInput{RoleArn: role(name), RoleSessionName: aws.String("mary")}
	for _, f := range change {
		f(in)
	}
	out, err := who.AssumeRole(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// packedSize is what clients of all ages read.
func packedSize(out *sts.AssumeRoleOutput) *int32 {
	return out.PackedPolicySize //nolint:staticcheck // what replaces it the service model does not have yet
}

// TestTemporaryCredentials: a role is assumed, its credentials sign requests and
// assume another role, each until its end.
func TestTemporaryCredentials(t *testing.T) {
	s := bootSessions(t)
	ctx := context.Background()
	id := s.NewInstance(t)
	out := s.assume(t, s.user, "desk", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7200) })
	const arn = "arn:aws:sts::123456789012:assumed-role/desk/mary"
	if *out.AssumedRoleUser.Arn != arn || !strings.HasSuffix(*out.AssumedRoleUser.AssumedRoleId, ":mary") || !strings.HasPrefix(*out.AssumedRoleUser.AssumedRoleId, "AROA") {
		t.Errorf("the session is %s %s", *out.AssumedRoleUser.Arn, *out.AssumedRoleUser.AssumedRoleId)
	}
	if packed := packedSize(out); packed != nil || out.SourceIdentity != nil {
		t.Errorf("there is something of nothing: %v %v", packed, out.SourceIdentity)
	}
	self := s.sts(temporary(out.Credentials))
	who, err := self.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *who.Arn != arn || *who.UserId != *out.AssumedRoleUser.AssumedRoleId || *who.Account != "123456789012" {
		t.Errorf("it is %s %s of %s", *who.Arn, *who.UserId, *who.Account)
	}
	client := s.connect(out.Credentials)
	if _, err := client.ListUsers(ctx, &connect.ListUsersInput{InstanceId: &id}); err != nil {
		t.Error(err)
	}
	_, err = client.DescribeInstance(ctx, &connect.DescribeInstanceInput{InstanceId: &id})
	if status, code := outcome(t, err); status != 403 || code != "AccessDeniedException" ||
		!strings.Contains(err.Error(), "User: "+arn+" is not authorized to perform: connect:DescribeInstance on resource: ") {
		t.Errorf("what the role does not allow: %v", err)
	}

	// A role assumed by a role lasts an hour at most.
	night := s.assume(t, self, "night")
	if left := time.Until(*night.Credentials.Expiration); left > time.Hour || left < 59*time.Minute {
		t.Errorf("the second role lasts %s", left)
	}
	if _, err := s.connect(night.Credentials).DescribeInstance(ctx, &connect.DescribeInstanceInput{InstanceId: &id}); err != nil {
		t.Error(err)
	}
	_, err = s.user.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: role("night"), RoleSessionName: aws.String("mary")})
	if status, code := outcome(t, err); status != 403 || code != "AccessDenied" {
		t.Errorf("a role that does not trust its caller: %v", err)
	}

	// The signature is checked before anything is told of a token.
	wrong := *out.Credentials
	for name, change := range map[string]func(){
		"another secret": func() { wrong.SecretAccessKey = night.Credentials.SecretAccessKey },
		"another token":  func() { wrong.SessionToken = night.Credentials.SessionToken },
		"no token":       func() { wrong.SessionToken = aws.String("") },
		"another id":     func() { wrong.AccessKeyId = night.Credentials.AccessKeyId },
	} {
		wrong = *out.Credentials
		change()
		want := map[bool]string{true: "InvalidSignatureException", false: "UnrecognizedClientException"}[name == "another secret"]
		_, err := s.connect(&wrong).ListUsers(ctx, &connect.ListUsersInput{InstanceId: &id})
		if status, code := outcome(t, err); status != 403 || code != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestExpiredCredentials: after their end credentials are refused, by Amazon
// Connect and by STS in the words of each.
func TestExpiredCredentials(t *testing.T) {
	s := bootSessions(t)
	id := s.NewInstance(t)
	out := s.assume(t, s.user, "desk", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(900) })
	if left := time.Until(*out.Credentials.Expiration); left > 15*time.Minute || left < 14*time.Minute {
		t.Errorf("they last %s", left)
	}
	const form = "Action=GetCallerIdentity&Version=2011-06-15"
	ask := func(method, path, body, service string, at time.Time) (int, string) {
		t.Helper()
		r := request(t, method, s.URL+path, body)
		r.Header.Set("X-Amz-Security-Token", *out.Credentials.SessionToken)
		if body != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		sign(t, r, body, *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, service, "us-east-1", at)
		resp, text := send(t, r)
		return resp.StatusCode, resp.Header.Get("x-amzn-ErrorType") + " " + text
	}
	for _, c := range []struct {
		name    string
		passed  time.Duration
		status  int
		connect string
		sts     string
	}{
		{"before", 14 * time.Minute, http.StatusOK, "", ""},
		{"after", 15 * time.Minute, http.StatusForbidden, "ExpiredTokenException ", "<Code>ExpiredToken</Code>"},
	} {
		s.passed.Store(int64(c.passed))
		now := time.Now().Add(c.passed)
		if status, text := ask("GET", "/users-summary/"+id, "", "connect", now); status != c.status || !strings.Contains(text, c.connect) {
			t.Errorf("Amazon Connect %s: %d %s", c.name, status, text)
		}
		if status, text := ask("POST", "/", form, "sts", now); status != c.status || !strings.Contains(text, c.sts) {
			t.Errorf("STS %s: %d %s", c.name, status, text)
		}
	}
}

// TestSessionConditions: what policies learn of a session, and what a session
// policy leaves of its role.
func TestSessionConditions(t *testing.T) {
	s := bootSessions(t)
	ctx := context.Background()
	id := s.NewInstance(t)
	list := func(c *ststypes.Credentials) error {
		_, err := s.connect(c).ListUsers(ctx, &connect.ListUsersInput{InstanceId: &id})
		return err
	}
	tagged := func(in *sts.AssumeRoleInput) {
		in.Tags = []ststypes.Tag{{Key: aws.String("Department"), Value: aws.String("Support")}, {Key: aws.String("Team"), Value: aws.String("")}}
		in.SourceIdentity = aws.String("mary.major")
	}
	out := s.assume(t, s.user, "support", tagged)
	if packed := aws.ToInt32(packedSize(out)); aws.ToString(out.SourceIdentity) != "mary.major" || packed < 1 || packed > 10 {
		t.Errorf("source identity %s, packed %d", aws.ToString(out.SourceIdentity), packed)
	}
	if err := list(out.Credentials); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*sts.AssumeRoleInput){
		"another tag":             func(in *sts.AssumeRoleInput) { in.Tags[0].Value = aws.String("Sales") },
		"no tags":                 func(in *sts.AssumeRoleInput) { in.Tags = nil },
		"another source identity": func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("john") },
		"another name":            func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("john") },
	} {
		err := list(s.assume(t, s.user, "support", tagged, change).Credentials)
		if status, code := outcome(t, err); status != 403 || code != "AccessDeniedException" {
			t.Errorf("%s: %v", name, err)
		}
	}

	for name, c := range map[string]struct{ policy, why string }{
		"wide":   {`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, ""},
		"narrow": {`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"connect:ListQueues","Resource":"*"}}`, "because no session policy allows the connect:ListUsers action"},
		"denies": {`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"connect:ListUsers","Resource":"*"}]}`, "with an explicit deny in a session policy"},
	} {
		err := list(s.assume(t, s.user, "desk", func(in *sts.AssumeRoleInput) { in.Policy = &c.policy }).Credentials)
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMayFederate: GetFederationToken is allowed by the id of the caller itself.
// Who gets past that learns that the instance is not there.
func TestMayFederate(t *testing.T) {
	s := bootSessions(t)
	in := &connect.GetFederationTokenInput{InstanceId: aws.String(instance)}
	for name, want := range map[string]string{"self": "ResourceNotFoundException", "desk": "ResourceNotFoundException", "nobody": "AccessDeniedException", "support": "AccessDeniedException"} {
		out := s.assume(t, s.user, name)
		_, err := s.connect(out.Credentials).GetFederationToken(context.Background(), in)
		if _, code := outcome(t, err); code != want {
			t.Errorf("%s: %v", name, err)
		}
		resource := "arn:aws:connect:us-east-1:123456789012:instance/" + instance + "/user/" + *out.AssumedRoleUser.AssumedRoleId
		if want == "AccessDeniedException" && !strings.Contains(err.Error(), "connect:GetFederationToken on resource: "+resource+" ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAssumeRoleRefuses: what cannot be had is refused by the exception that
// the client knows.
func TestAssumeRoleRefuses(t *testing.T) {
	s := bootSessions(t)
	for _, c := range []struct {
		name    string
		change  func(*sts.AssumeRoleInput)
		status  int
		code    string
		message string
	}{
		{"no such role", func(in *sts.AssumeRoleInput) { in.RoleArn = role("none") }, 403, "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/none"},
		{"no role", func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::123456789012:user/ops") }, 400, "ValidationError", ""},
		{"too short", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(899) }, 400, "ValidationError", "DurationSeconds must be between 900 and 43200"},
		{"longer than the role's", func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7201) }, 400, "ValidationError", "MaxSessionDuration"},
		{"broken policy", func(in *sts.AssumeRoleInput) { in.Policy = aws.String(`{"Statement":{}}`) }, 400, "MalformedPolicyDocument", ""},
		{"managed policy", func(in *sts.AssumeRoleInput) {
			in.PolicyArns = []ststypes.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}}
		}, 400, "ValidationError", "PolicyArns[0].arn"},
		{"a tag twice", func(in *sts.AssumeRoleInput) {
			in.Tags = []ststypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("a"), Value: aws.String("2")}}
		}, 400, "ValidationError", "Tags[1].Key is there twice"},
		{"a tag twice but for case", func(in *sts.AssumeRoleInput) {
			in.Tags = []ststypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("A"), Value: aws.String("2")}}
		}, 400, "ValidationError", "twice"},
		{"too much", func(in *sts.AssumeRoleInput) {
			for i := range 50 {
				in.Tags = append(in.Tags, ststypes.Tag{Key: aws.String(strings.Repeat("k", 100) + string(rune('A'+i%26)) + string(rune('0'+i/26))), Value: aws.String(strings.Repeat("v", 256))})
			}
		}, 400, "PackedPolicyTooLarge", ""},
		{"a second factor", func(in *sts.AssumeRoleInput) {
			in.SerialNumber, in.TokenCode = aws.String("arn:aws:iam::123456789012:mfa/ops"), aws.String("123456")
		}, 403, "AccessDenied", "MultiFactorAuthentication failed"},
		{"a context", func(in *sts.AssumeRoleInput) {
			in.ProvidedContexts = []ststypes.ProvidedContext{{ProviderArn: aws.String("arn:aws:iam::aws:contextProvider/IdentityCenter"), ContextAssertion: aws.String("abcd")}}
		}, 400, "ValidationError", "ProvidedContexts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := &sts.AssumeRoleInput{RoleArn: role("desk"), RoleSessionName: aws.String("mary")}
			c.change(in)
			_, err := s.user.AssumeRole(context.Background(), in)
			if status, code := outcome(t, err); status != c.status || code != c.code || !strings.Contains(err.Error(), c.message) {
				t.Errorf("got %v, want %d %s", err, c.status, c.code)
			}
		})
	}
	_, err := s.STS.AssumeRole(context.Background(), &sts.AssumeRoleInput{RoleArn: role("desk"), RoleSessionName: aws.String("mary")})
	if status, code := outcome(t, err); status != 403 || code != "AccessDenied" || !strings.Contains(err.Error(), "Roles may not be assumed by root accounts.") {
		t.Errorf("root: %v", err)
	}
}

// TestAssumeRoleWithSAMLIsUnsigned: whoever has no credentials is let in as far
// as the assertion, and told what is wrong with it by the SDK's own exception.
func TestAssumeRoleWithSAMLIsUnsigned(t *testing.T) {
	s := bootSessions(t)
	anonymous := s.sts(aws.AnonymousCredentials{})
	_, err := anonymous.AssumeRoleWithSAML(context.Background(), &sts.AssumeRoleWithSAMLInput{
		RoleArn: role("desk"), PrincipalArn: aws.String("arn:aws:iam::123456789012:saml-provider/idp"), SAMLAssertion: aws.String("PGE+PC9hPg=="),
	})
	var api smithy.APIError
	if status, code := outcome(t, err); status != 400 || code != "InvalidIdentityToken" || !errors.As(err, &api) || api.ErrorFault() != smithy.FaultClient {
		t.Errorf("got %v", err)
	}
	if _, err := anonymous.GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{}); err == nil {
		t.Error("nobody has an identity")
	}
}
