package flowtest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/flow"
	"ringdown/internal/flowtest"
)

// BenchmarkRun runs a test of a flow of thirty actions that ends with a message.
func BenchmarkRun(b *testing.B) {
	var actions []string
	for i := range 28 {
		actions = append(actions, fmt.Sprintf(`{"Identifier":"a%d","Type":"UpdateContactAttributes","Parameters":{"Attributes":{"k%d":"$.ContactId"},"TargetContact":"Current"},
			"Transitions":{"NextAction":"a%d","Errors":[{"ErrorType":"NoMatchingError","NextAction":"end"}]}}`, i, i, i+1))
	}
	content := `{"Version":"2019-10-30","StartAction":"a0","Metadata":{},"Actions":[` + strings.Join(actions, ",") + `,
		{"Identifier":"a28","Type":"MessageParticipant","Parameters":{"Text":"Goodbye."},"Transitions":{"NextAction":"end","Errors":[{"ErrorType":"NoMatchingError","NextAction":"end"}]}},
		{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`
	doc, problems := flow.Parse(content)
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	test, problems := flowtest.Parse(`{"Version":"2025-06-21","Observations":[{"Identifier":"bye","Event":{"Type":"MessageReceived","Actor":"System","Properties":{"Text":"Goodbye."}}}]}`)
	if len(problems) > 0 {
		b.Fatal(problems)
	}
	world := &flowtest.Bundle{Flows: map[string]*flowtest.Source{"flow": {Name: "flow", Type: "CONTACT_FLOW", Document: doc}}}
	spec := flowtest.Spec{Test: test, Flow: world.Ref("flow"), Channel: types.ChannelVoice, Start: time.Unix(0, 0)}
	b.ReportAllocs()
	for b.Loop() {
		if r := flowtest.Run(b.Context(), spec, world); r.Status != flowtest.Passed {
			b.Fatal(r.Reason)
		}
	}
}
