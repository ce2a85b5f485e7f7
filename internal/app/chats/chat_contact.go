package chats

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow"
	"ringdown/internal/store"
)

// chatQuota is how many chats an instance may have at once (administrator guide,
// "Amazon Connect service quotas").
const chatQuota = 500

// started is what is remembered of a request that started a chat. Tokens are not:
// they are made anew.
type started struct {
	ID          domain.ContactID
	Participant string
	Past        domain.ContactID
}

// StartChatContact starts a chat with a customer, who must connect within five
// minutes, and runs a flow on it.
func (c *Chats) StartChatContact(ctx context.Context, in *connect.StartChatContactInput) (*connect.StartChatContactOutput, error) {
	sc, err := c.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, notFound(err)
	}
	if err := checkTypes(in.SupportedMessagingContentTypes); err != nil {
		return nil, err
	}
	first, err := firstMessage("InitialMessage", in.InitialMessage)
	if err != nil {
		return nil, err
	}
	f, err := c.Configuration.Flow(ctx, addressed(sc), *in.ContactFlowId)
	if err := checkFlow(f.Type, f.Name, err); err != nil {
		return nil, err
	}
	spec := contact.Spec{
		Contact: domain.Contact{
			Channel: types.ChannelChat, Method: types.ContactInitiationMethodApi,
			CustomerID: aws.ToString(in.CustomerId), FlowID: domain.ContactFlowID(f.ID),
		},
		Attributes: in.Attributes,
		Flow:       &f,
		Chat: &contact.ChatSpec{
			Customer: domain.ChatParticipant{ID: domain.NewID(), DisplayName: *in.ParticipantDetails.DisplayName},
			Initial:  first,
			Duration: time.Duration(aws.ToInt32(in.ChatDurationInMinutes)) * time.Minute,
		},
	}
	if spec.Contact.Segment, err = segment(in.SegmentAttributes, "connect:Chat", "connect:Guide"); err != nil {
		return nil, err
	}
	if err := domain.CheckAttributes(in.Attributes, false); err != nil {
		return nil, err
	}
	if err := c.before(ctx, sc, in, &spec); err != nil {
		return nil, err
	}
	out, err := start(ctx, c, sc, "StartChatContact", in.ClientToken, in, spec)
	if err != nil {
		return nil, err
	}
	return &connect.StartChatContactOutput{
		ContactId: aws.String(string(out.ID)), ParticipantId: &out.Participant,
		ParticipantToken:       aws.String(c.participantToken(instanceOf(sc), out.ID, out.Participant)),
		ContinuedFromContactId: catalog.Optional(out.Past),
	}, nil
}

// before ties a chat to what came before it: a related contact, or a past chat
// that it goes on from.
func (c *Chats) before(ctx context.Context, sc catalog.Scope, in *connect.StartChatContactInput, spec *contact.Spec) error {
	p := in.PersistentChat
	switch {
	case aws.ToString(in.RelatedContactId) != "" && p != nil:
		return fault.New(fault.InvalidRequest, "RelatedContactId and PersistentChat cannot be given together")
	case p != nil:
		if p.RehydrationType == "" || aws.ToString(p.SourceContactId) == "" {
			return fault.New(fault.InvalidRequest, "PersistentChat must have a RehydrationType and a SourceContactId")
		}
		past, err := c.Engine.PastOf(ctx, instanceOf(sc), *p.SourceContactId, p.RehydrationType == types.RehydrationTypeEntirePastSession)
		spec.Chat.Past = past
		return err
	case aws.ToString(in.RelatedContactId) != "":
		id, err := catalog.ID(sc, domain.KindContact, *in.RelatedContactId)
		if err != nil {
			return err
		}
		related, err := c.Engine.Read(ctx, instanceOf(sc), id)
		if err != nil {
			return err
		}
		spec.Contact.RelatedID = related.ID
	}
	return nil
}

// start makes a chat, unless an earlier request with the same client token has.
func start[In any](ctx context.Context, c *Chats, sc catalog.Scope, operation string, token *string, in *In, spec contact.Spec) (*started, error) {
	spec.Instance = instanceOf(sc)
	if c.catalog.Quotas() {
		c.counting.Lock()
		defer c.counting.Unlock()
		if n := c.Engine.Count(spec.Instance, types.ChannelChat); n >= chatQuota {
			return nil, fault.New(fault.LimitExceeded, "The instance already has %d of %d active chats.", n, chatQuota)
		}
	}
	b := c.Engine.New(spec)
	out, err := catalog.Once(ctx, c.catalog, sc, operation, token, in, func(tx store.Tx) (*started, error) {
		if err := b.Insert(ctx, tx); err != nil {
			return nil, err
		}
		return &started{b.ID(), spec.Chat.Customer.ID, spec.Chat.Past}, nil
	})
	if err != nil {
		return nil, err
	}
	if out.ID == b.ID() {
		b.Begin()
	}
	return out, nil
}

// StartOutboundChatContact starts a chat with a customer who is reached by a text
// message or the like. The server sends no such messages: what the flow says is in
// the transcript and goes where StartContactStreaming sends it, and nobody answers
// (docs/divergences.md).
func (c *Chats) StartOutboundChatContact(ctx context.Context, in *connect.StartOutboundChatContactInput) (*connect.StartOutboundChatContactOutput, error) {
	sc, err := c.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if err := checkTypes(in.SupportedMessagingContentTypes); err != nil {
		return nil, err
	}
	first, err := firstMessage("InitialSystemMessage", in.InitialSystemMessage)
	switch {
	case err != nil:
		return nil, err
	case in.InitialTemplatedSystemMessage != nil:
		return nil, fault.New(fault.InvalidRequest, "InitialTemplatedSystemMessage: this server has no message templates; give the text as InitialSystemMessage")
	case first != nil:
		first.Role, first.DisplayName = domain.ChatSystem, "SYSTEM_MESSAGE"
	}
	for name, e := range map[string]*types.Endpoint{"SourceEndpoint": in.SourceEndpoint, "DestinationEndpoint": in.DestinationEndpoint} {
		if e.Type == "" || aws.ToString(e.Address) == "" {
			return nil, fault.New(fault.InvalidRequest, "%s must have a Type and an Address", name)
		}
	}
	if err := domain.CheckAttributes(in.Attributes, false); err != nil {
		return nil, err
	}
	if _, ok := in.SegmentAttributes[subtype]; !ok {
		return nil, fault.New(fault.InvalidRequest, "SegmentAttributes must have %s", subtype)
	}
	segments, err := segment(in.SegmentAttributes, "connect:SMS", "connect:WhatsApp", "connect:Guide", "connect:Chat")
	if err != nil {
		return nil, err
	}
	f, err := c.Configuration.Flow(ctx, addressed(sc), *in.ContactFlowId)
	if err := checkFlow(f.Type, f.Name, err); err != nil {
		return nil, err
	}
	spec := contact.Spec{
		Contact: domain.Contact{
			Channel: types.ChannelChat, Method: types.ContactInitiationMethodOutbound, Segment: segments, FlowID: domain.ContactFlowID(f.ID),
			Customer: &types.EndpointInfo{Type: in.DestinationEndpoint.Type, Address: in.DestinationEndpoint.Address},
			System:   &types.EndpointInfo{Type: in.SourceEndpoint.Type, Address: in.SourceEndpoint.Address},
		},
		Attributes: in.Attributes,
		Flow:       &f,
		Chat:       &contact.ChatSpec{Initial: first, Duration: time.Duration(aws.ToInt32(in.ChatDurationInMinutes)) * time.Minute},
	}
	if related := aws.ToString(in.RelatedContactId); related != "" {
		id, err := catalog.ID(sc, domain.KindContact, related)
		if err != nil {
			return nil, err
		}
		if _, err := c.Engine.Read(ctx, instanceOf(sc), id); err != nil {
			return nil, err
		}
		spec.Contact.RelatedID = domain.ContactID(id)
	}
	out, err := start(ctx, c, sc, "StartOutboundChatContact", in.ClientToken, in, spec)
	if err != nil {
		return nil, err
	}
	return &connect.StartOutboundChatContactOutput{ContactId: aws.String(string(out.ID))}, nil
}

// checkFlow checks the flow that a chat begins with, which must be an inbound one;
// err is what the search for it came to.
func checkFlow(t flow.Type, name string, err error) error {
	switch {
	case err != nil:
		return notFound(err)
	case t != flow.TypeOf(types.ContactFlowTypeContactFlow):
		return fault.New(fault.InvalidRequest, "ContactFlowId must name a flow of the type CONTACT_FLOW; %s is of the type %s", name, t)
	}
	return nil
}

// notFound says of an instance or a flow that is not there what the service says
// (seen of the live one).
func notFound(err error) error {
	if fault.Is(err, fault.ResourceNotFound) {
		return fault.New(fault.ResourceNotFound, "Resource not found of Type: null").Wrap(err)
	}
	return err
}

// checkTypes checks the content types that a client can show.
func checkTypes(list []string) error {
	known := []string{domain.ChatPlain, domain.ChatMarkdown, domain.ChatJSON, domain.ChatInteractive, domain.ChatResponse}
	for _, t := range list {
		if !slices.Contains(known, t) {
			return fault.New(fault.InvalidRequest, "SupportedMessagingContentTypes: %q is none of %s", t, strings.Join(known, ", "))
		}
	}
	if len(list) > 0 && !slices.Contains(list, domain.ChatPlain) {
		return fault.New(fault.InvalidRequest, "SupportedMessagingContentTypes must contain %s", domain.ChatPlain)
	}
	return nil
}

// firstMessage checks the message that a chat begins with, nil for none.
func firstMessage(member string, m *types.ChatMessage) (*domain.ChatItem, error) {
	if m == nil {
		return nil, nil
	}
	if wrong := domain.ChatMessageProblem(*m.ContentType, *m.Content); wrong != "" {
		return nil, fault.New(fault.InvalidRequest, "%s: %s", member, wrong)
	}
	return &domain.ChatItem{Type: "MESSAGE", ContentType: *m.ContentType, Content: *m.Content}, nil
}

const subtype = "connect:Subtype"

// segment checks the segment attributes of a chat: its subtype alone can be set
// (API reference, StartChatContact).
func segment(given map[string]types.SegmentAttributeValue, subtypes ...string) (map[string]types.SegmentAttributeValue, error) {
	for key, v := range given {
		if key != subtype || !slices.Contains(subtypes, aws.ToString(v.ValueString)) {
			return nil, fault.New(fault.InvalidRequest, "SegmentAttributes: only %s can be set, to one of %s", subtype, strings.Join(subtypes, ", "))
		}
	}
	return maps.Clone(given), nil
}
