package machine

import (
	"strings"

	"ringdown/internal/flow"
)

// controlHandlers are those of flow's controlActions.
var controlHandlers = map[string]handler{
	"Compare":          {begin: compare},
	"TransferToFlow":   {begin: transferToFlow, event: answered(transferred)},
	"EndFlowExecution": {begin: func(x *step) { x.end(Finished, "") }},
}

// compare compares a value of the contact. One that is not there has no match,
// except that nothing has KeyExists.
func compare(x *step) {
	n := x.action.Parameters.Get("ComparisonValue")
	var v any
	there := false
	if paths := flow.Paths(n.String()); len(paths) > 0 {
		v, there = x.lookup(paths[0].Steps)
	}
	value := textOf(v)
	t := x.action.Transitions
	for _, c := range t.Conditions {
		if c.Operator == "KeyExists" && there && (c.Operand == "" || !strings.EqualFold(c.Operand, "false")) ||
			there && Compare(c.Operator, value, c.Operand) {
			x.follow(c.NextAction, value, "")
			return
		}
	}
	x.resultIs = value
	x.fail(NoMatchingCondition)
}

func transferToFlow(x *step) {
	x.ask(Request{Flows: &FlowsRequest{IDs: []string{x.text("ContactFlowId")}}})
}

// transferred goes on in another flow. What belongs to the flow alone is left
// behind; what services have answered is kept.
func transferred(x *step, r *Reply) {
	to := r.Flows[0]
	doc := x.machine.Library.Document(to.Content)
	if doc == nil {
		x.fail(NoMatchingError)
		return
	}
	x.line(Line{Next: to.Name, Note: "The flow goes on in another."})
	x.run.Wait = nil
	x.run.Frames = []Frame{{Flow: to, Action: doc.StartAction, Data: x.run.Frames[0].Data}}
}
