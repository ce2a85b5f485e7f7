package directory

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// hierarchyGroupQuota: admin guide, "Amazon Connect service quotas".
const hierarchyGroupQuota = 500

// rootGroupName is what we call the group above level one. The service calls
// it "the foundation for building levels on top of an instance" and shows it
// in SearchUserHierarchyGroups alone, at level 0 (AWS API reference,
// SearchUserHierarchyGroups); its name is our guess (docs/divergences.md).
const rootGroupName = "Root"

// roleParent is the role in which a group refers to the one above it.
const roleParent store.Role = "parent"

// fieldAncestors is the index field with all groups above a group.
const fieldAncestors = "ancestors"

var hierarchyGroupKind = catalog.Kind[domain.HierarchyGroup]{
	Of:   domain.KindHierarchyGroup,
	Name: func(e *domain.HierarchyGroup) string { return e.Name },
	// Groups of one parent differ in name; those of different parents need not
	// (docs/divergences.md).
	Key: func(e *domain.HierarchyGroup) string { return groupKey(e.Parent(), e.Name) },
	Refs: func(e *domain.HierarchyGroup) []catalog.Ref {
		if e.IsRoot() {
			return nil
		}
		return []catalog.Ref{{Role: roleParent, Kind: domain.KindHierarchyGroup, ID: string(e.Parent())}}
	},
	Check: (*domain.HierarchyGroup).Check,
	Quota: hierarchyGroupQuota + 1, // the root is nobody's
	Fields: catalog.Fields[domain.HierarchyGroup]{
		"name": catalog.TextField(func(e *domain.HierarchyGroup) string { return e.Name }),
		"parentId": catalog.KeyField(func(e *domain.HierarchyGroup) []string {
			if e.IsRoot() {
				return nil
			}
			return []string{string(e.Parent())}
		}),
		"levelId":    catalog.KeyField(func(e *domain.HierarchyGroup) []string { return []string{levelID(e)} }),
		"resourceID": catalog.IDField[domain.HierarchyGroup](),
		// For the conditions of users:
		fieldAncestors: catalog.OtherField(func(e *domain.HierarchyGroup, d *search.Doc) {
			d.Keys[fieldAncestors] = strs(e.Ancestors)
		}),
	},
}

func groupKey(parent domain.HierarchyGroupID, name string) string { return string(parent) + "/" + name }

func levelID(e *domain.HierarchyGroup) string { return strconv.Itoa(e.Level()) }

// CreateUserHierarchyGroup adds a group below another one, or at level one
// when the request names no parent. The level must be part of the structure.
func (d *Directory) CreateUserHierarchyGroup(ctx context.Context, in *connect.CreateUserHierarchyGroupInput) (*connect.CreateUserHierarchyGroupOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var made *catalog.Item[domain.HierarchyGroup]
	err = d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		parent, err := d.parentGroup(ctx, tx, sc, aws.ToString(in.ParentGroupId))
		if err != nil {
			return err
		}
		e := &domain.HierarchyGroup{
			Name:      *in.Name,
			Ancestors: append(parent.Value.Ancestors, domain.HierarchyGroupID(parent.ID)),
		}
		structure, err := d.hierarchyStructures.GetByName(ctx, tx, sc, structureName)
		if err != nil {
			return err
		}
		if n := len(structure.Value.Levels); e.Level() > n {
			return fault.New(fault.InvalidRequest, "The group would be at level %d, the hierarchy structure has %d levels", e.Level(), n)
		}
		made, err = d.hierarchyGroups.Insert(ctx, tx, sc, e, in.Tags)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.CreateUserHierarchyGroupOutput{
		HierarchyGroupArn: aws.String(sc.ARN(domain.KindHierarchyGroup, made.ID)),
		HierarchyGroupId:  aws.String(made.ID),
	}, nil
}

// parentGroup finds the group that a request names as parent, the root when it
// names none.
func (d *Directory) parentGroup(ctx context.Context, tx store.Tx, sc catalog.Scope, idOrARN string) (*catalog.Item[domain.HierarchyGroup], error) {
	if idOrARN == "" {
		return d.hierarchyGroups.GetByName(ctx, tx, sc, groupKey("", rootGroupName))
	}
	return d.hierarchyGroups.GetIn(ctx, tx, sc, idOrARN)
}

// DescribeUserHierarchyGroup returns a group with its path.
func (d *Directory) DescribeUserHierarchyGroup(ctx context.Context, in *connect.DescribeUserHierarchyGroupInput) (*connect.DescribeUserHierarchyGroupOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := d.hierarchyGroups.Get(ctx, sc, *in.HierarchyGroupId)
	if err != nil {
		return nil, err
	}
	group, err := d.hierarchyGroup(ctx, sc, i, groupNames{})
	if err != nil {
		return nil, err
	}
	return &connect.DescribeUserHierarchyGroupOutput{HierarchyGroup: &group}, nil
}

// UpdateUserHierarchyGroupName renames a group.
func (d *Directory) UpdateUserHierarchyGroupName(ctx context.Context, in *connect.UpdateUserHierarchyGroupNameInput) (*connect.UpdateUserHierarchyGroupNameOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, d.hierarchyGroups.Update(ctx, sc, *in.HierarchyGroupId, func(_ store.Tx, e *domain.HierarchyGroup) error {
		if e.IsRoot() {
			return rootIsFixed()
		}
		e.Name = *in.Name
		return nil
	})
}

// DeleteUserHierarchyGroup removes a group that has neither users nor groups
// below it.
func (d *Directory) DeleteUserHierarchyGroup(ctx context.Context, in *connect.DeleteUserHierarchyGroupInput) (*connect.DeleteUserHierarchyGroupOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	err = d.hierarchyGroups.Delete(ctx, sc, *in.HierarchyGroupId, func(_ store.Tx, i *catalog.Item[domain.HierarchyGroup]) error {
		if i.Value.IsRoot() {
			return rootIsFixed()
		}
		return nil
	})
	if fault.Is(err, fault.ResourceInUse) {
		return nil, fault.From(err).With("ResourceType", string(types.ResourceTypeHierarchyGroup))
	}
	return nil, err
}

func rootIsFixed() error {
	return fault.New(fault.InvalidRequest, "The root of the hierarchy cannot be changed, deleted or given users")
}

// ListUserHierarchyGroups lists the groups of all levels, without the root.
func (d *Directory) ListUserHierarchyGroups(ctx context.Context, in *connect.ListUserHierarchyGroupsInput) (*connect.ListUserHierarchyGroupsOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := d.hierarchyGroups.ListWhere(ctx, sc, page, func(i *catalog.Item[domain.HierarchyGroup]) bool {
		return !i.Value.IsRoot()
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListUserHierarchyGroupsOutput{
		NextToken: next,
		UserHierarchyGroupSummaryList: catalog.Map(found, func(i *catalog.Item[domain.HierarchyGroup]) types.HierarchyGroupSummary {
			return types.HierarchyGroupSummary{
				Id: aws.String(i.ID), Arn: aws.String(sc.ARN(domain.KindHierarchyGroup, i.ID)), Name: aws.String(i.Name),
				LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}

// SearchUserHierarchyGroups finds groups by criteria and tags, the root among
// them.
func (d *Directory) SearchUserHierarchyGroups(ctx context.Context, in *connect.SearchUserHierarchyGroupsInput) (*connect.SearchUserHierarchyGroupsOutput, error) {
	sc, err := d.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneAttributeFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.AttributeFilter
	}
	q, err := catalog.NarrowByAttributes(d.hierarchyGroupCriteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := d.hierarchyGroups.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	out := &connect.SearchUserHierarchyGroupsOutput{
		UserHierarchyGroups:   make([]types.HierarchyGroup, 0, len(found)),
		NextToken:             next,
		ApproximateTotalCount: total,
	}
	names := groupNames{}
	for _, i := range found {
		group, err := d.hierarchyGroup(ctx, sc, i, names)
		switch {
		case fault.Is(err, fault.ResourceNotFound):
			// A group above it is gone, so it went first, since it was found.
		case err != nil:
			return nil, err
		default:
			out.UserHierarchyGroups = append(out.UserHierarchyGroups, group)
		}
	}
	return out, nil
}

func (d *Directory) hierarchyGroupCriteria(c *types.UserHierarchyGroupSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, d.hierarchyGroupCriteria),
		Or:     catalog.Each(c.OrConditions, d.hierarchyGroupCriteria),
		Leaves: []catalog.Leaf{d.hierarchyGroups.String(c.StringCondition)},
	}
}

// descendants are the ids of all groups below a group.
func (d *Directory) descendants(ctx context.Context, sc catalog.Scope, id string) ([]string, error) {
	q := search.Key{Field: fieldAncestors, Values: []string{id}}
	found, _, _, err := d.hierarchyGroups.Search(ctx, sc, q, catalog.Page{MaxResults: aws.Int32(math.MaxInt32)})
	return catalog.Map(found, func(i *catalog.Item[domain.HierarchyGroup]) string { return i.ID }), err
}

// groupNames are the names of groups that an answer has asked for already.
type groupNames map[domain.HierarchyGroupID]string

// hierarchyGroup is a group as operations show it. Its path holds the groups
// from level one down to the group itself.
func (d *Directory) hierarchyGroup(ctx context.Context, sc catalog.Scope, i *catalog.Item[domain.HierarchyGroup], names groupNames) (types.HierarchyGroup, error) {
	path := new(types.HierarchyPath)
	if !i.Value.IsRoot() {
		names[domain.HierarchyGroupID(i.ID)] = i.Name
		members := []**types.HierarchyGroupSummary{&path.LevelOne, &path.LevelTwo, &path.LevelThree, &path.LevelFour, &path.LevelFive}
		for n, id := range slices.Concat(i.Value.Ancestors[1:], []domain.HierarchyGroupID{domain.HierarchyGroupID(i.ID)}) {
			name, known := names[id]
			if !known {
				above, err := d.hierarchyGroups.Get(ctx, sc, string(id))
				if err != nil {
					return types.HierarchyGroup{}, err
				}
				name, names[id] = above.Name, above.Name
			}
			*members[n] = &types.HierarchyGroupSummary{
				Id: aws.String(string(id)), Arn: aws.String(sc.ARN(domain.KindHierarchyGroup, string(id))), Name: aws.String(name),
			}
		}
	}
	return types.HierarchyGroup{
		Id:                 aws.String(i.ID),
		Arn:                aws.String(sc.ARN(domain.KindHierarchyGroup, i.ID)),
		Name:               aws.String(i.Name),
		LevelId:            aws.String(levelID(&i.Value)),
		HierarchyPath:      path,
		LastModifiedRegion: aws.String(sc.Region),
		LastModifiedTime:   aws.Time(i.Modified),
		Tags:               i.TagMap(),
	}, nil
}
