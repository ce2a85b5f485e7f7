package chat

import (
	"encoding/json"

	"ringdown/internal/contact/record"
	"ringdown/internal/domain"
)

// item is an item of a chat as clients hear it (Participant Service API
// reference, Item; amazon-connect-chatjs).
type item struct {
	AbsoluteTime     string
	Content          string `json:",omitempty"`
	ContentType      string `json:",omitempty"`
	ID               string `json:"Id"`
	Type             string
	ParticipantID    string            `json:"ParticipantId,omitempty"`
	DisplayName      string            `json:",omitempty"`
	ParticipantRole  string            `json:",omitempty"`
	Attachments      []attachment      `json:",omitempty"`
	MessageMetadata  *metadata         `json:",omitempty"`
	InitialContactID domain.ContactID  `json:"InitialContactId"`
	ContactID        domain.ContactID  `json:"ContactId"`
	RelatedContactID *domain.ContactID `json:"RelatedContactId,omitempty"`
}

type attachment struct {
	ID          string `json:"AttachmentId"`
	Name        string `json:"AttachmentName"`
	ContentType string
	Status      string
}

type metadata struct {
	MessageID string `json:"MessageId"`
	Receipts  []receipt
}

type receipt struct {
	DeliveredTimestamp     string `json:",omitempty"`
	ReadTimestamp          string `json:",omitempty"`
	RecipientParticipantID string `json:"RecipientParticipantId"`
}

// wire is an item as JSON.
func wire(chat domain.ContactID, i *domain.ChatItem) ([]byte, error) {
	w := item{
		AbsoluteTime: record.Millis(i.At), Content: i.Content, ContentType: i.ContentType, ID: i.ID, Type: i.Type,
		ParticipantID: i.ParticipantID, DisplayName: i.DisplayName, ParticipantRole: i.Role,
		InitialContactID: chat, ContactID: i.ContactID,
	}
	for _, a := range i.Attachments {
		w.Attachments = append(w.Attachments, attachment{a.ID, a.Name, a.ContentType, a.Status})
	}
	if r := i.Receipt; r != nil {
		w.MessageMetadata = &metadata{r.MessageID, []receipt{{record.Millis(r.DeliveredAt), record.Millis(r.ReadAt), r.RecipientID}}}
	}
	return json.Marshal(w)
}

// The topics of the WebSocket's protocol.
const (
	topicSubscribe   = "aws/subscribe"
	topicUnsubscribe = "aws/unsubscribe"
	topicHeartbeat   = "aws/heartbeat"
	topicPing        = "aws/ping"
	topicChat        = "aws/chat"
)

// frame is what travels on a WebSocket, both ways.
type frame struct {
	Topic       string          `json:"topic"`
	Content     json.RawMessage `json:"content,omitempty"`
	ContentType string          `json:"contentType,omitempty"`
	StatusCode  int             `json:"statusCode,omitempty"`
	// StatusContent goes with StatusCode.
	StatusContent string `json:"statusContent,omitempty"`
}

// chatFrame is an item in its envelope: a string that holds the item's JSON.
func chatFrame(chat domain.ContactID, i *domain.ChatItem) ([]byte, error) {
	raw, err := wire(chat, i)
	if err != nil {
		return nil, err
	}
	content, err := json.Marshal(string(raw))
	if err != nil {
		return nil, err
	}
	return json.Marshal(frame{Topic: topicChat, ContentType: "application/json", Content: content})
}

// subscription is the content of a request for topics and of its answer.
type subscription struct {
	Status string   `json:"status,omitempty"`
	Topics []string `json:"topics"`
}

// answer is what the server says to a frame; nil when it says nothing.
func answer(f frame) []byte {
	reply := frame{Topic: f.Topic}
	switch f.Topic {
	case topicHeartbeat:
	case topicPing:
		reply.StatusCode, reply.StatusContent = 200, "OK"
	case topicSubscribe, topicUnsubscribe:
		s := subscription{Status: "success", Topics: []string{}}
		for _, t := range topics(f) {
			if t == topicChat {
				s.Topics = append(s.Topics, t)
			} else {
				s.Status = "failure"
			}
		}
		reply.Content, _ = json.Marshal(s)
	default:
		return nil
	}
	raw, _ := json.Marshal(reply) // plain data
	return raw
}

// topics are those that a frame asks for.
func topics(f frame) []string {
	var s subscription
	_ = json.Unmarshal(f.Content, &s) // what is no list of topics asks for none
	return s.Topics
}
