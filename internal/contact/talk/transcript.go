package talk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Chat is a chat as one who takes or took part in it sees it.
type Chat struct {
	// Contact is the one of the chain that the chat is on now.
	Contact *domain.Contact
	// Participant is who asks.
	Participant *domain.ChatParticipant

	from  Source
	state *State
}

// Source is where chats are read: the contacts of an instance.
type Source struct {
	Store    store.Reader
	Instance store.PK
}

// MaxContacts is how many contacts of a chain are followed: more than queue
// transfers and disconnect flows can make.
const MaxContacts = 100

// Read reads the chat of a participant, which may be over, or which it may have
// left; nil when it never took part in one that began with the contact.
func (s Source) Read(ctx context.Context, id domain.ContactID, participant string) (*Chat, error) {
	c, st, err := s.Of(ctx, id)
	if fault.Is(err, fault.ResourceNotFound) || err == nil && st == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(st.Participants, func(p domain.ChatParticipant) bool { return p.ID == participant })
	if i < 0 {
		return nil, nil
	}
	return &Chat{c, &st.Participants[i], s, st}, nil
}

// Of reads the chat that began with a contact, wherever it is now. The state is nil
// when there is none.
func (s Source) Of(ctx context.Context, id domain.ContactID) (*domain.Contact, *State, error) {
	for range MaxContacts {
		c, st, err := s.contact(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		n := len(c.Next)
		if st != nil || n == 0 || c.Channel != "CHAT" || !c.Ended() {
			return c, st, nil
		}
		id = c.Next[n-1].ID
	}
	return nil, nil, fault.New(fault.InvalidRequest, "The chain of contacts after %s is too long.", id)
}

// contact reads a contact, and the chat that it has, nil for none.
func (s Source) contact(ctx context.Context, id domain.ContactID) (*domain.Contact, *State, error) {
	row, err := s.Store.Contact(ctx, s.Instance, string(id))
	if err != nil {
		return nil, nil, err
	}
	c := new(domain.Contact)
	if err := json.Unmarshal(row.Doc, c); err != nil {
		return nil, nil, fmt.Errorf("contact %s: %w", id, err)
	}
	var st struct{ Chat *State }
	if row.State != nil {
		if err := json.Unmarshal(row.State, &st); err != nil {
			return nil, nil, fmt.Errorf("state of contact %s: %w", id, err)
		}
	}
	return c, st.Chat, nil
}

// Ended reports whether the chat is over.
func (v *Chat) Ended() bool { return v.Contact.Ended() }

// File finds an attachment, nil when there is none.
func (v *Chat) File(id string) *File { return v.state.File(id) }

// View finds the view that a token stands for: its id, with a version perhaps,
// while it waits for an answer; "" for none.
func (v *Chat) View(token string) string {
	if s := v.state.View; s != nil && s.Token == token {
		return s.ID
	}
	return ""
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
			before, _, err := v.from.contact(ctx, c.PreviousID)
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
		c, _, err := v.from.contact(ctx, from)
		if fault.Is(err, fault.ResourceNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := add(c, true); err != nil {
			return nil, err
		}
		_, st, err := v.from.Of(ctx, from)
		if err != nil || st == nil {
			return all, err
		}
		from = st.Past
	}
	return all, nil
}

// Lines reads what was said on a contact, in its order.
func (v *Chat) Lines(ctx context.Context, s Segment) ([]Line, error) {
	entries, err := v.from.Store.Entries(ctx, store.EntryQuery{Stream: store.StreamChat, Instance: v.from.Instance, Owner: string(s.Contact)})
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

// Sent finds an attachment that everybody can see, in this chat or one that it
// goes on from; nil when there is none.
func (v *Chat) Sent(ctx context.Context, id string) (*File, error) {
	st := v.state
	for range maxPast {
		if f := st.File(id); f != nil && f.Status == Approved {
			return f, nil
		}
		if st.Past == "" {
			return nil, nil
		}
		_, past, err := v.from.Of(ctx, st.Past)
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
