package participants

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ringdown/internal/chat"
	"ringdown/internal/contact"
	"ringdown/internal/contact/record"
	"ringdown/internal/contract/connectparticipant"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// SendMessage says something in a chat. Once it is answered the message is in the
// transcript. The same client token gives the same answer.
func (p *Participants) SendMessage(ctx context.Context, in *connectparticipant.SendMessageInput) (*connectparticipant.SendMessageOutput, error) {
	ctx, who, err := p.identify(ctx, in.ConnectionToken, chat.ConnectionToken)
	if err != nil {
		return nil, err
	}
	if wrong := domain.ChatMessageProblem(*in.ContentType, *in.Content); wrong != "" {
		return nil, invalid("%s", wrong)
	}
	sent, err := p.Engine.Say(ctx, who.Participant, contact.ChatMessage{
		ContentType: *in.ContentType, Content: *in.Content, Token: aws.ToString(in.ClientToken),
	})
	if err != nil {
		return nil, err
	}
	return &connectparticipant.SendMessageOutput{Id: &sent.ID, AbsoluteTime: aws.String(record.Millis(sent.At))}, nil
}

// SendEvent tells the others that a participant is typing, or has received or
// read a message. That it is connected is told by CreateParticipantConnection
// now; the event still says so too.
func (p *Participants) SendEvent(ctx context.Context, in *connectparticipant.SendEventInput) (*connectparticipant.SendEventOutput, error) {
	ctx, who, err := p.identify(ctx, in.ConnectionToken, chat.ConnectionToken)
	if err != nil {
		return nil, err
	}
	sent := contact.Sent{ID: domain.NewID(), At: p.catalog.Now()}
	switch *in.ContentType {
	case domain.ChatTyping:
		sent, err = p.Engine.Typing(ctx, who.Participant)
	case domain.ChatAcknowledged:
		err = p.Engine.Connected(ctx, who.Participant)
	case domain.ChatDelivered, domain.ChatRead:
		var of struct {
			MessageID string `json:"messageId"`
		}
		if json.Unmarshal([]byte(aws.ToString(in.Content)), &of) != nil || of.MessageID == "" {
			return nil, invalid(`Content must be JSON that names a message: {"messageId":"ID"}`)
		}
		sent, err = p.Engine.Receive(ctx, who.Participant, of.MessageID, *in.ContentType == domain.ChatRead, aws.ToString(in.ClientToken))
	default:
		return nil, invalid("ContentType must be %s, %s, %s or %s", domain.ChatTyping, domain.ChatAcknowledged, domain.ChatDelivered, domain.ChatRead)
	}
	if err != nil {
		return nil, refused(err)
	}
	return &connectparticipant.SendEventOutput{Id: &sent.ID, AbsoluteTime: aws.String(record.Millis(sent.At))}, nil
}

// refused says in the Participant service's words what the engine refuses.
func refused(err error) error {
	if e := fault.From(err); e.Code == fault.InvalidRequest || e.Code == fault.InvalidParameter {
		return invalid("%s", e.Message)
	}
	return err
}
