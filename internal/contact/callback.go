package contact

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

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
	To, From   string    // E.164
}

// flowCallback creates the callback of a CreateCallbackContact action: a contact
// of the chain, at once, which waits for its delay.
func (t *Transition) flowCallback(r *machine.CallbackRequest) machine.Reply {
	q, err := t.findQueue(r.Queue)
	if err != nil {
		return t.m.notFound(err)
	}
	if !q.Enabled || r.Number == "" {
		return failed
	}
	if q.MaxContacts != nil && len(t.m.queues.waiting(queueKey{t.in.PK, q.ID}, "")) >= int(*q.MaxContacts) {
		return failed
	}
	from := r.CallerID
	if from == "" {
		from = q.CallerID
	}
	b := t.successor(types.ContactInitiationMethodCallback)
	b.c.Channel = types.ChannelVoice
	b.c.TargetQueue = &q.ContactQueue
	b.c.System = nil
	b.c.Customer = &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: &r.Number}
	b.st.Callback = &callback{
		Queue: q.ContactQueue, Delay: r.InitialDelay, RetryDelay: r.RetryDelay, Attempts: max(1, r.Attempts),
		NextAt: t.at.Add(r.InitialDelay), To: r.Number, From: from,
	}
	b.c.ExpiresAt = t.at.Add(taskLife) // a callback waits up to seven days
	b.c.ScheduledAt = b.st.Callback.NextAt
	if r.FlowID != "" {
		f, err := t.m.opts.Configuration.Flow(t.ctx, t.in, r.FlowID)
		if err != nil {
			t.births = t.births[:len(t.births)-1]
			t.c.Next = t.c.Next[:len(t.c.Next)-1]
			return t.m.notFound(err)
		}
		b.st.Flow, b.st.Callback.NextAt = &f, time.Time{}
	}
	return machine.Reply{ContactID: b.c.ID}
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

// callbackAnswered is the customer's answer: the call goes on with its agent.
func (t *Transition) callbackAnswered() {
	t.st.Callback = nil
	t.whispered()
}

// callbackFailed has a callback that the customer has not answered wait for its
// next attempt; false when there is none left.
func (t *Transition) callbackFailed() bool {
	cb := t.st.Callback
	if cb == nil {
		return false
	}
	if cb.Attempts--; cb.Attempts <= 0 {
		return false
	}
	t.c.Agent = nil
	cb.NextAt = t.at.Add(cb.RetryDelay)
	return true
}
