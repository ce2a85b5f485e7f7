package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/login"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// provisioning is a server with a CONNECT_MANAGED instance and a token for it.
type provisioning struct {
	*servertest.Server
	t                     *testing.T
	instance, base, token string
}

func newProvisioning(t *testing.T) *provisioning {
	t.Helper()
	s := servertest.Boot(t)
	id := s.NewInstanceOf(t, types.DirectoryTypeConnectManaged)
	keys, err := server.OpenKeys(t.Context(), server.Config{Data: s.Data})
	servertest.OK(t, err)
	t.Cleanup(func() { servertest.OK(t, keys.Close()) })
	made, err := keys.CreateToken(t.Context(), server.NewSCIMToken{
		Instance: id, RoutingProfile: "Basic Routing Profile", SecurityProfiles: []string{"Agent"},
	})
	servertest.OK(t, err)
	return &provisioning{s, t, id, made.BaseURL, made.Token}
}

// ask makes a request by SCIM and returns the id of the user that it is about.
func (p *provisioning) ask(method, path string, body any) (id string) {
	p.t.Helper()
	raw, err := json.Marshal(body)
	servertest.OK(p.t, err)
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.base+path, bytes.NewReader(raw))
	servertest.OK(p.t, err)
	r.Header.Set("Authorization", "Bearer "+p.token)
	resp, err := http.DefaultClient.Do(r)
	servertest.OK(p.t, err)
	defer resp.Body.Close()
	raw, err = io.ReadAll(resp.Body)
	servertest.OK(p.t, err)
	var user struct{ ID string }
	if resp.StatusCode >= 300 || json.Unmarshal(raw, &user) != nil {
		p.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, raw)
	}
	return user.ID
}

// set changes one attribute of a user.
func (p *provisioning) set(id, attribute string, value any) {
	p.t.Helper()
	p.ask("PATCH", "/Users/"+id, map[string]any{
		"schemas":    []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"},
		"Operations": []map[string]any{{"op": "replace", "path": attribute, "value": value}},
	})
}

// signIn posts the form of the sign-in page and returns the session that it
// opens, nil for none.
func (p *provisioning) signIn(name, password string) *http.Cookie {
	p.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.PostForm(p.URL+login.Path+p.instance, url.Values{"username": {name}, "password": {password}})
	servertest.OK(p.t, err)
	defer resp.Body.Close()
	for _, c := range resp.Cookies() {
		if c.Name == login.Cookie && c.Value != "" {
			return c
		}
	}
	return nil
}

// signedIn reports whether a session is still one.
func (p *provisioning) signedIn(session *http.Cookie) bool {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, p.URL+login.Path+p.instance+"/home", nil)
	servertest.OK(p.t, err)
	r.AddCookie(session)
	resp, err := http.DefaultTransport.RoundTrip(r)
	servertest.OK(p.t, err)
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// TestProvisionedUsersSignIn: whom an identity provider has made signs in, until
// it shuts them out: then sessions end, too. The API does not mind.
func TestProvisionedUsersSignIn(t *testing.T) {
	p := newProvisioning(t)
	const first, second = "t1meMa$heen", "an0therMa$heen"
	id := p.ask("POST", "/Users", map[string]any{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:User"}, "userName": "mary", "password": first,
		"name": map[string]any{"givenName": "Mary", "familyName": "Major"},
	})
	session := p.signIn("mary", first)
	if session == nil || !p.signedIn(session) {
		t.Fatal("a new user cannot sign in")
	}
	p.set(id, "name.givenName", "Marie")
	if !p.signedIn(session) {
		t.Error("a change that has nothing to do with signing in has ended the session")
	}

	unused := p.signIn("mary", first)
	p.set(id, "active", false)
	if p.signedIn(session) {
		t.Error("a session outlives the user's")
	}
	if p.signIn("mary", first) != nil {
		t.Error("a user that was shut out can sign in")
	}
	out, err := p.Connect.DescribeUser(t.Context(), &connect.DescribeUserInput{InstanceId: &p.instance, UserId: &id})
	servertest.OK(t, err)
	if *out.User.IdentityInfo.FirstName != "Marie" {
		t.Errorf("described: %+v", out.User)
	}

	p.set(id, "active", true)
	if session = p.signIn("mary", first); session == nil {
		t.Fatal("a user that was let in again cannot sign in")
	}
	if unused == nil || p.signedIn(unused) {
		t.Error("a session that nobody used while the user was shut out lives again")
	}
	p.set(id, "password", second)
	if p.signedIn(session) {
		t.Error("a session outlives the password")
	}
	if p.signIn("mary", first) != nil || p.signIn("mary", second) == nil {
		t.Error("the new password does not count")
	}
}

// TestTokensPage: tokens are the root's affair, as keys are.
func TestTokensPage(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	id, secret := s.Root.AccessKeyID, s.Root.SecretAccessKey
	page := s.URL + "/-/keys/scim"
	body := `{"Instance":"` + instance + `","RoutingProfile":"Basic Routing Profile","SecurityProfiles":["Agent"]}`
	status, answer := ask(t, "POST", page, body, id, secret, "ringdown")
	var made server.MadeSCIMToken
	if err := json.Unmarshal([]byte(answer), &made); err != nil || status != http.StatusOK || made.InstanceID != instance || made.Token == "" {
		t.Fatalf("%d %s", status, answer)
	}
	for _, c := range []struct {
		name, method, path, body string
		id, secret, service      string
		status                   int
	}{
		{"unsigned", "GET", "", "", "", "", "", 403},
		{"signed for the API", "GET", "", "", id, secret, "connect", 403},
		{"no JSON", "POST", "", "nonsense", id, secret, "ringdown", 400},
		{"no security profile", "POST", "", `{"Instance":"` + instance + `","RoutingProfile":"Basic Routing Profile"}`, id, secret, "ringdown", 400},
		{"no instance", "POST", "", `{}`, id, secret, "ringdown", 404},
		{"another method", "PUT", "", "", id, secret, "ringdown", 404},
		{"deleting all", "DELETE", "", "", id, secret, "ringdown", 404},
		{"the token in place of its id", "DELETE", "/" + made.Token, "", id, secret, "ringdown", 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			if status, answer := ask(t, c.method, page+c.path, c.body, c.id, c.secret, c.service); status != c.status {
				t.Errorf("%d %s, want %d", status, answer, c.status)
			}
		})
	}
	status, answer = ask(t, "GET", page, "", id, secret, "ringdown")
	var list []struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &list); err != nil || status != http.StatusOK || len(list) != 1 || list[0].ID != made.ID {
		t.Errorf("the list: %d %s", status, answer)
	}
	if status, answer = ask(t, "GET", s.URL+"/-/keys", "", id, secret, "ringdown"); answer != "[]" {
		t.Errorf("the list of keys: %d %s", status, answer)
	}
}

// TestKeysWithoutAServer: what is done to the keys of a data folder that no server
// has open is in the audit log as well.
func TestKeysWithoutAServer(t *testing.T) {
	dir := t.TempDir()
	keys, err := server.OpenKeys(t.Context(), server.Config{Data: dir, Listen: "127.0.0.1:1"})
	servertest.OK(t, err)
	made, err := keys.Create(t.Context(), server.NewKey{UserName: "ops", Policy: json.RawMessage(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`)})
	servertest.OK(t, err)
	servertest.OK(t, keys.Delete(t.Context(), made.AccessKeyID))
	servertest.OK(t, keys.Close())
	log, err := os.ReadFile(filepath.Join(dir, "audit.jsonl"))
	servertest.OK(t, err)
	for _, event := range []string{`"event":"key-create"`, `"event":"key-delete"`} {
		if !bytes.Contains(log, []byte(event)) {
			t.Errorf("the audit log has no %s: %s", event, log)
		}
	}
	if bytes.Count(log, []byte(`"key":"`+made.AccessKeyID+`"`)) != 2 || bytes.Contains(log, []byte(made.SecretAccessKey)) {
		t.Errorf("the audit log: %s", log)
	}
}
