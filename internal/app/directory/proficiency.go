package directory

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// proficiencyQuota: admin guide, "Amazon Connect service quotas".
const proficiencyQuota = 10

// roleProficiency is the role in which a user refers to the predefined
// attribute of a proficiency. It names the value, so that the store can tell
// whether a value is in use.
func roleProficiency(value string) store.Role { return store.Role("proficiency/" + value) }

// AssociateUserProficiencies adds proficiencies to a user.
func (d *Directory) AssociateUserProficiencies(ctx context.Context, in *connect.AssociateUserProficienciesInput) (*connect.AssociateUserProficienciesOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, d.users.Update(ctx, sc, *in.UserId, func(tx store.Tx, e *domain.User) error {
		for _, p := range in.UserProficiencies {
			a, err := d.attribute(ctx, tx, sc, *p.AttributeName)
			if err != nil {
				return err
			}
			if !slices.Contains(a.Value.Values, *p.AttributeValue) {
				return fault.New(fault.InvalidParameter, "UserProficiencies: %q is no value of the predefined attribute %q", *p.AttributeValue, a.Name)
			}
			e.Proficiencies = append(e.Proficiencies, domain.Proficiency{
				AttributeID: a.ID, Name: a.Name, Value: *p.AttributeValue, Level: *p.Level,
			})
		}
		if n := len(e.Proficiencies); d.catalog.Quotas() && n > proficiencyQuota {
			return fault.New(fault.LimitExceeded, "The user would have %d proficiencies, %d are allowed.", n, proficiencyQuota)
		}
		return nil
	})
}

// UpdateUserProficiencies gives proficiencies that a user has another level.
func (d *Directory) UpdateUserProficiencies(ctx context.Context, in *connect.UpdateUserProficienciesInput) (*connect.UpdateUserProficienciesOutput, error) {
	return nil, d.change(ctx, in.InstanceId, in.UserId, func(_ catalog.Scope, e *domain.User) error {
		for _, p := range in.UserProficiencies {
			at, err := proficiencyIndex(e, *p.AttributeName, *p.AttributeValue)
			if err != nil {
				return err
			}
			e.Proficiencies[at].Level = *p.Level
		}
		return nil
	})
}

// DisassociateUserProficiencies takes proficiencies from a user.
func (d *Directory) DisassociateUserProficiencies(ctx context.Context, in *connect.DisassociateUserProficienciesInput) (*connect.DisassociateUserProficienciesOutput, error) {
	return nil, d.change(ctx, in.InstanceId, in.UserId, func(_ catalog.Scope, e *domain.User) error {
		for _, p := range in.UserProficiencies {
			at, err := proficiencyIndex(e, *p.AttributeName, *p.AttributeValue)
			if err != nil {
				return err
			}
			e.Proficiencies = slices.Delete(e.Proficiencies, at, at+1)
		}
		return nil
	})
}

func proficiencyIndex(e *domain.User, name, value string) (int, error) {
	at := slices.IndexFunc(e.Proficiencies, func(p domain.Proficiency) bool { return p.Name == name && p.Value == value })
	if at < 0 {
		return 0, fault.New(fault.ResourceNotFound, "The user has no proficiency in %q, %q.", name, value)
	}
	return at, nil
}

// ListUserProficiencies lists the proficiencies of a user in the order in
// which they were added.
func (d *Directory) ListUserProficiencies(ctx context.Context, in *connect.ListUserProficienciesInput) (*connect.ListUserProficienciesOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := d.users.Get(ctx, sc, *in.UserId)
	if err != nil {
		return nil, err
	}
	page, next, err := catalog.Slice(sc, domain.KindUser, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, i.Value.Proficiencies)
	if err != nil {
		return nil, err
	}
	return &connect.ListUserProficienciesOutput{
		NextToken: next,
		UserProficiencyList: catalog.Map(page, func(p domain.Proficiency) types.UserProficiency {
			return types.UserProficiency{AttributeName: aws.String(p.Name), AttributeValue: aws.String(p.Value), Level: aws.Float32(p.Level)}
		}),
		LastModifiedRegion: aws.String(sc.Region),
		LastModifiedTime:   aws.Time(i.Modified),
	}, nil
}
