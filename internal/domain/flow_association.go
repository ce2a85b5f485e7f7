package domain

import "github.com/aws/aws-sdk-go-v2/service/connect/types"

// FlowAssociation says which flow a resource runs. It is kept for resources
// that say so nowhere else; the flow of a claimed phone number is part of that
// number.
type FlowAssociation struct {
	ResourceType types.FlowAssociationResourceType
	// ResourceID is what a client names the resource by: the ARN of something of
	// another service, or that of an e-mail address of the instance.
	ResourceID string
	// FlowID is the flow, which may be deleted and is then named in vain.
	FlowID ContactFlowID
}

// Key is the name of the association of a resource: it has one of each type.
func (a *FlowAssociation) Key() string {
	return FlowAssociationKey(a.ResourceType, a.ResourceID)
}

// FlowAssociationKey is the Key of the association that a resource has.
func FlowAssociationKey(t types.FlowAssociationResourceType, resourceID string) string {
	return string(t) + "/" + resourceID
}
