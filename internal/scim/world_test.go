package scim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

const (
	core      = "urn:ietf:params:scim:schemas:core:2.0:User"
	extension = "urn:ringdown:params:scim:schemas:extension:connect:2.0:User"
	patchOp   = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	list      = "urn:ietf:params:scim:api:messages:2.0:ListResponse"

	enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
)

type object = map[string]any

// provider is an identity provider with a token for an instance.
type provider struct {
	*servertest.Server
	instance string
	base     string
	token    string
	id       string // of the token
}

// world is a server whose keys are managed as `ringdown keys` does.
type world struct {
	*servertest.Server
	keys server.KeyManager
}

func boot(t testing.TB, change ...func(*server.Config)) *world {
	t.Helper()
	s := servertest.Boot(t, change...)
	keys, err := server.OpenKeys(t.Context(), server.Config{Data: s.Data})
	servertest.OK(t, err)
	t.Cleanup(func() { servertest.OK(t, keys.Close()) })
	return &world{s, keys}
}

// provider makes an instance and a token for it.
func (w *world) provider(t testing.TB, kind types.DirectoryType) *provider {
	t.Helper()
	return w.providerOf(t, w.NewInstanceOf(t, kind))
}

func (w *world) providerOf(t testing.TB, instance string) *provider {
	t.Helper()
	made, err := w.keys.CreateToken(t.Context(), server.NewSCIMToken{
		Instance: instance, RoutingProfile: "Basic Routing Profile", SecurityProfiles: []string{"Agent"},
	})
	servertest.OK(t, err)
	return &provider{w.Server, instance, made.BaseURL, made.Token, made.ID}
}

// got is an answer.
type got struct {
	status int
	header http.Header
	body   object
	raw    string
	moved  bool // after a redirect, which providers do not follow
}

// ask makes a request; body is text or what becomes JSON, nil for none; header
// has names and values in turn. It may be called from any goroutine.
func (p *provider) ask(t testing.TB, method, path string, body any, header ...string) got {
	t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		raw, _ = json.Marshal(b) // a test's own value
	}
	r, err := http.NewRequestWithContext(context.Background(), method, p.base+path, bytes.NewReader(raw))
	if err != nil {
		t.Error(err)
		return got{}
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i+1] == "" {
			r.Header.Del(header[i])
		}
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return got{}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
		return got{}
	}
	g := got{status: resp.StatusCode, header: resp.Header, raw: string(text), moved: resp.Request.Response != nil}
	if len(text) > 0 {
		if kind := resp.Header.Get("Content-Type"); kind != "application/scim+json" {
			t.Errorf("%s %s: Content-Type %q", method, path, kind)
		}
		if err := json.Unmarshal(text, &g.body); err != nil {
			t.Errorf("%s %s: %v: %s", method, path, err, text)
		}
	}
	return g
}

// at is what is at a path of keys, nil when there is nothing.
func (g got) at(keys ...any) any {
	var v any = g.body
	for _, k := range keys {
		switch k := k.(type) {
		case string:
			m, _ := v.(object)
			v = m[k]
		case int:
			l, _ := v.([]any)
			if k >= len(l) {
				return nil
			}
			v = l[k]
		}
	}
	return v
}

func (g got) id() string { return fmt.Sprint(g.at("id")) }

// is ends the test unless the answer has the status.
func (g got) is(t testing.TB, status int) got {
	t.Helper()
	if g.status != status {
		t.Fatalf("%d %s, want %d", g.status, g.raw, status)
	}
	return g
}

// fails checks an error (RFC 7644 §3.12).
func (g got) fails(t testing.TB, status int, kind string, words ...string) {
	t.Helper()
	said, _ := g.body["scimType"].(string)
	detail, _ := g.body["detail"].(string)
	if g.status != status || said != kind || g.body["status"] != fmt.Sprint(status) || detail == "" ||
		!reflect.DeepEqual(g.body["schemas"], []any{"urn:ietf:params:scim:api:messages:2.0:Error"}) {
		t.Errorf("%d %s, want %d %s", g.status, g.raw, status, kind)
	}
	for _, w := range words {
		if !strings.Contains(detail, w) {
			t.Errorf("%q does not tell %q", detail, w)
		}
	}
}

// user is a resource with the least that it needs, and more.
func user(name string, more object) object {
	u := object{"schemas": []string{core}, "userName": name, "name": object{"givenName": "First", "familyName": "Last"}}
	for k, v := range more {
		u[k] = v
	}
	return u
}

// change is a patch of one operation.
func change(op, path string, value any) object {
	o := object{"op": op}
	if path != "" {
		o["path"] = path
	}
	if value != nil {
		o["value"] = value
	}
	return object{"schemas": []string{patchOp}, "Operations": []object{o}}
}

// described is the user as Amazon Connect's API has it.
func (p *provider) described(t testing.TB, id string) *types.User {
	t.Helper()
	out, err := p.Connect.DescribeUser(context.Background(), &connect.DescribeUserInput{InstanceId: &p.instance, UserId: &id})
	servertest.OK(t, err)
	return out.User
}

// profiles are the ids of the instance's profiles, by name.
func (p *provider) profiles(t testing.TB) map[string]string {
	t.Helper()
	ids := map[string]string{}
	routing, err := p.Connect.ListRoutingProfiles(context.Background(), &connect.ListRoutingProfilesInput{InstanceId: &p.instance})
	servertest.OK(t, err)
	for _, s := range routing.RoutingProfileSummaryList {
		ids[*s.Name] = *s.Id
	}
	security, err := p.Connect.ListSecurityProfiles(context.Background(), &connect.ListSecurityProfilesInput{InstanceId: &p.instance})
	servertest.OK(t, err)
	for _, s := range security.SecurityProfileSummaryList {
		ids[*s.Name] = *s.Id
	}
	return ids
}

// group makes a hierarchy group, below another one if parent is not empty.
func (p *provider) group(t testing.TB, name, parent string) string {
	t.Helper()
	in := &connect.CreateUserHierarchyGroupInput{InstanceId: &p.instance, Name: &name}
	if parent != "" {
		in.ParentGroupId = &parent
	}
	out, err := p.Connect.CreateUserHierarchyGroup(context.Background(), in)
	servertest.OK(t, err)
	return *out.HierarchyGroupId
}

// levels gives the instance a hierarchy of two levels.
func (p *provider) levels(t testing.TB) {
	t.Helper()
	level := func(name string) *types.HierarchyLevelUpdate {
		return &types.HierarchyLevelUpdate{Name: aws.String(name)}
	}
	_, err := p.Connect.UpdateUserHierarchyStructure(context.Background(), &connect.UpdateUserHierarchyStructureInput{
		InstanceId: &p.instance, HierarchyStructure: &types.HierarchyStructureUpdate{LevelOne: level("Area"), LevelTwo: level("Team")},
	})
	servertest.OK(t, err)
}
