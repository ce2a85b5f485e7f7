package contacts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
)

// GetContactAttributes returns the user-defined attributes of a contact, which
// are those of its whole chain: the id may be that of any of its contacts, not
// only of the first (docs/divergences.md).
func (c *Contacts) GetContactAttributes(ctx context.Context, in *connect.GetContactAttributesInput) (*connect.GetContactAttributesOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.InitialContactId)
	if err != nil {
		return nil, err
	}
	found, err := c.Engine.Read(ctx, instanceOf(sc), id)
	if err != nil {
		return nil, err
	}
	attributes, err := c.Engine.Attributes(ctx, instanceOf(sc), found.InitialID)
	if err != nil {
		return nil, err
	}
	return &connect.GetContactAttributesOutput{Attributes: attributes}, nil
}

// UpdateContactAttributes sets some attributes and leaves the others, of contacts
// that live as of those that have ended. An attribute is not removed but set to
// nothing (API reference, UpdateContactAttributes).
func (c *Contacts) UpdateContactAttributes(ctx context.Context, in *connect.UpdateContactAttributesInput) (*connect.UpdateContactAttributesOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.InitialContactId)
	if err != nil {
		return nil, err
	}
	if err := domain.CheckAttributes(in.Attributes, false); err != nil {
		return nil, err
	}
	return nil, c.Engine.Do(ctx, instanceOf(sc), id, func(t *contact.Transition) error {
		return t.SetAttributes(in.Attributes, false)
	})
}
