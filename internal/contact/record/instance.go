// Package record writes what is told of contacts: contact events and contact
// records, in the form that AWS documents. It is pure: who tells them, and when, is
// internal/contact.
package record

import (
	"time"

	"ringdown/internal/domain"
)

// Instance is the instance of a contact.
type Instance struct {
	ID      domain.InstanceID
	Region  string
	Account string
}

// ARN is that of the instance.
func (i Instance) ARN() string { return i.of(domain.KindInstance, string(i.ID)) }

func (i Instance) of(kind domain.Kind, id string) string {
	return domain.ARN{Region: i.Region, Account: i.Account, Instance: i.ID, Kind: kind, ID: id}.String()
}

// Holds is how often and how long a customer was on hold.
type Holds struct {
	Count          int
	Total, Longest time.Duration
}
