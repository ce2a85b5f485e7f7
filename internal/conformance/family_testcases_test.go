package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const testCase kind = "TestCase"

// testDocument is a document of the testing language: when the call begins, the
// caller presses a key.
const testDocument = `{"Version":"2025-06-21","Metadata":{},"Observations":[{"Identifier":"begin",
	"Event":{"Identifier":"begun","Type":"TestInitiated","Actor":"System","Properties":{}},"Usage":{"Type":"EXACTLY"},
	"Actions":[{"Identifier":"press","Type":"SendInstruction","Transitions":{"NextAction":""},"Parameters":{
		"ActionType":"SendInstruction","Actor":"Customer","Instruction":{"Type":"DtmfInput","Properties":{"Value":"1"}}}}],
	"Transitions":{"NextObservations":[]}}]}`

func init() {
	add(family{
		makers: map[kind]maker{
			testCase: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				flow := w.shared(t, contactFlow)
				out, err := c.CreateTestCase(ctx, &connect.CreateTestCaseInput{
					InstanceId: &w.instance, Name: w.name(), Content: aws.String(testDocument), EntryPoint: &types.TestCaseEntryPoint{
						Type: types.TestCaseEntryPointTypeChat, ChatEntryPointParameters: &types.ChatEntryPointParameters{FlowId: &flow},
					},
				})
				if err != nil {
					return nil, err
				}
				return out.TestCaseId, nil
			},
		},
		references: map[string]kind{"TestCaseId": testCase},
		literals:   map[string]any{"InitializationData": `{"Language":"en"}`},
		recipes: map[string]recipe{
			"CreateTestCase":               of(without("TestCaseId"), with("Content", always(testDocument)), given("EntryPoint", chatEntryPoint)),
			"UpdateTestCase":               of(given("Content", always(testDocument)), given("EntryPoint", chatEntryPoint)),
			"StopTestCaseExecution":        of(execution),
			"GetTestCaseExecutionSummary":  of(execution),
			"ListTestCaseExecutionRecords": of(execution),
			"ListTestCaseExecutions":       of(given("TestCaseId", func(t testing.TB, w *world) any { return w.shared(t, testCase) })),
			"SearchTestCases":              of(searchCriteria("name"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),
		},
	})
	merge(pagedOperations, map[string]paged{
		"ListTestCases":   {testCase, "Id", "DeleteTestCase", "TestCaseId"},
		"SearchTestCases": {testCase, "Id", "DeleteTestCase", "TestCaseId"},
	})
	merge(fewOperations, map[string]string{
		"ListTestCaseExecutions":       "executions cannot be multiplied without their records: paged through in internal/app/testcases",
		"ListTestCaseExecutionRecords": "the steps of one execution: paged through in internal/app/testcases",
	})
}

// execution names an execution together with its test case.
func execution(t testing.TB, w *world, in object, _ style) {
	id := w.shared(t, testCase)
	out, err := w.server.Connect.StartTestCaseExecution(context.Background(), &connect.StartTestCaseExecutionInput{InstanceId: &w.instance, TestCaseId: &id})
	if err != nil {
		t.Fatal(err)
	}
	in["TestCaseId"], in["TestCaseExecutionId"] = id, *out.TestCaseExecutionId
}

// chatEntryPoint is an entry point with the parameters of its type alone.
func chatEntryPoint(t testing.TB, w *world) any {
	return object{"Type": "CHAT", "ChatEntryPointParameters": object{"FlowId": w.shared(t, contactFlow)}}
}
