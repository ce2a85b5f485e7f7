package email

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// addressQuota: admin guide, "Amazon Connect service quotas".
const addressQuota = 100

// roleAlias is the role in which an address refers to its alias.
const roleAlias store.Role = "email-address-alias"

var addressKind = catalog.Kind[domain.EmailAddress]{
	Of:   domain.KindEmailAddress,
	Name: func(e *domain.EmailAddress) string { return e.Address },
	// Mail finds its way whatever the case (docs/divergences.md).
	Key: func(e *domain.EmailAddress) string { return strings.ToLower(e.Address) },
	Refs: func(e *domain.EmailAddress) []catalog.Ref {
		if e.AliasID == "" {
			return nil
		}
		return []catalog.Ref{{Role: roleAlias, Kind: domain.KindEmailAddress, ID: string(e.AliasID)}}
	},
	Quota: addressQuota,
	Fields: catalog.Fields[domain.EmailAddress]{
		"emailAddress": catalog.TextField(func(e *domain.EmailAddress) string { return e.Address }),
		"displayName":  catalog.TextField(func(e *domain.EmailAddress) string { return e.DisplayName }),
		"description":  catalog.TextField(func(e *domain.EmailAddress) string { return e.Description }),
		"resourceID":   catalog.IDField[domain.EmailAddress](),
	},
}

type address = catalog.Item[domain.EmailAddress]

// CreateEmailAddress adds an address. Any domain will do: whether it is
// verified is for the service that carries the mail (docs/divergences.md).
func (m *Email) CreateEmailAddress(ctx context.Context, in *connect.CreateEmailAddressInput) (*connect.CreateEmailAddressOutput, error) {
	sc, err := m.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, m.catalog, sc, "CreateEmailAddress", in.ClientToken, in, func(tx store.Tx) (*connect.CreateEmailAddressOutput, error) {
		made, err := m.addresses.Insert(ctx, tx, sc, &domain.EmailAddress{
			Address: *in.EmailAddress, Description: aws.ToString(in.Description), DisplayName: aws.ToString(in.DisplayName),
		}, in.Tags)
		if err != nil {
			return nil, err
		}
		return &connect.CreateEmailAddressOutput{EmailAddressId: aws.String(made.ID), EmailAddressArn: made.ARN(sc)}, nil
	})
}

// DescribeEmailAddress returns an address with its alias.
func (m *Email) DescribeEmailAddress(ctx context.Context, in *connect.DescribeEmailAddressInput) (*connect.DescribeEmailAddressOutput, error) {
	sc, err := m.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := m.addresses.Get(ctx, sc, *in.EmailAddressId)
	if err != nil {
		return nil, err
	}
	a := metadata(sc, i)
	return &connect.DescribeEmailAddressOutput{
		EmailAddress: a.EmailAddress, EmailAddressArn: a.EmailAddressArn, EmailAddressId: a.EmailAddressId,
		Description: a.Description, DisplayName: a.DisplayName, AliasConfigurations: a.AliasConfigurations,
		CreateTimestamp: timestamp(i.Created), ModifiedTimestamp: timestamp(i.Modified), Tags: i.TagMap(),
	}, nil
}

// timestamp is a time as the members that are ISO 8601 texts have it.
func timestamp(t time.Time) *string { return aws.String(t.UTC().Format("2006-01-02T15:04:05.000Z")) }

// metadata is an address as a search shows it, which is without tags and times.
func metadata(sc catalog.Scope, i *address) types.EmailAddressMetadata {
	e := &i.Value
	m := types.EmailAddressMetadata{
		EmailAddress: aws.String(e.Address), EmailAddressArn: i.ARN(sc), EmailAddressId: aws.String(i.ID),
		Description: catalog.Optional(e.Description), DisplayName: catalog.Optional(e.DisplayName),
		AliasConfigurations: []types.AliasConfiguration{},
	}
	if e.AliasID != "" {
		m.AliasConfigurations = append(m.AliasConfigurations, types.AliasConfiguration{EmailAddressId: aws.String(string(e.AliasID))})
	}
	return m
}

// UpdateEmailAddressMetadata sets the description and the display name,
// whichever the request has; an empty one clears.
func (m *Email) UpdateEmailAddressMetadata(ctx context.Context, in *connect.UpdateEmailAddressMetadataInput) (*connect.UpdateEmailAddressMetadataOutput, error) {
	sc, err := m.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, m.catalog, sc, "UpdateEmailAddressMetadata", in.ClientToken, in, func(tx store.Tx) (*connect.UpdateEmailAddressMetadataOutput, error) {
		id, err := m.addresses.ID(sc, *in.EmailAddressId)
		if err != nil {
			return nil, err
		}
		err = m.addresses.Change(ctx, tx, sc, id, func(e *domain.EmailAddress) error {
			if in.Description != nil {
				e.Description = *in.Description
			}
			if in.DisplayName != nil {
				e.DisplayName = *in.DisplayName
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		return &connect.UpdateEmailAddressMetadataOutput{
			EmailAddressId: aws.String(id), EmailAddressArn: aws.String(sc.ARN(domain.KindEmailAddress, id)),
		}, nil
	})
}

// DeleteEmailAddress removes an address that no queue uses. An alias leaves
// the address that it forwards to (AWS API reference,
// AssociateEmailAddressAlias).
func (m *Email) DeleteEmailAddress(ctx context.Context, in *connect.DeleteEmailAddressInput) (*connect.DeleteEmailAddressOutput, error) {
	sc, err := m.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, m.addresses.Delete(ctx, sc, *in.EmailAddressId, func(tx store.Tx, i *address) error {
		primary, err := m.primaryOf(ctx, tx, i)
		if err != nil || primary == nil {
			return err
		}
		return m.addresses.Change(ctx, tx, sc, primary.ID, func(e *domain.EmailAddress) error {
			e.AliasID = ""
			return nil
		})
	})
}

// SearchEmailAddresses finds addresses by criteria and tags.
func (m *Email) SearchEmailAddresses(ctx context.Context, in *connect.SearchEmailAddressesInput) (*connect.SearchEmailAddressesOutput, error) {
	sc, err := m.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	q, err := catalog.NarrowByTags(m.criteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := m.addresses.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchEmailAddressesOutput{
		NextToken: next, ApproximateTotalCount: total,
		EmailAddresses: catalog.Map(found, func(i *address) types.EmailAddressMetadata { return metadata(sc, i) }),
	}, nil
}

func (m *Email) criteria(c *types.EmailAddressSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, m.criteria),
		Or:     catalog.Each(c.OrConditions, m.criteria),
		Leaves: []catalog.Leaf{m.addresses.String(c.StringCondition)},
	}
}

// primaryOf returns the address that an alias forwards to, nil when it is none.
func (m *Email) primaryOf(ctx context.Context, tx store.Tx, alias *address) (*address, error) {
	found, _, err := m.addresses.Referring(ctx, tx, catalog.Scope{}, alias.PK(), roleAlias, catalog.Page{})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// AssociateEmailAddressAlias makes one address forward to another. An address
// has one alias at most, and an alias none: ResourceConflictException.
func (m *Email) AssociateEmailAddressAlias(ctx context.Context, in *connect.AssociateEmailAddressAliasInput) (*connect.AssociateEmailAddressAliasOutput, error) {
	return nil, m.changeAlias(ctx, in.InstanceId, in.EmailAddressId, in.AliasConfiguration, "AssociateEmailAddressAlias", in.ClientToken, in, func(tx store.Tx, primary, alias *address) (domain.EmailAddressID, error) {
		switch {
		case primary.ID == alias.ID:
			return "", fault.New(fault.InvalidRequest, "An e-mail address cannot be its own alias")
		case primary.Value.AliasID != "":
			return "", fault.New(fault.ResourceConflict, "E-mail address %s already has an alias.", primary.ID)
		case alias.Value.AliasID != "":
			return "", fault.New(fault.ResourceConflict, "E-mail address %s has an alias of its own.", alias.ID)
		}
		for _, a := range []*address{primary, alias} {
			other, err := m.primaryOf(ctx, tx, a)
			if err != nil {
				return "", err
			}
			if other != nil {
				return "", fault.New(fault.ResourceConflict, "E-mail address %s already is an alias, of %s.", a.ID, other.ID)
			}
		}
		return domain.EmailAddressID(alias.ID), nil
	})
}

// DisassociateEmailAddressAlias ends the forwarding of an alias. One that the
// address does not have is a ResourceNotFoundException.
func (m *Email) DisassociateEmailAddressAlias(ctx context.Context, in *connect.DisassociateEmailAddressAliasInput) (*connect.DisassociateEmailAddressAliasOutput, error) {
	return nil, m.changeAlias(ctx, in.InstanceId, in.EmailAddressId, in.AliasConfiguration, "DisassociateEmailAddressAlias", in.ClientToken, in, func(_ store.Tx, primary, alias *address) (domain.EmailAddressID, error) {
		if string(primary.Value.AliasID) != alias.ID {
			return "", fault.New(fault.ResourceNotFound, "E-mail address %s is no alias of %s.", alias.ID, primary.ID)
		}
		return "", nil
	})
}

// changeAlias gives an address the alias that next decides on.
func (m *Email) changeAlias(ctx context.Context, instanceID, primaryID *string, alias *types.AliasConfiguration, operation string, token *string, in any, next func(tx store.Tx, primary, alias *address) (domain.EmailAddressID, error)) error {
	sc, err := m.catalog.Scope(ctx, instanceID)
	if err != nil {
		return err
	}
	_, err = catalog.Once(ctx, m.catalog, sc, operation, token, &in, func(tx store.Tx) (*struct{}, error) {
		primary, err := m.addresses.GetIn(ctx, tx, sc, *primaryID)
		if err != nil {
			return nil, err
		}
		other, err := m.addresses.GetIn(ctx, tx, sc, *alias.EmailAddressId)
		if err != nil {
			return nil, err
		}
		id, err := next(tx, primary, other)
		if err != nil {
			return nil, err
		}
		return &struct{}{}, m.addresses.Change(ctx, tx, sc, primary.ID, func(e *domain.EmailAddress) error {
			e.AliasID = id
			return nil
		})
	})
	return err
}
