package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// Chat is a chat as one who takes or took part in it sees it.
type Chat struct {
	// Contact is the one of the chain that the chat is on now.
	Contact *domain.Contact
	// Participant is who asks.
	Participant *domain.ChatParticipant

	m     *Manager
	in    Instance
	state *chatState
}

// Ended reports whether the chat is over.
func (v *Chat) Ended() bool { return v.Contact.Ended() }

// File finds an attachment, nil when there is none.
func (v *Chat) File(id string) *ChatFile { return v.state.file(id) }

// View finds the view that a token stands for: its id, with a version perhaps,
// while it waits for an answer; "" for none.
func (v *Chat) View(token string) string {
	if s := v.state.View; s != nil && s.Token == token {
		return s.ID
	}
	return ""
}

// Chat reads the chat of a participant, which may be over, or which it may have
// left. Anything else is an AccessDeniedException.
func (m *Manager) Chat(ctx context.Context, who Participant) (*Chat, error) {
	c, st, err := m.chatOf(ctx, who.Instance, who.Contact)
	if fault.Is(err, fault.ResourceNotFound) || err == nil && st == nil {
		return nil, denied()
	}
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(st.Participants, func(p domain.ChatParticipant) bool { return p.ID == who.ID })
	if i < 0 {
		return nil, denied()
	}
	return &Chat{c, &st.Participants[i], m, who.Instance, st}, nil
}

// chatOf reads the chat that began with a contact, wherever it is now. The state
// is nil when there is none.
func (m *Manager) chatOf(ctx context.Context, in Instance, id domain.ContactID) (*domain.Contact, *chatState, error) {
	for range maxContacts {
		row, err := m.store.Contact(ctx, in.PK, string(id))
		if err != nil {
			return nil, nil, err
		}
		c, err := decode(row)
		if err != nil {
			return nil, nil, err
		}
		var st state
		if row.State != nil {
			if err := json.Unmarshal(row.State, &st); err != nil {
				return nil, nil, fmt.Errorf("state of contact %s: %w", id, err)
			}
		}
		n := len(c.Next)
		if st.Chat != nil || n == 0 || c.Channel != "CHAT" || !c.Ended() {
			return c, st.Chat, nil
		}
		id = c.Next[n-1].ID
	}
	return nil, nil, fault.New(fault.InvalidRequest, "The chain of contacts after %s is too long.", id)
}

// Line is an item of a transcript.
type Line struct {
	*domain.ChatItem
	// Past lines are of a chat before this one.
	Past bool
	// Receipts tell who has received a message.
	Receipts []domain.ChatReceipt
}

// Segment is what was said on one contact.
type Segment struct {
	Contact domain.ContactID
	Past    bool
}

// maxPast is how many contacts of past chats a transcript goes back over
// (administrator guide, "Amazon Connect feature specifications").
const maxPast = 100

// Segments are the contacts that make up the transcript, the newest first.
func (v *Chat) Segments(ctx context.Context) ([]Segment, error) {
	var all []Segment
	past := 0
	add := func(c *domain.Contact, isPast bool) error {
		for {
			all = append(all, Segment{c.ID, isPast})
			if isPast {
				past++
			}
			if c.PreviousID == "" || c.PreviousID == c.ID || past >= maxPast {
				return nil
			}
			before, err := v.m.Read(ctx, v.in, string(c.PreviousID))
			if err != nil || before.Channel != c.Channel { // it began as a call, or has aged out
				if fault.Is(err, fault.ResourceNotFound) {
					err = nil
				}
				return err
			}
			c = before
		}
	}
	if err := add(v.Contact, false); err != nil {
		return nil, err
	}
	for from := v.state.Past; from != "" && past < maxPast; {
		c, err := v.m.Read(ctx, v.in, string(from))
		if fault.Is(err, fault.ResourceNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := add(c, true); err != nil {
			return nil, err
		}
		_, st, err := v.m.chatOf(ctx, v.in, from)
		if err != nil || st == nil {
			return all, err
		}
		from = st.Past
	}
	return all, nil
}

// Lines reads what was said on a contact, in its order.
func (v *Chat) Lines(ctx context.Context, s Segment) ([]Line, error) {
	entries, err := v.m.store.Entries(ctx, store.EntryQuery{Stream: store.StreamChat, Instance: v.in.PK, Owner: string(s.Contact)})
	if err != nil {
		return nil, err
	}
	lines := make([]Line, 0, len(entries))
	at := map[string]int{}
	for _, e := range entries {
		item := new(domain.ChatItem)
		if err := json.Unmarshal(e.Doc, item); err != nil {
			return nil, fmt.Errorf("item %s of contact %s: %w", e.ID, s.Contact, err)
		}
		if r := item.Receipt; r != nil {
			if i, ok := at[r.MessageID]; ok {
				lines[i].Receipts = domain.AddReceipt(lines[i].Receipts, *r)
			}
			continue
		}
		at[item.ID] = len(lines)
		lines = append(lines, Line{ChatItem: item, Past: s.Past})
	}
	return lines, nil
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
		if c, _, err = m.chatOf(ctx, in, c.ID); err != nil {
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

// Sent finds an attachment that everybody can see, in this chat or one that it
// goes on from; nil when there is none.
func (v *Chat) Sent(ctx context.Context, id string) (*ChatFile, error) {
	st := v.state
	for range maxPast {
		if f := st.file(id); f != nil && f.Status == approved {
			return f, nil
		}
		if st.Past == "" {
			return nil, nil
		}
		_, past, err := v.m.chatOf(ctx, v.in, st.Past)
		if fault.Is(err, fault.ResourceNotFound) || err == nil && past == nil {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		st = past
	}
	return nil, nil
}
