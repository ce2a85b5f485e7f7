// Package contacts serves what clients do with contacts: start calls and tasks,
// look at them, change and stop them. It holds no contact itself: internal/contact
// runs those that live and is the only writer of all, so every operation here is
// a look-up of what is configured, a rule of the API, and a request to the engine.
package contacts

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Instances knows what an instance may do.
type Instances interface {
	// Enabled reports whether an attribute of an instance is on.
	Enabled(ctx context.Context, sc catalog.Scope, attribute types.InstanceAttributeType) (bool, error)
}

// Numbers knows which phone numbers are claimed.
type Numbers interface {
	// Claimed reports whether a number, E.164, is claimed by an instance.
	Claimed(ctx context.Context, sc catalog.Scope, number string) (bool, error)
	// Called finds a claimed number, E.164, whichever instance its calls go to; an
	// unclaimed one is a ResourceNotFoundException.
	Called(ctx context.Context, number string) (*domain.PhoneNumber, error)
}

// QuickConnects finds quick connects; an unknown one is a
// ResourceNotFoundException.
type QuickConnects interface {
	QuickConnect(ctx context.Context, sc catalog.Scope, idOrARN string) (*catalog.Item[domain.QuickConnect], error)
}

// Attributes knows the predefined attributes of an instance.
type Attributes interface {
	HasPredefinedAttribute(ctx context.Context, sc catalog.Scope, name string) (bool, error)
}

// Destinations knows where calls may go.
type Destinations interface {
	// Refused says why a number, E.164, may not be called from a region, "" when
	// it may. What follows "to" in a sentence: "numbers in CH".
	Refused(region, number string) string
}

// Others are what this package needs of the rest of the server.
type Others struct {
	Engine        *contact.Manager
	Configuration contact.Configuration
	Instances     Instances
	Numbers       Numbers
	QuickConnects QuickConnects
	Predefined    Attributes
	Destinations  Destinations
}

// Contacts serves the operations of this package.
type Contacts struct {
	Others
	catalog *catalog.Catalog
	// counting is held from counting contacts to starting one more, with quotas.
	counting sync.Mutex
}

// New returns what serves the operations. Nothing is registered with the catalog:
// contacts are no configuration.
func New(c *catalog.Catalog, others Others) *Contacts {
	return &Contacts{Others: others, catalog: c}
}

// instanceOf is an instance as the engine has it. A contact is one of the region
// that its instance was created in, whichever region's replica the request
// addresses (docs/divergences.md).
func instanceOf(sc catalog.Scope) contact.Instance {
	return contact.Instance{PK: sc.PK, ID: sc.ID, Region: sc.Home, Account: sc.Account}
}

// addressed is the instance in the region of the request, in which ARNs name
// what is configured.
func addressed(sc catalog.Scope) contact.Instance {
	return contact.Instance{PK: sc.PK, ID: sc.ID, Region: sc.Region, Account: sc.Account}
}

// now is the time as contacts have it.
func (c *Contacts) now() time.Time { return c.catalog.Now().UTC().Truncate(time.Microsecond) }

// find is the instance and the bare id of the contact that a request names by id
// or ARN.
func (c *Contacts) find(ctx context.Context, instanceID, contactID *string) (catalog.Scope, string, error) {
	sc, err := c.catalog.Scope(ctx, instanceID)
	if err != nil {
		return sc, "", err
	}
	id, err := catalog.ID(sc, domain.KindContact, *contactID)
	return sc, id, err
}

// known is another contact that a request names, which must exist; nil when it
// names none.
func (c *Contacts) known(ctx context.Context, sc catalog.Scope, contactID *string) (*domain.Contact, error) {
	if contactID == nil || *contactID == "" {
		return nil, nil
	}
	id, err := catalog.ID(sc, domain.KindContact, *contactID)
	if err != nil {
		return nil, err
	}
	return c.Engine.Read(ctx, instanceOf(sc), id)
}

// relate notes the contact that a new one is related to, if a request names one.
func (c *Contacts) relate(ctx context.Context, sc catalog.Scope, contactID *string, to *domain.Contact) error {
	related, err := c.known(ctx, sc, contactID)
	if related != nil {
		to.RelatedID = related.ID
	}
	return err
}

// started is what is remembered of a request that started a contact.
type started struct{ ID domain.ContactID }

// start makes a contact, unless an earlier request with the same client token
// has: then the answer is that one's contact. Check, which may be nil, runs in
// the same transaction.
func start[In any](ctx context.Context, c *Contacts, sc catalog.Scope, operation string, token *string, in *In, spec contact.Spec, check func(tx store.Tx) error) (string, error) {
	spec.Instance = instanceOf(sc)
	b := c.Engine.New(spec)
	out, err := catalog.Once(ctx, c.catalog, sc, operation, token, in, func(tx store.Tx) (*started, error) {
		if check != nil {
			if err := check(tx); err != nil {
				return nil, err
			}
		}
		if err := b.Insert(ctx, tx); err != nil {
			return nil, err
		}
		return &started{b.ID()}, nil
	})
	if err != nil {
		return "", err
	}
	if out.ID == b.ID() {
		b.Begin()
	}
	return string(out.ID), nil
}

// within refuses one contact more than an instance may have of a channel, with
// quotas. What it returns is called once the contact is started. Only contacts
// of this server are counted: several on one database have as many each.
func (c *Contacts) within(sc catalog.Scope, channel types.Channel, quota int, code fault.Code) (done func(), err error) {
	if !c.catalog.Quotas() {
		return func() {}, nil
	}
	c.counting.Lock()
	if n := c.Engine.Count(instanceOf(sc), channel); n >= quota {
		c.counting.Unlock()
		return nil, fault.New(code, "The instance already has %d of %d active contacts of the channel %s.", n, quota, channel)
	}
	return c.counting.Unlock, nil
}
