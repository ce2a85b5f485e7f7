package domain

import "github.com/aws/aws-sdk-go-v2/service/connect/types"

// AvailableNumber is a phone number that there is, claimed or not.
type AvailableNumber struct {
	E164    string // with its plus sign
	Country types.PhoneNumberCountryCode
	Type    types.PhoneNumberType
}
