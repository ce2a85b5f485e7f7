package domain

import (
	"unicode/utf8"

	"ringdown/internal/fault"
)

// maxGroupName: AWS API reference, CreateUserHierarchyGroup.
const maxGroupName = 100

// HierarchyGroup is a place in the hierarchy that users can belong to. A group
// stays where it was made: no operation moves it.
type HierarchyGroup struct {
	Name string
	// Ancestors are the groups above, from the root down to the parent. The
	// root, which every instance has and nobody defines, has none.
	Ancestors []HierarchyGroupID `json:",omitempty"`
}

// Level is the level of the group: 1 to MaxHierarchyLevels, 0 for the root.
func (g *HierarchyGroup) Level() int { return len(g.Ancestors) }

// IsRoot tells the root from the groups that users define.
func (g *HierarchyGroup) IsRoot() bool { return len(g.Ancestors) == 0 }

// Parent is the group above, empty for the root.
func (g *HierarchyGroup) Parent() HierarchyGroupID {
	if g.IsRoot() {
		return ""
	}
	return g.Ancestors[len(g.Ancestors)-1]
}

// Check checks the rules of a group that need nothing but itself.
func (g *HierarchyGroup) Check() error {
	if n := utf8.RuneCountInString(g.Name); n < 1 || n > maxGroupName {
		return fault.New(fault.InvalidParameter, "Name must have 1 to %d characters, it has %d", maxGroupName, n)
	}
	return nil
}
