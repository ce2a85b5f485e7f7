// Package testcases serves the records of test cases; running them is another matter.
package testcases

import "ringdown/internal/catalog"

// TestCases serves the operations of this package.
type TestCases struct {
	catalog *catalog.Catalog
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *TestCases {
	return &TestCases{catalog: c}
}
