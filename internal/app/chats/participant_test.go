package chats_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/coder/websocket"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// TestBot: a bot is invited, connects, talks and goes; the flow knows whether one
// is there.
func TestBot(t *testing.T) {
	b := boot(t)
	c := b.start(b.flow("bots", botFlow))
	token, url := b.connect(*c.ParticipantToken)
	mary := b.open(url)
	b.eventually("the flow looks for a bot", func() bool { return slices.Contains(b.transcript(token), "SYSTEM: There is no bot.") })

	invite := func(token string) (*connect.CreateParticipantOutput, error) {
		return b.Connect.CreateParticipant(t.Context(), &connect.CreateParticipantInput{
			InstanceId: &b.instance, ContactId: c.ContactId, ClientToken: &token,
			ParticipantDetails: &types.ParticipantDetailsToAdd{ParticipantRole: types.ParticipantRoleCustomBot, DisplayName: aws.String("Robbie")},
		})
	}
	bot, err := invite("one")
	servertest.OK(t, err)
	same, err := invite("one")
	servertest.OK(t, err)
	servertest.Same(t, "participant of a request sent again", same.ParticipantId, bot.ParticipantId)
	_, err = invite("two")
	servertest.Fails(t, err, fault.ServiceQuotaExceeded)

	out := b.must(*bot.ParticipantCredentials.ParticipantToken, "connection", object{"Type": []string{"CONNECTION_CREDENTIALS"}, "ConnectParticipant": true})
	robbie := out["ConnectionCredentials"].(object)["ConnectionToken"].(string)
	mary.hears("participant.joined CUSTOM_BOT")
	sent := b.must(robbie, "message", object{"ContentType": "text/markdown", "Content": "**Hi**"})
	mary.hears("CUSTOM_BOT: **Hi**")

	// Receipts are heard at once, and are in the transcript with their message.
	for _, what := range []string{"delivered", "read"} {
		b.must(token, "event", object{"ContentType": "application/vnd.amazonaws.connect.event.message." + what, "Content": fmt.Sprintf(`{"messageId":%q}`, sent["Id"])})
		metadata := mary.item()["MessageMetadata"].(object)
		servertest.Same(t, "message of the receipt", metadata["MessageId"], sent["Id"])
		receipt := metadata["Receipts"].([]any)[0].(object)
		if _, read := receipt["ReadTimestamp"]; read != (what == "read") || receipt["RecipientParticipantId"] != *c.ParticipantId {
			t.Errorf("a receipt for %s: %v", what, receipt)
		}
	}
	page := b.must(token, "transcript", object{"StartPosition": object{"Id": sent["Id"]}, "MaxResults": 1})["Transcript"].([]any)[0].(object)
	receipts := page["MessageMetadata"].(object)["Receipts"].([]any)
	if len(receipts) != 1 || receipts[0].(object)["DeliveredTimestamp"] == nil || receipts[0].(object)["ReadTimestamp"] == nil {
		t.Errorf("receipts in the transcript: %v", receipts)
	}

	b.must(token, "message", object{"ContentType": "text/plain", "Content": "Thanks."}) // the flow now waits for the bot's end
	mary.hears("CUSTOMER: Thanks.")
	b.must(robbie, "disconnect", object{})
	mary.hears("participant.left CUSTOM_BOT", "SYSTEM: The bot has gone.", "participant.left CUSTOMER", "chat.ended")
	b.denied("a bot that has gone", robbie, "message", object{"ContentType": "text/plain", "Content": "!"})
}

// TestView: a flow shows a view, the customer reads and answers it.
func TestView(t *testing.T) {
	b := boot(t)
	made, err := b.Connect.CreateView(t.Context(), &connect.CreateViewInput{
		InstanceId: &b.instance, Name: aws.String("question"), Status: types.ViewStatusPublished,
		Content: &types.ViewInputContent{Template: aws.String(`{"Head":{"Title":"Well?","Configuration":{}},"Body":[]}`), Actions: []string{"Yes", "No"}},
	})
	servertest.OK(t, err)
	c := b.start(b.flow("view", strings.Replace(view, "VIEW", *made.View.Arn, 1)))
	token, url := b.connect(*c.ParticipantToken)
	mary := b.open(url)
	var shown struct {
		TemplateType string
		Data         struct {
			Content struct {
				ViewToken string
				ViewData  object
			}
		}
	}
	b.eventually("the view", func() bool {
		for _, i := range b.must(token, "transcript", object{})["Transcript"].([]any) {
			if i := i.(object); i["ContentType"] == "application/vnd.amazonaws.connect.message.interactive" {
				servertest.OK(t, json.Unmarshal([]byte(i["Content"].(string)), &shown))
				return true
			}
		}
		return false
	})
	servertest.Same(t, "what is shown", []any{shown.TemplateType, shown.Data.Content.ViewData}, []any{"ViewResource", object{"Heading": "Well?"}})
	out := b.must(token, "views/"+shown.Data.Content.ViewToken, nil)["View"].(object)
	servertest.Same(t, "the view", []any{out["Name"], out["Content"].(object)["Actions"]}, []any{"question", []string{"Yes", "No"}})

	const response = "application/vnd.amazonaws.connect.message.interactive.response"
	b.must(token, "message", object{"ContentType": response, "Content": `{"action":"Yes","data":{"Name":"Mary"}}`})
	mary.hears(`CUSTOMER: {"action":"Yes","data":{"Name":"Mary"}}`, "SYSTEM: Thank you, Mary.", "participant.left CUSTOMER", "chat.ended")
	_, err = b.ask(token, "views/"+shown.Data.Content.ViewToken, nil)
	servertest.Fails(t, err, fault.ResourceNotFound)
}

// TestTranscriptPages: pages in both directions, from every kind of position, while
// more is said.
func TestTranscriptPages(t *testing.T) {
	b := boot(t)
	c := b.start(b.flow("greeting", greeting))
	token, _ := b.connect(*c.ParticipantToken)
	b.eventually("the greeting", func() bool { return len(b.transcript(token)) == 2 })
	say := func(text string) object {
		return b.must(token, "message", object{"ContentType": "text/plain", "Content": text})
	}
	sent := map[string]object{}
	for i := range 7 {
		text := fmt.Sprint("m", i)
		sent[text] = say(text)
		if i == 0 {
			b.eventually("the flow's answer", func() bool { return len(b.transcript(token)) == 4 })
		}
	}
	all := b.transcript(token)
	if len(all) != 10 {
		t.Fatalf("transcript %q", all)
	}
	reversed := slices.Clone(all)
	slices.Reverse(reversed)
	at := func(text string) int { return slices.Index(all, "CUSTOMER: "+text) }
	pages := func(in object) [][]string {
		in["MaxResults"] = 3
		return servertest.Pages(t, func(next *string) ([]string, *string, error) {
			if next != nil {
				in["NextToken"] = *next
			}
			out, err := b.ask(token, "transcript", in)
			if err != nil {
				return nil, nil, err
			}
			var page []string
			for _, i := range out["Transcript"].([]any) {
				page = append(page, told(i.(object)))
			}
			if n, more := out["NextToken"].(string); more {
				return page, &n, nil
			}
			return page, nil, nil
		})
	}
	for _, c := range []struct {
		name string
		in   object
		want []string
	}{
		{"by default", object{}, reversed},
		{"forward", object{"ScanDirection": "FORWARD", "SortOrder": "ASCENDING"}, all},
		{"from an item on", object{"StartPosition": object{"Id": sent["m3"]["Id"]}, "SortOrder": "ASCENDING"}, all[at("m3"):]},
		{"from an item back", object{"StartPosition": object{"Id": sent["m3"]["Id"]}, "ScanDirection": "BACKWARD"}, reversed[len(all)-1-at("m3"):]},
		{"the latest", object{"StartPosition": object{"MostRecent": 4}, "SortOrder": "ASCENDING"}, all[6:]},
		{"from the end of time", object{"StartPosition": object{"AbsoluteTime": "2999-01-01T00:00:00.000Z"}}, nil},
		{"back from the end of time", object{"StartPosition": object{"AbsoluteTime": "2999-01-01T00:00:00.000Z"}, "ScanDirection": "BACKWARD"}, reversed},
		{"from the beginning of time", object{"StartPosition": object{"AbsoluteTime": "1999-01-01T00:00:00.000Z"}, "SortOrder": "ASCENDING"}, all},
		{"back from the beginning of time", object{"StartPosition": object{"AbsoluteTime": "1999-01-01T00:00:00.000Z"}, "ScanDirection": "BACKWARD"}, nil},
	} {
		// The model's default order of a page is DESCENDING.
		if c.in["SortOrder"] == nil {
			c.in["SortOrder"] = "DESCENDING"
		}
		if got := slices.Concat(pages(c.in)...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	for what, in := range map[string]object{
		"no such item": {"StartPosition": object{"Id": "none"}}, "no time": {"StartPosition": object{"AbsoluteTime": "noon"}},
		"no such token": {"NextToken": "token"}, "a contact of somebody else": {"ContactId": "3fa85f64-5717-4562-b3fc-2c963f66afa6"},
	} {
		if _, err := b.ask(token, "transcript", in); err == nil {
			t.Errorf("%s: it was answered", what)
		} else {
			servertest.Fails(t, err, fault.Validation)
		}
	}
}

// TestPersistentChat: a chat goes on from a past one, and shows its transcript.
func TestPersistentChat(t *testing.T) {
	b := boot(t)
	flow := b.flow("greeting", greeting)
	past := b.start(flow)
	token, _ := b.connect(*past.ParticipantToken)
	b.must(token, "message", object{"ContentType": "text/plain", "Content": "long ago"})
	persistent := func(in *connect.StartChatContactInput) {
		in.PersistentChat = &types.PersistentChat{RehydrationType: types.RehydrationTypeEntirePastSession, SourceContactId: past.ContactId}
	}
	in := &connect.StartChatContactInput{InstanceId: &b.instance, ContactFlowId: &flow, ParticipantDetails: &types.ParticipantDetails{DisplayName: aws.String("Mary")}}
	persistent(in)
	_, err := b.Connect.StartChatContact(t.Context(), in)
	servertest.Fails(t, err, fault.InvalidRequest, "has not ended")
	b.must(token, "disconnect", object{})
	before := b.transcript(token)

	now := b.start(flow, persistent)
	servertest.Same(t, "ContinuedFromContactId", now.ContinuedFromContactId, past.ContactId)
	token, _ = b.connect(*now.ParticipantToken)
	if got := b.transcript(token); !slices.Equal(got[:len(before)], before) {
		t.Errorf("transcript %q does not begin with that of the past chat, %q", got, before)
	}
	if got := b.transcript(token, object{"ContactId": *past.ContactId}); !slices.Equal(got, before) {
		t.Errorf("transcript of the past contact: %q, want %q", got, before)
	}
	items := b.must(token, "transcript", object{"ScanDirection": "FORWARD", "MaxResults": 1})["Transcript"].([]any)
	if i := items[0].(object); i["RelatedContactId"] != *past.ContactId || i["ContactId"] != nil {
		t.Errorf("an item of the past: %v", i)
	}

	// Another is tied to it later.
	third := b.start(flow)
	token, url := b.connect(*third.ParticipantToken)
	mary := b.open(url)
	associate := func() (*connect.CreatePersistentContactAssociationOutput, error) {
		return b.Connect.CreatePersistentContactAssociation(t.Context(), &connect.CreatePersistentContactAssociationInput{
			InstanceId: &b.instance, InitialContactId: third.ContactId, SourceContactId: past.ContactId, RehydrationType: types.RehydrationTypeFromSegment,
		})
	}
	out, err := associate()
	servertest.OK(t, err)
	servertest.Same(t, "ContinuedFromContactId", out.ContinuedFromContactId, past.ContactId)
	mary.hears("chat.rehydrated")
	if got := b.transcript(token); !slices.Equal(got[:len(before)], before) {
		t.Errorf("transcript %q", got)
	}
}

// TestAttachment: a file is announced, uploaded, sent, and read by everybody.
func TestAttachment(t *testing.T) {
	b := boot(t)
	c := b.start(b.flow("greeting", greeting))
	token, url := b.connect(*c.ParticipantToken)
	mary := b.open(url)
	start := func(name, contentType string, size int) (object, error) {
		return b.ask(token, "start-attachment-upload", object{"AttachmentName": name, "ContentType": contentType, "AttachmentSizeInBytes": size, "ClientToken": name})
	}
	for _, wrong := range []struct {
		name, contentType string
		size              int
	}{{"run.exe", "application/octet-stream", 1}, {"terms.txt", "application/pdf", 1}, {"film.mp4", "video/mp4", 20<<20 + 1}} {
		if _, err := start(wrong.name, wrong.contentType, wrong.size); err == nil {
			t.Errorf("%v was taken", wrong)
		} else {
			servertest.Fails(t, err, fault.Validation)
		}
	}
	out, err := start("terms.txt", "text/plain", 5)
	servertest.OK(t, err)
	id, to := out["AttachmentId"].(string), out["UploadMetadata"].(object)
	complete := func() error {
		_, err := b.ask(token, "complete-attachment-upload", object{"AttachmentIds": []string{id}, "ClientToken": "c"})
		return err
	}
	servertest.Fails(t, complete(), fault.Validation, "Nothing has been uploaded")
	if _, err := b.ask(token, "attachment", object{"AttachmentId": id}); err == nil {
		t.Error("a file that is not there can be read")
	}
	fetch := func(method, url string, body io.Reader, headers object) string {
		r, err := http.NewRequestWithContext(t.Context(), method, url, body)
		servertest.OK(t, err)
		for name, value := range headers {
			r.Header.Set(name, value.(string))
		}
		resp, err := http.DefaultClient.Do(r)
		servertest.OK(t, err)
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		servertest.OK(t, err)
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %s", method, resp.Status, raw)
		}
		return string(raw)
	}
	fetch(http.MethodPut, to["Url"].(string), strings.NewReader("terms"), to["HeadersToInclude"].(object))
	servertest.OK(t, complete())
	item := mary.item()
	for item["Type"] != "ATTACHMENT" { // the flow speaks meanwhile
		item = mary.item()
	}
	servertest.Same(t, "attachment", item["Attachments"], []object{{"AttachmentId": id, "AttachmentName": "terms.txt", "ContentType": "text/plain", "Status": "APPROVED"}})
	servertest.Fails(t, complete(), fault.Conflict)
	got := b.must(token, "attachment", object{"AttachmentId": id, "UrlExpiryInSeconds": 5})
	if text := fetch(http.MethodGet, got["Url"].(string), nil, nil); text != "terms" || got["AttachmentSizeInBytes"] != float64(5) {
		t.Errorf("the file holds %q: %v", text, got)
	}
}

// TestStreaming: everything that is said goes to a topic, in its order, though the
// topic fails at first.
func TestStreaming(t *testing.T) {
	const topic = "arn:aws:sns:us-east-1:123456789012:chats"
	type notification struct {
		Type, TopicArn, Message string
		MessageAttributes       map[string]struct{ Type, Value string }
	}
	var mu sync.Mutex
	var heard []notification
	refusals := 1
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if refusals > 0 {
			refusals--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var n notification
		if err := json.NewDecoder(r.Body).Decode(&n); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		heard = append(heard, n)
	}))
	defer receiver.Close()
	b := boot(t, func(c *server.Config) { c.Streaming.Topics = map[string]string{topic: receiver.URL} })
	c := b.start(b.flow("greeting", greeting))
	stream := func(arn string) (*connect.StartContactStreamingOutput, error) {
		return b.Connect.StartContactStreaming(t.Context(), &connect.StartContactStreamingInput{
			InstanceId: &b.instance, ContactId: c.ContactId, ClientToken: aws.String("token"),
			ChatStreamingConfiguration: &types.ChatStreamingConfiguration{StreamingEndpointArn: &arn},
		})
	}
	for _, arn := range []string{"arn:aws:sqs:us-east-1:123456789012:chats", topic + ".fifo"} {
		_, err := stream(arn)
		servertest.Fails(t, err, fault.InvalidRequest)
	}
	started, err := stream(topic)
	servertest.OK(t, err)
	again, err := stream(topic)
	servertest.OK(t, err)
	servertest.Same(t, "streaming that was asked for twice", again.StreamingId, started.StreamingId)

	out := b.must(*c.ParticipantToken, "connection", object{"Type": []string{"CONNECTION_CREDENTIALS"}, "ConnectParticipant": true})
	token := out["ConnectionCredentials"].(object)["ConnectionToken"].(string)
	b.must(token, "message", object{"ContentType": "text/plain", "Content": "one"})
	b.must(token, "message", object{"ContentType": "text/plain", "Content": "two"})
	b.must(token, "disconnect", object{})
	want := b.transcript(token)
	texts := func() []string {
		mu.Lock()
		defer mu.Unlock()
		var all []string
		for _, n := range heard {
			i := object{}
			servertest.OK(t, json.Unmarshal([]byte(n.Message), &i))
			all = append(all, told(i))
		}
		return all
	}
	b.eventually("all of the chat at the topic", func() bool { return slices.Equal(texts(), want) })
	mu.Lock()
	defer mu.Unlock()
	for _, n := range heard {
		if a := n.MessageAttributes; n.Type != "Notification" || n.TopicArn != topic || a["ContactId"].Value != *c.ContactId || a["MessageVisibility"].Value != "ALL" || a["InstanceId"].Value != b.instance {
			t.Errorf("notification %+v", n)
		}
	}
}

// TestSockets: how many there may be, what they may send, and what becomes of a
// chat when they are gone.
func TestSockets(t *testing.T) {
	b := boot(t)
	c := b.start(b.flow("greeting", greeting))
	_, url := b.connect(*c.ParticipantToken)
	var open []*socket
	for range 5 {
		open = append(open, b.open(url))
	}
	_, resp, err := websocket.Dial(t.Context(), url, nil)
	if err == nil || resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a sixth WebSocket: %v", err)
	}
	servertest.OK(t, open[0].Close(websocket.StatusNormalClosure, ""))
	b.eventually("a place that is free", func() bool {
		ws, resp, err := websocket.Dial(t.Context(), url, nil)
		if err != nil {
			_ = resp.Body.Close()
			return false
		}
		open = append(open, &socket{ws, t})
		return true
	})
	for _, bad := range []string{url + "x", strings.Split(url, "?")[0], strings.Replace(url, "token=", "token="+*c.ParticipantToken+"&", 1)} {
		if _, resp, err := websocket.Dial(t.Context(), bad, nil); err == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %v", bad, err)
		}
	}
	open[1].send(`no JSON`)
	if _, _, err := open[1].Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Errorf("after nonsense: %v", err)
	}
	open[2].send(`{"topic":"aws/subscribe","content":{"topics":["aws/else"]}}`)
	servertest.Same(t, "a topic that there is not", open[2].frame(), object{"topic": "aws/subscribe", "content": object{"status": "failure", "topics": []string{}}})
	open[2].send(`{"topic":"aws/unsubscribe","content":{"topics":["aws/chat"]}}`)
	servertest.Same(t, "an end of a subscription", open[2].frame(), object{"topic": "aws/unsubscribe", "content": object{"status": "success", "topics": []string{"aws/chat"}}})
}

// TestRestart: after a restart tokens are good and the chat is where it was.
func TestRestart(t *testing.T) {
	data := t.TempDir()
	at := func(c *server.Config) { c.Data = data }
	first, err := server.Start(t.Context(), server.Config{Listen: "127.0.0.1:0", Data: data})
	servertest.OK(t, err)
	s := &servertest.Server{Server: first}
	s.Connect = s.Client(first.Root.AccessKeyID, first.Root.SecretAccessKey)
	b := &bench{s, t, s.NewInstance(t)}
	c := b.start(b.flow("greeting", greeting))
	token, _ := b.connect(*c.ParticipantToken)
	b.eventually("the greeting", func() bool { return len(b.transcript(token)) == 2 })
	servertest.OK(t, first.Close())

	b.Server = servertest.Boot(t, at)
	_, url := b.connect(*c.ParticipantToken)
	mary := b.open(url)
	b.must(token, "message", object{"ContentType": "text/plain", "Content": "Still there?"})
	mary.hears("CUSTOMER: Still there?", "SYSTEM: You said something.")
	servertest.Same(t, "transcript", b.transcript(token), []string{"participant.joined CUSTOMER", "SYSTEM: Hello!", "CUSTOMER: Still there?", "SYSTEM: You said something."})
}

// TestStartChatContact: what a chat may begin with.
func TestStartChatContact(t *testing.T) {
	b := boot(t)
	flow := b.flow("greeting", greeting)
	queueFlow, err := b.Connect.CreateContactFlow(t.Context(), &connect.CreateContactFlowInput{
		InstanceId: &b.instance, Name: aws.String("queue"), Type: types.ContactFlowTypeCustomerQueue,
		Content: aws.String(`{"Version":"2019-10-30","StartAction":"a","Actions":[{"Identifier":"a","Type":"EndFlowExecution","Parameters":{},"Transitions":{}}]}`),
	})
	servertest.OK(t, err)
	message := func(contentType, content string) func(*connect.StartChatContactInput) {
		return func(in *connect.StartChatContactInput) {
			in.InitialMessage = &types.ChatMessage{ContentType: &contentType, Content: &content}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*connect.StartChatContactInput)
		code   fault.Code // "" for a success
		word   string
	}{
		{"an unknown flow", func(in *connect.StartChatContactInput) {
			in.ContactFlowId = aws.String("3fa85f64-5717-4562-b3fc-2c963f66afa6")
		}, fault.ResourceNotFound, "Resource not found of Type: null"},
		{"a flow of another type", func(in *connect.StartChatContactInput) { in.ContactFlowId = queueFlow.ContactFlowId }, fault.InvalidRequest, "CONTACT_FLOW"},
		{"text of 1024 characters", message("text/plain", strings.Repeat("ä", 1024)), "", ""},
		{"text of 1025 characters", message("text/plain", strings.Repeat("ä", 1025)), fault.InvalidRequest, "too long"},
		{"JSON", message("application/json", `{"a":1}`), "", ""},
		{"what is no JSON", message("application/json", `{"a":`), fault.InvalidRequest, "JSON"},
		{"a type that there is not", message("text/html", "<p>"), fault.InvalidRequest, "ContentType"},
		{"types without text/plain", func(in *connect.StartChatContactInput) {
			in.SupportedMessagingContentTypes = []string{"text/markdown"}
		}, fault.InvalidRequest, "text/plain"},
		{"types that there are not", func(in *connect.StartChatContactInput) {
			in.SupportedMessagingContentTypes = []string{"text/plain", "text/html"}
		}, fault.InvalidRequest, "text/html"},
		{"two that came before", func(in *connect.StartChatContactInput) {
			in.RelatedContactId, in.PersistentChat = aws.String("a"), &types.PersistentChat{}
		}, fault.InvalidRequest, "together"},
		{"a segment attribute", func(in *connect.StartChatContactInput) {
			in.SegmentAttributes = map[string]types.SegmentAttributeValue{"connect:Direction": {ValueString: aws.String("INBOUND")}}
		}, fault.InvalidRequest, "connect:Subtype"},
	} {
		in := &connect.StartChatContactInput{InstanceId: &b.instance, ContactFlowId: &flow, ParticipantDetails: &types.ParticipantDetails{DisplayName: aws.String("Mary")}}
		c.change(in)
		_, err := b.Connect.StartChatContact(t.Context(), in)
		t.Run(c.name, func(t *testing.T) { servertest.Fails(t, err, c.code, c.word) })
	}

	with := func(in *connect.StartChatContactInput) { in.ClientToken = aws.String("token") }
	one, two := b.start(flow, with), b.start(flow, with)
	servertest.Same(t, "a chat asked for twice", []*string{two.ContactId, two.ParticipantId}, []*string{one.ContactId, one.ParticipantId})
	token, _ := b.connect(*two.ParticipantToken)
	if got := b.transcript(token); got[0] != "participant.joined CUSTOMER" {
		t.Errorf("transcript %q", got)
	}
	// What a token is for is all that it is good for.
	b.denied("a participant's token to speak", *one.ParticipantToken, "message", object{"ContentType": "text/plain", "Content": "!"})
	b.denied("a connection's token to connect", token, "connection", object{"Type": []string{"WEBSOCKET"}})
	_, err = b.Connect.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &b.instance})
	servertest.OK(t, err)
	b.denied("the token of an instance that is gone", token, "transcript", object{})
}
