package machine

import (
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
)

// maxHops is how often a contact can go from queue to queue: a chain has twelve
// contacts at most (administrator guide, "Transfer to queue").
const maxHops = 11

// findQueue asks for the queue that the parameters name, false when they name
// none.
func (x *step) findQueue() bool {
	q := QueueRequest{QueueID: x.text("QueueId"), AgentID: x.text("AgentId")}
	if q == (QueueRequest{}) {
		return false
	}
	x.ask(Request{Queue: &q})
	return true
}

func targetQueue(x *step) {
	if !x.findQueue() {
		x.fail(NoMatchingError)
	}
}

func targeted(x *step, r *Reply) {
	x.subject.Contact.TargetQueue = r.Queue
	x.next()
}

// queued reports whether the contact is in a queue.
func (x *step) queued() bool {
	c := x.subject.Contact
	return c.Queue != nil && c.DequeuedAt.IsZero()
}

// toQueue puts the contact into its target queue. Without one, or when it is in
// a queue already, that is an error (API reference, TransferContactToQueue).
func toQueue(x *step) {
	c := x.subject.Contact
	if c.TargetQueue == nil || x.queued() {
		x.fail(NoMatchingError)
		return
	}
	x.ask(Request{Enqueue: &EnqueueRequest{Queue: *c.TargetQueue}})
}

// requeue takes the contact out of its queue into another. A contact that is in
// no queue has none to leave (API reference, DequeueContactAndTransferToQueue).
func requeue(x *step) {
	if !x.queued() || x.subject.Contact.Hops >= maxHops || !x.findQueue() {
		x.fail(NoMatchingError)
	}
}

// requeued goes on with the customer queue flow: the customer still waits.
func requeued(x *step, _ *Reply) {
	q := x.asked.Enqueue.Queue
	x.subject.Contact.TargetQueue = &q
	x.next()
}

func askRequeue(x *step, q *domain.ContactQueue) {
	x.ask(Request{Enqueue: &EnqueueRequest{Queue: *q, Requeue: true}})
}

// toAgent hands a call to the agent of the transfer. There is no error branch
// for anything else.
func toAgent(x *step) {
	if !x.voice() {
		x.fail(NoMatchingError)
		return
	}
	x.ask(Request{ToAgent: &ToAgentRequest{}})
}

// toldToAgent disconnects the contact when the agent is with somebody else (API
// reference, TransferContactToAgent).
func toldToAgent(x *step, _ *Wait, ev Event) bool {
	switch {
	case ev.Kind != Replied:
		return false
	case ev.Reply.Err != "":
		x.end(Disconnected, "The agent cannot take the contact.")
	default:
		x.end(Handed, "")
	}
	return true
}

// routingBehavior changes the place of the contact in its queue. The numbers
// are static, so they have been checked, and may be the greatest int64; there is
// no error branch.
func routingBehavior(x *step) {
	c := x.subject.Contact
	if n, err := strconv.ParseInt(x.text("QueuePriority"), 10, 64); err == nil && n >= 1 {
		c.Priority = n
	}
	if n, err := strconv.ParseInt(x.text("QueueTimeAdjustmentSeconds"), 10, 64); err == nil {
		c.TimeAdjustment = int32(min(max(n, math.MinInt32), math.MaxInt32))
	}
	x.next()
}

// The bounds of routing criteria (administrator guide, "Set routing criteria").
const (
	maxSteps     = 5
	maxAnd       = 8
	maxOr        = 3
	maxPreferred = 10
	maxName      = 64
)

// routingCriteria gives the contact routing criteria in the place of those that
// it has. They become active when it is put into a queue.
func routingCriteria(x *step) {
	steps, ok := criteriaSteps(x.params["RoutingCriteria"])
	if !ok {
		x.fail(NoMatchingError)
		return
	}
	c := x.subject.Contact
	index := int32(0)
	if c.Routing != nil && c.Routing.Index != nil {
		index = *c.Routing.Index + 1
	}
	c.Routing = &types.RoutingCriteria{Index: &index, Steps: steps}
	x.subject.change(changedCriteria)
	x.next()
}

// criteriaSteps reads routing criteria. A function that answers with text may
// have written them as JSON.
func criteriaSteps(v any) ([]types.Step, bool) {
	o, _ := structured(v).(map[string]any)
	list, _ := structured(o["Steps"]).([]any)
	if len(list) == 0 || len(list) > maxSteps {
		return nil, false
	}
	steps := make([]types.Step, len(list))
	for i, item := range list {
		o, _ := item.(map[string]any)
		e, ok := expression(o["Expression"], 0)
		if !ok {
			return nil, false
		}
		steps[i] = types.Step{Expression: e, Status: types.RoutingCriteriaStepStatusInactive}
		expiry, given := o["Expiry"].(map[string]any)
		if !given {
			continue
		}
		n, ok := numberOf(expiry["DurationInSeconds"])
		if !ok || n < 1 || n > math.MaxInt32 {
			return nil, false
		}
		seconds := int32(n)
		steps[i].Expiry = &types.Expiry{DurationInSeconds: &seconds}
	}
	return steps, true
}

// structured is a value, or what a text says in JSON.
func structured(v any) any {
	text, ok := v.(string)
	if !ok {
		return v
	}
	inner, _ := parsed([]byte(text))
	return inner
}

// expression reads one expression: a condition, its opposite, or several of
// them. An OrExpression is only there at the top, an AndExpression may be in
// it; one expression does not name an attribute twice.
func expression(v any, depth int) (*types.Expression, bool) {
	o, _ := v.(map[string]any)
	if len(o) != 1 {
		return nil, false
	}
	if c, ok := o["AttributeCondition"]; ok {
		a, ok := condition(c)
		return &types.Expression{AttributeCondition: a}, ok
	}
	if c, ok := o["NotAttributeCondition"]; ok {
		a, ok := condition(c)
		return &types.Expression{NotAttributeCondition: a}, ok
	}
	if list, ok := o["OrExpression"].([]any); ok && depth == 0 {
		all, ok := expressions(list, maxOr, 1)
		return &types.Expression{OrExpression: all}, ok
	}
	if list, ok := o["AndExpression"].([]any); ok && depth < 2 {
		all, ok := expressions(list, maxAnd, 2)
		return &types.Expression{AndExpression: all}, ok && !namesTwice(all)
	}
	return nil, false
}

func expressions(list []any, most, depth int) ([]types.Expression, bool) {
	if len(list) == 0 || len(list) > most {
		return nil, false
	}
	all := make([]types.Expression, len(list))
	for i, item := range list {
		e, ok := expression(item, depth)
		if !ok {
			return nil, false
		}
		all[i] = *e
	}
	return all, true
}

// namesTwice reports whether two conditions are on the same value of the same
// attribute.
func namesTwice(all []types.Expression) bool {
	var seen []string
	for _, e := range all {
		a := e.AttributeCondition
		if a == nil {
			a = e.NotAttributeCondition
		}
		if a == nil || a.Name == nil || a.Value == nil {
			continue
		}
		name := *a.Name + "\x00" + *a.Value
		if slices.Contains(seen, name) {
			return true
		}
		seen = append(seen, name)
	}
	return false
}

// condition reads a condition on the proficiencies of an agent, or on who the
// agent is.
func condition(v any) (*types.AttributeCondition, bool) {
	o, _ := v.(map[string]any)
	operator := textOf(o["ComparisonOperator"])
	a := &types.AttributeCondition{ComparisonOperator: &operator}
	if operator == "Match" {
		match, _ := o["MatchCriteria"].(map[string]any)
		agents, _ := match["AgentsCriteria"].(map[string]any)
		ids, _ := structured(agents["AgentIds"]).([]any)
		if len(ids) == 0 || len(ids) > maxPreferred {
			return nil, false
		}
		c := &types.AgentsCriteria{}
		for _, id := range ids {
			if textOf(id) == "" {
				return nil, false
			}
			c.AgentIds = append(c.AgentIds, textOf(id))
		}
		a.MatchCriteria = &types.MatchCriteria{AgentsCriteria: c}
		return a, true
	}
	name, value := textOf(o["Name"]), textOf(o["Value"])
	if !bounded(name, 1, maxName) || !bounded(value, 1, maxName) {
		return nil, false
	}
	a.Name, a.Value = &name, &value
	ok := false
	switch operator {
	case "NumberGreaterOrEqualTo":
		a.ProficiencyLevel, ok = level(o["ProficiencyLevel"])
	case "Range":
		r, _ := o["Range"].(map[string]any)
		low, lowOK := level(r["MinProficiencyLevel"])
		high, highOK := level(r["MaxProficiencyLevel"])
		a.Range, ok = &types.Range{MinProficiencyLevel: low, MaxProficiencyLevel: high}, lowOK && highOK && *low <= *high
	}
	return a, ok
}

// level is a proficiency, 1 to 5.
func level(v any) (*float32, bool) {
	f, err := strconv.ParseFloat(textOf(v), 32)
	if err != nil || !(f >= 1 && f <= 5) {
		return nil, false
	}
	l := float32(f)
	return &l, true
}

// bounded reports whether a text has a number of characters.
func bounded(s string, low, high int) bool {
	n := utf8.RuneCountInString(s)
	return low <= n && n <= high
}
