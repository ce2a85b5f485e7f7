package scim

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ringdown/internal/domain"
)

func itoa(i int) string { return strconv.Itoa(i) }

// maxExternalID bounds what identity providers call a user.
const maxExternalID = 512

// resource is a user as clients see it. Base is the address of this server.
func resource(u *User, base string) map[string]any {
	m := map[string]any{
		"schemas":  []any{coreSchema, connectSchema},
		"id":       u.ID,
		"userName": u.Username,
		"active":   !u.Inactive,
		"meta": map[string]any{
			"resourceType": "User",
			"created":      u.Created.UTC().Format(time.RFC3339Nano),
			"lastModified": u.Modified.UTC().Format(time.RFC3339Nano),
			"location":     base + Path + "Users/" + u.ID,
			"version":      etag(u.Version),
		},
	}
	set := func(m map[string]any, name, value string) {
		if value != "" {
			m[name] = value
		}
	}
	set(m, "externalId", u.ExternalID)
	who := &u.Identity
	if full := strings.TrimSpace(who.FirstName + " " + who.LastName); full != "" {
		name := map[string]any{"formatted": full}
		set(name, "givenName", who.FirstName)
		set(name, "familyName", who.LastName)
		m["name"], m["displayName"] = name, full
	}
	var emails []any
	if who.Email != "" {
		emails = append(emails, map[string]any{"value": who.Email, "type": "work", "primary": true})
	}
	if who.SecondaryEmail != "" {
		emails = append(emails, map[string]any{"value": who.SecondaryEmail, "type": "other"})
	}
	if emails != nil {
		m["emails"] = emails
	}
	if who.Mobile != "" {
		m["phoneNumbers"] = []any{map[string]any{"value": who.Mobile, "type": "mobile"}}
	}
	ext := map[string]any{"routingProfile": u.RoutingProfile}
	profiles := make([]any, len(u.SecurityProfiles))
	for i, p := range u.SecurityProfiles {
		profiles[i] = p
	}
	ext["securityProfiles"] = profiles
	set(ext, "hierarchyGroup", u.HierarchyGroup)
	m[connectSchema] = ext
	return m
}

// etag is the version of a resource as HTTP has it: a weak one, for the names of
// profiles may change without the user (RFC 7644 §3.14).
func etag(version int64) string { return `W/"` + strconv.FormatInt(version, 10) + `"` }

// userOf is the user that a resource asks for: was, or a new one when that is
// nil.
func userOf(m map[string]any, was *User) (*User, error) {
	u := &User{Username: str(m, "userName")}
	if was != nil {
		u.ID, u.Version, u.Created, u.Modified = was.ID, was.Version, was.Created, was.Modified
		if u.Username != was.Username {
			return nil, bad(mutability, "userName cannot be changed, not even in its case: delete the user and make another one")
		}
	}
	if u.Username == "" {
		return nil, bad(invalidValue, "userName is required")
	}
	u.ExternalID = str(m, "externalId")
	if utf8.RuneCountInString(u.ExternalID) > maxExternalID {
		return nil, bad(invalidValue, "externalId must have at most %d characters", maxExternalID)
	}
	u.Inactive = m["active"] == false
	u.Password = str(m, "password")
	name, _ := m["name"].(map[string]any)
	u.Identity = domain.IdentityInfo{FirstName: str(name, "givenName"), LastName: str(name, "familyName")}
	u.Identity.Email, u.Identity.SecondaryEmail = addresses(list(m["emails"]))
	var err error
	if u.Identity.Mobile, err = mobile(list(m["phoneNumbers"])); err != nil {
		return nil, err
	}
	ext, _ := m[connectSchema].(map[string]any)
	u.RoutingProfile, u.HierarchyGroup = str(ext, "routingProfile"), str(ext, "hierarchyGroup")
	for _, p := range list(ext["securityProfiles"]) {
		if s, ok := p.(string); ok {
			u.SecurityProfiles = append(u.SecurityProfiles, s)
		}
	}
	switch {
	case u.RoutingProfile == "":
		return nil, bad(invalidValue, "routingProfile is required")
	case len(u.SecurityProfiles) == 0:
		return nil, bad(invalidValue, "securityProfiles is required")
	}
	return u, nil
}

func str(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

// addresses chooses from e-mail addresses the one for work, that is the primary
// one, else the first of type work, else the first that is not of type other;
// and of the rest the last, so that one which a patch has added counts.
func addresses(emails []any) (work, other string) {
	address := func(i int) string { return str(asObject(emails[i]), "value") }
	first := func(is func(m map[string]any) bool) int {
		return slices.IndexFunc(emails, func(v any) bool { return str(asObject(v), "value") != "" && is(asObject(v)) })
	}
	chosen := first(func(m map[string]any) bool { return m["primary"] == true })
	if chosen < 0 {
		chosen = first(func(m map[string]any) bool { return strings.EqualFold(str(m, "type"), "work") })
	}
	if chosen < 0 {
		chosen = first(func(m map[string]any) bool { return !strings.EqualFold(str(m, "type"), "other") })
	}
	for i := range emails {
		switch {
		case i == chosen:
			work = address(i)
		case address(i) != "":
			other = address(i)
		}
	}
	return work, other
}

// e164 is what Amazon Connect takes for a telephone number (AWS API reference,
// UserIdentityInfo).
var e164 = regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)

// separators are the visual ones of a tel: URI (RFC 3966 §3), and spaces.
var separators = strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "")

// mobile is the mobile number among telephone numbers: the last, so that one
// which a patch has added counts. One without a type is taken for mobile.
func mobile(numbers []any) (string, error) {
	found := ""
	for _, v := range numbers {
		m := asObject(v)
		value := str(m, "value")
		if t := str(m, "type"); value == "" || t != "" && !strings.EqualFold(t, "mobile") {
			continue
		}
		if len(value) > 4 && strings.EqualFold(value[:4], "tel:") {
			value = value[4:]
		}
		value, _, _ = strings.Cut(value, ";")
		if found = separators.Replace(value); !e164.MatchString(found) {
			return "", bad(invalidValue, "the mobile number among phoneNumbers must be in E.164 form, such as +15551234567")
		}
	}
	return found, nil
}

// selection is which attributes a client wants to see (RFC 7644 §3.9).
type selection struct {
	only   []target // nil: all that are returned by default
	except []target
}

// selected reads the parameters attributes and excludedAttributes. Names of no
// attribute select nothing.
func selected(only, except []string) (selection, error) {
	if len(only) > 0 && len(except) > 0 {
		return selection{}, bad(invalidValue, "attributes and excludedAttributes must not be given together")
	}
	targets := func(names []string) []target {
		var list []target
		for _, name := range names {
			if t, ok := resolve(strings.TrimSpace(name)); ok && !t.ignored() {
				list = append(list, t)
			}
		}
		return list
	}
	s := selection{only: targets(only), except: targets(except)}
	if len(only) > 0 && s.only == nil {
		s.only = []target{}
	}
	return s, nil
}

// of is a resource as far as it is selected. The resource is used up.
func (s selection) of(m map[string]any) map[string]any {
	if s.only == nil {
		for _, t := range s.except {
			drop(m, t)
		}
		return m
	}
	out := map[string]any{}
	for _, a := range common {
		if a.returned == always {
			out[a.name] = m[a.name]
		}
	}
	for _, t := range s.only {
		pick(out, m, t)
	}
	return out
}

// pick copies what is at a target from one resource to another.
func pick(to, from map[string]any, t target) {
	if t.schema != "" {
		inner, ok := from[t.schema].(map[string]any)
		if !ok {
			return
		}
		if t.attr == nil {
			to[t.schema] = inner
			return
		}
		from, to = inner, within(to, t.schema)
	}
	v, ok := from[t.attr.name]
	switch {
	case !ok:
	case t.sub == nil:
		to[t.attr.name] = v
	case t.attr.multi:
		picked, _ := to[t.attr.name].([]any)
		for i, v := range list(v) {
			if i == len(picked) {
				picked = append(picked, map[string]any{})
			}
			copyPart(asObject(picked[i]), asObject(v), t.sub)
		}
		to[t.attr.name] = picked
	default:
		copyPart(within(to, t.attr.name), asObject(v), t.sub)
	}
}

func copyPart(to, from map[string]any, a *attribute) {
	if v, ok := from[a.name]; ok {
		to[a.name] = v
	}
}

// drop takes away what is at a target, unless it is always returned.
func drop(m map[string]any, t target) {
	if t.schema != "" {
		if t.attr == nil {
			delete(m, t.schema)
			return
		}
		m, _ = m[t.schema].(map[string]any)
	}
	switch {
	case t.attr.returned == always:
	case t.sub == nil:
		delete(m, t.attr.name)
	default:
		for _, v := range list(m[t.attr.name]) {
			delete(asObject(v), t.sub.name)
		}
	}
}
