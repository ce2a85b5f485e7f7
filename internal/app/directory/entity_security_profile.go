package directory

import (
	"context"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// roleEntityProfile is the role in which an entity of another service refers
// to its security profiles.
const roleEntityProfile store.Role = "entity-security-profile"

// maxEntityProfiles is how many security profiles a user may have (AWS API
// reference, UpdateUserSecurityProfiles); other entities may have as many.
const maxEntityProfiles = 10

// aiAgentARN is the form of an AI agent's ARN (AWS API reference, AIAgentData,
// with or without a version). Whether the agent exists is not for this
// service to know.
var aiAgentARN = regexp.MustCompile(`^arn:aws[a-z-]*:wisdom:[a-z0-9-]+:[0-9]{12}:ai-agent/[^/:]+/[^/:]+(:[^/:]+)?$`)

var entitySecurityProfilesKind = catalog.Kind[domain.EntitySecurityProfiles]{
	Of:   domain.KindEntitySecurityProfiles,
	Name: func(e *domain.EntitySecurityProfiles) string { return e.EntityARN },
	Refs: func(e *domain.EntitySecurityProfiles) []catalog.Ref {
		return catalog.Map(e.SecurityProfileIDs, func(id domain.SecurityProfileID) catalog.Ref {
			return catalog.Ref{Role: roleEntityProfile, Kind: domain.KindSecurityProfile, ID: string(id)}
		})
	},
	NoTags:   true,
	Unlisted: true,
}

// entityProfiles changes the security profiles of an entity: change is given
// what it has and returns what it shall have.
func (d *Directory) entityProfiles(ctx context.Context, sc catalog.Scope, entity types.EntityType, arn string, change func([]domain.SecurityProfileID) ([]domain.SecurityProfileID, error)) error {
	if err := checkEntity(entity, arn); err != nil {
		return err
	}
	if entity == types.EntityTypeUser {
		return d.users.Update(ctx, sc, arn, func(_ store.Tx, e *domain.User) error {
			ids, err := change(e.SecurityProfileIDs)
			if err != nil {
				return err
			}
			if len(ids) == 0 {
				return fault.New(fault.InvalidRequest, "A user must keep at least one security profile")
			}
			e.SecurityProfileIDs = ids
			return nil
		})
	}
	return d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		had, err := d.entitySecurityProfiles.GetByName(ctx, tx, sc, arn)
		if fault.Is(err, fault.ResourceNotFound) {
			ids, err := change(nil)
			if err != nil {
				return err
			}
			_, err = d.entitySecurityProfiles.Insert(ctx, tx, sc, &domain.EntitySecurityProfiles{EntityARN: arn, SecurityProfileIDs: ids}, nil)
			return err
		}
		if err != nil {
			return err
		}
		ids, err := change(had.Value.SecurityProfileIDs)
		switch {
		case err != nil:
			return err
		case len(ids) == 0:
			return d.entitySecurityProfiles.Remove(ctx, tx, sc, had.ID, nil)
		default:
			return d.entitySecurityProfiles.Change(ctx, tx, sc, had.ID, func(e *domain.EntitySecurityProfiles) error {
				e.SecurityProfileIDs = ids
				return nil
			})
		}
	})
}

// checkEntity checks that an ARN is one of an entity of the type.
func checkEntity(entity types.EntityType, arn string) error {
	if entity == types.EntityTypeAiAgent && !aiAgentARN.MatchString(arn) {
		return fault.New(fault.InvalidParameter, "EntityArn must be the ARN of an AI agent")
	}
	if entity == types.EntityTypeUser && !domain.IsARN(arn) {
		return fault.New(fault.InvalidParameter, "EntityArn must be the ARN of a user")
	}
	return nil
}

// itemIDs are the ids of the profiles that a request names.
func itemIDs(sc catalog.Scope, items []types.SecurityProfileItem) ([]domain.SecurityProfileID, error) {
	ids := make([]domain.SecurityProfileID, len(items))
	for i, item := range items {
		if aws.ToString(item.Id) == "" {
			return nil, fault.New(fault.InvalidParameter, "SecurityProfiles[%d].Id is required", i)
		}
		id, err := catalog.ID(sc, domain.KindSecurityProfile, *item.Id)
		if err != nil {
			return nil, err
		}
		ids[i] = domain.SecurityProfileID(id)
	}
	return distinct(ids), nil
}

// AssociateSecurityProfiles gives an entity more security profiles. It is for
// AI agents, and does for a user what UpdateUserSecurityProfiles does. One that
// the entity has already is a ResourceConflictException, which the operation
// declares without saying when (docs/divergences.md).
func (d *Directory) AssociateSecurityProfiles(ctx context.Context, in *connect.AssociateSecurityProfilesInput) (*connect.AssociateSecurityProfilesOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	more, err := itemIDs(sc, in.SecurityProfiles)
	if err != nil {
		return nil, err
	}
	return nil, d.entityProfiles(ctx, sc, in.EntityType, *in.EntityArn, func(has []domain.SecurityProfileID) ([]domain.SecurityProfileID, error) {
		for _, id := range more {
			if slices.Contains(has, id) {
				return nil, fault.New(fault.ResourceConflict, "The entity has the security profile %s already.", id)
			}
		}
		if n := len(has) + len(more); n > maxEntityProfiles {
			return nil, fault.New(fault.InvalidRequest, "An entity may have at most %d security profiles, it would have %d", maxEntityProfiles, n)
		}
		return slices.Concat(has, more), nil
	})
}

// DisassociateSecurityProfiles takes security profiles from an entity. One
// that it does not have is a ResourceNotFoundException; a user keeps at least
// one.
func (d *Directory) DisassociateSecurityProfiles(ctx context.Context, in *connect.DisassociateSecurityProfilesInput) (*connect.DisassociateSecurityProfilesOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	less, err := itemIDs(sc, in.SecurityProfiles)
	if err != nil {
		return nil, err
	}
	return nil, d.entityProfiles(ctx, sc, in.EntityType, *in.EntityArn, func(has []domain.SecurityProfileID) ([]domain.SecurityProfileID, error) {
		for _, id := range less {
			if !slices.Contains(has, id) {
				return nil, fault.New(fault.ResourceNotFound, "The entity does not have the security profile %s.", id)
			}
		}
		return slices.DeleteFunc(slices.Clone(has), func(id domain.SecurityProfileID) bool { return slices.Contains(less, id) }), nil
	})
}

// ListEntitySecurityProfiles lists the security profiles of an entity. An AI
// agent that was never given any has none.
func (d *Directory) ListEntitySecurityProfiles(ctx context.Context, in *connect.ListEntitySecurityProfilesInput) (*connect.ListEntitySecurityProfilesOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	ids, err := d.profilesOf(ctx, sc, in.EntityType, *in.EntityArn)
	if err != nil {
		return nil, err
	}
	page, next, err := catalog.Slice(sc, domain.KindEntitySecurityProfiles, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, ids)
	if err != nil {
		return nil, err
	}
	return &connect.ListEntitySecurityProfilesOutput{
		NextToken: next,
		SecurityProfiles: catalog.Map(page, func(id domain.SecurityProfileID) types.SecurityProfileItem {
			return types.SecurityProfileItem{Id: aws.String(string(id))}
		}),
	}, nil
}

func (d *Directory) profilesOf(ctx context.Context, sc catalog.Scope, entity types.EntityType, arn string) ([]domain.SecurityProfileID, error) {
	if err := checkEntity(entity, arn); err != nil {
		return nil, err
	}
	if entity == types.EntityTypeUser {
		i, err := d.users.Get(ctx, sc, arn)
		if err != nil {
			return nil, err
		}
		return i.Value.SecurityProfileIDs, nil
	}
	i, err := d.entitySecurityProfiles.GetByName(ctx, d.catalog.Store(), sc, arn)
	switch {
	case fault.Is(err, fault.ResourceNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	default:
		return i.Value.SecurityProfileIDs, nil
	}
}
