package testcases

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flowtest"
	"ringdown/internal/store"
)

// workersPerProcessor is more than one because a worker mostly waits: for the
// disk, where those who wait together are served together, and for functions.
const workersPerProcessor = 4

// limit is how long an execution may take in real time. Virtual time costs
// none; functions do, and a flow may call them without end.
const limit = 5 * time.Minute

// lost is how old an unfinished execution is, on a database that several
// servers share, when the server that had it must be gone: the limit and time
// to wait.
const lost = time.Hour

// job is an execution that waits.
type job struct {
	sc       catalog.Scope
	testCase string
	id       string
}

// runner is the queue of executions and those who run them.
type runner struct {
	mu      sync.Mutex
	more    sync.Cond
	queue   []job
	running map[string]context.CancelFunc
	closed  bool
	cancel  context.CancelFunc
	workers sync.WaitGroup
}

func newRunner() *runner {
	r := &runner{running: map[string]context.CancelFunc{}, cancel: func() {}}
	r.more.L = &r.mu
	return r
}

func (r *runner) add(j job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, j)
	r.more.Signal()
}

// take waits for a job; false after Close.
func (r *runner) take() (job, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.queue) == 0 && !r.closed {
		r.more.Wait()
	}
	if r.closed {
		return job{}, false
	}
	j := r.queue[0]
	r.queue = r.queue[1:]
	return j, true
}

// stop ends an execution that runs here.
func (r *runner) stop(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if cancel := r.running[id]; cancel != nil {
		cancel()
	}
}

func (r *runner) begin(id string, cancel context.CancelFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running[id] = cancel
}

func (r *runner) end(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.running, id)
}

// Open begins to run executions, when the store is there. Those that waited when
// the server ended wait again; those that ran have failed. With shared, other
// servers use the same database, and only what must be lost is taken up.
func (t *TestCases) Open(ctx context.Context, shared bool) error {
	if err := t.takeUp(ctx, shared); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	t.runner.cancel = cancel
	for range workersPerProcessor * runtime.GOMAXPROCS(0) {
		t.runner.workers.Go(func() {
			for j, ok := t.runner.take(); ok; j, ok = t.runner.take() {
				t.execute(ctx, j)
			}
		})
	}
	return nil
}

// Close stops the executions that run, and returns when nothing runs any more.
// What waits is run after the next Open. It may be called twice.
func (t *TestCases) Close() error {
	r := t.runner
	r.mu.Lock()
	r.closed = true
	r.more.Broadcast()
	r.mu.Unlock()
	r.cancel()
	r.workers.Wait()
	return nil
}

// takeUp finds what was unfinished.
func (t *TestCases) takeUp(ctx context.Context, shared bool) error {
	instances, err := t.catalog.Store().List(ctx, store.ListQuery{Instance: store.Root, Kind: domain.KindInstance})
	if err != nil {
		return err
	}
	for _, r := range instances {
		var e domain.Instance
		if err := json.Unmarshal(r.Doc, &e); err != nil {
			return fmt.Errorf("instance %s: %w", r.ID, err)
		}
		sc := catalog.Scope{
			PK: r.PK, ID: domain.InstanceID(r.ID), Region: e.Region, Home: e.Region, Account: t.catalog.Account(), Identity: e.IdentityType,
		}
		if err := t.takeUpIn(ctx, sc, shared); err != nil {
			return err
		}
	}
	return nil
}

func (t *TestCases) takeUpIn(ctx context.Context, sc catalog.Scope, shared bool) error {
	var all []*execution
	for page := (catalog.Page{MaxResults: aws.Int32(1000)}); ; {
		found, next, _, err := t.executions.Search(ctx, sc, unfinished, page)
		if err != nil {
			return err
		}
		all = append(all, found...)
		if page.NextToken = next; next == nil {
			break
		}
	}
	for _, i := range all {
		j := job{sc, string(i.Value.TestCaseID), i.ID}
		switch {
		case shared && t.now().Sub(i.Value.StartedAt) < lost:
		case i.Value.Status == initiated:
			t.runner.add(j)
		default:
			if err := t.finish(ctx, j, t.refused("The server was restarted while the test ran.")); err != nil {
				return err
			}
		}
	}
	return nil
}

// execute runs one execution to its verdict. One that cannot be kept, because
// its instance or test case is gone, or the server is closing, is left.
func (t *TestCases) execute(ctx context.Context, j job) {
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	t.runner.begin(j.id, cancel)
	defer t.runner.end(j.id)
	spec, result, err := t.prepare(ctx, j)
	if err == nil && result == nil {
		result = flowtest.Run(within, *spec, t.configuration.World(j.sc))
	}
	if err == nil && ctx.Err() == nil {
		err = t.finish(ctx, j, result)
	}
	if err != nil && ctx.Err() == nil && !fault.Is(err, fault.ResourceNotFound) && !isOver(err) {
		t.catalog.Logger().ErrorContext(ctx, "a test case could not be run", slog.String("instance", string(j.sc.ID)), slog.String("execution", j.id), slog.Any("err", err))
	}
}

// errOver is the end of an execution that was stopped before it began.
var errOver = fault.New(fault.InvalidRequest, "The execution is over.")

func isOver(err error) bool { return err == errOver } //nolint:errorlint // it is never wrapped

// prepare takes an execution and reads what it runs. There is a result instead
// when it cannot be run.
func (t *TestCases) prepare(ctx context.Context, j job) (*flowtest.Spec, *flowtest.Result, error) {
	var c domain.TestCaseContent
	var begun time.Time
	err := t.catalog.Store().Update(ctx, func(tx store.Tx) error {
		both, err := t.contentsOf(ctx, tx, j.sc, j.testCase)
		if err != nil {
			return err
		}
		if both.published == nil {
			return errOver // contents never cease to be published
		}
		c = both.published.Value
		return t.executions.Change(ctx, tx, j.sc, j.id, func(e *domain.TestCaseExecution) error {
			if e.Status != initiated {
				return errOver
			}
			e.Status, begun = inProgress, e.StartedAt
			return nil
		})
	})
	if err != nil {
		return nil, nil, err
	}
	test, problems := flowtest.Parse(c.Content)
	if len(problems) > 0 {
		return nil, t.refused("The content of the test case is not valid: " + problems[0].Message), nil
	}
	f, err := t.configuration.Flow(ctx, j.sc, c.FlowID())
	if fault.Is(err, fault.ResourceNotFound) || fault.Is(err, fault.ContactFlowNotPublished) {
		return nil, t.refused("The flow " + c.FlowID() + " of the entry point is not there, or not published."), nil
	}
	if err != nil {
		return nil, nil, err
	}
	spec := &flowtest.Spec{
		Test: test, Flow: f, Channel: types.ChannelVoice, Attributes: attributes(c.InitializationData),
		InstanceARN: j.sc.ARN(domain.KindInstance, string(j.sc.ID)), Region: j.sc.Region,
		ContactID: domain.ContactID(domain.NewID()), Start: begun, Seed: uint64(begun.UnixMilli()),
	}
	if c.EntryPoint.Type == types.TestCaseEntryPointTypeChat {
		spec.Channel = types.ChannelChat
	}
	if v := c.EntryPoint.VoiceCallEntryPointParameters; v != nil {
		spec.Customer, spec.System = aws.ToString(v.SourcePhoneNumber), aws.ToString(v.DestinationPhoneNumber)
	}
	return spec, nil, nil
}

// attributes are those that a contact begins with: the members of an object, as
// text.
func attributes(data string) map[string]string {
	var o map[string]json.RawMessage
	if json.Unmarshal([]byte(data), &o) != nil {
		return nil
	}
	all := make(map[string]string, len(o))
	for name, raw := range o {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		all[name] = text
	}
	return all
}

// refused is the result of a test that was not run, or not to its end.
func (t *TestCases) refused(why string) *flowtest.Result {
	return &flowtest.Result{
		Status: flowtest.Failed, Reason: why,
		Records: []flowtest.Record{{Status: flowtest.Failed, At: t.now(), Detail: flowtest.Detail{Kind: "Test", Message: why}}},
	}
}

// verdicts are the statuses of executions by those of results.
var verdicts = map[flowtest.Status]types.TestCaseExecutionStatus{
	flowtest.Passed: passed, flowtest.Failed: failed, flowtest.Stopped: stopped,
}

// finish keeps what came of an execution. One that was stopped meanwhile stays
// stopped.
func (t *TestCases) finish(ctx context.Context, j job, r *flowtest.Result) error {
	records := domain.TestCaseExecutionRecords{ExecutionID: domain.TestCaseExecutionID(j.id), Records: make([]types.ExecutionRecord, len(r.Records))}
	for i, rec := range r.Records {
		detail, err := json.Marshal(rec.Detail)
		if err != nil {
			return fmt.Errorf("execution %s: %w", j.id, err)
		}
		records.Records[i] = types.ExecutionRecord{
			ObservationId: catalog.Optional(cut(rec.Observation)), Record: aws.String(string(detail)),
			Status: rec.Status, Timestamp: aws.Time(rec.At.UTC().Truncate(time.Millisecond)),
		}
	}
	total, ok, missed := r.Count()
	return t.catalog.Store().Update(ctx, func(tx store.Tx) error {
		err := t.executions.Change(ctx, tx, j.sc, j.id, func(e *domain.TestCaseExecution) error {
			e.Total, e.Passed, e.Failed = int32(total), int32(ok), int32(missed)
			if !e.Ended() {
				e.Status, e.EndedAt = verdicts[r.Status], t.now()
			}
			return nil
		})
		if err != nil {
			return err
		}
		entity := records
		_, err = t.records.Insert(ctx, tx, j.sc, &entity, nil)
		return err
	})
}

// maxIdentifier is how long an ObservationId may be, in characters (service
// model). The testing language sets no limit.
const maxIdentifier = 256

func cut(id string) string {
	if utf8.RuneCountInString(id) <= maxIdentifier {
		return id
	}
	return string([]rune(id)[:maxIdentifier])
}
