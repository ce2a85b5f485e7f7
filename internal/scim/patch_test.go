package scim

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

const extensionPath = connectSchema + ":"

func TestPatch(t *testing.T) {
	for _, c := range []struct {
		name, ops string
		change    func(u *User) // what is to become of barbara
	}{
		// RFC 7644 §3.5.2.
		{"add without a path", `[{"op":"add","value":{"emails":[{"value":"babs@example.org","type":"home"}],"nickName":"Babs"}}]`, func(u *User) {
			u.Identity.SecondaryEmail = "babs@example.org"
		}},
		{"add what is there", `[{"op":"add","path":"emails","value":[{"value":"bjensen@example.com","type":"work","primary":true}]}]`, func(*User) {}},
		{"add a new primary value", `[{"op":"add","path":"emails","value":{"value":"new@example.com","type":"work","primary":true}}]`, func(u *User) {
			u.Identity.Email, u.Identity.SecondaryEmail = "new@example.com", "babs@jensen.org"
		}},
		{"replace the values of an attribute", `[{"op":"replace","path":"emails","value":[{"value":"a@example.org","type":"work"},{"value":"b@example.org","type":"home"}]}]`, func(u *User) {
			u.Identity.Email, u.Identity.SecondaryEmail = "a@example.org", "b@example.org"
		}},
		{"replace a chosen value", `[{"op":"replace","path":"emails[type eq \"work\"]","value":{"type":"work","value":"a@example.org"}}]`, func(u *User) { u.Identity.Email = "a@example.org" }},
		{"replace a part of a chosen value", `[{"op":"replace","path":"emails[type eq \"work\" and primary eq true].value","value":"a@example.org"}]`, func(u *User) { u.Identity.Email = "a@example.org" }},
		{"replace without a path", `[{"op":"replace","value":{"name":{"givenName":"Babs"},"active":false,"nickName":"x"}}]`, func(u *User) {
			u.Identity.FirstName, u.Inactive = "Babs", true
		}},
		{"remove chosen values", `[{"op":"remove","path":"emails[type eq \"other\"]"}]`, func(u *User) { u.Identity.SecondaryEmail = "" }},
		{"remove a part of a chosen value", `[{"op":"remove","path":"emails[type eq \"other\"].value"}]`, func(u *User) { u.Identity.SecondaryEmail = "" }},
		{"remove all values", `[{"op":"remove","path":"emails"}]`, func(u *User) { u.Identity.Email, u.Identity.SecondaryEmail = "", "" }},
		{"remove and add", `[{"op":"remove","path":"emails"},{"op":"add","path":"emails","value":[{"value":"c@example.org"}]}]`, func(u *User) {
			u.Identity.Email, u.Identity.SecondaryEmail = "c@example.org", ""
		}},
		{"remove a plain attribute", `[{"op":"remove","path":"externalId"}]`, func(u *User) { u.ExternalID = "" }},
		{"remove what is not there", `[{"op":"remove","path":"externalId"},{"op":"remove","path":"externalId"}]`, func(u *User) { u.ExternalID = "" }},
		{"replace with nothing", `[{"op":"replace","path":"externalId","value":null}]`, func(u *User) { u.ExternalID = "" }},
		{"a compound is replaced by its parts", `[{"op":"replace","path":"name","value":{"familyName":"Jensen"}}]`, func(u *User) { u.Identity.LastName = "Jensen" }},
		{"names in any case", `[{"op":"REPLACE","path":"NAME.GIVENNAME","value":"Babs"}]`, func(u *User) { u.Identity.FirstName = "Babs" }},
		{"the same userName", `[{"op":"replace","path":"userName","value":"bjensen@example.com"}]`, func(*User) {}},
		{"a telephone URI", `[{"op":"replace","path":"phoneNumbers[type eq \"mobile\"].value","value":"tel:+1-201-555-0123;phone-context=x"}]`, func(u *User) { u.Identity.Mobile = "+12015550123" }},
		{"a number that has no place", `[{"op":"add","path":"phoneNumbers[type eq \"work\"].value","value":"4711"}]`, func(*User) {}},
		{"the password", `[{"op":"replace","path":"password","value":"t1meMa$heen"}]`, func(u *User) { u.Password = "t1meMa$heen" }},

		// Entra ID (learn.microsoft.com, "Develop and plan provisioning for a SCIM endpoint").
		{"Entra: capitals, a boolean as text", `[{"op":"Replace","path":"active","value":"False"}]`, func(u *User) { u.Inactive = true }},
		{"Entra: a value that is not there is added", `[{"op":"Add","path":"emails[type eq \"home\"].value","value":"home@example.org"}]`, func(u *User) {
			u.Identity.SecondaryEmail = "home@example.org"
		}},
		{"Entra: a value that is not there is replaced", `[{"op":"Replace","path":"emails[type eq \"home\"].value","value":"home@example.org"}]`, func(u *User) {
			u.Identity.SecondaryEmail = "home@example.org"
		}},
		{"Entra: nothing where there is nothing", `[{"op":"Replace","path":"emails[type eq \"home\"].value","value":""},{"op":"Add","path":"emails[type eq \"home\"].value","value":null},{"op":"Replace","path":"phoneNumbers[type eq \"work\"].value","value":""}]`, func(*User) {}},
		{"Entra: what has become another type, or been ignored, is removed", `[{"op":"Remove","path":"emails[type eq \"home\"].value"},{"op":"Remove","path":"phoneNumbers[type eq \"work\"]"}]`, func(*User) {}},
		{"Entra: a list of one", `[{"op":"Replace","path":"name.givenName","value":[{"value":"Babs"}]},{"op":"Replace","path":"active","value":["False"]},{"op":"Replace","path":"emails[type eq \"work\"].value","value":[{"value":"u@example.com"}]}]`, func(u *User) {
			u.Identity.FirstName, u.Inactive, u.Identity.Email = "Babs", true, "u@example.com"
		}},
		{"an empty list", `[{"op":"replace","path":"externalId","value":[]}]`, func(u *User) { u.ExternalID = "" }},
		{"Entra: a manager without its schema", `[{"op":"Add","path":"manager","value":[{"$ref":"https://example.org/scim/Users/1","value":"1"}]}]`, func(*User) {}},
		{"Entra: several attributes", `[{"op":"Replace","path":"emails[type eq \"work\"].value","value":"u@example.com"},{"op":"Replace","path":"name.familyName","value":"Updated"},{"op":"Add","path":"displayName","value":"Whatever"},{"op":"Add","path":"name.formatted","value":"Whatever"}]`, func(u *User) {
			u.Identity.Email, u.Identity.LastName = "u@example.com", "Updated"
		}},
		{"Entra: paths as members", `[{"op":"replace","value":{"name.givenName":"Babs","emails[type eq \"work\"].value":"u@example.com","` + extensionPath + `routingProfile":"Other","` + enterpriseSchema + `:department":"Sales"}}]`, func(u *User) {
			u.Identity.FirstName, u.Identity.Email, u.RoutingProfile = "Babs", "u@example.com", "Other"
		}},
		{"Entra: what has no place", `[{"op":"Add","path":"` + enterpriseSchema + `:employeeNumber","value":"5"},{"op":"Replace","path":"` + enterpriseSchema + `:manager","value":"26118915"},{"op":"Add","path":"title","value":"x"},{"op":"Add","path":"addresses[type eq \"work\"].streetAddress","value":"x"},{"op":"Add","path":"roles[primary eq \"True\"].value","value":"x"},{"op":"remove","path":"` + enterpriseSchema + `"}]`, func(*User) {}},
		{"Entra: values to be removed", `[{"op":"Remove","path":"` + extensionPath + `securityProfiles","value":[{"value":"Agent"}]}]`, func(u *User) { u.SecurityProfiles = []string{"QualityAnalyst"} }},

		// Okta (developer.okta.com, "SCIM 2.0 protocol reference").
		{"Okta: deactivation", `[{"op":"replace","value":{"active":false}}]`, func(u *User) { u.Inactive = true }},
		{"Okta: its id among the values", `[{"op":"replace","value":{"id":"x","schemas":["x"],"meta":{},"active":false}}]`, func(u *User) { u.Inactive = true }},

		// The extension.
		{"a profile by its path", `[{"op":"replace","path":"` + extensionPath + `routingProfile","value":"Other"}]`, func(u *User) { u.RoutingProfile = "Other" }},
		{"the extension as a whole", `[{"op":"add","path":"` + connectSchema + `","value":{"routingProfile":"Other","securityProfiles":"Admin","shoeSize":44}}]`, func(u *User) {
			u.RoutingProfile, u.SecurityProfiles = "Other", []string{"Agent", "QualityAnalyst", "Admin"}
		}},
		{"the extension without a path", `[{"op":"replace","value":{"` + connectSchema + `":{"securityProfiles":["Admin"]}}}]`, func(u *User) { u.SecurityProfiles = []string{"Admin"} }},
		{"a profile more", `[{"op":"add","path":"` + extensionPath + `securityProfiles","value":["Agent","Admin"]}]`, func(u *User) {
			u.SecurityProfiles = []string{"Agent", "QualityAnalyst", "Admin"}
		}},
		{"a profile less", `[{"op":"remove","path":"` + extensionPath + `securityProfiles[value eq \"Agent\"]"}]`, func(u *User) { u.SecurityProfiles = []string{"QualityAnalyst"} }},
		{"another profile in its place", `[{"op":"replace","path":"` + extensionPath + `securityProfiles[value eq \"Agent\"].value","value":"Admin"}]`, func(u *User) {
			u.SecurityProfiles = []string{"Admin", "QualityAnalyst"}
		}},
		{"out of the hierarchy", `[{"op":"remove","path":"` + extensionPath + `hierarchyGroup"}]`, func(u *User) { u.HierarchyGroup = "" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := patchedBarbara(t, c.ops)
			if err != nil {
				t.Fatal(err)
			}
			want := barbara()
			c.change(want)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("is\n%+v, want\n%+v", got, want)
			}
		})
	}
}

func patchedBarbara(t *testing.T, ops string) (*User, error) {
	t.Helper()
	var list []operation
	if err := json.Unmarshal([]byte(ops), &list); err != nil {
		t.Fatal(err)
	}
	m := resource(barbara(), "https://example.org")
	if err := patch(m, list); err != nil {
		return nil, err
	}
	return userOf(m, barbara())
}

func TestPatchRefused(t *testing.T) {
	for _, c := range []struct {
		name, ops string
		kind      scimType
		why       string
	}{
		{"no operation", `[]`, invalidSyntax, "1 to"},
		{"too many", `[` + strings.Repeat(`{"op":"add","value":{}},`, maxOperations) + `{"op":"add","value":{}}]`, invalidSyntax, "1 to"},
		{"an unknown operation", `[{"op":"move","path":"active"}]`, invalidSyntax, "op must be"},
		{"remove without a path", `[{"op":"remove"}]`, noTarget, "needs a path"},
		{"no path and no object", `[{"op":"add","value":"x"}]`, invalidValue, "needs an object"},
		{"an unknown attribute", `[{"op":"add","path":"shoeSize","value":44}]`, invalidPath, "no attribute"},
		{"an unknown part", `[{"op":"add","path":"name.first","value":"x"}]`, invalidPath, "no attribute"},
		{"an unknown schema", `[{"op":"add","path":"urn:example:User:x","value":"x"}]`, invalidPath, "no attribute"},
		{"a path that is none", `[{"op":"add","path":"emails[type eq","value":"x"}]`, invalidPath, "the path is wrong"},
		{"a path with more behind it", `[{"op":"add","path":"emails[type eq \"work\"] x","value":"x"}]`, invalidPath, "unexpected"},
		{"a choice of one", `[{"op":"add","path":"name[givenName eq \"x\"]","value":{}}]`, invalidPath, "no values to choose from"},
		{"a wrong path among the values", `[{"op":"add","value":{"emails[type eq \"x\"":"x"}}]`, invalidPath, "bracket"},
		{"replace what a choice does not describe", `[{"op":"replace","path":"emails[value sw \"x\"].value","value":"x@example.org"}]`, noTarget, "as the path says"},
		{"remove what the choice does not find", `[{"op":"remove","path":"emails[value eq \"x@example.org\"]"}]`, noTarget, "as the path says"},
		{"remove a type that is not there", `[{"op":"remove","path":"phoneNumbers[type eq \"mobile\"]"},{"op":"remove","path":"phoneNumbers[type eq \"mobile\"]"}]`, noTarget, "as the path says"},
		{"several values where there is one", `[{"op":"replace","path":"externalId","value":["a","b"]}]`, invalidValue, "must be text"},
		{"a bad value where there is none", `[{"op":"replace","path":"emails[type eq \"home\"].value","value":7}]`, invalidValue, "must be text"},
		{"add what a choice does not describe", `[{"op":"add","path":"emails[type ne \"work\" and type ne \"other\"].value","value":"x@example.org"}]`, noTarget, "as the path says"},
		{"the id", `[{"op":"replace","path":"id","value":"x"}]`, mutability, "id cannot be changed"},
		{"the version", `[{"op":"replace","path":"meta.version","value":"x"}]`, mutability, "version cannot be changed"},
		{"another userName", `[{"op":"replace","path":"userName","value":"babs@example.com"}]`, mutability, "userName cannot be changed"},
		{"another case of the userName", `[{"op":"replace","value":{"userName":"BJensen@example.com"}}]`, mutability, "not even in its case"},
		{"no userName", `[{"op":"remove","path":"userName"}]`, mutability, "userName cannot be changed"},
		{"no routing profile", `[{"op":"remove","path":"` + extensionPath + `routingProfile"}]`, invalidValue, "routingProfile is required"},
		{"no security profile", `[{"op":"replace","path":"` + extensionPath + `securityProfiles","value":[]}]`, invalidValue, "securityProfiles is required"},
		{"no extension", `[{"op":"remove","path":"` + connectSchema + `"}]`, invalidValue, "required"},
		{"two primary ones", `[{"op":"replace","path":"emails","value":[{"value":"a@b.example","primary":true},{"value":"c@b.example","primary":true}]}]`, invalidValue, "only one"},
		{"all made primary", `[{"op":"replace","path":"emails.primary","value":true}]`, invalidValue, "only one"},
		{"a boolean that is none", `[{"op":"replace","path":"active","value":"perhaps"}]`, invalidValue, "active must be true or false"},
		{"a text that is none", `[{"op":"replace","path":"name.givenName","value":{"x":1}}]`, invalidValue, "givenName must be text"},
		{"an object that is none", `[{"op":"replace","path":"name","value":"Babs"}]`, invalidValue, "name must be an object"},
		{"an extension that is none", `[{"op":"replace","path":"` + connectSchema + `","value":"x"}]`, invalidValue, "must be an object"},
		{"a number that is none", `[{"op":"replace","path":"phoneNumbers","value":[{"type":"mobile","value":"555-8377"}]}]`, invalidValue, "E.164"},
		{"a NUL", `[{"op":"replace","path":"externalId","value":"a\u0000b"}]`, invalidValue, "NUL"},
		{"a long externalId", `[{"op":"replace","path":"externalId","value":"` + strings.Repeat("x", maxExternalID+1) + `"}]`, invalidValue, "externalId must have at most"},
		{"the second of two", `[{"op":"replace","path":"active","value":false},{"op":"replace","path":"active","value":7}]`, invalidValue, "Operations[1]: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			u, err := patchedBarbara(t, c.ops)
			if err == nil {
				t.Fatalf("became %+v", u)
			}
			if f := failed(err); f.kind != c.kind || f.status != 400 || !strings.Contains(f.detail, c.why) {
				t.Errorf("%d %s %q, want %s %q", f.status, f.kind, f.detail, c.kind, c.why)
			}
		})
	}
}

// TestResourceIsStable: what a user looks like asks for the same user.
func TestResourceIsStable(t *testing.T) {
	for name, change := range map[string]func(u *User){
		"as it is":                 func(*User) {},
		"only a second address":    func(u *User) { u.Identity.Email = "" },
		"only an address for work": func(u *User) { u.Identity.SecondaryEmail = "" },
		"the same address twice":   func(u *User) { u.Identity.SecondaryEmail = u.Identity.Email },
		"no name":                  func(u *User) { u.Identity.FirstName, u.Identity.LastName = "", "" },
		"nothing that can be left out": func(u *User) {
			*u = User{ID: u.ID, Username: "x", RoutingProfile: "R", SecurityProfiles: []string{"S"}}
		},
		"inactive": func(u *User) { u.Inactive = true },
	} {
		t.Run(name, func(t *testing.T) {
			want := barbara()
			change(want)
			raw, err := json.Marshal(resource(want, "https://example.org"))
			if err != nil {
				t.Fatal(err)
			}
			var sent map[string]any
			if err := json.Unmarshal(raw, &sent); err != nil {
				t.Fatal(err)
			}
			m, err := clean(sent)
			if err != nil {
				t.Fatal(err)
			}
			got, err := userOf(m, want)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%v: is\n%+v, want\n%+v", err, got, want)
			}
		})
	}
}

// FuzzPatch: no path and no value bring a patch down, and it leaves the userName
// alone.
func FuzzPatch(f *testing.F) {
	f.Add("add", `emails[type eq "home"].value`, `"a@example.org"`)
	f.Add("replace", "", `{"name.givenName":"x","active":"False"}`)
	f.Add("remove", extensionPath+"securityProfiles", `[{"value":"Agent"}]`)
	f.Add("replace", connectSchema, `{"securityProfiles":[]}`)
	f.Fuzz(func(t *testing.T, op, path, value string) {
		var v any
		if json.Unmarshal([]byte(value), &v) != nil {
			return
		}
		m := resource(barbara(), "")
		if patch(m, []operation{{op, path, v}}) != nil {
			return
		}
		u, err := userOf(m, barbara())
		if err == nil && (u.Username != barbara().Username || u.ID != barbara().ID || len(u.SecurityProfiles) == 0) {
			t.Errorf("became %+v", u)
		}
	})
}
