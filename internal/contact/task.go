package contact

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
)

// flowTask creates the task of a CreateTask action, related to this contact.
func (t *Transition) flowTask(r *machine.TaskRequest) machine.Reply {
	c := domain.Contact{
		RelatedID: t.id, AssociationID: t.c.AssociationID, Channel: types.ChannelTask, Method: types.ContactInitiationMethodFlow,
		Name: r.Name, Description: r.Description, References: r.References, ScheduledAt: r.Scheduled,
	}
	flowID := r.FlowID
	if r.TemplateID != "" {
		template, err := t.m.opts.Configuration.Template(t.ctx, t.in, r.TemplateID)
		if err != nil {
			return t.m.notFound(err)
		}
		if flowID == "" {
			flowID = string(template.ContactFlowID)
		}
	}
	f, err := t.m.opts.Configuration.Flow(t.ctx, t.in, flowID)
	if err != nil {
		return t.m.notFound(err)
	}
	attributes, err := merge(t.subject.Attributes, r.Attributes, true)
	if err != nil {
		return failed
	}
	c.FlowID = domain.ContactFlowID(f.ID)
	b := t.bear(Spec{Instance: t.in, Contact: c, Attributes: attributes, Flow: &f})
	return machine.Reply{ContactID: b.c.ID, Data: map[string]any{"Task": map[string]any{"ContactId": string(b.c.ID)}}}
}

// related changes the contact that this one is related to, and answers later.
func (t *Transition) related(s side, r *machine.Request) {
	l, id, in := t.live, string(t.c.RelatedID), t.in
	change := *r.Related
	t.After(func() {
		l.m.spawn(func() {
			reply := machine.Reply{}
			if id == "" || l.m.Do(l.m.ctx, in, id, func(t *Transition) error { return t.apply(&change) }) != nil {
				reply = failed
			}
			l.replied(s, r.Seq, reply)
		})
	})
}

// apply makes the changes that a flow of a related contact asks for.
func (t *Transition) apply(r *machine.RelatedRequest) error {
	if len(r.Attributes) > 0 {
		if err := t.SetAttributes(r.Attributes, true); err != nil {
			return err
		}
	}
	if d := r.Data; d != nil {
		set := func(to *string, from *string, property string) {
			if from != nil {
				*to = *from
				t.Changed(property)
			}
		}
		set(&t.c.Name, d.Name, "Name")
		set(&t.c.Description, d.Description, "Description")
		set(&t.c.Language, d.Language, "LanguageCode")
		set(&t.c.CustomerID, d.CustomerID, "CustomerId")
		if len(d.References) > 0 {
			t.SetReferences(d.References)
		}
	}
	return nil
}

// SetAttributes sets some of the chain's attributes and leaves the others.
func (t *Transition) SetAttributes(set map[string]string, fromFlow bool) error {
	all, err := merge(t.subject.Attributes, set, fromFlow)
	if err != nil {
		return err
	}
	t.subject.Attributes = all
	t.Changed("UserDefinedAttributes")
	return nil
}

// SetReferences adds references, or replaces those of the same names.
func (t *Transition) SetReferences(set map[string]types.Reference) {
	all := make(map[string]types.Reference, len(t.c.References)+len(set))
	for k, v := range t.c.References {
		all[k] = v
	}
	for k, v := range set {
		all[k] = v
	}
	t.c.References = all
	t.Changed("References")
}

// Reschedule moves the time of a task that waits for it (API reference,
// UpdateContactSchedule).
func (m *Manager) Reschedule(ctx context.Context, in Instance, id string, at time.Time) error {
	const most = 20
	return m.Do(ctx, in, id, func(t *Transition) error {
		switch {
		case t.c.Channel != types.ChannelTask || !t.scheduled():
			return fault.New(fault.InvalidRequest, "Contact %s is no task that waits for its scheduled time.", t.id)
		case t.c.Reschedules >= most:
			return fault.New(fault.LimitExceeded, "A task can be scheduled anew %d times.", most)
		}
		t.c.Reschedules++
		t.c.ExpiresAt = t.c.ExpiresAt.Add(at.Sub(t.c.ScheduledAt))
		t.c.ScheduledAt = at
		t.Changed("ScheduledTimestamp")
		return nil
	})
}

// maxPauses is how often a task may be paused (API reference, TotalPauseCount).
const maxPauses = 10

// Pause has a task rest until it is resumed: its flow stands still, and if it
// waits in a queue it leaves that (administrator guide, "Pause and resume
// tasks"). A flow given is run meanwhile, in place of the one of the PauseContact
// hook.
func (m *Manager) Pause(ctx context.Context, in Instance, id string, f *machine.Ref) error {
	return m.Do(ctx, in, id, func(t *Transition) error {
		switch {
		case t.c.Channel != types.ChannelTask:
			return fault.New(fault.InvalidRequest, "Contact %s is a %s contact; only tasks can be paused.", t.id, t.c.Channel)
		case t.c.Ended():
			return fault.New(fault.Conflict, "Contact %s has ended.", t.id)
		case t.scheduled():
			return fault.New(fault.Conflict, "Contact %s waits for its scheduled time.", t.id)
		case t.st.Paused:
			return fault.New(fault.Conflict, "Contact %s is paused already.", t.id)
		case t.c.Pauses >= maxPauses:
			return fault.New(fault.LimitExceeded, "A task can be paused %d times.", maxPauses)
		}
		t.c.Pauses++
		t.c.PausedAt = t.at
		t.st.Paused = true
		if t.queued() {
			t.interrupt(customer, "The task was paused.")
			t.dequeue()
			t.st.Requeue = true
		}
		t.event(Paused)
		if f == nil {
			if set, ok := t.hook("PauseContact", false); ok {
				f = &set
			}
		}
		if f != nil {
			t.run(agent, pausing, *f)
		}
		return nil
	})
}

// Resume has a paused task go on. A flow given is run, in place of the one of the
// ResumeContact hook. It decides about a task that the pause has taken out of a
// queue; without one the task goes back.
func (m *Manager) Resume(ctx context.Context, in Instance, id string, f *machine.Ref) error {
	return m.Do(ctx, in, id, func(t *Transition) error {
		switch {
		case t.c.Channel != types.ChannelTask:
			return fault.New(fault.InvalidRequest, "Contact %s is a %s contact; only tasks can be resumed.", t.id, t.c.Channel)
		case t.c.Ended():
			return fault.New(fault.Conflict, "Contact %s has ended.", t.id)
		case !t.st.Paused:
			return fault.New(fault.Conflict, "Contact %s is not paused.", t.id)
		}
		t.interrupt(agent, "The task was resumed.")
		t.thaw()
		t.resumed(f)
		return nil
	})
}

// thaw ends a pause. Timers that stood still have as long to go as before.
func (t *Transition) thaw() {
	rested := t.at.Sub(t.c.PausedAt)
	t.c.ResumedAt = t.at
	t.c.PausedTime += rested
	var still []side
	for _, s := range sides {
		if th := t.st.Threads[s]; th != nil && t.frozen(th) {
			still = append(still, s)
		}
	}
	t.st.Paused = false
	t.event(Resumed)
	for _, s := range still {
		th := t.st.Threads[s]
		if w := th.Run.Wait; w != nil && !w.Due.IsZero() {
			w.Due = w.Due.Add(rested)
		}
		t.again(s, th) // answers that came meanwhile were not heard
	}
}

// resumed runs what follows when a task goes on; f nil is the flow of the hook.
func (t *Transition) resumed(f *machine.Ref) {
	requeue := t.st.Requeue
	t.st.Requeue = false
	if f == nil {
		if set, ok := t.hook("ResumeContact", false); ok {
			f = &set
		}
	}
	switch {
	case t.c.Ended() || t.queued():
	case f != nil:
		t.run(agent, resuming, *f)
	case requeue:
		t.enqueue(*t.c.Queue)
	}
}

// flowResume answers the ResumeContact action of a flow, which is at work until
// it ends.
func (t *Transition) flowResume() machine.Reply {
	if t.c.Channel != types.ChannelTask || !t.st.Paused {
		return failed
	}
	t.thaw()
	return machine.Reply{}
}

// Transfer moves a task or an e-mail to a queue or an agent by a flow: a new
// contact of the chain runs it (API reference, TransferContact).
type Transfer struct {
	// ID is that of the new contact, "" for any. When the contact has gone over to
	// it already, nothing more is done.
	ID    domain.ContactID
	Flow  machine.Ref
	Queue domain.ContactQueue // the target queue of the new contact; an agent's for an agent
}

// maxTransfers of a task (administrator guide, "Amazon Connect feature
// specifications").
const maxTransfers = 11

// Transfer returns the new contact.
func (m *Manager) Transfer(ctx context.Context, in Instance, id string, to Transfer) (domain.ContactID, error) {
	var next domain.ContactID
	err := m.Do(ctx, in, id, func(t *Transition) error {
		for _, n := range t.c.Next {
			if n.ID == to.ID {
				next = n.ID
				return nil
			}
		}
		switch {
		case t.c.Channel != types.ChannelTask && t.c.Channel != types.ChannelEmail:
			return fault.New(fault.InvalidRequest, "Contact %s is a %s contact; only tasks and e-mails can be transferred.", t.id, t.c.Channel)
		case t.c.Ended():
			return fault.New(fault.InvalidRequest, "Contact %s has ended.", t.id)
		case t.c.Hops >= maxTransfers:
			return fault.New(fault.ServiceQuotaExceeded, "A contact can be transferred %d times.", maxTransfers)
		}
		b := t.successor(types.ContactInitiationMethodTransfer)
		b.c.Hops = t.c.Hops + 1
		b.c.TargetQueue = &to.Queue
		b.c.FlowID = domain.ContactFlowID(to.Flow.ID)
		b.st.Flow = &to.Flow
		if to.ID != "" {
			b.c.ID, t.c.Next[len(t.c.Next)-1].ID = to.ID, to.ID
		}
		next = b.c.ID
		t.hand(b)
		return nil
	})
	return next, err
}

// Stop ends a contact (API reference, StopContact). The reason that its record
// gives is API, and OTHER for a call.
func (m *Manager) Stop(ctx context.Context, in Instance, id, reason string) error {
	err := m.Do(ctx, in, id, func(t *Transition) error {
		if t.c.Ended() {
			return fault.New(fault.ContactNotFound, "Contact %s has ended.", t.id)
		}
		if t.c.Channel == types.ChannelVoice {
			switch t.c.Method {
			case types.ContactInitiationMethodInbound, types.ContactInitiationMethodOutbound, types.ContactInitiationMethodApi,
				types.ContactInitiationMethodCallback, types.ContactInitiationMethodWebrtcApi:
			default:
				return fault.New(fault.InvalidRequest, "A call that began as %s cannot be stopped.", t.c.Method)
			}
		}
		if reason == "" {
			reason = "API"
			if t.c.Channel == types.ChannelVoice {
				reason = "OTHER"
			}
		}
		t.disconnect(reason)
		return nil
	})
	if fault.Is(err, fault.ResourceNotFound) {
		return fault.New(fault.ContactNotFound, "Contact %s not found.", id)
	}
	return err
}
