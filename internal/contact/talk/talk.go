// Package talk is what is known of a chat: who takes part, what was sent with which
// client token, who is idle, and what was said. It changes what it is given and
// reads what is stored; who may change a chat, and when that is stored and told, is
// internal/contact.
package talk

import (
	"slices"
	"time"

	"ringdown/internal/domain"
)

// State is what a chat needs beside its contact. It is stored as JSON, goes over to
// the next contact of the chain, and stays with the last for the transcript's
// readers.
type State struct {
	// Participants are all that have ever taken part, in the order in which they
	// were invited.
	Participants []domain.ChatParticipant
	Past         domain.ContactID    `json:",omitempty"`
	Streams      []domain.ChatStream `json:",omitempty"`
	// Used are the latest client tokens, the oldest first.
	Used []Token `json:"Sent,omitempty"`
	// Files are the attachments, those being uploaded included.
	Files []File `json:",omitempty"`
	// View is the one that the customer is to answer.
	View *View `json:",omitempty"`
	// Timers are what was set last; those of Running, which were set when the
	// other side joined, are in force since RunningSince.
	Timers       []Timer   `json:",omitempty"`
	Running      []Timer   `json:",omitempty"`
	RunningSince time.Time `json:",omitzero"`
}

// Token is what a client token was used for: an item, a file or a participant.
type Token struct {
	By, Token, ID string
	At            time.Time
}

// File is an attachment of a chat.
type File struct {
	domain.ChatAttachment
	By   string // a participant
	Ends time.Time
}

// Approved is the status of a file that everybody can see.
const Approved = "APPROVED"

// View is a view that a flow waits for the answer to.
type View struct {
	Side  string // that the flow talks to
	Seq   int
	Token string // names it to DescribeView
	ID    string
	// Hide keeps the answer out of the transcript.
	Hide bool `json:",omitempty"`
}

// connectTime is within what a new participant must connect (API reference,
// StartChatContact).
const connectTime = 5 * time.Minute

// ConnectBy is until when a participant must have connected.
func ConnectBy(p *domain.ChatParticipant) time.Time { return p.InvitedAt.Add(connectTime) }

// Present finds a participant that takes part, by its id.
func (st *State) Present(id string) *domain.ChatParticipant {
	for i := range st.Participants {
		if p := &st.Participants[i]; p.ID == id && p.LeftAt.IsZero() {
			return p
		}
	}
	return nil
}

// InRole are those of some roles who take part.
func (st *State) InRole(roles ...string) []*domain.ChatParticipant {
	var found []*domain.ChatParticipant
	for i := range st.Participants {
		if p := &st.Participants[i]; p.LeftAt.IsZero() && slices.Contains(roles, p.Role) {
			found = append(found, p)
		}
	}
	return found
}

// maxUsed is how many client tokens a chat remembers.
const maxUsed = 32

// Sent is what a participant has used a client token for, nil for nothing.
func (st *State) Sent(by, token string) *Token {
	i := slices.IndexFunc(st.Used, func(s Token) bool { return token != "" && s.Token == token && s.By == by })
	if i < 0 {
		return nil
	}
	return &st.Used[i]
}

// Remember notes what a client token, if there is one, was used for.
func (st *State) Remember(used Token) {
	if used.Token == "" {
		return
	}
	if len(st.Used) >= maxUsed {
		st.Used = slices.Delete(st.Used, 0, len(st.Used)-maxUsed+1)
	}
	st.Used = append(st.Used, used)
}

// File finds an attachment, nil when there is none.
func (st *State) File(id string) *File {
	i := slices.IndexFunc(st.Files, func(f File) bool { return f.ID == id })
	if i < 0 {
		return nil
	}
	return &st.Files[i]
}

// Stamp gives an item its id and its time.
func Stamp(item *domain.ChatItem, contact domain.ContactID, at time.Time) {
	item.ID, item.ContactID, item.At = domain.NewID(), contact, at.Truncate(time.Millisecond)
}

// Event is an event that somebody is the subject of.
func Event(contentType string, who *domain.ChatParticipant) *domain.ChatItem {
	return &domain.ChatItem{Type: "EVENT", ContentType: contentType, ParticipantID: who.ID, DisplayName: who.DisplayName, Role: who.Role}
}

// System is a message of the chat's own.
func System(text string) *domain.ChatItem {
	return &domain.ChatItem{Type: "MESSAGE", ContentType: domain.ChatPlain, Content: text, Role: domain.ChatSystem, DisplayName: "SYSTEM_MESSAGE"}
}
