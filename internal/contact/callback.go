package contact

import (
	"cmp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact/queue"
	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
)

// callback is what a queued callback needs beside its queue (administrator
// guide, "Queued callback").
type callback struct {
	Queue      domain.ContactQueue
	Delay      time.Duration // before it first waits in the queue
	RetryDelay time.Duration
	Attempts   int64     // that are left
	NextAt     time.Time `json:",omitzero"` // when it goes into the queue
	// Since is when the customer called, by which the callback is as old as if
	// the customer had stayed in the queue (administrator guide, "Queue priority
	// and delay").
	Since    time.Time
	To, From string // E.164
	FromName string `json:",omitempty"`
}

// callbackLife is how long a callback waits to be answered (administrator guide,
// "Queued callbacks").
const callbackLife = 7 * 24 * time.Hour

// flowCallback creates the callback of a CreateCallbackContact action: a contact
// of the chain, at once, which waits for its delay.
func (t *Transition) flowCallback(r *machine.CallbackRequest) machine.Reply {
	q, reply := t.open(r.Queue)
	if reply != nil {
		return *reply
	}
	if r.Number == "" || !t.m.opts.Configuration.Dialable(t.ctx, t.in, r.Number) {
		return failed
	}
	if q.MaxContacts != nil && t.m.queues.Count(queue.Key{Instance: t.in.PK, Queue: q.ID}) >= int(*q.MaxContacts) {
		return failed
	}
	var flow *machine.Ref
	if r.FlowID != "" {
		f, err := t.m.opts.Configuration.Flow(t.ctx, t.in, r.FlowID)
		if err != nil {
			return t.m.notFound(err)
		}
		flow = &f
	}
	b := t.successor(types.ContactInitiationMethodCallback)
	c := b.c
	c.Channel = types.ChannelVoice
	c.Segment = map[string]types.SegmentAttributeValue{"connect:Subtype": {ValueString: aws.String("connect:Telephony")}}
	c.TargetQueue = &q.ContactQueue
	c.System = nil
	c.Customer = &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: &r.Number}
	c.ExpiresAt = t.at.Add(callbackLife)
	cb := &callback{
		Queue: q.ContactQueue, Delay: r.InitialDelay, RetryDelay: r.RetryDelay, Attempts: max(1, r.Attempts),
		Since: t.c.InitiatedAt, To: r.Number, From: cmp.Or(r.CallerID, q.CallerID), FromName: q.CallerName,
	}
	if flow != nil { // it says when the callback is queued
		c.FlowID = domain.ContactFlowID(flow.ID)
	} else {
		cb.NextAt = t.at.Add(r.InitialDelay)
		c.ScheduledAt = cb.NextAt
	}
	b.st.Flow, b.st.Callback = flow, cb
	return machine.Reply{ContactID: c.ID}
}

// callbackDeadline is when a callback goes into its queue, zero for never.
func (l *live) callbackDeadline() time.Time {
	if cb := l.st.Callback; cb != nil && !l.c.Ended() {
		return cb.NextAt
	}
	return time.Time{}
}

// callbackDue puts a callback into its queue when its delay is over.
func (t *Transition) callbackDue() {
	cb := t.st.Callback
	if cb == nil || cb.NextAt.IsZero() || cb.NextAt.After(t.at) || t.c.Ended() {
		return
	}
	cb.NextAt = time.Time{}
	t.enqueue(cb.Queue)
}

// callBack calls the customer, whose agent has accepted the callback.
func (t *Transition) callBack() {
	cb := t.st.Callback
	t.st.Dial = &Dial{To: cb.To, From: cb.From, FromName: cb.FromName}
	t.dial()
}

// outboundWhisper names, among the hooks, the flow that the customer of an
// outbound call hears first. No flow can set it.
const outboundWhisper = "OutboundWhisper"

// callbackAnswered is the customer's answer: the customer hears the outbound
// whisper of the queue, and is joined with the agent.
func (t *Transition) callbackAnswered() {
	cb := t.st.Callback
	t.st.Callback = nil
	t.c.ExpiresAt = time.Time{} // it has waited long enough
	f, ok := t.outboundFlow(cb.Queue)
	if ok {
		t.run(customer, greeting, f)
		return
	}
	t.joinAgent()
}

// outboundFlow is the outbound whisper flow of a queue, or the default.
func (t *Transition) outboundFlow(of domain.ContactQueue) (machine.Ref, bool) {
	if q, err := t.findQueue(of); err == nil && q.OutboundFlow != "" {
		f, err := t.m.opts.Configuration.Flow(t.ctx, t.in, q.OutboundFlow)
		if err == nil {
			return f, true
		}
		t.m.notFound(err)
	}
	return t.hook(outboundWhisper, true)
}

// callbackFailed has a callback that the customer has not answered wait for its
// next attempt; false when there is none left. The agent is free again.
func (t *Transition) callbackFailed(reason string) bool {
	cb := t.st.Callback
	if cb == nil || t.c.Ended() {
		return false
	}
	t.st.Dial = nil
	if cb.Attempts--; cb.Attempts <= 0 {
		return false
	}
	t.note("The customer was not reached: " + reason + ". There is another attempt.")
	for _, s := range sides {
		t.interrupt(s, "")
	}
	t.c.Agent = nil
	cb.NextAt = t.at.Add(cb.RetryDelay)
	return true
}
