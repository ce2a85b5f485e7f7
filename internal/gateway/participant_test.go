package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/prometheus/client_golang/prometheus"

	"ringdown/internal/contract/connectparticipant"
	"ringdown/internal/contract/connectparticipant/types"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/gateway"
)

// participants serves a few operations of the Participant service.
type participants struct{}

// SendMessage fails as its content says; else its answer tells who called.
func (participants) SendMessage(ctx context.Context, in *connectparticipant.SendMessageInput) (*connectparticipant.SendMessageOutput, error) {
	switch *in.Content {
	case "panic":
		panic("the secret of the panic")
	case "error":
		return nil, errors.New("the secret of the error")
	case "say":
		c := domain.CallerOf(ctx)
		return &connectparticipant.SendMessageOutput{
			Id: in.ConnectionToken, AbsoluteTime: aws.String(strings.Join([]string{c.Account, c.Region, c.ARN, c.PrincipalID}, "/")),
			MessageMetadata: &types.MessageProcessingMetadata{MessageProcessingStatus: types.MessageProcessingStatusProcessing},
		}, nil
	default:
		return nil, fault.New(fault.Code(*in.Content), "no")
	}
}

func (participants) StartAttachmentUpload(context.Context, *connectparticipant.StartAttachmentUploadInput) (*connectparticipant.StartAttachmentUploadOutput, error) {
	return nil, fault.New(fault.LimitExceeded, "no")
}

func (participants) CompleteAttachmentUpload(context.Context, *connectparticipant.CompleteAttachmentUploadInput) (*connectparticipant.CompleteAttachmentUploadOutput, error) {
	return nil, fault.New(fault.ResourceConflict, "no")
}

func (participants) GetTranscript(_ context.Context, in *connectparticipant.GetTranscriptInput) (*connectparticipant.GetTranscriptOutput, error) {
	return &connectparticipant.GetTranscriptOutput{Transcript: []types.Item{{Id: in.StartPosition.Id}}}, nil
}

// DescribeView has the name of an operation of Amazon Connect.
func (participants) DescribeView(_ context.Context, in *connectparticipant.DescribeViewInput) (*connectparticipant.DescribeViewOutput, error) {
	if *in.ViewToken == "gone" {
		return nil, fault.New(fault.ResourceNotFound, "no").With("ResourceType", types.ResourceTypeContact)
	}
	return &connectparticipant.DescribeViewOutput{View: &types.View{Id: in.ViewToken, Version: aws.Int32(2)}}, nil
}

type views struct{}

func (views) DescribeView(context.Context, *connect.DescribeViewInput) (*connect.DescribeViewOutput, error) {
	return nil, nil
}

type mixedTypes struct{}

func (mixedTypes) DescribeView(context.Context, *connectparticipant.DescribeViewInput) (*connect.DescribeViewOutput, error) {
	return nil, nil
}

func participantGateway(t testing.TB, log io.Writer, change ...func(*gateway.Options)) *gateway.Gateway {
	t.Helper()
	o := options(t, log)
	for _, f := range change {
		f(&o)
	}
	g, err := gateway.New(o, participants{}, views{})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// shown makes an unsigned request with a token.
func shown(t testing.TB, method, path, body string) *http.Request {
	t.Helper()
	r := request(t, method, "http://localhost"+path, body)
	r.Header.Set("X-Amz-Bearer", "a-token")
	return r
}

func TestParticipantBinding(t *testing.T) {
	g := participantGateway(t, io.Discard)
	want := []string{
		"ConnectParticipant.CompleteAttachmentUpload", "ConnectParticipant.DescribeView", "ConnectParticipant.GetTranscript",
		"ConnectParticipant.SendMessage", "ConnectParticipant.StartAttachmentUpload", "DescribeView",
	}
	if got := g.Served(); !slices.Equal(got, want) {
		t.Errorf("served: %s, want %s", got, want)
	}
	if _, err := gateway.New(options(t, io.Discard), mixedTypes{}); err == nil || !strings.Contains(err.Error(), "is not the SDK's *DescribeViewOutput") {
		t.Errorf("the input of one service with the output of another: %v", err)
	}
}

// TestTokens: the token is all that a participant shows. What else clients send
// of their own accord neither helps nor harms.
func TestTokens(t *testing.T) {
	g := participantGateway(t, io.Discard)
	const said = `{"AbsoluteTime":"123456789012///","Id":"a-token","MessageMetadata":{"MessageProcessingStatus":"PROCESSING"}}`
	const body = `{"Content":"say","ContentType":"text/plain"}`
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		status int
		want   string
	}{
		{"unsigned", func(*http.Request) {}, 200, said},
		{"from a browser", func(r *http.Request) {
			r.Header.Set("Origin", "https://shop.example.com")
			r.Header.Set("X-Amz-User-Agent", "aws-sdk-js/3.0.0")
			r.Header.Set("Amz-Sdk-Request", "attempt=1; max=3")
		}, 200, said},
		{"signed for execute-api", func(r *http.Request) { // the AWS CLI with credentials
			sign(t, r, body, keyID, keySecret, "execute-api", "eu-west-2", time.Now())
		}, 200, said},
		{"signed with a key of somewhere else", func(r *http.Request) {
			sign(t, r, body, "AKIANOSUCHKEY0000000", "secret", "execute-api", "us-east-1", time.Now().Add(-time.Hour))
		}, 200, said},
		{"nonsense for a signature", func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, 200, said},
		{"no token", func(r *http.Request) { r.Header.Del("X-Amz-Bearer") }, 403, `{"Message":"Access denied: the header X-Amz-Bearer is missing."}`},
		{"an empty token", func(r *http.Request) { r.Header.Set("X-Amz-Bearer", "") }, 403, `{"Message":"Access denied: the header X-Amz-Bearer is missing."}`},
		{"a signature for a token", func(r *http.Request) {
			r.Header.Del("X-Amz-Bearer")
			sign(t, r, body, keyID, keySecret, "execute-api", "us-east-1", time.Now())
		}, 403, ""},
		{"a token as Authorization", func(r *http.Request) {
			r.Header.Del("X-Amz-Bearer")
			r.Header.Set("Authorization", "Bearer a-token")
		}, 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := shown(t, "POST", "/participant/message", body)
			c.change(r)
			resp := ask(g, r)
			got := text(t, resp)
			if resp.StatusCode != c.status || c.want != "" && got != c.want {
				t.Errorf("%d %s, want %d %s", resp.StatusCode, got, c.status, c.want)
			}
			if code := resp.Header.Get("x-amzn-ErrorType"); (code == "AccessDeniedException") != (c.status == 403) {
				t.Errorf("the exception is %q", code)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get("x-amzn-RequestId") == "" {
				t.Errorf("a browser could not read the answer: %v", resp.Header)
			}
		})
	}
	// A token opens the Participant service alone.
	if resp := ask(g, shown(t, "GET", "/views/"+instance+"/view", "")); resp.StatusCode != 403 || resp.Header.Get("x-amzn-ErrorType") != "MissingAuthenticationTokenException" {
		t.Errorf("a token instead of a signature: %d %s", resp.StatusCode, text(t, resp))
	}
}

// TestParticipantAnswers: members are read from path, header and body, and
// every failure comes as an exception that the service's model declares.
func TestParticipantAnswers(t *testing.T) {
	message := func(content string) string { return `{"ContentType":"text/plain","Content":"` + content + `"}` }
	const send = "/participant/message"
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		code, want               string
	}{
		{"path", "GET", "/participant/views/a%2Fb%3D", "", 200, "", `{"View":{"Id":"a/b=","Version":2}}`},
		{"body", "POST", "/participant/transcript", `{"StartPosition":{"Id":"m","MostRecent":5}}`, 200, "", `{"Transcript":[{"Id":"m"}]}`},
		{"required", "POST", send, `{"ContentType":"text/plain"}`, 400, "ValidationException", `{"Message":"Content is required"}`},
		{"length", "POST", send, message(strings.Repeat("x", 16385)), 400, "ValidationException", `{"Message":"Content must have at most 16384 characters, it has 16385"}`},
		{"range", "POST", "/participant/transcript", `{"MaxResults":101}`, 400, "ValidationException", `{"Message":"MaxResults must be between 0 and 100"}`},
		{"enum", "POST", "/participant/transcript", `{"SortOrder":"UP"}`, 400, "ValidationException", `{"Message":"SortOrder must be one of DESCENDING, ASCENDING"}`},
		{"no JSON", "POST", send, `{nonsense`, 400, "SerializationException", ""},
		{"panic", "POST", send, message("panic"), 500, "InternalServerException", `{"Message":"An internal error occurred."}`},
		{"error", "POST", send, message("error"), 500, "InternalServerException", `{"Message":"An internal error occurred."}`},
		{"a bad parameter", "POST", send, message("InvalidParameterException"), 400, "ValidationException", `{"Message":"no"}`},
		{"a bad request", "POST", send, message("InvalidRequestException"), 400, "ValidationException", `{"Message":"no"}`},
		{"validation", "POST", send, message("ValidationException"), 400, "ValidationException", `{"Message":"no"}`},
		{"not found, undeclared", "POST", send, message("ResourceNotFoundException"), 400, "ValidationException", `{"Message":"no"}`},
		{"conflict, undeclared", "POST", send, message("ConflictException"), 400, "ValidationException", `{"Message":"no"}`},
		{"a bad token", "POST", send, message("AccessDeniedException"), 403, "AccessDeniedException", `{"Message":"no"}`},
		{"throttling", "POST", send, message("ThrottlingException"), 429, "ThrottlingException", `{"Message":"no"}`},
		{"quota", "POST", "/participant/start-attachment-upload", `{"AttachmentName":"a","AttachmentSizeInBytes":1,"ContentType":"text/plain","ClientToken":"t"}`, 402, "ServiceQuotaExceededException", `{"Message":"no"}`},
		{"conflict", "POST", "/participant/complete-attachment-upload", `{"AttachmentIds":["a"],"ClientToken":"t"}`, 409, "ConflictException", `{"Message":"no"}`},
		{"not found", "GET", "/participant/views/gone", "", 404, "ResourceNotFoundException", `{"Message":"no","ResourceType":"CONTACT"}`},
		{"not served", "POST", "/participant/event", `{}`, 501, "NotImplementedException", `{"Message":"SendEvent is not served by this release of ringdown."}`},
		{"no route", "POST", "/participant/nothing", `{}`, 404, "UnknownOperationException", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log bytes.Buffer
			resp := ask(participantGateway(t, &log), shown(t, c.method, c.path, c.body))
			got := text(t, resp)
			if resp.StatusCode != c.status || resp.Header.Get("x-amzn-ErrorType") != c.code || c.want != "" && got != c.want {
				t.Errorf("%d %s %s, want %d %s %s", resp.StatusCode, resp.Header.Get("x-amzn-ErrorType"), got, c.status, c.code, c.want)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Error("a browser could not read the answer")
			}
			if strings.Contains(log.String(), "a-token") {
				t.Errorf("the token is in the log: %s", log.String())
			}
		})
	}
}

// TestParticipantMetrics: an operation is counted under its full name, so that
// the two of the same name stay apart.
func TestParticipantMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	g := participantGateway(t, io.Discard, func(o *gateway.Options) { o.Metrics = registry })
	ask(g, shown(t, "POST", "/participant/event", "")).Body.Close()
	ask(g, shown(t, "GET", "/participant/views/v", "")).Body.Close()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var counted []string
	for _, f := range families {
		if !strings.HasSuffix(f.GetName(), "_total") {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				counted = append(counted, f.GetName()+" "+l.GetValue())
			}
		}
	}
	for _, want := range []string{
		"ringdown_api_unserved_total ConnectParticipant.SendEvent",
		"ringdown_api_requests_total ConnectParticipant.SendEvent",
		"ringdown_api_requests_total ConnectParticipant.DescribeView",
	} {
		if !slices.Contains(counted, want) {
			t.Errorf("%s is not counted: %q", want, counted)
		}
	}
}

// TestParticipantThrottling: ten messages a second after a burst of fifteen,
// and a rate of its own for each service's DescribeView.
func TestParticipantThrottling(t *testing.T) {
	now := time.Now()
	g := participantGateway(t, io.Discard, func(o *gateway.Options) { o.Throttle, o.Now = true, func() time.Time { return now } })
	message := func() int {
		r := shown(t, "POST", "/participant/message", `{"Content":"say","ContentType":"text/plain"}`)
		resp := ask(g, r)
		defer resp.Body.Close()
		return resp.StatusCode
	}
	for i := range 15 {
		if status := message(); status != http.StatusOK {
			t.Fatalf("message %d: %d", i+1, status)
		}
	}
	if status := message(); status != http.StatusTooManyRequests {
		t.Errorf("the sixteenth message: %d, want 429", status)
	}
	now = now.Add(100 * time.Millisecond) // one token
	if status := message(); status != http.StatusOK {
		t.Errorf("a tenth of a second later: %d", status)
	}
	for range 5 {
		ask(g, shown(t, "GET", "/participant/views/v", "")).Body.Close()
	}
	if resp := ask(g, shown(t, "GET", "/participant/views/v", "")); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the sixth view: %d, want 429", resp.StatusCode)
	}
	if resp := ask(g, signed(t, "GET", "http://localhost/views/"+instance+"/v", "", "connect", "us-east-1")); resp.StatusCode != http.StatusOK {
		t.Errorf("the first view of Amazon Connect: %d %s", resp.StatusCode, text(t, resp))
	}
}
