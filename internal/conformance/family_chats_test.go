package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/chat"
	"ringdown/internal/domain"
	"ringdown/internal/server/servertest"
)

const (
	chatFlow         kind = "ContactFlow that keeps chats"
	viewFlow         kind = "ContactFlow that shows a view"
	liveChat         kind = "Contact that is a chat"
	endedChat        kind = "Contact that was a chat"
	participantToken kind = "ParticipantToken"
	connectionToken  kind = "ConnectionToken"
)

// chatFlowContent keeps a chat for a day.
const chatFlowContent = `{"Version":"2019-10-30","StartAction":"wait","Actions":[
	{"Identifier":"wait","Type":"Wait","Parameters":{"TimeLimitSeconds":"86400"},"Transitions":{"NextAction":"end","Conditions":[
		{"NextAction":"end","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}}],"Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]}},
	{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`

// viewFlowContent shows a view; %s is its ARN.
const viewFlowContent = `{"Version":"2019-10-30","StartAction":"show","Actions":[
	{"Identifier":"show","Type":"ShowView","Parameters":{"ViewResource":{"Id":"%s","Version":"$LATEST"},"InvocationTimeLimitSeconds":"400"},
		"Transitions":{"NextAction":"end","Conditions":[],"Errors":[{"NextAction":"end","ErrorType":"NoMatchingCondition"},
			{"NextAction":"end","ErrorType":"NoMatchingError"},{"NextAction":"end","ErrorType":"TimeLimitExceeded"}]}},
	{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`

func init() {
	ofChat := func(member string) func(testing.TB, *world, object, style) {
		return with(member, func(t testing.TB, w *world) any { return w.fresh(t, liveChat) })
	}
	message := object{"ContentType": "text/plain", "Content": "Hello"}
	types := given("SupportedMessagingContentTypes", always([]any{"text/plain", "text/markdown"}))
	attributes := given("Attributes", always(object{"Language": "en"}))
	flow := func(content func(t testing.TB, w *world) string) maker {
		return func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateContactFlow(ctx, &connect.CreateContactFlowInput{
				InstanceId: &w.instance, Name: w.name(), Type: "CONTACT_FLOW", Content: aws.String(content(t, w)),
			})
			if err != nil {
				return nil, err
			}
			return out.ContactFlowId, nil
		}
	}
	add(family{
		makers: map[kind]maker{
			chatFlow: flow(func(testing.TB, *world) string { return chatFlowContent }),
			viewFlow: flow(func(t testing.TB, w *world) string {
				return fmt.Sprintf(viewFlowContent, w.arn("view", w.shared(t, view)))
			}),
			liveChat: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := startChat(ctx, t, w, c, chatFlow)
				if err != nil {
					return nil, err
				}
				return out.ContactId, nil
			},
			endedChat: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				id, _, err := chatThatEnded(ctx, t, w, c)
				return id, err
			},
			participantToken: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := startChat(ctx, t, w, c, chatFlow)
				if err != nil {
					return nil, err
				}
				return out.ParticipantToken, nil
			},
			connectionToken: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := startChat(ctx, t, w, c, chatFlow)
				if err != nil {
					return nil, err
				}
				return connected(t, w, out.ParticipantToken), nil
			},
		},
		badTokens: map[kind]map[string]maker{
			participantToken: {
				"expired": func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
					_, token, err := chatThatEnded(ctx, t, w, c)
					return token, err
				},
			},
			connectionToken: {"expired": expired},
		},
		references: map[string]kind{"ParticipantToken": participantToken, "ConnectionToken": connectionToken},
		literals: map[string]any{
			"StreamingEndpointArn": "arn:aws:sns:us-east-1:123456789012:chats", "ParticipantRole": "CUSTOMER",
		},
		recipes: map[string]recipe{
			"StartChatContact": of(without("PersistentChat"), types, attributes, given("InitialMessage", always(message)),
				given("SegmentAttributes", always(object{"connect:Subtype": object{"ValueString": "connect:Guide"}}))),
			"StartOutboundChatContact": of(without("InitialTemplatedSystemMessage"), types, attributes, given("InitialSystemMessage", always(message)),
				with("SegmentAttributes", always(object{"connect:Subtype": object{"ValueString": "connect:SMS"}})),
				with("SourceEndpoint", always(object{"Type": "TELEPHONE_NUMBER", "Address": "+15555550100"})),
				with("DestinationEndpoint", always(object{"Type": "TELEPHONE_NUMBER", "Address": "+15555550101"}))),
			"CreateParticipant": of(ofChat("ContactId"), with("ParticipantDetails", always(object{"ParticipantRole": "CUSTOM_BOT", "DisplayName": "Bot"}))),
			"CreatePersistentContactAssociation": of(ofChat("InitialContactId"),
				with("SourceContactId", func(t testing.TB, w *world) any { return w.fresh(t, endedChat) })),
			"StartContactStreaming":       of(ofChat("ContactId")),
			"StopContactStreaming":        of(streamed),
			"UpdateParticipantRoleConfig": of(ofChat("ContactId")),

			"ConnectParticipant.CreateParticipantConnection": of(with("Type", always([]any{"WEBSOCKET", "CONNECTION_CREDENTIALS"}))),
			"ConnectParticipant.DisconnectParticipant":       of(freshConnection),
			"ConnectParticipant.SendMessage":                 of(with("ContentType", always("text/plain")), with("Content", always("Hello"))),
			"ConnectParticipant.SendEvent":                   of(with("ContentType", always(domain.ChatTyping))),
			"ConnectParticipant.GetTranscript":               of(without("ContactId"), given("StartPosition", always(object{"MostRecent": float64(5)}))),
			"ConnectParticipant.StartAttachmentUpload": of(freshConnection, with("AttachmentName", always("terms.txt")),
				with("ContentType", always("text/plain")), with("AttachmentSizeInBytes", always(float64(5)))),
			"ConnectParticipant.CompleteAttachmentUpload": of(attached(false)),
			"ConnectParticipant.GetAttachment":            of(attached(true)),
			"ConnectParticipant.DescribeView":             of(shown),
			// No identity provider is served, so there is no session.
			"ConnectParticipant.GetAuthenticationUrl":            {answer: "ValidationException"},
			"ConnectParticipant.CancelParticipantAuthentication": {answer: "ValidationException"},
		},
	})
	merge(fewOperations, map[string]string{"ConnectParticipant.GetTranscript": "what was said in one chat; the area's own tests page through it"})
}

func startChat(ctx context.Context, t testing.TB, w *world, c *connect.Client, flow kind) (*connect.StartChatContactOutput, error) {
	t.Helper()
	return c.StartChatContact(ctx, &connect.StartChatContactInput{
		InstanceId: &w.instance, ContactFlowId: aws.String(w.shared(t, flow)), ParticipantDetails: &types.ParticipantDetails{DisplayName: aws.String("Mary")},
	})
}

// participate makes a request of the Participant service that must succeed.
func participate(t testing.TB, w *world, token *string, path string, in object) map[string]any {
	t.Helper()
	body, err := json.Marshal(in)
	servertest.OK(t, err)
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, w.server.URL+"/participant/"+path, bytes.NewReader(body))
	servertest.OK(t, err)
	r.Header.Set(bearer, *token)
	resp, err := w.client.Do(r)
	servertest.OK(t, err)
	defer resp.Body.Close()
	out := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v %v", path, resp.Status, out, err)
	}
	return out
}

// connected is the connection token of a participant.
func connected(t testing.TB, w *world, token *string) *string {
	t.Helper()
	out := participate(t, w, token, "connection", object{"Type": []any{"CONNECTION_CREDENTIALS"}, "ConnectParticipant": true})
	return aws.String(out["ConnectionCredentials"].(map[string]any)["ConnectionToken"].(string))
}

func chatThatEnded(ctx context.Context, t testing.TB, w *world, c *connect.Client) (id, token *string, err error) {
	t.Helper()
	out, err := startChat(ctx, t, w, c, chatFlow)
	if err != nil {
		return nil, nil, err
	}
	participate(t, w, connected(t, w, out.ParticipantToken), "disconnect", object{})
	return out.ContactId, out.ParticipantToken, nil
}

// expired makes a connection token that is over, of a chat that goes on.
func expired(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
	out, err := startChat(ctx, t, w, c, chatFlow)
	if err != nil {
		return nil, err
	}
	tokens := chat.NewTokens(time.Now)
	if err := tokens.Open(w.server.Root.SecretAccessKey); err != nil {
		return nil, err
	}
	claims := chat.Claims{
		Kind: chat.ConnectionToken, Instance: domain.InstanceID(w.instance), Region: servertest.Region,
		Contact: domain.ContactID(*out.ContactId), Participant: *out.ParticipantId,
	}
	// The same token with its end ahead is taken, so nothing else is wrong with it.
	good, _ := tokens.Issue(claims, time.Hour)
	participate(t, w, &good, "transcript", object{})
	over, _ := tokens.Issue(claims, -time.Minute)
	return &over, nil
}

func freshConnection(t testing.TB, w *world, in object, _ style) {
	in["ConnectionToken"] = w.fresh(t, connectionToken)
}

// streamed names the streaming of a chat.
func streamed(t testing.TB, w *world, in object, _ style) {
	id := w.fresh(t, liveChat)
	out, err := w.server.Connect.StartContactStreaming(context.Background(), &connect.StartContactStreamingInput{
		InstanceId: &w.instance, ContactId: &id, ClientToken: aws.String("token"),
		ChatStreamingConfiguration: &types.ChatStreamingConfiguration{StreamingEndpointArn: aws.String("arn:aws:sns:us-east-1:123456789012:chats")},
	})
	servertest.OK(t, err)
	in["ContactId"], in["StreamingId"] = id, *out.StreamingId
}

// attached names a file that has been uploaded, and perhaps sent.
func attached(sent bool) func(testing.TB, *world, object, style) {
	return func(t testing.TB, w *world, in object, how style) {
		freshConnection(t, w, in, how)
		token := in["ConnectionToken"].(string)
		out := participate(t, w, &token, "start-attachment-upload", object{
			"AttachmentName": "terms.txt", "ContentType": "text/plain", "AttachmentSizeInBytes": 5, "ClientToken": "token",
		})
		to := out["UploadMetadata"].(map[string]any)
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPut, to["Url"].(string), strings.NewReader("terms"))
		servertest.OK(t, err)
		for name, value := range to["HeadersToInclude"].(map[string]any) {
			r.Header.Set(name, value.(string))
		}
		resp, err := w.client.Do(r)
		servertest.OK(t, err)
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("upload: %s", resp.Status)
		}
		if !sent {
			in["AttachmentIds"] = []any{out["AttachmentId"]}
			return
		}
		participate(t, w, &token, "complete-attachment-upload", object{"AttachmentIds": []any{out["AttachmentId"]}, "ClientToken": "token"})
		in["AttachmentId"] = out["AttachmentId"]
	}
}

// shown names a view that a flow shows.
func shown(t testing.TB, w *world, in object, _ style) {
	out, err := startChat(context.Background(), t, w, w.server.Connect, viewFlow)
	servertest.OK(t, err)
	token := connected(t, w, out.ParticipantToken)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		for _, i := range participate(t, w, token, "transcript", object{})["Transcript"].([]any) {
			if i.(map[string]any)["ContentType"] != domain.ChatInteractive {
				continue
			}
			var message struct {
				Data struct {
					Content struct{ ViewToken string }
				}
			}
			servertest.OK(t, json.Unmarshal([]byte(i.(map[string]any)["Content"].(string)), &message))
			in["ConnectionToken"], in["ViewToken"] = *token, message.Data.Content.ViewToken
			return
		}
	}
	t.Fatal("the flow shows no view")
}
