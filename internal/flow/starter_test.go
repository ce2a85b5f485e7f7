package flow_test

import (
	"testing"

	"ringdown/internal/flow"
	"ringdown/internal/starter"
)

func TestStarterFlowsAreValid(t *testing.T) {
	const instance = "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-3333-4444-555555555555/"
	refs := starter.Refs{
		Prompt:         func(name string) string { return instance + "prompt/" + name },
		Flow:           func(name string) string { return instance + "contact-flow/" + name },
		BasicQueue:     instance + "queue/basic",
		SampleFunction: "arn:aws:lambda:us-east-1:123456789012:function:lookup",
	}
	for _, f := range starter.Flows() {
		content := f.Content(refs)
		for _, p := range flow.Check(content, flow.Type(f.Type)).Problems {
			t.Errorf("%s: %+v", f.Name, p)
		}
		if got := flow.Detect(content); got != flow.Type(f.Type) {
			t.Errorf("%s: detected as %s, is %s", f.Name, got, f.Type)
		}
	}
}
