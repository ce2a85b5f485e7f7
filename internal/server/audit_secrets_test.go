package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"ringdown/internal/audit"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// A wiretap hears every secret that goes over the wire.
type wiretap struct {
	mu      sync.Mutex
	secrets map[string]string // to what each is
}

func newWiretap() *wiretap { return &wiretap{secrets: map[string]string{}} }

type tapped struct {
	tap  *wiretap
	next http.RoundTripper
}

// on taps a transport; a nil wiretap leaves it alone.
func (w *wiretap) on(next http.RoundTripper) http.RoundTripper {
	if w == nil {
		return next
	}
	return tapped{w, next}
}

// add notes a secret. What is shorter than 8 letters would be found anywhere, and
// the cookie of an attempt has the id of an instance.
func (w *wiretap) add(what, secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(secret) >= 8 && !strings.HasPrefix(what, "cookie __Host-ringdown-attempt-") {
		w.secrets[secret] = what
	}
}

// secretFields are the parameters and members whose values are secrets.
var secretFields = map[string]bool{
	"password": true, "current": true, "new": true, "again": true, "form": true, "code": true, "state": true, "SAMLResponse": true, "SAMLAssertion": true,
	"AccessToken": true, "RefreshToken": true, "SecretAccessKey": true, "SessionToken": true, "Token": true, "Password": true, "SAMLRequest": true,
	"access_token": true, "id_token": true, "client_secret": true, "code_verifier": true, "nonce": true,
}

func (w *wiretap) values(of string, v url.Values) {
	for name, values := range v {
		for _, value := range values {
			if secretFields[name] {
				w.add(of+" "+name, value)
			}
		}
	}
}

// members notes those of JSON.
func (w *wiretap) members(of string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if text, ok := value.(string); ok && secretFields[name] {
				w.add(of+" "+name, text)
			} else if ok && name == "SignInUrl" {
				w.url(of, text)
			}
			w.members(of, value)
		}
	case []any:
		for _, value := range v {
			w.members(of, value)
		}
	}
}

func (w *wiretap) url(of string, text string) {
	if u, err := url.Parse(text); err == nil {
		w.values(of, u.Query())
	}
}

// RoundTrip implements http.RoundTripper.
func (t tapped) RoundTrip(r *http.Request) (*http.Response, error) {
	t.tap.values("parameter", r.URL.Query())
	for _, c := range r.Cookies() {
		t.tap.add("cookie "+c.Name, c.Value)
	}
	for _, scheme := range []string{"Bearer ", "Basic "} {
		if secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), scheme); ok {
			t.tap.add("Authorization", secret)
		}
	}
	t.tap.add("X-Amz-Security-Token", r.Header.Get("X-Amz-Security-Token"))
	if _, signature, ok := strings.Cut(r.Header.Get("Authorization"), "Signature="); ok {
		t.tap.add("signature", signature)
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(body))
		t.tap.body("request", body)
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	for _, c := range resp.Cookies() {
		t.tap.add("cookie "+c.Name, c.Value)
	}
	t.tap.url("Location", resp.Header.Get("Location"))
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	t.tap.body("answer", body)
	return resp, nil
}

// body notes what a form, JSON or XML holds.
func (w *wiretap) body(of string, body []byte) {
	var v any
	if json.Unmarshal(body, &v) == nil {
		w.members(of, v)
		return
	}
	if form, err := url.ParseQuery(string(body)); err == nil {
		w.values(of, form)
	}
	for name := range secretFields {
		_, rest, ok := strings.Cut(string(body), "<"+name+">")
		if value, _, end := strings.Cut(rest, "</"); ok && end {
			w.add(of+" "+name, value)
		}
	}
}

// kinds are what was heard.
func (w *wiretap) kinds() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	kinds := map[string]int{}
	for _, what := range w.secrets {
		kinds[what]++
	}
	return kinds
}

// found is where a text holds a secret, as it is or escaped, whole or an end of a
// long one.
func (w *wiretap) found(text string) (where []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for secret, what := range w.secrets {
		forms := []string{secret, url.QueryEscape(secret)}
		if len(secret) >= 40 {
			forms = append(forms, secret[:20], secret[len(secret)-20:])
		}
		for _, f := range forms {
			if i := strings.Index(text, f); i >= 0 {
				where = append(where, what+": …"+text[max(0, i-200):min(len(text), i+len(f)+20)]+"…")
				break
			}
		}
	}
	return where
}

// Everything that people and programs do to come in, rightly and wrongly, and
// then a look at what has been written down about it.
func TestNoSecretIsWrittenDown(t *testing.T) {
	tap, log, box := newWiretap(), &servertest.Log{}, startMailbox(t)
	openID, idp := startOpenID(t), startIdentityProvider(t)
	s := servertest.Boot(t, func(c *server.Config) {
		c.Logger = log.Logger()
		c.SignIn = server.SignIn{
			ChangeFirstPassword: true,
			OIDC:                []server.OIDCProvider{openID.config("openid")},
			SAML:                []server.SAMLProvider{{Name: "saml", Metadata: idp.metadataFile(t)}},
			SMTP:                server.SMTP{Server: box.address, From: "no-reply@example.org", TLS: "none"},
			Roles: []server.Role{
				{Name: "agents", Providers: []string{"saml"}, Policy: allow("connect:GetFederationToken")},
				{Name: "service", AssumedBy: []string{"account"}, Policy: allow("connect:GetFederationToken")},
			},
		}
	})
	tap.add("root", s.Root.SecretAccessKey)
	tap.add("client secret", openIDSecret)
	everyPassword(t, s, tap, box)
	everyToken(t, s, tap, idp)
	everyProgram(t, s, tap)
	servertest.OK(t, s.Close())

	kinds := tap.kinds()
	for _, what := range []string{
		"cookie __Host-ringdown-session", "cookie __Host-ringdown-change", "cookie __Host-ringdown-reset", "request password", "request new", "request current",
		"request form", "parameter code", "parameter state", "request SAMLResponse", "request SAMLAssertion", "request AccessToken", "request RefreshToken",
		"answer AccessToken", "answer RefreshToken", "answer SecretAccessKey", "answer SessionToken", "X-Amz-Security-Token", "Authorization", "signature",
	} {
		if kinds[what] == 0 {
			t.Errorf("%s has not been tried: %v", what, kinds)
		}
	}
	raw, err := os.ReadFile(filepath.Join(s.Data, "audit.jsonl"))
	servertest.OK(t, err)
	for name, text := range map[string]string{"the audit log": string(raw), "the log": log.String()} {
		if len(text) < 1000 {
			t.Errorf("%s has %d bytes only", name, len(text))
		}
		for _, found := range tap.found(text) {
			t.Errorf("%s holds a secret, %s", name, found)
		}
		for secret := range tap.secrets { // that the search finds what there is
			if len(tap.found(text+" "+secret)) == 0 {
				t.Fatalf("a secret in %s would not be found", name)
			}
			break
		}
	}
	happened := map[audit.Name]map[audit.Outcome]int{}
	for _, e := range audited(t, s) {
		if happened[e.Event] == nil {
			happened[e.Event] = map[audit.Outcome]int{}
		}
		happened[e.Event][e.Outcome]++
	}
	for _, name := range []audit.Name{
		audit.SignIn, audit.PasswordReset, audit.PasswordChange, audit.AssumeRole, audit.FederationToken, audit.TokenRefresh, audit.Provisioning,
	} {
		if happened[name][audit.OK] == 0 || happened[name][audit.Refused] == 0 {
			t.Errorf("of %s there is %v", name, happened[name])
		}
	}
	for _, name := range []audit.Name{audit.SignOut, audit.KeyCreate, audit.KeyDelete} {
		if happened[name][audit.OK] == 0 {
			t.Errorf("of %s there is %v", name, happened[name])
		}
	}
}

// everyPassword uses passwords and links.
func everyPassword(t *testing.T, s *servertest.Server, tap *wiretap, box *mailbox) {
	t.Helper()
	in := s.NewInstanceOf(t, types.DirectoryTypeConnectManaged)
	root := "/-/login/" + in
	newPersonOf(t, s, in, "jane", func(c *connect.CreateUserInput) {
		c.Password, c.IdentityInfo.Email = aws.String(firstPassword), aws.String("jane@example.org")
	})
	v := newVisitor(t, s, tap)
	v.is("wrong", v.post(root, "username", "jane", "password", "Wr0ng-Passw0rd"), http.StatusUnauthorized, root, "is wrong")
	const inTheWrongField = "Typed-Passw0rd-As-Name"
	tap.add("password as a name", inTheWrongField)
	v.is("in the wrong field", v.post(root, "username", inTheWrongField, "password", "jane-jane"), http.StatusUnauthorized, root, "is wrong")
	v.is("in the wrong field of forgot", v.post(root+"/forgot", "username", inTheWrongField), http.StatusOK, root+"/forgot", "Look at your e-mail")

	p := v.post(root, "username", "jane", "password", firstPassword)
	v.is("right", p, http.StatusOK, root+"/change", "Choose your own password")
	p = v.post(root+"/change", "new", secondPassword, "again", secondPassword, "form", v.hidden(p, "form"))
	v.is("changed", p, http.StatusOK, root+"/home", "You are signed in")
	p = v.get(root + "/change")
	p = v.post(root+"/change", "current", "Wr0ng-Passw0rd", "new", thirdPassword, "again", thirdPassword, "form", v.hidden(p, "form"))
	v.is("wrong again", p, http.StatusBadRequest, root+"/change", "is another")
	p = v.post(root+"/change", "current", secondPassword, "new", thirdPassword, "again", thirdPassword, "form", v.hidden(p, "form"))
	v.is("changed again", p, http.StatusOK, root+"/home", "You are signed in")
	v.is("signed out", v.post(root+"/sign-out", "form", v.hidden(p, "form")), http.StatusOK, root+"/signed-out", "You are signed out")

	v.is("forgot", v.post(root+"/forgot", "username", "jane"), http.StatusOK, root+"/forgot", "Look at your e-mail")
	link := box.link("jane@example.org")
	p = v.get(link)
	v.is("reset", v.post(root+"/reset", "new", firstPassword, "again", firstPassword, "form", v.hidden(p, "form")), http.StatusOK, root, "has been changed")
	// Codes that are no longer ours, or never were.
	v.is("the link again", v.get(link), http.StatusBadRequest, root+"/reset", "no longer works")
	v.is("a link of nobody", v.get(root+"/reset?code=0123456789-0123456789-0123456789-0123456"), http.StatusBadRequest, root+"/reset", "no longer works")
	page := v.post(root+"/reset", "new", thirdPassword, "again", thirdPassword, "form", "0123456789")
	v.is("a password by no link", page, http.StatusBadRequest, root+"/reset", "no longer works")
}

// everyToken comes in by way of others, and uses tokens.
func everyToken(t *testing.T, s *servertest.Server, tap *wiretap, idp *identityProvider) {
	t.Helper()
	in := s.NewInstance(t)
	root := "/-/login/" + in
	newPersonOf(t, s, in, "jane")
	newPersonOf(t, s, in, "joe")
	newPersonOf(t, s, in, "bot")
	v := newVisitor(t, s, tap)
	v.is("by OpenID Connect", v.get(root+"/oidc/start?provider=openid"), http.StatusOK, root+"/home", "jane")

	idp.role, idp.arn = "arn:aws:iam::"+servertest.Account+":role/agents", "arn:aws:iam::"+servertest.Account+":saml-provider/saml"
	service := []byte(v.get("/-/login/saml?instance=" + in).body)
	idp.put(t, "/services/ringdown", service)
	idp.addUser(t, "joe", "Joe-at-the-Provider-1")
	v = newVisitor(t, s, tap)
	where, form := formOf(t, v.get(root+"/saml/start?provider=saml").body, map[string]string{"user": "joe", "password": "Joe-at-the-Provider-1"})
	acs, answer := formOf(t, v.do(http.MethodPost, where, form).body, nil)
	v.is("by SAML", v.do(http.MethodPost, acs, answer), http.StatusOK, root+"/home", "joe")
	v.is("by SAML again", v.do(http.MethodPost, acs, answer), http.StatusForbidden, root+"/saml", "was not accepted")
	assertion := idp.response(t, service, "joe", nil, nil)
	_, signature, _ := strings.Cut(assertion, "SignatureValue>")
	tap.add("signature of the assertion", signature[:40])

	web := &http.Client{Transport: tap.on(&http.Transport{DisableKeepAlives: true}), Timeout: time.Minute}
	anybody := sts.New(sts.Options{Region: servertest.Region, BaseEndpoint: &s.URL, Retryer: aws.NopRetryer{}, HTTPClient: web})
	withSAML := &sts.AssumeRoleWithSAMLInput{RoleArn: &idp.role, PrincipalArn: &idp.arn, SAMLAssertion: aws.String(base64.StdEncoding.EncodeToString([]byte(assertion)))}
	_, err := anybody.AssumeRoleWithSAML(t.Context(), withSAML)
	servertest.OK(t, err)
	if _, err := anybody.AssumeRoleWithSAML(t.Context(), withSAML); err == nil {
		t.Error("an assertion has been used twice")
	}

	manager, err := server.OpenKeys(t.Context(), server.Config{Data: s.Data})
	servertest.OK(t, err)
	made, err := manager.Create(t.Context(), server.NewKey{UserName: "ops", Policy: json.RawMessage(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`)})
	servertest.OK(t, err)
	tap.add("access key", made.SecretAccessKey)
	ops := sts.New(sts.Options{
		Region: servertest.Region, BaseEndpoint: &s.URL, Retryer: aws.NopRetryer{}, HTTPClient: web,
		Credentials: credentials.NewStaticCredentialsProvider(made.AccessKeyID, made.SecretAccessKey, ""),
	})
	role := "arn:aws:iam::" + servertest.Account + ":role/"
	assumed, err := ops.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(role + "service"), RoleSessionName: aws.String("bot")})
	servertest.OK(t, err)
	if _, err := ops.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String(role + "agents"), RoleSessionName: aws.String("bot")}); err == nil {
		t.Error("a role of people has been assumed by a service")
	}
	bot := connect.New(connect.Options{
		Region: servertest.Region, BaseEndpoint: &s.URL, Retryer: aws.NopRetryer{}, HTTPClient: web,
		Credentials: credentials.NewStaticCredentialsProvider(*assumed.Credentials.AccessKeyId, *assumed.Credentials.SecretAccessKey, *assumed.Credentials.SessionToken),
	})
	token, err := bot.GetFederationToken(t.Context(), &connect.GetFederationTokenInput{InstanceId: &in})
	servertest.OK(t, err)
	managed := s.NewInstanceOf(t, types.DirectoryTypeConnectManaged)
	if _, err := bot.GetFederationToken(t.Context(), &connect.GetFederationTokenInput{InstanceId: &managed}); err == nil {
		t.Error("an instance with passwords has given a federation token")
	}
	v = newVisitor(t, s, tap)
	v.is("by SignInUrl", v.get(*token.SignInUrl), http.StatusOK, root+"/home", "bot")
	v.is("by SignInUrl again", v.get(*token.SignInUrl), http.StatusBadRequest, root+"/federate", "no longer works")
	v.is("by access token", v.post(root+"/federate", "AccessToken", *token.Credentials.AccessToken), http.StatusOK, root+"/home", "bot")
	refresh := *token.Credentials.RefreshToken
	v.is("refreshed", v.post(root+"/refresh", "RefreshToken", refresh), http.StatusOK, root+"/refresh", "AccessToken")
	v.is("refreshed again", v.post(root+"/refresh", "RefreshToken", refresh), http.StatusBadRequest, root+"/refresh", "RefreshToken")
	v.is("by a token of nobody", v.post(root+"/federate", "AccessToken", "0123456789-0123456789-0123456789"), http.StatusBadRequest, root+"/federate", "no longer works")
	v.is("signed out", v.post(root+"/sign-out", "form", v.hidden(v.get(root+"/home"), "form")), http.StatusOK, root+"/signed-out", "You are signed out")
	servertest.OK(t, errors.Join(manager.Delete(t.Context(), made.AccessKeyID), manager.Close()))
}

// everyProgram provisions users.
func everyProgram(t *testing.T, s *servertest.Server, tap *wiretap) {
	t.Helper()
	manager, err := server.OpenKeys(t.Context(), server.Config{Data: s.Data})
	servertest.OK(t, err)
	made, err := manager.CreateToken(t.Context(), server.NewSCIMToken{Instance: s.NewInstance(t), RoutingProfile: "Basic Routing Profile", SecurityProfiles: []string{"Agent"}})
	servertest.OK(t, errors.Join(err, manager.Close()))
	tap.add("SCIM token", made.Token)
	web := &http.Client{Transport: tap.on(&http.Transport{DisableKeepAlives: true}), Timeout: time.Minute}
	const user = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann","name":{"givenName":"Ann","familyName":"Other"},"password":"Sc1m-Passw0rd-of-Ann"}`
	for _, c := range []struct {
		token string
		want  int
	}{
		{made.Token, http.StatusCreated}, {made.Token, http.StatusConflict}, {made.Token[:len(made.Token)-4] + "aaaa", http.StatusUnauthorized},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/-/scim/v2/Users", strings.NewReader(user))
		servertest.OK(t, err)
		r.Header.Set("Content-Type", "application/scim+json")
		r.Header.Set("Authorization", "Bearer "+c.token)
		resp, err := web.Do(r)
		servertest.OK(t, err)
		resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("SCIM answers %d, want %d", resp.StatusCode, c.want)
		}
	}
}
