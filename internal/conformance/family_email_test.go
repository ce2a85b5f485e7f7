package conformance

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const emailAddress kind = "EmailAddress"

func init() {
	add(family{
		makers: map[kind]maker{
			emailAddress: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateEmailAddress(ctx, &connect.CreateEmailAddressInput{InstanceId: &w.instance, EmailAddress: aws.String(newAddress(t, w).(string))})
				if err != nil {
					return nil, err
				}
				return out.EmailAddressId, nil
			},
		},
		references: map[string]kind{"EmailAddressId": emailAddress, "EmailAddressesId": emailAddress, "OutboundEmailAddressId": emailAddress},
		examples:   map[string]example{"EmailAddress": {"support@example.com", "support at example.com"}},
		recipes: map[string]recipe{
			"CreateEmailAddress": of(with("EmailAddress", newAddress)),
			"AssociateEmailAddressAlias": of(
				with("EmailAddressId", freshAddress),
				with("AliasConfiguration", func(t testing.TB, w *world) any { return object{"EmailAddressId": freshAddress(t, w)} })),
			"DisassociateEmailAddressAlias": of(func(t testing.TB, w *world, in object, _ style) {
				primary, alias := w.fresh(t, emailAddress), w.fresh(t, emailAddress)
				_, err := w.server.Connect.AssociateEmailAddressAlias(context.Background(), &connect.AssociateEmailAddressAliasInput{
					InstanceId: &w.instance, EmailAddressId: &primary, AliasConfiguration: &types.AliasConfiguration{EmailAddressId: &alias},
				})
				if err != nil {
					t.Fatal(err)
				}
				in["EmailAddressId"], in["AliasConfiguration"] = primary, object{"EmailAddressId": alias}
			}),
			"SearchEmailAddresses": of(searchCriteria("emailAddress"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),
		},
	})
	merge(pagedOperations, map[string]paged{
		"SearchEmailAddresses": {emailAddress, "EmailAddressId", "DeleteEmailAddress", "EmailAddressId"},
	})
}

func newAddress(_ testing.TB, w *world) any { return fmt.Sprintf("made-%d@example.com", w.next()) }

func freshAddress(t testing.TB, w *world) any { return w.fresh(t, emailAddress) }
