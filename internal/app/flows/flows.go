// Package flows serves what contacts run: flows and their modules, and which
// flow a resource runs.
//
// A content is a record of its own (domain.FlowContent), which never changes
// and to which flows, modules and their versions refer. So lists of flows, and
// the memory that they are served from, carry no documents of a quarter of a
// million characters. A content that nothing refers to any more is deleted.
//
// What flows and modules have in common, contents and versions, is in
// document.go; whether contacts may run a content is found out in validate.go.
package flows

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// Flows serves the operations of this package.
type Flows struct {
	catalog      *catalog.Catalog
	numbers      Numbers
	contactFlows documents[domain.ContactFlow]
	modules      documents[domain.ContactFlowModule]
	aliases      *catalog.Collection[domain.ContactFlowModuleAlias]
	associations *catalog.Collection[domain.FlowAssociation]
	defaults     sync.Map // of defaultKey to the id of the flow
}

// Numbers knows which flows the phone numbers of an instance run.
type Numbers interface {
	// FlowAssociations returns one for each claimed number of the instance that
	// has a flow, of type VOICE_PHONE_NUMBER, in the order in which the numbers
	// were claimed.
	FlowAssociations(ctx context.Context, sc catalog.Scope) ([]types.FlowAssociationSummary, error)
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog, numbers Numbers) *Flows {
	contents := catalog.Register(c, flowContentKind)
	f := &Flows{
		catalog: c,
		numbers: numbers,
		contactFlows: documents[domain.ContactFlow]{
			catalog: c, contents: contents, kind: domain.KindContactFlow,
			items:    catalog.Register(c, contactFlowKind),
			versions: catalog.Register(c, contactFlowVersionKind),
			of:       func(e *domain.ContactFlow) *domain.FlowContents { return &e.FlowContents },
		},
		modules: documents[domain.ContactFlowModule]{
			catalog: c, contents: contents, kind: domain.KindContactFlowModule,
			items:    catalog.Register(c, contactFlowModuleKind),
			versions: catalog.Register(c, contactFlowModuleVersionKind),
			of:       func(e *domain.ContactFlowModule) *domain.FlowContents { return &e.FlowContents },
		},
		aliases:      catalog.Register(c, contactFlowModuleAliasKind),
		associations: catalog.Register(c, flowAssociationKind),
	}
	f.modules.aliased = f.aliasedVersion
	return f
}

// Seed gives a new instance its flows. They name its prompts and the basic
// queue, which must be there before.
func (f *Flows) Seed(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	return f.seedContactFlows(ctx, tx, sc)
}
