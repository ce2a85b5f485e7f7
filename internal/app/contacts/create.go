package contacts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// externalTask is the subtype of tasks that CreateContact makes.
const externalTask = "connect:ExternalTask"

// CreateContact makes a contact that no flow runs: a task that lasts until it is
// stopped or expires, or one that is already over, as a record of what was done
// elsewhere. Calls of other systems and e-mails are not served, nor is a contact
// that begins with an agent (docs/divergences.md).
func (c *Contacts) CreateContact(ctx context.Context, in *connect.CreateContactInput) (*connect.CreateContactOutput, error) {
	sc, err := c.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if err := checkCreation(in); err != nil {
		return nil, err
	}
	if err := domain.CheckAttributes(in.Attributes, false); err != nil {
		return nil, err
	}
	references, err := newReferences(in.References)
	if err != nil {
		return nil, err
	}
	segment, minutes, err := c.newSegment(ctx, sc, in.SegmentAttributes)
	if err != nil {
		return nil, err
	}
	if in.ExpiryDurationInMinutes != nil {
		minutes = int(*in.ExpiryDurationInMinutes)
		if err := checkMinutes("ExpiryDurationInMinutes", minutes); err != nil {
			return nil, err
		}
	}
	if segment == nil {
		segment = map[string]types.SegmentAttributeValue{}
	}
	segment[subtype] = types.SegmentAttributeValue{ValueString: aws.String(externalTask)}
	spec := contact.Spec{Attributes: in.Attributes, Completed: in.InitiateAs == types.InitiateAsCompleted}
	fields := domain.TaskFields{Name: aws.ToString(in.Name), Description: aws.ToString(in.Description), References: references, ExpiryMinutes: minutes}
	if err := c.fillTask(&spec.Contact, fields, segment); err != nil {
		return nil, err
	}
	if err := c.relate(ctx, sc, in.RelatedContactId, &spec.Contact); err != nil {
		return nil, err
	}
	done, err := c.within(sc, types.ChannelTask, taskQuota, fault.ServiceQuotaExceeded)
	if err != nil {
		return nil, err
	}
	defer done()
	id, err := start(ctx, c, sc, "CreateContact", in.ClientToken, in, spec, nil)
	if err != nil {
		return nil, err
	}
	return &connect.CreateContactOutput{ContactId: &id, ContactArn: aws.String(sc.ARN(domain.KindContact, id))}, nil
}

// creatable are the initiation methods that CreateContact takes by channel (API
// reference, CreateContact).
var creatable = map[types.Channel][]types.ContactInitiationMethod{
	types.ChannelVoice: {types.ContactInitiationMethodTransfer},
	types.ChannelEmail: {types.ContactInitiationMethodOutbound, types.ContactInitiationMethodAgentReply, types.ContactInitiationMethodFlow},
	types.ChannelTask:  {types.ContactInitiationMethodApi},
}

func checkCreation(in *connect.CreateContactInput) error {
	legal := false
	for _, m := range creatable[in.Channel] {
		legal = legal || m == in.InitiationMethod
	}
	switch {
	case !legal:
		return fault.New(fault.InvalidRequest, "A contact of the channel %s cannot be created as %s", in.Channel, in.InitiationMethod)
	case in.Channel != types.ChannelTask:
		return fault.New(fault.InvalidRequest, "This server creates contacts of the channel TASK only")
	case in.InitiateAs == types.InitiateAsConnectedToUser:
		return fault.New(fault.InvalidRequest, "InitiateAs CONNECTED_TO_USER needs an agent who is signed in; there is none")
	case in.UserInfo != nil:
		return fault.New(fault.InvalidRequest, "UserInfo is for contacts that begin with an agent")
	case aws.ToString(in.PreviousContactId) != "":
		return fault.New(fault.InvalidRequest, "PreviousContactId is for calls of other systems")
	}
	return nil
}
