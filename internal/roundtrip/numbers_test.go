package roundtrip

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server/servertest"
)

func numberKinds() []kind { return []kind{phoneNumber()} }

// numberDocument is a number without its digits, which only one instance can
// have, and with the name of its flow.
type numberDocument struct {
	Number *types.ClaimedPhoneNumberSummary
	Flow   string
}

func phoneNumber() kind {
	return of("PhoneNumber",
		func(t testing.TB, s *site, n int) string {
			in := &connect.ClaimPhoneNumberInput{
				InstanceId: &s.id, PhoneNumberDescription: name("Line", n), Tags: map[string]string{"Team": "voice"},
			}
			country := types.PhoneNumberCountryCodeUs
			if n == 1 {
				country = types.PhoneNumberCountryCodeGb
			}
			if n == 2 {
				in.InstanceId, in.TargetArn = nil, aws.String(groupARN(s.a(t, "TrafficDistributionGroup", 0)))
			}
			id := claim(t, s, in, country, types.PhoneNumberTypeDid)
			setFlow(t, s, id, "Sample inbound flow (first contact experience)")
			return id
		},
		func(t testing.TB, s *site) (all resources) {
			targets := []*string{aws.String(servertest.InstanceARN(s.id))}
			for _, id := range exportGroups(t, s).ids {
				targets = append(targets, aws.String(groupARN(id)))
			}
			flows := flowsOfNumbers(t, s)
			for _, target := range targets {
				everyPage(t, func(token *string) (*string, error) {
					page, err := s.ListPhoneNumbersV2(t.Context(), &connect.ListPhoneNumbersV2Input{TargetArn: target, NextToken: token, MaxResults: aws.Int32(1)})
					if err != nil {
						return nil, err
					}
					for _, n := range page.ListPhoneNumbersSummaryList {
						out, err := s.DescribePhoneNumber(t.Context(), &connect.DescribePhoneNumberInput{PhoneNumberId: n.PhoneNumberId})
						ok(t, err)
						d := numberDocument{out.ClaimedPhoneNumberSummary, flows[*n.PhoneNumberArn]}
						d.Number.PhoneNumber = nil
						all.add(*n.PhoneNumberId, *n.PhoneNumber, d)
					}
					return page.NextToken, nil
				})
			}
			return all
		},
		func(t testing.TB, s *site, d numberDocument) string {
			id := claim(t, s, &connect.ClaimPhoneNumberInput{
				TargetArn: d.Number.TargetArn, PhoneNumberDescription: d.Number.PhoneNumberDescription, Tags: tags(d.Number.Tags),
			}, d.Number.PhoneNumberCountryCode, d.Number.PhoneNumberType)
			if d.Flow != "" {
				setFlow(t, s, id, d.Flow)
			}
			return id
		},
		nil)
}

func groupARN(id string) string {
	return "arn:aws:connect:" + servertest.Region + ":" + servertest.Account + ":traffic-distribution-group/" + id
}

// claim claims the first number that there is of a country and type.
func claim(t testing.TB, s *site, in *connect.ClaimPhoneNumberInput, country types.PhoneNumberCountryCode, kind types.PhoneNumberType) string {
	t.Helper()
	found, err := s.SearchAvailablePhoneNumbers(t.Context(), &connect.SearchAvailablePhoneNumbersInput{
		InstanceId: in.InstanceId, TargetArn: in.TargetArn, PhoneNumberCountryCode: country, PhoneNumberType: kind, MaxResults: aws.Int32(1),
	})
	ok(t, err)
	in.PhoneNumber = found.AvailableNumbersList[0].PhoneNumber
	out, err := s.ClaimPhoneNumber(t.Context(), in)
	ok(t, err)
	return *out.PhoneNumberId
}

func allFlows(t testing.TB, s *site) []types.ContactFlowSummary {
	t.Helper()
	out, err := s.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &s.id, MaxResults: aws.Int32(1000)})
	ok(t, err)
	return out.ContactFlowSummaryList
}

func setFlow(t testing.TB, s *site, number, flow string) {
	t.Helper()
	flows := allFlows(t, s)
	i := slices.IndexFunc(flows, func(f types.ContactFlowSummary) bool { return *f.Name == flow })
	if i < 0 {
		t.Fatalf("no flow %q", flow)
	}
	_, err := s.AssociatePhoneNumberContactFlow(t.Context(), &connect.AssociatePhoneNumberContactFlowInput{InstanceId: &s.id, PhoneNumberId: &number, ContactFlowId: flows[i].Id})
	ok(t, err)
}

// flowsOfNumbers are the names of the flows of numbers, by the numbers' ARNs.
func flowsOfNumbers(t testing.TB, s *site) map[string]string {
	t.Helper()
	out, err := s.ListFlowAssociations(t.Context(), &connect.ListFlowAssociationsInput{InstanceId: &s.id, ResourceType: types.ListFlowAssociationResourceTypeVoicePhoneNumber, MaxResults: aws.Int32(1000)})
	ok(t, err)
	names := map[string]string{}
	for _, a := range out.FlowAssociationSummaryList {
		for _, f := range allFlows(t, s) {
			if strings.HasSuffix(*a.FlowId, *f.Id) {
				names[*a.ResourceId] = *f.Name
			}
		}
	}
	return names
}
