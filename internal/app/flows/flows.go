// Package flows serves what contacts run and hear: flows and prompts.
//
// A flow's content is a record of its own (domain.FlowContent), which never
// changes and to which the flow refers. So lists of flows, and the memory that
// they are served from, carry no documents of a quarter of a million
// characters.
package flows

import (
	"context"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// Flows serves the operations of this package.
type Flows struct {
	catalog      *catalog.Catalog
	contactFlows *catalog.Collection[domain.ContactFlow]
	contents     *catalog.Collection[domain.FlowContent]
	prompts      *catalog.Collection[domain.Prompt]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Flows {
	return &Flows{
		catalog:      c,
		contactFlows: catalog.Register(c, contactFlowKind),
		contents:     catalog.Register(c, flowContentKind),
		prompts:      catalog.Register(c, promptKind),
	}
}

// Seed gives a new instance its prompts and its flows. The flows name the
// basic queue, which must be there before.
func (f *Flows) Seed(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	prompts, err := f.seedPrompts(ctx, tx, sc)
	if err != nil {
		return err
	}
	return f.seedContactFlows(ctx, tx, sc, prompts)
}
