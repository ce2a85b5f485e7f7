package flowtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
)

// simulation is a test at work. One goroutine has it.
type simulation struct {
	ctx     context.Context //nolint:containedctx // of one call of Run
	world   World
	machine machine.Machine
	watches []*watch

	run     *machine.Run
	subject *machine.Subject
	// queueing is true while the customer queue flow runs.
	queueing bool
	// gone says why no flow will run any more, "" while one does.
	gone string

	start, now time.Time
	// lag is how long overridden actions have taken within the step at work.
	lag time.Duration

	// What is under way.
	saying  *saying
	timer   machine.Timer
	due     time.Time // of timer, zero for none
	doings  []doing   // what the customer is about to do, in order
	view    *machine.Request
	created int // contacts

	// over says why the test is over, "" while it goes on.
	over    string
	stopped bool // from outside
	broken  bool // it could not be run to its end
	refuted bool // an action of the test failed

	overrides  []override
	happened   []happened
	records    []Record
	transcript []Entry
	// begun are the entries of actions that have begun, by what they say.
	begun map[string][]int
}

// happened is something that has happened, and when.
type happened struct {
	after time.Duration
	*happening
}

// saying are messages that the customer is hearing.
type saying struct {
	seq      int
	messages []heard
	at       int // which of them
	until    time.Time
	loop     bool
}

// doing is something that the customer does.
type doing struct {
	what what
	text string
	at   time.Time
}

type what uint8

const (
	pressing what = iota + 1
	speaking
	leaving
)

// keyGap is how long a customer takes from one key to the next.
const keyGap = 250 * time.Millisecond

func newSimulation(ctx context.Context, spec Spec, world World) *simulation {
	s := &simulation{
		ctx: ctx, world: world, watches: newWatches(spec.Test),
		run: machine.New(spec.Flow, spec.Seed), start: spec.Start, now: spec.Start, begun: map[string][]int{},
	}
	s.machine = machine.Machine{Library: world, Intercept: s.intercept}
	c := &domain.Contact{
		ID: spec.ContactID, InitialID: spec.ContactID, AssociationID: spec.ContactID,
		Channel: spec.Channel, Method: types.ContactInitiationMethodInbound, FlowID: domain.ContactFlowID(spec.Flow.ID),
		Customer: endpoint(spec.Customer), System: endpoint(spec.System),
		InitiatedAt: s.start, ConnectedAt: s.start, UpdatedAt: s.start,
	}
	if spec.Channel == types.ChannelChat {
		c.Method = types.ContactInitiationMethodApi
	}
	attributes := maps.Clone(spec.Attributes)
	if attributes == nil {
		attributes = map[string]string{}
	}
	s.subject = &machine.Subject{Contact: c, Attributes: attributes, InstanceARN: spec.InstanceARN, Region: spec.Region}
	return s
}

func endpoint(number string) *types.EndpointInfo {
	if number == "" {
		return nil
	}
	return &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: aws.String(number)}
}

func (s *simulation) elapsed() time.Duration { return s.now.Sub(s.start) }

func (s *simulation) note(who Who, text string) {
	s.transcript = append(s.transcript, Entry{s.elapsed(), who, text})
}

func (s *simulation) record(w *watch, status Status, d Detail) {
	d.Seconds = s.elapsed().Seconds()
	s.records = append(s.records, Record{Observation: w.Identifier, Status: status, At: s.now, Detail: d})
}

// play runs the test until it is over.
func (s *simulation) play() {
	s.observe(&happening{typ: initiated})
	if s.over == "" {
		s.step(machine.Event{Kind: machine.Begin})
	}
	for s.over == "" {
		if err := s.ctx.Err(); err != nil {
			s.interrupted(err)
			return
		}
		at, next := s.next()
		switch {
		case next == nil && s.gone != "":
			s.over = s.gone
		case next == nil:
			s.over = "The flow waits for something that never comes."
		case at.Sub(s.start) > Limit:
			s.now = s.start.Add(Limit)
			s.over = "The time of the test, five minutes, was over."
		case s.queueing && !s.waitsFor() && len(s.doings) == 0:
			s.over = "Everything was observed, and the contact waits in a queue."
		default:
			s.now = at
			next()
		}
	}
}

func (s *simulation) interrupted(err error) {
	if errors.Is(err, context.DeadlineExceeded) {
		s.broken, s.over = true, "The test took too long: functions that it calls answer too late or too often."
		return
	}
	s.stopped, s.over = true, "The test was stopped."
}

// finish tells observations that the test is over.
func (s *simulation) finish() {
	why := s.over
	s.over = ""
	if !s.stopped && !s.broken {
		s.observe(&happening{typ: completed})
	}
	s.over = why
	for _, o := range s.overrides {
		s.note(Tester, fmt.Sprintf("The override %s of %s was not used.", o.identifier, o.of))
	}
	if why != s.gone {
		s.note(Tester, why)
	}
}

// next is what happens next, and when; nil when nothing will. What the customer
// does comes before what else is due at the same time.
func (s *simulation) next() (at time.Time, do func()) {
	earlier := func(t time.Time, f func()) {
		if t.Before(s.now) {
			t = s.now // it was held up
		}
		if do == nil || t.Before(at) {
			at, do = t, f
		}
	}
	if len(s.doings) > 0 {
		earlier(s.doings[0].at, s.do)
	}
	if s.gone != "" {
		return at, do
	}
	if s.saying != nil {
		earlier(s.saying.until, s.said)
	}
	if !s.due.IsZero() {
		earlier(s.due, s.expired)
	}
	return at, do
}

// plan has the customer do something, after what is already planned.
func (s *simulation) plan(d doing) {
	d.at = s.now
	if n := len(s.doings); n > 0 {
		d.at = s.doings[n-1].at
		if d.what == pressing && s.doings[n-1].what == pressing {
			d.at = d.at.Add(keyGap)
		}
	}
	s.doings = append(s.doings, d)
}

// do has the customer do the next thing.
func (s *simulation) do() {
	d := s.doings[0]
	s.doings = s.doings[1:]
	switch {
	case s.gone != "":
		s.note(Customer, d.String()+", but the contact is over")
	case d.what == leaving:
		s.note(Customer, "disconnects")
		s.leave("The customer disconnected.")
	case d.what == pressing:
		s.press(d)
	case s.view != nil:
		s.note(Customer, d.String())
		seq := s.view.Seq
		s.view = nil
		s.step(machine.Event{Kind: machine.Replied, Seq: seq, Reply: machine.Reply{Result: d.text}})
	default:
		s.note(Customer, d.String())
	}
}

func (d doing) String() string {
	switch d.what {
	case pressing:
		return "presses " + d.text
	case speaking:
		return "says " + strconv.Quote(d.text)
	default:
		return "disconnects"
	}
}

// press gives a key to the flow, and notes it when the flow had no use for it.
func (s *simulation) press(d doing) {
	if s.subject.Contact.Channel != types.ChannelVoice {
		s.note(Customer, d.String()+", which a chat does not notice")
		return
	}
	at, before, buffer := len(s.transcript), s.waits(), s.run.Buffer
	s.note(Customer, d.String())
	s.step(machine.Event{Kind: machine.Digit, Text: d.text})
	if s.waits() == before && s.run.Buffer == buffer {
		s.transcript[at].Text += ", for which the flow did not wait"
	}
}

// standing is where a flow waits, as far as keys change it.
type standing struct {
	wait           *machine.Wait
	seq, timer     int
	digits, action string
}

func (s *simulation) waits() standing {
	w := s.run.Wait
	if w == nil {
		return standing{}
	}
	return standing{w, w.Seq, w.TimerSeq, w.Digits, s.run.Top().Action}
}

// said is the end of a message that the customer has heard.
func (s *simulation) said() {
	p := s.saying
	h := p.messages[p.at]
	s.hear(h)
	if s.over != "" || s.saying != p {
		return
	}
	if p.at++; p.at == len(p.messages) {
		if !p.loop {
			s.saying = nil
			s.step(machine.Event{Kind: machine.Said, Seq: p.seq})
			return
		}
		p.at = 0
	}
	p.until = s.now.Add(p.messages[p.at].length)
}

// hear has the customer hear a message.
func (s *simulation) hear(h heard) {
	s.note(System, h.String())
	s.observe(&happening{typ: messageReceived, message: h})
}

func (s *simulation) expired() {
	s.due = time.Time{}
	if w := s.run.Wait; w != nil && w.TimerSeq == s.timer.Seq {
		s.view = nil
		s.step(machine.Event{Kind: machine.Expired, Seq: s.timer.Seq})
	}
}

// step lets the flow go on with an event, until nothing more happens by itself.
func (s *simulation) step(ev machine.Event) {
	for s.over == "" && s.ctx.Err() == nil {
		ev.At = s.now
		out := s.machine.Step(s.run, s.subject, ev)
		s.now = s.now.Add(s.lag)
		s.lag = 0
		var next *machine.Event
		for _, c := range out.Commands {
			if answer := s.command(c); answer != nil {
				next = answer
			}
		}
		for _, l := range out.Lines {
			s.annotate(&l)
		}
		if s.run.End != nil {
			s.ended()
			return
		}
		if next == nil {
			return
		}
		ev = *next
	}
}

// annotate adds to the entry of an action what it came to.
func (s *simulation) annotate(l *machine.Line) {
	name := l.Type + " (" + l.Action + ")"
	entries := s.begun[name]
	if len(entries) == 0 {
		return
	}
	s.begun[name] = entries[1:]
	came := l.Result
	if l.Error != "" {
		came = l.Error
	}
	if came != "" {
		s.transcript[entries[0]].Text += ": " + came
	}
}

// ended is what the end of a flow means for the contact, as it is for live ones
// (internal/contact).
func (s *simulation) ended() {
	end := s.run.End
	s.saying, s.view, s.due = nil, nil, time.Time{}
	c := s.subject.Contact
	waits := c.Queue != nil && c.DequeuedAt.IsZero()
	switch {
	case end.Reason == machine.Disconnected:
		s.leave("The flow disconnected the contact.")
	case end.Reason == machine.Cut:
		s.broken = true
		s.leave(end.Note)
		s.over = end.Note
	case !s.queueing && end.Reason == machine.Handed && waits:
		s.wait()
	case s.queueing:
		s.gone = "The customer queue flow ended, and no agent takes contacts in a test."
	case end.Reason == machine.Handed:
		s.gone = "The contact was handed on."
	case end.Reason == machine.Failed:
		s.leave("The flow failed: " + end.Note + ".")
	default:
		s.leave("The flow ended, and with it the contact.")
	}
}

// leave ends the contact.
func (s *simulation) leave(why string) {
	s.gone = why
	s.saying, s.view, s.due = nil, nil, time.Time{}
	s.subject.Contact.DisconnectedAt = s.now
	s.note(Flow, why)
}

// wait begins the flow that contacts hear in a queue: the one that a hook names,
// else the default.
func (s *simulation) wait() {
	c := s.subject.Contact
	s.queueing = true
	s.note(Flow, "The contact waits in the queue "+c.Queue.Name+".")
	var f machine.Ref
	found := false
	if id := c.Hooks["CustomerQueue"]; id != "" {
		reply, ok := s.world.Answer(s.ctx, s.now, c, &machine.Request{Flows: &machine.FlowsRequest{IDs: []string{id}}})
		if found = ok && reply.Err == "" && len(reply.Flows) == 1; found {
			f = reply.Flows[0]
		}
	}
	if !found {
		var err error
		if f, err = s.world.DefaultFlow(s.ctx, "CUSTOMER_QUEUE"); err != nil {
			s.gone = "The contact waits in the queue " + c.Queue.Name + ", and there is no flow to hear."
			return
		}
	}
	s.run = machine.New(f, s.run.Seed)
	s.step(machine.Event{Kind: machine.Begin})
}

// intercept sees every action before it begins.
func (s *simulation) intercept(st machine.Started) *machine.Substitute {
	if s.over != "" {
		return nil
	}
	h := &happening{typ: actionStarted, action: st.Action, of: st.Type, params: s.known(st)}
	name := st.Type + " (" + st.Action + ")"
	s.begun[name] = append(s.begun[name], len(s.transcript))
	s.note(Flow, name)
	s.observe(h)
	if s.over != "" {
		return nil
	}
	o, ok := s.take(h)
	switch {
	case !ok:
		return nil
	case o.substitute != "":
		s.note(Tester, o.identifier+" has it use "+o.substitute)
		s.substituteResource(o, st.Parameters)
		return nil
	default:
		s.note(Tester, o.identifier+" answers in its place")
		if st.Type == "ConnectParticipantWithLexBot" {
			s.greet(st.Parameters)
		}
		return s.mock(o, st.Parameters)
	}
}

// known are the parameters of an action with those that it leaves to the
// contact: actions on the target queue do not name it.
func (s *simulation) known(st machine.Started) map[string]any {
	switch path := resources[st.Type]; {
	case len(path) != 1 || path[0] != "QueueId":
		return st.Parameters
	case st.Parameters["QueueId"] != nil, st.Parameters["AgentId"] != nil, s.subject.Contact.TargetQueue == nil:
		return st.Parameters
	}
	with := maps.Clone(st.Parameters)
	with["QueueId"] = string(s.subject.Contact.TargetQueue.ID)
	return with
}

// greet has the customer hear what a bot begins with, when the test answers in
// the bot's place.
func (s *simulation) greet(params map[string]any) {
	m := machine.Message{Text: machine.Text(params["Text"]), SSML: machine.Text(params["SSML"]), Prompt: machine.Text(params["PromptId"])}
	if m == (machine.Message{}) {
		return
	}
	if h, ok := s.listen(m); ok {
		if s.subject.Contact.Channel == types.ChannelVoice {
			s.lag += h.length
		}
		s.hear(h)
	}
}

// command carries out a command of the flow. The result is an answer that is
// known at once, nil when it is still to come.
func (s *simulation) command(c machine.Command) *machine.Event {
	switch {
	case c.Say != nil:
		return s.say(c.Say)
	case c.Hush:
		if p := s.saying; p != nil {
			s.note(System, p.messages[p.at].String()+" (interrupted)")
			s.saying = nil
		}
	case c.Timer != nil:
		s.timer, s.due = *c.Timer, s.now.Add(c.Timer.After)
	case c.Request != nil:
		reply, known := s.answer(c.Request)
		if !known {
			s.view = c.Request
			return nil
		}
		return &machine.Event{Kind: machine.Replied, Seq: c.Request.Seq, Reply: reply}
	}
	return nil
}

// say has messages heard on a call, and shown in a chat at once.
func (s *simulation) say(say *machine.Say) *machine.Event {
	said := &machine.Event{Kind: machine.Said, Seq: say.Seq}
	p := &saying{seq: say.Seq, loop: say.Loop}
	for _, m := range say.Messages {
		h, ok := s.listen(m)
		if !ok {
			said.Err = machine.NoMatchingError
			return said
		}
		p.messages = append(p.messages, h)
	}
	if s.subject.Contact.Channel == types.ChannelVoice && len(p.messages) > 0 {
		p.until = s.now.Add(p.messages[0].length)
		s.saying = p
		return nil
	}
	for _, h := range p.messages {
		s.hear(h)
	}
	return said
}

// failed is the answer of what cannot be done.
var failed = machine.Reply{Err: machine.NoMatchingError}

// answer answers a request; false when only the customer can.
func (s *simulation) answer(r *machine.Request) (machine.Reply, bool) {
	c := s.subject.Contact
	switch {
	case r.Enqueue != nil:
		q := r.Enqueue.Queue
		c.Queue, c.TargetQueue, c.EnqueuedAt, c.DequeuedAt = &q, &q, s.now, time.Time{}
		if r.Enqueue.Requeue {
			c.Hops++
			s.note(Flow, "The contact waits in the queue "+q.Name+".")
		}
	case r.ToAgent != nil:
		s.note(Flow, "The contact goes to an agent.")
	case r.ThirdParty != nil:
		s.note(Flow, "The customer talks to "+r.ThirdParty.Number+".")
		return machine.Reply{Result: "Connected"}, true
	case r.Dial != nil, r.Hold != nil, r.Persist != nil:
	case r.Task != nil:
		s.note(Flow, fmt.Sprintf("A task %q would be created.", r.Task.Name))
		return machine.Reply{ContactID: s.newContact()}, true
	case r.Callback != nil:
		s.note(Flow, fmt.Sprintf("A callback of %s in the queue %s would be created.", r.Callback.Number, r.Callback.Queue.Name))
		return machine.Reply{ContactID: s.newContact()}, true
	case r.Chat != nil:
		s.note(Flow, fmt.Sprintf("A chat with %s would be started.", r.Chat.DestinationAddress))
		return machine.Reply{ContactID: s.newContact()}, true
	case r.View != nil:
		return machine.Reply{}, false
	default:
		reply, known := s.world.Answer(s.ctx, s.now, c, r)
		switch {
		case known:
			s.unanswered(r, reply)
			return reply, true
		case r.Dialable != nil: // whatever nobody forbids
			return machine.Reply{}, true
		default:
			return failed, true
		}
	}
	return machine.Reply{}, true
}

// unanswered tells of a function that gave no answer: why the flow took the
// branch of an error is nowhere else to be seen.
func (s *simulation) unanswered(r *machine.Request, reply machine.Reply) {
	if r.Lambda != nil && reply.Err != "" {
		why := ""
		if reply.Result != "" {
			why = ": " + reply.Result
		}
		s.note(Flow, "The function "+r.Lambda.Function+" gave no answer"+why+".")
	}
}

// newContact is the id of a contact that is not made. It is made up from a
// number, so that it is the same in every run.
func (s *simulation) newContact() domain.ContactID {
	s.created++
	return domain.ContactID(fmt.Sprintf("00000000-0000-4000-8000-%012d", s.created))
}
