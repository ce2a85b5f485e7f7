package machine

import "slices"

// endModule is the terminal action of modules.
const endModule = "EndFlowModuleExecution"

// call begins a module as the next frame.
func (x *step) call(f Ref, input map[string]any) {
	x.line(Line{Next: f.Name, Note: "The module begins."})
	doc := x.machine.Library.Document(f.Content)
	if doc == nil {
		x.fail(NoMatchingError)
		return
	}
	x.run.Wait = nil
	x.run.Frames = append(x.run.Frames, Frame{Flow: f, Action: doc.StartAction, Input: input})
}

// leave ends the module at work and goes on with the action that called it:
// with its conditions when the module gave a result, else with NextAction.
func (x *step) leave(why Reason, result string, data map[string]any) {
	x.run.Frames = slices.Delete(x.run.Frames, len(x.run.Frames)-1, len(x.run.Frames))
	x.run.Wait = nil
	x.began, x.resultIs, x.note = x.at, "", ""
	if !x.enter() {
		return
	}
	x.params = nil
	// Each module overwrites what the one before has left ($.Modules.Result and
	// $.Modules.ResultData, administrator guide, "Flow modules").
	left := map[string]any{}
	if result != "" {
		left["Result"] = result
	}
	if data != nil {
		left["ResultData"] = data
	}
	x.store("Modules", left)
	switch {
	case why == Failed:
		x.fail(NoMatchingError)
	case result != "" && len(x.action.Transitions.Conditions) > 0:
		x.result(result)
	default:
		x.resultIs = result
		x.next()
	}
}
