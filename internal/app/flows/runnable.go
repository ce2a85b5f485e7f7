package flows

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow"
	"ringdown/internal/store"
)

// Runnable is a content that contacts can run.
type Runnable struct {
	ID, ARN, Name string
	Type          flow.Type
	Content       domain.FlowContentID
}

// Runnable finds what a flow runs: its published content. An id that ends in
// :$SAVED asks for the saved one, as DescribeContactFlow has it.
func (f *Flows) Runnable(ctx context.Context, sc catalog.Scope, idOrARN string) (Runnable, error) {
	i, r, err := f.contactFlows.revision(ctx, sc, idOrARN)
	if err != nil {
		return Runnable{}, err
	}
	if i.Value.State == types.ContactFlowStateArchived {
		return Runnable{}, fault.New(fault.ResourceNotFound, "ContactFlow %s is archived.", i.ID)
	}
	return Runnable{i.ID, *i.ARN(sc), i.Name, flow.TypeOf(i.Value.Type), r.ContentID}, nil
}

// RunnableModule finds what a module runs. Its id may end in a version or in an
// alias.
func (f *Flows) RunnableModule(ctx context.Context, sc catalog.Scope, idOrARN string) (Runnable, error) {
	i, r, err := f.modules.revision(ctx, sc, idOrARN)
	if err != nil {
		return Runnable{}, err
	}
	if i.Value.State == types.ContactFlowModuleStateArchived {
		return Runnable{}, fault.New(fault.ResourceNotFound, "ContactFlowModule %s is archived.", i.ID)
	}
	return Runnable{i.ID, *i.ARN(sc), i.Name, flow.Module, r.ContentID}, nil
}

// defaultKey names a default flow: an instance has one of each type.
type defaultKey struct {
	instance store.PK
	of       flow.Type
}

// DefaultFlow finds the flow of a type that the instance came with, whatever its
// name is now. Which one that is never changes, so it is looked for once: every
// contact that is queued asks.
func (f *Flows) DefaultFlow(ctx context.Context, sc catalog.Scope, t flow.Type) (Runnable, error) {
	key := defaultKey{sc.PK, t}
	if id, known := f.defaults.Load(key); known {
		return f.Runnable(ctx, sc, id.(string)) //nolint:forcetypeassert // the map holds nothing else
	}
	all, err := f.contactFlows.items.All(ctx, f.catalog.Store(), sc)
	if err != nil {
		return Runnable{}, err
	}
	for _, i := range all {
		if i.Value.Default && flow.TypeOf(i.Value.Type) == t {
			f.defaults.Store(key, i.ID)
			return f.Runnable(ctx, sc, i.ID)
		}
	}
	return Runnable{}, fault.New(fault.ResourceNotFound, "There is no default flow of type %s.", t)
}

// Content reads the document of a content.
func (f *Flows) Content(ctx context.Context, sc catalog.Scope, id domain.FlowContentID) (string, error) {
	i, err := f.contactFlows.contents.GetIn(ctx, f.catalog.Store(), sc, string(id))
	if err != nil {
		return "", err
	}
	return i.Value.Content, nil
}

// revision finds a flow or module and which of its contents an id means.
func (d *documents[E]) revision(ctx context.Context, sc catalog.Scope, idOrARN string) (*catalog.Item[E], *domain.FlowRevision, error) {
	id, qualifier, err := catalog.QualifiedID(sc, d.kind, idOrARN)
	if err != nil {
		return nil, nil, err
	}
	i, err := d.items.Get(ctx, sc, id)
	if err != nil {
		return nil, nil, err
	}
	r, err := d.pick(ctx, d.catalog.Store(), sc, &described[E]{Item: i}, qualifier)
	return i, r, err
}
