package machine

import (
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// The most that functions may be given (administrator guide, "AWS Lambda
// function").
const (
	maxSync  = 8 * time.Second
	maxAsync = 60 * time.Second
)

// invokeLambda invokes a function with what is known of the contact.
func invokeLambda(x *step) {
	function := x.text("LambdaFunctionARN")
	event, err := x.lambdaEvent()
	if function == "" || err != nil {
		x.fail(NoMatchingError)
		return
	}
	r := &LambdaRequest{Function: function, Payload: event, Async: x.async()}
	most := maxSync
	if r.Async {
		most = maxAsync
	}
	if r.Limit = x.seconds("InvocationTimeLimitSeconds"); r.Limit <= 0 || r.Limit > most {
		r.Limit = most
	}
	x.ask(Request{Lambda: r})
}

func (x *step) async() bool { return x.text("InvocationType") == "ASYNCHRONOUS" }

// invoked makes the answer of a function $.External, in the place of the last
// one's. Of one that is not waited for there is the id of the invocation.
func invoked(x *step, r *Reply) {
	if x.async() {
		x.store("LambdaInvocation", map[string]any{"InvocationId": r.InvocationID})
		x.next()
		return
	}
	anything := textOf(x.object("ResponseValidation")["ResponseType"]) == "JSON"
	v, ok := lambdaResult(r.Payload, anything)
	if !ok {
		x.fail(NoMatchingError)
		return
	}
	x.store("External", v)
	x.next()
}

// lambdaInvocation is $.LambdaInvocation: InvocationId is that of the function
// that was last not waited for, ResultData another name of $.External
// (developer guide, "Events in the testing language").
func lambdaInvocation(x *step) any {
	data := x.run.Top().Data
	known, _ := data["LambdaInvocation"].(map[string]any)
	if result, there := data["External"]; there {
		known = with(known, map[string]any{"ResultData": result})
	}
	return object(known)
}

// lambdaResult reads what a function has answered: any JSON, or an object of
// plain values, which become text. No answer is an empty one: a function may be
// called for its effect alone (docs/divergences.md).
func lambdaResult(payload []byte, anything bool) (any, bool) {
	if len(payload) == 0 {
		return map[string]any{}, true
	}
	v, ok := parsed(payload)
	switch {
	case !ok:
		return nil, false
	case v == nil:
		return map[string]any{}, true
	case anything:
		return v, true
	}
	object, ok := v.(map[string]any)
	flat := make(map[string]any, len(object))
	for name, member := range object {
		switch member.(type) {
		case map[string]any, []any:
			return nil, false
		case nil: // as if it were absent
		default:
			flat[name] = textOf(member)
		}
	}
	return flat, ok
}

// parsed is the value of a JSON document, false when it is none.
func parsed(raw []byte) (any, bool) {
	if !json.Valid(raw) {
		return nil, false
	}
	return decoded(raw), true
}

// lambdaEvent is what a function is told: Details.ContactData is the contact,
// Details.Parameters what the flow adds. Members that the contact has no value
// for are null (administrator guide, "Grant Amazon Connect access to your AWS
// Lambda functions"; those that its example lacks are in docs/divergences.md).
func (x *step) lambdaEvent() (json.RawMessage, error) {
	c := x.subject.Contact
	previous := c.PreviousID
	if previous == "" {
		previous = c.ID // as the example has it of a first contact
	}
	attributes := with(x.subject.Attributes, nil)
	tags := with(c.Tags, nil)
	streams := x.run.Top().Data["MediaStreams"]
	if streams == nil {
		streams = map[string]any{"Customer": map[string]any{"Audio": nil}}
	}
	return json.Marshal(map[string]any{
		"Name": "ContactFlowEvent",
		"Details": map[string]any{
			"ContactData": map[string]any{
				"Attributes":        attributes,
				"AwsRegion":         word(x.subject.Region),
				"Channel":           string(c.Channel),
				"ContactId":         string(c.ID),
				"CustomerEndpoint":  endpoint(c.Customer),
				"CustomerId":        word(c.CustomerID),
				"Description":       word(c.Description),
				"InitialContactId":  string(c.InitialID),
				"InitiationMethod":  string(c.Method),
				"InstanceARN":       x.subject.InstanceARN,
				"LanguageCode":      word(c.Language),
				"MediaStreams":      streams,
				"Name":              word(c.Name),
				"PreviousContactId": string(previous),
				"Queue":             queue(x),
				"References":        references(x),
				"RelatedContactId":  word(string(c.RelatedID)),
				"SegmentAttributes": wireSegment(c.Segment),
				"SystemEndpoint":    endpoint(c.System),
				"Tags":              tags,
			},
			"Parameters": x.named("LambdaInvocationAttributes"),
		},
	})
}

// wireSegment is segment attributes as the API writes them, each with the one
// member that is set.
func wireSegment(attributes map[string]types.SegmentAttributeValue) map[string]any {
	all := make(map[string]any, len(attributes))
	for name, v := range attributes {
		all[name] = wireValue(v)
	}
	return all
}

func wireValue(v types.SegmentAttributeValue) map[string]any {
	switch {
	case v.ValueString != nil:
		return map[string]any{"ValueString": *v.ValueString}
	case v.ValueArn != nil:
		return map[string]any{"ValueArn": *v.ValueArn}
	case v.ValueInteger != nil:
		return map[string]any{"ValueInteger": *v.ValueInteger}
	case v.ValueMap != nil:
		return map[string]any{"ValueMap": wireSegment(v.ValueMap)}
	case v.ValueList != nil:
		list := make([]any, len(v.ValueList))
		for i, item := range v.ValueList {
			list[i] = wireValue(item)
		}
		return map[string]any{"ValueList": list}
	default:
		return map[string]any{}
	}
}
