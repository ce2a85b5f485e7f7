package machine

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func TestPhoneNumber(t *testing.T) {
	for _, c := range []struct{ digits, country, want string }{
		{"2065550100", "US", "+12065550100"},
		{"12065550100", "US", "+12065550100"},
		{"206555010", "US", ""},
		{"1065550100", "CA", ""},
		{"02079460000", "GB", "+442079460000"},
		{"2079460000", "GB", "+442079460000"},
		{"0301234567", "DE", "+49301234567"},
		{"0612345678", "IT", "+390612345678"},
		{"0612345678", "HU", "+3612345678"},
		{"84951234567", "RU", "+74951234567"},
		{"8765432100", "RU", "+78765432100"},
		{"0123", "DE", ""},
		{"123456789012345", "DE", ""},
		{"2065550100", "XX", ""},
		{"206555#100", "US", ""},
		{"12065550100", "", "+12065550100"},
		{"4930123456", "", "+4930123456"},
		{"02065550100", "", ""},
		{"123456", "", ""},
		{"1234567890123456", "", ""},
		{"", "", ""},
		{"", "DE", ""},
	} {
		got, ok := phoneNumber(c.digits, c.country)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("phoneNumber(%q, %q) = %q, %v, want %q", c.digits, c.country, got, ok, c.want)
		}
	}
}

// TestCallingCodes wants a code for each country that the API knows.
func TestCallingCodes(t *testing.T) {
	for _, c := range types.PhoneNumberCountryCode("").Values() {
		if callingCodes[string(c)] == "" {
			t.Errorf("%s has no country code", c)
		}
	}
}
