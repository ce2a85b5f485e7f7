// Package testcases serves test cases and runs them.
//
// A test case has up to two contents, the published one and the one saved last,
// each a part of it (domain.TestCaseContent). So lists of test cases, and the
// memory that they are served from, carry no documents.
//
// An execution is a part of its test case, and its records are a part of the
// execution. What runs them is in runner.go: executions are durable from the
// answer of StartTestCaseExecution on, wait in a queue of any length, and are
// run by a fixed number of goroutines that Open starts and Close waits for.
package testcases

import (
	"context"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
	"ringdown/internal/flowtest"
)

// Configuration is what tests need of the rest of an instance.
type Configuration interface {
	// Flow finds the published content of a flow, by id or ARN. One that is not
	// there is a ResourceNotFoundException.
	Flow(ctx context.Context, sc catalog.Scope, id string) (machine.Ref, error)
	// World is the instance as the contacts of tests find it.
	World(sc catalog.Scope) flowtest.World
}

// TestCases serves the operations of this package.
type TestCases struct {
	catalog    *catalog.Catalog
	testCases  *catalog.Collection[domain.TestCase]
	contents   *catalog.Collection[domain.TestCaseContent]
	executions *catalog.Collection[domain.TestCaseExecution]
	records    *catalog.Collection[domain.TestCaseExecutionRecords]

	configuration Configuration
	runner        *runner
}

// New registers the kinds of this package with the catalog. Nothing is run
// before Open.
func New(c *catalog.Catalog, configuration Configuration) *TestCases {
	return &TestCases{
		catalog:       c,
		testCases:     catalog.Register(c, testCaseKind),
		contents:      catalog.Register(c, testCaseContentKind),
		executions:    catalog.Register(c, executionKind),
		records:       catalog.Register(c, recordsKind),
		configuration: configuration,
		runner:        newRunner(),
	}
}
