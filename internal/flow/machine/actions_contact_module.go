package machine

func invokeModule(x *step) {
	if len(x.run.Frames) > maxDepth {
		x.fail(NoMatchingError)
		return
	}
	x.ask(Request{Flows: &FlowsRequest{IDs: []string{x.text("FlowModuleId")}, Module: true}})
}

// returnFromModule goes back to the flow that called the module, with what the
// module came to.
func returnFromModule(x *step) {
	if len(x.run.Frames) < 2 {
		x.end(Finished, "")
		return
	}
	result, data := x.text("Result"), x.object("ResultData")
	x.line(Line{Result: result, Note: "The module ends."})
	x.leave(Finished, result, data)
}
