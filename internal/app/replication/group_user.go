package replication

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// An agent's place in a group is a part of the user, who is in one group at
// most, and goes with the group too.
var groupUserKind = catalog.Kind[domain.TrafficDistributionGroupUser]{
	Of:   domain.KindTrafficDistributionGroupUser,
	Name: func(*domain.TrafficDistributionGroupUser) string { return groupOfUser },
	Parent: &catalog.Parent[domain.TrafficDistributionGroupUser]{
		Kind: domain.KindUser, Role: roleGroupUser,
		ID: func(e *domain.TrafficDistributionGroupUser) string { return string(e.UserID) },
	},
	Refs: func(e *domain.TrafficDistributionGroupUser) []catalog.Ref {
		return []catalog.Ref{{Role: roleUserGroup, Kind: domain.KindTrafficDistributionGroup, ID: string(e.GroupID)}}
	},
	GoesWith: []catalog.Tie{{Kind: domain.KindTrafficDistributionGroup, Role: roleUserGroup}},
	NoTags:   true,
	Unlisted: true,
}

// groupOfUser is the name of a user's one place in a group.
const groupOfUser = "traffic-distribution-group"

type groupUser = catalog.Item[domain.TrafficDistributionGroupUser]

// userIn finds the group, instance and user of a request, and the user's place
// in a group, nil when there is none.
func (r *Replication) userIn(ctx context.Context, groupID, instanceID, userID *string, change func(tx store.Tx, sc catalog.Scope, g *group, user string, place *groupUser) error) error {
	sc, err := r.catalog.Scope(ctx, instanceID)
	if err != nil {
		return err
	}
	g, err := r.own(ctx, *groupID)
	if err != nil {
		return err
	}
	if g.Value.InstanceID != sc.ID {
		return fault.New(fault.ResourceNotFound, "Instance %s has no traffic distribution group %s.", sc.ID, g.ID)
	}
	user, err := catalog.ID(sc, domain.KindUser, *userID)
	if err != nil {
		return err
	}
	return r.catalog.Store().Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Resolve(ctx, sc.PK, domain.KindUser, user); err != nil {
			return err
		}
		place, err := r.groupUsers.PartNamed(ctx, tx, sc, user, groupOfUser)
		if err != nil && !fault.Is(err, fault.ResourceNotFound) {
			return err
		}
		return change(tx, sc, g, user, place)
	})
}

// AssociateTrafficDistributionGroupUser puts an agent into a group; one who is
// in it already stays. An agent of another group is a
// ResourceConflictException.
func (r *Replication) AssociateTrafficDistributionGroupUser(ctx context.Context, in *connect.AssociateTrafficDistributionGroupUserInput) (*connect.AssociateTrafficDistributionGroupUserOutput, error) {
	return nil, r.userIn(ctx, in.TrafficDistributionGroupId, in.InstanceId, in.UserId, func(tx store.Tx, sc catalog.Scope, g *group, user string, place *groupUser) error {
		id := domain.TrafficDistributionGroupID(g.ID)
		if place != nil {
			if place.Value.GroupID == id {
				return nil
			}
			return fault.New(fault.ResourceConflict, "User %s is in the traffic distribution group %s already.", user, place.Value.GroupID)
		}
		_, err := r.groupUsers.Insert(ctx, tx, sc, &domain.TrafficDistributionGroupUser{GroupID: id, UserID: domain.UserID(user)}, nil)
		return err
	})
}

// DisassociateTrafficDistributionGroupUser takes an agent out of a group; one
// who is not in it stays out.
func (r *Replication) DisassociateTrafficDistributionGroupUser(ctx context.Context, in *connect.DisassociateTrafficDistributionGroupUserInput) (*connect.DisassociateTrafficDistributionGroupUserOutput, error) {
	return nil, r.userIn(ctx, in.TrafficDistributionGroupId, in.InstanceId, in.UserId, func(tx store.Tx, sc catalog.Scope, g *group, _ string, place *groupUser) error {
		if place == nil || place.Value.GroupID != domain.TrafficDistributionGroupID(g.ID) {
			return nil
		}
		return r.groupUsers.Remove(ctx, tx, sc, place.ID, nil)
	})
}

// ListTrafficDistributionGroupUsers lists the agents of a group.
func (r *Replication) ListTrafficDistributionGroupUsers(ctx context.Context, in *connect.ListTrafficDistributionGroupUsersInput) (*connect.ListTrafficDistributionGroupUsersOutput, error) {
	g, err := r.find(ctx, *in.TrafficDistributionGroupId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken, Default: groupPage}
	found, next, err := r.groupUsers.Referring(ctx, r.catalog.Store(), r.catalog.RootScope(ctx), g.PK(), roleUserGroup, page)
	if err != nil {
		return nil, err
	}
	return &connect.ListTrafficDistributionGroupUsersOutput{
		NextToken: next,
		TrafficDistributionGroupUserSummaryList: catalog.Map(found, func(i *groupUser) types.TrafficDistributionGroupUserSummary {
			return types.TrafficDistributionGroupUserSummary{UserId: aws.String(string(i.Value.UserID))}
		}),
	}, nil
}
