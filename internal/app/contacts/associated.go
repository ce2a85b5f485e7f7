package contacts

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// associatedPage is the page size of ListAssociatedContacts when the request
// names none (API reference, ListAssociatedContacts).
const associatedPage = 25

// ListAssociatedContacts lists the tree that a contact belongs to: everything
// that its root has led to by transfers, links and relations, the contact itself
// included, in the order in which they began.
func (c *Contacts) ListAssociatedContacts(ctx context.Context, in *connect.ListAssociatedContactsInput) (*connect.ListAssociatedContactsOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	found, err := c.Engine.Read(ctx, instanceOf(sc), id)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken, Default: associatedPage}
	list, next, err := catalog.Sequence(sc, domain.KindContact, page,
		func(after string) iter.Seq2[*domain.Contact, error] {
			return c.run(ctx, c.catalog.Store(), store.ContactQuery{Instance: sc.PK, Association: string(found.AssociationID), After: after})
		},
		func(e *domain.Contact) string { return string(e.ID) })
	if err != nil {
		return nil, err
	}
	return &connect.ListAssociatedContactsOutput{NextToken: next, ContactSummaryList: catalog.Map(list, func(e *domain.Contact) types.AssociatedContactSummary {
		return types.AssociatedContactSummary{
			ContactArn: aws.String(sc.ARN(domain.KindContact, string(e.ID))), ContactId: idOf(e.ID), Channel: e.Channel, InitiationMethod: e.Method,
			InitialContactId: initial(e), PreviousContactId: idOf(e.PreviousID), RelatedContactId: idOf(e.RelatedID),
			InitiationTimestamp: timeOf(e.InitiatedAt), DisconnectTimestamp: timeOf(e.DisconnectedAt),
		}
	})}, nil
}

// batch is how many contacts are read at once.
const batch = 500

// run reads the contacts of a query, however many, a batch at a time.
func (c *Contacts) run(ctx context.Context, rd store.Reader, q store.ContactQuery) iter.Seq2[*domain.Contact, error] {
	return func(yield func(*domain.Contact, error) bool) {
		q.Limit = batch
		for {
			rows, err := rd.Contacts(ctx, q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, row := range rows {
				e, err := decode(row)
				if !yield(e, err) || err != nil {
					return
				}
			}
			if len(rows) < batch {
				return
			}
			q.After = rows[len(rows)-1].ID
		}
	}
}

func decode(row *store.Contact) (*domain.Contact, error) {
	e := new(domain.Contact)
	if err := json.Unmarshal(row.Doc, e); err != nil {
		return nil, fmt.Errorf("contact %s: %w", row.ID, err)
	}
	return e, nil
}
