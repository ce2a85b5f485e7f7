package conformance

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const phoneNumber kind = "PhoneNumber"

func init() {
	add(family{
		makers: map[kind]maker{
			phoneNumber: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.ClaimPhoneNumber(ctx, &connect.ClaimPhoneNumberInput{InstanceId: &w.instance, PhoneNumber: aws.String(freeNumber(t, w).(string))})
				if err != nil {
					return nil, err
				}
				return out.PhoneNumberId, nil
			},
		},
		examples:   map[string]example{"PhoneNumberDescription": {match: "A description"}},
		references: map[string]kind{"PhoneNumberId": phoneNumber, "OutboundCallerIdNumberId": phoneNumber},
		noInstance: map[string]string{
			"ReleasePhoneNumber":        "a number belongs to an account, not to an instance",
			"UpdatePhoneNumberMetadata": "a number belongs to an account, not to an instance",
		},
		recipes: map[string]recipe{
			"SearchAvailablePhoneNumbers": of(toInstance),
			"ClaimPhoneNumber":            of(toInstance, with("PhoneNumber", freeNumber)),
			"ImportPhoneNumber": of(with("SourcePhoneNumberArn", func(_ testing.TB, w *world) any {
				return fmt.Sprintf("arn:aws:sms-voice:us-east-1:123456789012:phone-number/442079460%03d", w.next())
			})),
			// By ARN, for to be moved to another instance is what it is there for.
			"UpdatePhoneNumber": of(toInstance, with("PhoneNumberId", func(t testing.TB, w *world) any {
				return "arn:aws:connect:us-east-1:123456789012:phone-number/" + w.shared(t, phoneNumber)
			})),
			"ReleasePhoneNumber": of(with("PhoneNumberId", func(t testing.TB, w *world) any { return w.fresh(t, phoneNumber) })),
			"ListPhoneNumbersV2": of(without("InstanceId"), given("TargetArn", func(_ testing.TB, w *world) any { return w.arn("", "") })),
		},
	})
	merge(pagedOperations, map[string]paged{
		"ListPhoneNumbers":   {phoneNumber, "Id", "ReleasePhoneNumber", "PhoneNumberId"},
		"ListPhoneNumbersV2": {phoneNumber, "PhoneNumberId", "ReleasePhoneNumber", "PhoneNumberId"},
	})
	merge(fewOperations, map[string]string{"SearchAvailablePhoneNumbers": "computed from the stock of numbers"})
}

// toInstance names the prepared instance, by id and where there is a place for
// it by ARN.
func toInstance(_ testing.TB, w *world, in object, how style) {
	in["InstanceId"] = w.instance
	if how == full {
		in["TargetArn"] = w.arn("", "")
	}
}

// freeNumber is a number that nobody has.
func freeNumber(t testing.TB, w *world) any {
	out, err := w.server.Connect.SearchAvailablePhoneNumbers(context.Background(), &connect.SearchAvailablePhoneNumbersInput{
		InstanceId: &w.instance, PhoneNumberCountryCode: types.PhoneNumberCountryCodeUs, PhoneNumberType: types.PhoneNumberTypeDid, MaxResults: aws.Int32(1),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.AvailableNumbersList[0].PhoneNumber
}
