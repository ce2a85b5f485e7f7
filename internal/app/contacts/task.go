package contacts

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow"
	"ringdown/internal/store"
)

// The limits of tasks (administrator guide, "Amazon Connect service quotas" and
// "Amazon Connect feature specifications").
const (
	taskQuota    = 2500                // open at once, with quotas
	maxLinked    = 12                  // tasks in a chain
	taskSchedule = 90 * 24 * time.Hour // ahead
)

// The types of flows that begin contacts.
var (
	inboundFlow       = flow.TypeOf(types.ContactFlowTypeContactFlow)
	agentTransferFlow = flow.TypeOf(types.ContactFlowTypeAgentTransfer)
	queueTransferFlow = flow.TypeOf(types.ContactFlowTypeQueueTransfer)
)

// StartTaskContact makes a task that runs a flow: the one named, that of a quick
// connect, to whose queue or agent the task is then to go, or that of a template,
// whose fields the request fills (domain.TaskTemplate.Fill). Files to be attached
// are refused: the server fetches nothing from addresses that clients name
// (docs/divergences.md).
func (c *Contacts) StartTaskContact(ctx context.Context, in *connect.StartTaskContactInput) (*connect.StartTaskContactOutput, error) {
	sc, err := c.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if len(in.Attachments) > 0 {
		return nil, fault.New(fault.InvalidRequest, "Attachments: this server fetches no files; attach them with StartAttachedFileUpload")
	}
	if err := domain.CheckAttributes(in.Attributes, false); err != nil {
		return nil, err
	}
	references, err := newReferences(in.References)
	if err != nil {
		return nil, err
	}
	segment, minutes, err := c.newSegment(ctx, sc, in.SegmentAttributes)
	if err != nil {
		return nil, err
	}
	fields := domain.TaskFields{Name: *in.Name, Description: aws.ToString(in.Description), References: references, ExpiryMinutes: minutes}
	if in.ScheduledTime != nil {
		fields.ScheduledAt = in.ScheduledTime.UTC()
	}
	spec := contact.Spec{Attributes: in.Attributes}
	if fields, err = c.begins(ctx, sc, in, fields, &spec); err != nil {
		return nil, err
	}
	if err := c.fillTask(&spec.Contact, fields, segment); err != nil {
		return nil, err
	}
	check, err := c.link(ctx, sc, in, &spec.Contact)
	if err != nil {
		return nil, err
	}
	done, err := c.within(sc, types.ChannelTask, taskQuota, fault.ServiceQuotaExceeded)
	if err != nil {
		return nil, err
	}
	defer done()
	id, err := start(ctx, c, sc, "StartTaskContact", in.ClientToken, in, spec, check)
	if err != nil {
		return nil, err
	}
	return &connect.StartTaskContactOutput{ContactId: &id}, nil
}

// begins finds what a task begins with (API reference, StartTaskContact: one of
// the three).
func (c *Contacts) begins(ctx context.Context, sc catalog.Scope, in *connect.StartTaskContactInput, fields domain.TaskFields, spec *contact.Spec) (domain.TaskFields, error) {
	flowID, quickConnect, template := aws.ToString(in.ContactFlowId), aws.ToString(in.QuickConnectId), aws.ToString(in.TaskTemplateId)
	switch {
	case flowID != "" && quickConnect == "" && template == "":
		f, err := c.Configuration.Flow(ctx, addressed(sc), flowID)
		if err != nil {
			return fields, err
		}
		if f.Type != inboundFlow {
			return fields, fault.New(fault.InvalidRequest, "ContactFlowId must name a flow of the type CONTACT_FLOW; %s is of the type %s", f.Name, f.Type)
		}
		spec.Flow = &f
	case quickConnect != "" && flowID == "" && template == "":
		if err := c.beginsByQuickConnect(ctx, sc, quickConnect, spec); err != nil {
			return fields, err
		}
	case template != "" && flowID == "" && quickConnect == "":
		t, err := c.Configuration.Template(ctx, addressed(sc), template)
		if err != nil {
			return fields, err
		}
		id, err := catalog.ID(sc, domain.KindTaskTemplate, template)
		if err != nil {
			return fields, err
		}
		switch {
		case t.Status != types.TaskTemplateStatusActive:
			return fields, fault.New(fault.InvalidRequest, "The task template %s is not ACTIVE", t.Name)
		case t.ContactFlowID == "":
			return fields, fault.New(fault.InvalidRequest, "The task template %s has no flow", t.Name)
		}
		f, err := c.Configuration.Flow(ctx, addressed(sc), string(t.ContactFlowID))
		if err != nil {
			return fields, err
		}
		if fields, err = t.Fill(fields); err != nil {
			return fields, err
		}
		spec.Flow = &f
		spec.Contact.Template = &types.TaskTemplateInfoV2{Arn: aws.String(sc.ARN(domain.KindTaskTemplate, id)), Name: aws.String(t.Name)}
	default:
		return fields, fault.New(fault.InvalidRequest, "Exactly one of ContactFlowId, QuickConnectId and TaskTemplateId is required")
	}
	spec.Contact.FlowID = domain.ContactFlowID(spec.Flow.ID)
	return fields, nil
}

// beginsByQuickConnect takes the flow of a quick connect, and its queue or agent
// as where the task is to go.
func (c *Contacts) beginsByQuickConnect(ctx context.Context, sc catalog.Scope, idOrARN string, spec *contact.Spec) error {
	i, err := c.QuickConnects.QuickConnect(ctx, sc, idOrARN)
	if err != nil {
		return err
	}
	e := &i.Value
	if e.Type == types.QuickConnectTypePhoneNumber {
		return fault.New(fault.InvalidRequest, "The quick connect %s leads to a phone number, where no task can go", e.Name)
	}
	f, err := c.Configuration.Flow(ctx, addressed(sc), string(e.FlowID))
	if err != nil {
		return err
	}
	spec.Flow = &f
	spec.Contact.QuickConnect = &domain.ContactQuickConnect{ID: domain.QuickConnectID(i.ID), Name: e.Name, Type: e.Type}
	var q contact.Queue
	switch e.Type {
	case types.QuickConnectTypeQueue:
		q, err = c.Configuration.Queue(ctx, addressed(sc), string(e.QueueID))
	case types.QuickConnectTypeUser:
		q, err = c.Configuration.AgentQueue(ctx, addressed(sc), string(e.UserID))
	default:
		return nil
	}
	if err != nil {
		return err
	}
	spec.Contact.TargetQueue = &q.ContactQueue
	return nil
}

// fillTask makes a task of its fields.
func (c *Contacts) fillTask(task *domain.Contact, fields domain.TaskFields, segment map[string]types.SegmentAttributeValue) error {
	now := c.now()
	task.Channel, task.Method = types.ChannelTask, types.ContactInitiationMethodApi
	task.Name, task.Description, task.References, task.Segment = fields.Name, fields.Description, fields.References, segment
	from := now
	if !fields.ScheduledAt.IsZero() {
		if err := c.checkSchedule(fields.ScheduledAt); err != nil {
			return err
		}
		task.ScheduledAt, from = fields.ScheduledAt, fields.ScheduledAt
	}
	if fields.ExpiryMinutes != 0 {
		if err := checkMinutes("ExpiryDuration", fields.ExpiryMinutes); err != nil {
			return err
		}
		task.ExpiresAt = from.Add(time.Duration(fields.ExpiryMinutes) * time.Minute)
	}
	return nil
}

// checkSchedule checks the time at which a task is to begin. A whole second that
// has begun is not past: the API has no finer times.
func (c *Contacts) checkSchedule(at time.Time) error {
	switch now := c.now(); {
	case at.Before(now.Truncate(time.Second)):
		return fault.New(fault.InvalidRequest, "ScheduledTime must not be past, it is %s", at.Format(time.RFC3339))
	case at.After(now.Add(taskSchedule)):
		return fault.New(fault.InvalidRequest, "ScheduledTime must be within %d days, it is %s", int(taskSchedule.Hours()/24), at.Format(time.RFC3339))
	}
	return nil
}

func checkMinutes(member string, minutes int) error {
	if minutes < 1 || minutes > domain.MaxTaskMinutes {
		return fault.New(fault.InvalidRequest, "%s must be from 1 to %d minutes, it is %d", member, domain.MaxTaskMinutes, minutes)
	}
	return nil
}

// link ties a task to those that it follows or is related to. The check counts
// the tasks of the chain when the new one is stored.
func (c *Contacts) link(ctx context.Context, sc catalog.Scope, in *connect.StartTaskContactInput, task *domain.Contact) (check func(store.Tx) error, err error) {
	if err := c.relate(ctx, sc, in.RelatedContactId, task); err != nil {
		return nil, err
	}
	previous, err := c.known(ctx, sc, in.PreviousContactId)
	if err != nil || previous == nil {
		return nil, err
	}
	task.PreviousID = previous.ID
	return func(tx store.Tx) error {
		chain, err := tx.Contacts(ctx, store.ContactQuery{Instance: sc.PK, Initial: string(previous.InitialID)})
		if err != nil {
			return err
		}
		linked := 0
		for _, row := range chain {
			var of struct{ Channel types.Channel }
			if err := json.Unmarshal(row.Doc, &of); err != nil {
				return err
			}
			if of.Channel == types.ChannelTask {
				linked++
			}
		}
		if linked >= maxLinked {
			return fault.New(fault.ServiceQuotaExceeded, "The chain of PreviousContactId has %d of %d tasks.", linked, maxLinked)
		}
		return nil
	}, nil
}

// UpdateContactSchedule moves the time at which a task begins that has not begun.
func (c *Contacts) UpdateContactSchedule(ctx context.Context, in *connect.UpdateContactScheduleInput) (*connect.UpdateContactScheduleOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	if err := c.checkSchedule(*in.ScheduledTime); err != nil {
		return nil, err
	}
	return nil, c.Engine.Reschedule(ctx, instanceOf(sc), id, in.ScheduledTime.UTC())
}

// PauseContact has a task rest. A flow that is named runs meanwhile.
func (c *Contacts) PauseContact(ctx context.Context, in *connect.PauseContactInput) (*connect.PauseContactOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.ContactFlowId) == "" {
		return nil, c.Engine.Pause(ctx, instanceOf(sc), id, nil)
	}
	f, err := c.Configuration.Flow(ctx, addressed(sc), *in.ContactFlowId)
	if err != nil {
		return nil, err
	}
	return nil, c.Engine.Pause(ctx, instanceOf(sc), id, &f)
}

// ResumeContact has a paused task go on. A flow that is named runs then.
func (c *Contacts) ResumeContact(ctx context.Context, in *connect.ResumeContactInput) (*connect.ResumeContactOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.ContactFlowId) == "" {
		return nil, c.Engine.Resume(ctx, instanceOf(sc), id, nil)
	}
	f, err := c.Configuration.Flow(ctx, addressed(sc), *in.ContactFlowId)
	if err != nil {
		return nil, err
	}
	return nil, c.Engine.Resume(ctx, instanceOf(sc), id, &f)
}

// TransferContact hands a task over to a queue or an agent by way of a flow: a
// new contact runs it. The id of that is remembered for the client token before
// the contact is made, so that a request that is repeated after a crash finishes
// the transfer and no other begins a second.
func (c *Contacts) TransferContact(ctx context.Context, in *connect.TransferContactInput) (*connect.TransferContactOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	queueID, userID := aws.ToString(in.QueueId), aws.ToString(in.UserId)
	if (queueID == "") == (userID == "") {
		return nil, fault.New(fault.InvalidRequest, "Either QueueId or UserId is required, and not both")
	}
	f, err := c.Configuration.Flow(ctx, addressed(sc), *in.ContactFlowId)
	if err != nil {
		return nil, err
	}
	if f.Type != inboundFlow && f.Type != agentTransferFlow && f.Type != queueTransferFlow {
		return nil, fault.New(fault.InvalidRequest, "ContactFlowId must name a flow of the type CONTACT_FLOW, AGENT_TRANSFER or QUEUE_TRANSFER; %s is of the type %s", f.Name, f.Type)
	}
	var q contact.Queue
	if queueID != "" {
		q, err = c.Configuration.Queue(ctx, addressed(sc), queueID)
	} else {
		q, err = c.Configuration.AgentQueue(ctx, addressed(sc), userID)
	}
	if err != nil {
		return nil, err
	}
	if _, err := c.Engine.Read(ctx, instanceOf(sc), id); err != nil {
		return nil, err
	}
	to, err := catalog.Once(ctx, c.catalog, sc, "TransferContact", in.ClientToken, in, func(store.Tx) (*started, error) {
		return &started{domain.ContactID(domain.NewID())}, nil
	})
	if err != nil {
		return nil, err
	}
	next, err := c.Engine.Transfer(ctx, instanceOf(sc), id, contact.Transfer{ID: to.ID, Flow: f, Queue: q.ContactQueue})
	if err != nil {
		return nil, err
	}
	return &connect.TransferContactOutput{ContactId: aws.String(string(next)), ContactArn: aws.String(sc.ARN(domain.KindContact, string(next)))}, nil
}
