package directory

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// structureName is the name of the one structure that an instance has.
const structureName = "structure"

var hierarchyStructureKind = catalog.Kind[domain.HierarchyStructure]{
	Of:     domain.KindHierarchyStructure,
	Name:   func(*domain.HierarchyStructure) string { return structureName },
	Check:  (*domain.HierarchyStructure).Check,
	NoTags: true,
}

// seedHierarchy gives a new instance a structure without levels, and the root
// of all groups to come.
func (d *Directory) seedHierarchy(ctx context.Context, tx store.Tx, sc catalog.Scope) error {
	if _, err := d.hierarchyStructures.Insert(ctx, tx, sc, &domain.HierarchyStructure{}, nil); err != nil {
		return err
	}
	_, err := d.hierarchyGroups.Insert(ctx, tx, sc, &domain.HierarchyGroup{Name: rootGroupName}, nil)
	return err
}

// DescribeUserHierarchyStructure returns the levels that are set; the others
// are absent.
func (d *Directory) DescribeUserHierarchyStructure(ctx context.Context, in *connect.DescribeUserHierarchyStructureInput) (*connect.DescribeUserHierarchyStructureOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := d.hierarchyStructures.GetByName(ctx, d.catalog.Store(), sc, structureName)
	if err != nil {
		return nil, err
	}
	out := new(types.HierarchyStructure)
	members := []**types.HierarchyLevel{&out.LevelOne, &out.LevelTwo, &out.LevelThree, &out.LevelFour, &out.LevelFive}
	for n, level := range i.Value.Levels {
		*members[n] = &types.HierarchyLevel{
			Id: aws.String(strconv.Itoa(n + 1)), Arn: aws.String(levelARN(sc, n+1)), Name: aws.String(level.Name),
			LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(level.Modified),
		}
	}
	return &connect.DescribeUserHierarchyStructureOutput{HierarchyStructure: out}, nil
}

// UpdateUserHierarchyStructure replaces the structure: a level that the
// request leaves out is removed, unless there are groups at it.
func (d *Directory) UpdateUserHierarchyStructure(ctx context.Context, in *connect.UpdateUserHierarchyStructureInput) (*connect.UpdateUserHierarchyStructureOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	names, err := levelNames(in.HierarchyStructure)
	if err != nil {
		return nil, err
	}
	return nil, d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := d.hierarchyStructures.GetByName(ctx, tx, sc, structureName)
		if err != nil {
			return err
		}
		return d.hierarchyStructures.Change(ctx, tx, sc, i.ID, func(e *domain.HierarchyStructure) error {
			if len(names) < len(e.Levels) {
				if err := d.levelsEmptyBelow(ctx, tx, sc, len(names)); err != nil {
					return err
				}
			}
			levels := make([]domain.HierarchyLevel, len(names))
			for n, name := range names {
				if n < len(e.Levels) && e.Levels[n].Name == name {
					levels[n] = e.Levels[n] // neither is its time of change a new one
					continue
				}
				levels[n] = domain.HierarchyLevel{Name: name, Modified: d.catalog.Now().UTC()}
			}
			e.Levels = levels
			return nil
		})
	})
}

// levelNames are the names of the levels of a request, from level one down.
// Levels without those above them make no hierarchy.
func levelNames(in *types.HierarchyStructureUpdate) ([]string, error) {
	var names []string
	for n, l := range []*types.HierarchyLevelUpdate{in.LevelOne, in.LevelTwo, in.LevelThree, in.LevelFour, in.LevelFive} {
		switch {
		case l == nil:
		case n > len(names):
			return nil, fault.New(fault.InvalidRequest, "HierarchyStructure: level %d must not be set without level %d", n+1, len(names)+1)
		default:
			names = append(names, *l.Name)
		}
	}
	return names, nil
}

// levelsEmptyBelow refuses when a level below the given one has groups.
func (d *Directory) levelsEmptyBelow(ctx context.Context, tx store.Tx, sc catalog.Scope, level int) error {
	groups, err := d.hierarchyGroups.All(ctx, tx, sc)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if at := g.Value.Level(); at > level {
			return fault.New(fault.ResourceInUse, "Level %d of the hierarchy cannot be removed: the group %s is at it.", at, g.ID).
				With("ResourceType", string(types.ResourceTypeHierarchyLevel)).
				With("ResourceId", levelARN(sc, at))
		}
	}
	return nil
}

// levelARN names a level, 1 to 5. A level's id is its number, which is what
// groups show as their LevelId.
func levelARN(sc catalog.Scope, level int) string {
	return sc.ARN(domain.KindHierarchyStructure, strconv.Itoa(level))
}
