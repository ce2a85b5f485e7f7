package domain

import (
	"time"
	"unicode/utf8"

	"ringdown/internal/fault"
)

// MaxHierarchyLevels is how deep a hierarchy may be (administrator guide, "Set
// up agent hierarchies").
const MaxHierarchyLevels = 5

// maxLevelName: AWS API reference, HierarchyLevelUpdate.
const maxLevelName = 50

// HierarchyStructure names the levels of an instance's hierarchy. Every
// instance has one, at first without levels.
type HierarchyStructure struct {
	Levels []HierarchyLevel `json:",omitempty"` // from level one down
}

// HierarchyLevel is one level: all regions, or all teams.
type HierarchyLevel struct {
	Name     string
	Modified time.Time
}

// Check checks the rules of the structure.
func (s *HierarchyStructure) Check() error {
	if len(s.Levels) > MaxHierarchyLevels {
		return fault.New(fault.InvalidParameter, "HierarchyStructure may have at most %d levels", MaxHierarchyLevels)
	}
	for i, l := range s.Levels {
		if n := utf8.RuneCountInString(l.Name); n < 1 || n > maxLevelName {
			return fault.New(fault.InvalidParameter, "HierarchyStructure: the Name of level %d must have 1 to %d characters, it has %d", i+1, maxLevelName, n)
		}
	}
	return nil
}
