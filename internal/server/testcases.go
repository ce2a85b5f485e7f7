package server

import (
	"context"
	"time"

	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
	"ringdown/internal/flowtest"
)

// flowTests gives test cases the configuration that contacts have
// (testcases.Configuration).
type flowTests struct {
	configured *configured
	contacts   *contact.Manager
	functions  functionCaller
	services   contact.Services
}

func instanceOf(sc catalog.Scope) contact.Instance {
	return contact.Instance{PK: sc.PK, ID: sc.ID, Region: sc.Region, Account: sc.Account}
}

// Flow finds the published content of a flow.
func (t *flowTests) Flow(ctx context.Context, sc catalog.Scope, id string) (machine.Ref, error) {
	return t.configured.Flow(ctx, instanceOf(sc), id)
}

// World is the instance as the contacts of tests find it.
func (t *flowTests) World(sc catalog.Scope) flowtest.World { return testWorld{t, instanceOf(sc)} }

// testWorld is a flowtest.World. Nothing in it changes the instance: what a flow
// would write into a data table is only said to be written.
type testWorld struct {
	*flowTests

	in contact.Instance
}

// Document reads a document at first need.
func (w testWorld) Document(content string) *flow.Document {
	return w.contacts.Library(w.in).Document(content)
}

// Answer looks things up, calls functions and asks services.
func (w testWorld) Answer(ctx context.Context, at time.Time, c *domain.Contact, r *machine.Request) (machine.Reply, bool) {
	switch {
	case r.Lambda != nil:
		payload, id, err := w.functions.Invoke(ctx, *r.Lambda)
		if err != nil {
			return machine.Reply{Err: machine.NoMatchingError, Result: err.Error()}, true
		}
		return machine.Reply{Payload: payload, InvocationID: id}, true
	case r.Service != nil && r.Service.Type == "UpsertDataTableValues":
		return machine.Reply{}, true
	case r.Service != nil:
		return w.services.Serve(ctx, w.in, c, *r.Service), true
	default:
		return w.contacts.Lookup(ctx, w.in, at, r)
	}
}

// DefaultFlow finds the instance's default flow of a type.
func (w testWorld) DefaultFlow(ctx context.Context, t flow.Type) (machine.Ref, error) {
	return w.configured.DefaultFlow(ctx, w.in, t)
}

// Prompt finds a prompt. How long it plays is not looked up, so that a test
// takes the same virtual time whatever stores the recordings.
func (w testWorld) Prompt(ctx context.Context, id string) (flowtest.Prompt, error) {
	p, err := w.configured.Prompt(ctx, w.in, id)
	return flowtest.Prompt{Name: p.Name}, err
}
