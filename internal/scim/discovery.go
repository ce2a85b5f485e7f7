package scim

import (
	"net/http"
	"strings"
)

// discovery serves what tells clients about this service (RFC 7644 §4).
func (s *service) discovery(x *exchange, kind, id string) (*answer, error) {
	if x.URL.Query().Has("filter") {
		return nil, refuse(http.StatusForbidden, "%s cannot be filtered", kind) // as RFC 7644 §4 says
	}
	base := s.o.URL() + Path
	if kind == "ServiceProviderConfig" {
		return &answer{http.StatusOK, config(base), http.Header{}}, nil
	}
	all := map[string]any{"User": resourceType(base)}
	order := []string{"User"}
	if kind == "Schemas" {
		all, order = map[string]any{}, nil
		for _, sc := range schemas {
			all[sc.id] = sc.document(base)
			order = append(order, sc.id)
		}
	}
	if id == "" {
		list := make([]any, len(order))
		for i, name := range order {
			list[i] = all[name]
		}
		return &answer{http.StatusOK, page(list, len(list), 1), http.Header{}}, nil
	}
	for _, name := range order {
		if strings.EqualFold(name, id) {
			return &answer{http.StatusOK, all[name], http.Header{}}, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "there is no such document among %s", kind)
}

type object = map[string]any

// config tells what this service can do (RFC 7643 §5).
func config(base string) object {
	return object{
		"schemas":        []string{configSchema},
		"patch":          object{"supported": true},
		"bulk":           object{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter":         object{"supported": true, "maxResults": maxCount},
		"changePassword": object{"supported": true},
		"sort":           object{"supported": false},
		"etag":           object{"supported": true},
		"authenticationSchemes": []object{{
			"type": "oauthbearertoken", "name": "Bearer token", "primary": true,
			"description": "A token made by ringdown keys create --scim", "specUri": "https://www.rfc-editor.org/rfc/rfc6750",
		}},
		"meta": object{"resourceType": "ServiceProviderConfig", "location": base + "ServiceProviderConfig"},
	}
}

// resourceType is that of users, the only one (RFC 7643 §6).
func resourceType(base string) object {
	return object{
		"schemas": []string{resourceTypeSchema}, "id": "User", "name": "User", "endpoint": "/Users",
		"description": "A user of the instance", "schema": coreSchema,
		"schemaExtensions": []object{{"schema": connectSchema, "required": false}},
		"meta":             object{"resourceType": "ResourceType", "location": base + "ResourceTypes/User"},
	}
}

// document describes a schema (RFC 7643 §7).
func (s schema) document(base string) object {
	return object{
		"schemas": []string{schemaSchema}, "id": s.id, "name": s.name, "description": s.description, "attributes": describe(s.attributes),
		"meta": object{"resourceType": "Schema", "location": base + "Schemas/" + s.id},
	}
}

func describe(list []*attribute) []object {
	described := make([]object, len(list))
	for i, a := range list {
		d := object{
			"name": a.name, "type": a.kind, "multiValued": a.multi, "description": a.description, "required": a.required, "caseExact": a.caseExact,
			"mutability": orElse(a.mutability, "readWrite"), "returned": orElse(a.returned, "default"), "uniqueness": orElse(a.uniqueness, "none"),
		}
		if a.canonical != nil {
			d["canonicalValues"] = a.canonical
		}
		if a.sub != nil {
			d["subAttributes"] = describe(a.sub)
		}
		described[i] = d
	}
	return described
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
