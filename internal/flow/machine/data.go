package machine

import (
	"bytes"
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/go-json-experiment/json/jsontext"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
)

// resolve is the value of a node with its JSONPaths replaced: an object, a
// list, a string, a json.Number, a boolean or nil. A string that is one
// JSONPath becomes what that leads to; where there is nothing, "".
func (x *step) resolve(n *flow.Node) any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case jsontext.KindBeginObject:
		o := make(map[string]any, len(n.Members))
		for _, m := range n.Members {
			o[m.Name] = x.resolve(m.Value)
		}
		return o
	case jsontext.KindBeginArray:
		list := make([]any, len(n.Items))
		for i, item := range n.Items {
			list[i] = x.resolve(item)
		}
		return list
	case jsontext.KindString:
		return x.fill(n.Text)
	case jsontext.KindNumber:
		return json.Number(n.Text)
	case jsontext.KindTrue, jsontext.KindFalse:
		return n.Kind == jsontext.KindTrue
	default:
		return nil
	}
}

// fill replaces the JSONPaths of a text.
func (x *step) fill(text string) any {
	paths := flow.Paths(text)
	if len(paths) == 0 {
		return text
	}
	if paths[0].Alone(text) {
		v, ok := x.lookup(paths[0].Steps)
		if !ok || v == nil {
			return ""
		}
		// A map of strings is the contact's own, and would be another type once
		// the run has been stored.
		if m, ok := v.(map[string]string); ok {
			return plain(m)
		}
		if list, ok := v.([]any); ok { // it may have been made for this path
			x.filled += 16 * len(list)
		}
		return v
	}
	var b strings.Builder
	end := 0
	for _, p := range paths {
		b.WriteString(text[end:p.Start])
		v, _ := x.lookup(p.Steps)
		s := textOf(v)
		if x.filled += len(s); x.filled > maxFilled {
			s = ""
		}
		b.WriteString(s)
		end = p.End
	}
	b.WriteString(text[end:])
	return b.String()
}

// maxFilled is how many bytes JSONPaths may put into texts before the run waits
// again. Without a limit a small document could ask for gigabytes; a run that
// reaches it is cut.
const maxFilled = 4 << 20

// plain is a value as encoding/json reads it with UseNumber: objects, lists,
// strings, json.Number, booleans and nil. It shares nothing that changes.
func plain(v any) any {
	switch v := v.(type) {
	case nil, string, bool, json.Number:
		return v
	case float64, int, int64:
		return json.Number(textOf(v))
	case map[string]any:
		o := make(map[string]any, len(v))
		for name, value := range v {
			o[name] = plain(value)
		}
		return o
	case map[string]string:
		o := make(map[string]any, len(v))
		for name, value := range v {
			o[name] = value
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = plain(item)
		}
		return list
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		return decoded(raw)
	}
}

// decoded is the value of a JSON document, nil when it is none.
func decoded(raw []byte) any {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}

// textOf is a value as it is put into a text: nothing for nil, JSON for objects
// and lists.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			return ""
		}
		return string(raw)
	}
}

// lookup follows a JSONPath. False means that there is nothing.
func (x *step) lookup(steps []string) (any, bool) {
	root, rest := steps[0], steps[1:]
	if ns, ok := namespaces[root]; ok {
		v := ns(x)
		if v == nil {
			return nil, false
		}
		return walk(v, rest)
	}
	v, ok := x.run.Top().Data[root]
	if !ok {
		return nil, false
	}
	return walk(v, rest)
}

// walk goes down from a value: by name in an object, by index in a list, "*"
// for all of a list. Several names may also be one name that has dots in it.
func walk(v any, steps []string) (any, bool) {
	for i, s := range steps {
		switch at := v.(type) {
		case map[string]any:
			next, ok := at[s]
			if !ok {
				// {"a.b": 1} is found by $.External.a.b as well.
				next, ok = at[strings.Join(steps[i:], ".")]
				return next, ok
			}
			v = next
		case map[string]string:
			next, ok := at[strings.Join(steps[i:], ".")]
			return next, ok
		case []any:
			if s == "*" {
				return each(at, steps[i+1:]), true
			}
			n, err := strconv.Atoi(s)
			if err != nil || n < 0 || n >= len(at) {
				return nil, false
			}
			v = at[n]
		default:
			return nil, false
		}
	}
	return v, v != nil
}

// each follows the rest of a path from every item of a list; items where it
// leads nowhere are left out.
func each(list []any, rest []string) []any {
	found := make([]any, 0, len(list))
	for _, item := range list {
		if v, ok := walk(item, rest); ok {
			found = append(found, v)
		}
	}
	return found
}

// namespaces are those that the contact fills; the others are what actions have
// put into Frame.Data (administrator guide, "List of available contact
// attributes and their JSONPath references"). An empty one is nil.
var namespaces = map[string]func(x *step) any{
	"Attributes":        func(x *step) any { return x.subject.Attributes },
	"FlowAttributes":    func(x *step) any { return x.run.Top().Attributes },
	"Module":            module,
	"Modules":           modules,
	"LambdaInvocation":  lambdaInvocation,
	"ContactId":         func(x *step) any { return word(string(x.subject.Contact.ID)) },
	"InitialContactId":  func(x *step) any { return word(string(x.subject.Contact.InitialID)) },
	"PreviousContactId": func(x *step) any { return word(string(x.subject.Contact.PreviousID)) },
	"RelatedContactId":  func(x *step) any { return word(string(x.subject.Contact.RelatedID)) },
	"CustomerId":        func(x *step) any { return word(x.subject.Contact.CustomerID) },
	"AwsRegion":         func(x *step) any { return word(x.subject.Region) },
	"Channel":           func(x *step) any { return word(string(x.subject.Contact.Channel)) },
	"InitiationMethod":  func(x *step) any { return word(string(x.subject.Contact.Method)) },
	"InstanceARN":       func(x *step) any { return word(x.subject.InstanceARN) },
	"LanguageCode":      func(x *step) any { return word(x.subject.Contact.Language) },
	"Name":              func(x *step) any { return word(x.subject.Contact.Name) },
	"Description":       func(x *step) any { return word(x.subject.Contact.Description) },
	"TextToSpeechVoiceId": func(x *step) any {
		if v := x.subject.Contact.Voice; v != nil {
			return word(v.ID)
		}
		return DefaultVoice
	},
	"CustomerEndpoint":  func(x *step) any { return endpoint(x.subject.Contact.Customer) },
	"SystemEndpoint":    func(x *step) any { return endpoint(x.subject.Contact.System) },
	"Tags":              func(x *step) any { return x.subject.Contact.Tags },
	"References":        references,
	"SegmentAttributes": func(x *step) any { return segment(x.subject.Contact.Segment) },
	"Queue":             func(x *step) any { return queue(x) },
	"Agent":             agent,
	"Media": func(x *step) any {
		if x.subject.Media == nil {
			return nil
		}
		return x.subject.Media
	},
}

// DefaultVoice speaks when nothing else is set (administrator guide, "Set
// voice").
const DefaultVoice = "Joanna"

// word is a text, nil when it is empty.
func word(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// module is $.Module: what the module was called with.
func module(x *step) any {
	if len(x.run.Frames) < 2 {
		return nil
	}
	return map[string]any{"Input": x.run.Top().Input}
}

// modules is $.Modules: what the module that was called last came to and, in a
// module, what it was called with.
func modules(x *step) any {
	o, _ := x.run.Top().Data["Modules"].(map[string]any)
	if len(x.run.Frames) < 2 {
		return object(o)
	}
	o = maps.Clone(o)
	if o == nil {
		o = map[string]any{}
	}
	o["Input"] = x.run.Top().Input
	return o
}

// object is an object, nil when it is empty.
func object(o map[string]any) any {
	if len(o) == 0 {
		return nil
	}
	return o
}

func endpoint(e *types.EndpointInfo) any {
	if e == nil {
		return nil
	}
	o := map[string]any{"Type": string(e.Type)}
	if e.Address != nil {
		o["Address"] = *e.Address
	}
	if e.DisplayName != nil {
		o["DisplayName"] = *e.DisplayName
	}
	return o
}

func references(x *step) any {
	o := map[string]any{}
	for name, r := range x.subject.Contact.References {
		v := map[string]any{"Type": string(r.Type)}
		if r.Value != nil {
			v["Value"] = *r.Value
		}
		o[name] = v
	}
	return o
}

// segment turns segment attributes into plain values.
func segment(attributes map[string]types.SegmentAttributeValue) any {
	o := map[string]any{}
	for name, v := range attributes {
		o[name] = segmentValue(v)
	}
	return o
}

func segmentValue(v types.SegmentAttributeValue) any {
	switch {
	case v.ValueString != nil:
		return *v.ValueString
	case v.ValueArn != nil:
		return *v.ValueArn
	case v.ValueInteger != nil:
		return int64(*v.ValueInteger)
	case v.ValueMap != nil:
		return segment(v.ValueMap)
	case v.ValueList != nil:
		list := make([]any, len(v.ValueList))
		for i, item := range v.ValueList {
			list[i] = segmentValue(item)
		}
		return list
	default:
		return nil
	}
}

// queue is $.Queue: the target queue, or the one that the contact is in.
func queue(x *step) any {
	q := x.waitsIn()
	if q == nil {
		return nil
	}
	o := map[string]any{"Name": q.Name, "ARN": x.queueARN(q)}
	if q.CallerID != "" {
		o["OutboundCallerId"] = map[string]any{"Address": q.CallerID, "Type": "TELEPHONE_NUMBER"}
	}
	return o
}

// waitsIn is the queue of actions that name none: the target queue, or the one
// that the contact waits in; nil without either.
func (x *step) waitsIn() *domain.ContactQueue {
	if q := x.subject.Contact.TargetQueue; q != nil {
		return q
	}
	return x.subject.Contact.Queue
}

func (x *step) queueARN(q *domain.ContactQueue) string {
	segment := "/queue/"
	if q.AgentID != "" {
		segment = "/queue/agent/"
	}
	return x.subject.InstanceARN + segment + string(q.ID)
}

// agent is $.Agent, which only flows that an agent hears or that lead to one
// have.
func agent(x *step) any {
	a := x.subject.Contact.Agent
	switch x.run.Type() {
	case "CUSTOMER_WHISPER", "AGENT_WHISPER", "OUTBOUND_WHISPER", "CUSTOMER_HOLD", "AGENT_HOLD", "AGENT_TRANSFER":
	default:
		return nil
	}
	if a == nil {
		return nil
	}
	return map[string]any{
		"UserName": a.UserName, "FirstName": a.FirstName, "LastName": a.LastName,
		"ARN": x.subject.InstanceARN + "/agent/" + string(a.ID),
	}
}
