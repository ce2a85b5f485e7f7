package starter

import (
	"slices"
	"strings"
	"testing"
)

func TestPermissionsAreSortedAndUnique(t *testing.T) {
	all := Permissions()
	if !slices.IsSorted(all) {
		t.Error("not sorted")
	}
	if len(slices.Compact(slices.Clone(all))) != len(all) {
		t.Error("a permission is there twice")
	}
	// CreateSecurityProfile takes 500 at most, and a name of 128 characters.
	if len(all) > 500 {
		t.Errorf("%d permissions", len(all))
	}
	for _, name := range all {
		if len(name) > 128 || strings.ContainsAny(name, " \t") || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") {
			t.Errorf("%q is no name", name)
		}
	}
}

func TestHasPermission(t *testing.T) {
	valid := []string{
		"BasicAgentAccess",
		"AccessMetrics",
		"AccessMetrics.RealTimeMetrics.Access",
		"TransferDestinations.Create",
		"CustomerProfiles.View",
		"CustomerProfiles.Segments.Export",
		"ListenCallRecordings",
		"ChatTestMode",
		"ContactTranscripts.Redacted.Access",
		"RestrictPhoneTypeSettings.Access",
		"EmailAddresses.Remove",
	}
	invalid := []string{
		"basicagentaccess",
		"Users",
		"Users.",
		"Users.Fly",
		"TransferDestinations.EnableAndDisable",
		"",
		".",
		"connect:CreateUser",
		"CustomerProfiles.CalculatedAttributes",
		" BasicAgentAccess",
		"ContactTranscripts.Redacted.Access.Extra",
	}
	for _, name := range valid {
		if !HasPermission(name) {
			t.Errorf("%q is not known", name)
		}
	}
	for _, name := range invalid {
		if HasPermission(name) {
			t.Errorf("%q is known", name)
		}
	}
	for _, name := range Permissions() {
		if !HasPermission(name) {
			t.Errorf("%q is listed and not known", name)
		}
	}
}

func TestSecurityProfilesGrantKnownPermissions(t *testing.T) {
	var names []string
	for _, p := range SecurityProfiles() {
		names = append(names, p.Name)
		if !slices.IsSorted(p.Permissions) {
			t.Errorf("%s: not sorted", p.Name)
		}
		for _, name := range p.Permissions {
			if !HasPermission(name) {
				t.Errorf("%s: unknown permission %q", p.Name, name)
			}
		}
	}
	if want := []string{"Admin", "Agent", "CallCenterManager", "QualityAnalyst"}; !slices.Equal(names, want) {
		t.Errorf("profiles %v, want %v", names, want)
	}
}

func TestAdminMayWhatTheOthersMayAndIsNotRestricted(t *testing.T) {
	profiles := SecurityProfiles()
	admin := profiles[0].Permissions
	for _, p := range profiles[1:] {
		for _, name := range p.Permissions {
			if !slices.Contains(admin, name) {
				t.Errorf("%s may %s, Admin may not", p.Name, name)
			}
		}
	}
	for _, area := range []string{
		"AgentGrouping", "AgentStates", "Campaigns", "ContactFlows", "ContactFlowModules", "Prompts", "Queues",
		"RoutingPolicies", "SecurityProfiles", "TransferDestinations", "Users",
	} {
		for _, name := range Permissions() {
			if strings.HasPrefix(name, area+".") && !slices.Contains(admin, name) {
				t.Errorf("Admin may not %s", name)
			}
		}
	}
	for _, name := range admin {
		if strings.HasPrefix(name, "Restrict") || strings.HasPrefix(name, "Require") {
			t.Errorf("Admin is bound by %s", name)
		}
	}
}

// An entry that matches nothing would be a slip of the pen.
func TestWhatAdminLacksExists(t *testing.T) {
	for _, without := range notAdmin {
		if !slices.ContainsFunc(Permissions(), func(name string) bool {
			return name == without || strings.HasPrefix(name, without+".")
		}) {
			t.Errorf("no permission %q", without)
		}
	}
}
