package contact

import (
	"context"
	"hash/fnv"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
)

// run begins a flow on one side, in place of what ran there.
func (t *Transition) run(s side, why purpose, f machine.Ref) {
	if t.st.Threads == nil {
		t.st.Threads = map[side]*thread{}
	}
	t.interrupt(s, "")
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(string(t.id) + f.Content + t.at.String()))
	t.st.Threads[s] = &thread{Run: machine.New(f, seed.Sum64()), For: why}
	t.step(s, machine.Event{At: t.at, Kind: machine.Begin})
}

// interrupt ends the flow of a side where it is. Note goes into the flow log.
func (t *Transition) interrupt(s side, note string) {
	th := t.st.Threads[s]
	if th == nil {
		return
	}
	delete(t.st.Threads, s)
	if w := th.Run.Wait; w != nil && w.Talking {
		t.hush(s)
	}
	if third := t.st.Third; third != nil && third.Side == s && !third.Answered {
		t.dropThird()
	}
	if note != "" && th.Run.End == nil {
		top := th.Run.Top()
		line := machine.Line{At: t.at, Ended: t.at, Flow: top.Flow, Action: top.Action, Depth: len(th.Run.Frames) - 1, Note: note}
		if w := th.Run.Wait; w != nil {
			line.At = w.Began
		}
		t.lines = append(t.lines, line)
	}
}

// step lets the flow of a side go on with an event. Requests that can be
// answered within the transition are, at once.
func (t *Transition) step(s side, ev machine.Event) {
	th := t.st.Threads[s]
	if th == nil || t.frozen(th) {
		return
	}
	m := machine.Machine{Library: t.m.Library(t.in)}
	for {
		out := m.Step(th.Run, t.subject, ev)
		t.lines = append(t.lines, out.Lines...)
		t.Changed(t.subject.Changed...)
		t.subject.Changed = nil
		var next *machine.Event
		for _, c := range out.Commands {
			if answer := t.command(s, th, c); answer != nil {
				next = answer
			}
		}
		if t.st.Threads[s] != th { // it has put another flow in its own place
			return
		}
		if end := th.Run.End; end != nil {
			delete(t.st.Threads, s)
			t.finished(th, end)
			return
		}
		if next == nil {
			next = t.chatEvent(s, th)
		}
		if next == nil {
			return
		}
		ev = *next
	}
}

// command carries out a command of a flow. The result is an answer that is
// known already, nil when it is still to come.
func (t *Transition) command(s side, th *thread, c machine.Command) *machine.Event {
	switch {
	case c.Say != nil:
		t.recordings() // what the flow has decided on before is to be in them
		return t.say(s, *c.Say)
	case c.Hush:
		t.hush(s)
	case c.Timer != nil: // it is in Run.Wait, see deadlines
	case c.Request != nil:
		if reply, known := t.request(s, th, c.Request); known {
			return &machine.Event{At: t.at, Kind: machine.Replied, Seq: c.Request.Seq, Reply: reply}
		}
	}
	return nil
}

// replied is told to a flow by what answered a request, later.
func (l *live) replied(s side, seq int, reply machine.Reply) {
	l.send(func(t *Transition) {
		t.step(s, machine.Event{At: t.at, Kind: machine.Replied, Seq: seq, Reply: reply})
	})
}

// request answers a request, or has it answered later.
func (t *Transition) request(s side, th *thread, r *machine.Request) (machine.Reply, bool) {
	if reply, known := t.m.Lookup(t.ctx, t.in, t.at, r); known {
		return reply, true
	}
	switch {
	case r.Enqueue != nil && r.Enqueue.Requeue:
		return t.requeue(s, th, r.Enqueue)
	case r.Enqueue != nil:
		return t.flowEnqueue(r.Enqueue), true
	case r.ToAgent != nil:
		return t.toAgent(), true
	case r.Hold != nil:
		return t.holdPrevious(r.Hold), true
	case r.Resume != nil:
		return t.flowResume(), true
	case r.Related != nil:
		t.related(s, r)
		return machine.Reply{}, false
	case r.Task != nil:
		return t.flowTask(r.Task), true
	case r.Callback != nil:
		return t.flowCallback(r.Callback), true
	case r.Dial != nil:
		return t.flowDial(r.Dial), true
	case r.ThirdParty != nil:
		return t.thirdParty(s, r)
	case r.View != nil:
		return t.flowView(s, r)
	case r.Chat != nil:
		return t.flowChat(r.Chat), true
	case r.Persist != nil:
		return t.flowPersist(r.Persist), true
	default:
		return t.outside(s, r)
	}
}

// outside sends a request to a service, on a goroutine of its own.
func (t *Transition) outside(s side, r *machine.Request) (machine.Reply, bool) {
	l := t.live
	switch {
	case r.Lambda != nil && t.m.opts.Lambda != nil:
		request := *r.Lambda
		t.After(func() {
			l.m.spawn(func() { l.replied(s, r.Seq, l.m.invoke(l, request)) })
		})
	case r.Service != nil && t.m.opts.Services != nil:
		request, c := *r.Service, copyOf(t.c)
		t.After(func() {
			l.m.spawn(func() { l.replied(s, r.Seq, l.m.serve(l, c, request)) })
		})
	case r.Service != nil:
		return Unserved(r.Service.Type), true
	case r.Lambda != nil:
		return Unserved("InvokeLambdaFunction"), true
	default:
		return failed, true
	}
	return machine.Reply{}, false
}

// failed is the answer of what cannot be done.
var failed = machine.Reply{Err: machine.NoMatchingError}

// Unserved answers an action of a type that nothing serves.
func Unserved(action string) machine.Reply {
	return machine.Reply{Err: machine.NoMatchingError, Note: "Nothing here serves " + action + "."}
}

// serve asks a service. A panic in it is its failure, and nobody else's.
func (m *Manager) serve(l *live, c *domain.Contact, r machine.ServiceRequest) (reply machine.Reply) {
	reply = failed
	defer m.rescue(l.id)
	return m.opts.Services.Serve(m.ctx, l.in, c, r)
}

// invoke calls a function. A panic is its failure.
func (m *Manager) invoke(l *live, r machine.LambdaRequest) (reply machine.Reply) {
	reply = failed
	defer m.rescue(l.id)
	payload, id, err := m.opts.Lambda.Invoke(m.ctx, r)
	if err != nil {
		m.opts.Logger.Info("a Lambda function failed", slog.String("contact", string(l.id)), slog.String("function", r.Function), slog.Any("err", err))
		return failed
	}
	return machine.Reply{Payload: payload, InvocationID: id}
}

// Lookup answers the requests that only read what is configured or queued; false
// for any other.
func (m *Manager) Lookup(ctx context.Context, in Instance, at time.Time, r *machine.Request) (machine.Reply, bool) {
	switch {
	case r.Flows != nil:
		var found machine.Reply
		for _, id := range r.Flows.IDs {
			find := m.opts.Configuration.Flow
			if r.Flows.Module {
				find = m.opts.Configuration.Module
			}
			f, err := find(ctx, in, id)
			if err != nil {
				return m.notFound(err), true
			}
			found.Flows = append(found.Flows, f)
		}
		return found, true
	case r.Queue != nil:
		q, err := m.findQueue(ctx, in, r.Queue)
		if err != nil {
			return m.notFound(err), true
		}
		return machine.Reply{Queue: &q.ContactQueue}, true
	case r.Hours != nil:
		open, err := m.open(ctx, in, at, r.Hours)
		if err != nil {
			return m.notFound(err), true
		}
		if open {
			return machine.Reply{Result: "True"}, true
		}
		return machine.Reply{Result: "False"}, true
	case r.Dialable != nil:
		if !m.opts.Configuration.Dialable(ctx, in, r.Dialable.Number) {
			return machine.Reply{Err: "CallbackNumberNotDialable"}, true
		}
		return machine.Reply{}, true
	case r.Metric != nil:
		return m.metric(in, at, r.Metric), true
	case r.Metrics != nil:
		return m.metrics(in, at, r.Metrics), true
	default:
		return machine.Reply{}, false
	}
}

func (m *Manager) findQueue(ctx context.Context, in Instance, r *machine.QueueRequest) (Queue, error) {
	if r.AgentID != "" {
		return m.opts.Configuration.AgentQueue(ctx, in, r.AgentID)
	}
	return m.opts.Configuration.Queue(ctx, in, r.QueueID)
}

func (m *Manager) open(ctx context.Context, in Instance, at time.Time, r *machine.HoursRequest) (bool, error) {
	id := r.ID
	if id == "" {
		if r.Queue == nil || r.Queue.AgentID != "" {
			return false, fault.New(fault.ResourceNotFound, "There are no hours of operation to check.")
		}
		q, err := m.opts.Configuration.Queue(ctx, in, string(r.Queue.ID))
		if err != nil {
			return false, err
		}
		id = q.HoursID
	}
	return m.opts.Configuration.Open(ctx, in, id, at)
}

// notFound is the answer to a lookup that failed: whatever the cause, the flow
// takes its error branch; what is no fault of the flow is logged.
func (m *Manager) notFound(err error) machine.Reply {
	if f := fault.From(err); f.Code == fault.InternalService && m.ctx.Err() == nil {
		m.opts.Logger.Error("a flow could not look something up", slog.Any("err", err))
	}
	return failed
}

// finished is what the end of a flow means for the contact.
func (t *Transition) finished(th *thread, end *machine.End) {
	if end.Reason == machine.Disconnected {
		t.flowDisconnects()
		return
	}
	switch th.For {
	case entry:
		if end.Reason != machine.Handed {
			t.flowDisconnects()
		}
	case waiting:
		// The contact stays in its queue, whatever became of the flow. One that has
		// left the queue for a third party that is gone has nothing else to wait for.
		if end.Reason != machine.Handed && !t.queued() {
			t.flowDisconnects()
		}
	case whisper:
		t.whispered()
	case greeting:
		t.joinAgent()
	case hold, resuming:
	case pausing:
		if !t.st.Paused { // it has resumed the task itself
			t.resumed(nil)
		}
	}
}

// The reasons of contacts that nobody has ended (administrator guide, "Contact
// records data model", DisconnectReason).
const (
	flowDisconnect = "CONTACT_FLOW_DISCONNECT"
	expired        = "EXPIRED"
	other          = "OTHER"
)

// flowDisconnects ends a contact because its flow has.
func (t *Transition) flowDisconnects() {
	if !t.c.Ended() && !t.remains(flowDisconnect) {
		t.disconnect(flowDisconnect)
	}
}

// remains has a task that ends go on with its disconnect flow, if it has one: a
// disconnect event of a task is also that a flow ends it or that it expires
// (administrator guide, "Set disconnect flow"). False when there is none.
func (t *Transition) remains(reason string) bool {
	return t.c.Channel == types.ChannelTask && t.afterwards(reason)
}

// disconnect ends the contact. There is no after-contact work without an
// agent, so it is complete as well.
func (t *Transition) disconnect(reason string) {
	if t.c.Ended() {
		return
	}
	for _, s := range sides {
		t.interrupt(s, "The contact ended: "+reason+".")
	}
	t.dequeue()
	t.endHold()
	t.tellChanges() // what was changed was of a contact that had not ended
	t.c.DisconnectedAt, t.c.DisconnectReason = t.at, reason
	t.event(DisconnectedEvent)
	t.leaveAll(reason)
	t.recordings()
	if n := t.line; n != nil {
		t.After(n.hangup)
		t.line = nil
	}
	t.dropThird()
	t.complete()
}

// complete ends what is left after the contact has ended.
func (t *Transition) complete() {
	t.c.CompletedAt = t.at
	st := t.st
	st.New, st.Attributes, st.Dial, st.Flow, st.Queue, st.Callback, st.Third = false, nil, nil, nil, nil, nil, nil
}

// arm sets the timer to the earliest of what is due.
func (l *live) arm() {
	due := l.deadline()
	l.timer.Stop()
	if !due.IsZero() {
		l.timer.Reset(max(0, due.Sub(l.m.now())))
	}
}

// deadline is the earliest time at which something happens by itself, zero for
// none.
func (l *live) deadline() time.Time {
	var first time.Time
	add := func(at time.Time) {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	for _, th := range l.st.Threads {
		if w := th.Run.Wait; w != nil && !l.frozen(th) {
			add(w.Due)
		}
	}
	if l.scheduled() {
		add(l.c.ScheduledAt)
	}
	if !l.c.Ended() {
		add(l.c.ExpiresAt)
	}
	add(l.chatDeadline())
	add(l.callbackDeadline())
	return first
}

// scheduled reports whether the contact waits for its time.
func (l *live) scheduled() bool {
	return !l.c.Ended() && l.c.ConnectedAt.IsZero() && !l.c.ScheduledAt.IsZero() && l.st.Flow != nil && l.st.Dial == nil && l.st.Callback == nil
}

// frozen reports whether a flow stands still because its task is paused. The one
// that runs at the pause does not.
func (l *live) frozen(th *thread) bool { return l.st.Paused && th.For != pausing }

// due does what is due.
func (t *Transition) due() {
	past := func(at time.Time) bool { return !at.IsZero() && !at.After(t.at) }
	if t.scheduled() && past(t.c.ScheduledAt) {
		t.connected()
		t.enter()
	}
	if !t.c.Ended() && past(t.c.ExpiresAt) {
		t.expire()
		return
	}
	t.chatDue()
	t.callbackDue()
	for _, s := range sides {
		th := t.st.Threads[s]
		if th == nil || t.frozen(th) {
			continue
		}
		if w := th.Run.Wait; w != nil && past(w.Due) {
			t.step(s, machine.Event{At: t.at, Kind: machine.Expired, Seq: w.TimerSeq})
		}
	}
}

// expire ends a contact that has lasted as long as it may. EXPIRED is no reason
// of calls.
func (t *Transition) expire() {
	switch {
	case t.c.Channel == types.ChannelVoice:
		t.disconnect(other)
	case !t.remains(expired):
		t.disconnect(expired)
	}
}

// cutOff reports whether the contact was a call, which does not outlive its server. A
// callback that waits is none yet.
func (l *live) cutOff() bool {
	return l.c.Channel == types.ChannelVoice && (l.st.Callback == nil || l.c.Agent != nil)
}

// resumeLife is the first work of an owner whose contact lived before: what was
// under way is begun again.
func (t *Transition) resumeLife() {
	if t.cutOff() {
		t.note("The server was restarted, which ended the call.")
		if t.st.Callback == nil || !t.callbackFailed(telecomProblem) {
			t.disconnect(telecomProblem)
		}
		return
	}
	if t.st.New {
		t.begin()
		return
	}
	t.openChat()
	var before [len(sides)]*thread
	for i, s := range sides {
		before[i] = t.st.Threads[s]
	}
	if t.queued() {
		t.waitIn()
	}
	for i, s := range sides {
		if th := before[i]; th != nil && t.st.Threads[s] == th {
			t.again(s, th)
		}
	}
}

// again repeats what a flow had asked for and nobody has answered.
func (t *Transition) again(s side, th *thread) {
	w := th.Run.Wait
	switch {
	case t.frozen(th):
	case w == nil:
		t.step(s, machine.Event{At: t.at, Kind: machine.Begin})
	case w.Request != nil:
		if reply, known := t.request(s, th, w.Request); known {
			t.step(s, machine.Event{At: t.at, Kind: machine.Replied, Seq: w.Request.Seq, Reply: reply})
		}
	}
}

// hookTypes are the types of the flows that hooks name.
var hookTypes = map[string]flow.Type{
	"AgentHold": "AGENT_HOLD", "AgentWhisper": "AGENT_WHISPER", "CustomerHold": "CUSTOMER_HOLD",
	"CustomerQueue": "CUSTOMER_QUEUE", "CustomerWhisper": "CUSTOMER_WHISPER", outboundWhisper: "OUTBOUND_WHISPER",
}

// hook is the flow of a hook: the one that a flow has set, else the instance's
// default of its type. False when there is neither.
func (t *Transition) hook(name string, byDefault bool) (machine.Ref, bool) {
	if set := t.c.Hooks[name]; set != "" {
		f, err := t.m.opts.Configuration.Flow(t.ctx, t.in, set)
		if err == nil {
			return f, true
		}
		t.m.notFound(err)
	}
	if !byDefault || hookTypes[name] == "" {
		return machine.Ref{}, false
	}
	f, err := t.m.opts.Configuration.DefaultFlow(t.ctx, t.in, hookTypes[name])
	if err != nil {
		t.m.notFound(err)
		return machine.Ref{}, false
	}
	return f, true
}
