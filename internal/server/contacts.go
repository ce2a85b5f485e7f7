package server

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/app/directory"
	"ringdown/internal/app/flows"
	"ringdown/internal/app/numbers"
	"ringdown/internal/app/prompts"
	"ringdown/internal/app/routing"
	"ringdown/internal/app/storage"
	"ringdown/internal/app/tasks"
	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
	"ringdown/internal/lambda"
	"ringdown/internal/numbering"
	"ringdown/internal/store"
)

// newContacts makes the engine of contacts. It runs nothing until it is opened.
func (s *Server) newContacts(configured *configured, services contact.Services) *contact.Manager {
	configured.mayCall, _ = s.cfg.destinations() // which complete has checked
	return contact.New(contact.Options{
		Configuration: configured,
		Lambda:        functionCaller{s.functions},
		Services:      services,
		Dialer:        s.voice,
		Audience:      s.chats,
		Wake:          s.events.wake,
		Now:           s.cfg.Now,
		Logger:        s.cfg.Logger,
	})
}

// functionCaller calls Lambda functions for flows.
type functionCaller struct{ client *lambda.Client }

// Invoke implements contact.Lambda.
func (f functionCaller) Invoke(ctx context.Context, r machine.LambdaRequest) (payload []byte, invocationID string, err error) {
	answer, err := f.client.Invoke(ctx, lambda.Request{Function: r.Function, Payload: r.Payload, Async: r.Async, Limit: r.Limit})
	return answer.Payload, answer.InvocationID, err
}

// configured is what areas know, as contacts ask for it (contact.Configuration).
type configured struct {
	catalog   *catalog.Catalog
	flows     *flows.Flows
	queues    *routing.Routing
	prompts   *prompts.Prompts
	people    *directory.Directory
	numbers   *numbers.Numbers
	templates *tasks.Tasks
	stored    *storage.Storage
	mayCall   numbering.Destinations
}

// scope is an instance as the catalog addresses it.
func scope(in contact.Instance) catalog.Scope {
	return catalog.Scope{PK: in.PK, ID: in.ID, Region: in.Region, Home: in.Region, Account: in.Account}
}

// Instance finds the instance of a stored contact.
func (c *configured) Instance(ctx context.Context, pk store.PK) (contact.Instance, error) {
	found, err := c.catalog.Store().GetByPK(ctx, pk)
	if err != nil {
		return contact.Instance{}, err
	}
	if len(found) == 0 || found[0].Kind != domain.KindInstance {
		return contact.Instance{}, fault.New(fault.ResourceNotFound, "Instance not found.")
	}
	var e domain.Instance
	if err := json.Unmarshal(found[0].Doc, &e); err != nil {
		return contact.Instance{}, fmt.Errorf("instance %s: %w", found[0].ID, err)
	}
	return contact.Instance{PK: pk, ID: domain.InstanceID(found[0].ID), Region: e.Region, Account: c.catalog.Account()}, nil
}

func ref(r flows.Runnable, err error) (machine.Ref, error) {
	return machine.Ref{ID: r.ID, ARN: r.ARN, Name: r.Name, Type: r.Type, Content: string(r.Content)}, err
}

// Flow finds the published content of a flow.
func (c *configured) Flow(ctx context.Context, in contact.Instance, id string) (machine.Ref, error) {
	return ref(c.flows.Runnable(ctx, scope(in), id))
}

// Module finds the content of a module.
func (c *configured) Module(ctx context.Context, in contact.Instance, id string) (machine.Ref, error) {
	return ref(c.flows.RunnableModule(ctx, scope(in), id))
}

// DefaultFlow finds the default flow of a type.
func (c *configured) DefaultFlow(ctx context.Context, in contact.Instance, t flow.Type) (machine.Ref, error) {
	return ref(c.flows.DefaultFlow(ctx, scope(in), t))
}

// Document reads and parses a content. What was published has been checked; what
// was only saved is run as far as it can be read.
func (c *configured) Document(ctx context.Context, in contact.Instance, content string) (*flow.Document, error) {
	text, err := c.flows.Content(ctx, scope(in), domain.FlowContentID(content))
	if err != nil {
		return nil, err
	}
	doc, problems := flow.Parse(text)
	if doc == nil {
		return nil, fmt.Errorf("content %s is no flow: %v", content, problems)
	}
	return doc, nil
}

// Queue finds a standard queue.
func (c *configured) Queue(ctx context.Context, in contact.Instance, id string) (contact.Queue, error) {
	i, err := c.queues.Queue(ctx, scope(in), id)
	if err != nil {
		return contact.Queue{}, err
	}
	e := &i.Value
	q := contact.Queue{
		ContactQueue: domain.ContactQueue{ID: domain.QueueID(i.ID), Name: e.Name},
		HoursID:      string(e.HoursOfOperationID), Enabled: e.Status != "DISABLED", MaxContacts: e.MaxContacts,
		CallerName: e.OutboundCaller.IDName, OutboundFlow: string(e.OutboundCaller.FlowID),
	}
	if n := e.OutboundCaller.NumberID; n != "" {
		number, err := c.numbers.Number(ctx, n)
		if err == nil {
			q.CallerID = number.Number
		} else if !fault.Is(err, fault.ResourceNotFound) {
			return contact.Queue{}, err
		}
	}
	return q, nil
}

// maxInAgentQueue is how many contacts wait in one agent's queue
// (administrator guide, "Amazon Connect service quotas").
var maxInAgentQueue int32 = 10

// AgentQueue finds the queue that a user has of its own.
func (c *configured) AgentQueue(ctx context.Context, in contact.Instance, userID string) (contact.Queue, error) {
	i, err := c.people.User(ctx, scope(in), userID)
	if err != nil {
		return contact.Queue{}, err
	}
	return contact.Queue{
		ContactQueue: domain.ContactQueue{ID: domain.QueueID(i.ID), Name: i.Name, AgentID: domain.UserID(i.ID)},
		Enabled:      true, MaxContacts: &maxInAgentQueue,
	}, nil
}

// Open reports whether hours of operation are open.
func (c *configured) Open(ctx context.Context, in contact.Instance, hoursID string, at time.Time) (bool, error) {
	return c.queues.OpenAt(ctx, scope(in), hoursID, at)
}

// Prompt finds a prompt.
func (c *configured) Prompt(ctx context.Context, in contact.Instance, id string) (contact.Prompt, error) {
	name, uri, err := c.prompts.Sound(ctx, scope(in), id)
	return contact.Prompt{Name: name, URI: uri}, err
}

// Dialable reports whether a number may be called from the instance's region.
func (c *configured) Dialable(_ context.Context, in contact.Instance, number string) bool {
	return c.mayCall.Refused(in.Region, number) == ""
}

// Recordings tells where an instance keeps call recordings.
func (c *configured) Recordings(ctx context.Context, in contact.Instance) (bucket, prefix string, kept bool, err error) {
	return c.stored.Bucket(ctx, scope(in), types.InstanceStorageResourceTypeCallRecordings)
}

// Template finds a task template.
func (c *configured) Template(ctx context.Context, in contact.Instance, id string) (*domain.TaskTemplate, error) {
	i, err := c.templates.Template(ctx, scope(in), id)
	if err != nil {
		return nil, err
	}
	return &i.Value, nil
}
