// Package testcases serves the records of test cases; running them is another
// matter.
//
// A test case has up to two contents, the published one and the one saved last,
// each a part of it (domain.TestCaseContent). So lists of test cases, and the
// memory that they are served from, carry no documents.
package testcases

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// TestCases serves the operations of this package.
type TestCases struct {
	catalog   *catalog.Catalog
	testCases *catalog.Collection[domain.TestCase]
	contents  *catalog.Collection[domain.TestCaseContent]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *TestCases {
	return &TestCases{
		catalog:   c,
		testCases: catalog.Register(c, testCaseKind),
		contents:  catalog.Register(c, testCaseContentKind),
	}
}
