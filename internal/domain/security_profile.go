package domain

import (
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// SecurityProfile is what its users may do in the instance.
type SecurityProfile struct {
	Name        string
	Description string `json:",omitempty"`
	// Default is true for the profiles that came with the instance.
	Default     bool     `json:",omitempty"`
	Permissions []string `json:",omitempty"` // sorted, each once

	// What the profile's users may touch: resources of these types with these
	// tags, and of these types within this part of the hierarchy.
	AllowedAccessControlTags             map[string]string `json:",omitempty"`
	TagRestrictedResources               []string          `json:",omitempty"`
	AllowedAccessControlHierarchyGroupID HierarchyGroupID  `json:",omitempty"`
	HierarchyRestrictedResources         []string          `json:",omitempty"`

	GranularAccessControlConfiguration *types.GranularAccessControlConfiguration `json:",omitempty"`

	Applications       []types.Application `json:",omitempty"`
	AllowedFlowModules []types.FlowModule  `json:",omitempty"`
}

// The only resource that a profile can restrict by hierarchy, and the only
// permission on an application of a third party (AWS API reference,
// CreateSecurityProfile and Application).
const (
	hierarchyRestrictable = "User"
	applicationAccess     = "ACCESS"
)

// Check checks the rules of a profile that need nothing but itself.
func (p *SecurityProfile) Check() error {
	for i, name := range p.HierarchyRestrictedResources {
		if name != hierarchyRestrictable {
			return fault.New(fault.InvalidParameter, "HierarchyRestrictedResources[%d] must be %s", i, hierarchyRestrictable)
		}
	}
	for i, a := range p.Applications {
		if a.Namespace == nil {
			return fault.New(fault.InvalidParameter, "Applications[%d].Namespace is required", i)
		}
		if a.Type == types.ApplicationTypeMcp {
			continue // the permissions are the names of the server's own tools
		}
		for j, permission := range a.ApplicationPermissions {
			if permission != applicationAccess {
				return fault.New(fault.InvalidParameter, "Applications[%d].ApplicationPermissions[%d] must be %s", i, j, applicationAccess)
			}
		}
	}
	for i, m := range p.AllowedFlowModules {
		if m.FlowModuleId == nil {
			return fault.New(fault.InvalidParameter, "AllowedFlowModules[%d].FlowModuleId is required", i)
		}
	}
	return nil
}
