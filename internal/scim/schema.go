package scim

import (
	"slices"
	"strings"
)

// The URNs of schemas and messages (RFC 7643 §10.3, RFC 7644 §8.2), and of what
// Amazon Connect knows of users beyond them.
const (
	coreSchema       = "urn:ietf:params:scim:schemas:core:2.0:User"
	enterpriseSchema = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	connectSchema    = "urn:ringdown:params:scim:schemas:extension:connect:2.0:User"

	schemaSchema       = "urn:ietf:params:scim:schemas:core:2.0:Schema"
	resourceTypeSchema = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
	configSchema       = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"

	listMessage   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	searchMessage = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
	patchMessage  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	errorMessage  = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// kind is the type of an attribute (RFC 7643 §2.3).
type kind string

const (
	text     kind = "string"
	boolean  kind = "boolean"
	dateTime kind = "dateTime"
	ref      kind = "reference"
	compound kind = "complex"
	// ignored is of attributes that SCIM defines and Amazon Connect has no place
	// for. They may be given, for identity providers send them unasked, and are
	// never there.
	ignored kind = ""
)

// attribute is an attribute with its characteristics (RFC 7643 §2.2, §7). The
// zero values are the defaults of that section.
type attribute struct {
	name        string
	kind        kind
	description string
	multi       bool
	required    bool
	caseExact   bool
	mutability  string // empty: readWrite
	returned    string // empty: default
	uniqueness  string // empty: none
	canonical   []string
	sub         []*attribute
	// derived is of attributes that follow from others. To write them changes
	// nothing, and is no error: identity providers do so unasked.
	derived bool
}

const (
	readOnly  = "readOnly"
	immutable = "immutable"
	writeOnly = "writeOnly"
	always    = "always"
	never     = "never"
)

// find finds an attribute by its name, whatever its case (RFC 7643 §2.1).
func find(list []*attribute, name string) *attribute {
	for _, a := range list {
		if strings.EqualFold(a.name, name) {
			return a
		}
	}
	return nil
}

// child finds a sub-attribute, nil when there is none. All that is in an ignored
// attribute is ignored.
func (a *attribute) child(name string) *attribute {
	if a.kind == ignored {
		return a
	}
	return find(a.sub, name)
}

// common are the attributes of every resource (RFC 7643 §3.1), which are part of
// no schema.
var common = []*attribute{
	{name: "schemas", kind: text, multi: true, caseExact: true, mutability: readOnly, returned: always, derived: true},
	{name: "id", kind: text, caseExact: true, mutability: readOnly, returned: always},
	{name: "externalId", kind: text, caseExact: true},
	{name: "meta", kind: compound, mutability: readOnly, sub: []*attribute{
		{name: "resourceType", kind: text, caseExact: true, mutability: readOnly},
		{name: "created", kind: dateTime, mutability: readOnly},
		{name: "lastModified", kind: dateTime, mutability: readOnly},
		{name: "location", kind: ref, caseExact: true, mutability: readOnly},
		{name: "version", kind: text, caseExact: true, mutability: readOnly},
	}},
}

// core are the attributes of a user (RFC 7643 §4.1) as far as Amazon Connect has
// a place for them.
var core = []*attribute{
	{
		name: "userName", kind: text, required: true, caseExact: true, mutability: immutable, uniqueness: "server",
		description: "The Username, with which the user signs in. It is case-sensitive and cannot be changed.",
	},
	{
		name: "name", kind: compound, description: "The parts of the user's name.",
		sub: []*attribute{
			{name: "formatted", kind: text, mutability: readOnly, derived: true, description: "givenName and familyName."},
			{name: "familyName", kind: text, description: "The last name. Required, unless the instance has a directory of its own."},
			{name: "givenName", kind: text, description: "The first name. Required, unless the instance has a directory of its own."},
		},
	},
	{name: "displayName", kind: text, mutability: readOnly, derived: true, description: "givenName and familyName."},
	{name: "active", kind: boolean, description: "Whether the user may sign in."},
	{
		name: "password", kind: text, caseExact: true, mutability: writeOnly, returned: never,
		description: "The password of a user of a CONNECT_MANAGED instance. Ignored in other instances.",
	},
	{
		name: "emails", kind: compound, multi: true, description: "The e-mail addresses of the user: one for work, and a second one that takes its place for notices.",
		sub: []*attribute{
			{name: "value", kind: text, description: "The address."},
			{name: "type", kind: text, description: "What the address is for.", canonical: []string{"work", "other"}},
			{name: "primary", kind: boolean, description: "Whether it is the address for work, whatever its type."},
		},
	},
	{
		name: "phoneNumbers", kind: compound, multi: true, description: "The mobile number of the user. Other numbers are ignored.",
		sub: []*attribute{
			{name: "value", kind: text, description: "The number in E.164 form, +15551234567, or as a tel: URI."},
			{name: "type", kind: text, description: "What the number is of.", canonical: []string{"mobile"}},
			{name: "primary", kind: boolean, description: "Ignored."},
		},
	},
}

// elsewhere are the attributes of a user that have no place in Amazon Connect,
// those of RFC 7643 §4.1 and §4.3 by schema.
var elsewhere = map[string][]*attribute{
	coreSchema: ignore(
		"nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone", "ims", "photos", "addresses",
		"groups", "entitlements", "roles", "x509Certificates",
	),
	enterpriseSchema: ignore("employeeNumber", "costCenter", "organization", "division", "department", "manager"),
}

// nowhere are the parts of supported attributes that have no place.
var nowhere = ignore("middleName", "honorificPrefix", "honorificSuffix", "display", "$ref")

func ignore(names ...string) []*attribute {
	list := make([]*attribute, len(names))
	for i, n := range names {
		list[i] = &attribute{name: n}
	}
	return list
}

// extension are the attributes of Amazon Connect.
var extension = []*attribute{
	{
		name: "routingProfile", kind: text,
		description: "The name of the user's routing profile. Its id may be written, too. New users get that of the token.",
	},
	{
		name: "securityProfiles", kind: text, multi: true,
		description: "The names of the user's security profiles, 1 to 10. Their ids may be written, too. New users get those of the token.",
	},
	{
		name: "hierarchyGroup", kind: text,
		description: "The user's hierarchy group with those above it, such as Sales/North. Its id, or its name alone when no other group has it, may be written, too.",
	},
}

// schema is one that this service offers.
type schema struct {
	id, name, description string
	attributes            []*attribute
}

var schemas = []schema{
	{coreSchema, "User", "A user of the instance", core},
	{connectSchema, "Connect User", "What Amazon Connect knows of a user beyond SCIM", extension},
}

// target is a place in a resource: an attribute, and maybe one of its
// sub-attributes; or, without an attribute, a whole extension.
type target struct {
	schema string // connectSchema for its attributes; empty for all others
	attr   *attribute
	sub    *attribute
}

// ignored reports whether nothing is ever there.
func (t target) ignored() bool {
	return t.schema == enterpriseSchema || t.attr != nil && t.attr.kind == ignored || t.sub != nil && t.sub.kind == ignored
}

// leaf is the attribute that a value at the target is of.
func (t target) leaf() *attribute {
	if t.sub != nil {
		return t.sub
	}
	return t.attr
}

// resolve finds the target of an attribute path (RFC 7644 §3.10):
// [URN ":"] name ["." name]. Names are found whatever their case.
func resolve(path string) (target, bool) {
	in := coreSchema
	for _, urn := range []string{coreSchema, enterpriseSchema, connectSchema} {
		if strings.EqualFold(path, urn) {
			return target{schema: urn}, urn != coreSchema
		}
		if len(path) > len(urn) && path[len(urn)] == ':' && strings.EqualFold(path[:len(urn)], urn) {
			in, path = urn, path[len(urn)+1:]
			break
		}
	}
	name, subName, hasSub := strings.Cut(path, ".")
	var t target
	switch in {
	case connectSchema:
		t = target{schema: connectSchema, attr: find(extension, name)}
	case enterpriseSchema:
		t = target{schema: enterpriseSchema, attr: find(elsewhere[enterpriseSchema], name)}
	default:
		t = target{attr: find(slices.Concat(core, common, elsewhere[coreSchema]), name)}
		if t.attr == nil { // manager, as Entra ID has sent it
			t.attr = find(elsewhere[enterpriseSchema], name)
		}
	}
	if t.attr == nil {
		return target{}, false
	}
	if hasSub {
		if t.sub = t.attr.child(subName); t.sub == nil {
			t.sub = find(nowhere, subName)
		}
	}
	return t, !hasSub || t.sub != nil
}
