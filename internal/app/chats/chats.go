// Package chats serves what the owner of a contact centre does with chats: start
// them, invite bots, tie them to past ones, have them sent elsewhere, set their
// timeouts. What those who take part do is in internal/app/participants. Chats
// themselves are run by internal/contact.
package chats

import (
	"context"
	"sync"

	"ringdown/internal/catalog"
	"ringdown/internal/chat"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
)

// Others are what this package needs of the rest of the server.
type Others struct {
	Engine        *contact.Manager
	Configuration contact.Configuration
	Tokens        *chat.Tokens
}

// Chats serves the operations of this package.
type Chats struct {
	Others
	catalog *catalog.Catalog
	// counting is held from counting chats to starting one more, with quotas.
	counting sync.Mutex
}

// New returns what serves the operations. Nothing is registered with the catalog:
// contacts are no configuration.
func New(c *catalog.Catalog, others Others) *Chats {
	return &Chats{Others: others, catalog: c}
}

// instanceOf is an instance as the engine has it: in the region that it was
// created in, whichever region's replica the request addresses
// (docs/divergences.md).
func instanceOf(sc catalog.Scope) contact.Instance {
	return contact.Instance{PK: sc.PK, ID: sc.ID, Region: sc.Home, Account: sc.Account}
}

// addressed is the instance in the region of the request, in which ARNs name
// what is configured.
func addressed(sc catalog.Scope) contact.Instance {
	return contact.Instance{PK: sc.PK, ID: sc.ID, Region: sc.Region, Account: sc.Account}
}

// find is the instance and the bare id of the contact that a request names by id
// or ARN.
func (c *Chats) find(ctx context.Context, instanceID, contactID *string) (contact.Instance, string, error) {
	sc, err := c.catalog.Scope(ctx, instanceID)
	if err != nil {
		return contact.Instance{}, "", err
	}
	id, err := catalog.ID(sc, domain.KindContact, *contactID)
	return instanceOf(sc), id, err
}

// participantToken is the token of somebody who is to connect.
func (c *Chats) participantToken(in contact.Instance, id domain.ContactID, participant string) string {
	token, _ := c.Tokens.Issue(chat.Claims{
		Kind: chat.ParticipantToken, Instance: in.ID, Region: in.Region, Contact: id, Participant: participant,
	}, 0)
	return token
}
