package starter

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// check returns every rule of the flow language that a document of the given
// flow type breaks, as far as the rules concern the actions that the starter
// flows use. An action type without a rule here is itself a problem, so that a
// flow cannot slip past. The rules are those of the API reference ("Flow
// actions") and of the errors that the service is known to return.
func check(flowType, content string) []string {
	c := checker{flowType: flowType, byID: map[string]checkedAction{}}
	if n := utf8.RuneCountInString(content); n > 256000 {
		c.complain("document has %d characters", n)
	}
	decoder := json.NewDecoder(strings.NewReader(content))
	decoder.DisallowUnknownFields()
	var d struct {
		Version     string
		StartAction string
		Metadata    map[string]any
		Actions     []checkedAction
	}
	if err := decoder.Decode(&d); err != nil {
		return []string{"not a flow document: " + err.Error()}
	}
	if d.Version != "2019-10-30" {
		c.complain("Version is %q", d.Version)
	}
	if n := len(d.Actions); n < 1 || n > 250 {
		c.complain("%d actions", n)
	}
	for _, a := range d.Actions {
		c.identifier(a.Identifier)
		c.byID[a.Identifier] = a
	}
	for _, a := range d.Actions {
		c.action(a)
	}
	c.reachable(d.StartAction)
	return c.problems
}

type checkedAction struct {
	Identifier  string
	Type        string
	Parameters  map[string]any
	Transitions struct {
		NextAction string
		Errors     []struct{ NextAction, ErrorType string }
		Conditions []struct {
			NextAction string
			Condition  struct {
				Operator string
				Operands []string
			}
		}
	}
}

func (a checkedAction) targets() []string {
	var ids []string
	if a.Transitions.NextAction != "" {
		ids = append(ids, a.Transitions.NextAction)
	}
	for _, e := range a.Transitions.Errors {
		ids = append(ids, e.NextAction)
	}
	for _, c := range a.Transitions.Conditions {
		ids = append(ids, c.NextAction)
	}
	return ids
}

// text is a parameter that must be a string; the empty string when it is not.
func (a checkedAction) text(name string) string {
	s, _ := a.Parameters[name].(string)
	return s
}

type checker struct {
	flowType string
	byID     map[string]checkedAction
	problems []string
}

func (c *checker) complain(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// rule is one row of the table of actions.
type rule struct {
	where      string   // letters of flowLetters, or "*"
	required   []string // parameters
	optional   []string
	oneOf      []string // exactly one of these parameters
	static     []string // parameters that may not hold a JSONPath
	terminal   bool
	noNext     bool // NextAction may be missing
	errors     []string
	mayErr     []string
	conditions func(c *checker, a checkedAction) // nil: none allowed
	more       func(c *checker, a checkedAction)
}

var flowLetters = map[string]string{
	"CONTACT_FLOW":     "I",
	"CUSTOMER_QUEUE":   "Q",
	"AGENT_TRANSFER":   "T",
	"QUEUE_TRANSFER":   "T",
	"CUSTOMER_WHISPER": "W",
	"AGENT_WHISPER":    "W",
	"OUTBOUND_WHISPER": "W",
	"CUSTOMER_HOLD":    "H",
	"AGENT_HOLD":       "H",
}

const (
	anyError     = "NoMatchingError"
	anyCondition = "NoMatchingCondition"
)

var media = []string{"PromptId", "Text", "SSML", "Media"}

var rules = map[string]rule{
	"MessageParticipant": {where: "ITWQ", oneOf: media, mayErr: []string{anyError}},
	"MessageParticipantIteratively": {
		where: "QH", required: []string{"Messages"}, optional: []string{"InterruptFrequencySeconds"},
		noNext: true, mayErr: []string{anyError}, conditions: interruptConditions, more: loopedMessages,
	},
	"GetParticipantInput": {
		where: "ITQ", required: []string{"InputTimeLimitSeconds", "StoreInput"}, oneOf: media,
		optional: []string{"InputValidation", "DTMFConfiguration"}, static: []string{"InputTimeLimitSeconds", "StoreInput", "InputValidation"},
		errors: []string{anyError}, mayErr: []string{anyCondition, "InputTimeLimitExceeded", "InvalidPhoneNumber"},
		conditions: digitConditions, more: participantInput,
	},
	"DisconnectParticipant":    {where: "ITQ", terminal: true},
	"EndFlowExecution":         {where: "WQ", terminal: true},
	"TransferContactToAgent":   {where: "T", terminal: true},
	"UpdateContactTargetQueue": {where: "IT", oneOf: []string{"QueueId", "AgentId"}, errors: []string{anyError}},
	"TransferContactToQueue":   {where: "IT", errors: []string{"QueueAtCapacity", anyError}},
	"TransferToFlow":           {where: "IT", required: []string{"ContactFlowId"}, errors: []string{anyError}},
	"UpdateContactAttributes": {
		where: "*", required: []string{"Attributes", "TargetContact"}, static: []string{"TargetContact"}, errors: []string{anyError},
		more: func(c *checker, a checkedAction) { c.oneOf(a, "TargetContact", "Current", "Related") },
	},
	"UpdateContactEventHooks": {where: "*", required: []string{"EventHooks"}, errors: []string{anyError}, more: eventHooks},
	"UpdateContactRoutingBehavior": {
		where: "ITQ", oneOf: []string{"QueuePriority", "QueueTimeAdjustmentSeconds"}, static: []string{"QueuePriority", "QueueTimeAdjustmentSeconds"},
		more: func(c *checker, a checkedAction) {
			if _, ok := a.Parameters["QueuePriority"]; ok {
				c.within(a, "QueuePriority", 1, 1<<31-1)
			}
		},
	},
	"UpdateContactRecordingBehavior": {where: "ITQ", required: []string{"RecordingBehavior"}, more: recording},
	"UpdateContactCallbackNumber": {
		where: "ITQ", required: []string{"CallbackNumber"}, errors: []string{"InvalidCallbackNumber", "CallbackNumberNotDialable"},
		more: func(c *checker, a checkedAction) { c.onePath(a, "CallbackNumber") },
	},
	"UpdatePreviousContactParticipantState": {
		where: "IT", required: []string{"PreviousContactParticipantState"}, errors: []string{anyError},
		more: func(c *checker, a checkedAction) {
			c.oneOf(a, "PreviousContactParticipantState", "AgentOnHold", "CustomerOnHold", "OffHold")
		},
	},
	"CreateTask": {
		where: "*", required: []string{"ContactFlowId", "Name"}, optional: []string{"Attributes", "Description", "References"}, errors: []string{anyError},
	},
	"CreateCallbackContact": {
		where: "ITQ", required: []string{"InitialCallDelaySeconds", "MaximumConnectionAttempts", "RetryDelaySeconds"},
		errors: []string{anyError},
		more: func(c *checker, a checkedAction) {
			c.within(a, "InitialCallDelaySeconds", 1, 259200)
			c.within(a, "MaximumConnectionAttempts", 1, 1<<31-1)
			c.within(a, "RetryDelaySeconds", 1, 259200)
		},
	},
	"CheckHoursOfOperation": {
		where: "ITQ", optional: []string{"HoursOfOperationId"}, errors: []string{anyError},
		conditions: func(c *checker, a checkedAction) { c.exactly(a, "True", "False") },
	},
	"CheckMetricData": {
		where: "ITQ", required: []string{"MetricType"}, static: []string{"MetricType"},
		errors: []string{anyError, anyCondition}, conditions: metricConditions,
	},
	"Compare": {
		where: "*", required: []string{"ComparisonValue"}, errors: []string{anyCondition}, conditions: anyConditions,
		more: func(c *checker, a checkedAction) { c.onePath(a, "ComparisonValue") },
	},
	"DistributeByPercentage": {where: "ITQ", errors: []string{anyCondition}, conditions: shareConditions},
	"Loop": {
		where: "*", required: []string{"LoopCount"}, mayErr: []string{anyError},
		conditions: func(c *checker, a checkedAction) { c.exactly(a, "ContinueLooping", "DoneLooping") },
		more:       func(c *checker, a checkedAction) { c.within(a, "LoopCount", 0, 100) },
	},
	"Wait": {
		where: "*", required: []string{"TimeLimitSeconds"}, optional: []string{"Events"}, static: []string{"TimeLimitSeconds"},
		errors: []string{anyError}, conditions: waitConditions,
		more: func(c *checker, a checkedAction) { c.within(a, "TimeLimitSeconds", 1, 604800) },
	},
	"UpdateFlowLoggingBehavior": {
		where: "*", required: []string{"FlowLoggingBehavior"},
		more: func(c *checker, a checkedAction) { c.oneOf(a, "FlowLoggingBehavior", "Enabled", "Disabled") },
	},
	"InvokeLambdaFunction": {
		where: "*", required: []string{"LambdaFunctionARN", "InvocationTimeLimitSeconds"},
		optional: []string{"ResponseValidation", "LambdaInvocationAttributes", "InvocationType"}, static: []string{"InvocationTimeLimitSeconds"},
		errors: []string{anyError},
		more:   func(c *checker, a checkedAction) { c.within(a, "InvocationTimeLimitSeconds", 1, 8) },
	},
}

func (c *checker) identifier(id string) {
	reserved := []string{
		"__proto__", "constructor", "__defineGetter__", "__defineSetter__", "toString", "hasOwnProperty",
		"isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "valueOf",
	}
	if n := utf8.RuneCountInString(id); n < 1 || n > 50 || strings.ContainsAny(id, `%:(\/)=$,;[]{}`) || slices.Contains(reserved, id) {
		c.complain("identifier %q is not allowed", id)
	}
	if _, twice := c.byID[id]; twice {
		c.complain("identifier %q is not unique", id)
	}
}

func (c *checker) action(a checkedAction) {
	r, ok := rules[a.Type]
	if !ok {
		c.complain("%s: no rule for action type %q", a.Identifier, a.Type)
		return
	}
	if r.where != "*" && !strings.Contains(r.where, flowLetters[c.flowType]) {
		c.complain("%s: %s is not supported in %s", a.Identifier, a.Type, c.flowType)
	}
	c.parameters(a, r)
	for _, id := range a.targets() {
		if _, ok := c.byID[id]; !ok {
			c.complain("%s: no action %q", a.Identifier, id)
		}
	}
	if r.terminal {
		if len(a.targets()) > 0 {
			c.complain("%s: %s does not support transitions", a.Identifier, a.Type)
		}
		return
	}
	if a.Transitions.NextAction == "" && !r.noNext {
		c.complain("%s: NextAction is missing", a.Identifier)
	}
	c.errors(a, r.errors, append(slices.Clone(r.errors), r.mayErr...))
	for _, branch := range a.Transitions.Conditions {
		if len(branch.Condition.Operands) != 1 {
			c.complain("%s: a condition has %d operands", a.Identifier, len(branch.Condition.Operands))
			return
		}
	}
	if r.conditions != nil {
		r.conditions(c, a)
	} else if len(a.Transitions.Conditions) > 0 {
		c.complain("%s: %s does not support conditions", a.Identifier, a.Type)
	}
	if r.more != nil {
		r.more(c, a)
	}
}

func (c *checker) parameters(a checkedAction, r rule) {
	for _, name := range r.required {
		if _, ok := a.Parameters[name]; !ok {
			c.complain("%s: parameter %s is missing", a.Identifier, name)
		}
	}
	if r.oneOf != nil {
		n := 0
		for _, name := range r.oneOf {
			if _, ok := a.Parameters[name]; ok {
				n++
			}
		}
		if n != 1 {
			c.complain("%s: %d of the parameters %v are set", a.Identifier, n, r.oneOf)
		}
	}
	known := slices.Concat(r.required, r.optional, r.oneOf)
	for name, value := range a.Parameters {
		if !slices.Contains(known, name) {
			c.complain("%s: %s has no parameter %s", a.Identifier, a.Type, name)
		}
		for _, s := range stringsIn(value) {
			paths := jsonPath.FindAllStringSubmatch(s, -1)
			if len(paths) > 0 && slices.Contains(r.static, name) {
				c.complain("%s: parameter %s must be static", a.Identifier, name)
			}
			for _, path := range paths {
				if !slices.Contains(pathRoots, path[1]) {
					c.complain("%s: parameter %s names the unknown root $.%s", a.Identifier, name, path[1])
				}
			}
			if s == "" || utf8.RuneCountInString(s) > 3000 {
				c.complain("%s: parameter %s has a text of %d characters", a.Identifier, name, utf8.RuneCountInString(s))
			}
			if strings.Contains(s, "{{") {
				c.complain("%s: parameter %s still has a placeholder", a.Identifier, name)
			}
		}
	}
}

var (
	jsonPath  = regexp.MustCompile(`\$\.([A-Za-z]+)`)
	singular  = regexp.MustCompile(`^\$\.[A-Za-z]+(\.[A-Za-z]+)*$`)
	pathRoots = []string{
		"Attributes", "External", "StoredCustomerInput", "FlowAttributes", "CustomerEndpoint", "SystemEndpoint",
		"Channel", "Queue", "Agent", "Metrics", "Lex",
	}
)

func stringsIn(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, item := range v {
			all = append(all, stringsIn(item)...)
		}
		return all
	case map[string]any:
		var all []string
		for _, item := range v {
			all = append(all, stringsIn(item)...)
		}
		return all
	}
	return nil
}

func (c *checker) errors(a checkedAction, must, may []string) {
	var have []string
	for _, e := range a.Transitions.Errors {
		if slices.Contains(have, e.ErrorType) {
			c.complain("%s: error %s twice", a.Identifier, e.ErrorType)
		}
		if !slices.Contains(may, e.ErrorType) {
			c.complain("%s: error %s is not allowed", a.Identifier, e.ErrorType)
		}
		have = append(have, e.ErrorType)
	}
	for _, e := range must {
		if !slices.Contains(have, e) {
			c.complain("%s: error %s is missing", a.Identifier, e)
		}
	}
}

// exactly asks for one Equals condition for each value and no other.
func (c *checker) exactly(a checkedAction, values ...string) {
	var have []string
	for _, branch := range a.Transitions.Conditions {
		if branch.Condition.Operator != "Equals" {
			c.complain("%s: operator %s is not allowed", a.Identifier, branch.Condition.Operator)
		}
		have = append(have, branch.Condition.Operands[0])
	}
	slices.Sort(have)
	slices.Sort(values)
	if !slices.Equal(have, values) {
		c.complain("%s: conditions are %v and must be %v", a.Identifier, have, values)
	}
}

func (c *checker) oneOf(a checkedAction, parameter string, values ...string) {
	if !slices.Contains(values, a.text(parameter)) {
		c.complain("%s: parameter %s is %q and must be one of %v", a.Identifier, parameter, a.text(parameter), values)
	}
}

func (c *checker) within(a checkedAction, parameter string, low, high int) {
	n, err := strconv.Atoi(a.text(parameter))
	if err != nil || n < low || n > high {
		c.complain("%s: parameter %s is %q and must be from %d to %d", a.Identifier, parameter, a.text(parameter), low, high)
	}
}

func (c *checker) onePath(a checkedAction, parameter string) {
	if !singular.MatchString(a.text(parameter)) {
		c.complain("%s: parameter %s must be one JSONPath", a.Identifier, parameter)
	}
}

func anyConditions(c *checker, a checkedAction) {
	operators := []string{
		"Equals", "TextStartsWith", "TextEndsWith", "TextContains",
		"NumberGreaterThan", "NumberGreaterOrEqualTo", "NumberLessThan", "NumberLessOrEqualTo",
	}
	for _, branch := range a.Transitions.Conditions {
		if !slices.Contains(operators, branch.Condition.Operator) {
			c.complain("%s: operator %s is not allowed", a.Identifier, branch.Condition.Operator)
		}
	}
}

func interruptConditions(c *checker, a checkedAction) {
	if _, ok := a.Parameters["InterruptFrequencySeconds"]; ok {
		c.exactly(a, "MessagesInterrupted")
	} else {
		c.exactly(a)
	}
}

func digitConditions(c *checker, a checkedAction) {
	if a.text("StoreInput") != "False" {
		c.exactly(a)
		return
	}
	var keys []string
	for _, branch := range a.Transitions.Conditions {
		key := branch.Condition.Operands[0]
		if len(key) != 1 || !strings.Contains("0123456789*#", key) {
			c.complain("%s: %q is not a key", a.Identifier, key)
		}
		if slices.Contains(keys, key) {
			c.complain("%s: key %s twice", a.Identifier, key)
		}
		keys = append(keys, key)
	}
	c.exactly(a, keys...)
}

func metricConditions(c *checker, a checkedAction) {
	agents := strings.HasPrefix(a.text("MetricType"), "NumberOfAgents")
	c.oneOf(a, "MetricType", "NumberOfAgentsAvailable", "NumberOfAgentsStaffed", "NumberOfAgentsOnline",
		"OldestContactInQueueAgeSeconds", "NumberOfContactsInQueue")
	for _, branch := range a.Transitions.Conditions {
		operator, operand := branch.Condition.Operator, branch.Condition.Operands[0]
		if agents && (operator != "NumberGreaterThan" || operand != "0") {
			c.complain("%s: agents can only be compared with NumberGreaterThan 0", a.Identifier)
		}
		if operator != "Equals" && !strings.HasPrefix(operator, "Number") {
			c.complain("%s: operator %s is not allowed", a.Identifier, operator)
		}
		if _, err := strconv.Atoi(operand); err != nil {
			c.complain("%s: operand %q is not a number", a.Identifier, operand)
		}
	}
}

func shareConditions(c *checker, a checkedAction) {
	last := 1
	for _, branch := range a.Transitions.Conditions {
		n, err := strconv.Atoi(branch.Condition.Operands[0])
		if err != nil || branch.Condition.Operator != "NumberLessThan" || n <= last || n > 100 {
			c.complain("%s: thresholds must rise from 2 to 100", a.Identifier)
		}
		last = n
	}
}

func waitConditions(c *checker, a checkedAction) {
	c.exactly(a, append([]string{"WaitCompleted"}, stringsIn(a.Parameters["Events"])...)...)
	for _, event := range stringsIn(a.Parameters["Events"]) {
		if event != "CustomerReturned" && event != "BotParticipantDisconnected" {
			c.complain("%s: unknown event %s", a.Identifier, event)
		}
	}
}

func loopedMessages(c *checker, a checkedAction) {
	messages, _ := a.Parameters["Messages"].([]any)
	if len(messages) == 0 {
		c.complain("%s: no messages", a.Identifier)
	}
	for _, m := range messages {
		kinds, _ := m.(map[string]any)
		if len(kinds) != 1 {
			c.complain("%s: a message has %d of %v", a.Identifier, len(kinds), media)
		}
		for kind := range kinds {
			if !slices.Contains(media, kind) {
				c.complain("%s: a message has no %s", a.Identifier, kind)
			}
		}
	}
}

func participantInput(c *checker, a checkedAction) {
	c.within(a, "InputTimeLimitSeconds", 1, 180)
	c.oneOf(a, "StoreInput", "True", "False")
	validation, validated := a.Parameters["InputValidation"].(map[string]any)
	if a.text("StoreInput") == "False" {
		c.errors(a, []string{anyCondition, "InputTimeLimitExceeded"}, []string{anyError, anyCondition, "InputTimeLimitExceeded"})
		if validated {
			c.complain("%s: InputValidation without stored input", a.Identifier)
		}
		return
	}
	phone, isPhone := validation["PhoneNumberValidation"].(map[string]any)
	custom, isCustom := validation["CustomValidation"].(map[string]any)
	switch {
	case isPhone == isCustom || len(validation) != 1:
		c.complain("%s: InputValidation must be one of PhoneNumberValidation and CustomValidation", a.Identifier)
	case isPhone:
		c.errors(a, []string{"InvalidPhoneNumber"}, []string{anyError, "InvalidPhoneNumber"})
		if local := phone["NumberFormat"] == "Local"; !local && phone["NumberFormat"] != "E164" || local != (phone["CountryCode"] != nil) {
			c.complain("%s: NumberFormat and CountryCode do not agree", a.Identifier)
		}
	case isCustom:
		c.errors(a, nil, []string{anyError})
		length, _ := custom["MaximumLength"].(string)
		if n, err := strconv.Atoi(length); err != nil || n < 1 {
			c.complain("%s: MaximumLength is %q", a.Identifier, length)
		}
	}
}

func eventHooks(c *checker, a checkedAction) {
	known := []string{
		"AgentHold", "AgentWhisper", "CustomerHold", "CustomerQueue", "CustomerRemaining", "CustomerWhisper",
		"DefaultAgentUI", "DisconnectAgentUI", "PauseContact", "ResumeContact",
	}
	hooks, _ := a.Parameters["EventHooks"].(map[string]any)
	if len(hooks) != 1 {
		c.complain("%s: %d event hooks", a.Identifier, len(hooks))
	}
	for hook := range hooks {
		if !slices.Contains(known, hook) {
			c.complain("%s: unknown event hook %s", a.Identifier, hook)
		}
	}
}

func recording(c *checker, a checkedAction) {
	behavior, _ := a.Parameters["RecordingBehavior"].(map[string]any)
	participants, ok := behavior["RecordedParticipants"].([]any)
	if !ok {
		c.complain("%s: RecordedParticipants is missing", a.Identifier)
	}
	for _, p := range participants {
		if p != "Agent" && p != "Customer" {
			c.complain("%s: %v cannot be recorded", a.Identifier, p)
		}
	}
}

// reachable asks that every action can be reached, and that from every action
// an end can be: a terminal action or prompts that repeat until something
// outside the flow stops them.
func (c *checker) reachable(start string) {
	if _, ok := c.byID[start]; !ok {
		c.complain("StartAction %q is no action", start)
		return
	}
	seen := c.follow(start)
	for id := range c.byID {
		if !seen[id] {
			c.complain("%s: is never reached", id)
		}
		ends := false
		for reached := range c.follow(id) {
			a := c.byID[reached]
			ends = ends || rules[a.Type].terminal || rules[a.Type].noNext && len(a.targets()) == 0
		}
		if !ends {
			c.complain("%s: nothing ends the flow from here", id)
		}
	}
	slices.Sort(c.problems)
}

func (c *checker) follow(start string) map[string]bool {
	seen := map[string]bool{}
	waiting := []string{start}
	for len(waiting) > 0 {
		id := waiting[0]
		waiting = waiting[1:]
		if !seen[id] {
			seen[id] = true
			waiting = append(waiting, c.byID[id].targets()...)
		}
	}
	return seen
}
