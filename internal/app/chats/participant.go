package chats

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/contact/record"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// CreateParticipant invites a custom bot into a chat; other roles join by other
// ways (API reference, CreateParticipant).
func (c *Chats) CreateParticipant(ctx context.Context, in *connect.CreateParticipantInput) (*connect.CreateParticipantOutput, error) {
	if r := in.ParticipantDetails.ParticipantRole; r != types.ParticipantRoleCustomBot {
		return nil, fault.New(fault.InvalidRequest, "ParticipantDetails.ParticipantRole must be %s in a chat", types.ParticipantRoleCustomBot)
	}
	if in.ParticipantDetails.ParticipantCapabilities != nil {
		return nil, fault.New(fault.InvalidRequest, "ParticipantDetails.ParticipantCapabilities are for calls alone")
	}
	at, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.ParticipantDetails.DisplayName)
	if name == "" {
		name = domain.ChatBot
	}
	who, err := c.Engine.Invite(ctx, at, id, name, aws.ToString(in.ClientToken))
	if err != nil {
		return nil, err
	}
	return &connect.CreateParticipantOutput{
		ParticipantId: &who.ID,
		ParticipantCredentials: &types.ParticipantTokenCredentials{
			ParticipantToken: aws.String(c.participantToken(at, domain.ContactID(id), who.ID)),
			Expiry:           aws.String(record.Millis(contact.ConnectBy(&who))),
		},
	}, nil
}

// CreatePersistentContactAssociation has a chat go on from a past one.
func (c *Chats) CreatePersistentContactAssociation(ctx context.Context, in *connect.CreatePersistentContactAssociationInput) (*connect.CreatePersistentContactAssociationOutput, error) {
	at, id, err := c.find(ctx, in.InstanceId, in.InitialContactId)
	if err != nil {
		return nil, err
	}
	if _, err := c.Engine.Read(ctx, at, id); err != nil {
		return nil, err
	}
	past, err := c.Engine.PastOf(ctx, at, *in.SourceContactId, in.RehydrationType == types.RehydrationTypeEntirePastSession)
	if err != nil {
		return nil, err
	}
	if err := c.Engine.Continue(ctx, at, id, past); err != nil {
		return nil, err
	}
	return &connect.CreatePersistentContactAssociationOutput{ContinuedFromContactId: catalog.Optional(past)}, nil
}

// StartContactStreaming has what is said in a chat published to a topic.
func (c *Chats) StartContactStreaming(ctx context.Context, in *connect.StartContactStreamingInput) (*connect.StartContactStreamingOutput, error) {
	at, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	topic := *in.ChatStreamingConfiguration.StreamingEndpointArn
	if err := checkTopic(topic); err != nil {
		return nil, err
	}
	stream, err := c.Engine.Stream(ctx, at, id, topic, aws.ToString(in.ClientToken))
	if err != nil {
		return nil, err
	}
	return &connect.StartContactStreamingOutput{StreamingId: &stream}, nil
}

// checkTopic takes the ARNs of standard topics (administrator guide, "Enable
// real-time chat message streaming": FIFO topics are not supported).
func checkTopic(arn string) error {
	if domain.IsTopicARN(arn) {
		return nil
	}
	return fault.New(fault.InvalidRequest, "ChatStreamingConfiguration.StreamingEndpointArn must be the ARN of a standard topic, arn:aws:sns:REGION:ACCOUNT:NAME")
}

// StopContactStreaming ends what StartContactStreaming began.
func (c *Chats) StopContactStreaming(ctx context.Context, in *connect.StopContactStreamingInput) (*connect.StopContactStreamingOutput, error) {
	at, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	return nil, c.Engine.StopStream(ctx, at, id, *in.StreamingId)
}

// The times of timers (administrator guide, "Set up chat timeouts for chat
// participants").
const (
	leastTimer = 2 * time.Minute
	mostTimer  = 8 * time.Hour
)

// UpdateParticipantRoleConfig sets the timeouts of a chat. They apply from when
// the next agent or bot joins.
func (c *Chats) UpdateParticipantRoleConfig(ctx context.Context, in *connect.UpdateParticipantRoleConfigInput) (*connect.UpdateParticipantRoleConfigOutput, error) {
	at, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	chat, ok := in.ChannelConfiguration.(*types.UpdateParticipantRoleConfigChannelInfoMemberChat)
	if !ok {
		return nil, fault.New(fault.InvalidParameter, "ChannelConfiguration must have Chat")
	}
	var set []contact.ChatTimer
	for i, t := range chat.Value.ParticipantTimerConfigList {
		path := fmt.Sprintf("ChannelConfiguration.Chat.ParticipantTimerConfigList[%d]", i)
		n := contact.ChatTimer{Role: string(t.ParticipantRole), Drop: t.TimerType == types.ParticipantTimerTypeDisconnectNoncustomer}
		for _, o := range set {
			if o.Role == n.Role && o.Drop == n.Drop {
				return nil, fault.New(fault.InvalidParameter, "%s: the timer is there twice", path)
			}
		}
		switch v := t.TimerValue.(type) {
		case *types.ParticipantTimerValueMemberParticipantTimerAction:
		case *types.ParticipantTimerValueMemberParticipantTimerDurationInMinutes:
			n.After = time.Duration(v.Value) * time.Minute
			if n.After < leastTimer || n.After > mostTimer {
				return nil, fault.New(fault.InvalidParameter, "%s: a timer has from 2 to 480 minutes", path)
			}
		default:
			return nil, fault.New(fault.InvalidParameter, "%s: TimerValue must have one member", path)
		}
		set = append(set, n)
	}
	return nil, c.Engine.SetTimers(ctx, at, id, set)
}
