package server_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"ringdown/internal/audit"
	"ringdown/internal/certtest"
	"ringdown/internal/fault"
	"ringdown/internal/login"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// samlSite is a server with TLS, an instance whose users come by SAML, and an
// identity provider that knows both.
type samlSite struct {
	*server.Server
	t       *testing.T
	idp     *identityProvider
	id      string // of the instance
	login   string // its sign-in page
	service []byte // our metadata for it
	data    string
	key     [2]string    // of a user of IAM
	later   atomic.Int64 // by how much the server's clock is ahead
	browse  func() *http.Client
	connect func(id, secret, token string) *connect.Client
	sts     func(id, secret, token string) *sts.Client
}

const samlUser = "jane.doe@example.com"

func newSAMLSite(t *testing.T) *samlSite {
	t.Helper()
	s := &samlSite{t: t, idp: startIdentityProvider(t), data: t.TempDir()}
	// Browsers send the session's cookie by TLS only.
	own := certtest.New(t, certtest.Options{})
	cert, key := own.Files(t)
	manager, err := server.OpenKeys(t.Context(), server.Config{Data: s.data})
	servertest.OK(t, err)
	made, err := manager.Create(t.Context(), server.NewKey{UserName: "ops", Policy: json.RawMessage(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`)})
	servertest.OK(t, errors.Join(err, manager.Close()))
	s.key = [2]string{made.AccessKeyID, made.SecretAccessKey}
	s.Server, err = server.Start(context.Background(), server.Config{
		Listen: "127.0.0.1:0", Data: s.data, TLSCert: cert, TLSKey: key,
		Now: func() time.Time { return time.Now().Add(time.Duration(s.later.Load())) },
		SignIn: server.SignIn{
			SAML: []server.SAMLProvider{{Name: "corp", Label: "Corp", Metadata: s.idp.metadataFile(t)}},
			Roles: []server.Role{
				{Name: "agents", Providers: []string{"corp"}, Policy: allow("connect:GetFederationToken"), MaxSession: "12h"},
				{Name: "service", AssumedBy: []string{"account"}, Policy: allow("connect:GetFederationToken")},
			},
		},
	})
	servertest.OK(t, err)
	t.Cleanup(func() { servertest.OK(t, s.Close()) })
	s.idp.role = "arn:aws:iam::" + servertest.Account + ":role/agents"
	s.idp.arn = "arn:aws:iam::" + servertest.Account + ":saml-provider/corp"

	s.browse = func() *http.Client { return newBrowser(t, own.Pool()) }
	web := s.browse()
	s.connect = func(id, secret, token string) *connect.Client {
		return connect.New(connect.Options{
			Region: servertest.Region, BaseEndpoint: &s.URL, Retryer: aws.NopRetryer{}, HTTPClient: web,
			Credentials: credentials.NewStaticCredentialsProvider(id, secret, token),
		})
	}
	s.sts = func(id, secret, token string) *sts.Client {
		o := sts.Options{Region: servertest.Region, BaseEndpoint: &s.URL, Retryer: aws.NopRetryer{}, HTTPClient: web}
		if id != "" {
			o.Credentials = credentials.NewStaticCredentialsProvider(id, secret, token)
		}
		return sts.New(o)
	}
	s.id = s.newInstance("corp-centre", types.DirectoryTypeSaml)
	s.newUser(samlUser)
	s.login = s.URL + "/-/login/" + s.id
	s.service = []byte(get(t, web, s.URL+"/-/login/saml?instance="+s.id))
	s.idp.put(t, "/services/ringdown", s.service)
	s.idp.addUser(t, samlUser, "correct horse")
	return s
}

func allow(actions ...string) map[string]any {
	return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": "*"}}}
}

func (s *samlSite) root() *connect.Client {
	return s.connect(s.Root.AccessKeyID, s.Root.SecretAccessKey, "")
}

func (s *samlSite) newInstance(alias string, kind types.DirectoryType) string {
	s.t.Helper()
	out, err := s.root().CreateInstance(s.t.Context(), &connect.CreateInstanceInput{
		IdentityManagementType: kind, InstanceAlias: &alias, InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	})
	servertest.OK(s.t, err)
	return *out.Id
}

func (s *samlSite) newUser(name string) {
	s.t.Helper()
	ctx, c := s.t.Context(), s.root()
	routing, err := c.ListRoutingProfiles(ctx, &connect.ListRoutingProfilesInput{InstanceId: &s.id})
	servertest.OK(s.t, err)
	security, err := c.ListSecurityProfiles(ctx, &connect.ListSecurityProfilesInput{InstanceId: &s.id})
	servertest.OK(s.t, err)
	_, err = c.CreateUser(ctx, &connect.CreateUserInput{
		InstanceId: &s.id, Username: &name, RoutingProfileId: routing.RoutingProfileSummaryList[0].Id,
		SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
		IdentityInfo:       &types.UserIdentityInfo{FirstName: aws.String("Jane"), LastName: aws.String("Doe")},
		PhoneConfig:        &types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone},
	})
	servertest.OK(s.t, err)
}

// signInAt fills in the provider's form, and returns what the browser would post
// to us next.
func (s *samlSite) signInAt(browser *http.Client, page string) (acs string, answer url.Values) {
	s.t.Helper()
	where, form := formOf(s.t, page, map[string]string{"user": samlUser, "password": "correct horse"})
	page, status := post(s.t, browser, where, form)
	if status != http.StatusOK {
		s.t.Fatalf("the provider answers %d: %s", status, page)
	}
	return formOf(s.t, page, nil)
}

// signedIn reports whether the browser has a session, and whose.
func (s *samlSite) signedIn(browser *http.Client) bool {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.login+"/home", nil)
	servertest.OK(s.t, err)
	page, status := visit(s.t, browser, req)
	return status == http.StatusOK && strings.Contains(page, "You are signed in") && strings.Contains(page, samlUser)
}

// assume gives a response to STS, as command line tools do.
func (s *samlSite) assume(response string) (*sts.AssumeRoleWithSAMLOutput, error) {
	return s.sts("", "", "").AssumeRoleWithSAML(s.t.Context(), &sts.AssumeRoleWithSAMLInput{
		RoleArn: &s.idp.role, PrincipalArn: &s.idp.arn, SAMLAssertion: aws.String(base64.StdEncoding.EncodeToString([]byte(response))),
	})
}

func (s *samlSite) federate(c *ststypes.Credentials) (*connect.GetFederationTokenOutput, error) {
	return s.connect(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken).GetFederationToken(s.t.Context(), &connect.GetFederationTokenInput{InstanceId: &s.id})
}

// audit reads the lines of the audit log from the nth on.
func (s *samlSite) audit(from int) []audit.Event {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.data, "audit.jsonl"))
	if os.IsNotExist(err) {
		return nil
	}
	servertest.OK(s.t, err)
	var events []audit.Event
	for line := range strings.Lines(string(raw)) {
		var e audit.Event
		servertest.OK(s.t, json.Unmarshal([]byte(line), &e))
		events = append(events, e)
	}
	return events[from:]
}

// TestSAMLBrowser: somebody signs in with a browser, at a provider that is none
// of ours.
func TestSAMLBrowser(t *testing.T) {
	s := newSAMLSite(t)
	browser := s.browse()
	// One provider: the sign-in page leads straight to it.
	page := get(t, browser, s.login)
	if s.signedIn(browser) {
		t.Fatal("signed in before having been at the provider")
	}
	acs, answer := s.signInAt(browser, page)
	if acs != s.login+"/saml" || answer.Get("SAMLResponse") == "" || answer.Get("RelayState") == "" {
		t.Fatalf("the provider has it posted to %s: %v", acs, answer)
	}
	page, status := post(t, browser, acs, answer)
	if status != http.StatusOK || !strings.Contains(page, "You are signed in") || !strings.Contains(page, "Jane Doe") || !s.signedIn(browser) {
		t.Fatalf("the answer to the assertion is %d: %s", status, page)
	}
	if events := s.audit(0); len(events) == 0 || events[len(events)-1].Event != audit.SignIn || events[len(events)-1].Outcome != audit.OK ||
		events[len(events)-1].User != samlUser || events[len(events)-1].Door != "saml" {
		t.Errorf("the audit log has %+v", events)
	}
	at, err := url.Parse(s.URL)
	servertest.OK(t, err)
	if !slices.ContainsFunc(browser.Jar.Cookies(at), func(c *http.Cookie) bool { return c.Name == login.Cookie }) {
		t.Errorf("the browser has %v", browser.Jar.Cookies(at))
	}

	// What was posted is worth nothing any more, here or in another browser.
	other := s.browse()
	if _, status := post(t, other, acs, answer); status != http.StatusForbidden || s.signedIn(other) {
		t.Errorf("posted again: %d", status)
	}
	if !s.signedIn(browser) {
		t.Error("a replay has ended the session")
	}

	// The provider remembers its user: no form in between, and on to where the
	// link led.
	page = get(t, browser, s.login+"/saml/start?provider=corp&destination="+url.QueryEscape("/-/login/"+s.id+"/home?x=1"))
	acs, answer = formOf(t, page, nil)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, acs, strings.NewReader(answer.Encode()))
	servertest.OK(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := browser.Do(req)
	servertest.OK(t, err)
	servertest.OK(t, res.Body.Close())
	if to := res.Header.Get("Location"); res.StatusCode != http.StatusSeeOther || to != "/-/login/"+s.id+"/home?x=1" {
		t.Errorf("it leads to %d %q", res.StatusCode, to)
	}
	for _, c := range res.Cookies() {
		if c.Value != "" && (!c.Secure || !c.HttpOnly || c.SameSite == http.SameSiteDefaultMode) {
			t.Errorf("the cookie %s is %v", c.Name, c)
		}
	}

	// A session ends by itself.
	s.later.Store(int64(12*time.Hour - time.Minute))
	if !s.signedIn(browser) {
		t.Error("the session ended early")
	}
	s.later.Store(int64(12*time.Hour + time.Minute))
	if s.signedIn(browser) {
		t.Error("the session has not ended")
	}
}

// TestSAMLUnsolicited: the provider's own portal leads to us, with a destination
// in RelayState as Amazon Connect has it.
func TestSAMLUnsolicited(t *testing.T) {
	s := newSAMLSite(t)
	to := "/-/login/" + s.id + "/home?from=portal"
	shortcut, err := json.Marshal(map[string]string{
		"name": "centre", "service_provider": s.URL + "/-/login/saml",
		"relay_state": "https://us-east-1.console.aws.amazon.com/connect/federate/" + s.id + "?destination=" + url.QueryEscape(to),
	})
	servertest.OK(t, err)
	s.idp.put(t, "/shortcuts/centre", shortcut)
	browser := s.browse()
	_, status := post(t, browser, s.idp.url+"/login", url.Values{"user": {samlUser}, "password": {"correct horse"}})
	if status != http.StatusOK {
		t.Fatalf("the provider answers %d", status)
	}
	acs, answer := formOf(t, get(t, browser, s.idp.url+"/login/centre"), nil)
	page, status := post(t, browser, acs, answer)
	if status != http.StatusOK || !strings.Contains(page, "You are signed in") || !s.signedIn(browser) {
		t.Fatalf("%d: %s", status, page)
	}
}

// TestSAMLCredentials: what a command line tool does with the same assertion.
func TestSAMLCredentials(t *testing.T) {
	s := newSAMLSite(t)
	browser := s.browse()
	_, answer := s.signInAt(browser, get(t, browser, s.login))
	raw, err := base64.StdEncoding.DecodeString(answer.Get("SAMLResponse"))
	servertest.OK(t, err)
	out, err := s.assume(string(raw))
	servertest.OK(t, err)
	session := "arn:aws:sts::" + servertest.Account + ":assumed-role/agents/" + samlUser
	if *out.AssumedRoleUser.Arn != session || *out.Subject != samlUser+"@example.com" && *out.Subject != samlUser || *out.SubjectType != "transient" ||
		*out.Issuer != s.idp.url+"/metadata" || *out.Audience != s.login+"/saml" {
		t.Errorf("it is %s: %s (%s) of %s for %s", *out.AssumedRoleUser.Arn, *out.Subject, *out.SubjectType, *out.Issuer, *out.Audience)
	}
	c := out.Credentials
	who, err := s.sts(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	servertest.OK(t, err)
	if *who.Arn != session || *who.Account != servertest.Account || *who.UserId != *out.AssumedRoleUser.AssumedRoleId {
		t.Errorf("the caller is %s, %s", *who.Arn, *who.UserId)
	}

	token, err := s.federate(c)
	servertest.OK(t, err)
	user, err := s.root().DescribeUser(t.Context(), &connect.DescribeUserInput{InstanceId: &s.id, UserId: token.UserId})
	servertest.OK(t, err)
	if *user.User.Username != samlUser || *user.User.Arn != *token.UserArn || *token.Credentials.AccessToken == "" {
		t.Errorf("the token is of %s", *token.UserArn)
	}
	// The link opens a session, once.
	get(t, browser, *token.SignInUrl)
	if !s.signedIn(browser) {
		t.Error("SignInUrl opens no session")
	}
	other := s.browse()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, *token.SignInUrl, nil)
	servertest.OK(t, err)
	if _, status := visit(t, other, req); status != http.StatusBadRequest || s.signedIn(other) {
		t.Errorf("SignInUrl used again: %d", status)
	}
	// So does the access token.
	if _, status := post(t, other, s.login+"/federate", url.Values{"AccessToken": {*token.Credentials.AccessToken}}); status != http.StatusOK || !s.signedIn(other) {
		t.Errorf("the access token opens no session: %d", status)
	}

	t.Run("nothing but what the role allows", func(t *testing.T) {
		_, err := s.connect(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken).ListUsers(t.Context(), &connect.ListUsersInput{InstanceId: &s.id})
		servertest.Fails(t, err, fault.AccessDenied, "connect:ListUsers")
	})
	t.Run("the session token is part of them", func(t *testing.T) {
		_, err := s.connect(*c.AccessKeyId, *c.SecretAccessKey, "").GetFederationToken(t.Context(), &connect.GetFederationTokenInput{InstanceId: &s.id})
		if err == nil {
			t.Error("accepted without a session token")
		}
	})
	t.Run("nobody else's user", func(t *testing.T) {
		_, err := s.federateService(samlUser)
		servertest.Fails(t, err, fault.DuplicateResource, "already associated")
		_, err = s.federateService("Jane.Doe@example.com")
		servertest.Fails(t, err, fault.UserNotFound)
	})
	t.Run("not the root", func(t *testing.T) {
		_, err := s.root().GetFederationToken(t.Context(), &connect.GetFederationTokenInput{InstanceId: &s.id})
		servertest.Fails(t, err, fault.InvalidRequest, "cannot be used for federation with Amazon Connect")
	})
	t.Run("not of another type of instance", func(t *testing.T) {
		id := s.newInstance("managed", types.DirectoryTypeConnectManaged)
		_, err := s.connect(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken).GetFederationToken(t.Context(), &connect.GetFederationTokenInput{InstanceId: &id})
		servertest.Fails(t, err, fault.InvalidRequest)
	})
	t.Run("the credentials expire", func(t *testing.T) {
		// The SDK signs by the clock of this machine; the server's is ahead.
		call := func() int {
			at := time.Now().Add(time.Duration(s.later.Load()))
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/user/federate/"+s.id, nil)
			servertest.OK(t, err)
			const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
			servertest.OK(t, v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{
				AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken,
			}, req, empty, "connect", servertest.Region, at))
			page, status := visit(t, s.browse(), req)
			if status != http.StatusOK && !strings.Contains(page, "expired") {
				t.Errorf("the answer is %d: %s", status, page)
			}
			return status
		}
		left := time.Until(*c.Expiration)
		if left < 59*time.Minute || left > time.Hour {
			t.Errorf("they expire in %v", left)
		}
		s.later.Store(int64(left - time.Minute))
		if status := call(); status != http.StatusOK {
			t.Errorf("a minute before: %d", status)
		}
		s.later.Store(int64(left + time.Minute))
		if status := call(); status != http.StatusForbidden {
			t.Errorf("a minute after: %d", status)
		}
	})
}

// federateService asks for a token as a service that names the session itself.
func (s *samlSite) federateService(name string) (*connect.GetFederationTokenOutput, error) {
	s.t.Helper()
	out, err := s.sts(s.key[0], s.key[1], "").AssumeRole(s.t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String(fmt.Sprintf("arn:aws:iam::%s:role/service", servertest.Account)), RoleSessionName: &name,
	})
	servertest.OK(s.t, err)
	return s.federate(out.Credentials)
}
