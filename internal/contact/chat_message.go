package contact

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"ringdown/internal/contact/talk"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
)

// Participant names somebody who takes part in a chat, as a token does: by the
// contact that was there when the token was made. The chat may since have gone
// over to a later contact of the chain.
type Participant struct {
	Instance Instance
	Contact  domain.ContactID
	ID       string
}

// denied is what a participant hears who takes part no more. The service tells
// nothing else by a token either (Participant Service API reference: the
// operations declare no ResourceNotFoundException).
func denied() error {
	return fault.New(fault.AccessDenied, "Access denied: the participant does not take part in a chat that goes on.")
}

// moved says that a chat has gone over to another contact.
type moved struct{ to domain.ContactID }

func (moved) Error() string { return "the chat has gone over to another contact" }

// inChat changes the chat that began with a contact, wherever it is now. What fn
// may return is what Do's may.
func (m *Manager) inChat(ctx context.Context, in Instance, id domain.ContactID, fn func(t *Transition, st *chatState) error) error {
	for range talk.MaxContacts {
		err := m.Do(ctx, in, string(id), func(t *Transition) error {
			st := t.st.Chat
			if st == nil {
				if n := len(t.c.Next); n > 0 && t.c.Channel == "CHAT" && t.c.Ended() {
					return moved{t.c.Next[n-1].ID}
				}
				return fault.New(fault.InvalidRequest, "Contact %s is no chat.", t.id)
			}
			return fn(t, st)
		})
		to, ok := errors.AsType[moved](err)
		if !ok {
			return err
		}
		id = to.to
	}
	return fault.New(fault.InvalidRequest, "The chain of contacts after %s is too long.", id)
}

// asParticipant changes a chat on behalf of somebody who takes part in it.
func (m *Manager) asParticipant(ctx context.Context, who Participant, fn func(t *Transition, st *chatState, p *domain.ChatParticipant) error) error {
	err := m.inChat(ctx, who.Instance, who.Contact, func(t *Transition, st *chatState) error {
		p := st.Present(who.ID)
		if p == nil || t.c.Ended() {
			return denied()
		}
		return fn(t, st, p)
	})
	if fault.Is(err, fault.ResourceNotFound) { // with its instance
		return denied()
	}
	return err
}

// Connected notes that a participant has connected.
func (m *Manager) Connected(ctx context.Context, who Participant) error {
	if v, err := m.Chat(ctx, who); err != nil || v.Ended() || !v.Participant.JoinedAt.IsZero() {
		if err == nil && v.Ended() {
			return denied()
		}
		return err // nothing to be stored
	}
	return m.asParticipant(ctx, who, func(t *Transition, _ *chatState, p *domain.ChatParticipant) error {
		t.joined(p)
		return nil
	})
}

// ChatMessage is what a participant sends.
type ChatMessage struct {
	ContentType, Content string
	// Token, if it is not empty, is answered with what was first sent with it.
	Token string
}

// Sent is what was sent.
type Sent struct {
	ID string
	At time.Time
}

// Say sends a message. It is in the transcript before Say returns.
func (m *Manager) Say(ctx context.Context, who Participant, msg ChatMessage) (Sent, error) {
	var sent Sent
	err := m.asParticipant(ctx, who, func(t *Transition, st *chatState, p *domain.ChatParticipant) error {
		if s := st.Sent(p.ID, msg.Token); s != nil {
			sent = Sent{s.ID, s.At}
			return nil
		}
		item := &domain.ChatItem{
			Type: "MESSAGE", ContentType: msg.ContentType, Content: msg.Content,
			ParticipantID: p.ID, DisplayName: p.DisplayName, Role: p.Role,
		}
		role := p.Role
		t.joined(p)
		t.heard(p)
		answer := role == domain.ChatCustomer && st.View != nil && msg.ContentType == domain.ChatResponse
		if answer && st.View.Hide {
			t.tell(item)
		} else {
			t.post(item)
		}
		sent = Sent{item.ID, item.At}
		st.Remember(talk.Token{By: p.ID, Token: msg.Token, ID: sent.ID, At: sent.At})
		switch {
		case answer:
			t.viewAnswered(msg.Content)
		case role == domain.ChatCustomer:
			t.occurred("CustomerReturned")
		}
		return nil
	})
	return sent, err
}

// Typing tells the others that a participant is typing. It is not kept.
func (m *Manager) Typing(ctx context.Context, who Participant) (Sent, error) {
	v, err := m.Chat(ctx, who)
	if err != nil {
		return Sent{}, err
	}
	if v.Ended() || !v.Participant.LeftAt.IsZero() {
		return Sent{}, denied()
	}
	item := talk.Event(domain.ChatTyping, v.Participant)
	talk.Stamp(item, v.Contact.ID, m.now())
	if a := m.opts.Audience; a != nil {
		a.Deliver(who.Instance, v.Contact.InitialID, item)
	}
	return Sent{item.ID, item.At}, nil
}

// Receive notes that a message of somebody else's was delivered to a participant,
// or that it has been read. In a chat of more than two that is a
// ConflictException (Participant Service API reference, SendEvent).
func (m *Manager) Receive(ctx context.Context, who Participant, messageID string, read bool, token string) (Sent, error) {
	var sent Sent
	err := m.asParticipant(ctx, who, func(t *Transition, st *chatState, p *domain.ChatParticipant) error {
		if s := st.Sent(p.ID, token); s != nil {
			sent = Sent{s.ID, s.At}
			return nil
		}
		if len(st.InRole(domain.ChatCustomer, domain.ChatAgent, domain.ChatBot)) > 2 {
			return fault.New(fault.Conflict, "There are no message receipts in a chat of more than two participants.")
		}
		r := &domain.ChatReceipt{MessageID: messageID, RecipientID: p.ID}
		at := t.at.Truncate(time.Millisecond)
		if r.DeliveredAt = at; read {
			r.ReadAt = at
		}
		item := &domain.ChatItem{Type: domain.ChatReceiptType, Receipt: r, ParticipantID: p.ID, Role: p.Role}
		t.post(item)
		sent = Sent{item.ID, item.At}
		st.Remember(talk.Token{By: p.ID, Token: token, ID: sent.ID, At: sent.At})
		return nil
	})
	return sent, err
}

// Depart ends the part of a participant. When the customer goes, the contact
// ends.
func (m *Manager) Depart(ctx context.Context, who Participant) error {
	return m.asParticipant(ctx, who, func(t *Transition, _ *chatState, p *domain.ChatParticipant) error {
		switch p.Role {
		case domain.ChatCustomer:
			t.disconnect("CUSTOMER_DISCONNECT")
		case domain.ChatAgent:
			t.agentLeaves("AGENT_DISCONNECT")
		default:
			t.left(p)
		}
		return nil
	})
}

// Invite adds a custom bot to a chat. One takes part at a time.
func (m *Manager) Invite(ctx context.Context, in Instance, id, displayName, token string) (who domain.ChatParticipant, err error) {
	contact, err := contactID(in, id)
	if err != nil {
		return who, err
	}
	err = m.inChat(ctx, in, domain.ContactID(contact), func(t *Transition, st *chatState) error {
		if s := st.Sent("", token); s != nil {
			if p := st.Present(s.ID); p != nil {
				who = *p
				return nil
			}
		}
		switch {
		case t.c.Ended():
			return fault.New(fault.InvalidRequest, "Contact %s has ended.", t.id)
		case len(st.InRole(domain.ChatBot)) > 0:
			return fault.New(fault.ServiceQuotaExceeded, "A %s takes part in the chat already.", domain.ChatBot)
		}
		who = domain.ChatParticipant{ID: domain.NewID(), DisplayName: displayName, Role: domain.ChatBot, InvitedAt: t.at}
		st.Participants = append(st.Participants, who)
		st.Remember(talk.Token{Token: token, ID: who.ID, At: t.at})
		return nil
	})
	return who, err
}

// ConnectBy is until when a participant must have connected.
func ConnectBy(p *domain.ChatParticipant) time.Time { return talk.ConnectBy(p) }

// Stream has the items of a chat sent to a topic as well, from its first on.
func (m *Manager) Stream(ctx context.Context, in Instance, id, arn, token string) (string, error) {
	contact, err := contactID(in, id)
	if err != nil {
		return "", err
	}
	var stream string
	err = m.inChat(ctx, in, domain.ContactID(contact), func(t *Transition, st *chatState) error {
		if t.c.Ended() {
			return fault.New(fault.InvalidRequest, "Contact %s has ended.", t.id)
		}
		for _, s := range st.Streams {
			if s.Token == token && token != "" {
				stream = s.ID
				return nil
			}
		}
		if len(st.Streams) >= maxStreams {
			return fault.New(fault.LimitExceeded, "A chat is sent to %d topics at most.", maxStreams)
		}
		stream = domain.NewID()
		st.Streams = append(st.Streams, domain.ChatStream{ID: stream, ARN: arn, Token: token})
		t.streaming()
		return nil
	})
	return stream, err
}

// maxStreams is how many topics a chat is sent to. AWS publishes no number
// (docs/divergences.md).
const maxStreams = 5

// StopStream ends what Stream began.
func (m *Manager) StopStream(ctx context.Context, in Instance, id, stream string) error {
	contact, err := contactID(in, id)
	if err != nil {
		return err
	}
	return m.inChat(ctx, in, domain.ContactID(contact), func(t *Transition, st *chatState) error {
		i := slices.IndexFunc(st.Streams, func(s domain.ChatStream) bool { return s.ID == stream })
		if i < 0 {
			return fault.New(fault.ResourceNotFound, "Streaming %s of contact %s not found.", stream, t.id)
		}
		st.Streams = slices.Delete(st.Streams, i, i+1)
		t.streaming()
		return nil
	})
}

// Upload announces a file. It counts towards the chat's attachments while it
// can still be uploaded, and for good once it was.
func (m *Manager) Upload(ctx context.Context, who Participant, f ChatFile, token string) (ChatFile, error) {
	err := m.asParticipant(ctx, who, func(t *Transition, st *chatState, p *domain.ChatParticipant) error {
		if s := st.Sent(p.ID, token); s != nil {
			if old := st.File(s.ID); old != nil {
				f = *old
				return nil
			}
		}
		kept := slices.DeleteFunc(slices.Clone(st.Files), func(o ChatFile) bool { return o.Status != talk.Approved && !t.at.Before(o.Ends) })
		if len(kept) >= maxFiles {
			return fault.New(fault.ServiceQuotaExceeded, "A chat has at most %d attachments.", maxFiles)
		}
		f.ID, f.By, f.Status = domain.NewID(), p.ID, "IN_PROGRESS"
		st.Files = append(kept, f)
		st.Remember(talk.Token{By: p.ID, Token: token, ID: f.ID, At: t.at})
		return nil
	})
	return f, err
}

// maxFiles is how many attachments a chat has (administrator guide, "Amazon Connect
// feature specifications").
const maxFiles = 35

// Uploaded shows a file to everybody once it is there. One that was shown
// already is a ConflictException.
func (m *Manager) Uploaded(ctx context.Context, who Participant, id string) error {
	return m.asParticipant(ctx, who, func(t *Transition, st *chatState, p *domain.ChatParticipant) error {
		f := st.File(id)
		switch {
		case f == nil || f.By != p.ID:
			return denied()
		case f.Status == talk.Approved:
			return fault.New(fault.Conflict, "Attachment %s has been uploaded already.", id)
		}
		f.Status = talk.Approved
		t.joined(p)
		t.heard(p)
		t.post(&domain.ChatItem{
			Type: "ATTACHMENT", ContentType: f.ContentType, ParticipantID: p.ID, DisplayName: p.DisplayName, Role: p.Role,
			Attachments: []domain.ChatAttachment{f.ChatAttachment},
		})
		if p.Role == domain.ChatCustomer {
			t.occurred("CustomerReturned")
		}
		return nil
	})
}

// flowView shows a view in the chat and waits for the customer's answer.
func (t *Transition) flowView(s side, r *machine.Request) (machine.Reply, bool) {
	st := t.st.Chat
	if st == nil || s != customer {
		return failed, true
	}
	if v := st.View; v != nil && v.Seq == r.Seq && v.Side == string(s) {
		return machine.Reply{}, false // shown before a restart
	}
	id := r.View.ID
	if r.View.Version != "" {
		id += ":" + r.View.Version
	}
	st.View = &talk.View{Side: string(s), Seq: r.Seq, Token: domain.NewID(), ID: id, Hide: r.View.HideResponse}
	content, err := json.Marshal(map[string]any{
		"templateType": "ViewResource", "version": "1.0",
		"data": map[string]any{"content": map[string]any{"viewToken": st.View.Token, "viewData": r.View.Input}},
	})
	if err != nil {
		return failed, true
	}
	item := talk.System(string(content))
	item.ContentType = domain.ChatInteractive
	t.post(item)
	return machine.Reply{}, false
}

// viewAnswered tells the flow what the customer has answered: the action, and
// what was filled in.
func (t *Transition) viewAnswered(content string) {
	v := t.st.Chat.View
	t.st.Chat.View = nil
	var answer struct {
		Action string         `json:"action"`
		Data   map[string]any `json:"data"`
		// Amazon's own chat interface puts the output of a view beside its action.
		ViewResultData map[string]any `json:"viewResultData"`
	}
	// It is JSON (CheckMessage), but perhaps nothing that a view gives.
	_ = json.Unmarshal([]byte(content), &answer)
	data := answer.Data
	if data == nil {
		data = answer.ViewResultData
	}
	t.step(side(v.Side), machine.Event{At: t.at, Kind: machine.Replied, Seq: v.Seq, Reply: machine.Reply{
		Result: answer.Action,
		Data:   map[string]any{"Views": map[string]any{"Action": answer.Action, "ViewResultData": data}},
	}})
}
