package contact

import (
	"context"
	"hash/fnv"
	"log/slog"
	"time"

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
	if th == nil {
		return
	}
	m := machine.Machine{Library: shelf{&t.m.library, t.in}}
	for {
		out := m.Step(th.Run, t.subject, ev)
		t.lines = append(t.lines, out.Lines...)
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
			t.finished(s, th, end)
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
	l, c := t.live, *t.c
	switch {
	case r.Lambda != nil && t.m.opts.Lambda != nil:
		request := *r.Lambda
		t.After(func() {
			l.m.spawn(func() { l.replied(s, r.Seq, l.m.invoke(l, request)) })
		})
	case r.Service != nil && t.m.opts.Services != nil:
		request := *r.Service
		t.After(func() {
			l.m.spawn(func() { l.replied(s, r.Seq, l.m.opts.Services.Serve(l.m.ctx, l.in, &c, request)) })
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

// invoke calls a function.
func (m *Manager) invoke(l *live, r machine.LambdaRequest) machine.Reply {
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
func (t *Transition) finished(s side, th *thread, end *machine.End) {
	switch th.For {
	case entry:
		t.entryFinished(end)
	case waiting:
		// The contact stays in its queue, whatever became of the flow, unless the
		// flow has ended the contact.
		if end.Reason == machine.Disconnected {
			t.disconnect(flowDisconnect)
		}
	case whisper:
		if end.Reason == machine.Disconnected {
			t.disconnect(flowDisconnect)
			return
		}
		t.whispered()
	case hold:
	case pausing:
	case resuming:
		t.resumedFlow()
	}
}

// flowDisconnect is the reason of contacts that their flow has ended.
const flowDisconnect = "CONTACT_FLOW_DISCONNECT"

// entryFinished ends the contact unless its flow has handed it on.
func (t *Transition) entryFinished(end *machine.End) {
	if end.Reason == machine.Handed || t.c.Ended() {
		return
	}
	t.disconnect(flowDisconnect)
}

// disconnect ends the contact. There is no after-contact work without an
// agent, so it is complete as well.
func (t *Transition) disconnect(reason string) {
	if t.c.Ended() {
		return
	}
	for s := range t.st.Threads {
		t.interrupt(s, "The contact ended: "+reason+".")
	}
	t.dequeue()
	t.c.DisconnectedAt, t.c.DisconnectReason = t.at, reason
	t.event(DisconnectedEvent)
	t.leaveAll(reason)
	if leg := t.leg; leg != nil {
		t.After(leg.Hangup)
		t.leg = nil
	}
	if third := t.third; third != nil {
		t.After(third.Hangup)
		t.third = nil
	}
	t.complete()
}

// complete ends what is left after the contact has ended.
func (t *Transition) complete() {
	t.c.CompletedAt = t.at
	t.st.Dial, t.st.Flow, t.st.Callback, t.st.Third = nil, nil, nil, nil
}

// arm sets the timer to the earliest of what is due.
func (l *live) arm() {
	due := l.deadline()
	l.timer.Stop()
	select {
	case <-l.timer.C:
	default:
	}
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
	if !l.st.Paused {
		for _, th := range l.st.Threads {
			if w := th.Run.Wait; w != nil {
				add(w.Due)
			}
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
	return !l.c.Ended() && l.c.ConnectedAt.IsZero() && !l.c.ScheduledAt.IsZero() && l.st.Flow != nil && l.st.Dial == nil
}

// due does what is due.
func (t *Transition) due() {
	past := func(at time.Time) bool { return !at.IsZero() && !at.After(t.at) }
	if t.scheduled() && past(t.c.ScheduledAt) {
		t.connected()
		t.enter()
	}
	if !t.c.Ended() && past(t.c.ExpiresAt) {
		t.disconnect("EXPIRED")
		return
	}
	t.chatDue()
	t.callbackDue()
	for _, s := range []side{customer, agent} {
		th := t.st.Threads[s]
		if th == nil || t.st.Paused {
			continue
		}
		if w := th.Run.Wait; w != nil && past(w.Due) {
			t.step(s, machine.Event{At: t.at, Kind: machine.Expired, Seq: w.TimerSeq})
		}
	}
}

// recover is the first work of an owner whose contact lived before: what was
// under way is begun again.
func (l *live) recover() {
	_ = l.transition(l.m.ctx, func(t *Transition) error {
		if t.c.Channel == "VOICE" && t.st.Callback == nil {
			t.lines = append(t.lines, machine.Line{At: t.at, Ended: t.at, Note: "The server was restarted, which ended the call."})
			t.disconnect("TELECOM_PROBLEM")
			return nil
		}
		if q := t.c.Queue; q != nil && t.c.DequeuedAt.IsZero() {
			t.waitIn(*q)
		}
		switch {
		case t.scheduled() || t.st.Paused:
		case t.c.ConnectedAt.IsZero() && t.st.Callback == nil:
			t.begin()
		}
		for s, th := range t.st.Threads {
			t.again(s, th)
		}
		t.openChat()
		return nil
	})
}

// again repeats what a flow had asked for and nobody has answered.
func (t *Transition) again(s side, th *thread) {
	w := th.Run.Wait
	if w == nil {
		t.step(s, machine.Event{At: t.at, Kind: machine.Begin})
		return
	}
	if w.Request == nil {
		return
	}
	if reply, known := t.request(s, th, w.Request); known {
		t.step(s, machine.Event{At: t.at, Kind: machine.Replied, Seq: w.Request.Seq, Reply: reply})
	}
}

// typeOf is the type of flow that a hook names.
var hookTypes = map[string]flow.Type{
	"AgentHold": "AGENT_HOLD", "AgentWhisper": "AGENT_WHISPER", "CustomerHold": "CUSTOMER_HOLD",
	"CustomerQueue": "CUSTOMER_QUEUE", "CustomerWhisper": "CUSTOMER_WHISPER",
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
