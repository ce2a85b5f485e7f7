package chats_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/coder/websocket"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// bench is a server with an instance and a flow, and a customer's browser.
type bench struct {
	*servertest.Server
	t        testing.TB
	instance string
}

// boot starts a server with an instance.
func boot(t testing.TB, change ...func(*server.Config)) *bench {
	t.Helper()
	s := servertest.Boot(t, change...)
	return &bench{s, t, s.NewInstance(t)}
}

// The flows of the tests: greeting says hello and waits, so that the chat goes on.
const (
	greeting = `{"Version":"2019-10-30","StartAction":"hello","Actions":[
		{"Identifier":"hello","Type":"MessageParticipant","Parameters":{"Text":"Hello!"},"Transitions":{"NextAction":"wait","Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"wait","Type":"Wait","Parameters":{"TimeLimitSeconds":"86400","Events":["CustomerReturned"]},"Transitions":{"NextAction":"again","Conditions":[
			{"NextAction":"end","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}},
			{"NextAction":"again","Condition":{"Operator":"Equals","Operands":["CustomerReturned"]}}],"Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"again","Type":"MessageParticipant","Parameters":{"Text":"You said something."},"Transitions":{"NextAction":"rest","Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"rest","Type":"Wait","Parameters":{"TimeLimitSeconds":"86400"},"Transitions":{"NextAction":"end","Conditions":[{"NextAction":"end","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}}],"Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`
	view = `{"Version":"2019-10-30","StartAction":"show","Actions":[
		{"Identifier":"show","Type":"ShowView","Parameters":{"ViewResource":{"Id":"VIEW","Version":"$LATEST"},"InvocationTimeLimitSeconds":"400","ViewData":{"Heading":"Well?"}},"Transitions":{"NextAction":"no","Conditions":[
			{"NextAction":"yes","Condition":{"Operator":"Equals","Operands":["Yes"]}}],"Errors":[
			{"NextAction":"no","ErrorType":"NoMatchingCondition"},{"NextAction":"no","ErrorType":"NoMatchingError"},{"NextAction":"no","ErrorType":"TimeLimitExceeded"}]}},
		{"Identifier":"yes","Type":"MessageParticipant","Parameters":{"Text":"Thank you, $.Views.ViewResultData.Name."},"Transitions":{"NextAction":"end","Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"no","Type":"MessageParticipant","Parameters":{"Text":"A pity."},"Transitions":{"NextAction":"end","Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`
	botFlow = `{"Version":"2019-10-30","StartAction":"nobody","Actions":[
		{"Identifier":"nobody","Type":"Wait","Parameters":{"TimeLimitSeconds":"86400","Events":["BotParticipantDisconnected"]},"Transitions":{"NextAction":"end","Conditions":[
			{"NextAction":"end","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}},
			{"NextAction":"end","Condition":{"Operator":"Equals","Operands":["BotParticipantDisconnected"]}}],"Errors":[{"NextAction":"none","ErrorType":"ParticipantNotFound"},{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"none","Type":"MessageParticipant","Parameters":{"Text":"There is no bot."},"Transitions":{"NextAction":"come","Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"come","Type":"Wait","Parameters":{"TimeLimitSeconds":"86400","Events":["CustomerReturned"]},"Transitions":{"NextAction":"end","Conditions":[
			{"NextAction":"end","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}},
			{"NextAction":"gone","Condition":{"Operator":"Equals","Operands":["CustomerReturned"]}}],"Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"gone","Type":"Wait","Parameters":{"TimeLimitSeconds":"86400","Events":["BotParticipantDisconnected"]},"Transitions":{"NextAction":"end","Conditions":[
			{"NextAction":"end","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}},
			{"NextAction":"bye","Condition":{"Operator":"Equals","Operands":["BotParticipantDisconnected"]}}],"Errors":[{"NextAction":"end","ErrorType":"ParticipantNotFound"},{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"bye","Type":"MessageParticipant","Parameters":{"Text":"The bot has gone."},"Transitions":{"NextAction":"end","Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
		{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`
)

// flow makes a flow and returns its id.
func (b *bench) flow(name, content string) string {
	b.t.Helper()
	out, err := b.Connect.CreateContactFlow(b.t.Context(), &connect.CreateContactFlowInput{
		InstanceId: &b.instance, Name: &name, Type: types.ContactFlowTypeContactFlow, Content: &content,
	})
	servertest.OK(b.t, err)
	return *out.ContactFlowId
}

// start starts a chat.
func (b *bench) start(flow string, change ...func(*connect.StartChatContactInput)) *connect.StartChatContactOutput {
	b.t.Helper()
	in := &connect.StartChatContactInput{
		InstanceId: &b.instance, ContactFlowId: &flow, ParticipantDetails: &types.ParticipantDetails{DisplayName: aws.String("Mary")},
	}
	for _, f := range change {
		f(in)
	}
	out, err := b.Connect.StartChatContact(b.t.Context(), in)
	servertest.OK(b.t, err)
	return out
}

// refusal is an exception of the Participant service.
type refusal struct{ code, message string }

func (r *refusal) Error() string        { return r.code + ": " + r.message }
func (r *refusal) ErrorCode() string    { return r.code }
func (r *refusal) ErrorMessage() string { return r.message }

// object is JSON.
type object = map[string]any

// ask makes a request of the Participant service, as any browser can: a token and
// JSON.
func (b *bench) ask(token, path string, in object) (object, error) {
	b.t.Helper()
	body, err := json.Marshal(in)
	servertest.OK(b.t, err)
	method := http.MethodPost
	if in == nil {
		method, body = http.MethodGet, nil
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.URL+"/participant/"+path, bytes.NewReader(body))
	servertest.OK(b.t, err)
	r.Header.Set("X-Amz-Bearer", token)
	resp, err := http.DefaultClient.Do(r)
	servertest.OK(b.t, err)
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	servertest.OK(b.t, err)
	out := object{}
	if len(raw) > 0 {
		servertest.OK(b.t, json.Unmarshal(raw, &out))
	}
	if resp.StatusCode != http.StatusOK {
		code := resp.Header.Get("X-Amzn-Errortype")
		message, _ := out["Message"].(string)
		if message == "" {
			message, _ = out["message"].(string)
		}
		return nil, &refusal{code, message}
	}
	return out, nil
}

// must is ask for what has to succeed.
func (b *bench) must(token, path string, in object) object {
	b.t.Helper()
	out, err := b.ask(token, path, in)
	servertest.OK(b.t, err)
	return out
}

// connect opens a connection and returns its token and the URL of its WebSocket.
func (b *bench) connect(participantToken string) (token, socket string) {
	b.t.Helper()
	out := b.must(participantToken, "connection", object{"Type": []string{"WEBSOCKET", "CONNECTION_CREDENTIALS"}})
	return out["ConnectionCredentials"].(object)["ConnectionToken"].(string), out["Websocket"].(object)["Url"].(string)
}

// socket is a WebSocket that has subscribed.
type socket struct {
	*websocket.Conn
	t testing.TB
}

func (b *bench) open(url string) *socket {
	b.t.Helper()
	ws, resp, err := websocket.Dial(b.t.Context(), url, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://shop.example.com"}}})
	servertest.OK(b.t, err)
	if resp.Body != nil {
		_ = resp.Body.Close()
	}
	b.t.Cleanup(func() { _ = ws.CloseNow() })
	s := &socket{ws, b.t}
	s.send(`{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}`)
	servertest.Same(b.t, "subscription", s.frame(), object{"topic": "aws/subscribe", "content": object{"status": "success", "topics": []string{"aws/chat"}}})
	return s
}

func (s *socket) send(frame string) {
	s.t.Helper()
	servertest.OK(s.t, s.Write(s.t.Context(), websocket.MessageText, []byte(frame)))
}

// frame is the next one.
func (s *socket) frame() object {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	_, raw, err := s.Read(ctx)
	servertest.OK(s.t, err)
	out := object{}
	servertest.OK(s.t, json.Unmarshal(raw, &out))
	return out
}

// item is the next item of the chat.
func (s *socket) item() object {
	s.t.Helper()
	f := s.frame()
	if f["topic"] != "aws/chat" || f["contentType"] != "application/json" {
		s.t.Fatalf("a frame %v", f)
	}
	out := object{}
	servertest.OK(s.t, json.Unmarshal([]byte(f["content"].(string)), &out))
	return out
}

// hears checks the next items: content types, and contents of messages.
func (s *socket) hears(want ...string) []object {
	s.t.Helper()
	var all []object
	for _, w := range want {
		i := s.item()
		if got := told(i); got != w {
			s.t.Fatalf("heard %q, want %q: %v", got, w, i)
		}
		all = append(all, i)
	}
	return all
}

// told is what an item says, in short.
func told(i object) string {
	if i["Type"] == "MESSAGE" {
		return i["ParticipantRole"].(string) + ": " + i["Content"].(string)
	}
	text, _ := i["ContentType"].(string)
	const events = "application/vnd.amazonaws.connect.event."
	if len(text) > len(events) && text[:len(events)] == events {
		text = text[len(events):]
	}
	if role, _ := i["ParticipantRole"].(string); role != "" {
		return text + " " + role
	}
	if text == "" {
		text, _ = i["Type"].(string)
	}
	return text
}

// transcript is all of it, in short, the oldest first.
func (b *bench) transcript(token string, more ...object) []string {
	b.t.Helper()
	in := object{"SortOrder": "ASCENDING", "ScanDirection": "FORWARD", "MaxResults": 100}
	for _, m := range more {
		for k, v := range m {
			in[k] = v
		}
	}
	var all []string
	for _, i := range b.must(token, "transcript", in)["Transcript"].([]any) {
		all = append(all, told(i.(object)))
	}
	return all
}

// eventually waits for a condition.
func (b *bench) eventually(what string, holds func() bool) {
	b.t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); {
		if time.Now().After(end) {
			b.t.Fatalf("%s: it does not come to that", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

// denied checks that a token is good for nothing.
func (b *bench) denied(what, token, path string, in object) {
	b.t.Helper()
	_, err := b.ask(token, path, in)
	if err == nil {
		b.t.Errorf("%s: it was answered", what)
		return
	}
	servertest.Fails(b.t, err, fault.AccessDenied)
}
