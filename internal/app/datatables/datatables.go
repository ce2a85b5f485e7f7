// Package datatables serves data tables, their attributes and values.
package datatables

import "ringdown/internal/catalog"

// DataTables serves the operations of this package.
type DataTables struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *DataTables {
	return &DataTables{catalog: c}
}
