// Package evaluations serves evaluation forms and the evaluations of contacts by
// them. A form's content is in its versions, which are parts of it; an
// evaluation refers to the version that it follows, which therefore stays.
package evaluations

import (
	"context"
	"time"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/evaluation"
	"ringdown/internal/store"
)

// Evaluations serves the operations of this package.
type Evaluations struct {
	catalog     *catalog.Catalog
	forms       *catalog.Collection[evaluation.Form]
	versions    *catalog.Collection[evaluation.FormVersion]
	evaluations *catalog.Collection[evaluation.ContactEvaluation]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Evaluations {
	return &Evaluations{
		catalog:     c,
		forms:       catalog.Register(c, formKind),
		versions:    catalog.Register(c, versionKind),
		evaluations: catalog.Register(c, evaluationKind),
	}
}

// The roles in which resources of this area refer to each other.
const (
	roleForm      store.Role = "evaluation-form"
	roleEvaluated store.Role = "evaluated-by"
)

// stamp says that the caller does something now.
func (e *Evaluations) stamp(ctx context.Context) evaluation.Stamp {
	return evaluation.Stamp{By: domain.CallerOf(ctx).ARN, At: e.now()}
}

// now is the time to store: as precise as the store keeps it.
func (e *Evaluations) now() time.Time { return e.catalog.Now().UTC().Truncate(time.Microsecond) }
