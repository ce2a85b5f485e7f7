package domain

import "time"

// ChatItem is one line of a chat's transcript: a message, an event or an
// attachment (Participant Service API reference, Item).
type ChatItem struct {
	ID          string
	ContactID   ContactID
	At          time.Time // UTC, milliseconds
	Type        string    // MESSAGE, EVENT, ATTACHMENT
	ContentType string    // such as text/plain
	Content     string    `json:",omitempty"`
	// Who said it; the system has no participant of its own.
	ParticipantID string           `json:",omitempty"`
	DisplayName   string           `json:",omitempty"`
	Role          string           // CUSTOMER, AGENT, SYSTEM, CUSTOM_BOT, SUPERVISOR
	Attachments   []ChatAttachment `json:",omitempty"`
}

// ChatAttachment is a file that has been sent in a chat.
type ChatAttachment struct {
	ID          string
	Name        string
	ContentType string
	Status      string // APPROVED, REJECTED, IN_PROGRESS
	Size        int64  // bytes
}

// ChatParticipant is somebody who takes part in a chat.
type ChatParticipant struct {
	ID          string
	DisplayName string
	Role        string // CUSTOMER, AGENT, SYSTEM, CUSTOM_BOT, SUPERVISOR
	JoinedAt    time.Time `json:",omitzero"`
	LeftAt      time.Time `json:",omitzero"`
	// HeardAt is when it last said something, for idle timeouts.
	HeardAt time.Time `json:",omitzero"`
}
