// Package instance serves instances themselves and their attributes. A new
// instance is filled by the other packages, each with its own kinds of
// resources, in the same transaction: it is there with all that it holds, or
// not at all.
package instance

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// The quotas of an account in a region: admin guide, "Amazon Connect service
// quotas".
const instanceQuota = 2

// listPage is the page size of ListInstances when the request names none.
const listPage = 10

var instanceKind = catalog.Kind[domain.Instance]{
	Of:   domain.KindInstance,
	Name: func(e *domain.Instance) string { return e.Alias },
	// An alias is part of a host name, so it is unique whatever its case.
	Key:    func(e *domain.Instance) string { return strings.ToLower(e.Alias) },
	Region: func(e *domain.Instance) string { return e.Region },
}

// Seeder puts into a new instance what it holds of one package's kinds.
type Seeder interface {
	Seed(ctx context.Context, tx store.Tx, sc catalog.Scope) error
}

// Cleaner removes what there is of a deleted instance outside the store.
type Cleaner interface {
	Clean(ctx context.Context, sc catalog.Scope) error
}

// Leaver takes away what an instance has in the region of its replica.
type Leaver interface {
	Leave(ctx context.Context, tx store.Tx, sc catalog.Scope) error
}

// Others are what other packages do as instances come and go.
type Others struct {
	Seeders  []Seeder // in order: a later one may build on what an earlier one made
	Leavers  []Leaver // in order
	Cleaners []Cleaner
}

// Instances serves the operations of this package.
type Instances struct {
	catalog   *catalog.Catalog
	instances *catalog.Collection[domain.Instance]
	others    Others
}

// New registers the kind with the catalog.
func New(c *catalog.Catalog, others Others) *Instances {
	return &Instances{catalog: c, instances: catalog.Register(c, instanceKind), others: others}
}

// CreateInstance adds an instance. It is ACTIVE at once, where the real
// service takes a minute (docs/divergences.md).
func (s *Instances) CreateInstance(ctx context.Context, in *connect.CreateInstanceInput) (*connect.CreateInstanceOutput, error) {
	e := &domain.Instance{
		Region:       domain.CallerOf(ctx).Region,
		Alias:        aws.ToString(in.InstanceAlias),
		DirectoryID:  aws.ToString(in.DirectoryId),
		IdentityType: domain.IdentityManagementType(in.IdentityManagementType),
		RoleSuffix:   roleSuffix(),
		Attributes:   defaultAttributes(*in.InboundCallsEnabled, *in.OutboundCallsEnabled),
	}
	if err := checkNew(e); err != nil {
		return nil, err
	}
	root := s.catalog.RootScope(ctx)
	return catalog.OnceFor(ctx, s.catalog, root, "CreateInstance", in.ClientToken, in, func(tx store.Tx) (*connect.CreateInstanceOutput, store.PK, error) {
		if err := s.checkOthers(ctx, tx, root, e); err != nil {
			return nil, store.Root, err
		}
		made, err := s.instances.Insert(ctx, tx, root, e, in.Tags)
		if fault.Is(err, fault.DuplicateResource) {
			return nil, store.Root, aliasUsed().Wrap(err)
		}
		if err != nil {
			return nil, store.Root, err
		}
		sc := catalog.Scope{
			PK: made.PK(), ID: domain.InstanceID(made.ID), Region: root.Region, Home: root.Region, Account: root.Account, Identity: e.IdentityType,
		}
		for _, seeder := range s.others.Seeders {
			if err := seeder.Seed(ctx, tx, sc); err != nil {
				return nil, store.Root, err
			}
		}
		return &connect.CreateInstanceOutput{Id: aws.String(made.ID), Arn: aws.String(arn(root, made.ID))}, made.PK(), nil
	})
}

func aliasUsed() *fault.Error {
	return fault.New(fault.InvalidRequest, "Invalid Input. Instance alias is already used.")
}

// checkNew checks what the identity type demands of a new instance (AWS API
// reference, CreateInstance).
func checkNew(e *domain.Instance) error {
	switch {
	case e.IdentityType == domain.ExistingDirectory && e.DirectoryID == "":
		return fault.New(fault.InvalidRequest, "DirectoryId is required for the identity type EXISTING_DIRECTORY")
	case e.IdentityType != domain.ExistingDirectory && e.DirectoryID != "":
		return fault.New(fault.InvalidRequest, "DirectoryId must not be given for the identity type %s", e.IdentityType)
	case e.IdentityType != domain.ExistingDirectory && e.Alias == "":
		return fault.New(fault.InvalidRequest, "InstanceAlias is required for the identity type %s", e.IdentityType)
	default:
		return nil
	}
}

// checkOthers checks a new instance against those that exist: a directory
// serves one instance at a time, a replica has an alias of its own, and with
// quotas a region holds two.
func (s *Instances) checkOthers(ctx context.Context, tx store.Tx, root catalog.Scope, e *domain.Instance) error {
	if e.Alias != "" {
		_, err := tx.GetByName(ctx, store.Root, domain.KindInstanceReplica, instanceKind.Key(e))
		if err == nil {
			return aliasUsed()
		}
		if !fault.Is(err, fault.ResourceNotFound) {
			return err
		}
	}
	if e.DirectoryID == "" && !s.catalog.Quotas() {
		return nil
	}
	all, err := s.instances.All(ctx, tx, root)
	if err != nil {
		return err
	}
	inRegion := 0
	for _, other := range all {
		if e.DirectoryID != "" && other.Value.DirectoryID == e.DirectoryID {
			return fault.New(fault.InvalidRequest, "Directory %s is already in use by another instance", e.DirectoryID)
		}
		if other.Value.Region == e.Region {
			inRegion++
		}
	}
	if s.catalog.Quotas() && inRegion >= instanceQuota {
		return fault.New(fault.ServiceQuotaExceeded, "The account already has %d of %d instances in %s.", inRegion, instanceQuota, e.Region)
	}
	return s.countCreation(ctx, tx, root)
}

// DescribeInstance returns an instance.
func (s *Instances) DescribeInstance(ctx context.Context, in *connect.DescribeInstanceInput) (*connect.DescribeInstanceOutput, error) {
	i, err := s.find(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	root := s.catalog.RootScope(ctx)
	replica, err := s.catalog.ReplicaOf(ctx, s.catalog.Store(), domain.InstanceID(i.ID))
	if err != nil {
		return nil, err
	}
	sum := summary(root, i, replica)
	return &connect.DescribeInstanceOutput{ReplicationConfiguration: replication(i, replica), Instance: &types.Instance{
		Arn: sum.Arn, Id: sum.Id, CreatedTime: sum.CreatedTime,
		IdentityManagementType: sum.IdentityManagementType, InstanceAlias: sum.InstanceAlias,
		InstanceAccessUrl: sum.InstanceAccessUrl, InstanceStatus: sum.InstanceStatus, ServiceRole: sum.ServiceRole,
		InboundCallsEnabled: sum.InboundCallsEnabled, OutboundCallsEnabled: sum.OutboundCallsEnabled,
		Tags: i.TagMap(),
	}}, nil
}

// replication is what DescribeInstance shows of a replica, in both regions;
// nil when there is none. The URL for signing in through a traffic distribution
// group is absent: nothing is there to sign in to.
func replication(i *catalog.Item[domain.Instance], replica *domain.InstanceReplica) *types.ReplicationConfiguration {
	if replica == nil {
		return nil
	}
	return &types.ReplicationConfiguration{
		SourceRegion: aws.String(i.Value.Region),
		ReplicationStatusSummaryList: []types.ReplicationStatusSummary{{
			Region: aws.String(replica.Region), ReplicationStatus: types.InstanceReplicationStatusInstanceReplicationComplete,
		}},
	}
}

// ListInstances lists the instances of the region that the request is signed
// for, replicas among them.
func (s *Instances) ListInstances(ctx context.Context, in *connect.ListInstancesInput) (*connect.ListInstancesOutput, error) {
	root := s.catalog.RootScope(ctx)
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken, Default: listPage}
	replicas, err := s.catalog.Replicas(ctx, s.catalog.Store())
	if err != nil {
		return nil, err
	}
	found, next, err := s.instances.ListWhere(ctx, root, page, func(i *catalog.Item[domain.Instance]) bool {
		replica := replicas[domain.InstanceID(i.ID)]
		return i.Value.Region == root.Region || replica != nil && replica.Region == root.Region
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListInstancesOutput{
		NextToken: next,
		InstanceSummaryList: catalog.Map(found, func(i *catalog.Item[domain.Instance]) types.InstanceSummary {
			return summary(root, i, replicas[domain.InstanceID(i.ID)])
		}),
	}, nil
}

// DeleteInstance removes an instance with all that it holds and all that hangs
// on it: its phone numbers, its replica, its traffic distribution groups. In
// the region of a replica it removes the replica alone.
func (s *Instances) DeleteInstance(ctx context.Context, in *connect.DeleteInstanceInput) (*connect.DeleteInstanceOutput, error) {
	sc, err := s.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if sc.Region != sc.Home {
		return nil, s.catalog.Store().Update(ctx, func(tx store.Tx) error {
			for _, o := range s.others.Leavers {
				if err := o.Leave(ctx, tx, sc); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := s.instances.Delete(ctx, s.home(sc), *in.InstanceId, nil); err != nil {
		return nil, err
	}
	for _, o := range s.others.Cleaners {
		if err := o.Clean(ctx, sc); err != nil {
			// The instance is gone; what is left is the operator's to remove.
			s.catalog.Logger().ErrorContext(ctx, "what a deleted instance has left could not be removed", "instance", sc.ID, "error", err)
		}
	}
	return nil, nil
}

func (s *Instances) find(ctx context.Context, id *string) (*catalog.Item[domain.Instance], error) {
	sc, err := s.catalog.Scope(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.instances.Get(ctx, s.home(sc), *id)
}

// home is the place of an instance's record: the root, in the region of the
// instance itself.
func (s *Instances) home(sc catalog.Scope) catalog.Scope {
	return catalog.Scope{PK: store.Root, Region: sc.Home, Home: sc.Home, Account: sc.Account}
}

func arn(root catalog.Scope, id string) string {
	return domain.ARN{Region: root.Region, Account: root.Account, Kind: domain.KindInstance, ID: id}.String()
}

// summary is an instance in the region of root: itself or its replica.
func summary(root catalog.Scope, i *catalog.Item[domain.Instance], replica *domain.InstanceReplica) types.InstanceSummary {
	e := &i.Value
	alias := e.Alias
	if root.Region != e.Region {
		alias = replica.Alias
	}
	s := types.InstanceSummary{
		Arn:                    aws.String(arn(root, i.ID)),
		Id:                     aws.String(i.ID),
		CreatedTime:            aws.Time(i.Created),
		IdentityManagementType: types.DirectoryType(e.IdentityType),
		InstanceAlias:          catalog.Optional(alias),
		InstanceStatus:         types.InstanceStatusActive,
		ServiceRole: aws.String("arn:" + domain.Partition(e.Region) + ":iam::" + root.Account +
			":role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect_" + e.RoleSuffix),
		InboundCallsEnabled:  aws.Bool(e.Attributes[string(types.InstanceAttributeTypeInboundCalls)] == "true"),
		OutboundCallsEnabled: aws.Bool(e.Attributes[string(types.InstanceAttributeTypeOutboundCalls)] == "true"),
	}
	if alias != "" {
		s.InstanceAccessUrl = aws.String("https://" + alias + ".my.connect.aws")
	}
	return s
}
