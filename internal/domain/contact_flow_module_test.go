package domain_test

import (
	"strings"
	"testing"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

func TestContactFlowModuleAlias(t *testing.T) {
	for name, c := range map[string]struct {
		alias domain.ContactFlowModuleAlias
		bad   bool
	}{
		"plain":               {domain.ContactFlowModuleAlias{Name: "live"}, false},
		"every character":     {domain.ContactFlowModuleAlias{Name: "$a_B-9"}, false},
		"the longest":         {domain.ContactFlowModuleAlias{Name: strings.Repeat("x", 100), Description: strings.Repeat("ä", 500)}, false},
		"too long":            {domain.ContactFlowModuleAlias{Name: strings.Repeat("x", 101)}, true},
		"long description":    {domain.ContactFlowModuleAlias{Name: "x", Description: strings.Repeat("x", 501)}, true},
		"empty":               {domain.ContactFlowModuleAlias{}, true},
		"a space":             {domain.ContactFlowModuleAlias{Name: "a b"}, true},
		"hyphen first":        {domain.ContactFlowModuleAlias{Name: "-a"}, true},
		"two in a row":        {domain.ContactFlowModuleAlias{Name: "a_-b"}, true},
		"that of the saved":   {domain.ContactFlowModuleAlias{Name: "$SAVED"}, true},
		"that of the latest":  {domain.ContactFlowModuleAlias{Name: "$LATEST"}, true},
		"like that of latest": {domain.ContactFlowModuleAlias{Name: "LATEST"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.alias.Check(); fault.Is(err, fault.InvalidParameter) != c.bad || (err != nil) != c.bad {
				t.Errorf("Check gives %v", err)
			}
		})
	}
}

func TestFlowContentSettings(t *testing.T) {
	for settings, bad := range map[string]bool{"": false, "{}": false, `{"a":[1]}`: false, "null": true, "[]": true, "1": true, "{": true, "{} {}": true} {
		e := domain.FlowContent{Content: "x", Settings: settings}
		if err := e.Check(); fault.Is(err, fault.InvalidParameter) != bad || (err != nil) != bad {
			t.Errorf("Check of %q gives %v", settings, err)
		}
	}
}
