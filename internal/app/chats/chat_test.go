package chats_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server/servertest"
)

// TestChat is a chat from its beginning to its end, as two clients of the customer
// hear it.
func TestChat(t *testing.T) {
	b := boot(t)
	c := b.start(b.flow("greeting", greeting), func(in *connect.StartChatContactInput) {
		in.InitialMessage = &types.ChatMessage{ContentType: aws.String("text/plain"), Content: aws.String("Anybody there?")}
	})
	token, url := b.connect(*c.ParticipantToken)
	phone, tablet := b.open(url), b.open(url)

	b.eventually("the greeting", func() bool { return len(b.transcript(token)) == 3 })
	servertest.Same(t, "transcript", b.transcript(token), []string{"participant.joined CUSTOMER", "CUSTOMER: Anybody there?", "SYSTEM: Hello!"})

	sent := b.must(token, "message", object{"ContentType": "text/plain", "Content": "I have a question.", "ClientToken": "one"})
	again := b.must(token, "message", object{"ContentType": "text/plain", "Content": "I have a question.", "ClientToken": "one"})
	servertest.Same(t, "the answer to a message sent twice", again, sent)
	for _, s := range []*socket{phone, tablet} {
		heard := s.hears("CUSTOMER: I have a question.", "SYSTEM: You said something.")
		if heard[0]["Id"] != sent["Id"] || heard[0]["AbsoluteTime"] != sent["AbsoluteTime"] || heard[0]["InitialContactId"] != *c.ContactId || heard[0]["ParticipantId"] != *c.ParticipantId || heard[0]["DisplayName"] != "Mary" {
			t.Errorf("heard %v of %v", heard[0], sent)
		}
	}
	b.must(token, "event", object{"ContentType": "application/vnd.amazonaws.connect.event.typing"})
	phone.hears("typing CUSTOMER")
	tablet.hears("typing CUSTOMER")
	phone.send(`{"topic":"aws/heartbeat"}`)
	servertest.Same(t, "heartbeat", phone.frame(), object{"topic": "aws/heartbeat"})
	phone.send(`{"topic":"aws/ping"}`)
	servertest.Same(t, "deep heartbeat", phone.frame(), object{"topic": "aws/ping", "statusCode": 200, "statusContent": "OK"})

	b.must(token, "disconnect", object{})
	phone.hears("participant.left CUSTOMER", "chat.ended")
	tablet.hears("participant.left CUSTOMER", "chat.ended")
	servertest.Same(t, "transcript", b.transcript(token), []string{
		"participant.joined CUSTOMER", "CUSTOMER: Anybody there?", "SYSTEM: Hello!", "CUSTOMER: I have a question.", "SYSTEM: You said something.",
		"participant.left CUSTOMER", "chat.ended",
	})
	b.denied("a message after the end", token, "message", object{"ContentType": "text/plain", "Content": "!"})
	b.denied("a connection after the end", *c.ParticipantToken, "connection", object{"Type": []string{"CONNECTION_CREDENTIALS"}})
}
