package roundtrip

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func emailKinds() []kind { return []kind{emailAddress()} }

// emailDocument is an address without its times, which the service decides.
type emailDocument struct {
	Address, Description, DisplayName *string
	ID, ARN                           *string
	Tags                              map[string]string
	Alias                             []types.AliasConfiguration
}

func emailAddress() kind {
	return of("EmailAddress",
		func(t testing.TB, s *site, n int) string {
			out, err := s.CreateEmailAddress(t.Context(), &connect.CreateEmailAddressInput{
				InstanceId: &s.id, EmailAddress: aws.String(fmt.Sprintf("Support-%d@example.com", n)), Description: aws.String("what is asked"),
				DisplayName: name("Support", n), Tags: map[string]string{"Team": "e-mail"},
			})
			ok(t, err)
			if n == 1 {
				_, err = s.AssociateEmailAddressAlias(t.Context(), &connect.AssociateEmailAddressAliasInput{
					InstanceId: &s.id, EmailAddressId: out.EmailAddressId, AliasConfiguration: &types.AliasConfiguration{EmailAddressId: aws.String(s.a(t, "EmailAddress", 0))},
				})
				ok(t, err)
			}
			return *out.EmailAddressId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.SearchEmailAddresses(t.Context(), &connect.SearchEmailAddressesInput{InstanceId: &s.id, NextToken: token, MaxResults: aws.Int32(2)})
				if err != nil {
					return nil, err
				}
				for _, a := range page.EmailAddresses {
					out, err := s.DescribeEmailAddress(t.Context(), &connect.DescribeEmailAddressInput{InstanceId: &s.id, EmailAddressId: a.EmailAddressId})
					ok(t, err)
					all.add(*out.EmailAddressId, *out.EmailAddress, emailDocument{
						out.EmailAddress, out.Description, out.DisplayName, out.EmailAddressId, out.EmailAddressArn, out.Tags, out.AliasConfigurations,
					})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d emailDocument) string {
			out, err := s.CreateEmailAddress(t.Context(), &connect.CreateEmailAddressInput{
				InstanceId: &s.id, EmailAddress: d.Address, Description: d.Description, DisplayName: d.DisplayName, Tags: tags(d.Tags),
			})
			ok(t, err)
			return *out.EmailAddressId
		},
		func(t testing.TB, s *site, id string, d emailDocument) {
			for _, alias := range d.Alias {
				_, err := s.AssociateEmailAddressAlias(t.Context(), &connect.AssociateEmailAddressAliasInput{InstanceId: &s.id, EmailAddressId: &id, AliasConfiguration: &alias})
				ok(t, err)
			}
		})
}
