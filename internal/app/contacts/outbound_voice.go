package contacts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// callQuota is how many calls an instance may have at once (administrator guide,
// "Amazon Connect service quotas").
const callQuota = 10

// StartOutboundVoiceContact calls somebody and runs a flow once they answer. A
// number given as the source goes before that of the queue. The flow must be an
// inbound one. Answering machine detection is accepted for campaign calls and
// finds nothing (docs/divergences.md).
func (c *Contacts) StartOutboundVoiceContact(ctx context.Context, in *connect.StartOutboundVoiceContactInput) (*connect.StartOutboundVoiceContactOutput, error) {
	sc, err := c.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if err := c.checkCall(ctx, sc, in); err != nil {
		return nil, err
	}
	if err := domain.CheckAttributes(in.Attributes, false); err != nil {
		return nil, err
	}
	references, err := newReferences(in.References)
	if err != nil {
		return nil, err
	}
	f, err := c.Configuration.Flow(ctx, addressed(sc), *in.ContactFlowId)
	if err != nil {
		return nil, err
	}
	if f.Type != inboundFlow {
		return nil, fault.New(fault.InvalidRequest, "ContactFlowId must name a flow of the type CONTACT_FLOW; %s is of the type %s", f.Name, f.Type)
	}
	spec := contact.Spec{
		Contact: domain.Contact{
			Channel: types.ChannelVoice, Method: types.ContactInitiationMethodApi,
			Name: aws.ToString(in.Name), Description: aws.ToString(in.Description), References: references,
			Customer: &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: in.DestinationPhoneNumber},
			FlowID:   domain.ContactFlowID(f.ID),
		},
		Attributes: in.Attributes,
		Flow:       &f,
		Dial: &contact.Dial{
			To: *in.DestinationPhoneNumber, RingTimeout: time.Duration(aws.ToInt32(in.RingTimeoutInSeconds)) * time.Second,
		},
	}
	if in.CampaignId != nil {
		spec.Contact.Campaign = &types.Campaign{CampaignId: in.CampaignId}
	}
	if err := c.source(ctx, sc, in, &spec); err != nil {
		return nil, err
	}
	if err := c.relate(ctx, sc, in.RelatedContactId, &spec.Contact); err != nil {
		return nil, err
	}
	done, err := c.within(sc, types.ChannelVoice, callQuota, fault.LimitExceeded)
	if err != nil {
		return nil, err
	}
	defer done()
	id, err := start(ctx, c, sc, "StartOutboundVoiceContact", in.ClientToken, in, spec, nil)
	if err != nil {
		return nil, err
	}
	return &connect.StartOutboundVoiceContactOutput{ContactId: &id}, nil
}

// checkCall checks whether the instance may place such a call (API reference,
// StartOutboundVoiceContact).
func (c *Contacts) checkCall(ctx context.Context, sc catalog.Scope, in *connect.StartOutboundVoiceContactInput) error {
	campaign := in.TrafficType == types.TrafficTypeCampaign
	switch amd := in.AnswerMachineDetectionConfig; {
	case in.OutboundStrategy != nil:
		return fault.New(fault.InvalidRequest, "OutboundStrategy is for Amazon Connect outbound campaigns alone")
	case amd != nil && amd.EnableAnswerMachineDetection && !campaign:
		return fault.New(fault.InvalidRequest, "TrafficType must be CAMPAIGN when AnswerMachineDetectionConfig.EnableAnswerMachineDetection is true")
	case aws.ToString(in.SourcePhoneNumber) == "" && aws.ToString(in.QueueId) == "":
		return fault.New(fault.InvalidRequest, "SourcePhoneNumber or QueueId is required")
	case campaign && c.catalog.Quotas():
		// The quota of campaign calls is 0 unless AWS raises it.
		return fault.New(fault.LimitExceeded, "The instance has no quota for campaign calls.")
	}
	allowed, err := c.Instances.Enabled(ctx, sc, types.InstanceAttributeTypeOutboundCalls)
	if err != nil {
		return err
	}
	if !allowed {
		return fault.New(fault.OutboundContactNotPermitted, "The instance may not make outbound calls: its attribute OUTBOUND_CALLS is false.")
	}
	if refused := c.Destinations.Refused(sc.Home, *in.DestinationPhoneNumber); refused != "" {
		return fault.New(fault.DestinationNotAllowed, "Calls to %s are not allowed.", refused)
	}
	return nil
}

// source decides whose number the call shows and which queue it is for.
func (c *Contacts) source(ctx context.Context, sc catalog.Scope, in *connect.StartOutboundVoiceContactInput, spec *contact.Spec) error {
	if id := aws.ToString(in.QueueId); id != "" {
		q, err := c.Configuration.Queue(ctx, addressed(sc), id)
		if err != nil {
			return err
		}
		spec.Contact.TargetQueue = &q.ContactQueue
		spec.Dial.From, spec.Dial.FromName = q.CallerID, q.CallerName
	}
	if number := aws.ToString(in.SourcePhoneNumber); number != "" {
		claimed, err := c.Numbers.Claimed(ctx, sc, number)
		if err != nil {
			return err
		}
		if !claimed {
			return fault.New(fault.InvalidRequest, "SourcePhoneNumber %s is not claimed by the instance", number)
		}
		spec.Dial.From = number
	}
	if spec.Dial.From == "" {
		return fault.New(fault.InvalidRequest, "The queue %s has no outbound caller id number; give it one, or give a SourcePhoneNumber", spec.Contact.TargetQueue.Name)
	}
	spec.Contact.System = &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: aws.String(spec.Dial.From)}
	return nil
}
