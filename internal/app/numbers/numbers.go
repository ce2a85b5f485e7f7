// Package numbers serves phone numbers. A number belongs to an account in a
// region, not to an instance: its record is one of the root scope and refers
// to the instance that its calls go to, with which it is released.
package numbers

import (
	"context"
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Stock is the numbers that there are.
type Stock interface {
	// Find returns the numbers of a country and type that begin with a prefix
	// and come after a number, in ascending order.
	Find(country types.PhoneNumberCountryCode, kind types.PhoneNumberType, prefix, after string) iter.Seq[domain.AvailableNumber]
	// Lookup returns a number, and whether there is one.
	Lookup(number string) (domain.AvailableNumber, bool)
	// Imported is the number behind an ARN of the service that it is imported
	// from, and whether there is one.
	Imported(arn string) (domain.AvailableNumber, bool)
}

// Groups finds traffic distribution groups.
type Groups interface {
	// GroupInstance returns the id of the group that an ARN names and the
	// instance whose calls it distributes, as the caller's region has it. An
	// unknown group is a ResourceNotFoundException.
	GroupInstance(ctx context.Context, arn string) (domain.TrafficDistributionGroupID, catalog.Scope, error)
}

// Numbers serves the operations of this package.
type Numbers struct {
	catalog      *catalog.Catalog
	stock        Stock
	groups       Groups
	phoneNumbers *catalog.Collection[domain.PhoneNumber]
}

// New registers the kind with the catalog.
func New(c *catalog.Catalog, stock Stock, groups Groups) *Numbers {
	return &Numbers{catalog: c, stock: stock, groups: groups, phoneNumbers: catalog.Register(c, phoneNumberKind)}
}
