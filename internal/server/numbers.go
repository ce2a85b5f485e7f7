package server

import (
	"ringdown/internal/app/numbers"
	"ringdown/internal/numbering"
)

// stock is the phone numbers that can be claimed: those of the inventory or,
// without one, made up.
func (c *Config) stock() (numbers.Stock, error) {
	if len(c.Numbers) == 0 {
		return numbering.Stock{}, nil
	}
	entries := make([]numbering.Entry, len(c.Numbers))
	for i, n := range c.Numbers {
		entries[i] = numbering.Entry{Number: n.Number, Type: n.Type}
	}
	return numbering.NewInventory(entries)
}
