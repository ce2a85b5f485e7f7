package domain

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// TestCaseExecution is one run of a test case.
type TestCaseExecution struct {
	TestCaseID TestCaseID
	Status     types.TestCaseExecutionStatus
	StartedAt  time.Time // UTC, when it was asked for
	EndedAt    time.Time `json:",omitzero"`
	// The observations of the test: all, and of those that were expected, how
	// many were seen and how many not.
	Total, Passed, Failed int32 `json:",omitempty"`
}

// Ended reports whether the execution is over.
func (e *TestCaseExecution) Ended() bool {
	return e.Status != types.TestCaseExecutionStatusInitiated && e.Status != types.TestCaseExecutionStatusInProgress
}

// TestCaseExecutionRecords are the steps of an execution, in their order. They
// are kept apart because they are large and lists do not show them.
type TestCaseExecutionRecords struct {
	ExecutionID TestCaseExecutionID
	Records     []types.ExecutionRecord
}
