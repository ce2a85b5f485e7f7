package contact

import (
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact/talk"
	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// ChatSpec is what a chat begins with.
type ChatSpec struct {
	// Customer is the participant that starts it. Without an id there is none who
	// could connect: an outbound chat, whose customer is reached elsewhere.
	Customer domain.ChatParticipant
	// Initial is its first message, nil for none. Without a role it is the
	// customer's.
	Initial *domain.ChatItem
	// Duration of the chat, 0 for the default of 25 hours.
	Duration time.Duration
	// Past is the contact whose transcript goes before, "" for none.
	Past domain.ContactID
	// Streams are where it is sent to from its beginning.
	Streams []domain.ChatStream
}

// chatLife is how long a chat may last unless it says otherwise (API reference,
// StartChatContact).
const chatLife = 25 * time.Hour

// ChatFile is an attachment of a chat.
type ChatFile = talk.File

// ChatTimer is a timeout of one role in a chat.
type ChatTimer = talk.Timer

// chatState is what a chat needs beside the contact.
type chatState = talk.State

// prepareChat fills in what a chat begins with.
func (b *Birth) prepareChat() {
	spec := b.spec.Chat
	if spec == nil {
		return
	}
	b.st.Chat = &chatState{Past: spec.Past, Streams: spec.Streams}
	if who := spec.Customer; who.ID != "" {
		who.Role, who.InvitedAt = domain.ChatCustomer, b.at
		b.st.Chat.Participants = []domain.ChatParticipant{who}
	}
	if b.c.ExpiresAt.IsZero() {
		life := spec.Duration
		if life == 0 {
			life = chatLife
		}
		b.c.ExpiresAt = b.at.Add(life)
	}
	if spec.Initial != nil && b.st.Media == nil {
		b.st.Media = map[string]any{"InitialMessage": spec.Initial.Content}
	}
}

// chatEntries are the first lines of the transcript.
func (b *Birth) chatEntries() []*store.Entry {
	spec := b.spec.Chat
	if spec == nil || b.st.Chat == nil {
		return nil
	}
	var entries []*store.Entry
	add := func(item *domain.ChatItem) {
		talk.Stamp(item, b.c.ID, b.at)
		entries = append(entries, chatEntry(b.m, b.spec.Instance, item))
	}
	who := spec.Customer
	who.Role = domain.ChatCustomer
	if who.ID != "" {
		add(talk.Event(domain.ChatJoined, &who))
	}
	if first := spec.Initial; first != nil {
		item := *first
		if item.Role == "" {
			item.Role, item.ParticipantID, item.DisplayName = who.Role, who.ID, who.DisplayName
		}
		add(&item)
	}
	return entries
}

func chatEntry(m *Manager, in Instance, item *domain.ChatItem) *store.Entry {
	doc, err := json.Marshal(item)
	if err != nil {
		// Everything in it is plain data.
		m.opts.Logger.Error("a chat item could not be written", slog.String("contact", string(item.ContactID)), slog.Any("err", err))
	}
	return &store.Entry{Stream: store.StreamChat, Instance: in.PK, Owner: string(item.ContactID), ID: item.ID, At: item.At, Doc: doc}
}

// post adds a line to the transcript and has it delivered.
func (t *Transition) post(item *domain.ChatItem) {
	t.tell(item)
	t.entries = append(t.entries, chatEntry(t.m, t.in, item))
}

// tell has an item delivered that is not kept.
func (t *Transition) tell(item *domain.ChatItem) {
	talk.Stamp(item, t.id, t.at)
	if a := t.m.opts.Audience; a != nil {
		in, chat := t.in, t.c.InitialID
		t.After(func() { a.Deliver(in, chat, item) })
	}
}

// joined notes that a participant has connected.
func (t *Transition) joined(p *domain.ChatParticipant) {
	if !p.JoinedAt.IsZero() {
		return
	}
	p.JoinedAt = t.at
	if p.Role != domain.ChatCustomer { // the customer has been there since the beginning
		t.post(talk.Event(domain.ChatJoined, p))
	}
	t.st.Chat.RunTimers(t.at)
}

// left notes that a participant has gone.
func (t *Transition) left(p *domain.ChatParticipant) {
	p.LeftAt = t.at
	if !p.JoinedAt.IsZero() || p.Role == domain.ChatCustomer {
		t.post(talk.Event(domain.ChatLeft, p))
	}
	t.st.Chat.RunTimers(t.at)
	if t.c.Ended() { // everybody leaves, and hears that the chat ends
		return
	}
	if a := t.m.opts.Audience; a != nil {
		in, chat, id := t.in, t.c.InitialID, p.ID
		t.After(func() { a.Closed(in, chat, id) })
	}
	if p.Role == domain.ChatBot {
		t.occurred("BotParticipantDisconnected")
	}
}

// leaveAll ends the chat for all of its participants.
func (t *Transition) leaveAll(string) {
	st := t.st.Chat
	if st == nil {
		return
	}
	st.View = nil
	for i := range st.Participants {
		if p := &st.Participants[i]; p.LeftAt.IsZero() {
			t.left(p)
		}
	}
	t.post(&domain.ChatItem{Type: "EVENT", ContentType: domain.ChatEnded})
	if a := t.m.opts.Audience; a != nil {
		in, chat, id := t.in, t.c.InitialID, t.id
		t.After(func() {
			a.Closed(in, chat, "")
			a.Streaming(in, chat, id, nil)
		})
	}
}

// handChat prepares the chat for the next contact of the chain: agents do not go
// with it.
func (t *Transition) handChat() {
	st := t.st.Chat
	if st == nil {
		return
	}
	st.View = nil
	for _, p := range st.InRole(domain.ChatAgent) {
		t.left(p)
		t.post(talk.Event(domain.ChatTransferred, p))
	}
}

// agentJoinsChat makes the agent of the contact a participant.
func (t *Transition) agentJoinsChat(a *domain.ContactAgent) {
	st := t.st.Chat
	if st == nil {
		return
	}
	st.Participants = append(st.Participants, domain.ChatParticipant{
		ID: domain.NewID(), DisplayName: a.FirstName, Role: domain.ChatAgent, InvitedAt: t.at,
	})
	t.joined(&st.Participants[len(st.Participants)-1])
}

// openChat tells, when a chat begins or is taken up again, where it is sent to.
func (t *Transition) openChat() {
	if st := t.st.Chat; st != nil && len(st.Streams) > 0 {
		t.streaming()
	}
}

// streaming tells where the items of the chat go besides.
func (t *Transition) streaming() {
	if a := t.m.opts.Audience; a != nil {
		in, chat, id, streams := t.in, t.c.InitialID, t.id, slices.Clone(t.st.Chat.Streams)
		t.After(func() { a.Streaming(in, chat, id, streams) })
	}
}

// occurred tells the flow of an event that it may wait for.
func (t *Transition) occurred(event string) {
	t.step(customer, machine.Event{At: t.at, Kind: machine.Occurred, Text: event})
}

// chatEvent is an event that the flow waits for and that is decided already: a
// bot cannot leave a chat in which there is none.
func (t *Transition) chatEvent(s side, th *thread) *machine.Event {
	w := th.Run.Wait
	if w == nil || s != customer || !slices.Contains(w.Events, "BotParticipantDisconnected") {
		return nil
	}
	if st := t.st.Chat; st != nil && len(st.InRole(domain.ChatBot)) > 0 {
		return nil
	}
	return &machine.Event{At: t.at, Kind: machine.Occurred, Text: "BotParticipantDisconnected", Err: "ParticipantNotFound"}
}

// flowChat starts an outbound chat, as StartOutboundChatContact does.
func (t *Transition) flowChat(r *machine.ChatRequest) machine.Reply {
	f, err := t.m.opts.Configuration.Flow(t.ctx, t.in, r.FlowID)
	if err != nil {
		return t.m.notFound(err)
	}
	c := domain.Contact{
		Channel: types.ChannelChat, Method: types.ContactInitiationMethodFlow, FlowID: domain.ContactFlowID(f.ID),
		Customer: &types.EndpointInfo{Type: types.EndpointType(r.DestinationType), Address: &r.DestinationAddress},
		System:   &types.EndpointInfo{Type: types.EndpointType(r.SourceType), Address: &r.SourceAddress},
	}
	if r.Subtype != "" {
		c.Segment = map[string]types.SegmentAttributeValue{"connect:Subtype": {ValueString: aws.String(r.Subtype)}}
	}
	attributes := map[string]string(nil)
	if r.Related {
		c.RelatedID, c.AssociationID, attributes = t.id, t.c.AssociationID, t.subject.Attributes
	}
	spec := &ChatSpec{}
	if r.InitialMessage != "" {
		spec.Initial = talk.System(r.InitialMessage)
	}
	b := t.m.New(Spec{Instance: t.in, Contact: c, Attributes: attributes, Flow: &f, Chat: spec})
	t.births = append(t.births, b)
	return machine.Reply{ContactID: b.c.ID}
}
