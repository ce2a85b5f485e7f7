package flows_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func TestFlowAssociations(t *testing.T) {
	s := servertest.Boot(t)
	instance, other := s.NewInstance(t), s.NewInstance(t)
	a := *newFlow(t, s, instance, "a", content("")).ContactFlowId
	b := *newFlow(t, s, instance, "b", content("")).ContactFlowId
	arn := instanceARN(instance) + "/contact-flow/"
	const (
		sms       = types.FlowAssociationResourceTypeSmsPhoneNumber
		whatsApp  = types.FlowAssociationResourceTypeWhatsappMessagingPhoneNumber
		connector = types.FlowAssociationResourceTypeAnalyticsConnector
		inbound   = types.FlowAssociationResourceTypeInboundEmail

		number   = "arn:aws:sms-voice:us-east-1:123456789012:phone-number/phone-1"
		social   = "arn:aws:social-messaging:us-east-1:123456789012:phone-number-id/1"
		reporter = "arn:aws:connect-analytics:us-east-1:123456789012:connector/1"
	)
	associate := func(kind types.FlowAssociationResourceType, resource, flow string) error {
		_, err := s.Connect.AssociateFlow(t.Context(), &connect.AssociateFlowInput{InstanceId: &instance, ResourceType: kind, ResourceId: &resource, FlowId: &flow})
		return err
	}
	get := func(kind types.FlowAssociationResourceType, resource string) (string, error) {
		out, err := s.Connect.GetFlowAssociation(t.Context(), &connect.GetFlowAssociationInput{InstanceId: &instance, ResourceType: kind, ResourceId: &resource})
		if err != nil {
			return "", err
		}
		same(t, "association", []any{out.ResourceId, out.ResourceType}, []any{resource, kind})
		return *out.FlowId, nil
	}
	runs := func(kind types.FlowAssociationResourceType, resource, flow string) {
		t.Helper()
		got, err := get(kind, resource)
		ok(t, err)
		same(t, resource, got, arn+flow)
	}
	ok(t, associate(sms, number, a))
	ok(t, associate(whatsApp, social, arn+a))
	ok(t, associate(whatsApp, number, b)) // the same name, but another type
	ok(t, associate(connector, reporter, b))
	runs(sms, number, a)
	runs(whatsApp, social, a)
	runs(whatsApp, number, b)
	ok(t, associate(sms, number, b))
	runs(sms, number, b)

	_, err := get(connector, number)
	fails(t, err, fault.ResourceNotFound, number)
	fails(t, associate(sms, "x", domain.NewID()), fault.ResourceNotFound)
	fails(t, associate(sms, "x", a+":$SAVED"), fault.InvalidParameter)
	fails(t, associate(sms, "x", *contactFlows(t, s.Connect, other)[0].Id), fault.ResourceNotFound)
	fails(t, associate(inbound, domain.NewID(), a), fault.ResourceNotFound)
	fails(t, associate(inbound, instanceARN(other)+"/email-address/"+domain.NewID(), a), fault.ResourceNotFound)
	_, err = get(inbound, instanceARN(instance)+"/email-address/"+domain.NewID())
	fails(t, err, fault.ResourceNotFound)

	summary := func(kind types.FlowAssociationResourceType, resource, flow string) types.FlowAssociationSummary {
		return types.FlowAssociationSummary{ResourceType: types.ListFlowAssociationResourceType(kind), ResourceId: &resource, FlowId: aws.String(arn + flow)}
	}
	all := []types.FlowAssociationSummary{summary(connector, reporter, b), summary(whatsApp, number, b), summary(whatsApp, social, a)}
	for kind, want := range map[types.ListFlowAssociationResourceType][]types.FlowAssociationSummary{
		"": all,
		types.ListFlowAssociationResourceTypeWhatsappMessagingPhoneNumber: all[1:],
		types.ListFlowAssociationResourceTypeAnalyticsConnector:           all[:1],
	} {
		got := servertest.Pages(t, func(token *string) ([]types.FlowAssociationSummary, *string, error) {
			out, err := s.Connect.ListFlowAssociations(t.Context(), &connect.ListFlowAssociationsInput{
				InstanceId: &instance, ResourceType: kind, MaxResults: aws.Int32(2), NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return out.FlowAssociationSummaryList, out.NextToken, nil
		})
		same(t, "list of "+string(kind), got, servertest.InPages(want, 2))
	}
	batch := func(kind types.ListFlowAssociationResourceType, ids ...string) []types.FlowAssociationSummary {
		t.Helper()
		out, err := s.Connect.BatchGetFlowAssociation(t.Context(), &connect.BatchGetFlowAssociationInput{InstanceId: &instance, ResourceType: kind, ResourceIds: ids})
		ok(t, err)
		return out.FlowAssociationSummaryList
	}
	same(t, "batch", batch("", "unknown", reporter, number), []types.FlowAssociationSummary{all[1], all[0]})
	same(t, "batch of a type", batch(types.ListFlowAssociationResourceTypeAnalyticsConnector, reporter, number), all[:1])
	same(t, "batch of nothing", batch("", "unknown"), []types.FlowAssociationSummary{})
	same(t, "batch of numbers", batch(types.ListFlowAssociationResourceTypeVoicePhoneNumber, number), []types.FlowAssociationSummary{})

	disassociate := func(kind types.FlowAssociationResourceType, resource string) error {
		_, err := s.Connect.DisassociateFlow(t.Context(), &connect.DisassociateFlowInput{InstanceId: &instance, ResourceType: kind, ResourceId: &resource})
		return err
	}
	ok(t, disassociate(whatsApp, social))
	fails(t, disassociate(whatsApp, social), fault.ResourceNotFound, social)
	runs(whatsApp, number, b)

	// A flow may go though something runs it.
	_, err = s.Connect.DeleteContactFlow(t.Context(), &connect.DeleteContactFlowInput{InstanceId: &instance, ContactFlowId: &b})
	ok(t, err)
	runs(whatsApp, number, b)
	fails(t, associate(whatsApp, number, b), fault.ResourceNotFound)
	ok(t, associate(whatsApp, number, a))
	runs(whatsApp, number, a)
	ok(t, disassociate(sms, number))
}

// The e-mail addresses and the phone numbers of an instance may be named by
// their ids.
func TestFlowAssociationsOfOwnResources(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	flow := *newFlow(t, s, instance, "flow", content("")).ContactFlowId
	flowARN := instanceARN(instance) + "/contact-flow/" + flow
	email, err := s.Connect.CreateEmailAddress(t.Context(), &connect.CreateEmailAddressInput{InstanceId: &instance, EmailAddress: aws.String("help@example.com")})
	ok(t, err)
	for _, id := range []*string{email.EmailAddressId, email.EmailAddressArn} {
		_, err := s.Connect.AssociateFlow(t.Context(), &connect.AssociateFlowInput{
			InstanceId: &instance, ResourceType: types.FlowAssociationResourceTypeInboundEmail, ResourceId: id, FlowId: &flow,
		})
		ok(t, err)
		out, err := s.Connect.GetFlowAssociation(t.Context(), &connect.GetFlowAssociationInput{
			InstanceId: &instance, ResourceType: types.FlowAssociationResourceTypeInboundEmail, ResourceId: id,
		})
		ok(t, err)
		same(t, "association", []any{out.ResourceId, out.FlowId}, []any{email.EmailAddressArn, flowARN})
	}
	found, err := s.Connect.SearchAvailablePhoneNumbers(t.Context(), &connect.SearchAvailablePhoneNumbersInput{
		InstanceId: &instance, PhoneNumberCountryCode: types.PhoneNumberCountryCodeUs, PhoneNumberType: types.PhoneNumberTypeDid,
	})
	ok(t, err)
	number, err := s.Connect.ClaimPhoneNumber(t.Context(), &connect.ClaimPhoneNumberInput{InstanceId: &instance, PhoneNumber: found.AvailableNumbersList[0].PhoneNumber})
	ok(t, err)
	_, err = s.Connect.ClaimPhoneNumber(t.Context(), &connect.ClaimPhoneNumberInput{InstanceId: &instance, PhoneNumber: found.AvailableNumbersList[1].PhoneNumber})
	ok(t, err)
	_, err = s.Connect.AssociatePhoneNumberContactFlow(t.Context(), &connect.AssociatePhoneNumberContactFlowInput{
		InstanceId: &instance, PhoneNumberId: number.PhoneNumberId, ContactFlowId: &flow,
	})
	ok(t, err)

	ofEmail := types.FlowAssociationSummary{FlowId: &flowARN, ResourceId: email.EmailAddressArn, ResourceType: types.ListFlowAssociationResourceTypeInboundEmail}
	ofNumber := types.FlowAssociationSummary{FlowId: &flowARN, ResourceId: number.PhoneNumberArn, ResourceType: types.ListFlowAssociationResourceTypeVoicePhoneNumber}
	for kind, want := range map[types.ListFlowAssociationResourceType][]types.FlowAssociationSummary{
		"": {ofEmail, ofNumber},
		types.ListFlowAssociationResourceTypeInboundEmail:     {ofEmail},
		types.ListFlowAssociationResourceTypeVoicePhoneNumber: {ofNumber},
		types.ListFlowAssociationResourceTypeOutboundEmail:    {},
	} {
		listed, err := s.Connect.ListFlowAssociations(t.Context(), &connect.ListFlowAssociationsInput{InstanceId: &instance, ResourceType: kind})
		ok(t, err)
		same(t, "list of "+string(kind), listed.FlowAssociationSummaryList, want)
		for _, ids := range [][]string{{*email.EmailAddressArn, *number.PhoneNumberArn}, {*email.EmailAddressId, *number.PhoneNumberId}} {
			batch, err := s.Connect.BatchGetFlowAssociation(t.Context(), &connect.BatchGetFlowAssociationInput{InstanceId: &instance, ResourceType: kind, ResourceIds: ids})
			ok(t, err)
			same(t, "batch of "+string(kind), batch.FlowAssociationSummaryList, want)
		}
	}
	_, err = s.Connect.DeleteEmailAddress(t.Context(), &connect.DeleteEmailAddressInput{InstanceId: &instance, EmailAddressId: email.EmailAddressId})
	fails(t, err, fault.ResourceConflict, "in use")
	_, err = s.Connect.DisassociateFlow(t.Context(), &connect.DisassociateFlowInput{
		InstanceId: &instance, ResourceType: types.FlowAssociationResourceTypeInboundEmail, ResourceId: email.EmailAddressId,
	})
	ok(t, err)
	_, err = s.Connect.DeleteEmailAddress(t.Context(), &connect.DeleteEmailAddressInput{InstanceId: &instance, EmailAddressId: email.EmailAddressId})
	ok(t, err)
}
