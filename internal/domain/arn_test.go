package domain_test

import (
	"strings"
	"testing"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

const (
	instance = "0199f0c4-0000-7000-8000-000000000001"
	thing    = "0199f0c4-0000-7000-8000-000000000002"
	prefix   = "arn:aws:connect:us-east-1:123456789012:"
)

func TestARN(t *testing.T) {
	in := prefix + "instance/" + instance
	for _, c := range []struct {
		text      string
		kind      domain.Kind
		id        string
		instance  string
		qualifier string
	}{
		{in, domain.KindInstance, instance, instance, ""},
		{in + "/agent/" + thing, domain.KindUser, thing, instance, ""},
		{in + "/agent-group/" + thing, domain.KindHierarchyGroup, thing, instance, ""},
		{in + "/agent-state/" + thing, domain.KindAgentStatus, thing, instance, ""},
		{in + "/queue/" + thing, domain.KindQueue, thing, instance, ""},
		{in + "/queue/agent/" + thing, domain.KindQueue, "agent/" + thing, instance, ""},
		{in + "/routing-profile/" + thing, domain.KindRoutingProfile, thing, instance, ""},
		{in + "/security-profile/" + thing, domain.KindSecurityProfile, thing, instance, ""},
		{in + "/operating-hours/" + thing, domain.KindHoursOfOperation, thing, instance, ""},
		{in + "/transfer-destination/" + thing, domain.KindQuickConnect, thing, instance, ""},
		{in + "/prompt/" + thing, domain.KindPrompt, thing, instance, ""},
		{in + "/contact-flow/" + thing, domain.KindContactFlow, thing, instance, ""},
		{in + "/contact-flow/" + thing + ":$SAVED", domain.KindContactFlow, thing, instance, "$SAVED"},
		{in + "/flow-module/" + thing + ":7", domain.KindContactFlowModule, thing, instance, "7"},
		{prefix + "phone-number/" + thing, domain.KindPhoneNumber, thing, "", ""},
		{in + "/view/" + thing + ":$LATEST", domain.KindView, thing, instance, "$LATEST"},
		{"arn:aws:connect:us-east-1:aws:view/form:1", domain.KindView, "form", "", "1"},
		{"arn:aws-us-gov:connect:us-gov-west-1:123456789012:instance/" + instance, domain.KindInstance, instance, instance, ""},
	} {
		got, err := domain.ParseARN(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got.Kind != c.kind || got.ID != c.id || string(got.Instance) != c.instance || got.Qualifier != c.qualifier {
			t.Errorf("%s: parsed as %+v", c.text, got)
		}
		if again := got.String(); again != c.text {
			t.Errorf("%s: written again as %s", c.text, again)
		}
	}
}

func TestARNRefuses(t *testing.T) {
	in := prefix + "instance/" + instance
	for _, text := range []string{
		"", "arn", "arn:aws:connect", thing, in + "/", in + "/agent", in + "/agent/", in + "/agent/a/b", in + "/agent/:x", in + "/unknown/" + thing,
		in + "/instance/" + thing, prefix + "instance/", prefix + "instance", prefix + "instance//agent/" + thing, prefix + "agent", prefix,
		prefix + "view/form", "arn:aws:connect:us-east-1:aws:agent/" + thing,
		"arn:aws:s3:us-east-1:123456789012:instance/" + instance, "arn:azure:connect:us-east-1:123456789012:instance/" + instance,
		"arn:aws:connect::123456789012:instance/" + instance, "arn:aws:connect:us-east-1::instance/" + instance,
		in + "/agent/" + strings.Repeat("x", 3000),
	} {
		if got, err := domain.ParseARN(text); !fault.Is(err, fault.InvalidParameter) {
			t.Errorf("%.80q gave %+v, %v", text, got, err)
		}
	}
}

func FuzzParseARN(f *testing.F) {
	f.Add(prefix + "instance/" + instance + "/queue/agent/" + thing)
	f.Add(prefix + "instance/" + instance + "/contact-flow/" + thing + ":$SAVED")
	f.Add(prefix + "phone-number/" + thing)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := domain.ParseARN(text)
		if err != nil {
			if fault.From(err).Code != fault.InvalidParameter {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if a.Kind.Segment() == "" || a.ID == "" {
			t.Fatalf("%q parsed as %+v", text, a)
		}
		again, err := domain.ParseARN(a.String())
		if err != nil || again != a {
			t.Fatalf("%q parsed as %+v, its text %q as %+v, %v", text, a, a, again, err)
		}
	})
}

func TestIDs(t *testing.T) {
	last := ""
	for range 1000 {
		id := domain.NewID()
		if !domain.IsUUID(id) || id <= last {
			t.Fatalf("id %q after %q", id, last)
		}
		last = id
	}
	for _, s := range []string{"", "x", last[:35], last + "0", strings.ReplaceAll(last, "-", "0"), "zzzzzzzz-0000-7000-8000-000000000000"} {
		if domain.IsUUID(s) {
			t.Errorf("%q passes for an id", s)
		}
	}
}

func TestCheckUsername(t *testing.T) {
	for _, c := range []struct {
		name string
		kind domain.IdentityManagementType
		ok   bool
	}{
		{"mary", domain.SAML, true},
		{"Mary.Major_1-x", domain.ConnectManaged, true},
		{"mary@example.com", domain.SAML, true},
		{"mary@example", domain.SAML, false},
		{"@example.com", domain.SAML, false},
		{"a@b@example.com", domain.SAML, false},
		{"mary major", domain.ConnectManaged, false},
		{"marÿ", domain.ConnectManaged, false},
		{strings.Repeat("x", 64), domain.SAML, true},
		{strings.Repeat("x", 65), domain.SAML, false},
		{strings.Repeat("x", 65), domain.ConnectManaged, true},
	} {
		if err := domain.CheckUsername(c.name, c.kind); (err == nil) != c.ok {
			t.Errorf("%s of %s: %v", c.name, c.kind, err)
		}
	}
}
