package saml_test

import (
	"reflect"
	"testing"
	"time"

	"ringdown/internal/identity/saml"
)

func want() *saml.Assertion {
	return &saml.Assertion{
		ID: "_a", Issuer: idp,
		Subject: "u-1@example.com", SubjectType: "persistent",
		Audience: audience, Recipient: acs,
		Roles:               []saml.RoleChoice{{Role: "arn:aws:iam::123456789012:role/agents", Provider: "arn:aws:iam::123456789012:saml-provider/example"}},
		SessionName:         "jane",
		SessionNotOnOrAfter: now.Add(8 * time.Hour),
		Attributes: map[string][]string{
			"https://aws.amazon.com/SAML/Attributes/Role":            {"arn:aws:iam::123456789012:role/agents,arn:aws:iam::123456789012:saml-provider/example"},
			"https://aws.amazon.com/SAML/Attributes/RoleSessionName": {"jane"},
		},
		Expires: now.Add(-time.Second + saml.MaxAge),
	}
}

func TestAccepted(t *testing.T) {
	cases := map[string]string{
		"the assertion is signed": signed(),
		"the response is signed":  sign(envelope(assertion()), "/Response", theSigner()),
		"both are signed":         sign(signed(), "/Response", theSigner()),
	}
	for name, xml := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := provider(t, theSigner()).Validate([]byte(xml), expect())
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want()) {
				t.Errorf("got %+v\nwant %+v", got, want())
			}
		})
	}
}
