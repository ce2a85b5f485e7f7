package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// example is a value that matches a shape's pattern, and one that does not
// though its length is legal; empty for a pattern that takes everything.
type example struct{ match, clash string }

// examples are values for the shapes that have a pattern.
var examples = map[string]example{
	"AwsRegion":                                      {"eu-west-2", "nowhere!"},
	"CommonHumanReadableDescription":                 {"A description", "a\x01b"},
	"CommonHumanReadableName":                        {"A name", "a\x01b"},
	"CreateSecurityProfileName":                      {"A profile", "no/slash"},
	"DateYearMonthDayFormat":                         {"2026-12-24", "24.12.2026"},
	"DirectoryAlias":                                 {"an-alias", "d-alias"},
	"DirectoryId":                                    {"d-0123456789", "d-012345678x"},
	"HoursOfOperationOverrideYearMonthDayDateFormat": {"2026-12-24", "24.12.2026"},
	"IAMRestrictedPrimaryValue":                      {"A value", "Ω"},
	"InstanceIdOrArn":                                {"01234567-89ab-cdef-0123-456789abcdef", "01234567"},
	"Password":                                       {"Passw0rdPassw0rd", "passwordpassword"},
	"PhoneNumber":                                    {"+15555550100", "5555550100"},
	"PhoneNumberPrefix":                              {"+1555", "prefix"},
	"PrimaryAttributeContextKeyName":                 {"A name", "aws:name"},
	"S3Uri":                                          {"s3://bucket/prompt.wav", "file:///prompt.wav"},
	"SensitivePhoneNumber":                           {"+15555550100", "5555550100"},
	"TagKey":                                         {"Department", "aws:department"},
}

// literals are values for members whose meaning goes beyond their shape, by
// the member's name.
var literals = map[string]any{
	"TimeZone":            "America/New_York",
	"DirectoryUserId":     "mary@directory",
	"Email":               "mary@example.com",
	"SecondaryEmail":      "major@example.com",
	"OutboundEmailAlias":  "support",
	"InboundCallsEnabled": true,
	// Of the enums whose first value is not the plainest.
	"PhoneType":              "SOFT_PHONE",
	"IdentityManagementType": "SAML",
	"HoursOfOperationIds":    []any{},
}

// references are the members that name resources, and what they name.
var references = map[string]kind{
	"UserId":                     user,
	"AgentStatusId":              agentStatus,
	"HierarchyGroupId":           hierarchyGroup,
	"ParentGroupId":              hierarchyGroup,
	"SecurityProfileId":          securityProfile,
	"SecurityProfileIds":         securityProfile,
	"RoutingProfileId":           routingProfile,
	"QueueId":                    queue,
	"DefaultOutboundQueueId":     queue,
	"HoursOfOperationId":         hoursOfOperation,
	"ParentHoursOfOperationIds":  hoursOfOperation,
	"HoursOfOperationOverrideId": hoursOverride,
	"QuickConnectId":             quickConnect,
	"QuickConnectIds":            quickConnect,
	"PromptId":                   prompt,
	"ContactFlowId":              contactFlow,
	"OutboundFlowId":             contactFlow,
}

// style is how much of an input a request has.
type style int

const (
	minimal    style = iota // what the model requires
	full                    // every member, but those that a recipe leaves out
	everything              // every member, whether or not they go together
)

// build makes an input whose every value is legal by the model. Names are new
// ones; references are to resources that exist, in style everything to
// nothing.
func (w *world) build(t testing.TB, op *operation, how style) object {
	t.Helper()
	b := builder{world: w, t: t, op: op, how: how}
	in := b.structure(w.model.input(op), nil)
	if _, paged := in["NextToken"]; paged && how != everything {
		delete(in, "NextToken") // tokens come from answers
	}
	if how != everything {
		if r, ok := recipes[op.Name]; ok && r.change != nil {
			r.change(t, w, in, how)
		}
	}
	return in
}

type builder struct {
	world *world
	t     testing.TB
	op    *operation
	how   style
}

// structure builds the members of a structure. Within holds the shapes that
// lead here: an optional member of one of them would never end.
func (b *builder) structure(s *shape, within []string) object {
	o := object{}
	within = append(within[:len(within):len(within)], s.Name)
	names := s.names()
	if s.Union { // the first that ends: conditions hold conditions or expressions
		first := slices.IndexFunc(names, func(name string) bool {
			return !b.recurs(b.world.model.Shapes[s.Members[name].Shape], within)
		})
		names = names[first : first+1]
	}
	for _, name := range names {
		m := b.world.model.Shapes[s.Members[name].Shape]
		if !s.Union && !s.requires(name) && (b.how == minimal || b.recurs(m, within)) {
			continue
		}
		o[name] = b.value(name, m, within)
	}
	return o
}

// recurs reports whether a value of the shape would hold one of those around
// it.
func (b *builder) recurs(s *shape, within []string) bool {
	switch s.Type {
	case "list":
		return b.recurs(b.world.model.Shapes[s.Member.Shape], within)
	case "map":
		return b.recurs(b.world.model.Shapes[s.Value.Shape], within)
	default:
		for _, name := range within {
			if name == s.Name {
				return true
			}
		}
		return false
	}
}

// value builds a legal value for a member of that name.
func (b *builder) value(name string, s *shape, within []string) any {
	if kind, ok := references[name]; ok && s.Type == "string" {
		return b.reference(kind)
	}
	if v, ok := literals[name]; ok && s.Type != "list" && s.Type != "structure" {
		return v
	}
	switch s.Type {
	case "structure":
		return b.structure(s, within)
	case "list":
		n := 1
		if s.Min != nil && *s.Min > 1 {
			n = int(*s.Min)
		}
		list := make([]any, n)
		for i := range list {
			list[i] = b.value(name, b.world.model.Shapes[s.Member.Shape], within)
		}
		return list
	case "map":
		key := b.value("key", b.world.model.Shapes[s.Key.Shape], within)
		return object{key.(string): b.value("value", b.world.model.Shapes[s.Value.Shape], within)}
	case "string":
		return b.text(name, s)
	case "boolean":
		return true
	case "timestamp":
		return float64(1_767_225_600) // the beginning of 2026
	default:
		switch {
		case s.Min != nil && *s.Min > 1:
			return *s.Min
		case s.Max != nil && *s.Max < 1:
			return *s.Max
		default:
			return float64(1)
		}
	}
}

func (b *builder) reference(k kind) string {
	switch {
	case b.how == everything:
		return unknownID
	case strings.HasPrefix(b.op.Name, "Delete"):
		return b.world.fresh(b.t, k)
	default:
		return b.world.shared(b.t, k)
	}
}

func (b *builder) text(name string, s *shape) string {
	switch {
	case name == "InstanceId":
		return b.world.instance
	case len(s.Enum) > 0:
		return s.Enum[0]
	}
	v := fmt.Sprintf("%s-%d", strings.ToLower(name), b.world.next())
	if s.Pattern != "" {
		e, ok := examples[s.Name]
		if !ok {
			b.t.Fatalf("the shape %s has the pattern %q: give it an example in values_test.go", s.Name, s.Pattern)
		}
		v = e.match
		if strings.HasSuffix(name, "Name") || strings.HasSuffix(name, "Alias") {
			v = fmt.Sprintf("%s %d", v, b.world.next())
			if s.Name == "DirectoryAlias" {
				v = strings.ReplaceAll(v, " ", "-")
			}
		}
	}
	for s.Min != nil && len(v) < int(*s.Min) {
		v += "x"
	}
	if s.Max != nil && len(v) > int(*s.Max) {
		v = v[:int(*s.Max)]
	}
	return v
}
