// Package flows serves what contacts run: flows and their modules.
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
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Flows {
	return &Flows{
		catalog:      c,
		contactFlows: catalog.Register(c, contactFlowKind),
		contents:     catalog.Register(c, flowContentKind),
	}
}

// Seed gives a new instance its flows. They name its prompts and the basic
// queue, which must be there before.
func (f *Flows) Seed(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	return f.seedContactFlows(ctx, tx, sc)
}
