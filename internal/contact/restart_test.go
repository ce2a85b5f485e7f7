package contact_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
	"ringdown/internal/store/storetest/pgtest"
)

// errKilled is what a store answers whose server was killed.
var errKilled = errors.New("killed")

// script is the life of a contact: it is begun, then each step waits and acts.
type script struct {
	start func(w *world) contact.Spec
	steps []scriptStep
}

type scriptStep struct {
	until func(*domain.Contact) bool
	waits string                                               // the flow that must be waiting, "" for any
	act   func(ctx context.Context, w *world, id string) error // may be nil
}

// play plays a script; the server is killed right after its commit of a number
// and started again, for 0 it is not. It returns the whole history, without ids
// and times, and how many commits there were.
func play(t *testing.T, s script, killAt int) (history []string, commits int) {
	t.Helper()
	w := newWorld(t)
	invoked := &atomic.Int32{}
	w.options.Lambda = lambdas{invoked}
	w.restart(t)
	configure(t, w)
	dead := atomic.Bool{}
	revive := func() bool {
		if !dead.Load() {
			return false
		}
		dead.Store(false)
		w.restart(t)
		return true
	}
	kill := func(n int) error {
		if killAt > 0 && n > killAt {
			dead.Store(true)
			return errKilled
		}
		return nil
	}
	id := w.start(t, s.start(w)) // what has not begun is not yet acknowledged
	w.fault.set(kill, nil)
	for i, step := range s.steps {
		wait(t, "step "+string(rune('0'+i)), func() bool {
			if revive() {
				killAt = 0
			}
			return step.until(w.read(t, id)) && w.waits(t, id, step.waits)
		})
		for step.act != nil {
			// A client that hears nothing asks again.
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			err := step.act(ctx, w, string(id))
			cancel()
			if revive() {
				killAt = 0
			}
			if err == nil {
				break
			}
			if !errors.Is(err, errKilled) && !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("step %d: %v", i, err)
			}
		}
	}
	wait(t, "the end", func() bool {
		if revive() {
			killAt = 0
		}
		return ended(w.read(t, id))
	})
	for next := id; ; {
		c := w.read(t, next)
		history = append(history, string(c.Channel)+" "+string(c.Method)+" "+c.DisconnectReason)
		history = append(history, w.events(t, next)...)
		history = append(history, w.path(t, next)...)
		w.record(t, next)
		if len(c.Next) == 0 {
			break
		}
		next = c.Next[0].ID
	}
	a, err := w.m.Attributes(t.Context(), w.in, id)
	if err != nil {
		t.Fatal(err)
	}
	history = append(history, "answer "+a["answer"])
	w.fault.mu.Lock()
	defer w.fault.mu.Unlock()
	return history, w.fault.commits
}

// waits reports whether a flow of a contact waits in the action w.
func (w *world) waits(t testing.TB, id domain.ContactID, flow string) bool {
	t.Helper()
	if flow == "" {
		return true
	}
	all, err := contact.WaitingFor(w.row(t, id))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(all, func(one contact.Waiting) bool { return one.Flow.ID == flow && one.Action == "w" })
}

// lambdas answers every function, and counts how often.
type lambdas struct{ n *atomic.Int32 }

func (l lambdas) Invoke(context.Context, machine.LambdaRequest) ([]byte, string, error) {
	l.n.Add(1)
	return []byte(`{"answer":"42"}`), "invocation", nil
}

const (
	waitsFor = `|Wait|{"TimeLimitSeconds":"600"}|x|"Conditions":[{"NextAction":"next","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}}],"Errors":[{"ErrorType":"NoMatchingError","NextAction":"x"}]`
	enqueues = `|TransferContactToQueue||x|"Errors":[{"ErrorType":"QueueAtCapacity","NextAction":"x"},{"ErrorType":"NoMatchingError","NextAction":"x"}]`
)

func configure(t testing.TB, w *world) {
	w.config.queue("q", nil)
	w.config.flow(t, "default CUSTOMER_QUEUE", "CUSTOMER_QUEUE",
		`w`+waitsFor, `next|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"waited":"long"}}|w|`, `x|EndFlowExecution|||`)
	w.config.flow(t, "own", "AGENT_WHISPER", `a|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"whispered":"yes"}}|b|`, `b|EndFlowExecution|||`)
	w.config.flow(t, "f", "CONTACT_FLOW",
		`l|InvokeLambdaFunction|{"LambdaFunctionARN":"arn","InvocationTimeLimitSeconds":"8"}|s|`+nothingMatches,
		`s|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"answer":"$.External.answer"}}|w|`,
		`w`+waitsFor,
		`next|UpdateContactRoutingBehavior|{"QueuePriority":"2"}|h|`,
		`h|UpdateContactEventHooks|{"EventHooks":{"AgentWhisper":"own"}}|a|`+nothingMatches,
		`a|UpdateContactTargetQueue|{"QueueId":"q"}|b|`+nothingMatches,
		`b`+enqueues, `x|DisconnectParticipant|||`)
	w.config.flow(t, "queue", "CONTACT_FLOW", `a|UpdateContactTargetQueue|{"QueueId":"q"}|b|`+nothingMatches, `b`+enqueues, `x|DisconnectParticipant|||`)
	w.config.flow(t, "chat", "CONTACT_FLOW",
		`m|MessageParticipant|{"Text":"Hello"}|w|`+nothingMatches, `w`+waitsFor,
		`next|MessageParticipant|{"Text":"Bye"}|x|`+nothingMatches, `x|DisconnectParticipant|||`)
}

func flowOf(w *world, id string) *machine.Ref {
	f, err := w.config.Flow(context.Background(), w.in, id)
	if err != nil {
		panic(err)
	}
	return &f
}

func taskOf(flow string, at func(w *world) time.Time) func(w *world) contact.Spec {
	return func(w *world) contact.Spec {
		s := contact.Spec{Contact: domain.Contact{Channel: types.ChannelTask, Method: types.ContactInitiationMethodApi}, Flow: flowOf(w, flow)}
		if at != nil {
			s.Contact.ScheduledAt = at(w)
		}
		return s
	}
}

// TestRestartAfterEveryTransition: a server that is killed after any transition of
// a contact and started again comes to the same history as one that is not.
func TestRestartAfterEveryTransition(t *testing.T) {
	t.Parallel()
	forward := func(d time.Duration) func(context.Context, *world, string) error {
		return func(_ context.Context, w *world, _ string) error {
			w.advance(d)
			return nil
		}
	}
	began := func(c *domain.Contact) bool { return !c.ConnectedAt.IsZero() }
	waited := func(c *domain.Contact) bool { return queued(c) && c.UpdatedAt.Sub(c.EnqueuedAt) > 600*time.Second }
	const inQueue = "default CUSTOMER_QUEUE"
	agentJoins := func(ctx context.Context, w *world, id string) error {
		if connected(w.mustRead(ctx, id)) {
			return nil
		}
		return w.m.Join(ctx, w.in, domain.ContactID(id), jo)
	}
	leaves := func(ctx context.Context, w *world, id string) error {
		if ended(w.mustRead(ctx, id)) {
			return nil
		}
		return w.m.Leave(ctx, w.in, domain.ContactID(id), "AGENT_DISCONNECT")
	}
	stops := func(ctx context.Context, w *world, id string) error {
		if ended(w.mustRead(ctx, id)) {
			return nil
		}
		return w.m.Stop(ctx, w.in, id, "")
	}
	pauses := func(ctx context.Context, w *world, id string) error {
		if !w.mustRead(ctx, id).PausedAt.IsZero() {
			return nil
		}
		return w.m.Pause(ctx, w.in, id, nil)
	}
	resumes := func(ctx context.Context, w *world, id string) error {
		if !w.mustRead(ctx, id).ResumedAt.IsZero() {
			return nil
		}
		return w.m.Resume(ctx, w.in, id, nil)
	}
	callback := func(w *world) contact.Spec {
		return contact.CallbackSpec("q", "+14155550100", w.now().Add(99*time.Second))
	}
	for name, s := range map[string]script{
		"task": {taskOf("f", nil), []scriptStep{
			{began, "f", forward(601 * time.Second)}, {queued, inQueue, forward(601 * time.Second)}, {waited, inQueue, agentJoins}, {connected, "", leaves},
		}},
		"paused task": {taskOf("f", nil), []scriptStep{
			{began, "f", forward(601 * time.Second)}, {queued, inQueue, pauses}, {func(c *domain.Contact) bool { return !c.PausedAt.IsZero() }, "", resumes}, {queued, inQueue, stops},
		}},
		"scheduled task": {taskOf("f", func(w *world) time.Time { return w.now().Add(time.Hour) }), []scriptStep{
			{func(c *domain.Contact) bool { return !began(c) }, "", forward(time.Hour + time.Second)}, {began, "f", forward(601 * time.Second)}, {queued, inQueue, stops},
		}},
		"callback": {callback, []scriptStep{
			{func(*domain.Contact) bool { return true }, "", forward(100 * time.Second)}, {queued, "", stops},
		}},
		"chat": {func(w *world) contact.Spec {
			return contact.Spec{
				Contact: domain.Contact{Channel: types.ChannelChat, Method: types.ContactInitiationMethodApi}, Flow: flowOf(w, "chat"),
				Chat: &contact.ChatSpec{},
			}
		}, []scriptStep{{began, "chat", forward(601 * time.Second)}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, commits := play(t, s, 0)
			if commits < 2 {
				t.Fatalf("only %d commits: nothing is shown", commits)
			}
			for n := 1; n <= commits; n++ {
				if got, _ := play(t, s, n); !slices.Equal(got, want) {
					t.Errorf("killed after commit %d:\n%s\nwant\n%s", n, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
		})
	}
}

// TestPendingRequestIsSentAgain: a function that had not answered when the server
// died is invoked once more.
func TestPendingRequestIsSentAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	silent := &silentLambda{asked: make(chan machine.LambdaRequest, 2)}
	w.options.Lambda = silent
	w.restart(t)
	configure(t, w)
	id := w.start(t, taskOf("f", nil)(w))
	first := <-silent.asked
	w.options.Lambda = lambdas{&atomic.Int32{}}
	w.restart(t)
	w.until(t, id, "answered", func(*domain.Contact) bool {
		a, _ := w.m.Attributes(t.Context(), w.in, id)
		return a["answer"] == "42"
	})
	if first.Function != "arn" {
		t.Errorf("asked for %s", first.Function)
	}
}

// logLines are what is logged.
type logLines chan string

func (l logLines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// TestTakenUp: the log tells what a restart has taken up, and how many calls it has
// cut off.
func TestTakenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	configure(t, w)
	call, _ := answered(t, w, "queue")
	task := w.start(t, taskOf("queue", nil)(w))
	callback := w.start(t, contact.CallbackSpec("q", "+14155550100", w.now().Add(time.Hour)))
	w.until(t, task, "queued", queued)
	log := make(logLines, 100)
	w.options.Logger = slog.New(slog.NewTextHandler(log, nil))
	w.restart(t)
	if line, want := <-log, "contacts=3 calls=1"; !strings.Contains(line, want) {
		t.Errorf("the log tells %q, want %s", line, want)
	}
	w.until(t, call, "ended", ended)
	for _, id := range []domain.ContactID{task, callback} {
		if ended(w.read(t, id)) {
			t.Errorf("contact %s has ended", id)
		}
	}
}

// silentLambda never answers.
type silentLambda struct{ asked chan machine.LambdaRequest }

func (s *silentLambda) Invoke(ctx context.Context, r machine.LambdaRequest) ([]byte, string, error) {
	s.asked <- r
	<-ctx.Done()
	return nil, "", ctx.Err()
}

// TestTwoEngines: of two engines on one database one runs the contacts; when it
// stops the other takes them over, and each is run once.
func TestTwoEngines(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	one := newWorldOn(t, func() sqlstore.Options { return sqlstore.Options{URL: url} })
	configure(t, one)
	second := &world{config: one.config, dialer: one.dialer, in: one.in, shared: true, storage: one.storage}
	second.open(t)
	second.begin(t)
	defer second.close(t)
	id := one.start(t, taskOf("queue", nil)(one))
	one.until(t, id, "queued", queued)
	if second.m.Live() != 0 {
		t.Error("both run the contacts")
	}
	if err := second.m.Stop(t.Context(), one.in, string(id), ""); err == nil {
		t.Error("the other stopped it")
	}
	if err := one.m.Close(); err != nil {
		t.Fatal(err)
	}
	second.m.Renew()
	if second.m.Live() != 1 {
		t.Fatalf("%d contacts after the takeover", second.m.Live())
	}
	if err := second.m.Stop(t.Context(), one.in, string(id), ""); err != nil {
		t.Fatal(err)
	}
	second.until(t, id, "ended", ended)
	same(t, second.events(t, id), []string{"INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "DISCONNECTED", "COMPLETED"})
}

// TestTakenOver: a server that stood still while another took over stores nothing
// any more, hangs up, and may take the contacts back.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	url := pgtest.URL(t)
	one := newWorldOn(t, func() sqlstore.Options { return sqlstore.Options{URL: url} })
	configure(t, one)
	call, _ := answered(t, one, "queue")
	l := one.dialer.leg(t, 0)
	task := one.start(t, taskOf("queue", nil)(one))
	for _, id := range []domain.ContactID{call, task} {
		one.until(t, id, "queued", queued)
	}
	second := &world{config: one.config, dialer: one.dialer, in: one.in, shared: true, storage: one.storage}
	second.open(t)
	second.ahead.Store(int64(time.Minute)) // the lease of the first is over
	before := one.row(t, task).Version
	second.begin(t)
	defer second.close(t)
	second.m.Renew()
	second.until(t, call, "ended", ended)
	wait(t, "the task goes on there", func() bool { return one.row(t, task).Version > before })
	err := one.m.Do(t.Context(), one.in, string(task), func(t *contact.Transition) error {
		return t.SetAttributes(map[string]string{"late": "yes"}, false)
	})
	if err == nil {
		t.Error("both change the contact")
	}
	one.m.Renew()
	wait(t, "the call is over here", func() bool { return one.m.Live() == 0 && l.over() })
	// A write of the first that was under way all the while does not take the
	// contact away from the second.
	late := one.row(t, task)
	if err := one.store.UpdateContacts(t.Context(), func(tx store.ContactTx) error { return tx.PutContact(t.Context(), late) }); err != nil {
		t.Fatal(err)
	}
	if err := second.m.Stop(t.Context(), one.in, string(task), ""); err == nil {
		t.Error("the second has not seen that")
	}
	if err := second.m.Stop(t.Context(), one.in, string(task), ""); err != nil {
		t.Fatal(err)
	}
	if a, _ := second.m.Attributes(t.Context(), one.in, task); a["late"] != "" {
		t.Error("what was refused is there")
	}
	second.record(t, task)
	second.record(t, call)
}
