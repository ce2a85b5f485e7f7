package scim_test

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// step is a request of an identity provider. {id} in its path is the id of the
// user that was made last, {} in a filter's place what the filter is.
type step struct {
	what, method, path, filter string
	body                       any
	status                     int
	want                       map[string]any // by path: name.givenName, Resources.0.id; nil: not there
}

// play carries out the steps of a provider, each on what the others have left.
func (p *provider) play(t *testing.T, steps []step) {
	t.Helper()
	id := ""
	for _, s := range steps {
		path := strings.ReplaceAll(strings.ReplaceAll(s.path, "{id}", id), "{}", url.QueryEscape(s.filter))
		g := p.ask(t, s.method, path, s.body)
		if g.status != s.status || g.moved {
			t.Fatalf("%s: %d %s, want %d and no redirect (%v)", s.what, g.status, g.raw, s.status, g.moved)
		}
		if s.method == "POST" && s.status == 201 {
			id = g.id()
		}
		for at, want := range s.want {
			var keys []any
			for key := range strings.SplitSeq(at, "/") {
				if n, err := strconv.Atoi(key); err == nil {
					keys = append(keys, n)
				} else {
					keys = append(keys, key)
				}
			}
			if want == "{id}" {
				want = id
			}
			if got := g.at(keys...); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %s is %v, want %v", s.what, at, got, want)
			}
		}
	}
}

func patchOf(ops ...object) object { return object{"schemas": []string{patchOp}, "Operations": ops} }

// TestEntra plays Microsoft Entra ID (learn.microsoft.com, "Develop and plan
// provisioning for a SCIM endpoint", "Known issues with SCIM 2.0 protocol
// compliance", and what its validator tries).
func TestEntra(t *testing.T) {
	const external, name = "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef", "ab6490ee@contoso.com"
	p := boot(t).provider(t, types.DirectoryTypeSaml)
	empty := map[string]any{"totalResults": 0, "schemas/0": list}
	found := map[string]any{"totalResults": 1, "Resources/0/id": "{id}", "itemsPerPage": 1, "startIndex": 1}
	body := object{
		"schemas": []string{core, enterprise}, "externalId": external, "userName": name, "active": true, "displayName": "lennay",
		"meta":       object{"resourceType": "User"},
		"emails":     []object{{"primary": true, "type": "work", "value": "anna@contoso.com"}},
		"name":       object{"formatted": "Adrienne McNally", "familyName": "McNally", "givenName": "Adrienne"},
		"addresses":  []object{{"type": "work", "locality": "Oslo"}},
		"roles":      []any{},
		"title":      "Agent",
		enterprise:   object{"department": "Sales", "manager": object{"value": "1"}},
		"urn:x:User": object{"a": "b"},
	}
	p.play(t, []step{
		{what: "test of the connection", method: "GET", path: "/Users?filter={}", filter: `userName eq "non-existent"`, status: 200, want: empty},
		{what: "test of the connection, groups", method: "GET", path: "/Groups?excludedAttributes=members&filter={}", filter: `displayName eq "non-existent"`, status: 200, want: empty},
		{what: "what there is", method: "GET", path: "/Schemas", status: 200, want: map[string]any{"Resources/0/id": core}},
		{what: "whether there is one", method: "GET", path: "/Users?filter={}", filter: `externalId eq "` + external + `"`, status: 200, want: empty},
		{what: "make one", method: "POST", path: "/Users", body: body, status: 201, want: map[string]any{"userName": name, "active": true, "externalId": external, "meta/resourceType": "User", enterprise: nil}},
		{what: "make it again", method: "POST", path: "/Users", body: body, status: 409, want: map[string]any{"scimType": "uniqueness"}},
		{what: "find it by externalId", method: "GET", path: "/Users?filter={}", filter: `externalId eq "` + external + `"`, status: 200, want: found},
		{what: "find it by userName", method: "GET", path: "/Users?filter={}", filter: `userName eq "` + name + `"`, status: 200, want: found},
		{what: "find it by two", method: "GET", path: "/Users?filter={}", filter: `userName eq "` + name + `" and emails[type eq "work"].value eq "anna@contoso.com"`, status: 200, want: found},
		{what: "read it", method: "GET", path: "/Users/{id}?attributes=userName,active", status: 200, want: map[string]any{"userName": name, "active": true, "name": nil, "id": "{id}"}},
		{what: "update", method: "PATCH", path: "/Users/{id}", status: 200, body: patchOf(
			object{"op": "Replace", "path": `emails[type eq "work"].value`, "value": "updated@contoso.com"},
			object{"op": "Replace", "path": "name.familyName", "value": "Updated"},
			object{"op": "Replace", "path": "displayName", "value": "whatever"},
			object{"op": "Add", "path": `phoneNumbers[type eq "mobile"].value`, "value": "+1 2015550123"},
			object{"op": "Add", "path": `phoneNumbers[type eq "work"].value`, "value": "4711"},
			object{"op": "Add", "path": `addresses[type eq "work"].formatted`, "value": "Oslo"},
			object{"op": "Add", "path": `roles[primary eq "True"].value`, "value": "x"},
			object{"op": "Add", "path": enterprise + ":department", "value": "Sales"},
			object{"op": "Replace", "path": enterprise + ":manager", "value": []object{{"$ref": "https://example.org/Users/2", "value": "2"}}},
		), want: map[string]any{"emails/0/value": "updated@contoso.com", "name/familyName": "Updated", "displayName": "Adrienne Updated", "phoneNumbers/0/value": "+12015550123", "phoneNumbers/1": nil}},
		{what: "a number that was ignored changes", method: "PATCH", path: "/Users/{id}", status: 200, body: patchOf(
			object{"op": "Replace", "path": `phoneNumbers[type eq "work"].value`, "value": "4712"}, object{"op": "Replace", "path": "name.givenName", "value": "A"},
		), want: map[string]any{"name/givenName": "A", "phoneNumbers/0/value": "+12015550123"}},
		{what: "empty values", method: "PATCH", path: "/Users/{id}", status: 200, body: patchOf(
			object{"op": "Replace", "path": `phoneNumbers[type eq "mobile"].value`, "value": ""}, object{"op": "Replace", "path": `emails[type eq "work"].value`, "value": ""},
		), want: map[string]any{"phoneNumbers": nil, "emails": nil}},
		{what: "no values", method: "PATCH", path: "/Users/{id}", status: 200, body: patchOf(
			object{"op": "Replace", "path": `phoneNumbers[type eq "mobile"].value`, "value": nil}, object{"op": "Replace", "path": `emails[type eq "work"].value`, "value": nil}, object{"op": "Replace", "path": "title", "value": nil},
		), want: map[string]any{"phoneNumbers": nil, "emails": nil}},
		{what: "a value where there is none by now", method: "PATCH", path: "/Users/{id}", status: 200, body: patchOf(
			object{"op": "Replace", "path": `emails[type eq "work"].value`, "value": "new@contoso.com"},
		), want: map[string]any{"emails/0/value": "new@contoso.com", "emails/0/type": "work"}},
		{what: "disable", method: "PATCH", path: "/Users/{id}", status: 200, body: change("Replace", "active", "False"), want: map[string]any{"active": false}},
		{what: "find it disabled", method: "GET", path: "/Users?filter={}", filter: `userName eq "` + name + `"`, status: 200, want: map[string]any{"Resources/0/active": false}},
		{what: "restore, without paths", method: "PATCH", path: "/Users/{id}", status: 200, body: change("replace", "", object{
			"active": "True", "name.givenName": "B", `emails[type eq "work"].value`: "b@contoso.com", enterprise + ":department": "Service", "displayName": "x",
		}), want: map[string]any{"active": true, "name/givenName": "B", "emails/0/value": "b@contoso.com"}},
		{what: "restore by another way", method: "PATCH", path: "/Users/{id}", status: 200, body: change("Add", "active", true), want: map[string]any{"active": true}},
		{what: "another userName, which Amazon Connect does not have", method: "PATCH", path: "/Users/{id}", status: 400, body: change("Replace", "userName", "new@contoso.com"), want: map[string]any{"scimType": "mutability"}},
		{what: "make a group", method: "POST", path: "/Groups", status: 501, body: object{"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Group"}, "displayName": "x"}},
		{what: "delete", method: "DELETE", path: "/Users/{id}", status: 204},
		{what: "delete it again", method: "DELETE", path: "/Users/{id}", status: 404},
		{what: "read what is gone", method: "GET", path: "/Users/{id}", status: 404, want: map[string]any{"status": "404"}},
		{what: "make it again", method: "POST", path: "/Users", body: body, status: 201},
		{what: "a page", method: "GET", path: "/Users?startIndex=1&count=5", status: 200, want: map[string]any{"startIndex": 1, "totalResults": 1}},
		{what: "a page beyond", method: "GET", path: "/Users?startIndex=6&count=5", status: 200, want: map[string]any{"startIndex": 6, "itemsPerPage": 0}},
	})
}

// TestOkta plays Okta (developer.okta.com, "SCIM 2.0 protocol reference", and what
// its test of specifications asks).
func TestOkta(t *testing.T) {
	const name = "test.user@okta.local"
	p := boot(t).provider(t, types.DirectoryTypeSaml)
	search := "/Users?filter={}&startIndex=1&count=100"
	profile := func(more object) object {
		all := object{
			"schemas": []string{core}, "userName": name, "name": object{"givenName": "Test", "familyName": "User"},
			"emails":      []object{{"primary": true, "value": name, "type": "work"}},
			"displayName": "Test User", "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7", "groups": []any{}, "password": "1mz050nq", "active": true,
		}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	p.play(t, []step{
		{what: "a first look", method: "GET", path: "/Users?startIndex=1&count=2", status: 200, want: map[string]any{"totalResults": 0, "startIndex": 1, "schemas/0": list}},
		{what: "somebody who cannot be", method: "GET", path: "/Users/010101001010101011001010101011", status: 404, want: map[string]any{"status": "404", "schemas/0": "urn:ietf:params:scim:api:messages:2.0:Error"}},
		{what: "groups to import", method: "GET", path: "/Groups?startIndex=1&count=100", status: 200, want: map[string]any{"totalResults": 0}},
		{what: "whether there is one", method: "GET", path: search, filter: `userName eq "` + name + `"`, status: 200, want: map[string]any{"totalResults": 0}},
		{what: "make one", method: "POST", path: "/Users", body: profile(nil), status: 201, want: map[string]any{"userName": name, "active": true, "password": nil, "emails/0/value": name}},
		{what: "make it again", method: "POST", path: "/Users", body: profile(nil), status: 409, want: map[string]any{"scimType": "uniqueness"}},
		{what: "find it", method: "GET", path: search, filter: `userName eq "` + name + `"`, status: 200, want: map[string]any{"totalResults": 1, "Resources/0/id": "{id}", "itemsPerPage": 1}},
		{what: "in capitals", method: "GET", path: search, filter: `userName eq "TEST.USER@OKTA.LOCAL"`, status: 200, want: map[string]any{"totalResults": 0}},
		{what: "replace", method: "PUT", path: "/Users/{id}", status: 200, body: profile(object{
			"id": "{id}", "password": nil, "name": object{"givenName": "Another", "middleName": "Excited", "familyName": "User"}, "meta": object{"resourceType": "User"},
			"nickName": "t", "userType": "Employee", "favouriteColour": "blue", enterprise: object{"employeeNumber": "7"}, "phoneNumbers": []object{{"value": "123-456-7890", "type": "work"}, {"value": "+12015550123", "type": "mobile", "primary": true}},
		}), want: map[string]any{"name/formatted": "Another User", "phoneNumbers/0/value": "+12015550123", "favouriteColour": nil}},
		{what: "deactivate", method: "PATCH", path: "/Users/{id}", status: 200, body: change("replace", "", object{"active": false}), want: map[string]any{"active": false}},
		{what: "a password to go with it", method: "PATCH", path: "/Users/{id}", status: 200, body: change("replace", "", object{"password": "n3wPassw0rd"}), want: map[string]any{"password": nil}},
		{what: "reactivate by PUT", method: "PUT", path: "/Users/{id}", status: 200, body: profile(object{"password": nil}), want: map[string]any{"active": true, "phoneNumbers": nil}},
		{what: "deactivate by PUT", method: "PUT", path: "/Users/{id}", status: 200, body: profile(object{"active": false}), want: map[string]any{"active": false}},
		{what: "import", method: "GET", path: "/Users?startIndex=1&count=100", status: 200, want: map[string]any{"Resources/0/id": "{id}", "totalResults": 1}},
	})
}

// TestOneLogin plays OneLogin, which names schemas as the drafts of RFC 7643 did,
// sends one address without a list, and has more in its addresses than it needs.
func TestOneLogin(t *testing.T) {
	p := boot(t).provider(t, types.DirectoryTypeSaml)
	body := func(schemas ...string) object {
		return object{
			"schemas": schemas, "userName": "onelogin-user01", "externalId": "209381234", "active": true,
			"name":        object{"familyName": "User", "givenName": "One", "formatted": "One User"},
			"displayName": "One User", "emails": object{"value": "one@example.org", "type": "work", "primary": true},
			"title": nil, "urn:scim:schemas:extension:enterprise:2.0": object{"department": nil, "manager": object{"managerId": nil}},
		}
	}
	old := body("urn:scim:schemas:core:2.0", "urn:scim:schemas:extension:enterprise:2.0")
	p.play(t, []step{
		{what: "test of the connection", method: "GET", path: "/Users?startIndex=1&count=1&", status: 200, want: map[string]any{"totalResults": 0}},
		{what: "whether there is one", method: "GET", path: "/Users?filter={}&", filter: `userName eq "onelogin-user01"`, status: 200, want: map[string]any{"totalResults": 0}},
		{what: "its groups", method: "GET", path: "/Groups?", status: 200, want: map[string]any{"totalResults": 0}},
		{what: "make one", method: "POST", path: "/Users?", body: old, status: 201, want: map[string]any{"userName": "onelogin-user01", "emails/0/value": "one@example.org", "schemas/0": core}},
		{what: "replace", method: "PUT", path: "/Users/{id}?", body: old, status: 200, want: map[string]any{"externalId": "209381234"}},
		{what: "replace, as the older templates have it", method: "PUT", path: "/Users/{id}?", body: body("urn:scim:schemas:core:2.0:User"), status: 200},
		{what: "replace, as the newer ones do", method: "PUT", path: "/Users/{id}?", body: body(core, enterprise), status: 200},
		{what: "suspend", method: "PATCH", path: "/Users/{id}?", body: change("replace", "active", false), status: 200, want: map[string]any{"active": false}},
		{what: "version 1", method: "PUT", path: "/Users/{id}", body: body("urn:scim:schemas:core:1.0"), status: 400, want: map[string]any{"scimType": "invalidValue"}},
		{what: "delete", method: "DELETE", path: "/Users/{id}?", status: 204},
	})
}

// TestKeycloak plays the plugins of Keycloak, and authentik: a base URL that was
// entered with a slash at its end, an id of their own, addresses without types.
func TestKeycloak(t *testing.T) {
	p := boot(t).provider(t, types.DirectoryTypeSaml)
	body := object{
		"schemas": []string{core}, "id": "0ff2dd41-9b12-40fb-9acc-4b3f9ce88c68", "externalId": "0ff2dd41-9b12-40fb-9acc-4b3f9ce88c68", "userName": "test1", "active": true,
		"name": object{"givenName": "Test", "familyName": "One", "formatted": "Test One"}, "emails": []object{{"primary": true, "value": "test1@example.com"}},
		"photos": nil, "phoneNumbers": nil, "groups": []any{},
	}
	p.play(t, []step{
		{what: "what it can do", method: "GET", path: "//ServiceProviderConfig", status: 200, want: map[string]any{"patch/supported": true, "bulk/supported": false, "bulk/maxOperations": 0, "filter/maxResults": 1000}},
		{what: "its kinds", method: "GET", path: "//ResourceTypes", status: 200, want: map[string]any{"Resources/0/id": "User"}},
		{what: "make one", method: "POST", path: "//Users", body: body, status: 201, want: map[string]any{"externalId": body["externalId"], "emails/0/value": "test1@example.com", "emails/0/type": "work"}},
		{what: "read it", method: "GET", path: "//Users/{id}/", status: 200, want: map[string]any{"id": "{id}"}},
		{what: "replace", method: "PUT", path: "//Users/{id}", body: body, status: 200, want: map[string]any{"id": "{id}"}},
		{what: "find it", method: "GET", path: "//Users?filter={}&sortBy=userName&sortOrder=descending", filter: `userName eq "test1"`, status: 200, want: map[string]any{"totalResults": 1}},
		{what: "search", method: "POST", path: "//Users/.search", status: 200, body: object{
			"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}, "filter": `emails.value eq "TEST1@example.com"`, "sortBy": "userName", "startIndex": 1, "count": 0,
		}, want: map[string]any{"totalResults": 1, "itemsPerPage": 0}},
		{what: "values in lists", method: "PATCH", path: "//Users/{id}", status: 200, body: patchOf(
			object{"op": "replace", "path": "active", "value": []any{"false"}}, object{"op": "replace", "path": "name.familyName", "value": []any{"Two"}},
		), want: map[string]any{"active": false, "name/familyName": "Two"}},
		{what: "many at once", method: "POST", path: "//Bulk", status: 501, body: object{
			"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": []object{{"method": "POST", "path": "/Users", "bulkId": "1", "data": body}},
		}, want: map[string]any{"status": "501"}},
		{what: "its groups", method: "POST", path: "//Groups/.search", status: 200, body: object{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:SearchRequest"}}, want: map[string]any{"totalResults": 0}},
		{what: "delete", method: "DELETE", path: "//Users/{id}", status: 204},
	})
}
