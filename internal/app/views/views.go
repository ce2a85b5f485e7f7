// Package views serves views: the pages that flows and agents show.
//
// A view is a record of its own; what its qualifiers name (the versions and the
// aliases $SAVED and $LATEST) are parts of it. The views that AWS gives to every
// instance are no records: they are in managed.go.
package views

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// roleView is that of a content's reference to its view.
const roleView store.Role = "content-of-view"

// Views serves the operations of this package.
type Views struct {
	catalog  *catalog.Catalog
	views    *catalog.Collection[domain.View]
	contents *catalog.Collection[domain.ViewContent]
	// managed are the views that AWS gives to every instance, by name, and index
	// has them for searches, by their places in managed, from 1.
	managed []managedView
	index   *search.Index
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Views {
	v := &Views{
		catalog:  c,
		views:    catalog.Register(c, viewKind),
		contents: catalog.Register(c, viewContentKind),
		managed:  managedViews(),
		index:    search.New(),
	}
	for n := range v.managed {
		v.index.Put(0, 0, v.managed[n].document(n+1))
	}
	return v
}
