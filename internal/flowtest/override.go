package flowtest

import (
	"maps"
	"strings"
	"time"

	"ringdown/internal/flow/machine"
)

// override changes one action of a flow, once: those of the same action are used
// one after the other, in the order in which they were set (administrator guide,
// "Override system behavior actions").
type override struct {
	identifier string
	of         string // the type of action
	params     map[string]any
	substitute string         // what takes the place of a resource; "" for a response
	response   map[string]any // what takes the place of the action
}

func newOverride(a *Action) override {
	p := dig(a.Parameters, "Behavior", "Properties")
	o := override{identifier: a.Identifier, of: word(p, "ActionType")}
	o.params, _ = dig(p, "ActionParameters").(map[string]any)
	strategy := dig(p, "Strategy")
	if word(strategy, "Type") == "SubstituteResource" {
		o.substitute = word(strategy, "SubstituteArn")
	} else {
		o.response, _ = dig(strategy, "Response").(map[string]any)
	}
	return o
}

// take finds and uses up the override of an action that starts.
func (s *simulation) take(h *happening) (override, bool) {
	for i, o := range s.overrides {
		if o.of == h.of && (len(o.params) == 0 || subset(s.filled(o.params), h.params)) {
			s.overrides = append(s.overrides[:i:i], s.overrides[i+1:]...)
			return o, true
		}
	}
	return override{}, false
}

// resources are the parameters that name the resource of an action.
var resources = map[string][]string{
	"InvokeLambdaFunction":             {"LambdaFunctionARN"},
	"CheckHoursOfOperation":            {"HoursOfOperationId"},
	"UpdateContactTargetQueue":         {"QueueId"},
	"DequeueContactAndTransferToQueue": {"QueueId"},
	"TransferContactToQueue":           {"QueueId"},
	"CheckMetricData":                  {"QueueId"},
	"GetMetricData":                    {"QueueId"},
	"CreateCallbackContact":            {"QueueId"},
	"TransferToFlow":                   {"ContactFlowId"},
	"CreateTask":                       {"ContactFlowId"},
	"StartOutboundChatContact":         {"ContactFlowArn"},
	"InvokeFlowModule":                 {"FlowModuleId"},
	"MessageParticipant":               {"PromptId"},
	"GetParticipantInput":              {"PromptId"},
	"ConnectParticipantWithLexBot":     {"LexV2Bot", "AliasArn"},
	"ShowView":                         {"ViewResource", "Id"},
	"TransferParticipantToThirdParty":  {"ThirdPartyPhoneNumber"},
}

// others are parameters that are in the way of a resource: only one of them may
// be there.
var others = map[string][]string{"QueueId": {"AgentId"}, "PromptId": {"Text", "SSML", "Media"}}

// substituteResource has an action work with another resource. For an action
// that is not among resources it is what the override's own parameters name.
func (s *simulation) substituteResource(o override, params map[string]any) {
	if o.of == "TransferContactToQueue" {
		s.retarget(o.substitute)
		return
	}
	path := resources[o.of]
	if path == nil && len(o.params) == 1 {
		for name := range o.params {
			path = []string{name}
		}
	}
	if path == nil {
		return
	}
	at := params
	for _, name := range path[:len(path)-1] {
		inner, _ := at[name].(map[string]any)
		if inner = maps.Clone(inner); inner == nil {
			inner = map[string]any{}
		}
		at[name], at = inner, inner
	}
	name := path[len(path)-1]
	at[name] = o.substitute
	for _, other := range others[name] {
		delete(at, other)
	}
}

// retarget gives the contact another target queue. One that does not exist
// leaves none, so that the transfer takes its error branch.
func (s *simulation) retarget(queue string) {
	reply, ok := s.world.Answer(s.ctx, s.now, s.subject.Contact, &machine.Request{Queue: &machine.QueueRequest{QueueID: queue}})
	if !ok || reply.Err != "" {
		reply.Queue = nil
	}
	s.subject.Contact.TargetQueue = reply.Queue
}

// filledBy are the namespaces that actions fill.
var filledBy = map[string]string{
	"InvokeLambdaFunction":         "External",
	"ConnectParticipantWithLexBot": "Lex",
	"GetMetricData":                "Metrics",
	"GetCustomerProfile":           "Customer",
	"GetCustomerProfileObject":     "Customer",
	"CreateCustomerProfile":        "Customer",
	"UpdateCustomerProfile":        "Customer",
	"GetCase":                      "Case",
	"CreateCase":                   "Case",
	"ShowView":                     "Views",
	"CreateTask":                   "Task",
	"EvaluateDataTableValues":      "DataTables",
	"ListDataTableValues":          "DataTableList",
	"CreateWisdomSession":          "Wisdom",
	"LoadContactContent":           "Email",
	"InvokeFlowModule":             "Modules",

	"GetCalculatedAttributesForCustomerProfile": "Customer",
}

// moves are actions that take the contact elsewhere. When they are to succeed
// they are simulated, as always; there is nothing that could take their place.
var moves = map[string]bool{
	"TransferContactToQueue": true, "DequeueContactAndTransferToQueue": true, "TransferContactToAgent": true,
	"TransferParticipantToThirdParty": true, "DisconnectParticipant": true, "EndFlowExecution": true, "EndFlowModuleExecution": true,
	"TransferToFlow": true,
}

// mock is what takes the place of an action, nil when the action is simulated
// all the same. ExecutionResult has DelaySeconds; Result, or Value, which
// conditions are compared with; and LoadedData, which fills the namespace of the
// action. Without LoadedData its other members do.
func (s *simulation) mock(o override, params map[string]any) *machine.Substitute {
	if word(o.response, "Type") == "Error" {
		e := dig(o.response, "Error")
		for _, name := range []string{"Value", "ErrorType", "Type"} {
			if text := word(e, name); text != "" {
				return &machine.Substitute{Err: text}
			}
		}
		return &machine.Substitute{Err: machine.NoMatchingError}
	}
	result, _ := dig(o.response, "ExecutionResult").(map[string]any)
	seconds, _ := number(result["DelaySeconds"])
	seconds = min(max(seconds, 0), Limit.Seconds())
	if o.of == "InvokeLambdaFunction" {
		if most := lambdaLimit(params); seconds > most {
			s.lag += time.Duration(most * float64(time.Second))
			return &machine.Substitute{Err: machine.NoMatchingError}
		}
	}
	s.lag += time.Duration(seconds * float64(time.Second))
	if moves[o.of] {
		return nil
	}
	sub := &machine.Substitute{Result: firstText(result, "Result", "Value")}
	if strings.EqualFold(sub.Result, "true") || strings.EqualFold(sub.Result, "false") {
		sub.Result = strings.ToUpper(sub.Result[:1]) + strings.ToLower(sub.Result[1:]) // as conditions spell it
	}
	data := tree(result["LoadedData"])
	if data == nil {
		data = rest(result, "DelaySeconds", "Result", "Value")
	}
	switch name := filledBy[o.of]; {
	case o.of == "GetParticipantInput":
		if word(params, "StoreInput") != "" && strings.EqualFold(word(params, "StoreInput"), "true") {
			sub.Data = map[string]any{"StoredCustomerInput": sub.Result}
		}
	case o.of == "InvokeLambdaFunction":
		v, ok := answerOf(params, data)
		if !ok {
			return &machine.Substitute{Err: machine.NoMatchingError}
		}
		sub.Data = map[string]any{name: v}
	case name != "" && data != nil:
		sub.Data = map[string]any{name: data}
	}
	if sub.Result == "" && o.of == "ConnectParticipantWithLexBot" {
		sub.Result = firstText(data, "IntentName")
	}
	return sub
}

// answerOf is what a function's answer becomes: any JSON, or an object of plain
// values, which become text.
func answerOf(params map[string]any, data any) (any, bool) {
	if word(params, "ResponseValidation", "ResponseType") == "JSON" {
		return data, data != nil
	}
	object, ok := data.(map[string]any)
	flat := make(map[string]any, len(object))
	for name, v := range object {
		switch v.(type) {
		case map[string]any, []any:
			return nil, false
		case nil:
		default:
			flat[name] = machine.Text(v)
		}
	}
	return flat, ok || data == nil
}

// lambdaLimit is how long a function may take, in seconds (administrator guide,
// "AWS Lambda function").
func lambdaLimit(params map[string]any) float64 {
	most := 8.0
	if word(params, "InvocationType") == "ASYNCHRONOUS" {
		most = 60
	}
	if n, ok := number(params["InvocationTimeLimitSeconds"]); ok && n > 0 && n < most {
		return n
	}
	return most
}

// firstText is the first of an object's members that is there, as text.
func firstText(v any, names ...string) string {
	for _, name := range names {
		if text := word(v, name); text != "" {
			return text
		}
	}
	return ""
}

// rest is an object without some of its members, nil when nothing is left.
func rest(o map[string]any, but ...string) any {
	left := maps.Clone(o)
	for _, name := range but {
		delete(left, name)
	}
	if len(left) == 0 {
		return nil
	}
	return left
}
