package machine

import (
	"maps"

	"ringdown/internal/domain"
)

// contactHandlers are those of flow's contactActions.
var contactHandlers = map[string]handler{
	"UpdateContactTargetQueue": {begin: targetQueue, event: answered(func(x *step, r *Reply) {
		x.subject.Contact.TargetQueue = r.Queue
		x.next()
	})},
	"TransferContactToQueue":  {begin: toQueue, event: answered(func(x *step, _ *Reply) { x.end(Handed, "") })},
	"UpdateContactAttributes": {begin: updateAttributes, event: answered(func(x *step, _ *Reply) { x.next() })},
	"InvokeFlowModule":        {begin: invokeModule, event: answered(func(x *step, r *Reply) { x.call(r.Flows[0], x.object("Input")) })},
	endModule: {begin: func(x *step) {
		if len(x.run.Frames) < 2 {
			x.end(Finished, "")
			return
		}
		result, data := x.text("Result"), x.object("ResultData")
		x.resultIs = result
		x.line(Line{Result: result, Note: "The module ends."})
		x.leave(Finished, result, data)
	}},
}

func targetQueue(x *step) {
	x.ask(Request{Queue: &QueueRequest{QueueID: x.text("QueueId"), AgentID: x.text("AgentId")}})
}

// toQueue puts the contact into its target queue. Without one, or when it is in
// a queue already, that is an error (API reference, TransferContactToQueue).
func toQueue(x *step) {
	c := x.subject.Contact
	if c.TargetQueue == nil || c.Queue != nil && c.DequeuedAt.IsZero() {
		x.fail(NoMatchingError)
		return
	}
	x.ask(Request{Enqueue: &EnqueueRequest{Queue: *c.TargetQueue}})
}

// updateAttributes sets all of the attributes or none (API reference,
// UpdateContactAttributes).
func updateAttributes(x *step) {
	set := map[string]string{}
	for k, v := range x.object("Attributes") {
		set[k] = textOf(v)
	}
	if x.text("TargetContact") == "Related" {
		x.ask(Request{Related: &RelatedRequest{Attributes: set}})
		return
	}
	all := maps.Clone(x.subject.Attributes)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, set)
	if domain.CheckAttributes(all, true) != nil {
		x.fail(NoMatchingError)
		return
	}
	x.subject.Attributes = all
	x.subject.change("Attributes")
	x.next()
}

func invokeModule(x *step) {
	if len(x.run.Frames) > maxDepth {
		x.fail(NoMatchingError)
		return
	}
	x.ask(Request{Flows: &FlowsRequest{IDs: []string{x.text("FlowModuleId")}, Module: true}})
}
