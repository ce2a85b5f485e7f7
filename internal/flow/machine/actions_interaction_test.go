package machine

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
)

// stepOn is a step of an action with parameters, ready to be carried out.
func stepOn(s *Subject, actionType string, parameters map[string]any) *step {
	r := New(Ref{Type: "CONTACT_FLOW"}, 0)
	params, _ := plain(parameters).(map[string]any)
	return &step{
		machine: &Machine{}, run: r, subject: s, frame: r.Top(), params: params,
		at: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC),
		action: &flow.Action{Type: actionType, Transitions: flow.Transitions{
			NextAction: "next", Errors: []flow.ErrorBranch{{ErrorType: NoMatchingError, NextAction: "error"}},
		}},
	}
}

func pointer[T any](v T) *T { return &v }

// TestLambdaEvent compares the event with the example of the administrator
// guide, "Grant Amazon Connect access to your AWS Lambda functions", with the
// members that it lacks and functions get all the same (docs/divergences.md).
func TestLambdaEvent(t *testing.T) {
	s := &Subject{
		InstanceARN: "arn:aws:connect:us-east-1:123456789012:instance/c8c0e68d-2200-4265-82c0-000000000000",
		Region:      "us-east-1",
		Attributes:  map[string]string{"exampleAttributeKey1": "exampleAttributeValue1"},
		Contact: &domain.Contact{
			ID: "c3", InitialID: "c1", PreviousID: "c2", RelatedID: "c0",
			Channel: types.ChannelVoice, Method: types.ContactInitiationMethodInbound,
			Name: "A name", Description: "someDescription", CustomerID: "someCustomerId", Language: "en-US",
			Customer:    &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: pointer("+1234567890")},
			System:      &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: pointer("+1234567891")},
			TargetQueue: &domain.ContactQueue{ID: "q", Name: "PasswordReset", CallerID: "+12345678903"},
			References:  map[string]types.Reference{"key1": {Type: types.ReferenceTypeUrl, Value: pointer("urlvalue")}},
			Tags:        map[string]string{"aws:connect:instanceId": "c8c0e68d-2200-4265-82c0-000000000000"},
			Segment: map[string]types.SegmentAttributeValue{
				"connect:Subtype": {ValueString: pointer("connect:Telephony")},
				"connect:ContactExpiry": {ValueMap: map[string]types.SegmentAttributeValue{
					"ExpiryDuration": {ValueInteger: pointer(int32(60))},
					"Who":            {ValueArn: pointer("arn:who")},
					"List":           {ValueList: []types.SegmentAttributeValue{{ValueString: pointer("x")}}},
				}},
			},
		},
	}
	const contact = `{
		"Attributes": {"exampleAttributeKey1": "exampleAttributeValue1"},
		"AwsRegion": "us-east-1",
		"Channel": "VOICE",
		"ContactId": "c3",
		"CustomerEndpoint": {"Address": "+1234567890", "Type": "TELEPHONE_NUMBER"},
		"CustomerId": "someCustomerId",
		"Description": "someDescription",
		"InitialContactId": "c1",
		"InitiationMethod": "INBOUND",
		"InstanceARN": "arn:aws:connect:us-east-1:123456789012:instance/c8c0e68d-2200-4265-82c0-000000000000",
		"LanguageCode": "en-US",
		"MediaStreams": {"Customer": {"Audio": {
			"StreamARN": "arn:stream", "StartTimestamp": "1571360125131", "StopTimestamp": "1571360126131", "StartFragmentNumber": "100"}}},
		"Name": "A name",
		"PreviousContactId": "c2",
		"Queue": {
			"ARN": "arn:aws:connect:us-east-1:123456789012:instance/c8c0e68d-2200-4265-82c0-000000000000/queue/q",
			"Name": "PasswordReset",
			"OutboundCallerId": {"Address": "+12345678903", "Type": "TELEPHONE_NUMBER"}},
		"References": {"key1": {"Type": "URL", "Value": "urlvalue"}},
		"RelatedContactId": "c0",
		"SegmentAttributes": {
			"connect:Subtype": {"ValueString": "connect:Telephony"},
			"connect:ContactExpiry": {"ValueMap": {
				"ExpiryDuration": {"ValueInteger": 60}, "Who": {"ValueArn": "arn:who"}, "List": {"ValueList": [{"ValueString": "x"}]}}}},
		"SystemEndpoint": {"Address": "+1234567891", "Type": "TELEPHONE_NUMBER"},
		"Tags": {"aws:connect:instanceId": "c8c0e68d-2200-4265-82c0-000000000000"}}`
	const bare = `{
		"Attributes": {}, "AwsRegion": null, "Channel": "CHAT", "ContactId": "c1", "CustomerEndpoint": null, "CustomerId": null,
		"Description": null, "InitialContactId": "c1", "InitiationMethod": "API", "InstanceARN": "", "LanguageCode": null,
		"MediaStreams": {"Customer": {"Audio": null}}, "Name": null, "PreviousContactId": "c1", "Queue": null, "References": {},
		"RelatedContactId": null, "SegmentAttributes": {}, "SystemEndpoint": null, "Tags": {}}`
	x := stepOn(s, "InvokeLambdaFunction", map[string]any{"LambdaInvocationAttributes": map[string]any{
		"exampleParameterKey1": "exampleParameterValue1", "nested": map[string]any{"list": []any{json.Number("1"), true, nil}},
	}})
	x.store("MediaStreams", map[string]any{"Customer": map[string]any{"Audio": map[string]any{
		"StreamARN": "arn:stream", "StartTimestamp": "1571360125131", "StopTimestamp": "1571360126131", "StartFragmentNumber": "100",
	}}})
	sameEvent(t, x, contact, `{"exampleParameterKey1": "exampleParameterValue1", "nested": {"list": [1, true, null]}}`)
	first := &Subject{Contact: &domain.Contact{ID: "c1", InitialID: "c1", Channel: types.ChannelChat, Method: types.ContactInitiationMethodApi}}
	sameEvent(t, stepOn(first, "InvokeLambdaFunction", nil), bare, `{}`)
}

func sameEvent(t *testing.T, x *step, contact, parameters string) {
	t.Helper()
	event, err := x.lambdaEvent()
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(event, &got); err != nil {
		t.Fatal(err)
	}
	document := `{"Name": "ContactFlowEvent", "Details": {"ContactData": ` + contact + `, "Parameters": ` + parameters + `}}`
	if err := json.Unmarshal([]byte(document), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		var b bytes.Buffer
		_ = json.Indent(&b, event, "", " ")
		t.Errorf("the event is\n%s\nwant\n%s", b.String(), document)
	}
}

func TestLambdaResult(t *testing.T) {
	for payload, want := range map[string]struct{ flat, anything string }{
		``:                              {`{}`, `{}`},
		`null`:                          {`{}`, `{}`},
		`{}`:                            {`{}`, `{}`},
		`{"a":"b","n":1.50,"t":true}`:   {`{"a":"b","n":"1.50","t":"true"}`, `{"a":"b","n":1.50,"t":true}`},
		`{"a":null}`:                    {`{}`, `{"a":null}`},
		`{"a":{}}`:                      {"", `{"a":{}}`},
		`{"a":[1]}`:                     {"", `{"a":[1]}`},
		`[1]`:                           {"", `[1]`},
		`"text"`:                        {"", `"text"`},
		`{"a":`:                         {"", ""},
		`{"a":"b"} {}`:                  {"", ""},
		`plain`:                         {"", ""},
		`{"statusCode":200,"body":"b"}`: {`{"body":"b","statusCode":"200"}`, `{"body":"b","statusCode":200}`},
	} {
		for _, mode := range []struct {
			anything bool
			want     string
		}{{false, want.flat}, {true, want.anything}} {
			v, ok := lambdaResult([]byte(payload), mode.anything)
			if got, _ := json.Marshal(v); ok != (mode.want != "") || ok && string(got) != mode.want {
				t.Errorf("%s (any JSON %t) gives %s, %t, want %s", payload, mode.anything, got, ok, mode.want)
			}
		}
	}
}

// TestLambdaInvocation follows $.LambdaInvocation through calls of both kinds.
func TestLambdaInvocation(t *testing.T) {
	s := &Subject{Contact: &domain.Contact{}}
	x := stepOn(s, "InvokeLambdaFunction", map[string]any{"InvocationType": "ASYNCHRONOUS"})
	if v, there := x.lookup([]string{"LambdaInvocation", "InvocationId"}); there {
		t.Errorf("before the first call there is %v", v)
	}
	invoked(x, &Reply{InvocationID: "r1"})
	x.params = nil
	invoked(x, &Reply{Payload: []byte(`{"a":"b"}`)})
	for _, c := range [][]string{{"r1", "LambdaInvocation", "InvocationId"}, {"b", "LambdaInvocation", "ResultData", "a"}, {"b", "External", "a"}} {
		if v, _ := x.lookup(c[1:]); v != c[0] {
			t.Errorf("$.%s is %v, want %s", strings.Join(c[1:], "."), v, c[0])
		}
	}
}

func TestLambdaLimit(t *testing.T) {
	for _, c := range []struct {
		mode, seconds string
		want          time.Duration
	}{
		{"", "3", 3 * time.Second},
		{"SYNCHRONOUS", "60", 8 * time.Second},
		{"ASYNCHRONOUS", "60", time.Minute},
		{"ASYNCHRONOUS", "600", time.Minute},
		{"", "", 8 * time.Second},
		{"", "-1", 8 * time.Second},
	} {
		x := stepOn(&Subject{Contact: &domain.Contact{}}, "InvokeLambdaFunction", map[string]any{
			"LambdaFunctionARN": "f", "InvocationType": c.mode, "InvocationTimeLimitSeconds": c.seconds,
		})
		invokeLambda(x)
		if got := x.run.Wait.Request.Lambda; got.Limit != c.want || got.Async != (c.mode == "ASYNCHRONOUS") {
			t.Errorf("%+v gives %s, async %t", c, got.Limit, got.Async)
		}
	}
}

// TestProfileBounds: requests of more than 255 characters a value, and answers
// of more than 14,000 in all, are errors.
func TestProfileBounds(t *testing.T) {
	request := func(value string) *step {
		x := stepOn(&Subject{Contact: &domain.Contact{}}, "GetCustomerProfile", map[string]any{
			"ProfileRequestData":  map[string]any{"SearchCriteria": []any{map[string]any{"IdentifierName": "_phone", "IdentifierValue": value}}},
			"ProfileResponseData": map[string]any{"B": true, "A": true, "Order.Name": true},
		})
		profile(x)
		return x
	}
	if x := request(strings.Repeat("ä", 255)); x.run.Wait == nil {
		t.Error("255 characters are refused")
	}
	if x := request(strings.Repeat("ä", 256)); x.frame.Action != "error" {
		t.Error("256 characters are not refused")
	}
	x := request("1")
	profiled(x, &Reply{Data: map[string]any{"Customer": map[string]any{
		"ProfileId": "p", "A": strings.Repeat("ä", 13_990), "B": "123456789", "C": "not asked for",
		"Order": map[string]any{"Name": nil},
	}}})
	if got := len(x.run.Top().Data["Customer"].(map[string]any)); x.frame.Action != "next" || got != 3 {
		t.Errorf("14,000 characters: it goes on with %q, %d members", x.frame.Action, got)
	}
	x.params = map[string]any{"ProfileResponseData": []any{"D"}}
	profiled(x, &Reply{Data: map[string]any{"Customer": map[string]any{"ProfileId": "p", "D": "1"}}})
	if _, there := x.lookup([]string{"Customer", "D"}); x.frame.Action != "error" || there {
		t.Errorf("14,001 characters: it goes on with %q", x.frame.Action)
	}
}
