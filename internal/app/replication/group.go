package replication

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

// groupPage is the page size of the lists of groups and of their users when the
// request names none; it is also the largest.
const groupPage = 10

var groupKind = catalog.Kind[domain.TrafficDistributionGroup]{
	Of:   domain.KindTrafficDistributionGroup,
	Name: func(e *domain.TrafficDistributionGroup) string { return e.Name },
	Parent: &catalog.Parent[domain.TrafficDistributionGroup]{
		Kind: domain.KindInstance, Role: roleGroupInstance,
		ID: func(e *domain.TrafficDistributionGroup) string { return string(e.InstanceID) },
	},
	Check:    (*domain.TrafficDistributionGroup).Check,
	Region:   func(e *domain.TrafficDistributionGroup) string { return e.Region },
	Instance: func(e *domain.TrafficDistributionGroup) domain.InstanceID { return e.InstanceID },
}

type group = catalog.Item[domain.TrafficDistributionGroup]

// newGroup is a group as it begins: everything in the instance's own region
// (docs/divergences.md).
func newGroup(sc catalog.Scope, replica, name string) *domain.TrafficDistributionGroup {
	all := []types.Distribution{{Region: &sc.Region, Percentage: 100}, {Region: &replica, Percentage: 0}}
	return &domain.TrafficDistributionGroup{
		Name: name, InstanceID: sc.ID, Region: sc.Region, Replica: replica, Telephony: all, Agents: all,
	}
}

// CreateTrafficDistributionGroup adds a group to an instance that has a
// replica. It is ACTIVE at once.
func (r *Replication) CreateTrafficDistributionGroup(ctx context.Context, in *connect.CreateTrafficDistributionGroupInput) (*connect.CreateTrafficDistributionGroupOutput, error) {
	sc, err := r.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if sc.Region != sc.Home {
		return nil, fault.New(fault.InvalidRequest, "A traffic distribution group is created in the region of the instance, %s", sc.Home)
	}
	return catalog.Once(ctx, r.catalog, sc, "CreateTrafficDistributionGroup", in.ClientToken, in, func(tx store.Tx) (*connect.CreateTrafficDistributionGroupOutput, error) {
		replica, err := r.catalog.ReplicaOf(ctx, tx, sc.ID)
		if err != nil {
			return nil, err
		}
		if replica == nil {
			return nil, fault.New(fault.InvalidRequest, "Instance %s has no replica: call ReplicateInstance first", sc.ID)
		}
		e := newGroup(sc, replica.Region, *in.Name)
		e.Description = aws.ToString(in.Description)
		made, err := r.groups.Insert(ctx, tx, r.catalog.RootScope(ctx), e, in.Tags)
		if err != nil {
			return nil, err
		}
		return &connect.CreateTrafficDistributionGroupOutput{Id: aws.String(made.ID), Arn: groupARN(r.catalog.RootScope(ctx), made)}, nil
	})
}

// find returns a group: from its own region by id or ARN, from that of the
// replica by ARN.
func (r *Replication) find(ctx context.Context, idOrARN string) (*group, error) {
	root := r.catalog.RootScope(ctx)
	if domain.IsARN(idOrARN) {
		arn, err := domain.ParseARN(idOrARN)
		if err != nil {
			return nil, err
		}
		root.Region = arn.Region
	}
	i, err := r.groups.Get(ctx, root, idOrARN)
	if err != nil {
		return nil, err
	}
	if !inRegion(i, domain.CallerOf(ctx).Region) {
		return nil, fault.New(fault.ResourceNotFound, "Traffic distribution group %s not found.", idOrARN)
	}
	return i, nil
}

// inRegion reports whether a region is one of the two of a group.
func inRegion(i *group, region string) bool {
	return i.Value.Region == region || i.Value.Replica == region
}

// own is find for what is done in the group's own region alone.
func (r *Replication) own(ctx context.Context, idOrARN string) (*group, error) {
	i, err := r.find(ctx, idOrARN)
	if err == nil && i.Value.Region != domain.CallerOf(ctx).Region {
		return nil, fault.New(fault.InvalidRequest, "This is done in the region of the traffic distribution group, %s", i.Value.Region)
	}
	return i, err
}

// GroupInstance returns the id of the group that an ARN names and the instance
// whose calls it distributes, as the caller's region has it.
func (r *Replication) GroupInstance(ctx context.Context, arn string) (domain.TrafficDistributionGroupID, catalog.Scope, error) {
	i, err := r.find(ctx, arn)
	if err != nil {
		return "", catalog.Scope{}, err
	}
	sc, err := r.catalog.Scope(ctx, aws.String(string(i.Value.InstanceID)))
	return domain.TrafficDistributionGroupID(i.ID), sc, err
}

// groupARN is the ARN of a group, in its own region whoever asks.
func groupARN(root catalog.Scope, i *group) *string {
	root.Region = i.Value.Region
	return aws.String(root.ARN(domain.KindTrafficDistributionGroup, i.ID))
}

func instanceARN(root catalog.Scope, i *group) *string {
	root.Region, root.ID = i.Value.Region, i.Value.InstanceID
	return aws.String(root.ARN(domain.KindInstance, string(root.ID)))
}

// DescribeTrafficDistributionGroup returns a group.
func (r *Replication) DescribeTrafficDistributionGroup(ctx context.Context, in *connect.DescribeTrafficDistributionGroupInput) (*connect.DescribeTrafficDistributionGroupOutput, error) {
	i, err := r.find(ctx, *in.TrafficDistributionGroupId)
	if err != nil {
		return nil, err
	}
	root := r.catalog.RootScope(ctx)
	return &connect.DescribeTrafficDistributionGroupOutput{TrafficDistributionGroup: &types.TrafficDistributionGroup{
		Arn: groupARN(root, i), Id: aws.String(i.ID), InstanceArn: instanceARN(root, i),
		Name: aws.String(i.Value.Name), Description: catalog.Optional(i.Value.Description),
		IsDefault: i.Value.Default, Status: types.TrafficDistributionGroupStatusActive, Tags: i.TagMap(),
	}}, nil
}

// ListTrafficDistributionGroups lists the groups of an instance, or of all
// instances in the caller's region: those of replicas too.
func (r *Replication) ListTrafficDistributionGroups(ctx context.Context, in *connect.ListTrafficDistributionGroupsInput) (*connect.ListTrafficDistributionGroupsOutput, error) {
	root := r.catalog.RootScope(ctx)
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken, Default: groupPage}
	keep := func(i *group) bool { return inRegion(i, root.Region) }
	if in.InstanceId != nil {
		sc, err := r.catalog.ScopeARN(ctx, in.InstanceId)
		if err != nil {
			return nil, err
		}
		keep = func(i *group) bool { return i.Value.InstanceID == sc.ID }
	}
	found, next, err := r.groups.ListWhere(ctx, root, page, keep)
	if err != nil {
		return nil, err
	}
	return &connect.ListTrafficDistributionGroupsOutput{
		NextToken: next,
		TrafficDistributionGroupSummaryList: catalog.Map(found, func(i *group) types.TrafficDistributionGroupSummary {
			return types.TrafficDistributionGroupSummary{
				Arn: groupARN(root, i), Id: aws.String(i.ID), InstanceArn: instanceARN(root, i),
				Name: aws.String(i.Value.Name), IsDefault: i.Value.Default, Status: types.TrafficDistributionGroupStatusActive,
			}
		}),
	}, nil
}

// DeleteTrafficDistributionGroup removes a group with its users; one that is
// not there is no error. The default group stays as long as the replica: it is
// an InvalidRequestException, and a group with phone numbers a
// ResourceInUseException (admin guide, "Delete traffic distribution groups").
func (r *Replication) DeleteTrafficDistributionGroup(ctx context.Context, in *connect.DeleteTrafficDistributionGroupInput) (*connect.DeleteTrafficDistributionGroupOutput, error) {
	i, err := r.own(ctx, *in.TrafficDistributionGroupId)
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if i.Value.Default {
		return nil, fault.New(fault.InvalidRequest, "The default traffic distribution group is deleted with the replica")
	}
	err = r.groups.Delete(ctx, r.catalog.RootScope(ctx), i.ID, nil)
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, nil // somebody else was faster
	}
	return nil, err
}

// GetTrafficDistribution returns how a group distributes.
func (r *Replication) GetTrafficDistribution(ctx context.Context, in *connect.GetTrafficDistributionInput) (*connect.GetTrafficDistributionOutput, error) {
	i, err := r.find(ctx, *in.Id)
	if err != nil {
		return nil, err
	}
	e := &i.Value
	out := &connect.GetTrafficDistributionOutput{
		Id: aws.String(i.ID), Arn: groupARN(r.catalog.RootScope(ctx), i),
		TelephonyConfig: &types.TelephonyConfig{Distributions: e.Telephony},
		AgentConfig:     &types.AgentConfig{Distributions: e.Agents},
	}
	if e.Default {
		out.SignInConfig = &types.SignInConfig{Distributions: e.SignIn}
	}
	return out, nil
}

// UpdateTrafficDistribution changes what the request has of telephony, agents
// and sign-ins, each for both regions. Sign-ins are those of the default group.
func (r *Replication) UpdateTrafficDistribution(ctx context.Context, in *connect.UpdateTrafficDistributionInput) (*connect.UpdateTrafficDistributionOutput, error) {
	i, err := r.find(ctx, *in.Id)
	if err != nil {
		return nil, err
	}
	if in.TelephonyConfig == nil && in.AgentConfig == nil && in.SignInConfig == nil {
		return nil, fault.New(fault.InvalidRequest, "One of TelephonyConfig, AgentConfig and SignInConfig is required")
	}
	if in.SignInConfig != nil && !i.Value.Default {
		return nil, fault.New(fault.InvalidRequest, "SignInConfig can be changed on the default traffic distribution group only")
	}
	home := r.catalog.RootScope(ctx)
	home.Region = i.Value.Region
	return nil, r.groups.Update(ctx, home, i.ID, func(_ store.Tx, e *domain.TrafficDistributionGroup) error {
		if in.TelephonyConfig != nil {
			e.Telephony = slices.Clone(in.TelephonyConfig.Distributions)
		}
		if in.AgentConfig != nil {
			e.Agents = slices.Clone(in.AgentConfig.Distributions)
		}
		if in.SignInConfig != nil {
			e.SignIn = slices.Clone(in.SignInConfig.Distributions)
		}
		return nil
	})
}
