package flowtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
	"ringdown/internal/starter"
)

// Bundle is a World without a server: flows and modules are those that it holds.
// What they name beyond that is there as well, so that a flow can be tested
// without saying much: queues are empty and nobody works in them, hours are open,
// prompts have a stated length. What is named by id is found by ARN too, and the
// other way round.
//
// It is not changed while tests run on it.
type Bundle struct {
	Flows   map[string]*Source
	Modules map[string]*Source
	Queues  map[string]BundledQueue
	// Hours tells which hours of operation are open. Open decides for those that it
	// does not name.
	Hours  map[string]bool
	Closed bool // hours that are not named
	// Prompts are recorded prompts by id, ARN or name.
	Prompts map[string]Prompt
	// Lambda calls functions; nil: none can be called.
	Lambda func(ctx context.Context, r machine.LambdaRequest) (payload []byte, invocationID string, err error)
}

// Source is a flow or a module with its parsed document.
type Source struct {
	Name     string
	Type     flow.Type
	Document *flow.Document
}

// BundledQueue is a queue as a test finds it.
type BundledQueue struct {
	Name string
	// Hours are its hours of operation, "" for some that are not named.
	Hours string
	// Agents are available in it, Contacts wait, the oldest since Oldest.
	Agents, Contacts int
	Oldest           time.Duration
}

// Ref is how a flow is run. Its key is one of b.Flows.
func (b *Bundle) Ref(key string) machine.Ref { return reference("flow", key, b.Flows[key]) }

func reference(kind, key string, s *Source) machine.Ref {
	return machine.Ref{ID: resource(key), ARN: key, Name: s.Name, Type: s.Type, Content: kind + " " + key}
}

// find is what a map holds under an id or an ARN.
func find[V any](all map[string]V, id string) (key string, v V, ok bool) {
	if v, ok = all[id]; ok {
		return id, v, true
	}
	for key, v := range all {
		if same(key, id) {
			return key, v, true
		}
	}
	return "", v, false
}

// Document implements machine.Library.
func (b *Bundle) Document(content string) *flow.Document {
	if content == defaultQueueFlow {
		return customerQueue()
	}
	const kind = len("flow ")
	if len(content) > kind && content[:kind] == "flow " {
		if s := b.Flows[content[kind:]]; s != nil {
			return s.Document
		}
		return nil
	}
	if s := b.Modules[content[min(len(content), len("module ")):]]; s != nil {
		return s.Document
	}
	return nil
}

// Answer implements World.
func (b *Bundle) Answer(ctx context.Context, _ time.Time, _ *domain.Contact, r *machine.Request) (machine.Reply, bool) {
	switch {
	case r.Flows != nil:
		return b.flows(r.Flows), true
	case r.Queue != nil:
		return b.queue(r.Queue), true
	case r.Hours != nil:
		return b.hours(r.Hours), true
	case r.Metric != nil:
		return b.metric(r.Metric), true
	case r.Metrics != nil:
		return b.metrics(r.Metrics), true
	case r.Dialable != nil:
		return machine.Reply{}, true
	case r.Lambda != nil && b.Lambda != nil:
		payload, id, err := b.Lambda(ctx, *r.Lambda)
		if err != nil {
			return machine.Reply{Err: machine.NoMatchingError, Result: err.Error()}, true
		}
		return machine.Reply{Payload: payload, InvocationID: id}, true
	default:
		return machine.Reply{}, false
	}
}

func (b *Bundle) flows(r *machine.FlowsRequest) machine.Reply {
	kind, all := "flow", b.Flows
	if r.Module {
		kind, all = "module", b.Modules
	}
	var reply machine.Reply
	for _, id := range r.IDs {
		key, s, ok := find(all, id)
		if !ok {
			return failed
		}
		reply.Flows = append(reply.Flows, reference(kind, key, s))
	}
	return reply
}

func (b *Bundle) queue(r *machine.QueueRequest) machine.Reply {
	if r.AgentID != "" {
		id := resource(r.AgentID)
		return machine.Reply{Queue: &domain.ContactQueue{ID: domain.QueueID(id), Name: id, AgentID: domain.UserID(id)}}
	}
	key, q, ok := find(b.Queues, r.QueueID)
	if !ok {
		key = r.QueueID
	}
	found := domain.ContactQueue{ID: domain.QueueID(resource(key)), Name: q.Name}
	if found.Name == "" {
		found.Name = string(found.ID)
	}
	return machine.Reply{Queue: &found}
}

func (b *Bundle) hours(r *machine.HoursRequest) machine.Reply {
	id := r.ID
	if id == "" && r.Queue != nil {
		_, q, _ := find(b.Queues, string(r.Queue.ID))
		id = q.Hours
	}
	_, open, named := find(b.Hours, id)
	if !named && !b.Closed || open {
		return machine.Reply{Result: "True"}
	}
	return machine.Reply{Result: "False"}
}

func (b *Bundle) metric(r *machine.MetricRequest) machine.Reply {
	_, q, _ := find(b.Queues, string(r.Queue.ID))
	switch r.Type {
	case "NumberOfContactsInQueue":
		return machine.Reply{Number: float64(q.Contacts)}
	case "OldestContactInQueueAgeSeconds":
		return machine.Reply{Number: q.Oldest.Seconds()}
	default:
		return machine.Reply{Number: float64(q.Agents)}
	}
}

func (b *Bundle) metrics(r *machine.MetricsRequest) machine.Reply {
	if r.Queue == nil {
		return failed
	}
	_, q, _ := find(b.Queues, string(r.Queue.ID))
	agents := map[string]any{}
	for _, name := range []string{"Online", "Available", "Staffed"} {
		agents[name] = map[string]any{"Count": q.Agents}
	}
	for _, name := range []string{"AfterContactWork", "Busy", "Missed", "NonProductive"} {
		agents[name] = map[string]any{"Count": 0}
	}
	return machine.Reply{Data: map[string]any{"Metrics": map[string]any{
		"Queue":  map[string]any{"Name": r.Queue.Name, "ARN": string(r.Queue.ID), "Size": q.Contacts, "OldestContactAge": int(q.Oldest.Seconds())},
		"Agents": agents,
	}}}
}

// Prompt implements World.
func (b *Bundle) Prompt(_ context.Context, id string) (Prompt, error) {
	_, p, _ := find(b.Prompts, id)
	if p.Name == "" {
		p.Name = resource(id)
	}
	return p, nil
}

// defaultQueueFlow is the content of the flow that customers hear in a queue
// when nothing else is said: that of a new instance.
const defaultQueueFlow = "default customer queue"

// DefaultFlow implements World.
func (b *Bundle) DefaultFlow(_ context.Context, t flow.Type) (machine.Ref, error) {
	if t != "CUSTOMER_QUEUE" {
		return machine.Ref{}, fmt.Errorf("there is no default flow of type %s", t)
	}
	return machine.Ref{ID: defaultQueueFlow, Name: "Default customer queue", Type: t, Content: defaultQueueFlow}, nil
}

var customerQueue = sync.OnceValue(func() *flow.Document {
	id := func(name string) string { return name }
	for _, f := range starter.Flows() {
		if f.Name == "Default customer queue" {
			doc, _ := flow.Parse(f.Content(starter.Refs{Prompt: id, Flow: id}))
			return doc
		}
	}
	return nil
})
