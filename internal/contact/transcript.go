package contact

import (
	"context"

	"ringdown/internal/contact/talk"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
)

// Chat is a chat as one who takes or took part in it sees it.
type Chat = talk.Chat

// Line is an item of a transcript.
type Line = talk.Line

// Segment is what was said on one contact.
type Segment = talk.Segment

// chats reads the chats of an instance.
func (m *Manager) chats(in Instance) talk.Source { return talk.Source{Store: m.store, Instance: in.PK} }

// Chat reads the chat of a participant, which may be over, or which it may have
// left. Anything else is an AccessDeniedException.
func (m *Manager) Chat(ctx context.Context, who Participant) (*Chat, error) {
	v, err := m.chats(who.Instance).Read(ctx, who.Contact, who.ID)
	if err == nil && v == nil {
		return nil, denied()
	}
	return v, err
}

// PastOf finds the contact whose transcript a persistent chat goes on from
// (API reference, PersistentChat): the last of the session that began with the
// source, or the source itself. It must be a chat that has ended.
func (m *Manager) PastOf(ctx context.Context, in Instance, source string, entire bool) (domain.ContactID, error) {
	id, err := contactID(in, source)
	if err != nil {
		return "", err
	}
	c, err := m.Read(ctx, in, id)
	switch {
	case err != nil:
		return "", err
	case c.Channel != "CHAT":
		return "", fault.New(fault.InvalidRequest, "Contact %s is no chat.", id)
	case entire && c.InitialID != c.ID:
		return "", fault.New(fault.InvalidRequest, "Contact %s is not the first of its chat, %s is.", id, c.InitialID)
	case entire:
		if c, _, err = m.chats(in).Of(ctx, c.ID); err != nil {
			return "", err
		}
	}
	if !c.Ended() {
		return "", fault.New(fault.InvalidRequest, "The chat of contact %s has not ended.", c.ID)
	}
	return c.ID, nil
}

// Continue has a chat go on from a past one. It can be done once.
func (m *Manager) Continue(ctx context.Context, in Instance, id string, past domain.ContactID) error {
	contact, err := contactID(in, id)
	if err != nil {
		return err
	}
	return m.inChat(ctx, in, domain.ContactID(contact), func(t *Transition, st *chatState) error {
		switch {
		case t.c.Ended():
			return fault.New(fault.InvalidRequest, "Contact %s has ended.", t.id)
		case st.Past == past:
			return nil
		case st.Past != "":
			return fault.New(fault.InvalidRequest, "Contact %s goes on from contact %s already.", t.id, st.Past)
		}
		t.goOn(st, past)
		return nil
	})
}

// goOn ties the chat to a past one and tells clients, who may want to read the
// transcript again.
func (t *Transition) goOn(st *chatState, past domain.ContactID) {
	st.Past = past
	t.tell(&domain.ChatItem{Type: "EVENT", ContentType: domain.ChatRehydrated})
}

// flowPersist ties the chat to a past one.
func (t *Transition) flowPersist(r *machine.PersistRequest) machine.Reply {
	st := t.st.Chat
	if st == nil || st.Past != "" {
		return failed
	}
	past, err := t.m.PastOf(t.ctx, t.in, r.SourceID, r.Rehydration == "ENTIRE_PAST_SESSION")
	if err != nil {
		return t.m.notFound(err)
	}
	t.goOn(st, past)
	return machine.Reply{}
}
