package machine

import (
	"math"
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

// criteriaSteps reads routing criteria, by the rules that the API has for them. A
// function that answers with text may have written them as JSON.
func criteriaSteps(v any) ([]types.Step, bool) {
	o, _ := structured(v).(map[string]any)
	list, _ := structured(o["Steps"]).([]any)
	in := &types.RoutingCriteriaInput{}
	for _, item := range list {
		o, _ := item.(map[string]any)
		step := types.RoutingCriteriaInputStep{Expression: expression(o["Expression"])}
		if expiry, given := o["Expiry"].(map[string]any); given {
			n, _ := numberOf(expiry["DurationInSeconds"])
			seconds := int32(min(max(n, 0), math.MaxInt32))
			step.Expiry = &types.RoutingCriteriaInputStepExpiry{DurationInSeconds: &seconds}
		}
		in.Steps = append(in.Steps, step)
	}
	criteria, err := domain.NewRoutingCriteria(in)
	if err != nil || criteria == nil {
		return nil, false
	}
	return criteria.Steps, true
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
// them. What is none has no members, which the rules refuse.
func expression(v any) *types.Expression {
	o, _ := v.(map[string]any)
	e := &types.Expression{}
	if c, there := o["AttributeCondition"].(map[string]any); there {
		e.AttributeCondition = condition(c)
	}
	if c, there := o["NotAttributeCondition"].(map[string]any); there {
		e.NotAttributeCondition = condition(c)
	}
	for name, all := range map[string]*[]types.Expression{"OrExpression": &e.OrExpression, "AndExpression": &e.AndExpression} {
		list, _ := o[name].([]any)
		for _, item := range list {
			*all = append(*all, *expression(item))
		}
	}
	return e
}

// condition reads a condition on the proficiencies of an agent, or on who the
// agent is.
func condition(o map[string]any) *types.AttributeCondition {
	operator, name, value := textOf(o["ComparisonOperator"]), textOf(o["Name"]), textOf(o["Value"])
	c := &types.AttributeCondition{ComparisonOperator: &operator}
	if match, there := o["MatchCriteria"].(map[string]any); there {
		agents, _ := match["AgentsCriteria"].(map[string]any)
		ids, _ := structured(agents["AgentIds"]).([]any)
		c.MatchCriteria = &types.MatchCriteria{AgentsCriteria: &types.AgentsCriteria{}}
		for _, id := range ids {
			c.MatchCriteria.AgentsCriteria.AgentIds = append(c.MatchCriteria.AgentsCriteria.AgentIds, textOf(id))
		}
	}
	if name != "" || value != "" {
		c.Name, c.Value = &name, &value
	}
	c.ProficiencyLevel = level(o["ProficiencyLevel"])
	if r, there := o["Range"].(map[string]any); there {
		c.Range = &types.Range{MinProficiencyLevel: level(r["MinProficiencyLevel"]), MaxProficiencyLevel: level(r["MaxProficiencyLevel"])}
	}
	return c
}

// level is a number, nil for none.
func level(v any) *float32 {
	f, err := strconv.ParseFloat(textOf(v), 32)
	if err != nil {
		return nil
	}
	l := float32(f)
	return &l
}

// bounded reports whether a text has at most so many characters.
func bounded(s string, most int) bool { return utf8.RuneCountInString(s) <= most }
