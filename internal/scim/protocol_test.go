package scim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audit"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// TestDiscovery: what the service tells of itself is what it does (RFC 7644 §4).
func TestDiscovery(t *testing.T) {
	var log servertest.Log
	p := boot(t, func(c *server.Config) { c.Logger = log.Logger() }).provider(t, types.DirectoryTypeSaml)
	g := p.ask(t, "GET", "/ServiceProviderConfig", nil).is(t, 200)
	for feature, want := range map[string]bool{"patch": true, "bulk": false, "filter": true, "changePassword": true, "sort": false, "etag": true} {
		if g.at(feature, "supported") != want {
			t.Errorf("%s: %s", feature, g.raw)
		}
	}
	if g.at("authenticationSchemes", 0, "type") != "oauthbearertoken" {
		t.Error(g.raw)
	}
	g = p.ask(t, "GET", "/ResourceTypes", nil).is(t, 200)
	if g.at("totalResults") != 1.0 || g.at("Resources", 0, "name") != "User" || g.at("Resources", 0, "endpoint") != "/Users" || g.at("Resources", 0, "schemaExtensions", 0, "schema") != extension {
		t.Error(g.raw)
	}
	servertest.Same(t, "the resource type", p.ask(t, "GET", "/ResourceTypes/User", nil).is(t, 200).body, g.at("Resources", 0))

	g = p.ask(t, "GET", "/Schemas", nil).is(t, 200)
	known := map[string]bool{}
	for i := range g.at("Resources").([]any) {
		id := g.at("Resources", i, "id").(string)
		one := p.ask(t, "GET", "/Schemas/"+id, nil).is(t, 200)
		servertest.Same(t, id, one.body, g.at("Resources", i))
		for _, a := range one.at("attributes").([]any) {
			a := a.(object)
			for _, member := range []string{"name", "type", "multiValued", "description", "required", "caseExact", "mutability", "returned", "uniqueness"} {
				if _, ok := a[member]; !ok {
					t.Errorf("%s: %v has no %s", id, a["name"], member)
				}
			}
			known[a["name"].(string)] = true
		}
	}
	// Nothing is shown that no schema has.
	made := p.ask(t, "POST", "/Users", user("mary", object{
		"externalId": "x", "emails": []object{{"value": "m@example.org"}}, "phoneNumbers": []object{{"value": "+12015550123"}},
	})).is(t, 201)
	ext, _ := made.at(extension).(object)
	for name := range ext {
		if !known[name] {
			t.Errorf("%s is in no schema", name)
		}
	}
	for name := range made.body {
		if !known[name] && name != "schemas" && name != "id" && name != "externalId" && name != "meta" && name != extension {
			t.Errorf("%s is in no schema", name)
		}
	}

	for _, path := range []string{"/ServiceProviderConfig", "/ResourceTypes", "/Schemas"} {
		p.ask(t, "GET", path+"?filter="+url.QueryEscape(`id eq "x"`), nil).fails(t, 403, "")
		p.ask(t, "POST", path, object{}).fails(t, 405, "")
	}
	p.ask(t, "GET", "/Schemas/urn:none", nil).fails(t, 404, "")
	p.ask(t, "GET", "/ResourceTypes/Group", nil).fails(t, 404, "")
	for _, path := range []string{"/Groups", "/Groups/", "/Groups?excludedAttributes=members&filter=" + url.QueryEscape(`displayName eq "x"`)} {
		if g := p.ask(t, "GET", path, nil).is(t, 200); g.at("totalResults") != 0.0 || g.at("schemas", 0) != list {
			t.Errorf("%s: %s", path, g.raw)
		}
	}
	p.ask(t, "GET", "/Groups/x", nil).fails(t, 404, "", "no groups")
	p.ask(t, "POST", "/Groups", object{"displayName": "x"}).fails(t, 501, "", "no")
	p.ask(t, "PATCH", "/Groups/x", change("add", "members", []any{})).fails(t, 501, "")
	p.ask(t, "GET", "/Me", nil).fails(t, 501, "")
	p.ask(t, "POST", "/Bulk", object{}).fails(t, 501, "")
	if logged := log.String(); strings.Contains(logged, "ERROR") {
		t.Errorf("what is not served is logged as an error:\n%s", logged)
	}
	p.ask(t, "GET", "/Users/x/y", nil).fails(t, 404, "")
	p.ask(t, "GET", "/nothing", nil).fails(t, 404, "")
}

// TestLists: pages of all users, and of those that a filter holds for.
func TestLists(t *testing.T) {
	p := boot(t).provider(t, types.DirectoryTypeSaml)
	names := make([]string, 7)
	for i := range names {
		names[i] = fmt.Sprintf("user%d", i)
		p.ask(t, "POST", "/Users", user(names[i], object{"externalId": fmt.Sprint(i % 2)})).is(t, 201)
	}
	all := strings.Join(names, " ")
	for _, c := range []struct {
		filter, start, count string
		total                int
		want                 string
	}{
		{"", "", "", 7, all},
		{"", "1", "3", 7, "user0 user1 user2"},
		{"", "4", "3", 7, "user3 user4 user5"},
		{"", "7", "3", 7, "user6"},
		{"", "8", "3", 7, ""},
		{"", "1000000", "3", 7, ""},
		{"", "0", "1", 7, "user0"},
		{"", "-5", "1", 7, "user0"},
		{"", "1", "0", 7, ""},
		{"", "1", "-1", 7, ""},
		{"", "1", "100000", 7, all},
		{`externalId eq "1"`, "", "", 3, "user1 user3 user5"},
		{`externalId eq "1"`, "2", "1", 3, "user3"},
		{`externalId eq "1"`, "3", "5", 3, "user5"},
		{`externalId eq "1"`, "1", "0", 3, ""},
		{`externalId eq "2"`, "", "", 0, ""},
		{`userName eq "user3"`, "", "", 1, "user3"},
		{`userName eq "user3"`, "2", "", 1, ""},
		{`userName eq "USER3"`, "", "", 0, ""},
		{`userName eq "user3" and externalId eq "1"`, "", "", 1, "user3"},
		{`externalId eq "0" and userName eq "user3"`, "", "", 0, ""},
		{`userName eq "user3" or userName eq "user4"`, "", "", 2, "user3 user4"},
		{`not (userName eq "user3")`, "", "", 6, "user0 user1 user2 user4 user5 user6"},
		{`userName eq "a\u0000b"`, "", "", 0, ""},
		{`id eq "x"`, "", "", 0, ""},
		{`userName sw "user" and meta.created gt "2011-05-13T04:42:34Z"`, "7", "", 7, "user6"},
	} {
		t.Run(c.filter+c.start+c.count, func(t *testing.T) {
			q := url.Values{}
			body := object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}}
			for name, v := range map[string]string{"filter": c.filter, "startIndex": c.start, "count": c.count} {
				if v == "" {
					continue
				}
				q.Set(name, v)
				body[name] = json.Number(v)
				if name == "filter" {
					body[name] = v
				}
			}
			g := p.ask(t, "GET", "/Users?"+q.Encode(), nil).is(t, 200)
			got := []string{}
			for i := range g.at("Resources").([]any) {
				got = append(got, g.at("Resources", i, "userName").(string))
			}
			if g.at("totalResults") != float64(c.total) || strings.Join(got, " ") != c.want || g.at("itemsPerPage") != float64(len(got)) {
				t.Errorf("%s %v", g.raw, got)
			}
			for _, path := range []string{"/Users/.search", "/.search"} {
				servertest.Same(t, path, p.ask(t, "POST", path, body).is(t, 200).body, g.body)
			}
		})
	}
	p.ask(t, "GET", "/Users?count=many", nil).fails(t, 400, "invalidValue", "count")
	p.ask(t, "GET", "/Users?startIndex=1.5", nil).fails(t, 400, "invalidValue", "startIndex")
	p.ask(t, "GET", "/Users?filter="+url.QueryEscape("userName"), nil).fails(t, 400, "invalidFilter")
	p.ask(t, "POST", "/.search", object{"filter": "userName pr"}).fails(t, 400, "invalidValue", "SearchRequest")
	p.ask(t, "GET", "/.search", nil).fails(t, 405, "")
}

// TestSelection: clients choose what they see (RFC 7644 §3.9).
func TestSelection(t *testing.T) {
	p := boot(t).provider(t, types.DirectoryTypeSaml)
	made := p.ask(t, "POST", "/Users", user("mary", object{
		"emails": []object{{"value": "m@example.org", "type": "work", "primary": true}, {"value": "o@example.org"}},
	})).is(t, 201)
	id := made.id()
	head := object{"id": id, "schemas": made.at("schemas")}
	with := func(more object) object {
		all := object{}
		for _, m := range []object{head, more} {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	without := func(names ...string) object {
		all := with(made.body)
		for _, n := range names {
			delete(all, n)
		}
		return all
	}
	for query, want := range map[string]object{
		"attributes=userName":                         with(object{"userName": "mary"}),
		"attributes=USERNAME,name.givenName":          with(object{"userName": "mary", "name": object{"givenName": "First"}}),
		"attributes=name.givenName,name.formatted":    with(object{"name": object{"givenName": "First", "formatted": "First Last"}}),
		"attributes=emails.value":                     with(object{"emails": []object{{"value": "m@example.org"}, {"value": "o@example.org"}}}),
		"attributes=emails.value,emails.primary":      with(object{"emails": []object{{"value": "m@example.org", "primary": true}, {"value": "o@example.org"}}}),
		"attributes=password,title,shoeSize":          head,
		"attributes=" + extension:                     with(object{extension: made.at(extension)}),
		"attributes=" + extension + ":routingProfile": with(object{extension: object{"routingProfile": "Basic Routing Profile"}}),
		"attributes=" + core + ":userName":            with(object{"userName": "mary"}),
		"excludedAttributes=emails," + extension:      without("emails", extension),
		"excludedAttributes=id,schemas,userName":      without("userName"),
		"excludedAttributes=name.formatted,name.familyName": func() object {
			o := without()
			o["name"] = object{"givenName": "First"}
			return o
		}(),
	} {
		t.Run(query, func(t *testing.T) {
			query := (&url.URL{RawQuery: query}).Query().Encode()
			servertest.Same(t, "one", p.ask(t, "GET", "/Users/"+id+"?"+query, nil).is(t, 200).body, want)
			servertest.Same(t, "a list", p.ask(t, "GET", "/Users?"+query, nil).is(t, 200).at("Resources", 0), want)
			servertest.Same(t, "a change", p.ask(t, "PATCH", "/Users/"+id+"?"+query, change("replace", "active", true)).is(t, 200).body, want)
		})
	}
	p.ask(t, "GET", "/Users/"+id+"?attributes=id&excludedAttributes=name", nil).fails(t, 400, "invalidValue")
}

// TestRequestsRefused: what is no request of SCIM changes nothing.
func TestRequestsRefused(t *testing.T) {
	p := boot(t).provider(t, types.DirectoryTypeSaml)
	made := p.ask(t, "POST", "/Users", user("mary", nil)).is(t, 201)
	path := "/Users/" + made.id()
	for _, c := range []struct {
		name, method, path string
		body               any
		status             int
		kind               string
	}{
		{"no JSON", "POST", "/Users", "{", 400, "invalidSyntax"},
		{"more than JSON", "POST", "/Users", "{} {}", 400, "invalidSyntax"},
		{"no object", "POST", "/Users", "[]", 400, "invalidSyntax"},
		{"nothing", "POST", "/Users", "null", 400, "invalidSyntax"},
		{"an empty body", "PUT", path, "", 400, "invalidSyntax"},
		{"no schemas", "POST", "/Users", object{"userName": "x"}, 400, "invalidValue"},
		{"other schemas", "POST", "/Users", object{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "userName": "x"}, 400, "invalidValue"},
		{"no userName", "POST", "/Users", object{"schemas": []string{core}}, 400, "invalidValue"},
		{"another userName", "PUT", path, user("babs", nil), 400, "mutability"},
		{"a patch that is a user", "PATCH", path, user("mary", nil), 400, "invalidValue"},
		{"a patch of nothing", "PATCH", path, object{"schemas": []string{patchOp}}, 400, "invalidSyntax"},
		{"operations that are none", "PATCH", path, object{"schemas": []string{patchOp}, "Operations": "x"}, 400, "invalidSyntax"},
		{"too much", "POST", "/Users", user("x", object{"title": strings.Repeat("x", 1<<20)}), 413, ""},
		{"to all", "DELETE", "/Users", nil, 405, ""},
		{"to one", "POST", path, user("x", nil), 405, ""},
		{"no id", "GET", "/Users/mary", nil, 404, ""},
		{"an id that is a path", "GET", "/Users/..%2f..%2fkeys", nil, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p.ask(t, c.method, c.path, c.body, "If-Match", "").fails(t, c.status, c.kind)
		})
	}
	p.ask(t, "POST", "/Users", "userName=x", "Content-Type", "application/x-www-form-urlencoded").fails(t, 415, "")
	p.ask(t, "POST", "/Users", user("json", nil), "Content-Type", "application/json; charset=utf-8").is(t, 201)
	g := p.ask(t, "PUT", "/Users", user("x", nil))
	if g.fails(t, 405, ""); g.header.Get("Allow") != "GET, POST" {
		t.Error(g.header)
	}
	if g := p.ask(t, "HEAD", path, nil); g.status != 200 || g.raw != "" || g.header.Get("ETag") != made.header.Get("ETag") {
		t.Errorf("HEAD: %d %q", g.status, g.raw)
	}
	servertest.Same(t, "the user", p.ask(t, "GET", path, nil).is(t, 200).body, made.body)
	if g := p.ask(t, "GET", "/Users", nil).is(t, 200); g.at("totalResults") != 2.0 {
		t.Error(g.raw)
	}
}

// TestAudit: what is done and refused is written down, and nothing secret.
func TestAudit(t *testing.T) {
	w := boot(t)
	p := w.provider(t, types.DirectoryTypeConnectManaged)
	const password, typed = "t1meMa$heen", "Typ3dAsAName"
	made := p.ask(t, "POST", "/Users", user("mary", object{"password": password})).is(t, 201)
	path := "/Users/" + made.id()
	p.ask(t, "GET", path, nil).is(t, 200)
	p.ask(t, "PATCH", path, change("replace", "active", false)).is(t, 200)
	p.ask(t, "PATCH", path, change("replace", "active", true)).is(t, 200)
	p.ask(t, "PUT", path, user("mary", object{"externalId": "x"})).is(t, 200)
	p.ask(t, "PUT", path, user(typed, nil)).is(t, 400)
	p.ask(t, "POST", "/Users", user("mary", nil)).is(t, 409)
	p.ask(t, "POST", "/Users", user(typed, object{"password": "weak" + typed[:1]})).is(t, 400)
	p.ask(t, "DELETE", path, nil).is(t, 204)
	p.ask(t, "GET", "/Users", nil, "Authorization", "Bearer "+typed).is(t, 401)
	p.ask(t, "GET", "/Users", nil, "Authorization", "").is(t, 401)
	servertest.OK(t, w.keys.Delete(t.Context(), p.id))

	raw, err := os.ReadFile(filepath.Join(w.Data, "audit.jsonl"))
	servertest.OK(t, err)
	for _, secret := range []string{password, typed, p.token, strings.TrimPrefix(p.token, "ringdown_scim_")} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("%q is in the audit log", secret)
		}
	}
	var lines []string
	for line := range strings.Lines(string(raw)) {
		var e audit.Event
		servertest.OK(t, json.Unmarshal([]byte(line), &e))
		if e.From != "127.0.0.1" || e.Key != p.id && e.Reason != "the bearer token is not known" || e.User != "" && e.UserID != made.id() ||
			e.Event == audit.Provisioning && e.Key != "" && (e.Instance != p.instance || e.RequestID == "") {
			t.Errorf("%s", line)
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintln(e.Event, e.Outcome, e.Reason, e.User)))
	}
	servertest.Same(t, "the audit log", lines, []string{
		"key-create ok",
		"provisioning ok create mary",
		"provisioning ok deactivate mary",
		"provisioning ok activate mary",
		"provisioning ok replace mary",
		"provisioning refused replace: 400 mutability mary",
		"provisioning refused create: 409 uniqueness",
		"provisioning refused create: 400 invalidValue",
		"provisioning ok delete mary",
		"provisioning refused the bearer token is not known",
		"key-delete ok",
	})
}

// TestBaseURL: the address that providers are given leads somewhere by itself.
func TestBaseURL(t *testing.T) {
	p := boot(t).provider(t, types.DirectoryTypeSaml)
	if g := p.ask(t, "GET", "", nil).is(t, http.StatusOK); g.at("totalResults") != 0.0 || g.moved {
		t.Error(g.raw)
	}
}
