package scim_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
	"ringdown/internal/store/storetest/pgtest"
)

// TestLife: a user is made, changed in each way, shut out, let in again and
// deleted by an identity provider, and Amazon Connect's API sees each step.
func TestLife(t *testing.T) {
	w := boot(t)
	for _, kind := range []types.DirectoryType{types.DirectoryTypeSaml, types.DirectoryTypeConnectManaged} {
		t.Run(string(kind), func(t *testing.T) { life(t, w.provider(t, kind)) })
	}
}

func life(t *testing.T, p *provider) {
	profiles := p.profiles(t)
	p.levels(t)
	north := p.group(t, "North", p.group(t, "Sales", ""))

	// Not there yet, says the question that providers ask first.
	search := "/Users?filter=" + url.QueryEscape(`userName eq "bjensen"`)
	if g := p.ask(t, "GET", search, nil).is(t, 200); g.at("totalResults") != 0.0 || len(g.at("Resources").([]any)) != 0 {
		t.Errorf("before: %s", g.raw)
	}
	made := p.ask(t, "POST", "/Users", user("bjensen", object{
		"externalId": "701984", "displayName": "Babs Jensen", "active": true, "title": "Tour Guide", "password": "t1meMa$heen",
		"name":         object{"givenName": "Barbara", "familyName": "Jensen", "formatted": "Ms. Barbara J Jensen", "honorificPrefix": "Ms."},
		"emails":       []object{{"value": "bjensen@example.com", "type": "work", "primary": true}, {"value": "babs@jensen.org", "type": "home"}},
		"phoneNumbers": []object{{"value": "555-555-8377", "type": "work"}, {"value": "tel:+1-201-555-0123", "type": "mobile"}},
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": object{"department": "Tour Operations"},
	})).is(t, 201)
	id, path := made.id(), "/Users/"+made.id()
	if made.header.Get("Location") != p.base+path || made.at("meta", "location") != p.base+path || made.header.Get("ETag") != `W/"1"` || made.at("meta", "version") != `W/"1"` {
		t.Errorf("made: %v %s", made.header, made.raw)
	}
	if strings.Contains(made.raw, "heen") || strings.Contains(made.raw, "password") {
		t.Error("the password is told")
	}
	u := p.described(t, id)
	servertest.Same(t, "the identity", u.IdentityInfo, &types.UserIdentityInfo{
		FirstName: aws.String("Barbara"), LastName: aws.String("Jensen"), Email: aws.String("bjensen@example.com"),
		SecondaryEmail: aws.String("babs@jensen.org"), Mobile: aws.String("+12015550123"),
	})
	if *u.Username != "bjensen" || *u.RoutingProfileId != profiles["Basic Routing Profile"] || !slices.Equal(u.SecurityProfileIds, []string{profiles["Agent"]}) ||
		u.PhoneConfig.PhoneType != types.PhoneTypeSoftPhone || u.HierarchyGroupId != nil {
		t.Errorf("described: %+v", u)
	}
	again := p.ask(t, "GET", path, nil).is(t, 200)
	servertest.Same(t, "what is read", again.body, made.body)
	p.ask(t, "POST", "/Users", user("bjensen", nil)).fails(t, 409, "uniqueness", "bjensen")

	// Into the hierarchy, with other profiles; the rest stays.
	now := p.ask(t, "PATCH", path, object{"schemas": []string{patchOp}, "Operations": []object{
		{"op": "add", "path": extension + ":hierarchyGroup", "value": "North"},
		{"op": "replace", "path": extension + ":securityProfiles", "value": []string{"Admin", profiles["Agent"]}},
	}}).is(t, 200)
	servertest.Same(t, "the extension", now.at(extension), object{
		"routingProfile": "Basic Routing Profile", "securityProfiles": []string{"Admin", "Agent"}, "hierarchyGroup": "Sales/North",
	})
	u = p.described(t, id)
	if *u.HierarchyGroupId != north || !slices.Equal(u.SecurityProfileIds, []string{profiles["Admin"], profiles["Agent"]}) || *u.IdentityInfo.Email != "bjensen@example.com" {
		t.Errorf("described: %+v", u)
	}

	// What the API changes is seen here.
	_, err := p.Connect.UpdateUserIdentityInfo(t.Context(), &connect.UpdateUserIdentityInfoInput{
		InstanceId: &p.instance, UserId: &id, IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("B"), LastName: aws.String("J")},
	})
	servertest.OK(t, err)
	seen := p.ask(t, "GET", path, nil).is(t, 200)
	if seen.at("name", "formatted") != "B J" || seen.at("emails") != nil || seen.at("externalId") != "701984" || seen.header.Get("ETag") != `W/"3"` {
		t.Errorf("after a change by the API: %s", seen.raw)
	}

	// A replacement leaves what it does not know of: profiles, and who is shut out.
	out := p.ask(t, "PATCH", path, change("Replace", "active", "False")).is(t, 200)
	if out.at("active") != false {
		t.Errorf("shut out: %s", out.raw)
	}
	full := p.ask(t, "PUT", path, user("bjensen", object{"emails": []object{{"value": "b@example.org"}}})).is(t, 200)
	if full.at("active") != false || full.at("externalId") != nil || full.at("emails", 0, "value") != "b@example.org" || full.at("phoneNumbers") != nil {
		t.Errorf("replaced: %s", full.raw)
	}
	servertest.Same(t, "the extension", full.at(extension), now.at(extension))
	// One that knows of them replaces them.
	full = p.ask(t, "PUT", path, user("bjensen", object{"active": true, extension: object{"securityProfiles": []string{"Agent"}}})).is(t, 200)
	servertest.Same(t, "the extension", full.at(extension), object{"routingProfile": "Basic Routing Profile", "securityProfiles": []string{"Agent"}})
	if u = p.described(t, id); u.HierarchyGroupId != nil || full.at("active") != true {
		t.Errorf("replaced: %s; described: %+v", full.raw, u)
	}
	// What changes nothing is no new version.
	same := p.ask(t, "PUT", path, user("bjensen", nil)).is(t, 200)
	if same.header.Get("ETag") != full.header.Get("ETag") {
		t.Errorf("an empty change: %s after %s", same.header.Get("ETag"), full.header.Get("ETag"))
	}

	if g := p.ask(t, "DELETE", path, nil).is(t, 204); g.raw != "" {
		t.Errorf("deleted: %s", g.raw)
	}
	_, err = p.Connect.DescribeUser(t.Context(), &connect.DescribeUserInput{InstanceId: &p.instance, UserId: &id})
	servertest.Fails(t, err, fault.ResourceNotFound)
	for method, body := range map[string]any{"GET": nil, "DELETE": nil, "PUT": user("bjensen", nil), "PATCH": change("replace", "active", true)} {
		p.ask(t, method, path, body).fails(t, 404, "")
	}
	if g := p.ask(t, "GET", search, nil).is(t, 200); g.at("totalResults") != 0.0 {
		t.Errorf("after: %s", g.raw)
	}
	p.ask(t, "POST", "/Users", user("bjensen", nil)).is(t, 201) // the name is free again
}

// TestAllOrNothing: a change that is refused half way has changed nothing.
func TestAllOrNothing(t *testing.T) {
	p := boot(t).provider(t, types.DirectoryTypeConnectManaged)
	made := p.ask(t, "POST", "/Users", user("mary", nil)).is(t, 201)
	path := "/Users/" + made.id()
	for name, c := range map[string]struct {
		operation object
		words     string
	}{
		"an unknown profile":        {object{"op": "add", "path": extension + ":securityProfiles", "value": "Nobody"}, `SecurityProfile "Nobody"`},
		"an unknown routing":        {object{"op": "replace", "path": extension + ":routingProfile", "value": "0190b2c4-0000-7000-8000-000000000000"}, "RoutingProfile"},
		"an unknown group":          {object{"op": "replace", "path": extension + ":hierarchyGroup", "value": "Nowhere"}, `HierarchyGroup "Nowhere"`},
		"the root of the hierarchy": {object{"op": "replace", "path": extension + ":hierarchyGroup", "value": "root"}, "HierarchyGroup"},
		"no last name":              {object{"op": "remove", "path": "name.familyName"}, "LastName"},
		"a long name":               {object{"op": "replace", "path": "name.familyName", "value": strings.Repeat("x", 301)}, "at most 300"},
		"a name that is not NFC":    {object{"op": "replace", "path": "name.familyName", "value": "e\u0301"}, "normalization form C"},
		"no address":                {object{"op": "add", "path": "emails", "value": "nobody"}, "e-mail"},
		"a weak password":           {object{"op": "replace", "path": "password", "value": "password"}, "8 to 64"},
		"too many profiles":         {object{"op": "add", "path": extension + ":securityProfiles", "value": strings.Split("a,b,c,d,e,f,g,h,i,j", ",")}, "1 to 10"},
	} {
		t.Run(name, func(t *testing.T) {
			p.ask(t, "PATCH", path, object{"schemas": []string{patchOp}, "Operations": []object{
				{"op": "replace", "path": "name.givenName", "value": "Other"}, {"op": "replace", "path": "active", "value": false}, c.operation,
			}}).fails(t, 400, "invalidValue", c.words)
			g := p.ask(t, "GET", path, nil).is(t, 200)
			servertest.Same(t, "the user", g.body, made.body)
		})
	}
}

// TestIdentityTypes: each has its own idea of passwords and names.
func TestIdentityTypes(t *testing.T) {
	w := boot(t)
	managed, federated, existing := w.provider(t, types.DirectoryTypeConnectManaged), w.provider(t, types.DirectoryTypeSaml), w.provider(t, types.DirectoryTypeExistingDirectory)
	nameless := object{"schemas": []string{core}, "userName": "nobody"}
	managed.ask(t, "POST", "/Users", nameless).fails(t, 400, "invalidValue", "FirstName")
	federated.ask(t, "POST", "/Users", nameless).fails(t, 400, "invalidValue", "FirstName")
	existing.ask(t, "POST", "/Users", nameless).is(t, 201)
	managed.ask(t, "POST", "/Users", user("weak", object{"password": "weak"})).fails(t, 400, "invalidValue", "8 to 64")
	managed.ask(t, "POST", "/Users", user("none", nil)).is(t, 201)
	// Okta sends a password whether or not there is a use for it.
	federated.ask(t, "POST", "/Users", user("weak", object{"password": "weak"})).is(t, 201)
	existing.ask(t, "POST", "/Users", user("weak", object{"password": "weak"})).is(t, 201)
	for _, name := range []string{"with space", "half@address", strings.Repeat("x", 101)} {
		managed.ask(t, "POST", "/Users", user(name, nil)).fails(t, 400, "invalidValue", "Username")
	}
	federated.ask(t, "POST", "/Users", user(strings.Repeat("x", 65), nil)).fails(t, 400, "invalidValue", "64")
	// Names differ by their case.
	federated.ask(t, "POST", "/Users", user("Mary", nil)).is(t, 201)
	federated.ask(t, "POST", "/Users", user("mary", nil)).is(t, 201)
}

// TestOthersUsers: a token is for one instance and sees nothing of others.
func TestOthersUsers(t *testing.T) {
	w := boot(t)
	p, other := w.provider(t, types.DirectoryTypeSaml), w.provider(t, types.DirectoryTypeSaml)
	id := other.ask(t, "POST", "/Users", user("theirs", nil)).is(t, 201).id()
	for method, body := range map[string]any{"GET": nil, "DELETE": nil, "PUT": user("theirs", nil), "PATCH": change("replace", "active", false)} {
		p.ask(t, method, "/Users/"+id, body).fails(t, 404, "")
	}
	for _, filter := range []string{`userName eq "theirs"`, `id eq "` + id + `"`, `userName pr`} {
		if g := p.ask(t, "GET", "/Users?filter="+url.QueryEscape(filter), nil).is(t, 200); g.at("totalResults") != 0.0 {
			t.Errorf("%s: %s", filter, g.raw)
		}
	}
	// Nor are others' profiles its own.
	theirs := other.profiles(t)
	p.ask(t, "POST", "/Users", user("mine", object{extension: object{"routingProfile": theirs["Basic Routing Profile"]}})).fails(t, 400, "invalidValue", "RoutingProfile")
	p.ask(t, "POST", "/Users", user("mine", object{extension: object{"securityProfiles": []string{theirs["Agent"]}}})).fails(t, 400, "invalidValue", "SecurityProfile")
	other.ask(t, "GET", "/Users/"+id, nil).is(t, 200)
	p.ask(t, "POST", "/Users", user("theirs", nil)).is(t, 201) // the same name in another instance

	// With the instance its tokens are gone.
	_, err := w.Connect.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &p.instance})
	servertest.OK(t, err)
	p.ask(t, "GET", "/Users", nil).fails(t, 401, "")
}

// TestTokens: only a token that is there opens anything.
func TestTokens(t *testing.T) {
	w := boot(t)
	p := w.provider(t, types.DirectoryTypeSaml)
	p.ask(t, "GET", "/Users", nil).is(t, 200)
	p.ask(t, "GET", "/Users", nil, "Authorization", "bearer  "+p.token).is(t, 200) // RFC 9110 §11.1: in any case
	for name, header := range map[string]string{
		"none": "", "another scheme": "Basic " + p.token, "no token": "Bearer", "an empty one": "Bearer ", "its id": "Bearer " + p.id,
		"its beginning": "Bearer " + p.token[:len(p.token)-1], "more than it": "Bearer " + p.token + "A", "in another case": "Bearer " + strings.ToLower(p.token),
	} {
		for _, path := range []string{"/Users", "/ServiceProviderConfig", "/nothing"} {
			g := p.ask(t, "GET", path, nil, "Authorization", header)
			g.fails(t, 401, "")
			if g.header.Get("WWW-Authenticate") != `Bearer realm="ringdown"` {
				t.Errorf("%s: %v", name, g.header)
			}
		}
	}
	list, err := w.keys.Tokens(t.Context())
	servertest.OK(t, err)
	if len(list) != 1 || list[0].ID != p.id || string(list[0].Instance) != p.instance || list[0].Created.IsZero() {
		t.Errorf("the list: %+v", list)
	}
	servertest.OK(t, w.keys.Delete(t.Context(), p.id))
	p.ask(t, "GET", "/Users", nil).fails(t, 401, "")
	if err := w.keys.Delete(t.Context(), p.id); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("a token that is gone: %v", err)
	}
}

// TestConditions: versions keep clients from undoing each other's changes
// (RFC 7644 §3.14).
func TestConditions(t *testing.T) {
	p := boot(t).provider(t, types.DirectoryTypeSaml)
	made := p.ask(t, "POST", "/Users", user("mary", nil)).is(t, 201)
	path, first := "/Users/"+made.id(), made.header.Get("ETag")
	if g := p.ask(t, "GET", path, nil, "If-None-Match", first).is(t, http.StatusNotModified); g.raw != "" || g.header.Get("ETag") != first {
		t.Errorf("%v %s", g.header, g.raw)
	}
	second := p.ask(t, "PATCH", path, change("replace", "name.givenName", "M"), "If-Match", first).is(t, 200).header.Get("ETag")
	p.ask(t, "GET", path, nil, "If-None-Match", first).is(t, 200)
	p.ask(t, "GET", path, nil, "If-None-Match", first+", "+second).is(t, http.StatusNotModified)
	for method, body := range map[string]any{"PUT": user("mary", nil), "PATCH": change("replace", "active", false), "DELETE": nil} {
		p.ask(t, method, path, body, "If-Match", first).fails(t, 412, "")
		p.ask(t, method, path, body, "If-None-Match", "*").fails(t, 412, "")
	}
	p.ask(t, "PATCH", path, change("replace", "active", false), "If-Match", "*").is(t, 200)
	third := p.ask(t, "PATCH", path, change("replace", "active", true), "If-Match", `"3"`).is(t, 200).header.Get("ETag") // as a strong one
	p.ask(t, "DELETE", path, nil, "If-Match", third).is(t, 204)
}

// TestConcurrentChanges: of two that replace the same version one succeeds; those
// that do not mind all do, and none is lost.
func TestConcurrentChanges(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		p := boot(t).provider(t, types.DirectoryTypeSaml)
		concurrentChanges(t, p, p)
	})
	t.Run("two servers on PostgreSQL", func(t *testing.T) {
		url := pgtest.URL(t)
		share := func(c *server.Config) {
			c.Database, c.RootAccessKeyID, c.RootSecretAccessKey = url, "AKIASHARED", "shared"
		}
		one, two := servertest.Boot(t, share), servertest.Boot(t, share)
		keys, err := server.OpenKeys(t.Context(), server.Config{Data: one.Data, RootAccessKeyID: "AKIASHARED", RootSecretAccessKey: "shared"})
		servertest.OK(t, err)
		t.Cleanup(func() { servertest.OK(t, keys.Close()) })
		p := (&world{one, keys}).provider(t, types.DirectoryTypeSaml)
		other := *p
		other.Server, other.base = two, strings.Replace(p.base, one.URL, two.URL, 1)
		concurrentChanges(t, p, &other)
	})
}

func concurrentChanges(t *testing.T, p, q *provider) {
	made := p.ask(t, "POST", "/Users", user("mary", nil)).is(t, 201)
	path := "/Users/" + made.id()
	version := made.header.Get("ETag")
	for range 10 {
		answers := make(chan got)
		for name, on := range map[string]*provider{"A": p, "B": q} {
			go func() {
				answers <- on.ask(t, "PUT", path, user("mary", object{"externalId": name + version}), "If-Match", version)
			}()
		}
		one, other := <-answers, <-answers
		if one.status != 200 {
			one, other = other, one
		}
		if one.status != 200 || other.status != 412 {
			t.Fatalf("%d %s, %d %s", one.status, one.raw, other.status, other.raw)
		}
		g := p.ask(t, "GET", path, nil).is(t, 200)
		delete(g.body, "meta") // whose location is the server's own
		delete(one.body, "meta")
		servertest.Same(t, "the user", g.body, one.body)
		version = g.header.Get("ETag")
	}
	patches := []object{
		change("replace", "externalId", "x"), change("replace", "name.givenName", "G"), change("replace", "name.familyName", "F"),
		change("add", "emails", object{"value": "m@example.org", "type": "work"}), change("add", extension+":securityProfiles", "Admin"),
	}
	answers := make(chan got)
	for i, body := range patches {
		on := []*provider{p, q}[i%2]
		go func() { answers <- on.ask(t, "PATCH", path, body) }()
	}
	for range patches {
		(<-answers).is(t, 200)
	}
	g := p.ask(t, "GET", path, nil).is(t, 200)
	if g.at("externalId") != "x" || g.at("name", "formatted") != "G F" || g.at("emails", 0, "value") != "m@example.org" || g.at(extension, "securityProfiles", 1) != "Admin" {
		t.Errorf("a change is lost: %s", g.raw)
	}
}

// TestHierarchyNames: groups are named by their path where a name alone will not
// do.
func TestHierarchyNames(t *testing.T) {
	p := boot(t).provider(t, types.DirectoryTypeSaml)
	p.levels(t)
	sales, care := p.group(t, "Sales", ""), p.group(t, "Care", "")
	north, careNorth := p.group(t, "North", sales), p.group(t, "North", care)
	path := "/Users/" + p.ask(t, "POST", "/Users", user("mary", nil)).is(t, 201).id()
	for _, c := range []struct{ said, shown, id string }{
		{"Sales", "Sales", sales},
		{"Sales/North", "Sales/North", north},
		{careNorth, "Care/North", careNorth},
		{servertest.InstanceARN(p.instance) + "/agent-group/" + north, "Sales/North", north},
	} {
		g := p.ask(t, "PATCH", path, change("replace", extension+":hierarchyGroup", c.said)).is(t, 200)
		u := p.described(t, strings.TrimPrefix(path, "/Users/"))
		if g.at(extension, "hierarchyGroup") != c.shown || *u.HierarchyGroupId != c.id {
			t.Errorf("%s: %s", c.said, g.raw)
		}
	}
	p.ask(t, "PATCH", path, change("replace", extension+":hierarchyGroup", "North")).fails(t, 400, "invalidValue", "several groups")
	// A name that is given back as it was read is the same group.
	p.ask(t, "PATCH", path, change("replace", "externalId", "x")).is(t, 200)
	if u := p.described(t, strings.TrimPrefix(path, "/Users/")); *u.HierarchyGroupId != north {
		t.Errorf("the group is now %s", *u.HierarchyGroupId)
	}
}
