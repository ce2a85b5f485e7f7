package server

import (
	"context"
	"fmt"

	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/numbering"
)

// destinations are the numbers that may be called. On a laptop that is every
// number; with quotas it is what AWS lets new instances call, unless the operator
// says which countries.
func (c *Config) destinations() (numbering.Destinations, error) {
	d, err := numbering.NewDestinations(c.Calls.Countries, c.Calls.BlockedPrefixes)
	if err != nil {
		return d, fmt.Errorf("calls: %w", err)
	}
	d.Regions = c.Quotas
	return d, nil
}

// contactCleaner ends the contacts of deleted instances.
type contactCleaner struct{ engine *contact.Manager }

// Clean ends what lives of an instance; what is stored of its contacts has gone
// with it.
func (c contactCleaner) Clean(_ context.Context, sc catalog.Scope) error {
	c.engine.EndAll(contact.Instance{PK: sc.PK, ID: sc.ID, Region: sc.Home, Account: sc.Account})
	return nil
}
