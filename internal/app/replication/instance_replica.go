package replication

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// A replica's record has the id of its instance, so that an instance has one
// at most.
var replicaKind = catalog.Kind[domain.InstanceReplica]{
	Of:   domain.KindInstanceReplica,
	Name: func(e *domain.InstanceReplica) string { return e.Alias },
	Key:  func(e *domain.InstanceReplica) string { return strings.ToLower(e.Alias) },
	Refs: func(e *domain.InstanceReplica) []catalog.Ref {
		return []catalog.Ref{{Role: roleReplica, Kind: domain.KindInstance, ID: string(e.InstanceID)}}
	},
	GoesWith: []catalog.Tie{{Kind: domain.KindInstance, Role: roleReplica}},
	Region:   func(e *domain.InstanceReplica) string { return e.Region },
	NoTags:   true,
}

// linked are the regions whose instances can have a replica, and where (admin
// guide, "Create a replica of your existing Amazon Connect instance").
var linked = map[string]string{
	"us-east-1": "us-west-2", "us-west-2": "us-east-1",
	"eu-central-1": "eu-west-2", "eu-west-2": "eu-central-1",
	"ap-northeast-1": "ap-northeast-3", // Osaka's instances have none in Tokyo
}

// defaultGroupName is the name of the group that a replica comes with. It is
// not documented (docs/divergences.md).
const defaultGroupName = "Default traffic distribution group"

// ReplicateInstance gives an instance its replica, and the group that
// distributes traffic between them. Both are there at once, where the real
// service takes a while.
func (r *Replication) ReplicateInstance(ctx context.Context, in *connect.ReplicateInstanceInput) (*connect.ReplicateInstanceOutput, error) {
	sc, err := r.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	region := *in.ReplicaRegion
	switch {
	case sc.Region != sc.Home:
		return nil, fault.New(fault.InvalidRequest, "Instance %s is a replica: replicate it in %s, where it was created", sc.ID, sc.Home)
	case linked[sc.Region] == "":
		return nil, fault.New(fault.InvalidRequest, "An instance of %s cannot be replicated", sc.Region)
	case linked[sc.Region] != region:
		return nil, fault.New(fault.InvalidRequest, "ReplicaRegion must be %s for an instance of %s", linked[sc.Region], sc.Region)
	}
	return catalog.Once(ctx, r.catalog, sc, "ReplicateInstance", in.ClientToken, in, func(tx store.Tx) (*connect.ReplicateInstanceOutput, error) {
		root := r.catalog.RootScope(ctx)
		if before, err := r.catalog.ReplicaOf(ctx, tx, sc.ID); err != nil {
			return nil, err
		} else if before != nil {
			return nil, fault.New(fault.ResourceConflict, "Instance %s already has a replica in %s.", sc.ID, before.Region)
		}
		e := &domain.InstanceReplica{InstanceID: sc.ID, Region: region, Alias: *in.ReplicaAlias}
		if err := r.checkAlias(ctx, tx, e); err != nil {
			return nil, err
		}
		if _, err := r.replicas.InsertAs(ctx, tx, root, string(sc.ID), e, nil); err != nil {
			return nil, err
		}
		group := newGroup(sc, region, defaultGroupName)
		group.Default = true
		group.SignIn = []types.SignInDistribution{{Region: &sc.Region, Enabled: true}, {Region: &region}}
		if _, err := r.groups.Insert(ctx, tx, root, group, nil); err != nil {
			return nil, err
		}
		replica := sc
		replica.Region = region
		return &connect.ReplicateInstanceOutput{Id: aws.String(string(sc.ID)), Arn: aws.String(replica.ARN(domain.KindInstance, string(sc.ID)))}, nil
	})
}

// checkAlias refuses an alias that an instance or another replica has.
func (r *Replication) checkAlias(ctx context.Context, tx store.Tx, e *domain.InstanceReplica) error {
	for _, kind := range []domain.Kind{domain.KindInstance, domain.KindInstanceReplica} {
		_, err := tx.GetByName(ctx, store.Root, kind, replicaKind.Key(e))
		if err == nil {
			return fault.New(fault.ResourceConflict, "ReplicaAlias %s is already used.", e.Alias)
		}
		if !fault.Is(err, fault.ResourceNotFound) {
			return err
		}
	}
	return nil
}

// Leave removes the replica of an instance in the region of sc, with the group
// that came with it. Other groups must be gone: InvalidRequestException.
func (r *Replication) Leave(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	root := r.catalog.RootScope(ctx)
	groups, err := r.groups.AllParts(ctx, tx, root, string(sc.ID))
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(groups, func(i *group) bool { return !i.Value.Default }); i >= 0 {
		return fault.New(fault.InvalidRequest, "The replica is in use by the traffic distribution group %s. Delete that first.", groups[i].ID)
	}
	for _, i := range groups {
		home := root
		home.Region = i.Value.Region
		if err := r.groups.Remove(ctx, tx, home, i.ID, nil); err != nil {
			return err
		}
	}
	return r.replicas.Remove(ctx, tx, root, string(sc.ID), nil)
}
