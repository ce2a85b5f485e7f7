package testcases

import (
	"context"
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// The roles in which executions and their records refer to what they are parts
// of.
const (
	roleExecution store.Role = "test-case-of-execution"
	roleRecords   store.Role = "test-case-execution"
)

// The fields that ListTestCaseExecutions filters by.
const (
	ofField      = "testCase"
	startedField = "started" // milliseconds since 1970
)

var executionKind = catalog.Kind[domain.TestCaseExecution]{
	Of:   domain.KindTestCaseExecution,
	Name: func(*domain.TestCaseExecution) string { return "" },
	Parent: &catalog.Parent[domain.TestCaseExecution]{
		Kind: domain.KindTestCase, Role: roleExecution,
		ID: func(e *domain.TestCaseExecution) string { return string(e.TestCaseID) },
	},
	Fields: catalog.Fields[domain.TestCaseExecution]{
		statusField: catalog.OtherField(func(e *domain.TestCaseExecution, d *search.Doc) {
			d.Keys[statusField] = []string{string(e.Status)}
		}),
		ofField: catalog.OtherField(func(e *domain.TestCaseExecution, d *search.Doc) {
			d.Keys[ofField] = []string{string(e.TestCaseID)}
		}),
		startedField: catalog.OtherField(func(e *domain.TestCaseExecution, d *search.Doc) {
			d.Numbers = map[string][]float64{startedField: {float64(e.StartedAt.UnixMilli())}}
		}),
	},
}

var recordsKind = catalog.Kind[domain.TestCaseExecutionRecords]{
	Of:   domain.KindTestCaseExecutionRecords,
	Name: func(*domain.TestCaseExecutionRecords) string { return "" },
	Parent: &catalog.Parent[domain.TestCaseExecutionRecords]{
		Kind: domain.KindTestCaseExecution, Role: roleRecords,
		ID: func(e *domain.TestCaseExecutionRecords) string { return string(e.ExecutionID) },
	},
	NoTags:   true,
	Unlisted: true,
}

type execution = catalog.Item[domain.TestCaseExecution]

// The statuses of an execution.
const (
	initiated  = types.TestCaseExecutionStatusInitiated
	inProgress = types.TestCaseExecutionStatusInProgress
	passed     = types.TestCaseExecutionStatusPassed
	failed     = types.TestCaseExecutionStatusFailed
	stopped    = types.TestCaseExecutionStatusStopped
)

// queueQuota is how many executions wait or run in an instance (administrator
// guide, "Execute test cases").
const queueQuota = 100

// unfinished finds the executions that wait or run.
var unfinished = search.Key{Field: statusField, Values: []string{string(initiated), string(inProgress)}}

// StartTestCaseExecution has the published content of a test case run. It
// answers at once; what is published when the execution begins is run.
func (t *TestCases) StartTestCaseExecution(ctx context.Context, in *connect.StartTestCaseExecutionInput) (*connect.StartTestCaseExecutionOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if err := t.checkQueue(ctx, sc); err != nil {
		return nil, err
	}
	var made *execution // nil when the token had been used before
	out, err := catalog.Once(ctx, t.catalog, sc, "StartTestCaseExecution", in.ClientToken, in, func(tx store.Tx) (*connect.StartTestCaseExecutionOutput, error) {
		made = nil
		of, err := t.testCases.GetIn(ctx, tx, sc, *in.TestCaseId)
		if err != nil {
			return nil, err
		}
		both, err := t.contentsOf(ctx, tx, sc, of.ID)
		if err != nil {
			return nil, err
		}
		if err := startable(of.ID, both.published); err != nil {
			return nil, err
		}
		made, err = t.executions.Insert(ctx, tx, sc, &domain.TestCaseExecution{
			TestCaseID: domain.TestCaseID(of.ID), Status: initiated, StartedAt: t.now(),
		}, nil)
		if err != nil {
			return nil, err
		}
		return &connect.StartTestCaseExecutionOutput{
			Status: initiated, TestCaseExecutionId: aws.String(made.ID), TestCaseId: aws.String(of.ID),
		}, nil
	})
	if err != nil {
		return nil, err
	}
	if made != nil {
		t.runner.add(job{sc, string(made.Value.TestCaseID), made.ID})
	}
	return out, nil
}

// startable refuses what cannot be run whatever happens.
func startable(id string, published *content) error {
	switch {
	case published == nil:
		return fault.New(fault.InvalidRequest, "TestCase %s is not published, and only what is published can be run.", id)
	case published.Value.FlowID() == "":
		return fault.New(fault.InvalidRequest, "The EntryPoint of TestCase %s names no flow, so there is nothing to run.", id)
	default:
		return nil
	}
}

// checkQueue keeps AWS's quota.
func (t *TestCases) checkQueue(ctx context.Context, sc catalog.Scope) error {
	if !t.catalog.Quotas() {
		return nil
	}
	_, _, n, err := t.executions.Search(ctx, sc, unfinished, catalog.Page{MaxResults: aws.Int32(1)})
	if err != nil {
		return err
	}
	if *n >= queueQuota {
		return fault.New(fault.ServiceQuotaExceeded, "The instance already has %d of %d test executions that run or wait.", *n, queueQuota)
	}
	return nil
}

// now is the clock as it is stored.
func (t *TestCases) now() time.Time { return t.catalog.Now().UTC().Truncate(time.Millisecond) }

// StopTestCaseExecution ends an execution that waits or runs. One that has ended
// stays as it is, and that is no error: whoever stops it cannot know how far it
// has come (docs/divergences.md).
func (t *TestCases) StopTestCaseExecution(ctx context.Context, in *connect.StopTestCaseExecutionInput) (*connect.StopTestCaseExecutionOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	of, err := t.testCases.ID(sc, *in.TestCaseId)
	if err != nil {
		return nil, err
	}
	id, err := t.executions.ID(sc, *in.TestCaseExecutionId)
	if err != nil {
		return nil, err
	}
	_, err = catalog.Once(ctx, t.catalog, sc, "StopTestCaseExecution", in.ClientToken, in, func(tx store.Tx) (*connect.StopTestCaseExecutionOutput, error) {
		return &connect.StopTestCaseExecutionOutput{}, t.executions.Change(ctx, tx, sc, id, func(e *domain.TestCaseExecution) error {
			if err := t.executions.IsPart(of, e); err != nil {
				return err
			}
			if !e.Ended() {
				e.Status, e.EndedAt = stopped, t.now()
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	t.runner.stop(id)
	return nil, nil
}

// GetTestCaseExecutionSummary tells how an execution stands.
func (t *TestCases) GetTestCaseExecutionSummary(ctx context.Context, in *connect.GetTestCaseExecutionSummaryInput) (*connect.GetTestCaseExecutionSummaryOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := t.executions.GetPart(ctx, sc, *in.TestCaseId, *in.TestCaseExecutionId)
	if err != nil {
		return nil, err
	}
	e := i.Value
	return &connect.GetTestCaseExecutionSummaryOutput{
		Status: e.Status, StartTime: aws.Time(e.StartedAt), EndTime: timeOf(e.EndedAt),
		ObservationSummary: &types.ObservationSummary{
			TotalObservations: aws.Int32(e.Total), ObservationsPassed: aws.Int32(e.Passed), ObservationsFailed: aws.Int32(e.Failed),
		},
	}, nil
}

// timeOf is a time as operations show it, nil when it is not known.
func timeOf(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// ListTestCaseExecutions lists the executions of an instance, the last first.
// TestCaseName is the whole name; StartTime and EndTime are of when executions
// started (AWS API reference), both included (docs/divergences.md).
func (t *TestCases) ListTestCaseExecutions(ctx context.Context, in *connect.ListTestCaseExecutionsInput) (*connect.ListTestCaseExecutionsOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	q := search.And{search.All{}}
	if in.Status != "" {
		q = append(q, search.Key{Field: statusField, Values: []string{string(in.Status)}})
	}
	if in.TestCaseId != nil {
		of, err := t.testCases.Get(ctx, sc, *in.TestCaseId)
		if err != nil {
			return nil, err
		}
		q = append(q, search.Key{Field: ofField, Values: []string{of.ID}})
	}
	if in.TestCaseName != nil {
		of, err := t.testCases.GetByName(ctx, t.catalog.Store(), sc, *in.TestCaseName)
		if fault.Is(err, fault.ResourceNotFound) {
			return &connect.ListTestCaseExecutionsOutput{TestCaseExecutions: []types.TestCaseExecution{}}, nil
		}
		if err != nil {
			return nil, err
		}
		q = append(q, search.Key{Field: ofField, Values: []string{of.ID}})
	}
	if in.StartTime != nil || in.EndTime != nil {
		during := search.Number{Field: startedField, Min: math.Inf(-1), Max: math.Inf(1)}
		if in.StartTime != nil {
			during.Min = float64(*in.StartTime)
		}
		if in.EndTime != nil {
			during.Max = float64(*in.EndTime)
		}
		q = append(q, during)
	}
	found, next, _, err := t.executions.SearchNewest(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListTestCaseExecutionsOutput{
		NextToken: next,
		TestCaseExecutions: catalog.Map(found, func(i *execution) types.TestCaseExecution {
			e := i.Value
			return types.TestCaseExecution{
				TestCaseExecutionId: aws.String(i.ID), TestCaseId: aws.String(string(e.TestCaseID)), TestCaseExecutionStatus: e.Status,
				StartTime: aws.Time(e.StartedAt), EndTime: timeOf(e.EndedAt), Tags: i.TagMap(),
			}
		}),
	}, nil
}

// ListTestCaseExecutionRecords lists the steps of an execution once it is over:
// what was observed, what the test did then, what was missed and why.
func (t *TestCases) ListTestCaseExecutionRecords(ctx context.Context, in *connect.ListTestCaseExecutionRecordsInput) (*connect.ListTestCaseExecutionRecordsOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := t.executions.GetPart(ctx, sc, *in.TestCaseId, *in.TestCaseExecutionId)
	if err != nil {
		return nil, err
	}
	parts, err := t.records.AllParts(ctx, t.catalog.Store(), sc, i.ID)
	if err != nil {
		return nil, err
	}
	all := []types.ExecutionRecord{}
	for _, p := range parts {
		for _, r := range p.Value.Records {
			if in.Status == "" || string(in.Status) == string(r.Status) {
				all = append(all, r)
			}
		}
	}
	page, next, err := catalog.Slice(sc, domain.KindTestCaseExecutionRecords, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, all)
	if err != nil {
		return nil, err
	}
	return &connect.ListTestCaseExecutionRecordsOutput{ExecutionRecords: page, NextToken: next}, nil
}
