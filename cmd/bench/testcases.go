package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/flow/machine"
)

const (
	executions       = 1000
	testedActions    = 30
	mostForExecution = 10 * time.Second // of all of them
)

// testedFlow sets attributes and says goodbye.
func testedFlow() (string, error) {
	actions := make([]action, 0, testedActions)
	for i := range testedActions - 2 {
		actions = append(actions, action{fmt.Sprintf("a%d", i), "UpdateContactAttributes", map[string]any{
			"TargetContact": "Current", "Attributes": map[string]any{"step": "$.ContactId"},
		}, failing(fmt.Sprintf("a%d", i+1), machine.NoMatchingError)})
	}
	return document(append(actions,
		action{fmt.Sprintf("a%d", testedActions-2), "MessageParticipant", map[string]any{"Text": "Goodbye."}, failing("end", machine.NoMatchingError)},
		action{"end", "DisconnectParticipant", map[string]any{}, map[string]any{}})...)
}

const goodbyeTest = `{"Version":"2025-06-21","Metadata":{},"Observations":[{"Identifier":"bye",
	"Event":{"Identifier":"event","Type":"MessageReceived","Actor":"System","Properties":{"Text":"Goodbye."}},"Usage":{"Type":"EXACTLY"}}]}`

// benchTestCases prints how many tests of a flow are run a second, from
// StartTestCaseExecution by the SDK until all have a verdict.
func benchTestCases(ctx context.Context, o options, bin, data string) error {
	p, err := startServer(bin, data)
	if err != nil {
		return err
	}
	defer p.stop()
	c := p.client()
	at, err := newPlace(ctx, c, "tests")
	if err != nil {
		return err
	}
	content, err := testedFlow()
	if err != nil {
		return err
	}
	flow, err := c.CreateContactFlow(ctx, &connect.CreateContactFlowInput{
		InstanceId: &at.id, Name: aws.String("Tested"), Type: types.ContactFlowTypeContactFlow, Content: &content,
	})
	if err != nil {
		return err
	}
	test, err := c.CreateTestCase(ctx, &connect.CreateTestCaseInput{
		InstanceId: &at.id, Name: aws.String("Says goodbye"), Content: aws.String(goodbyeTest),
		EntryPoint: &types.TestCaseEntryPoint{
			Type: types.TestCaseEntryPointTypeVoiceCall, VoiceCallEntryPointParameters: &types.VoiceCallEntryPointParameters{FlowId: flow.ContactFlowId},
		},
	})
	if err != nil {
		return err
	}
	began := time.Now()
	if err := startAll(ctx, c, at.id, *test.TestCaseId, o.connections); err != nil {
		return err
	}
	if err := allPassed(ctx, c, at.id); err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Printf("%d test executions of a flow of %d actions: %v, %.0f a second (aim: under %v)\n\n",
		executions, testedActions, took.Round(10*time.Millisecond), executions/took.Seconds(), mostForExecution)
	return nil
}

// startAll starts the executions, from several clients.
func startAll(ctx context.Context, c *connect.Client, instance, test string, clients int) error {
	var left atomic.Int64
	left.Store(executions)
	var work sync.WaitGroup
	errs := make(chan error, clients)
	for range clients {
		work.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := c.StartTestCaseExecution(ctx, &connect.StartTestCaseExecutionInput{InstanceId: &instance, TestCaseId: &test}); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	work.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// allPassed waits until nothing runs any more, and counts.
func allPassed(ctx context.Context, c *connect.Client, instance string) error {
	for _, status := range []types.TestCaseExecutionStatus{types.TestCaseExecutionStatusInitiated, types.TestCaseExecutionStatusInProgress} {
		for {
			out, err := c.ListTestCaseExecutions(ctx, &connect.ListTestCaseExecutionsInput{InstanceId: &instance, Status: status, MaxResults: aws.Int32(1)})
			if err != nil {
				return err
			}
			if len(out.TestCaseExecutions) == 0 {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	passed := 0
	for in := (&connect.ListTestCaseExecutionsInput{
		InstanceId: &instance, Status: types.TestCaseExecutionStatusPassed, MaxResults: aws.Int32(100),
	}); ; {
		page, err := c.ListTestCaseExecutions(ctx, in)
		if err != nil {
			return err
		}
		passed += len(page.TestCaseExecutions)
		if in.NextToken = page.NextToken; page.NextToken == nil {
			break
		}
	}
	if passed != executions {
		return fmt.Errorf("%d of %d executions have passed", passed, executions)
	}
	return nil
}
