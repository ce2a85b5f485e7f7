package machine

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
)

// controlHandlers are those of flow's controlActions.
var controlHandlers = map[string]handler{
	"CheckHoursOfOperation":     {begin: checkHours, event: answered(func(x *step, r *Reply) { x.result(r.Result) })},
	"CheckMetricData":           {begin: withQueue(askMetric), event: answered(onQueue(askMetric, compareMetric))},
	"GetMetricData":             {begin: withQueue(askMetrics), event: answered(onQueue(askMetrics, concluded))},
	"Compare":                   {begin: compare},
	"DistributeByPercentage":    {begin: func(x *step) { x.result(textOf(int64(x.random(100)) + 1)) }},
	"Loop":                      {begin: loop},
	"Wait":                      {begin: wait, event: waited},
	"TransferToFlow":            {begin: transferToFlow, event: answered(transferred)},
	"EndFlowExecution":          {begin: endFlow},
	"UpdateFlowAttributes":      {begin: updateFlowAttributes},
	"UpdateFlowLoggingBehavior": {begin: updateLogging},
	"CheckOutboundCallStatus":   {begin: checkOutboundCall},
	"CheckVoiceId":              {begin: onCalls(service), event: answered(compareVoiceID)},
	"StartVoiceIdStream":        {begin: onCalls(service), event: answered(concluded)},
	"CheckSegmentMembership":    {begin: service, event: answered(concluded)},
}

// onCalls is begin for actions that other channels do not support.
func onCalls(begin func(*step)) func(*step) {
	return func(x *step) {
		if !x.voice() {
			x.fail(NoMatchingError)
			return
		}
		begin(x)
	}
}

// checkHours asks whether hours are open: those named, or those of the queue.
// The queue of an agent has none.
func checkHours(x *step) {
	r := HoursRequest{ID: x.text("HoursOfOperationId")}
	if r.ID == "" {
		r.Queue = x.waitsIn()
		if r.Queue == nil || r.Queue.AgentID != "" {
			x.fail(NoMatchingError)
			return
		}
	}
	x.ask(Request{Hours: &r})
}

// withQueue begins actions about a queue: that which the parameters name, which
// is looked up first, or the one that the contact waits in.
func withQueue(then func(*step, *domain.ContactQueue)) func(*step) {
	return func(x *step) {
		if x.has("QueueId") || x.has("AgentId") {
			if !x.findQueue() {
				x.fail(NoMatchingError)
			}
			return
		}
		onto(x, x.waitsIn(), then)
	}
}

// onQueue goes on with the queue that was looked up, and then with the answer
// to what was asked about it.
func onQueue(then func(*step, *domain.ContactQueue), last func(*step, *Reply)) func(*step, *Reply) {
	return func(x *step, r *Reply) {
		if x.asked.Queue != nil {
			onto(x, r.Queue, then)
			return
		}
		last(x, r)
	}
}

func onto(x *step, q *domain.ContactQueue, then func(*step, *domain.ContactQueue)) {
	if q == nil {
		x.fail(NoMatchingError)
		return
	}
	then(x, q)
}

func askMetric(x *step, q *domain.ContactQueue) {
	x.ask(Request{Metric: &MetricRequest{Type: x.text("MetricType"), Queue: *q}})
}

// compareMetric compares the metric. Ages are compared in milliseconds: the
// console writes 300000 for five minutes (docs/divergences.md).
func compareMetric(x *step, r *Reply) {
	n := r.Number
	if x.text("MetricType") == "OldestContactInQueueAgeSeconds" {
		n *= 1000
	}
	x.result(textOf(n))
}

func askMetrics(x *step, q *domain.ContactQueue) {
	channel := x.text("QueueChannel")
	switch channel {
	case "", "Voice", "Chat":
		x.ask(Request{Metrics: &MetricsRequest{Queue: q, Channel: channel}})
	default:
		x.fail(NoMatchingError)
	}
}

// compare compares a value of the contact. One that is not there has no match,
// except that KeyExists may ask for that.
func compare(x *step) {
	var v any
	var there, secret bool
	if paths := flow.Paths(x.action.Parameters.Get("ComparisonValue").String()); len(paths) > 0 {
		v, there = x.lookup(paths[0].Steps)
		secret = paths[0].Steps[0] == storedInput
	}
	value := textOf(v)
	shown := value
	if secret && there && value != inputTimeout {
		shown = hidden
	}
	for _, c := range x.action.Transitions.Conditions {
		operand := textOf(x.fill(c.Operand))
		if there && Compare(c.Operator, value, operand) || !there && c.Operator == "KeyExists" && !Compare(c.Operator, "", operand) {
			x.follow(c.NextAction, shown, "")
			return
		}
	}
	x.resultIs = shown
	x.fail(NoMatchingCondition)
}

// maxLoops is how often a loop may go round (API reference, Loop).
const maxLoops = 100

// loop counts, for this action of this flow: so many times ContinueLooping,
// then DoneLooping once, then from the beginning. A flow that is left before and
// run again goes on counting (administrator guide, "Loop prompts").
func loop(x *step) {
	count, ok := x.number("LoopCount")
	if !ok || count < 0 || count > maxLoops {
		x.fail(NoMatchingError)
		return
	}
	r, key := x.run, x.frame.Flow.ID+" "+x.action.Identifier
	if int64(r.Loops[key]) >= count {
		delete(r.Loops, key)
		x.result("DoneLooping")
		return
	}
	if r.Loops == nil {
		r.Loops = map[string]int{}
	}
	r.Loops[key]++
	x.result("ContinueLooping")
}

// mostWait is the longest wait, in seconds (API reference, Wait).
const mostWait = 604800

// wait waits for a time or an event. Calls cannot wait; tasks wait for the time
// alone (administrator guide, "Wait").
func wait(x *step) {
	n, ok := x.number("TimeLimitSeconds")
	if x.voice() || !ok || n < 1 || n > mostWait {
		x.fail(NoMatchingError)
		return
	}
	x.timer(x.seconds("TimeLimitSeconds"))
	if events, _ := x.params["Events"].([]any); x.subject.Contact.Channel != types.ChannelTask {
		for _, e := range events {
			x.run.Wait.Events = append(x.run.Wait.Events, textOf(e))
		}
	}
}

func waited(x *step, w *Wait, ev Event) bool {
	switch {
	case ev.Kind == Expired:
		x.result("WaitCompleted")
	case ev.Kind != Occurred || !slices.Contains(w.Events, ev.Text):
		return false
	case ev.Err != "":
		x.fail(ev.Err)
	default:
		x.result(ev.Text)
	}
	return true
}

func transferToFlow(x *step) {
	x.ask(Request{Flows: &FlowsRequest{IDs: []string{x.text("ContactFlowId")}}})
}

// transferred goes on in another flow, out of any modules. It must be of a type
// that can be transferred to (administrator guide, "Transfer to flow"). What
// belongs to the flow alone is left behind; what services have answered is kept.
func transferred(x *step, r *Reply) {
	to := r.Flows[0]
	doc := x.machine.Library.Document(to.Content)
	if doc == nil || to.Type != "CONTACT_FLOW" && to.Type != "AGENT_TRANSFER" && to.Type != "QUEUE_TRANSFER" {
		x.fail(NoMatchingError)
		return
	}
	x.line(Line{Next: to.Name, Note: "The flow goes on in another."})
	x.run.Wait = nil
	x.run.Frames = []Frame{{Flow: to, Action: doc.StartAction, Data: x.run.Frames[0].Data}}
}

// endFlow ends the flow, out of any modules; the contact stays where it is. At
// the end of an interruption it goes back to the messages that were interrupted
// (administrator guide, "End flow / Resume" and "Loop prompts").
func endFlow(x *step) {
	for i, f := range x.run.Frames {
		if f.Looping != "" {
			x.line(Line{Next: f.Looping, Note: "The interruption ends."})
			x.run.Frames = x.run.Frames[:i+1]
			x.run.Top().Action, x.run.Top().Looping = f.Looping, ""
			return
		}
	}
	x.line(Line{})
	x.run.Wait = nil
	x.run.End = &End{Reason: Finished}
}

// updateFlowAttributes sets all of the attributes or none. Their keys have
// neither $ nor dots (administrator guide, "Flow attributes").
func updateFlowAttributes(x *step) {
	set := x.object("FlowAttributes")
	for k := range set {
		if k == "" || strings.ContainsAny(k, "$.") {
			x.fail(NoMatchingError)
			return
		}
	}
	f := x.frame
	if f.Attributes == nil {
		f.Attributes = map[string]string{}
	}
	for k, v := range set {
		o, _ := v.(map[string]any)
		f.Attributes[k] = textOf(o["Value"])
	}
	x.next()
}

// updateLogging turns the flow log on or off, for the rest of the contact and
// for those that follow it.
func updateLogging(x *step) {
	on := x.text("FlowLoggingBehavior") != "Disabled"
	x.subject.Contact.Logging = &on
	x.next()
}

// callStatus is what CheckOutboundCallStatus makes of answering machine
// detection. What is not here has no status: there was no detection, or it
// failed.
var callStatus = map[types.AnsweringMachineDetectionStatus]string{
	types.AnsweringMachineDetectionStatusAnswered:                   "CallAnswered",
	types.AnsweringMachineDetectionStatusHumanAnswered:              "CallAnswered",
	types.AnsweringMachineDetectionStatusVoicemailBeep:              "VoicemailBeep",
	types.AnsweringMachineDetectionStatusVoicemailNoBeep:            "VoicemailNoBeep",
	types.AnsweringMachineDetectionStatusUndetected:                 "NotDetected",
	types.AnsweringMachineDetectionStatusAmdUnresolved:              "NotDetected",
	types.AnsweringMachineDetectionStatus("AMD_UNRESOLVED_SILENCE"): "NotDetected", // contact records have it
}

func checkOutboundCall(x *step) {
	status, ok := callStatus[x.subject.Contact.Detection]
	if !ok || !x.voice() {
		x.fail(NoMatchingError)
		return
	}
	orError(x, status)
}

// orError is result for actions whose NoMatchingError stands for no match.
func orError(x *step, v string) {
	if to, ok := x.match(v); ok {
		x.follow(to, v, "")
		return
	}
	x.resultIs = v
	x.fail(NoMatchingError)
}

// compareVoiceID compares without spaces: the page writes "Not enrolled", the
// wire as it seems NotEnrolled.
func compareVoiceID(x *step, r *Reply) {
	squeeze := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, " ", "")) }
	for _, c := range x.action.Transitions.Conditions {
		if squeeze(c.Operand) == squeeze(r.Result) {
			x.follow(c.NextAction, r.Result, "")
			return
		}
	}
	x.resultIs = r.Result
	x.fail(NoMatchingError)
}
