package domain

import (
	"encoding/json"
	"regexp"
	"time"
	"unicode/utf8"
)

// ChatItem is one line of a chat's transcript: a message, an event or an
// attachment (Participant Service API reference, Item).
type ChatItem struct {
	ID          string
	ContactID   ContactID // the contact of the chain that it was said on
	At          time.Time // UTC, milliseconds
	Type        string    // MESSAGE, EVENT, ATTACHMENT; ChatReceiptType
	ContentType string    `json:",omitempty"` // such as text/plain
	Content     string    `json:",omitempty"`
	// Who said it. The system has no participant of its own.
	ParticipantID string           `json:",omitempty"`
	DisplayName   string           `json:",omitempty"`
	Role          string           `json:",omitempty"` // CUSTOMER, AGENT, SYSTEM, CUSTOM_BOT, SUPERVISOR
	Attachments   []ChatAttachment `json:",omitempty"`
	// Receipt is there for ChatReceiptType alone.
	Receipt *ChatReceipt `json:",omitempty"`
}

// ChatReceiptType is the type of an item that says that a message has been
// received. Its spelling is that of amazon-connect-chatjs. A transcript shows
// receipts with their messages.
const ChatReceiptType = "MESSAGEMETADATA"

// ChatReceipt says that a message was delivered to somebody, or read.
type ChatReceipt struct {
	MessageID   string
	RecipientID string    // a participant
	DeliveredAt time.Time `json:",omitzero"`
	ReadAt      time.Time `json:",omitzero"`
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
	Role        string    // CUSTOMER, AGENT, SYSTEM, CUSTOM_BOT, SUPERVISOR
	InvitedAt   time.Time `json:",omitzero"`
	JoinedAt    time.Time `json:",omitzero"` // when it connected
	LeftAt      time.Time `json:",omitzero"`
	// HeardAt is when it last said something, IdleAt since when it counts as
	// idle; for timeouts.
	HeardAt time.Time `json:",omitzero"`
	IdleAt  time.Time `json:",omitzero"`
}

// ChatStream is where the items of a chat are sent to besides its participants.
type ChatStream struct {
	ID  string
	ARN string // of a standard topic of Amazon SNS
	// Token is the client token that the stream was asked for with.
	Token string `json:",omitempty"`
}

// The content types of what happens in a chat (Participant Service API
// reference, SendMessage and SendEvent; administrator guide, "Amazon SNS payload
// used in message streaming"; amazon-connect-chatjs).
const (
	chatEvent = "application/vnd.amazonaws.connect.event."

	ChatPlain        = "text/plain"
	ChatMarkdown     = "text/markdown"
	ChatJSON         = "application/json"
	ChatInteractive  = "application/vnd.amazonaws.connect.message.interactive"
	ChatResponse     = "application/vnd.amazonaws.connect.message.interactive.response"
	ChatTyping       = chatEvent + "typing"
	ChatAcknowledged = chatEvent + "connection.acknowledged"
	ChatDelivered    = chatEvent + "message.delivered"
	ChatRead         = chatEvent + "message.read"
	ChatJoined       = chatEvent + "participant.joined"
	ChatLeft         = chatEvent + "participant.left"
	ChatIdle         = chatEvent + "participant.idle"
	ChatReturned     = chatEvent + "participant.returned"
	ChatDropped      = chatEvent + "participant.autodisconnection"
	ChatTransferred  = chatEvent + "transfer.succeeded"
	ChatRehydrated   = chatEvent + "chat.rehydrated"
	ChatEnded        = chatEvent + "chat.ended"
)

// The roles of participants.
const (
	ChatCustomer = "CUSTOMER"
	ChatAgent    = "AGENT"
	ChatBot      = "CUSTOM_BOT"
	ChatSystem   = "SYSTEM"
)

// topicARN is that of a standard topic of Amazon SNS (Amazon SNS API reference,
// CreateTopic); a FIFO topic's name ends in .fifo.
var topicARN = regexp.MustCompile(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}$`)

// IsTopicARN reports whether s is the ARN of a standard topic.
func IsTopicARN(s string) bool { return topicARN.MatchString(s) }

// The sizes of contents, in characters (API reference, ChatMessage;
// Participant Service API reference, SendMessage).
var chatSizes = map[string]int{
	ChatPlain: 1024, ChatMarkdown: 1024, ChatJSON: 12000,
	ChatInteractive: 12000, ChatResponse: 12288,
}

// ChatMessageProblem says what is wrong with a message, "" for nothing.
func ChatMessageProblem(contentType, content string) string {
	most, known := chatSizes[contentType]
	switch {
	case !known:
		return "ContentType must be text/plain, text/markdown, application/json or " + ChatResponse
	case utf8.RuneCountInString(content) > most:
		return "Content is too long for its ContentType"
	case most > 1024 && !json.Valid([]byte(content)):
		return "Content must be JSON, as its ContentType says"
	}
	return ""
}

// AddReceipt adds a receipt to those of a message. A recipient has one, with the
// first time of each.
func AddReceipt(all []ChatReceipt, r ChatReceipt) []ChatReceipt {
	for i := range all {
		if all[i].RecipientID != r.RecipientID {
			continue
		}
		if all[i].ReadAt.IsZero() {
			all[i].ReadAt = r.ReadAt
		}
		return all
	}
	return append(all, r)
}
