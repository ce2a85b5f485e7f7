package scim

import (
	"strings"
	"testing"
	"time"

	"ringdown/internal/domain"
)

// barbara is the user of RFC 7643 §8.2, as far as there is a place for her.
func barbara() *User {
	return &User{
		ID: "2819c223-7f76-453a-919d-413861904646", Version: 3, Username: "bjensen@example.com", ExternalID: "701984",
		Created: time.Date(2011, 5, 13, 4, 42, 34, 0, time.UTC), Modified: time.Date(2011, 5, 13, 5, 42, 34, 500_000_000, time.UTC),
		Identity: domain.IdentityInfo{
			FirstName: "Barbara", LastName: "O'Malley", Email: "bjensen@example.com", SecondaryEmail: "babs@jensen.org", Mobile: "+15555558377",
		},
		RoutingProfile: "Basic Routing Profile", SecurityProfiles: []string{"Agent", "QualityAnalyst"}, HierarchyGroup: "Sales/North",
	}
}

func TestFilter(t *testing.T) {
	for filter, want := range map[string]bool{
		// RFC 7644 §3.4.2.2, figure 2.
		`userName Eq "bjensen@example.com"`: true,
		`name.familyName co "O'Malley"`:     true,
		`userName sw "J"`:                   false,
		`userName sw "b"`:                   true,

		`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "b"`: true,
		`title pr`: false,
		`meta.lastModified gt "2011-05-13T04:42:34Z"`:                                                           true,
		`meta.lastModified ge "2011-05-13T05:42:34.5Z"`:                                                         true,
		`meta.lastModified lt "2011-05-13T05:42:34.5Z"`:                                                         false,
		`meta.lastModified le "2011-05-13T01:42:34.500-04:00"`:                                                  true,
		`title pr and userType eq "Employee"`:                                                                   false,
		`title pr or userType eq "Intern"`:                                                                      false,
		`schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`:                                               true,
		`userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")`:                 false,
		`userType ne "Employee" and not (emails co "example.net" or emails.value co "example.org")`:             true,
		`userType eq "Employee" and (emails.type eq "work")`:                                                    false,
		`userType ne "Employee" and emails[type eq "work" and value co "@example.com"]`:                         true,
		`emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]`:     true,
		`emails[type eq "work" and value co "@jensen.org"]`:                                                     false,
		`emails[type eq "work"].value eq "bjensen@example.com"`:                                                 true, // of Entra ID
		`emails[type eq "work"].value eq "babs@jensen.org"`:                                                     false,
		`urn:ringdown:params:scim:schemas:extension:connect:2.0:User:routingProfile eq "basic routing profile"`: true,
		`urn:ringdown:params:scim:schemas:extension:connect:2.0:user:SecurityProfiles eq "Agent"`:               true,
		`urn:ringdown:params:scim:schemas:extension:connect:2.0:User:securityProfiles[value eq "Admin"]`:        false,
		`urn:ringdown:params:scim:schemas:extension:connect:2.0:User:securityProfiles[value sw "Quality"]`:      true,
		`urn:ringdown:params:scim:schemas:extension:connect:2.0:User:hierarchyGroup sw "Sales/"`:                true,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "Sales"`:                      false,
		`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value pr`:                           false,
		// Case: of names and of the constants of what is not case-exact.
		`USERNAME EQ "bjensen@example.com"`: true,
		`userName eq "BJensen@example.com"`: false,
		`externalid eq "701984"`:            true,
		`name.givenName eq "bArBaRa"`:       true,
		`NAME.GIVENNAME ew "RA"`:            true,
		`name[givenName eq "Barbara"]`:      true,
		// Order of text, and what is not there.
		`name.givenName gt "B"`:                        true,
		`name.givenName lt "b"`:                        false,
		`name.givenName le "barbara"`:                  true,
		`nickName ne "Babs"`:                           true,
		`nickName eq null`:                             true,
		`externalId ne null`:                           true,
		`externalId eq null`:                           false,
		`emails.type ne "work"`:                        true, // there is another one
		`phoneNumbers.type ne "mobile"`:                false,
		`phoneNumbers pr`:                              true,
		`name pr`:                                      true,
		`password.x pr or userName pr`:                 false, // refused, see below
		`active eq true`:                               true,
		`active eq "True"`:                             true,
		`active ne true`:                               false,
		`emails.primary eq true`:                       true,
		`meta.resourceType eq "User"`:                  true,
		`id eq "2819c223-7f76-453a-919d-413861904646"`: true,
		// Precedence: not, then and, then or; both from the left.
		`active eq true or active eq true and active eq false`:   true,
		`(active eq true or active eq true) and active eq false`: false,
		`not (active eq true) or active eq true`:                 true,
		`not (active eq true or active eq true)`:                 false,
		`not(active eq false)and(active eq true)`:                true,
		`active eq false and active eq false or active eq true`:  true,
		// Strings are JSON's.
		`name.familyName eq "O\u0027Malley"`: true,
		`externalId eq "70\"1984"`:           false,
		"  active\teq   true ":               true,
	} {
		t.Run(filter, func(t *testing.T) {
			f, err := parseFilter(filter)
			if strings.HasPrefix(filter, "password") {
				if err == nil {
					t.Error("a password can be asked for")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := f.matches(resource(barbara(), "https://example.org")); got != want {
				t.Errorf("matches: %t", got)
			}
		})
	}
}

func TestFilterRefused(t *testing.T) {
	for filter, why := range map[string]string{
		"":                                     "an attribute is missing",
		`userName`:                             "no operator",
		`userName eq`:                          "expected a value",
		`userName is "x"`:                      "no operator",
		`userName eq x`:                        "expected a value",
		`userName eq "x`:                       "quotation mark",
		`userName eq "x\"`:                     "quotation mark",
		`userName eq "\x"`:                     "no JSON string",
		`userName eq {}`:                       "expected a value",
		`userName eq "x" and`:                  "missing",
		`userName eq "x" "y"`:                  "unexpected",
		`userName eq "x")`:                     "unexpected",
		`(userName eq "x"`:                     "parenthesis",
		`not userName eq "x"`:                  `there is no attribute "not"`,
		`emails[type eq "work"`:                "bracket",
		`emails[kind eq "work"]`:               `emails has no "kind"`,
		`emails[type eq "work"].x eq "y"`:      "emails has no",
		`emails[phoneNumbers[type eq "x"]]`:    "emails has no",
		`emails.type[value eq "x"]`:            "brackets are not allowed",
		`shoeSize eq 44`:                       "there is no attribute",
		`userName.first eq "x"`:                "there is no attribute",
		`urn:example:2.0:User:userName eq "x"`: "there is no attribute",
		`urn:ietf:params:scim:schemas:core:2.0:User eq "x"`:              "there is no attribute",
		`urn:ringdown:params:scim:schemas:extension:connect:2.0:User pr`: "there is no attribute",
		`name eq "x"`:                            "say which one",
		`active gt true`:                         "eq and ne only",
		`active co "true"`:                       "eq and ne only",
		`active eq "yes"`:                        "true or false",
		`userName eq true`:                       "no boolean",
		`userName eq 1.5e3`:                      "no number",
		`userName gt null`:                       "eq and ne only",
		`meta.created eq "yesterday"`:            "time such as",
		`meta.created co "2011-05-13T04:42:34Z"`: "time such as",
		`password eq "x"`:                        "cannot be asked for",
		`password pr`:                            "cannot be asked for",
		strings.Repeat("(", 40) + `active pr` + strings.Repeat(")", 40): "nested",
		`userName eq "` + strings.Repeat("x", maxFilter) + `"`:          "longer than",
		"userName eq \"\xff\"": "UTF-8",
	} {
		f, err := parseFilter(filter)
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%.60s: %v, %v; want %q", filter, f, err, why)
			continue
		}
		if got := failed(err); got.kind != invalidFilter || got.status != 400 {
			t.Errorf("%.60s: %d %s", filter, got.status, got.kind)
		}
	}
}

// FuzzFilter: no text brings the parser down, and what it has accepted can be
// tried on any user.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`userName eq "x"`, `emails[type eq "work" and value co "@"].value sw "a"`, `not (active eq true) and (title pr or id ne null)`,
		`urn:ringdown:params:scim:schemas:extension:connect:2.0:User:securityProfiles[value eq "Agent"]`, `meta.created gt "2011-05-13T04:42:34Z"`,
	} {
		f.Add(s)
	}
	u := resource(barbara(), "")
	f.Fuzz(func(t *testing.T, s string) {
		parsed, err := parseFilter(s)
		if err == nil {
			parsed.matches(map[string]any{})
			if (not{parsed}).matches(u) == parsed.matches(u) {
				t.Error("a filter and its contrary hold")
			}
		}
		if to, err := parsePath(s); err == nil && to.where != nil {
			to.where.matches(u)
		}
	})
}
