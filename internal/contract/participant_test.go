package contract_test

import (
	"net/http"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ringdown/internal/contract"
	"ringdown/internal/contract/connectparticipant"
	"ringdown/internal/contract/connectparticipant/types"
	"ringdown/internal/fault"
)

// participantTypes are the input and the output of each operation.
var participantTypes = map[string][2]reflect.Type{
	"CancelParticipantAuthentication": {reflect.TypeFor[*connectparticipant.CancelParticipantAuthenticationInput](), reflect.TypeFor[*connectparticipant.CancelParticipantAuthenticationOutput]()},
	"CompleteAttachmentUpload":        {reflect.TypeFor[*connectparticipant.CompleteAttachmentUploadInput](), reflect.TypeFor[*connectparticipant.CompleteAttachmentUploadOutput]()},
	"CreateParticipantConnection":     {reflect.TypeFor[*connectparticipant.CreateParticipantConnectionInput](), reflect.TypeFor[*connectparticipant.CreateParticipantConnectionOutput]()},
	"DescribeView":                    {reflect.TypeFor[*connectparticipant.DescribeViewInput](), reflect.TypeFor[*connectparticipant.DescribeViewOutput]()},
	"DisconnectParticipant":           {reflect.TypeFor[*connectparticipant.DisconnectParticipantInput](), reflect.TypeFor[*connectparticipant.DisconnectParticipantOutput]()},
	"GetAttachment":                   {reflect.TypeFor[*connectparticipant.GetAttachmentInput](), reflect.TypeFor[*connectparticipant.GetAttachmentOutput]()},
	"GetAuthenticationUrl":            {reflect.TypeFor[*connectparticipant.GetAuthenticationUrlInput](), reflect.TypeFor[*connectparticipant.GetAuthenticationUrlOutput]()},
	"GetTranscript":                   {reflect.TypeFor[*connectparticipant.GetTranscriptInput](), reflect.TypeFor[*connectparticipant.GetTranscriptOutput]()},
	"SendEvent":                       {reflect.TypeFor[*connectparticipant.SendEventInput](), reflect.TypeFor[*connectparticipant.SendEventOutput]()},
	"SendMessage":                     {reflect.TypeFor[*connectparticipant.SendMessageInput](), reflect.TypeFor[*connectparticipant.SendMessageOutput]()},
	"StartAttachmentUpload":           {reflect.TypeFor[*connectparticipant.StartAttachmentUploadInput](), reflect.TypeFor[*connectparticipant.StartAttachmentUploadOutput]()},
}

// loadParticipant binds every operation of the Participant service to the
// types that are generated for it.
func loadParticipant(t *testing.T) *contract.Service {
	t.Helper()
	api, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	svc := api.Service("ConnectParticipant")
	for _, op := range svc.Operations() {
		typ, ok := participantTypes[op.Name]
		if !ok {
			t.Fatalf("%s has no types in participantTypes", op.Name)
		}
		if err := op.Bind(typ[0], typ[1]); err != nil {
			t.Fatal(err)
		}
	}
	return svc
}

func TestEveryParticipantOperationBinds(t *testing.T) {
	svc := loadParticipant(t)
	if got := len(svc.Operations()); got != len(participantTypes) {
		t.Errorf("%d operations, want %d", got, len(participantTypes))
	}
	if got := svc.Operation("DescribeView").FullName(); got != "ConnectParticipant.DescribeView" {
		t.Errorf("DescribeView is called %s", got)
	}
}

func TestParticipantDecode(t *testing.T) {
	svc := loadParticipant(t)
	token := http.Header{"X-Amz-Bearer": {"t"}}
	for _, c := range []struct {
		op, body string
		path     []string
		want     any
	}{
		{"GetTranscript", `{"MaxResults":0,"SortOrder":"ASCENDING","StartPosition":{"MostRecent":3},"ConnectionToken":"not from here"}`, nil, &connectparticipant.GetTranscriptInput{
			ConnectionToken: aws.String("t"), MaxResults: aws.Int32(0), SortOrder: types.SortKeyAscending, StartPosition: &types.StartPosition{MostRecent: 3},
		}},
		{"StartAttachmentUpload", `{"AttachmentName":"a.txt","AttachmentSizeInBytes":5000000000,"ContentType":"text/plain","ClientToken":"c"}`, nil, &connectparticipant.StartAttachmentUploadInput{
			ConnectionToken: aws.String("t"), AttachmentName: aws.String("a.txt"), AttachmentSizeInBytes: 5_000_000_000, ContentType: aws.String("text/plain"), ClientToken: aws.String("c"),
		}},
		{"CreateParticipantConnection", `{"Type":["WEBSOCKET","CONNECTION_CREDENTIALS"],"ConnectParticipant":false}`, nil, &connectparticipant.CreateParticipantConnectionInput{
			ParticipantToken: aws.String("t"), Type: []types.ConnectionType{types.ConnectionTypeWebsocket, types.ConnectionTypeConnectionCredentials}, ConnectParticipant: aws.Bool(false),
		}},
		{"DescribeView", "", []string{"v"}, &connectparticipant.DescribeViewInput{ConnectionToken: aws.String("t"), ViewToken: aws.String("v")}},
	} {
		got, err := svc.Operation(c.op).Decode(contract.Request{Path: c.path, Header: token, Body: []byte(c.body)})
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %s, %v, want %s", c.op, show(got), err, show(c.want))
		}
	}
	_, err := svc.Operation("SendEvent").Decode(contract.Request{Header: http.Header{}, Body: []byte(`{"ContentType":"x"}`)})
	if !fault.Is(err, fault.Validation) {
		t.Errorf("no token: %v, want a ValidationException", err)
	}
}

// TestParticipantFaults: the service declares other exceptions than Amazon
// Connect for the same failures.
func TestParticipantFaults(t *testing.T) {
	svc := loadParticipant(t)
	for _, c := range []struct {
		op         string
		code, want fault.Code
	}{
		{"SendMessage", fault.InvalidParameter, fault.Validation},
		{"SendMessage", fault.InvalidRequest, fault.Validation},
		{"SendMessage", fault.ResourceNotFound, fault.Validation},
		{"SendMessage", fault.Conflict, fault.Validation},
		{"SendMessage", fault.AccessDenied, fault.AccessDenied},
		{"SendMessage", fault.InternalService, fault.InternalServer},
		{"SendMessage", fault.LimitExceeded, fault.Validation},
		{"SendEvent", fault.Conflict, fault.Conflict},
		{"SendEvent", fault.Idempotency, fault.Conflict},
		{"DescribeView", fault.ResourceNotFound, fault.ResourceNotFound},
		{"StartAttachmentUpload", fault.LimitExceeded, fault.ServiceQuotaExceeded},
		{"CompleteAttachmentUpload", fault.DuplicateResource, fault.Conflict},
	} {
		got := svc.Operation(c.op).Fault(fault.New(c.code, "x"))
		if got.Code != c.want {
			t.Errorf("%s: %s became %s, want %s", c.op, c.code, got.Code, c.want)
		}
	}
	for code, want := range map[fault.Code]int{fault.Validation: 400, fault.AccessDenied: 403, fault.ResourceNotFound: 404, fault.Conflict: 409, fault.ServiceQuotaExceeded: 402, fault.Throttling: 429, fault.InternalServer: 500} {
		if got := code.Status(); got != want {
			t.Errorf("the status of %s is %d, want %d", code, got, want)
		}
	}
}
